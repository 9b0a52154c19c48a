"""One step of training as instructions: forward, backward, and the updates that need no gradient beside the param.

The same graph and the same contributions as everywhere, in the loops of numba_nests.py. What forward and backward both need, or what would be
worked out again inside of a loop, becomes a table of its own (`kept`).
"""

from __future__ import annotations

from itertools import groupby
from typing import NamedTuple, Sequence

from graphlang.derive.reverse import Contribution, Derivative
from graphlang.engines.listing import NAMES, UP, Listing, Put, Slot, each, leading, there
from graphlang.engines.numba_nests import Nest, emit, extent, factors, one_each, product, put, reached, worth_keeping
from graphlang.engines.reference import offset_of
from graphlang.engines.tape import ADD, STORE, Tape
from graphlang.engines.uses import UPDATE
from graphlang.graph.expressions import Bound, Call, Expr, Index, Read, Reduce, postorder, rebuild, transform
from graphlang.graph.graph import Equation, Goal, Graph, ancestors
from graphlang.graph.order import Group, plan
from graphlang.graph.reductions import REDUCTIONS
from graphlang.graph.substitute import substitute

RATE = "\0rate"
KEPT = "\0kept "


class Direct(NamedTuple):
    """A contribution by which a param is changed at the end of a step, without a gradient of its own."""

    contribution: Contribution
    nest: Nest


