"""From statements to a Graph: names, roles, ranges, pieces, goals.

Statements come in any order. Ranges that are written are known at once; those that follow from a right-hand side are
found in the order in which variables depend on one another. All mistakes are collected, one diagnostic each, and
raised together.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import replace
from typing import Callable, Iterable, Mapping

from graphlang.diagnostics import Diagnostic, GraphError, Label, Span
from graphlang.graph.coverage import check_reads
from graphlang.graph.expressions import Index, Number, Pool, Reduce, postorder, reads
from graphlang.graph.substitute import fresh, substitute, unshadow
from graphlang.graph.heads import Heads
from graphlang.graph.graph import Binding, Equation, Goal, Graph, Initial, Variable, layout_at
from graphlang.graph.lints import lints as unstable
from graphlang.graph.lower import Lowering
from graphlang.graph.opaque import OpaqueFunctions
from graphlang.graph.pieces import Pieces
from graphlang.graph.rules import Rules, called_rules, ruled_functions
from graphlang.graph.values import BUILT_IN, CONSTANTS, Problem, Scope, Value
from graphlang.graph.order import check_cycles
from graphlang.syntax import ast


@contextmanager
def without_collecting():
    """A program makes hundreds of thousands of small objects and no garbage in cycles; the collector, looking for it
    again and again, would take a third of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def build(program: ast.Program, consts: Mapping[str, float] | None = None, files: Callable[[], object] | None = None,
          shapes: Mapping[str, tuple[int, ...]] | None = None) -> Graph:
    """The graph of a program; `consts` overrides the values of its consts. `files` gives the DataFiles that its leaves are read from,
    `shapes` are those of leaves that are set, so that their files need not be there.

    Raises GraphError with every mistake that was found.
    """
    with without_collecting():
        return Builder(program, consts or {}, files or no_files, shapes or {}).graph()


def no_files():
    raise GraphError([Diagnostic("E602", "a tree without a folder reads no files")])


