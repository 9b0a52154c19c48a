"""Training: Algorithm 1 of the lecture to 12 digits, the same bits whenever it is stopped and resumed, optimisers by their formulas, and
the cause of a number that is not finite."""

import math
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import graphlang as gl
from graphlang.train.checkpoint import Checkpoint, Kept
from graphlang.train.events import Epoch, Steps, Stopped, Warned
from graphlang.train.job import prepare
from graphlang.train.loop import epochs

ENGINES = [e for e in ("python", "numpy", "numba", "jax") if find_spec(f"graphlang.engines.{e}_training") and (e in ("python", "numpy") or find_spec(e))]
QUICK = [pytest.param(e, marks=pytest.mark.nightly) if e == "jax" else e for e in ENGINES]  # it compiles for seconds

NETWORK = """
const M = 2, D = 2
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
maximize J
train {
  data: csv("train.csv"), x[1..M], ystar
  test: csv("test.csv")
  rate: 0.5
  epochs: 3
  report: mean(-J)
}
"""
R1 = {  # epoch: mean cross-entropy over the training and the test set, and of training when the sign is wrong
    0: (0.6341002568831542, 0.6979583373288702, 0.6341),
    1: (0.5531510003036265, 0.7772047330904849, 0.785705),
    2: (0.5449372482927209, 0.8392063809370293, 1.321819),
    3: (0.5446232950996172, 0.8722308373070964, 2.842902),
}
ALPHA = [[0.1497243308427822, 0.35361843491269207, 0.4474259510946539], [-0.1598894154168975, 0.3585731689731485, -0.2615912919642572]]
BETA = [0.7114428666056383, 0.9606845023844742, 0.016859257470006807]

LINE = """
data x = 1, t = 1
param w = 0.3, b = -0.2
J = (w*x + b - t)^2
minimize J
"""


def program(folder: Path, text: str, **files: str) -> gl.Program:
    for name, rows in files.items():
        (folder / f"{name}.csv").write_text(rows, encoding="utf-8")
    return gl.loads(text, folder=folder)


def r1(folder: Path, text: str = NETWORK) -> gl.Program:
    return program(folder, text, train="0,0,0\n0,1,1\n1,0,1\n1,1,1\n", test="0.2,0.1,0\n0.9,0.3,1\n")


def line(folder: Path, block: str, rows: int = 10, head: str = LINE) -> gl.Program:
    """A straight line, and a train block with further entries."""
    data = "".join(f"{k / 10},{1 - k / 7 + (k % 3) / 10}\n" for k in range(rows))
    return program(folder, head + "train {\n  data: csv(\"line.csv\"), x, t\n" + block + "\n}\n", line=data)


# ---- Algorithm 1


@pytest.mark.parametrize("engine", ENGINES)
def test_the_reference_run_of_the_lecture_to_12_digits(engine, tmp_path):
    done = r1(tmp_path).train(engine)
    assert done.engine == engine and done.stopped == "epochs" and done.warnings == ()
    for e in done.history:
        assert (*e.train, *e.test) == pytest.approx(R1[e.epoch][:2], rel=1e-12, abs=0)
    assert np.array(done.params["alpha"]) == pytest.approx(np.array(ALPHA), rel=1e-12)
    assert done.params["beta"] == pytest.approx(BETA, rel=1e-12)


def test_a_log_likelihood_that_is_descended_is_warned_of_and_gets_worse_as_the_lecture_shows(tmp_path):
    done = r1(tmp_path, NETWORK.replace("maximize", "minimize")).train("python")
    assert [e.train[0] for e in done.history] == pytest.approx([R1[k][2] for k in range(4)], abs=1e-6)
    (warning,) = done.warnings
    assert (warning.code, warning.severity) == ("W401", "warning")
    assert "`log` in it and is negative at each of the 4 examples" in warning.text
    assert warning.hints[0] == "`maximize J`"


