"""Wrong options for a question with choices, each with its mistake: the answers together, as one wrong derivation gives them.

Nothing about the key may show which option it is. Its rank is drawn first, for each answer by itself, and the options are chosen to fit; and
as long as there are enough values, none stands in two options, so that neither what is common nor what is rare points to the key.
"""

from __future__ import annotations

import math
from collections import Counter
from decimal import Decimal
from typing import Callable, NamedTuple, Sequence

from graphlang.quiz.diagnosing import decimal, interval, named, rounded
from graphlang.quiz.mistakes import message
from graphlang.quiz.model import Precision
from graphlang.quiz.perturbed import Perturbed, Values, Wrong

Numbers = tuple[Decimal, ...]


class Distractor(NamedTuple):
    """A wrong option: its numbers, rounded as asked; the mistakes, one of them, or, in one with two, both; what is told."""

    values: Numbers
    mistakes: tuple[str, ...]
    message: str
    weight: float = 0.0


def distractors(perturbed: Perturbed, values: Values, keys: Numbers, precisions: Sequence[Precision], names: Sequence[str], count: int,
                draw: Callable[[], float], wrong: Wrong | None = None) -> tuple[Distractor, ...]:
    """At most `count` wrong options beside the keys, fewer where there are no more. `names`: of the answers, as they are shown. `draw` gives numbers
    from 0 to 1, one after the other. Single mistakes come first, then two at once, then one in each answer, then answers in each other's place."""
    choosing = Choosing(keys, tuple(precisions), options(perturbed, wrong or perturbed.at(values), precisions), draw)
    if not choosing.aim(count):  # too few values on a side
        choosing.more = options(perturbed.paired, perturbed.paired.at(values), precisions)
        choosing.settle(count)
    while len(choosing.chosen) < count and (found := choosing.apart(choosing.singles) or choosing.apart(choosing.more) or choosing.crossed(names)):
        choosing.take(found)
    last = [swapped(keys)] if len(keys) == 2 else []
    for pool in (choosing.singles, choosing.more, last):
        for balanced in (True, False):
            while len(choosing.chosen) < count and (found := choosing.sharing(pool, balanced)):
                choosing.take(found)
    return tuple(choosing.chosen)


