"""What a quiz is, from what its author wrote to what a student is asked: plain data that checks, marking and every export share.

    Quiz ──draw──▶ Variant ──key, mistakes──▶ Sheet ──▶ marker, check, terminal, PDF, Moodle, …

A `Sheet` is one variant with all its keys. It knows nothing of formats; an export adds nothing to what is right or wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Mapping, NamedTuple

from graphlang.diagnostics import Span
from graphlang.graph.graph import Graph, Variable
from graphlang.run import Run
from graphlang.syntax import ast

# ---- what the author wrote


class Precision(NamedTuple):
    """How a number is to be given: "decimals" or "figures" (with `digits`), "exactly", "within" (`size`, absolute) or "percent" (`size` of the key)."""

    kind: str
    digits: int = 0
    size: Decimal = Decimal(0)


class Asked(NamedTuple):
    """One answer of an `ask`: an expression of the quiz, how exact, how many marks."""

    value: ast.Expr
    precision: Precision
    marks: Decimal
    span: Span


class Ask(NamedTuple):
    """A question with one or more numbers as answer. `choices`: as one multiple-choice question over them all, with so many options; 0: as numbers."""

    text: ast.Text
    answers: tuple[Asked, ...]
    choices: int
    span: Span


class Fill(NamedTuple):
    """The table that `run` prints, with cells left blank. `direction` is "forward" or "backward"; a blank is the name of a variable (backward: of the one
    whose adjoint is asked for). `carry`: the part of a blank's marks for the right rule on one's own earlier value."""

    direction: str
    blanks: tuple[ast.Expr, ...]
    precision: Precision
    marks: Decimal           # of each blank
    carry: Decimal
    span: Span


class Offered(NamedTuple):
    """One option of a `choose`. `kind`: "answer", "wrong"; `value` None with `special` "none" (none of these) or "auto" (made from a mistake).
    `because`: the author's message, or the name of a mistake."""

    kind: str
    value: ast.Expr | None
    special: str
    because: str
    span: Span


class Choose(NamedTuple):
    text: ast.Text
    options: tuple[Offered, ...]
    count: int               # how many options are shown; 0: all
    marks: Decimal
    span: Span


class Vary(NamedTuple):
    """An input and the values that it may be drawn from, as they are printed."""

    name: str
    values: tuple[Decimal, ...]
    span: Span


@dataclass(frozen=True, eq=False)
class Quiz:
    """`program`: the declarations and equations of the quiz, the inputs that vary among them without a value. `working`: decimals that working
    carries, None where nothing is said."""

    name: str
    title: str
    program: ast.Program
    vary: tuple[Vary, ...]
    require: tuple[ast.Expr, ...]
    parts: tuple[Ask | Fill | Choose, ...]
    working: int | None
    span: Span


class Use(NamedTuple):
    """A quiz in an exam: marks for it in all (None: its own), how many variants there are to draw from (0: any)."""

    quiz: str
    marks: Decimal | None
    variants: int
    span: Span


class Exam(NamedTuple):
    title: str
    uses: tuple[Use, ...]
    minutes: int
    versions: int
    seed: int
    span: Span


# ---- one variant


@dataclass(frozen=True, eq=False)
class Variant:
    """`drawn`: the values of the inputs that vary, as they are printed; `run` is the evaluation at exactly these."""

    quiz: Quiz
    number: int
    seed: int
    drawn: dict[str, Decimal]
    graph: Graph
    run: Run


class Accepted(NamedTuple):
    """An interval of numbers; `closed` says whether each end belongs to it."""

    low: Decimal
    high: Decimal
    closed: tuple[bool, bool] = (True, True)

    def holds(self, value: Decimal) -> bool:
        return (value > self.low or self.closed[0] and value == self.low) and (value < self.high or self.closed[1] and value == self.high)

    def meets(self, other: "Accepted") -> bool:
        low, high = max(self.low, other.low), min(self.high, other.high)
        return low < high or low == high and self.holds(low) and other.holds(low)


class Diagnosis(NamedTuple):
    """What a wrong number tells: the value that mistakes lead to, rounded as the answer is asked for; the mistakes by name (one of them: which
    cannot be told); what the student is told; the part of the marks that is given, from 0 to 1."""

    key: Decimal
    accepted: Accepted
    mistakes: tuple[str, ...]
    message: str
    credit: Decimal = Decimal(0)


@dataclass(frozen=True, eq=False)
class Blank:
    """A number that is asked for. `key` is rounded as asked, and printed so; `exact` before rounding. First the key is looked at, then the diagnoses
    in their order: their intervals meet neither the key's nor one another. `id` is unique in its quiz, letters, digits and `_`."""

    id: str
    shown: ast.Expr              # what is asked for, in the syntax of the language: dy/dx
    key: Decimal
    exact: Decimal
    precision: Precision
    accepted: Accepted
    marks: Decimal
    diagnoses: tuple[Diagnosis, ...] = ()


class Option(NamedTuple):
    """One option of a multiple-choice question: pieces of prose; what is told to who takes it."""

    text: tuple["Piece", ...]
    right: bool
    message: str
    mistakes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Choice:
    """A multiple-choice question with one right option; `options` in the order in which they are shown."""

    id: str
    options: tuple[Option, ...]
    marks: Decimal


class Words(NamedTuple):
    text: str


class Value(NamedTuple):
    """A number, as it is to be printed."""

    text: str


class Formula(NamedTuple):
    """An expression, to be typeset for each target."""

    value: ast.Expr


Piece = Words | Value | Formula


class Cell(NamedTuple):
    """A cell of a table: pieces to print, or the id of a blank."""

    pieces: tuple[Piece, ...] = ()
    blank: str = ""


class Row(NamedTuple):
    cells: tuple[Cell, ...]


class Rule(NamedTuple):
    """How a blank of a table follows from other cells: an expression of scalars; by its source text, for each name in it its value, and the id of
    those that are blanks themselves."""

    value: ast.Expr
    given: Mapping[str, float]
    typed: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Part:
    """One question of a sheet: its prose, a table to fill in or none, its blanks, its choice or none. `carry` as in `Fill`; `order`: ids of the
    blanks in the order in which the working goes; `rules`: by the id of a blank, for what can carry errors forward without the graph."""

    text: tuple[Piece, ...]
    blanks: tuple[Blank, ...] = ()
    choice: Choice | None = None
    heads: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    carry: Decimal = Decimal(0)
    order: tuple[str, ...] = ()
    rules: Mapping[str, Rule] = field(default_factory=dict)

    @property
    def marks(self) -> Decimal:
        return sum((b.marks for b in self.blanks), Decimal(0)) + (self.choice.marks if self.choice else 0)


@dataclass(frozen=True, eq=False)
class Sheet:
    """What a student is asked, and all that is needed to mark it. `program`: the equations to be printed with it, as pieces, one tuple a line.
    `notes`: for the student, such as how many decimals the working carries. `solution`: the worked solution, one tuple of pieces a line. `variables`
    are those of the graph and `numerator` its layout: formulas are typeset by them, which tells a product of tables element by element from another."""

    quiz: str
    title: str
    variant: int
    seed: int
    program: tuple[tuple[Piece, ...], ...]
    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()
    solution: tuple[tuple[Piece, ...], ...] = field(default_factory=tuple)
    variables: Mapping[str, Variable] = field(default_factory=dict)
    numerator: bool = False

    @property
    def marks(self) -> Decimal:
        return sum((p.marks for p in self.parts), Decimal(0))

    @property
    def id(self) -> str:
        return f"{self.quiz}-{self.variant:03d}"
