"""What a quiz takes from the file around it: consts, functions, their derivative rules and the layout, as far as it reads them."""

from __future__ import annotations

from typing import Iterable, Iterator

from graphlang.diagnostics import Diagnostic, Label
from graphlang.syntax import ast
from graphlang.syntax.occurrences import FUNCTION, VARIABLE, functions_of, occurrences, variables_of


def borrowed(tree: ast.Program, quiz: ast.Quiz, own: Iterable, found: list[Diagnostic]) -> Iterator[ast.Statement]:
    """Statements of the file that belong to the program of a quiz, in their order. A name that the quiz defines itself is its own."""
    own = tuple(own)
    mine = variables_of(own) | functions_of(own)
    outer = _definitions(tree)
    read = {name for name in _named(quiz, tree) if name not in mine}
    needed: set[str] = set()
    while read:
        name = read.pop()
        if name in needed or name not in outer:
            continue
        needed.add(name)
        for piece in outer[name]:
            for other in _named(piece, tree):
                if other in mine and other in outer:
                    at = next(iter(outer[other]))
                    found.append(Diagnostic("E711", f"`{name}` of the file reads `{other}`, which is another one in this quiz", quiz.name_span, "in this quiz",
                                            (Label(at.span, f"the `{other}` that `{name}` means"),), (f"give the `{other}` of the quiz another name",)))
                elif other not in mine:
                    read.add(other)
    for s in tree.statements:
        match s:
            case ast.Layout() if s.span.start < quiz.span.start:
                yield s
            case ast.Declaration("const", items):
                kept = tuple(item for item in items if item.name in needed)
                if kept:
                    yield s._replace(items=kept)
            case ast.FunctionDef(name) | ast.Rule(name) if name in needed:
                yield s


def _definitions(tree: ast.Program) -> dict[str, list]:
    """The consts and functions of a file, each with what it is made of."""
    out: dict[str, list] = {}
    for s in tree.statements:
        match s:
            case ast.Declaration("const", items):
                for item in items:
                    out.setdefault(item.name, []).append(ast.Declaration("const", (item,), item.span))
            case ast.FunctionDef(name) | ast.Rule(name):
                out.setdefault(name, []).append(s)
    return out


def _named(statement, tree: ast.Program) -> set[str]:
    """The variables and functions that a statement names."""
    found = occurrences(ast.Program((statement,), tree.source))
    return {o.symbol.name for o in found if o.symbol.kind in (VARIABLE, FUNCTION) and o.use == "reads"}
