"""A quiz made ready: its graph once, with what is asked for as variables of it, for all variants.

Nothing here is drawn. `Prepared.answers` evaluates in any arithmetic, `Prepared.floats` quickly; `Prepared.run` has what tables and solutions show.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Callable, Mapping, NamedTuple, Sequence

from graphlang.derive.reverse import differentiate
from graphlang.diagnostics import NOWHERE, Diagnostic, GraphError
from graphlang.engines.initial import initial_values
from graphlang.engines.reference import backward, forward
from graphlang.engines.tape import FLOATS, Arithmetic
from graphlang.graph.expand import expand
from graphlang.graph.expressions import Expr
from graphlang.graph.goals import goals_of
from graphlang.graph.graph import Equation, Goal, Graph, Range, Variable, ancestors
from graphlang.graph.order import forward_order, plan
from graphlang.graph.patterns import suspect
from graphlang.graph.scalar import scalar, scalar_values
from graphlang.graph.values import Problem, Scope
from graphlang.pipeline import check_numbers, summary, whole_graph
from graphlang.query import lowering_for, with_derivatives
from graphlang.quiz.draws import Drawn
from graphlang.quiz.model import Ask, Choose, Fill, Precision, Quiz
from graphlang.quiz.perturbed import Perturbed
from graphlang.run import Pass, Run
from graphlang.syntax import ast
from graphlang.syntax.format import SOURCE, format_expr

ANSWERS = " answers"  # no name of an author's begins with a blank
Leaves = dict[str, list]


class Wanted(NamedTuple):
    """A number that is asked for: by which part, as a blank with an id."""

    part: int
    id: str
    shown: ast.Expr
    precision: Precision
    marks: Decimal


@dataclass(eq=False)
class Prepared:
    quiz: Quiz

    # ---- what is asked

    @cached_property
    def graph(self) -> Graph:
        return replace(whole_graph(self.quiz.program), expectations=(), claims=())

    @cached_property
    def goals(self) -> tuple[Goal, ...]:
        """What is differentiated, the first for tables."""
        try:
            said = goals_of(self.graph, plan(self.graph), None)
        except GraphError:
            said = []
        self._expressions  # which ask for derivatives
        asked = [Goal("output", a.of, a.element) for a in self.lowering.asked.values() if not a.partial and a.of in self.graph.variables]
        asked = [g for g in asked if g.element is not None or not self.graph.variables[g.name].ranges]
        return tuple({(g.name, g.element): g for g in (*said, *asked)}.values())

    @cached_property
    def wanted(self) -> tuple[Wanted, ...]:
        out, ids = [], Ids()
        for k, part in enumerate(self.quiz.parts):
            match part:
                case Ask():
                    out += [Wanted(k, ids.of(a.value), a.value, a.precision, a.marks) for a in part.answers]
                case Fill():
                    for blank in part.blanks:
                        shown = self.adjoint(blank) if part.direction == "backward" else blank
                        out.append(Wanted(k, ids.of(shown), shown, part.precision, part.marks))
        return tuple(out)

    def adjoint(self, blank: ast.Expr) -> ast.Expr:
        """`dL/dz` of a blank `z`."""
        goals = goals_of(self.graph, plan(self.graph), None)
        of = ast.Name(goals[0].name, NOWHERE)
        if goals[0].element is None and type(blank) is ast.Name:
            return ast.Deriv(of.name, blank.name, False, NOWHERE)
        if goals[0].element is not None:
            of = ast.Subscript(of, tuple(ast.Num(float(n), str(n), NOWHERE) for n in goals[0].element), NOWHERE)
        return ast.Call("diff", (of, blank), (), NOWHERE, NOWHERE)

    @property
    def numeric(self) -> bool:
        """Whether anything asked for is a number."""
        return any(type(p) is not Choose for p in self.quiz.parts)

    @cached_property
    def lowering(self):
        return lowering_for(self.graph)

    @cached_property
    def _expressions(self) -> tuple[list[Expr], list[Expr]]:
        """Of the conditions and of the answers. Raises GraphError."""
        lowering = self.lowering
        try:
            return [lowering.scalar(r, Scope()) for r in self.quiz.require], [lowering.scalar(w.shown, Scope()) for w in self.wanted]
        except Problem as p:
            raise GraphError([p.diagnostic], self.graph.source) from None

    def part(self, k: int) -> list[tuple[int, Wanted]]:
        """The numbers that the k-th part asks for, each with its place among all."""
        return [(n, w) for n, w in enumerate(self.wanted) if w.part == k]

    # ---- evaluation

    @cached_property
    def whole(self) -> Graph:
        """The program, and as scalars of it each condition and each answer."""
        return self._with_answers(self.graph, self.lowering, [*self._expressions[0], *self._expressions[1]], self.names)

    @cached_property
    def steps(self) -> Graph:
        """The same in primitive steps, as they are written down on paper; without conditions."""
        expanded = expand(self.graph)
        lowering = lowering_for(expanded)
        return self._with_answers(expanded, lowering, [lowering.scalar(w.shown, Scope()) for w in self.wanted], self.names[len(self.quiz.require) :])

    def _with_answers(self, graph: Graph, lowering, asked: list[Expr], names: tuple[str, ...]) -> Graph:
        fuller = with_derivatives(graph, lowering)
        variables, equations = dict(fuller.variables), list(fuller.equations)
        for name, e in zip(names, asked):
            variables[name] = Variable(name, "node")
            equations.append(Equation(name, (), (), e))
        whole = replace(fuller, variables=variables, equations=tuple(equations), pieces={}, plans=[], asked={})
        needed = ancestors(whole, names)
        return replace(whole, equations=tuple(e for e in equations if e.target in needed), pieces={}, plans=[],
                       variables={n: v for n, v in variables.items() if n in needed or v.role == "const"})

    @cached_property
    def names(self) -> tuple[str, ...]:
        return (*(f" require {k}" for k in range(len(self.quiz.require))), *(f" {w.id}" for w in self.wanted))

    @cached_property
    def _groups(self):
        return forward_order(plan(self.whole), None)

    @cached_property
    def _step_groups(self):
        return forward_order(plan(self.steps), None)

    @cached_property
    def base(self) -> Leaves:
        """The leaves that do not vary, as floats. Raises GraphError for one without a value."""
        check_numbers(self.graph)
        varied = {v.name for v in self.quiz.vary}
        values, missing = initial_values(self.graph, {n: [1.0] for n in varied}, None)
        if missing:
            v = self.graph.variables[missing[0]]
            raise GraphError([Diagnostic("E401", "`" + "`, `".join(missing) + "` " + ("has" if len(missing) == 1 else "have") + " no value, and a number is asked for",
                                         v.span or self.quiz.span, "", (), (f"`input {missing[0]} = …`, or `vary {missing[0]} in {{…}}`",))], self.graph.source)
        return {n: x for n, x in values.items() if n not in varied}

    def leaves(self, drawn: Drawn) -> Leaves:
        """Floats of all leaves, those that vary at exactly what is printed."""
        return {**self.base, **{v.name: [float(x)] for v, x in zip(self.quiz.vary, drawn)}}

    def answers(self, drawn: Drawn, arithmetic: Arithmetic = FLOATS, lift=float) -> list:
        """Conditions and answers in an arithmetic. Raises TooLarge."""
        values = self._start(self.whole, drawn, lift)
        for _ in forward(self.whole, self._groups, values, arithmetic):
            pass
        return [values[n][0] for n in self.names]

    def working(self, drawn: Drawn, each: Callable[[float], float]) -> list[float]:
        """The answers, something done to every value and every adjoint on the way, such as rounding it."""
        values = self._start(self.steps, drawn, float)
        for e, _ in forward(self.steps, self._step_groups, values):
            values[e.target][:] = map(each, values[e.target])
        return [values[f" {w.id}"][0] for w in self.wanted]

    def _start(self, graph: Graph, drawn: Drawn, lift) -> dict[str, list]:
        values: dict[str, list] = {n: list(map(lift, x)) for n, x in self.base.items() if n in graph.variables}
        return values | {v.name: [lift(x)] for v, x in zip(self.quiz.vary, drawn)}

    @cached_property
    def floats(self):
        """The same as a compiled function of a draw, in float64; never an exception for numbers."""
        from graphlang.engines.listing import listing
        from graphlang.engines.python_training import Compiled, leaves

        pool = self.whole.pool
        variables = {**self.whole.variables, ANSWERS: Variable(ANSWERS, "node", (Range(1, len(self.names)),))}
        rows = (Equation(ANSWERS, (pool.number(k),), (), pool.read(n, ())) for k, n in enumerate(self.names, 1))
        graph = replace(self.whole, variables=variables, equations=(*self.whole.equations, *rows), pieces={}, plans=[])
        f = Compiled(listing(graph, None, ANSWERS, (), leaves(graph, ANSWERS)), "answers")
        place = {v.name: k for k, v in enumerate(self.quiz.vary)}
        fixed = [None if n in place else self.base[n] if graph.variables[n].ranges else self.base[n][0] for n in f.made.inputs]
        varying = [(k, place[n]) for k, n in enumerate(f.made.inputs) if n in place]

        def at(drawn: Drawn) -> Sequence[float]:
            arguments = list(fixed)
            for k, place in varying:
                arguments[k] = float(drawn[place])
            return f(arguments)

        return at

    # ---- runs, for what is shown

    @cached_property
    def shown(self) -> Graph:
        """The graph in the grain of tables and solutions: one row an element."""
        return scalar(self.graph) if any(v.ranges for v in self.graph.variables.values() if v.role != "const") else self.graph

    @cached_property
    def _passes(self) -> dict:
        out = {}
        for graph in (self.graph, self.shown):
            order = plan(graph)
            goals = [g if g.name in graph.variables else Goal(g.kind, str(g)) for g in self.goals]
            out[id(graph)] = order, forward_order(order, goals[0].name if goals else None), [differentiate(graph, g, order) for g in goals]
        return out

    def run(self, leaves: Mapping[str, list], shown: bool = False) -> Run:
        """A run of the graph at floats of its leaves; `shown`: of the elements of its tables."""
        graph = self.shown if shown else self.graph
        order, groups, derivatives = self._passes[id(graph)]
        values = scalar_values(self.graph, leaves) if graph is not self.graph else dict(leaves)
        run = Run(graph, order, values, (), wrt=summary(graph), base=self.graph if graph is not self.graph else None)
        run.order = tuple(e for e, _ in forward(graph, groups, values))
        run.passes = tuple(Pass(d, backward(d, values)) for d in derivatives)
        return run

    def empty(self) -> Run:
        """What stands for a run where nothing has a value."""
        return Run(self.graph, plan(self.graph), {}, ())

    @cached_property
    def suspect(self) -> bool:
        """Whether a derivative may rest on a convention."""
        return any(suspect(e.value) for e in self.graph.equations)

    @cached_property
    def perturbed(self) -> dict[int, Perturbed]:
        """The mistakes of each part that asks for numbers."""
        return {k: Perturbed.of(self.graph, [w.shown for _, w in self.part(k)]) for k, p in enumerate(self.quiz.parts) if type(p) is not Choose}


class Ids:
    """Names of blanks, made of what is asked for: `dy_dx`; a number behind those that there are already."""

    def __init__(self):
        self.taken: set[str] = set()

    def of(self, asked: ast.Expr) -> str:
        if type(asked) is ast.Call and asked.name == "diff" and len(asked.args) == 2:
            text = "/".join("d" + format_expr(a, SOURCE) for a in asked.args)
        else:
            text = format_expr(asked, SOURCE)
        text = "".join(c if c.isascii() else f"u{ord(c):x}" for c in text.replace("-", " m "))
        base = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")[:40] or "answer"
        base = base if base[0].isalpha() else f"a{base}"
        name, k = base, 2
        while name in self.taken:
            name, k = f"{base}_{k}", k + 1
        self.taken.add(name)
        return name


@lru_cache(maxsize=64)
def prepared(quiz: Quiz) -> Prepared:
    return Prepared(quiz)
