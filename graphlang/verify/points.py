"""Points at which the two sides of a claim are compared: the program's own, and random ones.

A random point gives the leaves values and everything else follows from the equations, so that both sides are about one
program; the operands of a local derivative are given values of their own. Each point is evaluated once for all claims
that it serves, as far as they need it.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field, replace
from typing import Callable, Iterator, Sequence

from graphlang.engines import ball
from graphlang.engines.initial import mirrored
from graphlang.engines.reference import forward
from graphlang.graph.expressions import reads
from graphlang.graph.graph import Equation, Graph
from graphlang.graph.order import Group, forward_order, plan

POINTS, TRIES = 16, 1000
SEED = 20_240_901

Values = dict[str, list[float]]


@dataclass
class Part:
    """The equations that some variables depend on, in their order; `names`: the variables that they define or read."""

    graph: Graph
    groups: list[Group]
    names: set[str]


@dataclass
class Point:
    """Values of all variables of a part, how large they are, and whether the point is the program's own. `drawn`: the
    operands that were given values of their own."""

    values: Values
    scale: float
    own: bool
    part: Part
    drawn: tuple[str, ...] = ()
    balls: dict[int, dict] = field(default_factory=dict)

    def certain(self, bits: int) -> dict:
        """The same values without rounding; inside of `ball.working(bits)`."""
        if bits not in self.balls:
            made = {e.target for e in self.part.graph.equations}
            self.balls[bits] = ball.exactly({n: x for n, x in self.values.items() if n not in made})
            for _ in forward(self.part.graph, self.part.groups, self.balls[bits], ball.arithmetic()):
                pass
        return self.balls[bits]


@dataclass
class Sample:
    """Values of leaves and of what has been evaluated from them so far; equations whose value is not finite there."""

    values: Values
    done: set[Equation] = field(default_factory=set)
    bad: set[Equation] = field(default_factory=set)


class Points:
    """The points of a program. `own`: the values of its leaves, where they have some; `fixed`: what is not drawn."""

    def __init__(self, graph: Graph, own: Values | None, fixed: set[str]):
        self.graph, self.leaves = graph, own
        self.free = [n for n, v in graph.variables.items() if v.is_leaf and (v.role != "const" or n[0] == "~") and n not in fixed]
        self.parts: dict[tuple, Part] = {}
        self.samples: dict[tuple, Sample] = {}

    def own(self, targets: set[str]) -> Point | None:
        return None if self.leaves is None else self.point(self.sample(-1, ()), targets, (), True)

    def random(self, targets: set[str], drawn: tuple[str, ...], finite: Callable[[Point], bool]) -> Iterator[Point]:
        """Random points at which everything that the targets need is finite, and what the caller says. `drawn`: variables
        with equations that are given values of their own."""
        found = 0
        for k in range(TRIES):
            sample = self.sample(k, drawn)
            if sample is None:
                return
            p = self.point(sample, targets, drawn, False)
            if p is not None and finite(p):
                found += 1
                yield p
            if found == POINTS:
                return

    def sample(self, k: int, drawn: tuple[str, ...]) -> Sample | None:
        """The k-th drawing (-1: the program's own leaves), the same for all claims; kept while there are few."""
        found = self.samples.get((k, drawn))
        if found is None:
            values = dict(self.leaves or {}) if k < 0 else self.draw(random.Random(f"{SEED} {k} {drawn}"), k, (*self.free, *drawn))
            if values is None:
                return None
            found = Sample(values)
            if len(self.samples) < 2 * POINTS:
                self.samples[k, drawn] = found
        return found

    def draw(self, rng: random.Random, k: int, names: Sequence[str]) -> Values | None:
        """Values for leaves, from four families in turn, so that small, large, positive and near ones all occur."""
        values: Values = {n: list(x) for n, x in (self.leaves or {}).items()}
        for n, v in self.graph.variables.items():
            if v.is_leaf and n not in values and n not in names:
                if v.initial is None or v.initial.kind not in ("numbers", "file"):
                    return None  # a table of subscripts without values
                values[n] = list(v.initial.numbers) if v.initial.kind == "numbers" else v.initial.load()
        for n in names:
            v = self.graph.variables[n]
            here = (self.leaves or {}).get(n)
            if k % 4 == 0:
                x = [rng.gauss(0, 1) for _ in range(v.size)]
            elif k % 4 == 1:
                x = [rng.uniform(0.1, 2) for _ in range(v.size)]
            elif k % 4 == 2 and here is not None and all(map(math.isfinite, here)):
                x = [a * (1 + 0.3 * rng.gauss(0, 1)) + 0.01 * rng.gauss(0, 1) for a in here]
            else:
                x = [rng.uniform(0.02, 0.98) for _ in range(v.size)]
            values[n] = mirrored(v, x)
        return values

    def point(self, sample: Sample, targets: set[str], drawn: tuple[str, ...], own: bool) -> Point | None:
        """Everything that the targets depend on; None where a value is not finite. What another claim needed is there already."""
        values, part = sample.values, self.part(targets, drawn)
        missing = [g for g in part.groups if g.equations[0] not in sample.done]
        for equation, bad in forward(part.graph, missing, values):
            sample.done.add(equation)
            if bad is not None or not all(map(math.isfinite, values[equation.target])):
                sample.bad.add(equation)
                break
        if not sample.bad.isdisjoint(part.graph.equations):
            return None
        scale = max((abs(x) for n in targets for x in values.get(n, ())), default=1.0)
        return Point(values, scale, own, part, drawn)

    def part(self, targets: set[str], drawn: tuple[str, ...]) -> Part:
        """The equations that the targets depend on."""
        key = (frozenset(targets), drawn)
        if key not in self.parts:
            below = plan(self.graph).below
            wanted = [e for n in targets for e in self.graph.pieces.get(n, ()) if n not in drawn]
            seen = set(wanted)
            while wanted:
                for e in below[wanted.pop()]:
                    if e not in seen and e.target not in drawn:
                        seen.add(e)
                        wanted.append(e)
            part = replace(self.graph, equations=tuple(e for e in self.graph.equations if e in seen), pieces={}, plans=[])
            names = {e.target for e in part.equations} | {r.name for e in part.equations for r in reads(e.value)}
            self.parts[key] = Part(part, forward_order(plan(part), None), names)
        return self.parts[key]
