"""Reductions over an array for code that Numba compiles; meanings and conventions are those of graph/reductions.py. What has a table as its result
puts it into `out`: nothing is allocated.
"""

from __future__ import annotations

import math
from math import inf, nan

from graphlang.engines.numba_functions import fast
from graphlang.engines.numba_vector import exp


@fast
def total(values):
    result = 0.0
    for v in values:
        result += v
    return result


@fast
def finite(values):
    for v in values:
        if not math.isfinite(v):
            return False
    return True


@fast
def fill(out, value):
    for k in range(len(out)):
        out[k] = value


@fast
def prod(values):
    """Scaled by powers of two, so that it overflows only where the result does."""
    mantissa, exponent = 1.0, 0
    for v in values:
        if not math.isfinite(v):
            return plain_product(values)
        m, e = math.frexp(v)
        mantissa, shift = math.frexp(mantissa * m)
        exponent += e + shift
    return scaled(mantissa, exponent)


@fast
def plain_product(values):
    result = 1.0
    for v in values:
        result *= v
    return result


@fast
def scaled(mantissa, exponent):
    """In two steps: Numba's `ldexp` takes 32 bits."""
    half = max(-2000, min(exponent // 2, 2000))
    rest = max(-2000, min(exponent - half, 2000))
    return math.ldexp(math.ldexp(mantissa, half), rest)


@fast
def others(values, out):
    n = len(values)
    left = 1.0
    for k in range(n):
        out[k] = left
        left *= values[k]
    right = 1.0
    for k in range(n - 1, -1, -1):
        out[k] *= right
        right *= values[k]


@fast
def largest(values):
    top = -inf
    for v in values:
        if v != v:
            return nan
        top = max(top, v)
    return top


@fast
def smallest(values):
    least = inf
    for v in values:
        if v != v:
            return nan
        least = min(least, v)
    return least


@fast
def share(values, extreme, out):
    """Of the slope of an extreme: ties share equally."""
    holds = 0.0
    for v in values:
        holds += v == extreme
    for k in range(len(values)):
        out[k] = nan if extreme != extreme else (values[k] == extreme) / holds


@fast
def most(values, out):
    share(values, largest(values), out)


@fast
def least(values, out):
    share(values, smallest(values), out)


@fast
def mean(values):
    n = len(values)
    if n == 0:
        return nan
    result = total(values) / n
    if math.isinf(result) and finite(values):
        result = 0.0
        for v in values:
            result += v / n
    if not math.isfinite(result):
        return result
    rest = 0.0
    for v in values:
        rest += v - result
    rest /= n
    return result + rest if math.isfinite(rest) else result


@fast
def var(values):
    n = len(values)
    middle = mean(values)
    result = 0.0
    for v in values:
        result += (v - middle) * (v - middle)
    result /= n
    if not math.isfinite(result):
        return result
    rest = 0.0
    for v in values:
        rest += (v - middle) * (v - middle) - result
    rest /= n
    return result + rest if math.isfinite(rest) else result


@fast
def norm_from(values, middle):
    """Of the differences from a number; scaled by the largest, so that it overflows only where the result does."""
    top = 0.0
    for v in values:
        if v != v:
            return nan
        top = max(top, abs(v - middle))
    if top == 0.0 or math.isinf(top):
        return top
    result = 0.0
    for v in values:
        result += (v - middle) / top * ((v - middle) / top)
    return top * math.sqrt(result)


@fast
def norm(values):
    return norm_from(values, 0.0)


@fast
def std(values):
    if len(values) == 0 or not finite(values):
        return nan
    return norm_from(values, mean(values)) / math.sqrt(len(values))


@fast
def logsumexp(values):
    top = largest(values)
    if not math.isfinite(top):
        return top
    rest, met = 0.0, False
    for v in values:
        if v == top and not met:
            met = True
        else:
            rest += math.exp(v - top)
    return top + math.log1p(rest)


@fast
def softmax(values, out):
    top = largest(values)
    if not math.isfinite(top):
        fill(out, nan)
        return
    for k in range(len(values)):
        out[k] = exp(values[k] - top)
    whole = 0.0
    for k in range(len(values)):
        whole += out[k]
    for k in range(len(values)):
        out[k] /= whole


@fast
def log_softmax(values, out):
    whole = logsumexp(values)
    for k in range(len(values)):
        out[k] = values[k] - whole if math.isfinite(whole) else nan


@fast
def cumsum(values, out):
    running = 0.0
    for k in range(len(values)):
        running += values[k]
        out[k] = running
