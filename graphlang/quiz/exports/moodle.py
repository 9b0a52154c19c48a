"""Moodle XML: a category for each question of a quiz, in it a question for each variant.

One number is a numerical question, several are a cloze question (its table where there is one), options are multiple choice. The answer stands
first, then the wrong numbers that tell something, then `*`: the first that matches wins. With `calculated` all variants of a number are one question.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Callable, Iterator, Sequence

from graphlang.quiz.exports import body
from graphlang.quiz.exports.files import DEFAULTS, Exported, Options, file_name
from graphlang.quiz.exports.intervals import around, digits, tidy
from graphlang.quiz.exports.losses import Losses
from graphlang.quiz.exports.markup import DECLARATION, cdata, element, identifier, leaf
from graphlang.quiz.model import Blank, Choice, Part, Sheet
from graphlang.quiz.typeset import html, plain, prose_of

LONGEST_ID = 100
SLOT = "\0{0}\0"  # no prose holds this character


def export(sheets: Sequence[Sheet], title: str, options: Options = DEFAULTS) -> Exported:
    losses = Losses("Moodle")
    out = []
    for quiz, same in body.banks(sheets).items():
        for k, part in enumerate(same[0].parts):
            path = ["$course$", "top", *(plain(p).replace("/", "//") for p in (title, quiz)), *([f"part {k + 1}"] if len(same[0].parts) > 1 else [])]
            out.append(category("/".join(path)))
            out += part_questions(same, k, losses, options)
            for sheet in same:
                losses.carried(sheet.parts[k])
    xml = DECLARATION + "<quiz>\n" + "".join(q + "\n" for q in out) + "</quiz>\n"
    return Exported({file_name(title, options) + "-moodle.xml": xml.encode()}, losses.sentences())


def part_questions(sheets: Sequence[Sheet], k: int, losses: Losses, options: Options) -> Iterator[str]:
    """The questions for one part of a quiz in all its variants."""
    if options.calculated and sheets[0].parts[k].blanks:
        from graphlang.quiz.exports.calculated import calculated

        made = calculated(sheets, k, losses)
        if made is not None:
            yield from made
            return
    for sheet in sheets:
        part, say = sheet.parts[k], saying(sheet)
        if len(part.blanks) == 1 and not part.rows:
            yield numerical(sheet, part, part.blanks[0], say, losses)
        elif part.blanks:
            yield cloze(sheet, part, say, losses)
        if part.choice:
            yield multichoice(sheet, part, part.choice, say)


def saying(sheet: Sheet) -> body.Say:
    prose = prose_of(sheet)
    return lambda pieces: html(prose, pieces)


# ---- what all questions have


def category(path: str) -> str:
    return element("question", {"type": "category"}, element("category", None, leaf("text", path)), marked("info", ""), element("idnumber", None, ""))


def marked(tag: str, markup: str) -> str:
    return element(tag, {"format": "html"}, element("text", None, cdata(markup) if markup else ""))


def question(kind: str, sheet: Sheet, item: str, markup: str, rest: Sequence[str], solution: str, marks: Decimal | None) -> str:
    number = body.number(sheet, item)
    if len(number) > LONGEST_ID:
        number = identifier(number)
    head = [element("name", None, leaf("text", body.name(sheet, item))), marked("questiontext", markup), marked("generalfeedback", solution),
            *([leaf("defaultgrade", tidy(marks))] if marks is not None else []), leaf("penalty", "0.3333333"), leaf("hidden", "0"), leaf("idnumber", number)]
    tags = element("tags", None, *(element("tag", None, leaf("text", t)) for t in (f"quiz:{sheet.quiz}", f"variant:{sheet.variant}", f"seed:{sheet.seed}")))
    return element("question", {"type": kind}, *("\n  " + line for line in [*head, *rest, tags]), "\n")


def answer(fraction: str, value: str, feedback: str, *more: str) -> str:
    return element("answer", {"fraction": fraction, "format": "moodle_auto_format"}, leaf("text", value), marked("feedback", feedback), *more)


# ---- kinds


def numerical(sheet: Sheet, part: Part, blank: Blank, say: body.Say, losses: Losses) -> str:
    answers = [answer(f, value, feedback, leaf("tolerance", tolerance)) for f, value, tolerance, feedback in alternatives(blank, losses.fraction)]
    units = [leaf("unitgradingtype", 0), leaf("unitpenalty", "0.1"), leaf("showunits", 3), leaf("unitsleft", 0)]
    return question("numerical", sheet, blank.id, body.whole(sheet, part, say, lambda b: "?"), [*answers, *units], body.solution(sheet, say), blank.marks)


def alternatives(blank: Blank, fraction: Callable[[Decimal], str]) -> Iterator[tuple[str, str, str, str]]:
    """Fraction, value, tolerance and feedback, in the order in which they are tried."""
    for value, tolerance in around(blank.key, blank.accepted):
        yield "100", digits(value), digits(tolerance), body.RIGHT
    for d in blank.diagnoses:
        for value, tolerance in around(d.key, d.accepted):
            yield fraction(d.credit), digits(value), digits(tolerance), body.message(d.message)
    yield "0", "*", "0", body.OTHER


def multichoice(sheet: Sheet, part: Part, choice: Choice, say: body.Say) -> str:
    answers = [element("answer", {"fraction": "100" if o.right else "0", "format": "html"}, element("text", None, cdata(say(o.text))), marked("feedback", body.message(o.message)))
               for o in choice.options]
    head = [leaf("single", "true"), leaf("shuffleanswers", "false"), leaf("answernumbering", "abc"), leaf("showstandardinstruction", 0), *combined()]
    return question("multichoice", sheet, choice.id, body.chosen(sheet, part, say), [*head, *answers], body.solution(sheet, say), choice.marks)


def combined() -> list[str]:
    return [marked(tag, "") for tag in ("correctfeedback", "partiallycorrectfeedback", "incorrectfeedback")]


def cloze(sheet: Sheet, part: Part, say: body.Say, losses: Losses) -> str:
    """Weights are whole numbers: where marks are not, all are multiplied."""
    times = math.lcm(*(b.marks.as_integer_ratio()[1] for b in part.blanks))
    if times > 1:
        losses.add("table's marks", "tables' marks", f"multiplied by {times}, for its weights are whole numbers")
    markup = without_braces(body.whole(sheet, part, say, lambda b: SLOT.format(b.id)))
    for blank in part.blanks:
        markup = markup.replace(SLOT.format(blank.id), sub_question(blank, int(blank.marks * times), losses))
    return question("cloze", sheet, part.blanks[0].id, markup, [], body.solution(sheet, say), None)


def without_braces(markup: str) -> str:
    """HTML whose braces only a browser sees, not Moodle, which looks for sub-questions and wildcards in it."""
    return markup.replace("{", "&#123;").replace("}", "&#125;")


def sub_question(blank: Blank, weight: int, losses: Losses) -> str:
    said = []
    for fraction, value, tolerance, feedback in alternatives(blank, lambda credit: losses.fraction(credit, whole=True)):
        mark = "=" if fraction == "100" else f"%{fraction}%"
        said.append(f"{mark if value != '*' else ''}{value}{':' + tolerance if value != '*' else ''}#{within(feedback)}")
    return f"{{{weight}:NUMERICAL:{'~'.join(said)}}}"


def within(markup: str) -> str:
    """HTML in a sub-question, where entities are read once before it is HTML again, and `\\}` and `\\#` are read as `}` and `#`."""
    encoded = markup.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return encoded.replace("}", r"\}").replace("#", r"\#").replace("~", "&#126;")
