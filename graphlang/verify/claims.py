"""Claims: lines of a derivation, graded.

A claim is judged by normal form, then at random points, then at the program's own point (`points.py`).
"""

from __future__ import annotations

import math
from typing import Iterator, NamedTuple

from graphlang.derive.simplify import fold, tidy
from graphlang.diagnostics import Diagnostic, GraphError
from graphlang.engines import ball
from graphlang.engines.reference import evaluate
from graphlang.engines.tape import TooLarge
from graphlang.graph.coverage import check_expression
from graphlang.graph.expressions import Expr, Index, Number, Read, reads
from graphlang.graph.gathers import gathered, gathers
from graphlang.graph.graph import Binding, Graph, Range, layout_at, meets
from graphlang.graph.spell import text
from graphlang.graph.substitute import substitute
from graphlang.graph.values import Problem, Scope
from graphlang.query import lowering_for, with_derivatives
from graphlang.run import FAILS, HERE_ONLY, HOLDS, NOT_JUDGED, Verdict
from graphlang.syntax import ast
from graphlang.verify.expect import both_sides, statement_text
from graphlang.verify.normal import same
from graphlang.verify.points import TRIES, Point, Points, Values
from graphlang.verify.slips import exchanged, slip

EMPTY = "its range is empty, so it says nothing"
LONGEST = 2000    # characters of a formula
CLOSE = 1e-8      # two sides in float64 that differ by less, relative to the larger, agree: rounding of a few hundred steps
FLOOR = 1e-11     # and by less than this in units of the largest value of the point: what cancellation may leave
MOST_EXACT = 1000 # elements of a program that is evaluated without rounding too
PRECISIONS = (200, 800, 3200)  # in bits, tried in turn
ROUNDED = 1e-11   # what differs by less, relatively, is the rounding of numbers that are written in a claim, such as 0.3
MISFITS = ("E201", "E202", "E204", "E205", "E210", "E222")  # a side that cannot be what the other is: the claim is wrong


class Lowered(NamedTuple):
    claim: ast.Claim
    left: Expr
    right: Expr
    over: tuple[Binding, ...]


def judge(graph: Graph, own: Values | None) -> list[Verdict]:
    """A verdict for each claim of a program. `own`: the values of its leaves, where they have some.

    Raises GraphError for a claim that cannot be understood.
    """
    if not graph.claims:
        return []
    if graph.dims and graph.again is not None:
        return judge_sizes(graph)
    lowering = lowering_for(graph)
    verdicts: dict[int, Verdict] = {}
    lowered: list[Lowered] = []
    found: list[Diagnostic] = []
    for s in graph.claims:
        try:
            lowering.layout = layout_at(graph.layouts, s.span.start)
            lowered.append(Lowered(s, *both_sides(lowering, s)))
        except Problem as p:
            if p.diagnostic.code not in MISFITS:
                found.append(p.diagnostic)
                continue
            verdicts[id(s)] = _misfit(graph, s, p.diagnostic, transposed(graph, lowering, s))
    if found:
        raise GraphError(found, graph.source)
    fuller = with_derivatives(graph, lowering)
    judging = Judging(fuller, own, lowered)
    for one in lowered:
        try:
            ranges = judging.ranges
            check_expression(one.left, one.over, ranges, one.claim.left.span)
            check_expression(one.right, one.over, ranges, one.claim.right.span)
            verdicts[id(one.claim)] = judging.verdict(one)
        except Problem as p:
            verdicts[id(one.claim)] = _misfit(graph, one.claim, p.diagnostic, swapped=judging.fits_exchanged(one))
        except TooLarge:
            verdicts[id(one.claim)] = Verdict(statement_text(graph.source, one.claim), NOT_JUDGED, note="it would take too long", span=one.claim.span)
    return [verdicts[id(s)] for s in graph.claims]


def judge_sizes(graph: Graph) -> list[Verdict]:
    """Where sizes are symbolic: with numbers that all differ, which no shape that is wrong survives; what does not fit then
    is tried again with all sizes equal, where only its values can tell."""
    for least in (2, 5, 8):  # large enough for every range to have elements
        different = {n: float(k) for n, k in zip(graph.dims, range(least, least + len(graph.dims)))}
        first = judge(graph.again(different), None)
        if not any(v.note == EMPTY for v in first):
            break
    equal = dict.fromkeys(graph.dims, 3.0)
    said = ", ".join(f"{n} = {int(k)}" for n, k in different.items())
    out = []
    second: list[Verdict] | None = None
    for k, v in enumerate(first):
        if v.verdict == FAILS and not v.by and len(graph.dims) > 1:
            second = judge(graph.again(equal), None) if second is None else second
            other = second[k]
            value = "it fits, and its value is wrong" if other.verdict == FAILS and other.by else "it holds" if other.ok else "it does not fit either"
            v = v._replace(note=f"{v.note} (with {said}); with all sizes 3 {value}")
        elif v.verdict == FAILS:
            v = v._replace(note=f"with {said}" + (f"; {v.note}" if v.note else ""))
        out.append(v._replace(text=statement_text(graph.source, graph.claims[k])))
    return out


