"""The reference engine: every value kept. In plain Python floats it is the meaning of a program; `ball.py` runs the same in balls.

Values are flat lists in row-major order, one number long for a scalar.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Iterator, Mapping, NamedTuple, Sequence

from graphlang.derive.reverse import Contribution, Derivative
from graphlang.derive.simplify import factors_of, product
from graphlang.engines.tape import ADD, FLOATS, STORE, Arithmetic, Tape
from graphlang.graph.coverage import points
from graphlang.graph.expressions import Expr, Index, Number, Read, Reduce
from graphlang.graph.graph import Binding, Box, Equation, Graph, Range
from graphlang.graph.order import Group

Values = dict[str, list[float]]


class Bad(NamedTuple):
    """A value that is not finite although its operands are: the equation and the values of its indices."""

    equation: Equation
    at: dict[str, int]
    value: float


def plain(root: Expr, values: Mapping[str, list[float]], known: dict[Expr, float], arithmetic: Arithmetic = FLOATS) -> float:
    """The value of a plain expression; `known` is kept by the caller, to share what several have in common."""
    kind = type(root)
    if kind is Read:
        return values[root.name][0]
    if kind is Number:
        return arithmetic.number(root.value)
    stack, functions = [root], arithmetic.functions
    while stack:
        node = stack[-1]
        if node in known:
            stack.pop()
            continue
        arguments = []
        waiting = False
        for a in node.args:
            kind = type(a)
            if kind is Read:
                arguments.append(values[a.name][0])
            elif kind is Number:
                arguments.append(a.value)
            elif a in known:
                arguments.append(known[a])
            else:
                stack.append(a)
                waiting = True
        if not waiting:
            known[node] = functions[node.function](*arguments)
            stack.pop()
    return known[root]


def evaluate(root: Expr, over: tuple[Binding, ...], values: Values, ranges: Mapping[str, Box], arithmetic: Arithmetic = FLOATS) -> list[float]:
    """An expression at every point of a box, row-major."""
    if not over and root.plain:
        return [plain(root, values, {}, arithmetic)]
    box = tuple(b.range for b in over)
    out = [0.0] * _size(box)
    tape = Tape(values, ranges, {}, arithmetic)
    pool = root.pool
    opened = [tape.open_loop(b.index, pool.number(b.range.low), pool.number(b.range.high)) for b in over]
    tape.store(STORE, root, out, box, [pool.index(b.index) for b in over])
    for o in reversed(opened):
        tape.close_loop(o)
    tape.run()
    return out


def _size(box: Box) -> int:
    n = 1
    for r in box:
        n *= r.extent
    return n


# ---- forward


def forward(graph: Graph, groups: Sequence[Group], values: Values, arithmetic: Arithmetic = FLOATS) -> Iterator[tuple[Equation, Bad | None]]:
    """Evaluate the equations in order into `values`, yielding each as it is done, with its first bad value if any (of floats
    only: what is not finite there is an error, what is not known of a ball need not be).

    Raises TooLarge before an equation that would take too long.
    """
    ranges = {n: v.ranges for n, v in graph.variables.items()}
    for e in graph.equations:
        if e.target not in values:
            values[e.target] = [0.0] * graph.variables[e.target].size
    for name in graph.asked:  # a derivative by an empty table has no equation
        values.setdefault(name, [0.0] * graph.variables[name].size)
    for group in groups:
        if group.elements is None:
            (e,) = group.equations
            if not e.bindings and not e.subs and e.value.plain:
                values[e.target][0] = plain(e.value, values, {}, arithmetic)
            else:
                _fill(e, values, ranges, arithmetic)
            yield e, first_bad(e, values, ranges) if arithmetic is FLOATS else None
        else:
            bad = _recurrence(group, values, ranges, arithmetic)
            for e in group.equations:
                yield e, (bad if bad is not None and bad.equation is e else None)


def _fill(e: Equation, values: Values, ranges: Mapping[str, Box], arithmetic: Arithmetic) -> None:
    tape = Tape(values, ranges, {}, arithmetic)
    pool = e.value.pool
    opened = [tape.open_loop(b.index, pool.number(b.range.low), pool.number(b.range.high)) for b in e.bindings]
    tape.store(STORE, e.value, values[e.target], ranges[e.target], e.subs)
    for o in reversed(opened):
        tape.close_loop(o)
    tape.run()


def _recurrence(group: Group, values: Values, ranges: Mapping[str, Box], arithmetic: Arithmetic) -> Bad | None:
    codes = {}
    for e in group.equations:
        tape = Tape(values, ranges, dict(e.bindings), arithmetic)
        tape.store(STORE, e.value, values[e.target], ranges[e.target], e.subs)
        codes[e] = (tape, [tape.index_register(b.index) for b in e.bindings])
    bad = None
    for e, at in group.elements:
        tape, registers = codes[e]
        for register, k in zip(registers, at):
            tape.registers[register] = k
        tape.run()
        if bad is None and arithmetic is FLOATS:
            here = dict(zip((b.index for b in e.bindings), at))
            if not math.isfinite(values[e.target][offset_of(e.subs, ranges[e.target], here)]):
                bad = _bad_at(e, here, values, ranges)
    return bad


def offset_of(subs, ranges: Box, at: Mapping[str, int]) -> int:
    offset = 0
    for s, r in zip(subs, ranges):
        offset = offset * r.extent + (at[s.name] if type(s) is Index else int(s.value)) - r.low
    return offset


def first_bad(e: Equation, values: Values, ranges: Mapping[str, Box]) -> Bad | None:
    """The first element of an equation that is not finite although what it reads is."""
    table = values[e.target]
    if not e.bindings:
        offset = offset_of(e.subs, ranges[e.target], {})
        return None if math.isfinite(table[offset]) else _bad_at(e, {}, values, ranges)
    if all(map(math.isfinite, table)):
        return None
    for at in points(e.bindings, ()):
        if not math.isfinite(table[offset_of(e.subs, ranges[e.target], at)]):
            bad = _bad_at(e, dict(at), values, ranges)
            if bad is not None:
                return bad
    return None


def _bad_at(e: Equation, at: dict[str, int], values: Values, ranges: Mapping[str, Box]) -> Bad | None:
    from graphlang.engines.blame import operands_finite

    value = values[e.target][offset_of(e.subs, ranges[e.target], at)]
    return Bad(e, at, value) if operands_finite(e, at, values, ranges) else None


# ---- backward


@dataclass(eq=False)
class Backward:
    """Adjoints of every variable, and the value of each contribution over its box."""

    adjoints: Values
    parts: dict[Contribution, list[float]] = field(default_factory=dict)


def backward(derivative: Derivative, values: Values, arithmetic: Arithmetic = FLOATS) -> Backward:
    """One reverse sweep: every equation adds to the adjoints of what it reads."""
    graph = derivative.graph
    ranges = {n: v.ranges for n, v in graph.variables.items()}
    adjoints = {n: [0.0] * graph.variables[n].size for n in derivative.variables}
    sweep = Backward(adjoints)
    goal = derivative.goal
    seed_at = 0 if goal.element is None else offset_of([graph.pool.number(k) for k in goal.element], ranges[goal.name], {})
    adjoints[goal.name][seed_at] = 1.0
    for group in derivative.order:
        if group.elements is not None:
            _recurrence_back(group, derivative, sweep, values, ranges, seed_at, arithmetic)
            continue
        (e,) = group.equations
        settle(e.target, e.box, derivative, sweep, seed_at)
        known: dict[Expr, float] = {}
        for c in derivative.outgoing[e]:
            part = sweep.parts[c] = [0.0] * _size(c.box)
            if not e.subs and not c.loops and not c.read.args and c.computed.plain:
                part[0] = adjoints[e.target][0] * plain(c.computed, values, known, arithmetic)
            else:
                _scatter(c, part, adjoints, values, ranges, arithmetic)
    for name, v in graph.variables.items():
        if v.is_leaf and v.role != "const":
            settle(name, v.ranges, derivative, sweep, seed_at)
    return sweep


def settle(name: str, box: Box, derivative: Derivative, sweep: Backward, seed_at: int) -> None:
    """The adjoint of a box of elements whose readers are all done: the seed and the contributions, in their order."""
    terms = [c for c in derivative.incoming.get(name, ()) if c in sweep.parts]
    if not terms:
        return
    adjoint = sweep.adjoints[name]
    whole = derivative.graph.variables[name].ranges
    if not whole:
        total = 1.0 if name == derivative.goal.name else None
        for c in terms:
            part = sweep.parts[c][0]
            total = part if total is None else total + part
        adjoint[0] = total
        return
    touched: dict[int, float] = {}
    for c in terms:
        for offset, part in _elements(c, box, whole, sweep.parts[c]):
            before = touched.get(offset)
            if before is None:
                before = 1.0 if name == derivative.goal.name and offset == seed_at else None
            touched[offset] = part if before is None else before + part
    for offset, total in touched.items():
        adjoint[offset] = total


def _elements(c: Contribution, box: Box, whole: Box, part: list[float]) -> Iterator[tuple[int, float]]:
    """(offset in the whole table, value) for the elements of a contribution that are in `box`."""
    own = c.box
    if own == whole and box == whole:
        yield from enumerate(part)
        return
    common = tuple(Range(max(a.low, b.low), min(a.high, b.high)) for a, b in zip(own, box))
    if any(r.extent == 0 for r in common):
        return
    rows = [(0, 0)]
    for mine, full, r in zip(own[:-1], whole[:-1], common[:-1]):
        rows = [(a * mine.extent + k - mine.low, b * full.extent + k - full.low) for a, b in rows for k in range(r.low, r.high + 1)]
    mine, full, r = own[-1], whole[-1], common[-1]
    for a, b in rows:
        a, b = a * mine.extent - mine.low, b * full.extent - full.low
        for k in range(r.low, r.high + 1):
            yield b + k, part[a + k]


def _code(c: Contribution, part: list[float], adjoints: Values, values: Values, ranges, tape: Tape) -> None:
    """At the innermost block of the equation's own indices: loops over the inner ones, and the addition."""
    pool = c.read.pool
    upstream = pool.read(f"\0{c.source.target}", c.source.subs)
    opened = [tape.open_loop(b.index, b.low, b.high) for b in c.loops]
    factor = tape.place(upstream)
    tape.store(ADD, c.computed, part, c.box, c.read.args, factor)
    for o in reversed(opened):
        tape.close_loop(o)


