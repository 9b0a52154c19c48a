"""Taking a quiz: from a pipe, a line for each answer; at a terminal, with hints, tries and Ctrl-C."""

import io
import json
import os
import subprocess
import sys

import graphlang as gl
import pexpect
import pytest
from graphlang.cli.main import main
from graphlang.quiz.hints import first_row, hints
from graphlang.quiz.marker import right_answer
from graphlang.quiz.marking import asked_in
from graphlang.quiz.reading import quizzes
from graphlang.quiz.sheets import of
from graphlang.quiz.taking import Taking
from graphlang.quiz.text import text
from graphlang.quiz.variants import variants

TEXT = """
quiz neuron "One neuron, backward" {
  vary x in {2, 3, 4}
  input w = -1.5, bias = 1
  data t = 1
  z = w*x + bias
  p = sigmoid(z)
  L = (p - t)^2
  fill backward { blank p, z, w
    to 3 figures, 1 mark each
    carry 0.75 }
}
quiz steps "Step by [bold]step[/bold]" {
  vary x in {0.5, 1.5}
  u = x^2
  s = sin(u)
  y = exp(s) + u
  ask "What is `dy/dx` at x = {x}? [red]Really[/red]" { dy/dx to 3 decimals, 2 marks }
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
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("quiz") / "q.graph"
    path.write_text(TEXT)
    return str(path)


@pytest.fixture(scope="module")
def taking():
    made, _ = quizzes(gl.loads(TEXT))

    def start(name, variant=1, tries=3):
        worked = variants(made[name]).variant(0, variant)
        return Taking(worked, of(worked, variant, 0), tries)

    return start


def take(monkeypatch, capsys, file, answers, *options):
    monkeypatch.setattr(sys, "stdin", io.StringIO(answers))
    status = main(["quiz", "take", file, *options])
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return status, out, err


def lines(reply):
    return [text(line) for line in reply.lines]


# ---- from a pipe


def test_the_right_answers_earn_all_marks(monkeypatch, capsys, file, taking):
    keys = [right_answer(i.asked) for i in taking("neuron").items]
    status, out, _ = take(monkeypatch, capsys, file, "\n".join(keys), "neuron")
    assert status == 0 and out.count("Right.") == 3 and "3 of 3 marks" in out and "To practise" not in out


def test_each_line_of_a_pipe_is_one_answer_also_an_unreadable_or_an_empty_one(monkeypatch, capsys, file, taking):
    keys = [right_answer(i.asked) for i in taking("neuron").items]
    for first in ("abc", "", "9"):
        status, out, _ = take(monkeypatch, capsys, file, "\n".join([first, *keys[1:]]) + "\n", "neuron")
        assert status == 0 and "2 of 3 marks" in out, out


def test_a_wrong_number_is_diagnosed_and_the_first_wrong_row_is_shown(monkeypatch, capsys, file):
    _, out, _ = take(monkeypatch, capsys, file, "-1\n-0.00665\n0.00998\n", "neuron", "--ascii")
    assert "Not right." in out and "The first wrong row: dL/dp = 2*(p - t)" in out
    assert "right rule on your earlier value" in out and "The first wrong row is that of dL/dp." in out
    assert "On your earlier value: The derivative of u*v by u is v" in out and "0.75 of 3 marks" in out
    assert "To practise:\n  The derivative of u*v by u is v, the other factor, not u." in out


def test_of_a_question_the_first_wrong_row_is_that_of_the_mistake(taking):
    t = taking("steps")
    blank = t.asked.asked
    told = [d for d in blank.diagnoses if d.mistakes == ("sin_cos_sign",) or "sin_keep" in d.mistakes][0]
    reply = t.answer(str(told.key))
    assert reply.result == "wrong" and any(line.startswith("The first wrong row would be: dy/du = ") for line in lines(reply)), lines(reply)


@pytest.mark.parametrize("name, first", [("drop_path", "dL/da"), ("sin_keep", "dL/dx")])
def test_the_first_row_that_a_mistake_changes(name, first):
    made, _ = quizzes(gl.loads("quiz q {\n vary x in {1, 2}\n a = sin(x)\n b = a*x\n L = a^2 + b\n ask \"?\" { dL/dx to 3 decimals }\n}\n"))
    perturbed = variants(made["q"]).variant(0, 1).prepared.perturbed[0]
    rows = {first_row(perturbed, k) for k, p in enumerate(perturbed.perturbations) if p.name == name}
    assert first in rows, rows


def test_hints_come_step_by_step_and_end_with_the_number(monkeypatch, capsys, file):
    _, out, _ = take(monkeypatch, capsys, file, "?\nhint\n?\n?\nskip\nsolution\n", "neuron", "--ascii")
    at = [out.index(part) for part in ("p is read by L: by the chain rule, dL/dL times the local derivative.", "partial(L, p) = 2*(p - t)", "dL/dp = 2*(p - t)", "dL/dp = -")]
    assert at == sorted(at) and "0 of 3 marks (2 of 3 answered)" in out


def test_a_number_that_a_hint_gave_away_has_no_marks(taking):
    t = taking("steps")
    key = right_answer(t.asked.asked)
    while key not in " ".join(lines(t.hint())):
        pass
    assert "no marks" in lines(t.answer(key))[0] and t.marks == 0


def test_the_first_answer_is_the_one_that_counts(taking):
    t = taking("neuron")
    keys = [right_answer(i.asked) for i in t.items]
    assert t.answer("5").again and not t.answer(keys[0]).again and t.marks == 0
    assert not t.answer(keys[1]).again and t.marks == 1


def test_what_is_carried_is_the_last_answer_and_after_the_solution_the_key(taking):
    t = taking("neuron", tries=1)
    t.answer("-1")
    assert t.answer("-0.00665").result == "carried"
    t = taking("neuron", tries=1)
    t.solution()
    assert t.answer("-0.00665").result == "wrong"


def test_a_choice_is_answered_by_its_letter(monkeypatch, capsys, file, taking):
    letter = right_answer(taking("pick").asked.asked)
    _, out, _ = take(monkeypatch, capsys, file, f"{letter.lower()}\n", "pick")
    assert "Right." in out and "2 of 2 marks" in out
    wrong = "A" if letter != "A" else "B"
    _, out, _ = take(monkeypatch, capsys, file, f"{wrong}\n", "pick")
    assert "0 of 2 marks" in out and "To practise" in out


@pytest.mark.parametrize("name", ["neuron", "steps", "pick"])
def test_hints_of_every_blank_give_the_answer_last_and_only_last(taking, name):
    t = taking(name)
    for item in t.items:
        found = hints(t.worked, item.asked)
        assert len(found) >= 2 and [h.answer for h in found] == [False] * (len(found) - 1) + [True]
        assert right_answer(item.asked) in text(found[-1].lines[0])


def test_text_of_the_author_is_no_markup(monkeypatch, capsys, file):
    _, out, _ = take(monkeypatch, capsys, file, "", "steps")
    assert "Step by [bold]step[/bold]" in out and "[red]Really[/red]" in out


def test_what_is_typed_reaches_the_terminal_as_text_only(monkeypatch, capsys, file):
    _, out, _ = take(monkeypatch, capsys, file, "\x1b[31m[bold]x\u202e\n", "steps")
    assert "\x1b" not in out and "\u202e" not in out and "[bold]x" in out


def test_bytes_that_are_no_text_are_no_answer_and_no_traceback(file):
    made = subprocess.run([sys.executable, "-m", "graphlang", "quiz", "take", file, "steps"], input=b"\xff\xfe\xe9\n\xc3\xa9\n", capture_output=True,
                          env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert made.returncode == 0 and b"Traceback" not in made.stdout + made.stderr and b"0 of 2 marks" in made.stdout


def test_the_end_of_the_input_ends_politely(monkeypatch, capsys, file):
    status, out, _ = take(monkeypatch, capsys, file, "-1\n", "neuron")
    assert status == 0 and "(1 of 3 answered)" in out


def test_without_a_name_all_quizzes_are_taken(monkeypatch, capsys, file):
    _, out, _ = take(monkeypatch, capsys, file, "1\n" * 5)
    assert "One neuron" in out and "Step by" in out and "One choice" in out


def test_json_has_the_transcript_and_nothing_else(monkeypatch, capsys, file):
    status, out, err = take(monkeypatch, capsys, file, "-1\n?\n-0.00665\nskip\n", "neuron", "--json", "--variant", "2")
    made = json.loads(out)
    assert status == 0 and "dL/dp" in err and made["variant"] == 2 and made["finished"]
    assert [i["result"] for i in made["items"]] == ["wrong", made["items"][1]["result"], "skipped"] and made["items"][1]["hints"] == 1
    assert made["items"][0]["answers"][0]["value"] == "-1" and made["of"] == 3.0


@pytest.mark.parametrize("arguments, told", [
    (["-"], "the program needs a file"), (["{file}", "nope"], "has no quiz `nope`"), (["{file}", "neuro"], "did you mean `neuron`"),
    (["{file}", "--variant", "0"], "variants are counted from 1"), (["{file}", "--tries", "0"], "--tries is 1 or more"), (["none.graph"], "there is no file"),
])
def test_a_wrong_command_line_is_told(monkeypatch, capsys, file, arguments, told):
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert main(["quiz", "take", *(a.format(file=file) for a in arguments)]) == 2
    assert told in capsys.readouterr().err


def test_marks_stay_between_0_and_all_whatever_is_typed(taking):
    for name in ("neuron", "steps", "pick"):
        for typed in ("0", "1e300", "-1e300", "9" * 60, "B", "½", "-"):
            t = taking(name, tries=1)
            while t.asked is not None:
                if t.answer(typed).again:
                    t.skip()
            assert 0 <= t.marks <= t.sheet.marks


def test_marks_in_the_terminal_are_those_of_a_file_of_answers(taking):
    from graphlang.quiz.marking import mark_sheet

    t = taking("neuron", tries=1)
    answers = {"dL_dp": "-1", "dL_dz": "-0.00665", "dL_dw": "0.00998"}
    while t.asked is not None:
        t.answer(answers[t.asked.asked.id])
    assert {x.item.asked.id: x.marks for x in t.taken} == {m.id: m.marks for m in mark_sheet(t.sheet, answers, t.carrying)} and len(asked_in(t.sheet)) == 3


# ---- at a terminal


def terminal(file, *arguments):
    child = pexpect.spawn(sys.executable, ["-m", "graphlang", "quiz", "take", file, *arguments], encoding="utf-8", timeout=30, dimensions=(40, 120))
    child.delaybeforesend = 0
    return child


def test_at_a_terminal_one_may_try_again(file):
    child = terminal(file, "steps", "--plain", "--ascii")
    child.expect("dy/dx = ")
    child.sendline("5")
    child.expect("Try again")
    child.expect("dy/dx = ")
    child.sendline("")
    child.expect("Type a number")
    child.expect("dy/dx = ")
    child.sendline("nonsense")
    child.expect("is not a number")
    child.sendline("?")
    child.expect("x is read by u")
    child.sendline("solution")
    child.expect("0 of 2 marks")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


@pytest.mark.parametrize("key, status", [("\x03", 130), ("\x04", 0)], ids=["ctrl-c", "ctrl-d"])
def test_leaving_is_polite(file, key, status):
    child = terminal(file, "neuron", "--plain")
    child.expect("dL/dp = ")
    child.send(key)
    child.expect(r"0 of 3 marks \(0 of 3 answered\)")
    child.expect(pexpect.EOF)
    assert "Traceback" not in (child.before or "")
    child.close()
    assert child.exitstatus == status
