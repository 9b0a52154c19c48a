"""Moodle's calculated questions: all variants of a number as one question, whose printed numbers, keys and diagnosed numbers are columns of a table.

Nothing is computed there: an answer's formula is the name of a column alone, so any function of the language will do.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Iterable, NamedTuple, Sequence

from graphlang.quiz.exports import body
from graphlang.quiz.exports.intervals import around, digits
from graphlang.quiz.exports.losses import Losses
from graphlang.quiz.exports.markup import element, leaf
from graphlang.quiz.exports.moodle import SLOT, answer, combined, question, saying, without_braces
from graphlang.quiz.model import Blank, Piece, Precision, Sheet, Value

MOST = 100                            # rows that Moodle reads of a table
NEVER = Decimal(987654321987)         # for a wrong number that a variant does not have
NOMINAL, RELATIVE = 2, 1              # kinds of tolerance
DECIMALS, FIGURES = 1, 2


class Column(NamedTuple):
    name: str
    values: tuple[str, ...]


class Tried(NamedTuple):
    """An answer of the question: what it gives, the column of its values, and how far from them."""

    fraction: str
    column: Column
    tolerance: str
    kind: int
    feedback: str


def calculated(sheets: Sequence[Sheet], k: int, losses: Losses) -> list[str] | None:
    """The questions for one part, at most 100 variants in each; None where its variants differ in more than numbers, or a tolerance cannot be said
    once for all."""
    out = []
    for first in range(0, len(sheets), MOST):
        some = sheets[first:first + MOST]
        for n in range(len(some[0].parts[k].blanks)):
            made = one(some, k, n, losses)
            if made is None:
                losses.add("question", "questions", "written once for each variant: as calculated ones they would need a text or a tolerance that is the same in all")
                return None
            out.append(made)
    losses.separated(sheets[0].parts[k])
    losses.add("worked solution", "worked solutions", "dropped from calculated questions, which are one for all variants", sum(bool(s.solution) for s in sheets))
    return out


def one(sheets: Sequence[Sheet], k: int, n: int, losses: Losses) -> str | None:
    blanks = [s.parts[k].blanks[n] for s in sheets]
    shown = [with_slots(s, k, n) for s in sheets]
    tried = answers(blanks, losses)
    if tried is None or len({markup for markup, _ in shown}) > 1 or len({b.precision for b in blanks}) > 1:
        return None
    columns = [Column(f"v{j + 1}", values) for j, values in enumerate(zip(*(values for _, values in shown)))]
    markup = without_braces(shown[0][0])
    for c in columns:
        markup = markup.replace(SLOT.format(c.name), f"{{{c.name}}}")
    said = [answer(t.fraction, f"{{{t.column.name}}}", without_braces(t.feedback), leaf("tolerance", t.tolerance), leaf("tolerancetype", t.kind),
                   *display(blanks)) for t in tried]
    head = [leaf("synchronize", 0), leaf("single", 0), leaf("answernumbering", "abc"), leaf("shuffleanswers", 0), *combined()]
    units = [leaf("unitgradingtype", 0), leaf("unitpenalty", "0.1"), leaf("showunits", 3), leaf("unitsleft", 0)]
    tables = element("dataset_definitions", None, *map(definition, [*columns, *(t.column for t in tried if t.column.name != "*")]))
    return question("calculated", sheets[0], blanks[0].id + "_all", markup, [*head, *said, *units, tables], "", blanks[0].marks)


def with_slots(sheet: Sheet, k: int, n: int) -> tuple[str, tuple[str, ...]]:
    """The question with slots for its printed numbers, and these."""
    say, values = saying(sheet), []

    def slotted(pieces: Iterable[Piece]) -> str:
        out = []
        for piece in pieces:
            if type(piece) is Value:
                values.append(piece.text)
                out.append(SLOT.format(f"v{len(values)}"))
            else:
                out.append(say((piece,)))
        return "".join(out)

    part = sheet.parts[k]
    return body.alone(sheet, part, part.blanks[n], slotted), tuple(values)


def answers(blanks: Sequence[Blank], losses: Losses) -> list[Tried] | None:
    """The key, then each kind of wrong number that a variant has; None where a tolerance differs from variant to variant."""
    keys = [around(b.key, b.accepted) for b in blanks]
    kinds = dict.fromkeys((d.mistakes, d.message, d.credit) for b in blanks for d in b.diagnoses)
    found = [("100", "key", keys, body.RIGHT)]
    for j, kind in enumerate(kinds):
        its = [next((around(d.key, d.accepted) for d in b.diagnoses if (d.mistakes, d.message, d.credit) == kind), None) for b in blanks]
        found.append((losses.fraction(kind[2]), f"m{j + 1}", its, body.message(kind[1])))
    out = []
    for fraction, name, its, feedback in found:
        if any(a is not None and len(a) > 1 for a in its):
            return None
        tolerance = shared([a[0] for a in its if a is not None])
        if tolerance is None:
            return None
        column = Column(name, tuple(digits(NEVER if a is None else a[0].value) for a in its))
        out.append(Tried(fraction, column, *tolerance, feedback))
    return out


def shared(found) -> tuple[str, int] | None:
    """A tolerance for all, absolute or in parts of the value, with its kind."""
    near = lambda a, b: abs(a - b) <= abs(b) * Decimal("1e-5")
    most = max(a.tolerance for a in found)
    if all(near(a.tolerance, most) for a in found):
        return digits(most), NOMINAL
    if all(a.value for a in found):
        parts = [a.tolerance / abs(a.value) for a in found]
        if all(near(p, max(parts)) for p in parts):
            return digits(Decimal(format(max(parts), ".12e"))), RELATIVE
    return None


def display(blanks: Sequence[Blank]) -> tuple[str, str]:
    """How Moodle prints the answer."""
    p: Precision = blanks[0].precision
    if p.kind == "figures":
        return leaf("correctanswerformat", FIGURES), leaf("correctanswerlength", p.digits)
    digits = p.digits if p.kind == "decimals" else max(0, *(-b.key.as_tuple().exponent for b in blanks), 0)
    return leaf("correctanswerformat", DECIMALS), leaf("correctanswerlength", digits)


def definition(column: Column) -> str:
    values = [Decimal(v) for v in column.values]
    decimals = max(0, *(-v.as_tuple().exponent for v in values), 0)
    in_text = lambda tag, value: element(tag, None, leaf("text", value))
    rows = (element("dataset_item", None, leaf("number", j), leaf("value", v)) for j, v in enumerate(column.values, 1))
    return element("dataset_definition", None, in_text("status", "private"), in_text("name", column.name), leaf("type", "calculated"), in_text("distribution", "uniform"),
                   in_text("minimum", digits(min(values))), in_text("maximum", digits(max(values))), in_text("decimals", min(decimals, 9)),
                   leaf("itemcount", len(values)), element("dataset_items", None, *rows), leaf("number_of_items", len(values)))