def _tape(c: Contribution, adjoints: Values, values: Values, ranges, given, arithmetic: Arithmetic) -> Tape:
    name = f"\0{c.source.target}"
    return Tape(_Both(values, name, adjoints[c.source.target]), _Both(ranges, name, ranges[c.source.target]), given, arithmetic)


class _Both(dict):
    """A mapping with one name more."""

    def __init__(self, first: Mapping, name: str, value):
        super().__init__({name: value})
        self.first = first

    def __missing__(self, key):
        return self.first[key]


def _in_stages(c: Contribution, part: list[float], adjoints: Values, values: Values, ranges, arithmetic: Arithmetic) -> bool:
    """What an equation `B = inv(…)` adds: -(B[k,i]·B[j,m]) times the adjoint of B[k,m], summed over k first and then over m. All at
    once it would take n⁴ rounds, and where the matrix is nearly singular the products of large elements would cancel to rounding
    errors. False where it is not of this form."""
    e = c.source
    if not (type(e.value) is Reduce and e.value.function == "inv" and len(e.bindings) == 2 and all(type(s) is Index for s in e.subs)):
        return False
    pool, over = c.read.pool, dict(e.bindings)
    k, m = (s.name for s in e.subs)
    p = factors_of(c.computed)
    first = [f for f in p.factors if k in f.free]
    if k == m or p.divisors or len(first) != 1 or m in first[0].free:
        return False
    for b in c.loops:
        if b.free or type(b.low) is not Number or type(b.high) is not Number:
            return False
        over[b.index] = Range(int(b.low.value), int(b.high.value))
    kept = [Binding(n, over[n]) for n in (*sorted(first[0].free - {k}), m)]
    name, at = f"\0{e.target}", tuple(pool.index(b.index) for b in kept)
    before = _Both(values, name, adjoints[e.target]), _Both(ranges, name, ranges[e.target])
    row = pool.bound(k, pool.number(over[k].low), pool.number(over[k].high))
    half = evaluate(pool.reduce("sum", (row,), pool.call("*", pool.read(name, e.subs), first[0])), tuple(kept), *before, arithmetic)
    tape = Tape(_Both(values, name, half), _Both(ranges, name, tuple(b.range for b in kept)), {}, arithmetic)
    rest = product(pool, p._replace(factors=tuple(f for f in p.factors if f is not first[0])))
    opened = [tape.open_loop(m, pool.number(over[m].low), pool.number(over[m].high))]
    opened += [tape.open_loop(b.index, b.low, b.high) for b in c.loops]
    factor = tape.place(pool.read(name, at))
    tape.store(ADD, rest, part, c.box, c.read.args, factor)
    for o in reversed(opened):
        tape.close_loop(o)
    tape.run()
    return True


