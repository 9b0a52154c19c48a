"""Diagnostics as data for JSON; needs nothing that paints."""

from __future__ import annotations

from typing import Sequence

from graphlang.diagnostics import NOWHERE, Diagnostic, Source


def as_json(diagnostics: Sequence[Diagnostic], source: Source | None) -> list[dict]:
    """All of them as data. Lines and columns count from 1, the end column is the one after the last character; they
    are None where there is no place."""
    out = []
    for d in diagnostics:
        line = column = end_line = end_column = None
        if has_place(d, source):
            (line, column), (end_line, end_column) = source.position(d.at.start), source.position(d.at.end)
        out.append({"code": d.code, "severity": d.severity, "message": d.message, "line": line, "column": column,
                    "end_line": end_line, "end_column": end_column, "hints": list(d.hints)})
    return out


def has_place(d: Diagnostic, source: Source | None) -> bool:
    return source is not None and d.at is not None and d.at != NOWHERE
