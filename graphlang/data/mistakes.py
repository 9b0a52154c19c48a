"""What is wrong with a data file: its mistakes, collected while it is read."""

from __future__ import annotations

from typing import NoReturn, Sequence

from graphlang.diagnostics import MOST_DIAGNOSTICS, Diagnostic, GraphError, Span

LARGEST = 256 * 2**20  # bytes of one file, packed or unpacked
MOST_COLUMNS = 100_000
MOST_ELEMENTS = 20_000_000  # of one table: some 160 MB as floats
LONGEST = 40  # characters of a field that a message shows


ALIKE = 3  # mistakes of one kind in one column that are told one by one; the others are counted


class Mistakes:
    """Of one file, which a program names at `at`. After `MOST_DIAGNOSTICS` of them reading ends."""

    def __init__(self, file: str, at: Span):
        self.file, self.at = file, at
        self.found: list[Diagnostic] = []
        self.alike: dict[tuple[str, str], int] = {}  # how many, by code and column

    def add(self, code: str, message: str, *hints: str, place: str = "", text: str = "") -> None:
        """`place`: where in the file, such as "line 3, column `price`". Raises GraphError when there are enough."""
        where = f"`{self.file}`, {place}" if place else f"`{self.file}`"
        _, comma, column = place.partition(", column ")
        if comma:
            self.alike[code, column] = self.alike.get((code, column), 0) + 1
            if self.alike[code, column] > ALIKE:
                return
        self.found.append(Diagnostic(code, f"{where}: {message}", self.at, text, (), hints))
        if len(self.found) >= MOST_DIAGNOSTICS:
            raise self.error()

    def fail(self, code: str, message: str, *hints: str, place: str = "", text: str = "") -> NoReturn:
        """A mistake after which nothing more can be read."""
        self.add(code, message, *hints, place=place, text=text)
        raise self.error()

    def too_many(self, what: str, most: int, unit: str) -> NoReturn:
        self.fail("E603", f"{what} is too large", text=f"the limit is {most:,} {unit}")

    def error(self) -> GraphError:
        more = [f"{n - ALIKE:,} more like it in column {column}" for (_, column), n in self.alike.items() if n > ALIKE]
        if more:
            self.found[-1] = self.found[-1]._replace(notes=(*self.found[-1].notes, *more))
        return GraphError(self.found)

    def done(self) -> None:
        if self.found:
            raise self.error()


def shown(field: str) -> str:
    """A field as a message shows it: on one line, and not too long."""
    text = " ".join(field.replace("`", "'").split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def column_name(names: Sequence[str] | None, k: int) -> str:
    """`column `price`` or `column 2`; k counts from 0."""
    return f"column `{shown(names[k])}`" if names and names[k] else f"column {k + 1}"
