"""Backward passes with a mistake, all mistakes of a quiz as one graph.

The graph holds the program, its right adjoints, and for each mistake the values and adjoints that it changes, under names of their
own; what it does not change is shared. It is compiled once, to one function, and called once for each variant of the quiz; where two
numbers nearly agree it is evaluated in balls.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Mapping, NamedTuple, Sequence

from graphlang.derive.local import COMPUTED
from graphlang.derive.reverse import Contribution, adjoint_graph, differentiate, pieces, term
from graphlang.engines import ball
from graphlang.engines.listing import listing
from graphlang.engines.python_training import Compiled, leaves
from graphlang.engines.reference import evaluate, forward
from graphlang.graph.expand import expand
from graphlang.graph.expressions import Expr, Index, Number, reads
from graphlang.graph.goals import goals_of
from graphlang.graph.graph import Equation, Goal, Graph, Range, Variable, ancestors
from graphlang.graph.order import forward_order, plan
from graphlang.graph.substitute import substitute
from graphlang.graph.values import Scope
from graphlang.query import lowering_for, with_derivatives
from graphlang.quiz.changes import places
from graphlang.quiz.grain import Change, Grain, replaced
from graphlang.quiz.mistakes import MISTAKES, message
from graphlang.syntax import ast

ANSWERS = " answers"     # no name of an author's begins with a blank
NEAR = 1e-9              # relative: two numbers of which float64 does not know whether they are one
NOISE = 1e-13            # a wrong answer so much smaller than the right one is what rounding left of 0
BITS = 400               # of the balls that decide it
TRIES, POINTS = 60, 8    # random points at which mistakes are compared once and for all
PAIRED = 14              # mistakes of which all pairs are made, the likeliest
Values = Mapping[str, Sequence[float]]


class Perturbation(NamedTuple):
    """One mistake at one place, or two of them. `at`: the place, as the author would call it; "" where it is everywhere."""

    names: tuple[str, ...]
    at: str
    message: str
    weight: float
    changes: Mapping[str, Change]   # by the goal of the pass

    @property
    def name(self) -> str:
        return self.names[0]

    def __str__(self) -> str:
        return f"{' and '.join(self.names)}{f' at {self.at}' if self.at else ''}"


class Wrong(NamedTuple):
    """All answers at one point: the right ones, and for each perturbation its own, nan where one has none. `same[k][a]`: whether the k-th mistake
    leaves answer a as it is, in exact arithmetic."""

    right: tuple[float, ...]
    answers: tuple[tuple[float, ...], ...]
    same: tuple[tuple[bool, ...], ...]


def grains(graph: Graph, goals: Sequence[Goal]) -> tuple[Grain, ...]:
    expanded = expand(graph)
    return tuple(Grain(graph, expanded, g, differentiate(expanded, g)) for g in goals)


def perturbations(graph: Graph, *goals: Goal) -> tuple[Perturbation, ...]:
    """Every mistake of the catalogue at every place of the backward passes of some goals, in the order of the catalogue. The same mistake at
    the same node is made in all passes at once."""
    return _perturbations(grains(graph, goals))


def _perturbations(passes: Sequence[Grain]) -> tuple[Perturbation, ...]:
    found: dict[tuple, dict[str, Change]] = {}
    for grain in passes:
        seen: dict[tuple[str, str, str], int] = {}
        for p in places(grain):
            if p.change == Change() or any(p.change == c.get(str(grain.goal)) for key, c in found.items() if key[0] == p.name):
                continue
            seen[p[:3]] = seen.get(p[:3], 0) + 1
            found.setdefault((*p[:3], seen[p[:3]]), {})[str(grain.goal)] = p.change
    out = []
    for (name, node, to, _), changes in found.items():
        where = {"at": node, "to": to, "of": " and ".join(f"`{g}`" for g in changes)}
        out.append(Perturbation((name,), node if to in ("", node) else f"{node}, into {to}", message(name, **where), MISTAKES[name].weight, changes))
    return tuple(out)


def pairs(singles: Sequence[Perturbation]) -> tuple[Perturbation, ...]:
    """Two of the likeliest mistakes made together, where they touch different contributions."""
    likely = sorted(singles, key=lambda p: -p.weight)[:PAIRED]
    out = []
    for k, a in enumerate(likely):
        for b in likely[k + 1 :]:
            if a.name != b.name and all(a.changes[g].apart(b.changes[g]) for g in a.changes.keys() & b.changes.keys()):
                both = {g: a.changes.get(g, Change()) + b.changes.get(g, Change()) for g in a.changes | b.changes}
                out.append(Perturbation((a.name, b.name), f"{a.at} and {b.at}", f"{a.message} And: {b.message}", 0.3 * a.weight * b.weight, both))
    return tuple(out)


@dataclass(eq=False)
class Perturbed:
    """The answers of a quiz under each mistake. `answers`: expressions over variables and adjoints."""

    graph: Graph
    passes: tuple[Grain, ...]
    answers: tuple[Expr, ...]
    perturbations: tuple[Perturbation, ...]

    @classmethod
    def of(cls, graph: Graph, asked: Sequence[ast.Expr], two: bool = False) -> "Perturbed":
        """For what is asked for, such as `dy/dx`, each a number. `two`: with two mistakes at once in the place of one."""
        lowering = lowering_for(graph)
        answers = tuple(unfolded(lowering.scalar(a, Scope()), graph) for a in asked)
        named = {r.name for a in answers for r in reads(a)}
        wanted = {**{n: a for n, a in graph.asked.items() if n in named}, **lowering.asked}
        passes = [a for a in wanted.values() if not a.partial and a.of in graph.variables and (a.element is not None or not graph.variables[a.of].ranges)]
        goals = list(dict.fromkeys(Goal("output", a.of, a.element) for a in passes)) or goals_of(graph, plan(graph), None)[:1]
        fuller = with_derivatives(graph, lowering) if len(passes) < len(wanted) else graph  # no mistake is made in others
        passes = grains(graph, goals)
        made = _perturbations(passes)
        return cls(fuller, passes, answers, pairs(made) if two else made)

    @cached_property
    def paired(self) -> "Perturbed":
        """The same answers under two mistakes at once."""
        return Perturbed(self.graph, self.passes, self.answers, pairs(self.perturbations))

    # ---- the graph of all of them

    @cached_property
    def whole(self) -> Graph:
        """One graph in which `ANSWERS` has the right answers, then those of each perturbation."""
        base = self.passes[0].graph
        variables, made = dict(base.variables), {}
        for e in self.graph.equations:  # local derivatives that are asked for
            if e.target not in variables:
                variables[e.target] = self.graph.variables[e.target]
                made.setdefault(e.target, []).append(e)
        for grain in self.passes:
            whole = adjoint_graph(grain.derivative)
            add(variables, made, whole.variables, whole.equations[len(base.equations):])
        every = [self.answers]
        for k, p in enumerate(self.perturbations):
            names: dict[str, str] = {}
            for grain in self.passes:
                if (change := p.changes.get(str(grain.goal))) is not None:
                    one = Perturbing(grain, change, k)
                    add(variables, made, *one.equations())
                    names |= one.names
            every.append(tuple(renamed(a, names) for a in self.answers))
        return with_answers(base, variables, [*base.equations, *(e for some in made.values() for e in some)], [a for row in every for a in row])

    @cached_property
    def function(self) -> Compiled:
        return Compiled(listing(self.whole, None, ANSWERS, (), leaves(self.whole, ANSWERS)), "answers")

    def rows(self, values: Values) -> list[tuple[float, ...]]:
        """The right answers, then those of each perturbation, at leaves with flat values."""
        scalar = self.whole.variables
        found = self.function([values[n] if scalar[n].ranges else values[n][0] for n in self.function.made.inputs])
        n = len(self.answers)
        return [tuple(x if math.isfinite(x) else math.nan for x in found[k : k + n]) for k in range(0, len(found), n)]

    # ---- at a point

    def at(self, values: Values) -> Wrong:
        """Every wrong answer at one point, and which of them are not wrong there."""
        right, *rows = self.rows(values)
        rows = [tuple(0.0 if abs(x) < NOISE * abs(r) else x for x, r in zip(row, right)) for row in rows]
        same = [tuple(self.never[k][a] or abs(x - r) <= NEAR * max(abs(x), abs(r)) for a, (x, r) in enumerate(zip(row, right))) for k, row in enumerate(rows)]
        doubtful = [(k, a) for k, row in enumerate(same) for a, s in enumerate(row) if s and not self.never[k][a] and rows[k][a] != right[a]]
        if doubtful and ball.available():
            apart = self.differ(values, doubtful)
            same = [tuple(s and (k, a) not in apart for a, s in enumerate(row)) for k, row in enumerate(same)]
        return Wrong(right, tuple(rows), tuple(same))

    def differ(self, values: Values, which: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
        """Of some answers those that are certainly not the right ones."""
        n = len(self.answers)
        slot = {(k, a): ((k + 1) * n + a, a) for k, a in which}
        wanted = {s for two in slot.values() for s in two}
        part = [self.whole.pieces[ANSWERS][s] for s in sorted(wanted)]
        needed = ancestors(self.whole, {r.name for e in part for r in reads(e.value)})
        graph = replace(self.whole, equations=tuple(e for e in self.whole.equations if e.target in needed), pieces={}, plans=[])
        with ball.working(BITS):
            known = ball.exactly({n: x for n, x in values.items() if graph.variables.get(n) is not None and graph.variables[n].is_leaf})
            for _ in forward(graph, forward_order(plan(graph), None), known, ball.arithmetic()):
                pass
            arithmetic, ranges = ball.arithmetic(), {n: v.ranges for n, v in self.whole.variables.items()}
            ball_of = {s: evaluate(self.whole.pieces[ANSWERS][s].value, (), known, ranges, arithmetic)[0] for s in wanted}
            return {key for key, (mine, right) in slot.items() if not ball_of[mine].overlaps(ball_of[right])}

    # ---- once and for all

    @cached_property
    def likeliest(self) -> tuple[int, ...]:
        """The perturbations by weight; those of one weight in the order of the catalogue."""
        return tuple(sorted(range(len(self.perturbations)), key=lambda k: -self.perturbations[k].weight))

    @cached_property
    def sample(self) -> list[list[tuple[float, ...]]]:
        """The rows at random points of the program's domain."""
        rng, out = random.Random("mistakes"), []
        fixed = {n: list(v.initial.numbers) for n, v in self.graph.variables.items() if v.role == "const" and v.initial is not None and v.initial.kind == "numbers"}
        inputs = [(n, self.whole.variables[n].size) for n in self.function.made.inputs]
        for k in range(TRIES):
            low, high = ((0.2, 1.8), (1.1, 3.0), (-2.0, 2.0), (-1.0, 1.0))[k % 4]
            rows = self.rows(fixed | {n: [low + (high - low) * rng.random() for _ in range(size)] for n, size in inputs})
            if all(map(math.isfinite, rows[0])):
                out.append(rows)
            if len(out) == POINTS:
                break
        return out

    @cached_property
    def never(self) -> tuple[tuple[bool, ...], ...]:
        """Whether a mistake leaves an answer as it is at every point."""
        return tuple(tuple(bool(self.sample) and all(agree(rows[k + 1][a], rows[0][a]) for rows in self.sample) for a in range(len(self.answers)))
                     for k in range(len(self.perturbations)))

    @cached_property
    def twins(self) -> tuple[int, ...]:
        """For each perturbation the first that has the same answers at every point: two names of one wrong answer."""
        first: list[int] = []
        for k in range(len(self.perturbations)):
            first.append(next((j for j in range(k) if first[j] == j and self.sample and all(
                agree(x, y) for rows in self.sample for x, y in zip(rows[j + 1], rows[k + 1]))), k))
        return tuple(first)


