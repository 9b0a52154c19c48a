"""Two arithmetics for keys beside balls: fractions, for what is asked for exactly, and long decimals, where ball arithmetic is not installed.

Both are given to the reference engine, as balls are. Numbers are what they are written as: 0.1 is a tenth. A function that has no row here makes
`Unknown`: then there is no such key, and nothing is guessed.
"""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation, Overflow, getcontext
from fractions import Fraction
from functools import lru_cache
from typing import Callable, Mapping

from graphlang.engines.tape import Arithmetic
from graphlang.graph.functions import FUNCTIONS
from graphlang.graph.reductions import REDUCTIONS


class Unknown(Exception):
    """There is no such function in an arithmetic, or no value."""


class Exact(Fraction):
    """A fraction; sums begin with a float 0."""

    def __radd__(self, other):
        return Exact(Fraction(other) + Fraction(self))


class Long(Decimal):
    """A decimal number; sums begin with a float 0."""

    def __radd__(self, other):
        return Long(Decimal(other) + Decimal(self))


def arithmetic(kind: type, rows: Mapping[str, Callable]) -> Arithmetic:
    """Of fractions or decimals; decimals have the digits of the current context."""

    def lift(x):
        return x if isinstance(x, kind) else kind(str(x) if type(x) is Decimal else repr(x) if type(x) is float else x)

    def function(name: str) -> Callable:
        row = rows.get(name)

        def call(*operands):
            if row is None:
                raise Unknown(name)
            try:
                return kind(row(*map(lift, operands)))
            except (ZeroDivisionError, InvalidOperation, Overflow, ValueError, OverflowError):
                raise Unknown(name) from None

        return call

    def reduction(name: str) -> Callable:
        row = rows.get(f"{name} of all")

        def reduce(values):
            if row is None or not values:
                raise Unknown(name)
            out = row(list(map(lift, values)))
            return list(map(kind, out)) if REDUCTIONS[name].table else kind(out)

        return reduce

    return Arithmetic({name: function(name) for name in FUNCTIONS}, reduction, lift, lambda x: float(x))


# ---- what both have

PLAIN = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b, "neg": lambda a: -a,
    "abs": abs, "relu": lambda a: max(a, 0), "sign": lambda a: (a > 0) - (a < 0), "max": max, "min": min, "clip": lambda a, low, high: min(max(a, low), high),
    "where": lambda c, a, b: a if c else b, "floor": math.floor, "ceil": math.ceil, "leaky_relu": lambda a: a if a > 0 else a / 100,
    "<": lambda a, b: int(a < b), "<=": lambda a, b: int(a <= b), ">": lambda a, b: int(a > b), ">=": lambda a, b: int(a >= b),
    "==": lambda a, b: int(a == b), "!=": lambda a, b: int(a != b),
    "prod of all": math.prod, "max of all": max, "min of all": min, "mean of all": lambda v: sum(v[1:], v[0]) / len(v),
    "var of all": lambda v: variance(v), "_others of all": lambda v: [math.prod(v[:k] + v[k + 1 :]) for k in range(len(v))],
}


def variance(v: list):
    mean = sum(v[1:], v[0]) / len(v)
    return sum(((x - mean) ** 2 for x in v[1:]), (v[0] - mean) ** 2) / len(v)


# ---- fractions: what is a fraction again


def power(a: Fraction, b: Fraction) -> Fraction:
    if b.denominator == 1 and abs(b) <= 1000:
        return Fraction(a) ** int(b)
    if b.denominator == 2 and abs(b) <= 1000:
        return Fraction(root(a)) ** b.numerator
    raise ValueError


def root(a: Fraction) -> Fraction:
    if a < 0:
        raise ValueError
    above, below = math.isqrt(a.numerator), math.isqrt(a.denominator)
    if above * above != a.numerator or below * below != a.denominator:
        raise ValueError
    return Fraction(above, below)


def only(at: int, value: Fraction | int) -> Callable:
    """Of a function that is a fraction at one point."""

    def f(a: Fraction) -> Fraction:
        if a != at:
            raise ValueError
        return Fraction(value)

    return f


FRACTIONS = {**PLAIN, "^": power, "sqrt": root, "exp": only(0, 1), "log": only(1, 0), "sin": only(0, 0), "cos": only(0, 1), "tan": only(0, 0),
             "tanh": only(0, 0), "sigmoid": only(0, Fraction(1, 2)), "atan": only(0, 0), "sinh": only(0, 0), "cosh": only(0, 1), "_sech": only(0, 1),
             "expm1": only(0, 0), "log1p": only(0, 0), "norm of all": lambda v: root(sum((x * x for x in v), Fraction(0)))}

