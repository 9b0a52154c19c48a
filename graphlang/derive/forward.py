"""Forward mode: from a graph and one variable to the graph of tangents.

The tangent of u with respect to x is the derivative du/dx. For an equation `u[p] = e` it is the sum over the reads
v[o] of e of local derivative times tangent:

    du/dx[k, p]  =  sum over reads of  sum( ∂e/∂v[o] * dv/dx[k, o]  for the inner indices of the read )

with the seed dx/dx = 1 at k. `tangent_graph` has all elements k of x at once, one pass for each; `directional_graph`
takes a direction and gives the derivative along it in one pass.
"""

from __future__ import annotations

from dataclasses import replace

from graphlang.derive.define import defining, same_element
from graphlang.derive.local import COMPUTED, SHOWN, Guard, occurrences
from graphlang.derive.reverse import grouped
from graphlang.derive.simplify import fold, tidy, tidy_product
from graphlang.graph.derived import derivative_name, split
from graphlang.graph.expressions import Bound, Expr, Index, Number, Pool, Read, postorder, reads
from graphlang.graph.graph import Binding, Box, Equation, Graph, Range, Variable
from graphlang.graph.substitute import fresh, substitute, unshadow


def dependents(graph: Graph, wrt: str) -> set[str]:
    """The variables that depend on one, itself included."""
    readers: dict[str, set[str]] = {}
    for e in graph.equations:
        for r in reads(e.value):
            readers.setdefault(r.name, set()).add(e.target)
    found, todo = {wrt}, [wrt]
    while todo:
        for name in readers.get(todo.pop(), ()):
            if name not in found:
                found.add(name)
                todo.append(name)
    return found


def tangent_graph(graph: Graph, wrt: str, only: str | None = None) -> Graph:
    """The program with the derivative of everything that depends on `wrt` by it: variables `du/dx` with the ranges of
    x and then those of u. `only`: with equations for the derivative of this one variable."""
    pool, x = graph.pool, graph.variables[wrt]
    found = dependents(graph, wrt)
    taken = {*graph.variables, *(b.index for e in graph.equations for b in e.bindings), *_bound(graph)}
    names: list[str] = []
    for _ in x.ranges:
        names.append(fresh("k", taken | set(names)))
    here = tuple(map(pool.index, names))
    over = tuple(map(Binding, names, x.ranges))
    variables, equations = dict(graph.variables), list(graph.equations)

    # a recurrence reads itself: its tangent is more than the seed
    around = any(e.target == wrt and any(r.name in found for r in reads(e.value)) for e in graph.equations)

    def tangent(name: str, subs: tuple[Expr, ...]) -> Expr:
        return pool.read(derivative_name(pool, name, wrt), (*here, *subs))

    for name, v in graph.variables.items():
        if name not in found:
            continue
        own = derivative_name(pool, name, wrt)
        variables[own] = Variable(own, "node", x.ranges + v.ranges, None, None, v.row and not x.ranges)
        if v.ranges:
            split(pool, own, name, x)
        if v.is_leaf and only is None:
            equations.append(_leaf(pool, own, v, here, over, taken))
    for e in graph.equations:
        if e.target in found and only in (None, e.target):
            own = derivative_name(pool, e.target, wrt)
            seed = same_element(pool, e.subs, here) if e.target == wrt else pool.zero
            forms = [unshadow(_tangent(e, found, tangent, form, seed, None if around else wrt, here, x.ranges), frozenset((*names, *(b.index for b in e.bindings))), graph.variables) for form in (COMPUTED, SHOWN)]
            equations.append(defining(pool, own, (*here, *e.subs), (*over, *e.bindings), *forms))
    return replace(graph, variables=variables, equations=tuple(equations), pieces={}, plans=[])


