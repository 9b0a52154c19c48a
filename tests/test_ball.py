"""Ball arithmetic: every row encloses the true value, and a run's digits are certain.

The oracle is mpmath at more digits than are claimed. Balls are made at PRECISION bits, some 60 digits.
"""

import itertools
import json
import math
from fractions import Fraction
from pathlib import Path

import mp_oracle as oracle
import mpmath as mp
import pytest
from test_functions import EVERY, EXACT, LITERALS, NAMES, column_of
from test_random_programs import away_from_kinks, laws

import graphlang as gl
from graphlang.cli.main import main
from graphlang.engines import ball
from graphlang.engines.reference import plain
from graphlang.graph.expressions import Call, Pool, rebuild, transform
from graphlang.graph.function_words import Function
from graphlang.graph.functions import FUNCTIONS
from graphlang.graph.reductions import REDUCTIONS, Reduction

flint = pytest.importorskip("flint")
arb = flint.arb

PRECISION = 200
ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = sorted([*(ROOT / "programs/lecture").glob("*.graph"), *(ROOT / "programs/published").glob("*.graph")])


@pytest.fixture(autouse=True)
def precision():
    with flint.ctx.workprec(PRECISION):
        yield


def exactly(x):
    """The value of an exact ball in mpmath."""
    mantissa, exponent = x.man_exp()
    return mp.ldexp(mp.mpf(int(mantissa)), int(exponent))


def encloses(b, exact, digits=40):
    """Whether a ball holds a number that mpmath has to 60 digits, and is so narrow that `digits` of it are certain."""
    slack = mp.mpf(10) ** -60 * mp.fabs(exact)  # what mpmath itself may be off
    radius = exactly(b.rad()) if b.is_finite() else mp.inf
    return mp.fabs(exact - exactly(b.mid())) <= radius + slack and radius <= mp.mpf(10) ** -digits * max(mp.fabs(exact), mp.mpf(10) ** -290)


def operands(point):
    return [arb(p) for p in point]


# ---- rows


def test_a_row_without_a_ball_does_not_load():
    with pytest.raises(TypeError):
        Function("f", (1, 1), math.sin, None, "About.", "f")
    with pytest.raises(TypeError):
        Reduction("f", False, sum, None, "about", "f")


@pytest.mark.parametrize("f, point", [pytest.param(f, p, id=f"{f}{p}") for f in FUNCTIONS.values() for p in EXACT[f.name][1]])
def test_a_function_encloses_its_value(f, point):
    with mp.workdps(120):
        exact = EXACT[f.name][0](*map(mp.mpf, point))
        assert encloses(f.ball(*operands(point)), mp.mpf(exact))


@EVERY
def test_a_ball_encloses_the_values_at_its_points(f):
    """Also where it reaches over a kink, a jump or out of the domain (where nan says that nothing is known)."""
    literals = LITERALS.get(f.name, ())
    kinds = [(0.0,) * f.arity[1], (2.0,) * f.arity[1], *EXACT[f.name][1]]
    for center, radius in itertools.product(kinds, (1e-9, 0.3, 3.0)):
        if f.name in LITERALS and not all(center[k] in (1.0, 2.0, 3.0) for k in literals):
            continue
        if max(map(abs, center)) > 1e4:
            continue
        wide = f.ball(*(arb(c) if k in literals else arb(c, radius) for k, c in enumerate(center)))
        for part in itertools.product((-1.0, -0.37, 0.0, 0.5, 1.0), repeat=f.arity[1]):
            point = [c if k in literals else c + p * radius * 0.999 for k, (c, p) in enumerate(zip(center, part))]
            narrow = f.ball(*operands(point))
            if not narrow.is_nan():
                assert wide.is_nan() or wide.overlaps(narrow) and wide.contains(narrow.mid()), (center, radius, point)


HARD = [0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 1.5, 2.5, 1000.0, -1000.0, 5e-324, 1e-300, -1e300, 1e300, math.inf, -math.inf]


