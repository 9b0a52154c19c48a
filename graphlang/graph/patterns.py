"""Spellings that lose digits or overflow, each with the stable one that means the same.

One row for each: what it looks like as an expression, and what to write instead. A row with a code is a lint of every
program (graph/lints.py); all of them are hints where a value or a derivative is not finite (engines/blame.py).
"""

from __future__ import annotations

from typing import Callable, Iterator, NamedTuple

from graphlang.graph.expressions import Call, Expr, Index, Number, Pool, Read, Reduce, operands, postorder
from graphlang.graph.functions import COMPARISONS, FUNCTIONS
from graphlang.graph.reductions import REDUCTIONS
from graphlang.graph.spell import text as source
from graphlang.graph.substitute import substitute

LONGEST = 120  # characters of a spelling


class Pattern(NamedTuple):
    """`match`: the stable expression in the place of a node, None where the node is something else."""

    code: str | None
    heads: tuple[str, ...]
    match: Callable[[Expr], "Expr | None"]
    why: str


class Found(NamedTuple):
    """A node, what it is, and what to write instead."""

    node: Expr
    pattern: Pattern
    instead: Expr
    stable: str  # the text of it


def found(root: Expr) -> Iterator[Found]:
    """All that an expression spells in an unstable way, inner parts first."""
    for node in postorder(root):
        if type(node) is Call and node.function in HEADS:
            match = at(node)
            if match is not None:
                yield match


def at(node: Expr) -> Found | None:
    """The pattern that a node is, the first in the table."""
    for pattern in PATTERNS:
        if type(node) is Call and node.function in pattern.heads:
            instead = pattern.match(node)
            text = instead if instead is None else written(instead)
            if text is not None:
                return Found(node, pattern, instead, text)
    return None


# ---- parts of patterns


def is_call(e: Expr, *functions: str) -> bool:
    return type(e) is Call and e.function in functions


def sigmoid_operand(node: Expr) -> Expr | None:
    """`a` where the author spelled sigmoid(a) as 1/(1 + exp(-a)), else None."""
    if type(node) is not Call or node.function != "/" or node.args[0] is not node.pool.one:
        return None
    inner = _exp_beside_one(node.args[1])
    return inner.args[0] if inner is not None and is_call(inner, "neg") else None


def _sigmoid(e: Expr) -> Expr | None:
    return e.args[0] if is_call(e, "sigmoid") else sigmoid_operand(e)


def _exp_beside_one(e: Expr) -> Expr | None:
    """`a` of 1 + exp(a), in either order."""
    if not is_call(e, "+"):
        return None
    one, rest = e.args
    if rest is e.pool.one:
        one, rest = rest, one
    return rest.args[0] if one is e.pool.one and is_call(rest, "exp") else None


def _square(e: Expr) -> Expr | None:
    """`a` of a^2 or a*a."""
    if is_call(e, "^") and type(e.args[1]) is Number and e.args[1].value == 2:
        return e.args[0]
    return e.args[0] if is_call(e, "*") and e.args[0] is e.args[1] else None


def _sum_of_exp(e: Expr) -> Expr | None:
    """`a` of sum(exp(a) for …). An author who subtracts something inside has shifted it already."""
    if type(e) is not Reduce or e.function != "sum" or not is_call(e.body, "exp"):
        return None
    a = e.body.args[0]
    return None if is_call(a, "-") else a


def written(e: Expr) -> str | None:
    """As an author would write it: `norm(x)`, where the graph has `norm(x[i] for i in 1..3)`."""
    if type(e) is Reduce and type(e.body) is Read and [a.name if type(a) is Index else None for a in e.body.args] == [b.index for b in e.binders]:
        return f"{e.function}({source(e.pool.read(e.body.name), LONGEST)})"
    return source(e, LONGEST)


# ---- the rows


def _softplus(e: Expr):
    a = _exp_beside_one(e.args[0])
    return None if a is None else e.pool.call("softplus", a)


def _log_sigmoid(e: Expr):
    a = _sigmoid(e.args[0])
    return None if a is None else e.pool.call("log_sigmoid", a)


def _log_one_minus_sigmoid(e: Expr):
    below = e.args[0]
    a = _sigmoid(below.args[1]) if is_call(below, "-") and below.args[0] is e.pool.one else None
    return None if a is None else e.pool.call("log_sigmoid", e.pool.neg(a))


