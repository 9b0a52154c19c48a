"""Forward mode: tangents beside values, and the same numbers as reverse mode."""

import json
from pathlib import Path

import graphlang as gl
import pytest
from graphlang.cli.main import main
from graphlang.derive.forward import directional_graph, tangent_graph
from graphlang.engines.reference import forward
from graphlang.graph.derived import derivative_name
from graphlang.graph.order import forward_order, plan

ROOT = Path(__file__).parents[1]
PROGRAMS = sorted(p for p in (ROOT / "programs").rglob("*.graph") if p.parent.name not in ("symbolic", "quizzes") and not p.stem.startswith("digits"))  # there are thousands of params
SURVEY = ROOT / "programs" / "published" / "survey_table2.graph"


def tangents(path, *options, capsys):
    assert main(["run", str(path), "--mode", "forward", "--json", *options]) == 0
    return json.loads(capsys.readouterr().out)["tangents"]


def test_the_forward_columns_of_the_survey(capsys):
    """Baydin et al. (2018), table 2: y = ln(x1) + x1 x2 - sin(x2) at (2, 5), differentiated by x1."""
    found = tangents(SURVEY, capsys=capsys)["x1"]
    assert {k: round(v, 3) for k, v in found.items()} == {"dx1/dx1": 1, "dv1/dx1": 0.5, "dv2/dx1": 5, "dv4/dx1": 5.5, "dv5/dx1": 5.5}


def test_what_does_not_depend_on_the_variable_has_no_tangent(capsys):
    assert "dv3/dx1" not in tangents(SURVEY, capsys=capsys)["x1"]
    assert main(["run", str(SURVEY), "--mode", "forward", "--wrt", "x1", "--plain", "--ascii"]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if line.strip().startswith("v3 =")]
    assert len(rows) == 1 and rows[0].rstrip().endswith("|")


GOLDEN = """\
survey_table2.graph, forward mode by x1
 Forward           value | Tangent                    value
 input x1              2 | dx1/dx1 = 1                    1
 v1 = ln(x1)    0.693147 | dv1/dx1 = 1/x1               0.5
 v2 = x1*x2           10 | dv2/dx1 = x2                   5
 v3 = sin(x2)  -0.958924 |
 v4 = v1 + v2    10.6931 | dv4/dx1 = dv1/dx1 + dv2/dx1  5.5
 v5 = v4 - v3    11.6521 | dv5/dx1 = dv4/dx1            5.5
"""


def test_the_table_as_it_is_printed(capsys):
    assert main(["run", str(SURVEY), "--mode", "forward", "--wrt", "x1", "--plain", "--ascii"]) == 0
    assert capsys.readouterr().out.startswith(GOLDEN)


def values(graph, leaves):
    found = {n: list(x) for n, x in leaves.items()}
    for _ in forward(graph, forward_order(plan(graph), None), found):
        pass
    return found


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_forward_and_reverse_mode_agree_on_every_program(path):
    """To 1e-13 of the adjoint or of 1: the same products, added in another order."""
    run = gl.load(path).run()
    p = run.passes[0]
    leaves = {n: run.flat[n] for n, v in run.graph.variables.items() if v.is_leaf}
    y = run.graph.variables[p.goal.name]
    at = 0
    for k, r in zip(p.goal.element or (), y.ranges):
        at = at * r.extent + k - r.low
    for name in p.derivative.variables:
        whole = values(tangent_graph(run.graph, name), leaves).get(derivative_name(run.graph.pool, p.goal.name, name))
        found = whole[at::y.size] if whole else [0.0] * run.graph.variables[name].size
        assert found == pytest.approx(p.sweep.adjoints[name], rel=1e-13, abs=1e-13), name
        direction = [1.0 + k % 3 for k in range(run.graph.variables[name].size)]
        along = values(directional_graph(run.graph, name, "~s", "~d"), {**leaves, "~s": direction}).get("~d" + p.goal.name, [0.0] * y.size)[at]
        assert along == pytest.approx(sum(a * d for a, d in zip(p.sweep.adjoints[name], direction)), rel=1e-12, abs=1e-12), name


def test_a_sum_over_a_part_of_a_table_has_tangents_of_that_part_only():
    run = gl.loads("input x[0..3] = [1, 2, 3, 4]\nJ = sum(x[i]^2 for i in 1..2)\nminimize J").run(mode="forward")
    (t,) = run.tangents
    assert t.values["dJ/dx"] == [0, 4, 6, 0]


def test_tables_of_elements_diagonals_and_gathers():
    run = gl.loads("""const c = 1
data k[3] = [2, 2, 1]
input A[2,2] = [[1, 2], [3, 5]]
t = sum(A[i,i] for i in 1..2)
g = sum(A[k[i],1]*i for i in 1..3)
J = t*g
minimize J""").run(mode="forward")
    assert run.tangents[0].values["dJ/dA"] == [x for row in run.adjoints["A"] for x in row] == [30, 0, 18, 12]  # g = 12, t = 6


def test_too_many_passes_are_refused_before_they_are_made():
    with pytest.raises(gl.UsageError, match="--wrt"):
        gl.loads("param W[2000,2000] = 1\nJ = sum(W)\nminimize J").run(mode="forward")


def test_expanded_and_scalar_views(capsys):
    quiz = ROOT / "programs" / "lecture" / "quiz1_equation.graph"
    found = tangents(quiz, "--expand", "--wrt", "x", capsys=capsys)["x"]
    assert found["dy/dx"] == pytest.approx(1208.38121512661, abs=1e-9)
    nn = ROOT / "programs" / "lecture" / "nn1_squared.graph"
    found = tangents(nn, "--scalar", "--wrt", "x", capsys=capsys)
    assert set(found) == {"x[0]", "x[1]", "x[2]"}
