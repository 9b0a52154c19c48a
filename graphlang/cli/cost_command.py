"""`graphlang cost`: why backpropagation is efficient, on the author's graph. No values are needed."""

from __future__ import annotations

from graphlang.cli.programs import add_program, read, told
from graphlang.derive.reverse import RAW, SHOWN, Derivative, differentiate
from graphlang.diagnostics import GraphError
from graphlang.engines.initial import initial_values
from graphlang.given import UsageError, flat, names, settings
from graphlang.graph.graph import Graph
from graphlang.graph.order import plan
from graphlang.graph.scalar import element_names, scalar_values
from graphlang.pipeline import Program, check_program, goals_in_view, view

EXAMPLES = """for example, in two.graph:

    J = u1*u2
    u1 = sin(t)
    u2 = 3t
    t = x^2
    x = 2

  $ graphlang cost two.graph --paths x --plain --ascii
    two.graph: what the derivatives of J cost
     4 nodes, 5 edges (one local derivative each), 1 scalar in the gradient
    ...
     from x to J: 2 paths
      1. J <- u1 <- t <- x    u2 * cos(t) * 2*x = 12 * (-0.653644) * 4 = -31.3749
      2. J <- u2 <- t <- x    u1 * 3 * 2*x = -0.756802 * 3 * 4 = -9.08163
      the sum of them: -40.4565237451485;  dJ/dx by the reverse sweep: -40.4565237451485

examples:
  graphlang cost net.graph                          visits and local derivatives of each way
  graphlang cost net.graph --set M=784 --set D=100  at other sizes
  graphlang cost two.graph --paths x                every path from x to the goal, with its product
  graphlang cost net.graph --paths 'x[0]' --expand  from one element, in primitive steps

net.graph, whose sizes can change because no list in it has a fixed length:

    const M = 4, D = 3
    J    = sum(z[j]^2 for j in 1..D)
    z[j] = tanh(sum(w[j,i]*x[i] for i in 0..M)) for j in 1..D
    input x[0..M]
    param w[1..D, 0..M] = normal(0, 0.1)
"""

MOST_LISTED = 10_000  # paths with --all


def add(commands) -> None:
    p = commands.add_parser("cost", help="why reverse mode is efficient: what each way to the gradient computes",
                            description="What backpropagation computes, against path by path, forward mode and finite differences.",
                            epilog=EXAMPLES)
    add_program(p)
    p.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], help="the value of a leaf or const: a number, a constant expression or a list")
    p.add_argument("--paths", metavar="NAME", help="list the paths from a variable, or an element such as 'x[0]', to the goal")
    p.add_argument("--json", action="store_true", help="one JSON document and nothing else")
    p.set_defaults(handler=handle)


@told
def handle(options) -> int:
    from graphlang.verify.cost import cost  # not for every command

    program = read(options.file, options.allow_path)
    given = settings(options.set)
    derivative, leaves = prepared(program, given, options)
    wrt = program.checked_wrt(names(options.wrt), derivative)
    counted = cost(derivative.graph, derivative, wrt, leaves)
    listed, walk, adjoints, note = paths_of(program, given, derivative, options) if options.paths is not None else ((), None, {}, "")
    if options.json:
        from graphlang.show.cost import document
        from graphlang.show.document import dumps

        print(dumps(document(counted, derivative.graph, listed, adjoints)))
        return 0
    from graphlang.show.console import console
    from graphlang.show.cost import show_cost
    from graphlang.show.tables import Options

    show_cost(counted, derivative.graph, console(plain=options.plain), Options(all=options.all, ascii=options.ascii, plain=options.plain),
              listed, walk, adjoints, note)
    return 0


def prepared(program: Program, given: dict, options) -> tuple[Derivative, dict]:
    """The backward pass, in the grain that is asked for, and the values of the leaves that have one."""
    from graphlang.verify.cost import check_sizes  # not for every command

    check_program(program.tree)
    graph, rest = program.with_consts(given)
    check_sizes(graph)
    leaves, _ = initial_values(graph, {n: flat(graph, n, v) for n, v in rest.items()})
    shown = view(graph, options.expand, options.scalar)
    if options.scalar:
        leaves = scalar_values(graph, leaves)
    return differentiate(shown, goals_in_view(graph, shown, options.goal)[0], plan(shown)), leaves


def paths_of(program: Program, given: dict, derivative: Derivative, options):
    """The paths that are listed, and the adjoints beside their sums; without numbers where the program has none."""
    from graphlang.show.cost import MOST_SHOWN, MOST_SUMMED
    from graphlang.verify.paths import Walk

    values, adjoints, note = None, {}, ""
    try:
        run = program.run(set=given, goal=str(derivative.goal), expand=options.expand, scalar=options.scalar)
        derivative, values = run.passes[0].derivative, run.flat
        adjoints = by_element(run.graph, run.passes[0].sweep.adjoints)
    except GraphError as e:
        note = f"no numbers: {e.diagnostics[0].message}"
    walk = Walk(derivative, values, RAW if options.raw else SHOWN)
    left, listed = MOST_LISTED if options.all else MOST_SHOWN, []
    try:
        elements = walk.elements(options.paths)
    except UsageError as e:
        raise UsageError(f"--paths: {e}") from None
    for start in elements:
        if left <= 0:
            hidden = sum(map(walk.number_of, elements[len(listed):]))
            note = f"{hidden:,} more paths from {len(elements) - len(listed):,} more elements" + ("" if options.all else ", `--all` shows them") + (f"; {note}" if note else "")
            break
        listed.append(walk.of(start, left, MOST_SUMMED))
        left -= max(1, len(listed[-1].shown))
    return listed, walk, adjoints, note


def by_element(graph: Graph, adjoints) -> dict[str, float]:
    return {name: x for v, flat in adjoints.items() for name, x in zip(element_names(graph.variables[v]), flat)}
