"""The value of an expression that reads no variable and no index: for bounds, consts and settings."""

from __future__ import annotations

from graphlang.graph.expressions import Call, Expr, Number, postorder
from graphlang.graph.functions import FUNCTIONS


def constant(root: Expr) -> float | None:
    """The value, or None where the expression reads something or is a reduction."""
    done: dict[Expr, float] = {}
    for node in postorder(root):
        if type(node) is Number:
            done[node] = node.value
        elif type(node) is Call:
            done[node] = FUNCTIONS[node.function].reference(*(done[a] for a in node.args))
        else:
            return None
    return done[root]