@pytest.mark.parametrize("head", [LINE, LINE.replace("(w*x + b - t)^2", "-log(sigmoid(w*x + b))"), LINE.replace("minimize J", "maximize J").replace("(w*x + b - t)^2", "log(sigmoid(w*x + b))")],
                         ids=["no logarithm", "with its minus sign", "ascended"])
def test_nothing_else_is_warned_of(head, tmp_path):
    assert "W401" not in [d.code for d in line(tmp_path, "  rate: 0.1\n  epochs: 1", head=head).train("python").warnings]


def test_both_gradients_are_taken_before_either_param_changes(tmp_path):
    done = program(tmp_path, "data x\nparam a = 2, b = 3\nJ = a*b*x\nminimize J\ntrain {\n  data: csv(\"d.csv\"), x\n  rate: 1\n  epochs: 1\n}\n", d="1\n").train("python")
    assert done.params == {"a": -1.0, "b": 1.0}


def test_the_gradient_of_a_batch_is_that_of_its_mean_and_the_last_batch_may_be_smaller(tmp_path):
    done = line(tmp_path, "  rate: 0.1\n  epochs: 1\n  batch: 4").train("python")
    data = np.loadtxt(tmp_path / "line.csv", delimiter=",")
    w, b = 0.3, -0.2
    for part in (data[:4], data[4:8], data[8:]):
        error = w * part[:, 0] + b - part[:, 1]
        w, b = w - 0.1 * (2 * error * part[:, 0]).mean(), b - 0.1 * (2 * error).mean()
    assert (done.params["w"], done.params["b"]) == pytest.approx((w, b), rel=1e-13)
    assert done.history[-1].step == 3


def test_a_rate_may_depend_on_the_epoch(tmp_path):
    done = line(tmp_path, "  rate: where(epoch < 3, 0.1, 0.1/epoch)\n  epochs: 4").train("python")
    assert [e.rate for e in done.history] == [None, 0.1, 0.1, 0.1 / 3, 0.025]


def by_hand(optimiser: str, data, steps: int, rate: float):
    """(w, b) after steps over the examples one by one."""
    p, m, v = np.array([0.3, -0.2]), np.zeros(2), np.zeros(2)
    for t in range(1, steps + 1):
        x, y = data[(t - 1) % len(data)]
        g = 2 * (p[0] * x + p[1] - y) * np.array([x, 1])
        if optimiser.startswith("momentum"):
            m = (0.9 if optimiser == "momentum" else 0.5) * m + g
            p = p - rate * m
        else:
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            p = p - rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return p


@pytest.mark.parametrize("engine", QUICK)
@pytest.mark.parametrize("optimiser", ["momentum", "momentum(mu=0.5)", "adam"])
def test_optimisers_follow_their_formulas(optimiser, engine, tmp_path):
    done = line(tmp_path, f"  rate: 0.02\n  epochs: 3\n  optimizer: {optimiser}").train(engine)
    data = np.loadtxt(tmp_path / "line.csv", delimiter=",")
    assert [done.params["w"], done.params["b"]] == pytest.approx(by_hand(optimiser, data, 30, 0.02), rel=1e-11)


def test_patience_ends_with_the_goals_own_mean_whatever_is_reported(tmp_path):
    """In the reference run the cross-entropy of the test set is best before training."""
    text = NETWORK.replace("epochs: 3", "epochs: 30\n  patience: 2").replace("report: mean(-J)", "report: mean(y)")
    done = r1(tmp_path, text).train("python")
    assert (done.stopped, done.history[-1].epoch, done.reports) == ("patience", 2, ("mean(y)",))
    assert all(len(e.train) == len(e.test) == 1 for e in done.history)
    assert r1(tmp_path, text.replace("patience: 2", "patience: 100")).train("python").history[-1].epoch == 30


# ---- the same bits


SHUFFLED = "  rate: 0.1/epoch\n  epochs: 5\n  shuffle: yes\n  optimizer: adam"


