"""Marking: the key always earns all marks, nothing earns more; errors are carried forward and nobody gains by it; hostile files."""

import csv
import io
import json
import math
import random
from decimal import Decimal as D
from pathlib import Path

import graphlang as gl
import pytest
from graphlang.cli.main import main
from graphlang.engines.reference import evaluate
from graphlang.engines.tape import FLOATS
from graphlang.graph.functions import FUNCTIONS
from graphlang.quiz.answer_files import NotAnswers, read_answers
from graphlang.quiz.bounds import ARITHMETIC, Between, lifted
from graphlang.quiz.class_marks import mark_class
from graphlang.quiz.diagnosing import decimal, rounded
from graphlang.quiz.histogram import bars, bins, mean, median
from graphlang.quiz.keys import plain
from graphlang.quiz.marker import right_answer
from graphlang.quiz.marking import CARRIED, EMPTY, RIGHT, UNREADABLE, WRONG, asked_in, mark_sheet, opened, shares, variant_of, version
from graphlang.quiz.marks_file import csv_text, safe
from graphlang.quiz.reading import quizzes
from hypothesis import given, settings, strategies as st

TEXT = """
quiz neuron "One neuron, backward" {
  vary x in {2, 3, 4}
  input w = -1.5, bias = 1
  data t = 1
  z = w*x + bias
  p = sigmoid(z)
  L = (p - t)^2
  fill backward { blank p, z, w, bias
    to 3 figures, 1 mark each
    carry 0.75 }
}
quiz steps "Step by step" {
  vary x in {0.5, 1, 1.5}
  u = x^2
  s = sin(u)
  y = exp(s) + u
  ask "What is `dy/dx`, and what `dy/du`?" {
    dy/dx to 3 decimals, 2 marks
    dy/du to 3 decimals, 1 mark
  }
}
quiz both "Forward and back" {
  input x = 2, w = 0.5
  a = w*x
  h = tanh(a)
  L = h^2 + a
  fill forward { blank a, h, L
    to 3 decimals, 1 mark each
    carry 0.5 }
  fill backward { blank h, a, w
    to 3 decimals, 1 mark each
    carry 0.5 }
}
quiz tables "A matrix" {
  input W[2, 2] = [[1, 2], [3, 4]], x[2] = [1, -1.5]
  h = W @ x
  q[i] = h[i]^2 for i in 1..2
  L = sum(q)
  fill backward { blank q[1], h[1], h[2], W[1, 2], x[1]
    to 2 decimals, 1 mark each
    carry 0.5 }
}
quiz pick "One choice" {
  input x = 2, z = 3
  y = exp(x*z) + x*z/log(x) + sin(log(x))/(x*z)
  ask "What are `dy/dx` and `dy/dz`?" {
    dy/dx to 0 decimals
    dy/dz to 0 decimals
    choices 5
  }
}
quiz exact "Exactly" {
  input x = 3
  u = x^2
  v = u + x
  L = v*u
  fill forward { blank u, v, L
    exactly, 1 mark each
    carry 1 }
}
quiz coarse "Printed with two decimals" {
  input x = 0.777, w = 3.333
  a = x*w
  h = a^2 + x
  L = h*a
  fill backward { blank h, a, x
    to 3 figures, 1 mark each
    carry 0.5 }
  working 2 decimals
}
exam "An exam" {
  use neuron, 3 marks
  use steps, variants 2
  minutes 20
  versions 3
  seed 2026
}
"""


@pytest.fixture(scope="module")
def all_quizzes():
    return quizzes(gl.loads(TEXT))


def open_sheet(all_quizzes, name, variant=1, seed=0):
    return opened(all_quizzes[0][name], variant, seed)


def marks(all_quizzes, name, answers, variant=1):
    sheet, carrying = open_sheet(all_quizzes, name, variant)
    return {m.id: m for m in mark_sheet(sheet, answers, carrying)}


def keys(sheet):
    return {a.id: right_answer(a) for a in asked_in(sheet)}


NAMES = ("neuron", "steps", "both", "tables", "pick", "exact", "coarse")


# ---- the key


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("variant", [1, 2, 3])
def test_the_key_always_earns_all_marks(all_quizzes, name, variant):
    sheet, carrying = open_sheet(all_quizzes, name, variant)
    made = mark_sheet(sheet, keys(sheet), carrying)
    assert {m.result for m in made} == {RIGHT} and sum(m.marks for m in made) == sheet.marks


