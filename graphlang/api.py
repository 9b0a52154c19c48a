"""`gl.Graph()`: the same graph without text, for programs that write programs.

    g = gl.Graph()
    x = g.input("x", 2)
    t = g.define("t", x**2)
    g.minimize(gl.cos(gl.sin(t) + 3*t), name="J")
    g.run().adjoints["x"]
"""

from __future__ import annotations

from functools import cache
from numbers import Real
from operator import index
from pathlib import Path
from typing import Iterable, Mapping, Sequence

from graphlang.diagnostics import Diagnostic, GraphError
from graphlang.graph.expressions import Expr, Pool
from graphlang.graph.functions import ALIASES, FUNCTIONS
from graphlang.graph.graph import Equation, Goal, Initial, Range, Variable
from graphlang.graph.graph import Graph as BuiltGraph
from graphlang.graph.values import BUILT_IN, OWN
from graphlang.pipeline import Program, add_exact, certain_digits, evaluate_graph
from graphlang.pipeline import loads as read_text
from graphlang.run import Run
from graphlang.syntax.names import NotAName, canonical

FUNCTION_NAMES = OWN | set(ALIASES)


def loads(text: str, name: str = "<text>", folder: str | Path | None = None, allow: Iterable[str | Path] = ()) -> Program:
    """Read a program from its text. `include` reads files beneath `folder` and the folders of `allow`; without a folder
    it is refused. Raises GraphError."""
    if not isinstance(text, str):
        hint = "; decode the bytes first: text.decode()" if isinstance(text, (bytes, bytearray)) else "; a file is read by load(path)"
        raise TypeError(f"the text of a program is a str, not {type(text).__name__}{hint}")
    return read_text(text, name, folder, allow)


def wrong(code: str, message: str) -> GraphError:
    return GraphError([Diagnostic(code, message)])


class Node:
    """A handle on a number of a graph under construction. Arithmetic, comparisons and the functions of the language
    make new ones, exactly as they are written."""

    __slots__ = ("graph", "expr")

    def __init__(self, graph: "Graph", expr: Expr):
        self.graph, self.expr = graph, expr

    def _call(self, function: str, other) -> "Node":
        graph = self.graph
        return Node(graph, graph._pool.call(function, self.expr, other.expr if type(other) is Node and other.graph is graph else graph._lift(other)))

    def _turned(self, function: str, other) -> "Node":
        return Node(self.graph, self.graph._pool.call(function, self.graph._lift(other), self.expr))

    def _of(self, function: str) -> "Node":
        return Node(self.graph, self.graph._pool.call(function, self.expr))

    def __add__(self, other): return self._call("+", other)
    def __radd__(self, other): return self._turned("+", other)
    def __sub__(self, other): return self._call("-", other)
    def __rsub__(self, other): return self._turned("-", other)
    def __mul__(self, other): return self._call("*", other)
    def __rmul__(self, other): return self._turned("*", other)
    def __truediv__(self, other): return self._call("/", other)
    def __rtruediv__(self, other): return self._turned("/", other)
    def __pow__(self, other): return self._call("^", other)
    def __rpow__(self, other): return self._turned("^", other)
    def __mod__(self, other): return self._call("mod", other)
    def __rmod__(self, other): return self._turned("mod", other)
    def __neg__(self): return self._of("neg")
    def __pos__(self): return self
    def __abs__(self): return self._of("abs")
    def __lt__(self, other): return self._call("<", other)
    def __le__(self, other): return self._call("<=", other)
    def __gt__(self, other): return self._call(">", other)
    def __ge__(self, other): return self._call(">=", other)

    def __bool__(self):
        raise TypeError("the value of a node is not known while the graph is built; use gl.where(condition, a, b)")

    def __repr__(self):
        from graphlang.graph.spell import formula
        from graphlang.syntax.format import SOURCE

        return f"<node {formula(self.expr, SOURCE, 80) or '…'}>"


