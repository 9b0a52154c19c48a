"""Keys: recomputed at 50 digits, rounded half away from zero, refused at borders and kinks; and what is accepted, typed in whatever way."""

import random
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

import mpmath
import pytest
from quiz_texts import CLASSIC, PATHS, one, small

from graphlang.quiz import keys as keys_module
from graphlang.quiz.answers import read, terminating
from graphlang.quiz.diagnosing import interval, rounded
from graphlang.quiz.keys import BORDER, EXACTLY, INFINITE, KINK, LARGE, UNKNOWN, Refused, hull, in_words, keys, plain, settled
from graphlang.quiz.marker import chosen, mark, mark_blank
from graphlang.quiz.model import Accepted, Precision
from graphlang.quiz.prepared import prepared
from graphlang.quiz.sheets import sheet
from graphlang.quiz.variants import every, variants

EXACTLY_ASKED = Precision("exactly")


def decimals(n):
    return Precision("decimals", n)


def figures(n):
    return Precision("figures", n)


# ---- recomputed by another library

PROGRAMS = [  # the equations in our syntax, and y as a function of x and z in mpmath's
    ("a = x*z\nb = log(x)\ny = exp(a) + a/b + sin(b)/a", lambda x, z: mpmath.exp(x * z) + x * z / mpmath.log(x) + mpmath.sin(mpmath.log(x)) / (x * z)),
    ("y = sqrt(x^2 + z^2)*cos(x - z)", lambda x, z: mpmath.sqrt(x**2 + z**2) * mpmath.cos(x - z)),
    ("p = sigmoid(x*z - 1)\ny = -log(p) + 0.1*x^2", lambda x, z: mpmath.log(1 + mpmath.exp(1 - x * z)) + x**2 / 10),
    ("h = tanh(0.3*x)\ny = (h - z)^2/2 + h*z", lambda x, z: (mpmath.tanh(x * 3 / 10) - z) ** 2 / 2 + mpmath.tanh(x * 3 / 10) * z),
    ("y = x^z/(1 + z)", lambda x, z: x**z / (1 + z)),
    ("y = atan(x/z) - log(1 + x^4)/z", lambda x, z: mpmath.atan(x / z) - mpmath.log(1 + x**4) / z),
    ("v[i] = x*i/3 for i in 1..4\ny = sum(v[i]^2*z^i for i in 1..4)", lambda x, z: sum((x * i / 3) ** 2 * z**i for i in range(1, 5))),
    ("y = softplus(x)*exp(-z) + sinh(z)/cosh(x)", lambda x, z: mpmath.log(1 + mpmath.exp(x)) * mpmath.exp(-z) + mpmath.sinh(z) / mpmath.cosh(x)),
]


def recomputed(y, x: Decimal, z: Decimal) -> list:
    """y, dy/dx, dy/dz to 50 digits."""
    with mpmath.workdps(90):
        x, z = mpmath.mpf(str(x)), mpmath.mpf(str(z))
        return [y(x, z), mpmath.diff(lambda t: y(t, z), x, h=mpmath.mpf(10) ** -30), mpmath.diff(lambda t: y(x, t), z, h=mpmath.mpf(10) ** -30)]


def nearest(value, precision: Precision) -> Decimal:
    """Rounded half away from zero, by the digits of a long text."""
    with localcontext() as c:
        c.prec = 80
        v = Decimal(mpmath.nstr(value, 60, strip_zeros=False, min_fixed=-1000, max_fixed=1000))
        step = Decimal(1).scaleb(-precision.digits if precision.kind == "decimals" else v.adjusted() - precision.digits + 1)
        return v.quantize(step, ROUND_HALF_UP)


