"""Formulas for a typesetter: one walk over a syntax tree, in a `Notation` (LaTeX, Typst).

The walk decides what stands where and what needs brackets; a notation has only spellings, templates with `{0}` for what
is put in. Like the printer of source text it is a stack of parts, so depth costs nothing.
"""

from __future__ import annotations

import re
import unicodedata
from string import Formatter
from typing import Collection, Mapping, NamedTuple

from graphlang.graph.functions import FUNCTIONS
from graphlang.graph.reductions import REDUCTIONS
from graphlang.show.notation import Notation
from graphlang.show.shapes import table_nodes
from graphlang.syntax import ast
from graphlang.syntax.ast import Call, Deriv, List, Name, Num, Op, Subscript
from graphlang.syntax.names import GREEK
from graphlang.syntax.pretty import Names

# How tightly a node binds. A fraction is one thing within a product, but not below an exponent.
COMPARE, SUM, PRODUCT, NEG, POWER, POSTFIX = range(6)
LEVELS = {"+": SUM, "-": SUM, "*": PRODUCT, "coef": PRODUCT, "/": POWER, "@": PRODUCT, "neg": NEG, "^": POWER, "T": POWER}
LOOSE = {"mod": SUM, "log_sigmoid": SUM, "lgamma": SUM, "xlogy": PRODUCT, "_power_log": PRODUCT, "where": COMPARE, "inv": POWER}
LARGE = ("sum", "prod")

SYMBOL = re.compile("(?P<base>.+?)(?P<hat>\u0302?)(?P<low>[₀-₉]*)(?P<star>\\*?)(?P<after>[₀-₉]*)")
TAILED = re.compile(r"([^\W\d_])_([^\W\d_]{2,})")  # `x_max`
DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
SPELLED = {glyph: name for name, glyph in GREEK.items()}
ENCLOSED = re.compile(r"(?:[{(|,&]|\\\\|floor|ceil|abs) ?$")  # what stands before an operand that needs no brackets


class Part(NamedTuple):
    """A node where something of `level` is needed; `last`: no factor follows it."""

    node: ast.Expr
    level: int = COMPARE
    last: bool = True


Piece = Part | str


def fill(template: str, *operands: list[Piece]) -> list[Piece]:
    """A template with its operands put in."""
    out: list[Piece] = []
    for text, field, _, _ in Formatter().parse(template):
        if text:
            out.append(text)
        if field is not None:
            out += operands[int(field)]
    return out


