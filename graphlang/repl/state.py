"""What a session knows at one time, as a value that is never changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from graphlang.graph.graph import Graph
from graphlang.pipeline import Program
from graphlang.repl.items import Item
from graphlang.sources import Reach


class State(NamedTuple):
    """All that a session knows. `waiting`: of a statement, by its place in `items`, the reason why it is not part of the
    program yet. `last`: the expressions that `ans` goes back to, the newest at the end. `reach`: where its files are."""

    items: tuple[Item, ...] = ()
    waiting: dict[int, str] = {}
    last: tuple[str, ...] = ()
    wrt: tuple[str, ...] = ()
    file: str = ""
    reach: Reach | None = None

    @property
    def ready(self) -> list[Item]:
        return [i for k, i in enumerate(self.items) if k not in self.waiting]


class Change(NamedTuple):
    """What a statement did. `replaced`: texts that it took the place of; `now_ready`: statements that waited and do no more."""

    items: tuple[Item, ...]
    replaced: tuple[str, ...] = ()
    now_ready: tuple[Item, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(eq=False)
class Built:
    """A state as a program. `flat`: the values of all variables that have one."""

    state: State
    program: Program
    flat: dict[str, list[float]] = field(default_factory=dict)

    @property
    def graph(self) -> Graph:
        return self.program.graph

    @property
    def roles(self) -> dict[str, str]:
        """Of declared variables."""
        return {n: i.role for i in self.state.ready if i.kind == "declaration" for n in i.names}
