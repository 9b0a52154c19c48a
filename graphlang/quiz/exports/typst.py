"""Papers as PDF through Typst: one for each version, and for each a key that is a file of its own.

paper.typ beside this module has the look. What is written here are calls of its functions: words of authors as string literals, which Typst never
reads as markup; formulas as math, printed from syntax trees whose names are letters and digits. A paper's source holds all its versions and no key.
"""

from __future__ import annotations

import tempfile
from itertools import zip_longest
from pathlib import Path
from typing import Iterable, Iterator, NamedTuple, Sequence

from graphlang.quiz.exports import words
from graphlang.quiz.exports.files import DEFAULTS, Exported, Options, file_name, named, versions
from graphlang.quiz.model import Blank, Cell, Formula, Part, Piece, Row, Sheet, Words
from graphlang.quiz.typeset import Prose, plain, prose_of, typst, typst_string as quoted, typst_told

TEMPLATE = "paper.typ"
MISSING = ("The PDFs are not made: the package typst is not installed. `pip install 'graphlang[pdf]'` brings it; "
           "or `typst compile` makes them of the .typ files, which are written.")


def export(sheets: Sequence[Sheet], title: str, options: Options = DEFAULTS) -> Exported:
    """NAME.typ of all versions for students, a PDF of each; NAME-key.typ of each version, and its PDF."""
    name, title = file_name(title, options), plain(title)
    files = {TEMPLATE: (Path(__file__).parent / TEMPLATE).read_bytes(), f"{name}.typ": paper(sheets, title, options).encode()}
    wanted = [Wanted(f"{name}.typ", named(name, letter) + ".pdf", letter) for letter, _ in versions(sheets, options)]
    for letter, its in versions(sheets, options) if options.key else ():
        stem = named(name, letter, "key")
        files[stem + ".typ"] = key(its, title, letter, options).encode()
        wanted.append(Wanted(stem + ".typ", stem + ".pdf", ""))
    pdfs, losses = compiled(files, wanted, options.epoch)
    return Exported({**files, **pdfs}, losses)


# ---- what Typst reads


def array(items: Iterable[str]) -> str:
    return "(" + "".join(f"{item}, " for item in items) + ")"


class Same(NamedTuple):
    """The same place of all versions, with the prose of each: their sheets have programs of their own."""

    proses: tuple[Prose, ...]

    def pieces(self, each: Iterable[Sequence[Piece] | None]) -> str:
        """A content block for each version, `none` where it has nothing there; one where it is the same in all."""
        return among("none" if p is None else f"[{typst(s, p)}]" for s, p in zip(self.proses, each))


# ---- a paper


def paper(sheets: Sequence[Sheet], title: str, options: Options) -> str:
    """The source of all versions of a paper."""
    by_letter = versions(sheets, options)
    first = by_letter[0][1]
    total = sum((s.marks for s in first), start=words.NOTHING)
    out = [f'#import "{TEMPLATE}": *',
           f"#show: paper.with({quoted(title)}, {array(quoted(letter) for letter, _ in by_letter)}, minutes: {options.exam.minutes if options.exam else 'none'}, "
           f"total: {quoted(words.marks(total))}, marks: {array(quoted(words.tidy(m)) for m in [*(s.marks for s in first), total])}, size: {quoted(options.paper)})"]
    for k, same in enumerate(zip(*(its for _, its in by_letter)), 1):
        out += ["", *question(k, same, options)]
    return "\n".join(out) + "\n"


def question(k: int, sheets: Sequence[Sheet], options: Options) -> Iterator[str]:
    """One question in all versions: they have the same quiz, so that its boxes can stand in the same places."""
    assert len({(s.quiz, tuple((tuple(b.id for b in p.blanks), len(p.rows)) for p in s.parts)) for s in sheets}) == 1, "versions with different questions"
    same = Same(tuple(map(prose_of, sheets)))
    yield f"#question({quoted(str(k))}, {quoted(words.marks(sheets[0].marks))}, {texts(s.title for s in sheets)})"
    for line in zip_longest(*(s.program for s in sheets)):
        yield f"#program({same.pieces(line)})"
    notes = [f"#note({texts(note)})" for note in zip_longest(*(s.notes for s in sheets))]
    for n, parts in enumerate(zip(*(s.parts for s in sheets))):
        yield f"#stem({same.pieces(p.text for p in parts)})"
        yield from () if n else notes
        yield from part(f"{k}.{n + 1}" if len(sheets[0].parts) > 1 else str(k), parts, same, options)


def part(name: str, parts: Sequence[Part], same: Same, options: Options) -> Iterator[str]:
    """What is to be filled in, below its stem."""
    inside, lines = words.divided(parts[0])
    if parts[0].rows:
        names = {b.id: label for label, b in inside}
        yield f"#fill({array(quoted(h) for h in parts[0].heads)}, {array(row(name, names, rows, same) for rows in zip(*(p.rows for p in parts)))})"
        yield f"#below({texts([words.asked_together(inside)] * len(parts))})"
    by_id = [{b.id: b for b in p.blanks} for p in parts]
    for j, (label, blank) in enumerate(lines, 1):
        last = str(j == len(lines) and not options.space).lower()  # what is not the last stays on one page with what comes after it
        shown = same.pieces((Words(f"({label}) " if label else ""), Formula(its[blank.id].shown)) for its in by_id)
        yield f"#number({quoted(name + label)}, {quoted(words.asked(blank))}, last: {last}, {shown})"
    if lines and options.space:
        yield f"#work({options.space * len(lines):g}cm)"
    offered = list(zip_longest(*(p.choice.options if p.choice else () for p in parts)))
    for j, each in enumerate(offered, 1):
        letter = words.letter(j - 1)
        yield f"#option({quoted(name + letter)}, {quoted(letter)}, last: {str(j == len(offered)).lower()}, {same.pieces(o.text if o else None for o in each)})"


