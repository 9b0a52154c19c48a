"""Where a person reads: the console, and the two ways in which text can harm one.

Rich reads `[j]` as markup and cuts what is too wide, so everything goes out as `Text`, laid out here and never
wrapped or cropped there. What a file supplied is cleaned of characters that move the cursor or turn the line around.
"""

from __future__ import annotations

import os
import re
from typing import Iterable

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

PIPE_WIDTH = 160
HARMFUL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")

SPELLED = str.maketrans({"→": "->", "⇒": "=>", "…": "...", "·": "*", "×": "*", "−": "-", "≤": "<=", "≥": ">=", "≠": "!=", "’": "'"})

Segment = tuple[str, str]  # a text and its style
Line = list[Segment]


def console(stderr: bool = False, plain: bool = False) -> Console:
    """As wide as the terminal; in a pipe 160 columns, or as many as COLUMNS says. `plain`: no colour, no bold."""
    columns = os.environ.get("COLUMNS", "")
    c = Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True, color_system=None if plain else "auto")
    if columns.isdigit() and int(columns):
        c.width = int(columns)
    elif not c.is_terminal:
        c.width = PIPE_WIDTH
    return c


def clean(text: str, instead: str = "\ufffd") -> str:
    """The text with every control and bidi character replaced; a tab is a blank."""
    return HARMFUL.sub(instead, text.replace("\t", " "))


class Signs:
    """The characters that are not program text."""

    def __init__(self, ascii: bool = False, plain: bool = False):
        self.bar, self.rule, self.cross, self.foot, self.left = ("|", "-", "+", "+", "-") if ascii or plain else ("│", "─", "┼", "┴", "╶")
        self.arrow, self.dots, self.gap = ("=>", "...", ":") if ascii else ("⇒", "…", "⋮")
        self.mark = "<-" if ascii else "←"


def can_show(c: Console, text: str) -> bool:
    try:
        text.encode(c.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


class Paper:
    """Lines on their way to a console, printed some hundred at a time: Rich's price is for the call."""

    BLOCK = 200

    def __init__(self, c: Console):
        self.console = c
        self._lines: list[Line] = []

    def line(self, *segments: Segment | str) -> None:
        self._lines.append([(s, "") if type(s) is str else s for s in segments])
        if len(self._lines) >= self.BLOCK:
            self.flush()

    def lines(self, lines: Iterable[Line], indent: str = "") -> None:
        for segments in lines:
            self.line(indent, *segments)

    def flush(self) -> None:
        if not self._lines:
            return
        text = Text()
        for k, segments in enumerate(self._lines):
            if k:
                text.append("\n")
            while segments and not segments[-1][0].rstrip(" "):
                segments = segments[:-1]
            for n, (part, style) in enumerate(segments):
                part = part.rstrip(" ") if n == len(segments) - 1 else part
                text.append(part, style or None) if part else None
        self._lines = []
        if not can_show(self.console, text.plain):  # a file's name in an encoding that has no sign for it
            encoding = self.console.encoding or "ascii"
            text = Text(text.plain.translate(SPELLED).encode(encoding, "backslashreplace").decode(encoding))
        self.console.print(text, soft_wrap=True, no_wrap=True, overflow="ignore", crop=False)


def pad(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))
