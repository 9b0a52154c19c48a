"""The cells of a quiz: the value of each node and each adjoint, with the equation that makes it of other cells.

The equations are those of the graph and of the contributions of its backward pass, in the grain of tables: one number a cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

from graphlang.derive.reverse import adjoint_graph
from graphlang.graph.derived import derivative_name
from graphlang.graph.expressions import Number, Read, reads
from graphlang.graph.graph import Equation, Graph
from graphlang.graph.order import forward_order, plan
from graphlang.graph.values import Problem, Scope
from graphlang.quiz.model import Blank, Part, Quiz, Sheet
from graphlang.quiz.own_mistakes import OwnMistakes
from graphlang.quiz.prepared import Prepared, prepared


def order(sheet: Sheet, quiz: Quiz) -> list[tuple[Part, Blank]]:
    """The blanks of a sheet in the order of the working: of a table as it says, of a question along the graph."""
    place = cells_of(quiz).place
    out = []
    for part in sheet.parts:
        said = {id: k for k, id in enumerate(part.order)}
        if part.rows:
            own = sorted(part.blanks, key=lambda b: said.get(b.id, len(said)))
        else:
            own = sorted(part.blanks, key=lambda b: (place.get(b.id, -1), said.get(b.id, len(said))))
        out += [(part, b) for b in own]
    return out


@lru_cache(maxsize=64)
def cells_of(quiz: Quiz) -> "Cells":
    return Cells(prepared(quiz))


@dataclass(eq=False)
class Cells:
    """The cells of a quiz: the equation of each from others, for all variants."""

    prepared: Prepared

    @cached_property
    def graph(self) -> Graph:
        return self.prepared.shown

    @cached_property
    def derivatives(self) -> tuple:
        return tuple(self.prepared._passes[id(self.graph)][2])

    @cached_property
    def of(self) -> dict[str, str]:
        """The cell of each blank, by the blank's id; none for what is no single value or adjoint."""
        out, lowering, adjoints = {}, self.prepared.lowering, {d.goal.name for d in self.derivatives}
        for w in self.prepared.wanted:
            try:
                read = lowering.scalar(w.shown, Scope())
            except Problem:
                continue
            if type(read) is not Read or any(type(a) is not Number for a in read.args):
                continue
            at = ",".join(str(int(a.value)) for a in read.args)
            asked = lowering.asked.get(read.name)
            if asked is None:
                name = f"{read.name}[{at}]" if at else read.name
                if name in self.equations:
                    out[w.id] = name
            elif not asked.partial:
                goal = f"{asked.of}[{','.join(map(str, asked.element))}]" if asked.element is not None else asked.of
                if goal in adjoints:
                    out[w.id] = derivative_name(self.graph.pool, goal, f"{asked.wrt}[{at}]" if at else asked.wrt)
        return out

    @cached_property
    def equations(self) -> dict[str, Equation]:
        """Every cell that is computed, the values first, each from cells before it."""
        out = {e.target: e for group in forward_order(plan(self.graph), None) for e in group.equations}
        for d in self.derivatives:
            whole = adjoint_graph(d)
            made = {e.target: e for e in whole.equations[len(self.graph.equations):]}
            out |= {d.adjoint_name(v): made[d.adjoint_name(v)] for v in d.variables if d.adjoint_name(v) in made}
        return out

    @cached_property
    def place(self) -> dict[str, int]:
        """Of each blank with a cell where it comes in the working."""
        at = {cell: k for k, cell in enumerate(self.equations)}
        return {id: at[cell] for id, cell in self.of.items() if cell in at}

    @cached_property
    def ways(self) -> dict[tuple, tuple[Equation, ...]]:
        return {}

    def way(self, target: str, fixed: frozenset[str] | None) -> tuple[Equation, ...]:
        """The equations that lead from some cells to another, in their order; of what does not depend on them none. None: from all other cells."""
        if fixed is None:
            return (self.equations[target],) if target in self.equations else ()
        key = target, fixed
        if key not in self.ways:
            self.ways[key] = self._way(target, fixed)
        return self.ways[key]

    def _way(self, target: str, fixed: frozenset[str]) -> tuple[Equation, ...]:
        moving, out = set(fixed), []
        for cell, e in self.equations.items():
            if (cell == target or cell not in fixed) and not moving.isdisjoint(r.name for r in reads(e.value)):
                moving.add(cell)
                out.append(e)
            if cell == target:
                break
        needed, kept = {target}, []
        for e in reversed(out):
            if e.target in needed:
                kept.append(e)
                needed |= {r.name for r in reads(e.value)} - fixed
        return tuple(reversed(kept))

    def reads(self, target: str, fixed: frozenset[str] | None) -> set[str]:
        """The cells that another one is computed from on that way."""
        return {r.name for e in self.way(target, fixed) for r in reads(e.value)}

    @cached_property
    def mistakes(self) -> OwnMistakes:
        return OwnMistakes(self.graph, tuple(d.goal for d in self.derivatives))
