"""The table of reductions and table-valued functions: one row for each.

`reference` maps the list of element values to the result (a float, or for a table-valued function the list of
results). A rule gives the derivative of the result with respect to the element at `here`, as an expression in the
result, the element and the indices; in it `here` are the binders' own indices. Derivatives of derivatives follow.
"""

from __future__ import annotations

import math
from typing import Callable, NamedTuple, Sequence

from graphlang.graph import balls, linear, linear_balls, linear_rules
from graphlang.graph.expressions import Bound, Expr, Number, Reduce
from graphlang.graph.function_words import Kink
from graphlang.graph.substitute import fresh, substitute

Result = Callable[[tuple[Expr, ...]], Expr]  # subscripts → the function's result at them


class Reduction(NamedTuple):
    name: str
    table: bool                              # the result is a table like the argument
    reference: Callable[[Sequence[float]], float | list[float]]
    shown: Callable[[Reduce, Result], Expr]
    about: str
    latex: str
    ball: Callable[[Sequence[object]], object]  # as `reference`, over flint.arb objects, one or more
    computed: Callable[[Reduce, Result], Expr] | None = None
    empty: float | None = None               # the result over an empty range; None: an error
    kink: Callable[[Sequence[float]], Kink | None] | None = None  # values of the elements → the convention used there
    vector: bool = False                     # takes one range only
    matrix: bool = False                     # takes a square matrix; its binders are rows and columns
    over: Callable[[Reduce], tuple[Bound, ...]] | None = None  # the ranges of a table, where they are not those of the binders


REDUCTIONS: dict[str, Reduction] = {}


def _row(*args, **kw):
    row = Reduction(*args, **kw)
    REDUCTIONS[row.name] = row


# ---- meanings in plain floats


def total(values: Sequence[float]) -> float:
    result = 0.0
    for v in values:
        result += v
    return result


def product(values: Sequence[float]) -> float:
    """Scaled by powers of two, so that it overflows only where the result does."""
    mantissa, exponent = 1.0, 0
    for v in values:
        if not math.isfinite(v):
            return math.prod(values)
        m, e = math.frexp(v)
        mantissa *= m
        mantissa, shift = math.frexp(mantissa)
        exponent += e + shift
    return _ldexp(mantissa, exponent)


def _ldexp(mantissa: float, exponent: int) -> float:
    try:
        return math.ldexp(mantissa, exponent)
    except OverflowError:
        return math.copysign(math.inf, mantissa)


def others(values: Sequence[float]) -> list[float]:
    """For each element the product of all the others: exact where an element is 0."""
    n = len(values)
    if not all(map(math.isfinite, values)):
        return [math.prod(values[:i]) * math.prod(values[i + 1 :]) for i in range(n)] if n <= 64 else _plain_others(values)
    left, right = [(1.0, 0)], [(1.0, 0)]
    for v in values[:-1]:
        left.append(_times(left[-1], v))
    for v in reversed(values[1:]):
        right.append(_times(right[-1], v))
    right.reverse()
    return [_ldexp(a * b, m + k) for (a, m), (b, k) in zip(left, right)]


def _times(scaled: tuple[float, int], v: float) -> tuple[float, int]:
    m, e = math.frexp(v)
    mantissa, shift = math.frexp(scaled[0] * m)
    return mantissa, scaled[1] + e + shift


def _plain_others(values: Sequence[float]) -> list[float]:
    left, right = [1.0], [1.0]
    for v in values[:-1]:
        left.append(left[-1] * v)
    for v in reversed(values[1:]):
        right.append(right[-1] * v)
    return [a * b for a, b in zip(left, reversed(right))]


def largest(values: Sequence[float]) -> float:
    return math.nan if any(v != v for v in values) else max(values)


def smallest(values: Sequence[float]) -> float:
    return math.nan if any(v != v for v in values) else min(values)


def shares(extreme: Callable[[Sequence[float]], float]) -> Callable[[Sequence[float]], list[float]]:
    """For each element its share of the slope of the largest (or smallest): ties share equally."""

    def of(values: Sequence[float]) -> list[float]:
        top = extreme(values)
        if top != top:
            return [math.nan] * len(values)
        holds = [float(v == top) for v in values]
        whole = total(holds)
        return [h / whole for h in holds]

    return of


def mean(values: Sequence[float]) -> float:
    """Corrected once by the mean of what is left over: without that the mean of equal numbers may differ from them in
    the last digit, and `std` would have a slope of order 1 where it is 0 by convention."""
    n = len(values)
    if not n:
        return math.nan
    result = total(values) / n
    if math.isinf(result) and all(map(math.isfinite, values)):
        result = total([v / n for v in values])
    if not math.isfinite(result):
        return result
    rest = total([v - result for v in values]) / n
    return result + rest if math.isfinite(rest) else result


def variance(values: Sequence[float]) -> float:
    middle = mean(values)
    return mean([(v - middle) * (v - middle) for v in values])


def deviation(values: Sequence[float]) -> float:
    if not values or not all(map(math.isfinite, values)):
        return math.nan
    middle = mean(values)
    return math.hypot(*[v - middle for v in values]) / math.sqrt(len(values))



