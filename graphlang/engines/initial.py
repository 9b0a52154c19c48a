"""The values that leaves start with: numbers, constant expressions, draws from named random streams, or what files hold.

NumPy's door for random numbers: it is imported only where a program has `normal` or `uniform`.
"""

from __future__ import annotations

from typing import Mapping

from graphlang.diagnostics import Diagnostic, GraphError
from graphlang.engines.reference import Values, evaluate
from graphlang.graph.constant import constant
from graphlang.graph.graph import Binding, Graph, Variable


def initial_values(graph: Graph, given: Mapping[str, list[float]], seed: int | None = None) -> tuple[Values, list[str]]:
    """Flat values of all leaves and consts, and the names of the leaves that have none. Raises GraphError about files."""
    values: Values = {}
    missing: list[str] = []
    found: list[Diagnostic] = []
    seed = graph.seed if seed is None else seed
    for name, v in graph.variables.items():
        if not v.is_leaf:
            continue
        if name in given:
            values[name] = list(given[name])
        elif v.initial is None:
            missing.append(name)
        elif v.initial.kind == "file":
            try:
                values[name] = v.initial.load()
            except GraphError as e:  # several leaves may be read from one file: it is wrong once
                found += [d for d in e.diagnostics if d.message not in {x.message for x in found}]
        else:
            values[name] = _start(v, graph, seed)
    if found:
        raise GraphError(found, graph.source)
    return values, missing


def _start(v: Variable, graph: Graph, seed: int) -> list[float]:
    initial = v.initial
    if initial.kind == "numbers":
        return list(initial.numbers)
    if initial.kind == "expression":
        over = tuple(map(Binding, initial.indices, v.ranges))
        values = evaluate(initial.expression, over, {}, {})
        return values if len(values) == v.size else values * v.size
    first, second = (constant(a) for a in initial.arguments)
    stream = _stream(seed, v.name)
    draw = stream.normal if initial.kind == "normal" else stream.uniform
    return mirrored(v, draw(first, second, v.size).tolist())


def mirrored(v: Variable, drawn: list[float]) -> list[float]:
    """Values that were drawn, those above the diagonal also below it where a matrix is declared symmetric."""
    if not v.symmetric:
        return drawn
    n = v.ranges[0].extent
    return [drawn[min(k // n, k % n) * n + max(k // n, k % n)] for k in range(n * n)]


def _stream(seed: int, name: str):
    """One PCG64 stream for each variable, so that adding a variable changes no other."""
    import numpy

    return numpy.random.Generator(numpy.random.PCG64(numpy.random.SeedSequence([seed, *name.encode()])))