def wrong_keys(count: int, seed: int) -> tuple[int, list]:
    """So many keys of random questions, and those that differ from what mpmath finds."""
    rng, done, wrong = random.Random(seed), 0, []
    while done < count:
        body, y = rng.choice(PROGRAMS)
        xs = sorted({round(rng.uniform(1.1, 4), 2) for _ in range(9)})
        zs = sorted({round(rng.uniform(0.2, 3), 1) for _ in range(6)})
        asked = [rng.choice([decimals(rng.randint(0, 5)), figures(rng.randint(2, 7))]) for _ in range(3)]
        lines = "\n".join(f"{e} to {p.digits} {p.kind}" for e, p in zip(("y", "dy/dx", "dy/dz"), asked))
        quiz = small(f"vary x in {{{', '.join(map(str, xs))}}}, z in {{{', '.join(map(str, zs))}}}\n{body}\nask \"?\" {{ {lines} }}")
        for w in every(quiz):
            if w.refused is None:
                for key, p, value in zip(w.keys, asked, recomputed(y, *w.drawn)):
                    done += 1
                    if key.key != nearest(value, p) or not key.accepted.holds(key.key):
                        wrong.append((body, w.drawn, p, key.key, value))
    return done, wrong


def test_two_thousand_keys_recomputed_at_fifty_digits_are_right():
    done, wrong = wrong_keys(2000, 1)
    assert done >= 2000 and wrong == []


@pytest.mark.nightly
def test_a_hundred_thousand_keys_recomputed_at_fifty_digits_are_right():
    done, wrong = wrong_keys(100_000, 2)
    assert done >= 100_000 and wrong == []


def test_without_ball_arithmetic_the_keys_are_the_same(monkeypatch):
    for body, _ in PROGRAMS:
        text = f'vary x in {{1.2, 2, 3.7}}, z in {{0.3, 1.5}}\n{body}\nask "?" {{ y to 4 decimals\n dy/dx to 6 figures\n dy/dz within 0.01 }}'
        with_balls = [[(k.key, k.accepted) for k in w.keys] for w in every(small(text))]
        with monkeypatch.context() as m:
            m.setattr(keys_module.ball, "available", lambda: False)
            without = [[(k.key, k.accepted) for k in w.keys] for w in every(small(text))]
        assert with_balls == without and len(with_balls) == 6 and all(with_balls), body


def test_a_function_without_a_row_is_refused_rather_than_guessed(monkeypatch):
    monkeypatch.setattr(keys_module.ball, "available", lambda: False)
    (w,) = every(small('input x = 2\ny = lgamma(x) + x\nask "?" { y to 2 decimals }'))
    assert w.refused.kind == UNKNOWN and "pip install 'graphlang[exact]'" in w.refused.reason


def test_the_lecture_s_keys():
    (w,) = every(one(CLASSIC))
    assert [k.exact.quantize(Decimal("1e-11")) for k in w.keys] == [Decimal("1208.38121512661"), Decimal("809.70747921856")]
    assert abs(w.keys[1].exact - Decimal("809.707479218564")) < Decimal("1e-12")
    assert [str(k.key) for k in w.keys] == ["1208", "810"]


def test_a_key_is_that_of_the_printed_numbers():
    """0.1 is a tenth: three of them make 0.3, and no float64."""
    (w,) = every(small('input x = 0.1\ny = 3*x\nask "?" { y exactly\n dy/dx exactly }'))
    assert [str(k.key) for k in w.keys] == ["0.3", "3"] and 3 * 0.1 != 0.3


# ---- rounding and borders


@pytest.mark.parametrize("value, precision, key", [
    ("2.5001", decimals(0), "3"), ("-2.5001", decimals(0), "-3"), ("2.4999", decimals(0), "2"), ("1208.381215", decimals(2), "1208.38"), ("-0.004", decimals(2), "0.00"),
    ("9.996", figures(3), "10.0"), ("0.00123456", figures(3), "0.00123"), ("123456", figures(2), "1.2E+5"), ("-99.96", figures(3), "-100"), ("0.09999", figures(2), "0.10"),
])  # fmt: skip
def test_keys_are_rounded_half_away_from_zero(value, precision, key):
    made = settled((Decimal(value), Decimal(value)), precision)
    assert str(made.key) == key and made.accepted.holds(Decimal(value)) and made.accepted.holds(made.key)


