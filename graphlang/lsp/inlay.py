"""What stands behind the lines of a program: the value of an equation, and the adjoint of what it defines."""

from __future__ import annotations

from typing import Iterator, NamedTuple

from graphlang.lsp.figures import Figures
from graphlang.lsp.reading import File
from graphlang.syntax import ast

LONGEST = 120  # characters
MOST_HINTS = 2000


class Hint(NamedTuple):
    """A label behind a line that ends at an offset."""

    at: int
    label: str


def hints(file: File, figures: Figures, start: int = 0, end: int | None = None) -> list[Hint]:
    """The hints of the statements that end in a part of a file; those on one line in one label."""
    shown = [s for s in file.tree.statements if s.span.end >= start and (end is None or s.span.start <= end)][:MOST_HINTS]
    ends = [line_end(file.text, s.span.end) for s in shown]
    lines: dict[int, list[str]] = {}
    for s, at, (before, after) in zip(shown, ends, zip([-1, *ends], [*ends[1:], -1])):
        label = "   ".join(parts(file, figures, s, at not in (before, after)))
        if label:
            lines.setdefault(at, []).append(label)
    return [Hint(at, short("   ".join(labels))) for at, labels in sorted(lines.items())]


def line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    return end - 1 if text[at:end].endswith("\r") else end


def short(label: str) -> str:
    return label if len(label) <= LONGEST else label[: LONGEST - 1] + "…"


def parts(file: File, figures: Figures, s: ast.Statement, alone: bool) -> Iterator[str]:
    """What there is to say of one statement. `alone`: on its line there is no other one to take it for."""
    match s:
        case ast.Equation(target, value, _, _, span):
            name = (target.base if type(target) is ast.Subscript else target).name
            v = figures.variable(name)
            if v is None:
                return
            equation = figures.equation(name, file.text[span.start : span.end])
            if equation is None and not v.is_leaf:
                return
            box = equation.box if equation is not None else None
            written = figures.value(name, box)
            if written is not None and not is_written_out(value):
                yield f"= {written}" if alone else f"{file.written(target.span)} = {written}"
            yield from adjoints(figures, name, box, file.written(target.span))
        case ast.Declaration(role, items, _) if role in ("input", "param"):
            for item in items:
                if item.value is not None and not is_written_out(item.value) and (written := figures.value(item.name)) is not None:
                    yield f"{item.name} = {written}" if len(items) > 1 or not alone else f"= {written}"
                yield from adjoints(figures, item.name, None, item.name)


def adjoints(figures: Figures, name: str, box, written: str) -> Iterator[str]:
    for label, value in figures.adjoint(name, box):
        whole = box is None or box == figures.graph.variables[name].ranges
        yield f"{label if whole or not label.endswith(f'd{name}') else label[: -len(name)] + written} = {value}"


def is_written_out(value: ast.Expr) -> bool:
    """Whether a value can be read in the text itself: a number, or a list of them."""
    return all(type(n) in (ast.Num, ast.List) or (type(n) is ast.Op and n.op == "neg") for n in ast.postorder(value))
