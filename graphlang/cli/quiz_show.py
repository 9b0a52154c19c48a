"""`graphlang quiz show`: one variant as a student sees it, with its solution and the mistakes that are known on request."""

from __future__ import annotations

import sys
from typing import Iterator

from graphlang.cli.programs import add_reading, told
from graphlang.cli.quiz_files import chosen, quizzes_of
from graphlang.given import UsageError

EXAMPLES = """examples:
  graphlang quiz show q.graph                           every quiz of the file, variant 1
  graphlang quiz show q.graph paths --variant 17        another one
  graphlang quiz show q.graph paths --seed 2026         with the seed of an exam
  graphlang quiz show q.graph paths --solution --mistakes
"""

LINE = "______"


def add(parts) -> None:
    p = parts.add_parser("show", help="one variant as a student sees it", epilog=EXAMPLES,
                         description="A variant as a student sees it. The same seed and number give the same variant, whatever else is in the file.")
    p.add_argument("file", metavar="FILE", help="a .graph file with quizzes; - reads standard input")
    p.add_argument("names", metavar="NAME", nargs="*", help="of quizzes; without one all of them")
    add_variant(p)
    p.add_argument("--solution", action="store_true", help="the worked solution, the keys and what is accepted")
    p.add_argument("--mistakes", action="store_true", help="the wrong numbers that are known, and what is told about them")
    p.add_argument("--ascii", action="store_true", help="names as in the source, no Greek, no subscripts")
    p.add_argument("--plain", action="store_true", help="text only: no colour")
    p.add_argument("--json", action="store_true", help="one JSON document and nothing else")
    add_reading(p)
    p.set_defaults(handler=handle)


def add_variant(p) -> None:
    """The arguments that say which variant is meant."""
    p.add_argument("--variant", metavar="N", type=int, default=1, help="which variant (default 1)")
    p.add_argument("--seed", metavar="N", type=int, default=0, help="the seed of all variants (default 0)")


@told
def handle(options) -> int:
    from graphlang.quiz.sheets import sheet

    if options.variant < 1:
        raise UsageError(f"--variant {options.variant}: variants are counted from 1")
    made, _ = quizzes_of(options.file, options.allow_path)
    sheets = [(quiz, sheet(quiz, options.variant, options.seed)) for quiz in chosen(made, options.names, options.file)]
    if options.json:
        from graphlang.quiz import document
        from graphlang.show.document import dumps

        print(dumps([document.sheet(s, options.solution, options.mistakes) for _, s in sheets]))
        return 0
    from graphlang.show.console import Paper, can_show, console
    from graphlang.show.layout import wrap

    out = console(plain=options.plain)
    paper = Paper(out)
    for k, (quiz, one) in enumerate(sheets):
        if k:
            paper.line("")
        style = style_of(quiz, options.ascii or not can_show(out, "·αⱼ∂Σ"))
        for line, look in lines(one, style, options.solution, options.mistakes):
            for part in wrap(line, out.width, 4):
                paper.line((part, look))
    paper.flush()
    sys.stdout.flush()
    return 0


def style_of(quiz, ascii: bool = False):
    """How the formulas of a quiz are printed."""
    from graphlang.quiz.prepared import prepared
    from graphlang.syntax.format import style_for
    from graphlang.syntax.pretty import Names

    graph = prepared(quiz).graph
    return style_for(Names([*graph.variables, *graph.functions], ascii))


def lines(sheet, style, solution: bool = False, mistakes: bool = False) -> Iterator[tuple[str, str]]:
    """The lines of a sheet, each with the style it is printed in."""
    from graphlang.quiz.keys import plain
    from graphlang.quiz.text import text

    yield f"{sheet.title or sheet.quiz} ({sheet.quiz}, variant {sheet.variant}), {amount(sheet.marks)}", "bold"
    if sheet.program:
        yield "", ""
    for line in sheet.program:
        yield "  " + text(line, style), ""
    for k, part in enumerate(sheet.parts, 1):
        yield "", ""
        number = f"{k}. " if len(sheet.parts) > 1 else ""
        marks = f"  ({amount(part.marks)})" if len(sheet.parts) > 1 else ""
        yield f"{number}{text(part.text, style)}{marks}", ""
        yield from ((line, "") for line in asked(part, style))
    if sheet.notes:
        yield "", ""
    for note in sheet.notes:
        yield note, ""
    if solution:
        yield "", ""
        yield "Solution", "bold"
        for line in sheet.solution:
            yield "  " + text(line, style), ""
    for part in sheet.parts if mistakes else ():
        for b in part.blanks:
            yield "", ""
            yield f"Known wrong numbers for {text((formula(b.shown),), style)}", "bold"
            for d in b.diagnoses:
                yield f"  {plain(d.key)}  {', '.join(d.mistakes)}: {d.message}", ""
        for letter, o in zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", part.choice.options if part.choice else ()):
            if letter == "A":
                yield "", ""
                yield "Options", "bold"
            yield f"  {letter}  " + ("the key" if o.right else f"{', '.join(o.mistakes) or 'wrong'}: {o.message}" if o.message else "wrong"), ""


def formula(tree):
    from graphlang.quiz.model import Formula

    return Formula(tree)


def asked(part, style) -> Iterator[str]:
    """A table with its blanks, lines for numbers, or options."""
    from graphlang.quiz.text import LETTERS, text
    from graphlang.show.console import breadth, pad

    if part.rows:
        order = {id: k for k, id in enumerate(part.order, 1)}
        rows = [part.heads, *(tuple(f"[{order[c.blank]}] {LINE}" if c.blank else text(c.pieces, style) for c in row.cells) for row in part.rows)]
        widths = [max(breadth(row[k]) for row in rows) for k in range(len(part.heads))]
        for row in rows:
            yield ("     " + "  ".join(pad(cell, w) for cell, w in zip(row, widths))).rstrip()
    elif part.choice is not None:
        for letter, o in zip(LETTERS, part.choice.options):
            yield f"     {letter}. {text(o.text, style)}"
    else:
        for b in part.blanks:
            yield f"     {text((formula(b.shown),), style)} = {LINE}"


def amount(marks) -> str:
    from graphlang.quiz.keys import plain

    return f"{plain(marks)} mark{'' if marks == 1 else 's'}"