@pytest.mark.parametrize("name", NAMES)
def test_the_key_earns_its_marks_whatever_stands_before_it(all_quizzes, name):
    sheet, carrying = open_sheet(all_quizzes, name)
    right = keys(sheet)
    for id in right:
        for other in ("0", "1", "-7.31", "", "nonsense", "1e300"):
            made = {m.id: m for m in mark_sheet(sheet, {**dict.fromkeys(right, other), id: right[id]}, carrying)}
            assert made[id].result == RIGHT and made[id].marks == made[id].of


@pytest.mark.parametrize("name", NAMES)
def test_nothing_earns_nothing(all_quizzes, name):
    assert {(m.result, m.marks) for m in marks(all_quizzes, name, {}).values()} == {(EMPTY, 0)}


# ---- errors carried forward, by hand


P = 1 / (1 + math.exp(-(-1.5 * 4 + 1)))  # of variant 1, where x is 4


def figures(x, n=3):
    return f"{D(repr(x)):.{n}g}" if x else "0"


def test_the_right_rule_on_an_own_earlier_value_is_carried(all_quizzes):
    z = figures(-1.0 * P * (1 - P))
    made = marks(all_quizzes, "neuron", {"dL_dp": "-1", "dL_dz": z, "dL_dbias": z, "dL_dw": figures(float(z) * 4)})
    assert [made[k].result for k in ("dL_dp", "dL_dz", "dL_dbias", "dL_dw")] == [WRONG, CARRIED, CARRIED, CARRIED]
    assert made["dL_dz"].marks == D("0.75") and made["dL_dz"].carried == ("dL_dp",) and made["dL_dw"].carried == ("dL_dz",)
    assert "right rule on your earlier value" in made["dL_dz"].message


def test_an_empty_or_unreadable_blank_uses_the_key(all_quizzes):
    for nothing in ("", "n/a"):
        made = marks(all_quizzes, "neuron", {"dL_dp": nothing, "dL_dz": "-0.0264", "dL_dw": "-0.1056"})
        assert made["dL_dz"].result == WRONG and made["dL_dw"].result == CARRIED and made["dL_dw"].carried == ("dL_dz",)


def test_a_mistake_on_the_own_earlier_value_is_named_and_earns_nothing(all_quizzes):
    made = marks(all_quizzes, "neuron", {"dL_dp": "-1", "dL_dz": "-0.00665", "dL_dw": "0.00998"})
    assert made["dL_dw"].result == WRONG and made["dL_dw"].mistakes == ("prod_same",) and made["dL_dw"].marks == 0
    assert made["dL_dw"].message.startswith("On your earlier value: ")


def test_values_carry_forward_and_on_into_the_derivatives(all_quizzes):
    a, h = 2.0, math.tanh(2.0)
    made = marks(all_quizzes, "both", {"a": "2", "h": f"{h:.3f}", "L": f"{h * h + a:.3f}", "dL_dh": f"{2 * h:.3f}"})
    assert [made[k].result for k in ("a", "h", "L", "dL_dh")] == [WRONG, CARRIED, CARRIED, CARRIED]
    assert made["L"].carried == ("a", "h") and made["dL_dh"].carried == ("h",)


def test_a_later_table_may_be_filled_from_its_printed_values_too(all_quizzes):
    h = math.tanh(1.0)
    made = marks(all_quizzes, "both", {"h": "0.5", "dL_dh": "1.3", "dL_da": f"{1 + 1.3 * (1 - h * h):.3f}"})
    assert made["dL_da"].result == CARRIED and made["dL_da"].carried == ("dL_dh",)


def test_elements_of_tables_carry_to_elements(all_quizzes):
    made = marks(all_quizzes, "tables", {"dL_dh_1": "3", "dL_dW_1_2": "-4.5"})
    assert made["dL_dW_1_2"].result == CARRIED and made["dL_dW_1_2"].carried == ("dL_dh_1",)


def test_a_question_is_carried_along_the_graph_whatever_its_order(all_quizzes):
    made = marks(all_quizzes, "steps", {"dy_du": "1.5", "dy_dx": f"{1.5 * 2 * 1.5:.3f}"})  # x is 1.5
    assert made["dy_dx"].result == CARRIED and made["dy_dx"].marks == 0, "a question says no `carry`: it is told and earns nothing"


# ---- guards, each alone


