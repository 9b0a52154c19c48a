"""A session: a program that grows. Every change makes a new state, so an error loses nothing and everything can be undone.

A statement may name what is not defined yet, as the lecture's order does (`J = cos(u)` first): it waits, and the program
is what is ready. Adding a statement replaces what had its name.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterable

from graphlang.diagnostics import GraphError, Part, Source
from graphlang.given import UsageError, constant_value
from graphlang.graph.graph import Range
from graphlang.pipeline import Program
from graphlang.repl.items import LEAVES, MAY_BE_DERIVATIVE, Item, items_of, separate
from graphlang.repl.known import known_values
from graphlang.repl.leaves import as_leaf, text_at, valued, written
from graphlang.repl.state import Built, Change, State
from graphlang.repl.waiting import CIRCLE, HOLE, TWICE, place_of, unfinished, waits
from graphlang.run import nest, offsets
from graphlang.sources import Reach, read_program
from graphlang.syntax import ast
from graphlang.syntax.parser import parse

MOST_UNDONE = 1000  # changes that can be taken back
NAME = "session"
DERIVATIVE = re.compile(rf"{MAY_BE_DERIVATIVE.pattern}|\b(?:diff|partial|jacobian|hessian)\b")
MOST_SET = 1000  # elements of a table of which one can be set


class Session:
    """The present state, those before it, and those that were undone."""

    def __init__(self, folder: str | Path = ".", allow: Iterable[str | Path] = ()):
        self.state = State(reach=Reach.of(folder, allow))
        self._brought: dict[str, set[str]] = {}  # by an include, until the next change
        self.built = self.build(self.state)
        self.past: list[State] = []
        self.future: list[State] = []

    @property
    def reach(self) -> Reach:
        return self.state.reach

    # ---- changes

    def change(self, state: State, built: Built) -> None:
        """Take a state for the present one; the one before can be had back."""
        self.past.append(self.state)
        del self.past[:-MOST_UNDONE]
        self.future.clear()
        self._brought.clear()
        self.state, self.built = state, built

    def undo(self) -> State | None:
        return self._step(self.past, self.future)

    def redo(self) -> State | None:
        return self._step(self.future, self.past)

    def _step(self, there: list[State], here: list[State]) -> State | None:
        """Go to the last state of one list; gives the one that was left, or None where there is none to go to."""
        if not there:
            return None
        self._brought.clear()
        left, built = self.state, self.build(there[-1])
        here.append(left)
        self.state, self.built = there.pop(), built
        return left

    def set_aside(self, **changes) -> None:
        """A change that the program does not see: `wrt`, `last`, `file`. It is not undone by itself."""
        self.state = self.state._replace(**changes)
        self.built.state = self.state

    def add(self, source: Source) -> Change:
        """Statements become part of the program. Raises GraphError, and then nothing has changed."""
        self._brought.clear()
        new = items_of(source, self.names())
        items, replaced, notes = list(self.state.items), [], []
        declared = any(i.role in LEAVES for i in items)
        if not declared and any(i.role in LEAVES for i in new):
            own = {n for i in new for n in i.names}
            for k, i in enumerate(items):
                if i.constant and not own & set(i.names):  # what was an input for want of a declaration stays one
                    items[k] = as_leaf(i, "input")
                    notes.append(f"`{i.names[0]}` stays an input: `{items[k].text}`")
        added: list[Item] = []
        for one in new:
            one, gone, place = self.settle(one, items)
            replaced += (g for g in gone if g != one.text)
            items.insert(place, one)
            added.append(one)
        return self.try_change(items, added, replaced, notes)

    def settle(self, one: Item, items: list[Item]) -> tuple[Item, list[str], int]:
        """Take out of `items` what a new statement replaces: the statement (with the role of a leaf whose value it is), the
        texts that went, and where it belongs."""
        taken = set(one.names)
        for k in range(len(items) - 1, -1, -1):  # a declaration of several is parted where one of them is replaced
            if len(items[k].names) > 1 and taken & set(items[k].names) and not taken >= set(items[k].names):
                items[k : k + 1] = separate(items[k])
        self.check_included(one, items)
        if one.piece:
            one = self.element_of_leaf(one, items)
        old = [k for k, i in enumerate(items) if self.replaces(one, i)]
        if one.kind == "equation" and one.constant and len(old) == 1 and items[old[0]].kind == "declaration":
            one = valued(items[old[0]], one)
        elif one.kind == "equation" and one.constant and len(old) == 1 and items[old[0]].kind == "dim":
            one = as_leaf(one, "const")
        gone = [items[k].text for k in old]
        place = old[0] if old and one.kind not in ("layout", "claim", "expect") else len(items) - len(old)
        if DERIVATIVE.search(one.text) and any(i.kind == "layout" for i in items[place:]):  # a derivative in it is arranged as is said now
            place = len(items) - len(old)
        if old:
            one = one._replace(before=items[old[0]].before if not one.before.strip() else one.before, after=one.after or items[old[0]].after)
        for k in reversed(old):
            del items[k]
        return one, gone, place

    def check_included(self, one: Item, items: list[Item]) -> None:
        """Refuse what an included file defines already. Raises UsageError."""
        if one.kind == "include" or " " in "".join(one.names):
            return
        for i in items:
            if i.kind == "include" and (taken := self.included(i) & set(one.names)) and not one.text.lstrip().startswith("override"):
                name = min(taken)
                hint = f"`override {' '.join(one.text.split())}` replaces an equation of it" if one.kind == "equation" and not one.constant else "its value is changed there"
                raise UsageError(f"`{name}` comes from {' '.join(i.text.split())}; {hint}")

    def element_of_leaf(self, one: Item, items: list[Item]) -> Item:
        """`x[1] = 5` for a leaf: the declaration with another value for that element. Raises UsageError for what is no value."""
        name = one.names[0]
        leaf = next((i for i in items if i.kind == "declaration" and name in i.names and i.role in LEAVES), None)
        if leaf is None or name not in self.built.flat:
            return one
        v, (s,) = self.built.graph.variables[name], parse(Source("", one.text), self.names()).statements
        try:
            at = [int(constant_value(text_at(one.text, sub), name)) for sub in s.target.subs]
            value = constant_value(text_at(one.text, s.value), name)
            inside = len(at) == len(v.ranges) and all(r.low <= k <= r.high for r, k in zip(v.ranges, at))
        except (UsageError, TypeError):
            inside = False
        if not inside or s.binders or isinstance(value, list) or v.size > MOST_SET:
            raise UsageError(f"`{name}` is declared as {leaf.role}, over {', '.join(map(str, v.ranges)) or 'no range'}: `{name}[…] = 5` sets one element of it; `:drop {name}` first to define it by equations")
        flat = list(self.built.flat[name])
        flat[offsets(tuple(Range(k, k) for k in at), v.ranges)[0]] = value
        text = f"{name} = {written(nest(flat, v.ranges))}"
        return Item(text, "equation", (name,), frozenset(), constant=True, origin=one.origin, within=one.within, lead=len(text) - 1)

    def replaces(self, one: Item, other: Item) -> bool:
        if one.kind in ("claim", "expect") or other.kind in ("claim", "expect"):
            return one.kind == other.kind and " ".join(one.text.split()) == " ".join(other.text.split())
        if one.kind == other.kind == "goal":
            return True
        if one.kind == other.kind == "layout":
            return other is self.state.items[-1]  # nothing was said under it
        if one.kind == other.kind == "include":
            return one.text == other.text
        if other.kind == "rule" and one.kind == "functiondef":
            return other.names[0].split()[1] == one.names[0]
        if not set(one.names) & set(other.names) or other.kind == "include":
            return False
        return not (one.piece and other.piece)  # pieces that meet are found when the program is built

    def try_change(self, items: list[Item], added: list[Item], replaced: list[str], notes: list[str]) -> Change:
        """The state with these items, if it is a program."""
        before = {id(i) for i in self.state.ready}
        waited = {id(i) for i in self.state.items} - before
        while True:
            state = self.state._replace(items=tuple(items))
            try:
                built = self.build_what_is_ready(state, {id(i) for i in added}, waited, growing=not replaced)
                break
            except Overlap as o:
                replaced.append(items[o.place].text)
                del items[o.place]
        now = [i for k, i in enumerate(built.state.items) if id(i) in waited and k not in built.state.waiting]
        self.change(built.state, built)
        return Change(tuple(added), tuple(replaced), tuple(now), tuple(notes))

    def remove(self, name: str, kind: str = "") -> list[str]:
        """Take what defines a name out of the program, or all statements of a kind; the texts that went."""
        items = list(self.state.items)
        for k in range(len(items) - 1, -1, -1):
            if len(items[k].names) > 1 and name in items[k].names:
                items[k : k + 1] = separate(items[k])
        gone = [i for i in items if (i.kind == kind if kind and name not in self.names() else name in i.names and i.kind != "include")]
        if gone:
            self.try_change([i for i in items if i not in gone], [], [], [])
        return [i.text for i in gone]

    # ---- a state as a program

    def names(self) -> set[str]:
        """Of variables and functions, also of those that wait or were included."""
        return {n for i in self.state.items for n in (*i.names, *self.brought(i)) if " " not in n}

    def brought(self, one: Item) -> set[str]:
        return self.included(one) if one.kind == "include" else set()

    def build_what_is_ready(self, state: State, fresh: set[int], waited: set[int], growing: bool) -> Built:
        """A program of the statements that name nothing unknown. One that waited before and is wrong now waits on, with what
        is wrong; so does a new one that reads elements which further pieces of a table may define (not where it replaced
        others: then they are gone). A mistake in any other is the new statement's. Raises GraphError, Overlap."""
        held: dict[int, str] = {}
        while True:
            waiting = waits(state.items, held, self.included)
            tried = state._replace(waiting=waiting)
            try:
                return self.build(tried)
            except GraphError as error:
                at = [place_of(d, tried, error.source) for d in error.diagnostics]
                for d, k in zip(error.diagnostics, at):
                    if d.code == TWICE and k is not None and id(state.items[k]) in fresh:
                        first = [place_of(d._replace(at=x.span), tried, error.source) for x in d.labels]
                        if first and first[0] is not None and first[0] != k:
                            raise Overlap(first[0]) from None
                late = {k: d for d, k in zip(error.diagnostics, at) if k is not None and id(state.items[k]) in waited - fresh and d.code not in (CIRCLE, HOLE)}
                if not late:
                    able = waited - fresh | (fresh if growing else set())
                    late = {k: d for d in error.diagnostics for k in [unfinished(d, state, able, held, error.source, tried)] if k is not None}
                if late.keys() <= held.keys():
                    raise
                held.update((k, d.message) for k, d in late.items())

    def build(self, state: State) -> Built:
        """Raises GraphError with places in what was typed or loaded."""
        source = self.source(state)
        program = Program.read(source, state.reach)
        built = Built(state, program)
        if any(type(s) is not ast.Include for s in program.tree.statements):
            if program.graph.claims or program.graph.expectations:
                from graphlang.repl.verdicts import check_understood

                check_understood(program.graph)
            built.flat = known_values(program.graph)
        return built

    def source(self, state: State, more: Iterable[Item] = ()) -> Source:
        """The text of a state's program, each place of it known by where it was typed."""
        texts, parts, length = [], [], 0
        items = [*state.ready, *more]
        for i in items:
            if i.origin is not None:
                parts.append(Part(length, i.origin, max(0, i.within - len(i.before)), (i.origin,)))
                parts += (Part(length + len(i.before) + k, i.origin, i.within, (i.origin,)) for k in dict.fromkeys((0, i.lead)))
            texts.append(i.whole + "\n")
            length += len(texts[-1])
        text = "".join(texts)
        plain = not parts or any(i.kind == "include" or i.origin is None for i in items)
        return Source(state.file or NAME, text, () if plain else tuple(parts))

    def included(self, one: Item) -> set[str]:
        """The names that an `include` brings. What is wrong with it is told when the program is built."""
        if one.text not in self._brought:
            try:
                tree = read_program(Source(NAME, one.text), self.reach)
                self._brought[one.text] = {n for i in items_of(tree.source, ()) for n in i.names}
            except GraphError:
                return set()
        return self._brought[one.text]

    def text(self, state: State | None = None) -> str:
        """The live program, as it is saved; what waits is a comment that says for what."""
        state = self.state if state is None else state
        out = []
        for k, i in enumerate(state.items):
            if k in state.waiting:
                out.append(i.before + f"# waits: {state.waiting[k]}\n" + "".join(f"# {line}\n" for line in i.text.splitlines()))
            else:
                out.append(i.whole + "\n")
        return "".join(out).lstrip("\n")


class Overlap(Exception):
    """Two pieces of a table define the same elements; `place` is that of the older one."""

    def __init__(self, place: int):
        self.place = place


