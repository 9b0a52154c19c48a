"""Every occurrence of every name in a program: where it stands, what it names, and where that is known.

An editor needs this for renaming, for finding readings and for what is known at the cursor. A program that is being
typed has statements that do not parse; `mended` leaves those out and reads the others.
"""

from __future__ import annotations

import re
from typing import AbstractSet, Iterable, Iterator, Mapping, NamedTuple

from graphlang.diagnostics import GraphError, Source, Span
from graphlang.syntax import ast
from graphlang.syntax.lexing import known_names
from graphlang.syntax.names import NotAName, canonical
from graphlang.syntax.parser import parse, parse_within
from graphlang.syntax.pieces import pieces, statements
from graphlang.syntax.prose import WORDS, cut

VARIABLE, FUNCTION, INDEX, ARGUMENT, SETTING, OPTION, WORD, QUIZ = "variable", "function", "index", "argument", "setting", "option", "word", "quiz"

_NAME = re.compile(r"[^\W\d][\w\u0300-\u036f]*")
# Parentheses around a name belong to its place, and in them newlines and comments may stand.
_BEFORE = re.compile(r"(?:[(\s\ufeff]|#[^\n]*)*")


class Symbol(NamedTuple):
    """What a name stands for; a "word" is one of a block of `train` or of a quiz. `scope`: where an index, an argument or a name of a quiz is known;
    None for a name of the whole program."""

    kind: str
    name: str  # canonical
    scope: Span | None = None


class Occurrence(NamedTuple):
    """A place where a symbol is named. `use`: "defines" (an equation, a piece of a table, a function), "declares" (a
    leaf, a size), "binds" (a `for`, an argument) or "reads". `statement`: the number of the statement it is in.
    `derivative`: the whole `dJ/dx` that it is a part of."""

    symbol: Symbol
    use: str
    span: Span
    statement: int
    derivative: Span | None = None

    @property
    def defines(self) -> bool:
        return self.use != "reads"


Bound = Mapping[str, tuple[str, Span]]  # the names that are bound at a place: kind and scope


def occurrences(program: ast.Program) -> list[Occurrence]:
    """All of a program, in the order of its text."""
    found: list[Occurrence] = []
    for number, statement in enumerate(program.statements):
        found += _Reader(program.source.text, number).read(statement)
    found.sort(key=lambda o: o.span)
    return found


def variables_of(statements: Iterable) -> set[str]:
    """The variables that statements define, those of `vary` too."""
    found: set[str] = set()
    for s in statements:
        match s:
            case ast.Declaration(_, items, _) | ast.Vary(items, _):
                found.update(item.name for item in items)
            case ast.Dim(names, _):
                found.update(n.name for n in names)
            case ast.Equation(target, _, _, _, _):
                base = target.base if type(target) is ast.Subscript else target
                if type(base) is ast.Name:
                    found.add(base.name)
    return found


def functions_of(statements: Iterable) -> set[str]:
    """The functions that statements define or declare."""
    return {s.name for s in statements if type(s) is ast.FunctionDef} | {one.name for s in statements if type(s) is ast.Opaque for one in s.signatures}


