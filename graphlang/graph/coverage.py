"""Whether the pieces of a table cover a box once, and whether every read is inside its range."""

from __future__ import annotations

from itertools import islice, product
from typing import Iterator

from graphlang.diagnostics import Diagnostic, Label, Span
from graphlang.graph.affine import affine
from graphlang.graph.expressions import Bound, Expr, Pick, Read, Reduce, operands
from graphlang.graph.graph import Binding, Box, Equation, Graph, Range, meets
from graphlang.graph.sizes import symbolic, written
from graphlang.graph.values import Problem
from graphlang.syntax import ast

MOST_POINTS = 1_000_000  # tried when intervals alone cannot tell


def check_coverage(name: str, pieces: list[tuple[Box, ast.Equation]]) -> list[Diagnostic]:
    """Pieces must be disjoint and cover a box without holes."""
    if len(pieces) == 1:
        return []
    found = []
    dims = len(pieces[0][0])
    if all(all(r.extent == 1 for r in box) for box, _ in pieces):  # single elements: a table of them is enough
        seen: dict[tuple, ast.Equation] = {}
        for box, s in pieces:
            at = tuple(r.low for r in box)
            if at in seen:
                found.append(_twice(name, at, s, seen[at]))
            seen[at] = s
    else:
        ordered = sorted(pieces, key=lambda p: p[0][0].low)
        for k, (box, s) in enumerate(ordered):
            for other, t in islice(ordered, k + 1, None):
                if other[0].low > box[0].high:
                    break
                if meets(box, other):
                    at = tuple(max(a.low, b.low) for a, b in zip(box, other))
                    first, second = sorted((s, t), key=lambda x: x.span.start)
                    found.append(_twice(name, at, second, first))
    if found:
        return found[:3]
    hull = tuple(Range(min(b[d].low for b, _ in pieces), max(b[d].high for b, _ in pieces)) for d in range(dims))
    covered, whole = sum(_size(b) for b, _ in pieces), _size(hull)
    if covered < whole:
        at = _hole(hull, [b for b, _ in pieces])
        element = f"{name}[{','.join(map(str, at))}]"
        found.append(Diagnostic("E224", f"`{element}` is not defined", pieces[0][1].target.span,
                                f"the pieces of `{name}` reach over {', '.join(map(str, hull))}",
                                tuple(Label(s.target.span, f"defines {', '.join(map(str, b))}") for b, s in pieces[1:4]),
                                (f"add `{element} = …`",)))
    return found


def _twice(name: str, at: tuple[int, ...], s: ast.Equation, first: ast.Equation) -> Diagnostic:
    element = f"{name}[{','.join(map(str, at))}]"
    return Diagnostic("E223", f"`{element}` is defined twice", s.target.span, "defined again here",
                      (Label(first.target.span, "defined here first"),), ("change one of the ranges",))


def _size(box: Box) -> int:
    n = 1
    for r in box:
        n *= r.extent
    return n


def _hole(hull: Box, boxes: list[Box]) -> tuple[int, ...]:
    """An element of the hull that no box has: among the corners that boxes end at."""
    ends = [sorted({r.low} | {b[d].high + 1 for b in boxes if b[d].high < r.high} | {b[d].low for b in boxes}) for d, r in enumerate(hull)]
    for at in product(*ends):
        if not any(all(r.low <= k <= r.high for k, r in zip(at, b)) for b in boxes):
            return at
    raise AssertionError("a hole was counted but not found")


# ---- reads


def scoped(root: Expr) -> Iterator[tuple[Expr, tuple[Bound, ...]]]:
    """Each distinct node with the binders around it, outermost first."""
    work: list[tuple[Expr, tuple[Bound, ...]]] = [(root, ())]
    seen = set()
    while work:
        node, around = work.pop()
        if (node, around) in seen:
            continue
        seen.add((node, around))
        yield node, around
        if type(node) is Reduce:
            inner = around
            for b in node.binders:
                work.extend((e, inner) for e in (b.low, b.high))
                inner = (*inner, b)
            work.append((node.body, inner))
            work.extend((s, around) for s in node.at)
        else:
            work.extend((a, around) for a in operands(node))


