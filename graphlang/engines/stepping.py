"""Steps of stochastic gradient descent: what an engine is given and what it changes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Mapping, Protocol

from graphlang.graph.expressions import Read
from graphlang.graph.graph import Equation, Graph, Variable
from graphlang.graph.optimisers import OPTIMISERS, Optimiser
from graphlang.graph.training import Training

__all__ = ["OPTIMISERS", "Optimiser", "State", "Stepper", "with_reports"]


@dataclass(eq=False)
class State:
    """What training changes: flat, row-major arrays of float64 by param; of each moment the like; how many steps were done."""

    params: dict[str, object]
    moments: dict[str, dict[str, object]] = field(default_factory=dict)
    steps: int = 0


class Stepper(Protocol):
    """A program that is trained, compiled by one engine. Examples are arrays (count, size of the leaf) of float64 by leaf."""

    engine: str
    source: str  # what was generated, to read

    def run(self, state: State, examples: Mapping[str, object], rows, batch: int, rate: float):
        """One step for each `batch` of `rows` (numbers of examples, int64; the last batch may be smaller), changing `state` in place. The result:
        an array of the mean of the goal over the batch of each step, before its update."""

    def values(self, params: Mapping[str, object], examples: Mapping[str, object]):
        """The values of all reports, an array (reports, examples)."""


def with_reports(graph: Graph, training: Training) -> tuple[Graph, tuple[str, ...]]:
    """The graph with a variable for each report, and their names: what is only an equation's name stands for itself."""
    variables, equations, names = dict(graph.variables), list(graph.equations), []
    for k, report in enumerate(training.reports, 1):
        if type(report.value) is Read and not report.value.args:
            names.append(report.value.name)
            continue
        name = f"report {k}"  # no name of an author's has a blank
        variables[name] = Variable(name, "node", (), report.span)
        equations.append(Equation(name, (), (), report.value, report.span))
        names.append(name)
    return replace(graph, variables=variables, equations=tuple(equations), pieces={}, plans=[]), tuple(names)
