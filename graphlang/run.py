"""A run: the values of every variable, the adjoints, and the trace that the tables and the JSON are made from."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from operator import index
from typing import Mapping, NamedTuple

from graphlang.derive.reverse import COMPUTED, SHOWN, Contribution, Derivative, Piece, local, piece_formula, pieces
from graphlang.diagnostics import Diagnostic, GraphError, Source, Span, did_you_mean
from graphlang.engines.reference import Backward, Values, _elements, evaluate
from graphlang.engines.tape import TooLarge
from graphlang.graph.coverage import interval
from graphlang.graph.expressions import Expr
from graphlang.graph.graph import Binding, Box, Equation, Goal, Graph, Variable, natural
from graphlang.graph.order import Plan
from graphlang.graph.scalar import element_names
from graphlang.syntax.names import NotAName, canonical


class Step(NamedTuple):
    """An equation and its value: flat, over the equation's own box."""

    equation: Equation
    value: list[float]


class Entry(NamedTuple):
    """A contribution to an adjoint: its value and the running total after it, both flat over the variable's ranges.
    `last` marks the one after which the adjoint is final."""

    contribution: Contribution
    value: list[float]
    total: list[float]
    last: bool


class Adjoint(NamedTuple):
    """An adjoint with its formula: one piece for each box that the same contributions reach."""

    variable: str
    pieces: tuple[Piece, ...]
    entries: tuple[Entry, ...]
    value: list[float]


class Trace(NamedTuple):
    """What happened, in order: equations with values, then adjoints with their contributions."""

    forward: tuple[Step, ...]
    backward: tuple[Adjoint, ...]


class Expectation(NamedTuple):
    """A test of the program: the two sides and whether it holds (None: not judged, `note` says why)."""

    text: str
    holds: bool | None
    left: float | None
    right: float | None
    note: str = ""


HOLDS, HERE_ONLY, FAILS, NOT_JUDGED = "holds", "holds here only", "fails", "not judged"


class Verdict(NamedTuple):
    """How a claim stands. `at`: the indices and values where it fails, `left` the true value of its left side there and
    `right` what it says; `slip` what kind of mistake it looks like; `right_form` the formula (shown on request only)."""

    text: str
    verdict: str
    by: str = ""                      # "normal form", "random points", "ball arithmetic", "the program's own point"
    at: Mapping[str, int] = {}          # read only
    left: float | None = None
    right: float | None = None
    point: str = ""                   # where: "the program's own point" or a random one
    slip: str = ""
    note: str = ""
    right_form: str = ""
    span: Span | None = None

    @property
    def ok(self) -> bool:
        return self.verdict in (HOLDS, NOT_JUDGED)


@dataclass(eq=False)
class Pass:
    """The backward pass for one goal."""

    derivative: Derivative
    sweep: Backward

    @property
    def goal(self) -> Goal:
        return self.derivative.goal


class Tangents(NamedTuple):
    """Forward mode for one variable x: the program with a variable `du/dx` for each u that depends on x, the values of
    all, and its equations in evaluation order."""

    wrt: str
    graph: Graph
    values: Values
    order: tuple[Equation, ...]