def directional_graph(graph: Graph, wrt: str, seed: str, mark: str) -> Graph:
    """The program with the derivative of everything along a direction of `wrt`: the direction is the leaf `seed`, with
    the ranges of x; the derivative of u is the variable `mark + u`, with those of u."""
    pool, x = graph.pool, graph.variables[wrt]
    found = dependents(graph, wrt)
    variables, equations = dict(graph.variables), list(graph.equations)
    variables[seed] = Variable(seed, "data", x.ranges)
    for name in found:
        v = graph.variables[name]
        variables[mark + name] = Variable(mark + name, "node", v.ranges)
        if v.is_leaf:
            names = tuple(fresh(f"i{d}", graph.variables) for d in range(len(v.ranges)))
            at = tuple(map(pool.index, names))
            equations.append(Equation(mark + name, at, tuple(map(Binding, names, v.ranges)), pool.read(seed, at)))
    for e in graph.equations:
        if e.target in found:
            start = pool.read(seed, e.subs) if e.target == wrt else pool.zero
            value = _tangent(e, found, lambda name, subs: pool.read(mark + name, subs), COMPUTED, start, None, (), ())
            equations.append(Equation(mark + e.target, e.subs, e.bindings, value))
    return replace(graph, variables=variables, equations=tuple(equations), pieces={}, plans=[])


def _bound(graph: Graph) -> set[str]:
    return {n.index for e in graph.equations if not e.value.plain for n in postorder(e.value) if type(n) is Bound}


def _tangent(e: Equation, found: set[str], tangent, form: str, seed: Expr, wrt: str | None, here: tuple[Expr, ...], whole: Box) -> Expr:
    """Local derivatives times tangents, summed in the order of the text; of `wrt` itself the tangent is 1 at `here`."""
    return (_evaluated if form == COMPUTED else _shown)(e, found, tangent, seed, wrt, here, whole)


def _shown(e: Equation, found: set[str], tangent, seed: Expr, wrt: str | None, here: tuple[Expr, ...], whole: Box) -> Expr:
    """All reads of one element put together, as in the contributions of reverse mode."""
    pool, atoms, total = e.value.pool, frozenset(postorder(e.value)), seed
    for read, loops, local in grouped(e, SHOWN):
        if read.name not in found or local is pool.zero:
            continue
        f = tidy(local, atoms)
        if read.name == wrt:
            total = total + _picked(pool, read, loops, f, here, whole)
        else:
            total = total + pool.sum(loops, tidy_product(tangent(read.name, read.args), f))
    return total


def _evaluated(e: Equation, found: set[str], tangent, seed: Expr, wrt: str | None, here: tuple[Expr, ...], whole: Box) -> Expr:
    """Each read under the sums and conditions that it stands in: so it is read only where it was, and a recurrence has an
    order in which to be evaluated."""
    pool, total = e.value.pool, seed
    for read, scope, local in occurrences(e, COMPUTED):
        if read.name not in found or local is pool.zero:
            continue
        binders = [b for entry in scope if not isinstance(entry, Guard) for b in entry]
        if read.name == wrt and not any(isinstance(entry, Guard) for entry in scope):
            total = total + _picked(pool, read, tuple(binders), local, here, whole)
            continue
        value = local * tangent(read.name, read.args)
        for entry in reversed(scope):
            value = pool.where(entry.condition, value, pool.zero) if isinstance(entry, Guard) else pool.sum(entry, value)
        total = total + value
    return total


def _picked(pool: Pool, read: Read, loops: tuple[Bound, ...], f: Expr, here: tuple[Expr, ...], whole: Box) -> Expr:
    """The sum over a seed that is 1 at one element: that term."""
    subs, rest = list(read.args), list(loops)
    for k, wanted in enumerate(here):
        own = next((b for b in rest if type(subs[k]) is Index and b.index == subs[k].name), None)
        if own is not None and not any(own.index in b.free for b in rest) and not own.free and _covers(own, whole[k]):
            rest.remove(own)
            only = {own.index: wanted}
            f, subs = substitute(f, only), [substitute(s, only) for s in subs]
    for s, wanted in zip(reversed(subs), reversed(here)):
        if s is not wanted:
            f = pool.where(fold(pool.call("==", s, wanted)), f, pool.zero)
    return pool.sum(tuple(rest), f)


def _covers(binder: Bound, whole: Range) -> bool:
    """Whether an inner index runs over all of a range; otherwise the seed must be looked for inside of the sum."""
    return all(type(end) is Number for end in (binder.low, binder.high)) and (binder.low.value, binder.high.value) == whole


def _leaf(pool: Pool, own: str, v: Variable, here, over, taken) -> Equation:
    """dx/dx: 1 at the element itself."""
    names: list[str] = []
    for _ in v.ranges:
        names.append(fresh("i", taken | set(names) | {b.index for b in over}))
    at = tuple(map(pool.index, names))
    value = same_element(pool, here, at)
    return defining(pool, own, (*here, *at), (*over, *map(Binding, names, v.ranges)), value, value)
