"""Numbers and tables of numbers as a person reads them. A number is never cut."""

from __future__ import annotations

import math
from typing import Sequence

MOST_ENTRIES = 12  # of a table that are shown without --all
EXACT = 15         # digits of a number in the summary: all that a float64 holds for certain
FLOAT = 17         # digits that tell every float64 from its neighbours
LARGEST_WHOLE = 1e10


def number(x, digits: int = 6) -> str:
    """With so many significant digits; a whole number with all of its. A ball with its certain digits."""
    if not isinstance(x, (float, int)):
        from graphlang.engines.ball import digits as certain

        return certain(x, digits)
    digits = min(digits, FLOAT)
    if not math.isfinite(x):
        return "nan" if x != x else "inf" if x > 0 else "-inf"
    if abs(x) < LARGEST_WHOLE and x == int(x):
        return f"{x:.0f}"
    text = f"{x:.{digits}g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        return f"{mantissa}e{int(exponent)}"
    return text


def table(flat: Sequence[float], extents: Sequence[int], digits: int = 6, all: bool = False, dots: str = "…") -> str:
    """`[a b; c d]`: rows of a matrix are parted by `;`, matrices of a larger table by `|`. Beyond 12 entries the rest is
    counted."""
    if not extents:
        return number(flat[0], digits)
    if not flat:
        return "[]"
    shown = len(flat) if all or len(flat) <= MOST_ENTRIES else MOST_ENTRIES
    row = extents[-1]
    matrix = row * extents[-2] if len(extents) > 1 else len(flat)
    parts = []
    for k in range(shown):
        if k:
            parts.append(" " if k % row else "; " if k % matrix else " | ")
        parts.append(number(flat[k], digits))
    rest = "" if shown == len(flat) else f" {dots} ({len(flat) - shown} more)"
    return "[" + "".join(parts) + rest + "]"
