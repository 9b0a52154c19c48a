"""Columns that are called as the elements that they fill: `x[1]`, `x1`, `x_1`."""

from __future__ import annotations

import re
from collections import Counter
from typing import Sequence

from graphlang.syntax.names import NotAName, canonical


def spellings(element: str) -> list[str]:
    """How a header may spell an element of the program, the surest first."""
    name, _, subs = element.rstrip("]").partition("[")
    parts = subs.split(",") if subs else []
    if not parts:
        return [name]
    return [element, f"{name}_{'_'.join(parts)}", f"{name}{'_'.join(parts)}"]


def by_name(header: Sequence[str], elements: Sequence[str]) -> list[int | None]:
    """For each element the column that is called so, or None. A spelling that could mean two elements means none."""
    known = Counter(s for e in elements for s in spellings(e))
    columns = {}
    for k, name in enumerate(header):
        columns.setdefault(plain(name), k)
    return [next((columns[s] for s in spellings(e) if s in columns and (s == e or known[s] == 1)), None) for e in elements]


def plain(name: str) -> str:
    """A header's name without blanks, Greek letters by their names."""
    base, bracket, rest = re.sub(r"\s", "", name).partition("[")
    try:
        return canonical(base) + bracket + rest
    except NotAName:
        return base + bracket + rest
