"""A listing as Python source: plain floats, flat lists, the functions of `math` where they never disagree with ours."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Iterable

from graphlang.engines.listing import DISPATCH, UP, Listing, Slot
from graphlang.engines.python_calls import between, element, placed, put
from graphlang.engines.tape import (
    ADD, CALL1, CALL2, CALLN, CHOOSE, DOWN, ELEMENT, FINISH, GATHER, KEEP, LOAD, LOOP, PLACE, PLACED, PLACES, READ, START, STORE, SUM, SUM0,
)  # fmt: skip
from graphlang.engines.uses import added_inside, used_once
from graphlang.graph.functions import FUNCTIONS
from graphlang.graph.graph import Range
from graphlang.graph.reductions import REDUCTIONS

# Text of a call; what is not here is called by the name of its row. The fast form may raise where the row has a value (inf, nan): then
# the careful form, made of the rows alone, is run instead.
OPERATORS = {"+": "{0} + {1}", "-": "{0} - {1}", "*": "{0}*{1}", "neg": "-{0}", "where": "{1} if {0} else {2}",
             **{c: f"1.0 if {{0}} {c} {{1}} else 0.0" for c in ("<", "<=", ">", ">=", "==", "!=")}}
FAST = {"/": "{0}/{1}", **{f: f"{f}({{0}})" for f in ("sin", "cos", "tan", "exp", "log", "sqrt", "tanh", "atan", "sinh", "cosh", "asin", "acos", "log1p", "expm1", "erf", "asinh")}}
MATH = frozenset({"sin", "cos", "tan", "exp", "log", "sqrt", "tanh", "atan", "sinh", "cosh", "asin", "acos", "log1p", "expm1", "erf", "asinh"})
WORD = re.compile(r"[var]\d+|\d+\.\d+")
ATOM = re.compile(r"[\w.]+(?:\[[^\]]*\]|\([^()]*\))?")  # a name, a number, an element, a simple call
LONGEST = 60  # characters of a value that is written where it is read
BADLY = (ZeroDivisionError, OverflowError, ValueError)  # what the fast form raises where a value is not finite


class Writer:
    """Lines of source for one listing. `careful`: by the rows of functions alone."""

    def __init__(self, made: Listing, careful: bool):
        self.made, self.careful = made, careful
        self.lines: list[str] = []
        self.names: dict[int, str] = {}          # of registers that stand for something else: a constant, a scalar, an index
        self.used: dict[str, object] = {}        # what the source names beside itself
        self.begun: set[str] = set()             # scalar adjoints that have a value
        self.alias: dict[str, str] = {}          # scalars that are another one
        self.stores = Counter(op[2] for op in made.ops if op[0] in (STORE, ADD))
        self.stores.update(2 * [table for table in added_inside(made.ops)])
        self.once = used_once(made.ops)          # registers that are read once, in the block where they are made

    def line(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def r(self, register: int) -> str:
        value = self.made.tape.registers[register]
        if value is not None:
            return constant(value)
        return self.names.get(register, f"r{register}")

    def let(self, register: int, text: str, depth: int) -> None:
        """A value gets a name, or stands where it is read, if that is once."""
        if register in self.once and len(text) <= LONGEST:
            self.names[register] = text if ATOM.fullmatch(text) else f"({text})"
        else:
            self.line(depth, f"r{register} = {bare(text)}")

    # ---- instructions

    def block(self, ops: Iterable[tuple], depth: int, notes: dict[int, str] = {}) -> None:
        for k, op in enumerate(ops):
            if k in notes:
                self.line(depth, f"# {notes[k]}")
            self.op(op, depth)

    def op(self, op: tuple, depth: int) -> None:
        kind = op[0]
        if kind in (CALL1, CALL2, CALLN):
            args = op[3:] if kind != CALLN else op[3]
            self.let(op[1], self.call(op[2], list(map(self.r, args))), depth)
        elif kind == READ:
            _, d, table, base, strides = op
            if table in self.made.graph.consts:
                self.names[d] = constant(self.made.graph.consts[table])
                return
            slot = self.made.slots[table]
            if table == UP + self.made.goal and slot.scalar and not self.made.derivative.incoming.get(self.made.goal):
                self.names[d] = "1.0"
            elif slot.scalar:
                self.names[d] = self.alias.get(slot.name, slot.name)  # assigned before it is read
            else:
                self.let(d, f"{slot.name}[{self.linear(base, strides)}]", depth)
        elif kind == LOAD:
            self.names[op[1]] = self.names.get(op[2], f"r{op[2]}")
        elif kind in (LOOP, DOWN):
            _, register, low, high, inner = op
            self.names[register] = f"i{register}"
            ends = f"{self.linear(*low)}, {self.linear(high[0] + 1, high[1])}" if kind == LOOP else f"{self.linear(*high)}, {self.linear(low[0] - 1, low[1])}, -1"
            self.line(depth, f"for i{register} in range({ends}):")
            self.block(inner, depth + 1)
            if not inner:
                self.line(depth + 1, "pass")
        elif kind == SUM0:
            self.line(depth, f"r{op[1]} = 0.0")
        elif kind == SUM:
            self.line(depth, f"r{op[1]} += {bare(self.r(op[2]))}")
        elif kind == START:
            self.line(depth, f"r{op[1]} = []")
        elif kind == KEEP:
            self.line(depth, f"r{op[1]}.append({self.r(op[2])})")
        elif kind == FINISH:
            self.line(depth, f"r{op[1]} = {self.use('reduce_' + op[2], REDUCTIONS[op[2]].reference)}(r{op[1]})")
        elif kind in (STORE, ADD):
            self.store(op, depth)
        elif kind == GATHER:
            _, d, table, registers, ranges = op
            self.line(depth, f"r{d} = {self.use('element', element)}({self.made.slots[table].name}, {self.use_ranges(ranges)}, {self.tuple_of(registers)})")
        elif kind == CHOOSE:
            _, d, items, registers, shape = op
            self.line(depth, f"r{d} = {self.use('element', element)}({self.tuple_of(items)}, {self.use_ranges(shape)}, {self.tuple_of(registers)})")
        elif kind == ELEMENT:
            _, d, table, registers, lows, highs = op
            self.line(depth, f"r{d} = {self.use('between', between)}(r{table}, {self.tuple_of(registers)}, {self.tuple_of(lows)}, {self.tuple_of(highs)})")
        elif kind == PLACES:
            self.line(depth, f"r{op[1]} = {{}}")
        elif kind == PLACE:
            self.line(depth, f"r{op[1]}[{self.tuple_of(op[2])}] = len(r{op[1]})")
        elif kind == PLACED:
            _, d, table, places, registers = op
            self.line(depth, f"r{d} = {self.use('placed', placed)}(r{table}, r{places}, {self.tuple_of(registers)})")
        elif kind == DISPATCH:
            self.dispatch(op, depth)
        else:
            raise AssertionError(f"no such instruction: {kind}")

    def dispatch(self, op: tuple, depth: int) -> None:
        _, rows, branches = op
        width = max((len(b[0]) for b in branches), default=0)
        order = self.use(f"order{len(self.used)}", tuple((*row, *(0,) * (width + 1 - len(row))) for row in rows))
        at = [f"q{k}" for k in range(width)]
        self.line(depth, f"for {', '.join(['q', *at])}{',' if not at else ''} in {order}:")
        for k, (registers, inner) in enumerate(branches):
            self.line(depth + 1, f"{'if' if k == 0 else 'elif'} q == {k}:")
            self.names.update(zip(registers, at))
            self.block(inner, depth + 2)
            if not inner:
                self.line(depth + 2, "pass")

    def store(self, op: tuple, depth: int) -> None:
        kind, v, table, base, strides, gather, factor = op
        slot = self.made.slots[table]
        value = self.r(v) if factor is None else product(self.r(factor), self.r(v))
        if slot.scalar:
            first = kind == STORE or depth == 1 and slot.name not in self.begun
            self.begun.add(slot.name)
            if first and self.stores[table] == 1 and WORD.fullmatch(value):
                self.alias[slot.name] = value  # another name for what has one
                return
            self.line(depth, f"{slot.name} {'=' if first else '+='} {bare(value)}")
        elif gather is None:
            self.line(depth, f"{slot.name}[{self.linear(base, strides)}] {'=' if kind == STORE else '+='} {bare(value)}")
        else:
            registers, ranges = gather
            self.line(depth, f"{self.use('put', put)}({slot.name}, {self.use_ranges(ranges)}, {self.tuple_of(registers)}, {value}, {kind == ADD})")

    # ---- texts

    def call(self, name: str, args: list[str]) -> str:
        args = [f"({a})" if a.startswith("-") else a for a in args]
        if name.isidentifier() and name not in OPERATORS:
            args = list(map(bare, args))
        if name == "^" and args[1] in ("2.0", "3.0"):
            return "*".join([args[0]] * int(float(args[1])))
        template = OPERATORS.get(name) or (None if self.careful else FAST.get(name))
        if template is None:
            return f"{self.use(identifier(name), FUNCTIONS[name].reference)}({', '.join(args)})"
        if name in MATH:
            self.use(name, getattr(math, name))
        return template.format(*args)

    def linear(self, c: int, factors) -> str:
        parts = [f"{self.r(register)}" if k == 1 else f"{k}*{self.r(register)}" for register, k in factors]
        if c or not parts:
            parts.append(str(c))
        return " + ".join(parts).replace("+ -", "- ")

    def tuple_of(self, registers: Iterable[int]) -> str:
        parts = list(map(self.r, registers))
        return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"

    def use(self, name: str, what: object) -> str:
        self.used[name] = what
        return name

    def use_ranges(self, ranges: tuple[Range, ...]) -> str:
        return "(" + "".join(f"({r.low}, {r.high}), " for r in ranges) + ")"

    # ---- the function

    def function(self, name: str) -> str:
        made = self.made
        slots = made.slots
        self.line(0, f"def {name}({', '.join(slots[n].name for n in made.inputs)}):")
        shown = "; ".join(f"{slots[n].name} is {slots[n].author}" for n in made.inputs)
        if shown:
            self.line(1, f"# {shown}")
        for n, slot in slots.items():
            if n.startswith(UP):
                continue
            v = made.graph.variables[n]
            if not v.is_leaf and not slot.scalar:
                self.line(1, f"{slot.name} = {self.zeros(slot.size)}  # {slot.author}")
        plain = {op[2] for op in made.ops if op[0] == ADD}  # added to outside of all loops
        inner = set(added_inside(made.ops))
        for n, slot in slots.items():
            if n == UP + made.goal and slot.scalar and not (made.derivative.incoming.get(made.goal) or made.goal in made.wrt):
                continue  # 1, which is written out
            if n == UP + made.goal and slot.scalar:
                self.line(1, f"{slot.name} = 1.0  # {slot.author}")
                self.begun.add(slot.name)
            elif n.startswith(UP) and (not slot.scalar or n in inner or n not in plain):
                self.line(1, f"{slot.name} = {'0.0' if slot.scalar else self.zeros(slot.size)}  # {slot.author}")
                self.begun.add(slot.name)
        goal = slots.get(UP + made.goal)
        if goal is not None and not goal.scalar:
            self.line(1, f"{goal.name}[{made.seed}] = 1.0")
        self.block(made.ops, 1, {k: t for k, t in made.notes.items()})
        value = self.alias.get(slots[made.goal].name, slots[made.goal].name) if slots[made.goal].scalar else f"{slots[made.goal].name}[{made.seed}]" if made.derivative else slots[made.goal].name
        self.line(1, self.answer(value) if made.derivative is not None else f"return {value}")
        return "\n".join(self.lines) + "\n"

    def zeros(self, size: int) -> str:
        return f"[0.0]*{size}"

    def answer(self, value: str) -> str:
        gradients = ", ".join(f"{n!r}: {self.gradient(self.made.slots, n)}" for n in self.made.wrt)
        return f"return {value}, {{{gradients}}}"

    def gradient(self, slots: dict[str, Slot], n: str) -> str:
        name = slots[UP + n].name
        return self.alias.get(name, name)


def bare(text: str) -> str:
    """Without brackets around all of it."""
    if not text.startswith("(") or not text.endswith(")"):
        return text
    depth = 0
    for k, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if depth == 0 and k < len(text) - 1:
            return text
    return text[1:-1]


def product(a: str, b: str) -> str:
    return a if b == "1.0" else b if a == "1.0" else f"-{a}" if b == "-1.0" else f"{a}*{b}"


def constant(value: float) -> str:
    if math.isfinite(value):
        return repr(value)
    return f'float("{value}")'


def identifier(name: str) -> str:
    """The name of a row as one of Python's."""
    return {"/": "divide", "^": "power"}.get(name, f"{name}_" if not name.startswith("_") else name)
