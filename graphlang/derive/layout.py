"""How the derivative of a scalar, vector or matrix by another is arranged: the nine types and the two layouts."""

from __future__ import annotations

from typing import NamedTuple

from graphlang.graph.graph import Box, Variable
from graphlang.graph.sizes import written


class Shape(NamedTuple):
    """`text` is the shape, `P×M`; `standard`: the books agree on it, and a matrix formula may be shown."""

    text: str
    standard: bool


def shape_of(of: Variable, wrt: Variable, layout: str) -> Shape:
    """Of the derivative of one variable by another. A vector counts as a column."""
    above, below = sizes(of.ranges), sizes(wrt.ranges)
    numerator = layout == "numerator"
    match len(above), len(below):
        case 0, 0:
            return Shape("1×1", True)
        case 1, 0:
            return Shape(f"{above[0]}×1" if numerator else f"1×{above[0]}", True)
        case 0, 1:
            return Shape(f"1×{below[0]}" if numerator else f"{below[0]}×1", True)
        case 1, 1:
            return Shape(f"{above[0]}×{below[0]}" if numerator else f"{below[0]}×{above[0]}", True)
        case 0, 2:
            return Shape(f"{below[1]}×{below[0]}" if numerator else f"{below[0]}×{below[1]}", True)
        case 2, 0:
            return Shape(f"{above[0]}×{above[1]} entries, arranged in either way by different books", False)
    return Shape(f"order {len(above) + len(below)}: {'×'.join((*above, *below) if numerator else (*below, *above))}, no matrix", False)


def sizes(ranges: Box) -> tuple[str, ...]:
    """The number of elements of each range."""
    return tuple(written(r.extent) for r in ranges)
