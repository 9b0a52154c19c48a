"""The parser's callbacks for expressions. A method is named after a rule or alias of grammars/graph.lark.

Each takes the list of what the rule's parts became, tokens included, and gives a node of ast.py. What parses but
means nothing is added to `found`, and a node is given all the same, so that parsing goes on.
"""

from __future__ import annotations

import re
from math import inf

from graphlang.diagnostics import Diagnostic, Label, Span
from graphlang.syntax.ast import (
    Binder, Call, Deriv, Expr, Keyword, List, Name, Num, Op, Range, Subscript, Text,
)  # fmt: skip
from graphlang.syntax.lalr import Token
from graphlang.syntax.lexing import Lexer
from graphlang.syntax.foreign import slice_hint
from graphlang.syntax.names import NotAName, canonical

_OPERATORS = {"+": "+", "-": "-", "−": "-", "*": "*", "·": "*", "×": "*", "⋅": "*", "/": "/", "@": "@", "^": "^", "**": "^"}
_OTHER_BASE = re.compile(r"[xX][0-9a-fA-F]+\b|[oO][0-7]+\b|[bB][01]+\b")
_WORD = re.compile(r"\w+")
_POWER_OF_D = re.compile(r"d\^([2-9])([^\W\d]\w*) ?/ ?d([^\W\d]\w*)\^\1(?!\w)")
_SECOND = re.compile(r"d([2-9])([^\W\d]\w*)")

# A program has hundreds of thousands of nodes: this leaves out one Python call for each (see ast.py).
new = tuple.__new__


