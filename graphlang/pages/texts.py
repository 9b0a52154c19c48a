"""The texts that are written by hand, `texts/*.md`, taken apart into entries.

An entry begins with a heading `## NAME, OTHER NAME`. Paragraphs and fenced blocks follow. What stands behind the three backquotes says
what a block is:

    graph wrong     a program that gets the code of the entry
    graph right     one that runs: the repaired program of a code, the example of a topic
    graph work      the example of an operation: `u` is what is shown with its derivatives
    text FILE       a file that the programs of the entry read

Further words: options of `graphlang run`; `grad`, `check`, the program is one for that command; `encoding=latin-1`, the bytes of the program.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import NamedTuple

HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Example(NamedTuple):
    """A program of an entry, and how it is run."""

    role: str                                   # "wrong", "right" or "work"
    text: str
    options: tuple[str, ...] = ()
    encoding: str = "utf-8"
    command: str = "run"
    files: tuple[tuple[str, str], ...] = ()     # beside the program: names and texts


class Entry(NamedTuple):
    names: tuple[str, ...]
    prose: str                                  # paragraphs, one a line
    examples: tuple[Example, ...]
    family: str                                 # the file it is in, such as "syntax"


def entries_of(text: str, family: str) -> list[Entry]:
    """The entries of one file. Raises ValueError for a block of an unknown kind."""
    parts = HEADING.split(text)
    return [_entry(names, body, family) for names, body in zip(parts[1::2], parts[2::2])]


def _entry(names: str, body: str, family: str) -> Entry:
    examples: list[Example] = []
    beside: list[tuple[str, str]] = []
    for info, text in BLOCK.findall(body):
        kind, *words = info.split()
        if kind == "text" and len(words) == 1:
            beside.append((words[0], text))
        elif kind == "graph" and words and words[0] in ("wrong", "right", "work"):
            encoding = next((w.removeprefix("encoding=") for w in words if w.startswith("encoding=")), "utf-8")
            options = tuple(w for w in words[1:] if w not in ("grad", "check") and not w.startswith("encoding="))
            examples.append(Example(words[0], text, options, encoding, next((c for c in ("grad", "check") if c in words), "run"), tuple(beside)))
        else:
            raise ValueError(f"{family}.md, {names}: a block cannot begin with ```{info}")
    prose = re.sub(r"^# .*$", "", BLOCK.sub("", body), flags=re.MULTILINE)
    paragraphs = [" ".join(p.split()) for p in re.split(r"\n\s*\n", prose) if p.strip()]
    return Entry(tuple(n.strip() for n in names.split(",")), "\n".join(paragraphs), tuple(examples), family)


@cache
def entries() -> dict[str, Entry]:
    """Every entry by each of its names, in the order of the files."""
    found: dict[str, Entry] = {}
    for path in sorted(files(__package__).joinpath("texts").iterdir(), key=lambda p: p.name):
        if path.name.endswith(".md"):
            for entry in entries_of(path.read_text(encoding="utf-8"), path.name.removesuffix(".md")):
                for name in entry.names:
                    if name in found:
                        raise ValueError(f"{path.name}: there is a second entry {name}")
                    found[name] = entry
    return found