@pytest.mark.parametrize("first, then, why", [
    ("0", "0", "an own value 0 makes everything 0"),
    ("", "-0.00665", "an empty cell carries nothing"),
    ("inf", "-0.00665", "one that is not finite carries nothing"),
    ("1e999", "-0.00665", "nor one that is too large to be read"),
    ("-1", "0", "a target 0 is not carried"),
    ("-1", "1", "any number is not"),
], ids=lambda x: x or "empty")
def test_guards_of_the_value_that_is_carried(all_quizzes, first, then, why):
    made = marks(all_quizzes, "neuron", {"dL_dp": first, "dL_dz": then})
    assert made["dL_dz"].result in (WRONG, UNREADABLE) and made["dL_dz"].marks == 0, why


def test_what_does_not_depend_on_the_wrong_cell_is_not_carried(all_quizzes):
    made = marks(all_quizzes, "tables", {"dL_dq_1": "7", "dL_dh_2": "21.00"})
    assert made["dL_dh_2"].result == WRONG and made["dL_dh_2"].marks == 0


def test_a_number_that_is_printed_in_the_table_is_not_carried(all_quizzes):
    first = {"dL_dh_1": "-2"}  # dL/dW[1,2] = -2 * -1.5 = 3, which is W[2,1]
    made = marks(all_quizzes, "tables", {**first, "dL_dW_1_2": "3"})
    assert made["dL_dW_1_2"].result == WRONG and made["dL_dW_1_2"].marks == 0
    assert "printed in the table" in made["dL_dW_1_2"].message or made["dL_dW_1_2"].mistakes


def test_carried_marks_stay_below_all_marks_less_one_blank(all_quizzes):
    sheet, carrying = open_sheet(all_quizzes, "exact")
    answers = {"u": "5", "v": "8", "L": "40"}  # carry 1
    made = mark_sheet(sheet, answers, carrying)
    assert [m.result for m in made] == [WRONG, CARRIED, CARRIED]
    assert sum(m.marks for m in made) == 2 == sheet.marks - 1


# ---- how far a typed number reaches


def test_the_tolerance_is_that_of_the_digits_typed(all_quizzes):
    """0.0132 may have been 0.01324…: times 4 that is 0.05298; with more digits typed it is not."""
    assert marks(all_quizzes, "neuron", {"dL_dz": "-0.0264", "dL_dw": "-0.106"})["dL_dw"].result == CARRIED    # 0.1056
    assert marks(all_quizzes, "neuron", {"dL_dz": "-0.02640", "dL_dw": "-0.1058"})["dL_dw"].result == CARRIED  # 0.02645 * 4
    assert marks(all_quizzes, "neuron", {"dL_dz": "-0.0264000", "dL_dw": "-0.1058"})["dL_dw"].result == CARRIED  # it rounds to 0.106
    assert marks(all_quizzes, "neuron", {"dL_dz": "-0.0264", "dL_dw": "-0.107"})["dL_dw"].result == WRONG
    assert marks(all_quizzes, "neuron", {"dL_dz": "-0.0266", "dL_dw": "-0.107"})["dL_dw"].result == CARRIED    # 0.02665 * 4 = 0.1066
    assert marks(all_quizzes, "neuron", {"dL_dz": "-0.026600", "dL_dw": "-0.107"})["dL_dw"].result == WRONG    # 0.1064


def test_nobody_gains_by_typing_fewer_digits(all_quizzes):
    """-3 stands for -3.00 where three figures are asked for, not for all from -3.5 to -2.5."""
    z = -3 * P * (1 - P)
    assert marks(all_quizzes, "neuron", {"dL_dp": "-3", "dL_dz": figures(z)})["dL_dz"].result == CARRIED
    assert marks(all_quizzes, "neuron", {"dL_dp": "-3", "dL_dz": figures(1.05 * z)})["dL_dz"].result == WRONG


def test_a_printed_number_may_be_taken_as_it_is_printed(all_quizzes):
    """dL/da is h + dL/dh*2a: with a = 2.59 and h = 7.48 as they are printed, or with their digits."""
    a = 0.777 * 3.333
    h = a * a + 0.777
    for own in (2.5, 5.0, 8.25):
        for x in (7.48 + own * 2 * 2.59, h + own * 2 * a):
            assert marks(all_quizzes, "coarse", {"dL_dh": str(own), "dL_da": figures(x, 3)})["dL_da"].result == CARRIED


