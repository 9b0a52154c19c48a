"""What is right and wrong with a document: everything that `graphlang run` would say of it, as data with places."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable, Iterable, Mapping, NamedTuple

from graphlang.derive.reverse import Derivative, differentiate
from graphlang.diagnostics import Diagnostic, GraphError, Source, Span, without_commands
from graphlang.engines.initial import initial_values
from graphlang.given import UsageError
from graphlang.graph.goals import goals_of, sinks
from graphlang.graph.graph import Goal, Graph
from graphlang.graph.order import plan
from graphlang.lsp.reading import OpenFiles, Reading, Text, read
from graphlang.pipeline import Program, evaluate_graph, has_quizzes
from graphlang.run import NOT_JUDGED, EvaluationError, Run
from graphlang.show.numbers import number
from graphlang.show.summary import because
from graphlang.syntax import ast
from graphlang.verify.claims import judge as judge_claims
from graphlang.verify.expect import judge as judge_expectations

MOST_NUMBERS = 100_000  # elements of all variables: a larger program is read and checked, and not evaluated while it is written
CLAIM, EXPECT = "claim", "expect"  # what `graphlang explain` calls them; verdicts have no code

# What a program may well be, although a run of it needs more.
MILDER = {"E401": "note", "E402": "warning"}

TEXT, GRAPH, VALUES = "text", "graph", "values"  # how far an analysis came


class Related(NamedTuple):
    """A second place of a finding."""

    file: str
    span: Span
    text: str


class Finding(NamedTuple):
    """A diagnostic in the file that it is about; `span` and the places of `related` are those of that file's own text, while
    `diagnostic` is as it was made, but for hints that mean nothing in an editor."""

    file: str
    span: Span
    severity: str
    diagnostic: Diagnostic
    related: tuple[Related, ...] = ()

    @property
    def key(self) -> tuple[str, str, str]:
        return self.file, self.diagnostic.code, self.diagnostic.message


@dataclass(frozen=True, eq=False)
class Analysis:
    """A reading of a text and what came out of it. Without a `graph` it has mistakes; without a `run` it was not evaluated,
    and without a `derivative` there is no goal. Without a goal of its own a program is evaluated for the variable `asked`."""

    reading: Reading
    reached: str
    findings: tuple[Finding, ...] = ()
    graph: Graph | None = None
    run: Run | None = None
    derivative: Derivative | None = None
    asked: str | None = None

    @property
    def adjoints(self) -> bool:
        """Whether the goal is the program's own."""
        return self.asked is None


def analyse(text: Text, texts: Mapping[Path, str] = {}, evaluate: bool = True, reading: Reading | None = None) -> Analysis:
    """All that can be told of a document; `texts` are those of other open documents, by resolved path. Without `evaluate` only
    what needs no values."""
    made = build(text, texts, reading)
    return with_values(made) if evaluate else made


def build(text: Text, texts: Mapping[Path, str] = {}, reading: Reading | None = None) -> Analysis:
    """The graph of a document, or why it has none."""
    reading = reading or read(text, texts)
    source = Source(text.name, text.text)
    try:
        program = Program.read(source, OpenFiles.beside(text, texts), text.path)
    except GraphError as error:
        found = error.diagnostics
        if text.path is None:
            found = [d._replace(hints=("save this text as a file first; what it includes is looked for beside it",)) if d.code == "E602" else d for d in found]
        return Analysis(reading, TEXT, tuple(placed(found, error.source or source)))
    source = program.source
    found: list[Diagnostic] = []
    if has_quizzes(program.tree):
        guarded(lambda: program.quizzes, found)
    try:
        graph = program.graph
    except GraphError as error:
        known = {(d.code, d.at) for d in error.diagnostics}  # a function of the file is looked at in each quiz that reads it, too
        return Analysis(reading, GRAPH, tuple(placed((*error.diagnostics, *(d for d in found if (d.code, d.at) not in known)), error.source or source)))
    found += graph.warnings
    goals, asked = goals_or_none(graph, found)
    derivative = guarded(lambda: differentiate(graph, goals[0], plan(graph)), found) if goals else None
    return Analysis(reading, VALUES, tuple(placed(found, source)), graph, None, derivative, asked)


def with_values(made: Analysis) -> Analysis:
    """The same, evaluated, its claims and expectations judged; what has mistakes or is too large as it is."""
    graph = made.graph
    if graph is None or not (graph.dims or sum(v.size for v in graph.variables.values()) <= MOST_NUMBERS):
        return made
    found: list[Diagnostic] = []
    run = evaluated(graph, made.asked, made.derivative is not None, found)
    known = {f.key for f in made.findings}
    return replace(made, run=run, findings=(*made.findings, *(f for f in placed(found, graph.source) if f.key not in known)))


