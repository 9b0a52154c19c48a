"""Points of a run at which a convention stands in for a derivative that does not exist."""

from __future__ import annotations

from typing import Iterator

from graphlang.engines.blame import value_at
from graphlang.graph.coverage import points, scoped
from graphlang.graph.expressions import Call, Expr
from graphlang.graph.functions import FUNCTIONS
from graphlang.graph.spell import formula
from graphlang.run import Run
from graphlang.syntax.format import SOURCE

MOST_POINTS = 2000  # of one equation; beyond them it is not looked at


def calls(root: Expr) -> list[Call]:
    """The distinct calls of a plain expression."""
    seen = {root} if type(root) is Call else set()
    stack = list(seen)
    while stack:
        for a in stack.pop().args:
            if type(a) is Call and a not in seen:
                seen.add(a)
                stack.append(a)
    return list(seen)


def conventions(run: Run) -> Iterator[dict]:
    """Each as in the JSON: the variable, the operation, a note, and the one-sided derivatives."""
    for e in run.order:
        if e.value.plain and not any(FUNCTIONS[n.function].kink for n in calls(e.value)):
            continue
        kinked = [n for n, around in scoped(e.value) if type(n) is Call and FUNCTIONS[n.function].kink is not None and not around]
        if not kinked:
            continue
        seen = set()
        for k, at in enumerate(points(e.bindings, ())):
            if k >= MOST_POINTS:
                break
            known = value_at(e.value, at, run.flat, run.ranges)
            for node in kinked:
                if node in seen or any(a not in known for a in node.args):
                    continue
                kink = FUNCTIONS[node.function].kink(*(known[a] for a in node.args))
                if kink is not None:
                    seen.add(node)
                    yield {"name": e.target, "at": formula(node, SOURCE, 200) or node.function, "note": kink.note, "one_sided": list(kink.one_sided)}
