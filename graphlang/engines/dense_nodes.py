"""The operations that a program by whole arrays is made of (dense.py), and how they hang together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Iterable, NamedTuple

from graphlang.graph.graph import Range

DIMENSION = "dimension "


class Axis(NamedTuple):
    """An index and the numbers that it runs over."""

    index: str
    range: Range


@dataclass(eq=False)
class Node:
    """One operation. `args` are nodes; `about` is what else it needs, by kind:

    number value · leaf name · constant numbers · index · time Time · same (its argument under other names) · stack (of scalars) ·
    view, for each dimension of the array: an integer, ("time", loop, factor, plus), or (start, count, step) · whole Range (as offsets) · inside Range ·
    take (an array, offsets) · call function · float (of a comparison) · sum axes · matmul (batch, rows, inner, columns) · align (to its
    axes) · reduce (function, how many axes at the end), of a condition too where not all elements count · scatter (Range, how many axes its offsets have) · zeros · store (view, axes) · loop Looping
    """

    kind: str
    args: tuple["Node", ...]
    about: object
    axes: tuple[Axis, ...]
    note: str = ""

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(a.range.extent for a in self.axes)

    @property
    def size(self) -> int:
        return math.prod(self.shape)


class Block:
    """Nodes that run one after the other; what is known in it by expression and ranges."""

    def __init__(self, times: frozenset[str] = frozenset(), tables: frozenset[str] = frozenset()):
        self.nodes: list[Node] = []
        self.known: dict[tuple, Node] = {}
        self.times, self.tables = times, tables  # the loops' indices that have a value in it; tables that are being filled


class Looping(NamedTuple):
    """What a node of kind `loop` runs: `body` for each value of `name`; `tables` are those that it fills."""

    name: str
    low: int
    high: int
    step: int
    body: list[Node]
    tables: tuple[Node, ...]


def root(node: Node) -> Node:
    """The node that has a name in the source."""
    while node.kind == "same":
        node = node.args[0]
    return node


def plain(node: Node) -> Node:
    """The node whose values these are, in whatever order of axes."""
    while node.kind in ("same", "align"):
        node = node.args[0]
    return node


def prune(nodes: list[Node], read: set[int]) -> None:
    """Drop what nothing reads; `read` are nodes that are wanted."""
    kept = []
    for node in reversed(nodes):
        if node.kind == "loop":
            prune(node.about.body, read)
        elif node.kind != "store" and id(node) not in read:
            continue
        read.update(id(root(a)) for a in node.args)
        kept.append(node)
    nodes[:] = reversed(kept)


def alias(node: Node, axes: Iterable[Axis]) -> Node:
    """The same values under other names of its axes."""
    return Node("same", (node,), None, tuple(axes)) if node.axes else node


def dimensions(ranges: Iterable[Range]) -> tuple[Axis, ...]:
    """The axes of an array as such."""
    return tuple(Axis(f"{DIMENSION}{d}", r) for d, r in enumerate(ranges))
