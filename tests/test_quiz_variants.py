"""Variants and sheets: draws that depend on nothing else, values as they are printed, options whose order tells nothing."""

import time
from collections import Counter
from decimal import Decimal

import pytest
from quiz_texts import CHAIN, CLASSIC, EVERY, PATHS, SHAPE, one, read, small

from graphlang.diagnostics import GraphError
from graphlang.quiz import draws
from graphlang.quiz.marker import find, mark, right_answer
from graphlang.quiz.model import Formula, Value, Words
from graphlang.quiz.options import judged
from graphlang.quiz.sheets import sheet
from graphlang.quiz.text import text
from graphlang.quiz.variants import every, space, variant, variants


@pytest.fixture(scope="module")
def quizzes():
    return read(EVERY)


def everything(quiz, number, seed=0):
    """All that a sheet says, as plain data."""
    s = sheet(quiz, number, seed)
    return [[text(line) for line in s.program], [text(line) for line in s.solution], s.notes,
            [(text(p.text), [(b.id, b.key, b.accepted, b.diagnoses) for b in p.blanks], [text(o.text) for o in p.choice.options] if p.choice else []) for p in s.parts]]


# ---- streams


def test_a_variant_is_the_same_whatever_else_is_in_the_file(quizzes):
    alone = one(PATHS)
    assert [everything(alone, n, 7) for n in range(12)] == [everything(quizzes["paths"], n, 7) for n in range(12)]


def test_a_variant_is_the_same_whichever_are_made_before_it():
    forward, backward = one(PATHS), one(PATHS)
    made = [variant(forward, n, 3).drawn for n in range(20)]
    assert [variant(backward, n, 3).drawn for n in reversed(range(20))] == made[::-1] and variant(one(PATHS), 13, 3).drawn == made[13]


def test_another_question_in_a_quiz_changes_no_draw():
    more = PATHS.replace("  working 4", '  ask "And `y`?" { y to 2 decimals }\n  working 4')
    changed, before = one(more), one(PATHS)
    assert [variant(changed, n).drawn for n in range(30)] == [variant(before, n).drawn for n in range(30)]


def test_draws_are_these_for_ever():
    """Python promises the sequence of random() for a seed that is a text."""
    quiz = one(PATHS)
    assert [tuple(map(str, variant(quiz, n, 2026).drawn.values())) for n in range(6)] == [
        ("2", "1.5"), ("1.5", "1.5"), ("2", "1"), ("2.5", "1.5"), ("4", "1"), ("1.5", "2.5")]


def test_seeds_numbers_and_names_give_other_draws():
    quiz = one(PATHS)
    base = [variant(quiz, n).drawn for n in range(30)]
    assert base != [variant(quiz, n, 1).drawn for n in range(30)]
    other = one(PATHS.replace("quiz paths", "quiz others"))
    assert base != [variant(other, n).drawn for n in range(30)]
    assert len({tuple(d.values()) for d in base}) > 10


def test_indices_are_uniform():
    draw = draws.stream(1, "q", 2, "draw")
    found = Counter(draws.index(draw, 6) for _ in range(6000))
    assert sum((found[k] - 1000) ** 2 / 1000 for k in range(6)) < 20.5  # chi-squared, 5 degrees of freedom, p = 0.001


def test_shuffling_keeps_what_there_is_and_reaches_every_order():
    orders = Counter(tuple(draws.shuffled("abc", draws.stream(0, "q", n, "shuffle"))) for n in range(1200))
    assert len(orders) == 6 and all(sorted(o) == ["a", "b", "c"] for o in orders)
    assert sum((n - 200) ** 2 / 200 for n in orders.values()) < 20.5


# ---- conditions


def test_every_variant_meets_the_conditions():
    quiz = one(PATHS)
    for n in range(60):
        v = variant(quiz, n)
        assert abs(v.run.adjoints["x"]) < 2000 and abs(v.run.adjoints["z"]) < 2000
        assert set(v.drawn) == {"x", "z"} and all(x in vary.values for x, vary in zip(v.drawn.values(), quiz.vary))


