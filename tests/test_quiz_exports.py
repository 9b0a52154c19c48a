"""Exports to learning platforms, read back by readers of the formats: what a student gets there is what the sheet says."""

import io
import json
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from shutil import which

import lms_readers as lms
import pytest

import graphlang as gl
from graphlang.diagnostics import NOWHERE
from graphlang.quiz.exports import canvas, gift, moodle, prairielearn, qti21
from graphlang.quiz.exports.files import Options
from graphlang.quiz.exports.intervals import around, floats
from graphlang.quiz.exports.losses import FRACTIONS, Losses
from graphlang.quiz.exports.markup import cdata, zipped
from graphlang.quiz.marking import mark_sheet, opened
from graphlang.quiz.mathml import mathml
from graphlang.quiz.model import Accepted, Blank, Cell, Choice, Diagnosis, Formula, Option, Part, Precision, Row, Rule, Sheet, Value, Words
from graphlang.quiz.reading import quizzes
from graphlang.quiz.rules import with_rules
from graphlang.quiz.sheets import sheet as sheet_of
from graphlang.syntax import ast

from quiz_texts import CLASSIC, NEURON, PATHS, SHAPE

D = Decimal
QUIZZES = PATHS + CLASSIC + NEURON + SHAPE


# ---- sheets made by hand


def expression(text: str) -> ast.Expr:
    return gl.loads(f"quantity = {text}").tree.statements[0].value


def around_key(key: str, half: str, closed=(True, False)) -> Accepted:
    return Accepted(D(key) - D(half), D(key) + D(half), closed)


def diagnosis(key: str, half: str, message: str, credit: str = "0") -> Diagnosis:
    return Diagnosis(D(key), around_key(key, half), ("no_inner",), message, D(credit))


def blank(id: str, key: str, precision: Precision, accepted: Accepted, *diagnoses: Diagnosis, marks: str = "1") -> Blank:
    return Blank(id, ast.Deriv("y", id, False, NOWHERE), D(key), D(key), precision, accepted, D(marks), diagnoses)


def decimals(n: int) -> Precision:
    return Precision("decimals", n)


def asking(*blanks: Blank, name: str = "made", text: str = "What?", **more) -> Sheet:
    return Sheet(name, "Made by hand", 1, 7, (), (Part((Words(text),), blanks, **more),))


HARD = {
    "two decimals": asking(blank("x", "1208.38", decimals(2), around_key("1208.38", "0.005"), diagnosis("1214.56", "0.005", "You left out the path x -> log x.", "0.25"),
                                 diagnosis("-1.09", "0.005", "The inner derivative is missing."), marks="2")),
    "an answer of 0": asking(blank("x", "0.00", decimals(2), Accepted(D("-0.005"), D("0.005"), (False, False)), diagnosis("0.50", "0.005", "Half."))),
    "a negative answer": asking(blank("x", "-3.25", decimals(2), Accepted(D("-3.255"), D("-3.245"), (False, True)), diagnosis("3.25", "0.005", "The sign."))),
    "a small answer": asking(blank("x", "0.00001", Precision("figures", 1), Accepted(D("0.0000095"), D("0.000015"), (True, False)), diagnosis("0.00003", "0.000005", "Thrice."))),
    "a large answer": asking(blank("x", "4.1e30", Precision("figures", 2), Accepted(D("4.05e30"), D("4.15e30"), (True, False)))),
    "exactly": asking(blank("x", "4", Precision("exactly"), Accepted(D(4), D(4)), Diagnosis(D(-4), Accepted(D(-4), D(-4)), ("sub_sign",), "The sign.", D("0.5")))),
    "exactly 0.1": asking(blank("x", "0.1", Precision("exactly"), Accepted(D("0.1"), D("0.1")))),
    "the nearest integer": asking(blank("x", "1213", decimals(0), around_key("1213", "0.5"), diagnosis("1214", "0.5", "Next to the answer.", "0.37"))),
    "10.0 to 3 figures": asking(blank("x", "10.0", Precision("figures", 3), Accepted(D("9.995"), D("10.05"), (True, False)), diagnosis("100", "0.5", "Ten times."))),
    "widened by the working": asking(blank("x", "2.50", decimals(2), Accepted(D("2.4949"), D("2.5061"), (True, True)))),
    "within 5%": asking(blank("x", "200", Precision("percent", 0, D(5)), Accepted(D(190), D(210)))),
    "a table": Sheet("grid", "Table", 1, 7, ((Formula(expression("exp(x)/x^2")),),), (Part(
        (Words("Fill in."),),
        (blank("p", "-1.76", decimals(2), around_key("-1.76", "0.005"), diagnosis("1.76", "0.005", "The sign of {it} ~ is #wrong\\"), marks="0.5"),
         blank("w", "-0.37", decimals(2), around_key("-0.37", "0.005"), marks="1.5")), None, ("Value", "Backward"),
        (Row((Cell((Value("0.12"),)), Cell(blank="p"))), Row((Cell((Value("-2"), Words(" & "), Formula(expression("1/(a + b)")))), Cell(blank="w")))), D("0.75"), ("p", "w")),)),
    "a choice": Sheet("pick", "Choice", 2, 7, (), (Part((Words("Which?"),), (), Choice("which", (
        Option((Formula(expression("2*h/x")),), False, "Divided.", ("quot_swap",)), Option((Formula(expression("2*h*x")),), True, ""),
        Option((Words("none of these"),), False, "")), D(3))),)),
}


