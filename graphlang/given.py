"""Values that are given from outside the program: on the command line, or from Python."""

from __future__ import annotations

import math

from graphlang.diagnostics import Diagnostic, GraphError, Source, did_you_mean
from graphlang.engines.reference import evaluate
from graphlang.graph.expressions import Pool, reads
from graphlang.graph.graph import Binding, Graph, Variable
from graphlang.graph.lower import Lowering
from graphlang.graph.values import Problem
from graphlang.run import nest
from graphlang.syntax.names import NotAName, canonical
from graphlang.syntax.parser import parse_expression


class UsageError(GraphError):
    """A value, name or option that was given from outside the program is wrong: exit status 2 on the command line."""

    def __init__(self, message: str):
        super().__init__([Diagnostic("E407", message)])
        self.message = message

    def __str__(self) -> str:
        return self.message


def constant_value(text: str, what: str) -> object:
    """A number, constant expression or list literal given from outside: a float or nested lists. Raises UsageError."""
    try:
        node, binders = parse_expression(Source(what, text), set())
        if binders:
            raise UsageError(f"{what}: a value takes no `for`")
        value = Lowering(Pool(), {}, {}, {}).lower(node)
    except UsageError:
        raise
    except GraphError as e:
        raise UsageError(f"{what}: `{text}` is no number and no list of numbers: {e.diagnostics[0].message}") from None
    except Problem as p:
        raise UsageError(f"{what}: `{text}` is no number and no list of numbers: {p.diagnostic.message}") from None
    if reads(value.body):
        raise UsageError(f"{what}: `{text}` is not a constant")
    over = tuple(map(Binding, value.indices, value.ranges))
    numbers = evaluate(value.body, over, {}, {})
    if not all(map(math.isfinite, numbers)) and not any(word in text for word in ("inf", "nan")):
        raise UsageError(f"{what}: `{text}` is not finite; write inf if infinity is meant")
    return nest(numbers, value.ranges)


def settings(pairs: list[str]) -> dict[str, object]:
    """`--set x=2 --set 'x=[1, 2]'`, or several in one: `x=2,z=3` is not split: a value may hold commas."""
    out: dict[str, object] = {}
    for pair in pairs:
        name, eq, text = pair.partition("=")
        name = name.strip()
        if not eq or not name or not text.strip():
            raise UsageError(f"--set {pair}: write NAME=VALUE, such as --set x=2 or --set 'w=[1, 2]'")
        try:
            canonical(name)
        except NotAName as e:
            raise UsageError(f"--set {pair}: {e}") from None
        out[name] = constant_value(text.strip(), f"--set {name}")
    return out


def names(text: str, option: str = "--wrt") -> tuple[str, ...]:
    """`a,b` of --wrt, or of another option. Raises UsageError for what cannot be a name."""
    found = tuple(n.strip() for n in text.split(",") if n.strip())
    for n in found:
        try:
            canonical(n)
        except NotAName as e:
            raise UsageError(f"{option}: {e}") from None
    return found


def example(v: Variable) -> str:
    def nested(ranges):
        if not ranges:
            return "1"
        return "[" + ",".join(nested(ranges[1:]) for _ in range(min(ranges[0].extent, 8))) + "]"

    text = nested(v.ranges)
    return f"'{text}'" if v.ranges else text


def number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise UsageError(f"`{name}` is a const: its value is one number")
    return float(value)


def check_symmetric(v: Variable, values: list[float]) -> None:
    """Raises UsageError where a matrix that is declared symmetric is not."""
    n, low = v.ranges[0].extent, v.ranges[0].low
    for k, x in enumerate(values):
        i, j = divmod(k, n)
        if x != values[j * n + i]:
            raise UsageError(f"`{v.name}` is declared symmetric, but {v.name}[{i + low},{j + low}] is {x:g} and {v.name}[{j + low},{i + low}] is {values[j * n + i]:g}")


def extents(value: object) -> tuple[int, ...]:
    """The lengths of nested lists, from their first entries: what does not fit is found when the value is laid out."""
    out = []
    while isinstance(value, (list, tuple)) or getattr(value, "shape", ()):
        out.append(len(value))
        value = value[0] if len(value) else 0.0
    return tuple(out)


def size(name: str, value: object) -> float:
    """The number for a size that a program leaves symbolic."""
    found = number(name, value)
    if found != int(found) or not 0 <= found <= 10_000_000:
        raise UsageError(f"`{name}` is a size: its value is a whole number, 0 or greater")
    return found


def flat(graph: Graph, name: str, value: object) -> list[float]:
    v = graph.variables.get(name)
    if v is None or not v.is_leaf:
        hints = did_you_mean(name, [n for n, x in graph.variables.items() if x.is_leaf])
        what = "there is no leaf" if v is None else "only leaves can be set, and an equation defines"
        raise UsageError(f"{what} `{name}`" + "".join(f"; {h}" for h in hints))
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return [float(value)] * v.size
    if not v.ranges and isinstance(value, (list, tuple)):
        raise UsageError(f"`{name}` is a scalar, and a list is given")
    flat: list[float] = []

    def walk(x, ranges):
        if not ranges:
            if isinstance(x, bool) or not isinstance(x, (int, float)):
                raise UsageError(f"`{name}`: {'a list is nested too deeply' if isinstance(x, (list, tuple)) else f'{x!r} is not a number'}")
            flat.append(float(x))
            return
        if not isinstance(x, (list, tuple)) or len(x) != ranges[0].extent:
            got = f"{len(x)} entries" if isinstance(x, (list, tuple)) else "a number"
            raise UsageError(f"`{name}` has the ranges {', '.join(map(str, v.ranges))}: {ranges[0].extent} entries are wanted where {got} {'are' if got[0].isdigit() else 'is'} given")
        for y in x:
            walk(y, ranges[1:])

    walk(value, v.ranges)
    if v.symmetric:
        check_symmetric(v, flat)
    return flat
