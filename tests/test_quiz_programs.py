"""programs/quizzes: every file reads, the numbers of the lecture are the keys, and every key is that of a second, hand-written computation.

The computation knows nothing of graphlang: each quiz is written again as steps of mpmath, and a derivative is a difference with a step of 1e-30,
of the goal by the value of one step, all later steps computed anew.
"""

import re
from decimal import ROUND_HALF_UP, Decimal, localcontext
from functools import lru_cache
from pathlib import Path

import mpmath as mp
import pytest

import graphlang as gl
from graphlang.quiz.check import check
from graphlang.quiz.marker import mark
from graphlang.quiz.model import Ask, Choose, Fill
from graphlang.quiz.sheets import of, sheet
from graphlang.quiz.text import text
from graphlang.quiz.variants import every, variants
from graphlang.syntax.format import SOURCE, format_expr

FOLDER = Path(__file__).parents[1] / "programs" / "quizzes"
FILES = sorted(FOLDER.glob("*.graph"))
UNIT = ("chain_rule", "local_derivatives", "networks", "updates", "cost")  # the items that are no slide of the lecture
SHOWN = 5  # variants that are computed again


@lru_cache
def load(stem: str):
    return gl.load(FOLDER / f"{stem}.graph").quizzes


QUIZZES = {name: (path.stem, quiz) for path in FILES if path.stem != "exam" for name, quiz in load(path.stem)[0].items()}
NUMERIC = [n for n, (_, quiz) in QUIZZES.items() if not any(type(p) is Choose for p in quiz.parts)]


# ---- each quiz with numbers, written again: its steps in order, and the leaves that do not vary


def sigmoid(a):
    return 1 / (1 + mp.exp(-a))


def softmax(of, *all):
    return mp.exp(of) / mp.fsum(map(mp.exp, all))


SIMPLE = dict(t=lambda x: x**2, u1=lambda t: mp.sin(t), u2=lambda t: 3 * t, u=lambda u1, u2: u1 + u2, J=lambda u: mp.cos(u))
LIKELIHOOD = {"J": lambda y, ystar: ystar * mp.log(y) + (1 - ystar) * mp.log(1 - y)}
LOGISTIC = {"a": lambda v: v["theta[0]"] + v["theta[1]"] * v["x1"] + v["theta[2]"] * v["x2"], "y": lambda a: sigmoid(a), **LIKELIHOOD}
HIDDEN = {
    **{f"a[{j}]": lambda v, j=j: v[f"alpha[{j},0]"] + v[f"alpha[{j},1]"] * v["x1"] + v[f"alpha[{j},2]"] * v["x2"] for j in (1, 2)},
    **{f"z[{j}]": lambda v, j=j: sigmoid(v[f"a[{j}]"]) for j in (1, 2)},
    "b": lambda v: v["beta[0]"] + v["beta[1]"] * v["z[1]"] + v["beta[2]"] * v["z[2]"], "y": lambda b: sigmoid(b)}
DEEP = {
    **{f"a[{j}]": lambda v, j=j: v[f"alpha[{j},1]"] * v["x1"] + v[f"alpha[{j},2]"] * v["x2"] + v[f"b[{j}]"] for j in (1, 2)},
    **{f"z[{j}]": lambda v, j=j: sigmoid(v[f"a[{j}]"]) for j in (1, 2)},
    **{f"q[{k}]": lambda v, k=k: v[f"beta[{k},1]"] * v["z[1]"] + v[f"beta[{k},2]"] * v["z[2]"] + v[f"c[{k}]"] for k in (1, 2)},
    **{f"r[{k}]": lambda v, k=k: sigmoid(v[f"q[{k}]"]) for k in (1, 2)},
    "v": lambda v: v["gamma[1]"] * v["r[1]"] + v["gamma[2]"] * v["r[2]"] + v["d"], "y": lambda v: sigmoid(v["v"]),
    "J": lambda y: -mp.log(y)}  # the target is 1


def table(name, rows, low=1):
    """The elements of a table as leaves."""
    if type(rows[0]) is list:
        return {f"{name}[{i},{k}]": x for i, row in enumerate(rows, 1) for k, x in enumerate(row, low)}
    return {f"{name}[{k}]": x for k, x in enumerate(rows, low)}


