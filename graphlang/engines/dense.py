"""A graph in index notation as operations on whole arrays, for the engines that compute by them (numpy, jax).

An equation over a box becomes values with named axes, one axis for each index; a sum of products becomes a matrix product where it is one
(dense_sums.py). Nodes are listed in the order in which they run; a recurrence is a loop over the steps of its schedule, with whole arrays
inside. What is computed in two equations from the same reads is computed once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Iterable, Mapping, Sequence

from graphlang.engines.dense_nodes import DIMENSION, Axis, Block, Looping, Node, alias, dimensions, plain, prune, root
from graphlang.engines.dense_sums import Sums
from graphlang.engines.tape import TooLarge
from graphlang.engines.unsupported import Unsupported
from graphlang.graph.affine import affine
from graphlang.graph.coverage import interval
from graphlang.graph.expressions import Bound, Call, Expr, Index, Number, Pick, Read, Reduce, operands, reads
from graphlang.graph.functions import COMPARISONS
from graphlang.graph.graph import Box, Equation, Graph, Range, ancestors
from graphlang.graph.linear_rules import system
from graphlang.graph.order import Group, forward_order, plan
from graphlang.graph.reductions import REDUCTIONS
from graphlang.graph.schedule import Item, Step, Time
from graphlang.graph.substitute import canonical, substitute


Env = Mapping[str, "Range | Time"]


@dataclass(eq=False)
class Program(Sums):
    """The operations for some variables of a graph. `inputs`: leaves that are given at each call; all else is constant. `block` holds the nodes,
    `outputs` the node of each variable that was asked for."""

    graph: Graph
    inputs: tuple[str, ...]
    constants: Mapping[str, Sequence[float]]
    outputs: dict[str, Node] = field(default_factory=dict)
    tables: dict[str, Node] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)

    def __post_init__(self):
        self.chain = [Block()]
        self.loops: dict[str, tuple[int, int]] = {}  # first and last value, by index
        self.names: dict[str, str] = {}              # of the loops' indices, in source
        self.count = 0                               # of loops
        self.not_negative: set[int] = set()          # nodes of which that is known
        self.forms: dict[Reduce, Expr] = {}
        self.results: dict[tuple, tuple] = {}  # of table-valued functions

    @property
    def block(self) -> Block:
        return self.chain[0]

    # ---- nodes

    def node(self, kind: str, args: Iterable[Node] = (), about: object = None, axes: Iterable[Axis] = (), block: Block | None = None, note: str = "") -> Node:
        made = Node(kind, tuple(args), about, tuple(axes), note)
        if made.size > MOST_ELEMENTS and kind not in ("view", "align"):
            raise TooLarge(made.size)
        (block or self.chain[-1]).nodes.append(made)
        return made

    def home(self, e: Expr, env: Env) -> Block:
        """The outermost block in which all that an expression reads has a value."""
        if len(self.chain) == 1:
            return self.chain[0]
        times = {env[n].loop for n in e.free if type(env.get(n)) is Time}
        names = {n.name for n in reads(e)}
        for block in reversed(self.chain):
            if block.times & times or block.tables & names:
                return block
        return self.chain[0]

    def key(self, e: Expr, env: Env) -> tuple:
        versions = tuple(self.versions[n] for n in sorted(self.versions) if n in {r.name for r in reads(e)}) if self.versions else ()
        return self.nameless(e) if type(e) is Reduce else e, tuple((n, env[n]) for n in sorted(e.free)), versions

    def nameless(self, e: Reduce) -> Expr:
        """The same reduction wherever it stands: bound indices have names by how deep they are in it."""
        if e not in self.forms:
            self.forms[e] = canonical(e, max([DEEP, *(int(n[1:]) + 1 for n in e.free if n.startswith("#"))]))
        return self.forms[e]

    # ---- expressions

    def value(self, root: Expr, env: Env) -> Node:
        """An expression at all values of its indices: axes are those of its free indices that are not a loop's."""
        stack: list[tuple[Expr, bool]] = [(root, False)]
        while stack:
            e, ready = stack.pop()
            block = self.home(e, env)
            key = self.key(e, env)
            if key in block.known:
                continue
            below = operands(e) if type(e) is Call else ()
            if below and not ready:
                stack.append((e, True))
                stack.extend((a, False) for a in reversed(below))
                continue
            chain = self.chain
            self.chain = chain[: chain.index(block) + 1]
            block.known[key] = self.make(e, env)
            self.chain = chain
        return self.found(root, env)

    def found(self, e: Expr, env: Env) -> Node:
        return self.home(e, env).known[self.key(e, env)]

    def make(self, e: Expr, env: Env) -> Node:
        kind = type(e)
        if kind is Number:
            return self.number(e.value)
        if kind is Index:
            at = env[e.name]
            return self.node("time", (), (self.names[at.loop], at.plus)) if type(at) is Time else self.node("index", (), at, (Axis(e.name, at),))
        if kind is Call:
            return self.call(e.function, [self.found(a, env) for a in e.args])
        if kind is Read:
            if e.name in self.graph.consts:
                return self.number(self.graph.consts[e.name])
            return self.read(self.table(e.name), self.graph.variables[e.name].ranges, e.args, env)
        if kind is Reduce:
            return self.sum(e, env) if e.function == "sum" else self.reduction(e, env)
        if kind is Pick:
            return self.pick(e, env)
        raise AssertionError(e)

    def number(self, value: float) -> Node:
        return Node("number", (), value, ())

    def call(self, function: str, args: Sequence[Node]) -> Node:
        if all(a.kind == "number" for a in args) and function in ("*", "+", "-", "neg"):
            a, b = args[0].about, args[-1].about
            return self.number({"*": lambda: a * b, "+": lambda: a + b, "-": lambda: a - b, "neg": lambda: -a}[function]())
        if function == "*":
            if any(a.kind == "number" and a.about == 1.0 for a in args):
                return args[1] if args[0].kind == "number" and args[0].about == 1.0 else args[0]
        if function == "where" and args[0].kind == "float":
            args = [args[0].args[0], *args[1:]]
            if self.says_where_undefined(args[0], args[1]):
                return args[2]
        axes = self.union(args)
        if function in PARTS and math.prod(a.range.extent for a in axes) >= LARGE:
            return self.from_parts(function, args[0])
        key = ("call", function, tuple((id(root(a)) if root(a).kind != "number" else str(root(a).about), a.axes) for a in args))
        known = self.chain[-1].known
        if key not in known:
            known[key] = self.node("call", args, function, axes)
            if function in COMPARISONS:
                known[key] = self.node("float", [known[key]], None, axes)
        return known[key]

    def says_where_undefined(self, condition: Node, value: Node) -> bool:
        """Whether a condition is `u != u`, as rules ask whether u is defined, for u the logarithm of what is never negative: there its derivative is
        nan too."""
        u = plain(value)
        if condition.about != "!=" or plain(condition.args[0]) is not u or plain(condition.args[1]) is not u or u.kind != "call" or u.about != "log":
            return False
        return plain(u.args[0]).about in NEVER_NEGATIVE or id(plain(u.args[0])) in self.not_negative

    def from_parts(self, function: str, v: Node) -> Node:
        """sigmoid and its relatives by exp(-|v|), which they have in common, for v and for -v."""
        one, zero = self.number(1.0), self.number(0.0)
        own = root(v)
        size = alias(own.args[0], v.axes) if own.kind == "call" and own.about == "neg" else v
        e = self.call("exp", [self.call("neg", [self.call("abs", [size])])])
        if function == "sigmoid":
            below = self.call("+", [one, e])
            found = self.call("/", [self.call("where", [self.call("<", [v, zero]), e, one]), below])
            self.not_negative.add(id(found))
            return found
        rest = self.call("log1p", [e])
        if function == "softplus":
            return self.call("+", [self.call("max", [v, zero]), rest])
        return self.call("-", [self.call("min", [v, zero]), rest])

    def union(self, args: Iterable[Node]) -> tuple[Axis, ...]:
        """The axes of several values, those of the one with most first in its order."""
        out: dict[Axis, None] = {}
        for a in sorted(args, key=lambda n: -len(n.axes)):
            out.update(dict.fromkeys(a.axes))
        if len({a.index for a in out}) < len(out):
            raise Unsupported("an index that has two ranges in one place")
        return tuple(out)

    # ---- reads

    def table(self, name: str) -> Node:
        if name not in self.tables:
            v = self.graph.variables[name]
            dims = dimensions(v.ranges)
            if name in self.inputs:
                self.tables[name] = self.node("leaf", (), name, dims, self.block, name)
            elif name in self.constants:
                if not v.ranges:
                    self.tables[name] = self.number(self.constants[name][0])
                else:
                    self.tables[name] = self.node("constant", (), tuple(self.constants[name]), dims, self.block, name)
            elif not v.size:  # no equation defines an element of it
                self.tables[name] = self.node("constant", (), (), dims, self.block, name)
            else:
                raise Unsupported(f"`{name}`, which has no value here")
        return self.tables[name]

    def read(self, base: Node, ranges: Box, subs: Sequence[Expr], env: Env) -> Node:
        """Elements of an array by subscripts: a view where each index stands alone, else index arrays. An array that is the same along a
        dimension lacks that axis."""
        dims = [int(a.index.removeprefix(DIMENSION)) for a in base.axes]
        if not dims:
            return base
        spec, axes, seen = [], [], set()
        for d in dims:
            form = affine(subs[d])
            part = None if form is None else self.part(*form, ranges[d], env, seen)
            if part is None:
                return self.take(base, [ranges[d] for d in dims], [subs[d] for d in dims], env)
            spec.append(part[0])
            axes += part[1]
        if all(s == (0, ranges[d].extent, 1) for s, d in zip(spec, dims)):
            return alias(base, axes)
        return self.node("view", (base,), tuple(spec), axes)

    def part(self, c: int, factors: dict[str, int], r: Range, env: Env, seen: set[str]):
        """One dimension of a view: what of it is taken, and the axis that it gives."""
        times = {n: k for n, k in factors.items() if type(env[n]) is Time}
        rest = [n for n in factors if n not in times]
        if not rest and not times:
            return (c - r.low, []) if r.low <= c <= r.high else None
        if not rest and len(times) == 1:
            ((n, k),) = times.items()
            low, high = self.span(env[n])
            if k not in (1, -1) or min(k * low, k * high) + c < r.low or max(k * low, k * high) + c > r.high:
                return None
            return (("time", self.names[env[n].loop], k, k * env[n].plus + c - r.low), [])
        if times or len(rest) != 1 or rest[0] in seen:
            return None
        (n,) = rest
        k, over = factors[n], env[n]
        first, last = k * over.low + c, k * over.high + c
        if not over.extent or min(first, last) < r.low or max(first, last) > r.high:
            return None
        seen.add(n)
        return (first - r.low, over.extent, k), [Axis(n, over)]

    def take(self, base: Node, ranges: Sequence[Range], subs: Sequence[Expr], env: Env) -> Node:
        """By index arrays. A subscript that is a value and no element of the table gives nan; an affine one outside of it stands where a guard
        takes nothing, and is moved inside."""
        places, valid = [], None
        for sub, r in zip(subs, ranges):
            value = self.value(sub, env)
            if affine(sub) is None:
                inside = self.node("inside", (value,), r, value.axes)
                valid = inside if valid is None else self.node("call", (valid, inside), "and", self.union([valid, inside]))
            places.append(self.node("whole", (value,), r, value.axes))
        taken = self.node("take", (base, *places), None, self.union(places))
        if valid is None:
            return taken
        return self.node("call", (valid, taken, self.number(math.nan)), "where", self.union([valid, taken]))

    def pick(self, e: Pick, env: Env) -> Node:
        """An element of a list: from a table of scalars, else one condition for each item."""
        shape = tuple(Range(1, n) for n in e.shape)
        items = [self.value(i, env) for i in e.items]
        if all(not i.axes for i in items):
            return self.read(self.node("stack", items, None, dimensions(shape)), shape, e.at, env)
        pool = e.pool
        at = pool.zero
        for s, n in zip(e.at, e.shape):
            at = at * n + (s - 1)
        place, result = self.value(at, env), self.number(math.nan)
        for k, item in enumerate(items):
            result = self.call("where", [self.call("==", [place, self.number(float(k))]), item, result])
        return result

    # ---- reductions but sums

    def reduction(self, e: Reduce, env: Env) -> Node:
        rule = REDUCTIONS[e.function]
        if e.function == "_solve":
            return self.solve(e, env)
        e = self.nameless(e)
        key = (e.function, e.binders, self.key(e.body, {**env, **{b.index: None for b in e.binders}}), len(self.chain))
        if rule.table and key in self.results:
            made, around, ranges = self.results[key]
            return self.element(made, around, ranges, e, env)
        inner, axes, ragged = self.bind(e.binders, env)
        if e.function == "prod" and not all(a.range.extent for a in axes):
            return self.number(1.0)
        body, condition = self.value(e.body, inner), None
        if ragged is not None and e.function in NEUTRAL:
            body = self.call("where", [self.value(ragged, inner), body, self.number(NEUTRAL[e.function])])
        elif ragged is not None:
            condition = self.value(ragged, inner)
        around = tuple(a for a in self.union([body] if condition is None else [body, condition]) if a not in axes)
        parts = [self.node("align", (x,), None, (*around, *axes)) for x in (body, condition) if x is not None]
        about = (e.function, len(axes))
        if not rule.table:
            return self.node("reduce", parts, about, around)
        ranges = tuple(interval(b, inner) if not b.free else self.widest(b, inner) for b in (e.binders if rule.over is None else rule.over(e)))
        made = self.node("reduce", parts, about, dimensions((*(a.range for a in around), *ranges)))
        if len(self.chain) == 1:
            self.results[key] = made, around, ranges
        return self.element(made, around, ranges, e, env)

    def element(self, made: Node, around: tuple[Axis, ...], ranges: Sequence[Range], e: Reduce, env: Env) -> Node:
        """An element of the result of a table-valued function; the axes around it are read by themselves."""
        return self.read(made, (*(a.range for a in around), *ranges), (*(e.pool.index(a.index) for a in around), *e.at), env)

    def solve(self, e: Reduce, env: Env) -> Node:
        s = system(e)
        inner, axes, _ = self.bind((s.row, s.column), env)
        matrix, right = self.value(s.matrix, inner), self.value(s.right, inner)
        around = tuple(a for a in self.union([matrix, right]) if a not in axes)
        left = self.node("align", (matrix,), None, (*around, *axes))
        right = self.node("align", (right,), None, (*around, axes[0]))
        made = self.node("reduce", (left, right), ("_solve", 2), dimensions((*(a.range for a in around), axes[1].range)))
        return self.element(made, around, [axes[1].range], e, env)

    def bind(self, binders: Sequence[Bound], env: Env) -> tuple[dict, tuple[Axis, ...], Expr | None]:
        """The indices of a reduction as axes; a condition where bounds depend on other indices."""
        inner, axes, ragged = dict(env), [], None
        for b in binders:
            if any(type(inner[n]) is Time for n in b.free):
                over = self.widest(b, inner)
            else:
                over = interval(b, inner)
            if b.free:
                pool = b.pool
                i = pool.index(b.index)
                inside = pool.mul(pool.call("<=", b.low, i), pool.call("<=", i, b.high))
                ragged = inside if ragged is None else pool.mul(ragged, inside)
            inner[b.index] = over
            axes.append(Axis(b.index, over))
        return inner, tuple(axes), ragged

    def widest(self, b: Bound, env: Env) -> Range:
        """All that an index may be whose bounds depend on a loop."""
        return interval(b, {n: self.span(r) if type(r) is Time else r for n, r in env.items()})

    def span(self, t: Time) -> Range:
        low, high = self.loops[t.loop]
        return Range(low + t.plus, high + t.plus)

    # ---- equations

    def run(self, wanted: Iterable[str]) -> "Program":
        """The nodes for some variables."""
        wanted = tuple(dict.fromkeys(wanted))
        needed = ancestors(self.graph, wanted)
        order = plan(self.graph)
        for group in forward_order(order, None):
            if any(e.target in needed for e in group.equations):
                self.recurrence(group) if group.recurrent else self.equation(group.equations[0])
        for name in wanted:
            self.outputs[name] = self.table(name)
        prune(self.block.nodes, {id(root(node)) for node in self.outputs.values()})
        return self

    def equation(self, e: Equation) -> None:
        if not all(r.extent for r in e.box):
            return
        v = self.graph.variables[e.target]
        rename = {b.index: e.value.pool.index(f"#{k}") for k, b in enumerate(e.bindings)}  # so that like equations have like names
        value = self.value(renamed(e.value, rename), {f"#{k}": b.range for k, b in enumerate(e.bindings)})
        if e.box == v.ranges:
            place = {rename[s.name].name: Axis(f"{DIMENSION}{d}", r) for d, (s, r) in enumerate(zip(e.subs, v.ranges)) if type(s) is Index}
            self.tables[e.target] = alias(value, [place[a.index] for a in value.axes])
            self.tables[e.target].note = e.target
            return
        self.begin(e.target)
        spec = tuple((int(s.value) - r.low) if type(s) is Number else (o.low - r.low, o.extent, 1) for s, r, o in zip(e.subs, v.ranges, e.box))
        axes = tuple(Axis(rename[s.name].name, r) for s, r in zip(e.subs, e.box) if type(s) is Index)
        self.node("store", (self.tables[e.target], value), (spec, axes), (), note=e.target)

    def begin(self, name: str) -> None:
        if name not in self.tables:
            self.tables[name] = self.node("zeros", (), None, dimensions(self.graph.variables[name].ranges), note=name)

    # ---- recurrences

    def recurrence(self, group: Group) -> None:
        tables = list(dict.fromkeys(e.target for e in group.equations))
        for name in tables:
            self.begin(name)
            self.versions[name] = 0
        self.items(group.schedule or one_by_one(group), frozenset(tables))
        for name in tables:
            del self.versions[name]

    def items(self, items: Iterable[Item], tables: frozenset[str]) -> None:
        for item in items:
            if type(item) is Step:
                self.step(item)
                continue
            self.count += 1
            name = f"t{self.count}"
            self.names[item.index], self.loops[item.index] = name, (item.low, item.high)
            self.chain.append(Block(frozenset((item.index,)), tables))
            self.items(item.body, tables)
            body = self.chain.pop().nodes
            arrays = [self.tables[n] for n in sorted(tables)]
            self.node("loop", arrays, Looping(name, item.low, item.high, item.step, body, tuple(arrays)))

    def step(self, step: Step) -> None:
        """Elements of an equation that are made together, put into their table."""
        e, v = step.equation, self.graph.variables[step.equation.target]
        rename = {b.index: e.value.pool.index(f"#{k}") for k, b in enumerate(e.bindings)}
        env = {rename[n].name: at for n, at in (*step.at.items(), *step.over.items())}
        value = self.value(renamed(e.value, rename), env)
        spec, axes = [], []
        for s, r in zip(e.subs, v.ranges):
            at = int(s.value) if type(s) is Number else step.at.get(s.name, step.over.get(s.name))
            if type(at) is int:
                spec.append(at - r.low)
            elif type(at) is Time:
                spec.append(("time", self.names[at.loop], 1, at.plus - r.low))
            else:
                spec.append((at.low - r.low, at.extent, 1))
                axes.append(Axis(rename[s.name].name, at))
        self.node("store", (self.tables[e.target], value), (tuple(spec), tuple(axes)), (), note=e.target)
        self.versions[e.target] += 1


def one_by_one(group: Group) -> list[Step]:
    """The elements of a recurrence that has no schedule, each a step."""
    if len(group.elements) > MOST_UNROLLED:
        raise Unsupported(f"the recurrence of `{group.equations[0].target}`, whose order is not that of loops")
    return [Step(e, {}, {b.index: Range(k, k) for b, k in zip(e.bindings, at)}) for e, at in group.elements]


def renamed(e: Expr, rename: Mapping[str, Expr]) -> Expr:
    """Indices of the equation by `rename`, bound ones by how deep they stand."""
    return e if e.plain else canonical(substitute(e, rename), len(rename))


PARTS = frozenset({"sigmoid", "softplus", "log_sigmoid"})
LARGE = 4096  # elements from which what is computed once more costs more than another call
NEVER_NEGATIVE = frozenset({"sigmoid", "exp", "abs", ("softmax", 1)})
MOST_ELEMENTS = 2**27  # of one array: a gigabyte
MOST_UNROLLED = 500  # elements of a recurrence that are written out
DEEP = 100  # deeper than any index of an equation
NEUTRAL = {"prod": 1.0, "max": -math.inf, "min": math.inf, "logsumexp": -math.inf, "norm": 0.0}
