"""`derivative f(v) = …`: the author's form of a function's derivative is what is shown, never what is computed, and one that is
wrong is refused with a point at which it is."""

import json
import math

import pytest

import graphlang as gl
from graphlang.derive.reverse import RAW, SHOWN, local
from graphlang.diagnostics import GraphError
from graphlang.graph.expressions import Pool, postorder
from graphlang.graph.functions import FUNCTIONS
from graphlang.graph.rules import match
from graphlang.graph.spell import formula
from graphlang.syntax.format import SOURCE

SIGMA = "sigma(v) = 1/(1 + exp(-v))\nderivative sigma(v) = sigma(v)*(1 - sigma(v))\n"
SQUARE = "sq(v) = v^2\nderivative sq(v) = v + v\n"


def locals_of(text, form=SHOWN, **options):
    """What is shown as local derivative, by `u/v`."""
    derivative = gl.loads(text).derivative(**options)
    return {f"{c.source.target}/{c.variable}": formula(local(c, form), SOURCE) for terms in derivative.incoming.values() for c in terms}


def refused(text):
    with pytest.raises(GraphError) as e:
        gl.loads(text).graph
    return e.value


# ---- what is shown


@pytest.mark.parametrize("text, shown", [
    ("y = sigma(a)\ninput a = 1", {"y/a": "y*(1 - y)"}),
    ("y = sigma(2a)\ninput a = 1", {"y/a": "2*y*(1 - y)"}),
    ("y[i] = sigma(a[i]) for i in 1..2\nJ = sum(y)\ninput a[2] = [0, 1]", {"y/a": "y[i]*(1 - y[i])", "J/y": "1"}),
    ("y = sigma(a)\nJ = sum(y)\ninput a[2] = [0, 1]", {"y/a": "y[i]*(1 - y[i])", "J/y": "1"}),
    ("y = sum(sigma(a[i])*i for i in 1..3)\ninput a[3] = 1",
     {"y/a": "i*(1 - 1/(1 + exp(-a[i])))/(1 + exp(-a[i]))"}),
], ids=lambda x: x.split("\n")[0] if isinstance(x, str) else "")  # fmt: skip
def test_a_rule_is_the_form_that_is_shown(text, shown):
    assert locals_of(SIGMA + text) == shown


def test_a_rule_names_the_arguments_as_it_likes():
    assert locals_of("sq(v) = v^2\nderivative sq(t) = t + t\nJ = sq(x)\ninput x = 3") == {"J/x": "x + x"}


def test_raw_shows_the_derivative_of_the_body():
    assert locals_of(SQUARE + "J = sq(x)\ninput x = 3", RAW) == {"J/x": "2*x"}


def test_only_what_calls_the_function_is_shown_by_its_rule():
    """`x^2` is alike, and nobody called it `sq`."""
    assert locals_of(SQUARE + "y = sq(x)\nz = x^2\nJ = y*z\ninput x = 3") == {"J/y": "z", "J/z": "y", "y/x": "x + x", "z/x": "2*x"}


def test_a_function_that_calls_one_with_a_rule_is_shown_by_it():
    assert locals_of(SQUARE + "f(a) = 3sq(a)\nJ = f(x)\ninput x = 3") == {"J/x": "3*(x + x)"}


def test_the_nearest_function_s_rule_counts():
    text = SQUARE + "f(a) = sq(a)\nderivative f(a) = 2a\nJ = {}(x)\ninput x = 3"
    assert (locals_of(text.format("f")), locals_of(text.format("sq"))) == ({"J/x": "2*x"}, {"J/x": "x + x"})


def test_an_argument_without_a_rule_has_the_derivative_of_the_body():
    text = "f(a, b) = a*exp(b)\nderivative f(p, q) wrt p = exp(q)/1\nJ = f(x, z)\ninput x = 2, z = 3"
    assert locals_of(text) == {"J/x": "exp(z)", "J/z": "x*exp(z)"}


def test_arguments_that_are_calls_themselves():
    got = locals_of(SQUARE + "J = sq(sq(x) + 1)\ninput x = 3")
    assert got == {"J/x": "(x^2 + 1 + (x^2 + 1))*(x + x)"}


