"""`graphlang explain`: every code, function and topic has a page, and what a page shows is what comes out."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import graphlang as gl
from graphlang.cli.main import main
from graphlang.codes import CODES
from graphlang.diagnostics import NOWHERE, GraphError, Span
from graphlang.graph.expressions import Pool
from graphlang.graph.lower import Lowering
from graphlang.graph.values import BUILT_IN, CONSTANTS, Problem
from graphlang.pages import contents, page, rows
from graphlang.pages.texts import Example, entries, entries_of
from graphlang.pages.trials import attempt, lay_out
from graphlang.syntax import ast

ROOT = Path(__file__).parent.parent
NO_TEXT_LEADS_TO = {"E206", "W401"}  # below the tree is built by hand; only training says W401


def examples(role, codes):
    """(name, example) of the entries of codes, or of all others."""
    found = [(n, e) for n, entry in entries().items() if (n in CODES) is codes and n == entry.names[0] for e in entry.examples if e.role == role]
    return pytest.mark.parametrize("name, example", found, ids=[f"{n}-{k}" for k, (n, _) in enumerate(found)])


@pytest.fixture
def asked(tmp_path, capsys):
    """Run an example by the command line: the exit status and the codes of all diagnostics."""

    def ask(example):
        status = main([example.command, str(lay_out(example, tmp_path)), *example.options, "--json"])
        got = capsys.readouterr()
        if status == 2:
            assert got.err.startswith("graphlang run: ")
            return status, {"E407"}
        document = json.loads(got.out)
        return status, {d["code"] for d in (document[0] if example.command == "check" else document).get("diagnostics", ())}

    return ask


def explain(*argv, capsys):
    status = main(["explain", *argv])
    got = capsys.readouterr()
    return status, got.out, got.err


# ---- codes


def test_every_code_has_a_page():
    """A code without one: write an entry `## CODE` in graphlang/pages/texts (docs/explain.md says how)."""
    assert sorted(set(CODES) - set(entries())) == []


def test_every_page_of_a_code_is_of_a_code_that_there_is():
    assert sorted(n for n in entries() if re.fullmatch(r"[A-Z]\d{3}", n) and n not in CODES) == []


@pytest.mark.parametrize("code", CODES)
def test_the_page_of_a_code_has_an_example_and_its_repair(code):
    entry = entries().get(code)
    if entry is None:
        pytest.skip("no page yet")
    roles = [e.role for e in entry.examples]
    assert set(roles) == ({"right"} if code in NO_TEXT_LEADS_TO else {"wrong", "right"})
    assert len(entry.prose.split()) >= 8
    p = page(code)
    assert (p.name, p.kind, p.title) == (code, "code", CODES[code])


@examples("wrong", codes=True)
def test_the_example_of_a_code_gets_it(name, example, asked):
    status, codes = asked(example)
    assert name in codes
    assert status == (0 if name.startswith("W") else 2 if name == "E407" else 1)
    assert attempt(example).codes == codes  # what the page shows is what the command says


@examples("right", codes=True)
def test_the_repaired_program_runs(name, example, asked):
    assert asked(example) == (0, set())


def test_a_slice_in_a_tree_is_refused():
    """E206: texts get E015 for it, from the parser."""
    with pytest.raises(Problem) as e:
        Lowering(Pool(), {}, {}, {}).lower(ast.Range(ast.Num(1.0, "1", NOWHERE), ast.Num(2.0, "2", NOWHERE), Span(0, 1)))
    assert e.value.diagnostic.code == "E206"


def test_the_page_of_an_undefined_name(capsys):
    status, out, err = explain("E101", "--plain", capsys=capsys)
    assert status == 0 and err == ""
    assert out.startswith(f"E101  {CODES['E101']}\n")
    assert """
    error[E101]: `ul` is not defined
     ╭─ example.graph:3:10
    1 │ u1 = sin(t)
      │ -- `u1` is defined here
    3 │ J = u2 + ul
      │          ^^ no variable has this name
      = help: did you mean `u1`?

