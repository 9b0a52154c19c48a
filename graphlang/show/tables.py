"""A run as a person reads it: forward beside backward, one row for each equation, in the author's order."""

from __future__ import annotations

import math
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import PurePath
from typing import Iterable, Iterator, NamedTuple

from rich.console import Console

from graphlang.derive.reverse import SHOWN, Contribution, Derivative, Piece, pieces
from graphlang.graph.expressions import Index
from graphlang.graph.graph import Equation, Range
from graphlang.run import Run, offsets
from graphlang.show.cells import Adjoints, Texts, box_extents
from graphlang.show.console import Line, Paper, Signs, breadth, can_show, clean, pad
from graphlang.show.layout import Cell, Columns, Row, columns, wrap
from graphlang.show.numbers import table
from graphlang.show.summary import given, is_shown, remarks, summary, second
from graphlang.show.totals import Totals

MOST_ROWS = 40  # equations beyond which only the first and the last ENDS are shown
ENDS = 10


class Options(NamedTuple):
    """How a run is shown. `width`: instead of the console's. `scalar` adds the line with nodes and edges; `form` is
    for `show_grad`, a run has its own."""

    digits: int = 6
    all: bool = False
    ascii: bool = False
    order: str = "slide"
    steps: bool = False
    mode: str = "B"
    plain: bool = False
    width: int | None = None
    scalar: bool = False
    form: str = SHOWN
    wrt: tuple[str, ...] = ()  # what `show_grad` is limited to
    reveal: bool = False       # below a claim that fails the formula that is right
    matrix: bool = False       # `show_grad`: an adjoint as a matrix formula where it is one


class Sheet:
    """A run, the options, and the texts and totals that are made for it."""

    def __init__(self, run: Run, console: Console, options: Options):
        self.run, self.options = run, options
        self.ascii = options.ascii or not can_show(console, "⇒Σ∀·…ⱼα∂│─")
        self.signs = Signs(self.ascii, options.plain)
        self.width = options.width or console.width
        self.paper = Paper(console)
        passes = () if run.bad is not None else run.passes
        self.adjoints = [Adjoints(p.derivative, self.ascii, run.form) for p in passes]
        self.texts = self.adjoints[0] if passes else Texts(run.graph, self.ascii)
        self.totals = Totals(run, passes[0]) if passes else None
        self.p = passes[0] if passes else None

    # ---- values

    def table(self, flat, extents) -> str:
        return table(flat, extents, self.options.digits, self.options.all, self.signs.dots)

    def forward(self, e: Equation) -> Cell:
        value = self.run.over_box(e)
        text = self.table(value, box_extents(e.subs, e.box))
        if self.run.first_bad is e and not all(map(math.isfinite, value)):
            return Cell(self.texts.equation(e), value=f"{text} {self.signs.mark} not finite", style="bold red")
        return Cell(self.texts.equation(e), value=text)

    def seed(self) -> Cell:
        text = self.texts.seed()
        if self.p.derivative.incoming.get(self.p.goal.name):  # something comes back to it
            return Cell(f"{text} += 1", (), "1", "1")
        return Cell(f"{text} = 1", (), "1")

    def contribution(self, c: Contribution) -> Cell:
        part = self.totals.of(c)
        left, right, locals = self.texts.contribution(c)
        extents = box_extents(c.at, c.box)
        if self.run.first_bad_part is c:
            value = f"{self.table(part.value, extents)} {self.signs.mark} not finite"
            return Cell(f"{left} {'=' if part.alone else '+='} {right}", locals, value, "" if part.alone else self.table(part.total, extents), part.final, "bold red")
        if part.alone:
            return Cell(f"{left} = {right}", locals, self.table(part.value, extents))
        return Cell(f"{left} += {right}", locals, self.table(part.value, extents), self.table(part.total, extents), part.final)

    # ---- rows

    def holds_seed(self, e: Equation) -> bool:
        goal = self.p.goal
        return e.target == goal.name and all(r.low <= k <= r.high for r, k in zip(e.box, goal.element or ()))

    def paid(self, e: Equation) -> list[Contribution]:
        return [c for c in self.p.derivative.outgoing.get(e, ()) if is_shown(self.run, c.variable)]

    def row(self, e: Equation) -> Row:
        if self.p is None:
            return Row(self.forward(e))
        first = [self.seed()] if self.holds_seed(e) else []
        return Row(self.forward(e), (*first, *map(self.contribution, self.paid(e))))

    def variable_row(self, item: Equation | str) -> Row:
        """Version A: an equation, or a leaf, beside the whole adjoint of its variable."""
        name = item if isinstance(item, str) else item.target
        forward = self.leaf(name) if isinstance(item, str) else self.forward(item)
        if self.p is None or not isinstance(item, str) and self.run.graph.pieces[name][0] is not item:
            return Row(forward)
        return Row(forward, tuple(self.adjoint_cells(name)))

    def leaf(self, name: str) -> Cell:
        v = self.run.graph.variables[name]
        return Cell(f"{v.role} {self.texts.name(name)}", value=self.table(self.run.flat[name], [r.extent for r in v.ranges]))

    def adjoint_cells(self, name: str) -> Iterator[Cell]:
        for piece in pieces(self.p.derivative, name):
            left, rights, locals = self.texts.piece(piece)
            value, extents = self.piece_value(piece)
            direct = not locals and len(piece.terms) == 1
            bad = self.run.first_bad_part in piece.terms and not all(map(math.isfinite, value))
            yield Cell(f"{left} = {rights[-1] if direct else rights[0]}", locals, self.table(value, extents) + (f" {self.signs.mark} not finite" if bad else ""),
                       style="bold red" if bad else "")

    def piece_value(self, piece: Piece) -> tuple[list[float], list[int]]:
        """The adjoint over the elements of a piece, and their extents."""
        ranges, whole = dict(piece.over), self.run.graph.variables[piece.variable].ranges
        box = tuple(ranges[s.name] if type(s) is Index else Range(int(s.value), int(s.value)) for s in piece.at)
        flat = self.p.sweep.adjoints[piece.variable]
        return [flat[k] for k in offsets(box, whole)] if whole else flat, box_extents(piece.at, box)

    def leaves(self) -> list[str]:
        return [n for n, v in self.run.graph.variables.items() if v.is_leaf and v.role != "const" and is_shown(self.run, n)]

    def equations(self) -> tuple[Equation, ...]:
        """In the order in which they are shown; of a run that failed those that were evaluated, the bad one last."""
        if self.run.bad is not None or self.options.order == "eval":
            return self.run.order
        return self.run.graph.equations

    # ---- writing

    def title(self, text: str, width: int) -> None:
        for k, part in enumerate(wrap(clean(text), max(20, self.width - 2), 2)):
            if self.options.plain:
                self.paper.line((part, "bold"))
                continue
            rule = self.signs.rule * (min(width, self.width) - breadth(part) - 3)
            self.paper.line((f"{self.signs.left} " if k == 0 else "  ", "dim"), (part, "bold"), (f" {rule}" if k == 0 else "", "dim"))

    def gap(self, hidden: int, total: int, what: str = "rows") -> None:
        self.paper.line((f" {self.signs.gap}  {hidden:,} more {what}: {total:,} {what}, `--all` shows them", "italic"))


