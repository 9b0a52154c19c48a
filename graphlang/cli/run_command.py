"""`graphlang run`: evaluate forward and backward, and show the tables."""

from __future__ import annotations

from graphlang.cli.programs import add_program, read, tell, told
from graphlang.diagnostics import GraphError
from graphlang.given import UsageError, names, settings
from graphlang.run import EvaluationError, Run
from graphlang.syntax.names import canonical

EXAMPLES = """for example, in sine.graph:

    J = sin(t)
    t = 3x
    x = 2

  $ graphlang run sine.graph --plain --ascii
    sine.graph
     Forward         value | Backward                           value
     J = sin(t)  -0.279415 | dJ/dJ = 1                              1
                           | dJ/dt = cos(t)                   0.96017
     t = 3x              6 | dJ/dx = dJ/dt*dt/dx,  dt/dx = 3  2.88051

     at x = 2
     dJ/dx = 2.8805108599511

examples:
  graphlang run simple.graph                                values forward, derivatives backward
  graphlang run simple.graph --set x=3 --digits 10          another value, and more digits
  graphlang run nn.graph --wrt alpha,beta --mode A --steps  a numbered list with one sum a variable
  graphlang run quiz.graph --json | jq .adjoints            for other programs to read
  graphlang run simple.graph --watch                        again, whenever the file is saved
  graphlang run nn.graph --engine auto                      goal and gradient only, by a compiled engine
  graphlang run nn.graph --engine numpy --emit              the NumPy source that computes them
"""


def add(commands) -> None:
    p = commands.add_parser("run", help="evaluate forward and backward, show the tables", description="Evaluate a program: values forward, derivatives of its goal backward. Exit status 1 if the program is wrong, or a claim or an expectation of it fails.",
                            epilog=EXAMPLES)
    add_program(p)
    p.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], help="the value of a leaf or const: a number, a constant expression or a list")
    p.add_argument("--seed", type=int, metavar="N", help="the seed of random initialisers")
    p.add_argument("--mode", choices=("A", "B", "forward"),
                   help="A: one row a variable with its sum; B (the default): one row a contribution, with totals; forward: tangents beside the values, one table for each variable of --wrt")
    p.add_argument("--steps", action="store_true", help="a numbered list in evaluation order instead of two columns")
    p.add_argument("--order", choices=("slide", "eval"), help="slide (the default): the author's order; eval: inputs first")
    p.add_argument("--digits", type=int, default=6, metavar="N", help="significant digits of values (1 to 17)")
    p.add_argument("--json", action="store_true", help="one JSON document and nothing else")
    p.add_argument("--jacobian", action="store_true", help="the derivatives of the goals by the variables of --wrt as whole tables")
    p.add_argument("--hessian", action="store_true", help="the second derivatives by the variables of --wrt")
    p.add_argument("--reveal", action="store_true", help="below a claim that fails the formula that is right")
    p.add_argument("--exact", action="store_true", help="numbers in ball arithmetic, with digits that are certain (needs python-flint)")
    p.add_argument("--precision", type=int, metavar="N", help="how many certain digits (1 to 1000; 30 with --exact alone); implies --exact")
    p.add_argument("--ieee", action="store_true", help="carry nan and inf on instead of stopping at them")
    p.add_argument("--watch", action="store_true", help="run again whenever the program, or a file that it includes, is saved; Ctrl-C ends")
    p.add_argument("--emit", action="store_true", help="print the source that a compiled engine makes of the program, and nothing else")
    p.add_argument("--engine", choices=("auto", "python", "numpy", "numba", "jax"),
                   help="goal and gradient by this compiled engine, fast and without steps (auto: what is likely to be the fastest here); with --emit whose source is printed")
    p.set_defaults(handler=handle)


@told
def handle(options) -> int:
    if options.emit:
        return emit(options)
    if not 1 <= options.digits <= 17:
        raise UsageError("--digits is a number from 1 to 17")
    if options.seed is not None and options.seed < 0:
        raise UsageError("--seed is 0 or greater")
    if options.engine is not None:
        from graphlang.cli.run_engine import run_by_engine

        return run_by_engine(options)
    if options.watch:
        from graphlang.cli.watch import watch

        return watch(options, lambda: evaluated(options), show)
    try:
        run = evaluated(options)
    except EvaluationError as e:  # what came before it is shown
        if not options.json and options.error_format == "full":
            show(e.run, options)
        raise
    if options.json:
        print(run.json())
    else:
        show(run, options)
        if run.diagnostics:
            tell(GraphError(run.diagnostics, run.graph.source), options.error_format, options.file, False, options.plain)
    return 1 if any(e.holds is False for e in run.expectations) or not all(v.ok for v in run.claims) else 0


def evaluated(options) -> Run:
    """The run that a command line asks for. Raises UsageError, GraphError."""
    program = read(options.file, options.allow_path)
    run = program.run(set=settings(options.set), wrt=names(options.wrt), goal=options.goal, seed=options.seed, mode=options.mode or "B",
                      ieee=options.ieee, expand=options.expand, scalar=options.scalar, raw=options.raw,
                      exact=options.exact if options.precision is None else options.precision)
    if options.jacobian or options.hessian:
        second(run, [canonical(n) for n in names(options.wrt)], options)
    return run


def emit(options) -> int:
    """The generated source."""
    program = read(options.file, options.allow_path)
    graph, _ = program.with_consts(settings(options.set))
    from graphlang.compiled import compile_program

    print(compile_program(graph, names(options.wrt), options.engine or "auto", options.goal).source, end="")
    return 0


def second(run, wrt: list[str], options) -> None:
    """The tables of --jacobian and --hessian. Raises UsageError where they would be too large."""
    from graphlang.pipeline import summary
    from graphlang.query import author, hessian, jacobian

    chosen = wrt or summary(author(run))
    if options.jacobian:
        run.derivatives |= jacobian(run, chosen)
    if options.hessian:
        run.derivatives |= hessian(run, chosen)


def show(run, options, page=None) -> None:
    """The tables on standard output, or on another console."""
    from graphlang.show.console import console
    from graphlang.show.tables import Options, show_run

    show_run(run, page or console(plain=options.plain), Options(digits=options.digits, all=options.all, ascii=options.ascii, order=options.order or "slide",
                                                                steps=options.steps, reveal=options.reveal, mode=options.mode or "B", plain=options.plain,
                                                                scalar=options.scalar))
