"""The loss over the epochs as lines of text."""

from __future__ import annotations

from typing import NamedTuple, Sequence

HEIGHT = 9


class Series(NamedTuple):
    """What one sign stands for, and a value for each epoch."""

    label: str
    values: Sequence[float]


def curve(epochs: Sequence[int], series: Sequence[Series], width: int, digits: int = 6, ascii: bool = False, height: int = HEIGHT) -> list[str]:
    """One line a step of the vertical axis, which runs from the least value to the greatest; where series meet the first one is seen."""
    values = [v for s in series for v in s.values]
    low, high = min(values), max(values)
    labels = [f"{high:.{digits}g}", f"{low:.{digits}g}"]
    gutter = max(map(len, labels))
    columns = max(2, min(width - gutter - 3, 4 * len(epochs)))
    signs = "*o" if ascii else "●○"
    grid = [[" "] * columns for _ in range(height)]
    last = max(epochs[-1] - epochs[0], 1)
    for sign, s in reversed(list(zip(signs, series))):
        for e, v in zip(epochs, s.values):
            row = 0 if high == low else round((high - v) / (high - low) * (height - 1))
            grid[row][round((e - epochs[0]) / last * (columns - 1))] = sign
    bar, corner, line = ("|", "+", "-") if ascii else ("┤", "└", "─")
    lines = [f" {(labels[0] if k == 0 else labels[1] if k == height - 1 else '').rjust(gutter)} {bar}{''.join(row).rstrip()}" for k, row in enumerate(grid)]
    first, end = str(epochs[0]), str(epochs[-1])
    lines.append(" " * (gutter + 2) + corner + line * columns)
    lines.append(" " * (gutter + 3) + first + end.rjust(columns - len(first)))
    return [*lines, " " * (gutter + 3) + "   ".join(f"{sign} {s.label}" for sign, s in zip(signs, series))]