class Graph:
    """A graph under construction. Names are those of the language; a name is defined once."""

    def __init__(self):
        self._pool = Pool()
        self._variables: dict[str, Variable] = {}
        self._equations: list[Equation] = []
        self._goals: list[Goal] = []
        self._built: BuiltGraph | None = None

    def __repr__(self) -> str:
        goals = "".join(f", {g.kind} {g}" for g in self._goals[:3]) + ", …" * (len(self._goals) > 3)
        return f"<graph: {len(self._variables):,} variable{'s' * (len(self._variables) != 1)}{goals}>"

    # ---- leaves

    def input(self, name: str, value: object = None, ranges: Sequence[tuple[int, int]] | None = None):
        """A leaf. A number gives a scalar; a list a table, over 1..n unless `ranges` says (low, high) for each.

        Returns the node of a scalar; of a table a function from indices to the node of an element.
        """
        return self._leaf("input", name, value, ranges)

    def param(self, name: str, value: object = None, ranges: Sequence[tuple[int, int]] | None = None):
        return self._leaf("param", name, value, ranges)

    def data(self, name: str, value: object = None, ranges: Sequence[tuple[int, int]] | None = None):
        return self._leaf("data", name, value, ranges)

    def _leaf(self, role: str, name: str, value: object, ranges):
        if hasattr(value, "tolist"):
            value = value.tolist()
        flat, shape = _flatten(value)
        box = tuple(map(_range, ranges)) if ranges is not None else tuple(Range(1, n) for n in shape)
        size = 1
        for r in box:
            size *= r.extent
        if flat is not None and len(flat) == 1 and not shape:
            flat = flat * size
        if flat is not None and len(flat) != size:
            raise wrong("E216", f"`{name}`: {len(flat)} values are given for {size} elements")
        name = self._new(Variable(self._name(name), role, box, None, None if flat is None else Initial("numbers", tuple(flat))))
        if not box:
            return Node(self, self._pool.read(name))
        return lambda *at: Node(self, self._pool.read(name, self._subs(name, box, at)))

    def _subs(self, name: str, box, at):
        said = f"`{name}` has the ranges {', '.join(map(str, box))}"
        if len(at) != len(box):
            raise wrong("E204", f"{said}, and the number of subscripts given is {len(at)}")
        for k, r in zip(at, box):
            if isinstance(k, bool) or not hasattr(k, "__index__"):
                raise TypeError(f"a subscript of `{name}` is a whole number, not {k!r}")
            if not r.low <= k <= r.high:
                raise wrong("E222", f"{said}: there is no element {k}")
        return tuple(map(self._pool.number, at))

    # ---- equations and goals

    def define(self, name: str, value) -> Node:
        """The equation `name = value`; gives the node of the name."""
        lifted = self._lift(value)  # before the name is taken: what fails here leaves the graph as it was
        name = self._new(Variable(self._name(name), "node"))
        self._equations.append(Equation(name, (), (), lifted))
        return Node(self, self._pool.read(name))

    def minimize(self, value, name: str = "J") -> Node:
        return self._goal("minimize", value, name)

    def maximize(self, value, name: str = "J") -> Node:
        return self._goal("maximize", value, name)

    def output(self, value, name: str = "y") -> Node:
        return self._goal("output", value, name)

    def _goal(self, kind: str, value, name: str) -> Node:
        lifted = self._lift(value)
        target = getattr(lifted, "name", None)
        node = value if target in self._variables and not lifted.args else self.define(name, value)
        self._goals.append(Goal(kind, node.expr.name))
        self._built = None
        return node

    def sum(self, values: Iterable) -> Node:
        """The sum of any number of nodes and numbers, left to right."""
        total = None
        for v in map(self._lift, values):
            total = v if total is None else self._pool.call("+", total, v)
        return Node(self, self._pool.zero if total is None else total)

    # ---- use

    @property
    def graph(self) -> BuiltGraph:
        """The finished graph. Defining more afterwards makes a new one."""
        if self._built is None:
            self._built = BuiltGraph(self._pool, dict(self._variables), tuple(self._equations), tuple(self._goals))
        return self._built

    def run(self, set: Mapping[str, object] | None = None, **options) -> Run:
        """Evaluate forward and backward; options as in `Program.run`."""
        names = {"wrt", "goal", "seed", "mode", "ieee", "expand", "scalar", "raw", "exact"}
        given = {canonical(k): v for k, v in {**(set or {}), **{k: v for k, v in options.items() if k not in names}}.items()}
        chosen = {k: v for k, v in options.items() if k in names}
        chosen["wrt"] = tuple(chosen.get("wrt", ()))
        precision = certain_digits(chosen.pop("exact", None), chosen.get("mode", "B"))
        return add_exact(evaluate_graph(self.graph, given, **chosen), precision)

    def compile(self, wrt: Sequence[str] = (), engine: str = "auto", goal: str | None = None):
        """As `Program.compile`."""
        from graphlang.compiled import compile_program

        return compile_program(self.graph, wrt, engine, goal)

    def _name(self, name: str) -> str:
        if not isinstance(name, str):
            raise TypeError(f"a name is a str, not {type(name).__name__}")
        try:
            return canonical(name)
        except NotAName as e:
            hints = (f"`{e.proposal}`",) if e.proposal else ()
            raise GraphError([Diagnostic("E105", f"`{name}` is no name of a variable", hints=hints)]) from None

    def _lift(self, value) -> Expr:
        if type(value) is Node:
            if value.graph is not self:
                raise GraphError([Diagnostic("E105", "a node of another graph", hints=("one graph has no part in another",))])
            return value.expr
        if type(value) is float or type(value) is int or isinstance(value, Real):  # the last takes ten times as long
            return self._pool.number(value)
        raise TypeError(f"{type(value).__name__} is neither a node nor a number")

    def _new(self, variable: Variable) -> str:
        name = variable.name
        if name in self._variables:
            raise wrong("E102", f"`{name}` is defined twice")
        if not name.isidentifier() or name in BUILT_IN or name in ("pi", "inf", "nan"):
            raise wrong("E105", f"`{name}` cannot be the name of a variable")
        self._variables[name] = variable
        self._built = None
        return name


