"""The one path from text to a run: parse → build → (expand, scalar) → evaluate → differentiate → sweep back.

Every front walks it: the command line, the Python interface, tests.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Callable, Iterable, Iterator, Mapping, Sequence

from graphlang.derive.reverse import RAW, SHOWN, Derivative, differentiate
from graphlang.diagnostics import Diagnostic, GraphError, Label, Source, did_you_mean
from graphlang.engines.initial import initial_values
from graphlang.engines.reference import backward, forward
from graphlang.engines.tape import TooLarge
from graphlang.given import UsageError, check_symmetric, example, extents, flat, number, size
from graphlang.graph.derived import is_plain
from graphlang.graph.build import build, without_collecting
from graphlang.graph.expand import expand as split
from graphlang.graph.graph import Goal, Graph, natural
from graphlang.graph.expressions import Number
from graphlang.graph.goals import goals_of
from graphlang.graph.order import forward_order, plan
from graphlang.graph.patterns import suspect
from graphlang.graph.values import FROM_FILES
from graphlang.graph.scalar import element_names, scalar as unroll, scalar_values
from graphlang.run import EvaluationError, Pass, Run, Tangents
from graphlang.sources import Reach, read_program, text_of
from graphlang.syntax import ast
from graphlang.syntax.names import canonical


@dataclass(eq=False, repr=False)
class Program:
    """A parsed program. `run` evaluates it; `graph` is what it says."""

    source: Source
    tree: ast.Program
    reach: Reach | None = None  # where it may read files; None: nowhere

    @classmethod
    def read(cls, source: Source, reach: Reach | None, path: Path | None = None) -> "Program":
        """A program of which `source` is the text, or the part that includes the rest. Raises GraphError."""
        tree = read_program(source, reach, path)
        return cls(tree.source, tree, reach)

    def __repr__(self) -> str:
        return f"<program {self.source.name}>"

    @cached_property
    def graph(self) -> Graph:
        """Raises GraphError with every mistake found."""
        return whole_graph(self.tree, None, lambda: self.files)

    @cached_property
    def files(self):
        """The files that its leaves are read from: each is read once."""
        from graphlang.data.leaves import DataFiles  # most programs have none

        return DataFiles(self.reach, self.source)

    @cached_property
    def quizzes(self):
        """Its quizzes by name, and its exams: see `graphlang.quiz.model`. Raises GraphError with every mistake found."""
        from graphlang.quiz.reading import quizzes

        return quizzes(self)

    def with_consts(self, given: Mapping[str, object]) -> tuple[Graph, dict[str, object]]:
        """The graph with the consts and sizes of `given`, and the rest of it: values of leaves. Raises UsageError, GraphError."""
        consts: dict[str, float] = {}
        for s in self.tree.statements:
            if type(s) is ast.Declaration and s.role == "const":
                consts |= {item.name: number(item.name, given[item.name]) for item in s.items if item.name in given}
            elif type(s) is ast.Dim:
                consts |= {n.name: size(n.name, given[n.name]) for n in s.names if n.name in given}
        rest = {n: v for n, v in given.items() if n not in consts}
        shapes = set_shapes(self.tree, rest)
        return whole_graph(self.tree, consts, lambda: self.files, shapes) if consts or shapes else self.graph, rest

    def run(self, *, set: Mapping[str, object] | None = None, wrt: Sequence[str] = (), goal: str | None = None, seed: int | None = None,
            mode: str = "B", ieee: bool = False, expand: bool = False, scalar: bool = False, raw: bool = False, exact: bool | int | None = None, **leaves) -> Run:
        """Evaluate forward and backward.

        set, **leaves: values of leaves (numbers or nested lists) and of consts. goal: what to differentiate, `y` or
        `y[1]`. exact: all numbers again in ball arithmetic, to so many certain digits (True: 30), as `run.exact`; needs
        python-flint. Raises GraphError, and EvaluationError where a value is not finite (unless `ieee`).
        """
        given = {canonical(k): v for k, v in {**(set or {}), **leaves}.items()}
        precision = certain_digits(exact, mode)
        run = evaluate_program(self, given, tuple(canonical(w) for w in wrt), goal, seed, mode, ieee, expand, scalar, raw)
        return add_exact(run, precision)

    def compile(self, wrt: Sequence[str] = (), engine: str = "auto", goal: str | None = None):
        """A function from values of leaves to the value of the goal and its gradient by `wrt` (by default what a run lists), to be
        called often: see `graphlang.compiled.Compiled`. Raises UsageError, GraphError."""
        from graphlang.compiled import compile_program

        check_program(self.tree)
        return compile_program(self.graph, wrt, engine, goal)

    def train(self, engine: str = "auto", **options):
        """What the `train` block says, done: `trained.params`, `trained.history`. options: set (values of leaves and consts), epochs, rate, batch and
        seed in the place of the block's, init (params to begin with: a dict, or what an earlier training gave), on_event (called with
        each record of graphlang.train.events). Raises UsageError, and GraphError also where a number is not finite."""
        from graphlang.train.api import train

        check_program(self.tree)
        return train(self, engine, **options)

    def derivative(self, goal: str | None = None, expand: bool = False, scalar: bool = False) -> Derivative:
        """The backward pass as formulas; needs no values."""
        check_program(self.tree)
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


def load(path: str | Path, allow: Iterable[str | Path] = ()) -> Program:
    """Read a program from a file, and what it includes from beneath the file's folder and the folders of `allow`. Raises
    OSError, GraphError."""
    path = Path(path)
    try:
        text = text_of(path.read_bytes())
    except ValueError as error:
        raise GraphError([Diagnostic("E030", f"the file is not UTF-8 text: {error}", None, hints=("save it as UTF-8",))], Source(str(path), "")) from None
    return Program.read(Source(str(path), text), Reach.of(path.parent, allow), path.resolve())


def loads(text: str, name: str = "<text>", folder: str | Path | None = None, allow: Iterable[str | Path] = ()) -> Program:
    """Read a program from its text; only with a folder can it include files. Raises GraphError."""
    return Program.read(Source(name, text), None if folder is None else Reach.of(folder, allow))


def set_shapes(tree: ast.Program, given: Mapping[str, object]) -> dict[str, tuple[int, ...]]:
    """Of leaves that are set to tables where the program has the name of a file and no ranges: the file is not read then."""
    items = {item.name: item for s in tree.statements if type(s) is ast.Declaration for item in s.items} if given else {}
    shapes = {}
    for name, value in given.items():
        item = items.get(name)
        if item is not None and item.ranges is None and type(item.value) is ast.Call and item.value.name in FROM_FILES:
            shapes[name] = extents(value)
    return shapes


def has_quizzes(tree: ast.Program) -> bool:
    return any(type(s).__name__ in ("Quiz", "Exam") for s in tree.statements)  # their classes are there only where there are some


def is_program(tree: ast.Program) -> bool:
    """Whether there is anything beside quizzes and what these read."""
    return not has_quizzes(tree) or any(
        type(s) in (ast.Equation, ast.Goal, ast.Train, ast.Claim, ast.Expect) or type(s) is ast.Declaration and s.role != "const" for s in tree.statements)


def check_program(tree: ast.Program) -> None:
    """Refuse to evaluate a file of quizzes."""
    if not is_program(tree):
        first = next(s for s in tree.statements if type(s) in (ast.Quiz, ast.Exam))
        name = first.name if type(first) is ast.Quiz else "NAME"
        raise GraphError([Diagnostic("E710", "this file has quizzes, and no program beside them", first.span._replace(end=first.span.start + 4), "", (),
                                     (f"`graphlang quiz show {tree.source.name} {name}`",))], tree.source)


def whole_graph(tree: ast.Program, consts: Mapping[str, float] | None = None, files: Callable[[], object] | None = None,
                shapes: Mapping[str, tuple[int, ...]] | None = None) -> Graph:
    """What a program says, the derivatives that it names defined. `files` and `shapes` as in `build`. Raises GraphError."""
    with without_collecting():
        graph = build(tree, consts, files, shapes)
        if graph.pool.rules is not None:
            from graphlang.verify.rules import check_rules

            graph = check_rules(graph)
        if graph.asked:
            from graphlang.derive.complete import complete  # most programs name no derivative

            graph = complete(graph)
        return replace(graph, again=lambda other: whole_graph(tree, other, files, shapes))


def view(graph: Graph, expand: bool, scalar: bool) -> Graph:
    """The graph in the grain that is asked for."""
    if scalar:
        graph = unroll(graph)
    if expand:
        graph = split(graph)
    return graph


# ---- running


def certain_digits(exact: bool | int | None, mode: str = "B") -> int | None:
    """How many an exact run is asked for. Raises UsageError, also where python-flint is missing."""
    if exact is None or exact is False:
        return None
    from graphlang.exact import checked

    if mode == "forward":
        raise UsageError("exact numbers are shown of reverse mode, not of --mode forward")
    return checked(exact)


def add_exact(run: Run, precision: int | None) -> Run:
    """The numbers of a run again, certain, and notes where its floats are far from them."""
    if precision is not None:
        from graphlang.exact import exact, notes

        run.exact = exact(run, precision)
        run.notes = (*run.notes, *notes(run.exact))
    return run


def evaluate_program(program: Program, given: Mapping[str, object], wrt: tuple[str, ...], goal: str | None, seed: int | None,
                     mode: str, ieee: bool, expand: bool, scalar: bool, raw: bool) -> Run:
    check_program(program.tree)
    graph, rest = program.with_consts(given)
    with without_collecting():
        return evaluate_graph(graph, rest, wrt, goal, seed, mode, ieee, expand, scalar, raw)


def evaluate_graph(graph: Graph, given: Mapping[str, object], wrt: tuple[str, ...] = (), goal: str | None = None, seed: int | None = None,
                   mode: str = "B", ieee: bool = False, expand: bool = False, scalar: bool = False, raw: bool = False) -> Run:
    """A run of a graph, its leaves set from outside. Raises UsageError for a value that does not fit."""
    if mode not in ("A", "B", "forward"):
        raise UsageError(f"mode is \"A\", \"B\" or \"forward\", not {mode!r}")
    check_numbers(graph)
    if scalar:
        wrt = tuple(x for w in wrt for x in (element_names(graph.variables[w]) if w in graph.variables else (w,)))
    else:
        check_wrt(graph, wrt)
    values = leaf_values(graph, given, seed, ieee)
    shown = view(graph, expand, scalar)
    start = scalar_values(graph, values) if scalar else dict(values)  # a run adds to what it starts from
    run = run_graph(shown, start, wrt, goals_in_view(graph, shown, goal), mode, ieee, raw, graph if scalar else None)
    if expand and graph.expectations:  # about the author's program: `--expand` may use one of its names for a step
        run.expectations = run_graph(graph, dict(values), (), goals_in_view(graph, graph, goal), "B", ieee, raw).expectations
    if graph.claims:
        from graphlang.verify.claims import judge as judge_claims

        run.claims = tuple(judge_claims(graph, values))
    return run


def check_wrt(graph: Graph, wrt: Iterable[str]) -> None:
    """Raises UsageError for a name that is no variable with an adjoint."""
    for w in wrt:
        if w not in graph.variables or graph.variables[w].role == "const":
            raise UsageError(f"--wrt: there is no variable `{w}` to differentiate with respect to"
                             + "".join(f"; {h}" for h in did_you_mean(w, [n for n, v in graph.variables.items() if v.role != "const"])))


def leaf_values(graph: Graph, given: Mapping[str, object], seed: int | None = None, ieee: bool = False) -> dict[str, list[float]]:
    """Flat values of all leaves and consts, some of them given. Raises UsageError for a given value that does not fit, GraphError where one is missing
    or, unless `ieee`, works out to what is not finite."""
    flat_given = {n: flat(graph, n, v) for n, v in given.items()}
    values, missing = initial_values(graph, flat_given, seed)
    if missing:
        spans = [graph.variables[n].span for n in missing]
        settings = " ".join(f"--set {n}={example(graph.variables[n])}" for n in missing)
        raise GraphError([Diagnostic("E401", ("`" + "`, `".join(missing) + "` ") + ("has" if len(missing) == 1 else "have") + " no value", spans[0], "declared without a value",
                                     tuple(Label(s, "and this one") for s in spans[1:4] if s), (f"graphlang run {graph.source.name if graph.source else 'FILE'} {settings}",))], graph.source)
    check_declared(graph, values)
    if not ieee:
        check_leaves(graph, values, flat_given)
    return values


def check_declared(graph: Graph, values) -> None:
    """Refuse a matrix that is declared symmetric and whose declared value is not."""
    for v in graph.variables.values():
        if v.symmetric and v.name in values:
            try:
                check_symmetric(v, values[v.name])
            except UsageError as e:
                raise GraphError([Diagnostic("E403", str(e), v.span, "its value is not symmetric")], graph.source) from None


def check_numbers(graph: Graph) -> None:
    """Refuse to evaluate what has no numbers: symbolic sizes, opaque functions."""
    if graph.dims:
        names = ", ".join(f"`{n}`" for n in graph.dims)
        settings = " ".join(f"--set {n}={k}" for n, k in zip(graph.dims, (2, 3, 4, 5, 6)))
        raise GraphError([Diagnostic("E408", f"{names} {'is a size' if len(graph.dims) == 1 else 'are sizes'} left symbolic: there are formulas and no numbers",
                                     graph.variables[graph.dims[0]].span, "declared without a number", (),
                                     ("`graphlang grad` shows the formulas, `graphlang check` judges the claims", f"with numbers: `{settings}`"))], graph.source)
    opaque = next((e for e in graph.equations if e.opaque), None)
    if opaque is not None:
        raise GraphError([Diagnostic("E408", f"`{opaque.target}` is the value of an opaque function, which has none", opaque.span, "only its ranges are known", (),
                                     ("`graphlang grad` shows the formulas, `graphlang check` judges the claims",))], graph.source)


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
                from graphlang.engines.blame import explain  # most runs are finite

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
                                     hints=("smaller ranges",))], graph.source) from None
    from graphlang.verify.expect import judge

    if mode == "forward":
        run.tangents = tuple(tangents(run))
    if ieee or any(suspect(e.value) for e in run.order):
        from graphlang.verify.conventions import conventions  # 15 ms that most programs need not spend

        run.conventions = tuple(conventions(run))
    run.notes = (*(f"first value that is not finite: {d.message}" + (f" ({d.text})" if d.text else "") for d in blame), *notes(run))
    run.expectations = tuple(judge(run))
    return run


MOST_TANGENTS = 2_000_000  # numbers: elements of x times elements of all variables


def tangents(run: Run) -> Iterator[Tangents]:
    """Forward mode, for each variable that the run lists gradients of."""
    from graphlang.derive.forward import tangent_graph

    graph, total = run.graph, sum(v.size for v in run.graph.variables.values())
    for name in run.wrt:
        passes = graph.variables[name].size
        if passes * total > MOST_TANGENTS:
            raise UsageError(f"--mode forward: {passes:,} passes for `{name}` over {total:,} elements are too many; choose variables with --wrt, or use reverse mode")
        fuller = tangent_graph(graph, name)
        values = {n: run.flat[n] for n in graph.variables if n in run.flat}
        known = {e.target for e in graph.equations}
        new = replace(fuller, equations=tuple(e for e in fuller.equations if e.target not in known), pieces={}, plans=[])
        order = []
        for e, _ in forward(new, forward_order(plan(new), None), values):
            order.append(e)
        yield Tangents(name, fuller, values, tuple(order))


def bad_adjoint(run: Run, p: Pass) -> Diagnostic | None:
    """The first adjoint that is not finite although all that it is made of is; an error in strict mode."""
    if all(math.isfinite(x) for flat in p.sweep.adjoints.values() for x in flat):
        return None
    from graphlang.engines.blame_backward import explain_adjoint, first_fault

    found = first_fault(p.derivative, p.sweep, run.flat)
    if found is None:
        return None
    if run.first_bad is None and run.first_bad_part is None and found[2] is not None:
        run.first_bad_part = found[2].contribution
    return explain_adjoint(p.derivative, *found, p.sweep, run.flat)


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
            for c in run.passes[0].derivative.incoming.get(name, ()) if is_plain(name) else ():
                if not is_plain(c.source.target):
                    continue  # of a derivative that an equation names: what is shown there is what is computed
                note = run.local_note(c)
                if note:
                    yield f"d{c.source.target}/d{name}: {note}"
    for p in run.passes:
        for name in p.derivative.variables:
            v = run.graph.variables[name]
            if name not in p.derivative.incoming and name != p.goal.name and (v.role in ("input", "param") or name in run.wrt):
                yield f"{p.goal} does not depend on {name}"