@EVERY
def test_hard_points_agree_with_floats_or_are_nan(f):
    """An infinity may be nan, and what overflows in float64 may be finite. Undefined stays undefined."""
    if f.name in LITERALS:
        return
    flint.ctx.prec = 2200  # the quotient of 1e300 and 1e-300, for mod
    for point in itertools.product(HARD[: 17 if f.arity[1] < 3 else 7], repeat=f.arity[1]):
        b, x = f.ball(*operands(point)), f.reference(*point)
        if math.isnan(x) and all(map(math.isfinite, point)):
            assert b.is_nan(), point
        elif math.isfinite(x) and all(map(math.isfinite, point)):
            assert b.is_finite(), point
            slack = 1e-13 if f.name != "gelu" else 1e-9
            # trigonometric functions of 1e300 and the like are compared too; what float64 flushes to 0 is below 1e-307
            assert abs(b - x) < slack * abs(arb(x)) + 1e-307 or (abs(x) == 0 and abs(b) < 1e-300), (point, x, b)


LARGE = [("sigmoid", -1000.0), ("sigmoid", 1000.0), ("softplus", -1000.0), ("log_sigmoid", 1000.0), ("gelu", -1000.0), ("silu", -1000.0),
         ("elu", -1000.0), ("tanh", 1000.0), ("_sech", 1000.0), ("_erfc", 1000.0), ("expm1", -1000.0), ("softplus", 1000.0)]  # fmt: skip


@pytest.mark.parametrize("name, v", LARGE)
def test_nothing_overflows_or_vanishes_far_out(name, v):
    with mp.workdps(2000):
        assert encloses(FUNCTIONS[name].ball(arb(v)), EXACT[name][0](mp.mpf(v)), digits=0) or FUNCTIONS[name].ball(arb(v)).rel_accuracy_bits() > 100


@pytest.mark.parametrize("x, y, value", [(0, 0, 1), (-2, 3, -8), (-2, -2, 0.25), (0, 2.5, 0), (7, 0, 1), (1, 0.3, 1), (-2, 0.5, None), (0, -1, None)])
def test_powers(x, y, value):
    found = FUNCTIONS["^"].ball(arb(x), arb(y))
    assert found.is_nan() if value is None else found == value


def test_a_square_of_a_ball_about_0_is_not_lost():
    assert FUNCTIONS["^"].ball(arb(0, 1), arb(2)).contains(arb(0.9)) and FUNCTIONS["^"].ball(arb(0, 1), arb(3)).contains(arb(-0.9))


def test_what_is_not_decided_is_either():
    f = {name: row.ball for name, row in FUNCTIONS.items()}
    maybe = f["<"](arb(0, 1), arb(0.5))
    assert maybe.contains(arb(0)) and maybe.contains(arb(1)) and not maybe.contains(arb(2))
    assert f["where"](maybe, arb(3), arb(5)).contains(arb(3)) and f["where"](maybe, arb(3), arb(5)).contains(arb(5))
    assert f["where"](arb(1), arb(3), arb("nan")) == 3 and f["where"](arb(0), arb("nan"), arb(5)) == 5
    v = arb(2).sqrt()
    assert f["=="](v, v) == 1 and f["!="](v, v) == 0 and not f["=="](v, arb(2).sqrt()).is_exact()
    assert f["sign"](arb("nan")).is_nan()


# ---- derivatives


def rules(f, column, point):
    """The derivatives by all operands that are not literal, as balls."""
    pool, literals = Pool(), LITERALS.get(f.name, ())
    given = [pool.number(p) if k in literals else pool.read(NAMES[k]) for k, p in enumerate(point)]
    rule = column_of(f, column)
    values = {NAMES[k]: [arb(p)] for k, p in enumerate(point)} | {"u": [f.ball(*operands(point))]}
    locals_ = rule(pool.read("u"), *given) if rule else [pool.zero] * len(point)
    numbers = ball.arithmetic()
    return [plain(with_true_pi(e), values, {}, numbers) for k, e in enumerate(locals_) if k not in literals]


def with_true_pi(e):
    """A formula that is shown spells π as the float64 number; here it is π."""
    pool = e.pool
    pi = pool.call("*", pool.number(4), pool.call("atan", pool.one))
    put = {pool.number(math.pi): pi}
    return transform(e, lambda node, args: rebuild(node, tuple(put.get(a, a) for a in args)) if type(node) is Call else node)


BOTH = [pytest.param(f, p, id=f"{f}{p}") for f in FUNCTIONS.values() if f.shown for p in EXACT[f.name][1] if all(1e-9 <= abs(v) < 50 for v in p)]


