"""The command line: one module for each command, stable exit statuses, never a traceback.

0 fine; 1 the program is wrong or an expectation fails; 2 the command line is wrong; 130 interrupted; 70 our mistake.
"""

from __future__ import annotations

import argparse
import errno
import gc
import os
import sys
from importlib import import_module
from typing import Sequence

import graphlang

FINE, WRONG, USAGE, INTERNAL, INTERRUPTED = 0, 1, 2, 70, 130
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) if hasattr(errno, "EDQUOT") else (errno.ENOSPC, errno.EFBIG)

ABOUT = "Computation graphs and their derivatives, step by step: a program is a text file of equations, one a line."
EXAMPLES = """examples:
  graphlang run simple.graph                   values forward, derivatives backward
  graphlang run simple.graph --set x=3         another value for an input
  graphlang run simple.graph --mode A --steps  the same as a numbered list, one sum a variable
  graphlang check programs                     verify every program of a folder
  graphlang grad simple.graph                  the derivatives as formulas, no values needed
  graphlang train nn.graph                     learn the params from data
  graphlang quiz check q.graph                 whether quizzes can be asked, and what to change
  graphlang explain E101                       what an error means

`graphlang COMMAND --help` has the options of a command, with an example.
"""


class Help(argparse.RawDescriptionHelpFormatter):
    """As wide as the terminal; argparse would import shutil to find that out, even where no help is shown."""

    def __init__(self, prog: str):
        columns = os.environ.get("COLUMNS", "")
        try:
            width = int(columns) if columns.isdigit() and int(columns) else os.get_terminal_size(1).columns
        except OSError:
            width = 80
        super().__init__(prog, width=width - 2)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        """Examples keep their lines; a description has none of its own and is folded."""
        fill = super()._fill_text if "\n" in text else argparse.HelpFormatter._fill_text.__get__(self)
        return fill(text, width, indent)


class Parser(argparse.ArgumentParser):
    """Of the program, and of each command."""

    def __init__(self, **options):
        super().__init__(formatter_class=Help, allow_abbrev=False, **options)

    def error(self, message: str):
        self.print_usage(sys.stderr)
        print(f"{self.prog}: {message}", file=sys.stderr)
        raise SystemExit(USAGE)


COMMANDS = ("run", "check", "grad", "train", "cost", "repl", "fmt", "explain", "lsp", "completion", "quiz")  # each a module of its own, `run_command` and so on


def arguments(command: str = "") -> Parser:
    """The parser of one command, or of all: start-up pays for what is used."""
    parser = Parser(prog="graphlang", description=ABOUT, epilog=EXAMPLES)
    parser.add_argument("--version", action="version", version=f"graphlang {graphlang.__version__}", help="show the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser, prog="graphlang")  # or argparse imports shutil to find it
    for name in (command,) if command in COMMANDS else COMMANDS:
        import_module(f"graphlang.cli.{name}_command").add(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and give its exit status."""
    try:
        argv = sys.argv[1:] if argv is None else argv
        parser = arguments(argv[0] if argv else "")
        options = parser.parse_args(argv)
        if options.command is None:
            parser.print_help()
            return USAGE
        status = options.handler(options)
        sys.stdout.flush()
        return status
    except SystemExit as e:
        return e.code if isinstance(e.code, int) else USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # the reader has gone; keep the interpreter from complaining when it flushes at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return FINE
    except Exception as e:  # the last wall
        if isinstance(e, OSError) and e.errno in FULL:  # of standard output: what is wrong with a file of ours is told where it is written
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            print(f"graphlang: standard output cannot be written: {e.strerror}", file=sys.stderr)
            return USAGE
        from graphlang.internal import told

        told(e)
        return INTERNAL


def entry() -> None:
    """The console script. Most commands end soon: collecting cyclic garbage would only cost time. Those that last turn it on."""
    gc.disable()
    sys.exit(main())
