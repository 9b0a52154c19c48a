"""The outline of a document: what it defines and asks, in the order of the text."""

from __future__ import annotations

from typing import Iterator, NamedTuple

from graphlang.diagnostics import Span
from graphlang.lsp.reading import File
from graphlang.syntax import ast
from graphlang.syntax.occurrences import Occurrence

LONGEST = 60  # characters of a name or detail


class Entry(NamedTuple):
    """`kind`: variable, constant, function, goal, claim, expect, file, quiz, exam."""

    name: str
    kind: str
    detail: str
    span: Span
    name_span: Span


def outline(file: File) -> Iterator[Entry]:
    defined: dict[int, list[Occurrence]] = {}
    for o in file.occurrences:
        if o.use in ("defines", "declares"):
            defined.setdefault(o.statement, []).append(o)
    for number, s in enumerate(file.tree.statements):
        match s:
            case ast.Declaration(role, items, _):
                for item in items:
                    yield Entry(file.written(item.name_span), "constant" if role == "const" else "variable", role, item.span, item.name_span)
            case ast.Equation(target, value, _, _, span):
                yield Entry(cut(file.written(target.span)), "variable", cut(file.written(value.span)), span, target.span)
            case ast.FunctionDef() | ast.Opaque() | ast.Dim():
                for o in defined.get(number, ()):
                    yield Entry(file.written(o.span), "constant" if type(s) is ast.Dim else "function", cut(file.written(s.span)), s.span, o.span)
            case ast.Goal() | ast.Claim() | ast.Expect():
                yield Entry(cut(file.written(s.span)), type(s).__name__.lower(), "", s.span, s.span)
            case ast.Include(path, span, path_span):
                yield Entry(path or "include", "file", "include", span, path_span)
            case ast.Quiz(_, title, _, span, name_span):
                yield Entry(file.written(name_span), "quiz", cut(title.value) if title is not None else "", span, name_span)
            case ast.Exam(title, _, span):
                yield Entry(cut(title.value) or "exam", "exam", "", span, title.span)


def cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
