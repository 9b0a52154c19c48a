"""Quizzes and exams as text: what their blocks mean, what is wrong with them and where, their one style, and what editors know of them."""

from decimal import Decimal

import pytest
from hypothesis import given, settings, strategies as st

from graphlang.cli.main import main
from graphlang.diagnostics import GraphError, Source, Span
from graphlang.lsp.analysis import build
from graphlang.lsp.completion import completions
from graphlang.lsp.hover import hover
from graphlang.lsp.outline import outline
from graphlang.lsp.reading import Text, read
from graphlang.lsp.renaming import Refused, apply, rename
from graphlang.pipeline import loads
from graphlang.quiz import model
from graphlang.quiz.prose import pieces, prose
from graphlang.quiz.reading import quizzes
from graphlang.syntax import ast
from graphlang.syntax.format import PRETTY, SOURCE, format_expr
from graphlang.syntax.format_statements import format_program
from graphlang.syntax.parser import parse
from graphlang.syntax.tidy import tidy
from graphlang.syntax.tidy_proof import _equal, same

EXAMPLES = '''quiz paths "Two paths to x" {
  vary x in {1.5, 2, 2.5, 3, 3.5, 4}, z in 0.5..3 step 0.5  # as they are printed
  require abs(dy/dx) < 2000, abs(dy/dz) < 2000
  a = x*z
  b = log(x)
  y = exp(a) + a/b + sin(b)/a

  ask "Suppose x = {x} and z = {z}. What are `dy/dx` and `dy/dz` for `y`?" {
    dy/dx to 2 decimals, 2 marks
    dy/dz to 2 decimals, 2 marks
  }
  working 4 decimals  # printed in the question
}

quiz classic "Differentiation quiz 1" {
  input x = 2, z = 3
  y = exp(x*z) + x*z/log(x) + sin(log(x))/(x*z)
  ask "Suppose x = {x} and z = {z}. What are `dy/dx` and `dy/dz`?" {
    dy/dx to 0 decimals
    dy/dz to 0 decimals
    choices 8  # one question over the pair
  }
}

quiz neuron "One neuron, backward" {
  input w = -1.5, x = 2, bias = 1
  data  t = 1
  z = w*x + bias
  p = sigmoid(z)
  L = (p - t)^2
  fill backward {  # cells of the table that `run` prints
    blank p, z, w, bias
    to 3 figures, 1 mark each
    carry 0.75  # right rule on one's own earlier value
  }
}

quiz shape "Gradient of a matrix" {
  input W[3, 2], x[2]
  h = W @ x
  L = sum(h*h)
  choose "Which expression is `dL/dW`, in the layout of W?" {
    answer 2*h @ x.T
    wrong  2*x @ h.T because layout
    wrong  h @ x     because "Multiplied where an outer product is needed"
    wrong  auto
    options 4
  }
}

quiz chain "The chain rule in denominator layout" {
  dim   P, K, M
  input x[P]
  opaque h(x)[K], g(u)[M]
  u = h(x)
  y = g(u)
  choose "Suppose y = g(u) and u = h(x). Which is the chain rule?" {
    wrong  dy/du @ du/dx
    wrong  (dy/du).T @ du/dx
    wrong  dy/du @ (du/dx).T
    wrong  (dy/du).T @ (du/dx).T
    wrong  (dy/du @ du/dx).T
    answer none  # checked
  }
}

exam "Quiz 3 - Backpropagation" {
  use paths, variants 20
  use neuron
  use shape, 2 marks
  minutes 20
  versions 4  # A to D
  seed 2026
}
'''


def meaning(text):
    return quizzes(loads(text, "q.graph"))


def shown(node):
    return format_expr(node, SOURCE)


FOUND, EXAMS = meaning(EXAMPLES)


# ---- what they say


def test_the_quizzes_of_a_file_come_by_name_in_its_order():
    assert {name: q.title for name, q in FOUND.items()} == {
        "paths": "Two paths to x", "classic": "Differentiation quiz 1", "neuron": "One neuron, backward", "shape": "Gradient of a matrix",
        "chain": "The chain rule in denominator layout"}
    assert list(FOUND) == ["paths", "classic", "neuron", "shape", "chain"]


def test_values_to_be_drawn_are_kept_as_they_are_written():
    x, z = FOUND["paths"].vary
    assert (x.name, [str(v) for v in x.values]) == ("x", ["1.5", "2", "2.5", "3", "3.5", "4"])
    assert (z.name, [str(v) for v in z.values]) == ("z", ["0.5", "1.0", "1.5", "2.0", "2.5", "3.0"])
    assert [shown(c) for c in FOUND["paths"].require] == ["abs(dy/dx) < 2000", "abs(dy/dz) < 2000"]
    assert (FOUND["paths"].working, FOUND["classic"].working) == (4, None)


