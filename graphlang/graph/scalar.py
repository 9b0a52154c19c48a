"""The scalar view: one equation an element, sums written out.

Elements become variables of their own, named as they are written: `z[1]`, `alpha[1,2]`.
"""

from __future__ import annotations

from typing import Mapping

from graphlang.diagnostics import Diagnostic, GraphError
from graphlang.graph.coverage import points
from graphlang.graph.affine import affine
from graphlang.graph.expressions import Expr, Index, Number, Pick, Read, Reduce, operands, rebuild
from graphlang.graph.substitute import substitute
from graphlang.graph.functions import COMPARISONS, FUNCTIONS
from graphlang.graph.graph import Equation, Goal, Graph, Variable
from graphlang.graph.linear_rules import System, augmented
from graphlang.graph.reductions import REDUCTIONS

MOST_NODES = 500_000  # of the unrolled graph


def element_names(v: Variable) -> list[str]:
    """The names of a variable's elements, row-major; its own for a scalar."""
    if not v.ranges:
        return [v.name]
    at = [""]
    for r in v.ranges:
        at = [f"{a},{k}" if a else str(k) for a in at for k in range(r.low, r.high + 1)]
    return [f"{v.name}[{a}]" for a in at]


def scalar_values(graph: Graph, values: Mapping[str, list[float]]) -> dict[str, list[float]]:
    """The values of leaves, by the names of the scalar view."""
    out = {}
    for name, flat in values.items():
        for element, x in zip(element_names(graph.variables[name]), flat):
            out[element] = [x]
    return out


def scalar(graph: Graph) -> Graph:
    """Raises GraphError where the view would be too large to be of use."""
    size = sum(v.size for v in graph.variables.values())
    if size > MOST_NODES:
        raise too_large(graph, size)
    variables = {}
    for v in graph.variables.values():
        for name in element_names(v):
            variables[name] = Variable(name, v.role, (), v.span, v.initial if not v.ranges else None)
    unroll = Unroll(graph)
    equations = []
    for e in graph.equations:
        for at in points(e.bindings, ()):
            put = {k: graph.pool.number(x) for k, x in at.items()}
            value = unroll.expression(substitute(e.value, put))
            subs = [int(put[s.name].value) if type(s) is Index else int(s.value) for s in e.subs]
            target = f"{e.target}[{','.join(map(str, subs))}]" if subs else e.target
            equations.append(e if value is e.value and not subs else Equation(target, (), (), value, e.span))
    goals = []
    for g in graph.goals:
        at = g.element
        if at is not None:
            goals.append(Goal(g.kind, str(g)))
        else:
            goals += [Goal(g.kind, n) for n in element_names(graph.variables[g.name])]
    return Graph(graph.pool, variables, tuple(equations), tuple(goals), graph.source, graph.consts, graph.functions, graph.expectations, graph.seed, graph.warnings)


def too_large(graph: Graph, size: int) -> GraphError:
    return GraphError([Diagnostic("E902", f"the scalar view would have {size:,} nodes; the limit is {MOST_NODES:,}", None,
                                  hints=("without `--scalar` tables stay tables",))], graph.source)


class Unroll:
    def __init__(self, graph: Graph):
        self.graph, self.pool = graph, graph.pool
        self.done: dict[Expr, Expr] = {}
        self.terms = 0

    def expression(self, root: Expr) -> Expr:
        """An expression without free indices, over elements as variables. Recursion only on nested reductions."""
        done = self.done
        stack: list[tuple[Expr, bool]] = [(root, False)]
        while stack:
            node, ready = stack.pop()
            if node in done:
                continue
            if type(node) is Reduce:
                done[node] = self.reduction(node)
            elif not node.args:
                done[node] = self.leaf(node)
            elif not ready:
                stack.append((node, True))
                stack.extend((a, False) for a in operands(node) if a not in done)
            else:
                done[node] = self.node(node, tuple(done[a] for a in operands(node)))
        return done[root]

    def leaf(self, node: Expr) -> Expr:
        return node

    def node(self, node: Expr, args: tuple[Expr, ...]) -> Expr:
        pool = self.pool
        if type(node) is Read:
            return self.read(node.name, args)
        if type(node) is Pick:
            items, at = args[: len(node.items)], args[len(node.items) :]
            if all(type(s) is Number for s in at):
                offset = 0
                for n, s in zip(node.shape, at):
                    offset = offset * n + int(s.value) - 1
                return items[offset]
            return pool.pick(items, node.shape, at)
        if node.function in COMPARISONS and all(type(a) is Number for a in args):
            return pool.number(FUNCTIONS[node.function].reference(*(a.value for a in args)))
        if node.function == "where" and type(args[0]) is Number:
            return args[1] if args[0].value else args[2]
        return rebuild(node, args) if args != node.args else node

    def read(self, name: str, subs: tuple[Expr, ...]) -> Expr:
        v = self.graph.variables[name]
        forms = [affine(s) for s in subs]
        if all(f is not None and not f[1] for f in forms):
            return self.pool.read(f"{name}[{','.join(str(f[0]) for f in forms)}]")
        items = tuple(map(self.pool.read, element_names(v)))  # a gather: any element
        at = tuple(s if r.low == 1 else self.pool.call("-", s, self.pool.number(r.low - 1)) for s, r in zip(subs, v.ranges))
        return self.pool.pick(items, tuple(r.extent for r in v.ranges), at)

    def reduction(self, node: Reduce) -> Expr:
        pool = self.pool
        items, places = [], []
        for at in points((), node.binders):
            put = {k: pool.number(x) for k, x in at.items()}
            items.append(self.expression(substitute(node.body, put)))
            places.append(tuple(at.values()))
            self.terms += 1
            if self.terms > MOST_NODES:
                raise too_large(self.graph, self.terms)
        if node.function == "sum":
            result: Expr | None = None
            for t in items:
                result = t if result is None else pool.call("+", result, t)
            return pool.zero if result is None else result
        if not items:
            value = REDUCTIONS[node.function].empty
            return pool.number(value if value is not None else float("nan"))
        at = tuple(self.expression(s) for s in node.at)
        if REDUCTIONS[node.function].matrix or node.function == "_solve":
            return self.matrix(node, items, at)
        if at:
            low = node.binders[0].low
            at = tuple(pool.number(s.value - low.value + 1) if type(s) is Number and type(low) is Number else pool.call("-", s, low - 1) for s in at)
        i = "i"
        binder = pool.bound(i, pool.one, pool.number(len(items)))
        return pool.reduce(node.function, (binder,), pool.pick(tuple(items), (len(items),), (pool.index(i),)), at)

    def matrix(self, node: Reduce, items: list[Expr], at: tuple[Expr, ...]) -> Expr:
        """The same function of a matrix written out; `at` is counted from 1 then."""
        pool, n = self.pool, int(node.binders[-2].high.value - node.binders[-2].low.value) + 1
        i, j = (pool.bound(name, pool.one, pool.number(n)) for name in "ij")
        rule = REDUCTIONS[node.function]
        whole = rule.over(node) if rule.over is not None else node.binders
        at = tuple(s + (1 - b.low.value) for s, b in zip(at, whole))
        matrix = pool.pick(tuple(items[: n * n]), (n, n), (pool.index("i"), pool.index("j")))
        if node.function != "_solve":
            return pool.reduce(node.function, (i, j), matrix, at)
        right = pool.pick(tuple(items[n * n :]), (n,), (pool.index("i"),))
        return pool.reduce("_solve", *augmented("part", System(matrix, right, i, j)), at)
