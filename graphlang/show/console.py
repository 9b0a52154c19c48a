"""Where a person reads: the console, and the two ways in which text can harm one.

Rich reads `[j]` as markup and cuts what is too wide, so everything goes out as segments, laid out here and never
wrapped or cropped there. What a file supplied is cleaned of characters that move the cursor or turn the line around.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from typing import Callable, Iterable, Iterator

from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

PIPE_WIDTH = 160
HARMFUL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")

SPELLED = str.maketrans({"→": "->", "⇒": "=>", "…": "...", "·": "*", "×": "*", "−": "-", "≤": "<=", "≥": ">=", "≠": "!=", "’": "'"})

NARROW = re.compile("[ -~\u00a0-\u00ac\u00ae-\u02ff\u0370-\u0482\u1d00-\u1dbf\u2010-\u2027\u2030-\u205e\u2070-\u20cf\u2100-\u22ff\u2500-\u259f]*")

Part = tuple[str, str]  # a text and its style
Line = list[Part]


def console(stderr: bool = False, plain: bool = False) -> Console:
    """As wide as the terminal; in a pipe 160 columns, or as many as COLUMNS says. `plain`: no colour, no bold."""
    columns = os.environ.get("COLUMNS", "")
    c = Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True, color_system=None if plain else "auto", force_jupyter=False)
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

    def line(self, *segments: Part | str) -> None:
        self._lines.append([(s, "") if type(s) is str else s for s in segments])
        if len(self._lines) >= self.BLOCK:
            self.flush()

    def lines(self, lines: Iterable[Line], indent: str = "") -> None:
        for segments in lines:
            self.line(indent, *segments)

    def flush(self) -> None:
        if not self._lines:
            return
        lines, self._lines = self._lines, []
        everything = "".join(text for line in lines for text, _ in line)
        if HARMFUL.search(everything):
            lines = [[(clean(text), style) for text, style in line] for line in lines]
        if not can_show(self.console, everything):
            lines = [[(self._spelled(text), style) for text, style in line] for line in lines]
        self.console.print(Raw(lines), soft_wrap=True, crop=False, end="")

    def _spelled(self, text: str) -> str:
        """For an encoding that has no sign for it."""
        encoding = self.console.encoding or "ascii"
        return text.translate(SPELLED).encode(encoding, "backslashreplace").decode(encoding)


class Raw:
    """Lines as they are. Rich's own way, a `Text`, would look at every character again."""

    def __init__(self, lines: list[Line]):
        self.lines = lines

    def __rich_console__(self, console: Console, options) -> Iterator[Segment]:
        if console.color_system is None:
            yield Segment("".join("".join(text for text, _ in line).rstrip(" ") + "\n" for line in self.lines))
            return
        styles: dict[str, Style] = {}
        for line in self.lines:
            room = len("".join(text for text, _ in line).rstrip(" "))
            for text, style in line:
                if text := text[:room]:
                    if style not in styles:
                        styles[style] = console.get_style(style) if style else Style.null()
                    yield Segment(text, styles[style])
                room -= len(text)
            yield Segment("\n")


def breadth(text: str) -> int:
    """Columns of the screen; quickly for the characters that programs are made of."""
    return len(text) if text.isascii() or NARROW.fullmatch(text) else cell_len(text)


def pad(text: str, width: int) -> str:
    return text + " " * (width - breadth(text))


@contextmanager
def ticking(title: str, wanted: bool) -> Iterator[Callable[[str], None]]:
    """A line on the terminal that says what is going on, gone when it is done; `wanted` false: nothing."""
    if not wanted:
        yield lambda text: None
        return
    with console(stderr=True).status(clean(title)) as status:
        yield lambda text: status.update(Text(f"{clean(title)}  {clean(text)}"))
