"""A result that rests on a convention says so: where, which one, and the derivatives from both sides.

The derivatives from the left and from the right are checked against the definition: quotients of differences on one side
of the point, with steps small enough that a piecewise smooth function of moderate curvature shows its slope to 1e-5.
"""

from math import inf, isnan

import pytest

from graphlang.graph.expressions import Pool
from graphlang.graph.functions import FUNCTIONS
from graphlang.graph.reductions import REDUCTIONS
from graphlang.pipeline import loads
from graphlang.verify.one_sided import Point, one_sided


def told(text, **options):
    return [(c["name"], c["at"], c["one_sided"]) for c in loads(text).run(**options).conventions]


# ---- where


@pytest.mark.parametrize("text, expected", [
    ("J = relu(x)\ninput x = 0", [("J", "relu(x)", [0, 1])]),
    ("J = relu(x)\ninput x = 1e-300", []),
    ("J = sum(z)\nz[j] = abs(x[j]) for j\ninput x[0..3] = [1, 0, -1, 0]", [("z[1]", "abs(x[1])", [-1, 1]), ("z[3]", "abs(x[3])", [-1, 1])]),
    ("J = sum(abs(x))\ninput x = [1, 0]", [("J", "abs(x[2])", [-1, 1])]),
    ("J = sum(w[i]*relu(x[i-1]) for i in 2..3)\ninput x[3] = [0, 5, 0], w[3] = 1", [("J", "relu(x[1])", [0, 1])]),
    ("J = sum(m)\nm[i] = max(A[i,j] for j) for i\ninput A = [[1, 2], [3, 3]]", [("m[2]", "max(A[2,j] for j in 1..2)", [0, 1])]),
    ("J = norm(x)\ninput x = [0, 0]", [("J", "norm(x)", [-1, 1])]),
    ("J = max(x, y, 2)\ninput x = 2, y = 1", [("J", "max(x, y, 2)", [0, 1])]),
    ("h(v) = max(v, 0)\nJ = h(x)\ninput x = 0", [("J", "max(x, 0)", [0, 1])]),
    ("h[0] = x\nh[k] = relu(h[k-1] - 1) for k in 1..2\nJ = h[2]\ninput x = 2", [("h[2]", "relu(h[1] - 1)", [0, 1])]),
], ids=["a scalar", "beside the kink", "elements of a table", "inside a sum", "with the index of the element", "a tie in one row", "a norm", "three operands",
        "inlined", "a recurrence"])  # fmt: skip
def test_the_variable_the_element_and_both_sides_are_told(text, expected):
    assert told(text) == expected


@pytest.mark.parametrize("text", [
    "J = where(x > 1, abs(x), x)\ninput x = 0",
    "J = where(abs(x) < 1, 2*x, x)\ninput x = 0",
    "J = sum(abs(i - 2)*x[i] for i)\ninput x[3] = 1",
    "J = sum(where(i == 2, x[i], 0) for i)\ninput x[3] = 1",
    "J = x^2\nunused = abs(x)\nminimize J\ninput x = 0",
    "J = where(label == 1, log(y), log(1 - y))\ndata label = 1\ninput y = 0.5",
    "J = where(x > 0, x^2, -x^2)\ninput x = 0",
    "J = where(x >= 1, x^2, 2x - 1)\ninput x = 1",
    "J = std(x)\ninput x[1] = 3",
    "J = max(x)\ninput x[1] = 3",
    "J = prod(x) + mean(x)\ninput x = [0, 0]",
    "J = x*(floor(y) == 0)\ninput x = 1, y = 0.5",
], ids=["a branch not taken", "a condition", "of indices only", "a condition on an index", "not on the way to the goal", "a label", "smooth at the boundary",
        "branches that meet smoothly", "the deviation of one number", "one candidate", "prod and mean", "constant beside the jump"])  # fmt: skip
def test_nothing_is_told_where_no_convention_is_used(text):
    assert told(text) == []


def test_in_the_scalar_view_an_element_has_its_own_name():
    text = "J = sum(z)\nz[j] = abs(x[j]) for j\ninput x[2] = [1, 0]"
    assert told(text, scalar=True) == [("z[2]", "abs(x[2])", [-1, 1])]


# ---- both sides of a boundary


@pytest.mark.parametrize("text, at, sides", [
    ("where(x > 0, x, 0)", {"x": 0}, (0, 1)), ("where(x > 0, 0, x)", {"x": 0}, (1, 0)), ("(x > 0)*x", {"x": 0}, (0, 1)),
    ("x*where(x > 0, 1, 0)", {"x": 0}, (0, 1)), ("where(x > y, x^2, y*x)", {"x": 2, "y": 2}, (2, 4)),
    ("where(2*x - 0.2 > 0, 3*x, 0.3)", {"x": 0.1}, (0, 3)), ("where(x > 0, 1, 0)", {"x": 0}, (0, inf)), ("where(x < 0, 1, 0)", {"x": 0}, (-inf, 0)),
    ("where(x > 0, sqrt(x), 0)", {"x": 0}, (0, inf)), ("where(x > 0, abs(x), -2*x)", {"x": 0}, (-2, 1)),
    ("where((x > 0)*(x < 1), x, -x)", {"x": 0}, (-1, 1)), ("where(sin(x) > 0, exp(x), 1 + 5*x)", {"x": 0}, (5, 1)),
    ("where(x == 0, 1, (exp(x) - 1)/x)", {"x": 0}, (0.5, 0.5)), ("where(x != 1, x^3, 1)", {"x": 1}, (3, 3)),
], ids=lambda v: v if isinstance(v, str) else "")
def test_the_sides_of_a_boundary_are_those_of_the_branches(text, at, sides):
    program = f"J = {text}\ninput " + ", ".join(f"{n} = {v}" for n, v in at.items())
    (found,) = loads(program).run().conventions
    assert found["one_sided"] == pytest.approx(list(sides), abs=1e-12)
    assert f"{next(iter(at))} = {next(iter(at.values())):g}; the derivative of the branch taken is used" in found["note"]


