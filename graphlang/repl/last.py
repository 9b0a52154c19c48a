"""`ans`: the last result as an equation under that name, and what it was made of."""

from __future__ import annotations

import re
from typing import Iterable

from graphlang.diagnostics import Source
from graphlang.given import UsageError
from graphlang.repl.items import LEAVES, Item
from graphlang.repl.leaves import as_leaf
from graphlang.repl.session import Session
from graphlang.repl.state import State
from graphlang.show.cells import LONGEST
from graphlang.syntax.parser import parse_expression
from graphlang.syntax.pieces import pieces as tokens

ANS = "ans"
NOWHERE = Source("session", "")
MOST_LAST = 50       # results that `ans` may go back to
DEFINES_ANS = re.compile(rf"\s*(?:(?:input|param|data|const|override)[ \t]+)?{ANS}\b[^=]*=(?!=)")


def remember(session: Session, text: str) -> None:
    """Make an expression what `ans` means."""
    if ANS in session.names() or text.strip() == ANS:
        return
    again = words_of(text) & {ANS, f"d{ANS}", f"∂{ANS}"}
    last = (*session.state.last, text.strip()) if again else (text.strip(),)
    session.set_aside(last=last[-MOST_LAST:])


def hidden(session: Session) -> list[Item]:
    """The equations of the results before: `ans`, and those that it was made of."""
    known = session.names()
    if not session.state.last:
        return []
    names = [fresh(f"{ANS}{k}", known) for k in range(1, len(session.state.last))] + [ANS]
    out = []
    for k, (name, text) in enumerate(zip(names, session.state.last)):
        _, binders = parse_expression(Source(ANS, text), known | set(names))
        subs = f"[{','.join(b.name for b in binders)}]" if binders else ""
        head = f"{name}{subs} = "
        origin = Source(ANS, text)
        out.append(Item(head + renamed(text, ANS, names[k - 1] if k else ANS), "equation", (name,), frozenset(), origin=origin, lead=len(head)))
    return out


def inlined(session: Session, text: str) -> str:
    """A statement with the last result in the place of `ans`, which is no part of the program. Raises UsageError where it has a
    `for` of its own, so that it is no expression."""
    if not words_of(text) & {ANS, f"d{ANS}"} or ANS in session.names() or not session.state.last or DEFINES_ANS.match(text):
        return text
    value = ""
    for k, one in enumerate(session.state.last):
        if parse_expression(Source(ANS, one), session.names() | {ANS})[1]:
            raise UsageError(f"`{ANS}` is a table with a `for` of its own: define it first, such as `y[i] = …`")
        if f"d{ANS}" in words_of(text) or k and f"d{ANS}" in words_of(one):
            raise UsageError(f"the derivative of `{ANS}` is that of no variable: give the expression a name first")
        value = renamed(one, ANS, value if value.isidentifier() else f"({value})") if k else one
    if len(value) > LONGEST:
        raise UsageError(f"what `{ANS}` stands for is {len(value):,} characters long: give parts of it names")
    return renamed(text, ANS, value if value.isidentifier() else f"({value})")


def declared(state: State) -> State:
    """A state in which every leaf says that it is one: else an expression that reads no variable would count as an input."""
    if any(i.role in LEAVES for i in state.items):
        return state
    items = [as_leaf(i, "input") if i.constant and k not in state.waiting else i for k, i in enumerate(state.items)]
    own = fresh("_", {n for i in items for n in i.names})
    return state._replace(items=(*items, Item(f"data {own} = 0", "declaration", (own,), frozenset(), role="data", origin=NOWHERE)))


def renamed(text: str, name: str, other: str) -> str:
    out, end = [], 0
    for t in tokens(text):
        if t.kind == "name" and t.text in (name, f"d{name}"):
            out += (text[end : t.start], other if t.text == name else f"d{other}")
            end = t.end
    return "".join(out) + text[end:]


def words_of(text: str) -> set[str]:
    return {t.text for t in tokens(text) if t.kind == "name"}


def fresh(name: str, taken: Iterable[str]) -> str:
    taken, n = set(taken), name
    while n in taken:
        n += "_"
    return n
