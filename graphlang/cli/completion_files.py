"""What a shell is told so that it can complete graphlang's command line: made by shtab from the parsers of the commands.

What an argument takes is told by its metavar: FILE is a program or a folder of them, DIR a folder; NAME of `explain` is a page.
The one door of shtab.
"""

from __future__ import annotations

import argparse
import re

import shtab

from graphlang.cli.main import arguments
from graphlang.pages import contents

HEADER = """\
# Completion of graphlang's command line for {shell}; `graphlang completion --help` says how to install it.
# Made with shtab {version} (https://github.com/tqdm/shtab), whose functions it contains.
"""
THEIRS = re.compile(r"^# AUTOMATICALLY GENERATED.*\n(?:#.*\n)*", re.MULTILINE)  # shtab's own header says how to install other files

# shtab's own spelling for zsh, '(*.graph)', is read as glob qualifiers there.
PROGRAMS = {**shtab.glob("*.graph"), "zsh": "_files -g '*.graph'"}


def pages() -> list[str]:
    """The names that `explain` takes, as far as a shell can complete them: no signs, no names of several words."""
    return [name for listed in contents().values() for name, _ in listed if re.fullmatch(r"\w+", name)]


def parser() -> argparse.ArgumentParser:
    """The parser of all commands, with what each argument completes to."""
    made = arguments()
    (commands,) = (a for a in made._actions if isinstance(a, argparse._SubParsersAction))
    for listed in commands._get_subactions():
        commands.choices[listed.dest].description = listed.help  # the short one: a shell has a line for each command
    for one in (made, *commands.choices.values()):
        for action in one._actions:
            if action.metavar == "FILE":
                action.complete = PROGRAMS
            elif action.metavar == "DIR":
                action.complete = shtab.DIRECTORY
            elif one is commands.choices["explain"] and action.metavar == "NAME":
                action.choices = pages()
    return made


def text(shell: str) -> str:
    """The file for a shell. Raises LookupError where this shtab does not know it."""
    if shell not in shtab.SUPPORTED_SHELLS:
        raise LookupError(f"shtab {shtab.__version__} does not know {shell}")
    made, replaced = THEIRS.subn(lambda _: HEADER.format(shell=shell, version=shtab.__version__), shtab.complete(parser(), shell))
    assert replaced == 1, "shtab's header is not where it was"
    if shell == "zsh":
        made = re.sub(r'^  "\(\*\)::?', '  "*:', made, flags=re.MULTILINE)  # of several files shtab lets the first one be completed
    return re.sub(r"[ \t]+$", "", made, flags=re.MULTILINE).rstrip("\n") + "\n"