def _range(r: tuple[int, int]) -> Range:
    try:
        low, high = map(index, r)
    except (TypeError, ValueError):
        raise TypeError(f"a range is two whole numbers (low, high), not {r!r}") from None
    if high < low:
        raise wrong("E217", f"the range {low}..{high} has no element")
    return Range(low, high)


def _flatten(value) -> tuple[list[float] | None, tuple[int, ...]]:
    if value is None:
        return None, ()
    if isinstance(value, Real):
        return [float(value)], ()
    if not isinstance(value, (list, tuple, range)):
        raise TypeError(f"a value is a number or a list of numbers, not {value!r:.60}")
    if not value:
        raise wrong("E211", "a list is empty")
    if any(v is None for v in value):
        raise TypeError("a value is a number or a list of numbers, and None stands in the list")
    rows = [_flatten(v) for v in value]
    shapes = {shape for _, shape in rows}
    if len(shapes) > 1:
        raise wrong("E211", "the rows of a list differ in length")
    return [x for flat, _ in rows for x in flat], (len(rows), *(shapes.pop() if shapes else ()))


@cache
def function(name: str):
    """A function of the language over nodes (`gl.cos`)."""
    row = FUNCTIONS[ALIASES.get(name, name)]

    def apply(*args) -> Node:
        low, high = row.arity
        if not low <= len(args) <= high:
            raise TypeError(f"{name} takes {low if low == high else f'{low} to {high}'} arguments, not {len(args)}")
        graph = next((a.graph for a in args if type(a) is Node), None)
        if graph is None:
            raise TypeError(f"{name} takes at least one node of a graph")
        return Node(graph, graph._pool.call(row.name, *map(graph._lift, args)))

    apply.__name__ = apply.__qualname__ = name
    apply.__doc__ = row.about
    return apply
