"""How a training is shown: a table that grows, with a progress bar below it on a terminal; or one JSON document a line."""

from __future__ import annotations

import json
import signal
import sys
from contextlib import contextmanager
from typing import Callable, Iterator, Sequence

from graphlang.cli.programs import tell
from graphlang.diagnostics import Diagnostic, GraphError
from graphlang.graph.spell import formula
from graphlang.run import nest
from graphlang.show.cells import Texts
from graphlang.show.console import Paper, Signs, can_show, clean, console
from graphlang.show.document import finite
from graphlang.show.numbers import EXACT, MOST_ENTRIES, table
from graphlang.show.records import as_json
from graphlang.syntax.format import SOURCE
from graphlang.train.curve import Series, curve
from graphlang.train.events import Epoch, Event, Kept, Steps, Stopped, Warned
from graphlang.train.job import Job

MOST_IN_JSON = 1000  # numbers of all params together, up to which the last line has them
WIDEST_CURVE = 100


class Interrupt:
    """Ctrl-C is a question that is asked between steps; a second one ends at once."""

    def __init__(self):
        self.count = 0

    def asked(self) -> bool:
        return self.count > 0

    def __enter__(self) -> "Interrupt":
        def note(number, frame):
            self.count += 1
            if self.count > 1:
                raise KeyboardInterrupt

        try:
            self.before = signal.signal(signal.SIGINT, note)
        except ValueError:  # not in the main thread, which alone hears of it
            self.before = None
        return self

    def __exit__(self, *error) -> None:
        if self.before is not None:
            signal.signal(signal.SIGINT, self.before)


@contextmanager
def front(options, job: Job) -> Iterator[Callable[[Event], None]]:
    """What is called with each record."""
    if options.json:
        lines = JsonLines(options, job)
        lines.start()
        yield lines.event
        return
    page = console(plain=options.plain)
    page.on_broken_pipe = reader_gone
    shown = Lines(options, job, page)
    if options.quiet or options.plain or not page.is_terminal or page.is_dumb_terminal:
        shown.start()
        yield shown.event
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    shown.start()
    columns = (TextColumn(" {task.description}", markup=False), BarColumn(bar_width=30), TextColumn("{task.completed:.0f}/{task.total:.0f} steps", markup=False), TimeRemainingColumn())
    with Progress(*columns, console=page, transient=True, redirect_stdout=False, redirect_stderr=False) as progress:
        total = job.steps * job.training.epochs
        task = progress.add_task("", total=total, completed=job.state.steps)

        def event(e: Event) -> None:
            if type(e) is Steps:
                progress.update(task, completed=e.step, description=f"epoch {e.epoch}/{job.training.epochs}, {job.training.goal} {e.loss:.4g}")
            else:
                if type(e) in (Stopped, Warned):
                    progress.stop()
                shown.event(e)
                if type(e) is Warned:
                    progress.start()

        yield event


def reader_gone() -> None:
    """Rich would end with exit status 1; a closed pipe is no mistake."""
    raise BrokenPipeError


class Lines:
    """A table with a line for each epoch, then the params."""

    def __init__(self, options, job: Job, page):
        self.options, self.job, self.page = options, job, page
        self.texts = Texts(job.graph, options.ascii)
        self.reports = [clean(r.text) for r in job.training.reports[: job.shown]]
        self.sets = 1 if job.test is None else 2
        self.widths = [max(len(r), options.digits + 3, 8) for r in self.reports]

    def write(self, *lines: str, style: str = "") -> None:
        if self.options.quiet:
            return
        paper = Paper(self.page)
        for line in lines:
            paper.line((clean(line), style))
        paper.flush()
        self.page.file.flush()

    def start(self) -> None:
        warn(self.job.graph.warnings, self.options, self.job)
        self.write(headline(self.job))
        group = sum(self.widths) + 2 * (len(self.widths) - 1)
        heads = [name.rjust(self.widths[0]).ljust(group) for name in ("train", "test")[: self.sets]]
        self.write("       " + "  " + "  ".join(heads), " epoch  " + "  ".join([r.rjust(w) for r, w in zip(self.reports, self.widths)] * self.sets), style="bold")
        for e in self.job.history:  # of a training that is resumed
            self.epoch(e)

    def epoch(self, e: Epoch) -> None:
        numbers = (*e.train[: self.job.shown], *(e.test or ())[: self.job.shown])
        self.write(f"{e.epoch:6}  " + "  ".join(f"{x:#.{self.options.digits}g}".rjust(w) for x, w in zip(numbers, self.widths * 2)))

    def event(self, e: Event) -> None:
        match e:
            case Epoch():
                self.epoch(e)
            case Warned(diagnostic):
                warn((diagnostic,), self.options, self.job)
            case Stopped():
                self.stopped(e)

    def stopped(self, e: Stopped) -> None:
        job, options = self.job, self.options
        if len(job.history) > 1 and (options.curve or self.page.is_terminal and not options.plain):
            ascii = options.ascii or options.plain or not can_show(self.page, "●○┤└─")
            series = [Series("train", [h.train[0] for h in job.history])] + ([Series("test", [h.test[0] for h in job.history])] if job.test is not None else [])
            self.write("", f" {self.reports[0]} over the epochs", *curve([h.epoch for h in job.history], series, min(self.page.width, WIDEST_CURVE), options.digits, ascii))
        self.write("")
        if said := because(job, e):
            self.write(f" {said}", "")
        dots = Signs(options.ascii).dots
        for name, a in job.state.params.items():
            extents = [r.extent for r in job.graph.variables[name].ranges]
            value = table(a.tolist(), extents, max(EXACT, options.digits), False, dots) if a.size <= MOST_ENTRIES else f"{'×'.join(map(str, extents))} numbers"
            self.write(f" {self.texts.name(name)} = {value}")
        for option in ("save", "checkpoint", "plot"):
            if getattr(options, option) is not None:
                self.write(f" {'params' if option == 'save' else option} in {getattr(options, option)}")


