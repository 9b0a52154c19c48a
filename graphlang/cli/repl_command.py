"""`graphlang repl`: a program that grows by a statement at a time, and answers about it."""

from __future__ import annotations

import gc
import os
import sys

EXAMPLES = """for example:

  $ printf 'x = 2\\nJ = sin(x^2)\\ndJ/dx\\nx = 3\\n' | graphlang repl --ascii
    x = 2  input
    J = -0.756802
    dJ/dx = 2*x*cos(x^2) = -2.61457
    x = 3  input, was 2
      J = -0.756802 -> 0.412118

examples:
  graphlang repl                              then type: x = 2
                                                         J = sin(x^2)
                                                         dJ/dx, :run, :why x, ?sin, :help
  graphlang repl simple.graph                 go on from a program
  graphlang repl --json < session.txt         one JSON document a line, for other programs
"""


def add(commands) -> None:
    p = commands.add_parser("repl", help="interactive: quick derivative checks", epilog=EXAMPLES,
                            description="A session: statements make a program grow, expressions are answered with their value and derivatives. In a pipe it reads "
                                        "statements and prints answers without prompts; exit status 1 if one of them was wrong.")
    p.add_argument("file", metavar="FILE", nargs="?", help="a .graph program to go on from")
    p.add_argument("--digits", type=int, default=6, metavar="N", help="significant digits of values (1 to 17)")
    p.add_argument("--ascii", action="store_true", help="names as in the source, no Greek, no subscripts")
    p.add_argument("--plain", action="store_true", help="text only: no colour, and the line editor of Python instead of prompt_toolkit")
    p.add_argument("--vi", action="store_true", help="vi keys")
    p.add_argument("--json", action="store_true", help="answers as JSON, one document a line")
    p.add_argument("--allow-path", metavar="DIR", action="append", default=[], help="files may be read from this folder too, not only from the program's")
    p.set_defaults(handler=handle)


def handle(options) -> int:
    gc.enable()  # unlike the commands that end soon
    if not 1 <= options.digits <= 17:
        return usage("--digits is a number from 1 to 17")
    for folder in options.allow_path:
        if not os.path.isdir(folder):
            return usage(f"--allow-path {folder}: there is no such folder")
    at_terminal = sys.stdin.isatty() and sys.stdout.isatty() and not options.json
    if at_terminal and not options.plain and os.environ.get("TERM", "") not in ("", "dumb"):
        try:
            from graphlang.repl.terminal import Front
        except ImportError:
            Front = None
        if Front is not None:
            return at_prompt(Front, options)
    return without(options, at_terminal)


def made(options, interactive: bool):
    """The session; with a file, gone on from. Raises GraphError."""
    from graphlang.repl.loop import Repl
    from graphlang.show.console import console

    repl = Repl(console(plain=options.plain), console(stderr=not interactive, plain=options.plain), interactive, options.plain, options.ascii, options.digits,
                options.json, options.allow_path)
    repl.vi = options.vi
    return repl


def at_prompt(Front, options) -> int:
    if options.file is None:
        front = Front(lambda: made(options, True))
    else:
        repl = made(options, True)
        if (status := opened(repl, options.file)) is not None:
            return status
        front = Front(lambda: repl)
    front.run()
    return 0


def without(options, interactive: bool) -> int:
    from graphlang.repl.plain import piped, with_readline

    repl = made(options, interactive)
    if options.file is not None and (status := opened(repl, options.file)) is not None:
        return status
    if interactive:
        with_readline(repl)
        return 0
    piped(repl, sys.stdin)
    return 1 if repl.failed else 0


def opened(repl, file: str) -> int | None:
    """Load the program of the command line; an exit status where that fails."""
    from graphlang.diagnostics import GraphError
    from graphlang.given import UsageError

    try:
        repl.load(file)
        repl.session.past.clear()  # the session begins with it
    except UsageError as e:
        return usage(str(e))
    except GraphError as e:
        repl.tell(e)
        return 1
    return None


def usage(message: str) -> int:
    print(f"graphlang repl: {message}", file=sys.stderr)
    return 2
