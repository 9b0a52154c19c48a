"""`quiz check` and `quiz show`: what is found, what is proposed, what is printed, and with which status."""

import json
import random

import pytest
from quiz_texts import CHAIN, CLASSIC, EVERY, NEURON, PATHS, SHAPE, one, small

from graphlang.cli.main import main
from graphlang.quiz.check import check, places
from graphlang.quiz.findings import NOTE, UNFIT, WARNING


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "q.graph").write_text(EVERY + 'exam "All" { use paths, variants 20\n use neuron\n seed 2026 }\n', encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def classic():
    return check(one(CLASSIC))


def said(report, level=None, check=None):
    return [f for f in report.findings if level in (None, f.level) and check in (None, f.check)]


def run(capsys, *argv):
    status = main(["quiz", *argv])
    got = capsys.readouterr()
    return status, got.out, got.err


# ---- the lecture's quiz


def test_of_the_lecture_s_quiz_the_mistakes_that_round_to_the_key_are_told_with_a_remedy(classic):
    report = classic
    (seen,) = report.detection
    assert 0 < seen.worst < seen.mistakes / 3 and seen.decimals == 2
    (found,) = said(report, WARNING, "detection")
    assert f"{seen.worst} of {seen.mistakes} mistakes round to the key" in found.message and "quot_sign at `sin(log(x))/(x*z)`" in found.message
    assert found.change.startswith("to 2 decimals none does; at x = ")
    assert report.fit and [(str(m.low), m.different) for m in report.keys] == [("1208", 1), ("810", 1)]


def test_at_two_decimals_every_mistake_shows():
    report = check(one(CLASSIC.replace("0 decimals", "2 decimals").replace("choices 8", "")))
    assert report.detection[0].worst == 0 and not said(report, WARNING, "detection")


def test_the_inputs_that_are_proposed_show_more(classic):
    (seen,) = classic.detection
    values = seen.inputs.removeprefix("at ").split(" only ")[0].split(" none ")[0]
    other = check(one(CLASSIC.replace("x = 2, z = 3", values).replace("choices 8", "")))
    assert other.detection[0].worst < seen.worst


# ---- draws


def test_variants_that_exist_are_counted_against_those_asked_for():
    report = check(one(PATHS), 20)
    assert (report.count, report.fitting, report.asked) == (36, 27, 20) and report.fit
    (passed,) = said(report, NOTE, "variants")
    assert passed.message == "9 of 36 draws are passed over: `abs(dy/dx) < 2000` does not hold, as at x = 2.5, z = 3"
    more = check(one(PATHS), 28)
    assert not more.fit and said(more, UNFIT, "variants")[0].message == "28 variants are asked for, and there are 27"


def test_where_nothing_fits_every_reason_has_its_remedy():
    report = check(small('vary x in {0, 30}\ny = exp(x) + log(x)\nask "?" { y to 1 decimal }'))
    assert not report.fit and {f.change for f in said(report, UNFIT)} == {"choose inputs at which everything is defined", "choose smaller inputs, or `require abs(…) < 1000`"}


def test_draws_at_kinks_are_passed_over_and_told():
    report = check(small('vary a in {-1, 0, 1, 2}\ny = relu(a) + a^2\nask "?" { dy/da exactly }'))
    assert report.fitting == 3 and report.refused == {"kink": 1} and "relu has no derivative at 0" in said(report, NOTE, "variants")[0].message


def test_progress_is_told_draw_by_draw():
    ticks = []
    check(one(PATHS), tick=lambda done, of: ticks.append((done, of)))
    assert ticks == [(k, 36) for k in range(36)]


# ---- keys


@pytest.mark.parametrize("body, why", [
    ('input x = 0.5\ny = 2*x\nask "?" { y exactly }', "1"), ('input x = 3\ny = x - 3\nask "?" { y exactly }', "0"),
    ('input x = 3, z = 2\ny = x*z\nask "?" { dy/dx exactly }', "the input `z`"), ('input x = 3\na = exp(x)\ny = a + 1\nask "?" { dy/dx to 2 decimals }', "the value of `a`"),
])  # fmt: skip
def test_keys_that_can_be_guessed_are_told(body, why):
    assert said(check(small(body)), WARNING, "trivial")[0].message == f"the key is {why}"


def test_few_different_keys_are_told():
    report = check(small('vary x in 1..10, z in {1, 2}\ny = z^2*3.5 + 0*x\nask "?" { y to 1 decimal }'))
    assert "20 draws have only 2 different keys" in said(report, WARNING, "spread")[0].message


def test_working_that_is_too_coarse_is_unfit_and_the_digits_that_do_are_named():
    coarse = check(one(PATHS.replace("working 4", "working 2")))
    (found,) = said(coarse, UNFIT, "working")
    assert "carrying 2 decimals misses a key: by " in found.message and found.change == "`working 6 decimals` reaches every key"
    assert said(check(one(PATHS.replace("working 4", "working 6"))), check="working") == []
    assert said(check(one(PATHS)), WARNING, "working")[0].message.endswith("what it reaches is accepted too")


def test_edges_that_no_question_needs_are_named():
    report = check(one(NEURON))
    assert [f.message for f in said(report, NOTE, "edges")] == ["no question needs the edge from `x` to `z`"]
    assert said(check(one(PATHS)), check="edges") == []
    part = small('input x = 2, z = 3\na = x*z\nb = x + 1\ny = a*b\nask "?" { dy/dz exactly }')
    assert {f.message for f in said(check(part), check="edges")} >= {"no question needs the edge from `x` to `a`", "no question needs the edge from `x` to `b`",
                                                                  "no question needs the edge from `b` to `y`"}


# ---- options


def test_too_few_different_options_are_unfit():
    report = check(small('input x = 2, z = 3\ny = x + z\nask "?" { dy/dx exactly\n choices 9 }'))
    assert any(f.check == "options" and f.message.startswith("9 options are asked for, and there are ") for f in said(report, UNFIT))


def test_options_that_are_not_what_they_are_said_to_be_are_unfit():
    report = check(small('input W[3, 2], x[2]\nh = W @ x\nL = sum(h*h)\nchoose "What is `dL/dW`?" { answer 2*x @ h.T\n wrong 2*h @ x.T\n wrong h @ x.T\n wrong h@x.T }'))
    assert [(f.message, f.change) for f in said(report, UNFIT, "options")] == [
        ("`2*x @ h.T`: it is given as the answer, and it is wrong", "say `wrong` of it, or correct it"),
        ("`2*h @ x.T`: it is given as wrong, and it is right", "say `answer` of it"), ("`h @ x.T`: it stands among the options twice", "leave one of them out")]


def test_the_key_s_rank_and_position_are_measured(classic):
    (ranks,) = classic.ranks
    assert ranks.options == 8 and sum(ranks.positions) == sum(ranks.ranks) == 160 and min(ranks.positions) > 3
    assert check(one(CHAIN)).ranks[0].positions == (0, 0, 0, 0, 0, 160)
    assert check(one(SHAPE)).fit


def test_a_key_that_is_by_far_the_longest_option_is_told():
    report = check(small('input x = 2\ny = x^3 + sin(x)*exp(x)\nchoose "What is `dy/dx`?" { answer 3x^2 + cos(x)*exp(x) + sin(x)*exp(x)\n wrong 3x^2\n wrong x^2\n}'))
    assert said(report, WARNING, "options")[0].message == "the key is by far the longest option"


# ---- the command line


def test_check_prints_a_table_and_what_to_change(capsys):
    status, out, err = run(capsys, "check", "q.graph", "paths")
    assert status == 0 and err == ""
    lines = out.splitlines()
    assert lines[0].split() == ["quiz", "marks", "variants", "mistakes", "seen"] and "27 of 36 (20 asked for)" in lines[1] and lines[1].endswith("warnings")
    assert "    → `working 6 decimals` reaches every key" in lines


def test_check_of_what_is_unfit_has_status_one(capsys, here):
    assert run(capsys, "check", "q.graph", "paths", "--variants", "28")[0] == 1
    assert run(capsys, "check", "q.graph", "paths", "--strict")[0] == 1
    status, out, _ = run(capsys, "check", "q.graph", "shape", "neuron", "--verbose")
    assert status == 0 and "keys are certain by ball arithmetic" in out and "note: edges: no question needs the edge from `x` to `z`" in out


def test_check_as_json_is_one_document(capsys):
    status, out, err = run(capsys, "check", "q.graph", "--json")
    reports = json.loads(out)
    assert status == 0 and err == "" and [r["quiz"] for r in reports] == ["paths", "classic", "neuron", "shape", "chain"] and all(r["fit"] for r in reports)
    assert reports[0]["variants"] == {"asked": 20, "draws": 36, "examined": 36, "fit": 27, "passed over": {"condition": 9}}
    assert reports[1]["detection"][0]["decimals that show all"] == 2


def test_show_prints_what_a_student_sees_and_no_key(capsys):
    status, out, _ = run(capsys, "show", "q.graph", "neuron", "--ascii")
    assert status == 0 and out == """One neuron, backward (neuron, variant 1), 4 marks

  w = -1.5, x = 2, bias = 1, t = 1
  z = w*x + bias
  p = sigmoid(z)
  L = (p - t)^2

Fill in the blanks of the table, from the top down: the derivatives of L.
     Forward         Value     Backward  Value
     L = (p - t)^2   0.775803  dL/dL     1
     p = sigmoid(z)  0.119203  dL/dp     [1] ______
     z = w*x + bias  -2        dL/dz     [2] ______
     bias            1         dL/dbias  [3] ______
     w               -1.5      dL/dw     [4] ______
     x               2         dL/dx     0.277434

Give every number to 3 significant figures.
"""


def test_a_key_is_shown_only_on_request(capsys):
    plain = run(capsys, "show", "q.graph", "--json")[1]
    assert not any(word in plain for word in ('"key"', '"right"', '"accepted"', '"diagnoses"', '"mistakes"', "solution"))
    full = json.loads(run(capsys, "show", "q.graph", "paths", "classic", "--json", "--solution", "--mistakes", "--variant", "17", "--seed", "2")[1])
    blank = full[0]["parts"][0]["blanks"][0]
    assert blank["id"] == "dy_dx" and blank["accepted"]["words"].startswith("from ") and blank["diagnoses"][0]["message"] and full[0]["id"] == "paths-017"
    assert sum(o["right"] for o in full[1]["parts"][0]["choice"]["options"]) == 1


def test_show_has_solution_and_mistakes_on_request(capsys):
    _, out, _ = run(capsys, "show", "q.graph", "classic", "--solution", "--mistakes", "--ascii")
    assert "The right option is " in out and "\nOptions\n" in out and "the key" in out and "drop_path" in out


def test_the_same_command_line_prints_the_same(capsys):
    argv = ("show", "q.graph", "paths", "shape", "--variant", "5", "--seed", "9", "--solution", "--mistakes")
    assert run(capsys, *argv) == run(capsys, *argv)


@pytest.mark.parametrize("argv, message", [
    (["show", "q.graph", "path"], "no quiz `path`"), (["check", "none.graph"], "no file none.graph"), (["show", "q.graph", "--variant", "0"], "counted from 1"),
    (["check", "plain.graph"], "has no quiz"), (["check", "q.graph", "--variants", "-2"], "not negative"),
])  # fmt: skip
def test_a_wrong_command_line_is_told(argv, message, capsys, here):
    (here / "plain.graph").write_text("x = 2\ny = x^2\n")
    status, out, err = run(capsys, *argv)
    assert status == 2 and out == "" and message in err


def test_a_mistake_in_the_file_is_told_in_its_place(capsys, here):
    (here / "bad.graph").write_text('quiz q "Q" {\n  y = x^2\n  ask "?" { y to 1 decimal }\n}\n')
    status, out, err = run(capsys, "check", "bad.graph", "--error-format", "short")
    assert status == 1 and out == "" and err.startswith("bad.graph:2:7: error[E101]")


def test_a_quiz_without_a_certain_key_is_told_by_show(capsys, here):
    (here / "bad.graph").write_text('quiz q "Q" {\n  input x = 0.5\n  y = x/4\n  ask "?" { y to 2 decimals }\n}\n')
    status, out, err = run(capsys, "show", "bad.graph", "--error-format", "short")
    assert status == 1 and out == "" and "the quiz `q` has no certain key" in err


def test_hostile_text_comes_out_as_text(capsys, here):
    (here / "h.graph").write_text('quiz q "[bold red]T[/] \x1b[31m \u202ehi" {\n  input x = 3\n  y = x^2\n  ask "[link=file:///]{x}[/link] [0] \x07" { dy/dx exactly }\n}\n', encoding="utf-8")
    status, out, _ = run(capsys, "show", "h.graph", "--plain")
    assert status == 0 and "[bold red]T[/]" in out and "[link=file:///]3[/link] [0]" in out and not set("\x1b\x07\u202e") & set(out)


def test_decimals_are_counted():
    assert (places(1), places(2)) == ("1 decimal", "2 decimals")


@pytest.mark.nightly
def test_random_quizzes_are_checked_without_a_crash():
    rng = random.Random(5)
    operations = ["{a}*{b}", "{a} + {b}", "exp({a}/3)", "log(1 + {a}^2)", "{a}/(1 + {b}^2)", "sigmoid({a})", "relu({a})", "tanh({a})*{b}", "max({a}, {b})"]
    for n in range(300):
        names, lines = ["x", "z"], []
        for k in range(rng.randint(1, 5)):
            a, b = names[-1], rng.choice(names)
            lines.append(f"u{k} = " + rng.choice(operations).format(a=a, b=b))
            names.append(f"u{k}")
        goal = names[-1]
        ask = rng.choice([f"d{goal}/dx to {rng.randint(0, 3)} decimals", f"d{goal}/dx to 3 figures\n choices 5", f"{goal} within 1%"])
        quiz = small("vary x in {-2, -0.5, 0, 1, 2.5}, z in {-1, 0.3, 2}\n" + "\n".join(lines) + f'\noutput {goal}\nask "?" {{ {ask} }}\nworking 4 decimals')
        report = check(quiz)
        assert report.examined == 15 and (report.fitting or not report.fit), n
