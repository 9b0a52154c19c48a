"""Local derivatives: of one equation with respect to each read in it.

This is reverse accumulation inside one right-hand side. It walks the expression as the graph that it is, so a
shared part is differentiated once and the formulas together are no larger than a small multiple of the equation.
Three forms come from the same walk: `computed` (what is evaluated), `shown` (what is read by a person, with the
node's own output where the rule knows how) and `raw` (without it).
"""

from __future__ import annotations

from typing import Iterator, NamedTuple

from graphlang.graph.affine import tidy_index
from graphlang.graph.coverage import points
from graphlang.graph.expressions import Bound, Call, Expr, Index, Number, Pick, Read, Reduce, rebuild, transform
from graphlang.graph.substitute import fresh, substitute
from graphlang.derive.simplify import fold
from graphlang.graph.functions import FUNCTIONS
from graphlang.graph.graph import Equation
from graphlang.graph.patterns import sigmoid_operand
from graphlang.graph.reductions import REDUCTIONS
from graphlang.graph.rules import OUTPUT, Application, Ruled, application, rules_at

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
    rules = rules_at(equation) if form == SHOWN and pool.rules is not None else ()
    taken = {b.index for b in equation.bindings}
    frames: list[tuple[Expr, Scope, Expr, set[str]]] = [(equation.value, (), pool.one, taken)]
    while frames:
        root, scope, seed, taken = frames.pop()
        adjoints: dict[Expr, Expr] = {root: seed}
        for node in _outputs_first(root, form, rules):
            adjoint = adjoints.pop(node, pool.zero)
            if adjoint is pool.zero:
                continue
            kind = type(node)
            if rules and (called := application(node, rules)) is not None:
                for operand, local in _author_rule(node, called, output if node is equation.value else node):
                    adjoints[operand] = adjoints.get(operand, pool.zero) + adjoint * local
            elif kind is Read:
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
                    adjoints[operand] = term if before is None else plus(before, term, form)
            elif kind is Reduce:
                frames.extend(reversed(list(_inside_reduction(node, equation, output, scope, adjoint, taken, form))))
            elif kind is Pick:
                frames.extend(reversed(list(_inside_list(node, scope, adjoint, taken))))


def plus(a: Expr, b: Expr, form: str) -> Expr:
    """The sum of two derivatives; for a person twice the same is 2 of it."""
    return 2 * a if a is b and form != COMPUTED else a + b


def _outputs_first(root: Expr, form: str, rules: tuple[Ruled, ...] = ()) -> list[Expr]:
    """The nodes of a right-hand side in reverse topological order. What is inside a reduction, a list or a branch
    of `where` is a frame of its own, but a call with a rule of the author's is one step; subscripts and conditions have
    no derivative."""
    if not root.args or type(root) in (Read, Pick, Reduce) and not rules:
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
        if rules and (called := application(node, rules)) is not None:
            stack.extend((a, False) for a in called.operands if a is not None)
        elif type(node) is Call and node.function != "where" and FUNCTIONS[node.function].shown is not None:
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


def _author_rule(node: Call, called: Application, result: Expr) -> Iterator[tuple[Expr, Expr]]:
    """Operands of a call of a function with rules, and the local derivatives as its author writes them."""
    own: dict[str, Expr] | None = None
    for argument, operand, form in zip(called.ruled.arguments, called.operands, called.ruled.derivatives):
        if operand is None or type(operand) in (Number, Index):
            continue
        if form is None:
            own = own if own is not None else body_derivatives(called.ruled, SHOWN)
            yield operand, called.put(own[argument], {OUTPUT: result})
        else:
            yield operand, called.written(form, node, result)


def body_derivatives(ruled: Ruled, form: str) -> dict[str, Expr]:
    """The derivatives of a function's body by each of its arguments, over the same indices as the body and OUTPUT, which
    stands for its result; no rule is used."""
    pool = ruled.body.pool
    marks = {a: pool.read(a, (pool.zero,)) for a in ruled.arguments}
    out: dict[str, Expr] = dict.fromkeys(ruled.arguments, pool.zero)
    for read, scope, local in occurrences(Equation(OUTPUT, (pool.zero,), (), substitute(ruled.body, marks)), form):
        for entry in reversed(scope):
            local = pool.where(entry.condition, local, pool.zero) if isinstance(entry, Guard) else pool.sum(entry, local)
        out[read.name] = out[read.name] + local

    def unmarked(node: Expr, args: tuple[Expr, ...]) -> Expr:
        return pool.index(node.name) if type(node) is Read else rebuild(node, args)

    return {a: transform(e, unmarked) for a, e in out.items()}


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
    for body, inner, local in _without_lists(node_here.body, tuple(binders), local):
        yield body, (*scope, inner) if inner else scope, adjoint * local, names


def _without_lists(body: Expr, binders: tuple[Bound, ...], local: Expr) -> Iterator[tuple[Expr, tuple[Bound, ...], Expr]]:
    """The elements of a list written out, each by itself, where the body is one over the first of the binders: the bodies with
    the binders that are left and the local derivatives."""
    pool = body.pool
    here = tuple(pool.index(b.index) for b in binders)
    n = len(body.at) if type(body) is Pick else 0
    if not n or body.at != here[:n] or any(type(e) is not Number for b in binders[:n] for e in (b.low, b.high)):
        yield body, binders, local
        return
    for at in points((), binders[:n]):
        put = {index: pool.number(k) for index, k in at.items()}
        offset = 0
        for extent, k in zip(body.shape, at.values()):
            offset = offset * extent + k - 1
        rest = []
        for b in binders[n:]:
            low, high = (tidy_index(substitute(e, put)) for e in (b.low, b.high))
            if low is high:
                put[b.index] = low
            else:
                rest.append(pool.bound(b.index, low, high))
        yield from _without_lists(substitute(body.items[offset], put), tuple(rest), fold(substitute(local, put)))


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
