"""A text with mistakes in it, cut into pieces and statements without a parser."""

from __future__ import annotations

import re
from typing import NamedTuple

from graphlang.diagnostics import Span

KEYWORDS = (
    "input", "param", "data", "const", "dim", "override", "set", "minimize", "maximize", "output", "claim", "expect",
    "layout", "include", "opaque", "derivative", "train", "quiz", "exam",
)  # fmt: skip

# Words that begin a statement with a block of lines.
BLOCKS = ("quiz", "exam", "ask", "fill", "choose")
# The other words that begin a line in such a block.
LINES = (
    "vary", "require", "working", "choices", "blank", "carry", "to", "answer", "wrong", "options", "use", "minutes", "versions", "seed",
)

# Functions of the language (tests hold them equal to those that graph/ builds in): their argument is in parentheses.
FUNCTIONS = frozenset(
    """abs acos acosh asin asinh atan atan2 atanh cbrt ceil clip cos cosh csv cumsum det diag diff digamma dot elu erf exp
    expm1 eye floor gelu hessian hypot inv jacobian leaky_relu lgamma ln log log10 log1p log2 log_sigmoid log_softmax
    logaddexp logsumexp max mean min mod norm normal npy ones outer partial prod relu round sigmoid sign silu sin sinh
    slogdet softmax softplus solve sqrt std sum tan tanh trace uniform var where xlogy zeros""".split()
)

CLOSING = {"(": ")", "[": "]", "{": "}"}

_NAME = r"[^\W\d][\w\u0300-\u036f]*"
_PIECE = re.compile(
    rf"""(?P<blank>[ \t\ufeff]+|\#[^\n]*)
    |(?P<string>"(?:[^"\\\n]|\\.)*"?)
    |(?P<newline>\r?\n)
    |(?P<semicolon>;)
    |(?P<open>[(\[{{])
    |(?P<close>[)\]}}])
    |(?P<number>(?:[0-9]+(?:\.(?!\.)[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<name>{_NAME})
    |(?P<transpose>\.T\b)
    |(?P<comma>,)
    |(?P<operator>\*\*=|//=|[-+*/@^%|&]=|:=|=>|->|==|<=|>=|!=|\*\*|//|\.\.|&&|\|\||[-+*/@^=<>%:−·×⋅])
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_HEAD = re.compile(
    rf"[ \t]*(?:{_NAME}[ \t]*(?:\[[^\]\n;]*\][ \t]*)?=(?!=)|(?:{'|'.join((*KEYWORDS, *BLOCKS, *LINES))})[ \t]+(?:{_NAME}(?![ \t]*[,)\]])|\"))"
)
_BLOCK_HEAD = re.compile(rf'[ \t]*(?:quiz[ \t]+{_NAME}[ \t]*(?:"[^\n]*"[ \t]*)?|exam[ \t]*"[^\n]*"[ \t]*)\{{')
# What is written on both sides of something: a newline after it doesn't end the statement.
JOINING = frozenset("+ - − * · × ⋅ / @ ^ ** < > <= >= == != ..".split())


class Piece(NamedTuple):
    kind: str  # string, newline, semicolon, open, close, number, name, transpose, comma, operator, other
    text: str
    start: int
    end: int

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)


def pieces(text: str) -> list[Piece]:
    """All but blanks and comments."""
    return [
        Piece(m.lastgroup or "", m[0], *m.span()) for m in _PIECE.finditer(text) if m.lastgroup != "blank"
    ]


class Brackets(NamedTuple):
    """How the brackets of a text stand: openers never closed, and the first closer without its opener."""

    unclosed: tuple[Piece, ...]
    stray: Piece | None
    against: Piece | None  # the opener that `stray` stands against, if there is one


def brackets(parts: list[Piece]) -> Brackets:
    stack: list[Piece] = []
    for part in parts:
        if part.kind == "open":
            stack.append(part)
        elif part.kind == "close":
            if not stack or CLOSING[stack[-1].text] != part.text:
                return Brackets(tuple(stack), part, stack[-1] if stack else None)
            stack.pop()
    return Brackets(tuple(stack), None, None)


def statements(text: str, recover: bool = False) -> list[Span]:
    """Where the statements are: they end at a newline or `;` outside of brackets.

    With `recover`, a line that begins like a statement ends an unclosed bracket. It isn't the first thing to try: an
    argument `low = 0` of a call, on a line of its own, looks like one.
    """
    found: list[Span] = []
    parts = pieces(text)
    standing = brackets(parts) if recover else None
    balanced = standing is not None and not standing.unclosed and standing.stray is None
    begin: int | None = None
    end = 0
    stack: list[str] = []
    blocks = 0  # how many of the stack are braces
    last: Piece | None = None
    for part in parts:
        if part.kind in ("newline", "semicolon") and begin is not None:
            joined = last is not None and (last.kind == "comma" or last.text in JOINING)
            if not stack and not (joined and part.kind == "newline"):
                cut = True
            elif recover and part.kind == "newline" and blocks and _BLOCK_HEAD.match(text, part.end):
                cut = True  # one has no other in it
            elif recover and part.kind == "newline" and not blocks and _HEAD.match(text, part.end):
                # Only in a text whose brackets don't fit together can what follows `(` or `,` be a statement.
                cut = not (balanced and last is not None and last.text in ("(", ","))
            else:
                cut = False
            if cut:
                found.append(Span(begin, end))
                begin, last = None, None
                stack.clear()
                blocks = 0
            continue
        if part.kind in ("newline", "semicolon"):
            continue
        if begin is None:
            begin = part.start
        if part.kind == "open" and (part.text == "{" or not blocks):  # in a block only braces count
            stack.append(part.text)
            blocks += part.text == "{"
        elif part.kind == "close" and stack and CLOSING[stack[-1]] == part.text:
            stack.pop()
            blocks -= part.text == "}"
        last, end = part, part.end
    if begin is not None:
        found.append(Span(begin, end))
    return found
