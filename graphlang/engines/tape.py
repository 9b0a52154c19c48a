"""Expressions as nested blocks of instructions for the reference engine and for balls.

Each node is placed in the outermost block in which all its indices have values, so nothing is computed again in a
loop that it does not depend on. Values live in one list of registers. No NumPy; no recursion on the depth of an
expression (only on the nesting of reductions, which is bounded when a program is read).
"""

from __future__ import annotations

import math
from typing import Callable, Iterable, Mapping, NamedTuple, Sequence

from graphlang.graph.coverage import interval
from graphlang.graph.affine import affine
from graphlang.graph.expressions import Bound, Call, Expr, Index, Number, Pick, Read, Reduce, operands, postorder
from graphlang.graph.functions import FUNCTIONS
from graphlang.graph.graph import Box, Range
from graphlang.graph.reductions import REDUCTIONS

MOST_STEPS = 400_000_000  # loop rounds of one equation; more would take the reference engine minutes

CALL1, CALL2, CALLN, LOAD, READ, GATHER, LOOP, START, KEEP, FINISH, SUM0, SUM, ELEMENT, CHOOSE, STORE, ADD, PLACES, PLACE, PLACED, DOWN = range(20)  # DOWN: a loop from its high end to its low one


class TooLarge(Exception):
    """An equation that would take more than MOST_STEPS rounds."""

    def __init__(self, steps: int):
        self.steps = steps


class Arithmetic(NamedTuple):
    """What the numbers are that a program is evaluated in. 0.0, 1.0 and indices are floats in every arithmetic: they are exact,
    and so are sums and products of them.

    functions, reductions: by name, their meaning; of a reduction the results for a list of elements. number: a number of
    the program (a float) as one. subscript: one as a float, nan where it is not known to be a whole number; None where
    they are floats.
    """

    functions: Mapping[str, Callable]
    reductions: Callable[[str], Callable]
    number: Callable[[float], object]
    subscript: Callable[[object], float] | None = None


FLOATS = Arithmetic({name: row.reference for name, row in FUNCTIONS.items()}, lambda name: REDUCTIONS[name].reference, float)


class Block:
    """Instructions that run each time the indices up to this one have new values."""

    __slots__ = ("ops", "bound", "known", "over", "part")

    def __init__(self, bound: frozenset[str], over: dict[str, Range], part: bool = False):
        self.ops: list[tuple] = []
        self.bound = bound          # indices that get their value in this very block
        self.known: dict = {}       # node → register
        self.over = over            # intervals of all indices in reach
        self.part = part            # of a block: what it computes from changing tables is not kept outside of it


class Layout(NamedTuple):
    """Where the elements of a table are in its flat list."""

    ranges: Box

    def offset(self, subs: Sequence[Expr]) -> tuple[int, list[tuple[str, int]]] | None:
        """Affine subscripts as a base and a stride for each index; None where one is not affine."""
        base, strides, step = 0, {}, 1
        for sub, r in zip(reversed(subs), reversed(self.ranges)):
            form = affine(sub)
            if form is None:
                return None
            base += step * (form[0] - r.low)
            for name, k in form[1].items():
                strides[name] = strides.get(name, 0) + step * k
            step *= r.extent
        return base, [(n, k) for n, k in strides.items() if k]


