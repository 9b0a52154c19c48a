"""Papers and pages for self-study: Typst, HTML, LaTeX, Markdown."""

import base64
import hashlib
import importlib.util
import io
import json
import random
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest
from paper_sheets import HOSTILE, blank, half, hostile, paths, shape, table, version

from graphlang.quiz import typeset
from graphlang.quiz.answers import read
from graphlang.quiz.exports import body, latex, markdown, page, typst, words
from graphlang.quiz.exports.files import Options
from graphlang.quiz.marker import mark_blank
from graphlang.quiz.model import Accepted, Exam, Part, Precision, Value, Words
from graphlang.quiz.typeset import Prose

LETTERS = ("A", "B", "C", "D")
EXAM = Options(exam=Exam("Quiz 3", (), 20, 4, 2026, None), letters=LETTERS)
SHEETS = [s for k in range(4) for s in version(k)]
SHOWN = typeset.plain(HOSTILE)  # what of it is to be read

needs_typst = pytest.mark.skipif(not importlib.util.find_spec("typst") or not importlib.util.find_spec("pypdf"), reason="typst or pypdf is not installed")
needs_node = pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")


def secrets(sheets) -> set[str]:
    """What only a key tells: keys, diagnosed numbers, messages, intervals, solutions."""
    out = set()
    for s in sheets:
        out |= {p.text for line in s.solution for p in line if type(p) in (Words, Value) and len(p.text) > 4}
        for part in s.parts:
            for b in part.blanks:
                out |= {words.number(b.key), words.accepted(b.accepted), *(words.number(d.key) for d in b.diagnoses), *(d.message for d in b.diagnoses)}
            out |= {o.message for o in part.choice.options} if part.choice else set()
    return out


def squeezed(text: str) -> str:
    """Without blanks, which lines are broken at, and soft hyphens."""
    return re.sub(r"[\s\u00ad]", "", text)


# ---- what a key says


@pytest.mark.parametrize("interval, said", [
    (("1.5", "2.5", True, True), "from 1.5 to 2.5"), (("-4.165", "-4.155", False, True), "from −4.165 to −4.155, the lower end not included"),
    (("3", "3", True, True), "3 exactly")], ids=str)
def test_an_interval_is_said_in_words(interval, said):
    low, high, *closed = interval
    assert words.accepted(Accepted(Decimal(low), Decimal(high), tuple(closed))) == said


def test_the_marking_guide_says_order_credit_and_cap():
    order, credit, guards, cap = words.carried(table().parts[0])
    assert "order (a), (b)" in order and "75%" in credit and "is 0, not finite or missing" in guards and "at most 1 mark." in cap
    assert words.carried(paths().parts[0]) == ()


def test_options_after_z_have_two_letters():
    assert [words.letter(k) for k in (0, 25, 26, 52)] == ["A", "Z", "AA", "BA"]


# ---- Typst


@pytest.fixture(scope="module")
def exam():
    return typst.export(SHEETS, "Quiz 3 - Backpropagation", EXAM)


def reader(pdf: bytes):
    import pypdf

    return pypdf.PdfReader(io.BytesIO(pdf))


def text_of(pdf: bytes) -> str:
    return "\n".join(p.extract_text() for p in reader(pdf).pages)


def everything(pdf: bytes) -> str:
    """The text, and every string and stream of the file: metadata, bookmarks, alternative texts."""
    import pypdf.generic as g

    r, seen = reader(pdf), [text_of(pdf)]
    for number in range(1, r.trailer["/Size"]):
        try:
            stack = [r.get_object(number)]
        except Exception:  # a number that is not used
            continue
        while stack:
            o = stack.pop()
            if isinstance(o, g.DictionaryObject):
                stack += [v for v in o.values() if not isinstance(v, g.IndirectObject)]
                if isinstance(o, g.StreamObject) and "/Length1" not in o:
                    seen.append(o.get_data().decode("latin-1"))
            elif isinstance(o, g.ArrayObject):
                stack += [v for v in o if not isinstance(v, g.IndirectObject)]
            elif isinstance(o, (g.TextStringObject, g.ByteStringObject)):
                seen.append(str(o))
    return "\n".join(seen)


