"""What stands below a table: the gradients in full, conventions, notes, expectations."""

from __future__ import annotations

from typing import Iterator, Sequence

from graphlang.run import HOLDS, NOT_JUDGED, Pass, Run
from graphlang.show.cells import Adjoints, Texts
from graphlang.show.console import Line, breadth, clean
from graphlang.show.layout import wrap
from graphlang.show.numbers import EXACT, MOST_ENTRIES, number, table


def summary(run: Run, adjoints: list[Adjoints], options, width: int, dots: str) -> Iterator[Line]:
    for p, texts in zip(run.passes, adjoints):
        yield from gradients(run, [(texts.adjoint(n), n, p.sweep.adjoints[n]) for n in gradients_of(run, p)], options, width, dots)
    if options.scalar or any("[" in n for n in run.graph.variables):
        for p in run.passes[:1]:
            yield [(f" nodes {len(p.derivative.outgoing)}, edges {edges(run, p)} (one local derivative each)", "")]


def gradients(run: Run, found: Sequence[tuple[str, str, list[float]]], options, width: int, dots: str) -> Iterator[Line]:
    """A line for each: how it is written, the variable, its adjoint."""
    for k, (text, name, flat) in enumerate(found):
        if k == MOST_ENTRIES and not options.all and len(found) > k + 1:
            yield [(f" {dots} ({len(found) - k} more gradients, --all)", "")]
            break
        value = table(flat, [r.extent for r in run.graph.variables[name].ranges], max(EXACT, options.digits), options.all, dots)
        yield from wrapped(f" {text} = {value}", width, "bold")


def given(run: Run, texts: Texts, options, width: int, dots: str) -> Iterator[Line]:
    """The point: what the leaves are."""
    leaves = [v for v in run.graph.variables.values() if v.is_leaf and v.name in run.flat]
    shown = leaves if options.all or len(leaves) <= MOST_ENTRIES else leaves[:MOST_ENTRIES]
    parts = [f"{texts.name(v.name)} = {table(run.flat[v.name], [r.extent for r in v.ranges], options.digits, options.all, dots)}" for v in shown]
    if len(shown) < len(leaves):
        parts.append(f"{dots} ({len(leaves) - len(shown)} more)")
    if parts:
        yield from wrapped(f" at {',  '.join(parts)}", width)


def second(run: Run, texts: Texts, options, width: int, dots: str) -> Iterator[Line]:
    """The tables of --jacobian and --hessian."""
    pool = run.graph.pool
    for name, (flat, ranges) in run.derivatives.items():
        value = table(flat, [r.extent for r in ranges], max(EXACT, options.digits), options.all, dots)
        yield from wrapped(f" {texts.expression(pool.read(name))} = {value}", width)


def gradients_of(run: Run, p: Pass) -> list[str]:
    """The variables of `run.wrt`; in the scalar view their elements."""
    out = []
    for w in run.wrt:
        out += [w] if w in p.sweep.adjoints else [n for n in p.sweep.adjoints if n.startswith(f"{w}[")]
    return out


def is_shown(run: Run, name: str) -> bool:
    """Data has no backward rows unless it is asked for."""
    return run.graph.variables[name].role != "data" or name in run.wrt or name.split("[")[0] in run.wrt


def edges(run: Run, p: Pass) -> int:
    return sum(is_shown(run, c.variable) for terms in p.derivative.outgoing.values() for c in terms)


def remarks(run: Run, options, width: int, dots: str) -> Iterator[Line]:
    """Conventions, notes, claims and expectations."""
    shown = len(run.conventions) if options.all or len(run.conventions) <= MOST_ENTRIES + 1 else MOST_ENTRIES
    for c in run.conventions[:shown]:
        sides = c.get("one_sided") or ()
        from_sides = f" (one-sided derivatives {number(sides[0])} and {number(sides[1])})" if len(sides) == 2 else ""
        yield from wrapped(f" convention: {c['name']}, at {c['at']}: {c['note']}{from_sides}", width)
    if shown < len(run.conventions):
        yield [(f" {dots} ({len(run.conventions) - shown} more conventions, --all)", "")]
    for note in run.notes:
        yield from wrapped(f" note: {note}", width)
    for v in run.claims:
        yield from verdict(f" claim {v.text}", v.verdict, because(v), "green" if v.verdict == HOLDS else "yellow" if v.verdict == NOT_JUDGED else "bold red", width)
        if v.right_form and options.reveal and not v.ok:
            yield from wrapped(f"     it is {v.right_form}", width)
    held, most = 0, sum(e.holds is True for e in run.expectations)
    most = most if options.all or most == MOST_ENTRIES + 1 else MOST_ENTRIES
    for e in run.expectations:
        text = f" expect {e.text}"
        if e.holds:
            held += 1
            if held <= most:
                yield from verdict(text, "ok", "", "green", width)
        elif e.holds is None:
            yield from verdict(text, "not judged", e.note, "yellow", width)
        else:
            both = f"{number(e.left, 17)} on the left, {number(e.right, 17)} on the right" if e.left is not None and e.right is not None else e.note
            yield from verdict(text, "failed", both, "bold red", width)
    if held > most:
        yield [(f" {dots} ({held - most} more expectations ok, --all)", "")]


def because(v) -> str:
    """Why a claim does not hold: where, both values, what kind of mistake it looks like."""
    if v.verdict == HOLDS:
        return ""
    parts = [v.slip, v.note]
    if v.left is not None and v.right is not None:
        where = ", ".join([*(f"{k} = {n}" for k, n in v.at.items()), *([v.point] if v.point else [])])
        parts.append(f"the left side is {number(v.left, 6)}, the right side {number(v.right, 6)}" + (f" at {where}" if where else ""))
    return "; ".join(filter(None, parts))


def verdict(text: str, word: str, why: str, style: str, width: int) -> Iterator[Line]:
    lines = wrap(clean(text), max(20, width - len(word) - 3), 4)
    for part in lines[:-1]:
        yield [(part, "")]
    beside = why and breadth(lines[-1]) + len(word) + breadth(why) + 4 <= width
    yield [(lines[-1] + "  ", ""), (word, style), (f": {clean(why)}" if beside else "", "")]
    if why and not beside:
        yield from ([("    " + part, "")] for part in wrap(clean(why), max(20, width - 4)))


def wrapped(text: str, width: int, style: str = "") -> Iterator[Line]:
    for part in wrap(clean(text), width, 4):
        yield [(part, style)]
