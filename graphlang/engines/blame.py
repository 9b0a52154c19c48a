"""Why a value is not finite: the first operation at fault, its operands, and where those came from."""

from __future__ import annotations

import math
from typing import Iterator, Mapping

from graphlang.derive.reverse import Derivative, local
from graphlang.diagnostics import Diagnostic, NOWHERE
from graphlang.engines.tape import Tape
from graphlang.graph.coverage import points, scoped
from graphlang.graph.affine import affine
from graphlang.graph.expressions import Call, Expr, Index, Number, Pick, Read, Reduce
from graphlang.graph.substitute import substitute
from graphlang.graph.functions import FUNCTIONS
from graphlang.graph.graph import Box, Equation, Graph, Range
from graphlang.graph.spell import formula
from graphlang.syntax.format import SOURCE

SPELLINGS = {"exp": "logsumexp, softplus or sigmoid", "log": "", "/": ""}


def operands_finite(e: Equation, at: Mapping[str, int], values, ranges) -> bool:
    return all(math.isfinite(v) for _, v in operand_values(e.value, at, values, ranges))


def operand_values(root: Expr, at: Mapping[str, int], values, ranges: Mapping[str, Box]) -> Iterator[tuple[str, float]]:
    """The elements that an expression reads at a point, each once: (spelling, value)."""
    seen = set()
    pool = root.pool
    put = {k: pool.number(v) for k, v in at.items()}
    for node, around in scoped(root):
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


def culprit(root: Expr, at: Mapping[str, int], values, ranges) -> tuple[Expr, list[float]]:
    """The operation that is first not finite on the way down from a value that is not, and its operands' values."""
    node, at = root, dict(at)
    known = value_at(root, at, values, ranges)
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
                    node, at, known, found = node.body, here, value, True
                    break
            if found:
                continue
            return node, body_values
        if type(node) is Call:
            inner = node.args
            if node.function == "where":
                inner = (node.args[1] if known[node.args[0]] else node.args[2],)
            below = next((a for a in inner if not math.isfinite(known[a])), None)
            if type(below) is Read and any(affine(s) is None for s in below.args):  # a gather that found no element
                return below, [known.get(s, math.nan) for s in below.args]
            if below is not None and type(below) not in (Number, Read):
                node = below
                continue
            return node, [known[a] for a in node.args]
        if type(node) is Pick:
            below = next((a for a in node.items if not math.isfinite(known.get(a, 0.0))), None)
            if below is not None and type(below) in (Call, Reduce, Pick):
                node = below
                continue
        return node, [known.get(s, math.nan) for s in node.args] if type(node) is Read else []


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
        return ("E502", "the result is too large for a float64", node.function) if args else ("E501", f"`{node.function}` over an empty range has no value", node.function)
    if type(node) is Read:
        element = f"{node.name}[{', '.join(map(number, args))}]"
        return "E506", f"`{element}` is no element of `{node.name}`", "a data-dependent subscript"
    return "E501", "the value is not finite", ""


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
    node, args = culprit(e.value, at, values, ranges)
    code, why, shown = describe(node, args)
    element = _element(e, at)
    hints = []
    if type(node) is Read and node.args:
        hints.append(f"`{node.name}` has the ranges {', '.join(map(str, graph.variables[node.name].ranges))}; its subscripts are whole numbers in them")
    if code == "E502" and type(node) is Call and node.function == "exp":
        hints.append("a stable form may exist: softplus, sigmoid, logsumexp, softmax")
    hints.append("`--ieee` carries inf and nan on instead of stopping")
    return Diagnostic(code, f"`{element}` has no finite value: {why}", e.span, shown, (), tuple(hints), tuple(origins(graph, e, at, values, ranges)))


def _element(e: Equation, at: Mapping[str, int]) -> str:
    subs = [str(at[s.name]) if type(s) is Index else str(int(s.value)) for s in e.subs]
    return f"{e.target}[{','.join(subs)}]" if subs else e.target


def origins(graph: Graph, e: Equation, at: Mapping[str, int], values, ranges) -> Iterator[str]:
    """Operands of the equation with their values and where they were defined."""
    shown = 0
    for name, value in operand_values(e.value, at, values, ranges):
        if shown == 6:
            yield "… and further operands"
            return
        shown += 1
        yield f"{name} = {number(value)}, {origin(graph, name.split('[')[0])}"


def origin(graph: Graph, name: str) -> str:
    v = graph.variables[name]
    where = f" (line {graph.source.position(v.span.start)[0]})" if graph.source and v.span else ""
    if v.is_leaf:
        return f"{'an' if v.role[0] in 'aeiou' else 'a'} {v.role}{where}"
    pieces = graph.pieces.get(name, ())
    text = formula(pieces[0].value, SOURCE, 60) if pieces else None
    return f"from {name} = {text}{where}" if text and not pieces[0].subs else f"defined{where}"


def explain_adjoint(derivative: Derivative, name: str, offset: int, sweep, values) -> Diagnostic:
    """The diagnostic for an adjoint that is not finite although all values are."""
    graph = derivative.graph
    goal = str(derivative.goal)
    v = graph.variables[name]
    subs = []
    rest = offset
    for r in reversed(v.ranges):
        subs.append(str(rest % r.extent + r.low))
        rest //= r.extent
    element = f"{name}[{','.join(reversed(subs))}]" if subs else name
    wrt = f"d{goal}/d{element}" if v.ranges == () or True else ""
    for c in derivative.incoming.get(name, ()):
        part = sweep.parts.get(c, ())
        if any(not math.isfinite(p) for p in part):
            f = formula(local(c), SOURCE, 200)
            at = {b.index: b.range.low for b in c.source.bindings}
            ranges = {n: x.ranges for n, x in graph.variables.items()}
            return Diagnostic("E504", f"`{wrt}` is not finite: the derivative of `{c.source.target}` has no finite value here", c.source.span,
                              f"local derivative {f}" if f else "", (), ("`--ieee` carries inf and nan on instead of stopping",),
                              tuple(origins(graph, c.source, at, values, ranges)))
    return Diagnostic("E504", f"`{wrt}` is not finite", v.span or NOWHERE)