@pytest.mark.parametrize("value, refused", [("0.5", True), ("0.5000009", True), ("0.4999992", True), ("0.500002", False), ("0.499998", False), ("-2.5", True), ("-2.49", False)])
def test_a_key_within_reach_of_a_border_is_refused(value, refused):
    made = settled((Decimal(value), Decimal(value)), decimals(0))
    assert (type(made) is Refused and made.kind == BORDER) == refused


def test_bounds_that_leave_it_open_are_narrowed():
    assert settled((Decimal("0.4"), Decimal("0.6")), decimals(0)) is None
    assert settled((Decimal("-1e-9"), Decimal("1e-9")), figures(3)) is None
    assert settled((Decimal("-1e-9"), Decimal("1e-9")), decimals(3)).key == 0


@pytest.mark.parametrize("key, precision, words", [
    ("1208.38", decimals(2), "from 1208.375 to 1208.385, the upper end not included"), ("-1.76", figures(3), "from -1.765 to -1.755, the lower end not included"),
    ("0.00", decimals(2), "from -0.005 to 0.005, the ends not included"), ("1.00", figures(3), "from 0.9995 to 1.005, the upper end not included"),
    ("7", EXACTLY_ASKED, "7 exactly"), ("5.0", Precision("within", 0, Decimal("0.2")), "from 4.8 to 5.2"), ("-50", Precision("percent", 0, Decimal(1)), "from -50.5 to -49.5"),
    ("810", decimals(0), "from 809.5 to 810.5, the upper end not included"),
])  # fmt: skip
def test_what_is_accepted_is_said_in_words(key, precision, words):
    assert in_words(interval(Decimal(key), precision)) == words


@pytest.mark.parametrize("seed", range(3))
def test_accepted_is_what_rounds_to_the_key(seed):
    rng = random.Random(seed)
    for _ in range(400):
        precision = rng.choice([decimals(rng.randint(0, 4)), figures(rng.randint(1, 5))])
        value = Decimal(str(round(rng.uniform(-200, 200), rng.randint(0, 6))))
        near = value + Decimal(rng.randint(-3000, 3000)).scaleb(-4 - rng.randint(0, 3))
        if value and near and (precision.kind == "decimals" or value * near > 0):
            key = rounded(value, precision)
            if key or precision.kind == "decimals":
                assert interval(key, precision).holds(near) == (rounded(near, precision) == key), (value, near, precision)


# ---- what is refused


@pytest.mark.parametrize("body, kind, reason", [
    ('input x = 0\ny = log(x)\nask "?" { y to 1 decimal }', INFINITE, "it is -inf"),
    ('input x = 30\ny = exp(x)\nask "?" { y to 1 decimal }', LARGE, "beyond 1,000,000"),
    ('input x = 0.5\ny = x/4\nask "?" { y to 2 decimals }', BORDER, "0.125, on the border between two numbers of 2 decimals"),
    ('input x = 0\ny = relu(x)\nask "?" { dy/dx to 1 decimal }', KINK, "relu has no derivative at 0"),
    ('input x = 1, z = 1\ny = max(x, z)\nask "?" { dy/dx to 2 decimals }', KINK, "max"),
    ('input x = 3\ny = 1/x\nask "?" { y exactly }', EXACTLY, "1/3 is no decimal number"),
    ('input x = 3\ny = sin(x)\nask "?" { y exactly }', EXACTLY, "goes through `sin`"),
    ('input x = 2\ny = sin(x)^2 + cos(x)^2 - 1\nask "?" { y to 3 figures }', UNKNOWN, "cannot be made certain"),
    ('input x = 2\ny = x - 2\nask "?" { y within 1% }', EXACTLY, "no percentage"),
], ids=lambda x: x if x and len(x) < 20 else "")  # fmt: skip
def test_a_draw_without_a_certain_key_is_refused_with_the_reason(body, kind, reason):
    (w,) = every(small(body))
    assert w.refused is not None and w.refused.kind == kind and reason in w.refused.reason


def test_a_value_at_a_kink_is_fine_where_no_derivative_is_asked_for():
    (w,) = every(small('input x = 0\ny = relu(x) + 3\nask "?" { y exactly }'))
    assert w.refused is None and w.keys[0].key == 3


