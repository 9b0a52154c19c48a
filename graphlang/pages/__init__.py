"""What `graphlang explain` knows: a page for every code of a diagnostic, every function and every topic of the language.

`page("E101")`, `page("sin")`, `page("claim")` give plain data; painting it is another matter (pages/paint.py). Pages are
made when they are asked for, and their examples are run then.
"""

from __future__ import annotations

import re

from graphlang import codes
from graphlang.codes import CODES
from graphlang.diagnostics import did_you_mean
from graphlang.pages import rows
from graphlang.pages.sheet import Page as Page, Part as Part
from graphlang.pages.texts import Entry, Example, entries
from graphlang.pages.trials import attempt, said

OPERATIONS = "operations"  # the file of the whole-table operations


def page(name: str) -> Page | None:
    """The page of a code, a function or a topic by any of its names; None when there is none."""
    found = canonical(name)
    if found is None:
        return None
    if found in CODES:
        return _code(found)
    if found in rows.names():
        return rows.page(found)
    entry = entries()[found]
    title, rest = _title(entry)
    parts = [Part("text", "", rest)] if rest else []
    if entry.family == OPERATIONS:
        return Page(found, "function", title, (*parts, *rows.operation(entry)), entry.names[1:])
    parts += [part for e in entry.examples for part in rows.worked(e)]
    return Page(found, "topic", title, tuple(parts), entry.names[1:])


def canonical(name: str) -> str | None:
    """The first name of the page that a name leads to: `ln` and `LN` lead to `log`, `e101` to `E101`."""
    known = _names()
    for spelled in (name, name.removesuffix("()"), name.strip().lower(), name.strip().upper()):
        if spelled in known:
            return known[spelled]
    return None


def suggestions(name: str) -> tuple[str, ...]:
    """Hints for a name that has no page: a code of the family, a name that begins so, or the nearest."""
    start = name.lower()
    if re.fullmatch(r"[a-z]\d+", start):
        start = next((start[:k] for k in range(len(start), 1, -1) if any(c.lower().startswith(start[:k]) for c in CODES)), start)
    begins = [n for n in _names() if len(start) > 1 and n.lower().startswith(start)]
    return (f"did you mean `{begins[0]}`?",) if begins else did_you_mean(name, _names())


def contents() -> dict[str, list[tuple[str, str]]]:
    """Everything that has a page: under each heading the names with their titles."""
    out: dict[str, list[tuple[str, str]]] = {}
    families = _families()
    for code, title in CODES.items():
        out.setdefault(families.get(code[:2]) or families.get(code[0]) or "Codes", []).append((code, title))
    for name in rows.names():
        heading = "Operators" if name in rows.SIGNS else "Functions of numbers" if name in rows.FUNCTIONS else "Functions of tables"
        about = (rows.FUNCTIONS.get(name) or rows.REDUCTIONS[name]).about
        out.setdefault(heading, []).append((name, rows.sentence(about)))
    for heading, wanted in (("Functions of tables", True), ("Topics", False)):
        for name, entry in entries().items():
            if name == entry.names[0] and name not in CODES and name not in rows.names() and (entry.family == OPERATIONS) is wanted:
                out.setdefault(heading, []).append((name, _title(entry)[0]))
    return out


def _families() -> dict[str, str]:
    """`E1` → "Names": what codes.py says of its families."""
    said = " ".join((codes.__doc__ or "").split())
    return {prefix: about[0].upper() + about[1:] for prefix, about in re.findall(r"\b([A-Z]\d?) ([a-z][^;.]*)[;.]", said)}


def _title(entry: Entry) -> tuple[str, str]:
    """The first sentence of an entry, and the rest."""
    first, _, rest = entry.prose.partition("\n")
    title, *others = re.split(r"(?<=\.) (?=[A-Z`])", first, maxsplit=1)
    return title, "\n".join(part for part in (*others, rest) if part)


def _names() -> dict[str, str]:
    """Every name that leads to a page, and the first name of that page."""
    known = {**{code: code for code in CODES}, **{n: e.names[0] for n, e in entries().items()}}
    for name, others in rows.names().items():
        known.update({n: name for n in (name, *others)})
    return known


def _code(code: str) -> Page:
    entry = entries().get(code)
    parts = [Part("text", "", entry.prose)] if entry else []
    beside: set[tuple[str, str]] = set()
    for example in entry.examples if entry else ():
        parts += [Part("said", name, text) for name, text in example.files if (name, text) not in beside]
        beside.update(example.files)
        parts.append(Part("program", _heading(example, len(entry.examples) == 1), example.text))
        if example.role == "wrong":
            parts.append(Part("said", "", said(attempt(example))))
    return Page(code, "code", CODES[code], tuple(parts))


def _heading(example: Example, alone: bool) -> str:
    heading = "for example" if example.role == "wrong" or alone else "repaired"
    how = f"graphlang {example.command}" if example.command != "run" else " ".join(example.options)
    return f"{heading}, with `{how}`" if how else heading
