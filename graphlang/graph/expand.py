"""`expand`: an equation of the author's split into primitive steps with the lecture's names.

Terms of a sum are numbered after it (u → u1, u2); every other step takes the next unused of u, t, s, r, …, in order of
first need from the goal down. Equal subexpressions become one step. A sum of products in index form is one step.
"""

from __future__ import annotations

from graphlang.graph.derived import is_plain
from graphlang.graph.expressions import Call, Expr, Index, Number, Pick, Read, Reduce, operands, postorder, reads
from graphlang.graph.order import components, forward_order, plan
from graphlang.graph.graph import Binding, Equation, Graph, Range, Variable

LETTERS = "utsrqphgfdcba"  # then v1, v2, …; e is a constant, i to o are read as indices


class Namer:
    def __init__(self, taken: set[str]):
        self.taken = taken
        self.letters = iter(LETTERS)
        self.count = 0

    def next(self) -> str:
        for letter in self.letters:
            if letter not in self.taken:
                return self.take(letter)
        while True:
            self.count += 1
            if f"v{self.count}" not in self.taken:
                return self.take(f"v{self.count}")

    def take(self, name: str) -> str:
        self.taken.add(name)
        return name

    def term(self, parent: str, k: int) -> str:
        """The k-th term of a sum: u → u1, u2; an element a[1] → a1_1, a1_2."""
        if not is_plain(parent):  # a derivative
            return self.next()
        base = parent.replace("[", "").replace(",", "_").replace("]", "_")
        name = f"{base}{k}"
        return self.next() if name in self.taken else self.take(name)


def expand(graph: Graph) -> Graph:
    """The same program with one primitive operation an equation; new variables carry their own ranges."""
    return Expansion(graph).graph()


