"""Why a value is not finite: the first operation at fault, its operands, and where those came from."""

from __future__ import annotations

import math
from typing import Iterator, Mapping, NamedTuple

from graphlang.diagnostics import Diagnostic
from graphlang.engines.tape import Tape
from graphlang.graph.coverage import points, scoped
from graphlang.graph.affine import affine
from graphlang.graph.linear import rank
from graphlang.graph.expressions import Call, Expr, Index, Number, Pick, Read, Reduce, operands, postorder
from graphlang.graph.substitute import substitute
from graphlang.graph.functions import FUNCTIONS
from graphlang.graph.graph import Box, Equation, Graph, Range
from graphlang.graph.patterns import found as patterns
from graphlang.graph.spell import formula, text
from graphlang.syntax.format import SOURCE

MOST_OPERANDS = 6  # that a message lists


def operands_finite(e: Equation, at: Mapping[str, int], values, ranges) -> bool:
    return all(math.isfinite(v) for _, v in operand_values(e.value, at, values, ranges))


def operand_values(root: Expr, at: Mapping[str, int], values, ranges: Mapping[str, Box]) -> Iterator[tuple[str, float]]:
    """The elements that an expression reads at a point, each once: (spelling, value)."""
    seen = set()
    pool = root.pool
    put = {k: pool.number(v) for k, v in at.items()}
    for node, around in reversed(list(scoped(root))):  # in the order of the text
        if type(node) is not Read:
            continue
        for inner in points((), _fixed(around, put)):
            here = {**at, **inner}
            subs = [_integer(s, here, values, ranges) for s in node.args]
            if any(k is None or not r.low <= k <= r.high for k, r in zip(subs, ranges[node.name])):
                continue
            offset = 0
            for k, r in zip(subs, ranges[node.name]):
                offset = offset * r.extent + k - r.low
            name = f"{node.name}[{','.join(map(str, subs))}]" if subs else node.name
            if name not in seen:
                seen.add(name)
                yield name, values[node.name][offset]


def _fixed(around, put):
    out = []
    for b in around:
        out.append(b.pool.bound(b.index, substitute(b.low, put), substitute(b.high, put)))
    return tuple(out)


def _integer(sub: Expr, at: Mapping[str, int], values, ranges) -> int | None:
    form = affine(sub)
    if form is not None:
        return form[0] + sum(k * at[n] for n, k in form[1].items())
    value = value_at(sub, at, values, ranges)[sub]
    return int(value) if math.isfinite(value) and value == int(value) else None


def value_at(root: Expr, at: Mapping[str, int], values, ranges) -> dict[Expr, float]:
    """The value of an expression and of all that it is made of, inner reductions excepted, at given indices."""
    tape = Tape(values, ranges, {k: Range(v, v) for k, v in at.items()})
    for k, v in at.items():
        tape.registers[tape.index_register(k)] = v
    tape.place(root)
    tape.run()
    return {node: tape.registers[r] for node, r in tape.chain[0].known.items() if isinstance(node, Expr)}


class Culprit(NamedTuple):
    """The operation at fault, its operands' values, the indices there, and the operations that it is an operand of, the
    nearest first, as far as the elements of a reduction or the whole equation."""

    node: Expr
    args: list[float]
    at: dict[str, int]
    above: tuple[Expr, ...] = ()


def culprit(root: Expr, at: Mapping[str, int], values, ranges) -> Culprit:
    """The operation that is first not finite on the way down from a value that is not."""
    node, at = root, dict(at)
    known = value_at(root, at, values, ranges)
    above: tuple[Expr, ...] = ()
    while True:
        if type(node) is Reduce:
            pool = node.pool
            found = False
            body_values = []
            for inner in points((), _fixed(node.binders, {k: pool.number(v) for k, v in at.items()})):
                here = {**at, **inner}
                value = value_at(node.body, here, values, ranges)
                body_values.append(value[node.body])
                if not math.isfinite(value[node.body]):
                    node, at, known, above, found = node.body, here, value, (), True
                    break
            if found:
                continue
            return Culprit(node, body_values, at, above)
        if type(node) is Call:
            inner = node.args
            if node.function == "where":
                inner = (node.args[1] if known[node.args[0]] else node.args[2],)
            below = next((a for a in inner if not math.isfinite(known[a])), None)
            if type(below) is Read and any(affine(s) is None for s in below.args):  # a gather that found no element
                return Culprit(below, [known.get(s, math.nan) for s in below.args], at, above)
            if below is not None and type(below) not in (Number, Read):
                node, above = below, (node, *above)
                continue
            return Culprit(node, [known[a] for a in node.args], at, above)
        if type(node) is Pick:
            below = next((a for a in node.items if not math.isfinite(known.get(a, 0.0))), None)
            if below is not None and type(below) in (Call, Reduce, Pick):
                node, above = below, (node, *above)
                continue
        return Culprit(node, [known.get(s, math.nan) for s in node.args] if type(node) is Read else [], at, above)