def test_where_nothing_fits_the_reasons_are_counted():
    quiz = small('vary x in {1, 2, 3}\nrequire x > 5\ny = x^2\nask "?" { y to 1 decimal }')
    with pytest.raises(GraphError) as caught:
        variant(quiz, 1)
    (d,) = caught.value.diagnostics
    assert d.code == "E706" and "no draw for variant 1 of the quiz `q` fits" in d.message
    assert d.hints[0].startswith("1,000 of 1,000 draws: `x > 5` does not hold")


def test_all_draws_are_counted_and_those_that_fit():
    quiz = one(PATHS)
    found = space(quiz, list(every(quiz)))
    assert (found.count, found.examined, found.fitting) == (36, 36, 27) and found.all and str(found) == "27 of 36"


def test_a_large_space_is_sampled_and_that_is_said():
    quiz = small('vary a in 1..200, b in 1..200\ny = a*b\nask "?" { y exactly }')
    found = space(quiz, list(every(quiz, most=50)))
    assert found.examined == 50 and not found.all and "of 50 looked at 50 fit" in str(found)
    assert len({w.drawn for w in every(quiz, most=50)}) == 50


def test_draws_are_numbered_through():
    quiz = one(PATHS)
    assert len({draws.at(quiz, k) for k in range(36)}) == 36


def test_the_run_is_at_exactly_the_printed_values():
    v = variant(one(PATHS), 5)
    assert all(v.run.flat[n] == [float(x)] for n, x in v.drawn.items())


# ---- sheets


def test_prose_has_the_values_as_they_are_printed(quizzes):
    s = sheet(quizzes["paths"], 3)
    v = variant(quizzes["paths"], 3)
    assert text(s.parts[0].text) == f"Suppose x = {v.drawn['x']} and z = {v.drawn['z']}. What are dy/dx and dy/dz for y?"
    assert [type(p) for p in s.parts[0].text][:4] == [Words, Value, Words, Value] and Formula in map(type, s.parts[0].text)


def test_values_that_the_prose_does_not_say_stand_above_the_equations(quizzes):
    assert [text(line) for line in sheet(quizzes["neuron"], 1).program] == ["w = -1.5, x = 2, bias = 1, t = 1", "z = w*x + bias", "p = sigmoid(z)", "L = (p - t)^2"]
    assert [text(line) for line in sheet(quizzes["paths"], 1).program] == ["a = x*z", "b = log(x)", "y = exp(a) + a/b + sin(b)/a"]
    assert [text(line) for line in sheet(quizzes["shape"], 1).program][:2] == ["W: a matrix, 3 by 2", "x: a vector of 2 numbers"]


def test_ids_are_made_of_what_is_asked(quizzes):
    assert [b.id for b in sheet(quizzes["paths"], 1).parts[0].blanks] == ["dy_dx", "dy_dz"]
    assert [b.id for b in sheet(quizzes["neuron"], 1).parts[0].blanks] == ["dL_dp", "dL_dz", "dL_dw", "dL_dbias"]
    two = small('input x = 2\ny = x^3\nask "1" { dy/dx exactly }\nask "2" { dy/dx to 1 decimal\n -y exactly }\nask "3" { 2*y exactly }')
    assert [b.id for p in sheet(two, 1).parts for b in p.blanks] == ["dy_dx", "dy_dx_2", "m_y", "a2_y"]


def test_a_table_to_fill_is_the_one_that_run_prints(quizzes):
    (part,) = sheet(quizzes["neuron"], 1).parts
    assert part.heads == ("Forward", "Value", "Backward", "Value") and part.carry == Decimal("0.75")
    assert [[c.blank or text(c.pieces) for c in row.cells] for row in part.rows] == [
        ["L = (p - t)^2", "0.775803", "dL/dL", "1"], ["p = sigmoid(z)", "0.119203", "dL/dp", "dL_dp"], ["z = w*x + bias", "-2", "dL/dz", "dL_dz"],
        ["bias", "1", "dL/dbias", "dL_dbias"], ["w", "-1.5", "dL/dw", "dL_dw"], ["x", "2", "dL/dx", "0.277434"]]
    assert part.order == ("dL_dp", "dL_dz", "dL_dbias", "dL_dw")


