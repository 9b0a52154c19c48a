"""Values and derivatives at the hard points: cases/edge_cases.json, each as a program of one equation.

The gradient of a case is that of sum(expr). What strict mode refuses is refused with one code for each kind of error;
with `ieee` the values and gradients of the case apply.
"""

import json
from math import inf, isfinite, isnan, nan
from pathlib import Path

import pytest

from graphlang.diagnostics import GraphError
from graphlang.pipeline import loads

CASES = json.loads((Path(__file__).parent / "cases" / "edge_cases.json").read_text(encoding="utf-8"))["cases"]
CODES = {"DomainError": "E501", "OverflowError": "E502", "DerivativeError": "E504", "ShapeError": "E201", "EmptyReductionError": "E212"}

# Cases that are known to fail, and why. One that passes must leave this list.
FAIL_IEEE = {"E309": "a mean over an empty range is refused before anything is evaluated, as the case's own note recommends"}
FAIL_STRICT = {
    "E236": "log(sigmoid(-1000)): sigmoid vanishes without a trace, so what is seen is log(0), a domain error like every other",
    "E309": "mean of nothing is E212, an empty reduction, as the case's own note recommends",
    "E335": "exp(1000)/sum(exp(1000)): the first operation at fault is the exp, which overflows, not inf/inf",
    "E397": "log(1 + exp(800)): the operation at fault is the exp, which overflows (as in E343, log(sum(exp(x))))",
}


def expected_failures(cases, known):
    return [pytest.param(c, id=c["id"], marks=[pytest.mark.xfail(strict=True, reason=known[c["id"]])] if c["id"] in known else []) for c in cases]


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


@pytest.mark.parametrize("case", expected_failures([c for c in CASES if c["value"] is not None], FAIL_IEEE))
def test_values_and_gradients_are_those_of_the_case(case):
    text, given = program(case)
    run = loads(text).run(set=given, ieee=True)
    assert_close(run.values["element" if isinstance(case["value"], list) else "result"], case["value"], case, case["expr"])
    for name, gradient in case["gradients"].items():
        if gradient is not None:
            assert_close(run.adjoints[name], gradient, case, f"d({case['expr']})/d{name}")


@pytest.mark.parametrize("case", expected_failures([c for c in CASES if c.get("strict_mode_error")], FAIL_STRICT))
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
