"""Expressions of the graph as syntax trees, so that one printer serves what the author wrote and what was derived.

A variable's name may say more than an identifier does: `dJ/du1` is an adjoint, `z[1]` an element in the scalar view,
`dy[1]/dx` and `diff(J, x, z)` derivatives that have no shorter spelling. They are taken apart here.
"""

from __future__ import annotations

import math
import re

from graphlang.diagnostics import NOWHERE
from graphlang.graph.expressions import Bound, Call, Expr, Index, Number, Pick, Pool, Read, Reduce, operands, postorder
from graphlang.graph.linear_rules import system
from graphlang.graph.reductions import REDUCTIONS
from graphlang.graph.sizes import symbolic
from graphlang.syntax import ast
from graphlang.syntax.format import SOURCE, Style, format_expr

OPERATORS = frozenset({"+", "-", "*", "/", "^", "@", "<", "<=", ">", ">=", "==", "!=", "neg"})

_NAME = r"[^\W\d][\w\u0300-\u036f]*"
_SYMBOL = rf"({_NAME})(?:\[(-?\d+(?:, ?-?\d+)*)\])?"
SYMBOL = re.compile(_SYMBOL)
DERIVATIVE = re.compile(rf"([d∂]){_SYMBOL}/[d∂]{_SYMBOL}")
ELEMENT = re.compile(r"(.+)\[(-?\d+(?:, ?-?\d+)*)\]")
DIFF = re.compile(r"(diff|partial)\((.+)\)")
COMMA = re.compile(r", ?(?![^\[]*\])")  # not one between subscripts


def spell(root: Expr, limit: int | None = None) -> ast.Expr | None:
    """The syntax tree of an expression; None when it would have more than `limit` nodes. Shared parts stay shared."""
    if limit is not None and tree_size(root, limit) > limit:
        return None
    done: dict[Expr, ast.Expr | ast.Binder] = {}
    for node in postorder(root):
        done[node] = _spelled(node, done)
    return done[root]


def formula(root: Expr, style: Style, limit: int | None = 2000) -> str | None:
    """The text of an expression; None when it has more than `limit` characters."""
    tree = spell(root, None if limit is None else 3 * limit)  # `x²` has 3 nodes and 2 characters, `2x z` 5 and 4
    return None if tree is None else format_expr(tree, style, limit)


def text(root: Expr, limit: int = 60) -> str | None:
    """The same in source spelling, for a message."""
    return formula(root, SOURCE, limit)


def tree_size(root: Expr, limit: int | None = None) -> int:
    """The number of nodes with shared parts counted as often as they are read; above `limit`, some number above it."""
    sizes: dict[Expr, int] = {}
    for node in postorder(root):
        size = 1
        for below in operands(node):
            size += sizes[below]
        sizes[node] = size if limit is None else min(size, limit + 1)
    return sizes[root]


def _spelled(node: Expr, done: dict) -> ast.Expr | ast.Binder:
    match node:
        case Number():
            return number(node.value)
        case Index():
            return ast.Name(node.name, NOWHERE)
        case Read():
            return read(node.pool, node.name, tuple(done[a] for a in node.args))
        case Call():
            return _call(node, done)
        case Bound():
            return ast.Binder(node.index, done[node.low], done[node.high], NOWHERE)
        case Reduce():
            return _reduction(node, done)
        case Pick():
            return ast.Subscript(_list(node, done), tuple(done[a] for a in node.at), NOWHERE)
    raise AssertionError(f"not an expression: {type(node).__name__}")


def number(value: float) -> ast.Expr:
    """A number that reads back to the same float64, π by its name, which no program can define; a negative one is the negative of a number."""
    if math.isnan(value):
        return ast.Name("nan", NOWHERE)
    if math.copysign(1.0, value) < 0:
        return ast.Op("neg", (number(-value),), NOWHERE)
    if math.isinf(value):
        return ast.Name("inf", NOWHERE)
    if value == math.pi:
        return ast.Name("pi", NOWHERE)
    if value == 2 * math.pi:
        return ast.Op("*", (number(2.0), ast.Name("pi", NOWHERE)), NOWHERE)
    if (size := symbolic(value)) is not None:
        name, offset = size
        return ast.Op("+" if offset > 0 else "-", (ast.Name(name, NOWHERE), number(float(abs(offset)))), NOWHERE) if offset else ast.Name(name, NOWHERE)
    text = str(int(value)) if value.is_integer() and value < 1e16 else re.sub(r"e([+-]?)0*", lambda m: "e" + m[1].replace("+", ""), repr(value))
    return ast.Num(value, text, NOWHERE)


def variable(name: str, subs: tuple[ast.Expr, ...] = ()) -> ast.Expr:
    """A read of a variable by the name it has in a graph."""
    if match := DERIVATIVE.fullmatch(name):
        mark, of, of_subs, wrt, wrt_subs = match.groups()
        if of_subs is None:
            if wrt_subs is not None:
                subs = _integers(wrt_subs) + subs
            return _element(ast.Deriv(of, wrt, mark == "∂", NOWHERE), subs)
        below = _element(ast.Name(wrt, NOWHERE), (_integers(wrt_subs) if wrt_subs else ()) + subs)
        above = ast.Subscript(ast.Name(of, NOWHERE), _integers(of_subs), NOWHERE)
        return _function("diff" if mark == "d" else "partial", (above, below))
    if match := DIFF.fullmatch(name):
        return _element(_function(match[1], tuple(variable(part) for part in COMMA.split(match[2]))), subs)
    if (match := SYMBOL.fullmatch(name)) and match[2] is not None:
        return _element(ast.Name(match[1], NOWHERE), _integers(match[2]) + subs)
    return _element(ast.Name(name, NOWHERE), subs)


