"""What a check of a quiz finds: findings, each with what to change, and the measures beside them."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

UNFIT, WARNING, NOTE = "unfit", "warning", "note"


class Finding(NamedTuple):
    """`level`: "unfit" (not to be asked like this), "warning", "note". `check` names the check; `where` the part or the answer, "" the quiz; `change`
    what to do about it."""

    level: str
    check: str
    where: str
    message: str
    change: str = ""


class Measured(NamedTuple):
    """Of one answer over the draws that fit: its keys from the smallest to the largest, how many different ones there are."""

    name: str
    low: Decimal
    high: Decimal
    different: int


class Seen(NamedTuple):
    """Of one part that asks for numbers: of the mistakes that change an exact answer how many still round to the key, on the average over draws
    and at the worst one; which these are there; `decimals`: at which none does (None: at no number of decimals up to 8)."""

    part: str
    mistakes: int
    masked: float
    worst: int
    at: str
    names: tuple[str, ...]
    decimals: int | None
    inputs: str = ""


class Ranks(NamedTuple):
    """Of a multiple-choice question over many variants: how often the key stands at each position, and as the k-th smallest (of the k-th answer)."""

    part: str
    options: int
    positions: tuple[int, ...]
    ranks: tuple[int, ...]


@dataclass(eq=False)
class Report:
    quiz: str
    title: str
    marks: Decimal
    asked: int                # variants, 0: nobody says
    count: int = 1            # draws
    examined: int = 0
    fitting: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    keys: list[Measured] = field(default_factory=list)
    detection: list[Seen] = field(default_factory=list)
    ranks: list[Ranks] = field(default_factory=list)
    difficulty: tuple[int, int] | None = None   # digits that a student writes, least and most
    by: str = ""                                # what makes the keys certain
    findings: list[Finding] = field(default_factory=list)

    @property
    def fit(self) -> bool:
        return not any(f.level == UNFIT for f in self.findings)

    def add(self, level: str, check: str, where: str, message: str, change: str = "") -> None:
        self.findings.append(Finding(level, check, where, message, change))
