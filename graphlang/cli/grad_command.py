"""`graphlang grad`: the backward column as formulas; no values are needed."""

from __future__ import annotations

import argparse

from graphlang.cli.programs import add_program, names, read, tell, usage
from graphlang.derive.reverse import RAW, SHOWN
from graphlang.diagnostics import GraphError
from graphlang.given import UsageError

EXAMPLES = """examples:
  graphlang grad simple.graph
  graphlang grad nn.graph --wrt alpha,beta
  graphlang grad quiz.graph --expand --ascii
"""


def add(commands) -> None:
    p = commands.add_parser("grad", help="the derivatives as formulas, without values", description="The adjoint of every variable as a formula.",
                            epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    add_program(p)
    p.add_argument("--json", action="store_true", help="one JSON document and nothing else")
    p.set_defaults(handler=handle)


def handle(options) -> int:
    try:
        program = read(options.file)
        derivative = program.derivative(options.goal, options.expand, options.scalar)
        wrt = program.checked_wrt(names(options.wrt), derivative)
    except UsageError as e:
        return usage("grad", str(e))
    except GraphError as e:
        tell(e, options.error_format, options.file, options.json, options.plain)
        return 1
    if options.json:
        from graphlang.show.document import dumps, formulas

        print(dumps(formulas(derivative, wrt, options.raw)))
        return 0
    from graphlang.show.console import console
    from graphlang.show.tables import Options, show_grad

    show_grad(derivative, console(plain=options.plain), Options(all=options.all, ascii=options.ascii, plain=options.plain, form=RAW if options.raw else SHOWN, wrt=wrt))
    return 0
