"""Mistakes: each has a program where its wrong value is worked out by hand; what is told about wrong numbers, and never about right ones."""

import math
import random
from collections import Counter
from decimal import Decimal as D
from pathlib import Path

import graphlang as gl
import pytest
from graphlang.diagnostics import Source
from graphlang.engines.initial import initial_values
from graphlang.quiz.changes import FINDERS
from graphlang.quiz.diagnosing import COLLIDING, DISTINCT, IRRELEVANT, MASKED, classes, decimal, detection, diagnoses, digits, interval, revealing, rounded
from graphlang.quiz.distractors import distractors
from graphlang.quiz.expressions import wrong_expressions
from graphlang.quiz.mistakes import MISTAKES, message, transcribed
from graphlang.quiz.model import Accepted, Precision
from graphlang.quiz.perturbed import Perturbed
from graphlang.syntax.format import SOURCE, format_expr
from graphlang.syntax.parser import parse_expression

LECTURE = "y = exp(x*z) + x*z/log(x) + sin(log(x))/(x*z)\ninput x = 2, z = 3\n"
INTEGER = Precision("decimals", 0)


def perturbed(text, *asked):
    graph = gl.loads(text).graph
    return Perturbed.of(graph, [expression(graph, a) for a in asked])


def expression(graph, text):
    return parse_expression(Source("q", text), set(graph.variables))[0]


def own(p):
    return initial_values(p.graph, {})[0]


def wrongs(text, asked, name, at=None):
    """The values that a mistake gives an answer, at each of its places or at one of them."""
    p = perturbed(text, asked)
    w = p.at(own(p))
    return [row[0] for q, row in zip(p.perturbations, w.answers) if q.name == name and (at is None or q.at == at)]


@pytest.fixture(scope="module")
def lecture():
    return perturbed(LECTURE, "dy/dx", "dy/dz")


# ---- every mistake, by hand: program, what is asked, mistake, place, value

