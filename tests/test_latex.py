"""Formulas in LaTeX and Typst: golden texts, brackets that keep the meaning, fragments that compile."""

import random
import re
from pathlib import Path

import pytest

import graphlang as gl
from graphlang.cli.main import main
from graphlang.diagnostics import NOWHERE, Source
from graphlang.graph.functions import FUNCTIONS
from graphlang.graph.reductions import REDUCTIONS
from graphlang.show.fragment import fragment
from graphlang.show.latex import LATEX
from graphlang.show.typeset import Typesetter
from graphlang.show.typst import TYPST
from graphlang.syntax import ast
from graphlang.syntax.parser import parse_expression

ROOT = Path(__file__).parent.parent
PROGRAMS = sorted(p for p in (ROOT / "programs").rglob("*.graph") if p.parent.name not in ("symbolic", "quizzes"))  # those have no elements
NOTATIONS = {"latex": LATEX, "typst": TYPST}

LEAVES = """
input x[3], v[3], A[3,3], alpha[2,0..2], beta[0..2], z[0..2], y_hat[3], u1[3], w1[3], w[3], c[3], a, b, s, t, u, ystar, learning_rate, x_max, tau_max
J = s
"""


def typeset(text: str, notation=LATEX) -> str:
    variables = gl.loads(LEAVES).graph.variables
    return Typesetter(notation, variables, variables).formula(parse_expression(Source("<test>", text), variables)[0])


