"""What the rows of functions are written with: words for rules, for domains, for conventions at kinks, for LaTeX."""

from __future__ import annotations

import math
from math import inf, nan
from typing import Callable, NamedTuple

from graphlang.graph import floats
from graphlang.graph.expressions import Call, Expr, Number

Rule = Callable[..., tuple[Expr, ...]]


class Kink(NamedTuple):
    """A point where a convention stands in for a derivative: of which operand, what was used and why, and the
    derivatives from the left and from the right."""

    operand: int
    note: str
    one_sided: tuple[float, float]


class Function(NamedTuple):
    name: str
    arity: tuple[int, int]                      # least and most operands
    reference: Callable[..., float]             # plain floats; IEEE values, never an exception
    ball: Callable[..., object]                 # flint.arb objects: encloses the true value, nan outside the domain
    shown: Rule | None                          # None: a step function, derivative 0 everywhere
    about: str                                  # one sentence for `explain`
    latex: str
    computed: Rule | None = None
    raw: Rule | None = None
    domain: Callable[..., str | None] | None = None  # values of the operands → what is wrong with them
    kink: Callable[..., Kink | None] | None = None   # values of the operands → the convention used there

    def __str__(self):
        return self.name


# ---- words for the rules


def _caller(name: str) -> Callable[..., Expr]:
    """Build a call of a function; at least one operand is an expression, the others may be numbers."""

    def build(*operands) -> Expr:
        pool = next(o.pool for o in operands if isinstance(o, Expr))
        return pool.call(name, *map(pool.lift, operands))

    return build


exp, log, sqrt, sin, cos = map(_caller, ("exp", "log", "sqrt", "sin", "cos"))
sinh, cosh, tanh, sigmoid = map(_caller, ("sinh", "cosh", "tanh", "sigmoid"))
absolute, sign, floor, rounded, hypot = map(_caller, ("abs", "sign", "floor", "round", "hypot"))
erf, digamma = map(_caller, ("erf", "digamma"))
sech, erfc, polygamma, power_log = map(_caller, ("_sech", "_erfc", "_polygamma", "_power_log"))
lt, gt, eq, ne = map(_caller, ("<", ">", "==", "!="))


def where(condition: Expr, yes, no) -> Expr:
    pool = condition.pool
    return pool.where(condition, pool.lift(yes), pool.lift(no))


def both(a: Expr, b: Expr) -> Expr:
    return a * b


def defined(u: Expr, e) -> Expr:
    return where(ne(u, u), u, e)


def constant(e: Expr, value: float) -> Expr:
    return e.pool.number(value)


def quarter_pi(e: Expr) -> Expr:
    """π/4 as atan(1): a number that is exact in whatever arithmetic it is computed. The float64 π of a program is not π."""
    return e.pool.call("atan", e.pool.one)


def literal(e: Expr) -> float | None:
    """The value of a number as it stands in a program, `2` or `-2`."""
    if type(e) is Call and e.function == "neg" and type(e.args[0]) is Number:
        return -e.args[0].value
    return e.value if type(e) is Number else None


# ---- rules that need more than a line


def power_shown(u, x, y):
    n = literal(y)
    if n is not None:  # a literal exponent is never differentiated
        return n * x ** (n - 1), 0
    return y * x ** (y - 1), u * log(x)


def power_computed(u, x, y):
    """x^0 is 1 for every x, so its derivative is 0 also at x = 0, where y·x^(y-1) is 0·inf. Towards 0 a power beats
    a logarithm; at (0, 0) 0 is used."""
    n = literal(y)
    if n is not None:
        return n * x ** (y.pool.number(n) - 1), 0
    origin = both(eq(x, 0), eq(y, 0))
    return where(origin, 0, defined(u, y * x ** (y - 1))), where(origin, 0, power_log(x, y, 1))


def power_log_rule(u, x, y, m):
    k = literal(m)
    lower = x ** (y - 1) if k == 1 else k * power_log(x, y - 1, k - 1)
    return y * power_log(x, y - 1, k) + lower, power_log(x, y, k + 1), 0


def logaddexp_computed(u, a, b):
    """At two equal infinities a - b is nan: the sum of two zeros (-inf) has derivatives 0, of two infinities 1/2."""
    equal_infinities = both(eq(a, b), eq(absolute(a), inf))
    half = gt(a, 0) / 2
    return where(equal_infinities, half, sigmoid(a - b)), where(equal_infinities, half, sigmoid(b - a))