NN1 = {**table("alpha", [["0.1", "0.2", "0.3"], ["-0.1", "0.4", "-0.2"]], 0), **table("beta", ["0.1", "0.5", "-0.3"], 0), "ystar": "1"}
NN2 = {**table("alpha", [["0.2", "0.3"], ["0.4", "-0.2"]]), **table("b", ["0.1", "-0.1"]), **table("beta", [["0.5", "-0.4"], ["0.3", "0.6"]]), **table("c", ["0.05", "-0.15"]),
       **table("gamma", ["0.7", "-0.5"]), "d": "0.1"}
QUIZ1 = dict(y=lambda x, z: mp.exp(x * z) + x * z / mp.log(x) + mp.sin(mp.log(x)) / (x * z))
SQUARE = lambda y, ystar: (y - ystar) ** 2 / 2
BATCH = ((1, 2), (-2, mp.mpf("0.5")), (4, -1))


def stepped(leaf, rate, sign=-1):
    """A leaf after a step along its own derivative of J."""
    return lambda v: v[leaf] + sign * mp.mpf(rate) * v.slope("J", leaf)


AGAIN = {
    "classic": (QUIZ1, dict(x="2", z="3")), "paths": (QUIZ1, {}),
    "simple_forward": (SIMPLE, {}), "simple_backward": (SIMPLE, {}),
    **dict.fromkeys(("logistic_forward", "logistic_backward"), (LOGISTIC, {**table("theta", ["0.1", "0.5", "-0.25"], 0), "ystar": "1"})),
    **dict.fromkeys(("squared_forward", "squared_backward"), ({**HIDDEN, "J": SQUARE}, NN1)),
    **dict.fromkeys(("likelihood_forward", "likelihood_backward"), ({**HIDDEN, **LIKELIHOOD}, NN1)),
    **dict.fromkeys(("deep_forward", "deep_backward"), (DEEP, NN2)),
    "two_paths": (dict(u1=lambda x: x**2, u2=lambda x: 3 * x, y=lambda u1, u2: u1 * u2), {}),
    "three_functions": (dict(u=lambda x: x**2, v=lambda u: mp.sin(u), y=lambda v: mp.exp(2 * v["v"])), {}),
    "every_path": (dict(u=lambda a, x: a * x, w=lambda b, c, x, u: b * x + c * u, y=lambda u, w: 2 * u - 3 * w), dict(x="2")),
    "running_totals": (dict(t=lambda x: x**2, ta=lambda t: t, tb=lambda t: t, J=lambda ta, tb: mp.sin(ta) * mp.log(tb)), {}),
    "shared_weight": (dict(h1=lambda w, x: mp.tanh(w * x), h2=lambda w, h1: mp.tanh(w * h1)), {}),
    "exponential": (dict(y=lambda a, x: mp.exp(-a * x**2 / 2)), {}),
    "logarithm": (dict(y=lambda x, c: mp.log(x**2 + c)), {}),
    "quotient": (dict(y=lambda v: (v["u"] ** 2 + 1) / (v["u"] - 2 * v["v"])), {}),
    "sigmoid_unit": (dict(z=lambda w, x: w * x + mp.mpf("0.5"), p=lambda z: sigmoid(z)), {}),
    "tanh_unit": (dict(z=lambda w, x: w * x - mp.mpf("0.2"), t=lambda z: mp.tanh(z)), {}),
    "relu_units": (dict(L=lambda v1, v2, x: (max(v1 * x + mp.mpf("0.5"), 0) - 2 * max(v2 * x - mp.mpf("0.4"), 0)) ** 2), {}),
    "pooling": (dict(L=lambda a, b, x: max(a * x, b * x**2) ** 2), {}),
    "softmax_outputs": ({"p[1]": lambda a, b, c: softmax(a, a, b, c)}, {}),
    "two_layer_net": (dict(s1=lambda a1, x: a1 * x, s2=lambda a2, x: a2 * x, h1=lambda s1: mp.tanh(s1), h2=lambda s2: mp.tanh(s2),
                           y=lambda b1, h1, b2, h2: b1 * h1 + b2 * h2, L=lambda y, t: (y - t) ** 2 / 2), dict(a1="0.6", a2="-0.9", b1="1.5", b2="-0.8")),
    "neuron": (dict(z=lambda w, x, bias: w * x + bias, p=lambda z: sigmoid(z), L=lambda p: (p - 1) ** 2), dict(bias="1")),
    "logits": (dict(L=lambda a, b, c: -mp.log(softmax(b, a, b, c))), {}),
    "logit_of_one": (dict(z=lambda w, x: w * x, L=lambda z, t: -(t * mp.log(sigmoid(z)) + (1 - t) * mp.log(1 - sigmoid(z)))), {}),
    "batch_mean": (dict(L=lambda w, bias: mp.fsum((w * x + bias - t) ** 2 for x, t in BATCH) / 3), {}),
    "vanishing": (dict(h1=lambda w, x: sigmoid(w * x), h2=lambda w, h1: sigmoid(w * h1), h3=lambda w, h2: sigmoid(w * h2)), {}),
    "recurrence": (dict(L=lambda w, x: ((((w * x + mp.mpf("0.1")) * w + mp.mpf("0.2")) * w + mp.mpf("0.3")) * w + mp.mpf("0.4")) ** 2), {}),
    "descent": (dict(y=lambda w, x, bias: w * x + bias, J=SQUARE, wnew=stepped("w", "0.1"), biasnew=stepped("bias", "0.1")), dict(bias="0.5")),
    "ascent": (dict(J=lambda theta, x: mp.log(sigmoid(theta * x)), thetanew=stepped("theta", "0.5", 1)), {}),
    "both_first": (dict(J=lambda alpha, beta, x: (beta * alpha * x - 1) ** 2 / 2, alphanew=stepped("alpha", "0.1"), betanew=stepped("beta", "0.1")), {}),
    "paths_of_a_network": (dict(y=lambda a, b, c, x: a * b * c * x), dict(x="3")),
    "work": (dict(params=lambda M, D: D * (M + 1) + D + 1, edges=lambda M, D: 2 * D * (M + 1) + D + 2 * (D + 1) + 2, path_by_path=lambda M, D: 10 * D * (M + 1) + 3 * (D + 1),
                  forward_mode=lambda params, edges: params * edges, differences=lambda params: 2 * params), {}),
}


