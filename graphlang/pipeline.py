"""The one path from text to a run: parse → build → (expand, scalar) → evaluate → differentiate → sweep back.

Every front walks it: the command line, the Python interface, tests.
"""

from __future__ import annotations

import gc
import math
import re
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Mapping, Sequence

from graphlang.derive.reverse import RAW, SHOWN, Derivative, differentiate
from graphlang.diagnostics import Diagnostic, GraphError, Label, Source, did_you_mean
from graphlang.engines.blame import explain, explain_adjoint
from graphlang.engines.initial import initial_values
from graphlang.engines.reference import backward, evaluate, forward
from graphlang.engines.tape import TooLarge
from graphlang.graph.build import build
from graphlang.graph.coverage import check_expression
from graphlang.graph.expand import expand as split
from graphlang.graph.expressions import Pool, reads
from graphlang.graph.graph import Binding, Goal, Graph, Variable, natural
from graphlang.graph.lower import Lowering
from graphlang.graph.values import Problem, Scope
from graphlang.graph.order import Plan, forward_order, plan
from graphlang.graph.scalar import element_names, scalar as unroll, scalar_values
from graphlang.run import EvaluationError, Pass, Run, nest
from graphlang.syntax import ast
from graphlang.syntax.names import canonical
from graphlang.syntax.parser import parse, parse_expression


@dataclass(eq=False)
class Program:
    """A parsed program. `run` evaluates it; `graph` is what it says."""

    source: Source
    tree: ast.Program

    @cached_property
    def graph(self) -> Graph:
        """Raises GraphError with every mistake found."""
        with without_collecting():
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
        graph = view(self.graph, expand, scalar)
        order = plan(graph)
        return differentiate(graph, goals_of(graph, order, goal)[0], order)


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


