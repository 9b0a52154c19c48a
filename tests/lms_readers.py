"""Readers of what learning platforms import, each with a grader, written from the rules of the formats and not from the exporters.

Every grader takes what a student types and gives the part of the marks, from 0 to 1, and the feedback as text (None: the format has none there).
"""

from __future__ import annotations

import html
import importlib.util
import io
import json
import re
import xml.etree.ElementTree as ET
import zipfile
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Callable, NamedTuple

FRACTIONS = {"100", "90", "83.33333", "80", "75", "70", "66.66667", "60", "50", "40", "33.33333", "30", "25", "20", "16.66667", "14.28571", "12.5", "11.11111", "10", "5", "0"}
INLINE = {"p", "br", "table", "thead", "tbody", "tr", "th", "td", "strong", "span", "div", "img", "code"}


class Item(NamedTuple):
    """One number or choice to be graded. `grade(typed)` gives (part of the marks, feedback or None); a choice is typed by the place of its option."""

    name: str
    text: str                                  # of the question, in HTML
    grade: Callable[[str], tuple[float, str | None]]
    marks: float | None = None
    options: tuple[str, ...] = ()              # HTML of each
    closed: bool = False                       # the ends of intervals belong to them, and are wider by a hair


# ---- HTML as a student sees it


class Seen(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.tags, self.nodes, self.images = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.nodes.append(None)
        if tag == "img":
            self.images.append(dict(attrs))

    def handle_endtag(self, tag):
        self.nodes.append(None)

    def handle_data(self, data):
        if self.nodes and self.nodes[-1] is not None:
            self.nodes[-1] += data
        else:
            self.nodes.append(data)


def seen(markup: str) -> Seen:
    s = Seen()
    s.feed(markup)
    s.close()
    return s


def text_of(markup: str) -> str:
    """What is read, formulas as their LaTeX."""
    return "".join(n for n in seen(markup).nodes if n is not None)


def formulas(markup: str) -> list[str]:
    """The LaTeX that MathJax finds: it begins and ends in one stretch of text."""
    out = []
    for node in seen(markup).nodes:
        out += [m[1] or m[2] or m[3] for m in re.finditer(r"\\\((.*?)\\\)|\\\[(.*?)\\\]|\$\$(.*?)\$\$", node or "", re.S)]
    return out


def well_formed(markup: str) -> None:
    """XML, with no elements but those of prose and tables."""
    ET.fromstring(f"<div>{markup}</div>")
    assert set(seen(markup).tags) <= INLINE, set(seen(markup).tags) - INLINE


# ---- Moodle


class Answer(NamedTuple):
    fraction: str
    text: str
    tolerance: float
    feedback: str
    relative: bool = False


def moodle_number(answers: list[Answer], typed: str) -> tuple[float, str]:
    """The first answer that matches."""
    value = float(typed)
    for a in answers:
        if a.text == "*":
            return float(a.fraction) / 100, text_of(a.feedback)
        near = abs(float(a.text)) * a.tolerance if a.relative else a.tolerance
        if float(a.text) - near - 1e-14 <= value <= float(a.text) + near + 1e-14:
            return float(a.fraction) / 100, text_of(a.feedback)
    return 0.0, ""


def moodle(xml: bytes) -> list[tuple[str, Item]]:
    """Pairs of a category and an item, after all that an import would refuse."""
    root = ET.fromstring(xml)
    assert root.tag == "quiz"
    category, out, idnumbers = "", [], set()
    for q in root:
        assert q.tag == "question"
        kind = q.attrib["type"]
        if kind == "category":
            category = q.findtext("category/text")
            assert category.startswith("$course$/top/")
            continue
        name, markup = q.findtext("name/text"), q.findtext("questiontext/text")
        assert name and markup is not None and q.find("questiontext").get("format") == "html"
        well_formed(q.findtext("generalfeedback/text") or "")
        number = q.findtext("idnumber")
        assert (category, number) not in idnumbers and 0 < len(number) <= 100
        idnumbers.add((category, number))
        fractions = [a.get("fraction") for a in q.findall("answer")]
        assert set(fractions) <= FRACTIONS
        if kind == "cloze":
            assert q.find("defaultgrade") is None
            rest, subs = cloze(markup)
            well_formed(rest)
            assert subs
            out += [(category, Item(f"{name}#{n}", rest, _numeric(s.answers), float(s.weight or 1), closed=True)) for n, s in enumerate(subs, 1)]
            continue
        assert "100" in fractions
        marks = float(q.findtext("defaultgrade"))
        if kind == "numerical":
            well_formed(markup)
            answers = [Answer(a.get("fraction"), a.findtext("text"), float(a.findtext("tolerance")), a.findtext("feedback/text") or "") for a in q.findall("answer")]
            out.append((category, Item(name, markup, _numeric(answers), marks, closed=True)))
        elif kind == "multichoice":
            well_formed(markup)
            assert q.findtext("single") == "true" and fractions.count("100") == 1
            options = tuple(a.findtext("text") for a in q.findall("answer"))
            feedback = [text_of(a.findtext("feedback/text") or "") for a in q.findall("answer")]
            grade = lambda typed, f=fractions, b=feedback: (float(f[int(typed)]) / 100, b[int(typed)])
            out.append((category, Item(name, markup, grade, marks, options)))
        else:
            assert kind == "calculated"
            out += [(category, i) for i in calculated(q, name, markup, marks)]
    return out


def _numeric(answers: list[Answer]) -> Callable[[str], tuple[float, str]]:
    return lambda typed: moodle_number(answers, typed)


class Sub(NamedTuple):
    weight: str
    answers: list[Answer]


KINDS = "NUMERICAL|NM|MULTICHOICE|MC|MULTICHOICE_V|MCV|MULTICHOICE_H|MCH|SHORTANSWER|SA|MW|SHORTANSWER_C|SAC|MWC|MULTICHOICE_S|MCS|MULTICHOICE_VS|MCVS|MULTICHOICE_HS|MCHS|MULTIRESPONSE|MR"
ALTERNATIVE = r"(?:=|%-?[0-9]+%)?.+?(?<!\\|&)(?<!&amp;)(?=[~#}]|$)(?:\#.*?(?<!\\)(?=[~}]|$))?"
SUB_QUESTION = re.compile(rf"\{{([0-9]*):({KINDS}):((?:{ALTERNATIVE})(?:~(?:{ALTERNATIVE}))*)\}}", re.S)
ONE = re.compile(r"~?(=|%(-?[0-9]+)%)?(.+?(?<!\\|&)(?<!&amp;)(?=[~#}]|$))(?:\#(.*?(?<!\\)(?=[~}]|$)))?", re.S)
NUMBER = r"-?(?:[0-9]+[.,]?[0-9]*|[.,][0-9]+)(?:[eE][-+]?[0-9]+)?"


def cloze(markup: str) -> tuple[str, list[Sub]]:
    """The text round the sub-questions, `{#1}` for the first, and these. Entities in them are read once, then `\\}` and `\\#`."""
    subs = []
    read = lambda text: html.unescape(text).replace(r"\}", "}").replace(r"\#", "#")
    while m := SUB_QUESTION.search(markup):
        weight, kind, rest = m.groups()
        answers = []
        while rest:
            a = ONE.match(rest)
            fraction = "100" if a[1] == "=" else a[2] or "0"
            assert fraction in FRACTIONS
            n = re.fullmatch(rf"({NUMBER})(?::({NUMBER}))?", a[3])
            assert n or a[3] == "*", a[3]
            answers.append(Answer(fraction, n[1] if n else a[3], float(n[2] or 0) if n else 0.0, read(a[4] or "")))
            rest = rest[a.end():]
        assert kind == "NUMERICAL" and any(a.fraction == "100" for a in answers)
        for a in answers:
            well_formed(a.feedback)
        subs.append(Sub(weight, answers))
        markup = markup[: m.start()] + f"{{#{len(subs)}}}" + markup[m.end():]
    return markup, subs


PLACEHOLDER = re.compile(r"\{([A-Za-z][A-Za-z0-9_ -]*)\}")


def calculated(q: ET.Element, name: str, markup: str, marks: float) -> list[Item]:
    """An item for each row of the tables."""
    tables = {}
    for d in q.findall("dataset_definitions/dataset_definition"):
        rows = d.findall("dataset_items/dataset_item")
        assert [int(r.findtext("number")) for r in rows] == list(range(1, len(rows) + 1)) and 0 < len(rows) <= 100
        assert int(d.findtext("itemcount")) == int(d.findtext("number_of_items")) == len(rows)
        assert d.findtext("name/text") not in tables
        tables[d.findtext("name/text")] = [r.findtext("value") for r in rows]
    (count,) = {len(v) for v in tables.values()}
    whole = markup + "".join(a.findtext("text") + (a.findtext("feedback/text") or "") for a in q.findall("answer"))
    assert set(PLACEHOLDER.findall(whole)) == set(tables), "a brace of a formula would be a wildcard"
    assert "{=" not in markup
    out = []
    for k in range(count):
        put = lambda text: PLACEHOLDER.sub(lambda m: tables[m[1]][k], text)
        answers = [Answer(a.get("fraction"), put(a.findtext("text")), float(a.findtext("tolerance")), a.findtext("feedback/text") or "", a.findtext("tolerancetype") == "1")
                   for a in q.findall("answer")]
        out.append(Item(f"{name} {k + 1}", put(markup), _numeric(answers), marks, closed=True))
    return out


# ---- GIFT


def gift(data: bytes) -> list[tuple[str, Item]]:
    category, out = "", []
    lines = [line for line in data.decode().split("\n") if not line.lstrip().startswith("//")]
    for block in re.split(r"\n\s*\n", "\n".join(lines)):
        block = block.strip()
        if block.startswith("$CATEGORY:"):
            first, _, block = block.partition("\n")
            category = first.removeprefix("$CATEGORY:").strip()
        if block.strip():
            out.append((category, gift_question(block.strip())))
    return out


def gift_question(block: str) -> Item:
    bare = re.sub(r"\\\\", "\x01", block)                     # an escaped backslash escapes nothing
    bare = re.sub(r"\\([~=#{}:])", lambda m: chr(0xE000 + ord(m[1])), bare)
    back = lambda text: re.sub("[\ue000-\ue0ff]", lambda m: chr(ord(m[0]) - 0xE000), text).replace("\x01", "\\")
    m = re.fullmatch(r"::(.*?)::\[html\]([^{}]*)\{([^{}]*)\}", bare, re.S)
    assert m, block
    name, markup, answers = back(m[1]), back(m[2]), m[3]
    well_formed(markup)
    answers, _, general = answers.partition("####")
    well_formed(back(general).strip())
    found = [a for a in re.findall(r"([=~])([^=~]*)", answers.lstrip().removeprefix("#"))]
    said = []
    for sign, rest in found:
        w = re.match(r"%(-?[0-9.]+)%", rest)
        value, _, feedback = rest[w.end() if w else 0:].partition("#")
        assert w is None or w[1] in FRACTIONS
        said.append((float(w[1]) / 100 if w else float(sign == "="), back(value).strip(), back(feedback).strip(), value.strip()))
    if not answers.lstrip().startswith("#"):
        for _, option, feedback, _ in said:
            well_formed(option)
            well_formed(feedback)
        return Item(name, markup, lambda typed: (said[int(typed)][0], text_of(said[int(typed)][2])), None, tuple(s[1] for s in said))

    def grade(typed: str) -> tuple[float, str]:
        for credit, value, feedback, _ in said:
            if not value:
                return 0.0, text_of(feedback)
            number, _, tolerance = value.partition(":")
            if abs(float(typed) - float(number)) <= float(tolerance or 0) + 1e-14:
                return credit, text_of(feedback)
        return 0.0, ""

    return Item(name, markup, grade, None, closed=True)


# ---- Canvas


def names(root: ET.Element) -> ET.Element:
    """The tree without namespaces, but for MathML's."""
    for e in root.iter():
        space, _, local = e.tag.rpartition("}")
        if "MathML" not in space:
            e.tag = local
    return root


def canvas(data: bytes) -> list[tuple[str, Item]]:
    archive = zipfile.ZipFile(io.BytesIO(data))
    files = archive.namelist()
    assert "non_cc_assessments/" in files
    manifest = names(ET.fromstring(archive.read("imsmanifest.xml")))
    assert (manifest.findtext("metadata/schema"), manifest.findtext("metadata/schemaversion")) == ("IMS Content", "1.1.3")
    assert {f.get("href") for f in manifest.iter("file")} <= set(files)
    ids = [r.get("identifier") for r in manifest.iter("resource")]
    assert len(ids) == len(set(ids)) and {d.get("identifierref") for d in manifest.iter("dependency")} <= set(ids)
    aid = next(r for r in manifest.iter("resource") if r.get("type") == "imsqti_xmlv1p2").get("identifier")
    meta = names(ET.fromstring(archive.read(f"{aid}/assessment_meta.xml")))
    assert meta.findtext("available") == "false"
    root = names(ET.fromstring(archive.read(f"{aid}/{aid}.xml")))
    idents = [i.get("ident") for i in root.iter("item")]
    assert len(idents) == len(set(idents))
    out = []
    for group in root.findall("assessment/section/section"):
        assert group.findtext("selection_ordering/selection/selection_number") == "1"
        points = float(group.findtext("selection_ordering/selection/selection_extension/points_per_item"))
        out += [(group.get("title"), canvas_item(i, points)) for i in group.findall("item")]
    return out


def canvas_item(item: ET.Element, points: float) -> Item:
    fields = {f.findtext("fieldlabel"): f.findtext("fieldentry") for f in item.iter("qtimetadatafield")}
    assert float(fields["points_possible"]) == points
    markup = item.findtext("presentation/material/mattext")
    well_formed(markup)
    conditions = item.findall("resprocessing/respcondition")
    feedback = {f.get("ident"): f.findtext("flow_mat/material/mattext") for f in item.findall("itemfeedback")}
    for f in feedback.values():
        well_formed(f)
    linked = {c.find("displayfeedback").get("linkrefid") for c in conditions if c.find("displayfeedback") is not None}
    assert linked == set(feedback)
    (right,) = [c for c in conditions if c.get("continue") == "No"]
    assert right.findtext("setvar") == "100" and conditions[-1] is right
    if fields["question_type"] == "numerical_question":
        assert item.find("presentation/response_str/render_fib").get("fibtype") == "Decimal"
        holds = canvas_number(right.find("conditionvar"))
        return Item(item.get("title"), markup, lambda typed: (float(holds(Decimal(typed))), None), points)
    assert fields["question_type"] == "multiple_choice_question"
    labels = item.findall("presentation/response_lid/render_choice/response_label")
    idents = [la.get("ident") for la in labels]
    assert fields["original_answer_ids"] == ",".join(idents) and len(set(idents)) == len(idents)
    options = tuple(la.findtext("material/mattext") for la in labels)
    for o in options:
        well_formed(o)
    key = right.findtext("conditionvar/varequal")
    assert key in idents
    return Item(item.get("title"), markup, lambda typed: (float(idents[int(typed)] == key), text_of(feedback.get(f"{idents[int(typed)]}_fb", ""))), points, options)


def canvas_number(c: ET.Element) -> Callable[[Decimal], bool]:
    """The four kinds of a numeric condition."""
    assert all(v.get("respident") == "response1" for v in c.iter() if v.tag.startswith("var"))
    if c.find("or") is not None:
        equal, low, high = c.findtext("or/varequal"), c.findtext("or/and/vargte"), c.findtext("or/and/varlte")
        if equal == low == high:
            return lambda x: x == Decimal(equal)
        return lambda x: Decimal(low) <= x <= Decimal(high)
    assert c.find("varequal") is None and [v.tag for v in c] == ["vargte", "varlte"]
    return lambda x: Decimal(c.findtext("vargte")) <= x <= Decimal(c.findtext("varlte"))


# ---- QTI 2.1


def qti21(data: bytes) -> list[tuple[str, Item]]:
    archive = zipfile.ZipFile(io.BytesIO(data))
    manifest = names(ET.fromstring(archive.read("imsmanifest.xml")))
    assert (manifest.findtext("metadata/schema"), manifest.findtext("metadata/schemaversion")) == ("QTIv2.1 Package", "1.0.0")
    files = archive.namelist()
    assert {f.get("href") for f in manifest.iter("file")} | {"imsmanifest.xml"} == set(files)
    items = {r.get("href") for r in manifest.iter("resource") if r.get("type") == "imsqti_item_xmlv2p1"}
    test = names(ET.fromstring(archive.read("test.xml")))
    refs = [r.get("href") for r in test.iter("assessmentItemRef")]
    assert len(refs) == len(set(refs)) and set(refs) == items
    sections = [s.get("identifier") for s in test.iter("assessmentSection")]
    assert len(sections) == len(set(sections))
    for s in test.findall("testPart/assessmentSection"):
        variants = s.findall("assessmentSection")
        assert len(variants) == 1 or s.find("selection").get("select") == "1"
    return [(href, i) for href in refs for i in qti21_item(archive.read(href))]


def qti21_item(data: bytes) -> list[Item]:
    root = names(ET.fromstring(data))
    assert root.tag == "assessmentItem" and {"identifier", "title", "adaptive", "timeDependent"} <= root.attrib.keys()
    for d in [*root.findall("responseDeclaration"), *root.findall("outcomeDeclaration")]:
        assert d.get("cardinality") == "single"
    assert root.find(".//equal") is None
    body = ET.tostring(root.find("itemBody"), encoding="unicode")
    out = []
    for d in root.findall("responseDeclaration"):
        response = d.get("identifier")
        kind, id = d.get("baseType"), response.removeprefix("RESPONSE_")
        right = d.findtext("correctResponse/value")
        choices = root.findall(f".//choiceInteraction[@responseIdentifier='{response}']/simpleChoice")
        assert len(choices) > 1 if kind == "identifier" else len(root.findall(f".//textEntryInteraction[@responseIdentifier='{response}']")) == 1
        full = qti21_run(root, {response: read(kind, right)})
        assert full["SCORE"] == full[f"SCORE_{id}"] > 0

        def grade(typed: str, response=response, kind=kind, id=id, choices=choices, full=full) -> tuple[float, str]:
            done = qti21_run(root, {response: float(typed) if kind == "float" else choices[int(typed)].get("identifier")})
            said = [m for m in root.findall("modalFeedback") if done.get(m.get("outcomeIdentifier")) == m.get("identifier")]
            return done[f"SCORE_{id}"] / full["SCORE"], "".join("".join(m.itertext()) for m in said)

        options = tuple(ET.tostring(c, encoding="unicode") for c in choices)
        out.append(Item(f"{root.get('identifier')} {id}", body, grade, full["SCORE"], options))
    assert float(root.find("outcomeDeclaration[@identifier='MAXSCORE']").findtext("defaultValue/value")) == sum(i.marks for i in out)
    return out


def read(kind: str, text: str) -> float | str:
    return float(text) if kind == "float" else text


def qti21_run(root: ET.Element, responses: dict) -> dict:
    """The outcomes after response processing. What has no response is NULL, and a comparison with it holds not."""
    values: dict = {d.get("identifier"): None for d in root.findall("responseDeclaration")} | responses
    for d in root.findall("outcomeDeclaration"):
        text = d.findtext("defaultValue/value")
        values[d.get("identifier")] = None if text is None else read(d.get("baseType"), text)

    def value(e: ET.Element):
        if e.tag == "variable":
            return values[e.get("identifier")]
        if e.tag == "baseValue":
            return read(e.get("baseType"), e.text)
        parts = [value(c) for c in e]
        if e.tag == "and":
            return all(parts)
        if e.tag == "sum":
            return sum(parts)
        if None in parts:
            return False
        return {"gte": lambda a, b: a >= b, "lte": lambda a, b: a <= b, "match": lambda a, b: a == b}[e.tag](*parts)

    for step in root.find("responseProcessing"):
        if step.tag == "setOutcomeValue":
            values[step.get("identifier")] = value(step[0])
            continue
        for branch in step:
            if value(branch[0]):
                for s in branch[1:]:
                    values[s.get("identifier")] = value(s[0])
                break
    return values


# ---- PrairieLearn

ATTRIBUTES = {"pl-number-input": {"answers-name", "label", "comparison", "rtol", "atol", "weight", "allow-complex", "show-help-text", "allow-blank", "blank-value", "display"},
              "pl-multiple-choice": {"answers-name", "weight", "order"}, "pl-answer": {"correct", "feedback", "score"}, "pl-question-panel": set(), "pl-answer-panel": set()}


def mustache(template: str, context: dict) -> str:
    """Sections over lists and texts, `{{…}}` escaped, `{{{…}}}` as it is; what was put in is not read again."""
    def look(path: str, scopes: list):
        for scope in reversed(scopes):
            value = scope
            for name in path.split("."):
                value = value.get(name) if isinstance(value, dict) else None
            if value is not None:
                return value
        return ""

    def fill(text: str, scopes: list) -> str:
        out, at = [], 0
        for m in re.finditer(r"\{\{\{([\w.]+)\}\}\}|\{\{#([\w.]+)\}\}(.*?)\{\{/\2\}\}|\{\{([\w.]+)\}\}", text, re.S):
            out.append(text[at:m.start()])
            at = m.end()
            if m[1]:
                out.append(str(look(m[1], scopes)))
            elif m[2]:
                value = look(m[2], scopes)
                out += [fill(m[3], [*scopes, v]) for v in (value if isinstance(value, list) else [value] if value else [])]
            else:
                out.append(html.escape(str(look(m[4], scopes))))
        return "".join(out) + text[at:]

    return fill(template, [context])


class Elements(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.found, self.tags, self.inside = [], [], None

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag.startswith("pl-"):
            assert set(dict(attrs)) <= ATTRIBUTES[tag], (tag, attrs)
            self.found.append((tag, dict(attrs), []))
            self.inside = tag
        elif self.inside == "pl-answer":
            self.found[-1][2].append(f"<{tag}>")

    def handle_endtag(self, tag):
        if tag == "pl-answer":
            self.inside = None

    def handle_data(self, data):
        if self.inside == "pl-answer":
            self.found[-1][2].append(html.escape(data))


class PrairieLearn:
    """A question folder: server.py run as PrairieLearn runs it, the page filled in as Mustache fills it."""

    def __init__(self, files: dict[str, bytes], folder: Path):
        for name, data in files.items():
            (folder / name).write_bytes(data)
        info = json.loads(files["info.json"])
        assert {"uuid", "title", "topic", "type"} <= info.keys() and info["type"] == "v3"
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-[45][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", info["uuid"])
        spec = importlib.util.spec_from_file_location("server", folder / "server.py")
        self.server: ModuleType = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.server)
        self.folder, self.page = folder, files["question.html"].decode()
        self.variants = json.loads(files["variants.json"])

    def generated(self, k: int) -> dict:
        """The data of a variant, by the draw that gives it."""
        draw = self.server.random.random
        self.server.random.random = lambda: (k + 0.5) / len(self.variants)
        try:
            data = {"params": {}, "correct_answers": {}, "options": {"question_path": str(self.folder)}, "submitted_answers": {}, "raw_submitted_answers": {},
                    "format_errors": {}, "partial_scores": {}, "feedback": {}, "score": 0}
            self.server.generate(data)
        finally:
            self.server.random.random = draw
        assert json.loads(json.dumps(data)) == data
        return data

    def elements(self, data: dict) -> Elements:
        e = Elements()
        e.feed(mustache(self.page, data))
        e.close()
        answers = [a["answers-name"] for t, a, _ in e.found if "answers-name" in a]
        assert len(answers) == len(set(answers))
        return e

    def graded(self, k: int, typed: dict[str, str]) -> dict:
        data = self.generated(k)
        data["raw_submitted_answers"] = dict(typed)
        data["submitted_answers"] = {n: float(t) for n, t in typed.items()}
        self.server.grade(data)
        assert json.loads(json.dumps(data)) == data
        return data

    def items(self, k: int) -> list[Item]:
        data = self.generated(k)
        elements, out = self.elements(data), []
        for tag, attributes, _ in elements.found:
            if tag == "pl-number-input":
                name = attributes["answers-name"]
                assert name in data["correct_answers"] and attributes["comparison"] == "relabs" and float(attributes["rtol"]) == 0 <= float(attributes["atol"])

                def grade(typed: str, name=name) -> tuple[float, str]:
                    done = self.graded(k, {name: typed})
                    return done["partial_scores"][name]["score"], text_of(done["feedback"][name])

                out.append(Item(name, mustache(self.page, data), grade, int(attributes["weight"])))
            elif tag == "pl-multiple-choice":
                at = elements.found.index((tag, attributes, []))
                answers = []
                for t, a, inside in elements.found[at + 1:]:
                    if t != "pl-answer":
                        break
                    answers.append((a["correct"] == "true", a["feedback"], "".join(inside)))
                assert sum(right for right, _, _ in answers) == 1
                grade = lambda typed, answers=answers: (float(answers[int(typed)][0]), text_of(answers[int(typed)][1]))
                out.append(Item(attributes["answers-name"], mustache(self.page, data), grade, int(attributes["weight"]), tuple(a[2] for a in answers)))
        return out
