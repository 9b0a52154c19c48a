"""Warnings about spellings that lose digits, overflow or hide a derivative: where, why, and what to write instead."""

from pathlib import Path

import pytest

from graphlang.cli.main import main
from graphlang.pipeline import load, loads

PROGRAMS = sorted((Path(__file__).parent.parent / "programs").glob("*/*.graph"))

LINTS = [  # right-hand side of J, code, the part that is pointed at, the stable spelling
    ("2 + log(1 + exp(x))", "W301", "log(1 + exp(x))", "softplus(x)"),
    ("log(exp(3x) + 1)", "W301", "log(exp(3x) + 1)", "softplus(3*x)"),
    ("log(sigmoid(x))", "W302", "log(sigmoid(x))", "log_sigmoid(x)"),
    ("log(1/(1 + exp(-x)))", "W302", "log(1/(1 + exp(-x)))", "log_sigmoid(x)"),
    ("y*log(1 - sigmoid(x))", "W303", "log(1 - sigmoid(x))", "log_sigmoid(-x)"),
    ("sum(v*(exp(u)/sum(exp(u))))", "W304", "(exp(u)/sum(exp(u)))", "softmax(u)"),
    ("sum(exp(M[i,1])/sum(exp(M[i,k]) for k) for i)", "W304", "exp(M[i,1])/sum(exp(M[i,k]) for k)", "exp(M[i,1] - logsumexp(M[i,k] for k in 1..3))"),
    ("log(sum(exp(u)))", "W305", "log(sum(exp(u)))", "logsumexp(u)"),
    ("log(sum(exp(2*u[i]) for i in 1..2))", "W305", "log(sum(exp(2*u[i]) for i in 1..2))", "logsumexp(2*u[i] for i in 1..2)"),
    ("sqrt(sum(u^2))", "W306", "sqrt(sum(u^2))", "norm(u)"),
    ("sqrt(sum((u - v)^2))", "W306", "sqrt(sum((u - v)^2))", "norm(u[i] - v[i] for i in 1..3)"),
    ("sqrt(u @ u)", "W306", "sqrt(u @ u)", "norm(u)"),
    ("(exp(x) - 1)/x", "W307", "(exp(x) - 1)/x", "expm1(x)/x"),
]
SETTING = "\ninput x = 0.3, y = 0.7, u[3] = [1, 2, 3], v[3] = [2, 0, 1], M[2, 3] = 1\n"


def warnings(text):
    return [w for w in loads(text).graph.warnings if w.code.startswith("W3")]


@pytest.mark.parametrize("value, code, part, stable", LINTS, ids=lambda v: v if isinstance(v, str) and v[0] != "W" else "")
def test_an_unstable_spelling_is_told_with_its_place_and_the_stable_one(value, code, part, stable):
    text = f"J = {value}{SETTING}"
    (w,) = warnings(text)
    assert (w.code, w.severity, text[w.at.start : w.at.end]) == (code, "warning", part)
    assert w.hints == (f"the stable spelling is `{stable}`",)


@pytest.mark.parametrize("value, code, part, stable", LINTS, ids=lambda v: v if isinstance(v, str) and v[0] != "W" else "")
def test_the_stable_spelling_has_the_same_value_and_gradient(value, code, part, stable):
    """To 1e-13: at this generic point both spellings keep all but a few last digits."""
    bracketed = f"({stable})" if part[0] == "(" else stable
    replaced = value.replace(part, bracketed)
    before, after = (loads(f"J = {v}{SETTING}").run() for v in (value, replaced))
    assert warnings(f"J = {replaced}{SETTING}") == []
    assert after["J"] == pytest.approx(before["J"], rel=1e-13)
    for name in ("x", "y", "u", "v"):
        assert after.adjoints[name] == pytest.approx(before.adjoints[name], rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("text", [
    "J = log(y)\ny = sigmoid(x)\ninput x = 1",
    "J = ystar*log(y) + (1 - ystar)*log(1 - y)\ny = 1/(1 + exp(-x))\ninput x = 1\ndata ystar = 1",
    "J = sum(exp(u - max(u))/sum(exp(u - max(u))))\ninput u[3] = 1",
    "J = log(1 + x) + log(2 + exp(x)) + sqrt(sum(u^2)/3) + exp(x)/sum(exp(u)) + (exp(x) - 1)/2\ninput x = 1, u[3] = 1",
    "J = sum(where(i == 2, u[i], 0) for i)\ninput u[3] = 1",
    "J = where(label == 1, x, 2*x) + x*(floor(x) == 2)\ninput x = 1\ndata label = 1",
    "J = softplus(x) + log_sigmoid(x) + norm(u) + logsumexp(u) + sum(u*softmax(u)) + expm1(x)/x\ninput x = 1, u[3] = 1",
], ids=["in two equations", "the lecture's cross-entropy", "shifted by the author", "nearly", "an index", "a label and a step", "the stable spellings"])  # fmt: skip
def test_what_is_fine_is_not_warned_of(text):
    assert warnings(text) == []


@pytest.mark.parametrize("value, part", [("where(x == 0, 1, sin(x)/x)", "x == 0"), ("where(x != y, 1, x)", "x != y"), ("sum(where(u == v, u, 0))", "u == v")])
def test_equality_of_differentiated_values_is_warned_of(value, part):
    text = f"J = {value}{SETTING}"
    (w,) = warnings(text)
    assert w.code == "W308" and text[w.at.start : w.at.end] == part and "branch taken" in w.message


def test_equality_of_a_node_is_warned_of_where_it_depends_on_an_input():
    assert [w.code for w in warnings("J = where(t == 1, 1, t)\nt = s^2\ns = 2x\ninput x = 1")] == ["W308"]
    assert warnings("J = where(t == 1, x, 2*x)\nt = 2d\ndata d = 1\ninput x = 1") == []


def test_a_spelling_inside_of_a_function_is_told_at_each_use():
    text = "f(v) = log(1 + exp(v))\nJ = f(x) + 1\ninput x = 1"
    (w,) = warnings(text)
    assert w.code == "W301" and text[w.at.start : w.at.end] == "J = f(x) + 1"


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_the_programs_of_lecture_and_papers_raise_no_warning(path):
    assert [w.message for w in load(path).graph.warnings] == []


def test_a_warning_changes_neither_the_result_nor_the_exit_status(tmp_path, capsys):
    path = tmp_path / "naive.graph"
    path.write_text("J = log(1 + exp(x))\ninput x = 2\nexpect J = 2.126928011\n", encoding="utf-8")
    assert main(["run", str(path)]) == 0
    out, err = capsys.readouterr()
    assert "warning[W301]" in err and "softplus(x)" in err and "2.12693" in out
