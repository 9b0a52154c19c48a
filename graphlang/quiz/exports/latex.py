"""Papers as LaTeX source in the class `exam`, to be changed by hand before they are printed.

One file for each version has the questions and the solutions; the class prints these only after `\\printanswers`. The key's file says that, and
takes the questions from the other.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Iterable, Iterator, NamedTuple, Sequence

from graphlang.quiz.exports import words
from graphlang.quiz.exports.files import DEFAULTS, Exported, Options, file_name, named, versions
from graphlang.quiz.exports.losses import Losses
from graphlang.quiz.model import Blank, Cell, Choice, Formula, Part, Sheet
from graphlang.quiz.typeset import Prose, latex_document, latex_told, latex_words, prose_of

PREAMBLE = r"""\documentclass[11pt,%(paper)s,addpoints]{exam}
%% Solutions are printed after \printanswers, or when the class has the option "answers".
\usepackage{iftex}
\ifPDFTeX \usepackage[T1]{fontenc}\usepackage{textcomp} \else \usepackage{fontspec} \fi
\usepackage{amsmath,amssymb}
\pointpoints{mark}{marks}
\pagestyle{headandfoot}
\firstpageheader{}{}{%(version)s}
\runningheader{%(title)s}{}{%(version)s}
\footer{}{page \thepage\ of \numpages}{}
"""
PAPERS = {"a4": "a4paper", "us-letter": "letterpaper"}


class Item(NamedTuple):
    """What has marks of its own. `before`: text that belongs to it and to the items after it."""

    marks: Decimal
    body: list[str]
    before: str = ""


def export(sheets: Sequence[Sheet], title: str, options: Options = DEFAULTS) -> Exported:
    """NAME.tex of each version, NAME-key.tex of each."""
    files, losses, name = {}, Losses("latex"), file_name(title, options)
    for letter, its in versions(sheets, options):
        source = "\n".join(paper(its, title, letter, options, losses)) + "\n"
        files[named(name, letter) + ".tex"] = source.encode()
        if options.key:
            files[named(name, letter, "key") + ".tex"] = f"\\PassOptionsToClass{{answers}}{{exam}}\n\\input{{{named(name, letter)}}}\n".encode()
        foreign = sorted({c for c in source if c > "\u017f"})
        losses.add("character", "characters", f"that pdfLaTeX may not know, use LuaLaTeX: {''.join(foreign[:20])}", len(foreign))
    return Exported(files, losses.sentences())


# ---- a paper


def paper(sheets: Sequence[Sheet], title: str, letter: str, options: Options, losses: Losses) -> Iterator[str]:
    yield PREAMBLE % {"paper": PAPERS[options.paper], "title": latex_words(title), "version": f"Version {letter}" if letter else ""}
    yield r"\begin{document}"
    yield rf"\begin{{center}}\Large\bfseries {latex_words(title)}\end{{center}}"
    yield (f"{options.exam.minutes} minutes. " if options.exam else "") + f"{words.marks(sum((s.marks for s in sheets), start=words.NOTHING))} in all."
    yield "\n\\medskip\\noindent Name: \\hrulefill\n"
    if options.exam:
        yield "\\begin{center}\\gradetable[h][questions]\\end{center}\n"
    yield r"\begin{questions}"
    for sheet in sheets:
        yield from question(sheet, options, losses)
    yield "\n\\end{questions}\n\\end{document}"


def question(sheet: Sheet, options: Options, losses: Losses) -> Iterator[str]:
    prose = prose_of(sheet)
    found = [i for part in sheet.parts for i in items(part, prose, options)]
    alone = len(found) == 1
    yield f"\n% {sheet.id}"
    yield rf"\question{points(found[0].marks, losses) if alone else ''} \textbf{{{latex_words(sheet.title)}}}\par"
    yield from (rf"{latex_document(prose, line)}\par" for line in sheet.program)
    if not alone and found:
        yield found[0].before
        yield r"\begin{parts}"
    for k, item in enumerate(found):
        if item.before and (alone or k):
            yield item.before if alone else rf"\uplevel{{{item.before}}}"
        if not alone:
            yield rf"\part{points(item.marks, losses)}"
        yield from item.body
    if not alone and found:
        yield r"\end{parts}"
    yield from (rf"\emph{{{latex_words(note)}}}\par" for note in sheet.notes)
    if options.key and sheet.solution:
        yield from solution(latex_document(prose, line) for line in sheet.solution)


def points(marks: Decimal, losses: Losses) -> str:
    """The class knows whole marks and halves."""
    whole, over = divmod(marks, 1)
    if over not in (0, Decimal("0.5")):
        losses.add("number of marks", "numbers of marks", "in words only: the class exam adds whole and half ones")
        return f" ({words.marks(marks)})"
    return f"[{whole if whole or not over else ''}{chr(92) + 'half' if over else ''}]"


def items(part: Part, prose: Prose, options: Options) -> Iterator[Item]:
    """A table is one item, so that its cells stand together; every other number is one, and the choice."""
    inside, outside = words.divided(part)
    before = latex_document(prose, part.text)
    if part.rows:
        marks = sum((b.marks for _, b in inside), start=words.NOTHING)
        yield Item(marks, [*table(part, prose, options), *told(inside, prose, options), *guide(part, options)], before)
        before = ""
    for label, blank in outside:
        line = rf"{latex_document(prose, (Formula(blank.shown),))}, {latex_words(words.precision(blank.precision))}"
        key = f"[${words.number(blank.key).replace('−', '-')}$]" if options.key else ""
        room = f"\\vspace{{{options.space:g}cm}}" if options.space else ""
        # with solutions the class prints these in the place of the room
        body = [line, rf"\ifprintanswers\else{room}\fi", rf"\answerline{key}", *told([(label, blank)], prose, options)]
        yield Item(blank.marks, body + ([] if part.rows or label != outside[-1][0] else list(guide(part, options))), before)
        before = ""
    if part.choice:
        yield Item(part.choice.marks, list(choices(part.choice, prose, options)), before)


def table(part: Part, prose: Prose, options: Options) -> Iterator[str]:
    width = max(len(part.heads), *(len(row.cells) for row in part.rows))
    blanks, labels = {b.id: b for b in part.blanks}, words.labels(part)
    yield r"\par\medskip\renewcommand{\arraystretch}{1.6}"
    yield rf"\begin{{tabular}}{{|{'l|' * width}}}\hline"
    if part.heads:
        yield " & ".join(rf"\textbf{{{latex_words(h)}}}" for h in part.heads) + r" \\\hline"
    for row in part.rows:
        yield " & ".join(cell(c, blanks, labels, prose, options) for c in row.cells) + r" \\\hline"
    yield rf"\end{{tabular}}\par {latex_words(words.asked_together(words.divided(part)[0]))}"


def cell(c: Cell, blanks: dict[str, Blank], labels: dict[str, str], prose: Prose, options: Options) -> str:
    if not c.blank:
        return "{" + latex_document(prose, c.pieces) + "}"
    key = f"[${words.number(blanks[c.blank].key).replace('−', '-')}$]" if options.key else ""
    return (f"({labels[c.blank]}) " if labels[c.blank] else "") + (rf"\fillin{key}[2.5cm]" if key else r"\fillin[][2.5cm]")


def choices(choice: Choice, prose: Prose, options: Options) -> Iterator[str]:
    yield r"\begin{choices}"
    for o in choice.options:
        yield rf"\{'CorrectChoice' if o.right and options.key else 'choice'} {latex_document(prose, o.text)}"
    yield r"\end{choices}"
    if options.key:
        yield from solution(f"{words.letter(j)}: {latex_told(o.message)}" for j, o in enumerate(choice.options) if o.message and not o.right)


# ---- what only the key prints


def solution(lines: Iterable[str]) -> Iterator[str]:
    written = list(lines)
    if written:
        yield r"\begin{solution}"
        yield from (rf"{line}\par" for line in written)
        yield r"\end{solution}"


def told(blanks: Iterable[tuple[str, Blank]], prose: Prose, options: Options) -> Iterator[str]:
    """Which numbers are accepted, and what others tell."""
    if options.key:
        yield from solution(line for label, b in blanks for line in answer(f"({label}) " if label else "", b))


def answer(label: str, b: Blank) -> Iterator[str]:
    yield latex_words(f"{label}{words.number(b.key)}, accepted: {words.accepted(b.accepted)}; {words.marks(b.marks)}.")
    for d in b.diagnoses:
        yield latex_told(f"If it is {words.number(d.key)}: {d.message} ({words.credit(d.credit, b.marks)})")


def guide(part: Part, options: Options) -> Iterator[str]:
    if options.key:
        yield from solution(map(latex_words, words.carried(part)))
