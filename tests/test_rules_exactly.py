"""Every derivative rule of the tables, in every form, against the derivative of the function itself, to 14 digits.

The rule is evaluated in ball arithmetic, the function is differentiated by mpmath at 80 digits; so a rule that is off by a factor of
1 + 1e-9 is found. `tools/mutate_rules.py` changes the rules one by one and counts the changes that `check` does not notice.
"""

import math
from functools import cache

import mpmath as mp
import pytest
from test_ball import SQUARE, mp_cofactors, mp_matrix, mp_std, with_true_pi
from test_functions import EXACT, LITERALS, NAMES, column_of, is_moderate

from graphlang.derive.local import SHOWN
from graphlang.derive.reverse import contributions, local
from graphlang.engines import ball
from graphlang.engines.reference import evaluate, plain
from graphlang.graph.expressions import Pool
from graphlang.graph.functions import FUNCTIONS
from graphlang.graph.graph import Equation, Graph, Range, Variable
from graphlang.graph.reductions import REDUCTIONS
from graphlang.pipeline import loads

pytestmark = pytest.mark.skipif(not ball.available(), reason="python-flint is not installed")

TOLERANCE = 1e-14  # of mpmath's differences at 80 digits and of balls of 300 bits nothing is left at 1e-20
FORMS = ("computed", "shown", "raw")


def same(found, exact, what):
    middle = ball.middle(found, 60)
    assert middle is not None, what
    assert abs(middle - exact) <= TOLERANCE * max(abs(exact), 1e-30), (what, middle, exact)


# ---- functions


MORE = {"mod": [(5.3, 2.0), (-5.1, 1.5)], "clip": [(5.5, -1.5, 2.5), (-4.5, -1.5, 2.5)]}  # on all pieces


def points(name):
    """Those at which no form of the rule is far out or on a kink."""
    f = FUNCTIONS[name]
    chosen = [p for p in EXACT[name][1] if is_moderate(f, p) or name in LITERALS]
    return (chosen or EXACT[name][1])[:6] + MORE.get(name, [])


@cache
def slope(name, point, k):
    with mp.workdps(80):
        return float(mp.diff(lambda v: EXACT[name][0](*(v if i == k else mp.mpf(p) for i, p in enumerate(point))), mp.mpf(point[k])))


def check_function(name, form):
    f = FUNCTIONS[name]
    rule = {"computed": column_of(f, "computed"), "shown": f.shown, "raw": f.raw}[form]
    literals = LITERALS.get(name, ())
    for point in points(name):
        pool = Pool()
        given = [pool.number(p) if k in literals else pool.read(NAMES[k]) for k, p in enumerate(point)]
        with ball.working(300):
            numbers = ball.arithmetic()
            values = ball.exactly({NAMES[k]: [p] for k, p in enumerate(point)})
            values["u"] = [f.ball(*(values[NAMES[k]][0] for k in range(len(point))))]
            for k, e in enumerate(rule(pool.read("u"), *given)):
                if k not in literals:
                    same(plain(with_true_pi(pool.lift(e)), values, {}, numbers), slope(name, point, k), (name, form, point, k))


RULES = [(name, form) for name, f in FUNCTIONS.items() for form in FORMS if f.shown and (form == "shown" or (getattr(f, form) is not None))]


@pytest.mark.parametrize("name, form", RULES)
def test_a_function(name, form):
    check_function(name, form)


# ---- reductions

VECTORS = [(0.3, -1.7, 2.9, 0.1), (-0.4, 0.9, 1.3), (1.5, 0.25)]
SOLVED = (*SQUARE, 1.0, 0.1, -2.0)


def softmax(v):
    return [mp.exp(x) / sum(map(mp.exp, v)) for x in v]