E1, SIGMOID_CE = math.e, "p = sigmoid(z)\nL = -(t*log(p) + (1 - t)*log(1 - p))\ninput z = 0\ndata t = 1\n"
MATRIX = "h = W @ x\nL = sum(h*h)\ninput W[2, 2] = [[1, 2], [3, 4]], x[2] = [1, 2]\n"
PATHS = "y = x^2 + 3x\ninput x = 2\n"
CASES = [
    (PATHS, "dy/dx", "drop_path", "`x^2`, into `x`", 3.0),
    (PATHS, "dy/dx", "drop_path", "`3*x`, into `x`", 4.0),
    (PATHS, "dy/dx", "overwrite", "`x`", 3.0),
    (PATHS, "dy/dx", "first_path", "`x`", 4.0),
    ("y = exp(3x)\ninput x = 0\n", "dy/dx", "no_inner", "`3*x`", 1.0),
    ("y = exp(x^2)\ninput x = 1\n", "dy/dx", "no_outer", "`y`", 2.0),
    ("y = exp(x)\ninput x = 2\n", "dy/dx", "exp_power", "`y`", 2 * E1),
    ("y = 3*log(x)\ninput x = 1\n", "dy/dx", "log_keep", "`log(x)`", 0.0),
    ("y = log(x)\ninput x = 2\n", "dy/dx", "log10", "", 0.5 / math.log(10)),
    ("y = log(x)^2\ninput x = 10\n", "dy/dx", "log10", "", 0.2 / math.log(10)),
    ("y = log(x)^2\ninput x = 100\n", "y", "log10", "", 4.0),
    ("y = x^3\ninput x = 2\n", "dy/dx", "pow_nodec", "`y`", 24.0),
    ("y = x^3\ninput x = 2\n", "dy/dx", "pow_nofactor", "`y`", 4.0),
    ("y = x/z\ninput x = 6, z = 2\n", "dy/dz", "quot_sign", "`y`", 1.5),
    ("y = x/z\ninput x = 6, z = 2\n", "dy/dz", "quot_nosquare", "`y`", -3.0),
    ("y = x/z\ninput x = 6, z = 2\n", "dy/dx", "quot_swap", "`y`", -0.5),
    ("y = x/z\ninput x = 6, z = 2\n", "dy/dz", "quot_swap", "`y`", 1.5),
    ("y = x*z\ninput x = 2, z = 5\n", "dy/dx", "prod_same", "`y`", 2.0),
    ("y = sum(w[i]*x[i] for i in 1..2)\ninput w[2] = [2, 3], x[2] = [5, 7]\n", "dy/dw[2]", "prod_same", "`y`", 3.0),
    ("y = x^2*exp(x)\ninput x = 1\n", "dy/dx", "prod_deriv", "`y`", 2 * E1),
    ("y = x*exp(x)\ninput x = 1\n", "dy/dx", "prod_deriv", "`y`", E1),
    ("y = (x^3)/(x^2)\ninput x = 2\n", "dy/dx", "prod_deriv", "`y`", 3.0),
    ("y = 3x\ninput x = 2\n", "dy/dx", "const_deriv", "`y`", 5.0),
    ("y = x + 7\ninput x = 2\n", "dy/dx", "const_deriv", "`y`", 2.0),
    ("y = x - 3*z\ninput x = 1, z = 2\n", "dy/dz", "sub_sign", "`y`", 3.0),
    ("y = sin(x)\ninput x = 0\n", "dy/dx", "sin_cos_sign", "`y`", -1.0),
    ("y = sin(x)\ninput x = 1\n", "dy/dx", "sin_keep", "`y`", math.sin(1)),
    ("y = cos(x)\ninput x = 1\n", "dy/dx", "cos_sign", "`y`", math.sin(1)),
    ("y = sigmoid(x)\ninput x = 0\n", "dy/dx", "sigmoid_p", "`y`", 0.5),
    ("y = sigmoid(x)\ninput x = 3\n", "dy/dx", "sigmoid_z", "`y`", -6.0),
    ("y = tanh(x)\ninput x = 1\n", "dy/dx", "tanh_1m", "`y`", 1 - math.tanh(1)),
    ("y = 4*relu(x)\ninput x = -1\n", "dy/dx", "relu_leak", "`relu(x)`", 4.0),
    ("y = 4*relu(x)\ninput x = 3\n", "dy/dx", "relu_value", "`relu(x)`", 12.0),
    ("y = max(x, z)\ninput x = 2, z = 5\n", "dy/dx", "max_both", "`y`", 1.0),
    ("p = softmax(z)\nL = 2*p[1] + 3*p[2]\ninput z[2] = [0, 0]\n", "dL/dz[1]", "softmax_diag", "`p`", 0.5),
    (SIGMOID_CE, "dL/dz", "ce_sign", "`p`", 0.5),
    ("y = sqrt(x)\ninput x = 4\n", "dy/dx", "forward_stale", "`y`", 0.125),
    ("y = x^2\ninput x = 3\n", "dy/dx", "seed_zero", "", 0.0),
    ("y = x^2\ninput x = 3\n", "dy/dx", "seed_L", "", 54.0),
    ("y = exp(x)\ninput x = 1\n", "dy/dx", "round_each", "", 3.0),
    ("y = 2.5*x\ninput x = -1\n", "dy/dx", "round_each", "", 3.0),
    (MATRIX, "dL/dW[1,2]", "layout", "`W`", 22.0),
    (MATRIX, "dL/dx[1]", "layout", "`W`", 54.0),
    (MATRIX, "dL/dW[1,2]", "outer_inner", "`W`", 54.0),
    ("C = A @ B\nL = sum(C)\ninput A[2, 2] = [[1, 2], [3, 4]], B[2, 2] = [[5, 6], [7, 8]]\n", "dL/dA[1,1]", "hadamard_matmul", "`C`, into `A`", 5.0),
    ("z[n] = x[n] + b for n in 1..2\nL = 2*z[1] + 3*z[2]\nparam b = 1\ninput x[2] = [1, 2]\n", "dL/db", "no_batch_sum", "`z`, into `b`", 3.0),
    ("L = mean(w*x[n] for n in 1..2)\nparam w = 1\ninput x[2] = [1, 3]\n", "dL/dw", "mean_no_n", "`L`", 4.0),
    ("y = x^2/2\ninput x = 3\n", "dy/dx", "mean_no_n", "`y`", 6.0),
]


