"""Keys: what is asked for, rounded as asked, with digits that are certain; and which answers are accepted.

A key is that of the printed numbers: an input 0.1 is a tenth. It lies in an interval that holds no border between two roundings, found by ball arithmetic,
or by decimals of 50 and of 70 digits where that is not installed. Where no such interval is found, or a border is within reach, there is no key.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from fractions import Fraction
from typing import Iterator, NamedTuple, Sequence

from graphlang.engines import ball
from graphlang.engines.tape import TooLarge
from graphlang.quiz.answers import terminating
from graphlang.quiz.diagnosing import interval, rounded, unit
from graphlang.quiz.draws import Drawn
from graphlang.quiz.model import Accepted, Precision
from graphlang.quiz.numbers import Unknown, decimals, fractions
from graphlang.quiz.prepared import Prepared

LARGEST = Decimal(1_000_000)     # a key beyond it is hardly meant
REACH = Decimal("1e-6")          # of a border between two roundings, in units of the last digit
BITS = (192, 768, 3072)
DIGITS = (50, 70)
MOST_SPREAD = 5                  # units by which rounded working may widen what is accepted
WIDE = Context(prec=120)

CONDITION, INFINITE, LARGE, BORDER, KINK, EXACTLY, UNKNOWN = "condition", "not finite", "too large", "border", "kink", "exactly", "unknown"


class Refused(NamedTuple):
    """Why a draw has no key: a kind, of which answer (by id, "" of all), and in words."""

    kind: str
    id: str
    reason: str


class Key(NamedTuple):
    """`key` is rounded as asked for, `exact` before. `reached`: the key that rounded working reaches, where working is asked for."""

    key: Decimal
    exact: Decimal
    accepted: Accepted
    reached: Decimal | None = None


def keys(prepared: Prepared, drawn: Drawn) -> tuple[Key, ...] | Refused:
    """The keys of all answers at a draw that meets its conditions, or why there are none."""
    try:
        found = Keys(prepared, drawn)
        made = []
        for k, w in enumerate(prepared.wanted):
            key = found.key(k, w.precision)
            if type(key) is Refused:
                return key._replace(id=w.id)
            made.append(key)
    except TooLarge:
        return Refused(UNKNOWN, "", "it would take too long to evaluate")
    if prepared.quiz.working is None:
        return tuple(made)
    reached = working(prepared, drawn, prepared.quiz.working)
    return tuple(widened(k, w.precision, x) for k, w, x in zip(made, prepared.wanted, reached))


class Keys:
    """The answers at one draw, between bounds that are narrowed until a key is certain."""

    def __init__(self, prepared: Prepared, drawn: Drawn):
        self.prepared, self.drawn = prepared, drawn
        self.first = len(prepared.quiz.require)
        self.more = enclosures(prepared, drawn)
        self.bounds: Sequence[tuple[Decimal, Decimal] | None] = ()

    def key(self, k: int, precision: Precision) -> Key | Refused:
        if precision.kind == "exactly":
            return self.exactly(k)
        said = None
        while True:
            if self.bounds:
                said = settled(self.bounds[self.first + k], precision)
                if said is not None and (type(said) is Key or said.kind != UNKNOWN):
                    return said
            found = next(self.more, None)
            if found is None:
                break
            self.bounds = found
        zero = self.exactly(k)  # such as 0, reached in a way in which it is not seen to be
        if type(zero) is Key and not zero.key:
            return Key(zero.key, zero.exact, interval(zero.key, precision))
        return said or Refused(UNKNOWN, "", "its digits cannot be made certain" + ("" if ball.available() else "; ball arithmetic may do it: pip install 'graphlang[exact]'"))

    def exactly(self, k: int) -> Key | Refused:
        try:
            value = Fraction(self.prepared.answers(self.drawn, fractions(), fractions().number)[self.first + k])
        except Unknown as e:
            return Refused(EXACTLY, "", f"it is asked for exactly, and goes through {f'`{e}`' if str(e).isalpha() else 'an operation'} that gives no fraction here")
        found = terminating(value)
        if found is None:
            return Refused(EXACTLY, "", f"it is asked for exactly, and {value} is no decimal number")
        if abs(found) > LARGEST:
            return Refused(LARGE, "", f"it is {found:.6g}, beyond {LARGEST:,}")
        found = found if not found else Decimal(f"{found.normalize(WIDE):f}")
        return Key(found, found, Accepted(found, found))


def settled(bounds: tuple[Decimal, Decimal] | None, precision: Precision) -> Key | Refused | None:
    """The key of a number between bounds, if that is certain; None, or a reason UNKNOWN, where narrower bounds may tell."""
    if bounds is None:
        return Refused(INFINITE, "", "its value is not finite, or rests on one that is not")
    low, high = bounds
    if max(abs(low), abs(high)) > 2 * LARGEST or low > LARGEST or high < -LARGEST:
        return Refused(LARGE, "", f"it is {float(low):.6g}, beyond {LARGEST:,}")
    exact = WIDE.divide(WIDE.add(low, high), Decimal(2))
    if (low < 0 < high or low != high and not (low and high)) and (precision.kind in ("figures", "percent")):
        return None
    with localcontext(WIDE):
        key, other = rounded(low, precision), rounded(high, precision)
        if key != other:
            return None if high - low > Decimal("1e-30") * max(abs(high), 1) else border(exact, precision)
        if precision.kind in ("decimals", "figures"):
            step = unit(exact, precision)
            parts = abs(exact) / step % 1
            if abs(parts - Decimal("0.5")) < REACH:
                return border(exact, precision)
        if precision.kind == "percent" and not key:
            return Refused(EXACTLY, "", "it is 0, of which no percentage can be taken")
        if abs(key) > LARGEST:
            return Refused(LARGE, "", f"it is {float(key):.6g}, beyond {LARGEST:,}")
        return Key(key, exact, interval(key, precision))


def border(exact: Decimal, precision: Precision) -> Refused:
    return Refused(BORDER, "", f"it is {float(exact):.12g}, on the border between two numbers of {said(precision)}")


def enclosures(prepared: Prepared, drawn: Drawn) -> Iterator[list[tuple[Decimal, Decimal] | None]]:
    """Bounds of all conditions and answers, narrower each time."""
    if ball.available():
        for bits in BITS:
            with ball.working(bits):
                numbers = ball.arithmetic([], written=True)
                found = [ball.bounds(x) for x in prepared.answers(drawn, numbers, numbers.number)]
            yield found
        return
    floats = prepared.floats(drawn)
    if not all(map(math.isfinite, floats)):
        yield [(Decimal(x), Decimal(x)) if math.isfinite(x) else None for x in floats]
        return
    values = []
    for digits in DIGITS:
        with localcontext() as context:
            context.prec = digits
            try:
                numbers = decimals()
                values.append([Decimal(x) for x in prepared.answers(drawn, numbers, numbers.number)])
            except Unknown:
                return
    out = []
    with localcontext(WIDE):
        for a, b, x in zip(*values, floats):
            if abs(b - Decimal(x)) > Decimal("1e-6") * max(abs(b), Decimal("1e-6")):
                return  # the reference engine says another thing
            radius = 1000 * abs(a - b) + abs(b) * Decimal(10) ** (5 - DIGITS[0])
            out.append((b - radius, b + radius))
    yield out


# ---- rounded working


def working(prepared: Prepared, drawn: Drawn, places: int) -> list[Decimal | None]:
    """The answers that are reached when every value and every adjoint is rounded on the way; None where that is not finite."""
    step = Decimal(1).scaleb(-places)

    def each(x: float) -> float:
        return float(Decimal(repr(x)).quantize(step, ROUND_HALF_UP, WIDE)) if math.isfinite(x) else x

    return [Decimal(repr(x)) if math.isfinite(x) else None for x in prepared.working(drawn, each)]


def widened(key: Key, precision: Precision, reached: float | None) -> Key:
    """A key with what honestly rounded working reaches among what is accepted, unless that is far off."""
    if reached is None or precision.kind == "exactly":
        return key._replace(reached=reached)
    there = rounded(reached, precision)
    if key.accepted.holds(there):
        return key._replace(reached=there)
    other = interval(there, precision)
    if precision.kind in ("within", "percent"):
        other = Accepted(there, there)
    elif abs(there - key.key) > MOST_SPREAD * unit(key.key, precision):
        return key._replace(reached=there)
    return key._replace(reached=there, accepted=hull(key.accepted, other))


def hull(a: Accepted, b: Accepted) -> Accepted:
    low, left = min((a.low, not a.closed[0]), (b.low, not b.closed[0]))
    high, right = max((a.high, a.closed[1]), (b.high, b.closed[1]))
    return Accepted(low, high, (not left, right))


def off(key: Key, precision: Precision) -> Decimal:
    """By how many units of its last digit rounded working misses a key."""
    step = unit(key.key, precision)
    if key.reached is None:
        return Decimal(0)
    if step is None:
        return Decimal(0 if key.accepted.holds(key.reached) else 1)
    return abs(key.reached - key.key) / step


# ---- in words


def said(precision: Precision) -> str:
    match precision.kind:
        case "decimals" if not precision.digits:
            return "the nearest whole number"
        case "decimals":
            return f"{precision.digits} decimal{'' if precision.digits == 1 else 's'}"
        case "figures":
            return f"{precision.digits} significant figure{'' if precision.digits == 1 else 's'}"
        case "within":
            return f"within {precision.size}"
        case "percent":
            return f"within {precision.size}%"
    return "exactly"


def plain(x: Decimal) -> str:
    """A number as it is printed: its digits, no exponent, no sign before 0."""
    text = f"{x:f}"
    return text.lstrip("-") if not x else text


def in_words(a: Accepted) -> str:
    """`from 1208.375 to 1208.385, the upper end not included`."""
    if a.low == a.high:
        return f"{plain(a.low)} exactly"
    ends = {(True, True): "", (True, False): ", the upper end not included", (False, True): ", the lower end not included", (False, False): ", the ends not included"}
    low, high = (Decimal(f"{x.normalize(WIDE):f}") for x in (a.low, a.high))
    return f"from {plain(low)} to {plain(high)}{ends[a.closed]}"
