"""A page as plain data, before anything paints it."""

from __future__ import annotations

from typing import NamedTuple


class Part(NamedTuple):
    """A piece of a page, under a heading that may be empty.

    `kind` says what `text` is: "text" (paragraphs, one a line, code in backquotes), "program", "said" (what the program
    answers, as the command line prints it). "facts" has `rows` instead: pairs of a label and a text; a label that is
    empty goes on with the row before.
    """

    kind: str
    heading: str = ""
    text: str = ""
    rows: tuple[tuple[str, str], ...] = ()

    def as_json(self) -> dict:
        content = {"rows": [list(r) for r in self.rows]} if self.kind == "facts" else {"text": self.text}
        return {"kind": self.kind, "heading": self.heading, **content}


class Page(NamedTuple):
    """What there is to say about one thing: a code of an error, a function, a topic of the language."""

    name: str
    kind: str                     # "code", "function" or "topic"
    title: str                    # one sentence
    parts: tuple[Part, ...]
    others: tuple[str, ...] = ()  # further names that lead here

    def as_json(self) -> dict:
        return {"name": self.name, "kind": self.kind, "title": self.title, "others": list(self.others),
                "parts": [p.as_json() for p in self.parts]}
