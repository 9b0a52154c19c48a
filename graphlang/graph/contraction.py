"""Contraction: a product of tables over named indices, some of them summed over, as a matrix product.

Think of the indices as points, of each vector as a weight on its point, and of each matrix as an edge between two. A
summed point that has a weight and one edge disappears into `A @ w`, one between two edges into `A @ B`, one without
edges into an inner product. What is left over the free points is the result; some sums, such as that over the rows of
a matrix, are not products and have none.
"""

from __future__ import annotations

from typing import NamedTuple

from graphlang.graph.graph import Range
from graphlang.graph.matrices import COLUMN, MATRIX, ROW, SCALAR, Algebra, Whole
from graphlang.graph.sizes import symbolic

Chain = tuple[Whole, ...]  # factors of a product `a @ b @ c`


class Factor(NamedTuple):
    """A table over indices: a scalar, a column, or a matrix. Not `up`: it is divided by, elementwise."""

    whole: Whole
    axes: tuple[str, ...] = ()
    ranges: tuple[Range, ...] = ()
    up: bool = True


class Term(NamedTuple):
    """above/below times factors, summed over `summed`, where the two indices of each of `same` are equal. `within`: ranges
    that indices have besides those of the factors."""

    above: float = 1.0
    below: float = 1.0
    factors: tuple[Factor, ...] = ()
    summed: tuple[str, ...] = ()
    same: tuple[tuple[str, str], ...] = ()
    within: tuple[tuple[str, Range], ...] = ()

    @property
    def free(self) -> tuple[str, ...]:
        """The indices that are not summed, in the order of the text."""
        all_of = [a for f in self.factors for a in f.axes] + [a for pair in self.same for a in pair] + [a for a, _ in self.within]
        return tuple(dict.fromkeys(a for a in all_of if a not in self.summed))

    def renamed(self, names: dict[str, str]) -> "Term":
        def new(name: str) -> str:
            return names.get(name, name)

        return Term(self.above, self.below, tuple(f._replace(axes=tuple(map(new, f.axes))) for f in self.factors), tuple(map(new, self.summed)),
                    tuple((new(a), new(b)) for a, b in self.same), tuple((new(a), r) for a, r in self.within))

    def ranges(self) -> dict[str, Range] | None:
        """The range of each index; None when two places disagree."""
        found: dict[str, Range] = {}
        for name, r in (*((a, r) for f in self.factors for a, r in zip(f.axes, f.ranges)), *self.within):
            if found.setdefault(name, r) != r:
                return None
        for a, b in self.same * len(self.same):
            for one, other in ((a, b), (b, a)):
                if one in found and found.setdefault(other, found[one]) != found[one]:
                    return None
        return found


class Product(NamedTuple):
    """above/below · scalars · chain / divisors. The chain gives a column, a matrix, or, when it is empty, 1."""

    above: float
    below: float
    scalars: Chain
    divisors: Chain
    chain: Chain


def contract(term: Term, axes: tuple[str, ...], algebra: Algebra) -> Product | None:
    """The term as a table over `axes`, as a scalar when it has none of them; None when there is no such product."""
    unified = _unify(term, axes)
    if unified is None:
        return None
    term, diagonal = unified
    points = _Points(term, algebra)
    if not points.eliminate():
        return None
    free = term.free
    if diagonal:  # without a weight it would be a multiple of the unit matrix, which has no name
        chain = points.diagonal_of(axes[0]) or None
    elif not free:
        chain = ()
    elif set(free) != set(axes):
        return None
    elif len(axes) == 1:
        chain = points.column(axes[0])
    else:
        chain = points.matrix(*axes)
    return None if chain is None else Product(term.above, term.below, tuple(points.scalars), tuple(points.divisors), chain)


