"""What a gradient costs, as tables: the ways to it, the paths from each leaf, and on request the paths themselves."""

from __future__ import annotations

import math
from typing import Iterator, Mapping, NamedTuple, Sequence

from rich.console import Console

import graphlang
from graphlang.graph.expressions import Call, Expr
from graphlang.graph.graph import Graph
from graphlang.graph.spell import formula
from graphlang.show.cells import Texts
from graphlang.show.console import Line, Paper, Signs, breadth, can_show, clean, pad
from graphlang.show.document import LONGEST
from graphlang.show.layout import wrap
from graphlang.show.numbers import number
from graphlang.show.tables import Options, file_name
from graphlang.syntax.format import SOURCE
from graphlang.verify.cost import Cost, Leaf
from graphlang.verify.paths import Path, Paths, Walk

LARGEST_WRITTEN = 10**15  # counts above it are rounded
MOST_SUMMED = 10_000      # paths of an element that are summed though not all of them are shown
MOST_SHOWN = 20

PRINCIPLE = ("cheap gradient principle: with +, - and * in primitive steps it is never more than 5 times, however many leaves there are "
             "(Baur and Strassen, 1983)")


class Way(NamedTuple):
    """A way to the gradient: passes over the graph, node values and local derivatives that it computes, how many that is
    in words, and against backpropagation (None: nothing to compare)."""

    name: str
    forward: int
    backward: int
    values: int
    locals: int
    words: str
    ratio: float | None


def ways(cost: Cost) -> list[Way]:
    """The factor compares local derivatives, and for differences operations."""
    ahead, back = cost.operations

    def against(count: int, base: int) -> float | None:
        return quotient(count, base) if base else None

    def differences(name: str, evaluations: int, words: str) -> Way:
        return Way(name, evaluations, 0, evaluations * cost.nodes, 0, words, against(evaluations * ahead, ahead + back))

    return [
        Way("backpropagation", 1, 1, cost.nodes, cost.edges, "one for each edge", against(cost.edges, cost.edges)),
        Way("path by path", 1, 0, cost.nodes, cost.path_by_path, "edges of all paths", against(cost.path_by_path, cost.edges)),
        Way("forward mode", cost.scalars, 0, cost.nodes, cost.forward_mode, "scalars × edges", against(cost.forward_mode, cost.edges)),
        differences("central differences", cost.central, "scalars × 2 passes"),
        differences("forward differences", cost.one_sided, "scalars + 1 passes"),
    ]


def quotient(a: int, b: int) -> float:
    """Of counts of any size; inf where no float64 holds it."""
    try:
        return a / b
    except OverflowError:
        return math.inf


def counted(n: int) -> str:
    """A count in full, or rounded where it has more than 15 digits."""
    if n < LARGEST_WRITTEN:
        return f"{n:,}"
    whole = math.floor(math.log10(n))
    digits = 10 ** (math.log10(n) - whole)
    return f"about {digits:.3g}e{whole}"


def times(ratio: float | None) -> str:
    if ratio is None or not math.isfinite(ratio):
        return "" if ratio is None else "beyond 1e308"
    if ratio < 0.95:
        return f"{ratio:.2g}"
    return f"{ratio:,.1f}" if ratio < 1e6 and round(ratio, 1) != round(ratio) else f"{ratio:,.0f}" if ratio < 1e15 else f"{ratio:.3g}"


# ---- tables