def transposed(graph: Graph, lowering, s: ast.Claim) -> bool:
    """Whether the right side, by itself, is a table over the ranges of the left side in the other order."""
    try:
        scope, _ = lowering.bind(s.binders, Scope(), s.left, None)
        left, right = lowering.lower(s.left, scope), lowering.lower(s.right, scope)
    except Problem:
        return False
    return left.ranges == right.ranges[::-1] and (len(left.ranges) == 2 or left.row != right.row)


def _misfit(graph: Graph, s: ast.Claim, d: Diagnostic, turned: bool = False, swapped: str = "") -> Verdict:
    unfit = d.code in ("E201", "E202", "E210") or (d.code == "E222" and len(s.binders) > 1)
    slip = ("it is transposed" if turned else f"the indices of `{swapped}` are swapped" if swapped else
            "the ranges do not fit: is something transposed, or are two indices swapped?" if unfit else "")
    return Verdict(statement_text(graph.source, s), FAILS, note=d.message + (f": {d.text}" if d.text else ""), span=s.span, slip=slip)


class Judging:
    """The claims of a program and the points at which they are looked at."""

    def __init__(self, graph: Graph, own: Values | None, lowered: list[Lowered]):
        self.graph = graph
        self.ranges = {n: v.ranges for n, v in graph.variables.items()}
        self.points = Points(graph, own, gathers(graph).union(*(gathered(side) for one in lowered for side in (one.left, one.right))))

    def operands(self, one: Lowered) -> tuple[str, ...]:
        """For claims about local derivatives: the variables that the equations of u read."""
        asked = [a for n, a in self.graph.asked.items() if a.partial and n in _names(one)]
        names = dict.fromkeys(r.name for a in asked for e in self.graph.pieces.get(a.of, ()) for r in reads(e.value))  # in their order: same bits
        return tuple(n for n in names if not self.graph.variables[n].is_leaf and n not in {a.of for a in asked})

    def verdict(self, one: Lowered) -> Verdict:
        if any(b.range.extent == 0 for b in one.over):
            return Verdict(statement_text(self.graph.source, one.claim), NOT_JUDGED, note=EMPTY, span=one.claim.span)
        base = Verdict(statement_text(self.graph.source, one.claim), HOLDS, span=one.claim.span)
        if self.by_normal_form(one):
            return base._replace(by="normal form")
        targets = _names(one)
        own = self.points.own(targets)
        if own is not None and not self.finite(one, own):
            own = None
        at_own = None if own is None else self.compare(one, own)
        points, failed = [], None
        for p in self.points.random(targets, self.operands(one), lambda p: self.finite(one, p)):
            points.append(p)
            if failed is None and (bad := self.compare(one, p)) is not None:
                failed = (p, bad)
        if not points:
            if at_own is not None and own is not None:
                return self.failing(base, one, own, at_own, [own])
            return base._replace(verdict=NOT_JUDGED, note=f"no point was found in {TRIES:,} tries at which both sides are finite")
        if failed is None and at_own is None:
            return base._replace(by="ball arithmetic" if points[-1].balls else "random points")
        if at_own is not None and own is not None:
            return self.failing(base, one, own, at_own, points)
        p, bad = failed
        made = self.failing(base, one, p, bad, points)
        return made._replace(verdict=HERE_ONLY, note="true at the program's own point, false in general") if own is not None else made

    def by_normal_form(self, one: Lowered) -> bool:
        return any(same(a, b) for a in _definitions(self.graph, one.left) for b in _definitions(self.graph, one.right))

    def fits_exchanged(self, one: Lowered) -> str:
        """A table of the right side that stays inside of its ranges once its two subscripts are exchanged."""
        for name, other in exchanged(one.right):
            try:
                check_expression(other, one.over, self.ranges, one.claim.right.span)
                return name
            except Problem:
                continue
        return ""

    def finite(self, one: Lowered, p: Point) -> bool:
        """Whether both sides have a value at a point."""
        return all(map(math.isfinite, (x for side in self.sides(one, p) for x in side)))

    def exactly(self, one: Lowered, p: Point) -> int | None:
        """The first element at which the sides differ when nothing is rounded, -1 where they agree; None where that is not
        installed, would take long, or nothing is known. Digits that are lost on the way are had with more precision."""
        if not ball.available() or sum(self.graph.variables[n].size for n in p.part.names) > MOST_EXACT:
            return None
        for bits in PRECISIONS:
            with ball.working(bits):
                sides = [evaluate(e, one.over, p.certain(bits), self.ranges, ball.arithmetic()) for e in (one.left, one.right)]
                found = [ball.differ(a, b, ROUNDED) for a, b in zip(*sides)]
                known = all(ball.finite(x) for side in sides for x in side)
            if True in found:
                return found.index(True)
            if None not in found:
                return -1
        return -1 if known else None  # two numbers that cannot be told apart: such as 0, in two ways

    def sides(self, one: Lowered, p: Point) -> tuple[list[float], list[float]]:
        left, right = (evaluate(e, one.over, p.values, self.ranges) for e in (one.left, one.right))
        return left, right

    def compare(self, one: Lowered, p: Point) -> int | None:
        """The first element at which the two sides differ."""
        found = self.exactly(one, p)
        if found is not None:
            return None if found < 0 else found
        return next((k for k, (a, b) in enumerate(zip(*self.sides(one, p))) if not agree(a, b, p.scale)), None)

    def failing(self, base: Verdict, one: Lowered, p: Point, k: int, points: list[Point]) -> Verdict:
        lefts, rights = self.sides(one, p)
        at, rest = {}, k
        for b in reversed(one.over):
            at[b.index] = rest % b.range.extent + b.range.low
            rest //= b.range.extent
        at = dict(reversed(at.items()))
        many = [x for x in points if x is not p] + [p]
        pairs = [self.sides(one, x) for x in many]
        kind = slip(self.graph, one.left, one.right, one.over, at, [x.values for x in many], [(a[k], b[k]) for a, b in pairs],
                    [(a, b) for a, b in pairs], self.ranges)
        return base._replace(verdict=FAILS, by="the program's own point" if p.own else "random points", at=at, left=lefts[k], right=rights[k],
                       point="" if p.own else self.described(p), slip=kind, right_form=right_form(self.graph, one.left, one.over))

    def described(self, p: Point) -> str:
        shown = [f"{n} = {p.values[n][0]:.6g}" for n in p.drawn or self.points.free if not self.graph.variables[n].ranges][:4]
        return "a random point" + (", " + ", ".join(shown) if shown else "")


