"""Papers in Markdown: one file for each version, and for each a key that is a file of its own."""

from __future__ import annotations

from typing import Iterable, Iterator, Sequence

from graphlang.quiz.exports import words
from graphlang.quiz.exports.files import DEFAULTS, Exported, Options, file_name, named, versions
from graphlang.quiz.model import Cell, Formula, Part, Sheet
from graphlang.quiz.typeset import Prose, markdown, markdown_told, markdown_words, prose_of

LINE = r"\_" * 12


def export(sheets: Sequence[Sheet], title: str, options: Options = DEFAULTS) -> Exported:
    """NAME.md of each version, NAME-key.md of each."""
    files = {}
    for letter, its in versions(sheets, options):
        head = markdown_words(title) + (f", version {letter}" if letter else "")
        files[named(file_name(title, options), letter) + ".md"] = text([*cover(head, its, options), *(line for k, s in enumerate(its, 1) for line in question(k, s))])
        if options.key:
            files[named(file_name(title, options), letter, "key") + ".md"] = text([f"# {head}, key", *(line for k, s in enumerate(its, 1) for line in key(k, s))])
    return Exported(files)


def text(blocks: Iterable[str]) -> bytes:
    return ("\n\n".join(b for b in blocks if b) + "\n").encode()


# ---- a paper


def cover(head: str, sheets: Sequence[Sheet], options: Options) -> Iterator[str]:
    total = words.marks(sum((s.marks for s in sheets), start=words.NOTHING))
    yield f"# {head}"
    yield f"{options.exam.minutes} minutes, {total} in all." if options.exam else f"{total} in all."
    yield f"Name: {LINE}"
    if options.exam:
        yield "\n".join(["| Question | Marks | Score |", "|---|---:|---|", *(f"| {k} | {words.tidy(s.marks)} | |" for k, s in enumerate(sheets, 1)), f"| Total | {total} | |"])


def question(k: int, sheet: Sheet) -> Iterator[str]:
    prose = prose_of(sheet)
    yield f"## {k}. {markdown_words(sheet.title)} ({words.marks(sheet.marks)})"
    yield "  \n".join(markdown(prose, line) for line in sheet.program)
    for k, part in enumerate(sheet.parts):
        yield markdown(prose, part.text)
        yield from () if k else map(markdown_words, sheet.notes)
        yield from part_lines(part, prose)


def part_lines(part: Part, prose: Prose) -> Iterator[str]:
    inside, outside = words.divided(part)
    if part.rows:
        yield table(part, prose)
        yield words.asked_together(inside)
    yield "\n".join(f"- {lettered(label)}{markdown(prose, (Formula(b.shown),))} = {LINE} ({words.asked(b)})" for label, b in outside)
    if part.choice:
        yield "\n".join(f"- [ ] **{words.letter(j)}** {markdown(prose, o.text)}" for j, o in enumerate(part.choice.options))


def table(part: Part, prose: Prose) -> str:
    width = max(len(part.heads), *(len(row.cells) for row in part.rows))
    labels = words.labels(part)
    cells = [[cell(c, labels, prose) for c in row.cells] for row in part.rows]
    rows = [[markdown_words(h) for h in part.heads], ["---"] * width, *cells]
    return "\n".join("| " + " | ".join([*row, *[""] * (width - len(row))]) + " |" for row in rows)


def cell(c: Cell, labels: dict[str, str], prose: Prose) -> str:
    return f"{lettered(labels[c.blank])}{LINE}" if c.blank else markdown(prose, c.pieces)


def lettered(label: str) -> str:
    return f"({label}) " if label else ""


# ---- a key


def key(k: int, sheet: Sheet) -> Iterator[str]:
    prose = prose_of(sheet)
    yield f"## {k}. {markdown_words(sheet.title)} ({words.marks(sheet.marks)}, {markdown_words(sheet.id)})"
    for part in sheet.parts:
        yield markdown(prose, part.text)
        yield "\n".join(answers(part, prose))
        yield listed("### Marking guide", words.carried(part))
    yield listed("### Worked solution", (markdown(prose, line) for line in sheet.solution))


def listed(head: str, lines: Iterable[str]) -> str:
    items = [f"- {line}" for line in lines]
    return "\n".join([head, "", *items]) if items else ""


def answers(part: Part, prose: Prose) -> Iterator[str]:
    for label, b in zip(words.labels(part).values(), part.blanks):
        yield f"- {lettered(label)}{markdown(prose, (Formula(b.shown),))} = **{words.number(b.key)}**; accepted: {words.accepted(b.accepted)}; {words.marks(b.marks)}"
        for d in b.diagnoses:
            yield f"  - if it is {words.number(d.key)}: {markdown_told(d.message)} ({words.credit(d.credit, b.marks)})"
    for j, o in enumerate(part.choice.options if part.choice else ()):
        if o.right:
            yield f"- Right: **{words.letter(j)}** {markdown(prose, o.text)}"
    for j, o in enumerate(part.choice.options if part.choice else ()):
        if o.message and not o.right:
            yield f"  - {words.letter(j)}: {markdown_told(o.message)}"
