"""Gradients against independent derivatives.

For every variable v and a random direction d, the adjoint of the reverse sweep says how fast the goal changes along d:
the inner product of the adjoint with d. It is held against two others: the tangent of forward mode along d (the same
rules, another order of application), and the slope of the goal itself, from values alone (other rules: none): by
central differences with Richardson's extrapolation in float64, or where ball arithmetic is installed by one central
difference with several hundred digits, whose error is far below that of float64.

For a variable with equations the slope is that of the program in which a multiple of d is added to each of them.
"""

from __future__ import annotations

import math
import random
from dataclasses import replace
from functools import cache
from itertools import islice
from typing import Callable, Iterator, NamedTuple

from graphlang.derive.forward import dependents, directional_graph
from graphlang.engines import ball
from graphlang.engines.reference import evaluate, forward, offset_of
from graphlang.graph.coverage import points
from graphlang.graph.gathers import gathers
from graphlang.graph.graph import Binding, Equation, Graph, Range, Variable
from graphlang.graph.order import forward_order, plan
from graphlang.graph.spell import text
from graphlang.run import Pass, Run

AGREE, KINK, CANCELLATION, TINY, DISAGREE = "agree", "kink", "cancellation", "tiny gradient", "disagree"
SAME = 1e-10        # forward and reverse differ by rounding only: the same products, added in another order
NUMERIC = 1e-6      # what differences in float64 must reach before they can contradict (sixth root of the precision, twice)
SEED, MARK = "~direction", "~d"
STEPS = (1e-1, 1e-2, 1e-3)   # first steps, relative to the size of the values; Richardson halves them
HALVINGS = 6
MOST_EXACT = 2000   # elements of a program that is evaluated without rounding
BITS = 600          # of working precision
ACCURATE = 80       # bits of a quotient of differences that must be certain
STEP = 2.0**-120    # of the exact differences, relative to the values: their error is about its square, one-sided itself
CERTAIN = 1e-9      # the float64 gradient against the exact slope, relative to the sum of its parts: rounding, if well conditioned
MOST_LOOKED_AT = 20  # elements of an equation, in search of a rule that is wrong


class Checked(NamedTuple):
    """A gradient and what it was held against; all along one direction. `one_sided`: slopes from both sides at a kink;
    `culprit`: where it disagrees, the first equation whose own local derivative fails."""

    name: str
    goal: str
    variable: str
    verdict: str
    reverse: float
    forward: float
    slope: float | None
    error: float | None = None
    by: str = ""
    one_sided: tuple[float, float] | None = None
    culprit: str = ""


def check_gradients(run: Run, names=None) -> Iterator[Checked]:
    """One verdict for each goal and each variable of the program (leaves and nodes; constants have no gradient)."""
    whole = gathers(run.graph)  # nothing is differentiated by them
    for p in run.passes:
        for name in p.derivative.variables if names is None else names:
            v = run.graph.variables[name]
            if v.size and v.role != "const" and not name.startswith("~") and name not in whole:
                yield check_one(run, p, name)


def check_one(run: Run, p: Pass, name: str) -> Checked:
    graph, goal = run.graph, p.goal
    v = graph.variables[name]
    rng = random.Random(f"{goal} {name}")
    direction = [rng.choice((-1, 1)) * rng.uniform(0.5, 1) for _ in range(v.size)]
    adjoint = p.sweep.adjoints[name]
    reverse = math.fsum(a * d for a, d in zip(adjoint, direction)) if all(map(math.isfinite, adjoint)) else sum(a * d for a, d in zip(adjoint, direction))
    size = math.fsum(abs(a * d) for a, d in zip(adjoint, direction) if math.isfinite(a))
    symbol = p.derivative.adjoint_name(name)
    made = Checked(text(graph.pool.read(symbol)) or symbol, str(goal), name, AGREE, reverse, along(run, p, name, direction), None)
    if not near(made.forward, reverse, SAME * size):
        return replace_culprit(made, run, p)
    return by_values(made, run, p, name, direction, size)


