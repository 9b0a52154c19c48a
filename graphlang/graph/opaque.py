"""Functions known by their ranges only: `opaque h(x)[K]`, `u = h(x)`.

Such a function has no value, and its derivatives stay symbols. So that claims about it can be judged, its equation is
that of some smooth function, `sin(c[k] + sum(W[k,p]*x[p]))`, whose coefficients are constants without values, of
names that no program can write; a claim is tried with many of them. What is shown of it never is this function.
"""

from __future__ import annotations

from typing import Callable

from graphlang.diagnostics import Label, Span
from graphlang.graph.expressions import Expr, Pool
from graphlang.graph.graph import Binding, Box, Equation, Range, Variable
from graphlang.graph.lower import Lowering
from graphlang.graph.substitute import fresh
from graphlang.graph.values import Problem
from graphlang.syntax import ast


class OpaqueFunctions:
    """The part of the builder that knows them."""

    pool: Pool
    lowering: Lowering
    variables: dict[str, Variable]
    opaques: dict[str, ast.Signature]
    equations: dict[int, Equation]
    declared_range: Callable[[ast.Range, str], Range]
    check_size: Callable[[str, Box, Span], None]

    def opaque_variable(self, name: str, s: ast.Equation, call: ast.Call) -> None:
        function = self.opaques[call.name]
        if len(call.args) != len(function.params) or call.binders:
            n = len(function.params)
            raise Problem("E302", f"`{call.name}` takes {n} argument{'' if n == 1 else 's'}, but {len(call.args)} {'is' if len(call.args) == 1 else 'are'} given",
                          call.span, "", [Label(function.name_span, "declared here")])
        ranges = () if function.ranges is None else tuple(self.declared_range(r, function.name) for r in function.ranges)
        self.check_size(name, ranges, s.span)
        pool = self.pool
        taken = set(self.variables)
        names: list[str] = []

        def index() -> str:
            names.append(fresh("i", taken | set(names)))
            return names[-1]

        own = [index() for _ in ranges]
        here = tuple(map(pool.index, own))
        total: Expr = self.coefficient(f"~{call.name}", ranges, here)
        for k, arg in enumerate(call.args):
            variable = self.variables.get(arg.name) if type(arg) is ast.Name else None
            if variable is None or variable.role == "const":
                raise Problem("E404", f"the arguments of the opaque function `{call.name}` are variables", arg.span, "this is something else",
                              hints=("give it a name in an equation of its own",))
            inner = [index() for _ in variable.ranges]
            at = tuple(map(pool.index, inner))
            weight = self.coefficient(f"~{call.name}.{k + 1}", ranges + variable.ranges, here + at)
            binders = tuple(pool.bound(i, pool.number(r.low), pool.number(r.high)) for i, r in zip(inner, variable.ranges))
            total = pool.call("+", total, pool.sum(binders, pool.call("*", weight, pool.read(variable.name, at))))
        self.variables[name] = Variable(name, "node", ranges, self.variables[name].span)
        self.equations[id(s)] = Equation(name, here, tuple(map(Binding, own, ranges)), pool.call("sin", total), s.span, s, opaque=True)

    def coefficient(self, name: str, ranges: Box, at: tuple[Expr, ...]) -> Expr:
        while name in self.variables and self.variables[name].ranges != ranges:
            name += "'"  # the same function of an argument of other ranges is another one
        self.variables.setdefault(name, Variable(name, "const", ranges))
        return self.pool.read(name, at)
