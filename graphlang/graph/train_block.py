"""What a `train` block means: its entries checked, its expressions lowered, against the graph of the program.

No file is read here: what the columns hold is known when the program is trained.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Callable, TypeVar

from graphlang.diagnostics import Diagnostic, Label, Source, Span, did_you_mean
from graphlang.graph.coverage import check_reads
from graphlang.graph.expressions import Expr, reads
from graphlang.graph.feeds import feeds, unfilled, whole
from graphlang.graph.graph import Equation, Goal, Graph, Wanted, ancestors
from graphlang.graph.leaves import wanted
from graphlang.graph.lower import Lowering
from graphlang.graph.substitute import unshadow
from graphlang.graph.train_values import ENTRIES, REQUIRED, optimizer, rate, switch, whole_number
from graphlang.graph.training import Feed, Report, Training
from graphlang.graph.values import DERIVATIVES, FROM_FILES, Problem
from graphlang.syntax import ast

T = TypeVar("T")


class TrainBlock:
    """The block of a program. Mistakes go to `found`: those of its form at once, others when its meaning is asked for."""

    def __init__(self, written: list[ast.Train], source: Source, lowering: Lowering, found: list[Diagnostic]):
        self.block, self.source, self.lowering, self.found = written[0], source, lowering, found
        self.head = _head(self.block)
        self.entries: dict[str, ast.Entry] = {}
        for other in written[1:]:
            self.report("E410", "a program has one `train` block", _head(other), "a second one", (Label(self.head, "the first one"),), ("put the entries into one",))
        meant: set[str] = set()  # by a misspelt entry: not missing
        for entry in self.block.entries:
            if entry.name in self.entries:
                self.report("E410", f"`{entry.name}` stands twice", entry.name_span, "", (Label(self.entries[entry.name].name_span, "the first time"),), ("keep one of them",))
            elif entry.name not in ENTRIES:
                near = did_you_mean(entry.name, ENTRIES)
                meant.update(name for name in ENTRIES if any(f"`{name}`" in hint for hint in near))
                hints = near or ("there are " + ", ".join(f"`{n}`" for n in ENTRIES),)
                self.report("E410", f"`train` has no entry `{entry.name}`", entry.name_span, "", (), hints)
            else:
                self.entries[entry.name] = entry
        for name in REQUIRED:
            if name not in self.entries and name not in meant:
                self.report("E410", f"`{name}:` is missing", self.head, "of this block", (), (f"`{ENTRIES[name].form}`",))

    def report(self, code: str, message: str, at: Span, text: str = "", labels=(), hints=()) -> None:
        self.found.append(Diagnostic(code, message, at, text, tuple(labels), tuple(hints)))

    def text(self, node: ast.Expr) -> str:
        """What the author wrote, on one line."""
        return " ".join(re.sub(r"#[^\n]*", "", self.source.at(node.span)).split())

    def training(self, graph: Graph) -> Training | None:
        """The meaning, or None where something is wrong."""
        before = len(self.found)
        goal = self.goal(graph)
        data, given = self.read("data", self.data) or (None, ())
        reports = self.reports(graph, goal) if goal is not None else ()
        if len(self.found) == before:
            needed = basis(graph, [goal.name, *(r.name for report in reports for r in reads(report.value))])
            self.found += unfilled(graph, given, needed, self.entries["data"].span)
        test = self.read("test", lambda entry: self.test(entry, data, given)) if data is not None else None
        epochs = self.read("epochs", lambda entry: whole_number(entry, self.lowering, 1))
        rates = self.read("rate", lambda entry: rate(entry, self.lowering, epochs or 1))
        batch = self.read("batch", lambda entry: whole_number(entry, self.lowering, 1), 1)
        shuffle = self.read("shuffle", switch, False)
        seed = self.read("seed", lambda entry: whole_number(entry, self.lowering, 0), graph.seed)
        chosen, parameters = self.read("optimizer", lambda entry: optimizer(entry, self.lowering), ("sgd", ())) or ("", ())
        patience = self.read("patience", lambda entry: whole_number(entry, self.lowering, 1))
        if len(self.found) > before:
            return None
        return Training(goal, data, given, rates, epochs, batch, shuffle, seed, reports, self.block.span, test, chosen, parameters, patience)

    def read(self, name: str, meaning: Callable[[ast.Entry], T], default: T | None = None) -> T | None:
        """What an entry says, `default` without it; None where it is wrong, which is then found."""
        entry = self.entries.get(name)
        if entry is None:
            return default
        try:
            return meaning(entry)
        except Problem as p:
            self.found.append(p.diagnostic)
            return None

    # ---- what is learnt

    def goal(self, graph: Graph) -> Goal | None:
        goal = next((g for g in graph.goals if g.kind != "output"), None)
        if goal is None:
            used = {r.name for e in graph.equations for r in reads(e.value)}
            scalars = [g.name for g in graph.goals] + [e.target for e in graph.equations if e.target not in used]
            name = next((n for n in scalars if not graph.variables[n].ranges), "J")
            self.report("E414", "training needs a goal to minimize or to maximize", self.head, "and the program names " + ("only outputs" if graph.goals else "none"),
                        (), (f"`minimize {name}`",))
            return None
        if not any(graph.variables[n].role == "param" for n in basis(graph, [goal.name])):
            leaf = next((v for v in graph.variables.values() if v.role == "input"), None)
            self.report("E414", f"nothing can be learnt: `{goal}` depends on no param", self.head, "",
                        [Label(leaf.span, f"`{leaf.name}` is an input")] if leaf and leaf.span else (), (f"declare what is learnt as `param {leaf.name if leaf else 'w'} = …`",))
            return None
        return goal

    # ---- data

    def data(self, entry: ast.Entry) -> tuple[Wanted, tuple[Feed, ...]]:
        file, before = self.file(entry), len(self.found)
        if len(entry.slots) == 1:
            raise Problem("E412", "what do the columns fill?", entry.span, "the leaves are named behind the file", hints=(f"`{ENTRIES['data'].form}`",))
        given = feeds(entry.slots[1:], self.lowering, self.found)
        if len(self.found) == before:
            self.count(file, given, entry)
        return file, given

    def test(self, entry: ast.Entry, data: Wanted, given: tuple[Feed, ...]) -> Wanted:
        """It fills what `data` fills, in the same order, from the same columns where it names none."""
        file, before = self.file(entry), len(self.found)
        again = feeds(entry.slots[1:], self.lowering, self.found)
        if file.kind == data.kind == "csv" and not file.columns:
            file = file._replace(columns=data.columns)
        if len(self.found) > before or not given:
            return file
        if again and [n for f in again for n in f.names] != [n for f in given for n in f.names]:
            raise Problem("E412", "`test` fills the same elements as `data`, in the same order", entry.span, "these are others",
                          [Label(self.entries["data"].span, "as here")], ("leave them out here", "columns in another order are named: `csv(\"test.csv\", \"b\", \"a\")`"))
        self.count(file, given, entry)
        return file

    def file(self, entry: ast.Entry) -> Wanted:
        first = entry.slots[0]
        if type(first) is ast.Text:
            ending = "npy" if first.value.lower().endswith((".npy", ".npz")) else "csv"
            raise Problem("E412", f"`{entry.name}` begins with a file and how it is read", first.span, hints=(f"`{ending}({self.text(first)})`",))
        if type(first) is not ast.Call or first.name not in FROM_FILES:
            raise Problem("E412", f"`{entry.name}` begins with a file", first.span, "this is none", hints=(f"`{ENTRIES[entry.name].form}`",))
        return wanted(first, lambda node: whole(node, self.lowering), self.lowering.consts)

    def count(self, file: Wanted, given: tuple[Feed, ...], entry: ast.Entry) -> None:
        elements = sum(len(f.elements) for f in given)
        if file.kind == "csv" and file.columns and len(file.columns) != elements:
            n = len(file.columns)
            raise Problem("E412", f"{n} column{'s are' if n > 1 else ' is'} named, and {elements} element{'s are' if elements > 1 else ' is'} to be filled", entry.span,
                          hints=(f"`npy(\"{file.file}\", …)` takes one of several arrays",) if file.file.lower().endswith(".npz") and n == 1 and type(file.columns[0]) is str else ("a column for each element, in their order",))

    # ---- reports

    def reports(self, graph: Graph, goal: Goal) -> tuple[Report, ...]:
        entry = self.entries.get("report")
        if entry is None:
            return (Report(f"mean({goal})", graph.pool.read(goal.name, tuple(map(graph.pool.number, goal.element or ())))),)
        out: dict[Expr, Report] = {}
        for slot in entry.slots:
            try:
                made = self.one_report(graph, goal, slot)
                if made.value in out:
                    raise Problem("E411", f"`{made.text}` stands twice", slot.span, "", [Label(out[made.value].span, "the first time")], ("keep one of them",))
                out[made.value] = made
            except Problem as p:
                self.found.append(p.diagnostic)
        return tuple(out.values())

    def one_report(self, graph: Graph, goal: Goal, slot: ast.Expr) -> Report:
        if type(slot) is not ast.Call or slot.name != "mean" or len(slot.args) != 1:
            inside = self.text(slot)
            raise Problem("E411", "a report is a mean over the examples of a data set", slot.span, "this is none",
                          hints=(f"`mean({inside if type(slot) is not ast.Call or slot.name != 'mean' else goal})`",))
        if slot.binders:
            raise Problem("E411", "the mean of a report is over the examples, without a `for`", slot.span, hints=(f"`mean({self.text(slot)})`",))
        (inside,) = slot.args
        for n in ast.postorder(inside):
            if type(n) is ast.Deriv or type(n) is ast.Call and n.name in DERIVATIVES:
                raise Problem("E411", "a report names no derivative", n.span, hints=(f"give it an equation, `g = {self.text(n)}`, and write `mean(g)`",))
        value = unshadow(self.lowering.scalar(inside), frozenset(), graph.variables)
        outside = check_reads(replace(graph, equations=(Equation("report", (), (), value, slot.span),), pieces={}, plans=[]))
        if outside:
            self.found += outside
        return Report(self.text(slot), value, slot.span)


def basis(graph: Graph, names: list[str]) -> set[str]:
    """The variables that some are made of. Derivatives that equations name are not defined yet: they are made of what is differentiated."""
    found = ancestors(graph, names)
    while more := {n for name in found if name in graph.asked for n in (graph.asked[name].of, graph.asked[name].wrt)} - found:
        found |= ancestors(graph, more)
    return found


def _head(block: ast.Train) -> Span:
    return Span(block.span.start, block.span.start + len("train"))