@pytest.mark.parametrize("text, asked, name, at, value", CASES, ids=lambda c: c if isinstance(c, str) and c in MISTAKES else "")
def test_a_mistake_gives_the_value_that_is_worked_out_by_hand(text, asked, name, at, value):
    found = wrongs(text, asked, name, at)
    assert any(x == pytest.approx(value, rel=1e-12, abs=1e-12) for x in found), found


def test_every_mistake_of_a_derivation_has_a_case_and_a_rule():
    of_answers = {"transcribe", "swapped"}
    assert {c[2] for c in CASES} == MISTAKES.keys() - of_answers
    assert all(bool(row.local) != (name in FINDERS) for name, row in MISTAKES.items() if name not in of_answers)


def test_one_node_or_all_nodes_of_its_kind_may_have_the_mistake():
    text = "y = sin(x) + sin(z) + sin(x*z)\ninput x = 0, z = 1\n"  # right: 1 + z = 2
    assert wrongs(text, "dy/dx", "sin_cos_sign") == pytest.approx([0.0, 2.0, 0.0, -2.0])


def test_edges_into_different_elements_are_no_two_paths():
    text = "h[0] = 1\nh[k] = tanh(w*h[k-1]) for k in 1..3\nL = h[3]^2\nparam w = 0.5\n"
    assert wrongs(text, "dL/dw", "overwrite") == wrongs(text, "dL/dw", "drop_path") == []


def test_what_depends_on_itself_is_perturbed_at_every_step():
    text = "h[0] = 1\nh[k] = 2*h[k-1]^2 for k in 1..2\nL = h[2]\n"  # right: 4*h[1]*4*h[0] = 32; the exponent kept: 4*h[1]^2*4 = 64
    assert wrongs(text, "dL/dh[0]", "pow_nodec") == [64.0]


def test_a_value_that_is_not_finite_is_no_diagnosis():
    p = perturbed("y = x/log(x + 1)\ninput x = 0.2\n", "dy/dx")  # each step rounded, the denominator is 0
    w = p.at(own(p))
    assert math.isnan(next(row[0] for q, row in zip(p.perturbations, w.answers) if q.name == "round_each"))
    assert all("round_each" not in d.mistakes for d in diagnoses(p, w, 0, interval(D("6"), INTEGER), INTEGER))


def test_the_authors_names_and_formulas_say_where():
    p = perturbed("a = x*z\ny = exp(a) + a/log(x)\ninput x = 2, z = 3\n", "dy/dx")
    told = {q.message for q in p.perturbations if q.name == "drop_path"}
    assert any("from `y` to `x` through `log(x)`" in m for m in told) and any("from `y` to `a` through `exp(a)`" in m for m in told)


def test_a_message_is_had_by_its_name_alone():
    assert message("quot_sign") == MISTAKES["quot_sign"].message
    assert message("drop_path", at="`log(x)`", to="`x`", of="`y`").endswith("The path from `y` to `x` through `log(x)` is missing.")
    assert message("drop_path", at="`log(x)`") == MISTAKES["drop_path"].message
    with pytest.raises(KeyError):
        message("forgetting")


def test_no_message_accuses():
    for row in MISTAKES.values():
        assert not {"you", "your", "forgot", "wrong", "careless"} & set(row.message.lower().replace(".", " ").replace(",", " ").split()), row.name


def test_two_neighbouring_digits_are_exchanged():
    assert list(transcribed(D("120"))) == [D("210"), D("102")]
    assert list(transcribed(D("-1.25"))) == [D("-2.15"), D("-1.52")]


