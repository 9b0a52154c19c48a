"""Forward mode: tangents beside the values, as in the tables of the literature (Baydin et al., table 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

from graphlang.graph.graph import Equation
from graphlang.graph.derived import derivative_name
from graphlang.run import Tangents, offsets
from graphlang.show.cells import Texts
from graphlang.show.layout import Cell, Row, columns
from graphlang.show.cells import box_extents

if TYPE_CHECKING:
    from graphlang.show.tables import Sheet


def show_forward(sheet: Sheet) -> None:
    """One table for each variable that is differentiated by, equations in evaluation order."""
    from graphlang.show.tables import ENDS, footing, heading

    for k, t in enumerate(sheet.run.tangents):
        if k:
            sheet.paper.line("")
        head, tail, total = shown_rows(sheet, t)
        shape = columns([*head, *tail], sheet.width, sheet.signs.arrow, sheet.signs.bar)
        heading(sheet, shape, "Tangent", note(sheet, t))
        for row in head:
            sheet.paper.lines(shape.lines(row))
        if tail:
            sheet.gap(total - 2 * ENDS, total)
            for row in tail:
                sheet.paper.lines(shape.lines(row))
        footing(sheet, shape)


def shown_rows(sheet: Sheet, t: Tangents) -> tuple[list[Row], list[Row], int]:
    """The rows of a table, of a long one the first and the last; and how many there are in all."""
    from graphlang.show.tables import ENDS, MOST_ROWS

    rows = list(table_rows(sheet, t))
    return (rows, [], len(rows)) if sheet.options.all or len(rows) <= MOST_ROWS else (rows[:ENDS], rows[-ENDS:], len(rows))


def note(sheet: Sheet, t: Tangents) -> str:
    passes = sheet.run.graph.variables[t.wrt].size
    name = sheet.texts.name(t.wrt)
    return f"forward mode by {name}" + (f": {passes} passes, one for each element" if passes != 1 else "")


def table_rows(sheet: Sheet, t: Tangents) -> Iterator[Row]:
    """The leaf that is differentiated by, then every equation; what does not depend on it has no tangent."""
    texts = Texts(t.graph, sheet.ascii)
    pool = t.graph.pool
    pieces: dict[str, list[Equation]] = {}
    for e in t.order:
        pieces.setdefault(e.target, []).append(e)
    if t.graph.variables[t.wrt].is_leaf:
        yield Row(sheet.leaf(t.wrt), tuple(cells(sheet, t, texts, pieces.get(derivative_name(pool, t.wrt, t.wrt), ()))))
    done: dict[str, int] = {}
    for e in sheet.run.order:
        own = pieces.get(derivative_name(pool, e.target, t.wrt), ())
        k = done[e.target] = done.get(e.target, -1) + 1
        mine = [x for x in own if x.subs[len(x.subs) - len(e.subs):] == e.subs] if e.subs else own
        yield Row(sheet.forward(e), tuple(cells(sheet, t, texts, mine[:1] if mine else own[k : k + 1])))


def cells(sheet: Sheet, t: Tangents, texts: Texts, equations) -> Iterator[Cell]:
    for e in equations:
        whole, flat = t.graph.variables[e.target].ranges, t.values[e.target]
        value = flat if e.box == whole else [flat[k] for k in offsets(e.box, whole)]
        yield Cell(texts.equation(e), value=sheet.table(value, box_extents(e.subs, e.box)))