@pytest.mark.parametrize("f, point", BOTH)
def test_the_shown_form_is_the_computed_form(f, point):
    for shown, computed in zip(rules(f, "shown", point), rules(f, "computed", point), strict=True):
        assert shown.overlaps(computed)
        assert computed.is_zero() or computed.rel_accuracy_bits() > 100


@pytest.mark.parametrize("f, point", [c for c in BOTH if c.values[0].computed])
def test_the_computed_derivative_has_no_rounded_constant(f, point):
    """To 30 digits that of mpmath: float64 values of 1/log(2) or π would show at the 17th."""
    places = [k for k in range(len(point)) if k not in LITERALS.get(f.name, ())]
    for k, found in zip(places, rules(f, "computed", point), strict=True):
        with mp.workdps(150):
            exact = mp.diff(lambda v: EXACT[f.name][0](*(v if i == k else mp.mpf(p) for i, p in enumerate(point))), mp.mpf(point[k]))
            assert mp.fabs(exactly(found.mid()) - exact) <= mp.mpf(10) ** -30 * mp.fabs(exact), (k, found)


# ---- reductions


def mp_matrix(v):
    n = math.isqrt(len(v))
    return mp.matrix([[v[i * n + j] for j in range(n)] for i in range(n)])


def mp_cofactors(v):
    m = mp_matrix(v)
    return list(mp.det(m) * (m ** -1).T)


def mp_std(v):
    return mp.sqrt(sum((x - sum(v) / len(v)) ** 2 for x in v) / len(v))


VECTOR = [0.3, -1.7, 2.9, 0.1]
SQUARE = [2.0, 1.0, 0.5, 4.0, 3.0, -1.0, 0.25, -1.0, 4.0]
SUMS = {
    "sum": (sum, VECTOR), "prod": (mp.fprod, VECTOR), "_others": (lambda v: [mp.fprod(v) / x for x in v], VECTOR),
    "mean": (lambda v: sum(v) / len(v), VECTOR), "max": (max, VECTOR), "min": (min, VECTOR),
    "_most": (lambda v: [mp.mpf(x == max(v)) / v.count(max(v)) for x in v], [1.0, 3.0, 3.0, 2.0]),
    "_least": (lambda v: [mp.mpf(x == min(v)) / v.count(min(v)) for x in v], [1.0, 3.0, 1.0, 1.0]),
    "var": (lambda v: mp_std(v) ** 2, VECTOR), "std": (mp_std, VECTOR), "norm": (lambda v: mp.sqrt(sum(x * x for x in v)), VECTOR),
    "logsumexp": (lambda v: mp.log(sum(map(mp.exp, v))), VECTOR), "softmax": (lambda v: [mp.exp(x) / sum(map(mp.exp, v)) for x in v], VECTOR),
    "log_softmax": (lambda v: [x - mp.log(sum(map(mp.exp, v))) for x in v], VECTOR),
    "cumsum": (lambda v: [sum(v[: k + 1]) for k in range(len(v))], VECTOR),
    "det": (lambda v: mp.det(mp_matrix(v)), SQUARE), "_cofactor": (mp_cofactors, SQUARE), "slogdet": (lambda v: mp.log(abs(mp.det(mp_matrix(v)))), SQUARE),
    "inv": (lambda v: list(mp_matrix(v) ** -1), SQUARE),
    "_solve": (lambda v: list(mp.lu_solve(mp_matrix(v[:9]), mp.matrix(v[9:]))), [*SQUARE, 1.0, 0.1, -2.0]),
}  # fmt: skip


def test_every_reduction_is_tried():
    assert set(SUMS) == set(REDUCTIONS)


@pytest.mark.parametrize("name", SUMS)
def test_a_reduction_encloses_its_value(name):
    f, values = SUMS[name]
    found = REDUCTIONS[name].ball(operands(values))
    with mp.workdps(100):
        exact = f(list(map(mp.mpf, values)))
        for b, x in zip(found, exact, strict=True) if REDUCTIONS[name].table else [(found, exact)]:
            assert encloses(b, x)


@pytest.mark.parametrize("values, value", [([1000.0, 1000.0], "1000.69314718055994530941723212"), ([0.0, -1000.0], "5.07595889754945676529180947957e-435"),
                                           ([-math.inf, 3.0], "3"), ([-math.inf], "-inf")])  # fmt: skip
def test_logsumexp_keeps_its_digits(values, value):
    assert ball.digits(REDUCTIONS["logsumexp"].ball(operands(values)), 30).startswith(value)


