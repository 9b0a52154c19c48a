"""From the syntax of an expression to index notation, with its ranges checked.

`Lowering.lower` walks a syntax tree with a stack of its own (a tree may be 100,000 levels deep) and gives a `Value`:
one expression over the value's own indices, its ranges, and whether it is a row. Whole-table operations become index
notation here: `A @ x` is `sum(A[i,k]*x[k] for k)` at i.
"""

from __future__ import annotations

import math
from itertools import count
from typing import Callable, Mapping, NamedTuple

from graphlang.diagnostics import Diagnostic, Label, Span, did_you_mean
from graphlang.graph.constant import constant
from graphlang.graph.expressions import Bound, Call, Expr, Number, Pool, Read, affine, fresh, substitute, tidy_index
from graphlang.graph.functions import ALIASES, FUNCTIONS
from graphlang.graph.graph import Box, Range, Variable
from graphlang.graph.reductions import REDUCTIONS
from graphlang.syntax import ast

CONSTANTS = {"pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan}
INITIALISERS = ("normal", "uniform", "zeros", "ones", "eye")
NOT_YET = ("det", "slogdet", "inv", "solve", "diff", "partial", "jacobian", "hessian", "csv", "npy")
WHOLE_TABLE = ("dot", "outer", "trace", "diag")
MOST_NESTED_BINDERS = 32
MOST_NESTED_CALLS = 2000

OWN = {f for f in FUNCTIONS if f.isidentifier() and not f.startswith("_")}
BUILT_IN = OWN | set(ALIASES) | {r for r in REDUCTIONS if not r.startswith("_")} | set(INITIALISERS) | set(NOT_YET) | set(WHOLE_TABLE)


class Problem(Exception):
    """A mistake found while lowering one statement."""

    def __init__(self, code: str, message: str, at: Span, text: str = "", labels=(), hints=(), notes=()):
        self.diagnostic = Diagnostic(code, message, at, text, tuple(labels), tuple(hints), tuple(notes))


class Value(NamedTuple):
    """A scalar (no ranges) or a table: `body` over one free index for each range. `literal`: a list written out, which
    takes the ranges of what it meets."""

    body: Expr
    ranges: Box = ()
    indices: tuple[str, ...] = ()
    row: bool = False
    literal: bool = False

    def describe(self) -> str:
        if not self.ranges:
            return "a scalar"
        if len(self.ranges) == 1:
            return f"a {'row' if self.row else 'column'} over {self.ranges[0]}"
        return "a " + ("matrix" if len(self.ranges) == 2 else "table") + " over " + ", ".join(map(str, self.ranges))


class Scope(NamedTuple):
    """What a name means besides a variable: indices in reach (author's name → own name and range), the arguments of
    a function being inlined, and whether consts are numbers here (in subscripts and bounds)."""

    indices: Mapping[str, tuple[str, Range]] = {}
    arguments: Mapping[str, Value] | None = None
    integer: bool = False
    function: str = ""
    avoid: frozenset[str] = frozenset()


class Lowering:
    """What lowering knows of a program: `ranges(name)` gives the variable, or raises Problem."""

    def __init__(self, pool: Pool, variables: Mapping[str, Variable], consts: Mapping[str, float],
                 functions: Mapping[str, ast.FunctionDef], adjoints: Callable[[ast.Deriv], Variable] | None = None):
        self.pool, self.variables, self.consts, self.functions = pool, variables, consts, functions
        self.adjoints = adjoints
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
            work.append((self.operator, node, scope))
            for a in reversed(node.args):
                work.append((0, a, scope))
        elif kind is ast.Subscript:
            self.enter_subscript(node, scope, work)
        elif kind is ast.Call:
            self.enter_call(node, scope, work)
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

    def whole(self, variable: Variable) -> Value:
        if not variable.ranges:
            return Value(self.pool.read(variable.name))
        indices = self.new_indices(len(variable.ranges))
        body = self.pool.read(variable.name, tuple(map(self.pool.index, indices)))
        return Value(body, variable.ranges, indices, variable.row)

    def new_indices(self, n: int) -> tuple[str, ...]:
        return tuple(f"~{next(self.placeholders)}" for _ in range(n))

    def undefined(self, name: str, span: Span, scope: Scope) -> Problem:
        self.missing.add(name)
        known = [*self.variables, *self.consts, *scope.indices]
        labels, hints = [], did_you_mean(name, known)
        if hints:
            near = hints[0].split("`")[1]
            where = self.variables[near].span if near in self.variables else None
            if where:
                labels.append(Label(where, f"`{near}` is defined here"))
        elif name[0] == "d" and len(name) > 1:
            half = name[1:]
            hints = (f"a derivative is written without blanks: `dJ/dx`",) if half in self.variables else ()
        elif name in BUILT_IN:
            hints = (f"`{name}` is a function: write `{name}(…)`",)
        return Problem("E101", f"`{name}` is not defined", span, "no variable has this name", labels, hints)

    def derivative(self, node: ast.Deriv, scope: Scope) -> Value:
        if self.adjoints is None or node.partial:
            raise Problem("E901", "derivatives inside equations are not there yet", node.span,
                          hints=("`expect` may use `dJ/dx` of the goal",))
        return self.whole(self.adjoints(node))

    # ---- subscripts

    def enter_subscript(self, node: ast.Subscript, scope: Scope, work: list) -> None:
        element = self.element(node)
        if element is not None:
            work.append((lambda node, s, results, work: results.append(self.whole(element)), node, scope))
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
        subs = [_literal(s) for s in node.subs]
        name = f"{name}[{','.join(map(str, subs))}]"
        if None in subs or name not in self.variables:
            return None
        if type(base) is ast.Name:
            return self.variables[name]
        return self.adjoints(base._replace(wrt=name)) if self.adjoints else None

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
        form = affine(body)
        if form is None:
            if type(body) is Number:
                raise Problem("E207", "a subscript is a whole number", written.span, f"this is {body.value:g}")
            raise Problem("E208", "a subscript is an index, a whole number, or a sum of multiples of them", written.span,
                          "this is something else", hints=("for a data-dependent subscript read a table: `E[c[i]]`",))
        return tidy_index(body)

    def shown(self, node: ast.Expr) -> str:
        return f"`{node.name}`" if type(node) is ast.Name else "this"

    def declared(self, node: ast.Expr) -> list[Label]:
        variable = self.variables.get(node.name) if type(node) is ast.Name else None
        if variable is None or variable.span is None:
            return []
        over = ", ".join(map(str, variable.ranges))
        return [Label(variable.span, f"`{variable.name}` has the ranges {over}" if over else f"`{variable.name}` is a scalar")]

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

    def ranges_of(self, node: ast.Expr) -> list[Label]:
        """Labels on the declarations of the variables that an operand names."""
        found, labels = set(), []
        for n in ast.postorder(node):
            if type(n) is ast.Name and n.name in self.variables and n.name not in found:
                found.add(n.name)
                if self.variables[n.name].ranges and len(labels) < 2:
                    labels.extend(self.declared(n))
        return labels

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

    # ---- lists

    def literal(self, node: ast.List, scope: Scope, results: list, work: list) -> None:
        n = len(node.items)
        if not n:
            raise Problem("E211", "an empty list has no range", node.span)
        items = results[len(results) - n :]
        del results[-n:]
        inner = items[0].ranges
        for v, written in zip(items, node.items):
            if tuple(r.extent for r in v.ranges) != tuple(r.extent for r in inner) or (v.ranges and not v.literal):
                raise Problem("E211", "the rows of a list have the same length", written.span,
                              f"this is {v.describe()}, the first is {items[0].describe()}", [Label(node.items[0].span, "the first")])
        indices = self.new_indices(1 + len(inner))
        here = tuple(map(self.pool.index, indices))
        if inner:
            flat: list[Expr] = []
            for v in items:
                flat.extend(v.body.items)  # rows are lists themselves, so their bodies are picks
            shape = (n, *items[0].body.shape)
        else:
            flat, shape = [v.body for v in items], (n,)
        results.append(Value(self.pool.pick(tuple(flat), shape, here), (Range(1, n), *inner), indices, literal=True))

    # ---- calls

    def enter_call(self, node: ast.Call, scope: Scope, work: list) -> None:
        name = node.name
        if node.binders and name not in REDUCTIONS:
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
        elif name == "diff" and self.adjoints is not None and len(node.args) == 2:
            work.append((0, self.spelled_out(node), scope))
            return
        elif self.private and name in FUNCTIONS and name.startswith("_"):
            work.append((self.call, node, scope))
        elif name in NOT_YET:
            raise Problem("E901", f"`{name}` is not there yet", node.name_span, "this version does not have it")
        elif name in OWN or name in ALIASES or name in REDUCTIONS and not name.startswith("_") or name in WHOLE_TABLE:
            if node.binders:
                self.enter_comprehension(node, scope, work)
                return
            work.append((self.call, node, scope))
        elif name in INITIALISERS:
            raise Problem("E306", f"`{name}` gives a leaf its first value and stands alone in a declaration", node.span,
                          hints=(f"param W[3, 2] = {name}({'0, 0.1' if name in ('normal', 'uniform') else ''})",))
        else:
            known = sorted(BUILT_IN | set(self.functions))
            hints = did_you_mean(name, known)
            if not hints and name in scope.indices:
                hints = (f"to multiply, write `{name}*(…)`",)
            raise Problem("E301", f"there is no function `{name}`", node.name_span, "called as a function", hints=hints)
        for a in reversed(node.args):
            work.append((0, a, scope))

    def spelled_out(self, node: ast.Call) -> ast.Expr:
        """`diff(y[1], x[j])`, an adjoint whose goal is an element, as a derivative symbol with subscripts."""
        of, wrt = node.args
        base = of.base if type(of) is ast.Subscript else of
        target = wrt.base if type(wrt) is ast.Subscript else wrt
        if type(base) is not ast.Name or type(target) is not ast.Name:
            raise Problem("E901", "the derivative of an expression is not there yet", node.span)
        name = base.name
        if type(of) is ast.Subscript:
            name += f"[{','.join(str(_literal(s)) for s in of.subs)}]"
        symbol = ast.Deriv(name, target.name, False, node.span)
        return ast.Subscript(symbol, wrt.subs, node.span) if type(wrt) is ast.Subscript else symbol

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
        if not v.ranges:
            raise Problem("E205", f"`{name}` reduces a table, and this is a scalar", node.args[0].span, "a scalar",
                          hints=(f"over an index: `{name}(… for i in 1..n)`",))
        return self.reduce(name, v, node, scope, v.row)

    def reduce(self, name: str, v: Value, node: ast.Call, scope: Scope, row: bool = False) -> Value:
        rule = REDUCTIONS[name]
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
        self.two(values, node, "dot")
        a, b = values
        if len(a.ranges) != 1 or len(b.ranges) != 1:
            raise Problem("E205", "`dot` takes two vectors", node.span, f"these are {a.describe()} and {b.describe()}")
        return self.matmul(a._replace(row=True), b._replace(row=False), ast.Op("@", node.args, node.span), scope)

    def outer(self, values, node, scope) -> Value:
        self.two(values, node, "outer")
        a, b = values
        if len(a.ranges) != 1 or len(b.ranges) != 1:
            raise Problem("E205", "`outer` takes two vectors", node.span, f"these are {a.describe()} and {b.describe()}")
        return self.matmul(a._replace(row=False), b._replace(row=True), ast.Op("@", node.args, node.span), scope)

    def two(self, values, node, name) -> None:
        if len(values) != 2:
            raise Problem("E302", f"`{name}` takes 2 arguments, but {len(values)} {'is' if len(values) == 1 else 'are'} given", node.span)

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

    # ---- reductions with `for`

    def enter_comprehension(self, node: ast.Call, scope: Scope, work: list) -> None:
        if len(node.args) != 1:
            raise Problem("E302", f"`{node.name}` with `for` takes one expression", node.span, f"{len(node.args)} are given")
        if len(scope.indices) + len(node.binders) > MOST_NESTED_BINDERS:
            raise Problem("E902", f"more than {MOST_NESTED_BINDERS} indices are in reach", node.span)
        inner, binders = self.bind(node.binders, scope, node.args[0], node)
        work.append((lambda node, s, results, work: results.append(self.comprehension(node, s, results.pop(), binders, inner)), node, scope))
        work.append((0, node.args[0], inner))

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
            if own in scope.avoid:
                own = fresh("i", scope.avoid | {o for o, _ in indices.values()} | set(self.variables))
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
            value = self.constant_value(body)
            if value is None or not value.is_integer():
                raise Problem("E213", "a bound is a whole number made of consts, numbers and outer indices", node.span,
                              f"this is {value:g}" if value is not None else "")
            return self.pool.number(value)
        return tidy_index(body)

    def constant_value(self, body: Expr) -> float | None:
        """The value of an expression that reads nothing."""


        return constant(body)

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
            if type(n) is ast.Subscript and type(n.base) is ast.Name and n.base.name != skip:
                variable = self.variables.get(n.base.name)
                if variable is None or len(variable.ranges) != len(n.subs):
                    continue
                for s, r in zip(n.subs, variable.ranges):
                    if type(s) is ast.Name and s.name == binder.name:
                        found.setdefault(r, []).append(Label(n.span, f"`{n.base.name}` gives {binder.name} in {r}"))
        if len(found) == 1:
            return next(iter(found))
        if not found:
            raise Problem("E214", f"the range of `{binder.name}` cannot be told", binder.span, "no table is read at it",
                          hints=(f"write the range: `for {binder.name} in 1..n`",))
        raise Problem("E215", f"the range of `{binder.name}` is not clear: the tables read at it disagree", binder.span, "",
                      [labels[0] for labels in found.values()][:4], (f"write the range: `for {binder.name} in {next(iter(found))}`",))

    def comprehension(self, node: ast.Call, scope: Scope, value: Value, binders: tuple[Bound, ...], inner: Scope) -> Value:
        if value.ranges:
            raise Problem("E205", f"`{node.name}` with `for` takes a number for each index", node.args[0].span, f"this is {value.describe()}")
        name = ALIASES.get(node.name, node.name)
        rule = REDUCTIONS[name]
        if not rule.table:
            return Value(self.pool.reduce(name, binders, value.body))
        ranges = []
        for b in binders:
            if type(b.low) is not Number or type(b.high) is not Number:
                raise Problem("E213", f"`{name}` takes an index with fixed bounds", node.span)
            ranges.append(Range(int(b.low.value), int(b.high.value)))
        if len(ranges) > 1:
            raise Problem("E205", f"`{name}` takes one index", node.span)
        out = self.new_indices(1)
        return Value(self.pool.reduce(name, binders, value.body, (self.pool.index(out[0]),)), tuple(ranges), out)

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


def _literal(node: ast.Expr) -> int | None:
    if type(node) is ast.Op and node.op == "neg":
        value = _literal(node.args[0])
        return None if value is None else -value
    return int(node.value) if type(node) is ast.Num and node.value.is_integer() else None


def _arguments(n: int) -> str:
    return "1 argument" if n == 1 else f"{n} arguments"
