"""A program, its data and an engine, ready to be trained: everything is checked before the first step."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Mapping

import numpy

from graphlang.diagnostics import Diagnostic, GraphError, Label
from graphlang.engines.initial import initial_values
from graphlang.engines.stepping import OPTIMISERS, State, Stepper
from graphlang.given import UsageError, example, flat
from graphlang.graph.constant import constant
from graphlang.graph.expressions import Call, Expr, Number, Read, reads
from graphlang.graph.graph import Goal, Graph, Initial, ancestors
from graphlang.graph.substitute import substitute
from graphlang.graph.training import Report, Training
from graphlang.pipeline import Program, check_declared, check_leaves, check_numbers
from graphlang.train.events import Epoch
from graphlang.train.examples import Examples, read_examples
from graphlang.train.steppers import stepper


@dataclass(eq=False)
class Job:
    """`training` may have a report more than the author's, whose number is `shown`: report `watched` is the goal, times `sign`."""

    program: Program
    graph: Graph
    training: Training
    shown: int
    watched: int
    sign: float
    train: Examples
    test: Examples | None
    values: Mapping[str, list[float]]  # of the leaves before training
    state: State
    stepper: Stepper
    epoch: int = 1                     # that is being worked at
    done: int = 0                      # steps of it
    history: list[Epoch] = field(default_factory=list)
    best: int = 0                      # the first of the epochs whose score is the least
    least: float = math.inf

    @property
    def steps(self) -> int:
        """Of one epoch."""
        return -(-self.train.count // self.training.batch)

    def rate(self, epoch: int) -> float:
        return constant(substitute(self.training.rate, {"epoch": self.graph.pool.number(epoch)}))

    def order(self, epoch: int):
        """The numbers of the examples in the order of an epoch, which follows from the seed and the epoch alone."""
        if not self.training.shuffle:
            return numpy.arange(self.train.count)
        seed = numpy.random.SeedSequence([self.training.seed, *b"order", epoch])
        return numpy.random.Generator(numpy.random.PCG64(seed)).permutation(self.train.count)

    def score(self, report: Epoch) -> float:
        """The mean of the goal over the test set, without one the training set, so that less is better."""
        means = report.train if report.test is None else report.test
        return means[self.watched] * self.sign * (1 if self.training.goal.kind == "minimize" else -1)

    def note(self, report: Epoch) -> None:
        """A report becomes a part of the history."""
        self.history.append(report)
        score = self.score(report)
        if score < self.least:
            self.best, self.least = report.epoch, score


def prepare(program: Program, engine: str = "auto", given: Mapping[str, object] | None = None, epochs: int | None = None, rate: float | None = None,
            batch: int | None = None, seed: int | None = None, params: Mapping[str, list[float]] | None = None, **options) -> Job:
    """given: values of leaves and consts from outside; params: where params start, flat; the other arguments in the place of what the block says;
    options: for the engine. Raises UsageError, GraphError."""
    graph, rest = program.with_consts(given or {})
    trainable(graph)
    training, shown, watched, sign = watching(graph, overridden(graph, epochs, rate, batch, seed))
    graph = settled(graph, training, {**{n: flat(graph, n, v) for n, v in rest.items()}, **(params or {})}, seed)
    whole = {f.leaf for f in training.feeds if sum(len(g.elements) for g in training.feeds if g.leaf == f.leaf) == graph.variables[f.leaf].size}
    values, missing = initial_values(graph, {n: [0.0] * graph.variables[n].size for n in whole})
    check_missing(graph, training, missing)
    check_params(graph, training, values)
    train = read_examples(graph, training, training.data, program.files, values)
    test = read_examples(graph, training, training.test, program.files, values) if training.test is not None else None
    state = started(graph, training, values)
    return Job(program, graph, training, shown, watched, sign, train, test, values, state, stepper(graph, training, engine, train.count, **options))


def trainable(graph: Graph) -> None:
    """Raises GraphError where there are no numbers to train, or nothing says from what to learn."""
    check_numbers(graph)
    if graph.training is None:
        raise GraphError([Diagnostic("E414", "the program has no `train` block, which says what is learnt from what", None,
                                     hints=("`train {`, then `data: csv(\"train.csv\"), x, y`, `rate: 0.1` and `epochs: 20` on lines of their own, and `}`",))], graph.source)


def overridden(graph: Graph, epochs: int | None, rate: float | None, batch: int | None, seed: int | None) -> Training:
    """What the block says, but for what is given in its place. Raises UsageError."""
    training = graph.training
    for name, value, least in (("epochs", epochs, 0), ("batch", batch, 1), ("seed", seed, 0)):
        if value is not None:
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise UsageError(f"{name}: a whole number, {least} or greater, is wanted, not {value!r}")
            training = replace(training, **{name: value})
    if rate is not None:
        if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 < rate < float("inf"):
            raise UsageError(f"rate: a number greater than 0 is wanted, not {rate!r}")
        training = replace(training, rate=graph.pool.number(float(rate)))
    return training


def watching(graph: Graph, training: Training) -> tuple[Training, int, int, float]:
    """Reports of which one is the goal or the goal negated: one is added where there is none. Also how many are the author's, and which it is."""
    for k, report in enumerate(training.reports):
        sign = as_goal(graph, report.value, training.goal)
        if sign is not None:
            return training, len(training.reports), k, sign
    pool, goal = graph.pool, training.goal
    own = Report(f"mean({goal})", pool.read(goal.name, tuple(map(pool.number, goal.element or ()))))
    return replace(training, reports=(*training.reports, own)), len(training.reports), len(training.reports), 1.0


def as_goal(graph: Graph, value: Expr, goal: Goal) -> float | None:
    """1 where an expression is the goal, −1 where it is the goal negated, also by another name."""
    sign, at = 1.0, tuple(map(graph.pool.number, goal.element or ()))
    while True:
        if type(value) is Read and value.name == goal.name and value.args == at:
            return sign
        if type(value) is Call and value.function == "neg":
            sign, value = -sign, value.args[0]
        elif type(value) is Call and value.function == "*" and type(value.args[0]) is Number and value.args[0].value in (1.0, -1.0):
            sign, value = sign * value.args[0].value, value.args[1]
        elif type(value) is Read and not value.args and len(graph.pieces.get(value.name, ())) == 1:
            value = graph.pieces[value.name][0].value
        else:
            return None


def settled(graph: Graph, training: Training, given: Mapping[str, list[float]], seed: int | None) -> Graph:
    """The graph with values from outside as its own, so that an engine needs to know of nothing else. Raises UsageError."""
    variables = dict(graph.variables)
    for name, values in given.items():
        filled = sum(len(f.elements) for f in training.feeds if f.leaf == name)
        if filled == variables[name].size:
            raise UsageError(f"`{name}` is filled by the columns of the data")
        variables[name] = replace(variables[name], initial=Initial("numbers", tuple(values)))
    return replace(graph, variables=variables, seed=graph.seed if seed is None else seed)


def check_missing(graph: Graph, training: Training, missing: list[str]) -> None:
    """Every leaf that is read has a value: the engine would have none."""
    needed = ancestors(graph, {training.goal.name, *(r.name for report in training.reports for r in reads(report.value))})
    missing = [n for n in missing if n in needed]
    if missing:
        spans = [graph.variables[n].span for n in missing]
        settings = " ".join(f"--set {n}={example(graph.variables[n])}" for n in missing)
        raise GraphError([Diagnostic("E401", ("`" + "`, `".join(missing) + "` ") + ("has" if len(missing) == 1 else "have") + " no value", spans[0], "declared without a value",
                                     tuple(Label(s, "and this one") for s in spans[1:4] if s),
                                     ("a column can fill it", f"graphlang train {graph.source.name if graph.source else 'FILE'} {settings}"))], graph.source)


def check_params(graph: Graph, training: Training, values: Mapping[str, list[float]]) -> None:
    """Raises GraphError where the params cannot be trained from where they start."""
    check_declared(graph, values)
    check_leaves(graph, values, {})
    needed = ancestors(graph, {training.goal.name})
    for v in graph.variables.values():
        if v.role != "param" or v.name not in needed:
            continue
        if v.symmetric:
            raise GraphError([Diagnostic("E414", f"`{v.name}` is declared symmetric, and would not stay so: a step changes each element by itself", v.span, "", (),
                                         ("declare it without `symmetric`", f"`({v.name} + {v.name}.T)/2` is symmetric whatever {v.name} is"))], graph.source)
        if not numpy.isfinite(values[v.name]).all():
            raise GraphError([Diagnostic("E501", f"the values that `{v.name}` starts with are not all finite", v.span, "a step would change no such value")], graph.source)


def started(graph: Graph, training: Training, values: Mapping[str, list[float]]) -> State:
    """All params where they start, and the moments of the optimiser at 0."""
    params = {n: numpy.array(values[n], dtype=float) for n, v in graph.variables.items() if v.role == "param" and n in values}
    return State(params, {m: {n: numpy.zeros_like(a) for n, a in params.items()} for m in OPTIMISERS[training.optimizer].moments})


def copied(state: State) -> State:
    return State({n: a.copy() for n, a in state.params.items()}, {m: {n: a.copy() for n, a in of.items()} for m, of in state.moments.items()}, state.steps)


def all_finite(losses, state: State) -> bool:
    return bool(numpy.isfinite(losses).all()) and all(bool(numpy.isfinite(a).all()) for a in state.params.values())
