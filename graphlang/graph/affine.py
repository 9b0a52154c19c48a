"""Subscripts and bounds as integer affine forms: `2*i - 1` is (-1, {i: 2})."""

from __future__ import annotations

from typing import Mapping

from graphlang.graph.expressions import Call, Expr, Index, Number, Pool, postorder


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
