"""A program and the backward pass of its goal as one list of instructions, for the engines that print source code.

The instructions are those of the reference engine's tape (tape.py), with names in the place of lists and functions: scalars
are names of their own, tables are flat and row-major. What the reference engine keeps for the trace (each contribution by itself) is
added up here at once: adjoints are accumulated in place, in the same order of equations and contributions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Iterable, Mapping, NamedTuple, Sequence

from graphlang.derive.reverse import Derivative
from graphlang.engines.reference import offset_of
from graphlang.engines.tape import ADD, DOWN, LOOP, STORE, Arithmetic, Block, Tape
from graphlang.graph.affine import from_affine
from graphlang.graph.expressions import Expr, Pool
from graphlang.graph.functions import FUNCTIONS
from graphlang.graph.graph import Equation, Graph, Range, ancestors
from graphlang.graph.order import Group, forward_order, plan
from graphlang.graph.schedule import Item, Step
from graphlang.graph.substitute import substitute

DISPATCH = 100  # an instruction beside those of tape.py: (DISPATCH, rows of (which branch, *indices), branches of (index registers, ops))
UP = "\0"  # before a variable's name: its adjoint

NAMES = Arithmetic({name: name for name in FUNCTIONS}, lambda name: name, float)


class Slot(NamedTuple):
    """Where a variable or an adjoint lives: the name in the source, its size, and the author's name beside it."""

    name: str
    size: int
    scalar: bool
    author: str


@dataclass(eq=False)
class Listing:
    """`ops` over `registers` (a constant, or None); `slots` by variable, adjoints under `UP + name`. `inputs`: the leaves that are
    given at each call; `made`: slots that the code itself must make, and their start (the seed of the goal is 1)."""

    graph: Graph
    derivative: Derivative | None
    tape: Tape
    slots: dict[str, Slot]
    inputs: tuple[str, ...]
    wrt: tuple[str, ...]
    goal: str
    seed: int = 0
    notes: dict[int, str] = field(default_factory=dict)  # before which instruction of the root block which remark stands

    @property
    def ops(self) -> list[tuple]:
        return self.tape.chain[0].ops


def listing(graph: Graph, derivative: Derivative | None, goal: str, wrt: Iterable[str], inputs: Iterable[str]) -> Listing:
    """The instructions for the value of a goal and, with a derivative, its gradient by `wrt`."""
    wrt = tuple(wrt)
    needed = ancestors(graph, {goal})
    slots: dict[str, Slot] = {}
    for n, v in graph.variables.items():
        if v.role != "const" and (n in needed or n in inputs):
            slots[n] = Slot(f"v{len(slots)}", v.size, not v.ranges, n)
    live = leading(derivative, set(wrt)) if derivative is not None else set()
    for n in derivative.variables if derivative is not None else ():
        if n in live:
            v = graph.variables[n]
            slots[UP + n] = Slot(f"a{len(slots)}", v.size, not v.ranges, f"d{goal}/d{n}")
    ranges = {n: v.ranges for n, v in graph.variables.items()}
    both = {**ranges, **{UP + n: r for n, r in ranges.items()}}
    tape = Tape({n: n for n in both}, both, {}, NAMES)
    made = Listing(graph, derivative, tape, slots, tuple(inputs), wrt, goal)
    order = plan(graph)
    for group in forward_order(order, goal):
        if any(e.target in needed for e in group.equations):
            note(made, ", ".join(dict.fromkeys(e.target for e in group.equations)))
            each(tape, group, lambda e, put: tape.store(STORE, there(e.value, put), e.target, ranges[e.target], [there(s, put) for s in e.subs]))
    if derivative is not None:
        at = derivative.goal.element
        made.seed = 0 if at is None else offset_of([graph.pool.number(k) for k in at], ranges[goal], {})
        backward(made, live, both)
    return made


def note(made: Listing, text: str) -> None:
    made.notes.setdefault(len(made.ops), text)


def leading(derivative: Derivative, wrt: set[str]) -> set[str]:
    """The variables whose adjoints are needed: those on the way from some to the goal."""
    seen, todo = set(wrt), list(wrt)
    while todo:
        for c in derivative.incoming.get(todo.pop(), ()):
            if c.source.target not in seen:
                seen.add(c.source.target)
                todo.append(c.source.target)
    return seen


