"""The texts of a trace: equations, adjoints, contributions, local derivatives. No numbers of a run."""

from __future__ import annotations

from typing import Iterable, Mapping

from graphlang.derive.reverse import SHOWN, Contribution, Derivative, Piece, local, piece_formula
from graphlang.graph.derived import derivative_name, is_plain
from graphlang.graph.expressions import Expr, Index, Number, Reduce, reads
from graphlang.graph.substitute import fresh, substitute
from graphlang.graph.graph import Binding, Box, Equation, Graph
from graphlang.graph.spell import formula, number, spell, tree_size
from graphlang.syntax import ast
from graphlang.syntax.format import format_expr, style_for
from graphlang.syntax.pretty import Names

LONGEST = 2000     # characters of a formula
MOST_TERMS = 100   # contributions that are written into one sum
NEAR, FAR = 2000, 64  # equations looked at for another path, in a program of up to NEAR equations and in a longer one


class Texts:
    """Equations of one graph, in the author's names or, with `ascii`, in source spelling."""

    def __init__(self, graph: Graph, ascii: bool = False):
        self.graph, self.ascii = graph, ascii
        self.style = style_for(Names([*graph.variables, *graph.functions], ascii))

    def expression(self, root: Expr) -> str:
        text = formula(root, self.style, LONGEST)
        return text if text is not None else self.too_long(tree_size(root, 10**15))

    def tree(self, node: ast.Expr) -> str:
        text = format_expr(node, self.style, LONGEST)
        return text if text is not None else self.too_long(sum(1 for _ in ast.postorder(node)))

    def too_long(self, size: int) -> str:
        return f"({size:,} operations and operands: --expand)"

    def over(self, bindings: Iterable[tuple[str, object]]) -> str:
        """`  ∀ j=1..2`, or nothing."""
        pretty = self.style.pretty
        parts = [f"{self.style.names.pretty(name)}{'=' if pretty else ' in '}{r}" for name, r in bindings]
        return (("  ∀ " if pretty else " for ") + ", ".join(parts)) if parts else ""

    def name(self, name: str) -> str:
        return self.style.names.pretty(name)

    def equation(self, e: Equation) -> str:
        if e.source is None:
            left = self.expression(self.graph.pool.read(e.target, e.subs))
            return f"{left} = {self.expression(e.value)}{self.over(e.bindings)}"
        names = [b.name for b in e.source.binders]
        own = zip(names, (b.range for b in e.bindings)) if len(names) == len(e.bindings) else ()
        value = with_bounds(e.source.value, self.graph.consts) if self.graph.consts else e.source.value
        return f"{self.tree(e.source.target)} = {self.tree(value)}{self.over(own)}"


def with_bounds(root: ast.Expr, consts: Mapping[str, float]) -> ast.Expr:
    """An expression with a number for each bound that is a const: `Σ_j=0..D` is shown as `Σ_j=0..2`."""
    order = list(ast.postorder(root))
    if len(order) > 3 * LONGEST or not any(type(n) is ast.Call and n.binders for n in order):
        return root
    done: dict[int, ast.Expr] = {}

    def bound(node):
        return number(consts[node.name]) if type(node) is ast.Name and node.name in consts else node

    for n in order:
        match n:
            case ast.Op():
                new = n._replace(args=tuple(done[id(a)] for a in n.args))
            case ast.Call():
                binders = tuple(b._replace(low=bound(b.low), high=bound(b.high)) for b in n.binders)
                new = n._replace(args=tuple(done[id(a)] for a in n.args), binders=binders)
            case ast.Subscript():
                new = n._replace(base=done[id(n.base)], subs=tuple(done[id(s)] for s in n.subs))
            case ast.List():
                new = n._replace(items=tuple(done[id(a)] for a in n.items))
            case _:
                new = n
        done[id(n)] = new
    return done[id(root)]