class _Reader:
    """The occurrences of one statement. `block`: of the quiz that it is in, whose `own` names are known there only."""

    def __init__(self, text: str, statement: int, block: Span | None = None, own: AbstractSet[str] = frozenset(), names: AbstractSet[str] = frozenset()):
        self.text, self.statement = text, statement
        self.block, self.own, self.names = block, own, names
        self.found: list[Occurrence] = []

    def add(self, kind: str, name: str, use: str, at: Span, scope: Span | None = None, derivative: Span | None = None) -> None:
        if scope is None and name in self.own and kind in (VARIABLE, FUNCTION):
            scope = self.block
        self.found.append(Occurrence(Symbol(kind, name, scope), use, at, self.statement, derivative))

    def read(self, s: ast.Statement) -> list[Occurrence]:
        match s:
            case ast.Declaration(_, items, _):
                for item in items:
                    self.add(VARIABLE, item.name, "declares", item.name_span)
                    for part in (*(item.ranges or ()), *((item.value,) if item.value is not None else ())):
                        self.walk(part, {})
            case ast.Dim(names, _):
                for n in names:
                    self.add(VARIABLE, n.name, "declares", self.place(n.span))
            case ast.Equation(target, value, binders, _, span):
                bound = self.bind(binders, {}, span)
                base = target.base if type(target) is ast.Subscript else target
                if type(base) is ast.Name:
                    self.add(VARIABLE, base.name, "defines", self.place(base.span))
                for part in (*(target.subs if type(target) is ast.Subscript else ()), value):
                    self.walk(part, bound)
            case ast.FunctionDef(name, params, body, span, name_span):
                self.add(FUNCTION, name, "defines", name_span)
                self.walk(body, self.arguments(params, span))
            case ast.Rule(name, params, wrt, body, span, name_span):
                if name:
                    self.add(FUNCTION, name, "reads", name_span)
                bound = self.arguments(params, span)
                for part in (*((wrt,) if wrt is not None else ()), body):
                    self.walk(part, bound)
            case ast.Opaque(signatures, _):
                for one in signatures:
                    self.add(FUNCTION, one.name, "declares", one.name_span)
                    self.arguments(one.params, one.span)
                    for part in one.ranges or ():
                        self.walk(part, {})
            case ast.Goal(_, targets, _):
                for target in targets:
                    self.walk(target, {})
            case ast.Claim(left, right, binders, span):
                bound = self.bind(binders, {}, span)
                self.walk(left, bound)
                self.walk(right, bound)
            case ast.Expect(left, _, right, within, _, binders, span):
                bound = self.bind(binders, {}, span)
                for part in (left, right, *((within,) if within is not None else ())):
                    self.walk(part, bound)
            case ast.Setting(name, value, span):
                self.add(SETTING, name, "reads", self.place(Span(span.start + len("set"), span.end)))
                self.walk(value, {})
            case ast.Train(entries, _):
                for entry in entries:
                    self.add(WORD, entry.name, "reads", entry.name_span)
                    for slot in entry.slots:
                        self.slot(entry.name, slot)
            case ast.Quiz(name, title, statements, span, name_span):
                self.add(QUIZ, name, "defines", name_span)
                names = variables_of(statements)
                inner = _Reader(self.text, self.statement, span, names | functions_of(statements), names)
                if title is not None:
                    inner.prose(title)
                for part in statements:
                    inner.read(part)
                self.found += inner.found
            case ast.Exam(_, lines, _):
                for line in lines:
                    if type(line) is ast.Use:
                        self.add(QUIZ, line.quiz, "reads", line.name_span)
            case _:
                self.part(s)
        return self.found

    def part(self, s: ast.Vary | ast.Require | ast.Ask | ast.Fill | ast.Choose) -> None:
        """A statement that only quizzes have."""
        match s:
            case ast.Vary(items, _):
                for item in items:
                    self.add(VARIABLE, item.name, "declares", item.name_span)
            case ast.Require(conditions, _):
                for condition in conditions:
                    self.walk(condition, {})
            case ast.Ask(text, lines, _) | ast.Choose(text, lines, _):
                self.prose(text)
                for line in lines:
                    if type(line) is not ast.Amount and line.value is not None:
                        self.walk(line.value, {})
                    if type(line) is ast.Option and type(line.because) is ast.Name:
                        self.add(WORD, line.because.name, "reads", line.because.span)
            case ast.Fill(_, lines, _):
                for line in lines:
                    for target in line.targets if type(line) is ast.Blanks else ():
                        self.walk(target, {})

    def prose(self, text: ast.Text) -> None:
        """What stands in braces and backticks."""
        for kind, _, at in cut(self.text, text.span)[0]:
            if kind != WORDS:
                try:
                    self.walk(parse_within(Source("", self.text), at, self.names), {})
                except GraphError:
                    pass  # it is told when the quiz is read

    def place(self, at: Span) -> Span:
        """Where the name itself is, of a place that may begin with parentheses."""
        start = _BEFORE.match(self.text, at.start).end()
        return Span(start, _NAME.match(self.text, start).end())

    def arguments(self, params: Iterable[ast.Name], scope: Span) -> Bound:
        bound = {}
        for p in params:
            self.add(ARGUMENT, p.name, "binds", self.place(p.span), scope)
            bound[p.name] = (ARGUMENT, scope)
        return bound

    def bind(self, binders: Iterable[ast.Binder], outer: Bound, scope: Span) -> Bound:
        """What is bound inside of a `for`. A later binder's bounds see the earlier ones."""
        bound = dict(outer)
        for b in binders:
            for bound_of in (b.low, b.high):
                if bound_of is not None:
                    self.walk(bound_of, dict(bound))
            self.add(INDEX, b.name, "binds", self.place(b.span), scope)
            bound[b.name] = (INDEX, scope)
        return bound

    def walk(self, root: ast.Expr, bound: Bound) -> None:
        stack = [(root, bound)]
        while stack:
            node, bound = stack.pop()
            match node:
                case ast.Name(name, span):
                    kind, scope = bound.get(name, (VARIABLE, None))
                    self.add(kind, name, "reads", self.place(span), scope)
                case ast.Deriv(of, wrt, _, span):
                    self.derivative(of, wrt, span)
                case ast.Call(name, args, binders, span, name_span):
                    self.add(FUNCTION, name, "reads", name_span)
                    if binders:
                        bound = self.bind(binders, bound, span)
                    stack.extend((a, bound) for a in args)
                case ast.Keyword(name, value, span):
                    self.add(OPTION, name, "reads", self.place(span))
                    stack.append((value, bound))
                case _:
                    stack.extend((below, bound) for below in ast.children(node))

    def slot(self, entry: str, slot: ast.Expr) -> None:
        """A value of an entry of `train`: `yes`, `adam` and the `epoch` of a rate are words of the language."""
        match entry, slot:
            case ("shuffle" | "optimizer"), ast.Name(name, span):
                self.add(WORD, name, "reads", self.place(span))
            case "optimizer", ast.Call(name, args, _, _, name_span):
                self.add(WORD, name, "reads", name_span)
                for a in args:
                    self.walk(a, {})
            case "rate", _:
                self.walk(slot, {"epoch": (WORD, None)})
            case _:
                self.walk(slot, {})

    def derivative(self, of: str, wrt: str, at: Span) -> None:
        """The two variables in `dJ/dx`, which is one token."""
        start = _BEFORE.match(self.text, at.start).end()
        slash = self.text.index("/", start)
        end = _NAME.match(self.text, slash + 2).end()
        self.add(VARIABLE, of, "reads", Span(start + 1, slash), None, Span(start, end))
        self.add(VARIABLE, wrt, "reads", Span(slash + 2, end), None, Span(start, end))


