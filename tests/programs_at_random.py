"""Random programs as text, for laws that every program keeps.

A `Writer` makes a program with an object that draws like `random.Random`. `programs()` draws a seed and a size, which is
fast; `shrinking_programs()` makes every choice hypothesis', for looking into a failure. Values are tame: what grows is squeezed through tanh, sin or a quotient with a divisor of at
least 1, so that nothing overflows and no function leaves its domain.
"""

from random import Random
from typing import NamedTuple

from hypothesis import strategies as st

RANGES = [(0, 2), (1, 3), (-1, 2), (1, 2), (0, 3), (2, 4), (1, 1)]
SMOOTH = ["exp(sin({}))", "log({}^2 + 1)", "log2({}^2 + 2)", "log10(2 + sin({}))", "log1p({}^2)", "expm1(tanh({}))", "sqrt({}^2 + 1)",
          "cbrt({}^2 + 1)", "sin({})", "cos({})", "tan(tanh({}))", "asin(tanh({})/2)", "acos(sin({})/2)", "atan({})", "sinh(tanh({}))",
          "cosh(tanh({}))", "tanh({})", "asinh({})", "acosh(2 + tanh({}))", "atanh(tanh({})/2)", "sigmoid({})", "1/(1 + exp(-sin({})))",
          "log_sigmoid({})", "softplus({})", "relu({})", "leaky_relu({})", "elu({})", "gelu({})", "silu({})", "erf({})", "lgamma(2 + tanh({}))",
          "digamma(3 + sin({}))", "abs({})", "tanh({})^2", "tanh({})^3", "(1 + cos({})^2)^-1", "(2 + sin({}))^0.5", "2^tanh({})", "-sin({})",
          "ln(3 + cos({}))", "1/({}^2 + 1)", "cos(2({}))", "clip({}, -0.45, 0.55)"]  # fmt: skip
SMOOTH_2 = ["{} + {}", "{} - {}", "sin({})*{}", "tanh({})*tanh({})", "{}/(1 + {}^2)", "atan2({}, 2 + cos({}))", "hypot({}, 1 + sin({})^2)",
            "max({}, {})", "min({}, {})", "logaddexp(sin({}), tanh({}))", "xlogy(tanh({}), 2 + sin({}))", "(2 + sin({}))^tanh({})",
            "mod(tanh({}), 1.5 + sin({})/4)", "where({} > 0.1, tanh({}), cos({}))", "where({} <= {}, 0.5, -1.5)", "3*{}*tanh({})", "2tanh({}) - {}/3"]  # fmt: skip
REDUCE = ["sum", "prod", "max", "min", "mean", "var", "std", "norm", "logsumexp"]
NAMES = ["x", "y", "z", "w", "u1", "u2", "u10", "a", "b", "c", "v", "q", "alpha", "theta2", "s", "t", "p", "E", "A", "B", "G", "H", "W", "h", "r"]
INDICES = ["i", "j", "k", "l", "m", "n"]


class Known(NamedTuple):
    """A variable that may be read; `gather`: a table of integers, for subscripts."""

    name: str
    ranges: tuple = ()
    row: bool = False
    gather: bool = False


