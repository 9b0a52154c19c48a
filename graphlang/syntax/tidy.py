"""A program in the one style of `graphlang fmt`, by its tokens.

Names, numbers, parentheses and line breaks inside of a statement are the author's. What changes are blanks, indentation, blank
lines and the spelling of signs (`**`, `−`, `·`). A statement that does not parse is kept as it is. The lines of a block are indented and
treated as a program is.

    tidy(text)            the text in this style; any text is accepted
    same(before, after)   tidy_proof.py: whether two texts mean the same

Both go by a `Reading` of a text, so that who needs both parses each text once. The text is cut into statements (`cut`), each becomes
lines (tidy_layout.py), with blanks between tokens as tidy_spacing.py says, and those that follow one another are aligned (tidy_align.py).
"""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import AbstractSet as Set, Iterator, NamedTuple, Sequence

from graphlang.diagnostics import Span
from graphlang.syntax import ast
from graphlang.syntax.lalr import END, Token
from graphlang.syntax.lexing import known_names
from graphlang.syntax.parser import parse_all, parse_tokens
from graphlang.syntax.pieces import JOINING, pieces, statements
from graphlang.syntax.tidy_align import align, with_comments
from graphlang.syntax.tidy_layout import Gap, Line, Statement, gap
from graphlang.syntax.tidy_spacing import spelled


class Reading(NamedTuple):
    """A text as `plain` leaves it, and what the parser finds in it: its tokens, and its statements if nothing is wrong with any."""

    text: str
    names: Set[str]
    tokens: Sequence[Token]
    statements: tuple[ast.Statement, ...] | None


def reading(text: str) -> Reading:
    text = plain(text)
    names = known_names(text)
    return Reading(text, names, *parse_all(text, names))


def tidy(text: str) -> str:
    """The text in the one style. A second time it changes nothing. Never raises."""
    return tidied(reading(text))[0]


def tidied(before: Reading) -> tuple[str, Reading]:
    """The text in the one style, and what is read in it."""
    if before.statements is not None:
        after, again = _made(before, check=False)
        if again.names == before.names and _same_tokens(before.tokens, again.tokens):
            return after, again
    after, again = _made(before, check=True)
    # Which `dJ/dx` is the derivative follows from what the whole text defines: if that looks different now, nothing is to change.
    return (after, again) if again.names == before.names else (before.text + "\n", before)


def _made(before: Reading, check: bool) -> tuple[str, Reading]:
    """`check`: a statement that would not have the same tokens again is kept; else that is found out of the whole text."""
    after = "".join(line + "\n" for line in _lines(_parts(before, check)))
    return after, before if plain(after) == before.text else reading(after)


def _same_tokens(before: Sequence[Token], after: Sequence[Token]) -> bool:
    """Whether two texts without mistakes have the same tokens in each of their statements."""
    pairs = zip_longest(by_statement(before), by_statement(after), fillvalue=())
    return all(_spelled_alike(a, b) for a, b in pairs)


def _spelled_alike(before: Sequence[Token], after: Sequence[Token]) -> bool:
    if len(before) != len(after):
        before, after = ([t for t in tokens if t.kind != "SEP"] for tokens in (before, after))  # between the lines of blocks
    return len(before) == len(after) and all(a[0] == b[0] and (a[1] == b[1] or a[0] == "SEP" or spelled(a) == spelled(b)) for a, b in zip(before, after))


def plain(text: str) -> str:
    """Without a byte-order mark, ends of lines other than \\n, blanks at the ends of lines and blank lines at both ends."""
    lines = [line.rstrip(" \t\r\ufeff") for line in text.split("\n")]
    return "\n".join(lines).strip("\n").lstrip("\ufeff")


class Cut(NamedTuple):
    """A statement of a text, and its tokens (without the end, in places of the whole text) if nothing is wrong with it."""

    at: Span
    tokens: tuple[Token, ...] | None


def cut(whole: Reading) -> Iterator[Cut]:
    """The statements of a text: those of the parser, or of a text with mistakes as they are told apart when those are explained."""
    if whole.statements is not None:
        return (Cut(Span(tokens[0].start, tokens[-1].end), tokens) for tokens in by_statement(whole.tokens))
    return _cut_by_hand(whole.text, whole.names)


