"""Why backpropagation is efficient: what each way to the gradient computes, counted on the scalar graph.

An element is a node, and an edge is a pair of an element and one that its equation reads, with a local derivative. Nothing
is unrolled: elements with the same number of paths to the goal are one box, and edges are counted from the ranges
(`verify/edges.py`). Paths are counted by dynamic programming from the goal down, never enumerated.
"""

from __future__ import annotations

from itertools import product
from typing import Iterator, Mapping, NamedTuple, Sequence

from graphlang.derive.reverse import Derivative, cells, differentiate
from graphlang.diagnostics import Diagnostic, GraphError
from graphlang.engines.initial import initial_values
from graphlang.graph.expressions import Call, Index, postorder
from graphlang.graph.gathers import gathers
from graphlang.graph.graph import Box, Equation, Goal, Graph, Range, meets, natural
from graphlang.graph.order import Group
from graphlang.verify.edges import Element, Link, Meter, Values, image, links
from graphlang.verify.operations import Operations, operations

MOST_BOXES = 12  # that are cut into cells; of more, the elements are taken one by one


class Leaf(NamedTuple):
    """The paths from a variable's elements to the goal. `each`: how many an element has, if all have as many; lengths are
    in edges; `expanded` is the length of all paths together."""

    name: str
    elements: int
    paths: int
    each: int | None
    shortest: int
    longest: int
    expanded: int


class Cost(NamedTuple):
    """What a gradient costs. `nodes`: elements with an equation that the goal depends on. `edges`: local derivatives
    when each is computed once. `operations`: none where a function is opaque. Numbers of any size, never rounded."""

    goal: str
    nodes: int
    edges: int
    leaves: tuple[Leaf, ...]
    operations: Operations

    @property
    def scalars(self) -> int:
        """The numbers that the gradient has."""
        return sum(leaf.elements for leaf in self.leaves)

    @property
    def paths(self) -> int:
        return sum(leaf.paths for leaf in self.leaves)

    @property
    def path_by_path(self) -> int:
        """Local derivatives when each partial derivative is expanded along each of its paths."""
        return sum(leaf.expanded for leaf in self.leaves)

    @property
    def forward_mode(self) -> int:
        """Local derivatives of one forward pass for each scalar."""
        return self.scalars * self.edges

    @property
    def central(self) -> int:
        """Evaluations of all nodes for central differences."""
        return 2 * self.scalars

    @property
    def one_sided(self) -> int:
        return self.scalars + 1


class Weight(NamedTuple):
    """The paths from an element to the goal: how many, their length in all, the shortest and the longest."""

    paths: int
    total: int
    shortest: int
    longest: int

    def further(self, times: int = 1) -> Weight:
        """One edge further from the goal, along each of so many edges."""
        return Weight(self.paths * times, (self.total + self.paths) * times, self.shortest + 1, self.longest + 1)

    def plus(self, other: Weight) -> Weight:
        return Weight(self.paths + other.paths, self.total + other.total, min(self.shortest, other.shortest), max(self.longest, other.longest))


class Field:
    """Weights over the elements of a variable: boxes of elements that have got the same, and single elements. What lies
    on one another adds."""

    __slots__ = ("boxes", "points")

    def __init__(self):
        self.boxes: list[tuple[Box, Weight]] = []
        self.points: dict[Element, Weight] = {}

    def add(self, at: Element, w: Weight) -> None:
        before = self.points.get(at)
        self.points[at] = w if before is None else before.plus(w)

    def scatter(self, meter: Meter) -> None:
        """Every box as its elements."""
        boxes, self.boxes = self.boxes, []
        for box, w in boxes:
            for at in product(*(range(r.low, r.high + 1) for r in box)):
                meter.take()
                self.add(at, w)

    def over(self, box: Box, meter: Meter) -> Iterator[tuple[Box, Weight]]:
        """The elements of a box that have a weight, as disjoint boxes."""
        if not self.points:
            inside = [(b, w) for b, w in self.boxes if meets(b, box)]
            if len(inside) <= MOST_BOXES:
                for cell in cells(box, [b for b, _ in inside]):
                    found = [w for b, w in inside if meets(b, cell)]
                    if found:
                        yield cell, _all(found)
                return
        self.scatter(meter)
        size = 1
        for r in box:
            size *= r.extent
        if size < len(self.points):
            here = ((at, self.points[at]) for at in product(*(range(r.low, r.high + 1) for r in box)) if at in self.points)
        else:
            here = ((at, w) for at, w in self.points.items() if all(r.low <= k <= r.high for k, r in zip(at, box)))
        for at, w in here:
            yield tuple(Range(k, k) for k in at), w


