"""What a gradient costs: the lecture's counts, and the laws of paths on random programs."""

import json
import math
from pathlib import Path
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphlang.cli.main import main
from graphlang.diagnostics import GraphError
from graphlang.engines.initial import initial_values
from graphlang.engines.reference import evaluate
from graphlang.engines.tape import FLOATS
from graphlang.given import UsageError
from graphlang.graph.gathers import gathers
from graphlang.graph.scalar import scalar_values
from graphlang.pipeline import load, loads
from graphlang.verify.cost import cost
from graphlang.verify.operations import operations
from graphlang.verify.paths import Walk, paths
from programs_at_random import programs

ROOT = Path(__file__).parent.parent
LECTURE = ROOT / "programs/lecture"
ALL = sorted(p for p in (ROOT / "programs").rglob("*.graph") if p.parent.name not in ("symbolic", "quizzes"))

NETWORK = """
const M = 784, D = 100
input x[0..M]
data  ystar
param alpha[1..D, 0..M]
param beta[0..D]
J    = ystar*log(y) + (1 - ystar)*log(1 - y)
y    = sigmoid(b)
b    = sum(beta[j]*z[j] for j in 0..D)
z[0] = 1
z[j] = sigmoid(a[j]) for j in 1..D
a[j] = sum(alpha[j,i]*x[i] for i in 0..M) for j in 1..D
maximize J
"""


def lecture(name):
    return load(LECTURE / f"{name}.graph")


def counted(program, wrt=(), **view):
    derivative = program.derivative(**view)
    return cost(derivative.graph, derivative, wrt)


def leaves(c):
    return {leaf.name: (leaf.elements, leaf.each, leaf.longest, leaf.expanded) for leaf in c.leaves}


# ---- the lecture: "Why is the backpropagation algorithm efficient?"


@pytest.mark.parametrize("scalar", [False, True])
def test_the_network_has_22_edges_and_69_local_derivatives_path_by_path(scalar):
    c = counted(lecture("nn1_cross_entropy"), scalar=scalar)
    assert (c.nodes, c.edges, c.path_by_path) == (8, 22, 69)
    assert leaves(c) == {"alpha": (6, 1, 5, 6 * 5), "beta": (3, 1, 3, 3 * 3), "x": (3, 2, 5, 3 * 2 * 5)}
    assert (c.scalars, c.forward_mode, c.central, c.one_sided) == (12, 12 * 22, 24, 13)


def test_a_network_of_784_100_1_is_counted_from_its_ranges():
    derivative = loads(NETWORK).derivative()
    start = perf_counter()
    c = cost(derivative.graph, derivative)
    assert perf_counter() - start < 0.5  # some 2 ms; the 157,304 edges one by one take longer than that
    assert (c.nodes, c.edges, c.path_by_path) == (204, 157_304, 785_303)
    assert leaves(c)["x"] == (785, 100, 5, 785 * 100 * 5)


@pytest.mark.parametrize("scalar", [False, True])
def test_the_ladder_has_90_edges_and_2_to_the_30_paths(scalar):
    c = counted(lecture("ladder"), scalar=scalar)
    (leaf,) = c.leaves
    assert (c.nodes, c.edges, leaf.paths) == (60, 90, 1_073_741_824)
    assert (leaf.shortest, leaf.longest) == (30, 60)
    # of the 30 steps k are the longer of two ways: Σ C(30, k)·(30 + k) = 45·2^30
    assert c.path_by_path == 45 * 2**30


def test_the_simple_example_has_two_paths_of_four_edges():
    c = counted(lecture("simple"))
    assert (c.nodes, c.edges, c.path_by_path) == (5, 6, 8)
    assert (c.operations.forward, leaves(c)) == (5, {"x": (1, 2, 4, 8)})
    (found,) = paths(lecture("simple").derivative(), "x", values=lecture("simple").run().flat)
    assert [p.nodes for p in found.shown] == [("J", "u", "u1", "t", "x"), ("J", "u", "u2", "t", "x")]
    u, t, x = math.cos(0) * (math.sin(4) + 12), 4.0, 2.0
    wanted = [-math.sin(u) * math.cos(t) * 2 * x, -math.sin(u) * 3 * 2 * x]
    assert [p.value for p in found.shown] == pytest.approx(wanted, rel=1e-15)
    assert found.total == pytest.approx(9.099148545, abs=5e-10)  # the lecture's dJ/dx


