"""Derivative rules: the author's form of a function's local derivative, `derivative sigma(v) = sigma(v)*(1 - sigma(v))`.

Functions are inlined, so a call is found again by its shape: an expression that is the function's body with something in
the place of each argument, in an equation that calls the function. Views and passes may rebuild the expression on the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, Mapping, NamedTuple

from graphlang.diagnostics import Diagnostic, Label, Span, did_you_mean
from graphlang.graph.expressions import Call, Expr, Index, Pick, Pool, Read, Reduce, operands, rebuild, transform
from graphlang.graph.graph import Equation
from graphlang.graph.lower import Lowering
from graphlang.graph.substitute import substitute
from graphlang.graph.values import BUILT_IN, Problem, Scope, Value
from graphlang.syntax import ast


OUTPUT = "~"  # an index that stands for the result of a function in its derivatives


@dataclass(frozen=True, slots=True, eq=False)
class Ruled:
    """A function with rules. `arguments` are the names of the indices that stand for its arguments in `body` and in
    `derivatives`, which has the author's form for each argument, or None."""

    definition: ast.FunctionDef
    arguments: tuple[str, ...]
    body: Expr
    derivatives: tuple[Expr | None, ...]
    rules: tuple[ast.Rule | None, ...]


class Rules(NamedTuple):
    """All functions with rules, and those that the statement at a place calls, directly or through others."""

    functions: tuple[Ruled, ...]
    called: Mapping[Span, tuple[Ruled, ...]]


# ---- from statements


def ruled_functions(statements: list[ast.Rule], functions: Mapping[str, ast.FunctionDef], failed: set[str], lowering: Lowering,
                    found: list[Diagnostic]) -> dict[str, Ruled]:
    """What `derivative` statements say; their mistakes are added to `found`."""
    rules: dict[str, dict[int, tuple[ast.Rule, Expr]]] = {}
    for s in statements:
        if s.name in failed:
            continue
        try:
            place = _argument(s, functions)
            known = rules.setdefault(s.name, {})
            if place in known:
                raise Problem("E102", f"the derivative of `{s.name}` by `{s.params[place].name}` is given twice", s.name_span, "given again here",
                              [Label(known[place][0].name_span, "given here first")])
            arguments = dict(zip((p.name for p in s.params), _arguments(functions[s.name], lowering.pool)))
            value = lowering.lower(s.body, Scope({}, arguments, False, s.name))
            if value.ranges:
                raise Problem("E307", f"the rule for `{s.name}` gives a table", s.body.span, hints=("the derivative of a function is scalar",))
            known[place] = (s, value.body)
        except Problem as p:
            found.append(p.diagnostic)
    out = {}
    for name, given in rules.items():
        if given:
            f = functions[name]
            arguments = _arguments(f, lowering.pool)
            said = len(lowering.warnings)
            body = lowering.lower(f.body, Scope({}, dict(zip((p.name for p in f.params), arguments)), False, name)).body
            del lowering.warnings[said:]  # at its definition they were said already
            each = [given.get(n) for n in range(len(f.params))]
            out[name] = Ruled(f, tuple(a.body.name for a in arguments), body, tuple(e and e[1] for e in each), tuple(e and e[0] for e in each))
    return out


def _argument(s: ast.Rule, functions: Mapping[str, ast.FunctionDef]) -> int:
    """Which argument a rule is about."""
    f = functions.get(s.name)
    if f is None:
        if s.name in BUILT_IN:
            raise Problem("E113", f"`{s.name}` is a built-in function, whose derivative is known", s.name_span, "it needs no rule")
        raise Problem("E113", f"there is no function `{s.name}`", s.name_span, "a rule is about a function of the program",
                      hints=did_you_mean(s.name, functions) or (f"define it: `{s.name}({', '.join(p.name for p in s.params)}) = …`",))
    names = [p.name for p in s.params]
    if len(names) != len(f.params):
        wanted = f"{len(f.params)} argument{'s' * (len(f.params) != 1)}"
        raise Problem("E113", f"`{s.name}` takes {wanted}, and its rule has {len(names)}", s.name_span, "", [Label(f.name_span, f"defined with {wanted}")])
    if len(set(names)) != len(names):
        raise Problem("E103", f"two arguments of `{s.name}` have the same name", s.span)
    if s.wrt is None:
        if len(names) > 1:
            raise Problem("E113", f"`{s.name}` has {len(names)} arguments: the derivative by which one?", s.name_span,
                          hints=(f"`derivative {s.name}({', '.join(names)}) wrt {names[0]} = …`",))
        return 0
    if s.wrt.name not in names:
        raise Problem("E113", f"`{s.wrt.name}` is no argument of `{s.name}`", s.wrt.span, f"the arguments are {', '.join(f'`{n}`' for n in names)}",
                      hints=did_you_mean(s.wrt.name, names))
    return names.index(s.wrt.name)


