"""Tidying of local derivatives for the eye, and nothing beyond that.

Constants fold, 0 and 1 disappear, signs move to the front, numbers come first, a product of quotients becomes one
quotient. What the author wrote (the `atoms`) is kept as it is, except that its factors join a product.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from graphlang.graph.expressions import Bound, Call, Expr, Number, Pool, Reduce, operands, rebuild, transform
from graphlang.graph.functions import COMPARISONS, FUNCTIONS
from graphlang.graph.sizes import symbolic


MOST_FACTORS = 100  # taken apart; a shared square of a square of … has more than could be written


class Product(NamedTuple):
    """coefficient · above / below, with whole coefficients kept apart as above/below numbers."""

    sign: int
    above: float
    below: float
    factors: tuple[Expr, ...]
    divisors: tuple[Expr, ...]


def factors_of(root: Expr, together: bool = False) -> Product:
    """A product or quotient taken apart, through nested products, quotients and signs. `together`: a number that stands before
    a factor brings it along past functions when it comes first: cos(x²)·2x is 2x·cos(x²), not 2·cos(x²)·x."""
    sign, above, below = 1, 1.0, 1.0
    factors: list[Expr] = []
    divisors: list[Expr] = []
    work: list[tuple[Expr, bool]] = [(root, True)]
    while work:
        node, up = work.pop()
        if len(factors) + len(divisors) + len(work) > MOST_FACTORS and type(node) is not Number:
            (factors if up else divisors).append(node)
        elif type(node) is Number and not symbolic(node.value):
            value = node.value
            if value < 0 or (value == 0 and math.copysign(1, value) < 0):
                sign, value = -sign, -value
            if up:
                above *= value
            else:
                below *= value
        elif type(node) is Call and node.function == "neg":
            sign = -sign
            work.append((node.args[0], up))
        elif type(node) is Call and node.function == "*":
            work += [(node.args[1], up), (node.args[0], up)]
        elif type(node) is Call and node.function == "/":
            work += [(node.args[1], not up), (node.args[0], up)]
        else:
            (factors if up else divisors).append(node)
    if together and (own := _coefficient(root)) is not None and own in factors[1:] and all(map(_is_function, factors[: factors.index(own)])):
        factors.remove(own)
        factors.insert(0, own)
    return Product(sign, above, below, tuple(factors), tuple(divisors))


def _coefficient(root: Expr) -> Expr | None:
    """What the only factor of a product with a number in front has after it: x of `cos(x²)·(2·x)`."""
    found = [f for f in root.args if type(f) is Call and f.function == "*"] if type(root) is Call and root.function == "*" else []
    own: list[Expr] = []
    for f in found:
        while type(f) is Call and f.function == "*":
            left, right = f.args
            if type(left) is Number:
                own.append(right)
            f = left
    return own[0] if len(own) == 1 and type(own[0]) is not Number and not any(type(a) is Number for a in root.args) else None


def _is_function(factor: Expr) -> bool:
    return type(factor) is Call and factor.function.isidentifier()


def product(pool: Pool, p: Product) -> Expr:
    above, below = p.above, p.below
    if above == 0 or not (math.isfinite(above) and math.isfinite(below)) or below == 0:
        return pool.zero if above == 0 and below != 0 else _literal(pool, p)
    if math.fmod(above, below) == 0:
        above, below = above / below, 1.0
    elif above.is_integer() and below.is_integer():
        common = math.gcd(int(above), int(below))
        above, below = above / common, below / common
    elif math.frexp(below)[0] == 0.5:
        above, below = above / below, 1.0
    top = _times(pool, above, p.factors)
    bottom = _times(pool, below, p.divisors)
    result = top if bottom is pool.one else pool.call("/", top, bottom)
    return result if p.sign > 0 else pool.neg(result)


def _literal(pool: Pool, p: Product) -> Expr:
    result = pool.call("*", pool.number(p.sign * p.above), _times(pool, 1.0, p.factors))
    return pool.call("/", result, _times(pool, p.below, p.divisors))


def _times(pool: Pool, number: float, factors: tuple[Expr, ...]) -> Expr:
    result: Expr | None = None if number == 1 and factors else pool.number(number)
    for f in factors:
        result = f if result is None else pool.call("*", result, f)
    return result


def tidy(root: Expr, atoms: frozenset[Expr] = frozenset()) -> Expr:
    """The same derivative, written as one would."""
    return transform(root, _tidy_node, atoms)


def _tidy_node(node: Expr, args: tuple[Expr, ...]) -> Expr:
    pool = node.pool
    if type(node) is not Call:
        return rebuild(node, args)
    if node.function in ("+", "-") and all(type(a) is Number and not symbolic(a.value) for a in args):  # for the eye, also where it is rounded
        return pool.number(FUNCTIONS[node.function].reference(*(a.value for a in args)))
    match node.function:
        case "*" | "/":
            return product(pool, factors_of(pool.call(node.function, *args), together=True))
        case "neg":
            return product(pool, factors_of(pool.call("neg", *args)))
        case "+":
            return pool.add(*args)
        case "-":
            return pool.sub(*args)
        case "^":
            return pool.pow(*args)
        case "where" if type(args[0]) is Call and args[0].function == "!=" and args[0].args[0] is args[0].args[1]:
            return args[2]  # whether a value is nan is nothing to read
        case "where":
            return pool.where(*args)
    return rebuild(node, args)


def guarded_product(factor: Expr, local: Expr) -> Expr:
    """factor · local with the factor inside of the branches of `where`, also of those in sums: what is read there is read
    only where the branch is taken, which keeps a recurrence from depending on itself."""
    pool = local.pool
    terms: list[Expr] = []
    guarded = False
    work: list[tuple[Expr, tuple]] = [(local, ())]  # what is around: conditions, and binders of sums
    while work:
        node, around = work.pop()
        kind = type(node)
        if kind is Call and node.function == "+" and len(terms) + len(work) < MOST_FACTORS:
            work += [(node.args[1], around), (node.args[0], around)]
        elif kind is Call and node.function == "where" and node.args[2] is pool.zero:
            work.append((node.args[1], (*around, node.args[0])))
            guarded = True
        elif kind is Reduce and node.function == "sum" and factor.free.isdisjoint(b.index for b in node.binders):
            work.append((node.body, (*around, node.binders)))
        else:
            term = factor * node
            for outer in reversed(around):
                term = pool.sum(outer, term) if type(outer) is tuple else pool.where(outer, term, pool.zero)
            terms.append(term)
    if not guarded:
        return factor * local
    total = terms[0]
    for t in terms[1:]:
        total = total + t
    return total


def tidy_product(a: Expr, b: Expr) -> Expr:
    """a·b as one product, numbers first."""
    pool = a.pool
    if b is pool.one:
        return a
    if a is pool.one:
        return b
    return product(pool, factors_of(pool.call("*", a, b)))


def summed(binders: tuple[Bound, ...], body: Expr) -> Expr:
    """The sum of a local derivative. A product of elements of two inverses or solutions is summed index by index, what does not depend on
    an index in front of its sum: the elements are large where the matrix is nearly singular, and their products, added up
    over all indices at once, would cancel to nothing but rounding."""
    pool, whole, outer = body.pool, body, binders
    while type(body) is Reduce and body.function == "sum" and {b.index for b in body.binders}.isdisjoint(b.index for b in binders):
        binders, body = (*binders, *body.binders), body.body
    if type(body) is not Call or not binders or any(b.free for b in binders):
        return pool.sum(outer, whole)
    p = factors_of(body)
    if sum(map(_has_inverse, p.factors)) < 2:
        return pool.sum(outer, whole)
    factors = [*p.factors, *(pool.one / d for d in p.divisors)]
    for b in reversed(binders):
        inside = [f for f in factors if b.index in f.free]
        factors = [f for f in factors if b.index not in f.free] + [pool.sum((b,), _times(pool, 1.0, tuple(inside)))]
    return product(pool, Product(p.sign, p.above, p.below, tuple(factors), ()))


def _has_inverse(factor: Expr) -> bool:
    """An element of an inverse or of a solution, or a sum of products with one."""
    return type(factor) is Reduce and (factor.function in ("inv", "_solve") or factor.function == "sum" and any(map(_has_inverse, factors_of(factor.body).factors)))


def fold(root: Expr) -> Expr:
    """Decide what is made of numbers only (`2 == 3` in the scalar view) and drop what that leaves without effect."""
    return transform(root, _fold_node)


def _fold_node(node: Expr, args: tuple[Expr, ...]) -> Expr:
    pool = node.pool
    if type(node) is not Call:
        return rebuild(node, args) if args != operands(node) else node
    if node.function in COMPARISONS and all(type(a) is Number for a in args):
        return pool.number(FUNCTIONS[node.function].reference(*(a.value for a in args)))
    match node.function:
        case "+":
            return pool.add(*args)
        case "-":
            return pool.sub(*args)
        case "*":
            return pool.mul(*args)
        case "where":
            return pool.where(*args)
    return rebuild(node, args) if args != node.args else node
