"""Matrix calculus: layouts, symbolic sizes, symmetric matrices, the nine types, opaque functions and the chain rule.

Rows S1, S22-S27 of the lecture.
"""

import json
from pathlib import Path

import graphlang as gl
import pytest
from graphlang.cli.main import main

SYMBOLIC = sorted((Path(__file__).parents[1] / "programs" / "symbolic").glob("*.graph"))


def grad(tmp_path, capsys, text, *options):
    file = tmp_path / "p.graph"
    file.write_text(text, encoding="utf-8")
    assert main(["grad", str(file), "--ascii", *options]) == 0
    return capsys.readouterr().out.splitlines()


def claims(tmp_path, capsys, text):
    file = tmp_path / "p.graph"
    file.write_text(text, encoding="utf-8")
    main(["check", str(file), "--json"])
    (report,) = json.loads(capsys.readouterr().out)
    return report["claims"]


@pytest.mark.parametrize("path", SYMBOLIC, ids=lambda p: p.stem)
def test_every_claim_of_the_symbolic_programs_holds(path, capsys):
    assert main(["check", str(path), "--json"]) == 0
    (report,) = json.loads(capsys.readouterr().out)
    assert report["claims"] and {c["verdict"] for c in report["claims"]} == {"holds"}


QUESTION = """dim P, K, M
input x[P]
opaque h(x)[K], g(u)[M]
u = h(x)
y = g(u)
"""
OPTIONS = {"A": "dy/du @ du/dx", "B": "(dy/du).T @ du/dx", "C": "dy/du @ (du/dx).T", "D": "(dy/du).T @ (du/dx).T", "E": "(dy/du @ du/dx).T"}


@pytest.mark.parametrize("option", OPTIONS.values(), ids=OPTIONS)
def test_every_option_of_the_chain_rule_question_fails_by_shape_and_then_by_value(option, tmp_path, capsys):
    """S27: with sizes that differ none fits; with all sizes 3 all five fit, and all five have the wrong value."""
    (claim,) = claims(tmp_path, capsys, QUESTION + f"claim dy/dx = {option}\n")
    assert claim["verdict"] == "fails"
    assert "with P = 2, K = 3, M = 4" in claim["why"] and "with all sizes 3 it fits, and its value is wrong" in claim["why"]


def test_option_d_is_conformable_and_transposed(tmp_path, capsys):
    (claim,) = claims(tmp_path, capsys, QUESTION + f"claim dy/dx = {OPTIONS['D']}\n")
    assert claim["why"].startswith("it is transposed")


@pytest.mark.parametrize("layout, right", [("denominator", "du/dx @ dy/du"), ("numerator", "dy/du @ du/dx")])
def test_the_chain_rule_in_both_layouts(layout, right, tmp_path, capsys):
    assert [c["verdict"] for c in claims(tmp_path, capsys, f"layout {layout}\n" + QUESTION + f"claim dy/dx = {right}\n")] == ["holds"]
    shape = "P×M" if layout == "denominator" else "M×P"
    assert grad(tmp_path, capsys, f"layout {layout}\n" + QUESTION) == [f"dy/dx = {right}    {shape}"]


def test_a_layout_holds_from_where_it_stands(tmp_path, capsys):
    text = "dim P\ninput x[P], b[P]\nclaim diff(b.T @ x, x) = b\nlayout numerator\nclaim diff(b.T @ x, x) = b.T\nclaim diff(b.T @ x, x) = b\n"
    assert [c["verdict"] for c in claims(tmp_path, capsys, text)] == ["holds", "holds", "fails"]


# S26: the table of vector derivatives as formulas
TABLE = [
    ("s*t", "t", "s", "1×1"), ("t^2", "t", "2*t", "1×1"), ("s*t^2", "t", "2*s*t", "1×1"),
    ("b.T @ x", "x", "b", "P×1"), ("x.T @ b", "x", "b", "P×1"), ("x.T @ x", "x", "2*x", "P×1"), ("x.T @ A", "x", "A", "P×P"),
    ("x.T @ A @ x", "x", "(A + A.T) @ x", "P×1"), ("x.T @ B @ x", "x", "2*B @ x", "P×1"), ("A @ x", "x", "A.T", "P×P"),
]


@pytest.mark.parametrize("of, wrt, formula, shape", TABLE, ids=[row[0] for row in TABLE])
def test_the_table_of_vector_derivatives(of, wrt, formula, shape, tmp_path, capsys):
    text = f"dim P\ninput x[P], b[P], A[P,P], s, t\ninput B[P,P] symmetric\ny = {of}\n"
    assert grad(tmp_path, capsys, text, "--jacobian", "--wrt", wrt) == [f"dy/d{wrt} = {formula}    {shape}"]


# S22-S25: (derivative of, by) → shape in the denominator and in the numerator layout; None: no standard matrix
TYPES = {
    ("y", "s"): ("1×1", "1×1"), ("v", "s"): ("1×N", "N×1"), ("Y", "s"): None,
    ("y", "x"): ("P×1", "1×P"), ("v", "x"): ("P×N", "N×P"), ("Y", "x"): None,
    ("y", "X"): ("P×Q", "Q×P"), ("v", "X"): None, ("Y", "X"): None,
}


@pytest.mark.parametrize("of, wrt", TYPES)
@pytest.mark.parametrize("layout", ["denominator", "numerator"])
def test_the_nine_types_of_derivative(of, wrt, layout, tmp_path, capsys):
    text = f"""layout {layout}
dim N, M, P, Q
input s, x[P], X[P,Q]
data c[N], C[M,N]
y = s*sum(x)*sum(X)
v[n] = c[n]*y for n in 1..N
Y[m,n] = C[m,n]*y for m in 1..M, n in 1..N
"""
    line = " ".join(part.strip() for part in grad(tmp_path, capsys, text, "--jacobian", "--goal", of, "--wrt", wrt))
    shapes = TYPES[of, wrt]
    if shapes is None:
        assert "no matrix" in line or "different books" in line
        assert " for " in line  # the index formula
    else:
        assert line.endswith("  " + shapes[layout == "numerator"])


