"""What a session answers: values, derivatives, commands, pages; in a pipe and as JSON."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from graphlang.repl.inputs import chunks, incomplete
from graphlang.repl.loop import Repl

ROOT = Path(__file__).parent.parent
LECTURE = ["x = 2", "t = x^2", "u1 = sin(t)", "u2 = 3t", "u = u1 + u2", "J = cos(u)"]


def repl(*inputs: str, **options) -> Repl:
    console = Console(file=io.StringIO(), width=100, color_system=None, highlight=False, markup=False, soft_wrap=True)
    r = Repl(console, console, **options)
    for text in inputs:
        r.feed(text)
    return r


def said(r: Repl, text: str) -> str:
    """What an input answers."""
    r.console.file.seek(0)
    r.console.file.truncate()
    r.feed(text)
    return r.console.file.getvalue()


# ---- expressions


EXPRESSIONS = [
    (["x = 2"], "sin(x^2)", "-0.756802\nd/dx = 2x·cos(x²) = -2.61457\n"),
    (["x = 2"], "x", "2\n"),
    (["x = 2"], "3", "3\n"),
    (["x = 2, z = 3".replace(",", ";")], "x*z", "6\nd/dx = z = 3\nd/dz = x = 2\n"),
    (["x = 4"], "sqrt(x)", "2\nd/dx = 1/(2ans) = 0.25\n"),
    (["x = 2"], "x + pi", "5.14159\nd/dx = 1\n"),
    (LECTURE, "J", "0.2451\ndJ/dx = -(du/dx·sin(u)) = 9.09915\n"),
    (LECTURE, "2J", "0.4902\nd/dx = 2·dJ/dx = 18.1983\n".replace("0.4902", "0.490201")),
    (LECTURE, "dJ/dx", "dJ/dx = 2·dJ/dt·x = 9.09915\n"),
    (LECTURE, "dJ/dt", "dJ/dt = dJ/du₁·cos(t) + 3·dJ/du₂ = 2.27479\n"),
    (LECTURE, "diff(J, x, x)", "diff(J, x, x) = 2·dJ/dt + 2diff(J, x, t) x = -5.3009\n"),
    (LECTURE, "∂u/∂t", "∂u/∂t = 0\n"),
    (["input A[2,2] = [[1, 2], [3, 4]], b[2] = [1, 1]"], "b.T @ b", "2\nd/dbₖ = 2bₖ = [2 2]\n"),
    (["input b[2] = [1, 3]"], "b[2]^2", "9\nd/db₁ = 0\nd/db₂ = 2b₂ = 6\n"),
    (["input b[2] = [1, 3]"], "b[i]^2 for i in 1..2", "[1 9]\ndans/db = 2*diag(b) = [2 0; 0 6]    2×2\n"),
    (["input x"], "x^2", "d/dx = 2x\nno number: `x` has no value\n"),
    (["dim P", "input x[P], A[P,P]"], "x.T @ A @ x", "dans/dx = (A + A.T) @ x    P×1\ndans/dA = x @ x.T    P×P\nno number: `P` has no value\n"),
    (["x = 0"], "abs(x)", "0\nd/dx = sign(x) = 0\nconvention: ans, at abs(x): abs has no derivative at 0; 0 is used\n"),
]


@pytest.mark.parametrize("before, text, answer", EXPRESSIONS, ids=[e[1] for e in EXPRESSIONS])
def test_an_expression_prints_value_and_derivatives(before, text, answer):
    assert said(repl(*before), text) == answer


def test_ans_is_the_last_result_and_is_differentiated_too():
    r = repl("x = 2", "x^2")
    assert said(r, "3ans") == "12\nd/dx = 3·dans/dx = 12\n"
    assert said(r, "ans + ans").startswith("24\n")
    assert said(r, "x = 3") and said(r, "ans") == "54\ndans/dx = 2·dans2/dx = 36\n".replace("dans2", "dans₂")


def test_a_name_ans_of_the_authors_is_that():
    assert said(repl("ans = 5", "3 + 4"), "ans") == "5\n"


def test_where_the_derivative_is_infinite_the_value_is_shown():
    out = said(repl("x = 0"), "sqrt(x)")
    assert out.startswith("0\nd/dx = 1/(2ans) = inf\nerror[E504]") and "--ieee" not in out


def test_an_expression_that_is_wrong_is_told_with_its_place_and_changes_nothing():
    r = repl("x = 2")
    assert said(r, "sin(y)").startswith("error[E101]: `y` is not defined\n ╭─ input:1:5\n")
    assert r.failed and r.last_error == "E101 `y` is not defined"
    assert said(r, "x") == "2\n" and r.last_error == ""


def test_a_name_that_waits_is_told_so():
    assert "`J` has no value yet: `u` is not defined yet" in said(repl("J = cos(u)"), "2J")


# ---- statements


def test_a_statement_says_what_follows_from_it():
    r = repl(*LECTURE)
    assert said(r, "t = x^3") == "t = 8\n  replaces t = x^2\n  u₁ = -0.756802 → 0.989358\n  u₂ = 12 → 24\n  u = 11.2432 → 24.9894\n  J = 0.2451 → 0.989015\n".replace("0.989015", out_of(r, "J"))


def out_of(r: Repl, name: str) -> str:
    return f"{r.session.built.flat[name][0]:.6g}"


def test_a_value_that_is_not_finite_is_told_why():
    out = said(repl("x = 2"), "z = 1/(x - 2)")
    assert out.startswith("z = inf (not finite)\nwarning[E501]: `z` has no finite value: division by zero")


def test_claims_and_expectations_are_graded_at_once():
    r = repl(*LECTURE)
    assert said(r, "claim dJ/du = sin(u)") == "claim dJ/du = sin(u)  fails: the sign is wrong; the left side is 0.969498, the right side -0.969498\n"
    assert said(r, "expect J < 1") == "expect J < 1  ok\n"
    assert len(r.session.state.items) == 8


def test_several_inputs_in_one():
    assert said(repl(), "x = 2; y = x^2; 3y; :vars") == said(repl(), "x = 2; y = x^2; 3y; :vars")  # one line: `:` begins no command inside of it
    assert said(repl(), "x = 2\n\n3x\ny = x^2\n:type y") == "x = 2  input\n6\nd/dx = 3\ny = 4\ny: node, scalar\n  y = x²\n  = 4\n"


# ---- commands


COMMANDS = [
    (":set x=3", "x = 3  input, was 2\n  t = 4 → 9\n"),
    (":set y=3", "there is no leaf `y`\n"),
    (":set u=3", "`u` is defined by an equation: `u = …` replaces it\n"),
    (":set x=[1", ":set x: `[1` is no number and no list of numbers: `[` is never closed\n"),
    (":wrt x", "derivatives by x\n"),
    (":wrt q", "there is no variable `q` to differentiate by\n"),
    (":type t", "t: node, scalar\n  t = x²\n  = 4\n"),
    (":type tt", "there is no variable `tt`; did you mean `t`?\n"),
    (":layout", "layout denominator\n"),
    (":layout sideways", "the layout is `numerator` or `denominator`\n"),
    (":claim dt/dx = 2x", "claim dt/dx = 2x  holds: by normal form\n"),
    (":claim dt/dx = x", "claim dt/dx = x  fails: it is 1/2 times what it should be; the left side is 4, the right side 2\n"),
    (":exact 30 sqrt(2)", "1.41421356237309504880168872421\n"),
    (":exact 20 x/3", "0.66666666666666666667\nd/dx = 0.33333333333333333333\n"),
    (":latex sin(x^2)", "\\sin\\left(x^2\\right)\n\\begin{align*}\n  \\frac{d}{d x} &= 2 x \\cos\\left(x^2\\right)\n\\end{align*}\n"),
    (":undo", "undone: without J = cos(u)\n"),
    (":redo", "nothing to do again\n"),
    (":drop u2", "without u2 = 3t\n  2 statements wait now: u = u1 + u2, J = cos(u)\n"),
    (":drop zz", "nothing defines `zz`\n"),
    (":digits 3", ""),
    (":nothing", "there is no command `:nothing`; `:help` lists them\n"),
    (":rum", "there is no command `:rum`; did you mean `:run`?; `:help` lists them\n"),
    (":run sideways", "`sideways` is not one of A, B, forward, expand, scalar, raw, all\n"),
    (":load none.graph", "there is no file none.graph\n"),
    (":save", "`:save FILE.graph` writes the live definitions, in order\n"),
    (":edit", "`:edit` opens an editor and needs a terminal\n"),
    ("?nonsense", "there is no page `nonsense` "),
    (":program", "x = 2\nt = x^2\nu1 = sin(t)\nu2 = 3t\nu = u1 + u2\nJ = cos(u)\n"),
]


@pytest.mark.parametrize("text, answer", COMMANDS, ids=[c[0] for c in COMMANDS])
def test_a_command_answers(text, answer):
    if "exact" in text:
        pytest.importorskip("flint")
    out = said(repl(*LECTURE), text)
    assert out.startswith(answer) or answer.rstrip() in out


def test_why_shows_each_path_and_their_sum():
    out = said(repl(*LECTURE), ":why x")
    assert "from x to J: 2 paths" in out and "J ← u ← u₁ ← t ← x    -sin(u) · 1 · cos(t) · 2x" in out
    assert "the sum of them: 9.0991485448323" in out and "by the reverse sweep: 9.0991485448323" in out
    assert said(repl(*LECTURE), ":why dJ/dx") == out == said(repl(*LECTURE), ":why x J")


def test_why_of_an_expression_takes_it_apart():
    out = said(repl("x = 2", "x*sin(x)"), ":why x")
    assert "2 paths" in out and "by the reverse sweep" in out


def test_run_steps_and_check_are_those_of_the_command_line(monkeypatch, capsys):
    from graphlang.cli.main import main

    monkeypatch.setenv("COLUMNS", "100")
    path = str(ROOT / "programs" / "lecture" / "simple.graph")
    r = repl(f":load {path}")
    for command, argv in ((":run", []), (":steps A", ["--steps", "--mode", "A"]), (":run scalar A", ["--scalar", "--mode", "A"])):
        assert main(["run", path, *argv]) == 0
        assert said(r, command) == capsys.readouterr().out
    assert "6 gradients agree" in said(r, ":check")


def test_every_command_is_in_the_help_and_in_the_documentation():
    from graphlang.repl.commands import ALL

    out, page = said(repl(), ":help"), (ROOT / "docs" / "repl.md").read_text(encoding="utf-8")
    for c in ALL:
        assert f"  {c.usage}" in out and f"`:{c.name}" in page
        assert c.about in said(repl(), f":help {c.name}")


def test_questions_open_the_pages_of_explain():
    assert said(repl(), "?sin") == said(repl(), "sin?") and "du/dv = cos(v)" in said(repl(), "?sin")
    assert said(repl(), "?E101").startswith("E101  A name is used and nothing defines it.")


def test_saving_and_loading(tmp_path):
    file = tmp_path / "a b.graph"
    r = repl(*LECTURE, "K = cos(zz)")
    assert said(r, f":save {file}").startswith("6 statements written to")
    assert file.read_text() == "x = 2\nt = x^2\nu1 = sin(t)\nu2 = 3t\nu = u1 + u2\nJ = cos(u)\n# waits: `zz` is not defined yet\n# K = cos(zz)\n"
    assert said(r, "x = 3") and said(r, ":save").startswith("6 statements")  # the file that is this program's
    other = repl("q = 5", f":load {file}")
    assert other.session.built.flat["x"] == [3.0] and "q" not in other.session.built.flat
    assert "with q = 5" in said(other, ":undo")
    assert f"`:save! {file}` overwrites it" in said(repl("x = 1"), f":save {file}")
    assert said(repl("x = 1"), f":save! {file}").startswith("1 statement written")
    assert "cannot be written" in said(r, f":save {tmp_path}/no/such.graph")


def test_a_file_that_is_wrong_changes_nothing(tmp_path):
    (tmp_path / "bad.graph").write_text("x = 2\ny = x[1]\nz = (\n")
    (tmp_path / "latin.graph").write_bytes(b"# \xe9\n")
    r = repl("q = 5")
    assert "E003" in said(r, f":load {tmp_path}/bad.graph") and "bad.graph:3" in said(r, f":load {tmp_path}/bad.graph")
    assert "not UTF-8" in said(r, f":load {tmp_path}/latin.graph")
    assert r.session.text() == "q = 5\n"


def test_a_loaded_program_includes_from_its_own_folder(tmp_path):
    (tmp_path / "base.graph").write_text("t = x^2\n")
    (tmp_path / "top.graph").write_text('include "base.graph"\nx = 3\nJ = 2t\n')
    r = repl(f":load {tmp_path}/top.graph")
    assert r.session.built.flat["J"] == [18.0]
    assert said(r, "J = 3t").startswith("J = 27\n")


def test_the_editor_gets_the_program_and_its_text_becomes_the_session(tmp_path, monkeypatch):
    script = tmp_path / "editor"
    script.write_text(f"#!{sys.executable}\nimport sys\np = sys.argv[1]\nt = open(p).read()\nopen(p, 'w').write(t.replace('x^2', 'x^3'))\n")
    script.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(script))
    r = repl("x = 2", "y = x^2", interactive=True)
    assert "2 statements from edited" in said(r, ":edit") and r.session.built.flat["y"] == [8.0]
    script.write_text(f"#!{sys.executable}\nimport sys\np = sys.argv[1]\nt = open(p).read()\nopen(p, 'w').write(t + 'z = (\\n')\n")
    assert "E003" in said(r, ":edit")
    assert r.session.built.flat["y"] == [8.0] and r.unfinished.endswith("z = (\n")  # opened again by the next `:edit`
    monkeypatch.setenv("VISUAL", "/no/such/editor")
    assert "does not start" in said(r, ":edit")


# ---- what an input is


INPUTS = [
    ("sin(x", True), ("x = [1,", True), ("x = 2 +", True), ("x = 2", False), ("", False), ("# sum(", False), (":claim sum(", False), ("train {", True),
    ("x = sum(a\n  for i in 1..3)", False), ("x = (2\ny = 3", False), ("x = 2)", False), ('include "a(', False), ("f(v) = v,", True),
]


@pytest.mark.parametrize("text, more", INPUTS)
def test_an_input_goes_on_while_a_bracket_is_open(text, more):
    assert incomplete(text) is more


def test_an_input_is_taken_apart():
    kinds = [(c.what, c.text.strip()) for c in chunks("# a\nx = 2; y = 3\n3x\n:vars\n?sin\nsin(y) == 1\nclaim dy/dx = 0")]
    assert kinds == [("statements", "# a\nx = 2; y = 3"), ("expression", "3x"), ("command", "vars"), ("question", "sin"), ("expression", "sin(y) == 1"),
                     ("statements", "claim dy/dx = 0")]


# ---- a pipe


def piped(text: str, *argv: str) -> subprocess.CompletedProcess:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", "GRAPHLANG_HISTORY": ""}
    return subprocess.run([sys.executable, "-m", "graphlang", "repl", *argv], input=text, capture_output=True, text=True, encoding="utf-8", env=env, cwd=ROOT, timeout=60)


def test_a_pipe_reads_statements_and_prints_answers_without_prompts():
    done = piped("x = 2\nsin(x^2)\ny = sum(x*i\n  for i in 1..3)\n\ny\n:quit\nnever\n")
    assert done.stdout == "x = 2  input\n-0.756802\nd/dx = 2x·cos(x²) = -2.61457\ny = 12\n12\ndy/dx = Σ_i=1..3 i = 6\n"
    assert (done.returncode, done.stderr) == (0, "")


def test_in_a_pipe_errors_go_to_stderr_and_the_status_is_1():
    done = piped("x = 2\nsin(y)\nx\n")
    assert done.stdout == "x = 2  input\n2\n" and done.stderr.startswith("error[E101]") and done.returncode == 1


def test_json_is_one_document_a_line():
    done = piped("x = 2\nx^2\nfoo\nJ = q\n:set x=3\n?sin\n:vars\n1/0\n", "--json")
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert records[0] == {"input": "x = 2", "defined": {"x": 2.0}, "waiting": {}, "replaced": []}
    assert records[1]["value"] == 4 and records[1]["derivatives"] == [{"wrt": "x", "name": "d/dx", "formula": "2*x", "value": 4.0}]
    assert records[2]["diagnostics"][0]["code"] == "E101" and records[3]["waiting"] == {"J": "`q` is not defined yet"}
    assert records[7]["diagnostics"][0]["code"] == "E501" and done.returncode == 1 and done.stderr == ""


def test_the_command_line_is_checked():
    assert piped("", "none.graph").returncode == 2
    assert piped("", "--digits", "99").returncode == 2
    assert piped("J\n", "programs/lecture/simple.graph").stdout.endswith("dJ/dx = -(du/dx·sin(u)) = 9.09915\n")


@pytest.mark.parametrize("path", sorted((ROOT / "programs").rglob("*.graph")), ids=lambda p: p.stem)
def test_every_program_can_be_typed_line_by_line(path):
    """In the author's order, in which the objective often comes first; at the end nothing waits and nothing was refused."""
    import graphlang as gl

    r = repl()
    gathered = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        gathered += line + "\n"
        if not incomplete(gathered):
            r.feed(gathered)
            gathered = ""
    assert not r.session.state.waiting
    graph = gl.load(path).graph
    assert {n: (v.role, v.ranges) for n, v in r.session.built.graph.variables.items()} == {n: (v.role, v.ranges) for n, v in graph.variables.items()}