def test_an_ask_has_answers_with_precision_and_marks():
    (part,) = FOUND["paths"].parts
    assert [(shown(a.value), a.precision, a.marks) for a in part.answers] == [
        ("dy/dx", model.Precision("decimals", 2), Decimal(2)), ("dy/dz", model.Precision("decimals", 2), Decimal(2))]
    assert part.choices == 0
    (part,) = FOUND["classic"].parts
    assert [(a.precision, a.marks) for a in part.answers] == [(model.Precision("decimals", 0), Decimal(1))] * 2 and part.choices == 8


@pytest.mark.parametrize("written, meant", {
    "to 2 decimals": ("decimals", 2, 0), "to 1 decimal": ("decimals", 1, 0), "to 3 figures": ("figures", 3, 0), "exactly": ("exactly", 0, 0),
    "within 0.05": ("within", 0, Decimal("0.05")), "within 1%": ("percent", 0, 1), "within 0.5 %": ("percent", 0, Decimal("0.5")), "": ("figures", 3, 0),
}.items())
def test_how_exact_an_answer_is(written, meant):
    found, _ = meaning(f'quiz q {{ input x = 2; y = x^2; ask "?" {{ dy/dx {written} }} }}')
    assert found["q"].parts[0].answers[0].precision == model.Precision(*meant)


def test_a_fill_has_blanks_and_what_is_carried():
    (part,) = FOUND["neuron"].parts
    assert (part.direction, [shown(b) for b in part.blanks]) == ("backward", ["p", "z", "w", "bias"])
    assert part[2:5] == (model.Precision("figures", 3), Decimal(1), Decimal("0.75"))


def test_a_choose_has_options_with_reasons():
    (part,) = FOUND["shape"].parts
    assert [(o.kind, o.value and shown(o.value), o.special, o.because) for o in part.options] == [
        ("answer", "2*h @ x.T", "", ""), ("wrong", "2*x @ h.T", "", "layout"), ("wrong", "h @ x", "", "Multiplied where an outer product is needed"), ("wrong", None, "auto", "")]
    assert (part.count, part.marks) == (4, 1)
    (part,) = FOUND["chain"].parts
    assert [o.special for o in part.options] == [""] * 5 + ["none"] and part.count == 0


def test_a_transposed_derivative_is_shown_as_one_whole():
    """In dy/duᵀ it would be u that is transposed."""
    (part,) = FOUND["chain"].parts
    assert [format_expr(o.value, PRETTY) for o in part.options if o.value] == ["dy/du @ du/dx", "(dy/du)ᵀ @ du/dx", "dy/du @ (du/dx)ᵀ", "(dy/du)ᵀ @ (du/dx)ᵀ", "(dy/du @ du/dx)ᵀ"]


@pytest.mark.parametrize("line, because", [("wrong none", ""), ("wrong none because layout", "layout"), ('wrong none because "One of them is right"', "One of them is right")])
def test_none_of_the_above_may_be_a_wrong_option(line, because):
    found, _ = meaning(f'quiz q {{\ninput x = 2; y = x^2\nchoose "`dy/dx`?" {{ answer 2*x; wrong x; {line} }}\n}}\n')
    assert [(o.kind, o.special, o.because) for o in found["q"].parts[0].options][2:] == [("wrong", "none", because)]


def test_an_exam_uses_quizzes():
    (exam,) = EXAMS
    assert [u[:3] for u in exam.uses] == [("paths", None, 20), ("neuron", None, 0), ("shape", Decimal(2), 0)]
    assert (exam.title, exam.minutes, exam.versions, exam.seed) == ("Quiz 3 - Backpropagation", 20, 4, 2026)


def test_the_program_of_a_quiz_has_its_inputs_without_values():
    from graphlang.pipeline import whole_graph

    graph = whole_graph(FOUND["paths"].program)
    assert {n: v.initial for n, v in graph.variables.items() if v.is_leaf} == {"x": None, "z": None}
    assert EXAMPLES[slice(*graph.variables["z"].span)] == "z"