def show_cost(cost: Cost, graph: Graph, console: Console, options: Options = Options(), listed: Sequence[Paths] = (),
              walk: Walk | None = None, adjoints: Mapping[str, float] = {}, note: str = "") -> None:
    """The tables; with `listed` the paths of these elements (made by `walk`), and beside their sum the adjoint."""
    ascii = options.ascii or not can_show(console, "⇒Σ∀·…ⱼα∂│─←×")
    texts, signs, paper = Texts(graph, ascii), Signs(ascii, options.plain), Paper(console)
    width = options.width or console.width
    paper.line((clean(f"{file_name(graph)}: what the derivatives of {element(texts, cost.goal)} cost"), "bold"))
    for part in wrap(f" {plural(cost.nodes, 'node')}, {plural(cost.edges, 'edge')} (one local derivative each), "
                     f"{plural(cost.scalars, 'scalar')} in the gradient", width, 4):
        paper.line(part)
    paper.line("")
    sign = "x" if ascii else "×"
    rows = [("way", "passes", "node values", "local derivatives", "factor", "how many")]
    for w in ways(cost):
        passes = f"{counted(w.forward)} + {w.backward} back" if w.backward else counted(w.forward)
        rows.append((w.name, passes, counted(w.values), counted(w.locals) if w.locals else "-", times(w.ratio), w.words.replace("×", sign)))
    paper.lines(columns(rows, "lrrrrl", width))
    for part in wrap(" factor: work beside that of backpropagation, in local derivatives; for the differences in operations", width, 4):
        paper.line((part, "dim"))
    if cost.leaves:
        paper.line("")
        rows = [("leaf", "elements", "paths", "edges in a path", "local derivatives, path by path")]
        rows += [(texts.name(leaf.name), counted(leaf.elements), counted(leaf.paths), lengths(leaf), product_of(leaf, sign)) for leaf in cost.leaves]
        paper.lines(columns(rows, "lrrrl", width))
    paper.line("")
    for text in operations_text(cost):
        for part in wrap(text, width, 4):
            paper.line(part)
    for each in listed:
        paper.line("")
        paper.lines(paths_lines(each, walk, ascii, signs, width, options, adjoints.get(each.element)))
    if note:
        paper.line("")
        for part in wrap(clean(f" {note}"), width, 4):
            paper.line((part, "italic"))
    paper.flush()


def plural(n: int, word: str) -> str:
    return f"{counted(n)} {word}{'' if n == 1 else 's'}"


def element(texts: Texts, name: str) -> str:
    return texts.expression(texts.graph.pool.read(name))


def columns(rows: Sequence[tuple[str, ...]], sides: str, width: int) -> Iterator[Line]:
    """Rows under a heading; the last cell stands on a line of its own where the width is too small."""
    widths = [max(breadth(r[k]) for r in rows) for k in range(len(sides))]
    room = sum(widths[:-1]) + 2 * len(widths) + 1
    fits = room + widths[-1] - 2 <= width
    for n, row in enumerate(rows):
        cells = [pad(c, w) if side == "l" else " " * (w - breadth(c)) + c for c, w, side in zip(row, widths, sides)]
        style = "bold" if n == 0 else ""
        if fits:
            yield [(" " + "  ".join(cells), style)]
        else:
            yield [(" " + "  ".join(cells[:-1]), style)]
            yield from ([(part, style or "dim")] for part in wrap("     " + row[-1], width, 2))


def lengths(leaf: Leaf) -> str:
    if not leaf.paths:
        return "-"
    return f"{leaf.shortest}" if leaf.shortest == leaf.longest else f"{leaf.shortest} to {leaf.longest}"


def product_of(leaf: Leaf, sign: str) -> str:
    """`3 × 2 × 5 = 30`: elements, paths of each, edges of each, where these are the same for all."""
    if leaf.each and leaf.shortest == leaf.longest:
        return f"{counted(leaf.elements)} {sign} {counted(leaf.each)} {sign} {leaf.longest} = {counted(leaf.expanded)}"
    return counted(leaf.expanded)


def operations_text(cost: Cost) -> Iterator[str]:
    f, b = cost.operations
    if f:
        yield f" operations: {counted(f)} forward, {counted(b)} backward; both together {times((f + b) / f)} times the forward pass"
        yield f" {PRINCIPLE}"


