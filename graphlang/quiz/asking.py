"""What is asked about the program of a quiz, checked against its graph: every name is known, an answer is one number, a blank has a row."""

from __future__ import annotations

from graphlang.diagnostics import Diagnostic, GraphError, Label, Span
from graphlang.graph.coverage import check_expression
from graphlang.graph.goals import goals_of
from graphlang.graph.graph import Graph, layout_at
from graphlang.graph.order import plan
from graphlang.graph.values import Problem
from graphlang.query import lowering_for
from graphlang.quiz import model
from graphlang.quiz.prose import Formula, Slot, names_of, prose
from graphlang.syntax import ast
from graphlang.syntax.occurrences import functions_of

# A wrong option need not fit: its shape may be what is wrong with it. And what is only shown need not have a value.
SHAPES = frozenset({"E201", "E202", "E204", "E205", "E209", "E210", "E222", "E308"})


class Asking:
    def __init__(self, quiz: model.Quiz, found: list[Diagnostic]):
        self.quiz, self.found = quiz, found
        self.source = quiz.program.source
        self.names = names_of(quiz.program)
        self.functions = functions_of(quiz.program.statements)
        self.shown: list = []

    def prose(self, text: ast.Text) -> None:
        """Read a text; what it shows is checked when there is a graph."""
        try:
            self.shown += prose(text, self.source, self.names)
        except GraphError as error:
            self.found += error.diagnostics

    def about(self, graph: Graph) -> None:
        """All questions and texts, about a graph without mistakes."""
        self.graph = graph
        self.lowering = lowering_for(graph, layout=layout_at(graph.layouts, self.quiz.span.start))
        for condition in self.quiz.require:
            self.number(condition, "a condition is one number, 0 or 1")
        for part in self.quiz.parts:
            match part:
                case model.Ask(_, answers, _, _):
                    for a in answers:
                        self.number(a.value, "an answer is one number")
                    self.distinct([a.value for a in answers], "is asked for twice")
                case model.Fill():
                    self.fill(part)
                case model.Choose(_, options, _, _):
                    for o in options:
                        if o.value is not None and type(o.value) is not ast.Text:
                            self.lower(o.value, () if o.kind == "answer" and not graph.dims else SHAPES)
        for piece, span in self.shown:
            if type(piece) is Slot:
                self.number(piece.value, "what is printed in a text is one number")
            elif type(piece) is Formula and not (type(piece.value) is ast.Name and piece.value.name in self.known_functions()):
                self.lower(piece.value, SHAPES)

    def known_functions(self) -> frozenset[str]:
        from graphlang.graph.values import BUILT_IN

        return frozenset(BUILT_IN) | self.functions

    def lower(self, node: ast.Expr, forgiven=frozenset()):
        """An expression about the graph; None where it is wrong, which is then found."""
        try:
            return self.lowering.lower(node)
        except Problem as p:
            if p.diagnostic.code not in forgiven:
                self.found.append(p.diagnostic)
            return None

    def number(self, node: ast.Expr, what: str) -> None:
        value = self.lower(node)
        if value is None:
            return
        if value.ranges:
            over = ", ".join(map(str, value.ranges))
            hint = f"`{node.name}[{','.join(str(r.low) for r in value.ranges)}]` is an element" if type(node) is ast.Name else "an element of a derivative is written `diff(y, x[1])`"
            self.found.append(Diagnostic("E706", what, node.span, f"and this is a table over {over}", hints=(hint,)))
            return
        ranges = {n: v.ranges for n, v in {**self.graph.variables, **self.lowering.derived}.items()}
        try:
            check_expression(value.body, (), ranges, node.span)
        except Problem as p:
            self.found.append(p.diagnostic)

    def distinct(self, nodes: list[ast.Expr], what: str) -> None:
        """Of expressions, none stands twice as it is written."""
        first: dict[str, Span] = {}
        for node in nodes:
            text = "".join(self.source.at(node.span).split())
            if text in first:
                self.found.append(Diagnostic("E705", f"`{text}` {what}", node.span, "", (Label(first[text], "the first time"),), ("keep one of them",)))
            first.setdefault(text, node.span)

    def fill(self, part: model.Fill) -> None:
        backward = part.direction == "backward"
        if backward:
            try:
                goals = goals_of(self.graph, plan(self.graph), None)
            except GraphError as error:
                self.found += (d._replace(hints=tuple(h.split("; or `--goal")[0] for h in d.hints), at=d.at or part.span) for d in error.diagnostics)
                return
        self.distinct(list(part.blanks), "is blank twice")
        for blank in part.blanks:
            base = blank.base if type(blank) is ast.Subscript else blank
            if type(base) is not ast.Name:
                self.found.append(Diagnostic("E706", "a blank is the name of a variable", blank.span, "this is an expression", hints=(self.instead(blank, backward),)))
                continue
            variable = self.graph.variables.get(base.name)
            if variable is None:
                self.lower(base)
                continue
            why = ""
            if backward and variable.role in ("data", "const"):
                why = f"`{variable.name}` is {variable.role}, which has no backward row"
            elif backward and any(g.name == variable.name for g in goals):
                why = f"`{variable.name}` is the goal, whose row is 1"
            elif not backward and variable.is_leaf:
                why = f"the value of `{variable.name}` is given"
            if why:
                self.found.append(Diagnostic("E706", why, blank.span, "", hints=("name variables that " + ("the goal depends on" if backward else "equations define"),)))
            else:
                self.number(blank, "a blank is one number")

    def instead(self, blank: ast.Expr, backward: bool) -> str:
        if type(blank) is ast.Deriv:
            return f"`blank {blank.wrt}`" if backward else f"`fill backward {{ blank {blank.wrt} … }}`"
        return "give it an equation, and name that"