@dataclass(eq=False, repr=False)
class Run:
    """What `program.run()` gives. Values are floats and nested lists, by the program's own names."""

    graph: Graph                  # of what is shown: the author's, expanded or scalar
    plan: Plan
    flat: Values
    order: tuple[Equation, ...]   # evaluation order, as far as it went
    passes: tuple[Pass, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    claims: tuple[Verdict, ...] = ()
    derivatives: dict = field(default_factory=dict)  # of whole tables and second ones, where they are asked for: name → values, ranges
    tangents: tuple[Tangents, ...] = ()  # of mode "forward", one for each variable of `wrt`
    conventions: tuple[dict, ...] = ()
    notes: tuple[str, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    mode: str = "B"
    form: str = SHOWN
    ieee: bool = False
    wrt: tuple[str, ...] = ()     # what the summary lists
    bad: Diagnostic | None = None  # why the run stopped
    first_bad: Equation | None = None  # the first whose value is not finite although its operands are
    first_bad_part: Contribution | None = None  # the first whose value is not finite although what it is made of is
    exact: object = None          # the same numbers in ball arithmetic (graphlang.exact.Exact), where they are asked for
    look: dict = field(default_factory=dict)  # how it shows itself where that was said (`shown`)
    base: Graph | None = None     # in the scalar view the graph with tables, so that `z` still has a meaning

    # ---- values

    @cached_property
    def ranges(self) -> dict[str, Box]:
        return {n: v.ranges for n, v in self.graph.variables.items()}

    @cached_property
    def variables(self) -> dict[str, Variable]:
        """All that an expression about the run may name."""
        return {**(self.base.variables if self.base else {}), **self.graph.variables}

    def nested(self, name: str, flat: list[float]):
        return nest(flat, self.graph.variables[name].ranges)

    @cached_property
    def values(self) -> dict:
        return {n: self.nested(n, self.flat[n]) for n in sorted(self.graph.variables, key=natural) if self.evaluated(n)}

    def evaluated(self, name: str) -> bool:
        """Whether a variable has its value: not where a run stopped before it (tables are made before they are filled)."""
        return name in self.flat and (self.bad is None or self.graph.variables[name].is_leaf or any(e.target == name for e in self.order))

    @cached_property
    def adjoints(self) -> dict:
        """Of the first goal."""
        return self.adjoints_of(self.passes[0]) if self.passes else {}

    def adjoints_of(self, p: Pass) -> dict:
        return {n: self.nested(n, p.sweep.adjoints[n]) for n in sorted(p.sweep.adjoints, key=natural)}

    def __getitem__(self, key):
        """`run["z"]`, or `run["z", 0]` by the program's own index."""
        name, *subs = key if isinstance(key, tuple) and key else (key,)
        v = self.variable(name)
        flat = self.flat_of(v)
        if not subs:
            return nest(flat, v.ranges)
        if not v.ranges:
            raise IndexError(f"`{v.name}` is a scalar and takes no subscripts")
        said = f"`{v.name}` has the ranges {', '.join(map(str, v.ranges))}"
        if len(subs) != len(v.ranges):
            raise IndexError(f"{said}: {len(v.ranges)} {'subscript is' if len(v.ranges) == 1 else 'subscripts are'} wanted, {len(subs)} given")
        offset = 0
        for k, r in zip(subs, v.ranges):
            if isinstance(k, bool) or not hasattr(k, "__index__"):
                raise TypeError(f"a subscript of `{v.name}` is a whole number, not {k!r}")
            if not r.low <= index(k) <= r.high:
                raise IndexError(f"{said}: there is no element {k}")
            offset = offset * r.extent + index(k) - r.low
        return flat[offset]

    def variable(self, name: str) -> Variable:
        """By any spelling of its name. Raises KeyError."""
        if not isinstance(name, str):
            raise TypeError(f"a variable is looked up by its name, not by {name!r}")
        if name in self.variables:  # in the scalar view also `z[0]`
            return self.variables[name]
        try:
            return self.variables[canonical(name)]
        except (KeyError, NotAName):
            hints = did_you_mean(name, self.variables)
            raise KeyError(f"there is no variable `{name}`" + "".join(f"; {h}" for h in hints)) from None

    def flat_of(self, v: Variable) -> list[float]:
        """The values of a variable, row-major; in the scalar view those of a table from its elements."""
        names = [v.name] if v.name in self.graph.variables else element_names(v)
        if not all(map(self.evaluated, names)):
            raise KeyError(f"`{v.name}` has no value: the run stopped before it")
        return self.flat[v.name] if v.name in self.graph.variables else [x for n in names for x in self.flat[n]]

    def array(self, name: str):
        """The value as a NumPy array (the index offset of the ranges is not kept)."""
        import numpy

        v = self.variable(name)
        return numpy.array(self.flat_of(v)).reshape([r.extent for r in v.ranges])

    def evaluate(self, text: str):
        """The value of an expression in the program's names; `dJ/dx` of a goal may stand in it. With a trailing
        `for j in 1..2` a nested list over those indices. Raises GraphError."""
        from graphlang.query import evaluate_text

        return evaluate_text(self, text)

    def json(self) -> str:
        """The JSON document of a run, as `graphlang run --json` prints it."""
        from graphlang.show.document import dumps, document

        return dumps(document(self))

    def __repr__(self) -> str:
        name = self.graph.source.name if self.graph.source else "a graph"
        goals = ", ".join(f"{p.goal} = {self._at(p.goal):.6g}" for p in self.passes[:3])
        return f"<run of {name}: {goals or 'nothing differentiated'}; {len(self.graph.variables)} variables>"

    def _at(self, goal: Goal) -> float:
        return self[goal.name] if goal.element is None else self[(goal.name, *goal.element)]

    # ---- showing itself

    def shown(self, **look) -> Run:
        """The same run, which shows itself in another way: digits=10, all=True, ascii=True, order="eval", steps=True, mode="A",
        reveal=True."""
        from graphlang.show.notebook import checked

        return replace(self, look={**self.look, **checked(look)})

    def latex(self) -> str:
        """The equations and the adjoints with their values, as an `aligned` environment that MathJax shows between `$$`."""
        from graphlang.show.notebook import latex

        return latex(self)

    def __rich_console__(self, console, options):
        """The table of `graphlang run`, at the width of the console."""
        from graphlang.show.notebook import rendered

        yield rendered(self, options.max_width)

    def _repr_pretty_(self, printer, cycle: bool) -> None:
        """The table at a prompt of IPython; within a list the short form."""
        if cycle or len(printer.stack) > 1:
            printer.text(repr(self))
            return
        from graphlang.show.notebook import text

        printer.text(text(self, printer.max_width).rstrip("\n"))

    def _repr_html_(self) -> str:
        """The table for a notebook."""
        from graphlang.show.notebook import html

        return html(self)

    def _repr_latex_(self) -> str:
        """For a document that is made of a notebook; a notebook itself shows the table."""
        return f"$$\n{self.latex()}\n$$"

    # ---- the trace

    @cached_property
    def trace(self) -> Trace:
        """The steps forward, and backward for the first goal."""
        return Trace(self.forward, self.backward(self.passes[0]) if self.passes else ())

    @cached_property
    def forward(self) -> tuple[Step, ...]:
        """Every equation with its value, in evaluation order."""
        return tuple(Step(e, self.over_box(e)) for e in self.order)

    def over_box(self, e: Equation) -> list[float]:
        whole, table = self.graph.variables[e.target].ranges, self.flat[e.target]
        return table if e.box == whole else [table[k] for k in offsets(e.box, whole)]

    def backward(self, p: Pass) -> tuple[Adjoint, ...]:
        """Every adjoint with its formula and contributions, nearest to the goal first."""
        return tuple(self.adjoint(p, name) for name in p.derivative.variables)

    def adjoint(self, p: Pass, name: str) -> Adjoint:
        return Adjoint(name, tuple(pieces(p.derivative, name)), tuple(self.entries(p, name)), p.sweep.adjoints[name])

    def entries(self, p: Pass, name: str):
        """The contributions to an adjoint with running totals: the same additions that made the adjoint."""
        whole = self.graph.variables[name].ranges
        terms = p.derivative.incoming.get(name, ())
        size = len(p.sweep.adjoints[name])
        total: list[float | None] = [None] * size
        if name == p.goal.name:
            at = 0
            for k, r in zip(p.goal.element or (), whole):
                at = at * r.extent + k - r.low
            total[at] = 1.0
        for k, c in enumerate(terms):
            value = [0.0] * size
            part = p.sweep.parts[c]
            for offset, x in (enumerate(part) if not whole else _elements(c, whole, whole, part)):
                value[offset] = x
                total[offset] = x if total[offset] is None else total[offset] + x
            yield Entry(c, value, [0.0 if t is None else t for t in total], k == len(terms) - 1)

    def formula(self, p: Pass, piece: Piece) -> Expr:
        return piece_formula(p.derivative, piece, self.form)

    def local(self, c: Contribution) -> tuple[Expr, tuple[Binding, ...]]:
        """The local derivative that is shown, and the indices that it runs over (of the element reached, and those
        that are summed)."""
        expression = local(c, self.form)
        return expression, self._over(c, expression.free)

    def _over(self, c: Contribution, free: frozenset[str]) -> tuple[Binding, ...]:
        over = dict(c.over)
        for b in c.summed:
            over[b.index] = interval(b, over)
        return tuple(Binding(n, r) for n, r in over.items() if n in free)

    def local_value(self, c: Contribution) -> tuple[list[float], tuple[Binding, ...]]:
        expression, over = self.local(c)
        return evaluate(expression, over, self.flat, self.ranges), over

    def local_note(self, c: Contribution) -> str | None:
        """A note where the local derivative as it is shown and as it is computed differ by more than 1e-12: the shown
        form loses digits there."""
        shown, computed = local(c, self.form), local(c, COMPUTED)
        if shown is computed:
            return None
        over = self._over(c, shown.free | computed.free)
        try:
            values = zip(evaluate(shown, over, self.flat, self.ranges), evaluate(computed, over, self.flat, self.ranges))
        except TooLarge:
            return None
        for a, b in values:
            if a != a and math.isfinite(b):
                return f"the form shown has no value here; computed in another way it is {b:.6g}"
            if abs(a - b) > 1e-12 * max(abs(a), abs(b)):
                return f"the form shown loses digits here: it gives {a:.6g}, computed without loss it is {b:.6g}"
        return None


def nest(flat: list[float], ranges: Box):
    """A flat row-major list as nested lists; a scalar as its number."""
    if not ranges:
        return flat[0]
    if len(ranges) == 1:
        return list(flat)
    step = 1
    for r in ranges[1:]:
        step *= r.extent
    return [nest(flat[k * step : (k + 1) * step], ranges[1:]) for k in range(ranges[0].extent)]


def offsets(box: Box, whole: Box) -> list[int]:
    """Where the elements of a box are in the flat list of the whole table."""
    rows = [0]
    for r, w in zip(box, whole):
        rows = [a * w.extent + k - w.low for a in rows for k in range(r.low, r.high + 1)]
    return rows


class EvaluationError(GraphError):
    """A value or an adjoint is not finite. `run` holds what was evaluated before it."""

    def __init__(self, diagnostics, source: Source | None, run: Run):
        super().__init__(diagnostics, source)
        self.run = run