def agree(x: float, y: float) -> bool:
    return x == y or x != x and y != y or abs(x - y) <= NEAR * max(abs(x), abs(y))


def add(variables: dict, made: dict, new: Mapping[str, Variable], equations: Sequence[Equation]) -> None:
    """Put variables and their equations to the others, each once."""
    fresh: dict[str, list[Equation]] = {}
    for e in equations:
        if e.target not in made:
            fresh.setdefault(e.target, []).append(e)
    made.update(fresh)
    for n, v in new.items():
        variables.setdefault(n, v)


def with_answers(graph: Graph, variables: dict, equations: list[Equation], answers: Sequence[Expr]) -> Graph:
    pool = graph.pool
    variables[ANSWERS] = Variable(ANSWERS, "node", (Range(1, len(answers)),))
    equations += [Equation(ANSWERS, (pool.number(k),), (), a) for k, a in enumerate(answers, 1)]
    return replace(graph, variables=variables, equations=tuple(equations), pieces={}, plans=[], expectations=(), claims=(), asked={})


def unfolded(root: Expr, graph: Graph) -> Expr:
    """An answer in terms of derivatives, where it is a variable whose equation has some: `wnew` of `wnew = w - gamma*dJ/dw`."""
    if not graph.asked:
        return root
    later = dependents(graph, set(graph.asked))
    while put := {r: graph.pieces[r.name][0].value for r in reads(root) if r.name in later and r.name.isidentifier() and not graph.variables[r.name].ranges}:
        root = replaced(root, put)
    return root


