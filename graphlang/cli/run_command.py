"""`graphlang run`: evaluate forward and backward, and show the tables."""

from __future__ import annotations

import argparse

from graphlang.cli.programs import add_program, names, read, settings, tell, usage
from graphlang.diagnostics import GraphError
from graphlang.given import UsageError
from graphlang.run import EvaluationError

EXAMPLES = """examples:
  graphlang run simple.graph
  graphlang run simple.graph --set x=3 --digits 10
  graphlang run nn.graph --wrt alpha,beta --mode A --steps
  graphlang run quiz.graph --json | jq .adjoints
"""


def add(commands) -> None:
    p = commands.add_parser("run", help="evaluate forward and backward, show the tables", description="Evaluate a program forward and backward.",
                            epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    add_program(p)
    p.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], help="the value of a leaf or const: a number, a constant expression or a list")
    p.add_argument("--seed", type=int, metavar="N", help="the seed of random initialisers")
    p.add_argument("--mode", choices=("A", "B"), default="B", help="A: one row a variable with its sum; B: one row a contribution, with totals")
    p.add_argument("--steps", action="store_true", help="a numbered list in evaluation order instead of two columns")
    p.add_argument("--order", choices=("slide", "eval"), default="slide", help="slide: the author's order; eval: inputs first")
    p.add_argument("--digits", type=int, default=6, metavar="N", help="significant digits of values (1 to 17)")
    p.add_argument("--json", action="store_true", help="one JSON document and nothing else")
    p.add_argument("--ieee", action="store_true", help="carry nan and inf on instead of stopping at them")
    p.set_defaults(handler=handle)


def handle(options) -> int:
    if not 1 <= options.digits <= 17:
        return usage("run", "--digits is a number from 1 to 17")
    if options.seed is not None and options.seed < 0:
        return usage("run", "--seed is 0 or greater")
    try:
        program = read(options.file)
        run = program.run(set=settings(options.set), wrt=names(options.wrt), goal=options.goal, seed=options.seed, mode=options.mode,
                          ieee=options.ieee, expand=options.expand, scalar=options.scalar, raw=options.raw)
    except UsageError as e:
        return usage("run", str(e))
    except EvaluationError as e:
        if not options.json and options.error_format == "full":
            show(e.run, options)
        tell(e, options.error_format, options.file, options.json, options.plain)
        return 1
    except GraphError as e:
        tell(e, options.error_format, options.file, options.json, options.plain)
        return 1
    if options.json:
        print(run.json())
    else:
        show(run, options)
        if run.diagnostics:
            tell(GraphError(run.diagnostics, run.graph.source), options.error_format, options.file, False, options.plain)
    return 1 if any(e.holds is False for e in run.expectations) else 0


def show(run, options) -> None:
    from graphlang.show.console import console
    from graphlang.show.tables import Options, show_run

    show_run(run, console(plain=options.plain), Options(digits=options.digits, all=options.all, ascii=options.ascii, order=options.order,
                                                        steps=options.steps, mode=options.mode, plain=options.plain,
                                                        scalar=options.scalar))
