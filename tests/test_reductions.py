"""Reductions at the points where rounding or overflow would show."""

import math

import pytest

import graphlang as gl


@pytest.mark.parametrize("n", [2, 3, 5, 7, 11])
@pytest.mark.parametrize("c", [0.1, 0.7, 1 / 3, 1e-9, 1e300, -0.3])
def test_constant_elements_have_no_spread_and_no_slope(n, c):
    for spread in ("std", "var"):
        run = gl.loads(f"J = {spread}(x)\ninput x[{n}] = {c!r}").run()
        assert run["J"] == 0.0 and run.adjoints["x"] == [0.0] * n


def test_a_mean_does_not_overflow():
    assert gl.loads("J = mean(x)\ninput x[2] = [1.7e308, 1.7e308]").run()["J"] == 1.7e308


@pytest.mark.parametrize("x, wanted", [([2, 0, 4], [0, 8, 0]), ([0, 0, 4], [0, 0, 0]), ([1e200, 1e200, 1e-300], None)])
def test_the_slope_of_a_product_is_the_product_of_the_others(x, wanted):
    run = gl.loads(f"J = prod(x)\ninput x[3] = {x}").run(ieee=True)
    assert run.adjoints["x"] == ([float(w) for w in wanted] if wanted else pytest.approx([1e-100, 1e-100, math.inf], rel=1e-14))


def test_ties_share_the_slope():
    assert gl.loads("J = max(x)\ninput x[4] = [1, 3, 3, 3]").run().adjoints["x"] == [0.0, 1 / 3, 1 / 3, 1 / 3]


def test_logsumexp_and_softmax_of_large_numbers():
    run = gl.loads("J = logsumexp(x)\ninput x[2] = [1000, 1000]").run()
    assert run["J"] == 1000 + math.log(2) and run.adjoints["x"] == [0.5, 0.5]
