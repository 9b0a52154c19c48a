"""Why an adjoint is not finite: the first contribution at fault on the way back, and which of its factors."""

from __future__ import annotations

import math
from typing import Mapping, NamedTuple

from graphlang.derive.reverse import Contribution, Derivative, local
from graphlang.diagnostics import Diagnostic, NOWHERE
from graphlang.engines.blame import number, operand_values, operands_finite, origins, stable_spellings
from graphlang.engines.reference import Backward, offset_of
from graphlang.engines.tape import Tape
from graphlang.graph.coverage import interval, points
from graphlang.graph.expressions import Expr, Index
from graphlang.graph.graph import Box, Graph
from graphlang.graph.spell import text
from graphlang.graph.substitute import substitute

Element = tuple[str, tuple[int, ...]]


class Fault(NamedTuple):
    """One product of an adjoint and a local derivative that is not finite: which element's, and at which indices."""

    contribution: Contribution
    element: Element
    at: dict[str, int]
    upstream: float
    local: float

    @property
    def read(self) -> str:
        return spelled(self.element)

    @property
    def source(self) -> str:
        e = self.contribution.source
        return spelled((e.target, tuple(self.at[s.name] if type(s) is Index else int(s.value) for s in e.subs)))


def spelled(element: Element) -> str:
    name, subs = element
    return f"{name}[{','.join(map(str, subs))}]" if subs else name


def element_at(name: str, box: Box, offset: int) -> Element:
    subs = []
    for r in reversed(box):
        subs.append(offset % r.extent + r.low)
        offset //= r.extent
    return name, tuple(reversed(subs))


def first_fault(derivative: Derivative, sweep: Backward, values) -> tuple[str, int, Fault | None] | None:
    """The first adjoint, nearest to the goal first, that is not finite although all that it is made of is: its variable,
    its place in the table, and the product at fault (None: the sum of finite ones is too large)."""
    ranges = _ranges(derivative.graph)
    first = None
    for name in derivative.variables:
        offset = next((k for k, x in enumerate(sweep.adjoints[name]) if not math.isfinite(x)), None)
        if offset is None:
            continue
        first = first or (name, offset, None)
        only_sums = True
        for c in derivative.incoming.get(name, ()):
            if all(map(math.isfinite, sweep.parts.get(c, ()))):
                continue
            only_sums = False
            found = fault(derivative, c, sweep, values)
            if found is not None and operands_finite(c.source, found.at, values, ranges):
                return name, offset_of([derivative.graph.pool.number(k) for k in found.element[1]], ranges[name], {}), found
        if only_sums:
            return name, offset, None
    return first if all(all(map(math.isfinite, table)) for table in values.values()) else None


def fault(derivative: Derivative, c: Contribution, sweep: Backward, values) -> Fault | None:
    """The first product of a contribution that is not finite though the adjoint in it is."""
    ranges = _ranges(derivative.graph)
    over = dict(c.source.bindings)
    for b in c.loops:
        over[b.index] = interval(b, over)
    tape = Tape(values, ranges, over)
    register = tape.place(c.computed)
    subs = [tape.place(s) for s in c.read.args]
    adjoint = sweep.adjoints[c.source.target]
    for at in points(c.source.bindings, c.loops):
        upstream = adjoint[offset_of(c.source.subs, ranges[c.source.target], at)]
        if not math.isfinite(upstream):
            continue
        for name, k in at.items():
            tape.registers[tape.index_register(name)] = k
        tape.run()
        local = tape.registers[register]
        element = [tape.registers[r] for r in subs]
        if not math.isfinite(upstream * local) and all(map(math.isfinite, element)):
            return Fault(c, (c.variable, tuple(map(int, element))), dict(at), upstream, local)
    return None


def _ranges(graph: Graph) -> Mapping[str, Box]:
    return {n: v.ranges for n, v in graph.variables.items()}


# ---- what to say


def explain_adjoint(derivative: Derivative, name: str, offset: int, found: Fault | None, sweep: Backward, values) -> Diagnostic:
    """The diagnostic for an adjoint that is not finite although all values are."""
    graph = derivative.graph
    v = graph.variables[name]
    wrt = f"d{derivative.goal}/d{spelled(element_at(name, v.ranges, offset))}"
    ieee = "`--ieee` carries inf and nan on instead of stopping"
    if found is None:
        return Diagnostic("E504", f"`{wrt}` is not finite: its contributions add up to a number that is too large for a float64", v.span or NOWHERE, "", (), (ieee,))
    c, ranges = found.contribution, _ranges(graph)
    if math.isfinite(found.local):
        why = f"the product of `d{derivative.goal}/d{found.source}` and the local derivative is too large for a float64"
    else:
        why = f"the derivative of `{found.source}` by `{found.read}` has no finite value here"
    hints = (*stable_spellings(c.source.value, c.read, found.at, values, ranges), ieee)
    return Diagnostic("E504", f"`{wrt}` is not finite: {why}", c.source.span, _factors(derivative, found, values), (), hints,
                      tuple(origins(graph, c.source, found.at, values, ranges)))


def _factors(derivative: Derivative, found: Fault, values) -> str:
    """Both factors with their values: `dJ/du = 1, local derivative 1/(2*sqrt(v)) = inf at v = 0`."""
    shown = _local(found)
    formula = text(shown, 80)
    at = [f"{n} = {number(x)}" for n, x in operand_values(shown, {}, values, _ranges(derivative.graph))] if not shown.free else []
    where = f" at {', '.join(at)}" if 0 < len(at) <= 3 else ""
    return f"d{derivative.goal}/d{found.source} = {number(found.upstream)}, local derivative {f'{formula} ' if formula else ''}= {number(found.local)}{where}"


def _local(found: Fault) -> Expr:
    """The local derivative as it is shown, at the indices of the fault."""
    c = found.contribution
    shown = local(c)
    put = {s.name: k for s, k in zip(c.at, found.element[1]) if type(s) is Index}
    put |= {b.index: found.at[b.index] for b in c.summed if b.index in found.at}
    return substitute(shown, {n: shown.pool.number(k) for n, k in put.items()})
