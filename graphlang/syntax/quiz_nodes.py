"""The parser's callbacks for the blocks of quizzes and exams (see expression_nodes.py for what a callback is)."""

from __future__ import annotations

from typing import Any

from graphlang.diagnostics import Span
from graphlang.syntax import ast
from graphlang.syntax.lalr import Token
from graphlang.syntax.statement_nodes import StatementNodes, _end

# Statements of the language that have no place in a quiz, and what to do instead.
REFUSED: dict[str, tuple[str, str]] = {
    "Include": ("include", "include it outside of the quiz: functions and consts of the file are known in it"),
    "Claim": ("claim", "a question is asked with `ask`, `fill` or `choose`; claims stand in programs"),
    "Expect": ("expect", "`require` says which draws are fit: `require y > 0`"),
    "Train": ("train", "training is of the whole program"),
    "Quiz": ("quiz", "close the block of the first quiz before it"),
    "Exam": ("exam", "close the block of the quiz before it"),
}


class QuizNodes(StatementNodes):
    # ---- quizzes

    def quiz(self, c: list) -> ast.Quiz:
        name = self.name([c[1]])
        title = self.string([c[2]]) if c[2].kind == "STRING" else None
        return ast.Quiz(name.name, title, _lines(c, 3 if title is None else 4), Span(c[0].start, c[-1].end), name.span)

    def quizline(self, c: list) -> Any:
        word, hint = REFUSED.get(type(c[0]).__name__, ("", ""))
        if word:
            at = Span(c[0].span.start, c[0].span.start + len(word))
            self.report("E701", f"`{word}` has no place in the block of a quiz", at, "", hint)
        elif type(c[0]) is ast.Equation and c[0].override:
            self.report("E701", "there is nothing to override in the block of a quiz", c[0].span, "", "leave `override` out: the names of a quiz are its own")
        return c[0]

    def vary(self, c: list) -> ast.Vary:
        return ast.Vary(tuple(c[1]), Span(c[0].start, c[1][-1].span.end))

    def varied(self, c: list) -> ast.Varied:
        name, at = self.name([c[0]]), Span(c[0].start, _end(c[-1]))
        if type(c[2]) is Token:
            return ast.Varied(name.name, tuple(map(self._printed, c[3])) if len(c) > 4 else (), (), at, name.span)
        return ast.Varied(name.name, (), tuple(self._printed(part) for part in c[2:] if type(part) is not Token), at, name.span)

    def _printed(self, node: ast.Expr) -> ast.Num:
        """A number of `vary`, its sign in its text."""
        sign, number = "", node
        if type(node) is ast.Op and node.op == "neg":
            sign, number = "-", node.args[0]
        if type(number) is ast.Num and self.text[number.span.start] != "(":
            return ast.Num(-number.value if sign else number.value, sign + number.text, node.span)
        value = _worth(number)
        shown = f"`{sign}{value:.12g}`" if value is not None else "`0.5`"
        self.report("E703", f"`{self.written(node.span)}` is not a number", node.span, "what is drawn is printed as it is written here", f"write it out: {shown}")
        return ast.Num(0.0, "0", node.span)

    def require(self, c: list) -> ast.Require:
        return ast.Require(tuple(c[1]), Span(c[0].start, c[1][-1].span.end))

    def working(self, c: list) -> ast.Working:
        precise = ast.Precise(_unit(c[2]), self.number([c[1]]), Span(c[1].start, c[2].end))
        return ast.Working(precise, Span(c[0].start, c[2].end))

    def precision(self, c: list) -> ast.Precise:
        at = Span(c[0].start, c[-1].end)
        match c[0].kind:
            case "TO":
                return ast.Precise(_unit(c[2]), self.number([c[1]]), at)
            case "WITHIN":
                return ast.Precise("percent" if len(c) == 3 else "within", self.number([c[1]]), at)
        return ast.Precise("exactly", None, at)

    def amount(self, c: list) -> ast.Amount:
        return ast.Amount(c[0].text, self.number([c[1]]), Span(c[0].start, c[1].end))

    def marks(self, c: list) -> ast.Amount:
        return ast.Amount("marks", self.number([c[0]]), Span(c[0].start, c[-1].end))

    # ---- its parts

    def ask(self, c: list) -> ast.Ask:
        return ast.Ask(self.string([c[1]]), _lines(c, 3), Span(c[0].start, c[-1].end))

    def asked(self, c: list) -> ast.Asked:
        precise = next((part for part in c if type(part) is ast.Precise), None)
        marks = self.number([c[-2]]) if type(c[-1]) is Token else None
        return ast.Asked(c[0], precise, marks, Span(c[0].span.start, _end(c[-1])))

    def fill(self, c: list) -> ast.Fill:
        lines = [part for line in _lines(c, 3) for part in (line if type(line) is list else [line])]
        return ast.Fill(c[1].text, tuple(lines), Span(c[0].start, c[-1].end))

    def blanks(self, c: list) -> ast.Blanks:
        return ast.Blanks(tuple(c[1]), Span(c[0].start, _end(c[1][-1])))

    def choose(self, c: list) -> ast.Choose:
        return ast.Choose(self.string([c[1]]), _lines(c, 3), Span(c[0].start, c[-1].end))

    def option(self, c: list) -> ast.Option:
        at = Span(c[0].start, _end(c[-1]))
        because = None
        if len(c) > 2:
            because = self.string([c[3]]) if c[3].kind == "STRING" else self.name([c[3]])
        value, special = (None, c[1].text) if type(c[1]) is Token else (c[1], "")
        return ast.Option(c[0].text, value, special, because, at)

    # ---- exams

    def exam(self, c: list) -> ast.Exam:
        return ast.Exam(self.string([c[1]]), _lines(c, 3), Span(c[0].start, c[-1].end))

    def use(self, c: list) -> ast.Use:
        name = self.name([c[1]])
        return ast.Use(name.name, (), Span(c[0].start, c[1].end), name.span)

    def using(self, c: list) -> ast.Use:
        made = self.amount(c[2:]) if c[2].kind == "VARIANTS" else self.marks(c[2:])
        return c[0]._replace(clauses=(*c[0].clauses, made), span=Span(c[0].span.start, c[-1].end))

    quizlines = asklines = filllines = chooselines = examlines = StatementNodes.lines_of


def _lines(c: list, first: int) -> tuple:
    """The lines of a block; the last may stand before its brace without a separator."""
    return tuple(c[first]) + tuple(c[first + 1 : -1])


def _unit(token: Token) -> str:
    return token.text.removesuffix("s") + "s"


def _worth(node: ast.Expr) -> float | None:
    """The value of a quotient of two numbers, which is the usual thing to be written where a number is wanted."""
    match node:
        case ast.Op("/", (ast.Num(above), ast.Num(below))) if below:
            return above / below
    return None
