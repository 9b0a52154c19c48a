"""An independent meaning of programs: the syntax tree, interpreted with mpmath at 60 digits.

Written from the language's description; of graphlang it uses the parser and nothing else. Gradients are differences
with a step of 1e-30, so they know no rule of differentiation. Elements of tables are worked out when they are asked
for, by recursion: for small programs.
"""

import itertools
from typing import NamedTuple

import mpmath as mp

from graphlang.diagnostics import Source
from graphlang.syntax import ast
from graphlang.syntax.parser import parse

DIGITS = 60
STEP = mp.mpf(10) ** -30
TIE = mp.mpf(10) ** -20  # closer than this, two numbers are at a kink


class Kink(Exception):
    """The program's point is at a tie, a kink or a jump, where a gradient rests on a convention."""


class Table(NamedTuple):
    """Elements by their indices, over inclusive ranges. `row`: a row vector; `literal`: a list, which takes the
    ranges of what it meets."""

    ranges: tuple[tuple[int, int], ...]
    items: dict[tuple[int, ...], mp.mpf]
    row: bool = False
    literal: bool = False


def box(ranges):
    return itertools.product(*(range(low, high + 1) for low, high in ranges))


def extent(ranges):
    return tuple(high - low + 1 for low, high in ranges)


def moved(t, ranges):
    """The elements of a table under other ranges of the same lengths."""
    return t if t.ranges == ranges else Table(ranges, dict(zip(box(ranges), t.items.values())), t.row)


def at_a_kink(*gaps):
    if any(abs(g) < TIE for g in gaps):
        raise Kink


# ---- elementwise functions


def kinked(f, point=0):
    def g(v):
        at_a_kink(v - point)
        return f(v)

    return g


def compare(holds):
    def g(a, b):
        if a != b or not (mp.isint(a) and mp.isint(b)):  # whole numbers are indices as a rule
            at_a_kink(a - b)
        return mp.mpf(holds(a, b))

    return g


def largest(*values):
    first, *rest = sorted(values, reverse=True)
    if rest:
        at_a_kink(first - rest[0])
    return first


def clip(v, low, high):
    at_a_kink(v - low, v - high)
    return min(max(v, low), high)


def step(f):
    def g(v):
        at_a_kink(v - mp.nint(v), v - mp.nint(v - 0.5) - 0.5)
        return f(v)

    return g


def power(a, b):
    return a ** int(b) if mp.isint(b) else a**b


def mod(x, y):
    at_a_kink(x / y - mp.nint(x / y))
    return x - y * mp.floor(x / y)


def sigmoid(v):
    return 1 / (1 + mp.exp(-v))


FUNCTIONS = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b, "^": power,
    "coef": lambda a, b: a * b, "neg": lambda a: -a,
    "<": compare(lambda a, b: a < b), "<=": compare(lambda a, b: a <= b), ">": compare(lambda a, b: a > b),
    ">=": compare(lambda a, b: a >= b), "==": compare(lambda a, b: a == b), "!=": compare(lambda a, b: a != b),
    "exp": mp.exp, "log": mp.log, "ln": mp.log, "log2": lambda v: mp.log(v) / mp.log(2), "log10": mp.log10, "log1p": lambda v: mp.log(1 + v),
    "expm1": lambda v: mp.exp(v) - 1, "sqrt": mp.sqrt, "cbrt": lambda v: mp.sign(v) * abs(v) ** (mp.mpf(1) / 3),
    "sin": mp.sin, "cos": mp.cos, "tan": mp.tan, "asin": mp.asin, "acos": mp.acos, "atan": mp.atan, "atan2": mp.atan2,
    "sinh": mp.sinh, "cosh": mp.cosh, "tanh": mp.tanh, "asinh": mp.asinh, "acosh": mp.acosh, "atanh": mp.atanh,
    "sigmoid": sigmoid, "log_sigmoid": lambda v: mp.log(sigmoid(v)), "softplus": lambda v: mp.log(1 + mp.exp(v)),
    "relu": kinked(lambda v: max(v, 0)), "leaky_relu": kinked(lambda v: v if v > 0 else v * mp.mpf(0.01)),
    "elu": lambda v: v if v > 0 else mp.exp(v) - 1, "gelu": lambda v: v * mp.ncdf(v), "silu": lambda v: v * sigmoid(v),
    "erf": mp.erf, "lgamma": lambda v: mp.log(abs(mp.gamma(v))), "digamma": mp.digamma,
    "abs": kinked(abs), "sign": kinked(mp.sign), "floor": step(mp.floor), "ceil": step(mp.ceil), "round": step(mp.nint),
    "mod": mod, "hypot": mp.hypot, "max": largest, "min": lambda *v: -largest(*(-x for x in v)), "clip": clip,
    "logaddexp": lambda a, b: mp.log(mp.exp(a) + mp.exp(b)), "xlogy": lambda x, y: x * mp.log(y),
}  # fmt: skip


