"""Columns in groups of statements: role words, `=`, `for`, and the comments at the ends of lines."""

from __future__ import annotations

from typing import Iterator, Sequence

from graphlang.syntax.tidy_layout import Line, Statement, width

LEFT, RIGHT = 24, 40  # a left side, or a line, that is longer than the shortest of its run by more than this is not waited for

RUNS = {"ROLE": "declaration", "DIM": "declaration", "OVERRIDE": "equation", "CLAIM": "claim", "EXPECT": "expect", "ANSWER": "option", "WRONG": "option"}


def waits(widths: Sequence[int | None], most: int) -> list[int]:
    """The blanks that bring neighbours to one column. None, and what is wider than the narrowest by more than `most`, stands alone
    and parts its neighbours."""
    known = [w for w in widths if w is not None]
    limit = min(known, default=0) + most
    out = [0] * len(widths)
    start = 0
    for n in range(len(widths) + 1):
        w = widths[n] if n < len(widths) else None
        if w is None or w > limit:
            widest = max((w for w in widths[start:n] if w is not None), default=0)
            for k in range(start, n):
                out[k] = widest - (widths[k] or 0)
            start = n + 1
    return out


def kind_of(s: Statement) -> str:
    """Statements of one kind are aligned with one another; "" is with none."""
    return RUNS.get(s.kind) or ("equation" if s.place("EQUAL") is not None and s.kind in ("NAME", "LPAR") else "")


def runs(group: Sequence[Statement | None]) -> Iterator[tuple[str, list[Statement]]]:
    """The statements of one kind that follow one another in a group; None is a statement that is kept as it is."""
    kind, run = "", []
    for s in (*group, None):
        here = kind_of(s) if s is not None else ""
        if here != kind or not here:
            if kind and len(run) > 1:
                yield kind, run
            kind, run = here, []
        if s is not None:
            run.append(s)


def align(group: Sequence[Statement | None]) -> None:
    """Give the statements of a group, between which is no blank line, the blanks that align them."""
    for kind, run in runs(group):
        if kind in ("declaration", "option"):
            _spread(run, [1] * len(run), [width(s.texts[0]) for s in run], LEFT)
        if kind == "declaration":
            continue
        for kinds, most in ((("BECAUSE",), RIGHT),) if kind == "option" else ((("EQUAL", "CMP"), LEFT), (("FOR",), RIGHT)):
            places = [s.place(*kinds) for s in run]
            places = [at if at is not None and s.on_first_line(at) else None for s, at in zip(run, places)]
            _spread(run, places, [None if at is None else s.width(at) for s, at in zip(run, places)], most)


def _spread(run: Sequence[Statement], places: Sequence[int | None], widths: Sequence[int | None], most: int) -> None:
    for s, at, extra in zip(run, places, waits(widths, most)):
        if at is not None and extra:
            s.extra[at] = s.extra.get(at, 0) + extra


def with_comments(lines: Sequence[Line]) -> list[str]:
    """Lines between which is no blank one as text, the comments behind them below one another."""
    behind = [n for n, line in enumerate(lines) if line.comment and line.alone is None]
    extra = dict(zip(behind, waits([width(lines[n].text) for n in behind], RIGHT)))
    out = []
    for n, line in enumerate(lines):
        if line.alone is not None:
            out.append(" " * line.alone + line.comment)
        else:
            out.append(line.text + (" " * (extra[n] + 2) + line.comment if n in extra else ""))
    return out
