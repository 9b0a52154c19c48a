"""Between the lexer and the parser: which newlines count, and which `dist/duration` is a derivative."""

from __future__ import annotations

import re
from typing import AbstractSet as Set, Iterable, Iterator, NamedTuple

from graphlang.diagnostics import Span
from graphlang.syntax.lalr import END, Tables, Token
from graphlang.syntax.names import NotAName, canonical

# After one of these a newline is a blank: what they join is still to come.
_UNFINISHED = frozenset({"COMMA", "PLUS", "MINUS", "STAR", "SLASH", "AT", "CARET", "CMP", "DOTS"})
_SPECIAL = frozenset({"SEP", "LPAR", "LSQB", "LBRACE", "RPAR", "RSQB", "RBRACE", "DERIV", "END"})

_NAME = r"[^\W\d][\w\u0300-\u036f]*"
_HEAD = re.compile(
    # Comments and strings are passed over, so that what they hold is not taken for a statement.
    rf'#[^\n]*|"(?:[^"\\\n]|\\.)*"'
    rf"|(?:^\ufeff?|;)[ \t]*(?:override[ \t]+)?(?:"
    rf"(?P<equation>{_NAME})[ \t]*(?:\[[^\]\n;]*\][ \t]*)?=(?!=)"
    rf"|(?P<role>input|param|data|const|dim)[ \t]+(?={_NAME})"
    rf"|(?P<vary>vary)[ \t]+(?={_NAME}[ \t]+in\b))",
    re.MULTILINE,
)
_PIECE = re.compile(rf'#[^\n]*|"(?:[^"\\\n]|\\.)*"|{_NAME}|\r?\n[ \t\r\n]*|[^ \t]')
_BLOCK = re.compile(
    r'#[^\n]*|(?:^|;)[ \t\ufeff]*(?P<word>quiz|exam|train)\b(?:"(?:[^"\\\n]|\\.)*"|[^\n{="#])*\{|"(?:[^"\\\n]|\\.)*"|[{}]', re.MULTILINE
)