@pytest.fixture(scope="module")
def written():
    found, _ = quizzes(gl.loads(QUIZZES))
    return [sheet_of(q, k, 5) for q in found.values() for k in (1, 2)]


# ---- each target with its reader


def read_moodle(sheets, tmp_path, **options):
    return lms.moodle(only(moodle.export(sheets, "Unit 3", Options(**options)).files))


def read_gift(sheets, tmp_path):
    return lms.gift(only(gift.export(sheets, "Unit 3").files))


def read_canvas(sheets, tmp_path):
    return lms.canvas(only(canvas.export(sheets, "Unit 3").files))


def read_qti21(sheets, tmp_path):
    return lms.qti21(only(qti21.export(sheets, "Unit 3").files))


def read_prairielearn(sheets, tmp_path):
    """Variant by variant, in the order of the sheets of one quiz."""
    return [(s.quiz, item) for quiz in dict.fromkeys(s.quiz for s in sheets) for k, s in enumerate(s for s in sheets if s.quiz == quiz)
            for item in folder_of(sheets, quiz, tmp_path).items(k)]


def folder_of(sheets, quiz, tmp_path) -> lms.PrairieLearn:
    files = prairielearn.export(sheets, "Unit 3").files
    here = {name.rpartition("/")[2]: data for name, data in files.items() if f"/questions/{quiz}/" in name}
    folder = tmp_path / quiz
    folder.mkdir(exist_ok=True)
    return lms.PrairieLearn(here, folder)


def only(files: dict[str, bytes]) -> bytes:
    (data,) = files.values()
    return data


READERS = {"moodle": read_moodle, "gift": read_gift, "canvas": read_canvas, "qti21": read_qti21, "prairielearn": read_prairielearn}
SNAPPED = {"moodle", "gift"}  # parts of the marks from a list


def asked(sheets):
    """What is asked. Exports write it in this order, where one sheet is written, or sheets with one thing asked."""
    return [thing for s in sheets for p in s.parts for thing in [*p.blanks, *([p.choice] if p.choice else [])]]


def in_order(sheets, target):
    """The same as it stands on a page, where the blanks of a table have the order of its cells."""
    cells = [c.blank for s in sheets for p in s.parts for row in p.rows for c in row.cells if c.blank]
    return sorted(asked(sheets), key=lambda t: cells.index(t.id) if t.id in cells else len(cells)) if target in ("moodle", "prairielearn") and cells else asked(sheets)


def credit(target: str, share: Decimal, of_cloze: bool) -> float:
    if target == "canvas":
        return float(share == 1)
    return float(Losses("").fraction(share, of_cloze)) / 100 if target in SNAPPED else float(share)


def told(message: str, target: str) -> str | None:
    return None if target == "canvas" else message.replace("`", "")


def expected(thing: Blank, value: Decimal) -> tuple[Decimal, str]:
    """Our own verdict: the part of the marks, and the message."""
    if thing.accepted.holds(value):
        return D(1), "Right."
    for d in thing.diagnoses:
        if d.accepted.holds(value):
            return d.credit, d.message
    return D(0), ""


def probes(thing: Blank, hairy: bool):
    """The key, the diagnosed numbers, a far one, and both sides of each end of each interval. Where a format widens an interval by a hair, 1e-6 of
    its half, and closes it, the numbers outside are twice as far, and an end that does not belong to it is left out."""
    yield thing.key
    for d in thing.diagnoses:
        yield d.key
    yield max(abs(a.high) + abs(a.low) for a in [thing.accepted, *(d.accepted for d in thing.diagnoses)]) * 3 + 1000
    intervals = [thing.accepted, *(d.accepted for d in thing.diagnoses)]
    for a in intervals:
        gap = max((a.high - a.low) / 2 * D("2.5e-6"), max(abs(a.low), abs(a.high)) * D("1e-14"), D("1e-12") if not a.high - a.low else D(0))
        for end, sign, closed in ((a.low, -1, a.closed[0]), (a.high, 1, a.closed[1])):
            yield end + sign * gap
            if a.high > a.low:
                yield end - sign * gap
            if not hairy or closed and sum(b.low <= end <= b.high for b in intervals) == 1:
                yield end


