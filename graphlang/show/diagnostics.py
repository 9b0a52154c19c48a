"""Diagnostics as text: painted with the lines of the source, one to a line, or as data for JSON.

    error[E101]: `ul` is not defined
     ╭─ a.graph:3:10
    1 │ u1 = sin(t)
      │ -- `u1` (letter u, digit one) is defined here
    3 │ J = u2 + ul
      │          ^^ no variable has this name
      = help: did you mean `u1`?
"""

from __future__ import annotations

from io import StringIO
from typing import Iterator, NamedTuple, Sequence

from rich.console import Console

from graphlang.diagnostics import MOST_DIAGNOSTICS, Diagnostic, Source, Span
from graphlang.show.records import has_place
from graphlang.show.console import Paper, breadth, can_show, clean

TAB = 4
NARROWEST = 20  # columns of source text that are shown even where there is no room for them
STYLES = {"error": "bold red", "warning": "bold yellow", "note": "bold cyan"}


class Mark(NamedTuple):
    """A stretch of one line (columns from 0, the end excluded) and what is said about it."""

    line: int
    start: int
    end: int
    text: str
    sign: str


def paint(diagnostics: Sequence[Diagnostic], source: Source | None, console: Console, pointer: bool = False) -> None:
    """Each with its places in the source under it; at most 20, errors before warnings if there are more. `pointer`: end with
    a line that says where more is to be read."""
    paper = Paper(console)
    box = can_show(console, "╭─│…")
    if source is not None and not can_show(console, source.text):
        source = _encoded(source, console.encoding)
    shown, more = _first(diagnostics)
    for n, d in enumerate(shown):
        if n:
            paper.line("")
        _paint(d, source, paper, console.width, box)
    if more:
        paper.line("")
        paper.line(more)
    if pointer and shown:
        first = min(shown, key=lambda d: list(STYLES).index(d.severity))
        paper.line("")
        paper.line((clean(f"`graphlang explain {first.code}` says more"), "dim"))
    paper.flush()


def painted(diagnostics: Sequence[Diagnostic], source: Source | None, width: int) -> str:
    """What `paint` prints, as a text without colour."""
    paper = StringIO()
    paint(diagnostics, source, Console(file=paper, width=width, color_system=None, force_terminal=False, force_jupyter=False))
    return paper.getvalue()


def ansi(diagnostics: Sequence[Diagnostic], source: Source | None, width: int, colour: bool = True) -> str:
    """The same with the escape sequences of a terminal that has colours, whatever it is printed to."""
    paper = StringIO()
    paint(diagnostics, source, Console(file=paper, width=width, color_system="standard" if colour else None, force_terminal=colour, legacy_windows=False, no_color=False,
                                       force_jupyter=False))
    return paper.getvalue()


def _encoded(source: Source, encoding: str) -> Source:
    """The text as the console can show it: one sign for one, so that the carets stay right."""
    files = {id(p.file): Source(p.file.name, p.file.text.encode(encoding, "replace").decode(encoding)) for p in source.parts}
    text = source.text.encode(encoding, "replace").decode(encoding)
    return Source(source.name, text, tuple(p._replace(file=files[id(p.file)]) for p in source.parts))


def short(diagnostics: Sequence[Diagnostic], source: Source | None) -> list[str]:
    """One line each: `FILE:LINE:COLUMN: error[E101]: message`."""
    shown, more = _first(diagnostics)
    lines = []
    for d in shown:
        where = _where(d, source)
        lines.append(clean(f"{where}: " if where else "") + clean(f"{d.severity}[{d.code}]: {d.message}"))
    return [*lines, more] if more else lines


def _first(diagnostics: Sequence[Diagnostic]) -> tuple[list[Diagnostic], str]:
    if len(diagnostics) <= MOST_DIAGNOSTICS:
        return list(diagnostics), ""
    order = sorted(diagnostics, key=lambda d: list(STYLES).index(d.severity))
    return order[:MOST_DIAGNOSTICS], f"and {len(order) - MOST_DIAGNOSTICS} more"


def _where(d: Diagnostic, source: Source | None) -> str:
    if source is None:
        return ""
    if not has_place(d, source):
        return source.name
    file, at = source.origin(d.at)
    return "{}:{}:{}".format(file.name, *file.position(at.start))


