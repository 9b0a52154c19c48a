"""Whether two texts are the same program but for their spelling: the proof that `graphlang fmt` asks for before it writes."""

from __future__ import annotations

import re
from typing import Any

from graphlang.diagnostics import GraphError, Source, Span
from graphlang.syntax import ast
from graphlang.syntax.lexing import known_names
from graphlang.syntax.parser import parse, parse_tokens
from graphlang.syntax.tidy import cut, plain
from graphlang.syntax.tidy_layout import comment
from graphlang.syntax.tidy_spacing import spelled

_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"?|(#[^\n]*)')


def same(before: str, after: str) -> bool:
    """Whether both have the same statements (equal trees, or where there is none, equal texts) and the same comments in the same
    order, and define the same names."""
    before, after = plain(before), plain(after)
    return before == after or known_names(before) == known_names(after) and meaning(before) == meaning(after)


def meaning(text: str) -> tuple[list[Any], list[str]]:
    """The statements of a text as flat data without places, and its comments."""
    try:
        tree = parse(Source("", text))
    except GraphError:
        return _by_statement(text)
    found: list[Any] = []
    for s in tree.statements:
        found += _flat(s, text)
    return found, _comments(text)


def _by_statement(text: str) -> tuple[list[Any], list[str]]:
    names = known_names(text)
    found: list[Any] = []
    comments: list[str] = []
    end = 0
    for at, tokens in cut(text, names):
        comments += _comments(text[end : at.start])
        part = text[at.start : at.end]
        if tokens is None:
            found.append(part)
        else:
            for s in parse(Source("", part), names).statements:
                found += _flat(s, part)
            comments += _comments(part)
        end = at.end
    return found, comments + _comments(text[end:])


def _comments(text: str) -> list[str]:
    return [comment(m[1]) for m in _COMMENT.finditer(text) if m[1] is not None]


def _flat(s: ast.Statement, text: str) -> list[Any]:
    """A statement in the order of its tree, each node with its type and size. No recursion: trees are deep."""
    if type(s) is ast.Later:
        return [s.kind, _block(s, text)]
    out: list[Any] = []
    stack: list[Any] = [s]
    while stack:
        node = stack.pop()
        if isinstance(node, Span):
            continue
        if isinstance(node, tuple):
            out.append((type(node).__name__, len(node)))
            stack.extend(reversed(node))
        else:
            out.append(node)
    return out


def _block(s: ast.Later, text: str) -> Any:
    """Of a block, of which there is no tree: its text, or of `train` its tokens, and where its entries end."""
    text = text[s.span.start : s.span.end]
    if s.kind != "train":
        return text
    out: list[str] = []
    for token in parse_tokens(text, frozenset())[0]:
        if token.kind != "SEP":
            if out[-1:] == [";"] and (token.text == "}" or out[-2:-1] == ["{"]):
                out.pop()
            out.append(spelled(token))
        elif out[-1:] != [";"]:
            out.append(";")
    return out
