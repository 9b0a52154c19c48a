"""Prose in the strings of a quiz: words, `{x}` for a value, and backticks around an expression that is typeset.

`{{` and `}}` are braces. Every piece has its place in the file, so what is wrong in it is told where it stands.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from graphlang.diagnostics import Diagnostic, Span

WORDS, VALUE, FORMULA = "words", "value", "formula"

_PIECE = re.compile(r'\\["\\]|\{\{|\}\}|[{}`]|[^\\{}`]+|\\')


class Cut(NamedTuple):
    """A piece: its kind, the words as they are read, and the place: of words in the string, of an expression without its braces or backticks."""

    kind: str
    words: str
    at: Span


def cut(text: str, string: Span) -> tuple[list[Cut], list[Diagnostic]]:
    """The pieces of a string of a file, whose place has its quotes, and what is wrong with them."""
    begin, end = string.start + 1, string.end - 1
    found: list[Cut] = []
    wrong: list[Diagnostic] = []
    words, first, at = "", begin, begin
    while at < end:
        piece = _PIECE.match(text, at, end)[0]
        after = at + len(piece)
        if piece in ("{", "`"):
            closer = text.find("}" if piece == "{" else "`", after, end)
            if words:
                found.append(Cut(WORDS, words, Span(first, at)))
                words = ""
            if closer < 0:
                wrong.append(_unpaired(piece, at))
                return found, wrong
            inside = Span(after, closer)
            if not text[after:closer].strip():
                wrong.append(Diagnostic("E707", f"nothing stands between `{piece}` and `{text[closer]}`".replace("```", "`` ` ``"), Span(at, closer + 1), "an expression is wanted", (),
                                        ("`{x}` is the value of x",) if piece == "{" else ()))
            else:
                found.append(Cut(VALUE if piece == "{" else FORMULA, "", inside))
            first = at = closer + 1
            continue
        if piece == "}":
            wrong.append(_unpaired(piece, at))
        words += piece[1:] if piece in ('\\"', "\\\\", "{{", "}}") else piece
        at = after
    if words:
        found.append(Cut(WORDS, words, Span(first, end)))
    return found, wrong


def _unpaired(sign: str, at: int) -> Diagnostic:
    if sign == "`":
        return Diagnostic("E707", "a backtick has no second one", Span(at, at + 1), "an expression begins here", (), ("close it with a backtick behind the expression",))
    other = "}" if sign == "{" else "{"
    return Diagnostic("E707", f"`{sign}` has no `{other}`", Span(at, at + 1), "", (), (f"`{{x}}` is the value of x; `{sign}{sign}` is a brace",))