def test_there_is_a_paper_and_a_key_for_every_version(exam):
    names = {f"quiz-3-backpropagation-{letter}{key}" for letter in LETTERS for key in ("", "-key")}
    pdfs = {f"{n}.pdf" for n in names} if importlib.util.find_spec("typst") else set()
    assert set(exam.files) == {"paper.typ", "quiz-3-backpropagation.typ"} | {f"{n}.typ" for n in names if n.endswith("key")} | pdfs


@needs_typst
def test_nothing_is_lost_on_paper(exam):
    assert exam.losses == ()


@needs_typst
@pytest.mark.parametrize("k, letter", [*enumerate(LETTERS)])
def test_a_paper_has_every_question_and_its_letter(exam, k, letter):
    shown = squeezed(text_of(exam.files[f"quiz-3-backpropagation-{letter}.pdf"]))
    for n, sheet in enumerate(version(k), 1):
        for part in sheet.parts:
            assert all(squeezed(p.text.replace("-", "−")) in shown for p in part.text if type(p) is not typeset.Formula)
        assert squeezed(f"{n}. {sheet.title}") in shown and all(squeezed(note) in shown for note in sheet.notes)
    assert f"Version{letter}" in shown and squeezed("20 minutes. 7 marks in all.") in shown and squeezed("to 2 decimals, 2 marks") in shown


@needs_typst
@pytest.mark.parametrize("letter", LETTERS)
def test_a_paper_tells_nothing_of_the_key(exam, letter):
    """Nor its source, which an instructor may hand on."""
    told = everything(exam.files[f"quiz-3-backpropagation-{letter}.pdf"]) + exam.files["quiz-3-backpropagation.typ"].decode()
    assert {s for s in secrets(SHEETS) if s in told or squeezed(s) in squeezed(told)} == set()


@needs_typst
@pytest.mark.parametrize("k, letter", [*enumerate(LETTERS)])
def test_a_key_has_every_key(exam, k, letter):
    told = squeezed(text_of(exam.files[f"quiz-3-backpropagation-{letter}-key.pdf"]))
    right = next(words.letter(j) for j, o in enumerate(shape(k).parts[0].choice.options) if o.right)
    said = secrets(version(k)) - {o.message for o in shape(k).parts[0].choice.options if o.right}
    said -= {words.accepted(d.accepted) for s in version(k) for p in s.parts for b in p.blanks for d in b.diagnoses}
    assert {s for s in said if squeezed(s.replace("-", "−") if re.fullmatch(r"-[\d.]+", s) else s) not in told} == set()
    assert f"Right:{right}" in told and squeezed("Errors carried forward: mark the blanks in the order (a), (b).") in told and "paths-00" in told


def positions(exam, letter: str, folder: Path) -> dict:
    import typst as package

    for name, data in exam.files.items():
        (folder / name).write_bytes(data)
    source = folder / next(n for n in exam.files if n.endswith(".typ") and n != "paper.typ" and "key" not in n)
    compiler = package.Compiler(str(source), root=str(folder), ignore_system_fonts=True, sys_inputs={"version": letter})
    return dict(json.loads(compiler.eval("query(<box>).map(b => (b.value, b.location().position()))")))


@needs_typst
def test_boxes_stand_in_the_same_places_in_all_versions(tmp_path):
    """Also where the text of one needs more lines, a formula is higher, or an option is missing."""
    longer = replace(paths(3), parts=(replace(paths(3).parts[0], text=(Words("Suppose a great many things " * 12),)),))
    fewer = replace(shape(2), parts=(replace(shape(2).parts[0], choice=replace(shape(2).parts[0].choice, options=shape(2).parts[0].choice.options[:3])),))
    wide = replace(table(2), parts=(replace(table(2).parts[0], rows=tuple(replace_cell(r) if k == 0 else r for k, r in enumerate(table(2).parts[0].rows))),))
    sheets = [paths(1), table(1), shape(1), paths(2), wide, fewer, longer, table(3), shape(3)]
    made = typst.export([s for k in range(3) for s in sheets[3 * k:3 * k + 3] * 4], "Long", EXAM._replace(letters=("A", "B", "C"), key=False))
    found = [positions(made, letter, tmp_path) for letter in "ABC"]
    everywhere = set.intersection(*({(name, *at.values()) for name, at in boxes.items()} for boxes in found))
    assert [{name for name, *_ in everywhere} ^ boxes.keys() for boxes in found] == [{"3D", "6D", "9D", "12D"}, set(), {"3D", "6D", "9D", "12D"}]
    assert len({p["page"] for p in found[0].values()}) > 2
    assert {"Name", "1a", "1b", "2a", "2b", "3A", "3C", "12C"} <= found[0].keys()
    pages = {len(reader(made.files[f"long-{letter}.pdf"]).pages) for letter in "ABC"}
    assert len(pages) == 1