def near(a: float, b: float, tolerance: float) -> bool:
    return abs(a - b) <= tolerance + 1e-300 if math.isfinite(a) and math.isfinite(b) else a == b or (a != a and b != b)


def leaves(run: Run) -> dict[str, list[float]]:
    return {n: run.flat[n] for n, v in run.graph.variables.items() if v.is_leaf}


def at_goal(graph: Graph, p: Pass, name: str, values) -> float:
    """The element of a variable that the goal is; 0 where nothing depends."""
    if name not in values:
        return 0.0
    offset = 0
    for k, r in zip(p.goal.element or (), graph.variables[p.goal.name].ranges):
        offset = offset * r.extent + k - r.low
    return values[name][offset]


def along(run: Run, p: Pass, name: str, direction: list[float]) -> float:
    """The derivative of the goal along a direction of a variable, by forward mode."""
    if p.goal.name not in dependents(run.graph, name):
        return 0.0
    graph = directional_graph(run.graph, name, SEED, MARK)
    values = {**leaves(run), SEED: direction}
    for _ in forward(graph, forward_order(plan(graph), None), values):
        pass
    return at_goal(run.graph, p, MARK + p.goal.name, values)


# ---- from values alone


def moved(run: Run, p: Pass, name: str, direction: list[float]) -> tuple[Graph, Callable[[float], dict]]:
    """The program with a multiple of the direction added to a variable, and the leaf values for a multiple."""
    graph = run.graph
    start = leaves(run)
    if graph.variables[name].is_leaf:
        return graph, lambda t: {**start, name: [x + t * d for x, d in zip(start[name], direction)]}
    pool = graph.pool
    equations = tuple(e if e.target != name else Equation(e.target, e.subs, e.bindings, pool.call("+", e.value, pool.read(SEED, e.subs)), e.span) for e in graph.equations)
    graph = replace(graph, variables={**graph.variables, SEED: Variable(SEED, "data", graph.variables[name].ranges)}, equations=equations, pieces={}, plans=[])
    return graph, lambda t: {**start, SEED: [t * d for d in direction]}


def by_values(made: Checked, run: Run, p: Pass, name: str, direction: list[float], size: float) -> Checked:
    graph, values_at = moved(run, p, name, direction)
    order = forward_order(plan(graph), p.goal.name)
    exact = by_balls(made, run, p, graph, order, name, direction, size)
    if exact is not None:
        return exact

    @cache  # differences from both sides and about the middle have their values in common
    def goal(t: float) -> float:
        values = values_at(t)
        for _ in forward(graph, order, values):
            pass
        return at_goal(run.graph, p, p.goal.name, values)

    return judged(made, goal, scale_of(run, name), size, noise_of(run, p), lambda m: replace_culprit(m, run, p))


def scale_of(run: Run, name: str) -> float:
    return max(1e-3, max((abs(x) for x in run.flat[name] if math.isfinite(x)), default=1.0))


