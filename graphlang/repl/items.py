"""The statements of a session: each with its text, what it defines and what it needs."""

from __future__ import annotations

import re
from typing import Iterable, Iterator, NamedTuple

from graphlang.diagnostics import Source
from graphlang.graph.values import BUILT_IN, CONSTANTS, INITIALISERS
from graphlang.syntax import ast
from graphlang.syntax.parser import parse

LEAVES = ("input", "param", "data")
MAY_BE_DERIVATIVE = re.compile(r"[d∂]\w+/[d∂]\w")  # whether it is one depends on the names that are known


class Item(NamedTuple):
    """One statement. `kind` is that of its node (`equation`, `declaration`, …); `names` what it defines; `needs` the names
    that it reads. `before` and `after` are the comments and blank lines around it, so that nothing of a file that was
    loaded is lost. `origin` and `within` say where it was written: a file or an input, and the offset in that text (of what
    comes after `lead`)."""

    text: str
    kind: str
    names: tuple[str, ...]
    needs: frozenset[str]
    role: str = ""          # of a declaration
    piece: bool = False     # an equation for some elements of a table
    constant: bool = False  # a whole variable whose equation reads no name
    before: str = ""
    after: str = ""
    origin: Source | None = None
    within: int = 0
    lead: int = 0           # characters at the start of the text that were not written there: `input ` of the second of two leaves

    @property
    def whole(self) -> str:
        return self.before + self.text + self.after


def items_of(source: Source, known: Iterable[str]) -> list[Item]:
    """The statements of a text, in order. Raises GraphError with what does not parse."""
    tree = parse(source, known)
    found: list[Item] = []
    end, before = 0, ""
    for s in tree.statements:
        gap, start = source.text[end : s.span.start], s.span.start
        after, before = parted(gap) if found else ("", gap)
        if found:
            found[-1] = found[-1]._replace(after=after)
        found.append(item(s, source)._replace(before=before, origin=source, within=start))
        end = s.span.end
    if found:
        found[-1] = found[-1]._replace(after=source.text[end:].rstrip())
    return found


def parted(gap: str) -> tuple[str, str]:
    """What stands between two statements: the rest of the first one's line, and what belongs to the second."""
    line, newline, rest = gap.partition("\n")
    if not newline:
        return "", ""  # a `;`: each gets a line of its own
    return line.rstrip().removesuffix(";").rstrip(), rest


def item(s: ast.Statement, source: Source) -> Item:
    kind = type(s).__name__.lower()
    text = source.at(s.span)
    names, role, piece, constant = (), "", False, False
    match s:
        case ast.Declaration(role, items, _):
            names = tuple(i.name for i in items)
        case ast.Equation(target, value, _, _, _):
            base = target if type(target) is ast.Name else target.base
            names, piece = (base.name,), type(target) is not ast.Name
            constant = not piece and not names_in([value]) and "e" not in {n.name for n in ast.postorder(value) if type(n) is ast.Name}
        case ast.FunctionDef(name, _, _, _, _):
            names = (name,)
        case ast.Dim(dims, _):
            names = tuple(n.name for n in dims)
        case ast.Opaque(signatures, _):
            names = tuple(n.name for n in signatures)
        case ast.Rule(name, _, wrt, _, _, _):
            names = (f"derivative {name}" + (f" wrt {wrt.name}" if wrt else ""),)
        case ast.Setting(name, _, _):
            names = (f"set {name}",)
        case ast.Train():
            names = ("train block",)  # a second one takes the place of the first
        case ast.Quiz(name, _, _, _, _):
            names = (f"quiz {name}",)
        case ast.Exam(title, _, _):
            names = (f"exam {title.value}",)
    return Item(text, kind, names, needs(s), role, piece, constant)


def separate(one: Item) -> list[Item]:
    """`input x = 2, z = 3` as two statements; the comments stay where they were."""
    source = Source("", one.text)
    (s,) = parse(source).statements
    out = []
    for i in s.items if type(s) is ast.Declaration else ():
        alone = parse(Source("", f"{s.role} {source.at(i.span)}"))
        made = item(alone.statements[0], alone.source)
        out.append(made._replace(origin=one.origin, within=one.within + i.span.start - one.lead, lead=len(s.role) + 1))
    for n in (s.names if type(s) is ast.Dim else s.signatures if type(s) is ast.Opaque else ()):
        word = "dim" if type(s) is ast.Dim else "opaque"
        alone = parse(Source("", f"{word} {source.at(n.span)}"))
        made = item(alone.statements[0], alone.source)
        out.append(made._replace(origin=one.origin, within=one.within + n.span.start - one.lead, lead=len(word) + 1))
    out[0] = out[0]._replace(before=one.before)
    out[-1] = out[-1]._replace(after=one.after)
    return out


def needs(s: ast.Statement) -> frozenset[str]:
    """The names that a statement reads and does not bind itself."""
    own: set[str] = set()
    match s:
        case ast.Declaration(_, items, _):
            found = names_in(e for i in items for e in (*(i.ranges or ()), *([i.value] if i.value is not None else ()))) - {*INITIALISERS}  # `= zeros`
        case ast.Equation(target, value, binders, _, _):
            subs = target.subs if type(target) is ast.Subscript else ()
            found = names_in([*subs, value, *bounds(binders)])
            own = {b.name for b in binders}
        case ast.FunctionDef(_, params, body, _, _):
            found, own = names_in([body]), {p.name for p in params}
        case ast.Rule(name, params, _, body, _, _):
            found, own = names_in([body]) | {name}, {p.name for p in params}
        case ast.Goal(_, targets, _):
            found = names_in(targets)
        case ast.Claim(left, right, binders, _):
            found, own = names_in([left, right, *bounds(binders)]), {b.name for b in binders}
        case ast.Expect(left, _, right, within, _, binders, _):
            found, own = names_in([left, right, *([within] if within is not None else ()), *bounds(binders)]), {b.name for b in binders}
        case ast.Opaque(signatures, _):
            found = names_in(r for g in signatures for r in g.ranges or ())
        case ast.Train(entries, _):
            slots = [slot for e in entries if e.name not in ("shuffle", "optimizer") for slot in e.slots]
            found, own = names_in(slots), {"epoch"}
        case _:
            found = set()
    return frozenset(found - own)


def bounds(binders: Iterable[ast.Binder]) -> Iterator[ast.Expr]:
    for b in binders:
        if b.low is not None:
            yield b.low
            yield b.high


def names_in(expressions: Iterable[ast.Expr]) -> set[str]:
    """Variables and functions that expressions name, without the indices that they bind and what is built in."""
    found: set[str] = set()
    bound: set[str] = set()
    for root in expressions:
        for n in ast.postorder(root):
            match n:
                case ast.Name(name, _):
                    found.add(name)
                case ast.Deriv(of, wrt, _, _):
                    found |= {of, wrt}
                case ast.Call(name, _, binders, _, _):
                    bound |= {b.name for b in binders}
                    if name not in BUILT_IN:
                        found.add(name)
    return found - bound - CONSTANTS.keys()