def row(name: str, labels: dict[str, str], rows: Sequence[Row], same: Same) -> str:
    return array(cell(name, labels, cells, same) for cells in zip(*(r.cells for r in rows)))


def cell(name: str, labels: dict[str, str], cells: Sequence[Cell], same: Same) -> str:
    blank = cells[0].blank
    if not blank:
        return f"({same.pieces(c.pieces for c in cells)},)"
    return f"(id: {quoted(name + labels[blank])}, label: {quoted(labels[blank])})"


def texts(each: Iterable[str | None]) -> str:
    return among("none" if text is None else quoted(text) for text in each)


def among(each: Iterable[str]) -> str:
    written = list(each)
    return written[0] if len(set(written)) == 1 else ", ".join(written)


# ---- a key


def key(sheets: Sequence[Sheet], title: str, letter: str, options: Options) -> str:
    """The source of the key of one version."""
    out = [f'#import "{TEMPLATE}": *', f"#show: key.with({quoted(title)}, {quoted(letter)}, size: {quoted(options.paper)})"]
    for k, sheet in enumerate(sheets, 1):
        prose = prose_of(sheet)
        out += ["", f"#key-question({quoted(str(k))}, {quoted(words.marks(sheet.marks))}, {quoted(sheet.title)}, {quoted(sheet.id)})"]
        for p in sheet.parts:
            out += key_part(p, prose)
        if sheet.solution:
            out.append(f"#aside({quoted('Worked solution')}, {', '.join(f'[{typst(prose, line)}]' for line in sheet.solution)})")
    return "\n".join(out) + "\n"


def key_part(p: Part, prose: Prose) -> Iterator[str]:
    yield f"#says[{typst(prose, p.text)}]"
    for label, blank in zip(words.labels(p).values(), p.blanks):
        yield from answer(label, blank, prose)
    if p.choice:
        yield from right(p, prose)
    if guide := words.carried(p):
        yield f"#aside({quoted('Marking guide')}, {', '.join(map(quoted, guide))})"


def answer(label: str, b: Blank, prose: Prose) -> Iterator[str]:
    yield (f"#answer({quoted(label)}, [{typst(prose, (Formula(b.shown),))}], {quoted(words.number(b.key))}, {quoted(words.accepted(b.accepted))}, "
           f"{quoted(words.marks(b.marks))})")
    if b.diagnoses:
        yield f"#wrong({array(table_row(words.number(d.key), d.message, words.credit(d.credit, b.marks)) for d in b.diagnoses)})"


def right(p: Part, prose: Prose) -> Iterator[str]:
    for k, o in enumerate(p.choice.options):
        if o.right:
            yield f"#right({quoted(words.letter(k))}, [{typst(prose, o.text)}])"
    told = [(k, o) for k, o in enumerate(p.choice.options) if o.message and not o.right]
    if told:
        yield f"#wrong({array(table_row(words.letter(k), o.message, words.credit(words.NOTHING, p.choice.marks)) for k, o in told)})"


def table_row(given: str, message: str, gets: str) -> str:
    return array((quoted(given), f"[{typst_told(message)}]", quoted(gets)))


# ---- compiling


class Wanted(NamedTuple):
    """A PDF: the source that it is made of, its name, the version that is asked for."""

    source: str
    name: str
    letter: str


def compiled(files: dict[str, bytes], wanted: Sequence[Wanted], epoch: int) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """The PDFs, and what is to be said about them. Typst sees a new folder with these files and nothing outside of it, and no fonts but its own.

    One compiler makes them all: what is laid out for one version it need not lay out again for the next."""
    try:
        import typst as package
    except ImportError:
        return {}, (MISSING,)
    made, losses = {}, {}
    with tempfile.TemporaryDirectory(prefix="graphlang-") as folder:
        for name, text in files.items():
            (Path(folder) / name).write_bytes(text)
        compiler = package.Compiler(root=folder, ignore_system_fonts=True, package_path=folder, package_cache_path=folder)
        for source, name, letter in wanted:
            pdf, said = one(package, compiler, Path(folder) / source, {"version": letter} if letter else {}, epoch)
            if pdf is not None:
                made[name] = pdf
            losses.update(dict.fromkeys(f"{name}: {text}" for text in said))
    return made, tuple(losses)


def one(package, compiler, source: Path, inputs: dict[str, str], epoch: int) -> tuple[bytes | None, list[str]]:
    """A PDF that keeps to PDF/UA-1 (tags, language, title, formulas in words); where that cannot be, one with tags, and why."""
    asked = dict(input=str(source), format="pdf", sys_inputs=inputs, timestamp=epoch)
    try:
        return compiler.compile(**asked, pdf_standards="ua-1"), []
    except package.TypstError as why:
        reason = why.message
    try:
        font = f"; {source.name} can be compiled with one that has it" if "displayed with font" in reason else ""
        return compiler.compile(**asked), [f"does not keep to PDF/UA: {reason}{font}"]
    except package.TypstError as why:
        return None, [f"not made, Typst says: {why.message}"]
