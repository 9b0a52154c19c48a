"""A quiz that is taken: one answer after the other, each marked at once. What is asked and told, without a terminal.

    taking = Taking(worked, sheet, tries=3)
    while (asked := taking.asked) is not None:
        reply = taking.answer("3.14")          # or hint(), skip(), solution()
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from graphlang.quiz.answers import Typed
from graphlang.quiz.carried import Carrying
from graphlang.quiz.hints import Hint, first_wrong, hints, numbered, row
from graphlang.quiz.marker import mark, right_answer
from graphlang.quiz.marking import CARRIED, RIGHT, WRONG, Marked, judged, typed_in
from graphlang.quiz.model import Blank, Choice, Formula, Part, Piece, Sheet, Value, Words
from graphlang.quiz.mistakes import MISTAKES
from graphlang.quiz.variants import Worked

Line = tuple[Piece, ...]
SKIPPED, SHOWN = "skipped", "shown"


class Item(NamedTuple):
    """One answer that is asked for: of which part of the sheet, the how many-th blank of it."""

    part: int
    number: int
    asked: Blank | Choice


class Reply(NamedTuple):
    """What is told. `result`: as in `Marked`, "hint", "skipped" or "shown"; `again`: whether the same is asked for once more."""

    result: str
    lines: tuple[Line, ...]
    again: bool


@dataclass
class Taken:
    """What became of one item: all that was typed, how many hints were given, and what counts: the first answer, or nothing once the answer was shown."""

    item: Item
    answers: list[Marked] = field(default_factory=list)
    hints: int = 0
    seen: bool = False       # the answer, before anything was typed
    result: str = ""

    @property
    def marks(self) -> Decimal:
        return self.answers[0].marks if self.answers and not self.seen else Decimal(0)


class Taking:
    def __init__(self, worked: Worked, sheet: Sheet, tries: int = 1):
        self.worked, self.sheet, self.tries = worked, sheet, tries
        self.carrying = Carrying(worked) if any(p.blanks for p in sheet.parts) else None
        self.items = list(items(sheet))
        self.taken: list[Taken] = []
        self.earlier: dict[str, tuple[Blank, Typed]] = {}
        self._hints: list[Hint] | None = None
        self._next()

    # ---- where it stands

    @property
    def asked(self) -> Item | None:
        """What is asked for now; None at the end."""
        return self.now.item if self.now is not None else None

    def _next(self) -> None:
        self._hints = None
        self.now = Taken(self.items[len(self.taken)]) if len(self.taken) < len(self.items) else None

    def _done(self, result: str) -> None:
        self.now.result = result
        self.taken.append(self.now)
        self._next()

    @property
    def part(self) -> Part:
        return self.sheet.parts[self.asked.part]

    # ---- what a student does

    def answer(self, text: str) -> Reply:
        """A number, or the letter of an option."""
        asked, now = self.asked.asked, self.now
        m = judged(self.part, asked, text, asked.marks, self.carrying, self.earlier)
        if m.result not in (RIGHT, CARRIED, WRONG):  # not readable: it does not count as an answer
            return Reply(m.result, (words(m.message),), True)
        now.answers.append(m)
        if type(asked) is Blank:
            self.earlier[asked.id] = asked, typed_in(asked, text)
        if m.result == RIGHT:
            shown = now.seen
            self._done(RIGHT)
            return Reply(RIGHT, (words(f"{m.message} It was shown before, so it has no marks." if shown else m.message),), False)
        lines = [words(m.message), *self.row_to_look_at(m)]
        again = len(now.answers) < self.tries
        if not again:
            self._done(m.result)
        return Reply(m.result, tuple(lines), again)

    def hint(self) -> Reply:
        if self._hints is None:
            self._hints = hints(self.worked, self.asked.asked)
        hint = self._hints[min(self.now.hints, len(self._hints) - 1)]
        self.now.hints += 1
        self.now.seen |= hint.answer and not self.now.answers
        return Reply("hint", hint.lines, True)

    def skip(self) -> Reply:
        result = self.now.answers[-1].result if self.now.answers else SKIPPED
        self.forget()
        self._done(result)
        return Reply(SKIPPED, (), False)

    def solution(self) -> Reply:
        """The answer, with the row it stands in. What is carried forward from here is the key."""
        asked = self.asked.asked
        lines: list[Line] = []
        if type(asked) is Blank:
            found = row(self.worked, asked)
            lines += [numbered(found)] if found is not None else []
            lines.append((Formula(asked.shown), Words(" = "), Value(right_answer(asked))))
        else:
            letter = right_answer(asked)
            option = next(o for o in asked.options if o.right)
            lines.append((Words(f"{letter}. "), *option.text))
            lines += [words(option.message)] if option.message else []
        self.now.seen |= not self.now.answers
        self.forget()
        self._done(self.now.answers[-1].result if self.now.answers else SHOWN)
        return Reply(SHOWN, tuple(lines), False)

    def forget(self) -> None:
        """The key is known now: nothing else is carried forward from a wrong value."""
        self.earlier.pop(self.asked.asked.id, None)

    # ---- what is told

    def row_to_look_at(self, m: Marked) -> list[Line]:
        """The first wrong row of the table, as far as that can be told."""
        asked = self.asked.asked
        if type(asked) is not Blank:
            return []
        if m.carried:
            first = next((b for id, (b, t) in self.earlier.items() if id in m.carried and not b.accepted.holds(t.value)), None)
            return [(Words("The first wrong row is that of "), Formula(first.shown), Words("."))] if first is not None else []
        if self.part.rows:
            found = row(self.worked, asked)
            return [(Words("The first wrong row: "), found.name, Words(" = "), found.formula)] if found is not None else []
        diagnosis = mark(asked, m.typed).diagnosis
        found = first_wrong(self.worked, self.asked.part, asked, diagnosis) if diagnosis is not None else None
        if found is None:
            return []
        own = row(self.worked, asked)
        if own is not None and own.name == found.name:
            return [(Words("The first wrong row: "), found.name, Words(" = "), found.formula)]
        return [(Words("The first wrong row would be: "), *numbered(found))]

    # ---- at the end

    @property
    def marks(self) -> Decimal:
        return sum((t.marks for t in self.taken), Decimal(0))

    @property
    def practise(self) -> list[str]:
        """The mistakes that answers pointed to, by name, each once. One of several is not known to have been made, and counts only if there is no clearer one."""
        clear = [m.mistakes[0] for t in self.taken for m in t.answers if len(m.mistakes) == 1]
        vague = [n for t in self.taken for m in t.answers if len(m.mistakes) > 1 for n in m.mistakes]
        return [n for n in dict.fromkeys(clear or vague) if n in MISTAKES and n not in ("transcribe",)]


def items(sheet: Sheet):
    """What is asked for, a table in the order of the working."""
    for k, part in enumerate(sheet.parts):
        said = {id: n for n, id in enumerate(part.order)}
        for n, blank in enumerate(sorted(part.blanks, key=lambda b: said.get(b.id, len(said))), 1):
            yield Item(k, n, blank)
        if part.choice is not None:
            yield Item(k, 1, part.choice)


def words(text: str) -> Line:
    return (Words(text),)
