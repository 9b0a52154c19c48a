"""Consts and leaves: their ranges and the values they are declared with."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Callable, Mapping

from graphlang.diagnostics import Diagnostic, GraphError, Label, Span
from graphlang.graph.constant import constant
from graphlang.graph.expressions import Number, Pool, reads
from graphlang.graph.graph import Box, Initial, Range, Variable, Wanted
from graphlang.graph.lower import Lowering
from graphlang.graph.values import FROM_FILES, INITIALISERS, Problem, Scope
from graphlang.syntax import ast

MOST_ELEMENTS = 20_000_000  # of one table: some 160 MB as floats


class Leaves:
    """The part of the builder that knows declarations."""

    pool: Pool
    lowering: Lowering
    variables: dict[str, Variable]
    consts: dict[str, float]
    overrides: Mapping[str, float]
    const_items: dict[str, ast.Item]
    leaves: dict[str, ast.Item]
    failed: set[str]
    found: list[Diagnostic]
    setting: ast.Setting | None
    dims: list[str]
    files: Callable[[], object]              # the program's DataFiles (graphlang.data.leaves)
    shapes: Mapping[str, tuple[int, ...]]    # of leaves that are set from outside
    report: Callable[..., None]

    def define_consts(self) -> None:
        """Consts may use one another, in any order."""
        waiting = dict(self.const_items)
        for name, item in waiting.items():
            self.variables.pop(name, None)
        while waiting:
            ready = [n for n, item in waiting.items() if n in self.overrides or item.value is None
                     or not any(type(x) is ast.Name and x.name in waiting for x in ast.postorder(item.value))]
            if not ready:
                first = next(iter(waiting.values()))
                self.report("E106", "these consts depend on one another: " + ", ".join(f"`{n}`" for n in waiting), first.span)
                break
            for name in ready:
                item = waiting.pop(name)
                self.consts[name] = self.const_value(item)
        for name, item in self.const_items.items():
            self.variables[name] = Variable(name, "const", (), item.name_span,
                                            Initial("numbers", (self.consts.get(name, 0.0),)))
        if self.setting is not None:
            try:
                value = constant(self.lowering.scalar(self.setting.value, Scope(integer=True)))
                if value is None or not value.is_integer() or value < 0:
                    self.report("E405", "a seed is a whole number, 0 or greater", self.setting.value.span)
                else:
                    self.seed = int(value)
            except Problem as p:
                self.found.append(p.diagnostic)

    def const_value(self, item: ast.Item) -> float:
        if item.ranges is not None:
            self.report("E108", "a const is one number", item.span, hints=(f"`input {item.name}[…] = …` declares a table",))
        if item.name in self.overrides:
            return self.overrides[item.name]
        if item.value is None:
            self.report("E401", f"the const `{item.name}` has no value", item.span, hints=(f"const {item.name} = 2",))
            return 0.0
        try:
            value = constant(self.lowering.scalar(item.value, Scope(integer=True)))
        except Problem as p:
            self.found.append(p.diagnostic)
            return 0.0
        if value is None:
            self.report("E108", f"the const `{item.name}` is not made of numbers and consts", item.value.span)
            return 0.0
        if not math.isfinite(value) and not any(type(n) is ast.Name and n.name in ("inf", "nan") for n in ast.postorder(item.value)):
            self.report("E501", f"the const `{item.name}` has no finite value", item.value.span, f"it works out to {value:g}",
                        hints=("write `inf` if infinity is meant",))
        return value

    def define_leaves(self) -> None:
        for name, item in self.leaves.items():
            role = self.variables[name].role
            try:
                self.variables[name] = self.leaf(name, role, item)
            except Problem as p:
                self.found.append(p.diagnostic)
                self.failed.add(name)
            except GraphError as e:  # about a file, which another leaf may have named too
                self.found += [d for d in e.diagnostics if d.message not in {x.message for x in self.found}]
                self.failed.add(name)

    def leaf(self, name: str, role: str, item: ast.Item) -> Variable:
        ranges = None if item.ranges is None else tuple(self.declared_range(r, name) for r in item.ranges)
        self.check_size(name, ranges or (), item.span)
        if item.symmetric:
            return self.symmetric_leaf(name, self.plain_leaf(name, role, item, ranges), item)
        return self.plain_leaf(name, role, item, ranges)

    def symmetric_leaf(self, name: str, made: Variable, item: ast.Item) -> Variable:
        """A square matrix, and its numbers, where they are written out, equal across the diagonal."""
        if len(made.ranges) != 2 or made.ranges[0] != made.ranges[1]:
            raise Problem("E205", f"`{name}` cannot be symmetric", item.span, "only a square matrix with two equal ranges is")
        n = made.ranges[0].extent
        numbers = made.initial.numbers if made.initial is not None and made.initial.kind == "numbers" else ()
        for k, x in enumerate(numbers):
            i, j = divmod(k, n)
            if x != numbers[j * n + i]:
                low = made.ranges[0].low
                raise Problem("E403", f"`{name}` is declared symmetric and its value is not", item.value.span if item.value else item.span,
                              f"{name}[{i + low},{j + low}] is {x:g}, {name}[{j + low},{i + low}] is {numbers[j * n + i]:g}")
        return replace(made, symmetric=True)

    def plain_leaf(self, name: str, role: str, item: ast.Item, ranges: Box | None) -> Variable:
        if item.value is None:
            return Variable(name, role, ranges or (), item.name_span)
        value = item.value
        if type(value) is ast.Name and value.name in INITIALISERS:
            value = ast.Call(value.name, (), (), value.span, value.span)  # `= eye` is `= eye()`
        if type(value) is ast.Call and value.name in FROM_FILES and value.name not in self.functions:
            return self.leaf_from_file(Variable(name, role, ranges or (), item.name_span), item, wanted(value, self.whole_number, self.consts))
        if type(value) is ast.Call and value.name in INITIALISERS and value.name not in self.functions:
            return Variable(name, role, ranges or (), item.name_span, self.initialiser(value, ranges or ()))
        lowered = self.lowering.lower(value, Scope(integer=True))
        if reads(lowered.body):
            raise Problem("E403", f"the value of `{name}` depends on variables", value.span,
                          "a leaf's value is made of numbers and consts", hints=(f"an equation: `{name} = …`",))
        if lowered.ranges:
            if ranges is None:
                ranges = lowered.ranges
            if tuple(r.extent for r in ranges) != tuple(r.extent for r in lowered.ranges):
                raise Problem("E216", f"`{name}` is declared over {', '.join(map(str, ranges))}, but its value is {lowered.describe()}",
                              value.span, f"{'×'.join(str(r.extent) for r in lowered.ranges)} numbers",
                              [Label(item.name_span, f"declared with {'×'.join(str(r.extent) for r in ranges)} elements")])
            if lowered.ranges != ranges:
                lowered = self.lowering.shift(lowered, ranges)
            body = lowered.body
            if getattr(body, "items", None) and all(type(x) is Number for x in body.items):
                return Variable(name, role, ranges, item.name_span, Initial("numbers", tuple(x.value for x in body.items)), lowered.row)
            return Variable(name, role, ranges, item.name_span, Initial("expression", (), lowered.indices, body), lowered.row)
        return Variable(name, role, ranges or (), item.name_span, Initial("expression", (), (), lowered.body))

    def leaf_from_file(self, v: Variable, item: ast.Item, w: Wanted) -> Variable:
        """Without ranges it has those of its file, which is then read at once, or of what it is set to. Raises GraphError."""
        if item.ranges is None:
            shape = self.shapes[v.name] if v.name in self.shapes else self.files().shape(w)
            v = replace(v, ranges=tuple(Range(1, n) for n in shape))
            self.check_size(v.name, v.ranges, item.span)
        return replace(v, initial=Initial("file", load=lambda: self.files().numbers(w, v)))

    def initialiser(self, call: ast.Call, ranges: Box) -> Initial:
        wanted = {"normal": 2, "uniform": 2}.get(call.name, 0)
        if len(call.args) != wanted or call.binders:
            form = {"normal": "normal(mean, sd)", "uniform": "uniform(low, high)"}.get(call.name, f"{call.name}()")
            if not wanted and call.args:
                raise Problem("E302", f"`{call.name}` takes no arguments: the table's own ranges say its size", call.span, hints=(f"`{form}`",))
            raise Problem("E302", f"`{call.name}` takes {wanted} arguments, but {len(call.args)} are given", call.span, hints=(f"`{form}`",))
        arguments = tuple(self.lowering.scalar(a, Scope(integer=True)) for a in call.args)
        pool = self.pool
        if call.name in ("zeros", "ones"):
            return Initial("expression", (), (), pool.one if call.name == "ones" else pool.zero)
        if call.name == "eye":
            if len(ranges) != 2:
                raise Problem("E205", "`eye` is a matrix", call.span, "the variable has not 2 ranges")
            i, j = pool.index("~i"), pool.index("~j")
            row = pool.call("-", i, pool.number(ranges[0].low)), pool.call("-", j, pool.number(ranges[1].low))
            return Initial("expression", (), ("~i", "~j"), pool.call("==", *row))
        return Initial(call.name, (), (), None, arguments)

    def declared_range(self, r: ast.Range, name: str) -> Range:
        high = self.whole_number(r.high)
        if r.low is None:
            if high < 1:
                raise Problem("E217", f"`{name}[{high}]` would have no element", r.span, hints=(f"`{name}[0..{high}]` has the index 0",))
            return Range(1, high)
        low = self.whole_number(r.low)
        if high < low - 1:
            raise Problem("E217", f"the range {low}..{high} runs backwards", r.span, hints=(f"`{high}..{low}`",))
        return Range(low, high)

    def whole_number(self, node: ast.Expr) -> int:
        value = constant(self.lowering.bound(node, Scope(integer=True)))
        assert value is not None  # no index is in reach, so a bound is a number
        return int(value)

    def check_size(self, name: str, ranges: Box, at: Span) -> None:
        size = 1
        for r in ranges:
            size *= r.extent
        if size > MOST_ELEMENTS and not self.dims:
            raise Problem("E902", f"`{name}` would have {size:,} elements; the limit is {MOST_ELEMENTS:,}", at)


def wanted(call: ast.Call, whole_number: Callable[[ast.Expr], int], consts: Mapping[str, float]) -> Wanted:
    """What `csv("file", "column", 2)` or `npy("file", "array")` takes from its file. Raises Problem."""
    form = {"csv": "`csv(\"file.csv\")`, or with columns `csv(\"file.csv\", \"price\", \"size\")`",
            "npy": "`npy(\"file.npy\")`, or of several arrays one: `npy(\"file.npz\", \"W\")`"}[call.name]
    for a in call.args:
        if type(a) is ast.Keyword:
            raise Problem("E303", f"`{call.name}` takes no argument called `{a.name}`", a.span, hints=(form,))
    if call.binders or not call.args or call.name == "npy" and len(call.args) > 2:
        raise Problem("E302", f"`{call.name}` takes the name of a file{' and of an array in it' if call.name == 'npy' else ', and columns of it'}", call.span, hints=(form,))
    first, *rest = call.args
    if type(first) is not ast.Text:
        raise Problem("E304", f"`{call.name}` takes the name of a file, which is written in quotes", first.span, hints=(form,))
    columns: list[str | int] = []
    for a in rest:
        if type(a) is ast.Text:
            columns.append(a.value)
        elif call.name == "npy" or type(a) is ast.Name and a.name not in consts:
            raise Problem("E304", f"the name of {'an array' if call.name == 'npy' else 'a column'} is written in quotes", a.span, hints=(form,))
        else:
            columns.append(whole_number(a))
    return Wanted(call.name, first.value, first.span, tuple(columns))
