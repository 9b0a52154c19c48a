"""The marks of a class: every row of a file of answers checked and marked, and what the class as a whole got right and wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Callable, Iterable, Mapping, NamedTuple, Sequence

from graphlang.diagnostics import did_you_mean
from graphlang.quiz.answer_files import Answer, Trouble, shortened
from graphlang.quiz.marking import CARRIED, EMPTY, RIGHT, UNREADABLE, Marked, asked_in, mark_sheet, opened, variant_of, version
from graphlang.quiz.model import Blank, Exam, Quiz, Use
from graphlang.quiz.variants import NoDraw
from graphlang.syntax.format import SOURCE, format_expr


class Place(NamedTuple):
    """Which sheet: a variant of a quiz; `version` and `marks` are those of an exam, "" and None without one."""

    quiz: str
    variant: int
    seed: int
    version: str = ""
    marks: Decimal | None = None


class Result(NamedTuple):
    """The sheet of one student, marked."""

    place: Place
    marked: tuple[Marked, ...]

    @property
    def marks(self) -> Decimal:
        return sum((m.marks for m in self.marked), Decimal(0))

    @property
    def of(self) -> Decimal:
        return sum((m.of for m in self.marked), Decimal(0))


class Asked(NamedTuple):
    """What became of one blank over the class. `mistakes`: by name, with how often, the most frequent first."""

    quiz: str
    blank: str
    count: int
    right: int
    carried: int
    empty: int
    unreadable: int
    mistakes: tuple[tuple[str, int], ...]


@dataclass(eq=False)
class ClassMarks:
    students: dict[str, list[Result]] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)

    def total(self, student: str) -> tuple[Decimal, Decimal]:
        """The marks of a student, and of how many."""
        own = self.students[student]
        return sum((r.marks for r in own), Decimal(0)), sum((r.of for r in own), Decimal(0))

    @property
    def blanks(self) -> list[Asked]:
        """Every blank that somebody was asked."""
        found: dict[tuple[str, str], list[Marked]] = {}
        for results in self.students.values():
            for r in results:
                for m in r.marked:
                    found.setdefault((r.place.quiz, m.id), []).append(m)
        out = []
        for (quiz, blank), some in found.items():
            how = Counter(m.result for m in some)
            names = Counter(n for m in some for n in m.mistakes)
            out.append(Asked(quiz, blank, len(some), how[RIGHT], how[CARRIED], how[EMPTY], how[UNREADABLE], tuple(sorted(names.items(), key=lambda x: (-x[1], x[0])))))
        return out


def mark_class(quizzes: Mapping[str, Quiz], exam: Exam | None, answers: Sequence[Answer], seed: int = 0, troubles: Iterable[Trouble] = (),
               tick: Callable[[int, int], None] = lambda done, of: None, seed_of_exam: bool = False) -> ClassMarks:
    """Mark every row. `troubles`: what was wrong with the file already. `tick`: told how many sheets of how many are done. `seed_of_exam`: rows with a
    variant and no version are of the exam too, with its seed and its marks, as those of a learning platform are."""
    return _Marking(quizzes, exam, seed, list(troubles), seed_of_exam).all(answers, tick)


class _Marking:
    def __init__(self, quizzes: Mapping[str, Quiz], exam: Exam | None, seed: int, troubles: list[Trouble], seed_of_exam: bool):
        self.quizzes, self.exam, self.seed, self.troubles, self.seed_of_exam = quizzes, exam, seed, troubles, seed_of_exam
        self.sheets: dict[tuple, tuple | None] = {}
        self.names: dict[tuple, dict[str, str]] = {}

    def all(self, answers: Sequence[Answer], tick: Callable[[int, int], None]) -> ClassMarks:
        given: dict[tuple[str, Place], dict[str, Answer]] = {}
        versions: dict[str, tuple[str, int]] = {}  # of each student the first one, and its line
        for a in answers:
            found = self.placed(a)
            if found is None:
                continue
            place, blank = found
            first = versions.setdefault(a.student, (place.version, a.line)) if place.version else (place.version, a.line)
            if first[0] != place.version:
                self.trouble(a, "version", f"it is {place.version}, and line {first[1]} has version {first[0]} for the same student", "both versions count, in marks and in the total")
            own = given.setdefault((a.student, place), {})
            if blank in own:
                self.trouble(a, "blank", f"`{blank}` has an answer on line {own[blank].line} already", "the later one counts")
            own[blank] = a
        for student, place in list(given):
            for other in self.others(place):
                given.setdefault((student, other), {})
        out = ClassMarks(troubles=self.troubles)
        for k, ((student, place), own) in enumerate(given.items(), 1):
            sheet, carrying = self.sheet(place)
            marked = mark_sheet(sheet, {b: a.value for b, a in own.items()}, carrying, place.marks)
            for m in marked:
                if m.result == UNREADABLE:
                    self.trouble(own[m.id], "value", f"`{shortened(m.typed)}`: {m.message.rstrip('.')}", "it has 0 marks")
            out.students.setdefault(student, []).append(Result(place, marked))
            tick(k, len(given))
        self.troubles.sort(key=lambda t: t.line)
        return out

    # ---- one row

    def placed(self, a: Answer) -> tuple[Place, str] | None:
        """The sheet and the blank that a row is about; None where there is none, which is then told."""
        quiz = self.quizzes.get(a.quiz)
        if quiz is None:
            return self.unknown(a, "quiz", a.quiz, self.quizzes)
        place = self.version(a) if a.version else self.variant(a)
        if place is None:
            return None
        if self.sheet(place) is None:
            return self.trouble(a, "variant", f"the quiz `{a.quiz}` has no variant {place.variant}: no draw fits")
        names = self.names[place[:3]]
        blank = names.get("".join(a.blank.split()))
        return (place, blank) if blank is not None else self.unknown(a, "blank", a.blank, list(dict.fromkeys(names.values())))

    def variant(self, a: Answer) -> Place | None:
        text = a.variant.removeprefix(f"{a.quiz}-")
        if not (text.isascii() and text.isdigit() and len(text) <= 9):
            return self.trouble(a, "variant", f"`{shortened(a.variant)}` is no number of a variant" if a.variant else "it is empty")
        use = next((u for u in self.exam.uses if u.quiz == a.quiz), None) if self.exam is not None and self.seed_of_exam else None
        return Place(a.quiz, int(text), self.seed) if use is None else Place(a.quiz, int(text), self.exam.seed, "", use.marks)

    def version(self, a: Answer) -> Place | None:
        if self.exam is None:
            return self.trouble(a, "version", "there is no exam that it is a version of")
        number = version(self.exam, a.version)
        if number is None:
            last = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[self.exam.versions - 1]
            return self.trouble(a, "version", f"there is no version `{shortened(a.version)}`; they are A to {last}" if last != "A" else f"there is no version `{shortened(a.version)}`, only A")
        use: Use | None = next((u for u in self.exam.uses if u.quiz == a.quiz), None)
        if use is None:
            return self.unknown(a, "quiz", a.quiz, [u.quiz for u in self.exam.uses], " in the exam")
        variant = variant_of(use, number, self.quizzes[use.quiz], self.exam.seed)
        if a.variant and a.variant.removeprefix(f"{a.quiz}-").lstrip("0") != str(variant):
            return self.trouble(a, "variant", f"it is `{shortened(a.variant)}`, and version {a.version.upper()} has variant {variant}")
        return Place(a.quiz, variant, self.exam.seed, a.version.strip().upper(), use.marks)

    def sheet(self, place: Place):
        key = place[:3]
        if key not in self.sheets:
            try:
                self.sheets[key] = opened(self.quizzes[place.quiz], place.variant, place.seed)
            except NoDraw:
                self.sheets[key] = None
            else:
                self.names[key] = dict(reversed([(n, asked.id) for asked in reversed(asked_in(self.sheets[key][0])) for n in names_of(asked)]))
        return self.sheets[key]

    def others(self, place: Place) -> list[Place]:
        """The other sheets of a version of the exam: who answers nothing of one has no marks for it, and they count."""
        if not place.version:
            return []
        number = version(self.exam, place.version)
        found = [Place(u.quiz, variant_of(u, number, self.quizzes[u.quiz], self.exam.seed), self.exam.seed, place.version, u.marks) for u in self.exam.uses]
        return [f for f in found if self.sheet(f) is not None]

    # ---- what is wrong

    def trouble(self, a: Answer, column: str, message: str, effect: str = "the row is left out") -> None:
        self.troubles.append(Trouble(a.line, column, message, effect))

    def unknown(self, a: Answer, column: str, name: str, known: Iterable[str], where: str = "") -> None:
        known = list(known)
        near = "".join(f"; {h}" for h in did_you_mean(name[:100], known)) or "; there are " + ", ".join(f"`{n}`" for n in known[:12])
        self.trouble(a, column, f"there is no {column} `{shortened(name)}`{where}{near}" if name else f"it is empty{near}")


def names_of(asked) -> tuple[str, ...]:
    """How a blank may be called: by its id, or as it is shown."""
    return (asked.id, "".join(format_expr(asked.shown, SOURCE).split())) if type(asked) is Blank else (asked.id,)
