"""Functions for code that Numba compiles, where those of graph/floats.py cannot be compiled as they are: machine arithmetic has inf and nan
where Python raises. The door of Numba, imported only by code that was generated for it.
"""

from __future__ import annotations

import math
from math import inf, nan

import numpy
from numba import njit, types
from numba.extending import intrinsic

from graphlang.graph import floats

fast = njit(cache=True, error_model="numpy")
straight = njit(cache=True, error_model="numpy", fastmath={"contract"})  # a product and a sum may be rounded as one
# Of training: sums are added up in the order that is quickest. Not that there were no inf and nan: those must stay to be seen.
loops = njit(cache=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz", "arcp"})


@intrinsic
def as_float(typing, bits):
    """The float64 with these bits."""
    return types.float64(types.int64), lambda context, builder, signature, args: builder.bitcast(args[0], context.get_value_type(types.float64))


@intrinsic
def as_bits(typing, v):
    return types.int64(types.float64), lambda context, builder, signature, args: builder.bitcast(args[0], context.get_value_type(types.int64))


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


@fast
def polygamma(order, v):
    n = int(order)
    if n == 0 or v != v:
        return digamma(v)
    if v == inf:
        return 0.0
    if v == -inf or (v < 0.0 and v == math.floor(v)):
        return nan
    if v < 0.0:
        return (-1.0) ** n * polygamma_above_0(n, 1.0 - v) - cotangent_derivative(n, v)
    return polygamma_above_0(n, v)


@fast
def polygamma_above_0(n, v):
    whole = 1.0
    for k in range(2, n + 1):
        whole *= k
    sum_ = 0.0
    while v < 16.0 + n:
        sum_ += whole / v ** (n + 1.0)
        v += 1.0
    rest = 0.0
    rising = whole * (n + 1.0) / 2.0
    for k in range(1, len(BERNOULLI) + 1):
        if k > 1:
            rising *= (2.0 * k + n - 2.0) * (2.0 * k + n - 1.0) / ((2.0 * k - 1.0) * (2.0 * k))
        rest += BERNOULLI[k - 1] * rising / v ** (2.0 * k + n)
    return (-1.0) ** (n + 1) * (sum_ + (whole / n / v ** float(n) + (whole / 2.0 / v ** (n + 1.0) + rest)))


@fast
def cotangent_derivative(n, v):
    """The n-th derivative of π·cot(πv), as a polynomial in the cotangent c: c' = -π(1 + c²)."""
    polynomial = numpy.zeros(n + 2)
    polynomial[1] = 1.0
    for step in range(n):
        slope = numpy.zeros(n + 2)
        for k in range(1, step + 2):
            slope[k - 1] -= k * polynomial[k]
            slope[k + 1] -= k * polynomial[k]
        polynomial = slope
    c = 1.0 / math.tan(math.pi * (v - math.floor(v + 0.5)))
    sum_ = 0.0
    for k in range(n + 1, -1, -1):
        sum_ = sum_ * c + polynomial[k]
    return sum_ * math.pi ** (n + 1.0)


@intrinsic
def product_rest(typing, a, b, product):
    """a·b - product, rounded once."""

    def code(context, builder, signature, args):
        return builder.fma(args[0], args[1], builder.fneg(args[2]))

    return types.float64(types.float64, types.float64, types.float64), code


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
def inside(table, low, high, at):
    """An element by its index."""
    return table[at - low] if low <= at <= high else nan


@fast
def put(table, ranges, at, value, add):
    k = offset(ranges, at)
    if k >= 0:
        table[k] = table[k] + value if add else value
