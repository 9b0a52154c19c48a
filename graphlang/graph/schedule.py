"""A recurrence as nested loops, found from its subscripts and ranges without going through its elements.

The way is Allen and Kennedy's (Automatic translation of Fortran programs to vector form, 1987). A read of the recurrence's own tables is a
dependency, at a distance in each dimension. For each table a dimension is chosen as time, and a shift, such that no read is of what comes
later; a loop over time then keeps the order of all that is read from earlier rounds. What is left between the equations of one round is
sorted; where it still goes round, there is a further loop inside, over another dimension. All that is needed of a dependency, whether there is
one in one round of the loops and how far it reaches at least, is asked of a system of inequalities: ranges, bounds of inner indices,
conditions of `where` (inequalities.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Iterator, Mapping, NamedTuple, Sequence

from graphlang.graph.affine import affine
from graphlang.graph.components import components
from graphlang.graph.expressions import Bound, Call, Expr, Index
from graphlang.graph.graph import Equation, Graph, Range, meets
from graphlang.graph.inequalities import Form, Unknown, least, minus, plus
from graphlang.graph.recurrence import guarded_reads

if TYPE_CHECKING:
    from graphlang.graph.order import Group

MOST_STEPS = 100   # equations in pieces, in a schedule
MOST_TRIALS = 3000  # of dimensions for the tables of one component


class Time(NamedTuple):
    """The value of a binding that goes with a loop: the value of the loop's index and a number."""

    loop: str
    plus: int


@dataclass(frozen=True, eq=False)
class Step:
    """A part of an equation's elements, in any order: none of them reads another.

    Every binding of the equation is in one of the two. `at`: those that have one value, which a loop around the step sets; no two of them
    go with one loop. `over`: the free ones, and what each runs over, which is all of its range or a part (of one element, where it was
    split off before or between loops). A constant subscript of the equation stays what it is: such an equation stands where its turn is.
    """

    equation: Equation
    at: Mapping[str, Time]
    over: Mapping[str, Range]


@dataclass(frozen=True, eq=False)
class Loop:
    """`body` for each value of `index` from `low` to `high`, both included and low < high: upward where `step` is 1, from `high` down where it is
    -1. All of the body runs in every round. The index is a name that no author can write and no other loop of the schedule has. Backward,
    everything runs the other way: the body reversed, the loop too.
    """

    index: str
    low: int
    high: int
    step: int
    body: tuple["Item", ...]


Item = Loop | Step


class Reading(NamedTuple):
    """A read of a table of the group: its subscripts, and inequalities that hold where it is read."""

    name: str
    subs: tuple[Form, ...]
    rows: tuple[Form, ...]


class Dependency(NamedTuple):
    """`step` may read, in one round of the loops around both, an element that `of` makes; `rows` hold where it does."""

    step: Step
    reading: Reading
    of: Step
    rows: tuple[Form, ...]


class Choice(NamedTuple):
    """For each table the dimension that is time (None: it has none) and the number to add to the loop's index; the direction."""

    rest: int  # dependencies that stay within a round
    step: int
    times: dict[str, tuple[int | None, int]]


class Unordered(Exception):
    """No order was found."""


def schedule(group: "Group", graph: Graph) -> tuple[Item, ...] | None:
    """Loops and steps that make every element of a group once, each after all that it reads; None where none were found, as with
    subscripts that are values. That there are some proves that no element depends on itself."""
    names = {e.target for e in group.equations}
    try:
        known = {e: tuple(readings(e, names)) for e in group.equations}
        return tuple(Planner(known).order([Step(e, {}, dict(e.bindings)) for e in group.equations]))
    except (Unordered, Unknown):
        return None


# ---- what is read


def readings(e: Equation, names: set[str]) -> Iterator[Reading]:
    for read, around, guards in guarded_reads(e.value):
        if read.name in names:
            rows = [row for b in around for row in between(form(b.low), (0, {b.index: 1}), form(b.high))]
            rows += [row for condition, wanted in guards for row in said(condition, wanted)]
            yield Reading(read.name, tuple(map(form, read.args)), tuple(rows))


def form(e: Expr) -> Form:
    found = affine(e)
    if found is None:
        raise Unordered
    return found


