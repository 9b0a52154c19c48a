"""What a compiled engine computed, as a person reads it and as JSON: goals and gradients, no steps."""

from __future__ import annotations

from typing import Iterator, Mapping, NamedTuple

from rich.console import Console

import graphlang
from graphlang.graph.derived import derivative_name
from graphlang.graph.graph import Goal
from graphlang.run import Run
from graphlang.show.console import Line, breadth
from graphlang.show.document import derivatives
from graphlang.show.numbers import EXACT, number
from graphlang.show.records import as_json
from graphlang.show.summary import given, gradients, second, wrapped
from graphlang.show.tables import Options, Sheet, file_name


class Result(NamedTuple):
    """A goal, its value, and its derivative by each variable that was asked for, flat."""

    goal: Goal
    value: float
    gradients: Mapping[str, list[float]]


class Computed(NamedTuple):
    """`run` has the values of the leaves, the second derivatives and the notes; nothing else was kept."""

    run: Run
    engine: str
    results: tuple[Result, ...]


def show_computed(computed: Computed, console: Console, options: Options) -> None:
    sheet = Sheet(computed.run, console, options)
    found = list(lines(computed, sheet))
    sheet.title(file_name(computed.run.graph), max(24, max((breadth("".join(text for text, _ in line)) for line in found), default=0) + 1))
    sheet.paper.lines(found)
    sheet.paper.line("")
    sheet.paper.lines(wrapped(f" computed by {engines(computed.engine)}; without --engine every step is shown", sheet.width))
    for note in computed.run.notes:
        sheet.paper.lines(wrapped(f" note: {note}", sheet.width))
    sheet.paper.flush()


def engines(names: str) -> str:
    """`python, numpy`: with `auto` each goal has the engine that suits it."""
    each = [f"`{n}`" for n in names.split(", ")]
    return f"the engine {each[0]}" if len(each) == 1 else f"the engines {' and '.join(each)}"


def lines(computed: Computed, sheet: Sheet) -> Iterator[Line]:
    run, options, texts, pool = computed.run, sheet.options, sheet.texts, computed.run.graph.pool
    width, dots = sheet.width, sheet.signs.dots
    yield from given(run, texts, options, width, dots)
    for goal, value, found in computed.results:
        at = tuple(map(pool.number, goal.element or ()))
        yield from wrapped(f" {texts.expression(pool.read(goal.name, at))} = {number(value, max(EXACT, options.digits))}", width, "bold")
        adjoints = {n: pool.read(derivative_name(pool, goal.name, n, goal.element)) for n in found}
        yield from gradients(run, [(texts.expression(adjoints[n]), n, flat) for n, flat in found.items()], options, width, dots)
    yield from second(run, texts, options, width, dots)


def document(computed: Computed) -> dict:
    """The same as data, with the keys of the document of a run."""
    run, first = computed.run, computed.results[0]
    out = {"graphlang": graphlang.__version__, "file": run.graph.source.name if run.graph.source else None, "engine": computed.engine, "goal": str(first.goal),
           "values": {str(r.goal): r.value for r in computed.results}, "adjoints": adjoints(run, first)}
    if len(computed.results) > 1:
        out["goals"] = {str(r.goal): {"adjoints": adjoints(run, r)} for r in computed.results}
    if run.derivatives:
        out["derivatives"] = derivatives(run)
    return out | {"notes": list(run.notes), "diagnostics": as_json(run.diagnostics, run.graph.source)}


def adjoints(run: Run, result: Result) -> dict:
    return {n: run.nested(n, flat) for n, flat in result.gradients.items()}
