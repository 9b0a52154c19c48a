"""In which order equations are evaluated, forward and backward.

Equations that depend on one another (a recurrence: h[k] reads h[k-1]) form a group, evaluated element by element;
every other equation is a group of its own. Forward, the group with the longest way to the goal comes first, backward
the nearest; ties go by name in natural order, then by first element. The order does not depend on the text.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Iterable, Iterator

from graphlang.diagnostics import Diagnostic, Label
from graphlang.graph.components import components
from graphlang.graph.coverage import interval, reach, scoped
from graphlang.graph.expressions import Read, reads
from graphlang.graph.graph import Box, Equation, Graph, meets, natural
from graphlang.graph.recurrence import Cycle, check_size, element_order

if TYPE_CHECKING:
    from graphlang.graph.schedule import Item

FEW = 1000  # elements of a recurrence that are gone through at once: that takes less time than to look for a schedule


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """One equation that does not depend on itself, or (a `Recurrence`) the equations of a recurrence."""

    equations: tuple[Equation, ...]
    recurrent = False
    elements = None


@dataclass(frozen=True, eq=False)
class Recurrence(Group):
    """Equations that depend on one another. `schedule`: as loops, where they could be put in order so. `elements`: the elements (equation,
    values of its indices) in an order in which each comes after those it reads, listed when someone asks. Raises Cycle there."""

    graph: Graph
    recurrent = True

    @cached_property
    def schedule(self) -> tuple[Item, ...] | None:
        from graphlang.graph.schedule import schedule  # most programs have no recurrence

        return schedule(self, self.graph)

    @cached_property
    def elements(self) -> tuple[tuple[Equation, tuple[int, ...]], ...]:
        return tuple(element_order(list(self.equations), self.graph))


def read_boxes(e: Equation, graph: Graph) -> Iterator[tuple[str, Box | None]]:
    """The variables that an equation reads and the elements it may read; None for a scalar."""
    if e.value.plain:
        for read in reads(e.value):
            yield read.name, None
        return
    base = dict(e.bindings)
    for node, around in scoped(e.value):
        if type(node) is not Read:
            continue
        if not node.args:
            yield node.name, None
            continue
        over = dict(base)
        for b in around:
            over[b.index] = interval(b, over)
        yield node.name, reach(node.args, over, graph.variables[node.name].ranges)


def dependencies(graph: Graph) -> dict[Equation, list[Equation]]:
    """For each equation the equations whose elements it reads, each once."""
    found: dict[Equation, list[Equation]] = {}
    for e in graph.equations:
        below: dict[Equation, None] = {}
        for name, box in read_boxes(e, graph):
            for piece in graph.pieces.get(name, ()):
                if box is None or meets(box, piece.box):
                    below[piece] = None
        found[e] = list(below)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Groups from leaves to sinks, and for each equation its group and what it reads."""

    groups: tuple[Group, ...]
    below: dict[Equation, list[Equation]]


def plan(graph: Graph) -> Plan:
    """Raises Cycle when an element depends on itself."""
    if not graph.plans:
        graph.plans.append(_plan(graph))
    return graph.plans[0]


def _plan(graph: Graph) -> Plan:
    below = dependencies(graph)
    groups = []
    for members in components(graph.equations, below):
        if len(members) == 1 and members[0] not in below[members[0]]:
            groups.append(Group(tuple(members)))
        else:
            members.sort(key=lambda e: (natural(e.target), first_element(e)))
            groups.append(recurrence := Recurrence(tuple(members), graph))
            if check_size(members, graph) <= FEW or recurrence.schedule is None:
                recurrence.elements  # a cycle is found here, a schedule proves that there is none
    return Plan(tuple(groups), below)


def check_cycles(graph: Graph) -> list[Diagnostic]:
    try:
        plan(graph)
    except Cycle as c:
        texts = [_element(e, at) for e, at in c.path]
        path = " → ".join(f"`{t}`" for t in [*texts, texts[0]])
        first = c.path[0][0]
        if len(texts) == 1:
            return [Diagnostic("E110", f"`{texts[0]}` is defined by itself", first.span, "it reads its own value")]
        labels = tuple({e: Label(e.span, f"`{t}` reads `{texts[(i + 1) % len(texts)]}`") for i, ((e, _), t) in enumerate(zip(c.path, texts)) if i}.values())
        return [Diagnostic("E110", f"these elements depend on one another: {path}", first.span, f"`{texts[0]}` reads `{texts[1]}`", labels[:4])]
    return []


def _element(e: Equation, at: tuple[int, ...]) -> str:
    values = dict(zip((b.index for b in e.bindings), at))
    subs = [values.get(getattr(s, "name", None), int(getattr(s, "value", 0))) for s in e.subs]
    return f"{e.target}[{','.join(map(str, subs))}]" if subs else e.target


# ---- order for a goal


def distances(plan: Plan, goal: str | None) -> dict[Equation, int]:
    """The longest way, in equations, from each equation to the goal; those that do not reach it are missing."""
    of_group: dict[Equation, Group] = {e: g for g in plan.groups for e in g.equations}
    far: dict[Group, int] = {}
    for g in reversed(plan.groups):
        if any(e.target == goal for e in g.equations):
            far[g] = max(far.get(g, 0), 0)
        if g not in far:
            continue
        for e in g.equations:
            for b in plan.below[e]:
                inner = of_group[b]
                if inner is not g:
                    far[inner] = max(far.get(inner, 0), far[g] + 1)
    return {e: d for g, d in far.items() for e in g.equations}


def first_element(e: Equation) -> tuple[int, ...]:
    return tuple(r.low for r in e.box)


def forward_order(plan: Plan, goal: str | None) -> list[Group]:
    """Groups that lead to the goal, farthest first; then the others, which may read them."""
    far = distances(plan, goal)
    to_any: dict[Group, int] = {}
    of_group = {e: g for g in plan.groups for e in g.equations}
    for g in reversed(plan.groups):
        to_any.setdefault(g, 0)
        for e in g.equations:
            for b in plan.below[e]:
                if of_group[b] is not g:
                    to_any[of_group[b]] = max(to_any.get(of_group[b], 0), to_any[g] + 1)

    def key(g: Group):
        lead = min(g.equations, key=lambda e: (natural(e.target), first_element(e)))
        reaches = lead in far
        return (not reaches, -(far[lead] if reaches else to_any[g]), natural(lead.target), first_element(lead))

    return sorted(plan.groups, key=key)


def backward_order(plan: Plan, goal: str) -> list[Group]:
    """Groups that lead to the goal, nearest first."""
    far = distances(plan, goal)

    def key(g: Group):
        lead = min(g.equations, key=lambda e: (natural(e.target), first_element(e)))
        return (far[lead], natural(lead.target), first_element(lead))

    return sorted((g for g in plan.groups if g.equations[0] in far), key=key)
