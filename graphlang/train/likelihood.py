"""A log-likelihood that is descended: the lecture's J has no minus sign, and its algorithm goes down."""

from __future__ import annotations

from graphlang.diagnostics import Diagnostic
from graphlang.graph.expressions import Call, Reduce, postorder
from graphlang.graph.graph import ancestors
from graphlang.syntax import ast
from graphlang.train.job import Job

LOGARITHMS = {"log", "log2", "log10", "log1p", "log_sigmoid", "log_softmax", "xlogy", "logsumexp", "logaddexp"}


def descended(job: Job) -> Diagnostic | None:
    """A warning where the goal is minimised, is made of logarithms, and is negative at every example before the first step."""
    goal = job.training.goal
    if goal.kind != "minimize" or not logarithm(job):
        return None
    for start in range(0, job.train.count, 1024):
        values = job.sign * job.stepper.values(job.state.params, job.train.part(start, start + 1024))[job.watched]
        if not (values <= 0).all() or not (values < 0).any():
            return None
    at = next((s.span for s in job.program.tree.statements if type(s) is ast.Goal and s.kind == "minimize"), None)
    return Diagnostic("W401", f"`minimize {goal}` goes down what looks like a log-likelihood, so the fit gets worse", at,
                      f"`{goal}` has a `{logarithm(job)}` in it and is negative at each of the {job.train.count} examples", (),
                      (f"`maximize {goal}`", f"or a minus sign: `{goal} = -(…)`"), severity="warning")


def logarithm(job: Job) -> str | None:
    """The first one that the goal is made of."""
    needed = ancestors(job.graph, {job.training.goal.name})
    for e in job.graph.equations:
        if e.target in needed:
            for node in postorder(e.value):
                name = node.function if type(node) is Call else node.function if type(node) is Reduce else None
                if name in LOGARITHMS:
                    return name
    return None