def test_a_singular_matrix_has_an_exact_determinant_and_no_inverse():
    singular = operands([1.0, 2.0, 2.0, 4.0])
    assert REDUCTIONS["det"].ball(singular) == 0 and [float(c) for c in REDUCTIONS["_cofactor"].ball(singular)] == [4, -2, -2, 1]
    assert all(x.is_nan() for x in REDUCTIONS["inv"].ball(singular))


# ---- digits


@pytest.mark.parametrize("value, n, text", [
    (arb(2), 30, "2"), (arb(0), 30, "0"), (arb(-0.125), 5, "-0.125"), (arb(0.1), 5, "0.10000"), (arb(0.1), 20, "0.10000000000000000555"),
    (arb(3, 1e-30), 10, "3.000000000"), (arb(2) / 3, 5, "0.66667"), (arb(1e22), 30, "10000000000000000000000"), (arb(10) ** -7, 3, "1.00e-7"),
    (arb(0.99999), 3, "1.00"), (arb(2.5), 1, "2"), (arb(3.5), 1, "4"), (arb(0, 1e-9), 5, "0 ± 1.1e-9"), (arb(0.5, 0.5), 9, "0.50 ± 0.51"),
    (arb("nan"), 3, "nan"), (arb("-inf"), 3, "-inf"), (arb("inf") - arb("inf"), 3, "nan"),
])  # fmt: skip
def test_digits(value, n, text):
    assert ball.digits(value, n) == text


@pytest.mark.parametrize("x", [math.pi, 0.1, 1 / 3, 6.02e23, 1.6e-35, -2.0**-40, 123456789.125])
@pytest.mark.parametrize("radius", [0, 1e-14, 1e-3, 0.4])
def test_digits_enclose_the_ball(x, radius):
    """What is printed is within half a unit of its last digit of every point, or its ± says how far."""
    b = arb(x, radius * abs(x))
    text = ball.digits(b, 12)
    middle, _, r = text.partition(" ± ")
    places = len(middle.split("e")[0].partition(".")[2])
    shift = int(middle.split("e")[1]) if "e" in middle else 0
    room = Fraction(r) if r else Fraction(10) ** (shift - places) / 2
    for end in (Fraction(x) - Fraction(radius * abs(x)), Fraction(x) + Fraction(radius * abs(x))):
        if radius or r:
            assert abs(Fraction(middle) - end) <= room
    assert bool(r) == (radius >= 1e-11)


# ---- runs


def exact(text, digits=30, **settings):
    return gl.loads(text).run(exact=digits, **settings).exact


def printed(x, digits=30):
    """mpmath's number to so many digits, as a run prints what is not exact."""
    return mp.nstr(x, digits, strip_zeros=False, min_fixed=-5, max_fixed=digits)


def test_the_quiz_to_30_digits():
    found = gl.load(ROOT / "programs/lecture/quiz1.graph").run(exact=30).exact
    with mp.workdps(60):
        def y(x, z):
            return mp.exp(x * z) + x * z / mp.log(x) + mp.sin(mp.log(x)) / (x * z)

        assert found.values["y"] == printed(y(mp.mpf(2), mp.mpf(3)))
        assert found.adjoints["x"] == printed(mp.diff(y, (2, 3), (1, 0))) and found.adjoints["z"] == printed(mp.diff(y, (2, 3), (0, 1)))
    assert found.adjoints["x"].startswith("1208.3812151266") and found.adjoints["z"].startswith("809.7074792185")


@pytest.mark.parametrize("x", [0.5, 1.0, -1.0, 1.5, 2.0, 3.0])
def test_table_s5_to_30_digits(x):
    found = gl.load(ROOT / "programs/lecture/simple.graph").run(exact=True, x=x).exact
    with mp.workdps(60):
        t = mp.mpf(x) ** 2
        u = mp.sin(t) + 3 * t
        assert [found.values["u"], found.values["J"]] == [printed(u), printed(mp.cos(u))]
        du = -mp.sin(u)
        wanted = [du, du * (mp.cos(t) + 3), du * (mp.cos(t) + 3) * 2 * x]
        assert [found.adjoints[n] for n in ("u", "t", "x")] == list(map(printed, wanted))