class JsonLines:
    """One document a line. Numbers read back to the same float64."""

    def __init__(self, options, job: Job):
        self.options, self.job = options, job

    def write(self, event: str, **rest) -> None:
        if not self.options.quiet:
            print(line({"event": event, **rest}), flush=True)

    def start(self) -> None:
        job, t = self.job, self.job.training
        self.write("start", file=job.program.source.name, engine=job.stepper.engine, goal={"kind": t.goal.kind, "name": str(t.goal)}, examples=job.train.count,
                   test_examples=None if job.test is None else job.test.count, params={n: [r.extent for r in job.graph.variables[n].ranges] for n in job.state.params},
                   optimizer=t.optimizer, batch=t.batch, shuffle=t.shuffle, seed=t.seed, epochs=t.epochs, steps_per_epoch=job.steps, step=job.state.steps)
        for d in job.graph.warnings:
            self.warning(d)

    def warning(self, d: Diagnostic) -> None:
        self.write("warning", **as_json((d,), self.job.graph.source)[0])

    def event(self, e: Event) -> None:
        job = self.job
        match e:
            case Epoch():
                names = [r.text for r in job.training.reports[: job.shown]]
                self.write("epoch", epoch=e.epoch, step=e.step, rate=e.rate, train=dict(zip(names, e.train)), test=None if e.test is None else dict(zip(names, e.test)))
            case Warned(diagnostic):
                self.warning(diagnostic)
            case Kept():
                self.write("checkpoint", file=e.path, step=e.step)
            case Stopped():
                few = sum(a.size for a in job.state.params.values()) <= MOST_IN_JSON
                params = {n: nest(a.tolist(), job.graph.variables[n].ranges) for n, a in job.state.params.items()} if few else None
                self.write("stop", reason=e.reason, epoch=e.epoch, step=e.step, best_epoch=e.best, saved=self.options.save, params=params)


def headline(job: Job) -> str:
    t, sets = job.training, f"{job.train.count:,} example{'s' * (job.train.count != 1)} in {job.train.file}"
    if job.test is not None:
        sets += f", {job.test.count:,} in {job.test.file}"
    count = sum(a.size for a in job.state.params.values())
    begun = f"; resumed at step {job.state.steps}" if job.state.steps else ""
    return (f"{job.program.source.name}: {sets}; {count:,} param{'s' * (count != 1)}; {t.optimizer}, batch {t.batch}, rate {formula(t.rate, SOURCE)}; "
            f"engine {job.stepper.engine}{begun}")


def because(job: Job, e: Stopped) -> str:
    """Why it ended, where it is not that all epochs are done."""
    if e.reason == "interrupted":
        return f"interrupted in epoch {job.epoch}, after step {e.step}"
    if e.reason == "patience":
        return f"stopped after epoch {e.epoch}: the mean of {job.training.goal} over the {'training' if job.test is None else 'test'} set was best in epoch {e.best}"
    return ""


def warn(diagnostics: Sequence[Diagnostic], options, job: Job) -> None:
    if diagnostics:
        sys.stdout.flush()
        tell(GraphError(diagnostics, job.graph.source), options.error_format, options.file, False, options.plain)


def error_line(error: GraphError) -> str:
    return line({"event": "error", "diagnostics": as_json(error.diagnostics, error.source)})


def line(data: dict) -> str:
    return json.dumps(finite(data), ensure_ascii=False, allow_nan=False)


def shown_lines(lines: Sequence[str], plain: bool) -> None:
    paper = Paper(console(plain=plain))
    for text in lines:
        paper.line(clean(text))
    paper.flush()