def test_an_exact_answer_reaches_no_further_than_itself(all_quizzes):
    assert marks(all_quizzes, "exact", {"u": "5", "v": "8"})["v"].result == CARRIED
    assert marks(all_quizzes, "exact", {"u": "5", "v": "8.1"})["v"].result == WRONG


def test_working_with_an_own_rounded_value_is_told_as_that(all_quizzes):
    made = marks(all_quizzes, "neuron", {"dL_dz": "-0.01315", "dL_dw": "-0.0526"})  # dL/dz is right; 4 times it is 0.0526 and not 0.0528
    assert made["dL_dz"].result == RIGHT and made["dL_dw"].result == CARRIED and "rounded" in made["dL_dw"].message


# ---- properties


LIKELY = st.one_of(st.decimals(-100, 100, places=3).map(str), st.sampled_from(["", "0", "-0", "1", "-1", "nan", "inf", "1e5", "x", "1/3", "A", "b", "½", "1,5", "1,234"]), st.text(max_size=8))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_marks_are_never_below_0_nor_above_all(all_quizzes, name, data):
    sheet, carrying = open_sheet(all_quizzes, name, data.draw(st.integers(1, 3)))
    right = keys(sheet)
    answers = {id: data.draw(st.one_of(LIKELY, st.just(right[id]))) for id in right}
    made = mark_sheet(sheet, answers, carrying)
    assert all(0 <= m.marks <= m.of and 0 <= m.credit <= 1 for m in made)
    assert all(m.marks == m.of for m in made if answers[m.id] == right[m.id])
    blanks = [b.marks for p in sheet.parts for b in p.blanks]
    carried = sum((m.marks for m in made if m.result == CARRIED), D(0))
    assert carried <= sum(blanks, D(0)) - min(blanks, default=D(0))
    assert all(m.marks < m.of or p.carry == 1 for m in made if m.result == CARRIED for p in sheet.parts if m.id in p.order)


@settings(max_examples=60, deadline=None)
@given(factor=st.floats(0.3, 3).filter(lambda f: abs(f - 1) > 0.05))
def test_whoever_goes_on_by_the_right_rules_is_carried_all_the_way(all_quizzes, factor):
    """An oracle of its own: the lecture's formulas in plain Python."""
    dp = float(figures(2 * (P - 1) * factor))
    dz = float(figures(dp * P * (1 - P)))
    made = marks(all_quizzes, "neuron", {"dL_dp": repr(dp), "dL_dz": f"{dz:.10f}", "dL_dbias": f"{dz:.10f}", "dL_dw": figures(dz * 4)})
    assert all(made[k].result == CARRIED or "printed" in made[k].message for k in ("dL_dz", "dL_dw", "dL_dbias"))


def test_numbers_at_random_are_hardly_ever_carried(all_quizzes):
    rng, carried = random.Random(1), 0
    sheet, carrying = open_sheet(all_quizzes, "neuron")
    for _ in range(500):
        answers = {b.id: figures(float(b.key) * rng.uniform(0.5, 1.5)) for b in asked_in(sheet)}
        carried += sum(m.result == CARRIED for m in mark_sheet(sheet, answers, carrying))
    assert carried < 30


# ---- intervals


UNARY = [n for n, f in FUNCTIONS.items() if f.arity == (1, 1)]


@pytest.mark.parametrize("name", UNARY)
def test_an_interval_holds_every_value_of_a_function_on_it(name):
    rng, f, known = random.Random(name), FLOATS.functions[name], 0
    for _ in range(200):
        low = rng.uniform(-4, 6)
        box = Between(low, low + rng.choice((1e-3, 0.1, 1, 5)))
        found = ARITHMETIC.functions[name](box)
        known += found.known
        for _ in range(20):
            y = f(rng.uniform(*box))
            assert not math.isfinite(y) or found.low - 1e-12 * abs(y) <= y <= found.high + 1e-12 * abs(y) + 1e-15
    assert known > 10


@pytest.mark.parametrize("name", [n for n, f in FUNCTIONS.items() if f.arity == (2, 2) and not n.startswith("_")])
def test_an_interval_holds_every_value_of_a_function_of_two(name):
    rng, f, known = random.Random(name), FLOATS.functions[name], 0
    for _ in range(300):
        a, b = (Between(x, x + rng.choice((0.0, 1e-3, 0.1, 1))) for x in (rng.uniform(-3, 3) if rng.random() < 0.8 else float(rng.randint(-3, 3)) for _ in "ab"))
        found = lifted(ARITHMETIC.functions[name](a, b))
        known += found.known
        for _ in range(20):
            y = f(rng.uniform(*a), rng.uniform(*b))
            assert not math.isfinite(y) or found.low - 1e-12 <= y <= found.high + 1e-12
    assert known > 10


