"""Numbers that are known between two bounds, such as one that a student rounded: an arithmetic for the reference engine.

What an operation makes of two intervals holds every value that it has in them. A function of one operand rises or falls between the
points where it turns, which are listed; where it is not defined throughout, nothing is known of the result. Bounds are floats, and
rounding of these is not followed: they are widened by far more than that by whoever compares.
"""

from __future__ import annotations

import math
from itertools import product
from typing import Callable, NamedTuple

from graphlang.engines.tape import Arithmetic
from graphlang.graph.functions import FUNCTIONS
from graphlang.graph.reductions import REDUCTIONS

INF = math.inf
MOST_CORNERS = 64


class Between(NamedTuple):
    """A number from `low` to `high`."""

    low: float
    high: float

    def __add__(self, other):  # not of tuples: sums that the engine makes begin with a float 0
        o = lifted(other)
        return made(self.low + o.low, self.high + o.high)

    __radd__ = __add__

    def __mul__(self, other):
        o = lifted(other)
        return hull(times(x, y) for x, y in product(self, o))

    __rmul__ = __mul__

    @property
    def known(self) -> bool:
        return math.isfinite(self.low) and math.isfinite(self.high)


ANYTHING = Between(-INF, INF)


def lifted(x) -> Between:
    return x if type(x) is Between else made(float(x), float(x))


def made(low: float, high: float) -> Between:
    return Between(low, high) if low <= high else ANYTHING  # also where one is nan


def times(x: float, y: float) -> float:
    return 0.0 if not x or not y else x * y


def hull(values) -> Between:
    some = list(values)
    return ANYTHING if not some or any(x != x for x in some) else Between(min(some), max(some))


def joined(*some: Between) -> Between:
    return Between(min(b.low for b in some), max(b.high for b in some))


# ---- functions of one operand, by where they turn

QUARTER = math.pi / 2
TURNS = {"abs": (0.0,), "cosh": (0.0,), "_sech": (0.0,), "gelu": (-0.7517915240932,), "silu": (-1.2784645427611,), "lgamma": (1.4616321449683623,)}
FROM = {"lgamma": 0.0, "digamma": 0.0, "log": 0.0, "log2": 0.0, "log10": 0.0, "log1p": -1.0}  # defined above, as far as it is looked at here


def turning(name: str, a: Between) -> list[float]:
    """The points inside of an interval at which a function turns."""
    first = {"sin": QUARTER, "cos": 0.0}.get(name)
    if first is None:
        return [t for t in TURNS.get(name, ()) if a.low < t < a.high]
    k = math.ceil((a.low - first) / math.pi)
    return [first + n * math.pi for n in range(k, k + 3) if a.low < first + n * math.pi < a.high]


def monotone(name: str, f: Callable[[float], float]) -> Callable:
    def at(operand) -> Between:
        a = lifted(operand)
        if not a.known or a.low <= FROM.get(name, -INF):
            return ANYTHING
        if name == "tan" and math.floor(a.low / math.pi + 0.5) != math.floor(a.high / math.pi + 0.5):
            return ANYTHING
        return hull(f(x) for x in (a.low, a.high, *turning(name, a)))

    return at


# ---- functions of several


def corners(f: Callable[..., float]) -> Callable:
    """Of one that rises or falls in each operand alone."""

    def at(*operands) -> Between:
        boxes = [sorted(set(lifted(x))) for x in operands]
        if any(not math.isfinite(x) for b in boxes for x in b):
            return ANYTHING
        return hull(f(*point) for point in product(*boxes))

    return at


def subtract(a, b) -> Between:
    a, b = lifted(a), lifted(b)
    return made(a.low - b.high, a.high - b.low)


def divide(a, b) -> Between:
    b = lifted(b)
    return ANYTHING if b.low <= 0 <= b.high else lifted(a) * Between(1 / b.high, 1 / b.low)


def power(a, b) -> Between:
    a, b = lifted(a), lifted(b)
    whole = b.low == b.high and b.low == int(b.low) if b.known else False
    if not a.known or not b.known or not whole and a.low < 0 or a.low <= 0 <= a.high and b.low < 0:
        return ANYTHING
    inner = [0.0] if whole and a.low < 0 < a.high else []
    return hull(FUNCTIONS["^"].reference(x, y) for x in (*a, *inner) for y in b)


