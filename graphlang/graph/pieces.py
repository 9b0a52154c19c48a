"""Equations of tables: pieces with subscripts on the left, their boxes, and what they cover."""

from __future__ import annotations

from graphlang.diagnostics import Label
from graphlang.graph.coverage import check_coverage
from graphlang.graph.substitute import unshadow
from graphlang.graph.graph import Binding, Box, Equation, Range, Variable, layout_at
from graphlang.graph.leaves import Leaves
from graphlang.graph.values import Problem, Scope
from graphlang.syntax import ast


class Pieces(Leaves):
    """The part of the builder that knows pieces."""

    program: ast.Program
    layouts: tuple[tuple[int, str], ...]

    def type_pieces(self, name: str, pieces: list[ast.Equation]) -> None:
        boxes = []
        for s in pieces:
            boxes.append(self.piece_box(name, s))
        dims = {len(b) for b in boxes}
        if len(dims) > 1:
            raise Problem("E204", f"the pieces of `{name}` do not have the same number of subscripts", pieces[0].target.span, "",
                          [Label(s.target.span, "here") for s in pieces[1:3]])
        found = check_coverage(name, list(zip(boxes, pieces)))
        if found:
            self.found += found
            self.failed.add(name)
            return
        ranges = tuple(Range(min(b[d].low for b in boxes), max(b[d].high for b in boxes)) for d in range(len(boxes[0])))
        self.check_size(name, ranges, pieces[0].span)
        self.variables[name] = Variable(name, "node", ranges, self.variables[name].span)

    def scope(self, s: ast.Equation) -> Scope:
        target = s.target.base.name
        binders = []
        for b in s.binders:
            if b.low is None:
                over = self.lowering.infer(b, s.value, skip=target)
                b = b._replace(low=ast.Num(float(over.low), str(over.low), b.span), high=ast.Num(float(over.high), str(over.high), b.span))
            binders.append(b)
        scope, _ = self.lowering.bind(tuple(binders), Scope(), s.value, s)
        return scope

    def piece_box(self, name: str, s: ast.Equation) -> Box:
        scope = self.scope(s)
        for b in s.binders:
            for bound in (b.low, b.high):
                if bound is not None and any(type(n) is ast.Name and n.name in scope.indices for n in ast.postorder(bound)):
                    raise Problem("E219", "the ranges of an equation do not depend on one another", bound.span, "this bound uses an index")
        used, box = [], []
        for sub in s.target.subs:
            if type(sub) is ast.Name and sub.name in scope.indices:
                if sub.name in used:
                    raise Problem("E220", f"the index `{sub.name}` stands twice on the left", sub.span,
                                  hints=("write `where(i == j, …, 0)` for a diagonal",))
                used.append(sub.name)
                box.append(scope.indices[sub.name][1])
            elif type(sub) is ast.Range:
                raise Problem("E206", "slices are not part of the language", sub.span)
            else:
                if any(type(n) is ast.Name and n.name in scope.indices for n in ast.postorder(sub)):
                    raise Problem("E220", "on the left a subscript is an index or a whole number", sub.span, "index arithmetic",
                                  hints=("shift the index on the right-hand side instead",))
                for n in ast.postorder(sub):
                    if type(n) is ast.Name and n.name not in self.consts and n.name not in self.variables:
                        raise Problem("E111", f"the index `{n.name}` is not bound", n.span, "no `for` gives its range",
                                      hints=(f"`{self.text(s)}{',' if s.binders else ' for'} {n.name} in 1..n`",))
                number = self.whole_number(sub)
                box.append(Range(number, number))
        for b in s.binders:
            if b.name not in used:
                raise Problem("E221", f"`{name}` would get many values: `{b.name}` is not on the left", b.span, "an index of the equation",
                              [Label(s.target.span, "the left side")],
                              (f"sum over it: `sum(… for {b.name} in …)`", f"or define `{name}[…,{b.name}]`"))
        return tuple(box)

    def text(self, s: ast.Equation) -> str:
        return self.program.source.at(s.span).strip()

    def piece(self, s: ast.Equation) -> Equation:
        scope = self.scope(s)
        subs = []
        for sub, r in zip(s.target.subs, self.piece_box(s.target.base.name, s)):
            is_index = type(sub) is ast.Name and sub.name in scope.indices
            subs.append(self.pool.index(sub.name) if is_index else self.pool.number(r.low))
        self.lowering.layout = layout_at(self.layouts, s.span.start)
        value = self.lowering.lower(s.value, scope)
        if value.ranges:
            raise Problem("E205", "an element of a table is one number", s.value.span, f"this is {value.describe()}", [Label(s.target.span, "an element")])
        bindings = tuple(Binding(b.name, scope.indices[b.name][1]) for b in s.binders)
        body = unshadow(value.body, frozenset(b.index for b in bindings), self.variables)
        return Equation(s.target.base.name, tuple(subs), bindings, body, s.span, s)