def test_a_ladder_of_any_length_is_counted_exactly():
    n = 1000
    c = counted(loads(f"input x0\nx[0] = x0\ns[k] = sin(x[k-1]) for k in 1..{n}\nx[k] = s[k] + x[k-1] for k in 1..{n}\noutput x[{n}]"))
    assert c.leaves[0].paths == 2**n and c.edges == 3 * n + 1


def test_data_is_counted_only_where_it_is_asked_for():
    program = lecture("nn1_cross_entropy")
    assert counted(program, ["ystar"]).edges == 23
    assert leaves(counted(program, ["alpha", "ystar"])) == {"alpha": (6, 1, 5, 30), "ystar": (1, 1, 1, 1)}


# ---- which pairs are edges


@pytest.mark.parametrize("body, edges", [
    ("J = x[1]*x[1] + sin(x[1])", 1),                                    # read three times by one equation
    ("J = sum(x[i]*x[2] for i in 1..4)", 4),
    ("y[i] = x[i] + x[2] for i in 1..4\nJ = sum(y)", 4 + 4 + 3),         # one pair is both reads
    ("y[i] = x[i] - x[5-i] for i in 1..4\nJ = sum(y)", 4 + 8),           # the two never meet
    ("y[i] = sum(x[i+k] for k in 0..1) for i in 1..3\nJ = sum(y)", 3 + 6),
    ("J = sum(x[i] for i in 1..4, j in i+1..4)", 3),                     # no j for i = 4
    ("J = sum(x[2*i] for i in 1..2)", 2),
    ("J = sum(i*x[i+1] for i in 0..3)", 3),                              # 0·x[1] has the local derivative 0
    ("y[i] = where(i == 2, x[i], 0) for i in 1..4\nJ = sum(y)", 4 + 1),
    ("y = cumsum(x)\nJ = sum(y)", 4 + 10),
    ("y = softmax(x)\nJ = y[1]", 1 + 4),
    ("data c[2] = [3, 3]\nJ = sum(x[c[i]] for i in 1..2)", 1),
    ("data c[2]\nJ = sum(x[c[i]] for i in 1..2)", 4),                    # any of them
    ("w = floor(x[1])\nJ = w + x[2]", 2),                                # a step has no derivative
])  # fmt: skip
def test_an_edge_is_an_element_that_an_element_reads(body, edges):
    assert counted(loads(f"input x[4]\n{body}\noutput J")).edges == edges


def test_only_what_reaches_the_goal_is_counted():
    c = counted(loads("input x[0..9]\nh[0] = x[0]\nh[k] = h[k-1]*x[k] for k in 1..9\noutput h[3]"))
    assert (c.nodes, c.edges) == (4, 1 + 3 * 2)
    assert c.leaves[0].paths == 4 and c.leaves[0].each is None  # x[4] to x[9] have none


# ---- laws


def known(program):
    return initial_values(program.graph, {})[0]


@given(programs())
@settings(max_examples=40, deadline=None, derandomize=True, database=None)
def test_tables_have_the_counts_of_the_scalar_view(text):
    program = loads(text)
    try:
        unrolled = program.derivative(scalar=True)
    except GraphError:
        return
    values = known(program)
    table = cost(program.graph, program.derivative(), values=values)
    element = cost(unrolled.graph, unrolled, values=scalar_values(program.graph, values))
    assert table[:4] == element[:4]


def by_brute_force(derivative, values):
    """Number of paths and sum of their products for every element: the scalar graph walked edge by edge from the goal,
    each path for itself."""
    found = {}
    work = [(derivative.goal.name, 1.0)]
    numbers = {}
    edges = {}
    for e, terms in derivative.outgoing.items():
        edges.setdefault(e.target, []).extend(terms)
    for steps, (name, value) in enumerate(iter(work)):
        if steps > 20_000:
            return None
        count, total = found.get(name, (0, 0.0))
        found[name] = (count + 1, total + value)
        for c in edges.get(name, ()):
            if c not in numbers:
                (numbers[c],) = evaluate(c.computed, (), values, {})
            work.append((c.variable, value * numbers[c]))
    return found