class Tape:
    """Code over the registers; `given` are indices that the caller sets (`index_register`)."""

    def __init__(self, tables: Mapping[str, list], ranges: Mapping[str, Box], given: Mapping[str, Range] = {}, arithmetic: Arithmetic = FLOATS):
        self.tables, self.ranges, self.arithmetic = tables, ranges, arithmetic
        self.registers: list = []
        root = Block(frozenset(given), dict(given))
        self.chain = [root]
        self.index: list[dict[str, int]] = [{n: self.new() for n in given}]
        self.steps = 1
        self.changing: frozenset[str] = frozenset()  # tables that are not what they will be: the reads of them stay in the part where they stand
        self.touched: dict[Expr, bool] = {}  # whether an expression reads one
        self.in_turn: set[int] = set()  # ids of the instructions of loops whose rounds need the ones before: the steps of recurrences

    def new(self, value=None) -> int:
        self.registers.append(value)
        return len(self.registers) - 1

    def index_register(self, name: str) -> int:
        for registers in reversed(self.index):
            if name in registers:
                return registers[name]
        raise AssertionError(f"index {name} has no value here")

    def block_for(self, free: frozenset[str], changing: bool = False) -> Block:
        if free or changing:
            for block in reversed(self.chain):
                if not block.bound.isdisjoint(free) or changing and block.part:
                    return block
        return self.chain[0]

    def home(self, node: Expr) -> Block:
        """The outermost block in which all that a node is made of has its value."""
        return self.block_for(node.free, bool(self.changing) and self.touches(node))

    def touches(self, root: Expr) -> bool:
        if root not in self.touched:
            for node in postorder(root):
                self.touched[node] = type(node) is Read and node.name in self.changing or any(self.touched[a] for a in operands(node))
        return self.touched[root]

    # ---- loops

    def open_loop(self, name: str, low: Expr, high: Expr) -> tuple:
        over = dict(self.chain[-1].over)
        r = interval(Bound(low.pool, name, low, high), over)
        over[name] = r
        self.steps *= max(1, r.extent)
        if self.steps > MOST_STEPS:
            raise TooLarge(self.steps)
        register = self.new()
        block = Block(frozenset((name,)), over)
        opened = (register, self.linear(low), self.linear(high), block, r.extent)
        self.chain.append(block)
        self.index.append({name: register})
        return opened

    def close_loop(self, opened: tuple, kind: int = LOOP) -> None:
        register, low, high, block, extent = opened
        self.chain.pop()
        self.index.pop()
        self.steps //= max(1, extent)
        self.chain[-1].ops.append((kind, register, low, high, block.ops))

    def open_part(self) -> None:
        """What follows is a part of the innermost block by itself: between `open_part` and `close_part` changing tables stay as they are."""
        self.chain.append(Block(frozenset(), self.chain[-1].over, True))
        self.index.append({})

    def close_part(self) -> None:
        block = self.chain.pop()
        self.index.pop()
        self.chain[-1].ops += block.ops

    def linear(self, e: Expr) -> tuple[int, tuple[tuple[int, int], ...]]:
        c, factors = affine(e)
        return c, tuple((self.index_register(n), k) for n, k in factors.items())

    # ---- expressions

    def place(self, root: Expr) -> int:
        """The register that holds the value of an expression in the innermost open block."""
        if root.plain and not self.changing:
            return self.place_plain(root)
        stack: list[tuple[Expr, bool]] = [(root, False)]
        while stack:
            node, ready = stack.pop()
            block = self.home(node)
            if node in block.known:
                continue
            kind = type(node)
            if kind is Number:
                block.known[node] = self.new(self.arithmetic.number(node.value))
            elif kind is Index:
                block.known[node] = self.new()
                block.ops.append((LOAD, block.known[node], self.index_register(node.name)))
            elif kind is Reduce:
                self.place_reduction(node, block)
            elif kind is Read and (not node.args or (at := Layout(self.ranges[node.name]).offset(node.args)) is not None):
                base, strides = at if node.args else (0, ())
                d = block.known[node] = self.new()
                block.ops.append((READ, d, self.tables[node.name], base, tuple((self.index_register(n), k) for n, k in strides)))
            elif not ready:
                stack.append((node, True))
                stack.extend((a, False) for a in reversed(operands(node)))
            else:
                self.emit(node, block)
        return self.home(root).known[root]

    def place_plain(self, root: Expr) -> int:
        """The same for scalars alone, all of which are outside of the loops: large programs are made of them."""
        known, ops, registers = self.chain[0].known, self.chain[0].ops, self.registers
        if root in known:
            return known[root]
        stack = [root]
        while stack:
            node = stack[-1]
            if node in known:
                stack.pop()
                continue
            args = node.args
            if waiting := [a for a in args if a not in known]:
                stack.extend(reversed(waiting))
                continue
            stack.pop()
            d = known[node] = len(registers)
            if type(node) is Number:
                registers.append(self.arithmetic.number(node.value))
                continue
            registers.append(None)
            if type(node) is Read:
                ops.append((READ, d, self.tables[node.name], 0, ()))
                continue
            f = self.arithmetic.functions[node.function]
            if len(args) == 2:
                ops.append((CALL2, d, f, known[args[0]], known[args[1]]))
            elif len(args) == 1:
                ops.append((CALL1, d, f, known[args[0]]))
            else:
                ops.append((CALLN, d, f, tuple([known[a] for a in args])))
        return known[root]

    def register(self, node: Expr) -> int:
        return (self.home(node) if node.free or self.changing else self.chain[0]).known[node]

    def subscripts(self, registers: Iterable[int], block: Block) -> tuple[int, ...]:
        """Registers with the same values as floats, for `position`."""
        whole = self.arithmetic.subscript
        if whole is None:
            return tuple(registers)
        out = []
        for register in registers:
            out.append(self.new())
            block.ops.append((CALL1, out[-1], whole, register))
        return tuple(out)

    def emit(self, node: Expr, block: Block) -> None:
        d = block.known[node] = self.new()
        if type(node) is Call:
            f, registers = self.arithmetic.functions[node.function], tuple(map(self.register, node.args))
            block.ops.append((CALL1, d, f, *registers) if len(registers) == 1 else
                             (CALL2, d, f, *registers) if len(registers) == 2 else (CALLN, d, f, registers))
        elif type(node) is Read:
            ranges = self.ranges[node.name]
            block.ops.append((GATHER, d, self.tables[node.name], self.subscripts(map(self.register, node.args), block), ranges))
        elif type(node) is Pick:
            shape = tuple(Range(1, n) for n in node.shape)
            block.ops.append((CHOOSE, d, tuple(map(self.register, node.items)), self.subscripts(map(self.register, node.at), block), shape))
        else:
            raise AssertionError(node)

    def place_reduction(self, node: Reduce, block: Block) -> None:
        """The loop goes where the reduction's own operands have values; a table-valued result is computed once for
        all of its elements."""
        rule = REDUCTIONS[node.function]
        own = {b.index for b in node.binders}
        ragged = rule.table and rule.over is None and any(not b.free.isdisjoint(own) for b in node.binders)
        key = (node.function, node.binders, node.body)
        free = node.body.free
        for b in reversed(node.binders):
            free = (free - {b.index}) | b.free
        home = self.block_for(free, bool(self.changing) and self.touches(node))
        depth = self.chain.index(home)
        if key not in home.known:
            chain, index, steps = self.chain, self.index, self.steps
            self.chain, self.index = chain[: depth + 1], index[: depth + 1]
            self.steps = math.prod(max(1, b.over[n].extent) for b in self.chain[1:] for n in b.bound)  # of the loops that stay around it
            simple = node.function == "sum"
            d = self.new()
            home.ops.append((SUM0, d) if simple else (START, d))
            if ragged:  # where each element is in the list of values
                places = home.known[(PLACES, key)] = self.new()
                home.ops.append((PLACES, places))
            opened = []
            for b in node.binders:
                opened.append(self.open_loop(b.index, b.low, b.high))
            value = self.place(node.body)
            if ragged:
                self.chain[-1].ops.append((PLACE, places, tuple(self.index_register(b.index) for b in node.binders)))
            self.chain[-1].ops.append((SUM if simple else KEEP, d, value))
            for o in reversed(opened):
                self.close_loop(o)
            if not simple:
                home.ops.append((FINISH, d, self.arithmetic.reductions(node.function)))
            home.known[key] = d
            self.chain, self.index, self.steps = chain, index, steps
        d = home.known[key]
        if not rule.table:
            block.known[node] = d
            return
        registers = self.subscripts([self.place(s) for s in node.at], block)
        if ragged:
            block.known[node] = self.new()
            block.ops.append((PLACED, block.known[node], d, home.known[(PLACES, key)], registers))
            return
        over = node.binders if rule.over is None else rule.over(node)
        lows = self.subscripts([self.place(b.low) for b in over], block)
        highs = self.subscripts([self.place(b.high) for b in over], block)
        block.known[node] = self.new()
        block.ops.append((ELEMENT, block.known[node], d, registers, lows, highs))

    # ---- results

    def store(self, kind: int, value: Expr, table: list, ranges: Box, subs: Sequence[Expr], factor: int | None = None) -> None:
        """At the innermost block: put the value into (or add it to) an element of a table."""
        v = self.place(value)
        at = Layout(ranges).offset(subs) if subs else (0, ())
        if at is not None:
            base, strides = at
            self.chain[-1].ops.append((kind, v, table, base, tuple((self.index_register(n), k) for n, k in strides), None, factor))
        else:
            registers = self.subscripts([self.place(s) for s in subs], self.chain[-1])
            self.chain[-1].ops.append((kind, v, table, 0, (), (registers, ranges), factor))

    def run(self) -> None:
        run(self.chain[0].ops, self.registers)


