"""A listing as source that Numba compiles: loops over arrays, values that are not finite instead of exceptions.

It is the printer of Python source with other spellings. The values of a reduction go into an array that is there from the start.
"""

from __future__ import annotations

from typing import Iterable

from graphlang.engines.listing import Listing
from graphlang.engines.python_source import MATH, OPERATORS, Writer, bare
from graphlang.engines.tape import ELEMENT, FINISH, KEEP, LOAD, PLACE, PLACED, PLACES, START
from graphlang.engines.uses import kept_by
from graphlang.engines.unsupported import Unsupported
from graphlang.graph.reductions import REDUCTIONS

# Rows by the name of what computes them: of `math`, which Numba compiles, or of engines/numba_functions.py.
IN_MATH = MATH | {"log2", "log10", "hypot", "atan2", "acosh", "atanh"}
OWN = {"^": "power", "max": "maximum", "min": "minimum", "round": "half_even", "mod": "modulo", "_sech": "sech", "_power_log": "power_log", "_polygamma": "polygamma",
       **{n: n for n in ("sigmoid", "leaky_relu", "elu", "gelu", "sign", "floor", "ceil", "xlogy", "logaddexp", "softplus", "log_sigmoid", "relu", "silu", "clip", "cbrt", "lgamma", "digamma")}}
REDUCED = {"_others": "others", "max": "largest", "min": "smallest", "_most": "most", "_least": "least",
           "det": "determinant", "slogdet": "log_determinant", "inv": "inverse", "_cofactor": "cofactors", "_solve": "solution",
           **{n: n for n in ("prod", "mean", "var", "std", "norm", "logsumexp", "softmax", "log_softmax", "cumsum")}}
PLAIN = {"/": "{0}/{1}", "abs": "abs({0})", "_erfc": "erfc({0})"}


class Calls:
    """Texts of calls, and what they need: names of `math` and of engines/numba_functions.py."""

    def __init__(self) -> None:
        self.imports: set[str] = set()
        self.own: set[str] = set()

    def text(self, name: str, args: list[str]) -> str | None:
        """None for a function that has no compiled form."""
        if name in OPERATORS:
            return OPERATORS[name].format(*args)
        if name in PLAIN:
            if name == "_erfc":
                self.imports.add("erfc")
            return PLAIN[name].format(*[f"({a})" if a.startswith("-") else a for a in args])
        if name in IN_MATH:
            self.imports.add(name)
            return f"{name}({', '.join(map(bare, args))})"
        if name in OWN:
            self.own.add(OWN[name])
            return f"{OWN[name]}({', '.join(map(bare, args))})"
        return None


LINEAR = frozenset({"determinant", "log_determinant", "inverse", "cofactors", "solution"})  # of engines/numba_linear.py; the others of numba_reductions.py


class NumbaWriter(Writer):
    """`constants`: arrays that the function takes after its leaves, the orders of recurrences. `rooms`: sizes of the arrays that it works in."""

    def __init__(self, made: Listing):
        super().__init__(made, careful=False)
        self.constants: dict[str, tuple] = {}
        self.calls = Calls()
        self.reductions: set[str] = set()
        self.vector: set[str] = set()          # from engines/numba_vector.py
        self.lists = kept_by(made.ops)
        self.rooms: dict[str, int] = {}
        self.indices: set[int] = set()  # registers that are an index

    def op(self, op: tuple, depth: int) -> None:
        kind = op[0]
        if kind == START:
            self.rooms[f"w{op[1]}"] = self.lists[op[1]][1]
            self.line(depth, f"n{op[1]} = 0")
        elif kind == KEEP:
            self.line(depth, f"w{op[1]}[n{op[1]}] = {bare(self.r(op[2]))}")
            self.line(depth, f"n{op[1]} += 1")
        elif kind == FINISH:
            self.finish(op[1], op[2], depth)
        elif kind == ELEMENT:
            self.element(op, depth)
        elif kind in (PLACES, PLACE, PLACED):
            raise Unsupported("a ragged table-valued function")
        else:
            if kind == LOAD:
                self.indices.add(op[1])
            super().op(op, depth)

    def finish(self, d: int, name: str, depth: int) -> None:
        if name not in REDUCED:
            raise Unsupported(f"`{name.strip('_')}`")
        function, (least, most) = REDUCED[name], self.lists[d]
        self.reductions.add(function)
        values = f"w{d}" if least == most else f"w{d}[:n{d}]"
        if REDUCTIONS[name].table:
            self.rooms[f"f{d}"] = most
            self.line(depth, f"{function}({values}, f{d})")
        else:
            self.line(depth, f"f{d} = {function}({values})")
        self.names[d] = f"f{d}"

    def element(self, op: tuple, depth: int) -> None:
        _, d, table, registers, lows, highs = op
        known = [self.made.tape.registers[r] for r in (*lows, *highs)]
        if len(registers) == 1 and registers[0] in self.indices and None not in known:
            self.calls.own.add("inside")
            self.let(d, f"inside({self.names[table]}, {int(known[0])}, {int(known[1])}, {self.r(registers[0])})", depth)
            return
        self.calls.own.add("element")
        ends = ", ".join(f"(int({self.r(a)}), int({self.r(b)}))" for a, b in zip(lows, highs))
        self.line(depth, f"r{d} = element({self.names[table]}, ({ends},), {self.tuple_of(registers)})")

    def dispatch(self, op: tuple, depth: int) -> None:
        _, rows, branches = op
        width = max((len(b[0]) for b in branches), default=0)
        order = f"order{len(self.constants)}"
        self.constants[order] = tuple((*row, *(0,) * (width + 1 - len(row))) for row in rows)
        self.line(depth, f"for row in range({order}.shape[0]):")
        self.line(depth + 1, f"q = {order}[row, 0]")
        for k in range(width):
            self.line(depth + 1, f"q{k} = {order}[row, {k + 1}]")
        for k, (registers, inner) in enumerate(branches):
            self.line(depth + 1, f"{'if' if k == 0 else 'elif'} q == {k}:")
            self.names.update(zip(registers, (f"q{k}" for k in range(width))))
            self.block(inner, depth + 2)
            if not inner:
                self.line(depth + 2, "pass")

    def call(self, name: str, args: list[str]) -> str:
        if name in OPERATORS or name == "^" and args[1] in ("2.0", "3.0"):
            return super().call(name, args)
        text = self.calls.text(name, args)
        if text is not None:
            return text
        raise Unsupported(f"`{name.strip('_')}`")

    def tuple_of(self, registers: Iterable[int]) -> str:
        """Of numbers of one type: an index among them is a float too."""
        parts = [t if self.made.tape.registers[r] is not None else f"float({bare(t)})" for r in registers for t in [self.r(r)]]
        return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"

    def use(self, name: str, what: object) -> str:
        if name in ("element", "put"):
            self.calls.own.add(name)
        return name

    def function(self, name: str) -> str:
        first, rest = super().function(name).split("\n", 1)
        head, end = first.removesuffix("):"), ", " if self.constants and self.made.inputs else ""
        return "\n".join([f"{head}{end}{', '.join(self.constants)}):", *(f"    {n} = room({size})" for n, size in self.rooms.items()), rest])

    def zeros(self, size: int) -> str:
        return f"zeros({size})"

    def answer(self, value: str) -> str:
        slots = self.made.slots
        parts = [f"float({value})", *(self.gradient(slots, n) for n in self.made.wrt)]
        return f"return {', '.join(parts)}{',' if len(parts) == 1 else ''}"
