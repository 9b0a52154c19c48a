"""`graphlang quiz mark`: a file of answers in; marks, misconceptions and how the class did out."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from graphlang.cli.programs import add_reading, told
from graphlang.cli.quiz_files import quizzes_of
from graphlang.given import UsageError

EXAMPLES = """for example, in answers.csv:

    student,quiz,variant,blank,value
    ann,neuron,1,dL_dp,-1.97
    ann,neuron,1,dL_dz,-0.0355

examples:
  graphlang quiz mark q.graph answers.csv                    how the class did, in the terminal
  graphlang quiz mark q.graph answers.csv --out marks.csv    marks of each student and blank, safe to open in a spreadsheet
  graphlang quiz mark q.graph answers.csv --json | jq .blanks
  graphlang quiz mark exam.graph answers.csv                 with a column `version` (A, B, ...) in the place of `variant`
"""

MOST_TOLD = 20     # troubles that are printed
MOST_MISTAKES = 3  # of a blank


def add(parts) -> None:
    p = parts.add_parser("mark", help="mark a file of answers", epilog=EXAMPLES,
                         description="Mark answers: columns student, quiz, variant, blank, value, named in the first line, in any order; others are ignored. Errors are carried forward "
                                     "where the quiz says `carry`. Rows that cannot be used are told with line and column, and the others are marked; the exit status is 1 then.")
    p.add_argument("file", metavar="FILE", help="a .graph file with quizzes")
    p.add_argument("answers", metavar="ANSWERS", help="a CSV file; - reads standard input")
    p.add_argument("--out", metavar="FILE", help="write the marks to this CSV file")
    p.add_argument("--seed", metavar="N", type=int, default=0, help="the seed of the variants, where they are not of an exam (default 0)")
    p.add_argument("--exam", metavar="TITLE", help="which exam the answers are of, with its seed and marks; versions are of the only one of the file where this is not said")
    p.add_argument("--plain", action="store_true", help="text only: no colour, no progress")
    p.add_argument("--json", action="store_true", help="one JSON document and nothing else")
    add_reading(p)
    p.set_defaults(handler=handle)


@told
def handle(options) -> int:
    from graphlang.quiz.answer_files import NotAnswers, read_answers
    from graphlang.quiz.class_marks import mark_class

    if options.file == "-" and options.answers == "-":
        raise UsageError("quiz mark: only one of the two files can be standard input")
    raw = contents(options.answers)
    quizzes, exams = quizzes_of(options.file, options.allow_path)
    try:
        answers, troubles = read_answers(raw)
    except NotAnswers as e:
        print(f"graphlang quiz mark: {options.answers}: {e}", file=sys.stderr)
        return 1
    with progress(len(answers), options) as tick:
        made = mark_class(quizzes, exam_of(exams, options.exam), answers, options.seed, troubles, tick, options.exam is not None)
    if options.out:
        write(options.out, made)
    if options.json:
        from graphlang.quiz.marks_file import document
        from graphlang.show.document import dumps

        print(dumps(document(made, options.file, options.answers)))
    else:
        show(made, options)
    tell(made.troubles, options)
    return 1 if made.troubles else 0


def contents(path: str) -> bytes:
    """Raises UsageError."""
    if path == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as e:
        raise UsageError(f"{path} cannot be read: {e.strerror}") from None


def exam_of(exams, title: str | None):
    """The exam that versions are of: the only one, or the one that is named. Raises UsageError."""
    if title is None:
        return exams[0] if len(exams) == 1 else None
    found = [e for e in exams if e.title == title]
    if not found:
        raise UsageError(f"--exam: there is no exam \"{title}\"" + ("; there are " + ", ".join(f'"{e.title}"' for e in exams) if exams else ""))
    return found[0]


def write(path: str, made) -> None:
    from graphlang.files import write_whole
    from graphlang.quiz.marks_file import csv_text

    try:
        write_whole(path, csv_text(made))
    except OSError as e:
        raise UsageError(f"--out {path}: it cannot be written: {e.strerror}") from None


@contextmanager
def progress(rows: int, options) -> Iterator:
    """A bar on a terminal, gone when it is done."""
    if options.plain or options.json or not sys.stderr.isatty() or rows < 200:
        yield lambda done, of: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from graphlang.show.console import console

    with Progress(TextColumn("marking"), BarColumn(), MofNCompleteColumn(), TextColumn("sheets"), console=console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


# ---- what is shown


def show(made, options) -> None:
    from graphlang.show.console import Paper, can_show, console
    from graphlang.show.layout import wrap

    out = console(plain=options.plain)
    paper = Paper(out)
    sign = "#" if options.plain or not can_show(out, "█") else "█"
    for line, look in lines(made, sign):
        for part in wrap(line, out.width, 4):
            paper.line((part, look))
    if options.out:
        paper.line(f"marks written to {options.out}")
    paper.flush()
    sys.stdout.flush()


def lines(made, sign: str) -> Iterator[tuple[str, str]]:
    """The lines of a report, each with its style."""
    from graphlang.quiz.histogram import bars, bins, mean, median
    from graphlang.quiz.marks_file import number
    from graphlang.show.console import breadth, clean, pad

    totals = {s: made.total(s) for s in made.students}
    if not totals:
        yield "nothing could be marked", ""
        return
    count = len(totals)
    yield f"{count:,} student{'' if count == 1 else 's'}, mean {mean(list(totals.values())):.1f} %, median {median(list(totals.values())):.1f} %", "bold"
    yield from (("  " + b, "") for b in bars(bins(list(totals.values())), sign=sign))
    yield "", ""
    if count <= MOST_TOLD:
        names = {s: shortest(clean(s)) for s in totals}
        width = max(map(breadth, names.values()))
        for s, (marks, of) in totals.items():
            yield f"  {pad(names[s], width)}  {number(marks)} of {number(of)}", ""
        yield "", ""
    asked = made.blanks
    names = [f"{a.quiz} {a.blank}" for a in asked]
    width = max(map(breadth, names))
    yield f"  {pad('', width)}   right  carried  mistakes", "bold"
    for name, a in zip(names, asked):
        told = ", ".join(f"{n} {k}" for n, k in a.mistakes[:MOST_MISTAKES])
        told += f", and {len(a.mistakes) - MOST_MISTAKES} more" if len(a.mistakes) > MOST_MISTAKES else ""
        yield f"  {pad(name, width)}  {f'{100 * a.right / a.count:.0f} %':>6}  {a.carried or '':>7}  {told}".rstrip(), ""


def shortest(name: str) -> str:
    return name if len(name) <= 40 else name[:39] + "…"


def tell(troubles, options) -> None:
    """What is wrong with rows, to standard error."""
    from graphlang.show.console import clean

    for t in troubles[:MOST_TOLD]:
        print(clean(f"{options.answers}:{t}"), file=sys.stderr)
    if len(troubles) > MOST_TOLD:
        print(f"and {len(troubles) - MOST_TOLD:,} more; `--json` has all", file=sys.stderr)
