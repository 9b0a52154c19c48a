"""Reverse mode: from a graph and a goal to contributions, and from those to a graph of adjoints.

For an equation `u[p] = e for q` and a read `v[o]` in e under inner sums over m, with the local derivative
f = ∂e/∂v[o], the contribution is

    dJ/dv[o]  +=  sum( dJ/du[p] * f  for the indices of q and m that do not occur in o )

A `Contribution` holds this in two spellings: in the equation's own indices (`loops`, `read`), by which the engines
scatter, and solved for the element that is reached (`at`, `box`, `summed`), by which it is written and
differentiated again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Mapping, NamedTuple

from graphlang.derive.local import COMPUTED, RAW as RAW, SHOWN, Guard, occurrences, plus
from graphlang.derive.simplify import summed, guarded_product, tidy, tidy_product
from graphlang.graph.coverage import interval
from graphlang.graph.derived import derivative_name, split
from graphlang.graph.affine import affine, from_affine
from graphlang.graph.expressions import Bound, Expr, Index, Pool, Read, postorder
from graphlang.graph.substitute import fresh, substitute, unshadow
from graphlang.graph.graph import Binding, Box, Equation, Goal, Graph, Range, Variable, meets, natural
from graphlang.graph.order import Group, Plan, backward_order, distances, plan

LARGEST_SHOWN = 3000  # nodes of an equation beyond which its local derivatives are not written out


@dataclass(frozen=True, eq=False)
class Contribution:
    """One edge of the backward pass: what `source` adds to the adjoint of `variable`.

    Value at an element: adjoint(source) · local, summed over `summed`; zero outside `box`.
    """

    variable: str
    source: Equation
    read: Read                        # what is read, in the equation's indices
    loops: tuple[Bound, ...]          # inner indices that the read uses, after the equation's own
    computed: Expr                    # the local derivative, over the equation's indices and `loops`
    at: tuple[Expr, ...]              # the element reached: an index or an integer for each range
    over: tuple[Binding, ...]         # the ranges of those indices
    summed: tuple[Bound, ...]         # indices to sum over, with the guard inside
    rename: Mapping[str, Expr] = field(repr=False)  # the equation's indices, solved for the element
    guards: tuple[Expr, ...] = ()     # conditions under which (summed, element) is really reached
    names: Mapping[str, object] = field(default_factory=dict, repr=False)  # the variables: no index is shown by such a name

    @property
    def box(self) -> Box:
        over = dict(self.over)
        return tuple(over[s.name] if type(s) is Index else Range(int(s.value), int(s.value)) for s in self.at)

    @property
    def source_subs(self) -> tuple[Expr, ...]:
        """The element of the source, in the indices of the element reached."""
        return tuple(substitute(s, self.rename) for s in self.source.subs)

    def solved(self, local: Expr) -> Expr:
        """A local derivative, in the indices of the element reached."""
        return substitute(local, self.rename)

    @cached_property
    def forms(self) -> dict[str, Expr]:
        return {}


def grouped(equation: Equation, form: str = COMPUTED) -> list[tuple[Read, tuple[Bound, ...], Expr]]:
    """Occurrences of one equation put together: a read, the inner indices it uses, the local derivative summed over
    all other inner indices. Reads alike but for the names of their inner indices are one."""
    pool = equation.value.pool
    groups: dict[tuple, list] = {}
    for read, scope, derivative in occurrences(equation, form):
        if not scope and not read.args:  # a scalar, in no sum
            if (read, ()) in groups:
                groups[read, ()][2] = plus(groups[read, ()][2], derivative, form)
            else:
                groups[read, ()] = [read, (), derivative]
            continue
        binders = [b for entry in scope if not isinstance(entry, Guard) for b in entry]
        needed = set().union(*(s.free for s in read.args)) if read.args else set()
        for b in reversed(binders):
            if b.index in needed:
                needed |= b.free
        loops = tuple(b for b in binders if b.index in needed)
        rename: dict[str, Expr] = {}
        if loops:
            marks = {b.index: pool.index(f"\0{k}") for k, b in enumerate(loops)}
            key = (read.name, tuple(substitute(s, marks) for s in read.args),
                   tuple((substitute(b.low, marks), substitute(b.high, marks)) for b in loops))
        else:
            key = (read, ())
        local = derivative
        for entry in reversed(scope):
            if isinstance(entry, Guard):
                local = pool.where(entry.condition, local, pool.zero)
            else:
                local = summed(tuple(b for b in entry if b.index not in needed), local)
        if key in groups:
            first = groups[key]
            if loops:
                rename = {b.index: pool.index(f.index) for b, f in zip(loops, first[1]) if b.index != f.index}
                local = substitute(local, rename)
            first[2] = plus(first[2], local, form)
        else:
            groups[key] = [read, loops, local]
    return [tuple(g) for g in groups.values()]


def contributions(equation: Equation, graph: Graph) -> list[Contribution]:
    """What an equation adds to the adjoints of the variables it reads, in the order of the text."""
    out = []
    for read, loops, local in grouped(equation):
        variable = graph.variables[read.name]
        if variable.role == "const" or local is local.pool.zero:
            continue
        out.append(Contribution(read.name, equation, read, loops, local, *solve(equation, read, loops, variable, graph.variables), graph.variables))
    return out


def solve(equation: Equation, read: Read, loops: tuple[Bound, ...], variable: Variable, names: Mapping[str, object] = {}):
    """Turn `v[o]` around: the equation's indices in terms of the element that is reached.

    A subscript `±i + c` gives i; any other becomes a guard `subscript == element`, summed over the indices in it.
    """
    pool = read.pool
    if not equation.bindings and not read.args and not loops:  # scalar to scalar: nothing to solve
        return (), (), (), {}, ()
    over: dict[str, Range] = dict(equation.bindings)
    plain = set(over)
    for b in loops:
        over[b.index] = interval(b, over)
        if not b.free:
            plain.add(b.index)
    at: list[Expr | None] = [None] * len(read.args)
    ranges: dict[str, Range] = {}
    rename: dict[str, Expr] = {}
    guards: list[Expr] = []
    for d, sub in enumerate(read.args):
        form = affine(sub)
        if form is None:
            continue
        c, factors = form
        if not factors:
            at[d] = pool.number(c)
            continue
        if len(factors) == 1:
            ((name, k),) = factors.items()
            if abs(k) == 1 and name in plain and name not in rename:
                ends = (k * over[name].low + c, k * over[name].high + c)
                ranges[name] = Range(min(ends), max(ends)) if over[name].extent else Range(min(ends) + 1, min(ends))
                at[d] = pool.index(name)
                rename[name] = from_affine(pool, -c * k, {name: k})
    taken = set(over) | local_names(equation) if None in at else set()
    for d, sub in enumerate(read.args):
        if at[d] is None:
            name = fresh("i", {*taken, *names})
            taken.add(name)
            ranges[name] = variable.ranges[d]
            at[d] = pool.index(name)
            guards.append(pool.call("==", substitute(sub, rename), at[d]))
    summed = [pool.bound(b.index, pool.number(b.range.low), pool.number(b.range.high)) for b in equation.bindings if b.index not in rename]
    summed += [pool.bound(b.index, substitute(b.low, rename), substitute(b.high, rename)) for b in loops if b.index not in rename]
    bindings = tuple(Binding(s.name, ranges[s.name]) for s in at if type(s) is Index)
    return tuple(at), bindings, tuple(summed), {k: v for k, v in rename.items() if not (type(v) is Index and v.name == k)}, tuple(guards)


def local_names(equation: Equation) -> set[str]:
    return {n.index for n in postorder(equation.value) if type(n) is Bound} if equation.value.args else set()


@dataclass(frozen=True, eq=False)
class Derivative:
    """The backward pass of a graph for one scalar goal.

    `order`: groups of equations, nearest to the goal first. `incoming`: for each variable the contributions to its
    adjoint in the order in which they are added; a variable the goal does not depend on has none.
    """

    graph: Graph
    goal: Goal
    plan: Plan
    order: tuple[Group, ...]
    incoming: dict[str, tuple[Contribution, ...]]
    outgoing: dict[Equation, tuple[Contribution, ...]]

    @cached_property
    def variables(self) -> tuple[str, ...]:
        """All that have an adjoint, nearest to the goal first; last those the goal does not depend on."""
        far = distances(self.plan, self.goal.name)
        depth: dict[str, int] = {self.goal.name: 0}
        for e, d in far.items():
            depth[e.target] = max(depth.get(e.target, 0), d)
            for c in self.outgoing.get(e, ()):
                if self.graph.variables[c.variable].is_leaf:
                    depth[c.variable] = max(depth.get(c.variable, 0), d + 1)
        names = [n for n, v in self.graph.variables.items() if v.role != "const"]
        return tuple(sorted(names, key=lambda n: (n not in depth, depth.get(n, 0), natural(n))))

    def adjoint_name(self, variable: str) -> str:
        found = self.names.get(variable)
        if found is None:
            found = self.names[variable] = derivative_name(self.graph.pool, self.goal.name, variable, self.goal.element)
        return found

    @cached_property
    def names(self) -> dict[str, str]:
        return {}


def differentiate(graph: Graph, goal: Goal, order: Plan | None = None) -> Derivative:
    """Reverse mode. `goal` is a scalar variable or one element of a table."""
    order = order or plan(graph)
    groups = backward_order(order, goal.name)
    incoming: dict[str, list[Contribution]] = {}
    outgoing: dict[Equation, tuple[Contribution, ...]] = {}
    for group in groups:
        for e in group.equations:
            outgoing[e] = tuple(contributions(e, graph))
            for c in outgoing[e]:
                incoming.setdefault(c.variable, []).append(c)
    return Derivative(graph, goal, order, tuple(groups), {v: tuple(c) for v, c in incoming.items()}, outgoing)


# ---- what is shown


@lru_cache(maxsize=16)
def _locals(equation: Equation, form: str) -> tuple[frozenset[Expr], dict[tuple, Expr]]:
    """The nodes of an equation, and the local derivatives of all that it reads: one walk for all contributions."""
    atoms = frozenset(postorder(equation.value))
    if len(atoms) > LARGEST_SHOWN:
        return atoms, {}
    return atoms, {(read, loops): expression for read, loops, expression in grouped(equation, form)}


def opaque_symbol(source: Equation, variable: str, variables: Mapping[str, Variable], subs: tuple[Expr, ...]) -> Expr:
    """The derivative of an opaque function: a symbol, the variable `du/dx`."""
    pool, u = source.value.pool, source.target
    name = derivative_name(pool, u, variable)
    if variables[u].ranges:
        split(pool, name, u, variables[variable])
    return pool.read(name, subs)


def local(c: Contribution, form: str = SHOWN) -> Expr:
    """The local derivative of a contribution, over the indices of the element reached."""
    if form not in c.forms and c.source.opaque and form != COMPUTED:
        c.forms[form] = opaque_symbol(c.source, c.variable, c.names, (*c.at, *c.source_subs))
    if form not in c.forms:
        atoms, known = _locals(c.source, form) if form != COMPUTED else (frozenset(), {})
        expression = known.get((c.read, c.loops))
        solved = c.solved(c.computed if expression is None else tidy(expression, atoms))
        if form != COMPUTED and solved.args:
            solved = unshadow(solved, frozenset((*(b.index for b in c.over), *(b.index for b in c.summed))), c.names)
        c.forms[form] = solved
    return c.forms[form]


def term(derivative: Derivative, c: Contribution, form: str = SHOWN) -> Expr:
    """A contribution as a formula: adjoint of the source times local derivative, summed."""
    pool = c.read.pool
    upstream = pool.read(derivative.adjoint_name(c.source.target), c.source_subs)
    f = local(c, form)
    if c.source.target == derivative.goal.name:
        upstream = _seed(derivative, c.source_subs, pool)
    value = tidy_product(upstream, f) if form != COMPUTED else guarded_product(upstream, f)
    for guard in reversed(c.guards):
        value = pool.where(guard, value, pool.zero)
    return pool.sum(c.summed, value)


def _seed(derivative: Derivative, subs: tuple[Expr, ...], pool: Pool) -> Expr:
    """dJ/dJ: 1, or for an element of a table 1 there and 0 elsewhere, plus what comes round by a recurrence."""
    goal = derivative.goal
    if goal.element is None:
        return pool.one
    return pool.read(derivative.adjoint_name(goal.name), subs)


class Piece(NamedTuple):
    """A box of a variable's elements whose adjoint is one formula: the sum of the same contributions."""

    variable: str
    at: tuple[Expr, ...]
    over: tuple[Binding, ...]
    terms: tuple[Contribution, ...]