PROGRAMS = sorted((Path(__file__).parents[1] / "programs" / "lecture").glob("*.graph"))


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_the_right_answers_are_those_of_a_run_and_most_mistakes_are_not(path):
    program = gl.load(path)
    if program.graph.dims:
        pytest.skip("it has no numbers")
    run = program.run()
    goal = run.passes[0].goal
    names = [n for n, v in run.graph.variables.items() if not v.ranges and v.role != "const"]
    first = [f"{n}[{','.join(str(r.low) for r in v.ranges)}]" for n, v in run.graph.variables.items() if v.ranges and v.role != "const"]
    if goal.element is not None:
        pytest.skip("an element of a table as goal")
    p = perturbed(path.read_text(encoding="utf-8"), *(f"d{goal.name}/d{n}" for n in (*names, *first)))
    w = p.at(run.flat)
    assert w.right == pytest.approx([run.evaluate(f"d{goal.name}/d{n}") for n in (*names, *first)], rel=1e-12)
    changing = [q for q, same in zip(p.perturbations, w.same) if not all(same)]
    assert len(changing) >= 5 and {"seed_zero", "seed_L"} <= {q.name for q in changing}


# ---- rounding and intervals


@pytest.mark.parametrize("value, precision, key", [
    ("2.5", INTEGER, "3"), ("-2.5", INTEGER, "-3"), ("-0.3", INTEGER, "0"), ("1.005", Precision("decimals", 2), "1.01"),
    ("9.996", Precision("figures", 3), "10.0"), ("0.00123456", Precision("figures", 3), "0.00123"), ("123456", Precision("figures", 2), "1.2E+5"),
    ("0.30000000000000004", Precision("exactly"), "0.3"), ("3.14159", Precision("within", 0, D("0.05")), "3.142"),
])  # fmt: skip
def test_halves_are_rounded_away_from_zero(value, precision, key):
    assert rounded(D(value), precision) == D(key)


@pytest.mark.parametrize("precision", [INTEGER, Precision("decimals", 2), Precision("figures", 1), Precision("figures", 3)], ids=str)
def test_an_interval_holds_what_rounds_to_its_number_and_nothing_else(precision):
    rng = random.Random("intervals")
    for _ in range(2000):
        x = D(repr(round(rng.choice((1, -1)) * 10 ** rng.uniform(-2, 3), rng.randrange(5))))
        key = rounded(x, precision)
        around = interval(key, precision)
        assert around.holds(x)
        for end, closed in zip((around.low, around.high), around.closed):
            assert (rounded(end, precision) == key) == closed


# ---- what becomes of a mistake


def test_what_is_multiplied_by_zero_is_irrelevant():
    for x in ("3", "-3"):
        p = perturbed(f"y = 4*relu(x)^2 + 5*x\ninput x = {x}\n", "dy/dx")  # relu(x), which its slope is multiplied by, is 0 where the slope is
        kinds = classes(p, p.at(own(p)), 0, Precision("decimals", 2))
        assert {c for q, c in zip(p.perturbations, kinds) if q.name == "relu_leak"} == {IRRELEVANT}


def test_a_leak_is_seen_only_where_the_input_is_negative():
    for x, kinds in (("3", {IRRELEVANT}), ("-3", {DISTINCT, COLLIDING})):
        p = perturbed(f"y = 4*relu(x) + x^2\ninput x = {x}\n", "dy/dx")
        found = {c for q, c in zip(p.perturbations, classes(p, p.at(own(p)), 0, INTEGER)) if q.name == "relu_leak"}
        assert found and found <= kinds


def test_equal_in_exact_arithmetic_is_irrelevant_however_float64_rounds():
    p = perturbed("y = log(x)*log(z)\ninput x = 0.1, z = 0.3\n", "dy/dx", "dy/dz")
    w = p.at(own(p))
    for k, q in enumerate(p.perturbations):
        if q.name == "prod_deriv":
            assert w.same[k] == (True, True)


def test_a_difference_that_float64_hardly_sees_is_one_in_balls():
    p = perturbed("y = x + 1e-13*sin(x)\ninput x = 1\n", "dy/dx")  # without the second path the answer differs in the 13th digit
    w = p.at(own(p))
    lost = [k for k, q in enumerate(p.perturbations) if q.name == "drop_path" and abs(w.answers[k][0] - 1) < 1e-15]
    assert lost and all(p.never[k][0] or not w.same[k][0] for k in lost)


