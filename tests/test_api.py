"""The Python interface: how a run shows itself, and that what goes wrong is a GraphError."""

import io
from pathlib import Path

import pytest
from rich.console import Console

import graphlang as gl

SIMPLE = Path(__file__).resolve().parent.parent / "programs/lecture/simple.graph"


def test_a_run_is_short_in_a_prompt():
    assert repr(gl.load(SIMPLE).run()).endswith("J = 0.2451; 6 variables>")


def test_a_run_prints_as_its_table():
    page = Console(file=io.StringIO(), width=160)
    page.print(gl.load(SIMPLE).run())
    assert "dJ/dt += dJ/du₁·du₁/dt,  du₁/dt = cos(t)  -0.633706 ⇒ -0.633706" in page.file.getvalue()


def test_a_notebook_gets_escaped_text():
    html = gl.loads("y = where(x < 2, x, 3)\nx = 1", "<b>.graph").run()._repr_html_()
    assert "<b>" not in html and "&lt;" in html


def test_the_trace_is_plain_data():
    trace = gl.load(SIMPLE).run().trace
    assert [s.equation.target for s in trace.forward] == ["t", "u1", "u2", "u", "J"]
    assert [a.variable for a in trace.backward] == ["J", "u", "u1", "u2", "t", "x"]


@pytest.mark.parametrize("options", [{"q": 1}, {"x": [1, 2]}, {"mode": "C"}, {"wrt": ["q"]}, {"goal": "q"}], ids=str)
def test_a_wrong_call_is_a_graph_error_with_a_diagnostic(options):
    with pytest.raises(gl.GraphError) as caught:
        gl.load(SIMPLE).run(**options)
    assert isinstance(caught.value, gl.UsageError)
    assert [d.code for d in caught.value.diagnostics] == ["E407"]


def test_a_graph_made_in_python_refuses_what_is_no_name():
    g, other = gl.Graph(), gl.Graph()
    x = g.input("x", 2)
    for wrong in (lambda: g.define("1a", x), lambda: g.define("sin", x), lambda: g.define("x", x), lambda: other.define("y", x)):
        with pytest.raises(gl.GraphError):
            wrong()


def test_a_run_that_stopped_has_no_values_for_what_it_did_not_reach():
    with pytest.raises(gl.EvaluationError) as caught:
        gl.loads("t = log(x)\nJ = t + x\nx = -2").run()
    assert sorted(caught.value.run.values) == ["t", "x"]
