"""Syntax trees as text, in two styles, with the fewest parentheses that still read well.

`SOURCE` is canonical ASCII that parses back to the same tree (but `∂u/∂v[j]` comes back as the call that it is in
ASCII, `partial(u, v[j])`). A pretty style is for people: `Σ_j=0..2 βⱼ zⱼ`.
Beyond what the grammar needs, parentheses stand around a negative right operand (`a*(-b)`) and around a derivative
that is divided or raised (`(dJ/dx)^2`).

The printer is a stack of parts: texts, and nodes yet to be printed. No recursion, so depth costs nothing.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from graphlang.syntax import ast
from graphlang.syntax.ast import Binder, Call, Deriv, Keyword, List, Name, Num, Op, Range, Subscript, Text
from graphlang.syntax.pretty import SUPERSCRIPT, Names

# How tightly a node binds; a part is wrapped when it binds less tightly than its place asks for.
COMPARE, SUM, PRODUCT, NEG, COEF, POWER, POSTFIX = range(7)

LEVELS = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "@": PRODUCT, "neg": NEG, "coef": COEF, "^": POWER, "T": POSTFIX}
SIGNS = {"<=": "≤", ">=": "≥", "!=": "≠"}
LARGE = {"sum": "Σ", "prod": "Π"}
AFTER_COEF = re.compile(r"(?:[eE]\d|_)")  # 3e2 is a number, 3_0 an error
HALF = re.compile(r"d[^\W\d]\w*")  # dJ/dx without blanks is a derivative


class Style(NamedTuple):
    pretty: bool
    names: Names


SOURCE = Style(False, Names(ascii=True))
PRETTY = Style(True, Names())


def style_for(names: Names) -> Style:
    """How to print a program with these names: pretty, or as source when they are shown in ASCII."""
    return SOURCE if names.ascii else Style(True, names)


class Part(NamedTuple):
    """A node to print where something of `level` is needed. `last`: nothing follows it before a bracket closes.
    `tight`: no blanks around signs, as in subscripts and bounds."""

    node: ast.Expr
    level: int = COMPARE
    last: bool = True
    tight: bool = False


def format_expr(node: ast.Expr, style: Style, limit: int | None = None) -> str | None:
    """The text of an expression; None as soon as it is known to have more than `limit` characters."""
    return _print([Part(node)], style, limit)


def _print(parts: list[Part | str], style: Style, limit: int | None = None) -> str | None:
    out: list[str] = []
    length = 0
    stack = parts[::-1]
    while stack:
        part = stack.pop()
        if type(part) is not str and type(part.node) is Name:  # the most frequent node, in short
            part = style.names.pretty(part.node.name)
        elif type(part) is not str:
            pieces = _pieces(part, style, limit)
            if pieces is None:
                return None
            stack.extend(reversed(pieces))
            continue
        if not part:
            continue
        if part[0] == "d" and len(out) > 1 and out[-1] == "/" and HALF.fullmatch(out[-2]) and HALF.fullmatch(part):
            out[-1] = " / "  # a division of variables that are called dJ and dx
            length += 2
        elif part == ".." and out[-1][-1] == ".":
            part = " .."  # the number `2.` before it
        out.append(part)
        length += len(part)
        if limit is not None and length > limit:
            return None
    return "".join(out)


def _pieces(part: Part, style: Style, limit: int | None) -> list[Part | str] | None:
    """One node taken apart; None when it has more operands than `limit` characters can hold."""
    node, level, last, tight = part
    if _level(node, style) < level or (_is_large(node, style) and (level >= NEG or not last)):
        return ["(", Part(node, tight=tight), ")"]
    match node:
        case Num(_, text, _):
            return [text]
        case Text(value, _):
            return ['"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"']
        case Deriv(of, wrt, partial, _):
            return [(style.names.partial if partial else style.names.derivative)(of, wrt)]
        case Keyword(name, value, _):
            return [f"{name}=", Part(value, tight=tight)]
        case Range(low, high, _):
            return _range(low, high)
        case List(items, _):
            return None if limit is not None and len(items) > limit else ["[", *_commas(items, tight), "]"]
        case Subscript(base, subs, _):
            if style.pretty and (glyphs := _element(node, style)):
                return [glyphs]
            if type(base) is Deriv and base.partial and not style.pretty:
                return [f"partial({base.of}, {base.wrt}[", *_commas(subs, True, SUM, ","), "])"]
            return [*_postfix(base, tight), "[", *_commas(subs, True, SUM, ","), "]"]
        case Call():
            return None if limit is not None and len(node.args) > limit else _call(node, last, tight, style)
        case Op("+" | "-", _, _):
            return _sum(node, last, tight, style, limit)
        case Op("*" | "/" | "@", _, _):
            return _product(node, tight, style, limit)
        case Op("neg", (a,), _):
            return ["-", Part(a, COEF, last, tight)]
        case Op("coef", (number, a), _):
            return _coef(number, a, tight, style)
        case Op("^", (base, exponent), _):
            return _power(base, exponent, tight, style)
        case Op("T", (a,), _):
            whole = style.pretty and _is_derivative(a, style)  # in dy/duᵀ it would be u that is transposed
            return [*(["(", Part(a, tight=tight), ")"] if whole else _postfix(a, tight)), "ᵀ" if style.pretty else ".T"]
        case Op(sign, (a, b), _):
            shown = SIGNS.get(sign, sign) if style.pretty else sign
            return [Part(a, SUM, False, tight), shown if tight else f" {shown} ", Part(b, SUM, last, tight)]
    raise AssertionError(f"not an expression: {type(node).__name__}")


def _level(node: ast.Expr, style: Style) -> int:
    if type(node) is not Op:
        return POSTFIX
    if style.pretty and node.op == "*" and _is_number(node.args[0]) and not _is_derivative(node.args[1], style):
        return COEF if type(node.args[0]) is Num else NEG  # shown as `2x`
    return LEVELS.get(node.op, COMPARE)


def _is_number(node: ast.Expr) -> bool:
    return type(node) is Num or (type(node) is Op and node.op == "neg" and type(node.args[0]) is Num)


def _is_large(node: ast.Expr, style: Style) -> bool:
    """Shown with Σ or Π, which reach to the end of a product."""
    return style.pretty and type(node) is Call and node.name in LARGE and bool(node.binders) and len(node.args) == 1


def _is_derivative(node: ast.Expr, style: Style) -> bool:
    match node:
        case Deriv() | Subscript(Deriv(), _, _):
            return True
        case Call("diff" | "partial", (a, b), (), _, _):
            return style.pretty and _simple(a) and _simple(b)
    return False


def _simple(node: ast.Expr) -> bool:
    return type(node) is Name or (type(node) is Subscript and type(node.base) is Name)


def _symbol(node: ast.Expr, style: Style) -> str | None:
    """A variable or an element, pretty, as one text; None where an element's subscripts are too large for that."""
    match node:
        case Name(name, _):
            return style.names.pretty(name)
        case Subscript(Name(name, _), subs, _) if (texts := _subs(subs)) is not None:
            return style.names.element(name, texts)
    return None


