"""Who is who: the names that the statements of a program define, before anything is lowered."""

from __future__ import annotations

from typing import Callable, Mapping

from graphlang.diagnostics import Diagnostic, Label, Span
from graphlang.graph.graph import Variable
from graphlang.graph.lower import Lowering
from graphlang.graph.overrides import overridden
from graphlang.graph.sizes import placeholder
from graphlang.graph.values import BUILT_IN
from graphlang.syntax import ast


class Heads:
    """The part of the builder that reads the heads of statements."""

    program: ast.Program
    overrides: Mapping[str, float]
    lowering: Lowering
    variables: dict[str, Variable]
    functions: dict[str, ast.FunctionDef]
    opaques: dict[str, ast.Signature]
    rules: list[ast.Rule]
    leaves: dict[str, ast.Item]
    written: dict[str, list[ast.Equation]]
    dims: list[str]
    trains: list[ast.Train]
    failed: set[str]
    found: list[Diagnostic]
    report: Callable[..., None]

    def collect(self) -> None:
        places: dict[str, Span] = {}
        consts: dict[str, ast.Item] = {}
        replaced = overridden(self.program, self.found)
        for s in self.program.statements:
            if id(s) in replaced:
                continue
            match s:
                case ast.Declaration(role, items, _):
                    for item in items:
                        if self.claim_name(item.name, item.name_span, places):
                            if role == "const":
                                consts[item.name] = item
                            else:
                                self.leaves[item.name] = item
                                self.variables[item.name] = Variable(item.name, role, (), item.name_span)
                case ast.Equation(target, _, _, _, _):
                    name_node = target if type(target) is ast.Name else target.base
                    name = name_node.name
                    if name in self.written:
                        if type(target) is ast.Name or type(self.written[name][0].target) is ast.Name:
                            self.report("E102", f"`{name}` is defined twice", name_node.span, "defined again here",
                                        [Label(places[name], f"`{name}` is defined here first")], self.twice_hint(name, name_node.span, places[name]))
                        else:
                            self.written[name].append(s)
                    elif self.claim_name(name, name_node.span, places):
                        self.written[name] = [s]
                        self.variables[name] = Variable(name, "node", (), name_node.span)
                case ast.FunctionDef(name, _, _, _, name_span):
                    if name in self.functions:
                        self.report("E102", f"the function `{name}` is defined twice", name_span, "defined again here",
                                    [Label(self.functions[name].name_span, "defined here first")])
                    else:
                        if name in BUILT_IN:
                            self.lowering.warnings.append(Diagnostic("W101", f"`{name}` replaces the built-in function in this program",
                                                                     name_span, severity="warning"))
                        self.functions[name] = s
                case ast.Setting(name, _, span):
                    if name != "seed":
                        self.report("E405", f"there is no setting `{name}`", span, hints=("`set seed = 0`",))
                    else:
                        self.setting = s
                case ast.Dim(names, _):
                    for name in names:
                        if self.claim_name(name.name, name.span, places):
                            number = ast.Num(float(placeholder(name.name)), name.name, name.span)
                            consts[name.name] = ast.Item(name.name, None, False, number, name.span, name.span)
                            if name.name not in self.overrides:
                                self.dims.append(name.name)
                case ast.Include():
                    assert self.program.source.parts, "a program is read with what it includes"
                case ast.Rule():
                    self.rules.append(s)
                case ast.Opaque(signatures, _):
                    for one in signatures:
                        if one.name in self.functions or one.name in self.opaques or one.name in BUILT_IN:
                            self.report("E102", f"the function `{one.name}` is defined twice" if one.name not in BUILT_IN else f"`{one.name}` is a built-in function", one.name_span)
                        elif self.claim_name(one.name, one.name_span, places):
                            self.opaques[one.name] = one
                case ast.Train():
                    self.trains.append(s)
        self.const_items = consts

    def twice_hint(self, name: str, at: Span, first: Span) -> tuple[str, ...]:
        source = self.program.source
        if source.part(first.start).file is not source.part(at.start).file and name in self.written:
            return (f"`override {name} = …` replaces the equation of an included file",)
        return (f"give one of them another name; the pieces of a table are written `{name}[0] = …`, `{name}[j] = … for j in 1..n`",)

    def claim_name(self, name: str, at: Span, places: dict[str, Span]) -> bool:
        if name in BUILT_IN:
            self.report("E105", f"`{name}` is a built-in function and cannot be a variable", at, hints=(f"`{name}_`, or another name",))
            self.failed.add(name)
            return False
        if name in ("pi", "inf", "nan"):
            self.report("E105", f"`{name}` is a constant and cannot be a variable", at)
            return False
        if name in places:
            self.report("E102", f"`{name}` is defined twice", at, "defined again here",
                        [Label(places[name], f"`{name}` is defined here first")], self.twice_hint(name, at, places[name]))
            return False
        places[name] = at
        return True