def logsumexp(values: Sequence[float]) -> float:
    top = largest(values)
    if not math.isfinite(top):
        return top
    at = max(range(len(values)), key=values.__getitem__)
    rest = total([math.exp(v - top) for i, v in enumerate(values) if i != at])
    return top + math.log1p(rest)


def softmax(values: Sequence[float]) -> list[float]:
    top = largest(values)
    if not math.isfinite(top):
        return [math.nan] * len(values)
    weights = [math.exp(v - top) for v in values]
    whole = total(weights)
    return [w / whole for w in weights]


def log_softmax(values: Sequence[float]) -> list[float]:
    whole = logsumexp(values)
    if not math.isfinite(whole):
        return [math.nan] * len(values)
    return [v - whole for v in values]


def cumsum(values: Sequence[float]) -> list[float]:
    result, running = [], 0.0
    for v in values:
        running += v
        result.append(running)
    return result


# ---- where a convention stands in for a derivative


def _tie(name: str, which: str, extreme: Callable, one_sided: tuple[float, float]):
    """Of an element that is one of several extreme ones."""

    def kink(values: Sequence[float]) -> Kink | None:
        top = extreme(values, default=0.0)
        if sum(v == top for v in values) < 2:
            return None
        return Kink(list(values).index(top), f"{name} has no derivative where several elements are the {which}; they share equally", one_sided)

    return kink


def _zero(values: Sequence[float]) -> Kink | None:
    return Kink(0, "norm has no derivative at 0; 0 is used", (-1.0, 1.0)) if values and not any(values) else None


def _constant(values: Sequence[float]) -> Kink | None:
    """One element moved by h gives the deviation |h| sqrt(n - 1)/n."""
    n = len(values)
    if n < 2 or not math.isfinite(values[0]) or any(v != values[0] for v in values):
        return None
    return Kink(0, "std has no derivative where all elements are equal; 0 is used", (-math.sqrt(n - 1) / n, math.sqrt(n - 1) / n))


def _nothing(values: Sequence[float]) -> Kink | None:
    """The sum of nothing but zeros: no finite step leads away from -inf."""
    if not values or any(v != -math.inf for v in values):
        return None
    return Kink(0, "all elements of logsumexp are -inf; 0 is used as derivative", (math.nan, math.nan))


# ---- rules


def _here(r: Reduce) -> tuple[Expr, ...]:
    return tuple(r.pool.index(b.index) for b in r.binders)


def _again(r: Reduce, body: Callable[[Expr, tuple[Expr, ...]], Expr], function: str = "sum", beside: Expr | None = None) -> Expr:
    """A reduction over the same ranges under new names: of `body(element, indices)`. `beside`: what else the body
    holds, whose indices must not be captured."""
    taken = set(r.free | r.body.free | {b.index for b in r.binders} | (beside.free if beside is not None else frozenset()))
    rename, binders = {}, []
    for b in r.binders:
        name = fresh(b.index, taken)
        taken.add(name)
        binders.append(r.pool.bound(name, substitute(b.low, rename), substitute(b.high, rename)))
        rename[b.index] = r.pool.index(name)
    indices = tuple(rename[b.index] for b in r.binders)
    return r.pool.reduce(function, tuple(binders), body(substitute(r.body, rename), indices))


def _count(r: Reduce) -> Expr:
    """The number of elements; a number where the bounds are."""
    n = 1.0
    for b in r.binders:
        if type(b.low) is not Number or type(b.high) is not Number:
            return r.pool.reduce("sum", r.binders, r.pool.one)
        n *= max(0.0, b.high.value - b.low.value + 1)
    return r.pool.number(n)


def _same(r: Reduce, indices: tuple[Expr, ...]) -> Expr:
    """1 where `indices` are the element at hand, else 0."""
    result = r.pool.one
    for a, b in zip(indices, _here(r)):
        result = result * (r.pool.one if a is b else r.pool.call("==", a, b))
    return result


def _prod_shown(r: Reduce, result: Result) -> Expr:
    p = r.pool
    return _again(r, lambda e, k: p.where(_same(r, k), p.one, e), "prod")


def _others_rule(r: Reduce, result: Result) -> Expr:
    """Product over all elements but two; 0 for the element that is left out already."""
    p = r.pool
    out = r.at

    def body(e, k):
        skip = p.one
        for a, b in zip(k, out):
            skip = skip * p.call("==", a, b)
        return p.where(_same(r, k) + skip, p.one, e)

    same = p.one
    for a, b in zip(_here(r), out):
        same = same * p.call("==", a, b)
    return p.where(same, p.zero, _again(r, body, "prod"))


def _share(r: Reduce, result: Result) -> Expr:
    """1 for the extreme element; ties share equally."""
    u, p = result(r.at), r.pool
    return p.call("==", r.body, u) / _again(r, lambda e, k: p.call("==", e, u), beside=u)


def _share_of(name: str) -> Callable[[Reduce, Result], Expr]:
    """The same from one look at all elements: where they are balls, a second evaluation of an element would not be known to be
    the same number as the first."""
    return lambda r, result: r.pool.reduce(name, r.binders, r.body, _here(r))


