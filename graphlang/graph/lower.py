"""From the syntax of an expression to index notation, with its ranges checked.

`Lowering.lower` walks a syntax tree with a stack of its own (a tree may be 100,000 levels deep) and gives a `Value`:
one expression over the value's own indices, its ranges, and whether it is a row. Whole-table operations become index
notation here: `A @ x` is `sum(A[i,k]*x[k] for k)` at i.
"""

from __future__ import annotations

from itertools import count
from typing import Mapping

from graphlang.diagnostics import Diagnostic, Label, Span, did_you_mean
from graphlang.graph.asking import Asking, Target, whole_number
from graphlang.graph.binders import Binders
from graphlang.graph.affine import affine, tidy_index
from graphlang.graph.expressions import Bound, Expr, Number, Pool, Read, postorder
from graphlang.graph.substitute import substitute
from graphlang.graph.functions import ALIASES, FUNCTIONS
from graphlang.graph.graph import Range, Variable
from graphlang.graph.reductions import REDUCTIONS
from graphlang.graph.tables import TableOperations
from graphlang.graph.values import BUILT_IN, CONSTANTS, DERIVATIVES, FROM_FILES, INITIALISERS, OWN, WHOLE_TABLE, Problem, Scope, Value
from graphlang.syntax import ast

MOST_NESTED_BINDERS = 32
MOST_NESTED_CALLS = 2000