def test_at_x_0_everything_is_exact():
    found = gl.load(ROOT / "programs/lecture/simple.graph").run(exact=True, x=0.0).exact
    assert found.values == dict(J="1", t="0", u="0", u1="0", u2="0", x="0") and found.adjoints["x"] == found.adjoints["u"] == "0"


@pytest.mark.parametrize("text, value", [
    ("4*atan(x)", "3.14159265358979323846264338328"), ("exp(x)", "2.71828182845904523536028747135"), ("sqrt(2*x)", "1.41421356237309504880168872421"),
    ("-digamma(x)", "0.577215664901532860606512090082"), ("(1 + sqrt(5*x))/2", "1.61803398874989484820458683437"), ("log(2*x)", "0.693147180559945309417232121458"),
    ("exp(lgamma(x/4))", "3.62560990822190831193068515587"),
])  # fmt: skip
def test_published_constants(text, value):
    assert exact(f"y = {text}\ninput x = 1").values["y"] == value


def test_numbers_of_a_program_are_their_float64_values():
    """So π is the float64 number, whose sine is not 0."""
    e = exact("y = sin(pi)\nz = 3*x\noutput y\ninput x = 0.1")
    with mp.workdps(60):
        assert e.values["y"] == printed(mp.sin(mp.mpf(math.pi)))
    assert e.values["x"] == "0.100000000000000005551115123126" and e.values["z"] == "0.300000000000000016653345369377"


@pytest.mark.parametrize("text", ["0.1*(0.3*x)", "0.1*x + 0.2*x + 0.3*x", "x^0.1", "x^(-0.3)", "mean(x*v)", "(x/3)/7", "var(x*v)", "x*0.1^3"])
def test_no_constant_of_a_derivative_is_rounded(text):
    """The derivative in ball arithmetic is that of mpmath, with the program's float64 numbers, to 30 digits."""
    e = exact(f"y = {text}\ninput x = 1.7\ndata v[3] = [0.1, 0.2, 0.7]")
    v = list(map(mp.mpf, (0.1, 0.2, 0.7)))
    with mp.workdps(60):
        v = [mp.mpf(k) for k in v]
        f = {"0.1*(0.3*x)": lambda x: mp.mpf(0.1) * (mp.mpf(0.3) * x), "0.1*x + 0.2*x + 0.3*x": lambda x: sum(map(mp.mpf, (0.1, 0.2, 0.3))) * x,
             "x^0.1": lambda x: x ** mp.mpf(0.1), "x^(-0.3)": lambda x: x ** mp.mpf(-0.3), "mean(x*v)": lambda x: x * sum(v) / 3, "(x/3)/7": lambda x: x / 21,
             "var(x*v)": lambda x: mp_std([x * k for k in v]) ** 2, "x*0.1^3": lambda x: x * mp.mpf(0.1) ** 3}[text]  # fmt: skip
        wanted = mp.diff(f, mp.mpf(1.7))
        assert mp.fabs(mp.mpf(e.adjoints["x"]) - wanted) <= mp.mpf(10) ** -29 * mp.fabs(wanted)


def test_second_derivatives_have_certain_digits_too():
    e = exact("y = log2(x) + erf(x)\ns = diff(y, x, x)\noutput y\ninput x = 1.7")
    with mp.workdps(60):
        assert e.values["s"] == printed(mp.diff(lambda x: mp.log(x) / mp.log(2) + mp.erf(x), mp.mpf(1.7), 2))


def test_a_graph_without_text_has_certain_digits():
    g = gl.Graph()
    x = g.input("x", 1e16)
    g.minimize((x + 1) - x, name="J")
    assert g.run(exact=10).exact.values["J"] == "1"


def flat(x):
    return [v for row in x for v in flat(row)] if isinstance(x, list) else [x]


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_floats_are_the_certain_numbers_to_13_digits(path):
    """Relative to the largest number of a table: an adjoint is a sum that may cancel."""
    program = gl.load(path)
    if program.graph.dims or any(e.opaque for e in program.graph.equations):
        pytest.skip("formulas only")
    run = program.run(exact=17)
    for floats, certain in [(run.flat, run.exact.found.values), (run.passes[0].sweep.adjoints, run.exact.found.sweeps[0].adjoints)]:
        for name, numbers in certain.items():
            scale = max([abs(x) for x in floats[name] if math.isfinite(x)], default=0)
            for x, b in zip(floats[name], numbers, strict=True):
                assert not b.is_finite() or abs(b - x) <= 1e-13 * scale + 1e-15, name


