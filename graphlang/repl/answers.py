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
from graphlang.graph.expressions import Index, Read, reads
from graphlang.graph.graph import Box, Goal, Graph, Range
from graphlang.graph.order import plan
from graphlang.pipeline import Program, evaluate_graph
from graphlang.repl.items import LEAVES, Item
from graphlang.repl.session import Session, State, as_leaf, known_values
from graphlang.run import EvaluationError, Run, offsets
from graphlang.show.cells import Texts, box_extents
from graphlang.syntax.parser import parse_expression
from graphlang.syntax.pieces import pieces as tokens

ANS = "ans"
NOWHERE = Source("session", "")
MOST_LAST = 50       # results that `ans` may go back to
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
    words = {t.text for t in tokens(typed.text) if t.kind == "name"}
    again = ANS in words and not mine
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


def declared(state: State) -> State:
    """A state in which every leaf says that it is one: else an expression that reads no variable would count as an input."""
    if any(i.role in LEAVES for i in state.items):
        return state
    items = [as_leaf(i, "input") if i.constant and k not in state.waiting else i for k, i in enumerate(state.items)]
    own = fresh("_", {n for i in items for n in i.names})
    return state._replace(items=(*items, Item(f"data {own} = 0", "declaration", (own,), frozenset(), role="data", origin=NOWHERE)))


def hidden(session: Session) -> list[Item]:
    """The equations of the results before: `ans`, and those that it was made of."""
    known = session.names()
    if not session.state.last:
        return []
    names = [fresh(f"{ANS}{k}", known) for k in range(1, len(session.state.last))] + [ANS]
    out = []
    for k, (name, text) in enumerate(zip(names, session.state.last)):
        _, binders = parse_expression(Source(ANS, text), known | set(names))
        subs = f"[{','.join(b.name for b in binders)}]" if binders else ""
        head = f"{name}{subs} = "
        origin = Source(ANS, text)
        out.append(Item(head + renamed(text, ANS, names[k - 1] if k else ANS), "equation", (name,), frozenset(), origin=origin, lead=len(head)))
    return out


def remember(session: Session, text: str) -> None:
    """Make an expression what `ans` means."""
    words = {t.text for t in tokens(text) if t.kind == "name"}
    last = (*session.state.last, text.strip()) if ANS in words and ANS not in session.names() else (text.strip(),)
    session.set_aside(last=last[-MOST_LAST:])


def renamed(text: str, name: str, other: str) -> str:
    out, end = [], 0
    for t in tokens(text):
        if t.kind == "name" and t.text == name:
            out += (text[end : t.start], other)
            end = t.end
    return "".join(out) + text[end:]


def fresh(name: str, taken: Iterable[str]) -> str:
    taken, n = set(taken), name
    while n in taken:
        n += "_"
    return n


def explained(session: Session, d: Diagnostic) -> Diagnostic:
    """About a name that has an equation which waits, say for what."""
    if d.code == "E101":
        for k, why in session.state.waiting.items():
            for name in session.state.items[k].names:
                if d.message.startswith(f"`{name}`"):
                    return d._replace(message=f"`{name}` has no value yet: {why}", hints=())
        if not session.state.items and not d.hints:
            return d._replace(hints=(f"give it a value first: `{d.message.split('`')[1]} = 2`",))
    return d


def needed(graph: Graph, name: str) -> Graph:
    """The part of a graph that one variable is made of."""
    seen, todo = {name}, [name]
    while todo:
        for e in graph.pieces.get(todo.pop(), ()):
            for r in reads(e.value):
                if r.name not in seen:
                    seen.add(r.name)
                    todo.append(r.name)
    keep = lambda v: v.name in seen or v.role == "const"  # noqa: E731
    return replace(graph, variables={n: v for n, v in graph.variables.items() if keep(v)}, equations=tuple(e for e in graph.equations if e.target in seen),
                   asked={n: a for n, a in graph.asked.items() if n in seen}, goals=(), claims=(), expectations=(), pieces={}, plans=[])


