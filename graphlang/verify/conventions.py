"""Points of a run at which a convention stands in for a derivative that does not exist.

Each is told as in the JSON: the variable or element, the operation there, a note, and the derivatives from both sides: by
the operand of a function, by an element of a reduction, and of a whole equation by what is compared at a boundary.
"""

from __future__ import annotations

import math
from itertools import groupby, islice
from typing import Iterator, NamedTuple

from graphlang.engines.blame import operand_values, value_at
from graphlang.engines.blame_backward import fault
from graphlang.engines.tape import Tape
from graphlang.graph.coverage import interval, points
from graphlang.graph.expressions import Bound, Call, Expr, Pick, Reduce
from graphlang.graph.derived import is_plain
from graphlang.graph.function_words import Kink
from graphlang.graph.functions import FUNCTIONS
from graphlang.graph.graph import Equation, Range
from graphlang.graph.lints import differentiated, slides
from graphlang.graph.patterns import suspect, written
from graphlang.graph.reductions import REDUCTIONS
from graphlang.graph.spell import formula
from graphlang.graph.substitute import substitute
from graphlang.run import Run
from graphlang.syntax.format import SOURCE
from graphlang.verify.one_sided import COMPARISONS, Point, at_jump, one_sided, slope, value

MOST_POINTS = 20_000     # of one equation that are looked at
MOST_ELEMENTS = 500_000  # of the reductions of one equation, which are looked at whole or not at all
MOST_COMPARED = 8     # elements of a comparison by which the two sides are looked at


class Scope(NamedTuple):
    """A right-hand side, or the body of a reduction in it, with the indices bound around it. `outer`: the reductions on
    the way to it, each with the scope that it is in."""

    root: Expr
    around: tuple[Bound, ...] = ()
    outer: tuple[tuple[Expr, Reduce], ...] = ()


class Site(NamedTuple):
    """A node that rests on a convention at given indices; without a `kink` a comparison at its boundary, or a step inside of a
    condition, which may."""

    scope: Scope
    node: Expr
    at: dict[str, int]
    kink: Kink | None


def conventions(run: Run) -> Iterator[dict]:
    seen: set[tuple[str, str]] = set()
    for found in _all(run):
        key = (found["name"], found["at"])
        if key not in seen:
            seen.add(key)
            yield found


def _all(run: Run) -> Iterator[dict]:
    reached = {e for p in run.passes for e in p.derivative.outgoing}
    names = {n for n, v in run.graph.variables.items() if v.role != "const"}
    moving = None
    for e in run.order:
        if e not in reached or not suspect(e.value) or not is_plain(e.target):
            continue  # the equations of a derivative rest on what those that it is of rest on
        if moving is None:
            moving = differentiated(run.graph) | {w for w in run.wrt if w in names}
        for scope in scopes(e.value):
            for site in sites(run, e, scope, names, moving):
                if site.kink is not None:
                    yield _told(e, site.at, site.node, site.kink.note, site.kink.one_sided)
                else:
                    yield from _compared(run, e, site, moving)
    if run.ieee:
        yield from _undefined(run)


# ---- where to look


def scopes(root: Expr) -> Iterator[Scope]:
    todo = [Scope(root)]
    while todo:
        scope = todo.pop()
        yield scope
        for node in within(scope.root):
            if type(node) is Reduce:
                todo.append(Scope(node.body, (*scope.around, *node.binders), (*scope.outer, (scope.root, node))))


def within(root: Expr) -> list[Expr]:
    """The nodes of a scope: what is inside of a reduction is a scope of its own, and subscripts are no operands."""
    out, seen, stack = [], {root}, [root]
    while stack:
        node = stack.pop()
        out.append(node)
        if type(node) in (Call, Pick):
            for a in node.args if type(node) is Call else node.items:
                if a not in seen:
                    seen.add(a)
                    stack.append(a)
    return out


def sites(run: Run, e: Equation, scope: Scope, names: set[str], moving: set[str]) -> Iterator[Site]:
    """Where a node of a scope is at a kink or at a boundary, and what it gives is read by the equation there."""
    inside = within(scope.root)
    kinked = [n for n in inside if type(n) is Call and FUNCTIONS[n.function].kink is not None and any(slides(a, names) for a in n.args)]
    kinked += [n for n in inside if type(n) is Call and n.function in COMPARISONS and any(slides(a, moving) for a in n.args)]
    reductions = [n for n in inside if type(n) is Reduce and REDUCTIONS[n.function].kink is not None and slides(n.body, names)]
    reached: dict = {}
    if kinked:
        for at, values in walk(run, e, scope.around, [a for n in kinked for a in n.args]):
            for node in kinked:
                args = [values[a] for a in node.args]
                kink = None if node.function in COMPARISONS else FUNCTIONS[node.function].kink(*args)
                if kink is not None and read_there(run, scope, node, at, reached):
                    yield Site(scope, node, dict(at), kink)
                elif at_jump(node, args) and read_there(run, scope, node, at, reached, decides=True):
                    yield Site(scope, node, dict(at), None)
    for node in reductions:
        if _count(e, (*scope.around, *node.binders)) > MOST_ELEMENTS:
            continue
        outer = [b.index for b in e.bindings] + [b.index for b in scope.around]
        for key, group in groupby(walk(run, e, (*scope.around, *node.binders), [node.body], None), lambda item: tuple(item[0][n] for n in outer)):
            at = dict(zip(outer, key))
            kink = REDUCTIONS[node.function].kink([values[node.body] for _, values in group])
            if kink is not None and read_there(run, scope, node, at, reached):
                yield Site(scope, node, at, kink)


