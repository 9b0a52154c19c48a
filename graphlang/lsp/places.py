"""Offsets in a text as positions of the protocol: a line and a column, both from 0, in code units of the client's encoding."""

from __future__ import annotations

import re
from bisect import bisect_right

from graphlang.diagnostics import Span

UTF8, UTF16, UTF32 = "utf-8", "utf-16", "utf-32"

_ENDS = re.compile(r"\r\n|\n|\r")


class Places:
    """The positions of one text. What lies outside of a line or of the text is its end."""

    def __init__(self, text: str, encoding: str = UTF16):
        self.text, self.encoding = text, encoding
        ends = list(_ENDS.finditer(text))
        self.starts = [0, *(m.end() for m in ends)]
        self.stops = [*(m.start() for m in ends), len(text)]  # where the lines end, without what ends them

    def position(self, offset: int) -> tuple[int, int]:
        offset = max(0, min(offset, len(self.text)))
        line = bisect_right(self.starts, offset) - 1
        return line, self.units(self.text[self.starts[line] : min(offset, self.stops[line])])

    def offset(self, line: int, column: int) -> int:
        if line < 0:
            return 0
        if line >= len(self.starts):
            return len(self.text)
        start, stop = self.starts[line], self.stops[line]
        if self.encoding == UTF32 or (content := self.text[start:stop]).isascii():
            return min(start + max(column, 0), stop)
        for k, c in enumerate(content):
            width = self.units(c)
            if column < width:  # also within a character of several units: before it
                return start + k
            column -= width
        return stop

    def units(self, text: str) -> int:
        if self.encoding == UTF32 or text.isascii():
            return len(text)
        if self.encoding == UTF8:
            return len(text.encode("utf-8", "surrogatepass"))
        return len(text) + sum(c > "\uffff" for c in text)

    def range(self, span: Span) -> tuple[tuple[int, int], tuple[int, int]]:
        return self.position(span.start), self.position(max(span.start, span.end))
