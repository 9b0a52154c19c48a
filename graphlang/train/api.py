"""`program.train(…)`: training from Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable, Mapping

from graphlang.given import UsageError, flat
from graphlang.run import nest
from graphlang.syntax.names import canonical
from graphlang.train.events import Epoch, Event, Stopped, Warned
from graphlang.train.job import prepare
from graphlang.train.loop import epochs as walk

if TYPE_CHECKING:
    from graphlang.pipeline import Program


@dataclass(frozen=True, repr=False)
class Trained:
    """`params`: as nested lists, by the program's names, as `run(set=…)` takes them. `history`: the reports of all epochs, `reports` what each of
    their numbers is. `warnings`: what a front would show."""

    params: dict[str, object]
    history: tuple[Epoch, ...]
    reports: tuple[str, ...]
    engine: str
    stopped: str
    warnings: tuple

    def __repr__(self) -> str:
        last = self.history[-1]
        shown = ", ".join(f"{r} = {x:.6g}" for r, x in zip(self.reports, last.train))
        return f"<trained for {last.epoch} epochs, {last.step} steps, by {self.engine}: {shown}>"


def train(program: "Program", engine: str = "auto", *, set: Mapping[str, object] | None = None, epochs: int | None = None, rate: float | None = None,
          batch: int | None = None, seed: int | None = None, init: "Trained | Mapping[str, object] | None" = None,
          on_event: Callable[[Event], None] | None = None, **options) -> Trained:
    """See `Program.train`."""
    graph = program.graph
    start = {}
    for name, value in (init.params if isinstance(init, Trained) else init or {}).items():
        name = canonical(name)
        if name not in graph.variables or graph.variables[name].role != "param":
            raise UsageError(f"init: `{name}` is no param of the program")
        start[name] = flat(graph, name, value)
    job = prepare(program, engine, {canonical(n): v for n, v in (set or {}).items()}, epochs, rate, batch, seed, start, **options)
    warnings, reason = list(job.graph.warnings), ""
    for event in walk(job):
        if type(event) is Warned:
            warnings.append(event.diagnostic)
        elif type(event) is Stopped:
            reason = event.reason
        if on_event is not None:
            on_event(event)
    params = {n: nest(a.tolist(), job.graph.variables[n].ranges) for n, a in job.state.params.items()}
    reports = tuple(r.text for r in job.training.reports[: job.shown])
    history = tuple(e._replace(train=e.train[: job.shown], test=None if e.test is None else e.test[: job.shown]) for e in job.history)
    return Trained(params, history, reports, job.stepper.engine, reason, tuple(warnings))