def test_hostile_text_comes_out_as_text():
    out = said(repl("x = 2"), "y = x # [red]\x1b[31m\u202e")
    assert "\x1b" not in out and "\u202e" not in out
    assert "[bold]" in said(repl(), "[bold]")


def test_a_deep_expression_is_answered_or_refused_and_the_session_goes_on():
    r = repl("x = 1")
    out = said(r, "+".join(["x"] * 3000))
    assert out.startswith("3000\n")
    out = said(r, "sin(" * 3000 + "x" + ")" * 3000)
    assert out and "internal" not in out and said(r, "x") == "1\n"


def numbers(value):
    return [x for row in value for x in numbers(row)] if isinstance(value, list) else [value]


@pytest.mark.parametrize("path", sorted((ROOT / "programs").rglob("*.graph")), ids=lambda p: p.stem)
def test_every_formula_of_an_answer_evaluates_to_the_number_beside_it(path):
    """In source spelling it is an expression of the session, `ans` included: typed again, it gives the number."""
    from graphlang.repl.answers import answer
    from graphlang.repl.last import remember

    r = repl(f":load {path}")
    graph, checked = r.session.built.graph, 0
    nodes = [n for n, v in graph.variables.items() if not v.is_leaf and not v.ranges and n in r.session.built.flat and n.isidentifier()]
    for text in [*nodes[:4], *(f"{n}^2 + 3*{n}" for n in nodes[:3]), *(f"tanh({a})*{b}" for a, b in zip(nodes, nodes[1:3]))]:
        result = answer(r.session, text, ascii=True)
        remember(r.session, text)
        for s in result.slopes:
            if s.over or s.value is None or s.extents or len(s.formula) > 1000:
                continue  # over indices: not one number
            again = answer(r.session, s.formula, ascii=True)
            assert again.value == pytest.approx(s.value, rel=1e-9, abs=1e-12 * max(map(abs, result.value))), (text, s.formula)  # the two are added up in another order
            checked += 1
    assert checked or not nodes or all(graph.variables[n].ranges for n in r.session.built.graph.variables if graph.variables[n].is_leaf and graph.variables[n].role != "const")


