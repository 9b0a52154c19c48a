"""The session at a terminal: prompt_toolkit with keys from a pipe, and a few in a real pseudo-terminal."""

import io
import os
import re
import signal
import sys
import time
from pathlib import Path
from threading import Thread

import pytest
from rich.console import Console

pytest.importorskip("prompt_toolkit")
pexpect = pytest.importorskip("pexpect")
from prompt_toolkit.document import Document  # noqa: E402
from prompt_toolkit.input import create_pipe_input  # noqa: E402
from prompt_toolkit.output import DummyOutput  # noqa: E402

from graphlang.repl.completion import completions  # noqa: E402
from graphlang.repl.loop import Repl  # noqa: E402
from graphlang.repl.terminal import Front  # noqa: E402

ROOT = Path(__file__).parent.parent
UP, DOWN, RIGHT, TAB, ENTER, CTRL_C, CTRL_D, ESC = "\x1b[A", "\x1b[B", "\x1b[C", "\t", "\r", "\x03", "\x04", "\x1b"


@pytest.fixture(autouse=True)
def no_longer_than_a_minute():
    """A prompt that waits for more keys would wait for ever."""
    def late(*_):
        raise TimeoutError("the session does not end")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(autouse=True)
def own_history(tmp_path, monkeypatch):
    monkeypatch.setenv("GRAPHLANG_HISTORY", str(tmp_path / "history"))


def made(**options) -> Repl:
    console = Console(file=io.StringIO(), width=100, color_system=None, highlight=False, markup=False, soft_wrap=True)
    return Repl(console, console, True, **options)


def typed(keys: str, repl: Repl | None = None) -> tuple[str, Repl]:
    """What a session writes when these keys are pressed, and the session; it ends with Ctrl-D."""
    repl = repl or made()
    with create_pipe_input() as pipe:
        front = Front(lambda: repl, input=pipe, output=DummyOutput())
        front._begin()
        front.ready()

        def press() -> None:
            """As a person would, for whom history and completions have time to arrive."""
            for part in re.split("(?<=[\r\t])|(?=\x1b\\[A|\t)", keys):
                pipe.send_text(part)
                time.sleep(0.3 if part == TAB else 0.06)
            pipe.send_text(CTRL_C)
            time.sleep(0.06)
            pipe.send_text(CTRL_D)

        fingers = Thread(target=press, daemon=True)
        fingers.start()
        front.run()
        fingers.join()
    return repl.console.file.getvalue(), repl


def test_statements_and_expressions_are_answered():
    out, repl = typed("x = 2\rsin(x^2)\r")
    assert out == "x = 2  input\n-0.756802\nd/dx = 2x·cos(x²) = -2.61457\n" and not repl.failed


def test_an_input_goes_on_while_a_bracket_is_open():
    out, repl = typed("x = 2\ry = sum(x*i\rfor i in 1..3)\r")
    assert repl.session.built.flat["y"] == [12.0]
    out, repl = typed("x = 2 +\r3\r")
    assert repl.session.built.flat["x"] == [5.0]


def test_two_empty_lines_end_an_input_whose_bracket_stays_open():
    out, repl = typed("x = (2\r\r\r")
    assert "E003" in out


def test_alt_enter_begins_a_line_in_any_case():
    out, repl = typed("x = 2" + ESC + ENTER + "y = 3x\r")
    assert repl.session.built.flat["y"] == [6.0]


def test_whole_blocks_are_recalled_from_history():
    out, repl = typed("x = 2\ry = sum(x*i\r  for i in 1..3)\rx = 3\r" + UP + UP + ENTER)
    assert out.endswith("y = 18\n")


def test_up_finds_the_inputs_that_begin_so():
    out, _ = typed("x = 2\rz = 7\rx" + UP + ENTER)
    assert out.endswith("x = 2  input\n") and out.count("x = 2  input") == 2


