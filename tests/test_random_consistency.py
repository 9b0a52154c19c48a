"""2,000 random programs: reverse mode, forward mode, Hessian-vector products and ball arithmetic say the same.

Tolerances are relative to the largest number that a program meets on the way, at least 1: what rounding leaves in a sum depends on
its terms, not on what they cancel to. 1e-12 is some thousand roundings, 1e-13 some hundred.
"""

import math
from dataclasses import replace
from random import Random

import pytest
from programs_at_random import Writer

from graphlang.derive.complete import complete
from graphlang.derive.forward import dependents, directional_graph
from graphlang.derive.reverse import differentiate
from graphlang.engines import ball
from graphlang.engines.reference import backward, forward
from graphlang.graph.derived import Asked, derivative_name
from graphlang.graph.gathers import gathers
from graphlang.graph.graph import Goal
from graphlang.graph.order import forward_order, plan
from graphlang.pipeline import loads

CHUNKS, EACH = 20, 100


def program(seed):
    return Writer(Random(seed), linear=True).program(1 + seed % 3)


def evaluated(graph, values):
    values = {n: list(x) for n, x in values.items()}
    for _ in forward(graph, forward_order(plan(graph), None), values):
        pass
    return values


def size(*tables):
    return max([1.0, *(abs(x) for values in tables for table in values.values() for x in table)])


def dot(a, b):
    return math.fsum(x * y for x, y in zip(a, b))


def at_goal(graph, goal, table):
    offset = 0
    for k, r in zip(goal.element or (), graph.variables[goal.name].ranges):
        offset = offset * r.extent + k - r.low
    return table[offset]


class Checked:
    """A program at its own point, with directions for its leaves."""

    def __init__(self, seed):
        self.text = program(seed)
        self.run = loads(self.text).run()
        self.graph, (self.p, *_) = self.run.graph, self.run.passes
        self.goal = self.p.goal
        self.leaves = {n: self.run.flat[n] for n, v in self.graph.variables.items() if v.is_leaf}
        self.rng = Random(seed + 1)
        whole = gathers(self.graph)
        self.inputs = [n for n, v in self.graph.variables.items() if v.is_leaf and v.role != "const" and n not in whole and v.size]

    def direction(self, name):
        return [self.rng.uniform(-1, 1) for _ in range(self.graph.variables[name].size)]

    def reverse_and_forward(self):
        """The derivative along a direction, of a leaf and of a node, by both modes."""
        nodes = [n for n in self.p.derivative.incoming if not self.graph.variables[n].is_leaf]
        for name in [self.rng.choice(self.inputs), *([self.rng.choice(nodes)] if nodes else [])]:
            d = self.direction(name)
            graph = directional_graph(self.graph, name, "~s", "~d")
            values = evaluated(graph, {**self.leaves, "~s": d})
            tangent = at_goal(self.graph, self.goal, values["~d" + self.goal.name]) if self.goal.name in dependents(self.graph, name) else 0.0
            adjoint = self.p.sweep.adjoints[name]
            assert abs(tangent - dot(adjoint, d)) <= 1e-12 * size(values, self.p.sweep.adjoints) * len(d), name

    def hessian(self):
        """Hessian times vector, forward over reverse and reverse over forward; and u'(Hv) = v'(Hu)."""
        name = self.rng.choice(self.inputs)
        v, u = self.direction(name), self.direction(name)
        gradient = derivative_name(self.graph.pool, self.goal.name, name, self.goal.element)
        fuller = complete(self.graph, {gradient: Asked(self.goal.name, self.goal.element, name, False)})
        products, scales = [], []
        for d in (v, u):
            values = evaluated(directional_graph(fuller, name, "~s", "~d"), {**self.leaves, "~s": d})
            products.append(values.get("~d" + gradient, [0.0] * len(d)))
            scales.append(size(values))
        scale = max(scales) * len(v)
        assert abs(dot(u, products[0]) - dot(v, products[1])) <= 1e-12 * scale, "symmetry"
        if self.goal.name not in dependents(self.graph, name):
            return
        along = directional_graph(self.graph, name, "~s", "~d")
        along = replace(along, goals=())
        derivative = differentiate(along, Goal("output", "~d" + self.goal.name, self.goal.element))
        values = evaluated(along, {**self.leaves, "~s": v})
        second = backward(derivative, values).adjoints[name]
        for a, b in zip(products[0], second):
            assert abs(a - b) <= 1e-12 * max(scale, size(values, {"": second})), "forward over reverse, reverse over forward"

    def balls(self):
        """Values and adjoints in float64 against certain ones; how many could not be had."""
        found = ball.certain(self.graph, self.leaves, (self.p.derivative,), 15)
        scale = size(self.run.flat, self.p.sweep.adjoints)
        unknown = 0
        for floats, exact in ((self.run.flat, found.values), (self.p.sweep.adjoints, found.sweeps[0].adjoints)):
            for name, table in floats.items():
                for x, b in zip(table, exact[name]):
                    middle = ball.middle(b, 45)
                    unknown += middle is None
                    assert middle is None or abs(x - middle) <= 1e-13 * scale, name
        return unknown


@pytest.mark.parametrize("chunk", [pytest.param(k, marks=() if k < CHUNKS // 4 else pytest.mark.nightly) for k in range(CHUNKS)])
def test_random_programs_are_consistent(chunk):
    """A failure shows the program. A comparison of two numbers that are equal may be undecided in balls: then they know nothing."""
    unknown = 0
    for seed in range(chunk * EACH, (chunk + 1) * EACH):
        checked = Checked(seed)
        try:
            checked.reverse_and_forward()
            checked.hessian()
            unknown += checked.balls() if ball.available() else 0
        except AssertionError as e:
            raise AssertionError(f"seed {seed}: {e}\n{checked.text}") from None
    assert unknown <= EACH // 10