OF_VECTORS = {
    "sum": sum, "prod": mp.fprod, "mean": lambda v: sum(v) / len(v), "max": max, "min": min, "var": lambda v: mp_std(v) ** 2, "std": mp_std,
    "norm": lambda v: mp.sqrt(sum(x * x for x in v)), "logsumexp": lambda v: mp.log(sum(map(mp.exp, v))),
    "_others": lambda v: [mp.fprod([x for j, x in enumerate(v) if j != i]) for i in range(len(v))],
    "softmax": softmax, "log_softmax": lambda v: [mp.log(x) for x in softmax(v)], "cumsum": lambda v: [sum(v[: k + 1]) for k in range(len(v))],
}  # fmt: skip
OF_MATRICES = {
    "det": lambda v: mp.det(mp_matrix(v)), "slogdet": lambda v: mp.log(abs(mp.det(mp_matrix(v)))), "inv": lambda v: list(mp_matrix(v) ** -1),
    "_cofactor": mp_cofactors,
}  # fmt: skip


def made(name, ranges, at):
    """J = the reduction of a table x, one element of it where it has several."""
    pool = Pool()
    names = ("i", "j")[: len(ranges)]
    binders = tuple(pool.bound(i, pool.number(r.low), pool.number(r.high)) for i, r in zip(names, ranges))
    value = pool.reduce(name, binders, pool.read("x", tuple(map(pool.index, names))), tuple(map(pool.number, at)))
    return Graph(pool, {"x": Variable("x", "input", ranges), "J": Variable("J", "node")}, (Equation("J", (), (), value),))


def check_graph(graph, values, exact, form, what):
    """The local derivative of J, in one form, by every element of its leaves, against `exact`: leaf → row-major numbers."""
    (equation,) = [e for e in graph.equations if e.target == "J"]
    ranges = {n: v.ranges for n, v in graph.variables.items()}
    with ball.working(300):
        numbers = ball.arithmetic()
        balls = ball.exactly(values)
        balls["J"] = evaluate(equation.value, (), balls, ranges, numbers)
        found = {n: [0.0] * len(v) for n, v in values.items()}
        for c in contributions(equation, graph):
            pool = c.read.pool
            e = c.solved(c.computed) if form == "computed" else with_true_pi(local(c, SHOWN))
            for guard in reversed(c.guards):
                e = pool.where(guard, e, pool.zero)
            part = evaluate(pool.sum(c.summed, e), c.over, balls, ranges, numbers)
            whole = ranges[c.variable]
            for k, x in zip(offsets(c.box, whole), part, strict=True):
                found[c.variable][k] = found[c.variable][k] + x
        for n, table in found.items():
            for k, x in enumerate(table):
                same(x, exact[n][k], (*what, form, n, k))


def offsets(box, whole):
    rows = [0]
    for r, w in zip(box, whole):
        rows = [a * w.extent + k - w.low for a in rows for k in range(r.low, r.high + 1)]
    return rows


@cache
def gradient(name, values, element):
    f = (OF_VECTORS | OF_MATRICES)[name]

    def at(v, k):
        found = f([v if i == k else mp.mpf(x) for i, x in enumerate(values)])
        return found if element is None else found[element]

    with mp.workdps(80):
        return [float(mp.diff(lambda v, k=k: at(v, k), mp.mpf(values[k]))) for k in range(len(values))]


@cache
def solved_gradient(element):
    def at(v, k):
        x = [v if i == k else mp.mpf(a) for i, a in enumerate(SOLVED)]
        return mp.lu_solve(mp_matrix(x[:9]), mp.matrix(x[9:]))[element]

    with mp.workdps(80):
        return [float(mp.diff(lambda v, k=k: at(v, k), mp.mpf(SOLVED[k]))) for k in range(len(SOLVED))]


