"""Why a value or a derivative is not finite: the first one in the order of evaluation, the operation and its operands, where
those came from, and the spelling that would not have failed. Backward: which of the two factors."""

import pytest

from graphlang.cli.main import main
from graphlang.diagnostics import GraphError
from graphlang.pipeline import loads


def refused(text, **options):
    with pytest.raises(GraphError) as caught:
        loads(text).run(**options)
    (d,) = caught.value.diagnostics
    return d


# ---- forward


def test_the_first_bad_value_in_evaluation_order_is_named_not_the_first_in_the_text():
    d = refused("J = log(b) + 1/c\nb = a - 5\nc = a - 2\na = 2x\ninput x = 1")
    assert d.code == "E501" and "`J`" in d.message and d.text == "log(-3)"
    d = refused("J = y\ny = exp(u)\nu = 1/t\nt = x - 1\ninput x = 1")
    assert "`u` has no finite value: division by zero" in d.message and d.text == "1/0"


def test_where_the_operands_came_from_is_followed_to_the_leaves():
    d = refused("J = log(u)\nu = 2t\nt = s - 1\ns = x*y\ninput x = 0.5, y = -1")
    assert d.notes == ("u = -3, from u = 2*t (line 2)", "t = -1.5, from t = s - 1 (line 3)", "s = -0.5, from s = x*y (line 4)",
                       "x = 0.5, an input (line 5)", "y = -1, an input (line 5)")


def test_an_element_of_a_table_is_named_with_its_index():
    d = refused("J = sum(z)\nz[j] = log(a[j]) for j\na[j] = x[j] - 2 for j\ninput x[0..2] = [5, 1, 2]")
    assert "`z[1]`" in d.message and d.text == "log(-1)"
    assert d.notes == ("a[1] = -1, from a[j] = x[j] - 2 (line 3)", "x[1] = 1, an input (line 4)")


def test_inside_a_sum_the_index_is_told():
    d = refused("J = sum(x[i]/d[i] for i)\nd[i] = i - 2 for i in 1..3\ninput x = [1, 4, 1]")
    assert d.text == "4/0 where i = 2" and d.notes[0].startswith("x[2] = 4") and d.notes[1].startswith("d[2] = 0, from d[i] = i - 2")


def test_in_the_scalar_view_too():
    d = refused("J = sum(z)\nz[j] = log(x[j]) for j\ninput x = [1, -1]", scalar=True)
    assert "`z[2]`" in d.message and d.notes == ("x[2] = -1, an input (line 3)",)


@pytest.mark.parametrize("text, code, stable", [
    ("J = log(1 + exp(x))\ninput x = 800", "E501", "softplus(x)"), ("J = log(sigmoid(x))\ninput x = -800", "E502", "log_sigmoid(x)"),
    ("J = log(1 - sigmoid(x))\ninput x = 40", "E502", "log_sigmoid(-x)"), ("J = sum(w*exp(x)/sum(exp(x)))\ninput w[2] = 1, x[2] = 800", "E501", None),
    ("J = sum(w*(exp(x)/sum(exp(x))))\ninput w[2] = 1, x[2] = 800", "E501", "softmax(x)"), ("J = log(sum(exp(x)))\ninput x[2] = 800", "E502", "logsumexp(x)"),
    ("J = log(sum(exp(x)))\ninput x[2] = -800", "E502", "logsumexp(x)"), ("J = sqrt(sum(x^2))\ninput x[2] = 1e200", "E502", "norm(x)"),
    ("J = sqrt(x^2 + y^2)\ninput x = 1e200, y = 1", "E502", "hypot(x, y)"), ("J = x*log(x)\ninput x = 0", "E501", "xlogy(x, x)"),
    ("J = 1/log(1 + x)\ninput x = 1e-20", "E501", "log1p(x)"), ("J = log(x)\ninput x = 0", "E501", None), ("J = exp(x)\ninput x = 800", "E502", None),
    ("J = (exp(x) - 1)/x\ninput x = 0", "E501", None), ("J = x*log(x)\ninput x = -1", "E501", None),
])  # fmt: skip
def test_a_stable_spelling_is_proposed_where_it_has_a_value(text, code, stable):
    d = refused(text)
    assert d.code == code
    proposed = [h.rsplit("is ", 1)[1].strip("`") for h in d.hints if h.startswith("a stable spelling")]
    assert proposed == ([stable] if stable else [])
    if stable:
        first, rest = text.split("\n", 1)
        spelled = {"softmax(x)": "sum(w*softmax(x))", "log1p(x)": "1/log1p(x)"}.get(stable, stable)
        assert abs(loads(f"J = {spelled}\n{rest}").run(ieee=True)["J"]) < 1e300


