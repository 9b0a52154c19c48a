"""What a wrong number tells: the values that mistakes lead to, rounded as the answer is asked for, beside the key.

Per answer and variant a mistake is *irrelevant* (the answer is the same, in exact arithmetic), *masked* (another number, the same after
rounding), *colliding* (rounded it is another mistake's too: which of them cannot be told), or *distinct*.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Iterable, NamedTuple, Sequence

from graphlang.quiz.model import Accepted, Diagnosis, Precision
from graphlang.quiz.perturbed import Perturbation, Perturbed, Values, Wrong

IRRELEVANT, MASKED, COLLIDING, DISTINCT = "irrelevant", "masked", "colliding", "distinct"
MOST_DECIMALS = 8
MOST_TOLD = 3     # messages of one diagnosis
SURE = 12         # significant digits of a float64 that is the end of a computation
HALF = Decimal("0.5")


# ---- numbers, as they are asked for


def decimal(x: float) -> Decimal:
    return Decimal(repr(float(x)))


@lru_cache(maxsize=1000)
def power(exponent: int) -> Decimal:
    return Decimal(1).scaleb(exponent)


def unit(value: Decimal, precision: Precision) -> Decimal | None:
    """A one in the last digit that is asked for; None where a number is not rounded."""
    if precision.kind == "decimals":
        return power(-precision.digits)
    if precision.kind == "figures":
        return power((value.adjusted() if value else 0) - precision.digits + 1)
    return None


def rounded(value: Decimal, precision: Precision) -> Decimal:
    """As it is asked for, half away from zero; a number that is not rounded has the digits that are sure."""
    step = unit(value, precision)
    if step is None:
        if precision.kind == "within" and precision.size:
            step = Decimal(1).scaleb(precision.size.adjusted() - 1)
        elif precision.kind == "percent" and value:
            step = Decimal(1).scaleb((abs(value) * precision.size / 100).adjusted() - 1)
        else:
            step = Decimal(1).scaleb((value.adjusted() if value else 0) - SURE + 1)
        found = value.quantize(step, ROUND_HALF_UP).normalize()
    else:
        found = value.quantize(step, ROUND_HALF_UP)
        if precision.kind == "figures" and found and found.adjusted() > value.adjusted():  # 9.996 to 3 figures is 10.0
            found = found.quantize(unit(found, precision), ROUND_HALF_UP)
    return found.copy_abs() if not found else found


def interval(key: Decimal, precision: Precision) -> Accepted:
    """What rounds to a number, half away from zero; or is within the size of it."""
    if precision.kind == "exactly":
        return Accepted(key, key)
    if precision.kind in ("within", "percent"):
        size = precision.size if precision.kind == "within" else abs(key) * precision.size / 100
        return Accepted(key - size, key + size)
    step = unit(key, precision)
    if not key:
        half = (Decimal(1).scaleb(-precision.digits) if precision.kind == "decimals" else Decimal(0)) * HALF
        return Accepted(-half, half, (not half, not half))
    inner = step * HALF
    if precision.kind == "figures" and abs(key) == Decimal(1).scaleb(key.adjusted()):
        inner /= 10  # below 10.0 numbers have one decimal more
    if key > 0:
        return Accepted(key - inner, key + step * HALF, (True, False))
    return Accepted(key - step * HALF, key + inner, (False, True))


# ---- the wrong answers of one blank


class Suspect(NamedTuple):
    """A wrong value, rounded, and the mistakes that lead to it, the likeliest first."""

    key: Decimal
    accepted: Accepted
    mistakes: tuple[Perturbation, ...]

    @property
    def weight(self) -> float:
        return self.mistakes[0].weight


def suspects(perturbed: Perturbed, wrong: Wrong, answer: int, precision: Precision) -> list[Suspect]:
    """The values that mistakes give one answer, those of the same number together; masked ones are among them."""
    found: dict[Decimal, list[Perturbation]] = {}
    known: dict[float, Decimal] = {}
    for k in perturbed.likeliest:
        x = wrong.answers[k][answer]
        if wrong.same[k][answer] or not math.isfinite(x):
            continue
        key = known.get(x)
        if key is None:
            key = known[x] = rounded(decimal(x), precision)
        found.setdefault(key, []).append(perturbed.perturbations[k])
    return [Suspect(key, interval(key, precision), tuple(mistakes)) for key, mistakes in found.items()]


def diagnoses(perturbed: Perturbed, wrong: Wrong, answer: int, accepted: Accepted, precision: Precision) -> tuple[Diagnosis, ...]:
    """What is told about wrong numbers in a blank, the likeliest first. An interval that meets the key's is left out; those that meet one another are one."""
    groups = [[s] for s in suspects(perturbed, wrong, answer, precision) if not s.accepted.meets(accepted)]
    if precision.kind not in ("decimals", "figures"):  # numbers that are rounded differ, or are one
        groups = together([s for (s,) in groups])
    groups.sort(key=lambda g: -max(s.weight for s in g))
    return tuple(map(diagnosis, groups))