def paths_lines(p: Paths, walk: Walk, ascii: bool, signs: Signs, width: int, options: Options, adjoint: float | None) -> Iterator[Line]:
    texts = Texts(walk.graph, ascii)
    name, goal = element(texts, p.element), element(texts, str(walk.derivative.goal))
    yield [(clean(f" from {name} to {goal}: {plural(p.count, 'path')}"), "bold")]
    for k, path in enumerate(p.shown, 1):
        route = f" {'<-' if ascii else '←'} ".join(element(texts, n) for n in path.nodes)
        product = " = ".join(path_parts(path, texts, ascii, options.digits))
        lead = f"  {k}. "
        if breadth(lead + route + product) + 4 <= width:
            yield [(clean(f"{lead}{route}    {product}"), "")]
            continue
        yield from ([(part, "")] for part in wrap(clean(lead + route), width, 4))
        yield from ([(part, "")] for part in wrap(clean(" " * len(lead) + product), width, 2))
    if p.count > len(p.shown):
        yield [(f"  {signs.dots} {counted(p.count - len(p.shown))} more paths", "italic")]
    if adjoint is not None:
        left = f"d{goal}/d{name}"
        if p.total is None:
            yield from ([(part, "")] for part in wrap(clean(f"  {left} = {number(adjoint, 15)}, by the reverse sweep; the paths are too many to add"), width, 4))
        else:
            said = "the sum of them" if p.count > 1 else "its product" if p.count else "the empty sum"
            yield from ([(part, "")] for part in wrap(clean(f"  {said}: {number(p.total, 15)};  {left} by the reverse sweep: {number(adjoint, 15)}"), width, 4))


def path_parts(path: Path, texts: Texts, ascii: bool, digits: int) -> list[str]:
    """The product as formulas, as numbers, and its value."""
    times = " * " if ascii else " · "
    out = [times.join(factor(f, texts, k == 0, len(path.locals) == 1) for k, f in enumerate(path.locals)) or "1"]
    if path.values is not None and path.locals:
        if len(path.values) > 1:
            out.append(times.join(bracketed(number(x, digits)) if k else number(x, digits) for k, x in enumerate(path.values)))
        out.append(number(path.value, digits))
    return list(dict.fromkeys(out))


def factor(f: Expr, texts: Texts, first: bool, alone: bool) -> str:
    text = texts.expression(f)
    sum_of = not alone and type(f) is Call and f.function in ("+", "-")
    return f"({text})" if sum_of or not first and text.startswith("-") else text


def bracketed(text: str) -> str:
    return f"({text})" if text.startswith("-") else text


# ---- JSON


def document(cost: Cost, graph: Graph, listed: Sequence[Paths] = (), adjoints: Mapping[str, float] = {}) -> dict:
    """The document of `graphlang cost --json`. Counts are whole numbers, or text where they have more than 1,000 digits."""
    out = {
        "graphlang": graphlang.__version__, "file": graph.source.name if graph.source else None, "goal": cost.goal,
        "nodes": whole(cost.nodes), "edges": whole(cost.edges), "scalars": whole(cost.scalars), "paths": whole(cost.paths),
        "ways": [{"way": w.name, "passes": {"forward": whole(w.forward), "backward": w.backward}, "node_values": whole(w.values), "local_derivatives": whole(w.locals),
                  "ratio": w.ratio} for w in ways(cost)],
        "leaves": [{"name": x.name, "elements": x.elements, "paths": whole(x.paths), "paths_each": None if x.each is None else whole(x.each),
                    "shortest": x.shortest, "longest": x.longest, "local_derivatives": whole(x.expanded)} for x in cost.leaves],
        "operations": {"forward": cost.operations.forward, "backward": cost.operations.backward},
    }
    if listed:
        out["listed"] = [{"element": p.element, "count": whole(p.count), "sum": p.total, "adjoint": adjoints.get(p.element),
                          "paths": [path_record(path) for path in p.shown]} for p in listed]
    return out


def path_record(path: Path) -> dict:
    return {"nodes": list(path.nodes), "locals": [formula(f, SOURCE, LONGEST) for f in path.locals],
            "product": formula(path.product, SOURCE, LONGEST) if path.locals else "1",
            "values": None if path.values is None else list(path.values), "value": path.value}


def whole(n: int) -> int | str:
    return n if n < 10**1000 else counted(n)
