"""What happens while a program is trained, as plain records; a front shows them."""

from __future__ import annotations

from typing import NamedTuple, Union

from graphlang.diagnostics import Diagnostic


class Epoch(NamedTuple):
    """After an epoch, 0 before the first: the means of the reports over both sets, in their order. `rate` is that of the epoch's steps, None before
    the first."""

    epoch: int
    step: int
    rate: float | None
    train: tuple[float, ...]
    test: tuple[float, ...] | None


class Steps(NamedTuple):
    """Some steps were done. `loss`: the mean of the goal over the batches of them, each before its update; `done` of `total` steps of this epoch."""

    epoch: int
    step: int
    done: int
    total: int
    loss: float


class Warned(NamedTuple):
    diagnostic: Diagnostic


class Kept(NamedTuple):
    """A checkpoint was written."""

    path: str
    step: int


class Stopped(NamedTuple):
    """The last record. `reason`: "epochs" (all were done), "patience", "interrupted"; `best`: the epoch in which the mean of the goal was best."""

    reason: str
    epoch: int
    step: int
    best: int


Event = Union[Epoch, Steps, Warned, Kept, Stopped]
