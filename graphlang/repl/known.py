"""The values of a program as far as it has some."""

from __future__ import annotations

from dataclasses import replace

from graphlang.engines.initial import initial_values
from graphlang.engines.reference import forward
from graphlang.engines.tape import TooLarge
from graphlang.graph.expressions import Number, postorder, reads
from graphlang.graph.graph import Equation, Graph
from graphlang.graph.order import forward_order, plan
from graphlang.graph.sizes import symbolic


def known_values(graph: Graph) -> dict[str, list[float]]:
    """The values of all variables that have one: not of a leaf without a value or with a symbolic size, of an equation that would take
    too long, nor of what is made of these."""
    unknown = {n for n, v in graph.variables.items() if any(symbolic(k) for r in v.ranges for k in r)} if graph.dims else set()
    without = {n: [] for n in unknown if graph.variables[n].is_leaf}
    values, missing = initial_values(replace(graph, variables={n: v for n, v in graph.variables.items() if n not in without}), {}, None)
    unknown |= set(missing) | set(graph.dims)
    live = []
    for group in forward_order(plan(graph), None):
        if any(e.opaque or e.target in unknown or (graph.dims and is_symbolic(e)) or any(r.name in unknown for r in reads(e.value)) for e in group.equations):
            unknown |= {e.target for e in group.equations}
        else:
            live.append(group)
    live = [g for g in live if not any(e.target in unknown for e in g.equations)]
    own = replace(graph, equations=tuple(e for g in live for e in g.equations), pieces={}, plans=[], asked={})
    for group in live:
        targets = {e.target for e in group.equations}
        if any(r.name in unknown for e in group.equations for r in reads(e.value)):
            unknown |= targets
            continue
        try:
            for _ in forward(own, [group], values):
                pass
        except TooLarge:  # it has no value here; what does not need it has
            unknown |= targets
    return {n: v for n, v in values.items() if n not in unknown and n in graph.variables}


def is_symbolic(e: Equation) -> bool:
    """Whether a size that is left symbolic stands in an equation."""
    return any(symbolic(k) for b in e.bindings for k in b.range) or any(type(n) is Number and symbolic(n.value) for n in postorder(e.value))