def test_a_table_of_tables_has_a_row_for_each_element():
    quiz = small("input x[2] = [1, -0.5], W[2, 2] = [[0.5, -1], [2, 0.25]]\nh = W @ x\ns[j] = sigmoid(h[j]) for j in 1..2\nL = sum(s)^2\n"
                 "fill backward { blank s[1], W[1,2]\n to 3 figures }\nfill forward { blank h[2], L\n to 4 figures }")
    back, ahead = sheet(quiz, 1).parts
    assert back.order == ("dL_ds_1", "dL_dW_1_2") and {b.id: str(b.key) for b in back.blanks} == {"dL_ds_1": "3.20", "dL_dW_1_2": "-0.314"}
    assert ahead.order == ("h_2", "L") and [str(b.key) for b in ahead.blanks] == ["1.875", "2.554"]
    assert text(back.rows[1].cells[0].pieces) == "s[1] = sigmoid(h[1])"


def test_the_solution_shows_values_contributions_and_what_is_accepted(quizzes):
    lines = [text(line) for line in sheet(quizzes["neuron"], 1).solution]
    assert "p = sigmoid(z) = 0.119203" in lines and "dL/dz = dL/dp*p*(1 - p) = -0.184956" in lines
    assert "dL/dp = -1.76 (3 significant figures); accepted from -1.765 to -1.755, the lower end not included" in lines
    assert variant(quizzes["paths"], 1).drawn == {"x": Decimal("1.5"), "z": Decimal("2.5")}
    lines = [text(line) for line in sheet(quizzes["paths"], 1).solution]
    assert "    through a: 44.9593 · 2.5 = 112.398" in lines


def test_notes_say_how_exact_and_how_to_work(quizzes):
    assert sheet(quizzes["paths"], 1).notes == ("Give every number to 2 decimals.", "Carry 4 decimals in your working.")
    mixed = small('input x = 2\ny = x^3\nask "1" { dy/dx exactly\n y within 0.5 }')
    assert sheet(mixed, 1).notes == ("Give dy/dx exactly.", "Give y to within 0.5.")


def test_marks_add_up(quizzes):
    assert {n: sheet(q, 1).marks for n, q in quizzes.items()} == {"paths": 4, "classic": 2, "neuron": 4, "shape": 1, "chain": 1}


# ---- options


def test_options_never_meet_and_the_key_is_among_them_once():
    quiz = one(CLASSIC)
    for n in range(40):
        options = sheet(quiz, n).parts[0].choice.options
        assert len(options) == 8 == len({text(o.text) for o in options}) and sum(o.right for o in options) == 1
        assert all(o.mistakes and o.message for o in options if not o.right)
        assert [text(o.text) for o in options if o.right] == ["dy/dx = 1208, dy/dz = 810"]


@pytest.mark.parametrize("source, n", [(CLASSIC, 8), (SHAPE, 4)], ids=["numbers", "expressions"])
def test_the_key_stands_at_each_position_equally_often(source, n):
    quiz = one(source)
    found = Counter(next(k for k, o in enumerate(sheet(quiz, 1, seed).parts[0].choice.options) if o.right) for seed in range(240))
    share = 240 / n
    assert sum((found[k] - share) ** 2 / share for k in range(n)) < {8: 24.3, 4: 16.3}[n]  # p = 0.001


def test_none_of_the_above_stands_last_and_the_others_change_places():
    quiz, firsts = one(CHAIN), set()
    for n in range(20):
        options = sheet(quiz, n).parts[0].choice.options
        assert text(options[-1].text) == "none of the above" and options[-1].right and len(options) == 6
        firsts.add(text(options[0].text))
    assert len(firsts) >= 4


