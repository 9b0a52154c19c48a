"""det, slogdet, inv and solve: exact values, rules, and what is said where there is none.

Where a test wants equality of floats, the right number is worked out in fractions and rounded once, as the functions are.
"""

import json
import math
import random
from fractions import Fraction
from itertools import permutations

import pytest

import graphlang as gl
from graphlang.diagnostics import GraphError
from graphlang.graph import linear, linear_balls
from test_second_derivatives import adjoint_run


# ---- the same in fractions, by definition


def fractions(rows):
    return [[Fraction(v) for v in row] for row in rows]


def det(rows):
    """By Leibniz' formula."""
    total = Fraction(0)
    for p in permutations(range(len(rows))):
        sign = (-1) ** sum(p[i] > p[j] for j in range(len(p)) for i in range(j))
        total += sign * math.prod((rows[i][k] for i, k in enumerate(p)), start=Fraction(1))
    return total


def minor(rows, out, column):
    return [[v for k, v in enumerate(row) if k != column] for i, row in enumerate(rows) if i != out]


def cofactors(rows):
    n = range(len(rows))
    return [[(-1) ** (i + j) * det(minor(rows, i, j)) for j in n] for i in n]


def inverse(rows):
    d, c = det(rows), cofactors(rows)
    return [[c[j][i] / d for j in range(len(rows))] for i in range(len(rows))]


def product(a, b):
    return [[sum((x * y for x, y in zip(row, column)), Fraction(0)) for column in zip(*b)] for row in a]


def nearest(rows):
    return [[float(v) for v in row] for row in rows]


def flat(value):
    return [v for row in value for v in flat(row)] if isinstance(value, (list, tuple)) else [value]


def matrices(seed, count, largest=4):
    """Random matrices: of reals, of small integers (often singular), of low rank, of elements that differ by many powers of 2."""
    draw = random.Random(seed)
    for k in range(count):
        n = draw.randint(1, largest)
        if k % 4 == 0:
            rows = [[draw.gauss(0, 1) for _ in range(n)] for _ in range(n)]
        elif k % 4 == 1:
            rows = [[float(draw.randint(-2, 2)) for _ in range(n)] for _ in range(n)]
        elif k % 4 == 2:
            rank = draw.randint(0, n)
            left, right = ([[draw.randint(-3, 3) for _ in range(w)] for _ in range(h)] for h, w in ((n, rank), (rank, n)))
            rows = nearest(product(left, right)) if rank else [[0.0] * n for _ in range(n)]
        else:
            rows = [[math.ldexp(draw.gauss(0, 1), draw.randint(-150, 150)) for _ in range(n)] for _ in range(n)]
        yield rows


