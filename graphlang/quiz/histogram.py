"""How the marks of a class are spread, as bars of text."""

from __future__ import annotations

from decimal import Decimal
from typing import Iterator, NamedTuple, Sequence

BINS = 10
WIDEST = 40


class Bin(NamedTuple):
    """Students with `low` to `high` percent of the marks; the last bin holds 100 too."""

    low: int
    high: int
    count: int


def bins(totals: Sequence[tuple[Decimal, Decimal]]) -> tuple[Bin, ...]:
    """Of pairs of marks and of how many."""
    counts = [0] * BINS
    for marks, of in totals:
        counts[min(BINS - 1, int(BINS * marks / of)) if of else 0] += 1
    step = 100 // BINS
    return tuple(Bin(k * step, (k + 1) * step, n) for k, n in enumerate(counts))


def mean(totals: Sequence[tuple[Decimal, Decimal]]) -> Decimal | None:
    """Of the percentages."""
    some = [100 * marks / of for marks, of in totals if of]
    return sum(some, Decimal(0)) / len(some) if some else None


def median(totals: Sequence[tuple[Decimal, Decimal]]) -> Decimal | None:
    some = sorted(100 * marks / of for marks, of in totals if of)
    return (some[(len(some) - 1) // 2] + some[len(some) // 2]) / 2 if some else None


def bars(found: Sequence[Bin], widest: int = WIDEST, sign: str = "█") -> Iterator[str]:
    """One line a bin; a bar is never empty where there is somebody, and no longer than `widest`."""
    most = max((b.count for b in found), default=0)
    number = len(str(most))
    for b in found:
        length = b.count if most <= widest else max(1, round(b.count * widest / most)) if b.count else 0
        yield f"{b.low:3d} to {b.high:3d} %  {b.count:{number}d}  {sign * length}".rstrip()