def test_derivatives_are_of_the_names_of_the_quiz():
    """The file has neither y nor x, and one of its variables is called dy."""
    text = 'dy = 3\ninput dx = 2\nJ = dy/dx\nquiz q { input x = 2; y = x^2; ask "`dy/dx`" { dy/dx } }\nK = dy/dx + J'
    tree = parse(Source("", text))
    (one,) = [s for s in tree.statements if type(s) is ast.Quiz]
    assert [type(s.value) for s in tree.statements if type(s) is ast.Equation and s.target.name == "J"] == [ast.Op]
    assert type(one.statements[-1].lines[0].value) is ast.Deriv
    assert meaning(text)[0]["q"].parts


@pytest.mark.parametrize("word", "vary require ask fill choose working choices blank carry answer wrong options use minutes versions seed step to because exactly each none auto".split())
def test_words_are_names_where_no_line_begins_with_them(word):
    text = f'quiz q {{ input {word} = 2; y = 3*{word}; ask "`{word}`, {{{word}}}" {{ {word} + 1; y }} }}\n{word} = 4\nJ = {word}^2'
    found, _ = meaning(text)
    assert [shown(a.value) for a in found["q"].parts[0].answers] == [f"{word} + 1", "y"]
    assert loads(text).run()["J"] == 16


def test_values_may_stand_on_lines_of_their_own():
    found, _ = meaning('quiz q {\n vary x in {\n 1,\n -2\n }, z in -1..1\n y = x*z\n ask "?" { y }\n}')
    assert [[str(n) for n in v.values] for v in found["q"].vary] == [["1", "-2"], ["-1", "0", "1"]]


# ---- what a quiz takes from the file


def test_a_quiz_knows_functions_rules_and_consts_of_the_file_and_no_variable():
    text = ('const M = 3, N = M + 1, O = 5\nf(v) = v^2*N\ng(v) = v\nderivative f(v) = 2*v*N\ninput x = 9\nlayout numerator\n'
            'quiz q { input x = 2; y = f(x); ask "?" { dy/dx } }\nquiz r { vary x in {1}; y = x; ask "?" { y } }\nJ = x')
    found, _ = meaning(text)
    assert [type(s).__name__ for s in found["q"].program.statements] == ["Declaration", "FunctionDef", "Rule", "Layout", "Declaration", "Equation"]
    assert [i.name for i in found["q"].program.statements[0].items] == ["M", "N"]
    assert [type(s).__name__ for s in found["r"].program.statements] == ["Layout", "Declaration", "Equation"]
    with pytest.raises(GraphError) as e:
        meaning('input w = 1\nJ = w\nquiz q { input x = 2; y = w*x; ask "?" { y } }')
    assert [d.code for d in e.value.diagnostics] == ["E101"]


def test_its_own_names_come_first():
    found, _ = meaning('const M = 3\nf(v) = v\nquiz q { const M = 2; f(v) = v^2; input x[M] = 1; y = sum(x); ask "?" { y } }')
    assert [type(s).__name__ for s in found["q"].program.statements] == ["Declaration", "FunctionDef", "Declaration", "Equation"]


def test_where_nothing_else_says_so_what_is_asked_for_is_the_goal():
    found, _ = meaning('quiz q { input x = 2; u = x^2; v = x^3; ask "?" { dv/dx; du/dx } }\nquiz r { input x = 2; u = x; v = x; minimize v; ask "?" { u } }')
    goals = [[t.name for s in q.program.statements if type(s) is ast.Goal for t in s.targets] for q in found.values()]
    assert goals == [["v", "u"], ["v"]]


# ---- prose


def told(text):
    source = Source("", f'"{text}"')
    return prose(ast.Text("", Span(0, len(source.text))), source, {"x", "y"})


def test_prose_is_words_values_and_formulas_each_at_its_place():
    text = r'a \"b\" {{x}} \\ {x}, `dy/dx`{x + 1}.'
    found = told(text)
    assert [(type(p.piece).__name__, getattr(p.piece, "text", None) or shown(p.piece.value)) for p in found] == [
        ("Words", 'a "b" {x} \\ '), ("Slot", "x"), ("Words", ", "), ("Formula", "dy/dx"), ("Slot", "x + 1"), ("Words", ".")]
    assert [f'"{text}"'[slice(*p.span)] for p in found] == [r'a \"b\" {{x}} \\ ', "x", ", ", "dy/dx", "x + 1", "."]
    node = found[3].piece.value
    assert f'"{text}"'[slice(*node.span)] == "dy/dx"


