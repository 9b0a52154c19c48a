"""What is printed of a quiz: its prose with the values of a variant, its equations, the tables to fill in, and the worked solution."""

from __future__ import annotations

from functools import lru_cache
from typing import Iterator

from graphlang.derive.reverse import Derivative, Piece as Adjoint, piece_formula
from graphlang.diagnostics import NOWHERE
from graphlang.graph.expressions import Expr
from graphlang.graph.graph import Variable
from graphlang.graph.values import Scope
from graphlang.quiz import prose
from graphlang.quiz.keys import in_words, plain, said
from graphlang.quiz.model import Blank, Cell, Fill, Formula, Piece, Quiz, Row, Value, Words
from graphlang.quiz.text import formula, shown, written
from graphlang.quiz.variants import Worked
from graphlang.run import Pass, Run
from graphlang.syntax import ast
from graphlang.syntax.format import SOURCE, format_expr

MOST_LINES = 200  # of a worked solution

Line = tuple[Piece, ...]


# ---- prose and equations


def pieces(worked: Worked, text: ast.Text) -> Line:
    """A text of the author's with numbers for its slots."""
    values = {v.name: plain(x) for v, x in zip(worked.prepared.quiz.vary, worked.drawn)}

    def number(node: ast.Expr) -> str:
        if type(node) is ast.Name and node.name in values:
            return values[node.name]
        if type(node) is ast.Name and node.name in worked.run.flat and worked.run.graph.variables[node.name].is_leaf:
            return written(worked.run.flat[node.name][0])
        run = worked.run if worked.run.order else worked.prepared.run(worked.leaves)
        return shown(run.evaluate(format_expr(node, SOURCE)))

    return tuple(Value(number(p.piece.value)) if type(p.piece) is prose.Slot else p.piece for p in placed(worked.prepared.quiz, text))


@lru_cache(maxsize=1024)  # the variants of a quiz have the same prose
def placed(quiz: Quiz, text: ast.Text) -> tuple[prose.Placed, ...]:
    return prose.prose(text, quiz.program.source, prose.names_of(quiz.program))


@lru_cache(maxsize=256)
def named(quiz: Quiz) -> set[str]:
    """The variables whose values stand in the prose."""
    out: set[str] = set()
    for part in quiz.parts:
        if type(part) is not Fill:
            for p in placed(quiz, part.text):
                if type(p.piece) is prose.Slot and type(p.piece.value) is ast.Name:
                    out.add(p.piece.value.name)
    return out


def program(worked: Worked) -> tuple[Line, ...]:
    """The values that are given and are not in the prose, then the equations as they are written."""
    quiz, graph = worked.prepared.quiz, worked.prepared.graph
    varied = {v.name: plain(x) for v, x in zip(quiz.vary, worked.drawn)}
    told, scalars, lines = named(quiz), [], []
    for s in quiz.program.statements:
        match s:
            case ast.Declaration(_, items):
                for item in items:
                    v = graph.variables[item.name]
                    if item.name in varied or item.value is not None and not v.ranges:
                        if item.name not in told:
                            exact = varied.get(item.name)
                            scalars.append((Formula(ast.Name(item.name, item.name_span)), Words(" = "), *([Value(exact)] if exact else [constant(item.value)])))
                    elif item.value is not None:
                        lines.append((Formula(ast.Name(item.name, item.name_span)), Words(" = "), Formula(item.value)))
                    elif v.ranges:
                        lines.append((Formula(ast.Name(item.name, item.name_span)), Words(f": {extent(v)}")))
            case ast.Opaque(signatures):
                for f in signatures:
                    args = ast.Call(f.name, f.params, (), f.span, f.name_span)
                    lines.append((Formula(args), Words(": a function that can be differentiated")))
            case ast.FunctionDef(name, params, body):
                lines.append((Formula(ast.Call(name, params, (), s.span, s.name_span)), Words(" = "), Formula(body)))
            case ast.Equation(target, value, binders):
                lines.append((Formula(target), Words(" = "), Formula(value), *([Words(" for " + ", ".join(map(bound, binders)))] if binders else [])))
    given = tuple(p for k, one in enumerate(scalars) for p in ((Words(", "), *one) if k else one))
    return ((given,) if given else ()) + tuple(lines)


def constant(value: ast.Expr) -> Piece:
    negative = type(value) is ast.Op and value.op == "neg" and type(value.args[0]) is ast.Num
    return Value(format_expr(value, SOURCE)) if negative or type(value) is ast.Num else Formula(value)


def bound(b: ast.Binder) -> str:
    return b.name if b.low is None else f"{b.name} in {format_expr(b.low, SOURCE)}..{format_expr(b.high, SOURCE)}"


def extent(v: Variable) -> str:
    sizes = [str(r).removeprefix("1..") for r in v.ranges]
    if len(sizes) == 1:
        return f"a vector of {sizes[0]} numbers" if v.ranges[0].low == 1 else f"a vector over {sizes[0]}"
    return f"a matrix, {' by '.join(sizes)}" if len(sizes) == 2 else f"a table, {' by '.join(sizes)}"


# ---- tables


