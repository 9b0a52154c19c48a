"""The one path from text to a run: parse → build → (expand, scalar) → evaluate → differentiate → sweep back.

Every front walks it: the command line, the Python interface, tests.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Mapping, Sequence

from graphlang.derive.reverse import RAW, SHOWN, Derivative, differentiate
from graphlang.diagnostics import Diagnostic, GraphError, Label, Source, did_you_mean
from graphlang.engines.blame import explain, explain_adjoint
from graphlang.engines.initial import initial_values
from graphlang.engines.reference import backward, forward
from graphlang.engines.tape import TooLarge
from graphlang.given import UsageError, example, flat, number
from graphlang.graph.build import build, without_collecting
from graphlang.graph.expand import expand as split
from graphlang.graph.graph import Goal, Graph, natural
from graphlang.graph.expressions import Number
from graphlang.graph.goals import goals_of
from graphlang.graph.order import forward_order, plan
from graphlang.graph.scalar import element_names, scalar as unroll, scalar_values
from graphlang.run import EvaluationError, Pass, Run
from graphlang.syntax import ast
from graphlang.syntax.names import canonical
from graphlang.syntax.parser import parse


@dataclass(eq=False, repr=False)
class Program:
    """A parsed program. `run` evaluates it; `graph` is what it says."""

    source: Source
    tree: ast.Program

    def __repr__(self) -> str:
        return f"<program {self.source.name}>"

    @cached_property
    def graph(self) -> Graph:
        """Raises GraphError with every mistake found."""
        return build(self.tree)

    def run(self, *, set: Mapping[str, object] | None = None, wrt: Sequence[str] = (), goal: str | None = None, seed: int | None = None,
            mode: str = "B", ieee: bool = False, expand: bool = False, scalar: bool = False, raw: bool = False, **leaves) -> Run:
        """Evaluate forward and backward.

        set, **leaves: values of leaves (numbers or nested lists) and of consts. goal: what to differentiate, `y` or
        `y[1]`. Raises GraphError, and EvaluationError where a value is not finite (unless `ieee`).
        """
        given = {canonical(k): v for k, v in {**(set or {}), **leaves}.items()}
        return evaluate_program(self, given, tuple(canonical(w) for w in wrt), goal, seed, mode, ieee, expand, scalar, raw)

    def derivative(self, goal: str | None = None, expand: bool = False, scalar: bool = False) -> Derivative:
        """The backward pass as formulas; needs no values."""
        shown = view(self.graph, expand, scalar)
        return differentiate(shown, goals_in_view(self.graph, shown, goal)[0], plan(shown))

    def checked_wrt(self, wrt: Sequence[str], derivative: Derivative) -> tuple[str, ...]:
        """Names to list derivatives for; an element's table stands for it. Raises UsageError for one without an adjoint."""
        known = {n for n, v in derivative.graph.variables.items() if v.role != "const"}
        out = []
        for w in map(canonical, wrt):
            elements = [n for n in known if n == w or n.startswith(f"{w}[")]
            if not elements:
                raise UsageError(f"--wrt: there is no variable `{w}` to differentiate with respect to" + "".join(f"; {h}" for h in did_you_mean(w, known)))
            out += sorted(elements, key=natural)
        return tuple(out)


def load(path: str | Path) -> Program:
    """Read a program from a file. Raises OSError, GraphError."""
    path = Path(path)
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise GraphError([Diagnostic("E030", f"the file is not UTF-8 text: byte {error.start} on line {line} cannot be read", None,
                                     hints=("save it as UTF-8",))], Source(str(path), "")) from None
    return loads(text, str(path))


def loads(text: str, name: str = "<text>") -> Program:
    """Read a program from its text. Raises GraphError."""
    source = Source(name, text)
    return Program(source, parse(source))


def view(graph: Graph, expand: bool, scalar: bool) -> Graph:
    """The graph in the grain that is asked for."""
    if scalar:
        graph = unroll(graph)
    if expand:
        graph = split(graph)
    return graph


# ---- running


def evaluate_program(program: Program, given: Mapping[str, object], wrt: tuple[str, ...], goal: str | None, seed: int | None,
                     mode: str, ieee: bool, expand: bool, scalar: bool, raw: bool) -> Run:
    consts = {}
    for s in program.tree.statements:
        if type(s) is ast.Declaration and s.role == "const":
            for item in s.items:
                if item.name in given:
                    consts[item.name] = number(item.name, given[item.name])
    graph = build(program.tree, consts) if consts else program.graph
    rest = {n: v for n, v in given.items() if n not in consts}
    with without_collecting():
        return evaluate_graph(graph, rest, wrt, goal, seed, mode, ieee, expand, scalar, raw)


def evaluate_graph(graph: Graph, given: Mapping[str, object], wrt: tuple[str, ...] = (), goal: str | None = None, seed: int | None = None,
                   mode: str = "B", ieee: bool = False, expand: bool = False, scalar: bool = False, raw: bool = False) -> Run:
    """A run of a graph, its leaves set from outside. Raises UsageError for a value that does not fit."""
    if mode not in ("A", "B"):
        raise UsageError(f"mode is \"A\" or \"B\", not {mode!r}")
    flat_given = {n: flat(graph, n, v) for n, v in given.items()}
    if scalar:
        wrt = tuple(x for w in wrt for x in (element_names(graph.variables[w]) if w in graph.variables else (w,)))
    for w in () if scalar else wrt:
        if w not in graph.variables or graph.variables[w].role == "const":
            raise UsageError(f"--wrt: there is no variable `{w}` to differentiate with respect to"
                             + "".join(f"; {h}" for h in did_you_mean(w, [n for n, v in graph.variables.items() if v.role != "const"])))
    values, missing = initial_values(graph, flat_given, seed)
    if missing:
        spans = [graph.variables[n].span for n in missing]
        settings = " ".join(f"--set {n}={example(graph.variables[n])}" for n in missing)
        raise GraphError([Diagnostic("E401", ("`" + "`, `".join(missing) + "` ") + ("has" if len(missing) == 1 else "have") + " no value", spans[0], "declared without a value",
                                     tuple(Label(s, "and this one") for s in spans[1:4] if s), (f"graphlang run {graph.source.name if graph.source else 'FILE'} {settings}",))], graph.source)
    if not ieee:
        check_leaves(graph, values, flat_given)
    shown = view(graph, expand, scalar)
    if scalar:
        values = scalar_values(graph, values)
    return run_graph(shown, values, wrt, goals_in_view(graph, shown, goal), mode, ieee, raw, graph if scalar else None)


