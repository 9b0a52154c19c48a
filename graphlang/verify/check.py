"""Everything about a program that can be verified without showing it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Mapping

from graphlang.diagnostics import Diagnostic, GraphError, Source
from graphlang.engines.initial import initial_values
from graphlang.graph.graph import Graph
from graphlang.pipeline import Program, evaluate_graph, has_quizzes, is_program
from graphlang.run import Expectation, Run, Verdict
from graphlang.verify.claims import judge
from graphlang.verify.gradients import AGREE, DISAGREE, Checked, check_gradients

MOST_ELEMENTS = 1_000_000  # of a program; in a larger one gradients are not looked at
MOST_WORK = 20_000_000  # elements of a program times variables: more would take minutes, and leaves are checked only


@dataclass
class Report:
    """What was verified of one program. `unset`: leaves that have no value, so that nothing was evaluated."""

    file: str
    source: Source | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    claims: tuple[Verdict, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    gradients: list[Checked] = field(default_factory=list)
    conventions: tuple[Mapping, ...] = ()
    unset: tuple[str, ...] = ()
    skipped: int = 0
    quizzes: int = 0

    @property
    def errors(self) -> list[Diagnostic]:
        return [d for d in self.diagnostics if d.severity == "error"]

    @property
    def ok(self) -> bool:
        return not (self.errors or any(not v.ok for v in self.claims) or any(e.holds is False for e in self.expectations)
                    or any(g.verdict == DISAGREE for g in self.gradients))


def check(file: str, load: Callable[[], Program], given: Mapping[str, object] = {}, progress: Callable[[str], None] = lambda text: None) -> Report:
    """Verify a program. `load` reads it; what is wrong with it becomes part of the report."""
    report = Report(file)
    try:
        program = load()
        report.source = program.source
        if has_quizzes(program.tree):
            report.quizzes = len(program.quizzes[0])
            if not is_program(program.tree):
                return report
        graph, given = program.with_consts(given)
        report.unset = graph.dims or tuple(n for n in initial_values(graph, {}, None)[1] if n not in given)
        if report.unset:
            report.diagnostics = graph.warnings
            report.claims = tuple(judge(graph, None))
            return report
        run = evaluate_graph(graph, given)
        report.diagnostics, report.claims, report.expectations, report.conventions = run.diagnostics, run.claims, run.expectations, run.conventions
        names = chosen(run, graph)
        report.skipped = sum(len(p.derivative.variables) for p in run.passes) - len(run.passes) * len(names) if names is not None else 0
        for found in check_gradients(run, names):
            progress(found.name)
            report.gradients.append(found)
    except GraphError as e:
        report.source = e.source or report.source
        report.diagnostics += e.diagnostics
    return report


def chosen(run: Run, graph: Graph) -> tuple[str, ...] | None:
    """None for all variables; in a large program those that are trained or given only."""
    size = sum(v.size for v in graph.variables.values())
    if size > MOST_ELEMENTS:
        return ()
    if size * len(graph.variables) * len(run.passes) <= MOST_WORK / 100:
        return None
    return tuple(n for n, v in graph.variables.items() if v.role in ("param", "input"))[:20]


def summary(report: Report) -> str:
    """What was found, in one line."""
    if report.errors:
        n = len(report.errors)
        return f"{n} error{'s' if n > 1 else ''}: {report.errors[0].code} {report.errors[0].message}"
    parts = []
    if report.gradients:
        counts: dict[str, int] = {}
        for g in report.gradients:
            counts[g.verdict] = counts.get(g.verdict, 0) + 1
        total = counts.pop(AGREE, 0)
        parts.append(f"{total} gradient{'' if total == 1 else 's'} agree" + ("s" if total == 1 else ""))
        parts += [f"{n} {verdict}" for verdict, n in counts.items()]
    if report.claims:
        held = sum(v.verdict == "holds" for v in report.claims)
        parts.append(f"{held} of {len(report.claims)} claims hold")
    if report.expectations:
        held = sum(e.holds is not False for e in report.expectations)
        parts.append(f"{held} of {len(report.expectations)} expectations met")
    if report.unset:
        parts.append(f"no values for {', '.join(report.unset[:4])}{' …' if len(report.unset) > 4 else ''}: formulas only")
    if report.quizzes:
        parts.append(f"{report.quizzes} quiz{'zes' if report.quizzes > 1 else ''} read")
    if report.skipped:
        parts.append(f"{report.skipped} gradients not looked at")
    warnings = sum(d.severity == "warning" for d in report.diagnostics)
    if warnings:
        parts.append(f"{warnings} warning{'s' if warnings > 1 else ''}")
    return ", ".join(parts) or "nothing to verify"