def check(target: str, sheets, items) -> None:
    things = in_order(sheets, target)
    assert len(items) == len(things)
    for thing, (_, item) in zip(things, items):
        if type(thing) is Choice:
            assert len(item.options) == len(thing.options)
            for k, o in enumerate(thing.options):
                share, feedback = item.grade(str(k))
                assert share == float(o.right)
                assert feedback == o.message.replace("`", "")
            continue
        for value in probes(thing, item.closed):
            share, message = expected(thing, value)
            got, feedback = item.grade(format(value, "f"))
            assert got == pytest.approx(credit(target, share, "#" in item.name), abs=1e-9), (thing.id, value, share)
            if share or message:
                assert feedback == told(message, target), (thing.id, value)


@pytest.mark.parametrize("sheet", HARD, ids=str)
@pytest.mark.parametrize("target", READERS)
def test_a_platform_marks_and_tells_what_the_sheet_says(target, sheet, tmp_path):
    check(target, [HARD[sheet]], READERS[target]([HARD[sheet]], tmp_path))


@pytest.mark.parametrize("target", READERS)
def test_so_does_every_variant_of_written_quizzes(target, written, tmp_path):
    for quiz in dict.fromkeys(s.quiz for s in written):
        same = [s for s in written if s.quiz == quiz]
        for sheet in same:
            check(target, [sheet], READERS[target]([sheet], tmp_path))
        items = READERS[target](same, tmp_path)
        assert len(items) == sum(len(asked([s])) for s in same)


def in_programs(count: int):
    """Every quiz of programs/quizzes, in so many variants."""
    for path in sorted((Path(__file__).parent.parent / "programs" / "quizzes").glob("*.graph")):
        for quiz in quizzes(gl.load(path))[0].values():
            for k in range(1, count + 1):
                sheet, carrying = opened(quiz, k, 1)
                yield with_rules(sheet, carrying) if carrying is not None else sheet


@pytest.mark.nightly
@pytest.mark.parametrize("target", READERS)
def test_so_does_every_quiz_of_the_library(target, tmp_path):
    for sheet in in_programs(2):
        check(target, [sheet], READERS[target]([sheet], tmp_path))


def test_marks_are_those_of_the_sheet(written, tmp_path):
    for sheet in [*HARD.values(), *written]:
        for target in ("canvas", "qti21"):
            assert [i.marks for _, i in READERS[target]([sheet], tmp_path)] == [float(t.marks) for t in asked([sheet])]
        for target in ("moodle", "prairielearn"):  # weights are whole numbers
            marks = [i.marks for _, i in READERS[target]([sheet], tmp_path)]
            ratio = {D(m) / t.marks for m, t in zip(map(str, marks), in_order([sheet], target))}
            assert len(ratio) == 1


# ---- Moodle


def varied(n: int) -> list[Sheet]:
    """Variants that differ in numbers only."""
    out = []
    for k in range(1, n + 1):
        key = D(k) * D("1.37") - 4
        wrong = (diagnosis(str(key + 7), "0.005", "Seven more.", "0.25"),) if k % 2 else ()
        b = blank("x", str(key), decimals(2), around_key(str(key), "0.005"), *wrong)
        text = (Words("Suppose x = "), Value(f"{k - 5}.5"), Words(". What is {x} times "), Formula(expression("loss/where(x > 0, x, 2)")), Words("?"))
        out.append(Sheet("many", "Many", k, 3, (), (Part(text, (b,)),)))
    return out


def test_a_calculated_question_holds_up_to_100_variants():
    sheets = varied(130)
    exported = moodle.export(sheets, "Unit", Options(calculated=True))
    assert only(exported.files).count(b'type="calculated"') == 2
    check("moodle", sheets, lms.moodle(only(exported.files)))
    for sheet, (_, item) in zip(sheets, lms.moodle(only(exported.files))):
        assert sheet.parts[0].text[1].text in lms.text_of(item.text)
        assert "{x} times" in lms.text_of(item.text) and len(lms.formulas(item.text)) == 2


def test_variants_that_differ_in_more_than_numbers_are_no_calculated_question():
    first, *rest = varied(3)
    other = replace(first, parts=(replace(first.parts[0], text=(Words("Another question"),)),))
    exported = moodle.export([other, *rest], "Unit", Options(calculated=True))
    assert b"calculated" not in only(exported.files)
    assert any("once for each variant" in loss for loss in exported.losses)
    check("moodle", [other, *rest], lms.moodle(only(exported.files)))


def test_tolerances_in_percent_are_relative_in_a_calculated_question():
    sheets = [asking(blank("x", str(k), Precision("percent", 0, D(5)), Accepted(D(k) * D("0.95"), D(k) * D("1.05")))) for k in (100, 250, 4000)]
    sheets = [replace(s, variant=k) for k, s in enumerate(sheets)]
    xml = only(moodle.export(sheets, "Unit", Options(calculated=True)).files)
    assert b"<tolerancetype>1</tolerancetype>" in xml
    check("moodle", sheets, lms.moodle(xml))


