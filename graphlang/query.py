"""Expressions about a run: `dJ/du*cos(t)` in the program's own names, with any derivative in them."""

from __future__ import annotations

from dataclasses import replace
from typing import Sequence

from graphlang.diagnostics import GraphError, Source
from graphlang.engines.reference import evaluate, forward
from graphlang.graph.coverage import check_expression
from graphlang.given import UsageError
from graphlang.graph.derived import Asked, derivative_name, is_plain, ranges_of, split
from graphlang.graph.graph import Binding, Box, Graph, Variable
from graphlang.graph.lower import Lowering
from graphlang.graph.order import forward_order, plan
from graphlang.graph.scalar import element_names
from graphlang.graph.values import Problem, Scope
from graphlang.run import Run, nest
from graphlang.syntax.parser import parse_expression

MOST_ELEMENTS = 1_000_000  # of the derivatives that one command lists


def lowering_for(graph: Graph, variables=None, layout: str = "denominator") -> Lowering:
    """To read expressions about a graph; `variables` may hold more than it does."""
    lowering = Lowering(graph.pool, variables or graph.variables, graph.consts, graph.functions)
    lowering.layout, lowering.matrix_sense = layout, True
    lowering.private = True  # formulas of derivatives may hold functions that have no public name
    return lowering


def with_derivatives(graph: Graph, lowering: Lowering) -> Graph:
    """The graph, and in it whatever derivatives were asked for while expressions were lowered."""
    if not lowering.asked:
        return graph
    hidden = dict(lowering.hidden.values())
    fuller = replace(graph, variables={**graph.variables, **lowering.derived, **{v.name: v for v in hidden}},
                     equations=(*graph.equations, *hidden.values()), pieces={}, plans=[])
    from graphlang.derive.complete import complete

    return complete(fuller, lowering.asked)


def lookup(run: Run) -> tuple[dict[str, list[float]], dict[str, Box]]:
    """Values and ranges of all variables and of the adjoints of the run's goals."""
    values, ranges = dict(run.flat), {n: v.ranges for n, v in run.graph.variables.items()}
    for p in run.passes:
        for name, adjoint in p.sweep.adjoints.items():
            values[p.derivative.adjoint_name(name)] = adjoint
            ranges[p.derivative.adjoint_name(name)] = run.graph.variables[name].ranges
    for v in run.base.variables.values() if run.base else ():
        if v.ranges:  # the scalar view: a table from its elements
            elements = element_names(v)
            ranges[v.name] = v.ranges
            values[v.name] = [x for n in elements for x in run.flat[n]]
            for p in run.passes if v.role != "const" else ():
                ranges[p.derivative.adjoint_name(v.name)] = v.ranges
                values[p.derivative.adjoint_name(v.name)] = [x for n in elements for x in p.sweep.adjoints[n]]
    return values, ranges


def resolve(run: Run, lowering: Lowering, values: dict[str, list[float]], ranges: dict[str, Box]) -> None:
    """Add the values of the derivatives that were asked for and that the sweeps of the run did not make."""
    if all(n in values for n in lowering.asked):
        return
    evaluate_derivatives(run, with_derivatives(author(run), lowering), values, ranges)


def author(run: Run) -> Graph:
    """The graph that the author wrote, where a run shows its elements."""
    return run.base if run.base is not None else run.graph


def evaluate_derivatives(run: Run, fuller: Graph, values: dict[str, list[float]], ranges: dict[str, Box]) -> None:
    """The variables that a fuller graph has beside those of the run, from the values of these."""
    known = {n: values[n] for n in author(run).variables if n in values}
    known |= {n: [] for n, v in fuller.variables.items() if not v.size}  # no equation defines an element of it
    new = [e for e in fuller.equations if e.target not in known]
    own = replace(fuller, equations=tuple(new), pieces={}, plans=[])
    for _ in forward(own, forward_order(plan(own), None), known):
        pass
    for name, v in fuller.variables.items():
        values.setdefault(name, known.get(name, []))
        ranges.setdefault(name, v.ranges)


def jacobian(run: Run, wrt: Sequence[str]) -> dict[str, tuple[list[float], Box]]:
    """The derivatives of the run's goals, as whole variables, by whole variables: name → values, row-major, and ranges (those
    of x, then those of y)."""
    return tables(run, [(p.goal.name, None, x) for p in run.passes for x in wrt])


def hessian(run: Run, wrt: Sequence[str]) -> dict[str, tuple[list[float], Box]]:
    """The second derivatives of the run's goals: name → values and ranges (those of z, then those of x)."""
    return tables(run, *seconds(author(run), [(p.goal.name, p.goal.element) for p in run.passes], wrt))


def seconds(graph: Graph, goals: Sequence[tuple], wrt: Sequence[str]) -> tuple[list[tuple], list[tuple]]:
    """The second derivatives of goals (name, element), and the first, of which they are derivatives: each as (of, element, wrt)."""
    goals = list(dict.fromkeys(goals))
    pairs = [(derivative_name(graph.pool, of, x, element), None, z) for of, element in goals for x in wrt for z in wrt]
    return pairs, [(of, element, x) for of, element in goals for x in wrt]


def tables(run: Run, wanted: Sequence[tuple], first: Sequence[tuple] = ()) -> dict[str, tuple[list[float], Box]]:
    """Derivatives (of, element, wrt); `first` are those that some of these are derivatives of."""
    values, ranges = lookup(run)
    graph, names = with_tables(author(run), wanted, first)
    evaluate_derivatives(run, graph, values, ranges)
    return {name: (values[name], ranges[name]) for name in names}


def with_tables(graph: Graph, wanted: Sequence[tuple], first: Sequence[tuple] = ()) -> tuple[Graph, list[str]]:
    """A graph with such derivatives as variables, and the names of those wanted. Raises UsageError where they would be too large."""
    from graphlang.derive.complete import complete

    for some in filter(None, (first, wanted)):
        asked = {derivative_name(graph.pool, of, wrt, element): Asked(of, element, wrt, False) for of, element, wrt in some}
        size = sum(v.size for a in asked.values() for v in [Variable("", "node", ranges_of(a, graph.variables[a.of], graph.variables[a.wrt]))])
        if size > MOST_ELEMENTS:
            raise UsageError(f"the derivatives would have {size:,} elements; choose variables with --wrt")
        for name, a in asked.items():
            if a.element is None and graph.variables[a.of].ranges:
                split(graph.pool, name, a.of, graph.variables[a.wrt])
        graph = complete(graph, asked)
    return graph, list(asked)


def evaluate_text(run: Run, text: str):
    source = Source("<expression>", text)
    node, binders = parse_expression(source, {n.split("[")[0] for n in run.variables if is_plain(n)})
    lowering = lowering_for(author(run), run.variables)
    try:
        scope, _ = lowering.bind(binders, Scope(), node, None)
        value = lowering.lower(node, scope)
        over = tuple(Binding(own, r) for own, r in scope.indices.values())
        if value.ranges:
            if over:
                raise Problem("E205", "with `for` an expression is one number for each index", node.span)
            over = tuple(map(Binding, value.indices, value.ranges))
        values, ranges = lookup(run)
        resolve(run, lowering, values, ranges)
        check_expression(value.body, over, ranges, node.span)
    except Problem as p:
        raise GraphError([p.diagnostic], source) from None
    return nest(evaluate(value.body, over, values, ranges), tuple(b.range for b in over))
