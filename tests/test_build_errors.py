"""Wrong programs and what is said about them: code, line, and the words that a reader needs."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphlang.diagnostics import GraphError
from graphlang.given import UsageError
from graphlang.pipeline import loads

PROGRAMS = [p.read_text(encoding="utf-8") for p in sorted((Path(__file__).parents[1] / "programs").rglob("*.graph"))]

WRONG = {  # name: (program, code, line, words that occur in the message, the labels, the hints or the notes)
    "undefined name": ("J = u1 + ul\nu1 = sin(x)\ninput x = 2", "E101", 1, ["`ul` is not defined", "did you mean `u1`?", "`u1` is defined here"]),
    "undefined in a table": ("input x[1..3] = 1\nJ = sum(x[i]*w for i in 1..3)", "E101", 2, ["`w` is not defined"]),
    "its own value": ("input x = 1\ny = y + x", "E110", 2, ["`y` is defined by itself"]),
    "cycle of scalars": ("input x = 1\na = b + x\nb = c\nc = a\nJ = a", "E110", None, ["`a` → `b` → `c` → `a`"]),
    "cycle of elements": ("input x = 1\nh[0] = x\nh[k] = h[k-1] + h[k+1] for k in 1..2\nh[3] = x\nJ = h[2]", "E110", 3, ["`h[1]`", "`h[2]`", "depend on one another"]),
    "element by itself": ("input x = 1\nh[k] = h[k] + x for k in 1..2\nJ = h[1]", "E110", 2, ["`h[1]` is defined by itself"]),
    "double definition": ("input x = 1\ny = x\ny = 2x", "E102", 3, ["`y` is defined twice", "`y` is defined here first"]),
    "leaf and equation": ("input x = 1\nx = 2\nJ = x", "E102", 2, ["`x` is defined twice"]),
    "uncovered element": ("input x = 1\nz[0] = x\nz[j] = x for j in 2..3\nJ = sum(z)", "E224", None, ["`z[1]` is not defined"]),
    "element covered twice": ("input x = 1\nz[j] = x for j in 0..2\nz[2] = x\nJ = sum(z)", "E223", 3, ["`z[2]` is defined twice", "defined here first"]),
    "ranges differ": ("input x[1..3] = 1\ninput y[0..2] = 1\nJ = sum(x + y)", "E201", 3, ["`x` has the ranges 1..3", "`y` has the ranges 0..2"]),
    "contracted ranges differ": ("input A[2, 3] = 1\ninput y[2] = 1\nJ = sum(A @ y)", "E201", 3, ["`A` has the ranges 1..2, 1..3", "`y` has the ranges 1..2"]),
    "row with column": ("input x[3] = 1\nJ = sum(x + x.T)", "E202", 2, ["a row and a column", "outer product"]),
    "outside its range": ("input x[1..3] = 1\nJ = sum(x[i-1] for i in 1..3)", "E222", 2, ["`x[0]` is outside the range", "i = 1"]),
    "outside by a constant": ("input x[1..3] = 1\nJ = x[4]", "E222", 2, ["`x[4]` is outside the range"]),
    "index not bound": ("input x[1..3] = 1\ny[j] = x[1]\nJ = sum(y)", "E111", 2, ["`j` is not bound"]),
    "bare for disagrees": ("input x[1..3] = 1\ninput y[0..2] = 1\nJ = sum(x[j]*y[j] for j)", "E215", 3, ["`x` gives j in 1..3", "`y` gives j in 0..2"]),
    "bare for of nothing": ("input x = 1\nJ = sum(x*j for j)", "E214", 2, ["cannot be told"]),
    "unknown function": ("input x = 1\nJ = sine(x)", "E301", 2, ["no function `sine`", "did you mean"]),
    "wrong arity": ("input x = 1\nJ = sin(x, x)", "E302", 2, ["takes 1 argument, but 2 are given"]),
    "wrong arity of the author's": ("f(a, b) = a*b\ninput x = 1\nJ = f(x)", "E302", 3, ["`f` takes 2 arguments, but 1 is given"]),
    "missing value": ("input x\nJ = x^2", "E401", 1, ["`x` has no value", "--set x=1"]),
    "missing values": ("input x, w[0..1]\nJ = x*sum(w)", "E401", 1, ["`x`, `w` have no value", "--set x=1 --set w='[1,1]'"]),
    "no goal": ("input x = 1", "E402", None, ["nothing to differentiate"]),
    "several goals": ("input x = 1\ny = x\nz = 2x", "E402", 2, ["`y`, `z`", "minimize y"]),
    "table to minimise": ("input x[3] = 1\ny = 2*x\nminimize y", "E404", 3, ["is a scalar"]),
    "slice": ("input x[1..3] = 1\nJ = sum(x[1:2])", "E015", 2, []),
    "range as subscript": ("input x[1..3] = 1\nJ = sum(x[1..2])", "E015", 2, ["is a slice"]),
    "recursive function": ("f(v) = f(v - 1)\ninput x = 1\nJ = f(x)", "E109", 1, ["`f` calls itself", "recurrence"]),
    "variable called": ("input x = 1\ny = sigmoid(x)\nJ = y(1-y)", "E301", 3, ["y*("]),
    "subscript not whole": ("input x[1..3] = 1\nJ = x[1.5]", "E207", 2, ["whole number"]),
    "subscript of a product": ("input x[1..9] = 1\nJ = sum(x[i*i] for i in 1..3)", "E208", 2, ["subscript"]),
    "scalar with subscript": ("input x = 1\nJ = x[1]", "E203", 2, ["is a scalar"]),
    "too few subscripts": ("input A[2, 2] = 1\nJ = A[1]", "E204", 2, ["has 2 ranges", "A[i,j]"]),
    "max of nothing": ("input x[1..0]\nJ = max(x)", "E212", 2, ["empty range"]),
    "index named as a variable": ("input i = 1\ninput x[2] = 1\nJ = sum(x[i] for i in 1..2)*i", "E104", 3, ["`i` is a variable"]),
    "index bound twice": ("input x[2] = 1\nJ = sum(sum(x[i] for i in 1..2) for i in 1..2)", "E103", 2, ["in use already"]),
    "bound by a variable": ("input n = 2\ninput x[2] = 1\nJ = sum(x[i] for i in 1..n)", "E213", 3, ["not a const"]),
    "built-in as variable": ("input x = 1\nsin = x", "E105", 2, ["built-in"]),
    "wrong number of values": ("input x[1..3] = [1, 2]\nJ = sum(x)", "E216", 1, ["3 elements"]),
    "leaf that reads": ("input x = 1, y = 2x\nJ = y", "E403", 1, ["made of numbers and consts"]),
    "function that reads": ("input x = 1\nf(v) = v*x\nJ = f(2)", "E107", 2, ["only its arguments"]),
    "index not on the left": ("input x[2] = 1\ny[i] = x[j] for i in 1..2, j in 1..2\nJ = sum(y)", "E221", 2, ["`j` is not on the left"]),
}  # fmt: skip

AT_RUN_TIME = {
    "log of a negative": ("input x = -0.75\nu = 2x\nJ = log(u)", "E501", 3, ["log(-1.5)", "u = -1.5", "line 2"]),
    "log of 0": ("input x = 0\nJ = log(x)", "E501", 2, ["log(0)", "x = 0, an input (line 1)"]),
    "division by zero": ("input x = 0\nJ = 1/x", "E501", 2, ["division by zero", "x = 0, an input (line 1)"]),
    "overflow": ("input x = 800\nJ = exp(x)", "E502", 2, ["exp(800)", "x = 800, an input (line 1)"]),
    "in an element": ("input x[0..2] = [1, -4, 2]\nz[i] = sqrt(x[i]) for i\nJ = sum(z)", "E501", 2, ["`z[1]`", "sqrt(-4)", "x[1] = -4"]),
    "only the derivative": ("input x = 0\nJ = sqrt(x)", "E504", 2, ["dJ/dx"]),
    "a gather outside": ("input x[1..2] = 1\ndata c[1..2] = [1, 3]\nJ = sum(x[c[i]] for i)", "E506", 3, ["is no element of `x`"]),
}  # fmt: skip


def diagnostics(text):
    with pytest.raises(GraphError) as caught:
        loads(text, "wrong.graph").run()
    return caught.value.diagnostics, caught.value.source


def said(d):
    return "\n".join([d.message, d.text, *(label.text for label in d.labels), *d.hints, *d.notes])


def assert_says(text, code, line, words):
    found, source = diagnostics(text)
    assert [d.code for d in found] == [code]
    (d,) = found
    if line is not None:
        assert source.position(d.at.start)[0] == line
    for word in words:
        assert word in said(d), said(d)


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG)
def test_a_wrong_program_is_explained(case):
    assert_says(*case)


@pytest.mark.parametrize("case", AT_RUN_TIME.values(), ids=AT_RUN_TIME)
def test_a_value_that_is_not_finite_is_explained(case):
    assert_says(*case)


def test_nothing_is_evaluated_before_a_subscript_is_found_outside():
    found, _ = diagnostics("input x[1..3] = 0\ny = log(x[1])\nJ = y + x[5]")
    assert [d.code for d in found] == ["E222"]


def test_an_empty_sum_is_a_warning():
    run = loads("input x[1..0]\ninput y = 2\nJ = y + sum(x)").run(set={"x": []})
    assert [(d.code, d.severity) for d in run.diagnostics] == [("W201", "warning")]
    assert run.values["J"] == 2.0


def test_several_mistakes_are_several_diagnostics():
    found, source = diagnostics("input x = 1\na = sine(x)\nb = x[2]\nc = d1 + x\nJ = x")
    assert [(d.code, source.position(d.at.start)[0]) for d in found] == [("E301", 2), ("E203", 3), ("E101", 4)]


@pytest.mark.parametrize("broken", ["u = sine(x)", "u = x + missing", "u = x[1]", "u = u + x", "u[1] = x\nu[3] = x"])
def test_a_mistake_has_no_echo_in_what_uses_it(broken):
    found, _ = diagnostics(f"input x = 1\n{broken}\nv = sum(u) + 1\nw = 2*v\nJ = w + v")
    assert len(found) == 1


# ---- no garbage is answered with a traceback

TOKENS = ["=", "+", "*", "/", "^", "(", ")", "[", "]", ",", "..", "for", "in", "sum(", "x", "1", "0", "-1", "1e400", "\n", ";", "dJ/dx", "@", ".T", "input", "where(",
          "const", "max()", "5[1]", "x[x]", "[]", "[[1],[2,3]]", "inf", "nan", "α", "x²", '"', "#", "\0", "é", "1..0", "softmax(", "=="]  # fmt: skip


def pieces(text):
    """Tokens, roughly: words, numbers, blanks, single signs."""
    out, word = [], ""
    for c in text:
        if c.isalnum() or c in "_.":
            word += c
        else:
            if word:
                out.append(word)
            word = ""
            out.append(c)
    return [*out, word]


def mutated(seed):
    random = Random(seed)
    tokens = pieces(random.choice(PROGRAMS))
    for _ in range(random.randint(1, 4)):
        k, other = random.randrange(len(tokens)), random.randrange(len(tokens))
        match random.randrange(6):
            case 0:
                tokens[k] = ""
            case 1:
                tokens.insert(k, tokens[k])
            case 2:
                tokens[k], tokens[other] = tokens[other], tokens[k]
            case 3:
                tokens.insert(k, random.choice(TOKENS))
            case 4:
                tokens[k] = random.choice(TOKENS)
            case 5:
                tokens[k] = chr(random.randrange(1, 0x3000))
    return "".join(tokens)


@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.nightly)])
def test_no_garbage_is_answered_with_a_traceback(count):
    @settings(max_examples=count, deadline=None, database=None, derandomize=count == 300, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, 2**40))
    def law(seed):
        text = mutated(seed)
        try:
            loads(text).run()
        except (GraphError, UsageError):
            pass
        except Exception as error:
            raise AssertionError(f"{type(error).__name__}: {error}\n{text}") from error

    law()


@pytest.mark.parametrize("given, element", [("[9, 0]", "E[9, 1]"), ("[2.5, 1]", "E[2.5, 1]"), ("[-1, 1]", "E[-1, 1]")])
@pytest.mark.parametrize("body", ["w[d]*E[c[t],d]", "E[c[t],1]"])
def test_a_gather_that_finds_no_element_names_it(given, element, body):
    with pytest.raises(GraphError) as caught:
        loads(f"input E[0..3, 1..2] = 1, w[2] = 1\ndata c[2] = {given}\ns[t] = sum({body} for d in 1..2) for t in 1..2\nJ = sum(s)").run()
    (d,) = caught.value.diagnostics
    assert d.code == "E506" and f"`{element}`" in d.message and "0..3, 1..2" in d.hints[0]


@pytest.mark.parametrize("text, code", [
    ("J = x\ninput x = 1/0", "E501"), ("const c = 1/0\nJ = c*x\ninput x = 1", "E501"), ("J = x\nx = 2\nexpect J = 2 within -1", "E405"),
    ("y[i] = x[j] for i in 1..3\ninput x[3] = 1", "E111"), ("y[i,j] = x[i] for i in 1..3\ninput x[3] = 1", "E111"),
], ids=["an infinite leaf", "an infinite const", "a negative tolerance", "an unbound index read", "an unbound index defined"])  # fmt: skip
def test_what_a_newcomer_met(text, code):
    with pytest.raises(GraphError) as caught:
        loads(text).run()
    assert [d.code for d in caught.value.diagnostics] == [code]


@pytest.mark.parametrize("text, words", [("expect dJ/dxx = 3", "`xx` is not defined"), ("expect dK/dx = 3", "`K` is not defined"), ("expect dJ / dx = 4", "`dJ` is not defined")])
def test_half_a_derivative_is_named(text, words):
    with pytest.raises(GraphError) as caught:
        loads(f"J = x^2\nx = 2\n{text}").run()
    assert [d.message for d in caught.value.diagnostics] == [words]


@pytest.mark.parametrize("options", [{"scalar": True}, {"expand": True}, {"scalar": True, "expand": True}], ids=str)
def test_the_goal_is_the_same_in_every_view(options):
    run = loads("y[i] = 2x[i] + sin(x[i])*i for i in 1..3\nJ = y[3]\ninput x[3] = [1, 2, 3]").run(**options)
    assert str(run.passes[0].goal) == "J"


def test_every_undefined_name_is_reported_once():
    """Two in one equation, and one in an equation that depends on it."""
    with pytest.raises(GraphError) as caught:
        loads("J = x^2 + aa + bb*aa\nx = 1\nK = cc + J\nL = sum(q*J for q in 1..3)").run()
    assert [(d.code, d.message) for d in caught.value.diagnostics] == [("E101", f"`{n}` is not defined") for n in ("aa", "bb", "cc")]