def replace_cell(row):
    return row._replace(cells=(row.cells[0]._replace(pieces=(Words("a cell with a text of several lines, " * 8),)), *row.cells[1:]))


@needs_typst
def test_a_pdf_is_tagged_titled_and_without_a_date_of_today(exam):
    r = reader(exam.files["quiz-3-backpropagation-B.pdf"])
    root = r.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] and root["/Lang"].startswith("en") and r.metadata.title == "Quiz 3 - Backpropagation, version B"
    assert b"pdfuaid" in root["/Metadata"].get_data() and r.metadata.creation_date is None


@needs_typst
def test_formulas_are_read_out(exam):
    assert "exp(a) + a/b + sin(b)/a" in everything(exam.files["quiz-3-backpropagation-A.pdf"])


@needs_typst
def test_the_same_sheets_give_the_same_bytes(exam):
    assert typst.export(SHEETS, "Quiz 3 - Backpropagation", EXAM).files == exam.files


@needs_typst
def test_a_paper_may_have_no_key():
    made = typst.export(SHEETS, "T", EXAM._replace(key=False))
    assert not [n for n in made.files if "key" in n] and len([n for n in made.files if n.endswith(".pdf")]) == 4


def test_without_the_package_the_sources_are_written_and_it_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "typst", None)
    made = typst.export(SHEETS, "T", EXAM)
    assert {n.rsplit(".")[1] for n in made.files} == {"typ"} and len(made.files) == 6
    assert made.losses == (typst.MISSING,) and "pip install" in typst.MISSING


@needs_typst
@pytest.mark.parametrize("path", ["/etc/passwd", "../../../../../../../../../etc/passwd"])
def test_typst_sees_only_its_own_folder(path):
    made, losses = typst.compiled({"x.typ": f'#read("{path}")'.encode()}, [typst.Wanted("x.typ", "x.pdf", "")], 0)
    assert made == {} and "not made" in losses[0]


@needs_typst
def test_hostile_text_is_text_in_a_pdf():
    made = typst.export([hostile()], f"T {HOSTILE}")
    (paper,), (key,) = ([p for n, p in made.files.items() if n.endswith(".pdf") and n.endswith("-key.pdf") == k] for k in (False, True))
    # pypdf turns right-to-left letters around, and puts in what it does not know
    wanted = squeezed(SHOWN.partition("\ufffd")[0])
    for name, pdf, first in (("paper", paper, ("line", "ask", "cell", "yes", "no", "note", "Title")), ("key", key, ("told", "bad", "worked", "Title"))):
        shown = squeezed(text_of(pdf))
        # in what is told about an answer a stretch between backticks is code
        assert [word for word in first if word + (wanted.replace("`c`", "c") if word in ("told", "bad") else wanted) not in shown] == [], name
    assert not {n for n in made.files if re.search(r"[^A-Za-z0-9.-]", n)}


@needs_typst
def test_a_letter_that_no_font_has_is_told():
    made = typst.export([replace(paths(), title="微分")], "T", Options(key=False))
    assert "t.pdf" in made.files and "微" in made.losses[0] and "t.typ can be compiled with one that has it" in made.losses[0]


# ---- the page


class Seen(HTMLParser):
    """The tags of a page, its text outside of scripts and styles, and what its labels are for."""

    def __init__(self, html: str):
        super().__init__(convert_charrefs=True)
        self.tags, self.text, self.attributes, self.open = [], "", [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes.append((tag, dict(attributes)))
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("script", "style"):
            self.text += data


def keys_of(html: str) -> dict:
    inside = re.search(r'<script type="application/json" id="keys">(.*?)</script>', html, re.S)[1]
    return json.loads(base64.b64decode(json.loads(inside)))


def made_page(sheets=SHEETS, title="Practice") -> str:
    (html,) = page.export(sheets, title).files.values()
    return html.decode()


def test_a_page_loads_nothing_and_allows_just_its_own_script_and_style():
    html = made_page()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)[1]
    for kind, tag in (("script-src", "<script>"), ("style-src", "<style>")):
        inside = html.split(tag)[1].split(tag.replace("<", "</"))[0]
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'") and html.count("<script>") == 1
    links = {k for _, a in Seen(html).attributes for k in a} & {"src", "href", "action", "style", "onclick", "srcset", "data"}
    assert links == set() and set(re.findall(r"https?://[^\"' <]+", html)) == {"http://www.w3.org/1998/Math/MathML"}