class Steps:
    """`made.ops`: what is done for one example. `zeroed`: the tables and scalars that must be 0 before, `grads`: the params that have a
    gradient. With `single` each example is a step, and some params are changed by the instructions themselves. `scaled`: what they are
    changed by is multiplied by the rate here, so that several contributions can be taken one by one. Without a derivative: the values of `wanted`."""

    def __init__(self, graph: Graph, derivative: Derivative | None, wanted: Sequence[str], params: Sequence[str], single: bool = False, scaled: bool = False,
                 negative: bool = False):
        self.graph, self.derivative, self.pool = graph, derivative, graph.pool
        self.order = tuple(params)
        self.params, self.scaled, self.negative, self.single = frozenset(params), scaled, negative, single
        needed = ancestors(graph, set(wanted))
        self.groups = [g for g in plan(graph).groups if any(e.target in needed for e in g.equations)]
        self.live = leading(derivative, set(params)) if derivative is not None else set()
        self.slots: dict[str, Slot] = {}
        self.ranges = {n: v.ranges for n, v in graph.variables.items()}
        self.ranges |= {UP + n: r for n, r in self.ranges.items()}
        for n, v in graph.variables.items():
            if v.role != "const" and n in needed:
                self._slot(n, f"v{len(self.slots)}", n)
        for n in derivative.variables if derivative is not None else ():
            if n in self.live:
                self._slot(UP + n, f"a{len(self.slots)}", f"d{derivative.goal}/d{n}")
        self.ranges[RATE] = ()
        self.slots[RATE] = Slot("rate", 1, True, "the rate")
        self.tape = Tape({n: n for n in self.ranges}, self.ranges, {}, NAMES)
        goal = derivative.goal if derivative is not None else Goal("output", "")
        self.made = Listing(graph, derivative, self.tape, self.slots, (), tuple(params), goal.name)
        if goal.element is not None:
            self.made.seed = offset_of([self.pool.number(k) for k in goal.element], self.ranges[goal.name], {})
        self.begun: set[str] = set()
        self.zeroed: list[str] = []
        self.memory: dict[tuple, Read] = {}                   # what is kept: by expression and ranges
        self.kept: dict[Equation, dict[Expr, Read]] = {}      # what of an equation's value is kept, for its backward pass
        self.direct: list[Direct] = []
        for g in self.groups:
            self.forward(g)
        self.updated = self._direct() if single and derivative is not None else frozenset()
        if derivative is not None:
            self.seed()
            for g in derivative.order:
                self.backward(g)
            for n in params:
                if n not in self.updated:
                    self.zero(UP + n)  # if nothing was added to it
        self.end = len(self.made.ops)  # of forward and backward
        for p, changes in groupby(self.direct, lambda d: d.nest.table):
            self._note(f"{p} is changed")
            for d in changes:
                self._update(d)
        self.grads = tuple(p for p in params if p not in self.updated)

    def _slot(self, table: str, name: str, author: str) -> None:
        size = 1
        for r in self.ranges[table]:
            size *= r.extent
        self.slots[table] = Slot(name, size, not self.ranges[table], author)

    # ---- tables of what is needed again

    def keep(self, value: Expr, loops: Sequence[Bound]) -> Read:
        """A table with the values of an expression over those of the indices that it uses; filled here, unless it is there already."""
        over = tuple(b for b in loops if b.index in value.free)
        key = (value, over)
        if key not in self.memory:
            read = self.memory[key] = self.table(value, over)
            self.nest(over, value, read.name, read.args, STORE)
        return self.memory[key]

    def table(self, value: Expr, loops: Sequence[Bound]) -> Read:
        """A new one for the values of an expression, read at its indices."""
        over = tuple(b for b in loops if b.index in value.free)
        number = sum(n.startswith(KEPT) for n in self.ranges)
        name = f"{KEPT}{number}"
        self.ranges[name] = tuple(map(extent, over))
        self.tape.tables[name] = name
        self._slot(name, f"k{number}", "kept for later")
        return self.pool.read(name, tuple(self.pool.index(b.index) for b in over))

    def recall(self, value: Expr, e: Equation) -> Expr:
        """With reads in the place of what is kept."""
        kept = self.kept.get(e)
        return transform(value, lambda node, args: kept.get(node) or rebuild(node, args)) if kept else value

    def nest(self, loops: Sequence[Bound], value: Expr, table: str, subs: tuple[Expr, ...], kind: int) -> None:
        loops = tuple(loops)
        if not any(b.free for b in loops) and len(loops) > 1:
            for part in worth_keeping(value, loops):
                rest = [f for f in factors(value) if f not in set(factors(part))]
                value = product(self.pool, [self.keep(part, loops), *rest])
        emit(self.tape, Nest(loops, value, table, subs, kind))

    # ---- forward

    def forward(self, group: Group) -> None:
        self._note(", ".join(dict.fromkeys(e.target for e in group.equations)))
        if group.recurrent:
            for e in group.equations if self.derivative is not None else ():
                self.kept[e] = {part: self.table(part, bounds(e)) for part in self.shared(e) if len(part.free) == len(e.bindings)}
            each(self.tape, group, self.element)
            return
        (e,) = group.equations
        loops, value = bounds(e), e.value
        kept = self.kept[e] = {}
        if type(value) is Reduce and value.function == "sum":
            self.nest((*loops, *value.binders), value.body, e.target, e.subs, STORE)
        else:
            for part in self.shared(e):
                kept[part] = self.keep(part, loops)
            self.nest(loops, self.recall(value, e), e.target, e.subs, STORE)
        if value.args and type(value) is not Read:
            kept[value] = self.pool.read(e.target, e.subs)

    def element(self, e: Equation, at: Put) -> None:
        """Of a recurrence. What the backward pass needs again is put aside."""
        for part, read in self.kept.get(e, {}).items():
            self.tape.store(STORE, there(part, at), read.name, self.ranges[read.name], [there(s, at) for s in read.args])
        self.tape.store(STORE, there(e.value, at), e.target, self.ranges[e.target], [there(s, at) for s in e.subs])

    def shared(self, e: Equation) -> list[Expr]:
        """Reductions inside of an equation's value that are worked out by themselves: for all elements, then what is made of them; the backward
        pass reads them again."""
        own = {b.index for b in e.bindings}
        below: set[Expr] = set()
        found = []
        for node in reversed(list(postorder(e.value))):
            if type(node) is Reduce and node not in below:
                below.update(postorder(node.body))
                if not REDUCTIONS[node.function].table and node.free <= own and node is not e.value:
                    found.append(node)
        return found

    def _note(self, text: str) -> None:
        self.made.notes.setdefault(len(self.made.ops), text)

    # ---- backward

    def seed(self) -> None:
        goal = self.derivative.goal
        name = UP + goal.name
        if name in self.slots and (goal.element is not None or self.derivative.incoming.get(goal.name)):
            self.zero(name)
            subs = tuple(self.pool.number(k) for k in goal.element or ())
            put(self.tape, STORE, self.tape.place(self.pool.one), name, subs)

    def zero(self, table: str) -> None:
        if table not in self.begun:
            self.begun.add(table)
            self.zeroed.append(table)

    def upstream(self, e: Equation) -> Expr:
        goal = self.derivative.goal
        if e.target == goal.name and goal.element is None and not self.derivative.incoming.get(goal.name):
            return self.pool.one
        return self.pool.read(UP + e.target, e.subs)

    def backward(self, group: Group) -> None:
        live = [c for e in group.equations for c in self.derivative.outgoing[e] if c.variable in self.live]
        if not live:
            return
        updated = {id(d.contribution) for d in self.direct}
        if any(id(c) not in updated for c in live):
            self._note(f"d{self.made.goal}/d… from {group.equations[0].target}")
        if group.recurrent:
            for c in live:
                self.zero(UP + c.variable)
            each(self.tape, group, self.spread, backward=True)
            return
        for c in live:
            if id(c) not in updated:
                for loops, value, subs in self.terms(c):
                    self.add(Nest(loops, value, UP + c.variable, subs, ADD))

    def terms(self, c: Contribution) -> list[tuple[tuple[Bound, ...], Expr, tuple[Expr, ...]]]:
        """What a contribution adds, as nests. In `sum(w[k]*((k == i) - y[i]))`, which softmax has, the sum over `k == i` is one term."""
        loops = (*bounds(c.source), *c.loops)
        parts = factors(self.pool.call("*", self.upstream(c.source), self.recall(c.computed, c.source)))
        delta = next((f for f in parts if is_delta(f, loops, c.read.args)), None)
        if delta is None:
            return [(loops, product(self.pool, parts), c.read.args)]
        rest = product(self.pool, [f for f in parts if f is not delta])
        pair, other = [x.name for x in delta.args[0].args], delta.args[1]
        gone, stays = sorted(pair, key=lambda n: any(n in s.free for s in c.read.args))
        alone = tuple(b for b in loops if b.index != gone)
        return [(alone, substitute(rest, {gone: self.pool.index(stays)}), c.read.args), (loops, self.pool.neg(product(self.pool, [rest, other])), c.read.args)]

    def add(self, nest: Nest) -> None:
        variable = nest.table.removeprefix(UP)
        if nest.table not in self.begun and (self.single or variable not in self.params):
            outer = tuple(b for b in nest.loops if any(b.index in s.free for s in nest.subs))
            if not any(b.free for b in nest.loops) and one_each(nest._replace(loops=outer)) and reached(nest._replace(loops=outer)) == self.ranges[nest.table]:
                self.begun.add(nest.table)
                self.nest(nest.loops, nest.value, nest.table, nest.subs, STORE)
                return
        self.zero(nest.table)
        self.nest(nest.loops, nest.value, nest.table, nest.subs, ADD)

    def spread(self, e: Equation, at: Put) -> None:
        """What an element of a recurrence adds, as in listing.py, with what was put aside."""
        tape = self.tape
        for c in self.derivative.outgoing[e]:
            if c.variable in self.live:
                factor = tape.place(self.pool.read(UP + e.target, tuple(there(s, at) for s in e.subs)))
                opened = [tape.open_loop(b.index, there(b.low, at), there(b.high, at)) for b in c.loops]
                tape.store(ADD, there(self.recall(c.computed, e), at), UP + c.variable, self.ranges[c.variable], [there(s, at) for s in c.read.args], factor)
                for o in reversed(opened):
                    tape.close_loop(o)

    # ---- params that are changed without a gradient

    def _direct(self) -> frozenset[str]:
        """Those with contributions that meet each element once and read no param, so that they can be taken when all adjoints are known."""
        flat = {e for g in self.groups if not g.recurrent for e in g.equations}
        found = set()
        for p in self.order:
            all_ = self.derivative.incoming.get(p, ())
            nests = [Nest((*bounds(c.source), *c.loops), self.pool.one, p, c.read.args, UPDATE) for c in all_]
            if not all_ or not self.scaled and len(all_) > 1:
                continue
            if all(c.source in flat and not any(b.free for b in n.loops) and one_each(n) and self.params.isdisjoint(self._read_by(c)) for c, n in zip(all_, nests)):
                if self.scaled or reached(nests[0]) == self.ranges[p]:
                    found.add(p)
                    self.direct += map(Direct, all_, nests)
        return frozenset(found)

    def _read_by(self, c: Contribution) -> set[str]:
        return {n.name for n in postorder(self.recall(c.computed, c.source)) if type(n) is Read}

    def _update(self, d: Direct) -> None:
        c, nest = d.contribution, d.nest
        first = self.pool.read(RATE) if self.scaled else self.pool.one
        parts = [self.pool.number(-1.0 if self.negative else 1.0), first, *factors(self.upstream(c.source)), *factors(self.recall(c.computed, c.source))]
        self.nest(nest.loops, product(self.pool, parts), nest.table, nest.subs, UPDATE)


def bounds(e: Equation) -> tuple[Bound, ...]:
    pool = e.value.pool
    return tuple(pool.bound(b.index, pool.number(b.range.low), pool.number(b.range.high)) for b in e.bindings)


def is_delta(f: Expr, loops: Sequence[Bound], subs: Sequence[Expr]) -> bool:
    """`(k == i) - …` for two indices over the same range, of which one is in the subscripts."""
    if type(f) is not Call or f.function != "-" or type(f.args[0]) is not Call or f.args[0].function != "==":
        return False
    over = {b.index: b for b in loops}
    a, b = f.args[0].args
    if not (type(a) is Index and type(b) is Index and a.name in over and b.name in over):
        return False
    same = over[a.name].low is over[b.name].low and over[a.name].high is over[b.name].high and not over[a.name].free
    return same and sum(any(n.name in s.free for s in subs) for n in (a, b)) == 1
