"""The running totals of a pass, each contribution over the elements that it reaches."""

from __future__ import annotations

from typing import NamedTuple

from graphlang.derive.reverse import Contribution
from graphlang.run import Pass, Run, offsets


class Part(NamedTuple):
    """A contribution's value and the total after it, over its box. `alone`: nothing else reaches these elements, so
    that value and total are one; `final`: nothing is added to them later."""

    value: list[float]
    total: list[float]
    alone: bool
    final: bool


class Totals:
    """Worked out for a variable when the first of its contributions is asked for, by the additions of the sweep."""

    def __init__(self, run: Run, p: Pass):
        self.run, self.p = run, p
        self._parts: dict[str, dict[Contribution, Part]] = {}

    def of(self, c: Contribution) -> Part:
        if c.variable not in self._parts:
            self._parts[c.variable] = self._variable(c.variable)
        return self._parts[c.variable][c]

    def seed_offset(self) -> int:
        goal, at = self.p.goal, 0
        for k, r in zip(goal.element or (), self.run.graph.variables[goal.name].ranges):
            at = at * r.extent + k - r.low
        return at

    def _variable(self, name: str) -> dict[Contribution, Part]:
        whole = self.run.graph.variables[name].ranges
        terms = self.p.derivative.incoming[name]
        reached = [offsets(c.box, whole) if whole else [0] for c in terms]
        count: dict[int, int] = {}
        last: dict[int, int] = {}
        total: dict[int, float] = {}
        if name == self.p.goal.name:
            at = self.seed_offset()
            total[at], count[at] = 1.0, 1
        for k, at in enumerate(reached):
            for o in at:
                count[o] = count.get(o, 0) + 1
                last[o] = k
        parts = {}
        for k, (c, at) in enumerate(zip(terms, reached)):
            value = self.p.sweep.parts[c]
            for o, x in zip(at, value):
                total[o] = total[o] + x if o in total else x
            parts[c] = Part(value, [total[o] for o in at], all(count[o] == 1 for o in at), all(last[o] == k for o in at))
        return parts
