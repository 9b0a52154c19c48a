"""The syntax tree of quizzes and exams, as written (quiz/model.py is what it means). These are names of ast.py too, which reads this file when it has to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from graphlang.diagnostics import Span

if TYPE_CHECKING:
    from graphlang.syntax.ast import Expr, Name, Num, Statement, Text


class Precise(NamedTuple):
    """`to 2 decimals`, `to 3 figures`, `exactly`, `within 0.1` or `within 1%` ("percent")."""

    kind: str  # decimals, figures, exactly, within, percent
    number: Num | None
    span: Span


class Amount(NamedTuple):
    """A word and its number: `choices 4`, `carry 0.75`, `minutes 20`, and `2 marks` ("marks")."""

    word: str
    number: Num
    span: Span


class Varied(NamedTuple):
    """`x in {1, 2}`, or `x in low..high step s`, of which `bounds` are the two or three numbers. They have their sign in their text."""

    name: str
    values: tuple[Num, ...]
    bounds: tuple[Num, ...]
    span: Span
    name_span: Span


class Vary(NamedTuple):
    items: tuple[Varied, ...]
    span: Span


class Require(NamedTuple):
    conditions: tuple[Expr, ...]
    span: Span


class Working(NamedTuple):
    """`working 4 decimals`"""

    precise: Precise
    span: Span


class Asked(NamedTuple):
    value: Expr
    precise: Precise | None
    marks: Num | None
    span: Span


class Ask(NamedTuple):
    text: Text
    lines: tuple[Asked | Amount, ...]
    span: Span


class Blanks(NamedTuple):
    targets: tuple[Expr, ...]
    span: Span


class Fill(NamedTuple):
    """`marks` among its lines are of each blank."""

    direction: str  # forward, backward
    lines: tuple[Blanks | Precise | Amount, ...]
    span: Span


class Option(NamedTuple):
    """`answer value`, `wrong value because …`; for `answer none`, `wrong none` and `wrong auto` the word is `special` and there is no value."""

    kind: str  # answer, wrong
    value: Expr | None
    special: str
    because: Name | Text | None
    span: Span


class Choose(NamedTuple):
    text: Text
    lines: tuple[Option | Amount, ...]
    span: Span


class Quiz(NamedTuple):
    """Names in its block are known in it only."""

    name: str
    title: Text | None
    statements: tuple["Statement | Vary | Require | Ask | Fill | Choose | Working", ...]
    span: Span
    name_span: Span


class Use(NamedTuple):
    """`clauses`: "variants" and "marks"."""

    quiz: str
    clauses: tuple[Amount, ...]
    span: Span
    name_span: Span


class Exam(NamedTuple):
    title: Text
    lines: tuple[Use | Amount, ...]
    span: Span
