"""What can be written at a place: names with their values, functions, words, derivatives, Greek letters."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from typing import Iterator, NamedTuple

from graphlang.diagnostics import Span
from graphlang.graph.functions import ALIASES, FUNCTIONS
from graphlang.graph.optimisers import OPTIMISERS
from graphlang.graph.train_values import ENTRIES, EPOCH
from graphlang.graph.values import BUILT_IN, CONSTANTS
from graphlang.lsp.figures import Figures
from graphlang.lsp.reading import File, Reading, variable
from graphlang.pages import contents
from graphlang.pages.rows import call
from graphlang.syntax.lexing import blocks, quiz_names
from graphlang.syntax.names import GREEK
from graphlang.syntax.occurrences import FUNCTION, canonical_or
from graphlang.syntax.pieces import BLOCKS, KEYWORDS, pieces, statements
from graphlang.syntax.quiz_explanation import FORMS, LINES

TRIGGERS = ("\\", "/", "∂", ".", '"')
MOST_BESIDE = 500  # programs of a folder that are offered

_WORD = re.compile(r"[^\W\d][\w\u0300-\u036f]*\Z")
_GREEK = re.compile(r"\\[A-Za-z]*\Z")
_DERIVATIVE = re.compile(r"(?<![\w\u0300-\u036f])([d∂])([^\W\d][\w\u0300-\u036f]*)/(?:([d∂])(?:[^\W\d][\w\u0300-\u036f]*)?)?\Z")
_NUMBER = re.compile(r"(?:\d|\d\.)\Z")
_NAME = r"[^\W\d][\w\u0300-\u036f]*"
# Where only a few words can stand: behind these beginnings of a statement.
_ONLY = {"set": ("seed = ",), "layout": ("numerator", "denominator")}
_AFTER = re.compile(rf"[ \t]*(set|layout|derivative)[ \t]+(?:{_NAME})?\Z")
_INCLUDE = re.compile(r'[ \t]*include[ \t]+"([^"]*)\Z')
_TRANSPOSED = re.compile(rf"(?:(?<![\w\u0300-\u036f]){_NAME}|[)\]])\.({_NAME})?\Z")
_TARGET = re.compile(rf"[ \t\ufeff]*(?:override[ \t]+)?({_NAME})[ \t]*=(?!=)")
_TRAINING = re.compile(r"^[ \t]*train[ \t]*\{((?:[^{}\"#]++|\"[^\"\n]*+\"?+|#[^\n]*+)*+)\Z", re.MULTILINE)
_QUIZ = re.compile(rf"^[ \t]*quiz[ \t]+({_NAME})", re.MULTILINE)
_ENTRY = re.compile(rf"[ \t]*({_NAME})[ \t]*:")
_BEGINS = re.compile(r"[ \t]*[^\W\d]?[\w\u0300-\u036f]*\Z")


class Completion(NamedTuple):
    """`text` goes in the place of `span`. `kind`: variable, constant, function, keyword, index, derivative, letter, file."""

    label: str
    kind: str
    text: str
    span: Span
    detail: str = ""


def completions(reading: Reading, file: File, offset: int, figures: Figures | None) -> list[Completion]:
    """What fits at a place, which may be in a text that does not parse."""
    start = file.text.rfind("\n", 0, offset) + 1
    line = file.text[start:offset]
    last = begun(line)
    if m := _INCLUDE.match(last):
        return list(programs(file, m[1], offset))
    if in_comment_or_string(line):
        return []
    if m := _GREEK.search(line):
        at = Span(start + m.start(), offset)
        return [Completion(f"\\{name}", "letter", glyph, at, glyph) for name, glyph in GREEK.items()]
    if (m := _DERIVATIVE.search(line)) and (found := list(derivatives(reading, file, m, Span(start + m.start(), offset), figures))):
        return found
    m = _WORD.search(line)
    at = Span(start + m.start() if m else offset, offset)
    own = [Completion(s.name, "function", s.name, at, " ".join(d.texts[:1])) for s, d in reading.definitions.items() if s.kind == FUNCTION]
    if after := _AFTER.match(last):
        return [Completion(word.split()[0], "keyword", word, at) for word in _ONLY[after[1]]] if after[1] in _ONLY else own
    if _TRANSPOSED.search(line):
        return [Completion("T", "keyword", "T", at, "the transpose")]
    if m is None and _NUMBER.search(line):
        return []
    found: list[Completion] = []
    if block := around(file.text, offset):
        return list(in_quiz(file.text, offset, block, last, at, own))
    if training := _TRAINING.search(file.text, 0, offset):
        last = begun(training[1].rpartition("\n")[2])
        if _BEGINS.match(last):
            return list(entries(training[1], at))
        found += words_of(_ENTRY.match(last), at)
    elif _BEGINS.match(last):
        found += [Completion(word, "keyword", word + " ", at, sentences().get(word, "")) for word in KEYWORDS]
    found += [Completion(name, "index", name, at, "index") for name in sorted(indices(file.text, offset))]
    target = being_defined(file.text, offset, last)
    found += (c for c in variables(reading, file, at, figures) if canonical_or(c.label) != target)
    found += [Completion(name, kind, name, at, detail) for name, kind, detail in functions()]
    found += own
    if line.strip() and not _BEGINS.match(line):
        found += [Completion(word, "keyword", word + " ", at, sentences().get(word, "")) for word in ("for", "in", "within")]
    unique = {c.label: c for c in reversed(found)}
    return [c for c in found if unique[c.label] is c]


def around(text: str, offset: int) -> tuple[str, ...]:
    """The words of the blocks of a quiz or an exam that a place is in, the innermost last: `("quiz", "ask")`."""
    block = next((b for b in blocks(text) if b.word != "train" and b.inside.start <= offset <= b.inside.end), None)
    if block is None:
        return ()
    found, line = [block.word], []
    for part in pieces(text[block.inside.start : offset]):
        if part.kind in ("newline", "semicolon"):
            line = []
        elif part.text == "{":
            found.append(line[0] if line and line[0] in BLOCKS else "")
            line = []
        elif part.text == "}" and len(found) > 1:
            found.pop()
        else:
            line.append(part.text)
    return tuple(word for word in found if word)


def in_quiz(text: str, offset: int, around: tuple[str, ...], last: str, at: Span, own: list[Completion]) -> Iterator[Completion]:
    """What fits in the block of a quiz or an exam."""
    if _BEGINS.match(last) and around[-1] != "quiz":
        yield from (Completion(word, "keyword", word + " ", at, "a line of `" + around[-1] + "`") for word in LINES[f"{around[-1]}line"][1])
    elif _BEGINS.match(last):
        yield from (Completion(word, "keyword", word + " ", at, form) for word, form in FORMS.items())
        yield from (Completion(word, "keyword", word + " ", at, sentences().get(word, "")) for word in ("input", "data", "const", "dim", "opaque", "output"))
    if around[0] == "exam":
        if last.split()[:1] == ["use"]:
            yield from (Completion(m[1], "variable", m[1], at, "quiz") for m in _QUIZ.finditer(text))
        return
    if last.split()[-2:-1] == ["because"] or last.split()[-1:] == ["because"]:
        from graphlang.quiz.mistakes import MISTAKES

        yield from (Completion(name, "keyword", name, at, row.message) for name, row in MISTAKES.items())
        return
    for inside, names in quiz_names(text):
        if inside.start <= offset <= inside.end:
            yield from (Completion(name, "variable", name, at, "") for name in sorted(names))
    yield from (Completion(name, kind, name, at, detail) for name, kind, detail in functions())
    yield from own


def entries(block: str, at: Span) -> Iterator[Completion]:
    """Those of a `train` block that are not there yet. `block`: what is written of it."""
    there = {m[1] for line in block.split("\n") for part in line.split(";") if (m := _ENTRY.match(part))}
    for name, row in ENTRIES.items():
        if name not in there:
            yield Completion(name, "keyword", f"{name}: ", at, row.about)


def words_of(entry: re.Match | None, at: Span) -> Iterator[Completion]:
    """The words that an entry of a `train` block can have behind it."""
    match entry and entry[1]:
        case "shuffle":
            yield from (Completion(word, "keyword", word, at) for word in ("yes", "no"))
        case "optimizer":
            yield from (Completion(row.form, "keyword", row.form, at, row.about) for row in OPTIMISERS.values())
        case "rate":
            yield Completion(EPOCH, "index", EPOCH, at, "the number of the epoch, from 1")


def begun(line: str) -> str:
    """What is written of the last statement of a line."""
    cut = max((p.end for p in pieces(line) if p.kind == "semicolon"), default=0)
    return line[cut:]


def being_defined(text: str, offset: int, last: str) -> str | None:
    """The variable whose equation a place is in, behind what is written on its line (`last`). It cannot be read there, unless it is a table, whose pieces read one another."""
    m = _TARGET.match(last)
    if m is None and "=" in text[:offset]:  # it may have begun on an earlier line
        at = statements(text[:offset] + "x")[-1].start  # whatever is written next, which may begin a statement
        m = _TARGET.match(text[at:offset])
    return canonical_or(m[1]) if m else None


def programs(file: File, written: str, offset: int) -> Iterator[Completion]:
    """The programs beside a file that is saved, from a folder that is begun to be written on."""
    if file.path is None:
        return
    folder = file.path.parent
    start = written[: written.rfind("/") + 1]
    try:
        inside = (folder / start).resolve()
        if not inside.is_relative_to(folder):
            return
        with os.scandir(inside) as entries:
            names = [e.name for _, e in zip(range(MOST_BESIDE), (e for e in entries if e.name.endswith(".graph") and e.name.isprintable() and '"' not in e.name)) if e.is_file()]
    except (OSError, ValueError, RuntimeError):
        return
    at = Span(offset - len(written), offset)
    for name in sorted(names):
        if inside / name != file.path:
            yield Completion(start + name, "file", start + name, at)


def in_comment_or_string(line: str) -> bool:
    quoted, at = False, 0
    while at < len(line):
        c = line[at]
        if c == "\\" and quoted:
            at += 1
        elif c == '"':
            quoted = not quoted
        elif c == "#" and not quoted:
            return True
        at += 1
    return quoted


def variables(reading: Reading, file: File, at: Span, figures: Figures | None) -> Iterator[Completion]:
    for name in sorted(reading.names):
        detail = ""
        if figures is not None and (v := figures.variable(name)) is not None:
            value = figures.value(name)
            ranges = figures.ranges(name)
            detail = " ".join(filter(None, ("" if v.role == "node" else v.role, f"over {ranges}" if ranges else "", f"= {value}" if value is not None else "")))
        written = reading.spellings(file).get(name, name)
        yield Completion(written, "variable", written, at, detail)


def derivatives(reading: Reading, file: File, m: re.Match, at: Span, figures: Figures | None) -> Iterator[Completion]:
    """`dJ/dx` for every x, once `dJ/d` is written and J is a variable."""
    mark, of = m[1], m[2]
    if m[3] not in (mark, None) or canonical_or(of) not in reading.names or variable(f"{mark}{of}") in reading.definitions:
        return
    for name in sorted(reading.names):
        values = dict(figures.adjoint(name)) if figures is not None and mark == "d" else {}
        value = values.get(f"d{canonical_or(of)}/d{name}")
        written = f"{mark}{of}/{mark}{reading.spellings(file).get(name, name)}"
        yield Completion(written, "derivative", written, at, f"= {value}" if value else "derivative")


def indices(text: str, offset: int) -> set[str]:
    """The names that a `for` binds around a place: in the statement, or in the brackets that the `for` stands in."""
    statement = next((s for s in statements(text) if s.start <= offset <= s.end), None)
    if statement is None:
        return set()
    at = offset - statement.start
    scopes: list[tuple[int, set[str]]] = [(0, set())]  # where a bracket was opened, and what is bound in it
    found: set[str] = set()
    binding, before = False, ""
    for part in pieces(text[statement.start : statement.end]):
        if part.kind == "open":
            scopes.append((part.start, set()))
        elif part.kind == "close" and len(scopes) > 1:
            start, bound = scopes.pop()
            if start < at <= part.start:
                found |= bound
            binding = False
        elif part.text == "for":
            binding = True
        elif binding and part.kind == "name" and before in ("for", ","):
            scopes[-1][1].add(part.text)
        before = part.text
    return found.union(*(bound for start, bound in scopes if start <= at))


@lru_cache(maxsize=None)
def sentences() -> dict[str, str]:
    """What `explain` says first of everything that has a page."""
    return {name: title for entries in contents().values() for name, title in entries}


@lru_cache(maxsize=None)
def functions() -> tuple[tuple[str, str, str], ...]:
    """The functions and constants of the language: name, kind, signature and sentence."""
    found = []
    for name in sorted(BUILT_IN):
        row = FUNCTIONS.get(ALIASES.get(name, name))
        about = sentences().get(ALIASES.get(name, name), "")
        written = call(row).replace(row.name, name, 1) if row is not None else f"{name}(…)"
        found.append((name, "function", f"{written}: {about}" if about else written))
    found += [(name, "constant", sentences().get(name, "")) for name in CONSTANTS]
    return tuple(found)
