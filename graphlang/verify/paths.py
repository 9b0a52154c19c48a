"""The paths from a variable to the goal, one by one: each is a product of local derivatives, and their sum is the
derivative. For a person to look at; what is computed comes from the reverse sweep."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import Iterator, Mapping, NamedTuple, Sequence

from graphlang.derive.reverse import COMPUTED, SHOWN, Contribution, Derivative, contributions, local
from graphlang.diagnostics import did_you_mean
from graphlang.engines.reference import evaluate
from graphlang.given import UsageError
from graphlang.graph.affine import affine
from graphlang.graph.coverage import points
from graphlang.graph.expressions import Call, Expr, Index, Number, operands, rebuild, transform
from graphlang.graph.functions import FUNCTIONS
from graphlang.graph.graph import Equation, natural
from graphlang.graph.scalar import element_names
from graphlang.graph.substitute import substitute
from graphlang.syntax.names import NotAName, canonical
from graphlang.verify.cost import Count, check_sizes, whole_tables
from graphlang.verify.edges import COMPARISONS, Element, Link

LIMIT = 20

Node = tuple[str, Element]  # a variable and the subscripts of one element of it


class Edge(NamedTuple):
    """A source element, by its equation and the values of its indices, and the element that it reads."""

    source: Node
    equation: Equation
    at: tuple[int, ...]
    reads: Node


class Path(NamedTuple):
    """`nodes` from the goal to the element; between each and the next a local derivative, as a formula and, where the
    variables have values, as a number. `value` is their product."""

    nodes: tuple[str, ...]
    locals: tuple[Expr, ...]
    values: tuple[float, ...] | None
    value: float | None

    @property
    def product(self) -> Expr | None:
        """The product as a formula; None for the goal itself, whose path has no edge."""
        result: Expr | None = None
        for f in self.locals:
            result = f if result is None else f.pool.call("*", result, f)
        return result


class Paths(NamedTuple):
    """The paths of one element: how many there are, and those that were asked for. `total` is the sum of the products of
    all, None without values or when they are too many."""

    element: str
    count: int
    shown: tuple[Path, ...]
    total: float | None


class Walk:
    """The way up from any element to the goal, along the edges of the scalar graph, none of which is made before it is
    walked on. `values`: flat values of all variables, for numbers."""

    def __init__(self, derivative: Derivative, values: Mapping[str, Sequence[float]] | None = None, form: str = SHOWN):
        check_sizes(derivative.graph)
        self.derivative, self.graph, self.values, self.form = derivative, derivative.graph, values, form
        self.variables = {n: v for n, v in self.graph.variables.items() if v.role != "const"}
        self.count = Count(derivative, set(self.variables), whole_tables(self.graph, values))
        self.goal: Node = (derivative.goal.name, derivative.goal.element or ())
        self._ahead: dict[Node, list[Edge]] = {}
        self._links: dict[Equation, dict[str, Link]] = {}
        self._elements: dict[tuple[Equation, tuple[int, ...]], list[Contribution]] = {}
        self._numbers: dict[Edge, float] = {}

    def elements(self, variable: str) -> list[Node]:
        """The elements that a text names: `x`, or one such as `x[1]`. Raises UsageError."""
        name, bracket, rest = "".join(variable.split()).partition("[")
        try:
            name = canonical(name)
        except NotAName as e:
            raise UsageError(str(e)) from None
        text = name + bracket + rest
        if not bracket and name in self.variables:
            return list(map(node, element_names(self.variables[name]))) if self.variables[name].ranges else [(name, ())]
        inside = [text] if text in self.variables else sorted((n for n in self.variables if n.startswith(f"{name}[")), key=natural)
        if text in self.variables or not bracket and inside:  # of the scalar view
            return [(n, ()) for n in inside]
        known = element_names(self.variables[name]) if name in self.variables else inside
        if name in self.variables and text in known and text != name:
            return [node(text)]
        if known and known != [name]:
            raise UsageError(f"`{name}` has no element `{text}`; it has {known[0]} to {known[-1]}")
        if known:
            raise UsageError(f"`{name}` is a scalar and has no elements")
        names = dict.fromkeys(n.split("[")[0] for n in self.variables)
        raise UsageError(f"there is no variable `{text}` with an adjoint" + "".join(f"; {h}" for h in did_you_mean(text, names)))

    # ---- edges

    def ahead(self, at: Node) -> list[Edge]:
        """The edges from an element towards the goal."""
        if at not in self._ahead:
            found: dict[Edge, None] = {}
            for c in self.derivative.incoming.get(at[0], ()):
                for edge in self.readers(c, at):
                    if edge not in found and self.count.weight(*edge.source) is not None and self.is_edge(edge):
                        found[edge] = None
            self._ahead[at] = list(found)
        return self._ahead[at]

    def readers(self, c: Contribution, at: Node) -> Iterator[Edge]:
        """The elements of a contribution's source that may read an element."""
        here = {}
        for s, k, r in zip(c.at, at[1], c.box):
            if not r.low <= k <= r.high:
                return
            if type(s) is Index:
                here[s.name] = k
        e, pool = c.source, c.read.pool
        forms = [affine(c.rename.get(b.index, pool.index(b.index))) for b in e.bindings]
        put = {k: pool.number(x) for k, x in here.items()}
        summed = tuple(pool.bound(b.index, substitute(b.low, put), substitute(b.high, put)) for b in c.summed)
        for inner in points((), summed):
            known = {**here, **inner}
            if all(self.count.values.at(g, known) != 0 for g in c.guards if self.count.values.decided(g)):
                q = tuple(f[0] + sum(k * known[i] for i, k in f[1].items()) for f in forms)
                yield Edge((e.target, self.subs(e, q)), e, q, at)

    def subs(self, e: Equation, at: tuple[int, ...]) -> Element:
        values = dict(zip((b.index for b in e.bindings), at))
        return tuple(values[s.name] if type(s) is Index else int(s.value) for s in e.subs)

    def is_edge(self, edge: Edge) -> bool:
        if edge.equation not in self._links:
            self._links[edge.equation] = {link.variable: link for link in self.count.links(edge.equation)}
        link = self._links[edge.equation].get(edge.reads[0])
        if link is None or link.tied:
            return link is not None
        return edge.reads[1] in link.elements(dict(zip((b.index for b in edge.equation.bindings), edge.at)), self.count.meter)

    def local(self, edge: Edge, form: str) -> Expr:
        """The local derivative of one element by another: the contributions of the source's equation, at its indices."""
        e, pool = edge.equation, self.graph.pool
        key = (e, edge.at)
        if key not in self._elements:
            put = {b.index: pool.number(k) for b, k in zip(e.bindings, edge.at)}
            one = replace(e, subs=tuple(substitute(s, put) for s in e.subs), bindings=(), value=substitute(e.value, put), source=None) if put else e
            self._elements[key] = contributions(one, self.graph)
        total = pool.zero
        for c in self._elements[key]:
            if c.variable == edge.reads[0] and all(r.low <= k <= r.high for k, r in zip(edge.reads[1], c.box)):
                f = local(c, form)
                for g in reversed(c.guards):
                    f = pool.where(g, f, pool.zero)
                put = {s.name: pool.number(k) for s, k in zip(c.at, edge.reads[1]) if type(s) is Index}
                total = total + settled(substitute(pool.sum(c.summed, f), put))
        return total

    def number(self, edge: Edge) -> float:
        if edge not in self._numbers:
            ranges = {n: v.ranges for n, v in self.graph.variables.items()}
            (self._numbers[edge],) = evaluate(self.local(edge, COMPUTED), (), self.values, ranges)
        return self._numbers[edge]

    # ---- paths

    def paths(self, start: Node) -> Iterator[tuple[Edge, ...]]:
        """Every path, as edges from the goal to the element."""
        if start == self.goal:
            yield ()
            return
        edges: list[Edge] = []
        stack = [iter(self.ahead(start))]
        while stack:
            edge = next(stack[-1], None)
            if edge is None:
                stack.pop()
                if edges:
                    edges.pop()
            elif edge.source == self.goal:
                yield (edge, *reversed(edges))
            else:
                edges.append(edge)
                stack.append(iter(self.ahead(edge.source)))

    def path(self, edges: tuple[Edge, ...]) -> Path:
        nodes = (spelled(self.goal), *(spelled(e.reads) for e in edges))
        numbers = tuple(map(self.number, edges)) if self.values is not None else None
        return Path(nodes, tuple(self.local(e, self.form) for e in edges), numbers, _product(numbers) if numbers is not None else None)

    def of(self, start: Node, limit: int = LIMIT, most: int = 0) -> Paths:
        """The first `limit` paths; the sum over all if there are at most `limit`, or `most`."""
        count = self.number_of(start)
        walk = self.paths(start) if count else iter(())
        shown = tuple(self.path(edges) for edges in islice(walk, limit))
        total = None
        if self.values is not None and (count <= limit or count <= most):
            total = float(sum(p.value for p in shown) + sum(_product(map(self.number, edges)) for edges in walk))
        return Paths(spelled(start), count, shown, total)

    def number_of(self, start: Node) -> int:
        w = self.count.weight(*start)
        return 0 if w is None else w.paths


