"""Depth and size: nothing recurses on the depth of a program, and what is stored grows linearly with it."""

import re

import pytest

import graphlang as gl
from graphlang.cli.main import main


def chain(n: int) -> str:
    return "x = 0.5\nu0 = x\n" + "\n".join(f"u{k + 1} = 0.9*sin(u{k}) + 0.1" for k in range(n)) + "\n"


@pytest.mark.parametrize("n", [5_000, pytest.param(100_000, marks=pytest.mark.nightly)])
def test_a_long_chain_shows_its_head_and_tail(n, tmp_path, capsys):
    path = tmp_path / "chain.graph"
    path.write_text(chain(n), encoding="utf-8")
    assert main(["run", str(path), "--ascii"]) == 0
    out = capsys.readouterr().out
    assert out.count("\n") < 200
    assert "u1 = 0.9*sin(u0) + 0.1" in out or "u0 = x" in out
    assert f"u{n} = 0.9*sin(u{n - 1}) + 0.1" in out
    assert "--all" in out


@pytest.mark.parametrize("n", [1_000, pytest.param(100_000, marks=pytest.mark.nightly)])
def test_all_streams_every_row(n, tmp_path, capsys):
    path = tmp_path / "chain.graph"
    path.write_text(chain(n), encoding="utf-8")
    assert main(["run", str(path), "--all", "--ascii"]) == 0
    out = capsys.readouterr().out
    assert set(map(int, re.findall(r"^ u(\d+) = ", out, re.MULTILINE))) >= set(range(1, n + 1))


@pytest.mark.parametrize("n", [5_000, pytest.param(100_000, marks=pytest.mark.nightly)])
def test_the_derivative_of_a_chain_is_the_product_of_its_slopes(n):
    import math

    u, slope = 0.5, 1.0
    for _ in range(n):
        slope *= 0.9 * math.cos(u)
        u = 0.9 * math.sin(u) + 0.1
    run = gl.loads(chain(n)).run()
    assert run[f"u{n}"] == u
    assert run.adjoints["x"] == pytest.approx(slope, rel=1e-12, abs=1e-300)  # the same factors from the other end


def test_ten_thousand_parentheses():
    run = gl.loads("x = 3\nJ = " + "(" * 10_000 + "x*x" + ")" * 10_000).run()
    assert run.adjoints["x"] == 6.0


@pytest.mark.parametrize("n", [20_000, pytest.param(1_000_000, marks=pytest.mark.nightly)])
def test_many_terms_in_one_sum(n):
    run = gl.loads("x = 0.5\nJ = " + " + ".join(["x"] * n)).run()
    assert run.adjoints["x"] == n


def test_a_sum_over_too_many_elements_is_refused_before_it_begins():
    with pytest.raises(gl.GraphError) as caught:
        gl.loads("const N = 10000000000\ninput x = 1\nJ = sum(x*i for i in 1..N)").run()
    assert [d.code for d in caught.value.diagnostics] == ["E902"]


def test_a_table_too_large_is_refused_before_it_is_allocated():
    with pytest.raises(gl.GraphError) as caught:
        gl.loads("input x[1000000, 1000000]\nJ = sum(x)").graph
    assert [d.code for d in caught.value.diagnostics] == ["E902"]


def test_functions_of_functions_do_not_swell():
    """f60 spelled out would have 2^60 factors; as a graph it and its derivatives have some thousands of nodes."""
    lines = ["f0(v) = 1 - v/2"] + [f"f{k + 1}(v) = f{k}(v)*f{k}(v)" for k in range(60)]
    run = gl.loads("\n".join([*lines, "y = f60(x)", "x = 0.25"])).run()
    assert len(run.graph.pool) < 10_000
    assert run.adjoints["x"] == 0.0  # (7/8)^(2^60) is 0 in float64, and so is its slope


def built(n: int) -> gl.Graph:
    g = gl.Graph()
    u = g.input("x", 0.5)
    for k in range(n):
        u = g.define(f"u{k}", gl.sin(u) * 0.9 + 0.1)
    g.output(u)
    return g


@pytest.mark.parametrize("n", [10_000, pytest.param(1_000_000, marks=pytest.mark.nightly)])
def test_a_graph_made_in_python_is_linear(n):
    graph = built(n).graph
    assert len(graph.equations) == n
    assert len(graph.pool) <= 4 * n + 10  # sin, product, sum and the read of the name


def test_a_graph_made_in_python_is_the_graph_of_the_text():
    g = gl.Graph()
    x = g.input("x", 2)
    t = g.define("t", x**2)
    g.minimize(gl.cos(gl.sin(t) + 3 * t), name="J")
    text = gl.loads("J = cos(sin(t) + 3*t)\nt = x^2\ninput x = 2\nminimize J")
    assert g.run().adjoints == text.run().adjoints
    assert g.run().values == text.run().values
