"""The extension of IPython: after `%load_ext graphlang`, `%%graph` runs the program in a cell and `%graph FILE` one in a file.

A wrong program or option is told as on the command line, without a Python traceback, and the cell has failed: what runs all cells stops there.
"""

from __future__ import annotations

import argparse
import builtins
import keyword
import os
import shlex
from typing import NoReturn, Sequence

from graphlang.diagnostics import GraphError
from graphlang.given import UsageError, names, settings
from graphlang.pipeline import Program, load, loads
from graphlang.run import EvaluationError, Run
from graphlang.syntax.names import canonical

WIDTH = 100  # of painted diagnostics; a notebook has no columns
CELL_EXAMPLES = """examples:
  %%graph
  %%graph net --set x=3 --wrt w,b       the run is also the Python variable net
  %%graph --set rate={0.1*k}            {…} and $name are Python, as in every magic
  %%graph --take x,w --digits 10        values of the Python variables x and w, arrays too
  %%graph --mode A --steps --strict
"""
FILE_EXAMPLES = """examples:
  %graph simple.graph --set x=3
  run = %graph nn.graph --wrt alpha,beta
"""


def load_ipython_extension(shell) -> None:
    """What `%load_ext graphlang` calls."""

    def graph(line: str, cell: str | None = None) -> Run | None:
        return in_file(shell, line) if cell is None else in_cell(shell, line, cell)

    graph.__doc__ = f"{cell_parser().format_help()}\nThe line magic runs a file.\n\n{file_parser().format_help()}"
    shell.register_magic_function(graph, "line_cell", "graph")


def unload_ipython_extension(shell) -> None:
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop("graph", None)


# ---- the two magics


def in_cell(shell, line: str, cell: str) -> Run | None:
    """The run is the cell's value, so that IPython shows it and `_` is it."""
    options = arguments(cell_parser(), line, shell)
    if options is None:
        return None
    try:
        if options.name:
            check_name(options.name)
        title = options.name or f"In[{shell.execution_count}]"
        # A line of its own for `%%graph`, so that lines have the numbers that the notebook shows.
        program = loads("\n" + cell, title, ".", allowed(options))
        run = evaluated(program, options, shell)
    except GraphError as error:
        fail(error, shell, "%%graph")
    if options.name:
        shell.push({options.name: run})
    return finished(run, options, shell)


def in_file(shell, line: str) -> Run | None:
    options = arguments(file_parser(), line, shell)
    if options is None:
        return None
    try:
        try:
            program = load(options.file, allowed(options))
        except FileNotFoundError:
            raise UsageError(f"there is no file {options.file}") from None
        except OSError as error:
            raise UsageError(f"{options.file} cannot be read: {error.strerror}") from None
        run = evaluated(program, options, shell)
    except GraphError as error:
        fail(error, shell, "%graph")
    return finished(run, options, shell)


def evaluated(program: Program, options: argparse.Namespace, shell) -> Run:
    if options.seed is not None and options.seed < 0:
        raise UsageError("--seed is 0 or greater")
    if not 1 <= options.digits <= 17:
        raise UsageError("--digits is a number from 1 to 17")
    wrt = names(options.wrt)
    look = {"digits": options.digits, "all": options.all, "ascii": options.ascii, "order": options.order, "steps": options.steps, "reveal": options.reveal}
    try:
        run = program.run(set={**taken(options.take, shell), **settings(options.set)}, wrt=wrt, goal=options.goal, seed=options.seed, mode=options.mode,
                          ieee=options.ieee, expand=options.expand, scalar=options.scalar, raw=options.raw,
                          exact=options.exact if options.precision is None else options.precision)
        if options.jacobian or options.hessian:
            from graphlang.pipeline import summary
            from graphlang.query import author, hessian, jacobian

            chosen = [canonical(n) for n in wrt] or summary(author(run))
            for wanted, make in ((options.jacobian, jacobian), (options.hessian, hessian)):
                run.derivatives |= make(run, chosen) if wanted else {}
    except EvaluationError as error:  # what came before it is shown
        show(error.run.shown(**look))
        raise
    return run.shown(**look)


def allowed(options: argparse.Namespace) -> list[str]:
    for folder in options.allow_path:
        if not os.path.isdir(folder):
            raise UsageError(f"--allow-path {folder}: there is no such folder")
    return options.allow_path


def taken(text: str, shell) -> dict[str, object]:
    """The values of the Python variables that `--take` names."""
    out = {}
    for name in names(text, "--take"):
        if name not in shell.user_ns:
            raise UsageError(f"--take {name}: there is no Python variable `{name}`")
        value = shell.user_ns[name]
        out[name] = value.tolist() if hasattr(value, "tolist") else value  # arrays and numbers of NumPy and its like
    return out


def finished(run: Run, options: argparse.Namespace, shell) -> Run | None:
    failed = sum(e.holds is False for e in run.expectations) + sum(not v.ok for v in run.claims)
    if options.strict and failed:
        show(run)
        raise CellError(GraphError(()), [f"--strict: {failed} of {len(run.expectations) + len(run.claims)} claims and expectations failed"])
    return None if getattr(options, "hide", False) else run


def show(run: Run) -> None:
    from IPython.display import display

    display(run)


def check_name(name: str) -> None:
    """Raises UsageError for what cannot be a Python variable, and for what a whole notebook would miss: `print`."""
    if not name.isidentifier() or keyword.iskeyword(name):
        raise UsageError(f"`{name}` cannot be the name of a Python variable")
    if hasattr(builtins, name):
        raise UsageError(f"`{name}` is a function or a constant of Python, which the run would replace; give it another name, such as `{name}_run`")


