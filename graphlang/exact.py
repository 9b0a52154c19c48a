"""What `run --exact` adds to a run: its numbers again in ball arithmetic, with digits that are certain."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Iterator

from graphlang.engines import ball
from graphlang.given import UsageError
from graphlang.graph.graph import natural
from graphlang.run import Pass, Run, nest

DIGITS = 30
MOST_DIGITS = 1000
LOST = 1e-9        # a float64 that is farther from the certain value, relatively, is noted
MOST_NOTED = 6


def checked(exact: bool | int) -> int:
    """The digits that are asked for: 30 of `True`. Raises UsageError, also where python-flint is missing."""
    digits = DIGITS if exact is True else exact
    if not isinstance(digits, int) or not 1 <= digits <= MOST_DIGITS:
        raise UsageError(f"the digits of an exact run are a number from 1 to {MOST_DIGITS}, not {digits!r}")
    if not ball.available():
        raise UsageError("certain digits need python-flint: pip install 'graphlang[exact]'")
    return digits


@dataclass(eq=False)
class Exact:
    """The numbers of a run as balls; `values` and `adjoints` as strings of `precision` certain digits (or `m ± r`), nested
    like those of the run. `bits`: the working precision that it took."""

    run: Run
    precision: int
    found: ball.Certain

    @property
    def bits(self) -> int:
        return self.found.bits

    @cached_property
    def values(self) -> dict:
        return {n: self._nested(n, self.found.values[n]) for n in sorted(self.found.values, key=natural)}

    @cached_property
    def adjoints(self) -> dict:
        """Of the first goal."""
        return self.adjoints_of(0) if self.found.sweeps else {}

    def adjoints_of(self, k: int) -> dict:
        adjoints = self.found.sweeps[k].adjoints
        return {n: self._nested(n, adjoints[n]) for n in sorted(adjoints, key=natural)}

    def _nested(self, name: str, flat: list):
        return nest([ball.digits(x, self.precision) for x in flat], self.run.graph.variables[name].ranges)

    @contextmanager
    def as_run(self) -> Iterator[Run]:
        """The run with balls in the place of its floats, for the tables; sums made of them have the same precision."""
        passes = tuple(Pass(p.derivative, s) for p, s in zip(self.run.passes, self.found.sweeps))
        with ball.working(self.found.bits):
            yield replace(self.run, flat=self.found.values, passes=passes, exact=None)


def exact(run: Run, precision: int) -> Exact:
    """The certain numbers of a run that has ended."""
    return Exact(run, precision, ball.certain(run.graph, run.flat, [p.derivative for p in run.passes], precision))


def notes(e: Exact) -> Iterator[str]:
    """Where float64 is far off, in the order of evaluation; then in the adjoints of the first goal. One note a variable."""
    found = []
    for name in dict.fromkeys(q.target for q in e.run.order):
        found += _lost(name, name, e.run.flat[name], e.found.values[name], e)
    for p, sweep in zip(e.run.passes[:1], e.found.sweeps):
        for name in p.derivative.variables:
            found += _lost(p.derivative.adjoint_name(name), name, p.sweep.adjoints[name], sweep.adjoints[name], e)
    yield from found[:MOST_NOTED]
    if len(found) > MOST_NOTED:
        yield f"float64 loses digits in {len(found) - MOST_NOTED:,} more variables and adjoints"


def _lost(label: str, name: str, floats: list[float], balls: list, e: Exact) -> Iterator[str]:
    """A note on the first element that is far off, and how many others are."""
    far = [k for k, (x, b) in enumerate(zip(floats, balls)) if _is_far(x, b)]
    if far:
        x, b, where = floats[far[0]], balls[far[0]], f"{label}{_element(e, name, far[0])}"
        more = f" (and in {len(far) - 1:,} more elements)" if len(far) > 1 else ""
        if b.is_finite():
            yield f"float64 loses digits here: {where} is {x:.12g} in float64, and {ball.digits(b, min(e.precision, 12))} for certain{more}"
        else:
            yield f"{where} is {x:.12g} in float64, and ball arithmetic cannot tell whether it is defined{more}"


def _is_far(x: float, b) -> bool:
    if not b.is_finite():
        return math.isfinite(x)
    return not math.isfinite(x) or abs(b - x) > LOST * abs(b)


def _element(e: Exact, name: str, offset: int) -> str:
    subs = []
    for r in reversed(e.run.graph.variables[name].ranges):
        subs.append(str(offset % r.extent + r.low))
        offset //= r.extent
    return f"[{','.join(reversed(subs))}]" if subs else ""
