"""What a `train` block says, its names and ranges checked: stochastic gradient descent over a data set (language.md §10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from graphlang.diagnostics import Span
from graphlang.graph.expressions import Expr
from graphlang.graph.graph import Goal, Wanted


class Feed(NamedTuple):
    """A leaf that columns of the data fill: `elements` are offsets into its flat, row-major table, one for each column, in the order of
    the columns; `names` what each is called in the program, `x[2]`."""

    leaf: str
    elements: tuple[int, ...]
    names: tuple[str, ...]
    span: Span


class Report(NamedTuple):
    """The mean, over a data set, of an expression of one example; `text` as the author wrote it, `mean(J)`."""

    text: str
    value: Expr
    span: Span | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Training:
    """`rate` is an expression in the index `epoch`, which counts from 1, else constant. `optimizer` a row of graph/optimisers.py with its
    parameters. `patience`: stop after so many epochs in which the first report over the test set (without one: the training set) did
    not get better; None: never."""

    goal: Goal                      # minimize or maximize
    data: Wanted
    feeds: tuple[Feed, ...]
    rate: Expr
    epochs: int
    batch: int
    shuffle: bool
    seed: int
    reports: tuple[Report, ...]
    span: Span
    test: Wanted | None = None
    optimizer: str = "sgd"
    parameters: tuple[float, ...] = ()
    patience: int | None = None
