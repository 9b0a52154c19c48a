"""The JSON document of a run: everything that the tables show, as data, in canonical ASCII names.

Its formulas are expressions of the language: each parses back and evaluates to the value beside it.
"""

from __future__ import annotations

import json
import math
from typing import Iterable

import graphlang
from graphlang.derive.reverse import RAW, SHOWN, Contribution, Derivative, local, piece_formula, pieces
from graphlang.diagnostics import Diagnostic, Source
from graphlang.graph.expressions import Expr, Index, reads
from graphlang.graph.graph import Binding, Equation, Range, natural
from graphlang.graph.spell import formula, spell, variable
from graphlang.run import Pass, Run, nest, offsets
from graphlang.show.records import as_json
from graphlang.syntax.format import SOURCE, format_expr

LONGEST = 2000  # characters of a formula


def document(run: Run) -> dict:
    """The document as Python data; `dumps` prints it."""
    out = {
        "graphlang": graphlang.__version__,
        "file": run.graph.source.name if run.graph.source else None,
        "goal": str(run.passes[0].goal) if run.passes else None,
        "values": run.values,
        "adjoints": run.adjoints,
        "ranges": {n: [[r.low, r.high] for r in v.ranges] for n, v in by_name(run) if v.ranges},
        "roles": {n: v.role for n, v in by_name(run)},
        "forward": [forward_row(run, s.equation, s.value) for s in run.forward],
        "backward": backward_rows(run, run.passes[0]) if run.passes else [],
    }
    if len(run.passes) > 1:
        out["goals"] = {str(p.goal): {"adjoints": run.adjoints_of(p), "backward": backward_rows(run, p)} for p in run.passes}
    if run.derivatives:
        out["derivatives"] = derivatives(run)
    if run.tangents:
        out["tangents"] = {t.wrt: tangents(t) for t in run.tangents}
    if run.exact is not None:
        out["exact"] = {"precision": run.exact.precision, "values": run.exact.values, "adjoints": run.exact.adjoints}
        if len(run.passes) > 1:
            out["exact"]["goals"] = {str(p.goal): {"adjoints": run.exact.adjoints_of(k)} for k, p in enumerate(run.passes)}
    out["conventions"] = list(run.conventions)
    out["claims"] = [claim(v) for v in run.claims]
    out["expectations"] = [{"text": e.text, "holds": e.holds, "left": e.left, "right": e.right} | ({"note": e.note} if e.note else {})
                           for e in run.expectations]
    out["notes"] = list(run.notes)
    out["diagnostics"] = as_json(run.diagnostics, run.graph.source)
    return out


def derivatives(run: Run) -> dict:
    """The tables of --jacobian and --hessian."""
    texts = {name: formula(run.graph.pool.read(name), SOURCE) or name for name in run.derivatives}
    return {texts[name]: {"value": nest(flat, ranges), "ranges": [[r.low, r.high] for r in ranges]} for name, (flat, ranges) in run.derivatives.items()}


def tangents(t) -> dict:
    """Forward mode by one variable: for each that depends on it the derivative, first by the indices of x."""
    pool = t.graph.pool
    found = {}
    for e in t.order:
        v = t.graph.variables[e.target]
        found[formula(pool.read(e.target), SOURCE) or e.target] = nest(t.values[e.target], v.ranges)
    return found


def claim(v) -> dict:
    """A verdict as data; where it does not hold, at which indices, both values and what it looks like."""
    more = {"by": v.by, "at": dict(v.at), "left": v.left, "right": v.right, "point": v.point, "slip": v.slip, "note": v.note}
    return {"text": v.text, "verdict": v.verdict} | {k: x for k, x in more.items() if x not in ("", None, {})}


def failure(diagnostics: Iterable[Diagnostic], source: Source | None, file: str) -> dict:
    """The document of a program that is wrong."""
    return {"graphlang": graphlang.__version__, "file": file, "diagnostics": as_json(tuple(diagnostics), source)}


def dumps(data: dict) -> str:
    """One JSON text; nan and the infinities are strings."""
    return json.dumps(finite(data), ensure_ascii=False, allow_nan=False, indent=1)


def finite(data):
    if isinstance(data, float):
        if math.isfinite(data):
            return data
        return "nan" if data != data else ("inf" if data > 0 else "-inf")
    if isinstance(data, dict):
        return {k: finite(v) for k, v in data.items()}
    if isinstance(data, (list, tuple)):
        return [finite(v) for v in data]
    return data


