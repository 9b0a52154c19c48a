"""Warnings about spellings that lose digits, overflow or hide a derivative. They never change a result.

Each looks at one equation. `log(y)` with `y = sigmoid(a)` beside it is not one: that is how a lecture writes a
network, and which of the two equations to change is not ours to say.
"""

from __future__ import annotations

from typing import Iterator

from graphlang.diagnostics import Diagnostic, Span
from graphlang.graph.expressions import Call, Expr, Read, operands, postorder, reads
from graphlang.graph.functions import FUNCTIONS
from graphlang.graph.graph import Equation, Graph
from graphlang.graph.patterns import found, suspects
from graphlang.graph.spell import text
from graphlang.syntax import ast


def lints(graph: Graph) -> Iterator[Diagnostic]:
    """A warning for each unstable spelling of an author's equation, and for each `==` of differentiated values."""
    if not suspects(graph.pool):
        return
    moving = differentiated(graph)
    for e in graph.equations:
        if e.source is None:
            continue
        for match in found(e.value):
            if match.pattern.code is not None:
                yield Diagnostic(match.pattern.code, f"`{text(match.node) or match.node.function}` is not stable: {match.pattern.why}",
                                 place(e, match.node), "", (), (f"the stable spelling is `{match.stable}`",), severity="warning")
        for node in postorder(e.value):
            if type(node) is Call and node.function in ("==", "!=") and any(slides(a, moving) for a in node.args):
                yield Diagnostic("W308", f"`{text(node) or node.function}` compares a value that is differentiated: it changes at single points only, "
                                 "and the derivative there is that of the branch taken", place(e, node), "", (),
                                 ("compare with `<` or `>`, or allow a distance: `abs(a - b) < 1e-9`",), severity="warning")


def differentiated(graph: Graph) -> set[str]:
    """The inputs and params, and every node that depends on one."""
    readers: dict[str, list[str]] = {}
    for e in graph.equations:
        for name in {r.name for r in reads(e.value)}:
            readers.setdefault(name, []).append(e.target)
    moving = {n for n, v in graph.variables.items() if v.role in ("input", "param")}
    todo = list(moving)
    while todo:
        for name in readers.get(todo.pop(), ()):
            if name not in moving:
                moving.add(name)
                todo.append(name)
    return moving


def slides(root: Expr, moving: set[str]) -> bool:
    """Whether an expression changes smoothly with a differentiated variable: not where only `floor(x)` or `x > 0`, which
    are constant but for jumps, are read."""
    stack, seen = [root], set()
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        if type(node) is Read:
            if node.name in moving:
                return True
            continue
        if type(node) is Call and FUNCTIONS[node.function].shown is None:
            continue
        stack.extend(operands(node))
    return False


def place(e: Equation, node: Expr) -> Span | None:
    """Where a node is written, if only one part of the equation's text can be it; else the equation."""
    if not isinstance(node, Call):
        return e.span
    spans = [n.span for n in ast.postorder(e.source.value)
             if type(n) is ast.Op and n.op == node.function or type(n) is ast.Call and n.name == node.function] if e.source else []
    return spans[0] if len(spans) == 1 else e.span
