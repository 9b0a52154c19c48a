"""Canvas: a zip of QTI 1.2 as Canvas reads it. Each number is an item, each item a group of its variants of which one is drawn.

An item for a number is right or wrong: Canvas has no part of the marks and no word for a wrong number. Formulas are Canvas's equation images.
"""

from __future__ import annotations

from html import escape
from typing import Sequence
from urllib.parse import quote

from graphlang.quiz.exports import body
from graphlang.quiz.exports.files import DEFAULTS, Exported, Options, file_name
from graphlang.quiz.exports.intervals import digits, floats, tidy
from graphlang.quiz.exports.losses import Losses
from graphlang.quiz.exports.markup import DECLARATION, element, identifier, leaf, zipped
from graphlang.quiz.model import Blank, Choice, Part, Sheet
from graphlang.quiz.typeset import latex, plain, prose_of, written

QTI = "http://www.imsglobal.org/xsd/ims_qtiasiv1p2"
CANVAS = "http://canvas.instructure.com/xsd/cccv1p0"
MANIFEST = "http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1"
RESPONSE = {"respident": "response1"}


def export(sheets: Sequence[Sheet], title: str, options: Options = DEFAULTS) -> Exported:
    losses = Losses("Canvas")
    name = file_name(title, options)
    assessment = identifier("canvas", title, *(f"{s.quiz}-{s.seed}-{s.variant}" for s in sheets))
    groups, points = [], 0
    for quiz, same in body.banks(sheets).items():
        for k, first in enumerate(same[0].parts):
            losses.separated(first)
            losses.carried(first)
            for j, item in enumerate([*first.blanks, *([first.choice] if first.choice else [])]):
                points += item.marks
                groups.append(group(assessment, same, k, j, losses))
    files = {
        "imsmanifest.xml": manifest(assessment),
        "non_cc_assessments/": b"",
        f"{assessment}/assessment_meta.xml": meta(assessment, title, tidy(points)),
        f"{assessment}/{assessment}.xml": questions(assessment, title, groups),
    }
    return Exported({f"{name}-canvas.zip": zipped(files, options.epoch)}, losses.sentences())


def saying(sheet: Sheet) -> body.Say:
    """HTML with formulas as images that Canvas draws from LaTeX."""
    prose = prose_of(sheet)

    def image(value) -> str:
        tex = latex(prose, value)
        return (f'<img class="equation_image" title="{escape(tex)}" src="/equation_images/{quote(quote(tex, safe=""), safe="")}?scale=1" alt="LaTeX: {escape(tex)}" '
                f'data-equation-content="{escape(tex)}"/>')

    return lambda pieces: written(pieces, image)


# ---- the files


def document(root: str) -> bytes:
    return (DECLARATION + root + "\n").encode()


def manifest(assessment: str) -> bytes:
    dependency = identifier(assessment, "meta")
    return document(element(
        "manifest", {"xmlns": MANIFEST, "identifier": identifier(assessment, "manifest")},
        element("metadata", None, leaf("schema", "IMS Content"), leaf("schemaversion", "1.1.3")),
        element("organizations"),
        element("resources", None,
                element("resource", {"identifier": assessment, "type": "imsqti_xmlv1p2"}, element("file", {"href": f"{assessment}/{assessment}.xml"}),
                        element("dependency", {"identifierref": dependency})),
                element("resource", {"identifier": dependency, "type": "associatedcontent/imscc_xmlv1p1/learning-application-resource",
                                     "href": f"{assessment}/assessment_meta.xml"}, element("file", {"href": f"{assessment}/assessment_meta.xml"})))))


def meta(assessment: str, title: str, points: str) -> bytes:
    return document(element(
        "quiz", {"xmlns": CANVAS, "identifier": assessment},
        leaf("title", plain(title)), leaf("description", ""), leaf("shuffle_answers", "false"), leaf("scoring_policy", "keep_highest"), leaf("hide_results", ""),
        leaf("quiz_type", "assignment"), leaf("points_possible", points), leaf("allowed_attempts", 1), leaf("one_question_at_a_time", "false"),
        leaf("cant_go_back", "false"), leaf("available", "false"),
        element("assignment", {"identifier": identifier(assessment, "assignment")}, leaf("title", plain(title)), leaf("points_possible", points), leaf("grading_type", "points"),
                leaf("submission_types", "online_quiz"), leaf("workflow_state", "unpublished"), leaf("quiz_identifierref", assessment))))


def questions(assessment: str, title: str, groups: Sequence[str]) -> bytes:
    return document(element(
        "questestinterop", {"xmlns": QTI},
        element("assessment", {"ident": assessment, "title": plain(title)},
                element("qtimetadata", None, field("cc_maxattempts", "1")),
                element("section", {"ident": "root_section"}, *("\n" + g for g in groups), "\n"))))


def field(label: str, entry: str) -> str:
    return element("qtimetadatafield", None, leaf("fieldlabel", label), leaf("fieldentry", entry))