# ---- what a new user met


def test_numbers_are_arranged_as_the_layout_says():
    r = repl("input A[2,3] = [[1, 2, 3], [4, 5, 6]], x[3] = [1, 1, 1]")
    assert "dans/dx = A.T = [1 4; 2 5; 3 6]    3×2\n" in said(r, "A @ x")
    said(r, ":layout numerator")
    assert "dans/dx = A = [1 2 3; 4 5 6]    2×3\n" in said(r, "A @ x")
    assert said(r, "y = A @ x") and "dy/dx = A = [1 2 3; 4 5 6]    2×3\n" in said(r, "y")


def test_each_piece_of_a_table_has_its_own_numbers():
    r = repl("x = 2", "z[1] = x", "z[2] = x^2")
    assert said(r, "z") == "[2 4]\ndz₁/dx = 1\ndz₂/dx = 2x = 4\n"
    assert said(r, "dz/dx") == "dz₁/dx = 1\ndz₂/dx = 2x\n[1 4]\n"


def test_settings_and_rules_are_no_names():
    r = repl("set seed = 7", "sigma(v) = 1/(1 + exp(-v))", "derivative sigma(v) = sigma(v)*(1 - sigma(v))", "w = 2")
    assert said(r, "sigma(w) + 1").startswith("1.8808\n") and not r.failed