def _scatter(c: Contribution, part: list[float], adjoints: Values, values: Values, ranges, arithmetic: Arithmetic) -> None:
    if _in_stages(c, part, adjoints, values, ranges, arithmetic):
        return
    tape = _tape(c, adjoints, values, ranges, {}, arithmetic)
    pool = c.read.pool
    opened = [tape.open_loop(b.index, pool.number(b.range.low), pool.number(b.range.high)) for b in c.source.bindings]
    _code(c, part, adjoints, values, ranges, tape)
    for o in reversed(opened):
        tape.close_loop(o)
    tape.run()


def _recurrence_back(group: Group, derivative: Derivative, sweep: Backward, values: Values, ranges, seed_at: int, arithmetic: Arithmetic) -> None:
    codes = {}
    for e in group.equations:
        codes[e] = []
        for c in derivative.outgoing[e]:
            part = sweep.parts[c] = [0.0] * _size(c.box)
            tape = _tape(c, sweep.adjoints, values, ranges, dict(e.bindings), arithmetic)
            _code(c, part, sweep.adjoints, values, ranges, tape)
            codes[e].append((tape, [tape.index_register(b.index) for b in e.bindings]))
    for e, at in reversed(group.elements):
        here = dict(zip((b.index for b in e.bindings), at))
        element = tuple(Range(k, k) for k in (here[s.name] if type(s) is Index else int(s.value) for s in e.subs))
        settle(e.target, element, derivative, sweep, seed_at)
        for tape, registers in codes[e]:
            for register, k in zip(registers, at):
                tape.registers[register] = k
            tape.run()
