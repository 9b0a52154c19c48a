"""A run as HTML for a notebook: the rows of the terminal's table as a real table, below it the same lines.

Colours are inherited, so that it is right on a light and on a dark page. Every text goes through `escaped`, and the classes of
the outermost element keep MathJax from looking for formulas in what is program text.
"""

from __future__ import annotations

from html import escape
from typing import Iterable, Iterator, Sequence

from graphlang.diagnostics import Diagnostic, Source
from graphlang.run import Run
from graphlang.show.console import Line, Raw, clean
from graphlang.show.diagnostics import paint
from graphlang.show.forward import note, shown_rows
from graphlang.show.layout import Cell, Row
from graphlang.show.steps import lists, shown_parts
from graphlang.show.tables import Options, Sheet, below, certain, file_name, order_note, table_rows

ENDLESS = 10**6        # columns: the page breaks lines, not we
SOURCE_WIDTH = 100     # of painted diagnostics, whose carets must stay below what they point at
LONG = 40              # characters of a value that are not broken
LINE = "1px solid rgba(128,128,128,.45)"  # seen on white and on black

STYLE = f"""<style>
.graphlang-run{{overflow-x:auto;color:inherit}}
.graphlang-run table{{table-layout:auto;border-collapse:collapse;margin:0 0 .5em 0;border:0;color:inherit;font-family:var(--jp-code-font-family,ui-monospace,monospace);font-size:var(--jp-code-font-size,13px)}}
.graphlang-run caption{{caption-side:top;text-align:left;font-weight:bold;color:inherit;padding:.2em .6em}}
.graphlang-run tr{{background:none!important}}
.graphlang-run thead tr,.graphlang-run table{{border-bottom:{LINE}!important}}
.graphlang-run th,.graphlang-run td{{text-align:left!important;vertical-align:top;white-space:pre-wrap;max-width:none;padding:.15em .6em;border:0}}
.graphlang-run .value{{text-align:right!important;white-space:nowrap}}
.graphlang-run .long{{white-space:pre-wrap}}
.graphlang-run .second{{border-left:{LINE}}}
.graphlang-run pre{{white-space:pre-wrap;background:none;color:inherit;margin:.3em 0;padding:0;font-family:var(--jp-code-font-family,ui-monospace,monospace);font-size:var(--jp-code-font-size,13px)}}
.graphlang-run .local,.graphlang-run .dim{{opacity:.7}}
.graphlang-run .bold{{font-weight:bold}}
.graphlang-run .italic{{font-style:italic}}
.graphlang-run .red{{color:var(--jp-error-color1,#d83a3a)}}
.graphlang-run .green{{color:var(--jp-success-color1,#2f9e44)}}
.graphlang-run .yellow{{color:var(--jp-warn-color1,#c77700)}}
.graphlang-run .blue,.graphlang-run .cyan{{color:var(--jp-info-color1,#2a8fbd)}}
</style>"""


class Lines:
    """What stands in the place of a console: it keeps the lines that are printed, with their styles."""

    encoding, width = "utf-8", SOURCE_WIDTH

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def print(self, raw: Raw, **_) -> None:
        self.lines += raw.lines


def html(run: Run, options: Options) -> str:
    with certain(run, options) as (shown, its):
        sheet = Sheet(shown, Lines(), its._replace(width=ENDLESS, plain=False))
        parts = [*tables(sheet), *map(block, below(sheet))]
    if run.diagnostics:
        parts.append(diagnostics(run.diagnostics, run.graph.source))
    return f'<div class="graphlang-run tex2jax_ignore mathjax_ignore">{STYLE}\n' + "\n".join(parts) + "\n</div>"


def diagnostics(found: Sequence[Diagnostic], source: Source | None) -> str:
    """As they are painted on a terminal."""
    paper = Lines()
    paint(found, source, paper)
    return block(paper.lines)


# ---- tables


def tables(sheet: Sheet) -> Iterator[str]:
    name = file_name(sheet.run.graph)
    if sheet.run.tangents:
        for t in sheet.run.tangents:
            yield two_columns(sheet, f"{name}, {note(sheet, t)}", "Tangent", *shown_rows(sheet, t))
    elif sheet.options.steps:
        for part in lists(sheet):
            yield numbered(sheet, part)
    else:
        yield two_columns(sheet, name, "Backward", *table_rows(sheet))
        if lines := [*order_note(sheet)]:
            yield block(lines)