@pytest.mark.parametrize("text, latex, typst", [
    # names: Greek, numbers, stars, hats, words
    ("learning_rate*s", r"\mathit{learning\_rate} s", 'italic("learning_rate") s'),
    ("tau_max + x_max", r"\tau_{\mathit{max}} + \mathit{x\_max}", 'tau_(italic("max")) + italic("x_max")'),  # there is an x
    ("ystar^2", r"\left(y^{*}\right)^2", "(y^*)^2"),
    ("y_hat[i]", r"\hat{y}_i", "hat(y)_i"),
    ("inf", r"\infty", "infinity"),
    ("1e-7*s + 2.5e3", r"10^{-7} s + 2.5 \cdot 10^{3}", "10^(-7) s + 2.5 dot 10^(3)"),
    # elements: commas where letters alone would be ambiguous, brackets where a number is in the name of another variable
    ("z[j]*z[0]", "z_j z_0", "z_j z_0"),
    ("alpha[j,i]", r"\alpha_{ji}", "alpha_(j i)"),
    ("alpha[1,2]", r"\alpha_{1,2}", "alpha_(1,2)"),
    ("alpha[j,i+1]", r"\alpha_{j,i + 1}", "alpha_(j,i + 1)"),
    ("x[c[i]]", "x_{c_i}", "x_(c_i)"),
    ("w1[i]", "w_1[i]", "w_1 lr([i])"),
    # derivatives
    ("dJ/dz[j]", r"\frac{dJ}{dz_j}", "frac(d J, d z_j)"),
    ("dJ/dalpha[j,i]", r"\frac{dJ}{d\alpha_{ji}}", "frac(d J, d alpha_(j i))"),
    ("∂u/∂t", r"\frac{\partial u}{\partial t}", "frac(partial u, partial t)"),
    ("diff(z[j], a)", r"\frac{dz_j}{da}", "frac(d z_j, d a)"),
    ("diff(J, s, t)", r"\frac{d^2 J}{ds dt}", "frac(d^2 J, d s d t)"),
    ("dJ/du^2", r"\left(\frac{dJ}{du}\right)^2", "(frac(d J, d u))^2"),
    ("dJ/du*u*cos(t)", r"\frac{dJ}{du} \cdot u \cos\left(t\right)", "frac(d J, d u) dot u cos(t)"),
    ("dJ/du*exp(-a)/(exp(-a) + 1)^2", r"\frac{dJ}{du} \cdot \frac{\exp\left(-a\right)}{\left(\exp\left(-a\right) + 1\right)^2}",
     "frac(d J, d u) dot frac(exp(-a), (exp(-a) + 1)^2)"),
    # operators
    ("a - (b - s)", r"a - \left(b - s\right)", "a - (b - s)"),
    ("a + (-b)", r"a + \left(-b\right)", "a + (-b)"),
    ("-u^2/2", r"-\frac{u^2}{2}", "-frac(u^2, 2)"),
    ("(a/b)^2", r"\left(\frac{a}{b}\right)^2", "(frac(a, b))^2"),
    ("a/b*s", r"\frac{a}{b} s", "frac(a, b) s"),
    ("a*2*3", r"a \cdot 2 \cdot 3", "a dot 2 dot 3"),
    ("3u + 2(a + b)", r"3 u + 2 \left(a + b\right)", "3 u + 2 (a + b)"),
    ("(a^b)^s", r"\left(a^{b}\right)^{s}", "(a^(b))^(s)"),
    ("(a > b)*s", r"\left(a > b\right) s", "(a > b) s"),
    ("a >= b", r"a \ge b", "a >= b"),
    ("sin(u)^2", r"\sin\left(u\right)^2", "sin(u)^2"),
    ("log(abs(a))", r"\log\left(\left|a\right|\right)", "log(abs(a))"),
    ("hypot(a + b, s)", r"\sqrt{\left(a + b\right)^2 + s^2}", "sqrt((a + b)^2 + s^2)"),
    ("mod(a, 2)*b", r"\left(a \bmod 2\right) b", "(a mod 2) b"),
    ("relu(u)", r"\operatorname{relu}\left(u\right)", 'op("relu")(u)'),
    ("where(a > 0, a, where(b > 0, b, 0))", r"\begin{cases} a & \text{if } a > 0 \\ b & \text{if } b > 0 \\ 0 & \text{otherwise} \end{cases}",
     'cases(a & "if" a > 0, b & "if" b > 0, 0 & "otherwise")'),
    # reductions
    ("sum(beta[j]*z[j] for j in 0..2)", r"\sum_{j = 0}^{2} \beta_j z_j", "sum_(j = 0)^(2) beta_j z_j"),
    ("sum(z[j] for j)", r"\sum_j z_j", "sum_j z_j"),
    ("s*sum(z[j] for j in 0..2)", r"s \sum_{j = 0}^{2} z_j", "s sum_(j = 0)^(2) z_j"),
    ("sum(z[j] for j in 0..2)*s", r"\left(\sum_{j = 0}^{2} z_j\right) s", "(sum_(j = 0)^(2) z_j) s"),
    ("sum(z[j] + s for j in 0..2)", r"\sum_{j = 0}^{2} \left(z_j + s\right)", "sum_(j = 0)^(2) (z_j + s)"),
    ("sum(A[i,j] for i in 1..3, j in i..3)", r"\sum_{i = 1}^{3} \sum_{j = i}^{3} A_{ij}", "sum_(i = 1)^(3) sum_(j = i)^(3) A_(i j)"),
    ("max(z[j] for j in 0..2)", r"\max_{j = 0}^{2} \left(z_j\right)", "max_(j = 0)^(2) (z_j)"),
    ("max(A[i,j] for i in 1..3, j in i..3)", r"\max_{i = 1, \dots, 3; j = i, \dots, 3} \left(A_{ij}\right)", "max_(i = 1, dots, 3; j = i, dots, 3) (A_(i j))"),
    ("softmax(x)[i]", r"\operatorname{softmax}\left(x\right)_{i}", 'op("softmax")(x)_(i)'),
    # a sign that reaches over factors needs brackets where it is one
    ("sum(x)^2", r"\left(\sum x\right)^2", "(sum x)^2"),
    ("sum(x*v) + prod(x)", r"\sum x \odot v + \prod x", "sum x ⊙ v + product x"),
    ("sum(x)*s", r"\left(\sum x\right) s", "(sum x) s"),
    ("s*sum(x + v)", r"s \sum \left(x + v\right)", "s sum (x + v)"),
    ("max(x)^2", r"\max\left(x\right)^2", "max(x)^2"),
    ("norm(x[i] for i in 1..3)^2", r"\left\lVert x \right\rVert^2", "norm(x)^2"),
    ("norm(A[i,j] for i in 1..3, j in 1..3)", r"\left\lVert A \right\rVert", "norm(A)"),
    ("norm(x[i] for i in 1..2)", r"\left\lVert x_i \right\rVert_{i = 1, \dots, 2}", "norm(x_i)_(i = 1, dots, 2)"),
    ("norm(x[i] - v[i] for i in 1..3)", r"\left\lVert x_i - v_i \right\rVert_{i = 1, \dots, 3}", "norm(x_i - v_i)_(i = 1, dots, 3)"),
    ("sqrt(2*pi)*sqrt(a + b)", r"\sqrt{2 \pi} \sqrt{a + b}", "sqrt(2 pi) sqrt(a + b)"),
    # whole tables
    ("x.T @ A @ x", r"x^{\top} A x", "x^top A x"),
    ("2*A.T @ x", r"2 A^{\top} x", "2 A^top x"),
    ("x*v", r"x \odot v", "x ⊙ v"),
    ("s*x", "s x", "s x"),
    ("A @ x*v", r"\left(A x\right) \odot v", "(A x) ⊙ v"),
    ("(x*v) @ x.T", r"\left(x \odot v\right) x^{\top}", "(x ⊙ v) x^top"),
    ("x/v", r"x \oslash v", "x ⊘ v"),
    ("x/s", r"\frac{x}{s}", "frac(x, s)"),
    ("x^2", r"x^{\odot 2}", "x^(⊙ 2)"),
    ("(x.T @ v)^2", r"\left(x^{\top} v\right)^2", "(x^top v)^2"),
    ("inv(A).T @ x", r"A^{-\top} x", "A^(-top) x"),
    ("inv(A @ A)", r"\left(A A\right)^{-1}", "(A A)^(-1)"),
    ("trace(A)", r"\operatorname{tr}\left(A\right)", 'op("tr")(A)'),
    ("norm(x - v)", r"\left\lVert x - v \right\rVert", "norm(x - v)"),
])
def test_a_formula_in_both_notations(text, latex, typst):
    assert typeset(text) == latex
    assert typeset(text, TYPST) == typst


