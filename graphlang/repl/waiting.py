"""Which statements of a session are not part of its program yet, and why."""

from __future__ import annotations

from graphlang.diagnostics import Diagnostic, Source, did_you_mean
from graphlang.graph.values import BUILT_IN
from graphlang.repl.items import MAY_BE_DERIVATIVE, Item, item
from graphlang.repl.state import State
from graphlang.syntax.parser import parse

OUTSIDE, HOLE, TWICE = "E222", "E224", "E223"  # what is wrong with elements of a table
CIRCLE = "E110"


def waits(items: tuple[Item, ...], held: dict[int, str], included) -> dict[int, str]:
    """Why statements are not ready: names that no ready statement defines."""
    waiting = dict(held)
    brought = {k: included(i) for k, i in enumerate(items) if i.kind == "include"}
    everything = {n for i in items for n in i.names}.union(*brought.values())
    wanted = {k: needed(i, everything) for k, i in enumerate(items)}
    while True:
        known = {n for k, i in enumerate(items) if k not in waiting for n in (*i.names, *brought.get(k, ()))}
        more = {k: sorted(w - known) for k, w in wanted.items() if k not in waiting and not w <= known}
        if not more:
            return waiting
        for k, missing in more.items():
            waiting[k] = reason(missing, everything)


def needed(one: Item, everything: set[str]) -> frozenset[str]:
    """What a statement reads; where it may hold a derivative or a division, this depends on the names that there are."""
    if MAY_BE_DERIVATIVE.search(one.text):
        tree = parse(Source("", one.text), everything)
        return item(tree.statements[0], tree.source).needs
    return one.needs


def reason(missing: list[str], everything: set[str]) -> str:
    """`u1`, `u2` are not defined yet; what has an equation that waits itself is named only where there is nothing else."""
    unknown = [n for n in missing if n not in everything]
    if not unknown:
        return "`" + "`, `".join(missing) + "` " + ("waits" if len(missing) == 1 else "wait")
    hints = did_you_mean(unknown[0], [*everything, *BUILT_IN])
    return "`" + "`, `".join(unknown) + "` " + ("is" if len(unknown) == 1 else "are") + " not defined yet" + (f"; {hints[0]}" if hints else "")


def unfinished(d: Diagnostic, state: State, able: set[int], held: dict[int, str], source: Source | None, tried: State) -> int | None:
    """The statement, one of those that are `able` to wait, that a missing element of a table makes wait: further pieces may define it."""
    if d.code not in (OUTSIDE, HOLE):
        return None
    table = d.message.split("`")[1].partition("[")[0]
    pieces = [k for k, i in enumerate(state.items) if i.piece and table in i.names]
    at = place_of(d, tried, source)
    if not pieces:
        return None
    if d.code == HOLE:  # the newest piece that is not held yet
        return next((k for k in reversed(pieces) if id(state.items[k]) in able and k not in held), None)
    return at if at is not None and id(state.items[at]) in able else None


def place_of(d: Diagnostic, state: State, source: Source | None) -> int | None:
    """The statement, by its place in the items, that a diagnostic points into."""
    if d.at is None or source is None:
        return None
    length = 0
    for k, i in enumerate(state.items):
        if k in state.waiting:
            continue
        if d.at.start < length + len(i.whole) + 1:
            return k
        length += len(i.whole) + 1
    return None