def between(low: Form, middle: Form, high: Form) -> tuple[Form, Form]:
    return minus(middle, low), minus(high, middle)


def said(condition: Expr, wanted: bool) -> Iterator[Form]:
    """What a condition on indices says as inequalities; of what is none, nothing."""
    if type(condition) is not Call:
        return
    if condition.function == "*" and wanted:
        for a in condition.args:
            yield from said(a, wanted)
        return
    function = condition.function if wanted else {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "!=": "=="}.get(condition.function, "")
    if function in ("<", "<=", ">", ">=", "=="):
        a, b = map(affine, condition.args)
        if a is not None and b is not None:
            if function in ("<", "<=", "=="):
                yield plus(minus(b, a), -(function == "<"))
            if function in (">", ">=", "=="):
                yield plus(minus(a, b), -(function == ">"))


def own(e: Equation, d: int | None) -> Form:
    """A subscript of an equation's own element."""
    return (0, {}) if d is None else form(e.subs[d])


class Planner:
    def __init__(self, known: Mapping[Equation, tuple[Reading, ...]]):
        self.known = known
        self.spans: dict[str, Range] = {}  # of loops, by their index
        self.numbers = count(1)

    # ---- dependencies

    def span(self, step: Step, index: str) -> Range:
        """What a binding of a step may be in all rounds of the loops around it."""
        time = step.at.get(index)
        return step.over[index] if time is None else Range(self.spans[time.loop].low + time.plus, self.spans[time.loop].high + time.plus)

    def rows(self, step: Step, reading: Reading, of: Step) -> Iterator[Form]:
        """What holds of the indices where an element of one step reads one of another in the same round of the loops around both."""
        loops = {time.loop: (-time.plus, {index: 1}) for index, time in step.at.items()}
        for b in step.equation.bindings:
            r = self.span(step, b.index)
            yield from between((r.low, {}), (0, {b.index: 1}), (r.high, {}))
        yield from reading.rows
        for sub, target in zip(reading.subs, of.equation.subs):
            time = of.at.get(target.name) if type(target) is Index else None
            if time is not None:
                here = plus(loops[time.loop], time.plus)
                yield from between(here, sub, here)
            else:
                r = of.over[target.name] if type(target) is Index else Range(int(target.value), int(target.value))
                yield from between((r.low, {}), sub, (r.high, {}))

    def dependencies(self, steps: Sequence[Step]) -> list[Dependency]:
        of: dict[str, list[Step]] = {}
        for s in steps:
            of.setdefault(s.equation.target, []).append(s)
        found = [Dependency(s, r, t, tuple(self.rows(s, r, t))) for s in steps for r in self.known[s.equation] for t in of.get(r.name, ())]
        return [d for d in found if least((0, {}), d.rows) is not None]

    # ---- the order of some steps within the loops around them

    def order(self, steps: Sequence[Step]) -> list[Item]:
        if len(steps) > MOST_STEPS:
            raise Unordered
        steps = [s for s in steps if all(r.extent for r in s.over.values())]
        found = self.dependencies(steps)
        below: dict[Step, dict[Step, None]] = {s: {} for s in steps}
        for d in found:
            below[d.step][d.of] = None
        out: list[Item] = []
        for members in components(steps, below):
            if len(members) == 1 and members[0] not in below[members[0]]:
                out += members
            else:
                out += self.loop(members, [d for d in found if d.step in members and d.of in members])
        return out

    def loop(self, members: list[Step], found: list[Dependency]) -> list[Item]:
        """Steps that depend on one another: over time, in stretches in each of which the same ones take part."""
        for choice in sorted(self.choices(members, found), key=lambda c: c.rest):
            try:
                return self.stretches(members, choice)
            except Unordered:
                continue
        raise Unordered

    def stretches(self, members: list[Step], choice: Choice) -> list[Item]:
        """One loop where all take part all the time, else stretches one after the other, for each of which an order is found anew."""
        when = {s: active(s, *choice.times[s.equation.target]) for s in members}
        starts = sorted({r.low for r in when.values()} | {r.high + 1 for r in when.values()})
        parts = [Range(low, end - 1) for low, end in zip(starts, starts[1:])][:: choice.step]
        if len(parts) > 1:
            return [item for part in parts for item in self.order([at_time(s, *choice.times[s.equation.target], part) for s in members if meets((when[s],), (part,))])]
        name = f"loop {next(self.numbers)}"
        self.spans[name] = parts[0]
        return [Loop(name, *parts[0], choice.step, tuple(self.order([at_time(s, *choice.times[s.equation.target], name) for s in members])))]

    # ---- which dimension is time

    def choices(self, members: list[Step], found: list[Dependency]) -> list[Choice]:
        """The ways to take dimensions as time in which no dependency goes back. A table's time is its subscript in that dimension plus a shift;
        shifts are shortest ways, and there are some unless a way round goes back."""
        tables = list(dict.fromkeys(s.equation.target for s in members))
        options = {t: dimensions([s for s in members if s.equation.target == t]) for t in tables}
        far: dict[tuple, int] = {}

        def distance(k: int, a: int | None, b: int | None, step: int) -> int:
            if (k, a, b, step) not in far:
                d = found[k]
                c, factors = minus(own(d.step.equation, a), (0, {}) if b is None else d.reading.subs[b])
                far[k, a, b, step] = least((step * c, {n: step * f for n, f in factors.items()}), d.rows)
            return far[k, a, b, step]

        out: list[Choice] = []
        trials = 0
        for step in (1, -1):
            work: list[tuple] = [()]
            while work and trials < MOST_TRIALS:
                trials += 1
                taken = work.pop()
                dims = dict(zip(tables, taken))
                edges: dict[tuple[str, str], int] = {}
                for k, d in enumerate(found):
                    pair = d.step.equation.target, d.reading.name
                    if pair[0] in dims and pair[1] in dims:
                        least_one = distance(k, dims[pair[0]], dims[pair[1]], step)
                        edges[pair] = min(edges.get(pair, least_one), least_one)
                shift = potentials(list(dims), edges)
                if shift is None:
                    continue
                if len(taken) < len(tables):
                    work += [(*taken, option) for option in reversed(options[tables[len(taken)]])]
                    continue
                rest = sum(distance(k, dims[d.step.equation.target], dims[d.reading.name], step) + shift[d.step.equation.target] - shift[d.reading.name] < 1 for k, d in enumerate(found))
                start = shift[next((t for t in tables if dims[t] is not None), tables[0])]
                times = {t: (dims[t], step * (start - shift[t])) for t in tables}
                if len({(r.low, r.high) for s in members for r in [active(s, *times[s.equation.target])]}) > 1 or any(active(s, *times[s.equation.target]).extent > 1 for s in members):
                    out.append(Choice(rest, step, times))
                    if rest == 0:
                        return out
        return out