def canonical_or(name: str) -> str:
    """The canonical spelling of what may be no name."""
    try:
        return canonical(name)
    except NotAName:
        return name


# ---- programs with mistakes


class Mended(NamedTuple):
    """The tree of all statements that parse, at their places in the whole text, and where the others are."""

    tree: ast.Program
    broken: tuple[Span, ...] = ()


def mended(source: Source, known: Iterable[str] = ()) -> Mended:
    """A program without its statements that do not parse. `known`: names that are defined elsewhere."""
    try:
        return Mended(parse(source, known))
    except GraphError as error:
        diagnostics = error.diagnostics
    names = known_names(source.text).union(known)  # also those that only a broken statement defines
    text, broken = source.text, []
    for _ in range(3):  # what is left out may have held the bracket that another statement needs
        bad = list(_wrong(text, [d.at.start for d in diagnostics if d.at is not None]))
        for at in bad:
            text = text[: at.start] + re.sub(r"[^\r\n]", " ", text[at.start : at.end]) + text[at.end :]
        broken += bad
        try:
            return Mended(parse(Source(source.name, text), names)._replace(source=source), tuple(sorted(broken)))
        except GraphError as error:
            diagnostics = error.diagnostics
    return Mended(ast.Program((), source), (Span(0, len(source.text)),))


def _wrong(text: str, places: list[int]) -> Iterator[Span]:
    """The statements in which something is wrong; what stands behind a bracket that was never closed is another one."""
    for at in statements(text):
        if any(at.start <= place <= at.end for place in places):
            for inner in statements(text[at.start : at.end], recover=True):
                span = Span(at.start + inner.start, at.start + inner.end)
                if any(span.start <= place <= span.end for place in places):
                    yield span


def mentions(text: str, at: Span, name: str) -> bool:
    """Whether a stretch of text that does not parse names something, be it in a derivative."""
    return any(part.kind == "name" and name in (canonical_or(part.text), part.text[0] in "d∂" and canonical_or(part.text[1:]))
               for part in pieces(text[at.start : at.end]))
