"""Data that are used as subscripts, as `c` in `E[c]`: whole numbers, inside of the range, or told with their place before anything is trained."""

from __future__ import annotations

from typing import Iterator, Mapping, NamedTuple, Sequence

import numpy

from graphlang.diagnostics import Label
from graphlang.engines.reference import offset_of
from graphlang.graph.expressions import Number, Read, postorder
from graphlang.graph.gathers import gathers
from graphlang.graph.graph import Graph, Range, Variable
from graphlang.graph.training import Feed


class Wrong(NamedTuple):
    """`column` counts the elements that are filled, in the order of the feeds."""

    row: int
    column: int
    message: str
    labels: tuple[Label, ...] = ()
    hints: tuple[str, ...] = ()


class Use(NamedTuple):
    """A table that is read at elements of a leaf, `E[c[i]]`; `only`: the one element that it is, where that is a number, `E[c[2]]`."""

    table: Variable
    range: Range
    only: int | None


def wrong_subscripts(graph: Graph, feeds: Sequence[Feed], arrays: Mapping[str, object]) -> Iterator[Wrong]:
    """Row by row for each leaf. What equations work out from data before it is a subscript is seen only when a step fails."""
    used = gathers(graph)
    at = 0
    for feed in feeds:
        if feed.leaf in used:
            uses = list(direct(graph, feed.leaf))
            part = arrays[feed.leaf][:, list(feed.elements)]
            bad = part != numpy.floor(part)
            for use in uses:
                here = [k for k, element in enumerate(feed.elements) if use.only in (None, element)]
                bad[:, here] |= (part[:, here] < use.range.low) | (part[:, here] > use.range.high)
            for row, k in numpy.argwhere(bad).tolist():
                yield told(row, at + k, feed.names[k], float(part[row, k]), [u for u in uses if u.only in (None, feed.elements[k])])
        at += len(feed.elements)


def told(row: int, column: int, name: str, value: float, uses: Sequence[Use]) -> Wrong:
    if not value.is_integer():
        return Wrong(row, column, f"{value!r} is no whole number, and `{name}` is a subscript")
    use = next(u for u in uses if not u.range.low <= value <= u.range.high)
    return Wrong(row, column, f"`{use.table.name}` has no element {value:g}: its range is {use.range}",
                 (Label(use.table.span, f"`{use.table.name}` is read at `{name}`"),) if use.table.span else (), ("are the classes counted from another number?",))


def direct(graph: Graph, leaf: str) -> Iterator[Use]:
    """Where elements of a leaf are subscripts."""
    seen = set()
    for e in graph.equations:
        for node in () if e.value.plain else postorder(e.value):
            if type(node) is Read:
                v = graph.variables[node.name]
                for sub, r in zip(node.args, v.ranges):
                    if type(sub) is Read and sub.name == leaf:
                        numbers = all(type(a) is Number for a in sub.args)
                        use = Use(v, r, offset_of(sub.args, graph.variables[leaf].ranges, {}) if numbers else None)
                        if (v.name, r, use.only) not in seen:
                            seen.add((v.name, r, use.only))
                            yield use
