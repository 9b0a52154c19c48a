"""What an expression answers: its value, and its derivative by every leaf as a formula and a number.

The expression becomes an equation of the session's program, so formula and number come from the graph and the derivative
that everything else comes from.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Iterable, NamedTuple

from graphlang.derive.forward import tangent_graph
from graphlang.derive.reverse import Derivative, differentiate, piece_formula, pieces
from graphlang.diagnostics import Diagnostic, GraphError, Source
from graphlang.graph.derived import derivative_name, is_plain
from graphlang.graph.expressions import Expr, Index, Number, Read, reads
from graphlang.graph.graph import Binding, Box, Goal, Graph, Range, ancestors
from graphlang.graph.order import plan
from graphlang.graph.sizes import symbolic
from graphlang.graph.spell import spell
from graphlang.pipeline import Program, evaluate_graph
from graphlang.repl.items import Item
from graphlang.repl.known import is_symbolic, known_values
from graphlang.repl.last import ANS, declared, fresh, hidden, words_of
from graphlang.repl.session import Session
from graphlang.run import EvaluationError, Run, offsets
from graphlang.show.cells import LONGEST, Texts, box_extents
from graphlang.syntax import ast
from graphlang.syntax.parser import parse_expression

MOST_SLOPES = 20     # leaves whose derivatives are listed when none are chosen
MOST_ELEMENTS = 10_000


class Slope(NamedTuple):
    """A derivative of the expression by a leaf, or by a box of its elements: `d/dx`, the formula with what it runs over, and
    the numbers (row-major; None without values) with their extents."""

    wrt: str
    label: str
    formula: str
    over: str
    value: list[float] | None
    extents: list[int]


class Result(NamedTuple):
    """An expression's value (None where a leaf has none) and derivatives. `formulas`: of a derivative that was asked for,
    its equations."""

    text: str
    value: list[float] | None
    ranges: Box
    slopes: tuple[Slope, ...]
    formulas: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    more: int = 0
    notes: tuple[str, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()
    source: Source | None = None


class Examined(NamedTuple):
    """The part of the session's program that an expression needs, with the equation of the expression itself."""

    name: str
    graph: Graph
    program: Program


def examine(session: Session, text: str) -> Examined:
    """Raises GraphError with places in the expression as it was typed."""
    typed = Source("input", text.strip())
    known = session.names()
    node, binders = parse_expression(typed, known | {ANS})
    mine = ANS in known
    words = words_of(typed.text)
    again = not mine and bool(words & {ANS, f"d{ANS}", f"∂{ANS}"}) and bool(session.state.last)
    check_waiting(session, node, typed)
    name = fresh(ANS if not again and not mine else "result", known | words)
    subs = f"[{','.join(b.name for b in binders)}]" if binders else ""
    head = f"{name}{subs} = "
    items = [*(hidden(session) if again else ()), Item(head + typed.text, "equation", (name,), frozenset(), origin=typed, lead=len(head))]
    source = session.source(declared(session.state), items)
    try:
        program = Program.read(source, session.reach)
        graph = needed(program.graph, name)
    except GraphError as error:
        raise GraphError([explained(session, d) for d in error.diagnostics], error.source) from None
    return Examined(name, graph, program)


def check_waiting(session: Session, node: ast.Expr, typed: Source) -> None:
    """Refuse a name whose equation waits, once and with its reason. Raises GraphError."""
    reasons = {n: why for k, why in session.state.waiting.items() for n in session.state.items[k].names}
    live = {n for i in session.state.ready for n in i.names}
    for n in ast.postorder(node) if reasons else ():
        for name in [n.name] if type(n) in (ast.Name, ast.Call) else [n.of, n.wrt] if type(n) is ast.Deriv else []:
            if name in reasons and name not in live:
                raise GraphError([Diagnostic("E101", f"`{name}` has no value yet: {reasons[name]}", n.span)], typed)


def explained(session: Session, d: Diagnostic) -> Diagnostic:
    """About a name in an empty session, say how a value is given."""
    if d.code == "E101" and not session.state.items and not d.hints:
        return d._replace(hints=(f"give it a value first: `{d.message.split('`')[1]} = 2`",))
    return d