class ExpressionNodes:
    """State: the text under way, what was found wrong in it, and the names it defines (through the lexer)."""

    def __init__(self, lexer: Lexer) -> None:
        self._lexer = lexer
        self.begin("")

    def begin(self, text: str) -> None:
        self.text = text
        self.found: list[Diagnostic] = []
        self._spellings: dict[str, str] = {}
        self._ambiguous: Span | None = None  # the number of a coefficient after `/` or `^`

    # ---- places and complaints

    def report(self, code: str, message: str, at: Span, text: str = "", *hints: str, labels: tuple[Label, ...] = ()) -> None:
        self.found.append(Diagnostic(code, message, at, text, labels, hints))

    def written(self, at: Span) -> str:
        """The text at a place, shortened in the middle when it is long."""
        text = self.text[at.start : at.end]
        return text if len(text) <= 60 else f"{text[:28]}…{text[-28:]}"

    def spelling(self, token: Token) -> str:
        """The canonical name of a NAME token."""
        name = token.text
        known = self._spellings.get(name)
        return known if known is not None else self.spell(name, Span(token.start, token.end))

    def spell(self, name: str, at: Span) -> str:
        try:
            plain = canonical(name)
        except NotAName as wrong:
            hints = (f"write `{wrong.proposal}`",) if wrong.proposal else ()
            if second := re.fullmatch(r"[d∂]²(\w+)", name):
                hints = (f"a second derivative is written `diff({second[1]}, x, x)`",)
            self.report("E010", f"`{name}` is not a name", at, "a name has letters, digits and `_` only", *hints)
            return name
        self._spellings[name] = plain
        return plain

    # ---- atoms

    def name(self, c: list) -> Name:
        token = c[0]
        name = self._spellings.get(token.text) or self.spelling(token)
        return new(Name, (name, new(Span, (token.start, token.end))))

    def number(self, c: list) -> Num:
        token = c[0]
        text = token.text
        value = float(text)
        if value == inf or not text.isdigit():
            self._check_number(token, value)
        return new(Num, (value, text, new(Span, (token.start, token.end))))

    def _check_number(self, token: Token, value: float) -> None:
        text, at = token.text, Span(token.start, token.end)
        if value == inf:
            self.report("E008", f"`{self.written(at)}` is too large for a float64", at,
                        "the largest is about 1.8e308", "write `inf` if infinity is meant")  # fmt: skip
        exponent = text.lower().find("e")
        if exponent < 0 or not text[exponent + 1].isdigit():
            return  # no exponent, or a signed one: nobody writes `1e-10` for a product
        word = _WORD.match(self.text, at.start + exponent)
        assert word is not None
        tail = text[exponent:]
        for name in (word[0], tail):
            if name in self._lexer.names_at(at.start):
                rest = word[0][len(tail) :]
                number = f"{value:g}" + (f"*{rest}" if rest and name == word[0] else "")
                self.report("E009", f"`{text}` is the number {value:g}, but `{name}` is a variable", at, "",
                            f"write `{text[:exponent]}*{name}` for the product, `{number}` for the number")  # fmt: skip
                return

    def deriv(self, c: list) -> Deriv:
        token = c[0]
        above, _, below = token.text.partition("/")
        at = Span(token.start, token.end)
        return Deriv(self.spell(above[1:], at), self.spell(below[1:], at), above[0] == "∂", at)

    def string(self, c: list) -> Text:
        # A backslash escapes a quote or a backslash; before anything else it is itself.
        value = re.sub(r'\\(["\\])', r"\1", c[0].text[1:-1])
        return Text(value, Span(c[0].start, c[0].end))

    def group(self, c: list) -> Expr:
        # The parentheses belong to the place of what is inside, or the product `(a + b)*c` would begin at `a`.
        return c[1]._replace(span=Span(c[0].start, c[2].end))

    def list(self, c: list) -> List:
        return List(tuple(c[1]) if len(c) == 3 else (), Span(c[0].start, c[-1].end))

    def call(self, c: list) -> Call:
        token = c[0]
        args = tuple(c[2]) if len(c) > 3 else ()
        binders = c[3] if len(c) > 4 else ()
        start = token.start
        return new(Call, (self.spelling(token), args, binders, new(Span, (start, c[-1].end)),
                          new(Span, (start, token.end))))  # fmt: skip

    def keyword(self, c: list) -> Keyword:
        return Keyword(self.spelling(c[0]), c[2], Span(c[0].start, c[2].span.end))

    # ---- lists of things, each made longer in place

    def first(self, c: list) -> list:
        return c

    def more(self, c: list) -> list:
        c[0].append(c[2])
        return c[0]

    # ---- operators

    def binary(self, c: list) -> Op:
        left, operator, right = c
        operator = operator.text
        op = _OPERATORS[operator]
        at = new(Span, (left.span[0], right.span[1]))
        if op == "/" or op == "^":
            if self._ambiguous is not None:
                self._two_readings(left, operator, right)
            elif op == "/":
                self._check_quotient(left, right, at)
        return new(Op, (op, (left, right), at))

    def compare(self, c: list) -> Op:
        return Op(c[1].text, (c[0], c[2]), Span(c[0].span.start, c[2].span.end))

    def negative(self, c: list) -> Op:
        return new(Op, ("neg", (c[1],), new(Span, (c[0].start, c[1].span[1]))))

    def transpose(self, c: list) -> Op:
        return Op("T", (c[0],), Span(c[0].span.start, c[1].end))

    def coefficient(self, c: list) -> Op:
        token, operand = c
        number = self.number(c)
        text, end = token.text, token.end
        if text[-1] == ".":
            word = _WORD.match(self.text, end)
            after = word[0] if word else self.text[end]
            self.report("E007", f"`{text}{after}` is not a number", number.span, "a digit must follow the dot",
                        f"write `{text[:-1]}*{after}` for the product" + ("" if word else " with the parenthesis"))  # fmt: skip
        elif text == "0" and (based := _OTHER_BASE.match(self.text, end)):
            self.report("E007", f"`0{based[0]}` is not a number here", Span(token.start, based.end()), "",
                        f"write `{int('0' + based[0], 0)}` for the number, `0*{based[0]}` for the product")  # fmt: skip
        elif self.text[end] == "_" and (rest := re.compile(r"[\d_]+\b").match(self.text, end)):
            plain = (text + rest[0]).replace("_", "")
            self.report("E007", f"`{text}{rest[0]}` is not a number", Span(token.start, rest.end()),
                        "digits are not grouped", f"write `{plain}`")  # fmt: skip
        return new(Op, ("coef", (number, operand), new(Span, (token.start, operand.span[1]))))

    def ambiguous(self, c: list) -> Op:
        node = self.coefficient(c)
        self._ambiguous = node.args[0].span
        return node

    def _two_readings(self, left: Expr, operator: str, right: Expr) -> None:
        number, self._ambiguous = self._ambiguous, None
        assert number is not None
        if base_of := _POWER_OF_D.match(self.text, left.span.start):
            hints = f"write `diff({', '.join([base_of[2]] + [base_of[3]] * int(base_of[1]))})`"
            self.report("E017", f"`{base_of[0]}` is not how a second derivative is written", Span(*base_of.span()), "", hints)
            return
        base, whole = self.written(left.span), self.text[right.span.start : right.span.end]
        cut = number.end - right.span.start
        one = f"{base}{operator}({whole})"
        other = f"{base}{operator}{whole[:cut]}*{whole[cut:]}"
        self.report("E006", f"`{base}{operator}{whole}` has two readings", right.span, "",
                    f"write `{one}` or `{other}`")  # fmt: skip

    def _check_quotient(self, left: Expr, right: Expr, at: Span) -> None:
        """`dz[j]/da[j]` and `d2J/dx2` look like derivatives and would be read as divisions."""
        above, below = _named(left), _named(right)
        if not (above.startswith("d") and (below.startswith("d") or type(right) is Op)):
            return
        names = self._lexer.names_at(at.start)
        if second := _SECOND.fullmatch(above):
            order, of = second.groups()
            wrt = _squared(right, order)
            if wrt and of in names and above not in names:
                self.report("E017", f"`{self.written(at)}` is not how a second derivative is written", at, "",
                            f"write `diff({', '.join([of] + [wrt] * int(order))})`")  # fmt: skip
        elif type(left) is Subscript or type(right) is Subscript:
            if above not in names and below not in names and above[1:] in names and below[1:] in names:
                of, wrt = self.written(left.span)[1:], self.written(right.span)[1:]
                self.report("E017", f"the derivative of an element is not written `{self.written(at)}`", at, "",
                            f"write `diff({of}, {wrt})`; `partial({of}, {wrt})` is the local one")  # fmt: skip

    # ---- tables and indices

    def subscript(self, c: list) -> Subscript:
        subs = tuple(c[2])
        for sub in subs:
            if type(sub) is Range:
                self.report("E015", f"`{self.written(sub.span)}` is a slice, which expressions don't have", sub.span,
                            "one index for each range", slice_hint(self.written(c[0].span), self.written(sub.span)))  # fmt: skip
        return new(Subscript, (c[0], subs, new(Span, (c[0].span[0], c[3].end))))

    def slice(self, c: list) -> Range:
        return Range(c[0], c[2], Span(c[0].span.start, c[2].span.end))

    def binder(self, c: list) -> Binder:
        token = c[0]
        if len(c) == 1:
            return Binder(self.spelling(token), None, None, Span(token.start, token.end))
        return Binder(self.spelling(token), c[2], c[4], Span(token.start, c[4].span.end))

    def forclause(self, c: list) -> tuple[Binder, ...]:
        return tuple(c[1])


def _named(node: Expr) -> str:
    """The name of a variable or of the table that an element is of, else ""."""
    if type(node) is Subscript:
        node = node.base
    return node.name if type(node) is Name else ""


def _squared(node: Expr, order: str) -> str:
    """x for `dx2` and `dx^2`."""
    match node:
        case Name(name) if name.startswith("d") and name.endswith(order):
            return name[1 : -len(order)]
        case Op("^", (Name(name), Num(_, text))) if name.startswith("d") and text == order:
            return name[1:]
    return ""
