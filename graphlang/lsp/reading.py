"""A document as an editor has it: its text, the texts that it includes, and every name in them, mistakes or not."""

from __future__ import annotations

import os
import re
from functools import cached_property
from pathlib import Path
from typing import Mapping, NamedTuple

from graphlang.diagnostics import NOWHERE, Source, Span
from graphlang.graph.values import Problem
from graphlang.sources import DEEPEST, LARGEST, Reach, text_of
from graphlang.syntax import ast
from graphlang.syntax.lexing import known_names
from graphlang.syntax.occurrences import FUNCTION, VARIABLE, Occurrence, Symbol, mended, occurrences


# A name; in a derivative it stands behind a `d` or `∂`, and a `/` is on one side of both.
_NAME = re.compile(r"(?<![\w\u0300-\u036f])((?:(?<=/)[d∂]|[d∂](?=[^\W\d][\w\u0300-\u036f]*/))?)([^\W\d][\w\u0300-\u036f]*)")


class Text(NamedTuple):
    """A text that is open in an editor. `name`: what its diagnostics call it; `path`: where it is, if it is a file."""

    name: str
    text: str
    path: Path | None = None


class OpenFiles(Reach):
    """Where a program may read, with the texts of an editor in the place of those that are on disk."""

    texts: Mapping[Path, str]

    @classmethod
    def beside(cls, text: Text, texts: Mapping[Path, str]) -> "OpenFiles | None":
        """For a text that is a file; `texts` by resolved paths."""
        if text.path is None:
            return None
        reach = cls.of(text.path.parent)
        reach.texts = texts
        return reach

    def read(self, path: Path, written: str, at: Span, most: int = LARGEST) -> bytes:
        if path in self.texts:
            return self.texts[path].encode("utf-8", "surrogatepass")
        return super().read(path, written, at, most)


class File(NamedTuple):
    """One file of a program, and what it says. Places are those of its own text."""

    name: str
    path: Path | None
    text: str
    tree: ast.Program
    broken: tuple[Span, ...]
    occurrences: tuple[Occurrence, ...]

    def at(self, offset: int) -> Occurrence | None:
        """What is named at a place; right behind a name, that name."""
        near = [o for o in self.occurrences if o.span.start <= offset <= o.span.end]
        return max(near, key=lambda o: o.span.start, default=None)

    def statement(self, o: Occurrence) -> ast.Statement:
        """What it stands in; in a quiz, the statement of its block."""
        whole = self.tree.statements[o.statement]
        inner = whole.statements if type(whole) is ast.Quiz else ()
        return next((s for s in inner if s.span.start <= o.span.start < s.span.end), whole)

    def written(self, at: Span) -> str:
        """The text at a place on one line, without comments."""
        lines = (line.partition("#")[0] if '"' not in line else line for line in self.text[at.start : at.end].splitlines())
        return " ".join(" ".join(lines).split())


class Definition(NamedTuple):
    """What a program says about one of its names: the text of everything that defines it, and what that names."""

    texts: tuple[str, ...] = ()
    operands: frozenset[Symbol] = frozenset()


