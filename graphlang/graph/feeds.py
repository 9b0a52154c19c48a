"""What the columns of a data set fill: `x[1..M]`, `A[2, 1..3]`, `x`, `x[3]`, `ystar`, in the order of the columns."""

from __future__ import annotations

from itertools import product
from typing import Sequence

from graphlang.diagnostics import Diagnostic, Label, Span
from graphlang.graph.constant import constant
from graphlang.graph.graph import Graph, Range, Variable
from graphlang.graph.lower import Lowering
from graphlang.graph.training import Feed
from graphlang.graph.values import Problem, Scope
from graphlang.syntax import ast

MOST_COLUMNS = 100_000
MOST_NAMED = 4  # elements that a message lists
FORMS = "`x[1..M]` some elements, `x` a whole table or a scalar, `x[3]` one element"
INSTEAD = {"const": "a const is the same for all examples", "node": "it has an equation", "param": "training changes it"}


def feeds(slots: Sequence[ast.Expr], lowering: Lowering, found: list[Diagnostic]) -> tuple[Feed, ...]:
    """What each slot is of. Mistakes, also elements that are filled twice, go to `found`."""
    out: list[Feed] = []
    taken: dict[tuple[str, int], Feed] = {}
    columns = 0
    for slot in slots:
        try:
            made = feed(slot, lowering, MOST_COLUMNS - columns)
        except Problem as p:
            found.append(p.diagnostic)
            continue
        again = next(((name, taken[made.leaf, k]) for name, k in zip(made.names, made.elements) if (made.leaf, k) in taken), None)
        if again is not None:
            found.append(Diagnostic("E412", f"`{again[0]}` is filled twice", slot.span, "filled again here", (Label(again[1].span, "filled here first"),),
                                    ("each element is filled by one column",)))
            continue
        taken |= {(made.leaf, k): made for k in made.elements}
        columns += len(made.elements)
        out.append(made)
    return tuple(out)


def feed(slot: ast.Expr, lowering: Lowering, most: int) -> Feed:
    """The leaf and the elements that one slot names. Raises Problem."""
    base, subs = (slot.base, slot.subs) if type(slot) is ast.Subscript else (slot, None)
    if type(base) is not ast.Name:
        text = "the file comes first, once" if type(base) is ast.Text or type(base) is ast.Call else ""
        raise Problem("E412", "columns fill leaves, and this is none", slot.span, text, hints=(FORMS,))
    v = lowering.variables.get(base.name)
    if v is None:
        raise lowering.undefined(base.name, base.span, Scope())
    if v.role not in ("data", "input"):
        declared = [Label(v.span, f"a {v.role}" if v.role != "node" else "defined here")] if v.span else []
        raise Problem("E412", f"`{v.name}` cannot be filled with data: {INSTEAD[v.role]}", slot.span, "columns fill `data` and `input` leaves", declared,
                      (f"leave its equation out and declare it: `data {v.name}`",) if v.role == "node" else ())
    if v.symmetric:
        raise Problem("E412", f"`{v.name}` is declared symmetric, which columns need not be", slot.span, hints=("declare it without `symmetric`",))
    box = v.ranges if subs is None else tuple(part(v, slot, sub, r, lowering) for sub, r in zip(checked(v, slot, subs), v.ranges))
    count = 1
    for r in box:
        count *= r.extent
    if not count:
        raise Problem("E412", f"`{v.name}` has no element", slot.span, "no column could fill it")
    if count > most:
        raise Problem("E902", f"more than {MOST_COLUMNS:,} columns would be read", slot.span, f"{count:,} of them here")
    places = list(product(*(range(r.low, r.high + 1) for r in box)))
    return Feed(v.name, tuple(offset(v, at) for at in places), tuple(element(v, at) for at in places), slot.span)


