"""det, slogdet, inv and solve of whole tables and with `for`, as reductions over the elements of a matrix."""

from __future__ import annotations

from typing import Mapping

from graphlang.diagnostics import Diagnostic, Label, Span
from graphlang.graph.expressions import Bound, Expr, Number, Pool, Read
from graphlang.graph.graph import Range, Variable
from graphlang.graph.linear_rules import System, augmented
from graphlang.graph.reductions import REDUCTIONS
from graphlang.graph.substitute import fresh, substitute
from graphlang.graph.sizes import symbolic
from graphlang.graph.values import Problem, Scope, Value
from graphlang.syntax import ast

MOST_ROWS = 200  # of a matrix in exact arithmetic: some seconds, and minutes where it is singular


class LinearOperations:
    pool: Pool
    variables: Mapping[str, Variable]
    warnings: list[Diagnostic]

    def matrix_function(self, name: str, v: Value, node: ast.Call, scope: Scope) -> Value:
        """A function of one square matrix."""
        self.check_square(name, v, node.args[0], node.span)
        row, column = self.indices_for(v, scope)
        body = substitute(v.body, {v.indices[0]: self.pool.index(row.index), v.indices[1]: self.pool.index(column.index)})
        return self.matrix_result(name, (row, column), body, node.span)

    def matrix_result(self, name: str, binders: tuple[Bound, Bound], body: Expr, span: Span) -> Value:
        ranges = tuple(Range(int(b.low.value), int(b.high.value)) for b in binders)
        self.check_empty(name, ranges, span)
        rule = REDUCTIONS[name]
        if not rule.table:
            return Value(self.pool.reduce(name, binders, body))
        out = self.new_indices(2)
        ranges = ranges[::-1] if rule.over is not None else ranges
        return Value(self.pool.reduce(name, binders, body, tuple(map(self.pool.index, out))), ranges, out)

    def solve(self, values: list[Value], node: ast.Call, scope: Scope) -> Value:
        """x with A x = b, for a column b or for each column of a matrix."""
        if len(values) != 2:
            raise Problem("E302", f"`solve` takes 2 arguments, but {len(values)} {'is' if len(values) == 1 else 'are'} given", node.span,
                          hints=("`solve(A, b)` is the x with A @ x = b",))
        a, b = values
        self.check_square("solve", a, node.args[0], node.args[0].span)
        if len(b.ranges) not in (1, 2) or b.row:
            raise Problem("E205", "the right side of `solve` is a column or a matrix", node.args[1].span, f"this is {b.describe()}",
                          hints=("drop its `.T`",) if b.row else ())
        a, b = self.beside(a, self.apart(b), node)
        row, column = self.indices_for(a, scope, b.body)
        i, j = self.pool.index(row.index), self.pool.index(column.index)
        matrix = substitute(a.body, {a.indices[0]: i, a.indices[1]: j})
        return self.solution(System(matrix, substitute(b.body, {b.indices[0]: i}), row, column), b)

    def solution(self, s: System, right: Value) -> Value:
        """`right`: whose ranges after the first the solution has too."""
        (k,) = self.new_indices(1)
        taken = s.matrix.free | s.right.free | {s.row.index, s.column.index}
        binders, body = augmented(fresh("part", taken | set(self.variables)), s)
        over = Range(int(s.column.low.value), int(s.column.high.value))
        return Value(self.pool.reduce("_solve", binders, body, (self.pool.index(k),)), (over, *right.ranges[1:]), (k, *right.indices[1:]))

    def beside(self, a: Value, b: Value, node: ast.Call) -> tuple[Value, Value]:
        """The rows of A are over the range of b; a list takes the range of the other."""
        rows, own = a.ranges[0], b.ranges[0]
        if rows == own:
            return a, b
        if rows.extent == own.extent and b.literal:
            return a, self.shift(b, (rows, *b.ranges[1:]))
        if rows.extent == own.extent and a.literal:
            return self.shift(a, (own, a.ranges[1])), b
        raise Problem("E201", "in `solve(A, b)` the rows of A have the range of b", node.span, f"{a.describe()} meets {b.describe()}",
                      [*self.ranges_of(node.args[0]), *self.ranges_of(node.args[1])][:3])

    def check_square(self, name: str, v: Value, written: ast.Expr, span: Span) -> None:
        if len(v.ranges) != 2:
            raise Problem("E205", f"`{name}` takes a square matrix, and this is {v.describe()}", span, v.describe(), self.ranges_of(written),
                          (f"of an expression with two indices: `{name}(… for i in 1..n, j in 1..n)`",) if name != "solve" else ())
        rows, columns = v.ranges
        self.check_extents(name, rows, columns, span, self.ranges_of(written))

    def check_extents(self, name: str, rows: Range, columns: Range, span: Span, labels: list[Label]) -> None:
        if rows.extent != columns.extent:
            raise Problem("E201", f"`{name}` takes a square matrix, and this one is {rows.extent}×{columns.extent}", span,
                          f"a matrix over {rows}, {columns}", labels)
        if rows.extent > MOST_ROWS and not symbolic(rows.high):
            raise Problem("E902", f"`{name}` of a matrix with {rows.extent:,} rows; the limit is {MOST_ROWS}", span,
                          hints=("it is worked out in exact arithmetic, whose numbers grow with the matrix",))

    def indices_for(self, v: Value, scope: Scope, beside: Expr | None = None) -> tuple[Bound, Bound]:
        """Binders for rows and columns under names that are not taken."""
        taken = set(v.body.free) | set(self.variables) | {own for own, _ in scope.indices.values()} | scope.avoid
        taken |= beside.free if beside is not None else set()
        binders = []
        for r in v.ranges:
            name = fresh("i", taken)
            taken.add(name)
            binders.append(self.pool.bound(name, self.pool.number(r.low), self.pool.number(r.high)))
        row, column = binders
        return row, column

    # ---- with `for`

    def matrix_comprehension(self, name: str, values: list[Value], binders: tuple[Bound, ...], node: ast.Call) -> Value:
        """`det(e for i in 1..n, j in 1..n)`: the first index counts rows; `solve(e, f for i …, j …)`, where f has no j."""
        if len(binders) != 2:
            raise Problem("E205", f"`{name}` takes two indices, one for rows and one for columns", node.span,
                          f"{len(binders)} {'is' if len(binders) == 1 else 'are'} given")
        if any(type(e) is not Number for b in binders for e in (b.low, b.high)):
            raise Problem("E213", f"`{name}` takes indices with fixed bounds", node.span)
        row, column = binders
        rows, columns = (Range(int(b.low.value), int(b.high.value)) for b in binders)
        self.check_extents(name, rows, columns, node.span, [])
        bodies = [self.in_part(v.body, binders) for v in values]
        if name != "solve":
            return self.matrix_result(name, (row, column), bodies[0], node.span)
        if column.index in bodies[1].free:
            raise Problem("E205", f"the right side of `solve` has rows only, but it uses `{node.binders[1].name}`", node.args[1].span,
                          hints=("`solve(A[i,j], b[i] for i, j)`",))
        return self.solution(System(bodies[0], bodies[1], row, column), Value(bodies[1], (rows,), (row.index,)))

    def in_part(self, body: Expr, binders: tuple[Bound, ...]) -> Expr:
        """A read of only a part of a table is wrapped up as a list of one, so that it is not spelled as the whole: `softmax(x)`."""
        if type(body) is not Read or body.name not in self.variables:
            return body
        ranges = self.variables[body.name].ranges
        over = {b.index: Range(int(b.low.value), int(b.high.value)) for b in binders}
        names = [getattr(s, "name", None) for s in body.args]
        if sorted(map(str, names)) != sorted(over) or [over[n] for n in names] == list(ranges):
            return body
        return self.pool.pick((body,), (1,), (self.pool.one,))
