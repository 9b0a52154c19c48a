"""Derivatives from the left and from the right of an expression, by one element that it reads.

There is one method, whatever the expression: each comparison that is at its boundary, and each other step, is forced to what
it is on that side, and the equation that is left is differentiated at the point, by the rules that every derivative comes from. Where it
has no value or no derivative there either (sqrt(x^2), sin(x)/x at 0), the derivative is the limit of those beside it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from math import inf, nan
from typing import Mapping

from graphlang.derive.reverse import grouped
from graphlang.engines.blame import value_at
from graphlang.graph.affine import affine
from graphlang.graph.coverage import points
from graphlang.graph.expressions import Call, Expr, Number, rebuild, transform
from graphlang.graph.functions import COMPARISONS, FUNCTIONS
from graphlang.graph.graph import Box, Equation

Element = tuple[str, tuple[int, ...]]  # a variable and the subscripts of one element; none for a scalar

NEAREST, FARTHEST = 50, 8  # steps are 2^-k of the operand, or of 1 where that is 0
MOST_ROUNDS = 8            # of deciding steps
SAME = 1e-9                # relative difference of two values that are taken for one


@dataclass(frozen=True)
class Point:
    """The values of all variables, and where the elements of their tables are."""

    values: Mapping[str, list[float]]
    ranges: Mapping[str, Box]

    def offset(self, element: Element) -> int:
        at = 0
        for k, r in zip(element[1], self.ranges[element[0]]):
            at = at * r.extent + k - r.low
        return at

    def of(self, element: Element) -> float:
        return self.values[element[0]][self.offset(element)]

    def moved(self, element: Element, by: float) -> "Point":
        name, table = element[0], list(self.values[element[0]])
        table[self.offset(element)] += by
        return Point({**self.values, name: table}, self.ranges)

    def step(self, element: Element, k: int) -> float:
        return math.ldexp(abs(self.of(element)) or 1.0, -k)


def value(e: Expr, point: Point) -> float:
    return value_at(e, {}, point.values, point.ranges)[e]


def slope(e: Expr, element: Element, point: Point) -> float:
    """The derivative by one element, by the rules; `e` has no free index."""
    result = "\0"
    here = Point({**point.values, result: [value(e, point)]}, {**point.ranges, result: ()})
    total = 0.0
    for read, loops, local in grouped(Equation(result, (), (), e)):
        if read.name != element[0]:
            continue
        for at in points((), loops):
            if all(_subscript(s, at, here) == k for s, k in zip(read.args, element[1])):
                total += value_at(local, dict(at), here.values, here.ranges)[local]
    return total


def _subscript(s: Expr, at: Mapping[str, int], point: Point) -> float:
    form = affine(s)
    if form is None:
        return value_at(s, dict(at), point.values, point.ranges)[s]
    return form[0] + sum(k * at[n] for n, k in form[1].items())


def one_sided(e: Expr, element: Element, point: Point) -> tuple[float, float]:
    """From the left and from the right; nan where there is none, or none is known."""
    return tuple(_beside(e, element, point, side) for side in (-1, 1))


def _beside(e: Expr, element: Element, point: Point, side: int) -> float:
    forced = e
    for _ in range(MOST_ROUNDS):  # a step that is decided may bring another one to its jump
        found = jumps(forced, point)
        if not found:
            break
        forced = force(forced, {c: settled(c, element, point, side) for c in found})
    here, there = value(e, point), value(forced, point)
    if there != there:
        return _limit(forced, element, point, here, side)
    if abs(there) == inf or abs(there - here) > max(SAME * max(abs(there), abs(here)), 1e-14):
        return _jump(there - here, side)
    there = slope(forced, element, point)
    if there != there or kinked(forced, element, point):
        return _limit(forced, element, point, here, side)
    return there


def _jump(by: float, side: int) -> float:
    return math.copysign(inf, by * side)


def at_jump(step: Call, args: list[float]) -> bool:
    """Whether a function that is constant but for jumps is at one: a comparison where its operands are equal."""
    row = FUNCTIONS[step.function]
    return args[0] == args[1] if step.function in COMPARISONS else row.shown is None and row.kink is not None and row.kink(*args) is not None


def jumps(e: Expr, point: Point) -> list[Call]:
    known = value_at(e, {}, point.values, point.ranges)
    return [n for n in known if type(n) is Call and FUNCTIONS[n.function].shown is None and all(a in known for a in n.args)
            and at_jump(n, [known[a] for a in n.args])]


def settled(step: Call, element: Element, point: Point, side: int) -> float:
    """What a step that is at a jump is on one side of the point: as near to it as makes a difference."""
    before = [value(x, point) for x in step.args]
    for k in range(NEAREST, FARTHEST, -3):
        moved = point.moved(element, side * point.step(element, k))
        args = [value(x, moved) for x in step.args]
        if args[0] != args[1] if len(args) == 2 else args != before:
            return FUNCTIONS[step.function].reference(*args)
    return value(step, point)


def force(e: Expr, known: Mapping[Call, float]) -> Expr:
    """The expression with some steps decided, and the branches that follow from them taken."""

    def change(node: Expr, args: tuple[Expr, ...]) -> Expr:
        if node in known:
            return node.pool.number(known[node])
        if type(node) is Call and node.function == "where" and type(args[0]) is Number:
            return args[1] if args[0].value else args[2]
        return rebuild(node, args)

    return transform(e, change) if known else e


def kinked(e: Expr, element: Element, point: Point) -> bool:
    """Whether a convention stands in for a derivative inside of `e`: then its slope is that of no side."""
    known = value_at(e, {}, point.values, point.ranges)
    return any(type(n) is Call and (row := FUNCTIONS[n.function]).kink is not None and all(a in known for a in n.args)
               and row.kink(*(known[a] for a in n.args)) is not None for n in known)


def _limit(e: Expr, element: Element, point: Point, here: float, side: int) -> float:
    """The limit of the derivatives beside a point where there is none, to 7 digits; nan where it cannot be told."""
    if not math.isfinite(point.of(element)) or not math.isfinite(here):
        return nan
    near = [point.moved(element, side * point.step(element, k)) for k in (24, 40)]
    values = [value(e, p) for p in near]
    if any(v != v for v in values):
        return nan
    if abs(values[1] - here) > 1e-6 and abs(values[1] - here) > 0.5 * abs(values[0] - here):
        return _jump(values[1] - here, side)
    slopes = [slope(e, element, point.moved(element, side * point.step(element, k))) for k in range(4, 13)]
    if any(s != s for s in slopes):
        return nan
    if any(abs(s) == inf for s in slopes) or all(abs(b) > 1.2 * abs(a) and a * b > 0 for a, b in zip(slopes, slopes[1:])):
        return math.copysign(inf, slopes[-1])
    far, near_by = _extrapolated(slopes[:6]), _extrapolated(slopes[5:])
    if abs(far - near_by) > 1e-5 * max(1.0, abs(far)):
        return nan
    return float(f"{far:.7g}") if abs(far) > 1e-9 else 0.0


def _extrapolated(slopes: list[float]) -> float:
    """To step 0, from steps each half of the one before (Richardson). Few and wide ones: nearer to a removable point the
    slopes lose digits."""
    order = 1.0
    while len(slopes) > 1:
        order *= 2
        slopes = [(order * b - a) / (order - 1) for a, b in zip(slopes, slopes[1:])]
    return slopes[0]
