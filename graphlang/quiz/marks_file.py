"""Marks as a CSV file and as JSON. No cell of the CSV is a formula to a spreadsheet, whatever a student typed or is called."""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal

from graphlang.quiz.answer_files import Trouble
from graphlang.quiz.class_marks import ClassMarks, Result
from graphlang.quiz.histogram import bins, mean, median
from graphlang.quiz.keys import plain
from graphlang.quiz.marking import Marked

HEAD = ("student", "quiz", "variant", "version", "blank", "value", "result", "marks", "of", "mistakes", "carried_from", "message", "student_marks", "student_of")
NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?")
FORMULA = tuple("=+-@＝＋－＠")  # a wide one is as good as a narrow one to some
BLANKS = " \t\r\n\u00a0\u200b\ufeff"
LONGEST_CELL = 2000
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def safe(text: str) -> str:
    """A cell that a spreadsheet shows and never computes: what begins like a formula has an apostrophe before it; a number stays as it is."""
    text = CONTROLS.sub("\ufffd", text)
    if len(text) > LONGEST_CELL:
        text = text[:LONGEST_CELL] + "…"
    if NUMBER.fullmatch(text):
        return text
    return f"'{text}" if text.lstrip(BLANKS)[:1] in FORMULA or text[:1] in ("\t", "\r", "\n") else text


def csv_text(made: ClassMarks) -> str:
    """One row for each blank of each student."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(HEAD)
    for student, results in made.students.items():
        marks, of = made.total(student)
        for r in results:
            for m in r.marked:
                row = (student, r.place.quiz, str(r.place.variant), r.place.version, m.id, m.typed, m.result, number(m.marks), number(m.of), " ".join(m.mistakes),
                       " ".join(m.carried), m.message, number(marks), number(of))
                writer.writerow([safe(c) for c in row])
    return out.getvalue()


def number(x: Decimal) -> str:
    return plain(x.normalize() if x else Decimal(0))


# ---- JSON


def document(made: ClassMarks, file: str, answers: str) -> dict:
    from graphlang import __version__

    totals = [made.total(s) for s in made.students]
    return {"graphlang": __version__, "file": file, "answers": answers,
            "students": [student(made, s) for s in made.students],
            "blanks": [{"quiz": a.quiz, "blank": a.blank, "answers": a.count, "right": a.right, "carried": a.carried, "empty": a.empty, "unreadable": a.unreadable,
                        "mistakes": [{"name": n, "count": k} for n, k in a.mistakes]} for a in made.blanks],
            "histogram": [b._asdict() for b in bins(totals)], "mean": percent(mean(totals)), "median": percent(median(totals)),
            "problems": [problem(t) for t in made.troubles]}


def student(made: ClassMarks, name: str) -> dict:
    marks, of = made.total(name)
    return {"student": name, "marks": float(marks), "of": float(of), "quizzes": [result(r) for r in made.students[name]]}


def result(r: Result) -> dict:
    return {"quiz": r.place.quiz, "variant": r.place.variant, "seed": r.place.seed, "version": r.place.version or None, "marks": float(r.marks), "of": float(r.of),
            "blanks": [blank(m) for m in r.marked]}


def blank(m: Marked) -> dict:
    return {"blank": m.id, "value": m.typed, "result": m.result, "marks": float(m.marks), "of": float(m.of), "message": m.message, "mistakes": list(m.mistakes),
            "carried_from": list(m.carried)}


def problem(t: Trouble) -> dict:
    return {"line": t.line, "column": t.column or None, "message": t.message, "effect": t.effect}


def percent(x: Decimal | None) -> float | None:
    return None if x is None else round(float(x), 2)
