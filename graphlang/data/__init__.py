"""Tables of numbers from files: CSV, NPY and NPZ, Parquet.

Everything is read through `sources.Reach`, so only from where a program may read, and never more than `LARGEST` bytes, packed or not.
What is wrong with a file is told with the file, the line and the column; several mistakes of one file at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Callable, NamedTuple, Sequence

from graphlang.data.mistakes import LARGEST, MOST_COLUMNS, MOST_ELEMENTS, Mistakes
from graphlang.data.packed import unpacked
from graphlang.diagnostics import Span
from graphlang.graph.values import Problem
from graphlang.sources import Reach

Column = str | int  # a name, or a number from 1


class Table(NamedTuple):
    """Rows and columns of numbers. `names`: those of the columns that were chosen, in their order; None where the file has none.
    `values`: a numpy array of float64 with two axes. `lines`: where each row stands in a text file; () for other files."""

    names: tuple[str, ...] | None
    values: object
    file: str
    lines: Sequence[int] = ()

    def place(self, row: int, column: int) -> str:
        """An entry (both counted from 0) as messages name it: `d.csv`, line 3, column `price`."""
        at = f"line {self.lines[row]}" if self.lines else f"row {row + 1}"
        return f"`{self.file}`, {at}, column " + (f"`{self.names[column]}`" if self.names else str(column + 1))


def read_table(reach: Reach, file: str, at: Span, columns: Sequence[Column] | Callable[[Sequence[str]], Sequence[Column]] = (), member: str | None = None,
               finite: bool = True, beside: Path | None = None) -> Table:
    """The table in a file that a program names at `at`. The end of its name says what it is: `.npy`, `.npz`, `.parquet`, else CSV.

    columns: by name or by number from 1, in the order that is wanted; all, if none are given; or what gives them, once the header is read. member: of an `.npz` with several arrays.
    finite: refuse nan and inf. beside: the folder where the path begins, if not the program's. An array with one axis is a column. Raises GraphError, which has no source yet.
    """
    name = file.lower().removesuffix(".gz")
    mistakes = Mistakes(file, at)
    try:
        data = contents(reach, file, mistakes, beside)
        if name.endswith((".npy", ".npz")):
            from graphlang.data.arrays import array_in, table_of

            return table_of(array_in(data, member, mistakes, finite), columns, mistakes)
        if name.endswith(".parquet"):
            from graphlang.data.parquet import parquet

            names, values, lines = parquet(data, columns, mistakes, finite)
        else:
            from graphlang.data.delimited import delimited

            names, values, lines = delimited(data, columns, mistakes, finite)
    except Problem as p:
        mistakes.found.append(p.diagnostic)
        raise mistakes.error() from None
    return Table(names, values, file, lines)


def read_array(reach: Reach, file: str, at: Span, member: str | None = None, finite: bool = True, beside: Path | None = None):
    """The array in an `.npy`, or one of an `.npz`: numpy, float64, with the axes that it has. Raises GraphError."""
    from graphlang.data.arrays import array_in

    mistakes = Mistakes(file, at)
    try:
        return array_in(contents(reach, file, mistakes, beside), member, mistakes, finite)
    except Problem as p:
        mistakes.found.append(p.diagnostic)
        raise mistakes.error() from None


def contents(reach: Reach, file: str, mistakes: Mistakes, beside: Path | None) -> bytes:
    """The bytes of a file, those of a `.gz` unpacked. Raises Problem, GraphError."""
    return unpacked(reach.read(reach.find(file, mistakes.at, beside), file, mistakes.at, LARGEST), file, mistakes)


__all__ = ["LARGEST", "MOST_COLUMNS", "MOST_ELEMENTS", "Column", "Table", "read_array", "read_table"]