class Writer:
    def __init__(self, draw, linear=False):
        """`linear`: with det, slogdet, inv and solve of matrices that are far from singular."""
        self.draw, self.linear = draw, linear
        self.unused = list(NAMES)
        self.known: list[Known] = []
        self.consts: dict[str, int] = {}
        self.functions: dict[str, int] = {}
        self.lines: list[str] = []

    # -- small choices

    def pick(self, options):
        return options[self.draw.randint(0, len(options) - 1)]

    def chance(self, percent):
        return self.draw.randint(1, 100) <= percent

    def name(self):
        return self.unused.pop(self.draw.randint(0, len(self.unused) - 1))

    def number(self):
        n = self.draw.randint(-199, 199)
        return f"{(n or 7) / 100:g}"

    def positive(self):
        return f"{self.draw.randint(1, 199) / 100:g}"

    def literal(self, extents):
        if not extents:
            return self.number()
        return "[" + ", ".join(self.literal(extents[1:]) for _ in range(extents[0])) + "]"

    def bound(self, k):
        """A whole number, perhaps by a const."""
        for name, value in self.consts.items():
            if self.chance(40):
                d = k - value
                return name if d == 0 else f"{name}{d:+d}"
        return str(k)

    def span(self, r):
        return f"{self.bound(r[0])}..{self.bound(r[1])}"

    def tables(self, dims, gather=False):
        return [v for v in self.known if len(v.ranges) == dims and v.gather == gather]

    # -- expressions of numbers; `at`: indices in reach with the interval that each may be in

    def scalar(self, at, depth):
        kind = self.draw.randint(0, 9)
        if depth <= 0 or kind <= 2:
            return self.atom(at)
        if kind <= 4:
            return self.pick(SMOOTH).format(self.scalar_wrapped(at, depth - 1))
        if kind <= 6:
            form = self.pick(SMOOTH_2)
            return "(" + form.format(*(self.scalar_wrapped(at, depth - 1) for _ in range(form.count("{}")))) + ")"
        if kind == 7:
            return self.reduction(at, depth)
        if kind == 8 and self.functions:
            f = self.pick(list(self.functions))
            return f"{f}({', '.join(self.scalar(at, depth - 1) for _ in range(self.functions[f]))})"
        return self.whole_reduction(at, depth)

    def scalar_wrapped(self, at, depth):
        e = self.scalar(at, depth)
        return e if e.replace("_", "a").isalnum() and e[0].isalpha() else f"({e})"

    def atom(self, at):
        kind = self.draw.randint(0, 9)
        scalars = self.tables(0)
        if kind <= 1:
            return self.positive() if self.chance(70) else self.number()
        if kind == 2 and at:
            return f"0.3*{self.pick(list(at))}"
        if kind == 3 and self.consts:
            return self.pick(list(self.consts))
        if kind <= 5 and scalars:
            return self.pick(scalars).name
        for _ in range(3):
            tables = self.tables(1) + self.tables(2)
            if tables:
                v = self.pick(tables)
                return f"{v.name}[{','.join(self.subscript(r, at) for r in v.ranges)}]"
        return self.pick(scalars).name if scalars else "0.7"

    def subscript(self, r, at):
        """A subscript that stays inside a range."""
        low, high = r
        options = []
        for i, (a, b) in at.items():
            if b < a:
                continue
            options += [f"{i}{k:+d}" if k else i for k in range(low - a, high - b + 1)][:3]
            if high - low >= b - a:
                options += [f"{low + b}-{i}" if low + b else f"-{i}"]
            if low <= 2 * a - 1 and 2 * b - 1 <= high:
                options.append(f"2*{i}-1")
            if low <= 2 * a and 2 * b <= high:
                options.append(f"2{i}")
            for j, (c, d) in at.items():
                if j != i and d >= c:
                    for k in range(low - a - c, high - b - d + 1):
                        options.append(f"{i}+{j}{k:+d}" if k else f"{i}+{j}")
                    if low <= a - d and b - c <= high:
                        options.append(f"{i}-{j}")
        for g in self.tables(1, gather=True):
            if r == self.gathered[g.name] and self.chance(60):
                options.append(f"{g.name}[{self.subscript(g.ranges[0], at)}]")
        if options and self.chance(85):
            return self.pick(options)
        return self.bound(self.draw.randint(low, high))

    def index(self, at):
        return next(i for i in INDICES if i not in at and i not in self.consts)

    def reduction(self, at, depth):
        """`sum(… for i in a..b)` and its like, of one or two indices."""
        if len(at) >= 4:
            return self.atom(at)
        f, inner, binders, k = self.pick(REDUCE), dict(at), [], ""
        i = self.index(inner)
        r = self.pick(RANGES)
        outer = [(k, over) for k, over in at.items() if over[0] < over[1]]
        if outer and self.chance(30):  # a bound that follows an outer index; never empty but for sums
            k, (a, b) = self.pick(outer)
            if f in ("sum", "prod") and self.chance(50):
                binders.append(f"{i} in {k}+1..{self.bound(b)}")
                inner[i] = (a + 1, b)
            else:
                binders.append(f"{i} in {self.bound(a)}..{k}")
                inner[i] = (a, b)
        else:
            binders.append(f"{i} in {self.span(r)}")
            inner[i] = r
        if self.chance(25):
            j = self.index(inner)
            a, b = inner[i]
            if f in ("sum", "prod") and a < b and self.chance(50):
                binders.append(f"{j} in {i}+1..{self.bound(b)}")
                inner[j] = (a + 1, b)
            else:
                inner[j] = self.pick(RANGES)
                binders.append(f"{j} in {self.span(inner[j])}")
        e = self.scalar(inner, depth - 1)
        if f == "std" and (inner[i][0] == inner[i][1] or k):
            f = "var"  # of one element std has a kink
        if f == "std":
            e = f"{i} + sin({e})"
        if f in ("max", "min"):
            e = f"0.01*{i} + tanh({e})" + "".join(f" + 0.003*{j}" for j in inner if j not in at and j != i)
        if f == "prod":
            e = f"tanh({e})"
        if f == "norm":
            e = f"2 + sin({e})"
        if f == "logsumexp":
            e = f"sin({e})"
        return f"{f}({e} for {', '.join(binders)})"

    def square(self, r, depth, at):
        """A matrix whose diagonal outweighs the rest of each row."""
        n = r[1] - r[0] + 1
        diagonal = "[" + ", ".join("[" + ", ".join("3" if i == j else "0" for j in range(n)) + "]" for i in range(n)) + "]"
        return f"(0.5*tanh({self.table((r, r), depth, at)}) + {diagonal})"

    def of_matrix(self, at, depth):
        r = self.pick([r for r in RANGES if r[1] - r[0] < 3])
        form = self.pick(["det({})", "slogdet({})", "inv({})[{1},{2}]", "solve({}, {3})[{1}]", "trace(inv({}))"])
        subs = [str(self.draw.randint(*r)) for _ in range(2)]
        return form.replace("{}", "{0}", 1).format(self.square(r, depth - 1, at), *subs, self.table((r,), depth - 1, at))

    def whole_reduction(self, at, depth):
        if self.linear and self.tables(1) + self.tables(2) and self.chance(25):
            return self.of_matrix(at, depth)
        ranges = self.pick([v.ranges for v in self.tables(1) + self.tables(2)] or [((1, 2),)])
        kind = self.draw.randint(0, 7)
        if len(ranges) == 1 and kind <= 1:
            return self.pick(["dot({}, {})", "({}).T @ ({})", "({}) @ ({})"]).format(self.table(ranges, depth - 1, at), self.table(ranges, depth - 1, at))
        if kind == 2 and len(ranges) == 2 and ranges[0] == ranges[1]:
            return f"trace({self.table(ranges, depth - 1, at)})"
        if kind == 3:
            return f"{self.pick(['sum', 'prod', 'mean', 'logsumexp'])}([{', '.join(f'tanh({self.scalar(at, depth - 1)})' for _ in range(self.draw.randint(1, 3)))}])"
        if kind == 4 and self.chance(50):
            return f"{self.pick(['max', 'min'])}({', '.join(self.scalar(at, depth - 1) for _ in range(3))})"
        if kind == 5 and len(ranges) == 1:
            return f"({self.table(ranges, depth - 1, at)})[{self.subscript(ranges[0], at)}]"
        if kind == 6 and self.tables(1):
            v = self.pick(self.tables(1))
            i = self.index(at)
            if i not in at:
                return f"{self.pick(['sum', 'mean', 'logsumexp'])}({self.pick(['sin', 'tanh', 'cos'])}({v.name}[{i}]) for {i})"
        f = self.pick(["sum", "mean", "var", "logsumexp", "norm", "prod", "max"])
        e = self.table(ranges, depth - 1, at)
        e = {"norm": f"2 + sin({e})", "prod": f"tanh({e})", "max": f"sin({e})", "logsumexp": f"tanh({e})"}.get(f, e)
        return f"{f}({e})"

    # -- expressions of tables (columns and matrices)

    def table(self, ranges, depth, at):
        same = [v for v in self.known if v.ranges == ranges and not v.gather]
        kind = self.draw.randint(0, 9)
        if depth <= 0 or kind <= 1:
            if same and self.chance(85):
                v = self.pick(same)
                return f"{v.name}.T" if v.row else v.name
            lows = [r[0] for r in ranges]
            if all(low == 1 for low in lows):
                return self.literal([b - a + 1 for a, b in ranges])
            if same:
                return f"({self.pick_column(same)} + {self.literal([b - a + 1 for a, b in ranges])})"
            return self.made(ranges)
        if kind <= 3:
            return self.pick(SMOOTH).format(f"({self.table(ranges, depth - 1, at)})")
        if kind <= 5:
            form = self.pick([f for f in SMOOTH_2])
            parts = [f"({self.table(ranges, depth - 1, at)})" if k == 0 or self.chance(60) else f"({self.scalar(at, depth - 1)})" for k in range(form.count("{}"))]
            return f"({form.format(*parts)})"
        if kind == 6 and len(ranges) == 1:
            return f"{self.pick(['softmax', 'log_softmax', 'cumsum'])}({self.table(ranges, depth - 1, at)})"
        if kind == 7 and len(ranges) == 1:
            matrices = [v for v in self.tables(2) if ranges[0] in v.ranges]
            if matrices:
                m = self.pick(matrices)
                if m.ranges[0] == ranges[0]:
                    return f"({m.name} @ ({self.table(m.ranges[1:], depth - 1, at)}))"
                return f"({m.name}.T @ ({self.table(m.ranges[:1], depth - 1, at)}))"
            return f"diag({self.table(ranges * 2, depth - 1, at)})"
        if kind == 7 and len(ranges) == 2:
            if ranges[0] == ranges[1] and self.chance(40):
                return f"diag({self.table(ranges[:1], depth - 1, at)})"
            a, b = self.table(ranges[:1], depth - 1, at), self.table(ranges[1:], depth - 1, at)
            return self.pick([f"outer({a}, {b})", f"(({a}) @ ({b}).T)", f"({self.table(ranges[::-1], depth - 1, at)}).T"])
        if kind == 8 and self.functions:
            f = self.pick(list(self.functions))
            return f"{f}({', '.join(self.table(ranges, depth - 1, at) for _ in range(self.functions[f]))})"
        return f"({self.scalar(at, depth - 1)})*tanh({self.table(ranges, depth - 1, at)})"

    def pick_column(self, same):
        v = self.pick(same)
        return f"{v.name}.T" if v.row else v.name

    def made(self, ranges):
        """A table over ranges that no variable has, through a variable of its own."""
        return self.leaf(ranges)

    # -- statements

    def leaf(self, ranges, role=None):
        name = self.name()
        role = role or self.pick(["input", "input", "param", "data"])
        extents = [b - a + 1 for a, b in ranges]
        shape = f"[{', '.join(self.span(r) if r[0] != 1 or self.chance(50) else self.bound(r[1]) for r in ranges)}]" if ranges else ""
        value = self.literal(extents)
        self.lines.append(f"{role} {name}{shape} = {value}")
        self.known.append(Known(name, tuple(ranges)))
        return name

    def gather_table(self):
        targets = self.tables(1)
        if not targets:
            return
        low, high = self.pick(targets).ranges[0]
        name, r = self.name(), self.pick(RANGES)
        values = [str(self.draw.randint(low, high)) for _ in range(r[1] - r[0] + 1)]
        self.lines.append(f"data {name}[{self.span(r)}] = [{', '.join(values)}]")
        self.known.append(Known(name, (r,), gather=True))
        self.gathered[name] = (low, high)

    def function(self):
        name, n = f"f{len(self.functions) + 1}", self.draw.randint(1, 2)
        saved, self.known = self.known, [Known(a) for a in ("v", "g")[:n]]
        parts = [self.scalar({}, 2) if self.chance(50) else self.pick(SMOOTH).format(a.name) for a in self.known]
        self.known = saved
        self.lines.append(f"{name}({', '.join(('v', 'g')[:n])}) = {' + '.join(parts)}")
        self.functions[name] = n

    def scalar_equation(self):
        e = self.scalar({}, 3)
        name = self.name()
        self.lines.append(f"{name} = {e}")
        self.known.append(Known(name))

    def table_equation(self):
        ranges = self.pick([v.ranges for v in self.tables(1) + self.tables(2)] or [((1, 2),)])
        e = self.pick(SMOOTH).format(f"({self.table(ranges, 2, {})})")
        name = self.name()
        row = len(ranges) == 1 and self.chance(15)
        self.lines.append(f"{name} = ({e}).T" if row else f"{name} = {e}")
        self.known.append(Known(name, ranges, row))

    def element_equation(self):
        """A table by elements, in one piece or several."""
        dims = 1 if self.chance(65) else 2
        ranges = tuple(self.pick(RANGES) for _ in range(dims))
        letters = [i for i in INDICES if i not in self.consts][:dims]
        if self.chance(20):
            letters.reverse()
        name = None
        low, high = ranges[0]
        cut = self.draw.randint(low, high) if self.chance(40) else low - 1
        lines = []
        for r in [(low, cut), (cut + 1, high)]:
            if r[0] > r[1]:
                continue
            at = dict(zip(letters, (r, *ranges[1:])))
            first = letters[0]
            if r[0] == r[1] and self.chance(70):
                del at[letters[0]]
                first = str(r[0])
            e = self.scalar(at, 3)
            name = name or self.name()
            over = ", ".join(f"{i} in {self.span(x)}" for i, x in at.items())
            lines.append(f"{name}[{','.join([first, *letters[1:]])}] = {e}" + (f" for {over}" if over else ""))
        self.lines += lines
        self.known.append(Known(name, ranges))

    def recurrence(self):
        """h[k] from h[k-1] and h[k-2], or from h[k+1]; perhaps two tables that read one another."""
        length, k = self.draw.randint(3, 5), "k" if "k" not in self.consts else "l"
        low = self.pick([0, 1, -1])
        high = low + length - 1
        names = [self.name() for _ in range(self.pick([1, 1, 2]))]
        back = self.chance(25)
        starts = [high, high - 1] if back else [low, low + 1]
        body = (low, high - 2) if back else (low + 2, high)
        one, two = (f"{k}+1", f"{k}+2") if back else (f"{k}-1", f"{k}-2")
        lines = []
        for n, name in enumerate(names):
            other = names[1 - n] if len(names) > 1 else name
            for s in starts:
                lines.append(f"{name}[{s}] = {self.scalar({}, 1)}")
            read = [f"{name}[{one}]", f"{other}[{one}]" if n == 0 else f"{other}[{k}]", f"{name}[{two}]"]
            e = self.scalar({k: body}, 1)
            form = self.pick(["tanh({0} + {3}*{1})", "sin({0})*{1} + {3}/2", "0.5*{0} + tanh({2}) + {1}*({3})/4", "sin({0} + {1})*cos({2}) - ({3})",
                              "tanh(sum({n}[m] for m in {low}..{upto}) + {3})" if not back else "cos({0} - {2})*({3})"])  # fmt: skip
            e = form.format(*read, f"({e})", n=name, low=low, upto=f"{k}-1")
            lines.append(f"{name}[{k}] = {e} for {k} in {self.span(body)}")
        self.lines += lines
        self.known += [Known(name, ((low, high),)) for name in names]

    def grid(self):
        """g[i,j] from its neighbours above and to the left."""
        g, i, j = self.name(), "i" if "i" not in self.consts else "l", "j" if "j" not in self.consts else "m"
        n, m = self.draw.randint(1, 2), self.draw.randint(1, 3)
        edge, e = self.scalar({i: (0, n)}, 1), self.scalar({i: (1, n), j: (1, m)}, 1)
        top = self.scalar({j: (1, m)}, 1)
        self.lines += [f"{g}[{i},0] = {edge} for {i} in 0..{n}", f"{g}[0,{j}] = {top} for {j} in 1..{m}",
                       f"{g}[{i},{j}] = tanh({g}[{i}-1,{j}] + 0.5*{g}[{i},{j}-1]) + ({e})/3 for {i} in 1..{n}, {j} in 1..{m}"]  # fmt: skip
        self.known.append(Known(g, ((0, n), (0, m))))

    def goal(self):
        parts = []
        fresh = [v for v in self.known if not v.gather]
        nodes = fresh[-6:]
        for v in nodes:
            if self.chance(75) or v is nodes[-1]:
                if not v.ranges:
                    parts.append(f"{self.number()}*{v.name}")
                elif self.chance(50):
                    weights = "0.1*i + 1.3" if len(v.ranges) == 1 else "0.1*i - 0.4*j + 0.8"
                    letters = ["i", "j"][: len(v.ranges)]
                    if any(i in self.consts for i in letters):
                        parts.append(f"sum(sin({v.name}))")
                    else:
                        subs = ",".join(letters)
                        over = ", ".join(f"{i} in {self.span(r)}" for i, r in zip(letters, v.ranges))
                        parts.append(f"sum(({weights})*{v.name}[{subs}] for {over})")
                else:
                    parts.append(f"{self.pick(['sum', 'mean', 'var'])}(sin({v.name}))" if not v.row else f"sum(cos({v.name}))")
        kind = self.draw.randint(0, 9)
        tables = [v for v in fresh if len(v.ranges) in (1, 2) and any(line.startswith((f"{v.name}[", f"{v.name} =")) for line in self.lines)]
        if kind == 0 and tables:
            v = self.pick(tables)
            self.lines.append(f"output {v.name}[{','.join(str(self.draw.randint(*r)) for r in v.ranges)}]")
        else:
            self.lines.append(f"J = {' + '.join(parts).replace('+ -', '- ')}")
            self.lines.append(self.pick(["minimize J", "maximize J", "output J"]))

    def program(self, size):
        self.gathered: dict[str, tuple] = {}
        if self.chance(40):
            name, value = self.pick(["N", "M", "n"]), self.draw.randint(1, 3)
            self.consts[name] = value
            self.lines.append(f"const {name} = {value}")
        for _ in range(self.draw.randint(1, 2)):
            self.leaf(())
        for _ in range(self.draw.randint(1, 2)):
            self.leaf((self.pick(RANGES),))
        if self.chance(50):
            self.leaf((self.pick(RANGES), self.pick(RANGES)))
        if self.chance(30):
            self.gather_table()
        if self.chance(40):
            self.function()
        for _ in range(self.draw.randint(1, size)):
            kind = self.draw.randint(0, 9)
            (self.scalar_equation if kind <= 2 else self.table_equation if kind <= 4 else self.element_equation if kind <= 7 else
             self.recurrence if kind == 8 else self.grid)()  # fmt: skip
        self.goal()
        self.shuffle()
        return "\n".join(self.lines) + "\n"

    def shuffle(self):
        """Statements come in any order."""
        for k in range(len(self.lines) - 1, 0, -1):
            other = self.draw.randint(0, k)
            self.lines[k], self.lines[other] = self.lines[other], self.lines[k]


def programs(size=4):
    return st.builds(lambda seed, size: Writer(Random(seed)).program(size), st.integers(0, 2**40), st.integers(1, size))


@st.composite
def shrinking_programs(draw, size=3):
    return Writer(draw(st.randoms(use_true_random=False))).program(size)


def shuffled(text, random):
    """The same statements in another order."""
    lines = text.splitlines()
    random.shuffle(lines)
    return "\n".join(lines) + "\n"