def needed(graph: Graph, name: str) -> Graph:
    """The part of a graph that one variable is made of."""
    seen = ancestors(graph, {name})
    variables = {n: v for n, v in graph.variables.items() if n in seen or v.role == "const"}
    equations = tuple(e for e in graph.equations if e.target in seen)
    sizes = graph.dims and (any(symbolic(k) for n in seen & variables.keys() for r in variables[n].ranges for k in r) or any(map(is_symbolic, equations)) or seen & set(graph.dims))
    return replace(graph, variables=variables, equations=equations, dims=graph.dims if sizes else (), asked={n: a for n, a in graph.asked.items() if n in seen},
                   goals=(), claims=(), expectations=(), pieces={}, plans=[])


def answer(session: Session, text: str, ascii: bool = False) -> Result:
    """What an expression answers. Raises GraphError, EvaluationError."""
    at = examine(session, text)
    graph, name = at.graph, at.name
    v = graph.variables[name]
    texts = Texts(graph, ascii)
    values = known_values(graph)
    missing = graph.dims or tuple(n for n, x in graph.variables.items() if x.is_leaf and x.role != "const" and n not in values)
    opaque = any(e.opaque for e in graph.equations)
    own = graph.pieces.get(name, [])
    start = own[0].span.start if own and own[0].span is not None else 0
    warnings = tuple(d for d in at.program.graph.warnings if d.at is not None and d.at.start >= start)
    run, wrong = evaluated(graph, name) if not missing and not opaque and 0 < v.size <= MOST_ELEMENTS else (None, ())
    result = Result(text.strip(), run.flat[name] if run else values.get(name), v.ranges, (), missing=missing, notes=said(run) if run else (),
                    warnings=(*warnings, *wrong), source=at.program.source)
    read = own[0].value if len(own) == 1 and type(own[0].value) is Read else None
    if read is not None and not is_plain(read.name):
        return result._replace(formulas=tuple(texts.equation(e) for e in graph.pieces.get(read.name, ())))
    whole = read is not None and read.args == own[0].subs
    if read is not None and graph.variables[read.name].is_leaf and (whole or all(type(a) is Number for a in read.args)):
        return result  # a leaf by itself, or an element: nothing to differentiate
    if whole and graph.variables[read.name].ranges == v.ranges:  # a variable by itself, in its own name
        name, graph = read.name, needed(graph, read.name)
        texts = Texts(graph, ascii)
        run = evaluated(graph, name)[0] if run else None
    wrt, more = chosen(session, graph, name)
    if not wrt and session.state.wrt and any(x.is_leaf and x.role != "const" for x in graph.variables.values()):
        result = result._replace(notes=(*result.notes, f"it does not depend on {', '.join(session.state.wrt)}; `:wrt all` lists every leaf"))
    if v.ranges or graph.dims or opaque:
        return result._replace(slopes=tuple(of_table(graph, name, wrt, run, texts)), more=more)
    derivative = run.passes[0].derivative if run else differentiate(graph, Goal("output", name), plan(graph))
    slopes = [s for w in wrt for s in of_scalar(derivative, w, run, texts, name == at.name)]
    return result._replace(slopes=tuple(slopes), more=more)


def evaluated(graph: Graph, name: str) -> tuple[Run, tuple[Diagnostic, ...]]:
    """The run of one variable; where only its derivatives are not finite, with what is to be said about that. Raises
    EvaluationError where its value is not."""
    v = graph.variables[name]
    goal = name if not v.ranges else f"{name}[{','.join(str(r.low) for r in v.ranges)}]"
    try:
        return evaluate_graph(graph, {}, goal=goal), ()
    except EvaluationError as e:
        if not e.run.passes:
            raise
        return evaluate_graph(graph, {}, goal=goal, ieee=True), e.diagnostics


def said(run: Run) -> tuple[str, ...]:
    """Conventions and lost digits, not what does not depend on what."""
    conventions = [f"convention: {c['name']}, at {c['at']}: {c['note']}" for c in run.conventions]
    return (*conventions, *(n for n in run.notes if "does not depend on" not in n and "not finite" not in n))


