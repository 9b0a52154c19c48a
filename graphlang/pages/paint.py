"""Pages on a console."""

from __future__ import annotations

import re
from textwrap import wrap
from typing import Mapping, Sequence

from graphlang.pages.sheet import Page, Part
from graphlang.show.console import Line, Paper, can_show

WIDEST = 100
CODE = re.compile(r"(`[^`]+`)")
SEVERITY = re.compile(r"(error|warning|note)\[")
STYLES = {"error": "bold red", "warning": "bold yellow", "note": "bold cyan"}


def paint(page: Page, paper: Paper) -> None:
    """A page, as wide as the console but at most 100 columns."""
    width = min(WIDEST, paper.console.width)
    names = ", ".join((page.name, *page.others))
    first, *rest = wrap(page.title, max(20, width - len(names) - 2)) or [""]
    paper.line((names, "bold cyan"), "  ", (first, "bold"))
    for line in rest:
        paper.line(" " * (len(names) + 2), (line, "bold"))
    for part in page.parts:
        _part(part, paper, width)
    paper.flush()


def _part(part: Part, paper: Paper, width: int) -> None:
    if part.kind != "facts" or part.heading or not part.text:
        paper.line("")
    if part.heading:
        paper.line(*_styled(part.heading + ":", "dim"))
    match part.kind:
        case "text":
            for k, paragraph in enumerate(part.text.split("\n")):
                if k:
                    paper.line("")
                for line in _wrapped(paragraph, width):
                    paper.line(*_styled(line))
        case "facts":
            indent = max(len(label) for label, _ in part.rows) + 2
            for label, text in part.rows:
                lines = wrap(text, max(20, width - indent - 2), break_long_words=False, break_on_hyphens=False) or [""]
                for k, line in enumerate(lines):
                    paper.line("  ", (f"{label if not k else '':{indent}}", "dim"), *_styled(line))
        case "program":
            for line in part.text.rstrip("\n").split("\n"):
                paper.line("    ", (line, "cyan"))
        case _:
            text = part.text if can_show(paper.console, "╭─│") else part.text.replace("╭─", "-->").replace("│", "|")
            for line in text.rstrip("\n").split("\n"):
                severity = SEVERITY.match(line)
                paper.line("    ", (line, STYLES[severity[1]] if severity else ""))


def _wrapped(text: str, width: int) -> list[str]:
    """Lines of a paragraph; what stands in backquotes is not broken."""
    glued = CODE.sub(lambda m: m[0].replace(" ", "\0"), text)
    return [line.replace("\0", " ") for line in wrap(glued, width, break_long_words=False, break_on_hyphens=False)]


def _styled(line: str, style: str = "") -> Line:
    return [(piece, "cyan" if CODE.fullmatch(piece) else style) for piece in CODE.split(line) if piece]


def paint_contents(contents: Mapping[str, Sequence[tuple[str, str]]], paper: Paper) -> None:
    """The names of all pages with their titles, under headings."""
    width = min(WIDEST, paper.console.width)
    for k, (heading, pages) in enumerate(contents.items()):
        if k:
            paper.line("")
        paper.line((heading, "bold"))
        indent = max(len(name) for name, _ in pages) + 4
        for name, title in pages:
            first, *rest = _wrapped(title, max(20, width - indent)) or [""]
            paper.line("  ", (f"{name:{indent - 2}}", "cyan"), *_styled(first))
            for line in rest:
                paper.line(" " * indent, *_styled(line))
    paper.flush()
