"""Hints, step by step: which rule, the local derivative, the row, the number. And the first row of a table that a mistake makes wrong.

They are read off the run that tables are printed from.
"""

from __future__ import annotations

from typing import NamedTuple

from graphlang.derive.reverse import local, piece_formula
from graphlang.graph.derived import derivative_name
from graphlang.graph.expressions import reads
from graphlang.quiz.cells import cells_of
from graphlang.quiz.diagnosing import decimal, rounded
from graphlang.quiz.keys import plain
from graphlang.quiz.model import Blank, Choice, Diagnosis, Formula, Piece, Value, Words
from graphlang.quiz.perturbed import Perturbing
from graphlang.quiz.text import LETTERS, formula, shown
from graphlang.quiz.variants import Worked
from graphlang.run import Pass, Run

Line = tuple[Piece, ...]
MOST_READERS = 6
MOST_OPTIONS = 2  # that are ruled out before the right one is said


class Hint(NamedTuple):
    """`answer`: whether it gives the answer away."""

    lines: tuple[Line, ...]
    answer: bool = False


class Row(NamedTuple):
    """A row of the table: what it is called, its formula, its value."""

    name: Piece
    formula: Piece
    value: float


def hints(worked: Worked, asked: Blank | Choice) -> list[Hint]:
    """The hints for one answer, the last of which is the answer."""
    return options(asked) if type(asked) is Choice else [*on_the_way(worked, asked), Hint(((Formula(asked.shown), Words(" = "), Value(plain(asked.key))),), True)]


def options(choice: Choice) -> list[Hint]:
    """Wrong options one by one."""
    wrong = [(LETTERS[k], o) for k, o in enumerate(choice.options) if not o.right]
    right = next(LETTERS[k] for k, o in enumerate(choice.options) if o.right)
    out = [Hint(((Words(f"{letter} is wrong." + (f" {o.message}" if o.message else "")),),)) for letter, o in wrong[: min(MOST_OPTIONS, len(wrong) - 1)]]
    return [*out, Hint(((Words(f"{right} is right."),),), True)]


def on_the_way(worked: Worked, blank: Blank) -> list[Hint]:
    run = worked.shown
    cell = cells_of(worked.prepared.quiz).of.get(blank.id)
    for p in run.passes:
        for name in p.derivative.variables:
            if p.derivative.adjoint_name(name) == cell:
                return backward(run, p, name)
    e = next((e for e in run.order if e.target == cell), None)
    return [] if e is None else forward(run, e)


def forward(run: Run, e) -> list[Hint]:
    pool = run.graph.pool
    before = [formula(pool.read(n, ())) for n in dict.fromkeys(r.name for r in reads(e.value)) if n in run.graph.variables][:MOST_READERS]
    target = formula(pool.read(e.target, ()))
    rule = (target, Words(" is computed from "), *listed(before), Words(".")) if before else (target, Words(" is a number of its own."))
    return [Hint((rule,)), Hint(((target, Words(" = "), formula(e.value)),))]


def backward(run: Run, p: Pass, name: str) -> list[Hint]:
    pool, target = run.graph.pool, formula(run.graph.pool.read(p.derivative.adjoint_name(name), ()))
    entries = run.adjoint(p, name).entries
    node = formula(pool.read(name, ()))
    if not entries:
        return [Hint(((Words("Nothing on the way to "), formula(pool.read(p.goal.name, ())), Words(" reads "), node, Words(".")),))]
    sources = [e.contribution.source for e in entries]
    upstream = [formula(pool.read(p.derivative.adjoint_name(s.target), ())) for s in sources[:MOST_READERS]]
    rule = (*upstream, Words(" times the local derivative.")) if len(sources) == 1 else (Words("the sum of "), *listed(upstream), Words(", each times its local derivative."))
    lines = [(node, Words(" is read by "), *listed([formula(pool.read(s.target, ())) for s in sources[:MOST_READERS]]), Words(": by the chain rule, "), *rule)]
    lines += [(Words("    "), formula(pool.read(s.target, ())), Words(" = "), formula(s.value)) for s in sources[:MOST_READERS]]
    locals_ = [(formula(pool.read(derivative_name(pool, s.target, name, partial=True), ())), Words(" = "), formula(local(e.contribution)))
               for s, e in zip(sources[:MOST_READERS], entries)]
    return [Hint(tuple(lines)), Hint(tuple(locals_)), Hint(((target, Words(" = "), row_of(run, p, name).formula),))]


def listed(pieces: list[Piece]) -> list[Piece]:
    out: list[Piece] = []
    for k, piece in enumerate(pieces):
        out += [Words(" and " if k == len(pieces) - 1 else ", "), piece] if k else [piece]
    return out


def row_of(run: Run, p: Pass, name: str) -> Row:
    adjoint = run.adjoint(p, name)
    pool = run.graph.pool
    return Row(formula(pool.read(p.derivative.adjoint_name(name), ())), formula(piece_formula(p.derivative, adjoint.pieces[0])), adjoint.value[0])


def row(worked: Worked, blank: Blank) -> Row | None:
    """The row of the table that a blank is in."""
    run, cell = worked.shown, cells_of(worked.prepared.quiz).of.get(blank.id)
    return row_named(run, cell) if cell is not None else None


def row_named(run: Run, cell: str) -> Row | None:
    for p in run.passes:
        name = next((n for n in p.derivative.variables if p.derivative.adjoint_name(n) == cell), None)
        if name is not None and run.adjoint(p, name).pieces:
            return row_of(run, p, name)
    e = next((e for e in run.order if e.target == cell), None)
    return None if e is None else Row(formula(run.graph.pool.read(cell, ())), formula(e.value), run.flat[cell][0])


def first_wrong(worked: Worked, part: int, blank: Blank, diagnosis: Diagnosis) -> Row | None:
    """The first row that comes out wrong if a mistake was made that leads to a diagnosed number; None where that cannot be told, or no row of numbers is it."""
    asked = [w.id for _, w in worked.prepared.part(part)]
    if blank.id not in asked:
        return None
    a, perturbed, wrong = asked.index(blank.id), worked.prepared.perturbed[part], worked.wrong(part)
    found = {first_row(perturbed, k) for k, p in enumerate(perturbed.perturbations)
             if set(p.names) <= set(diagnosis.mistakes) and not wrong.same[k][a] and wrong.answers[k][a] == wrong.answers[k][a]
             and diagnosis.accepted.holds(rounded(decimal(wrong.answers[k][a]), blank.precision))}
    return row_named(worked.shown, found.pop()) if len(found) == 1 and None not in found else None


def first_row(perturbed, k: int) -> str | None:
    """The first value or adjoint of the author's that the k-th mistake changes."""
    for grain in perturbed.passes:
        change = perturbed.perturbations[k].changes.get(str(grain.goal))
        if change is None:
            continue
        one = Perturbing(grain, change, k)
        for e in grain.derivative.graph.equations:
            if e.target in one.forward and e.target in perturbed.graph.variables:
                return e.target
        reached = {*one.backward, *(n for n in grain.derivative.variables if grain.derivative.adjoint_name(n) in change.adjoints or n in change.adjoints)}
        for n in grain.derivative.variables:
            if n in reached and n in perturbed.graph.variables:
                return grain.derivative.adjoint_name(n)
    return None


def numbered(row: Row) -> Line:
    return (row.name, Words(" = "), row.formula, Words(" = "), Value(shown(row.value)))
