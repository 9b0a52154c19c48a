"""Derivatives that a program names become variables with equations.

`complete` takes a graph that asks for derivatives (graph/derived.py) and gives one in which each is defined, together
with the adjoints on its way: the adjoint program is a program. Derivatives of derivatives follow in rounds.

For a table y the derivative dy/dv has the indices of v and then those of y; where an equation of y itself contributes,
the seed is 1 at the element that is asked for and 0 at all others, and the sum over it is done at once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Iterable, Mapping

from graphlang.derive.define import defining, same_element
from graphlang.derive.local import COMPUTED, SHOWN
from graphlang.derive.reverse import Contribution, Derivative, cells, contributions, differentiate, index_names, local
from graphlang.derive.simplify import fold, guarded_product, tidy_product
from graphlang.diagnostics import NOWHERE, Diagnostic, GraphError
from graphlang.graph.derived import Asked, derivative_name, split
from graphlang.graph.expressions import Expr, Index, Number, reads
from graphlang.graph.graph import Binding, Box, Equation, Goal, Graph, Range, Variable, meets
from graphlang.graph.order import Plan, plan
from graphlang.graph.recurrence import Cycle
from graphlang.graph.spell import spell, text
from graphlang.graph.substitute import fresh, substitute, unshadow


def complete(graph: Graph, asked: Mapping[str, Asked] | None = None) -> Graph:
    """The graph with every derivative that is asked for defined. Raises GraphError for a circle: a variable that
    depends on its own derivative."""
    waiting = {n: a for n, a in {**graph.asked, **(asked or {})}.items() if n not in graph.pieces}
    if not waiting:
        return graph
    variables, equations, defined = dict(graph.variables), list(graph.equations), set(graph.pieces)
    while waiting:
        current = _with(graph, variables, equations)
        order = _ordered(current)
        groups: dict[tuple, list[str]] = {}
        for name, a in waiting.items():
            groups.setdefault((a.of, a.element, a.partial), []).append(name)
        ready = [g for g in groups.items() if not _reads_any(current, order, g[0][0], waiting)]
        if not ready:
            raise _circle(graph, waiting)
        for (of, element, partial), names in ready:
            made = (_partials if partial else _totals)(current, order, of, element, [waiting[n].wrt for n in names])
            for variable, own in made:
                if variable.name not in defined:
                    defined.add(variable.name)
                    variables[variable.name] = variable
                    equations += own
            for n in names:
                del waiting[n]
    whole = replace(_with(graph, variables, equations), asked={**graph.asked, **(asked or {})})
    _ordered(whole)
    return whole


def _ordered(graph: Graph) -> Plan:
    """The order of evaluation. Raises GraphError where there is none: an adjoint whose elements, as far as can be told
    before evaluation, depend on themselves."""
    try:
        return plan(graph)
    except Cycle as c:
        name = c.path[0][0].target
        raise GraphError([Diagnostic("E902", f"no order was found in which the elements of `{text(graph.pool.read(name)) or name}` can be evaluated", None,
                                     hints=("a recurrence that reads single elements, `h[k-1]`, has one",))], graph.source) from None


def _with(graph: Graph, variables: dict[str, Variable], equations: list[Equation]) -> Graph:
    return replace(graph, variables=dict(variables), equations=tuple(equations), pieces={}, plans=[])


def _reads_any(graph: Graph, order: Plan, of: str, waiting: Iterable[str]) -> bool:
    """Whether what a variable is made of, at any depth, reads one of the derivatives that have no equation yet."""
    seen = set(graph.pieces.get(of, ()))
    todo = list(seen)
    if of in waiting:
        return True
    while todo:
        e = todo.pop()
        if any(r.name in waiting for r in reads(e.value)):
            return True
        for below in order.below[e]:
            if below not in seen:
                seen.add(below)
                todo.append(below)
    return False


def _circle(graph: Graph, waiting: Mapping[str, Asked]) -> GraphError:
    first = next(iter(waiting.values()))
    names = ", ".join(f"`{n}`" for n in list(waiting)[:4])
    return GraphError([Diagnostic("E110", f"`{first.of}` depends on a derivative of its own: {names}", first.span or NOWHERE, "asked for here", (),
                                  ("a derivative may be used in anything that its variable does not depend on",))], graph.source)


# ---- total derivatives


def _totals(graph: Graph, order: Plan, of: str, element: tuple[int, ...] | None, wrts: list[str]):
    """The derivatives of a variable by some others, with those on the way: (variable, its equations)."""
    goal = Goal("output", of, element)
    derivative = differentiate(graph, goal, order)
    around = of in derivative.incoming  # it reads itself: a recurrence
    needed: dict[str, None] = {}
    todo = list(wrts)
    while todo:
        name = todo.pop()
        if name in needed:
            continue
        needed[name] = None
        for c in derivative.incoming.get(name, ()):
            if c.source.target != of or around:
                todo.append(c.source.target)
    for name in needed:
        yield _total(derivative, name, around, name == of)


def _total(derivative: Derivative, name: str, around: bool, seed: bool) -> tuple[Variable, list[Equation]]:
    graph, goal = derivative.graph, derivative.goal
    pool, v = graph.pool, graph.variables[name]
    y = graph.variables[goal.name]
    table = y.ranges if goal.element is None else ()
    terms = list(derivative.incoming.get(name, ()))
    boxes: list[Box | None] = []
    for c in terms:
        direct = c.source.target == goal.name and not around
        if direct and goal.element is not None and not meets(c.source.box, _point(goal.element)):
            boxes.append(None)
        else:
            boxes.append(c.box + ((c.source.box if direct else y.ranges) if table else ()))
    terms = [c for c, b in zip(terms, boxes) if b is not None]
    boxes = [b for b in boxes if b is not None]
    whole = v.ranges + table
    shown = boxes + ([v.ranges + y.ranges if table else _point(goal.element or ())] if seed else [])
    names = list(index_names(derivative, v))
    for s in _own_indices(graph, y) if table else ():
        names.append(fresh(s, {*names, *graph.variables}))
    own = derivative_name(pool, goal.name, name, goal.element)
    if table:
        split(pool, own, goal.name, v)
    equations = []
    for box in cells(whole, shown) if whole else [()]:
        at = tuple(pool.number(r.low) if r.extent == 1 and w.extent > 1 else pool.index(n) for n, r, w in zip(names, box, whole))
        over = tuple(Binding(n, r) for n, r, s in zip(names, box, at) if type(s) is Index)
        here = [c for c, b in zip(terms, boxes) if meets(b, box)]
        forms = []
        for form in (COMPUTED, SHOWN):
            total = same_element(pool, at[: len(v.ranges)], at[len(v.ranges):] or tuple(map(pool.number, goal.element or ()))) if seed else pool.zero
            for c in here:
                total = total + _term(derivative, c, at[: len(v.ranges)], at[len(v.ranges):], around, form)
            forms.append(unshadow(total, frozenset(b.index for b in over), graph.variables) if total.args else total)
        pool.shown[own, at] = forms[1]
        equations.append(defining(pool, own, at, over, *forms))
    return Variable(own, "node", whole, None, None, v.row and not table), equations


def _point(at: tuple[int, ...]) -> Box:
    return tuple(Range(k, k) for k in at)


def _own_indices(graph: Graph, y: Variable) -> list[str]:
    """Names for the indices of a table, as in its own equation."""
    first = graph.pieces.get(y.name, ())
    spelled_by = first[-1].subs if first else ()
    return [s.name if type(s) is Index else "k" for s in spelled_by] or ["k"] * len(y.ranges)


def _term(derivative: Derivative, c: Contribution, at: tuple[Expr, ...], element: tuple[Expr, ...], around: bool, form: str) -> Expr:
    """What one contribution adds at an element `at` of its variable, for an element of the goal."""
    pool, goal = c.read.pool, derivative.goal
    put = {s.name: p for s, p in zip(c.at, at) if type(s) is Index and s is not p}
    summed = list(c.summed)
    taken = frozenset().union(*(e.free for e in (*at, *element))) if at or element else frozenset()
    rename: dict[str, Expr] = {}
    avoid = {*taken, *(b.index for b in summed), *derivative.graph.variables, *c.computed.free, *put}
    for b in summed:  # an index that is summed must not have the name of one that is not
        if b.index in taken:
            rename[b.index] = pool.index(fresh("i", avoid))
            avoid.add(rename[b.index].name)
    for k, b in enumerate(summed):
        index = rename[b.index].name if b.index in rename else b.index
        summed[k] = pool.bound(index, *(substitute(substitute(e, rename), put) for e in (b.low, b.high)))

    def moved(e: Expr) -> Expr:
        return substitute(substitute(e, rename), put)

    f, subs = moved(local(c, form)), [moved(s) for s in c.source_subs]
    guards = [moved(g) for g in c.guards]
    if c.source.target == goal.name and not around:
        upstream: Expr = pool.one
        wanted = element if goal.element is None else tuple(map(pool.number, goal.element))
        for s, k, original in zip(subs, wanted, c.source_subs):
            own = next((b for b in summed if type(s) is Index and b.index == s.name), None)
            if own is not None:  # the seed picks one term of the sum
                summed.remove(own)
                only = {own.index: k}
                f, guards = substitute(f, only), [substitute(g, only) for g in guards]
                summed = [pool.bound(b.index, substitute(b.low, only), substitute(b.high, only)) for b in summed]
                subs = [substitute(x, only) for x in subs]
            elif not (type(original) is Number and type(k) is Index):  # then the box of the source is that one element
                same = fold(pool.call("==", s, k))
                if same is not pool.one and s is not k:
                    guards.append(same)
    else:
        name = derivative_name(pool, goal.name, c.source.target, goal.element)
        if element:
            split(pool, name, goal.name, derivative.graph.variables[c.source.target])
        upstream = pool.read(name, (*subs, *element))
    value = tidy_product(upstream, f) if form != COMPUTED else guarded_product(upstream, f)
    for guard in reversed(guards):
        value = pool.where(guard, value, pool.zero)
    return pool.sum(tuple(summed), value)


# ---- partial derivatives


def _partials(graph: Graph, order: Plan, of: str, element: tuple[int, ...] | None, wrts: list[str]):
    """∂u/∂v: what the equations of u themselves contribute, the seed 1 at one element of u."""
    goal = Goal("output", of, element)
    equations = graph.pieces.get(of, ())
    found = {e: tuple(contributions(e, graph)) for e in equations}
    for name in dict.fromkeys(wrts):
        incoming = tuple(c for e in equations for c in found[e] if c.variable == name)
        alone = Derivative(graph, goal, order, (), {name: incoming} if incoming else {}, found)
        total, own = _total(alone, name, False, False)
        partial = derivative_name(graph.pool, of, name, element, partial=True)
        yield Variable(partial, "node", total.ranges, None, None, total.row), [_rename(e, partial) for e in own]


def _rename(e: Equation, name: str) -> Equation:
    e.value.pool.shown[name, e.subs] = e.value.pool.shown[e.target, e.subs]
    source = e.source and e.source._replace(target=spell(e.value.pool.read(name, e.subs)))
    return Equation(name, e.subs, e.bindings, e.value, None, source)
