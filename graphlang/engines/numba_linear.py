"""det, slogdet, inv and solve for code that Numba compiles. Matrices are flat and row-major.

graph/linear.py has the meaning, in exact arithmetic. Here numbers are pairs of floats, high and low part, some 32 digits together (Dekker 1971),
and the pivot is the largest element of all that is left. So a result has all the digits of a float64 unless the matrix is nearly singular, which is
to say within some 10^-30 of a singular one: that counts as singular.
"""

from __future__ import annotations

import math
from math import inf, nan

import numpy

from graphlang.engines.numba_functions import fast, product_rest
from graphlang.engines.numba_reductions import fill, finite

NEAR = 2.0**-98  # what a pivot is less than, where the largest is 1, that differs from 0 by rounding only


@fast
def pair(a, b):
    """a + b where |a| is not less than |b|."""
    s = a + b
    return s, b - (s - a)


@fast
def add(a, aa, b, bb):
    s = a + b
    t = s - a
    return pair(s, (a - (s - t)) + (b - t) + aa + bb)


@fast
def times(a, aa, b, bb):
    p = a * b
    return pair(p, product_rest(a, b, p) + (a * bb + aa * b))


@fast
def over(a, aa, b, bb):
    q = a / b
    p, pp = times(q, 0.0, b, bb)
    r, rr = add(a, aa, -p, -pp)
    return pair(q, (r + rr) / b)


@fast
def eliminate(rows, low, n, width, order):
    """Jordan's elimination, in place, of n rows of `width` numbers of which the first n are a matrix: then the rest is its inverse times what
    it was, with the rows where the pivots were: that of column k is `order[k]`. The result: the determinant as (high, low, power of two) and how many pivots
    are 0; a single one that is the last is taken as a small number, so that the inverse is what it tends to."""
    det, small, power, missing = 1.0, 0.0, 0, 0
    used = numpy.zeros(n, numpy.bool_)
    gone = numpy.zeros(n, numpy.bool_)
    first = 0.0
    for step in range(n):
        top, row, column = 0.0, -1, -1
        for i in range(n):
            if not used[i]:
                for j in range(n):
                    if not gone[j]:
                        if row < 0 or abs(rows[i * width + j]) > top:
                            top, row, column = abs(rows[i * width + j]), i, j
        if step == 0:
            first = top
        pivot, rest = rows[row * width + column], low[row * width + column]
        if top <= first * NEAR:
            missing += 1
            if missing > 1:
                return 0.0, 0.0, 0, missing
            pivot, rest = (first if first != 0.0 else 1.0) * NEAR * NEAR, 0.0
        used[row], gone[column], order[column] = True, True, row
        det, small = times(det, small, pivot, rest)
        scale, shift = math.frexp(det)
        det, small, power = scale, math.ldexp(small, -shift), power + shift
        for j in range(width):
            at = row * width + j
            rows[at], low[at] = over(rows[at], low[at], pivot, rest)
        for i in range(n):
            if i != row:
                f, ff = rows[i * width + column], low[i * width + column]
                if f != 0.0:
                    for j in range(width):
                        p, pp = times(f, ff, rows[row * width + j], low[row * width + j])
                        rows[i * width + j], low[i * width + j] = add(rows[i * width + j], low[i * width + j], -p, -pp)
                rows[i * width + column], low[i * width + column] = 0.0, 0.0
    if odd(order):
        det, small = -det, -small
    return det, small, power, missing


@fast
def odd(order):
    """Whether a permutation takes an odd number of exchanges."""
    n, seen, result = len(order), numpy.zeros(len(order), numpy.bool_), False
    for start in range(n):
        k, length = start, 0
        while not seen[k]:
            seen[k] = True
            k = order[k]
            length += 1
        if length > 0 and length % 2 == 0:
            result = not result
    return result


