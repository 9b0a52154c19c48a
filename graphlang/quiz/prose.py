"""The prose of a quiz as pieces: words, values and formulas."""

from __future__ import annotations

from typing import AbstractSet as Set, Callable, NamedTuple

from graphlang.diagnostics import Diagnostic, GraphError, Source, Span
from graphlang.quiz.model import Formula, Piece, Quiz, Value, Words
from graphlang.syntax import ast
from graphlang.syntax.occurrences import variables_of
from graphlang.syntax.parser import parse_within
from graphlang.syntax.prose import VALUE, WORDS, cut


class Slot(NamedTuple):
    """`{x}`: the place of a number, which is known when a variant is drawn."""

    value: ast.Expr
    span: Span


class Placed(NamedTuple):
    """A piece as it is read, and where it stands in the file."""

    piece: Words | Formula | Slot
    span: Span


def prose(text: ast.Text, source: Source, names: Set[str]) -> tuple[Placed, ...]:
    """What stands in a string of a file. `names`: the variables, which say what `dy/dx` is. Raises GraphError with every mistake in it."""
    pieces, found = cut(source.text, text.span)
    out: list[Placed] = []
    for kind, words, at in pieces:
        if kind == WORDS:
            out.append(Placed(Words(words), at))
            continue
        try:
            value = parse_within(source, at, names)
        except GraphError as error:
            found += map(_about, error.diagnostics)
            continue
        out.append(Placed(Slot(value, at) if kind == VALUE else Formula(value), at))
    if found:
        raise GraphError(found, source)
    return tuple(out)


def _about(d: Diagnostic) -> Diagnostic:
    """In a text no equation is wanted."""
    if "not an equation" in d.message:
        return d._replace(hints=("one side of it, or the sides in backticks of their own",))
    return d


def pieces(quiz: Quiz, text: ast.Text, number: Callable[[ast.Expr], str]) -> tuple[Piece, ...]:
    """The same of a string of a quiz that was read, with numbers for its slots."""
    placed = prose(text, quiz.program.source, names_of(quiz.program))
    return tuple(Value(number(p.piece.value)) if type(p.piece) is Slot else p.piece for p in placed)


def names_of(program: ast.Program) -> set[str]:
    """The variables of the program of a quiz, which say what `dy/dx` is."""
    return variables_of(program.statements)
