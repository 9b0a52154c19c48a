"""Training by Numba: a whole epoch is one compiled function that changes the params in place and allocates only once.

What is printed is a loop over steps, in it one over the examples of a batch, in it the instructions of numba_steps.py, and the updates of the
optimiser for the params that have a gradient beside them. With a batch of one example the others are changed by the instructions themselves.
"""

from __future__ import annotations

import math
import re
from typing import Callable, Mapping, Sequence

import numpy

from graphlang.derive.reverse import differentiate
from graphlang.diagnostics import Diagnostic, GraphError
from graphlang.engines.initial import initial_values
from graphlang.engines.listing import UP, Slot
from graphlang.engines.numba_engine import compile_for, imports, load
from graphlang.engines.numba_source import NumbaWriter
from graphlang.engines.numba_steps import Steps
from graphlang.engines.python_source import bare
from graphlang.engines.stepping import OPTIMISERS, State, with_reports
from graphlang.engines.tape import STORE, TooLarge
from graphlang.engines.uses import UPDATE
from graphlang.graph.graph import Graph, ancestors
from graphlang.graph.order import plan
from graphlang.graph.training import Training

ALL_AT_ONCE = ("p -= rate*g",)  # updates that are linear in g: each contribution can be taken by itself
VECTOR = {"exp": "exp", "log": "log", "sigmoid": "sigmoid", "tanh": "tanh", "_sech": "sech", "silu": "silu"}  # of engines/numba_vector.py
WORD = re.compile(r"\w+")
POWER = re.compile(r"(\w+)\*\*t\b")


class NumbaTraining:
    """The `Stepper` of the engine `numba` (stepping.py). Raises Unsupported."""

    engine = "numba"

    def __init__(self, graph: Graph, training: Training):
        self.training = training
        self.graph, self.reports = with_reports(graph, training)
        self.data = tuple(dict.fromkeys(f.leaf for f in training.feeds))
        needed = ancestors(graph, {training.goal.name})
        self.params = tuple(n for n, v in graph.variables.items() if v.role == "param" and n in needed)
        self.derivative = differentiate(self.graph, training.goal, plan(self.graph))
        self.all_params = tuple(n for n, v in graph.variables.items() if v.role == "param")
        self.starts, _ = initial_values(self.graph, {n: [0.0] * graph.variables[n].size for n in (*self.data, *self.all_params)})
        self.runs: dict[bool, Generated] = {}
        self.source = self.steps(training.batch).source
        self.forward = self.generated(None, lambda: Steps(self.graph, None, self.reports, self.all_params)) if self.reports else None

    def steps(self, batch: int) -> "Generated":
        """The function of an epoch. With one example a step it is another."""
        one = batch == 1
        if one not in self.runs:
            row = OPTIMISERS[self.training.optimizer]
            negative, scaled = self.training.goal.kind == "maximize", row.updates == ALL_AT_ONCE
            self.runs[one] = self.generated(one, lambda: Steps(self.graph, self.derivative, (self.training.goal.name,), self.params, one, scaled, negative))
        return self.runs[one]

    def generated(self, one: bool | None, steps: Callable[[], Steps]) -> "Generated":
        try:
            return Generated(self, StepWriter(steps(), self.training), one)
        except TooLarge as e:
            raise GraphError([Diagnostic("E902", f"an equation would take {e.steps:,} rounds of its loops, more than are compiled", self.training.span, hints=("smaller ranges",))],
                             self.graph.source) from None

    def run(self, state: State, examples: Mapping, rows, batch: int, rate: float):
        rows = numpy.ascontiguousarray(rows, dtype=numpy.int64)
        losses = numpy.empty(math.ceil(len(rows) / batch))
        made = self.steps(batch)
        moments = [[flat(state.moments[m][n]) for n in self.params] for m in OPTIMISERS[self.training.optimizer].moments]
        data = made.examples(examples, rows)
        params = [flat(state.params[n]) for n in self.params]
        made.function(rows, batch, float(rate), state.steps, *data, *params, *(a for arrays in moments for a in arrays), *made.constants, losses)
        state.steps += len(losses)
        return losses

    def values(self, params: Mapping, examples: Mapping):
        count = len(next(iter(examples.values()))) if examples else 0
        out = numpy.empty((len(self.reports), count))
        if self.forward is None or not count:
            return out
        made = self.forward
        data = made.examples(examples)
        made.function(*data, *(flat(params[n]) for n in made.params), *made.constants, out)
        return out


