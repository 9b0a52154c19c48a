"""CSV: text with a row a line, its fields parted by commas, semicolons or tabs, with or without a header."""

from __future__ import annotations

import csv
import io
import math
import re
from array import array
from typing import Iterator, NamedTuple, Sequence

from graphlang.data.columns import chosen, no_twins
from graphlang.data.mistakes import MOST_COLUMNS, MOST_ELEMENTS, Mistakes, column_name, shown
from graphlang.diagnostics import MOST_DIAGNOSTICS
from graphlang.sources import text_of

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
WORDS = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE | re.ASCII)
MISSING = {"na", "n/a", "null", "none", "?", "-", "."}
ZIP, NUMPY = b"PK\x03\x04", b"\x93NUMPY"
NAMES = {",": "commas", ";": "semicolons", "\t": "tabs"}


class Row(NamedTuple):
    line: int
    fields: list[str]


def delimited(data: bytes, columns: Sequence, mistakes: Mistakes, finite: bool):
    """Names of the chosen columns (None without a header), their numbers as a numpy array, and the line of each row. Raises GraphError."""
    import numpy

    text = as_text(data, mistakes)
    delimiter = delimiter_of(text)
    rows = rows_of(text, delimiter, mistakes)
    first = next(rows, None)
    if first is None:
        mistakes.fail("E617", "the file is empty", "a table of numbers is wanted, with or without a header")
    first = first._replace(fields=[f.strip() for f in first.fields])
    names = header(first, mistakes)
    width = len(first.fields)
    if width > MOST_COLUMNS:
        mistakes.too_many(f"its table of {width:,} columns", MOST_COLUMNS, "columns")
    picked = chosen(columns, names, width, mistakes)
    numbers, lines = array("d"), array("q")
    reading = Reading(names, delimiter, mistakes, finite)
    if names is None:
        reading.row(first, picked, numbers)
        lines.append(first.line)
    for row in rows:
        if len(row.fields) != width:
            reading.length(row, width, first.line)
            continue
        reading.row(row, picked, numbers)
        lines.append(row.line)
        if len(numbers) > MOST_ELEMENTS:
            mistakes.too_many("its table", MOST_ELEMENTS, "numbers")
    if names is not None and not lines and not mistakes.found:
        mistakes.fail("E617", "there is a header and no row after it", f"a first line of numbers only is no header; `{shown(next(f for f in first.fields if f and not is_number(f)))}` is none")
    mistakes.done()
    values = numpy.array(numbers, dtype=float).reshape(len(lines), len(picked))
    return names and tuple(names[k] for k in picked), values, lines


def as_text(data: bytes, mistakes: Mistakes) -> str:
    for magic, what in ((NUMPY, "a file of NumPy's"), (ZIP, "a packed file, such as .npz or .xlsx"), (b"PAR1", "a Parquet file")):
        if data.startswith(magic):
            mistakes.fail("E616", f"this is {what}, not CSV", *{NUMPY: ("`npy(\"…\")` reads arrays of NumPy's",), b"PAR1": ("its name should end in `.parquet`",)}.get(magic, ()))
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        mistakes.fail("E030", "the file is UTF-16, not UTF-8", "save it as UTF-8")
    try:
        return text_of(data)
    except ValueError as error:
        mistakes.fail("E030", f"not UTF-8 text: {error}", "save it as UTF-8")


def delimiter_of(text: str) -> str:
    """A tab if the first line that says something has one outside of quotes, else a semicolon, else a comma: numbers may have commas
    between semicolons, and names may have both between tabs."""
    start = re.search(r"\S", text)
    end = re.search(r"[\r\n]", text[start.start():]) if start else None
    line = text[start.start() : start.start() + end.start() if end else len(text)] if start else ""
    bare = re.sub(r'"[^"]*"', "", line)
    return next((d for d in "\t;" if d in bare), ",")