@given(programs(3))
@settings(max_examples=40, deadline=None, derandomize=True, database=None)
def test_paths_and_their_products_are_those_of_a_brute_force_search(text):
    program = loads(text)
    try:
        run, tables = program.run(scalar=True), program.run()
    except GraphError:
        return
    wanted = by_brute_force(run.passes[0].derivative, run.flat)
    if wanted is None:
        return
    walk = Walk(tables.passes[0].derivative, tables.flat)
    # the scalar view has an edge to each element that a gather might read, and to a branch that numbers exclude
    picked = gathers(program.graph) or "where(" in text
    for name in walk.variables:
        for element, adjoint in zip(walk.elements(name), tables.passes[0].sweep.adjoints[name]):
            found = walk.of(element, 0, most=500)
            count, total = wanted.get(found.element, (0, 0.0))
            if not picked:
                assert found.count == count
            scale = max([1.0, abs(total)])
            assert abs(total - adjoint) <= 1e-11 * scale  # sums of up to 20,000 products in another order
            if found.total is not None:
                assert abs(found.total - adjoint) <= 1e-12 * scale


@pytest.mark.parametrize("path", [p for p in ALL if p.stem != "ladder" and not p.stem.startswith("digits")], ids=lambda p: p.stem)
def test_the_sum_over_all_paths_is_the_adjoint(path):
    run = load(path).run()
    p = run.passes[0]
    walk = Walk(p.derivative, run.flat)
    for name in walk.variables:
        for element, adjoint in zip(walk.elements(name), p.sweep.adjoints[name]):
            found = walk.of(element, most=5000)
            if found.total is not None:
                largest = max((abs(x.value) for x in found.shown), default=0)
                assert abs(found.total - adjoint) <= 1e-12 * max(1, largest)  # products that cancel keep their own rounding


def test_no_path_is_listed_twice_and_all_lead_to_the_goal():
    (found,) = paths(lecture("ladder").derivative(), "x0", limit=500)
    assert len({p.nodes for p in found.shown}) == 500 and found.count == 2**30 and found.total is None
    assert all(p.nodes[0] == "x[30]" and p.nodes[-1] == "x0" and len(p.locals) == len(p.nodes) - 1 for p in found.shown)


# ---- operations


@st.composite
def polynomials(draw):
    """A program with + - * alone."""
    names, lines = ["x", "z"], ["input x = 1.5, z = -0.5"]
    for k in range(draw(st.integers(1, 6))):
        parts = [draw(st.sampled_from(names)) for _ in range(4)]
        signs = [draw(st.sampled_from("+-*")) for _ in range(3)]
        lines.append(f"y{k} = " + parts[0] + "".join(s + p for s, p in zip(signs, parts[1:])))
        names.append(f"y{k}")
    return "\n".join([*lines, f"output {names[-1]}"])


@given(polynomials())
@settings(max_examples=100, deadline=None, derandomize=True, database=None)
def test_function_and_gradient_take_at_most_5_times_the_operations_of_the_function(text):
    """Baur and Strassen, 1983."""
    forward, backward = operations(loads(text).derivative(expand=True))
    assert forward + backward <= 5 * forward


@pytest.mark.parametrize("path", [p for p in ALL if not any(v.ranges for v in load(p).graph.variables.values())], ids=lambda p: p.stem)
def test_the_forward_operations_are_those_that_are_executed(path, monkeypatch):
    program = load(path)
    derivative = program.derivative()
    calls = []

    def counting(function):
        return lambda *args: calls.append(1) or function(*args)

    for name, function in list(FLOATS.functions.items()):
        monkeypatch.setitem(FLOATS.functions, name, counting(function))
    values = known(program)
    calls.clear()
    for group in reversed(derivative.order):
        for e in group.equations:
            values[e.target] = evaluate(e.value, (), values, {})
    assert len(calls) == operations(derivative).forward


def test_operations_follow_the_ranges():
    c = operations(lecture("nn1_cross_entropy").derivative())
    # J 7; y 4; b 3·(· and +); z 2·4; a 2·3·(· and +)
    assert c.forward == 7 + 4 + 6 + 8 + 12
    assert operations(loads("input x[9]\nJ = sum(x[i]*x[j] for i in 1..9, j in i..9)").derivative()).forward == 2 * 45
    n = 1000  # beyond what the engine would run
    assert operations(loads(f"input A[{n},{n}], B[{n},{n}]\nC = A @ B\nJ = sum(C)").derivative()).forward == 2 * n**3 + n**2


# ---- the command


def run(capsys, *argv):
    status = main(["cost", *argv])
    out = capsys.readouterr()
    return status, out.out, out.err


def test_the_table_has_a_line_for_each_way(capsys):
    status, out, _ = run(capsys, str(LECTURE / "nn1_cross_entropy.graph"), "--plain", "--ascii")
    lines = {" ".join(line.split()) for line in out.splitlines()}
    assert status == 0
    assert "backpropagation 1 + 1 back 8 22 1 one for each edge" in lines
    assert "path by path 1 8 69 3.1 edges of all paths" in lines
    assert "forward mode 12 8 264 12 scalars x edges" in lines
    assert any(line.startswith("central differences 24 192 -") for line in lines)
    assert "x 3 6 5 3 x 2 x 5 = 30" in lines


