"""A text that isn't a program is explained: the code, the place, and words of the message, the label or the hints."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphlang.diagnostics import GraphError, Source
from graphlang.syntax import parser
from graphlang.codes import CODES


def mistakes(text):
    """(code, line, column, everything said) of each diagnostic."""
    source = Source("bad.graph", text)
    with pytest.raises(GraphError) as wrong:
        parser.parse(source)
    assert wrong.value.source is source
    return [(d.code, *source.position(d.at.start), " | ".join((d.message, d.text, *d.hints))) for d in wrong.value.diagnostics]


ONE_MISTAKE = [
    # an operator is missing
    ("y = x z", "E002", 1, 7, ["`x`", "`z`", "`y = x*z`"]),
    ("y = 2 x", "E002", 1, 7, ["`y = 2*x`"]),
    ("y = x 2", "E002", 1, 7, ["`y = x*2`"]),
    ("y = (a+b)(c+d)", "E002", 1, 10, ["`y = (a+b)*(c+d)`"]),
    ("y = (a+b)c", "E002", 1, 10, ["`y = (a+b)*c`"]),
    ("y = f(a b)", "E002", 1, 9, ["`y = f(a*b)`"]),
    ("y = [1 2]", "E002", 1, 8, ["comma", "`y = [1, 2]`"]),
    ("J = sin x", "E002", 1, 9, ["function", "`J = sin(x)`"]),
    ("J = " + "sin " * 5000 + "x", "E002", 1, 9, ["function", "write `sin(sin(", " …`"]),
    ("y = sin^2 cos^2 x", "E002", 1, 11, ["`y = sin(cos(x)^2)^2`"]),
    ("y = sin cos^2 sqrt x + 1", "E002", 1, 9, ["`y = sin(cos(sqrt(x))^2) + 1`"]),
    ("J = 3 + sqrt 2x/5", "E002", 1, 14, ["`J = 3 + sqrt(2x)/5`"]),
    ("J = exp a[1] + 1", "E002", 1, 9, ["`J = exp(a[1]) + 1`"]),
    ("J = log dJ/dx", "E002", 1, 9, ["`J = log(dJ/dx)`"]),
    ("J = sin cos x", "E002", 1, 9, ["`J = sin(cos(x))`"]),
    ("J = sin^2 x", "E002", 1, 11, ["`J = sin(x)^2`"]),
    ("J = sin x^2", "E002", 1, 9, ["`sin(x^2)` or `sin(x)^2`"]),
    ("J = sum x[i] for i in 1..3", "E002", 1, 9, ["`sum(x[i] for i in 1..3)`"]),
    ("y[i] = sin x[i] for i in 1..3", "E002", 1, 12, ["`y[i] = sin(x[i]) for i in 1..3`"]),
    ("input x y", "E002", 1, 9, ["comma", "`input x, y`"]),
    ("set seed 3", "E002", 1, 10, ["`set seed = 3`"]),
    # brackets
    ("y = 2 + (x*3", "E003", 1, 9, ["`(`", "never closed"]),
    ("y = [1, 2,", "E003", 1, 5, ["`[`"]),
    ("y = f(", "E003", 1, 6, ["`(`"]),
    ("z[j = 3", "E003", 1, 2, ["`[`"]),
    ('quiz a "t" { x = {1}', "E003", 1, 12, ["`{`"]),
    ("y = 2 + x)*3", "E004", 1, 10, ["`)` closes nothing", "`y = 2 + x*3`"]),
    ("y = (x]", "E004", 1, 7, ["`(` is closed by `]`", "`y = (x)`"]),
    ("}", "E004", 1, 1, ["closes nothing"]),
    # `==` and other signs
    ("x == 5", "E005", 1, 3, ["`x = 5`"]),
    ("claim a == b", "E005", 1, 9, ["`claim a = b`"]),
    ("y := 3", "E021", 1, 3, ["`:=`", "`y = 3`"]),
    ("y => 3", "E021", 1, 3, ["`=>`", "`y = 3`"]),
    ("y <- 3", "E021", 1, 3, ["`<-`", "`y = 3`"]),
    ("y += 3", "E021", 1, 3, ["`+=`", "defined once"]),
    ("y **= 3", "E021", 1, 3, ["`**=`", "defined once"]),
    ("y = a -> b", "E021", 1, 7, ["`->`"]),
    # two readings
    ("y = 1/2x", "E006", 1, 7, ["`1/(2x)`", "`1/2*x`"]),
    ("y = 1/2(x + 1)", "E006", 1, 7, ["`1/(2(x + 1))`", "`1/2*(x + 1)`"]),
    ("y = x^2y", "E006", 1, 7, ["`x^(2y)`", "`x^2*y`"]),
    ("y = x**2y", "E006", 1, 8, ["`x**(2y)`"]),
    ("y = x/-2y", "E006", 1, 7, ["`x/(-2y)`", "`x/-2*y`"]),
    ("y = 2^-3x", "E006", 1, 7, ["`2^(-3x)`", "`2^-3*x`"]),
    ("y = 2^3^2x", "E006", 1, 9, ["`3^(2x)`"]),
    # numbers
    ("y = 2.x", "E007", 1, 5, ["`2.x`", "`2*x`"]),
    ("y = 2.(x + 1)", "E007", 1, 5, ["`2*(`"]),
    ("y = 0x10", "E007", 1, 5, ["`16`", "`0*x10`"]),
    ("y = 0b11", "E007", 1, 5, ["`3`", "`0*b11`"]),
    ("y = 1_000", "E007", 1, 5, ["`1000`"]),
    ("y = 3.4.5", "E007", 1, 5, ["`3.4.5` is not a number", "one dot"]),
    ("y = 2*1.2.3.4x", "E007", 1, 7, ["`1.2.3.4`"]),
    ("y = 1e5.5", "E007", 1, 5, ["`1e5.5`", "integer"]),
    ("y = 1e400", "E008", 1, 5, ["too large"]),
    ("y = " + "9" * 400, "E008", 1, 5, ["too large"]),
    ("e1 = 3; y = 2e1", "E009", 1, 13, ["`2*e1`", "`20`"]),
    ("e2x = 1; y = 3e2x", "E009", 1, 14, ["`3*e2x`", "`300*x`"]),
    # names and characters
    ("y = x²", "E010", 1, 5, ["`x^2`"]),
    ("y = ½x", "E010", 1, 5, ["`x/2`"]),
    ("u₁ = 3", "E010", 1, 1, ["`u1`"]),
    ("y = (a+b)²", "E010", 1, 10, ["`y = (a+b)^2`"]),
    ("input x²", "E010", 1, 7, ["`x^2`"]),
    ("y = a ≤ b", "E022", 1, 7, ["`<=`"]),
    ("y = x'", "E022", 1, 6, ["`.T`"]),
    ("y = a % b", "E022", 1, 7, ["`mod(a, b)`"]),
    ("y = \u00a0x", "E022", 1, 5, ["U+00A0", "no-break space"]),
    ("y = x.y", "E022", 1, 6, ["`z[j]`"]),
    ("y = {1, 2}", "E022", 1, 5, ["`[ ]`"]),
    ('y = csv("a', "E028", 1, 9, ["not closed"]),
    # semicolons in brackets
    ("y = [1; 2]", "E011", 1, 7, ["[[1, 2], [3, 4]]"]),
    ("y = f(1 ; 2)", "E011", 1, 9, ["`,`"]),
    ("y = f(1\n;2)", "E011", 2, 1, ["`,`"]),
    # conditions
    ("y = a and b", "E012", 1, 7, ["`a*b`"]),
    ("y = a or b", "E012", 1, 7, ["`max(a, b)`"]),
    ("y = not a", "E012", 1, 5, ["`1 - c`"]),
    ("y = a && b", "E012", 1, 7, ["`a*b`"]),
    ("y = a < b < c", "E013", 1, 11, ["`(a < b)*(b < c)`"]),
    ("a < b", "E025", 1, 3, ["`expect a < b`"]),
    ("claim a < b", "E025", 1, 9, ["`expect a < b`"]),
    # signs and operands
    ("y = +3", "E014", 1, 5, ["`y = 3`"]),
    ("y = a * +3", "E014", 1, 9, ["`y = a * 3`"]),
    ("y = a +", "E023", 1, 7, ["after `+`"]),
    ("y = a * / b", "E023", 1, 9, ["after `*`"]),
    ("y = a * b -", "E023", 1, 11, ["or delete it"]),
    ("y = f(, a)", "E023", 1, 7, ["`y = f(a)`"]),
    ("y = [1,,2]", "E023", 1, 8, ["`y = [1,2]`"]),
    ("y = x[]", "E023", 1, 7, ["`x[1]`"]),
    ("y = x for i in 1..", "E023", 1, 17, ["`1..3`"]),
    ("y = * b", "E018", 1, 5, ["`y = b`"]),
    ("y = f(a, )", "E023", 1, 8, ["comma", "`y = f(a)`"]),
    ("y = ()", "E023", 1, 6, ["expression"]),
    ("y =", "E018", 1, 3, ["right side"]),
    ("y = # later", "E018", 1, 3, ["right side"]),
    ("input x =", "E018", 1, 9, ["right side", "`input x`"]),
    ("= 3", "E019", 1, 1, ["left side", "`y = 3`"]),
    ("y = a\n  + b", "E026", 2, 3, ["`+`", "the line above"]),
    # tables and derivatives
    ("y = x[1..2]", "E015", 1, 7, ["slice", "in 1..2"]),
    ("y = sum(x[1:3])", "E015", 1, 11, ["`1:3` is a slice", "`x[i] … for i in 1..3`"]),
    ("y = i[2, k:n+1]", "E015", 1, 10, ["`i[j] … for j in k..n+1`"]),
    ("y = x[:]", "E015", 1, 7, ["`x[i] … for i in 1..n`"]),
    ("input x[1:3]", "E029", 1, 10, ["two dots", "`1..3`"]),
    ("x[1..2] = 3", "E015", 1, 3, ["slice"]),
    ("a[j+1] = 3*j for j in 1..3", "E016", 1, 3, ["`j+1`", "`a[j]`"]),
    ("a[c[1]] = 3", "E016", 1, 3, ["`c[1]`"]),
    ("input z[3], a[3]; claim dz[j]/da[j] = 1 for j in 1..3", "E017", 1, 25, ["`diff(z[j], a[j])`"]),
    ("input J, x; y = d2J/dx2", "E017", 1, 17, ["`diff(J, x, x)`"]),
    ("input J, x; y = d2J/dx^2", "E017", 1, 17, ["`diff(J, x, x)`"]),
    ("y = d^2J/dx^2", "E017", 1, 5, ["`diff(J, x, x)`"]),
    ("y = ∂z[j]/∂a[j]", "E022", 1, 5, ["`partial(z[j], a[j])`"]),
    # the left side
    ("x + 1 = 3", "E020", 1, 1, ["`x + 1`", "solve"]),
    ("f(2) = 3", "E020", 1, 1, ["`f[2]`", "`f(v)`"]),
    ("dJ/dx = 3", "E020", 1, 1, ["`claim dJ/dx = 3`"]),
    ("3 = y", "E020", 1, 1, ["`y = 3`"]),
    ("(y) = 3", "E020", 1, 1, ["`(y)`"]),
    ("x[1][2] = 3", "E020", 1, 1, ["`x[1][2]`"]),
    ("f(v) = v for j in 1..3", "E020", 1, 1, ["no `for`"]),
    ("override f(v) = v", "E020", 1, 10, ["`override`"]),
    # statements
    ("x + 1", "E025", 1, 1, ["`y = x + 1`"]),
    ("y", "E025", 1, 1, ["`output y`"]),
    ("y = a = b", "E001", 1, 7, ["second `=`", "`==`"]),
    ("minimise J", "E001", 1, 1, ["`minimize`"]),
    ("inptu x = 2", "E001", 1, 1, ["`input`"]),
    ("a, b = 3", "E001", 1, 2, ["`,`"]),
    ("y = 2..3", "E001", 1, 6, ["`..`", "range"]),
    ("expect y", "E027", 1, 1, ["`expect`", "within"]),
    ("claim dJ/dx", "E027", 1, 1, ["`claim left = right`"]),
    ("layout sideways", "E027", 1, 8, ["`layout numerator`"]),
    ("include foo", "E027", 1, 9, ['`include "base.graph"`']),
    ("input 3", "E027", 1, 7, ["`input x = 2`"]),
    ("set seed", "E027", 1, 1, ["`set seed = 0`"]),
    ("train {\n rate: 0.1\n epochs 3\n}", "E027", 3, 2, ["`rate: 0.1`"]),
    ("train {\n data: csv(\"a.csv\") x[1..M], y\n}", "E002", 2, 21, ["a comma is missing", "`data: csv(\"a.csv\"), x[1..M], y`"]),
    ("train {\n rate: 0.1 epochs: 3\n}", "E002", 2, 12, ["a newline or `;` is missing", "`rate: 0.1; epochs: 3`"]),
    ("train {\n report: mean(x[1..2])\n}", "E015", 2, 17, ["slice"]),
    ("train {\n data: csv(\"a\"), 2x[1..2], x[3..4]\n}", "E015", 2, 21, ["slice"]),
    ("y = sum(x[j] for j = 1..3)", "E029", 1, 20, ["`y = sum(x[j] for j in 1..3)`"]),
    ("y = sum(x[j] for j in 1:3)", "E029", 1, 24, ["1..3"]),
    ("y = sum(x[j] for j in 3)", "E029", 1, 23, ["`1..3`"]),
    ("y[j] = 2 for j in range(3)", "E029", 1, 19, ["`0..n-1`"]),
    ("y[i] = x for j in 1..2 for i in 1..2", "E029", 1, 24, ["j in 1..2, i in 1..2"]),
    ("y[i] = x for i in 1..3, for j in 1..2", "E029", 1, 25, ["`y[i] = x for i in 1..3, j in 1..2`"]),
    ("input x[i] = i for i in 1..3", "E029", 1, 16, ["a declaration takes no `for`", "`x[i] = i for i in 1..3`"]),
    ("const a = 1, c = 2 for k in 1..3", "E029", 1, 20, ["`c[k] = 2 for k in 1..3`"]),
    ("input x = sum(a[i] for i in 1..3) for j in 1..2", "E029", 1, 35, ["a declaration takes no `for`"]),
    ("input x for i in 1..3", "E029", 1, 9, ["`input x[1..3]`"]),
    ("minimize J[i] for i in 1..3", "E029", 1, 15, ["`minimize sum(J[i] for i in 1..3)`"]),
    ("y = [i for i in 1..3]", "E029", 1, 8, ["a list", "`y[j] = … for j in 1..3`"]),
    ("y = (x[i] for i in 1..f(2)) + 1", "E029", 1, 11, ["`sum(x[i] for i in 1..f(2))`"]),
    ("y = 2*(x[j] for j in 1..3)", "E029", 1, 13, ["`sum(x[j] for j in 1..3)`"]),
    ('y = x "a"', "E001", 1, 7, ['csv("data.csv")']),
    # other languages
    ("def f(x): return x", "E024", 1, 1, ["`f(v) = v^2`"]),
    ("import numpy as np", "E024", 1, 1, ["include"]),
    ("f = lambda x: x^2", "E024", 1, 5, ["`f(v) = v^2`"]),
    ("y = a if b else c", "E024", 1, 7, ["`where(c, a, b)`"]),
    ("if x > 0: y = 3", "E024", 1, 1, ["`where(c, a, b)`"]),
    ("print(y)", "E024", 1, 1, ["`output y`"]),
    ("for i in range(3): y = i", "E024", 1, 1, ["for k in 1..T"]),
    ("y = a // b", "E024", 1, 7, ["floor(a/b)"]),
]


@pytest.mark.parametrize(("text", "code", "line", "column", "words"), ONE_MISTAKE, ids=[row[0][:40] for row in ONE_MISTAKE])
def test_a_mistake_is_explained_once_at_its_place(text, code, line, column, words):
    (found,) = mistakes(f"{text}\ninput q = 1")
    assert found[:3] == (code, line, column)
    assert [word for word in words if word not in found[3]] == []


SEVERAL = [
    ("y = x z\nw = 3\nq = 1/2x; v = +3\n", [("E002", 1, 7), ("E006", 3, 7), ("E014", 3, 15)]),
    ("y = x z\r\nw = 3\r\nq = a b", [("E002", 1, 7), ("E002", 3, 7)]),
    ("y = (a + b\nz = 3\nw = x z", [("E003", 1, 5), ("E002", 3, 7)]),
    ("y = f(a\ninput x = 2\nclaim (a = b", [("E003", 1, 6), ("E003", 3, 7)]),
    ("y = f(a\nz = g)\nw = 1/2x + x^2y\n", [("E003", 1, 6), ("E004", 2, 6), ("E006", 3, 7)]),
    ("y = f(a,\n  low = 1,\n  high = 1/2x)", [("E006", 3, 12)]),
    ("y = a +\nz = 3", [("E023", 1, 7)]),
    ("y = a $ b ; z = c d", [("E022", 1, 7), ("E002", 1, 19)]),
    ("y = 1/2x + x^2y + 0x10", [("E006", 1, 7)]),
    ('quiz a "t" {\n x = = 3\n}\ny = x²', [("E018", 2, 6), ("E010", 4, 5)]),
    ("\n".join(f"u{i} = a b" for i in range(30)), [("E002", i + 1, len(f"u{i} = a ") + 1) for i in range(30)]),
]


@pytest.mark.parametrize(("text", "places"), SEVERAL)
def test_several_mistakes_are_told_apart(text, places):
    assert [found[:3] for found in mistakes(text)] == places


def test_an_unclosed_bracket_is_labelled_where_it_is_still_open():
    with pytest.raises(GraphError) as wrong:
        parser.parse(Source("a", "y = (a + b\nz = 3"))
    (found,) = wrong.value.diagnostics
    assert found.labels[0].span == (9, 10)


def test_mistakes_in_a_lone_expression():
    for text, code in [("x z", "E002"), ("x +", "E023"), ("y = 3", "E001"), ("", "E001"), ("1/2x", "E006"), ("x)", "E004")]:
        with pytest.raises(GraphError) as wrong:
            parser.parse_expression(Source("e", text), ["x"])
        assert [d.code for d in wrong.value.diagnostics] == [code], text


def test_every_code_has_a_meaning_and_an_example():
    assert {code for code in CODES if code < "E030"} == {row[1] for row in ONE_MISTAKE}


WORDS = st.sampled_from("x y J dJ/dx 2 .5 2. 1e3 e1 x² ½ = == := + - − * / ^ ** ( ) [ ] { } , ; .. . .T < > % for in within "
                        "sum f input param claim expect quiz train layout include set data symmetric lambda if and not "
                        "\"a\" \" # ∂ ∂u/∂v α $ : ! @ \n \n".split(" ") + ["\n", " "])  # fmt: skip


@settings(max_examples=400, deadline=None, derandomize=True, database=None)
@given(st.lists(WORDS, max_size=25), st.sampled_from(["", " "]))
def test_any_text_is_a_program_or_explained(words, between):
    source = Source("any", between.join(words))
    try:
        parser.parse(source)
    except GraphError as wrong:
        assert wrong.diagnostics
        for found in wrong.diagnostics:
            assert found.code in CODES and found.message
            assert "is not a program" not in found.message
            assert 0 <= found.at.start < found.at.end <= len(source.text) + 1


def test_the_names_of_functions_are_those_of_the_language():
    from graphlang.graph.values import BUILT_IN
    from graphlang.syntax.pieces import FUNCTIONS

    assert FUNCTIONS == BUILT_IN