class Values(dict):
    """The values of leaves and steps. `held`: steps that are given, and not computed."""

    def __init__(self, steps, leaves, held=()):
        super().__init__(leaves)
        self.steps, self.leaves = steps, leaves
        self.update(held)
        for name, step in steps.items():
            if name not in dict(held):
                self[name] = self.call(step)

    def call(self, step):
        names = step.__code__.co_varnames[: step.__code__.co_argcount - len(step.__defaults__ or ())]
        return step(self) if names == ("v",) else step(*(self[n] for n in names))

    def slope(self, of, by):
        h = mp.mpf(10) ** -30
        low, high = (Values({n: s for n, s in self.steps.items() if n == of or not n.endswith("new")}, self.leaves, {by: self[by] + d})[of] for d in (-h, h))
        return (high - low) / (2 * h)


def again(name, drawn):
    steps, leaves = AGAIN[name]
    return Values(steps, {n: mp.mpf(str(x)) for n, x in {**leaves, **drawn}.items()})


def wanted(values, shown):
    """The number that is asked for: a value, `dy/dx`, `diff(J, z[1])`."""
    if m := re.fullmatch(r"d(\w+)/d(\w+)|diff\((.+), ([^ ]+)\)", shown):
        return values.slope(m[1] or m[3], m[2] or m[4])
    return values[shown]


def rounded(x, precision):
    exact = Decimal(mp.nstr(x, 40))
    with localcontext() as context:
        context.prec = 60
        if precision.kind == "exactly":
            return exact.quantize(Decimal("1e-20")).normalize()
        step = Decimal(1).scaleb(-precision.digits if precision.kind == "decimals" else exact.adjusted() - precision.digits + 1)
        return exact.quantize(step, ROUND_HALF_UP)


@pytest.mark.parametrize("name", NUMERIC)
def test_the_keys_are_those_of_a_second_computation(name):
    quiz = QUIZZES[name][1]
    with mp.workdps(80):
        for number in range(1, SHOWN + 1):
            worked = variants(quiz).variant(0, number)
            values = again(name, dict(zip((v.name for v in quiz.vary), worked.drawn)))
            for w, key in zip(worked.prepared.wanted, worked.keys, strict=True):
                found = wanted(values, format_expr(w.shown, SOURCE))
                assert key.key == rounded(found, w.precision), (number, w.id)
                assert key.accepted.holds(key.key)


def test_every_quiz_with_numbers_is_written_again():
    assert sorted(AGAIN) == sorted(NUMERIC)


# ---- the numbers of the lecture