class Block(NamedTuple):
    """A statement with a block: its word, where it begins, and what stands in its braces."""

    word: str
    start: int
    inside: Span


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a text; one that is not closed goes on to its end. Found without a parser."""
    if "{" not in text:
        return
    depth, word, start, begin = 0, "", 0, 0
    for piece in _BLOCK.finditer(text):
        if piece["word"] and depth == 0:
            depth, word, start, begin = 1, piece["word"], piece.start("word"), piece.end()
        elif depth and piece[0][-1] == "{" and piece[0][0] not in '#"':
            depth += 1
        elif depth and piece[0] == "}":
            depth -= 1
            if depth == 0:
                yield Block(word, start, Span(begin, piece.start()))
    if depth:
        yield Block(word, start, Span(begin, len(text)))


def known_names(text: str) -> set[str]:
    """The canonical names of the variables that the statements of `text` define, by a scan of their heads.

    It runs before there is a tree, on programs with mistakes too, so it takes what looks like a definition. The names in
    the blocks of quizzes, exams and training are their own.
    """
    kept, start = [], 0
    for block in blocks(text):
        kept.append(text[start : block.start])
        start = block.inside.end
    return _defined("".join(kept) + text[start:] if kept else text)


def quiz_names(text: str) -> list[tuple[Span, set[str]]]:
    """The insides of the blocks of quizzes, and the names that each defines."""
    return [(block.inside, _defined(text[block.inside.start : block.inside.end])) for block in blocks(text) if block.word == "quiz"]


def _defined(text: str) -> set[str]:
    found: set[str] = set()
    for head in _HEAD.finditer(text):
        if name := head["equation"]:
            found.add(name)
        elif head["role"] or head["vary"]:
            found.update(_declared(text, head.end()))
    return {plain for name in found if (plain := _canonical_or_nothing(name))}


def _declared(text: str, start: int) -> Iterator[str]:
    """The names of `x = 2, W[4, 3] = normal(0, 1), t`: those that follow the role or a comma outside of brackets."""
    depth, wanted = 0, True
    for piece in _PIECE.finditer(text, start):
        match piece[0][0]:
            case "#" | '"':
                continue
            case "(" | "[" | "{":
                depth += 1
            case ")" | "]" | "}":
                depth -= 1
            case "," if depth <= 0:
                wanted = True
                continue
            case ";":
                return
            case "\n" | "\r":
                if depth <= 0 and not wanted:
                    return
                continue
            case first if wanted and (first.isalpha() or first == "_"):
                yield piece[0]
        wanted = False


def _canonical_or_nothing(name: str) -> str:
    try:
        return canonical(name)
    except NotAName:
        return ""


class Lexer:
    """Gives the parser its tokens one by one. What it reads depends on the parser's state (a keyword is one only where
    it can stand), so a token is never held back or looked at ahead of time."""

    def __init__(self) -> None:
        self.begin("")

    def begin(self, text: str, extra: Iterable[str] = (), names: Set[str] | None = None, first: int = 0) -> None:
        """Set the text to come, from the offset `first`, and the names known beside its own (the session's, included ones); or all `names`."""
        self.text, self.first = text, first
        self._extra = extra
        self._names = names
        self._quizzes: list[tuple[Span, set[str]]] | None = None

    @property
    def names(self) -> Set[str]:
        """The program's names, looked for when they are first needed."""
        if self._names is None:
            self._names = known_names(self.text).union(self._extra)
        return self._names

    def names_at(self, offset: int) -> Set[str]:
        """The names known at a place: in the block of a quiz, its own."""
        if self._quizzes is None:
            self._quizzes = quiz_names(self.text) if not self.first else []  # or it is an expression of which all names are given
        for inside, names in self._quizzes:
            if inside.start <= offset < inside.end:
                return names
        return self.names

    def tokens(self, tables: Tables, stack: list[int]) -> Iterator[Token]:
        """The tokens of the text; `stack` holds the parser's states, the present one last."""
        text, find, words = self.text, tables.match, tables.words
        at, depth, last = self.first, 0, ""
        values = False  # in the braces of `vary x in {1, 2}`, which are brackets; others are of blocks
        make = tuple.__new__
        while True:
            match = find(text, at)
            if match is None:
                yield Token("", "", _skip_blanks(text, at), at)
                return
            kind = match.lastgroup
            start, end = match.span(kind)
            piece = text[start:end]
            if piece in words and kind == "NAME":
                kind = tables.word(piece, stack[-1], text, start)
            token = make(Token, (kind, piece, start, end))
            if kind in _SPECIAL:
                if kind == "SEP":
                    # A `;` inside of brackets is let through to fail there.
                    if (depth or last in _UNFINISHED) and not _has_semicolon(token.text):
                        at = end
                        continue
                elif kind == "LPAR" or kind == "LSQB":
                    depth += 1
                elif kind == "RPAR" or kind == "RSQB":
                    depth -= 1
                elif kind == "LBRACE":
                    if last == "IN":
                        values, depth = True, depth + 1
                elif kind == "RBRACE":
                    if values:
                        values, depth = False, depth - 1
                elif kind == "END":
                    yield Token(END, "", start, start)
                    return
                elif not self._is_derivative(piece, start):
                    yield from _split(token)
                    at, last = end, "NAME"
                    continue
            yield token
            at, last = end, kind

    def _is_derivative(self, text: str, at: int) -> bool:
        """Whether `dJ/dx` is the derivative: J and x are variables, and neither dJ nor dx is."""
        if text[0] == "∂":
            return True
        above, below = (_canonical_or_nothing(part[1:]) for part in text.split("/"))
        names = self.names_at(at)
        return above in names and below in names and not any(
            _canonical_or_nothing(part) in names for part in text.split("/")
        )


def _has_semicolon(separators: str) -> bool:
    return ";" in separators and any(";" in line.partition("#")[0] for line in separators.split("\n"))


def _split(token: Token) -> Iterator[Token]:
    """`dist/duration` as the three tokens of a division."""
    above, _, below = token.text.partition("/")
    middle = token.start + len(above)
    yield Token("NAME", above, token.start, middle)
    yield Token("SLASH", "/", middle, middle + 1)
    yield Token("NAME", below, middle + 1, token.end)


def _skip_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t":
        at += 1
    return at