def goals_or_none(graph: Graph, found: list[Diagnostic]) -> tuple[list[Goal], str | None]:
    """The goals; without any, the name of something to ask for all the same, so that there are values."""
    try:
        return goals_of(graph, plan(graph), None), None
    except GraphError as error:
        if graph.equations and not graph.dims:  # nobody needs to be told that a program which is begun has no goal yet
            found += error.diagnostics
        names = sinks(graph) or [n for n, v in graph.variables.items() if v.role != "const"]
        return [], next((n for n in names if not graph.variables[n].ranges), "")


def guarded(work: Callable, found: list[Diagnostic]):
    """What `work` gives, or None and what is wrong."""
    try:
        return work()
    except GraphError as error:
        found += error.diagnostics
    except UsageError:
        pass  # about options, of which there are none here
    return None


def evaluated(graph: Graph, asked: str | None, differentiable: bool, found: list[Diagnostic]) -> Run | None:
    """The run as far as it went. Claims and expectations are judged after it, so that a mistake in one takes no values away."""
    run = None
    if asked or (asked is None and differentiable):
        try:
            run = evaluate_graph(replace(graph, claims=(), expectations=()), {}, goal=asked)
        except EvaluationError as error:
            found += error.diagnostics
            run = error.run
        except GraphError as error:
            found += (d for d in error.diagnostics if d.code != "E408")  # that a size is symbolic is meant
        except UsageError:
            pass
    if run is not None and run.bad is None and graph.expectations:
        found += expectations(run, graph)
    if graph.claims:
        values, missing = initial_values(graph, {}, None) if not graph.dims else ({}, ["size"])
        if run is None or run.bad is None:
            found += claims(graph, None if missing or run is None else values)
    return run


def judged(statements: tuple, judge: Callable[[tuple], Iterable], found: list[Diagnostic]) -> list[tuple]:
    """Statements with their verdicts. Those that cannot be understood are told, and the others judged all the same."""
    for _ in range(2):
        try:
            return list(zip(statements, judge(statements)))
        except GraphError as error:
            found += error.diagnostics
            wrong = [d.at for d in error.diagnostics if d.at is not None]
            left = tuple(s for s in statements if not any(s.span.start <= at.start < s.span.end for at in wrong))
            if len(left) == len(statements):
                break
            statements = left
    return []


def expectations(run: Run, graph: Graph) -> Iterable[Diagnostic]:
    own = run.graph

    def judge(some: tuple[ast.Expect, ...]):
        run.graph = replace(graph, expectations=some)
        return judge_expectations(run)

    found: list[Diagnostic] = []
    for s, e in judged(graph.expectations, judge, found):
        if e.holds is False:
            both = f": {number(e.left, 10)} on the left, {number(e.right, 10)} on the right" if e.left is not None and e.right is not None else ""
            found.append(Diagnostic(EXPECT, f"`{e.text}` fails{both}", s.span, notes=(e.note,) if e.note else ()))
        elif e.holds is None:
            found.append(Diagnostic(EXPECT, f"`{e.text}` is not judged: {e.note}", s.span, severity="note"))
    run.graph = own
    return found


def claims(graph: Graph, values) -> Iterable[Diagnostic]:
    found: list[Diagnostic] = []
    for s, v in judged(graph.claims, lambda some: judge_claims(replace(graph, claims=some), values), found):
        why = because(v)
        if not v.ok:
            found.append(Diagnostic(CLAIM, f"`{v.text}`: {v.verdict}" + (f"; {why}" if why else ""), s.span))
        elif v.verdict == NOT_JUDGED:
            found.append(Diagnostic(CLAIM, f"`{v.text}`: {v.verdict}" + (f"; {why}" if why else ""), s.span, severity="note"))
    return found


def placed(diagnostics: Iterable[Diagnostic], source: Source) -> Iterable[Finding]:
    """Each diagnostic at its place; one without a place at the beginning of the program."""
    for d in diagnostics:
        if d.at is None:
            file, at = source.parts[0].file if source.parts else source, Span(0, 0)
        else:
            file, at = source.origin(d.at)
        related = tuple(Related(f.name, where, label.text) for label in d.labels for f, where in [source.origin(label.span)])
        shown = d._replace(hints=tuple(filter(None, map(without_commands, d.hints))))
        yield Finding(file.name, at, MILDER.get(d.code, d.severity) if d.severity == "error" else d.severity, shown, related)
