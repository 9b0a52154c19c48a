"""Sums as operations on whole arrays: matrix products where the summand is a product, no sum at all where an index can be solved for.

`sum(f(j)*(j == k) for j)` is f(k). `sum(where(c[n] == k, f(n), 0) for n)`, the adjoint of a gather, adds each f(n) to its place. What is left is a
product of factors, which are multiplied two at a time, the smallest result first; two that share an index of the sum are a matrix product.
"""

from __future__ import annotations

import math
from typing import Mapping, NamedTuple, Sequence

from graphlang.engines.dense_nodes import Axis
from graphlang.graph.affine import affine, from_affine
from graphlang.graph.expressions import Call, Expr, Index, Number, Reduce
from graphlang.graph.graph import Range
from graphlang.graph.substitute import substitute


class Term(NamedTuple):
    """coefficient · product of `factors` / product of `below`, where all of `conditions` hold, else 0."""

    coefficient: float
    factors: tuple[Expr, ...]
    below: tuple[Expr, ...]
    conditions: tuple[Expr, ...]


def term_of(body: Expr, over: set[str]) -> Term:
    """The factors of a summand. A divisor that depends on an index of the sum stays in its factor."""
    conditions, coefficient, factors, below = [], 1.0, [], []
    while type(body) is Call and body.function == "where" and body.args[2] is body.pool.zero:
        conditions.append(body.args[0])
        body = body.args[1]
    stack = [body]
    while stack:
        e = stack.pop()
        if type(e) is Number:
            coefficient *= e.value
        elif type(e) is Call and e.function == "*":
            stack += reversed(e.args)
        elif type(e) is Call and e.function == "neg":
            coefficient = -coefficient
            stack.append(e.args[0])
        elif type(e) is Call and e.function == "/" and e.args[1].free.isdisjoint(over):
            below.append(e.args[1])
            stack.append(e.args[0])
        elif type(e) is Call and e.function == "==" and solvable(e, over) is not None:
            conditions.append(e)
        else:
            factors.append(e)
    return Term(coefficient, tuple(factors), tuple(below), tuple(conditions))


def solvable(condition: Expr, over: set[str]) -> tuple[str, int, dict[str, int]] | None:
    """`j == k + 1` as j = the rest (a number and factors), for an index j of the sum."""
    if type(condition) is not Call or condition.function != "==":
        return None
    left, right = map(affine, condition.args)
    if left is None or right is None:
        return None
    c = left[0] - right[0]
    factors = dict(left[1])
    for n, k in right[1].items():
        factors[n] = factors.get(n, 0) - k
    for n, k in factors.items():
        if n in over and k in (1, -1):
            return n, -k * c, {m: -k * f for m, f in factors.items() if m != n and f}
    return None


