"""The edges of a graph that no question of a quiz needs: what is drawn there is asked of nobody."""

from __future__ import annotations

from typing import Iterator

from graphlang.derive.reverse import Derivative, differentiate
from graphlang.graph.expressions import reads
from graphlang.graph.graph import Graph, ancestors
from graphlang.graph.order import plan
from graphlang.graph.derived import is_plain
from graphlang.quiz.model import Choose
from graphlang.quiz.prepared import Prepared
from graphlang.syntax import ast


def unneeded(prepared: Prepared) -> Iterator[str]:
    """In words: "the edge from `z` to `p`". Data are not differentiated, so edges from them are needed by nobody."""
    if any(type(p) is Choose for p in prepared.quiz.parts):
        return
    graph, used = prepared.graph, set()
    values, by = asked(prepared)
    for e in graph.equations:
        if e.target in ancestors(graph, values):
            used |= {(e.target, r.name) for r in reads(e.value)}
    for goal in prepared.goals:
        used |= set(edges(differentiate(graph, goal, plan(graph)), by.get(goal.name, set())))
    for e in graph.equations:
        for name in dict.fromkeys(r.name for r in reads(e.value)):
            if (e.target, name) not in used and graph.variables[name].role not in ("data", "const") and is_plain(name):
                yield f"the edge from `{name}` to `{e.target}`"


def asked(prepared: Prepared) -> tuple[set[str], dict[str, set[str]]]:
    """The variables whose values are asked for, and by goal those that it is differentiated by."""
    values: set[str] = set()
    by: dict[str, set[str]] = {}
    graph: Graph = prepared.graph
    for w in prepared.wanted:
        stack = [w.shown]
        while stack:
            node = stack.pop()
            if type(node) is ast.Deriv:
                by.setdefault(node.of, set()).add(node.wrt)
            elif type(node) is ast.Call and node.name in ("diff", "partial", "jacobian", "hessian") and len(node.args) > 1:
                names = [n.name for a in node.args for n in ast.postorder(a) if type(n) is ast.Name]
                by.setdefault(names[0], set()).update(names[1:])
            elif type(node) is ast.Name and node.name in graph.variables:
                values.add(node.name)
            else:
                stack += ast.children(node)
    return values, by


def edges(d: Derivative, wrt: set[str]) -> Iterator[tuple[str, str]]:
    """The edges on the ways from some variables to the goal."""
    seen, todo = set(wrt), list(wrt)
    while todo:
        name = todo.pop()
        for c in d.incoming.get(name, ()):
            yield c.source.target, name
            if c.source.target not in seen:
                seen.add(c.source.target)
                todo.append(c.source.target)
