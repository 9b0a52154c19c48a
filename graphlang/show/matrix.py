"""The adjoint of a variable as one matrix formula."""

from __future__ import annotations

from graphlang.derive.reverse import SHOWN, Derivative, piece_formula, pieces
from graphlang.graph.matrix_form import matrix_form
from graphlang.graph.spell import read
from graphlang.show.cells import LONGEST, MOST_TERMS, Adjoints, Texts
from graphlang.syntax import ast
from graphlang.syntax.format import Style, format_expr
from graphlang.syntax.pretty import Names


def matrix_row(derivative: Derivative, name: str, form: str = SHOWN) -> ast.Expr | None:
    """The right side of `dJ/dv = …` over whole tables, in the layout that the program ends with; None where the adjoint is
    no matrix formula (several pieces, shifted reads, three ranges, …) or no table occurs in it."""
    graph = derivative.graph
    v = graph.variables[name]
    parts = pieces(derivative, name)
    if len(parts) != 1 or len(v.ranges) > 2 or len(parts[0].terms) > MOST_TERMS:
        return None
    body = piece_formula(derivative, parts[0], form)
    if body.plain or len(parts[0].over) != len(v.ranges):
        return None
    symmetric = [n for n, x in graph.variables.items() if x.symmetric]
    numerator = bool(graph.layouts) and graph.layouts[-1][1] == "numerator"
    return matrix_form(body, tuple(b.index for b in parts[0].over), graph.variables, symmetric=symmetric, ranges=v.ranges, row=v.row, numerator=numerator)


class _Starless(Names):
    """Pretty names but for `y*`, which beside the sign of a product would be read as one."""

    def pretty(self, name: str) -> str:
        shown = super().pretty(name)
        return name if "*" in shown and "/" not in name else shown


def matrix_style(texts: Texts) -> Style:
    return Style(False, _Starless([*texts.graph.variables, *texts.graph.functions], texts.ascii))


def matrix_text(name: str, tree: ast.Expr, texts: Adjoints) -> str:
    """`dJ/dx = α.T @ dJ/da`: in pretty names, but with all signs: `a x` would not say whether it is `a*x` or `a @ x`."""
    style = matrix_style(texts)
    left = format_expr(read(texts.pool, texts.derivative.adjoint_name(name), ()), style)
    right = format_expr(tree, style, LONGEST)
    return f"{left} = {texts.too_long(sum(1 for _ in ast.postorder(tree))) if right is None else right}"
