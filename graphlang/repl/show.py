"""Answers as a person reads them, and as data."""

from __future__ import annotations

import math
from typing import Iterator

from graphlang.diagnostics import Diagnostic
from graphlang.graph.graph import Variable
from graphlang.repl.answers import Result
from graphlang.repl.items import Item
from graphlang.repl.state import Built, Change
from graphlang.run import nest
from graphlang.show.cells import Texts
from graphlang.show.console import Line, clean
from graphlang.show.layout import wrap
from graphlang.show.numbers import table
from graphlang.show.summary import wrapped

MOST_FOLLOWED = 6  # variables of which it is said that they have changed


class Look:
    """How answers are laid out: width, digits, and the signs that the terminal has."""

    def __init__(self, width: int = 80, digits: int = 6, ascii: bool = False):
        self.width, self.digits, self.ascii = width, digits, ascii
        self.arrow, self.dots = ("->", "...") if ascii else ("→", "…")

    def number(self, flat, extents) -> str:
        return table(flat, extents, self.digits, dots=self.dots)

    def value(self, flat, v: Variable) -> str:
        return self.number(flat, [r.extent for r in v.ranges])


def result_lines(r: Result, look: Look) -> Iterator[Line]:
    """The value, then the derivatives with formula and number."""
    value = None if r.value is None else look.number(r.value, [x.extent for x in r.ranges])
    alone = len(r.formulas) == 1
    for f in r.formulas:
        tail = f" = {value}" if alone and value is not None and f.partition(" = ")[2] != value else ""
        yield from wrapped(f + tail, look.width, "bold")
    if not alone and value is not None:
        yield from wrapped(value, look.width, "bold")
    for s in r.slopes:
        number = None if s.value is None else look.number(s.value, s.extents)
        tail = f" = {number}" if number is not None and number != s.formula else ""
        yield from wrapped(f"{s.label} = {s.formula}{tail}{s.over}", look.width)
    if r.more:
        yield [(f"{look.dots} {r.more} more leaves, `:wrt NAMES` chooses", "dim")]
    if r.missing:
        said = "`, `".join(r.missing[:6])
        yield from wrapped(f"no number: `{said}` has no value" if len(r.missing) == 1 else f"no number: `{said}` have no value", look.width, "dim")
    for note in r.notes:
        yield from wrapped(note, look.width, "yellow")


def result_data(r: Result) -> dict:
    out: dict = {"input": r.text, "value": None if r.value is None else nest(r.value, r.ranges)}
    if r.formulas:
        out["formulas"] = list(r.formulas)
    out["derivatives"] = [{"wrt": s.wrt, "name": s.label, "formula": s.formula, "value": None if s.value is None else shaped(s.value, s.extents)} for s in r.slopes]
    if r.missing:
        out["missing"] = list(r.missing)
    if r.notes:
        out["notes"] = list(r.notes)
    return out


def shaped(flat, extents):
    """A flat list as nested lists."""
    if not extents:
        return flat[0]
    step = len(flat) // extents[0] if extents[0] else 0
    return list(flat) if len(extents) == 1 else [shaped(flat[k * step : (k + 1) * step], extents[1:]) for k in range(extents[0])]


def change_lines(change: Change, before: Built, after: Built, look: Look) -> Iterator[Line]:
    """What statements did: values of what they define, what they replaced, what follows from it."""
    texts = Texts(after.graph, look.ascii)
    waiting = {id(after.state.items[k]): why for k, why in after.state.waiting.items()}
    told: set[str] = set()
    for one in change.items:
        if id(one) in waiting:
            yield from wrapped(f"{head(one)} waits: {waiting[id(one)]}", look.width, "yellow")
            continue
        for n in one.names:
            if n not in told:
                told.add(n)
                yield from defined(n, one, before, after, texts, look)
        if not one.names and one.kind in ("goal", "layout", "include"):
            yield from wrapped(one_line(one.text), look.width)
    for text in [] if is_new_value(change, before) else change.replaced:
        yield from wrapped(f"  replaces {one_line(text)}", look.width, "dim")
    for note in change.notes:
        yield from wrapped(f"  {note}", look.width, "dim")
    yield from followed(change, before, after, texts, look, told)


def one_line(text: str) -> str:
    """A statement without its comments and line breaks."""
    return clean(" ".join(" ".join(line.partition("#")[0] if '"' not in line else line for line in text.splitlines()).split()))


def head(one: Item) -> str:
    """What a statement that waits is called: its left side, or what it is."""
    if one.names and " " not in one.names[0]:
        return one_line(one.text).partition("=")[0].strip() if one.kind == "equation" else one.names[0]
    return clean(one.text.split()[0])