def _element(node: Subscript, style: Style) -> str | None:
    """`zⱼ` or `dJ/dβⱼ`; None where there are no glyphs for it."""
    texts = _subs(node.subs)
    if texts is None:
        return None
    match node.base:
        case Name(name, _):
            return style.names.low(name, texts)
        case Deriv(of, wrt, partial, _) if (low := style.names.low(wrt, texts)) is not None:
            mark = "∂" if partial else "d"
            return f"{mark}{style.names.pretty(of)}/{mark}{low}"
    return None


def _subs(subs: tuple[ast.Expr, ...]) -> list[str] | None:
    """Short subscripts in source spelling; None if one is long or has an element in it."""
    texts = []
    for sub in subs:
        for count, below in enumerate(ast.postorder(sub)):
            if count > 8 or type(below) not in (Num, Name, Op):
                return None
        texts.append(_print([Part(sub, SUM, True, True)], SOURCE))
    return texts


def _commas(nodes, tight: bool, level: int = COMPARE, comma: str = ", ") -> list[Part | str]:
    out: list[Part | str] = []
    for node in nodes:
        out += (comma, Part(node, level, True, tight))
    return out[1:]


def _range(low: ast.Expr | None, high: ast.Expr) -> list[Part | str]:
    if low is None:
        return [Part(high, SUM, True, True)]
    return [Part(low, SUM, False, True), "..", Part(high, SUM, True, True)]