def test_a_rule_that_asks_whether_a_number_is_nan_is_known_to_hold():
    a = Between(0.9, 1.1)
    assert ARITHMETIC.functions["where"](ARITHMETIC.functions["!="](a, a), a, 5.0) == Between(5.0, 5.0)


# ---- files


GOOD = "student,quiz,variant,blank,value\nann,neuron,1,dL_dp,-1.99\n"


def run_mark(tmp_path, capsys, answers, *options, program=TEXT):
    (tmp_path / "q.graph").write_text(program)
    path = tmp_path / "answers.csv"
    path.write_bytes(answers if type(answers) is bytes else answers.encode())
    status = main(["quiz", "mark", str(tmp_path / "q.graph"), str(path), *options])
    out, err = capsys.readouterr()
    return status, out, err


@pytest.mark.parametrize("raw", [
    GOOD, GOOD.encode("utf-8-sig"), GOOD.encode("utf-16"), GOOD.replace("\n", "\r\n"), GOOD.replace("\n", "\r"), GOOD.replace(",", ";"), GOOD.replace(",", "\t"),
    "\n\n" + GOOD + "\n,,,,\n", 'STUDENT , Quiz,"variant",blank, Value\n"ann",neuron,1,"dL_dp","-1,99"\n', "more,value,blank,variant,quiz,student\n=1,-1.99,dL/dp,1,neuron,ann\n",
    "student,quiz,variant,blank,value\nann,neuron,neuron-001,dL / dp,\u22121.99\n",
], ids=["plain", "bom", "utf16", "crlf", "cr", "semicolon", "tab", "blank lines", "quotes", "other order", "as printed"])
def test_a_file_is_read_however_it_was_saved(all_quizzes, raw):
    answers, troubles = read_answers(raw if type(raw) is bytes else raw.encode())
    made = mark_class(all_quizzes[0], None, answers, troubles=troubles)
    assert not made.troubles and made.total("ann") == (1, 4)


@pytest.mark.parametrize("raw, told", [
    ("", "it is empty"),
    ("student,quiz,variant,answer\n", "there is no column `blank`, `value`"),
    ("student,quiz,variant,blank,valeu\n", "did you mean `valeu`"),
    ("student,student,quiz,variant,blank,value\n", "two columns `student`"),
    (b"\xff\xfe\x00", "not UTF-16"),
    (b"caf\xe9,\xff\n", "not UTF-8"),
    ("x" * 10_000_000, "there is no column"),
])
def test_a_file_that_is_no_table_of_answers_is_told(raw, told):
    with pytest.raises(NotAnswers, match=told) as e:
        read_answers(raw if type(raw) is bytes else raw.encode())
    assert len(str(e.value)) < 1000


@pytest.mark.parametrize("row, told", [
    ("ann,neuron,1,dL_dzz,1", "column `blank`: there is no blank `dL_dzz`; did you mean `dL_dz`?"),
    ("ann,neurn,1,dL_dz,1", "column `quiz`: there is no quiz `neurn`; did you mean `neuron`?"),
    ("ann,neuron,x,dL_dz,1", "column `variant`: `x` is no number of a variant"),
    ("ann,neuron,-1,dL_dz,1", "column `variant`: `-1` is no number of a variant"),
    ("ann,neuron,,dL_dz,1", "column `variant`: it is empty"),
    (",neuron,1,dL_dz,1", "column `student`: it is empty"),
    ("ann,neuron", "column `blank`: there is no such cell: the row has 2 of 5"),
    ("ann,neuron,1,dL_dz,abc", "column `value`: `abc`: `abc` is not a number; it has 0 marks"),
    ("ann,neuron,1,dL_dp,1", "`dL_dp` has an answer on line 2 already; the later one counts"),
    ("ann,neuron,1,,1", "column `blank`: it is empty"),
    ('ann,neuron,1,dL_dz,"1\nann,neuron,1,dL_dw,2\n', "column `value`: there are 1 line breaks inside of one cell"),
])
def test_what_is_wrong_with_a_row_is_told_and_the_others_are_marked(tmp_path, capsys, row, told):
    status, out, err = run_mark(tmp_path, capsys, GOOD + row + "\n")
    assert status == 1 and "answers.csv:3: " in err and told in err, err
    assert "1 student" in out and "Traceback" not in err