def test_every_field_of_a_page_is_labelled_and_every_id_is_one_of_its_kind():
    seen = Seen(made_page())
    ids = [a["id"] for _, a in seen.attributes if "id" in a]
    assert len(ids) == len(set(ids))
    labelled = {a.get("for") for tag, a in seen.attributes if tag == "label"}
    for tag, a in seen.attributes:
        if tag == "input" and a["type"] == "text":
            assert a["id"] in labelled or a["aria-label"]
            assert set(a["aria-describedby"].split()) <= set(ids)
    assert seen.open == []


SAID = "Look at `a/b`, then at `/`: 2 ` 3"
CODE = {typeset.typst_told: '#"Look at ";#mono("a/b");#", then at ";#mono("/");#": 2 ` 3";',
        typeset.latex_told: r"Look at \texttt{a/b}, then at \texttt{/}: 2 \textasciigrave{} 3",
        typeset.markdown_told: r"Look at `a/b`, then at `/`: 2 \` 3",
        body.message: "Look at <code>a/b</code>, then at <code>/</code>: 2 ` 3"}


@pytest.mark.parametrize("target", CODE, ids=lambda f: f.__name__)
def test_what_stands_between_backticks_in_a_message_is_code(target):
    assert target(SAID) == CODE[target]


TOLD = """const {told} = new Function("document", require("fs").readFileSync(process.argv[1], "utf-8").match(/^function told[^]*?^}/m)[0] + "; return {told}")(
  {createElement: name => ({name})});
console.log(JSON.stringify(JSON.parse(require("fs").readFileSync(0, "utf-8")).map(told)))"""


@needs_node
def test_a_page_writes_what_stands_between_backticks_as_code():
    done = subprocess.run(["node", "-e", TOLD, str(Path(page.__file__).parent / "page.js")], input=json.dumps([SAID, "`", "plain", "<b>`<i>`"]), capture_output=True, text=True)
    code = lambda text: {"name": "code", "textContent": text}
    assert json.loads(done.stdout) == [["Look at ", code("a/b"), ", then at ", code("/"), ": 2 ` 3"], ["`"], ["plain"], ["<b>", code("<i>"), ""]], done.stderr


def test_no_key_stands_in_the_text_of_a_page():
    html = made_page()
    assert {s for s in secrets(SHEETS) if s in html} == set()
    blanks = [b for s in SHEETS for p in s.parts for b in p.blanks]
    told = [b for f in keys_of(html).values() for b in f["blanks"].values()]
    assert sorted(page.interval(b.accepted) for b in blanks) == sorted(t["accepted"] for t in told)
    assert {d.message for b in blanks for d in b.diagnoses} <= {w["message"] for t in told for w in t["wrong"]}


def test_hostile_text_is_text_on_a_page():
    plain, bad = Seen(made_page([paths(), table(), shape()])), Seen(made_page([hostile()], f"T {HOSTILE}"))
    assert set(bad.tags) <= set(plain.tags) | {"span"}  # not one that it brought
    assert [word for word in ("Title", "line", "ask", "head", "cell", "yes", "no", "note") if f"{word} {SHOWN}".strip() not in bad.text] == []
    steps = keys_of(made_page([hostile()]))["q0v0"]["steps"]
    assert set(Seen(steps[0]).tags) <= {"span"} and Seen(steps[0]).text.strip() == f"worked {SHOWN}".strip()


def test_a_page_says_that_it_cannot_carry_errors_forward():
    assert page.export([table()], "T").losses == ("page: 1 question marked without errors carried forward, which it cannot compute",)
    assert page.export([paths()], "T").losses == ()


