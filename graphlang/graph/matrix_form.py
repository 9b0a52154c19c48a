"""Matrix forms: an index formula as an expression over whole tables, `sum(dJ/da[j]*alpha[j,i] for j)` as `alpha.T @ dJ/da`.

The formula becomes a sum of terms, a term a product of tables over indices (`graph/contraction.py` says what those are as
products), a function of indexed operands the same function of whole tables. Nothing is expanded where it need not be. A
formula that is no such expression, with shifted subscripts, parts of ranges or guards, has no matrix form.
"""

from __future__ import annotations

from typing import Collection, Mapping

from graphlang.diagnostics import NOWHERE
from graphlang.graph.contraction import Factor, Product, Term, contract, turned
from graphlang.graph.expressions import Bound, Call, Expr, Index, Number, Pool, Read, Reduce, postorder
from graphlang.graph.graph import Box, Range, Variable
from graphlang.graph.linear_rules import System, system
from graphlang.graph.matrices import COLUMN, MATRIX, ROW, SCALAR, Algebra, Whole
from graphlang.graph.reductions import REDUCTIONS
from graphlang.graph.sizes import symbolic
from graphlang.graph.spell import DERIVATIVE, number, read, tree_size
from graphlang.syntax import ast

LARGEST = 1000   # nodes of a formula
MOST_TERMS = 40  # of a sum that is multiplied out

Terms = list[Term]
Table = tuple[Whole, Box]


def matrix_form(body: Expr, indices: tuple[str, ...], variables: Mapping[str, Variable], *, symmetric: Collection[str] = (),
                ranges: Box | None = None, row: bool = False, numerator: bool = False) -> ast.Expr | None:
    """The formula `body`, a table over `indices` (none, one or two), as an expression over whole tables; None where there
    is none in this notation.

    Each index runs over `ranges`, by default over the ranges of the tables that it is a subscript of. A table over one
    index is given as a column, or as a `row`. `symmetric`: names of matrices that are their own transposes. `numerator`: the
    layout in which `dJ/dx` of a column x is a row, and that of a matrix has its transposed shape.
    """
    if len(indices) > 2 or tree_size(body, LARGEST) > LARGEST:
        return None
    form = _Form(variables, symmetric, numerator)
    terms = form.terms(body)
    found = None if terms is None else form.products(terms, indices)
    if found is None or (ranges is not None and found[1] != ranges):
        return None
    whole = form.written(found[0])
    if row != numerator:  # `2*x.T @ B` rather than `x.T @ (2*B)`
        whole = min(form.written([p._replace(chain=turned(p.chain)) for p in found[0]]), whole.turned, key=lambda w: w.cost)
    return whole.tree if (whole.shape == SCALAR) == (not indices) else None