def test_every_mistake_has_one_class_and_masked_ones_round_to_the_key(lecture):
    w = lecture.at(own(lecture))
    for a in (0, 1):
        key = rounded(decimal(w.right[a]), INTEGER)
        for k, kind in enumerate(classes(lecture, w, a, INTEGER)):
            assert kind in (IRRELEVANT, MASKED, COLLIDING, DISTINCT)
            assert (kind == IRRELEVANT) == w.same[k][a]
            if kind != IRRELEVANT:
                assert (kind == MASKED) == (rounded(decimal(w.answers[k][a]), INTEGER) == key)


@pytest.mark.parametrize("precision", [INTEGER, Precision("decimals", 2), Precision("figures", 2), Precision("within", 0, D(3)), Precision("percent", 0, D(2))], ids=str)
def test_no_diagnosis_meets_the_key_or_another_one(lecture, precision):
    rng = random.Random("variants")
    for _ in range(25):
        w = lecture.at({"x": [1.2 + rng.random() * 2], "z": [0.5 + rng.random() * 2]})
        for a in (0, 1):
            key = interval(rounded(decimal(w.right[a]), precision), precision)
            found = diagnoses(lecture, w, a, key, precision)
            intervals = [key, *(d.accepted for d in found)]
            assert found and not any(x.meets(y) for k, x in enumerate(intervals) for y in intervals[:k])
            for d in found:
                assert d.accepted.holds(d.key) and d.mistakes and set(d.mistakes) <= MISTAKES.keys()


def test_a_wider_key_leaves_fewer_diagnoses(lecture):
    w = lecture.at(own(lecture))
    narrow = diagnoses(lecture, w, 0, interval(D(1208), INTEGER), INTEGER)
    wide = diagnoses(lecture, w, 0, Accepted(D(1200), D(1220)), INTEGER)
    assert {d.key for d in wide} == {d.key for d in narrow if not 1199 < d.key < 1221}


def test_two_mistakes_with_the_same_number_are_told_as_one_of_them():
    one = Precision("decimals", 1)
    p = perturbed("y = log(x) + 3\ninput x = 2\n", "dy/dx")
    (d,) = (d for d in diagnoses(p, p.at(own(p)), 0, interval(D("0.5"), one), one) if d.key == D("1.0"))
    assert {"log_keep", "const_deriv"} <= set(d.mistakes)
    q = perturbed("y = x/z\ninput x = 6, z = 2\n", "dy/dz")
    found = {d.key: d for d in diagnoses(q, q.at(own(q)), 0, interval(D("-1.5"), one), one)}
    assert set(found[D("1.5")].mistakes) == {"quot_sign", "quot_swap"} and found[D("1.5")].message.startswith("One of: (1) ")


def test_intervals_that_meet_are_one_diagnosis(lecture):
    w = lecture.at(own(lecture))
    within = Precision("within", 0, D("1.5"))
    found = diagnoses(lecture, w, 0, interval(rounded(decimal(w.right[0]), within), within), within)
    assert any(d.accepted.high - d.accepted.low > 3 and len(d.mistakes) > 1 for d in found)


# ---- whether a question can tell


def test_the_lectures_quiz_hides_mistakes_at_the_nearest_integer_and_none_at_two_decimals(lecture):
    w = lecture.at(own(lecture))
    d = detection(lecture, w, [INTEGER] * 2)
    assert str(d) == "9 of 36 mistakes round to the key"
    assert all("sin(log(x))" in q.at for q in d.masked)  # the third term is too small to be seen
    assert len(detection(lecture, w, [Precision("decimals", 1)] * 2).masked) == 3
    assert detection(lecture, w, [Precision("decimals", 2)] * 2).masked == ()
    assert digits(lecture, w) == 2 and digits(lecture, w, "figures") == 6


def test_other_inputs_reveal_what_these_hide(lecture):
    space = [{"x": [x], "z": [z]} for x in (1.5, 2.0, 2.5) for z in (0.5, 1.0, 3.0)]
    found = revealing(lecture, space, [Precision("decimals", 1)] * 2)
    assert len(found) == len(space) and [n for n, _ in found] == sorted(n for n, _ in found)
    assert found[0][0] < next(n for n, v in found if v == {"x": [2.0], "z": [3.0]})