def together(found: list[Suspect]) -> list[list[Suspect]]:
    """Those whose intervals meet, also by way of others."""
    found.sort(key=lambda s: (s.accepted.low, s.accepted.high))
    groups: list[list[Suspect]] = []
    for s in found:
        if groups and any(s.accepted.meets(o.accepted) for o in groups[-1]):
            groups[-1].append(s)
        else:
            groups.append([s])
    return groups


def diagnosis(group: Sequence[Suspect]) -> Diagnosis:
    """One for values whose intervals meet: all of their mistakes, under the likeliest one's value."""
    if len(group) == 1:
        (only,) = group
        return Diagnosis(only.key, only.accepted, *named(only.mistakes))
    first = max(group, key=lambda s: s.weight)
    low, high = group[0].accepted, max((s.accepted for s in group), key=lambda a: (a.high, a.closed[1]))
    mistakes = tuple(sorted((p for s in group for p in s.mistakes), key=lambda p: -p.weight))
    return Diagnosis(first.key, Accepted(low.low, high.high, (low.closed[0], high.closed[1])), *named(mistakes))


def named(mistakes: Sequence[Perturbation]) -> tuple[tuple[str, ...], str]:
    """The names of mistakes that lead to one number, and what is told about it."""
    return _named(tuple((p.names, p.message) for p in mistakes))


@lru_cache(maxsize=10_000)
def _named(mistakes: tuple[tuple[tuple[str, ...], str], ...]) -> tuple[tuple[str, ...], str]:
    return tuple(dict.fromkeys(n for names, _ in mistakes for n in names)), told(m for _, m in mistakes)


def told(messages: Iterable[str]) -> str:
    """One message, or that it is one of several."""
    some = list(dict.fromkeys(messages))
    if len(some) == 1:
        return some[0]
    more = f" (or one of {len(some) - MOST_TOLD} more)" if len(some) > MOST_TOLD else ""
    return "One of: " + " ".join(f"({k}) {m}" for k, m in enumerate(some[:MOST_TOLD], 1)) + more


def classes(perturbed: Perturbed, wrong: Wrong, answer: int, precision: Precision) -> tuple[str, ...]:
    """For each perturbation what becomes of it in one answer; "" where it has no finite value."""
    key = interval(rounded(decimal(wrong.right[answer]), precision), precision)
    by: dict[int, str] = {}
    for s in suspects(perturbed, wrong, answer, precision):
        kind = MASKED if key.meets(s.accepted) else COLLIDING if len(s.mistakes) > 1 else DISTINCT
        for p in s.mistakes:
            by[id(p)] = kind
    return tuple(by.get(id(p), IRRELEVANT if same[answer] else "") for p, same in zip(perturbed.perturbations, wrong.same))


# ---- whether a question can tell a right derivation from a wrong one


@dataclass(frozen=True, eq=False)
class Detection:
    """Of the single mistakes that change an exact answer: how many there are, counting once those that give the same wrong answers at every
    point, and those of which every answer still rounds to its key."""

    changing: tuple[Perturbation, ...]
    masked: tuple[Perturbation, ...]

    def __str__(self) -> str:
        return f"{len(self.masked)} of {len(self.changing)} mistakes round to the key"


def detection(perturbed: Perturbed, wrong: Wrong, precisions: Sequence[Precision]) -> Detection:
    """For all answers together: a mistake is seen if one of them shows it."""
    keys = [interval(rounded(decimal(x), p), p) for x, p in zip(wrong.right, precisions)]
    changing, masked = [], []
    for k, (p, row, same) in enumerate(zip(perturbed.perturbations, wrong.answers, wrong.same)):
        if perturbed.twins[k] != k or all(same) or not all(map(math.isfinite, row)):
            continue
        changing.append(p)
        if all(s or key.meets(interval(rounded(decimal(x), a), a)) for x, s, key, a in zip(row, same, keys, precisions)):
            masked.append(p)
    return Detection(tuple(changing), tuple(masked))


def digits(perturbed: Perturbed, wrong: Wrong, kind: str = "decimals") -> int | None:
    """The least number of decimals (or figures) at which no mistake is masked; None where there is none up to 8."""
    for n in range(0 if kind == "decimals" else 1, MOST_DECIMALS + 1):
        if not detection(perturbed, wrong, [Precision(kind, n)] * len(wrong.right)).masked:
            return n
    return None


def revealing(perturbed: Perturbed, variants: Iterable[Values], precisions: Sequence[Precision]) -> list[tuple[int, Values]]:
    """Inputs by how many mistakes they mask, fewest first, in the given order among equals. `variants`: flat values of all leaves."""
    found = []
    for values in variants:
        wrong = perturbed.at(values)
        if all(map(math.isfinite, wrong.right)):
            found.append((len(detection(perturbed, wrong, precisions).masked), values))
    found.sort(key=lambda one: one[0])
    return found