def test_ans_may_stand_in_a_statement():
    r = repl("x = 2", "x^2", "ans + 1")
    assert said(r, "y = 2ans").startswith("y = 10\n") and "y = 2((x^2) + 1)" in r.session.text()
    assert said(r, ":claim ans = x^2 + 1") == "claim ((x^2) + 1) = x^2 + 1  holds: by normal form\n"
    assert said(r, "ans") and said(r, "dans/dx").endswith("= 4\n")
    assert said(r, "ans = 5") == "ans = 5  input\n" and said(r, ":drop ans") and said(r, "ans").startswith("4\n")


def test_a_size_without_a_number_takes_values_only_from_what_it_is_in():
    r = repl("input x = 2", "dim P", "input B[P]")
    assert said(r, "x^2") == "4\nd/dx = 2x = 4\n"
    assert said(r, "B.T @ B") == "dans/dB = 2*B    P×1\nno number: `P` has no value\n"


def test_one_element_of_a_leaf_gets_another_value():
    r = repl("input x[0..2] = [1, 2, 3]", "y = sum(x)")
    assert said(r, "x[1] = 5") == "x = [1 5 3]  input, was [1 2 3]\n  y = 6 → 9\n"
    assert said(r, ":set x[2] = 1/4") and r.session.text().startswith("input x[0..2] = [1, 5, 0.25]\n")
    for text in ("x[7] = 1", "x[1] = y", ":set x[0,0]=1"):
        assert "sets one element" in said(r, text)


