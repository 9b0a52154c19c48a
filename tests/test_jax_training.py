"""Training by JAX: the same numbers as Algorithm 1 on one device, on eight, and in two processes; the work is divided; nothing waits for ever."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import graphlang as gl
from graphlang.cli.main import main

pytest.importorskip("jax")

ROOT = Path(__file__).parent.parent
LIMIT = 120  # seconds, after which a process is taken to hang

NETWORK = """
data x[1..3], t
param A[1..4, 1..3] = uniform(-0.5, 0.5), b[1..4] = zeros, w[1..4] = uniform(-0.5, 0.5)
z[j] = tanh(sum(A[j,i]*x[i] for i in 1..3) + b[j]) for j in 1..4
y = sum(w[j]*z[j] for j in 1..4)
J = (y - t)^2/2
minimize J
train {
  data: csv("network.csv"), x, t
  test: csv("test.csv"), x, t
  rate: 0.1
  epochs: 2
  batch: BATCH
  shuffle: yes
  seed: 7
  optimizer: OPTIMISER
  report: mean(J), mean(y)
}
"""
LETTERS = """
data c[1..4], t
param E[1..5, 1..2] = uniform(-1, 1), w[1..2] = [0.5, -0.25], r = 0.3
h[0] = 0
h[k] = tanh(r*h[k-1] + sum(w[i]*E[c[k],i] for i in 1..2)) for k in 1..4
J = -t*log(sigmoid(h[4])) - (1 - t)*log_sigmoid(-h[4])
minimize J
train {
  data: csv("letters.csv"), c, t
  rate: 0.1
  epochs: 2
  batch: BATCH
  shuffle: yes
  seed: 3
  optimizer: OPTIMISER
}
"""
CASES = {"recurrence and gather": (LETTERS, 16, "adam")}  # 44 examples: the last batch has 12, which 8 does not divide
COMPILED = {"divided": (NETWORK, 16, "sgd"), "undivided": (NETWORK, 12, "momentum"), **CASES}
CASE = """
import json, sys
import numpy as np
what, cases, coordinator, process, devices, out = json.loads(sys.argv[1])
if coordinator:
    from graphlang.engines.jax_processes import join
    assert join(coordinator, 2, process) == (process, 2)
import graphlang as gl
from graphlang.train.job import prepare
found = {}
for name, text in cases.items():
    options = {} if devices is None else {"devices": devices}
    if what == "train":
        done = gl.loads(text, folder=".").train("jax", **options)
        found[name] = {"params": done.params, "history": [[*e.train, *(e.test or ())] for e in done.history]}
    else:
        import jax
        from graphlang.engines.jax_training import MOST_STEPS
        job = prepare(gl.loads(text, folder="."), "jax", **options)
        s, t, batch = job.stepper, job.stepper.trained, job.training.batch
        with jax.enable_x64(True):
            params = [s.put(job.state.params[n].reshape(t.shapes[n])) for n in t.params]
            moments = [[s.put(job.state.moments[m][n].reshape(t.shapes[n])) for m in t.row.moments] for n in t.params]
            rows = s.put(np.zeros((MOST_STEPS, batch), dtype=int))
            found[name] = s.step(batch).lower(params, moments, 0.0, s.on_devices(job.train.arrays), rows, 2, 0.1).compile().as_text()
open(out, "w").write(json.dumps(found))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path, draw = tmp_path_factory.mktemp("jax"), np.random.default_rng(5)
    x, letters = draw.normal(size=(44, 3)), draw.integers(1, 6, size=(44, 4))
    np.savetxt(path / "network.csv", np.c_[x, np.sin(x.sum(1))], delimiter=",")
    np.savetxt(path / "test.csv", np.c_[x[:11] + 0.1, np.sin(x[:11].sum(1))], delimiter=",")
    np.savetxt(path / "letters.csv", np.c_[letters, letters.sum(1) % 2], delimiter=",")
    for name in ("sgd_reference.graph", "r1_train.csv", "r1_test.csv"):
        (path / name).write_text((ROOT / "programs/training" / name).read_text(encoding="utf-8"), encoding="utf-8")
    return path


