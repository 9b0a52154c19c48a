"""`graphlang run --watch`: on a terminal, in a pipe, and the parts that see a save."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from argparse import Namespace
from pathlib import Path

import pytest

from graphlang.cli import watch
from graphlang.cli.main import arguments, main
from graphlang.cli.run_command import evaluated, show
from graphlang.diagnostics import GraphError

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT = 20
CLEAR = "\x1b[2J"
ENV = {**{k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR")}, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8",
       "PYTHONDONTWRITEBYTECODE": "1"}
GOOD, BROKEN, BETTER = "J = x^2\ninput x = 3\n", "J = x^2 + ul\ninput x = 3\n", "J = x^2 + 7\ninput x = 3\n"

needs_a_terminal = pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")


def replaced(path: Path, text: str) -> None:
    """As editors save that do not want to lose anything: another file takes the place of the old one."""
    other = path.with_name("." + path.name + ".swp")
    other.write_text(text)
    os.replace(other, path)


# ---- on a terminal


class Screen:
    """A watch on a terminal of 24 lines; `next` gives what is on the screen after the next run, without colours."""

    def __init__(self, folder: Path, *options: str):
        import pexpect

        self.child = pexpect.spawn(sys.executable, ["-m", "graphlang", "run", "p.graph", "--watch", *options], cwd=str(folder), dimensions=(24, 100),
                                   encoding="utf-8", timeout=TIMEOUT, env={**ENV, "TERM": "xterm-256color"})

    def next(self) -> str:
        self.child.expect("Ctrl-C ends[^\n]*\n")
        self.raw = self.child.before.rpartition(CLEAR)[2]
        return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", self.raw).replace("\r", "")

    def interrupted(self) -> int:
        import pexpect

        self.child.sendintr()
        self.child.expect(pexpect.EOF)
        self.rest = self.child.before
        self.child.close()
        return self.child.exitstatus


@pytest.fixture
def screen(tmp_path):
    opened = []

    def start(*options, text=GOOD):
        (tmp_path / "p.graph").write_text(text)
        opened.append(Screen(tmp_path, *options))
        return opened[-1]

    yield start
    for s in opened:
        s.child.close(force=True)


@needs_a_terminal
def test_a_save_shows_the_new_table_and_a_broken_one_the_mistake_above_the_last_good_table(screen, tmp_path):
    path, s = tmp_path / "p.graph", screen()
    first = s.next()
    assert "J = x²  9" in first and re.search(r"\d\d:\d\d:\d\d  fine; watching p.graph, ", first)

    path.write_text(BROKEN)
    broken = s.next()
    assert broken.index("error[E101]: `ul` is not defined") < broken.index("the last good table, of ") < broken.index("J = x²  9") < broken.index("wrong; watching")
    assert re.search("\x1b\\[2m J = x²  9", s.raw)  # dim
    assert broken.count("\n") < 24

    replaced(path, BETTER)
    repaired = s.next()
    assert "J = x² + 7  16" in repaired and "error" not in repaired and "last good" not in repaired

    path.unlink()
    gone = s.next()
    assert "graphlang run: there is no file p.graph" in gone and "J = x² + 7  16" in gone
    replaced(path, GOOD + "expect J = 10\n")
    assert "1 of 1 claims and expectations failed; watching" in s.next()

    begun = time.monotonic()
    assert s.interrupted() == 130
    assert time.monotonic() - begun < 5
    assert "Traceback" not in s.rest and s.rest.endswith("\r\n")
    assert "\x1b[?1049h" not in s.rest and "\x1b[?25l" not in s.rest  # no other screen, no hidden cursor to bring back


@needs_a_terminal
def test_a_mistake_leaves_only_so_much_of_a_long_table_that_both_are_on_the_screen(screen, tmp_path):
    long = "input x0 = 1\n" + "".join(f"x{k + 1} = x{k} + 1\n" for k in range(30))
    s = screen(text=long)
    s.next()
    replaced(tmp_path / "p.graph", long + "y = ul\n")
    broken = s.next()
    assert "error[E101]" in broken and "more lines)" in broken
    assert broken.count("\n") < 24


@needs_a_terminal
def test_a_value_that_does_not_exist_shows_how_far_the_first_run_came(screen):
    broken = screen(text="J = log(x)\ninput x = -1\n").next()
    assert "error[E501]" in broken and "not finite" in broken and "last good" not in broken


# ---- in a pipe


@pytest.fixture
def pipe(tmp_path):
    """A watch whose output is read line by line."""
    opened = []

    def start(text, *options):
        (tmp_path / "p.graph").write_text(text)
        opened.append(subprocess.Popen([sys.executable, "-m", "graphlang", "run", "--watch", "p.graph", *options], cwd=tmp_path, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, text=True, encoding="utf-8", env=ENV))
        timer = threading.Timer(TIMEOUT, opened[-1].kill)
        timer.daemon = True
        timer.start()
        return opened[-1]

    yield start
    for p in opened:
        p.kill()
        p.communicate()


def up_to(process, end: str) -> str:
    """What is written up to a line that begins so."""
    out = ""
    for line in process.stdout:
        out += line
        if line.startswith(end):
            return out
    raise AssertionError(f"the output ended before {end!r}: {out}")


def test_in_a_pipe_runs_follow_one_another_and_included_files_count(pipe, tmp_path):
    p = pipe('include "base.graph"\ny = 2*J\nminimize y\n')
    first = up_to(p, "`graphlang explain E601`")
    assert re.match(r"--- p.graph, run 1, \d\d:\d\d:\d\d\nerror\[E601\]: there is no file `base.graph`", first) and "\x1b" not in first
    (tmp_path / "base.graph").write_text(GOOD)
    second = up_to(p, " dy/dx =")
    assert second.startswith("--- p.graph, run 2, ") and " y = 2J  18" in second
    replaced(tmp_path / "base.graph", BETTER)
    assert " y = 2J      32" in up_to(p, " dy/dx =")
    replaced(tmp_path / "base.graph", "J = x^\ninput x = 1\n")
    broken = up_to(p, "`graphlang explain")
    assert "base.graph:1:" in broken and "last good" not in broken
    replaced(tmp_path / "base.graph", GOOD)
    assert " y = 2J  18" in up_to(p, " dy/dx =")
    p.send_signal(signal.SIGINT)
    assert p.wait(TIMEOUT) == 130
    assert p.stdout.read() == ""


def test_json_is_one_document_a_line(pipe, tmp_path):
    p = pipe(GOOD, "--json")
    first = json.loads(p.stdout.readline())
    replaced(tmp_path / "p.graph", BROKEN)
    second = json.loads(p.stdout.readline())
    replaced(tmp_path / "p.graph", BETTER)
    third = json.loads(p.stdout.readline())
    assert first["values"] == {"J": 9.0, "x": 3.0} and third["values"]["J"] == 16.0
    assert [d["code"] for d in second["diagnostics"]] == ["E101"] and "values" not in second


# ---- what is refused


@pytest.mark.parametrize("argv, said", [(["nowhere.graph"], "there is no file nowhere.graph"), (["-"], "--watch needs a file"), (["."], "is a folder"),
                                        (["p.graph", "--digits", "0"], "--digits"), (["p.graph", "--set", "q=1"], "no leaf `q`")], ids=" ".join)
def test_a_wrong_command_line_does_not_begin_to_watch(argv, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("p.graph").write_text(GOOD)
    assert main(["run", "--watch", *argv]) == 2
    assert said in capsys.readouterr().err


# ---- one run after another, in this process


@pytest.fixture
def options(tmp_path, monkeypatch) -> Namespace:
    monkeypatch.chdir(tmp_path)
    Path("p.graph").write_text(GOOD)
    return arguments("run").parse_args(["run", "--watch", "p.graph"])


def test_diagnostics_go_to_stderr_and_tables_to_stdout(options, capsys):
    w = watch.Watch(options, lambda: evaluated(options), show)
    w.once()
    Path("p.graph").write_text(BROKEN)
    w.once()
    out, err = capsys.readouterr()
    assert out.count("---") == 2 and "x²" in out and "error" not in out and err.startswith("error[E101]")


def test_a_mistake_of_ours_is_told_and_the_next_run_is_fine(options, capsys):
    outcomes = [lambda: 1 / 0, lambda: evaluated(options)]
    w = watch.Watch(options, lambda: outcomes.pop(0)(), show)
    w.once()
    assert "graphlang: internal error: ZeroDivisionError" in capsys.readouterr().err
    w.once()
    assert "x²  9" in capsys.readouterr().out


def test_a_mistake_of_ours_while_it_is_shown_does_not_end_the_watch_either(options, capsys):
    watch.Watch(options, lambda: evaluated(options), lambda run, options: 1 / 0).once()
    assert "graphlang: internal error: ZeroDivisionError" in capsys.readouterr().err


def test_an_option_that_the_changed_file_no_longer_fits_is_told_like_a_mistake(options, capsys):
    options.set = ["x=2"]
    w = watch.Watch(options, lambda: evaluated(options), show)
    w.once()
    Path("p.graph").write_text("J = z\ninput z = 1\n")
    w.once()
    assert "graphlang run: there is no leaf `x`" in capsys.readouterr().err


def test_a_file_that_is_no_longer_included_is_no_longer_watched(options):
    w = watch.Watch(options, lambda: evaluated(options), lambda *_: None)
    Path("sub").mkdir()
    Path("sub/a.graph").write_text('include "b.graph"')
    Path("sub/b.graph").write_text(GOOD)
    Path("p.graph").write_text('include "sub/a.graph"\nminimize J\n')
    w.once()
    assert w.files == {"p.graph", os.path.join("sub", "a.graph"), os.path.join("sub", "b.graph")}
    Path("p.graph").write_text(BROKEN)
    w.once()
    assert len(w.files) == 3  # which files the repaired program will include is not known
    Path("p.graph").write_text(GOOD)
    w.once()
    assert w.files == {"p.graph"}


# ---- seeing a save


@pytest.fixture(params=["watchfiles", "polling"])
def clock(request, monkeypatch):
    if request.param == "polling":
        monkeypatch.setitem(sys.modules, "watchfiles", None)
    else:
        monkeypatch.setattr(watch, "POLL", 60)


def later(seconds: float, act) -> threading.Timer:
    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()
    return timer


@pytest.mark.parametrize("save", [lambda p: p.write_text(BETTER), lambda p: replaced(p, BETTER), lambda p: p.unlink()], ids=["written", "replaced", "removed"])
def test_a_change_is_seen_soon(clock, save, tmp_path):
    path = tmp_path / "p.graph"
    path.write_text(GOOD)
    seen = watch.stamps([str(path)])
    later(0.1, lambda: save(path))
    begun = time.monotonic()
    now = watch.await_change(seen)
    assert now != seen and time.monotonic() - begun < 1.0


def test_another_file_in_the_folder_is_no_change(clock, tmp_path):
    path = tmp_path / "p.graph"
    path.write_text(GOOD)
    seen = watch.stamps([str(path)])
    later(0.05, lambda: (tmp_path / "other").write_text("x"))
    later(0.4, lambda: path.write_text(BETTER))
    begun = time.monotonic()
    watch.await_change(seen)
    assert time.monotonic() - begun > 0.3


def test_a_save_between_the_run_and_the_wait_is_not_missed(tmp_path):
    path = tmp_path / "p.graph"
    path.write_text(GOOD)
    seen = watch.stamps([str(path)])
    path.write_text(BETTER)
    begun = time.monotonic()
    watch.await_change(seen)
    assert time.monotonic() - begun < 0.2


def test_a_file_that_is_away_for_a_moment_is_waited_for(tmp_path):
    path = tmp_path / "p.graph"
    path.write_text(GOOD)
    before = watch.stamps([str(path)])
    path.unlink()
    later(0.2, lambda: path.write_text(BETTER))
    now = watch.settled(watch.stamps(before), before)
    assert now[str(path)] is not None


def test_quick_saves_are_one(tmp_path):
    path = tmp_path / "p.graph"
    path.write_text("a")
    before = watch.stamps([str(path)])
    for k in range(4):
        later(0.03 * k, lambda k=k: path.write_text("a" * (k + 2)))
    watch.settled(watch.stamps(before), before)
    assert path.read_text() == "aaaaa"


def test_the_path_of_a_missing_include_is_that_beside_its_file(options):
    Path("sub").mkdir()
    Path("sub/a.graph").write_text('include  "deep/../b.graph"')
    Path("p.graph").write_text('include "sub/a.graph"\n')
    with pytest.raises(GraphError) as caught:
        evaluated(options)
    assert watch.missing_files(caught.value) == {os.path.join("sub", "b.graph")}
