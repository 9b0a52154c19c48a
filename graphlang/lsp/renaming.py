"""Renaming: every place that means the same name, and nothing else; or the reason why not.

What would come of it is read again before it is done. A name such as `e1` would make a number of `2e1`, and `dJ` a division
of `dJ/dx`: then what the other places mean has changed, and the renaming is refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Iterable, Mapping, NamedTuple

from graphlang.diagnostics import Span
from graphlang.graph.values import BUILT_IN
from graphlang.lsp.reading import File, Reading, Text, read
from graphlang.syntax.names import NotAName, canonical
from graphlang.syntax.occurrences import ARGUMENT, FUNCTION, INDEX, OPTION, QUIZ, SETTING, VARIABLE, WORD, Occurrence, Symbol, mentions

FIXED = ("pi", "inf", "nan")  # constants that no program defines


class Refused(Exception):
    """Why something is not renamed."""


class Edit(NamedTuple):
    """`text` in the place of a span of a file."""

    file: str
    span: Span
    text: str


def renameable(reading: Reading, file: File, offset: int) -> Occurrence:
    """What stands at a place. Raises Refused where there is nothing that can have another name."""
    o = file.at(offset)
    if o is None:
        if any(at.start <= offset <= at.end for at in file.broken):
            raise Refused("this statement does not parse; repair it first")
        raise Refused("there is no name here")
    if o.symbol.kind in (OPTION, SETTING, WORD):
        raise Refused(f"`{o.symbol.name}` is a word of the language")
    if o.symbol.scope is None and not any(x.defines for _, x in reading.of(o.symbol, file)):
        built_in = o.symbol.name in BUILT_IN or o.symbol.name in (*FIXED, "e")
        raise Refused(f"`{o.symbol.name}` is built in" if built_in else f"nothing defines `{o.symbol.name}`")
    return o


def rename(readings: Iterable[Reading], file: File, offset: int, new: str) -> dict[Path | None, list[Edit]]:
    """The edits by file, in all programs that have a part in it; `file` is one of the first of `readings`. Raises Refused."""
    readings = list(readings)
    symbol = renameable(readings[0], file, offset).symbol
    found: dict[Path | None, set[Edit]] = {}
    for reading in readings:
        check_name(reading, file, symbol, new)
        for f, x in reading.of(symbol, file):
            found.setdefault(f.path, set()).add(Edit("", x.span, new))
    for reading in readings:  # with the edits of all programs: they share files
        check_outcome(reading, file, symbol, new, found)
    return {path: sorted(edits, key=lambda e: e.span) for path, edits in found.items()}


def check_name(reading: Reading, file: File, symbol: Symbol, new: str) -> None:
    try:
        plain = canonical(new)
    except NotAName:
        raise Refused(f"`{new}` is not a name: letters, digits and `_`") from None
    files = [f for f in reading.files if symbol.scope is None or f.path == file.path]
    for f in files:
        for at in f.broken:
            if mentions(f.text, at, symbol.name):
                raise Refused(f"`{symbol.name}` is also named in a statement that does not parse, on {line(f, file, at)}; repair it first")
    if plain == symbol.name:
        return  # another spelling of the same name
    if plain in BUILT_IN:
        raise Refused(f"`{plain}` is a built-in function")
    if plain in FIXED:
        raise Refused(f"`{plain}` is a constant")
    for f in files:
        for o in f.occurrences:
            if o.symbol.name == plain and o.symbol.kind not in (OPTION, SETTING, WORD) and meets(o.symbol, symbol):
                what = {FUNCTION: "a function", INDEX: "an index", ARGUMENT: "an argument", QUIZ: "a quiz"}.get(o.symbol.kind, "a variable")
                raise Refused(f"`{plain}` is taken: it is {what} on {line(f, file, o.span)}")
        for at in f.broken:
            if mentions(f.text, at, plain):
                raise Refused(f"`{plain}` is taken: it is named on {line(f, file, at)}")


def meets(one: Symbol, other: Symbol) -> bool:
    """Whether two names are known at one place. An index may have the name of one whose `for` is elsewhere."""
    if QUIZ in (one.kind, other.kind):
        return one.kind == other.kind
    if one.scope is None or other.scope is None:
        scoped = one if other.scope is None else other
        if scoped.scope is not None and scoped.kind in (VARIABLE, FUNCTION):
            return False  # of a quiz: its names are its own, and what reads one of the program is looked at afterwards
        return ARGUMENT not in (one.kind, other.kind)  # an argument may have a variable's name; what reads that is looked at afterwards
    return one.scope.start < other.scope.end and other.scope.start < one.scope.end


def check_outcome(reading: Reading, file: File, symbol: Symbol, new: str, edits: Mapping[Path | None, Iterable[Edit]]) -> None:
    """Read what would come of it: the same names at the same places, this one called otherwise."""
    after = {f.name: apply(f.text, edits.get(f.path, ())) for f in reading.files}
    own = reading.own
    texts = {f.path: after[f.name] for f in reading.files if f.path is not None}
    again = read(Text(own.name, after[own.name], own.path), texts)
    name = canonical(new)
    for f in reading.files:
        g = again.file(f.name)
        if g is None or len(g.occurrences) != len(f.occurrences) or len(g.broken) != len(f.broken):
            raise Refused(f"`{new}` would change how {'the text' if f.path == file.path else f.name} is read")
        for a, b in zip(f.occurrences, g.occurrences):
            renamed = a.symbol.kind == symbol.kind and a.symbol.name == symbol.name and (symbol.scope is None or (f.path == file.path and a.symbol.scope == symbol.scope))
            same = b.symbol.name == (name if renamed else a.symbol.name) and (b.symbol.kind, b.use) == (a.symbol.kind, a.use)
            if not same or (a.derivative is None) != (b.derivative is None) or (a.symbol.scope is None) != (b.symbol.scope is None):
                raise Refused(f"`{new}` would change what `{f.text[a.span.start : a.span.end]}` means on {line(f, file, a.span)}")


def apply(text: str, edits: Iterable[Edit]) -> str:
    for e in sorted(edits, key=lambda e: e.span, reverse=True):
        text = text[: e.span.start] + e.text + text[e.span.end :]
    return text


def line(f: File, here: File, at: Span) -> str:
    number = f.text.count("\n", 0, at.start) + 1
    return f"line {number}" if f.path == here.path else f"line {number} of {f.name}"


def including(files: Iterable[Path], candidates: Mapping[Path, str]) -> list[Path]:
    """Those of some files that may include one of `files`, be it through another one: their texts have its name."""
    names = {path.name for path in files}
    left = {path: text for path, text in candidates.items() if "include" in text}
    found: list[Path] = []
    while more := [path for path, text in left.items() if any(name in text for name in names)]:
        names = {path.name for path in more}
        found += more
        for path in more:
            del left[path]
    return found
