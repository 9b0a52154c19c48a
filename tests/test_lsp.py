"""The language server: what it finds out, as plain data, and what an editor gets of it."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

pytest.importorskip("pygls")

from graphlang.cli.main import main
from graphlang.diagnostics import Span, without_commands
from graphlang.lsp import jobs
from graphlang.lsp.analysis import Analysis, analyse
from graphlang.lsp.completion import completions
from graphlang.lsp.desk import Desk
from graphlang.lsp.figures import Figures, brief
from graphlang.lsp.fixes import fixes
from graphlang.lsp.hover import code, hover
from graphlang.lsp.inlay import hints
from graphlang.lsp.outline import outline
from graphlang.lsp.places import Places
from graphlang.lsp.reading import Text, read, unchanged, variable
from graphlang.lsp.renaming import Refused, apply, rename, renameable
from graphlang.graph.graph import Range
from lsp_client import ROOT, Client, Refusal, edited

PROGRAMS = sorted((ROOT / "programs").rglob("*.graph"))
SIMPLE = "J = cos(u)\nu = u1 + u2\nu1 = sin(t)\nu2 = 3t\nt = x^2\ninput x = 2\n"
LAYER = """const D = 2
input x[0..D] = [1, 2, 3]
z[0] = 1
z[j] = x[j]^2 for j in 1..D
J = sum(z[j]*x[j] for j in 0..D)
"""


LEARNT = """const M = 2
data x[1..M] = 1
param w[1..M] = 0
J = sum(w[i]*x[i] for i)^2
minimize J
train {
  data: csv("x.csv"), x[1..M]
  rate: M/epoch
  epochs: 3; optimizer: adam(b2=0.9)
  report: mean(J*M)
}
"""


def analysed(text: str, path: Path | None = None, **more) -> Analysis:
    return analyse(Text("a.graph" if path is None else path.name, text, path), **more)


def marked(text: str) -> tuple[str, int]:
    """A text without its `|`, and where that was."""
    at = text.index("|")
    return text[:at] + text[at + 1 :], at


# ---- positions


@pytest.mark.parametrize("encoding, columns", [("utf-8", (0, 2, 3, 7, 8)), ("utf-16", (0, 1, 2, 4, 5)), ("utf-32", (0, 1, 2, 3, 4))])
def test_columns_are_counted_in_the_clients_units(encoding, columns):
    places = Places("x\r\nα 𝛼u\n", encoding)
    for k, column in enumerate(columns):
        assert places.position(3 + k) == (1, column)
        assert places.offset(1, column) == 3 + k


def test_a_position_outside_of_a_line_is_its_end():
    places = Places("ab\ncd")
    assert [places.offset(0, 9), places.offset(9, 0), places.offset(0, -1), places.offset(-1, 5)] == [2, 5, 0, 0]
    assert Places("𝛼b").offset(0, 1) == 0  # within a character of two units


def test_what_python_calls_a_line_end_is_none_in_the_protocol():
    assert Places("a\x0cb\u2028c\nd").position(6) == (1, 0)


# ---- analysis


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_nothing_is_wrong_with_a_program_that_is_right(path):
    made = analysed(path.read_text(encoding="utf-8"), path.resolve())
    assert [f.diagnostic.message for f in made.findings if f.severity != "note"] == []
    assert made.run is not None or made.graph.dims or path.parent.name == "quizzes"  # those have no program of their own


FINDINGS = {
    "a mistake of the text": ("J = (x\n\ninput x = 2", [("E003", "error", "(")]),
    "two statements, two mistakes": ("J = x z\ny = 2 +\ninput x = 2", [("E002", "error", "z"), ("E023", "error", "+")]),
    "a name": ("J = ul^2\nu1 = 3", [("E101", "error", "ul")]),
    "no finite value": ("J = 1/u\nu = x - 2\ninput x = 2", [("E501", "error", "J = 1/u")]),
    "no finite derivative": ("J = sqrt(x)\ninput x = 0", [("E504", "error", "J = sqrt(x)")]),
    "a claim": ("J = x^2\ninput x = 3\nclaim dJ/dx = x", [("claim", "error", "claim dJ/dx = x")]),
    "an expectation": ("J = x^2\ninput x = 3\nexpect J = 8\nexpect J = 9", [("expect", "error", "expect J = 8")]),
    "a mistake in an expectation beside one that fails": ("J = x^2\ninput x = 3\nexpect K = 8\nexpect J = 8", [("E101", "error", "K"), ("expect", "error", "expect J = 8")]),
    "a warning": ("J = log(1 + exp(x))\ninput x = 3", [("W301", "warning", "log(1 + exp(x))")]),
    "a leaf without a value is no mistake": ("J = x^2\ninput x", [("E401", "note", "x")]),
    "two goals": ("a = x^2\nb = x^3\ninput x = 2", [("E402", "warning", "a")]),
    "a size that is left symbolic": ("dim P\ninput x[P], b[P]\ny = b.T @ x", []),
    "nothing yet": ("", []),
    "only a leaf yet": ("input x = 2", []),
}


@pytest.mark.parametrize("text, wanted", FINDINGS.values(), ids=FINDINGS)
def test_what_is_found_stands_at_its_place(text, wanted):
    assert [(f.diagnostic.code, f.severity, text[f.span.start : f.span.end]) for f in sorted(analysed(text).findings, key=lambda f: f.span)] == wanted


def test_a_finding_of_an_included_file_is_in_that_file(tmp_path):
    (tmp_path / "base.graph").write_text("u = 3 t t\ninput t = 2\n")
    made = analysed('include "base.graph"\nJ = u^2\n', tmp_path / "a.graph")
    assert [(f.file, f.diagnostic.code, f.span) for f in made.findings] == [("base.graph", "E002", Span(6, 7))]


def test_an_open_file_is_included_as_it_is_in_the_editor(tmp_path):
    (tmp_path / "base.graph").write_text("u = t\ninput t = 2\n")
    made = analysed('include "base.graph"\nJ = u^2\n', tmp_path / "a.graph", texts={tmp_path / "base.graph": "u = t\ninput t = 5\n"})
    assert made.run["J"] == 25


@pytest.mark.parametrize("path", [ROOT / "programs/lecture/simple.graph", ROOT / "programs/lecture/nn1_squared.graph", ROOT / "programs/symbolic/types.graph"], ids=lambda p: p.stem)
def test_no_beginning_of_a_program_is_too_much(path):
    text = path.read_text(encoding="utf-8")
    last = None
    for k in range(0, len(text), 1 if len(text) < 600 else 17):
        now = analysed(text[:k], evaluate=k % 11 == 0)
        last = now if now.graph is not None else last
        figures = Figures(last, now.reading) if last is not None else None
        hover(now.reading, now.reading.own, k, figures)
        completions(now.reading, now.reading.own, k, figures)
        list(outline(now.reading.own))
        if figures is not None:
            hints(now.reading.own, figures)
        for f in now.findings:
            assert 0 <= f.span.start <= f.span.end <= k + 1


SIGNS = ["(", ")", "]", "{", "}", "=", '"', "for ", "in ", "\n", ";", "²", "α", "𝛼", "#", "dJ/dx", "∂u/∂v", "train {", "opaque h(x)[K]", "derivative ", "sum(",
         "1..3", "\r\n", "\r", "\x0c", "\u2028", "\ufeff", "\x00", ",", 'include "a"', "claim ", "expect ", "input ", "x", "2e1", "override ", ""]


@pytest.mark.nightly
@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(PROGRAMS), st.lists(st.tuples(st.floats(0, 1), st.sampled_from(SIGNS), st.sampled_from([0, 1, 3, 20])), max_size=4), st.floats(0, 1))
def test_no_text_is_too_much_for_any_question(path, changes, place):
    text = path.read_text(encoding="utf-8")
    good = analysed(text)
    for where, sign, gone in changes:
        at = int(where * len(text))
        text = text[:at] + sign + text[at + gone :]
    made, at = analysed(text), int(place * len(text))
    file, figures = made.reading.own, Figures(good, made.reading)
    hover(made.reading, file, at, figures)
    completions(made.reading, file, at, figures)
    hints(file, figures)
    list(outline(file))
    for f in made.findings:
        list(fixes(made, f, Text("a.graph", text)))
    for new in ("qq", "x", "e1", "α"):
        try:
            rename([made.reading], file, at, new)
        except Refused:
            pass


FOR_THE_COMMAND_LINE = {
    "a value": ("J = x^2\ninput x", None, "E401", ()),
    "a goal": ("a = x^2\nb = x^3\ninput x=2", None, "E402", ("`minimize a`, `maximize a` or `output a, b`",)),
    "not finite": ("J = 1/u\nu = x - 2\ninput x = 2", None, "E501", ()),
    "no folder": ('include "b.graph"\nJ = 1', None, "E602", ("save this text as a file first; what it includes is looked for beside it",)),
    "another folder": ('include "../../b.graph"\nJ = 1', "a.graph", "E602", ()),
}


@pytest.mark.parametrize("text, file, about, wanted", FOR_THE_COMMAND_LINE.values(), ids=FOR_THE_COMMAND_LINE)
def test_an_editor_gets_no_hints_for_the_command_line_or_python(text, file, about, wanted, tmp_path):
    (found,) = analysed(text, file and tmp_path / file).findings
    assert (found.diagnostic.code, found.diagnostic.hints) == (about, wanted)


def test_only_the_part_of_a_hint_that_is_a_command_is_dropped():
    assert without_commands("write `a; --b` so; or `--goal a`") == "write `a; --b` so"
    assert without_commands("with numbers: `--set x=1`") == without_commands("graphlang run q.graph --set x=1") == without_commands("`loads(text)` does") == ""
    assert without_commands("`1 --x` is a graphlang expression") == "`1 --x` is a graphlang expression"


# ---- values, and when they still hold


def after(before: str, text: str) -> Figures:
    return Figures(analysed(before), read(Text("a.graph", text)))


def test_values_that_a_change_does_not_reach_still_hold():
    figures = after(SIMPLE, SIMPLE.replace("u2 = 3t", "u2 = 3 t t"))
    assert [figures.value(n) for n in ("x", "t", "u1")] == ["2", "4", "-0.756802"]
    assert [figures.value(n) for n in ("u2", "u", "J")] == [None] * 3
    assert figures.adjoint("x") == []


def test_a_new_equation_leaves_all_values_and_adjoints():
    figures = after(SIMPLE, SIMPLE + "K = (")
    assert figures.value("J") == "0.2451" and figures.adjoint("x") == [("dJ/dx", "9.09915")]


def test_a_blank_or_a_comment_changes_nothing():
    figures = after(SIMPLE, SIMPLE.replace("u = u1 + u2", "u  =  u1 +  # the sum\n  u2"))
    assert figures.value("u") == "11.2432"


def test_with_another_seed_or_function_nothing_holds():
    text = "set seed = 1\nf(v) = v^2\nJ = f(w)\nparam w = normal(0, 1)\n"
    assert after(text, text.replace("seed = 1", "seed = 2")).value("w") is None
    figures = after(text, text.replace("v^2", "v^3"))
    assert figures.value("J") is None and figures.value("w") is not None


def test_a_definition_that_comes_anew_changes_what_reads_it():
    assert variable("J") not in unchanged(read(Text("a", "J = sin(x)\ninput x = 2\n")), read(Text("a", "J = sin(x)\ninput x = 2\nsin(v) = v\n")))


def test_tables_are_cut_and_counted():
    assert brief([1.0, 2.0, 3.0, 4.0], (Range(1, 2), Range(1, 2))) == "[1 2; 3 4]"
    assert brief([1.0, 2.0, 3.0], (Range(0, 2),), (Range(1, 1),)) == "2"
    assert brief([float(k) for k in range(50)], (Range(1, 50),)) == "[0 1 2 3 … 50 numbers]"


def test_hints_stand_at_the_ends_of_the_lines():
    made = analysed(LAYER.replace("J = sum", "y = x[1]; J = sum") + "minimize J\n")
    text = made.reading.own.text
    found = {text[text.rfind("\n", 0, h.at) + 1 : h.at]: h.label for h in hints(made.reading.own, Figures(made, made.reading))}
    assert found == {
        "input x[0..D] = [1, 2, 3]": "dJ/dx = [1 12 27]",
        "z[0] = 1": "dJ/dz[0] = 1",
        "z[j] = x[j]^2 for j in 1..D": "= [4 9]   dJ/dz[j] = [2 3]",
        "y = x[1]; J = sum(z[j]*x[j] for j in 0..D)": "y = 2   dJ/dy = 0   J = 36",
    }


# ---- hover


HOVERS = {
    "a variable": (SIMPLE.replace("= u1", "= |u1"), ["u1 = sin(t)", "u1 = -0.756802", "dJ/du1 = dJ/du = 0.969498"]),
    "a leaf": (SIMPLE.replace("input x", "input |x"), ["input x = 2", "dJ/dx = 2*dJ/dt*x = 9.09915"]),
    "a table": (LAYER.replace("sum(z", "sum(|z"), ["z[0] = 1", "z[j] = x[j]^2 for j in 1..D", "z: table over 0..2", "z = [1 4 9]", "dJ/dz[j] = x[j] for j in 0..2", "    = [1 2 3]"]),
    "a derivative": (SIMPLE + "claim dJ/d|t = 3", ["dJ/dt = dJ/du1*cos(t) + 3*dJ/du2 = 2.27479"]),
    "a derivative that is not of the goal": (SIMPLE + "claim du/d|t = 3", ["du/dt = 2.34636"]),
    "a local derivative": (SIMPLE + "claim ∂u|/∂u1 = 1", ["∂u/∂u1 = 1"]),
    "a function": (SIMPLE.replace("sin", "s|in"), ["u = sin(v)", "du/dv = cos(v)", "The sine"]),
    "a function with a domain": ("J = lo|g(x)\ninput x = 2", ["refused:", "du/dv = 1/v"]),
    "a reduction": (LAYER.replace("sum", "su|m"), ["u = sum(x)", "The sum over all elements"]),
    "a function of the program": ("f(v) = v^2\nderivative f(v) = 2v\nJ = |f(x)\ninput x = 1", ["f(v) = v^2", "derivative f(v) = 2v"]),
    "an index": (LAYER.replace("x[j]^2", "x[|j]^2"), ["index j in 1..D", "j in 1..2"]),
    "an argument": ("f(v) = |v^2\nJ = f(x)\ninput x = 1", ["f(v) = v^2", "argument of `f`"]),
    "a keyword": ("in|put x = 2\nJ = x^2", ["A leaf that is given to the program."]),
    "for": (LAYER.replace("for j in 1", "f|or j in 1"), ["binds an index"]),
    "an entry of training": (LEARNT.replace("epochs", "ep|ochs"), ["epochs: 20", "how often training goes through all examples"]),
    "an optimizer": (LEARNT.replace("adam", "ad|am"), ["adam(b1=0.9, b2=0.999, eps=1e-8)", "Kingma"]),
    "the epoch of a rate": (LEARNT.replace("/epoch", "/e|poch"), ["the number of the epoch, from 1"]),
    "a leaf that data fill": (LEARNT.replace("), x", "), |x"), ["data x[1..M] = 1", "x: data over 1..2"]),
    "a constant": ("J = p|i*x\ninput x = 1", ["circumference"]),
    "a name in a statement that does not parse": (SIMPLE + "K = |t t", ["t = x^2", "t = 4"]),
}


@pytest.mark.parametrize("text, wanted", HOVERS.values(), ids=HOVERS)
def test_hovering_says_what_is_known(text, wanted):
    text, at = marked(text)
    made = analysed(text)
    figures = Figures(made if made.graph is not None else analysed(SIMPLE), made.reading)
    found = hover(made.reading, made.reading.own, at, figures)
    assert found is not None and [w for w in wanted if w not in found.markdown] == [], found and found.markdown
    assert found.span.start <= at <= found.span.end


@pytest.mark.parametrize("text", ["J = 2|.5*x\ninput x = 1", "# the sum| of u\nJ = x^2\ninput x = 1", "|", "J =| x^2\ninput x = 1"])
def test_there_is_nothing_to_say_of_numbers_comments_and_blanks(text):
    text, at = marked(text)
    made = analysed(text)
    assert hover(made.reading, made.reading.own, at, None) is None


def test_text_of_a_program_cannot_end_its_block():
    shown = code('include "``` ````"\n\x1b[31m\u202e')
    assert shown.startswith("`````text\n") and shown.endswith("\n`````\n")
    assert "\x1b" not in shown and "\u202e" not in shown


# ---- names as they are spelled

GREEK = "J = 3*α^2*x_β\ninput α = 2, x_β = 5, delta = 1\nK = delta*J\nσ(v) = v\nminimize J\n"


def test_hover_and_outline_spell_names_as_the_document_does():
    made = analysed(GREEK)
    figures, own = Figures(made, made.reading), made.reading.own
    shown = hover(made.reading, own, GREEK.index("input α") + 6, figures).markdown
    assert "α: input" in shown and "dJ/dα = 6*x_β*α = 60" in shown and "alpha" not in shown and "beta" not in shown
    assert "delta: input" in hover(made.reading, own, GREEK.index("delta"), figures).markdown
    assert [e.name for e in outline(own)] == ["J", "α", "x_β", "delta", "K", "σ", "minimize J"]


def test_a_name_is_told_from_the_letters_of_a_derivative():
    made = read(Text("a.graph", "J = δ/dα2\ninput δ, dα2, α\n"))
    assert made.spelled("delta/x + ddelta/dalpha + dJ/ddelta*dist/alpha + eta/beta, ∂delta/∂alpha, beta2", made.own) == "δ/x + dδ/dα + dJ/dδ*dist/α + eta/beta, ∂δ/∂α, beta2"


def test_a_file_that_does_not_name_something_shows_it_as_another_one_does(tmp_path):
    (tmp_path / "base.graph").write_text("u = α\ninput α = 2\n", encoding="utf-8")
    made = read(Text("a.graph", 'include "base.graph"\nJ = u\n', tmp_path / "a.graph"))
    assert made.spelled("dJ/dalpha", made.own) == "dJ/dα"


# ---- completion


def complete(text: str, path: Path | None = None) -> dict[str, tuple]:
    text, at = marked(text)
    reading = read(Text("a.graph", text, path))
    found = completions(reading, reading.own, at, Figures(analysed(SIMPLE), reading))
    assert all(c.span.end == at for c in found)
    return {c.label: (c.kind, c.text, text[c.span.start : at], c.detail) for c in found}


def test_names_come_with_their_values_and_functions_with_their_signatures():
    found = complete(SIMPLE + "K = u|")
    assert found["u1"] == ("variable", "u1", "u", "= -0.756802") and found["x"][3] == "input = 2"
    assert found["sin"][3].startswith("sin(v): The sine") and found["ln"][3].startswith("ln(v): ")
    assert found["atan2"][3].startswith("atan2(y, x)") and "claim" not in found


def test_a_statement_begins_with_a_keyword_or_a_name():
    found = complete(SIMPLE + "cl|")
    assert found["claim"][:3] == ("keyword", "claim ", "cl") and "u1" in found


def test_in_a_train_block_a_line_begins_with_an_entry_that_is_not_there_yet():
    found = complete(LEARNT.replace("  report", "  s|\n  report"))
    assert found["shuffle"] == ("keyword", "shuffle: ", "s", "whether each epoch takes the examples in another order; no if nothing is said")
    assert "claim" not in found and "J" not in found
    assert "rate" not in found and "data" not in found and "epochs" not in found


@pytest.mark.parametrize("line, offered, not_offered", [
    ("shuffle: |", ["yes", "no"], ["epoch", "adam(b1=0.9, b2=0.999, eps=1e-8)"]),
    ("rate: 1/e|", ["epoch", "M", "exp"], ["yes"]),
    ("optimizer: |", ["sgd", "momentum(mu=0.9)"], ["yes", "epoch"]),
    ("data: csv(\"a{.csv\"), |", ["x", "w"], ["epoch", "yes"]),
    ("# shuffle}\n  patience: |", ["M"], ["yes"]),
])
def test_an_entry_of_a_train_block_is_offered_its_words(line, offered, not_offered):
    found = complete(LEARNT.partition("train")[0] + "train {\n  " + line + "\n}\n")
    assert [w for w in offered if w not in found] == [] and [w for w in not_offered if w in found] == []


def test_derivatives_are_completed_once_their_numerator_is_written():
    found = complete(SIMPLE + "claim dJ/d|")
    assert found["dJ/dt"] == ("derivative", "dJ/dt", "dJ/d", "= 2.27479") and "sin" not in found
    assert "∂u/∂u1" in complete(SIMPLE + "claim ∂u/∂|") and "dJ/dx" in complete(SIMPLE + "claim dJ/|")
    assert "dist/dx" not in complete("dist = 3\nK = dist/d|")


def test_greek_letters_are_written_with_a_backslash():
    assert complete("J = 3*\\al|")["\\alpha"] == ("letter", "α", "\\al", "α")


def test_an_index_is_known_in_its_brackets_only():
    text = "y[k] = sum(a[i] for i in 1..3)*b{} for k in 1..2"
    inside = complete("y[k] = sum(a[|] for i in 1..3)*b for k in 1..2")
    outside = complete("y[k] = sum(a[i] for i in 1..3)*b[|] for k in 1..2")
    assert inside["i"][0] == inside["k"][0] == outside["k"][0] == "index", text
    assert "i" not in outside


@pytest.mark.parametrize("text", ["# u|", 'include "u|', "J = 3|", "J = 3.|"])
def test_nothing_is_completed_in_comments_strings_and_numbers(text):
    assert complete(text) == {}


ONLY = {
    "a setting": ("J = 2; set |", {"seed"}),
    "a layout": (SIMPLE + "layout n|", {"numerator", "denominator"}),
    "the transpose": ("input x[2]\nJ = x.|", {"T"}),
    "of a parenthesis": ("input x[2]\nJ = (x + x).T|", {"T"}),
    "a function that gets a rule": ("f(v) = v\ng(v) = 2v\nJ = f(g(3))\nderivative |", {"f", "g"}),
    "files, of a text that is not saved": ('include "|', set()),
}


@pytest.mark.parametrize("text, wanted", ONLY.values(), ids=ONLY)
def test_where_only_a_few_words_can_stand_only_these_are_offered(text, wanted):
    assert set(complete(text)) == wanted


@pytest.mark.parametrize("text", ["x = 2; set = 3\nJ = set*|x", "const D = 2\ninput x[0..|", "J = 2*sum(x[i] for i in 0..|", "f(v) = v\nderivative f(v) = |"])
def test_what_only_looks_so_is_completed_as_usual(text):
    assert "sin" in complete(text)


@pytest.mark.parametrize("text, offered", [("y = u|", False), ("y = 3 * |", False), ("y = (u +\n  |", False), ("override α = u|", False), ("y[k] = u| for k in 1..2", True),
                                           ("y = 2\nJ = u|", True), ("y = 2\n|", True)])
def test_an_equation_does_not_offer_what_it_defines(text, offered):
    found = complete(SIMPLE + "α = 3\ny[0] = 1\n" + text)
    assert (("α" if "α" in text else "y") in found) is offered and "u1" in found


def test_an_include_offers_the_programs_beside_the_document(tmp_path):
    (tmp_path / "parts").mkdir()
    for name in ("a.graph", "base.graph", "notes.txt", "parts/one.graph"):
        (tmp_path / name).write_text("u = 2\n")
    found = complete('J = 2; include "b|', tmp_path / "a.graph")
    assert found == {"base.graph": ("file", "base.graph", "b", "")}
    assert set(complete('include "parts/|', tmp_path / "a.graph")) == {"parts/one.graph"}
    assert complete('include "../|', tmp_path / "parts/one.graph") == complete('include "\0/|', tmp_path / "a.graph") == {}


def test_names_are_completed_as_the_document_spells_them():
    found = complete(GREEK + "L = |")
    assert found["α"][1] == "α" and "alpha" not in found and "delta" in found
    assert "dJ/dα" in complete(GREEK + "L = dJ/|")


# ---- renaming


def renamed(text: str, new: str) -> str:
    text, at = marked(text)
    reading = read(Text("a.graph", text))
    return apply(text, rename([reading], reading.own, at, new)[None])


RENAMINGS = {
    "a variable": ("J = |u^2\nu = 3t\ninput t\nclaim dJ/dt = dJ/du*partial(u, t)", "w", "J = w^2\nw = 3t\ninput t\nclaim dJ/dt = dJ/dw*partial(w, t)"),
    "a table in pieces": ("z[0] = 1\nz[j] = 2 for j in 1..2\nJ = sum(|z)", "q", "q[0] = 1\nq[j] = 2 for j in 1..2\nJ = sum(q)"),
    "by its other spelling": ("J = α|^2\ninput alpha\nclaim dJ/dα = 1", "β", "J = β^2\ninput β\nclaim dJ/dβ = 1"),
    "to its other spelling": ("J = |alpha^2\ninput alpha", "α", "J = α^2\ninput α"),
    "an index within its for": ("J = sum(x[|i] for i in 1..2) + sum(x[i] for i in 1..2)\ninput x[2]", "k", "J = sum(x[k] for k in 1..2) + sum(x[i] for i in 1..2)\ninput x[2]"),
    "an index as another one elsewhere": ("J = sum(x[i] for |i in 1..2) + sum(x[k] for k in 1..2)", "k", "J = sum(x[k] for k in 1..2) + sum(x[k] for k in 1..2)"),
    "an argument": ("f(v) = |v*c\nJ = f(v)\nc = 2\nv = 3", "w", "f(w) = w*c\nJ = f(v)\nc = 2\nv = 3"),
    "a function and its rule": ("f(v) = v\nderivative f(v) = 1\nJ = |f(3)", "g", "g(v) = v\nderivative g(v) = 1\nJ = g(3)"),
    "a const in ranges": ("const |M = 2\ninput x[M]\nJ = sum(x[i] for i in 1..M)", "N", "const N = 2\ninput x[N]\nJ = sum(x[i] for i in 1..N)"),
    "a leaf and a const in a train block, and no word of it": ("const |M = 2\ndata M1\ntrain {\n  data: csv(\"M\", M), M1, x[1..M]\n  rate: M/epoch # M\n  report: mean(M)\n}", "rate",
        "const rate = 2\ndata M1\ntrain {\n  data: csv(\"M\", rate), M1, x[1..rate]\n  rate: rate/epoch # M\n  report: mean(rate)\n}"),
    "nothing in comments and strings": ("# u\ninclude \"u\"\nJ = |u\nu = 2", "w", "# u\ninclude \"u\"\nJ = w\nw = 2"),
}


@pytest.mark.parametrize("text, new, wanted", RENAMINGS.values(), ids=RENAMINGS)
def test_a_rename_touches_every_reading_and_nothing_else(text, new, wanted):
    assert renamed(text, new) == wanted


REFUSALS = {
    "no name": ("J = |x\ninput x", "2x", "is not a name"),
    "a power": ("J = |x\ninput x", "x²", "`x²` is not a name: letters, digits and `_`$"),
    "a built-in function": ("J = |x\ninput x", "sin", "built-in function"),
    "a constant": ("J = |x\ninput x", "pi", "constant"),
    "taken": ("J = |x\ninput x\nu = 3", "u", "a variable on line 3"),
    "taken by an index": ("J = sum(|x[i] for i in 1..2)\ninput x[2]", "i", "an index on line 1"),
    "the index beside it": ("J = sum(A[|i,j] for i in 1..2, j in 1..2)\ninput A[2,2]", "j", "an index"),
    "an index like a variable": ("J = sum(x[|i] for i in 1..2)\ninput x[2]", "x", "a variable"),
    "a number would be read": ("J = 2|x\ninput x", "e1", "would change how the text is read"),
    "a derivative would become a division": ("J = x^2\ninput x\n|K = 3\nclaim dJ/dx = 3", "dJ", "would change what `J` means on line 4"),
    "a built-in function has its name": ("J = s|in(x)\ninput x", "w", "is built in"),
    "named in a statement that does not parse": ("J = |x\ninput x\nu = (x", "y", "does not parse, on line 3"),
    "in a statement that does not parse": ("J = (x|\ninput x", "y", "repair it first"),
    "an entry of training": (LEARNT.replace("epochs", "ep|ochs"), "y", "`epochs` is a word of the language"),
    "to the epoch of a rate": (LEARNT.replace("const M", "const |M"), "epoch", "would change what `M` means on line 8"),
    "nothing defines it": ("J = |x", "y", "nothing defines `x`"),
    "nothing there": ("J = 3 |*x\ninput x", "y", "there is no name here"),
}


@pytest.mark.parametrize("text, new, why", REFUSALS.values(), ids=REFUSALS)
def test_a_rename_that_would_mean_something_else_is_refused(text, new, why):
    with pytest.raises(Refused, match=why.replace("(", r"\(")):
        renamed(text, new)


@pytest.mark.parametrize("path", [p for p in PROGRAMS if len(p.read_bytes()) < 1500], ids=lambda p: p.stem)
def test_every_name_of_a_program_can_be_renamed_and_back(path):
    text = path.read_text(encoding="utf-8")
    reading = read(Text("a.graph", text))
    done = set()
    for o in reading.own.occurrences:
        if o.symbol in done:
            continue
        done.add(o.symbol)
        try:
            renameable(reading, reading.own, o.span.start)
        except Refused:
            continue
        there = apply(text, rename([reading], reading.own, o.span.start, "qqq7")[None])
        again = read(Text("a.graph", there))
        at = next(x.span.start for x in again.own.occurrences if x.symbol.name == "qqq7")
        spelled = text[o.span.start : o.span.end]
        assert read(Text("a.graph", apply(there, rename([again], again.own, at, spelled)[None]))).definitions.keys() == reading.definitions.keys()


# ---- fixes


FIXES = {
    "a name": ("u1 = 3\nJ = ul*x\ninput x = 2\n", ["u1 = 3\nJ = u1*x\ninput x = 2\n"]),
    "half of a derivative": ("J = xx1^2\ninput xx1 = 2\nexpect dJ/dxx2 = 4\n", ["J = xx1^2\ninput xx1 = 2\nexpect dJ/dxx1 = 4\n"]),
    "a derivative with blanks": ("J = x^2\ninput x = 2\nexpect dJ / dx = 4\n", ["J = x^2\ninput x = 2\nexpect dJ/dx = 4\n"]),
    "a power": ("J = x²\ninput x = 2\n", ["J = x^2\ninput x = 2\n"]),
    "two readings": ("J = 1/2x\ninput x = 2\n", ["J = 1/(2x)\ninput x = 2\n", "J = 1/2*x\ninput x = 2\n"]),
    "another language's sign": ("J := x^2  # yes\ninput x = 2\n", ["J = x^2  # yes\ninput x = 2\n"]),
    "a bracket": ("J = 2*(x + 1\ninput x = 2\n", ["J = 2*(x + 1)\ninput x = 2\n"]),
    "a stable spelling": ("J = 2^((exp(x) - 1)/y)\ny = x\ninput x = 2\n", []),
    "a stable function": ("J = 2*log(1 + exp(x))\ninput x = 2\n", ["J = 2*softplus(x)\ninput x = 2\n"]),
    "a goal": ("a = x^2\nb = x^3\ninput x = 2", [f"a = x^2\nb = x^3\ninput x = 2\n{goal}\n" for goal in ("minimize a", "maximize a", "output a, b")]),
    "an example is no fix": ("J = x^2\ninput x = 2\nset sead = 0\n", []),
    "a number of another base": ("J = x + 0x10\ninput x=1\n", ["J = x + 16\ninput x=1\n"]),
    "a product with a name that is defined": ("J = x + 0x10\ninput x=1, x10 = 2\n", ["J = x + 16\ninput x=1, x10 = 2\n", "J = x + 0*x10\ninput x=1, x10 = 2\n"]),
    "a number beside a statement that does not parse": ("J = x + 0x10\ninput x=1\ny = 2 +\n", ["J = x + 16\ninput x=1\ny = 2 +\n"]),
    "a power of a name that nothing defines": ("J = ul²\ninput x=1\n", []),
    "a power beside a mistake that it hides": ("J = x²\ninput x=1\nK = ul\n", ["J = x^2\ninput x=1\nK = ul\n"]),
    "a power of a name that is defined in a statement that does not parse": ("J = y²\ny = 2 +\n", ["J = y^2\ny = 2 +\n"]),
    "a value that is not finite": ("J = sqrt(x^2)\ninput x = 0\n", []),
    "a name whose neighbour would not do": ("f(v) = v\nJ = g(x)\ninput x = 2\n", []),
}


@pytest.mark.parametrize("text, wanted", FIXES.values(), ids=FIXES)
def test_a_hint_that_can_be_done_is_a_fix(text, wanted):
    made = analysed(text)
    found = [fix for f in made.findings for fix in fixes(made, f, Text("a.graph", text))]
    assert [apply(text, [fix.edit]) for fix in found] == wanted


def test_a_misspelt_file_is_a_fix(tmp_path):
    (tmp_path / "base.graph").write_text("u = t\ninput t = 2\n")
    text = 'include "bse.graph"\nJ = u^2\n'
    made = analysed(text, tmp_path / "a.graph")
    assert [apply(text, [x.edit]) for x in fixes(made, made.findings[0], Text("a.graph", text, tmp_path / "a.graph"))] == ['include "base.graph"\nJ = u^2\n']


# ---- several documents


def desk_of(folder: Path, **texts: str) -> Desk:
    desk = Desk()
    for name, text in texts.items():
        desk.put(name, text, 1, folder / f"{name}.graph")
    for document in desk.documents.values():
        desk.keep(document, analyse(document.as_text, desk.texts()), desk.changes)
    return desk


def test_a_document_that_another_one_includes_is_a_part_of_it(tmp_path):
    desk = desk_of(tmp_path, base="u = t*k\ninput t = 2\n", a='include "base.graph"\nJ = u^2\nk = 3\n')
    base = desk.documents["base"]
    assert [p.uri for p in desk.programs(base)] == ["a"] and desk.findings(base) == []
    assert desk.figures(desk.look(base)[0]).value("u") == "6"
    desk.close("a")
    desk.keep(base, analyse(base.as_text, desk.texts()), desk.changes)
    assert [f.diagnostic.code for f in desk.findings(base)] == ["E101"]


def test_documents_that_include_one_another_are_programs_of_their_own(tmp_path):
    desk = desk_of(tmp_path, a='include "b.graph"\nJ = 2\n', b='include "a.graph"\nK = 3\n')
    assert [[p.uri for p in desk.programs(d)] for d in desk.documents.values()] == [["a"], ["b"]]
    assert [f.diagnostic.code for f in desk.findings(desk.documents["a"])] == ["E604"]


def test_a_rename_goes_through_included_files_and_programs_that_are_not_open(tmp_path):
    (tmp_path / "other.graph").write_text('include "base.graph"\nK = dbase(u)\ndbase(v) = v\nL = dK/du\n')
    desk = desk_of(tmp_path, base="u = t\ninput t = 2\n", a='include "base.graph"\nJ = u^2\nclaim dJ/du = 2u\n')
    document = desk.documents["base"]
    edits = renamed_from(desk, document, "u", "w")
    texts = {**{d.path: d.text for d in desk.documents.values()}, tmp_path / "other.graph": (tmp_path / "other.graph").read_text()}
    assert {path.name: apply(texts[path], some) for path, some in edits.items()} == {
        "base.graph": "w = t\ninput t = 2\n",
        "a.graph": 'include "base.graph"\nJ = w^2\nclaim dJ/dw = 2w\n',
        "other.graph": 'include "base.graph"\nK = dbase(w)\ndbase(v) = v\nL = dK/dw\n',
    }


def test_a_rename_is_refused_where_a_program_that_is_not_open_has_the_name(tmp_path):
    (tmp_path / "other.graph").write_text('include "base.graph"\nw = u\n')
    desk = desk_of(tmp_path, base="u = t\ninput t = 2\n")
    document = desk.documents["base"]
    with pytest.raises(Refused, match="`w` is taken: it is a variable on line 2 of other.graph"):
        renamed_from(desk, document, "u", "w")


def renamed_from(desk: Desk, document, mark: str, new: str) -> dict:
    """The edits of a rename at the last place of a mark in a document."""
    file, at = desk.look(document)[2], [m.start() for m in re.finditer(rf"\b{mark}\b", document.text)][-1]
    return rename(desk.all_readings(document, file.at(at).symbol), file, at, new)


SIBLINGS = {"base": "u = x^2\ninput x = 3\n", "variant": 'include "base.graph"\nJ = u + 1\n', "third": 'include "base.graph"\nJ = 2*u\n',
            "fourth": 'include "variant.graph"\nK = u*J\n', "stranger": "u = 3\nJ = u\n"}


@pytest.mark.parametrize("open", [["variant"], ["variant", "third", "base"], list(SIBLINGS)], ids="-".join)
def test_a_rename_from_any_program_reaches_all_that_share_the_definition(open, tmp_path):
    for name, text in SIBLINGS.items():
        (tmp_path / f"{name}.graph").write_text(text)
    desk = desk_of(tmp_path, **{name: SIBLINGS[name] for name in open})
    edits = renamed_from(desk, desk.documents["variant"], "u", "w")
    assert {path.stem: apply(SIBLINGS[path.stem], some) for path, some in edits.items()} == {
        name: re.sub(r"\bu\b", "w", text) for name, text in SIBLINGS.items() if name != "stranger"}


def test_a_rename_is_refused_where_a_sibling_has_the_name(tmp_path):
    for name, text in {**SIBLINGS, "third": SIBLINGS["third"] + "w = 3\n"}.items():
        (tmp_path / f"{name}.graph").write_text(text)
    desk = desk_of(tmp_path, variant=SIBLINGS["variant"])
    with pytest.raises(Refused, match="`w` is taken: it is a variable on line 3 of third.graph"):
        renamed_from(desk, desk.documents["variant"], "u", "w")
    edits = renamed_from(desk, desk.documents["variant"], "J", "w")  # third.graph has nothing to do with that
    assert {path.stem for path in edits} == {"variant", "fourth"}


def test_a_rename_reaches_programs_that_define_what_an_included_file_reads(tmp_path):
    texts = {"base": "u = 3k\n", "one": 'include "base.graph"\nk = 2\n', "two": 'include "base.graph"\nk = 4\n'}
    for name, text in texts.items():
        (tmp_path / f"{name}.graph").write_text(text)
    edits = renamed_from(desk_of(tmp_path, one=texts["one"]), desk_of(tmp_path, one=texts["one"]).documents["one"], "k", "m")
    assert {path.stem: apply(texts[path.stem], some) for path, some in edits.items()} == {name: text.replace("k", "m") for name, text in texts.items()}


def test_texts_that_are_not_saved_stand_alone():
    desk = Desk()
    for number, text in ((1, "J = ul\n"), (2, "J = x^2\ninput x = 2\n")):
        desk.put(f"untitled:Untitled-{number}", text, 1, None)
    for document in desk.documents.values():
        desk.keep(document, analyse(document.as_text), desk.changes)
    assert [[f.diagnostic.code for f in desk.findings(d)] for d in desk.documents.values()] == [["E101"], []]


def test_what_a_part_has_wrong_by_itself_is_shown_nowhere(tmp_path):
    (tmp_path / "sub.graph").write_text("v = k\n")
    texts = {"sub": "v = k\n", "base": 'include "sub.graph"\nu = v\n', "a": 'include "base.graph"\nJ = u\ninput k = 3\n'}
    desk = desk_of(tmp_path, **texts)
    assert [p.uri for p in desk.programs(desk.documents["sub"])] == ["a"]
    assert [desk.findings(d) for d in desk.documents.values()] == [[], [], []]
    desk = desk_of(tmp_path, base=texts["base"], a=texts["a"])
    assert desk.elsewhere() == {}


def test_a_program_that_cannot_be_built_takes_no_values_from_a_file_that_it_does_not_reach(tmp_path):
    desk = desk_of(tmp_path, base="u = x^2\ninput x = 3\n", a='include "base.graph"\nJ = u + zz\n')
    figures = desk.shown(desk.documents["base"])
    assert figures.value("u") == "9" and figures.adjoint("x") == []  # of this program there is no goal to be sure of
    desk = desk_of(tmp_path, base="u = x^2\ninput x = 3\n", a='include "base.graph"\noverride u = 5\nJ = u + zz\n')
    assert desk.shown(desk.documents["base"]).value("u") is None


# ---- evaluations that take long

LONG = "input x[1..4000] = 1\nJ = sum(sin(x[i]*x[j]) for i in 1..4000, j in 1..4000)\n"


@pytest.mark.parametrize("stale", [True, False], ids=["out of date", "too long"])
def test_an_evaluation_is_stopped(stale):
    done = []
    job = jobs.Job("a", Text("a.graph", LONG), {}, lambda *all: done.append(all))
    job.start()
    while not job._working:
        time.sleep(0.01)
    job.stop(stale)
    job.join(20)
    (_, found, error), = done
    assert error is None and job.late is not stale
    assert found is None if stale else found.graph is not None and found.run is None


# ---- a client


@pytest.fixture(scope="module")
def client():
    client = Client()
    yield client
    client.kill()


@pytest.fixture
def document(client):
    """Open documents of this test only."""
    opened = []

    def open(name: str, text: str) -> str:
        opened.append(client.open(name, text))
        return opened[-1]

    yield open
    for uri in opened:
        client.tell("textDocument/didClose", {"textDocument": {"uri": uri}})


def test_diagnostics_as_one_types(client, document):
    steps = [
        ("", []), ("J", ["E025"]), ("J = ", ["E018"]), ("J = x", ["E101"]), ("J = x^", ["E023"]), ("J = x^2", ["E101"]), ("J = x^2\ninput x", ["E401"]),
        ("J = x^2\ninput x = 2", []), ("J = x^2\ninput x = 2\nclaim dJ/dx = x", ["claim"]), ("J = x^2\ninput x = 2\nclaim dJ/dx = 2x", []),
        ("J = 1/(x - 2)\ninput x = 2\nclaim dJ/dx = 2x", ["E501"]), ("J = x^2\ninput x = 2\nexpect J = 5", ["expect"]), ("J = x^2\ninput x = 2\nexpect J = 4", []),
    ]
    uri = document("steps", steps[0][0])
    assert client.codes(uri, 1) == steps[0][1]
    for version, (text, codes) in enumerate(steps[1:], 2):
        client.change(uri, text, version)
        assert client.codes(uri, version) == codes, text


def test_what_is_typed_fast_is_read_once(client, document):
    uri = document("fast", "")
    for k in range(1, len(SIMPLE) + 1):
        client.change(uri, SIMPLE[:k], k)
    assert client.codes(uri, len(SIMPLE)) == []
    assert client.hints(uri)[5] == "dJ/dx = 9.09915"


def test_a_diagnostic_has_a_code_a_place_and_where_else_to_look(client, document):
    uri = document("typo", "# α 𝛼 β\nu1 = 3; J = x*ul # 𝛼\ninput x = 2\n")
    (found,) = client.diagnostics(uri, 1)
    assert (found["code"], found["severity"], found["source"]) == ("E101", 1, "graphlang")
    assert found["range"]["start"] == client.at(uri, "ul")
    assert found["relatedInformation"][0]["location"] == {"uri": uri, "range": {"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 2}}}
    assert "help: did you mean `u1`?" in found["message"]


def test_an_editor_gets_everything(client, document):
    uri = document("all", "# 𝛼\n" + SIMPLE.replace("u1 = sin(t)", "u1  =  sin(t)"))
    text = client.texts[uri]
    assert client.codes(uri, 1) == []
    assert "dJ/du1 = dJ/du = 0.969498" in client.about("hover", uri, "u1 + u2")["contents"]["value"]
    assert client.hints(uri) == {1: "= 0.2451", 2: "= 11.2432   dJ/du = 0.969498", 3: "= -0.756802   dJ/du1 = 0.969498", 4: "= 12   dJ/du2 = 0.969498",
                                 5: "= 4   dJ/dt = 2.27479", 6: "dJ/dx = 9.09915"}
    items = {i["label"]: i for i in client.about("completion", uri, "cos(u)", 5)["items"]}
    assert items["u1"]["detail"] == "= -0.756802" and items["u1"]["textEdit"]["range"]["start"] == client.at(uri, "u)")
    assert [x["range"]["start"] for x in client.about("definition", uri, "cos(u)", 4)] == [client.at(uri, "u = u1")]
    places = [x["range"]["start"]["line"] for x in client.about("references", uri, "sin(t)", 4, context={"includeDeclaration": True})]
    assert places == [3, 4, 5]
    assert [x["kind"] for x in client.about("documentHighlight", uri, "sin(t)", 4)] == [2, 2, 3]
    assert [s["name"] for s in client.about("documentSymbol", uri)] == ["J", "u", "u1", "u2", "t", "x"]
    assert client.about("prepareRename", uri, "u1 + u2")["placeholder"] == "u1"
    changes = client.about("rename", uri, "u1 + u2", newName="w")["changes"]
    assert edited(text, changes[uri]) == text.replace("u1", "w")
    with pytest.raises(Refusal, match="`sin` is a built-in function"):
        client.about("rename", uri, "u1 + u2", newName="sin")
    tidied = edited(text, client.about("formatting", uri, options={"tabSize": 2, "insertSpaces": True}))
    assert "u1 = sin(t)" in tidied.replace("u1  =", "u1 =") and "=  sin" not in tidied


def test_a_fix_is_offered_and_does_what_it_says(client, document):
    uri = document("fix", "# 𝛼\nu1 = 3; J = x*ul\ninput x = 2\n")
    client.diagnostics(uri, 1)
    (action,) = client.about("codeAction", uri, range=client.whole(uri), context={"diagnostics": []})
    assert (action["title"], action["kind"]) == ("replace by `u1`", "quickfix")
    assert edited(client.texts[uri], action["edit"]["changes"][uri]) == client.texts[uri].replace("ul", "u1")
    first = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 1}}
    assert client.about("codeAction", uri, range=first, context={"diagnostics": []}) == []


def test_values_stay_while_a_line_is_being_written(client, document):
    uri = document("broken", SIMPLE)
    client.diagnostics(uri, 1)
    client.change(uri, SIMPLE + "K = u1 * (", 2)
    assert client.codes(uri, 2) == ["E003"]
    assert client.hints(uri)[0] == "= 0.2451"
    assert "u1 = -0.756802" in client.about("hover", uri, "u1 * (")["contents"]["value"]


def test_files_that_include_one_another_are_one_program(client, document, tmp_path):
    (tmp_path / "base.graph").write_text("u = t*k\ninput t = 2\n")
    main_uri, base_uri = (tmp_path / "a.graph").as_uri(), (tmp_path / "base.graph").as_uri()
    document(main_uri, 'include "base.graph"\nJ = u^2\nk = 3\n')
    assert client.codes(main_uri, 1) == []
    assert client.about("definition", main_uri, "base")[0]["uri"] == base_uri
    assert client.about("definition", main_uri, "u^2")[0] == {"uri": base_uri, "range": {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 1}}}
    assert set(client.about("rename", main_uri, "u^2", newName="w")["changes"]) == {main_uri, base_uri}
    document(base_uri, "u = t*k\ninput t = 2\n")
    assert client.codes(base_uri, 1) == []
    client.change(base_uri, "u = t t*k\ninput t = 2\n", 2)
    assert client.codes(base_uri, 2) == ["E002"]
    assert 0 not in client.hints(base_uri)
    client.change(base_uri, "u = t*k\ninput t = 3\n", 3)
    assert client.codes(base_uri, 3) == []
    assert client.hints(base_uri) == {0: "= 9   dJ/du = 18", 1: "dJ/dt = 54"}


def test_values_of_an_included_file_stay_whatever_the_including_one_is_like(client, document, tmp_path):
    base = document((tmp_path / "base.graph").as_uri(), "u = 2α\ninput α = 3\n")
    assert client.codes(base, 1) == [] and client.hints(base) == {0: "= 6", 1: "du/dα = 2"}
    variant = document((tmp_path / "variant.graph").as_uri(), 'include "base.graph"\nJ = u + zz\n')
    assert client.codes(variant, 1) == ["E101"]
    assert client.hints(base) == {0: "= 6"}
    client.change(base, "u = 2α\ninput α = 4\n", 2)
    client.codes(variant, 1)
    deadline = time.monotonic() + 10
    while client.hints(base) != {0: "= 8"} and time.monotonic() < deadline:
        time.sleep(0.05)
    assert client.hints(base) == {0: "= 8"} and client.codes(base, 2) == []
    client.change(variant, 'include "base.graph"\nJ = u + 1\n', 2)
    assert client.codes(variant, 2) == []
    assert client.hints(base) == {0: "= 8   dJ/du = 1", 1: "dJ/dα = 2"}
    client.change(variant, 'include "base.graph"\nJ = u + zz\n', 3)
    assert client.codes(variant, 3) == ["E101"]
    assert client.hints(base) == {0: "= 8"}


def test_two_texts_that_are_not_saved_show_their_own_mistakes(client, document):
    first, second = document("Untitled-1", "J = ul\n"), document("Untitled-2", "J = x^2\ninput x = 2\n")
    assert client.codes(second, 1) == [] and client.codes(first, 1) == ["E101"]


def test_a_rename_changes_programs_that_share_a_file(client, document, tmp_path):
    for name, text in SIBLINGS.items():
        (tmp_path / f"{name}.graph").write_text(text)
    uri = document((tmp_path / "variant.graph").as_uri(), SIBLINGS["variant"])
    changes = client.about("rename", uri, "u + 1", newName="w")["changes"]
    assert set(changes) == {(tmp_path / f"{name}.graph").as_uri() for name in ("base", "variant", "third", "fourth")}
    found = client.about("references", uri, "u + 1", context={"includeDeclaration": True})
    assert {x["uri"] for x in found} == set(changes)
    with pytest.raises(Refusal, match="`x²` is not a name: letters"):
        client.about("rename", uri, "u + 1", newName="x²")


def test_a_greek_letter_is_found_by_its_name_too(client, document):
    uri = document("greek", "J = α\ninput α = 2\nK = al\nL = α\n")
    assert {i["label"]: i["filterText"] for i in client.about("completion", uri, "al\n", 2)["items"]}["α"] == "alpha"
    assert {i["label"]: i["filterText"] for i in client.about("completion", uri, "L = α", 5)["items"]}["α"] == "α"


def test_a_file_that_is_not_open_has_its_diagnostics(client, document, tmp_path):
    (tmp_path / "base.graph").write_text("u = t t\ninput t = 2\n")
    base_uri = (tmp_path / "base.graph").as_uri()
    uri = document((tmp_path / "a.graph").as_uri(), 'include "base.graph"\nJ = u^2\n')
    assert client.codes(base_uri) == ["E002"]
    client.change(uri, "J = 3\n", 2)
    assert client.codes(base_uri) == []


def test_a_file_that_is_included_no_more_is_a_program_of_its_own(client, document, tmp_path):
    base, uri = (document((tmp_path / f"{name}.graph").as_uri(), text) for name, text in (("base", "u = k\n"), ("a", 'include "base.graph"\nJ = 2u\ninput k = 3\n')))
    assert client.codes(uri, 1) == []
    assert client.about("hover", base, "k")["contents"]["value"].startswith("```graphlang\ninput k = 3")
    client.change(uri, "J = 3\n", 2)
    assert any(client.codes(base) == ["E101"] for _ in range(3))


def test_a_long_evaluation_keeps_nobody_waiting(client, document):
    uri = document("long", LONG)
    time.sleep(1)
    start = time.monotonic()
    assert "J = sum" in client.about("hover", uri, "J = sum")["contents"]["value"]
    client.change(uri, LONG.replace("4000", "3"), 2)
    assert client.codes(uri, 2) == []
    assert time.monotonic() - start < 10
    assert client.hints(uri)[1] == "= 7.57324"


def test_what_is_no_message_does_no_harm(client, document):
    uri = document("harm", SIMPLE)
    client.diagnostics(uri, 1)
    for body in (b"{", b"[]", b'{"jsonrpc": "2.0", "id": 99999, "method": "textDocument/hover", "params": {"textDocument": 3}}', b'{"jsonrpc": "2.0", "method": "no/such"}'):
        client.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    client.tell("textDocument/didChange", {"textDocument": {"uri": "untitled:never", "version": 2}, "contentChanges": [{"text": "x"}]})
    assert client.about("hover", "untitled:never", position={"line": 0, "character": 0}) is None
    assert client.about("hover", uri, position={"line": 999, "character": 999}) is None
    assert "u1" in client.about("hover", uri, "u1 + u2")["contents"]["value"]


def test_nothing_went_wrong_that_was_ours(client):
    client.ask("textDocument/documentSymbol", {"textDocument": {"uri": "untitled:never"}})
    assert [m for m in client.logged if "internal error" in m and "a message" not in m] == []


def test_utf8_is_spoken_with_who_asks_for_it():
    client = Client(encodings=("utf-8",))
    try:
        uri = client.open("wide", "J = x*u1 # α\nα = 3; u1 = α\ninput x = 2\n")
        client.diagnostics(uri, 1)
        assert client.abilities["positionEncoding"] == "utf-8"
        found = client.about("definition", uri, position={"line": 0, "character": 6})
        assert found[0]["range"] == {"start": {"line": 1, "character": 8}, "end": {"line": 1, "character": 10}}
        assert client.end() == 0
    finally:
        client.kill()


def test_the_server_ends_with_0_after_a_goodbye_and_else_with_1():
    client = Client()
    client.open("long", LONG)  # an evaluation that is under way is no reason to stay
    time.sleep(0.5)
    assert client.end() == 0
    client.kill()
    done = subprocess.run([sys.executable, "-m", "graphlang", "lsp"], input=b"", capture_output=True, cwd=ROOT, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")


def test_a_mistake_of_ours_is_logged_and_the_answer_is_empty(monkeypatch):
    from lsprotocol import types as lsp

    from graphlang.lsp import hover as hovering
    from graphlang.lsp.server import Server, server

    said = []
    monkeypatch.setattr(hovering, "hover", lambda *_: 1 / 0)
    monkeypatch.setattr(Server, "places", lambda self, text: Places(text))
    monkeypatch.setattr(server, "window_log_message", lambda params: said.append(params.message))
    server.desk.put("untitled:a", "J = x^2\ninput x = 2", 1, None)
    ask = server.protocol.fm.features[lsp.TEXT_DOCUMENT_HOVER]
    assert ask(lsp.HoverParams(lsp.TextDocumentIdentifier("untitled:a"), lsp.Position(0, 0))) is None
    server.desk.close("untitled:a")
    assert len(said) == 1 and "internal error in textDocument/hover: ZeroDivisionError" in said[0] and "mistake in graphlang" in said[0]


@pytest.mark.parametrize("missing", ["pygls", "pygls.lsp.server", "lsprotocol"])
def test_without_pygls_there_is_a_remedy(missing, monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, "graphlang.lsp.server", raising=False)
    for name in [n for n in sys.modules if n == missing or n.startswith(f"{missing}.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)  # so that importing it fails
    assert main(["lsp"]) == 2
    told = capsys.readouterr()
    assert told.out == "" and "pip install 'graphlang[lsp]'" in told.err


def test_the_set_up_of_an_editor_is_written_once():
    page, editors = ((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("lsp.md", "editors/README.md"))
    assert "(editors/README.md)" in page and "(../lsp.md)" in editors
    for snippet in ("vim.lsp.config", "[language-server.graphlang]", "eglot-server-programs", "vsce package"):
        assert editors.count(snippet) == 1 and snippet not in page