def _softmax(e: Expr):
    top, below = e.args
    a = _sum_of_exp(below)
    if a is None or not is_call(top, "exp"):
        return None
    b = top.args[0]
    elements = {s for r in _reads(b) for s in r.args}
    if len(below.binders) == 1 and not any(substitute(a, {below.binders[0].index: s}) is b for s in elements):
        return None
    if len(below.binders) > 1 and not {r.name for r in _reads(a)} == {r.name for r in _reads(b)}:
        return None
    if type(a) is Read and type(b) is Read and len(a.args) == 1 and type(a.args[0]) is Index and a.args[0].name == below.binders[0].index:
        return e.pool.reduce("softmax", below.binders, a, b.args)
    return e.pool.call("exp", e.pool.call("-", b, e.pool.reduce("logsumexp", below.binders, a)))


def _reads(e: Expr) -> list[Read]:
    return [n for n in postorder(e) if type(n) is Read]


def _logsumexp(e: Expr):
    a = _sum_of_exp(e.args[0])
    return None if a is None else e.pool.reduce("logsumexp", e.args[0].binders, a)


def _norm(e: Expr):
    r = e.args[0]
    a = _square(r.body) if type(r) is Reduce and r.function == "sum" else None
    return None if a is None else e.pool.reduce("norm", r.binders, a)


def _expm1(e: Expr):
    top, below = e.args
    if not (is_call(top, "-") and top.args[1] is e.pool.one and is_call(top.args[0], "exp") and top.args[0].args[0] is below):
        return None
    return e.pool.call("/", e.pool.call("expm1", below), below)


def _log1p(e: Expr):
    below = e.args[0]
    if not is_call(below, "+") or e.pool.one not in below.args:
        return None
    a = below.args[1] if below.args[0] is e.pool.one else below.args[0]
    return e.pool.call("log1p", a)


def _hypot(e: Expr):
    below = e.args[0]
    a, b = map(_square, below.args) if is_call(below, "+") else (None, None)
    return None if a is None or b is None else e.pool.call("hypot", a, b)


def _absolute(e: Expr):
    a = _square(e.args[0])
    return None if a is None else e.pool.call("abs", a)


def _xlogy(e: Expr):
    x, y = e.args
    if is_call(x, "log"):
        x, y = y, x
    return e.pool.call("xlogy", x, y.args[0]) if is_call(y, "log") else None


PATTERNS = (
    Pattern("W301", ("log",), _softplus, "the exponential overflows above 709, where the logarithm is about its operand"),
    Pattern("W302", ("log",), _log_sigmoid, "the sigmoid vanishes far below 0, where its logarithm is about its operand"),
    Pattern("W303", ("log",), _log_one_minus_sigmoid, "the sigmoid is 1 from 37 on, and the logarithm one of 0"),
    Pattern("W304", ("/",), _softmax, "the exponentials overflow above 709, and vanish all together far below 0"),
    Pattern("W305", ("log",), _logsumexp, "the exponentials overflow above 709, and vanish all together far below 0"),
    Pattern("W306", ("sqrt",), _norm, "it has no derivative where all elements are 0, and the squares overflow or vanish"),
    Pattern("W307", ("/",), _expm1, "the difference loses its digits near 0"),
    Pattern(None, ("log",), _log1p, "the sum loses the digits of a small operand"),
    Pattern(None, ("sqrt",), _hypot, "the squares overflow or vanish, and at (0, 0) there is no derivative"),
    Pattern(None, ("sqrt",), _absolute, "it has no derivative at 0"),
    Pattern(None, ("*",), _xlogy, "0·log(0) is not defined, and is 0 there by continuity"),
)
HEADS = frozenset(h for p in PATTERNS for h in p.heads)


def suspects(pool: Pool) -> bool:
    """Whether any expression of a pool is a lint: a glance, so that a long program without one costs nothing."""
    return any(type(n) is Call and (n.function in ("==", "!=") or n.function in HEADS and (m := at(n)) is not None and m.pattern.code) for n in pool)


def suspect(root: Expr) -> bool:
    """Whether an expression has anything in it that may rest on a convention."""
    stack, seen = [root], set()
    while stack:
        node = stack.pop()
        if type(node) is Call and (node.function in COMPARISONS or FUNCTIONS[node.function].kink is not None):
            if node.function != "^" or type(node.args[1]) is not Number:  # a literal exponent is never differentiated
                return True
        if type(node) is Reduce and REDUCTIONS[node.function].kink is not None:
            return True
        for a in operands(node):
            if type(a) not in (Number, Read) and a not in seen:
                seen.add(a)
                stack.append(a)
    return False