def test_an_index_formula_keeps_both_indices_of_a_matrix():
    """The element of Y that is differentiated must not take the place of another index."""
    run = gl.loads("input s = 2\ndata C[2,2] = [[1, 2], [3, 4]]\nY = s*C\nJ = sum(Y)\nG[i,j] = diff(Y[i,j], s) for i in 1..2, j in 1..2\nminimize J").run()
    assert run["G"] == [[1, 2], [3, 4]]


def test_a_vector_as_terms_of_a_path():
    """S1: u = (x^2, 3x), y = u1*u2 at x = 2: dy/dx = u2*2x + u1*3 = 24 + 12 = 36."""
    run = gl.loads("input x = 2\nu[1] = x^2\nu[2] = 3x\ny = u[1]*u[2]\nminimize y\nclaim dy/dx = sum(diff(y, u[j])*diff(u[j], x) for j in 1..2)").run()
    assert run.adjoints["x"] == 36 and [v.verdict for v in run.claims] == ["holds"]
    assert run.evaluate("diff(y, u[1])*diff(u[1], x)") == 24 and run.evaluate("diff(y, u[2])*diff(u[2], x)") == 12


# ---- symbolic sizes, symmetric matrices and opaque functions that are used wrongly


def codes(text):
    with pytest.raises(gl.GraphError) as caught:
        gl.loads(text).run()
    return [d.code for d in caught.value.diagnostics]


def test_numbers_are_refused_where_sizes_are_symbolic():
    assert codes("dim P\ninput x[P]\ny = x.T @ x") == ["E408"]
    assert codes("input x[2] = 1\nopaque h(x)[3]\nu = h(x)\ny = sum(u)") == ["E408"]


def test_a_symbolic_size_can_be_given_a_number():
    run = gl.loads("dim P\ninput x[P] = 2\ny = x.T @ x").run(P=3)
    assert run["y"] == 12 and run.adjoints["x"] == [4, 4, 4]


@pytest.mark.parametrize("value", [-1, 2.5, [1]])
def test_a_size_is_a_whole_number(value):
    with pytest.raises(gl.UsageError, match="P"):
        gl.loads("dim P\ninput x[P] = 2\ny = x.T @ x").run(P=value)


def test_messages_name_symbolic_sizes():
    with pytest.raises(gl.GraphError) as caught:
        gl.loads("dim P, Q\ninput x[P], y[Q]\nz = x + y").graph
    assert "1..P" in caught.value.diagnostics[0].text and "1..Q" in caught.value.diagnostics[0].text


def test_symmetric_is_checked():
    assert codes("input B[2,2] symmetric = [[1, 2], [3, 4]]\nx = sum(B)") == ["E403"]
    assert codes("input B[2,3] symmetric = 1\nx = sum(B)") == ["E205"]
    run = gl.loads("input B[2,2] symmetric = [[1, 2], [2, 4]]\ninput x[2] = [1, 1]\ny = x.T @ B @ x").run()
    assert run.adjoints["B"] == [[1, 1], [1, 1]]  # the adjoint is not symmetrised


def test_random_symmetric_matrices_are_mirrored_and_worked_out_ones_checked():
    B = gl.loads("param B[3,3] symmetric = normal(0, 1)\nx = sum(B)").run()["B"]
    assert all(B[i][j] == B[j][i] for i in range(3) for j in range(3)) and len({x for row in B for x in row}) == 6
    assert codes("const c = 2\ninput B[2,2] symmetric = [[1, c], [3, 4]]\nx = sum(B)") == ["E403"]


@pytest.mark.parametrize("view", [{}, {"scalar": True}, {"expand": True}], ids=str)
def test_claims_and_expectations_are_about_the_matrix_that_was_drawn(view):
    """In every view: B is mirrored once, and nothing draws it again."""
    run = gl.loads("input B[3,3] symmetric = normal(0, 1)\ninput x[3] = [1, 2, 3]\nJ = x.T @ B @ x\nb = B[1,2] * 1\nc = B[2,1] * 1\n"
                   "claim dJ/dx[i] = 2*sum(B[i,j]*x[j] for j in 1..3) for i in 1..3\nclaim b = c\nexpect b = c").run(goal="J", **view)
    assert [c.verdict for c in run.claims] == ["holds", "holds"] and [e.holds for e in run.expectations] == [True]


def test_a_symmetric_value_is_checked_when_it_is_set():
    with pytest.raises(gl.UsageError, match="symmetric"):
        gl.loads("input B[2,2] symmetric\nx = sum(B)").run(B=[[1, 2], [3, 4]])


def test_opaque_functions_stand_alone():
    assert codes("input x[2] = 1\nopaque h(x)[3]\ny = sum(2*h(x))") == ["E308"]
    assert codes("input x[2] = 1, z = 2\nopaque h(x)[3]\nu = h(x, z)\ny = sum(u)") == ["E302"]
    assert codes("input x[2] = 1\nopaque h(x)[3]\nu = h(2*x)\ny = sum(u)") == ["E404"]


def test_a_matrix_by_a_scalar_has_no_whole_derivative():
    assert codes("input s = 2\ndata C[2,2] = 1\nY = s*C\nJ = sum(Y)\nG = 2*dY/ds\nminimize J") == ["E205"]
