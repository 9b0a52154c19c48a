"""What generated Python calls beside the functions of the language: elements by subscripts that are values."""

from __future__ import annotations

import math


def offset(ranges, at) -> int:
    k = 0
    for (low, high), value in zip(ranges, at):
        if not low <= value <= high or value != int(value):
            return -1
        k = k * (high - low + 1) + int(value) - low
    return k


def element(table, ranges, at) -> float:
    k = offset(ranges, at)
    return table[k] if k >= 0 else math.nan


def put(table, ranges, at, value, add) -> None:
    k = offset(ranges, at)
    if k >= 0:
        table[k] = table[k] + value if add else value


def between(table, at, lows, highs) -> float:
    return element(table, tuple((int(a), int(b)) for a, b in zip(lows, highs)), at)


def placed(table, places, at) -> float:
    k = places.get(tuple(at), -1)
    return table[k] if k >= 0 else math.nan