def at(name, *drawn):
    """What is known of a draw that fits."""
    quiz = QUIZZES[name][1]
    worked = variants(quiz).at(tuple(map(Decimal, drawn)))
    assert worked.refused is None
    return worked


LECTURE = {
    "classic": ((), "y 412.191457284121, dy/dx 1208.38121512661, dy/dz 809.707479218564"),
    "simple_forward": (("2",), "t 4, u1 -0.7568024953, u2 12, u 11.24319750, J 0.2451003682"),
    "simple_backward": (("2",), "dJ/du 0.9694977099, dJ/du1 0.9694977099, dJ/du2 0.9694977099, dJ/dt 2.274787136, dJ/dx 9.099148545"),
    "logistic_forward": (("2", "-1"), "a 1.35, y 0.794129628, J -0.230508571"),
    "logistic_backward": (("2", "-1"), "dJ/dy 1.25924026, dJ/da 0.205870372, diff(J,theta[0]) 0.205870, diff(J,theta[1]) 0.411741, diff(J,theta[2]) -0.205870, "
                                       "dJ/dx1 0.102935, dJ/dx2 -0.0514676"),
    "squared_forward": (("0.5", "-1"), "a[1] -0.1, a[2] 0.3, z[1] 0.475021, z[2] 0.574443, b 0.165178, y 0.541201, J 0.105248"),
    "squared_backward": (("0.5", "-1"), "dJ/dy -0.458799, dJ/db -0.113921, diff(J,beta[0]) -0.113921, diff(J,beta[1]) -0.054115, diff(J,beta[2]) -0.065441, "
                                        "diff(J,z[1]) -0.05696, diff(J,z[2]) 0.034176, diff(J,a[1]) -0.014205, diff(J,a[2]) 0.0083547, diff(J,alpha[1,1]) -0.0071023, "
                                        "diff(J,alpha[1,2]) 0.014205, diff(J,alpha[2,1]) 0.0041773, dJ/dx1 0.00050096, dJ/dx2 -0.0059323"),
    "likelihood_forward": (("0.5", "-1"), "b 0.165178, y 0.541201, J -0.613965"),
    "likelihood_backward": (("0.5", "-1"), "dJ/dy 1.84774, dJ/db 0.458799, diff(J,beta[1]) 0.217939, diff(J,beta[2]) 0.263554, diff(J,z[1]) 0.2294, diff(J,z[2]) -0.13764, "
                                           "diff(J,a[1]) 0.0572068, diff(J,a[2]) -0.0336472, diff(J,alpha[1,1]) 0.0286034, diff(J,alpha[2,2]) 0.0336472, dJ/dx1 -0.00201752, dJ/dx2 0.0238915"),
    "deep_forward": (("0.5", "-1"), "z[1] 0.475021, z[2] 0.574443, r[1] 0.514429, r[2] 0.583503, y 0.541988, J 0.612511"),
    "deep_backward": (("0.5", "-1"), "dJ/dd -0.458012, diff(J,gamma[1]) -0.235615, diff(J,gamma[2]) -0.267251, diff(J,beta[1,1]) -0.038042, diff(J,beta[2,1]) 0.026437, "
                                     "diff(J,alpha[1,1]) -0.002911, diff(J,alpha[2,2]) -0.015994, dJ/dx1 0.0052333, dJ/dx2 -0.0049454"),
    "two_paths": (("2",), "dy/du1 6, dy/du2 4, dy/dx 36"),
}


@pytest.mark.parametrize("name", LECTURE)
def test_at_the_lecture_s_point_the_numbers_are_the_lecture_s(name):
    """To half a unit of the last digit that is stated."""
    point, stated = LECTURE[name]
    worked = at(name, *point) if QUIZZES[name][1].vary else variants(QUIZZES[name][1]).variant(0, 1)
    asked = {format_expr(w.shown, SOURCE).replace(", ", ","): float(k.exact) for w, k in zip(worked.prepared.wanted, worked.keys)}
    seen = set()
    for said in stated.split(", "):
        what, number = said.split()
        found = asked[what] if what in asked else worked.run.evaluate(what)
        assert abs(found - float(number)) <= 0.5000001 * 10.0 ** Decimal(number).as_tuple().exponent, what
        seen.add(what)
    assert len(seen & set(asked)) >= min(3, len(asked)) or name == "two_paths"


def test_quiz_1_has_the_keys_1208_and_810_among_eight_options():
    (part,) = sheet(QUIZZES["classic"][1], 1).parts
    assert len(part.choice.options) == 8
    assert [text(o.text) for o in part.choice.options if o.right] == ["dy/dx = 1208, dy/dz = 810"]


