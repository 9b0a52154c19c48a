"""The Python interface: looking up values, wrong shapes and types, public names, operators."""

import subprocess
import sys
from pathlib import Path

import pytest

import graphlang as gl

SIMPLE = Path(__file__).resolve().parent.parent / "programs/lecture/simple.graph"
TABLE = "J = sum(z[j]^2 for j)\ndata z[0..2] = [1, 2, 3]\n"


@pytest.fixture
def table():
    return gl.loads(TABLE).run()


@pytest.mark.parametrize(("use", "code"), [
    (lambda g, z: g.data("w", [1, 2, 3], [(0, 1)]), "E216"), (lambda g, z: g.data("w", [[1, 2], [3]]), "E211"),
    (lambda g, z: g.data("w", []), "E211"), (lambda g, z: g.data("w", None, [(2, 1)]), "E217"),
    (lambda g, z: z(4), "E222"), (lambda g, z: z(1, 1), "E204"),
])
def test_a_wrong_shape_is_a_graph_error(use, code):
    g = gl.Graph()
    with pytest.raises(gl.GraphError) as caught:
        use(g, g.data("z", [1, 2, 3]))
    assert [d.code for d in caught.value.diagnostics] == [code]


def test_what_is_no_name_is_a_graph_error_wherever_it_is_given():
    for use in (lambda p: p.run(set={"x²": 2}), lambda p: p.run(wrt=["x²"])):
        with pytest.raises(gl.GraphError) as caught:
            use(gl.load(SIMPLE))
        (found,) = caught.value.diagnostics
        assert found.code == "E010" and found.hints == ("write `x^2`",) and str(caught.value) == "`x²` is not a name"


def test_an_equation_that_fails_takes_no_name():
    g = gl.Graph()
    with pytest.raises(TypeError):
        g.define("y", "text")
    g.define("y", 2)


@pytest.mark.parametrize("use", [lambda g: g.input(3, 1), lambda g: g.input("x", "abc"), lambda g: g.input("x", [1, None]), lambda g: g.input("x", {1: 2}),
                                 lambda g: g.input("x", None, [3]), lambda g: g.data("z", [1, 2])(1.0)])
def test_a_wrong_type_is_a_type_error(use):
    with pytest.raises(TypeError, match="is a |is two whole numbers"):
        use(gl.Graph())


@pytest.mark.parametrize(("text", "said"), [(3, "is a str, not int; a file is read by load"), (b"x = 2", "is a str, not bytes; decode"), (SIMPLE, "a file is read by load")])
def test_a_program_is_text(text, said):
    with pytest.raises(TypeError, match=said):
        gl.loads(text)


@pytest.mark.parametrize(("key", "error", "said"), [
    (("z", 1.0), TypeError, "a subscript of `z` is a whole number, not 1.0"),
    (("z", "a"), TypeError, "a subscript of `z` is a whole number, not 'a'"),
    (("z", True), TypeError, "a subscript of `z` is a whole number, not True"),
    (("z", 3), IndexError, "`z` has the ranges 0..2: there is no element 3"),
    (("z", -1), IndexError, "`z` has the ranges 0..2: there is no element -1"),
    (("z", 0, 0), IndexError, "`z` has the ranges 0..2: 1 subscript is wanted, 2 given"),
    (("J", 0), IndexError, "`J` is a scalar and takes no subscripts"),
    (0, TypeError, "a variable is looked up by its name, not by 0"),
    ((), TypeError, "a variable is looked up by its name, not by ()"),
    ("nope", KeyError, "there is no variable `nope`"),
    ("x²", KeyError, "there is no variable `x²`"),
])
def test_a_wrong_key_is_told_clearly(table, key, error, said):
    with pytest.raises(error) as caught:
        table[key]
    assert type(caught.value) is error and caught.value.args == (said,)


def test_a_variable_with_a_similar_name_is_proposed():
    with pytest.raises(KeyError) as caught:
        gl.load(SIMPLE).run()["uu1"]
    assert caught.value.args == ("there is no variable `uu1`; did you mean `u1`?",)


def test_right_keys(table):
    assert table["z"] == [1, 2, 3] and table["z", 0] == 1 and table["z", 2] == 3 and table["J"] == 14


def test_the_scalar_view_knows_elements_and_tables():
    run = gl.loads(TABLE).run(scalar=True)
    assert run["z"] == [1, 2, 3] and run["z", 2] == 3 and run["z[2]"] == 3


def test_what_was_not_evaluated_has_no_value():
    with pytest.raises(gl.EvaluationError) as caught:
        gl.loads("J = y + 1\ny = log(x)\ninput x = -1\n").run()
    with pytest.raises(KeyError, match="the run stopped before it"):
        caught.value.run["J"]
    assert repr(caught.value.run)[:4] == "<run" and "log" in caught.value.run._repr_html_()


def test_a_graph_has_a_short_repr():
    g = gl.Graph()
    assert repr(g) == "<graph: 0 variables>"
    g.minimize(g.input("x", 2) * 2)
    assert repr(g) == "<graph: 2 variables, minimize J>"


def test_every_public_name_is_there():
    assert {"load", "loads", "Graph", "cos", "ln", "where"} <= {*gl.__all__} <= {*dir(gl)}
    assert all(getattr(gl, name) is not None for name in gl.__all__)


def test_everything_can_be_imported_and_the_package_alone_imports_nothing():
    code = ("import sys, graphlang; assert not [m for m in sys.modules if m.startswith('graphlang.') or m in ('rich', 'numpy', 'lark')]\n"
            "from graphlang import *; g = Graph(); x = g.input('x', 0.0); g.minimize(cos(x)); assert g.run()['J'] == 1\n"
            "assert 'rich' not in sys.modules and 'numpy' not in sys.modules")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=SIMPLE.parents[2])
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("make", "value", "slope"), [(abs, 3.5, -1), (lambda x: +x, -3.5, 1), (lambda x: x % 2, 0.5, 1), (lambda x: 7.5 % -x, 0.5, 2)])
def test_operators_of_python(make, value, slope):
    g = gl.Graph()
    g.minimize(make(g.input("x", -3.5)) + 0, name="J")
    run = g.run()
    assert run["J"] == value and run.adjoints["x"] == slope


def test_rows_of_a_list_may_be_worked_out():
    run = gl.loads("input A = [[1, 2], -[3, 4]], B = [[2, 4], -[-5, -6]]\nJ = sum(A) + sum([[1, 2], -[3, 4]]) + sum(B)\n").run()
    assert run["A"] == [[1, 2], [-3, -4]] and run["B"] == [[2, 4], [5, 6]] and run["J"] == -4 - 4 + 17