class Generated:
    """A compiled function and what it takes. `one`: one example a step; None: values only."""

    def __init__(self, stepper: NumbaTraining, writer: "StepWriter", one: bool | None):
        self.stepper = stepper
        self.graph, self.made = stepper.graph, writer.made
        leaves = [n for n in self.made.slots if n in self.graph.variables and self.graph.variables[n].is_leaf]
        self.data = [n for n in stepper.data if n in leaves]
        self.params = list(stepper.params) if one is not None else [n for n in stepper.all_params if n in leaves]
        starts = [n for n in leaves if n not in self.data and n not in self.params]
        self.source = writer.values(stepper.reports, self.data, self.params, starts) if one is None else writer.steps(self.data, self.params, starts, one)
        self.constants = [numpy.array(stepper.starts[n], dtype=float) for n in starts]
        self.constants += [numpy.array(rows, dtype=numpy.int64).reshape(len(rows), -1) for rows in writer.constants.values()]
        self.function = self.compiled(writer, one)

    def compiled(self, writer: "StepWriter", one: bool | None) -> Callable:
        function = load("\n".join([*imports(writer, "loops"), "", "", self.source])).generated
        moments = len(OPTIMISERS[self.stepper.training.optimizer].moments) if one is not None else 0
        given = ["matrix"] * len(self.data) + ["table"] * (len(self.params) * (1 + moments))
        given += ["orders" if a.ndim == 2 else "table" for a in self.constants]
        compile_for(function, ["rows", "whole", "number", "whole", *given, "table"] if one is not None else [*given, "matrix"])
        return function

    def examples(self, examples: Mapping, rows=None) -> list:
        """The arrays of the data, checked: machine code does not look whether it reads outside of them."""
        found = []
        for n in self.data:
            array = numpy.ascontiguousarray(examples[n], dtype=float).reshape(-1, self.graph.variables[n].size)
            if rows is not None and len(rows) and not (0 <= rows.min() and rows.max() < len(array)):
                raise IndexError(f"there are {len(array)} examples of `{n}`, and rows from {rows.min()} to {rows.max()}")
            found.append(array)
        return found


def flat(array):
    """A param as it is: what is changed in place must be no copy."""
    assert array.dtype == numpy.float64 and array.ndim == 1 and array.flags.c_contiguous
    return array


