"""What may follow at the cursor: names with their values, functions with their signatures, files, commands, Greek letters."""

from __future__ import annotations

import glob
import os
import re
from functools import cache
from typing import TYPE_CHECKING, Iterable, Iterator, NamedTuple

from graphlang.syntax.names import GREEK
from graphlang.syntax.pieces import KEYWORDS

if TYPE_CHECKING:
    from graphlang.repl.loop import Repl

WORD = re.compile(r"[^\W\d]\w*$")
BELOW = re.compile(r"([d∂])([^\W\d]\w*)/([d∂])(\w*)$")
LETTER = re.compile(r"\\([A-Za-z]*)$")
INCLUDED = re.compile(r"include[ \t]*\"([^\"]*)$")
MOST_FILES = 200


class Completion(NamedTuple):
    """`text` takes the place of the last `length` characters; `about` is shown beside it."""

    text: str
    length: int
    about: str = ""


def completions(before: str, repl: Repl | None) -> Iterator[Completion]:
    """Of the text before the cursor. `repl` None: while it is being made, what needs no session."""
    if (m := LETTER.search(before)) is not None:
        yield from (Completion(glyph, len(m[0]), name) for name, glyph in GREEK.items() if name.startswith(m[1]))
        return
    line = before.rpartition("\n")[2].lstrip()
    if line.startswith(":"):
        yield from of_command(line[1:], repl)
        return
    if line.startswith("?"):
        yield from pages(line[1:].lstrip())
        return
    yield from of_expression(before, repl)


def of_expression(before: str, repl: Repl | None) -> Iterator[Completion]:
    if (m := BELOW.search(before)) is not None and repl is not None and m[1] == m[3] and m[2] in repl.session.names():
        yield from (Completion(n, len(m[4]), about) for n, about in variables(repl) if n.startswith(m[4]))
        return
    if (m := INCLUDED.search(before)) is not None:
        yield from files(m[1])
        return
    m = WORD.search(before)
    word = m[0] if m else ""
    if not word:
        return
    found: dict[str, str] = dict(variables(repl)) if repl is not None else {}
    if repl is not None:
        found |= own_functions(repl)
        if repl.session.state.last:
            found.setdefault("ans", "the last result")
    statement = re.search(r"(?:^|[\n;])[ \t]*$", before[: -len(word)]) is not None
    if statement:
        found |= {k + " ": "" for k in KEYWORDS if k + " " not in found}
    yield from (Completion(n, len(word), about) for n, about in sorted(found.items()) if n.startswith(word) and n != word)
    yield from (Completion(n + "(", len(word), about) for n, about in functions().items() if n.startswith(word))
    if word[0] in "d∂" and "/" not in word and repl is not None:
        yield from (Completion(f"{word[0]}{n}/{word[0]}", len(word), "a derivative") for n, _ in variables(repl) if n.startswith(word[1:]) and word not in found)


def of_command(rest: str, repl: Repl | None) -> Iterator[Completion]:
    from graphlang.repl.commands import ALL, COMMANDS

    name, blank, argument = rest.partition(" ")
    if not blank:
        yield from (Completion(c.name, len(name), c.about) for c in ALL if c.name.startswith(name))
        return
    command = COMMANDS.get(name.removesuffix("!"))
    word = argument.rpartition(" ")[2].rpartition(",")[2]
    if command is None:
        return
    if command.takes == "files":
        yield from files(argument.lstrip())
    elif command.takes == "options":
        yield from (Completion(o, len(word), "") for o in command.options if o.startswith(word))
    elif command.takes == "pages":
        yield from (Completion(c.name, len(word), c.about) for c in ALL if c.name.startswith(word))
        yield from pages(word)
    elif command.takes == "leaves" and repl is not None:
        yield from (Completion(f"{n}=", len(word), about) for n, about in variables(repl, leaves=True) if n.startswith(word))
    elif command.takes == "names" and repl is not None:
        yield from of_expression(argument, repl) if WORD.search(argument) else (Completion(n, 0, about) for n, about in variables(repl))


def variables(repl: Repl, leaves: bool = False) -> Iterator[tuple[str, str]]:
    """Names with their values; what waits with its reason."""
    built = repl.session.built
    if built.state.ready:
        for n, v in built.graph.variables.items():
            if v.is_leaf or not leaves:
                if n.isidentifier():
                    yield n, f"{v.role} = {repl.look.value(built.flat[n], v)}" if n in built.flat else v.role
    for k, why in built.state.waiting.items():
        for n in built.state.items[k].names:
            if n.isidentifier() and not leaves:
                yield n, f"waits: {why}"


def own_functions(repl: Repl) -> dict[str, str]:
    """Functions of the program, with their text."""
    found = {}
    for i in repl.session.state.items:
        if i.kind == "functiondef":
            found[i.names[0] + "("] = " ".join(i.text.split())
    return found


@cache
def functions() -> dict[str, str]:
    """Built-in functions with signature and meaning."""
    from graphlang.graph.functions import FUNCTIONS
    from graphlang.graph.values import BUILT_IN
    from graphlang.pages.rows import call, sentence
    from graphlang.graph.reductions import REDUCTIONS

    found = {}
    for n in sorted(BUILT_IN):
        if n in FUNCTIONS:
            found[n] = f"{call(FUNCTIONS[n])}  {sentence(FUNCTIONS[n].about)}"
        elif n in REDUCTIONS:
            found[n] = f"{n}(…)  {sentence(REDUCTIONS[n].about)}"
        else:
            found[n] = f"{n}(…)"
    return found


def pages(word: str) -> Iterator[Completion]:
    from graphlang.pages import contents

    for listed in contents().values():
        yield from (Completion(n, len(word), title) for n, title in listed if n.lower().startswith(word.lower()))


def files(start: str) -> Iterable[Completion]:
    """Programs and folders that begin so."""
    shown = os.path.expanduser(start)
    found = []
    for path in sorted(glob.glob(glob.escape(shown) + "*"))[:MOST_FILES]:
        folder = os.path.isdir(path)
        if folder or path.endswith(".graph"):
            found.append(Completion(start + path[len(shown):] + ("/" if folder else ""), len(start), "folder" if folder else ""))
    return found
