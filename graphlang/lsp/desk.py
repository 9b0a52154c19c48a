"""The documents that are open, which program each belongs to, and what is known of it.

A file that another open document includes is a part of that program: its diagnostics and values are those that it has there.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

from graphlang.lsp.analysis import Analysis, Finding
from graphlang.lsp.figures import Figures
from graphlang.lsp.reading import File, Reading, Text, read
from graphlang.lsp.renaming import including
from graphlang.sources import text_of
from graphlang.syntax.occurrences import VARIABLE, Symbol

MOST_BESIDE = 500          # programs of a folder that are looked at for an `include`
LARGEST_BESIDE = 2_000_000 # bytes of one of them


@dataclass(eq=False)
class Document:
    """An open document. `last` is its last analysis, `good` the last one that has a graph."""

    uri: str
    text: str
    version: int | None
    path: Path | None
    last: Analysis | None = None
    good: Analysis | None = None

    @property
    def as_text(self) -> Text:
        return Text(self.path.name if self.path else self.uri.rpartition(":")[2].rpartition("/")[2] or "text", self.text, self.path)


class Desk:
    def __init__(self) -> None:
        self.documents: dict[str, Document] = {}
        self.changes = 0  # of any text: what was read before one may be out of date
        self._readings: dict[str, tuple[int, Reading]] = {}
        self._figures: dict[str, tuple[Analysis, Reading, Figures]] = {}

    # ---- documents

    def put(self, uri: str, text: str, version: int | None, path: Path | None) -> Document:
        """Open a document, or change it."""
        document = self.documents.get(uri)
        if document is None:
            document = self.documents[uri] = Document(uri, text, version, path)
        document.text, document.version = text, version
        self.changes += 1
        return document

    def close(self, uri: str) -> None:
        self.documents.pop(uri, None)
        self._readings.pop(uri, None)
        self._figures.pop(uri, None)
        self.changes += 1

    def texts(self) -> dict[Path, str]:
        return {d.path: d.text for d in self.documents.values() if d.path is not None}

    def at(self, path: Path | None) -> Document | None:
        return next((d for d in self.documents.values() if path is not None and d.path == path), None)

    # ---- programs

    def reading(self, document: Document) -> Reading:
        """What the present text of a document says, with what it includes."""
        known = self._readings.get(document.uri)
        if known is None or known[0] != self.changes:
            known = self._readings[document.uri] = self.changes, read(document.as_text, self.texts())
        return known[1]

    def keep(self, document: Document, analysis: Analysis, changes: int) -> None:
        """An analysis is done, of the texts as they were after so many changes."""
        document.last = analysis
        if analysis.graph is not None:
            document.good = analysis
        if changes == self.changes:
            self._readings[document.uri] = changes, analysis.reading

    def programs(self, document: Document) -> list[Document]:
        """The open documents that include a document; if none does, it is a program of its own."""
        found = [d for d in self.documents.values() if d is not document and document.path is not None
                 and "include" in d.text and any(f.path == document.path for f in self.reading(d).files[1:])]
        # Of two that include one another each is its own.
        found = [d for d in found if not self.reading(document).has(d.path)]
        # One that is itself a part of another one of them is no program.
        whole = [d for d in found if not any(e is not d and self.reading(e).has(d.path) for e in found)]
        return whole or found or [document]

    def look(self, document: Document) -> tuple[Document, Reading, File]:
        """The program that a document is shown as a part of, what it says, and the document's file in it."""
        program = self.programs(document)[0]
        reading = self.reading(program)
        file = next((f for f in reading.files if f.path == document.path), reading.own) if program is not document else reading.own
        return program, reading, file

    def figures(self, program: Document) -> Figures | None:
        """Values and formulas, those of an earlier text where the present one has mistakes."""
        if program.good is None:
            return None
        reading = self.reading(program)
        known = self._figures.get(program.uri)
        if known is None or known[0] is not program.good or known[1] is not reading:
            known = self._figures[program.uri] = program.good, reading, Figures(program.good, reading)
        return known[2]

    def shown(self, document: Document) -> Figures | None:
        """What is shown in a document: the figures of the program that it is a part of; while that cannot be built, those that the
        document has by itself, if these are of more of its names."""
        program, reading, file = self.look(document)
        whole = self.figures(program)
        if program is document or document.good is None or (program.last is not None and program.last.graph is not None):
            return whole
        known = self._figures.get(document.uri)
        if known is None or known[0] is not document.good or known[1] is not reading:
            known = self._figures[document.uri] = document.good, reading, Figures(document.good, reading)
        names = {o.symbol.name for o in file.occurrences if o.symbol.kind == VARIABLE and o.defines and o.symbol.scope is None}
        return max((f for f in (whole, known[2]) if f is not None), key=lambda f: sum(f.flat(n) is not None for n in names))

    def all_readings(self, document: Document, symbol: Symbol | None) -> list[Reading]:
        """The programs in which a symbol of a document is known by its name, also those in the folders of these files that are
        not open; first those that the document is a part of. Every program counts that has a file which names the symbol."""
        found = [self.reading(p) for p in self.programs(document)]
        if symbol is None or document.path is None:
            return found
        others = [self.reading(d) for d in self.documents.values() if d.path is not None and self.programs(d) == [d]]
        folders = {f.path.parent for r in found for f in r.files if f.path is not None}
        beside = {p: t for folder in folders for p, t in programs_beside(folder) if self.at(p) is None}
        files = {document.path, *naming(found, symbol)}
        read_of: set[Path] = set()
        while True:
            for path in including(files, {p: t for p, t in beside.items() if p not in read_of}):
                read_of.add(path)
                others.append(read(Text(path.name, beside[path], path), self.texts()))
            more = [r for r in others if r not in found and any(r.has(path) for path in files)]
            if not more:
                return found
            found += more
            if symbol.scope is None:  # an index or an argument is known in the document only
                files |= naming(more, symbol)

    # ---- diagnostics

    def findings(self, document: Document) -> list[Finding]:
        """What is to be shown in a document: what all programs say of it; it has no say itself where it is a part of another."""
        found: dict[tuple, Finding] = {}
        for program in self.standing_alone():
            for path, f in located(program):
                if f.file == program.as_text.name if program is document else path is not None and path == document.path:
                    found.setdefault((f.span, *f.key[1:]), f)
        return list(found.values())

    def standing_alone(self) -> list[Document]:
        """The documents that are no part of another one."""
        return [d for d in self.documents.values() if self.programs(d) == [d]]

    def elsewhere(self) -> dict[Path, list[Finding]]:
        """What programs say of files that are not open."""
        found: dict[Path, dict[tuple, Finding]] = {}
        for program in self.standing_alone():
            for path, f in located(program):
                if path is not None and self.at(path) is None:
                    found.setdefault(path, {}).setdefault((f.span, *f.key[1:]), f)
        return {path: list(some.values()) for path, some in found.items()}


def naming(readings: list[Reading], symbol: Symbol) -> set[Path]:
    """The files that name a symbol of the whole program."""
    return {f.path for r in readings for f in r.files if f.path is not None and symbol.scope is None and any(o.symbol == symbol for o in f.occurrences)}


def located(program: Document) -> Iterator[tuple[Path | None, Finding]]:
    """The findings of a program with the files that they are in; its own where an included file is not known."""
    for f in program.last.findings if program.last is not None else ():
        file = program.last.reading.file(f.file)
        yield (file.path if file is not None else program.path), f


def programs_beside(folder: Path) -> Iterator[tuple[Path, str]]:
    """The programs of a folder with their texts."""
    try:
        with os.scandir(folder) as entries:
            names = [e.path for _, e in zip(range(MOST_BESIDE), (e for e in entries if e.name.endswith(".graph"))) if e.is_file()]
    except OSError:
        return
    for name in names:
        try:
            path = Path(name).resolve()
            if path.stat().st_size <= LARGEST_BESIDE:
                yield path, text_of(path.read_bytes())
        except (OSError, ValueError):
            continue
