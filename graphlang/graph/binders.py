"""Binding of indices: the ranges of `for j in a..b`, written or inferred."""

from __future__ import annotations

from typing import Mapping

from graphlang.diagnostics import Label
from graphlang.graph.constant import constant
from graphlang.graph.affine import affine, tidy_index
from graphlang.graph.expressions import Bound, Expr, Pool
from graphlang.graph.substitute import fresh
from graphlang.graph.graph import Range, Variable
from graphlang.graph.values import Problem, Scope
from graphlang.syntax import ast


class Binders:
    """Puts indices in reach. A bound is a whole number made of consts, numbers and outer indices."""

    pool: Pool
    variables: Mapping[str, Variable]
    consts: Mapping[str, float]

    def bind(self, written: tuple[ast.Binder, ...], scope: Scope, body: ast.Expr, node) -> tuple[Scope, tuple[Bound, ...]]:
        """Put indices in reach: the scope inside, and the binders."""
        binders, indices = [], dict(scope.indices)
        for b in written:
            if b.name in indices:
                raise Problem("E103", f"the index `{b.name}` is in use already", b.span, "bound a second time",
                              hints=("nested `for`s take different names",))
            if b.name in self.variables or b.name in self.consts:
                where = self.variables[b.name].span if b.name in self.variables else None
                raise Problem("E104", f"`{b.name}` is a variable and cannot be an index too", b.span, "used as an index",
                              [Label(where, "the variable")] if where else ())
            here = scope._replace(indices=indices, integer=True)
            if b.low is None:
                over = self.infer(b, body)
                low, high = self.pool.number(over.low), self.pool.number(over.high)
                interval = over
            else:
                low, high = self.bound(b.low, here), self.bound(b.high, here)
                interval = Range(int(self.extent(low, indices)[0]), int(self.extent(high, indices)[1]))
            own = b.name
            taken = {o for o, _ in indices.values()}
            if own in scope.avoid or own in taken:
                own = fresh("i", scope.avoid | taken | set(self.variables))
            indices = {**indices, b.name: (own, interval)}
            binders.append(self.pool.bound(own, low, high))
            self.check_empty_bound(node, interval, b)
        return scope._replace(indices=indices), tuple(binders)

    def check_empty_bound(self, node, interval: Range, b: ast.Binder) -> None:
        if interval.extent == 0 and type(node) is ast.Call:
            self.check_empty(node.name, (interval,), b.span)

    def bound(self, node: ast.Expr, scope: Scope) -> Expr:
        for n in ast.postorder(node):
            if type(n) not in (ast.Num, ast.Name, ast.Op):
                raise Problem("E213", "a bound is a whole number made of consts, numbers and outer indices", n.span)
            if type(n) is ast.Name and n.name not in scope.indices and n.name not in self.consts:
                if n.name in self.variables:
                    raise Problem("E213", f"`{n.name}` is not a const, so it cannot be a bound", n.span, self.variables[n.name].role,
                                  hints=(f"declare it as a const: `const {n.name} = …`",))
                raise self.undefined(n.name, n.span, scope)
        body = self.scalar(node, scope)
        if affine(body) is None:
            value = constant(body)
            if value is None or not value.is_integer():
                raise Problem("E213", "a bound is a whole number made of consts, numbers and outer indices", node.span,
                              f"this is {value:g}" if value is not None else "")
            return self.pool.number(value)
        return tidy_index(body)

    def extent(self, bound: Expr, indices: Mapping[str, tuple[str, Range]]) -> tuple[int, int]:
        """The least and the greatest value of a bound."""
        over = {own: r for own, r in indices.values()}
        c, factors = affine(bound)
        low = high = c
        for k, f in factors.items():
            r = over.get(k, Range(0, 0))
            low, high = low + min(f * r.low, f * r.high), high + max(f * r.low, f * r.high)
        return low, high

    def infer(self, binder: ast.Binder, body: ast.Expr, skip: str = "") -> Range:
        """The range of a bare `for j`: that of the plain `j` subscripts in tables whose ranges are known."""
        found: dict[Range, list[Label]] = {}
        for n in ast.postorder(body):
            if type(n) is ast.Subscript and type(n.base) in (ast.Name, ast.Deriv):
                name = n.base.name if type(n.base) is ast.Name else n.base.wrt
                if name == skip and type(n.base) is ast.Name:
                    continue
                variable = self.variables.get(name)
                if variable is None or len(variable.ranges) != len(n.subs):
                    continue
                for s, r in zip(n.subs, variable.ranges):
                    if type(s) is ast.Name and s.name == binder.name:
                        found.setdefault(r, []).append(Label(n.span, f"`{name}` gives {binder.name} in {r}"))
        if len(found) == 1:
            return next(iter(found))
        if not found:
            raise Problem("E214", f"the range of `{binder.name}` cannot be told", binder.span, "no table is read at it",
                          hints=(f"write the range: `for {binder.name} in 1..n`",))
        raise Problem("E215", f"the range of `{binder.name}` is not clear: the tables read at it disagree", binder.span, "",
                      [labels[0] for labels in found.values()][:4], (f"write the range: `for {binder.name} in {next(iter(found))}`",))
