"""The command line: statuses, streams, options."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from graphlang.cli.main import main

ROOT = Path(__file__).resolve().parent.parent
SIMPLE = str(ROOT / "programs/lecture/simple.graph")
NN = str(ROOT / "programs/lecture/nn1_cross_entropy.graph")


@pytest.fixture
def program(tmp_path):
    def write(text, name="p.graph"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return write


def run(*argv, capsys):
    status = main([str(a) for a in argv])
    got = capsys.readouterr()
    return status, got.out, got.err


def test_a_run_is_fine(capsys):
    status, out, err = run("run", SIMPLE, capsys=capsys)
    assert status == 0 and err == ""
    assert "dJ/dx = 9.0991485448" in out


def test_a_failing_expectation_is_status_1(program, capsys):
    status, out, _ = run("run", program("y = x^2\nx = 3\nexpect y = 10\nexpect dy/dx = 6\n"), capsys=capsys)
    assert status == 1
    assert "failed" in out and "ok" in out


def test_a_wrong_program_is_status_1_on_stderr(program, capsys):
    status, out, err = run("run", program("y = ul*2\nu1 = 3\n"), capsys=capsys)
    assert status == 1 and out == ""
    assert "error[E101]" in err and "did you mean `u1`?" in err


@pytest.mark.parametrize("argv", [
    ["run", "nowhere.graph"], ["run", str(ROOT)], ["run"], [], ["walk", SIMPLE], ["run", SIMPLE, "--nonsense"], ["run", SIMPLE, "--digits", "0"],
    ["run", SIMPLE, "--set", "x"], ["run", SIMPLE, "--set", "x=two"], ["run", SIMPLE, "--set", "1a=2"], ["run", SIMPLE, "--set", "u=2"], ["run", SIMPLE, "--set", "q=2"],
    ["run", NN, "--set", "x=[1,2]"], ["run", NN, "--set", "x=[[1],[2],[3]]"], ["run", SIMPLE, "--set", "x=[1,2]"], ["run", SIMPLE, "--wrt", "q"],
    ["run", SIMPLE, "--mode", "C"], ["run", SIMPLE, "--seed", "-1"], ["grad", SIMPLE, "--wrt", "q"], ["run", SIMPLE, "--ra"],
], ids=" ".join)  # fmt: skip
def test_a_wrong_command_line_is_status_2(argv, capsys):
    status, _, err = run(*argv, capsys=capsys)
    assert status == 2
    assert "Traceback" not in err


def test_a_goal_that_is_not_there(capsys):
    status, _, err = run("run", SIMPLE, "--goal", "q", capsys=capsys)
    assert status in (1, 2) and "`q`" in err


def test_missing_values_are_listed_with_a_ready_command_line(program, capsys):
    path = program("input x, w[2]\nJ = x*sum(w)\n")
    status, _, err = run("run", path, capsys=capsys)
    assert status == 1
    assert f"graphlang run {path} --set x=1 --set w='[1,1]'" in err
    assert main(["run", path, "--set", "x=1", "--set", "w=[1,1]"]) == 0


def test_set_takes_constant_expressions_and_consts(program, capsys):
    path = program("const n = 2\ninput x[1..n] = 1\nJ = sum(x)\nexpect J = n*3\n")
    assert run("run", path, "--set", "n=4", "--set", "x=2 + 1", capsys=capsys)[0] == 0
    status, out, _ = run("run", path, "--set", "n=3", "--set", "x=[3, 1 + 2, 9/3]", "--json", capsys=capsys)
    assert status == 0 and json.loads(out)["values"]["x"] == [3.0, 3.0, 3.0]


def test_json_is_one_document(capsys):
    status, out, err = run("run", NN, "--json", capsys=capsys)
    document = json.loads(out)
    assert status == 0 and err == ""
    assert list(document) == ["graphlang", "file", "goal", "values", "adjoints", "ranges", "roles", "forward", "backward", "conventions", "claims",
                              "expectations", "notes", "diagnostics"]  # fmt: skip
    assert document["ranges"]["alpha"] == [[1, 2], [0, 2]]


def test_json_of_an_error_is_one_document(program, capsys):
    path = program("y = ul*2\nu1 = 3\n")
    status, out, err = run("run", path, "--json", capsys=capsys)
    document = json.loads(out)
    assert status == 1 and err == ""
    assert document["file"] == path
    (d,) = document["diagnostics"]
    assert (d["code"], d["line"], d["column"], d["end_line"], d["end_column"]) == ("E101", 1, 5, 1, 7)


def test_json_says_nan_as_a_string(program, capsys):
    status, out, _ = run("run", program("y = log(x)\nx = -1\n"), "--json", "--ieee", capsys=capsys)
    assert status == 0 and json.loads(out)["values"]["y"] == "nan"


def test_several_outputs(program, capsys):
    path = program("input x = 2\ny1 = x^2\ny2 = 3x\noutput y1, y2\n")
    _, out, _ = run("run", path, "--json", capsys=capsys)
    document = json.loads(out)
    assert document["goal"] == "y1"
    assert document["goals"]["y2"]["adjoints"]["x"] == 3.0 and document["adjoints"]["x"] == 4.0
    _, out, _ = run("run", path, "--goal", "y2", "--json", capsys=capsys)
    assert json.loads(out)["adjoints"]["x"] == 3.0


def test_an_output_that_is_a_table_goes_by_element(program, capsys):
    _, out, _ = run("run", program("input x[2] = [2, 3]\ny = x*x\noutput y\n"), "--json", capsys=capsys)
    document = json.loads(out)
    assert document["goal"] == "y[1]"
    assert document["goals"]["y[2]"]["adjoints"]["x"] == [0.0, 6.0]


@pytest.mark.parametrize("how", ["full", "short", "json"])
def test_error_formats(how, program, capsys):
    path = program("y = ul*2\nu1 = 3\n")
    _, _, err = run("run", path, "--error-format", how, capsys=capsys)
    if how == "short":
        assert err.startswith(f"{path}:1:5: error[E101]:") and err.count("\n") == 1
    elif how == "json":
        assert json.loads(err)[0]["code"] == "E101"
    else:
        assert "^^" in err


def test_a_failed_evaluation_shows_the_table_up_to_it(program, capsys):
    status, out, err = run("run", program("t = x - 3\ny = log(t)\nz = y^2\nx = 2\n"), "--ascii", capsys=capsys)
    assert status == 1
    assert "t = x - 3" in out and "y = log(t)" in out and "z = y^2" not in out
    assert "error[E501]" in err and "t = -1" in err


def test_a_program_on_standard_input(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"y = x^2\nx = 3\n")))
    assert run("run", "-", capsys=capsys)[0] == 0


def test_bytes_that_are_not_text(program, capsys):
    status, _, err = run("run", program(b"y = x\xff\n"), capsys=capsys)
    assert status == 1 and "UTF-8" in err


def test_a_byte_order_mark_and_crlf_are_accepted(program, capsys):
    assert run("run", program(b"\xef\xbb\xbfy = x^2\r\nx = 3\r\n"), capsys=capsys)[0] == 0


@pytest.mark.parametrize("text", ["", "# nothing\n", "x = 2\n"], ids=["empty", "a comment", "a lone value"])
def test_a_program_without_a_goal_says_so(text, program, capsys):
    status, _, err = run("run", program(text), capsys=capsys)
    assert status == 1 and "E402" in err


def test_a_closed_pipe_is_quiet():
    command = f'"{sys.executable}" -m graphlang run "{NN}" --all | head -n 1'
    got = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=ROOT)
    assert got.stderr == "" and got.stdout.count("\n") == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
@pytest.mark.parametrize("command", ["run", "check", "grad", "train --epochs 1", "train --json"])
def test_a_full_disk_is_no_mistake_of_graphlangs(command):
    program = ROOT / "programs" / "training" / "sgd_reference.graph"
    with open("/dev/full", "w") as full:
        got = subprocess.run([sys.executable, "-m", "graphlang", *command.split(), str(program)], stdout=full, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert got.returncode == 2 and got.stderr == "graphlang: standard output cannot be written: No space left on device\n"


def test_no_colour_in_a_pipe():
    got = subprocess.run([sys.executable, "-m", "graphlang", "run", SIMPLE], capture_output=True, cwd=ROOT, env={**os.environ, "FORCE_COLOR": ""})
    assert b"\x1b" not in got.stdout


def test_help_has_examples(capsys):
    for argv in (["--help"], ["run", "--help"], ["grad", "--help"]):
        assert main(argv) == 0
        assert "examples:" in capsys.readouterr().out


def test_grad_needs_no_values(program, capsys):
    status, out, _ = run("grad", program("input x[3], w[3]\nJ = sum(w[i]*x[i]^2 for i)\n"), "--ascii", capsys=capsys)
    assert status == 0 and "2*w[i]*x[i]" in out.replace(" ", "")


@pytest.mark.parametrize("options", [["--scalar"], ["--expand"], ["--raw"], ["--plain"], ["--ascii"], ["--steps"], ["--mode", "A"], ["--mode", "A", "--steps"],
                                     ["--order", "eval"], ["--digits", "17"], ["--scalar", "--expand"], ["--all"]], ids=" ".join)  # fmt: skip
def test_every_view_runs_and_keeps_the_gradients(options, capsys):
    status, out, _ = run("run", NN, "--ascii", *options, capsys=capsys)
    assert status == 0
    if "--scalar" not in options:
        assert "0.4587992202864" in out


def test_ieee_goes_on_and_marks_the_first_value_that_is_not_finite(program, capsys):
    status, out, _ = run("run", program("t = log(x)\nJ = t + x\nx = -2\n"), "--ieee", "--ascii", capsys=capsys)
    assert status == 0
    (row,) = [line for line in out.splitlines() if "not finite" in line and "|" in line]
    assert "t = log(x)" in row
    assert "log(-2)" in out and "dJ/dx = nan" in out


@pytest.mark.parametrize("option", ["--wrt", "--set"])
def test_what_is_no_name_is_status_2(option, capsys):
    assert run("run", SIMPLE, option, "1a" if option == "--wrt" else "1a=2", capsys=capsys)[0] == 2
