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

import struct
from typing import Iterable, Iterator, Mapping

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

    __slots__ = ("_known", "zero", "one")

    def __init__(self):
        self._known: dict = {}
        self.zero = self.number(0.0)
        self.one = self.number(1.0)

    def __len__(self):
        return len(self._known)

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

    # -- light simplification, for rules: only what is exact for every value

    def add(self, a: Expr, b: Expr) -> Expr:
        if a is self.zero:
            return b
        if b is self.zero:
            return a
        if type(a) is Number and type(b) is Number:
            return self.number(a.value + b.value)
        if type(b) is Call and b.function == "neg":
            return self.call("-", a, b.args[0])
        return self.call("+", a, b)

    def sub(self, a: Expr, b: Expr) -> Expr:
        if b is self.zero:
            return a
        if type(a) is Number and type(b) is Number:
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
        if type(a) is Number and type(b) is Number:
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


def fresh(name: str, taken: Iterable[str]) -> str:
    """`name`, or the first of i, j, k, l, m, n, p, q, r, i1, i2, … that is not taken."""
    taken = taken if isinstance(taken, (set, frozenset, dict)) else set(taken)
    if name not in taken:
        return name
    for letter in "ijklmnpqr":
        if letter not in taken:
            return letter
    n = 1
    while f"i{n}" in taken:
        n += 1
    return f"i{n}"


def substitute(root: Expr, replace: Mapping[str, Expr]) -> Expr:
    """Put expressions in the place of free indices. Binders that would capture a free index of a replacement are renamed.

    Depth of nested reductions is bounded when a program is read, so following them by recursion is safe.
    """
    replace = {k: v for k, v in replace.items() if k in root.free}
    if not replace:
        return root
    done: dict[Expr, Expr] = {}
    incoming = frozenset().union(*(v.free for v in replace.values()))
    stack = [root]
    while stack:
        node = stack[-1]
        if node in done:
            stack.pop()
            continue
        if node.free.isdisjoint(replace):
            done[node] = node
        elif type(node) is Index:
            done[node] = replace[node.name]
        elif type(node) is Reduce:
            done[node] = _substitute_reduce(node, replace, incoming)
        else:
            below = operands(node)
            missing = [b for b in below if b not in done]
            if missing:
                stack.extend(missing)
                continue
            args = tuple(done[b] for b in below)
            if type(node) is Read:
                args = tuple(tidy_index(a) for a in args)
            done[node] = rebuild(node, args)
        stack.pop()
    return done[root]


def _substitute_reduce(node: Reduce, replace: Mapping[str, Expr], incoming: frozenset[str]) -> Expr:
    pool = node.pool
    at = tuple(tidy_index(substitute(s, replace)) for s in node.at)
    inner = dict(replace)
    binders = []
    bound_names = {b.index for b in node.binders}
    for b in node.binders:
        low, high = tidy_index(substitute(b.low, inner)), tidy_index(substitute(b.high, inner))
        inner.pop(b.index, None)
        name = b.index
        if name in incoming:
            name = fresh(name, incoming | node.body.free | bound_names | {x.index for x in binders})
            inner[b.index] = pool.index(name)
        binders.append(pool.bound(name, low, high))
    return pool.reduce(node.function, tuple(binders), substitute(node.body, inner), at)


def unshadow(root: Expr, around: frozenset[str], names: Mapping[str, object]) -> Expr:
    """The same expression, written so that it reads back: no reduction in it binds an index that is in reach there
    (`around` at the root) or has the name of a variable (`names`)."""
    done: dict[Expr, Expr] = {}
    stack = [(root, False)]
    while stack:
        node, ready = stack.pop()
        if node in done:
            continue
        below = operands(node)
        if type(node) is Reduce:
            done[node] = _unshadow_reduce(node, around, names)
        elif not below:
            done[node] = node
        elif not ready:
            stack.append((node, True))
            stack.extend((b, False) for b in below if b not in done)
        else:
            new = tuple(done[b] for b in below)
            done[node] = node if new == below else rebuild(node, new)
    return done[root]


def _unshadow_reduce(node: Reduce, around: frozenset[str], names: Mapping[str, object]) -> Expr:
    pool, rename, binders = node.pool, {}, []
    own = {b.index for b in node.binders}
    reach = set(around)
    for b in node.binders:
        name = b.index
        if name in reach or name in names:
            name = fresh(name, {*reach, *own, *node.body.free, *names})
            rename[b.index] = pool.index(name)
        low, high = (substitute(e, {k: v for k, v in rename.items() if k != b.index}) for e in (b.low, b.high))
        reach.add(name)
        binders.append(pool.bound(name, low, high))
    body = unshadow(substitute(node.body, rename), frozenset(reach), names)
    return pool.reduce(node.function, tuple(binders), body, tuple(unshadow(s, around, names) for s in node.at))


def replace_nodes(root: Expr, replace: Mapping[Expr, Expr]) -> Expr:
    """Put expressions in the place of whole nodes (by identity), without looking inside the replacements."""
    done = dict(replace)
    for node in postorder(root):
        if node in done:
            continue
        below = operands(node)
        new = tuple(done[b] for b in below)
        done[node] = node if new == below else rebuild(node, new)
    return done[root]


# ---- subscripts


def affine(root: Expr) -> tuple[int, dict[str, int]] | None:
    """An integer affine form `c + Σ k·index` as (c, {index: k}), or None. Constant factors are folded."""
    done: dict[Expr, tuple[int, dict[str, int]] | None] = {}
    for node in postorder(root):
        form = None
        if type(node) is Number:
            form = (int(node.value), {}) if node.value.is_integer() else None
        elif type(node) is Index:
            form = (0, {node.name: 1})
        elif type(node) is Call and all(done[a] is not None for a in node.args):
            parts = [done[a] for a in node.args]
            match node.function, parts:
                case "+", [(c, f), (d, g)]:
                    form = (c + d, _combine(f, g, 1))
                case "-", [(c, f), (d, g)]:
                    form = (c - d, _combine(f, g, -1))
                case "neg", [(c, f)]:
                    form = (-c, {k: -v for k, v in f.items()})
                case "*", [(c, f), (d, g)] if not f:
                    form = (c * d, {k: c * v for k, v in g.items() if c})
                case "*", [(c, f), (d, g)] if not g:
                    form = (c * d, {k: d * v for k, v in f.items() if d})
        done[node] = form
    return done[root]


def _combine(f: dict[str, int], g: dict[str, int], sign: int) -> dict[str, int]:
    out = dict(f)
    for k, v in g.items():
        out[k] = out.get(k, 0) + sign * v
    return {k: v for k, v in out.items() if v}


def tidy_index(root: Expr) -> Expr:
    """A subscript with its constants folded: `i + 1 - 1` is `i`."""
    if type(root) is not Call:
        return root
    form = affine(root)
    return root if form is None else from_affine(root.pool, *form)


def from_affine(pool: Pool, constant: int, factors: Mapping[str, int]) -> Expr:
    """The expression of an affine form, written as one would: `2*i - 1`, `i + k`, `3`."""
    result: Expr | None = None
    for name, k in sorted(factors.items(), key=lambda item: item[1] < 0):
        term = pool.index(name) if abs(k) == 1 else pool.call("*", pool.number(abs(k)), pool.index(name))
        if result is None:
            result = term if k > 0 else pool.call("neg", term)
        else:
            result = pool.call("+" if k > 0 else "-", result, term)
    if result is None:
        return pool.number(constant)
    if constant:
        result = pool.call("+" if constant > 0 else "-", result, pool.number(abs(constant)))
    return result