class Expansion:
    def __init__(self, graph: Graph):
        self.source = graph
        self.pool = graph.pool
        taken = set(graph.variables) | set(graph.functions) | {n.split("[")[0] for n in graph.variables}
        for e in graph.equations:
            taken |= {b.index for b in e.bindings}
        self.namer = Namer(taken)
        self.variables = dict(graph.variables)
        self.steps: dict[tuple, Read] = {}      # (expression, ranges of its indices) → the step that has its value
        self.depends: dict[Expr, bool] = {}
        for e in graph.equations:  # what the author has named already needs no step
            if len(graph.pieces[e.target]) == 1 and not self.is_leaf(e.value):
                self.steps.setdefault((e.value, e.bindings), self.pool.read(e.target, e.subs))

    def graph(self) -> Graph:
        order = [e for g in reversed(forward_order(plan(self.source), self._goal())) for e in g.equations]
        out = {e: self.split(e) for e in order}
        equations = tuple(x for e in self.source.equations for x in out[e])
        g = self.source
        return Graph(self.pool, self.variables, equations, g.goals, g.source, g.consts, g.functions, g.expectations, g.seed, g.warnings)

    def _goal(self) -> str | None:
        return self.source.goals[0].name if self.source.goals else None

    def split(self, e: Equation) -> list[Equation]:
        """An equation and the steps that it needs first, in order of need."""
        made: list[Equation] = []
        todo = [(e.target, e.subs, e.bindings, e.value, e)]
        while todo:
            name, subs, bindings, value, original = todo.pop()
            below: list[tuple] = []
            new = self.primitive(name, value, dict(bindings), below)
            if original is not None and new is value:
                made.append(original)
            else:
                made.append(Equation(name, subs, bindings, new, original.span if original is not None else e.span))
            todo.extend(reversed(below))
        return _nearest_first(made)

    def primitive(self, name: str, value: Expr, over: dict[str, Range], below: list) -> Expr:
        """The value with every operand that is not a leaf replaced by a step of its own."""
        terms = _terms(value)
        if len(terms) > 1:
            result: Expr | None = None
            count = 0
            for sign, t in terms:
                if not self.is_leaf(t):
                    count += 1
                    t = self.step(t, over, below, (name, count))
                if result is None:
                    result = t if sign > 0 else self.pool.call("neg", t)
                else:
                    result = self.pool.call("+" if sign > 0 else "-", result, t)
            return result
        if type(value) is Call and value.function == "where":
            return value  # a branch that is not taken must not be evaluated
        if type(value) is Call:
            return self.pool.call(value.function, *(a if self.is_leaf(a) else self.step(a, over, below) for a in value.args))
        if type(value) is Reduce and not _sum_of_products(value):
            return self.reduction(value, over, below)
        if type(value) is Pick:
            items = tuple(a if self.is_leaf(a) else self.step(a, over, below) for a in value.items)
            return self.pool.pick(items, value.shape, value.at)
        return value

    def reduction(self, value: Reduce, over: dict[str, Range], below: list) -> Expr:
        if self.is_leaf(value.body) or any(type(b.low) is not Number or type(b.high) is not Number for b in value.binders):
            return value
        inner = dict(over)
        for b in value.binders:
            inner[b.index] = Range(int(b.low.value), int(b.high.value))
        if any(r.extent == 0 for r in inner.values()):
            return value
        if type(value.body) is Pick:
            items = tuple(a if self.is_leaf(a) else self.step(a, over, below) for a in value.body.items) if all(
                a.free.isdisjoint(b.index for b in value.binders) for a in value.body.items) else value.body.items
            return self.pool.reduce(value.function, value.binders, self.pool.pick(items, value.body.shape, value.body.at), value.at)
        return self.pool.reduce(value.function, value.binders, self.step(value.body, inner, below), value.at)

    def is_leaf(self, e: Expr) -> bool:
        return type(e) in (Number, Index, Read) or not self.reads(e) or type(e) is Call and e.function == "neg" and type(e.args[0]) is Number

    def reads(self, e: Expr) -> bool:
        """Whether an expression depends on anything. Each node is looked at once, however often it is asked for."""
        if e not in self.depends:
            for n in postorder(e):
                if n not in self.depends:
                    self.depends[n] = type(n) in (Read, Index) or any(self.depends[b] for b in operands(n))
        return self.depends[e]

    def step(self, e: Expr, over: dict[str, Range], below: list, term: tuple[str, int] | None = None) -> Read:
        """A read of the step that computes `e`; the step is made when it is first needed."""
        bindings = tuple(Binding(n, r) for n, r in over.items() if n in e.free)
        found = self.steps.get((e, bindings))
        if found is not None:
            return found
        name = self.namer.term(*term) if term else self.namer.next()
        subs = tuple(self.pool.index(b.index) for b in bindings)
        self.variables[name] = Variable(name, "node", tuple(b.range for b in bindings))
        read = self.steps[e, bindings] = self.pool.read(name, subs)
        below.append((name, subs, bindings, e, None))
        return read


def _nearest_first(made: list[Equation]) -> list[Equation]:
    """The steps of one equation by their longest way to it, as on a slide; the first is the equation itself."""
    if len(made) < 3:
        return made
    own = {e.target: e for e in made}
    below = {e: list(dict.fromkeys(own[r.name] for r in reads(e.value) if r.name in own and own[r.name] is not e)) for e in made}
    far = dict.fromkeys(made, 0)
    for (e,) in (c for c in reversed(components(made, below)) if len(c) == 1):
        for b in below[e]:
            far[b] = max(far[b], far[e] + 1)
    place = {e: k for k, e in enumerate(made)}
    return sorted(made, key=lambda e: (far[e], place[e]))


def _terms(value: Expr) -> list[tuple[int, Expr]]:
    """The terms of a sum with their signs, left to right; a single term for anything else."""
    out: list[tuple[int, Expr]] = []
    work = [(1, value)]
    while work:
        sign, node = work.pop()
        if type(node) is Call and node.function in "+-" and len(node.args) == 2 and (node is value or node.function == "+" or sign > 0):
            left, right = node.args
            work.append((sign if node.function == "+" else -sign, right))
            work.append((sign, left))
        else:
            out.append((sign, node))
    return out


def _sum_of_products(value: Reduce) -> bool:
    """`sum(alpha[j,i]*x[i] for i)`: a sum whose body is a product of leaves."""
    if value.function != "sum":
        return False
    work = [value.body]
    while work:
        node = work.pop()
        if type(node) is Call and node.function == "*":
            work.extend(node.args)
        elif type(node) not in (Read, Number, Index):
            return False
    return True
