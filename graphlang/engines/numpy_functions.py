"""The functions of the language on whole arrays: what NumPy (or a library with its interface) does not have under one name.

`functions(xp)` and `reductions(xp)` are the tables for such a library. Results at the hard points are those of graph/floats.py.
"""

from __future__ import annotations

import math
from typing import Callable

import numpy

from graphlang.graph.functions import FUNCTIONS
from graphlang.graph.reductions import REDUCTIONS

ROOT_HALF = math.sqrt(0.5)

# Rows that such a library has under one name, ufuncs in NumPy.
NAMES = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "neg": "negative", "^": "power", "abs": "abs", "max": "maximum", "min": "minimum",
         "mod": "mod", "atan2": "arctan2", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh", "round": "rint",
         "<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal", "==": "equal", "!=": "not_equal", "and": "logical_and",
         **{n: n for n in ("exp", "expm1", "log", "log2", "log10", "log1p", "sqrt", "cbrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "hypot", "sign", "floor", "ceil")}}


def functions(xp) -> dict[str, Callable]:
    """By the name of their row."""

    def sigmoid(v):
        e = xp.exp(-xp.abs(v))
        return xp.where(v < 0, e, 1.0) / (1.0 + e)

    def softplus(v):
        return xp.maximum(v, 0.0) + xp.log1p(xp.exp(-xp.abs(v)))

    def sech(v):
        e = xp.exp(-xp.abs(v))
        return 2.0 * e / (1.0 + e * e)

    def clip(v, low, high):
        return xp.where(low > high, math.nan, xp.minimum(xp.maximum(v, low), high))

    def xlogy(x, y):
        return xp.where((x == 0) & (y == y), 0.0, x * xp.log(y))

    def logaddexp(a, b):
        return xp.where(a == b, a + math.log(2.0), xp.maximum(a, b) + xp.log1p(xp.exp(-xp.abs(a - b))))

    def power_log(x, y, m):
        return xp.where(((x == 0) & (y > 0)) | ((x == math.inf) & (y < 0)), 0.0, xp.power(x, y) * xp.power(xp.log(x), m))

    return {
        "sigmoid": sigmoid, "softplus": softplus, "_sech": sech, "clip": clip, "xlogy": xlogy, "logaddexp": logaddexp, "_power_log": power_log,
        "log_sigmoid": lambda v: -softplus(-v),
        "relu": lambda v: xp.maximum(v, 0.0),
        "leaky_relu": lambda v: xp.where(v > 0, v, 0.01 * v),
        "elu": lambda v: xp.where(v > 0, v, xp.expm1(v)),
        "silu": lambda v: xp.where(v == -math.inf, -0.0, v * sigmoid(v)),
        "where": lambda c, a, b: xp.where(c != 0, a, b),
    }


def one_by_one(name: str) -> Callable:
    """A function that NumPy does not have, by its row."""
    row = FUNCTIONS[name]
    each = numpy.frompyfunc(row.reference, row.arity[1], 1)

    def call(*args):
        return numpy.asarray(each(*args), dtype=float)

    return call


def reductions(xp) -> dict[str, Callable]:
    """Of an array over its last axis."""

    def total(x):
        return xp.sum(x, axis=-1)

    def keep(x):
        return x[..., None]

    def mean(x):
        n = x.shape[-1]
        first = total(x) / n
        rest = total(x - keep(first)) / n
        return xp.where(xp.isfinite(rest), first + rest, first)

    def largest(x):
        return xp.max(x, axis=-1)

    def smallest(x):
        return xp.min(x, axis=-1)

    def shares(of):
        def share(x):
            top = keep(of(x))
            holds = (x == top) * 1.0
            return xp.where(top != top, math.nan, holds / keep(total(holds)))

        return share

    def norm(x):
        scale = keep(xp.max(xp.abs(x), axis=-1, initial=0.0))
        safe = xp.where((scale > 0) & (scale < math.inf), scale, 1.0)
        found = safe[..., 0] * xp.sqrt(total((x / safe) ** 2))
        return xp.where(xp.max(xp.abs(x), axis=-1, initial=0.0) == math.inf, math.inf, found)

    def variance(x):
        return mean((x - keep(mean(x))) ** 2)

    def deviation(x):
        return norm(x - keep(mean(x))) / math.sqrt(x.shape[-1])

    def logsumexp(x):
        top = largest(x)
        at = xp.argmax(x, axis=-1)
        rest = xp.where(xp.arange(x.shape[-1]) == keep(at), 0.0, xp.exp(x - keep(top)))  # the largest is 1, exactly
        return xp.where(xp.isfinite(top), top + xp.log1p(total(rest)), top)

    def softmax(x):
        top = keep(largest(x))
        weights = xp.exp(x - top)
        return xp.where(xp.isfinite(top), weights / keep(total(weights)), math.nan)

    def log_softmax(x):
        whole = keep(logsumexp(x))
        return xp.where(xp.isfinite(whole), x - whole, math.nan)

    def others(x):
        ones = xp.ones_like(x[..., :1])
        left = xp.cumprod(xp.concatenate([ones, x[..., :-1]], axis=-1), axis=-1)
        right = xp.cumprod(xp.concatenate([ones, x[..., :0:-1]], axis=-1), axis=-1)[..., ::-1]
        return left * right

    return {"sum": total, "mean": mean, "max": largest, "min": smallest, "_most": shares(largest), "_least": shares(smallest), "norm": norm, "var": variance,
            "std": deviation, "logsumexp": logsumexp, "softmax": softmax, "log_softmax": log_softmax, "cumsum": lambda x: xp.cumsum(x, axis=-1),
            "prod": lambda x: xp.prod(x, axis=-1), "_others": others}


def by_lists(name: str) -> Callable:
    """A reduction of matrices by its row, which is exact; one array for each matrix, or for `_solve` the matrix and the right side."""
    rule = REDUCTIONS[name]

    def call(*arrays):
        width = sum(a.shape[-1] for a in arrays)
        around = arrays[0].shape[:-1]
        rows = numpy.concatenate(arrays, axis=-1).reshape(-1, width)
        found = numpy.array([rule.reference(row.tolist()) for row in rows], dtype=float)
        return found.reshape(*around, -1) if rule.table else found.reshape(around)

    return call


def by_conditions(name: str) -> Callable:
    """A reduction by its row, of those elements for which a condition holds."""
    rule = REDUCTIONS[name]

    def call(values, conditions):
        around = values.shape[:-1]
        out = numpy.full(values.shape if rule.table else around, math.nan)
        for at in numpy.ndindex(around):
            chosen = conditions[at] != 0
            found = rule.reference(values[at][chosen].tolist())
            if rule.table:
                out[at][chosen] = found
            else:
                out[at] = found
        return out

    return call


def scatter(places, values, low: int, extent: int):
    """Each of `values` added to its place; `places` are subscripts, which name an axis of `extent` from `low`. What names none goes nowhere."""
    n = places.ndim
    flat, rest = places.ravel(), values.shape[n:]
    values = numpy.broadcast_to(values, (*places.shape, *rest)).reshape(len(flat), -1)
    at = flat - low
    inside = (at >= 0) & (at < extent) & (at == numpy.floor(at))
    at = numpy.where(inside, at, 0).astype(numpy.int64)
    values = numpy.where(inside[:, None], values, 0.0)
    if values.shape[1] == 1:
        return numpy.bincount(at, weights=values[:, 0], minlength=extent).reshape(extent, *rest)
    out = numpy.zeros((extent, values.shape[1]))
    numpy.add.at(out, at, values)
    return out.reshape(extent, *rest)