def test_a_comparison_of_sums_is_moved_by_its_elements():
    (found,) = loads("J = where(sum(w*x) > 0, sum(x), 0)\ninput x = [1, -1], w = [1, 1]").run().conventions
    assert found["one_sided"] == [0, 1] and "changes at x[1] = 1" in found["note"]


def test_two_derivatives_beside_a_formula_without_one_are_told_with_ieee():
    (found,) = loads("J = sqrt((x - 3)^2)\ninput x = 3").run(ieee=True).conventions
    assert (found["name"], found["at"], found["one_sided"]) == ("J", "sqrt((x - 3)^2)", [-1, 1])


# ---- the numbers of the tables, against the definition


STEP = 1e-7  # the error of a difference is about STEP times a second derivative of order 1


def quotients(f, at, k):
    """One-sided difference quotients by operand k; infinite where the function jumps."""
    def moved(h):
        return f(*(v + h if i == k else v for i, v in enumerate(at)))

    out = []
    for side in (-1, 1):
        q = (moved(side * STEP) - f(*at)) / (side * STEP)
        out.append(inf * (1 if q > 0 else -1) if abs(q) > 1e5 else q)
    return out


POINTS = {"abs": [(0.0,)], "relu": [(0.0,)], "leaky_relu": [(0.0,)], "sign": [(0.0,)], "floor": [(2.0,), (-1.0,)], "ceil": [(3.0,)], "round": [(0.5,), (1.5,)],
          "mod": [(6.0, 2.0), (6.0, -2.0)], "max": [(1.0, 1.0)], "min": [(1.0, 1.0)], "clip": [(1.0, -1.0, 1.0), (-1.0, -1.0, 1.0), (2.0, 2.0, 2.0)],
          "hypot": [(0.0, 0.0)], "atan2": [(0.0, -2.0)]}  # fmt: skip


@pytest.mark.parametrize("name, at", [(n, p) for n, ps in POINTS.items() for p in ps], ids=str)
def test_the_kinks_of_functions_are_their_difference_quotients(name, at):
    row = FUNCTIONS[name]
    kink = row.kink(*at)
    assert list(kink.one_sided) == pytest.approx(quotients(row.reference, at, kink.operand), abs=1e-5)


@pytest.mark.parametrize("name, values", [("max", [1.0, 3.0, 3.0]), ("min", [1.0, 3.0, 1.0]), ("norm", [0.0, 0.0]), ("std", [2.0, 2.0, 2.0, 2.0])], ids=str)
def test_the_kinks_of_reductions_are_their_difference_quotients(name, values):
    row = REDUCTIONS[name]
    kink = row.kink(values)
    found = quotients(lambda *v: row.reference(list(v)), values, kink.operand)
    assert list(kink.one_sided) == pytest.approx(found, abs=1e-5)
    assert row.kink([v + k for k, v in enumerate(values)]) is None


def test_nothing_but_minus_infinity_has_no_sides():
    kink = REDUCTIONS["logsumexp"].kink([-inf, -inf])
    assert all(map(isnan, kink.one_sided)) and REDUCTIONS["logsumexp"].kink([-inf, 0.0]) is None


@pytest.mark.parametrize("name, at", [("abs", (0.0,)), ("relu", (0.0,)), ("leaky_relu", (0.0,)), ("max", (2.0, 2.0)), ("min", (2.0, 2.0)), ("clip", (1.0, -1.0, 1.0)), ("hypot", (0.0, 0.0))], ids=str)
def test_the_general_method_finds_what_the_rows_say(name, at):
    pool = Pool()
    names = "abc"[: len(at)]
    call = pool.call(name, *map(pool.read, names))
    point = Point({n: [v] for n, v in zip(names, at)}, {n: () for n in names})
    assert one_sided(call, ("a", ()), point) == pytest.approx(FUNCTIONS[name].kink(*at).one_sided, abs=1e-9)


def test_an_unknown_side_is_nan_never_a_number():
    pool = Pool()
    x = pool.read("x")
    assert one_sided(pool.call("sqrt", x), ("x", ()), Point({"x": [0.0]}, {"x": ()}))[1] == inf
    wild = pool.call("*", x, pool.call("sin", pool.call("/", pool.one, x)))  # x sin(1/x) has no slope at 0
    assert all(map(isnan, one_sided(wild, ("x", ()), Point({"x": [0.0]}, {"x": ()}))))
