"""The text of quizzes and exams; of the expressions in them see format.py, of the statements format_statements.py."""

from __future__ import annotations

from typing import Callable

from graphlang.syntax import ast
from graphlang.syntax.format import Style, format_expr

INDENT = "  "


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def format_quiz(s: ast.Quiz, style: Style, statement: Callable[[ast.Statement, Style], str]) -> str:
    title = f" {quoted(s.title.value)}" if s.title is not None else ""
    return _block(f"quiz {style.names.pretty(s.name)}{title}", [_part(part, style) or statement(part, style) for part in s.statements])


def format_exam(s: ast.Exam, style: Style) -> str:
    return _block(f"exam {quoted(s.title.value)}", [_line(line, style) for line in s.lines])


def _part(s, style: Style) -> str:
    """A statement that only quizzes have; "" for another one."""
    match s:
        case ast.Vary(items, _):
            return "vary " + ", ".join(_varied(item, style) for item in items)
        case ast.Require(conditions, _):
            return "require " + ", ".join(format_expr(c, style) for c in conditions)
        case ast.Working(precise, _):
            return "working " + _precise(precise).removeprefix("to ")
        case ast.Ask(text, lines, _):
            return _block(f"ask {quoted(text.value)}", [_line(line, style) for line in lines])
        case ast.Fill(direction, lines, _):
            return _block(f"fill {direction}", [_line(line, style) + " each" * (type(line) is ast.Amount and line.word == "marks") for line in lines])
        case ast.Choose(text, lines, _):
            return _block(f"choose {quoted(text.value)}", [_line(line, style) for line in lines])
    return ""


def _block(head: str, lines: list[str]) -> str:
    inside = "".join(f"{INDENT}{row}\n" for line in lines for row in line.split("\n"))
    return f"{head} {{\n{inside}}}"


def _varied(item: ast.Varied, style: Style) -> str:
    name = style.names.pretty(item.name)
    if not item.bounds:
        return f"{name} in {{{', '.join(n.text for n in item.values)}}}"
    low, high, *step = (n.text for n in item.bounds)
    space = " " if low.endswith(".") else ""
    return f"{name} in {low}{space}..{high}" + (f" step {step[0]}" if step else "")


def _precise(p: ast.Precise) -> str:
    if p.number is None:
        return "exactly"
    if p.kind in ("within", "percent"):
        return f"within {p.number.text}" + "%" * (p.kind == "percent")
    return f"to {p.number.text} {_units(p.kind.removesuffix('s'), p.number)}"


def _units(word: str, number: ast.Num) -> str:
    return word + "s" * (number.value != 1)


def _amount(a: ast.Amount) -> str:
    return f"{a.number.text} {_units('mark', a.number)}" if a.word == "marks" else f"{a.word} {a.number.text}"


def _line(line, style: Style) -> str:
    match line:
        case ast.Amount():
            return _amount(line)
        case ast.Precise():
            return _precise(line)
        case ast.Asked(value, precise, marks, _):
            text = format_expr(value, style)
            text += f" {_precise(precise)}" if precise is not None else ""
            return text + (f", {marks.text} {_units('mark', marks)}" if marks is not None else "")
        case ast.Blanks(targets, _):
            return "blank " + ", ".join(format_expr(t, style) for t in targets)
        case ast.Option(kind, value, special, because, _):
            text = f"{kind} {special or format_expr(value, style)}"
            if because is None:
                return text
            return f"{text} because {quoted(because.value) if type(because) is ast.Text else because.name}"
        case ast.Use(quiz, clauses, _, _):
            return ", ".join([f"use {style.names.pretty(quiz)}", *map(_amount, clauses)])
    raise AssertionError(f"not a line of a block: {type(line).__name__}")