def by_node(code: str, data) -> object:
    done = subprocess.run(["node", "-e", code, str(Path(page.__file__).parent / "grade.js")], input=json.dumps(data), capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


JUDGE = """const {judge} = require(process.argv[1]), cases = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(cases.map(([blank, text]) => judge(blank, text))))"""

TYPED = ["", " ", "4.50", "4,5", "4.5 ", "+4.5", "−4.5", "-4.5", "4.495", "4.505", "4.5049999999999999999999999", "4.4949999999999999999", "45e-1", "0.45e1", "450E-2",
         "4.5*10^0", "4.5 x 10^0", "45·10⁻¹", "4.5 × 10^(0)", "10^1", "-10**2", "1,234", "1,234.5", "1.234,5", "1 234", "1'234.5", "1,23,4", "12,345,678", "1.2.3", "4..5",
         ".5", ",5", "5.", "5,", "nan", "inf", "-Infinity", "∞", "50%", "9/2", "9/0", "1/3", "-9/-2", "/2", "1/2/3", "abc", "4.5 m", "4.5m", "y = 4.5", "dy/dx = 4.5",
         "= 4.5", "≈4.5", "$4.5$", "٤", "４．５", "½", "4.5e", "4.5e400", "1e-300", "1e301", "1e999999999999999999999", "e5", "1" * 61, "0", "-0", "0.0", "--5", "+-5", "4 .5",
         "4.\u00a05", "\ufeff4.5", "4.5\x00", "９.２５", "9.25", "9.2449", "9.245", "9.255", "4", "5", "4.6", "4.4", "54.0", "0.45", "45", "4.05", "7.77", "1e1", "<b>", "x" * 100]


@needs_node
def test_the_page_marks_as_the_marker_does():
    """The same table of texts by both, for numbers asked for in each way."""
    plain = blank("b", "dy/dx", "4.50", (("9.25", "The path through b is missing.", "0.25"), ("-4.50", "A sign.", "0")))
    zero = replace(plain, key=Decimal(0), exact=Decimal(0), accepted=Accepted(Decimal("-0.005"), Decimal("0.005"), (False, False)), diagnoses=())
    exact = replace(plain, key=Decimal("4.5"), precision=Precision("exactly"), accepted=Accepted(Decimal("4.5"), Decimal("4.5")), diagnoses=())
    figures = replace(plain, key=Decimal("1.2E+3"), precision=Precision("figures", 2), accepted=Accepted(Decimal("1.15E+3"), Decimal("1.25E+3"), (True, False)), diagnoses=())
    cases = [(b, text) for b in (plain, zero, exact, figures) for text in TYPED]
    found = by_node(JUDGE, [(page.marked(b), text) for b, text in cases])
    wrong = []
    for (b, text), got in zip(cases, found):
        mark = mark_blank(b, text)
        verdict = "unread" if not mark.readable else "right" if mark.credit == 1 else "diagnosed" if mark.diagnosis else "wrong"
        if (got["verdict"], got["message"], Decimal(got["credit"])) != (verdict, mark.message, mark.credit):
            wrong.append((str(b.key), text, got, verdict, mark.message))
    assert wrong == [] and {g["verdict"] for g in found} == {"right", "diagnosed", "wrong", "unread"}


@needs_node
def test_the_page_decides_at_bounds_as_intervals_do():
    """Random intervals; numbers at their bounds and beside them, by less than a float can tell."""
    draw, cases, held = random.Random(6), [], []
    for _ in range(1500):
        low = Decimal(draw.randint(-10**18, 10**18)).scaleb(draw.randint(-30, 6))
        interval = Accepted(low, low + Decimal(draw.randint(0, 10**6)).scaleb(low.as_tuple().exponent), (draw.random() < 0.5, draw.random() < 0.5))
        beside = Decimal(draw.choice((-1, 0, 0, 1))).scaleb(low.as_tuple().exponent - 5)
        value = read(format(draw.choice((interval.low, interval.high)) + beside, "f")).value
        if value is None:
            continue
        b = replace(blank("b", "dy/dx", "1.00"), precision=Precision("within"), accepted=interval, key=Decimal(10) ** 40)
        cases.append((page.marked(b), format(value, "f")))
        held.append(interval.holds(value))
    found = [g["verdict"] == "right" for g in by_node(JUDGE, cases)]
    assert found == held and len(cases) > 1000 and 0.2 < sum(held) / len(held) < 0.8


@needs_node
def test_the_page_reads_what_students_type_as_the_marker_does():
    """Signs of keyboards, blanks of all widths, powers, fractions, put together at random."""
    draw, cases = random.Random(3), []
    signs = [*"0123456789012345678945.,'’ e+-x*^()/=≈$%", *"−·×⁻¹²½٫４\u00a0\u202f\ufeff\x1cydé∂Ⅷ\nßﬀ_\u0301😀", "10^", " x 10", "e-", "4.5"]
    plain = blank("b", "dy/dx", "4.50", (("9.25", "m", "0.25"),))
    exact = replace(plain, precision=Precision("exactly"), accepted=Accepted(Decimal("4.5"), Decimal("4.5")))
    for _ in range(1500):
        text = "".join(draw.choice(signs) for _ in range(draw.randint(1, 8)))
        cases += [(plain, text), (exact, text)]
    found = by_node(JUDGE, [(page.marked(b), text) for b, text in cases])
    assert [(t, g["message"], Decimal(g["credit"])) for (_, t), g in zip(cases, found)] == [(t, (m := mark_blank(b, t)).message, m.credit) for b, t in cases]


DOM = """const {JSDOM} = require("jsdom"), html = require("fs").readFileSync(0, "utf8");
const {window} = new JSDOM(html, {runScripts: "dangerously", beforeParse: w => Object.assign(w, {TextDecoder, Uint8Array})}), doc = window.document, out = [];
const form = doc.getElementById("q0v0"), inputs = form.querySelectorAll("input"), check = form.querySelector("button:not([type])");
[inputs[0].value, inputs[1].value] = process.argv.slice(2);
check.click();
out.push([...form.querySelectorAll("output")].map(o => o.textContent), form.querySelector(".score").textContent, doc.activeElement.id);
form.querySelector("[data-do=hint]").click();
out.push(form.querySelectorAll(".steps li").length);
form.querySelector("[data-do=solution]").click();
out.push(form.querySelectorAll(".steps li").length);
form.querySelector("[data-do=another]").click();
out.push(form.hidden, doc.getElementById("q0v1").hidden);
console.log(JSON.stringify(out))"""


@needs_node
def test_a_page_takes_numbers_gives_hints_and_goes_on():
    if subprocess.run(["node", "-e", 'require("jsdom")'], capture_output=True).returncode:
        pytest.skip("jsdom is not installed")
    one = paths(1)
    right, diagnosed = one.parts[0].blanks[0].key, one.parts[0].blanks[1].diagnoses[0].key
    done = subprocess.run(["node", "-e", DOM, "page", str(right), str(diagnosed)], input=made_page([one, paths(2)]), capture_output=True, text=True, encoding="utf-8")
    assert json.loads(done.stdout) == [["✓ Right.", "✗ The inner derivative is missing."], "2 of 4 marks.", "q0v0p0_dy_dz", 1, 2, True, False], done.stderr


# ---- LaTeX


def source(sheets=None, options=EXAM, title="Quiz 3", name="quiz-3-A.tex") -> str:
    return latex.export(sheets or SHEETS, title, options).files[name].decode()


def test_a_latex_source_has_the_questions_and_solutions_that_only_the_key_prints():
    files = latex.export(SHEETS, "Quiz 3", EXAM).files
    assert set(files) == {f"quiz-3-{letter}{key}.tex" for letter in LETTERS for key in ("", "-key")}
    assert files["quiz-3-B-key.tex"] == b"\\PassOptionsToClass{answers}{exam}\n\\input{quiz-3-B}\n"
    bare = source(options=EXAM._replace(key=False))
    # what stands in braces of LaTeX is the same text
    assert {s for s in secrets(SHEETS) if typeset.latex_words(s) in bare or s.replace("−", "-") in bare} == set()
    assert {s for s in secrets(version(0)) if typeset.latex_words(s) not in source() and s.replace("−", "-") not in source()} <= {
        words.accepted(d.accepted) for s in version(0) for p in s.parts for b in p.blanks for d in b.diagnoses} | {o.message for o in shape(0).parts[0].choice.options if o.right}


def test_a_latex_question_as_text():
    text = source([shape(1), paths(1)], Options(), name="quiz-3.tex")
    assert text[text.index("% shape-001"):text.index("% paths-001")] == r"""% shape-001
\question[1] \textbf{Gradient of a matrix}\par
Which is $\frac{dL}{dW}$?
\begin{choices}
\choice $2 x h^{\top}$
\choice $h x$
\choice none of these
\CorrectChoice $2 h x^{\top}$
\end{choices}
\begin{solution}
A: It is transposed.\par
B: An outer product is needed.\par
C: One of them is right.\par
\end{solution}

"""
    assert r"\begin{parts}" in text and r"\part[2]" in text and rf"\answerline[${paths(1).parts[0].blanks[0].key}$]" in text


@pytest.mark.parametrize("marks, written", [("2", "[2]"), ("0.5", r"[\half]"), ("2.5", r"[2\half]"), ("0.25", " (0.25 marks)")])
def test_the_class_counts_whole_and_half_marks(marks, written):
    losses = latex.Losses("latex")
    assert latex.points(Decimal(marks), losses) == written
    assert bool(losses.sentences()) == (marks == "0.25")


def test_hostile_text_is_text_in_latex():
    """Every sign that acts is gone when the known ways to print one are taken out; and read back they are the text."""
    text = typeset.latex_words(HOSTILE)
    shown = {v: k for k, v in typeset.LATEX_SIGNS.items() if k not in "\ufffd"}
    tokens = re.split("(" + "|".join(map(re.escape, sorted([*shown, "{}"], key=len, reverse=True))) + ")", text)
    assert not re.search(r"[\\{}$&#%_^~]", "".join(tokens[::2]))
    assert "".join(shown.get(t, "" if t == "{}" else t) for t in tokens) == SHOWN.replace("\ufffd", "?")
    assert "--" not in text and "''" not in text and "``" not in text
    whole = source([hostile()], Options(), name="quiz-3.tex")
    assert whole.count(r"\input") == 0 and whole.count(r"\end{document}") == 1 and whole.count(text.strip()) >= 8
    assert {typeset.latex_told(f"{word} {HOSTILE}").strip() in whole for word in ("told", "bad")} == {True}


@pytest.mark.parametrize("sheets", [SHEETS[:3], [hostile()]], ids=["plain", "hostile"])
def test_latex_environments_and_braces_are_closed(sheets):
    text, open_ = source(sheets, Options(), name="quiz-3.tex"), []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+\*?)\}", text):
        if kind == "begin":
            open_.append(name)
        else:
            assert open_.pop() == name
    assert open_ == []
    depth = 0
    for sign in re.findall(r"(?<!\\)(?:\\\\)*([{}])", text):
        depth += 1 if sign == "{" else -1
        assert depth >= 0
    assert depth == 0


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")
def test_pdflatex_makes_a_paper_and_a_key(tmp_path):
    for name, data in latex.export(SHEETS, "Quiz 3", EXAM).files.items():
        (tmp_path / name).write_bytes(data)
    for name in ("quiz-3-A", "quiz-3-A-key"):
        done = subprocess.run(["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", name], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-3000:]