class Sums:
    """The part of a `dense.Program` that knows sums."""

    def sum(self, e: Reduce, env: Mapping):
        inner, axes, ragged = self.bind(e.binders, env)
        if any(not a.range.extent for a in axes):
            return self.number(0.0)
        if ragged is not None:
            body = self.call("where", [self.value(ragged, inner), self.value(e.body, inner), self.number(0.0)])
            return self.summed(body, axes)
        return self.total(e.body, {a.index: a for a in axes}, inner)

    def total(self, body: Expr, over: dict[str, object], env: dict):
        """The sum of `body` over the axes of `over`, by index."""
        term = term_of(body, set(over))
        split = self.distributed(term, over)
        if split is not None:
            function, a, b = split
            return self.call(function, [self.total(a, over, env), self.total(b, over, env)])
        over, factors, conditions, env = dict(over), list(term.factors), list(term.conditions), dict(env)
        for c in term.conditions:  # j == … leaves one j
            found = solvable(c, set(over))
            if found is None or c not in conditions:
                continue
            n, constant, rest = found
            conditions.remove(c)
            low, high = self.reach(constant, rest, env)
            value, r = from_affine(body.pool, constant, rest), over.pop(n).range
            factors, conditions = ([substitute(e, {n: value}) for e in part] for part in (factors, conditions))
            if low < r.low or high > r.high:
                conditions += [body.pool.call("<=", body.pool.number(r.low), value), body.pool.call("<=", value, body.pool.number(r.high))]
        place = next((c for c in conditions if self.scatters(c, factors, conditions, over, env)), None)
        if place is not None:
            conditions.remove(place)
            result = self.scattered(place, factors, conditions, over, env)
        elif conditions:
            product = self.product([self.value(f, env) for f in factors])
            for c in conditions:
                product = self.call("where", [self.value(c, env), product, self.number(0.0)])
            result = self.summed(product, over.values())
        else:
            result = self.contracted([self.value(f, env) for f in factors], over)
        result = self.scaled(result, term.coefficient)
        for b in term.below:
            result = self.call("/", [result, self.value(b, env)])
        return result

    def distributed(self, term: Term, over: dict) -> tuple[str, Expr, Expr] | None:
        """A sum of differences as a difference of sums, where that saves work: one part has `j == k`, or is itself a product of unlike factors."""
        for k, f in enumerate(term.factors):
            if type(f) is Call and f.function in ("+", "-") and not term.conditions and any(self.gains(a, over) for a in f.args):
                pool = f.pool
                rest = pool.one
                for other in (*term.factors[:k], *term.factors[k + 1 :]):
                    rest = pool.mul(rest, other)
                rest = pool.mul(pool.number(term.coefficient), rest)
                for b in term.below:
                    rest = pool.div(rest, b)
                return f.function, pool.mul(rest, f.args[0]), pool.mul(rest, f.args[1])
        return None

    def gains(self, e: Expr, over: dict) -> bool:
        inside = term_of(e, set(over))
        if any(solvable(c, set(over)) is not None for c in inside.conditions):
            return True
        frees = {f.free for f in inside.factors if f.free}
        return len(frees) > 1 and not any(all(other <= f for other in frees) for f in frees)

    def reach(self, constant: int, factors: Mapping[str, int], env: Mapping) -> tuple[int, int]:
        low = high = constant
        for n, k in factors.items():
            r = env[n] if isinstance(env[n], Range) else self.span(env[n])
            low, high = low + min(k * r.low, k * r.high), high + max(k * r.low, k * r.high)
        return low, high

    # ---- gathers turned around

    def scatters(self, c: Expr, factors: Sequence[Expr], conditions: Sequence[Expr], over: dict, env: Mapping) -> bool:
        """Whether a condition is `value == k`, with k an index of the result that nothing else depends on."""
        if type(c) is not Call or c.function != "==" or type(c.args[1]) is not Index or affine(c.args[0]) is not None:
            return False
        value, k = c.args[0], c.args[1].name
        return (k not in over and isinstance(env[k], Range) and k not in value.free and bool(value.free) and value.free <= over.keys()
                and all(k not in e.free for e in (*factors, *(x for x in conditions if x is not c))))

    def scattered(self, c: Expr, factors: list[Expr], conditions: list[Expr], over: dict, env: dict):
        value, k = self.value(c.args[0], env), c.args[1].name
        along = {a.index: a for a in value.axes}
        rest = {n: a for n, a in over.items() if n not in along}
        what = self.product([self.value(f, env) for f in factors])
        for other in conditions:
            what = self.call("where", [self.value(other, env), what, self.number(0.0)])
        what = self.summed(what, rest.values())
        others = tuple(a for a in what.axes if a.index not in along)
        what = self.node("align", (what,), None, (*value.axes, *others))
        axis = Axis(k, env[k])
        return self.node("scatter", (value, what), (axis.range, len(value.axes)), (axis, *others))

    # ---- products

    def product(self, values: Sequence):
        result = self.number(1.0)
        for v in sorted(values, key=lambda v: v.size):
            result = self.call("*", [result, v])
        return result

    def scaled(self, value, coefficient: float):
        if coefficient == -1.0:
            return self.call("neg", [value])
        return value if coefficient == 1.0 else self.call("*", [self.number(coefficient), value])

    def summed(self, value, axes):
        """The sum over some axes; a value that does not have an axis is there as often as it is long."""
        times = math.prod(a.range.extent for a in axes if a not in value.axes)
        gone = tuple(a for a in axes if a in value.axes)
        if gone:
            value = self.node("sum", (value,), gone, tuple(a for a in value.axes if a not in gone))
        return self.scaled(value, float(times))

    def contracted(self, values: list, over: dict):
        """The sum over axes of a product."""
        axes = tuple(over.values())
        outside = [v for v in values if not set(v.axes) & set(axes)]
        alike: dict[frozenset, list] = {}
        for v in values:
            if v not in outside:
                alike.setdefault(frozenset(v.axes), []).append(v)
        left = list(axes)
        if len(alike) == 1 and set(left) >= set(*alike) and len(*alike.values()) > 1:
            (values,) = alike.values()
            groups = [self.pair(values[0], self.product(values[1:]), [a for a in left if a in values[0].axes])]  # an inner product
            left = [a for a in left if a not in values[0].axes]
        else:
            groups = [self.product(vs) for vs in alike.values()]
        while len(groups) > 1:
            pairs = [(self.after(groups, i, j, left)[1], i, j) for i in range(len(groups)) for j in range(i)]
            _, i, j = min(pairs)
            gone, _ = self.after(groups, i, j, left)
            a, b = groups[j], groups[i]
            groups = [g for k, g in enumerate(groups) if k not in (i, j)]
            groups.append(self.pair(a, b, gone))
            left = [x for x in left if x not in gone]
        result = self.summed(groups[0], left) if groups else self.number(float(math.prod(a.range.extent for a in axes)))
        return self.product([result, *outside]) if outside else result

    def after(self, groups: list, i: int, j: int, left: list):
        """The axes that are summed when two groups are multiplied, and the size of what comes out."""
        both = set(groups[i].axes) | set(groups[j].axes)
        others = {a for k, g in enumerate(groups) if k not in (i, j) for a in g.axes}
        gone = [a for a in left if a in both and a not in others]
        return gone, math.prod(a.range.extent for a in both if a not in gone)

    def pair(self, a, b, gone: list):
        """The product of two values, summed over the axes `gone`."""
        a, b = (self.summed(x, [g for g in gone if g in x.axes and g not in y.axes]) for x, y in ((a, b), (b, a)))
        inner = tuple(g for g in gone if g in a.axes and g in b.axes)
        if not inner:
            return self.call("*", [a, b])
        batch = tuple(x for x in a.axes if x in b.axes and x not in inner)
        rows, columns = (tuple(x for x in v.axes if x not in batch and x not in inner) for v in (a, b))
        if rows and columns and rows[0].index > columns[0].index:  # the result in the order of the equation's indices
            a, b, rows, columns = b, a, columns, rows
        return self.node("matmul", (a, b), (batch, rows, inner, columns), (*batch, *rows, *columns))
