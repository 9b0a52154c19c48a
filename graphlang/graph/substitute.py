"""Substitution for indices without capture, and names for new indices."""

from __future__ import annotations

from typing import Callable, Iterable, Mapping

from graphlang.graph.affine import tidy_index
from graphlang.graph.expressions import Expr, Index, Read, Reduce, operands, rebuild


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


def each_reduction(root: Expr, change: Callable[[Reduce], Expr]) -> Expr:
    """Every outermost reduction in the place of its change."""
    done: dict[Expr, Expr] = {}
    stack = [(root, False)]
    while stack:
        node, ready = stack.pop()
        if node in done:
            continue
        below = operands(node)
        if type(node) is Reduce:
            done[node] = change(node)
        elif not below:
            done[node] = node
        elif not ready:
            stack.append((node, True))
            stack.extend((b, False) for b in below if b not in done)
        else:
            new = tuple(done[b] for b in below)
            done[node] = node if new == below else rebuild(node, new)
    return done[root]


def canonical(root: Expr, depth: int = 0) -> Expr:
    """The same expression with every bound index named by how deep it stands: two that differ in such names only are one.
    Depth of nested reductions is bounded when a program is read."""

    def renamed(node: Reduce) -> Expr:
        pool = node.pool
        names = {b.index: pool.index(f"#{depth + k}") for k, b in enumerate(node.binders)}
        binders = tuple(pool.bound(names[b.index].name, *(substitute(e, names) for e in (b.low, b.high))) for b in node.binders)
        body = canonical(substitute(node.body, names), depth + len(node.binders))
        return pool.reduce(node.function, binders, body, tuple(canonical(s, depth) for s in node.at))

    return each_reduction(root, renamed)


def unshadow(root: Expr, around: frozenset[str], names: Mapping[str, object]) -> Expr:
    """The same expression, written so that it reads back: no reduction in it binds an index that is in reach there
    (`around` at the root) or has the name of a variable (`names`)."""

    def renamed(node: Reduce) -> Expr:
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

    return each_reduction(root, renamed)
