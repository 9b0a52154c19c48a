"""Between the lexer and the parser: which newlines count, and which `dist/duration` is a derivative."""

from __future__ import annotations

import re
from typing import AbstractSet as Set, Iterable, Iterator

from graphlang.syntax.lalr import END, Tables, Token
from graphlang.syntax.names import NotAName, canonical

# After one of these a newline is a blank: what they join is still to come.
_UNFINISHED = frozenset({"COMMA", "PLUS", "MINUS", "STAR", "SLASH", "AT", "CARET", "CMP", "DOTS"})
_SPECIAL = frozenset({"SEP", "LPAR", "LSQB", "RPAR", "RSQB", "DERIV", "END"})

_NAME = r"[^\W\d][\w\u0300-\u036f]*"
_HEAD = re.compile(
    # Comments and strings are passed over, so that what they hold is not taken for a statement.
    rf'#[^\n]*|"(?:[^"\\\n]|\\.)*"'
    rf"|(?:^\ufeff?|;)[ \t]*(?:override[ \t]+)?(?:"
    rf"(?P<equation>{_NAME})[ \t]*(?:\[[^\]\n;]*\][ \t]*)?=(?!=)"
    rf"|(?P<role>input|param|data|const|dim)[ \t]+(?={_NAME}))",
    re.MULTILINE,
)
_PIECE = re.compile(rf'#[^\n]*|"(?:[^"\\\n]|\\.)*"|{_NAME}|\r?\n[ \t\r\n]*|[^ \t]')
_BLOCK = re.compile(r'#[^\n]*|"(?:[^"\\\n]|\\.)*"|^[ \t]*(?P<word>quiz|exam|train)\b[^\n{=]*\{|[{}]', re.MULTILINE)


def known_names(text: str) -> set[str]:
    """The canonical names of the variables that the statements of `text` define, by a scan of their heads.

    It runs before there is a tree, on programs with mistakes too, so it takes what looks like a definition.
    """
    found: set[str] = set()
    text = _without_blocks(text)
    for head in _HEAD.finditer(text):
        if name := head["equation"]:
            found.add(name)
        elif head["role"]:
            found.update(_declared(text, head.end()))
    return {plain for name in found if (plain := _canonical_or_nothing(name))}


def _declared(text: str, start: int) -> Iterator[str]:
    """The names of `x = 2, W[4, 3] = normal(0, 1), t`: those that follow the role or a comma outside of brackets."""
    depth, wanted = 0, True
    for piece in _PIECE.finditer(text, start):
        match piece[0][0]:
            case "#" | '"':
                continue
            case "(" | "[":
                depth += 1
            case ")" | "]":
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


def _without_blocks(text: str) -> str:
    """The text with the blocks of quizzes, exams and training blanked: their names are their own."""
    if "{" not in text:
        return text
    kept, start, depth = [], 0, 0
    for piece in _BLOCK.finditer(text):
        if piece["word"] and depth == 0:
            kept.append(text[start : piece.start()])
            depth = 1
        elif depth and piece[0][-1] == "{":
            depth += 1
        elif depth and piece[0] == "}":
            depth -= 1
            start = piece.end()
    if depth == 0:
        kept.append(text[start:])
    return "".join(kept)


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

    def begin(self, text: str, extra: Iterable[str] = (), names: Set[str] | None = None) -> None:
        """Set the text to come, and the names known beside its own (the session's, included ones); or all `names`."""
        self.text = text
        self._extra = extra
        self._names = names

    @property
    def names(self) -> Set[str]:
        """The program's names, looked for when they are first needed."""
        if self._names is None:
            self._names = known_names(self.text).union(self._extra)
        return self._names

    def tokens(self, tables: Tables, stack: list[int]) -> Iterator[Token]:
        """The tokens of the text; `stack` holds the parser's states, the present one last."""
        text, matchers, words = self.text, tables.matchers, tables.words
        at, depth, last = 0, 0, ""
        make = tuple.__new__
        while True:
            match = (matchers.get(stack[-1]) or tables.matcher(stack[-1]))(text, at)
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
                elif kind == "END":
                    yield Token(END, "", start, start)
                    return
                elif not self._is_derivative(token.text):
                    yield from _split(token)
                    at, last = end, "NAME"
                    continue
            yield token
            at, last = end, kind

    def _is_derivative(self, text: str) -> bool:
        """Whether `dJ/dx` is the derivative: J and x are variables, and neither dJ nor dx is."""
        if text[0] == "∂":
            return True
        above, below = (_canonical_or_nothing(part[1:]) for part in text.split("/"))
        names = self.names
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