@contextmanager
def without_collecting():
    """A program makes hundreds of thousands of small objects and no garbage in cycles; the collector, looking for it
    again and again, would take a third of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


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


# ---- goals


def goals_of(graph: Graph, order: Plan, asked: str | None) -> list[Goal]:
    """What is differentiated: what is asked for, else what the program says, else the only variable with operands
    that no equation uses."""
    if asked is not None:
        return [parse_goal(graph, asked)]
    if graph.goals:
        first = []
        for g in graph.goals:
            first += elements_of(graph, g)
        return first
    used = {c.target for e, below in order.below.items() for c in below if c.target != e.target}
    read = {e.target for e, below in order.below.items() if below or _reads_leaf(e)}
    sinks = [e.target for e in graph.equations if e.target not in used and e.target in read]
    sinks = list(dict.fromkeys(sinks))
    if len(sinks) == 1:
        return elements_of(graph, Goal("output", sinks[0]))
    if not sinks:
        raise GraphError([Diagnostic("E402", "there is nothing to differentiate: no equation reads a variable", None,
                                     hints=("write an equation such as `J = cos(x)`",))], graph.source)
    spans = [graph.variables[n].span for n in sinks]
    raise GraphError([Diagnostic("E402", "several variables could be the goal: " + ", ".join(f"`{n}`" for n in sinks[:8]) + (" …" if len(sinks) > 8 else ""),
                                 spans[0], "nothing uses this one", tuple(Label(s, "nor this one") for s in spans[1:4] if s),
                                 (f"`minimize {sinks[0]}`, `maximize {sinks[0]}` or `output {', '.join(sinks[:8])}`; or `--goal {sinks[0]}`",))], graph.source)


def _reads_leaf(e) -> bool:
    return bool(reads(e.value))


def elements_of(graph: Graph, goal: Goal) -> list[Goal]:
    """A table output, element by element."""
    v = graph.variables[goal.name]
    if not v.ranges or goal.element is not None:
        return [goal]
    out = [()]
    for r in v.ranges:
        out = [(*at, k) for at in out for k in range(r.low, r.high + 1)]
        if len(out) > 10_000:
            raise GraphError([Diagnostic("E404", f"`{goal.name}` has too many elements to differentiate each", v.span, hints=("`--goal` picks one element",))], graph.source)
    return [Goal(goal.kind, goal.name, at) for at in out]


def parse_goal(graph: Graph, text: str) -> Goal:
    m = re.fullmatch(r"\s*([^\W\d]\w*)\s*(?:\[\s*(-?\d+(?:\s*,\s*-?\d+)*)\s*\])?\s*", text)
    name = canonical(m.group(1)) if m else text
    if m and m.group(2):
        element = f"{name}[{''.join(m.group(2).split())}]"
        if element in graph.variables:  # the scalar view has elements for variables
            return Goal("output", element)
    v = graph.variables.get(name)
    if v is None or v.role == "const":
        hints = did_you_mean(name, [n for n, x in graph.variables.items() if x.role != "const"])
        raise GraphError([Diagnostic("E404", f"there is no variable `{text}` to differentiate" if v is None else f"`{text}` is a const, which is never differentiated",
                                     None, hints=hints)], graph.source)
    if m.group(2) is None:
        if v.ranges:
            raise GraphError([Diagnostic("E404", f"`{name}` is a table over {', '.join(map(str, v.ranges))}; a goal is a number", v.span,
                                         hints=(f"one element: `--goal '{name}[{','.join(str(r.low) for r in v.ranges)}]'`",))], graph.source)
        return Goal("output", name)
    at = tuple(int(k) for k in m.group(2).split(","))
    if len(at) != len(v.ranges) or any(not r.low <= k <= r.high for k, r in zip(at, v.ranges)):
        raise GraphError([Diagnostic("E222", f"`{name}` has no element `{text}`", v.span,
                                     hints=(f"its ranges are {', '.join(map(str, v.ranges))}" if v.ranges else "it is a scalar",))], graph.source)
    return Goal("output", name, at)


# ---- running


class UsageError(Exception):
    """A value, name or option that was given from outside the program is wrong: exit status 2 on the command line."""


def evaluate_program(program: Program, given: Mapping[str, object], wrt: tuple[str, ...], goal: str | None, seed: int | None,
                     mode: str, ieee: bool, expand: bool, scalar: bool, raw: bool) -> Run:
    consts = {}
    for s in program.tree.statements:
        if type(s) is ast.Declaration and s.role == "const":
            for item in s.items:
                if item.name in given:
                    consts[item.name] = _number(item.name, given[item.name])
    graph = build(program.tree, consts) if consts else program.graph
    rest = {n: v for n, v in given.items() if n not in consts}
    with without_collecting():
        return evaluate_graph(graph, rest, wrt, goal, seed, mode, ieee, expand, scalar, raw)


def evaluate_graph(graph: Graph, given: Mapping[str, object], wrt: tuple[str, ...] = (), goal: str | None = None, seed: int | None = None,
                   mode: str = "B", ieee: bool = False, expand: bool = False, scalar: bool = False, raw: bool = False) -> Run:
    """A run of a graph, its leaves set from outside. Raises UsageError for a value that does not fit."""
    if mode not in ("A", "B"):
        raise UsageError(f"mode is \"A\" or \"B\", not {mode!r}")
    flat_given = {n: _flat(graph, n, v) for n, v in given.items()}
    if scalar:
        wrt = tuple(x for w in wrt for x in (element_names(graph.variables[w]) if w in graph.variables else (w,)))
    for w in () if scalar else wrt:
        if w not in graph.variables or graph.variables[w].role == "const":
            raise UsageError(f"--wrt: there is no variable `{w}` to differentiate with respect to"
                             + "".join(f"; {h}" for h in did_you_mean(w, [n for n, v in graph.variables.items() if v.role != "const"])))
    values, missing = initial_values(graph, flat_given, seed)
    if missing:
        spans = [graph.variables[n].span for n in missing]
        example = " ".join(f"--set {n}={_example(graph.variables[n])}" for n in missing)
        raise GraphError([Diagnostic("E401", ("`" + "`, `".join(missing) + "` ") + ("has" if len(missing) == 1 else "have") + " no value", spans[0], "declared without a value",
                                     tuple(Label(s, "and this one") for s in spans[1:4] if s), (f"graphlang run {graph.source.name if graph.source else 'FILE'} {example}",))], graph.source)
    shown = view(graph, expand, scalar)
    if scalar:
        values = scalar_values(graph, values)
    return run_graph(shown, values, wrt, goal, mode, ieee, raw, graph if scalar else None)


def constant_value(text: str, what: str) -> object:
    """A number, constant expression or list literal given from outside: a float or nested lists. Raises UsageError."""
    try:
        node, binders = parse_expression(Source(what, text), set())
        if binders:
            raise UsageError(f"{what}: a value takes no `for`")
        value = Lowering(Pool(), {}, {}, {}).lower(node)
    except GraphError as e:
        raise UsageError(f"{what}: `{text}` is no number and no list of numbers: {e.diagnostics[0].message}") from None
    except Problem as p:
        raise UsageError(f"{what}: `{text}` is no number and no list of numbers: {p.diagnostic.message}") from None
    if reads(value.body):
        raise UsageError(f"{what}: `{text}` is not a constant")
    over = tuple(map(Binding, value.indices, value.ranges))
    return nest(evaluate(value.body, over, {}, {}), value.ranges)


def _example(v: Variable) -> str:
    def nested(ranges):
        if not ranges:
            return "1"
        return "[" + ",".join(nested(ranges[1:]) for _ in range(min(ranges[0].extent, 8))) + "]"

    text = nested(v.ranges)
    return f"'{text}'" if v.ranges else text


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise UsageError(f"`{name}` is a const: its value is one number")
    return float(value)


def _flat(graph: Graph, name: str, value: object) -> list[float]:
    v = graph.variables.get(name)
    if v is None or not v.is_leaf:
        hints = did_you_mean(name, [n for n, x in graph.variables.items() if x.is_leaf])
        what = "there is no leaf" if v is None else "only leaves can be set, and an equation defines"
        raise UsageError(f"{what} `{name}`" + "".join(f"; {h}" for h in hints))
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return [float(value)] * v.size
    flat: list[float] = []

    def walk(x, ranges):
        if not ranges:
            if isinstance(x, bool) or not isinstance(x, (int, float)):
                raise UsageError(f"`{name}`: {'a list is nested too deeply' if isinstance(x, (list, tuple)) else f'{x!r} is not a number'}")
            flat.append(float(x))
            return
        if not isinstance(x, (list, tuple)) or len(x) != ranges[0].extent:
            got = f"{len(x)} entries" if isinstance(x, (list, tuple)) else "a number"
            raise UsageError(f"`{name}` has the ranges {', '.join(map(str, v.ranges))}: {ranges[0].extent} entries are wanted where {got} {'are' if got[0].isdigit() else 'is'} given")
        for y in x:
            walk(y, ranges[1:])

    walk(value, v.ranges)
    return flat


def run_graph(graph: Graph, values, wrt=(), goal: str | None = None, mode: str = "B", ieee: bool = False, raw: bool = False,
              base: Graph | None = None) -> Run:
    """Evaluate a graph whose leaves have values, and sweep back from its goals."""
    order = plan(graph)
    goals = goals_of(graph, order, goal)
    groups = forward_order(order, goals[0].name)
    run = Run(graph, order, values, (), mode=mode, form=RAW if raw else SHOWN, ieee=ieee, wrt=wrt or summary(graph), diagnostics=graph.warnings, base=base)
    done = []
    try:
        for equation, bad in forward(graph, groups, values, strict=not ieee):
            done.append(equation)
            if bad is not None:
                run.order = tuple(done)
                run.bad = explain(graph, bad.equation, bad.at, values)
                raise EvaluationError([run.bad], graph.source, run)
        run.order = tuple(done)
        passes = []
        for g in goals:
            derivative = differentiate(graph, g, order)
            sweep = backward(derivative, values)
            passes.append(Pass(derivative, sweep))
            run.passes = tuple(passes)
            if not ieee:
                check_adjoints(run, passes[-1])
    except TooLarge as e:
        raise GraphError([Diagnostic("E902", f"an equation would take {e.steps:,} rounds of its loops, too many for the reference engine", None,
                                     hints=("smaller ranges, or a compiled engine when there is one",))], graph.source) from None
    from graphlang.verify.expect import judge
    from graphlang.verify.conventions import conventions

    run.conventions = tuple(conventions(run))
    run.notes = tuple(notes(run))
    run.expectations = tuple(judge(run))
    return run


def check_adjoints(run: Run, p: Pass) -> None:
    """Strict mode: an adjoint that is not finite although all values are is an error."""
    for name in p.derivative.variables:
        adjoint = p.sweep.adjoints[name]
        for offset, x in enumerate(adjoint):
            if not math.isfinite(x):
                if not all(map(math.isfinite, run.flat[name])):
                    continue
                run.bad = explain_adjoint(p.derivative, name, offset, p.sweep, run.flat)
                raise EvaluationError([run.bad], run.graph.source, run)


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
            if name not in p.derivative.incoming and name != p.goal.name and v.role in ("input", "param") and run.passes.index(p) == 0:
                yield f"{p.goal} does not depend on {name}"


# ---- expressions about a run


def adjoint_variable(run: Run, node: ast.Deriv):
    """`dJ/dx` in an expectation or in `evaluate`: the adjoint as a table with x's ranges."""
    names = {str(p.goal): p for p in run.passes}
    if node.of not in names:
        goals = ", ".join(f"`{g}`" for g in names)
        raise Problem("E406", f"`{node.of}` is not a goal of this run", node.span, f"the goal is {goals}", hints=(f"`--goal {node.of}`",))
    v = run.variables.get(node.wrt)
    if v is None or v.role == "const":
        raise Problem("E101", f"`{node.wrt}` is not a variable with an adjoint", node.span)
    return Variable(f"d{node.of}/d{node.wrt}", "node", v.ranges, None, None, v.row)