@pytest.mark.parametrize("view", [dict(expand=True), dict(scalar=True), dict(scalar=True, expand=True)], ids=str)
def test_every_view_has_the_same_certain_numbers(view):
    program = gl.load(ROOT / "programs/lecture/nn1_cross_entropy.graph")
    plain_run, other = program.run(exact=25).exact, program.run(exact=25, **view).exact
    assert other.values["J"] == plain_run.values["J"] and other.adjoints["b"] == plain_run.adjoints["b"]


def test_a_program_that_cancels_is_noted():
    run = gl.loads("J = (x + 1) - x\ninput x = 1e16").run(exact=True)
    assert run["J"] == 0.0 and run.exact.values["J"] == "1"
    assert any("float64 loses digits here: J is 0 in float64, and 1 for certain" in n for n in run.notes)
    run = gl.loads("J = (1 - cos(x))/x^2\ninput x = 1e-8").run(exact=True)
    assert run["J"] == 0.0 and run.exact.values["J"] == "0.499999999999999995833333333333" and len(run.notes) == 2  # of J and dJ/dx


def test_a_run_that_loses_nothing_has_no_note():
    assert not any("float64" in n for n in gl.load(ROOT / "programs/lecture/simple.graph").run(exact=True).notes)


def test_precision_grows_until_the_digits_are_certain():
    e = exact("J = exp(x) - exp(y)\ninput x = 1\ny = x + 1e-300\noutput J")
    assert e.values["J"].startswith("-2.718281828459045") and e.bits > 1000


def test_what_stays_uncertain_says_how_far():
    e = exact("J = sin(x)^2 + cos(x)^2 - 1\nz = sin(x)^2 + cos(x)^2 == 1\noutput J\ninput x = 1")
    assert e.values["J"].startswith("0 ± ") and float(e.values["J"][4:].split("e")[1]) < -1000
    assert e.values["z"] == "0.50 ± 0.51"


@pytest.mark.parametrize("text, slope", [
    ("relu(x)", "0"), ("abs(x)", "0"), ("leaky_relu(x)", "0.01"), ("hypot(x, x)", "0"), ("max(x, 0)", "0.5"), ("min(x, -x)", "0"), ("clip(x, 0, 1)", "0"),
    ("sign(x)", "0"), ("round(x + 0.5)", "0"), ("x^2", "0"), ("elu(x)", "1"), ("where(x > 0, 1/x, 3*x)", "3"), ("xlogy(x, 2)", "0.69"),
])  # fmt: skip
def test_at_a_kink_the_convention_holds(text, slope):
    assert exact(f"y = {text}\ninput x = 0").adjoints["x"].startswith(slope)


@pytest.mark.parametrize("text, slopes", [
    ("std(v)", ["0", "0", "0"]), ("max(v)", ["0.333333333333333333333333333333"] * 3), ("norm(v - v)", ["0"] * 3), ("prod(v - 0.1)", ["0"] * 3),
])  # fmt: skip
def test_equal_elements_meet_their_convention(text, slopes):
    assert exact(f"y = {text}\ninput v[3] = 0.1").adjoints["v"] == slopes


def test_the_largest_of_numbers_that_are_not_exact_has_a_slope():
    e = exact("y = max(sin(v[i]) for i in 1..3)\ninput v[3] = [0.1, 0.7, 0.3]")
    with mp.workdps(50):
        assert e.adjoints["v"] == ["0", printed(mp.cos(mp.mpf(0.7))), "0"]


def test_gathers_recurrences_and_diagonals():
    e = exact("""
        data c[3] = [2, 1, 2]
        input E[1..2] = [0.5, 3]
        input A[2, 2] = [[1, 2], [3, 4]]
        h[0] = E[1]
        h[k] = h[k-1]*E[c[k]] + k for k in 1..3
        J = h[3] + sum(A[i,i]^2 for i in 1..2) + sum(cumsum(E)[i]*i for i in 1..2)
        output J
    """)
    # h: 0.5, 2.5, 3.25, 12.75
    assert e.values["h"] == ["0.5", "2.5", "3.25", "12.75"] and e.values["J"] == "37.25"
    assert e.adjoints["A"] == [["2", "0"], ["0", "8"]]
    run = gl.loads("J = E[c[1]]*3\ndata c[1] = [2]\ninput E[1..2] = [0.5, 3]").run(exact=True)
    assert run.exact.adjoints["E"] == ["0", "3"]