def read(pool: Pool, name: str, subs: tuple[ast.Expr, ...]) -> ast.Expr:
    """A read of a variable, with what its pool knows of how it is spelled."""
    if subs and name in pool.split:
        function, of, wrt, n = pool.split[name]
        return _function(function, (_element(of, subs[n:]), _element(wrt, subs[:n])))
    own = pool.spelled.get(name)
    if own is None and (match := ELEMENT.fullmatch(name)) and (match[1] in pool.spelled or match[1] in pool.split):
        return read(pool, match[1], _integers(match[2]) + subs)  # of a derivative, in the scalar view
    return variable(name, subs) if own is None else _element(own, subs)


def _integers(text: str) -> tuple[ast.Expr, ...]:
    return tuple(number(float(part)) for part in text.split(","))


def _element(base: ast.Expr, subs: tuple[ast.Expr, ...]) -> ast.Expr:
    return ast.Subscript(base, subs, NOWHERE) if subs else base


def _function(name: str, args: tuple[ast.Expr, ...], binders: tuple[ast.Binder, ...] = ()) -> ast.Call:
    return ast.Call(name, args, binders, NOWHERE, NOWHERE)


def _call(node: Call, done: dict) -> ast.Expr:
    args = tuple(done[a] for a in node.args)
    match node.function, node.args:
        case "+" | "-", (_, Number() as right) if right.value < 0:  # `a + -2` is `a - 2`, to the last bit
            return ast.Op("-" if node.function == "+" else "+", (args[0], number(-right.value)), NOWHERE)
    if node.function in OPERATORS:
        return ast.Op(node.function, args, NOWHERE)
    return _function(node.function, args)


def _reduction(node: Reduce, done: dict) -> ast.Expr:
    body, at = node.body, tuple(done[a] for a in node.at)
    own = [(b.index, b.low, b.high) for b in node.binders]
    if node.function == "_solve":
        return _solve(node, at, done)
    if REDUCTIONS[node.function].matrix and (whole := _matrix(body, own[0][0], own[1][0])) is not None:
        return _element(_function(node.function, (whole,)), at)
    match body:
        case Pick() if _over_own(body, own):
            if node.function in ("max", "min") and len(own) == 1 and len(body.items) > 1 and not at:
                return _function(node.function, tuple(done[i] for i in body.items))
            return _element(_function(node.function, (_list(body, done),)), at)
        case Read() if at and [a.name if type(a) is Index else None for a in body.args] == [i for i, _, _ in own]:
            return _element(_function(node.function, (variable(body.name),)), at)
    return _element(_function(node.function, (done[body],), tuple(done[b] for b in node.binders)), at)


def _matrix(body: Expr, row: str, column: str) -> ast.Expr | None:
    """A whole matrix or its transpose, where the body is no more than an element of one."""
    names = [a.name if type(a) is Index else None for a in body.args] if type(body) is Read else []
    if names == [row, column]:
        return read(body.pool, body.name, ())
    return ast.Op("T", (read(body.pool, body.name, ()),), NOWHERE) if names == [column, row] else None


def _solve(node: Reduce, at: tuple[ast.Expr, ...], done: dict) -> ast.Expr:
    """`solve(A, b)[k]`; where b is a column of a matrix, `solve(A, B)[k,c]`."""
    s = system(node)
    row, column = ((b.index, b.low, b.high) for b in (s.row, s.column))
    matrix = _list(s.matrix, done) if type(s.matrix) is Pick and _over_own(s.matrix, [row, column]) else _matrix(s.matrix, row[0], column[0])
    right = _list(s.right, done) if type(s.right) is Pick and _over_own(s.right, [row]) else None
    if type(s.right) is Read and 0 < len(s.right.args) < 3:
        first, *rest = s.right.args
        if type(first) is Index and first.name == row[0] and all(row[0] not in a.free for a in rest):
            right, at = read(s.right.pool, s.right.name, ()), (*at, *(done[a] for a in rest))
    if matrix is not None and right is not None:
        return _element(_function("solve", (matrix, right)), at)
    binders = tuple(ast.Binder(index, spell(low), spell(high), NOWHERE) for index, low, high in (row, column))
    return _element(_function("solve", (done[s.matrix], done[s.right]), binders), at[:1])


def _over_own(body: Pick, own: list[tuple[str, Expr, Expr]]) -> bool:
    """Whether binders run over the whole of a list and over nothing else: `sum([a, b, c][i] for i in 1..3)`."""
    names = {index for index, _, _ in own}
    return (
        len(own) == len(body.at)
        and all(type(a) is Index and a.name == index for a, (index, _, _) in zip(body.at, own))
        and all(type(low) is Number and low.value == 1 for _, low, _ in own)
        and all(type(high) is Number and high.value == n for n, (_, _, high) in zip(body.shape, own))
        and all(item.free.isdisjoint(names) for item in body.items)
    )


def _list(node: Pick, done: dict) -> ast.List:
    """The items as lists in lists, one level for each subscript."""
    rows = [done[i] for i in node.items]
    for extent in reversed(node.shape[1:]):
        rows = [ast.List(tuple(rows[k : k + extent]), NOWHERE) for k in range(0, len(rows), extent)]
    return ast.List(tuple(rows), NOWHERE)