def check_leaves(graph: Graph, values, given) -> None:
    """Strict mode: a leaf whose value is worked out and is not finite, such as `1/0`; a written `inf` is meant."""
    found = []
    for name, v in graph.variables.items():
        if v.is_leaf and name not in given and v.initial is not None and v.initial.kind == "expression" and type(v.initial.expression) is not Number:
            bad = next((x for x in values[name] if not math.isfinite(x)), None)
            if bad is not None:
                found.append(Diagnostic("E501", f"the value that `{name}` is declared with is not finite", v.span, f"it works out to {bad:g}", (),
                                        ("write `inf` if infinity is meant", "`--ieee` carries inf and nan on instead of stopping")))
    if found:
        raise GraphError(found, graph.source)


def goals_in_view(graph: Graph, shown: Graph, asked: str | None) -> list[Goal]:
    """The goals of the author's graph, whatever the grain it is shown in; a step that only the view has may be asked for."""
    try:
        goals = goals_of(graph, plan(graph), asked)
    except GraphError as e:
        if asked is None:
            raise
        try:
            return goals_of(shown, plan(shown), asked)
        except GraphError:
            first = e.diagnostics[0]
            raise UsageError("; ".join((f"--goal: {first.message}", *first.hints))) from None
    return [g if g.name in shown.variables else Goal(g.kind, str(g)) for g in goals]


def run_graph(graph: Graph, values, wrt=(), goals: Sequence[Goal] = (), mode: str = "B", ieee: bool = False, raw: bool = False,
              base: Graph | None = None) -> Run:
    """Evaluate a graph whose leaves have values, and sweep back from its goals (by default those it says)."""
    order = plan(graph)
    goals = list(goals) or goals_of(graph, order, None)
    groups = forward_order(order, goals[0].name)
    run = Run(graph, order, values, (), mode=mode, form=RAW if raw else SHOWN, ieee=ieee, wrt=wrt or summary(graph), diagnostics=graph.warnings, base=base)
    done, blame = [], []
    try:
        for equation, bad in forward(graph, groups, values):
            done.append(equation)
            if bad is not None and run.first_bad is None:
                run.first_bad = bad.equation
                blame.append(explain(graph, bad.equation, bad.at, values))
                if not ieee:
                    run.order, run.bad = tuple(done), blame[0]
                    raise EvaluationError(blame, graph.source, run)
        run.order = tuple(done)
        passes = []
        for g in goals:
            derivative = differentiate(graph, g, order)
            sweep = backward(derivative, values)
            passes.append(Pass(derivative, sweep))
            run.passes = tuple(passes)
            wrong = bad_adjoint(run, passes[-1])
            if wrong is not None and not ieee:
                run.bad = wrong
                raise EvaluationError([wrong], graph.source, run)
            if wrong is not None and not blame:
                blame.append(wrong)
    except TooLarge as e:
        raise GraphError([Diagnostic("E902", f"an equation would take {e.steps:,} rounds of its loops, too many for the reference engine", None,
                                     hints=("smaller ranges, or a compiled engine when there is one",))], graph.source) from None
    from graphlang.verify.expect import judge
    from graphlang.verify.conventions import conventions

    run.conventions = tuple(conventions(run))
    run.notes = (*(f"first value that is not finite: {d.message}" + (f" ({d.text})" if d.text else "") for d in blame), *notes(run))
    run.expectations = tuple(judge(run))
    return run


def bad_adjoint(run: Run, p: Pass) -> Diagnostic | None:
    """The first adjoint that is not finite although the variable's value is; an error in strict mode."""
    for name in p.derivative.variables:
        adjoint = p.sweep.adjoints[name]
        for offset, x in enumerate(adjoint):
            if not math.isfinite(x):
                if not all(map(math.isfinite, run.flat[name])):
                    continue
                return explain_adjoint(p.derivative, name, offset, p.sweep, run.flat)
    return None


def summary(graph: Graph) -> tuple[str, ...]:
    """The params if there are any, else the inputs."""
    for role in ("param", "input"):
        names = [n for n, v in graph.variables.items() if v.role == role]
        if names:
            return tuple(names)
    return ()


MOST_NOTED = 500  # contributions of a run that are compared as shown and as computed


def notes(run: Run):
    """What a reader should know: variables the goal does not depend on, shown forms that lose digits."""
    if run.passes and sum(map(len, run.passes[0].derivative.outgoing.values())) <= MOST_NOTED:
        for name in run.passes[0].derivative.variables:
            for c in run.passes[0].derivative.incoming.get(name, ()):
                note = run.local_note(c)
                if note:
                    yield f"d{c.source.target}/d{name}: {note}"
    for p in run.passes:
        for name in p.derivative.variables:
            v = run.graph.variables[name]
            if name not in p.derivative.incoming and name != p.goal.name and (v.role in ("input", "param") or name in run.wrt):
                yield f"{p.goal} does not depend on {name}"