def text(case: str) -> str:
    program, batch, optimiser = COMPILED[case]
    return program.replace("BATCH", str(batch)).replace("OPTIMISER", optimiser)


def environment(devices: int) -> dict:
    return {**os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu", "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}"}


def started(folder, argv: list[str], devices: int = 1) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, *argv], cwd=folder, env=environment(devices), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(*processes: subprocess.Popen) -> list[tuple[int, str, str]]:
    """Status, stdout and stderr of each; none outlives the test."""
    try:
        told = [p.communicate(timeout=LIMIT) for p in processes]
    finally:
        for p in processes:
            p.kill()
    return [(p.returncode, *t) for p, t in zip(processes, told)]


def port() -> int:
    with socket.socket() as s:
        s.bind(("localhost", 0))
        return s.getsockname()[1]


def script(folder, out: str, what="train", cases=CASES, coordinator=None, process=None, devices=None, there=1) -> subprocess.Popen:
    about = json.dumps([what, {c: text(c) for c in cases}, coordinator, process, devices, out])
    return started(folder, ["-c", CASE, about], there)


def results(folder, *outs: str, processes) -> list[dict]:
    for status, _, err in ended(*processes):
        assert status == 0, err[-3000:]
    return [json.loads((folder / o).read_text()) for o in outs]


@pytest.fixture(scope="module")
def one_device(folder) -> dict:
    return results(folder, "one", processes=[script(folder, "one")])[0]


def assert_same(found: dict, wanted: dict) -> None:
    """To 1e-10: the sums over a batch are added up in another order."""
    assert found.keys() == wanted.keys()
    for name in wanted:
        assert np.array(found[name]["history"]) == pytest.approx(np.array(wanted[name]["history"]), rel=1e-10, abs=1e-14)
        for n, value in wanted[name]["params"].items():
            assert np.array(found[name]["params"][n]) == pytest.approx(np.array(value), rel=1e-10, abs=1e-14)


# ---- one device


def test_the_reference_run_of_the_lecture_to_12_digits(folder):
    found = gl.load(folder / "sgd_reference.graph").train("jax")
    assert (*found.history[-1].train, *found.history[-1].test) == pytest.approx((0.5446232950996172, 0.8722308373070964), rel=1e-12)
    assert found.params["beta"] == pytest.approx([0.7114428666056383, 0.9606845023844742, 0.016859257470006807], rel=1e-12)
    assert found.params["alpha"][1] == pytest.approx([-0.1598894154168975, 0.3585731689731485, -0.2615912919642572], rel=1e-12)


@pytest.mark.parametrize("case", [*CASES, *(pytest.param(c, marks=pytest.mark.nightly) for c in COMPILED if c not in CASES)])
def test_one_device_learns_what_the_engine_python_learns_one_example_after_the_other(case, folder, one_device):
    found = one_device if case in one_device else results(folder, case, processes=[script(folder, case, cases=[case])])[0]
    done = gl.loads(text(case), folder=folder).train("python")
    assert_same({case: found[case]}, {case: {"params": done.params, "history": [[*e.train, *(e.test or ())] for e in done.history]}})


def test_a_goal_that_reads_no_data_has_its_whole_gradient_in_each_batch(folder):
    program = gl.loads('data t[1..3]\nparam w = 2\nJ = w^2\nminimize J\ntrain {\n  data: csv("r1_test.csv"), t\n  rate: 0.1\n  epochs: 1\n  batch: 2\n}\n', folder=folder)
    for engine in ("python", "numpy", "jax"):
        assert program.train(engine).params["w"] == pytest.approx(1.6, rel=1e-14)


# ---- several devices


def test_eight_devices_learn_what_one_does(folder, one_device):
    (found,) = results(folder, "eight", processes=[script(folder, "eight", there=8)])
    assert_same(found, one_device)


