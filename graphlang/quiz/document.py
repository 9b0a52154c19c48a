"""Sheets and reports as plain data, for JSON. A key is in it only where it is asked for."""

from __future__ import annotations

from decimal import Decimal
from typing import Sequence

from graphlang.quiz.findings import Report
from graphlang.quiz.keys import in_words, plain, said
from graphlang.quiz.model import Accepted, Blank, Cell, Choice, Formula, Part, Piece, Sheet, Value
from graphlang.quiz.text import LETTERS, text
from graphlang.syntax.format import SOURCE, format_expr


def number(x: Decimal) -> int | float:
    return int(x) if x == int(x) else float(x)


def pieces(some: Sequence[Piece]) -> list[dict]:
    return [{"formula": format_expr(p.value, SOURCE)} if type(p) is Formula else {"value": p.text} if type(p) is Value else {"words": p.text} for p in some]


def accepted(a: Accepted) -> dict:
    return {"low": plain(a.low), "high": plain(a.high), "closed": list(a.closed), "words": in_words(a)}


def sheet(s: Sheet, solution: bool = False, mistakes: bool = False) -> dict:
    out = {"id": s.id, "quiz": s.quiz, "title": s.title, "variant": s.variant, "seed": s.seed, "marks": number(s.marks),
           "program": [text(line) for line in s.program], "parts": [part(p, solution, mistakes) for p in s.parts], "notes": list(s.notes)}
    return out | ({"solution": [text(line) for line in s.solution]} if solution else {})


def part(p: Part, solution: bool, mistakes: bool) -> dict:
    out: dict = {"text": text(p.text), "pieces": pieces(p.text), "marks": number(p.marks)}
    if p.rows:
        out |= {"heads": list(p.heads), "rows": [[cell(c) for c in row.cells] for row in p.rows]}
    if p.blanks:
        out |= {"blanks": [blank(b, solution, mistakes) for b in p.blanks], "order": list(p.order)} | ({"carry": number(p.carry)} if p.carry else {})
    if p.choice is not None:
        out["choice"] = choice(p.choice, solution, mistakes)
    return out


def cell(c: Cell) -> dict:
    return {"blank": c.blank} if c.blank else {"text": text(c.pieces)}


def blank(b: Blank, solution: bool, mistakes: bool) -> dict:
    out = {"id": b.id, "asked": format_expr(b.shown, SOURCE), "precision": said(b.precision), "marks": number(b.marks)}
    if solution:
        out |= {"key": plain(b.key), "accepted": accepted(b.accepted)}
    if mistakes:
        out["diagnoses"] = [{"value": plain(d.key), "accepted": accepted(d.accepted), "mistakes": list(d.mistakes), "message": d.message} for d in b.diagnoses]
    return out


def choice(c: Choice, solution: bool, mistakes: bool) -> dict:
    options = []
    for letter, o in zip(LETTERS, c.options):
        one: dict = {"letter": letter, "text": text(o.text)}
        if solution:
            one["right"] = o.right
        if mistakes:
            one |= {"mistakes": list(o.mistakes), "message": o.message}
        options.append(one)
    return {"id": c.id, "marks": number(c.marks), "options": options}


def report(r: Report) -> dict:
    return {"quiz": r.quiz, "title": r.title, "fit": r.fit, "marks": number(r.marks),
            "variants": {"asked": r.asked, "draws": r.count, "examined": r.examined, "fit": r.fitting, "passed over": r.refused},
            "certain by": r.by, "keys": [{"asked": m.name, "low": plain(m.low), "high": plain(m.high), "different": m.different} for m in r.keys],
            "detection": [{"part": d.part, "mistakes": d.mistakes, "masked": d.worst, "masked on the average": round(d.masked, 3), "at": d.at, "which": list(d.names),
                           "decimals that show all": d.decimals, "inputs": d.inputs} for d in r.detection],
            "key among options": [{"part": k.part, "options": k.options, "positions": list(k.positions), "ranks": list(k.ranks)} for k in r.ranks],
            "digits written": list(r.difficulty) if r.difficulty else None,
            "findings": [{k: v for k, v in f._asdict().items() if v} for f in r.findings]}
