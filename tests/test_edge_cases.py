"""Values and derivatives at the hard points: cases/edge_cases.json, each as a program of one equation.

The gradient of a case is that of sum(expr). What strict mode refuses is refused with one code for each kind of error;
with `ieee` the values and gradients of the case apply. Our own further cases, with values by mpmath, are in edge_more.json.
"""

import json
from math import inf, isfinite, isnan, nan
from pathlib import Path

import pytest

from graphlang.diagnostics import GraphError
from graphlang.pipeline import loads

CASES = [c for f in ("edge_cases.json", "edge_more.json")
         for c in json.loads((Path(__file__).parent / "cases" / f).read_text(encoding="utf-8"))["cases"]]
CODES = {"DomainError": "E501", "OverflowError": "E502", "SingularMatrixError": "E503", "DerivativeError": "E504", "ShapeError": "E201", "EmptyReductionError": "E212"}

def number(value):
    return {"nan": nan, "inf": inf, "-inf": -inf}[value] if isinstance(value, str) else float(value)


def flat(value):
    return [n for row in value for n in flat(row)] if isinstance(value, list) else [number(value)]


def written(value):
    """An input's value as the program spells it."""
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    return value if isinstance(value, str) else repr(value)


def extents(value):
    return [len(value), *extents(value[0])] if isinstance(value, list) and value else [0] if isinstance(value, list) else []


def declaration(name, value):
    ranges = ", ".join(f"1..{n}" for n in extents(value))
    initial = "" if isinstance(value, list) and not value else f" = {written(value)}"
    return f"input {name}[{ranges}]{initial}" if ranges else f"input {name}{initial}"


def program(case):
    """`case` as a program with the goal `result`, and what must be given when it is run."""
    lines = [declaration(n, v) for n, v in case["inputs"].items()]
    if isinstance(case["value"], list):
        lines += [f"element = {case['expr']}", "result = sum(element)"]
    else:
        lines += [f"result = {case['expr']}"]
    given = {n: v for n, v in case["inputs"].items() if v == []}
    return "\n".join([*lines, "output result"]), given


def assert_close(found, wanted, case, what):
    found, wanted = flat(found), flat(wanted)
    assert len(found) == len(wanted), what
    # the tolerance of the case: relative to the number, or to a thousandth of the largest of its array
    largest = max((abs(w) for w in wanted if isfinite(w)), default=0.0)
    for f, w in zip(found, wanted):
        if isfinite(w):
            assert abs(f - w) <= case["tolerance"] * max(abs(w), 1e-3 * largest) + case["atol"], f"{what}: {f!r} is not {w!r}"
        else:
            assert f == w or isnan(f) and isnan(w), f"{what}: {f!r} is not {w!r}"


@pytest.mark.parametrize("case", [c for c in CASES if c["value"] is not None], ids=lambda c: c["id"])
def test_values_and_gradients_are_those_of_the_case(case):
    text, given = program(case)
    run = loads(text).run(set=given, ieee=True)
    assert_close(run.values["element" if isinstance(case["value"], list) else "result"], case["value"], case, case["expr"])
    for name, gradient in case["gradients"].items():
        if gradient is not None:
            assert_close(run.adjoints[name], gradient, case, f"d({case['expr']})/d{name}")


@pytest.mark.parametrize("case", [c for c in CASES if c.get("strict_mode_error")], ids=lambda c: c["id"])
def test_strict_mode_refuses_with_the_code_of_the_kind_of_error(case):
    text, given = program(case)
    with pytest.raises(GraphError) as caught:
        loads(text).run(set=given)
    assert [d.code for d in caught.value.diagnostics] == [CODES[case["strict_mode_error"]]]


@pytest.mark.parametrize("case", [c for c in CASES if not c.get("strict_mode_error") and c["category"] in ("generic", "kink")], ids=lambda c: c["id"])
def test_strict_mode_accepts_what_is_finite(case):
    text, given = program(case)
    run = loads(text).run(set=given)
    assert all(isfinite(a) for name in case["inputs"] for a in flat(run.adjoints[name]))


def test_each_kind_of_error_has_its_own_code():
    assert {c["strict_mode_error"] for c in CASES if c.get("strict_mode_error")} == set(CODES)
    assert len(set(CODES.values())) == len(CODES)


# ---- what rests on a convention

UNFLAGGED = {  # cases without the flag in which a convention is used all the same
    "E132": "0^0: its note asks for the flag",
    "E299": "where(x == 1, 1, x^2): 0 is used, and the derivative from both sides is 2",
    "E340": "logsumexp of nothing but -inf: its note calls the derivative a convention",
}


def sides_differ(case):
    """The case's own one-sided derivatives, both known, are not the same: so in E278, a tie, and at the boundary of a `where`."""
    return any(a != b and not isnan(a) and not isnan(b) for s in (case.get("one_sided") or {}).values() for a, b in zip(flat(s["left"]), flat(s["right"])))


def listed(case):
    text, given = program(case)
    return loads(text).run(set=given, ieee=True).conventions


@pytest.mark.parametrize("case", [c for c in CASES if c["value"] is not None], ids=lambda c: c["id"])
def test_a_convention_is_told_where_one_is_used_and_nowhere_else(case):
    expected = "flag" in case or case["id"] in UNFLAGGED or (case["category"] not in ("domain", "generic") and not case.get("strict_mode_error") and sides_differ(case))
    assert bool(listed(case)) == expected


@pytest.mark.parametrize("case", [c for c in CASES if "flag" in c and c.get("one_sided")], ids=lambda c: c["id"])
def test_both_one_sided_derivatives_are_those_of_the_case(case):
    """Each that is told is one of the case's, of an input or of one element of an input."""
    pairs = [p for s in case["one_sided"].values() for p in zip(flat(s["left"]), flat(s["right"]))]
    told = listed(case)
    assert told
    for c in told:
        found = tuple(c["one_sided"])
        assert any(all(a == b or isnan(a) and isnan(b) or abs(a - b) < 1e-12 for a, b in zip(found, p)) for p in pairs), (found, pairs)