def test_zero_that_is_exact_has_figures():
    (w,) = every(small('input x = 2\ny = x - 2\nask "?" { y to 3 figures }'))
    assert w.keys[0].key == 0 and w.keys[0].accepted == Accepted(Decimal(0), Decimal(0))


# ---- rounded working


def test_what_honest_working_reaches_is_accepted():
    quiz = one(PATHS)
    missed = [(w, n) for w in every(quiz) if w.refused is None for n, k in enumerate(w.keys) if k.reached != k.key]
    assert missed
    for w, n in missed:
        assert w.keys[n].accepted.holds(w.keys[n].reached) and abs(w.keys[n].reached - w.keys[n].key) == Decimal("0.01")
    others = [k for w in every(quiz) if w.refused is None for k in w.keys if k.reached == k.key]
    assert all(k.accepted == interval(k.key, decimals(2)) for k in others)


def test_working_rounds_every_step():
    """By hand, to one decimal: a = 1.4^2 = 2.0 (1.96), y = 2.0*3.3 = 6.6, where 1.96*3.3 is 6.468."""
    (w,) = every(small('input x = 1.4\na = x^2\ny = a*3.3\nask "?" { y to 1 decimal }\nworking 1 decimals'))
    assert str(w.keys[0].key) == "6.5" and str(w.keys[0].reached) == "6.6"
    assert in_words(w.keys[0].accepted) == "from 6.45 to 6.65, the upper end not included"


def test_a_hull_keeps_the_ends_that_belong_to_it():
    a, b = Accepted(Decimal(1), Decimal(2), (True, False)), Accepted(Decimal(2), Decimal(3), (True, False))
    assert hull(a, b) == hull(b, a) == Accepted(Decimal(1), Decimal(3), (True, False))


# ---- what students type


@pytest.mark.parametrize("typed, value", [
    ("3", "3"), (" +5 ", "5"), ("-3.5", "-3.5"), ("−3.5", "-3.5"), ("–3.5", "-3.5"), ("- 5", "-5"), ("3,5", "3.5"), ("0,123", "0.123"), ("1234,567", "1234.567"),
    (",5", "0.5"), (".5", "0.5"), ("5.", "5"), ("1.0000", "1"), ("-0.00", "0"), ("1e3", "1000"), ("1E3", "1000"), ("1.5e-3", "0.0015"), ("1,5e3", "1500"),
    ("1·10^3", "1000"), ("1×10³", "1000"), ("2*10^-3", "0.002"), ("2 x 10^(-3)", "0.002"), ("10^3", "1000"), ("-10⁻²", "-0.01"), ("1,234.5", "1234.5"), ("1.234,5", "1234.5"),
    ("1,234,567", "1234567"), ("1.234.567", "1234567"), ("1 234,5", "1234.5"), ("1\u202f234.5", "1234.5"), ("1'234'567", "1234567"), ("１２", "12"), ("$5$", "5"),
    ("= 4", "4"), ("≈ 4", "4"), ("dy/dx = 3", "3"), ("x[1] = -2", "-2"), ("1.234", "1.234"),
])  # fmt: skip
def test_a_number_is_read_as_it_is_typed(typed, value):
    assert read(typed).value == Decimal(value) and read(typed).reason == ""


@pytest.mark.parametrize("typed, reason", [
    ("", "no answer"), ("   ", "no answer"), ("nan", "finite"), ("-inf", "finite"), ("∞", "finite"), ("50%", "50% is written 0.5"), ("abc", "not a number"), ("--5", "not a number"),
    ("1,234", "1234 or as 1.234"), ("12,345", "12345 or as 12.345"), ("-1,234", "1234"), ("12,34,567", "not a number"), ("1 2", "not a number"), ("1.2.3", "not a number"),
    ("1e999", "exponent"), ("3 kg", "without `kg`"), ("0x10", "not a number"), ("1_000", "not a number"), ("3/4", "not a fraction"), ("٣", "not a number"), ("9" * 61, "61 characters"),
    ("1e", "number"), ("1;2", "not a number"), ("__import__('os')", "not a number"), ("2+2", "not a number"), ("1,2,3", "not a number"), ("\u202e3", "not a number"),
])  # fmt: skip
def test_what_is_no_number_is_told_why(typed, reason):
    assert read(typed).value is None and reason in read(typed).reason


