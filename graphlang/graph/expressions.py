"""Expressions in index notation: the one representation of what is computed.

An expression stands for one number. It is made of numbers, indices, reads `v[o]` of one element of a
variable, elementwise calls, and reductions over bound indices. Expressions are interned: within one `Pool`
two equal expressions are one object, so `is` is equality and a shared part is stored, differentiated and
evaluated once. Never walk one by recursion: use `postorder`.

Python's operators on expressions build new ones and simplify lightly (constants fold, 0 and 1 disappear), so
that a derivative rule can be written as `1 - u**2`. What the author wrote is built with `Pool.call`, which
keeps it as it is.
"""

from __future__ import annotations

import math
import struct
from typing import AbstractSet as Set, Callable, Iterator

from graphlang.graph.sizes import symbolic

EMPTY: frozenset[str] = frozenset()


class Expr:
    """A node. `free` holds the names of the indices that it uses and does not bind. `plain`: made of numbers, scalar
    variables and calls only, as all of a scalar program is."""

    __slots__ = ("pool", "free")
    args: tuple["Expr", ...] = ()
    plain = False

    def __add__(self, other): return self.pool.add(self, self.pool.lift(other))
    def __radd__(self, other): return self.pool.add(self.pool.lift(other), self)
    def __sub__(self, other): return self.pool.sub(self, self.pool.lift(other))
    def __rsub__(self, other): return self.pool.sub(self.pool.lift(other), self)
    def __mul__(self, other): return self.pool.mul(self, self.pool.lift(other))
    def __rmul__(self, other): return self.pool.mul(self.pool.lift(other), self)
    def __truediv__(self, other): return self.pool.div(self, self.pool.lift(other))
    def __rtruediv__(self, other): return self.pool.div(self.pool.lift(other), self)
    def __pow__(self, other): return self.pool.pow(self, self.pool.lift(other))
    def __neg__(self): return self.pool.neg(self)


class Number(Expr):
    __slots__ = ("value",)
    plain = True

    def __init__(self, pool, value):
        self.pool, self.value, self.free = pool, value, EMPTY


class Index(Expr):
    """A bound index used as a number."""

    __slots__ = ("name",)

    def __init__(self, pool, name):
        self.pool, self.name, self.free = pool, name, frozenset((name,))


class Read(Expr):
    """One element of a variable; `args` are its subscripts (none for a scalar)."""

    __slots__ = ("name", "args", "plain")

    def __init__(self, pool, name, args, free):
        self.pool, self.name, self.args, self.free = pool, name, args, free
        self.plain = not args


class Call(Expr):
    """An elementwise function of the table of functions, by name."""

    __slots__ = ("function", "args", "plain")

    def __init__(self, pool, function, args, free, plain):
        self.pool, self.function, self.args, self.free, self.plain = pool, function, args, free, plain


class Bound(Expr):
    """A binder of a reduction: an index and its inclusive bounds. Part of a `Reduce`, never a value by itself."""

    __slots__ = ("index", "low", "high")

    def __init__(self, pool, index, low, high):
        self.pool, self.index, self.low, self.high = pool, index, low, high
        self.free = low.free | high.free


class Reduce(Expr):
    """A reduction (`sum`, `prod`, `max`, `logsumexp`, …) of `body` over binders, in order; later binders see earlier
    ones. A table-valued function (`softmax`, `cumsum`) has in `at` the subscripts of the element that is meant."""

    __slots__ = ("function", "binders", "body", "at")

    def __init__(self, pool, function, binders, body, at):
        self.pool, self.function, self.binders, self.body, self.at = pool, function, binders, body, at
        free = body.free
        for b in reversed(binders):
            free = (free - {b.index}) | b.free
        for s in at:
            free |= s.free
        self.free = free

    @property
    def args(self):
        return (*self.binders, self.body, *self.at)


class Pick(Expr):
    """An element of a list written out: `[a, b, c][i]`. Row-major; `shape` is the extent of each subscript, counted
    from 1."""

    __slots__ = ("items", "shape", "at")

    def __init__(self, pool, items, shape, at):
        self.pool, self.items, self.shape, self.at = pool, items, shape, at
        free = EMPTY
        for e in items:
            free |= e.free
        for e in at:
            free |= e.free
        self.free = free

    @property
    def args(self):
        return (*self.items, *self.at)