def _paint(d: Diagnostic, source: Source | None, paper: Paper, width: int, box: bool) -> None:
    corner, bar, dots = ("╭─", "│", "…") if box else ("-->", "|", "...")
    style = STYLES[d.severity]
    paper.line((clean(f"{d.severity}[{d.code}]"), style), (clean(f": {d.message}"), "bold"))
    files = _marks(d, source) if source is not None else []
    gutter = len(str(max((m.line for _, marks in files for m in marks), default=1)))
    room = max(NARROWEST, width - gutter - 3)
    if not files and (where := _where(d, source)):
        paper.line((" " * gutter + corner + " ", "blue"), clean(where))
    for n, (file, marks) in enumerate(files):
        first = marks[0]
        where = _where(d, source) if not n else f"{file.name}:{first.line}:{first.start + 1}"
        paper.line((" " * gutter + corner + " ", "blue"), clean(where))
        for group in _groups(sorted(marks, key=lambda m: (m.line, m.start, m.sign)), file, room):
            text, shift = _window(file.line(group[0].line), group, room, dots)
            paper.line((f"{group[0].line:{gutter}} {bar} ", "blue"), text)
            for m in group:
                before, under = _columns(file.line(m.line), m)
                at = max(0, before - shift)
                under = max(1, min(under, breadth(text) - at))
                colour = style if m.sign == "^" else "bold blue"
                paper.line((" " * gutter + f" {bar} ", "blue"), " " * at, (m.sign * under + (" " if m.text else "") + clean(m.text), colour))
    for word, texts in (("note", d.notes), ("help", d.hints)):
        for text in texts:
            paper.line((" " * gutter + " = ", "blue"), (f"{word}: ", "bold"), clean(text))


def _marks(d: Diagnostic, source: Source) -> list[tuple[Source, list[Mark]]]:
    """The places by the file that they are in, the file of the diagnostic's own place first."""
    places = [(d.at, d.text, "^")] if has_place(d, source) else []
    places += [(label.span, label.text, "-") for label in d.labels if label.span]
    files: dict[int, tuple[Source, list[Mark]]] = {}
    for span, text, sign in places:
        file, at = source.origin(span)
        files.setdefault(id(file), (file, []))[1].append(_mark(at, text, sign, file))
    return list(files.values())


def _mark(span: Span, text: str, sign: str, source: Source) -> Mark:
    """The part of a span on its first line; the text says where one that is longer ends."""
    line, column = source.position(span.start)
    last, end = source.position(max(span.start, span.end - 1)) if span.end > span.start else (line, column)
    length = len(source.line(line))
    if last > line:
        return Mark(line, column - 1, max(length, column), f"{text} (to line {last})" if text else f"to line {last}", sign)
    return Mark(line, column - 1, end if span.end > span.start else column, text, sign)


def _groups(marks: list[Mark], source: Source, room: int) -> Iterator[list[Mark]]:
    """Marks that are shown under one print of their line: all of it, or of a long line those that are near."""
    group: list[Mark] = []
    for m in marks:
        if group and m.line == group[0].line and (breadth(_text(source.line(m.line))) <= room or m.end - group[0].start <= room // 2):
            group.append(m)
            continue
        if group:
            yield group
        group = [m]
    if group:
        yield group


def _text(line: str) -> str:
    """A line of the source as it is shown: tabs to multiples of 4, nothing that moves the cursor."""
    out, at = [], 0
    for part in line.split("\t"):
        part = clean(part)
        out.append(part)
        at += breadth(part)
        step = TAB - at % TAB
        out.append(" " * step)
        at += step
    return "".join(out[:-1])


def _columns(line: str, m: Mark) -> tuple[int, int]:
    """Where a mark begins and how wide it is, in columns of the screen."""
    whole = line + " " * max(0, m.end - len(line))
    before = breadth(_text(whole[: m.start]))
    return before, breadth(_text(whole[: m.end])) - before


def _window(line: str, group: list[Mark], room: int, dots: str) -> tuple[str, int]:
    """The part of a line around its marks, and by how many columns it is moved to the left."""
    text = _text(line)
    if breadth(text) <= room:
        return text, 0
    first = min(_columns(line, m)[0] for m in group)
    last = max(sum(_columns(line, m)) for m in group)
    inner = room - 2 * len(dots)
    start = max(0, min(first - max(0, inner - (last - first)) // 2, breadth(text) - inner))
    if start <= len(dots):
        start = 0
    out, at, shift = "", 0, 0
    for c in text:
        w = breadth(c)
        if at >= start and breadth(out) + w <= inner:
            if not out:
                shift = at
            out += c
        elif out:
            return (dots if start else "") + out + dots, shift - (len(dots) if start else 0)
        at += w
    return (dots if start else "") + out, shift - (len(dots) if start else 0)