def answer(session: Session, text: str, ascii: bool = False) -> Result:
    """What an expression answers. Raises GraphError, EvaluationError."""
    at = examine(session, text)
    graph, name = at.graph, at.name
    v = graph.variables[name]
    texts = Texts(graph, ascii)
    values = known_values(graph)
    missing = tuple(n for n, x in graph.variables.items() if x.is_leaf and x.role != "const" and n not in values) if not graph.dims else graph.dims
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
    if read is not None and graph.variables[read.name].is_leaf:
        return result  # a leaf by itself: nothing to differentiate
    if read is not None and graph.variables[read.name].ranges == v.ranges:  # a variable by itself, in its own name
        name, graph = read.name, needed(graph, read.name)
        texts = Texts(graph, ascii)
        run = evaluated(graph, name)[0] if run else None
    wrt, more = chosen(session, graph, name)
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
    """The derivative of a scalar by a leaf: local derivatives, where the expression reads the leaf itself, else those times
    the total derivatives of what it reads."""
    graph, name = derivative.graph, derivative.goal.name
    pool, v = graph.pool, graph.variables[wrt]
    above = "d/d" if anonymous else f"d{texts.name(name)}/d"
    flat = run.passes[0].sweep.adjoints.get(wrt) if run else None
    if not any(c.source.target != name for c in derivative.incoming.get(wrt, ())) and not around(graph, name, wrt):
        parts = pieces(derivative, wrt)
        for piece in parts:
            ranges = dict(piece.over)
            box = tuple(ranges[s.name] if type(s) is Index else Range(int(s.value), int(s.value)) for s in piece.at)
            own = flat if flat is None or not box else [flat[k] for k in offsets(box, v.ranges)]
            over = texts.over((b.index, b.range) for b in piece.over) if len(parts) > 1 else ""
            yield Slope(wrt, above + texts.expression(pool.read(wrt, piece.at)), texts.expression(piece_formula(derivative, piece)), over, own, box_extents(piece.at, box))
        return
    fuller = tangent_graph(graph, wrt, only=name)
    shown = Texts(fuller, texts.ascii)
    for e in fuller.pieces.get(derivative_name(pool, name, wrt), ()):
        formula = shown.tree(e.source.value) if e.source else shown.expression(e.value)
        yield Slope(wrt, above + shown.expression(pool.read(wrt, e.subs)), formula, "", flat, [r.extent for r in v.ranges])


def around(graph: Graph, name: str, wrt: str) -> bool:
    """Whether the expression reads a node that depends on a variable."""
    seen, todo = set(), [r.name for e in graph.pieces.get(name, ()) for r in reads(e.value) if not graph.variables[r.name].is_leaf]
    while todo:
        n = todo.pop()
        if n == wrt:
            return True
        if n not in seen:
            seen.add(n)
            todo += [r.name for e in graph.pieces.get(n, ()) for r in reads(e.value)]
    return False


def of_table(graph: Graph, name: str, wrt: list[str], run: Run | None, texts: Texts) -> Iterable[Slope]:
    """The derivatives of a whole table, as matrix formulas where they are some; numbers where they are few."""
    from graphlang.query import tables
    from graphlang.show.jacobians import jacobians, lines

    for w in wrt:
        fuller, found = jacobians(graph, [name], [w])
        flat, ranges = None, graph.variables[w].ranges + graph.variables[name].ranges
        if run is not None and graph.variables[w].size * graph.variables[name].size <= MOST_ELEMENTS:
            ((flat, ranges),) = tables(run, [(name, None, w)]).values()
        for line in lines(fuller, found, Texts(fuller, texts.ascii)):
            label, _, rest = line.partition(" = ")
            formula, _, shape = rest.rpartition("    ")
            yield Slope(w, label, formula.rstrip(), f"    {shape}", flat, [r.extent for r in ranges])
