"""`graphlang run --engine E`: the numbers of `graphlang run`, by a compiled engine and without its steps."""

import json
import math
from importlib.util import find_spec
from pathlib import Path

import pytest

from graphlang.cli.main import main

ROOT = Path(__file__).parent.parent / "programs"
ENGINES = ("auto", "python", "numpy", "numba", "jax")
each_engine = pytest.mark.parametrize("engine", [pytest.param(e, marks=pytest.mark.skipif(e in ("numba", "jax") and find_spec(e) is None, reason=f"{e} is not installed")) for e in ENGINES])
CLOSE = 1e-12  # sums in another grouping


@pytest.fixture(autouse=True)
def quiet(monkeypatch, tmp_path):
    for name in ("FORCE_COLOR", "NO_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    """Status, standard output and standard error of `graphlang run` on a program's text or path."""

    def call(program, *options):
        monkeypatch.chdir(tmp_path)
        if isinstance(program, str):
            (tmp_path / "a.graph").write_text(program, encoding="utf-8")
            program = "a.graph"
        status = main(["run", str(program), *options])
        return status, *capsys.readouterr()

    return call


def flat(value):
    return [x for row in value for x in flat(row)] if isinstance(value, list) else [float(value)]


def assert_same(found, wanted, what):
    a, b = flat(found), flat(wanted)
    assert len(a) == len(b), what
    scale = max([abs(x) for x in b if math.isfinite(x)], default=1.0)
    for x, y in zip(a, b):
        assert x == y or (x != x and y != y) or abs(x - y) <= CLOSE * max(abs(y), scale), f"{what}: {x!r} is not {y!r}"


TABLE = "input x[0..2] = [1, 2, 3]\nparam q = 2\ny[i] = q*x[i]*sum(x) for i in 0..2\noutput y\n"
CHAIN = "const N = 6\nparam w = 0.5\ninput h0 = 0.3\nh[0] = h0\nh[k] = tanh(w*h[k-1]) for k in 1..N\nJ = sum(h) + h[3]^2\n"
TWO = "input x = 2, z[2] = [1, 3]\na = x*sum(z)\nb = sin(x)*z[2]\noutput a, b\n"
CASES = [("simple", ROOT / "lecture/simple.graph", ["--wrt", "x,t,u1"]), ("a layer", ROOT / "lecture/nn2_matrix.graph", []), ("seeded", "param w[3] = normal(0, 1)\nJ = sum(exp(w))\n", ["--seed", "7"]),
         ("a table", TABLE, ["--wrt", "x,q", "--set", "x=[1,-1,4]"]), ("an element", TABLE, ["--goal", "y[1]"]), ("a chain", CHAIN, ["--set", "N=4", "--wrt", "w,h0"]),
         ("two outputs", TWO, []), ("ieee", "input x = 0, y = 1\nJ = log(x)*y\n", ["--ieee"])]


@each_engine
@pytest.mark.parametrize("program, options", [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_every_engine_has_the_numbers_of_a_run(program, options, engine, run):
    status, out, _ = run(program, *options, "--json")
    wanted = json.loads(out)
    status, out, err = run(program, *options, "--json", "--engine", engine)
    found = json.loads(out)
    assert (status, err) == (0, "")
    assert found["engine"] == engine or engine == "auto" and found["engine"] in ENGINES
    assert [found[k] for k in ("graphlang", "file", "goal", "diagnostics")] == [wanted[k] for k in ("graphlang", "file", "goal", "diagnostics")]
    assert found["adjoints"]
    for name, value in found["adjoints"].items():
        assert_same(value, wanted["adjoints"][name], name)
    assert found.get("goals", {}).keys() == wanted.get("goals", {}).keys()
    for goal, one in found.get("goals", {}).items():
        for name, value in one["adjoints"].items():
            assert_same(value, wanted["goals"][goal]["adjoints"][name], f"{goal} by {name}")
    for goal, value in found["values"].items():
        name, _, element = goal.partition("[")
        whole = wanted["values"][name]
        assert_same(value, whole[int(element.rstrip("]")) - wanted["ranges"][name][0][0]] if element else whole, goal)


@each_engine
@pytest.mark.parametrize("program, options", [(TABLE, ["--wrt", "x,q"]), (TABLE, ["--goal", "y[2]", "--wrt", "x"]), (ROOT / "published/pytorch_blitz.graph", [])], ids=["a table", "an element", "two scalars"])
def test_tables_of_derivatives_are_those_of_a_run(program, options, engine, run):
    wanted = json.loads(run(program, *options, "--jacobian", "--hessian", "--json")[1])["derivatives"]
    found = json.loads(run(program, *options, "--jacobian", "--hessian", "--json", "--engine", engine)[1])["derivatives"]
    assert found.keys() == wanted.keys() and wanted
    for name in wanted:
        assert found[name]["ranges"] == wanted[name]["ranges"]
        assert_same(found[name]["value"], wanted[name]["value"], name)


SMALL = "J = alpha*t + cos(x)\nt = x^2\ninput x = 2\nparam alpha = 3\nclaim dJ/dt = alpha\nclaim dt/dx = x\nexpect J > 0\n"
TEXT = """a.graph
 at x = 2,  α = 3
 J = 11.5838531634529
 dJ/dα = 4

 computed by the engine `numpy`; without --engine every step is shown
 note: 2 claims and 1 expectation not judged: run without --engine
"""


def test_a_person_reads_the_point_the_goal_its_gradient_and_who_computed_them(run):
    assert run(SMALL, "--engine", "numpy", "--plain") == (0, TEXT, "")  # 12 + cos 2
    ascii = run(SMALL, "--engine", "numpy", "--plain", "--ascii", "--digits", "17")[1]
    assert " at x = 2,  alpha = 3\n J = 11.583853163452858\n dJ/dalpha = 4\n" in ascii


def test_a_warning_is_told_and_a_variable_without_a_part_has_the_adjoint_zero(run):
    status, out, err = run("input x = 1, q = 2\nJ = x + sum(i for i in 1..0)\n", "--engine", "python", "--plain")
    assert status == 0 and " dJ/dq = 0\n" in out and " note: J does not depend on q\n" in out and "warning[" in err


@pytest.mark.parametrize("options", [["--mode", "B"], ["--steps"], ["--scalar"], ["--expand"], ["--raw"], ["--order", "slide"], ["--reveal"], ["--exact"], ["--precision", "9"], ["--watch"]], ids=" ".join)
def test_what_asks_for_steps_is_refused(options, run):
    status, out, err = run(SMALL, "--engine", "python", *options)
    assert (status, out) == (2, "") and err.startswith(f"graphlang run: {options[0]} ") and "--engine" in err and err.count("\n") == 1


WRONG = [(["--wrt", "w"], 2, "--wrt: there is no variable `w` to differentiate with respect to"), (["--set", "q=1"], 2, "there is no leaf `q`"), (["--goal", "nope"], 2, "--goal: there is no variable `nope`"),
         (["--digits", "0"], 2, "--digits is a number"), (["--seed", "-1"], 2, "--seed is 0 or greater")]


@pytest.mark.parametrize("options, status, message", WRONG, ids=[w[0][0] for w in WRONG])
def test_what_is_wrong_is_told_as_by_a_run(options, status, message, run):
    for more in ([], ["--engine", "numpy"]):
        got = run(SMALL, *options, *more)
        assert got[0] == status and message in got[2]


def test_a_leaf_without_a_value_is_asked_for(run):
    wanted, found = run("input x, y\nJ = x*y\n"), run("input x, y\nJ = x*y\n", "--engine", "numpy")
    assert wanted == found and found[0] == 1 and "`x`, `y` have no value" in found[2]


@each_engine
def test_a_number_that_is_not_finite_stops_with_its_cause(engine, run):
    """The reference engine says why: in the value or in the derivative."""
    status, out, err = run("J = log(x)\ninput x = -1\n", "--engine", engine)
    assert (status, out) == (1, "") and "error[E501]: `J` has no finite value: the logarithm of a negative number" in err
    status, out, err = run("J = sqrt(x)\ninput x = 0\n", "--engine", engine, "--json")
    assert (status, err) == (1, "") and json.loads(out)["diagnostics"][0]["code"] == "E504"


def test_what_only_the_engine_cannot_compute_is_told_too(run, monkeypatch):
    from graphlang.cli import run_engine

    monkeypatch.setattr(run_engine, "one", lambda graph, f, goal: run_engine.Result(goal, math.nan, {"alpha": [1.0]}))
    status, out, err = run(SMALL, "--engine", "python")
    assert (status, out) == (1, "") and "`J` is not finite, as computed by the engine `python`" in err and "step by step, without --engine, it is finite" in err


@each_engine
def test_emit_prints_what_the_engine_runs(engine, run):
    status, out, err = run(ROOT / "lecture/nn1_squared.graph", "--emit", "--engine", engine)
    assert (status, err) == (0, "") and "def value_and_gradient(" in out or "def compute(" in out
    assert ("dot(" in out) == (engine in ("numpy", "jax"))