def operands(node: Expr) -> tuple[Expr, ...]:
    return (node.low, node.high) if type(node) is Bound else node.args


class Pool:
    """The expressions of one graph and of its derivatives, each once."""

    __slots__ = ("_known", "spelled", "split", "shown", "hidden", "rules", "zero", "one")

    def __init__(self):
        self._known: dict = {}
        self.spelled: dict[str, object] = {}  # how a variable is written whose name alone does not say it
        self.split: dict[str, tuple] = {}        # derivatives of tables: function, of, wrt, and how many subscripts are wrt's
        self.hidden: dict[tuple, str] = {}       # expressions that are differentiated: the variables that they have become
        self.shown: dict[tuple, Expr] = {}       # an equation of a derivative (name, subscripts) in the form that is read
        self.rules = None  # the author's rules for derivatives of functions (rules.Rules), if there are any
        self.zero = self.number(0.0)
        self.one = self.number(1.0)

    def __len__(self):
        return len(self._known)

    def __iter__(self) -> Iterator[Expr]:
        return iter(list(self._known.values()))

    # -- what the author wrote: interned, otherwise untouched

    def number(self, value: float) -> Number:
        value = float(value)
        key = struct.pack("<d", value) if value == 0 or value != value else value  # 0.0 is not -0.0; nan is nan
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = Number(self, value)
        return found

    def index(self, name: str) -> Index:
        key = (Index, name)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = Index(self, name)
        return found

    def read(self, name: str, subs: tuple[Expr, ...] = ()) -> Read:
        key = (Read, name, subs) if subs else name
        found = self._known.get(key)
        if found is None:
            free = EMPTY
            for s in subs:
                free |= s.free
            found = self._known[key] = Read(self, name, subs, free)
        return found

    def call(self, function: str, *args: Expr) -> Call:
        key = (function, *args)
        found = self._known.get(key)
        if found is None:
            free, plain = EMPTY, True
            for a in args:
                if a.free:
                    free = free | a.free if free else a.free
                if not a.plain:
                    plain = False
            found = self._known[key] = Call(self, function, args, free, plain)
        return found

    def bound(self, index: str, low: Expr, high: Expr) -> Bound:
        key = (Bound, index, low, high)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = Bound(self, index, low, high)
        return found

    def reduce(self, function: str, binders: tuple[Bound, ...], body: Expr, at: tuple[Expr, ...] = ()) -> Reduce:
        key = (Reduce, function, binders, body, at)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = Reduce(self, function, binders, body, at)
        return found

    def pick(self, items: tuple[Expr, ...], shape: tuple[int, ...], at: tuple[Expr, ...]) -> Expr:
        key = (Pick, items, shape, at)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = Pick(self, items, shape, at)
        return found

    def lift(self, value) -> Expr:
        return value if isinstance(value, Expr) else self.number(value)

    # -- light simplification, for rules: only what is exact for every value and in every arithmetic. 0.1·0.3 is rounded in
    # float64, so it stays a product: balls would take the rounded number for the true one.

    def add(self, a: Expr, b: Expr) -> Expr:
        if a is self.zero:
            return b
        if b is self.zero:
            return a
        if type(a) is Number and type(b) is Number and exact_sum(a.value, b.value):
            return self.number(a.value + b.value)
        if type(b) is Call and b.function == "neg":
            return self.call("-", a, b.args[0])
        return self.call("+", a, b)

    def sub(self, a: Expr, b: Expr) -> Expr:
        if b is self.zero:
            return a
        if type(a) is Number and type(b) is Number and exact_sum(a.value, -b.value):
            return self.number(a.value - b.value)
        if a is self.zero:
            return self.neg(b)
        if type(b) is Call and b.function == "neg":
            return self.add(a, b.args[0])
        return self.call("-", a, b)

    def neg(self, a: Expr) -> Expr:
        if type(a) is Number:
            return self.number(-a.value)
        if type(a) is Call and a.function == "neg":
            return a.args[0]
        return self.call("neg", a)

    def mul(self, a: Expr, b: Expr) -> Expr:
        """0·b is 0 here: a factor 0 comes from a rule and means "does not depend", not a value."""
        if a is self.one:
            return b
        if b is self.one:
            return a
        if a is self.zero or b is self.zero:
            return self.zero
        if type(a) is Number and type(b) is Number and exact_product(a.value, b.value):
            return self.number(a.value * b.value)
        if type(a) is Number and a.value == -1:
            return self.neg(b)
        if type(b) is Number and b.value == -1:
            return self.neg(a)
        return self.call("*", a, b)

    def div(self, a: Expr, b: Expr) -> Expr:
        if b is self.one or a is self.zero:
            return a
        return self.call("/", a, b)

    def pow(self, a: Expr, b: Expr) -> Expr:
        if b is self.one:
            return a
        if b is self.zero:
            return self.one
        return self.call("^", a, b)

    def where(self, condition: Expr, yes: Expr, no: Expr) -> Expr:
        if yes is no:
            return yes
        if type(condition) is Number:
            return yes if condition.value else no
        return self.call("where", condition, yes, no)

    def sum(self, binders: tuple[Bound, ...], body: Expr) -> Expr:
        if body is self.zero or not binders:
            return body
        return self.reduce("sum", binders, body)