def test_each_part_has_a_category_and_slashes_in_titles_are_no_levels(written):
    exported = moodle.export(written, "A/B", Options())
    assert {c for c, _ in lms.moodle(only(exported.files))} == {f"$course$/top/A//B/{q}" for q in ("paths", "classic", "neuron", "shape")}


def test_a_part_of_the_marks_is_one_that_moodle_has():
    losses = Losses("Moodle")
    assert losses.fraction(D("0.25")) == "25" and not losses.sentences()
    assert losses.fraction(D("0.37")) == "40"
    assert losses.fraction(D("0.999")) == "90"
    assert losses.fraction(D("0.3"), whole=True) == "30"
    assert losses.sentences() == ("Moodle: 2 parts of the marks rounded to one that it has",)
    for k in range(100):
        assert D(losses.fraction(D(k) / 100)) in FRACTIONS


def test_weights_of_a_table_are_whole_and_that_is_told():
    exported = moodle.export([HARD["a table"]], "Unit")
    assert [i.marks for _, i in lms.moodle(only(exported.files))] == [1, 3]
    assert "Moodle: 1 table's marks multiplied by 2, for its weights are whole numbers" in exported.losses


# ---- what is lost is told


def test_what_a_format_cannot_hold_is_told():
    table, number = HARD["a table"], HARD["two decimals"]
    assert canvas.export([number], "U").losses == ("Canvas: 2 messages for wrong numbers dropped, its numeric items have none",
                                                   "Canvas: 1 part of the marks dropped, its numeric items are right or wrong")
    assert gift.export([number], "U").losses == ("GIFT: 1 question's marks dropped, it has none",)
    assert qti21.export([number], "U").losses == prairielearn.export([number], "U").losses == ()
    for module in (moodle, gift, canvas, qti21):
        assert any("errors carried forward" in loss for loss in module.export([table], "U").losses)
    assert prairielearn.export([table], "U").losses == ("PrairieLearn: 2 blanks marked without errors carried forward: the rule is not known there",)


# ---- errors carried forward


def carrying() -> Sheet:
    """p = 3 by itself, q = 2p, r = q + p."""
    rule = lambda text, **given: Rule(expression(text), given, {n: n for n in given})
    blanks = tuple(blank(n, key, decimals(2), around_key(key, "0.005")) for n, key in (("p", "3.00"), ("q", "6.00"), ("r", "9.00")))
    rules = {"q": rule("2*p", p=3.0), "r": rule("q + p", q=6.0, p=3.0)}
    rows = tuple(Row((Cell((Words(b.id),)), Cell(blank=b.id))) for b in blanks) + (Row((Cell((Words("given"),)), Cell((Value("14"),)))),)
    return Sheet("chain", "Chain", 1, 7, (), (Part((Words("Fill in."),), blanks, None, ("Name", "Value"), rows, D("0.5"), ("p", "q", "r"), rules),))


@pytest.mark.parametrize("typed, shares", [
    ({"p": "3", "q": "6", "r": "9"}, (1, 1, 1)),
    ({"p": "4", "q": "8", "r": "9"}, (0, 0.5, 1)),       # the rule was right on one's own number
    ({"p": "4", "q": "8", "r": "12"}, (0, 0.5, 0.5)),
    ({"p": "4", "q": "6", "r": "10"}, (0, 1, 0.5)),
    ({"p": "4", "q": "9", "r": "9"}, (0, 0, 1)),
    ({"q": "8"}, (0, 0, 0)),                             # nothing is carried from an empty cell
    ({"p": "0", "q": "0", "r": "0"}, (0, 0, 0)),         # nor from 0
    ({"p": "7", "q": "14", "r": "9"}, (0, 0, 1)),        # nor to a number that is printed
    ({"p": "3.3", "q": "6.61", "r": "9"}, (0, 0.5, 1)),  # the student's number was rounded
])
def test_prairielearn_carries_errors_forward(typed, shares, tmp_path):
    folder = folder_of([carrying()], "chain", tmp_path)
    done = folder.graded(0, typed)
    assert tuple(done["partial_scores"][n]["score"] for n in "pqr") == shares
    assert done["score"] == pytest.approx(sum(shares) / 3)
    for name, share in zip("pqr", shares):
        assert (done["feedback"][name] == "Right rule on your earlier value.") == (share == 0.5)


