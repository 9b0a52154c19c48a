"""Determinants, inverses and solutions in exact arithmetic, on plain floats.

A float64 is a whole number times a power of two. So a matrix is one of whole numbers, rows and columns scaled by powers of
two, and elimination without fractions (Bareiss) finds its determinant and inverse exactly; each result is rounded once, at
the end. Whether a matrix is singular is decided, not estimated.

The whole numbers grow with the matrix. Beyond EXACT rows the inverse is found in fixed point, with PRECISION bits, and
accepted only if its exact product with the matrix is the identity but for 2^-CERTAIN; that proves that the matrix is not
singular, and bounds the error of each element by 2^-CERTAIN of the sum of its row. So all digits of a float64 are right but
in elements 2^-60 times smaller than others of their row; those that cannot be told from 0 are 0. Where the test fails, which takes
a matrix that is singular or so within some 100 bits, the exact way is taken, however long it is.

Matrices are flat and row-major. An element that is not finite makes every result nan.
"""

from __future__ import annotations

import math
from functools import lru_cache
from operator import mul
from typing import NamedTuple, Sequence

EXACT = 20              # rows up to which an inverse is found without fixed point: some 20 ms
EXACT_DETERMINANT = 40  # the same for a determinant: some 80 ms
PRECISION, CERTAIN = 256, 120

Rows = list[list[int]]


class Scaled(NamedTuple):
    """A matrix as whole numbers: element (i, j) is `rows[i][j]` · 2^(`left[i]` + `right[j]`)."""

    rows: Rows
    left: list[int]
    right: list[int]


class Inverse(NamedTuple):
    """Element (j, i) is `rows[j][i]` / `below` · 2^(`left[j]` + `right[i]`); `det` · 2^`power` is the matrix's determinant.
    `doubt[j]` bounds the error of `rows[j]`."""

    rows: Rows
    below: int
    left: list[int]
    right: list[int]
    det: int
    power: int
    doubt: list[int]


# ---- what the table of reductions calls


def determinant(values: Sequence[float]) -> float:
    """The correctly rounded determinant; 1 for no rows."""
    found = _determinant(values)
    return math.nan if found is None else rounded(found[0], 1, found[1])


def log_determinant(values: Sequence[float]) -> float:
    """log|det A|, also where det A itself is too large or too small for a float64; -inf where A is singular."""
    found = _determinant(values)
    if found is None:
        return math.nan
    det, power = abs(found[0]), found[1]
    if not det:
        return -math.inf
    power += det.bit_length() - 1  # the determinant is between 1 and 2, times 2^power
    mantissa = rounded(det, 1, 1 - det.bit_length())
    if power in (-1, 0):  # near 1 the logarithm is that of the distance from 1, which is known exactly
        whole = 1 << det.bit_length() - 1 - power
        return math.log1p(rounded(det - whole, whole, 0))
    return math.log(mantissa) + power * math.log(2.0)


def inverse(values: Sequence[float]) -> list[float]:
    """The inverse, row-major, each element correctly rounded; nan where the matrix is singular."""
    n = math.isqrt(len(values))
    found = invert(tuple(values), n)
    if found is None:
        return [math.nan] * len(values)
    return [rounded(found.rows[j][i], found.below, found.left[j] + found.right[i]) for j in range(n) for i in range(n)]


def solution(values: Sequence[float]) -> list[float]:
    """x with A x = b, correctly rounded; nan where A is singular. `values` are those of A, then those of b."""
    n = (math.isqrt(4 * len(values) + 1) - 1) // 2
    right = values[n * n :]
    found = invert(tuple(values[: n * n]), n)
    if found is None or not all(map(math.isfinite, right)):
        return [math.nan] * n
    b = _whole([right], [found.right])
    lowest, (numbers,) = b.left[0], b.rows
    shift = min(b.right, default=0)
    numbers = [v << e - shift for v, e in zip(numbers, b.right)]
    size = sum(map(abs, numbers))
    x = [sum(map(mul, row, numbers)) for row in found.rows]
    x = [0 if abs(v) <= 2 * doubt * size else v for v, doubt in zip(x, found.doubt)]
    return [rounded(v, found.below, left + lowest + shift) for v, left in zip(x, found.left)]


