"""What kind of mistake a wrong line of a derivation looks like.

The true value of the left side and what the line says are compared at many points: a mistake of sign, a factor or a
path that is missing, indices that are swapped leave their mark at all of them.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import reduce
from itertools import combinations
from typing import Callable, Iterator, Mapping, Sequence

from graphlang.derive.simplify import factors_of, fold, product
from graphlang.diagnostics import NOWHERE
from graphlang.engines.reference import evaluate
from graphlang.graph.coverage import check_expression
from graphlang.graph.expressions import Call, Expr, Index, Number, Pick, Read, Reduce, postorder, rebuild, transform
from graphlang.graph.graph import Binding, Box, Graph, Range
from graphlang.graph.spell import text
from graphlang.graph.substitute import substitute
from graphlang.graph.values import Problem

MOST_FACTORS = 6  # of a product, of which all part products are tried
MOST_PARTS = 60   # subexpressions that are tried
LONGEST = 200     # characters of a part that is shown
NEAR = 1e-7       # relative: two numbers that are the same but for rounding

Pairs = Sequence[tuple[float, float]]  # (true value, what the line says) at each point


def slip(graph: Graph, left: Expr, right: Expr, over: tuple[Binding, ...], at: Mapping[str, int], points: Sequence[Mapping[str, list[float]]],
         pairs: Pairs, tables: Sequence[tuple[list[float], list[float]]], ranges: Mapping[str, Box]) -> str:
    """A short sentence, or nothing where no simple mistake fits. `pairs` are of the element where the line fails."""
    if len(pairs) < 3:
        return ""
    if everywhere(pairs, lambda a, b: b, lambda a, b: -a):
        return "the sign is wrong"
    if transposed(over, tables):
        return "it is transposed: the two indices are swapped"
    factor = constant_factor(pairs)
    if factor is not None:
        return f"it is {factor} times what it should be"
    definition = defined(graph, left, at)
    fixed = {name: graph.pool.number(k) for name, k in at.items()}
    swapped = next((n for n, other in exchanged(right) if reads_right(other, over, at, points, pairs, ranges)), None)
    if swapped:
        return f"the indices of `{swapped}` are swapped"
    terms = list(addends(definition, fixed))
    inner = [part for term in terms for part in spread(term)]
    for term, values in evaluated([*terms, *inner], points, ranges):
        if matches(pairs, values, lambda a, b, f: (b + f, a)):
            return f"a {'path' if term in terms else 'term'} is missing: {'the term ' if term in terms else ''}{quoted(term)}"
        if matches(pairs, values, lambda a, b, f: (b + 2 * f, a)):
            return f"a term has the wrong sign: {quoted(term)}"
        for part, factor in evaluated(partial_products(term), points, ranges):
            if matches(pairs, [t - t / f if f else math.nan for t, f in zip(values, factor)], lambda a, b, f: (b + f, a)):
                return f"the factor {quoted(part)} is missing" + ("" if len(terms) == 1 else f" in the term {quoted(term)}")
    for part, values in evaluated(named_parts(definition, fixed), points, ranges):
        if matches(pairs, values, lambda a, b, f: (b * f, a)):
            return f"the factor {quoted(part)} is missing"
    for part, values in evaluated(named_parts(substitute(right, fixed), {}), points, ranges):
        if matches(pairs, values, lambda a, b, f: (b, a * f)):
            return f"the factor {quoted(part)} is too much"
        if matches(pairs, values, lambda a, b, f: (b - f, a)):
            return f"the term {quoted(part)} is too much"
        if matches(pairs, values, lambda a, b, f: (b, a * f * f)):
            return f"the factor {quoted(part)} stands above the line instead of below, or the other way round"
    for term, values in evaluated(summands(definition, fixed), points, ranges):
        if matches(pairs, values, lambda a, b, f: (b, f)):
            return "the sum over the paths is missing: this is one of them"
    for old, new, other in shifted(substitute(right, fixed)):
        if reads_right(other, (), {}, points, pairs, ranges):
            return f"an index is off: `{text(old)}` should be `{text(new)}`"
    return ""


def quoted(part: Expr) -> str:
    words = text(part, LONGEST)
    return f"`{words}`" if words else "(too long to show)"


def close(a: float, b: float) -> bool:
    return math.isfinite(a) and math.isfinite(b) and abs(a - b) <= NEAR * max(abs(a), abs(b), 1e-300)


def everywhere(pairs: Pairs, one: Callable, other: Callable) -> bool:
    """Two functions of the pair agree at every point, and not because all is 0."""
    return all(close(one(a, b), other(a, b)) for a, b in pairs) and any(a or b for a, b in pairs)


def matches(pairs: Pairs, values: Sequence[float], compare: Callable) -> bool:
    return all(close(*compare(a, b, f)) for (a, b), f in zip(pairs, values)) and any(a or b for a, b in pairs)


def transposed(over: tuple[Binding, ...], tables: Sequence[tuple[list[float], list[float]]]) -> bool:
    if len(over) != 2 or over[0].range.extent != over[1].range.extent or over[0].range.extent < 2:
        return False
    n = over[0].range.extent
    return all(close(b[i * n + k], a[k * n + i]) or b[i * n + k] == a[k * n + i] for a, b in tables for i in range(n) for k in range(n))


def factor_value(pairs: Pairs) -> float:
    return next((b / a for a, b in pairs if a), 0.0)


def exchanged(right: Expr) -> Iterator[tuple[str, Expr]]:
    """The right side with the two subscripts of one table exchanged."""
    for name in dict.fromkeys(n.name for n in postorder(right) if type(n) is Read and len(n.args) == 2):
        yield name, transform(right, lambda node, args: right.pool.read(name, args[::-1]) if type(node) is Read and node.name == name else rebuild(node, args))


def reads_right(side: Expr, over, at, points, pairs: Pairs, ranges) -> bool:
    """Whether a side has the true value at the element, at every point."""
    here = tuple(Binding(b.index, Range(at[b.index], at[b.index])) for b in over)
    try:
        check_expression(side, here, ranges, NOWHERE)
    except Problem:
        return False
    return matches(pairs, [evaluate(side, here, v, ranges)[0] for v in points], lambda a, b, f: (f, a))


def constant_factor(pairs: Pairs) -> str | None:
    """The same ratio at every point, where it is a simple number: 2, 1/2, -3/4, …"""
    ratio = factor_value(pairs)
    if not ratio or not math.isfinite(ratio) or not everywhere(pairs, lambda a, b: b, lambda a, b: ratio * a):
        return None
    simple = Fraction(ratio).limit_denominator(12)
    if simple.numerator == 0 or abs(simple.numerator) > 100 or not close(ratio, float(simple)):
        return None
    return str(simple)


def defined(graph: Graph, side: Expr, at: Mapping[str, int]) -> Expr:
    """The formula of a side that is one derivative, in the form that is read and of the piece that the element is in; else
    the side itself."""
    if type(side) is not Read or side.name not in graph.asked:
        return side
    for e in graph.pieces.get(side.name, ()):
        element = [int(s.value) if type(s) is Number else at.get(getattr(s, "name", None)) for s in side.args]
        if any(k is not None and not r.low <= k <= r.high for k, r in zip(element, e.box)):
            continue
        put = {s.name: a for s, a in zip(e.subs, side.args) if type(s) is Index}
        return substitute(graph.pool.shown.get((e.target, e.subs), e.value), put)
    return side


def addends(root: Expr, fixed: Mapping[str, Expr]) -> Iterator[Expr]:
    """The terms of a sum, each with its sign."""
    stack = [(fold(substitute(root, fixed)), 1)]
    found = 0
    while stack and found < MOST_PARTS:
        node, sign = stack.pop()
        if type(node) is Call and node.function in ("+", "-"):
            stack += [(node.args[1], sign if node.function == "+" else -sign), (node.args[0], sign)]
        elif type(node) is Call and node.function == "neg":
            stack.append((node.args[0], -sign))
        else:
            found += 1
            yield node if sign > 0 else -node


def summands(root: Expr, fixed: Mapping[str, Expr]) -> Iterator[Expr]:
    """The terms of a sum over one index."""
    node = substitute(root, fixed)
    if type(node) is not Reduce or node.function != "sum" or len(node.binders) != 1:
        return
    (b,) = node.binders
    if type(b.low) is Number and type(b.high) is Number:
        for k in range(int(b.low.value), min(int(b.high.value), int(b.low.value) + MOST_PARTS) + 1):
            yield fold(substitute(node.body, {b.index: node.pool.number(k)}))


def shifted(right: Expr) -> Iterator[tuple[Expr, Expr, Expr]]:
    """The right side with one subscript of one read moved up or down by one: the read, what it becomes, the whole."""
    pool = right.pool
    for read in [n for n in postorder(right) if type(n) is Read and n.args][:MOST_FACTORS]:
        for place in range(len(read.args)):
            for step in (-1, 1):
                moved = fold(pool.add(read.args[place], pool.number(step)))
                new = pool.read(read.name, (*read.args[:place], moved, *read.args[place + 1 :]))
                yield read, new, transform(right, lambda node, args: new if node is read else rebuild(node, args)) if read is not right else new


def partial_products(term: Expr) -> Iterator[Expr]:
    """The factors of a product, and products of some of them; what is divided by counts as a factor 1/v."""
    pool, taken = term.pool, factors_of(term)
    number = [pool.number(taken.above / taken.below)] if taken.above != taken.below else []
    single = [*number, *taken.factors, *(pool.call("/", pool.one, d) for d in taken.divisors)]
    if not 2 <= len(single) <= MOST_FACTORS:
        return
    for n in range(1, len(single)):
        for some in combinations(single, n):
            yield reduce(lambda a, b: a * b, some)


def spread(term: Expr) -> Iterator[Expr]:
    """A product with a sum in it as the products with each of its terms."""
    pool, taken = term.pool, factors_of(term)
    inside = next((f for f in taken.factors if type(f) is Call and f.function in ("+", "-")), None)
    if inside is None:
        return
    for part in addends(inside, {}):
        yield product(pool, factors_of(product(pool, taken._replace(factors=tuple(part if f is inside else f for f in taken.factors)))))


def named_parts(root: Expr, fixed: Mapping[str, Expr]) -> Iterator[Expr]:
    """The subexpressions that have a value at the element, largest last."""
    found = 0
    for node in postorder(fold(substitute(root, fixed))):
        if type(node) in (Read, Call, Reduce, Pick) and not node.free and type(node) is not Number:
            found += 1
            if found > MOST_PARTS:
                return
            yield node


def evaluated(parts, points, ranges) -> Iterator[tuple[Expr, list[float]]]:
    for part in parts:
        if part.free or any(n.name not in v for v in points[:1] for n in postorder(part) if type(n) is Read):
            continue
        try:
            check_expression(part, (), ranges, NOWHERE)
        except Problem:  # a part of another element, that has no value here
            continue
        yield part, [evaluate(part, (), v, ranges)[0] for v in points]
