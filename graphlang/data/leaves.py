"""The values of leaves that files give: `csv("file", …)` and `npy("file")`.

A program reads each of its files once, however many leaves take columns of it, and only when numbers or sizes are wanted.
"""

from __future__ import annotations

import os
from pathlib import Path

from graphlang.data import LARGEST, read_array, read_table
from graphlang.diagnostics import Diagnostic, GraphError, Label, Source, Span
from graphlang.graph.graph import Box, Variable, Wanted
from graphlang.graph.values import Problem
from graphlang.sources import Reach

LARGEST_KEPT = 16 * 2**20  # bytes
MOST_KEPT = 8

# Sessions and editors build a program anew at every change. The key has all bytes of the file, so what is kept is never stale.
_kept: dict[tuple, object] = {}


class Once(Reach):
    """Where a program may read; each file is read once."""

    def __new__(cls, reach: Reach):
        self = super().__new__(cls, *reach)
        self.reach, self.known = reach, {}
        return self

    def read(self, path, written, at, most):
        if path not in self.known:
            self.known[path] = self.reach.read(path, written, at, most)
        return self.known[path]


class DataFiles:
    """The files that the leaves of one program name."""

    def __init__(self, reach: Reach | None, source: Source):
        self.source = source
        self.reach = None if reach is None else Once(reach)
        self.arrays: dict[tuple, object] = {}  # also GraphErrors: a file is wrong once, however often it is named

    def shape(self, wanted: Wanted) -> tuple[int, ...]:
        """What a declaration without ranges is given: the axes of an array; the rows of one column, else rows and columns. Raises GraphError."""
        return tuple(self.array(wanted).shape)

    def numbers(self, wanted: Wanted, v: Variable) -> list[float]:
        """The elements of a leaf, row-major. Raises GraphError, also where the file has another shape."""
        values = self.array(wanted)
        if not fits(values.shape, v.ranges):
            have = "a single number" if not values.shape else f"{'×'.join(map(str, values.shape))} numbers"
            if wanted.kind == "csv" and len(values.shape) == 1:
                have = f"{len(values)} row{'s' * (len(values) != 1)} of one number"
            over = "a scalar" if not v.ranges else "declared over " + ", ".join(map(str, v.ranges))
            raise GraphError([Diagnostic("E216", f"`{v.name}` is {over}, but `{wanted.file}` has {have}", wanted.at, "not of this size",
                                         (Label(v.span, "declared here"),) if v.span else (),
                                         (f"a declaration without ranges, `{v.role} {v.name} = …`, takes the size of its file",))])
        return values.ravel().tolist()

    def array(self, wanted: Wanted):
        """As numpy: float64, with the axes that the leaf would have without ranges. Raises GraphError."""
        folder = self.beside(wanted.at)
        key = (wanted.kind, wanted.file, folder, wanted.columns)
        if key not in self.arrays:
            try:
                self.arrays[key] = self.read(wanted, folder)
            except GraphError as e:
                self.arrays[key] = e
        found = self.arrays[key]
        if isinstance(found, GraphError):
            raise found
        return found

    def beside(self, at: Span) -> Path | None:
        """Where a path begins: in an included file at its folder, else (None) at the program's."""
        chain = self.source.part(at.start).chain
        if len(chain) < 2 or self.reach is None:
            return None
        return self.reach.folder / os.path.relpath(os.path.dirname(chain[-1].name) or ".", os.path.dirname(chain[0].name) or ".")

    def read(self, wanted: Wanted, folder: Path | None):
        if self.reach is None:
            raise GraphError([Diagnostic("E602", "a text that is in no folder reads no files", wanted.at, "which folder is it in?", (),
                                         ("`loads(text, folder=\".\")` reads from a folder, `load(path)` from that of the file",))])
        data = self.bytes(wanted, folder)
        key = (wanted.kind, wanted.file, wanted.columns, data)
        if data is not None and key in _kept:
            return _kept[key]
        if wanted.kind == "npy":
            found = read_array(self.reach, wanted.file, wanted.at, wanted.columns[0] if wanted.columns else None, beside=folder)
        else:
            found = read_table(self.reach, wanted.file, wanted.at, wanted.columns, beside=folder).values
            found = found[:, 0] if found.shape[1] == 1 else found
        if data is not None:
            while len(_kept) >= MOST_KEPT:
                del _kept[next(iter(_kept))]
            _kept[key] = found
        return found

    def bytes(self, wanted: Wanted, folder: Path | None) -> bytes | None:
        """What is in a file that is small enough to be kept; None also where it cannot be read, which whoever reads it will say."""
        try:
            data = self.reach.read(self.reach.find(wanted.file, wanted.at, folder), wanted.file, wanted.at, LARGEST)
        except Problem:
            return None
        return data if len(data) <= LARGEST_KEPT else None


def fits(shape: tuple[int, ...], ranges: Box) -> bool:
    """Whether a leaf can have the numbers: its own shape, or as a vector one row or one column."""
    extents = tuple(r.extent for r in ranges)
    if len(extents) == 1 and len(shape) == 2 and 1 in shape:
        return max(shape) == extents[0]
    if len(extents) == 2 and len(shape) == 1 and 1 in extents[1:]:  # a table of one column
        return extents == (*shape, 1)
    return shape == extents