def variance(v):
    middle = sum(v) / len(v)
    return sum((x - middle) ** 2 for x in v) / len(v)


def root(square):
    at_a_kink(square)
    return mp.sqrt(square)


REDUCTIONS = {
    "sum": lambda v: mp.fsum(v), "prod": lambda v: mp.fprod(v), "mean": lambda v: mp.fsum(v) / len(v),
    "max": lambda v: largest(*v), "min": lambda v: -largest(*(-x for x in v)), "var": variance, "std": lambda v: root(variance(v)),
    "norm": lambda v: root(sum(x * x for x in v)), "logsumexp": lambda v: mp.log(sum(map(mp.exp, v))),
}  # fmt: skip


def softmax(v):
    whole = sum(map(mp.exp, v))
    return [mp.exp(x) / whole for x in v]


TABLE_VALUED = {
    "softmax": softmax,
    "log_softmax": lambda v: [mp.log(x) for x in softmax(v)],
    "cumsum": lambda v: list(itertools.accumulate(v)),
}  # fmt: skip


# ---- programs


class Oracle:
    """`bump`: what is added to elements, by (name, subscripts), after they are worked out. `noise`: every operation's
    result is off by up to this much, relative, as in an arithmetic of fewer digits."""

    def __init__(self, text, bump=None, noise=0):
        self.tree = parse(Source("<oracle>", text))
        self.bump, self.noise, self.state = bump or {}, mp.mpf(noise), 12345
        self.consts, self.leaves, self.whole, self.pieces, self.functions, self.goal = {}, {}, {}, {}, {}, None
        self.known, self.tables = {}, {}
        for s in self.tree.statements:
            match s:
                case ast.Declaration("const", items, _):
                    self.consts |= {item.name: item for item in items}
                case ast.Declaration(_, items, _):
                    self.leaves |= {item.name: item for item in items}
                case ast.Equation(ast.Name(name, _), _, _, _, _):
                    self.whole[name] = s
                case ast.Equation(ast.Subscript(ast.Name(name, _), _, _), _, _, _, _):
                    self.pieces.setdefault(name, []).append(s)
                case ast.FunctionDef(name, _, _, _, _):
                    self.functions[name] = s
                case ast.Goal(_, targets, _):
                    self.goal = self.goal or targets[0]

    # -- variables

    def names(self):
        return [*self.leaves, *self.whole, *self.pieces]

    def const(self, name):
        return self.value(self.consts[name].value, {})

    def whole_number(self, node, at):
        value = self.value(node, at)
        return int(mp.nint(value))

    def ranges(self, name):
        if name not in self.tables:
            self.tables[name] = self.find_ranges(name)
        return self.tables[name]

    def find_ranges(self, name):
        if name in self.leaves:
            item = self.leaves[name]
            if item.ranges is not None:
                return tuple((1 if r.low is None else self.whole_number(r.low, {}), self.whole_number(r.high, {})) for r in item.ranges)
            value = self.value(item.value, {})
            return value.ranges if isinstance(value, Table) else ()
        if name in self.whole:
            value = self.whole_value(name)
            return value.ranges if isinstance(value, Table) else ()
        boxes = [self.piece_box(s) for s in self.pieces[name]]
        return tuple((min(b[d][0] for b in boxes), max(b[d][1] for b in boxes)) for d in range(len(boxes[0])))

    def piece_box(self, s):
        over = {b.name: self.binder_range(b, {}, s.value, skip=s.target.base.name) for b in s.binders}
        return [over[x.name] if isinstance(x, ast.Name) and x.name in over else (self.whole_number(x, {}),) * 2 for x in s.target.subs]

    def whole_value(self, name):
        """The right-hand side of an equation without subscripts, or a leaf's value, with the bumps of its elements."""
        if name not in self.known:
            value = self.value(self.whole[name].value, {}) if name in self.whole else self.leaf_value(name)
            if isinstance(value, Table):
                value = Table(value.ranges, {k: v + self.bump.get((name, k), 0) for k, v in value.items.items()}, value.row)
            else:
                value += self.bump.get((name, ()), 0)
            self.known[name] = value
        return self.known[name]

    def leaf_value(self, name):
        value, ranges = self.value(self.leaves[name].value, {}), self.ranges(name)
        if not ranges:
            return value
        if isinstance(value, Table):
            return moved(value, ranges)
        return Table(ranges, dict.fromkeys(box(ranges), value))

    def element(self, name, subs):
        if name not in self.pieces:
            return self.whole_value(name).items[subs]
        if (name, subs) not in self.known:
            s = next(s for s in self.pieces[name] if all(low <= k <= high for k, (low, high) in zip(subs, self.piece_box(s))))
            bound = {x.name for x in s.binders}
            at = {x.name: k for x, k in zip(s.target.subs, subs) if isinstance(x, ast.Name) and x.name in bound}
            self.known[name, subs] = self.value(s.value, at) + self.bump.get((name, subs), 0)
        return self.known[name, subs]

    def variable(self, name):
        if name in self.pieces:
            ranges = self.ranges(name)
            return Table(ranges, {k: self.element(name, k) for k in box(ranges)})
        return self.whole_value(name)

    # -- expressions

    def rounded(self, value):
        if self.noise:
            self.state = self.state * 1103515245 % (1 << 31) + 12345
            return value * (1 + self.noise * (2 * mp.mpf(self.state) / (1 << 31) - 1))
        return value

    def value(self, node, at):
        """A number or a Table; `at`: indices and arguments in reach."""
        match node:
            case ast.Num(value, _, _):
                return mp.mpf(value)
            case ast.Name(name, _):
                return self.name(name, at)
            case ast.Op("T", (a,), _):
                return self.transpose(self.value(a, at))
            case ast.Op("@", (a, b), _):
                return self.matmul(self.value(a, at), self.value(b, at))
            case ast.Op(op, args, _):
                return self.elementwise(FUNCTIONS[op], [self.value(a, at) for a in args])
            case ast.Subscript(base, subs, _):
                subs = tuple(self.whole_number(s, at) for s in subs)
                if isinstance(base, ast.Name) and base.name in self.pieces:
                    return self.element(base.name, subs)
                return self.value(base, at).items[subs]
            case ast.List(items, _):
                return self.list([self.value(i, at) for i in items])
            case ast.Call(_, _, binders, _, _) if binders:
                return self.comprehension(node, at)
            case ast.Call(name, args, _, _, _):
                return self.call(name, args, at)
        raise AssertionError(node)

    def name(self, name, at):
        if name in at:
            return mp.mpf(at[name])
        if name in self.consts:
            return self.const(name)
        if name in self.leaves or name in self.whole or name in self.pieces:
            return self.variable(name)
        return {"pi": +mp.pi, "e": +mp.e}[name]

    def list(self, rows):
        if not isinstance(rows[0], Table):
            return Table(((1, len(rows)),), {(k + 1,): v for k, v in enumerate(rows)}, literal=True)
        return Table(((1, len(rows)), *rows[0].ranges), {(k + 1, *sub): v for k, row in enumerate(rows) for sub, v in row.items.items()}, literal=True)

    def elementwise(self, f, values):
        tables = [v for v in values if isinstance(v, Table)]
        if not tables:
            return self.rounded(f(*values))
        lead = next((t for t in tables if not t.literal), tables[0])
        values = [moved(v, lead.ranges) if isinstance(v, Table) and v.literal else v for v in values]
        for v in values:
            assert not isinstance(v, Table) or v.ranges == lead.ranges
        items = {k: self.rounded(f(*(v.items[k] if isinstance(v, Table) else v for v in values))) for k in box(lead.ranges)}
        return Table(lead.ranges, items, lead.row)

    def transpose(self, t):
        if len(t.ranges) == 1:
            return Table(t.ranges, t.items, not t.row)
        return Table(t.ranges[::-1], {(i, j): t.items[j, i] for i, j in box(t.ranges[::-1])})

    def matmul(self, a, b):
        la, lb = len(a.ranges), len(b.ranges)
        if la == lb == 1 and b.row:
            assert not a.row
            return Table(a.ranges + b.ranges, {(i, j): a.items[i,] * b.items[j,] for i, j in box(a.ranges + b.ranges)})
        if a.literal:
            a = moved(a, a.ranges[:-1] + b.ranges[:1])
        if b.literal:
            b = moved(b, a.ranges[-1:] + b.ranges[1:])
        assert a.ranges[-1] == b.ranges[0] and not (lb == 1 and b.row)
        outer = a.ranges[:-1] + b.ranges[1:]
        inner = range(a.ranges[-1][0], a.ranges[-1][1] + 1)
        items = {k: self.rounded(sum(a.items[*k[: la - 1], m] * b.items[m, *k[la - 1 :]] for m in inner)) for k in box(outer)}
        return Table(outer, items, la == 1 and a.row and lb == 2) if outer else items[()]

    def call(self, name, args, at):
        if name in self.functions:
            f = self.functions[name]
            return self.elementwise(lambda *v: self.value(f.body, dict(zip((p.name for p in f.params), v))), [self.value(a, at) for a in args])
        if name == "where":
            return self.where(args, at)
        values = [self.value(a, at) for a in args]
        if name in REDUCTIONS and len(values) == 1:
            return self.rounded(REDUCTIONS[name](list(values[0].items.values())))
        match name:
            case "dot":
                return self.matmul(values[0]._replace(row=True), values[1]._replace(row=False))
            case "outer":
                return self.matmul(values[0]._replace(row=False), values[1]._replace(row=True))
            case "trace":
                return sum(v for (i, j), v in values[0].items.items() if i == j)
            case "diag" if len(values[0].ranges) == 2:
                return Table(values[0].ranges[:1], {(i,): values[0].items[i, i] for (i,) in box(values[0].ranges[:1])})
            case "diag":
                return Table(values[0].ranges * 2, {(i, j): values[0].items[i,] if i == j else mp.mpf(0) for i, j in box(values[0].ranges * 2)})
            case "softmax" | "log_softmax" | "cumsum":
                return values[0]._replace(items=dict(zip(box(values[0].ranges), TABLE_VALUED[name](list(values[0].items.values())))), literal=False)
        return self.elementwise(FUNCTIONS[name], values)

    def where(self, args, at):
        """Only the branch taken is looked at, for a scalar condition."""
        condition = self.value(args[0], at)
        if not isinstance(condition, Table):
            yes, no = args[1:]
            taken = self.value(yes if condition else no, at)
            if isinstance(taken, Table):
                return taken
            other = self.value(no if condition else yes, at)  # a table beside a scalar fills it
            return self.elementwise(lambda a, b: a, [taken, other]) if isinstance(other, Table) else taken
        return self.elementwise(lambda c, a, b: a if c else b, [condition, self.value(args[1], at), self.value(args[2], at)])

    # -- binders

    def binder_range(self, b, at, body, skip=""):
        if b.low is not None:
            return self.whole_number(b.low, at), self.whole_number(b.high, at)
        found = set()
        for n in ast.postorder(body):
            if isinstance(n, ast.Subscript) and isinstance(n.base, ast.Name) and n.base.name != skip:
                for s, r in zip(n.subs, self.ranges(n.base.name)):
                    if isinstance(s, ast.Name) and s.name == b.name:
                        found.add(r)
        (over,) = found
        return over

    def comprehension(self, node, at):
        body = node.args[0]
        points = [dict(at)]
        for b in node.binders:
            new = []
            for p in points:
                low, high = self.binder_range(b, p, body)
                new += [{**p, b.name: k} for k in range(low, high + 1)]
            points = new
        values = [self.value(body, p) for p in points]
        if node.name in TABLE_VALUED:
            low, high = self.binder_range(node.binders[0], at, body)
            return Table(((low, high),), dict(zip(box([(low, high)]), TABLE_VALUED[node.name](values))))
        return self.rounded(REDUCTIONS[node.name](values))

    # -- results

    def goal_value(self):
        if self.goal is None:
            raise AssertionError("an oracle needs a goal")
        return self.value(self.goal, {})


def values(text, noise=0):
    """The value of every variable: numbers in row-major order."""
    with mp.workdps(DIGITS):
        o = Oracle(text, noise=noise)
        found = {name: o.variable(name) for name in o.names()}
        return {name: list(v.items.values()) if isinstance(v, Table) else [v] for name, v in found.items()}


def gradient(text, name, noise=0):
    """d goal / d variable, in row-major order."""
    with mp.workdps(DIGITS):
        ranges = Oracle(text).ranges(name)
        before = Oracle(text, noise=noise).goal_value()
        return [(Oracle(text, {(name, subs): STEP}, noise).goal_value() - before) / STEP for subs in box(ranges)]