def dimensions(steps: list[Step]) -> list[int | None]:
    """Of the table that some steps make: those in which no loop has been laid yet."""
    found = [d for d in range(len(steps[0].equation.subs)) if not any(type(s.equation.subs[d]) is Index and s.equation.subs[d].name in s.at for s in steps)]
    return found or [None]


def potentials(names: list[str], edges: Mapping[tuple[str, str], int]) -> dict[str, int] | None:
    """A shift for each table such that distance + shift of the reader - shift of what is read is never less than 0; none if a way round is."""
    shift = dict.fromkeys(names, 0)
    for _ in range(len(names) + 1):
        changed = False
        for (reader, read), far in edges.items():
            if shift[reader] + far < shift[read]:
                shift[read], changed = shift[reader] + far, True
        if not changed:
            return shift
    return None


def active(step: Step, d: int | None, plus: int) -> Range:
    """At which values of the loop's index a step has elements."""
    sub = None if d is None else step.equation.subs[d]
    r = step.over[sub.name] if type(sub) is Index else Range(*[0 if sub is None else int(sub.value)] * 2)
    return Range(r.low - plus, r.high - plus)


def at_time(step: Step, d: int | None, plus: int, when: Range | str) -> Step:
    """The elements of a step in a stretch of time, or in a round of a loop."""
    sub = None if d is None else step.equation.subs[d]
    if type(sub) is not Index:
        return step
    if type(when) is str:
        return Step(step.equation, {**step.at, sub.name: Time(when, plus)}, {n: r for n, r in step.over.items() if n != sub.name})
    return Step(step.equation, step.at, {**step.over, sub.name: Range(when.low + plus, when.high + plus)})
