"""Expressions over whole tables, for the matrix forms of formulas: their syntax trees, shapes and transposes.

A `Whole` is a scalar, column, row or matrix expression. Those of one `Algebra` are interned, so `is` is equality, and
each is made together with its transpose: the spelling with the fewest `.T`, `A @ B.T` for that of `B @ A.T`.
"""

from __future__ import annotations

from typing import Iterable, Sequence

from graphlang.diagnostics import NOWHERE
from graphlang.graph.spell import OPERATORS, number
from graphlang.syntax import ast

SCALAR, COLUMN, ROW, MATRIX = "scalar", "column", "row", "matrix"
TURNED = {SCALAR: SCALAR, COLUMN: ROW, ROW: COLUMN, MATRIX: MATRIX}


class Whole:
    """`kind` is an operator, a function, or "name" and "number"; `args` are its operands, of a product all its factors.
    `cost`: the number of `.T` in it. `turned`: its transpose."""

    __slots__ = ("kind", "args", "shape", "tree", "cost", "turned", "lead")

    def __init__(self, kind: str, args: tuple, shape: str, tree: ast.Expr, cost: int, lead: str):
        self.kind, self.args, self.shape, self.tree, self.cost, self.lead = kind, args, shape, tree, cost, lead
        self.turned: Whole = self

    @property
    def is_product(self) -> bool:
        return self.kind == "@"


class Algebra:
    """Makes expressions over whole tables. `symmetric`: names of matrices that are their own transposes."""

    def __init__(self, symmetric: Iterable[str] = ()):
        self.symmetric = frozenset(symmetric)
        self._known: dict[tuple, Whole] = {}
        self.one = self.number(1.0)

    def number(self, value: float) -> Whole:
        return self._leaf("number", repr(value), SCALAR, number(value))

    def name(self, name: str, shape: str, tree: ast.Expr) -> Whole:
        return self._leaf("name", name, shape, tree)

    def element(self, tree: ast.Expr, key: str) -> Whole:
        """A scalar that is one element of a table."""
        return self._leaf("element", key, SCALAR, tree)

    def _leaf(self, kind: str, key: str, shape: str, tree: ast.Expr) -> Whole:
        found = self._known.get((kind, key))
        if found is None:
            found = self._known[kind, key] = Whole(kind, (), shape, tree, 0, key)
            if shape != SCALAR and key not in self.symmetric:
                self._transpose_of(found)
        return found

    def call(self, function: str, *args: Whole) -> Whole:
        """An elementwise function or operator: its tables have one shape."""
        shape = next((a.shape for a in args if a.shape != SCALAR), SCALAR)
        assert all(a.shape in (SCALAR, shape) for a in args)
        found = self._node(function, args, shape)
        if found.turned is found and shape != SCALAR:
            below = tuple(a.turned for a in args)
            if below == args or function in ("+", "*") and below == args[::-1]:
                return found  # symmetric
            self._pair(found, self._node(function, below, TURNED[shape]), function in OPERATORS)  # `sin(a).T`, but `2*A.T`
        return found

    def times(self, a: Whole, b: Whole) -> Whole:
        """a·b elementwise, without brackets around a product on the right."""
        right = []
        while b.kind in ("*", "/"):
            right.append((b.kind, b.args[1]))
            b = b.args[0]
        result = self.call("*", a, b)
        for sign, c in reversed(right):
            result = self.call(sign, result, c)
        return result

    def whole_call(self, function: str, args: Sequence[Whole], shape: str) -> Whole:
        """A function of whole tables: `trace(A)`, `softmax(x)`, `diag(v)`, `inv(A)`."""
        found = self._node(function, tuple(args), shape)
        symmetric = shape == MATRIX and (function == "diag" or function == "inv" and args[0].turned is args[0])
        if found.turned is found and shape != SCALAR and not symmetric:
            self._transpose_of(found)
        return found

    def product(self, factors: Sequence[Whole]) -> Whole:
        """`a @ b @ c`; the first may be a row and the last a column."""
        if len(factors) == 1:
            return factors[0]
        first, last = factors[0].shape == ROW, factors[-1].shape == COLUMN
        shape = SCALAR if first and last else ROW if first else COLUMN if last else MATRIX
        found = self._node("@", tuple(factors), shape)
        if found.turned is found and shape != SCALAR:
            below = tuple(f.turned for f in reversed(factors))
            if below != found.args:
                self._pair(found, self._node("@", below, TURNED[shape]))
        return found

    def _node(self, kind: str, args: tuple[Whole, ...], shape: str) -> Whole:
        found = self._known.get((kind, *args))
        if found is None:
            trees = tuple(a.tree for a in args)
            if kind == "@":
                tree = trees[0]
                for right in trees[1:]:
                    tree = ast.Op("@", (tree, right), NOWHERE)
            else:
                tree = ast.Op(kind, trees, NOWHERE) if kind in OPERATORS else ast.Call(kind, trees, (), NOWHERE, NOWHERE)
            lead = next((a.lead for a in args if a.kind != "number"), "")
            found = self._known[kind, *args] = Whole(kind, args, shape, tree, sum(a.cost for a in args), lead)
        return found

    def _pair(self, found: Whole, other: Whole, inside: bool = True) -> None:
        """`other` is a spelling of the transpose of `found`, used where it has fewer `.T`, or with `inside` as few."""
        if other.cost > found.cost + inside:
            self._transpose_of(found)
            other.turned = found
        else:
            found.turned, other.turned = other, found

    def _transpose_of(self, found: Whole) -> None:
        other = Whole("T", (found,), TURNED[found.shape], ast.Op("T", (found.tree,), NOWHERE), found.cost + 1, found.lead)
        found.turned, other.turned = self._known.setdefault(("T", found), other), found
