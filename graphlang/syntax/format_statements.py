"""The text of statements; of the expressions in them see format.py."""

from __future__ import annotations

from graphlang.syntax import ast
from graphlang.syntax.ast import Binder
from graphlang.syntax.format import SIGNS, SOURCE, SUM, Part, Style, _binders, _commas, _print, format_expr
from graphlang.syntax.format_quiz import format_exam, format_quiz, quoted


def format_statement(stmt: ast.Statement, style: Style = SOURCE) -> str:
    """The text of a statement."""
    match stmt:
        case ast.Declaration(role, items, _):
            return f"{role} " + ", ".join(_item(item, style) for item in items)
        case ast.Dim(names, _):
            return "dim " + ", ".join(style.names.pretty(n.name) for n in names)
        case ast.Equation(target, value, binders, override, _):
            head = "override " if override else ""
            return f"{head}{_at(target, style)} = {format_expr(value, style)}{_for(binders, style)}"
        case ast.FunctionDef(name, params, body, _, _):
            return f"{style.names.function(name)}({_params(params, style)}) = {format_expr(body, style)}"
        case ast.Goal(kind, targets, _):
            first, *others = (_at(t, style) for t in targets)
            if first[0] in "-[.":  # would not be read as a goal
                first = f"({first})"
            return f"{kind} " + ", ".join([first, *others])
        case ast.Claim(left, right, binders, _):
            return f"claim {_at(left, style)} = {format_expr(right, style)}{_for(binders, style)}"
        case ast.Expect(left, compare, right, within, relative, binders, _):
            sign = SIGNS.get(compare, compare) if style.pretty else compare
            text = f"expect {_at(left, style)} {sign} {_at(right, style)}"
            if within is not None:
                text += f" within {_at(within, style)}" + ("%" if relative else "")
            return text + _for(binders, style)
        case ast.Setting(name, value, _):
            return f"set {name} = {format_expr(value, style)}"
        case ast.Layout(kind, _):
            return f"layout {kind}"
        case ast.Include(path, _, _):
            return "include " + quoted(path)
        case ast.Opaque(signatures, _):
            return "opaque " + ", ".join(_signature(one, style) for one in signatures)
        case ast.Rule(name, params, wrt, body, _, _):
            head = f"derivative {style.names.function(name)}({_params(params, style)})"
            return head + (f" wrt {style.names.pretty(wrt.name)}" if wrt else "") + f" = {format_expr(body, style)}"
        case ast.Train(entries, _):
            lines = [f"  {entry.name}: {_print(_commas(entry.slots, False), style)}\n" for entry in entries]
            return "train {" + "".join(["\n", *lines] if lines else [" "]) + "}"
        case ast.Quiz():
            return format_quiz(stmt, style, format_statement)
        case ast.Exam():
            return format_exam(stmt, style)
    raise AssertionError(f"not a statement: {type(stmt).__name__}")


def format_program(program: ast.Program) -> str:
    """The statements in canonical spelling, one to a line. Comments are not in the tree."""
    return "".join(format_statement(s) + "\n" for s in program.statements)


def _at(node: ast.Expr, style: Style) -> str:
    """An expression in a place where a comparison needs parentheses."""
    return _print([Part(node, SUM)], style)


def _item(item: ast.Item, style: Style) -> str:
    parts: list[Part | str] = [style.names.pretty(item.name)]
    if item.ranges is not None:
        parts += ("[", *_commas(item.ranges, True), "]")
    if item.symmetric:
        parts.append(" symmetric")
    if item.value is not None:
        parts += (" = ", Part(item.value))
    return _print(parts, style)


def _signature(one: ast.Signature, style: Style) -> str:
    parts: list[Part | str] = [f"{style.names.function(one.name)}({_params(one.params, style)})"]
    if one.ranges is not None:
        parts += ("[", *_commas(one.ranges, True), "]")
    return _print(parts, style)


def _params(params: tuple[ast.Name, ...], style: Style) -> str:
    return ", ".join(style.names.pretty(p.name) for p in params)


def _for(binders: tuple[Binder, ...], style: Style) -> str:
    if not binders:
        return ""
    return _print(["  ∀ ", *_binders(binders, style, "=")] if style.pretty else [" for ", *_binders(binders, style)], style)
