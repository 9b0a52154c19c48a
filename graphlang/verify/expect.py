"""Expectations: tests of a program, judged after a run."""

from __future__ import annotations

import math
from typing import Iterator

from graphlang.diagnostics import GraphError, Source
from graphlang.engines.reference import evaluate
from graphlang.graph.coverage import check_expression
from graphlang.graph.constant import constant
from graphlang.graph.expressions import Expr
from graphlang.graph.graph import Binding, layout_at
from graphlang.graph.lower import Lowering
from graphlang.graph.substitute import fresh, substitute
from graphlang.graph.values import Problem, Scope
from graphlang.query import author, lookup, lowering_for, resolve
from graphlang.run import Expectation, Run
from graphlang.syntax import ast

COMPARE = {"<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
           "==": lambda a, b: a == b, "!=": lambda a, b: a != b}


def judge(run: Run) -> Iterator[Expectation]:
    """One verdict for each `expect`; the first failing element stands for a table. Raises GraphError for a mistake in one."""
    found, sides = [], []
    lowering = lowering_for(author(run), run.variables)
    for s in run.graph.expectations:
        try:
            lowering.layout = layout_at(run.graph.layouts, s.span.start)
            sides.append((s, *both_sides(lowering, s), tolerance(lowering, s)))
        except Problem as p:
            found.append(p.diagnostic)
    out = []
    if sides:
        values, ranges = lookup(run)
        resolve(run, lowering, values, ranges)
        for s, left, right, over, within in sides:
            try:
                out.append(_judge(run, s, left, right, over, within, values, ranges))
            except Problem as p:
                found.append(p.diagnostic)
    if found:
        raise GraphError(found, run.graph.source)
    return iter(out)


def statement_text(source: Source | None, s: ast.Expect | ast.Claim) -> str:
    text = source.at(s.span) if source else ""
    return " ".join(text.split()).removeprefix("expect").removeprefix("claim").strip()


def both_sides(lowering: Lowering, s: ast.Expect | ast.Claim) -> tuple[Expr, Expr, tuple[Binding, ...]]:
    """The two sides over the same indices: those of the `for`, or those of the tables that are compared."""
    scope, _ = lowering.bind(s.binders, Scope(), ast.Op("-", (s.left, s.right), s.span), None)
    left, right = lowering.lower(s.left, scope), lowering.lower(s.right, scope)
    over = tuple(Binding(own, r) for own, r in scope.indices.values())
    if (left.ranges or right.ranges) and over:
        raise Problem("E205", "with `for` both sides are one number for each index", s.span)
    if right.ranges and not left.ranges:
        raise Problem("E201", "the left side is one number, and the right side is not", s.right.span, f"this is {right.describe()}")
    if left.ranges or right.ranges:
        whole = ast.Op("-", (s.left, s.right), s.span)
        (left, right), box, indices, _ = lowering.align([left, right], whole, whole.args)
        taken = {*lowering.variables, *left.body.free, *right.body.free}  # indices with names that can be shown
        names: list[str] = []
        for _ in indices:
            names.append(fresh("i", taken))
            taken.add(names[-1])
        put = dict(zip(indices, map(lowering.pool.index, names)))
        return substitute(left.body, put), substitute(right.body, put), tuple(map(Binding, names, box))
    return left.body, right.body, over


def tolerance(lowering: Lowering, s: ast.Expect) -> float | None:
    within = None if s.within is None else constant(lowering.scalar(s.within, Scope(integer=True)))
    if s.within is not None and (within is None or not within >= 0):
        raise Problem("E405", "a tolerance is a number, 0 or greater", s.within.span)
    return within


def _judge(run: Run, s: ast.Expect, left: Expr, right: Expr, over, within: float | None, values, ranges) -> Expectation:
    check_expression(left, over, ranges, s.left.span)
    check_expression(right, over, ranges, s.right.span)
    lefts, rights = (evaluate(v, over, values, ranges) for v in (left, right))
    text = statement_text(run.graph.source, s)
    if any(b.range.extent == 0 for b in over):
        return Expectation(text, None, None, None, "its range is empty, so it says nothing")
    for a, b in zip(lefts, rights):
        if not holds(s, a, b, within):
            return Expectation(text, False, a, b)
    return Expectation(text, True, lefts[0] if lefts else None, rights[0] if rights else None)


def holds(s: ast.Expect, a: float, b: float, within: float | None) -> bool:
    if s.compare != "=":
        return COMPARE[s.compare](a, b)
    if not (math.isfinite(a) and math.isfinite(b)):
        return a == b or (a != a and b != b)
    if within is not None:
        return abs(a - b) <= (abs(b) * within / 100 if s.relative else within)
    from fractions import Fraction  # exact, as 0.245 is no float64; 10 ms that only such an expectation needs

    return abs(Fraction(a) - Fraction(b)) <= half_unit(s.right, b)


def half_unit(node: ast.Expr, value: float):
    """Half a unit of the last digit written; 0 for a whole number. For an expression the finest of its numbers, and
    never finer than the rounding of a float64."""
    from fractions import Fraction

    finest = None
    for n in ast.postorder(node):
        if type(n) is ast.Num:
            digits, _, exponent = n.text.lower().partition("e")
            places = len(digits.partition(".")[2]) - int(exponent or 0)
            if places > 0:
                unit = Fraction(1, 2 * 10**places)
                finest = unit if finest is None else min(finest, unit)
    if finest is None:
        return Fraction(0)
    return finest + Fraction(abs(value)) / 2**52