def index_names(derivative: Derivative, variable: Variable) -> tuple[str, ...]:
    """Names for the indices of an adjoint: those of the variable's own equation, else of the first reader."""
    names: list[str] = []
    taken = set(derivative.graph.variables)
    spelled = [e.subs for e in derivative.graph.pieces.get(variable.name, ())]
    spelled += [c.at for c in derivative.incoming.get(variable.name, ())]
    for d in range(len(variable.ranges)):
        own = next((s[d].name for s in spelled if type(s[d]) is Index and s[d].name not in names), None)
        names.append(own if own is not None else fresh("i", taken | set(names)))
    return tuple(names)


def pieces(derivative: Derivative, name: str) -> list[Piece]:
    """The adjoint of a variable as disjoint boxes, each with the contributions that reach it."""
    variable = derivative.graph.variables[name]
    terms = derivative.incoming.get(name, ())
    if not variable.ranges:
        return [Piece(name, (), (), terms)]
    pool = derivative.graph.pool
    boxes = [c.box for c in terms]
    if derivative.goal.name == name and derivative.goal.element is not None:
        boxes.append(tuple(Range(k, k) for k in derivative.goal.element))
    names = index_names(derivative, variable)
    out = []
    for box in cells(variable.ranges, boxes):
        at = tuple(pool.number(r.low) if r.extent == 1 and w.extent > 1 else pool.index(n) for n, r, w in zip(names, box, variable.ranges))
        over = tuple(Binding(n, r) for n, r, s in zip(names, box, at) if type(s) is Index)
        out.append(Piece(name, at, over, tuple(c for c, b in zip(terms, boxes) if meets(b, box))))
    return out