class Reading:
    """All files of a program, the document itself first."""

    def __init__(self, files: tuple[File, ...]):
        self.files = files
        self._spellings: dict[str, dict[str, str]] = {}

    @property
    def own(self) -> File:
        return self.files[0]

    def file(self, name: str) -> File | None:
        return next((f for f in self.files if f.name == name), None)

    def has(self, path: Path | None) -> bool:
        """Whether a file is one of these."""
        return path is not None and any(f.path == path for f in self.files)

    def of(self, symbol: Symbol, within: File) -> list[tuple[File, Occurrence]]:
        """Every occurrence of a symbol: an index or an argument is known in one file only."""
        return [(f, o) for f in self.files if symbol.scope is None or f.path == within.path for o in f.occurrences if o.symbol == symbol]

    def spellings(self, file: File) -> dict[str, str]:
        """The names that are written otherwise than `alpha`: as this file spells them, those that it doesn't name as another one does."""
        known = self._spellings.get(file.name)
        if known is None:
            found: dict[str, str] = {}
            for f in (file, *(f for f in self.files if f is not file)):
                for o in f.occurrences:
                    found.setdefault(o.symbol.name, f.text[o.span.start : o.span.end])
            known = self._spellings[file.name] = {name: written for name, written in found.items() if name != written}
        return known

    def spelled(self, text: str, file: File) -> str:
        """A text with canonical names, such as `dJ/dalpha = 3*x`, in the spelling of a file: `dJ/dα = 3*x`."""
        known = self.spellings(file)
        return _NAME.sub(lambda m: known.get(m[0]) or m[1] + known.get(m[2], m[2]), text) if known else text

    @cached_property
    def names(self) -> set[str]:
        """The variables that the texts define, broken statements included."""
        return set().union(*(known_names(f.text) for f in self.files))

    @cached_property
    def definitions(self) -> dict[Symbol, Definition]:
        """For each name of the whole program."""
        found: dict[Symbol, Definition] = {}
        for f in self.files:
            by_statement: dict[int, list[Occurrence]] = {}
            for o in f.occurrences:
                if o.symbol.scope is None:
                    by_statement.setdefault(o.statement, []).append(o)
            for number, named in by_statement.items():
                s = f.tree.statements[number]
                items = s.items if type(s) is ast.Declaration else ()
                for o in named:
                    if not o.defines:
                        continue
                    item = next((i for i in items if i.name_span == o.span), None)
                    at = s.span if item is None else item.span
                    text = f.written(at) if item is None else f"{s.role} {f.written(at)}"
                    read = {r.symbol for r in named if at.start <= r.span.start < at.end and r is not o}
                    before = found.get(o.symbol, Definition())
                    found[o.symbol] = Definition((*before.texts, text), before.operands | read)
        return found

    @cached_property
    def rest(self) -> tuple[str, ...]:
        """What else a value may depend on: settings, rules of functions, layouts. What is included is among the definitions."""
        kinds = (ast.Setting, ast.Rule, ast.Layout)
        return tuple(f.written(s.span) for f in self.files for s in f.tree.statements if type(s) in kinds or getattr(s, "override", False))

    @cached_property
    def goals(self) -> tuple[str, ...]:
        return tuple(f.written(s.span) for f in self.files for s in f.tree.statements if type(s) is ast.Goal)


def read(text: Text, texts: Mapping[Path, str] = {}) -> Reading:
    """A document and what it includes; files that cannot be read are left out (who evaluates the program says why)."""
    found: dict[str, tuple[Path | None, str]] = {}
    reach = OpenFiles.beside(text, texts)
    todo = [(text.name, text.path, text.text, 0)]
    while todo:
        name, path, content, depth = todo.pop()
        if name in found or any(p is not None and path is not None and p == path for p, _ in found.values()):
            continue
        found[name] = (path, content)
        if reach is None or "include" not in content or depth >= DEEPEST:
            continue
        includes = [s.path for s in mended(Source(name, content)).tree.statements if type(s) is ast.Include]
        for written in includes:
            try:
                where = reach.find(written, NOWHERE, path.parent if depth else None)
                inner = text_of(reach.read(where, written, NOWHERE))
            except (Problem, ValueError):
                continue
            todo.append((os.path.normpath(os.path.join(os.path.dirname(name), written)), where, inner, depth + 1))
    names = set().union(*(known_names(content) for _, content in found.values())) if len(found) > 1 else set()
    files = []
    for name, (path, content) in found.items():
        tree, broken = mended(Source(name, content), names)
        files.append(File(name, path, content, tree, broken, tuple(occurrences(tree))))
    return Reading(tuple(files))


def unchanged(old: Reading, new: Reading) -> set[Symbol]:
    """The names that mean the same in both: their own definitions, and those of all that these name, have the same text."""
    if old is new:
        return set(new.definitions)
    if old.rest != new.rest:
        return set()
    changed = {s for s, d in old.definitions.items() if new.definitions.get(s, Definition()).texts != d.texts}
    readers: dict[Symbol, list[Symbol]] = {}
    for s, d in old.definitions.items():
        for operand in d.operands:
            readers.setdefault(operand, []).append(s)
            if operand not in old.definitions and operand in new.definitions:  # a built-in function replaced, say
                changed.add(s)
    todo = list(changed)
    while todo:
        for reader in readers.get(todo.pop(), ()):
            if reader not in changed:
                changed.add(reader)
                todo.append(reader)
    return set(old.definitions) - changed


def variable(name: str) -> Symbol:
    return Symbol(VARIABLE, name)


def function(name: str) -> Symbol:
    return Symbol(FUNCTION, name)