def _binders(binders: tuple[Binder, ...], style: Style, within: str = " in ", comma: str = ", ") -> list[Part | str]:
    out: list[Part | str] = []
    for binder in binders:
        out += (comma, style.names.pretty(binder.name))
        if binder.high is not None:
            out += (within, *_range(binder.low, binder.high))
    return out[1:]


def _postfix(base: ast.Expr, tight: bool) -> list[Part | str]:
    """What stands before `[` or `.T`; a number there would swallow the dot."""
    return ["(", Part(base, tight=tight), ")"] if type(base) is Num else [Part(base, POSTFIX, False, tight)]


def _call(node: Call, last: bool, tight: bool, style: Style) -> list[Part | str]:
    if _is_large(node, style):
        binders = _binders(node.binders, style, "=", ",")
        return [LARGE[node.name] + "_", *binders, " ", Part(node.args[0], PRODUCT, last, tight)]
    if style.pretty and _is_derivative(node, style):
        of, wrt = (_symbol(a, style) for a in node.args)
        if of is not None and wrt is not None:
            mark = "d" if node.name == "diff" else "∂"
            return [f"{mark}{of}/{mark}{wrt}"]
    binders = [" for ", *_binders(node.binders, style)] if node.binders else []
    return [style.names.function(node.name), "(", *_commas(node.args, tight), *binders, ")"]


def _spine(node: Op, signs: tuple[str, ...], limit: int | None) -> tuple[list[ast.Expr], list[str]] | None:
    """A chain `a + b - c` as its operands and the signs between them."""
    operands, between = [], []
    while type(node) is Op and node.op in signs:
        operands.append(node.args[1])
        between.append(node.op)
        node = node.args[0]
        if limit is not None and len(operands) > limit:
            return None
    operands.append(node)
    return operands[::-1], between[::-1]


def _sum(node: Op, last: bool, tight: bool, style: Style, limit: int | None) -> list[Part | str] | None:
    chain = _spine(node, ("+", "-"), limit)
    if chain is None:
        return None
    operands, signs = chain
    out: list[Part | str] = [Part(operands[0], PRODUCT, False, tight)]
    for sign, operand in zip(signs, operands[1:]):
        out += (sign if tight else f" {sign} ", *_right(operand, tight))
    if last and type(out[-1]) is Part:
        out[-1] = out[-1]._replace(last=True)
    return out


def _right(operand: ast.Expr, tight: bool) -> list[Part | str]:
    """A right operand of a sum, wrapped if its text would begin with a minus."""
    first = operand
    while type(first) is Op and first.op in ("*", "/", "@"):
        first = first.args[0]
    if type(first) is Op and first.op == "neg":
        return ["(", Part(operand, tight=tight), ")"]
    return [Part(operand, PRODUCT, False, tight)]


