"""Matrix forms of index formulas: the same values as the index form, and the spelling that an author would choose."""

import random
from pathlib import Path

import pytest

import graphlang as gl
from graphlang.graph.matrix_form import matrix_form
from graphlang.show.matrix import matrix_row
from graphlang.syntax.format import SOURCE, format_expr

# Vectors of 3 and of 2 elements, matrices of equal and of different sides, scalars; two indices start at 0.
LEAVES = """
input u[3] = [0.3, -1.2, 0.7], v[3] = [1.1, 0.4, -0.5], w[3] = [0.6, 0.2, 0.9]
input p[0..1] = [0.8, -0.3], q[0..1] = [1.5, 0.25]
input A[3, 3] = [[0.2, -0.4, 1.1], [0.9, 0.5, -0.7], [0.1, 1.3, 0.6]]
input B[3, 3] = [[1.2, 0.3, -0.2], [-0.8, 0.7, 0.4], [0.5, -0.6, 0.15]]
input S[0..1, 3] = [[0.35, -0.9, 0.45], [1.05, 0.55, -0.65]]
input s = 1.3, t = -0.6
"""
SIZES = {3: "1..3", 2: "0..1"}
VECTORS = {3: "uvw", 2: "pq"}
MATRICES = {(3, 3): "AB", (2, 3): "S"}
SAFE = ("sin", "tanh", "exp", "sigmoid", "relu")  # defined everywhere


def form(formula: str, over: str = "", leaves: str = LEAVES, **options):
    """(run, matrix form of `R = formula` as text or None): `over` is the `for` of a table."""
    names = [part.split()[0] for part in over.split(", ")] if over else []
    head = f"R[{','.join(names)}]" if names else "R"
    program = gl.loads(f"{leaves}\n{head} = {formula}{' for ' + over if over else ''}\noutput R")
    (equation,) = program.graph.pieces["R"]
    tree = matrix_form(equation.value, tuple(b.index for b in equation.bindings), program.graph.variables,
                       ranges=program.graph.variables["R"].ranges, **options)
    return program, None if tree is None else format_expr(tree, SOURCE)


