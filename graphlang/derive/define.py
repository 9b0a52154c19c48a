"""What the equations of a derivative are made of, in reverse and in forward mode alike."""

from __future__ import annotations

from graphlang.derive.simplify import fold
from graphlang.diagnostics import NOWHERE
from graphlang.graph.expressions import Expr, Pool
from graphlang.graph.graph import Binding, Equation
from graphlang.graph.spell import spell
from graphlang.syntax import ast

MOST_SHOWN = 2000  # nodes of a formula that is kept for display


def defining(pool: Pool, name: str, at: tuple[Expr, ...], over: tuple[Binding, ...], computed: Expr, shown: Expr) -> Equation:
    """The equation of a derivative: it is evaluated as `computed` and read as `shown`."""
    value, source = spell(shown, MOST_SHOWN), None
    if value is not None:
        binders = tuple(ast.Binder(b.index, *(spell(pool.number(k)) for k in b.range), NOWHERE) for b in over)
        source = ast.Equation(spell(pool.read(name, at)), value, binders, False, NOWHERE)
    return Equation(name, at, over, computed, None, source)


def same_element(pool: Pool, at: tuple[Expr, ...], other: tuple[Expr, ...]) -> Expr:
    """The derivative of a variable by itself: 1 where two elements are the same, else 0."""
    result: Expr = pool.one
    for a, b in zip(reversed(at), reversed(other)):
        result = pool.where(fold(pool.call("==", a, b)), result, pool.zero)
    return result
