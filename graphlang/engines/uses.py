"""What the instructions of a listing read and write, for printers."""

from __future__ import annotations

from typing import Iterable

from graphlang.engines.listing import DISPATCH
from graphlang.engines.tape import ADD, CALL1, CALL2, CALLN, CHOOSE, ELEMENT, GATHER, KEEP, LOOP, PLACE, PLACED, READ, STORE, SUM


def used_once(ops: list[tuple]) -> set[int]:
    """Registers that are read by one instruction, which stands in the block that makes them; so what is read can be written there."""
    made: dict[int, int] = {}
    uses: dict[int, int] = {}
    here: dict[int, int] = {}
    work = [ops]
    while work:
        block = work.pop()
        for op in block:
            if op[0] in (CALL1, CALL2, CALLN, READ):
                made[op[1]] = id(block)
            for r in reads_of(op):
                uses[r] = uses.get(r, 0) + 1
                here[r] = id(block)
            if op[0] == LOOP:
                work.append(op[4])
            elif op[0] == DISPATCH:
                work += [inner for _, inner in op[2]]
    return {r for r, block in made.items() if uses.get(r) == 1 and here[r] == block}


def reads_of(op: tuple) -> Iterable[int]:
    """The registers that an instruction reads, each as often as it does."""
    kind = op[0]
    if kind in (CALL1, CALL2):
        return op[3:] if kind == CALL1 or op[2] != "^" else (op[3], op[3], op[4])  # a square writes its base twice
    if kind == CALLN:
        return op[3]
    if kind == READ:
        return [r for r, _ in op[4]]
    if kind == LOOP:
        return [r for end in (op[2], op[3]) for r, _ in end[1]]
    if kind in (SUM, KEEP):
        return [op[2]]
    if kind in (STORE, ADD):
        _, v, _, _, strides, gather, factor = op
        return [v, *(r for r, _ in strides), *(gather[0] if gather else ()), *([factor] if factor is not None else ())]
    if kind == CHOOSE:
        return [*op[2], *op[3]]
    if kind == GATHER:
        return op[3]
    if kind == ELEMENT:
        return [*op[3], *op[4], *op[5]]
    if kind == PLACE:
        return op[2]
    return op[4] if kind == PLACED else ()


def added_inside(ops: Iterable[tuple]) -> Iterable[str]:
    """The tables that loops add to."""
    work = [op[4] for op in ops if op[0] == LOOP] + [inner for op in ops if op[0] == DISPATCH for _, inner in op[2]]
    while work:
        for op in work.pop():
            if op[0] == LOOP:
                work.append(op[4])
            elif op[0] == ADD:
                yield op[2]