def _arguments(f: ast.FunctionDef, pool: Pool) -> list[Value]:
    return [Value(pool.index(f"~{p.name}")) for p in f.params]


def called_rules(ruled: Mapping[str, Ruled], functions: Mapping[str, ast.FunctionDef],
                 equations: Iterable[tuple[Span, Iterable[str]]]) -> dict[Span, tuple[Ruled, ...]]:
    """For the place of each equation, with the names in it, the rules that hold there, those of its own calls first."""
    calls = {name: [n.name for n in ast.postorder(f.body) if type(n) is ast.Call and n.name in functions] for name, f in functions.items()}
    out = {}
    for span, names in equations:
        met = dict.fromkeys(n for n in names if n in functions)
        todo = list(met)
        for name in todo:  # grows
            for n in calls[name]:
                if n not in met:
                    met[n] = None
                    todo.append(n)
        here = tuple(ruled[n] for n in met if n in ruled and type(ruled[n].body) in (Call, Reduce, Pick))
        if here:
            out[span] = here
    return out


# ---- in expressions


class Application(NamedTuple):
    """A call of a function with rules: what stands for its arguments, None for one that its body does not use."""

    ruled: Ruled
    operands: tuple[Expr | None, ...]

    def put(self, form: Expr, more: Mapping[str, Expr] = {}) -> Expr:
        """An expression of the function's arguments, at this call."""
        return substitute(form, {**{a: e for a, e in zip(self.ruled.arguments, self.operands) if e is not None}, **more})

    def written(self, form: Expr, call: Expr, result: Expr) -> Expr:
        """The same for what the author wrote: where that has this very call in it, `result` stands for it."""
        made = self.put(form)
        if result is call or not result.free <= call.free:  # an index of the result could be caught by a binder
            return made
        return transform(made, lambda node, args: result if node is call else node if args == operands(node) else rebuild(node, args))


def rules_at(equation: Equation) -> tuple[Ruled, ...]:
    """The rules of the functions that an equation calls."""
    rules = equation.value.pool.rules
    return () if rules is None or equation.span is None else rules.called.get(equation.span, ())


def application(node: Expr, rules: Iterable[Ruled]) -> Application | None:
    """The call that an expression is, if it is one of a function with rules."""
    for ruled in rules:
        put = match(ruled.body, node, ruled.arguments)
        if put is not None:
            return Application(ruled, tuple(put.get(a) for a in ruled.arguments))
    return None


def match(pattern: Expr, node: Expr, arguments: tuple[str, ...]) -> dict[str, Expr] | None:
    """What stands in `node` where the pattern has its arguments, if the two are alike otherwise. Bound indices may have
    other names, and no argument may use one."""
    put: dict[str, Expr] = {}
    work: list[tuple[Expr, Expr, dict[str, str]]] = [(pattern, node, {})]
    seen = set()  # both share parts of themselves
    while work:
        p, n, bound = work.pop()
        pair = (p, n, *bound.items())
        if pair in seen or (p is n and not p.free):
            continue
        seen.add(pair)
        if type(p) is Index and p.name in arguments:
            if put.setdefault(p.name, n) is not n or not n.free.isdisjoint(bound.values()):
                return None
            continue
        if type(p) is not type(n):
            return None
        match p:
            case Index():
                if bound.get(p.name) != n.name:
                    return None
            case Reduce():
                if p.function != n.function or len(p.binders) != len(n.binders) or len(p.at) != len(n.at):
                    return None
                work += [(a, b, bound) for a, b in zip(p.at, n.at)]
                for a, b in zip(p.binders, n.binders):
                    work += [(a.low, b.low, bound), (a.high, b.high, bound)]
                    bound = {**bound, a.index: b.index}
                work.append((p.body, n.body, bound))
            case Call():
                if p.function != n.function or len(p.args) != len(n.args):
                    return None
                work += [(a, b, bound) for a, b in zip(p.args, n.args)]
            case Pick():
                if p.shape != n.shape:
                    return None
                work += [(a, b, bound) for a, b in zip(p.args, n.args)]
            case Read():
                if p.name != n.name or len(p.args) != len(n.args):
                    return None
                work += [(a, b, bound) for a, b in zip(p.args, n.args)]
            case _:
                return None
    return put
