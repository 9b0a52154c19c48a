"""Which columns of a table are meant: by name, or by number from 1."""

from __future__ import annotations

from typing import Callable, Sequence

from graphlang.data.mistakes import Mistakes, shown
from graphlang.diagnostics import did_you_mean


def chosen(columns: Sequence[str | int] | Callable, names: Sequence[str] | None, width: int, mistakes: Mistakes) -> Sequence[int]:
    """The places of columns, from 0, in the order asked for; all where none are asked for. Raises GraphError."""
    if callable(columns):
        columns = columns(names) if names is not None else ()
    if not columns:
        return range(width)
    out = []
    for c in columns:
        if isinstance(c, int):
            if 1 <= c <= width:
                out.append(c - 1)
            elif names is not None and str(c) in names:
                mistakes.add("E615", f"there is no column {c}: there {'is' if width == 1 else 'are'} {width}", f"the one that is called so is `\"{c}\"`")
            else:
                mistakes.add("E615", f"there is no column {c}: there {'is' if width == 1 else 'are'} {width}", "columns are counted from 1")
        elif names is None:
            mistakes.add("E615", f"there is no column `{shown(c)}`: the file has no header", "without a header columns are numbers, from 1")
        elif c.strip() in names:
            out.append(list(names).index(c.strip()))
        else:
            mistakes.add("E615", f"there is no column `{shown(c)}`", *(did_you_mean(c, [n for n in names if n]) or (listed(names),)))
    mistakes.done()
    return out


def listed(names: Sequence[str]) -> str:
    few = ", ".join(f"`{shown(n)}`" for n in names[:8])
    return f"there {'is' if len(names) == 1 else 'are'} {few}" + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def no_twins(names: Sequence[str], mistakes: Mistakes, place: str = "") -> None:
    """No two columns have one name; a column may have none."""
    seen: dict[str, int] = {}
    for k, name in enumerate(names):
        if name and name in seen:
            mistakes.add("E614", f"the columns {seen[name] + 1} and {k + 1} are both called `{shown(name)}`", "rename one of them", place=place)
        seen.setdefault(name, k)
