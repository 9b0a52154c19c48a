"""`graphlang run --engine E`: goals and gradients by a compiled engine, without the steps."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import groupby
from typing import Mapping, NoReturn, Sequence

from graphlang.cli.programs import read, tell
from graphlang.compiled import ARRAYS, available, compile_program
from graphlang.diagnostics import Diagnostic, GraphError
from graphlang.given import UsageError, names, settings
from graphlang.graph.derived import derivative_name
from graphlang.graph.graph import Box, Goal, Graph, Initial, Range, ancestors
from graphlang.graph.order import plan
from graphlang.pipeline import Program, check_numbers, check_wrt, goals_in_view, leaf_values, summary
from graphlang.run import EvaluationError, Run, offsets
from graphlang.show.computed import Computed, Result, document, engines, show_computed
from graphlang.syntax.names import canonical

STEPS = ("mode", "steps", "scalar", "expand", "raw", "order", "reveal")  # what is shown of steps
EXACT = ("exact", "precision")


def run_by_engine(options) -> int:
    """Exit status 1 where a number is not finite. Raises UsageError, GraphError."""
    refuse(options)
    program = read(options.file, options.allow_path)
    given = {canonical(n): v for n, v in settings(options.set).items()}
    graph, rest = program.with_consts(given)
    check_numbers(graph)
    wrt = tuple(dict.fromkeys(canonical(n) for n in names(options.wrt)))
    check_wrt(graph, wrt)
    wrt = wrt or summary(graph)
    values = leaf_values(graph, rest, options.seed, options.ieee)
    goals = goals_in_view(graph, graph, options.goal)
    computed = compute(graph, values, wrt, goals, options)
    bad = next((r for r in computed.results if not all(map(math.isfinite, [r.value, *(x for flat in r.gradients.values() for x in flat)]))), None)
    if bad is not None and not options.ieee:
        stop(program, given, wrt, bad, computed, options)
    if options.json:
        from graphlang.show.document import dumps

        print(dumps(document(computed)))
        return 0
    from graphlang.show.console import console
    from graphlang.show.tables import Options

    show_computed(computed, console(plain=options.plain), Options(digits=options.digits, all=options.all, ascii=options.ascii, plain=options.plain))
    if graph.warnings:
        tell(GraphError(graph.warnings, graph.source), options.error_format, options.file, False, options.plain)
    return 0


def refuse(options) -> None:
    """Raise UsageError for options that a compiled engine cannot follow."""
    for name in STEPS:
        if getattr(options, name):
            raise UsageError(f"--{name} is about the steps of a run, and --engine computes without them: leave one of the two out")
    for name in EXACT:
        if getattr(options, name) not in (False, None):
            raise UsageError(f"--{name} is ball arithmetic, and compiled engines compute in float64: leave --engine out")
    if options.watch:
        raise UsageError("--watch shows the steps again at every save, and --engine computes without them: leave one of the two out")


def compute(graph: Graph, values: Mapping[str, list[float]], wrt: Sequence[str], goals: Sequence[Goal], options) -> Computed:
    run = Run(graph, plan(graph), dict(values), (), diagnostics=graph.warnings, ieee=options.ieee, wrt=tuple(wrt))
    own = {n: replace(v, initial=Initial("numbers", tuple(values[n]))) if v.is_leaf and v.role != "const" else v for n, v in graph.variables.items()}
    fixed = replace(graph, variables=own)  # leaves that start with these values
    results, made_by = [], []
    for name, same in groupby(goals, lambda g: g.name):
        found, used, functions = several(fixed, name, list(same), wrt, values, options.engine)
        results += found
        made_by.append(used)
        if options.jacobian:
            from graphlang.compiled_arrays import of_whole  # and NumPy

            _, whole = of_whole(fixed, name, wrt, values, used)
            run.derivatives |= {derivative_name(graph.pool, name, x): (flat, (*graph.variables[x].ranges, *graph.variables[name].ranges)) for x, flat in whole.items()}
        for r in found if options.hessian else ():
            f = functions.get(r.goal) or compile_program(fixed, wrt, used, str(r.goal))
            for x, row in f.hessian().items():
                first = derivative_name(graph.pool, name, x, r.goal.element)
                run.derivatives |= {derivative_name(graph.pool, first, z): table(value, (*graph.variables[z].ranges, *graph.variables[x].ranges)) for z, value in row.items()}
    run.notes = tuple(notes(graph, wrt, goals))
    return Computed(run, ", ".join(dict.fromkeys(made_by)), tuple(results))


def several(graph: Graph, name: str, goals: Sequence[Goal], wrt: Sequence[str], values: Mapping[str, list[float]], engine: str) -> tuple[list[Result], str, dict]:
    """The results for one variable, or for elements of one table; who computed them, and the compiled functions that there are. Of several elements an
    engine for whole arrays computes the derivatives of the table, instead of a function for each."""
    if len(goals) > 1 and engine in ("auto", *ARRAYS):
        from graphlang.compiled_arrays import of_whole

        chosen = "numpy" if engine == "auto" else engine
        available(chosen)
        try:
            return elements(graph, goals, *of_whole(graph, name, wrt, values, chosen)), chosen, {}
        except GraphError:
            if engine != "auto":
                raise
    functions = {g: compile_program(graph, wrt, engine, str(g)) for g in goals}
    return [one(graph, f, g) for g, f in functions.items()], ", ".join(dict.fromkeys(f.engine for f in functions.values())), functions


def one(graph: Graph, f, goal: Goal) -> Result:
    value, gradients = f()
    return Result(goal, float(value), {n: table(g, graph.variables[n].ranges)[0] for n, g in gradients.items()})


def elements(graph: Graph, goals: Sequence[Goal], values: Sequence[float], whole: Mapping[str, list[float]]) -> list[Result]:
    ranges = graph.variables[goals[0].name].ranges
    out = []
    for g in goals:
        (at,) = offsets(tuple(Range(k, k) for k in g.element), ranges)
        out.append(Result(g, values[at], {n: flat[at :: len(values)] for n, flat in whole.items()}))
    return out


def table(value, ranges: Box) -> tuple[list[float], Box]:
    """Nested lists as one list, and their ranges."""
    for _ in ranges[1:]:
        value = [x for row in value for x in row]
    return (list(map(float, value)) if ranges else [float(value)]), ranges


def notes(graph: Graph, wrt: Sequence[str], goals: Sequence[Goal]):
    counts = [f"{len(what)} {word}{'s' * (len(what) != 1)}" for what, word in ((graph.claims, "claim"), (graph.expectations, "expectation")) if what]
    if counts:
        yield f"{' and '.join(counts)} not judged: run without --engine"
    for g in goals:
        known = ancestors(graph, {g.name})
        yield from (f"{g} does not depend on {n}" for n in wrt if n not in known)


def stop(program: Program, given: Mapping[str, object], wrt: Sequence[str], bad: Result, computed: Computed, options) -> NoReturn:
    """Raise what says why a number is not finite: what the reference engine finds; where it finds nothing, which number it is."""
    hints = ["`--ieee` carries inf and nan on instead of stopping"]
    try:
        program.run(set=given, wrt=wrt, goal=str(bad.goal), seed=options.seed)
        hints.insert(0, "step by step, without --engine, it is finite: it is near the largest float64, and the engine multiplies in another order")
    except EvaluationError as e:
        raise GraphError(e.diagnostics, e.source) from None
    except GraphError:
        pass  # too large for it
    what = f"`{bad.goal}`" if not math.isfinite(bad.value) else next(f"`d{bad.goal}/d{n}`" for n, flat in bad.gradients.items() if not all(map(math.isfinite, flat)))
    raise GraphError([Diagnostic("E504" if math.isfinite(bad.value) else "E501", f"{what} is not finite, as computed by {engines(computed.engine)}", None, hints=tuple(hints))],
                     computed.run.graph.source)
