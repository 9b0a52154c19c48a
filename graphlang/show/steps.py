"""A run as two numbered lists in the order of evaluation: what was computed, then what was added to what."""

from __future__ import annotations

from itertools import islice
from typing import Any, Callable, Iterable, Iterator, NamedTuple, Sequence

from graphlang.derive.reverse import pieces
from graphlang.show.console import Line, breadth, pad
from graphlang.show.layout import Cell, lay, line_width, wrap, WIDE
from graphlang.show.summary import is_shown

INDENT = 6
BLOCK = 40


class Steps(NamedTuple):
    """A numbered list: its items, the cells that are made of each, and how a block of cells is laid out. `sums`: the cells are
    those of `sums`, whose `locals` are right sides."""

    title: str
    items: Sequence
    cells: Callable[[Any], Iterable[Cell]]
    write: Callable
    sums: bool = False


def show_steps(sheet) -> None:
    """Forward, then backward in version A or B."""
    for part in lists(sheet):
        sheet.title(part.title, min(sheet.width, 78))
        numbered(sheet, part)


def lists(sheet) -> Iterator[Steps]:
    from graphlang.show.tables import file_name

    yield Steps(f"forward (topological order), {file_name(sheet.run.graph)}", sheet.run.order, lambda e: [sheet.forward(e)], forward_lines)
    if sheet.p is None:
        return
    if sheet.options.mode == "A":
        names = [n for n in sheet.p.derivative.variables if is_shown(sheet.run, n)]
        yield Steps("backward, version A: one visit per variable, sum over the nodes that use it", names, lambda n: sums(sheet, n), sum_lines, True)
    else:
        order = [None, *(c for g in sheet.p.derivative.order for e in g.equations for c in sheet.paid(e))]
        yield Steps("backward, version B: one visit per node, which adds to each variable that it uses", order,
                    lambda c: [sheet.seed() if c is None else sheet.contribution(c)], increment_lines)


def shown_parts(sheet, count: int) -> list[range]:
    """Which of a list are shown: all, or of a long one the first and the last."""
    from graphlang.show.tables import ENDS, MOST_ROWS

    return [range(count)] if sheet.options.all or count <= MOST_ROWS else [range(ENDS), range(count - ENDS, count)]


def numbered(sheet, steps: Steps) -> None:
    """Items by their numbers, in blocks that share their columns; the middle of a long list is left out."""
    count = len(steps.items)
    parts = shown_parts(sheet, count)
    n = 0
    for which, part in enumerate(parts):
        if which:
            sheet.gap(part[0] - len(parts[0]), count, "steps")
            n = part[0]
        stream = (cell for k in part for cell in steps.cells(steps.items[k]))
        while block := list(islice(stream, BLOCK)):
            for lines in steps.write(block, sheet.width - INDENT, sheet.signs.arrow):
                n += 1
                for k, line in enumerate(lines):
                    sheet.paper.line(f"{n:3}. " if k == 0 else " " * 5, *line)


def forward_lines(block: list[Cell], width: int, arrow: str) -> Iterator[list[Line]]:
    """Formula and value, the values one below the other where the formulas let them."""
    most = max((w for c in block if (w := breadth(c.head)) <= width * 2 // 3), default=0)
    for c in block:
        if max(most, breadth(c.head)) + breadth(c.value) + 4 <= width:
            yield [[(pad(c.head, most) + "  = ", ""), (c.value, c.style)]]
        else:
            yield [[(part, "")] for part in wrap(c.head, width, 4)] + [[("  " + part, c.style)] for part in wrap("= " + c.value, width - 2)]


def increment_lines(block: list[Cell], width: int, arrow: str) -> Iterator[list[Line]]:
    most = min(width, max(line_width(c, arrow) for c in block))
    for c in block:
        yield lay(c, most, width >= WIDE - INDENT, arrow)


def sums(sheet, name: str) -> Iterator[Cell]:
    """The adjoint of a variable in the steps of version A: chain rule, formula, value. `head` is the left side, `locals` the right
    sides one below the other."""
    for piece, cell in zip(pieces(sheet.p.derivative, name), sheet.adjoint_cells(name)):
        left, rights, _ = sheet.texts.piece(piece)
        if sheet.texts.is_seed(piece) or not piece.terms:
            rights = rights[-1:]
        yield Cell(left, tuple(dict.fromkeys([*rights, cell.value])))


def sum_lines(block: list[Cell], width: int, arrow: str) -> Iterator[list[Line]]:
    for c in block:
        lead = breadth(c.head)
        if lead > width // 3:
            lead = 4
        lines: list[Line] = []
        for k, right in enumerate(c.locals):
            first = f"{c.head} = " if k == 0 else " " * lead + " = "
            parts = wrap(first + right, width, lead + 3)
            lines += [[(p, "")] for p in parts]
        yield lines