def names_of(d) -> list[str]:
    return [n for n in d.variables if d.graph.variables[n].role != "data"]


# ---- golden fragments

SIMPLE = r"""\begin{align*}
  \frac{dJ}{dJ} &= 1 \\
  \frac{dJ}{du} &= -\sin\left(u\right) \\
  \frac{dJ}{du_1} &= \frac{dJ}{du} \\
  \frac{dJ}{du_2} &= \frac{dJ}{du} \\
  \frac{dJ}{dt} &= \frac{dJ}{du_1} \cdot \cos\left(t\right) + 3 \frac{dJ}{du_2} \\
  \frac{dJ}{dx} &= 2 \frac{dJ}{dt} \cdot x
\end{align*}
"""
LOGISTIC = r"""\begin{align*}
  \frac{dJ}{dJ} &= 1 \\
  \frac{dJ}{dy} &= \frac{y^{*}}{y} - \frac{1 - y^{*}}{1 - y} \\
  \frac{dJ}{da} &= \frac{dJ}{dy} \cdot y \left(1 - y\right) \\
  \frac{dJ}{d\theta_j} &= \frac{dJ}{da} \cdot x_j \\
  \frac{dJ}{dx_j} &= \frac{dJ}{da} \cdot \theta_j
\end{align*}
"""
NETWORK = r"""\begin{align*}
  \frac{dJ}{dJ} &= 1 \\
  \frac{dJ}{dy} &= \frac{y^{*}}{y} - \frac{1 - y^{*}}{1 - y} \\
  \frac{dJ}{db} &= \frac{dJ}{dy} \cdot y \left(1 - y\right) \\
  \frac{dJ}{d\beta_j} &= \frac{dJ}{db} \cdot z_j \\
  \frac{dJ}{dz_j} &= \frac{dJ}{db} \cdot \beta_j \\
  \frac{dJ}{da_j} &= \frac{dJ}{dz_j} \cdot z_j \left(1 - z_j\right) \\
  \frac{dJ}{d\alpha_{ji}} &= \frac{dJ}{da_j} \cdot x_i \\
  \frac{dJ}{dx_i} &= \sum_{j = 1}^{2} \frac{dJ}{da_j} \cdot \alpha_{ji}
\end{align*}
"""
MATRICES = r"""\begin{align*}
  \frac{dJ}{d\alpha_2} &= \left(\frac{dJ}{dz_2} \odot z_2 \odot \left(1 - z_2\right)\right) z_1^{\top} \\
  \frac{dJ}{dz_1} &= \alpha_2^{\top} \left(\frac{dJ}{dz_2} \odot z_2 \odot \left(1 - z_2\right)\right)
\end{align*}
"""
TYPST_MATRICES = """$
  frac(d J, d alpha_2) &= (frac(d J, d z_2) ⊙ z_2 ⊙ (1 - z_2)) z_1^top \\
  frac(d J, d z_1) &= alpha_2^top (frac(d J, d z_2) ⊙ z_2 ⊙ (1 - z_2))
$
"""
SMOOTH = """const N = 5
input x[0..N]
J = sum((x[i] - x[i-1])^2 for i in 1..N)
"""


