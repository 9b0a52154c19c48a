"""The elementwise functions in plain floats, with the results of IEEE 754 and C99 in place of Python's exceptions.

`math` raises where C returns inf or nan, and Python's `/` and `%` raise at a zero divisor. The functions here never
raise, whatever floats they are given; what `math` already does so is used from there. No NumPy: the reference
engine must start quickly.
"""

from __future__ import annotations

import math
from math import copysign, inf, isinf, isnan, nan

# ---- arithmetic


def divide(x: float, y: float) -> float:
    if y:
        return x / y
    if x == 0 or isnan(x) or isnan(y):
        return nan
    return copysign(inf, x) * copysign(1.0, y)


def power(x: float, y: float) -> float:
    """C99's pow: x^0 = 1 for every x, 1^y = 1 for every y, 0 to a negative power infinite, nan for a negative base
    with an exponent that is not whole."""
    try:
        return math.pow(x, y)
    except OverflowError:
        return -inf if x < 0 and y % 2 == 1 else inf
    except ValueError:
        if x < 0:
            return nan
        return copysign(inf, x) if y % 2 == 1 else inf


def modulo(x: float, y: float) -> float:
    """x - y·floor(x/y), with the sign of y."""
    return x % y if y else nan


def maximum(x: float, y: float) -> float:
    return nan if x != x or y != y else x if x >= y else y


def minimum(x: float, y: float) -> float:
    return nan if x != x or y != y else x if x <= y else y


def clip(x: float, low: float, high: float) -> float:
    """Not defined where the bounds are crossed."""
    return nan if low > high else minimum(maximum(x, low), high)


def sign(v: float) -> float:
    return v if v != v else float((v > 0) - (v < 0))


def floor(v: float) -> float:
    return copysign(math.floor(v), v) if math.isfinite(v) else v


def ceil(v: float) -> float:
    return copysign(math.ceil(v), v) if math.isfinite(v) else v


def half_even(v: float) -> float:
    return copysign(round(v), v) if math.isfinite(v) else v


# ---- exponential and logarithm


def exp(v: float) -> float:
    try:
        return math.exp(v)
    except OverflowError:
        return inf


def expm1(v: float) -> float:
    try:
        return math.expm1(v)
    except OverflowError:
        return inf


def log(v: float) -> float:
    return math.log(v) if v > 0 else -inf if v == 0 else nan


def log2(v: float) -> float:
    return math.log2(v) if v > 0 else -inf if v == 0 else nan


def log10(v: float) -> float:
    return math.log10(v) if v > 0 else -inf if v == 0 else nan


def log1p(v: float) -> float:
    return math.log1p(v) if v > -1 else -inf if v == -1 else nan


def sqrt(v: float) -> float:
    return math.sqrt(v) if v >= 0 else nan


def xlogy(x: float, y: float) -> float:
    """x·log(y), and 0 where x is 0, whatever y is."""
    return 0.0 if x == 0 and y == y else x * log(y)


def logaddexp(a: float, b: float) -> float:
    if a == b:
        return a + math.log(2)
    return maximum(a, b) + math.log1p(math.exp(-abs(a - b)))


def power_log(x: float, y: float, m: float) -> float:
    """x^y·log(x)^m by continuity at 0 and infinity, where a power beats a logarithm."""
    if (x == 0 and y > 0) or (x == inf and y < 0):
        return 0.0
    return power(x, y) * power(log(x), m)


# ---- trigonometric and hyperbolic


def sin(v: float) -> float:
    return nan if isinf(v) else math.sin(v)


def cos(v: float) -> float:
    return nan if isinf(v) else math.cos(v)


def tan(v: float) -> float:
    return nan if isinf(v) else math.tan(v)


def asin(v: float) -> float:
    return math.asin(v) if -1 <= v <= 1 else nan


def acos(v: float) -> float:
    return math.acos(v) if -1 <= v <= 1 else nan


def sinh(v: float) -> float:
    try:
        return math.sinh(v)
    except OverflowError:
        return copysign(inf, v)


def cosh(v: float) -> float:
    try:
        return math.cosh(v)
    except OverflowError:
        return inf


def sech(v: float) -> float:
    """1/cosh(v), without an overflow on the way."""
    e = math.exp(-abs(v))
    return 2 * e / (1 + e * e)


def acosh(v: float) -> float:
    return math.acosh(v) if v >= 1 else nan


def atanh(v: float) -> float:
    return math.atanh(v) if -1 < v < 1 else copysign(inf, v) if abs(v) == 1 else nan


# ---- the functions of neural networks: two branches, no threshold


def sigmoid(v: float) -> float:
    e = math.exp(-abs(v))
    return (e if v < 0 else 1.0) / (1 + e)


def softplus(v: float) -> float:
    """log(1 + exp(v))."""
    return maximum(v, 0.0) + math.log1p(math.exp(-abs(v)))


def log_sigmoid(v: float) -> float:
    return -softplus(-v)


def relu(v: float) -> float:
    return maximum(v, 0.0)


