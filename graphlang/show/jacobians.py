"""Derivatives of tables and second derivatives as formulas: `dy/dx = du/dx @ dy/du`, with their shapes."""

from __future__ import annotations

from typing import Iterator, NamedTuple, Sequence

import graphlang
from graphlang.derive.complete import complete
from graphlang.derive.layout import Shape, shape_of
from graphlang.graph.derived import Asked, derivative_name, spelled, split
from graphlang.graph.expressions import Index, reads
from graphlang.graph.graph import Equation, Graph
from graphlang.graph.matrix_form import matrix_form
from graphlang.graph.spell import number
from graphlang.syntax import ast
from graphlang.syntax.format import SOURCE, format_expr
from graphlang.syntax.format_statements import format_statement


class Formula(NamedTuple):
    """A derivative: its left side, and its right side as a matrix formula, or where there is none as equations over
    indices; how it is arranged."""

    left: ast.Expr
    matrix: ast.Expr | None
    equations: tuple[Equation, ...]
    shape: Shape


def layout_in_force(graph: Graph) -> str:
    return graph.layouts[-1][1] if graph.layouts else "denominator"


def jacobians(graph: Graph, outputs: Sequence[str], wrt: Sequence[str]) -> tuple[Graph, list[Formula]]:
    """The derivatives of whole variables by whole variables, with the graph in which they are defined."""
    return formulas(graph, [(y, x) for y in outputs for x in wrt])


def hessians(graph: Graph, outputs: Sequence[str], wrt: Sequence[str]) -> tuple[Graph, list[Formula]]:
    """The derivatives of the first derivatives."""
    graph, _ = formulas(graph, [(y, x) for y in outputs for x in wrt])
    return formulas(graph, [(derivative_name(graph.pool, y, x), z) for y in outputs for x in wrt for z in wrt])


def formulas(graph: Graph, pairs: Sequence[tuple[str, str]]) -> tuple[Graph, list[Formula]]:
    asked: dict[str, Asked] = {}
    pool = graph.pool
    for of, wrt in pairs:
        name = derivative_name(pool, of, wrt)
        asked[name] = Asked(of, None, wrt, False)
        if graph.variables[of].ranges:
            split(pool, name, of, graph.variables[wrt])
    symbols = {derivative_name(pool, e.target, r.name): Asked(e.target, None, r.name, False) for e in graph.equations if e.opaque
               for r in reads(e.value) if graph.variables[r.name].role != "const"}
    fuller = complete(graph, {**symbols, **asked})
    return fuller, [formula(fuller, name, of, wrt) for name, (of, wrt) in zip(asked, pairs)]


def formula(graph: Graph, name: str, of: str, wrt: str) -> Formula:
    y, x, pool = graph.variables[of], graph.variables[wrt], graph.pool
    layout = layout_in_force(graph)
    shape = shape_of(y, x, layout)
    equations = tuple(graph.pieces.get(name, ()))  # none over an empty range
    tree = None
    if shape.standard and len(equations) == 1 and all(type(s) is Index for s in equations[0].subs):
        e = equations[0]
        symmetric = [n for n, v in graph.variables.items() if v.symmetric]
        tree = matrix_form(pool.shown[name, e.subs], tuple(b.index for b in e.bindings), graph.variables, symmetric=symmetric, ranges=graph.variables[name].ranges,
                           row=bool(y.ranges and not x.ranges), numerator=layout == "numerator")
    if not equations or len(equations) == 1 and pool.shown[name, equations[0].subs] is pool.zero:
        tree = number(0.0)
    return Formula(spelled(pool, name), tree, equations, shape)


def lines(graph: Graph, found: Sequence[Formula], texts) -> Iterator[str]:
    """One line for each formula (more where it has pieces), the shape at the end."""
    from graphlang.show.matrix import matrix_style

    style = matrix_style(texts)
    for f in found:
        left = format_expr(f.left, style)
        if f.matrix is not None:
            yield f"{left} = {format_expr(f.matrix, style)}    {f.shape.text}"
            continue
        for e in f.equations:
            yield f"{texts.equation(e)}    {f.shape.text}"


def as_data(graph: Graph, made: Sequence[tuple[Graph, Sequence[Formula]]]) -> dict:
    """The same as JSON: a matrix formula, or equations over indices, in source spelling."""
    derivatives = []
    for _, found in made:
        for f in found:
            one = {"name": format_expr(f.left, SOURCE), "shape": f.shape.text, "standard": f.shape.standard}
            if f.matrix is not None:
                one["formula"] = format_expr(f.matrix, SOURCE)
            else:
                one["equations"] = [format_statement(e.source, SOURCE) for e in f.equations if e.source is not None]
            derivatives.append(one)
    return {"graphlang": graphlang.__version__, "file": graph.source.name if graph.source else None, "layout": layout_in_force(graph), "derivatives": derivatives}