MATRICES = list(matrices(1, 80))
REGULAR = [m for m in MATRICES if det(fractions(m))]
SINGULAR = [m for m in MATRICES if not det(fractions(m))]
HILBERT = [[float(math.lcm(*range(1, 16)) // (i + j + 1)) for j in range(8)] for i in range(8)]  # times 360360: whole numbers


def hilbert_inverse(n, scale):
    """The elements of the inverse are whole (Choi, "Tricks or Treats with the Hilbert Matrix", 1983)."""
    c = math.comb
    return [[(-1) ** (i + j) * (i + j + 1) * c(n + i, n - j - 1) * c(n + j, n - i - 1) * c(i + j, i) ** 2 / scale for j in range(n)] for i in range(n)]


# ---- values


def test_there_are_many_matrices_of_both_kinds():
    assert len(REGULAR) > 40 and len(SINGULAR) > 15


def test_a_determinant_is_the_nearest_float():
    assert [linear.determinant(flat(m)) for m in MATRICES] == [float(det(fractions(m))) for m in MATRICES]


def test_cofactors_are_the_nearest_floats_of_singular_matrices_too():
    for m in MATRICES:
        assert linear.cofactors(flat(m)) == flat(nearest(cofactors(fractions(m))))


def test_an_inverse_is_the_nearest_floats():
    for m in REGULAR:
        assert linear.inverse(flat(m)) == flat(nearest(inverse(fractions(m))))


def test_a_solution_is_the_nearest_floats():
    draw = random.Random(2)
    for m in REGULAR:
        b = [[math.ldexp(draw.gauss(0, 1), draw.randint(-50, 50))] for _ in m]
        assert linear.solution(flat(m) + flat(b)) == flat(nearest(product(inverse(fractions(m)), fractions(b))))


def test_singular_matrices_are_told_exactly():
    for m in SINGULAR:
        n = len(m)
        assert linear.determinant(flat(m)) == 0.0 and linear.log_determinant(flat(m)) == -math.inf
        assert all(map(math.isnan, linear.inverse(flat(m)) + linear.solution(flat(m) + [1.0] * n)))
        assert linear.rank(flat(m)) < n
    assert all(linear.rank(flat(m)) == len(m) for m in REGULAR)


def test_fixed_point_gives_the_same_digits(monkeypatch):
    """What is done with many rows, tried with few. Its elements are certain relative to their row; so not where they differ widely."""
    monkeypatch.setattr(linear, "EXACT", 0)
    monkeypatch.setattr(linear, "EXACT_DETERMINANT", 0)
    linear.invert.cache_clear()
    used = []
    fixed = linear.fixed
    monkeypatch.setattr(linear, "fixed", lambda m: used.append(fixed(m)) or used[-1])
    for k, m in enumerate(MATRICES):
        if k % 4 == 3:
            continue
        rows = fractions(m)
        assert linear.determinant(flat(m)) == float(det(rows))
        assert linear.cofactors(flat(m)) == flat(nearest(cofactors(rows)))
        if det(rows):
            assert used[-1] is not None
            assert linear.inverse(flat(m)) == flat(nearest(inverse(rows)))
            assert linear.solution(flat(m) + [1.0] * len(m)) == [float(sum(row)) for row in inverse(rows)]
    linear.invert.cache_clear()


def test_an_inverse_of_many_rows():
    """min(i, j) has a tridiagonal inverse of whole numbers, with zeros that come about by cancellation, and determinant 1."""
    n = 45
    found = linear.inverse([float(min(i, j) + 1) for i in range(n) for j in range(n)])
    wanted = [2.0 if i == j else -1.0 if abs(i - j) == 1 else 0.0 for i in range(n) for j in range(n)]
    wanted[-1] = 1.0
    assert found == wanted and linear.determinant(wanted) == 1.0
    singular = [float(i + n * j) for i in range(n) for j in range(n)]  # of rank 2
    assert linear.determinant(singular) == 0.0 and linear.rank(singular) == 2 and math.isnan(linear.inverse(singular)[0])


def test_the_hilbert_matrix():
    scale = math.lcm(*range(1, 16))
    assert linear.inverse(flat(HILBERT)) == flat(hilbert_inverse(8, scale))
    # det H_8 = 1/365356847125734485878112256000000 (OEIS A005249)
    assert linear.determinant(flat(HILBERT)) == float(Fraction(scale**8, 365356847125734485878112256000000))


@pytest.mark.parametrize("m, wanted", [
    ([[1e200, 0], [0, 1e200]], 400 * math.log(10)), ([[1e-200, 3], [0, 1e-200]], -400 * math.log(10)), ([[-0.75]], math.log(0.75)),
    ([[1.25]], math.log(1.25)), ([[1 + 2**-40, 0], [5, -1]], math.log1p(2**-40)), ([[1 - 2**-40]], math.log1p(-(2**-40))), ([[1]], 0.0), ([[2]], math.log(2)),
])
def test_the_logarithm_of_a_determinant(m, wanted):
    # log 10^200 is that of the float64 next to 10^200: 1 unit
    assert linear.log_determinant([float(v) for v in flat(m)]) == pytest.approx(wanted, rel=2.3e-16)


def test_what_is_not_finite_makes_everything_nan():
    for bad in (math.nan, math.inf, -math.inf):
        m = [bad, 1.0, 0.0, 2.0]
        assert math.isnan(linear.determinant(m)) and math.isnan(linear.log_determinant(m))
        assert all(map(math.isnan, linear.inverse(m) + linear.cofactors(m) + linear.solution([*m, 1.0, 1.0]) + linear.solution([1.0, 0.0, 0.0, 1.0, bad, 1.0])))


def test_a_zero_has_no_sign():
    for found in (linear.inverse([-1.0, 0.0, 0.0, 2.0]), linear.cofactors([0.0, -1.0, 0.0, 0.0]), linear.solution([-1.0, 0.0]), [linear.determinant([-0.0])]):
        assert "-0.0" not in map(str, found)


def test_no_rows():
    assert linear.determinant([]) == 1.0 and linear.log_determinant([]) == 0.0
    assert linear.inverse([]) == linear.solution([]) == linear.cofactors([]) == []


def test_too_large_for_a_float():
    assert linear.determinant([1e200, 0.0, 0.0, -1e200]) == -math.inf and linear.inverse([1e-310]) == [math.inf]


@pytest.mark.parametrize("ball, of", [("determinant", det), ("cofactors", cofactors), ("inverse", inverse)])
def test_balls_hold_the_exact_value(ball, of):
    arb = pytest.importorskip("flint").arb
    fmpq = pytest.importorskip("flint").fmpq
    for m in REGULAR:
        found, wanted = getattr(linear_balls, ball)([arb(v) for v in flat(m)]), of(fractions(m))
        for x, w in zip(found if isinstance(found, list) else [found], flat(wanted) if isinstance(wanted, list) else [wanted], strict=True):
            assert x.overlaps(arb(fmpq(w.numerator, w.denominator)))


# ---- programs


def run(expression, *lines, **given):
    return gl.loads("\n".join([*lines, f"J = {expression}", "output J"])).run(**given)


def literal(rows):
    return "[" + ", ".join("[" + ", ".join(map(repr, row)) + "]" for row in rows) + "]"


GENERIC = [m for m in MATRICES[::4] if len(m) > 1][:8]
A3 = "input A = [[2, 1, 0.5], [0.3, -1, 2], [1, 1, 4]]"


@pytest.mark.parametrize("m", GENERIC, ids=lambda m: f"{len(m)}x{len(m)}")
def test_identities(m):
    n = len(m)
    lines = [f"input A = {literal(m)}, B[{n},{n}] = uniform(-1, 1), b[{n}] = uniform(-1, 1)", "set seed = 3"]
    r = run("det(A)", *lines)
    size = max(map(abs, flat(r.evaluate("inv(A)")))) * max(map(abs, flat(m)))
    near = lambda x: pytest.approx(x, abs=4 * n * size * 2**-53)  # noqa: E731  (products of rounded numbers, n of them added)
    assert flat(r.evaluate("A @ inv(A)")) == near(flat([[float(i == j) for j in range(n)] for i in range(n)]))
    assert r.evaluate("A @ solve(A, b)") == near(r["b"])
    assert r.evaluate("det(A @ B)") == pytest.approx(r.evaluate("det(A)*det(B)"), rel=1e-11)  # A @ B is rounded, and its condition is 1e4 at most
    assert r.evaluate("det(A.T)") == r["J"]
    assert r.evaluate("inv(A.T)") == r.evaluate("inv(A).T")
    assert flat(r.evaluate("solve(A, A)")) == flat([[float(i == j) for j in range(n)] for i in range(n)])
    assert r.evaluate("slogdet(A)") == pytest.approx(math.log(abs(r["J"])), rel=1e-14)


@pytest.mark.parametrize("m", GENERIC, ids=lambda m: f"{len(m)}x{len(m)}")
def test_the_gradient_of_a_determinant(m):
    r = run("det(A)", f"input A = {literal(m)}")
    assert r.adjoints["A"] == nearest(cofactors(fractions(m)))
    assert flat(r.adjoints["A"]) == pytest.approx(flat(r.evaluate("J * inv(A).T")), rel=1e-15)  # Cookbook (49): two roundings
    assert flat(run("slogdet(A)", f"input A = {literal(m)}").adjoints["A"]) == flat(r.evaluate("inv(A).T"))  # Cookbook (57)


@pytest.mark.parametrize("m, cofactor", [
    ([[1, 2], [2, 4]], [[4, -2], [-2, 1]]), ([[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[-3, 6, -3], [6, -12, 6], [-3, 6, -3]]),
    ([[0, 0], [0, 0]], [[0, 0], [0, 0]]), ([[1, 2, 3], [2, 4, 6], [3, 6, 9]], [[0] * 3] * 3),
])
def test_the_gradient_at_a_singular_matrix_is_the_matrix_of_cofactors(m, cofactor):
    r = run("det(A)", f"input A = {literal(m)}")
    assert r["J"] == 0.0 and r.adjoints["A"] == cofactor
    assert r.notes == (f"dJ/dA: the form shown has no value here; computed in another way it is {cofactor[0][0]:g}",)


def bumped(m, k, step):
    rows = [list(row) for row in m]
    rows[k // len(m)][k % len(m)] += step
    return rows


@pytest.mark.parametrize("m", [[[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[2, 1, 1], [0, 3, -1], [1, 1, 2]], [[1, 2, 3], [2, 4, 6], [3, 6, 9]], [[0, 1], [2, 5]]])
def test_second_derivatives_of_a_determinant_are_differences_of_cofactors(m):
    """The cofactors are linear in each element, so the differences are exact."""
    n = len(m)
    first = run("det(A)", f"input A = {literal(m)}")
    for k in range(n * n):
        found = adjoint_run(first, "A", (k // n + 1, k % n + 1)).adjoints["A"]
        ahead, behind = (cofactors(fractions(bumped(m, k, step))) for step in (1, 0))
        assert found == [[float(a - b) for a, b in zip(x, y)] for x, y in zip(ahead, behind)]


SECOND = {"inv": "sum(W*inv(A))", "slogdet": "slogdet(A)", "solve": "sum(w*solve(A, v))"}


@pytest.mark.parametrize("expression", SECOND.values(), ids=SECOND)
def test_second_derivatives_are_differences_of_gradients_in_fractions(expression):
    m, w = [[2, 1, 0.5], [0.25, -1, 2], [1, 1, 4]], [[1, 2, 3], [4, 5, 6], [7, 8, 10]]
    lines = [f"data W = {literal(w)}, w = [1, 2, 3], v = [3, -1, 2]"]

    def gradient(rows):
        x = inverse(rows)
        if expression == "slogdet(A)":
            return [list(row) for row in zip(*x)]
        inner = fractions(w) if "W" in expression else product([[1], [2], [3]], [[3, -1, 2]])  # w' inv(A) v = sum of w v' times inv(A)
        xt = [list(row) for row in zip(*x)]
        return [[-v for v in row] for row in product(product(xt, inner), xt)]

    first = run(expression, f"input A = {literal(m)}", *lines)
    assert flat(first.adjoints["A"]) == pytest.approx([float(v) for v in flat(gradient(fractions(m)))], rel=1e-14)
    step = Fraction(1, 10**9)
    for k in (0, 4, 5):
        ahead, behind = (gradient(bumped(fractions(m), k, s)) for s in (step, -step))
        wanted = [float((a - b) / (2 * step)) for a, b in zip(flat(ahead), flat(behind))]  # off by step² times a third derivative, 1e-16
        assert flat(adjoint_run(first, "A", (k // 3 + 1, k % 3 + 1)).adjoints["A"]) == pytest.approx(wanted, rel=1e-12, abs=1e-13)


FORMULAS = {
    "determinant": ("det(A)", "A", "J*inv(A)[j,i]"),
    "logarithm": ("slogdet(A)", "A", "inv(A)[j,i]"),
    "element of an inverse": ("inv(A)[2,1]", "A", "-(inv(A)[2,i]*inv(A)[j,1])"),
    "sum of an inverse": ("sum(inv(A))", "A", "-(sum(inv(A)[l,j] for j in 1..3)*sum(inv(A)[i,k] for i in 1..3))"),
    "solution by b": ("sum(solve(A, b))", "b", "sum(inv(A)[i,k] for i in 1..3)"),
    "solution by A": ("solve(A, b)[2]", "A", "-(inv(A)[2,i]*solve(A, b)[j])"),
    "column of a solution": ("solve(A, C)[2,1]", "A", "-(inv(A)[2,i]*solve(A, C)[j,1])"),
    "transposed": ("det(A.T)", "A", "J*inv(A.T)[j,i]"),
    "of an expression": ("det(t*A)", "A", "J*inv(t*A[k,l] for k in 1..3, l in 1..3)[j,i]*t"),
    "of an expression with for": ("det(t*A[i,j] for i in 1..3, j in 1..3)", "A", "J*inv(t*A[k,l] for k in 1..3, l in 1..3)[j,i]*t"),
    "solution of expressions": ("solve(t*A, b)[1]", "b", "inv(t*A[k,j] for k in 1..3, j in 1..3)[1,i]"),
    "of a list": ("det([[t, 1], [1, t]])", "t", "J*inv([[t, 1], [1, t]])[1,1] + J*inv([[t, 1], [1, t]])[2,2]"),
}


@pytest.mark.parametrize("expression, name, formula", FORMULAS.values(), ids=FORMULAS)
def test_formulas_are_those_of_the_books(expression, name, formula):
    r = run(expression, A3, "input b = [1, 2, 3], C = [[1, 2], [3, 4], [5, 6]], t = 2")
    (row,) = [row for row in json.loads(r.json())["backward"] if row["name"] == name]
    assert row["formula"] == formula
    # the formula of det has two roundings where the gradient has one
    assert flat(r.evaluate(formula + (f" for {row['for']}" if row["for"] else ""))) == pytest.approx(flat(row["value"]), rel=1e-15)


EVERYTHING = ["solve(A, C)[2,1]", "sum(solve(t*A, b))", "det(t*A)", "sum(inv(A.T)*D.T)", "inv(A)[2,0]", "sum(inv(A @ D))", "slogdet(A)",
              "det([[t, 1], [1, t]])", "solve([[t, 1], [1, t]], [t, 2])[1]", "sum(solve(sin(A), t*b)[i]*i for i in 1..3)", "det(A[i,j] for i in 0..1, j in 2..3)",
              "sum(det(A[i,j] + k for i in 0..2, j in 1..3) for k in 1..2)", "inv(inv(A))[1,1]"]  # fmt: skip


@pytest.mark.parametrize("expression", EVERYTHING)
def test_every_printed_formula_reads_back_and_gradients_are_slopes(expression):
    """Rows of A are over 0..2 and columns over 1..3, so that of the inverse it is the other way round."""
    leaves = {"A": [[2.0, 1, 0.5], [0.3, -1, 2], [1, 1, 4]], "b": [1.0, 2, 3], "C": [[1.0, 2], [3, 4], [5, 6]], "t": 2.0,
              "D": [[1.0, 2, 0], [0, 1, 1], [3, 0, 1]]}
    lines = ["input A[0..2,1..3], b[0..2], C[0..2,1..2], t, D[1..3,0..2]"]
    whole = [run(expression, *lines, set=leaves, **view) for view in ({}, {"scalar": True}, {"expand": True}, {"raw": True})]
    for r in whole:
        found = json.loads(r.json())
        for row in found["backward"] + [f for f in found["forward"] if f["name"] not in leaves]:
            if row["formula"] is not None and "note" not in row:
                again = r.evaluate(row["formula"] + (f" for {row['for']}" if row["for"] else ""))
                assert flat(again) == pytest.approx(flat(row["value"]), rel=1e-9, abs=1e-15)  # abs: where terms cancel to 0
    first = whole[0]
    for name, at in (("A", (1, 1)), ("t", ())):
        moved = []
        for step in (1e-5, -1e-5):
            changed = json.loads(json.dumps(leaves))
            if at:
                changed[name][at[0]][at[1]] += step
            else:
                changed[name] += step
            moved.append(run(expression, *lines, set=changed)["J"])
        slope = first.adjoints[name][at[0]][at[1]] if at else first.adjoints[name]
        assert slope == pytest.approx((moved[0] - moved[1]) / 2e-5, rel=1e-6, abs=1e-6)  # central differences: 1e-10 and rounding, 1e-11


@pytest.mark.parametrize("split", [False, True], ids=["in one equation", "in two"])
def test_the_gradient_of_an_inverse_keeps_its_digits_near_a_singular_matrix(split):
    """d sum(inv(A))/dA = -(column sums)(row sums)', here [[-1, 0], [0, 0]]; its terms are 1e14 and cancel (case E361)."""
    lines = ["input A = [[1, 1], [1, 1.0000001]]", "B = inv(A)"][: 1 + split]
    found = run("sum(B)" if split else "sum(inv(A))", *lines).adjoints["A"]
    assert flat(found) == pytest.approx([-1, 0, 0, 0], abs=1e-8)  # elements of 1e7, each rounded to 2e-9


def test_a_system_in_a_recurrence():
    """Newton's method for x² + y² = 5, xy = 2 from (2.5, 0.5) to (2, 1), by solving with the Jacobian matrix."""
    r = run("x[8]*10 + y[8]", "input a = 5, b = 2", "x[0] = 2.5; y[0] = 0.5",
            "x[k] = x[k-1] - solve([[2*x[k-1], 2*y[k-1]], [y[k-1], x[k-1]]], [x[k-1]^2 + y[k-1]^2 - a, x[k-1]*y[k-1] - b])[1] for k in 1..8",
            "y[k] = y[k-1] - solve([[2*x[k-1], 2*y[k-1]], [y[k-1], x[k-1]]], [x[k-1]^2 + y[k-1]^2 - a, x[k-1]*y[k-1] - b])[2] for k in 1..8")
    assert r["J"] == pytest.approx(21, rel=1e-15)
    # implicit function theorem: d(x, y)/d(a, b) is the inverse of the Jacobian matrix [[4, 2], [1, 2]] at the solution
    assert [r.adjoints["a"], r.adjoints["b"]] == pytest.approx([(10 * 2 - 1) / 6, (10 * -2 + 4) / 6], rel=1e-12)


# ---- where there is no value


def said(text, **given):
    with pytest.raises(GraphError) as caught:
        gl.loads(text).run(**given)
    return caught.value.diagnostics


@pytest.mark.parametrize("expression", ["sum(inv(A))", "slogdet(A)", "sum(solve(A, b))", "inv(A)[1,2]", "1 + log(det(inv(A)))"])
def test_a_singular_matrix_is_an_error(expression):
    (d,) = said(f"input A = [[1, 2, 3], [4, 5, 6], [7, 8, 9]], b = [1, 2, 3]\nJ = {expression}\noutput J")
    assert d.code == "E503" and "the matrix is singular, its rank is 2 and not 3" in d.message and "[[1, 2, 3], [4, 5, 6], [7, 8, 9]]" in d.text


def test_with_ieee_an_undefined_value_has_an_undefined_gradient():
    lines = ["input A = [[1, 2], [2, 4]], b = [1, 2]"]
    for expression, value in (("sum(inv(A))", math.nan), ("slogdet(A)", -math.inf), ("sum(solve(A, b))", math.nan)):
        r = run(expression, *lines, ieee=True)
        assert r["J"] == pytest.approx(value, nan_ok=True)
        assert all(map(math.isnan, flat(r.adjoints["A"])))
    r = run("det(A)", "input A = [[nan, 2], [2, 4]]", ieee=True)
    assert all(map(math.isnan, [r["J"], *flat(r.adjoints["A"])]))


def test_a_determinant_that_is_too_large():
    (d,) = said("input A = [[1e200, 0], [0, 1e200]]\nJ = det(A)\noutput J")
    assert d.code == "E502"


def test_nearly_singular_is_not_singular():
    """0.1 + 0.2 is not 0.3, so this matrix has a determinant, of one unit in the last digit."""
    r = run("det(A)", "input A = [[1, 0.30000000000000004], [1, 0.3]]")
    assert r["J"] == 0.3 - 0.30000000000000004 and r.evaluate("inv(A)[2,2]") == 1 / r["J"]


WRONG = {
    "not square": ("det(C)", "E201", ["`det` takes a square matrix, and this one is 3×2", "1..3, 1..2"]),
    "inverse of not square": ("sum(inv(C))", "E201", ["3×2"]),
    "a vector": ("det(b)", "E205", ["a square matrix", "a column over 1..3"]),
    "a scalar": ("slogdet(t)", "E205", ["a square matrix", "a scalar"]),
    "right side of another length": ("sum(solve(A, [1, 2]))", "E201", ["1..3, 1..3", "1..2"]),
    "a row on the right": ("sum(solve(A, b.T))", "E205", ["a row", "drop its `.T`"]),
    "system not square": ("sum(solve(C, b))", "E201", ["3×2"]),
    "one argument": ("sum(solve(A))", "E302", ["2 arguments", "A @ x = b"]),
    "two matrices": ("det(A, A)", "E302", ["2 arguments"]),
    "one index": ("det(b[i] for i in 1..3)", "E205", ["two indices"]),
    "part not square": ("det(A[i,j] for i in 1..3, j in 1..2)", "E201", ["3×2"]),
    "moving bounds": ("det(A[i,j] for i in 1..3, j in i..3)", "E213", ["fixed bounds"]),
    "columns on the right": ("solve(A[i,j], A[i,j] for i in 1..3, j in 1..3)[1]", "E205", ["rows only", "`j`"]),
    "one subscript": ("inv(A)[1]", "E204", ["2 ranges"]),
    "private": ("_cofactor(A)[1,1]", "E301", ["_cofactor"]),
    "too many rows": ("det(1 for i in 1..300, j in 1..300)", "E902", ["300 rows"]),
}


@pytest.mark.parametrize("expression, code, words", WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_explained(expression, code, words):
    (d,) = said(f"{A3}, b = [1, 2, 3], C = [[1, 2], [3, 4], [5, 6]], t = 1\nJ = {expression}\noutput J")
    text = "\n".join([d.message, d.text, *(label.text for label in d.labels), *d.hints])
    assert d.code == code
    for word in words:
        assert word in text


def test_an_empty_matrix_has_determinant_1():
    r = gl.loads("input A[1..0,1..0]\ninput x = 2\nJ = x*det(A)\noutput J").run(set={"A": []})
    assert r["J"] == 2.0 and [d.code for d in r.diagnostics] == ["W201"]