class Formulas:
    """Random index formulas. `within`: the indices in reach and the sizes of their ranges."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)
        self.used = 0

    def pick(self, *options):
        return self.random.choice(options)

    def index(self) -> str:
        self.used += 1
        return f"k{self.used}"

    def atom(self, within: dict[str, int]) -> str:
        """A read over some of the indices, a scalar or a number."""
        names = list(within)
        reads = [f"{x}[{i}]" for i in names for x in VECTORS[within[i]]]
        reads += [f"{x}[{i},{j}]" for i in names for j in names for x in MATRICES.get((within[i], within[j]), "")]
        return self.pick(*reads, "s", "t", "2", "0.5") if reads else self.pick("s", "t", "3")

    def factor(self, within: dict[str, int], depth: int) -> str:
        kind = self.random.random()
        if depth <= 0 or kind < 0.5:
            return self.atom(within)
        if kind < 0.65:
            return f"{self.pick(*SAFE)}({self.product(within, depth - 1)})"
        if kind < 0.75:
            return f"({self.product(within, depth - 1)} {self.pick('+', '-')} {self.product(within, depth - 1)})"
        if kind < 0.8:
            return f"({self.atom(within)})^2"
        if kind < 0.85 and within:
            i, j = self.pick(*within), self.pick(*within)
            return f"where({i} == {j}, {self.atom(within)}, 0)" if i != j and within[i] == within[j] else self.atom(within)
        if kind < 0.9:
            k = self.index()
            return f"{self.pick('mean', 'max', 'norm', 'logsumexp')}({self.product({k: 3}, 1)} + u[{k}] for {k} in 1..3)"
        return self.total(within, depth - 1)

    def product(self, within: dict[str, int], depth: int) -> str:
        text = "*".join(self.factor(within, depth) for _ in range(self.pick(1, 2, 2, 3)))
        return f"{text}/({self.atom(within)}^2 + 1)" if self.random.random() < 0.1 else text

    def total(self, within: dict[str, int], depth: int) -> str:
        new = {self.index(): self.pick(2, 3, 3) for _ in range(self.pick(1, 1, 2, 3))}
        binders = ", ".join(f"{k} in {SIZES[n]}" for k, n in new.items())
        factors = [self.factor({**within, **new}, depth) for _ in range(self.pick(1, 2, 3, 4))]
        return f"sum({'*'.join(factors)} for {binders})"

    def formula(self) -> tuple[str, str]:
        free = {name: self.pick(2, 3, 3) for name in self.pick((), ("i",), ("i", "j"), ("i", "j"))}
        terms = [self.pick(self.product, self.total, self.total)(free, 2) for _ in range(self.pick(1, 2))]
        return self.pick(" + ", " - ").join(terms), ", ".join(f"{i} in {SIZES[n]}" for i, n in free.items())


def flat(value) -> list[float]:
    return [x for row in value for x in flat(row)] if isinstance(value, list) else [value]


def heads(k: int, over: str) -> str:
    return f"R{k}[{','.join(part.split()[0] for part in over.split(', '))}]" if over else f"R{k}"


@pytest.mark.parametrize("seed", range(8))
def test_a_matrix_form_has_the_ranges_and_values_of_the_index_form(seed):
    made = [Formulas(100 * seed + k).formula() for k in range(40)]
    text = LEAVES + "\nZ = s\noutput Z\n" + "\n".join(
        f"{heads(k, over)} = {body}{' for ' + over if over else ''}" for k, (body, over) in enumerate(made))
    graph = gl.loads(text).graph
    forms = {}
    for k in range(len(made)):
        (equation,) = graph.pieces[f"R{k}"]
        tree = matrix_form(equation.value, tuple(b.index for b in equation.bindings), graph.variables, ranges=graph.variables[f"R{k}"].ranges)
        if tree is not None:
            forms[k] = format_expr(tree, SOURCE)
    run = gl.loads(text + "".join(f"\nM{k} = {matrix}" for k, matrix in forms.items())).run()
    for k, matrix in forms.items():
        assert run.graph.variables[f"M{k}"].ranges == run.graph.variables[f"R{k}"].ranges, (made[k], matrix)
        # the terms are added in another order: at most some hundred, which may cancel to a thousandth
        assert flat(run[f"M{k}"]) == pytest.approx(flat(run[f"R{k}"]), rel=1e-10, abs=1e-11), (made[k], matrix)
    assert len(forms) >= 10  # of 40: the others lack an index of the result, sum along one side of a matrix, …


SQUARE = "i in 1..3, j in 1..3"
SPELLED = [  # formula, its indices, matrix form
    ("sum(u[j]*A[j,i] for j in 1..3)", "i in 1..3", "A.T @ u"),
    ("sum(u[i]*S[k,i] for i in 1..3)", "k in 0..1", "S @ u"),
    ("u[j]*v[i]", "j in 1..3, i in 1..3", "u @ v.T"),
    ("u[j]*v[i]", "i in 1..3, j in 1..3", "v @ u.T"),
    ("u[j]*v[j]", "j in 1..3", "u*v"),
    ("sum(A[i,j]*B[i,j] for i in 1..3, j in 1..3)", "", "trace(A.T @ B)"),
    ("sum(A[i,j]*B[j,i] for i in 1..3, j in 1..3)", "", "trace(A @ B)"),
    ("sum(A[i,j]*B[j,k]*A[k,i] for i in 1..3, j in 1..3, k in 1..3)", "", "trace(A @ A @ B)"),
    ("sum(A[i,i] for i in 1..3)", "", "trace(A)"),
    ("sum(v[i]*u[i] for i in 1..3)", "", "u.T @ v"),
    ("sum(u[i]*A[i,j]*v[j] for i in 1..3, j in 1..3)/2", "", "u.T @ A @ v/2"),
    ("sum(A[i,k]*u[k] for k in 1..3) + sum(u[k]*A[k,i] for k in 1..3)", "i in 1..3", "(A + A.T) @ u"),
    ("sum(A[i,k]*u[k] + u[k]*A[k,i] for k in 1..3)", "i in 1..3", "(A + A.T) @ u"),
    ("sum(A[i,k]*u[k] for k in 1..3) + sum(A[i,k]*u[k] for k in 1..3)", "i in 1..3", "2*A @ u"),
    ("u[i]*1 + 1*u[i]", "i in 1..3", "2*u"),
    ("2*u[i]*3", "i in 1..3", "6*u"),
    ("-2*s*u[i]", "i in 1..3", "-2*s*u"),
    ("-(u[i] + v[i])", "i in 1..3", "-(u + v)"),
    ("u[i]/(s*v[i])*3", "i in 1..3", "3*u/(s*v)"),
    ("where(i == j, v[i], 0)", SQUARE, "diag(v)"),
    ("A[i,i]", "i in 1..3", "diag(A)"),
    ("A[j,i]", SQUARE, "A.T"),
    ("A[i,j] + A[j,i]", SQUARE, "A + A.T"),
    ("(A[i,j] - B[j,i])^2", SQUARE, "(A - B.T)^2"),
    ("A[i,j]/B[j,i]", SQUARE, "A/B.T"),
    ("S[k,i]*u[i]", "k in 0..1, i in 1..3", "S @ diag(u)"),
    ("sum(S[k,i]*S[k,j] for k in 0..1)", SQUARE, "S.T @ S"),
    ("sum(A[i,k]*sum(B[k,l]*u[l] for l in 1..3) for k in 1..3)", "i in 1..3", "A @ B @ u"),
    ("sum((sum(A[i,k]*u[k] for k in 1..3) - v[i])*A[i,j] for i in 1..3)", "j in 1..3", "A.T @ (A @ u - v)"),
    ("u[i]*sum(u[k]*v[k] for k in 1..3)", "i in 1..3", "u*(u.T @ v)"),
    ("exp(u[j]) - s", "j in 1..3", "exp(u) - s"),
    ("max(u[i], v[i])", "i in 1..3", "max(u, v)"),
    ("u[1]*v[i]", "i in 1..3", "u[1]*v"),
    ("u[i]*norm(v)", "i in 1..3", "norm(v)*u"),
    ("mean(u[i] for i in 1..3)", "", "mean(u)"),
    ("sum(A[i,j]^2 for i in 1..3, j in 1..3)", "", "sum(A^2)"),
    ("softmax(u)[i]", "i in 1..3", "softmax(u)"),
    ("(u[i] == max(u))/sum(u[k] == max(u) for k in 1..3)", "i in 1..3", "(u == max(u))/sum(u == max(u))"),
    ("sum(u[i]*softmax(v)[i]*((i == j) - softmax(v)[j]) for i in 1..3)", "j in 1..3", "u*softmax(v) - softmax(v)*(u.T @ softmax(v))"),
]


@pytest.mark.parametrize("formula, over, matrix", SPELLED)
def test_a_formula_is_spelled_as_an_author_would(formula, over, matrix):
    assert form(formula, over)[1] == matrix


WITHOUT = {
    "a table that is the same along an index": ("u[i]", "j in 1..3, i in 1..3"),
    "a constant table": ("s*t", "i in 1..3"),
    "a multiple of the unit matrix": ("where(i == j, s, 0)", SQUARE),
    "sums of the rows of a matrix": ("sum(A[i,k] for k in 1..3)", "i in 1..3"),
    "a shifted read": ("u[i+1]", "i in 1..2"),
    "a part of a range": ("u[i]", "i in 1..2"),
    "a sum over a part of a range": ("sum(u[k]*v[k] for k in 1..2)", ""),
    "a ragged sum": ("sum(A[i,k]*u[k] for i in 1..3, k in 1..i)", ""),
    "an index as a number": ("0.1*i*u[i]", "i in 1..3"),
    "a guard": ("where(i < 3, u[i], 0)", "i in 1..3"),
    "one row of a matrix": ("A[2,i]", "i in 1..3"),
    "three indices": ("u[i]*v[j]*w[k]", "i in 1..3, j in 1..3, k in 1..3"),
    "a contraction of three": ("sum(u[i]*A[i,j]*A[i,k]*B[i,l]*sin(A[j,k]*B[k,l]) for i in 1..3, j in 1..3, k in 1..3, l in 1..3)", ""),
}


@pytest.mark.parametrize("formula, over", WITHOUT.values(), ids=WITHOUT)
def test_what_has_no_matrix_form_has_none(formula, over):
    assert form(formula, over)[1] is None


@pytest.mark.parametrize("formula, over, matrix", [
    ("sum(A[i,k]*u[k] for k in 1..3) + sum(u[k]*A[k,i] for k in 1..3)", "i in 1..3", "2*A @ u"),
    ("sum(u[j]*A[j,i] for j in 1..3)", "i in 1..3", "A @ u"),
    ("A[i,j] + A[j,i]", SQUARE, "2*A"),
    ("exp(A[j,i])", SQUARE, "exp(A)"),
])
def test_a_symmetric_matrix_needs_no_transpose(formula, over, matrix):
    assert form(formula, over, symmetric={"A"})[1] == matrix


def test_a_row_vector_is_transposed_where_a_column_is_wanted():
    leaves = LEAVES + "\nr = u.T"
    assert form("sum(r[k]*A[k,i] for k in 1..3)", "i in 1..3", leaves)[1] == "A.T @ r.T"
    assert form("sum(r[k]*A[k,i] for k in 1..3)", "i in 1..3", leaves, row=True)[1] == "r @ A"
    assert form("sum(r[k]*v[k] for k in 1..3)", "", leaves)[1] == "r @ v"
    assert form("r[i]*v[i]", "i in 1..3", leaves)[1] == "r.T*v"


# ---- adjoints as matrix formulas

POINT = """
input x[3] = [0.3, -1.2, 0.7], a[3] = [1, 2, 0.5], b[3] = [1, -1, 2]
input X[3,3] = [[1.5, 0.2, -0.3], [0.1, -0.9, 0.4], [0.25, 0.35, 1.05]]
input A[3,3] = [[0.2, -0.4, 1.1], [0.9, 0.5, -0.7], [0.1, 1.3, 0.6]], B[3,3] = [[1.2, 0.3, -0.2], [-0.8, 0.7, 0.4], [0.5, -0.6, 0.15]]
"""
COOKBOOK = [  # J, the variable, dJ/d of it. Petersen and Pedersen, The Matrix Cookbook (2012), chapter 2; lecture slide S26
    ("b.T @ x", "x", "b"),
    ("x.T @ b", "x", "b"),
    ("x.T @ x", "x", "2*x"),
    ("x.T @ B @ x", "x", "(B + B.T) @ x"),
    ("a.T @ X @ b", "X", "a @ b.T"),
    ("a.T @ X.T @ b", "X", "b @ a.T"),
    ("b.T @ X.T @ X @ a", "X", "X @ b @ a.T + X @ a @ b.T"),
    ("(A @ x - b).T @ (A @ x - b)", "x", "2*A.T @ (A @ x - b)"),
    ("(x - A @ b).T @ B @ (x - A @ b)", "x", "(B + B.T) @ (x - A @ b)"),
    ("trace(X @ A)", "X", "A.T"),
    ("trace(X.T @ A)", "X", "A"),
    ("trace(A @ X @ B)", "X", "A.T @ B.T"),
    ("trace(X @ X)", "X", "2*X.T"),
    ("trace(X.T @ B @ X)", "X", "(B + B.T) @ X"),
    ("trace(A @ X @ B @ X)", "X", "B.T @ X.T @ A.T + A.T @ X.T @ B.T"),
    ("norm(x - a)", "x", "(x - a)/J"),
    ("sum(X*X)", "X", "2*X"),
    ("det(X)", "X", "J*inv(X).T"),
    ("slogdet(X)", "X", "inv(X).T"),
    ("a.T @ inv(X) @ b", "X", "-inv(X).T @ a @ b.T @ inv(X).T"),
    ("trace(A @ inv(X) @ B)", "X", "-inv(X).T @ A.T @ B.T @ inv(X).T"),
    ("a.T @ solve(X, b)", "b", "inv(X).T @ a"),
    ("a.T @ solve(X, b)", "X", "-inv(X).T @ a @ solve(X, b).T"),
    ("logsumexp(x)", "x", "exp(x - J)"),
    ("sum(exp(X @ x))", "x", "X.T @ exp(X @ x)"),
]


@pytest.mark.parametrize("goal, name, matrix", COOKBOOK)
def test_a_published_matrix_derivative_is_found(goal, name, matrix):
    program = gl.loads(f"{POINT}J = {goal}\nminimize J")
    assert format_expr(matrix_row(program.derivative(), name), SOURCE) == matrix
    run = program.run()
    assert flat(run.evaluate(matrix)) == pytest.approx(flat(run.adjoints[name]), rel=1e-12, abs=1e-14)  # a few rounding errors of numbers near 1


def test_a_symmetric_matrix_of_a_program():
    derivative = gl.loads("input x[2] = [1, 2], B[2,2] symmetric = [[2, 1], [1, 3]]\nJ = x.T @ B @ x\nminimize J").derivative()
    assert format_expr(matrix_row(derivative, "x"), SOURCE) == "2*B @ x"  # lecture, slide S26


def test_a_symbolic_size_is_a_factor_of_its_own():
    derivative = gl.loads("dim P, Q\ninput x[P], A[Q,P], y[Q]\nr = A @ x - y\nJ = mean(r*r)\nminimize J").derivative()
    found = {n: format_expr(matrix_row(derivative, n), SOURCE) for n in ("r", "A", "x", "y")}
    assert found == {"r": "2*r/Q", "A": "dJ/dr @ x.T", "x": "A.T @ dJ/dr", "y": "-dJ/dr"}


LAYOUT = """
input x[1..2], W[0..2, 1..2], c[0..2]
u = W @ x
J = sum(sin(u)*c)
minimize J
layout {}
"""


@pytest.mark.parametrize("layout, forms", [
    ("denominator", {"u": "c*cos(u)", "x": "W.T @ dJ/du", "W": "dJ/du @ x.T", "c": "sin(u)"}),
    ("numerator", {"u": "(c*cos(u)).T", "x": "dJ/du @ W", "W": "x @ dJ/du", "c": "sin(u).T"}),  # du/dx on the right
])
def test_matrix_formulas_follow_the_layout(layout, forms):
    derivative = gl.loads(LAYOUT.format(layout)).derivative()
    assert {n: format_expr(matrix_row(derivative, n), SOURCE) for n in forms} == forms


PROGRAMS = sorted(p for p in (Path(__file__).parent.parent / "programs").rglob("*.graph") if p.parent.name not in ("symbolic", "quizzes"))  # those have no values


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_matrix_formulas_of_a_program_have_the_values_of_its_adjoints(path):
    run = gl.load(path).run()
    for name in run.passes[0].derivative.variables:
        tree = matrix_row(run.passes[0].derivative, name)
        if tree is not None:
            got, want = flat(run.evaluate(format_expr(tree, SOURCE))), flat(run.adjoints[name])
            assert got == pytest.approx(want, rel=1e-9, abs=1e-12), name  # the shown derivatives, as everywhere


@pytest.mark.parametrize("layout, matrix", [("denominator", "v + dv/dw @ dJ/dv"), ("numerator", "v.T + dJ/dv @ dv/dw")])
def test_the_derivative_of_an_opaque_function_is_a_matrix(layout, matrix):
    text = f"input w[3]\nopaque g(u)[3]\nv = g(w)\nJ = sum(v*w)\nminimize J\nlayout {layout}"
    assert format_expr(matrix_row(gl.loads(text).derivative(), "w"), SOURCE) == matrix


def test_the_lecture_network_in_matrix_form():
    derivative = gl.load(Path(__file__).parent.parent / "programs/lecture/nn2_index.graph").derivative()
    found = {n: format_expr(matrix_row(derivative, n), SOURCE) for n in ("alpha", "beta", "gamma", "x", "z", "q")}
    assert found == {"alpha": "dJ/da @ x.T", "beta": "dJ/dq @ z.T", "gamma": "dJ/dv*r", "x": "alpha.T @ dJ/da", "z": "beta.T @ dJ/dq",
                     "q": "dJ/dr*r*(1 - r)"}
