"""Which elements of a variable an equation reads: the edges of the scalar graph, without building it.

An edge is a pair (element of the equation, element that it reads) with a local derivative; read twice, it is one edge. For
given values of the equation's indices a read reaches a box, if its subscripts are affine and its inner indices take
constant ranges or ranges that follow the equation's own. Guards about indices, gathers, and ranges that follow one
another are enumerated.
"""

from __future__ import annotations

import math
from itertools import product
from typing import Iterator, Mapping, NamedTuple, Sequence

from graphlang.derive.local import Guard, Occurrence, occurrences
from graphlang.diagnostics import Diagnostic, GraphError
from graphlang.graph.affine import affine
from graphlang.graph.coverage import interval
from graphlang.graph.expressions import Call, Expr, Index, Number, Pick, Read, postorder
from graphlang.graph.functions import COMPARISONS, FUNCTIONS
from graphlang.graph.graph import Box, Equation, Graph, Range

MOST_EDGES = 20_000_000   # that are gone through one by one
MOST_TRIED = 100_000      # values of indices that are tried to see whether a factor is ever 0

MOST_COMPARED = 50        # reads of one variable by one equation that are compared with one another

Form = tuple[int, dict[str, int]]  # an affine form: a constant and a factor for each index
Element = tuple[int, ...]


class Span(NamedTuple):
    """The elements that a subscript runs over, in the equation's own indices; both ends included."""

    low: Form
    high: Form


class Meter:
    """Counts what is enumerated, and stops where it would take minutes. Raises GraphError."""

    def __init__(self, graph: Graph):
        self.graph, self.left = graph, MOST_EDGES

    def take(self, n: int = 1) -> None:
        self.left -= n
        if self.left < 0:
            raise GraphError([Diagnostic("E902", f"more than {MOST_EDGES:,} edges would be counted one by one", None,
                                         hints=("smaller ranges; the counts follow them by a formula",))], self.graph.source)


class Values:
    """Expressions over indices and tables of integers, as far as these have values."""

    def __init__(self, tables: Mapping[str, Sequence[float]], graph: Graph):
        self.tables, self.graph = tables, graph
        self._decided: dict[Expr, bool] = {}
        self._order: dict[Expr, list[Expr]] = {}

    def decided(self, root: Expr) -> bool:
        """Whether the value is known once the indices have theirs."""
        stack = [(root, False)]
        while stack:
            node, ready = stack.pop()
            if node in self._decided:
                continue
            kind = type(node)
            if not (kind in (Number, Index, Call, Pick) or kind is Read and node.name in self.tables):
                self._decided[node] = False
            elif ready or not node.args:
                self._decided[node] = all(self._decided[a] for a in node.args)
            else:
                stack.append((node, True))
                stack.extend((a, False) for a in node.args)
        return self._decided[root]

    def at(self, root: Expr, at: Mapping[str, int]) -> float:
        """The value of a decided expression; nan where a subscript has no element."""
        if root not in self._order:
            self._order[root] = list(postorder(root))
        done: dict[Expr, float] = {}
        for node in self._order[root]:
            kind = type(node)
            if kind is Number:
                done[node] = node.value
            elif kind is Index:
                done[node] = float(at[node.name])
            elif kind is Read:
                done[node] = _element(self.tables[node.name], [done[a] for a in node.args], self.graph.variables[node.name].ranges)
            elif kind is Pick:
                done[node] = _element([done[a] for a in node.items], [done[a] for a in node.at], [Range(1, n) for n in node.shape])
            else:
                done[node] = FUNCTIONS[node.function].reference(*(done[a] for a in node.args))
        return done[root]


def _element(flat: Sequence[float], subs: list[float], ranges: Sequence[Range]) -> float:
    offset = 0
    for k, r in zip(subs, ranges):
        if not r.low <= k <= r.high or k != int(k):
            return math.nan
        offset = offset * r.extent + int(k) - r.low
    return flat[offset]


STRUCTURE = {"*", "/", "+", "-", "neg", "where"} | COMPARISONS