def test_prairielearn_tests_itself(written, tmp_path):
    for quiz in dict.fromkeys(s.quiz for s in written):
        folder = folder_of(written, quiz, tmp_path)
        for k, variant in enumerate(folder.variants):
            for kind in ("correct", "incorrect", "invalid"):
                data = folder.generated(k) | {"test_type": kind}
                folder.server.test(data)
                numbers = {b["name"]: data["raw_submitted_answers"][b["name"]] for b in variant["blanks"]}
                if kind == "invalid":
                    assert set(data["format_errors"]) == set(numbers) | {c["name"] for c in variant["choices"]}
                elif numbers:
                    done = folder.graded(k, numbers)
                    assert done["score"] == data["score"] == (kind == "correct")


def test_every_variant_of_a_folder_can_be_drawn(tmp_path):
    folder = folder_of(varied(5), "many", tmp_path)
    folder.server.random.seed(1)
    seen = set()
    for _ in range(100):
        data = {"params": {}, "correct_answers": {}, "options": {}}
        folder.server.generate(data)
        seen.add(data["params"]["index"])
    assert seen == set(range(5))


@pytest.mark.parametrize("typed", [
    {"dL_dp": "-0.47", "dL_dz": "-0.05", "dL_dw": "-0.1", "dL_dbias": "-0.05"}, {"dL_dp": "-1.5", "dL_dz": "-0.157", "dL_dw": "-0.315", "dL_dbias": "-0.157"},
    {"dL_dz": "-0.2", "dL_dw": "-0.4", "dL_dbias": "-0.2"}, {"dL_dz": "-0.2", "dL_dw": "-0.4", "dL_dbias": "-0.3"}, {"dL_dw": "-0.370"}])
def test_prairielearn_carries_as_our_own_marker_does(typed, tmp_path):
    found, _ = quizzes(gl.loads(QUIZZES))
    sheet, carrying = opened(found["neuron"], 1, 5)
    sheet = with_rules(sheet, carrying)
    own = {m.id: m for m in mark_sheet(sheet, typed, carrying)}
    done = folder_of([sheet], "neuron", tmp_path).graded(0, typed)
    assert {n: done["partial_scores"][n]["score"] for n in own} == {n: pytest.approx(float(m.credit)) for n, m in own.items()}
    assert prairielearn.export([sheet], "U").losses == ()


def some_answers(sheet, rng, run) -> dict[str, str]:
    """Right numbers, diagnosed ones, zeros, and numbers that follow from those before."""
    from graphlang.quiz.exports.carried import steps
    (part,), typed = sheet.parts, {}
    blanks = {b.id: b for b in part.blanks}
    for name in part.order:
        kind, rule = rng.random(), part.rules.get(name)
        if kind < 0.15:
            continue
        if kind < 0.4:
            x = float(blanks[name].key)
        elif kind < 0.6:
            x = float(blanks[name].diagnoses[int(rng.random() * len(blanks[name].diagnoses))].key)
        elif kind < 0.65:
            x = 0.0
        else:
            x = run(steps(rule), {n: float(typed.get(n, b.exact)) for n, b in blanks.items()})
        text = format(D(f"{x:.3g}"), "f")
        typed[name] = format(D(text) + D("0.001"), "f") if rng.random() < 0.1 else text
    return typed


@pytest.mark.parametrize("count", [60, pytest.param(2000, marks=pytest.mark.nightly)])
def test_at_random_it_carries_as_our_own_marker_does(count, tmp_path):
    import random
    found, _ = quizzes(gl.loads(QUIZZES))
    sheet, carrying = opened(found["neuron"], 1, 5)
    sheet = with_rules(sheet, carrying)
    folder, rng, carried = folder_of([sheet], "neuron", tmp_path), random.Random(3), 0
    for _ in range(count):
        typed = some_answers(sheet, rng, folder.server.run)
        own = {m.id: m for m in mark_sheet(sheet, typed, carrying)}
        done = folder.graded(0, typed)
        assert {n: round(done["partial_scores"][n]["score"], 6) for n in own} == {n: round(float(m.credit), 6) for n, m in own.items()}, typed
        carried += any(m.result == "carried" for m in own.values())
    assert carried > count / 10


# ---- what others read


def test_pyslet_scores_as_we_do(written):
    xml, variables = pytest.importorskip("pyslet.qtiv2.xml"), pytest.importorskip("pyslet.qtiv2.variables")
    for sheet in [HARD[n] for n in ("two decimals", "an answer of 0", "exactly", "10.0 to 3 figures", "a table", "a choice")] + written[:2]:
        archive = zipfile.ZipFile(io.BytesIO(only(qti21.export([sheet], "U").files)))
        for name in archive.namelist():
            if not name.startswith("items/"):
                continue
            document = xml.QTIDocument()
            document.read(src=io.BytesIO(archive.read(name)))
            for thing in asked([sheet]):
                cases = [(format(v, "f"), *expected(thing, v)) for v in list(probes(thing, False))[:40]] if type(thing) is Blank else [
                    (f"option{k}", D(int(o.right)), o.message) for k, o in enumerate(thing.options, 1)]
                for typed, share, message in cases:
                    state = variables.ItemSessionState(document.root)
                    state.begin_session()
                    state[f"RESPONSE_{thing.id}"].set_value(typed)
                    document.root.ResponseProcessing.run(state)
                    assert state["SCORE"].value == pytest.approx(float(share * thing.marks)), (thing.id, typed)
                    assert bool(state[f"FEEDBACK_{thing.id}"]) == (bool(message) or type(thing) is Choice)


