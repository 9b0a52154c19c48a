"""What is known of what stands at a place, as Markdown. Text of a program stands in code blocks that it cannot end."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from graphlang.diagnostics import Span
from graphlang.graph.optimisers import OPTIMISERS
from graphlang.graph.train_values import ENTRIES, EPOCH
from graphlang.lsp.figures import Figures
from graphlang.lsp.reading import File, Reading, variable
from graphlang.pages import page
from graphlang.show.console import clean
from graphlang.syntax import ast
from graphlang.syntax.occurrences import ARGUMENT, FUNCTION, INDEX, QUIZ, SETTING, VARIABLE, WORD, Occurrence, canonical_or
from graphlang.syntax.pieces import KEYWORDS, pieces

LONGEST = 1000   # characters of one line
MOST_LINES = 30  # of one block
WORDS = frozenset((*KEYWORDS, "for", "in", "within", "wrt", "symmetric"))
FACTS = ("written", "derivative", "takes", "refused", "convention", "of nothing")  # rows of a function's page that are shown
LANGUAGE = "graphlang"


class Hover(NamedTuple):
    markdown: str
    span: Span


def hover(reading: Reading, file: File, offset: int, figures: Figures | None) -> Hover | None:
    """What is at a place of a file, or None."""
    o = file.at(offset)
    if o is None:
        return word(reading, file, offset, figures)
    if o.symbol.kind == QUIZ or o.symbol.scope is not None and o.symbol.kind in (VARIABLE, FUNCTION):
        return Hover(of_quiz(reading, file, o), o.span)
    if o.derivative is not None and (found := derivative(reading, file, o, figures)):
        return Hover(found, o.derivative)
    match o.symbol.kind:
        case k if k == VARIABLE:
            text = of_variable(reading, file, o.symbol.name, figures)
        case k if k == FUNCTION:
            text = of_function(reading, o)
        case k if k == INDEX:
            text = of_index(reading, file, o, figures)
        case k if k == ARGUMENT:
            text = code(file.written(file.statement(o).span)) + f"\n\nargument of `{reading.spelled(of_whom(file, o), file)}`"
        case k if k == SETTING:
            text = titled(o.symbol.name)
        case k if k == WORD:
            text = of_training(o.symbol.name) if type(file.statement(o)) is ast.Train else of_mistake(o.symbol.name)
        case _:
            text = ""
    return Hover(text, o.span) if text else None


# ---- what can be there


def of_variable(reading: Reading, file: File, name: str, figures: Figures | None) -> str:
    definition = reading.definitions.get(variable(name))
    if definition is None:
        return titled(name)  # a constant
    facts: list[str] = []
    if figures is not None and (v := figures.variable(name)) is not None:
        ranges = figures.ranges(name)
        role = {"node": "table" if v.ranges else "variable"}.get(v.role, v.role)
        facts.append(f"{name}: {role}" + (f" over {ranges}" if ranges else "") + (", a row" if v.row else "") + (", symmetric" if v.symmetric else ""))
        if (value := figures.long_value(name)) is not None:
            facts.append(f"{name} = {value}")
        for line in figures.adjoint_lines(name):
            facts.append(with_value(str(line), line.name, line.formula, line.value))
    return code("\n".join(definition.texts), LANGUAGE) + (code(reading.spelled("\n".join(facts), file)) if facts else "")


def with_value(line: str, name: str, formula: str, value: str) -> str:
    """`dJ/du1 = dJ/du = 0.9694`; the value of a table on a line of its own, as the formula is that of one element."""
    if not value or value == formula:
        return line
    return f"{line}\n    = {value}" if "[" in name else f"{line} = {value}"


def derivative(reading: Reading, file: File, o: Occurrence, figures: Figures | None) -> str:
    """Of `dJ/dx`: formula and value, where J is the goal; of another one the value."""
    text = file.text[o.derivative.start : o.derivative.end]
    if figures is None:
        return ""
    both = [p.symbol.name for p in file.occurrences if p.derivative == o.derivative]
    lines = [x for x in figures.adjoint_lines(both[-1]) if x.name.partition("[")[0].split("/")[0] == f"d{both[0]}"] if text[0] == "d" else []
    if lines:
        return code(reading.spelled("\n".join(with_value(str(x), x.name, x.formula, x.value) for x in lines), file))
    value = figures.derivative(text)
    return code(f"{text} = {value}") if value is not None else ""


def of_function(reading: Reading, o: Occurrence) -> str:
    definition = reading.definitions.get(o.symbol)
    if definition is None:
        return built_in(o.symbol.name)
    rules = [f.written(s.span) for f in reading.files for s in f.tree.statements if type(s) is ast.Rule and s.name == o.symbol.name]
    return code("\n".join([*definition.texts, *rules]), LANGUAGE)


def of_index(reading: Reading, file: File, o: Occurrence, figures: Figures | None) -> str:
    s = file.statement(o)
    binder = next((b for b in binders(s) if b.name == o.symbol.name and o.symbol.scope.start <= b.span.start < o.symbol.scope.end), None)
    written = file.written(binder.span) if binder is not None else o.symbol.name
    lines = [f"index {written}"]
    if figures is not None and type(s) is ast.Equation:
        base = s.target.base if type(s.target) is ast.Subscript else s.target
        equation = figures.equation(base.name, file.text[s.span.start : s.span.end])
        found = figures.index_range(equation, o.symbol.name) if equation is not None else None
        if found is not None and found not in written:
            lines.append(f"{o.symbol.name} in {found}")
    return code(reading.spelled("\n".join(lines), file))


def binders(s: ast.Statement) -> list[ast.Binder]:
    """All that a statement binds."""
    found = list(getattr(s, "binders", ()))
    for root in (getattr(s, part, None) for part in ("value", "body", "left", "right")):
        for node in ast.postorder(root) if isinstance(root, tuple) and root else ():
            if type(node) is ast.Call:
                found += node.binders
    return found


def of_training(name: str) -> str:
    """A word of a `train` block."""
    if name in ENTRIES:
        return code(ENTRIES[name].form, LANGUAGE) + f"\n{prose(ENTRIES[name].about)}"
    if name in OPTIMISERS:
        return code(OPTIMISERS[name].form, LANGUAGE) + f"\n{prose(OPTIMISERS[name].about)}"
    return prose("the number of the epoch, from 1") if name == EPOCH else ""


def of_quiz(reading: Reading, file: File, o: Occurrence) -> str:
    """A quiz by its first line, a name of a quiz by what defines it there: a quiz is not evaluated while it is written."""
    defining = [(f, x) for f, x in reading.of(o.symbol, file) if x.defines]
    if o.symbol.kind == QUIZ:
        texts = [f.text[s.span.start :].partition("{")[0].strip() for f, x in defining for s in [f.tree.statements[x.statement]]]
    else:
        texts = [f.written(f.statement(x).span) for f, x in defining]
    return code("\n".join(dict.fromkeys(texts)), LANGUAGE) if texts else ""


def of_mistake(name: str) -> str:
    """What is told to who takes an option that a mistake leads to."""
    from graphlang.quiz.mistakes import MISTAKES

    return prose(MISTAKES[name].message) if name in MISTAKES else ""


def of_whom(file: File, o: Occurrence) -> str:
    s = file.statement(o)
    owners = s.signatures if type(s) is ast.Opaque else (s,)
    return next(x.name for x in owners if x.span == o.symbol.scope)


def word(reading: Reading, file: File, offset: int, figures: Figures | None) -> Hover | None:
    """A keyword, by the first sentence of its page; a name in a statement that does not parse."""
    start = file.text.rfind("\n", 0, offset) + 1
    end = file.text.find("\n", offset)
    for part in pieces(file.text[start : end if end >= 0 else len(file.text)]):
        if part.kind != "name" or not part.start <= offset - start <= part.end:
            continue
        name = canonical_or(part.text)
        text = titled(part.text) if part.text in WORDS else of_variable(reading, file, name, figures) if variable(name) in reading.definitions else built_in(name)
        return Hover(text, Span(start + part.start, start + part.end)) if text else None
    return None


# ---- pages


@lru_cache(maxsize=None)
def titled(name: str) -> str:
    """What `explain` says first of a word of the language."""
    found = page(name)
    return f"**{found.name}**\n\n{prose(found.title)}" if found is not None else ""


@lru_cache(maxsize=None)
def built_in(name: str) -> str:
    found = page(name)
    if found is None:
        return ""
    rows = next((p.rows for p in found.parts if p.kind == "facts" and any(label == "written" for label, _ in p.rows)), ())
    lines, label = [], ""
    for own, text in rows:
        label = own or label
        if label in FACTS:
            lines.append(f"{own + ':' if own else '':12}{text}")
    return (code("\n".join(lines)) if lines else "") + f"{'' if lines else f'**{found.name}**'}\n\n{prose(found.title)}"


def prose(text: str) -> str:
    """A sentence in which only what stands in backquotes is more than its characters."""
    parts = text.split("`")
    return "`".join(part if k % 2 else re.sub(r"([\\*_\[\]<>#|~])", r"\\\1", part) for k, part in enumerate(parts))


def code(text: str, language: str = "text") -> str:
    """A block whose fence is longer than any in the text, each line of it cut to a length that can be shown."""
    lines = text.split("\n")
    if len(lines) > MOST_LINES:
        lines[MOST_LINES:] = [f"… ({len(lines) - MOST_LINES} more lines)"]
    lines = [clean(line) if len(line) <= LONGEST else clean(line[:LONGEST]) + " …" for line in lines]
    fence = "`" * max(3, 1 + max((len(run) for line in lines for run in re.findall("`+", line)), default=0))
    return f"{fence}{language}\n" + "\n".join(lines) + f"\n{fence}\n"