def test_pieces_of_a_quiz_have_numbers_in_their_slots():
    quiz = FOUND["paths"]
    got = pieces(quiz, quiz.parts[0].text, lambda node: {"x": "2", "z": "0.5"}[node.name])
    assert [p for p in got if type(p) is not model.Formula] == [
        model.Words("Suppose x = "), model.Value("2"), model.Words(" and z = "), model.Value("0.5"), model.Words(". What are "), model.Words(" and "), model.Words(" for "), model.Words("?")]
    assert [shown(p.value) for p in got if type(p) is model.Formula] == ["dy/dx", "dy/dz", "y"]


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.text(st.sampled_from('ab{}`\\" +x'), max_size=12))
def test_any_prose_is_read_or_refused_at_a_place_in_it(text):
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    try:
        found = told(text)
    except GraphError as e:
        assert all(1 <= d.at.start <= len(text) + 1 for d in e.diagnostics)
    else:
        assert [p.span for p in found] == sorted(p.span for p in found)


# ---- mistakes

QUIZ = 'quiz q "T" {\n  input x = 2\n  y = x^2\n  …\n}\n'
ASK = QUIZ.replace("…", 'ask "What?" {\n    …\n  }')
FILL = QUIZ.replace("…", "fill backward {\n    …\n  }")
CHOOSE = QUIZ.replace("…", 'choose "Which?" {\n    …\n  }')
EXAM = 'quiz q { input x = 2; y = x^2; ask "What?" { y } }\nexam "E" {\n  …\n}\n'
TEXT = "…"