def skeleton(item) -> list:
    """Elements, attributes and texts of an item, names aside."""
    out = []
    for e in item.iter():
        attributes = {k: v for k, v in e.attrib.items() if k not in ("ident", "title", "linkrefid")}
        text = (e.text or "").strip()
        if e.tag == "mattext":
            text = lms.text_of(text)
        elif e.tag in ("vargte", "varlte") or e.tag == "varequal" and len(text) < 10:
            text = str(D(text).normalize())
        elif e.tag in ("fieldentry", "varequal") and len(text) > 8 and not text.endswith("_question"):
            text = "NAMES"
        out.append((e.tag, tuple(sorted(attributes.items())), text))
    return out


def test_text2qti_writes_the_same_items():
    import xml.etree.ElementTree as ET
    quiz, qti, config = (pytest.importorskip(f"text2qti.{m}") for m in ("quiz", "qti", "config"))
    source = "Quiz title: U\n\n1.  First?\n=   [1212.5, 1213.5]\n\n2.  Second?\n=   1213\n\n3.  Third?\na)  one\n... no\n*b) two\n... good\n"
    made = qti.QTI(quiz.Quiz(source, config=config.Config(), source_name="q"))
    theirs = lms.names(ET.fromstring(made.assessment)).findall(".//item")
    sheets = [asking(blank("x", "1213", decimals(0), Accepted(D("1212.5"), D("1213.5"))), name="first", text="First?"),
              asking(blank("x", "1213", Precision("exactly"), Accepted(D(1213), D(1213))), name="second", text="Second?"),
              Sheet("third", "Third", 1, 7, (), (Part((Words("Third?"),), (), Choice("c", (Option((Words("one"),), False, "no"), Option((Words("two"),), True, "good")), D(1))),))]
    archive = zipfile.ZipFile(io.BytesIO(only(canvas.export(sheets, "U").files)))
    (name,) = [n for n in archive.namelist() if n.startswith("g") and "meta" not in n]
    ours = lms.names(ET.fromstring(archive.read(name))).findall(".//item")
    for our, their in zip(ours, theirs, strict=True):
        ask = our.find("presentation/material/mattext")
        ask.text = lms.text_of(ask.text).partition("?")[0] + "?"  # and then what is asked for, in a formula
        assert [s for s in skeleton(our)] == [s for s in skeleton(their)]


@pytest.mark.skipif(which("node") is None, reason="needs node")
def test_gift_pegjs_reads_the_same_questions(written, tmp_path):
    sheets = [*HARD.values(), *written, *(s for text in HOSTILE[:9] for s in hostile_sheets(text))]
    (tmp_path / "q.gift").write_bytes(only(gift.export(sheets, "U").files))
    code = "const p = require('gift-pegjs'); console.log(JSON.stringify(p.parse(require('fs').readFileSync(process.argv[1], 'utf8'))))"
    done = subprocess.run(["node", "-e", code, str(tmp_path / "q.gift")], capture_output=True, text=True)
    if "Cannot find module" in done.stderr:
        pytest.skip("needs gift-pegjs")
    assert done.returncode == 0, done.stderr[-600:]
    theirs = [q for q in json.loads(done.stdout) if q["type"] != "Category"]
    ours = [i for _, i in lms.gift((tmp_path / "q.gift").read_bytes())]
    assert [(q["title"], len(q["choices"])) for q in theirs] == [(i.name, len(i.options) or len(q["choices"])) for i, q in zip(ours, theirs, strict=True)]
    for q, i in zip(theirs, ours):
        assert q["type"] == ("MC" if i.options else "Numerical")
        if not i.options:
            for c in q["choices"]:
                if c["text"] and type(c["text"]) is dict and c["text"].get("number") is not None:
                    assert i.grade(str(c["text"]["number"]))[0] == pytest.approx((c["weight"] if c["weight"] is not None else 100) / 100)


# ---- the same input, the same bytes


@pytest.mark.parametrize("module", [moodle, gift, canvas, qti21, prairielearn], ids=lambda m: m.__name__.rpartition(".")[2])
def test_the_same_sheets_give_the_same_bytes(module, written):
    assert module.export(written, "Unit").files == module.export(written, "Unit").files


