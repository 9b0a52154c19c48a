"""GIFT: text that Moodle and others read. One numerical question for each number, and one of multiple choice for each choice."""

from __future__ import annotations

import re
from typing import Iterator, Sequence

from graphlang.quiz.exports import body
from graphlang.quiz.exports.files import DEFAULTS, Exported, Options, file_name
from graphlang.quiz.exports.losses import Losses
from graphlang.quiz.exports.moodle import alternatives, saying
from graphlang.quiz.model import Blank, Choice, Part, Sheet
from graphlang.quiz.typeset import plain


def export(sheets: Sequence[Sheet], title: str, options: Options = DEFAULTS) -> Exported:
    losses = Losses("GIFT")
    blocks = []
    for quiz, same in body.banks(sheets).items():
        blocks.append("$CATEGORY: " + "/".join(plain(t).strip().replace("/", "//") for t in (title, quiz)))
        for sheet in same:
            for part in sheet.parts:
                losses.separated(part)
                losses.carried(part)
                blocks += part_questions(sheet, part, losses)
    return Exported({file_name(title, options) + ".gift": ("\n\n".join(blocks) + "\n").encode()}, losses.sentences())


def part_questions(sheet: Sheet, part: Part, losses: Losses) -> Iterator[str]:
    say = saying(sheet)
    items = [(b, numerical(b, losses)) for b in part.blanks] + ([(part.choice, multichoice(part.choice, say))] if part.choice else [])
    for item, answers in items:
        if item.marks != 1:
            losses.add("question's marks", "questions' marks", "dropped, it has none")
        markup = body.alone(sheet, part, item, say) if type(item) is Blank else body.chosen(sheet, part, say)
        solution = body.solution(sheet, say)
        lines = [f"// quiz {sheet.quiz}, variant {sheet.variant}, seed {sheet.seed}", f"::{escaped(body.name(sheet, item.id))}::[html]{escaped(markup)}{{{'#' if type(item) is Blank else ''}",
                 *("\t" + a for a in answers), *([f"\t####{escaped(solution)}"] if solution else []), "}"]
        yield "\n".join(lines)


def numerical(blank: Blank, losses: Losses) -> Iterator[str]:
    """A wrong number needs its weight: without one it would have full marks."""
    for fraction, value, tolerance, feedback in alternatives(blank, losses.fraction):
        yield f"~#{escaped(feedback)}" if value == "*" else f"=%{fraction}%{value}:{tolerance}#{escaped(feedback)}"


def multichoice(choice: Choice, say: body.Say) -> Iterator[str]:
    for o in choice.options:
        yield f"{'=' if o.right else '~'}{escaped(unweighted(say(o.text)))}" + (f"#{escaped(body.message(o.message))}" if o.message else "")


def unweighted(markup: str) -> str:
    """An option that begins with `%` would be read as one with a weight."""
    return "&#37;" + markup[1:] if markup.startswith("%") else markup


def escaped(markup: str) -> str:
    return re.sub(r"([\\~=#{}:])", r"\\\1", markup)