def test_expressions_are_judged_before_anybody_sees_them():
    quiz = small('input W[3, 2], x[2]\nh = W @ x\nL = sum(h*h)\nchoose "What is `dL/dW`?" { answer 2*x @ h.T\n wrong 2*h @ x.T\n wrong h @ x.T }')
    assert [j.fault for j in judged(quiz, 0)] == ["it is given as the answer, and it is wrong", "it is given as wrong, and it is right", ""]
    with pytest.raises(GraphError) as caught:
        sheet(quiz, 1)
    assert len(caught.value.diagnostics) == 2


def test_none_is_no_answer_where_another_option_is_right():
    quiz = small('input x = 2\ny = x^3\nchoose "What is `dy/dx`?" { wrong 3x^2\n wrong x^2\n answer none }')
    assert [j.fault for j in judged(quiz, 0)] == ["it is given as wrong, and it is right", "", ""]


def test_a_wrong_option_that_is_right_at_equal_sizes_only_is_wrong():
    quiz = small('dim N, M\ninput A[N, M], x[M]\ny = A @ x\nchoose "Which is `dy/dx`?" { answer A.T\n wrong A }')
    assert [j.fault for j in judged(quiz, 0)] == ["", ""]


def test_two_options_that_are_equal_in_other_words_are_a_fault():
    quiz = small('input x = 2\ny = x^3\nchoose "What is `dy/dx`?" { answer 3x^2\n wrong x^2/2\n wrong 0.5*x*x }')
    assert [j.fault for j in judged(quiz, 0)] == ["", "", "it is the same as `x^2/2`"]


def test_sizes_without_numbers_have_no_key():
    quiz = small('dim N\ninput x[N]\ny = sum(x)\nask "?" { y to 1 decimal }')
    with pytest.raises(GraphError) as caught:
        sheet(quiz, 1)
    assert caught.value.diagnostics[0].code == "E408"


def test_the_element_that_is_the_goal_is_differentiated():
    quiz = small('input x = 2, z = 3\ny[1] = x*z\ny[2] = x + z\noutput y[2], y[1]\nfill backward { blank x\n to 2 decimals }\nask "?" { diff(y[1], x) exactly }')
    assert [(b.id, str(b.key)) for p in sheet(quiz, 1).parts for b in p.blanks] == [("dy_2_dx", "1.00"), ("dy_1_dx", "3")]


def test_the_layout_in_force_decides():
    quiz = small('layout numerator\ndim N, M\ninput A[N, M], x[M]\ny = A @ x\nchoose "Which is `dy/dx`?" { answer A\n wrong auto }')
    assert [(text(j.option.text), j.fault) for j in judged(quiz, 0)] == [("A", ""), ("A.T", "")]


def test_what_is_asked_must_be_said_where_it_could_be_several_things():
    quiz = small('input x = 2, z = 1\ny = x^3*z\nchoose "What?" { answer 3x^2*z\n wrong x^2 }')
    with pytest.raises(GraphError) as caught:
        sheet(quiz, 1)
    assert "does not say which derivative" in caught.value.diagnostics[0].message


def test_every_right_answer_earns_full_marks_and_every_diagnosis_is_told(quizzes):
    for quiz in quizzes.values():
        for n in range(3):
            s = sheet(quiz, n)
            for part in s.parts:
                for asked in (*part.blanks, *([part.choice] if part.choice else [])):
                    assert mark(asked, right_answer(asked)).credit == 1 and find(s, asked.id) is asked
                for b in part.blanks:
                    for d in b.diagnoses:
                        assert mark(b, str(d.key)).diagnosis is d and not d.accepted.meets(b.accepted)


def test_a_thousand_variants_look_at_each_draw_once():
    """How long they take is in benchmarks/quiz_keys.py."""
    quiz = one(PATHS)
    for n in range(1000):
        variants(quiz).variant(11, n).wrong(0)
    assert len(variants(quiz).known) <= 36