def test_bytes_do_not_depend_on_the_hash_seed():
    code = ("import sys, hashlib; sys.path[:0] = ['tests', '.']; import test_quiz_exports as t; from graphlang.quiz.exports import canvas, moodle, prairielearn, qti21\n"
            "for m in (canvas, moodle, qti21, prairielearn):\n"
            "    e = m.export(list(t.HARD.values()), 'U'); print(hashlib.sha256(repr((sorted(e.files.items()), e.losses)).encode()).hexdigest())")
    root = Path(__file__).parent.parent
    outs = {subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed, "PATH": "", "PYTHONPATH": str(root)}).stdout
            for seed in ("1", "2")}
    assert len(outs) == 1


def test_a_zip_has_its_entries_in_order_and_no_clock():
    data = zipped({"b/c.txt": b"1", "a/": b"", "a.txt": b"2"})
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert archive.namelist() == ["a.txt", "a/", "b/c.txt"]
    assert {i.date_time for i in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)} and archive.testzip() is None
    assert {i.date_time for i in zipfile.ZipFile(io.BytesIO(zipped({"a": b""}, 1_000_000_000))).infolist()} == {(2001, 9, 9, 1, 46, 40)}


def test_a_variant_more_changes_no_other(written, tmp_path):
    before, after = varied(3), varied(4)
    for target, read in READERS.items():
        assert [i.text for _, i in read(before, tmp_path)] == [i.text for _, i in read(after, tmp_path)][:3], target


# ---- hostile text

HOSTILE = [
    r"\frac{1}{x} \( \evil \) \[ x \] $$y$$ $z$ \begin{align}", "<script>alert(1)</script><b>&amp; &lt; \"'", "]]> <![CDATA[ x", "a } b { c ~ d # e = f : g \\", "{1:NUMERICAL:=3} {#1} {x} {=1+1}",
    "{{params.intro}} {{{x}}} <pl-question-panel>", "// comment\n\n::name::{T}\n$CATEGORY: x", "%100%5:1#x", "a\x00b\x1b[31mc\x08", "left \u202egnol\u202c right \u200f\u05d0", "\ud800 lone", "@@PLUGINFILE@@/x",
    "&#125; &amp;#126; \\} \\# \\~",
]


def reading(text: str) -> str:
    """What of a text is to be read: on one line, harmful characters replaced."""
    return re.sub("[\x00-\x08\x1b\u202a-\u202e\ud800-\udfff]", "\ufffd", re.sub(r"\n+", " ", text))


def hostile_sheets(text: str) -> list[Sheet]:
    number = blank("x", "2.5", decimals(1), around_key("2.5", "0.05"), diagnosis("5.0", "0.05", text, "0.5"))
    other = blank("z", "1.5", decimals(1), around_key("1.5", "0.05"), diagnosis("7.0", "0.05", text))
    words = (Words(text),)
    choice = Choice("which", (Option(words, False, text), Option((Words("right"),), True, "")), D(1))
    rows = (Row((Cell(words), Cell(blank="x"))), Row((Cell(words), Cell(blank="z"))))
    return [Sheet("one", text, 1, 1, (words,), (Part(words, (number,)),), (text,), (words,)),
            Sheet("grid", text, 1, 1, (words,), (Part(words, (number, other), None, (text, text), rows),), (text,), (words,)),
            Sheet("pick", text, 1, 1, (words,), (Part(words, (), choice),), (text,), (words,))]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("target", READERS)
def test_hostile_text_comes_out_as_text(target, text, tmp_path):
    shown = reading(text)
    for sheet in hostile_sheets(text):
        for thing, (_, item) in zip(asked([sheet]), READERS[target]([sheet], tmp_path)):
            body = item.text if target != "qti21" else re.sub(r" xmlns(:\w+)?=\"[^\"]*\"|(?<=[</])\w+:", "", item.text)
            assert lms.text_of(body).count(shown) >= 2
            assert all(shown not in f and "evil" not in f for f in lms.formulas(body)) and not [f for f in lms.formulas(body) if f.strip() in ("x", "y")]
            if type(thing) is Choice:
                assert item.grade("0") == (0.0, shown) and item.grade("1")[0] == 1
                assert lms.text_of(re.sub(r" xmlns(:\w+)?=\"[^\"]*\"|(?<=[</])\w+:", "", item.options[0])).strip() == shown.strip()
            else:
                assert item.grade(str(thing.key))[0] == 1
                assert (item.grade(str(thing.diagnoses[0].key))[1] or "").strip() in ("", shown.strip())
                if target != "canvas":
                    assert item.grade(str(thing.diagnoses[0].key))[1].strip() == shown.strip()


