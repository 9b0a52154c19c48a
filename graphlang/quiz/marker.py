"""The marker: what an answer is worth, and what is told about it. One for the terminal, for files of answers and for the tests of every export.

Errors that are carried forward from one blank to another are not known here.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

from graphlang.quiz.answers import read
from graphlang.quiz.keys import plain, said
from graphlang.quiz.mistakes import MISTAKES, transcribed
from graphlang.quiz.model import Accepted, Blank, Choice, Diagnosis, Option, Sheet
from graphlang.quiz.text import LETTERS, text

ONE, NOTHING = Decimal(1), Decimal(0)
LETTER = re.compile(r"\(?\s*([A-Za-z])\s*[).:]?")


class Mark(NamedTuple):
    """`credit`: the part of the marks, from 0 to 1. `value`: the number that was read, None where there is none; of a choice the option.
    `readable`: whether the answer could be read at all."""

    credit: Decimal
    message: str
    diagnosis: Diagnosis | None = None
    value: Decimal | None = None
    option: Option | None = None
    readable: bool = True


def mark(asked: Blank | Choice, typed: str) -> Mark:
    """An answer as it is typed."""
    return mark_blank(asked, typed) if type(asked) is Blank else mark_choice(asked, typed)


def mark_blank(blank: Blank, typed: str) -> Mark:
    """First the key, then the diagnoses in their order."""
    value, reason, _ = read(typed, fraction=blank.precision.kind == "exactly")
    if value is None:
        return Mark(NOTHING, f"{reason[:1].upper()}{reason[1:]}.", readable=False)
    if blank.accepted.holds(value):
        return Mark(ONE, "Right.", None, value)
    for d in blank.diagnoses:
        if d.accepted.holds(value):
            return Mark(d.credit, d.message, d, value)
    if value in transcribed(blank.key):
        message = MISTAKES["transcribe"].message
        return Mark(NOTHING, message, Diagnosis(value, Accepted(value, value), ("transcribe",), message), value)
    return Mark(NOTHING, rough(blank, value), None, value)


def rough(blank: Blank, value: Decimal) -> str:
    """About a number that no mistake is known for: whether it is the key, given too coarsely."""
    low, high = blank.accepted.low, blank.accepted.high
    digits = -value.as_tuple().exponent
    if blank.precision.kind == "decimals" and digits < blank.precision.digits and abs(value - (low + high) / 2) <= Decimal(5).scaleb(-digits - 1):
        return f"Close, and not exact enough: the answer is asked for to {said(blank.precision)}."
    return "Not right."


def mark_choice(choice: Choice, typed: str) -> Mark:
    """A letter, or the text of an option as it is shown."""
    option = chosen(choice, typed)
    if option is None:
        last = LETTERS[len(choice.options) - 1]
        words = typed.strip()
        return Mark(NOTHING, f"A letter from A to {last} is wanted." if words else "No answer is given.", readable=False)
    if option.right:
        return Mark(ONE, "Right.", None, None, option)
    return Mark(NOTHING, option.message or "Not right.", None, None, option)


def chosen(choice: Choice, typed: str) -> Option | None:
    words = typed.strip()
    if (m := LETTER.fullmatch(words)) is not None:
        k = LETTERS.index(m[1].upper())
        return choice.options[k] if k < len(choice.options) else None
    same = [o for o in choice.options if "".join(text(o.text).split()) == "".join(words.split())]
    return same[0] if len(same) == 1 and words else None


def find(sheet: Sheet, id: str) -> Blank | Choice | None:
    """What is asked for under an id."""
    for part in sheet.parts:
        for asked in (*part.blanks, *((part.choice,) if part.choice else ())):
            if asked.id == id:
                return asked
    return None


def right_answer(asked: Blank | Choice) -> str:
    """What earns full marks, as a student would type it."""
    if type(asked) is Blank:
        return plain(asked.key)
    return next(LETTERS[k] for k, o in enumerate(asked.options) if o.right)
