"""Two columns of cells in a given width. Nothing is cut: a cell that is too wide takes more lines.

A cell takes the first of these forms that fits: all on one line; the local derivatives on lines of their own; the
values there too; broken at blanks, and at the signs of a product where there are none. Where a name or number is wider
than its column, the backward cells stand under the forward ones, as they do in a narrow window; one that is wider than
all of the width stays whole and sticks out.
"""

from __future__ import annotations

import re
from typing import NamedTuple, Sequence

from graphlang.show.console import Line, Part, breadth, pad

WIDE = 100          # below this a value stands on a line of its own unless its whole cell fits on one
TWO_COLUMNS = 64    # below this the backward cells stand under the forward ones
GAP = "  "
SAMPLE = 80         # rows that the widths are chosen from
BLANKS = re.compile(r"(?<![∀=])( +)")  # `x = 2` and `∀ j` stay together
INSIDE = re.compile(r"(?<=[·*(,\[])(?=[^\s·*(,])")


class Cell(NamedTuple):
    """`head` is an equation or a contribution, `locals` local derivatives, `value` what it is here, `total` what it
    makes of a running total, which is then `final` or not."""

    head: str
    locals: tuple[str, ...] = ()
    value: str = ""
    total: str = ""
    final: bool = False
    style: str = ""


class Row(NamedTuple):
    forward: Cell
    backward: tuple[Cell, ...] = ()


def wrap(text: str, width: int, indent: int = 2) -> list[str]:
    """Lines of at most `width`, the first one not indented. Rows of a table stay together if they can."""
    if breadth(text) <= width:
        return [text]
    lead = len(text) - len(text.lstrip(" "))
    lines, line = [], " " * lead
    indent += lead
    for blank, word in _words(text.lstrip(" "), width, indent):
        if line.strip() and breadth(line) + len(blank) + breadth(word) > width:
            lines.append(line)
            line = " " * indent + word
        else:
            line += (blank if line.strip() else "") + word
    return [*lines, line]


def _words(text: str, width: int, indent: int):
    for part in _rows(text, width - indent):
        blank, words = part[0], BLANKS.split(part[1])
        for k in range(0, len(words), 2):
            for n, piece in enumerate(INSIDE.split(words[k]) if breadth(words[k]) > width - indent else [words[k]]):
                yield (blank if k == 0 else words[k - 1]) if n == 0 else "", piece


def _rows(text: str, width: int):
    """The rows of a matrix, with blanks that do not break where a row has a line's room."""
    if "; " not in text:
        yield "", text
        return
    for n, row in enumerate(text.split("; ")):
        row += ";" if n < text.count("; ") else ""
        yield " " if n else "", row


def _value(cell: Cell, arrow: str) -> Line:
    if not cell.total:
        return [(cell.value, cell.style)] if cell.value else []
    return [(f"{cell.value} {arrow} ", ""), (cell.total, "bold" if cell.final else "")]


def _width(line: Line) -> int:
    return sum(breadth(text) for text, _ in line)


def line_width(cell: Cell, arrow: str) -> int:
    """The width of a cell on one line."""
    value = _width(_value(cell, arrow))
    return breadth(", ".join((cell.head, *cell.locals))) + len(cell.locals) + (value + len(GAP) if value else 0)


def _right(text: str, value: Line, width: int) -> Line:
    return [(pad(text, width - _width(value)), ""), *value] if value else [(text, "")]


def lay(cell: Cell, width: int, wide: bool, arrow: str) -> list[Line]:
    """The lines of a cell, at most `width` wide unless a name or number is wider."""
    value = _value(cell, arrow)
    if line_width(cell, arrow) <= width:
        return [_right(",  ".join((cell.head, *cell.locals)), value, width)]
    room = width - len(GAP)
    below = [(GAP + part, "") for text in cell.locals for part in wrap(text, room)]
    if wide and breadth(cell.head) + len(GAP) + _width(value) <= width:
        return [_right(cell.head, value, width), *([b] for b in below)]
    lines: list[Line] = [[(part, "")] for part in wrap(cell.head, width, 4)]
    lines += [[b] for b in below]
    if not value:
        return lines
    lead = "" if cell.total else "= "
    if len(lead) + _width(value) <= room:
        return [*lines, [(GAP + lead, ""), *value]]
    lines += [[(GAP + part, cell.style)] for part in wrap(lead + cell.value, room)]
    if cell.total:
        lines += [[(GAP + part, value[-1][1])] for part in wrap(f"{arrow} {cell.total}", room)]
    return lines


class Columns(NamedTuple):
    """Widths of the forward and the backward column; `stacked` when one stands below the other."""

    forward: int
    backward: int
    stacked: bool
    wide: bool
    arrow: str
    bar: str

    def lines(self, row: Row) -> list[Line]:
        left = lay(row.forward, self.forward, self.wide, self.arrow) if row.forward.head else []
        right = [line for cell in row.backward for line in lay(cell, self.backward, self.wide, self.arrow)]
        if self.stacked:
            return [[(" ", ""), *x] for x in left] + [[("   ", ""), *x] for x in right]
        if not self.backward:
            return [[(" ", ""), *x] for x in left]
        blank: Line = [(" " * self.forward, "")]
        out = []
        for k in range(max(len(left), len(right))):
            first = left[k] if k < len(left) else blank
            fill: Part = (" " * (self.forward - _width(first)) + " ", "")
            out.append([(" ", ""), *first, fill, (self.bar, "dim"), (" ", ""), *(right[k] if k < len(right) else [])])
        return out


def columns(rows: Sequence[Row], width: int, arrow: str, bar: str) -> Columns:
    """The widths that need the fewest lines for these rows (or for the first of them)."""
    rows = rows[:SAMPLE]
    wide = width >= WIDE
    forward = max((line_width(r.forward, arrow) for r in rows), default=0)
    backward = max((line_width(c, arrow) for r in rows for c in r.backward), default=0)
    if not backward:
        return Columns(min(forward, width - 2), 0, False, wide, arrow, bar)
    room = width - 4
    if forward + backward <= room:
        return Columns(forward, backward, False, wide, arrow, bar)
    if width < TWO_COLUMNS:
        return Columns(width - 1, width - 3, True, wide, arrow, bar)
    best = min(range(18, room - 24, 2), key=lambda w: _cost(rows, Columns(w, room - w, False, wide, arrow, bar)))
    chosen = Columns(best, room - best, False, wide, arrow, bar)
    stacked = Columns(width - 1, width - 3, True, wide, arrow, bar)
    if (over := _cost(rows, chosen)[0]) and _cost(rows, stacked)[0] < over:  # a number of forty digits would run over the rule
        return stacked
    return chosen._replace(forward=min(best, forward), backward=min(chosen.backward, backward))


def _cost(rows: Sequence[Row], c: Columns) -> tuple[int, int, int]:
    lines = over = broken = 0
    for row in rows:
        left = lay(row.forward, c.forward, c.wide, c.arrow) if row.forward.head else []
        right = [line for cell in row.backward for line in lay(cell, c.backward, c.wide, c.arrow)]
        over += sum(_width(x) > c.forward for x in left) + sum(_width(x) > c.backward for x in right)
        lines += max(len(left), len(right))
        broken += (len(left) > 1) + len(right) - len(row.backward)
    return over, lines, broken