def rows_of(text: str, delimiter: str, mistakes: Mistakes) -> Iterator[Row]:
    """Rows; around a field there may be blanks. Blank lines before and after all rows are passed over."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=delimiter != "\t", strict=True)
    blank, begun = [], False
    line = 1
    try:
        for fields in reader:
            here, line = line, reader.line_num + 1
            if not fields or len(fields) == 1 and not fields[0].strip():
                if begun and len(blank) < MOST_DIAGNOSTICS:
                    blank.append(here)
                if here > MOST_ELEMENTS:
                    mistakes.too_many("its table", MOST_ELEMENTS, "lines")
                continue
            for at in blank:
                mistakes.add("E613", "the line is blank", "a missing value? take the row out", place=f"line {at}")
            blank, begun = [], True
            yield Row(here, fields)
    except csv.Error as error:
        message = str(error)
        if "field larger" in message:
            mistakes.fail("E616", "a field is longer than 131,072 characters", "is a quote not closed?", place=f"line {line}")
        mistakes.fail("E616", "a quote `\"` is not closed" if "unexpected end" in message else "a quoted field does not end with its quote",
                      "within quotes a quote is written twice: `\"\"`", place=f"line {line}")


def header(first: Row, mistakes: Mistakes) -> list[str] | None:
    """The names of the columns, if a field of the first row is no number and not empty. No two columns have one name."""
    if all(not f or is_number(f) for f in first.fields):
        return None
    no_twins(first.fields, mistakes, f"line {first.line}")
    return first.fields


def is_number(field: str) -> bool:
    return bool(NUMBER.fullmatch(field) or WORDS.fullmatch(field))


class Reading:
    """Fields become numbers, or mistakes."""

    def __init__(self, names: list[str] | None, delimiter: str, mistakes: Mistakes, finite: bool):
        self.names, self.delimiter, self.mistakes, self.finite = names, delimiter, mistakes, finite

    def row(self, row: Row, picked: Sequence[int], out: array) -> None:
        fields = row.fields if type(picked) is range else [row.fields[k] for k in picked]
        try:
            # Most rows are fine. What float() takes and a file of numbers does not has one of these characters, or is not finite.
            numbers = list(map(float, fields))
            written = "".join(fields)
            plain = math.isfinite(sum(numbers)) and written.isascii() and "_" not in written
        except ValueError:
            plain = False
        if not plain:
            numbers = [self.number(field.strip(), row.line, k) for field, k in zip(fields, picked)]
        out.extend(numbers)

    def number(self, field: str, line: int, k: int) -> float:
        place = f"line {line}, {column_name(self.names, k)}"
        if NUMBER.fullmatch(field):
            value = float(field)
            if math.isinf(value):
                self.mistakes.add("E612", f"`{shown(field)}` is too large for a float64", "the largest is about 1.8e308", place=place)
            return value
        if WORDS.fullmatch(field):
            if self.finite:
                self.mistakes.add("E612", f"`{shown(field)}` is not finite", "a missing value? take the row out", place=place)
            return float(field)
        if not field:
            self.mistakes.add("E611", "the field is empty", "a number is wanted in every field of a column that is read", place=place)
        else:
            self.mistakes.add("E610", f"`{shown(field)}` is not a number", *self.advice(field), place=place)
        return math.nan

    def advice(self, field: str) -> tuple[str, ...]:
        if re.fullmatch(r"[+-]?\d+,\d+", field, re.ASCII):
            return (f"with a decimal point: `{field.replace(',', '.')}`",)
        if re.fullmatch(r"[+-]?\d+(_\d+)+|[+-]?\d{1,3}(,\d{3})+(\.\d+)?", field, re.ASCII):
            return ("digits are written without `_` or commas between them",)
        if field.lower() in MISSING:
            return ("a missing value? take the row out",)
        if len(field.split()) > 1 and all(map(is_number, field.split())):
            return ("fields are parted by commas, semicolons or tabs, not by blanks",)
        if any(d in field for d in NAMES):
            return (f"the fields of this file are parted by {NAMES[self.delimiter]}, as its first line is",)
        return ()

    def length(self, row: Row, width: int, first: int) -> None:
        n = len(row.fields)
        hints = ("a comma at the end of the line?",) if n == width + 1 and not row.fields[-1].strip() and self.delimiter == "," else ()
        self.mistakes.add("E613", f"{n} field{'s' * (n != 1)} where line {first} has {width}", *hints, place=f"line {row.line}")
