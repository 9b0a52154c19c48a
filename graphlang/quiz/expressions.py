"""Wrong options for a derivative that is asked for as an expression: the right one with a mistake in it, each proved to be wrong.

The mistakes are those of matrix calculus: a transpose missing or too much, an inner product for an outer one, a product entry by entry, a
term, a sign or a factor. Whether one is wrong is judged like a claim: by shape at distinct sizes, by value at random points.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Iterator, NamedTuple

from graphlang.diagnostics import NOWHERE, GraphError
from graphlang.graph.graph import Graph
from graphlang.run import FAILS, HOLDS
from graphlang.show.jacobians import formulas
from graphlang.syntax import ast
from graphlang.syntax.format import SOURCE, format_expr
from graphlang.verify.claims import judge

LEAST = 2        # of sizes that are left symbolic, which all get another number
MOST_NODES = 60  # of an expression that is changed at each of its nodes


class WrongExpression(NamedTuple):
    value: ast.Expr
    mistake: str


def wrong_expressions(graph: Graph, of: str, wrt: str, answer: ast.Expr | None = None) -> tuple[WrongExpression, ...]:
    """Wrong expressions for the derivative of one variable by another, the likeliest first, no two of them equal. `answer`: the right one as the
    author writes it; else it is the one that graphlang shows, and there are none where that is no matrix formula."""
    right = answer or formulas(graph, [(of, wrt)])[1][0].matrix
    if right is None:
        return ()
    sized = graph.again({n: float(k) for k, n in enumerate(graph.dims, LEAST)}) if graph.dims and graph.again else graph
    asked = ast.Call("diff", (ast.Name(of, NOWHERE), ast.Name(wrt, NOWHERE)), (), NOWHERE, NOWHERE)
    out: list[WrongExpression] = []
    seen = {format_expr(right, SOURCE)}
    for value, mistake in changed(right):
        text = format_expr(value, SOURCE)
        if text not in seen and verdict(sized, asked, value) == FAILS and not any(verdict(sized, o.value, value) == HOLDS for o in out):
            out.append(WrongExpression(value, mistake))
        seen.add(text)
    return tuple(out)


def verdict(graph: Graph, left: ast.Expr, right: ast.Expr) -> str:
    """How `left = right` stands; "" where it cannot be judged, of two sides that do not fit together that they fail."""
    try:
        return judge(replace(graph, claims=(ast.Claim(left, right, (), NOWHERE),), source=None), None)[0].verdict
    except GraphError:
        return ""


def changed(right: ast.Expr) -> Iterator[tuple[ast.Expr, str]]:
    """The right expression with one mistake, of each kind in turn."""
    nodes = [(path, node) for path, node in within(right)][:MOST_NODES]
    for mistake, change in CHANGES:
        for path, node in nodes:
            for new in change(node):
                yield put(right, path, new), mistake
    yield ast.Op("T", (right,), NOWHERE), "layout"
    if type(right) is ast.Op and right.op == "T":
        yield right.args[0], "layout"


Path = tuple[int, ...]


def within(root: ast.Expr) -> Iterator[tuple[Path, ast.Expr]]:
    """The operations and names in an expression, each with the way to it."""
    work: list[tuple[Path, ast.Expr]] = [((), root)]
    while work:
        path, node = work.pop()
        yield path, node
        if type(node) in (ast.Op, ast.Call) and len(path) < MOST_NODES:
            work += [((*path, k), a) for k, a in reversed(list(enumerate(node.args)))]


def put(root: ast.Expr, path: Path, new: ast.Expr) -> ast.Expr:
    """The expression with another one at the end of a way."""
    along = [root]
    for k in path:
        along.append(along[-1].args[k])
    for node, k in zip(reversed(along[:-1]), reversed(path)):
        new = node._replace(args=(*node.args[:k], new, *node.args[k + 1 :]))
    return new


def op(name: str, *args: ast.Expr) -> ast.Op:
    return ast.Op(name, args, NOWHERE)


def plain(e: ast.Expr) -> ast.Expr:
    return e.args[0] if type(e) is ast.Op and e.op == "T" else e


def turned(e: ast.Expr) -> ast.Expr:
    return plain(e) if plain(e) is not e else op("T", e)


def layout(node: ast.Expr) -> Iterator[ast.Expr]:
    if type(node) is ast.Op and node.op == "T":
        yield node.args[0]
    if type(node) is ast.Op and node.op == "@":
        a, b = node.args
        yield op("@", b, a)
        yield op("@", turned(a), b)
        yield op("@", a, turned(b))
        if plain(b) is not b:
            yield op("@", plain(b), turned(a))


def outer_inner(node: ast.Expr) -> Iterator[ast.Expr]:
    if type(node) is ast.Op and node.op == "@":
        yield op("@", turned(node.args[0]), turned(node.args[1]))


def hadamard_matmul(node: ast.Expr) -> Iterator[ast.Expr]:
    if type(node) is ast.Op and node.op == "@":
        a, b = node.args
        yield op("*", a, b)
        yield op("*", plain(a), plain(b))


def drop_path(node: ast.Expr) -> Iterator[ast.Expr]:
    if type(node) is ast.Op and node.op == "+":
        yield from node.args


def sub_sign(node: ast.Expr) -> Iterator[ast.Expr]:
    if type(node) is ast.Op and node.op == "-":
        yield op("+", *node.args)
    if type(node) is ast.Op and node.op == "neg":
        yield node.args[0]


def pow_nofactor(node: ast.Expr) -> Iterator[ast.Expr]:
    if type(node) is ast.Op and node.op in ("*", "coef") and type(node.args[0]) is ast.Num:
        yield node.args[1]


CHANGES = (("layout", layout), ("outer_inner", outer_inner), ("hadamard_matmul", hadamard_matmul), ("drop_path", drop_path), ("sub_sign", sub_sign),
           ("pow_nofactor", pow_nofactor))
