"""What stands between two tokens of a line: a blank or nothing, as format.py prints a tree in the style SOURCE.

The author keeps some blanks: around the `/` of `dJ / dx`, which is the derivative without them, and around `*` and `/` in a
product of derivatives, `dJ/db * db/da`, which reads worse without them.
"""

from __future__ import annotations

from typing import NamedTuple, Sequence

from graphlang.syntax.format import HALF
from graphlang.syntax.lalr import Token

SPELLED = {"MINUS": "-", "STAR": "*", "CARET": "^"}  # of the signs that have several spellings
OPERANDS = frozenset("NAME NUMBER DERIV STRING RPAR RSQB TRANSPOSE".split())  # kinds of tokens that end an operand
WORDS = frozenset(
    """ROLE DIM OVERRIDE SET GOAL CLAIM EXPECT LAYOUTKW INCLUDE OPAQUE DERIVATIVE TRAIN LAYOUT SYMMETRIC FOR IN WITHIN WRT LBRACE QUIZ EXAM VARY REQUIRE
    ASK FILL CHOOSE WORKING CHOICES STEP TO DIGITS EXACTLY MARKS EACH BECAUSE DIRECTION NONE AUTO BLANKS CARRY ANSWER WRONG OPTIONS USE VARIANTS MINUTES
    VERSIONS SEED""".split()
)  # kinds with a blank on both sides
STILL = frozenset({"NUMBER", "COEF", "CARET", "TRANSPOSE", "STRING"})  # kinds that change neither brackets nor products
CLOSE = frozenset({"RPAR", "RSQB", "RBRACE"})
OPEN = frozenset({"LPAR", "LSQB", "LBRACE"})


def spelled(token: Token) -> str:
    """The one spelling of a token."""
    return SPELLED.get(token.kind) or token.text


class _Frame:
    """What is known inside of one pair of brackets, or outside of all."""

    def __init__(self, tight: bool, comma: str = " "):
        self.tight = tight        # no blanks around signs: subscripts, ranges
        self.comma = comma        # what follows a comma
        self.bounds = False       # behind the `in` of a binder, which is tight too
        self.new_product()

    def new_product(self) -> None:
        self.sign = ""            # the last `*`, `/`, `@` of the product under way
        self.derivative = False   # it has one so far


class _Sign(NamedTuple):
    """What stands on both sides of an operator."""

    before: str
    after: str


TIGHT, WIDE = _Sign("", ""), _Sign(" ", " ")


def blanks(tokens: Sequence[Token]) -> list[str]:
    """What belongs before each token of a statement that parses, if it stands on the line of the one before it."""
    out = [""]
    frames = [_Frame(False)]
    after: str | None = None  # of the operator just met; None: the last token was none
    _enter(tokens, 0, frames)
    for n in range(1, len(tokens)):
        token, last, frame = tokens[n], tokens[n - 1], frames[-1]
        kind = token[0]
        sign = _SIGNS.get(kind)
        if sign is None or (kind == "MINUS" and last.kind not in OPERANDS):
            out.append(_before(token, last, frame, after))
            after = "" if kind in ("MINUS", "COEF") else None
        else:
            before, after = sign(tokens, n, frame, len(frames) == 1)
            out.append(before)
        if kind not in STILL and (kind != "NAME" or token.text[0] == "d"):
            _enter(tokens, n, frames)
    return out


def _before(token: Token, last: Token, frame: _Frame, after: str | None) -> str:
    """Before what is no operator with two sides. `after`: what the operator before it asks for."""
    kind = token.kind
    if kind in CLOSE or last.kind in OPEN or kind in ("COMMA", "COLON", "PERCENT"):
        return ""
    if last.kind == "COMMA":
        return frame.comma
    if after is not None:
        return after
    if kind == "TRANSPOSE":
        return " " if last.kind == "NUMBER" else ""  # `3.T` would begin with the number `3.`
    if kind in WORDS or last.kind in WORDS or last.kind == "COLON" or kind == "STRING":
        return " "
    return ""  # a bracket behind an operand


