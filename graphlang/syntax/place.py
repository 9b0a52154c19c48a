"""The place in a statement at which the parser gave up, and ways to write what stands around it otherwise."""

from __future__ import annotations

from graphlang.diagnostics import Diagnostic, Label, Span
from graphlang.syntax.lalr import END, Failure
from graphlang.syntax.pieces import CLOSING, FUNCTIONS, Piece, brackets, pieces

LONGEST = 100  # characters of a line that is shown as a remedy

_WANTED = {
    "NAME": "a name", "STRING": "a string", "PLUS": "an operator", "EQUAL": "`=`", "LBRACE": "`{`", "DOTS": "`..`",
    "IN": "`in`", "COLON": "`:`", "TO": "`to`", "DIGITS": "`decimals` or `figures`", "MARKS": "`marks`", "BECAUSE": "`because`", "STEP": "`step`", "DIRECTION": "`forward` or `backward`",
}  # fmt: skip


class Place:
    """One statement, the pieces before and at the place where it failed, and what could have stood there."""

    def __init__(self, text: str, failure: Failure, start: str):
        self.text, self.failure, self.start = text, failure, start  # the start rule of the grammar: whether it is a statement, an expression or a line
        self.lone = start == "lone"
        self.parts = [p for p in pieces(text) if p.kind != "newline"]
        ahead = (i for i, p in enumerate(self.parts) if p.end > failure.offset)
        self.i = len(self.parts) if failure.kind == END else next(ahead, len(self.parts))
        self.met = self.parts[self.i] if self.i < len(self.parts) else None
        self.before = self.parts[self.i - 1] if self.i else None
        self.head = self.parts[0].text if self.parts else ""

    def say(self, code: str, message: str, at: Piece | None, text: str = "", *hints: str, labels: tuple[Label, ...] = ()) -> Diagnostic:
        place = at.span if at is not None else Span(len(self.text), len(self.text) + 1)
        return Diagnostic(code, message, place, text, labels, tuple(h for h in hints if h))

    def corrected(self, start: int, end: int, instead: str) -> str:
        """The line with `instead` for what stands from start to end, as a hint."""
        left = self.text.rfind("\n", 0, start) + 1
        right = self.text.find("\n", end)
        line = self.text[left:start] + instead + self.text[end : len(self.text) if right < 0 else right]
        line = line.strip()
        if len(line) > LONGEST and not instead.strip():
            return f"delete `{self.text[start:end].strip()[:LONGEST]}`"
        if len(line) > LONGEST:
            line = instead if len(instead) <= LONGEST else f"{instead[:LONGEST]} …"
        return f"write `{line}`"

    def wanted(self) -> str:
        """What could have stood there, in words."""
        expected = self.failure.expected
        words = [word for kind, word in _WANTED.items() if kind in expected]
        if "NUMBER" in expected:  # the others can begin an expression too
            words = ["an expression"]
        # The tables hold the closers of every bracket that could be open; only the last one's fits.
        opened = brackets(self.parts[: self.i]).unclosed
        if opened and {"RPAR", "RSQB", "RBRACE"} & expected:
            words += ["`,`"] * ("COMMA" in expected) + [f"`{CLOSING[opened[-1].text]}`"]
        if not words:
            words = ["`(`" if "LPAR" in expected else "the end of the statement"]
        return f"{' or '.join(words)} is wanted"

    def item(self) -> int:
        """The first piece of what is being declared or asked for."""
        depth, start = 0, 1
        for i, part in enumerate(self.parts[: self.i]):
            depth += (part.kind == "open") - (part.kind == "close")
            if part.kind == "comma" and not depth:
                start = i + 1
        return min(start, len(self.parts) - 1)

    def applied(self, first: int, last: int) -> str:
        """The operand of a function; functions in it are applied too: `cos x` is `cos(x)`, `cos^2 x` is `cos(x)^2`."""
        before, after = "", ""
        while self.parts[first].text in FUNCTIONS and first < last and self.parts[first + 1].text != "(":
            before += f"{self.parts[first].text}("
            first += 1
            power = ""
            if self._is_power(first) and first + 2 <= last:
                power = f"^{self.parts[first + 1].text}"
                first += 2
            after = f"){power}{after}"
        return before + self.text[self.parts[first].start : self.parts[last].end] + after

    def _is_power(self, i: int) -> bool:
        """Whether the power of a function, as in `cos^2 x`, begins at a piece."""
        return self.parts[i].text in ("^", "**") and self.parts[i - 1].text in FUNCTIONS and i + 1 < len(self.parts) and self.parts[i + 1].kind == "number"

    def operand_end(self, first: int) -> int:
        """The last piece of the operand that begins at a piece: `2x`, `x[i]`, `cos x`, `f(a, b)`, `dJ/dx`."""
        parts, depth, last = self.parts, 0, first
        for i in range(first, len(parts)):
            part = parts[i]
            depth += (part.kind == "open") - (part.kind == "close")
            if depth < 0:
                break
            last = i
            after = parts[i + 1] if i + 1 < len(parts) else None
            if depth or after is None:
                continue
            goes_on = after.kind == "transpose" or (after.start == part.end and (after.kind == "open" or part.kind == "number"))
            derivative = part.text[0] in "d∂" and after.text == "/" and i + 2 < len(parts) and parts[i + 2].text[0] == part.text[0]
            power = i > first and (self._is_power(i) or self._is_power(i - 1))
            if part.text == "/" or (derivative and after.start == part.end) or part.text in FUNCTIONS or power:
                continue
            if not (goes_on and after.text != "..") or (part.kind == "number" and after.kind not in ("name", "open")):
                break
        return last


def outside(parts: list[Piece]) -> list[str]:
    """The words outside of the brackets that are closed again."""
    stack: list[list[str]] = [[]]
    for part in parts:
        if part.kind == "open":
            stack.append([])
        elif part.kind == "close":
            if len(stack) > 1:
                stack.pop()
        else:
            stack[-1].append(part.text)
    return stack[-1]


def ends_operand(piece: Piece) -> bool:
    return piece.kind in ("name", "number", "string", "close", "transpose")