# ---- Markdown


def rendered(text: str) -> Seen:
    """By another reader of CommonMark."""
    from markdown_it import MarkdownIt

    return Seen(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text))


def test_a_markdown_paper_and_its_key():
    files = markdown.export(SHEETS, "Quiz 3", EXAM).files
    paper, key = files["quiz-3-B.md"].decode(), files["quiz-3-B-key.md"].decode()
    assert set(files) == {f"quiz-3-{letter}{k}.md" for letter in LETTERS for k in ("", "-key")}
    assert {s for s in secrets(SHEETS) if s in paper} == set()
    said = secrets(version(1)) - {words.accepted(d.accepted) for s in version(1) for p in s.parts for b in p.blanks for d in b.diagnoses}
    said -= {o.message for o in shape(1).parts[0].choice.options if o.right}
    assert {s for s in said if s not in key and s.replace("-", "−") not in key} == set()
    assert "# Quiz 3, version B" in paper and "20 minutes, 7 marks in all." in paper and "(a) $\\frac{dy}{dx}$ = \\_" in paper
    assert rendered(paper).tags.count("table") == 2 and "| $\\frac{dL}{dp}$ | (a)" in paper


def test_hostile_text_is_text_in_markdown():
    (paper, key) = markdown.export([hostile()], f"T {HOSTILE}").files.values()
    for text, first in ((paper, ("T", "Title", "line", "ask", "head", "cell", "yes", "no", "note")), (key, ("told", "bad", "worked"))):
        seen = rendered(text.decode())
        assert set(seen.tags) <= {"h1", "h2", "h3", "p", "ul", "li", "strong", "code", "table", "thead", "tbody", "tr", "th", "td"}
        assert seen.tags.count("code") == sum(word in ("told", "bad") for word in first)  # only what is told about an answer has code between backticks
        assert [word for word in first if squeezed(f"{word} {SHOWN.replace('`c`', 'c') if word in ('told', 'bad') else SHOWN}") not in squeezed(seen.text)] == []


