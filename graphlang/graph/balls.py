"""The elementwise functions and reductions over balls: intervals that are certain to hold the true value.

A ball is a `flint.arb`; nothing here imports flint, since its methods are all that is needed. What comes out encloses the
function at every point of what goes in. Outside of the domain the result is nan (all that is known is nothing), also where
a ball reaches across the border of the domain. A comparison that the balls do not decide is the ball [0, 1]; where it
chooses a branch the result encloses both. There is no negative zero and, but for inf and -inf themselves, no overflow.

One object stands for one number: so `a is b` decides `a == b` where the balls alone could not.
"""

from __future__ import annotations

import math
from typing import Callable, Sequence


# ---- words


def like(v, value):
    """A new ball with a number's value."""
    return type(v)(value)


def nan(v):
    return like(v, "nan")


def undecided(v):
    """[0, 1], a new one each time: two of them are not one number."""
    return like(v, 0).union(like(v, 1))


def not_negative(v):
    """A ball that is known not to be negative, for squares and sums of squares: what lies below 0 is cut off."""
    return v if v >= 0 or v.is_nan() else like(v, 0).union(v.upper())


def root(v):
    """The square root of a ball that is known not to be negative."""
    return v.sqrt() if v >= 0 or v.is_nan() else like(v, 0).union(v.upper().sqrt())


def square(v):
    return not_negative(v * v)


def both_ends(f: Callable, v):
    """An increasing function of a ball, by its ends."""
    return nan(v) if v.is_nan() else f(v.lower()).union(f(v.upper()))


# ---- arithmetic


def add(a, b): return a + b
def subtract(a, b): return a - b
def multiply(a, b): return a * b
def negative(v): return -v
def divide(x, y): return x / y


def power(x, y):
    """x^0 = 1 and 1^y = 1 for every x and y; a negative base wants a whole exponent, known as such."""
    if y.is_zero() or x == 1:
        return like(x, 1)
    if not y.is_integer() or x > 0 or x < 0 or x.is_zero():
        return x ** y
    if y < 0 or x.is_nan():  # the base may be 0
        return nan(x)
    low, high = x.lower() ** y, x.upper() ** y
    if not (y / 2).is_integer():
        return low.union(high)
    return like(x, 0).union(low).union(high)


def modulo(x, y):
    return x - y * (x / y).floor()


def maximum(a, b):
    """The very operand where it is known which."""
    return a if a is b or a >= b else b if b >= a else a.max(b)


def minimum(a, b):
    return a if a is b or a <= b else b if b <= a else a.min(b)


def clip(v, low, high):
    return v if v.is_nan() else nan(v) if not low <= high else minimum(maximum(v, low), high)


def absolute(v):
    return v if v >= 0 else -v if v <= 0 else abs(v)


def sign(v):
    return nan(v) if v.is_nan() else v.sgn()


def floor(v):
    return v.floor() if v.is_finite() else v


def ceil(v):
    return v.ceil() if v.is_finite() else v


def half_even(v):
    if v.is_integer() or not v.is_finite():
        return v
    above = v + 0.5
    n = above.floor()
    tie = above.is_integer() and not (above / 2).is_integer()
    return n - 1 if tie else n


# ---- comparisons


def _compared(yes: Callable, no: Callable):
    def compare(a, b):
        return like(a, 1) if yes(a, b) else like(a, 0) if no(a, b) else undecided(a)

    return compare


def _same(a, b) -> bool:
    return a == b or (a is b and not a.is_nan())


less = _compared(lambda a, b: a < b, lambda a, b: a >= b or _same(a, b))
less_equal = _compared(lambda a, b: a <= b or _same(a, b), lambda a, b: a > b)
greater = _compared(lambda a, b: a > b, lambda a, b: a <= b or _same(a, b))
greater_equal = _compared(lambda a, b: a >= b or _same(a, b), lambda a, b: a < b)
equal = _compared(_same, lambda a, b: a != b)
unequal = _compared(lambda a, b: a != b, _same)


def where(c, a, b):
    """Only the branch taken; both where the condition may be 0 and may be not."""
    return b if c.is_zero() else a if c != 0 else a if a is b else a.union(b)


# ---- exponentials, logarithms, roots


def exp(v): return v.exp()
def expm1(v): return v.expm1()
def log(v): return v.log()
def log1p(v): return v.log1p()
def log2(v): return v.log_base(2)
def log10(v): return v.log_base(10)
def sqrt(v): return v.sqrt()


def xlogy(x, y):
    return like(x, 0) if x.is_zero() and not y.is_nan() else x * y.log()


def logaddexp(a, b):
    if not (a.is_finite() and b.is_finite()):
        return maximum(a, b) if _infinite(a) or _infinite(b) else nan(a)
    return maximum(a, b) + (-abs(a - b)).exp().log1p()


def _infinite(v) -> bool:
    """Whether a ball is inf or -inf for certain, not just too wide to say."""
    return v.is_exact() and not v.is_finite() and not v.is_nan()


def power_log(x, y, m):
    """x^y·log(x)^m, by continuity at 0."""
    return like(x, 0) if x.is_zero() and y > 0 else power(x, y) * power(x.log(), m)


def cbrt(v):
    if v.is_zero() or not v.is_finite():
        return v
    return v.root(3) if v > 0 else -(-v).root(3) if v < 0 else both_ends(cbrt, v)


def hypot(x, y):
    return root(square(x) + square(y))


# ---- trigonometric and hyperbolic


