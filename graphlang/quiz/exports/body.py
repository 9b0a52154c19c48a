"""The body of a question in HTML, which is XML too: equations, prose, the table to fill in, the numbers that are asked for."""

from __future__ import annotations

from typing import Callable, Iterable, Iterator, Sequence

from graphlang.quiz.exports import words
from graphlang.quiz.model import Blank, Formula, Part, Piece, Sheet, Words
from graphlang.quiz.typeset import told, words as text

Say = Callable[[Iterable[Piece]], str]  # pieces in the markup of the target
Slot = Callable[[Blank], str]           # what stands where a number is asked for

RIGHT = "Right."
OTHER = "This is neither the answer nor a number that a known mistake leads to."
LABELS = "abcdefghijklmnopqrstuvwxyz"


def banks(sheets: Sequence[Sheet]) -> dict[str, list[Sheet]]:
    """The variants of each quiz, each once: the versions of an exam may share some."""
    found: dict[str, dict[tuple[int, int], Sheet]] = {}
    for sheet in sheets:
        found.setdefault(sheet.quiz, {}).setdefault((sheet.seed, sheet.variant), sheet)
    return {quiz: list(same.values()) for quiz, same in found.items()}


def name(sheet: Sheet, item: str) -> str:
    """For people: `paths-017 dx`."""
    return f"{sheet.id} {item}"


def number(sheet: Sheet, item: str) -> str:
    """For machines: unlike that of any other quiz, variant, seed and blank."""
    return f"{sheet.quiz}-{sheet.seed}-{sheet.variant:03d}-{item}"


def lines(rows: Iterable[Iterable[Piece]], say: Say) -> str:
    """One paragraph with its lines."""
    said = [say(row) for row in rows]
    return f"<p>{'<br/>'.join(said)}</p>" if said else ""


def intro(sheet: Sheet, say: Say) -> str:
    return lines(sheet.program, say)


def notes(sheet: Sheet) -> str:
    return "".join(f"<p>{text(note)}</p>" for note in sheet.notes)


def whole(sheet: Sheet, part: Part, say: Say, slot: Slot) -> str:
    """A question with a slot for each of its numbers."""
    return intro(sheet, say) + stem(part, say) + table(part, say, slot) + "".join(outside(part, say, slot)) + notes(sheet)


def alone(sheet: Sheet, part: Part, blank: Blank, say: Say) -> str:
    """A question that asks for one of its numbers only; in a table the other blanks have their letters."""
    letters = {b.id: f"({LABELS[k]})" if k < 26 else f"({k + 1})" for k, b in enumerate(part.blanks)}
    inside = blank.id in words.in_tables(part)
    grid = table(part, say, lambda b: f"<strong>{letters[b.id]}</strong>") if inside else ""
    place = f"<strong>{letters[blank.id]}</strong> " if inside and len(part.blanks) > 1 else ""
    return intro(sheet, say) + stem(part, say) + grid + f"<p>{place}{asked(blank, say)}: ?</p>" + notes(sheet)


def chosen(sheet: Sheet, part: Part, say: Say) -> str:
    """A question whose answer is one of the options."""
    return intro(sheet, say) + stem(part, say) + ("" if part.blanks else table(part, say, lambda b: "")) + notes(sheet)


def stem(part: Part, say: Say) -> str:
    return lines([part.text], say) if part.text else ""


def table(part: Part, say: Say, slot: Slot) -> str:
    if not part.rows:
        return ""
    blanks = {b.id: b for b in part.blanks}
    head = f"<thead><tr>{''.join(f'<th>{text(h)}</th>' for h in part.heads)}</tr></thead>" if part.heads else ""
    rows = ("".join(f"<td>{slot(blanks[c.blank]) if c.blank else say(c.pieces)}</td>" for c in row.cells) for row in part.rows)
    return f"<table>{head}<tbody>{''.join(f'<tr>{row}</tr>' for row in rows)}</tbody></table>"


def outside(part: Part, say: Say, slot: Slot) -> Iterator[str]:
    """The numbers that do not stand in the table, a line each."""
    inside = words.in_tables(part)
    for blank in part.blanks:
        if blank.id not in inside:
            yield f"<p>{asked(blank, say)}: {slot(blank)}</p>"


def asked(blank: Blank, say: Say) -> str:
    return say((Formula(blank.shown), Words(" " + words.precision(blank.precision))))


def message(said: str) -> str:
    """What is told about an answer; what stands between backticks is code."""
    return told(said, text, lambda code: f"<code>{text(code)}</code>")


def solution(sheet: Sheet, say: Say) -> str:
    return lines(sheet.solution, say)