def cofactors(values: Sequence[float]) -> list[float]:
    """The derivative of the determinant by each element, correctly rounded, of a singular matrix too."""
    n = math.isqrt(len(values))
    if not all(map(math.isfinite, values)):
        return [math.nan] * len(values)
    found = invert(tuple(values), n)
    if found is not None:
        return [rounded(found.det * found.rows[j][i], found.below, found.power + found.left[j] + found.right[i])
                for i in range(n) for j in range(n)]
    matrix = scaled(values, n)
    _, free_rows, free_columns = echelon(matrix.rows)
    if len(free_rows) > 1:
        return [0.0] * len(values)
    # Of rank n - 1: with 1 added at (r, c), outside of the rows and columns that are independent, the matrix M is regular, and
    # its determinant is the cofactor at (r, c). The others follow from the null vectors, column r and row c of M's inverse.
    (r,), (c,) = free_rows, free_columns
    rows = [list(row) for row in matrix.rows]
    rows[r][c] += 1
    found = inverted(Scaled(rows, [0] * n, [0] * n))
    assert found is not None
    power = sum(matrix.left) + sum(matrix.right) + found.power
    column = [(found.rows[j][r], found.left[j] + found.right[r]) for j in range(n)]
    row = [(found.rows[c][i], found.left[c] + found.right[i]) for i in range(n)]
    return [rounded(found.det * a * b, found.below * found.below, power + p + q - matrix.left[i] - matrix.right[j])
            for i, (a, p) in enumerate(row) for j, (b, q) in enumerate(column)]


def rank(values: Sequence[float]) -> int:
    """Of a square matrix of finite numbers."""
    n = math.isqrt(len(values))
    return n - len(echelon(scaled(values, n).rows)[1])


# ---- between floats and whole numbers


def rounded(above: int, below: int, power: int) -> float:
    """above / below · 2^power as the nearest float64; an infinity where that is too large."""
    if not above:
        return 0.0  # 0 / -1 is -0.0
    if power >= 0:
        above <<= power
    else:
        below <<= -power
    try:
        return above / below
    except OverflowError:
        return math.inf if (above > 0) == (below > 0) else -math.inf


def scaled(values: Sequence[float], n: int) -> Scaled:
    rows = [values[k * n : (k + 1) * n] for k in range(n)]
    return _whole(rows, [[0] * n] * n)


def _whole(rows: Sequence[Sequence[float]], powers: Sequence[Sequence[int]]) -> Scaled:
    """Numbers times 2^powers as whole numbers, each row and then each column divided by the powers of two that it has in common."""
    taken = []
    for row, shifts in zip(rows, powers):
        out = []
        for v, shift in zip(row, shifts):
            above, below = v.as_integer_ratio()
            out.append((above, shift + 1 - below.bit_length()))
        taken.append(out)
    left = [min((e for v, e in row if v), default=0) for row in taken]
    whole = [[v << e - low if v else 0 for v, e in row] for row, low in zip(taken, left)]
    right = []
    for j in range(len(whole[0]) if whole else 0):
        both = 0
        for row in whole:
            both |= row[j]
        right.append((both & -both).bit_length() - 1 if both else 0)
    return Scaled([[v >> shift for v, shift in zip(row, right)] for row in whole], left, right)


# ---- elimination


def _determinant(values: Sequence[float]) -> tuple[int, int] | None:
    """(d, e): the determinant is d · 2^e. None where an element is not finite."""
    n = math.isqrt(len(values))
    if not all(map(math.isfinite, values)):
        return None
    found = invert(tuple(values), n) if n > EXACT_DETERMINANT else None
    if found is not None:
        return found.det, found.power
    matrix = scaled(values, n)
    return echelon(matrix.rows)[0], sum(matrix.left) + sum(matrix.right)


@lru_cache(maxsize=8)
def invert(values: tuple[float, ...], n: int) -> Inverse | None:
    """None where the matrix is singular or an element is not finite. Kept for a while: a program, its adjoints and what is shown of
    them ask for the same few again and again."""
    return inverted(scaled(values, n)) if all(map(math.isfinite, values)) else None


def inverted(matrix: Scaled) -> Inverse | None:
    if len(matrix.rows) > EXACT:
        found = fixed(matrix)
        if found is not None:
            return found
        if not echelon(matrix.rows)[0]:  # quicker to find than by the way to an inverse
            return None
    return exact(matrix)


