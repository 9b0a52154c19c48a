"""A whole sheet marked: every blank by the marker, errors carried forward, and the marks of a quiz in an exam.

    marked = mark_sheet(sheet, {"dy_dx": "3.14"}, carrying)      # of what is not answered too

The key earns full marks wherever it stands; what is carried never earns more than all marks less those of one blank.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Mapping, NamedTuple, Sequence

from graphlang.quiz.answers import Typed, read
from graphlang.quiz.carried import NOTHING, Carrying, Found
from graphlang.quiz.cells import order
from graphlang.quiz.marker import Mark, mark
from graphlang.quiz.model import Blank, Choice, Exam, Part, Quiz, Sheet, Use

RIGHT, CARRIED, WRONG, UNREADABLE, EMPTY = "right", "carried", "wrong", "unreadable", "empty"
CENT = Decimal("0.0001")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MOST_TRIED = 50  # variants more, for numbers that no version has


class Marked(NamedTuple):
    """What an answer is worth. `credit`: the part of the marks `of`; `mistakes`: by name; `carried`: the blanks whose values were carried into it."""

    id: str
    typed: str
    result: str
    credit: Decimal
    marks: Decimal
    of: Decimal
    message: str
    mistakes: tuple[str, ...] = ()
    carried: tuple[str, ...] = ()


def asked_in(sheet: Sheet) -> list[Blank | Choice]:
    """All that a sheet asks for, in the order of the sheet."""
    return [a for p in sheet.parts for a in (*p.blanks, *((p.choice,) if p.choice else ()))]


def mark_sheet(sheet: Sheet, answers: Mapping[str, str], carrying: Carrying | None = None, marks: Decimal | None = None) -> tuple[Marked, ...]:
    """Every blank and choice of a sheet, in its order. `carrying`: where errors are carried forward; `marks`: for all of it, where not its own."""
    of = shares([a.marks for a in asked_in(sheet)], marks)
    worth = dict(zip((a.id for a in asked_in(sheet)), of))
    made = {p.choice.id: judged(p, p.choice, answers.get(p.choice.id, ""), worth[p.choice.id]) for p in sheet.parts if p.choice is not None}
    earlier: dict[str, tuple[Blank, Typed]] = {}
    for part, blank in order(sheet, carrying.quiz) if carrying is not None else [(p, b) for p in sheet.parts for b in p.blanks]:
        text = answers.get(blank.id, "")
        made[blank.id] = judged(part, blank, text, worth[blank.id], carrying, earlier)
        typed = typed_in(blank, text)
        if typed.value is not None:
            earlier[blank.id] = blank, typed
    return capped([made[a.id] for a in asked_in(sheet)], [worth[b.id] for p in sheet.parts for b in p.blanks])


def typed_in(blank: Blank, text: str) -> Typed:
    return read(text, fraction=blank.precision.kind == "exactly")


def judged(part: Part, asked: Blank | Choice, text: str, of: Decimal, carrying: Carrying | None = None,
           earlier: Mapping[str, tuple[Blank, Typed]] = {}) -> Marked:
    """One answer: first the key, then what follows from earlier answers, then mistakes."""
    m = mark(asked, text)
    if not m.readable:
        return Marked(asked.id, text, UNREADABLE if text.strip() else EMPTY, Decimal(0), Decimal(0), of, m.message)
    if m.credit == 1 and m.diagnosis is None:
        return Marked(asked.id, text, RIGHT, m.credit, of, of, m.message)
    found = carrying.look(part, asked, typed_in(asked, text), earlier) if carrying is not None and type(asked) is Blank and earlier else NOTHING
    if found.carried:
        credit = max(part.carry, m.credit)
        return Marked(asked.id, text, CARRIED, credit, of * credit, of, found.message, (), found.of)
    message, mistakes = told(m, found)
    return Marked(asked.id, text, WRONG, m.credit, of * m.credit, of, message, mistakes)


def told(m: Mark, found: Found) -> tuple[str, tuple[str, ...]]:
    """What a wrong answer is told. Mistakes on the student's own values come first: on the key's they would not have led here."""
    if found.mistakes:
        return found.message, found.mistakes
    mistakes = m.diagnosis.mistakes if m.diagnosis else m.option.mistakes if m.option else ()
    if found.why and not mistakes:
        return f"{m.message} It would follow from your earlier value by the right rule, but {found.why}.", ()
    return m.message, mistakes


def capped(marked: Sequence[Marked], worths: Sequence[Decimal]) -> tuple[Marked, ...]:
    """With the carried marks, in order, kept below all marks less those of one blank."""
    room, out = sum(worths, Decimal(0)) - min(worths, default=Decimal(0)), []
    for m in marked:
        if m.result == CARRIED:
            given = min(m.marks, room)
            room -= given
            m = m._replace(marks=given, credit=given / m.of if given < m.marks else m.credit)
        out.append(m)
    return tuple(out)


def shares(own: Sequence[Decimal], marks: Decimal | None) -> list[Decimal]:
    """The marks of each blank; where those of all are said, in proportion, and together exactly these."""
    total = sum(own, Decimal(0))
    if marks is None or not total:
        return list(own)
    out, before, so_far = [], Decimal(0), Decimal(0)
    for x in own:
        so_far += x
        upto = (so_far * marks / total).quantize(CENT, ROUND_HALF_UP) if so_far != total else marks
        out.append(upto - before)
        before = upto
    return out


# ---- the versions of an exam


def version(exam: Exam, letter: str) -> int | None:
    """The number of a version, from 1; None where an exam has no such version."""
    k = LETTERS.find(letter.strip().upper()) + 1 if len(letter.strip()) == 1 else 0
    return k if 1 <= k <= exam.versions else None


def variant_of(use: Use, number: int, quiz: Quiz | None = None, seed: int = 0) -> int:
    """The variant of a quiz in a version of an exam: the first one whose numbers no version before it has, as long as there are enough."""
    from graphlang.quiz.variants import NoDraw, variants

    if quiz is not None and quiz.vary:
        seen, count = set(), 0
        for k in range(1, (use.variants or number + MOST_TRIED) + 1):
            try:
                drawn = variants(quiz).variant(seed, k).drawn
            except NoDraw:
                break
            if drawn not in seen:
                seen.add(drawn)
                count += 1
                if count == number:
                    return k
    return (number - 1) % use.variants + 1 if use.variants else number


def opened(quiz: Quiz, number: int, seed: int) -> tuple[Sheet, Carrying | None]:
    """A sheet, and what carries errors forward in it. Raises GraphError where no draw fits."""
    from graphlang.quiz.sheets import of
    from graphlang.quiz.variants import variants

    worked = variants(quiz).variant(seed, number)
    sheet = of(worked, number, seed)
    return sheet, Carrying(worked) if any(p.blanks for p in sheet.parts) else None