def number(value: float) -> str:
    return f"{value:.6g}"  # six digits are enough to recognise a value by


def describe(node: Expr, args: list[float]) -> tuple[str, str, str]:
    """(code, what happened, the operation with its numbers)."""
    if type(node) is Call:
        row = FUNCTIONS[node.function]
        shown = _applied(node.function, args)
        if row.domain is not None:
            why = row.domain(*args)
            if why:
                return "E501", why, shown
        if all(map(math.isfinite, args)):
            value = row.reference(*args)
            if math.isnan(value):
                return "E501", f"`{node.function}` is not defined here", shown
            return "E502", "the value is too large for a float64", shown
        return "E501", "an operand is not finite", shown
    if type(node) is Reduce:
        if (singular := _singular(node, args)) is not None:
            return "E503", *singular
        return ("E502", "the result is too large for a float64", node.function) if args else ("E501", f"`{node.function}` over an empty range has no value", node.function)
    if type(node) is Read:
        element = f"{node.name}[{', '.join(map(number, args))}]"
        return "E506", f"`{element}` is no element of `{node.name}`", "a data-dependent subscript"
    return "E501", "the value is not finite", ""


def _singular(node: Reduce, args: list[float]) -> tuple[str, str] | None:
    """What is wrong with the matrix of an `inv`, `slogdet` or `solve`, and the call with its numbers."""
    if node.function not in ("inv", "slogdet", "_solve"):
        return None
    n = math.isqrt(len(args))  # those of a right side are fewer than another row
    found = rank(args[: n * n])
    if found == n:
        return None
    rows = [", ".join(map(number, args[k * n : (k + 1) * n])) for k in range(n)]
    text = "[" + ", ".join(f"[{row}]" for row in rows) + "]" if n <= 4 else f"a {n}×{n} matrix"
    return f"the matrix is singular, its rank is {found} and not {n}", f"{node.function.strip('_')}({text}{', …' if node.function == '_solve' else ''})"


def _applied(function: str, args: list[float]) -> str:
    texts = [number(a) for a in args]
    if function == "neg":
        return f"-({texts[0]})"
    if function.isidentifier():
        return f"{function}({', '.join(texts)})"
    return function.join(f"({t})" if t.startswith("-") else t for t in texts)


def explain(graph: Graph, e: Equation, at: Mapping[str, int], values) -> Diagnostic:
    """The diagnostic for a value that is not finite."""
    ranges = {n: v.ranges for n, v in graph.variables.items()}
    found = culprit(e.value, at, values, ranges)
    node = found.node
    code, why, shown = describe(node, found.args)
    if code in ("E501", "E502"):
        code, why = _kind(code, why, e, at, found, values, ranges)
    inner = ", ".join(f"{k} = {v}" for k, v in found.at.items() if k not in at)
    hints = []
    if type(node) is Read and node.args:
        hints.append(f"`{node.name}` has the ranges {', '.join(map(str, graph.variables[node.name].ranges))}; its subscripts are whole numbers in them")
    stable = stable_spellings(e.value, node, found.at, values, ranges)
    hints += stable
    if not stable and code == "E502" and type(node) is Call and node.function == "exp":
        hints.append("a stable form may exist: softplus, sigmoid, logsumexp, softmax")
    hints.append("`--ieee` carries inf and nan on instead of stopping")
    return Diagnostic(code, f"`{_element(e, at)}` has no finite value: {why}", e.span, f"{shown} where {inner}" if shown and inner else shown, (), tuple(hints),
                      tuple(origins(graph, e, at, values, ranges, found)))


LOGARITHMS = frozenset({"log", "log2", "log10", "log1p"})
NEVER_ZERO = frozenset({"exp", "sigmoid", "softplus", "_sech", "softmax"})


def _kind(code: str, why: str, e: Equation, at: Mapping[str, int], found: Culprit, values, ranges) -> tuple[str, str]:
    """E502 where a number is beyond what a float64 holds, and the value is what that makes of it: inf, or the logarithm of
    a number that vanished. E501 where an operation is not defined for what it is given, inf/inf and log(inf) included."""
    node = found.node
    if code == "E502":
        value = value_at(e.value, at, values, ranges)[e.value]
        if value != value:
            return "E501", "a number on the way is too large for a float64, and what is made of it is not defined"
        if any(type(n) is Call and n.function in LOGARITHMS for n in found.above):
            return "E501", "the logarithm is taken of a number that is too large for a float64"
    elif type(node) is Call and 0.0 in found.args:
        below = next((a for a, x in zip(node.args, found.args) if x == 0 and vanished(a, found.at, values, ranges)), None)
        if below is not None:
            return "E502", f"`{text(below) or below.function}` is too near to 0 for a float64, which takes it for 0"
    return code, why


