"""Derivatives in expressions: `dJ/dx`, `∂u/∂v`, `diff`, `partial`, `jacobian`, `hessian`.

Each becomes a read of a variable that is asked for here and defined later (derived.py). An expression that is
differentiated, `diff(x.T @ B @ x, x)`, becomes a variable of its own first.
"""

from __future__ import annotations

from typing import Mapping, NamedTuple

from graphlang.diagnostics import Span
from graphlang.graph.derived import Asked, derivative_name, ranges_of, split
from graphlang.graph.expressions import Expr, Pool, Read
from graphlang.graph.graph import Binding, Equation, Variable
from graphlang.graph.sizes import symbolic
from graphlang.graph.spell import text
from graphlang.graph.substitute import canonical, fresh, substitute, unshadow
from graphlang.graph.values import DERIVATIVES, Problem, Scope, Value
from graphlang.syntax import ast

MOST_NESTED = 8       # derivatives of derivatives of …
MOST_ELEMENTS = 20_000_000

Slots = tuple["Expr | None", ...]  # a subscript for each range; None where the whole range is meant


class Target(NamedTuple):
    """A variable, or elements of it: what is differentiated, or by what."""

    variable: Variable
    slots: Slots
    element: tuple[int, ...] | None = None  # one element by whole numbers, which is then all that is differentiated