class Builder(Heads, OpaqueFunctions, Pieces):
    def __init__(self, program: ast.Program, overrides: Mapping[str, float], files: Callable[[], object], shapes: Mapping[str, tuple[int, ...]]):
        self.program, self.overrides, self.files, self.shapes = program, overrides, files, shapes
        self.pool = Pool()
        self.found: list[Diagnostic] = []
        self.variables: dict[str, Variable] = {}
        self.consts: dict[str, float] = {}
        self.functions: dict[str, ast.FunctionDef] = {}
        self.leaves: dict[str, ast.Item] = {}
        self.written: dict[str, list[ast.Equation]] = {}
        self.equations: dict[int, Equation] = {}  # by the identity of the statement
        self.failed: set[str] = set()
        self.named: dict[int, dict[str, bool]] = {}
        self.rules: list[ast.Rule] = []
        self.dims: list[str] = []
        self.trains: list[ast.Train] = []
        self.opaques: dict[str, ast.Signature] = {}
        self.seed = 0
        self.setting: ast.Setting | None = None
        self.lowering = Lowering(self.pool, self.variables, self.consts, self.functions)
        self.lowering.opaques = self.opaques

    def graph(self) -> Graph:
        self.layouts = tuple((s.span.start, s.kind) for s in self.program.statements if type(s) is ast.Layout)
        self.collect()
        self.define_consts()
        self.define_leaves()
        self.define_functions()
        self.define_rules()
        self.define_nodes()
        block = self.train_block() if self.trains else None
        self.raise_found()
        equations = tuple(self.equations[id(s)] for s in self.program.statements if id(s) in self.equations)
        lowering = self.lowering
        self.variables |= lowering.derived
        for variable, equation in lowering.hidden.values():
            self.variables[variable.name] = variable
            equations += (equation,)
        statements = self.program.statements
        graph = Graph(self.pool, self.variables, equations, (), self.program.source, self.consts, self.functions,
                      tuple(s for s in statements if type(s) is ast.Expect), self.seed, asked=lowering.asked,
                      claims=tuple(s for s in statements if type(s) is ast.Claim), layouts=self.layouts,
                      dims=tuple(self.dims))
        self.found += check_reads(graph)
        self.raise_found()
        self.found += check_cycles(graph)
        goals = self.goals(graph)
        training = None
        if block is not None and not self.found and not self.dims:  # without its sizes a table has no elements that columns could fill
            training = block.training(replace(graph, goals=goals))
        self.raise_found()
        warnings = tuple(self.lowering.warnings) + tuple(self.lints(graph)) + tuple(unstable(graph))
        return replace(graph, goals=goals, warnings=warnings, training=training)

    def train_block(self):
        from graphlang.graph.train_block import TrainBlock  # most programs train nothing

        return TrainBlock(self.trains, self.program.source, self.lowering, self.found)

    def raise_found(self) -> None:
        if self.found:
            self.found.sort(key=lambda d: d.at.start if d.at else -1)
            raise GraphError(self.found, self.program.source)

    def report(self, code: str, message: str, at: Span, text: str = "", labels=(), hints=()) -> None:
        self.found.append(Diagnostic(code, message, at, text, tuple(labels), tuple(hints)))

    # ---- functions

    def define_functions(self) -> None:
        calls = {name: {n.name for n in ast.postorder(f.body) if type(n) is ast.Call and n.name in self.functions}
                 for name, f in self.functions.items()}
        for name, f in self.functions.items():
            seen, todo = set(), list(calls[name])
            while todo:
                n = todo.pop()
                if n not in seen:
                    seen.add(n)
                    todo.extend(calls[n])
            if name in seen:
                self.report("E109", f"the function `{name}` calls itself", f.name_span, hints=("a recurrence over a table: `h[k] = … h[k-1] … for k in 1..T`",))
                self.failed.add(name)
            if len({p.name for p in f.params}) != len(f.params):
                self.report("E103", f"two arguments of `{name}` have the same name", f.span)
                self.failed.add(name)
        for name in [n for n in self.functions if n in self.failed]:
            for other in [n for n, c in calls.items() if name in c or n == name]:
                self.failed.add(other)
        for name, f in self.functions.items():
            if name not in self.failed:
                try:  # its own mistakes are reported at the definition, once
                    arguments = {p.name: Value(self.pool.index(f"~{p.name}")) for p in f.params}
                    value = self.lowering.lower(f.body, Scope({}, arguments, False, name))
                    if value.ranges:
                        raise Problem("E307", f"the function `{name}` gives a table", f.name_span, hints=("a function is scalar",))
                except Problem as p:
                    self.found.append(p.diagnostic)
                    self.failed.add(name)

    def define_rules(self) -> None:
        if self.rules:
            ruled = ruled_functions(self.rules, self.functions, self.failed, self.lowering, self.found)
            equations = ((s.span, self.names_in(s)) for pieces in self.written.values() for s in pieces)
            self.pool.rules = Rules(tuple(ruled.values()), called_rules(ruled, self.functions, equations))

    # ---- nodes

    def define_nodes(self) -> None:
        """Types first where they are written; the others in the order of dependence."""
        written = self.written
        leaves_declared = any(v.role in ("input", "param", "data") for v in self.variables.values())
        names: dict[str, list[str]] = {}
        pending: set[str] = set()
        for name, pieces in written.items():
            if type(pieces[0].target) is not ast.Name and all(b.low is not None for s in pieces for b in s.binders):
                try:
                    self.type_pieces(name, pieces)
                    continue
                except Problem as p:
                    self.fail(name, p)
                    continue
            pending.add(name)
            seen = dict.fromkeys(n for s in pieces for n in self.names_in(s) if n in written)
            if type(pieces[0].target) is not ast.Name:
                seen.pop(name, None)
            names[name] = list(seen)
        self.type_pending(pending, names, leaves_declared)
        untyped = set(self.failed)
        for name, pieces in written.items():
            if type(pieces[0].target) is ast.Name or name in untyped:
                continue
            for s in pieces:
                if id(s) not in self.equations and self.ready(s):
                    try:
                        self.equations[id(s)] = self.piece(s)
                    except Problem as p:
                        self.fail(name, p)

    def names_in(self, s: ast.Equation) -> dict[str, bool]:
        """The variables and functions that a right-hand side names; True for a call with binders."""
        found = self.named.get(id(s))
        if found is None:
            found = self.named[id(s)] = {}
            for n in ast.postorder(s.value):
                if type(n) is ast.Name:
                    found.setdefault(n.name, False)
                elif type(n) is ast.Deriv:
                    found.setdefault(n.of, False)
                    found.setdefault(n.wrt, False)
                elif type(n) is ast.Call:
                    found[n.name] = found.get(n.name, False) or bool(n.binders)
        return found

    def ready(self, s: ast.Equation) -> bool:
        """Whether everything it names could be understood; otherwise its own mistakes would be echoes."""
        for name in self.names_in(s) if self.failed else ():
            if name in self.failed:
                target = (s.target if type(s.target) is ast.Name else s.target.base).name
                if target not in self.failed:
                    self.failed.add(target)
                    self.other_undefined(target)
                return False
        return True

    def fail(self, name: str, p: Problem) -> None:
        d = p.diagnostic
        if not (d.code == "E101" and any(x.code == "E101" and x.message == d.message for x in self.found)):
            self.found.append(d)
        self.failed.add(name)
        if d.code == "E101":
            self.other_undefined(name)

    def other_undefined(self, name: str) -> None:
        """Lowering stops at the first undefined name of an equation; its other ones are mistakes of their own."""
        for s in self.written.get(name, ()):
            nodes = list(ast.postorder(s.value))
            bound = {b.name for b in s.binders} | {b.name for n in nodes if type(n) is ast.Call for b in n.binders}
            for n in nodes:
                known = n.name in self.variables or n.name in self.consts or n.name in CONSTANTS or n.name in bound or n.name in BUILT_IN if type(n) is ast.Name else True
                if not known and n.name not in self.lowering.missing:
                    self.found.append(self.lowering.undefined(n.name, n.span, Scope()).diagnostic)

    def type_pending(self, pending: set[str], names: dict[str, list[str]], leaves_declared: bool) -> None:
        state: dict[str, int] = {}
        for root in names:
            if root in state:
                continue
            path = [(root, iter(names[root]))]
            state[root] = 1
            while path:
                name, rest = path[-1]
                child = next((c for c in rest if c in pending and state.get(c) != 2), None)
                if child is None:
                    path.pop()
                    state[name] = 2
                    self.define(name, leaves_declared)
                elif state.get(child) == 1:
                    around = [n for n, _ in path]
                    around = around[around.index(child):]
                    if child not in self.failed:
                        self.report_cycle(around)
                    self.failed.update(around)
                else:
                    state[child] = 1
                    path.append((child, iter(names[child])))

    def report_cycle(self, around: list[str]) -> None:
        path = " → ".join(f"`{n}`" for n in [*around, around[0]])
        first = self.variables[around[0]]
        if len(around) == 1:
            self.report("E110", f"`{around[0]}` is defined by itself", first.span, "it reads its own value",
                        hints=("a sequence is a table: `h[k] = … h[k-1] … for k in 1..T`",))
            return
        labels = [Label(self.variables[n].span, f"`{n}` reads `{around[(i + 1) % len(around)]}`") for i, n in enumerate(around[:4]) if i]
        self.report("E110", f"these variables depend on one another: {path}", first.span, f"`{around[0]}` reads `{around[1]}`", labels)

    def define(self, name: str, leaves_declared: bool) -> None:
        pieces = self.written[name]
        if name in self.failed or not all([self.ready(s) for s in pieces]):
            return
        try:
            if type(pieces[0].target) is ast.Name:
                self.whole_variable(name, pieces[0], leaves_declared)
            else:
                self.type_pieces(name, pieces)
        except Problem as p:
            self.fail(name, p)

    def whole_variable(self, name: str, s: ast.Equation, leaves_declared: bool) -> None:
        if s.binders:
            letters = ",".join(b.name for b in s.binders)
            raise Problem("E218", f"`{name}` has a `for` but no subscript", s.target.span, "one number for all indices?",
                          hints=(f"`{name}[{letters}] = …`",))
        self.lowering.layout = layout_at(self.layouts, s.span.start)
        if type(s.value) is ast.Call and s.value.name in self.opaques:
            self.opaque_variable(name, s, s.value)
            return
        value = self.lowering.lower(s.value)
        old = self.variables[name]
        if not value.ranges:
            is_leaf = not leaves_declared and type(value.body) is not Index and not reads(value.body)
            if is_leaf:
                self.variables[name] = Variable(name, "input", (), old.span, Initial("expression", (), (), value.body))
            else:
                self.equations[id(s)] = Equation(name, (), (), unshadow(value.body, frozenset(), self.variables), s.span, s)
            return
        self.check_size(name, value.ranges, s.span)
        if not leaves_declared and not reads(value.body):
            items = getattr(value.body, "items", ())
            initial = (Initial("numbers", tuple(x.value for x in items)) if items and all(type(x) is Number for x in items)
                       else Initial("expression", (), value.indices, value.body))
            self.variables[name] = Variable(name, "input", value.ranges, old.span, initial, value.row)
            return
        self.variables[name] = Variable(name, "node", value.ranges, old.span, None, value.row)
        taken = set(self.variables) | {b for n in postorder(value.body) if type(n) is Reduce for b in (x.index for x in n.binders)}
        nice: list[str] = []
        for _ in value.ranges:
            nice.append(fresh("i", taken))
            taken.add(nice[-1])
        put = dict(zip(value.indices, map(self.pool.index, nice)))
        self.equations[id(s)] = Equation(name, tuple(put[i] for i in value.indices), tuple(map(Binding, nice, value.ranges)),
                                         unshadow(substitute(value.body, put), frozenset(nice), self.variables), s.span, s)

    # ---- goals

    def goals(self, graph: Graph) -> tuple[Goal, ...]:
        goals: list[Goal] = []
        for s in self.program.statements:
            if type(s) is not ast.Goal:
                continue
            for target in s.targets:
                try:
                    goals.append(self.goal(s.kind, target))
                except Problem as p:
                    self.found.append(p.diagnostic)
        return tuple(goals)

    def goal(self, kind: str, target: ast.Expr) -> Goal:
        name_node = target.base if type(target) is ast.Subscript else target
        if type(name_node) is not ast.Name:
            raise Problem("E404", "a goal is a variable", target.span, "this is an expression", hints=("define it first: `J = …`, `minimize J`",))
        variable = self.variables.get(name_node.name)
        if variable is None:
            raise self.lowering.undefined(name_node.name, name_node.span, Scope())
        if variable.role == "const":
            raise Problem("E404", f"`{variable.name}` is a const, which is never differentiated", target.span)
        element = None
        if type(target) is ast.Subscript:
            element = tuple(self.whole_number(x) for x in target.subs)
            if len(element) != len(variable.ranges) or any(not r.low <= k <= r.high for k, r in zip(element, variable.ranges)):
                raise Problem("E222", f"`{variable.name}` has no such element", target.span, hints=(f"its ranges are {', '.join(map(str, variable.ranges))}",))
        elif variable.ranges and kind != "output":
            raise Problem("E404", f"a goal to {kind} is a scalar, and `{variable.name}` is a table over {', '.join(map(str, variable.ranges))}",
                          target.span, hints=(f"`sum({variable.name})` is a scalar",))
        return Goal(kind, variable.name, element)

    # ---- lints

    def lints(self, graph: Graph) -> Iterable[Diagnostic]:
        for s in self.program.statements:
            if type(s) is not ast.Equation or id(s) not in self.equations or not any(self.names_in(s).values()):
                continue
            for n in ast.postorder(s.value):
                if type(n) is ast.Call and n.binders:
                    names = {x.name for x in ast.postorder(n.args[0]) if type(x) is ast.Name}
                    for b in n.binders:
                        later = {x.name for o in n.binders if o.low is not None for e in (o.low, o.high) for x in ast.postorder(e) if type(x) is ast.Name}
                        if b.name not in names | later:
                            yield Diagnostic("W202", f"nothing uses the index `{b.name}`", b.span, severity="warning")
