"""Systems of affine inequalities over integers, for what can be shown about indices without going through their values."""

from __future__ import annotations

from math import gcd
from typing import Iterable, Mapping

Form = tuple[int, Mapping[str, int]]  # c + Σ k·index, as in affine.py
MOST_ROWS = 400  # of a system on the way; beyond, nothing is said


class Unknown(Exception):
    """A system that grew too large to be solved."""


def minus(a: Form, b: Form) -> Form:
    out = dict(a[1])
    for name, k in b[1].items():
        out[name] = out.get(name, 0) - k
    return a[0] - b[0], {n: k for n, k in out.items() if k}


def plus(a: Form, c: int) -> Form:
    return a[0] + c, a[1]


def least(objective: Form, rows: Iterable[Form]) -> int | None:
    """The least value of a form where all `rows` are ≥ 0; None where that is nowhere. What is found by eliminating one index after the
    other (Fourier and Motzkin) may be a little less than the true one, never more: only some of it is known of integers. Every index must have ends.

    Raises Unknown.
    """
    known: dict[tuple, int] = {}  # the tightest constant for each linear part
    for row in (*rows, minus((0, {"": 1}), objective)):
        if not keep(known, row):
            return None
    while names := {n for part in known for n, _ in part if n}:
        uses = {n: [0, 0] for n in names}
        for part in known:
            for n, k in part:
                if n:
                    uses[n][k > 0] += 1
        name = min(sorted(names), key=lambda n: uses[n][0] * uses[n][1])
        below, above, rest = [], [], {}
        for part, c in known.items():
            k = dict(part).get(name)
            if k is None:
                rest[part] = c
            else:
                (below if k > 0 else above).append((abs(k), c, dict(part)))
        known = rest
        for k, c, low in below:
            for m, d, high in above:
                both = {n: m * low.get(n, 0) + k * high.get(n, 0) for n in {*low, *high}}
                if not keep(known, (m * c + k * d, both)):
                    return None
        if len(known) > MOST_ROWS:
            raise Unknown
    return max(-(c // k) for part, c in known.items() for _, k in part if k > 0)


def keep(known: dict[tuple, int], row: Form) -> bool:
    """Add `row` ≥ 0. False where it never holds."""
    c, factors = row
    factors = {n: k for n, k in factors.items() if k}
    if not factors:
        return c >= 0
    shared = gcd(*factors.values())
    part = tuple(sorted((n, k // shared) for n, k in factors.items()))
    known[part] = min(known.get(part, c // shared), c // shared)
    return True