def _unify(term: Term, axes: tuple[str, ...]) -> tuple[Term, bool] | None:
    """Equal indices made one. The flag: those were the two of `axes`, and the table is a diagonal one."""
    diagonal = False
    while term.same:
        a, b = term.same[0]
        term = term._replace(same=term.same[1:])
        if a == b:
            continue
        if b not in term.summed:
            a, b = b, a
        if b not in term.summed:
            if len(axes) != 2 or {a, b} != set(axes):
                return None
            a, b = axes
            diagonal = True
        term = term._replace(summed=tuple(s for s in term.summed if s != b)).renamed({b: a})
    ranges = term.ranges()
    if ranges is None:
        return None
    held = {a for f in term.factors for a in f.axes}
    for name in term.summed:
        if name not in held:  # a sum of equal terms
            if name not in ranges or symbolic(ranges[name].extent) is not None:
                return None
            term = term._replace(above=term.above * ranges[name].extent, summed=tuple(s for s in term.summed if s != name),
                                 within=tuple(w for w in term.within if w[0] != name))
    return term, diagonal


class _Edge(NamedTuple):
    start: str
    end: str
    chain: Chain
    up: bool = True

    def at(self, point: str) -> bool:
        return point in (self.start, self.end)

    def other(self, point: str) -> str:
        return self.end if point == self.start else self.start

    def along(self, start: str) -> Chain:
        return self.chain if start == self.start else turned(self.chain)


def turned(chain: Chain) -> Chain:
    return tuple(w.turned for w in reversed(chain))


def cost(chain: Chain) -> tuple:
    """Fewest transposes, then by name, then `A.T @ B` before `A @ B.T`."""
    return sum(w.cost for w in chain), [w.lead for w in chain], [-w.cost for w in chain]