repaired:
""" in out


# ---- functions

FUNCTION_PAGES = sorted({*rows.names(), *(n for n, e in entries().items() if e.family == "operations" and n == e.names[0])})


def facts(p, heading):
    """The rows of the fact parts under a heading; a row without a label goes on with the one before."""
    out, label = [], ""
    for part in p.parts:
        if part.kind == "facts" and part.heading == heading:
            for own, text in part.rows:
                label = own or label
                out.append((label, text))
    return out


def test_everything_that_a_program_can_call_has_a_page():
    """A function without one: a row makes its own page; for an operation without a row write an entry in operations.md."""
    assert sorted(n for n in (*BUILT_IN, *CONSTANTS) if page(n) is None) == []


@pytest.mark.parametrize("name", FUNCTION_PAGES)
def test_the_derivative_on_a_page_gives_the_number_beside_it(name):
    """Each form of it, shown, computed and raw, evaluated at the point of the example, is the gradient that the page lists."""
    p = page(name)
    (program, *_) = [part.text for part in p.parts if part.kind == "program"]
    run = gl.loads(program).run()
    part = next(k for k, part in enumerate(p.parts) if part.kind == "facts")
    label, checked = "", 0
    for own, text in p.parts[part].rows:
        label = own or label
        match = re.fullmatch(r"d(\w+)/d(\w+)(\[.*?\])? = (.*?)( for \w+ in [^()]*)?", text)
        if label == "with a number":
            break
        if match and label in ("derivative", "computed as", "without u") and "_others" not in match[4]:
            left, right = (flat(run.evaluate(f"{e}{match[5] or ''}")) for e in (text.split(" = ")[0], match[4]))
            assert right == pytest.approx(left, rel=1e-13, abs=1e-15)
            checked += 1
    assert checked


def flat(value):
    return [x for row in value for x in flat(row)] if isinstance(value, list) else [value]


@pytest.mark.parametrize("name", [n for n in rows.names() if n in rows.FUNCTIONS])
def test_what_a_page_says_is_refused_is_refused(name):
    for _, text in [r for r in facts(page(name), "") if r[0] == "refused"]:
        call, _, message = text.partition(": ")
        with pytest.raises(GraphError) as e:
            gl.loads(f"input one = 1\nJ = one*({call})").run()
        (d,) = e.value.diagnostics
        assert d.code == "E501" and message in d.message


@pytest.mark.parametrize("name, wanted", [
    ("sin", ["u = sin(v)", "du/dv = cos(v)"]),
    ("sigmoid", ["du/dv = u*(1 - u)", "du/dv = sigmoid(v)*sigmoid(-v)", "du/dv = exp(-v)/(1 + exp(-v))^2"]),
    ("sqrt", ["du/dv = 1/(2*u)", r"u = \sqrt{v}", "sqrt(-1): the square root of a negative number is not defined"]),
    ("^", ["u = x^y", "du/dy = u*log(x)", "du/dx = 3*x^2"]),
    ("neg", ["u = -v", "du/dv = -1"]),
    ("relu", ["at relu(0): relu has no derivative at 0; 0 is used; one-sided derivatives: 0, 1"]),
    ("abs", ["at abs(0): abs has no derivative at 0; 0 is used; one-sided derivatives: -1, 1"]),
    ("asin", ["at asin(1): asin has an infinite derivative at 1; one-sided derivatives: inf, none"]),
    ("@", ["dJ/dA[i,k] = dJ/du[i]*x[k] for i in 1..2, k in 1..2"]),
    ("norm", ["du/dx[i] = x[i]/u for i in 1..3", "0, with a warning"]),
    ("floor", ["du/dv = 0"]),
    ("det", ["u = det(A)", "du/dA[i,j] = u*inv(A)[j,i] for i in 1..2, j in 1..2"]),
])  # fmt: skip
def test_a_page_of_a_function_says_what_its_row_says(name, wanted):
    said = [text for _, text in facts(page(name), "")]
    assert [w for w in wanted if w not in said] == []


def test_one_page_for_the_two_meanings_of_max():
    p = page("max")
    assert ("derivative", "du/da = (a > b) + (a == b)/2") in facts(p, "")
    assert [r for r in facts(p, "over a table, or with `for`") if r[0] == "of nothing"] == [("of nothing", "refused")]


@pytest.mark.parametrize("name, first", [("ln", "log"), ("**", "^"), ("power", "^"), ("T", ".T"), ("matmul", "@"), ("e101", "E101"), ("sin()", "sin"), ("maximize", "minimize")])
def test_other_names_lead_to_a_page(name, first):
    assert page(name).name == first and page(name) == page(first)


# ---- topics


@examples("right", codes=False)
def test_the_example_of_a_topic_runs(name, example, asked):
    status, codes = asked(example)
    assert (status, codes) == (0, set())


@pytest.mark.parametrize("word", "input param data const dim symmetric derivative opaque minimize maximize output claim expect within set layout include "
                         "override train quiz exam for in diff partial jacobian hessian pi e inf nan recurrence gather".split())  # fmt: skip
def test_every_word_of_the_language_has_a_page(word):
    p = page(word)
    assert p.kind == "topic" and any(part.kind == "program" for part in p.parts)


# ---- the command


def test_without_a_name_everything_is_listed(capsys):
    status, out, _ = explain(capsys=capsys)
    assert status == 0
    first = {line.split()[0] for line in out.splitlines() if line.startswith("  ") and line.strip()}
    assert {*CODES, "sin", "^", "@", "softmax", "claim"} - first == set()
    assert all(page(n) is not None for names in contents().values() for n, _ in names)


@pytest.mark.parametrize("name, near", [("sigmod", "sigmoid"), ("E10", "E101"), ("E119", "E110"), ("minimise", "minimize")])
def test_an_unknown_name_gets_the_nearest_and_status_2(name, near, capsys):
    status, out, err = explain("sin", name, capsys=capsys)
    assert status == 2 and out == ""
    assert f"there is no page `{name}`; did you mean `{near}" in err


def test_several_names_and_json(capsys):
    status, out, _ = explain("E101", "sin", "claim", "--json", capsys=capsys)
    document = json.loads(out)
    assert status == 0
    assert [p["name"] for p in document["pages"]] == ["E101", "sin", "claim"]
    (table,) = [p for p in document["pages"][1]["parts"] if p["kind"] == "facts" and not p["heading"]]
    assert ["derivative", "du/dv = cos(v)"] in table["rows"]
    assert {"name": "E101", "title": CODES["E101"]} in json.loads(explain("--json", capsys=capsys)[1])["contents"]["Names"]


def test_all_pages_fit_in_eighty_columns(capsys, monkeypatch):
    """But for programs and what they answer, which are never broken."""
    monkeypatch.setenv("COLUMNS", "80")
    status, out, _ = explain("--all", "--plain", capsys=capsys)
    assert status == 0
    assert [line for line in out.splitlines() if len(line) > 80 and not line.startswith("    ")] == []
    assert all(f"\n{code}  " in f"\n{out}" for code in CODES)


def test_a_page_is_data_and_needs_no_rich():
    code = "import sys; from graphlang.pages import page; page('sin'); page('input'); print('rich' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.stdout.strip() == "False", done.stderr[-2000:]


def test_an_error_points_to_its_page_once(tmp_path, capsys):
    path = tmp_path / "a.graph"
    path.write_text("y = a\nz = b[1]\ninput x = 2\nw = sin(x, x)\n")
    assert main(["run", str(path)]) == 1
    err = capsys.readouterr().err
    assert err.count("says more") == 1 and err.endswith("\n\n`graphlang explain E101` says more\n")
    main(["run", str(path), "--error-format", "short"])
    assert "says more" not in capsys.readouterr().err


def test_a_check_of_many_files_points_to_the_first_page_only(tmp_path, capsys):
    for name, text in (("a", "J = x\ninput x = 2\nJ = 2\n"), ("b", "J = y\n"), ("c", "J = (x\n")):
        (tmp_path / f"{name}.graph").write_text(text)
    assert main(["check", str(tmp_path)]) == 1
    err = capsys.readouterr().err
    assert err.count("says more") == 1 and "`graphlang explain E102` says more" in err


def test_a_file_of_numpy_is_one(tmp_path):
    import numpy

    lay_out(Example("right", "J = 1\n", files=(("a.npy", "1,2.5\n-3,4\n"),)), tmp_path)
    assert numpy.load(tmp_path / "a.npy", allow_pickle=False).tolist() == [[1, 2.5], [-3, 4]]


def test_an_entry_with_an_unknown_block_is_refused():
    with pytest.raises(ValueError, match="cannot begin with"):
        entries_of("## E101\n\nText.\n\n```grahp wrong\nJ = x\n```\n", "names")