def show_run(run: Run, console: Console, options: Options = Options()) -> None:
    """The tables of a run, then gradients, conventions, notes and expectations; of an exact run with certain digits."""
    with certain(run, options) as (shown, its):
        sheet = Sheet(shown, console, its)
        if shown.tangents:
            from graphlang.show.forward import show_forward

            show_forward(sheet)
        elif its.steps:
            from graphlang.show.steps import show_steps

            show_steps(sheet)
        else:
            show_table(sheet)
        for lines in below(sheet):
            sheet.paper.line("")
            sheet.paper.lines(lines)
        sheet.paper.flush()


@contextmanager
def certain(run: Run, options: Options) -> Iterator[tuple[Run, Options]]:
    """What is shown of a run, and how: of an exact one its certain digits."""
    if run.exact is not None and run.bad is None:
        with run.exact.as_run() as exact:
            yield exact, options._replace(digits=run.exact.precision)
    else:
        yield run, options


def below(sheet: Sheet) -> Iterator[list[Line]]:
    """What stands below the table, in one or two groups of lines."""
    run, options, width, dots = sheet.run, sheet.options, sheet.width, sheet.signs.dots
    point = [*given(run, sheet.texts, options, width, dots)]
    if run.bad is None:
        point += summary(run, sheet.adjoints, options, width, dots)
    point += second(run, sheet.texts, options, width, dots)
    for lines in (point, [*remarks(run, options, width, dots)]):
        if lines:
            yield lines


def file_name(run_or_graph) -> str:
    source = run_or_graph.source
    return PurePath(source.name).name or source.name if source else "graph"


def show_table(sheet: Sheet) -> None:
    head, tail, total = table_rows(sheet)
    stream = iter(head)
    first = list(islice(stream, MOST_ROWS))
    shape = columns([*first, *tail], sheet.width, sheet.signs.arrow, sheet.signs.bar)
    heading(sheet, shape)
    for row in first:
        sheet.paper.lines(shape.lines(row))
    for row in stream:
        sheet.paper.lines(shape.lines(row))
    if tail:
        sheet.gap(total - 2 * ENDS, total)
        for row in tail:
            sheet.paper.lines(shape.lines(row))
    footing(sheet, shape)
    sheet.paper.lines(order_note(sheet))


def items(sheet: Sheet) -> list[Equation | str]:
    """What has a row of its own: equations, and in version A the leaves, by name."""
    equations = list(sheet.equations())
    if not is_version_a(sheet):
        return equations
    return sheet.leaves() + equations if sheet.options.order == "eval" else equations + sheet.leaves()


def is_version_a(sheet: Sheet) -> bool:
    return sheet.options.mode == "A" and sheet.p is not None


