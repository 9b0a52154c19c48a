"""`program.compile(…)`: a function from values of leaves to the value of the goal and its gradient, made once and called often.

The engine `python` prints the program and its backward pass as Python source (engines/python_source.py) and runs that.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from keyword import iskeyword
from typing import Callable, Mapping, Sequence

from graphlang.derive.reverse import differentiate
from graphlang.diagnostics import Diagnostic, GraphError, did_you_mean
from graphlang.engines.initial import initial_values
from graphlang.engines.listing import Listing, listing
from graphlang.engines.python_source import BADLY, Writer
from graphlang.engines.tape import DOWN, LOOP, TooLarge
from graphlang.engines.unsupported import Unsupported
from graphlang.given import UsageError, flat
from graphlang.graph.build import without_collecting
from graphlang.graph.graph import Graph, ancestors
from graphlang.graph.order import plan
from graphlang.pipeline import check_numbers, goals_in_view, summary
from graphlang.run import nest
from graphlang.syntax.names import canonical

NAME = "value_and_gradient"
UNSET = object()
RESERVED = re.compile(r"[vari]\d+|q\d*|_.*")  # names of the generated code
ENGINES = ("python", "numpy", "numba", "jax")
ARRAYS = ("numpy", "jax")  # compute whole arrays at a time
NEEDS = {"numba": "fast", "jax": "jax"}  # the extra that an engine needs
LARGE = 1000  # instructions, or elements of all tables, from which `auto` takes another engine than `python`
PRODUCT = 50_000  # rounds of one nest of loops from which it leaves sums of products to matrix products


class Compiled:
    """What stands behind a compiled function: the listing, the generated source, and the way for calls that are not the usual one."""

    def __init__(self, made: Listing, defaults: Mapping[str, list[float]], engine: str):
        self.made, self.defaults, self.engine = made, dict(defaults), engine
        self._careful = None
        if engine == "numba":
            from graphlang.engines import numba_engine, scalar_tape

            self.built = None if scalar_tape.suits(made) else numba_engine.Built(made)
            self.compiled, self.source = scalar_tape.build(made) if self.built is None else (self.built.call, self.built.source)
            self._fast = self._compiled
        else:
            self.writer = Writer(made, careful=False)
            self.source = self.writer.function(NAME)
            self._fast = _load(self.source, self.writer.used)

    def function(self) -> Callable:
        """The function that is given out."""
        f = front(self)
        named(f, self.made.goal, self.made.wrt, self.made.inputs)
        f.engine, f.source = self.engine, self.source
        return self.complete(f)

    def complete(self, f: Callable) -> Callable:
        """Its other derivatives, which are made when they are first asked for."""
        made = self.made

        def other(name: str) -> Callable:
            def call(*args, **leaves):
                from graphlang.compiled_arrays import Arrays, attach, loader

                goal = made.derivative.goal
                attach(f, Arrays(made.graph, goal, made.wrt, made.inputs, self.defaults, loader(self.engine)), self._refuse)
                return getattr(f, name)(*args, **leaves)

            return call

        f.jacobian, f.hessian, f.jvp = map(other, ("jacobian", "hessian", "jvp"))
        return f

    def __call__(self, **leaves):
        made, graph = self.made, self.made.graph
        given, batch, arrays, whole = {}, None, False, {}  # `whole`: arrays along the batch
        for name, value in leaves.items():
            name = name if name in graph.variables else canonical(name)
            if name not in made.inputs:
                self._refuse(name)
            own = len(graph.variables[name].ranges)
            if hasattr(value, "tolist"):
                arrays = True
                shape = tuple(r.extent for r in graph.variables[name].ranges)
                if self.engine == "numba" and own and value.shape == shape:
                    given[name] = value.astype(float).ravel()  # as it is: no list in between
                    continue
                if self.engine == "numba" and self.built is not None and value.shape[1:] == shape and value.ndim == own + 1 and batch in (None, len(value)):
                    batch, whole[name] = len(value), value.astype(float).reshape(len(value), -1) if own else value.astype(float)
                    continue
                value = value.tolist()
            if depth(value) == own + 1:
                if batch not in (None, len(value)):
                    raise UsageError(f"`{name}` has {len(value)} entries in its batch, where another leaf has {batch}")
                batch = len(value)
                given[name] = [flat(graph, name, v) for v in value]
            else:
                given[name] = flat(graph, name, value)
        missing = [n for n in made.inputs if n not in given and n not in whole and n not in self.defaults]
        if missing:
            raise UsageError("no value is given for `" + "`, `".join(missing) + "`")
        if batch is None:
            return self._shaped(*self._one({**self.defaults, **given}), arrays)
        if whole and not any(isinstance(v, list) and v and isinstance(v[0], list) for v in given.values()):
            return self._batch(batch, whole, {**self.defaults, **given})
        given |= {n: [row.tolist() if row.ndim else [float(row)] for row in v] for n, v in whole.items()}
        results = []
        for k in range(batch):
            here = {n: v[k] if isinstance(v, list) and v and isinstance(v[0], list) else v for n, v in given.items()}
            results.append(self._one({**self.defaults, **here}))
        values, gradients = [v for v, _ in results], {n: [g[n] for _, g in results] for n in made.wrt}
        gradients = {n: [nest(listed(g), graph.variables[n].ranges) for g in gs] for n, gs in gradients.items()}
        return (array(values), {n: array(g) for n, g in gradients.items()}) if arrays else (values, gradients)

    def _one(self, values: Mapping[str, list[float]]):
        args = [values[n] if self.made.graph.variables[n].ranges else values[n][0] for n in self.made.inputs]
        try:
            return self._fast(*args)
        except BADLY:  # a value that is not finite: by the rows of functions, which have one for everything
            if self._careful is None:
                writer = Writer(self.made, careful=True)
                self._careful = _load(writer.function(NAME), writer.used)
            return self._careful(*args)

    def _compiled(self, *args):
        """Machine code takes arrays, and gives the value and then the gradients."""
        import numpy

        value, *gradients = self.compiled(*(numpy.array(a, dtype=float) if isinstance(a, list) else a if isinstance(a, numpy.ndarray) else float(a) for a in args))
        return value, dict(zip(self.made.wrt, gradients))

    def _batch(self, count: int, whole: Mapping, rest: Mapping[str, list[float]]):
        """A batch in machine code."""
        import numpy

        ranges = {n: self.made.graph.variables[n].ranges for n in (*self.made.inputs, *self.made.wrt)}
        args = [whole[n] if n in whole else numpy.array(rest[n], dtype=float) if ranges[n] else float(rest[n][0]) for n in self.made.inputs]
        values, *gradients = self.built.batch(count, args, tuple(n in whole for n in self.made.inputs))
        return values, {n: g.reshape((count, *(r.extent for r in ranges[n]))) for n, g in zip(self.made.wrt, gradients)}

    def _shaped(self, value: float, gradients: Mapping, arrays: bool):
        ranges = {n: self.made.graph.variables[n].ranges for n in gradients}
        if arrays:
            return value, {n: array(g).reshape([r.extent for r in ranges[n]]) for n, g in gradients.items()}
        return value, {n: nest(listed(g), ranges[n]) for n, g in gradients.items()}

    def _refuse(self, name: str) -> None:
        refused(self.made.graph, self.made.goal, self.made.inputs, name)


def refused(graph: Graph, goal: str, inputs: Sequence[str], name: str) -> None:
    """Raise the UsageError for a name that is no leaf of the goal."""
    v = graph.variables.get(name)
    if v is not None and v.role == "const":
        raise UsageError(f"`{name}` is a const: it is a part of the compiled program")
    if v is not None and v.is_leaf:
        raise UsageError(f"`{goal}` does not depend on `{name}`")
    raise UsageError("; ".join((f"there is no leaf `{name}`", *did_you_mean(name, inputs))))


def named(f: Callable, goal: str, wrt: Sequence[str], inputs: Sequence[str]) -> None:
    f.__name__ = f.__qualname__ = f"{goal}_and_gradient"
    f.__doc__ = f"`{goal}` and its gradient by {', '.join(wrt) or 'nothing'}, of {', '.join(inputs)}."


@without_collecting()
def compile_program(graph: Graph, wrt: Sequence[str] = (), engine: str = "auto", goal: str | None = None) -> Callable:
    """`f(x=3)` → (value, {"x": gradient}). Leaves that are not given have the value that the program gives them. A table is a nested
    list, or a NumPy array: then gradients are arrays too. Where a leaf is given with one axis more than it has, that axis is the
    batch: everything is done for each of its entries, with the other leaves as they are, and the results have that axis in front.

    A value that does not exist is nan or infinite, as in a run with `ieee`. `f.source` is what was generated, to read; `f.engine`
    who runs it. Raises UsageError, GraphError; `f` raises UsageError for leaves that do not fit.
    """
    available(engine)
    check_numbers(graph)
    chosen = goals_in_view(graph, graph, goal)[0]
    derivative = differentiate(graph, chosen, plan(graph))
    names = list(dict.fromkeys(map(canonical, wrt))) or list(summary(graph))
    known = {n for n, v in graph.variables.items() if v.role != "const"}
    for n in names:
        if n not in known:
            raise UsageError("; ".join((f"there is no variable `{n}` to differentiate by", *did_you_mean(n, known))))
    needed = ancestors(graph, {chosen.name}) | set(names)
    inputs = [n for n, v in graph.variables.items() if v.is_leaf and v.role != "const" and n in needed]
    values, _ = initial_values(graph, {})
    known = {n: values[n] for n in inputs if n in values}
    try:
        if engine in ARRAYS:
            return whole_arrays(graph, chosen, names, inputs, known, engine)
        made = listing(graph, derivative, chosen.name, names, inputs)
        if engine != "auto":
            return Compiled(made, known, engine).function()
    except TooLarge as e:
        raise GraphError([Diagnostic("E902", f"an equation would take {e.steps:,} rounds of its loops, more than are compiled", None, hints=("smaller ranges",))], graph.source) from None
    except Unsupported as e:
        raise UsageError(f"the engine `{engine}` has no code for {e}; the engine `python` has") from None
    for name in automatic(made):
        try:
            return whole_arrays(graph, chosen, names, inputs, known, name) if name in ARRAYS else Compiled(made, known, name).function()
        except (Unsupported, TooLarge):
            pass
    return Compiled(made, known, "python").function()


def available(engine: str) -> None:
    """Raise UsageError where there is no such engine, or where what it needs is not installed."""
    if engine not in (*ENGINES, "auto"):
        raise UsageError(f"there is no engine `{engine}`: {', '.join(ENGINES)}, or auto")
    if engine in NEEDS and find_spec(engine) is None:
        raise UsageError(f"the engine `{engine}` needs {engine.capitalize() if engine == 'numba' else 'JAX'}: pip install 'graphlang[{NEEDS[engine]}]'")


def whole_arrays(graph: Graph, goal, wrt: Sequence[str], inputs: Sequence[str], known: Mapping[str, list[float]], engine: str) -> Callable:
    """The function by an engine that computes whole arrays at a time. Raises Unsupported, TooLarge."""
    from graphlang.compiled_arrays import Arrays, attach, loader

    arrays = Arrays(graph, goal, wrt, inputs, known, loader(engine))
    arrays.function(None, ())

    def refuse(name: str):
        refused(graph, goal.name, inputs, name)

    def f(**leaves):
        return arrays(refuse, leaves)

    named(f, goal.name, wrt, inputs)
    f.engine, f.source = engine, arrays.source
    attach(f, arrays, refuse)
    return f


def automatic(made: Listing) -> tuple[str, ...]:
    """Engines to try before `python`, the best first. Numba takes seconds to compile what is new; large sums of products are faster as matrix products."""
    if len(made.ops) < LARGE and sum(s.size for s in made.slots.values()) < LARGE:
        return ()
    numba = ("numba",) if find_spec("numba") is not None else ()
    if all(s.scalar for s in made.slots.values()):
        return numba
    return ("numpy", *numba) if most_rounds(made) >= PRODUCT else (*numba, "numpy")


def most_rounds(made: Listing) -> int:
    """Of the nests of loops with fixed ends, the most rounds that one has; of a recurrence, in one of its steps."""
    most, work = 1, [(made.ops, 1)]
    while work:
        block, around = work.pop()
        for op in block:
            if op[0] in (LOOP, DOWN):
                rounds = around * (1 if id(op[4]) in made.tape.in_turn else max(1, op[3][0] - op[2][0] + 1))
                most = max(most, rounds)
                work.append((op[4], rounds))
    return most


def _load(source: str, used: Mapping[str, object]):
    """The function that generated source defines. No word of the author's is in it but in comments and as keys."""
    space = dict(used)
    exec(compile(source, "<generated>", "exec"), space)
    return space[NAME]


