"""`graphlang train`: what it shows on a terminal, in a pipe and as JSON; files that are written whole or not at all; Ctrl-C, kill and resume."""

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from graphlang.cli.main import main
from graphlang.cli.train_command import EXAMPLES

ROOT = Path(__file__).parent.parent
LINE = """data x, t
param w = 0.5, b[1..2] = [0, 1]
J = (w*x + b[1] + b[2] - t)^2/2
minimize J
train {
  data: csv("line.csv"), x, t
  rate: 0.1
  epochs: 3
  shuffle: yes
  optimizer: momentum
}
"""
DATA = "".join(f"{k / 8},{k % 5 - 1}\n" for k in range(20))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "dumb")
    for name in ("FORCE_COLOR", "NO_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "line.graph").write_text(LINE)
    (tmp_path / "line.csv").write_text(DATA)
    return tmp_path


def ran(capsys, *argv: str, status: int = 0) -> str:
    """What it writes; nothing to stderr where all is well."""
    assert main(["train", "line.graph", *argv]) == status
    got = capsys.readouterr()
    assert not got.err or status
    return got.out if not status else got.err


def process(*argv: str, **options) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-m", "graphlang", "train", "line.graph", *argv], env={**os.environ, "PYTHONPATH": str(ROOT)},
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def documents(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def arrays(path) -> dict[str, list]:
    with np.load(path, allow_pickle=False) as file:
        return {n: file[n].tolist() for n in file.files}


# ---- what is shown


def test_the_worked_example_of_the_help_shows_what_comes_out(folder, capsys):
    program, rest = re.search(r"in line.graph:\n\n(.*?)\n\nand in line.csv:\n\n(.*)", EXAMPLES, re.DOTALL).groups()
    rows, shown = re.search(r"(.*?)\n\n  \$ graphlang train line.graph --plain\n(.*?)\n\nexamples:", rest, re.DOTALL).groups()
    (folder / "line.graph").write_text(textwrap.dedent(program) + "\n")
    (folder / "line.csv").write_text(textwrap.dedent(rows) + "\n")
    assert [line.rstrip() for line in ran(capsys, "--plain").splitlines()] == [line[4:] for line in shown.splitlines()]


def test_a_pipe_gets_lines_and_no_signs_of_a_terminal(capsys):
    out = ran(capsys)
    assert re.findall(r"^ +(\d) +[\d.]+$", out, re.MULTILINE) == ["0", "1", "2", "3"]
    assert "\x1b" not in out and "\r" not in out and "●" not in out
    assert "●" in ran(capsys, "--curve") and "*" in ran(capsys, "--curve", "--plain").partition("epochs")[2]


def test_quiet_says_nothing(capsys):
    assert ran(capsys, "--quiet") == ""


def test_json_is_one_document_a_line_and_its_numbers_are_exact(capsys):
    start, *rest, stop = documents(ran(capsys, "--json", "--checkpoint", "c"))
    assert [d["event"] for d in (start, *rest, stop)] == ["start", "epoch", *["epoch", "checkpoint"] * 3, "stop"]
    assert (start["examples"], start["steps_per_epoch"], start["params"], start["goal"]) == (20, 20, {"w": [], "b": [2]}, {"kind": "minimize", "name": "J"})
    assert [(d["epoch"], d["step"]) for d in rest if d["event"] == "epoch"] == [(0, 0), (1, 20), (2, 40), (3, 60)]
    assert (stop["reason"], stop["params"]["w"]) == ("epochs", arrays("c")["param/w"])


def test_what_is_wrong_is_a_document_as_well(folder, capsys):
    (folder / "line.csv").write_text("1,2\n3,x\n")
    assert main(["train", "line.graph", "--json"]) == 1
    (document,) = documents(capsys.readouterr().out)
    assert document["event"] == "error" and document["diagnostics"][0]["code"] == "E610"


def test_a_terminal_gets_a_bar_that_is_gone_in_the_end_and_a_curve(folder):
    pexpect = pytest.importorskip("pexpect")
    child = pexpect.spawn(sys.executable, ["-m", "graphlang", "train", "line.graph", "--epochs", "4000", "--engine", "python"], cwd=folder, encoding="utf-8",
                          env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}, dimensions=(40, 100), timeout=60)
    child.expect(r"epoch \d+/4000")
    child.expect("steps")
    child.sendintr()
    child.expect("interrupted in epoch")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130


def test_explain_is_the_algorithm_with_the_programs_own_names(folder, capsys):
    (folder / "line.graph").write_text(LINE.replace("rate: 0.1", "rate: 0.5/epoch").replace("shuffle: yes", "batch: 4").replace("minimize", "maximize"))
    (folder / "line.csv").unlink()  # which is not read
    lines = [re.sub(r"^ ?\d+ +", "", line) for line in ran(capsys, "--explain", "--ascii").splitlines()]
    code = [line.partition("#")[0].strip() for line in lines]
    assert code[:12] == ["procedure SGD(D)", "initialise w, b", "for epoch in 1..3 do", "for each batch of 4 examples (x, t) of D do", "o = forward(x, t, w, b)",
                         "g_w = mean of -dJ/dw over the batch", "g_b = mean of -dJ/db over the batch", "m_w <- 0.9*m_w", "m_w <- m_w + g_w", "w <- w - (0.5/epoch)*m_w",
                         "m_b <- 0.9*m_b", "m_b <- m_b + g_b"]
    assert code[-1].startswith("the heavy ball") and "return w, b" in code and "J is maximised: the gradients are ascended" in code


def test_explain_takes_no_name_of_the_programs_for_its_own(folder, capsys):
    (folder / "line.graph").write_text("data x, t\nparam o = 0, b = 0\nJ = (o*x + b - t)^2\nminimize J\ntrain {\n  data: csv(\"line.csv\"), x, t\n  rate: 0.1\n  epochs: 3\n  optimizer: adam\n}\n")
    shown = ran(capsys, "--explain", "--ascii")
    assert "out = forward(x, t, o, b)" in shown and "backward(x, t, o, b, out)" in shown and "0.9^step" in shown and "^t" not in shown and "step counts the steps from 1" in shown


def test_a_report_of_each_set_has_a_column_under_its_own_name(folder, capsys):
    (folder / "line.graph").write_text(LINE.replace("  rate", "  test: csv(\"line.csv\")\n  report: mean(J), mean(t - w*x)\n  rate"))
    first, second = ran(capsys).splitlines()[1:3]
    assert first.split() == ["train", "test"] and second.split() == ["epoch", "mean(J)", "mean(t", "-", "w*x)"] + ["mean(J)", "mean(t", "-", "w*x)"]


def test_no_file_that_a_program_includes_or_reads_is_written_over(folder, capsys):
    (folder / "base.graph").write_text("data x, t, k[1..2] = csv(\"k.csv\")\nparam w = 0\nJ = (w*x - t)^2 + 0*k[1]\nminimize J\n")
    (folder / "line.graph").write_text('include "base.graph"\ntrain {\n  data: csv("line.csv"), x, t\n  rate: 0.1\n  epochs: 1\n}\n')
    (folder / "k.csv").write_text("1\n2\n")
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    assert "--save base.graph: this is a part of the program" in ran(capsys, "--save", "base.graph", status=2)
    assert "--checkpoint k.csv" in ran(capsys, "--checkpoint", "k.csv", status=2)
    assert "--save ./k.csv: these are the data of the program" in ran(capsys, "--save", "./k.csv", status=2)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


# ---- options


@pytest.mark.parametrize("argv, message", [
    (["--digits", "0"], "--digits is a number from 1 to 17"), (["--epochs", "-1"], "--epochs is 0 or greater"), (["--batch", "0"], "--batch is 1 or greater"),
    (["--seed", "-1"], "--seed is 0 or greater"), (["--rate", "-0.1"], "--rate is a number greater than 0"), (["--rate", "x"], "--rate"),
    (["--checkpoint-every", "5"], "--checkpoint-every needs --checkpoint FILE"), (["--init", "a", "--resume", "b"], "--init and --resume both say where params start"),
    (["--save", "no/p.npz"], "--save no/p.npz: there is no folder"), (["--save", "."], "--save .: this is a folder"), (["--save", "line.graph"], "--save line.graph: this is the program itself"),
    (["--save", "line.csv"], "--save line.csv: these are the data of the program"), (["--save", "a", "--checkpoint", "./a"], "name one file twice"),
    (["--plot", "a.pdf"], "--plot a.pdf: the name ends in .svg or .png"), (["--init", "none.npz"], "--init none.npz: there is no such file"),
    (["--resume", "none"], "--resume none: there is no such file"), (["--set", "q=1"], "there is no leaf `q`"), (["--set", "x=1"], "`x` is filled by the columns of the data"),
])
def test_a_wrong_command_line_is_told_before_anything_is_done(argv, message, folder, capsys):
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    assert message in ran(capsys, *argv, status=2)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


def test_options_take_the_place_of_what_the_block_says(capsys):
    start, *_, last, stop = documents(ran(capsys, "--json", "--epochs", "2", "--rate", "1/100", "--batch", "5", "--seed", "7", "--set", "w=2"))
    assert (start["epochs"], start["batch"], start["seed"], last["rate"], last["step"]) == (2, 5, 7, 0.01, 8)
    assert documents(ran(capsys, "--json", "--epochs", "0", "--set", "w=2"))[-1]["params"]["w"] == 2.0


# ---- files


def test_params_that_are_saved_are_arrays_by_their_names_and_begin_another_training(capsys):
    ran(capsys, "--save", "p.npz")
    assert {n: np.shape(a) for n, a in arrays("p.npz").items()} == {"w": (), "b": (2,)}
    first = Path("p.npz").read_bytes()
    ran(capsys, "--save", "p.npz")
    assert Path("p.npz").read_bytes() == first
    assert documents(ran(capsys, "--json", "--epochs", "0", "--init", "p.npz"))[-1]["params"] == arrays("p.npz")
    assert documents(ran(capsys, "--json", "--epochs", "0", "--init", "p.npz", "--set", "b=[5, 6]"))[-1]["params"]["w"] == arrays("p.npz")["w"]


@pytest.mark.parametrize("content, status, message", [
    (dict(w=np.zeros(2)), 2, "`w` is 2 there, and a single number in the program"), (dict(v=np.zeros(2)), 2, "the program has no param `v`"),
    (dict(b=np.array([1, np.nan])), 1, "`p.npz`, row 2"), (dict(w=np.array({}, dtype=object)), 1, "it holds Python objects, which are never read"), (b"junk", 1, "this is no .npz"),
    (b"", 1, "this is no .npz"),
])
def test_params_that_do_not_fit_are_refused(content, status, message, capsys):
    Path("p.npz").write_bytes(content) if isinstance(content, bytes) else np.savez("p.npz", **content)
    assert message in ran(capsys, "--init", "p.npz", status=status)


def test_a_training_that_fails_leaves_every_file_as_it_was(folder, capsys):
    ran(capsys, "--save", "p.npz")
    before = (folder / "p.npz").read_bytes()
    plot = ("--plot", "p.svg") if find_spec("matplotlib") else ()
    assert "training stopped at step" in ran(capsys, "--save", "p.npz", *plot, "--rate", "1e200", status=1)
    assert (folder / "p.npz").read_bytes() == before and not (folder / "p.svg").exists()
    assert sorted(p.name for p in folder.iterdir()) == ["line.csv", "line.graph", "p.npz"]


def test_a_file_that_cannot_be_written_is_told_and_nothing_is_lost(folder, capsys):
    (folder / "p.npz").write_bytes(b"mine")
    (folder / "p.npz").chmod(0o444)
    assert "--save p.npz: it is read-only" in ran(capsys, "--save", "p.npz", status=2)
    assert (folder / "p.npz").read_bytes() == b"mine"


def test_a_checkpoint_is_not_overwritten_by_another_training(folder, capsys):
    ran(capsys, "--checkpoint", "c")
    before = (folder / "c").read_bytes()
    assert "--checkpoint c: there is such a file; `--resume c` as well goes on from it" in ran(capsys, "--checkpoint", "c", status=2)
    assert (folder / "c").read_bytes() == before
    assert "this is a checkpoint; --resume goes on from it" in ran(capsys, "--init", "c", status=2)


@pytest.mark.parametrize("damage", [lambda b: b[:-40], lambda b: b[: len(b) // 2], lambda b: b.replace(b'"format": 1', b'"format": 9'), lambda b: b.replace(b"checkpoint", b"checkpaint"), lambda b: b""])
def test_a_damaged_checkpoint_is_refused(damage, folder, capsys):
    ran(capsys, "--checkpoint", "c")
    (folder / "d").write_bytes(damage((folder / "c").read_bytes()))
    assert main(["train", "line.graph", "--resume", "d"]) in (1, 2)
    got = capsys.readouterr()
    assert got.out == "" and got.err and "internal error" not in got.err


def test_the_same_file_for_both_goes_on_if_there_is_one_yet(capsys):
    whole = documents(ran(capsys, "--json"))[-1]
    again = ("--json", "--checkpoint", "c", "--resume", "c")
    assert documents(ran(capsys, *again, "--epochs", "1"))[-1]["step"] == 20
    assert documents(ran(capsys, *again))[-1]["params"] == whole["params"]


def test_a_picture_has_the_same_bytes_each_time(folder, capsys):
    pytest.importorskip("matplotlib")
    for name in ("a.svg", "b.svg", "a.png"):
        ran(capsys, "--plot", name)
    assert (folder / "a.svg").read_bytes() == (folder / "b.svg").read_bytes()
    assert b"<svg" in (folder / "a.svg").read_bytes() and (folder / "a.png").read_bytes().startswith(b"\x89PNG")


# ---- Ctrl-C and kill

LONG = ("--epochs", "300", "--engine", "python", "--json")


def ended(argv: tuple[str, ...]) -> dict:
    out, err = process(*argv).communicate(timeout=60)
    assert err == ""
    return documents(out)[-1]


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_saves_and_exits_130_and_resuming_ends_with_the_same_bits(folder):
    child = process(*LONG, "--epochs", "1000000", "--checkpoint", "c", "--save", "p.npz")
    for _ in range(30):
        child.stdout.readline()
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    stop = documents(out)[-1]
    assert (child.returncode, stop["reason"], err) == (130, "interrupted", "")
    assert arrays("p.npz") == stop["params"]
    epochs = str(stop["epoch"] + 50)
    assert ended((*LONG, "--epochs", epochs, "--resume", "c"))["params"] == ended((*LONG, "--epochs", epochs))["params"]


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_what_is_killed_in_the_middle_goes_on_from_its_checkpoint_to_the_same_bits(folder):
    child = process(*LONG, "--epochs", "1000000", "--checkpoint", "c", "--checkpoint-every", "7")
    for _ in range(40):
        child.stdout.readline()
    child.kill()
    child.communicate(timeout=60)
    with np.load("c") as file:
        steps = json.loads(bytes(file["checkpoint"]))["steps"]
    assert steps and steps % 7 == 0
    epochs = str(steps // 20 + 30)
    assert ended((*LONG, "--epochs", epochs, "--resume", "c"))["params"] == ended((*LONG, "--epochs", epochs))["params"]


def test_a_reader_that_goes_away_is_no_trouble(folder):
    child = process("--epochs", "100000", "--engine", "python")
    child.stdout.readline()
    child.stdout.close()
    begun = time.monotonic()
    child.wait(timeout=60)
    assert child.returncode == 0 and child.stderr.read() == "" and time.monotonic() - begun < 30


def test_what_does_not_go_together_is_told(folder, capsys):
    assert "--explain is a text to read" in ran(capsys, "--explain", "--json", status=2)


def test_only_jax_has_devices(folder):
    import graphlang as gl

    for engine in ("python", "numpy"):
        with pytest.raises(gl.UsageError, match="only the engine `jax` runs on several devices"):
            gl.load(folder / "line.graph").train(engine, devices=2)
