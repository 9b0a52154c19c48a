"""The programs that training by whole arrays runs: the goal and its gradients for a number of examples, and the reports."""

from __future__ import annotations

from typing import Callable

from graphlang.derive.reverse import adjoint_graph, differentiate
from graphlang.engines.batching import SEED, TOTAL, batched, with_total
from graphlang.engines.dense import Program
from graphlang.engines.initial import initial_values
from graphlang.engines.stepping import OPTIMISERS, with_reports
from graphlang.graph.graph import Goal, Graph, ancestors
from graphlang.graph.order import plan
from graphlang.graph.training import Training


class Trained:
    """A program that is trained: `params` are those that the goal depends on, `leaves` those that examples fill. `sign` is -1 where the goal
    is maximised."""

    def __init__(self, graph: Graph, training: Training):
        self.training = training
        self.graph, self.reports = with_reports(graph, training)
        needed = ancestors(graph, {training.goal.name})
        self.params = tuple(n for n, v in graph.variables.items() if v.role == "param" and n in needed)
        self.others = tuple(n for n, v in graph.variables.items() if v.role == "param" and n not in needed)  # which only reports read
        self.leaves = tuple(dict.fromkeys(f.leaf for f in training.feeds))
        self.constants, _ = initial_values(self.graph, {n: [0.0] * graph.variables[n].size for n in (*self.leaves, *self.others)})
        self.sign = 1.0 if training.goal.kind == "minimize" else -1.0
        self.shapes = {n: tuple(r.extent for r in graph.variables[n].ranges) for n in (*self.params, *self.others, *self.leaves)}
        self.row = OPTIMISERS[training.optimizer]

    def goal(self, count: int) -> Program:
        """From params, leaves and a seed to the goal's values, and the gradients of the seed times their sum. One example has no axis for it."""
        many = batched(self.graph, (*self.leaves, self.training.goal.name), count) if count > 1 else self.graph  # also a goal that reads no data
        whole = with_total(many, self.training.goal)
        derivative = differentiate(whole, Goal("minimize", TOTAL), plan(whole))
        outputs = (self.training.goal.name, *(derivative.adjoint_name(n) for n in self.params))
        return Program(adjoint_graph(derivative), (*self.params, *self.leaves, SEED), self.constants).run(outputs)

    def means(self, count: int) -> Program:
        """From all params and leaves to the values of the reports."""
        many = batched(self.graph, self.leaves, count) if count > 1 else self.graph
        return Program(many, (*self.params, *self.others, *self.leaves), self.constants).run(self.reports)

    def update(self, updates: tuple[str, ...], sqrt: Callable) -> Callable:
        """The updates of the optimiser for one param: (p, g, rate, t, *moments) → (p, *moments). An array that can be changed in place is."""
        space = {**self.row.parameters, **dict(zip(self.row.parameters, self.training.parameters)), "sqrt": sqrt}
        lines = [f"def update({', '.join(['p', 'g', 'rate', 't', *self.row.moments])}):", *(f"    {u}" for u in updates), f"    return {', '.join(['p', *self.row.moments])},"]
        exec(compile("\n".join(lines), "<generated>", "exec"), space)
        return space["update"]