def by_balls(made: Checked, run: Run, p: Pass, graph: Graph, order, name: str, direction: list[float], size: float) -> Checked | None:
    """The verdict from values without rounding; None where they are not to be had."""
    if not ball.available() or sum(v.size for v in graph.variables.values()) > MOST_EXACT:
        return None
    start = {n: list(x) for n, x in leaves(run).items()}
    h = STEP * scale_of(run, name)
    with ball.working(BITS):
        numbers = ball.arithmetic()

        def goal(t: float):
            values = ball.exactly({**start, SEED: [0.0] * len(direction)})
            moved_leaf = name if graph.variables[name].is_leaf else SEED
            values[moved_leaf] = ball.along(values[moved_leaf], t, direction)
            for _ in forward(graph, order, values, numbers):
                pass
            return at_goal(run.graph, p, p.goal.name, values)

        here, ahead, behind = goal(0.0), goal(h), goal(-h)
        slope, right, left = (ball.quotient(a, b, c, ACCURATE) for a, b, c in ((ahead, behind, 2 * h), (ahead, here, h), (here, behind, h)))
    made = made._replace(slope=slope, by="ball arithmetic")
    if right is None or left is None:
        return None
    if not near(left, right, 1e-12 * max(abs(left), abs(right))):
        return made._replace(verdict=KINK, one_sided=(left, right), slope=None)
    if slope is None or near(slope, made.reverse, CERTAIN * max(size, abs(slope))):
        return made if slope is not None else None
    if abs(slope) <= 1e-290 or size <= 1e-290:
        return made._replace(verdict=TINY)
    if only_rounded(run, p, name, direction, slope):
        return made._replace(verdict=CANCELLATION)
    return replace_culprit(made, run, p)


def only_rounded(run: Run, p: Pass, name: str, direction: list[float], slope: float) -> bool:
    """Whether the derivative is right and its float64 value is not: the adjoint without rounding is the slope."""
    adjoint = ball.backward(p.derivative, leaves(run)).adjoints[name]
    parts = [ball.middle(x, ACCURATE) for x in adjoint]
    return None not in parts and near(math.fsum(a * d for a, d in zip(parts, direction)), slope, 1e-12 * math.fsum(abs(a) for a in parts))


def noise_of(run: Run, p: Pass) -> float:
    """What rounding may do to the goal: some units in the last place of the largest value on the way to it."""
    on_the_way = {p.goal.name, *(e.target for e in p.derivative.outgoing)}
    return 4 * 2.0**-52 * max((abs(x) for n in on_the_way for x in run.flat[n] if math.isfinite(x)), default=0.0)


def judged(made: Checked, goal: Callable[[float], float], scale: float, size: float, noise: float, disagrees: Callable[[Checked], Checked]) -> Checked:
    """The verdict on a gradient from the values of the goal along the direction; `noise`: what rounding does to a value."""
    reverse, here = made.reverse, goal(0.0)
    noise = max(noise, jitter(goal, scale))
    slope, error = best(lambda h: (goal(h) - goal(-h)) / (2 * h), scale, noise, even=True)
    right, right_error = best(lambda h: (goal(h) - here) / h, scale, noise, even=False)
    left, left_error = best(lambda h: (here - goal(-h)) / h, scale, noise, even=False)
    made = made._replace(slope=slope, error=error, by="differences")
    if right is None or left is None:  # it is defined on one side only, or on none
        one, one_error = (left, left_error) if right is None else (right, right_error)
        if one is None:
            return made._replace(verdict=CANCELLATION)
        if near(one, reverse, 10 * one_error + 1e-5 * max(abs(one), abs(reverse))):
            return made._replace(slope=one, error=one_error)
        return made._replace(verdict=KINK, one_sided=(math.nan if left is None else left, math.nan if right is None else right))
    if not near(left, right, 10 * (left_error + right_error) + 1e-5 * max(abs(left), abs(right), 1e-3 * size)):
        return made._replace(verdict=KINK, one_sided=(left, right))  # central differences would confirm any convention
    if slope is None or error > 1e-3 * max(size, abs(slope)):
        tiny = size * scale <= noise * 1e3
        return made._replace(verdict=TINY if tiny and size else CANCELLATION if size or error else AGREE)
    if near(slope, reverse, 10 * error + NUMERIC * max(abs(reverse), abs(slope), 1e-3 * size)):
        return made
    return disagrees(made)


def jitter(f: Callable[[float], float], scale: float) -> float:
    """How a value jumps about when its operand moves by units in the last place: what rounding on the way has left in it."""
    here = f(0.0)
    found = [f(k * scale * 2.0**-50) for k in (-3, -2, -1, 1, 2, 3)] if math.isfinite(here) else []
    return max((abs(x - here) for x in found if math.isfinite(x)), default=0.0)


