"""Pages of functions, made from their rows: nothing here repeats what a row says.

A row is asked by a small program, `u = sin(v)`, that goes the way of every program; so the derivative on a page is the one that a run shows.
"""

from __future__ import annotations

import inspect
import math
import re
from itertools import product
from typing import Sequence

from graphlang.derive.reverse import COMPUTED, RAW, SHOWN, Derivative, piece_formula, pieces
from graphlang.graph.expressions import Pool
from graphlang.graph.function_words import Function
from graphlang.graph.functions import ALIASES, FUNCTIONS
from graphlang.graph.reductions import REDUCTIONS, Reduction
from graphlang.graph.spell import formula
from graphlang.graph.substitute import unshadow
from graphlang.pages.sheet import Page, Part
from graphlang.pages.texts import Entry, Example, entries
from graphlang.pages.trials import attempt, results, said
from graphlang.pipeline import loads
from graphlang.show.numbers import number
from graphlang.syntax.format import SOURCE

SIGNS = {"+": ("plus", "add"), "-": ("minus", "subtract"), "*": ("times", "multiply"), "/": ("divide",), "^": ("**", "power", "pow"),
         "neg": ("negative",), "<": ("less",), "<=": ("less or equal",), ">": ("greater",), ">=": ("greater or equal",), "==": ("equal",),
         "!=": ("not equal",)}  # fmt: skip
PRIVATE = re.compile(r"\b_\w+")
FORMS = {SHOWN: "derivative", COMPUTED: "computed as", RAW: "without u"}
LITERAL = {"^": "x^3"}  # a rule that is another one when an operand is a number

PROBES = (0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0)
POINTS = {1: ((0.5,), (2.0,), (1.5,)), 2: ((2.0, 3.0), (0.5, 0.25)), 3: ((2.0, 1.0, 3.0),)}


def names() -> dict[str, tuple[str, ...]]:
    """The functions that have rows, with the further names of each."""
    found = {n: SIGNS.get(n, ()) for n in (*FUNCTIONS, *REDUCTIONS) if not n.startswith("_")}
    for alias, name in ALIASES.items():
        found[name] += (alias,)
    return found


def page(name: str) -> Page:
    """The page of a function that has a row, by its first name."""
    parts: list[Part] = []
    row, reduction, entry = FUNCTIONS.get(name), REDUCTIONS.get(name), entries().get(name)
    if row is not None:
        parts += _elementwise(row)
    if reduction is not None:
        parts += _reduction(reduction, entry, "over a table, or with `for`" if row is not None else "")
    if entry is not None and entry.prose:
        parts.insert(0, Part("text", "", entry.prose))
    return Page(name, "function", sentence((row or reduction).about), tuple(parts), names()[name])


def sentence(about: str) -> str:
    """What a row says about itself as a sentence; one that begins with a formula keeps its small letter."""
    first = about[0].upper() if re.match(r"[a-z]{2,}[ ,]", about) else about[0]
    return first + about[1:].removesuffix(".") + "."


# ---- elementwise functions


def operands(row: Function) -> tuple[str, ...]:
    """The operands by the names that the row's own rule, or else its reference, gives them; `about` speaks of those."""
    source = row.reference if row.shown is None else inspect.getclosurevars(row.shown).nonlocals["rule"]
    found = tuple(p.lstrip("_") for p in inspect.signature(source).parameters)
    return found if row.shown is None else found[1:]  # a rule's first is the result


def call(row: Function, values=None) -> str:
    """`sin(v)`, `x + y`; with values `log(-1)`."""
    pool = Pool()
    args = map(pool.read, operands(row)) if values is None else map(pool.number, values)
    return formula(pool.call(row.name, *args), SOURCE)


def _elementwise(row: Function) -> list[Part]:
    given = operands(row)
    text = f"u = {call(row)}\n"
    rows = [("written", text.strip()), ("in LaTeX", "u = " + row.latex.format(*given))]
    rows += derivatives(loads(f"{text}input {', '.join(given)}").derivative(), given)
    if row.name in LITERAL:
        rows += [("with a number", f"u = {LITERAL[row.name]}"), *derivatives(loads(f"u = {LITERAL[row.name]}\ninput x").derivative(), ("x",))]
    rows += [("refused" if not k else "", r) for k, r in enumerate(refusals(row))]
    rows += [("convention" if not k else "", r) for k, r in enumerate(kinks(row))]
    at = _point(row)
    program = "input " + ", ".join(f"{n} = {number(v)}" for n, v in zip(given, at)) + f"\n{text}"
    return [Part("facts", "", "", tuple(rows)), *worked(Example("work", program), ("u",))]


def refusals(row: Function) -> list[str]:
    """What the row's domain refuses, each message with the first of the usual points that it is about."""
    found: dict[str, str] = {}
    for values in product(PROBES, repeat=row.arity[0]) if row.domain else ():
        message = row.domain(*values)
        if message is not None and not math.isfinite(row.reference(*values)):  # a run asks for the reason only then
            found.setdefault(re.sub(r"-?\d+(\.\d+)?$", "", message), f"{call(row, values)}: {message}")
    return list(found.values())