class Adjoints(Texts):
    """The backward pass of one goal."""

    def __init__(self, derivative: Derivative, ascii: bool = False, form: str = SHOWN):
        super().__init__(derivative.graph, ascii)
        self.derivative, self.form = derivative, form
        self.pool = derivative.graph.pool
        self._reads: dict[Equation, frozenset[str]] = {}
        self._reach = NEAR if len(derivative.graph.equations) <= NEAR else FAR
        self._depth = {e: k for k, g in enumerate(derivative.order) for e in g.equations}  # 0 is the goal
        self._deepest = {e.target: self._depth[e] for e in sorted(self._depth, key=self._depth.__getitem__)}

    def adjoint(self, name: str, at: tuple[Expr, ...] = ()) -> str:
        """`dJ/dzⱼ`"""
        if not at and self.derivative.goal.element is None and is_plain(name) and is_plain(self.derivative.goal.name):  # the same text, sooner
            return self.style.names.derivative(self.derivative.goal.name, name)
        return self.expression(self.pool.read(self.derivative.adjoint_name(name), at))

    def seed(self) -> str:
        goal = self.derivative.goal
        return self.adjoint(goal.name, tuple(self.pool.number(k) for k in goal.element or ()))

    def is_direct(self, c: Contribution) -> bool:
        """Whether the source is the goal itself: dJ/dJ is 1 and is not written."""
        return c.source.target == self.derivative.goal.name and self.derivative.goal.element is None

    def part_of_whole(self, name: str, at: tuple[Expr, ...], over: Iterable[Binding]) -> str:
        """`  ∀ k=1..3` where an index does not run over all of the variable's range."""
        ranges, whole = dict(over), self.graph.variables[name].ranges
        return self.over((s.name, ranges[s.name]) for s, r in zip(at, whole) if type(s) is Index and ranges[s.name] != r)

    def contribution(self, c: Contribution) -> tuple[str, str, tuple[str, ...]]:
        """Left side, right side with ∀, local derivatives: (`dJ/dt`, `dJ/du₁·du₁/dt`, (`du₁/dt = cos(t)`,))."""
        tail = self.part_of_whole(c.variable, c.at, c.over)
        left = self.adjoint(c.variable, c.at)
        if self.is_direct(c):
            return left, self.direct(c) + tail, ()
        return left, self.product(c) + tail, (self.local(c),)

    def direct(self, c: Contribution, put: Mapping[str, Expr] = {}) -> str:
        """What the goal itself contributes: its local derivative, summed."""
        return self.expression(self._summed(c, local(c, self.form), put))

    def product(self, c: Contribution, put: Mapping[str, Expr] = {}) -> str:
        """`Σ_j dJ/daⱼ·daⱼ/dxᵢ`"""
        if self._is_scalar(c):
            return f"{self.adjoint(c.source.target)}{'·' if self.style.pretty else '*'}{self._label(c)}"
        return self._sum(c, self._summed(c, self.pool.call("*", self._upstream(c), self.label(c)), put))

    def local(self, c: Contribution, put: Mapping[str, Expr] = {}) -> str:
        """`daⱼ/dxᵢ = αⱼᵢ`"""
        put = self._apart(c, put)
        label = self._label(c) if self._is_scalar(c) else self.expression(substitute(self.label(c), put))
        return f"{label} = {self.expression(substitute(local(c, self.form), put))}"

    def expanded(self, c: Contribution, put: Mapping[str, Expr] = {}) -> str:
        """`dJ/du₁·cos(t)`: a contribution with its local derivative put in, in the order in which it is written."""
        f = local(c, self.form)
        if self.is_direct(c):
            product = f
        elif type(f) is Number and abs(f.value) == 1:
            product = self._upstream(c) if f.value == 1 else self.pool.neg(self._upstream(c))
        else:
            product = self.pool.call("*", self._upstream(c), f)
        return self._sum(c, self._summed(c, product, put))

    def _upstream(self, c: Contribution) -> Expr:
        return self.pool.read(self.derivative.adjoint_name(c.source.target), c.source_subs)

    def _apart(self, c: Contribution, put: Mapping[str, Expr]) -> dict[str, Expr]:
        """`put` with new names for the summed indices that are called like an index which is put in."""
        incoming = {name for v in put.values() for name in v.free}
        out, taken = dict(put), incoming | set(put) | {b.index for b in c.summed} | {b.index for b in c.over} | {b.index for b in c.source.bindings}
        for b in c.summed:
            if b.index in incoming:
                name = fresh(b.index, taken)
                taken.add(name)
                out[b.index] = self.pool.index(name)
        return out

    def _summed(self, c: Contribution, value: Expr, put: Mapping[str, Expr]) -> Expr:
        for guard in reversed(c.guards):
            value = self.pool.where(guard, value, self.pool.zero)
        put = self._apart(c, put)
        binders = tuple(self.pool.bound(getattr(put.get(b.index), "name", b.index), substitute(b.low, put), substitute(b.high, put)) for b in c.summed)
        return self.pool.sum(binders, substitute(value, put))

    def _sum(self, c: Contribution, value: Expr) -> str:
        """A sum over indices of the row's own equation, whose ranges stand beside it: `Σ_j`, not `Σ_j=1..2`."""
        if not (self.style.pretty and type(value) is Reduce):
            return self.expression(value)
        tree, own = spell(value, 3 * LONGEST), dict(c.source.bindings)
        if type(tree) is not ast.Call or len(tree.binders) != len(value.binders):
            return self.expression(value)

        def known(b):
            return b.index in own and type(b.low) is type(b.high) is Number and (b.low.value, b.high.value) == own[b.index]

        return self.tree(tree._replace(binders=tuple(t._replace(low=None, high=None) if known(b) else t for t, b in zip(tree.binders, value.binders))))

    def _is_scalar(self, c: Contribution) -> bool:
        return not (c.source.subs or c.at or c.summed or c.guards or self.derivative.goal.element)

    def _label(self, c: Contribution) -> str:
        names = self.style.names
        if not (is_plain(c.source.target) and is_plain(c.variable)):
            return self.expression(self.label(c))
        return (names.partial if self.has_other_path(c) else names.derivative)(c.source.target, c.variable)

    def label(self, c: Contribution) -> Expr:
        """`du/dv`, or `∂u/∂v` where v reaches u by another path too."""
        total = not self.has_other_path(c)
        u, v = c.source.target, c.variable
        if not c.source.subs:
            return self.pool.read(derivative_name(self.pool, u, v, None, not total), c.at)
        return self.pool.call("diff" if total else "partial", self.pool.read(u, c.source_subs), self.pool.read(v, c.at))

    def has_other_path(self, c: Contribution) -> bool:
        """Whether the variable reaches the source through another equation. It goes by names, and gives up the search
        of a large program: `∂u/∂v` is right in either case."""
        below, v = self.derivative.plan.below, c.variable
        if sum(other.variable == v for other in self.derivative.outgoing[c.source]) > 1:
            return True  # the source reads it at another element too, which may be the same one
        deepest = self._deepest.get(v, len(self._depth))

        def ahead(e: Equation) -> bool:  # what v's own equations read does not read v, but in a recurrence
            return self._depth[e] <= deepest

        work = [e for e in below[c.source] if ahead(e) and (e.target != v or self._reads_several(c))]
        seen = set(work)
        for e in work:
            if v in self._names(e) or len(seen) > self._reach:
                return True
            for b in below[e]:
                if b not in seen and b.target != v and ahead(b):
                    seen.add(b)
                    work.append(b)
        return False

    def _reads_several(self, c: Contribution) -> bool:
        """Elements of one table, which may depend on one another."""
        return bool(c.loops) or sum(r.name == c.variable for r in reads(c.source.value)) > 1

    def _names(self, e: Equation) -> frozenset[str]:
        if e not in self._reads:
            self._reads[e] = frozenset(r.name for r in reads(e.value))
        return self._reads[e]

    # ---- an adjoint as one sum

    def put(self, c: Contribution, piece: Piece) -> dict[str, Expr]:
        return {s.name: p for s, p in zip(c.at, piece.at) if type(s) is Index and s is not p}

    def is_seed(self, piece: Piece) -> bool:
        goal = self.derivative.goal
        if piece.variable != goal.name:
            return False
        ranges = dict(piece.over)
        at = [ranges[s.name] if type(s) is Index else (int(s.value), int(s.value)) for s in piece.at]
        return all(low == high == k for (low, high), k in zip(at, goal.element or ()))

    def sum(self, piece: Piece, part) -> str | None:
        """The contributions to a piece, each as `part(c, put)` says, with signs between them."""
        if len(piece.terms) > MOST_TERMS:
            return None
        texts = (["1"] if self.is_seed(piece) else []) + [part(c, self.put(c, piece)) for c in piece.terms]
        out = texts[0] if texts else "0"
        for t in texts[1:]:
            out += f" - {t[1:]}" if t.startswith("-") and " + " not in t and " - " not in t else f" + ({t})" if t.startswith("-") else f" + {t}"
        return out

    def piece(self, piece: Piece) -> tuple[str, list[str], tuple[str, ...]]:
        """Left side, right sides from the chain rule to the formula, local derivatives."""
        left = self.adjoint(piece.variable, piece.at)
        tail = self.part_of_whole(piece.variable, piece.at, piece.over)
        if len(piece.terms) > MOST_TERMS:
            return left, [f"(a sum of {len(piece.terms):,} contributions)" + tail], ()
        rights = [self.sum(piece, self.product), self.sum(piece, self.expanded)]
        locals = tuple(self.local(c, self.put(c, piece)) for c in piece.terms if len(piece.terms) > 1 or not self.is_direct(c))
        return left, [r + tail for r in rights], locals

    def formula(self, piece: Piece) -> str:
        return self.expression(piece_formula(self.derivative, piece, self.form)) if len(piece.terms) <= MOST_TERMS else f"(a sum of {len(piece.terms):,} contributions)"


def box_extents(at: tuple[Expr, ...], box: Box) -> list[int]:
    """The extents of a box without the dimensions in which it is one fixed element."""
    return [r.extent for s, r in zip(at, box) if type(s) is Index]
