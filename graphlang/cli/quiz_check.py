"""`graphlang quiz check`: whether the quizzes of a file can be asked, in a table, with what to change."""

from __future__ import annotations

import sys

from graphlang.cli.programs import add_reading, told
from graphlang.cli.quiz_files import chosen, quizzes_of
from graphlang.given import UsageError

EXAMPLES = """examples:
  graphlang quiz check q.graph                 every quiz of the file, over all of its variants
  graphlang quiz check q.graph paths --verbose notes and measures too
  graphlang quiz check q.graph --strict        warnings count as unfit
  graphlang quiz check q.graph --json
"""

STYLES = {"unfit": "bold red", "warning": "yellow", "note": ""}


def add(parts) -> None:
    p = parts.add_parser("check", help="verify quizzes over all their variants", epilog=EXAMPLES,
                         description="Look at every variant of every quiz: whether its keys are certain, away from kinks and from borders of rounding, whether options are right and wrong as "
                                     "they should be and differ, which mistakes a question cannot see, and whether rounded working reaches the keys. Exit status 1 if a quiz is unfit.")
    p.add_argument("file", metavar="FILE", help="a .graph file with quizzes; - reads standard input")
    p.add_argument("names", metavar="NAME", nargs="*", help="of quizzes; without one all of them")
    p.add_argument("--variants", metavar="N", type=int, default=0, help="how many variants there are to be (default: as many as exams of the file ask for)")
    p.add_argument("--strict", action="store_true", help="warnings count as unfit")
    p.add_argument("-v", "--verbose", action="store_true", help="notes and measures too")
    p.add_argument("--plain", action="store_true", help="text only: no colour, no progress")
    p.add_argument("--json", action="store_true", help="one JSON document and nothing else")
    add_reading(p)
    p.set_defaults(handler=handle)


@told
def handle(options) -> int:
    from graphlang.quiz.check import check, wanted_of
    from graphlang.show.console import ticking

    if options.variants < 0:
        raise UsageError(f"--variants {options.variants}: how many there are to be is not negative")
    made, exams = quizzes_of(options.file, options.allow_path)
    reports = []
    for quiz in chosen(made, options.names, options.file):
        with ticking(quiz.name, not (options.plain or options.json) and sys.stderr.isatty()) as tick:
            reports.append(check(quiz, options.variants or wanted_of(quiz, exams), lambda done, of: tick(f"{done:,} of {of:,} variants") if done % 20 == 0 else None))
    if options.json:
        from graphlang.quiz.document import report
        from graphlang.show.document import dumps

        print(dumps([report(r) for r in reports]))
    else:
        show(reports, options)
    levels = ("unfit", "warning") if options.strict else ("unfit",)
    return 1 if any(f.level in levels for r in reports for f in r.findings) else 0


def show(reports, options) -> None:
    from graphlang.show.console import Paper, breadth, console, pad
    from graphlang.show.layout import wrap

    out = console(plain=options.plain)
    paper = Paper(out)
    rows = [("quiz", "marks", "variants", "mistakes seen", "")] + [row(r, options.strict) for r in reports]
    widths = [max(breadth(row[k]) for row in rows) for k in range(4)]
    for k, one in enumerate(rows):
        cells = "  ".join(pad(text, w) for text, w in zip(one, widths))
        style = "bold" if not k else {"ok": "green", "unfit": "bold red"}.get(one[4], "yellow")
        paper.line((cells, "bold" if not k else ""), "  ", (one[4], style))
    for r in reports:
        shown = [f for f in r.findings if options.verbose or f.level != "note"]
        if not shown and not options.verbose:
            continue
        paper.line("")
        paper.line((r.quiz, "bold"), f"  {r.title}" if r.title else "")
        for line in measures(r) if options.verbose else ():
            for part in wrap(f"  {line}", out.width, 4):
                paper.line(part)
        for f in shown:
            first, *rest = wrap(f"  {f.level}: {f.check}{f' ({f.where})' if f.where else ''}: {f.message}", out.width, 4)
            head = f"  {f.level}"
            paper.line((head, STYLES[f.level]), first.removeprefix(head))
            for part in rest:
                paper.line(part)
            for part in wrap(f"    → {f.change}", out.width, 4) if f.change else ():
                paper.line(part)
    paper.flush()
    sys.stdout.flush()


def row(r, strict: bool) -> tuple[str, str, str, str, str]:
    from graphlang.quiz.keys import plain

    count = f"{r.fitting:,}" if r.fitting == r.count else f"{r.fitting:,} of {r.count:,}"
    variants = f"{count} ({r.asked} asked for)" if r.asked else count
    # at the worst draw of each part
    seen = ", ".join(f"{d.mistakes - d.worst} of {d.mistakes}" for d in r.detection) or "-"
    warned = any(f.level == "warning" for f in r.findings)
    return r.quiz, plain(r.marks), variants, seen, "unfit" if not r.fit or strict and warned else "warnings" if warned else "ok"


def measures(r):
    """What was measured, beside the findings."""
    from graphlang.quiz.keys import plain

    if r.by:
        yield f"keys are certain by {r.by}"
    for m in r.keys:
        yield f"{m.name}: the key is {plain(m.low)}" if m.different == 1 else f"{m.name}: {m.different:,} different keys from {plain(m.low)} to {plain(m.high)}"
    if r.difficulty:
        low, high = r.difficulty
        yield f"a whole working has {low} digits" if low == high else f"a whole working has from {low} to {high} digits"
    for d in r.detection:
        yield f"{d.part}: {d.mistakes} single mistakes change an answer; {d.worst} round to the key at the worst draw, {d.masked:.2g} on the average"
    for k in r.ranks:
        yield f"{k.part}: in {sum(k.positions)} variants the key stands at positions A, B, … {', '.join(map(str, k.positions))} times" + (
            f"; as the smallest, the second, … of the options {', '.join(map(str, k.ranks))} times" if k.ranks else "")