def test_a_number_or_an_index_as_argument_has_no_derivative():
    assert locals_of("f(a, k) = a^2*k\nderivative f(a, k) wrt a = 2*a*k\nJ = sum(f(x[i], i) + f(x[i], 3) for i in 1..2)\ninput x[2] = [1, 2]") == {
        "J/x": "2*x[i]*i + 6*x[i]"}


def test_a_body_with_branches_or_sums_is_one_step():
    text = "rel(v) = where(v > 0, v, 0)\nderivative rel(v) = v > 0\np(v) = sum(v^k for k in 1..2)\nderivative p(v) = 1 + 2v\nJ = rel(x) + p(z)\ninput x = 3, z = 2"
    assert locals_of(text) == {"J/x": "x > 0", "J/z": "1 + 2*z"}


def test_in_the_scalar_view_too():
    assert locals_of(SQUARE + "y[i] = sq(a[i]) for i in 1..2\nJ = sum(y)\ninput a[2] = [0, 1]", scalar=True) == {
        "J/y[1]": "1", "J/y[2]": "1", "y[1]/a[1]": "a[1] + a[1]", "y[2]/a[2]": "a[2] + a[2]"}


# ---- what is computed


def test_the_value_comes_from_the_body_and_a_lossy_form_is_noted():
    """y(1 - y) at a = 40 is 0; sigmoid'(40) = e^-40/(1 + e^-40)² = 4.248354255291589e-18."""
    run = gl.loads(SIGMA + "y = sigma(a)\ninput a = 40").run()
    assert run.adjoints["a"] == pytest.approx(4.248354255291589e-18, rel=1e-15)  # one rounding
    assert any("the form shown loses digits here: it gives 0" in note for note in run.notes)


def test_a_rule_changes_no_bit_of_any_number():
    text = "f(a, b) = a*exp(-b^2)\n{}J = f(x, z) + f(z, x)\ninput x = 0.3, z = 1.7"
    rules = "derivative f(a, b) wrt b = -2b*f(a, b)\nderivative f(a, b) wrt a = exp(-b^2)\n"
    with_rules, without = (gl.loads(text.format(r)).run() for r in (rules, ""))
    assert with_rules.adjoints == without.adjoints and with_rules.values == without.values


def test_formulas_with_a_rule_read_back_to_the_value_beside_them():
    run = gl.loads(SIGMA + "z = sigma(a)\nJ = sum(z[i]^2 for i in 1..3)\ninput a[3] = [0, 1, -2]").run()
    (row,) = [r for r in json.loads(run.json())["backward"] if r["name"] == "a"]
    (c,) = row["contributions"]
    assert c["local"] == "z[i]*(1 - z[i])"
    assert run.evaluate(c["local"] + " for i in 1..3") == pytest.approx(c["local_value"], rel=1e-15)  # the same operations


# ---- what is refused

