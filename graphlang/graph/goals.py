"""What is differentiated: what is asked for, what the program says, or the only sink."""

from __future__ import annotations

import re

from graphlang.diagnostics import Diagnostic, GraphError, Label, did_you_mean
from graphlang.graph.expressions import reads
from graphlang.graph.graph import Goal, Graph
from graphlang.graph.order import Plan, plan
from graphlang.syntax.names import canonical

MOST_ELEMENTS = 10_000  # of a table that are differentiated one by one


def goals_of(graph: Graph, order: Plan, asked: str | None) -> list[Goal]:
    """What is differentiated: what is asked for, else what the program says, else the only variable with operands
    that no equation uses."""
    if asked is not None:
        return [parse_goal(graph, asked)]
    if graph.goals:
        first = []
        for g in graph.goals:
            first += elements_of(graph, g)
        return first
    found = sinks(graph)
    if len(found) == 1:
        return elements_of(graph, Goal("output", found[0]))
    if not found:
        raise GraphError([Diagnostic("E402", "there is nothing to differentiate: no equation reads a variable", None,
                                     hints=("write an equation such as `J = cos(x)`",))], graph.source)
    spans = [graph.variables[n].span for n in found]
    raise GraphError([Diagnostic("E402", "several variables could be the goal: " + ", ".join(f"`{n}`" for n in found[:8]) + (" …" if len(found) > 8 else ""),
                                 spans[0], "nothing uses this one", tuple(Label(s, "nor this one") for s in spans[1:4] if s),
                                 (f"`minimize {found[0]}`, `maximize {found[0]}` or `output {', '.join(found[:8])}`; or `--goal {found[0]}`",))], graph.source)


def sinks(graph: Graph) -> list[str]:
    """The variables with operands that no equation uses, and of which no derivative is asked for."""
    order = plan(graph)
    used = {c.target for e, below in order.below.items() for c in below if c.target != e.target}
    used |= {a.of for a in graph.asked.values()}
    read = {e.target for e, below in order.below.items() if below or _reads_leaf(e)}
    return list(dict.fromkeys(e.target for e in graph.equations if e.target not in used and e.target in read))


def _reads_leaf(e) -> bool:
    return bool(reads(e.value))


def elements_of(graph: Graph, goal: Goal) -> list[Goal]:
    """A table output, element by element."""
    v = graph.variables[goal.name]
    if not v.ranges or goal.element is not None:
        return [goal]
    if v.size > MOST_ELEMENTS:
        raise GraphError([Diagnostic("E404", f"`{goal.name}` has too many elements to differentiate each", v.span,
                                     hints=("`--goal` picks one element", "`graphlang grad --jacobian` gives the derivatives of the whole table as formulas"))], graph.source)
    out = [()]
    for r in v.ranges:
        out = [(*at, k) for at in out for k in range(r.low, r.high + 1)]
    return [Goal(goal.kind, goal.name, at) for at in out]


def parse_goal(graph: Graph, text: str) -> Goal:
    m = re.fullmatch(r"\s*([^\W\d]\w*)\s*(?:\[\s*(-?\d+(?:\s*,\s*-?\d+)*)\s*\])?\s*", text)
    name = canonical(m.group(1)) if m else text
    if m and m.group(2):
        element = f"{name}[{''.join(m.group(2).split())}]"
        if element in graph.variables:  # the scalar view has elements for variables
            return Goal("output", element)
    v = graph.variables.get(name)
    if v is None or v.role == "const":
        hints = did_you_mean(name, [n for n, x in graph.variables.items() if x.role != "const"])
        raise GraphError([Diagnostic("E404", f"there is no variable `{text}` to differentiate" if v is None else f"`{text}` is a const, which is never differentiated",
                                     None, hints=hints)], graph.source)
    if m.group(2) is None:
        if v.ranges:
            raise GraphError([Diagnostic("E404", f"`{name}` is a table over {', '.join(map(str, v.ranges))}; a goal is a number", v.span,
                                         hints=(f"one element: `--goal '{name}[{','.join(str(r.low) for r in v.ranges)}]'`",))], graph.source)
        return Goal("output", name)
    at = tuple(int(k) for k in m.group(2).split(","))
    if len(at) != len(v.ranges) or any(not r.low <= k <= r.high for k, r in zip(at, v.ranges)):
        raise GraphError([Diagnostic("E222", f"`{name}` has no element `{text}`", v.span,
                                     hints=(f"its ranges are {', '.join(map(str, v.ranges))}" if v.ranges else "it is a scalar",))], graph.source)
    return Goal("output", name, at)
