"""Training in plain Python: one example after the other, every operation in the order of the definition. What other engines are compared with."""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, Mapping

from graphlang.derive.reverse import differentiate
from graphlang.diagnostics import Diagnostic, GraphError
from graphlang.engines.initial import initial_values
from graphlang.engines.listing import Listing, listing
from graphlang.engines.python_source import BADLY, Writer
from graphlang.engines.stepping import OPTIMISERS, State, with_reports
from graphlang.engines.tape import TooLarge
from graphlang.graph.graph import Graph, ancestors
from graphlang.graph.optimisers import Optimiser
from graphlang.graph.order import plan
from graphlang.graph.training import Training


class PythonTraining:
    """A `Stepper`. Leaves that are neither params nor filled by columns keep the value that the graph gives them."""

    engine = "python"

    def __init__(self, graph: Graph, training: Training):
        self.training = training
        reported, names = with_reports(graph, training)
        goal = training.goal
        self.params = [n for n, v in graph.variables.items() if v.role == "param" and n in ancestors(graph, {goal.name})]
        self.scalar = {n: not v.ranges for n, v in graph.variables.items()}
        filled = {f.leaf for f in training.feeds}
        self.fixed, _ = initial_values(without(graph, filled), {})
        self.optimiser = OPTIMISERS[training.optimizer]
        try:
            self.gradient = Compiled(listing(graph, differentiate(graph, goal, plan(graph)), goal.name, self.params, leaves(graph, goal.name)), "value_and_gradient")
            self.reports = [Compiled(listing(reported, None, n, (), leaves(reported, n)), f"report_{k}") for k, n in enumerate(names, 1)]
        except TooLarge as e:
            raise GraphError([Diagnostic("E902", f"an equation would take {e.steps:,} rounds of its loops, more than are compiled", training.span, hints=("smaller ranges",))],
                             graph.source) from None
        text = update_source(self.optimiser, training.parameters)
        self.update = loaded(text, "update", {})
        self.source = "\n".join(c.source for c in (self.gradient, *self.reports)) + "\n" + text

    def run(self, state: State, examples: Mapping[str, object], rows, batch: int, rate: float):
        import numpy

        params = {n: a.tolist() for n, a in state.params.items()}
        moments = {m: {n: a.tolist() for n, a in of.items()} for m, of in state.moments.items()}
        rows, means, sign = rows.tolist(), [], -1.0 if self.training.goal.kind == "maximize" else 1.0
        for first in range(0, len(rows), batch):
            total, gradient = 0.0, None
            part = rows[first : first + batch]
            for row in part:
                value, by = self.gradient(self.arguments(self.gradient, params, examples, row))
                total += value
                by = {n: [g] if self.scalar[n] else g for n, g in by.items()}
                gradient = by if gradient is None else {n: [a + b for a, b in zip(gradient[n], by[n])] for n in by}
            means.append(total / len(part))
            state.steps += 1
            for n in self.params:
                g = [sign * (x / len(part)) for x in gradient[n]]
                self.update(params[n], g, *(moments[m][n] for m in self.optimiser.moments), rate, state.steps)
        for n in self.params:
            state.params[n][:] = params[n]
            for m in self.optimiser.moments:
                state.moments[m][n][:] = moments[m][n]
        return numpy.array(means)

    def values(self, params: Mapping[str, object], examples: Mapping[str, object]):
        import numpy

        params = {n: a.tolist() for n, a in params.items()}
        count = len(next(iter(examples.values()))) if examples else 0
        return numpy.array([[f(self.arguments(f, params, examples, row)) for row in range(count)] for f in self.reports]).reshape(len(self.reports), count)

    def arguments(self, f: "Compiled", params: Mapping[str, list], examples: Mapping[str, object], row: int) -> list:
        """The leaves of a function at one example."""
        values = [examples[n][row].tolist() if n in examples else params[n] if n in params else self.fixed[n] for n in f.made.inputs]
        return [v[0] if self.scalar[n] else v for n, v in zip(f.made.inputs, values)]


class Compiled:
    """A listing as a function; where a value is not finite, by the rows of functions, which have one for everything."""

    def __init__(self, made: Listing, name: str):
        self.made, self.name, self.careful = made, name, None
        writer = Writer(made, careful=False)
        self.source = writer.function(name)
        self.fast = loaded(self.source, name, writer.used)

    def __call__(self, arguments: list):
        try:
            return self.fast(*arguments)
        except BADLY:
            if self.careful is None:
                writer = Writer(self.made, careful=True)
                self.careful = loaded(writer.function(self.name), self.name, writer.used)
            return self.careful(*arguments)


def leaves(graph: Graph, name: str) -> list[str]:
    needed = ancestors(graph, {name})
    return [n for n, v in graph.variables.items() if v.is_leaf and v.role != "const" and n in needed]


def without(graph: Graph, names: set[str]) -> Graph:
    """The graph without some leaves, for their values not to be worked out, or read from a file."""
    return replace(graph, variables={n: v for n, v in graph.variables.items() if n not in names and v.role != "param"})


def update_source(optimiser: Optimiser, parameters: tuple[float, ...]) -> str:
    """The optimiser's updates as a function over the elements of one param, which it changes."""
    values = {**optimiser.parameters, **dict(zip(optimiser.parameters, parameters))}
    tables = ("p", *optimiser.moments)
    lines = ["from math import sqrt", "", f"def update({', '.join(f'{n}s' for n in ('p', 'g', *optimiser.moments))}, rate, t):",
             *(f"    {n} = {v!r}" for n, v in values.items()),
             "    for k, g in enumerate(gs):",
             *(f"        {n} = {n}s[k]" for n in tables),
             *(f"        {line}" for line in optimiser.updates),
             *(f"        {n}s[k] = {n}" for n in tables)]
    return "\n".join(lines) + "\n"


def loaded(source: str, name: str, used: Mapping[str, object]) -> Callable:
    """The function that generated source defines. No word of the author's is in it but in comments and as keys."""
    space = dict(used)
    exec(compile(source, "<generated>", "exec"), space)
    return space[name]
