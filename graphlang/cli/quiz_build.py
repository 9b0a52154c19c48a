"""`graphlang quiz build`: quizzes and exams as papers, as a page, and as files that learning platforms import."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import NamedTuple, Sequence

from graphlang.cli.programs import add_reading, told
from graphlang.cli.quiz_files import chosen, quizzes_of
from graphlang.diagnostics import did_you_mean
from graphlang.given import UsageError

EXAMPLES = """examples:
  graphlang quiz build q.graph paths --to moodle --variants 20        20 variants of a quiz, to be drawn from
  graphlang quiz build q.graph --to pdf,key --variants 4 --out exam   four papers and their keys
  graphlang quiz build q.graph --exam "Quiz 3" --to pdf,key,canvas    an exam of the file, with its seed and versions
  graphlang quiz build q.graph --to prairielearn --out course
  graphlang quiz build q.graph --to gift,qti21 --json | jq .losses    what a format could not hold
"""

KEY = "key"
PAPERS = ("pdf", "latex", "md")  # they have a key of their own, and the versions of an exam
MOST = 10_000


def add(parts) -> None:
    from graphlang.quiz.exports import TARGETS

    about = "\n".join(f"  {name:<14}{what}" for name, (_, what) in TARGETS.items()) + f"\n  {KEY:<14}with {', '.join(PAPERS[:-1])} or {PAPERS[-1]}: the key too"
    p = parts.add_parser("build", help="write quizzes as PDF, HTML and for learning platforms", epilog=f"targets:\n{about}\n\n{EXAMPLES}",
                         description="Write variants of quizzes, or an exam, in one or more formats. What a format cannot hold is told. The same file, seed and number give the same bytes.")
    p.add_argument("file", metavar="FILE", help="a .graph file with quizzes; - reads standard input")
    p.add_argument("names", metavar="NAME", nargs="*", help="of quizzes; without one all of them")
    p.add_argument("--to", metavar="TARGETS", required=True, help="what to write, separated by commas")
    p.add_argument("--out", metavar="DIR", default="dist", help="the folder to write to (default dist); it is made")
    p.add_argument("--exam", metavar="TITLE", help="an exam of the file instead of quizzes")
    p.add_argument("--variants", metavar="N", type=int, help="how many variants (default 1); of an exam what it says")
    p.add_argument("--seed", metavar="N", type=int, help="the seed of all variants (default 0); of an exam its own")
    p.add_argument("--calculated", action="store_true", help="Moodle: the variants of a number as one calculated question")
    p.add_argument("--paper", choices=("a4", "us-letter"), default="a4", help="the size of paper (default a4)")
    p.add_argument("--plain", action="store_true", help="text only: no colour")
    p.add_argument("--json", action="store_true", help="one JSON document and nothing else")
    add_reading(p)
    p.set_defaults(handler=handle)


class Wanted(NamedTuple):
    """What is to be written: for papers the sheets of each version one after the other, for platforms all variants to draw from."""

    title: str
    papers: tuple
    letters: tuple[str, ...]
    bank: tuple
    exam: object = None
    left: tuple[str, ...] = ()  # what is told of variants that are left out of a bank


@told
def handle(options) -> int:
    targets = targets_of(options.to)
    if options.variants is not None and not 1 <= options.variants <= MOST:
        raise UsageError(f"--variants is a number from 1 to {MOST:,}")
    made, exams = quizzes_of(options.file, options.allow_path)
    wanted = of_exam(made, exams, targets, options) if options.exam is not None else of_quizzes(chosen(made, options.names, options.file), targets, options)
    written, losses = [], []
    for target in targets:
        if target != KEY:
            files, lost = exported(target, wanted, options, KEY in targets)
            losses += [(target, loss) for loss in lost]
            written += [(target, write(options.out, name, data), len(data)) for name, data in files.items()]
    if set(targets) - {KEY, *PAPERS}:
        losses += [("", note) for note in wanted.left]
    if options.json:
        from graphlang.show.document import dumps

        print(dumps({"title": wanted.title, "files": [{"target": t, "path": path, "bytes": n} for t, path, n in written],
                     "losses": [{"target": t, "message": loss} for t, loss in losses]}))
    else:
        show(written, losses, options.plain)
    return 0


def targets_of(text: str) -> list[str]:
    """The targets of a command line, each once. Raises UsageError."""
    from graphlang.quiz.exports import TARGETS

    names = list(dict.fromkeys(t.strip() for t in text.split(",") if t.strip()))
    for name in names:
        if name not in TARGETS and name != KEY:
            near = did_you_mean(name, [*TARGETS, KEY])
            raise UsageError(f"--to {name}: there is no such target" + ("".join(f"; {h}" for h in near) or "; there are " + ", ".join([*TARGETS, KEY])))
    if not names:
        raise UsageError("--to: a target is wanted, such as pdf or moodle")
    if KEY in names and not set(names) & set(PAPERS):
        raise UsageError(f"--to {KEY}: a key goes with a paper: {', '.join(PAPERS)}")
    return names


# ---- the sheets


def of_quizzes(quizzes: Sequence, targets: Sequence[str], options) -> Wanted:
    """Every quiz in each variant; a paper for each variant has all quizzes."""
    from graphlang.quiz.exports.words import letter

    n, seed = options.variants or 1, options.seed or 0
    by_variant = [[opened(q, k, seed, targets) for q in quizzes] for k in range(1, n + 1)]
    sheets = tuple(s for same in by_variant for s in same)
    bank, left = different(sheets, {q.name: q for q in quizzes})
    title = quizzes[0].title or quizzes[0].name if len(quizzes) == 1 else Path(options.file).stem if options.file != "-" else "Quizzes"
    return Wanted(title, sheets, tuple(letter(k) for k in range(n)) if n > 1 else (), bank, None, left)


def of_exam(made: dict, exams: Sequence, targets: Sequence[str], options) -> Wanted:
    """Its versions for papers; for platforms as many variants of each quiz as it says, or one for each version."""
    from graphlang.quiz.exports.words import letter
    from graphlang.quiz.marking import variant_of

    if options.names:
        raise UsageError("--exam: the exam says which quizzes it has")
    exam = next((e for e in exams if e.title == options.exam), None)
    if exam is None:
        near = did_you_mean(options.exam, [e.title for e in exams])
        has = "it has none" if not exams else "it has " + ", ".join(f'"{e.title}"' for e in exams)
        raise UsageError(f'{options.file} has no exam "{options.exam}"; ' + ("; ".join(near) or has))
    if options.seed is not None:
        exam = exam._replace(seed=options.seed)
    if options.variants is not None:
        exam = exam._replace(uses=tuple(u._replace(variants=options.variants) for u in exam.uses))
    known: dict[tuple[str, int], object] = {}

    def sheet(use, number: int):
        if (use.quiz, number) not in known:
            known[use.quiz, number] = worth(opened(made[use.quiz], number, exam.seed, targets), use.marks)
        return known[use.quiz, number]

    papers, bank = [], []
    if set(targets) & set(PAPERS):
        papers = [sheet(u, variant_of(u, k, made[u.quiz], exam.seed)) for k in range(1, exam.versions + 1) for u in exam.uses]
    if set(targets) - {KEY, *PAPERS}:
        bank = [sheet(u, k) for u in exam.uses for k in range(1, (u.variants or exam.versions) + 1)]
    letters = tuple(letter(k) for k in range(exam.versions)) if exam.versions > 1 else ()
    kept, left = different(bank, made)
    return Wanted(exam.title, tuple(papers), letters, kept, exam, left)


def different(sheets: Sequence, quizzes: dict) -> tuple[tuple, tuple[str, ...]]:
    """The sheets without those that ask the same with the same numbers as one before, and what is told of these. Options stand in another order each time."""
    from graphlang.quiz.variants import variants

    kept, seen, left = [], set(), {}
    for s in sheets:
        drawn = variants(quizzes[s.quiz]).variant(s.seed, s.variant).drawn
        if not any(p.choice for p in s.parts) and (s.quiz, drawn) in seen:
            left.setdefault(s.quiz, []).append(s)
            continue
        seen.add((s.quiz, drawn))
        kept.append(s)
    return tuple(kept), tuple(f"{quiz}: {len(same)} of {sum(s.quiz == quiz for s in sheets)} variants have the numbers of another one and are not written twice" for quiz, same in left.items())


def opened(quiz, number: int, seed: int, targets: Sequence[str]):
    """A sheet; with the rules of its blanks where a target carries errors forward."""
    from graphlang.quiz.marking import opened as with_carrying

    sheet, carrying = with_carrying(quiz, number, seed)
    if "prairielearn" in targets and carrying is not None:
        from graphlang.quiz.rules import with_rules

        return with_rules(sheet, carrying)
    return sheet


def worth(sheet, marks):
    """The sheet with so many marks in all, shared out in proportion; None: its own."""
    from graphlang.quiz.marking import asked_in, shares

    if marks is None:
        return sheet
    of = dict(zip((a.id for a in asked_in(sheet)), shares([a.marks for a in asked_in(sheet)], marks)))
    parts = (replace(p, blanks=tuple(replace(b, marks=of[b.id]) for b in p.blanks), choice=replace(p.choice, marks=of[p.choice.id]) if p.choice else None) for p in sheet.parts)
    return replace(sheet, parts=tuple(parts))


# ---- the files


def exported(target: str, wanted: Wanted, options, key: bool):
    """Files by name, and what is lost."""
    from graphlang.quiz.exports import TARGETS
    from graphlang.quiz.exports.files import Options

    how = Options(exam=wanted.exam, letters=wanted.letters if target in PAPERS else (), key=key, epoch=epoch(), paper=options.paper, calculated=options.calculated)
    return import_module(f"graphlang.quiz.exports.{TARGETS[target][0]}").export(wanted.papers if target in PAPERS else wanted.bank, wanted.title, how)


def epoch() -> int:
    """SOURCE_DATE_EPOCH, 0 where it is not set. Raises UsageError."""
    said = os.environ.get("SOURCE_DATE_EPOCH", "0")
    if not said.isdigit() or not 0 <= int(said) < 2**32:
        raise UsageError(f"SOURCE_DATE_EPOCH is a number of seconds, and this is `{said}`")
    return int(said)


def write(folder: str, name: str, data: bytes) -> str:
    """A file of an export, at once and with its folders; its path. Raises UsageError."""
    from graphlang.files import write_whole

    path = Path(folder).joinpath(*PurePosixPath(name).parts)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, data)
    except OSError as e:
        raise UsageError(f"{path} cannot be written: {e.strerror}") from None
    return str(path)


def show(written: Sequence, losses: Sequence, plain: bool) -> None:
    from graphlang.show.console import Paper, clean, console
    from graphlang.show.layout import wrap

    out = console(plain=plain)
    paper = Paper(out)
    wide = max(len(t) for t, _, _ in written)
    for target, path, _ in written:
        paper.line((f"{target:<{wide}}  ", "bold"), clean(path))
    if losses:
        paper.line("")
        paper.line(("What could not be held:", "bold"))
        for _, loss in losses:
            for line in wrap(f"  {clean(loss)}", out.width, 4):
                paper.line((line, "yellow"))
    paper.flush()
    sys.stdout.flush()