class _Form:
    def __init__(self, variables: Mapping[str, Variable], symmetric: Collection[str], numerator: bool):
        self.variables, self.algebra, self.numerator = variables, Algebra(symmetric), numerator
        self.fresh = 0

    def terms(self, root: Expr) -> Terms | None:
        """The formula as a sum of terms over its free indices; None when a part of it has no matrix form."""
        done: dict[Expr, Terms | None] = {}
        for node in postorder(root):
            done[node] = self.node(node, done)
        return done[root]

    def node(self, node: Expr, done: dict[Expr, Terms | None]) -> Terms | None:
        match node:
            case Number():
                return [self.count(Term(), node.value)] if node.value else []
            case Read():
                return self.read(node)
            case Call(function="==", args=(Index() as a, Index() as b)):
                return [Term(same=((a.name, b.name),))]
            case Call():
                operands = [done[a] for a in node.args]
                return None if None in operands else self.call(node, operands)
            case Reduce():
                return self.reduction(node, done)
        return None

    def count(self, t: Term, n: float) -> Term:
        """n times the term. A size that is left symbolic is a factor by itself: twice its number would not stand for 2P."""
        if symbolic(n) is None:
            return t._replace(above=t.above * n)
        return t._replace(factors=(*t.factors, Factor(self.algebra.number(n))))

    # ---- leaves

    def read(self, node: Read) -> Terms | None:
        v = self.variable(node.name, node.pool)
        if v is None or len(node.args) != len(v.ranges):
            return None
        jacobian = node.pool.split.get(node.name)
        if jacobian is not None and (len(v.ranges), jacobian[3]) not in ((2, 1), (1, 0)):
            return None  # of a matrix, or of higher order: it has no place in a matrix formula
        if all(type(a) is Number for a in node.args):  # a scalar, or one element
            subs = tuple(number(a.value) for a in node.args)
            return [Term(factors=(Factor(self.algebra.element(read(node.pool, node.name, subs), f"{node.name}{[a.value for a in node.args] if subs else ''}")),))]
        if len(node.args) > 2 or not all(type(a) is Index for a in node.args):
            return None
        flipped = self.numerator and (jacobian is not None or DERIVATIVE.fullmatch(node.name) is not None)
        lies = v.row if jacobian is None else jacobian[3] == 0  # the derivative of a vector by a scalar
        shape = MATRIX if len(v.ranges) == 2 else ROW if lies != flipped else COLUMN
        whole = self.algebra.name(node.name, shape, read(node.pool, node.name, ()))
        if shape == ROW or shape == MATRIX and flipped:
            whole = whole.turned
        return [Term(factors=(Factor(whole, tuple(a.name for a in node.args), v.ranges),))]

    def variable(self, name: str, pool: Pool) -> Variable | None:
        """A variable, or what an adjoint `dJ/dx` belongs to: it has the ranges of x. Of a table y, dy/dx has those of x and of y."""
        if name in self.variables:
            return self.variables[name]
        match = DERIVATIVE.fullmatch(name)
        if match is None or match[1] != "d":
            return None
        of, wrt = self.variables.get(match[2]), match[4] if match[5] is None else f"{match[4]}[{match[5]}]"
        below = self.variables.get(wrt)
        if of is None or not of.ranges or match[3] is not None:
            return below
        return Variable(name, "node", below.ranges + of.ranges) if below is not None and name in pool.split else None

    # ---- operators and functions

    def call(self, node: Call, operands: list[Terms]) -> Terms | None:
        match node.function, operands:
            case "+", [a, b]:
                return _few(a + b)
            case "-", [a, b]:
                return _few(a + _negative(self.packed(b) or b))
            case "neg", [a]:
                return _negative(self.packed(a) or a)
            case "*", [a, b]:
                return self.multiply(a, b)
            case "/", [a, b]:
                return self.divide(a, b)
            case "where", [[Term(above=1.0, below=1.0, factors=()) as condition], a, []]:
                return self.multiply([condition], a)  # where(i == j, a, 0)
        return self.elementwise(node.function, operands)

    def elementwise(self, function: str, operands: list[Terms]) -> Terms | None:
        axes = max((_free(terms) for terms in operands), key=len, default=())
        best = None
        for order in (axes, axes[::-1]) if len(axes) == 2 else (axes,):
            if len(axes) > 2 or any(_free(terms) and set(_free(terms)) != set(axes) for terms in operands):
                return None
            tables = [self.whole(terms, order if _free(terms) else ()) for terms in operands]
            if None in tables:
                return None
            ranges = {r for w, r in tables if w.shape != SCALAR}
            if len(ranges) > 1:
                return None
            whole = self.algebra.call(function, *(w for w, _ in tables))
            if best is None or whole.cost < best.whole.cost:
                best = Factor(whole, order if whole.shape != SCALAR else (), ranges.pop() if ranges else ())
        if set(best.axes) != set(axes):
            return None
        return [Term(factors=(best,))]

    def multiply(self, a: Terms, b: Terms) -> Terms | None:
        a, b = self.packed(a) or a, self.packed(b) or b
        if len(a) * len(b) > MOST_TERMS:
            return None
        return [self.merged(x, y) for x in a for y in b]

    def divide(self, a: Terms, b: Terms) -> Terms | None:
        a = self.packed(a) or a
        match b:
            case [Term(above, below, (), (), (), ())]:
                return [t._replace(above=t.above * below, below=t.below * above) for t in a]
        divisor = self.packed(b, always=True)
        if divisor is None:
            return None
        ((factor,),) = (t.factors for t in divisor)
        return [t._replace(factors=(*t.factors, factor._replace(up=False))) for t in a]

    def packed(self, terms: Terms, always: bool = False) -> Terms | None:
        """A sum as one factor, None where it is not one table. A number that equal terms add up to stands outside."""
        if len(terms) == 1 and not always:
            return terms
        axes = _free(terms)
        if len(axes) > 2:
            return None
        best: Factor | None = None
        above = below = 1.0
        for order in (axes, axes[::-1]) if len(axes) == 2 else (axes,):
            found = self.products(terms, order)
            if found is None or any(p.chain for p in found[0]) != bool(axes):
                continue
            products, ranges = found
            if not always and len(products) < len(terms) and len({(abs(p.above), p.below) for p in products}) == 1:
                above, below = abs(products[0].above), products[0].below
                products = [p._replace(above=p.above / above, below=1.0) for p in products]
            whole = self.written(products)
            if best is None or whole.cost < best.whole.cost:
                best = Factor(whole, order, ranges)
        return None if best is None else [Term(above, below, (best,))]

    def merged(self, a: Term, b: Term) -> Term:
        b = b.renamed({s: self.new() for s in b.summed})
        return Term(a.above * b.above, a.below * b.below, a.factors + b.factors, a.summed + b.summed, a.same + b.same, a.within + b.within)

    def new(self) -> str:
        self.fresh += 1
        return f"\0{self.fresh}"

    # ---- reductions

    def reduction(self, node: Reduce, done: dict[Expr, Terms | None]) -> Terms | None:
        if node.function == "_solve":
            return self.solve(system(node), node.at, done)
        terms = done[node.body]
        over = _box(node.binders)
        if terms is None or over is None:
            return None
        if node.function == "sum":
            return self.sum(terms, over)
        rule = REDUCTIONS[node.function]
        if node.function.startswith("_") or len(over) > 2 or not set(_free(terms)) <= over.keys():
            return None
        found = self.whole(terms, tuple(over))
        if found is None or found[1] != tuple(over.values()):
            return None
        if not rule.table:
            return [Term(factors=(Factor(self.algebra.whole_call(node.function, (found[0],), SCALAR)),))]
        whole = self.algebra.whole_call(node.function, (found[0],), MATRIX if len(over) == 2 else COLUMN)
        return self.element(whole, node.at, found[1][::-1] if node.function == "inv" else found[1])

    def element(self, whole: Whole, at: tuple[Expr, ...], ranges: Box) -> Terms | None:
        """One element of a table, at indices or at whole numbers."""
        if all(type(s) is Number for s in at):
            tree = ast.Subscript(whole.tree, tuple(number(s.value) for s in at), NOWHERE)
            return [Term(factors=(Factor(self.algebra.element(tree, f"{id(whole)}{[s.value for s in at]}")),))]
        if len(at) != len(ranges) or not all(type(s) is Index for s in at):
            return None
        return [Term(factors=(Factor(whole, tuple(s.name for s in at), ranges),))]

    def solve(self, s: System, at: tuple[Expr, ...], done: dict[Expr, Terms | None]) -> Terms | None:
        matrix, right, over = done[s.matrix], done[s.right], _box((s.row, s.column))
        if matrix is None or right is None or over is None:
            return None
        row, column = over
        several = tuple(i for i in _free(right) if i != row)  # the columns of a matrix on the right
        tables = self.whole(matrix, (row, column)), self.whole(right, (row, *several)) if len(several) < 2 else None
        if None in tables or tables[0][1] != tuple(over.values()) or tables[1][1][:1] != (over[row],):
            return None
        whole = self.algebra.whole_call("solve", tuple(w for w, _ in tables), MATRIX if several else COLUMN)
        return self.element(whole, (*at, *(s.row.pool.index(i) for i in several)), (over[column], *tables[1][1][1:]))

    def sum(self, terms: Terms, over: Mapping[str, Range]) -> Terms | None:
        if len(terms) > 1 and set(_free(terms)) == over.keys():
            terms = self.packed(terms) or terms
        out = []
        for t in terms:
            held = t.free
            for name, r in over.items():
                if name in held:
                    t = t._replace(summed=(*t.summed, name), within=(*t.within, (name, r)))
                else:
                    t = self.count(t, r.extent)
            if t.ranges() is None:
                return None
            out.append(t.renamed({s: self.new() for s in t.summed}))
        return out

    # ---- a sum of terms as one table

    def whole(self, terms: Terms, axes: tuple[str, ...]) -> Table | None:
        """The table over `axes`, a column or a matrix, with its ranges; a scalar when no term has an index."""
        found = self.products(terms, axes)
        return None if found is None else (self.written(found[0]), found[1])

    def products(self, terms: Terms, axes: tuple[str, ...]) -> tuple[list[Product], Box] | None:
        products: list[Product] = []
        ranges: dict[str, Range] = {}
        for t in terms:
            p = contract(t, axes, self.algebra)
            if p is None:
                return None
            for name, r in (t.ranges() or {}).items():
                if name in axes and ranges.setdefault(name, r) != r:
                    return None
            products.append(p)
        shaped = any(p.chain for p in products)
        if shaped and not all(a in ranges for a in axes):
            return None
        return self.collected(products), tuple(ranges[a] for a in axes) if shaped else ()

    def collected(self, products: list[Product]) -> list[Product]:
        """Equal products added up, and `A @ x + A.T @ x` put together as `(A + A.T) @ x`."""
        out: list[Product] = []
        for p in products:
            for k, q in enumerate(out):
                if (new := self.added(q, p)) is not None:
                    out[k] = new
                    break
            else:
                out.append(p)
        return [p for p in out if p.above]

    def added(self, p: Product, q: Product) -> Product | None:
        if p.below != q.below or set(p.scalars) != set(q.scalars) or len(p.scalars) != len(q.scalars) or p.divisors != q.divisors:
            return None
        if p.chain == q.chain:
            return p._replace(above=p.above + q.above)
        different = [k for k, (a, b) in enumerate(zip(p.chain, q.chain)) if a is not b]
        if p.above == q.above and len(p.chain) == len(q.chain) > 1 and len(different) == 1:
            (k,) = different
            a, b = sorted((p.chain[k], q.chain[k]), key=lambda w: w.cost)
            if a.turned is b:
                return p._replace(chain=(*p.chain[:k], self.algebra.call("+", a, b), *p.chain[k + 1 :]))
        return None

    def written(self, products: list[Product]) -> Whole:
        result: Whole | None = None
        for p in products:
            if result is None:
                result = self.product(p)
            else:
                result = self.algebra.call("-" if p.above < 0 else "+", result, self.product(p._replace(above=abs(p.above))))
        return result or self.algebra.number(0.0)

    def product(self, p: Product) -> Whole:
        """`2*s*A @ x/d`: the number first, then scalars, then the product. Scalars that are products stand at the end."""
        algebra, chain = self.algebra, p.chain
        scalars = sorted(p.scalars, key=lambda w: w.is_product)
        if not chain and scalars and scalars[-1].is_product:
            chain = scalars.pop().args
        tail = [s for s in scalars if s.is_product]
        front = scalars[: len(scalars) - len(tail)]
        above, below = (p.above / p.below, 1.0) if p.above and p.above % p.below == 0 else (p.above, p.below)
        parts = [*front, *chain[:1]]
        if abs(above) != 1 or not parts:
            parts.insert(0, algebra.number(above))
        elif above < 0:
            parts[0] = algebra.call("neg", parts[0])
        first = parts[0]
        for part in parts[1:]:
            first = algebra.times(first, part)
        result = algebra.product((first, *chain[1:]))
        for s in tail:
            result = algebra.call("*", result, s)
        divisors = [*([algebra.number(below)] if below != 1 else []), *p.divisors]
        if divisors:
            bottom = divisors[0]
            for d in divisors[1:]:
                bottom = algebra.call("*", bottom, d)
            result = algebra.call("/", result, bottom)
        return result


def _box(binders: tuple[Bound, ...]) -> dict[str, Range] | None:
    if not all(type(b.low) is type(b.high) is Number for b in binders):
        return None
    return {b.index: Range(int(b.low.value), int(b.high.value)) for b in binders}


def _few(terms: Terms) -> Terms | None:
    return terms if len(terms) <= MOST_TERMS else None


def _negative(terms: Terms) -> Terms:
    return [t._replace(above=-t.above) for t in terms]


def _free(terms: Terms) -> tuple[str, ...]:
    return tuple(dict.fromkeys(a for t in terms for a in t.free))