def renamed(root: Expr, names: Mapping[str, str]) -> Expr:
    if not names or not any(r.name in names for r in reads(root)):
        return root
    pool = root.pool
    while True:  # subscripts of a read may hold reads: from the inside out, until there is none left
        put = {r: pool.read(names[r.name], r.args) for r in reads(root) if r.name in names}
        if not put:
            return root
        root = replaced(root, put)


class Perturbing:
    """The k-th perturbation of one pass: which values and adjoints it changes, and their equations."""

    def __init__(self, grain: Grain, change: Change, k: int):
        self.grain, self.change = grain, change
        graph, d = grain.graph, grain.derivative
        moved = {e.target for e in graph.equations} if change.whole else {e.target for e in change.forward}
        self.forward = dependents(graph, moved)
        self.incoming = {v: tuple(self.contribution(c) for c in edges if change.locals.get(c, c) is not None) for v, edges in d.incoming.items()}
        self.backward = self.reached()
        self.own = {n: f" {k} {n}" for n in self.forward}
        self.adjoints = {d.adjoint_name(v): f" {k} {d.adjoint_name(v)}" for v in (*self.backward, *change.adjoints)}

    @property
    def names(self) -> dict[str, str]:
        """Under which names an answer finds what is changed."""
        return {**self.own, **self.adjoints}

    def contribution(self, c: Contribution) -> Contribution:
        local = self.change.locals.get(c)
        return c if local is None else replace(c, computed=local)

    def reached(self) -> list[str]:
        """Variables whose adjoint is another one."""
        d, change, out = self.grain.derivative, self.change, {}
        before = -1
        while len(out) > before:  # once more only where tables depend on themselves
            before = len(out)
            for v in d.variables:
                for c in d.incoming.get(v, ()):
                    touched = change.whole or c in change.locals or c in change.terms or c.source.target in out
                    if touched or not self.forward.isdisjoint(r.name for r in reads(c.computed)):
                        out[v] = True
        return list(out)

    def equations(self) -> tuple[dict[str, Variable], list[Equation]]:
        graph, d, change = self.grain.graph, self.grain.derivative, self.change
        variables = {self.own[n]: replace(graph.variables[n], name=self.own[n]) for n in self.forward}
        variables |= {self.adjoints[d.adjoint_name(v)]: replace(graph.variables[v], name=self.adjoints[d.adjoint_name(v)], role="node", initial=None, symmetric=False)
                      for v in (*self.backward, *change.adjoints)}
        out = []
        for e in graph.equations:
            if e.target in self.own:
                out.append(replace(e, target=self.own[e.target], value=self.step(renamed(change.forward.get(e, e.value), self.own)), source=None))
        inner = replace(d, incoming=self.incoming)
        for v in self.backward:
            if v in change.adjoints:
                continue
            name = self.adjoints[d.adjoint_name(v)]
            for piece in pieces(inner, v):
                total = graph.pool.zero
                if v == self.grain.goal.name and all(type(s) is Number and s.value == k for s, k in zip(piece.at, self.grain.goal.element or ())):
                    total = graph.pool.one
                for c in piece.terms:
                    value = change.terms[c] if c in change.terms else term(inner, c, COMPUTED)
                    total = total + substitute(value, {s.name: p for s, p in zip(c.at, piece.at) if type(s) is Index and s is not p})
                out.append(Equation(name, piece.at, piece.over, self.step(renamed(total, self.names))))
        for made in change.adjoints.values():
            out.append(replace(made, target=self.adjoints[made.target]))
        for made in change.more:
            variables[made.target] = Variable(made.target, "node")
            out.append(made)
        return variables, out

    def step(self, value: Expr) -> Expr:
        """A value, rounded to a whole number where every step is: half away from zero, as on paper."""
        if not self.change.whole:
            return value
        pool = value.pool
        return pool.call("*", pool.call("sign", value), pool.call("floor", pool.call("+", pool.call("abs", value), pool.number(0.5))))


def dependents(graph: Graph, moved: set[str]) -> frozenset[str]:
    out, before = set(moved), -1
    while out and len(out) > before:
        before = len(out)
        for e in graph.equations:
            if e.target not in out and any(r.name in out for r in reads(e.value)):
                out.add(e.target)
    return frozenset(out)
