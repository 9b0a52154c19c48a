"""The loop that runs the parser's tables.

Lark makes the tables from the grammar (parser.py); its own loop reads some 4,000 lines in the time in which this one
reads 15,000. Two things are done once instead of at every token: rules that only pass their one part on (`?sum: term`)
are walked through when they are first met, and whitespace is skipped by the pattern that matches the next token.
"""

from __future__ import annotations

import re
from typing import Any, Callable, Iterator, NamedTuple

END = "$END"


class Token(NamedTuple):
    kind: str  # the name of a terminal of the grammar
    text: str
    start: int
    end: int


class Failure(NamedTuple):
    """Where a text stopped being in the grammar, what was met there (END, or "" for a character that begins nothing),
    and the terminals that would have been accepted."""

    offset: int
    kind: str
    expected: frozenset[str]


class Reduce(NamedTuple):
    """Replace the last `size` parts by what `callback` makes of them. `key` is the rule's left side and the token met."""

    size: int
    callback: Callable[[list], Any]
    key: tuple[str, str]


class _Actions(dict):
    """What a state does with each token; worked out when the state is first met, as most programs meet few of them."""

    def __init__(self, rows: list[dict[str, int]], rules: list[list], callbacks: Any):
        self._rows, self._rules, self._callbacks = rows, rules, callbacks

    def __missing__(self, state: int) -> dict[str, int | Reduce]:
        actions = self[state] = {kind: action if action >= 0 else self._reduce(kind, ~action) for kind, action in self._rows[state].items()}
        return actions

    def _reduce(self, kind: str, rule: int) -> Reduce:
        origin, size, method = self._rules[rule]
        return Reduce(size, getattr(self._callbacks, method) if method else _pass_on, (origin, kind))

    def wider(self, state: int, kind: str) -> str | None:
        """What a rule that only passes its part on makes of it here."""
        action = self._rows[state].get(kind, 0)
        if action >= 0:
            return None
        origin, _, method = self._rules[~action]
        return None if method else origin


class _After(dict):
    """The state that follows one state after a reduction, by the reduction's key; worked out when first asked for."""

    def __init__(self, gotos: dict[str, int], actions: _Actions):
        self._gotos, self._actions = gotos, actions

    def __missing__(self, key: tuple[str, str]) -> int:
        origin, kind = key
        state = self._gotos[origin]
        while wider := self._actions.wider(state, kind):
            state = self._gotos[wider]
        self[key] = state
        return state


class Tables:
    """The automaton, from plain data (see parser.tables) and the object whose methods are the rules' callbacks."""

    def __init__(self, data: dict[str, Any], callbacks: Any):
        self.actions = _Actions(data["actions"], data["rules"], callbacks)
        self.after = [_After(row, self.actions) for row in data["gotos"]]
        self.starts: dict[str, list[int]] = data["starts"]
        self._terminals = data["terminals"]
        # Keywords are names that the parser takes for more where it can: one pattern for all names is quicker made and
        # quicker matched than a pattern with its keywords for each state.
        self.words: dict[str, list[str]] = {}  # spelling → terminals
        self._patterns: dict[str, str] = {}
        for name, pattern, use in self._terminals:
            self._patterns[name] = pattern
            if type(use) is list:
                for spelling in use:
                    self.words.setdefault(spelling, []).append(name)
        self.match = self._compile()

    def word(self, spelling: str, state: int, text: str, at: int) -> str:
        """The terminal of a word in `words`: a keyword where the parser can take one and what follows allows it."""
        for kind in self.words[spelling]:
            if kind in self.actions[state] and re.compile(self._patterns[kind]).match(text, at):
                return kind
        return "NAME"

    def _compile(self) -> Callable[[str, int], re.Match[str] | None]:
        """What matches the next token: blanks, then one named group."""
        blank = "|".join(pattern for _, pattern, use in self._terminals if use == "blank")
        ways = "|".join(f"(?P<{name}>{pattern})" for name, pattern, use in self._terminals if use == "plain")
        # Atomic, or a comment would give back its last letters to be read as a name.
        return re.compile(rf"(?>(?:{blank})*)(?:{ways}|(?P<END>\Z))").match


def run(tables: Tables, start: str, stack: list[int], tokens: Iterator[Token]) -> Any:
    """Parse; the value of the start rule, or a Failure. `stack` is shared with the lexer, which reads its last state."""
    first, last = tables.starts[start]
    actions, after = tables.actions, tables.after
    values: list[Any] = []
    stack[:] = [first]
    for token in tokens:
        kind = token[0]
        while True:
            action = actions[stack[-1]].get(kind)
            if action.__class__ is int:
                stack.append(action)
                values.append(token)
                break
            if action is None:
                return Failure(token[2], kind, frozenset(actions[stack[-1]]))
            size, callback, key = action
            if size == 1:
                values[-1] = callback([values[-1]])
                stack.pop()
            elif size:
                values[-size:] = (callback(values[-size:]),)
                del stack[-size:]
            else:
                values.append(callback([]))
            state = after[stack[-1]][key]
            stack.append(state)
            if state == last and kind == END:
                return values[-1]
    raise AssertionError("the lexer ends with END")


def _pass_on(c: list) -> Any:
    return c[0]
