"""Every occurrence of every name: in programs that parse, and in what is left of one that does not."""

from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from graphlang.diagnostics import Source, Span
from graphlang.syntax.occurrences import Occurrence, canonical_or, mended, mentions, occurrences
from graphlang.syntax.parser import parse
from graphlang.syntax.pieces import KEYWORDS, pieces

PROGRAMS = sorted((Path(__file__).parent.parent / "programs").rglob("*.graph"))
WORDS = {*KEYWORDS, "for", "in", "within", "wrt", "symmetric", "numerator", "denominator"}


def found(text: str) -> list[Occurrence]:
    return occurrences(parse(Source("a.graph", text)))


def said(text: str) -> list[str]:
    """`reads variable u`, in the order of the text."""
    return [f"{o.use} {o.symbol.kind} {text[o.span.start:o.span.end]}" for o in found(text)]


@pytest.mark.parametrize("path", [p for p in PROGRAMS if p.parent.name != "quizzes"], ids=lambda p: p.stem)  # those have words and prose of their own
def test_every_name_of_a_program_is_one_occurrence(path):
    text = path.read_text(encoding="utf-8")
    spans = [o.span for o in found(text) if not (o.symbol.kind == "word" and o.symbol.name in WORDS)]  # `data` is an entry of `train`, too
    assert len(set(spans)) == len(spans)
    names = []
    for part in pieces(text):
        if part.kind == "name" and part.text not in WORDS:
            own = Span(part.start + 1, part.end) if part.text[0] in "d∂" and part.span not in spans else part.span
            names.append(own)
    assert sorted(spans) == sorted(names)


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_an_occurrence_stands_where_its_name_is_written(path):
    text = path.read_text(encoding="utf-8")
    assert [o for o in found(text) if canonical_or(text[o.span.start : o.span.end]) != o.symbol.name] == []


CASES = {
    "an equation": ("u = 3t + (u2)", ["defines variable u", "reads variable t", "reads variable u2"]),
    "leaves": ("input x[0..M] = [k], y", ["declares variable x", "reads variable M", "reads variable k", "declares variable y"]),
    "a size": ("dim P, Q", ["declares variable P", "declares variable Q"]),
    "a piece of a table": ("z[j] = a[j] for j in 1..D", ["defines variable z", "reads index j", "reads variable a", "reads index j", "binds index j", "reads variable D"]),
    "a function and its rule": ("f(v) = v*c\nderivative f(v) = c",
                                ["defines function f", "binds argument v", "reads argument v", "reads variable c", "reads function f", "binds argument v", "reads variable c"]),
    "a rule by an argument": ("derivative f(a, b) wrt b = a", ["reads function f", "binds argument a", "binds argument b", "reads argument b", "reads argument a"]),
    "an opaque function": ("opaque h(x)[K]", ["declares function h", "binds argument x", "reads variable K"]),
    "a derivative": ("J = x\ninput x\nclaim dJ/dx[i] = ∂J/∂x for i in 1..2",
                     ["defines variable J", "reads variable x", "declares variable x", "reads variable J", "reads variable x", "reads index i", "reads variable J", "reads variable x", "binds index i"]),
    "a division": ("y = dist/duration", ["defines variable y", "reads variable dist", "reads variable duration"]),
    "the derivative as a call": ("expect partial(u, v) = 3", ["reads function partial", "reads variable u", "reads variable v"]),
    "a setting": ("set  seed = n", ["reads setting seed", "reads variable n"]),
    "a name in parentheses, a comment before it": ("y = ( # x\n  (x))", ["defines variable y", "reads variable x"]),
    "an argument by its name": ("param W = csv(\"a\", skip=n)", ["declares variable W", "reads function csv", "reads option skip", "reads variable n"]),
    "training": ('train {\n  data: csv("a"), x[1..M]\n  shuffle: yes\n}', ["reads word data", "reads function csv", "reads variable x", "reads variable M", "reads word shuffle", "reads word yes"]),
    "what training is told": ("train {\n  rate: c/epoch\n  optimizer: adam(b2=c, b)\n  batch: epoch\n  report: mean(x[i]*adam for i)\n}",
                              ["reads word rate", "reads variable c", "reads word epoch", "reads word optimizer", "reads word adam", "reads option b2", "reads variable c", "reads variable b",
                               "reads word batch", "reads variable epoch", "reads word report", "reads function mean", "reads variable x", "reads index i", "reads variable adam", "binds index i"]),
}


@pytest.mark.parametrize("text, wanted", CASES.values(), ids=CASES)
def test_what_a_name_means(text, wanted):
    assert said(text) == wanted


def test_both_spellings_of_a_greek_letter_are_one_name():
    assert len({o.symbol for o in found("J = α1^2\ninput alpha1\nclaim dJ/dα1 = 2alpha1") if o.symbol.name != "J"}) == 1


def test_indices_of_two_fors_are_two_symbols_and_those_of_one_are_one():
    text = "J = sum(x[i] for i in 1..3) + sum(y[i]*x[j] for i in 1..2, j in i..2)"
    first, second = [], []
    for o in found(text):
        if o.symbol.name == "i":
            (first if o.span.start < text.index("+") else second).append(o)
    assert (len(first), len(second)) == (2, 3)
    assert len({o.symbol for o in first}) == len({o.symbol for o in second}) == 1
    assert first[0].symbol != second[0].symbol


def test_an_index_hides_nothing_outside_of_its_brackets():
    text = "J = sum(x[i] for i in 1..3)*i"
    assert [o.symbol.kind for o in found(text) if o.symbol.name == "i"] == ["index", "index", "variable"]


def test_a_long_sum_needs_no_deep_stack():
    text = "J = " + " + ".join(["x"] * 20_000)
    assert len(found(text)) == 20_001


def test_a_statement_that_does_not_parse_takes_no_other_away():
    text = "J = u^2\nu = 3 x z\nclaim dJ/du = 2u\nw = (1 + \nv = J\n"
    tree, broken = mended(Source("a.graph", text))
    assert [text[s.start : s.end] for s in broken] == ["u = 3 x z", "w = (1 +"]
    assert [(o.symbol.name, text[o.span.start : o.span.end]) for o in occurrences(tree)] == [(n, n) for n in "JuJuuvJ"]
    assert mentions(text, broken[0], "u") and not mentions(text, broken[0], "J")


def test_a_derivative_in_a_broken_statement_is_a_mention():
    assert mentions("claim dJ/dα = (", Span(0, 15), "alpha") and mentions("claim dJ/dα = (", Span(0, 15), "J")


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(PROGRAMS), st.data())
def test_what_is_left_of_a_changed_program_keeps_its_places(path, data):
    text = path.read_text(encoding="utf-8")
    at = data.draw(st.integers(0, len(text)))
    text = text[:at] + data.draw(st.sampled_from(["(", ")", "[", "=", '"', "for ", "\n", "²", "{", "", "#"])) + text[at + data.draw(st.integers(0, 3)) :]
    tree, _ = mended(Source("a.graph", text))
    for o in occurrences(tree):
        assert canonical_or(text[o.span.start : o.span.end]) == o.symbol.name