def best(quotient: Callable[[float], float], scale: float, noise: float, even: bool) -> tuple[float | None, float]:
    """Richardson's extrapolation from several first steps: the value whose neighbours differ least, and that difference, or
    what rounding makes of it where that is more."""
    found: tuple[float | None, float] = (None, math.inf)
    for first in STEPS:
        rows: list[list[float]] = []
        for k in range(HALVINGS):
            h = first * scale * 0.5**k
            value = quotient(h)
            if not math.isfinite(value):
                rows = []
                continue
            row = [value]
            for m, before in enumerate(rows[-1] if rows else ()):
                factor = 4.0 ** (m + 1) if even else 2.0 ** (m + 1)
                row.append(row[m] + (row[m] - before) / (factor - 1))
            for m in range(1, len(row)):
                error = max(abs(row[m] - row[m - 1]), abs(row[m] - rows[-1][m - 1]), 2 * noise / h)
                if error < found[1]:
                    found = (row[m], error)
            rows.append(row)
    return found


# ---- where it goes wrong


def replace_culprit(made: Checked, run: Run, p: Pass) -> Checked:
    """A disagreement, and where. When every local derivative is the slope of its right side, and values have been had in
    float64 only, then it was their rounding."""
    found = culprit(run, p)
    if not found and made.by == "differences":
        return made._replace(verdict=CANCELLATION)
    return made._replace(verdict=DISAGREE, culprit=found)


def culprit(run: Run, p: Pass) -> str:
    """The first equation in reverse topological order one of whose local derivatives is not the slope of its right side."""
    for group in p.derivative.order:
        for e in group.equations:
            for name in dict.fromkeys(c.variable for c in p.derivative.outgoing.get(e, ())):
                wrong = local_fails(run, p, e, name)
                if wrong:
                    line = f" (line {run.graph.source.position(e.span.start)[0]})" if run.graph.source and e.span else ""
                    return f"∂{e.target}/∂{name}{line}: {wrong}"
    return ""


def local_fails(run: Run, p: Pass, e: Equation, name: str) -> str:
    """The sum of an equation's local derivatives by all elements of a variable, against differences of the right side when
    all of them are moved together."""
    pool, values, ranges = e.value.pool, dict(run.flat), run.ranges
    rules = [pool.sum(tuple(c.loops), c.computed) for c in p.derivative.outgoing.get(e, ()) if c.variable == name]
    table = list(values[name])
    scale = scale_of(run, name)
    for at in islice(points(e.bindings, ()), MOST_LOOKED_AT):
        here = tuple(Binding(n, Range(k, k)) for n, k in at.items())

        def right_side(h: float) -> float:
            return evaluate(e.value, here, {**values, name: [x + h for x in table]}, ranges)[0]

        def local(h: float) -> float:
            near_by = {**values, name: [x + h * abs(x) for x in table]}
            output = list(values[e.target])
            output[offset_of(e.subs, ranges[e.target], at)] = evaluate(e.value, here, near_by, ranges)[0]
            return sum(evaluate(r, here, {**near_by, e.target: output}, ranges)[0] for r in rules)

        slope, error = best(lambda h: (right_side(h) - right_side(-h)) / (2 * h), scale, jitter(right_side, scale) + 4 * 2.0**-52 * abs(right_side(0.0)), even=True)
        rule = local(0.0)
        # what rounding has left in the rule's own value: it jumps about where it should be nearly straight
        unsure = 10 * max(abs(local(h) + local(-h) - 2 * rule) for h in (0.0010, 0.0013, 0.0017))
        if slope is not None and not near(slope, rule, 10 * error + unsure + 1e-5 * max(abs(slope), abs(rule), 1e-6)):
            return f"the rule gives {rule:.9g}, the right side changes by {slope:.9g}"
    return ""
