"""What stands behind the entries of a `train` block that are numbers, words or a rate."""

from __future__ import annotations

from typing import NamedTuple

from graphlang.diagnostics import Label, did_you_mean
from graphlang.graph.constant import constant
from graphlang.graph.expressions import Expr
from graphlang.graph.graph import Range
from graphlang.graph.lower import Lowering
from graphlang.graph.optimisers import OPTIMISERS, fits, wanted_of
from graphlang.graph.substitute import substitute
from graphlang.graph.values import CONSTANTS, DERIVATIVES, Problem, Scope
from graphlang.syntax import ast


class Entry(NamedTuple):
    """`form`: how it is written; `about`: what it says."""

    form: str
    about: str


ENTRIES = {
    "data": Entry('data: csv("train.csv"), x[1..M], y', "the examples: a file, and the leaves that its columns fill, in their order"),
    "test": Entry('test: csv("test.csv")', "a second file, of examples that training never sees; it fills the same leaves"),
    "rate": Entry("rate: 0.1", "how far each step goes: a number, or an expression in `epoch`"),
    "epochs": Entry("epochs: 20", "how often training goes through all examples"),
    "batch": Entry("batch: 16", "the number of examples of a step, 1 if nothing is said; their loss is the mean of the goal"),
    "shuffle": Entry("shuffle: yes", "whether each epoch takes the examples in another order; no if nothing is said"),
    "seed": Entry("seed: 1", "the seed of the orders; that of the program if nothing is said"),
    "report": Entry("report: mean(J)", "what is printed after each epoch: means over the examples; that of the goal if nothing is said"),
    "optimizer": Entry("optimizer: adam", "how a step changes the params: `sgd` if nothing is said"),
    "patience": Entry("patience: 5", "after how many epochs without a better first report training stops; never if nothing is said"),
}
REQUIRED = ("data", "rate", "epochs")
WHAT = {"input": "an input", "param": "a param", "data": "a data leaf", "node": "an equation's"}
EPOCH = "epoch"  # the index of a rate
MOST_RATES = 1000  # epochs whose rates are looked at, besides the last
LARGEST = 2**53  # up to which every whole number is a float64


def one(entry: ast.Entry) -> ast.Expr:
    """The value of an entry that has one. Raises Problem."""
    if len(entry.slots) > 1:
        raise Problem("E411", f"`{entry.name}` is one value", entry.slots[1].span, "a second one", hints=(f"`{ENTRIES[entry.name].form}`",))
    return entry.slots[0]


def whole_number(entry: ast.Entry, lowering: Lowering, least: int) -> int:
    """Raises Problem, like all of these."""
    slot = one(entry)
    value = number(slot, entry.name, lowering)
    if not value.is_integer() or not least <= value <= LARGEST:
        raise Problem("E411", f"`{entry.name}` is a whole number, {least} or greater", slot.span, f"this is {value:g}", hints=(f"`{ENTRIES[entry.name].form}`",))
    return int(value)


def number(node: ast.Expr, name: str, lowering: Lowering) -> float:
    return constant(expression(node, name, lowering))


def expression(node: ast.Expr, name: str, lowering: Lowering, scope: Scope = Scope(integer=True)) -> Expr:
    """One made of numbers, consts and the indices of a scope. Raises Problem."""
    made = "numbers and consts" if not scope.indices else f"numbers, consts and `{EPOCH}`"
    nodes = list(ast.postorder(node))
    summed = next((n for n in nodes if type(n) is ast.Deriv or type(n) is ast.Call and (n.binders or n.name in DERIVATIVES)), None)
    if summed is not None:
        raise Problem("E411", f"`{name}` is made of {made}, without sums over an index or derivatives", summed.span, hints=(f"`{ENTRIES[name].form}`",))
    for n in nodes:
        v = lowering.variables.get(n.name) if type(n) is ast.Name and n.name not in scope.indices else None
        if v is not None and v.role != "const":
            raise Problem("E411", f"`{name}` is made of {made}", n.span, f"`{n.name}` is {WHAT[v.role]}",
                          hints=(f"`const {n.name} = …` is a number with a name",))
        if type(n) is ast.Name and v is None and n.name not in (*scope.indices, *CONSTANTS):
            raise lowering.undefined(n.name, n.span, scope._replace(integer=False))
    body = lowering.scalar(node, scope)
    if constant(substitute(body, {EPOCH: body.pool.one})) is None:
        raise Problem("E411", f"`{name}` is made of {made}, without tables", node.span, hints=(f"`{ENTRIES[name].form}`",))
    return body