def test_history_is_kept_between_sessions(tmp_path):
    typed("x = 2\r3x + 1\r")
    out, _ = typed("x = 5\r" + UP + UP + ENTER)
    assert out.endswith("16\nd/dx = 3\n")
    assert (tmp_path / "history").stat().st_mode & 0o077 == 0


def test_a_greek_letter_by_its_name():
    out, repl = typed("\\alpha" + TAB + " = 3\r2\\alpha" + TAB + ENTER)
    assert out == "α = 3  input\n6\nd/dα = 2\n" and "alpha" in repl.session.names()


def test_ctrl_c_abandons_the_line_and_not_the_session():
    out, repl = typed("x = 2\ry = nonsense(" + CTRL_C + "y = 3x\r")
    assert repl.session.built.flat["y"] == [6.0] and not repl.failed


def test_an_error_never_loses_state():
    out, repl = typed("x = 2\ry = x +* 3\ry = 1/q\rz = x[4]\ry = x^2\r")
    assert repl.session.built.flat["y"] == [4.0] and repl.failed


def test_a_mistake_of_ours_is_told_and_the_session_goes_on(monkeypatch, capsys):
    def broken(self, text):
        raise ZeroDivisionError("inside")

    repl = made()
    monkeypatch.setattr(Repl, "question", broken)
    out, repl = typed("x = 2\r?sin\rx\r", repl)
    assert out == "x = 2  input\n2\n" and "internal error: ZeroDivisionError" in capsys.readouterr().err


def test_vi_keys():
    repl = made()
    repl.vi = True
    with create_pipe_input() as pipe:
        front = Front(lambda: repl, input=pipe, output=DummyOutput())
        front._begin(), front.ready()
        pipe.send_text("y = 1" + ESC)
        time.sleep(0.05)
        pipe.send_text("0rx" + ENTER + CTRL_C + CTRL_D)
        front.run()
    assert repl.session.names() == {"x"}


def test_quit_leaves():
    for text in (":quit\r", "quit\r", "exit\r", ":q\r"):
        out, repl = typed(text + "x = 2\r")
        assert not repl.session.state.items


def test_the_bar_has_the_goal_and_the_last_error():
    _, repl = typed("x = 2\rJ = x^2\rK = q\r")
    with create_pipe_input() as pipe:
        front = Front(lambda: repl, input=pipe, output=DummyOutput())
        front._begin(), front.ready()
        assert "".join(t for _, t in front.bar()) == " goal J   1 statement waits   :help"
        repl.feed("foo")
        assert "E101 `foo` is not defined" in "".join(t for _, t in front.bar())
        repl.feed("x")
        assert "E101" not in "".join(t for _, t in front.bar())


def test_colours_as_one_types():
    with create_pipe_input() as pipe:
        front = Front(made, input=pipe, output=DummyOutput())
        front._begin(), front.ready()
        front.thread.join()
        line = front.lexer().lex_document(Document("input x = sin(2) # note"))(0)
        styles = {text: style for style, text, *_ in line}
        assert "keyword" in styles["input"] and "builtin" in styles["sin"] and "comment" in styles["# note"]


# ---- completion


COMPLETED = [
    ("al", {"alpha": "param = [1 2]"}), ("si", {"sin(": "sin(v)  The sine, of an angle in radians.", "sigmoid(": None}), ("dJ/d", {"x": "input = 2", "alpha": None}),
    ("y = s", {"sigma(": "sigma(v) = 1/(1 + exp(-v))", "sum(": None}), ("inp", {"input ": ""}), (":w", {"why": None, "wrt": None}), (":set ", {"x=": "input = 2"}),
    (":type ", {"x": "input = 2", "J": None}), (":type J", {}), ("\\alp", {"α": "alpha"}), ("?si", {"sin": "The sine, of an angle in radians.", "sigmoid": None}), (":run ", {"A": "", "forward": ""}),
    ("K", {"K2": "waits: `q` is not defined yet"}), ("an", {"ans": "the last result"}), (":layout n", {"numerator": ""}), ("", {}), ("2 + ", {}),
]


