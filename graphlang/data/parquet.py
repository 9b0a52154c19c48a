"""Parquet files, if pyarrow is installed."""

from __future__ import annotations

import io
from typing import Sequence

from graphlang.data.columns import chosen, no_twins
from graphlang.data.mistakes import MOST_COLUMNS, MOST_ELEMENTS, Mistakes, column_name


def parquet(data: bytes, columns: Sequence, mistakes: Mistakes, finite: bool):
    """Names of the chosen columns, and their numbers as a numpy array. Raises GraphError."""
    try:
        import pyarrow
        from pyarrow.parquet import ParquetFile
    except ImportError:
        mistakes.fail("E601", "a Parquet file is read only where the package pyarrow is", "`pip install pyarrow`, or save the table as CSV")
    import numpy

    try:
        file = ParquetFile(io.BytesIO(data))
        names, rows = list(file.schema_arrow.names), file.metadata.num_rows
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError, OverflowError):
        mistakes.fail("E616", "this is no Parquet file, or a damaged one", "it may not have been copied or downloaded whole")
    if len(names) > MOST_COLUMNS:
        mistakes.too_many(f"its table of {len(names):,} columns", MOST_COLUMNS, "columns")
    no_twins(names, mistakes)
    picked = chosen(columns, names, len(names), mistakes)
    if rows <= 0:
        mistakes.fail("E617", "the table has no row")
    if rows * len(picked) > MOST_ELEMENTS:
        mistakes.too_many(f"its table of {rows * len(picked):,} numbers", MOST_ELEMENTS, "numbers")
    for k in picked:
        kind = file.schema_arrow.field(k).type
        if not any(is_so(kind) for is_so in (pyarrow.types.is_integer, pyarrow.types.is_floating, pyarrow.types.is_boolean)):
            mistakes.add("E616", f"it holds {kind}, not numbers", "read other columns by their names", place=column_name(names, k))
    mistakes.done()
    try:
        table = file.read(columns=[names[k] for k in dict.fromkeys(picked)])
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError, OverflowError):
        table = None
    if table is None or table.num_rows != rows:
        mistakes.fail("E616", "this is a damaged Parquet file", "it may not have been copied or downloaded whole")
    values = numpy.empty((rows, len(picked)))
    for j, k in enumerate(picked):
        values[:, j] = numbers(table.column(names[k]), names, k, mistakes, finite)
    mistakes.done()
    return tuple(names[k] for k in picked), values, ()


def numbers(column, names: Sequence[str], k: int, mistakes: Mistakes, finite: bool):
    """One column as float64; what is null or not finite in it is told by its row, counted from 1."""
    import numpy
    import pyarrow

    null = column.is_null().to_numpy()
    for row in numpy.flatnonzero(null)[:20]:
        mistakes.add("E611", "the value is missing", "take the row out", place=f"row {row + 1}, {column_name(names, k)}")
    if pyarrow.types.is_integer(column.type):
        whole = column.fill_null(0).to_numpy()
        values = whole.astype(float)
        wrong = [r for r in numpy.flatnonzero(numpy.abs(values) >= 2.0**53) if int(values[r]) != int(whole[r])]
        for row in wrong[:20]:
            mistakes.add("E612", f"the whole number {whole[row]} is too large to be a float64 exactly", "up to 2^53 all are", place=f"row {row + 1}, {column_name(names, k)}")
        return values
    values = (column.fill_null(False) if pyarrow.types.is_boolean(column.type) else column.fill_null(0)).to_numpy().astype(float)
    for row in numpy.flatnonzero(~numpy.isfinite(values))[:20] if finite else ():
        mistakes.add("E612", f"`{values[row]}` is not finite", "a missing value? take the row out", place=f"row {row + 1}, {column_name(names, k)}")
    return values
