"""The numbers and formulas of a document: those of its last run, as far as the text still means the same."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple, Sequence

from graphlang.diagnostics import GraphError
from graphlang.derive.reverse import pieces
from graphlang.engines.reference import Backward
from graphlang.engines.tape import TooLarge
from graphlang.given import UsageError
from graphlang.graph.expressions import Number, Reduce, postorder
from graphlang.graph.graph import Box, Equation, Range, Variable
from graphlang.lsp.analysis import Analysis
from graphlang.lsp.reading import Reading, unchanged, variable
from graphlang.run import offsets
from graphlang.show.cells import Adjoints
from graphlang.show.numbers import number, table
from graphlang.syntax.occurrences import Symbol

SHORT = 6         # entries of a table that are written on one line
MOST_ASKED = 500  # equations of a program in which any derivative is worked out to show it, and elements of its variables
MOST_GOALS = 4    # that a variable's adjoints are shown of


class AdjointLine(NamedTuple):
    """`dJ/dz[j]`, its formula, over which indices, and the value ("" where there is none)."""

    name: str
    formula: str
    over: str
    value: str

    def __str__(self) -> str:
        return f"{self.name} = {self.formula}{self.over}"


class Figures:
    """What is known of the variables of a text (`now`) from the analysis of this text or of an earlier one (`made`)."""

    def __init__(self, made: Analysis, now: Reading):
        self.made, self.graph, self.run = made, made.graph, made.run
        self.same = unchanged(made.reading, now)
        goals = [p.goal.name for p in made.run.passes] if made.run else [made.derivative.goal.name] if made.derivative else []
        # An adjoint depends on all that its goal depends on, and another program has another goal.
        self.whole = made.reading.own.path == now.own.path and made.reading.goals == now.goals and all(variable(g) in self.same for g in goals)
        self.present = made.reading is now or (self.whole and set(now.definitions) == self.same == set(made.reading.definitions))
        self._equations: dict[tuple[str, str], Equation] = {}
        source = made.graph.source if made.graph else None
        for e in made.graph.equations if made.graph else ():
            if e.source is not None and source is not None:
                self._equations[e.target, " ".join(source.at(e.source.span).split())] = e

    @cached_property
    def passes(self) -> list[tuple[Adjoints, Backward | None]]:
        """The texts and the numbers of each goal's backward pass; no numbers where nothing was evaluated."""
        made = self.made
        if not made.adjoints:
            return []
        found = [(Adjoints(p.derivative, ascii=True), p.sweep) for p in (made.run.passes if made.run else ())[:MOST_GOALS]]
        return found or ([(Adjoints(made.derivative, ascii=True), None)] if made.derivative is not None else [])

    def knows(self, symbol: Symbol) -> bool:
        """Whether what is known of a variable still holds."""
        return symbol in self.same and self.graph is not None and symbol.name in self.graph.variables

    def variable(self, name: str) -> Variable | None:
        return self.graph.variables[name] if self.knows(variable(name)) else None

    def equation(self, name: str, text: str) -> Equation | None:
        """The equation of a variable, a piece of a table, by what is written."""
        return self._equations.get((name, " ".join(text.split()))) if self.knows(variable(name)) else None

    # ---- values

    def flat(self, name: str) -> list[float] | None:
        known = self.run is not None and self.knows(variable(name)) and self.run.evaluated(name)
        return self.run.flat[name] if known else None

    def value(self, name: str, box: Box | None = None) -> str | None:
        """The value of a variable, or of a part of it, on one line."""
        flat = self.flat(name)
        return None if flat is None else brief(flat, self.graph.variables[name].ranges, box)

    def long_value(self, name: str) -> str | None:
        flat = self.flat(name)
        return None if flat is None else table(flat, [r.extent for r in self.graph.variables[name].ranges])

    def adjoint(self, name: str, box: Box | None = None) -> list[tuple[str, str]]:
        """`dJ/dz` and its value, or that of a part of z, for each goal but z itself."""
        out = []
        for texts, sweep in self.passes if self.whole and self.knows(variable(name)) else ():
            if sweep is not None and name in sweep.adjoints and name != texts.derivative.goal.name:
                out.append((texts.adjoint(name), brief(sweep.adjoints[name], self.graph.variables[name].ranges, box)))
        return out

    def adjoint_lines(self, name: str) -> list[AdjointLine]:
        """The adjoints of a variable with formulas, a line for each piece; values behind the last."""
        out: list[AdjointLine] = []
        for texts, sweep in self.passes if self.whole and self.knows(variable(name)) else ():
            if name not in texts.derivative.variables:
                continue
            ranges = self.graph.variables[name].ranges
            own = pieces(texts.derivative, name)
            for k, piece in enumerate(own):
                value = table(sweep.adjoints[name], [r.extent for r in ranges]) if sweep is not None and k == len(own) - 1 else ""
                over = ", ".join(f"{b.index} in {b.range}" for b in piece.over)
                out.append(AdjointLine(texts.adjoint(name, piece.at), texts.formula(piece), f" for {over}" if over else "", value))
        return out

    def derivative(self, text: str) -> str | None:
        """The value of any `du/dv` or `∂u/∂v`, worked out for it."""
        if self.run is None or self.run.bad is not None or not self.present or len(self.graph.equations) > MOST_ASKED or sum(v.size for v in self.graph.variables.values()) > MOST_ASKED:
            return None
        try:
            found = self.run.evaluate(text)
        except (GraphError, UsageError, TooLarge):
            return None
        flat = flattened(found)
        return number(flat[0]) if not isinstance(found, list) else f"[{' '.join(map(number, flat[:12]))}{f' … ({len(flat) - 12} more)' if len(flat) > 12 else ''}]"

    # ---- ranges

    def ranges(self, name: str) -> str:
        v = self.variable(name)
        return ", ".join(map(str, v.ranges)) if v is not None else ""

    def index_range(self, equation: Equation, index: str) -> str | None:
        """The range of an index of an equation, if it can be only one."""
        found = {b.range for b in equation.bindings if b.index == index}
        for node in postorder(equation.value):
            if type(node) is Reduce:
                found |= {Range(int(b.low.value), int(b.high.value)) for b in node.binders
                          if b.index == index and type(b.low) is type(b.high) is Number}
        return str(found.pop()) if len(found) == 1 else None


def brief(flat: Sequence[float], ranges: Box, box: Box | None = None) -> str:
    """The numbers of a table, or of a box of it, on one line; a long one is counted."""
    if box is not None and box != ranges:
        flat = [flat[k] for k in offsets(box, ranges)]
        ranges = tuple(b for b in box if b.extent != 1)
        if len(flat) == 1:
            return number(flat[0])
    if len(flat) > SHORT:
        return f"[{' '.join(map(number, flat[:4]))} … {len(flat)} numbers]"
    return table(flat, [r.extent for r in ranges])


def flattened(value) -> list[float]:
    out, todo = [], [value]
    while todo:
        item = todo.pop()
        if isinstance(item, list):
            todo.extend(reversed(item))
        else:
            out.append(item)
    return out