def echelon(matrix: Rows) -> tuple[int, list[int], list[int]]:
    """The determinant, and the rows and columns outside of a largest regular part (none where it is not 0).

    Elimination without fractions: what stands in a row after k steps are determinants of k + 1 rows, so the division by the
    pivot before leaves no remainder.
    """
    n = len(matrix)
    rows, order, free = [list(row) for row in matrix], list(range(n)), []
    before, sign, k = 1, 1, 0
    for column in range(n):
        at = next((i for i in range(k, n) if rows[i][column]), None)
        if at is None:
            free.append(column)
            continue
        if at != k:
            rows[k], rows[at], order[k], order[at], sign = rows[at], rows[k], order[at], order[k], -sign
        top = rows[k]
        pivot, rest = top[column], top[column + 1 :]
        for row in rows[k + 1 :]:
            f = row[column]
            row[column + 1 :] = [(pivot * a - f * b) // before for a, b in zip(row[column + 1 :], rest)]
        before, k = pivot, k + 1
    return (0 if free else sign * before), order[k:], free


def exact(matrix: Scaled) -> Inverse | None:
    """The inverse in the place of the matrix, by Jordan's elimination without fractions; `below` is its determinant."""
    rows = [list(row) for row in matrix.rows]
    n, before, sign = len(rows), 1, 1
    order = list(range(n))
    for k in range(n):
        at = next((i for i in range(k, n) if rows[i][k]), None)
        if at is None:
            return None
        if at != k:
            rows[k], rows[at], order[k], order[at], sign = rows[at], rows[k], order[at], order[k], -sign
        top = rows[k]
        pivot = top[k]
        for i in range(n):
            if i != k:
                row = rows[i]
                f, row[k] = row[k], 0
                row = rows[i] = [(pivot * a - f * b) // before for a, b in zip(row, top)]
                row[k] = -f
        top[k], before = before, pivot
    return Inverse(_columns(rows, order), before, [-e for e in matrix.right], [-e for e in matrix.left],
                   sign * before, sum(matrix.left) + sum(matrix.right), [0] * n)


def fixed(matrix: Scaled) -> Inverse | None:
    """The same in fixed point; None where it is not certain."""
    n = len(matrix.rows)
    unit, order, det = 1 << PRECISION, list(range(n)), 1
    sizes = [max(abs(v) for v in row).bit_length() for row in matrix.rows]  # each row is divided by 2^size: at most 1
    shifts = [PRECISION - size for size in sizes]
    scale = [[v << s if s >= 0 else v >> -s for v in row] for row, s in zip(matrix.rows, shifts)]
    rows = [list(row) for row in scale]
    for k in range(n):
        at = max(range(k, n), key=lambda i: abs(rows[i][k]))
        if at != k:
            rows[k], rows[at], order[k], order[at], det = rows[at], rows[k], order[at], order[k], -det
        top = rows[k]
        pivot, top[k] = top[k], unit
        if not pivot:
            return None
        det *= pivot
        top = rows[k] = [(b << PRECISION) // pivot for b in top]
        for i in range(n):
            if i != k:
                row = rows[i]
                f, row[k] = row[k], 0
                if f:
                    rows[i] = [a - (f * b >> PRECISION) for a, b in zip(row, top)]
    rows = _columns(rows, order)
    across = list(zip(*rows))
    far = 0  # the largest row of |1 - A X|, summed, in units of 2^-2·PRECISION: of the matrix itself, not of its rounded copy
    for i, (row, size) in enumerate(zip(matrix.rows, sizes)):
        products = (sum(map(mul, row, column)) << PRECISION >> size for column in across)
        far = max(far, n + sum(abs(p - unit * unit if i == j else p) for j, p in enumerate(products)))
    if far > 1 << 2 * PRECISION - CERTAIN:
        return None
    doubt = [(2 * far * sum(map(abs, row)) >> 2 * PRECISION) + 1 for row in rows]
    rows = [[0 if abs(v) <= d else v for v in row] for row, d in zip(rows, doubt)]
    return Inverse(rows, 1, [-PRECISION - e for e in matrix.right], [-size - e for size, e in zip(sizes, matrix.left)],
                   det, sum(sizes) + sum(matrix.left) + sum(matrix.right) - n * PRECISION, doubt)


def _columns(rows: Rows, order: list[int]) -> Rows:
    """Columns back in their places: the rows of the matrix have been exchanged, and the inverse of P A is that of A times P'."""
    back = sorted(range(len(order)), key=order.__getitem__)
    return [[row[k] for k in back] for row in rows]