def test_two_processes_of_four_devices_learn_what_one_does_and_both_have_the_same_bits(folder, one_device):
    at = f"localhost:{port()}"
    first, second = results(folder, "p0", "p1", processes=[script(folder, f"p{k}", coordinator=at, process=k, there=4) for k in (0, 1)])
    assert_same(first, one_device)
    assert first == second


def test_xla_divides_the_examples_and_adds_up_all_gradients_at_once(folder):
    """In the compiled steps: of 16 examples each of 8 devices has 2, and one sum over the devices adds up the gradients and the loss. A batch that cannot
    be divided sends nothing."""
    (found,) = results(folder, "hlo", processes=[script(folder, "hlo", "compiled", COMPILED, there=8)])
    sent = {case: re.findall(r"= (.*) (?:all-\w+|reduce-scatter|collective-\w+)(?:-start)?\(", code) for case, code in found.items()}
    assert {case: len(s) for case, s in sent.items()} == {"divided": 1, "undivided": 0, "recurrence and gather": 1}
    assert "f64[4,3]" in sent["divided"][0] and sent["divided"][0].endswith("f64[])")
    assert "f64[2,4]" in found["divided"] and "f64[16,4]" not in found["divided"] and "f64[12,4]" in found["undivided"]


@pytest.mark.parametrize("wanted, why", [(2, "there is 1 device, not 2"), (0, "there is 1 device, not 0")])
def test_devices_that_there_are_not_are_refused(wanted, why, folder):
    import jax

    if len(jax.devices()) > 1:
        pytest.skip("this process has more devices")
    with pytest.raises(ValueError, match=why):
        gl.loads(text("divided"), folder=folder).train("jax", devices=wanted)


# ---- the command


def command(folder, *argv: str, process: int | None = None, at: str = "", devices: int = 1) -> subprocess.Popen:
    meeting = [] if process is None else ["--coordinator", at, "--processes", "2", "--process", str(process)]
    return started(folder, ["-m", "graphlang", "train", "sgd_reference.graph", "--engine", "jax", *argv, *meeting], devices)


def both(folder, *argv: str, folders=None) -> list[subprocess.Popen]:
    at = f"localhost:{port()}"
    return [command((folders or (folder, folder))[k], *argv, process=k, at=at, devices=2) for k in (0, 1)]


def arrays(path) -> dict:
    with np.load(path, allow_pickle=False) as file:
        return {n: file[n] for n in file.files}


def test_the_command_in_two_processes_learns_what_one_process_learns_and_the_first_alone_shows_and_writes_it(folder):
    """Also when it is stopped and resumed on the way."""
    alone = command(folder, "--batch", "4", "--epochs", "5", "--save", "alone.npz", "--devices", "1", "--json")
    two = both(folder, "--batch", "4", "--checkpoint", "two.check", "--checkpoint-every", "2", "--json")
    (_, shown, _), (status, out, err), second = ended(alone, *two)
    assert (status, err, second) == (0, "", (0, "", ""))
    wanted, found = ([json.loads(line) for line in told.splitlines()] for told in (shown, out))
    assert [e["event"] for e in found] == ["start", "epoch", "epoch", "checkpoint", "epoch", "epoch", "checkpoint", "stop"]
    means = [[e["train"]["mean(-J)"] for e in told if e["event"] == "epoch"] for told in (wanted, found)]
    assert means[1] == pytest.approx(means[0][:4], rel=1e-10)

    resumed = both(folder, "--batch", "4", "--epochs", "5", "--checkpoint", "two.check", "--resume", "two.check", "--save", "two.npz")
    assert [s for s, _, _ in ended(*resumed)] == [0, 0]
    wanted, found = arrays(folder / "alone.npz"), arrays(folder / "two.npz")
    assert wanted.keys() == found.keys() and all(found[n] == pytest.approx(wanted[n], rel=1e-10) for n in wanted)