def node(text: str) -> Node:
    """`z[1]` of a table as its name and subscripts."""
    name, _, subs = text.rstrip("]").partition("[")
    return name, tuple(map(int, subs.split(",")))


def spelled(at: Node) -> str:
    return f"{at[0]}[{','.join(map(str, at[1]))}]" if at[1] else at[0]


def settled(root: Expr) -> Expr:
    """Comparisons of numbers decided, and the branches that they choose: what is left where indices have become numbers."""

    def change(n: Expr, args: tuple[Expr, ...]) -> Expr:
        if type(n) is Call and n.function in COMPARISONS and all(type(a) is Number for a in args):
            return n.pool.number(FUNCTIONS[n.function].reference(*(a.value for a in args)))
        if type(n) is Call and n.function == "where":
            return n.pool.where(*args)
        return n if args == tuple(operands(n)) else rebuild(n, args)

    return transform(root, change)


def _product(numbers) -> float:
    out = 1.0
    for x in numbers:
        out *= x
    return out


def paths(derivative: Derivative, variable: str, limit: int = LIMIT, values: Mapping[str, Sequence[float]] | None = None) -> list[Paths]:
    """The paths from a variable, or from each of its elements, to the goal; at most `limit` are made for each.

    `values`: flat values of all variables by name (as `Run.flat`), for numbers. Raises UsageError for a name that is no
    variable.
    """
    walk = Walk(derivative, values)
    return [walk.of(element, limit) for element in walk.elements(variable)]
