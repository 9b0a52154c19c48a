"""What the papers and their keys say of numbers: how to give them, which are accepted, what they are worth."""

from __future__ import annotations

from decimal import Decimal
from typing import Sequence

from graphlang.quiz.keys import in_words, plain
from graphlang.quiz.model import Accepted, Blank, Part, Precision
from graphlang.quiz.sheets import how

NOTHING = Decimal(0)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def letter(k: int) -> str:
    """Of an option: A to Z, then AA."""
    return LETTERS[k] if k < 26 else letter(k // 26 - 1) + LETTERS[k % 26]


def label(k: int) -> str:
    """Of a blank of a question: a to z, then aa."""
    return letter(k).lower()


def number(value: Decimal) -> str:
    """With the sign that is printed: −1208.38."""
    return signed(plain(value))


def signed(text: str) -> str:
    return text.replace("-", "−")


def tidy(value: Decimal) -> str:
    """A count of marks: 2, 0.5."""
    return plain(value.normalize()) if value else "0"


def marks(value: Decimal) -> str:
    return f"{tidy(value)} mark" + ("" if value == 1 else "s")


def precision(p: Precision) -> str:
    """How a number is asked for."""
    return how(p)


def accepted(a: Accepted) -> str:
    """An interval in words."""
    return signed(in_words(a))


def asked(blank: Blank) -> str:
    """Beside the box of a blank."""
    return f"{precision(blank.precision)}, {marks(blank.marks)}"


def asked_together(blanks: Sequence[tuple[str, Blank]]) -> str:
    """Below a table, of its blanks with their labels: once where all are alike."""
    kinds = {asked(b) for _, b in blanks}
    if len(kinds) > 1:
        return "; ".join(f"({name}) {asked(b)}" for name, b in blanks) + "."
    return f"{'Each' if len(blanks) > 1 else 'The'} blank: {kinds.pop()}." if kinds else ""


def credit(share: Decimal, of: Decimal) -> str:
    """What a wrong number gets."""
    return f"{tidy(share * of)} of {marks(of)}" if share else "no marks"


def labels(part: Part) -> dict[str, str]:
    """The letter of each blank, by its id, down the rows of the table; none where there is one."""
    rows = [c.blank for row in part.rows for c in row.cells if c.blank]
    order = dict.fromkeys([*rows, *(b.id for b in part.blanks)])
    return {name: label(k) if len(part.blanks) > 1 else "" for k, name in enumerate(order)}


def in_tables(part: Part) -> set[str]:
    """The blanks of a part that stand in its table; the others have a line of their own."""
    return {c.blank for row in part.rows for c in row.cells if c.blank}


def divided(part: Part) -> tuple[tuple[tuple[str, Blank], ...], tuple[tuple[str, Blank], ...]]:
    """The blanks in the table of a part, and those that have a line of their own, with their labels."""
    names, inside, blanks = labels(part), in_tables(part), {b.id: b for b in part.blanks}
    return tuple((names[n], blanks[n]) for n in names if n in inside), tuple((names[n], blanks[n]) for n in names if n not in inside)


def carried(part: Part) -> tuple[str, ...]:
    """For who marks by hand: how a number counts that follows from a wrong one."""
    if not part.carry or len(part.blanks) < 2:
        return ()
    names = {b.id: f"({label(k)})" for k, b in enumerate(part.blanks)}
    order = ", ".join(names[name] for name in part.order or names if name in names)
    most = part.marks - min(b.marks for b in part.blanks)
    return (f"Errors carried forward: mark the blanks in the order {order}.",
            f"A number that is wrong, but follows by the right rule from the student's own earlier numbers, gets {tidy(part.carry * 100)}% of its marks. Printed cells and "
            "blanks left empty count as the key has them.",
            "Nothing is carried from a number that is 0, not finite or missing, nor to one that does not depend on it, or that becomes 0 or equal to a printed number.",
            f"With marks carried the question has at most {marks(most)}.")