class StepWriter(NumbaWriter):
    """The source of an epoch, and of the values of reports."""

    def __init__(self, steps: Steps, training: Training):
        super().__init__(steps.made)
        self.work, self.training = steps, training
        self.row = OPTIMISERS[training.optimizer]
        self.parameters = {**self.row.parameters, **dict(zip(self.row.parameters, training.parameters))}

    # ---- instructions

    def op(self, op: tuple, depth: int) -> None:
        if op[0] == UPDATE:
            self.change(op, depth)
        else:
            super().op(op, depth)

    def store(self, op: tuple, depth: int) -> None:
        kind, v, table, factor = op[0], op[1], op[2], op[6]
        slot = self.made.slots[table]
        if slot.scalar:
            value = self.r(v) if factor is None else f"{self.r(factor)}*{self.r(v)}"
            self.line(depth, f"{slot.name} {'=' if kind == STORE else '+='} {bare(value)}")
        else:
            super().store(op, depth)

    def change(self, op: tuple, depth: int) -> None:
        """A param is changed by the gradient of one element."""
        _, v, table, base, strides, _, _ = op
        slot = self.made.slots[table]
        at = "0" if slot.scalar else self.linear(base, strides)
        name = argument(slot)
        if self.work.scaled:
            self.line(depth, f"{name}[{at}] -= {bare(self.r(v))}")
            return
        self.line(depth, f"at = {at}")
        self.line(depth, f"g = {bare(self.r(v))}")
        self.updates(name, "at", depth)

    def updates(self, name: str, at: str, depth: int) -> None:
        known = {"p": f"{name}[{at}]", **{m: f"{m}_{name}[{at}]" for m in self.row.moments}, **{n: repr(float(v)) for n, v in self.parameters.items()}}
        for text in self.row.updates:
            text = POWER.sub(r"\1_to_t", text)
            self.line(depth, WORD.sub(lambda m: known.get(m[0], m[0]), text))
            if "sqrt" in text:
                self.calls.imports.add("sqrt")

    def call(self, name: str, args: list[str]) -> str:
        if name in VECTOR:
            self.vector.add(VECTOR[name])
            return f"{VECTOR[name]}({', '.join(map(bare, args))})"
        return super().call(name, args)

    # ---- functions

    def steps(self, data: Sequence[str], params: Sequence[str], starts: Sequence[str], one: bool) -> str:
        slots, work = self.made.slots, self.work
        arguments = ["rows", "batch", "rate", "step", *(examples(slots[n]) for n in data), *(argument(slots[n]) for n in params)]
        arguments += [f"{m}_{argument(slots[n])}" for m in self.row.moments for n in params] + [argument(slots[n]) for n in starts]
        self.line(1, "for k in range(len(losses)):")
        self.once_a_step(params)
        goal = slots[self.made.goal]
        value = goal.name if goal.scalar else f"{goal.name}[{self.made.seed}]"
        grads = {UP + n for n in work.grads}
        depth = 2
        if one:
            self.line(2, "example = rows[k]")
        else:
            self.line(2, "first, last = k*batch, min((k + 1)*batch, len(rows))")
            self.zeros_of([n for n in slots if n in grads], 2)
            self.line(2, "total = 0.0")
            self.line(2, "for place in range(first, last):")
            self.line(3, "example = rows[place]")
            depth = 3
        self.of_example(data, depth)
        self.zeros_of([n for n in work.zeroed if one or n not in grads], depth)
        notes = self.made.notes
        self.block(self.made.ops[: work.end], depth, notes)
        if one:
            self.line(2, f"losses[k] = {value}")
        else:
            self.line(3, f"total += {value}")
            self.line(2, "count = last - first")
            self.line(2, "losses[k] = total/count")
        self.block(self.made.ops[work.end :], 2, {k - work.end: t for k, t in notes.items()})
        for n in work.grads:
            self.whole_update(n, one)
        return self.finished(", ".join([*arguments, *self.constants, "losses"]), starts, [*data, *params, *starts])

    def once_a_step(self, params: Sequence[str]) -> None:
        powers = sorted({m for text in self.row.updates for m in POWER.findall(text)})
        if powers:
            self.line(2, "t = step + k + 1.0")
        for name in powers:
            self.line(2, f"{name}_to_t = {float(self.parameters[name])!r}**t")
        for n in params:
            if self.made.slots[n].scalar:
                self.line(2, f"{self.made.slots[n].name} = {argument(self.made.slots[n])}[0]")

    def of_example(self, data: Sequence[str], depth: int) -> None:
        for n in data:
            slot = self.made.slots[n]
            self.line(depth, f"{slot.name} = {examples(slot)}[example{', 0' if slot.scalar else ''}]")

    def zeros_of(self, tables: Sequence[str], depth: int) -> None:
        for n in tables:
            slot = self.made.slots[n]
            self.line(depth, f"{slot.name} = 0.0" if slot.scalar else f"{slot.name}[:] = 0.0")

    def whole_update(self, param: str, one: bool) -> None:
        """By a gradient that is a table."""
        slot, gradient = self.made.slots[param], self.made.slots.get(UP + param)
        sign, count = "-" if self.work.negative else "", "" if one else "/count"
        self.line(2, f"# {param} is changed")
        depth = 2
        if not slot.scalar:
            self.line(2, f"for at in range({slot.size}):")
            depth = 3
        self.line(depth, f"g = {sign}{gradient.name}{'' if slot.scalar else '[at]'}{count}")
        self.updates(argument(slot), "0" if slot.scalar else "at", depth)

    def values(self, reports: Sequence[str], data: Sequence[str], params: Sequence[str], starts: Sequence[str]) -> str:
        slots = self.made.slots
        arguments = [*(examples(slots[n]) for n in data), *(argument(slots[n]) for n in (*params, *starts))]
        for n in params:
            if slots[n].scalar:
                self.line(1, f"{slots[n].name} = {argument(slots[n])}[0]")
        self.line(1, "for example in range(out.shape[1]):")
        self.of_example(data, 2)
        self.block(self.made.ops, 2, self.made.notes)
        for k, n in enumerate(reports):
            self.line(2, f"out[{k}, example] = {slots[n].name}")
        return self.finished(", ".join([*arguments, *self.constants, "out"]), starts, [*data, *params, *starts])

    def finished(self, arguments: str, starts: Sequence[str], given: Sequence[str]) -> str:
        slots = self.made.slots
        inside = [n for n, s in slots.items() if not s.scalar and n not in given and n.removeprefix(UP) not in self.work.updated]
        head = ["@loops", f"def generated({arguments}):"]
        head += [f"    # {slots[n].name} is {slots[n].author}" for n in given]
        head += [f"    {slots[n].name} = room({slots[n].size})  # {slots[n].author}" for n in inside]
        head += [f"    {name} = room({size})" for name, size in self.rooms.items()]
        head += [f"    {slots[n].name} = {argument(slots[n])}[0]" for n in starts if slots[n].scalar]
        return "\n".join([*head, *self.lines, ""])


def argument(slot: Slot) -> str:
    """What is given as an array: of a scalar one with one element."""
    return f"all_{slot.name}" if slot.scalar else slot.name


def examples(slot: Slot) -> str:
    return f"all_{slot.name}"