def test_what_an_included_file_defines_is_told_so(tmp_path, monkeypatch):
    (tmp_path / "base.graph").write_text("input x = 2\nt = x^2\n")
    monkeypatch.chdir(tmp_path)
    r = repl('include "base.graph"')
    assert said(r, "x = 3") == '`x` comes from include "base.graph"; its value is changed there\n'
    assert "`override t = x^3` replaces an equation of it" in said(r, "t = x^3")
    assert said(r, "override t = x^3").startswith("t = 8\n") and said(r, "t").startswith("8\n")


def test_a_session_that_is_pasted_with_its_prompts_is_typed_without():
    assert said(repl(), "> x = 2\nx = 2  input\n> y = (x\n…  + 1)\ny = 3\n>>> 3y") == "x = 2  input\ny = 3\n9\nd/dx = 3·dy/dx = 3\n"


def test_with_json_every_input_has_one_document():
    r = repl(as_json=True)
    for text in ("x = 2", "y = x^2", "claim dy/dx = 3x", ":type y", ":help", ":run", "foo", "?sin", ":vars", "y", ":undo", "expect y = 4"):
        records = [json.loads(line) for line in said(r, text).splitlines()]
        assert len(records) == 1 and records[0]["input"] == text


def test_derivatives_in_equations_follow_the_layout_in_force():
    r = repl("input A[2,3] = [[1, 2, 3], [4, 5, 6]], x[3] = [1, 1, 1]", "y = A @ x", "z = dy/dx", ":layout numerator")
    assert said(r, "z = dy/dx").startswith("z = [1 2 3; 4 5 6]\n")


