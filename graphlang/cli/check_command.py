"""`graphlang check`: verify programs without showing them, one line a file."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Iterator

from graphlang.cli.programs import add_reading, read, tell, told
from graphlang.diagnostics import GraphError
from graphlang.given import UsageError, settings

EXAMPLES = """for example, in square.graph:

    y = x^2
    x = 3
    expect y = 9
    claim dy/dx = 2

  $ graphlang check square.graph --plain
    square.graph: FAILED  2 gradients agree, 0 of 1 claims hold, 1 of 1 expectations met
      claim dy/dx = 2  fails: the factor `x` is missing; the left side is 6, the right side 2

examples:
  graphlang check simple.graph                one line: what was verified, and what fails
  graphlang check programs                    every .graph file beneath the folder
  graphlang check nn.graph --verbose          one line for each gradient and claim
  graphlang check *.graph --json | jq '.[] | select(.ok | not) | .file'
"""


def add(commands) -> None:
    p = commands.add_parser("check", help="verify programs: claims, expectations, gradients against independent derivatives",
                            description="Verify programs without showing them: syntax, ranges, claims, expectations, and every gradient against forward mode "
                                        "and against differences of the goal itself. Exit status 1 if anything fails.",
                            epilog=EXAMPLES)
    p.add_argument("files", metavar="FILE", nargs="+", help=".graph programs, or folders of them; - reads standard input")
    p.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], help="the value of a leaf, as for `run`")
    p.add_argument("-v", "--verbose", action="store_true", help="one line for each gradient, claim and expectation")
    p.add_argument("--reveal", action="store_true", help="beside a claim that fails the formula that is right")
    p.add_argument("--plain", action="store_true", help="text only: no colour, no progress")
    p.add_argument("--json", action="store_true", help="one JSON document and nothing else")
    add_reading(p)
    p.set_defaults(handler=handle)


@told
def handle(options) -> int:
    from graphlang.verify.check import check

    given, files = settings(options.set), found(options.files)
    reports = []
    for file in files:
        load = loader(file, options)  # a missing file is found before anything is evaluated
        with progress(file, options) as tick:
            report = check(file, load, given, tick)
        if not options.json:
            show(report, options, pointer=not any(r.diagnostics for r in reports))
        reports.append(report)
    if options.json:
        from graphlang.show.check import as_data
        from graphlang.show.document import dumps

        print(dumps([as_data(r) for r in reports]))
    return 0 if all(r.ok for r in reports) else 1


def found(paths: list[str]) -> list[str]:
    """Files as they are named, and the programs beneath folders in the order of their names. Raises UsageError."""
    out: list[str] = []
    for path in paths:
        if path != "-" and Path(path).is_dir():
            beneath = sorted(beneath_folder(path))
            if not beneath:
                raise UsageError(f"there is no .graph file beneath {path}")
            out += beneath
        else:
            if path != "-" and not Path(path).exists():
                raise UsageError(f"there is no file {path}")
            out.append(path)
    return list(dict.fromkeys(out))


def beneath_folder(folder: str) -> Iterator[str]:
    """The programs of a folder and of those in it. What is hidden is passed over, it is somebody's environment or history; and so is a
    pipe or a folder that has a program's name. A link that leads nowhere is told by whoever reads it."""
    for where, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            path = Path(where, name)
            if name.endswith(".graph") and not name.startswith(".") and (path.is_file() or path.is_symlink() and not path.exists()):
                yield str(path)


def loader(file: str, options):
    return lambda: read(file, options.allow_path)


def progress(file: str, options):
    """A line on the terminal that says what is being looked at; nothing in a pipe."""
    from graphlang.show.console import ticking

    return ticking(file, not (options.plain or options.json) and sys.stderr.isatty())


def show(report, options, pointer: bool) -> None:
    from graphlang.show.check import lines
    from graphlang.show.console import Paper, console

    out = console(plain=options.plain)
    paper = Paper(out)
    for line in lines(report, options.verbose, options.reveal, out.width):
        paper.line(*line)
    paper.flush()
    sys.stdout.flush()
    if report.diagnostics:
        tell(GraphError(report.diagnostics, report.source), options.error_format, report.file, False, options.plain, pointer)