def rate(entry: ast.Entry, lowering: Lowering, epochs: int) -> Expr:
    slot = one(entry)
    variable = lowering.variables.get(EPOCH)
    used = next((n for n in ast.postorder(slot) if type(n) is ast.Name and n.name == EPOCH), None)
    if variable is not None and used is not None:
        raise Problem("E104", f"in a rate `{EPOCH}` counts the epochs, and the program has a variable of that name", used.span, "",
                      [Label(variable.span, "the variable")] if variable.span else (), ("give the variable another name",))
    body = expression(slot, entry.name, lowering, Scope(indices={EPOCH: (EPOCH, Range(1, epochs))}, integer=True))
    for k in (*range(1, min(epochs, MOST_RATES) + 1), epochs) if body.free else (1,):
        value = constant(substitute(body, {EPOCH: body.pool.number(k)}))
        if not 0 < value < float("inf"):
            raise Problem("E411", "a rate is greater than 0 and finite", slot.span, f"in epoch {k} it is {value:g}" if body.free else f"this is {value:g}", hints=(
                "training goes down by itself where the goal is minimized, and up where it is maximized" if value < 0 and not body.free else
                f"`where({EPOCH} < 10, 0.1, 0.01)`, `0.1/(1 + {EPOCH}/10)`" if body.free else f"`{ENTRIES['rate'].form}`",))
    return body


def switch(entry: ast.Entry) -> bool:
    slot = one(entry)
    if type(slot) is not ast.Name or slot.name not in ("yes", "no"):
        raise Problem("E411", f"`{entry.name}` is `yes` or `no`", slot.span, hints=(f"`{ENTRIES[entry.name].form}`",))
    return slot.name == "yes"


def optimizer(entry: ast.Entry, lowering: Lowering) -> tuple[str, tuple[float, ...]]:
    slot = one(entry)
    all_forms = "there are " + ", ".join(f"`{row.form}`" for row in OPTIMISERS.values())
    if type(slot) is not ast.Name and (type(slot) is not ast.Call or slot.binders):
        raise Problem("E411", "an optimizer is a name", slot.span, hints=(all_forms,))
    row = OPTIMISERS.get(slot.name)
    if row is None:
        raise Problem("E411", f"there is no optimizer `{slot.name}`", slot.span, hints=did_you_mean(slot.name, OPTIMISERS) or (all_forms,))
    given: dict[str, float] = {}
    names = list(row.parameters)
    for k, argument in enumerate(slot.args if type(slot) is ast.Call else ()):
        named = type(argument) is ast.Keyword
        if not named and (k >= len(names) or type(slot.args[k - 1]) is ast.Keyword and k):
            raise Problem("E411", f"`{row.name}` takes no such argument", argument.span, hints=(f"`{row.form}`",))
        name = argument.name if named else names[k]
        if name not in names:
            raise Problem("E411", f"`{row.name}` has no parameter `{name}`", argument.span, hints=did_you_mean(name, names) or (f"`{row.form}`",))
        if name in given:
            raise Problem("E411", f"`{name}` is given twice", argument.span, hints=(f"`{row.form}`",))
        value = given[name] = number(argument.value if named else argument, "optimizer", lowering)
        if not fits(name, value):
            raise Problem("E411", f"`{name}` of `{row.name}` is {wanted_of(name)}", argument.span, f"this is {value:g}", hints=(f"`{row.form}`",))
    return row.name, tuple((row.parameters | given).values())