@pytest.mark.parametrize("text", ["1. one", "12) twelve", "- dash", "+ plus", "===", "---", "# head", "> said", "    code", "3.5 is a number", "...", "1.", "| a |"])
def test_a_line_of_markdown_begins_nothing(text):
    seen = rendered(typeset.markdown(Prose(()), (Words(text),)))
    assert seen.tags == ["p"] and seen.text.strip() == text.strip()


# ---- all of them


@pytest.mark.parametrize("export", [typst.export, page.export, latex.export, markdown.export], ids=lambda e: e.__module__.rpartition(".")[2])
def test_an_empty_paper_and_one_without_words_are_no_error(export):
    nothing = replace(paths(), parts=(Part(()),), program=(), notes=(), solution=())
    assert export([], "").files and export([nothing], "\x00").files
    assert not [n for n in export([nothing], "../../x").files if ".." in n or "/" in n]


def test_half_is_what_rounds_to_a_number():
    assert half("4.50") == Accepted(Decimal("4.495"), Decimal("4.505"), (True, False))


# ---- the quizzes that come with graphlang


@pytest.fixture(scope="module")
def real():
    """A variant of every quiz of programs/quizzes."""
    from graphlang.diagnostics import Source
    from graphlang.quiz.reading import quizzes
    from graphlang.quiz.sheets import sheet
    from graphlang.syntax.parser import parse

    files = sorted((Path(__file__).parent.parent / "programs" / "quizzes").glob("*.graph"))
    sources = [f.read_text(encoding="utf-8") for f in files]
    return [sheet(q, 3) for f, text in zip(files, sources) if "\ninclude" not in text for q in quizzes(parse(Source(str(f), text)))[0].values()]