def two_columns(sheet: Sheet, title: str, second: str, head: Iterable[Row], tail: Sequence[Row], total: int) -> str:
    """Forward beside backward. The totals have a column where there are any."""
    head = list(head)
    backward = [c for row in (*head, *tail) for c in row.backward]
    totals = any(c.total for c in backward)
    width = 2 + (2 + totals if backward else 0)
    words = [heading("Forward"), heading("value", "value")]
    if backward:
        words += [heading(second, "second"), heading("value", "value")] + ([heading("total", "value")] if totals else [])
    body = [tr for row in head for tr in rows(row, bool(backward), totals, sheet.signs.arrow)]
    if tail:
        body += [gap(sheet, total - 2 * len(tail), total, "rows", width)]
        body += [tr for row in tail for tr in rows(row, bool(backward), totals, sheet.signs.arrow)]
    return table(title, words, body)


def rows(row: Row, two: bool, totals: bool, arrow: str) -> Iterator[str]:
    """The lines of the table for a row: one for each cell of its backward column."""
    span = f' rowspan="{len(row.backward)}"' if len(row.backward) > 1 else ""
    left = td(formula(row.forward), "", span) + number(row.forward.value, row.forward.style, span)
    if not two:
        yield f"<tr>{left}</tr>"
    for cell in row.backward or ([Cell("")] if two else []):
        yield f"<tr>{left}{td(formula(cell), 'second')}{number(cell.value, cell.style)}{sum_cell(cell, arrow) if totals else ''}</tr>"
        left = ""


def numbered(sheet: Sheet, steps) -> str:
    """A list of steps: number, formula, value and total."""
    parts = shown_parts(sheet, len(steps.items))
    cells = [[cell for k in part for cell in steps.cells(steps.items[k])] for part in parts]
    totals = any(c.total for part in cells for c in part)
    body: list[str] = []
    for which, part in enumerate(cells):
        if which:
            body.append(gap(sheet, parts[1][0] - len(parts[0]), len(steps.items), "steps", 3 + totals))
        for n, cell in enumerate(part, parts[which][0] + 1):
            first = td(f"{n}.", "value")
            if steps.sums:
                rights = "".join(f"\n  = {escaped(right)}" for right in cell.locals)
                body.append(f"<tr>{first}{td(escaped(cell.head) + rights)}</tr>")
            else:
                body.append(f"<tr>{first}{td(formula(cell))}{number(cell.value, cell.style)}{sum_cell(cell, sheet.signs.arrow) if totals else ''}</tr>")
    return table(steps.title, [], body)


def gap(sheet: Sheet, hidden: int, total: int, what: str, width: int) -> str:
    """The sheet's own words for what is left out."""
    sheet.gap(hidden, total, what)
    sheet.paper.flush()
    (line,), sheet.paper.console.lines = sheet.paper.console.lines, []
    return f'<tr><td colspan="{width}">{spans(line)}</td></tr>'


def table(title: str, words: Sequence[str], body: Iterable[str]) -> str:
    head = f"<thead><tr>{''.join(words)}</tr></thead>\n" if words else ""
    return f"<table>\n<caption>{escaped(title)}</caption>\n{head}<tbody>\n" + "\n".join(body) + "\n</tbody>\n</table>"


# ---- pieces of text


def formula(cell: Cell) -> str:
    return escaped(cell.head) + "".join(f',  <span class="local">{escaped(text)}</span>' for text in cell.locals)


def number(text: str, style: str = "", more: str = "") -> str:
    """The cell of a value; only a table of numbers may be broken."""
    return td(styled(text, style), "value long" if len(text) > LONG else "value", more)


def sum_cell(cell: Cell, arrow: str) -> str:
    if not cell.total:
        return td("", "value")
    return td(f"{arrow} " + styled(cell.total, "bold" if cell.final else ""), "value long" if len(cell.total) > LONG else "value")


def td(inside: str, name: str = "", more: str = "") -> str:
    return f'<td class="{name}"{more}>{inside}</td>' if name else f"<td{more}>{inside}</td>"


def heading(word: str, name: str = "") -> str:
    return f'<th class="{name}">{word}</th>' if name else f"<th>{word}</th>"


def block(lines: Iterable[Line]) -> str:
    return "<pre>" + "\n".join(map(spans, lines)) + "</pre>"


def spans(line: Line) -> str:
    return "".join(styled(text, style) for text, style in line)


def styled(text: str, style: str) -> str:
    return f'<span class="{style}">{escaped(text)}</span>' if style and text else escaped(text)


def escaped(text: str) -> str:
    return escape(clean(text))
