"""Errors carried forward: what a number would be by the right rule on the student's own earlier numbers.

Every number of a table is a cell: the value of a node, or its adjoint. A cell is computed again from the cells it is made of, the student's where
they were given and the key elsewhere, by the equations of the graph and the contributions of its backward pass: there is no second derivative here.
A typed number stands for all that round to it, so what is computed from it lies between bounds (bounds.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Mapping, NamedTuple

from graphlang.derive.reverse import adjoint_graph
from graphlang.engines.reference import evaluate
from graphlang.engines.tape import FLOATS, Arithmetic
from graphlang.graph.derived import derivative_name
from graphlang.graph.expressions import Number, Read, reads
from graphlang.graph.graph import Equation, Graph
from graphlang.graph.order import forward_order, plan
from graphlang.graph.values import Problem, Scope
from graphlang.quiz.answers import Typed
from graphlang.quiz.bounds import ARITHMETIC, Between, lifted
from graphlang.quiz.diagnosing import decimal, interval, rounded, unit
from graphlang.quiz.keys import hull
from graphlang.quiz.model import Accepted, Blank, Part, Precision, Quiz, Sheet, Value
from graphlang.quiz.own_mistakes import OwnMistakes
from graphlang.quiz.prepared import Prepared, prepared
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


def order(sheet: Sheet, quiz: Quiz) -> list[tuple[Part, Blank]]:
    """The blanks of a sheet in the order of the working: of a table as it says, of a question along the graph."""
    place = cells_of(quiz).place
    out = []
    for part in sheet.parts:
        said = {id: k for k, id in enumerate(part.order)}
        if part.rows:
            own = sorted(part.blanks, key=lambda b: said.get(b.id, len(said)))
        else:
            own = sorted(part.blanks, key=lambda b: (place.get(b.id, -1), said.get(b.id, len(said))))
        out += [(part, b) for b in own]
    return out


@lru_cache(maxsize=64)
def cells_of(quiz: Quiz) -> "Cells":
    return Cells(prepared(quiz))


@dataclass(eq=False)
class Cells:
    """The cells of a quiz: the equation of each from others, for all variants."""

    prepared: Prepared

    @cached_property
    def graph(self) -> Graph:
        return self.prepared.shown

    @cached_property
    def derivatives(self) -> tuple:
        return tuple(self.prepared._passes[id(self.graph)][2])

    @cached_property
    def of(self) -> dict[str, str]:
        """The cell of each blank, by the blank's id; none for what is no single value or adjoint."""
        out, lowering, adjoints = {}, self.prepared.lowering, {d.goal.name for d in self.derivatives}
        for w in self.prepared.wanted:
            try:
                read = lowering.scalar(w.shown, Scope())
            except Problem:
                continue
            if type(read) is not Read or any(type(a) is not Number for a in read.args):
                continue
            at = ",".join(str(int(a.value)) for a in read.args)
            asked = lowering.asked.get(read.name)
            if asked is None:
                name = f"{read.name}[{at}]" if at else read.name
                if name in self.equations:
                    out[w.id] = name
            elif not asked.partial:
                goal = f"{asked.of}[{','.join(map(str, asked.element))}]" if asked.element is not None else asked.of
                if goal in adjoints:
                    out[w.id] = derivative_name(self.graph.pool, goal, f"{asked.wrt}[{at}]" if at else asked.wrt)
        return out

    @cached_property
    def equations(self) -> dict[str, Equation]:
        """Every cell that is computed, the values first, each from cells before it."""
        out = {e.target: e for group in forward_order(plan(self.graph), None) for e in group.equations}
        for d in self.derivatives:
            whole = adjoint_graph(d)
            made = {e.target: e for e in whole.equations[len(self.graph.equations):]}
            out |= {d.adjoint_name(v): made[d.adjoint_name(v)] for v in d.variables if d.adjoint_name(v) in made}
        return out

    @cached_property
    def place(self) -> dict[str, int]:
        """Of each blank with a cell where it comes in the working."""
        at = {cell: k for k, cell in enumerate(self.equations)}
        return {id: at[cell] for id, cell in self.of.items() if cell in at}

    @cached_property
    def ways(self) -> dict[tuple, tuple[Equation, ...]]:
        return {}

    def way(self, target: str, fixed: frozenset[str] | None) -> tuple[Equation, ...]:
        """The equations that lead from some cells to another, in their order; of what does not depend on them none. None: from all other cells."""
        if fixed is None:
            return (self.equations[target],) if target in self.equations else ()
        key = target, fixed
        if key not in self.ways:
            self.ways[key] = self._way(target, fixed)
        return self.ways[key]

    def _way(self, target: str, fixed: frozenset[str]) -> tuple[Equation, ...]:
        moving, out = set(fixed), []
        for cell, e in self.equations.items():
            if (cell == target or cell not in fixed) and not moving.isdisjoint(r.name for r in reads(e.value)):
                moving.add(cell)
                out.append(e)
            if cell == target:
                break
        needed, kept = {target}, []
        for e in reversed(out):
            if e.target in needed:
                kept.append(e)
                needed |= {r.name for r in reads(e.value)} - fixed
        return tuple(reversed(kept))

    def reads(self, target: str, fixed: frozenset[str] | None) -> set[str]:
        """The cells that another one is computed from on that way."""
        return {r.name for e in self.way(target, fixed) for r in reads(e.value)}

    @cached_property
    def mistakes(self) -> OwnMistakes:
        return OwnMistakes(self.graph, tuple(d.goal for d in self.derivatives))


class Carrying:
    """One variant: its cells with their right numbers."""

    def __init__(self, worked: Worked, sheet: Sheet):
        self.quiz, self.sheet = worked.prepared.quiz, sheet
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
        found = self.compute(target, fixed, centre, FLOATS)
        ids = tuple(own[c][0] for c in moved)
        wrong = tuple(own[c][0] for c in moved if not own[c][1].accepted.holds(own[c][2].value))
        bounds = self.compute(target, fixed, {c: spread(own[c][1], own[c][2]) for c in used}, ARITHMETIC)
        reached = accepted(found, lifted(bounds), blank.precision)
        if reached is not None and reached.holds(value):
            why = self.against(part, blank, value, found, [own[c] for c in moved], self.key[target][0])
            if not why:
                return Found(True, wrong or ids, (), carried_message(blank, bool(wrong), len(wrong or ids)))
            return Found(False, wrong or ids, (), "", why)
        if not wrong:  # the mistakes on the key are the sheet's
            return NOTHING
        names, message = self.cells.mistakes.find(target, fixed, _Numbers(self.key, {c: [x] for c, x in centre.items()}), value, blank)
        return Found(False, wrong, names, f"On your earlier value{'s' if len(wrong) > 1 else ''}: {message}" if names else "")

    def compute(self, target: str, fixed: frozenset[str] | None, own: Mapping[str, object], arithmetic: Arithmetic):
        """A cell from some own numbers and else the right ones."""
        values = _Numbers(self.key, {c: [x] for c, x in own.items()})
        for e in self.cells.way(target, fixed):
            values[e.target] = evaluate(e.value, (), values, self.ranges, arithmetic)
        return values[target][0]

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


def carried_message(blank: Blank, wrong: bool, count: int) -> str:
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