def is_new_value(change: Change, before: Built) -> bool:
    """Whether all that happened is that a leaf or a constant has another value."""
    return all((i.kind == "declaration" or i.constant) and all(n in before.flat and i.role == before.roles.get(n, "") for n in i.names) for i in change.items)


def defined(name: str, one: Item, before: Built, after: Built, texts: Texts, look: Look) -> Iterator[Line]:
    v = after.graph.variables.get(name)
    if v is None:
        word = {"functiondef": "is a function", "opaque": "is known by its ranges only", "rule": "holds", "dim": "is a size without a number"}.get(one.kind)
        text = one.text.partition("=")[0].strip() if one.kind in ("functiondef", "rule") else name
        if word:
            yield from wrapped(f"{clean(text)} {word}", look.width)
        return
    if name not in after.flat:
        why = "has no value" if v.is_leaf else "has a formula and no number yet"
        yield from wrapped(f"{texts.name(name)} {why}" + (f": `{name} = 2` gives it one" if v.is_leaf and not v.ranges else ""), look.width)
        return
    flat = after.flat[name]
    bad = "" if all(map(math.isfinite, flat)) else " (not finite)"
    role = f"  {v.role}" if v.is_leaf else "  a constant: `input` before it makes it a leaf" if one.constant else ""
    if role and name in before.flat and before.flat[name] != flat:
        role += f", was {look.value(before.flat[name], before.graph.variables[name])}"
    yield [*next(iter(wrapped(f"{texts.name(name)} = {look.value(flat, v)}", look.width, "bold"))), (bad, "bold red"), (role, "dim")]


def followed(change: Change, before: Built, after: Built, texts: Texts, look: Look, told: set[str]) -> Iterator[Line]:
    """The other variables that have another value now, in the order of the program."""
    moved = [n for n, v in after.graph.variables.items() if n in after.flat and n not in told and n.isidentifier() and not same(before.flat.get(n), after.flat[n])]
    ready = {n for i in change.now_ready for n in i.names}
    shown = [n for n in moved if n in before.flat or n in ready]
    for n in shown[:MOST_FOLLOWED]:
        v = after.graph.variables[n]
        old = before.flat.get(n)
        was = f"{look.value(old, before.graph.variables[n])} {look.arrow} " if old is not None else ""
        yield from wrapped(f"  {texts.name(n)} = {was}{look.value(after.flat[n], v)}", look.width, "dim")
    if len(shown) > MOST_FOLLOWED:
        yield [(f"  {look.dots} and {len(shown) - MOST_FOLLOWED} more variables", "dim")]


def same(a, b) -> bool:
    return a is not None and len(a) == len(b) and all(x == y or (x != x and y != y) for x, y in zip(a, b))


def change_data(text: str, change: Change, after: Built) -> dict:
    waiting = {id(after.state.items[k]): why for k, why in after.state.waiting.items()}
    names = dict.fromkeys(n for i in change.items if id(i) not in waiting for n in i.names if n in after.graph.variables)
    return {"input": text.strip(), "defined": {n: nest(after.flat[n], after.graph.variables[n].ranges) if n in after.flat else None for n in names},
            "waiting": {head(i): waiting[id(i)] for i in change.items if id(i) in waiting}, "replaced": list(change.replaced)}


def variables_lines(built: Built, look: Look) -> Iterator[Line]:
    """Every variable with its role and value; what waits; in the order of the program."""
    texts = Texts(built.graph, look.ascii)
    rows = []
    for n, v in built.graph.variables.items():
        if not n.isidentifier():
            continue  # of derivatives and opaque functions
        value = look.value(built.flat[n], v) if n in built.flat else "no value"
        over = "[" + ", ".join(map(str, v.ranges)) + "]" if v.ranges else ""
        rows.append((v.role, f"{texts.name(n)}{over}", value))
    rows += [("waits", head(i), built.state.waiting[k]) for k, i in enumerate(built.state.items) if k in built.state.waiting]
    rows += [("function", clean(f.partition("=")[0].strip()), "") for f in (i.text for i in built.state.ready if i.kind == "functiondef")]
    if not rows:
        yield [("nothing is defined yet: try `x = 2`, then `sin(x^2)`", "")]
        return
    first, second = (max(len(r[k]) for r in rows) for k in (0, 1))
    for role, name, value in rows:
        lines = wrap(clean(value), max(20, look.width - first - second - 5), 2)
        yield [(f"{role:{first}}  ", "dim"), (f"{name:{min(second, 40)}}  ", "bold"), (lines[0] if lines else "", "")]
        yield from ([(" " * (first + second + 4) + part, "")] for part in lines[1:])


def diagnostics_data(diagnostics: tuple[Diagnostic, ...], source) -> list[dict]:
    from graphlang.show.records import as_json

    return as_json(diagnostics, source)
