"""Local derivatives: of one equation with respect to each read in it.

This is reverse accumulation inside one right-hand side. It walks the expression as the graph that it is, so a
shared part is differentiated once and the formulas together are no larger than a small multiple of the equation.
Three forms come from the same walk: `computed` (what is evaluated), `shown` (what is read by a person, with the
node's own output where the rule knows how) and `raw` (without it).
"""

from __future__ import annotations

from typing import Iterator, NamedTuple

from graphlang.graph.expressions import Bound, Call, Expr, Index, Number, Pick, Read, Reduce
from graphlang.graph.substitute import fresh, substitute
from graphlang.derive.simplify import fold
from graphlang.graph.functions import FUNCTIONS
from graphlang.graph.graph import Equation
from graphlang.graph.reductions import REDUCTIONS

COMPUTED, SHOWN, RAW = "computed", "shown", "raw"


class Guard(NamedTuple):
    """A branch of `where`: what is inside counts only where the condition is not 0."""

    condition: Expr


Scope = tuple["Guard | tuple[Bound, ...]", ...]  # from the outside in


class Occurrence(NamedTuple):
    """A read, what is around it, and the derivative of the equation's value with respect to it there."""

    read: Read
    scope: Scope
    derivative: Expr


def occurrences(equation: Equation, form: str = COMPUTED) -> Iterator[Occurrence]:
    """Every read of the equation with its derivative; one for each surrounding that it stands in."""
    pool = equation.value.pool
    output = pool.read(equation.target, equation.subs)
    taken = {b.index for b in equation.bindings}
    frames: list[tuple[Expr, Scope, Expr, set[str]]] = [(equation.value, (), pool.one, taken)]
    while frames:
        root, scope, seed, taken = frames.pop()
        adjoints: dict[Expr, Expr] = {root: seed}
        for node in _outputs_first(root, form):
            adjoint = adjoints.pop(node, pool.zero)
            if adjoint is pool.zero:
                continue
            kind = type(node)
            if kind is Read:
                yield Occurrence(node, scope, adjoint)
            elif kind is Call:
                if node.function == "where":
                    yes = Guard(node.args[0])
                    no = Guard(pool.call("==", node.args[0], pool.zero))
                    frames.append((node.args[2], (*scope, no), adjoint, taken))
                    frames.append((node.args[1], (*scope, yes), adjoint, taken))
                    continue
                for operand, local in _rule(node, equation, output, form):
                    term = adjoint * local
                    before = adjoints.get(operand)
                    adjoints[operand] = term if before is None else before + term
            elif kind is Reduce:
                frames.extend(reversed(list(_inside_reduction(node, equation, output, scope, adjoint, taken, form))))
            elif kind is Pick:
                frames.extend(reversed(list(_inside_list(node, scope, adjoint, taken))))


def _outputs_first(root: Expr, form: str) -> list[Expr]:
    """The nodes of a right-hand side in reverse topological order. What is inside a reduction, a list or a branch
    of `where` is a frame of its own; subscripts and conditions have no derivative."""
    if not root.args or type(root) in (Read, Pick, Reduce):
        return [root]
    order: list[Expr] = []
    seen: set[Expr] = set()
    stack: list[tuple[Expr, bool]] = [(root, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            order.append(node)
            continue
        if node in seen or type(node) in (Number, Index):
            continue
        seen.add(node)
        stack.append((node, True))
        if type(node) is Call and node.function != "where" and FUNCTIONS[node.function].shown is not None:
            inner = (sigmoid_operand(node),) if form != RAW and sigmoid_operand(node) is not None else node.args
            stack.extend((a, False) for a in inner)  # so that, reversed, the first operand comes first
    order.reverse()
    return order


def _rule(node: Call, equation: Equation, output: Read, form: str) -> Iterator[tuple[Expr, Expr]]:
    """Operands of a call with the local derivatives, in the wanted form."""
    row = FUNCTIONS[node.function]
    if row.shown is None:
        return
    args = node.args
    result: Expr = node
    if form != RAW:
        if node is equation.value:
            result = output
        operand = sigmoid_operand(node)
        if operand is not None:
            row, args = FUNCTIONS["sigmoid"], (operand,)
    rule = row.shown
    if form == COMPUTED and row.computed is not None:
        rule = row.computed
    elif form == RAW and row.raw is not None:
        rule = row.raw
    for operand, local in zip(args, rule(result, *args)):
        if type(operand) not in (Number, Index):
            yield operand, node.pool.lift(local)


def sigmoid_operand(node: Expr) -> Expr | None:
    """`a` where the author spelled sigmoid(a) as 1/(1 + exp(-a)), else None."""
    if type(node) is not Call or node.function != "/" or node.args[0] is not node.pool.one:
        return None
    below = node.args[1]
    if type(below) is not Call or below.function != "+":
        return None
    one, rest = below.args
    if rest is node.pool.one:
        one, rest = rest, one
    if one is not node.pool.one or type(rest) is not Call or rest.function != "exp":
        return None
    inner = rest.args[0]
    return inner.args[0] if type(inner) is Call and inner.function == "neg" else None


def _inside_reduction(node: Reduce, equation: Equation, output: Read, scope: Scope, adjoint: Expr, taken: set[str], form: str):
    """The body of a reduction, under binders that clash with nothing around."""
    pool = node.pool
    rename: dict[str, Expr] = {}
    binders: list[Bound] = []
    names = set(taken)
    avoid = names | node.free | adjoint.free
    for b in node.binders:
        name = fresh(b.index, avoid) if b.index in avoid else b.index
        avoid.add(name)
        names.add(name)
        binders.append(pool.bound(name, substitute(b.low, rename), substitute(b.high, rename)))
        if name != b.index:
            rename[b.index] = pool.index(name)
    node_here = node if not rename else Reduce(pool, node.function, tuple(binders), substitute(node.body, rename), node.at)

    def result(at: tuple[Expr, ...]) -> Expr:
        if node is equation.value and form != RAW:
            if at == node.at:
                return output
            put = dict(zip(node.at, at))
            if all(s in put for s in output.args) and len(output.args) == len(at):
                return pool.read(output.name, tuple(put[s] for s in output.args))
        return pool.reduce(node.function, node.binders, node.body, at)

    row = REDUCTIONS[node.function]
    rule = row.computed if form == COMPUTED and row.computed is not None else row.shown
    local = pool.lift(rule(node_here, result))
    body = node_here.body
    here = tuple(pool.index(b.index) for b in binders)
    if type(body) is Pick and body.at == here and len(here) == 1 and type(binders[0].low) is Number:
        for k in range(int(binders[0].low.value), int(binders[0].high.value) + 1):
            at = {binders[0].index: pool.number(k)}
            yield body.items[k - 1], scope, adjoint * fold(substitute(local, at)), names
    else:
        yield body, (*scope, tuple(binders)), adjoint * local, names


def _inside_list(node: Pick, scope: Scope, adjoint: Expr, taken: set[str]):
    pool = node.pool
    if all(type(s) is Number for s in node.at):
        offset = 0
        for n, s in zip(node.shape, node.at):
            offset = offset * n + int(s.value) - 1
        yield node.items[offset], scope, adjoint, taken
        return
    for k, item in enumerate(node.items):
        if type(item) in (Number, Index):
            continue
        same: Expr = pool.one
        for s, n in zip(reversed(node.at), reversed(node.shape)):
            same = pool.call("==", s, pool.number(k % n + 1)) * same
            k //= n
        yield item, (*scope, Guard(same)), adjoint, taken
