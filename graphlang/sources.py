"""Programs of several files: where files may be read, and one text of a program and of all that it includes.

An `include` stays where it is and the included text follows it on lines of its own, so that one tree is parsed, in which
every name is known everywhere, and every place has one offset. `Source.parts` says which file an offset belongs to.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Iterable, NamedTuple

from graphlang.diagnostics import Diagnostic, GraphError, Label, Part, Source, Span, did_you_mean
from graphlang.graph.values import Problem
from graphlang.syntax import ast
from graphlang.syntax.parser import parse

DEEPEST = 32  # files that include one another
LARGEST = 64 * 2**20  # bytes of one file, and characters of all files of a program
MOST_BESIDE = 1000  # files of a folder that a misspelt name is compared with


class Reach(NamedTuple):
    """Where a program may read files: beneath its own folder and beneath those that were allowed. Links are followed, and
    what counts is where a file really is."""

    folder: Path
    allowed: tuple[Path, ...] = ()

    @classmethod
    def of(cls, folder: str | os.PathLike, allowed: Iterable[str | os.PathLike] = ()) -> "Reach":
        return cls(Path(folder).resolve(), tuple(Path(a).resolve() for a in allowed))

    def find(self, written: str, at: Span, beside: Path | None = None) -> Path:
        """The file that a program means by a path, from the folder `beside` (by default its own). Raises Problem."""
        try:
            if not written.strip():
                raise ValueError
            path = ((beside or self.folder) / written).resolve()
        except (ValueError, OSError, RuntimeError):  # a NUL; a name too long; links in a circle
            raise Problem("E601", f"`{written}` is no path of a file", at) from None
        if not any(path.is_relative_to(folder) for folder in (self.folder, *self.allowed)):
            raise Problem("E602", f"`{written}` is outside of the program's folder", at, "only files beneath it are read",
                          hints=(f"`--allow-path {path.parent}` allows another folder",))
        return path

    def read(self, path: Path, written: str, at: Span, most: int = LARGEST) -> bytes:
        """What is in a regular file that `find` gave. Raises Problem."""
        try:
            check_regular(os.stat(path), written, at, most)
            # Between that look and this one the file may have become a pipe, which would not return from `open`.
            file = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0))
            with open(file, "rb") as opened:
                check_regular(os.fstat(file), written, at, most)
                data = opened.read(most + 1)
        except (FileNotFoundError, NotADirectoryError):
            raise Problem("E601", f"there is no file `{written}`", at, hints=did_you_mean(written, beside_names(path, written))) from None
        except OSError as error:
            raise Problem("E601", f"`{written}` cannot be read: {error.strerror}", at) from None
        if len(data) > most:  # files of /proc say that they are empty
            raise too_large(written, at, most)
        return data


def check_regular(status: os.stat_result, written: str, at: Span, most: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise Problem("E603", f"`{written}` is {'a folder' if stat.S_ISDIR(status.st_mode) else 'not a regular file'}", at, "a file is wanted")
    if status.st_size > most:
        raise too_large(written, at, most)


def too_large(written: str, at: Span, most: int) -> Problem:
    return Problem("E603", f"`{written}` is too large", at, f"the limit is {most:,} bytes")


def beside_names(path: Path, written: str) -> list[str]:
    """The files in the folder of a file that is not there, spelled as the program would."""
    start = written[: len(written) - len(os.path.basename(written))]
    try:
        with os.scandir(path.parent) as entries:
            return [start + e.name for _, e in zip(range(MOST_BESIDE), entries) if not e.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def text_of(data: bytes) -> str:
    """The text of a file. Raises ValueError with what is wrong with it."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ValueError(f"byte {error.start} on line {line} cannot be read") from None


# ---- including