def by_name(run: Run):
    return sorted(run.graph.variables.items(), key=lambda item: natural(item[0]))


def element(name: str, subs: tuple[Expr, ...]) -> str:
    return format_expr(variable(name, tuple(spell(s) for s in subs)), SOURCE)


def for_text(over: Iterable[Binding]) -> str | None:
    return ", ".join(f"{b.index} in {b.range}" for b in over) or None


def text_or_note(e: Expr, row: dict, key: str = "formula") -> dict:
    """The formula, or in its place the note that it is too long."""
    text = formula(e, SOURCE, LONGEST)
    row[key] = text
    if text is None:
        row["note"] = "the formula is too long to show; use --expand"
    return row


def forward_row(run: Run, e: Equation, value: list[float]) -> dict:
    row = {"name": e.target, "target": element(e.target, e.subs), "for": for_text(e.bindings)}
    written = format_expr(e.source.value, SOURCE, LONGEST) if e.source is not None else None
    if written is not None and (e.source is None or not whole_table(e)):
        row["formula"] = written
    else:
        text_or_note(e.value, row)
    names = dict.fromkeys(r.name for r in reads(e.value))
    row["operands"] = list(names)
    row["value"] = nest(value, tuple(r for s, r in zip(e.subs, e.box) if type(s) is Index))
    return row


def whole_table(e: Equation) -> bool:
    """Whether the author wrote a whole table at once, so that the text has no index while the target here has."""
    return bool(e.bindings) and not e.source.binders


def backward_rows(run: Run, p: Pass) -> list[dict]:
    rows = []
    for name in p.derivative.variables:
        adjoint = run.adjoint(p, name)
        whole = run.graph.variables[name].ranges
        rendered = {e.contribution: contribution_row(run, p, e) for e in adjoint.entries}
        for piece in adjoint.pieces:
            row = {"name": name, "target": element(name, piece.at), "for": for_text(piece.over)}
            text_or_note(run.formula(p, piece), row)
            box = tuple(b.range for b in piece.over)
            if whole and len(adjoint.pieces) > 1:
                over = dict(piece.over)
                at = [over[s.name] if type(s) is Index else _single(s) for s in piece.at]
                value = [adjoint.value[k] for k in offsets(tuple(at), whole)]
            else:
                value = adjoint.value
            row["value"] = nest(value, box)
            row["contributions"] = [rendered[c] for c in piece.terms]
            if not all(map(math.isfinite, adjoint.value)):
                row.setdefault("note", "not finite: inf and nan are carried on, so a formula may give another value")
            noted = next((r["note"] for r in row["contributions"] if "note" in r), None)
            if noted:
                row.setdefault("note", noted)
            rows.append(row)
    return rows


def _single(s: Expr):
    return Range(int(s.value), int(s.value))


def contribution_row(run: Run, p: Pass, entry) -> dict:
    c: Contribution = entry.contribution
    whole = run.graph.variables[c.variable].ranges
    expression, over = run.local(c)
    row = {"from": c.source.target, "target": element(c.variable, c.at), "for": for_text(c.over), "source": element(c.source.target, c.source_subs)}
    text_or_note(expression, row, "local")
    value, over = run.local_value(c)
    row["local_value"] = nest(value, tuple(b.range for b in over))
    note = run.local_note(c)
    if note:
        row["note"] = note
    row["indices"] = [b.index for b in over]
    row["over"] = for_text(over)
    row["sum"] = [b.index for b in c.summed]
    row["value"] = nest(entry.value, whole)
    row["total"] = nest(entry.total, whole)
    return row


def formulas(derivative: Derivative, wrt: tuple[str, ...], raw: bool) -> dict:
    """The document of `graphlang grad --json`: the backward column without values."""
    form = RAW if raw else SHOWN
    rows = []
    for name in derivative.variables:
        if wrt and name not in wrt:
            continue
        for piece in pieces(derivative, name):
            row = {"name": name, "target": element(name, piece.at), "for": for_text(piece.over)}
            text_or_note(piece_formula(derivative, piece, form), row)
            row["contributions"] = []
            for c in piece.terms:
                inner = {"from": c.source.target, "target": element(name, c.at), "for": for_text(c.over), "source": element(c.source.target, c.source_subs)}
                row["contributions"].append(text_or_note(local(c, form), inner, "local") | {"sum": [b.index for b in c.summed]})
            rows.append(row)
    graph = derivative.graph
    return {"graphlang": graphlang.__version__, "file": graph.source.name if graph.source else None, "goal": str(derivative.goal), "backward": rows}
