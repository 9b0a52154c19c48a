"""The syntax tree: frozen nodes with spans, exactly what the author wrote.

Nodes are named tuples because a program has hundreds of thousands of them and a named tuple is built
three times faster than a frozen dataclass. Trees may be 100,000 levels deep (a sum of that many terms):
never walk, compare, hash or print one by recursion; use `postorder`.
Names are canonical: `α1` and `alpha1` are both `alpha1` (see names.py).
"""

from __future__ import annotations

from typing import Iterator, NamedTuple, Union

from graphlang.diagnostics import Source, Span

# ---- expressions


class Num(NamedTuple):
    value: float
    text: str  # as written: `3`, `1e-3`
    span: Span


class Name(NamedTuple):
    name: str
    span: Span


class Deriv(NamedTuple):
    """`dJ/dx` (total) or `∂u/∂v` (partial) read as one symbol."""

    of: str
    wrt: str
    partial: bool
    span: Span


class Subscript(NamedTuple):
    """`base[subs]`. A sub may be a `Range` in a place where that is an error (slices are not in the language)."""

    base: "Expr"
    subs: tuple["Expr", ...]
    span: Span


class Binder(NamedTuple):
    """`j in 0..D`; low and high are None for a bare `for j`."""

    name: str
    low: "Expr | None"
    high: "Expr | None"
    span: Span


class Call(NamedTuple):
    """`f(args)` or `sum(e for i in a..b, …)`."""

    name: str
    args: tuple["Expr", ...]
    binders: tuple[Binder, ...]
    span: Span
    name_span: Span


class Op(NamedTuple):
    """`+ - * / ^ @` and comparisons with two operands, `neg` (unary minus) and `T` (.T) with one, and `coef`: `3t`,
    a number written directly before what it multiplies."""

    op: str
    args: tuple["Expr", ...]
    span: Span


class List(NamedTuple):
    items: tuple["Expr", ...]
    span: Span


class Text(NamedTuple):
    value: str
    span: Span


class Keyword(NamedTuple):
    """`name=value` among the arguments of a call."""

    name: str
    value: "Expr"
    span: Span


class Range(NamedTuple):
    """`low..high`, both ends included. In a declaration a lone `n` has low None: it means 1..n."""

    low: "Expr | None"
    high: "Expr"
    span: Span


Expr = Union[Num, Name, Deriv, Subscript, Call, Op, List, Text, Keyword, Range]

# ---- statements


class Item(NamedTuple):
    """One leaf of a declaration. `ranges` is None when none were written."""

    name: str
    ranges: tuple[Range, ...] | None
    symmetric: bool
    value: Expr | None
    span: Span
    name_span: Span


class Declaration(NamedTuple):
    role: str  # input, param, data, const
    items: tuple[Item, ...]
    span: Span


class Dim(NamedTuple):
    names: tuple[Name, ...]
    span: Span


class Equation(NamedTuple):
    """`target = value for binders`; target is a Name or a Subscript of a Name."""

    target: Expr
    value: Expr
    binders: tuple[Binder, ...]
    override: bool
    span: Span


class FunctionDef(NamedTuple):
    name: str
    params: tuple[Name, ...]
    body: Expr
    span: Span
    name_span: Span


class Goal(NamedTuple):
    kind: str  # minimize, maximize, output
    targets: tuple[Expr, ...]
    span: Span


class Claim(NamedTuple):
    left: Expr
    right: Expr
    binders: tuple[Binder, ...]
    span: Span


class Expect(NamedTuple):
    """`left compare right within tolerance`. `compare` is "=" for an equation; `relative` for a tolerance in percent."""

    left: Expr
    compare: str
    right: Expr
    within: Expr | None
    relative: bool
    binders: tuple[Binder, ...]
    span: Span


class Setting(NamedTuple):
    name: str
    value: Expr
    span: Span


class Layout(NamedTuple):
    """`layout numerator`: how matrix derivatives are arranged from here on."""

    kind: str  # numerator, denominator
    span: Span


class Include(NamedTuple):
    """`include "base.graph"`."""

    path: str
    span: Span
    path_span: Span


class Signature(NamedTuple):
    """`h(x)[K]`: an opaque function, the names of its arguments and the ranges of its result (None: a scalar)."""

    name: str
    params: tuple[Name, ...]
    ranges: tuple[Range, ...] | None
    span: Span
    name_span: Span


class Opaque(NamedTuple):
    signatures: tuple[Signature, ...]
    span: Span


class Rule(NamedTuple):
    """`derivative f(a, b) wrt b = body`; `wrt` is None where there is one argument."""

    name: str
    params: tuple[Name, ...]
    wrt: Name | None
    body: Expr
    span: Span
    name_span: Span


class Entry(NamedTuple):
    """`name: slots` in a train block. A slot may be an element with slices in it, `x[1..M]`: its subs are Ranges."""

    name: str
    slots: tuple[Expr, ...]
    span: Span
    name_span: Span


class Train(NamedTuple):
    entries: tuple[Entry, ...]
    span: Span


Statement = Union[Declaration, Dim, Equation, FunctionDef, Goal, Claim, Expect, Setting, Layout, Include, Opaque, Rule, Train, "Quiz", "Exam"]


class Program(NamedTuple):
    statements: tuple[Statement, ...]
    source: Source


def children(node: Expr) -> tuple[Expr, ...]:
    """The operands of an expression, bounds of binders included, in the order of the text."""
    match node:
        case Op(_, args, _):
            return args
        case Call(_, args, binders, _, _):
            if not binders:
                return args
            bounds = tuple(b for binder in binders for b in (binder.low, binder.high) if b is not None)
            return args + bounds
        case Subscript(base, subs, _):
            return (base, *subs)
        case List(items, _):
            return items
        case Keyword(_, value, _):
            return (value,)
        case Range(low, high, _):
            return (high,) if low is None else (low, high)
        case _:
            return ()


def postorder(root: Expr) -> Iterator[Expr]:
    """Every node below `root` and `root` itself, operands before operators, without recursion."""
    stack = [(root, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            yield node
            continue
        below = children(node)
        if below:
            stack.append((node, True))
            stack.extend((child, False) for child in reversed(below))
        else:
            yield node


# The nodes of quizzes are in a file of their own, read when the first one is met: the classes of a tree take longer to make than a program to run.
QUIZZES = frozenset('Precise Amount Varied Vary Require Working Asked Ask Blanks Fill Option Choose Quiz Use Exam'.split())


def __getattr__(name: str):
    if name not in QUIZZES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from graphlang.syntax import quiz_tree

    globals().update({n: getattr(quiz_tree, n) for n in QUIZZES})
    return globals()[name]
