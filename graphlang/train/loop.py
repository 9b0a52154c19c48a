"""Algorithm 1 of the lecture: epochs of steps, and a report after each."""

from __future__ import annotations

import math
import time
from typing import Callable, Iterator

import numpy

from graphlang.train.cause import bad_report, bad_step
from graphlang.train.checkpoint import Checkpoint
from graphlang.train.events import Epoch, Event, Kept, Steps, Stopped, Warned
from graphlang.train.examples import Examples
from graphlang.train.job import Job, all_finite, copied
from graphlang.train.likelihood import descended

CALL = 0.07     # seconds that one call of the engine should take: between two of them there is time for everything else
GROWTH = 8      # the most by which a chunk of steps grows: the first call may have compiled something
REPORTED = 1024  # examples whose reports are worked out in one call


class Pace:
    """How many steps are done in one call."""

    def __init__(self, agreed: Callable[[float], float] = float):
        self.steps, self.agreed = 1, agreed

    def took(self, steps: int, seconds: float) -> None:
        seconds = self.agreed(seconds)
        if steps >= self.steps or seconds > CALL:
            wanted = steps * min(GROWTH, CALL / max(seconds, 1e-6))
            self.steps = 1 << max(0, int(math.log2(max(wanted, 1))))  # powers of two: an engine may compile for each number of steps


def epochs(job: Job, checkpoint: Checkpoint | None = None, stop: Callable[[], bool] = lambda: False) -> Iterator[Event]:
    """Train from where the job is to its last epoch; `stop` is asked between steps. Every record is given out after what it says is done.
    Raises GraphError where a value is not finite; the state is then that before the step."""
    agreed = getattr(job.stepper, "agreed", float)  # several processes decide alike: all stop where one is asked to
    pace, asked = Pace(agreed), stop
    stop = lambda: bool(agreed(asked()))
    if not job.history:
        first = reported(job, 0, None, stop)
        if first is not None:
            yield first
            warning = descended(job)
            if warning is not None:
                yield Warned(warning)
    while job.epoch <= job.training.epochs and job.history and not waited(job):
        yield from steps(job, pace, checkpoint, stop)
        if job.done == job.steps:
            report = reported(job, job.epoch, job.rate(job.epoch), stop)
            if report is not None:
                job.epoch, job.done = job.epoch + 1, 0
                yield report
                if checkpoint is not None and checkpoint.every is None:
                    yield Kept(checkpoint.write(job), job.state.steps)
        if stop():
            break
    finished = job.epoch > job.training.epochs and bool(job.history)
    if checkpoint is not None and checkpoint.step != (job.epoch, job.done):
        yield Kept(checkpoint.write(job), job.state.steps)
    reason = "epochs" if finished else "patience" if job.history and waited(job) else "interrupted"
    yield Stopped(reason, job.epoch - 1, job.state.steps, job.best)


def waited(job: Job) -> bool:
    """Whether so many epochs have brought nothing that patience is over."""
    return job.training.patience is not None and job.history[-1].epoch - job.best >= job.training.patience


def steps(job: Job, pace: Pace, checkpoint: Checkpoint | None, stop: Callable[[], bool]) -> Iterator[Event]:
    """The steps of an epoch that are left."""
    order, rate, batch = job.order(job.epoch), job.rate(job.epoch), job.training.batch
    every = checkpoint.every if checkpoint is not None else None
    while job.done < job.steps and not stop():
        n = min(pace.steps, job.steps - job.done)
        if every is not None:
            n = min(n, every - job.state.steps % every)
        rows = order[job.done * batch : (job.done + n) * batch]
        before = copied(job.state)
        begun = time.perf_counter()
        losses = job.stepper.run(job.state, job.train.arrays, rows, batch, rate)
        pace.took(n, time.perf_counter() - begun)
        if not all_finite(losses, job.state):
            job.state = before
            raise bad_step(job, rows, rate)
        job.done += n
        yield Steps(job.epoch, job.state.steps, job.done, job.steps, math.fsum(losses) / len(losses))
        if every is not None and job.state.steps % every == 0:
            yield Kept(checkpoint.write(job), job.state.steps)


def reported(job: Job, epoch: int, rate: float | None, stop: Callable[[], bool]) -> Epoch | None:
    """The means over both sets, which become a part of the history; None where it was stopped before."""
    train = means(job, job.train, stop)
    test = means(job, job.test, stop) if job.test is not None and train is not None else None
    if train is None or job.test is not None and test is None:
        return None
    report = Epoch(epoch, job.state.steps, rate, train, test)
    job.note(report)
    return report


def means(job: Job, examples: Examples, stop: Callable[[], bool]) -> tuple[float, ...] | None:
    """The mean of each report over a set: the sum is exact before it is rounded, so it does not depend on how the set was cut. Raises GraphError."""
    parts = []
    for start in range(0, examples.count, REPORTED):
        if start and stop():
            return None
        parts.append(job.stepper.values(job.state.params, examples.part(start, start + REPORTED)))
        if not numpy.isfinite(parts[-1]).all():
            raise bad_report(job, examples, parts[-1], start)
    return tuple(math.fsum(x for p in parts for x in p[k].tolist()) / examples.count for k in range(len(job.training.reports)))
