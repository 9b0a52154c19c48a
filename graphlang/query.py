"""Expressions about a run: `dJ/du*cos(t)` in the program's own names, with derivatives of its goals."""

from __future__ import annotations

from graphlang.diagnostics import GraphError, Source
from graphlang.engines.reference import evaluate
from graphlang.graph.coverage import check_expression
from graphlang.graph.graph import Binding, Variable
from graphlang.graph.lower import Lowering
from graphlang.graph.scalar import element_names
from graphlang.graph.values import Problem, Scope
from graphlang.run import Run, nest
from graphlang.syntax import ast
from graphlang.syntax.parser import parse_expression


def adjoint_variable(run: Run, node: ast.Deriv):
    """`dJ/dx` in an expectation or in `evaluate`: the adjoint as a table with x's ranges."""
    names = {str(p.goal): p for p in run.passes}
    if node.of not in names:
        goals = ", ".join(f"`{g}`" for g in names)
        raise Problem("E406", f"`{node.of}` is not a goal of this run", node.span, f"the goal is {goals}", hints=(f"`--goal {node.of}`",))
    v = run.variables.get(node.wrt)
    if v is None or v.role == "const":
        raise Problem("E101", f"`{node.wrt}` is not a variable with an adjoint", node.span)
    return Variable(f"d{node.of}/d{node.wrt}", "node", v.ranges, None, None, v.row)


def lookup(run: Run):
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


def evaluate_text(run: Run, text: str):
    source = Source("<expression>", text)
    node, binders = parse_expression(source, {n.split("[")[0] for n in run.variables})
    lowering = Lowering(run.graph.pool, run.variables, run.graph.consts, run.graph.functions, lambda d: adjoint_variable(run, d))
    lowering.private = True  # formulas of derivatives may hold functions that have no public name
    try:
        scope, _ = lowering.bind(binders, Scope(), node, None)
        value = lowering.lower(node, scope)
        over = tuple(Binding(own, r) for own, r in scope.indices.values())
        if value.ranges:
            if over:
                raise Problem("E205", "with `for` an expression is one number for each index", node.span)
            over = tuple(map(Binding, value.indices, value.ranges))
        values, ranges = lookup(run)
        check_expression(value.body, over, ranges, node.span)
    except Problem as p:
        raise GraphError([p.diagnostic], source) from None
    return nest(evaluate(value.body, over, values, ranges), tuple(b.range for b in over))