def checked(v: Variable, slot: ast.Expr, subs: tuple[ast.Expr, ...]) -> tuple[ast.Expr, ...]:
    if not v.ranges:
        raise Problem("E203", f"`{v.name}` is a scalar and has no elements", slot.span, "it takes no subscripts")
    if len(subs) != len(v.ranges):
        example = ",".join(map(str, v.ranges))
        raise Problem("E204", f"`{v.name}` has {len(v.ranges)} range{'s'[: len(v.ranges) > 1]}, but {len(subs)} subscript{'s are' if len(subs) > 1 else ' is'} given",
                      slot.span, hints=(f"`{v.name}` is the whole table, and so is `{v.name}[{example}]`",))
    return subs


def part(v: Variable, slot: ast.Expr, sub: ast.Expr, over: Range, lowering: Lowering) -> Range:
    """What a subscript picks from a range: an element, or a slice."""
    low, high = (sub.low, sub.high) if type(sub) is ast.Range else (sub, sub)
    picked = Range(whole(low, lowering), whole(high, lowering))
    if picked.low > picked.high:
        raise Problem("E217", f"the range {picked} {'has no element' if picked.low == picked.high + 1 else 'runs backwards'}", sub.span,
                      hints=(f"`{picked.high}..{picked.low}`",) if picked.low > picked.high + 1 else ())
    if not over.low <= picked.low <= picked.high <= over.high:
        raise Problem("E222", f"`{v.name}` has no element {picked.low if picked.low < over.low else picked.high} there", sub.span, f"its range is {over}",
                      [Label(v.span, "declared here")] if v.span else ())
    return picked


def whole(node: ast.Expr, lowering: Lowering) -> int:
    """A whole number made of numbers and consts. Raises Problem."""
    for n in ast.postorder(node):
        if type(n) is ast.Name and n.name not in lowering.variables:
            raise lowering.undefined(n.name, n.span, Scope())
    return int(constant(lowering.bound(node, Scope(integer=True))))


def offset(v: Variable, at: tuple[int, ...]) -> int:
    """Where an element is in its flat table."""
    k = 0
    for i, r in zip(at, v.ranges):
        k = k * r.extent + i - r.low
    return k


def element(v: Variable, at: tuple[int, ...]) -> str:
    return f"{v.name}[{','.join(map(str, at))}]" if at else v.name


# ---- what no column fills


def unfilled(graph: Graph, given: Sequence[Feed], needed: set[str], at: Span) -> list[Diagnostic]:
    """Leaves that have no value: those that columns fill in part, and `data` leaves, of those that are `needed`, which none fills. `at` is the entry."""
    out = []
    for v in graph.variables.values():
        if not v.is_leaf or v.initial is not None:
            continue
        own = [f for f in given if f.leaf == v.name]
        if own:
            there = {k for f in own for k in f.elements}
            missing = [element(v, place) for k, place in enumerate(product(*(range(r.low, r.high + 1) for r in v.ranges))) if k not in there]
            if missing:
                out.append(Diagnostic("E413", f"{listed(missing)} {'has' if len(missing) == 1 else 'have'} no value: no column fills {'it' if len(missing) == 1 else 'them'}",
                                      own[-1].span, "", (Label(v.span, f"over {', '.join(map(str, v.ranges))}, without a value"),) if v.span else (),
                                      (f"more columns, or a value that they replace in part: `{v.role} {v.name}[{', '.join(map(str, v.ranges))}] = ones`",)))
        elif v.role == "data" and v.name in needed and v.size:
            have = ", ".join(f"`{f.names[0]}`" if len(f.names) == 1 else f"`{f.names[0]}` to `{f.names[-1]}`" for f in given[:MOST_NAMED])
            out.append(Diagnostic("E413", f"`{v.name}` has no value, and no column fills it", v.span or at, "declared without a value",
                                  (Label(at, f"this fills {have}" if have else "this fills nothing"),),
                                  (f"name it behind the file: `data: …, {v.name}`", f"or give it a value: `data {v.name} = …`")))
    return out


def listed(names: Sequence[str]) -> str:
    few = ", ".join(f"`{n}`" for n in names[:MOST_NAMED])
    return few + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")