def test_hostile_titles_leave_the_files_readable(tmp_path):
    for text in HOSTILE:
        for module in (moodle, gift, canvas, qti21, prairielearn):
            exported = module.export([HARD["a choice"]], text)
            assert all(re.fullmatch(r"[a-z0-9-]+(-prairielearn/questions/pick/(info|variants)\.json|-prairielearn/questions/pick/question\.html|"
                                    r"-prairielearn/questions/pick/server\.py|-moodle\.xml|\.gift|-canvas\.zip|-qti21\.zip)", name) for name in exported.files)
        lms.moodle(only(moodle.export([HARD["a choice"]], text).files))
        lms.canvas(only(canvas.export([HARD["a choice"]], text).files))
        lms.qti21(only(qti21.export([HARD["a choice"]], text).files))
        assert len(lms.gift(only(gift.export([HARD["a choice"]], text).files))) == 1


def test_an_end_of_cdata_in_a_text_does_not_end_it():
    import xml.etree.ElementTree as ET
    for text in ("]]>", "a]]>b]]>", "]]]]>>"):
        assert ET.fromstring(f"<t>{cdata(text)}</t>").text == text


# ---- formulas


def test_formulas_are_typeset_for_each_platform(tmp_path):
    sheet = HARD["a table"]
    (_, item), *_ = read_moodle([sheet], tmp_path)
    assert lms.formulas(item.text)[0] == r"\frac{\exp\left(x\right)}{x^2}"
    (_, item), *_ = read_gift([sheet], tmp_path)
    assert r"\frac{1}{a + b}" in lms.formulas(item.text)
    (_, item), *_ = read_canvas([sheet], tmp_path)
    image = lms.seen(item.text).images[0]
    assert image["class"] == "equation_image" and image["data-equation-content"] == r"\frac{\exp\left(x\right)}{x^2}"
    assert image["src"] == r"/equation_images/%255Cfrac%257B%255Cexp%255Cleft%2528x%255Cright%2529%257D%257Bx%255E2%257D?scale=1"
    assert "MathML" in read_qti21([sheet], tmp_path)[0][1].text


def test_a_product_element_by_element_does_not_look_like_another(written):
    shape = next(s for s in written if s.quiz == "shape")
    say = moodle.saying(shape)
    assert say((Formula(expression("h*h")),)) == r"\(h \odot h\)" != say((Formula(expression("h @ h")),))


def test_mathml_follows_the_latex():
    inner = lambda latex: re.sub(r"^<math[^>]*>|</math>$", "", mathml(latex))
    assert inner(r"\frac{dy}{dx_{1}}") == "<mfrac><mrow><mi>d</mi><mi>y</mi></mrow><mrow><mi>d</mi><msub><mi>x</mi><mn>1</mn></msub></mrow></mfrac>"
    assert inner(r"x_{i}^{2}") == inner(r"x^2_i") == "<msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup>"
    assert inner(r"\sqrt[3]{x}") == "<mroot><mi>x</mi><mn>3</mn></mroot>"
    assert inner(r"\sum_{i = 1}^{3} x").startswith("<mrow><munderover><mo>∑</mo>")
    assert inner(r"\mathit{loss\_a}") == '<mi mathvariant="italic">loss_a</mi>'
    assert inner(r"a < b") == "<mrow><mi>a</mi><mo>&lt;</mo><mi>b</mi></mrow>"


def test_every_function_has_mathml():
    import xml.etree.ElementTree as ET

    from graphlang.graph.functions import FUNCTIONS
    from graphlang.graph.reductions import REDUCTIONS
    for row in FUNCTIONS.values():
        root = ET.fromstring(mathml(row.latex.format("u", "v", "w")))
        assert "\\" not in "".join(root.itertext()) and set("uvw"[: row.arity[0]]) <= set("".join(root.itertext())), row.name
    for row in REDUCTIONS.values():
        assert "\\" not in "".join(ET.fromstring(mathml(row.latex)).itertext()), row.name


def test_a_deep_formula_is_no_recursion():
    depth = 3000
    assert mathml("x^{" * depth + "y" + "}" * depth).count("<msup>") == depth


# ---- intervals


@pytest.mark.parametrize("accepted", [a for s in HARD.values() for t in asked([s]) if type(t) is Blank for a in (t.accepted, *(d.accepted for d in t.diagnoses))], ids=str)
def test_floats_of_an_interval_belong_to_it_and_their_neighbours_do_not(accepted):
    import math
    low, high = floats(accepted)
    inside = lambda x: accepted.holds(D(repr(x)))
    assert inside(low) and inside(high)
    assert not inside(math.nextafter(low, -math.inf)) and not inside(math.nextafter(high, math.inf))


def test_a_key_that_is_not_in_the_middle_has_two_distances():
    (first, second) = around(D("10.0"), Accepted(D("9.995"), D("10.05"), (True, False)))
    assert first.value == D("10.0") and D("0.005") < first.tolerance < D("0.00500006")
    assert second.value == D("10.0225") and D("0.0275") < second.tolerance < D("0.0275001")