def exact_sum(a: float, b: float) -> bool:
    """Whether float64 has the sum of two numbers without rounding."""
    if symbolic(a) or symbolic(b):
        return False  # `P + 1` stays what it is
    total = a + b
    second = total - a
    return (a - (total - second)) + (b - second) == 0  # what rounding left over (Knuth); nan where something overflows


def exact_product(a: float, b: float) -> bool:
    product = a * b
    if symbolic(a) or symbolic(b):
        return False
    if not math.isfinite(product):
        return False
    (x, p), (y, q), (z, r) = a.as_integer_ratio(), b.as_integer_ratio(), product.as_integer_ratio()
    return x * y * r == z * p * q


# ---- walking


def postorder(*roots: Expr) -> Iterator[Expr]:
    """Each distinct node under the roots once, operands first."""
    seen: set[Expr] = set()
    stack = [(r, False) for r in reversed(roots)]
    while stack:
        node, ready = stack.pop()
        if ready:
            yield node
            continue
        if node in seen:
            continue
        seen.add(node)
        below = operands(node)
        if below:
            stack.append((node, True))
            for b in reversed(below):
                if b not in seen:
                    stack.append((b, False))
        else:
            yield node


def reads(root: Expr) -> list[Read]:
    """The distinct reads in an expression, subscripts of gathers included, in the order of the text."""
    if root.plain:
        return plain_reads(root)
    return [n for n in postorder(root) if type(n) is Read]


def plain_reads(root: Expr) -> list[Read]:
    """The same for a plain expression, quickly."""
    out: dict[Expr, None] = {}
    seen = set()
    stack = [root]
    while stack:
        node = stack.pop()
        if type(node) is Read:
            out[node] = None
        else:
            for a in reversed(node.args):
                if type(a) is not Number and a not in seen:
                    seen.add(a)
                    stack.append(a)
    return list(out)


def rebuild(node: Expr, args: tuple[Expr, ...]) -> Expr:
    """The same node over other operands (given in the order of `operands`)."""
    pool = node.pool
    match node:
        case Read():
            return pool.read(node.name, args)
        case Call():
            return pool.call(node.function, *args)
        case Bound():
            return pool.bound(node.index, *args)
        case Reduce():
            n = len(node.binders)
            return pool.reduce(node.function, args[:n], args[n], args[n + 1 :])
        case Pick():
            n = len(node.items)
            return pool.pick(args[:n], node.shape, args[n:])
    return node


def transform(root: Expr, change: Callable[[Expr, tuple[Expr, ...]], Expr], atoms: Set[Expr] = EMPTY) -> Expr:
    """Each node in the place of `change(node, its operands changed)`, operands first; `atoms` and leaves stay."""
    done: dict[Expr, Expr] = {}
    stack: list[tuple[Expr, bool]] = [(root, False)]
    while stack:
        node, ready = stack.pop()
        if node in done:
            continue
        below = () if node in atoms else operands(node)
        if not below:
            done[node] = node
        elif ready:
            done[node] = change(node, tuple(done[b] for b in below))
        else:
            stack.append((node, True))
            stack.extend((b, False) for b in below if b not in done)
    return done[root]
