"""One statement as lines: the author's line breaks, and the indentation, blanks and comments of the one style."""

from __future__ import annotations

from typing import NamedTuple, Sequence
from unicodedata import combining, east_asian_width

from graphlang.syntax.lalr import Token
from graphlang.syntax.tidy_spacing import CLOSE, OPEN, blanks, spelled

HANGING = 4  # columns, behind a bracket that ends its line
ENTRY = 2    # columns, of an entry of `train`
DEEPEST = 120  # columns of an indentation, or deep nesting would take more blanks than text
NOTED = OPEN | CLOSE | {"COLON", "EQUAL", "FOR", "CMP"}  # what says where later lines begin
LISTS = frozenset({"ROLE", "DIM", "GOAL", "OPAQUE", "VARY", "REQUIRE", "BLANKS", "USE"})  # statements whose commas outside of brackets separate what they are about


class Line(NamedTuple):
    """A line of the result: its text with the indentation, and the comment at its end or alone on it."""

    text: str
    comment: str = ""
    alone: int | None = None  # the indentation of a comment without text


class Gap(NamedTuple):
    """What stands between two tokens, or two statements, beside blanks and `;`: the comment at the end of the line, and the lines
    between, each a comment or "" for a blank one. `broken`: the second is on another line."""

    broken: bool
    trailing: str
    between: tuple[str, ...]


    def trimmed(self, first: bool, last: bool) -> "Gap":
        """Without a blank line at its beginning, or its end."""
        lines = self.between
        if first and lines[:1] == ("",):
            lines = lines[1:]
        if last and lines[-1:] == ("",):
            lines = lines[:-1]
        return self._replace(between=lines)


UNBROKEN = Gap(False, "", ())


def gap(text: str) -> Gap:
    first, *rest = text.split("\n")
    between: list[str] = []
    for line in rest[:-1]:
        found = comment(line)
        if found or (between[-1:] != [""]):
            between.append(found)
    return Gap(bool(rest), comment(first), tuple(between))


def comment(line: str) -> str:
    """The comment of a line that holds nothing else, as it is to be written."""
    _, sign, text = line.partition("#")
    text = text.rstrip(" \t\r")
    if not sign or not text or text[0] in " \t#!" or not any(c.isalnum() for c in text):  # `#----` is a ruler
        return sign + text
    return "# " + text