# the text, what is put into it, and for each diagnostic: its code, the text at its place, and what it says
WRONG = [
    (ASK, "dy/dx to 2 decimal places", [("E027", "places", "more than the line takes")]),
    (ASK, "dy/dx 2 decimals", [("E027", "2", "write `dy/dx to 2 decimals`")]),
    (ASK, "dy/dx to two decimals", [("E027", "two", "a number is wanted after `to`")]),
    (ASK, "dy/dx to 2", [("E027", "2", "`2 decimals` or `2 figures`")]),
    (ASK, "dy/dx to 2 digits", [("E027", "digits", "`decimals` or `figures` is wanted")]),
    (ASK, "dy/dx to 2 decimals 2 marks", [("E027", "2", "write `dy/dx to 2 decimals, 2 marks`")]),
    (ASK, "dy/dx, 2 points", [("E027", "points", "write `dy/dx, 2 marks`")]),
    (ASK, "dy/dx, to 2 decimals", [("E027", "to", "only the marks follow a comma")]),
    (ASK, "dy/dx exact", [("E027", "exact", "did you mean `exactly`?")]),
    (ASK, "dy/dx within -1", [("E027", "-", "has no sign")]),
    (ASK, "dy/dx within 200%", [("E704", "200", "below 100%")]),
    (ASK, "dy/dx to 2.5 decimals", [("E704", "2.5", "a whole number, from 0 to 15")]),
    (ASK, "dy/dx to 0 figures", [("E704", "0", "from 1 to 15")]),
    (ASK, "dy/dx, 0 marks", [("E704", "0", "above 0")]),
    (ASK, "dy/dx; choices 1", [("E704", "1", "from 2 to 26")]),
    (ASK, "dy/dx; choices 4; choices 5", [("E705", "choices 5", "twice")]),
    (ASK, "choices four", [("E027", "four", "write `choices 4`")]),
    (ASK, "", [("E705", "ask", "asks for nothing")]),
    (ASK, "y = 3", [("E027", "=", "an answer is an expression")]),
    (ASK, "answer dy/dx", [("E027", "answer", "but of `choose`")]),
    (ASK, "dy/dx; dy/dx", [("E705", "dy/dx", "asked for twice")]),
    (ASK, "dy/dq; q + 1; dy/dx", [("E101", "q", "this half"), ("E101", "q", "`q` is not defined")]),
    (ASK, "2 y; sin x; dy/dx", [("E002", "y", "2*y"), ("E002", "x", "sin(x)")]),
    (FILL, "blank x y", [("E002", "y", "write `blank x, y`")]),
    (FILL, "blanks x", [("E027", "blanks", "did you mean `blank`?")]),
    (FILL, "x", [("E027", "x", "begins no line of `fill`")]),
    (FILL, "blank x; to 3 figures, 1 mark per blank", [("E027", "per", "1 mark each")]),
    (FILL, "blank x; carry 2", [("E704", "2", "from 0 to 1")]),
    (FILL, "blank x; carry", [("E027", "carry", "a number is wanted")]),
    (FILL, "blank y", [("E706", "y", "the goal, whose row is 1")]),
    (FILL, "blank dy/dx", [("E706", "dy/dx", "`blank x`")]),
    (FILL, "blank x, x", [("E705", "x", "blank twice")]),
    (FILL, "blank u", [("E101", "u", "not defined")]),
    (FILL, "to 3 figures; to 2 figures", [("E705", "fill", "no blanks"), ("E705", "to 2 figures", "twice")]),
    (CHOOSE, "wrong x", [("E705", "choose", "no answer")]),
    (CHOOSE, "answer 2*x", [("E705", "choose", "one option")]),
    (CHOOSE, "answer 2*x; answer x", [("E705", "answer x", "a second one")]),
    (CHOOSE, "answer none; wrong none; wrong x", [("E705", "wrong none", "a second one")]),
    (CHOOSE, "answer none because layout; wrong x", [("E705", "layout", "an answer has no `because`")]),
    (CHOOSE, "answer none; wrong x; options 5", [("E705", "options 5", "there are 2")]),
    (CHOOSE, "answer 2*x; wrong x becuase layout", [("E027", "becuase", "did you mean `because`?")]),
    (CHOOSE, "answer 2*x; wrong x because layuot", [("E708", "layuot", "did you mean `layout`?")]),
    (CHOOSE, "answer 2*x; wrong x because", [("E027", "because", "a reason is wanted")]),
    (CHOOSE, "answer 2*x because layout; wrong x", [("E705", "layout", "an answer has no `because`")]),
    (CHOOSE, "answer 2*x; wrong auto because layout", [("E705", "layout", "leave it out")]),
    (CHOOSE, 'answer 2*x; wrong "x"', [("E706", '"x"', "not a text")]),
    (CHOOSE, "right 2*x", [("E027", "right", "begins no line of `choose`")]),
    (CHOOSE, "answer 2*x; wrong x; 0 marks", [("E704", "0", "above 0")]),
    (EXAM, "use p", [("E709", "p", "the file has `q`")]),
    (EXAM, "use q, 20 variants", [("E027", "variants", "write `use q, variants 20`")]),
    (EXAM, "use q variants 2", [("E027", "variants", "a comma is missing")]),
    (EXAM, "use q, 2", [("E027", "2", "write `2 marks`")]),
    (EXAM, "use q; minutes twenty", [("E027", "twenty", "a number is wanted after `minutes`")]),
    (EXAM, "use q; minutes 2.5; versions 0; seed 1.5", [("E704", "2.5", "`minutes` is a whole number"), ("E704", "0", "from 1 to 26"), ("E704", "1.5", "at least 0")]),
    (EXAM, "use q; seed -1", [("E027", "-", "has no sign")]),
    (EXAM, "use q; use q", [("E705", "use q", "twice")]),
    (EXAM, "versions 4", [("E705", "exam", "has no quiz")]),
    (EXAM, "use q; time 20; x = 3", [("E027", "time", "begins no line of `exam`"), ("E027", "x", "begins no line of `exam`")]),
    (QUIZ, "vary z in {}\n ask \"?\" { y }", [("E703", "z in {}", "no value")]),
    (QUIZ, "vary z in {1, 1/2}\n ask \"?\" { y }", [("E703", "1/2", "write it out: `0.5`")]),
    (QUIZ, "vary z in {1, 1.0}\n ask \"?\" { y }", [("E703", "1.0", "stands twice")]),
    (QUIZ, "vary z in 1..2 step 0.3\n ask \"?\" { y }", [("E703", "0.3", "`z in 1..1.9 step 0.3`")]),
    (QUIZ, "vary z in 2..1\n ask \"?\" { y }", [("E703", "z in 2..1", "runs backwards")]),
    (QUIZ, "vary z in 1..2 step 0\n ask \"?\" { y }", [("E703", "0", "above 0")]),
    (QUIZ, "vary z in 1..1e9\n ask \"?\" { y }", [("E703", "z in 1..1e9", "more than 10,000")]),
    (QUIZ, "vary z = {1, 2}\n ask \"?\" { y }", [("E027", "=", "write `vary z in {1, 2}`")]),
    (QUIZ, "vary z in [1, 2]\n ask \"?\" { y }", [("E027", "]", "write `{1, 2}`")]),
    (QUIZ, "vary z in {1 2}\n ask \"?\" { y }", [("E002", "2", "write `vary z in {1, 2}`")]),
    (QUIZ, "vary z in {1, 2\n ask \"?\" { y }", [("E003", "{", "add `}`")]),
    (QUIZ, "vary x in {1, 2}\n ask \"?\" { y }", [("E102", "x", "defined twice")]),
    (QUIZ, "require\n ask \"?\" { y }", [("E027", "require", "write `require y > 0, y < 100`")]),
    (QUIZ, "require 1 < y < 3\n ask \"?\" { y }", [("E013", "<", "multiply")]),
    (QUIZ, "require u > 0\n ask \"?\" { y }", [("E101", "u", "not defined")]),
    (QUIZ, "working 4 figures\n ask \"?\" { y }", [("E704", "4 figures", "`working 4 decimals`")]),
    (QUIZ, "working 4\n ask \"?\" { y }", [("E027", "4", "write `4 decimals`")]),
    (QUIZ, "ask { y }", [("E027", "{", "write `ask")]),
    (QUIZ, "fill { blank x }", [("E027", "{", "write `fill backward")]),
    (QUIZ, "fill backwards { blank x }", [("E027", "backwards", "did you mean `backward`?")]),
    (QUIZ, "", [("E705", "q", "asks nothing")]),
    (QUIZ, "claim dy/dx = 2*x\n include \"a.graph\"\n ask \"?\" { y }", [("E701", "claim", "no place"), ("E701", "include", "no place")]),
    (QUIZ, "quiz r { ask \"?\" { y } }", [("E701", "quiz", "no place")]),
    (QUIZ, "ask \"a {y\" { y }", [("E707", "{", "`{{` is a brace")]),
    (QUIZ, "ask \"a y} `\" { y }", [("E707", "}", "`}}` is a brace"), ("E707", "`", "close it")]),
    (QUIZ, "ask \"a {u} `dy/du` {y +} `y = x`\" { y }", [("E023", "+", "an operand"), ("E001", "=", "not an equation")]),
    (QUIZ, "ask \"a {u} `dy/du` {x[1]}\" { y }", [("E101", "u", "not defined"), ("E101", "u", "this half"), ("E203", "x[1]", "")]),
    (QUIZ, "z = u +\n w = sin x\n ask \"?\" { 2 y }", [("E023", "+", ""), ("E002", "x", "sin(x)"), ("E002", "y", "2*y")]),
    (TEXT, "quiz {\n}", [("E027", "{", "write `quiz name")]),
    (TEXT, 'quiz "q" { ask "?" { 3 } }', [("E027", '"q"', "write `quiz name")]),
    (TEXT, 'exam E { use q }', [("E027", "E", "write `exam")]),
    (TEXT, 'exam "E" use q', [("E027", "use", "begins with `{`")]),
    (TEXT, 'quiz q { x = 2; y = x^2; ask "?" {y}', [("E003", "{", "add `}`")]),
    (TEXT, 'quiz q { x = 2; y = x^2; ask "?" {y} } z = 3', [("E001", "z = 3", "begin a new line")]),
    (TEXT, 'quiz q { x = 2; y = x; ask "?" {y} }\nquiz q { x = 2; y = x; ask "?" {y} }', [("E702", "q", "another name")]),
    (TEXT, 'quiz q { input x = 2; y = x; ask "?" {y} }\nexam "E" { use q }\nexam "E" { use q }', [("E702", '"E"', "another title")]),
    (TEXT, 'const M = 3, N = M\nf(v) = v*N\nquiz q { input x = 2; M = x; y = f(x)*M; ask "?" { y } }', [("E711", "q", "`N` of the file reads `M`")]),
    (TEXT, 'f(v) = v*w\nquiz q { input x = 2; y = f(x); ask "?" {y} }\nquiz r { input x = 2; y = f(x); ask "?" {y} }', [("E107", "w", "")]),
    (TEXT, 'quiz q { input x[2] = 1; y = 2*x; ask "?" { y } }', [("E706", "y", "`y[1]` is an element")]),
    (TEXT, 'quiz q { input x = 1; data t = 2; y = t*x; z = x; fill backward { blank t } }', [("E402", "y", "several variables")]),
    (TEXT, 'quiz q { input x = 1; data t = 2; y = t*x; fill backward { blank t }; fill forward { blank x } }', [("E706", "t", "no backward row"), ("E706", "x", "is given")]),
]  # fmt: skip