def test_a_cell_of_ten_million_characters_is_told_in_short(tmp_path, capsys):
    status, out, err = run_mark(tmp_path, capsys, GOOD + f"bob,neuron,1,dL_dz,{'9' * 10_000_000}\nbob,neuron,1,dL_dp,-1.99\n", "--out", str(tmp_path / "m.csv"))
    assert status == 1 and "10,000,000 characters" in err and len(err) < 1000
    assert (tmp_path / "m.csv").stat().st_size < 10_000 and "2 students" in out


HOSTILE = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", '=HYPERLINK("http://e.example","x")', "＝1+1", "[bold]x[/bold]", "\x1b[31mred", "\u202eevil", 'a"b', "a,b"]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_cell_is_a_formula_and_nothing_reaches_the_terminal(tmp_path, capsys, text):
    out = io.StringIO()
    csv.writer(out).writerows([("student", "quiz", "variant", "blank", "value"), (text, "neuron", "1", "dL_dp", text), (text, text, "1", text, "1")])
    status, shown, err = run_mark(tmp_path, capsys, out.getvalue(), "--out", str(tmp_path / "m.csv"))
    for row in csv.reader(io.StringIO((tmp_path / "m.csv").read_bytes().decode(), newline="")):
        for cell in row:
            assert cell.strip()[:1] not in tuple("=+@-＝") or cell.replace(".", "").replace("-", "").isdigit(), cell
            assert "\x1b" not in cell
    assert "\x1b" not in shown + err and "\u202e" not in shown + err
    if text.startswith("[bold]"):
        assert "[bold]x[/bold]" in shown


@pytest.mark.parametrize("number", ["-1.99", "+3", "1e-5", "-.5", "12", "0", "-0,123"])
def test_numbers_stay_as_they_are(number):
    assert safe(number) == number


def test_the_marks_are_written_whole_and_read_back(tmp_path, capsys):
    rows = GOOD + "ann,neuron,1,dL_dz,-0.0264\nann,neuron,1,dL_dw,-0.1056\nbob,pick,1,choice_1,A\n"
    status, _, err = run_mark(tmp_path, capsys, rows, "--out", str(tmp_path / "m.csv"))
    assert (status, err) == (0, "")
    made = list(csv.DictReader(io.StringIO((tmp_path / "m.csv").read_text(encoding="utf-8"), newline="")))
    assert [(r["student"], r["blank"], r["result"], r["marks"], r["of"]) for r in made] == [
        ("ann", "dL_dp", "right", "1", "1"), ("ann", "dL_dz", "wrong", "0", "1"), ("ann", "dL_dw", "carried", "0.75", "1"), ("ann", "dL_dbias", "empty", "0", "1"),
        ("bob", "choice_1", made[4]["result"], made[4]["marks"], "2")]
    assert {r["student_marks"] for r in made if r["student"] == "ann"} == {"1.75"}


def test_marks_that_cannot_be_written_are_told(tmp_path, capsys):
    status, _, err = run_mark(tmp_path, capsys, GOOD, "--out", str(tmp_path / "no" / "m.csv"))
    assert status == 2 and "cannot be written" in err


def test_json_is_one_document_with_all_that_is_known(tmp_path, capsys):
    status, out, _ = run_mark(tmp_path, capsys, GOOD + "ann,neuron,1,dL_dz,9\nann,nix,1,a,1\n", "--json")
    made = json.loads(out)
    assert status == 1 and made["students"][0]["marks"] == 1.0 and made["students"][0]["quizzes"][0]["blanks"][0]["result"] == "right"
    assert made["problems"] == [{"line": 4, "column": "quiz", "message": made["problems"][0]["message"], "effect": "the row is left out"}]
    assert sum(b["count"] for b in made["histogram"]) == 1 and made["mean"] == 25.0


def test_transcribed_digits_are_a_mistake_of_marking_only(all_quizzes):
    sheet, _ = open_sheet(all_quizzes, "neuron")
    assert not any("transcribe" in d.mistakes for b in asked_in(sheet) for d in b.diagnoses)
    made = marks(all_quizzes, "neuron", {"dL_dw": "-0.0582"})  # 0.0528
    assert made["dL_dw"].mistakes == ("transcribe",) and made["dL_dw"].marks == 0