def backward(made: Listing, live: set[str], ranges: Mapping) -> None:
    tape, derivative = made.tape, made.derivative
    for group in derivative.order:
        if not any(c.variable in live for e in group.equations for c in derivative.outgoing[e]):
            continue
        note(made, ", ".join(f"d{made.goal}/d… from {e.target}" for e in group.equations[:1]))
        each(tape, group, lambda e, put: spread(made, e, put, live, ranges), backward=True)


def spread(made: Listing, e: Equation, put: Put, live: set[str], ranges: Mapping) -> None:
    """What one equation adds to the adjoints of what it reads, in the block of its indices."""
    tape, pool = made.tape, e.value.pool
    for c in made.derivative.outgoing[e]:
        if c.variable not in live:
            continue
        factor = tape.place(pool.read(UP + e.target, tuple(there(s, put) for s in e.subs)))
        opened = [tape.open_loop(b.index, there(b.low, put), there(b.high, put)) for b in c.loops]
        tape.store(ADD, there(c.computed, put), UP + c.variable, ranges[c.variable], [there(s, put) for s in c.read.args], factor)
        for o in reversed(opened):
            tape.close_loop(o)


# ---- the elements of equations

Put = Mapping[str, Expr]  # what stands for some of the indices of an equation
Body = Callable[[Equation, Put], None]


def there(e: Expr, put: Put) -> Expr:
    return substitute(e, put) if put else e


def each(tape: Tape, group: Group, body: Body, backward: bool = False) -> None:
    """The code of each equation for all of its elements, each after those that it reads; backward the other way."""
    if not group.recurrent:
        (e,) = group.equations
        over(tape, e, dict(e.bindings), {}, body)
        return
    for e in () if backward else group.equations:
        if not e.subs:  # a branch of `where` that is not taken may read it before it has a value
            tape.store(STORE, e.value.pool.zero, e.target, (), ())
    if group.schedule is None:
        dispatch(tape, group, reversed(group.elements) if backward else group.elements, body)
        return
    tape.changing = frozenset(UP + e.target if backward else e.target for e in group.equations)
    items(tape, group.graph.pool, group.schedule, body, backward)
    tape.changing = frozenset()
    tape.touched.clear()


def over(tape: Tape, e: Equation, ranges: Mapping[str, Range], put: Put, body: Body) -> None:
    """In loops over some of the indices of an equation."""
    number = e.value.pool.number
    opened = [tape.open_loop(n, number(r.low), number(r.high)) for n, r in ranges.items()]
    body(e, put)
    for o in reversed(opened):
        tape.close_loop(o)


def items(tape: Tape, pool: Pool, found: Sequence[Item], body: Body, backward: bool) -> None:
    """The loops and steps of a schedule. The index of a loop stands for the bindings that go with it."""
    for item in reversed(found) if backward else found:
        if type(item) is Step:
            put = {n: from_affine(pool, t.plus, {t.loop: 1}) for n, t in item.at.items()}
            put |= {n: pool.number(r.low) for n, r in item.over.items() if r.extent == 1}
            tape.open_part()
            over(tape, item.equation, {n: r for n, r in item.over.items() if r.extent > 1}, put, body)
            tape.close_part()
        else:
            opened = tape.open_loop(item.index, pool.number(item.low), pool.number(item.high))
            items(tape, pool, item.body, body, backward)
            tape.in_turn.add(id(tape.chain[-1].ops))
            tape.close_loop(opened, LOOP if (item.step == 1) != backward else DOWN)


def dispatch(tape: Tape, group: Group, elements: Iterable[tuple], body: Body) -> None:
    """A recurrence that has no schedule: its elements one by one in their order, each by the code of its equation."""
    chain, index, branches = tape.chain, tape.index, []
    for e in group.equations:
        registers = {b.index: tape.new() for b in e.bindings}
        block = Block(frozenset(registers), dict(e.bindings))
        tape.chain, tape.index = [block], [registers]  # nothing is computed once for all elements: what is read may not be there yet
        body(e, {})
        branches.append((tuple(registers.values()), block.ops))
    tape.chain, tape.index = chain, index
    number = {e: k for k, e in enumerate(group.equations)}
    tape.chain[-1].ops.append((DISPATCH, tuple((number[e], *at) for e, at in elements), tuple(branches)))
