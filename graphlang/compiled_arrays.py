"""Compiled programs that compute by whole arrays: the engines `numpy` and `jax` behind `program.compile`, and second derivatives, jacobians and
tangents for all engines.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Callable, Iterable, Mapping, Sequence

import numpy

from graphlang.derive.forward import directional_graph
from graphlang.derive.reverse import adjoint_graph, differentiate
from graphlang.diagnostics import Diagnostic, GraphError
from graphlang.engines.batching import SEED, TOTAL, batched, block_size, dependent, with_total
from graphlang.engines.dense import Program
from graphlang.engines.numpy_engine import Writer
from graphlang.engines.tape import TooLarge
from graphlang.engines.unsupported import Unsupported
from graphlang.given import UsageError, flat
from graphlang.graph.graph import Goal, Graph
from graphlang.graph.order import plan
from graphlang.query import seconds, with_tables
from graphlang.syntax.names import canonical

NAME = "value_and_gradient"


class Arrays:
    """A program, its goal, and leaves with their starting values; `load` makes a function of a `Program`, as `numpy_loaded` does."""

    def __init__(self, graph: Graph, goal: Goal, wrt: Sequence[str], inputs: Sequence[str], defaults: Mapping[str, list[float]], load: Callable):
        self.graph, self.goal, self.wrt, self.inputs, self.load = graph, goal, tuple(wrt), tuple(inputs), load
        self.shapes = {n: tuple(r.extent for r in v.ranges) for n, v in graph.variables.items()}
        self.defaults = {n: numpy.array(v, dtype=float).reshape(self.shapes[n]) for n, v in defaults.items()}
        self.at = tuple(k - r.low for k, r in zip(goal.element or (), graph.variables[goal.name].ranges))
        self.made: dict[tuple, Callable] = {}
        self.known: dict[frozenset[str], set[str] | None] = {}

    # ---- values of leaves

    def leaves(self, given: Mapping[str, object], refuse: Callable[[str], None]) -> tuple[dict, int | None, set[str], bool]:
        """Leaves as arrays; how long the batch is, if there is one, and who goes along it; whether arrays were given."""
        values, batch, along, arrays = dict(self.defaults), None, set(), False
        for name, value in given.items():
            name = name if name in self.graph.variables else canonical(name)
            if name not in self.inputs:
                refuse(name)
            arrays |= hasattr(value, "tolist")
            try:
                found = numpy.asarray(value, dtype=float)
            except (TypeError, ValueError):
                found = None
            shape = self.shapes[name]
            if found is not None and found.shape == shape:
                values[name] = found
            elif found is not None and found.ndim == len(shape) + 1 and found.shape[1:] == shape:
                if batch not in (None, len(found)):
                    raise UsageError(f"`{name}` has {len(found)} entries in its batch, where another leaf has {batch}")
                batch, values[name] = len(found), found
                along.add(name)
            else:
                values[name] = numpy.array(flat(self.graph, name, value.tolist() if hasattr(value, "tolist") else value)).reshape(shape)
        missing = [n for n in self.inputs if n not in values]
        if missing:
            raise UsageError("no value is given for `" + "`, `".join(missing) + "`")
        return values, batch, along, arrays

    # ---- value and gradient

    def __call__(self, refuse: Callable[[str], None], leaves: Mapping[str, object]):
        values, batch, along, arrays = self.leaves(leaves, refuse)
        value, gradients = self.one(values) if batch is None else self.batch(batch, values, along)
        if arrays:
            return value, {n: numpy.asarray(g) for n, g in gradients.items()}
        return value if batch is None else value.tolist(), {n: listed(g) for n, g in gradients.items()}

    def one(self, values: Mapping):
        value, *gradients = self.function(None, ())(*(values[n] for n in self.inputs))
        return float(numpy.asarray(value)[self.at]), dict(zip(self.wrt, gradients))

    def batch(self, count: int, values: Mapping, along: set[str]):
        """Every example by itself: a leaf that is the same for all has a gradient for each too."""
        many = self.many(frozenset(along))
        if many is None:
            return self.each(count, values, along)
        block = block_size(self.graph, many) if self.load is numpy_loaded else count
        try:
            self.function(min(block, count), tuple(sorted(many)))
        except (Unsupported, TooLarge):  # of one example there is code: one after the other
            return self.each(count, values, along)
        out = numpy.empty(count)
        gradients = {n: numpy.empty((count, *self.shapes[n])) for n in self.wrt}
        for start in range(0, count, block):
            end = min(start + block, count)
            args = [values[n][start:end] if n in along else numpy.broadcast_to(values[n], (end - start, *self.shapes[n])) if n in many else values[n] for n in self.inputs]
            value, *found = self.function(end - start, tuple(sorted(many)))(*args)
            out[start:end] = numpy.asarray(value)[(..., *self.at)]
            for n, g in zip(self.wrt, found):
                gradients[n][start:end] = g
        return out, gradients

    def many(self, along: frozenset[str]) -> set[str] | None:
        """The leaves that have a value for each example, so that all that the gradient is by has one too; None where that cannot be: what depends
        on no leaf has one gradient for all of the batch."""
        if along not in self.known:
            some = set(along) | {n for n in self.wrt if n in self.inputs}
            self.known[along] = next((many for many in (set(along), some, set(self.inputs) | some) if set(self.wrt) <= dependent(self.graph, many)), None)
        return self.known[along]

    def each(self, count: int, values: Mapping, along: set[str]):
        found = [self.one({n: v[k] if n in along else v for n, v in values.items()}) for k in range(count)]
        return numpy.array([v for v, _ in found]), {n: numpy.array([g[n] for _, g in found]).reshape(count, *self.shapes[n]) for n in self.wrt}

    def function(self, count: int | None, many: tuple[str, ...]) -> Callable:
        key = (count, many)
        if key not in self.made:
            graph, goal = self.graph, self.goal
            inputs, fixed = self.inputs, {}
            if count is not None:
                graph = with_total(batched(graph, many, count), goal)
                goal, fixed = Goal("minimize", TOTAL), {SEED: [1.0]}
            derivative = differentiate(graph, goal, plan(graph))
            names = (self.goal.name, *(derivative.adjoint_name(n) for n in self.wrt))
            self.made[key] = self.load(Program(adjoint_graph(derivative), inputs, fixed).run(names), count is None)
            self.source = self.made[key].source
        return self.made[key]

    # ---- other derivatives

    def jacobian(self, values: Mapping) -> dict:
        graph, names = self.jacobian_graph
        return dict(zip(self.wrt, self.tables("jacobian", graph, names, values)))

    def hessian(self, values: Mapping) -> dict:
        graph, names = self.hessian_graph
        found = iter(self.tables("hessian", graph, names, values))
        return {x: {z: next(found) for z in self.wrt} for x in self.wrt}

    @cached_property
    def jacobian_graph(self):
        return with_tables(self.graph, [(self.goal.name, None, x) for x in self.wrt])

    @cached_property
    def hessian_graph(self):
        return with_tables(self.graph, *seconds(self.graph, [(self.goal.name, self.goal.element)], self.wrt))

    def tables(self, what: str, graph: Graph, names: Sequence[str], values: Mapping):
        if what not in self.made:
            self.made[what] = self.coded(graph, self.inputs, names)
        found = dict(zip(dict.fromkeys(names), self.made[what](*(values[n] for n in self.inputs))))
        return [numpy.asarray(found[n]) for n in names]

    def coded(self, graph: Graph, inputs: Sequence[str], names: Iterable[str]) -> Callable:
        """The function for some variables. Raises UsageError, GraphError where there is none."""
        try:
            return self.load(Program(graph, inputs, {}).run(names), True)
        except Unsupported as e:
            raise UsageError(f"there is no code by whole arrays for {e}") from None
        except TooLarge as e:
            raise GraphError([Diagnostic("E902", f"a table of {e.steps:,} numbers would be needed, more than are kept", None, hints=("smaller ranges",))], graph.source) from None

    def jvp(self, values: Mapping, tangents: Mapping[str, object]):
        """The value of the goal, and its derivative along a direction: for each leaf that it has a part in."""
        key = ("jvp", tuple(tangents))
        if key not in self.made:
            graph, seeds, along = self.graph, [], []
            for x in tangents:
                seed, mark = f"direction of {x}", f"along {x}: "
                more = directional_graph(self.graph, x, seed, mark)
                graph = merged(graph, more) if seeds else more
                seeds.append(seed)
                along.append(mark + self.goal.name)
            self.made[key] = self.coded(graph, (*self.inputs, *seeds), [self.goal.name, *(n for n in along if n in graph.variables)])
        directions = [numpy.asarray(tangents[x], dtype=float).reshape(self.shapes[x]) for x in tangents]
        value, *found = self.made[key](*(values[n] for n in self.inputs), *directions)
        return value, sum(found) if found else numpy.zeros_like(value)


def of_whole(graph: Graph, name: str, wrt: Sequence[str], values: Mapping[str, list[float]], engine: str) -> tuple[list[float], dict[str, list[float]]]:
    """A table, and its derivatives by whole variables (over the ranges of each and then its own), flat. Raises UsageError, GraphError."""
    inputs = [n for n, v in graph.variables.items() if v.is_leaf and v.role != "const"]
    arrays = Arrays(graph, Goal("output", name), wrt, inputs, {n: values[n] for n in inputs}, loader(engine))
    fuller, names = arrays.jacobian_graph
    value, *found = arrays.tables("whole", fuller, (name, *names), arrays.defaults)
    return value.ravel().tolist(), {x: d.ravel().tolist() for x, d in zip(wrt, found)}


def listed(value):
    """A number, or nested lists."""
    return value.tolist() if hasattr(value, "tolist") else value


def attach(f: Callable, arrays: Arrays, refuse: Callable[[str], None]) -> None:
    """Give a compiled function its other derivatives.

    `f.jacobian(x=…)`: of the goal, or of the table of which it is an element, by each variable of wrt: over its ranges and then those of the table. `f.hessian(x=…)[x][z]`: the second derivatives, over the
    ranges of z and then those of x. `f.jvp({"x": direction}, x=…)`: the value, and its derivative along a direction of leaves.
    """

    def prepared(leaves: Mapping[str, object]):
        values, batch, _, given = arrays.leaves(leaves, refuse)
        if batch is not None:
            raise UsageError("jacobian, hessian and jvp are of one example, not of a batch")
        return values, (numpy.asarray if given else listed)

    def jacobian(**leaves):
        values, shape = prepared(leaves)
        return {n: shape(v) for n, v in arrays.jacobian(values).items()}

    def hessian(**leaves):
        values, shape = prepared(leaves)
        return {x: {z: shape(v) for z, v in row.items()} for x, row in arrays.hessian(values).items()}

    def jvp(tangents: Mapping[str, object], **leaves):
        values, shape = prepared(leaves)
        directions = {}
        for name, direction in tangents.items():
            own = name if name in arrays.graph.variables else canonical(name)
            if own not in arrays.inputs:
                refuse(name)
            directions[own] = flat(arrays.graph, own, direction.tolist() if hasattr(direction, "tolist") else direction)
        value, tangent = arrays.jvp(values, directions)
        return shape(value), shape(tangent)

    f.jacobian, f.hessian, f.jvp = jacobian, hessian, jvp


def merged(graph: Graph, more: Graph) -> Graph:
    """One graph with the variables and equations of two that have the rest in common."""
    own = set(graph.equations)
    return replace(graph, variables={**graph.variables, **more.variables}, equations=(*graph.equations, *(e for e in more.equations if e not in own)), pieces={}, plans=[])


def loader(engine: str) -> Callable:
    """What makes functions for an engine; those without arrays of their own take NumPy's."""
    if engine == "jax":
        from graphlang.engines.jax_engine import loaded

        return loaded
    return numpy_loaded


def numpy_loaded(program: Program, fresh: bool) -> Callable:
    writer = Writer(program, fresh)
    run = writer.load(NAME)

    def call(*args):
        with numpy.errstate(all="ignore"):
            return run(*args)

    call.source = writer.source
    return call
