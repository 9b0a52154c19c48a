"""`--help`: every command has examples, their command lines are accepted, and a worked one shows what comes out."""

import argparse
import re
import shlex
import textwrap

import pytest

from graphlang.cli.main import COMMANDS, arguments, main

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


@pytest.mark.parametrize("command", ["run", "check", "grad", "cost", "explain"])
def test_a_worked_example_shows_what_comes_out(command, capsys, tmp_path):
    worked = WORKED.search(shown(command, "--help", capsys=capsys))
    if worked["file"]:
        (tmp_path / worked["file"]).write_text(textwrap.dedent(worked["program"]), encoding="utf-8")
    first, _, rest = worked["shown"].strip("\n").partition("\n")
    argv = shlex.split(first.removeprefix("  $ "))
    assert argv[:2] == ["graphlang", command]
    main(argv[1:])
    out = "\n".join(line.rstrip() for line in capsys.readouterr().out.splitlines())
    wanted = "\n".join(line[4:] for line in rest.split("\n"))
    pieces = [piece.strip("\n") for piece in re.split(r"^\.\.\.$", wanted, flags=re.MULTILINE)]  # what is left out
    places = [out.find(piece) for piece in pieces]
    assert -1 not in places and places == sorted(places) and places[0] == 0, out
    if len(pieces) == 1:
        assert out == pieces[0]


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
    """ASCII, so that help comes out wherever it is asked for; but for the one that shows a session."""
    text = shown(*filter(None, [command]), "--help", capsys=capsys)
    assert text.isascii() or command == "repl"
    head = text.partition("\noptions:")[0]
    assert max(map(len, head.splitlines())) <= 100


def test_the_version_is_one_line(capsys):
    import graphlang

    assert shown("--version", capsys=capsys) == f"graphlang {graphlang.__version__}\n"