@pytest.mark.parametrize("file, options, text", [
    ("simple", [], SIMPLE),
    ("simple", ["--form", "matrix"], SIMPLE),
    ("logistic", [], LOGISTIC),
    ("nn1_cross_entropy", [], NETWORK),
    ("nn2_matrix", ["--form", "matrix", "--wrt", "alpha2,z1"], MATRICES),
])
def test_grad_prints_an_environment_to_paste(file, options, text, capsys):
    assert main(["grad", str(ROOT / f"programs/lecture/{file}.graph"), "--latex", *options]) == 0
    assert capsys.readouterr().out == text


def test_grad_prints_a_block_for_typst(capsys):
    assert main(["grad", str(ROOT / "programs/lecture/nn2_matrix.graph"), "--typst", "--form", "matrix", "--wrt", "alpha2,z1"]) == 0
    assert capsys.readouterr().out == TYPST_MATRICES


@pytest.mark.parametrize("file, options, text", [
    ("chain_rule", [], r"\frac{dy}{dx} &= \frac{dy}{du} \frac{du}{dx}"),  # the program ends in the numerator layout
    ("vector_derivatives", ["--goal", "y", "--wrt", "x", "--form", "matrix"], r"\frac{dy}{dx} &= 2 x^{\top} B"),
    ("types", ["--goal", "v", "--wrt", "x", "--jacobian"],
     r"\frac{dv_n}{dx_i} &= \frac{dv_n}{dy} \cdot \left(\sum_{k = 1}^{P} \sum_{j = 1}^{Q} X_{kj}\right) s \quad i = 1, \dots, P, n = 1, \dots, N"),
])
def test_derivatives_with_sizes_left_symbolic(file, options, text, capsys):
    assert main(["grad", str(ROOT / f"programs/symbolic/{file}.graph"), "--latex", *options]) == 0
    assert capsys.readouterr().out.splitlines()[1].strip() == text


def test_a_formula_for_a_part_of_a_range_says_so():
    derivative = gl.loads(SMOOTH).derivative()
    lines = fragment(derivative, LATEX, ["x"]).splitlines()[1:-1]
    assert [line.count(r"\quad i = 1, \dots, 4") for line in lines] == [0, 1, 0]
    assert lines[0].strip() == r"\frac{dJ}{dx_0} &= -2 \left(x_1 - x_0\right) \\"


def test_the_json_of_grad_does_not_depend_on_the_form(capsys):
    path = str(ROOT / "programs/lecture/nn2_matrix.graph")
    main(["grad", path, "--json"])
    index = capsys.readouterr().out
    main(["grad", path, "--json", "--form", "matrix"])
    assert capsys.readouterr().out == index


