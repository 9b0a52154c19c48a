"""Derivatives that a program names: `dJ/dx`, `∂u/∂v`, `diff(J, x, z)`, `jacobian(y, x)`.

Each is a variable of the graph with a name that says what it is. Lowering only asks for it (its ranges are known from
those of its two variables); derive/complete.py defines it, with the adjoints on its way, by equations like all others.

A total derivative of y by x has the ranges of x and then those of y, whatever the layout; one of a scalar, or of one
element of y, has the ranges of x.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from graphlang.diagnostics import NOWHERE, Span
from graphlang.graph.expressions import Pool
from graphlang.graph.graph import Box, Variable
from graphlang.graph.spell import read
from graphlang.syntax import ast

PLAIN = re.compile(r"[^\W\d][\w\u0300-\u036f]*(?:\[-?\d+(?:, ?-?\d+)*\])?")  # a name, or an element in the scalar view


def is_plain(name: str) -> bool:
    """Whether a variable's name is one that a program or the scalar view gives, not that of a derivative."""
    return PLAIN.fullmatch(name) is not None


class Asked(NamedTuple):
    """A derivative that is asked for: of a variable or one element of it, by a variable; `partial` holds the other
    operands of the equation fixed."""

    of: str
    element: tuple[int, ...] | None
    wrt: str
    partial: bool
    span: Span | None = None


def derivative_name(pool: Pool, of: str, wrt: str, element: tuple[int, ...] | None = None, partial: bool = False) -> str:
    """The name of the variable that is the derivative; where its two variables have no plain names, how it is spelled
    is put down in the pool."""
    if element is not None:
        of = f"{of}[{','.join(map(str, element))}]"
    mark, function = ("∂", "partial") if partial else ("d", "diff")
    if PLAIN.fullmatch(of) and PLAIN.fullmatch(wrt):
        return f"{mark}{of}/{mark}{wrt}"
    above, below = spelled(pool, of), spelled(pool, wrt)
    name = f"{function}({of}, {wrt})"
    if name not in pool.spelled:
        if not partial and type(above) is ast.Call and above.name == "diff" and not above.binders:
            args = (*above.args, below)
        elif not partial and type(above) is ast.Deriv and not above.partial:
            args = (ast.Name(above.of, NOWHERE), ast.Name(above.wrt, NOWHERE), below)
        else:
            args = (above, below)
        pool.spelled[name] = ast.Call(function, args, (), NOWHERE, NOWHERE)
    return name


def spelled(pool: Pool, name: str) -> ast.Expr:
    """A variable as syntax."""
    return read(pool, name, ())


def split(pool: Pool, name: str, of: str, wrt: Variable, function: str = "diff") -> None:
    """Put down how the derivative of a table is written: its subscripts go to the two variables, `diff(y[k], x[i])`."""
    if name not in pool.split:
        pool.split[name] = (function, spelled(pool, of), spelled(pool, wrt.name), len(wrt.ranges))


def ranges_of(asked: Asked, of: Variable, wrt: Variable) -> Box:
    return wrt.ranges if asked.element is not None else wrt.ranges + of.ranges
