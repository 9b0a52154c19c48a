"""Diagnostics as data for JSON; needs nothing that paints."""

from __future__ import annotations

from typing import Sequence

from graphlang.diagnostics import NOWHERE, Diagnostic, Source


def as_json(diagnostics: Sequence[Diagnostic], source: Source | None) -> list[dict]:
    """All of them as data. Lines and columns count from 1, the end column is the one after the last character; they
    are None where there is no place. `file` is there where it is an included file."""
    out = []
    for d in diagnostics:
        line = column = end_line = end_column = None
        where = {}
        if has_place(d, source):
            file, at = source.origin(d.at)
            (line, column), (end_line, end_column) = file.position(at.start), file.position(at.end)
            where = {"file": file.name} if file.name != source.name else {}
        out.append({"code": d.code, "severity": d.severity, "message": d.message, **where, "line": line, "column": column,
                    "end_line": end_line, "end_column": end_column, "hints": list(d.hints)})
    return out


def has_place(d: Diagnostic, source: Source | None) -> bool:
    return source is not None and d.at is not None and d.at != NOWHERE