@pytest.mark.parametrize("formula, options, text", [
    ("erf(x)", ["--latex"], r"\frac{dJ}{dx} &= \frac{2 \exp\left(-x^2\right)}{\sqrt{\pi}}"),
    ("erf(x)", ["--typst"], "frac(d J, d x) &= frac(2 exp(-x^2), sqrt(pi))"),
    ("erf(x)", ["--ascii"], "dJ/dx = 2*exp(-x^2)/sqrt(pi)"),
    ("gelu(x)", [], "dJ/dx = (1 + erf(x/sqrt(2)))/2 + x exp(-(x²/2))/sqrt(2π)"),
    ("x*6.283185307179586", ["--ascii"], "dJ/dx = 2*pi"),
    ("x*3.14159265358979", ["--ascii"], "dJ/dx = 3.14159265358979"),  # another number
])
def test_pi_is_called_by_its_name(formula, options, text, capsys, tmp_path):
    (tmp_path / "pi.graph").write_text(f"J = {formula}\ninput x = 1\n")
    assert main(["grad", str(tmp_path / "pi.graph"), "--wrt", "x", "--plain", *options]) == 0
    assert text in [line.strip() for line in capsys.readouterr().out.splitlines()]


# ---- brackets

@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
@pytest.mark.parametrize("notation", NOTATIONS)
def test_brackets_are_balanced(path, notation):
    program = gl.load(path)
    for matrix in (False, True):
        derivative = program.derivative()
        text = fragment(derivative, NOTATIONS[notation], names_of(derivative), matrix=matrix)
        assert text.count(r"\left") == text.count(r"\right") and text.count(r"\begin") == text.count(r"\end")
        stack = []
        for c in re.sub(r'"[^"]*"|\\[{}]', "", text):
            if c in "([{":
                stack.append(c)
            elif c in ")]}":
                assert stack and stack.pop() + c in ("()", "[]", "{}"), text
        assert not stack


TOKEN = re.compile(r"\s+|(\\left\(|\\right\)|\\[a-z]+|\d+(?:\.\d+)?|[a-z](?:_[a-z0-9])?|[-+=^_{}])")


class Reader:
    """Reads LaTeX as a mathematician does, and evaluates it: a product is juxtaposition or a dot, a sum sign reaches to
    the end of its product."""

    def __init__(self, text: str, values: dict[str, float]):
        self.tokens = [m[1] for m in TOKEN.finditer(text) if m[1]] + [""]
        assert "".join(self.tokens) == re.sub(r"\s+", "", text)
        self.at, self.values = 0, values

    def take(self, *wanted: str) -> str | None:
        token = self.tokens[self.at]
        if wanted and token not in wanted:
            return None
        self.at += 1
        return token

    def sum(self) -> float:
        total = self.signed()
        while sign := self.take("+", "-"):
            total += self.product() if sign == "+" else -self.product()
        return total

    def signed(self) -> float:
        return -self.product() if self.take("-") else self.product()

    def product(self) -> float:
        value = self.power()
        while self.take("\\cdot") or self.tokens[self.at] not in ("", "+", "-", "}", "\\right)", "="):
            value *= self.power()
        return value

    def power(self) -> float:
        base = self.atom()
        return base ** self.group() if self.take("^") else base

    def group(self) -> float:
        if not self.take("{"):
            return self.atom()
        value = self.sum()
        assert self.take("}")
        return value

    def atom(self) -> float:
        token = self.take()
        if token == "\\frac":
            return self.group() / self.group()
        if token == "\\sum":
            assert self.take("_") and self.take("{")
            index = self.take()
            assert self.take("=")
            low = int(self.take())
            assert self.take("}") and self.take("^")
            high, start, total = int(self.group()), self.at, 0.0
            for k in range(low, high + 1):
                self.at = start
                inner = Reader("", {**self.values, index: k, **{f"v_{index}": self.values[f"v_{k}"]}})
                inner.tokens, inner.at = self.tokens, start
                total += inner.product()
                self.at = inner.at
            return total
        if token == "\\left(":
            value = self.sum()
            assert self.take("\\right)")
            return value
        return self.values[token] if token in self.values else float(token)


