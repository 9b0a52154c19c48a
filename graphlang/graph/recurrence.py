"""Recurrences: tables that read themselves or one another, element by element."""

from __future__ import annotations

from itertools import product
from typing import Callable, Iterator, Mapping, Sequence

from graphlang.diagnostics import Diagnostic, GraphError
from graphlang.graph.constant import constant
from graphlang.graph.coverage import points
from graphlang.graph.affine import affine
from graphlang.graph.expressions import Bound, Call, Expr, Read, Reduce, operands, reads
from graphlang.graph.substitute import substitute
from graphlang.graph.graph import Equation, Graph
from graphlang.graph.sizes import symbolic

MOST_ELEMENTS = 5_000_000  # of one recurrence

Guarded = tuple[Read, tuple[Bound, ...], tuple[tuple[Expr, bool], ...]]


class Cycle(Exception):
    def __init__(self, path: list[tuple[Equation, tuple[int, ...]]]):
        self.path = path


def element_order(members: list[Equation], graph: Graph) -> list[tuple[Equation, tuple[int, ...]]]:
    """The elements of a recurrence, each after those it reads. Gathers inside one are not followed: they read
    tables of integers, which are leaves."""
    names = {e.target for e in members}
    check_size(members, graph)
    owner: dict[tuple, tuple[Equation, tuple[int, ...]]] = {}
    for e in members:
        place = _places(e.subs, tuple(b.index for b in e.bindings))
        for key in product(*(range(b.range.low, b.range.high + 1) for b in e.bindings)):
            owner[(e.target, *place(key))] = (e, key)
    inside = {e: [_followed(*r, e) for r in guarded_reads(e.value) if r[0].name in names and all(affine(s) is not None for s in r[0].args)] for e in members}

    def below(e: Equation, key: tuple[int, ...]) -> Iterator[tuple[Equation, tuple[int, ...]]]:
        for places in inside[e]:
            for place in places(key):
                found = owner.get(place)
                if found is not None:
                    yield found

    done: dict[tuple, bool] = {}
    out: list[tuple[Equation, tuple[int, ...]]] = []
    for root in owner.values():
        if root in done:
            continue
        done[root] = False
        work = [(root, below(*root))]
        while work:
            node, rest = work[-1]
            child = next((c for c in rest if not done.get(c, False)), None)
            if child is None:
                work.pop()
                done[node] = True
                out.append(node)
            elif child in done:
                path = [n for n, _ in work]
                raise Cycle(path[path.index(child):])
            else:
                done[child] = False
                work.append((child, below(*child)))
    return out


def check_size(members: list[Equation], graph: Graph) -> int:
    """How many elements a recurrence has. Raises GraphError where they are too many, or as many as a symbolic size says."""
    size = sum(_size(e) for e in members)
    if size > MOST_ELEMENTS:
        raise GraphError([Diagnostic("E902", "a recurrence over a symbolic size" if any(symbolic(b.range.high) for e in members for b in e.bindings) else f"a recurrence of {size:,} elements; the limit is {MOST_ELEMENTS:,}", members[0].span)], graph.source)
    return size


def _places(subs: Sequence[Expr], names: tuple[str, ...]) -> Callable[[tuple[int, ...]], tuple[int, ...]]:
    """Affine subscripts as a function of the values of some indices."""
    forms = [(c, [(names.index(n), k) for n, k in factors.items()]) for c, factors in map(affine, subs)]
    return lambda at: tuple([c + sum([k * at[n] for n, k in factors]) for c, factors in forms])


def _followed(read: Read, around: tuple[Bound, ...], guards: tuple[tuple[Expr, bool], ...], e: Equation) -> Callable[[tuple[int, ...]], Iterator[tuple]]:
    """The elements that a read of an equation reaches, as a function of the values of the equation's indices."""
    names = tuple(b.index for b in e.bindings)
    if not around and not guards:
        place = _places(read.args, names)
        return lambda key: ((read.name, *place(key)),)
    place = _places(read.args, (*names, *(b.index for b in around)))

    def reached(key: tuple[int, ...]) -> Iterator[tuple]:
        for inner in _inner_points(around, dict(zip(names, key))):
            if all(_holds(condition, wanted, inner) for condition, wanted in guards):
                yield (read.name, *place(tuple(inner.values())))

    return reached


def _size(e: Equation) -> int:
    n = 1
    for b in e.bindings:
        n *= b.range.extent
    return n


def _inner_points(around: tuple[Bound, ...], at: dict[str, int]) -> Iterator[dict[str, int]]:
    """Assignments of the indices of inner reductions, given the outer ones."""
    if not around:
        yield at
        return
    if not any(b.free & at.keys() for b in around):
        for inner in points((), around):
            yield {**at, **inner}
        return
    pool = around[0].pool
    put = {k: pool.number(v) for k, v in at.items()}
    fixed = tuple(pool.bound(b.index, substitute(b.low, put), substitute(b.high, put)) for b in around)
    for inner in points((), fixed):
        yield {**at, **inner}


def guarded_reads(root: Expr) -> Iterator[Guarded]:
    """Each read with the binders around it and the branches of `where` that it stands in, as far as their conditions
    are about indices only: (condition, which way it must go)."""
    work: list[tuple[Expr, tuple[Bound, ...], tuple[tuple[Expr, bool], ...]]] = [(root, (), ())]
    seen = set()
    while work:
        node, around, guards = item = work.pop()
        if item in seen:
            continue
        seen.add(item)
        if type(node) is Read:
            yield item
        if type(node) is Call and node.function == "where" and not reads(node.args[0]) and constant_over_indices(node.args[0]):
            condition, yes, no = node.args
            work += [(yes, around, (*guards, (condition, True))), (no, around, (*guards, (condition, False)))]
        elif type(node) is Reduce:
            inner = around
            for b in node.binders:
                work += [(e, inner, guards) for e in (b.low, b.high)]
                inner = (*inner, b)
            work.append((node.body, inner, guards))
            work += [(s, around, guards) for s in node.at]
        else:
            work += [(a, around, guards) for a in operands(node)]


def constant_over_indices(condition: Expr) -> bool:
    """Whether a condition is decided once its indices have values."""
    return constant(substitute(condition, {n: condition.pool.zero for n in condition.free})) is not None


def _holds(condition: Expr, wanted: bool, at: Mapping[str, int]) -> bool:
    put = {n: condition.pool.number(at[n]) for n in condition.free}
    return bool(constant(substitute(condition, put))) == wanted
