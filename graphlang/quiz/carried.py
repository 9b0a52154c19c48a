"""Errors carried forward: what a number would be by the right rule on the student's own earlier numbers.

Every number of a table is a cell: the value of a node, or its adjoint. A cell is computed again from the cells it is made of, the student's where
they were given and the key elsewhere, by the equations of the graph and the contributions of its backward pass: there is no second derivative here.
A typed number stands for all that round to it, so what is computed from it lies between bounds (bounds.py).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Mapping, NamedTuple

from graphlang.engines.reference import evaluate
from graphlang.engines.tape import FLOATS, Arithmetic
from graphlang.quiz.answers import Typed
from graphlang.quiz.bounds import ARITHMETIC, Between, lifted
from graphlang.quiz.cells import cells_of
from graphlang.quiz.diagnosing import decimal, interval, rounded, unit
from graphlang.quiz.keys import hull
from graphlang.quiz.model import Accepted, Blank, Part, Precision, Value
from graphlang.quiz.text import shown
from graphlang.quiz.variants import Worked

SLACK = 1e-9  # relative: what rounding of floats may do to a cell, far below any digit that is asked for
LARGEST = 1e9  # far beyond every key; also of what is not finite nothing is carried
CARRIED = "Not the key, and the right rule on your earlier value"


class Found(NamedTuple):
    """What a wrong number tells beside the student's earlier numbers. `carried`: it follows from them by the right rule; `of`: the blanks that it was
    carried from; `mistakes`: the rules that lead from them to it. `why`: what stands against carrying a number that would follow."""

    carried: bool = False
    of: tuple[str, ...] = ()
    mistakes: tuple[str, ...] = ()
    message: str = ""
    why: str = ""


NOTHING = Found()


class Carrying:
    """One variant: its cells with their right numbers."""

    def __init__(self, worked: Worked):
        self.quiz = worked.prepared.quiz
        self.cells = cells_of(self.quiz)
        run = worked.shown
        self.key: dict[str, list[float]] = dict(run.flat)
        for p in run.passes:
            self.key |= {p.derivative.adjoint_name(n): x for n, x in p.sweep.adjoints.items()}
        self.ranges = _Scalars({n: v.ranges for n, v in run.graph.variables.items() if v.ranges})

    # ---- one number

    def look(self, part: Part, blank: Blank, typed: Typed, earlier: Mapping[str, tuple[Blank, Typed]]) -> Found:
        """What a wrong number tells. `earlier`: the blanks before it, each with what was typed there, empty and unreadable ones left out."""
        target = self.cells.of.get(blank.id)
        if target is None or typed.value is None:
            return NOTHING
        own = {self.cells.of[id]: (id, b, t) for id, (b, t) in earlier.items() if id in self.cells.of and t.value is not None}
        here = {b.id for b in part.blanks}
        found = self.follow(part, blank, target, typed.value, own)
        if not found.carried and any(id not in here for id, _, _ in own.values()):  # an earlier table's numbers may be printed in this one
            inner = {c: o for c, o in own.items() if o[0] in here}
            again = self.follow(part, blank, target, typed.value, inner)
            found = again if again.carried or again.mistakes and not found.mistakes else found
        return found

    def follow(self, part: Part, blank: Blank, target: str, value: Decimal, own: Mapping[str, tuple[str, Blank, Typed]]) -> Found:
        fixed = None if part.rows else frozenset(own) - {target}  # all else is printed in a table, or computed again
        used = self.cells.reads(target, fixed) & own.keys()
        moved = [c for c in own if c in used and not same(float(own[c][2].value), self.key[c][0])]
        if not moved:
            return NOTHING
        centre = {c: float(own[c][2].value) for c in used}
        found = self.compute(target, fixed, centre)[0]
        ids = tuple(own[c][0] for c in moved)
        wrong = tuple(own[c][0] for c in moved if not own[c][1].accepted.holds(own[c][2].value))
        reached = accepted(found, self.bounds(target, fixed, {c: spread(own[c][1], own[c][2]) for c in used}), blank.precision)
        if reached is not None and reached.holds(value):
            why = self.against(part, blank, value, found, [own[c] for c in moved], self.key[target][0])
            if not why:
                return Found(True, wrong or ids, (), carried_message(bool(wrong), len(wrong or ids)))
            return Found(False, wrong or ids, (), "", why)
        if not wrong:  # the mistakes on the key are the sheet's
            return NOTHING
        names, message = self.cells.mistakes.find(target, fixed, _Numbers(self.key, {c: [x] for c, x in centre.items()}), value, blank)
        return Found(False, wrong, names, f"On your earlier value{'s' if len(wrong) > 1 else ''}: {message}" if names else "")

    def compute(self, target: str, fixed: frozenset[str] | None, own: Mapping[str, object], arithmetic: Arithmetic = FLOATS, each=None) -> list:
        """A cell from some own numbers and else the right ones. `each`: what is done to those on the way."""
        values = _Numbers(self.key, {c: [x] for c, x in own.items()})
        for e in self.cells.way(target, fixed):
            values[e.target] = evaluate(e.value, (), values, self.ranges, arithmetic)
            if each is not None and e.target != target:
                values[e.target] = [each(values[e.target][0])]
        return values[target]

    def bounds(self, target: str, fixed: frozenset[str] | None, own: Mapping[str, Between]) -> Between:
        """Between which numbers a cell lies, for own numbers as they may have been rounded. A student takes a printed number as it is printed, and rounds
        what is computed on the way as the working is said to be rounded."""
        working = self.quiz.working
        if fixed is None:
            beside = {n: self.printed(n) for n in self.cells.reads(target, None) - own.keys() if n in self.cells.equations}
            return lifted(self.compute(target, fixed, {**beside, **own}, ARITHMETIC)[0])
        half_unit = float(half(working)) if working is not None else 0.0
        return lifted(self.compute(target, fixed, own, ARITHMETIC, lambda x: lifted(x) + Between(-half_unit, half_unit))[0])

    def printed(self, cell: str) -> Between:
        """The right number of a cell, and the one that is printed in its place."""
        x = self.key[cell][0]
        y = float(shown(x, self.quiz.working))
        return Between(min(x, y), max(x, y))

    # ---- guards

    def against(self, part: Part, blank: Blank, value: Decimal, found: float, moved: list[tuple[str, Blank, Typed]], key: float) -> str:
        """Why a number that follows from earlier ones earns nothing, "" where it does."""
        if any(not t.value for _, _, t in moved):
            return "an earlier value is 0"
        if same(found, key):
            return "it does not depend on the earlier values"
        if not value or not rounded(decimal(found), blank.precision):
            return "it is 0"
        if any(value == p or rounded(decimal(found), blank.precision) == rounded(p, blank.precision) for p in printed(part)):
            return "it is printed in the table"
        return ""


class _Numbers(dict):
    """Tables of numbers: some own ones, else the key."""

    def __init__(self, key: Mapping[str, list], own: Mapping[str, list]):
        super().__init__(own)
        self.key = key

    def __missing__(self, name: str) -> list:
        return self.key[name]


class _Scalars(dict):
    """The ranges of tables; what is not among them has none."""

    def __missing__(self, name: str) -> tuple:
        return ()


def same(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-12 * max(abs(a), abs(b))


def carried_message(wrong: bool, count: int) -> str:
    if wrong:
        return f"{CARRIED}{'s' if count > 1 else ''}."
    return f"{CARRIED}{'s' if count > 1 else ''}, as rounded there: the working carries more digits than the answer."


# ---- what digits stand for


def spread(blank: Blank, typed: Typed) -> Between:
    """All numbers that a typed one may stand for: what rounds to its digits. Digits left out at the end, as far as they were asked for, are zeros: nobody
    gains by typing fewer."""
    value, reach = typed.value, half(typed.decimals)
    p = blank.precision
    if p.kind == "exactly" or typed.decimals is None:
        reach = Decimal(0)
    elif p.kind in ("decimals", "figures"):
        reach = min(reach, unit(value, p) / 2)
    else:
        reach = min(reach, p.size if p.kind == "within" else abs(value) * p.size / 100)
    return Between(float(value - reach), float(value + reach))


def half(decimals: int | None) -> Decimal:
    return Decimal(0) if decimals is None else Decimal(5).scaleb(-decimals - 1)


def accepted(centre: float, bounds: Between, precision: Precision) -> Accepted | None:
    """What rounds to a number between bounds; where nothing is known of the bounds, to the number itself. None where it is not finite, or far too large."""
    if not abs(centre) < LARGEST:
        return None
    if not bounds.known or max(map(abs, bounds)) > LARGEST:
        bounds = Between(centre, centre)
    low, high = (min(bounds.low, centre), max(bounds.high, centre))
    slack = SLACK * max(abs(low), abs(high))
    return hull(*(interval(rounded(decimal(x), precision), precision) for x in (low - slack, high + slack)))


def printed(part: Part) -> list[Decimal]:
    """The numbers that stand in a table."""
    return [Decimal(p.text.replace("\u2212", "-")) for row in part.rows for cell in row.cells for p in cell.pieces if type(p) is Value]