def table_rows(sheet: Sheet) -> tuple[Iterable[Row], list[Row], int]:
    """The rows of the table, made while they are read; of a long program the first ones, and the last ones apart; and how many
    rows there are in all."""
    every = items(sheet)
    make = sheet.variable_row if is_version_a(sheet) else sheet.row
    goal = leaf_goal(sheet)
    front = [goal] if goal is not None else []
    if sheet.options.all or len(every) <= MOST_ROWS:
        return chain(front, map(make, every)), [], len(every)
    return [*front, *map(make, every[:ENDS])], [make(e) for e in every[-ENDS:]], len(every)


def leaf_goal(sheet: Sheet) -> Row | None:
    """A goal that is a leaf has no equation to stand beside."""
    if sheet.p is None or sheet.options.mode == "A" or not sheet.run.graph.variables[sheet.p.goal.name].is_leaf:
        return None
    return Row(sheet.leaf(sheet.p.goal.name), (sheet.seed(),))


def total_width(shape: Columns) -> int:
    return shape.forward + (0 if shape.stacked or not shape.backward else shape.backward + 3) + 1


def heading(sheet: Sheet, shape: Columns, second: str = "Backward", note: str = "") -> None:
    signs, two = sheet.signs, bool(shape.backward) and not shape.stacked
    sheet.title(", ".join(filter(None, (file_name(sheet.run.graph), note))), max(total_width(shape), 24))
    if shape.stacked:
        sheet.paper.line((f" Forward, and below each row {second}", "bold"))
        if not sheet.options.plain:
            sheet.paper.line((signs.rule * (total_width(shape)), "dim"))
        return

    def title(word: str, width: int) -> str:
        return pad(word, width - 5) + "value" if width >= len(word) + 7 else pad(word, width)

    left = (" " + title("Forward", shape.forward) + " ", "bold")
    sheet.paper.line(left, *([(signs.bar, "dim"), (" " + title(second, shape.backward), "bold")] if two else []))
    rule(sheet, shape, signs.cross)


def rule(sheet: Sheet, shape: Columns, crossing: str) -> None:
    if sheet.options.plain:
        return
    dash = sheet.signs.rule
    if shape.stacked or not shape.backward:
        sheet.paper.line((dash * (total_width(shape) + (not shape.stacked)), "dim"))
    else:
        sheet.paper.line((dash * (shape.forward + 2) + crossing + dash * (shape.backward + 1), "dim"))


def footing(sheet: Sheet, shape: Columns) -> None:
    rule(sheet, shape, sheet.signs.foot)


def order_note(sheet: Sheet) -> Iterator[Line]:
    """Totals are added nearest to the goal first, whatever the order of the rows: said where the two differ."""
    every = items(sheet)
    if sheet.p is None or is_version_a(sheet) or len(every) > MOST_ROWS:
        return
    place = {e: k for k, e in enumerate(every)}
    out = []
    for name, terms in sheet.p.derivative.incoming.items():
        at = [place[c.source] for c in terms]
        if at != sorted(at) and is_shown(sheet.run, name) and not all(sheet.totals.of(c).alone for c in terms):
            sources = ", ".join(dict.fromkeys(sheet.texts.expression(sheet.texts.pool.read(c.source.target, c.source.subs)) for c in terms))
            out.append(f"{sheet.texts.adjoint(name)} from {sources}")
    if out:
        yield from ([(part, "italic")] for part in wrap(f" order in which the totals {sheet.signs.arrow} are added: {'; '.join(out)}", sheet.width, 4))


# ---- formulas without numbers


def show_grad(derivative: Derivative, console: Console, options: Options = Options()) -> None:
    """The backward column as formulas: for each variable its adjoint, and below it the local derivatives."""
    ascii = options.ascii or not can_show(console, "⇒Σ∀·…ⱼα∂")
    texts, paper, signs = Adjoints(derivative, ascii, options.form), Paper(console), Signs(ascii, options.plain)
    width = options.width or console.width
    graph = derivative.graph
    names = [n for n in derivative.variables if (n in options.wrt if options.wrt else graph.variables[n].role != "data")]
    shown = names if options.all or len(names) <= MOST_ROWS else [*names[:ENDS], None, *names[-ENDS:]]
    if options.matrix:
        from graphlang.show.matrix import matrix_row, matrix_text  # 20 ms, for one option
    for name in shown:
        if name is None:
            hidden = len(names) - 2 * ENDS
            paper.line((f" {signs.gap}  {hidden:,} more rows: {len(names):,} rows, `--all` shows them", "italic"))
            continue
        if options.matrix and (tree := matrix_row(derivative, name, options.form)) is not None:
            for part in wrap(matrix_text(name, tree, texts), width, 4):
                paper.line(part)
            continue
        for piece in pieces(derivative, name):
            left, _, locals = texts.piece(piece)
            tail = texts.part_of_whole(name, piece.at, piece.over)
            for part in wrap(f"{left} = {texts.formula(piece)}{tail}", width, 4):
                paper.line(part)
            if locals:
                for part in wrap("    " + ",  ".join(locals), width, 4):
                    paper.line((part, "dim"))
    paper.flush()
