"""One variant as a sheet: prose with its numbers, blanks with keys and diagnoses, options in their order, and the worked solution."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple, Sequence

from graphlang.quiz import printed
from graphlang.quiz.diagnosing import diagnoses
from graphlang.quiz.keys import said
from graphlang.quiz.model import Ask, Blank, Choice, Choose, Fill, Part, Precision, Quiz, Sheet, Words
from graphlang.quiz.options import choices, choose
from graphlang.quiz.text import LETTERS
from graphlang.quiz.variants import Worked, variants


def sheet(quiz: Quiz, number: int, seed: int = 0) -> Sheet:
    """A variant of a quiz with all that is needed to ask and to mark it. Raises GraphError where no draw fits, or an option cannot be judged."""
    return of(variants(quiz).variant(seed, number), number, seed)


def of(worked: Worked, number: int, seed: int) -> Sheet:
    """The sheet of a draw that fits, as a variant of that number."""
    quiz, graph, parts = worked.prepared.quiz, worked.prepared.graph, []
    if worked.printed is None:
        worked.printed = fixed(worked)
    solved = list(worked.printed.solution)
    for k, (part, made) in enumerate(zip(quiz.parts, worked.printed.parts)):
        if type(part) is Choose or type(part) is Ask and part.choices:
            choice = choose(quiz, k, number, seed) if type(part) is Choose else choices(worked, k, part, number, seed)
            made = replace(made, choice=choice)
            solved.append((Words("The right option is "), *answer(choice)))
        parts.append(made)
    return Sheet(quiz.name, quiz.title, number, seed, worked.printed.program, tuple(parts), worked.printed.notes, tuple(solved),
                 graph.variables, bool(graph.layouts) and graph.layouts[-1][1] == "numerator")


class Fixed(NamedTuple):
    """What variants with the same values share: all but options and their order."""

    program: tuple
    parts: tuple[Part, ...]
    notes: tuple[str, ...]
    solution: tuple


def fixed(worked: Worked) -> Fixed:
    quiz, parts, everything = worked.prepared.quiz, [], []
    for k, part in enumerate(quiz.parts):
        own = blanks(worked, k, plain=type(part) is Ask and part.choices > 0)
        everything += own
        match part:
            case Ask(_, _, 0):
                parts.append(Part(printed.pieces(worked, part.text), own, order=tuple(b.id for b in own)))
            case Ask() | Choose():
                parts.append(Part(printed.pieces(worked, part.text)))
            case Fill():
                heads, rows, order = printed.table(worked, part, [b.id for b in own])
                parts.append(Part(printed.lead(worked, part), own, None, heads, rows, part.carry, order))
    return Fixed(printed.program(worked), tuple(parts), notes(quiz, [b for p in parts for b in p.blanks]), printed.solution(worked, everything))


def blanks(worked: Worked, k: int, plain: bool = False) -> tuple[Blank, ...]:
    """The numbers that the k-th part asks for. `plain`: without diagnoses."""
    asked = worked.prepared.part(k)
    wrong = None if plain or not asked else worked.wrong(k)
    out = []
    for a, (n, w) in enumerate(asked):
        key = worked.keys[n]
        told = diagnoses(worked.prepared.perturbed[k], wrong, a, key.accepted, w.precision) if wrong is not None else ()
        out.append(Blank(w.id, w.shown, key.key, key.exact, w.precision, key.accepted, w.marks, told))
    return tuple(out)


def answer(choice: Choice):
    k = next(k for k, o in enumerate(choice.options) if o.right)
    return (Words(f"{LETTERS[k]}: "), *choice.options[k].text)


def notes(quiz: Quiz, asked: Sequence[Blank]) -> tuple[str, ...]:
    """What a student is told beside the questions."""
    out = []
    kinds = dict.fromkeys(b.precision for b in asked)
    if len(kinds) == 1:
        out.append(f"Give every number {how(next(iter(kinds)))}." if len(asked) > 1 else f"Give the number {how(next(iter(kinds)))}.")
    else:
        from graphlang.syntax.format import SOURCE, format_expr

        out += [f"Give {format_expr(b.shown, SOURCE)} {how(b.precision)}." for b in asked]
    if quiz.working is not None:
        out.append(f"Carry {quiz.working} decimals in your working.")
    return tuple(out)


def how(precision: Precision) -> str:
    match precision.kind:
        case "within":
            return f"to within {precision.size}"
        case "percent":
            return f"to within {precision.size}%"
        case "exactly":
            return "exactly"
    return f"to {said(precision)}"
