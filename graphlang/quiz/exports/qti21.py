"""QTI 2.1: a zip of one item for each part of each variant, with a test that draws a variant of each quiz.

An item holds all numbers of its part, the parts of marks and what wrong numbers tell. An end that does not belong to an interval is said by the next
number that does, so `gte` and `lte` are enough: some platforms know nothing else. Formulas are MathML.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Iterator, Sequence

from graphlang.quiz.exports import body
from graphlang.quiz.exports.files import DEFAULTS, Exported, Options, file_name
from graphlang.quiz.exports.intervals import digits, floats, tidy
from graphlang.quiz.exports.losses import Losses
from graphlang.quiz.exports.markup import DECLARATION, element, identifier, leaf, zipped
from graphlang.quiz.model import Accepted, Blank, Choice, Part, Sheet
from graphlang.quiz.typeset import mathml, plain, prose_of

QTI = "http://www.imsglobal.org/xsd/imsqti_v2p1"
PACKAGE = "http://www.imsglobal.org/xsd/imscp_v1p1"
TEST = "test.xml"
SINGLE_FLOAT = {"cardinality": "single", "baseType": "float"}
SINGLE_NAME = {"cardinality": "single", "baseType": "identifier"}


def export(sheets: Sequence[Sheet], title: str, options: Options = DEFAULTS) -> Exported:
    losses = Losses("QTI 2.1")
    files: dict[str, bytes] = {}
    sections = []
    for quiz, same in body.banks(sheets).items():
        drawn = []
        for sheet in same:
            references = []
            for k, part in enumerate(sheet.parts):
                losses.carried(part)
                name = f"item-{re.sub('[^A-Za-z0-9_-]', '_', body.number(sheet, str(k + 1)))}"
                files[f"items/{name}.xml"] = document(item(name, sheet, part))
                references.append(element("assessmentItemRef", {"identifier": name, "href": f"items/{name}.xml"}))
            drawn.append(section(f"quiz-{len(sections) + 1}-{len(drawn) + 1}", sheet.title, references))
        pick = [element("selection", {"select": 1})] if len(same) > 1 else []
        sections.append(section(f"quiz-{len(sections) + 1}", same[0].title, [*pick, *drawn]))
    part = element("testPart", {"identifier": "part", "navigationMode": "nonlinear", "submissionMode": "simultaneous"}, *sections)
    test = identifier("qti21", title, *files)
    whole = element("assessmentTest", {"xmlns": QTI, "identifier": test, "title": plain(title)}, part)
    files[TEST] = document(whole)
    files["imsmanifest.xml"] = document(manifest(test, files))
    return Exported({file_name(title, options) + "-qti21.zip": zipped(files, options.epoch)}, losses.sentences())


def document(root: str) -> bytes:
    return (DECLARATION + root + "\n").encode()


def section(name: str, title: str, inside: Sequence[str]) -> str:
    return element("assessmentSection", {"identifier": name, "title": plain(title), "visible": "true"}, *inside)


def manifest(test: str, files: dict[str, bytes]) -> str:
    items = sorted(f for f in files if f.startswith("items/"))
    idents = {f: identifier(test, f) for f in items}
    resources = [element("resource", {"identifier": test, "type": "imsqti_test_xmlv2p1", "href": TEST}, element("file", {"href": TEST}),
                         *(element("dependency", {"identifierref": i}) for i in idents.values()))]
    resources += [element("resource", {"identifier": i, "type": "imsqti_item_xmlv2p1", "href": f}, element("file", {"href": f})) for f, i in idents.items()]
    return element("manifest", {"xmlns": PACKAGE, "identifier": identifier(test, "manifest")},
                   element("metadata", None, leaf("schema", "QTIv2.1 Package"), leaf("schemaversion", "1.0.0")),
                   element("organizations"), element("resources", None, *resources))


# ---- an item


def item(name: str, sheet: Sheet, part: Part) -> str:
    prose = prose_of(sheet)
    say: body.Say = lambda pieces: mathml(prose, pieces)
    answered = [Numbered(b) for b in part.blanks] + ([Chosen(part.choice)] if part.choice else [])
    slots = {a.id: element("textEntryInteraction", {"responseIdentifier": a.response, "expectedLength": 12}) for a in answered if type(a) is Numbered}
    shown = body.whole(sheet, part, say, lambda b: slots[b.id]) if part.blanks else body.chosen(sheet, part, say)
    inside = [f"<div>{shown}</div>", *(a.interaction(say) for a in answered if type(a) is Chosen)]
    if sheet.solution:
        inside.append(element("rubricBlock", {"view": "scorer"}, body.solution(sheet, say)))
    total = element("setOutcomeValue", {"identifier": "SCORE"}, element("sum", None, *(element("variable", {"identifier": a.score}) for a in answered)))
    return element(
        "assessmentItem", {"xmlns": QTI, "identifier": name, "title": plain(f"{sheet.title} ({sheet.variant})"), "adaptive": "false", "timeDependent": "false"},
        *(a.declaration() for a in answered),
        outcome("SCORE", SINGLE_FLOAT, "0", {"normalMaximum": tidy(part.marks)}), outcome("MAXSCORE", SINGLE_FLOAT, tidy(part.marks)),
        *(outcome(a.score, SINGLE_FLOAT, "0") + outcome(a.feedback, SINGLE_NAME) for a in answered),
        element("itemBody", None, *inside),
        element("responseProcessing", None, *(element("responseCondition", None, *a.conditions()) for a in answered), total),
        *(element("modalFeedback", {"outcomeIdentifier": a.feedback, "identifier": i, "showHide": "show"}, f"<p>{message}</p>")
          for a in answered for i, message in a.messages()))


def outcome(name: str, kind: dict[str, str], default: str = "", more: dict[str, str] = {}) -> str:
    inside = [element("defaultValue", None, leaf("value", default))] if default else []
    return element("outcomeDeclaration", {"identifier": name, **kind, **more}, *inside)


def case(tag: str, condition: str, *outcomes: str) -> str:
    return element(tag, None, condition, *outcomes)


def sets(name: str, kind: str, value: str) -> str:
    return element("setOutcomeValue", {"identifier": name}, leaf("baseValue", value, {"baseType": kind}))


def variable(name: str) -> str:
    return element("variable", {"identifier": name})


class Numbered:
    """A number that is asked for."""

    def __init__(self, blank: Blank):
        self.blank, self.id = blank, blank.id
        self.response, self.score, self.feedback = f"RESPONSE_{blank.id}", f"SCORE_{blank.id}", f"FEEDBACK_{blank.id}"

    def declaration(self) -> str:
        return element("responseDeclaration", {"identifier": self.response, **SINGLE_FLOAT},
                       element("correctResponse", None, leaf("value", digits(self.blank.key))))

    def conditions(self) -> Iterator[str]:
        said = [(self.blank.accepted, Decimal(1), "right"), *((d.accepted, d.credit, f"wrong{n}") for n, d in enumerate(self.blank.diagnoses, 1))]
        for n, (accepted, credit, name) in enumerate(said):
            yield case("responseElseIf" if n else "responseIf", self.between(accepted), sets(self.score, "float", digits(self.blank.marks * credit)),
                       sets(self.feedback, "identifier", name))

    def between(self, accepted: Accepted) -> str:
        low, high = floats(accepted)
        bound = lambda sign, value: element(sign, None, variable(self.response), leaf("baseValue", repr(value), {"baseType": "float"}))
        return element("and", None, bound("gte", low), bound("lte", high))

    def messages(self) -> Iterator[tuple[str, str]]:
        yield "right", body.RIGHT
        for n, d in enumerate(self.blank.diagnoses, 1):
            yield f"wrong{n}", body.message(d.message)


class Chosen:
    """An option that is to be chosen."""

    def __init__(self, choice: Choice):
        self.choice, self.id = choice, choice.id
        self.response, self.score, self.feedback = f"RESPONSE_{choice.id}", f"SCORE_{choice.id}", f"FEEDBACK_{choice.id}"

    def declaration(self) -> str:
        right = next(n for n, o in enumerate(self.choice.options, 1) if o.right)
        return element("responseDeclaration", {"identifier": self.response, **SINGLE_NAME}, element("correctResponse", None, leaf("value", f"option{right}")))

    def interaction(self, say: body.Say) -> str:
        options = (element("simpleChoice", {"identifier": f"option{n}"}, f"<div>{say(o.text)}</div>") for n, o in enumerate(self.choice.options, 1))
        return element("choiceInteraction", {"responseIdentifier": self.response, "shuffle": "false", "maxChoices": 1}, *options)

    def conditions(self) -> Iterator[str]:
        for n, o in enumerate(self.choice.options, 1):
            match = element("match", None, variable(self.response), leaf("baseValue", f"option{n}", {"baseType": "identifier"}))
            yield case("responseElseIf" if n > 1 else "responseIf", match, sets(self.score, "float", digits(self.choice.marks if o.right else Decimal(0))),
                       sets(self.feedback, "identifier", f"option{n}"))

    def messages(self) -> Iterator[tuple[str, str]]:
        for n, o in enumerate(self.choice.options, 1):
            if o.message:
                yield f"option{n}", body.message(o.message)
