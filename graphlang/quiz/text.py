"""Pieces of a sheet as plain text, and formulas as pieces."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Iterable

from graphlang.graph.expressions import Expr
from graphlang.graph.spell import spell
from graphlang.quiz.keys import WIDE, plain
from graphlang.quiz.model import Formula, Piece, Words
from graphlang.syntax.format import SOURCE, Style, format_expr

SHOWN = 6       # significant digits of a number on the way
LONGEST = 2000  # characters of a formula
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def text(pieces: Iterable[Piece], style: Style = SOURCE) -> str:
    return "".join(format_expr(p.value, style) if type(p) is Formula else p.text for p in pieces)


@lru_cache(maxsize=4096)  # the variants of a quiz show the same ones
def formula(e: Expr) -> Formula | Words:
    tree = spell(e, LONGEST)
    return Words("a long formula") if tree is None else Formula(tree)


def written(x: float) -> str:
    """A number of the program, as it is written."""
    return plain(Decimal(repr(float(x))) if x != int(x) else Decimal(int(x)))


def shown(x: float, decimals: int | None = None) -> str:
    """A number on the way: with so many decimals, or 6 significant digits."""
    value = Decimal(repr(float(x)))
    if decimals is not None:
        return plain(value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP, WIDE))
    if not value:
        return "0"
    found = value.quantize(Decimal(1).scaleb(value.adjusted() - SHOWN + 1), ROUND_HALF_UP, WIDE) if len(value.as_tuple().digits) > SHOWN else value
    found = found.normalize(WIDE)
    return plain(found) if -5 <= found.adjusted() < 15 else f"{found:e}"