def random_formula(rng: random.Random, depth: int, index: str = "") -> str:
    if depth == 0:
        return rng.choice(["a", "b", "c", "2", "3", *([f"v[{index}]", index] if index else ["v[1]"])])
    left, right = random_formula(rng, depth - 1, index), random_formula(rng, rng.randrange(depth), index)
    kind = rng.randrange(8)
    if kind == 7 and not index:
        return f"sum({random_formula(rng, depth - 1, 'i')} for i in 1..3)"
    return [f"({left} + {right})", f"({left} - {right})", f"({left} * {right})", f"({left} * {right})", f"({left} / ({right}))",
            f"(-{left})", f"(({left})^2)", f"(({left}) * ({right}))"][kind]


def test_brackets_keep_the_meaning():
    """LaTeX read back by the rules of mathematical writing has the value of the formula."""
    rng = random.Random(7)
    values = {"a": 1.25, "b": 0.5, "c": -0.75, "v_1": 0.3, "v_2": 1.7, "v_3": -2.2}
    made = [random_formula(rng, 4) for _ in range(300)]
    text = "input a = 1.25, b = 0.5, c = -0.75, v[3] = [0.3, 1.7, -2.2]\nJ = a\noutput J\n" + "\n".join(f"r{k} = {f}" for k, f in enumerate(made))
    run = gl.loads(text).run(ieee=True)
    compared = 0
    for k, f in enumerate(made):
        tree = parse_expression(Source("<test>", f), ("a", "b", "c", "v"))[0]
        latex = Typesetter(LATEX, ["a", "b", "c", "v"], run.graph.variables).formula(tree)
        try:
            reader = Reader(latex, values)
            value = reader.sum()
        except (ZeroDivisionError, OverflowError):
            continue
        assert not reader.tokens[reader.at], latex
        if abs(run[f"r{k}"]) < 1e6:  # beyond that a quotient by nearly 0
            compared += 1
            assert value == pytest.approx(run[f"r{k}"], rel=1e-9, abs=1e-9), (f, latex)  # another order of multiplications
    assert compared > 200


def test_depth_costs_no_stack():
    tree = ast.Name("x", NOWHERE)
    for _ in range(5_000):
        tree = ast.Call("sin", (ast.Op("+", (tree, ast.Num(1.0, "1", NOWHERE)), NOWHERE),), (), NOWHERE, NOWHERE)
    for notation in NOTATIONS.values():
        assert Typesetter(notation, ["x"]).formula(tree).count("sin") == 5_000


# ---- the tables of functions

SYNTAX = {"+", "-", "*", "/", "^", "neg", "where", "<", "<=", ">", ">=", "==", "!="}  # spelled by the walk


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("row", [r for r in FUNCTIONS.values() if r.name not in SYNTAX], ids=str)
def test_a_function_is_spelled_with_all_its_operands(row, notation):
    names = ["a", "b", "c"][: row.arity[0]]
    tree = ast.Call(row.name, tuple(ast.Name(n, NOWHERE) for n in names), (), NOWHERE, NOWHERE)
    text = Typesetter(NOTATIONS[notation], names).formula(tree)
    assert all(re.search(rf"(?<![a-z]){n}(?![a-z])", text) for n in names) and "{0}" not in text


def test_fragments_compile_in_typst():
    typst = pytest.importorskip("typst")
    blocks = []
    for path in PROGRAMS:
        if path.parent.name == "training":  # thousands of elements
            continue
        program = gl.load(path)
        for derivative in (program.derivative(), program.derivative(scalar=True)):
            blocks += [fragment(derivative, TYPST, derivative.variables, matrix=matrix) for matrix in (False, True)]
    for row in FUNCTIONS.values():
        if row.name not in SYNTAX:
            tree = ast.Call(row.name, tuple(ast.Op("+", (ast.Name(n, NOWHERE), ast.Name("b", NOWHERE)), NOWHERE) for n in "xyz"[: row.arity[0]]), (), NOWHERE, NOWHERE)
            blocks.append(f"$ {Typesetter(TYPST, 'xyzb').formula(tree)} $")
    blocks += [f"$ {TYPST.reduction(name)} $" for name in REDUCTIONS]
    assert typst.compile("\n".join(blocks).encode(), format="pdf")[:4] == b"%PDF"