def agree(a: float, b: float, scale: float) -> bool:
    if not (math.isfinite(a) and math.isfinite(b)):
        return a == b or (a != a and b != b)
    return abs(a - b) <= CLOSE * max(abs(a), abs(b)) + FLOOR * scale


def _names(one: Lowered) -> set[str]:
    return {r.name for side in (one.left, one.right) for r in reads(side)}


def _definitions(graph: Graph, side: Expr) -> Iterator[Expr]:
    """A side as it is written and, where it is one derivative, as that is defined and as it is shown."""
    yield side
    pieces = graph.pieces.get(side.name, ()) if type(side) is Read else ()
    if len(pieces) == 1 and side.name in graph.asked:
        (e,) = pieces
        put = {s.name: a for s, a in zip(e.subs, side.args) if type(s) is Index}
        if len(put) == len(side.args):
            yield substitute(e.value, put)
            shown = graph.pool.shown.get((e.target, e.subs))
            if shown is not None:
                yield substitute(shown, put)


def right_form(graph: Graph, left: Expr, over: tuple[Binding, ...]) -> str:
    """The formula of a side that is one derivative, in the claim's own indices; a line for each piece that the claim is about."""
    if type(left) is not Read:
        return ""
    ranges, out = dict(over), []
    for e in graph.pieces.get(left.name, ()):
        box = [ranges.get(a.name, r) if type(a) is Index else Range(int(a.value), int(a.value)) if type(a) is Number else r for a, r in zip(left.args, e.box)]
        if not meets(tuple(box), e.box):
            continue
        put = {s.name: a for s, a in zip(e.subs, left.args) if type(s) is Index}
        at = tuple(s if type(s) is Number else a for s, a in zip(e.subs, left.args))
        shown = graph.pool.shown.get((e.target, e.subs), e.value)
        out.append(f"{text(graph.pool.read(left.name, at), LONGEST)} = {text(tidy(fold(substitute(shown, put))), LONGEST) or 'a long formula'}")
    return "; ".join(out)
