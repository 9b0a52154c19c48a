"""Intervals of accepted numbers, as formats with binary numbers can say them."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import NamedTuple

from graphlang.quiz.model import Accepted

LONGEST = 24              # signs of a number without a power of ten
HAIR = Decimal("1e-6")  # of half of an interval, by which a number that is compared in binary is given way


class Around(NamedTuple):
    """The numbers that are no farther than `tolerance` from `value`."""

    value: Decimal
    tolerance: Decimal


def digits(value: Decimal) -> str:
    """As every format reads a number: `-` and digits, with a power of ten where it would be long. There is no -0."""
    text = format(value + 0, "f")
    return text if len(text) <= LONGEST else format(value, "e").replace("e+", "e")


def tidy(value: Decimal) -> str:
    """The same without zeros at the end: marks, parts of them."""
    return digits(value.normalize()) if value else "0"


def around(key: Decimal, accepted: Accepted) -> tuple[Around, ...]:
    """Distances from a number that together reach over an interval, the first one from the key. They are closed, and wider by a hair, for a platform
    subtracts in binary: an end that does not belong to the interval does here."""
    key += 0  # no -0
    half, below, above = (accepted.high - accepted.low) / 2, key - accepted.low, accepted.high - key
    if not half:
        return (Around(key, Decimal(0)),)
    gap = max(half * HAIR, 4 * Decimal(math.ulp(float(max(abs(accepted.low), abs(accepted.high))))))
    hair = Decimal(format(gap, ".0e"))
    if below == above:
        return (Around(key, half + hair),)
    least = min(below, above)
    first = (Around(key, least + hair),) if least >= 0 else ()
    return (*first, Around((accepted.low + accepted.high) / 2, half + hair))


def floats(accepted: Accepted) -> tuple[float, float]:
    """The least and the greatest of the float64 that belong to an interval: between them, both included, are the numbers that read as one that does."""
    low, high = float(accepted.low), float(accepted.high)
    return low if accepted.closed[0] else math.nextafter(low, math.inf), high if accepted.closed[1] else math.nextafter(high, -math.inf)
