"""A listing as source that Numba compiles: loops over arrays, values that are not finite instead of exceptions.

It is the printer of Python source with other spellings; what has no compiled form is called as it is, in Numba's object mode.
"""

from __future__ import annotations

from typing import Iterable

from graphlang.engines.listing import Listing
from graphlang.engines.python_source import MATH, OPERATORS, Writer, bare
from graphlang.engines.tape import ELEMENT, FINISH, PLACE, PLACED, PLACES, START
from graphlang.graph.functions import FUNCTIONS
from graphlang.graph.reductions import REDUCTIONS

# Rows by the name of what computes them: of `math`, which Numba compiles, or of engines/numba_functions.py.
IN_MATH = MATH | {"log2", "log10", "hypot", "atan2", "acosh", "atanh"}
OWN = {"^": "power", "max": "maximum", "min": "minimum", "round": "half_even", "mod": "modulo", "_sech": "sech", "_power_log": "power_log",
       **{n: n for n in ("sigmoid", "leaky_relu", "elu", "gelu", "sign", "floor", "ceil", "xlogy", "logaddexp", "softplus", "log_sigmoid", "relu", "silu", "clip", "cbrt", "lgamma", "digamma")}}
REDUCED = {"_others": "others", "max": "largest", "min": "smallest", "_most": "most", "_least": "least",
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


class NumbaWriter(Writer):
    """`constants`: arrays that the function takes after its leaves, the orders of recurrences."""

    def __init__(self, made: Listing):
        super().__init__(made, careful=False)
        self.constants: dict[str, tuple] = {}
        self.objects: dict[str, object] = {}   # what is called in object mode
        self.calls = Calls()
        self.depth = 0                          # of the block that is being printed
        self.reductions: set[str] = set()       # from numba_reductions

    def op(self, op: tuple, depth: int) -> None:
        kind = op[0]
        if kind == START:
            self.line(depth, f"r{op[1]} = empty()")
            self.calls.own.add("empty")
        elif kind == FINISH:
            d, name = op[1], op[2]
            if name in REDUCED:
                self.calls.own.add("array")
                self.reductions.add(REDUCED[name])
                self.line(depth, f"f{d} = {REDUCED[name]}(array(r{d}))")
                self.names[d] = f"f{d}"
                return
            self.objects[f"reduce_{name}"] = REDUCTIONS[name].reference
            table = REDUCTIONS[name].table
            self.line(depth, f"k{d} = array(r{d})")
            self.calls.own.add("array")
            self.line(depth, f"with objmode(f{d}='{'float64[:]' if table else 'float64'}'):")
            self.line(depth + 1, f"f{d} = {f'as_array(reduce_{name}(k{d}.tolist()))' if table else f'float(reduce_{name}(k{d}.tolist()))'}")
            self.names[d] = f"f{d}"
        elif kind == ELEMENT:
            _, d, table, registers, lows, highs = op
            self.calls.own.add("element")
            ends = ", ".join(f"(int({self.r(a)}), int({self.r(b)}))" for a, b in zip(lows, highs))
            self.line(depth, f"r{d} = element({self.names.get(table, f'r{table}')}, ({ends},), {self.tuple_of(registers)})")
        elif kind in (PLACES, PLACE, PLACED):
            raise Unsupported("a ragged table-valued function")
        else:
            super().op(op, depth)

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
        self.objects[f"call_{name.strip('_')}"] = FUNCTIONS[name].reference
        k = len(self.lines)
        self.line(self.depth, f"with objmode(o{k}='float64'):")
        self.line(self.depth + 1, f"o{k} = float(call_{name.strip('_')}({', '.join(map(bare, args))}))")
        return f"o{k}"

    def block(self, ops: Iterable[tuple], depth: int, notes={}) -> None:
        before, self.depth = self.depth, depth
        super().block(ops, depth, notes)
        self.depth = before

    def tuple_of(self, registers: Iterable[int]) -> str:
        """Of numbers of one type: an index among them is a float too."""
        parts = [t if self.made.tape.registers[r] is not None else f"float({bare(t)})" for r in registers for t in [self.r(r)]]
        return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"

    def use(self, name: str, what: object) -> str:
        if name in ("element", "put"):
            self.calls.own.add(name)
        return name

    def zeros(self, size: int) -> str:
        return f"zeros({size})"

    def answer(self, value: str) -> str:
        slots = self.made.slots
        parts = [f"float({value})", *(self.gradient(slots, n) for n in self.made.wrt)]
        return f"return {', '.join(parts)}{',' if len(parts) == 1 else ''}"


class Unsupported(Exception):
    """What this engine has no code for."""


