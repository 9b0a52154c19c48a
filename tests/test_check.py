"""`graphlang check`: claims, expectations, and gradients against independent derivatives."""

import json
from pathlib import Path

import pytest
from graphlang.cli.main import main
from graphlang.graph.functions import FUNCTIONS

pytestmark = pytest.mark.usefixtures("by")
PROGRAMS = Path(__file__).parents[1] / "programs"


def check(tmp_path, capsys, text, *options, status=None):
    file = tmp_path / "p.graph"
    file.write_text(text, encoding="utf-8")
    got = main(["check", str(file), "--json", *options])
    out = capsys.readouterr()
    (report,) = json.loads(out.out)
    assert out.err == ""
    assert got == (0 if report["ok"] else 1) == (got if status is None else status)
    return report


def verdicts(report):
    return {f"d{g['goal']}/d{g['variable']}": g["verdict"] for g in report["gradients"]}


def test_every_program_of_the_folder_passes(capsys):
    assert main(["check", str(PROGRAMS), "--plain"]) == 0
    lines = capsys.readouterr().out.splitlines()
    files = [str(p) for p in sorted(PROGRAMS.rglob("*.graph"))]
    assert [line.split(": ")[0] for line in lines] == files  # one line a file
    assert all(": ok  " in line for line in lines)


def test_every_variable_is_verified(tmp_path, capsys):
    report = check(tmp_path, capsys, "input x = 2\nu = sin(x)\nJ = u*x\n", status=0)
    assert verdicts(report) == {"dJ/dJ": "agree", "dJ/du": "agree", "dJ/dx": "agree"}
    for g in report["gradients"]:
        assert g["forward"] == pytest.approx(g["reverse"], rel=1e-12)
        assert g["slope"] == pytest.approx(g["reverse"], rel=1e-8)  # what Richardson's extrapolation reaches on smooth functions


@pytest.mark.parametrize("text, sides", [
    ("input x = 0\nJ = abs(x)\n", {-1, 1}), ("input x = 0\nJ = relu(x)\n", {0, 1}), ("input x = 1, y = 1\nJ = max(x, 2*y - 1)\n", None),
    ("input x = 0\nJ = where(x > 0, 3*x, x)\n", {1, 3}), ("input x[2] = [3, 3]\nJ = max(x)\n", None), ("input x[2] = 0\nJ = norm(x)\n", None),
])  # fmt: skip
def test_a_kink_is_told_with_both_slopes(text, sides, tmp_path, capsys):
    report = check(tmp_path, capsys, text, status=0)
    found = [g for g in report["gradients"] if g["verdict"] == "kink"]
    assert found
    left, right = found[0]["one_sided"]
    assert left != pytest.approx(right, rel=1e-3)
    if sides:
        assert abs(left - right) == pytest.approx(max(sides) - min(sides), rel=0.51, abs=0)  # along a direction of length 1/2 to 1


def test_smooth_points_beside_a_kink_agree(tmp_path, capsys):
    assert set(verdicts(check(tmp_path, capsys, "input x = 0.3\nJ = abs(x) + relu(x)\n")).values()) == {"agree"}


def test_differences_that_see_nothing_are_not_taken_for_agreement(tmp_path, capsys, by):
    report = check(tmp_path, capsys, "input x = 1e-9\nJ = 1e12 + sin(x)\n", status=0)
    assert verdicts(report)["dJ/dx"] in (("agree",) if by == "balls" else ("cancellation", "tiny gradient"))


def test_a_right_gradient_that_rounding_spoils_is_cancellation(tmp_path, capsys, by):
    """d/dx of (1 - cos(x))/x^2 at 1e-6 loses its digits in float64; the rule is right."""
    report = check(tmp_path, capsys, "input x = 1e-6\nJ = (1 - cos(x))/x^2\n", status=0)
    assert verdicts(report)["dJ/dx"] == "cancellation"


def broken(name, **rules):
    return FUNCTIONS[name]._replace(**rules)


WRONG = {
    "sign": ("sin", lambda u, v: (v.pool.neg(v.pool.call("cos", v)),)),
    "factor": ("exp", lambda u, v: (u * 1.01,)),
    "operand": ("tanh", lambda u, v: (1 - v**2,)),
}


@pytest.mark.parametrize("name, rule", WRONG.values(), ids=WRONG)
def test_a_wrong_rule_is_found_and_the_equation_is_named(name, rule, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(FUNCTIONS, name, broken(name, shown=rule, computed=None))
    report = check(tmp_path, capsys, f"input x = 0.7\nt = x^2\nw = {name}(t)\nu = 3w + t\nJ = log(u^2 + 1)\n", status=1)
    assert verdicts(report)["dJ/dx"] == "disagree" and verdicts(report)["dJ/du"] == "agree"
    culprit = next(g["culprit"] for g in report["gradients"] if g["variable"] == "x")
    assert culprit.startswith("∂w/∂t (line 3)")


def test_gradients_of_tables_recurrences_and_gathers(tmp_path, capsys):
    report = check(tmp_path, capsys, """data c[4] = [1, 3, 3, 2]
param E[3,2] = [[0.1, 0.2], [0.3, -0.4], [0.5, 0.6]], w = 0.8
h[0] = 0.1
h[k] = tanh(w*h[k-1] + E[c[k],1]*E[c[k],2]) for k in 1..4
J = sum(h)
minimize J
""", status=0)
    assert set(verdicts(report).values()) == {"agree"} and len(report["gradients"]) == 4


def test_what_is_wrong_is_said_and_the_next_file_is_checked(tmp_path, capsys):
    for name, text in {"a": "input x = 2\nJ = x^2\nclaim dJ/dx = x\n", "b": "J = xx\n", "c": "input x = 2\nJ = x^2\nexpect J = 5\n", "d": "input x = -2\nJ = log(x)\n", "e": "input x = 2\nJ = x^2\n"}.items():
        (tmp_path / f"{name}.graph").write_text(text, encoding="utf-8")
    assert main(["check", str(tmp_path), "--plain"]) == 1
    out, err = capsys.readouterr()
    heads = [line for line in out.splitlines() if not line.startswith(" ")]
    assert [": ok" in line for line in heads] == [False, False, False, False, True]
    assert "E101" in heads[1] and "E501" in heads[3] and "error[E101]" in err and "error[E501]" in err
    assert any("claim dJ/dx = x" in line and "1/2 times" in line for line in out.splitlines())


def test_leaves_without_values_leave_the_claims_to_judge(tmp_path, capsys):
    report = check(tmp_path, capsys, "input x\nJ = sin(x)\nclaim dJ/dx = cos(x)\nclaim dJ/dx = sin(x)\n", status=1)
    assert report["unset"] == ["x"] and [c["verdict"] for c in report["claims"]] == ["holds", "fails"]


def test_values_can_be_given(tmp_path, capsys):
    report = check(tmp_path, capsys, "input x\nJ = sin(x)\n", "--set", "x=2", status=0)
    assert verdicts(report)["dJ/dx"] == "agree"


@pytest.mark.parametrize("args", [["nowhere.graph"], ["--bogus"], []])
def test_a_wrong_command_line_is_status_2(args, capsys):
    assert main(["check", *args]) == 2


def test_a_folder_without_programs(tmp_path, capsys):
    assert main(["check", str(tmp_path)]) == 2
    assert "no .graph file" in capsys.readouterr().err