class Asking:
    """The part of lowering that knows derivatives. `layout` is in force; `matrix_sense`: in a claim also the derivative
    of a scalar is arranged by it (elsewhere it has the ranges of its variable)."""

    pool: Pool
    variables: Mapping[str, Variable]
    layout = "denominator"
    matrix_sense = False

    def begin_asking(self) -> None:
        self.asked: dict[str, Asked] = {}
        self.derived: dict[str, Variable] = {}
        self.hidden: dict[tuple, tuple[Variable, Equation]] = {}
        self.nested = 0

    # ---- the symbols `dJ/dx` and `∂u/∂v`, the calls

    def derivative(self, node: ast.Deriv, scope: Scope) -> Value:
        self.outside_of_functions(node.span, scope)
        of, wrt = (self.named(n, node.span, scope) for n in (node.of, node.wrt))
        return self.arranged(self.derived_by(of, wrt, node.partial, node.span), of, wrt, node.span)

    def derivative_element(self, node: ast.Subscript, scope: Scope) -> Value:
        """`dJ/dx[i]`: subscripts in the order of x's ranges, then of J's, whatever the layout."""
        symbol = node.base
        self.outside_of_functions(node.span, scope)
        of, wrt = (self.named(n, symbol.span, scope) for n in (symbol.of, symbol.wrt))
        whole = self.derived_by(of, wrt, symbol.partial, symbol.span)
        n = len(whole.variable.ranges)
        if n != len(node.subs):
            what = f"`{self.written(whole.variable)}`"
            if not n:
                raise Problem("E203", f"{what} is a scalar and has no elements", node.span, "it takes no subscripts")
            raise Problem("E204", f"{what} has {n} ranges, but {len(node.subs)} subscript{'s are' if len(node.subs) > 1 else ' is'} given", node.span,
                          "a range for each of " + ", ".join(map(str, whole.variable.ranges)))
        subs = self.subscripts(node.subs, scope)
        return Value(self.pool.read(whole.variable.name, subs))

    def derivative_call(self, node: ast.Call, scope: Scope) -> Value:
        name, n = node.name, len(node.args)
        self.outside_of_functions(node.span, scope)
        if node.binders:
            raise Problem("E305", f"`{name}` takes no `for`", node.span, hints=("an index is bound by the equation: `y[j] = … for j in 1..n`",))
        if n < 2 or (n > 2 and name != "diff"):
            raise Problem("E302", f"`{name}` takes what is differentiated and by what", node.span, f"{n} argument{'' if n == 1 else 's'} given", hints=(
                {"hessian": "`hessian(J, x)`", "jacobian": "`jacobian(y, x)`", "partial": "`partial(u, v)`"}.get(name, "`diff(J, x)`, `diff(J, x, z)`"),))
        self.nested += 1
        if self.nested > MOST_NESTED:
            raise Problem("E902", f"derivatives are nested more than {MOST_NESTED} deep", node.span)
        try:
            result, of, wrt = self.chain(node, scope)
        finally:
            self.nested -= 1
        return self.arranged(result, of, wrt, node.span)

    def chain(self, node: ast.Call, scope: Scope) -> tuple[Target, Target, Target]:
        """The derivative, what it is of in its last step, and by what."""
        first, *rest = node.args
        if node.name == "hessian":
            rest = rest * 2
        of = self.target(first, scope, differentiated=True)
        if node.name == "hessian" and of.variable.ranges and of.element is None and None in of.slots:
            raise Problem("E205", "`hessian` takes a scalar", first.span, f"`{self.written(of.variable)}` is a table")
        result = before = wrt = of
        for w in rest:
            wrt, before = self.target(w, scope), result
            result = self.derived_by(before, wrt, node.name == "partial", node.span)
        return result, before, wrt

    def outside_of_functions(self, at: Span, scope: Scope) -> None:
        if scope.function:
            raise Problem("E107", "a function cannot hold a derivative", at, hints=("write it in an equation",))
        if scope.integer:
            raise Problem("E207", "a derivative is no whole number", at)

    # ---- what is differentiated, and by what

    def target(self, node: ast.Expr, scope: Scope, differentiated: bool = False) -> Target:
        match node:
            case ast.Name(name, span):
                if differentiated and (name in scope.indices or name not in self.variables) and self.known_number(name, scope):
                    return self.expression(node, scope)
                return self.named(name, span, scope)
            case ast.Deriv(of, wrt, partial, span):
                return self.derived_by(self.named(of, span, scope), self.named(wrt, span, scope), partial, span)
            case ast.Call(name, _, _, _, _) if name in DERIVATIVES and name not in getattr(self, "functions", {}):
                self.nested += 1
                if self.nested > MOST_NESTED:
                    raise Problem("E902", f"derivatives are nested more than {MOST_NESTED} deep", node.span)
                try:
                    return self.chain(node, scope)[0]
                finally:
                    self.nested -= 1
            case ast.Subscript(base, subs, span) if type(base) in (ast.Name, ast.Deriv, ast.Call) and (type(base) is not ast.Call or base.name in DERIVATIVES):
                element = self.element(node)
                if element is not None:
                    return Target(element, ())
                whole = self.target(base, scope)
                if len(subs) != len(whole.slots):
                    what = f"`{self.written(whole.variable)}`"
                    raise Problem("E204" if whole.slots else "E203", f"{what} has {len(whole.slots) or 'no'} ranges, but {len(subs)} subscript{'s are' if len(subs) > 1 else ' is'} given", span)
                numbers = tuple(map(whole_number, subs))
                if None not in numbers and differentiated and type(base) is ast.Name:
                    if not all(r.low <= k <= r.high for k, r in zip(numbers, whole.variable.ranges)):
                        raise Problem("E222", f"`{base.name}` has no element `[{','.join(map(str, numbers))}]`", span,
                                      f"its ranges are {', '.join(map(str, whole.variable.ranges))}")
                    return Target(whole.variable, (), numbers)
                return Target(whole.variable, self.subscripts(subs, scope))
        if differentiated:
            return self.expression(node, scope)
        raise Problem("E404", "a derivative is by a variable or an element of one", node.span, "this is an expression",
                      hints=("give it a name in an equation of its own, and use that in what is differentiated",))

    def known_number(self, name: str, scope: Scope) -> bool:
        return name in scope.indices or name in ("pi", "e", "inf", "nan")

    def named(self, name: str, at: Span, scope: Scope) -> Target:
        variable = self.derived.get(name) or self.variables.get(name)
        if variable is None:
            if name in scope.indices:
                raise Problem("E404", f"`{name}` is an index, and nothing is differentiated by an index", at)
            raise self.undefined(name, at, scope)
        if variable.role == "const":
            raise Problem("E404", f"`{name}` is a const, which is never differentiated", at)
        return Target(variable, (None,) * len(variable.ranges))

    def subscripts(self, written: tuple[ast.Expr, ...], scope: Scope) -> tuple[Expr, ...]:
        out = []
        for s in written:
            if type(s) is ast.Range:
                raise Problem("E206", "slices are not part of the language", s.span, "a range as a subscript")
            out.append(self.checked_subscript(self.lower(s, scope._replace(integer=True)), s))
        return tuple(out)

    def expression(self, node: ast.Expr, scope: Scope) -> Target:
        """A variable of its own for an expression; an index in reach is a range of it."""
        value = self.lower(node, scope)
        if type(value.body) is Read and value.body.name in self.variables and value.body.args == tuple(map(self.pool.index, value.indices)):
            return Target(self.variables[value.body.name], (None,) * len(value.ranges))  # just brackets around a name
        outer = [(own, r) for own, r in scope.indices.values() if own in value.body.free]
        taken = {*self.variables, *value.body.free}
        names = []
        for _ in value.indices:
            names.append(fresh("i", taken))
            taken.add(names[-1])
        body = substitute(value.body, dict(zip(value.indices, map(self.pool.index, names))))
        over = (*(Binding(own, r) for own, r in outer), *map(Binding, names, value.ranges))
        key = hidden_key(body, over)
        known = self.variables.get(self.pool.hidden.get(key, ""))
        if known is not None:
            return Target(known, (*(self.pool.index(own) for own, _ in outer), *(None for _ in value.ranges)))
        if key not in self.hidden:
            name = f"~{len(self.hidden) + 1}"
            while name in self.variables:
                name += "'"
            self.pool.spelled.setdefault(name, node)
            self.pool.hidden[key] = name
            ranges = tuple(b.range for b in over)
            subs = tuple(self.pool.index(b.index) for b in over)
            variable = Variable(name, "node", ranges, node.span, None, value.row and not outer)
            self.hidden[key] = variable, Equation(name, subs, over, unshadow(body, frozenset(b.index for b in over), self.variables), node.span)
        variable, _ = self.hidden[key]
        return Target(variable, (*(self.pool.index(own) for own, _ in outer), *(None for _ in value.ranges)))

    # ---- the derivative

    def derived_by(self, of: Target, wrt: Target, partial: bool, at: Span) -> Target:
        if partial and not self.is_defined(of.variable):
            raise Problem("E404", f"`{self.written(of.variable)}` has no equation, so it has no local derivative", at, of.variable.role)
        name = derivative_name(self.pool, of.variable.name, wrt.variable.name, of.element, partial)
        asked = Asked(of.variable.name, of.element, wrt.variable.name, partial, at)
        variable = self.variables.get(name) or self.derived.get(name)
        if variable is None:
            ranges = ranges_of(asked, of.variable, wrt.variable)
            size = 1
            for r in ranges:
                size *= r.extent
            if size > MOST_ELEMENTS and not any(symbolic(r.high) for r in ranges):
                raise Problem("E902", f"the derivative would have {size:,} elements; the limit is {MOST_ELEMENTS:,}", at)
            variable = self.derived[name] = Variable(name, "node", ranges, at, None, wrt.variable.row and len(ranges) == 1 == len(wrt.variable.ranges))
            self.asked[name] = asked
            if of.variable.ranges and of.element is None:
                split(self.pool, name, of.variable.name, wrt.variable, "partial" if partial else "diff")
        return Target(variable, wrt.slots + (() if of.element is not None else of.slots))

    def is_defined(self, variable: Variable) -> bool:
        return not variable.is_leaf

    def arranged(self, result: Target, of: Target, wrt: Target, at: Span) -> Value:
        """The derivative as a value. The indices of what it is by come first in the denominator layout, those of what
        it is of in the numerator layout."""
        new = self.new_indices(sum(s is None for s in result.slots))
        given = iter(new)
        subs = tuple(self.pool.index(next(given)) if s is None else s for s in result.slots)
        body = self.pool.read(result.variable.name, subs)
        free = [(i.name, r) for i, s, r in zip(subs, result.slots, result.variable.ranges) if s is None]
        n_wrt = sum(s is None for s in wrt.slots)
        below, above = free[:n_wrt], free[n_wrt:]
        numerator = self.layout == "numerator"
        if len(above) == 2 and not below:
            raise Problem("E205", f"`{self.written(of.variable)}` is a matrix: books differ in how its derivative by a scalar is arranged", at,
                          "no standard matrix form", hints=("write its elements: `diff(Y[i,j], x)`",))
        row = False
        if numerator and above and below:
            free = [*above, *below]
        elif not above and self.matrix_sense and numerator:
            free, row = free[::-1] if len(free) == 2 else free, len(free) == 1 and not wrt.variable.row
        elif above and not below:
            row = len(above) == 1 and not numerator
        else:
            row = len(free) == 1 and result.variable.row
        return Value(body, tuple(r for _, r in free), tuple(i for i, _ in free), row)

    def written(self, variable: Variable) -> str:
        return text(self.pool.read(variable.name)) or variable.name


def hidden_key(body: Expr, over: tuple[Binding, ...]) -> tuple:
    """What makes two differentiated expressions one: their ranges, and what they are but for the names of indices."""
    put = {b.index: body.pool.index(f"@{k}") for k, b in enumerate(over)}
    return canonical(substitute(body, put)), tuple(b.range for b in over)


def whole_number(node: ast.Expr) -> int | None:
    if type(node) is ast.Op and node.op == "neg":
        value = whole_number(node.args[0])
        return None if value is None else -value
    return int(node.value) if type(node) is ast.Num and node.value.is_integer() else None