@pytest.mark.parametrize("typed, value", [("3/4", "0.75"), ("-3/4", "-0.75"), ("−6 / 8", "-0.75"), ("1.5/2", "0.75"), ("9/3", "3")])
def test_a_fraction_is_a_number_where_one_is_asked_for_exactly(typed, value):
    assert read(typed, fraction=True).value == Decimal(value)


@pytest.mark.parametrize("typed", ["1/0", "3/", "/4", "1/2/3", "a/b"])
def test_a_broken_fraction_is_none(typed):
    assert read(typed, fraction=True).value is None


@pytest.mark.parametrize("typed, decimals", [("3", 0), ("3.10", 2), ("1e3", -3), ("1.50e-3", 5), ("3/4", None)])
def test_how_finely_the_student_rounded_is_known(typed, decimals):
    assert read(typed, fraction=True).decimals == decimals


def test_fractions_that_are_decimals():
    assert [terminating(Fraction(a, b)) for a, b in ((3, 4), (1, 3), (-7, 20), (5, 1), (0, 1))] == [Decimal("0.75"), None, Decimal("-0.35"), Decimal(5), Decimal(0)]


# ---- the marker


def test_the_marker_takes_the_key_first_then_a_diagnosis_then_nothing():
    blank = sheet(one(PATHS), 1).parts[0].blanks[0]
    assert str(blank.key) == "97.36"
    table = [("97.36", 1, "Right."), ("97,36", 1, "Right."), ("97,355", 0, "`97,355` can be read as 97355 or as 97.355"), ("97.3649", 1, "Right."), ("97.365", 0, "One of: (1) The chain rule"), ("97.4", 0, "Close, and not exact enough: the answer is asked for to 2 decimals."),
             ("-8.95", 0, "A path is left out"), ("79.36", 0, "Two digits are exchanged."), ("12345.6", 0, "Not right."), ("x", 0, "`x` is not a number."), ("", 0, "No answer is given.")]
    for typed, credit, message in table:
        found = mark(blank, typed)
        assert found.credit == credit and found.message.startswith(message), typed
    assert mark_blank(blank, "-8.95").diagnosis.mistakes == ("drop_path",) and not mark(blank, "x").readable and mark(blank, "79.36").diagnosis.mistakes == ("transcribe",)


def test_a_choice_is_marked_by_letter_or_by_its_text():
    choice = sheet(one(CLASSIC), 1).parts[0].choice
    k = next(k for k, o in enumerate(choice.options) if o.right)
    letter = "ABCDEFGH"[k]
    for typed in (letter, letter.lower(), f"({letter})", f"{letter}.", f" {letter} ", "dy/dx = 1208, dy/dz = 810", "dy/dx=1208,dy/dz=810"):
        assert mark(choice, typed).credit == 1, typed
    other = "ABCDEFGH"[(k + 1) % 8]
    assert mark(choice, other).credit == 0 and mark(choice, other).message == choice.options[(k + 1) % 8].message
    for typed in ("", "Z", "AB", "1208"):
        assert chosen(choice, typed) is None and not mark(choice, typed).readable


def test_numbers_are_printed_without_exponents_and_without_a_sign_before_zero():
    assert [plain(Decimal(x)) for x in ("1E+3", "-0.00", "1E-7", "-5.10")] == ["1000", "0.00", "0.0000001", "-5.10"]


def test_keys_of_a_draw_are_made_once():
    them = variants(one(PATHS))
    drawn = next(iter(every(them.quiz))).drawn
    assert them.at(drawn) is them.at(drawn) and [k.key for k in keys(prepared(them.quiz), drawn)] == [k.key for k in them.at(drawn).keys]
