"""Draws: which values a variant has, and in which order options stand.

Every number comes from a stream of its own, named by the seed, the quiz, the variant and the purpose: so any variant can be made alone, and
another quiz, variant or question changes none. Only `random()` is used, whose sequence for a seed is promised to stay.
"""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Callable, Iterator, Sequence, TypeVar

from graphlang.quiz.model import Quiz

MOST_TRIES = 1000       # draws for one variant
MOST_EXAMINED = 10_000  # draws of a quiz that are all looked at; of more a sample of so many is

T = TypeVar("T")
Drawn = tuple[Decimal, ...]  # a value for each input that varies, in their order


def stream(seed: int, quiz: str, variant: int, purpose: str) -> Callable[[], float]:
    """Numbers from 0 to 1, one after the other."""
    return random.Random(f"{seed}:{quiz}:{variant}:{purpose}").random


def index(draw: Callable[[], float], n: int) -> int:
    return int(draw() * n)


def shuffled(items: Sequence[T], draw: Callable[[], float]) -> list[T]:
    out = list(items)
    for k in range(len(out) - 1, 0, -1):
        j = index(draw, k + 1)
        out[k], out[j] = out[j], out[k]
    return out


def draws(quiz: Quiz, seed: int, number: int) -> Iterator[Drawn]:
    """Draws for one variant, of which the first that fits is taken."""
    draw = stream(seed, quiz.name, number, "draw")
    for _ in range(MOST_TRIES if quiz.vary else 1):
        yield tuple(v.values[index(draw, len(v.values))] for v in quiz.vary)


def count(quiz: Quiz) -> int:
    """How many draws there are, fitting or not."""
    n = 1
    for v in quiz.vary:
        n *= len(v.values)
    return n


def examined(quiz: Quiz, most: int = MOST_EXAMINED) -> Iterator[Drawn]:
    """Every draw, the last input changing fastest; where there are more than `most`, so many different ones at random."""
    total = count(quiz)
    if total <= most:
        yield from (at(quiz, k) for k in range(total))
        return
    draw, seen = stream(0, quiz.name, 0, "sample"), set()
    while len(seen) < most:
        k = index(draw, total)
        if k not in seen:
            seen.add(k)
            yield at(quiz, k)


def at(quiz: Quiz, k: int) -> Drawn:
    """The k-th draw."""
    out = []
    for v in reversed(quiz.vary):
        k, here = divmod(k, len(v.values))
        out.append(v.values[here])
    return tuple(reversed(out))
