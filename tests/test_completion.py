"""Completion in bash, zsh and fish: the files have all that there is, and the Tab key finds what it should."""

import re
import shlex
import shutil
import subprocess
import sys
from functools import cache

import pytest

from graphlang.cli.completion_command import SHELLS
from graphlang.cli.main import arguments, main
from graphlang.pages import contents

pytest.importorskip("shtab")
FILES = {"bash": "graphlang.bash", "zsh": "_graphlang", "fish": "graphlang.fish"}


@cache
def written(shell: str) -> str:
    from graphlang.cli.completion_files import text

    return text(shell)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Where the files of all shells are."""
    made = tmp_path_factory.mktemp("completions")
    for shell, name in FILES.items():
        (made / name).write_text(written(shell), encoding="utf-8")
    return made


@pytest.mark.parametrize("shell", FILES)
def test_the_command_prints_the_file_and_nothing_else(shell, capsys):
    assert main(["completion", shell]) == 0
    got = capsys.readouterr()
    assert got.out == written(shell) and got.err == ""


def test_without_shtab_it_is_said_how_to_get_it(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "graphlang.cli.completion_files", None)
    assert main(["completion", "bash"]) == 2
    assert capsys.readouterr().err == "graphlang completion: the file is made by shtab: pip install 'graphlang[completion]'\n"


def test_every_shell_that_is_offered_is_tested():
    assert tuple(FILES) == SHELLS


@pytest.mark.parametrize("argv", [["completion"], ["completion", "tcsh"], ["completion", "bash", "zsh"]], ids=" ".join)
def test_another_shell_is_a_wrong_command_line(argv, capsys):
    assert main(argv) == 2
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("shell", FILES)
def test_the_files_know_every_command_option_choice_and_page(shell):
    text = written(shell)
    (commands,) = (a for a in arguments()._actions if a.dest == "command")
    wanted = {name for listed in contents().values() for name, _ in listed if name.isidentifier()}
    for listed in commands._get_subactions():
        wanted.add(listed.dest)
        for action in commands.choices[listed.dest]._actions:
            wanted.update(o.lstrip("-") for o in action.option_strings)
            wanted.update(action.choices or ())
    assert sorted(wanted - set(re.findall(r"\w+(?:-\w+)*", text))) == []


def test_the_pages_that_a_shell_offers_are_pages(capsys):
    (listed,) = re.findall(r"^_shtab_graphlang_explain_pos_0_choices=\((.*)\)$", written("bash"), re.MULTILINE)
    assert main(["explain", "--json", *shlex.split(listed)]) == 0
    capsys.readouterr()


# ---- the shells themselves

FOUND = {
    "graphlang ru": ["run"],
    "graphlang run --mo": ["--mode"],
    "graphlang run --mode ": ["A", "B", "forward"],
    "graphlang run --mode A --order e": ["eval"],
    "graphlang run ": ["a.graph", "my prog.graph", "programs"],
    "graphlang run --plain p": ["programs"],
    "graphlang run programs/": ["programs/z.graph"],
    "graphlang check a.graph pro": ["programs"],
    "graphlang run --allow-path ": ["programs"],
    "graphlang explain sig": ["sigmoid", "sign"],
    "graphlang explain sin E60": ["E601", "E602", "E603", "E604", "E605"],
    "graphlang completion ": ["bash", "fish", "zsh"],
    "graphlang --v": ["--version"],
}


@pytest.fixture
def folder(tmp_path, tmp_path_factory, monkeypatch):
    """Programs, another file, and a command of the name, which some shells want to see before they complete it."""
    (tmp_path / "programs").mkdir()
    for name in ("a.graph", "my prog.graph", "notes.txt", "programs/z.graph"):
        (tmp_path / name).touch()
    commands = tmp_path_factory.mktemp("bin")
    (commands / "graphlang").write_text("#!/bin/sh\nprintf 'GOT'; printf '|%s' \"$@\"; echo '|'\n", encoding="utf-8")
    (commands / "graphlang").chmod(0o755)
    monkeypatch.setenv("PATH", str(commands), prepend=":")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return commands


def needs(shell: str):
    return pytest.mark.skipif(not shutil.which(shell), reason=f"{shell} is not installed")


def output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return done.stdout


@pytest.mark.parametrize("shell", [pytest.param(s, marks=needs(s)) for s in FILES])
def test_the_file_has_the_shells_syntax(shell, files):
    assert output(shell, "-n", str(files / FILES[shell])) == ""


@needs("bash")
@pytest.mark.parametrize("line", FOUND)
def test_bash_completes(line, folder, files):
    script = f'source {files / FILES["bash"]}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _shtab_graphlang; printf "%s\\n" "${{COMPREPLY[@]}}"'
    words = line.split(" ")  # the last one is being typed, and may be empty
    assert sorted(output("bash", "--norc", "-c", script, "bash", *words).splitlines()) == FOUND[line]


@needs("fish")
@pytest.mark.parametrize("line", FOUND)
def test_fish_completes(line, folder, files):
    found = output("fish", "--no-config", "-c", f"source {files / FILES['fish']}; complete -C {shlex.quote(line)}")
    assert sorted(f.partition("\t")[0].rstrip("/") for f in found.splitlines()) == FOUND[line]


# What is typed, with Tab, and the arguments that graphlang is then started with.
TYPED = {
    "graphlang ru\t": "run", "graphlang run --mod\tf\t": "run|--mode|forward", "graphlang run my\t": "run|my prog.graph", "graphlang run prog\t\t": "run|programs/z.graph",
    "graphlang check a.graph a\t": "check|a.graph|a.graph", "graphlang run --allow-path p\t": "run|--allow-path|programs",
    "graphlang explain sigm\t": "explain|sigmoid", "graphlang explain sin E90\t": "explain|sin|E902", "graphlang comp\tz\t": "completion|zsh",
}  # fmt: skip


ZSH = "unsetopt zle_bracketed_paste beep; PS1='$ '; autoload -U compinit; "


@pytest.mark.parametrize("shell, options, start", [
    pytest.param("bash", ["--norc", "--noprofile", "-i"], "bind 'set enable-bracketed-paste off'; source {file}", marks=needs("bash")),
    pytest.param("zsh", ["-f", "-i"], ZSH + "fpath=({folder} $fpath); compinit -u -D", marks=needs("zsh")),
    pytest.param("zsh", ["-f", "-i"], ZSH + 'compinit -u -D; eval "$(cat {file})"', marks=needs("zsh")),
], ids=["bash", "zsh by its path", "zsh by eval"])  # fmt: skip
def test_the_tab_key_completes(shell, options, start, folder, files):
    pexpect = pytest.importorskip("pexpect")
    child = pexpect.spawn(shell, options, encoding="utf-8", timeout=30, dimensions=(40, 200), env={"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(folder), "TERM": "dumb", "PS1": "$ "})
    child.sendline(start.format(file=files / FILES[shell], folder=files) + "; echo rea''dy")
    child.expect("ready")
    got = {}
    for line in TYPED:
        child.send(line + "\n")
        child.expect(r"GOT\|([^\r\n]*)\|\r?\n")
        got[line] = child.match[1].rstrip("/")  # which zsh takes back at the end of a line
    child.close(force=True)
    assert got == TYPED
