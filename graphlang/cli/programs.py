"""What the commands share: reading a program, values from the command line, and telling what is wrong."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Callable, Sequence

from graphlang.diagnostics import GraphError
from graphlang.given import UsageError
from graphlang.pipeline import Program, load, loads


def add_program(parser: argparse.ArgumentParser) -> None:
    """The arguments of every command that reads one program and shows its derivatives."""
    parser.add_argument("file", metavar="FILE", help="a .graph program; - reads standard input")
    parser.add_argument("--goal", metavar="NAME", help="what is differentiated: a variable, or an element such as 'y[1]'")
    parser.add_argument("--wrt", metavar="NAMES", default="", help="list gradients with respect to these, separated by commas")
    parser.add_argument("--scalar", action="store_true", help="one equation for each element, sums written out")
    parser.add_argument("--expand", action="store_true", help="one primitive step for each equation")
    parser.add_argument("--raw", action="store_true", help="local derivatives without the node's own output in them")
    parser.add_argument("--ascii", action="store_true", help="names as in the source, no Greek, no subscripts")
    parser.add_argument("--plain", action="store_true", help="text only: no frames, no colour")
    parser.add_argument("--all", action="store_true", help="every row and every entry, however many")
    add_reading(parser)


def add_reading(parser: argparse.ArgumentParser) -> None:
    """The arguments of every command that reads programs."""
    parser.add_argument("--allow-path", metavar="DIR", action="append", default=[], help="files may be read from this folder too, not only from the program's")
    parser.add_argument("--error-format", choices=("full", "short", "json"), default="full", help="how mistakes are printed")


def read(path: str, allow: Sequence[str] = ()) -> Program:
    """A program, which may include files of its own folder and of those that `--allow-path` names. Raises UsageError when
    there is no such file, GraphError when it is not a program."""
    for folder in allow:
        if not os.path.isdir(folder):
            raise UsageError(f"--allow-path {folder}: there is no such folder")
    if path == "-":
        data = sys.stdin.buffer.read() if hasattr(sys.stdin, "buffer") else sys.stdin.read().encode()
        try:
            return loads(data.decode("utf-8-sig"), "<stdin>", ".", allow)
        except UnicodeDecodeError:
            raise UsageError("standard input is not UTF-8 text") from None
    try:
        return load(path, allow)
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}") from None
    except IsADirectoryError:
        raise UsageError(f"{path} is a folder") from None
    except OSError as e:
        raise UsageError(f"{path} cannot be read: {e.strerror}") from None


def tell(error: GraphError, how: str, file: str, as_json: bool, plain: bool = False, pointer: bool = True) -> None:
    """Diagnostics to stderr; with --json one document to stdout. `pointer`: at the end say which page has more."""
    if as_json:
        from graphlang.show.document import dumps, failure

        print(dumps(failure(error.diagnostics, error.source, file)))
        return
    from graphlang.show import diagnostics
    from graphlang.show.records import as_json as records

    if how == "full":
        from graphlang.show.console import console

        diagnostics.paint(error.diagnostics, error.source, console(stderr=True, plain=plain), pointer)
    elif how == "short":
        for line in diagnostics.short(error.diagnostics, error.source):
            print(line, file=sys.stderr)
    else:
        import json

        print(json.dumps(records(error.diagnostics, error.source), ensure_ascii=False), file=sys.stderr)


def told(handle: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """A command that tells what is wrong with its command line (2) or its program (1)."""

    def handler(options: argparse.Namespace) -> int:
        try:
            return handle(options)
        except UsageError as e:
            return usage(options.command, str(e))
        except GraphError as e:
            tell(e, options.error_format, options.file, options.json, options.plain)
            return 1

    return handler


def usage(command: str, message: str) -> int:
    print(f"graphlang {command}: {message}", file=sys.stderr)
    return 2