def test_missing_files_are_a_wrong_command_line(tmp_path, capsys):
    (tmp_path / "q.graph").write_text(TEXT)
    assert main(["quiz", "mark", str(tmp_path / "q.graph"), str(tmp_path / "none.csv")]) == 2
    assert main(["quiz", "mark", str(tmp_path / "none.graph"), str(tmp_path / "q.graph")]) == 2
    assert main(["quiz", "mark", "-", "-"]) == 2
    assert "Traceback" not in capsys.readouterr().err


# ---- versions of an exam


def test_a_version_says_variant_seed_and_marks(tmp_path, capsys, all_quizzes):
    exam = all_quizzes[1][0]
    sheet, _ = open_sheet(all_quizzes, "neuron", 2, 2026)
    rows = "student,quiz,version,blank,value\n" + "".join(f"ann,neuron,b,{id},{key}\n" for id, key in keys(sheet).items())
    answers, troubles = read_answers(rows.encode())
    made = mark_class(all_quizzes[0], exam, answers, troubles=troubles)
    assert not made.troubles and made.total("ann") == (3, 6), "the other quiz of the exam counts too"
    assert {m.result for r in made.students["ann"] if r.place.quiz == "steps" for m in r.marked} == {EMPTY}


@pytest.mark.parametrize("row, told", [("ann,neuron,D,dL_dp,1", "there is no version `D`; they are A to C"), ("ann,both,A,a,1", "there is no quiz `both` in the exam")])
def test_what_is_not_in_the_exam_is_told(tmp_path, capsys, row, told):
    status, _, err = run_mark(tmp_path, capsys, f"student,quiz,version,blank,value\n{row}\n")
    assert status == 1 and told in err


def test_a_student_with_two_versions_is_told(all_quizzes):
    rows = "student,quiz,version,blank,value\nann,neuron,B,dL_dp,1\nbob,neuron,A,dL_dp,1\nann,neuron,A,dL_dp,1\nann,neuron,B,dL_dz,1\n"
    answers, troubles = read_answers(rows.encode())
    made = mark_class(all_quizzes[0], all_quizzes[1][0], answers, troubles=troubles)
    assert [(t.line, t.column, t.message) for t in made.troubles] == [(4, "version", "it is A, and line 2 has version B for the same student")]


def test_versions_are_letters_and_take_one_variant_each(all_quizzes):
    exam = all_quizzes[1][0]
    assert [version(exam, x) for x in ("A", "c", "D", "", "AB", "1")] == [1, 3, None, None, None, None]
    assert [variant_of(exam.uses[1], k) for k in (1, 2, 3)] == [1, 2, 1] and [variant_of(exam.uses[0], k) for k in (1, 2, 3)] == [1, 2, 3]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.decimals(D("0.25"), 9, places=2), min_size=1, max_size=9), st.decimals(D("0.5"), 99, places=1))
def test_marks_of_an_exam_add_up_exactly(own, marks):
    out = shares(own, marks)
    assert sum(out) == marks and all(x >= 0 for x in out)


# ---- the class


def test_bars_count_every_student_once():
    totals = [(D(k), D(10)) for k in range(11)]
    found = bins(totals)
    assert [b.count for b in found] == [1] * 9 + [2] and (mean(totals), median(totals)) == (50, 50)
    assert len(list(bars(found))) == 10 and list(bars(found, sign="#"))[-1] == " 90 to 100 %  2  ##"
    wide = list(bars(bins([(D(1), D(10))] * 1000 + [(D(9), D(10))]), sign="#"))
    assert wide[1].count("#") == 40 and wide[9].count("#") == 1


def test_each_blank_says_how_many_were_right_and_the_most_frequent_mistakes(all_quizzes):
    rows = "".join(f"s{k},neuron,1,dL_dw,{x}\n" for k, x in enumerate(["-0.0528", "0.0198", "0.0198", "-0.0582", "9"]))
    answers, troubles = read_answers(("student,quiz,variant,blank,value\n" + rows).encode())
    asked = {a.blank: a for a in mark_class(all_quizzes[0], None, answers, troubles=troubles).blanks}
    assert (asked["dL_dw"].count, asked["dL_dw"].right) == (5, 1) and asked["dL_dp"].empty == 5
    assert asked["dL_dw"].mistakes[0] == ("prod_same", 2) and ("transcribe", 1) in asked["dL_dw"].mistakes


