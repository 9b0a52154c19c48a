"""A program in the one style of `graphlang fmt`, by its tokens.

Names, numbers, parentheses and line breaks inside of a statement are the author's. What changes are blanks, indentation, blank
lines and the spelling of signs (`**`, `−`, `·`). A statement that does not parse is kept as it is, and so is the block of a quiz.

    tidy(text)            the text in this style; any text is accepted
    same(before, after)   tidy_proof.py: whether two texts mean the same

The text is cut into statements (`cut`), each becomes lines (tidy_layout.py), with blanks between tokens as tidy_spacing.py says, and
those that follow one another are aligned (tidy_align.py).
"""

from __future__ import annotations

import re
from typing import AbstractSet as Set, Iterator, NamedTuple, Sequence

from graphlang.diagnostics import Span
from graphlang.syntax.lalr import END, Token
from graphlang.syntax.lexing import known_names
from graphlang.syntax.parser import parse_tokens
from graphlang.syntax.pieces import JOINING, pieces, statements
from graphlang.syntax.tidy_align import align, with_comments
from graphlang.syntax.tidy_layout import Gap, Line, Statement, gap
from graphlang.syntax.tidy_spacing import spelled


def tidy(text: str) -> str:
    """The text in the one style. A second time it changes nothing. Never raises."""
    text = plain(text)
    names = known_names(text)
    after = "".join(line + "\n" for line in _lines(_parts(text, names)))
    # Which `dJ/dx` is the derivative follows from what the whole text defines: if that looks different now, nothing is to change.
    return after if known_names(after) == names else text + "\n"


def plain(text: str) -> str:
    """Without a byte-order mark, ends of lines other than \\n, blanks at the ends of lines and blank lines at both ends."""
    lines = [line.rstrip(" \t\r\ufeff") for line in text.split("\n")]
    return "\n".join(lines).strip("\n").lstrip("\ufeff")


class Cut(NamedTuple):
    """A statement of a text, and its tokens (without the end) if nothing is wrong with it."""

    at: Span
    tokens: tuple[Token, ...] | None


def cut(text: str, names: Set[str]) -> Iterator[Cut]:
    """The statements of a text, as they are told apart when mistakes are explained."""
    for at in statements(text):
        part = text[at.start : at.end]
        tokens, right, failure = parse_tokens(part, names)
        if failure is not None:
            inner = statements(part, recover=True)
            if len(inner) > 1:
                for span in inner:
                    tokens, right, _ = parse_tokens(part[span.start : span.end], names)
                    yield Cut(Span(at.start + span.start, at.start + span.end), _without_end(tokens) if right else None)
                continue
        yield Cut(at, _without_end(tokens) if right else None)


def _without_end(tokens: Sequence[Token]) -> tuple[Token, ...]:
    return tuple(tokens[:-1] if tokens[-1].kind == END else tokens)


_SEMICOLON = re.compile(r"(?:[ \t\n\ufeff]|#[^\n]*)*+;")


class Kept(NamedTuple):
    """A statement that is written as it was, with the blanks before it."""

    text: str

    def lines(self) -> list[Line]:
        return [Line(line) for line in self.text.split("\n")]


Part = Statement | Kept | Gap


def _parts(text: str, names: Set[str]) -> Iterator[Part]:
    """A gap, then by turns a statement and the gap behind it."""
    end = 0
    for at, tokens in _joined(text, cut(text, names)):
        yield gap(text[end : at.start])
        statement = _statement(text[at.start : at.end], tokens, names)
        if statement is None:
            begin = text.rfind("\n", end, at.start) + 1 or end
            before = "" if text[begin : at.start].strip(" \t") else text[begin : at.start]
            yield Kept(before + text[at.start : at.end] + ";" * _needs_semicolon(text, at))
        else:
            yield statement
        end = at.end
    yield gap(text[end:] + "\n")


def _needs_semicolon(text: str, at: Span) -> bool:
    """Whether a `;` is all that keeps a statement with a mistake, `x = a +`, apart from what follows."""
    if not _SEMICOLON.match(text, at.end):
        return False
    last = pieces(text[at.start : at.end])[-1]
    return last.kind == "comma" or last.text in JOINING or last.text == "\r"  # at the end of a line that would be a blank


def _joined(text: str, cuts: Iterator[Cut]) -> Iterator[Cut]:
    """What is wrong, together with what shares a line with it: alone, either could mean something else."""
    last: Cut | None = None
    for one in cuts:
        if last is not None:
            if (last.tokens is None or one.tokens is None) and "\n" not in text[last.at.end : one.at.start]:
                last = Cut(last.at.to(one.at), None)
                continue
            yield last
        last = one
    if last is not None:
        yield last


def _statement(text: str, tokens: Sequence[Token] | None, names: Set[str]) -> Statement | None:
    """None for what is to be kept: mistakes, quizzes, and what would not have the same tokens again."""
    if tokens is None or tokens[0].kind in ("QUIZ", "EXAM"):
        return None
    made = Statement(text, tokens)
    if made.is_as_written(text):
        return made
    again, right, _ = parse_tokens("\n".join(with_comments(made.lines())), names)
    before = [(t.kind, spelled(t)) for t in made.tokens]
    after = [(t.kind, spelled(t)) for t in again if t.kind not in ("SEP", END)]
    return made if right and before == after else None


# ---- putting together


def _lines(parts: Iterator[Part]) -> Iterator[str]:
    """Group by group; groups are parted by blank lines."""
    group: list[Statement | Kept | Line] = []
    started = False
    for part in parts:
        if not isinstance(part, Gap):
            group.append(part)
            continue
        if part.trailing:
            group.append(Line("", part.trailing, 0 if not started and not group else None))
        for line in part.between:
            if line:
                group.append(Line("", line, 0))
            elif group:
                yield from _group(group, started)
                group, started = [], True
    if group:
        yield from _group(group, started)


def _group(group: list[Statement | Kept | Line], started: bool) -> Iterator[str]:
    align([g if isinstance(g, Statement) else None for g in group if not isinstance(g, Line)])
    lines: list[Line] = []
    for g in group:
        if not isinstance(g, Line):
            lines += g.lines()
        elif g.alone is None:
            lines[-1] = lines[-1]._replace(comment=g.comment)  # behind the statement
        else:
            lines.append(g)
    if started:
        yield ""
    yield from with_comments(lines)
