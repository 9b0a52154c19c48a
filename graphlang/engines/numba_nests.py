"""Loops for machine code: of the sums and products that a program is made of, in an order in which memory is read from one element to the next.

A nest is `target[subs] (+)= value` for all its indices; those that are not in `subs` are summed over. All orders of the loops give the
same sum but for rounding. Numbers in here are strides, counted in elements.
"""

from __future__ import annotations

from typing import Iterable, Mapping, NamedTuple, Sequence

from graphlang.engines.tape import ADD, STORE, SUM, SUM0, Layout, Tape
from graphlang.graph.affine import affine, from_affine
from graphlang.graph.expressions import Bound, Call, Expr, Number, Pool, Read, Reduce, postorder
from graphlang.graph.graph import Box, Range
from graphlang.graph.substitute import substitute

FAR = 8           # what a read costs whose next element is elsewhere, where one beside the last costs 1
ROWS = 4          # sums that are added up side by side, so that what they share is read once
LONG = 8          # elements from which that pays
PLAIN = frozenset({"+", "-", "*", "neg"})  # cheaper than to keep the value


class Nest(NamedTuple):
    """`loops` from the outside in; `kind` is STORE or ADD, or another instruction with the same operands."""

    loops: tuple[Bound, ...]
    value: Expr
    table: str
    subs: tuple[Expr, ...]
    kind: int


def emit(tape: Tape, nest: Nest) -> None:
    loops, rows = arranged(nest, tape.ranges)
    of_target = [b for b in nest.loops if any(b.index in s.free for s in nest.subs)]
    if nest.kind == STORE and len(of_target) < len(loops):
        added = arranged(nest._replace(kind=ADD), tape.ranges)
        if added[1] == len(loops):  # products are added up in the target itself
            emit(tape, Nest(tuple(of_target), nest.value.pool.zero, nest.table, nest.subs, STORE))
            nest, (loops, rows) = nest._replace(kind=ADD), added
    inner = {b.index for b in loops[rows:]}
    value = factored(nest.value, [b.index for b in loops[:rows]], loops[rows:])
    if inner and rows and worth_it(nest, loops, rows):
        several(tape, nest, loops, rows)
        return
    opened = [tape.open_loop(b.index, b.low, b.high) for b in loops[:rows]]
    put(tape, nest.kind, tape.place(value), nest.table, nest.subs)
    for o in reversed(opened):
        tape.close_loop(o)


def put(tape: Tape, kind: int, register: int, table: str, subs: Sequence[Expr]) -> None:
    """The instruction that changes one element."""
    ranges = tape.ranges[table]
    at = Layout(ranges).offset(subs)
    block = tape.chain[-1]
    if at is not None:
        block.ops.append((kind, register, table, at[0], tuple((tape.index_register(n), k) for n, k in at[1]), None, None))
    else:
        block.ops.append((kind, register, table, 0, (), (tape.subscripts([tape.place(s) for s in subs], block), ranges), None))


# ---- the order of the loops


def arranged(nest: Nest, ranges: Mapping[str, Box]) -> tuple[tuple[Bound, ...], int]:
    """The loops in their best order, and how many there are around the sum."""
    of_target = frozenset().union(*(s.free for s in nest.subs)) if nest.subs else frozenset()
    outer = [b for b in nest.loops if b.index in of_target]
    summed = [b for b in nest.loops if b.index not in of_target]
    if any(b.free for b in nest.loops) or any(type(n) is Reduce for n in postorder(nest.value)):  # what is inside of it would be done again and again
        inside = summed[0].index if summed else None
        rows = next(k for k, b in enumerate(nest.loops) if b.index == inside) if summed else len(nest.loops)
        late = any(b.index in of_target for b in nest.loops[rows:])
        return nest.loops, len(nest.loops) if late else rows
    if len(nest.loops) < 2:
        return (*outer, *summed), len(outer)
    known = [n for n in postorder(nest.value) if type(n) is Read]
    costs = {}
    for b in nest.loops:
        written = stride(nest.table, nest.subs, b.index, ranges)
        costs[b.index] = sum(cost(stride(r.name, r.args, b.index, ranges)) for r in known) + 2 * cost(written)
    best = min(reversed((*outer, *summed)), key=lambda b: costs[b.index])
    if best.index in of_target and nest.kind == ADD:
        return (*(b for b in nest.loops if b is not best), best), len(nest.loops)  # each product is added to its element
    if best.index in of_target:
        return (*(b for b in outer if b is not best), best, *summed), len(outer)
    return (*outer, *(b for b in summed if b is not best), best), len(outer)


def stride(table: str, subs: Sequence[Expr], index: str, ranges: Mapping[str, Box]) -> int | None:
    """From one value of an index to the next; None where a subscript is read from a table."""
    if not any(index in s.free for s in subs):
        return 0
    at = Layout(ranges[table]).offset(subs)
    return None if at is None else dict(at[1]).get(index, 0)


def cost(step: int | None) -> int:
    return FAR if step is None or abs(step) > 1 else abs(step)


def one_each(nest: Nest) -> bool:
    """Whether each element of the target is met once: every index is a subscript by itself."""
    seen = set()
    for s in nest.subs:
        form = affine(s)
        if form is None or len(form[1]) > 1:
            return False
        for name, k in form[1].items():
            if name in seen or abs(k) != 1:
                return False
            seen.add(name)
    return seen == {b.index for b in nest.loops}


