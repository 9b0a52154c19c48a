"""The examples of the README and of docs/ are run, and what they show is what comes out.

A `console` block that begins with `$ graphlang …` is run in this process; further `$` lines are further commands. A
`graph` block after a line `<!-- file: NAME -->` is the program NAME for the commands below it on the page, a `csv` block the data file
NAME also for the programs below it. `graph` blocks must run (leaves without values are given 1), but for those after `<!-- wrong -->` or `<!-- wrong: NAME -->`, which must
not. `python` blocks are run. After a line `<!-- session -->` a `text` block is a session of `graphlang repl`: what follows `> ` is typed.
GRAPHLANG_UPDATE_GOLDEN=1 writes the output anew: read the difference line by line before you keep it.
"""

import contextlib
import io
import os
import re
import shlex
from pathlib import Path
from typing import NamedTuple

import pytest

from graphlang.cli.main import main
from graphlang.pipeline import is_program

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"(?:^<!-- (?P<marker>[^\n]*?) -->\n)?^```(?P<kind>\w+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
WIDTH = "100"


class Block(NamedTuple):
    page: Path
    number: int
    kind: str
    marker: str
    body: str
    start: int   # of the body in the page
    files: dict  # the programs named on the page so far

    def __str__(self):
        return f"{self.page.stem}-{self.number}"


def blocks(page: Path):
    files: dict[str, str] = {}
    text = page.read_text(encoding="utf-8")
    for number, m in enumerate(BLOCK.finditer(text)):
        marker = m["marker"] or ""
        if m["kind"] in ("graph", "csv") and ": " in marker:
            files = {**files, marker.partition(": ")[2]: m["body"]}
        yield Block(page, number, m["kind"], marker, m["body"], m.start("body"), files)


ALL = [b for page in PAGES for b in blocks(page)]
CONSOLE = [b for b in ALL if b.kind == "console" and b.body.startswith("$ graphlang")]


@pytest.fixture
def beside_the_programs(tmp_path, monkeypatch):
    """A folder in which both `programs/…` and the programs of a page are found."""
    (tmp_path / "programs").symlink_to(ROOT / "programs")
    monkeypatch.chdir(tmp_path)
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "TERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", WIDTH)
    monkeypatch.setenv("TERM", "dumb")
    return tmp_path


def shown(command: str) -> str:
    """What a command writes, errors after the rest; its exit status, when that is not 0, as `echo $?` would."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(shlex.split(command)[1:])
    assert status in (0, 1, 2), err.getvalue()
    lines = (out.getvalue() + err.getvalue()).splitlines()
    return "".join(line.rstrip() + "\n" for line in lines)


def played(block: Block, folder: Path) -> str:
    for name, text in block.files.items():
        (folder / name).write_text(text, encoding="utf-8")
    commands = [line for line in block.body.splitlines() if line.startswith("$ ")]
    return "".join(f"{line}\n{shown(line.removeprefix('$ '))}" for line in commands)


@pytest.mark.parametrize("block", CONSOLE, ids=str)
def test_an_example_shows_what_comes_out(block, beside_the_programs):
    compare(block, played(block, beside_the_programs))


def compare(block: Block, got: str) -> None:
    if os.environ.get("GRAPHLANG_UPDATE_GOLDEN") == "1":
        # by its place among the page's blocks: those before it may have become longer
        text = block.page.read_text(encoding="utf-8")
        m = list(BLOCK.finditer(text))[block.number]
        block.page.write_text(text[: m.start("body")] + got + text[m.end("body") :], encoding="utf-8")
    else:
        assert got == block.body


def answered(block: Block) -> str:
    """A session with its answers."""
    from rich.console import Console

    from graphlang.repl.loop import Repl

    console = Console(file=io.StringIO(), width=int(WIDTH), color_system=None, highlight=False, markup=False, soft_wrap=True)
    repl, typed = Repl(console, console, folder="."), re.findall(r"^> .*\n(?:… .*\n)*", block.body, re.MULTILINE)
    for text in typed:
        console.file.write(text)
        repl.feed("\n".join(line[2:] for line in text.splitlines()))
    return "".join(line.rstrip() + "\n" for line in console.file.getvalue().splitlines())


@pytest.mark.parametrize("block", [b for b in ALL if b.marker == "session"], ids=str)
def test_a_session_shows_what_comes_out(block, beside_the_programs):
    compare(block, answered(block))


@pytest.mark.parametrize("block", [b for b in ALL if b.kind == "graph"], ids=str)
def test_a_program_on_a_page_is_one(block, beside_the_programs):
    import graphlang as gl

    for name, text in block.files.items():
        (beside_the_programs / name).write_text(text, encoding="utf-8")
    if block.marker.startswith("wrong"):
        with pytest.raises(gl.GraphError):
            program = gl.loads(block.body, folder=beside_the_programs)
            assert program.quizzes
            program.run()
    else:
        program = gl.loads(block.body, folder=beside_the_programs)
        assert len(program.quizzes) == 2
        if not is_program(program.tree):
            return  # quizzes only
        if program.graph.dims:
            return  # sizes without numbers: the commands beside it show what there is
        missing = {n: 1.0 for n, v in program.graph.variables.items() if v.is_leaf and v.initial is None}
        run = program.run(set=missing)
        assert missing or all(e.holds for e in run.expectations)


@pytest.mark.parametrize("block", [b for b in ALL if b.kind == "python"], ids=str)
def test_python_on_a_page_runs(block, beside_the_programs):
    for name, text in block.files.items():
        (beside_the_programs / name).write_text(text, encoding="utf-8")
    exec(compile(block.body, str(block.page), "exec"), {"__name__": "__page__"})


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_links_within_the_repository_lead_somewhere(page):
    targets = re.findall(r"\]\((?!https?:)([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [t for t in targets if not (page.parent / t).exists()] == []


def test_the_readme_has_the_two_commands_as_single_lines():
    marked = {b.marker: b.body for b in blocks(ROOT / "README.md") if b.kind == "sh"}
    for marker in ("first command", "test command"):
        assert len(marked[marker].splitlines()) == 1
    assert "programs/lecture/simple.graph" in marked["first command"]
    assert "pytest" in marked["test command"]
