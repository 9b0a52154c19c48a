"""What the instructions of a listing read and write, for printers."""

from __future__ import annotations

from typing import Iterable, Mapping

from graphlang.engines.listing import DISPATCH
from graphlang.engines.tape import ADD, CALL1, CALL2, CALLN, CHOOSE, DOWN, ELEMENT, GATHER, KEEP, LOOP, PLACE, PLACED, READ, START, STORE, SUM

UPDATE = 101  # an instruction like STORE and ADD, of training: the value is the gradient of an element, which is changed by it


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
            if op[0] in (LOOP, DOWN):
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
    if kind in (LOOP, DOWN):
        return [r for end in (op[2], op[3]) for r, _ in end[1]]
    if kind in (SUM, KEEP):
        return [op[2]]
    if kind in (STORE, ADD, UPDATE):
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
    work = [op[4] for op in ops if op[0] in (LOOP, DOWN)] + [inner for op in ops if op[0] == DISPATCH for _, inner in op[2]]
    while work:
        for op in work.pop():
            if op[0] in (LOOP, DOWN):
                work.append(op[4])
            elif op[0] == ADD:
                yield op[2]


def kept_by(ops: Iterable[tuple]) -> dict[int, tuple[int, int]]:
    """How many values each list of a reduction has, at least and at most: from the ranges of the indices around."""
    found: dict[int, tuple[int, int]] = {}
    start: dict[int, tuple[int, int]] = {}  # the rounds until it is begun

    def walk(ops: Iterable[tuple], over: Mapping[int, tuple[int, int]], few: int, many: int) -> None:
        """Goes as deep as loops are nested, which is bounded. `few`, `many`: how often this block is run, at least and at most."""
        for op in ops:
            if op[0] == START:
                found[op[1]], start[op[1]] = (0, 0), (max(1, few), max(1, many))
            elif op[0] == KEEP:
                (least, most), (a, b) = found[op[1]], start[op[1]]
                found[op[1]] = (least + few // a, most + many // b)
            elif op[0] in (LOOP, DOWN):
                low, high = ends(op[2], over), ends(op[3], over)
                rounds = max(0, high[0] - low[1] + 1), max(0, high[1] - low[0] + 1)
                walk(op[4], {**over, op[1]: (low[0], max(low[0], high[1]))}, few * rounds[0], many * rounds[1])
            elif op[0] == DISPATCH:
                for k, (registers, inner) in enumerate(op[2]):
                    rows = [row for row in op[1] if row[0] == k] or [(k, *[0] * len(registers))]
                    walk(inner, {**over, **{r: (min(row[j] for row in rows), max(row[j] for row in rows)) for j, r in enumerate(registers, 1)}}, few, many)

    walk(ops, {}, 1, 1)
    return found


def ends(form: tuple, over: Mapping[int, tuple[int, int]]) -> tuple[int, int]:
    """The least and the greatest value of an affine form of indices."""
    low = high = form[0]
    for register, k in form[1]:
        a, b = sorted((k * over[register][0], k * over[register][1]))
        low, high = low + a, high + b
    return low, high
