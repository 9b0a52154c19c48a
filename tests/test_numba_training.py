"""Training by Numba: what plain Python does, to the last digits but rounding, in one function for a whole epoch."""

import math
from dataclasses import replace
from random import Random

import graphlang as gl
import pytest
from graphlang.diagnostics import Span
from graphlang.engines.python_training import PythonTraining
from graphlang.engines.stepping import OPTIMISERS, State
from graphlang.graph import floats, linear
from graphlang.graph.graph import Goal, Wanted
from graphlang.graph.training import Feed, Report, Training
from graphlang.pipeline import goals_in_view
from graphlang.engines.initial import initial_values

from programs_at_random import Writer

np = pytest.importorskip("numpy")
pytest.importorskip("numba")
from graphlang.engines import numba_linear, numba_training, numba_vector  # noqa: E402
from graphlang.engines.numba_functions import polygamma  # noqa: E402
from graphlang.engines.unsupported import Unsupported  # noqa: E402
from graphlang.engines.numba_training import NumbaTraining  # noqa: E402

CLOSE = 1e-12
HERE = Span(0, 0)

LECTURE = """const M = 2, D = 2
data  x[0..M] = [1, 0.5, -1]
data  ystar = 1
param alpha[1..D, 0..M] = [[0.1, 0.2, 0.3], [-0.1, 0.4, -0.2]]
param beta[0..D] = [0.1, 0.5, -0.3]
J    = ystar*log(y) + (1 - ystar)*log(1 - y)
y    = sigmoid(b)
b    = sum(beta[j]*z[j] for j in 0..D)
z[0] = 1
z[j] = sigmoid(a[j])                      for j in 1..D
a[j] = sum(alpha[j,i]*x[i] for i in 0..M) for j in 1..D
loss = -J
maximize J
"""
CLASSES = """data x[1..9] = zeros
data t = 0
param W[9, 13] = normal(0, 0.3), c[13] = zeros, V[0..4, 13] = normal(0, 0.3), s = 1
h = tanh(W.T @ x + c)
b = s*(V @ h)
p = log_softmax(b)
J = -sum(where(t == k, p[k], 0) for k in 0..4) + 0.01*sum(V[k,j]^2 for k in 0..4, j in 1..13)
minimize J
"""
RECURRENT = """data x[1..5] = zeros
data t = 0
param w = 0.5, U[1..4, 1..4] = normal(0, 0.4), v[1..4] = [0.1, 0.3, -0.2, 0.4]
h[0,j] = 0 for j in 1..4
h[k,j] = tanh(w*x[k] + sum(U[j,i]*h[k-1,i] for i in 1..4)) for k in 1..5, j in 1..4
J = (sum(v[j]*h[5,j] for j in 1..4) - t)^2
minimize J
"""
REDUCED = """data x[1..6] = zeros
param q[1..6] = [0.1, 0.4, -0.3, 0.2, 0.7, -0.5], A[1..3, 1..3] = [[3, 0.1, 0.2], [0.3, 2, -0.4], [0.1, 0.5, 4]]
J = logsumexp(y) + std(y) + max(y) + norm(q) + slogdet(A) + 0.1*det(A) + sum(solve(A, r)) + prod(q)
y[i] = q[i]*x[i] + 0.1*i for i in 1..6
r[i] = x[i] for i in 1..3
minimize J
"""


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory):
    """Machine code of tests is not kept for the user."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def interpreted(monkeypatch):
    """The generated functions as Python, which is slow and takes no time to compile."""
    whole = numba_training.Generated.compiled
    monkeypatch.setattr(numba_training, "compile_for", lambda function, kinds: None)
    monkeypatch.setattr(numba_training.Generated, "compiled", lambda self, writer, one: whole(self, writer, one).py_func)


def training(graph, leaves=(), goal=None, batch=1, optimizer="sgd", parameters=(), reports=("J",)):
    goal = goal or goals_in_view(graph, graph, None)[0]
    return Training(goal, Wanted("csv", "train.csv", HERE), tuple(Feed(n, (), (), HERE) for n in leaves), graph.pool.number(0.1), 1, batch, False, 0,
                    tuple(Report(f"mean({r})", graph.pool.read(r), HERE) for r in reports), HERE, optimizer=optimizer, parameters=parameters)


def state(graph, told, start=None):
    start = start or initial_values(graph, {})[0]
    params = {n: np.array(start[n]) for n, v in graph.variables.items() if v.role == "param"}
    return State(params, {m: {n: np.zeros_like(a) for n, a in params.items()} for m in OPTIMISERS[told.optimizer].moments})


def trained(engine, graph, told, examples, rows, rate=0.005, epochs=2):
    """Losses, the values of all reports, and the params."""
    made, at = engine(graph, told), state(graph, told)
    with np.errstate(all="ignore"):
        losses = [made.run(at, examples, np.array(rows, dtype=np.int64), told.batch, rate) for _ in range(epochs)]
        return np.concatenate(losses), made.values(at.params, examples), at.params, at


def assert_close(found, wanted, close=CLOSE):
    for a, b in zip(found, wanted):
        scale = max(1.0, np.max(np.abs(b[np.isfinite(b)]), initial=0.0))
        assert a.shape == b.shape
        assert ((a == b) | (np.isnan(a) & np.isnan(b)) | (np.abs(a - b) <= close * scale)).all(), (a, b)


def assert_as_in_python(graph, told, examples, rows, close=CLOSE):
    found, wanted = trained(NumbaTraining, graph, told, examples, rows), trained(PythonTraining, graph, told, examples, rows)
    assert_close([*found[:2], *found[2].values()], [*wanted[:2], *wanted[2].values()], close)
    assert_close([a for of in found[3].moments.values() for a in of.values()], [a for of in wanted[3].moments.values() for a in of.values()], close)
    assert found[3].steps == wanted[3].steps


def drawn(graph, leaves, count=7, seed=0):
    """Examples; those of a leaf of one element are classes."""
    rng = np.random.default_rng(seed)
    return {n: rng.normal(size=(count, graph.variables[n].size)) if graph.variables[n].ranges else rng.integers(0, 2, (count, 1)).astype(float) for n in leaves}


# ---- the lecture's reference run


def test_the_reference_run_of_the_lecture_to_its_last_digits():
    graph = gl.loads(LECTURE).graph
    told = training(graph, ("x", "ystar"), reports=("loss",))
    made, at = NumbaTraining(graph, told), state(graph, told)
    train = {"x": np.array([[1.0, 0, 0], [1, 0, 1], [1, 1, 0], [1, 1, 1]]), "ystar": np.array([[0.0], [1], [1], [1]])}
    test = {"x": np.array([[1, 0.2, 0.1], [1, 0.9, 0.3]]), "ystar": np.array([[0.0], [1]])}
    wanted = [(0.6341002568831542, 0.6979583373288702), (0.5531510003036265, 0.7772047330904849), (0.5449372482927209, 0.8392063809370293), (0.5446232950996172, 0.8722308373070964)]
    for epoch, pair in enumerate(wanted):
        if epoch:
            losses = made.run(at, train, np.arange(4), 1, 0.5)
            assert losses.shape == (4,) and at.steps == 4 * epoch
        for examples, mean in zip((train, test), pair):
            assert abs(made.values(at.params, examples).mean() - mean) <= CLOSE
    alpha = [0.1497243308427822, 0.35361843491269207, 0.4474259510946539, -0.1598894154168975, 0.3585731689731485, -0.2615912919642572]
    assert_close([at.params["alpha"], at.params["beta"]], [np.array(alpha), np.array([0.7114428666056383, 0.9606845023844742, 0.016859257470006807])])


# ---- as plain Python does it

SETTINGS = [("sgd", 1), ("sgd", 3), ("momentum", 1), ("momentum", 4), ("adam", 1), ("adam", 2)]
PROGRAMS = {"lecture": (LECTURE, ("x", "ystar")), "classes": (CLASSES, ("x", "t")), "recurrent": (RECURRENT, ("x", "t")), "reduced": (REDUCED, ("x",))}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("optimizer, batch", SETTINGS)
def test_training_is_as_in_python(name, optimizer, batch, interpreted):
    text, leaves = PROGRAMS[name]
    graph = gl.loads(text).graph
    for goal in (None, Goal("maximize", "J")):
        assert_as_in_python(graph, training(graph, leaves, goal, batch, optimizer), drawn(graph, leaves), [3, 0, 6, 1, 5, 2, 4])


@pytest.mark.parametrize("name, optimizer, batch", [("classes", "sgd", 1), ("recurrent", "adam", 3)])
def test_machine_code_has_the_same_numbers(name, optimizer, batch):
    text, leaves = PROGRAMS[name]
    graph = gl.loads(text).graph
    told = training(graph, leaves, None, batch, optimizer)
    assert_as_in_python(graph, told, drawn(graph, leaves), [3, 0, 6, 1, 5, 2, 4])
    first, again = (trained(NumbaTraining, graph, told, drawn(graph, leaves), range(7)) for _ in range(2))
    assert all((a == b).all() for a, b in zip([*first[:2], *first[2].values()], [*again[:2], *again[2].values()]))


def test_the_parameters_of_an_optimiser_are_its_own(interpreted):
    graph = gl.loads(CLASSES).graph
    for optimizer, parameters in (("momentum", (0.5,)), ("adam", (0.8, 0.99, 1e-3))):
        assert_as_in_python(graph, training(graph, ("x", "t"), None, 2, optimizer, parameters), drawn(graph, ("x", "t")), range(7))


def random_case(seed):
    """A random program whose leaves are params and data, and how it is trained; None where there are no data."""
    random = Random(seed)
    graph = gl.loads(Writer(Random(seed), linear=seed % 3 == 0).program(1 + seed % 5)).graph
    roles = {n: v.role if v.role == "data" else "param" if random.random() < 0.6 else "input" for n, v in graph.variables.items() if v.is_leaf and v.role != "const"}
    graph = replace(graph, variables={n: replace(v, role=roles.get(n, v.role)) for n, v in graph.variables.items()}, pieces={}, plans=[])
    goal = goals_in_view(graph, graph, None)[0]
    goal = goal._replace(kind=random.choice(["minimize", "maximize"]))
    optimizer, batch = random.choice([*SETTINGS[:4], ("sgd", 1)])  # adam divides what is 0 but for rounding by its own size
    leaves = [n for n, role in roles.items() if role == "input"]
    start, rng = initial_values(graph, {})[0], np.random.default_rng(seed)
    examples = {n: np.array(start[n]) + rng.uniform(-0.1, 0.1, (5, graph.variables[n].size)) for n in leaves}
    reports = () if graph.variables[goal.name].ranges else (goal.name,)
    return (graph, training(graph, leaves, goal, batch, optimizer, (), reports), examples) if leaves else None


def assert_random_programs_agree(seeds):
    refused = 0
    for seed in seeds:
        case = random_case(seed)
        if case is not None:
            try:
                assert_as_in_python(*case, [3, 0, 1, 4, 2], close=1e-11)
            except Unsupported as e:
                assert "ragged" in str(e)
                refused += 1
    assert refused <= len(seeds) // 20


@pytest.mark.parametrize("block", range(4))
def test_random_programs_are_trained_as_in_python(block, interpreted):
    assert_random_programs_agree(range(block * 15, block * 15 + 15))


@pytest.mark.nightly
@pytest.mark.parametrize("block", range(50))
def test_many_random_programs_are_trained_as_in_python(block):
    assert_random_programs_agree(range(1000 + block * 10, 1000 + block * 10 + 10))


# ---- what is generated


def source(text, leaves, **options):
    graph = gl.loads(text).graph
    return NumbaTraining(graph, training(graph, leaves, **options)).source


def test_a_matrix_is_read_along_its_rows_whichever_way_it_is_multiplied(interpreted):
    text = "data x[20] = zeros\nparam W{} = zeros, b[30] = zeros\ny = {} @ x\nJ = sum((y[i] - b[i])^2 for i)\nminimize J\n"
    along = source(text.format("[30, 20]", "W"), ("x",))
    across = source(text.format("[20, 30]", "W.T"), ("x",))
    for text, width in ((along, 20), (across, 30)):
        inner = [line for line in text.splitlines() if "v1[" in line]  # W, with one index by itself and one times the length of a row
        assert inner and all(f"{width}*i" in line or f"{4 * width}*i" in line for line in inner)
        loops = [line.split()[1] for k, line in enumerate(text.splitlines()) for below in text.splitlines()[k + 1 : k + 2] if "v1[" in below and "for" in line]
        assert all(f"v1[{name} " in text for name in loops)


def test_one_example_a_step_needs_no_gradient_beside_a_param(interpreted):
    one, many = source(LECTURE, ("x", "ystar")), source(LECTURE, ("x", "ystar"), batch=2)
    assert "dJ/dalpha" not in one and "# alpha is changed" in one and "dJ/dalpha" in many
    regular = source(LECTURE.replace("maximize J", "L = J - 0.1*sum(beta[j]^2 for j in 0..D)\nmaximize L"), ("x", "ystar"))
    assert "dL/dbeta" in regular and "dL/dalpha" not in regular  # its own gradient reads beta, which must be the old one for all of it


def test_all_params_are_changed_after_all_gradients(interpreted):
    lines = source(CLASSES, ("x", "t")).splitlines()
    first = next(k for k, line in enumerate(lines) if "is changed" in line)
    assert not any("# dJ/d" in line for line in lines[first:])


def test_the_source_has_the_authors_names(interpreted):
    text = source(LECTURE, ("x", "ystar"))
    assert "# v2 is alpha" in text and "# dJ/d… from y" in text and "losses[k] = " in text


def test_rows_that_are_no_examples_are_refused(interpreted):
    graph = gl.loads(LECTURE).graph
    told = training(graph, ("x", "ystar"))
    made = NumbaTraining(graph, told)
    for rows in ([0, 7], [-1]):
        with pytest.raises(IndexError, match="there are 7 examples"):
            made.run(state(graph, told), drawn(graph, ("x", "ystar")), np.array(rows), 1, 0.1)


def test_what_has_no_code_is_refused(interpreted):
    ragged = "data x = 1\nparam w[1..3] = [1, 2, 3]\nJ = sum(softmax(w[i]*x for i in 1..3, j in i..3)[1,2] for k in 1..2)\nminimize J\n"
    try:
        graph = gl.loads(ragged).graph
    except gl.GraphError:
        graph = gl.loads("data x = 1\nparam w[1..3] = [1, 2, 3]\nJ = prod(w[i]*x + j for i in 1..3, j in i..3)\nminimize J\n").graph
    with pytest.raises(Unsupported, match="ragged"):
        NumbaTraining(graph, training(graph, ("x",)))


def test_machine_code_is_kept_on_disk(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    graph = gl.loads("data x = 1\nparam w = 2\nJ = (w*x - 1)^2\nminimize J\n").graph
    made = NumbaTraining(graph, training(graph, ("x",)))
    folder = tmp_path / "graphlang" / "numba"
    assert any(made.source in path.read_text() for path in folder.glob("g*.py")) and list((folder / "__pycache__").glob("*.nbc"))
    again = NumbaTraining(graph, training(graph, ("x",)))
    assert again.runs[True].function.stats.cache_hits


# ---- what the generated code calls


@pytest.mark.parametrize("name, reference", [("exp", floats.exp), ("log", floats.log), ("tanh", math.tanh), ("sigmoid", floats.sigmoid), ("sech", floats.sech), ("silu", floats.silu)])
def test_functions_without_branches_are_those_of_the_library(name, reference):
    f, rng = getattr(numba_vector, name), np.random.default_rng(0)
    wide = [*rng.uniform(-745, 710, 300), *rng.uniform(-3, 3, 300), *(10 ** rng.uniform(-320, 300, 300)), *(-(10 ** rng.uniform(-320, 2, 100)))]
    for v in [*wide, 0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, 709.78, 709.79, -745.13, -745.14]:
        found, wanted = f(float(v)), reference(float(v))
        assert found == wanted or (found != found and wanted != wanted) or abs(found - wanted) <= 4 * math.ulp(wanted), (v, found, wanted)
        assert math.copysign(1, found) == math.copysign(1, wanted) or wanted != wanted


MATRICES = {"regular": lambda a: a, "singular": lambda a: np.concatenate([a[:1] * 2, a[:-1]]), "nearly singular": lambda a: np.concatenate([a[:1] + 1e-13, a[:-1]]),
            "of rank 1": lambda a: np.outer(a[0], a[-1].round(1)), "large and small": lambda a: np.ldexp(a, [[40 * k - 60] for k in range(len(a))]), "zero": lambda a: 0 * a}  # fmt: skip


@pytest.mark.parametrize("kind", MATRICES)
def test_linear_algebra_has_the_digits_of_exact_arithmetic(kind):
    rng = np.random.default_rng(1)
    for n in (1, 2, 3, 5):
        values = np.ascontiguousarray(MATRICES[kind](rng.normal(size=(n, n))), dtype=float).ravel()
        right, out, x = rng.normal(size=n), np.empty(n * n), np.empty(n)
        assert_relative(numba_linear.determinant(values), linear.determinant(values.tolist()), float(np.max(np.abs(values))) ** n)
        assert_relative(numba_linear.log_determinant(values), linear.log_determinant(values.tolist()))
        numba_linear.inverse(values, out)
        assert_relative(out, linear.inverse(values.tolist()))
        numba_linear.cofactors(values, out)
        assert_relative(out, linear.cofactors(values.tolist()), float(np.max(np.abs(values))) ** (n - 1))
        numba_linear.solution(np.concatenate([values, right]), x)
        assert_relative(x, linear.solution([*values.tolist(), *right.tolist()]))


def assert_relative(found, wanted, scale=0.0):
    """`scale`: of the products that were added up, where they may leave 0."""
    found, wanted = np.atleast_1d(found), np.atleast_1d(wanted)
    scale = max(1e-18 * scale, 1e-12 * np.max(np.abs(wanted[np.isfinite(wanted)]), initial=0.0))
    with np.errstate(invalid="ignore"):
        assert ((found == wanted) | (np.isnan(found) & np.isnan(wanted)) | (np.abs(found - wanted) <= scale)).all(), (found, wanted)


def test_polygamma_is_that_of_the_reference():
    for n in range(7):
        for v in (0.1, 0.5, 1.0, 3.3, 15.5, 1000.0, -0.5, -3.3, math.inf, -2.0, math.nan):
            assert_relative(polygamma(float(n), v), floats.polygamma(n, v))