def reached(nest: Nest) -> Box:
    """The elements of the target, where `one_each`."""
    over = {b.index: extent(b) for b in nest.loops}
    box = []
    for s in nest.subs:
        c, factors = affine(s)
        ends = [c, c] if not factors else [c + k * e for n, k in factors.items() for e in over[n]]
        box.append(Range(min(ends), max(ends)))
    return tuple(box)


def extent(b: Bound) -> Range:
    return Range(int(b.low.value), int(b.high.value))


# ---- products


def factors(root: Expr) -> list[Expr]:
    """Of a product, signs in front."""
    out, work = [], [root]
    while work:
        node = work.pop()
        if type(node) is Call and node.function == "*":
            work += reversed(node.args)
        elif type(node) is Call and node.function == "neg" and (type(node.args[0]) is not Number):
            out.append(node.pool.number(-1.0))
            work.append(node.args[0])
        else:
            out.append(node)
    return out


def product(pool: Pool, parts: Iterable[Expr]) -> Expr:
    """Signs are taken off one another; no other number is worked out."""
    result, negative = None, False
    for f in parts:
        if type(f) is Number and f.value in (1.0, -1.0):
            negative ^= f.value < 0
        else:
            result = f if result is None else pool.call("*", result, f)
    result = pool.one if result is None else result
    return pool.neg(result) if negative else result


def factored(value: Expr, outer: Sequence[str], summed: Sequence[Bound]) -> Expr:
    """Factors that change least often come first, so that the product of those is taken in an outer loop, and those that do not depend on what is
    summed over stand before the sum."""
    pool, inner = value.pool, {b.index for b in summed}
    if not outer and not inner:
        return value
    depth = {n: k for k, n in enumerate((*outer, *(b.index for b in summed)), 1)}
    parts = sorted(factors(value), key=lambda f: max((depth.get(n, 0) for n in f.free), default=0))
    if not inner:
        return product(pool, parts)
    before, inside = [f for f in parts if f.free.isdisjoint(inner)], [f for f in parts if not f.free.isdisjoint(inner)]
    if any(b.free for b in summed) or not inside:
        return pool.reduce("sum", tuple(summed), product(pool, parts))
    signs = [f for f in before if type(f) is Number]
    before = [f for f in before if type(f) is not Number]
    total = pool.reduce("sum", tuple(summed), product(pool, inside))
    return product(pool, [*signs, *before, total])


def worth_keeping(value: Expr, loops: Sequence[Bound]) -> list[Expr]:
    """Groups of factors that do not change with all of the loops, where they take more than a read: as products."""
    own = {b.index for b in loops}
    groups: dict[frozenset[str], list[Expr]] = {}
    for f in factors(value):
        if type(f) is not Number:
            groups.setdefault(f.free & own, []).append(f)
    return [product(value.pool, g) for free, g in groups.items() if free < own and (len(g) > 1 or any(map(costly, g)))]


def costly(e: Expr) -> bool:
    """Whether it takes more than to read a kept value."""
    return any(type(n) is Reduce or type(n) is Call and n.function not in PLAIN for n in postorder(e))


# ---- sums side by side


def worth_it(nest: Nest, loops: Sequence[Bound], rows: int) -> bool:
    if any(b.free for b in loops):
        return False
    row, last = loops[rows - 1], loops[-1]
    nodes = list(postorder(nest.value))
    inner = {b.index for b in loops[rows:]}
    if any(f.free.isdisjoint(inner) for f in factors(nest.value) if type(f) is not Number):
        return False  # what stands before the sum
    return (extent(row).extent >= ROWS and extent(last).extent >= LONG and len(nodes) <= 16 and row.index in nest.value.free
            and not any(type(n) is Reduce or type(n) is Call and n.function not in PLAIN for n in nodes))  # fmt: skip


def several(tape: Tape, nest: Nest, loops: Sequence[Bound], rows: int) -> None:
    """ROWS elements of the target at a time, then what is left over."""
    pool, outer, row, summed = nest.value.pool, loops[: rows - 1], loops[rows - 1], loops[rows:]
    low, n = extent(row).low, extent(row).extent
    names = [b.index for b in (*outer, row)]
    opened = [tape.open_loop(b.index, b.low, b.high) for b in outer]
    block = f"{row.index}\0"  # no name of an author's
    opened.append(tape.open_loop(block, pool.zero, pool.number(n // ROWS - 1)))
    at = [{row.index: from_affine(pool, low + k, {block: ROWS})} for k in range(ROWS)]
    totals = [tape.new() for _ in at]
    tape.chain[-1].ops += [(SUM0, t) for t in totals]
    inner = [tape.open_loop(b.index, b.low, b.high) for b in summed]
    for t, here in zip(totals, at):
        tape.chain[-1].ops.append((SUM, t, tape.place(substitute(nest.value, here))))
    for o in reversed(inner):
        tape.close_loop(o)
    for t, here in zip(totals, at):
        put(tape, nest.kind, t, nest.table, tuple(substitute(s, here) for s in nest.subs))
    tape.close_loop(opened.pop())
    if n % ROWS:
        opened.append(tape.open_loop(row.index, pool.number(low + n - n % ROWS), row.high))
        put(tape, nest.kind, tape.place(factored(nest.value, names, summed)), nest.table, nest.subs)
        tape.close_loop(opened.pop())
    for o in reversed(opened):
        tape.close_loop(o)
