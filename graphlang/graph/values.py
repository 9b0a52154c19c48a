"""What lowering works on: values with ranges, what a name means, and mistakes found on the way."""

from __future__ import annotations

import math
from typing import Mapping, NamedTuple

from graphlang.diagnostics import Diagnostic, Span
from graphlang.graph.expressions import Expr
from graphlang.graph.functions import ALIASES, FUNCTIONS
from graphlang.graph.graph import Box, Range
from graphlang.graph.reductions import REDUCTIONS

CONSTANTS = {"pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan}
FROM_FILES = ("csv", "npy")
INITIALISERS = ("normal", "uniform", "zeros", "ones", "eye", *FROM_FILES)
DERIVATIVES = ("diff", "partial", "jacobian", "hessian")
WHOLE_TABLE = ("dot", "outer", "trace", "diag", "solve")

OWN = {f for f in FUNCTIONS if f.isidentifier() and not f.startswith("_") and f != "neg"}
BUILT_IN = OWN | set(ALIASES) | {r for r in REDUCTIONS if not r.startswith("_")} | set(INITIALISERS) | set(DERIVATIVES) | set(WHOLE_TABLE)


class Problem(Exception):
    """A mistake found while lowering one statement."""

    def __init__(self, code: str, message: str, at: Span, text: str = "", labels=(), hints=(), notes=()):
        self.diagnostic = Diagnostic(code, message, at, text, tuple(labels), tuple(hints), tuple(notes))


class Value(NamedTuple):
    """A scalar (no ranges) or a table: `body` over one free index for each range. `literal`: a list written out, which
    takes the ranges of what it meets."""

    body: Expr
    ranges: Box = ()
    indices: tuple[str, ...] = ()
    row: bool = False
    literal: bool = False

    def describe(self) -> str:
        if not self.ranges:
            return "a scalar"
        if len(self.ranges) == 1:
            return f"a {'row' if self.row else 'column'} over {self.ranges[0]}"
        return "a " + ("matrix" if len(self.ranges) == 2 else "table") + " over " + ", ".join(map(str, self.ranges))


class Scope(NamedTuple):
    """What a name means besides a variable: indices in reach (author's name → own name and range), the arguments of
    a function being inlined, and whether consts are numbers here (in subscripts and bounds)."""

    indices: Mapping[str, tuple[str, Range]] = {}
    arguments: Mapping[str, Value] | None = None
    integer: bool = False
    function: str = ""
    avoid: frozenset[str] = frozenset()