@pytest.mark.parametrize("frame, text, expected", WRONG, ids=[text for _, text, _ in WRONG])
def test_a_mistake_is_told_with_place_cause_and_remedy(frame, text, expected):
    text = frame.replace("…", text)
    with pytest.raises(GraphError) as e:
        meaning(text)
    found = [(d.code, text[d.at.start : d.at.end].strip() or text[: d.at.start].split()[-1]) for d in e.value.diagnostics]
    assert found == [(code, at) for code, at, _ in expected]
    for d, (_, _, said) in zip(e.value.diagnostics, expected):
        assert said in " | ".join([d.message, d.text, *d.hints])


# ---- beside an ordinary program


def test_run_passes_quizzes_over():
    run = loads(EXAMPLES + "J = x^2\ninput x = 3\n").run()
    assert run["J"] == 9 and run.adjoints["x"] == 6


def test_a_file_of_quizzes_says_how_they_are_shown(tmp_path, capsys):
    file = tmp_path / "q.graph"
    file.write_text(EXAMPLES)
    for command in ("run", "grad", "cost"):
        assert main([command, str(file)]) == 1
        assert f"graphlang quiz show {file} paths" in "".join(capsys.readouterr().err.split("\n")).replace("    ", "")
    assert main(["check", str(file)]) == 0
    assert "5 quizzes read" in capsys.readouterr().out


