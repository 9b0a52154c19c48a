"""The ball engine: values and adjoints as intervals that are certain to hold the true ones (flint's `arb`).

It is the reference engine in another arithmetic: the same order, the same instructions, the same derivatives. Leaves and
numbers of the program are what they are as float64, exactly; so it answers the question that the float engine answers, but
without rounding. The one door of python-flint, which is imported where it is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from importlib.util import find_spec
from typing import Callable, Mapping, Sequence

from graphlang.derive.reverse import Derivative
from graphlang.engines import reference
from graphlang.engines.reference import Backward
from graphlang.engines.tape import Arithmetic
from graphlang.graph.functions import FUNCTIONS
from graphlang.graph.graph import Graph
from graphlang.graph.order import plan
from graphlang.graph.reductions import REDUCTIONS

Balls = dict[str, list]          # like Values, of flint.arb

BITS_PER_DIGIT = 3.3219280948873626
GUARD = 64                       # bits beyond the digits asked for: so a ball across the border of two roundings is as rare as it can be
MOST_BITS = 10_000               # of working precision; four times the first one where that is more
MOST_WORK = 200_000_000          # bits times numbers of a repetition: some ten seconds


def available() -> bool:
    """Whether python-flint is installed (extra `exact`)."""
    return find_spec("flint") is not None


@dataclass(eq=False)
class Certain:
    """Values, one sweep for each derivative, and the working precision in bits at which they were found."""

    values: Balls
    sweeps: list[Backward]
    bits: int


def arithmetic(unknown: list | None = None, written: bool = False) -> Arithmetic:
    """Balls, for `reference` and `tape`; the precision is flint's own setting. A subscript that is not certain is nan and is put into
    `unknown`: what it reads is nan, but an addition to the element that it means is left out. `written`: 0.1 is a tenth, not the float64 next to it."""
    from flint import arb

    def lift(x):
        return x if type(x) is arb else as_written(x) if written else arb(x)

    def function(f: Callable) -> Callable:
        return lambda *operands: f(*map(lift, operands))

    def reduction(name: str) -> Callable:
        row = REDUCTIONS[name]

        def reduce(values: Sequence):
            if values:
                return row.ball(list(map(lift, values)))
            return [] if row.table else arb("nan") if row.empty is None else arb(row.empty)

        return reduce

    def subscript(x) -> float:
        x = lift(x)
        if x.is_exact():
            return float(x.mid())
        if unknown is not None:
            unknown.append(x)
        return float("nan")

    return Arithmetic({name: function(row.ball) for name, row in FUNCTIONS.items()}, reduction, lift, subscript)


def as_written(x):
    """A float or a Decimal as the decimal number that it is written as."""
    from flint import arb

    return arb(x) if type(x) is float and x.is_integer() else arb(repr(x) if type(x) is float else str(x))


def bounds(x) -> tuple[Decimal, Decimal] | None:
    """Two numbers that a ball lies between for certain; None where it has no bounds."""
    from flint import arb

    x = x if type(x) is arb else arb(x)
    if not x.is_finite():
        return None
    middle, radius, power = (int(n) for n in x.mid_rad_10exp(60))
    return Decimal(f"{middle - radius}E{power}"), Decimal(f"{middle + radius}E{power}")


def evaluate(graph: Graph, values: Mapping[str, list[float]], digits: int) -> Balls:
    """Every variable, given its leaves as floats. A ball that is wider than `digits` digits could not be made narrower."""
    return certain(graph, values, (), digits).values


def backward(derivative: Derivative, values: Mapping[str, list[float]], digits: int = 30) -> Backward:
    """Adjoints and contributions, given the leaves as floats."""
    return certain(derivative.graph, values, (derivative,), digits).sweeps[0]


def certain(graph: Graph, values: Mapping[str, list[float]], derivatives: Sequence[Derivative], digits: int) -> Certain:
    """Forward and backward, again and again with more precision, until every number has its digits or a limit is met."""
    first = int(digits * BITS_PER_DIGIT) + 2 * GUARD
    limit = max(MOST_BITS, 4 * first)
    wanted = digits * BITS_PER_DIGIT + GUARD
    bits = first
    while True:
        with working(bits):
            found = once(graph, values, derivatives, bits)
        numbers = [x for table in tables(found) for x in table]
        if bits >= limit or 2 * bits * len(numbers) > MOST_WORK or all(_accurate(x, wanted) for x in numbers):
            return found
        bits = min(2 * bits, limit)


def once(graph: Graph, values: Mapping[str, list[float]], derivatives: Sequence[Derivative], bits: int) -> Certain:
    from flint import arb

    unknown: list = []
    balls, numbers = {name: list(map(arb, values[name])) for name, v in graph.variables.items() if v.is_leaf}, arithmetic(unknown)
    for _ in reference.forward(graph, plan(graph).groups, balls, numbers):
        pass
    sweeps = []
    for d in derivatives:
        unknown.clear()
        sweeps.append(reference.backward(d, balls, numbers))
        if unknown:  # to which elements is not known, so nothing is
            for table in (*sweeps[-1].adjoints.values(), *sweeps[-1].parts.values()):
                table[:] = [arb("nan")] * len(table)
    found = Certain(balls, sweeps, bits)
    for table in tables(found):
        table[:] = [x if type(x) is arb else arb(x) for x in table]
    return found


def exactly(values: Mapping[str, list[float]]) -> Balls:
    """Floats as what they are."""
    from flint import arb

    return {name: list(map(arb, table)) for name, table in values.items()}


def middle(x, bits: int) -> float | None:
    """The float nearest to a ball, where its relative width is below 2^-bits or it holds little else than 0; else None."""
    from flint import arb

    x = x if type(x) is arb else arb(x)
    if not x.is_finite():
        return None
    if x.is_exact() or x.rel_accuracy_bits() >= bits:
        return float(x.mid())
    return 0.0 if x.contains(0) and float(x.abs_upper()) < 2.0**-bits else None


def finite(x) -> bool:
    from flint import arb

    return (x if type(x) is arb else arb(x)).is_finite()


def differ(a, b, relative: float) -> bool | None:
    """Whether two numbers differ by more than a part of the larger one; None where the balls do not tell."""
    from flint import arb

    a, b = (x if type(x) is arb else arb(x) for x in (a, b))
    if not (a.is_finite() and b.is_finite()):
        return None
    gap, part = abs(a - b), arb(relative)
    if gap.is_zero() or gap.abs_upper() <= part * a.abs_lower() or gap.abs_upper() <= part * b.abs_lower():
        return False
    if gap.abs_lower() > part * a.abs_upper() and gap.abs_lower() > part * b.abs_upper():
        return True
    return None


def along(start: Sequence, t: float, direction: Sequence[float]) -> list:
    """start + t·direction, exactly."""
    from flint import arb

    return [x + arb(t) * arb(d) for x, d in zip(start, direction)]


def quotient(a, b, h: float, bits: int) -> float | None:
    """(a - b)/h as a float, where that is certain to `bits` bits."""
    from flint import arb

    return middle((arb(a) - arb(b)) / arb(h), bits)


def working(bits: int):
    """A context in which flint computes with so many bits."""
    from flint import ctx

    return ctx.workprec(bits)


def tables(found: Certain):
    yield from found.values.values()
    for sweep in found.sweeps:
        yield from sweep.adjoints.values()
        yield from sweep.parts.values()


def _accurate(x, wanted: float) -> bool:
    return x.is_exact() or x.rel_accuracy_bits() >= wanted


# ---- as text


def digits(ball, n: int) -> str:
    """A ball to n significant digits, rounded correctly, all of them certain.

    An exact number with no more digits than that is written plainly (`0.5`; a number that is not exact keeps its zeros). A ball
    that is too wide for n digits is written `m ± r`, which encloses it; one without bounds is `nan`, since nothing is known.
    """
    if not ball.is_finite():
        if ball.is_nan() or not ball.is_exact():
            return "nan"
        return "inf" if ball > 0 else "-inf"
    if ball.is_zero():
        return "0"
    for k in (n, n + 1):  # one digit more where the number lies in the middle between two of n digits
        middle, radius, power = (int(x) for x in ball.mid_rad_10exp(k + 10))
        low, high = (_rounded(x, power, k) for x in (middle - radius, middle + radius))
        if low == high and low[0]:
            exact = radius == 0 and ball.is_exact() and len(str(abs(middle)).rstrip("0")) <= n
            return _plain(*low, n, strip=exact)
    return _with_radius(ball)


def _rounded(middle: int, power: int, n: int) -> tuple[int, int]:
    """middle · 10^power to n digits, halves to even, as the same."""
    drop = len(str(abs(middle))) - n
    if drop <= 0:
        return middle * 10 ** -drop, power + drop
    scale = 10 ** drop
    whole, rest = divmod(abs(middle), scale)
    whole += 2 * rest > scale or (2 * rest == scale and whole % 2)
    if whole == 10 ** n:
        whole, drop = whole // 10, drop + 1
    return (whole if middle >= 0 else -whole), power + drop


def _plain(middle: int, power: int, n: int, strip: bool) -> str:
    sign, text = "-" if middle < 0 else "", str(abs(middle))
    exponent = power + len(text) - 1
    if strip:
        text = text.rstrip("0") or "0"
    if not -5 <= exponent < max(n, 16):
        return f"{sign}{text[0]}{'.' if text[1:] else ''}{text[1:]}e{exponent}"
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{text}"
    whole, rest = text[: exponent + 1].ljust(exponent + 1, "0"), text[exponent + 1 :]
    return f"{sign}{whole}{'.' if rest else ''}{rest}"


def _with_radius(ball) -> str:
    """`m ± r` with two digits of r; what m loses by rounding is added to r."""
    middle, radius, power = (int(x) for x in ball.mid_rad_10exp(20))
    if radius == 0:
        radius, power, middle = 1, power - 2, middle * 100
    if 10 * abs(middle) < 9 * radius:  # the ball is about 0
        middle, radius = 0, radius + abs(middle)
    drop = max(0, len(str(radius)) - 2)
    scale = 10 ** drop
    whole, rest = divmod(abs(middle), scale)
    if 2 * rest >= scale:
        whole, rest = whole + 1, scale - rest
    r = -(-(radius + rest) // scale)
    m = whole if middle >= 0 else -whole
    text = "0" if not m else _plain(m, power + drop, len(str(whole)), strip=False)
    return f"{text} ± {_plain(r, power + drop, len(str(r)), strip=True)}"