def walk(run: Run, e: Equation, around: tuple[Bound, ...], nodes: list[Expr],
         most: int | None = MOST_POINTS) -> Iterator[tuple[dict[str, int], dict[Expr, float]]]:
    """The values of some nodes at every point of a scope, as far as `most`."""
    tape = Tape(run.flat, run.ranges, _over(e, around))
    registers = [(n, tape.place(n)) for n in nodes]
    for at in islice(points(e.bindings, around), most):
        for name, k in at.items():
            tape.registers[tape.index_register(name)] = k
        tape.run()
        yield at, {n: tape.registers[r] for n, r in registers}


def _over(e: Equation, around: tuple[Bound, ...]) -> dict[str, Range]:
    over: dict[str, Range] = dict(e.bindings)
    for b in around:
        over[b.index] = interval(b, over)
    return over


def _count(e: Equation, around: tuple[Bound, ...]) -> int:
    return math.prod(r.extent for r in _over(e, around).values())


def read_there(run: Run, scope: Scope, node: Expr, at: dict[str, int], reached: dict, decides: bool = False) -> bool:
    """Whether a node is differentiated at the given indices, and not in a branch that is not taken; or with `decides`, whether it
    is read at all, be it in a condition. `reached` keeps what was found."""
    for root, target in (*scope.outer, (scope.root, node)):
        here = {k: v for k, v in at.items() if k in root.free} if _branches(root, reached) else {}
        key = (root, target, decides, *here.values())
        if key not in reached:
            reached[key] = _reaches(run, root, target, here, decides)
        if not reached[key]:
            return False
    return True


def _branches(root: Expr, reached: dict) -> bool:
    """Whether it depends on values what of an expression is differentiated."""
    if root not in reached:
        reached[root] = any(type(n) is Pick or type(n) is Call and n.function == "where" for n in within(root))
    return reached[root]


def _reaches(run: Run, root: Expr, target: Expr, here: dict[str, int], decides: bool) -> bool:
    known = value_at(root, here, run.flat, run.ranges) if here or not root.free else {}
    stack, seen = [root], {root}
    while stack:
        node = stack.pop()
        if node is target:
            return True
        below: tuple[Expr, ...] = ()
        if type(node) is Call and node.function == "where":
            below = (node.args[1] if known[node.args[0]] else node.args[2],)
            below += (node.args[0],) if decides else ()
        elif type(node) is Call and (decides or FUNCTIONS[node.function].shown is not None):
            below = node.args
        elif type(node) is Pick:
            below = node.items if any(s not in known for s in node.at) else (node.items[_item(node, known)],)
        for a in below:
            if a not in seen:
                seen.add(a)
                stack.append(a)
    return False


def _item(node: Pick, known: dict[Expr, float]) -> int:
    offset = 0
    for n, s in zip(node.shape, node.at):
        offset = offset * n + int(known[s]) - 1
    return offset


# ---- what to say


def concrete(node: Expr, at: dict[str, int]) -> Expr:
    return substitute(node, {k: node.pool.number(v) for k, v in at.items()})


def _told(e: Equation, at: dict[str, int], node: Expr, note: str, sides) -> dict:
    subs = [concrete(s, at) for s in e.subs]
    name = f"{e.target}[{','.join(str(int(s.value)) for s in subs)}]" if subs else e.target
    shown = concrete(node, at)
    return {"name": name, "at": written(shown) or getattr(node, "function", name), "note": note, "one_sided": list(sides)}


def _compared(run: Run, e: Equation, site: Site, moving: set[str]) -> Iterator[dict]:
    """A right-hand side at the boundary of its conditions, if its derivatives differ there. All of its steps that are at a jump are
    forced together."""
    root = concrete(site.scope.root, site.at)
    point = Point(run.flat, run.ranges)
    comparison = concrete(site.node, site.at)
    for name, x in islice(operand_values(comparison, {}, run.flat, run.ranges), MOST_COMPARED):
        variable, _, subs = name.partition("[")
        if variable not in moving or not math.isfinite(x):
            continue
        element = variable, tuple(map(int, subs.rstrip("]").split(","))) if subs else ()
        sides = one_sided(root, element, point)
        used = slope(root, element, point)
        if any(s == s and not _same(s, used) for s in sides):
            owner = next((n for n in within(root) if type(n) is Call and n.function == "where" and comparison in within(n.args[0])), comparison)
            note = f"`{formula(comparison, SOURCE, 80) or comparison.function}` changes at {name} = {x:.6g}; the derivative of the branch taken is used"
            yield _told(e, site.at, owner, note, sides)
            return


def _same(a: float, b: float) -> bool:
    return a == b or abs(a - b) <= 1e-6 * max(1.0, min(abs(a), abs(b)))


def _undefined(run: Run) -> Iterator[dict]:
    """Equations whose formula has no derivative where the function has two, from the left and from the right: sqrt(x^2) at 0."""
    told = set()
    for p in run.passes:
        for name in p.derivative.variables:
            for c in p.derivative.incoming.get(name, ()):
                if c.source in told or all(map(math.isfinite, p.sweep.parts.get(c, ()))):
                    continue
                found = fault(p.derivative, c, p.sweep, run.flat)
                if found is None or math.isfinite(found.local):
                    continue
                told.add(c.source)
                here = {b.index: found.at[b.index] for b in c.source.bindings}
                root = concrete(c.source.value, here)
                point = Point(run.flat, run.ranges)
                if not math.isfinite(value(root, point)):
                    continue
                left, right = one_sided(root, found.element, point)
                if left == left and right == right and not _same(left, right):
                    yield _told(c.source, here, c.source.value, f"by {found.read} the derivatives from the two sides differ, and the formula gives {found.local:g}", (left, right))