class Typesetter:
    """Formulas over the variables of one program. `numerator`: the layout of derivatives in matrix formulas."""

    def __init__(self, notation: Notation, names: Collection[str], variables: Mapping[str, object] = {}, numerator: bool = False):
        self.n, self.known, self.names = notation, frozenset(names), Names(names)
        self.variables, self.numerator = variables, numerator
        self.tables: frozenset[int] = frozenset()

    def formula(self, root: ast.Expr) -> str:
        self.tables = table_nodes(root, self.variables, self.numerator)
        out: list[str] = []
        stack: list[Piece] = [Part(root)]
        while stack:
            part = stack.pop()
            if type(part) is str:
                out.append(part)
            else:
                stack.extend(reversed(self.pieces(part)))
        return "".join(out)

    # ---- one node

    def pieces(self, part: Part) -> list[Piece]:
        node, level, last = part
        if (level > POWER or level >= PRODUCT and not last) if self.is_large(node) else self.level(node) < level:
            return self.bracketed(node)
        match node:
            case Num(_, text, _):
                return self.number(text)
            case Name(name, _):
                return [self.name(name)]
            case Deriv(of, wrt, partial, _):
                return self.derivative([[self.name(of)], [self.name(wrt)]], partial)
            case Subscript(base, subs, _):
                return self.subscript(base, subs)
            case List(items, _):
                return fill(self.n.items, self.commas(items))
            case Call():
                return self.call(node, last)
            case Op():
                return self.operator(node, last)
        raise AssertionError(f"not an expression: {type(node).__name__}")

    def level(self, node: ast.Expr) -> int:
        match node:
            case Num(_, text, _):
                return PRODUCT if "e" in text.lower() else POSTFIX
            case Op("/", (_, b), _) if id(b) in self.tables:
                return PRODUCT
            case Op("/") if _leads_with_minus(node):
                return NEG
            case Op(op, _, _):
                return LEVELS.get(op, COMPARE)
            case Call("norm"):
                return POSTFIX
            case Call(name, _, binders):
                return POWER if binders or name in ("diff", "partial") else LOOSE.get(name, POSTFIX)
            case Deriv() | Subscript(Deriv()):
                return POWER
            case Name(name) if self.n.star in self.name(name):
                return POWER  # it has an exponent already
            case Subscript(Name(name)) if self.n.star in self.name(name):
                return POWER
        return POSTFIX

    def is_large(self, node: ast.Expr) -> bool:
        """A sum or product sign, which reaches over the factors that follow it, with an index or without."""
        return type(node) is Call and node.name in LARGE and len(node.args) == 1

    def bracketed(self, node: ast.Expr) -> list[Piece]:
        return fill(self.n.brackets, [Part(node)])

    def number(self, text: str) -> list[Piece]:
        digits, e, exponent = text.lower().partition("e")
        if not e:
            return [text]
        power = f"10^{self.n.script[0]}{int(exponent)}{self.n.script[1]}"
        return [power if digits == "1" else f"{digits}{self.n.times}{power}"]

    def commas(self, nodes) -> list[Piece]:
        out: list[Piece] = []
        for node in nodes:
            out += (", ", Part(node))
        return out[1:]

    # ---- names

    def name(self, name: str) -> str:
        if name in ("inf", "nan") and name not in self.known:
            return self.n.infinity if name == "inf" else self.n.nan
        base, low, star = self.symbol(name)
        return base + (self.script("_", low) if low else "") + (self.n.star if star else "")

    def symbol(self, name: str) -> tuple[str, str, bool]:
        """Letters with a hat if there is one, the number that stands low, and whether there is a star."""
        shown = self.names.pretty(name)
        if (m := TAILED.fullmatch(shown)) and name.partition("_")[0] not in self.known:
            return self.letters(m[1]), self.n.text(m[2]), False
        if shown == name and len(name) > 1:
            return self.letters(name), "", False
        m = SYMBOL.fullmatch(unicodedata.normalize("NFD", shown))
        base = self.letters(unicodedata.normalize("NFC", m["base"]))
        return self.n.hat.format(base) if m["hat"] else base, (m["low"] + m["after"]).translate(DIGITS), bool(m["star"])

    def letters(self, text: str) -> str:
        if len(text) == 1:
            return self.n.greek(SPELLED[text]) if text in SPELLED else text if text.isalnum() else self.n.text(text)
        runs = re.findall(f"[{''.join(SPELLED)}]|[^{''.join(SPELLED)}]+", text)
        return self.n.close.join(self.n.greek(SPELLED[run]) if run in SPELLED else self.n.text(run) for run in runs)

    def script(self, mark: str, text: str) -> str:
        return mark + (text if len(text) == 1 else self.n.script[0] + text + self.n.script[1])

    def element(self, name: str, subs: tuple[ast.Expr, ...]) -> list[Piece]:
        """`z_j`, `\\alpha_{ji}`, `u_{1,j}`."""
        base, low, star = self.symbol(name)
        numbers = "".join(s.text for s in subs if type(s) is Num)
        stem = name.rstrip("0123456789").rstrip("_")
        if low and stem in self.known or len(subs) == 1 and numbers and {name + numbers, f"{name}_{numbers}"} & self.known:
            return fill(self.n.element, [self.name(name)], self.commas(subs))
        short = [s.name for s in subs if type(s) is Name and len(s.name) == 1 and s.name.isascii()]
        if len(short) == len(subs) == 1 and not low:
            scripts: list[Piece] = [f"_{short[0]}"]
        elif len(subs) == 1 and not low and len(numbers) == 1 and type(subs[0]) is Num:
            scripts = [f"_{numbers}"]
        else:
            close = len(short) == len(subs) and not low
            inside: list[Piece] = [low] if low else []
            for s in subs:
                inside += ([] if not inside else [self.n.close if close else ","]) + [Part(s)]
            scripts = ["_", self.n.script[0], *inside, self.n.script[1]]
        return [base, *scripts, *([self.n.star] if star else [])]

    def subscript(self, base: ast.Expr, subs: tuple[ast.Expr, ...]) -> list[Piece]:
        match base:
            case Name(name, _):
                return self.element(name, subs)
            case Deriv(of, wrt, partial, _):
                return self.derivative([[self.name(of)], self.element(wrt, subs)], partial)
        return [Part(base, POSTFIX), "_", self.n.script[0], *self.commas(subs), self.n.script[1]]

    def derivative(self, symbols: list[list[Piece]], partial: bool) -> list[Piece]:
        """Of the first by the others."""
        mark = self.n.partial if partial else self.n.d
        of, *wrt = symbols
        above = [mark.rstrip() + self.script("^", str(len(wrt))) + " " if len(wrt) > 1 else mark, *of]
        below: list[Piece] = []
        for w in wrt:
            below += ([" "] if below else []) + [mark, *w]
        return fill(self.n.fraction, above, below)

    # ---- calls

    def call(self, node: Call, last: bool) -> list[Piece]:
        name, args = node.name, node.args
        if name in ("diff", "partial") and len(args) > 1 and not node.binders:
            return self.derivative([[Part(a, POSTFIX)] for a in args], name == "partial")
        if name == "norm" and len(args) == 1:
            return self.norm(node)
        if node.binders or self.is_large(node):
            return self.reduced(node, last)
        if name == "where":
            return self.cases(node)
        if name == "inv":
            return fill(self.n.inverse, [Part(args[0], POSTFIX)])
        if name in FUNCTIONS and FUNCTIONS[name].arity[0] == len(args):
            return self.function(self.n.function(name), args)
        symbol = self.n.reduction(name) if name in REDUCTIONS or name in ("trace", "diag", "solve") else self.name(name)
        return fill(self.n.call, [symbol], self.commas(args))

    def function(self, template: str, args: tuple[ast.Expr, ...]) -> list[Piece]:
        out: list[Piece] = []
        parsed = list(Formatter().parse(template))
        for k, (text, field, _, _) in enumerate(parsed):
            out.append(text)
            if field is not None:
                after = parsed[k + 1][0] if k + 1 < len(parsed) else ""
                before = text or (parsed[k - 1][0] if k and parsed[k - 1][1] is None else "")  # a brace that is written `{{` ends a part
                enclosed = ENCLOSED.search(before) and not after.startswith("^")
                out.append(Part(args[int(field)], COMPARE if enclosed else POSTFIX))
        return out

    def reduced(self, node: Call, last: bool) -> list[Piece]:
        """`\\sum_{i = 1}^{3} \\sum_{j = i}^{3} …`; of others, whose binders are not nested, `\\max_{i = 1}^{3} (…)`."""
        symbol, out = self.n.reduction(node.name), []
        if self.is_large(node):
            for b in node.binders:
                out += [symbol, *self.limits(b), " "]
            out = out or [symbol, " "]
            (body,) = node.args
            return out + (self.bracketed(body) if _leads_with_minus(body) else [Part(body, PRODUCT, last)])
        out = self.limits(node.binders[0]) if len(node.binders) == 1 else self.below(node.binders)
        return [symbol, *out, " ", *fill(self.n.brackets, self.commas(node.args))]

    def below(self, binders: tuple[ast.Binder, ...]) -> list[Piece]:
        """`_{i = 1, \\dots, 3; j = i, \\dots, 3}`"""
        out: list[Piece] = []
        for b in binders:
            name: list[Piece] = [self.name(b.name)]
            out += (["; "] if out else []) + (name if b.high is None else fill(self.n.span, name, [Part(b.low)], [Part(b.high)]))
        return ["_", self.n.script[0], *out, self.n.script[1]]

    def norm(self, node: Call) -> list[Piece]:
        """Of a whole table no index is written: `norm(v[j] for j)` is that of v."""
        (body,) = node.args
        match body:
            case Subscript(Name(name) as table, subs) if self.is_whole(name, subs, node.binders):
                return fill(self.n.norm, [Part(table)])
        return [*fill(self.n.norm, [Part(body)]), *(self.below(node.binders) if node.binders else [])]

    def is_whole(self, name: str, subs: tuple[ast.Expr, ...], binders: tuple[ast.Binder, ...]) -> bool:
        ranges = getattr(self.variables.get(name), "ranges", ())
        return len(subs) == len(binders) == len(ranges) and all(
            type(s) is Name and s.name == b.name and (b.high is None or type(b.low) is type(b.high) is Num and (b.low.value, b.high.value) == (r.low, r.high))
            for s, b, r in zip(subs, binders, ranges))

    def limits(self, b: ast.Binder) -> list[Piece]:
        name = self.name(b.name)
        return [self.script("_", name)] if b.high is None else fill(self.n.bounds, [name], [Part(b.low)], [Part(b.high)])

    def cases(self, node: Call) -> list[Piece]:
        rows: list[Piece] = []
        rest: ast.Expr = node
        while type(rest) is Call and rest.name == "where" and len(rest.args) == 3:
            condition, value, rest = rest.args
            rows += [*fill(self.n.case, [Part(value)], [Part(condition)]), self.n.case_end]
        return fill(self.n.cases, [*rows, *fill(self.n.otherwise, [Part(rest)])])

    # ---- operators

    def operator(self, node: Op, last: bool) -> list[Piece]:
        match node:
            case Op("+" | "-" as sign, (a, b), _):
                return [Part(a, SUM), f" {sign} ", *(self.bracketed(b) if _leads_with_minus(b) else [Part(b, PRODUCT)])]
            case Op("*" | "coef" | "@", (a, b), _):
                return self.product(node, a, b, last)
            case Op("/", (a, b), _):
                return self.quotient(node, a, b)
            case Op("neg", (a,), _):
                return ["-", *(self.bracketed(a) if _leads_with_minus(a) else [Part(a, PRODUCT, last)])]
            case Op("^", (base, exponent), _):
                mark = "^"
                if id(base) in self.tables:  # elementwise
                    return [Part(base, POSTFIX), "^", self.n.script[0], f"{self.n.signs['odot']} ", Part(exponent), self.n.script[1]]
                if type(exponent) is Num and len(exponent.text) == 1:
                    return [Part(base, POSTFIX), mark + exponent.text]
                return [Part(base, POSTFIX), mark + self.n.script[0], Part(exponent), self.n.script[1]]
            case Op("T", (Call("inv", (a,)),), _):
                return fill(self.n.inverse_transposed, [Part(a, POSTFIX)])
            case Op("T", (a,), _):
                return fill(self.n.transposed, [Part(a, POSTFIX)])
            case Op(sign, (a, b), _):
                return [Part(a, SUM), f" {self.n.signs.get(sign, sign)} ", Part(b, SUM)]
        raise AssertionError(f"not an operator: {node.op}")

    def product(self, node: Op, a: ast.Expr, b: ast.Expr, last: bool) -> list[Piece]:
        left, right = Part(a, PRODUCT, False), Part(b, POWER, last)
        if self.is_elementwise(node):
            return [left._replace(level=POWER if type(a) is Op and a.op == "@" else PRODUCT), f" {self.n.signs['odot']} ", right]
        if node.op == "@" and self.is_elementwise(a):
            left = left._replace(level=POWER)
        ends = a
        while type(ends) is Op and ends.op in ("*", "coef", "@"):
            ends = ends.args[1]
        digit = _first(b)
        dot = type(digit) in (Num, List) or node.op != "@" and type(ends) is not Num and (_is_derivative(ends) or _is_derivative(digit))
        return [left, self.n.times if dot else " ", right]

    def is_elementwise(self, node: ast.Expr) -> bool:
        """A product of two tables element by element."""
        return type(node) is Op and node.op in ("*", "/") and id(node.args[1]) in self.tables and (node.op == "/" or id(node.args[0]) in self.tables)

    def quotient(self, node: Op, a: ast.Expr, b: ast.Expr) -> list[Piece]:
        if self.is_elementwise(node):
            return [Part(a, POWER if type(a) is Op and a.op == "@" else PRODUCT, False), f" {self.n.divided} ", Part(b, POWER)]
        if (positive := _without_minus(a)) is not None:
            return ["-", *self.quotient(node, positive, b)]
        front, rest = _derivatives_first(a)
        if front is None:
            return fill(self.n.fraction, [Part(a)], [Part(b)])
        above: list[Piece] = [Part(rest)] if rest is not None else ["1"]
        fraction = fill(self.n.fraction, above, [Part(b)])
        return [Part(front, PRODUCT, False), self.n.times, *fraction] if rest is not None else [*fraction, " ", Part(front, PRODUCT, False)]


