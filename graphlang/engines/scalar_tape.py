"""Large scalar programs: the listing as arrays of numbers, run by one loop that Numba has compiled once for all programs.

Straight-line code of 10^5 equations would take minutes to compile. Here an instruction is a kind and the places of its result and operands;
instructions of one kind that are ready together stand together, so that the loop seldom changes its kind.
"""

from __future__ import annotations

from typing import Callable, NamedTuple

from graphlang.engines.listing import UP, Listing
from graphlang.engines.numba_source import Calls
from graphlang.engines.tape import ADD, CALL1, CALL2, CALLN, READ, STORE
from graphlang.engines.unsupported import Unsupported
from graphlang.graph.functions import FUNCTIONS

LEAST = 1500   # instructions from which a program is run this way: below, straight-line code is faster and compiled soon
MULTIPLY_ADD, COPY_ADD, COPY = "multiply-add", "copy-add", "copy"


class Instruction(NamedTuple):
    kind: str
    to: int
    a: int
    b: int
    c: int


class Places:
    """Where each value lives: constants first come first, one place for each value."""

    def __init__(self) -> None:
        self.values: list[float] = []
        self.constants: dict[tuple, int] = {}

    def new(self, value: float = 0.0) -> int:
        self.values.append(value)
        return len(self.values) - 1

    def constant(self, value: float) -> int:
        key = (value, str(value))  # 0.0 is not -0.0
        if key not in self.constants:
            self.constants[key] = self.new(value)
        return self.constants[key]


class Flat(NamedTuple):
    """A listing without names: instructions in order, the start of all places, and where inputs, the value and the gradient are."""

    instructions: list[Instruction]
    start: list[float]
    inputs: list[int]
    value: int
    gradient: list[int]


def suits(made: Listing) -> bool:
    """Whether a listing is large, and of scalars only."""
    return len(made.ops) >= LEAST and all(s.scalar for s in made.slots.values()) and all(op[0] in (CALL1, CALL2, CALLN, READ, STORE, ADD) for op in made.ops)


def flatten(made: Listing) -> Flat:
    places, at, slot = Places(), {}, {}
    registers, out = made.tape.registers, []
    consts = made.graph.consts

    def place(register: int) -> int:
        value = registers[register]
        return at[register] if value is None else places.constant(value)

    inputs = [slot.setdefault(n, places.new()) for n in made.inputs]
    slot[UP + made.goal] = places.constant(1.0)
    one = places.constant(1.0)
    begun = set()
    if made.derivative is not None and made.derivative.incoming.get(made.goal):
        slot[UP + made.goal] = places.new(1.0)
        begun.add(UP + made.goal)
    for op in made.ops:
        kind = op[0]
        if kind == READ:
            at[op[1]] = slot[op[2]] if op[2] in slot else places.constant(consts[op[2]]) if op[2] in consts else slot.setdefault(op[2], places.new())
        elif kind == CALL2 and op[2] == "^" and registers[op[4]] == 2.0:  # a power takes ten times as long
            at[op[1]] = places.new()
            out.append(Instruction("*", at[op[1]], place(op[3]), place(op[3]), 0))
        elif kind in (CALL1, CALL2):
            at[op[1]] = places.new()
            out.append(Instruction(op[2], at[op[1]], place(op[3]), place(op[4]) if kind == CALL2 else 0, 0))
        elif kind == CALLN:
            at[op[1]] = places.new()
            a, b, c = (*map(place, op[3]), 0, 0)[:3]
            out.append(Instruction(op[2], at[op[1]], a, b, c))
        elif kind == STORE:
            slot[op[2]] = place(op[1])  # another name for the place
        else:
            _, v, table, _, _, _, factor = op
            to = slot.setdefault(table, places.new()) if table not in slot else slot[table]
            f, x = place(factor), place(v)
            if x == one or f == one:
                out.append(Instruction(COPY_ADD if table in begun else COPY, to, f if x == one else x, 0, 0))
            else:
                out.append(Instruction(MULTIPLY_ADD if table in begun else "*", to, f, x, 0))
            begun.add(table)
    return Flat(out, places.values, inputs, slot[made.goal], [slot.get(UP + n, places.constant(0.0)) for n in made.wrt])