def _all(weights: Sequence[Weight]) -> Weight:
    total = weights[0]
    for w in weights[1:]:
        total = total.plus(w)
    return total


class Count:
    """One sweep from the goal down, over the equations of a derivative."""

    def __init__(self, derivative: Derivative, wanted: set[str], tables: Mapping[str, Sequence[float]]):
        self.derivative, self.graph = derivative, derivative.graph
        self.wanted, self.values, self.meter = wanted, Values(tables, self.graph), Meter(self.graph)
        self.fields: dict[str, Field] = {}
        self.scalars: dict[str, Weight] = {}  # of variables without ranges
        self.nodes = self.edges = 0
        goal = derivative.goal
        start = Weight(1, 0, 0, 0)
        if goal.element is None:
            self.scalars[goal.name] = start
        else:
            self.field(goal.name).boxes.append((tuple(Range(k, k) for k in goal.element), start))
        for group in derivative.order:
            if group.elements is not None:
                self.recurrence(group)
            elif not group.equations[0].subs:
                self.scalar(group.equations[0])
            else:
                self.table(group.equations[0])

    def field(self, name: str) -> Field:
        found = self.fields.get(name)
        if found is None:
            found = self.fields[name] = Field()
        return found

    def links(self, e: Equation) -> list[Link]:
        adds = {c.variable for c in self.derivative.outgoing[e]} & self.wanted
        return links(e, self.graph, adds, self.values) if adds else []

    def over(self, name: str, box: Box) -> Iterator[tuple[Box, Weight]]:
        if not box:
            return iter([((), self.scalars[name])] if name in self.scalars else [])
        return self.field(name).over(box, self.meter)

    def add_box(self, name: str, box: Box, w: Weight) -> None:
        if not box:
            before = self.scalars.get(name)
            self.scalars[name] = w if before is None else before.plus(w)
        elif all(r.extent == 1 for r in box):
            self.field(name).add(tuple(r.low for r in box), w)
        elif all(r.extent for r in box):
            self.field(name).boxes.append((box, w))

    def scalar(self, e: Equation) -> None:
        """An equation of a variable without ranges."""
        w = self.scalars.get(e.target)
        if w is None:
            return
        self.nodes += 1
        if not e.value.plain or any(type(n) is Call and n.function == "where" for n in postorder(e.value)):
            self.push(e, (), w, self.links(e))
            return
        adds = [c.variable for c in self.derivative.outgoing[e] if c.variable in self.wanted]  # all there is: no indices, no branches
        further = w.further()
        self.edges += len(adds)
        for name in adds:
            self.add_box(name, (), further)

    def table(self, e: Equation) -> None:
        found = list(self.over(e.target, e.box))
        if not found:
            return
        reads = self.links(e)
        for box, w in found:
            self.nodes += _size(box)
            self.push(e, box, w, reads)

    def push(self, e: Equation, box: Box, w: Weight, reads: list[Link]) -> None:
        """The paths through a box of an equation's elements, one edge further."""
        at = {s.name: r for s, r in zip(e.subs, box) if type(s) is Index}
        for link in reads:
            if link.tied:
                for spans in link.boxes:
                    reached, times = image(spans, at)
                    self.edges += _size(reached) * times
                    self.add_box(link.variable, reached, w.further(times))
                continue
            for point in product(*(range(r.low, r.high + 1) for r in at.values())):
                self.one(link, dict(zip(at, point)), w)

    def one(self, link: Link, at: dict[str, int], w: Weight) -> None:
        further = w.further()
        for element in link.elements(at, self.meter):
            self.edges += 1
            if element:
                self.field(link.variable).add(element, further)
            else:
                self.add_box(link.variable, (), further)

    def recurrence(self, group: Group) -> None:
        """Element by element, each after those that read it."""
        names = {e.target for e in group.equations}
        for name in names:
            self.field(name).scatter(self.meter)
        known: dict[Equation, list[Link]] = {}
        for e, point in reversed(group.elements):
            at = dict(zip((b.index for b in e.bindings), point))
            element = tuple(at[s.name] if type(s) is Index else int(s.value) for s in e.subs)
            w = self.field(e.target).points.get(element)
            if w is None:
                continue
            self.nodes += 1
            if e not in known:
                known[e] = self.links(e)
            for link in known[e]:
                self.one(link, at, w)

    def weight(self, name: str, at: Element) -> Weight | None:
        """Of one element; None where no path leads from it to the goal."""
        if not at:
            return self.scalars.get(name)
        found = self.fields.get(name)
        if found is None:
            return None
        weights = [w for box, w in found.boxes if all(r.low <= k <= r.high for k, r in zip(at, box))]
        if at in found.points:
            weights.append(found.points[at])
        return _all(weights) if weights else None

    def leaf(self, name: str, variables: Sequence[str]) -> Leaf:
        elements = sum(self.graph.variables[v].size for v in variables)
        found = [(box, w) for v in variables for box, w in self.over(v, self.graph.variables[v].ranges)]
        reached = sum(_size(box) for box, _ in found)
        numbers = {w.paths for _, w in found} | ({0} if reached < elements else set())
        return Leaf(name, elements, sum(_size(box) * w.paths for box, w in found), numbers.pop() if len(numbers) == 1 else None,
                    min((w.shortest for _, w in found), default=0), max((w.longest for _, w in found), default=0),
                    sum(_size(box) * w.total for box, w in found))