@pytest.mark.parametrize("before, wanted", COMPLETED, ids=[c[0] for c in COMPLETED])
def test_completion(before, wanted):
    repl = made()
    for text in ("input x = 2; param alpha[2] = [1, 2]", "sigma(v) = 1/(1 + exp(-v))", "J = sigma(x)*alpha[1]", "K2 = q", "3x"):
        repl.feed(text)
    found = {c.text: c.about for c in completions(before, repl)}
    for text, about in wanted.items():
        assert text in found and (about is None or found[text] == about)
    if not wanted:
        assert found.keys() <= {"J"}


def test_files_are_completed(tmp_path, monkeypatch):
    (tmp_path / "one.graph").touch(), (tmp_path / "notes.txt").touch(), (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    assert {c.text for c in completions(":load ", made())} == {"one.graph", "folder/"}
    assert {c.text for c in completions(f":save {tmp_path}/o", made())} == {f"{tmp_path}/one.graph"}


def test_tab_completes_a_name():
    out, _ = typed("lengthy = 2\rleng" + TAB + ENTER + ENTER)
    assert out.endswith("\n2\n")


# ---- a real pseudo-terminal


@pytest.fixture
def terminal(tmp_path):
    children = []

    def start(*argv: str, term: str = "xterm", code: str = ""):
        env = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": term, "GRAPHLANG_HISTORY": str(tmp_path / "history"), "PYTHONIOENCODING": "utf-8",
               "PROMPT_TOOLKIT_NO_CPR": "1", "COLUMNS": "", "EDITOR": "true"}
        env.pop("VISUAL", None), env.pop("COLUMNS")
        command = ["-c", code + "\nfrom graphlang.cli.main import entry; entry()", "repl", *argv] if code else ["-m", "graphlang", "repl", *argv]
        child = pexpect.spawn(sys.executable, command, env=env, dimensions=(30, 100), encoding="utf-8", timeout=30, cwd=ROOT)
        children.append(child)
        child.expect(">")
        return child

    yield start
    for child in children:
        child.close(force=True)


def test_a_terminal_session(terminal):
    child = terminal()
    child.send("x = 2\r")
    child.expect(re.escape("x = 2") + r".*input")
    child.send("sin(x^2)\r")
    child.expect("-0.756802")
    child.expect("= -2.61457")
    child.send("J = u\r")
    child.expect("waits: `u` is not defined yet")
    child.send("(1 + ")
    time.sleep(0.2)
    child.send("\x03")
    child.send("x + 5\r")
    child.expect("7")
    child.send(CTRL_D)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_ctrl_c_stops_what_takes_long_and_the_session_goes_on(terminal):
    child = terminal()
    child.send("x = 2\r")
    child.expect("input")
    child.send("y = sum(sin(x*i*j) for i in 1..3000, j in 1..3000)\r")
    time.sleep(1.5)
    child.send("\x03")
    child.expect("interrupted; nothing is changed")
    child.send("x + 1\r")
    child.expect("d/dx = 1")


@pytest.mark.parametrize("how", ["--plain", "TERM=dumb", "not installed"])
def test_without_prompt_toolkit_the_line_editor_of_python_is_used(terminal, how):
    code = "import sys; sys.modules['prompt_toolkit'] = None" if how == "not installed" else ""
    child = terminal(*(["--plain"] if how == "--plain" else []), term="dumb" if how == "TERM=dumb" else "xterm", code=code)
    child.sendline("x = sum(i")
    child.expect("… ")
    child.sendline("for i in 1..3)")
    child.expect("x = 6")
    child.sendline("x^2")
    child.expect(re.escape("d/dx = 2x = 12"))
    child.sendline("y = (")
    child.expect("… ")
    child.sendintr()
    child.expect(">")
    child.sendline("foo")
    child.expect("E101")
    child.sendline(":quit")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_a_file_to_go_on_from_is_loaded_before_the_prompt(terminal):
    child = terminal("programs/lecture/simple.graph")
    assert "statements from programs/lecture/simple.graph" in child.before
    child.send("J\r")
    child.expect(re.escape("9.09915"))