# ---- what is wrong


class CellError(GraphError):
    """What a cell fails with. IPython asks it for its traceback, which is the painted diagnostics."""

    def __init__(self, error: GraphError, lines: Sequence[str]):
        super().__init__(error.diagnostics, error.source)
        self.lines = list(lines)

    def __str__(self) -> str:
        return super().__str__() or self.lines[0]

    def _render_traceback_(self) -> list[str]:
        return self.lines


def fail(error: GraphError, shell, magic: str) -> NoReturn:
    if isinstance(error, UsageError):
        raise CellError(error, [f"{magic}: {error}"]) from None
    raise CellError(error, painted(spoken(error, magic), shell)) from None


def spoken(error: GraphError, magic: str) -> GraphError:
    """The hints of the command line in the words of a cell."""
    command = f"graphlang run {error.source.name if error.source else 'FILE'} --set"
    return GraphError((d._replace(hints=tuple(h.replace(command, f"{magic} --set") for h in d.hints)) for d in error.diagnostics), error.source)


def painted(error: GraphError, shell) -> list[str]:
    """As on a terminal; a notebook shows the colours of its escape sequences in those of its theme."""
    from graphlang.show.diagnostics import ansi

    colour = str(getattr(shell, "colors", "")).lower() != "nocolor"
    return ansi(error.diagnostics, error.source, WIDTH, colour).splitlines()


# ---- options


class Parser(argparse.ArgumentParser):
    """Says what is wrong where argparse would end the process."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}\n`{self.prog} --help` lists the options")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        raise Helped


class Helped(Exception):
    """`--help` has been printed."""


def arguments(parser: Parser, line: str, shell) -> argparse.Namespace | None:
    """The options of a magic's line, None where help was asked for. Raises CellError."""
    try:
        try:
            return parsed(parser, shlex.split(line))
        except ValueError as error:  # a quotation that does not end
            raise UsageError(str(error)) from None
        except Helped:
            return None
    except UsageError as error:
        fail(error, shell, parser.prog)


def parsed(parser: Parser, argv: list[str]) -> argparse.Namespace:
    """Raises UsageError. A value that has blanks, `--set x={[1, 2]}`, comes as several words, of which one may even be taken for NAME."""
    options, rest = parser.parse_known_args(argv)
    for value in options.set:
        name, _, text = value.partition("=")
        if value.endswith("=") or text.count("[") + text.count("(") > text.count("]") + text.count(")"):
            raise UsageError(f"--set {value}: here the value ends; quote one that has blanks, --set '{name}=[1, 2]', or use --take {name or 'x'}")
    if rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    return options


def cell_parser() -> Parser:
    p = Parser(prog="%%graph", description="Run the program in the cell and show it.", epilog=CELL_EXAMPLES, allow_abbrev=False,
               formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("name", nargs="?", metavar="NAME", help="a Python variable for the run")
    p.add_argument("--hide", action="store_true", help="show nothing")
    return add_options(p)


def file_parser() -> Parser:
    p = Parser(prog="%graph", description="Run the program in a file and show it.", epilog=FILE_EXAMPLES, allow_abbrev=False,
               formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("file", metavar="FILE", help="a .graph program")
    return add_options(p)


def add_options(p: Parser) -> Parser:
    """Those of `graphlang run` that mean something here, and two that a notebook needs."""
    p.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], help="the value of a leaf or const; goes before --take")
    p.add_argument("--take", metavar="NAMES", default="", help="values of leaves from the Python variables of these names, separated by commas")
    p.add_argument("--goal", metavar="NAME", help="what is differentiated: a variable, or an element such as 'y[1]'")
    p.add_argument("--wrt", metavar="NAMES", default="", help="list gradients with respect to these")
    p.add_argument("--seed", type=int, metavar="N", help="the seed of random initialisers")
    p.add_argument("--mode", choices=("A", "B", "forward"), default="B", help="A: one sum a variable; B: one row a contribution; forward: tangents")
    p.add_argument("--steps", action="store_true", help="a numbered list in evaluation order")
    p.add_argument("--order", choices=("slide", "eval"), default="slide", help="rows in the author's order, or inputs first")
    p.add_argument("--scalar", action="store_true", help="one equation for each element")
    p.add_argument("--expand", action="store_true", help="one primitive step for each equation")
    p.add_argument("--raw", action="store_true", help="local derivatives without the node's own output in them")
    p.add_argument("--digits", type=int, default=6, metavar="N", help="significant digits of values (1 to 17)")
    p.add_argument("--exact", action="store_true", help="digits that are certain (needs python-flint)")
    p.add_argument("--precision", type=int, metavar="N", help="how many certain digits; implies --exact")
    p.add_argument("--jacobian", action="store_true", help="the derivatives of the goals as whole tables")
    p.add_argument("--hessian", action="store_true", help="the second derivatives")
    p.add_argument("--reveal", action="store_true", help="below a claim that fails the formula that is right")
    p.add_argument("--strict", action="store_true", help="the cell fails where a claim or an expectation does")
    p.add_argument("--ieee", action="store_true", help="carry nan and inf on instead of stopping at them")
    p.add_argument("--ascii", action="store_true", help="names as in the source")
    p.add_argument("--all", action="store_true", help="every row and every entry, however many")
    p.add_argument("--allow-path", metavar="DIR", action="append", default=[], help="files may be included from this folder too")
    return p