def _sum(tokens: Sequence[Token], n: int, frame: _Frame, outside: bool) -> _Sign:
    return TIGHT if frame.tight or frame.bounds else WIDE


def _equal(tokens: Sequence[Token], n: int, frame: _Frame, outside: bool) -> _Sign:
    return WIDE if outside else TIGHT  # inside of brackets it gives a named argument


def _product(tokens: Sequence[Token], n: int, frame: _Frame, outside: bool) -> _Sign:
    token, last, following = tokens[n], tokens[n - 1], tokens[n + 1]
    if token.kind == "AT":
        return WIDE
    written = token.start > last.end or following.start > token.end
    if token.kind == "SLASH" and _is_half(last) and _is_half(following):
        return WIDE if written else TIGHT
    if frame.sign == "@" and token.kind == "STAR":
        return WIDE
    return WIDE if written and (frame.derivative or _is_derivative(tokens, n + 1)) else TIGHT


def _is_half(token: Token) -> bool:
    return token.kind == "NAME" and HALF.match(token.text) is not None


def _is_derivative(tokens: Sequence[Token], n: int) -> bool:
    """Whether a derivative begins here, for all that one text can tell: its names may be defined in another file."""
    if tokens[n].kind == "DERIV":
        return True
    return n + 2 < len(tokens) and tokens[n].end + 1 == tokens[n + 2].start and tokens[n + 1].kind == "SLASH" and _is_half(tokens[n]) and _is_half(tokens[n + 2])


def _power(tokens: Sequence[Token], n: int, frame: _Frame, outside: bool) -> _Sign:
    return TIGHT


def _dots(tokens: Sequence[Token], n: int, frame: _Frame, outside: bool) -> _Sign:
    return _Sign(" ", "") if tokens[n - 1].text.endswith(".") else TIGHT  # the number `2.`


_SIGNS = {"PLUS": _sum, "MINUS": _sum, "CMP": _sum, "EQUAL": _equal, "STAR": _product, "SLASH": _product, "AT": _product, "CARET": _power, "DOTS": _dots}


def _enter(tokens: Sequence[Token], n: int, frames: list[_Frame]) -> None:
    """Follow what a token does to the brackets and to the product under way."""
    token, frame = tokens[n], frames[-1]
    if token.kind == "DERIV" or (token.kind == "NAME" and token.text[0] == "d" and _is_derivative(tokens, n)):
        frame.derivative = True
    match token.kind:
        case "LPAR" | "LSQB" | "LBRACE":
            frames.append(_opened(tokens, n, frame, len(frames) == 1))
        case "RPAR" | "RSQB" | "RBRACE":
            if len(frames) > 1:
                frames.pop()
        case "STAR" | "SLASH" | "AT":
            frame.sign = token.text if token.kind != "STAR" else "*"
        case "IN":
            frame.bounds = True
            frame.new_product()
        case "COMMA" | "FOR" | "COLON":
            frame.bounds = False
            frame.new_product()
        case "PLUS" | "CMP" | "EQUAL" | "DOTS" | "WITHIN":
            frame.new_product()
        case "MINUS" if n and tokens[n - 1].kind in OPERANDS:
            frame.new_product()


def _opened(tokens: Sequence[Token], n: int, outer: _Frame, outside: bool) -> _Frame:
    tight = outer.tight or outer.bounds
    last = tokens[n - 1] if n else None
    if tokens[n].kind != "LSQB" or last is None or last.kind not in OPERANDS:
        return _Frame(tight)
    if outside and n > 1 and (tokens[n - 2].kind in ("ROLE", "COMMA") and tokens[0].kind == "ROLE" or tokens[0].kind == "OPAQUE"):
        return _Frame(True)  # the ranges of a declaration
    return _Frame(True, "")  # subscripts
