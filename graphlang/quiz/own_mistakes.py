"""Mistakes on the student's own numbers: which rule of the catalogue leads from earlier numbers to the next one.

The graph of all mistakes (perturbed.py) is cut at the cells that are given: there each of its copies reads the one number that was typed. What is left
of it is compiled once for each blank and each set of cells.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Mapping

from graphlang.engines.listing import listing
from graphlang.engines.python_training import Compiled, leaves
from graphlang.graph.expressions import reads
from graphlang.graph.graph import Equation, Goal, Graph, Variable
from graphlang.quiz.diagnosing import decimal, interval, named, rounded
from graphlang.quiz.model import Blank
from graphlang.quiz.perturbed import NEAR, Perturbed, _perturbations, grains, renamed, with_answers

MOST_EQUATIONS = 400                # of a graph whose mistakes are looked for
LARGEST = 1e9                       # far beyond every key
COPY = re.compile(r" \d+ (.*)")     # of a variable that a mistake changes


@dataclass(eq=False)
class OwnMistakes:
    """`graph`: scalar, as it is shown; `goals`: of its backward passes."""

    graph: Graph
    goals: tuple[Goal, ...]

    def find(self, target: str, fixed: frozenset[str] | None, values: Mapping[str, list], value: Decimal, blank: Blank) -> tuple[tuple[str, ...], str]:
        """The names of the mistakes that lead to a number, and what is told; nothing where none does. `fixed`: the cells whose numbers are given, None: all
        but the target."""
        if len(self.graph.equations) > MOST_EQUATIONS:
            return (), ""
        made = self.function(target, fixed)
        right, *wrong = made([values[n] if self.whole.variables[n].ranges else values[n][0] for n in made.made.inputs])
        found = []
        for k in self.perturbed.likeliest:
            x = wrong[k]
            if abs(x) < LARGEST and abs(x - right) > NEAR * max(abs(x), abs(right)) and interval(rounded(decimal(x), blank.precision), blank.precision).holds(value):
                found.append(self.perturbed.perturbations[k])
        return named(found) if found else ((), "")

    # ---- once for all variants

    @cached_property
    def perturbed(self) -> Perturbed:
        passes = grains(self.graph, self.goals)
        return Perturbed(self.graph, passes, (self.graph.pool.zero,), _perturbations(passes))

    @cached_property
    def whole(self) -> Graph:
        return self.perturbed.whole

    @cached_property
    def cells(self) -> frozenset[str]:
        """What stands in a table: values and adjoints of the author's nodes, not the steps that they are made of."""
        names = [n for n, v in self.graph.variables.items() if v.role != "const"]
        return frozenset((*names, *(p.derivative.adjoint_name(n) for p in self.perturbed.passes for n in names)))

    @cached_property
    def functions(self) -> dict[tuple, Compiled]:
        return {}

    def function(self, target: str, fixed: frozenset[str] | None) -> Compiled:
        key = target, fixed
        if key not in self.functions:
            graph, answers = self.cut(target, self.cells - {target} if fixed is None else fixed)
            self.functions[key] = Compiled(listing(graph, None, answers, (), leaves(graph, answers)), "answers")
        return self.functions[key]

    def cut(self, target: str, fixed: frozenset[str]) -> tuple[Graph, str]:
        """The graph of one cell, right and under each mistake, in which the given cells are leaves."""
        pool, variables = self.whole.pool, {n: v for n, v in self.whole.variables.items() if v.role == "const"}
        copies = [target, *(f" {k} {target}" for k in range(len(self.perturbed.perturbations)))]
        wanted = [n if n in self.whole.variables else target for n in copies]
        equations: list[Equation] = []
        work = list(wanted)
        while work:
            name = work.pop()
            if name in variables:
                continue
            variables[name] = self.whole.variables[name]
            for e in self.whole.pieces.get(name, ()):
                inner = {r.name for r in reads(e.value)}
                names = {n: base for n in inner if (base := m[1] if (m := COPY.fullmatch(n)) else n) in fixed and base != n}
                value = renamed(e.value, names)
                equations.append(replace(e, value=value, source=None))
                for n in {r.name for r in reads(value)}:
                    if n in fixed:
                        variables[n] = Variable(n, "input", self.whole.variables[n].ranges)
                    else:
                        work.append(n)
        graph = with_answers(self.whole, variables, equations, [pool.read(n, ()) for n in wanted])
        return graph, next(e.target for e in reversed(graph.equations))