def by_statement(tokens: Sequence[Token]) -> Iterator[tuple[Token, ...]]:
    """The tokens of each statement of a program without mistakes."""
    begin = blocks = 0
    for n, token in enumerate(tokens):
        kind = token[0]
        if kind == "LBRACE":
            blocks += 1
        elif kind == "RBRACE":
            blocks -= 1
        elif (kind == "SEP" or kind == END) and not blocks:
            if n > begin:
                yield tuple(tokens[begin:n])
            begin = n + 1


def _cut_by_hand(text: str, names: Set[str]) -> Iterator[Cut]:
    for at in statements(text):
        part = text[at.start : at.end]
        tokens, right, failure = parse_tokens(part, names)
        if failure is not None:
            inner = statements(part, recover=True)
            if len(inner) > 1:
                for span in inner:
                    tokens, right, _ = parse_tokens(part[span.start : span.end], names)
                    yield Cut(Span(at.start + span.start, at.start + span.end), _moved(tokens, at.start + span.start) if right else None)
                continue
        yield Cut(at, _moved(tokens, at.start) if right else None)


def _moved(tokens: Sequence[Token], by: int) -> tuple[Token, ...]:
    return tuple(Token(t.kind, t.text, t.start + by, t.end + by) for t in tokens if t.kind != END)


_SEMICOLON = re.compile(r"(?:[ \t\n\ufeff]|#[^\n]*)*+;")


class Kept(NamedTuple):
    """A statement that is written as it was, with the blanks before it."""

    text: str

    def lines(self) -> list[Line]:
        return [Line(line) for line in self.text.split("\n")]


class Block:
    """A statement with a block of lines, `quiz …` or the `ask …` in it: its head, up to the brace, and what is between its braces."""

    def __init__(self, text: str, tokens: Sequence[Token]):
        opener = next(n for n, t in enumerate(tokens) if t.kind == "LBRACE")
        self.head = Statement(text, tokens[: opener + 1])
        inner = list(_inside(text, tokens[opener], tokens[opener + 1 : -1], tokens[-1]))
        first = inner[0]
        self.comment = first.trailing  # behind the brace
        inner[0] = first._replace(trailing="").trimmed(True, len(inner) == 1)
        inner[-1] = inner[-1].trimmed(len(inner) == 1, True)
        self.inner = inner

    def lines(self) -> list[Line]:
        head = self.head.lines()
        head[-1] = head[-1]._replace(comment=self.comment)
        inside = [Line(INDENT + line if line else "") for line in _lines(iter(self.inner))]
        return [*head, *inside, Line("}")] if inside or self.comment else [*head[:-1], Line(head[-1].text + "}")]


def _inside(text: str, opener: Token, tokens: Sequence[Token], closer: Token) -> Iterator[Statement | Block | Gap]:
    """As `_parts`, of what stands in a block without mistakes."""
    end = opener.end
    for line in by_statement((*tokens, Token(END, "", closer.start, closer.start))):
        yield gap(text[end : line[0].start].replace(";", " "))
        yield Block(text, line) if line[0].kind in BLOCKS else Statement(text, line)
        end = line[-1].end
    yield gap(text[end : closer.start] + "\n" * ("\n" not in text[end : closer.start]))


Part = Statement | Block | Kept | Gap
INDENT = "  "
BLOCKS = ("QUIZ", "EXAM", "ASK", "FILL", "CHOOSE")


def _parts(whole: Reading, check: bool) -> Iterator[Part]:
    """A gap, then by turns a statement and the gap behind it."""
    end, text = 0, whole.text
    for at, tokens in _joined(text, cut(whole)):
        yield gap(text[end : at.start])
        statement = _statement(text, tokens, whole.names, check)
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


def _statement(text: str, tokens: Sequence[Token] | None, names: Set[str], check: bool) -> Statement | Block | None:
    """None for what is to be kept: mistakes, and with `check` what would not have the same tokens again."""
    if tokens is None:
        return None
    made = Block(text, tokens) if tokens[0].kind in BLOCKS else Statement(text, tokens)
    if not check or isinstance(made, Statement) and made.is_as_written():
        return made
    again, right, _ = parse_tokens("\n".join(with_comments(made.lines())), names)
    before = [(t.kind, spelled(t)) for t in tokens if t.kind != "SEP"]
    after = [(t.kind, spelled(t)) for t in again if t.kind not in ("SEP", END)]
    return made if right and before == after else None


# ---- putting together


def _lines(parts: Iterator[Part]) -> Iterator[str]:
    """Group by group; groups are parted by blank lines."""
    group: list[Statement | Block | Kept | Line] = []
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


def _group(group: list[Statement | Block | Kept | Line], started: bool) -> Iterator[str]:
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
