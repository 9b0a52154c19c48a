"""Why training stopped at a number that is not finite: in which step, at which example, in which equation, by which operand."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Mapping

import numpy

from graphlang.diagnostics import Diagnostic, GraphError
from graphlang.engines.stepping import with_reports
from graphlang.graph.graph import Goal, Graph, ancestors
from graphlang.pipeline import run_graph
from graphlang.train.examples import Examples
from graphlang.train.job import Job, all_finite, copied

LOWER = "a lower rate makes smaller steps: `rate: {:.3g}`, or `--rate {:.3g}`"
MOST_TRIED = 2000  # examples of one batch that the reference engine is asked about


def bad_step(job: Job, rows, rate: float) -> GraphError:
    """The error for some steps of which one gives a number that is not finite; the job is before the first of them, and then before that one."""
    batch = job.training.batch
    for first in range(0, len(rows), batch):
        part = rows[first : first + batch]
        before = copied(job.state)
        losses = job.stepper.run(job.state, job.train.arrays, part, batch, rate)
        if not all_finite(losses, job.state):
            after, job.state = job.state, before
            return GraphError([told(job, part, rate, float(losses[-1]), after)], job.graph.source)
        job.done += 1
    # all steps at once were not finite, one by one they are: an engine may add in another order
    return GraphError([Diagnostic("E502", f"training stopped in epoch {job.epoch}: a number became too large for a float64", job.training.span, hints=(lower(rate),))], job.graph.source)


def told(job: Job, rows, rate: float, loss: float, after) -> Diagnostic:
    step = f"training stopped at step {job.state.steps + 1}, in epoch {job.epoch}: "
    goal = job.training.goal
    for row in rows.tolist()[:MOST_TRIED]:
        d = judged(job.graph, goal, values_at(job, job.train, row))
        if d is not None:
            where = (f"at the example in {job.train.place(row)}" if len(rows) > 1 else f"the example is in {job.train.place(row)}", filled(job, job.train, row))
            return d._replace(message=step + d.message, notes=(*d.notes, *where), hints=(*without_ieee(d), *((lower(rate),) if job.state.steps else ())))
    name = next((n for n, a in after.params.items() if not numpy.isfinite(a).all()), None)
    if name is not None:
        v, k = job.graph.variables[name], int(numpy.flatnonzero(~numpy.isfinite(after.params[name]))[0])
        return Diagnostic("E502", f"{step}the update makes `{name}` too large for a float64", v.span, f"{'' if not v.ranges else f'element {k + 1} of {v.size}: '}{job.state.params[name][k]:.6g} before",
                          (), (lower(rate),), (f"the values and the derivatives at {job.train.place(int(rows[0]))} are finite", f"`{goal}` = {loss:.6g}"))
    return Diagnostic("E502", f"{step}the mean of `{goal}` over the batch is too large for a float64", job.training.span, "", (), (lower(rate),))


def bad_report(job: Job, examples: Examples, values, start: int) -> GraphError:
    """The error for reports of some examples, from `start` on, that are not all finite."""
    k, at = (int(i) for i in numpy.argwhere(~numpy.isfinite(values))[0])
    row, report = start + at, job.training.reports[k]
    which = "training set" if examples is job.train else "test set"
    when = "before training" if not job.state.steps else f"after epoch {job.epoch}"
    head = f"{when}, `{report.text}` over the {which} is not finite: "
    graph, names = with_reports(job.graph, job.training)
    name = names[k]
    d = judged(graph, Goal("output", name), values_at(job, examples, row), name)
    notes = (f"the example is in {examples.place(row)}", filled(job, examples, row))
    hints = (lower(job.rate(job.epoch)),) if job.state.steps else ()
    if d is None:
        return GraphError([Diagnostic("E501", f"{head}its value is {values[k, at]:g} at one example", report.span, "", (), hints, notes)], job.graph.source)
    return GraphError([d._replace(message=head + (d.message.replace(f"`{name}`", f"`{report.text}`") if name not in job.graph.variables else d.message), notes=(*d.notes, *notes), hints=(*without_ieee(d), *hints))], job.graph.source)


def judged(graph: Graph, goal: Goal, values: Mapping[str, list[float]], only: str | None = None) -> Diagnostic | None:
    """What the reference engine finds: the first value or adjoint that is not finite, of what `goal`, or `only`, is made of."""
    needed = ancestors(graph, {only or goal.name})
    equations = tuple(e for e in graph.equations if e.target in needed)
    variables = {n: v for n, v in graph.variables.items() if n in needed or v.role == "const"}
    part = replace(graph, variables=variables, equations=equations, goals=(goal,), expectations=(), claims=(), pieces={}, plans=[])
    try:
        run = run_graph(part, {n: list(v) for n, v in values.items() if n in variables}, (), (goal,))
    except GraphError as e:
        return e.diagnostics[0]
    return None if math.isfinite(run.flat[goal.name][0]) else Diagnostic("E501", f"`{goal}` is {run.flat[goal.name][0]:g}", None)


def values_at(job: Job, examples: Examples, row: int) -> dict[str, list[float]]:
    return {**job.values, **{n: a.tolist() for n, a in job.state.params.items()}, **examples.at(row)}


MOST_SHOWN = 4


def filled(job: Job, examples: Examples, row: int) -> str:
    """The numbers of an example as they were read: `x[1]` = 0.5, `ystar` = 1, …"""
    pairs = [(n, examples.arrays[f.leaf][row, k]) for f in job.training.feeds for n, k in zip(f.names, f.elements)]
    shown = pairs if len(pairs) <= MOST_SHOWN else [*pairs[: MOST_SHOWN - 1], pairs[-1]]
    texts = [f"{n} = {x:.6g}" for n, x in shown]
    if len(shown) < len(pairs):
        texts.insert(MOST_SHOWN - 1, "…")
    return "it has " + ", ".join(texts)


def without_ieee(d: Diagnostic) -> tuple[str, ...]:
    return tuple(h for h in d.hints if "--ieee" not in h)


def lower(rate: float) -> str:
    return LOWER.format(rate / 10, rate / 10)