def chosen(session: Session, graph: Graph, name: str) -> tuple[list[str], int]:
    """The leaves that derivatives are taken by, and how many more there are."""
    leaves = [n for n, v in graph.variables.items() if v.is_leaf and v.role != "const" and n != name]
    if session.state.wrt:
        return [n for n in session.state.wrt if n in graph.variables and n != name and graph.variables[n].role != "const"], 0
    return leaves[:MOST_SLOPES], max(0, len(leaves) - MOST_SLOPES)


def of_scalar(derivative: Derivative, wrt: str, run: Run | None, texts: Texts, anonymous: bool) -> Iterable[Slope]:
    """The derivative of a scalar by a leaf, with texts and numbers."""
    pool, v = derivative.graph.pool, derivative.graph.variables[wrt]
    above = "d/d" if anonymous else f"d{texts.name(derivative.goal.name)}/d"
    flat = run.passes[0].sweep.adjoints.get(wrt) if run else None
    found = list(slopes(derivative, wrt))
    for at, tree, over in found:
        ranges = dict(over)
        box = tuple(ranges[s.name] if type(s) is Index else Range(int(s.value), int(s.value)) for s in at)
        own = flat if flat is None or not box else [flat[k] for k in offsets(box, v.ranges)]
        formula = texts.too_long(LONGEST) if tree is None else texts.tree(tree)
        yield Slope(wrt, above + texts.expression(pool.read(wrt, at)), formula, texts.over(over) if len(found) > 1 else "", own, box_extents(at, box))


def slopes(derivative: Derivative, wrt: str) -> Iterable[tuple[tuple[Expr, ...], ast.Expr | None, tuple[Binding, ...]]]:
    """The derivative of a scalar by a leaf: for each box of its elements the subscripts, the formula (None: too long) and the
    ranges. Local derivatives where the expression reads the leaf itself, else those times the total derivatives of what it reads."""
    graph, name = derivative.graph, derivative.goal.name
    if not any(c.source.target != name for c in derivative.incoming.get(wrt, ())) and not around(graph, name, wrt):
        for piece in pieces(derivative, wrt):
            yield piece.at, spell(piece_formula(derivative, piece), LONGEST), piece.over
        return
    fuller = tangent_graph(graph, wrt, only=name)
    for e in fuller.pieces.get(derivative_name(graph.pool, name, wrt), ()):
        yield e.subs, e.source.value if e.source else None, e.bindings


def around(graph: Graph, name: str, wrt: str) -> bool:
    """Whether the expression reads a node that depends on a variable."""
    nodes = {r.name for e in graph.pieces.get(name, ()) for r in reads(e.value) if not graph.variables[r.name].is_leaf}
    return wrt in ancestors(graph, nodes)


def of_table(graph: Graph, name: str, wrt: list[str], run: Run | None, texts: Texts) -> Iterable[Slope]:
    """The derivatives of a whole table, as matrix formulas where they are some; numbers where they are few, arranged as the
    layout says. Where a table has several pieces, each with its own numbers."""
    from graphlang.query import tables
    from graphlang.show.jacobians import jacobians, layout_in_force, lines

    for w in wrt:
        fuller, (f,) = jacobians(graph, [name], [w])
        inner, outer = graph.variables[w].ranges, graph.variables[name].ranges
        flat, whole = None, inner + outer
        if run is not None and graph.variables[w].size * graph.variables[name].size <= MOST_ELEMENTS:
            ((flat, _),) = tables(run, [(name, None, w)]).values()
        parts = [text.partition(" = ") for text in lines(fuller, [f], Texts(fuller, texts.ascii))]
        if len(parts) == 1:
            extents = [r.extent for r in whole]
            if layout_in_force(graph) == "numerator":
                rows, columns = graph.variables[w].size, graph.variables[name].size
                flat = flat and [flat[j * columns + i] for i in range(columns) for j in range(rows)]
                extents = [r.extent for r in outer + inner]
            formula, _, shape = parts[0][2].rpartition("    ")
            yield Slope(w, parts[0][0], formula.rstrip(), f"    {shape}", flat, extents)
            continue
        for (label, _, rest), e in zip(parts, f.equations):
            own = flat and [flat[k] for k in offsets(e.box, whole)]
            yield Slope(w, label, rest.rpartition("    ")[0].rstrip(), "", own, box_extents(e.subs, e.box))