def test_what_goes_wrong_in_one_process_ends_both_and_is_told_where_it_happens(folder, tmp_path):
    """The other folder has other data, or lacks them; a number that is not finite is so in both, and told once."""
    for name in ("sgd_reference.graph", "r1_train.csv"):
        (tmp_path / name).write_text((folder / name).read_text(encoding="utf-8"), encoding="utf-8")
    lacking = both(folder, folders=(folder, tmp_path))
    infinite = both(folder, "--rate", "1e308")
    first, second = ended(*lacking)
    assert first[0] == 2 and first[2] == "graphlang train: process 1 has failed: its own message says why\n"
    assert second[0] == 1 and second[2].startswith("process 1: error[E601]: there is no file `r1_test.csv`")
    first, second = ended(*infinite)
    assert first[0] == second[0] == 1 and "error[E501]: training stopped at step 2" in first[2] and second[1:] == ("", "")

    (tmp_path / "r1_test.csv").write_text((folder / "r1_test.csv").read_text())
    (tmp_path / "r1_train.csv").write_text((folder / "r1_train.csv").read_text() + "1,1,0\n")
    first, second = ended(*both(folder, folders=(folder, tmp_path)))
    assert first[0] == second[0] == 2 and "process 1 and process 0 differ in the training data" in first[2] and second[1:] == ("", "")


def running(folder, *argv: str) -> list[subprocess.Popen]:
    """Two processes that train without end, begun."""
    two = both(folder, "--epochs", "100000000", "--json", *argv)
    two[0].stdout.readline(), two[0].stdout.readline()
    return two


def test_an_interrupt_of_one_process_ends_both_after_the_same_step(folder):
    two = running(folder, "--save", "interrupted.npz")
    two[1].send_signal(signal.SIGINT)
    first, second = ended(*two)
    assert (first[0], second) == (130, (130, "", "")) and json.loads(first[1].splitlines()[-1])["reason"] == "interrupted"
    assert (folder / "interrupted.npz").exists()


def test_when_a_process_is_killed_the_other_ends_and_says_so(folder):
    two = running(folder)
    begun = time.monotonic()
    two[1].send_signal(signal.SIGTERM)
    first, second = ended(*two)
    assert (first[0], second[0]) == (1, -signal.SIGTERM) and "process 0: another process has ended" in first[2]
    assert time.monotonic() - begun < LIMIT / 2


def test_a_process_does_not_wait_for_ever_for_the_others(folder):
    code = "import sys\nfrom graphlang.engines import jax_processes\njax_processes.MEETING = 2\nfrom graphlang.cli.main import main\nsys.exit(main(sys.argv[1:]))"
    at = f"localhost:{port()}"
    ((status, out, err),) = ended(started(folder, ["-c", code, "train", "sgd_reference.graph", "--engine", "jax", "--coordinator", at, "--processes", "2", "--process", "0"]))
    assert (status, out) == (1, "") and err.splitlines()[-1] == f"graphlang: not all processes met at {at} within 2 seconds"


JAX = ("--engine", "jax")


@pytest.mark.parametrize("argv, message", [
    (("--devices", "2"), "--devices: only `--engine jax` runs on several devices"),
    (("--engine", "numpy", "--distributed"), "--distributed: only `--engine jax` runs on several devices"),
    ((*JAX, "--coordinator", "localhost:1"), "--coordinator needs --processes and --process as well"),
    ((*JAX, "--process", "0", "--distributed"), "--distributed finds out what --process says"),
    ((*JAX, "--coordinator", "here", "--processes", "2", "--process", "0"), "HOST:PORT is wanted"),
    ((*JAX, "--coordinator", "localhost:70000", "--processes", "2", "--process", "0"), "HOST:PORT is wanted"),
    ((*JAX, "--coordinator", "localhost:1", "--processes", "2", "--process", "2"), "of 2 processes the numbers are 0 to 1"),
    ((*JAX, "--devices", "0"), "--devices is 1 or greater"),
    ((*JAX, "--devices", "1000"), "not 1000; the environment variable XLA_FLAGS="),
], ids=lambda v: " ".join(v) if isinstance(v, tuple) else "")
def test_options_that_do_not_go_together_are_told(argv, message, folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    assert main(["train", "sgd_reference.graph", *argv]) == 2
    assert message in capsys.readouterr().err