def front(compiled: Compiled) -> Callable:
    """The function that a user calls. For the usual call of a scalar program, floats by their names, it is the generated code itself; all
    else goes the general way. So it does where a leaf is a table, or is called as no argument of Python's can be."""
    made, names = compiled.made, compiled.made.inputs
    used = compiled.writer.used if compiled.engine == "python" else {}
    if not names or any(made.graph.variables[n].ranges for n in (*names, *made.wrt)) or any(iskeyword(n) or not n.isascii() or RESERVED.fullmatch(n) or n in used for n in names):
        return lambda **leaves: compiled(**leaves)
    space = {**used, "_unset": UNSET, "_badly": BADLY, "_general": lambda **leaves: compiled(**{n: v for n, v in leaves.items() if v is not UNSET})}
    space |= {f"_start{k}": compiled.defaults[n][0] if n in compiled.defaults else UNSET for k, n in enumerate(names)}
    lines = compiled.source.splitlines()
    if compiled.engine == "numba":
        space["_compiled"] = compiled.compiled
        results = [f"_g{k}" for k in range(len(made.wrt))]
        lines = ["", f"    _value, {', '.join(results)}{',' if results else ''} = _compiled({', '.join(names)})".replace("_value,  =", "_value, ="),
                 f"    return _value, {{{', '.join(f'{n!r}: {g}' for n, g in zip(made.wrt, results))}}}"]
    slots = [made.slots[n].name if n in made.slots else f"_unread{k}" for k, n in enumerate(names)]
    renamed = "\n".join(f"            {s} = {n}" for n, s in zip(names, slots))
    heads = ", ".join(f"{n}=_start{k}" for k, n in enumerate(names))
    own = " and ".join(f"{n}.__class__ is float" for n in names)
    text = (f"def {NAME}(*, {heads}, **_other):\n    if not _other and {own}:\n        try:\n{renamed}\n"
            + "\n".join("        " + line for line in lines[1:]) + "\n        except _badly:\n            pass\n"
            + f"    return _general({', '.join(f'{n}={n}' for n in names)}, **_other)\n")
    return _load(text, space)


def listed(gradient) -> list[float]:
    """A gradient of either engine, flat."""
    return gradient if isinstance(gradient, list) else gradient.tolist() if getattr(gradient, "ndim", 0) else [float(gradient)]


def depth(value) -> int:
    n = 0
    while isinstance(value, (list, tuple)):
        n, value = n + 1, value[0] if value else 0.0
    return n


def array(value):
    import numpy

    return numpy.array(value)
