"""Statements that give leaves their values, as texts."""

from __future__ import annotations

from graphlang.repl.items import Item
from graphlang.diagnostics import Source
from graphlang.syntax.parser import parse


def as_leaf(one: Item, role: str) -> Item:
    """`x = 2` as `input x = 2`."""
    return one._replace(text=f"{role} {one.text}", kind="declaration", role=role, constant=False, lead=len(role) + 1)


def valued(leaf: Item, equation: Item) -> Item:
    """A leaf with the value that an equation gives it: `x = 3` for `input x[0..2] = 1`."""
    (s,) = parse(Source("", leaf.text)).statements
    (i,) = s.items
    head = leaf.text[: (i.value.span.start if i.value is not None else i.span.end)].rstrip()
    head = head if i.value is not None else f"{head} ="
    value = equation.text.partition("=")[2].strip()
    return leaf._replace(text=f"{head} {value}", origin=equation.origin, within=equation.within + len(equation.text) - len(value), lead=len(head) + 1)


def written(value) -> str:
    """A value as a list of the language."""
    return "[" + ", ".join(map(written, value)) + "]" if isinstance(value, list) else f"{value:.17g}" if float(f"{value:.15g}") != value else f"{value:.15g}"


def text_at(text: str, node) -> str:
    return text[node.span.start : node.span.end]