def cells(whole: Box, boxes: list[Box]) -> list[Box]:
    """A partition of `whole` into boxes that are inside or outside each of `boxes`; empty when `whole` is."""
    cuts = []
    for d, r in enumerate(whole):
        ends = {r.low} | {b[d].low for b in boxes} | {b[d].high + 1 for b in boxes}
        starts = sorted(x for x in ends if r.low <= x <= r.high)
        cuts.append([Range(a, b - 1) for a, b in zip(starts, [*starts[1:], r.high + 1])])
    out: list[Box] = [()]
    for options in cuts:
        out = [(*box, r) for box in out for r in options]
    merged: list[tuple[frozenset[int], Box]] = []
    for box in out:  # neighbours along the last range that the same boxes cover are one
        inside = frozenset(k for k, b in enumerate(boxes) if meets(b, box))
        if merged and merged[-1][0] == inside and merged[-1][1][:-1] == box[:-1] and merged[-1][1][-1].high + 1 == box[-1].low:
            merged[-1] = (inside, (*box[:-1], Range(merged[-1][1][-1].low, box[-1].high)))
        else:
            merged.append((inside, box))
    return [box for _, box in merged]


def piece_formula(derivative: Derivative, piece: Piece, form: str = SHOWN) -> Expr:
    """The adjoint over a piece: the sum of its contributions, in the piece's indices."""
    pool = derivative.graph.pool
    total = pool.zero
    goal = derivative.goal
    if piece.variable == goal.name:
        at = goal.element or ()
        if all(dict(piece.over).get(getattr(s, "name", None), Range(k, k)) == Range(k, k) and (type(s) is Index or s.value == k) for s, k in zip(piece.at, at)):
            total = pool.one
    for c in piece.terms:
        value = term(derivative, c, form)
        put = {s.name: p for s, p in zip(c.at, piece.at) if type(s) is Index and s is not p}
        total = total + substitute(value, put)
    if form != COMPUTED and total.args:
        total = unshadow(total, frozenset(b.index for b in piece.over), derivative.graph.variables)
    return total


def adjoint_graph(derivative: Derivative, form: str = COMPUTED) -> Graph:
    """The program and its adjoint program as one graph, to evaluate, print or differentiate again.

    The adjoint of v is the variable `dJ/dv`, with v's ranges.
    """
    graph = derivative.graph
    variables = dict(graph.variables)
    equations = list(graph.equations)
    for name in derivative.variables:
        v = graph.variables[name]
        adjoint = derivative.adjoint_name(name)
        variables[adjoint] = Variable(adjoint, "node", v.ranges, None, None, v.row)
        for piece in pieces(derivative, name):
            equations.append(Equation(adjoint, piece.at, piece.over, piece_formula(derivative, piece, form)))
    return Graph(graph.pool, variables, tuple(equations), graph.goals, graph.source, graph.consts, graph.functions,
                 graph.expectations, graph.seed, graph.warnings)