def vanished(root: Expr, at: Mapping[str, int], values, ranges) -> bool:
    """Whether an expression is 0 here only because a float64 ends somewhere: exp(-1000), a product of small factors."""
    known = value_at(root, {k: v for k, v in at.items() if k in root.free}, values, ranges)
    gone: dict[Expr, bool] = {}

    def left(n: Expr) -> bool:  # what is not 0, or would not be
        return known.get(n, 1.0) != 0 or gone.get(n, False)

    for n in postorder(root):
        if n not in known or known[n] != 0:
            continue
        if type(n) is Call:
            a = n.args
            gone[n] = (n.function in NEVER_ZERO or n.function in ("neg", "sqrt") and gone.get(a[0], False) or n.function in ("*", "/") and all(map(left, a))
                       or n.function == "^" and left(a[0]) or n.function == "+" and all(gone.get(x, False) for x in a)
                       or n.function == "-" and a[0] is n.pool.one and type(a[1]) is Call and a[1].function == "sigmoid")
        elif type(n) is Reduce and n.function in ("sum", "mean", "softmax"):
            inner = [{**at, **k} for k in points((), _fixed(n.binders, {k: n.pool.number(v) for k, v in at.items()}))]
            gone[n] = n.function == "softmax" or bool(inner) and all(vanished(n.body, here, values, ranges) for here in inner)
    return gone.get(root, False)


def stable_spellings(root: Expr, node: Expr, at: Mapping[str, int], values, ranges) -> list[str]:
    """Hints: spellings that mean the same as a part of an expression around `node`, and have a value here."""
    out = []
    for match in patterns(root):
        if not any(n is node for n in postorder(match.node)) and match.node not in operands(node):
            continue
        here = {k: v for k, v in at.items() if k in match.instead.free}
        if set(here) == set(match.instead.free) and math.isfinite(value_at(match.instead, here, values, ranges)[match.instead]):
            out.append(f"a stable spelling of `{text(match.node) or match.node.function}` is `{match.stable}`")
    return out[:2]


def _element(e: Equation, at: Mapping[str, int]) -> str:
    subs = [str(at[s.name]) if type(s) is Index else str(int(s.value)) for s in e.subs]
    return f"{e.target}[{','.join(subs)}]" if subs else e.target


def origins(graph: Graph, e: Equation, at: Mapping[str, int], values, ranges, found: Culprit | None = None) -> Iterator[str]:
    """Operands of the equation with their values and where they were defined: those of the operation at fault first, and last
    those that they were made from."""
    first = dict(operand_values(found.node, found.at, values, ranges)) if found is not None else {}
    known = {**first, **{n: x for n, x in operand_values(e.value, at, values, ranges) if n not in first}}
    todo = list(first or known)
    while todo and len(known) <= MOST_OPERANDS:  # where those came from
        made = _definition(graph, todo.pop(0))
        for name, value in operand_values(made[0].value, made[1], values, ranges) if made else ():
            if name not in known:
                known[name] = value
                todo.append(name)
    for shown, (name, value) in enumerate(known.items()):
        if shown == MOST_OPERANDS:
            yield "… and further operands"
            return
        yield f"{name} = {number(value)}, {origin(graph, name)}"


def _variable(graph: Graph, element: str) -> tuple[str, tuple[int, ...]]:
    """The variable of an element and its subscripts; in the scalar view an element is a variable."""
    name, _, subs = element.partition("[")
    return (element, ()) if element in graph.variables else (name, tuple(map(int, subs.rstrip("]").split(","))))


def _definition(graph: Graph, element: str) -> tuple[Equation, dict[str, int]] | None:
    """The equation that an element is defined by, and its indices there; None for a leaf."""
    name, subs = _variable(graph, element)
    for e in graph.pieces.get(name, ()):
        if all(r.low <= k <= r.high for k, r in zip(subs, e.box)):
            return e, {s.name: k for s, k in zip(e.subs, subs) if type(s) is Index}
    return None


def origin(graph: Graph, element: str) -> str:
    v = graph.variables[_variable(graph, element)[0]]
    made = _definition(graph, element)
    span = made[0].span if made and made[0].span else v.span
    where = f" ({graph.source.line_of(span)})" if graph.source and span else ""
    if v.is_leaf:
        return f"{'an' if v.role[0] in 'aeiou' else 'a'} {v.role}{where}"
    shown = formula(made[0].value, SOURCE, 60) if made else None
    target = formula(graph.pool.read(v.name, made[0].subs), SOURCE, 60) if made else None
    return f"from {target} = {shown}{where}" if shown and target else f"defined{where}"