def _first(node: ast.Expr) -> ast.Expr:
    """What the text of a factor begins with."""
    while type(node) is Op and node.op in ("*", "coef", "@", "^", "T"):
        node = node.args[0]
    return node


def _leads_with_minus(node: ast.Expr) -> bool:
    while type(node) is Op and node.op in ("*", "/", "coef", "@"):
        node = node.args[0]
    return type(node) is Op and node.op == "neg"


def _without_minus(node: ast.Expr) -> ast.Expr | None:
    """A product without the minus that it begins with, None where it begins with none or with two."""
    rest: list[tuple[str, ast.Expr]] = []
    while type(node) is Op and node.op in ("*", "coef", "@"):
        rest.append((node.op, node.args[1]))
        node = node.args[0]
    if type(node) is not Op or node.op != "neg" or _leads_with_minus(node.args[0]):
        return None
    out = node.args[0]
    for op, right in reversed(rest):
        out = Op(op, (out, right), node.span)
    return out


def _is_derivative(node: ast.Expr) -> bool:
    match node:
        case Deriv() | Subscript(Deriv(), _, _) | Call("diff" | "partial"):
            return True
    return False


def _derivatives_first(node: ast.Expr) -> tuple[ast.Expr | None, ast.Expr | None]:
    """A product's derivatives, and its other factors: a fraction is not put above the line of another one."""
    factors: list[ast.Expr] = []
    while type(node) is Op and node.op == "*":
        factors.append(node.args[1])
        node = node.args[0]
    factors.append(node)
    front, rest = [f for f in factors if _is_derivative(f)], [f for f in factors if not _is_derivative(f)]
    return _joined(front[::-1]), _joined(rest[::-1])


def _joined(factors: list[ast.Expr]) -> ast.Expr | None:
    out = None
    for f in factors:
        out = f if out is None else Op("*", (out, f), f.span)
    return out