def row_name(worked: Worked, blank: ast.Expr) -> str:
    """A blank as a variable of the scalar view: `z`, `z[1]`."""
    lowered = worked.prepared.lowering.scalar(blank, Scope())
    return f"{lowered.name}[{','.join(str(int(a.value)) for a in lowered.args)}]" if lowered.args else lowered.name


def table(worked: Worked, part: Fill, ids: list[str]) -> tuple[tuple[str, ...], tuple[Row, ...], tuple[str, ...]]:
    """The heads, the rows, and the ids of its blanks in the order of the working."""
    run, decimals = worked.shown, worked.prepared.quiz.working
    blanks = {row_name(worked, b): i for b, i in zip(part.blanks, ids)}
    equations = {e.target: e for e in run.order}

    def left(name: str) -> Cell:
        e = equations.get(name)
        if e is None:
            return Cell((formula(run.graph.pool.read(name, ())),))
        return Cell((formula(run.graph.pool.read(name, ())), Words(" = "), Formula(e.source.value) if e.source is not None and not e.bindings else formula(e.value)))

    def value(name: str, x: float) -> Cell:
        if name in blanks:
            return Cell(blank=blanks[name])
        return Cell((Value(written(x) if name not in equations else shown(x, decimals)),))

    if part.direction == "forward":
        leaves = [n for n, v in run.graph.variables.items() if v.is_leaf and v.role != "const" and n in run.flat]
        names = [*leaves, *equations]
        rows = tuple(Row((left(n), value(n, run.flat[n][0]))) for n in names)
        return ("Forward", "Value"), rows, tuple(blanks[n] for n in names if n in blanks)
    p = run.passes[0]
    names = [n for n in p.derivative.variables if run.graph.variables[n].role != "data"]
    rows = []
    for n in names:
        adjoint, x = p.derivative.adjoint_name(n), p.sweep.adjoints[n][0]
        known = run.flat[n][0]
        rows.append(Row((left(n), Cell((Value(shown(known, decimals) if n in equations else written(known)),)), Cell((formula(run.graph.pool.read(adjoint, ())),)),
                         Cell(blank=blanks[n]) if n in blanks else Cell((Value(shown(x, None if n == p.goal.name else decimals)),)))))
    return ("Forward", "Value", "Backward", "Value"), tuple(rows), tuple(blanks[n] for n in names if n in blanks)


def lead(worked: Worked, part: Fill) -> Line:
    """What is asked for above a table."""
    if part.direction == "forward":
        return (Words("Fill in the blanks of the table, from the top down: the values of the variables."),)
    goal = ast.Name(worked.shown.passes[0].goal.name, NOWHERE)
    return (Words("Fill in the blanks of the table, from the top down: the derivatives of "), Formula(goal), Words("."))


# ---- the worked solution


def solution(worked: Worked, blanks: list[Blank]) -> tuple[Line, ...]:
    """Every value with its equation, every adjoint with its contributions, then the keys and what is accepted."""
    out: list[Line] = []
    if worked.prepared.numeric:
        run = worked.shown
        for e in run.order:
            out.append((formula(run.graph.pool.read(e.target, ())), Words(" = "), formula(e.value), Words(" = "), Value(shown(run.flat[e.target][0]))))
        for p in run.passes if worked_backward(worked) else ():
            out += backward(run, p)
    if len(out) > MOST_LINES:
        out = [*out[: MOST_LINES // 2], (Words(f"({len(out) - MOST_LINES:,} lines more)"),), *out[-MOST_LINES // 2 :]]
    for b in blanks:
        how = f" ({said(b.precision)})" if b.precision.kind in ("decimals", "figures", "exactly") else ""
        out.append((Formula(b.shown), Words(" = "), Value(plain(b.key)), Words(f"{how}; accepted {in_words(b.accepted)}")))
    return tuple(out)


def worked_backward(worked: Worked) -> bool:
    from graphlang.quiz.variants import variants

    return variants(worked.prepared.quiz).differentiated


@lru_cache(maxsize=4096)
def total(derivative: Derivative, piece: Adjoint) -> Expr:
    return piece_formula(derivative, piece)


def backward(run: Run, p: Pass) -> Iterator[Line]:
    pool = run.graph.pool
    for name in p.derivative.variables:
        if run.graph.variables[name].role == "data" or name not in p.derivative.incoming and name != p.goal.name:
            continue
        adjoint = run.adjoint(p, name)
        for piece in adjoint.pieces:
            value = total(p.derivative, piece)
            yield (formula(pool.read(p.derivative.adjoint_name(name), ())), Words(" = "), formula(value), *([Words(" = "), Value(shown(adjoint.value[0]))] if value.args or name != p.goal.name else []))
        for entry in adjoint.entries if len(adjoint.entries) > 1 else ():
            c = entry.contribution
            up = p.sweep.adjoints[c.source.target][0]
            local, _ = run.local_value(c)
            yield (Words("    through "), formula(pool.read(c.source.target, ())), Words(": "), Value(shown(up)), Words(" · "), Value(shown(local[0])), Words(" = "), Value(shown(entry.value[0])))