# ---- where a function is not defined


def outside(found: Callable[..., bool], message: str):
    return lambda *values: message if found(*values) else None


def divide_domain(x, y):
    return None if y or x != x or y != y else "division by zero" if x else "0/0 is not defined"


def power_domain(x, y):
    if x == 0 and y < 0:
        return "0 to a negative power is a division by zero"
    if -inf < x < 0 and math.isfinite(y) and y != math.floor(y):
        return "a negative number to a power that is not whole is not defined"
    return None


def log_domain(v):
    if v < 0:
        return "the logarithm of a negative number is not defined"
    return "the logarithm of 0 is not finite" if v == 0 else None


def log1p_domain(v):
    if v < -1:
        return "log1p of a number below -1 is the logarithm of a negative number, which is not defined"
    return "log1p of -1 is the logarithm of 0, which is not finite" if v == -1 else None


def xlogy_domain(x, y):
    return log_domain(y) if x != 0 and x == x else None


def atanh_domain(v):
    return "atanh is defined between -1 and 1" if abs(v) > 1 else f"atanh is not finite at {v:g}" if abs(v) == 1 else None


def pole(name: str):
    return lambda v: f"{name} has a pole at {v:g}" if v == -inf or (v <= 0 and v == math.floor(v)) else None


# ---- where a convention stands in for a derivative


def kink_at(found: Callable[..., bool], note: str, left: float, right: float, operand: int = 0):
    kink = Kink(operand, note, (float(left), float(right)))
    return lambda *values: kink if found(*values) else None


def jump(name: str):
    """floor, ceil and round: constant but for jumps. The function takes the value of one side at the jump itself."""
    reference = {"floor": floats.floor, "ceil": floats.ceil, "round": floats.half_even}[name]

    def kink(v: float) -> Kink | None:
        if not math.isfinite(v) or v != math.floor(v) + (0.5 if name == "round" else 0.0):
            return None
        one_sided = (inf, 0.0) if name == "floor" or (name == "round" and reference(v) > v) else (0.0, inf)
        return Kink(0, f"{name} jumps at {v:.17g}; 0 is used", one_sided)

    return kink


def mod_kink(x, y):
    if not y or not math.isfinite(x) or x % y != 0:
        return None
    left_right = (-inf, 1.0) if y > 0 else (1.0, -inf)
    return Kink(0, "mod jumps where the first operand is a multiple of the second; the derivative beside the jump is used",
                left_right)


def clip_kink(v, low, high):
    if low > high or v not in (low, high):
        return None
    one_sided = (0.0, 0.0) if low == high else (0.0, 1.0) if v == low else (1.0, 0.0)
    return Kink(0, "clip has no derivative at its bounds; 0 is used", one_sided)


def infinite_slope(name: str, slope: float):
    """asin, acos and atanh at the ends ±1 of their domain."""

    def kink(v: float) -> Kink | None:
        if abs(v) != 1:
            return None
        return Kink(0, f"{name} has an infinite derivative at {v:g}", (slope, nan) if v > 0 else (nan, slope))

    return kink


def atan2_kink(y, x):
    if y != 0 or not x < 0:
        return None
    slope = 1 / x
    one_sided = (inf, slope) if math.copysign(1, y) > 0 else (slope, inf)
    return Kink(0, "atan2 jumps by 2π at the negative x axis; the derivative that both sides have is used", one_sided)


# ---- LaTeX


def named(name: str, operands: int = 1) -> str:
    return name + r"\left(" + ", ".join(f"{{{k}}}" for k in range(operands)) + r"\right)"


def roman(name: str, operands: int = 1) -> str:
    return named(rf"\operatorname{{{{{name}}}}}", operands)


# ---- rows


def _lifted(rule: Rule | None) -> Rule | None:
    """Let a rule say 0 and 1."""
    return rule and (lambda u, *operands: tuple(u.pool.lift(d) for d in rule(u, *operands)))


def Row(name, operands, reference, ball, shown, latex, about, *, computed=None, raw=None, domain=None, kink=None):
    """A function with rules; the columns are those of `Function`."""
    return Function(name, (operands, operands), reference, ball, _lifted(shown), about, latex,
                    _lifted(computed), _lifted(raw), domain, kink)


def Step(name, operands, reference, ball, latex, about, *, kink=None):
    """A function that is constant but for jumps: no rule."""
    return Row(name, operands, reference, ball, None, latex, about, kink=kink)