def test_a_subscript_that_is_not_certain_leaves_nothing_known():
    e = exact("c[k] = round(sin(x)^2 + cos(x)^2 + k - 0.5) for k in 1..1\nJ = E[c[1]] + E[1]\ninput x = 1\ninput E[1..3] = [0.5, 3, 1]\noutput J")
    assert e.values["J"] == "nan" and e.adjoints["E"] == ["nan"] * 3


def test_strict_errors_stay_as_with_floats():
    with pytest.raises(gl.GraphError) as e:
        gl.loads("y = log(x)\ninput x = -1").run(exact=True)
    assert e.value.diagnostics[0].code == "E501"
    assert gl.loads("y = log(x)\ninput x = -1").run(exact=True, ieee=True).exact.values["y"] == "nan"


def test_a_value_too_small_for_a_float_is_noted():
    run = gl.loads("y = exp(-x)\ninput x = 1000").run(exact=20)
    assert run["y"] == 0 and run.exact.values["y"] == "5.0759588975494567653e-435" and any("5.07595889755e-435" in n for n in run.notes)


# ---- the command line


def command(capsys, *argv):
    status = main(["run", *map(str, argv)])
    got = capsys.readouterr()
    return status, got.out, got.err


SIMPLE = ROOT / "programs/lecture/simple.graph"


@pytest.mark.parametrize("options", [[], ["--mode", "A"], ["--steps"], ["--steps", "--mode", "A"], ["--expand"], ["--scalar"], ["--order", "eval"]], ids=" ".join)
def test_every_table_has_certain_digits(options, capsys):
    status, out, err = command(capsys, SIMPLE, "--exact", "--ascii", *options)
    assert (status, err) == (0, "")
    assert "0.245100368170015503961440377616" in out and "dJ/dx = 9.09914854483238414411614680776" in out


def test_running_totals_have_certain_digits(capsys):
    _, out, _ = command(capsys, SIMPLE, "--precision", "20", "--ascii")
    assert "-0.63370599352528974596 => -0.63370599352528974596" in out and "2.9084931297333857820 => 2.2747871362080960360" in out


def test_json_has_the_digits_as_strings(capsys):
    status, out, _ = command(capsys, ROOT / "programs/lecture/nn1_squared.graph", "--precision", "25", "--json")
    found = json.loads(out)["exact"]
    assert status == 0 and found["precision"] == 25
    assert found["values"]["z"][0] == "1" and len(found["values"]["z"][1].replace(".", "").lstrip("0")) == 25
    assert [len(row) for row in found["adjoints"]["alpha"]] == [3, 3]


@pytest.mark.parametrize("options", [["--precision", "0"], ["--precision", "1001"], ["--exact", "--mode", "forward"]], ids=" ".join)
def test_wrong_options_are_status_2(options, capsys):
    assert command(capsys, SIMPLE, *options)[0] == 2


def test_without_python_flint_the_extra_is_named(capsys, monkeypatch):
    monkeypatch.setattr(ball, "available", lambda: False)
    status, out, err = command(capsys, SIMPLE, "--exact")
    assert (status, out) == (2, "") and "pip install 'graphlang[exact]'" in err


# ---- random programs


@laws(25)
def test_random_programs_agree_with_the_oracle_to_20_digits(text, random):
    """Of the largest number of a table; the oracle's difference quotients have an error of some 1e-28."""
    run = gl.loads(text).run(exact=25)
    certain = run.exact.found
    exact = away_from_kinks(lambda: oracle.values(text))

    def check(balls, numbers, what):
        scale = max([abs(x) for x in numbers], default=0)
        for b, x in zip(balls, numbers, strict=True):
            off = abs(exactly(b.mid()) - x)
            assert b.is_finite() and off <= exactly(b.rad()) + mp.mpf(10) ** -20 * scale + mp.mpf(10) ** -26, f"{what} in\n{text}"

    with mp.workdps(60):
        for name, numbers in exact.items():
            check(certain.values[name], numbers, name)
            if run.graph.variables[name].is_leaf and name in certain.sweeps[0].adjoints:
                check(certain.sweeps[0].adjoints[name], away_from_kinks(lambda: oracle.gradient(text, name)), f"adjoint of {name}")