def lookup(run: Run):
    """Values and ranges of all variables and of the adjoints of the run's goals."""
    values, ranges = dict(run.flat), {n: v.ranges for n, v in run.graph.variables.items()}
    for p in run.passes:
        for name, adjoint in p.sweep.adjoints.items():
            values[p.derivative.adjoint_name(name)] = adjoint
            ranges[p.derivative.adjoint_name(name)] = run.graph.variables[name].ranges
    for v in run.base.variables.values() if run.base else ():
        if v.ranges:  # the scalar view: a table from its elements
            elements = element_names(v)
            ranges[v.name] = v.ranges
            values[v.name] = [x for n in elements for x in run.flat[n]]
            for p in run.passes if v.role != "const" else ():
                ranges[p.derivative.adjoint_name(v.name)] = v.ranges
                values[p.derivative.adjoint_name(v.name)] = [x for n in elements for x in p.sweep.adjoints[n]]
    return values, ranges


def evaluate_text(run: Run, text: str):
    source = Source("<expression>", text)
    node, binders = parse_expression(source, {n.split("[")[0] for n in run.variables})
    lowering = Lowering(run.graph.pool, run.variables, run.graph.consts, run.graph.functions, lambda d: adjoint_variable(run, d))
    lowering.private = True  # formulas of derivatives may hold functions that have no public name
    try:
        scope, _ = lowering.bind(binders, Scope(), node, None)
        value = lowering.lower(node, scope)
        over = tuple(Binding(own, r) for own, r in scope.indices.values())
        if value.ranges:
            if over:
                raise Problem("E205", "with `for` an expression is one number for each index", node.span)
            over = tuple(map(Binding, value.indices, value.ranges))
        values, ranges = lookup(run)
        check_expression(value.body, over, ranges, node.span)
    except Problem as p:
        raise GraphError([p.diagnostic], source) from None
    return nest(evaluate(value.body, over, values, ranges), tuple(b.range for b in over))
