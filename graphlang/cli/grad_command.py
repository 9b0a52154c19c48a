"""`graphlang grad`: the backward column as formulas; no values are needed."""

from __future__ import annotations

from graphlang.cli.programs import add_program, read, told
from graphlang.derive.reverse import RAW, SHOWN
from graphlang.given import UsageError, names
from graphlang.syntax.names import canonical

EXAMPLES = """for example, in sine.graph:

    J = sin(t)
    t = 3x
    x = 2

  $ graphlang grad sine.graph --ascii
    dJ/dJ = 1
    dJ/dt = cos(t)
    dJ/dx = 3*dJ/dt
        dt/dx = 3

examples:
  graphlang grad simple.graph                    every adjoint, with its local derivatives
  graphlang grad nn.graph --wrt alpha,beta       of these two only
  graphlang grad quiz.graph --expand --ascii     one step of arithmetic an equation, ASCII names
  graphlang grad nn.graph --form matrix --latex  matrix products, to paste into a document
"""


def add(commands) -> None:
    p = commands.add_parser("grad", help="the derivatives as formulas, without values", description="The adjoint of every variable, the derivative of the goal by it, as a formula. No values are needed.",
                            epilog=EXAMPLES)
    add_program(p)
    p.add_argument("--form", choices=("index", "matrix"), help="sums over indices, or matrix products where an adjoint is one; matrix is the default where sizes are symbolic")
    p.add_argument("--jacobian", action="store_true", help="the derivatives of whole outputs by whole variables, with their shapes")
    p.add_argument("--hessian", action="store_true", help="the second derivatives")
    how = p.add_mutually_exclusive_group()
    how.add_argument("--latex", action="store_true", help="an align* environment to paste into a document")
    how.add_argument("--typst", action="store_true", help="the same for Typst")
    how.add_argument("--json", action="store_true", help="one JSON document and nothing else")
    p.set_defaults(handler=handle)


@told
def handle(options) -> int:
    program = read(options.file, options.allow_path)
    if options.jacobian or options.hessian or symbolic_tables(program, options.goal):
        return whole(program, options)
    derivative = program.derivative(options.goal, options.expand, options.scalar)
    wrt = program.checked_wrt(names(options.wrt), derivative)
    if options.json:
        from graphlang.show.document import dumps, formulas

        print(dumps(formulas(derivative, wrt, options.raw)))
        return 0
    form = RAW if options.raw else SHOWN
    matrix = options.form == "matrix" or (options.form is None and bool(program.graph.dims))
    if options.latex or options.typst:
        from graphlang.show.fragment import fragment

        listed = [n for n in derivative.variables if (n in wrt if wrt else derivative.graph.variables[n].role != "data")]
        print(fragment(derivative, _notation(options), listed, form, matrix), end="")
        return 0
    from graphlang.show.console import console
    from graphlang.show.tables import Options, show_grad

    show_grad(derivative, console(plain=options.plain), Options(all=options.all, ascii=options.ascii, plain=options.plain, form=form, wrt=wrt,
                                                                  matrix=matrix))
    return 0


def symbolic_tables(program, goal: str | None) -> bool:
    """Whether a table whose sizes are symbolic is to be differentiated: it has no elements to go through."""
    graph = program.graph
    return bool(graph.dims) and any(graph.variables[n].ranges for n in outputs(graph, goal))


def outputs(graph, goal: str | None) -> list[str]:
    """The variables that are differentiated, as wholes."""
    if goal is not None:
        if goal not in graph.variables or graph.variables[goal].role == "const":
            raise UsageError(f"--goal: there is no variable `{goal}` to differentiate")
        return [goal]
    if graph.goals:
        return list(dict.fromkeys(g.name for g in graph.goals))
    from graphlang.graph.goals import sinks

    return sinks(graph)[:1]


def whole(program, options) -> int:
    """Derivatives of whole tables and second derivatives."""
    from graphlang.show.cells import Texts
    from graphlang.show.console import Paper, can_show, console
    from graphlang.show.jacobians import hessians, jacobians, lines
    from graphlang.show.layout import wrap

    graph = program.graph
    goals = outputs(graph, options.goal)
    asked = [canonical(n) for n in names(options.wrt)]
    for n in asked:
        if n not in graph.variables or graph.variables[n].role == "const":
            raise UsageError(f"--wrt: there is no variable `{n}` to differentiate with respect to")
    wrt = asked or [n for n, v in graph.variables.items() if v.role in ("input", "param")]
    made = [make(graph, goals, wrt) for wanted, make in ((options.jacobian or not options.hessian, jacobians), (options.hessian, hessians)) if wanted]
    if options.json:
        from graphlang.show.document import dumps
        from graphlang.show.jacobians import as_data

        print(dumps(as_data(graph, made)))
    elif options.latex or options.typst:
        from graphlang.show.fragment import whole_fragment

        for one in made:
            print(whole_fragment(*one, _notation(options)), end="")
    else:
        out = console(plain=options.plain)
        paper = Paper(out)
        for fuller, found in made:
            for line in lines(fuller, found, Texts(fuller, options.ascii or not can_show(out, "⇒Σ∀·…ⱼα∂"))):
                for part in wrap(line, out.width, 4):
                    paper.line(part)
        paper.flush()
    return 0


def _notation(options):
    from graphlang.show.latex import LATEX
    from graphlang.show.typst import TYPST

    return LATEX if options.latex else TYPST
