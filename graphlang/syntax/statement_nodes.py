"""The parser's callbacks for statements (see expression_nodes.py for what a callback is)."""

from __future__ import annotations

from typing import Any, NamedTuple

from graphlang.diagnostics import Span
from graphlang.syntax.ast import (
    Binder, Call, Claim, Declaration, Deriv, Dim, Entry, Equation, Expect, Expr, FunctionDef, Goal, Include, Item, Layout,
    Name, Num, Op, Opaque, Range, Rule, Setting, Signature, Statement, Subscript, Train, postorder,
)  # fmt: skip
from graphlang.syntax.expression_nodes import ExpressionNodes, new
from graphlang.syntax.lalr import Token


class _Ranges(NamedTuple):
    """What stands in the brackets of a declaration, and where they are."""

    ranges: tuple[Range, ...]
    span: Span


class StatementNodes(ExpressionNodes):
    """`statements` grows as the parser runs; the callback of `program` gives nothing."""

    def begin(self, text: str) -> None:
        super().begin(text)
        self.statements: list[Statement] = []

    def lines(self, c: list) -> None:
        if len(c) == 3:
            self.statements.append(c[1])

    def program(self, c: list) -> None:
        if len(c) == 2:
            self.statements.append(c[1])

    def lone(self, c: list) -> tuple[Expr, tuple[Binder, ...]]:
        return c[0], c[1] if len(c) > 1 and type(c[1]) is tuple else ()

    # ---- leaves

    def declaration(self, c: list) -> Declaration:
        return Declaration(c[0].text, tuple(c[1]), Span(c[0].start, c[1][-1].span.end))

    def item(self, c: list) -> Item:
        token, end = c[0], _end(c[-1])
        ranges, symmetric, value = None, False, None
        for part in c:
            if type(part) is _Ranges:
                ranges = part.ranges
            elif type(part) is not Token:
                value = part
            elif part.kind == "SYMMETRIC":
                symmetric = True
        name_span = Span(token.start, token.end)
        return Item(self.spelling(token), ranges, symmetric, value, Span(token.start, end), name_span)

    def dims(self, c: list) -> _Ranges:
        return _Ranges(tuple(c[1]), Span(c[0].start, c[2].end))

    def range(self, c: list) -> Range:
        if len(c) == 1:
            return Range(None, c[0], c[0].span)
        return Range(c[0], c[2], Span(c[0].span.start, c[2].span.end))

    def dim(self, c: list) -> Dim:
        names = tuple(self.name([token]) for token in c[1])
        return Dim(names, Span(c[0].start, names[-1].span.end))

    # ---- equations and functions

    def equation(self, c: list) -> Equation | FunctionDef:
        target, _, value = c[:3]
        binders = c[3] if len(c) > 3 else ()
        at = new(Span, (target.span[0], _end(binders or value)))
        kind = type(target)
        if kind is Name and self.text[at[0]] != "(":
            return new(Equation, (target, value, binders, False, at))
        if kind is Call and not target.binders and all(type(arg) is Name for arg in target.args):
            return self._function(target, value, binders, at)
        if kind is not Subscript or type(target.base) is not Name or self.text[at[0]] == "(":
            self._not_a_target(target, value)
        else:
            self._check_subscripts(target, binders)
        return new(Equation, (target, value, binders, False, at))

    def overriding(self, c: list) -> Equation | FunctionDef:
        made = self.equation(c[1:])
        if type(made) is FunctionDef:
            self.report("E020", "`override` replaces an equation, not a function", made.span)
            return made
        return made._replace(override=True, span=Span(c[0].start, made.span.end))

    def _function(self, target: Call, body: Expr, binders: tuple[Binder, ...], at: Span) -> FunctionDef:
        if binders:
            self.report("E020", f"the definition of a function takes no `for`: `{target.name}` stands for one number", at, "",
                        f"write `{target.name}[…]` if a table is meant")  # fmt: skip
        return FunctionDef(target.name, target.args, body, at, target.name_span)

    def _not_a_target(self, target: Expr, value: Expr) -> None:
        text, hints = self.written(target.span), ()
        match target:
            case Deriv() | Subscript(base=Deriv()) | Op("/", (Name() | Subscript(), Name() | Subscript())):
                hints = (f"write `claim {text} = {self.written(value.span)}` to have it checked",)
            case Call(name, args) if args:
                inside = ", ".join(self.written(arg.span) for arg in args)
                hints = (f"an element is written `{name}[{inside}]`, the argument of a function is a bare name: `{name}(v)`",)
            case Num():
                hints = (f"write `{self.written(value.span)} = {text}`",) if type(value) is Name else ()
            case Op(_, (Name(name), *_)):
                hints = (f"solve for one variable: `{name} = …`", "write `claim` or `expect` before it to have it checked")
        self.report("E020", f"`{text}` cannot be defined", target.span,
                    "the left side of `=` is a name, an element `z[j]` or a function `f(v)`", *hints)  # fmt: skip

    def _check_subscripts(self, target: Subscript, binders: tuple[Binder, ...]) -> None:
        bound = {binder.name for binder in binders}
        for sub in target.subs:
            if type(sub) in (Name, Num, Range):
                continue
            reads = [node for node in postorder(sub) if type(node) in (Name, Call, Subscript, Deriv)]
            index = next((node.name for node in reads if type(node) is Name and node.name in bound), None)
            if index is None and all(type(node) is Name for node in reads):
                continue  # u[N+1]: an integer constant, for all the parser knows
            name = index or "j"
            self.report("E016", f"index arithmetic on the left of `=`: `{self.written(sub.span)}`", sub.span,
                        "an index or a constant stands here",
                        f"define `{self.written(target.base.span)}[{name}]`, and shift the range of the `for` and the "
                        f"reads on the right instead")  # fmt: skip

    # ---- what is asked of a program

    def goal(self, c: list) -> Goal:
        return Goal(c[0].text, tuple(c[1]), Span(c[0].start, _end(c[1][-1])))

    def claim(self, c: list) -> Claim:
        binders = c[4] if len(c) > 4 else ()
        return Claim(c[1], c[3], binders, Span(c[0].start, _end(c[-1])))

    def expect(self, c: list) -> Expect:
        rest = c[4:]
        binders = rest.pop() if rest and type(rest[-1]) is tuple else ()
        within = rest[1] if rest else None
        return Expect(c[1], c[2].text, c[3], within, len(rest) == 3, binders, Span(c[0].start, _end(c[-1])))

    def setting(self, c: list) -> Setting:
        return Setting(self.spelling(c[1]), c[3], Span(c[0].start, c[3].span.end))

    # ---- what a program is read with

    def layout(self, c: list) -> Layout:
        return Layout(c[1].text, Span(c[0].start, c[-1].end))

    def include(self, c: list) -> Include:
        text = self.string([c[1]])
        return Include(text.value, Span(c[0].start, c[-1].end), text.span)

    def opaque(self, c: list) -> Opaque:
        return Opaque(tuple(c[1]), Span(c[0].start, _end(c[1][-1])))

    def signature(self, c: list) -> Signature:
        name = self.name([c[0]])
        params = tuple(self.name([token]) for token in c[2])
        ranges = c[4].ranges if len(c) > 4 else None
        return Signature(name.name, params, ranges, Span(c[0].start, _end(c[-1])), name.span)

    def derivative(self, c: list) -> Rule:
        target, body = c[1], c[-1]
        wrt = self.name([c[3]]) if len(c) == 6 else None
        at = Span(c[0].start, body.span.end)
        if type(target) is not Call or target.binders or any(type(arg) is not Name for arg in target.args) or not target.args:
            self.report("E027", "`derivative` needs a function and its arguments", target.span, "not `f(v)`",
                        "`derivative f(v) = …`, or `derivative f(a, b) wrt b = …`")  # fmt: skip
            return Rule("", (), wrt, body, at, target.span)
        return Rule(target.name, target.args, wrt, body, at, target.name_span)

    # ---- training

    def train(self, c: list) -> Train:
        made = c[2] + c[3:-1]
        # `data: csv("train.csv"), x[1..M]` names columns; only there is that not a slice. (The reports are of this block or of other
        # statements, so those that are forgiven are known by their places.)
        columns = {sub.span for entry in made for slot in entry.slots if type(slot) is Subscript for sub in slot.subs if type(sub) is Range}
        if columns:
            self.found = [d for d in self.found if d.code != "E015" or d.at not in columns]
        return Train(tuple(made), Span(c[0].start, c[-1].end))

    def lines_of(self, c: list) -> list:
        """`entries: | entries SEP | entries entry SEP`: a list that grows."""
        if not c:
            return []
        if len(c) == 3:
            c[0].append(c[1])
        return c[0]

    entries = lines_of

    def entry(self, c: list) -> Entry:
        token, slots = c[0], tuple(c[2])
        return Entry(self.spelling(token), slots, Span(token.start, slots[-1].span.end), Span(token.start, token.end))


def _end(part: Any) -> int:
    """Where a node, a token or the binders of a `for` end."""
    if type(part) is tuple:
        part = part[-1]
    return part.end if type(part) is Token else part.span.end
