"""Derivatives of derivatives: the adjoint program is a program, and is differentiated like every other."""

from pathlib import Path

import mp_oracle as oracle
import mpmath as mp
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from programs_at_random import programs

from graphlang.derive.reverse import adjoint_graph, differentiate
from graphlang.engines.reference import backward, evaluate, forward
from graphlang.graph.graph import Goal
from graphlang.graph.order import forward_order, plan
from graphlang.pipeline import loads, run_graph

LECTURE = Path(__file__).parents[1] / "programs" / "lecture"

TABLE_S5 = """
0     0
0.5   -15.00582483
1     40.74200616
-1    40.74200616
1.5   -14.07010488
2     -5.300896174
3     110.3147898
"""


def leaf_values(run):
    return {n: run.flat[n] for n, v in run.graph.variables.items() if v.is_leaf}


def adjoint_run(run, name, element=None):
    """The adjoint program of a run, differentiated at d goal / d name."""
    derivative = run.passes[0].derivative
    graph = adjoint_graph(derivative)
    goal = Goal("output", derivative.adjoint_name(name), element)
    changed = type(graph)(graph.pool, graph.variables, graph.equations, (goal,), graph.source, graph.consts, graph.functions)
    return run_graph(changed, leaf_values(run), ieee=True)


def test_the_second_derivatives_of_the_quiz():
    run = loads((LECTURE / "quiz1.graph").read_text(encoding="utf-8")).run()
    by_x, by_z = adjoint_run(run, "x"), adjoint_run(run, "z")
    assert by_x.adjoints["x"] == pytest.approx(3636.67589861, abs=5e-9)
    assert by_x.adjoints["z"] == pytest.approx(2823.35926169, abs=5e-9)
    assert by_z.adjoints["x"] == pytest.approx(2823.35926169, abs=5e-9)
    assert by_z.adjoints["z"] == pytest.approx(1613.7388392, abs=5e-8)


@pytest.mark.parametrize("row", TABLE_S5.split("\n")[1:-1], ids=lambda row: f"x={row.split()[0]}")
def test_the_second_derivative_of_the_simple_example(row):
    x, printed = row.split()
    run = loads((LECTURE / "simple.graph").read_text(encoding="utf-8")).run(x=float(x))
    unit = 0.5 * 10.0 ** -len(printed.partition(".")[2]) if "." in printed else 0.0
    assert abs(adjoint_run(run, "x").adjoints["x"] - float(printed)) <= unit


@pytest.mark.parametrize("program", sorted(LECTURE.glob("*.graph")), ids=lambda p: p.stem)
def test_the_adjoint_program_evaluates_to_the_adjoints(program):
    run = loads(program.read_text(encoding="utf-8")).run()
    derivative = run.passes[0].derivative
    name = next(iter(run.wrt or ("x",)))
    v = run.graph.variables[name]
    again = adjoint_run(run, name, tuple(r.low for r in v.ranges) or None)
    for n, adjoint in run.passes[0].sweep.adjoints.items():
        # the same numbers, added under other groupings
        assert again.flat[derivative.adjoint_name(n)] == pytest.approx(adjoint, rel=1e-13, abs=1e-300)


def gradients_of_gradient(text):
    """The Hessian of the goal by some elements of leaves."""
    run = loads(text).run()
    derivative = run.passes[0].derivative
    graph = adjoint_graph(derivative)
    order = plan(graph)
    values = leaf_values(run)
    for _ in forward(graph, forward_order(order, derivative.adjoint_name("")), values):
        pass
    leaves = [n for n, v in graph.variables.items() if v.is_leaf and v.role != "const"]
    elements = [(n, at) for n in leaves for at in oracle.box([(r.low, r.high) for r in graph.variables[n].ranges])]
    chosen = elements[:: max(1, len(elements) // 4)]
    rows = []
    for n, at in chosen:
        sweep = backward(differentiate(graph, Goal("output", derivative.adjoint_name(n), at or None), order), values)
        found = {(m, k): x for m in leaves for k, x in zip(oracle.box([(r.low, r.high) for r in graph.variables[m].ranges]), sweep.adjoints[m])}
        rows.append([found[e] for e in chosen])
    return rows


@settings(max_examples=10, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(text=programs(2))
def test_hessians_of_random_programs_are_symmetric(text):
    rows = gradients_of_gradient(text)
    largest = max((abs(x) for row in rows for x in row), default=0.0)
    for i, row in enumerate(rows):
        for j in range(i):
            # mixed partials are the same sum added up along different ways; where it cancels its terms count
            assert abs(row[j] - rows[j][i]) <= 1e-9 * max(abs(row[j]), 1e-3 * largest), text


def test_a_recurrence_over_all_earlier_elements_has_an_adjoint_program():
    """Its adjoint reads, in writing only, the element itself: under a guard that is 0 there."""
    run = loads("x[0] = t\nx[k] = tanh(sum(x[m] for m in 0..k-1)) for k in 1..3\nJ = x[3]\ninput t = 0.4\noutput J").run()
    assert adjoint_run(run, "t").adjoints["t"] == pytest.approx(-3.8400749174, rel=1e-10)  # mpmath, 30 digits


SMALL = {
    "from one equation": "J = exp(x*z) + sin(x)*z^3/(1 + x^2)\ninput x = 0.7, z = 1.3\noutput J",
    "a recurrence": "h[0] = x\nh[k] = tanh(z*h[k-1]) + 0.1*h[k-1]^2 for k in 1..3\nJ = h[3]\ninput x = 0.7, z = 1.3\noutput J",
    "a product": "q[i] = x + z*i for i in 1..4\nJ = prod(q)\ninput x = 0.7, z = 1.3\noutput J",
    "a power": "J = (1 + x^2)^(z*x)\ninput x = 0.7, z = 1.3\noutput J",
    "softmax": "q[i] = sin(x*i) + z^i for i in 1..3\ns = softmax(q)\nJ = sum(s[i]^2*i for i) + logsumexp(q) + std(q)\ninput x = 0.7, z = 1.3\noutput J",
}  # fmt: skip


@pytest.mark.parametrize("text", SMALL.values(), ids=SMALL)
def test_third_derivatives_agree_with_mpmath(text):
    first = loads(text).run()
    derivative = first.passes[0].derivative
    second = adjoint_graph(derivative)
    again = differentiate(second, Goal("output", derivative.adjoint_name("x")))
    third = adjoint_graph(again)
    run = run_graph(type(third)(third.pool, third.variables, third.equations, (Goal("output", again.adjoint_name("z")),), third.source,
                                third.consts, third.functions), leaf_values(first), ieee=True)  # fmt: skip

    def goal(x, z):
        return oracle.Oracle(text, {("x", ()): x - mp.mpf(0.7), ("z", ()): z - mp.mpf(1.3)}).goal_value()

    with mp.workdps(60):
        for name, orders in (("x", (2, 1)), ("z", (1, 2))):
            wanted = mp.diff(goal, (mp.mpf(0.7), mp.mpf(1.3)), orders)
            # a third derivative is a sum of some hundred rounded products
            assert abs(run.adjoints[name] - wanted) <= 1e-11 * abs(wanted), name


def test_a_derivative_is_evaluated_like_any_expression():
    run = loads("J = x^3\ninput x = 2\noutput J").run()
    graph = adjoint_graph(run.passes[0].derivative)
    again = adjoint_run(run, "x")
    assert evaluate(graph.pool.read("dJ/dx"), (), again.flat, {})[0] == 12.0
    assert again.adjoints["x"] == 12.0
