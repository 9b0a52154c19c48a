"""Compiled programs: the same numbers as a run, in every engine."""

import math
from importlib.util import find_spec
from pathlib import Path
from random import Random

import graphlang as gl
import numpy as np
import pytest
from graphlang.compiled import ENGINES
from graphlang.engines.numba_engine import available

from programs_at_random import Writer

ROOT = Path(__file__).parent.parent
PROGRAMS = sorted(p for p in (ROOT / "programs").rglob("*.graph") if p.parent.name not in ("symbolic", "quizzes"))


def missing(engine: str):
    return [pytest.mark.skipif(engine in ("numba", "jax") and find_spec(engine) is None, reason=f"{engine} is not installed")]


each_engine = pytest.mark.parametrize("engine", [pytest.param(e, marks=missing(e)) for e in ENGINES])
CLOSE = 1e-12  # math and sums in another grouping differ by some units in the last place


def flat(value):
    return [x for row in value for x in flat(row)] if isinstance(value, list) else [value]


def assert_same(found, wanted, what=""):
    a, b = flat(found), flat(wanted)
    assert len(a) == len(b), what
    scale = max([abs(x) for x in b if math.isfinite(x)], default=1.0)
    for x, y in zip(a, b):
        assert x == y or (x != x and y != y) or abs(x - y) <= CLOSE * max(abs(y), scale), f"{what}: {x!r} is not {y!r}"


def assert_agrees(program, engine, goal=None, may_lack=False, **options):
    """Value and gradient by every variable with an adjoint. `may_lack`: an engine may refuse a program that it has no code for."""
    run = program.run(goal=goal, ieee=True, **options)
    for p in run.passes if goal is None else run.passes[:1]:
        names = [n for n in run.adjoints_of(p) if n.isidentifier()]
        try:
            f = program.compile(names, engine=engine, goal=str(p.goal))
        except gl.UsageError as e:
            assert may_lack and engine in ("numba", "jax") and "has no code for" in str(e)  # some functions over ranges that depend on an index
            continue
        value, gradients = f(**options.get("set", {}))
        assert_same(value, run._at(p.goal), str(p.goal))
        for n in names:
            assert_same(gradients[n], run.adjoints_of(p)[n], f"d{p.goal}/d{n}")


def slow(compiles: bool, often: bool):
    """Engines that compile for seconds: some cases of theirs in every run, all in the nightly one."""
    return [pytest.mark.nightly] if compiles and not often else []


CASES = [pytest.param(p, e, id=f"{p.stem}-{e}", marks=[*slow(e == "jax", p.parent.name == "lecture"), *missing(e)]) for p in PROGRAMS for e in ENGINES]


@pytest.mark.parametrize("path, engine", CASES)
def test_every_program_has_the_numbers_of_its_run(path, engine):
    assert_agrees(gl.load(path), engine)


BLOCKS = [pytest.param(k, e, id=f"{k}-{e}", marks=[*slow(e in ("numba", "jax"), k < 3), *missing(e)]) for k in range(10) for e in ENGINES]


@pytest.mark.parametrize("block, engine", BLOCKS)
def test_random_programs_have_the_numbers_of_their_runs(block, engine):
    for seed in range(block * 10, block * 10 + {"python": 10, "numpy": 10, "numba": 2, "jax": 1}[engine]):  # these take a second or two for each
        text = Writer(Random(seed)).program(4)
        assert_agrees(gl.loads(text), engine, may_lack=True)


