"""A normal form of expressions: sums of products with numbers collected, names of inner indices and the order of
factors and terms forgotten. Two expressions with one normal form are equal wherever both are defined; two with
different ones may still be.
"""

from __future__ import annotations

import math
from typing import Hashable, Mapping

from graphlang.graph.expressions import Expr, Index, Number, Pick, Read, Reduce, operands
from graphlang.graph.floats import power
from graphlang.graph.function_words import literal
from graphlang.graph.functions import FUNCTIONS
from graphlang.graph.substitute import substitute

MOST_TERMS = 100  # of one sum; a larger product of sums stays a product

Monomial = frozenset     # of (number of an atom, exponent)
Polynomial = dict        # monomial → coefficient
ONE: Monomial = frozenset()


def same(a: Expr, b: Expr) -> bool:
    """Whether two expressions have one normal form."""
    if a is b:
        return True
    forms = Normal()
    return forms.of(a) == forms.of(b)


class Normal:
    """Atoms (reads, calls, reductions over polynomials) by number, so that no key is nested deeper than one level."""

    def __init__(self):
        self.numbers: dict[tuple, int] = {}
        self.free: list[frozenset[str]] = []  # for each atom the inner indices in it

    def of(self, root: Expr, depth: int = 0) -> Polynomial:
        """Nested reductions, whose depth is bounded when a program is read, are followed by recursion."""
        done: dict[Expr, Polynomial] = {}
        stack = [(root, False)]
        while stack:
            node, ready = stack.pop()
            if node in done:
                continue
            if type(node) is Reduce:
                done[node] = self.reduction(node, depth)
            elif not ready and operands(node):
                stack.append((node, True))
                stack.extend((b, False) for b in operands(node))
            else:
                done[node] = self.node(node, done)
        return done[root]

    def atom(self, key: tuple, parts: tuple[Polynomial, ...] = (), free: frozenset[str] = frozenset()) -> Polynomial:
        return {frozenset({(self.number(key, parts, free), 1)}): 1.0}

    def number(self, key: tuple, parts: tuple[Polynomial, ...], free: frozenset[str] = frozenset()) -> int:
        key = (*key, *map(frozen, parts))
        if key not in self.numbers:
            self.numbers[key] = len(self.free)
            self.free.append(free.union(*(self.free[a] for p in parts for m in p for a, _ in m)))
        return self.numbers[key]

    def node(self, node: Expr, done: Mapping[Expr, Polynomial]) -> Polynomial:
        match node:
            case Number():
                return {ONE: node.value} if node.value != 0 else {}
            case Index():
                return self.atom(("index", node.name), (), frozenset({node.name}))
            case Read():
                return self.atom(("read", node.name), tuple(done[a] for a in node.args))
            case Pick():
                return self.atom(("pick", node.shape), tuple(done[a] for a in operands(node)))
        parts = tuple(done[a] for a in node.args)
        n = literal(node.args[1]) if node.function == "^" else None
        match node.function:
            case "+":
                return add(parts[0], parts[1], 1.0)
            case "-":
                return add(parts[0], parts[1], -1.0)
            case "neg":
                return {m: -c for m, c in parts[0].items()}
            case "*":
                return self.product(*parts)
            case "/":
                return self.product(parts[0], self.power(parts[1], -1))
            case "^" if n is not None and n == int(n) and abs(n) <= 8:
                return self.power(parts[0], int(n))
        if all(not p or list(p) == [ONE] for p in parts):
            value = FUNCTIONS[node.function].reference(*(p.get(ONE, 0.0) for p in parts))
            if math.isfinite(value):
                return {ONE: value} if value else {}
        return self.atom((node.function,), parts)

    def reduction(self, node: Reduce, depth: int) -> Polynomial:
        """Inner indices by their depth; a factor that does not depend on them comes out of a sum."""
        pool = node.pool
        names = {b.index: pool.index(f"#{depth + k}") for k, b in enumerate(node.binders)}
        bounds = tuple(self.of(substitute(e, names), depth) for b in node.binders for e in (b.low, b.high))
        body = self.of(substitute(node.body, names), depth + len(node.binders))
        own = frozenset(i.name for i in names.values())
        at = tuple(self.of(s, depth) for s in node.at)
        if node.function != "sum" or len(body) > MOST_TERMS:
            return self.closed((node.function, len(node.at)), (body, *bounds, *at), own)
        result: Polynomial = {}
        for monomial, c in body.items():
            inside = frozenset((a, n) for a, n in monomial if not own.isdisjoint(self.free[a]))
            (summed,) = self.closed(("sum", 0), ({inside: 1.0}, *bounds), own)
            result = add(result, {join(monomial - inside, summed): c}, 1.0)
        return result

    def closed(self, key: tuple, parts: tuple[Polynomial, ...], own: frozenset[str]) -> Polynomial:
        found = self.atom(key, parts)
        ((number, _),) = next(iter(found))
        self.free[number] -= own
        return found

    def product(self, a: Polynomial, b: Polynomial) -> Polynomial:
        if len(a) * len(b) > MOST_TERMS:
            return {join(*(frozenset({(self.number(("terms",), (p,)), 1)}) for p in (a, b))): 1.0}
        out: Polynomial = {}
        for m, c in a.items():
            for n, d in b.items():
                out = add(out, {join(m, n): c * d}, 1.0)
        return out

    def power(self, a: Polynomial, n: int) -> Polynomial:
        if len(a) == 1:
            ((m, c),) = a.items()
            return {frozenset((atom, k * n) for atom, k in m): power(c, n)} if n else {ONE: 1.0}
        if n < 0 or not a:
            return {frozenset({(self.number(("terms",), (a,)), n)}): 1.0}
        out: Polynomial = {ONE: 1.0}
        for _ in range(n):
            out = self.product(out, a)
        return out


def frozen(p: Polynomial) -> Hashable:
    return frozenset(p.items())


def add(a: Polynomial, b: Polynomial, sign: float) -> Polynomial:
    out = dict(a)
    for m, c in b.items():
        c = out.get(m, 0.0) + sign * c
        if c:
            out[m] = c
        else:
            out.pop(m, None)
    return out


def join(a: Monomial, b: Monomial) -> Monomial:
    powers = dict(a)
    for atom, n in b:
        powers[atom] = powers.get(atom, 0) + n
    return frozenset((atom, n) for atom, n in powers.items() if n)