class Zero:
    """Where a local derivative is 0 whatever the variables are, as `i*x[i]` has at i = 0. It follows what the light
    simplification of rules finds once the indices have values, so that the tables have the edges of the scalar view."""

    def __init__(self, derivative: Expr):
        self.root = derivative
        self.order = list(_skeleton(derivative))
        self.names = sorted({n.name for n in self.order if type(n) is Index})

    def at(self, at: Mapping[str, int]) -> bool:
        done: dict[Expr, float | None] = {}  # None: not known, so not 0
        for node in self.order:
            kind = type(node)
            if kind is Number:
                done[node] = node.value
            elif kind is Index:
                done[node] = float(at[node.name])
            else:
                done[node] = _folded(node.function, [done.get(a) for a in node.args]) if kind is Call else None
        return done[self.root] == 0

    def ever(self, over: Mapping[str, Range]) -> bool:
        if not self.possible():
            return False
        size = 1
        for n in self.names:
            size *= over[n].extent
        if size > MOST_TRIED:
            return True
        return any(self.at(dict(zip(self.names, point))) for point in product(*(range(over[n].low, over[n].high + 1) for n in self.names)))

    def possible(self) -> bool:
        """Whether a factor is a number or made of indices, before any are tried."""
        may: dict[Expr, bool] = {}
        for node in self.order:
            if type(node) is not Call:
                may[node] = type(node) is Index or type(node) is Number and node.value == 0
                continue
            args = [may.get(a, False) for a in node.args]
            match node.function:
                case "*":
                    may[node] = any(args)
                case "+" | "-":
                    may[node] = all(args)
                case "/" | "neg":
                    may[node] = args[0]
                case "where":
                    may[node] = any(args[1:])
                case _:
                    may[node] = node.function in COMPARISONS
        return may[self.root]