def test_check_tells_what_is_wrong_with_a_quiz_beside_a_program(tmp_path, capsys):
    file = tmp_path / "q.graph"
    file.write_text('J = x^2\ninput x = 3\nquiz q { input x = 2; y = x^2; ask "?" { u } }\n')
    assert main(["check", str(file)]) == 1
    assert "E101" in capsys.readouterr().err
    assert main(["run", str(file)]) == 0


# ---- the one style


def test_the_examples_are_in_the_one_style():
    assert tidy(EXAMPLES) == EXAMPLES


UNTIDY = '''const N=3
quiz   a   "T{x} = `y`"   {   # first
# comment
vary x in {1,2,
3} , y in -1 .. 1 step 0.5 # values


require y<1,x>0; z=x*y; zz = 3
    ask "x = {x}?" { dz/dx to 2 decimals,2 marks; z within 1 % ; choices 4 } # behind
  fill forward{blank z,zz
  to 3 figures,1 mark each
  # alone
  }
choose "?" {answer 2*x
wrong  x@y   because "a"   # why
wrong auto
 answer   none
 options 3}
 # last
}
exam "E" {use a,variants 20 ,2 marks;minutes 20}
exam "F" {}
'''
TIDY = '''const N = 3
quiz a "T{x} = `y`" {  # first
  # comment
  vary x in {1, 2,
             3}, y in -1..1 step 0.5  # values

  require y < 1, x > 0
  z  = x*y
  zz = 3
  ask "x = {x}?" {
    dz/dx to 2 decimals, 2 marks
    z within 1%
    choices 4
  }  # behind
  fill forward {
    blank z, zz
    to 3 figures, 1 mark each
    # alone
  }
  choose "?" {
    answer 2*x
    wrong  x @ y because "a"  # why
    wrong  auto
    answer none
    options 3
  }
  # last
}
exam "E" {
  use a, variants 20, 2 marks
  minutes 20
}
exam "F" {}
'''


def test_blocks_are_indented_and_comments_kept():
    assert tidy(UNTIDY) == TIDY and tidy(TIDY) == TIDY and same(UNTIDY, TIDY)


def test_a_quiz_with_a_mistake_is_kept_as_it_is_and_the_others_are_not():
    text = 'quiz a {  x=2\n ask "?" { x to 2 } }\nquiz b {  x=2; ask "?" { x } }\n'
    assert tidy(text) == 'quiz a {  x=2\n ask "?" { x to 2 } }\nquiz b {\n  x = 2\n  ask "?" {\n    x\n  }\n}\n'


LINES = ["x = 2", "y=x^2 # c", "vary z in {1,  2}", "vary w in 1..2 step 0.5;q = w", "require y<1", "# alone", "", 'ask "{x}" {', "dy/dx to 2 decimals,1 mark", "choices 4", "}",
         "fill backward {", "blank x , y", "to 3 figures,2 marks each", 'choose "?" { answer 2x', "wrong x  because layout", "wrong auto", "working 3 decimals", "quiz q {", 'exam "e" { use q',
         "minutes 20 }", "dist = dx/dy", "u = (x", "+ 1)", "}", "}"]  # fmt: skip


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.lists(st.sampled_from(LINES), max_size=14), st.booleans())
def test_any_text_is_tidied_once_and_means_the_same(lines, wrapped):
    text = "\n".join(["quiz q {", *lines, "}"] if wrapped else lines)
    after = tidy(text)
    assert tidy(after) == after and same(text, after)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.lists(st.sampled_from(LINES), max_size=14), st.booleans())