def test_there_is_no_advice_for_the_command_line():
    r = repl("input x", "J = x^2", "K = x^3")
    for text in (":run", ":why x", ":why x Q", "J/0", ":steps"):
        out = said(r, text)
        assert "--" not in out and "graphlang run" not in out, out


def test_undo_of_a_load_finds_the_files_of_the_program_before(tmp_path, monkeypatch):
    (tmp_path / "base.graph").write_text("t = 3\n")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "b.graph").write_text("q = 5\n")
    monkeypatch.chdir(tmp_path)
    r = repl('include "base.graph"', "J = 2t", f":load {tmp_path}/other/b.graph")
    assert r.session.built.flat["q"] == [5.0]
    said(r, ":undo")
    assert r.session.built.flat["J"] == [6.0] and not r.failed
    said(r, ":redo")
    assert r.session.built.flat["q"] == [5.0]


def test_what_would_take_too_long_is_told_and_has_no_value_while_the_rest_has():
    r = repl("x = 1")
    huge = "sum(sin(x*i*j*k) for i in 0..3000, j in 0..3000, k in 0..3000)"
    assert said(r, huge).startswith("error[E902]")
    assert said(r, f"y = {huge}") == "y has a formula and no number yet\n"
    assert said(r, "z = x + 1") == "z = 2\n" and said(r, "x^2").startswith("1\n")


def test_a_file_of_the_command_line_is_where_the_session_begins():
    done = piped(":undo\nJ\n", "programs/lecture/simple.graph")
    assert "nothing to undo\n0.2451\n" in done.stdout