def sin(v): return v.sin()
def cos(v): return v.cos()
def tan(v): return v.tan()
def asin(v): return v.asin()
def acos(v): return v.acos()
def atan(v): return v.atan()
def atan2(y, x): return type(y).atan2(y, x)
def sinh(v): return v.sinh()
def cosh(v): return v.cosh()
def tanh(v): return v.tanh()
def asinh(v): return v.asinh()
def acosh(v): return v.acosh()
def atanh(v): return v.atanh()
def sech(v): return v.sech()


# ---- neural networks


def sigmoid(v):
    if v < 0:  # exp(-v) would be beyond all bounds for v = -1e300
        e = v.exp()
        return e / (1 + e)
    return 1 / (1 + (-v).exp())


def softplus(v):
    return v + (-v).exp().log1p() if v > 0 else v.exp().log1p()


def log_sigmoid(v): return -softplus(-v)
def relu(v): return maximum(v, like(v, 0))


def leaky_relu(v):
    return where(greater(v, like(v, 0)), v, 0.01 * v)


def elu(v):
    return where(greater(v, like(v, 0)), v, v.expm1())


def gelu(v):
    return v * (-v / like(v, 2).sqrt()).erfc() / 2


def silu(v): return v * sigmoid(v)


# ---- error function and gamma


def erf(v): return v.erf()
def erfc(v): return v.erfc()


def lgamma(v):
    """log|Γ(v)|: below 0 by the reflection Γ(v)·Γ(1 - v) = π/sin(πv)."""
    return v.lgamma() if v > 0 else (type(v).pi() / abs(v.sin_pi())).log() - (1 - v).lgamma()


def digamma(v): return v.digamma()


def polygamma(n, v):
    """The n-th derivative of ψ, n an exact whole number: a Hurwitz zeta function, below 0 by reflection."""
    if n.is_zero():
        return v.digamma()
    k = int(n.unique_fmpz())
    if v > 0:
        return (-1) ** (k + 1) * math.factorial(k) * (n + 1).zeta(v)
    if not v < 0:
        return nan(v)
    return (-1) ** k * polygamma(n, 1 - v) - _cotangent_slope(k, v)


def _cotangent_slope(n: int, v):
    """The n-th derivative of π·cot(πv), as a polynomial in the cotangent: c' = -π(1 + c²)."""
    polynomial = [0, 1]  # from the constant term up
    for _ in range(n):
        slope = [k * a for k, a in enumerate(polynomial)][1:]
        polynomial = [-(a + b) for a, b in zip(slope + [0, 0], [0, 0] + slope)]
    c = v.cot_pi()
    total = like(v, 0)
    for a in reversed(polynomial):
        total = total * c + a
    return total * type(v).pi() ** (n + 1)


# ---- reductions: of the list of elements, which is not empty


def total(values: Sequence):
    return sum(values[1:], values[0])


def product(values: Sequence):
    return math.prod(values[1:], start=values[0])


def others(values: Sequence) -> list:
    """For each element the product of all the others."""
    left, right = [like(values[0], 1)], [like(values[0], 1)]
    for v in values[:-1]:
        left.append(left[-1] * v)
    for v in reversed(values[1:]):
        right.append(right[-1] * v)
    return [a * b for a, b in zip(left, reversed(right))]


def largest(values: Sequence):
    result = values[0]
    for v in values[1:]:
        result = maximum(result, v)
    return result


def smallest(values: Sequence):
    result = values[0]
    for v in values[1:]:
        result = minimum(result, v)
    return result


def shares(extreme: Callable) -> Callable:
    """For each element its share of the slope of the largest (or smallest) one: ties share equally."""

    def of(values: Sequence) -> list:
        top = extreme(values)
        if top.is_nan():
            return [nan(top)] * len(values)
        holds = [equal(v, top) for v in values]
        whole = maximum(total(holds), like(top, 1))  # one of them is the extreme
        return [h / whole for h in holds]

    return of


def _from_first(values: Sequence) -> tuple[list, object]:
    """How far each element is from the first, and the mean of that. Equal elements are apart by an exact 0, so that the
    convention for a `std` of 0 is met."""
    first = values[0]
    apart = [v - first for v in values]
    return apart, total(apart) / len(values)


def mean(values: Sequence):
    return values[0] + _from_first(values)[1]


def variance(values: Sequence):
    apart, middle = _from_first(values)
    return total([square(d - middle) for d in apart]) / len(values)


def deviation(values: Sequence):
    return root(variance(values))


def norm(values: Sequence):
    return root(total(list(map(square, values))))


def logsumexp(values: Sequence):
    values = [v for v in values if not (_infinite(v) and v < 0)] or [values[0]]
    top = _top(values)
    if not top.is_finite():
        return top
    return top + _rest(values, top).log1p()


def _top(values: Sequence):
    """An element near the largest; what is made with it holds for every choice."""
    return max(values, key=lambda v: float(v.mid()) if v.is_finite() else math.inf)


def _rest(values: Sequence, top):
    """The sum of exp(v - top) over all elements but `top` itself."""
    at = next(k for k, v in enumerate(values) if v is top)
    return sum(((v - top).exp() for k, v in enumerate(values) if k != at), like(top, 0))


def softmax(values: Sequence) -> list:
    top = largest(values)
    if not top.is_finite():
        return [nan(top)] * len(values)
    top = top.mid()
    weights = [(v - top).exp() for v in values]
    whole = total(weights)
    return [w / whole for w in weights]


def log_softmax(values: Sequence) -> list:
    top = _top(values)
    if not top.is_finite():
        return [nan(top)] * len(values)
    rest = _rest(values, top).log1p()
    return [-rest if v is top else (v - top) - rest for v in values]


def cumsum(values: Sequence) -> list:
    result = [values[0]]
    for v in values[1:]:
        result.append(result[-1] + v)
    return result
