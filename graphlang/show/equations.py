"""A run as equations for MathJax: forward, then the adjoints of the first goal, each with its formula and its value.

One `aligned` environment, of what MathJax and KaTeX know without extensions. Formulas come from the typesetter that `grad --latex` has,
numbers from the function that the tables have.
"""

from __future__ import annotations

import re
from typing import Iterator, Sequence

from graphlang.derive.reverse import Derivative, pieces
from graphlang.graph.expressions import Expr, Index
from graphlang.graph.graph import Equation, Graph
from graphlang.graph.sizes import written
from graphlang.graph.spell import spell
from graphlang.run import Run
from graphlang.show.cells import LONGEST, box_extents, with_bounds
from graphlang.show.fragment import adjoint_lines, typesetter
from graphlang.show.html import Lines
from graphlang.show.latex import LATEX
from graphlang.show.numbers import MOST_ENTRIES, number
from graphlang.show.steps import shown_parts
from graphlang.show.summary import is_shown
from graphlang.show.tables import Options, Sheet, certain, is_version_a
from graphlang.syntax import ast

NEW_LINE = " \\\\\n"
SPACE = " \\\\[1.5ex]\n"  # between forward and backward
HIGHEST = 4  # entries of a column that stand below one another
DOTS = r"& \;\; \vdots"


def equations(run: Run, options: Options) -> str:
    """The environment, without dollars around it."""
    with certain(run, options) as (shown, its):
        sheet = Sheet(shown, Lines(), its)
        forward = shortened(sheet, [*forward_lines(sheet)])
        backward = shortened(sheet, [*backward_lines(sheet)]) if sheet.p is not None else []
    return "\\begin{aligned}\n" + SPACE.join(NEW_LINE.join(part) for part in (forward, backward) if part) + "\n\\end{aligned}"


def shortened(sheet: Sheet, lines: list[str]) -> list[str]:
    """Of many lines the first and the last, as in the tables."""
    parts = [lines[part.start : part.stop] for part in shown_parts(sheet, len(lines))]
    return parts[0] if len(parts) == 1 else [*parts[0], DOTS, *parts[1]]


def forward_lines(sheet: Sheet) -> Iterator[str]:
    """The equations in the order of the table, then the leaves; in the order of evaluation leaves first."""
    graph, digits = sheet.run.graph, sheet.options.digits
    setter = typesetter(graph, LATEX)
    leaves = [f"{setter.name(v.name)} &= {entries(sheet.run.flat[v.name], [r.extent for r in v.ranges], digits, v.row)}"
              for v in graph.variables.values() if v.is_leaf and v.role != "const" and v.name in sheet.run.flat]
    rows = [with_value(equation(sheet, setter, e), entries(sheet.run.over_box(e), box_extents(e.subs, e.box), digits, lies(graph, e.target, e.subs))) for e in sheet.equations()]
    yield from leaves + rows if sheet.options.order == "eval" else rows + leaves


def equation(sheet: Sheet, setter, e: Equation) -> str:
    pool, own = sheet.run.graph.pool, e.source is not None
    left = e.source.target if own else spell(pool.read(e.target, e.subs))
    right = with_bounds(e.source.value, sheet.run.graph.consts) if own else spell(e.value, LONGEST)
    if right is None or sum(1 for _ in ast.postorder(right)) > LONGEST:
        text = LATEX.too_long.format("too long to show")
    else:
        text = setter.formula(right)
    names = [b.name for b in e.source.binders] if own else [b.index for b in e.bindings]
    tail = ", ".join(LATEX.span.format(setter.name(n), *map(written, b.range)) for n, b in zip(names, e.bindings)) if len(names) == len(e.bindings) else ""
    return f"{setter.formula(left)} &= {text}" + (LATEX.quad + tail if tail else "")


def backward_lines(sheet: Sheet) -> Iterator[str]:
    derivative = sheet.p.derivative
    setter = typesetter(derivative.graph, LATEX)
    for name in derivative.variables:
        if not is_shown(sheet.run, name) or not (is_version_a(sheet) or reaches(derivative, name)):
            continue
        for piece, line in zip(pieces(derivative, name), adjoint_lines(derivative, setter, name, sheet.run.form)):
            yield with_value(line, entries(*sheet.piece_value(piece), sheet.options.digits, lies(derivative.graph, name, piece.at)))


def reaches(derivative: Derivative, name: str) -> bool:
    """Whether the goal depends on a variable; of others the table has no row either, but for that of version A."""
    return name == derivative.goal.name or bool(derivative.incoming.get(name))


def with_value(line: str, value: str) -> str:
    """`J &= 1` needs no value beside it."""
    return line if line.endswith(f"&= {value}") else f"{line} &&= {value}"


# ---- numbers


def lies(graph: Graph, name: str, at: Sequence[Expr]) -> bool:
    """Whether the elements at these subscripts stand beside one another: those of a row vector, of a row of a matrix."""
    v = graph.variables[name]
    return v.row if len(v.ranges) == 1 else [d for d, s in enumerate(at) if type(s) is Index] == [1]


def entries(flat: Sequence[float], extents: Sequence[int], digits: int, row: bool = False) -> str:
    """A number, a column, a matrix, with `row` a row of numbers; of a larger table the first numbers and how many more there are."""
    shown = [numeral(x, digits) for x in flat[:MOST_ENTRIES]]
    if not extents:
        return shown[0]
    lying = len(extents) == 1 and not row and len(flat) > HIGHEST  # a column, written as a row
    if len(flat) > MOST_ENTRIES or len(extents) > 2 or not flat or lying:
        more = [rf"\dots \text{{ ({len(flat) - MOST_ENTRIES:,} more)}}"] if len(flat) > MOST_ENTRIES else []
        text = r",\; ".join(shown + more)
        return rf"\left({text}\right)^{{\top}}" if lying else rf"\left[{text}\right]"
    columns = 1 if len(extents) == 1 and not row else extents[-1]
    lines = [" & ".join(shown[k : k + columns]) for k in range(0, len(shown), columns)]
    return rf"\left[\begin{{array}}{{{'r' * columns}}}" + r" \\ ".join(lines) + r"\end{array}\right]"


def numeral(x, digits: int) -> str:
    text = number(x, digits)
    if text.lstrip("-") in ("inf", "nan"):
        return text.replace("inf", r"\infty").replace("nan", r"\mathrm{nan}")
    return re.sub(r"e([+-]?\d+)", lambda m: rf" \cdot 10^{{{int(m[1])}}}", text).replace("±", r"\pm")