def bits(job) -> tuple:
    return (*(a.tobytes() for a in job.state.params.values()), *(a.tobytes() for of in job.state.moments.values() for a in of.values()), job.state.steps, tuple(job.history))


@pytest.mark.parametrize("engine", QUICK)
def test_the_same_program_data_and_seed_give_the_same_bits(engine, tmp_path):
    runs = []
    for _ in range(2):
        job = prepare(line(tmp_path, SHUFFLED), engine)
        for _ in epochs(job):
            pass
        runs.append(bits(job))
    assert runs[0] == runs[1]


def test_each_epoch_has_an_order_of_its_own_which_the_seed_decides(tmp_path):
    job, other = prepare(line(tmp_path, SHUFFLED), "python"), prepare(line(tmp_path, SHUFFLED + "\n  seed: 1"), "python")
    orders = [tuple(j.order(k)) for j in (job, other) for k in (1, 2, 3)]
    assert len(set(orders)) == 6 and all(sorted(o) == list(range(10)) for o in orders)
    assert tuple(job.order(2)) == orders[1]


@pytest.mark.parametrize("engine", QUICK)
def test_a_training_of_50_steps_that_is_resumed_at_any_of_them_ends_with_the_same_bits(engine, tmp_path):
    made = line(tmp_path, SHUFFLED)
    whole = prepare(made, engine)
    files = []
    for event in epochs(whole, Checkpoint(str(tmp_path / "now"), 1)):
        if type(event) is Steps:
            files.append(None)
        elif type(event).__name__ == "Kept":
            files[-1] = (tmp_path / "now").read_bytes()
    assert len(files) == 50
    for k, data in enumerate(files, 1):
        if engine not in ("python", "numpy") and k not in (1, 10, 27, 49):
            continue  # it takes long to be compiled so often
        (tmp_path / "then").write_bytes(data)
        job = prepare(made, engine)
        Kept(str(tmp_path / "then")).resume(job)
        assert job.state.steps == k
        for _ in epochs(job):
            pass
        assert bits(job) == bits(whole), f"resumed at step {k}"


def test_a_training_that_is_stopped_at_any_moment_ends_with_the_same_bits(tmp_path):
    """`stop` becomes true when it was asked for the k-th time, wherever that is."""
    made = line(tmp_path, "  rate: 0.1\n  epochs: 3\n  shuffle: yes\n  optimizer: momentum", rows=4)
    whole = prepare(made, "python")
    list(epochs(whole))
    for k in range(1, 12):
        asked = iter(range(k))
        job, file = prepare(made, "python"), str(tmp_path / f"c{k}")
        last = list(epochs(job, Checkpoint(file), lambda: next(asked, None) is None))[-1]
        assert type(last) is Stopped
        again = prepare(made, "python")
        Kept(file).resume(again)
        list(epochs(again))
        assert bits(again) == bits(whole)


def test_more_epochs_may_follow_a_finished_training(tmp_path):
    made, file = line(tmp_path, SHUFFLED), str(tmp_path / "c")
    list(epochs(prepare(made, "python", epochs=2), Checkpoint(file)))
    job, whole = prepare(made, "python"), prepare(made, "python")
    Kept(file).resume(job)
    list(epochs(job))
    list(epochs(whole))
    assert bits(job) == bits(whole)