def leaky_relu(v: float) -> float:
    return v if v > 0 else 0.01 * v


def elu(v: float) -> float:
    return v if v > 0 else math.expm1(v)


def gelu(v: float) -> float:
    """v·Φ(v), Φ the normal distribution; by erfc, which keeps the digits of the left tail."""
    return -0.0 if v == -inf else v * (0.5 * math.erfc(-v * ROOT_HALF))


def silu(v: float) -> float:
    return -0.0 if v == -inf else v * sigmoid(v)


ROOT_HALF = math.sqrt(0.5)

# ---- gamma

EULER = 0.5772156649015329  # -ψ(1)

# ζ(k) - 1 for k = 2, 3, …: by direct summation, the tail by Euler and Maclaurin.
ZETA_LESS_1 = tuple(
    math.fsum([*(n ** -float(k) for n in range(2, 40)), 40.0 ** (1 - k) / (k - 1), 40.0 ** -k / 2,
               k * 40.0 ** (-k - 1) / 12, -k * (k + 1) * (k + 2) * 40.0 ** (-k - 3) / 720,
               k * (k + 1) * (k + 2) * (k + 3) * (k + 4) * 40.0 ** (-k - 5) / 30240])
    for k in range(2, 40)
)
BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330,
             854513 / 138, -236364091 / 2730)  # B2, B4, …


def lgamma(v: float) -> float:
    """log|Γ(v)|. `math.lgamma` loses its digits at the zeros 1 and 2; there the series about 2 is summed."""
    if 0.5 <= v < 1.5:
        return _lgamma_of_2_plus(v - 1) - math.log1p(v - 1)
    if 1.5 <= v <= 2.5:
        return _lgamma_of_2_plus(v - 2)
    try:
        return math.lgamma(v)
    except (ValueError, OverflowError):  # a pole; too large
        return inf


def _lgamma_of_2_plus(z: float) -> float:
    total = 0.0
    for k in range(len(ZETA_LESS_1) + 1, 1, -1):
        total = (ZETA_LESS_1[k - 2] / k - total) * z
    return z * ((1 - EULER) + total)


def digamma(v: float) -> float:
    """ψ, the derivative of log Γ. At ±0 infinite by the sign of the zero, at the other poles nan."""
    if v != v or v == inf:
        return v
    if v == 0:
        return -copysign(inf, v)
    if v == -inf or (v < 0 and v == math.floor(v)):
        return nan
    terms = []
    if v < 0:
        terms.append(-math.pi / math.tan(math.pi * (v - round(v))))
        v = 1 - v
    while v < 12:
        terms.append(-1 / v if v > 1e-308 else divide(-1.0, v))
        v += 1
    square = 1 / v / v
    series = 0.0
    for k in range(len(BERNOULLI), 0, -1):
        series = (series + BERNOULLI[k - 1] / (2 * k)) * square
    terms += [math.log(v), -0.5 / v, -series]
    return _sum(terms)


def polygamma(n: float, v: float) -> float:
    """The n-th derivative of ψ, n = 0, 1, 2, …"""
    n = int(n)
    if n == 0 or v != v:
        return digamma(v)
    if v == inf:
        return 0.0
    if v == -inf or (v < 0 and v == math.floor(v)):
        return nan
    if v < 0:
        return _sum([(-1) ** n * polygamma(n, 1 - v), -_cotangent_derivative(n, v)])
    terms = []
    whole = float(math.factorial(n)) if n <= 170 else inf
    while v < 16 + n:
        terms.append(divide(whole, power(v, n + 1)))
        v += 1
    terms += [divide(whole / n, power(v, n)), divide(whole / 2, power(v, n + 1))]
    rising = whole * (n + 1) / 2  # (2k + n - 1)! / (2k)! for k = 1
    for k, b in enumerate(BERNOULLI, start=1):
        if k > 1:
            rising *= (2 * k + n - 2) * (2 * k + n - 1) / ((2 * k - 1) * (2 * k))
        terms.append(divide(b * rising, power(v, 2 * k + n)))
    return (-1) ** (n + 1) * _sum(terms)


def _cotangent_derivative(n: int, v: float) -> float:
    """The n-th derivative of π·cot(πv), as a polynomial in the cotangent: c' = -π(1 + c²)."""
    polynomial = [0.0, 1.0]  # from the constant term up
    for _ in range(n):
        slope = [k * a for k, a in enumerate(polynomial)][1:]
        polynomial = [-(a + b) for a, b in zip(slope + [0.0, 0.0], [0.0, 0.0] + slope)]
    c = 1 / math.tan(math.pi * (v - round(v)))
    total = polynomial.pop()
    for a in reversed(polynomial):
        total = total * c + a
    return total * power(math.pi, n + 1)


def _sum(terms: list[float]) -> float:
    """Correctly rounded where all is finite; inf and nan as `+` gives them."""
    try:
        return math.fsum(terms)
    except (OverflowError, ValueError):
        return sum(terms)