def kinks(row: Function) -> list[str]:
    """The conventions of the row at 0, ±1, halves and ties, one for each note and kind of one-sided derivatives."""
    found: dict[tuple, str] = {}
    for values in product(PROBES, repeat=row.arity[0]) if row.kink else ():
        kink = row.kink(*values)
        if kink is not None and (row.domain is None or row.domain(*values) is None or not math.isfinite(row.reference(*values))):
            left, right = map(_slope, kink.one_sided)
            about = f" by {operands(row)[kink.operand]}" if row.arity[0] > 1 else ""
            note = kink.note if row.shown else re.sub(r"-?\d+", "", kink.note)  # a step jumps alike at every whole number
            kinds = tuple(x if x in ("0", "1", "inf", "-inf", "none") else "a slope" for x in (left, right))
            found.setdefault((note, kinds), f"at {call(row, values)}: {kink.note}; one-sided derivatives{about}: {left}, {right}")
    return list(found.values())


def _slope(x: float) -> str:
    return "none" if x != x else number(x)


def _point(row: Function) -> tuple[float, ...]:
    """Operands at which the function is smooth."""
    arity = row.arity[0]
    for values in (*POINTS[arity], *product(PROBES, repeat=arity)):
        if not (row.domain and row.domain(*values)) and not (row.kink and row.kink(*values)) and math.isfinite(row.reference(*values)):
            return values
    raise AssertionError(f"no usual point of {row.name}")


# ---- reductions


def _reduction(row: Reduction, entry: Entry | None, heading: str) -> list[Part]:
    example = next((e for e in entry.examples if e.role == "work"), None) if entry else None
    if example is not None:  # it takes something else than any table
        rows = [("written", written(example)), ("in LaTeX", row.latex)]
    else:
        goal = "J = u[2]\n" if row.table else ""
        example = Example("work", f"input x[3] = [1, 2, 4]\nu = {row.name}(x)\n{goal}")
        rows = [("written", written(example) + ("" if row.table else f", u = {row.name}(x[i] for i in 1..3)")), ("in LaTeX", row.latex)]
        rows += [("takes", "a vector")] if row.vector else []
        rows += [("of nothing", "refused" if row.empty is None else f"{row.empty:g}, with a warning")] if not row.table else []
    derivative = loads(example.text).derivative()
    rows += derivatives(derivative, read_by(derivative))
    return [Part("facts", heading, "", tuple(rows)), *worked(example, ("u",))]


# ---- operations on whole tables: no row, but a program


def operation(entry: Entry) -> list[Part]:
    """What can be said of an operation from an example in which `u` is its result."""
    example = next(e for e in entry.examples if e.role == "work")
    outcome = attempt(example)
    if outcome.run is None:
        return [Part("program", "for example", example.text), Part("said", "", said(outcome))]
    derivative = outcome.run.passes[0].derivative
    rows = [("written", written(example)), *derivatives(derivative, read_by(derivative))]
    return [Part("facts", "", "", tuple(rows)), *worked(example, ("u",))]


def written(example: Example) -> str:
    return next(line for line in example.text.splitlines() if line.startswith("u = "))


# ---- derivatives and examples


def read_by(derivative: Derivative) -> tuple[str, ...]:
    """What the equation of `u` reads."""
    (equation,) = derivative.graph.pieces["u"]
    return tuple(dict.fromkeys(c.variable for c in derivative.outgoing.get(equation, ())))


def derivatives(derivative: Derivative, wrt: Sequence[str], forms: Sequence[str] = (SHOWN, COMPUTED, RAW)) -> list[tuple[str, str]]:
    """The derivatives as they are shown; where they differ also as they are computed, and without the result in them."""
    shown = {n: equations(derivative, n, SHOWN) for n in wrt}
    rows = []
    for form in forms:
        label = FORMS[form]
        lines = [line for n in wrt for line in equations(derivative, n, form) if form is SHOWN or line not in shown[n]]
        rows += [(label, line) for line in lines]
        if any("u != u" in line for line in lines):
            rows.append((label, "(`u != u` holds where u is nan; the derivative is nan there too)"))
        for name in dict.fromkeys(p for line in lines for p in PRIVATE.findall(line)):
            rows.append((label, f"(`{name}`, in derivatives only: {(FUNCTIONS.get(name) or REDUCTIONS[name]).about})"))
    return [(label if not k or rows[k - 1][0] != label else "", text) for k, (label, text) in enumerate(rows)]


def equations(derivative: Derivative, name: str, form: str) -> list[str]:
    """`du/dv = cos(v)`: the adjoint of a variable, an equation for each of its pieces."""
    pool, adjoint = derivative.graph.pool, derivative.adjoint_name(name)
    out = []
    for piece in pieces(derivative, name):
        value = unshadow(piece_formula(derivative, piece, form), frozenset(b.index for b in piece.over), derivative.graph.variables)
        left, right = (formula(e, SOURCE) for e in (pool.read(adjoint, piece.at), value))
        over = ", ".join(f"{b.index} in {b.range}" for b in piece.over)
        out.append(f"{left} = {right}" + (f" for {over}" if over else ""))
    return out


def worked(example: Example, values: tuple[str, ...] = ()) -> list[Part]:
    """A program and what comes out of it."""
    outcome = attempt(example)
    parts = [*(Part("said", name, text) for name, text in example.files), Part("program", "for example", example.text)]
    if outcome.diagnostics:
        parts.append(Part("said", "", said(outcome)))
    if outcome.run is not None:
        parts.append(Part("facts", "gives", "", tuple(results(outcome.run, values))))
    if outcome.derivative is not None:
        leaves = [n for n, v in outcome.derivative.graph.variables.items() if v.role in ("input", "param")]
        parts.append(Part("facts", "gives, without values", "", tuple(derivatives(outcome.derivative, leaves, (SHOWN,)))))
    return parts