@fast
def scaled(values, rows, n, width):
    """The matrix with its rows and then its columns divided by powers of two, so that the largest of each is near 1; and those powers."""
    left, right = numpy.zeros(n, numpy.int64), numpy.zeros(n, numpy.int64)
    for i in range(n):
        top = 0.0
        for j in range(n):
            top = max(top, abs(values[i * n + j]))
        left[i] = math.frexp(top)[1]
    for j in range(n):
        top = 0.0
        for i in range(n):
            rows[i * width + j] = math.ldexp(values[i * n + j], -left[i])
            top = max(top, abs(rows[i * width + j]))
        right[j] = math.frexp(top)[1]
        for i in range(n):
            rows[i * width + j] = math.ldexp(rows[i * width + j], -right[j])
    return left, right


@fast
def shifted(a, aa, power):
    """(a + aa)·2^power as one float; an infinity where that is too large."""
    half = max(-1000, min(power // 2, 1000))
    rest = max(-1000, min(power - half, 1000))
    return math.ldexp(math.ldexp(a + aa, half), rest)


@fast
def determined(values):
    """The determinant as (high, low, power of two)."""
    n = int(math.sqrt(len(values)) + 0.5)
    rows, low, order = numpy.zeros(n * n), numpy.zeros(n * n), numpy.zeros(n, numpy.int64)
    left, right = scaled(values, rows, n, n)
    det, small, power, missing = eliminate(rows, low, n, n, order)
    return (0.0, 0.0, 0) if missing else (det, small, power + left.sum() + right.sum())


@fast
def determinant(values):
    if not finite(values):
        return nan
    det, small, power = determined(values)
    return shifted(det, small, power)


@fast
def log_determinant(values):
    if not finite(values):
        return nan
    det, small, power = determined(values)
    if det == 0.0:
        return -inf
    if det < 0.0:
        det, small = -det, -small
    if power in (0, 1):  # near 1 the logarithm is that of the distance from 1
        a, aa = math.ldexp(det, power), math.ldexp(small, power)
        return math.log1p((a - 1.0) + aa)
    return math.log(det + small) + power * math.log(2.0)


@fast
def inverted(values, n):
    """Rows of (matrix, inverse), the low parts, where the rows are, powers of two, the determinant and how many pivots are 0."""
    width = 2 * n
    rows, low, order = numpy.zeros(n * width), numpy.zeros(n * width), numpy.zeros(n, numpy.int64)
    left, right = scaled(values, rows, n, width)
    for i in range(n):
        rows[i * width + n + i] = 1.0
    det, small, power, missing = eliminate(rows, low, n, width, order)
    return rows, low, order, left, right, det, small, power, missing


@fast
def inverse(values, out):
    n = int(math.sqrt(len(values)) + 0.5)
    if not finite(values):
        fill(out, nan)
        return
    rows, low, order, left, right, det, small, power, missing = inverted(values, n)
    if missing:
        fill(out, nan)
        return
    for j in range(n):
        for i in range(n):
            at = order[j] * 2 * n + n + i
            out[j * n + i] = shifted(rows[at], low[at], -left[i] - right[j])


@fast
def cofactors(values, out):
    n = int(math.sqrt(len(values)) + 0.5)
    if not finite(values):
        fill(out, nan)
        return
    rows, low, order, left, right, det, small, power, missing = inverted(values, n)
    if missing > 1:
        fill(out, 0.0)
        return
    whole = power + left.sum() + right.sum()
    for j in range(n):
        for i in range(n):
            at = order[j] * 2 * n + n + i
            p, pp = times(det, small, rows[at], low[at])
            out[i * n + j] = shifted(p, pp, whole - left[i] - right[j])


@fast
def solution(values, out):
    n = int((math.sqrt(4.0 * len(values) + 1.0) - 1.0) / 2.0 + 0.5)
    if not finite(values):
        fill(out, nan)
        return
    width = n + 1
    rows, low, order = numpy.zeros(n * width), numpy.zeros(n * width), numpy.zeros(n, numpy.int64)
    left, right = scaled(values[: n * n], rows, n, width)
    for i in range(n):
        rows[i * width + n] = math.ldexp(values[n * n + i], -left[i])
    missing = eliminate(rows, low, n, width, order)[3]
    for j in range(n):
        at = order[j] * width + n
        out[j] = nan if missing else shifted(rows[at], low[at], -right[j])