# ---- options


def keys_of(p, values, precision):
    return tuple(rounded(decimal(x), precision) for x in p.at(values).right)


def options(p, seed, count=7, precision=INTEGER, values=None):
    values = values or own(p)
    return distractors(p, values, keys_of(p, values, precision), [precision] * 2, ["dy/dx", "dy/dz"], count, random.Random(seed).random)


def test_options_differ_after_rounding_and_none_is_the_key(lecture):
    key = keys_of(lecture, own(lecture), INTEGER)
    for seed in range(20):
        found = options(lecture, seed)
        assert len(found) == 7 and len({d.values for d in found} | {key}) == 8
        assert all(d.mistakes and d.message for d in found)


def test_the_same_seed_gives_the_same_options(lecture):
    assert options(lecture, "a") == options(lecture, "a") != options(lecture, "b")


def test_no_value_is_common_to_two_options_where_there_are_enough(lecture):
    key = keys_of(lecture, own(lecture), INTEGER)
    for seed in range(20):
        for a in (0, 1):
            assert max(Counter([key[a], *(d.values[a] for d in options(lecture, seed))]).values()) == 1


def test_the_rank_of_the_key_says_nothing(lecture):
    """Chi-squared with 3 degrees of freedom; above 16.3 once in a thousand."""
    key = keys_of(lecture, own(lecture), INTEGER)
    ranks = [Counter(), Counter()]
    for seed in range(240):
        for a in (0, 1):
            ranks[a][sum(d.values[a] < key[a] for d in options(lecture, f"rank {seed}", 3))] += 1
    for found in ranks:
        assert sum((found[r] - 60) ** 2 / 60 for r in range(4)) < 16.3, found


def test_where_mistakes_are_few_the_answers_in_each_others_place_are_an_option():
    p = perturbed("y = 2x + 5z\ninput x = 1, z = 1\n", "dy/dx", "dy/dz")
    found = options(p, "few", 40)
    assert "swapped" in {n for d in found for n in d.mistakes} and len({d.values for d in found}) == len(found) < 40


# ---- expressions

SHAPES = [("h = W @ x\nL = sum(h*h)\ninput W[3, 2], x[2]\n", "L", "W", "2*h @ x.T"),
          ("y = x.T @ B @ x\ndim P\ninput x[P], B[P, P]\n", "y", "x", None),
          ("u = h(x)\ny = g(u)\ndim P, K, M\ninput x[P]\nopaque h(x)[K], g(u)[M]\n", "y", "x", None)]


@pytest.mark.parametrize("text, of, wrt, answer", SHAPES, ids=["outer", "quadratic", "chain"])
def test_wrong_expressions_are_proved_wrong(text, of, wrt, answer):
    graph = gl.loads(text).graph
    found = wrong_expressions(graph, of, wrt, answer and expression(graph, answer))
    texts = [format_expr(w.value, SOURCE) for w in found]
    assert len(found) >= 4 and len(set(texts)) == len(texts) and {w.mistake for w in found} <= MISTAKES.keys()
    claims = "".join(f"claim diff({of}, {wrt}) = {t}\n" for t in texts)
    program = gl.loads(text + claims)
    from graphlang.verify.claims import judge

    assert {v.verdict for v in judge(program.graph, None)} == {"fails"}


def test_a_factor_and_a_transpose_are_among_the_wrong_expressions():
    text, of, wrt, answer = SHAPES[0]
    graph = gl.loads(text).graph
    found = {format_expr(w.value, SOURCE): w.mistake for w in wrong_expressions(graph, of, wrt, expression(graph, answer))}
    assert found["h @ x.T"] == "pow_nofactor" and found["2h @ x" if "2h @ x" in found else "2*h @ x"] == "layout"


# ---- the page


def test_the_page_lists_the_catalogue():
    page = (Path(__file__).parents[1] / "docs" / "mistakes.md").read_text(encoding="utf-8")
    rows = [f"| `{m.name}` | {m.on} | {m.message.replace('|', chr(92) + '|')} |" for m in MISTAKES.values()]
    assert [line for line in page.splitlines() if line.startswith("| `")] == rows