@pytest.mark.parametrize("name, change", [
    ("the program", dict(head=LINE.replace("(w*x + b - t)^2", "(w*x + b - t)^2/2"))), ("the training data", dict(rows=9)), ("seed", dict(block=SHUFFLED + "\n  seed: 3")),
    ("rate", dict(block=SHUFFLED.replace("0.1/epoch", "0.2"))), ("batch", dict(block=SHUFFLED + "\n  batch: 2")), ("optimizer", dict(block=SHUFFLED.replace("adam", "momentum"))),
    ("reports", dict(block=SHUFFLED + "\n  report: mean(w)")), ("engine", dict(engine="numpy")), ("the values of other leaves", dict(head=LINE + "\nc = sum(k[i] for i in 1..2)\ndata k[1..2] = [1, 2]\n", then="[3, 2]")),
])
def test_a_checkpoint_of_another_training_is_refused_with_what_is_different(name, change, tmp_path):
    change = dict(change)
    engine, then = change.pop("engine", "python"), change.pop("then", None)
    block = change.pop("block", SHUFFLED)
    first = line(tmp_path, SHUFFLED, **({"head": change["head"]} if then else {}))
    list(epochs(prepare(first, "python"), Checkpoint(str(tmp_path / "c"))))
    other = line(tmp_path, block, **change)
    job = prepare(other, engine, given={"k": [3, 2]} if then else None)
    with pytest.raises(gl.UsageError, match=f"c: {name} (is|are) not what (it was|they were)"):
        Kept(str(tmp_path / "c")).resume(job)


def test_what_changes_no_number_does_not_matter_to_a_checkpoint(tmp_path):
    list(epochs(prepare(line(tmp_path, SHUFFLED), "python"), Checkpoint(str(tmp_path / "c"))))
    job = prepare(line(tmp_path, SHUFFLED.replace("epochs: 5", "epochs: 7"), head="# a remark\n" + LINE.replace("w*x + b", "w * x+b") + "expect J > 0\n"), "python")
    Kept(str(tmp_path / "c")).resume(job)
    assert job.epoch == 6


# ---- numbers that are not finite


def failure(made: gl.Program, **options) -> gl.Diagnostic:
    with pytest.raises(gl.GraphError) as caught:
        made.train("python", **options)
    return caught.value.diagnostics[0]


def test_a_value_that_is_not_finite_is_told_with_the_example_the_equation_and_the_operand(tmp_path):
    text = "data x\nparam w = 1\nJ = w*log(x)\nminimize J\ntrain {\n  data: csv(\"d.csv\"), x\n  rate: 0.1\n  epochs: 2\n}\n"
    d = failure(program(tmp_path, text, d="x\n1\n2\n-3\n4\n"))
    assert d.message.startswith("before training, `mean(J)` over the training set is not finite: `J` has no finite value: ")
    assert d.text == "log(-3)"
    assert "the example is in `d.csv`, line 4" in d.notes and "it has x = -3" in d.notes
    assert not any("--ieee" in h for h in d.hints)


def test_a_step_that_fails_names_the_example_of_the_batch(tmp_path):
    """log(w) after w has become negative: only at the second example of a later batch."""
    text = "data x, t\nparam w = 1\nJ = w*t + where(x > 0, log(w), 0)*0\nminimize J\ntrain {\n  data: csv(\"d.csv\"), x, t\n  rate: 1\n  epochs: 1\n  batch: 2\n  report: mean(w)\n}\n"
    d = failure(program(tmp_path, text.replace("report: mean(w)", "report: mean(t)"), d="-1,2\n-1,2\n-1,0\n1,0\n"))
    assert d.message.startswith("training stopped at step 2, in epoch 1: `J` has no finite value")
    assert "log(-1)" in d.text and "at the example in `d.csv`, line 4" in d.notes


def test_params_that_grow_beyond_all_bounds_have_the_rate_as_their_cause(tmp_path):
    d = failure(line(tmp_path, "  rate: 1e200\n  epochs: 5"))
    assert d.message.startswith("training stopped at step 2, in epoch 1: ") or d.message.startswith("training stopped at step 3, in epoch 1: ")
    assert any("--rate 1e+199" in h for h in d.hints)


def test_a_derivative_that_is_not_finite_is_told_as_one(tmp_path):
    text = "data x\nparam w = 0\nJ = sqrt(w*x)\nminimize J\ntrain {\n  data: csv(\"d.csv\"), x\n  rate: 0.1\n  epochs: 1\n}\n"
    d = failure(program(tmp_path, text, d="1\n2\n"))
    assert d.code == "E504" and d.message.startswith("training stopped at step 1, in epoch 1: `dJ/dw` is not finite")
    assert "the example is in `d.csv`, line 1" in d.notes


