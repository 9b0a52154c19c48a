"""Operations that an evaluation and a reverse sweep execute: arithmetic and calls of functions, counted from the code
that the reference engine runs, by the extents of its loops."""

from __future__ import annotations

from itertools import product
from typing import Iterator, Mapping, NamedTuple

from graphlang.derive.reverse import Contribution, Derivative, cells
from graphlang.engines.tape import ADD, CALL1, CALL2, CALLN, KEEP, LOOP, STORE, SUM, Tape
from graphlang.graph.expressions import Call, postorder
from graphlang.graph.graph import Equation, Graph, Range, meets

MOST_BOXES = 16  # of contributions to one variable that are cut into cells


class Operations(NamedTuple):
    """Of the forward evaluation of what the goal depends on, and of the reverse sweep. With + − · alone in primitive steps
    both together are at most 5 times the first (Baur and Strassen, The complexity of partial derivatives, 1983). For the
    author's equations there is no such bound: what an equation computes on its way is computed again for its local derivatives."""

    forward: int
    backward: int


class _Tables(dict):
    """A table for every name: the code is made, never run."""

    def __missing__(self, name: str) -> list:
        return []


class _Unlimited(Tape):
    """It is not run, so its rounds have no limit."""

    steps = property(lambda self: 1, lambda self, rounds: None)


def operations(derivative: Derivative) -> Operations:
    graph = derivative.graph
    ahead = back = 0
    for group in derivative.order:
        points_of: dict[Equation, list] = {}
        for e, at in group.elements or ():
            points_of.setdefault(e, []).append(at)
        for e in group.equations:
            points = None if group.elements is None else points_of.get(e, [])
            ahead += forward_count(e, graph, points)
            back += sum(_contributions(e, derivative, points))
    for name in derivative.incoming:
        back += additions(name, derivative)
    return Operations(ahead, back)


def forward_count(e: Equation, graph: Graph, points) -> int:
    if e.value.plain and not e.bindings:
        return sum(type(n) is Call for n in postorder(e.value))
    code = Code(e, graph, points)
    code.tape.store(STORE, e.value, [], graph.variables[e.target].ranges, e.subs)
    return code.count()


def _contributions(e: Equation, derivative: Derivative, points) -> Iterator[int]:
    """Local derivative times adjoint, for each contribution; scalars share what their local derivatives have in common."""
    outgoing = derivative.outgoing[e]
    plain = [c for c in outgoing if points is None and not e.subs and not c.loops and not c.read.args and c.computed.plain]
    if plain:
        yield sum(type(n) is Call for n in postorder(*(c.computed for c in plain))) + len(plain)
    shared = set(plain)
    for c in outgoing:
        if c not in shared:
            yield _scattered(c, derivative.graph, points)


def _scattered(c: Contribution, graph: Graph, points) -> int:
    code = Code(c.source, graph, points)
    opened = [code.tape.open_loop(b.index, b.low, b.high) for b in c.loops]
    factor = code.tape.place(c.read.pool.read(c.source.target, c.source.subs))
    code.tape.store(ADD, c.computed, [], c.box, c.read.args, factor)
    for o in reversed(opened):
        code.tape.close_loop(o)
    return code.count()


class Code:
    """The tape of an equation, with loops over its indices around, or in a recurrence run for each of its points."""

    def __init__(self, e: Equation, graph: Graph, points):
        ranges = {n: v.ranges for n, v in graph.variables.items()}
        self.points = points
        self.tape = _Unlimited(_Tables(), ranges, {} if points is None else dict(e.bindings))
        pool = e.value.pool
        self.given = [] if points is None else [self.tape.index_register(b.index) for b in e.bindings]
        self.opened = [] if points is not None else [self.tape.open_loop(b.index, pool.number(b.range.low), pool.number(b.range.high)) for b in e.bindings]

    def count(self) -> int:
        for o in reversed(self.opened):
            self.tape.close_loop(o)
        ops = self.tape.chain[0].ops
        if self.points is None:
            return executed(ops, {})
        if bounds_of(ops).isdisjoint(self.given):
            return executed(ops, {}) * len(self.points)
        return sum(executed(ops, dict(zip(self.given, at))) for at in self.points)


def bounds_of(ops) -> set[int]:
    """The registers that the bounds of loops depend on."""
    out = set()
    for op in ops:
        if op[0] == LOOP:
            _, _, (_, low), (_, high), inner = op
            out |= {r for r, _ in (*low, *high)} | bounds_of(inner)
    return out


def executed(ops, at: Mapping[int, int]) -> int:
    """Operations of one run. A loop that no inner bound follows is counted once, times its rounds."""
    total = 0
    for op in ops:
        kind = op[0]
        if kind in (CALL1, CALL2, CALLN, SUM, KEEP):
            total += 1
        elif kind == ADD or kind == STORE:
            total += (kind == ADD) + (op[-1] is not None)
        elif kind == LOOP:
            _, register, (low, fl), (high, fh), inner = op
            low += sum(k * at[r] for r, k in fl)
            high += sum(k * at[r] for r, k in fh)
            if high < low:
                continue
            if register in bounds_of(inner):
                total += sum(executed(inner, {**at, register: k}) for k in range(low, high + 1))
            else:
                total += (high - low + 1) * executed(inner, at)
    return total


def additions(name: str, derivative: Derivative) -> int:
    """The additions that put the contributions to a variable together: one less than there are, at each element."""
    terms = derivative.incoming[name]
    whole = derivative.graph.variables[name].ranges
    boxes = [c.box for c in terms]
    goal = derivative.goal
    if goal.name == name:
        boxes.append(tuple(Range(k, k) for k in goal.element or ()))
    if not whole or len(boxes) == 1:
        return len(boxes) - 1
    if len(boxes) <= MOST_BOXES:
        total = 0
        for cell in cells(whole, boxes):
            n = 1
            for r in cell:
                n *= r.extent
            total += n * max(0, sum(meets(b, cell) for b in boxes) - 1)
        return total
    reached = set()
    total = 0
    for box in boxes:
        for at in product(*(range(r.low, r.high + 1) for r in box)):
            total += 1
            reached.add(at)
    return total - len(reached)