def _size(box: Box) -> int:
    n = 1
    for r in box:
        n *= r.extent
    return n


def check_sizes(graph: Graph) -> None:
    """Refuse to count what has no numbers. Raises GraphError (E408)."""
    if graph.dims:
        names = ", ".join(f"`{n}`" for n in graph.dims)
        settings = " ".join(f"--set {n}=3" for n in graph.dims)
        raise GraphError([Diagnostic("E408", f"{names} {'is a size' if len(graph.dims) == 1 else 'are sizes'} left symbolic: there is nothing to count",
                                     None, hints=(f"with numbers: `{settings}`",))], graph.source)


def whole_tables(graph: Graph, values: Mapping[str, Sequence[float]] | None) -> dict[str, Sequence[float]]:
    """The values of leaves that subscripts are made of: those given, by default those that the program gives."""
    names = [n for n in gathers(graph) if graph.variables[n].is_leaf]
    if values is None:
        values = initial_values(graph, {})[0] if names else {}
    return {n: values[n] for n in names if n in values}


def cost(graph: Graph, goal: Goal | Derivative, wrt: Sequence[str] = (), values: Mapping[str, Sequence[float]] | None = None) -> Cost:
    """What the derivatives of the goal with respect to `wrt` cost (by default all inputs and params that are leaves).

    Edges to data are counted where `wrt` names it. `values`: flat values of leaves by name, for gathers; by default those
    that the program gives. Raises GraphError: E408 where a size is symbolic, E902 where there is too much to go through.
    """
    check_sizes(graph)
    derivative = goal if isinstance(goal, Derivative) else differentiate(graph, goal)
    graph = derivative.graph
    names = list(wrt) or [n for n, v in graph.variables.items() if v.role in ("input", "param")]
    wanted = {n for n, v in graph.variables.items() if v.role not in ("const", "data")} | set(names)
    count = Count(derivative, wanted, whole_tables(graph, values))
    tables: dict[str, list[str]] = {}  # in the scalar view the elements of a table are variables: they are one leaf here
    for n in names:
        tables.setdefault(n.split("[")[0], []).append(n)
    leaves = tuple(count.leaf(n, tables[n]) for n in sorted(tables, key=natural))
    known = not any(e.opaque for e in graph.equations)  # what an opaque function computes cannot be counted
    return Cost(str(derivative.goal), count.nodes, count.edges, leaves, operations(derivative) if known else Operations(0, 0))