def _skeleton(root: Expr) -> Iterator[Expr]:
    """The nodes that can make a derivative 0: not what is inside of a function."""
    seen, stack = set(), [(root, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            yield node
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            if type(node) is Call and node.function in STRUCTURE:
                stack.extend((a, False) for a in node.args)


def _folded(function: str, args: list[float | None]) -> float | None:
    match function, args:
        case ("*" | "/"), [a, b] if a == 0 or b == 0 and function == "*":
            return 0.0 if a is None or b is None else None  # of two numbers: the author's, which is kept
        case "neg", [a]:
            return a if a == 0 else None
        case "where", [c, yes, no] if c is not None:
            return yes if c else no
        case ("where", [_, yes, no]) | (("+" | "-"), [yes, no]) if yes == no == 0:
            return 0.0
    if function in COMPARISONS and None not in args:
        return FUNCTIONS[function].reference(*args)
    return None


class Pattern:
    """One read of an equation. `spans`: the box that it reaches for given values of the equation's indices, or None
    where it is enumerated."""

    def __init__(self, e: Equation, found: Occurrence, whole: Box, values: Values):
        self.read, self.whole, self.values = found.read, whole, values
        own = dict(e.bindings)
        binders = [b for entry in found.scope if not isinstance(entry, Guard) for b in entry]
        over = dict(own)
        for b in binders:
            over[b.index] = interval(b, over)
        self.never = any(not b.free and over[b.index].extent == 0 for b in binders)
        self.tests = [g.condition for g in found.scope if isinstance(g, Guard) and values.decided(g.condition)]
        zero = Zero(found.derivative)
        self.zero = zero if not self.never and zero.ever(over) else None
        self.never = self.never or self.zero is not None and not zero.names
        self.forms = [affine(s) for s in self.read.args]
        needed = set().union(*(s.free for s in self.read.args), *(t.free for t in self.tests), self.zero.names if self.zero is not None else ())
        needed |= {b.index for b in binders if b.free}  # its range may be empty for some values of the others
        for b in reversed(binders):
            if b.index in needed:
                needed |= b.free
        self.loops = tuple(b for b in binders if b.index in needed)
        self.bounds = [(affine(b.low), affine(b.high)) for b in self.loops]
        constant = [t for t in self.tests if not t.free]
        if any(values.at(t, {}) == 0 for t in constant):
            self.never = True
        self.tests = [t for t in self.tests if t.free]
        self.spans = self._spans(own)

    def _spans(self, own: dict[str, Range]) -> tuple[Span, ...] | None:
        if self.tests or self.zero is not None or any(f is None for f in self.forms):
            return None
        inner = {b.index: ends for b, ends in zip(self.loops, self.bounds)}
        if any(not b.free <= own.keys() for b in self.loops):
            return None
        out = []
        for c, factors in self.forms:
            base: Form = (c, {k: f for k, f in factors.items() if k in own})
            loops = [(k, f) for k, f in factors.items() if k not in own]
            if not loops:
                out.append(Span(base, base))
                continue
            if len(loops) > 1 or abs(loops[0][1]) != 1 or loops[0][0] not in inner:
                return None
            name, sign = loops[0]
            low, high = inner.pop(name)
            out.append(Span(_sum(base, low, 1), _sum(base, high, 1)) if sign > 0 else Span(_sum(base, high, -1), _sum(base, low, -1)))
        return None if inner else tuple(out)

    def elements(self, at: dict[str, int], meter: Meter) -> Iterator[Element]:
        """The elements that are read for given values of the equation's indices; some may come twice."""
        if self.spans is not None:
            sides = [range(_at(s.low, at), _at(s.high, at) + 1) for s in self.spans]
            for element in product(*sides):
                meter.take()
                yield element
            return
        for inner in self._inner(0, at):
            meter.take()
            if self.zero is not None and self.zero.at(inner):
                continue
            if all(self.values.at(t, inner) != 0 for t in self.tests):
                sides = [(_at(f, inner),) if f is not None else self._gathered(s, inner, r) for f, s, r in zip(self.forms, self.read.args, self.whole)]
                yield from product(*sides)

    def _inner(self, k: int, at: dict[str, int]) -> Iterator[dict[str, int]]:
        if k == len(self.loops):
            yield at
            return
        low, high = self.bounds[k]
        for value in range(_at(low, at), _at(high, at) + 1):
            yield from self._inner(k + 1, {**at, self.loops[k].index: value})

    def _gathered(self, sub: Expr, at: dict[str, int], r: Range) -> Sequence[int]:
        """The element of a gather; any of them where its table of integers has no values."""
        if not self.values.decided(sub):
            return range(r.low, r.high + 1)
        value = self.values.at(sub, at)
        return (int(value),) if r.low <= value <= r.high and value == int(value) else ()


def _sum(a: Form, b: Form, sign: int) -> Form:
    factors = dict(a[1])
    for k, f in b[1].items():
        factors[k] = factors.get(k, 0) + sign * f
    return a[0] + sign * b[0], {k: f for k, f in factors.items() if f}


def _at(form: Form, at: Mapping[str, int]) -> int:
    c, factors = form
    for k, f in factors.items():
        c += f * at[k]
    return c


class Link:
    """All that an equation reads of one variable. `tied`: where all reads are boxes whose ends are constants or follow one
    index each, and no two reads meet, those boxes, from which edges are counted without going through them."""

    def __init__(self, variable: str, e: Equation, patterns: list[Pattern]):
        self.variable, self.patterns = variable, patterns
        distinct = {_key(p.spans): p for p in patterns if p.spans is not None}
        if len(distinct) < len(patterns):
            self.patterns = [*distinct.values(), *(p for p in patterns if p.spans is None)]
        self.boxes = [p.spans for p in self.patterns if p.spans is not None and _is_tied(p.spans)]
        over = dict(e.bindings)
        if all(low == high and not low[1] for spans in self.boxes for low, high in spans):
            apart = True  # single elements, each once
        else:
            apart = len(self.boxes) <= MOST_COMPARED and all(_apart(a, b, over) for k, a in enumerate(self.boxes) for b in self.boxes[:k])
        self.tied = len(self.boxes) == len(self.patterns) and apart

    def elements(self, at: dict[str, int], meter: Meter) -> Iterator[Element]:
        """Each element once, for given values of the equation's indices."""
        if len(self.patterns) == 1 and self.patterns[0].spans is not None:
            return self.patterns[0].elements(at, meter)
        return iter(dict.fromkeys(element for p in self.patterns for element in p.elements(at, meter)))


def _key(spans: tuple[Span, ...]) -> tuple:
    return tuple((low[0], *sorted(low[1].items()), None, high[0], *sorted(high[1].items())) for low, high in spans)


def _is_tied(spans: tuple[Span, ...]) -> bool:
    used = []
    for low, high in spans:
        if not low[1] and not high[1]:
            continue
        if low != high or len(low[1]) > 1 or any(abs(f) != 1 for f in low[1].values()):
            return False
        used += low[1]
    return len(set(used)) == len(used)


def _apart(a: tuple[Span, ...], b: tuple[Span, ...], over: Mapping[str, Range]) -> bool:
    """Whether two reads of the same equation's element never meet."""
    for x, y in zip(a, b):
        for low, high in ((x.low, y.high), (y.low, x.high)):
            c, factors = _sum(low, high, -1)
            if c + sum(min(f * over[k].low, f * over[k].high) for k, f in factors.items()) > 0:
                return True
    return False


def image(spans: tuple[Span, ...], at: Mapping[str, Range]) -> tuple[Box, int]:
    """The box that is reached from a box of the equation's elements, and from how many of them each element of it is."""
    times, out = 1, []
    used = set()
    for low, high in spans:
        if low[1]:
            ((name, f),) = low[1].items()
            used.add(name)
            ends = sorted((low[0] + f * at[name].low, low[0] + f * at[name].high))
            out.append(Range(*ends))
        else:
            out.append(Range(low[0], high[0]))
    for name, r in at.items():
        if name not in used:
            times *= r.extent
    return tuple(out), times


def links(e: Equation, graph: Graph, wanted: frozenset[str] | set[str], values: Values) -> list[Link]:
    """What an equation reads of the wanted variables."""
    patterns: dict[str, list[Pattern]] = {}
    for found in occurrences(e):
        name = found.read.name
        if name in wanted:
            p = Pattern(e, found, graph.variables[name].ranges, values)
            if not p.never and not any(s.low[0] > s.high[0] and not s.low[1] and not s.high[1] for s in p.spans or ()):
                patterns.setdefault(name, []).append(p)
    return [Link(name, e, found) for name, found in patterns.items()]
