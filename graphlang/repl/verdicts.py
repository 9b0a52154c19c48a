"""Claims and expectations that are typed: graded at once, against the program as it is."""

from __future__ import annotations

import math
from dataclasses import replace

from graphlang.diagnostics import Diagnostic, GraphError, Source
from graphlang.engines.initial import initial_values
from graphlang.engines.reference import first_bad
from graphlang.given import UsageError
from graphlang.pipeline import Program, evaluate_graph
from graphlang.graph.graph import Graph, layout_at
from graphlang.graph.values import Problem
from graphlang.repl.items import items_of
from graphlang.repl.session import Session
from graphlang.repl.state import Built
from graphlang.repl.waiting import OUTSIDE
from graphlang.repl.show import Look
from graphlang.run import HOLDS, NOT_JUDGED
from graphlang.show.console import Line
from graphlang.show.summary import because, verdict
from graphlang.syntax import ast


def check_understood(graph: Graph) -> None:
    """Refuse claims and expectations that say nothing which could be judged. Raises GraphError."""
    from graphlang.graph.coverage import check_expression
    from graphlang.query import lowering_for
    from graphlang.verify.claims import MISFITS
    from graphlang.verify.expect import both_sides, tolerance

    found = []
    lowering = lowering_for(graph)
    for s in sorted((*graph.claims, *graph.expectations), key=lambda s: s.span.start):
        try:
            lowering.layout = layout_at(graph.layouts, s.span.start)
            left, right, over = both_sides(lowering, s)
            if type(s) is ast.Expect:
                tolerance(lowering, s)
            ranges = {n: v.ranges for n, v in {**graph.variables, **lowering.derived}.items()}
            check_expression(left, over, ranges, s.left.span)
            check_expression(right, over, ranges, s.right.span)
        except Problem as p:
            if type(s) is ast.Expect or p.diagnostic.code not in MISFITS or p.diagnostic.code == OUTSIDE:
                found.append(p.diagnostic)
    if found:
        raise GraphError(found, graph.source)


def graded(session: Session, text: str, look: Look) -> tuple[list[Line], bool, dict]:
    """Lines to show, whether it is fine, and the same as data. Raises GraphError for what cannot be understood."""
    typed = Source("input", text)
    items = items_of(typed, session.names())
    if len(items) != 1 or items[0].kind not in ("claim", "expect"):
        raise UsageError("one line of a derivation at a time: `:claim dJ/dx = 2x`")
    program = Program.read(session.source(session.state, items), session.reach)
    graph = program.graph
    values, missing = initial_values(graph, {}, None)
    if items[0].kind == "claim":
        from graphlang.verify.claims import judge

        alone = graph if graph.dims else replace(graph, claims=graph.claims[-1:])  # sizes are tried in the whole program
        v = judge(alone, None if missing or graph.dims else values)[-1]
        style = "green" if v.verdict == HOLDS else "yellow" if v.verdict == NOT_JUDGED else "bold red"
        by = f"by {v.by}" if v.verdict == HOLDS and v.by else because(v)
        return list(verdict(f"claim {v.text}", v.verdict, by, style, look.width)), v.ok, {"claim": v.text, "verdict": v.verdict, "why": by}
    if missing:
        raise UsageError(f"not judged: `{missing[0]}` has no value")
    run = evaluate_graph(replace(graph, claims=(), expectations=graph.expectations[-1:]), {}, goal=anything(graph))
    (e,) = run.expectations
    word = "ok" if e.holds else "not judged" if e.holds is None else "failed"
    both = f"{e.left:.17g} on the left, {e.right:.17g} on the right" if e.holds is False and e.left is not None and e.right is not None else e.note
    lines = list(verdict(f"expect {e.text}", word, both, {"ok": "green", "failed": "bold red"}.get(word, "yellow"), look.width))
    return lines, e.holds is not False, {"expect": e.text, "holds": e.holds, "left": e.left, "right": e.right}


def anything(graph) -> str | None:
    """A goal for a program that has none of its own: expectations may be about values only."""
    from graphlang.graph.goals import goals_of
    from graphlang.graph.order import plan

    try:
        return None if goals_of(graph, plan(graph), None) else None
    except GraphError:
        return next((n for n, v in graph.variables.items() if not v.ranges and v.role != "const"), None)


def not_finite(built: Built, names: set[str]) -> list[Diagnostic]:
    """Why new variables have no finite value, as warnings: the program is kept, as in a run with `--ieee`."""
    found = []
    ranges = {n: v.ranges for n, v in built.graph.variables.items()}
    for e in built.graph.equations:
        if e.target in names and e.target in built.flat and not all(map(math.isfinite, built.flat[e.target])):
            bad = first_bad(e, built.flat, ranges)
            if bad is not None:
                from graphlang.engines.blame import explain

                found.append(explain(built.graph, bad.equation, bad.at, built.flat)._replace(severity="warning"))
    return found
