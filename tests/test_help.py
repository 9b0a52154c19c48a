"""`--help`: every command has examples, their command lines are accepted, and a worked one shows what comes out."""

import argparse
import io
import re
import shlex
import textwrap

import pytest

from graphlang.cli.main import COMMANDS, arguments, main

PIPE = re.compile(r"printf '(?P<given>[^']*)' \| ")
SECTION = re.compile(r"^examples\b.*:\n((?:  .*\n)+)", re.MULTILINE)
WORKED = re.compile(r"^for example(?:, in (?P<file>\S+))?:\n\n(?P<program>(?:    .*\n)*)\n?(?P<shown>(?:(?:  \$ |    ).*\n|\n)+)(?=examples)", re.MULTILINE)


def shown(*argv: str, capsys) -> str:
    assert main(argv) == 0
    got = capsys.readouterr()
    assert got.err == ""
    return got.out


@pytest.fixture(autouse=True)
def plain(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "dumb")
    for name in ("FORCE_COLOR", "NO_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)


def lines(text: str) -> list[str]:
    """The command lines of a help's examples: what comes before two blanks, a pipe or a redirection."""
    (section,) = SECTION.findall(text)
    return [m[0].strip() for m in re.finditer(r"(?<![\w/])graphlang [^|<>)\"\n]*?(?= {2}|[|<>)\"]|$)", section, re.MULTILINE)]


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_command_has_examples_that_its_parser_accepts(command, capsys):
    text = shown(*filter(None, [command]), "--help", capsys=capsys)
    found = lines(text)
    assert found
    for line in found:
        argv = shlex.split(line)[1:]
        assert not command or argv[0] == command
        options = arguments(argv[0]).parse_args(argv)  # or it would exit
        assert options.command == argv[0] and callable(options.handler)


@pytest.mark.parametrize("command", ["run", "check", "grad", "cost", "explain", "fmt", "repl"])
def test_a_worked_example_shows_what_comes_out(command, capsys, tmp_path, monkeypatch):
    worked = WORKED.search(shown(command, "--help", capsys=capsys))
    if worked["file"]:
        (tmp_path / worked["file"]).write_text(textwrap.dedent(worked["program"]), encoding="utf-8")
    first, _, rest = worked["shown"].strip("\n").partition("\n")
    line = first.removeprefix("  $ ")
    if pipe := PIPE.match(line):
        line = line[pipe.end() :]
        monkeypatch.setattr("sys.stdin", io.StringIO(pipe["given"].replace("\\n", "\n")))
    argv = shlex.split(line)
    assert argv[:2] == ["graphlang", command]
    main(argv[1:])
    out = "\n".join(line.rstrip() for line in capsys.readouterr().out.splitlines())
    wanted = "\n".join(line[4:] for line in rest.split("\n"))
    pieces = [piece.strip("\n") for piece in re.split(r"^\.\.\.$", wanted, flags=re.MULTILINE)]  # what is left out
    places = [out.find(piece) for piece in pieces]
    assert -1 not in places and places == sorted(places) and places[0] == 0, out
    if len(pieces) == 1:
        assert out == pieces[0]


def test_every_command_has_a_worked_example(capsys):
    for command in COMMANDS:
        assert re.search("^for example", shown(command, "--help", capsys=capsys), re.MULTILINE), command


def test_the_examples_of_cost_work(capsys, tmp_path):
    text = shown("cost", "--help", capsys=capsys)
    (tmp_path / "two.graph").write_text(textwrap.dedent(WORKED.search(text)["program"]), encoding="utf-8")
    (tmp_path / "net.graph").write_text(textwrap.dedent(text.partition("net.graph, whose")[2].partition("\n\n")[2]), encoding="utf-8")
    assert len(lines(text)) == 4
    for line in lines(text):
        assert main(shlex.split(line)[1:]) == 0
        assert capsys.readouterr().err == ""


def test_what_the_help_of_repl_says_to_type_is_answered(capsys, monkeypatch):
    section = SECTION.search(shown("repl", "--help", capsys=capsys))[1].splitlines()
    typed = [line.split(", :help")[0].replace(", ", "\n").strip() for line in (section[0].partition("type:")[2], *section[1:3])]
    assert typed[:2] == ["x = 2", "J = sin(x^2)"]
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(typed) + "\n"))
    assert main(["repl"]) == 0
    assert capsys.readouterr().err == ""


def test_what_the_help_of_lsp_shows_is_what_an_editor_gets(capsys):
    pytest.importorskip("pygls")
    from graphlang.lsp.analysis import analyse
    from graphlang.lsp.figures import Figures
    from graphlang.lsp.inlay import hints
    from graphlang.lsp.reading import Text

    section = shown("lsp", "--help", capsys=capsys).partition("for example")[2].split("\n\n")[1]
    *program, (marks, message) = [(re.split(" {5,}", line.strip()) + [""])[:2] for line in section.splitlines()]
    made = analyse(Text("a.graph", "".join(line + "\n" for line, _ in program), None))
    text = made.reading.own.text
    assert [(text[: h.at].count("\n"), h.label) for h in hints(made.reading.own, Figures(made, made.reading))] == [(n, label) for n, (_, label) in enumerate(program) if label]
    (finding,) = made.findings
    assert finding.diagnostic.message == message and finding.span.end - finding.span.start == len(marks)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_says_of_each_command_and_option_what_it_is(command):
    parser = arguments()
    (commands,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    assert not command or [a.help for a in commands._get_subactions() if a.dest == command] > [""]
    one = commands.choices[command] if command else parser
    assert one.description
    assert [a.dest for a in one._actions if not a.help and a is not commands] == []


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_descriptions_fold_and_help_is_ascii(command, capsys):
    """ASCII, so that help comes out wherever it is asked for."""
    text = shown(*filter(None, [command]), "--help", capsys=capsys)
    assert text.isascii()
    head = text.partition("\noptions:")[0]
    assert max(map(len, head.splitlines())) <= 100


def test_the_version_is_one_line(capsys):
    import graphlang

    assert shown("--version", capsys=capsys) == f"graphlang {graphlang.__version__}\n"
