"""All adjoints of a program as one fragment to paste into a document, in LaTeX or Typst."""

from __future__ import annotations

from typing import Iterable, Iterator, Sequence

from graphlang.derive.reverse import SHOWN, Derivative, piece_formula, pieces
from graphlang.graph.expressions import Index
from graphlang.graph.graph import Graph
from graphlang.graph.sizes import written
from graphlang.graph.spell import spell, tree_size
from graphlang.show.cells import LONGEST, MOST_TERMS
from graphlang.show.jacobians import Formula
from graphlang.show.matrix import matrix_row
from graphlang.show.notation import Notation
from graphlang.show.typeset import Typesetter


def fragment(derivative: Derivative, notation: Notation, names: Iterable[str], form: str = SHOWN, matrix: bool = False) -> str:
    """The adjoints of `names`, one line each or one for each box of elements with a formula of its own. `matrix`: as
    matrix formulas where they are some."""
    setter = typesetter(derivative.graph, notation)
    lines = [line for name in names for line in adjoint_lines(derivative, setter, name, form, matrix)]
    return notation.begin + notation.line_end.join(lines) + notation.end if lines else ""


def typesetter(graph: Graph, notation: Notation) -> Typesetter:
    return Typesetter(notation, [*graph.variables, *graph.functions], graph.variables, bool(graph.layouts) and graph.layouts[-1][1] == "numerator")


def whole_fragment(graph: Graph, found: Sequence[Formula], notation: Notation) -> str:
    """Derivatives of whole tables and second derivatives (`jacobians`, `hessians`), with the ranges of their indices."""
    setter = typesetter(graph, notation)
    lines = []
    for f in found:
        if f.matrix is not None:
            lines.append(setter.formula(f.left) + notation.equals + setter.formula(f.matrix))
            continue
        for e in f.equations:
            tree = spell(graph.pool.shown.get((e.target, e.subs), e.value), LONGEST)
            right = notation.too_long.format("too long: --expand") if tree is None else setter.formula(tree)
            tail = ", ".join(notation.span.format(setter.name(b.index), *map(written, b.range)) for b in e.bindings)
            lines.append(setter.formula(spell(graph.pool.read(e.target, e.subs))) + notation.equals + right + (notation.quad + tail if tail else ""))
    return notation.begin + notation.line_end.join(lines) + notation.end if lines else ""


def adjoint_lines(derivative: Derivative, setter: Typesetter, name: str, form: str = SHOWN, matrix: bool = False) -> Iterator[str]:
    """The adjoint of a variable: one line, or one for each of its `pieces`."""
    n, pool = setter.n, derivative.graph.pool
    tree = matrix_row(derivative, name, form) if matrix else None
    if tree is not None:
        yield setter.formula(spell(pool.read(derivative.adjoint_name(name)))) + n.equals + setter.formula(tree)
        return
    whole = derivative.graph.variables[name].ranges
    for piece in pieces(derivative, name):
        left = setter.formula(spell(pool.read(derivative.adjoint_name(name), piece.at)))
        ranges = dict(piece.over)
        tail = "".join(n.quad + n.span.format(setter.name(s.name), *map(written, ranges[s.name])) for s, r in zip(piece.at, whole) if type(s) is Index and ranges[s.name] != r)
        yield left + n.equals + _right(derivative, setter, piece, form) + tail


def _right(derivative: Derivative, setter: Typesetter, piece, form: str) -> str:
    if len(piece.terms) > MOST_TERMS:
        return setter.n.too_long.format(f"a sum of {len(piece.terms):,} contributions")
    body = piece_formula(derivative, piece, form)
    tree = spell(body, LONGEST)
    return setter.n.too_long.format(f"{tree_size(body, 10**15):,} operations and operands: --expand") if tree is None else setter.formula(tree)