@pytest.mark.nightly
@each_engine
@pytest.mark.parametrize("block", range(50))
def test_many_random_programs_have_the_numbers_of_their_runs(block, engine):
    for seed in range(1000 + block * 10, 1000 + block * 10 + 10):
        assert_agrees(gl.loads(Writer(Random(seed), linear=seed % 2 == 0).program(6)), engine, may_lack=True)


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory):
    """Machine code of tests is not kept for the user."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


SIMPLE = gl.load(ROOT / "programs" / "lecture" / "simple.graph")
LAYER = """input x[0..2] = [1, 0.5, -1]
param W[2, 0..2] = [[0.1, 0.2, 0.3], [-0.1, 0.4, -0.2]]
const k = 2
z = tanh(W @ x)
J = k*sum(z[i]^2 for i in 1..2)
"""


@each_engine
def test_a_call_gives_the_value_and_the_gradient(engine):
    f = SIMPLE.compile(["x"], engine=engine)
    value, gradient = f(x=3.0)
    run = SIMPLE.run(x=3)
    assert_same(value, run["J"])
    assert_same(gradient["x"], run.adjoints["x"])
    assert f() == f(x=2) == f(x=2.0)  # its own value where none is given
    assert f.engine == engine and f.__name__ == "J_and_gradient" and f.__doc__ == "`J` and its gradient by x, of x."


@each_engine
def test_tables_are_lists_or_arrays_as_they_are_given(engine):
    f = gl.loads(LAYER).compile(["x", "W"], engine=engine)
    value, gradients = f(x=[1.0, 2.0, 3.0])
    run = gl.loads(LAYER).run(x=[1, 2, 3])
    assert_same(value, run["J"])
    assert_same(gradients["W"], run.adjoints["W"])
    assert isinstance(gradients["W"][0], list)
    value, gradients = f(x=np.array([1.0, 2.0, 3.0]))
    assert gradients["W"].shape == (2, 3) and gradients["x"].shape == (3,)
    assert_same(gradients["W"].tolist(), run.adjoints["W"])


@each_engine
def test_a_leading_axis_is_mapped(engine):
    f = gl.loads(LAYER).compile(["x", "W"], engine=engine)
    batch = np.array([[1.0, 2.0, 3.0], [0.0, 0.5, -1.0], [2.0, 2.0, 2.0], [1.0, 1.0, 1.0]])
    values, gradients = f(x=batch)
    assert values.shape == (4,) and gradients["x"].shape == (4, 3) and gradients["W"].shape == (4, 2, 3)
    for k, row in enumerate(batch):
        value, gradient = f(x=row)
        assert_same(values[k], value)
        assert_same(gradients["W"][k].tolist(), gradient["W"].tolist())
    values, gradients = SIMPLE.compile(["x"], engine=engine)(x=[1.0, 2.0])
    assert [values[1], gradients["x"][1]] == list(map(float, (SIMPLE.run(x=2)["J"], SIMPLE.run(x=2).adjoints["x"]))) or abs(values[1] - SIMPLE.run(x=2)["J"]) < 1e-12


@each_engine
def test_a_batch_of_tables_and_scalars_beside_what_is_not_in_it(engine):
    f = gl.loads(LAYER.replace("input x[0..2]", "input s = 2\ninput x[0..2]").replace("k*sum", "s*k*sum")).compile(["s", "W"], engine=engine)
    batch, scales, w = np.arange(12.0).reshape(4, 3) / 7, np.array([1.0, 2.0, 3.0, 4.0]), np.array([[0.2, 0.1, -0.3], [0.5, 0.1, 0.2]])
    for given in ({"x": batch}, {"x": batch, "s": scales}, {"s": scales, "W": w}):
        values, gradients = f(**given)
        for k in range(4):
            value, gradient = f(**{n: v[k] if n != "W" else v for n, v in given.items()})
            assert_same(float(values[k]), float(value))
            assert_same(gradients["W"][k].tolist(), np.asarray(gradient["W"]).tolist())
            assert_same(float(gradients["s"][k]), float(gradient["s"]))


@each_engine
def test_a_value_that_is_not_finite_is_nan_or_infinite(engine):
    f = gl.loads("J = log(x)/x + exp(y)\ninput x = 2, y = 1\n").compile(["x", "y"], engine=engine)
    assert math.isnan(f(x=-1.0)[0]) and f(y=1000.0)[0] == math.inf
    value, gradient = f(x=0.0)
    run = gl.loads("J = log(x)/x + exp(y)\ninput x = 2, y = 1\n").run(x=0, ieee=True)
    assert_same(value, run["J"])
    assert_same(gradient["x"], run.adjoints["x"])


@each_engine
def test_derivatives_of_digamma_exist_by_every_engine(engine):
    f = gl.loads("input x = 1.3, y = -2.3\nJ = digamma(x)*y + digamma(y)\n").compile(["x", "y"], engine=engine)
    value, gradient = f()
    run = gl.loads("input x = 1.3, y = -2.3\nJ = digamma(x)*y + digamma(y)\ns = diff(J, x, x) + diff(J, y, y)\noutput J, s\n").run()
    assert_same(value, run["J"])
    assert_same([gradient["x"], gradient["y"]], [run.adjoints["x"], run.adjoints["y"]])
    second = f.hessian()
    assert second["x"]["x"] + second["y"]["y"] == pytest.approx(run["s"], rel=1e-12)


WRONG = [
    ({"wrt": ["q"]}, {}, "there is no variable `q` to differentiate by"), ({"engine": "fortran"}, {}, "there is no engine `fortran`"),
    ({}, {"xx": 3.0}, "there is no leaf `xx`; did you mean `x`?"), ({}, {"W": [1.0]}, "4 entries are wanted|2 entries are wanted"),
    ({}, {"k": 3.0}, "`k` is a const"), ({}, {"x": [[1.0, 2.0, 3.0]], "W": [[[1.0] * 3] * 2] * 2}, "entries in its batch"), ({"goal": "nope"}, {}, "nope"),
]


@pytest.mark.parametrize("options, leaves, message", WRONG, ids=[w[2][:30] for w in WRONG])
def test_what_is_wrong_is_told(options, leaves, message):
    with pytest.raises(gl.GraphError, match=message):
        gl.loads(LAYER).compile(**options)(**leaves)


def test_a_leaf_without_a_value_must_be_given_one():
    f = gl.loads("J = x*y\ninput x, y = 2\n").compile(["x"])
    assert f(x=3.0) == (6.0, {"x": 2.0})
    with pytest.raises(gl.GraphError, match="no value is given for `x`"):
        f()


def test_the_source_is_readable_and_has_the_authors_names():
    source = SIMPLE.compile(["x"], engine="python").source
    assert source.startswith("def value_and_gradient(v5):\n    # v5 is x\n") and "v4 = v5*v5" in source and "# dJ/d… from u1" in source


def test_names_of_the_author_are_no_code():
    f = gl.loads("J = lambda + None_ + print_\ninput lambda = 2, None_ = 1, print_ = 3\n").compile(["lambda"])
    assert f(**{"lambda": 4.0}) == (8.0, {"lambda": 1.0})


def test_a_graph_from_python_is_compiled_too():
    g = gl.Graph()
    x = g.input("x", 2)
    g.minimize(gl.cos(gl.sin(x**2) + 3 * x**2), name="J")
    assert_same(g.compile(["x"])(x=3.0)[1]["x"], SIMPLE.run(x=3).adjoints["x"])


# ---- large scalar programs


def wide(nodes: int, seed: int) -> gl.Graph:
    """Random operations, each of two of the fifty before it; values stay near 1."""
    rng, g = Random(seed), gl.Graph()
    found = [g.input(f"x{k}", 0.3 + 0.1 * k) for k in range(10)]
    makers = [lambda a, b: gl.sin(a) + b / 2, lambda a, b: gl.tanh(a * b) + 0.5, lambda a, b: a / (b * b + 1.5), lambda a, b: gl.where(a > b, a, b**3 / (1 + b**2)),
              lambda a, b: gl.exp(gl.sin(a - b)), lambda a, b: gl.sqrt(a * a + 1) - b / 4, lambda a, b: gl.sigmoid(a) * b + gl.log1p(b * b), lambda a, b: gl.atan2(a, b * b + 1)]
    for k in range(nodes):
        found.append(g.define(f"v{k}", rng.choice(makers)(rng.choice(found[-50:]), rng.choice(found[-50:]))))
    g.output(g.sum(found[-20:]), "y")
    return g


@pytest.mark.parametrize("engine", ["python", pytest.param("numba", marks=pytest.mark.skipif(not available(), reason="Numba is not installed"))])
@pytest.mark.parametrize("seed", range(3))
def test_large_scalar_programs_have_the_numbers_of_their_runs(engine, seed):
    g = wide(700, seed)
    names = [f"x{k}" for k in range(10)]
    f, run = g.compile(names, engine=engine), g.run(wrt=names)
    for point in ({}, {"x3": -0.7, "x9": 2.5}):
        run = g.run(wrt=names, set=point)
        value, gradient = f(**point)
        assert_same(value, run["y"])
        for n in names:
            assert abs(gradient[n] - run.adjoints[n]) <= 1e-11 * max(1.0, *(abs(run.adjoints[m]) for m in names))  # 700 roundings, added in another order


def test_auto_picks_by_size_and_by_what_is_installed(monkeypatch):
    assert SIMPLE.compile(["x"]).engine == "python"
    assert wide(700, 0).compile(["x0"]).engine == ("numba" if available() else "python")
    large = "input x[2000] = 1\nparam W[100, 2000] = 1\nJ = sum(tanh(W @ x))\n"
    assert gl.loads(large).compile().engine == "numpy"
    chain = "const N = 60000\nparam w = 0.5\nh[0] = 1\nh[k] = tanh(w*h[k-1]) for k in 1..N\nJ = h[N]\n"  # steps that take an array's call each
    assert gl.loads(chain).compile().engine == ("numba" if available() else "numpy")
    monkeypatch.setattr("graphlang.compiled.find_spec", lambda name: None)
    assert wide(300, 0).compile(["x0"]).engine == "python"
    assert gl.loads("input x[2000] = 1\nJ = sum(tanh(x))\n").compile().engine == "numpy"
    with pytest.raises(gl.GraphError, match=r"needs Numba: pip install 'graphlang\[fast\]'"):
        SIMPLE.compile(["x"], engine="numba")


@pytest.mark.skipif(not available(), reason="Numba is not installed")
def test_machine_code_is_kept_on_disk(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    f = gl.loads(LAYER).compile(["x"], engine="numba")
    f(x=[1.0, 2.0, 3.0])
    folder = tmp_path / "graphlang" / "numba"
    (source,) = folder.glob("g*.py")
    assert f.source in source.read_text() and list((folder / "__pycache__").glob("*.nbc"))


@pytest.mark.skipif(not available(), reason="Numba is not installed")
def test_a_large_scalar_program_is_run_by_one_loop():
    f = wide(700, 0).compile(["x0"], engine="numba")
    assert "run by one compiled loop" in f.source and "# multiply-add: " in f.source


@each_engine
def test_other_derivatives_come_from_the_same_graph(engine):
    """H v by the hessian, J by columns, and the derivative along a direction, against a run."""
    program = gl.loads(LAYER)
    f, run = program.compile(["x", "W"], engine=engine), program.run()
    hessian = f.hessian()
    for x in ("x", "W"):
        for z in ("x", "W"):
            second = np.array(hessian[x][z])
            assert second.shape == np.array(run[z]).shape + np.array(run[x]).shape
            h = 1e-6  # differences of exact gradients: some 1e-9 right
            at = np.array(run[z], dtype=float)
            for k in np.ndindex(at.shape):
                up, down = at.copy(), at.copy()
                up[k] += h
                down[k] -= h
                slope = (np.array(f(**{z: up})[1][x]) - np.array(f(**{z: down})[1][x])) / (2 * h)
                assert np.allclose(second[k], slope, atol=1e-8)
    assert_same(f.jacobian()["W"], run.adjoints["W"])
    value, tangent = f.jvp({"x": [1.0, 0.5, -2.0], "W": [[1, 0, 0], [0, 0, 1]]})
    g = run.adjoints
    assert_same(value, run["J"])
    assert_same(tangent, g["x"][0] + 0.5 * g["x"][1] - 2 * g["x"][2] + g["W"][0][0] + g["W"][1][2])
    table = gl.loads("input x[3] = [1, 2, 3]\ny = x*sum(x)\noutput y[2]\n").compile(["x"], engine=engine)
    assert_same(table.jacobian()["x"], [[7.0, 2.0, 3.0], [1.0, 8.0, 3.0], [1.0, 2.0, 9.0]])
    assert_same(table.hessian()["x"]["x"], [[0, 1, 0], [1, 2, 1], [0, 1, 0]])
    with pytest.raises(gl.GraphError, match="there is no leaf `q`"):
        f.jvp({"q": 1.0})


@each_engine
def test_what_is_too_large_is_refused(engine):
    with pytest.raises(gl.GraphError, match="E902"):
        gl.loads("input x = 1\nJ = sum(sin(x*i*j*k) for i in 0..3000, j in 0..3000, k in 0..3000)\n").compile(engine=engine)
