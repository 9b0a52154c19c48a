"""Sizes left symbolic: `dim P`.

Nothing in the graph or in differentiation looks at how large a range is, so a symbolic size is an ordinary number that
no range of numbers can have: larger than the limit on the elements of a table. Formulas show its name; whatever needs
a number is refused before it would use this one, or is built again with numbers of its own (verify/claims.py).
"""

from __future__ import annotations

LEAST = 1_000_000_007
STEP = 1_000_003       # far apart, so that `P - 1` is near to P alone
NEAR = 1000

_NAMES: dict[int, str] = {}
_SIZES: dict[str, int] = {}


def placeholder(name: str) -> int:
    """The number that stands for a symbolic size; the same for a name in all programs."""
    if name not in _SIZES:
        _SIZES[name] = LEAST + STEP * len(_SIZES)
        _NAMES[_SIZES[name]] = name
    return _SIZES[name]


def symbolic(n: float) -> tuple[str, int] | None:
    """The name and the offset of a number that stands for a symbolic size: (`P`, -1) for P - 1."""
    if n < LEAST - NEAR or not _NAMES:
        return None
    near = round((n - LEAST) / STEP) * STEP + LEAST
    offset = int(n - near)
    return (_NAMES[near], offset) if near in _NAMES and abs(offset) <= NEAR and n == int(n) else None


def written(n: int) -> str:
    found = symbolic(n)
    if found is None:
        return str(n)
    name, offset = found
    return name if not offset else f"{name}{'+' if offset > 0 else '-'}{abs(offset)}"