def test_an_update_that_overflows_names_the_param(tmp_path):
    text = "data x\nparam w = 1, v[1..2] = [1, 1]\nJ = -v[2]*x\nminimize J\ntrain {\n  data: csv(\"d.csv\"), x\n  rate: 1e300\n  epochs: 1\n  report: mean(x)\n}\n"
    d = failure(program(tmp_path, text, d="1e10\n1\n"))
    assert d.message == "training stopped at step 1, in epoch 1: the update makes `v` too large for a float64"
    assert d.text == "element 2 of 2: 1 before"


# ---- from Python


def test_training_from_python_gives_params_that_a_run_takes(tmp_path):
    made, seen = r1(tmp_path), []
    done = made.train("python", epochs=1, on_event=lambda e: seen.append(type(e)))
    assert seen[0] is Epoch and seen[-1] is Stopped and Steps in seen and Warned not in seen
    assert repr(done) == "<trained for 1 epochs, 4 steps, by python: mean(-J) = 0.553151>"
    again = made.train("python", epochs=2, init=done)
    whole = made.train("python", epochs=3)
    assert again.params == whole.params
    run = made.run(set=done.params)
    assert run["alpha"] == done.params["alpha"] and math.isfinite(run["J"])


@pytest.mark.parametrize("options, message", [
    (dict(engine="fortran"), "there is no engine `fortran`: python, numpy, numba, jax, or auto"),
    (dict(epochs=-1), "epochs: a whole number, 0 or greater, is wanted, not -1"), (dict(batch=0), "batch: a whole number, 1 or greater, is wanted, not 0"),
    (dict(rate=0.0), "rate: a number greater than 0 is wanted, not 0.0"), (dict(set={"x": 3}), "`x` is filled by the columns of the data"),
    (dict(init={"x": 3}), "init: `x` is no param of the program"),
])
def test_options_that_cannot_be_are_refused(options, message, tmp_path):
    with pytest.raises(gl.UsageError) as caught:
        line(tmp_path, "  rate: 0.1\n  epochs: 1").train(**options)
    assert str(caught.value) == message


def test_values_from_outside_hold_in_training(tmp_path):
    head = LINE.replace("J = (w*x + b - t)^2", "data scale = 2\nJ = scale*(w*x + b - t)^2")
    made = line(tmp_path, "  rate: 0.1\n  epochs: 1", head=head)
    assert made.train("python", set={"scale": 1}).params == line(tmp_path, "  rate: 0.1\n  epochs: 1").train("python").params
    assert made.train("python", set={"w": 1}, epochs=0).params["w"] == 1.0


def test_a_package_that_is_missing_is_named_with_how_to_get_it(tmp_path, monkeypatch):
    import graphlang.train.steppers as steppers

    monkeypatch.setattr(steppers, "find_spec", lambda name: None if name == "numba" else find_spec(name))
    with pytest.raises(gl.UsageError, match=r"the engine `numba` needs a package that is not installed: pip install 'graphlang\[fast\]'"):
        line(tmp_path, "  rate: 0.1\n  epochs: 1").train("numba")


def test_little_work_is_done_in_plain_python(tmp_path):
    assert line(tmp_path, "  rate: 0.1\n  epochs: 1").train().engine == "python"


@pytest.mark.nightly
@pytest.mark.parametrize("engine", ENGINES)
def test_95_of_100_digits_that_were_never_seen_are_read_right(engine):
    done = gl.load(Path(__file__).parent.parent / "programs/training/digits.graph").train(engine, epochs=10)
    assert done.reports == ("mean(J)", "mean(hit)") and done.history[-1].test[1] > 0.95
