"""Derivatives of det, slogdet, inv and solve, as expressions; and how `solve(A, b)` is one reduction.

The reduction `_solve` runs over the elements of A and then over those of b. Its binders are a part (1: A, 2: b), a row and a column,
and there is one column in part 2. So no read leaves its range, and the rule below, taken apart by the list in the body,
gives the derivative by A and by b.
"""

from __future__ import annotations

from typing import NamedTuple

from graphlang.graph.affine import from_affine, tidy_index
from graphlang.graph.expressions import Bound, Expr, Pick, Reduce
from graphlang.graph.substitute import substitute


class System(NamedTuple):
    """A x = b: `matrix` over `row` and `column`, `right` over `row`."""

    matrix: Expr
    right: Expr
    row: Bound
    column: Bound


def augmented(part: str, s: System) -> tuple[tuple[Bound, ...], Expr]:
    """Binders and body of the `_solve` of a system; `part` is a name for the first index."""
    pool = s.matrix.pool
    low, high = int(s.column.low.value), int(s.column.high.value)
    more = high - low
    last = from_affine(pool, high + more, {part: -more} if more else {})
    binders = pool.bound(part, pool.one, pool.number(2)), s.row, pool.bound(s.column.index, s.column.low, last)
    return binders, pool.pick((s.matrix, s.right), (2,), (pool.index(part),))


def system(r: Reduce) -> System:
    """What a `_solve` is made of."""
    part, row, column = r.binders
    assert type(r.body) is Pick
    matrix, right = r.body.items
    high = tidy_index(substitute(column.high, {part.index: r.pool.one}))
    return System(matrix, right, row, r.pool.bound(column.index, column.low, high))


def transposed(r: Reduce) -> tuple[Bound, ...]:
    """The ranges of an inverse: columns, rows."""
    row, column = r.binders
    return column, row


def columns(r: Reduce) -> tuple[Bound, ...]:
    return (system(r).column,)


# ---- rules


def _inverse(r: Reduce) -> Expr:
    """inv(A)[j,i] for the element A[i,j] at hand."""
    row, column = r.binders
    return r.pool.reduce("inv", r.binders, r.body, (r.pool.index(column.index), r.pool.index(row.index)))


def det_shown(r: Reduce, result) -> Expr:
    """Jacobi's formula. It has no value where A is singular; the cofactors have."""
    return result(r.at) * _inverse(r)


def det_computed(r: Reduce, result) -> Expr:
    row, column = r.binders
    return r.pool.reduce("_cofactor", r.binders, r.body, (r.pool.index(row.index), r.pool.index(column.index)))


def cofactor(r: Reduce, result) -> Expr:
    """The cofactor at (k, l) is the determinant with row k replaced by that of the unit matrix which has its 1 in column l."""
    pool, (k, m) = r.pool, r.at
    row, column = (pool.index(b.index) for b in r.binders)
    same = pool.call("==", row, k)
    replaced = pool.where(same, pool.call("==", column, m), r.body)
    return pool.where(same, pool.zero, pool.reduce("_cofactor", r.binders, replaced, (row, column)))


def slogdet(r: Reduce, result) -> Expr:
    return _inverse(r)


def inverse(r: Reduce, result) -> Expr:
    (k, m), (row, column) = r.at, (r.pool.index(b.index) for b in r.binders)
    return -(result((k, row)) * result((column, m)))


def solution(r: Reduce, result) -> Expr:
    pool, s = r.pool, system(r)
    part, row, column = (pool.index(b.index) for b in r.binders)
    by_right = pool.reduce("inv", (s.row, s.column), s.matrix, (*r.at, row))
    return pool.where(pool.call("==", part, pool.one), -(by_right * result((column,))), by_right)