def interval(binder: Bound, over: dict[str, Range]) -> Range:
    """All that an index may be, given what the indices around it may be."""
    ends = []
    for bound, pick in ((binder.low, min), (binder.high, max)):
        c, factors = affine(bound)
        for k, f in factors.items():
            c += pick(f * over[k].low, f * over[k].high)
        ends.append(c)
    return Range(*ends)


def check_reads(graph: Graph) -> list[Diagnostic]:
    found = []
    for e in graph.equations:
        if e.value.plain:
            continue
        base = dict(e.bindings)
        for node, around in scoped(e.value):
            if type(node) not in (Read, Pick):
                continue
            subs = node.args if type(node) is Read else node.at
            if not subs:
                continue
            whole = graph.variables[node.name].ranges if type(node) is Read else tuple(Range(1, n) for n in node.shape)
            over = dict(base)
            for b in around:
                over[b.index] = interval(b, over)
            if any(r.extent == 0 for r in over.values()):
                continue
            box = reach(subs, over, whole)
            if all(w.low <= b.low and b.high <= w.high and _comparable(b.high, w.high) for b, w in zip(box, whole)):
                continue
            bad = at_ends(subs, over, whole) if any(symbolic(r.high) for r in (*over.values(), *whole)) else witness(subs, e.bindings, around, whole)
            if bad is not None:
                found.append(_outside(graph, e, node, subs, whole, *bad))
                break
    return found


def _comparable(a: int, b: int) -> bool:
    """Whether one bound is known to be within another: two symbolic sizes are only if they are one."""
    here = symbolic(a)
    return here is None or (symbolic(b) or ("",))[0] == here[0]


def at_ends(subs, over: dict[str, Range], whole: Box) -> tuple[dict[str, int], tuple] | None:
    """Where sizes are symbolic no points can be gone through: an end of the indices at which a subscript is outside. Two sizes
    are not known to be equal."""
    for d, (sub, full) in enumerate(zip(subs, whole)):
        form = affine(sub)
        if form is None:
            continue
        for high in (True, False):
            at = {k: (over[k].high if (f > 0) == high else over[k].low) for k, f in form[1].items()}
            value = form[0] + sum(f * at[k] for k, f in form[1].items())
            here, there = symbolic(value), symbolic(full.high)
            unknown = high and (here and here[0]) != (there and there[0]) and here is not None
            if unknown or not full.low <= value <= full.high:
                return at, tuple(value if k == d else None for k in range(len(whole)))
    return None


def reach(subs, over, whole) -> Box:
    """Intervals that the subscripts run over (a gather is checked when it is evaluated)."""
    out = []
    for sub, full in zip(subs, whole):
        form = affine(sub)
        if form is None:
            out.append(full)
            continue
        low = high = form[0]
        for k, f in form[1].items():
            low, high = low + min(f * over[k].low, f * over[k].high), high + max(f * over[k].low, f * over[k].high)
        out.append(Range(low, high))
    return tuple(out)


def points(bindings: tuple[Binding, ...], around: tuple[Bound, ...]) -> Iterator[dict[str, int]]:
    """Every assignment of the indices, in order."""
    names = [b.index for b in bindings] + [b.index for b in around]

    def values(k: int, at: dict[str, int]) -> Iterator[int]:
        if k < len(bindings):
            return iter(range(bindings[k].range.low, bindings[k].range.high + 1))
        b = around[k - len(bindings)]
        low, high = (c + sum(f * at[i] for i, f in form.items()) for c, form in (affine(b.low), affine(b.high)))
        return iter(range(low, high + 1))

    at: dict[str, int] = {}
    if not names:
        yield at
        return
    stack = [values(0, at)]
    while stack:
        k = len(stack) - 1
        value = next(stack[-1], None)
        if value is None:
            stack.pop()
            continue
        at[names[k]] = value
        if k + 1 == len(names):
            yield at
        else:
            stack.append(values(k + 1, at))