def _mean_of(r: Reduce) -> Expr:
    return r.pool.reduce("mean", r.binders, r.body)


_row("sum", False, total, lambda r, result: r.pool.one, "the sum over all elements; 0 over an empty range", r"\sum", empty=0.0, ball=balls.total)
_row("prod", False, product, _prod_shown, "the product over all elements; its derivative is the product of the others", r"\prod",
     computed=lambda r, result: r.pool.reduce("_others", r.binders, r.body, _here(r)), empty=1.0, ball=balls.product)
_row("_others", True, others, _others_rule, "for each element the product of all others", r"\prod_{\neq}", ball=balls.others)
_row("mean", False, mean, lambda r, result: r.pool.one / _count(r), "the arithmetic mean", r"\operatorname{mean}", empty=math.nan, ball=balls.mean)
_row("max", False, largest, _share, "the largest element; ties share the derivative equally", r"\max",
     computed=_share_of("_most"), kink=_tie("max", "largest", max, (0.0, 1.0)), ball=balls.largest)
_row("min", False, smallest, _share, "the smallest element; ties share the derivative equally", r"\min",
     computed=_share_of("_least"), kink=_tie("min", "smallest", min, (1.0, 0.0)), ball=balls.smallest)
_row("_most", True, shares(largest), lambda r, result: r.pool.zero, "for each element its share of the slope of `max`", r"\max'",
     ball=balls.shares(balls.largest))
_row("_least", True, shares(smallest), lambda r, result: r.pool.zero, "for each element its share of the slope of `min`", r"\min'",
     ball=balls.shares(balls.smallest))
_row("var", False, variance, lambda r, result: 2 * (r.body - _mean_of(r)) / _count(r), "the variance, divided by n", r"\operatorname{var}",
     empty=math.nan, ball=balls.variance)
_row("std", False, deviation, lambda r, result: (r.body - _mean_of(r)) / (_count(r) * result(r.at)),
     "the standard deviation, divided by n; derivative 0 for constant elements", r"\operatorname{std}",
     computed=lambda r, result: r.pool.where(r.pool.call("==", result(r.at), r.pool.zero), r.pool.zero,
                                             (r.body - _mean_of(r)) / (_count(r) * result(r.at))), empty=math.nan, kink=_constant, ball=balls.deviation)
_row("norm", False, lambda v: math.hypot(*v), lambda r, result: r.body / result(r.at),
     "the Euclidean norm (of a matrix Frobenius'); derivative 0 at 0", r"\operatorname{norm}",
     computed=lambda r, result: r.pool.where(r.pool.call("==", result(r.at), r.pool.zero), r.pool.zero, r.body / result(r.at)),
     empty=0.0, kink=_zero, ball=balls.norm)
_row("logsumexp", False, logsumexp, lambda r, result: r.pool.call("exp", r.body - result(r.at)),
     "log of the sum of exponentials, shifted by the maximum", r"\operatorname{logsumexp}",
     # the exponential of a difference of large numbers would lose digits: at 1000 three of them
     computed=lambda r, result: r.pool.where(r.pool.call("==", result(r.at), r.pool.number(-math.inf)), r.pool.zero,
                                             r.pool.reduce("softmax", r.binders, r.body, _here(r))), kink=_nothing, ball=balls.logsumexp)
_row("softmax", True, softmax, lambda r, result: result(r.at) * (_same(r, r.at) - result(_here(r))),
     "exp(x[i]) / sum(exp(x)), shifted by the maximum", r"\operatorname{softmax}", vector=True, ball=balls.softmax)
_row("log_softmax", True, log_softmax, lambda r, result: _same(r, r.at) - r.pool.call("exp", result(_here(r))),
     "x[i] - logsumexp(x)", r"\operatorname{log\,softmax}", vector=True, ball=balls.log_softmax)
_row("cumsum", True, cumsum, lambda r, result: r.pool.call("<=", _here(r)[0], r.at[0]),
     "running sums", r"\operatorname{cumsum}", vector=True, ball=balls.cumsum)
_row("det", False, linear.determinant, linear_rules.det_shown, "the determinant; its derivative is the matrix of cofactors, also where it is 0",
     r"\det", computed=linear_rules.det_computed, empty=1.0, matrix=True, ball=linear_balls.determinant)
_row("_cofactor", True, linear.cofactors, linear_rules.cofactor, "the cofactor of each element", r"\operatorname{cof}", matrix=True, ball=linear_balls.cofactors)
_row("slogdet", False, linear.log_determinant, linear_rules.slogdet, "log|det A|, which neither overflows nor underflows", r"\operatorname{slogdet}",
     empty=0.0, matrix=True, ball=linear_balls.log_determinant)
_row("inv", True, linear.inverse, linear_rules.inverse, "the inverse of a square matrix", r"\operatorname{inv}", matrix=True,
     over=linear_rules.transposed, ball=linear_balls.inverse)
_row("_solve", True, linear.solution, linear_rules.solution, "the x with A x = b", r"\operatorname{solve}", over=linear_rules.columns, ball=linear_balls.solution)