@pytest.mark.nightly
@needs_node
def test_the_page_marks_every_quiz_as_the_marker_does(real):
    """The key, every diagnosed number, both ends of every interval, and a far number."""
    cases = []
    for b in (b for s in real for p in s.parts for b in p.blanks):
        ends = [x for a in (b.accepted, *(d.accepted for d in b.diagnoses)) for x in (a.low, a.high)]
        cases += [(b, format(x, "f")) for x in (b.key, *(d.key for d in b.diagnoses), *ends, b.key * 1000 + 12345)]
    found = by_node(JUDGE, [(page.marked(b), text) for b, text in cases])
    assert [(g["message"], Decimal(g["credit"])) for g in found] == [(typeset.plain((m := mark_blank(b, text)).message), m.credit) for b, text in cases]
    assert len(cases) > 500


@pytest.mark.nightly
@needs_typst
def test_every_quiz_comes_out_on_paper(real):
    made = typst.export(real, "All")
    told, key = everything(made.files["all.pdf"]) + made.files["all.typ"].decode(), squeezed(text_of(made.files["all-key.pdf"]))
    assert made.losses == ()
    for s in real:
        assert squeezed(s.title) in squeezed(told) and s.id in key
        for part in s.parts:
            assert {m for b in part.blanks for d in b.diagnoses if (m := typeset.plain(d.message)) in told} == set()
            assert {b.id for b in part.blanks if squeezed(f"accepted: {words.accepted(b.accepted)}") not in key} == set()
            assert {o.message for o in (part.choice.options if part.choice else ()) if o.message and o.message != "Right." and typeset.plain(o.message) in told} == set()


@pytest.mark.nightly
def test_every_quiz_comes_out_as_latex_and_markdown(real):
    (tex, _), (paper, _) = latex.export(real, "All").files.values(), markdown.export(real, "All").files.values()
    assert tex.count(b"\\begin{") == tex.count(b"\\end{") and tex.count(b"\\question") == len(real)
    assert rendered(paper.decode()).tags.count("h2") == len(real)
