"""Data sets: files as arrays of examples, one row for each, by the leaf that the columns fill."""

from __future__ import annotations

from typing import Mapping, NamedTuple, Sequence

import numpy

from graphlang.data import Table, read_array, read_table
from graphlang.data.leaves import DataFiles
from graphlang.diagnostics import MOST_DIAGNOSTICS, Diagnostic, GraphError, Label
from graphlang.graph.graph import Graph, Wanted
from graphlang.graph.training import Feed, Training
from graphlang.train.headers import by_name
from graphlang.train.subscripts import wrong_subscripts


class Examples(NamedTuple):
    """`arrays`: by leaf (count, size of the leaf), float64. `table`: as the file has it, to name a place in it; `columns`: which column of
    the table fills each element, in the order of the feeds."""

    arrays: Mapping[str, object]
    count: int
    table: Table
    columns: Sequence[int]

    @property
    def file(self) -> str:
        return self.table.file

    def place(self, row: int) -> str:
        """An example as messages name it: "`train.csv`, line 3"."""
        return f"`{self.file}`, " + (f"line {self.table.lines[row]}" if self.table.lines else f"row {row + 1}")

    def part(self, start: int, stop: int) -> dict[str, object]:
        return {n: a[start:stop] for n, a in self.arrays.items()}

    def at(self, row: int) -> dict[str, list[float]]:
        """The leaves at one example, flat."""
        return {n: a[row].tolist() for n, a in self.arrays.items()}


def read_examples(graph: Graph, training: Training, wanted: Wanted, files: DataFiles, start: Mapping[str, list[float]]) -> Examples:
    """The examples of the file that `wanted` names. `start`: the leaves before, whose elements stay where no column fills them. Raises GraphError
    with the places in the file of all that is wrong."""
    table = the_table(wanted, training.feeds, files, graph)
    columns = matched(table, training.feeds, wanted, graph)
    arrays, at = {}, 0
    for feed in training.feeds:
        size = graph.variables[feed.leaf].size
        if feed.leaf not in arrays:
            arrays[feed.leaf] = numpy.empty((len(table.values), size))
            arrays[feed.leaf][:] = start.get(feed.leaf, 0.0)
        arrays[feed.leaf][:, list(feed.elements)] = table.values[:, columns[at : at + len(feed.elements)]]
        at += len(feed.elements)
    examples = Examples({n: numpy.ascontiguousarray(a) for n, a in arrays.items()}, len(table.values), table, columns)
    found = []
    for wrong in wrong_subscripts(graph, training.feeds, examples.arrays):
        column = columns[wrong.column]
        found.append(Diagnostic("E506", f"{table.place(wrong.row, column)}: {wrong.message}", wanted.at, "", wrong.labels, wrong.hints))
        if len(found) == MOST_DIAGNOSTICS:
            break
    if found:
        raise GraphError(found, graph.source)
    return examples


def the_table(wanted: Wanted, feeds: Sequence[Feed], files: DataFiles, graph: Graph) -> Table:
    """A file as rows and columns; of an array with more axes a row is all but the first. Raises GraphError."""
    def by_header(header: Sequence[str]) -> Sequence[int]:
        """Where all are found by their names no other column is read: it may hold words."""
        found = by_name(header, [n for f in feeds for n in f.names])
        return () if None in found else [c + 1 for c in found]

    folder = files.beside(wanted.at)
    try:
        if files.reach is None:
            raise GraphError([Diagnostic("E602", "a text that is in no folder reads no files", wanted.at, "which folder is it in?", (),
                                         ("`loads(text, folder=\".\")` reads from a folder, `load(path)` from that of the file",))])
        if wanted.kind == "npy":
            found = read_array(files.reach, wanted.file, wanted.at, wanted.columns[0] if wanted.columns else None, beside=folder)
            if not found.ndim:
                raise GraphError([Diagnostic("E617", f"`{wanted.file}`: it is a single number, and a data set has a row for each example", wanted.at)])
            return Table(None, found.reshape(len(found), -1), wanted.file)
        return read_table(files.reach, wanted.file, wanted.at, wanted.columns or by_header, beside=folder)
    except GraphError as e:
        raise GraphError(e.diagnostics, graph.source) from None


def matched(table: Table, feeds: Sequence[Feed], wanted: Wanted, graph: Graph) -> list[int]:
    """The column for each element that is filled, in their order: by name where a header has the names of all, else by place. Raises GraphError."""
    names = [n for f in feeds for n in f.names]
    width = table.values.shape[1]
    if table.names is not None and not wanted.columns:
        found = by_name(table.names, names)
        if None not in found:
            return found
        small = [n.lower() for n in names]  # `T,X` over what fills `x, t` is not by place either
        alike = by_name([n.lower() for n in table.names], small) if len(set(small)) == len(small) else found
        moved = next(((k, c) for k, c in enumerate(alike) if c is not None and c != k), None)
        if moved is not None:
            k, c = moved
            lost = names[found.index(None)]
            there = ", ".join(f"`{n}`" for n in table.names[:8]) + (" …" if width > 8 else "")
            raise GraphError([Diagnostic("E412", f"`{wanted.file}`: column {c + 1} is called `{table.names[c]}`, but no column is called `{lost}`: by name or by place?", wanted.at, "",
                                         (Label(feeds[0].span, f"by place, column {k + 1} fills `{names[k]}`"),),
                                         (f"rename the columns, or name them here in their order; there are {there}",))], graph.source)
    if width != len(names):
        fills = f"`{names[0]}`" if len(names) == 1 else f"`{names[0]}` to `{names[-1]}`"
        raise GraphError([Diagnostic("E412", f"`{wanted.file}` has {width} column{'s' * (width != 1)}, and {len(names)} {'element is' if len(names) == 1 else 'elements are'} to be filled",
                                     wanted.at, "", (Label(feeds[0].span.to(feeds[-1].span), f"{fills}, a column each"),), (missing(table, names, width),))], graph.source)
    return list(range(width))


def missing(table: Table, names: Sequence[str], width: int) -> str:
    if table.names is None:
        return "the file has no header, so columns are taken by their place" if width else "a row for each example"
    found = by_name(table.names, names)
    lost = [n for n, c in zip(names, found) if c is None]
    if len(lost) < len(names):
        return "no column is called " + ", ".join(f"`{n}`" for n in lost[:4]) + (" …" if len(lost) > 4 else "")
    return "choose columns by their names: `csv(\"file\", \"a\", \"b\")`"