# ---- groups and items


def group(assessment: str, sheets: Sequence[Sheet], k: int, j: int, losses: Losses) -> str:
    """The variants of one number or choice, of which one is drawn."""
    items, title, marks = [], "", 0
    for sheet in sheets:
        part = sheet.parts[k]
        thing = [*part.blanks, *([part.choice] if part.choice else [])][j]
        title, marks = f"{sheet.quiz} {thing.id}", thing.marks
        items.append(numerical(sheet, part, thing, losses) if type(thing) is Blank else multiple_choice(sheet, part, thing))
    selection = element("selection", None, leaf("selection_number", 1), element("selection_extension", None, leaf("points_per_item", tidy(marks))))
    return element("section", {"ident": identifier(assessment, "group", sheets[0].quiz, k, j), "title": title}, element("selection_ordering", None, selection), *("\n" + i for i in items), "\n")


def numerical(sheet: Sheet, part: Part, blank: Blank, losses: Losses) -> str:
    losses.messages(len(blank.diagnoses), "its numeric items have none")
    losses.add("part of the marks", "parts of the marks", "dropped, its numeric items are right or wrong", sum(d.credit > 0 for d in blank.diagnoses))
    say = saying(sheet)
    presentation = element("response_str", {"ident": "response1", "rcardinality": "Single"},
                           element("render_fib", {"fibtype": "Decimal"}, element("response_label", {"ident": "answer1"})))
    return item(sheet, blank, "numerical_question", body.alone(sheet, part, blank, say), presentation, [accepted(blank)], {}, answer_ident(sheet, blank.id, 0), say)


def accepted(blank: Blank) -> str:
    """One number: the same text three times. Else a range, as its numbers are in binary."""
    if blank.accepted.low == blank.accepted.high:
        value = digits(blank.key)
        return element("or", None, leaf("varequal", value, RESPONSE), element("and", None, leaf("vargte", value, RESPONSE), leaf("varlte", value, RESPONSE)))
    low, high = (repr(x) for x in floats(blank.accepted))
    return leaf("vargte", low, RESPONSE) + leaf("varlte", high, RESPONSE)


def multiple_choice(sheet: Sheet, part: Part, choice: Choice) -> str:
    say = saying(sheet)
    idents = [answer_ident(sheet, choice.id, n) for n, _ in enumerate(choice.options)]
    labels = (element("response_label", {"ident": i}, material(say(o.text))) for i, o in zip(idents, choice.options))
    presentation = element("response_lid", {"ident": "response1", "rcardinality": "Single"}, element("render_choice", None, *labels))
    right = idents[next(n for n, o in enumerate(choice.options) if o.right)]
    messages = {i: body.message(o.message) for i, o in zip(idents, choice.options) if o.message}
    return item(sheet, choice, "multiple_choice_question", body.chosen(sheet, part, say), presentation, [leaf("varequal", right, RESPONSE)], messages, ",".join(idents), say)


def answer_ident(sheet: Sheet, name: str, n: int) -> str:
    """Canvas keeps these as numbers."""
    return str(int(identifier(body.number(sheet, name), n)[1:9], 16))


def item(sheet: Sheet, thing: Blank | Choice, kind: str, markup: str, presentation: str, right: Sequence[str], messages: dict[str, str], idents: str, say: body.Say) -> str:
    """`messages`: feedback for an option, by its ident."""
    number = body.number(sheet, thing.id)
    general = body.solution(sheet, say)
    feedback = {**({"general": general} if general else {}), **messages}
    conditions = [respcondition("Yes", element("other") if i == "general" else leaf("varequal", i, RESPONSE), shown(f"{i}_fb")) for i in feedback]
    conditions.append(respcondition("No", "".join(right), leaf("setvar", 100, {"action": "Set", "varname": "SCORE"})))
    outcomes = element("outcomes", None, element("decvar", {"maxvalue": 100, "minvalue": 0, "varname": "SCORE", "vartype": "Decimal"}))
    fields = [field("question_type", kind), field("points_possible", tidy(thing.marks)), field("original_answer_ids", idents),
              field("assessment_question_identifierref", identifier(number, "question"))]
    return element("item", {"ident": identifier(number), "title": body.name(sheet, thing.id)},
                   element("itemmetadata", None, element("qtimetadata", None, *fields)),
                   element("presentation", None, material(f"<div>{markup}</div>"), presentation),
                   element("resprocessing", None, outcomes, *conditions),
                   *(element("itemfeedback", {"ident": f"{i}_fb"}, element("flow_mat", None, material(m))) for i, m in feedback.items()))


def material(markup: str) -> str:
    return element("material", None, leaf("mattext", markup, {"texttype": "text/html"}))


def respcondition(more: str, condition: str, *done: str) -> str:
    return element("respcondition", {"continue": more}, element("conditionvar", None, condition), *done)


def shown(ident: str) -> str:
    return element("displayfeedback", {"feedbacktype": "Response", "linkrefid": ident})