def test_quiz_1_with_numbers_has_its_decimals_at_the_lecture_s_point():
    assert [str(k.key) for k in at("paths", "2", "3").keys] == ["1208.38", "809.71"]


def test_the_layout_question_is_answered_by_none_of_the_options():
    (part,) = sheet(QUIZZES["which_chain_rule"][1], 1).parts
    assert len(part.choice.options) == 6 and [text(o.text) for o in part.choice.options if o.right] == ["none of the above"]
    assert part.choice.options[-1].right


# ---- what every item keeps


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_the_first_lines_say_what_a_file_shows_and_where_it_is_from(path):
    head = path.read_text(encoding="utf-8").split("\n\n")[0].splitlines()
    assert len(head) >= 2 and all(line.startswith("# ") for line in head)
    assert path.stem == "exam" or any("lecture" in line for line in head)


@pytest.mark.parametrize("name", QUIZZES)
def test_check_finds_a_quiz_fit_and_no_mistake_masked(name):
    report = check(QUIZZES[name][1])
    assert report.fit, [f for f in report.findings]
    if name != "classic":
        assert [s.worst for s in report.detection] == [0] * len(report.detection)


@pytest.mark.parametrize("name", [n for n in NUMERIC if QUIZZES[n][1].vary])
def test_there_are_twenty_variants_and_no_key_is_0(name):
    fitting = [w for w in every(QUIZZES[name][1]) if w.refused is None]
    assert len(fitting) >= 20
    assert all(k.key for w in fitting for k in w.keys)
    assert not [w for w in every(QUIZZES[name][1]) if w.refused is not None and w.refused.kind not in ("condition", "border")]


@pytest.mark.parametrize("name", QUIZZES)
def test_the_key_has_full_marks_and_every_known_mistake_its_message(name):
    for number in range(1, SHOWN + 1):
        for part in sheet(QUIZZES[name][1], number).parts:
            for b in part.blanks:
                assert mark(b, f"{b.key:f}").credit == 1
                for d in b.diagnoses:
                    marked = mark(b, f"{d.key:f}")
                    assert marked.credit == d.credit == 0 and marked.message == d.message
            if part.choice:
                assert [mark(part.choice, letter).credit for letter, o in zip("ABCDEFGH", part.choice.options)] == [int(o.right) for o in part.choice.options]


def test_a_mistake_in_a_gradient_is_told_from_the_weight_after_the_step():
    """w = 2, x = 3, y* = -1: dJ/dw is 7.5 x = 22.5; with w in the place of x it is 15, and the new weight 0.5."""
    blanks = {b.id: b for p in of(at("descent", "2", "3", "-1"), 1, 0).parts for b in p.blanks}
    assert (blanks["dJ_dw"].key, blanks["wnew"].key) == (Decimal("22.5"), Decimal("-0.25"))
    assert mark(blanks["dJ_dw"], "15").diagnosis.mistakes == mark(blanks["wnew"], "0.5").diagnosis.mistakes == ("prod_same",)


def test_the_unit_has_twenty_items_and_every_kind_of_question():
    unit = [quiz for stem, quiz in QUIZZES.values() if stem in UNIT]
    assert len(unit) >= 20
    assert {type(p) for quiz in unit for p in quiz.parts} == {Ask, Fill, Choose}


def test_the_exam_is_made_of_the_quizzes_beside_it_and_its_versions_differ():
    quizzes, (exam,) = load("exam")
    assert exam.versions == 4 and exam.minutes == 60 and len(exam.uses) > 8
    assert {u.quiz for u in exam.uses} <= set(QUIZZES)
    texts = {tuple(text(p.text) for u in exam.uses for p in sheet(quizzes[u.quiz], version, exam.seed).parts) for version in range(1, 5)}
    assert len(texts) == 4


def test_what_rounding_left_of_0_is_no_wrong_number():
    """In this one z(1 - z) and the like cancel: they leave some 1e-18."""
    for path in FOLDER.glob("*.graph"):
        made, _ = gl.load(path).quizzes
        if "deep_backward" in made:
            paper = sheet(made["deep_backward"], 10, 1)
            assert not [d for p in paper.parts for b in p.blanks for d in b.diagnoses if d.key and abs(d.key) < abs(b.key) * Decimal("1e-13")]
            return
    raise AssertionError("there is no such quiz")