# ---- decimals


@lru_cache(maxsize=8)
def pi(digits: int) -> Decimal:
    """By Machin's formula, in whole numbers."""
    one = 10 ** (digits + 10)

    def arctan(n: int) -> int:
        term = total = one // n
        k = 1
        while term:
            term //= -n * n
            k += 2
            total += term // k
        return total

    return Decimal(4 * (4 * arctan(5) - arctan(239))).scaleb(-digits - 10)


def series(first: Decimal, step: Callable[[int, Decimal], Decimal]) -> Decimal:
    """A sum of terms until they no longer count."""
    total, term, k = first, first, 0
    while True:
        k += 1
        term = step(k, term)
        before, total = total, total + term
        if total == before:
            return total


def sin(a: Decimal) -> Decimal:
    if abs(a) > 10**6:
        raise ValueError  # digits would be lost
    turn = 2 * pi(getcontext().prec + 20)
    a = a - turn * (a / turn).to_integral_value()
    return a * 0 if not a else series(Decimal(a), lambda k, t: -t * a * a / ((2 * k) * (2 * k + 1)))


def cos(a: Decimal) -> Decimal:
    if abs(a) > 10**6:
        raise ValueError
    turn = 2 * pi(getcontext().prec + 20)
    a = a - turn * (a / turn).to_integral_value()
    return series(Decimal(1), lambda k, t: -t * a * a / ((2 * k - 1) * (2 * k)))


def atan(a: Decimal) -> Decimal:
    halvings = 0
    while abs(a) > Decimal("0.1"):
        a, halvings = a / (1 + (1 + a * a).sqrt()), halvings + 1
    if not a:
        return a
    total, term, k = a, a, 1
    while True:
        term *= -a * a
        k += 2
        before, total = total, total + term / k
        if total == before:
            return total * 2**halvings


def long_power(a: Decimal, b: Decimal) -> Decimal:
    return (Decimal(1) if not b else a**b) if a or b >= 0 else Decimal(1) / 0


def sigmoid(a: Decimal) -> Decimal:
    return 1 / (1 + (-a).exp())


def tanh(a: Decimal) -> Decimal:
    return 1 - 2 / ((2 * a).exp() + 1)


def softmax(v: list) -> list:
    top = max(v)
    powers = [(x - top).exp() for x in v]
    total = sum(powers[1:], powers[0])
    return [p / total for p in powers]


def logsumexp(v: list) -> Decimal:
    top = max(v)
    return top + sum((x - top).exp() for x in v).ln()


DECIMALS = {
    **PLAIN, "^": long_power, "exp": Decimal.exp, "log": Decimal.ln, "log10": Decimal.log10, "log2": lambda a: a.ln() / Decimal(2).ln(), "sqrt": Decimal.sqrt,
    "expm1": lambda a: a.exp() - 1, "log1p": lambda a: (1 + a).ln(), "sin": sin, "cos": cos, "tan": lambda a: sin(a) / cos(a), "atan": atan,
    "sinh": lambda a: (a.exp() - (-a).exp()) / 2, "cosh": lambda a: (a.exp() + (-a).exp()) / 2, "tanh": tanh, "_sech": lambda a: 2 / (a.exp() + (-a).exp()),
    "sigmoid": sigmoid, "log_sigmoid": lambda a: -(1 + (-a).exp()).ln(), "softplus": lambda a: (1 + a.exp()).ln(), "silu": lambda a: a * sigmoid(a),
    "elu": lambda a: a if a > 0 else a.exp() - 1, "xlogy": lambda a, b: a * b.ln() if a else a, "logaddexp": lambda a, b: logsumexp([a, b]),
    "_power_log": lambda a, b, m: a**b * a.ln() ** m, "hypot": lambda a, b: (a * a + b * b).sqrt(), "softmax of all": softmax, "logsumexp of all": logsumexp,
    "log_softmax of all": lambda v: [x - logsumexp(v) for x in v], "norm of all": lambda v: sum(x * x for x in v).sqrt(), "std of all": lambda v: variance(v).sqrt(),
}


def fractions() -> Arithmetic:
    return arithmetic(Exact, FRACTIONS)


def decimals() -> Arithmetic:
    return arithmetic(Long, DECIMALS)