def where(c, a, b) -> Between:
    c = lifted(c)
    if c.low == c.high == 0:
        return lifted(b)
    return lifted(a) if c.low > 0 or c.high < 0 else joined(lifted(a), lifted(b))


def compare(holds: Callable[[float, float], bool]) -> Callable:
    """1 or 0, or either. For the order of two numbers the corners tell; for equality only where both are points."""

    def at(a, b) -> Between:
        a, b = lifted(a), lifted(b)
        found = {float(holds(x, y)) for x, y in product(a, b)}
        return Between(min(found), max(found))

    return at


def equal(a, b) -> Between:
    one = a is b  # `v != v`, by which a rule asks whether v is nan
    a, b = lifted(a), lifted(b)
    if one and a.known or a.low == a.high == b.low == b.high:
        return Between(1.0, 1.0)
    return Between(0.0, 1.0 if a.low <= b.high and b.low <= a.high else 0.0)


def different(a, b) -> Between:
    same = equal(a, b)
    return Between(1 - same.high, 1 - same.low)


def mod(a, b) -> Between:
    a, b = lifted(a), lifted(b)
    if not a.known or b.low != b.high or not b.low:
        return ANYTHING
    whole = math.floor(a.low / b.low) == math.floor(a.high / b.low)
    return hull(FUNCTIONS["mod"].reference(x, b.low) for x in a) if whole else hull((0.0, b.low))


def xlogy(a, b) -> Between:
    a = lifted(a)
    return Between(0.0, 0.0) if a.low == a.high == 0 else a * KNOWN["log"](b)


def hypot(a, b) -> Between:
    return KNOWN["sqrt"](power(a, 2.0) + power(b, 2.0))


def atan2(a, b) -> Between:
    a, b = lifted(a), lifted(b)
    return ANYTHING if a.low <= 0 <= a.high and b.low <= 0 else corners(FUNCTIONS["atan2"].reference)(a, b)


KNOWN: dict[str, Callable] = {name: monotone(name, row.reference) for name, row in FUNCTIONS.items() if row.arity == (1, 1)}
KNOWN |= {"+": lambda a, b: lifted(a) + b, "-": subtract, "*": lambda a, b: lifted(a) * b, "/": divide, "^": power, "where": where, "mod": mod, "xlogy": xlogy,
          "hypot": hypot, "atan2": atan2, "==": equal, "!=": different}
KNOWN |= {name: compare(FUNCTIONS[name].reference) for name in ("<", "<=", ">", ">=")}
KNOWN |= {name: corners(FUNCTIONS[name].reference) for name in ("max", "min", "clip", "logaddexp")}


def function(name: str) -> Callable:
    return KNOWN.get(name) or (lambda *operands: at_points(FUNCTIONS[name].reference, operands))


def at_points(f: Callable[..., float], operands) -> Between:
    """Of numbers that are known exactly; else nothing is known."""
    exact = [lifted(x) for x in operands]
    return hull([f(*(x.low for x in exact))]) if all(x.low == x.high for x in exact) else ANYTHING


# ---- reductions


def reduction(name: str) -> Callable:
    """At the corners, for those that rise or fall in each element; where there are too many, from exact elements only."""
    f = REDUCTIONS[name].reference

    def reduce(values):
        boxes = [sorted(set(lifted(x))) for x in values]
        if any(not math.isfinite(x) for b in boxes for x in b):
            return [ANYTHING] * len(boxes) if REDUCTIONS[name].table else ANYTHING
        if name == "mean":
            return divide(sum(map(lifted, values), 0.0), len(values))
        if math.prod(map(len, boxes)) > MOST_CORNERS or name not in RISING and any(len(b) > 1 for b in boxes):
            return [ANYTHING] * len(boxes) if REDUCTIONS[name].table else ANYTHING
        found = [f(list(point)) for point in product(*boxes)]
        return [hull(column) for column in zip(*found)] if REDUCTIONS[name].table else hull(found)

    return reduce


# Those whose extremes over a box are at its corners: each rises, falls or is a straight line in every element alone.
RISING = {"prod", "_others", "max", "min", "logsumexp", "softmax", "log_softmax", "cumsum", "det"}

ARITHMETIC = Arithmetic({name: function(name) for name in FUNCTIONS}, reduction, lifted, lambda b: b.low if b.low == b.high else math.nan)