def test_the_same_answers_have_the_same_marks_in_any_order_of_rows(all_quizzes):
    rows = [f"s{k},neuron,{k % 3 + 1},{b},{x}" for k in range(6) for b, x in (("dL_dp", "-1"), ("dL_dz", "-0.00665"), ("dL_dw", "-0.0266"))]
    texts = set()
    for k in range(3):
        random.Random(k).shuffle(rows)
        answers, troubles = read_answers(("student,quiz,variant,blank,value\n" + "\n".join(rows)).encode())
        made = mark_class(all_quizzes[0], None, answers, troubles=troubles)
        texts.add(tuple(sorted(csv_text(made).splitlines())))
    assert len(texts) == 1


# ---- the quizzes that come with graphlang


QUICK = ("nn1_squared", "simple")
PROGRAMS = [p if p.stem in QUICK else pytest.param(p, marks=pytest.mark.nightly) for p in sorted((Path(__file__).parent.parent / "programs" / "quizzes").glob("*.graph"))]


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_of_the_quizzes_that_come_with_it_the_key_earns_all_marks(path):
    for quiz in quizzes(gl.load(path))[0].values():
        sheet, carrying = opened(quiz, 1, 0)
        made = mark_sheet(sheet, keys(sheet), carrying)
        assert {m.result for m in made} == {RIGHT} and sum(m.marks for m in made) == sheet.marks


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_of_their_tables_whoever_goes_on_from_one_wrong_cell_is_carried_where_it_matters(path):
    """From one own value, 1.7 times the key, the cells of the table are computed again by the run itself, with that value put in."""
    for quiz in quizzes(gl.load(path))[0].values():
        sheet, carrying = opened(quiz, 1, 0)
        for part in sheet.parts:
            if not part.rows or not part.carry:
                continue
            for first in part.order[:-1]:
                own = {b.id: b for b in part.blanks}
                wrong = {first: rounded(own[first].exact * D("1.7"), own[first].precision)}
                cells = carrying.cells.of
                for id in part.order[part.order.index(first) + 1 :]:
                    found = float(wrong_value(carrying, cells[id], {cells[k]: float(x) for k, x in wrong.items()}))
                    wrong[id] = rounded(decimal(found), own[id].precision)
                made = {m.id: m for m in mark_sheet(sheet, {k: plain(x) for k, x in wrong.items()}, carrying)}
                for id, x in wrong.items():
                    if id != first:
                        assert made[id].result in (RIGHT, CARRIED) or "rule, but" in made[id].message or made[id].mistakes, (quiz.name, first, id, made[id])


def wrong_value(carrying, cell, own):
    """One cell from the student's others and else the key."""
    e = carrying.cells.equations[cell]
    values = {**{n: x for n, x in carrying.key.items()}, **{n: [x] for n, x in own.items()}}
    return evaluate(e.value, (), values, {n: () for n in values})[0]


@pytest.mark.nightly
def test_five_hundred_students_with_twenty_blanks_are_marked(all_quizzes):
    sheets = [opened(quiz, 1, 0)[0] for quiz in all_quizzes[0].values()]
    blanks = [(s.quiz, b.id, b.key) for s in sheets for p in s.parts for b in p.blanks][:20]
    rng = random.Random(3)
    rows = [f"s{k},{quiz},1,{id},{plain(key) if rng.random() < 0.6 else figures(float(key) * rng.uniform(0.5, 1.5))}" for k in range(500) for quiz, id, key in blanks]
    answers, troubles = read_answers(("student,quiz,variant,blank,value\n" + "\n".join(rows)).encode())
    made = mark_class(all_quizzes[0], None, answers, troubles=troubles)
    assert len(made.students) == 500 and len(blanks) == 20 and not troubles


@pytest.mark.parametrize("seed", [1, 3, 5])
def test_versions_of_an_exam_have_other_numbers_as_long_as_there_are_enough(seed):
    from graphlang.quiz.variants import variants

    made, exams = gl.loads('quiz few "Few" {\n  vary x in {1, 2, 3, 4, 5, 6}\n  y = x^3\n  ask "`dy/dx`?" { dy/dx to 1 decimal }\n}\nexam "E" {\n  use few\n  versions 6\n}\n').quizzes
    use, quiz = exams[0].uses[0], made["few"]
    assert len({variants(quiz).variant(seed, variant_of(use, k, quiz, seed)).drawn for k in range(1, 7)}) == 6
