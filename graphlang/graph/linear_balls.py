"""Determinants, inverses and solutions over balls; what they give is in `linear.py`.

Small determinants and cofactors are found without a division, so those of numbers that are exact and few are exact, and
singular matrices are as good as others. Elimination wants pivots that are certainly not 0: where there is none an inverse
is nan.
"""

from __future__ import annotations

import math
from typing import Sequence

from graphlang.graph.balls import like, nan

WITHOUT_DIVISION = 8  # rows: n^4 products


def determinant(values: Sequence):
    n = math.isqrt(len(values))
    rows = _rows(values, n)
    found = _eliminated(rows, [[] for _ in rows]) if n > WITHOUT_DIVISION else None
    return found[0] if found is not None else _bird(rows)


def log_determinant(values: Sequence):
    return abs(determinant(values)).log()


def inverse(values: Sequence) -> list:
    n = math.isqrt(len(values))
    unit = [[like(values[0], int(i == j)) for j in range(n)] for i in range(n)]
    found = _eliminated(_rows(values, n), unit)
    return [x for row in found[1] for x in row] if found is not None else [nan(values[0])] * len(values)


def solution(values: Sequence) -> list:
    """`values` are those of A, then those of b."""
    n = (math.isqrt(4 * len(values) + 1) - 1) // 2
    found = _eliminated(_rows(values, n), [[b] for b in values[n * n :]])
    return [x for (x,) in found[1]] if found is not None else [nan(values[0])] * n


def cofactors(values: Sequence) -> list:
    n = math.isqrt(len(values))
    rows = _rows(values, n)
    if n == 1:
        return [like(values[0], 1)]
    if n > WITHOUT_DIVISION:
        unit = [[like(values[0], int(i == j)) for j in range(n)] for i in range(n)]
        found = _eliminated(rows, unit)
        if found is not None:
            det, x = found
            return [det * x[j][i] for i in range(n) for j in range(n)]
    return [(-1) ** (i + j) * determinant([v for r, row in enumerate(rows) if r != i for c, v in enumerate(row) if c != j])
            for i in range(n) for j in range(n)]


def _rows(values: Sequence, n: int) -> list[list]:
    return [list(values[k * n : (k + 1) * n]) for k in range(n)]


def _bird(a: list[list]):
    """The determinant by products and sums only (Bird, 2011)."""
    n = len(a)
    f = [list(row) for row in a]
    for _ in range(n - 1):
        below = like(a[0][0], 0)
        for i in reversed(range(n)):  # what stands above the diagonal stays; on it, minus the sum of the diagonal below
            own = f[i][i]
            f[i] = [below * 0 if j < i else -below if j == i else f[i][j] for j in range(n)]
            below = below + own
        f = [[sum((row[k] * a[k][j] for k in range(i + 1, n)), row[i] * a[i][j]) for j in range(n)] for i, row in enumerate(f)]
    return f[0][0] if n % 2 else -f[0][0]


def _eliminated(a: list[list], b: list[list]) -> tuple[object, list[list]] | None:
    """(det A, X with A X = B) by Jordan's elimination; None where no pivot is certain."""
    n, det = len(a), like(a[0][0], 1)
    rows = [[*x, *y] for x, y in zip(a, b)]
    for k in range(n):
        at = k
        for i in range(k + 1, n):
            if rows[i][k].abs_lower() > rows[at][k].abs_lower():
                at = i
        if not rows[at][k] != 0:
            return None
        if at != k:
            rows[k], rows[at], det = rows[at], rows[k], -det
        pivot = rows[k][k]
        det = det * pivot
        rows[k] = [x / pivot for x in rows[k]]
        for i in range(n):
            if i != k and not rows[i][k].is_zero():
                f = rows[i][k]
                rows[i] = [x - f * y for x, y in zip(rows[i], rows[k])]
    return det, [row[n:] for row in rows]
