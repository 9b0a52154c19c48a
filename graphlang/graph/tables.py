"""Whole-table operations as index notation: elementwise, `@`, `.T`, lists, reductions over all elements."""

from __future__ import annotations

from itertools import count, product
from typing import Mapping

from graphlang.diagnostics import Diagnostic, Label, Span
from graphlang.graph.affine import tidy_index
from graphlang.graph.expressions import Expr, Pick, Pool
from graphlang.graph.substitute import fresh, substitute
from graphlang.graph.graph import Box, Range, Variable
from graphlang.graph.linear_tables import LinearOperations
from graphlang.graph.reductions import REDUCTIONS
from graphlang.graph.values import Problem, Scope, Value
from graphlang.syntax import ast


class TableOperations(LinearOperations):
    """Operations on values. Every value that they give has indices of its own; nothing broadcasts."""

    pool: Pool
    variables: Mapping[str, Variable]
    placeholders: count
    warnings: list[Diagnostic]

    def new_indices(self, n: int) -> tuple[str, ...]:
        return tuple(f"~{next(self.placeholders)}" for _ in range(n))

    def whole(self, variable: Variable) -> Value:
        if not variable.ranges:
            return Value(self.pool.read(variable.name))
        indices = self.new_indices(len(variable.ranges))
        body = self.pool.read(variable.name, tuple(map(self.pool.index, indices)))
        return Value(body, variable.ranges, indices, variable.row)

    def shown(self, node: ast.Expr) -> str:
        return f"`{node.name}`" if type(node) is ast.Name else "this"

    def declared(self, node: ast.Expr) -> list[Label]:
        variable = self.variables.get(node.name) if type(node) is ast.Name else None
        if variable is None or variable.span is None:
            return []
        over = ", ".join(map(str, variable.ranges))
        return [Label(variable.span, f"`{variable.name}` has the ranges {over}" if over else f"`{variable.name}` is a scalar")]

    def ranges_of(self, node: ast.Expr) -> list[Label]:
        """Labels on the declarations of the variables that an operand names."""
        found, labels = set(), []
        for n in ast.postorder(node):
            if type(n) is ast.Name and n.name in self.variables and n.name not in found:
                found.add(n.name)
                if self.variables[n.name].ranges and len(labels) < 2:
                    labels.extend(self.declared(n))
        return labels

    def transpose(self, v: Value, node: ast.Op) -> Value:
        if len(v.ranges) == 1:
            return v._replace(row=not v.row, literal=False)
        if len(v.ranges) == 2:
            return v._replace(ranges=v.ranges[::-1], indices=v.indices[::-1], literal=False)
        raise Problem("E209", f"only a vector or a matrix has a transpose, this is {v.describe()}", node.span)

    def matmul(self, a: Value, b: Value, node: ast.Op, scope: Scope) -> Value:
        la, lb = len(a.ranges), len(b.ranges)
        if not (1 <= la <= 2 and 1 <= lb <= 2):
            scalar = la == 0 or lb == 0
            raise Problem("E210", f"`@` takes vectors and matrices, not {(a if not 1 <= la <= 2 else b).describe()}", node.span,
                          hints=("a scalar multiplies with `*`",) if scalar else ())
        if la == 1 and lb == 1 and not a.row and b.row:  # the outer product
            b = self.apart(b)
            return Value(self.pool.call("*", a.body, b.body), a.ranges + b.ranges, a.indices + b.indices)
        if lb == 1 and b.row:
            what = "row @ row" if la == 1 else "matrix @ row"
            raise Problem("E210", f"{what} is not a product", node.span, hints=("the right one is a row: drop its `.T`",))
        a, b = self.apart(a), self.apart(b)
        inner_a, inner_b = a.ranges[-1], b.ranges[0]
        if inner_a != inner_b:
            a, b, inner = self.adapt_contracted(a, b, node)
        else:
            inner = inner_a
        k = fresh("k", a.body.free | b.body.free | set(self.variables) | {own for own, _ in scope.indices.values()} | scope.avoid)
        at = self.pool.index(k)
        body = self.pool.call("*", substitute(a.body, {a.indices[-1]: at}), substitute(b.body, {b.indices[0]: at}))
        binder = self.pool.bound(k, self.pool.number(inner.low), self.pool.number(inner.high))
        ranges = a.ranges[:-1] + b.ranges[1:]
        row = la == 1 and a.row and lb == 2
        return Value(self.pool.reduce("sum", (binder,), body), ranges, a.indices[:-1] + b.indices[1:], row)

    def adapt_contracted(self, a: Value, b: Value, node: ast.Op):
        if a.literal and a.ranges[-1].extent == b.ranges[0].extent:
            a = self.shift(a, a.ranges[:-1] + (b.ranges[0],))
        elif b.literal and a.ranges[-1].extent == b.ranges[0].extent:
            b = self.shift(b, (a.ranges[-1],) + b.ranges[1:])
        else:
            raise Problem("E201", "the ranges that `@` sums over are not the same", node.span,
                          f"{a.describe()} meets {b.describe()}",
                          [*self.ranges_of(node.args[0]), *self.ranges_of(node.args[1])])
        return a, b, a.ranges[-1]

    def apart(self, v: Value) -> Value:
        """The same value under indices of its own, so that nothing is captured when two meet."""
        new = self.new_indices(len(v.indices))
        return v._replace(body=substitute(v.body, dict(zip(v.indices, map(self.pool.index, new)))), indices=new)

    def shift(self, v: Value, ranges: Box) -> Value:
        """A list under other ranges of the same lengths."""
        put = {}
        for index, old, new in zip(v.indices, v.ranges, ranges):
            if old != new:
                put[index] = tidy_index(self.pool.call("-", self.pool.index(index), self.pool.number(new.low - old.low)))
        return v._replace(body=substitute(v.body, put), ranges=ranges, literal=False)

    def elementwise(self, function: str, values: list[Value], node: ast.Expr, written, scope: Scope) -> Value:
        values, ranges, indices, row = self.align(values, node, written)
        return Value(self.pool.call(function, *(v.body for v in values)), ranges, indices, row)

    def align(self, values: list[Value], node: ast.Expr, written) -> tuple[list[Value], Box, tuple[str, ...], bool]:
        """Operands of an elementwise operation under the same indices."""
        tables = [i for i, v in enumerate(values) if v.ranges]
        if not tables:
            return values, (), (), False
        lead = next((i for i in tables if not values[i].literal), tables[0])
        first = values[lead]
        out = list(values)
        for i in tables:
            v = values[i]
            if v.ranges != first.ranges and v.literal and len(v.ranges) == len(first.ranges) and all(
                    x.extent == y.extent for x, y in zip(v.ranges, first.ranges)):
                v = self.shift(v, first.ranges)
            if v.ranges != first.ranges:
                labels = [*self.ranges_of(written[lead]), *self.ranges_of(written[i])]
                raise Problem("E201", "two tables combine elementwise only when their ranges are equal", node.span,
                              f"{first.describe()} meets {v.describe()}", labels[:3])
            if len(v.ranges) == 1 and v.row != first.row and not v.literal:
                raise Problem("E202", "a row and a column do not combine elementwise", node.span,
                              f"{first.describe()} meets {v.describe()}", hints=(
                                  "elementwise: drop the `.T`", "outer product: `column @ row` or `outer(a, b)`"))
            if v.indices != first.indices:
                v = v._replace(body=substitute(v.body, dict(zip(v.indices, map(self.pool.index, first.indices)))))
            out[i] = v
        return out, first.ranges, first.indices, first.row

    def literal(self, node: ast.List, scope: Scope, results: list, work: list) -> None:
        n = len(node.items)
        if not n:
            raise Problem("E211", "an empty list has no range", node.span)
        items = results[len(results) - n :]
        del results[-n:]
        inner = items[0].ranges
        for v, written in zip(items, node.items):
            if v.ranges and not v.literal:
                raise Problem("E211", "a row of a list is a list written out", written.span, f"this is {v.describe()}",
                              hints=("write its elements, or an equation with indices: `A[i,j] = … for …`",))
            if tuple(r.extent for r in v.ranges) != tuple(r.extent for r in inner):
                raise Problem("E211", "the rows of a list have the same length", written.span,
                              f"this is {v.describe()}, the first is {items[0].describe()}", [Label(node.items[0].span, "the first")])
        indices = self.new_indices(1 + len(inner))
        here = tuple(map(self.pool.index, indices))
        if inner:
            flat: list[Expr] = []
            shape = (n, *(r.extent for r in inner))
            for v in items:
                if type(v.body) is Pick:
                    flat.extend(v.body.items)
                    continue
                for at in product(*(range(r.low, r.high + 1) for r in v.ranges)):  # `-[1, 2]`: made of a list, element by element
                    flat.append(substitute(v.body, dict(zip(v.indices, map(self.pool.number, at)))))
        else:
            flat, shape = [v.body for v in items], (n,)
        results.append(Value(self.pool.pick(tuple(flat), shape, here), (Range(1, n), *inner), indices, literal=True))

    def extreme(self, name: str, values: list[Value], node: ast.Call, scope: Scope) -> Value:
        """max(a, b) elementwise; of three and more, a reduction over the list, so that ties share equally."""
        values, ranges, indices, row = self.align(values, node, node.args)
        bodies = tuple(v.body for v in values)
        if len(bodies) == 2:
            return Value(self.pool.call(name, *bodies), ranges, indices, row)
        i = fresh("i", frozenset().union(*(b.free for b in bodies)) | set(self.variables))
        binder = self.pool.bound(i, self.pool.one, self.pool.number(len(bodies)))
        body = self.pool.pick(bodies, (len(bodies),), (self.pool.index(i),))
        return Value(self.pool.reduce(name, (binder,), body), ranges, indices, row)

    def reduction(self, name: str, values: list[Value], node: ast.Call, scope: Scope) -> Value:
        if len(values) != 1:
            raise Problem("E302", f"`{name}` takes a table, or an expression with `for`", node.span, f"{len(values)} arguments are given")
        v = values[0]
        if not v.ranges and not REDUCTIONS[name].matrix:
            raise Problem("E205", f"`{name}` reduces a table, and this is a scalar", node.args[0].span, "a scalar",
                          hints=(f"over an index: `{name}(… for i in 1..n)`",))
        return self.reduce(name, v, node, scope, v.row)

    def reduce(self, name: str, v: Value, node: ast.Call, scope: Scope, row: bool = False) -> Value:
        rule = REDUCTIONS[name]
        if rule.matrix:
            return self.matrix_function(name, v, node, scope)
        if rule.vector and len(v.ranges) > 1:
            form = {"softmax": "exp(S[i,j] - logsumexp(S[i,k] for k))", "log_softmax": "S[i,j] - logsumexp(S[i,k] for k)",
                    "cumsum": "sum(S[i,k] for k in 1..j)"}[name]
            raise Problem("E205", f"`{name}` takes a vector, and this is {v.describe()}", node.span,
                          hints=(f"for the rows of a matrix use the index form `{form}`",))
        taken = set(v.body.free) | set(self.variables) | {own for own, _ in scope.indices.values()} | scope.avoid
        binders, put = [], {}
        for index, r in zip(v.indices, v.ranges):
            nice = fresh("i", taken)
            taken.add(nice)
            binders.append(self.pool.bound(nice, self.pool.number(r.low), self.pool.number(r.high)))
            put[index] = self.pool.index(nice)
        self.check_empty(name, v.ranges, node.span)
        body = substitute(v.body, put)
        if not rule.table:
            return Value(self.pool.reduce(name, tuple(binders), body))
        out = self.new_indices(len(v.ranges))
        return Value(self.pool.reduce(name, tuple(binders), body, tuple(map(self.pool.index, out))), v.ranges, out, row)

    def check_empty(self, name: str, ranges: Box, span: Span) -> None:
        if all(r.extent for r in ranges):
            return
        value = REDUCTIONS[name].empty
        if value is None and not REDUCTIONS[name].table:
            raise Problem("E212", f"`{name}` over an empty range has no value", span)
        if value is not None:
            self.warnings.append(Diagnostic("W201", f"`{name}` over an empty range is {value:g}", span, severity="warning"))

    def dot(self, values, node, scope) -> Value:
        return self.of_vectors("dot", values, node, scope, (True, False))

    def outer(self, values, node, scope) -> Value:
        return self.of_vectors("outer", values, node, scope, (False, True))

    def of_vectors(self, name: str, values, node, scope, rows: tuple[bool, bool]) -> Value:
        """`@` of two vectors, one of them taken as a row."""
        if len(values) != 2:
            raise Problem("E302", f"`{name}` takes 2 arguments, but {len(values)} {'is' if len(values) == 1 else 'are'} given", node.span)
        if any(len(v.ranges) != 1 for v in values):
            raise Problem("E205", f"`{name}` takes two vectors", node.span, " and ".join(v.describe() for v in values))
        a, b = (v._replace(row=row) for v, row in zip(values, rows))
        return self.matmul(a, b, ast.Op("@", node.args, node.span), scope)

    def trace(self, values, node, scope) -> Value:
        v = values[0] if len(values) == 1 else None
        if v is None or len(v.ranges) != 2 or v.ranges[0] != v.ranges[1]:
            raise Problem("E205", "`trace` takes one square matrix", node.span, v.describe() if v else f"{len(values)} arguments are given")
        return self.reduce("sum", self.diagonal(v), node, scope)

    def diagonal(self, v: Value) -> Value:
        (index,) = self.new_indices(1)
        at = self.pool.index(index)
        return Value(substitute(v.body, {v.indices[0]: at, v.indices[1]: at}), v.ranges[:1], (index,))

    def diag(self, values, node, scope) -> Value:
        v = values[0] if len(values) == 1 else None
        if v is not None and len(v.ranges) == 2 and v.ranges[0] == v.ranges[1]:
            return self.diagonal(v)
        if v is not None and len(v.ranges) == 1:
            (other,) = self.new_indices(1)
            same = self.pool.call("==", self.pool.index(v.indices[0]), self.pool.index(other))
            body = self.pool.call("where", same, v.body, self.pool.zero)
            return Value(body, v.ranges * 2, (v.indices[0], other))
        raise Problem("E205", "`diag` takes a vector or a square matrix", node.span, v.describe() if v else f"{len(values)} arguments are given")
