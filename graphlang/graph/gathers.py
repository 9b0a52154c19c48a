"""Gathers: elements whose subscripts are values, as in `x[k[i]]`.

What a subscript is made of is whole numbers. Nothing is differentiated by it, and it cannot be moved or drawn at random.
"""

from __future__ import annotations

from typing import Iterator

from graphlang.graph.expressions import Call, Expr, Read, operands, postorder, reads
from graphlang.graph.functions import FUNCTIONS
from graphlang.graph.graph import Graph


def gathered(root: Expr) -> set[str]:
    """The variables in the subscripts of an expression."""
    if root.plain:
        return set()
    subscripts = (s for n in postorder(root) for s in (n.args if type(n) is Read else getattr(n, "at", ())))
    return {r.name for s in subscripts for r in reads(s)}


def gathers(graph: Graph) -> set[str]:
    """The variables in the subscripts of a program, and those that they are worked out from: m and k of `m = k + 1`,
    `y = x[m]`. Behind a step function (`x[floor(u)]`) a value need not be whole."""
    found: set[str] = set()
    waiting = [n for e in graph.equations for n in gathered(e.value)]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [n for e in graph.pieces.get(name, ()) for n in _whole(e.value)]
    return found


def _whole(root: Expr) -> Iterator[str]:
    """The variables that must be whole for an expression to be whole: those that are not operands of a step function."""
    stack, seen = [root], {root}
    while stack:
        node = stack.pop()
        if type(node) is Read:
            yield node.name
        if type(node) is Call and FUNCTIONS[node.function].shown is None:
            continue
        new = [a for a in operands(node) if a not in seen]
        seen.update(new)
        stack += new
