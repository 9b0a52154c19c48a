"""Sources, places in them, and what there is to say about those places.

A mistake of the author's is a `Diagnostic`: plain data, painted last (show/diagnostics.py).
A mistake of ours is an assertion.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Iterable, NamedTuple

_PARTS = re.compile(r"; (?=(?:[^`]*`[^`]*`)*[^`]*\Z)")  # not within code
_COMMAND = re.compile(r"(?:^|`)graphlang [a-z]|`--[a-z]|`loads?\(")

MOST_DIAGNOSTICS = 20  # in one run; further ones are counted, not shown


class Span(NamedTuple):
    """A stretch of the source: two offsets in characters, the end excluded."""

    start: int
    end: int

    def to(self, other: "Span") -> "Span":
        return Span(min(self.start, other.start), max(self.end, other.end))


NOWHERE = Span(0, 0)


class Part(NamedTuple):
    """From `start` on the text of a program of several files is that of `file` from `within` on. `chain`: the files that
    lead there, from the program's own to `file`."""

    start: int
    file: "Source"
    within: int
    chain: tuple["Source", ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A program's text and the name it is shown by. With `parts` it is the text of a file and of all that it includes
    (sources.py), and `origin` says which file a place is in."""

    name: str
    text: str
    parts: tuple[Part, ...] = field(default=(), repr=False)
    _starts: list[int] = field(default_factory=list, compare=False, repr=False)

    def part(self, offset: int) -> Part:
        """The part that an offset is in; of a text of one file the whole."""
        if not self.parts:
            return Part(0, self, 0, (self,))
        return self.parts[max(0, bisect_right(self.parts, offset, key=lambda part: part.start) - 1)]

    def origin(self, span: Span) -> tuple["Source", Span]:
        """The file that a place is in, and the place in that file's own text."""
        if not self.parts:
            return self, span
        start, file, within, _ = self.part(span.start)
        return file, Span(min(span.start - start + within, len(file.text)), min(span.end - start + within, len(file.text)))

    def line_of(self, span: Span) -> str:
        """A place in words: `line 2`, or `line 2 of base.graph` where that is an included file."""
        file, at = self.origin(span)
        line = f"line {file.position(at.start)[0]}"
        return line if file.name == self.name else f"{line} of {file.name}"

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both counted from 1; in a text of several files, of the file that it is in."""
        if self.parts:
            file, at = self.origin(Span(offset, offset))
            return file.position(at.start)
        if not self._starts:
            self._starts.append(0)
            self._starts.extend(i + 1 for i, c in enumerate(self.text) if c == "\n")
        line = bisect_right(self._starts, offset) - 1
        return line + 1, offset - self._starts[line] + 1

    def line(self, number: int) -> str:
        """The text of a line (counted from 1), without its end; only of a text of one file."""
        self.position(0)
        start = self._starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start : len(self.text) if end < 0 else end].rstrip("\r")

    def at(self, span: Span) -> str:
        return self.text[span.start : span.end]


class Label(NamedTuple):
    """A second place that a diagnostic points at, and what is there."""

    span: Span
    text: str


class Diagnostic(NamedTuple):
    """What was found (`message`), where (`at`, with `text` under it), and what to try (`hints`).

    `labels` are further places; `notes` are facts such as the values of operands and where they came from.
    `at` is None where there is no place (a mistake on the command line, a graph made in Python).
    """

    code: str
    message: str
    at: Span | None = None
    text: str = ""
    labels: tuple[Label, ...] = ()
    hints: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    severity: str = "error"  # "error", "warning" or "note"

    def moved(self, by: int) -> "Diagnostic":
        """The same about a text that stands `by` characters further on in another one."""
        labels = tuple(Label(Span(x.span.start + by, x.span.end + by), x.text) for x in self.labels)
        return self._replace(at=self.at and Span(self.at.start + by, self.at.end + by), labels=labels)


class GraphError(Exception):
    """The program is wrong: one or more diagnostics, and the source that their spans are in."""

    def __init__(self, diagnostics: Iterable[Diagnostic], source: Source | None = None):
        self.diagnostics = tuple(diagnostics)
        self.source = source
        super().__init__("; ".join(f"{d.code}: {d.message}" for d in self.diagnostics[:3]))


def without_commands(hint: str) -> str:
    """A hint as it is told where there is neither a command line nor Python: without the parts that are advice for these; "" if none is left."""
    parts = [p for p in _PARTS.split(hint) if not _COMMAND.search(p)]
    return "; ".join(parts).removeprefix("or ")


def did_you_mean(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """A hint naming the known name nearest to `name`, or nothing."""
    from difflib import get_close_matches  # 10 ms, and only a mistake needs it

    near = get_close_matches(name, list(known), n=1, cutoff=0.6)
    if not near:  # short names differ by a letter that looks alike: ul and u1
        alike = str.maketrans("lIO", "110")
        near = [k for k in known if k.translate(alike) == name.translate(alike)][:1]
    return (f"did you mean `{near[0]}`?",) if near else ()