def grouped(flat: Flat) -> tuple[list[int], list[tuple[str, int, int]]]:
    """The order in which instructions run, and the stretches of one kind: (kind, start, end). Additions to one place keep their order."""
    n = len(flat.instructions)
    waits, readers = [0] * n, [[] for _ in range(n)]
    writer: dict[int, int] = {}
    for k, i in enumerate(flat.instructions):
        wanted = {writer[p] for p in (i.a, i.b, i.c) if p in writer}
        if i.to in writer:
            wanted.add(writer[i.to])
        for j in wanted:
            readers[j].append(k)
        waits[k] = len(wanted)
        writer[i.to] = k
    ready: dict[str, list[int]] = {}
    for k in range(n):
        if not waits[k]:
            ready.setdefault(flat.instructions[k].kind, []).append(k)
    order, runs = [], []
    while ready:
        kind = max(ready, key=lambda name: (len(ready[name]), name))
        run = ready.pop(kind)
        start = len(order)
        for k in run:  # grows: what becomes ready on the way and is of this kind goes along
            for j in readers[k]:
                waits[j] -= 1
                if not waits[j]:
                    own = flat.instructions[j].kind
                    (run if own == kind else ready.setdefault(own, [])).append(j)
        order += run
        runs.append((kind, start, len(order)))
    return order, runs


def build(made: Listing) -> tuple[Callable, str]:
    """The function of a large scalar listing, and a text that says what it runs."""
    import numpy

    flat = flatten(made)
    order, runs = grouped(flat)
    loop, codes = machine()
    unknown = {kind for kind, _, _ in runs} - codes.keys()
    if unknown:
        raise Unsupported(", ".join(sorted(unknown)))
    columns = numpy.array([flat.instructions[k][1:] for k in order], dtype=numpy.int32).reshape(len(order), 4)
    to, a, b, c = (numpy.ascontiguousarray(columns[:, k]) for k in range(4))
    kinds = numpy.array([codes[kind] for kind, _, _ in runs], dtype=numpy.int32)
    ends = numpy.array([end for _, _, end in runs], dtype=numpy.int32)
    start, inputs = numpy.array(flat.start), numpy.array(flat.inputs, dtype=numpy.int64)
    gradient, room = numpy.array(flat.gradient, dtype=numpy.int64), numpy.empty(len(flat.start))

    def run(*leaves: float):
        room[:] = start
        room[inputs] = leaves
        loop(room, kinds, ends, to, a, b, c)
        return (room[flat.value], *room[gradient])

    about = (f"# {made.goal} and its gradient by {', '.join(made.wrt)}: {len(order):,} instructions in {len(runs):,} stretches of one kind, run by one compiled loop.\n"
             + "".join(f"# {kind}: {sum(e - s for k, s, e in runs if k == kind):,}\n" for kind in sorted({k for k, _, _ in runs})))
    return run, about


def machine() -> tuple[Callable, dict[str, int]]:
    """The loop, and the number of each kind that it has. It is the same for all programs, and compiled once."""
    from graphlang.engines.numba_engine import load

    calls = Calls()
    texts = {name: calls.text(name, [f"r[{x}[k]]" for x in "abc"[: row.arity[1]]]) for name, row in FUNCTIONS.items()}
    bodies = {name: f"r[to[k]] = {text}" for name, text in texts.items() if text is not None}
    bodies |= {MULTIPLY_ADD: "r[to[k]] += r[a[k]]*r[b[k]]", COPY_ADD: "r[to[k]] += r[a[k]]", COPY: "r[to[k]] = r[a[k]]"}
    codes = {name: k for k, name in enumerate(bodies)}
    lines = ["def loop(r, kinds, ends, to, a, b, c):", "    at = 0", "    for n in range(len(kinds)):", "        kind, end = kinds[n], ends[n]"]
    for name, k in codes.items():
        lines += [f"        {'if' if k == 0 else 'elif'} kind == {k}:  # {name}", "            for k in range(at, end):", f"                {bodies[name]}"]
    lines += ["        at = end"]
    head = [f"from math import {', '.join(sorted(calls.imports))}", f"from graphlang.engines.numba_functions import {', '.join(sorted({'fast', *calls.own}))}", "", "", "@fast"]
    return load("\n".join([*head, *lines, ""])).loop, codes
