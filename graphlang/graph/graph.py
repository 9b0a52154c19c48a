"""The graph: variables, and the equations in index notation that define them.

A `Graph` is what the author wrote, what `expand` and the scalar view make of it, and what differentiation makes of
it: adjoints are variables with equations like all others.
"""

from __future__ import annotations

import re
from functools import lru_cache
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Callable, Iterable, Mapping, NamedTuple

from graphlang.diagnostics import Diagnostic, Source, Span
from graphlang.graph.expressions import Expr, Index, Pool, reads
from graphlang.graph.sizes import written
from graphlang.syntax import ast

if TYPE_CHECKING:
    from graphlang.graph.training import Training


class Range(NamedTuple):
    """low..high, both ends included; empty when high is low - 1."""

    low: int
    high: int

    @property
    def extent(self) -> int:
        return max(0, self.high - self.low + 1)

    def __str__(self) -> str:
        return f"{written(self.low)}..{written(self.high)}"


Box = tuple[Range, ...]


def meets(a: Box, b: Box) -> bool:
    return all(x.low <= y.high and y.low <= x.high for x, y in zip(a, b))


class Wanted(NamedTuple):
    """What a leaf takes from a file: columns by name or by number from 1 (none: all), of an `.npz` the array."""

    kind: str  # "csv", "npy"
    file: str
    at: Span
    columns: tuple[str | int, ...] = ()


class Initial(NamedTuple):
    """The value that a leaf is declared with: an expression in consts over the leaf's own indices, a list of
    numbers (row-major), a random initialiser, or a file. `load` reads the file's numbers; it raises GraphError."""

    kind: str  # "expression", "numbers", "normal", "uniform", "file"
    numbers: tuple[float, ...] = ()
    indices: tuple[str, ...] = ()
    expression: Expr | None = None
    arguments: tuple[Expr, ...] = ()
    load: Callable[[], list[float]] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Variable:
    """A named scalar or table. `role` is input, param, data, const or node; a node has equations, a leaf an initial
    value or none. `row` marks a row vector (made with .T)."""

    name: str
    role: str
    ranges: Box = ()
    span: Span | None = None
    initial: Initial | None = None
    row: bool = False
    symmetric: bool = False

    @property
    def is_leaf(self) -> bool:
        return self.role != "node"

    @property
    def size(self) -> int:
        n = 1
        for r in self.ranges:
            n *= r.extent
        return n


class Binding(NamedTuple):
    """An index and the range that it runs over."""

    index: str
    range: Range


@dataclass(frozen=True, slots=True, eq=False)
class Equation:
    """`target[subs] = value for bindings`. Each subscript is one of the bound indices or an integer.

    `source` is the statement as the author wrote it, for display; None for equations made by a pass.
    """

    target: str
    subs: tuple[Expr, ...]
    bindings: tuple[Binding, ...]
    value: Expr
    span: Span | None = None
    source: ast.Equation | None = None
    opaque: bool = False  # the value of a function that is known by its ranges only; its derivatives are shown as symbols

    @property
    def box(self) -> Box:
        """The elements of the target that this equation defines."""
        over = dict(self.bindings)
        return tuple(over[s.name] if type(s) is Index else Range(int(s.value), int(s.value)) for s in self.subs)


class Goal(NamedTuple):
    """`kind` is minimize, maximize or output (also when the program does not say). `element` picks from a table."""

    kind: str
    name: str
    element: tuple[int, ...] | None = None

    def __str__(self) -> str:
        return self.name if self.element is None else f"{self.name}[{','.join(map(str, self.element))}]"


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Variables by name and equations in the author's order. Verified by `build`: every read is inside its range,
    every element is defined once, no element depends on itself."""

    pool: Pool
    variables: dict[str, Variable]
    equations: tuple[Equation, ...]
    goals: tuple[Goal, ...] = ()
    source: Source | None = None
    consts: dict[str, float] = field(default_factory=dict)
    functions: dict[str, object] = field(default_factory=dict)
    expectations: tuple[ast.Expect, ...] = ()
    seed: int = 0
    warnings: tuple[Diagnostic, ...] = ()
    pieces: dict[str, list[Equation]] = field(default_factory=dict)
    plans: list = field(default_factory=list)  # the order of evaluation, once it is known (order.plan)
    asked: dict = field(default_factory=dict)  # derivatives that equations read, by the variable's name (derived.Asked)
    claims: tuple[ast.Claim, ...] = ()
    layouts: tuple[tuple[int, str], ...] = ()  # where in the source a layout begins to hold

    dims: tuple[str, ...] = ()  # sizes left symbolic: there are formulas and no numbers
    training: "Training | None" = None  # what the train block says
    again: Callable[[Mapping[str, float]], "Graph"] | None = None  # the same program with other consts and sizes

    def __post_init__(self):
        for e in () if self.pieces else self.equations:
            self.pieces.setdefault(e.target, []).append(e)


def ancestors(graph: Graph, names: Iterable[str]) -> set[str]:
    """The variables that some are made of, themselves included."""
    seen, todo = set(names), list(names)
    while todo:
        for e in graph.pieces.get(todo.pop(), ()):
            for r in reads(e.value):
                if r.name not in seen:
                    seen.add(r.name)
                    todo.append(r.name)
    return seen


def layout_at(layouts: tuple[tuple[int, str], ...], offset: int) -> str:
    """The layout of matrix derivatives that is in force at a place of the source."""
    return next((kind for start, kind in reversed(layouts) if start <= offset), "denominator")


@lru_cache(maxsize=1 << 17)
def natural(name: str) -> tuple:
    """A sort key under which x2 comes before x10."""
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name) if part)