def position(registers: Sequence[int], ranges: Box, r: list) -> int:
    """The flat offset of an element whose subscripts are values; -1 where there is no such element."""
    offset = 0
    for register, over in zip(registers, ranges):
        value = r[register]
        if not (over.low <= value <= over.high) or value != int(value):
            return -1
        offset = offset * over.extent + int(value) - over.low
    return offset


def run(ops: list[tuple], r: list) -> None:
    for op in ops:
        kind = op[0]
        if kind == CALL2:
            r[op[1]] = op[2](r[op[3]], r[op[4]])
        elif kind == READ:
            at = op[3]
            for register, k in op[4]:
                at += k * r[register]
            r[op[1]] = op[2][at]
        elif kind == SUM:
            r[op[1]] += r[op[2]]
        elif kind == CALL1:
            r[op[1]] = op[2](r[op[3]])
        elif kind == LOOP or kind == DOWN:
            _, register, (low, fl), (high, fh), inner = op
            for i, k in fl:
                low += k * r[i]
            for i, k in fh:
                high += k * r[i]
            for value in range(low, high + 1) if kind == LOOP else range(high, low - 1, -1):
                r[register] = value
                run(inner, r)
        elif kind == STORE or kind == ADD:
            _, v, table, at, strides, gather, factor = op
            if gather is None:
                for register, k in strides:
                    at += k * r[register]
            else:
                at = position(*gather, r)
                if at < 0:
                    continue
            value = r[v] if factor is None else r[factor] * r[v]
            if kind == STORE:
                table[at] = value
            else:
                table[at] += value
        elif kind == LOAD:
            r[op[1]] = float(r[op[2]])
        elif kind == CALLN:
            r[op[1]] = op[2](*[r[a] for a in op[3]])
        elif kind == SUM0:
            r[op[1]] = 0.0
        elif kind == START:
            r[op[1]] = []
        elif kind == KEEP:
            r[op[1]].append(r[op[2]])
        elif kind == FINISH:
            r[op[1]] = op[2](r[op[1]]) if r[op[1]] else op[2]([])
        elif kind == GATHER:
            at = position(op[3], op[4], r)
            r[op[1]] = op[2][at] if at >= 0 else math.nan
        elif kind == CHOOSE:
            at = position(op[3], op[4], r)
            r[op[1]] = r[op[2][at]] if at >= 0 else math.nan
        elif kind == PLACES:
            r[op[1]] = {}
        elif kind == PLACE:
            places = r[op[1]]
            places[tuple([r[a] for a in op[2]])] = len(places)
        elif kind == PLACED:
            at = r[op[3]].get(tuple([r[a] for a in op[4]]), -1)
            r[op[1]] = r[op[2]][at] if at >= 0 else math.nan
        elif kind == ELEMENT:
            _, d, table, registers, lows, highs = op
            ranges = [Range(int(r[a]), int(r[b])) for a, b in zip(lows, highs)]
            at = position(registers, ranges, r)
            r[d] = r[table][at] if at >= 0 else math.nan
