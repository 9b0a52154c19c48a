"""The backward pass that mistakes are made in, and a change of it as data: other local derivatives, contributions, values.

The pass is that of the expanded graph, in which a node is one primitive operation; its nodes are called what the author calls them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Callable, Iterator, Mapping, NamedTuple

from graphlang.derive.reverse import Contribution, Derivative, index_names
from graphlang.graph.expressions import Call, Expr, Index, Read, operands, postorder, reads, rebuild
from graphlang.graph.graph import Binding, Equation, Goal, Graph
from graphlang.graph.spell import text
from graphlang.graph.substitute import substitute

LONGEST = 40  # characters of a node that is named by its formula; a longer one has its name


@dataclass(frozen=True)
class Change:
    """`locals`: contributions with another local derivative, in their equation's indices; None: left out. `terms`: contributions as a whole,
    in the indices of the element reached. `forward`: right-hand sides. `adjoints`: variables whose adjoint is another formula of the
    right ones, for the answer alone. `more`: equations that such formulas need. `whole`: every step is rounded."""

    locals: Mapping[Contribution, Expr | None] = field(default_factory=dict)
    terms: Mapping[Contribution, Expr] = field(default_factory=dict)
    forward: Mapping[Equation, Expr] = field(default_factory=dict)
    adjoints: Mapping[str, Equation] = field(default_factory=dict)
    more: tuple[Equation, ...] = ()
    whole: bool = False

    def __add__(self, other: "Change") -> "Change":
        return Change({**self.locals, **other.locals}, {**self.terms, **other.terms}, {**self.forward, **other.forward},
                      {**self.adjoints, **other.adjoints}, (*self.more, *other.more), self.whole or other.whole)

    def apart(self, other: "Change") -> bool:
        """Whether both can be made at once: they touch no contribution together, and neither is of the whole pass."""
        mine, theirs = {*self.locals, *self.terms}, {*other.locals, *other.terms}
        plain = not any((c.forward, c.adjoints, c.whole) != ({}, {}, False) for c in (self, other))
        return plain and mine.isdisjoint(theirs)


class Place(NamedTuple):
    """A mistake at a place. `node` is how the author would call it; `to` the variable whose adjoint is touched."""

    name: str
    node: str
    to: str
    change: Change


@dataclass(frozen=True, eq=False)
class Grain:
    """The backward pass that is perturbed: of the author's graph, expanded, for one goal."""

    author: Graph
    graph: Graph
    goal: Goal
    derivative: Derivative

    @cached_property
    def equations(self) -> tuple[Equation, ...]:
        """Those on the way to the goal, nearest first."""
        return tuple(self.derivative.outgoing)

    def calls(self, *functions: str) -> Iterator[Equation]:
        return (e for e in self.equations if type(e.value) is Call and e.value.function in functions)

    @cached_property
    def readers(self) -> dict[str, list[Equation]]:
        out: dict[str, list[Equation]] = {}
        for e in self.equations:
            for n in dict.fromkeys(r.name for r in reads(e.value)):
                out.setdefault(n, []).append(e)
        return out

    def constant(self, e: Expr) -> bool:
        return not any(type(n) is Index or type(n) is Read and n.name not in self.graph.consts for n in postorder(e))

    def node(self, name: str) -> str:
        """A node as the author calls it: by its name, or, where only the expansion has given it one, by its formula."""
        if name in self.author.variables:
            return f"`{name}`"
        (e, *_) = self.graph.pieces[name]
        return f"`{text(self.inlined(e.value), LONGEST) or name}`"

    def inlined(self, e: Expr) -> Expr:
        """An expression with the steps that the author has not named put back in the place of their names."""
        while True:
            steps = {r: self.graph.pieces[r.name][0] for r in reads(e) if r.name not in self.author.variables}
            if not steps or sum(1 for _ in postorder(e)) > 8 * LONGEST:
                return e
            e = replaced(e, {r: substitute(s.value, {i.name: a for i, a in zip(s.subs, r.args) if type(i) is Index}) for r, s in steps.items()})

    def index_of(self, name: str) -> tuple[tuple[Expr, ...], tuple[Binding, ...]]:
        """Subscripts over a whole variable."""
        v = self.graph.variables[name]
        names = index_names(self.derivative, v)
        return tuple(map(self.graph.pool.index, names)), tuple(map(Binding, names, v.ranges))

    def adjoint(self, name: str, subs: tuple[Expr, ...] = ()) -> Read:
        return self.graph.pool.read(self.derivative.adjoint_name(name), subs)

    def whole_adjoint(self, name: str, change: Callable[[Expr], Expr]) -> Equation:
        """The adjoint of a variable as a function of the right one."""
        subs, over = self.index_of(name)
        return Equation(self.derivative.adjoint_name(name), subs, over, change(self.adjoint(name, subs)))


def replaced(root: Expr, put: Mapping[Expr, Expr]) -> Expr:
    """An expression with some of its nodes exchanged for others."""
    done: dict[Expr, Expr] = {}
    for node in postorder(root):
        args = tuple(done[a] for a in operands(node))
        done[node] = put[node] if node in put else rebuild(node, args) if args else node
    return done[root]