def test_no_values_are_needed(capsys, tmp_path):
    file = tmp_path / "network.graph"
    file.write_text(NETWORK)
    status, out, _ = run(capsys, str(file), "--set", "M=2", "--set", "D=2", "--paths", "x[1]", "--ascii")
    assert status == 0 and " 22 edges" in out
    assert "J <- y <- b <- z[1] <- a[1] <- x[1]" in out and "y*(1 - y) * beta[1] * z[1]*(1 - z[1]) * alpha[1,1]" in out
    assert "no numbers: `x`, `ystar`, `alpha`, `beta` have no value" in out


def test_listed_paths_add_up_to_the_adjoint_and_their_formulas_read_back(capsys):
    file = LECTURE / "nn2_index.graph"
    status, out, _ = run(capsys, str(file), "--paths", "x", "--json")
    document, whole = json.loads(out), load(file).run()
    assert status == 0 and (document["edges"], document["scalars"]) == (31, 17)
    for element, adjoint in zip(document["listed"], whole.adjoints["x"], strict=True):
        assert element["count"] == 4 and element["adjoint"] == adjoint
        assert element["sum"] == pytest.approx(adjoint, rel=1e-12)
        for path in element["paths"]:
            assert math.prod(path["values"]) == pytest.approx(path["value"], rel=1e-15)
            assert whole.evaluate(path["product"]) == pytest.approx(path["value"], rel=1e-12)


def test_of_too_many_paths_the_first_are_listed_and_all_are_counted(capsys):
    status, out, _ = run(capsys, str(LECTURE / "ladder.graph"), "--paths", "x0")
    assert status == 0
    assert "1,073,741,824 paths" in out and "  20. " in out and "  21. " not in out and "1,073,741,804 more paths" in out


@pytest.mark.parametrize("argv, said", [
    (["--paths", "q"], "no variable `q`"),
    (["--paths", "x[9]"], "`x` has no element `x[9]`; it has x[0] to x[2]"),
    (["--paths", "b[1]"], "`b` is a scalar"),
    (["--paths", "1 + x"], "is not a name"),
    (["--wrt", "q"], "no variable `q`"),
    (["--goal", "z"], "`z` is a table"),
])  # fmt: skip
def test_a_wrong_name_is_told(capsys, argv, said):
    status, out, err = run(capsys, str(LECTURE / "nn1_cross_entropy.graph"), *argv)
    assert status == 2 and out == "" and said in err


def test_symbolic_sizes_are_refused_until_they_are_set(capsys, tmp_path):
    file = tmp_path / "form.graph"
    file.write_text("dim P\ninput x[P], B[P,P]\nJ = x.T @ B @ x\n")
    status, out, err = run(capsys, str(file))
    assert status == 1 and out == "" and "E408" in err and "`P` is a size left symbolic" in err
    status, out, _ = run(capsys, str(file), "--set", "P=30")
    assert status == 0 and " 1 node, 930 edges" in out  # 30 of x and 900 of B


def test_an_opaque_function_has_edges_but_no_operations():
    program = loads("opaque h(x)[3]\ninput x\nu = h(x)\nJ = sum(sin(u))")
    c = counted(program)
    assert (c.edges, c.path_by_path, tuple(c.operations)) == (3 + 3, 3 * 2, (0, 0))
    assert [p.nodes for p in paths(program.derivative(), "x")[0].shown] == [("J", f"u[{k}]", "x") for k in (1, 2, 3)]


def test_names_are_refused_by_the_api_too():
    with pytest.raises(UsageError, match="there is no variable `q`"):
        paths(lecture("simple").derivative(), "q")


def test_a_number_of_paths_beyond_any_float_is_written(capsys, tmp_path):
    file = tmp_path / "ladder.graph"
    file.write_text("input x0\nx[0] = x0\ns[k] = sin(x[k-1]) for k in 1..5000\nx[k] = s[k] + x[k-1] for k in 1..5000\noutput x[5000]\n")
    status, out, _ = run(capsys, str(file))
    assert status == 0 and "about 1.41e1505" in out  # 2^5000
    status, out, _ = run(capsys, str(file), "--json")
    assert status == 0 and json.loads(out)["leaves"][0]["paths"] == "about 1.41e1505"