def test_any_text_is_read_or_its_mistakes_are_told(lines, wrapped):
    text = "\n".join(["quiz q {", *lines, "}"] if wrapped else lines)
    try:
        meaning(text)
    except GraphError as e:
        assert e.diagnostics and all(d.at is not None and 0 <= d.at.start <= len(text) for d in e.diagnostics)


@pytest.mark.parametrize("text", [EXAMPLES, UNTIDY, 'quiz q { vary z in 2. ..3, x in {−1, -2}; y = x; ask "a\\"b" { y exactly; y + 1 within 0.5, 0.5 marks }; fill forward { blank y; 1 mark } }'])
def test_parse_undoes_format(text):
    tree = parse(Source("", text))
    again = parse(Source("", format_program(tree)))
    assert _equal(tree.statements, again.statements)


# ---- editors


def reading(text):
    return read(Text("q.graph", text, None))


@pytest.mark.parametrize("old, new", [("x in {", "w in {"), ("a = x*z", "w = x*z"), ("use paths", "use two")])
def test_a_rename_touches_its_own_quiz_its_prose_and_nothing_else(old, new):
    name, other = (old.split()[0], new.split()[0]) if "use" not in old else ("paths", "two")
    r = reading(EXAMPLES)
    at = EXAMPLES.index(old) + (4 if "use" in old else 0)
    after = apply(EXAMPLES, rename([r], r.own, at, other)[None])
    first, rest = after.split("\n}\n", 1)
    was, still = EXAMPLES.split("\n}\n", 1)
    if name == "paths":
        assert after == EXAMPLES.replace("quiz paths", "quiz two").replace("use paths", "use two")
    else:
        assert rest == still and first != was
        assert all(o.symbol.name != name for o in reading(after).own.occurrences if o.span.start < len(first) and o.symbol.kind == "variable")


def test_a_name_that_a_quiz_reads_from_the_file_cannot_be_taken_in_it():
    text = 'const M = 3\nquiz q { input x = 2; y = M*x; ask "?" { y } }'
    r = reading(text)
    with pytest.raises(Refused):
        rename([r], r.own, text.index("x = 2"), "M")
    assert apply(text, rename([r], r.own, text.index("M = 3"), "N")[None]) == text.replace("M", "N")


def test_editors_know_quizzes():
    r = reading(EXAMPLES)
    assert [(e.name, e.kind) for e in outline(r.own)] == [*((name, "quiz") for name in FOUND), ("Quiz 3 - Backpropagation", "exam")]
    assert "a = x*z" in hover(r, r.own, EXAMPLES.index("a/b"), None).markdown
    assert "rows and columns" in hover(r, r.own, EXAMPLES.index("because layout") + 9, None).markdown
    assert 'quiz paths "Two paths to x"' in hover(r, r.own, EXAMPLES.index("use paths") + 5, None).markdown


@pytest.mark.parametrize("text, some, none", [
    ("quiz q {\n x = 3\n |", {"vary", "ask", "input"}, {"claim"}), ('quiz q {\n u = 3\n ask "a" {\n |', {"choices", "u"}, {"vary"}),
    ('quiz q {\n y = 3\n choose "a" {\n wrong y because |', {"layout", "no_inner"}, {"y"}), ('quiz q {\n}\nexam "E" {\n use |', {"q"}, {"sin"}),
    ('exam "E" {\n |', {"use", "minutes"}, {"sin"}), ("z = 1\nquiz q { y = 3; ask \"\" { y }\n w = |", {"y"}, {"z", "ask"}),
])
def test_what_fits_in_a_block_is_offered(text, some, none):
    r = reading(text.replace("|", ""))
    labels = {c.label for c in completions(r, r.own, text.index("|"), None)}
    assert some <= labels and not none & labels


def test_an_editor_shows_what_is_wrong_with_quizzes_beside_the_program():
    found = build(Text("q.graph", 'J = x^2 + v\ninput x = 3\nquiz q { input x = 2; y = x^2; ask "?" { u } }\n', None)).findings
    assert [(f.diagnostic.code, f.span.start) for f in found] == [("E101", 10), ("E101", 65)]
    assert build(Text("q.graph", EXAMPLES, None)).findings == ()


def test_hostile_depth_is_no_matter():
    deep = "(" * 3000 + "x" + ")" * 3000
    found, _ = meaning(f'quiz q {{ input x = 1; y = x; ask "{{{deep}}}" {{ {deep} }} }}')
    assert found["q"].parts
    text = "quiz q { " * 2000
    with pytest.raises(GraphError):
        meaning(text)
    assert tidy(text) == text.strip() + "\n"
