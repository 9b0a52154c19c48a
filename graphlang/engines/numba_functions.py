"""Functions for code that Numba compiles, where those of graph/floats.py cannot be compiled as they are: machine arithmetic has inf and nan
where Python raises. The door of Numba, imported only by code that was generated for it.
"""

from __future__ import annotations

import math
from math import inf, nan

import numpy
from numba import njit

from graphlang.graph import floats

fast = njit(cache=True, error_model="numpy")

# As they are: they raise nothing and call nothing but `math`.
AS_THEY_ARE = ("sigmoid", "leaky_relu", "elu", "gelu", "sign", "floor", "ceil", "half_even", "maximum", "minimum", "sech", "atanh", "modulo", "divide")
globals().update({name: fast(getattr(floats, name)) for name in AS_THEY_ARE})
sigmoid, maximum, minimum = (globals()[n] for n in ("sigmoid", "maximum", "minimum"))


@fast
def power(x, y):
    return x**y


@fast
def xlogy(x, y):
    return 0.0 if x == 0.0 and y == y else x * math.log(y)


@fast
def logaddexp(a, b):
    return a + math.log(2.0) if a == b else maximum(a, b) + math.log1p(math.exp(-abs(a - b)))


@fast
def softplus(v):
    return maximum(v, 0.0) + math.log1p(math.exp(-abs(v)))


@fast
def log_sigmoid(v):
    return -softplus(-v)


@fast
def relu(v):
    return maximum(v, 0.0)


@fast
def silu(v):
    return -0.0 if v == -inf else v * sigmoid(v)


@fast
def clip(x, low, high):
    return nan if low > high else minimum(maximum(x, low), high)


@fast
def power_log(x, y, m):
    if (x == 0.0 and y > 0.0) or (x == inf and y < 0.0):
        return 0.0
    return x**y * math.log(x) ** m


@fast
def cbrt(v):
    return math.copysign(abs(v) ** (1.0 / 3.0), v) if v == v and abs(v) != inf and v != 0.0 else v


ZETA_LESS_1, BERNOULLI, EULER = numpy.array(floats.ZETA_LESS_1), numpy.array(floats.BERNOULLI), floats.EULER


@fast
def lgamma_of_2_plus(z):
    sum_ = 0.0
    for k in range(len(ZETA_LESS_1) + 1, 1, -1):
        sum_ = (ZETA_LESS_1[k - 2] / k - sum_) * z
    return z * ((1.0 - EULER) + sum_)


@fast
def lgamma(v):
    if 0.5 <= v < 1.5:
        return lgamma_of_2_plus(v - 1.0) - math.log1p(v - 1.0)
    if 1.5 <= v <= 2.5:
        return lgamma_of_2_plus(v - 2.0)
    if v == -inf or (v <= 0.0 and v == math.floor(v)):
        return inf
    return math.lgamma(v)


@fast
def digamma(v):
    if v != v or v == inf:
        return v
    if v == 0.0:
        return -math.copysign(inf, v)
    if v == -inf or (v < 0.0 and v == math.floor(v)):
        return nan
    sum_ = 0.0
    if v < 0.0:
        sum_ = -math.pi / math.tan(math.pi * (v - math.floor(v + 0.5)))
        v = 1.0 - v
    while v < 12.0:
        sum_ -= 1.0 / v
        v += 1.0
    square = 1.0 / v / v
    series = 0.0
    for k in range(len(BERNOULLI), 0, -1):
        series = (series + BERNOULLI[k - 1] / (2 * k)) * square
    return sum_ + (math.log(v) - 0.5 / v - series)


# ---- elements by subscripts that are values


@fast
def offset(ranges, at):
    k = 0
    for d in range(len(ranges)):
        low, high = ranges[d]
        value = at[d]
        if not (low <= value <= high) or value != math.floor(value):
            return -1
        k = k * (high - low + 1) + int(value) - low
    return k


@fast
def element(table, ranges, at):
    k = offset(ranges, at)
    return table[k] if k >= 0 else nan


@fast
def put(table, ranges, at, value, add):
    k = offset(ranges, at)
    if k >= 0:
        table[k] = table[k] + value if add else value


# ---- lists of values for functions of tables


@fast
def empty():
    return [0.0 for _ in range(0)]


@fast
def array(values):
    out = numpy.empty(len(values))
    for k in range(len(values)):
        out[k] = values[k]
    return out


def as_array(values):
    """Of object mode."""
    return numpy.array(values, dtype=float)