class _Points:
    """The points of a term with their weights, and the edges between them."""

    def __init__(self, term: Term, algebra: Algebra):
        self.algebra, self.summed = algebra, list(term.summed)
        self.scalars: list[Whole] = []
        self.divisors: list[Whole] = []
        self.weights: dict[str, list[tuple[Chain, bool]]] = {}
        self.edges: list[_Edge] = []
        for f in term.factors:
            chain = f.whole.args if f.whole.is_product and f.up else (f.whole,)
            match f.axes:
                case ():
                    (self.scalars if f.up else self.divisors).append(f.whole)
                case (a,):
                    self.weights.setdefault(a, []).append((chain, f.up))
                case (a, b) if a == b:
                    self.weights.setdefault(a, []).append(((self.diagonal(chain),), f.up))
                case (a, b):
                    self.edges.append(_Edge(a, b, chain, f.up))

    def eliminate(self) -> bool:
        """Remove the summed points; False when one remains."""
        while self.summed or self._parallel():
            if not (self._leaf() or self._alone() or self._merge() or self._pass() or self._total()):
                return False
        return True

    def at(self, point: str) -> list[_Edge]:
        return [e for e in self.edges if e.at(point)]

    # ---- steps: each says whether it found something to do

    def _leaf(self) -> bool:
        """`sum(A[i,k]*w[k] for k)`"""
        for v in self.summed:
            edges = self.at(v)
            if len(edges) == 1 and v in self.weights:
                (e,) = edges
                u = e.other(v)
                self.weights.setdefault(u, []).append((self.factors(e, u) + self.column(v), True))
                self._remove(v, edges)
                return True
        return False

    def _alone(self) -> bool:
        """`sum(a[k]*b[k] for k)`"""
        for v in self.summed:
            if not self.at(v) and v in self.weights:
                weights = self.weights[v]
                if len(weights) == 2 and all(up for _, up in weights):
                    (a, _), (b, _) = weights
                    self.scalars.append(self.algebra.product(min(turned(a) + b, turned(b) + a, key=cost)))
                else:
                    self.scalars.append(self.total(self.algebra.product(self.column(v))))
                self._remove(v, [])
                return True
        return False

    def _parallel(self) -> list[_Edge]:
        for e in self.edges:
            beside = [x for x in self.edges if {x.start, x.end} == {e.start, e.end}]
            if len(beside) > 1:
                return beside
        return []

    def _merge(self) -> bool:
        """Edges between the same two points: `A * B`, or over a point that has nothing else `A @ B.T`."""
        edges = self._parallel()
        if not edges:
            return False
        u, v = edges[0].start, edges[0].end
        bare = [p for p in (v, u) if p in self.summed and p not in self.weights and len(self.at(p)) == 2]
        if len(edges) == 2 and bare:
            v = bare[0]
            u = edges[0].other(v)
            if not (u in self.summed and u in self.weights):
                a, b = edges
                chain = min(self.factors(a, u) + self.factors(b, v), self.factors(b, u) + self.factors(a, v), key=cost)
                self.weights.setdefault(u, []).append(((self.diagonal(chain),), True))
                self._remove(v, edges)
                return True
        sides = [[(e.along(start), e.up) for e in edges] for start in (u, v)]
        merged = [self.elementwise(side) for side in sides]
        start, end, chain = min((u, v, merged[0]), (v, u, merged[1]), key=lambda m: sum(w.cost for w in m[2]))
        self.edges = [e for e in self.edges if e not in edges] + [_Edge(start, end, chain)]
        return True

    def _pass(self) -> bool:
        """`sum(A[i,k]*B[k,j] for k)`, with `diag(w)` in the middle for a weight"""
        for v in self.summed:
            edges = self.at(v)
            if len(edges) == 2 and edges[0].other(v) != edges[1].other(v):
                a, b = edges
                u, w = a.other(v), b.other(v)
                self.edges.append(_Edge(u, w, self.factors(a, u) + self.diagonal_of(v) + self.factors(b, v)))
                self._remove(v, edges)
                return True
        return False

    def _total(self) -> bool:
        """`sum(A[i,k] for i, k)`"""
        for e in self.edges:
            if all(p in self.summed and p not in self.weights and len(self.at(p)) == 1 for p in (e.start, e.end)):
                chain = min(self.factors(e, e.start), self.factors(e, e.end), key=cost)
                self.scalars.append(self.total(self.algebra.product(chain)))
                self._remove(e.start, [e])
                self._remove(e.end, [])
                return True
        return False

    def _remove(self, point: str, edges: list[_Edge]) -> None:
        self.summed.remove(point)
        self.weights.pop(point, None)
        self.edges = [e for e in self.edges if e not in edges]

    # ---- values

    def factors(self, e: _Edge, start: str) -> Chain:
        return e.along(start) if e.up else self.elementwise([(e.along(start), False)])

    def column(self, point: str) -> Chain | None:
        """All weights of a point as one column."""
        return self.elementwise(self.weights[point]) if point in self.weights else None

    def diagonal_of(self, point: str) -> Chain:
        column = self.column(point)
        return (self.algebra.whole_call("diag", (self.algebra.product(column),), MATRIX),) if column else ()

    def matrix(self, i: str, j: str) -> Chain | None:
        if not self.edges:
            a, b = self.column(i), self.column(j)
            return a + turned(b) if a and b else None
        (e,) = self.edges
        return self.diagonal_of(i) + self.factors(e, i) + self.diagonal_of(j)

    def elementwise(self, parts: list[tuple[Chain, bool]]) -> Chain:
        if len(parts) == 1 and parts[0][1]:
            return parts[0][0]
        ups = sorted((self.algebra.product(c) for c, up in parts if up), key=lambda w: w.is_product)
        result = ups[0] if ups else self.algebra.one
        for w in ups[1:]:
            result = self.algebra.times(result, w)
        for c in (c for c, up in parts if not up):
            result = self.algebra.call("/", result, self.algebra.product(c))
        return (result,)

    def diagonal(self, chain: Chain) -> Whole:
        """`diag(A)`, a column."""
        return self.algebra.whole_call("diag", (self.algebra.product(chain),), COLUMN)

    def total(self, w: Whole) -> Whole:
        """`sum(w)`, or `trace(A)` for that of a diagonal."""
        if w.kind != "diag" or w.shape != COLUMN:
            return self.algebra.whole_call("sum", (w,), SCALAR)
        factors = w.args[0].args if w.args[0].is_product else (w.args[0],)
        if factors[0].shape == COLUMN and factors[-1].shape == ROW:
            return self.algebra.whole_call("trace", (w.args[0],), SCALAR)
        turns = [factors[k:] + factors[:k] for k in range(len(factors))]
        best = min(turns + [turned(t) for t in turns], key=cost)
        return self.algebra.whole_call("trace", (self.algebra.product(best),), SCALAR)