def width(text: str) -> int:
    """Columns of a text."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


class Statement:
    """A statement that parses: its tokens in a text, what belongs before each on a line, and what stood before each.

    `extra` are further blanks before tokens, which align them with others; whoever aligns adds to it before `lines`."""

    def __init__(self, text: str, tokens: Sequence[Token]):
        self.kind = tokens[0].kind
        self.starts = {n - k for k, n in enumerate(m for m, t in enumerate(tokens) if t.kind == "SEP")}  # of the entries of `train`
        self.tokens = [t for t in tokens if t.kind != "SEP"]
        self.texts = [spelled(t) for t in self.tokens]
        self.blanks = blanks(self.tokens)
        self.gaps = [UNBROKEN]
        for before, token in zip(self.tokens, self.tokens[1:]):
            between = text[before[3] : token[2]]
            if not between or between.isspace() and "\n" not in between:
                self.gaps.append(UNBROKEN)
                continue
            found = gap(between) if between.strip(" \t") else UNBROKEN
            self.gaps.append(found.trimmed(before.kind in OPEN, token.kind in CLOSE) if found.between else found)
        if self.kind == "TRAIN":
            self._break_entries()
        self.extra = matrices(self)

    def _break_entries(self) -> None:
        """Each entry of `train` on a line of its own."""
        last = len(self.tokens) - 1
        if last == 2 and not (self.gaps[2].trailing or self.gaps[2].between):
            self.gaps[2] = UNBROKEN
            return
        self.starts = {n for n in self.starts if n <= last} | {2, last}
        for n in self.starts:
            self.gaps[n] = self.gaps[n]._replace(broken=True)

    def is_as_written(self) -> bool:
        """Whether blanks stand where they stood, and all is spelled as it was: then nothing can be read otherwise."""
        tokens = self.tokens
        return self.kind != "TRAIN" and all(
            g.broken or (blank != "") == (a.end < b.start) for a, b, blank, g in zip(tokens, tokens[1:], self.blanks[1:], self.gaps[1:])
        ) and all(t.text == spelling for t, spelling in zip(tokens, self.texts))

    def place(self, *kinds: str) -> int | None:
        """The first token of one of these kinds outside of brackets."""
        depth = 0
        for n, token in enumerate(self.tokens):
            if token.kind in OPEN:
                depth += 1
            elif token.kind in CLOSE:
                depth -= 1
            elif depth == 0 and token.kind in kinds:
                return n
        return None

    def on_first_line(self, last: int) -> bool:
        return not any(g.broken for g in self.gaps[: last + 1])

    def width(self, before: int) -> int:
        """The columns of what stands before a token of the first line."""
        return sum(width(self.texts[n]) + len(self.blanks[n]) + self.extra.get(n, 0) for n in range(before))

    def lines(self) -> list[Line]:
        return _Layout(self).lines


class _Layout:
    """The walk over the tokens: the line under way, and where a line that follows would begin."""

    def __init__(self, statement: Statement):
        self.lines: list[Line] = []
        self.parts: list[str] = []
        self.column = self.indent = 0
        self.brackets: list[tuple[int, int]] = []  # of each open bracket: where its lines begin, and where it is closed on a line of its own
        self.begin = HANGING       # outside of brackets: where a line begins that goes on with an expression
        self.begin_item: int | None = None  # and one behind a comma
        s = statement
        for n, (token, text, between, blank) in enumerate(zip(s.tokens, s.texts, s.gaps, s.blanks)):
            kind = token[0]
            if n in s.starts:
                self._entry()
            if between.broken:
                self._break(between, kind in CLOSE, self._outside(s, n))
            elif n in s.extra:
                text = blank + " " * s.extra[n] + text
            else:
                text = blank + text
            self.parts.append(text)
            self.column += width(text)
            if kind in NOTED or n == 0:
                self._note(s, n, kind)
        self.lines.append(Line("".join(self.parts)))

    def _outside(self, s: Statement, n: int) -> int:
        return self.begin_item if self.begin_item is not None and s.tokens[n - 1].kind == "COMMA" else self.begin

    def _break(self, between: Gap, closes: bool, outside: int) -> None:
        inside, closing = self.brackets[-1] if self.brackets else (outside, outside)
        inside, closing = min(inside, DEEPEST), min(closing, DEEPEST)
        self.lines.append(Line("".join(self.parts), between.trailing))
        self.lines += [Line("", c, inside if c else None) for c in between.between]
        self.indent = self.column = closing if closes else inside
        self.parts = [" " * self.indent]

    def _entry(self) -> None:
        """An entry of `train` begins, or its block ends."""
        _, closing = self.brackets[-1]
        self.brackets[-1] = (closing + ENTRY, closing)

    def _note(self, s: Statement, n: int, kind: str) -> None:
        """What a token says about lines to come."""
        if kind in OPEN:
            if kind == "LBRACE" and s.tokens[n - 1].kind != "IN":  # of a block, not of the values of `vary`
                self.brackets.append((self.indent + ENTRY, self.indent))
            elif n + 1 < len(s.gaps) and s.gaps[n + 1].broken:
                self.brackets.append((self.indent + HANGING, self.indent))
            else:
                self.brackets.append((self.column, self.column - 1))
        elif kind in CLOSE:
            self.brackets.pop()
        elif kind == "COLON":  # an entry of `train` that goes on
            self.brackets[-1] = (self.column + 1, self.brackets[-1][1])
        elif self.brackets:
            return
        elif n == 0 and kind != "NAME":
            self.begin = self.column + 1 + s.extra.get(1, 0)
            self.begin_item = self.begin if kind in LISTS else None
        elif kind in ("EQUAL", "FOR") or (kind == "CMP" and s.kind == "EXPECT"):
            self.begin = self.column + 1


def matrices(s: Statement) -> dict[int, int]:
    """The blanks before the numbers of matrices whose rows have a line each, so that columns stand below one another."""
    extra: dict[int, int] = {}
    kinds = [t.kind for t in s.tokens]
    for n in range(len(kinds) - 1):
        if kinds[n] == kinds[n + 1] == "LSQB":
            rows = _rows(s, kinds, n + 1)
            if len(rows) > 1 and len({len(row) for row in rows}) == 1:
                for column in zip(*rows):
                    widest = max(size for _, size in column)
                    extra.update((at, widest - size) for at, size in column)
    return extra


def _rows(s: Statement, kinds: list[str], n: int) -> list[list[tuple[int, int]]]:
    """The rows that begin at a bracket: of each number its first token and its columns. None, if anything but rows of numbers with
    a line each stands there."""
    rows: list[list[tuple[int, int]]] = []
    end = len(kinds)
    while True:
        if kinds[n] != "LSQB":
            return []
        row = []
        while kinds[n] in ("LSQB", "COMMA"):
            first = n + 1
            n = first + (kinds[first] == "MINUS")
            if n + 1 >= end or kinds[n] != "NUMBER" or s.gaps[first].broken or s.gaps[n].broken or s.gaps[n + 1].broken:
                return []
            row.append((first, sum(len(t) for t in s.texts[first : n + 1])))
            n += 1
        if kinds[n] != "RSQB" or n + 1 >= end:
            return []
        rows.append(row)
        n += 1
        if kinds[n] == "RSQB":
            return rows
        if kinds[n] != "COMMA" or n + 1 >= end or not s.gaps[n + 1].broken:
            return []
        n += 1
