"""Reductions over an array for code that Numba compiles; meanings and conventions are those of graph/reductions.py."""

from __future__ import annotations

import math
from math import inf, nan

import numpy

from graphlang.engines.numba_functions import fast


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
def prod(values):
    result = 1.0
    for v in values:
        result *= v
    return result


@fast
def others(values):
    n = len(values)
    out = numpy.ones(n)
    left = 1.0
    for k in range(n):
        out[k] = left
        left *= values[k]
    right = 1.0
    for k in range(n - 1, -1, -1):
        out[k] *= right
        right *= values[k]
    return out


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
    return -largest(-values)


@fast
def most(values):
    top = largest(values)
    if top != top:
        return numpy.full(len(values), nan)
    holds = (values == top).astype(numpy.float64)
    return holds / total(holds)


@fast
def least(values):
    return most(-values)


@fast
def mean(values):
    n = len(values)
    if n == 0:
        return nan
    result = total(values) / n
    if math.isinf(result) and finite(values):
        result = total(values / n)
    if not math.isfinite(result):
        return result
    rest = total(values - result) / n
    return result + rest if math.isfinite(rest) else result


@fast
def var(values):
    middle = mean(values)
    return mean((values - middle) * (values - middle))


@fast
def norm(values):
    """Scaled by the largest, so that it overflows only where the result does."""
    top = 0.0
    for v in values:
        if v != v:
            return nan
        top = max(top, abs(v))
    if top == 0.0 or math.isinf(top):
        return top
    scaled = values / top
    return top * math.sqrt(total(scaled * scaled))


@fast
def std(values):
    if len(values) == 0 or not finite(values):
        return nan
    return norm(values - mean(values)) / math.sqrt(len(values))


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
def softmax(values):
    top = largest(values)
    if not math.isfinite(top):
        return numpy.full(len(values), nan)
    weights = numpy.exp(values - top)
    return weights / total(weights)


@fast
def log_softmax(values):
    whole = logsumexp(values)
    return values - whole if math.isfinite(whole) else numpy.full(len(values), nan)


@fast
def cumsum(values):
    out, running = numpy.empty(len(values)), 0.0
    for k in range(len(values)):
        running += values[k]
        out[k] = running
    return out
