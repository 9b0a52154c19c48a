"""Every program in programs/ runs, keeps its expectations, and shows formulas that mean what stands beside them."""

import json
from math import inf, isclose, isnan, nan
from pathlib import Path

import graphlang as gl
import pytest
from graphlang.cli.main import main

PROGRAMS = sorted(p for p in (Path(__file__).parents[1] / "programs").rglob("*.graph") if p.parent.name not in ("symbolic", "quizzes"))  # sizes without numbers: `check` judges their claims
each_program = pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: f"{path.parent.name}/{path.stem}")


@pytest.fixture(scope="module")
def run_of():
    """The run of a program, made once."""
    runs = {}
    return lambda path: runs.setdefault(path, gl.load(path).run())


def document(run):
    return json.loads(run.json())


def test_there_are_programs():
    assert {path.parent.name for path in PROGRAMS} >= {"lecture", "published"}


@each_program
def test_the_first_line_says_what_the_program_shows(path):
    comment = path.read_text(encoding="utf-8").split("\n\n")[0].splitlines()
    assert len(comment) >= 2 and all(line.startswith("# ") for line in comment)


@each_program
def test_it_runs_with_exit_status_0(path, capsys):
    assert main(["run", str(path)]) == 0
    shown = capsys.readouterr()
    assert shown.out and "error" not in shown.err


@each_program
def test_it_has_expectations_and_keeps_them(path, run_of):
    expectations = document(run_of(path))["expectations"]
    assert expectations and [e["text"] for e in expectations if not e["holds"]] == []


def numbers(value):
    """A float from the JSON, where nan and the infinities are strings; a table's, flat."""
    if isinstance(value, list):
        return [number for row in value for number in numbers(row)]
    return [{"nan": nan, "inf": inf, "-inf": -inf}.get(value, value)]


def assert_evaluates_to(run, formula, binders, value):
    text = f"{formula} for {binders}" if binders else formula
    found, wanted = numbers(run.evaluate(text)), numbers(value)
    assert len(found) == len(wanted), text
    for a, b in zip(found, wanted):
        assert isclose(a, b, rel_tol=1e-9) or (isnan(a) and isnan(b)), f"{text}: {a!r} is not {b!r}"  # what the JSON promises


@each_program
def test_every_forward_formula_evaluates_to_the_value_beside_it(path, run_of):
    run = run_of(path)
    for entry in document(run)["forward"]:
        if "note" not in entry:
            assert_evaluates_to(run, entry["formula"], entry["for"], entry["value"])


@each_program
def test_every_backward_formula_evaluates_to_the_value_beside_it(path, run_of):
    for goal in document(run_of(path)).get("goals", [None]):
        run = run_of(path) if goal is None else gl.load(path).run(goal=goal)
        for entry in document(run)["backward"]:
            if "note" not in entry:
                assert_evaluates_to(run, entry["formula"], entry["for"], entry["value"])


@each_program
def test_every_local_derivative_evaluates_to_the_value_beside_it(path, run_of):
    run = run_of(path)
    for entry in document(run)["backward"]:
        for contribution in entry["contributions"]:
            if "note" not in contribution:
                assert_evaluates_to(run, contribution["local"], contribution["over"], contribution["local_value"])


def places(entry, ranges):
    """Where the elements of a backward entry are in its variable's flat table."""
    _, _, subscripts = entry["target"].rstrip("]").partition("[")
    over = dict(binder.split(" in ") for binder in (entry["for"] or "").split(", ") if binder)
    places = [0]
    for subscript, (low, high) in zip(subscripts.split(",") if subscripts else (), ranges, strict=True):
        first, _, last = over.get(subscript, subscript).partition("..")
        indices = range(int(first), int(last or first) + 1)
        places = [place * (high - low + 1) + index - low for place in places for index in indices]
    return places


@each_program
def test_the_running_totals_add_up_to_the_adjoint(path, run_of):
    found = document(run_of(path))
    for entry in found["backward"]:
        adjoint = numbers(found["adjoints"][entry["name"]])
        contributions = [(numbers(c["value"]), numbers(c["total"])) for c in entry["contributions"]]
        for place in places(entry, found["ranges"].get(entry["name"], ())):
            total = 0.0
            for values, totals in contributions:
                total += values[place]
                assert totals[place] == total
            if contributions:
                assert adjoint[place] == total


@each_program
def test_the_entries_of_the_backward_column_cover_every_adjoint_once(path, run_of):
    found = document(run_of(path))
    covered = {}
    for entry in found["backward"]:
        covered.setdefault(entry["name"], []).extend(places(entry, found["ranges"].get(entry["name"], ())))
    sizes = {name: list(range(len(numbers(adjoint)))) for name, adjoint in found["adjoints"].items()}
    assert {name: sorted(reached) for name, reached in covered.items()} == sizes


@each_program
def test_only_a_form_that_loses_digits_has_a_note(path, run_of):
    """A formula with a note is not held to the value beside it, so the notes are counted."""
    noted = [entry["note"] for entry in document(run_of(path))["backward"] if "note" in entry]
    assert len(noted) == (path.parent.name == "lecture" and path.stem == "sigmoid")  # s(1 - s) at 30


@each_program
def test_a_run_is_the_same_twice(path, run_of):
    assert gl.load(path).run().json() == run_of(path).json()