class Choosing:
    """The options chosen so far, and how many are still wanted below and above each key."""

    def __init__(self, keys: Numbers, precisions: tuple[Precision, ...], singles: list[Distractor], draw: Callable[[], float]):
        self.keys, self.precisions, self.draw = keys, precisions, draw
        self.singles, self.more = singles, []
        self.chosen: list[Distractor] = []
        self.need: list[list[int]] = []
        self.sides: list[list[dict[Decimal, Distractor]]] = []  # for each answer the values below and above its key that no option has
        self.free: dict[int, list[Distractor]] = {}             # of a list of options those that share no value with the chosen ones

    def values(self, a: int) -> list[dict[Decimal, Distractor]]:
        """The values of one answer below and above its key, each with the likeliest option that has it."""
        key, out = self.keys[a], ({}, {})
        for d in (*self.singles, *self.more):
            if d.values[a] != key:
                out[d.values[a] > key].setdefault(d.values[a], d)
        return [{x: d for x, d in side.items() if not self.meet(x, key, a)} for side in out]

    def aim(self, count: int) -> bool:
        """Draw how many options stand below each key, each number as likely; whether there are values for that."""
        self.need = [[min(count, int(self.draw() * (count + 1)))] for _ in self.keys]
        self.sides = [self.values(a) for a in range(len(self.keys))]
        for n in self.need:
            n.append(count - n[0])
        return all(len(side) >= n for sides, need in zip(self.sides, self.need) for side, n in zip(sides, need))

    def settle(self, count: int) -> None:
        """The same with more options to take from; where values are still missing, any of the numbers for which there are some is as likely."""
        self.sides = [self.values(a) for a in range(len(self.keys))]
        for sides, need in zip(self.sides, self.need):
            under, over = map(len, sides)
            if under < need[0] or over < need[1]:
                least, most = max(0, count - over), min(count, under)
                need[0] = min(least + int(self.draw() * (most - least + 1)), most) if least <= most else min(count, under)
                need[1] = count - need[0]

    def take(self, d: Distractor) -> None:
        self.chosen.append(d)
        for a, (x, k) in enumerate(zip(d.values, self.keys)):
            self.need[a][x > k] -= x != k
            self.sides[a] = [{y: e for y, e in side.items() if not self.meet(x, y, a)} for side in self.sides[a]]
        self.free = {n: [e for e in pool if not self.shares(d.values, e.values)] for n, pool in self.free.items()}

    def meet(self, x: Decimal, y: Decimal, a: int) -> bool:
        p = self.precisions[a]
        return x == y or p.kind in ("within", "percent") and interval(x, p).meets(interval(y, p))

    def shares(self, one: Numbers, other: Numbers) -> bool:
        return any(self.meet(x, y, a) for a, (x, y) in enumerate(zip(one, other)))

    def apart(self, pool: list[Distractor]) -> Distractor | None:
        """One with no value that stands among the options already, on the sides where one is wanted."""
        if id(pool) not in self.free:
            self.free[id(pool)] = [d for d in pool if not any(self.shares(d.values, o) for o in (self.keys, *(c.values for c in self.chosen)))]
        return self.drawn([d for d in self.free[id(pool)] if all(n[x > k] > 0 for x, k, n in zip(d.values, self.keys, self.need))])

    def crossed(self, names: Sequence[str]) -> Distractor | None:
        """One with a mistake of its own in each answer."""
        if len(self.keys) < 2:
            return None
        parts = []
        for a in range(len(self.keys)):
            found = self.drawn([d for wanted, side in zip(self.need[a], self.sides[a]) if wanted > 0 for d in side.values()])
            if found is None:
                return None
            parts.append(found)
        text = " ".join(f"{n}: {d.message}" for n, d in zip(names, parts))
        return Distractor(tuple(d.values[a] for a, d in enumerate(parts)), tuple(dict.fromkeys(n for d in parts for n in d.mistakes)), text,
                          math.prod(d.weight for d in parts))

    def sharing(self, pool: Sequence[Distractor], balanced: bool) -> Distractor | None:
        """One that can be told from all others but may share a value with them; balanced: a value of the key is repeated only where
        another value stands as often."""
        some = []
        for d in pool:
            if any(all(self.meet(x, y, a) for a, (x, y) in enumerate(zip(d.values, o))) for o in (self.keys, *(c.values for c in self.chosen))):
                continue
            if balanced and any(x == k and 2 + self.often(k, a) > self.most_often(a) for a, (x, k) in enumerate(zip(d.values, self.keys))):
                continue
            some.append(d)
        return self.drawn(some)

    def often(self, x: Decimal, a: int) -> int:
        return sum(c.values[a] == x for c in self.chosen)

    def most_often(self, a: int) -> int:
        return max(Counter(c.values[a] for c in self.chosen if c.values[a] != self.keys[a]).values(), default=0)

    def drawn(self, some: Sequence[Distractor]) -> Distractor | None:
        """One of them, by weight."""
        if not some:
            return None
        at = self.draw() * sum(d.weight for d in some)
        for d in some:
            at -= d.weight
            if at < 0:
                return d
        return some[-1]


def options(perturbed: Perturbed, wrong: Wrong, precisions: Sequence[Precision]) -> list[Distractor]:
    """The wrong answers of single perturbations, each once with all mistakes that lead to it, the likeliest first."""
    found: dict[Numbers, list] = {}
    for k in perturbed.likeliest:
        row = wrong.answers[k]
        if not all(wrong.same[k]) and all(map(math.isfinite, row)):
            found.setdefault(tuple(rounded(decimal(x), a) for x, a in zip(row, precisions)), []).append(perturbed.perturbations[k])
    return [Distractor(numbers, *named(tuple(ps)), ps[0].weight) for numbers, ps in found.items()]


def swapped(keys: Numbers) -> Distractor:
    return Distractor(keys[::-1], ("swapped",), message("swapped"), 0.1)