class Lowering(Asking, TableOperations, Binders):
    """What lowering knows of a program: `ranges(name)` gives the variable, or raises Problem."""

    def __init__(self, pool: Pool, variables: Mapping[str, Variable], consts: Mapping[str, float],
                 functions: Mapping[str, ast.FunctionDef]):
        self.pool, self.variables, self.consts, self.functions = pool, variables, consts, functions
        self.begin_asking()
        self.opaques: Mapping[str, object] = {}
        self.placeholders = count()
        self.inlined: dict[tuple, Value] = {}
        self.missing: set[str] = set()
        self.warnings: list[Diagnostic] = []
        self.private = False

    # ---- the walk

    def lower(self, node: ast.Expr, scope: Scope = Scope()) -> Value:
        results: list[Value] = []
        work: list[tuple] = [(0, node, scope)]
        while work:
            step, node, scope = work.pop()
            if step == 0:
                self.enter(node, scope, work, results)
            else:
                step(node, scope, results, work)
        (value,) = results
        return value

    def scalar(self, node: ast.Expr, scope: Scope = Scope()) -> Expr:
        value = self.lower(node, scope)
        if value.ranges:
            raise Problem("E205", "a number is wanted here", node.span, f"this is {value.describe()}")
        return value.body

    def enter(self, node: ast.Expr, scope: Scope, work: list, results: list) -> None:
        kind = type(node)
        if kind is ast.Num:
            results.append(Value(self.pool.number(node.value)))
        elif kind is ast.Name:
            results.append(self.name(node, scope))
        elif kind is ast.Op:
            if node.op == "/":
                self.check_halves(node, scope)
            work.append((self.operator, node, scope))
            for a in reversed(node.args):
                work.append((0, a, scope))
        elif kind is ast.Subscript:
            self.enter_subscript(node, scope, work, results)
        elif kind is ast.Call:
            self.enter_call(node, scope, work, results)
        elif kind is ast.List:
            work.append((self.literal, node, scope))
            for a in reversed(node.items):
                work.append((0, a, scope))
        elif kind is ast.Deriv:
            results.append(self.derivative(node, scope))
        elif kind is ast.Text:
            raise Problem("E304", "a string is not a number", node.span)
        elif kind is ast.Keyword:
            raise Problem("E303", f"no function here takes an argument called `{node.name}`", node.span)
        else:
            raise Problem("E206", "slices are not part of the language", node.span, "a range in an expression",
                          hints=("write the elements with an index: `x[i] … for i in a..b`",))

    # ---- names

    def name(self, node: ast.Name, scope: Scope) -> Value:
        name = node.name
        if scope.arguments is not None and name in scope.arguments:
            return scope.arguments[name]
        if name in scope.indices:
            return Value(self.pool.index(scope.indices[name][0]))
        if name in self.consts and (scope.integer or scope.function):
            return Value(self.pool.number(self.consts[name]))
        variable = self.variables.get(name)
        if variable is not None and not scope.function:
            return self.whole(variable)
        if name in CONSTANTS and not (name == "e" and variable is not None):
            return Value(self.pool.number(CONSTANTS[name]))
        if scope.function:
            raise Problem("E107", f"a function may use only its arguments and consts, not `{name}`", node.span,
                          hints=(f"give it to `{scope.function}` as an argument",))
        raise self.undefined(name, node.span, scope)

    def undefined(self, name: str, span: Span, scope: Scope) -> Problem:
        self.missing.add(name)
        known = [*self.variables, *self.consts, *scope.indices]
        half = name[1:]
        if name[0] in "d∂" and half in self.variables:  # half of a derivative whose other half is nothing, or with blanks
            below = self.variables[half].is_leaf
            other = next((n for n, v in self.variables.items() if n != half and v.is_leaf != below and v.role != "const" and n.isidentifier()), None)
            return Problem("E101", f"`{name}` is not defined", span, "read as a variable", hints=() if other is None else (
                f"a derivative is written without blanks, of a variable by a variable: `{f'd{other}/d{half}' if below else f'd{half}/d{other}'}`",))
        labels, hints = [], did_you_mean(name, known)
        if hints:
            near = hints[0].split("`")[1]
            where = self.variables[near].span if near in self.variables else None
            if where:
                labels.append(Label(where, f"`{near}` is defined here"))
        elif name in BUILT_IN:
            hints = (f"`{name}` is a function: write `{name}(…)`",)
        if not hints and len(name) == 1 and scope.integer:
            return Problem("E111", f"the index `{name}` is not bound", span, "no `for` gives its range",
                           hints=(f"bind it: `sum(… for {name} in 1..n)`, or `for … , {name} in 1..n` with `{name}` on the left",))
        return Problem("E101", f"`{name}` is not defined", span, "no variable has this name", labels, hints)

    def check_halves(self, node: ast.Op, scope: Scope) -> None:
        """`dJ/dxx` with an unknown half is a derivative that failed, not a division of two unknown names."""
        above, below = node.args
        if type(above) is not ast.Name or type(below) is not ast.Name or below.span.start != above.span.end + 1:
            return
        if any(n.name[0] not in "d∂" or len(n.name) < 2 or n.name in self.variables or n.name in scope.indices for n in node.args):
            return
        unknown = [n for n in node.args if n.name[1:] not in self.variables]
        if len(unknown) == 1:
            half = unknown[0].name[1:]
            raise Problem("E101", f"`{half}` is not defined", Span(unknown[0].span.start + 1, unknown[0].span.end), "this half of the derivative",
                          hints=did_you_mean(half, self.variables))

    # ---- subscripts

    def enter_subscript(self, node: ast.Subscript, scope: Scope, work: list, results: list) -> None:
        element = self.element(node)
        if element is not None:
            results.append(self.whole(element))
            return
        if type(node.base) is ast.Deriv:
            results.append(self.derivative_element(node, scope))
            return
        work.append((self.subscript, node, scope))
        for s in reversed(node.subs):
            if type(s) is ast.Range:
                raise Problem("E206", "slices are not part of the language", s.span, "a range as a subscript",
                              hints=("write the elements with an index: `x[i] … for i in a..b`",))
            work.append((0, s, scope._replace(integer=True)))
        if type(node.base) is ast.Name and not (scope.arguments and node.base.name in scope.arguments):
            work.append((0, node.base, scope._replace(integer=False)))
        else:
            work.append((0, node.base, scope))

    def element(self, node: ast.Subscript) -> Variable | None:
        """In the scalar view an element is a variable by itself: `z[1]`, `dJ/dz[1]`."""
        base = node.base
        name = base.name if type(base) is ast.Name else base.wrt if type(base) is ast.Deriv else None
        if name is None or name in self.variables:
            return None
        subs = [whole_number(s) for s in node.subs]
        name = f"{name}[{','.join(map(str, subs))}]"
        if None in subs or name not in self.variables:
            return None
        if type(base) is ast.Name:
            return self.variables[name]
        of = self.variables.get(base.of)
        return self.derived_by(Target(of, ()), Target(self.variables[name], ()), base.partial, node.span).variable if of else None

    def subscript(self, node: ast.Subscript, scope: Scope, results: list, work: list) -> None:
        n = len(node.subs)
        subs, base = results[len(results) - n :], results[-n - 1]
        del results[-n - 1 :]
        if not base.ranges:
            what = self.shown(node.base)
            raise Problem("E203", f"{what} is a scalar and has no elements", node.span, "it takes no subscripts")
        if n != len(base.ranges):
            what = self.shown(node.base)
            letters = ",".join("ijklmn"[: len(base.ranges)])
            raise Problem("E204", f"{what} has {len(base.ranges)} ranges, but {n} subscript{'s' if n > 1 else ''} {'are' if n > 1 else 'is'} given",
                          node.span, base.describe(), self.declared(node.base),
                          (f"give all of them or none: `{what.strip('`')}[{letters}]`",))
        put = {}
        for index, sub, written, over in zip(base.indices, subs, node.subs, base.ranges):
            put[index] = self.checked_subscript(sub, written)
        results.append(Value(substitute(base.body, put)))

    def checked_subscript(self, sub: Value, written: ast.Expr) -> Expr:
        if sub.ranges:
            raise Problem("E205", "a subscript is one number", written.span, f"this is {sub.describe()}")
        body = sub.body
        if type(body) is Read:
            return body  # a gather: checked when its value is known
        if self.private and affine(body) is None and any(type(n) is Read for n in postorder(body)):
            return body  # of the scalar view, `[x[0], x[1]][c[1]+1]`
        form = affine(body)
        if form is None:
            if type(body) is Number:
                raise Problem("E207", "a subscript is a whole number", written.span, f"this is {body.value:g}")
            raise Problem("E208", "a subscript is an index, a whole number, or a sum of multiples of them", written.span,
                          "this is something else", hints=("for a data-dependent subscript read a table: `E[c[i]]`",))
        return tidy_index(body)

    # ---- operators

    def operator(self, node: ast.Op, scope: Scope, results: list, work: list) -> None:
        op = node.op
        if op == "neg":
            v = results.pop()
            if type(node.args[0]) is ast.Num:  # a negative number is a number
                results.append(Value(self.pool.number(-v.body.value)))
            else:
                results.append(v._replace(body=self.pool.call("neg", v.body)))
        elif op == "T":
            results.append(self.transpose(results.pop(), node))
        else:
            right, left = results.pop(), results.pop()
            if op == "@":
                results.append(self.matmul(left, right, node, scope))
            elif not left.ranges and not right.ranges:
                results.append(Value(self.pool.call("*" if op == "coef" else op, left.body, right.body)))
            else:
                results.append(self.elementwise("*" if op == "coef" else op, [left, right], node, node.args, scope))

    # ---- calls

    def enter_call(self, node: ast.Call, scope: Scope, work: list, results: list) -> None:
        name = node.name
        if node.binders and name not in REDUCTIONS and name != "solve":
            raise Problem("E305", f"`{name}` takes no `for`", node.span, hints=("reductions do: sum, prod, mean, max, min, …",))
        if name in self.functions:
            definition = self.functions[name]
            if len(node.args) != len(definition.params):
                raise Problem("E302", f"`{name}` takes {_arguments(len(definition.params))}, but {len(node.args)} {'is' if len(node.args) == 1 else 'are'} given",
                              node.span, "", [Label(definition.name_span, "defined here")])
            work.append((self.inline, node, scope))
        elif name in self.variables and name not in OWN:
            inside = node.args[0] if len(node.args) == 1 else None
            raise Problem("E301", f"`{name}` is a variable, not a function", node.name_span, "called as a function",
                          [Label(self.variables[name].span, f"`{name}` is defined here")] if self.variables[name].span else (),
                          (f"to multiply, write `{name}*(…)`",) if inside is not None else ())
        elif name in self.opaques:
            raise Problem("E308", f"the opaque function `{name}` stands in an expression", node.span, "it has no formula to put in",
                          hints=(f"give it an equation of its own: `u = {name}(…)`, and use `u` here",))
        elif name in DERIVATIVES:
            results.append(self.derivative_call(node, scope))
            return
        elif self.private and name.startswith("_") and (name in FUNCTIONS or name in REDUCTIONS):
            if node.binders:
                self.enter_comprehension(node, scope, work)
                return
            work.append((self.call, node, scope))
        elif name in OWN or name in ALIASES or name in REDUCTIONS and not name.startswith("_") or name in WHOLE_TABLE:
            if node.binders:
                self.enter_comprehension(node, scope, work)
                return
            work.append((self.call, node, scope))
        elif name in INITIALISERS:
            raise Problem("E306", f"`{name}` gives a leaf its first value and stands alone in a declaration", node.span,
                          hints=(f"data x = {name}(\"numbers.{name}\")" if name in FROM_FILES else f"param W[3, 2] = {name}({'0, 0.1' if name in ('normal', 'uniform') else ''})",))
        else:
            known = sorted(BUILT_IN | set(self.functions))
            hints = did_you_mean(name, known)
            if not hints and name in scope.indices:
                hints = (f"to multiply, write `{name}*(…)`",)
            raise Problem("E301", f"there is no function `{name}`", node.name_span, "called as a function", hints=hints)
        for a in reversed(node.args):
            work.append((0, a, scope))

    def call(self, node: ast.Call, scope: Scope, results: list, work: list) -> None:
        n = len(node.args)
        values = results[len(results) - n :] if n else []
        del results[len(results) - n :]
        name = ALIASES.get(node.name, node.name)
        if name in ("max", "min") and n > 1:
            results.append(self.extreme(name, values, node, scope))
        elif name in REDUCTIONS:
            results.append(self.reduction(name, values, node, scope))
        elif name in WHOLE_TABLE:
            results.append(getattr(self, name)(values, node, scope))
        else:
            low, high = FUNCTIONS[name].arity
            if not low <= n <= high:
                wanted = _arguments(low) if low == high else f"{low} to {high} arguments"
                raise Problem("E302", f"`{node.name}` takes {wanted}, but {n} {'is' if n == 1 else 'are'} given", node.span)
            results.append(self.elementwise(name, values, node, node.args, scope))

    # ---- reductions with `for`

    def enter_comprehension(self, node: ast.Call, scope: Scope, work: list) -> None:
        wanted = 2 if node.name == "solve" else 1
        if len(node.args) != wanted:
            raise Problem("E302", f"`{node.name}` with `for` takes {'one expression' if wanted == 1 else 'two expressions'}", node.span,
                          f"{len(node.args)} {'is' if len(node.args) == 1 else 'are'} given")
        if len(scope.indices) + len(node.binders) > MOST_NESTED_BINDERS:
            raise Problem("E902", f"more than {MOST_NESTED_BINDERS} indices are in reach", node.span)
        inner, binders = self.bind(node.binders, scope, node.args[0], node)
        work.append((lambda node, s, results, work: self.comprehension(node, results, binders), node, scope))
        for a in reversed(node.args):
            work.append((0, a, inner))

    def comprehension(self, node: ast.Call, results: list, binders: tuple[Bound, ...]) -> None:
        values = results[len(results) - len(node.args) :]
        del results[len(results) - len(node.args) :]
        for value, written in zip(values, node.args):
            if value.ranges:
                raise Problem("E205", f"`{node.name}` with `for` takes a number for each index", written.span, f"this is {value.describe()}")
        name = ALIASES.get(node.name, node.name)
        if name == "solve" or REDUCTIONS[name].matrix:
            results.append(self.matrix_comprehension(name, values, binders, node))
        else:
            results.append(self.reduction_over(name, values[0], binders, node))

    def reduction_over(self, name: str, value: Value, binders: tuple[Bound, ...], node: ast.Call) -> Value:
        rule = REDUCTIONS[name]
        if not rule.table:
            return Value(self.pool.reduce(name, binders, value.body))
        ranges = []
        for b in binders:
            if type(b.low) is not Number or type(b.high) is not Number:
                raise Problem("E213", f"`{name}` takes an index with fixed bounds", node.span)
            ranges.append(Range(int(b.low.value), int(b.high.value)))
        if len(ranges) > 1 and rule.vector:
            raise Problem("E205", f"`{name}` takes one index", node.span)
        out = self.new_indices(len(ranges))
        return Value(self.pool.reduce(name, binders, self.in_part(value.body, binders), tuple(map(self.pool.index, out))), tuple(ranges), out)

    # ---- the author's functions

    def inline(self, node: ast.Call, scope: Scope, results: list, work: list) -> None:
        definition = self.functions[node.name]
        n = len(node.args)
        values = results[len(results) - n :] if n else []
        del results[len(results) - n :]
        values, ranges, indices, row = self.align(values, node, node.args)
        bodies = tuple(v.body for v in values)
        key = (node.name, bodies)
        if key in self.inlined:
            results.append(Value(self.inlined[key], ranges, indices, row))
            return
        if len(work) > 50 * MOST_NESTED_CALLS:
            raise Problem("E902", "functions call one another too deeply", node.span)
        free = frozenset().union(*(b.free for b in bodies)) if bodies else frozenset()
        inner = Scope({}, {p.name: Value(b) for p, b in zip(definition.params, bodies)}, False, node.name, scope.avoid | free)

        def finish(node, scope, results, work):
            value = results.pop()
            if value.ranges:
                raise Problem("E307", f"the function `{definition.name}` gives a table", definition.name_span, hints=("a function is scalar",))
            self.inlined[key] = value.body
            results.append(Value(value.body, ranges, indices, row))

        work.append((finish, node, scope))
        work.append((0, definition.body, inner))


def _arguments(n: int) -> str:
    return "1 argument" if n == 1 else f"{n} arguments"