def _product(node: Op, tight: bool, style: Style, limit: int | None) -> list[Part | str] | None:
    chain = _spine(node, ("*", "/", "@"), limit)
    if chain is None:
        return None
    factors, signs = chain
    out: list[Part | str] = _factor(factors[0], signs[0] == "/", NEG, tight, style)
    derivative = _is_derivative(factors[0], style)
    opened = 0
    for n, (sign, factor) in enumerate(zip(signs, factors[1:])):
        left = factors[n]
        derivative = derivative or _is_derivative(factor, style)
        if sign == "/":
            out += ("/", *_factor(factor, True, POWER, tight, style))
            continue
        if style.pretty and n and signs[n - 1] == "/":  # (u/t) x, or it would be read as u/(t x)
            out.append(")")
            opened += 1
        if sign == "@":
            between = " @ "
        elif not style.pretty:
            between = " * " if n and signs[n - 1] == "@" else "*"
        elif derivative or _begins_with_digit(factor):
            between = "·"
        elif n == 0 and _is_number(left):
            between = _after_number(left)
        else:
            between = "·" if tight or n and _is_number(factors[0]) and _begins_with_function(factor) else " "
        out += (between, *_factor(factor, False, POWER if style.pretty else COEF, tight, style))
    return ["("] * opened + out


def _factor(node: ast.Expr, divided: bool, level: int, tight: bool, style: Style) -> list[Part | str]:
    if divided and _is_derivative(node, style):
        return ["(", Part(node, tight=tight), ")"]
    return [Part(node, level, False, tight)]


def _after_number(node: ast.Expr) -> str:
    """Between a number and what it multiplies, when pretty: nothing, but `1e-7·x`."""
    number = node if type(node) is Num else node.args[0]
    return "·" if "e" in number.text.lower() else ""


def _begins_with_digit(node: ast.Expr) -> bool:
    return type(node) in (Num, List) or (type(node) is Op and node.op == "^" and type(node.args[0]) in (Num, List))


def _begins_with_function(factor: ast.Expr) -> bool:
    """In `2x·cos(t)`: after a coefficient the name of a function would look like one more factor."""
    while type(factor) is Op and factor.op in ("^", "T"):
        factor = factor.args[0]
    return type(factor) is Call and factor.name not in LARGE


def _coef(number: ast.Expr, a: ast.Expr, tight: bool, style: Style) -> list[Part | str]:
    """`3t`, with parentheses where the number would be read on into what follows it: `3(e2)`."""
    assert type(number) is Num
    if style.pretty and _is_derivative(a, style):
        return [number.text, "·", Part(a, POWER, False, tight)]
    if style.pretty and _after_number(number):
        return [number.text, "·", Part(a, POWER, False, tight)]
    first = a  # what begins the text, if it is not wrapped
    if type(first) is Op and first.op == "^":
        first = first.args[0]
    while type(first) is Subscript or (type(first) is Op and first.op == "T"):
        first = first.base if type(first) is Subscript else first.args[0]
    match first:
        case Name(name) | Call(name):
            hidden = bool(AFTER_COEF.match(name)) or (tight and name in ("e", "E")) or number.text.endswith(".")
            hidden |= number.text == "0" and name[0] in "xXbBoO"
        case Op() | Deriv():
            hidden = False
        case _:
            hidden = True
    return [number.text, *(["(", Part(a, tight=tight), ")"] if hidden else [Part(a, POWER, False, tight)])]


def _power(base: ast.Expr, exponent: ast.Expr, tight: bool, style: Style) -> list[Part | str]:
    wrapped = _is_derivative(base, style) or (type(base) is Op and base.op == "T" and style.pretty)
    out = [Part(base, COMPARE if wrapped else POSTFIX, False, tight)]
    if wrapped:
        out = ["(", *out, ")"]
    negative = type(exponent) is Op and exponent.op == "neg"
    if style.pretty:
        number = exponent.args[0] if negative else exponent
        if type(number) is Num and number.text.isdigit():
            return [*out, (("-" if negative else "") + number.text).translate(SUPERSCRIPT)]
    if negative and _level(exponent.args[0], style) >= POWER:
        return [*out, "^", "-", Part(exponent.args[0], POWER, False, tight)]
    if _is_derivative(exponent, style):
        return [*out, "^", "(", Part(exponent, tight=tight), ")"]
    return [*out, "^", Part(exponent, POWER, False, tight)]