def read_program(source: Source, reach: Reach | None, path: Path | None = None) -> ast.Program:
    """The tree of a program, which may be in a file at `path`, and of all that it includes. Its own `source` is the text
    that all places are in. Raises GraphError with everything that does not parse or cannot be included."""
    tree = parse(source)
    if "include" not in source.text or not any(type(s) is ast.Include for s in tree.statements):
        return tree
    joining = Joining(reach)
    joining.add(source, tree, (), path)
    joined = Source(source.name, "".join(joining.pieces), tuple(joining.parts))
    if joining.found:
        raise GraphError(joining.found, joined)
    return parse(joined)


class Opened(NamedTuple):
    """A file that is being read: what it is called, where it is (None: not a file), and what it says."""

    source: Source
    path: Path | None


class Joining:
    """The text of several files while it grows."""

    def __init__(self, reach: Reach | None):
        self.reach = reach
        self.pieces: list[str] = []
        self.length = 0
        self.parts: list[Part] = []
        self.found: list[Diagnostic] = []
        self.included: dict[Path, Span] = {}

    def add(self, file: Source, tree: ast.Program, above: tuple[Opened, ...], path: Path | None = None) -> None:
        """A file that parses, with what it includes after each `include`. It is as deep as `above` is long."""
        here = (*above, Opened(file, path))
        at = 0
        for s in tree.statements:
            if type(s) is ast.Include:
                self.stretch(file, at, s.span.end, here)
                at = s.span.end
                place = Span(self.length - (at - s.path_span.start), self.length - (at - s.path_span.end))
                try:
                    self.include(s.path, place, here)
                except Problem as p:
                    self.found.append(p.diagnostic)
        self.stretch(file, at, len(file.text), here)

    def stretch(self, file: Source, start: int, end: int, here: tuple[Opened, ...]) -> None:
        self.parts.append(Part(self.length, file, start, tuple(o.source for o in here)))
        self.write(file.text[start:end])

    def write(self, text: str) -> None:
        self.pieces.append(text)
        self.length += len(text)

    def include(self, written: str, at: Span, above: tuple[Opened, ...]) -> None:
        if self.reach is None:
            raise Problem("E602", "a text that is in no folder includes nothing", at, "which folder is it in?",
                          hints=("`loads(text, folder=\".\")` reads from a folder, `load(path)` from that of the file",))
        beside = above[-1].path.parent if len(above) > 1 and above[-1].path else None  # the program's folder is where its user says it is
        path = self.reach.find(written, at, beside)
        if any(o.path == path for o in above):
            first = next(n for n, o in enumerate(above) if o.path == path)
            around = [*(o.source.name for o in above[first:]), above[first].source.name]
            raise Problem("E604", "these files include one another: " + " → ".join(f"`{n}`" for n in around) if len(around) > 2
                          else f"`{around[0]}` includes itself", at, "it would never end")
        if len(above) > DEEPEST:
            way = [f"`{o.source.name}`" for o in above]
            raise Problem("E604", f"more than {DEEPEST} files include one another: " + " → ".join([*way[:3], "…", *way[-2:]]), at)
        if path in self.included:
            raise Problem("E605", f"`{written}` is included twice", at, "included again here",
                          [Label(self.included[path], "included here first")], ("its names would be defined twice; one `include` is enough for all files",))
        self.included[path] = at
        try:
            text = text_of(self.reach.read(path, written, at))
        except ValueError as error:
            raise Problem("E030", f"`{written}` is not UTF-8 text: {error}", at, hints=("save it as UTF-8",)) from None
        if self.length + len(text) > LARGEST:
            raise Problem("E603", "the files of this program are too large", at, f"the limit is {LARGEST:,} characters together")
        top = above[-1]
        name = os.path.normpath(os.path.join(os.path.dirname(top.source.name), written)) if top.path else written
        file = Source(name, text)
        self.write("\n")
        try:
            tree = parse(file)
        except GraphError as error:
            self.found += [d.moved(self.length) for d in error.diagnostics]
            self.stretch(file, 0, len(text), (*above, Opened(file, path)))
        else:
            self.add(file, tree, above, path)
        self.write("\n")