def check_reduction(name, form):
    if name == "_solve":
        graph = {k: loads(f"input A[3,3], b[3]\nJ = solve(A, b)[{k + 1}]\n").graph for k in range(3)}
        for k, g in graph.items():
            exact = solved_gradient(k)
            check_graph(g, {"A": list(SQUARE), "b": list(SOLVED[9:])}, {"A": exact[:9], "b": exact[9:]}, form, (name, k))
        return
    table = REDUCTIONS[name].table
    for values in [tuple(SQUARE)] if name in OF_MATRICES else VECTORS:
        n = math.isqrt(len(values)) if name in OF_MATRICES else len(values)
        ranges = (Range(1, n), Range(1, n)) if name in OF_MATRICES else (Range(1, n),)
        for element in range(len(values)) if table else [None]:
            at = () if element is None else (element // n + 1, element % n + 1) if name in OF_MATRICES else (element + 1,)
            check_graph(made(name, ranges, at), {"x": list(values)}, {"x": gradient(name, values, element)}, form, (name, values, element))


STEPS = ("_most", "_least")  # shares of a tie: constant beside it
REDUCED = [(name, form) for name, r in REDUCTIONS.items() if name not in STEPS for form in ("computed", "shown") if form == "shown" or r.computed]


@pytest.mark.parametrize("name, form", REDUCED)
def test_a_reduction(name, form):
    check_reduction(name, form)


def test_every_row_is_looked_at():
    assert {n for n, _ in RULES} == {n for n, f in FUNCTIONS.items() if f.shown}
    assert {n for n, _ in REDUCED} | set(STEPS) == set(REDUCTIONS) == set(OF_VECTORS) | set(OF_MATRICES) | {"_solve"} | set(STEPS)


# ---- where a convention or a limit stands in for the derivative: the computed form, or the only one

inf = math.inf
AT_KINKS = [
    ("abs", (0.0,), (0,)), ("relu", (0.0,), (0,)), ("leaky_relu", (0.0,), (0.01,)), ("elu", (0.0,), (1,)), ("hypot", (0.0, 0.0), (0, 0)),
    ("max", (2.0, 2.0), (0.5, 0.5)), ("min", (2.0, 2.0), (0.5, 0.5)), ("clip", (6.0, 0.0, 6.0), (0, 0, 0)), ("clip", (0.0, 0.0, 6.0), (0, 0, 0)),
    ("clip", (7.0, 0.0, 6.0), (0, 0, 1)), ("clip", (-7.0, 0.0, 6.0), (0, 1, 0)), ("^", (0.0, 2.5), (0, 0)), ("^", (0.0, 0.5), (inf, 0)), ("^", (0.0, -1.0), (-inf, -inf)), ("^", (2.0, 0.0), (0, math.log(2))), ("xlogy", (2.0, 0.0), (-inf, inf)),
    ("logaddexp", (-1.0, -1.0), (0.5, 0.5)), ("logaddexp", (inf, 1.0), (1, 0)), ("^", (0.0, 0.0), (0, 0)),
    ("xlogy", (0.0, 0.0), (-inf, 0)), ("xlogy", (0.0, 2.0), (math.log(2), 0)), ("mod", (-1.0, 2.0), (1, 1)), ("mod", (4.0, 2.0), (1, -2)),
    ("where", (1.0, 2.0, 3.0), (0, 1, 0)), ("where", (0.0, 2.0, 3.0), (0, 0, 1)), ("logaddexp", (-inf, -inf), (0, 0)), ("logaddexp", (inf, inf), (0.5, 0.5)),
    ("log", (-1.0,), (math.nan,)), ("log2", (-1.0,), (math.nan,)), ("log10", (-1.0,), (math.nan,)), ("log1p", (-2.0,), (math.nan,)), ("atanh", (2.0,), (math.nan,)),
    ("^", (-2.0, 0.5), (math.nan, math.nan)), ("/", (0.0, 0.0), (math.nan, math.nan)), ("mod", (1.0, 0.0), (math.nan, math.nan)), ("xlogy", (1.0, -1.0), (math.nan, math.nan)),
    ("clip", (0.5, 2.0, 1.0), (math.nan,) * 3), ("max", (math.nan, 1.0), (math.nan, math.nan)), ("min", (math.nan, 1.0), (math.nan, math.nan)),
    ("leaky_relu", (math.nan,), (math.nan,)), ("relu", (math.nan,), (math.nan,)), ("clip", (math.nan, 0.0, 1.0), (math.nan,) * 3), ("atan2", (0.0, -2.0), (-0.5, 0)),
]  # fmt: skip
AT_TIES = [
    ("max", [2.0, 5.0, 5.0], [0, 0.5, 0.5]), ("min", [2.0, 2.0, 5.0], [0.5, 0.5, 0]), ("norm", [0.0, 0.0], [0, 0]), ("std", [0.7, 0.7, 0.7], [0, 0, 0]),
    ("prod", [2.0, 0.0, 4.0], [0, 8, 0]), ("prod", [0.0, 0.0, 4.0], [0, 0, 0]), ("logsumexp", [1000.0, 1000.0], [0.5, 0.5]), ("logsumexp", [-inf, -inf], [0, 0]),
    ("det", [1.0, 2.0, 2.0, 4.0], [4, -2, -2, 1]), ("det", [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0], [-3, 6, -3, 6, -12, 6, -3, 6, -3]),
]  # fmt: skip


def equal(a, b):
    """An infinity is equal to itself only: beside one every difference would be small."""
    return a == b or (a != a and b != b) or (math.isfinite(b) and abs(a - b) <= TOLERANCE * abs(b))


SHOWN_TOO = ("abs", "relu", "leaky_relu", "max", "min", "clip", "where")  # the form that is shown holds at the kink as well


def check_kinks(name, form="computed"):
    f = FUNCTIONS[name]
    for _, point, expected in (row for row in AT_KINKS if row[0] == name):
        if form != "computed" and not (name in SHOWN_TOO and all(map(math.isfinite, (*point, *expected)))):
            continue
        pool = Pool()
        given = [pool.read(NAMES[k]) for k in range(len(point))]
        values = {NAMES[k]: [p] for k, p in enumerate(point)} | {"u": [f.reference(*point)]}
        found = [plain(pool.lift(e), values, {}) for e in (f.computed if f.computed and form == "computed" else f.shown)(pool.read("u"), *given)]
        assert all(map(equal, found, expected)), (name, point, found)


def check_ties(name, form="computed"):
    for _, values, expected in (row for row in AT_TIES if row[0] == name):
        if form != "computed" and name not in SHOWN_TOO:
            continue
        n = math.isqrt(len(values)) if name in OF_MATRICES else len(values)
        graph = made(name, (Range(1, n), Range(1, n)) if name in OF_MATRICES else (Range(1, n),), ())
        (equation,) = graph.equations
        ranges = {m: v.ranges for m, v in graph.variables.items()}
        given = {"x": list(values)}
        given["J"] = evaluate(equation.value, (), given, ranges)
        found = [0.0] * len(values)
        for c in contributions(equation, graph):
            e = c.solved(c.computed) if form == "computed" else local(c, SHOWN)
            for guard in reversed(c.guards):
                e = e.pool.where(guard, e, e.pool.zero)
            found = [a + b for a, b in zip(found, evaluate(e.pool.sum(c.summed, e), c.over, given, ranges), strict=True)]
        assert all(map(equal, found, expected)), (name, values, found)


@pytest.mark.parametrize("form", ["computed", "shown"])
@pytest.mark.parametrize("name", dict.fromkeys(row[0] for row in AT_KINKS))
def test_a_function_where_it_has_no_derivative(name, form):
    check_kinks(name, form)


@pytest.mark.parametrize("form", ["computed", "shown"])
@pytest.mark.parametrize("name", dict.fromkeys(row[0] for row in AT_TIES))
def test_a_reduction_where_it_has_no_derivative(name, form):
    check_ties(name, form)


def check(table, name, form):
    """All that is known of a rule of the table "functions" or "reductions": raises AssertionError where it is wrong. For
    tools/mutate_rules.py."""
    if table == "functions":
        check_function(name, form)
        for kinks in ("computed", "shown"):
            check_kinks(name, kinks)
    elif name not in STEPS:
        check_reduction(name, form)
        for kinks in ("computed", "shown"):
            check_ties(name, kinks)