def test_a_number_that_vanished_is_not_a_zero_of_the_author():
    assert refused("J = 1/exp(x)\ninput x = -800").code == "E502"
    assert refused("J = 1/(x*y)\ninput x = 1e-200, y = 1e-200").code == "E502"
    assert refused("J = 1/(x*y)\ninput x = 0, y = 1e-200").code == "E501"
    assert refused("J = log(x - x)\ninput x = 3").code == "E501"


# ---- backward


def test_backward_both_factors_are_told_with_the_element():
    d = refused("J = sum(r)\nr[i] = sqrt(v[i]) for i\nv[i] = x[i] - 1 for i\ninput x = [2, 1, 3]")
    assert d.code == "E504" and "`dJ/dv[2]` is not finite: the derivative of `r[2]` by `v[2]`" in d.message
    assert d.text == "dJ/dr[2] = 1, local derivative 1/(2*r[2]) = inf at r[2] = 0"
    assert d.notes == ("v[2] = 0, from v[i] = x[i] - 1 (line 3)", "x[2] = 1, an input (line 4)")


def test_the_upstream_adjoint_may_be_the_large_factor():
    d = refused("J = a*b\na = 1e200*x\nb = 1e200\ninput x = 1e-200")
    assert "the product of `dJ/da` and the local derivative is too large" in d.message
    assert d.text == "dJ/da = 1e+200, local derivative 1e200 = 1e+200"


def test_contributions_may_add_up_to_too_much():
    d = refused("J = a + b\na = 1e308*x\nb = 1e308*x\ninput x = 0.1")
    assert d.code == "E504" and "`dJ/dx`" in d.message and "add up" in d.message


def test_in_a_recurrence_the_last_step_is_the_first_on_the_way_back():
    d = refused("h[0] = x\nh[k] = sqrt(h[k-1]) for k in 1..3\nJ = h[3]\ninput x = 0")
    assert "`dJ/dh[2]`" in d.message and d.text.startswith("dJ/dh[3] = 1, local derivative 1/(2*h[3]) = inf")


@pytest.mark.parametrize("value, stable", [("sqrt(x^2)", "abs(x)"), ("sqrt(x^2 + y^2)", "hypot(x, y)"), ("sqrt(sum(u^2))", "norm(u)")])
def test_a_spelling_with_a_derivative_is_proposed(value, stable):
    d = refused(f"J = {value}\ninput x = 0, y = 0, u[2] = 0")
    assert d.code == "E504" and f"a stable spelling of `{'sqrt(sum(u[i]^2 for i in 1..2))' if 'u' in value else value}` is `{stable}`" in d.hints


def test_a_derivative_of_a_value_that_is_infinite_on_purpose_is_not_refused():
    """x*y with y = inf: what the derivative is made of is not finite either."""
    run = loads("J = where(x > 0, x*y, x)\ninput x = -1, y = inf").run()
    assert run.adjoints["x"] == 1


# ---- with --ieee nothing stops, and the first one is marked


@pytest.mark.parametrize("text, marked", [
    ("J = log(a)^2\na = x - 1\nb = 1/(x - 1)\nminimize J\ninput x = 1\n", "J = log(a)^2"),
    ("J = sum(r)\nr[i] = sqrt(v[i]) for i\nv[i] = x[i] - 1 for i\ninput x = [2, 1, 3]\n", "dJ/dv[i] = dJ/dr[i]*diff(r[i], v[i])"),
])
@pytest.mark.parametrize("mode", [[], ["--steps"]], ids=["table", "steps"])
def test_the_first_one_is_marked(text, marked, mode, tmp_path, capsys):
    path = tmp_path / "bad.graph"
    path.write_text(text, encoding="utf-8")
    assert main(["run", str(path), "--ieee", "--plain", "--ascii", *mode]) == 0
    lines = capsys.readouterr().out.splitlines()
    found = [line for line in lines if "not finite" in line and "note:" not in line]
    assert len(found) == 1 and marked in found[0]
    assert sum("first value that is not finite" in line for line in lines) == 1
