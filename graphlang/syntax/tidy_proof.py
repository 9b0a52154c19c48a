"""Whether two texts are the same program but for their spelling: the proof that `graphlang fmt` asks for before it writes."""

from __future__ import annotations

import re
from typing import Any

from graphlang.diagnostics import Source, Span
from graphlang.syntax import ast
from graphlang.syntax.parser import parse
from graphlang.syntax.tidy import Reading, cut, reading
from graphlang.syntax.tidy_layout import comment

_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"?|(#[^\n]*)')


def same(before: str, after: str) -> bool:
    """Whether both have the same statements (equal trees, or where there is none, equal texts) and the same comments in the same
    order, and define the same names."""
    return same_program(reading(before), reading(after))


def same_program(before: Reading, after: Reading) -> bool:
    """The same of two texts that are read already."""
    if before.text == after.text:
        return True
    if before.names != after.names:
        return False
    (first, its), (second, others) = meaning(before), meaning(after)
    return its == others and len(first) == len(second) and all(map(_equal, first, second))


def meaning(whole: Reading) -> tuple[list[Any], list[str]]:
    """The statements of a text, of a mistake its text; and its comments."""
    text = whole.text
    if whole.statements is not None:
        return list(whole.statements), _comments(text)
    found: list[Any] = []
    comments: list[str] = []
    end = 0
    for at, tokens in cut(whole):
        comments += _comments(text[end : at.start])
        part = text[at.start : at.end]
        if tokens is None:
            found.append(part)
        else:
            found += parse(Source("", part), whole.names).statements
            comments += _comments(part)
        end = at.end
    return found, comments + _comments(text[end:])


def _comments(text: str) -> list[str]:
    return [comment(m[1]) for m in _COMMENT.finditer(text) if m[1] is not None]


def _equal(before: Any, after: Any) -> bool:
    """Whether two trees are equal but for places. No recursion: trees are deep."""
    stack = [((before,), (after,))]
    while stack:
        first, second = stack.pop()
        if len(first) != len(second):
            return False
        for a, b in zip(first, second):
            kind = a.__class__
            if kind is not b.__class__:
                return False
            if kind is Span:
                continue
            if isinstance(a, tuple):
                stack.append((a, b))
            elif a != b:
                return False
    return True