def witness(subs, bindings, around, whole) -> tuple[dict[str, int], tuple] | None:
    """The first point at which a subscript leaves its range, or None when there is none."""
    forms = [affine(s) for s in subs]
    used = {k for f in forms if f for k in f[1]}
    for b in reversed(around):
        if b.index in used:
            used |= b.free
    bindings = tuple(b for b in bindings if b.index in used)
    around = tuple(b for b in around if b.index in used)
    for at in islice(points(bindings, around), MOST_POINTS):
        values = tuple(None if f is None else f[0] + sum(c * at[k] for k, c in f[1].items()) for f in forms)
        if any(v is not None and not w.low <= v <= w.high for v, w in zip(values, whole)):
            return dict(at), values
    return None


def _outside(graph: Graph, e: Equation, node, subs, whole: Box, at: dict[str, int], values) -> Diagnostic:
    name = node.name if type(node) is Read else "the list"
    element = f"{name}[{','.join('…' if v is None else written(v) for v in values)}]"
    when = ", ".join(f"{k} = {written(v)}" for k, v in at.items())
    labels = []
    variable = graph.variables.get(name)
    if variable is not None and variable.span:
        labels.append(Label(variable.span, f"`{name}` has the range{'s' if len(whole) > 1 else ''} {', '.join(map(str, whole))}"))
    span = e.span
    for n in ast.postorder(e.source.value) if e.source else ():
        if type(n) is ast.Subscript and type(n.base) is ast.Name and n.base.name == name and len(n.subs) == len(subs):
            span = n.span if span is e.span or at else span
            if _spelled_alike(n, values, at, graph):
                span = n.span
                break
    return Diagnostic("E222", f"`{element}` is outside the range of `{name}`", span, f"reached when {when}" if when else "no such element", tuple(labels),
                      ("a read outside a range is never clipped or wrapped: change the range of the index, or define the missing element",))


def _spelled_alike(node: ast.Subscript, values, at, graph: Graph) -> bool:
    """Whether a written read `x[i-1]` is the one that leaves its range: evaluate its subscripts at the point."""
    for s, v in zip(node.subs, values):
        got = _integer(s, at, graph)
        if got is not None and v is not None and got != v:
            return False
    return True


def _integer(root: ast.Expr, at: dict[str, int], graph: Graph) -> int | None:
    stack: list = []
    for n in ast.postorder(root):
        match n:
            case ast.Num(value, _, _):
                stack.append(value)
            case ast.Name(name, _):
                value = at.get(name, graph.consts.get(name))
                if value is None:
                    return None
                stack.append(value)
            case ast.Op("neg", _, _):
                stack.append(-stack.pop())
            case ast.Op("+" | "-" | "*" | "coef" as op, _, _):
                b, a = stack.pop(), stack.pop()
                stack.append(a + b if op == "+" else a - b if op == "-" else a * b)
            case _:
                return None
    return int(stack[0])


def check_expression(root: Expr, bindings: tuple[Binding, ...], ranges, span: Span) -> None:
    """The reads of a lone expression (an expectation, `evaluate`). Raises Problem for one outside its range."""
    for node, around in scoped(root):
        if type(node) is not Read or not node.args:
            continue
        over = dict(bindings)
        for b in around:
            over[b.index] = interval(b, over)
        whole = ranges[node.name]
        box = reach(node.args, over, whole)
        if all(w.low <= b.low and b.high <= w.high for b, w in zip(box, whole)) or any(r.extent == 0 for r in over.values()):
            continue
        bad = witness(node.args, bindings, around, whole)
        if bad is not None:
            element = f"{node.name}[{','.join('…' if v is None else str(v) for v in bad[1])}]"
            raise Problem("E222", f"`{element}` is outside the range of `{node.name}`", span, f"its ranges are {', '.join(map(str, whole))}")
