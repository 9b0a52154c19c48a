"""Files of answers: columns student, quiz, variant, blank, value, in any order, as a spreadsheet or a learning platform writes them.

What is wrong with a row is told with its line and its column, and the other rows are read. Nothing of a file is evaluated.
"""

from __future__ import annotations

import csv
import io
import sys
import threading
from typing import Iterator, NamedTuple

from graphlang.diagnostics import did_you_mean

COLUMNS = ("student", "quiz", "variant", "blank", "value")
DELIMITERS = ",;\t"
LOCK = threading.Lock()  # the limit of the csv module is one for all
LONGEST = 200            # characters of a cell that is shown


class Trouble(NamedTuple):
    """What is wrong with a row. `effect`: what becomes of it."""

    line: int
    column: str
    message: str
    effect: str = "the row is left out"

    def __str__(self) -> str:
        return f"{self.line}: " + (f"column `{self.column}`: " if self.column else "") + f"{self.message}; {self.effect}"


class Answer(NamedTuple):
    line: int
    student: str
    quiz: str
    variant: str
    version: str
    blank: str
    value: str


class NotAnswers(Exception):
    """A file that is no table of answers, and why."""


def decoded(raw: bytes) -> str:
    """UTF-8, or UTF-16 as spreadsheets mark it. Raises NotAnswers."""
    for mark, name in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"", "utf-8-sig")):
        if raw.startswith(mark):
            try:
                return raw.decode(name)
            except UnicodeDecodeError:
                raise NotAnswers(f"it is not {name.removesuffix('-sig').upper()} text; save it as CSV UTF-8") from None
    raise AssertionError


def read_answers(raw: bytes) -> tuple[list[Answer], list[Trouble]]:
    """The rows of a file, and what is wrong with some. Raises NotAnswers where its columns cannot be told."""
    text = decoded(raw)
    rows = cells(text)
    first = next(rows, None)
    if first is None:
        raise NotAnswers("it is empty; its first line names the columns: " + ",".join(COLUMNS))
    where = header(first[1])
    found, troubles = [], []
    for line, row in rows:
        if not any(c.strip() for c in row):
            continue

        def cell(name: str) -> str:
            k = where.get(name)
            return row[k].strip() if k is not None and k < len(row) else ""

        broken = next((n for n, k in where.items() if k < len(row) and "\n" in row[k].strip()), None)
        if broken is not None:
            troubles.append(Trouble(line, broken, f"there are {row[where[broken]].strip().count(chr(10))} line breaks inside of one cell: a quote may not be closed", "these lines are left out"))
            continue
        short = [n for n in where if where[n] >= len(row) and n not in ("variant", "version", "value")]
        if short:
            troubles.append(Trouble(line, short[0], f"there is no such cell: the row has {len(row)} of {len(first[1])}"))
            continue
        a = Answer(line, *map(cell, ("student", "quiz", "variant", "version", "blank", "value")))
        if not a.student:
            troubles.append(Trouble(line, "student", "it is empty"))
            continue
        found.append(a)
    return found, troubles


def cells(text: str) -> Iterator[tuple[int, list[str]]]:
    """The rows, each with the number of its first line."""
    head = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=head.count)
    with LOCK:
        before = csv.field_size_limit(sys.maxsize)
        try:
            reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
            line, rows = 1, []
            for row in reader:
                rows.append((line, row))
                line = reader.line_num + 1
        except csv.Error as e:
            raise NotAnswers(f"line {line} is no line of a CSV file: {e}") from None
        finally:
            csv.field_size_limit(before)
    blank = True
    for line, row in rows:
        if blank and not any(c.strip() for c in row):
            continue  # before the names of the columns
        blank = False
        yield line, row


def header(row: list[str]) -> dict[str, int]:
    """Where each column stands. Raises NotAnswers."""
    names = [c.strip().lower() for c in row]
    wanted = (*COLUMNS, "version")
    twice = next((n for n in wanted if names.count(n) > 1), None)
    if twice is not None:
        raise NotAnswers(f"there are two columns `{twice}`")
    where = {n: names.index(n) for n in wanted if n in names}
    missing = [n for n in COLUMNS if n not in where and not (n == "variant" and "version" in where)]
    if missing:
        near = next((h for n in missing for h in did_you_mean(n, [x for x in names if x and x not in wanted])), "")
        have = ", ".join(f"`{shortened(n)}`" for n in names[:12] if n) or "none"
        raise NotAnswers(f"there is no column {', '.join(f'`{n}`' for n in missing)}; it has {have}" + (f"; {near}" if near else "") + f"; wanted are {','.join(COLUMNS)}, in any order")
    return where


def shortened(text: str) -> str:
    """A cell as it is told: on one line, and not all of a long one."""
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text):,} characters)"