WRONG = {
    "sign": ("f(v) = 1/(1 + exp(-v))", "derivative f(v) = -f(v)*(1 - f(v))", "at v = 0.7 it gives -0.221713, the derivative of the body is 0.221713", "sign is wrong"),
    "factor 2": ("f(v) = v^2", "derivative f(v) = v", "at v = 0.7 it gives 0.7, the derivative of the body is 1.4", "everywhere it is 1/2 times"),
    "inner derivative": ("f(v) = sin(3v)", "derivative f(v) = cos(3v)", "at v = 0.7 it gives -0.504846, the derivative of the body is -1.51454", "1/3 times"),
    "another argument": ("f(a, b) = a*b^2", "derivative f(a, b) wrt b = b^2", "at a = 0.7, b = 1.3 it gives 1.69, the derivative of the body is 1.82", "derivative by `a`"),
    "the function": ("f(v) = v^3", "derivative f(v) = v^3", "at v = 0.7 it gives 0.343, the derivative of the body is 1.47", "the function itself"),
    "a constant": ("f(v) = v^2", "derivative f(v) = 2v + 1", "at v = 0.7 it gives 2.4, the derivative of the body is 1.4", "plus 1 everywhere"),
    "zero": ("f(v) = v^2", "derivative f(v) = 0", "at v = 0.7 it gives 0, the derivative of the body is 1.4", "0 everywhere"),
    "one side of a kink": ("f(v) = where(v > 0, v, 0)", "derivative f(v) = 1", "at v = -0.7 it gives 1, the derivative of the body is 0", "right where v > 0"),
    "nothing simple": ("f(v) = exp(v)*v", "derivative f(v) = exp(v)*v + 1", "at v = 0.7 it gives 2.40963, the derivative of the body is 3.42338", ""),
    "the tenth digit": ("f(v) = v^2", "derivative f(v) = 2.00000001v", "at v = 0.7 it gives 1.400000007, the derivative of the body is 1.4", ""),
    "no value": ("f(v) = v^3", "derivative f(v) = 3exp(2log(v))", "at v = -0.7 the derivative of the body is 1.47", ""),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_rule_is_refused_with_a_counterexample_and_what_kind_of_slip_it_is(case):
    function, rule, counterexample, slip = WRONG[case]
    error = refused(f"{function}\n{rule}\nJ = x\ninput x = 1")
    (d,) = error.diagnostics
    assert d.code == "E114" and counterexample in d.text
    assert slip in "".join(d.notes) and bool(slip) == bool(d.notes)
    assert error.source.at(d.at) == rule.partition(" = ")[2] and error.source.at(d.labels[0].span) == "f"


@pytest.mark.parametrize("text, code, place, words", [
    ("derivative sgma(v) = 2", "E113", "sgma", "did you mean `sigma`?"),
    ("derivative sin(v) = cos(v)", "E113", "sin", "built-in"),
    ("derivative sigma(a, b) wrt a = 2", "E113", "sigma", "takes 1 argument"),
    ("derivative f(a, b) = 2", "E113", "f", "wrt a"),
    ("derivative f(a, b) wrt c = 2", "E113", "c", "`a`, `b`"),
    ("derivative f(a, a) wrt a = 2", "E103", "derivative f(a, a) wrt a = 2", "same name"),
    ("derivative f(a, b) wrt a = b\nderivative f(b, a) wrt b = a", "E102", "f", "given twice"),
    ("derivative sigma(v) = x", "E107", "x", "not `x`"),
    ("derivative sigma(v) = [v, v]", "E307", "[v, v]", "gives a table"),
    ("derivative sigma(v) = vv", "E107", "vv", "not `vv`"),
])  # fmt: skip
def test_a_rule_that_is_about_nothing_is_refused_at_its_place(text, code, place, words):
    error = refused("sigma(v) = 1/(1 + exp(-v))\nf(a, b) = a*b\nJ = f(x, sigma(x))\ninput x = 1\n" + text)
    (d,) = error.diagnostics
    assert (d.code, error.source.at(d.at)) == (code, place)
    assert words in "\n".join([d.message, d.text, *d.hints])


def test_all_wrong_rules_are_told_at_once():
    error = refused("f(v) = v^2\ng(v) = v^3\nderivative f(v) = v\nderivative g(v) = v\nJ = x\ninput x = 1")
    assert [d.code for d in error.diagnostics] == ["E114", "E114"]


def test_a_rule_is_judged_with_the_consts_of_the_run():
    program = gl.loads("const K = 2\nf(v) = v^K\nderivative f(v) = 2*v^(K - 1)\nJ = f(x)\ninput x = 3")
    assert program.run().adjoints["x"] == 6
    with pytest.raises(GraphError) as e:
        program.run(K=3)
    assert e.value.diagnostics[0].code == "E114"


def test_a_rule_that_cannot_be_tested_is_a_warning():
    program = gl.loads("f(v) = log(v - 1e6)\nderivative f(v) = 1/(v - 1e6)\nJ = f(x)\ninput x = 2e6")
    assert [(d.code, d.severity) for d in program.graph.warnings] == [("W102", "warning")]


# ---- right rules are never refused

ROWS = [r for r in FUNCTIONS.values() if r.shown is not None and r.name.isidentifier() and not r.name.startswith("_") and r.name not in ("neg", "where", "digamma")]


def written(row, change="{}"):
    """A function that is one of the table, with its row's shown derivatives as rules."""
    pool, names = Pool(), "abc"[: row.arity[1]]
    args = [pool.read(n) for n in names]
    signature = f"f({', '.join(names)})"
    rules = [formula(pool.lift(e), SOURCE) for e in row.shown(pool.call(row.name, *args), *args)]
    lines = [f"derivative {signature} wrt {n} = {change.format(rule)}" for n, rule in zip(names, rules)]
    return "\n".join([f"{signature} = {row.name}({', '.join(names)})", *lines, "J = x\ninput x = 1"])


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_shown_form_of_every_function_is_accepted_as_its_rule(row):
    assert gl.loads(written(row)).graph.warnings == ()


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_negative_of_every_function_s_derivative_is_refused(row):
    found = refused(written(row, "-({})")).diagnostics
    assert {d.code for d in found} == {"E114"} and all("sign is wrong" in "".join(d.notes) for d in found)


@pytest.mark.parametrize("function, rule", [
    ("1/(1 + exp(-v))", "exp(-v)/(1 + exp(-v))^2"),
    ("1/(1 + exp(-40v))", "40f(v)*(1 - f(v))"),
    ("tanh(v)", "1 - f(v)^2"),
    ("sin(v^2)", "2v*cos(v*v)"),               # at 1000 the argument's rounding turns the cosine
    ("sin(exp(v))", "exp(v)*cos(exp(v))"),
    ("log(1 + v^2)", "2v/(v^2 + 1)"),
    ("abs(v)", "v/abs(v)"),                     # no value at the kink
    ("where(v > 0, v, 0)", "v >= 0"),           # another convention at the kink
    ("max(v, 1 - v)", "where(v > 0.5, 1, -1)"),
    ("sqrt(1 - v^2)", "-v/f(v)"),
    ("acosh(v)", "(v^2 - 1)^(-1/2)"),
    ("v^3 - 3v", "3(v - 1)*(v + 1)"),
    ("(exp(v) - exp(-v))/2", "cosh(v)"),
    ("log(v)^2/v", "(2log(v) - log(v)^2)/v^2"),
    ("v", "1"),
    ("floor(3v)", "0"),
    ("mod(v, 2)", "1"),
    ("sum(v^k/k for k in 1..6)", "sum(v^(k-1) for k in 1..6)"),
    ("exp(-1/v^2)", "2f(v)/v^3"),
    ("1e10*v", "1e10"),
    ("lgamma(v)", "digamma(v)"),
])  # fmt: skip
def test_a_right_rule_in_any_form_is_accepted(function, rule):
    assert gl.loads(f"f(v) = {function}\nderivative f(v) = {rule}\nJ = f(x)\ninput x = 1.5").graph.warnings == ()


# ---- finding a call again


def test_a_shape_matches_with_one_expression_for_each_argument():
    pool = Pool()
    a, b, x, y = pool.index("~a"), pool.index("~b"), pool.read("x"), pool.read("y")
    shape = pool.call("+", pool.call("*", a, b), a)
    assert match(shape, pool.call("+", pool.call("*", x, y), x), ("~a", "~b")) == {"~a": x, "~b": y}
    assert match(shape, pool.call("+", pool.call("*", x, y), y), ("~a", "~b")) is None
    assert match(shape, pool.call("-", pool.call("*", x, y), x), ("~a", "~b")) is None


def test_a_shape_with_a_bound_index_matches_under_another_name_and_captures_nothing():
    pool = Pool()
    two = pool.number(2)

    def total(index, of):
        return pool.reduce("sum", (pool.bound(index, pool.one, two),), pool.call("*", of, pool.index(index)))

    shape = total("k", pool.index("~a"))
    assert match(shape, total("j", pool.read("x", (pool.index("i"),))), ("~a",)) == {"~a": pool.read("x", (pool.index("i"),))}
    assert match(shape, total("j", pool.read("x", (pool.index("j"),))), ("~a",)) is None


def test_a_deep_body_whose_parts_are_shared_is_matched_in_time():
    """Each function doubles the last: 2^40 leaves, 40 nodes."""
    doubling = "f0(v) = v\n" + "".join(f"f{n}(v) = f{n - 1}(v) + f{n - 1}(v)\n" for n in range(1, 41))
    text = f"{doubling}derivative f40(v) = {2**40}\nJ = f40(x)\ninput x = 1"
    assert locals_of(text) == {"J/x": f"{2**40}"}
    assert len(list(postorder(gl.loads(text).graph.equations[0].value))) == 41
    assert math.log2(gl.loads(text).run().adjoints["x"]) == 40
