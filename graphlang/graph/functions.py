"""The table of elementwise functions: one row for each, with all that is known of it.

A rule is written in terms of the result `u` and the operands, on expressions, and gives one local derivative for
each operand. `shown` is the form that a person reads; `computed`, where it is given, is the same derivative in a
form that keeps its digits and its meaning at the hard points. `raw` is the form without the result in it (`--raw`),
where it is not `shown` with u spelled out. Rules never touch numbers, so second and third derivatives need nothing
more. Rows whose name begins with `_` occur in derivatives only; no program can call them.

Where a function is undefined its value is nan, and so must be its derivative, also where the rule's formula is
finite there (1/v at v = -1 for log). `defined(u, e)` says so: e, unless the result is nan.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from math import inf, nan
from typing import Callable, NamedTuple

from graphlang.graph import balls, floats
from graphlang.graph.expressions import Call, Expr, Number

Rule = Callable[..., tuple[Expr, ...]]


class Kink(NamedTuple):
    """A point where a convention stands in for a derivative: of which operand, what was used and why, and the
    derivatives from the left and from the right."""

    operand: int
    note: str
    one_sided: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Function:
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


def _power_shown(u, x, y):
    n = literal(y)
    if n is not None:  # a literal exponent is never differentiated
        return n * x ** (n - 1), 0
    return y * x ** (y - 1), u * log(x)


def _power_computed(u, x, y):
    """x^0 is 1 for every x, so its derivative is 0 also at x = 0, where y·x^(y-1) is 0·inf. Towards 0 a power beats
    a logarithm; at (0, 0) 0 is used."""
    n = literal(y)
    if n is not None:
        return n * x ** (y.pool.number(n) - 1), 0
    origin = both(eq(x, 0), eq(y, 0))
    return where(origin, 0, defined(u, y * x ** (y - 1))), where(origin, 0, power_log(x, y, 1))


def _power_log_rule(u, x, y, m):
    k = literal(m)
    lower = x ** (y - 1) if k == 1 else k * power_log(x, y - 1, k - 1)
    return y * power_log(x, y - 1, k) + lower, power_log(x, y, k + 1), 0


def _logaddexp_computed(u, a, b):
    """At two equal infinities a - b is nan: the sum of two zeros (-inf) has derivatives 0, of two infinities 1/2."""
    equal_infinities = both(eq(a, b), eq(absolute(a), inf))
    half = gt(a, 0) / 2
    return where(equal_infinities, half, sigmoid(a - b)), where(equal_infinities, half, sigmoid(b - a))


# ---- where a function is not defined


def _outside(found: Callable[..., bool], message: str):
    return lambda *values: message if found(*values) else None


def _divide_domain(x, y):
    return None if y or x != x or y != y else "division by zero" if x else "0/0 is not defined"


def _power_domain(x, y):
    if x == 0 and y < 0:
        return "0 to a negative power is a division by zero"
    if -inf < x < 0 and math.isfinite(y) and y != math.floor(y):
        return "a negative number to a power that is not whole is not defined"
    return None


def _log_domain(v):
    if v < 0:
        return "the logarithm of a negative number is not defined"
    return "the logarithm of 0 is not finite" if v == 0 else None


def _log1p_domain(v):
    if v < -1:
        return "log1p of a number below -1 is the logarithm of a negative number, which is not defined"
    return "log1p of -1 is the logarithm of 0, which is not finite" if v == -1 else None


def _xlogy_domain(x, y):
    return _log_domain(y) if x != 0 and x == x else None


def _atanh_domain(v):
    return "atanh is defined between -1 and 1" if abs(v) > 1 else f"atanh is not finite at {v:g}" if abs(v) == 1 else None


def _pole(name: str):
    return lambda v: f"{name} has a pole at {v:g}" if v == -inf or (v <= 0 and v == math.floor(v)) else None


# ---- where a convention stands in for a derivative


def _at(found: Callable[..., bool], note: str, left: float, right: float, operand: int = 0):
    kink = Kink(operand, note, (float(left), float(right)))
    return lambda *values: kink if found(*values) else None


def _jump(name: str):
    """floor, ceil and round: constant but for jumps. The function takes the value of one side at the jump itself."""
    reference = {"floor": floats.floor, "ceil": floats.ceil, "round": floats.half_even}[name]

    def kink(v: float) -> Kink | None:
        if not math.isfinite(v) or v != math.floor(v) + (0.5 if name == "round" else 0.0):
            return None
        one_sided = (inf, 0.0) if name == "floor" or (name == "round" and reference(v) > v) else (0.0, inf)
        return Kink(0, f"{name} jumps at {v:.17g}; 0 is used", one_sided)

    return kink


def _mod_kink(x, y):
    if not y or not math.isfinite(x) or x % y != 0:
        return None
    left_right = (-inf, 1.0) if y > 0 else (1.0, -inf)
    return Kink(0, "mod jumps where the first operand is a multiple of the second; the derivative beside the jump is used",
                left_right)


def _clip_kink(v, low, high):
    if low > high or v not in (low, high):
        return None
    one_sided = (0.0, 0.0) if low == high else (0.0, 1.0) if v == low else (1.0, 0.0)
    return Kink(0, "clip has no derivative at its bounds; 0 is used", one_sided)


def _infinite_slope(name: str, slope: float):
    """asin, acos and atanh at the ends ±1 of their domain."""

    def kink(v: float) -> Kink | None:
        if abs(v) != 1:
            return None
        return Kink(0, f"{name} has an infinite derivative at {v:g}", (slope, nan) if v > 0 else (nan, slope))

    return kink


def _atan2_kink(y, x):
    if y != 0 or not x < 0:
        return None
    slope = 1 / x
    one_sided = (inf, slope) if math.copysign(1, y) > 0 else (slope, inf)
    return Kink(0, "atan2 jumps by 2π at the negative x axis; the derivative that both sides have is used", one_sided)


# ---- LaTeX


def _named(name: str, operands: int = 1) -> str:
    return name + r"\left(" + ", ".join(f"{{{k}}}" for k in range(operands)) + r"\right)"


def _roman(name: str, operands: int = 1) -> str:
    return _named(rf"\operatorname{{{{{name}}}}}", operands)


# ---- the rows


def _lifted(rule: Rule | None) -> Rule | None:
    """Let a rule say 0 and 1."""
    return rule and (lambda u, *operands: tuple(u.pool.lift(d) for d in rule(u, *operands)))


def Row(name, operands, reference, ball, shown, latex, about, *, computed=None, raw=None, domain=None, kink=None):
    return Function(name, (operands, operands), reference, ball, _lifted(shown), about, latex,
                    _lifted(computed), _lifted(raw), domain, kink)


def Step(name, operands, reference, ball, latex, about, *, kink=None):
    """A function that is constant but for jumps: no rule."""
    return Row(name, operands, reference, ball, None, latex, about, kink=kink)


PI = math.pi
ROWS = (
    # -- arithmetic
    Row("+", 2, lambda a, b: a + b, balls.add, lambda u, a, b: (1, 1), "{0} + {1}", "The sum of two numbers."),
    Row("-", 2, lambda a, b: a - b, balls.subtract, lambda u, a, b: (1, -1), "{0} - {1}", "The difference of two numbers."),
    Row("*", 2, lambda a, b: a * b, balls.multiply, lambda u, a, b: (b, a), r"{0} \cdot {1}", "The product of two numbers; 0·inf is nan."),
    Row("neg", 1, lambda v: -v, balls.negative, lambda u, v: (-1,), "-{0}",
        "The negative of a number; binds looser than `^`: -x^2 is -(x^2)."),
    Row("/", 2, floats.divide, balls.divide,
        shown=lambda u, x, y: (1 / y, -(x / y**2)),
        computed=lambda u, x, y: (1 / y if literal(y) else defined(u, 1 / y), -(u / y)),  # y² may overflow or vanish
        domain=_divide_domain, latex=r"\frac{{{0}}}{{{1}}}",
        about="The quotient of two numbers, always a float: 1/2 is 0.5. A divisor 0 is an error; with --ieee ±inf, or "
              "nan for 0/0."),
    Row("^", 2, floats.power, balls.power, shown=_power_shown, computed=_power_computed, domain=_power_domain,
        kink=_at(lambda x, y: x == 0 and y == 0, "0^y jumps at y = 0; as derivative by the exponent 0 is used", nan, -inf, 1),
        latex="{{{0}}}^{{{1}}}",
        about="A power, right-associative. x^0 is 1 for every x, 0^0 too; a negative base needs a whole exponent; a "
              "literal exponent is never differentiated."),

    # -- exponentials and logarithms
    Row("exp", 1, floats.exp, balls.exp, lambda u, v: (u,), _named(r"\exp"), "e to the power v; overflows above 709.78."),
    Row("expm1", 1, floats.expm1, balls.expm1,
        shown=lambda u, v: (u + 1,),
        computed=lambda u, v: (exp(v),),  # u + 1 cancels for v < 0
        latex=_roman("expm1"), about="exp(v) - 1, with all its digits near v = 0."),
    Row("log", 1, floats.log, balls.log,
        shown=lambda u, v: (1 / v,),
        computed=lambda u, v: (defined(u, 1 / v),),
        domain=_log_domain, latex=_named(r"\log"), about="The natural logarithm, also spelled ln; for v > 0."),
    Row("log2", 1, floats.log2, balls.log2,
        shown=lambda u, v: (1 / (v * log(constant(v, 2))),),
        computed=lambda u, v: (defined(u, 1 / log(constant(v, 2)) / v),),
        domain=_log_domain, latex=_named(r"\log_{{2}}"), about="The logarithm to base 2; for v > 0."),
    Row("log10", 1, floats.log10, balls.log10,
        shown=lambda u, v: (1 / (v * log(constant(v, 10))),),
        computed=lambda u, v: (defined(u, 1 / log(constant(v, 10)) / v),),
        domain=_log_domain, latex=_named(r"\log_{{10}}"), about="The logarithm to base 10; for v > 0."),
    Row("log1p", 1, floats.log1p, balls.log1p,
        shown=lambda u, v: (1 / (1 + v),),
        computed=lambda u, v: (defined(u, 1 / (1 + v)),),
        domain=_log1p_domain, latex=_roman("log1p"), about="log(1 + v), with all its digits near v = 0; for v > -1."),
    Row("xlogy", 2, floats.xlogy, balls.xlogy,
        shown=lambda u, x, y: (log(y), x / y),
        computed=lambda u, x, y: (log(y), where(both(eq(x, 0), eq(y, 0)), 0, defined(u, x / y))),
        domain=_xlogy_domain, latex=r"{0} \log {1}",
        about="x·log(y), and 0 where x is 0, whatever y is: the term of an entropy; for y > 0."),
    Row("logaddexp", 2, floats.logaddexp, balls.logaddexp,
        shown=lambda u, a, b: (exp(a - u), exp(b - u)),
        computed=_logaddexp_computed,  # sigmoid has no u to overflow or cancel with
        latex=_roman("logaddexp", 2),
        about="log(exp(a) + exp(b)), without overflow; two operands -inf give -inf with derivatives 0."),

    # -- roots
    Row("sqrt", 1, floats.sqrt, balls.sqrt, lambda u, v: (1 / (2 * u),),
        domain=_outside(lambda v: v < 0, "the square root of a negative number is not defined"), latex=r"\sqrt{{{0}}}",
        about="The square root, for v ≥ 0; its derivative at 0 is infinite."),
    Row("cbrt", 1, math.cbrt, balls.cbrt, lambda u, v: (1 / (3 * u**2),), r"\sqrt[3]{{{0}}}",
        "The real cube root, of negative numbers too; its derivative at 0 is infinite."),
    Row("hypot", 2, math.hypot, balls.hypot,
        shown=lambda u, x, y: (x / u, y / u),
        computed=lambda u, x, y: (where(eq(u, 0), 0, x / u), where(eq(u, 0), 0, y / u)),
        kink=_at(lambda x, y: x == 0 and y == 0, "hypot has no derivative at (0, 0); 0 is used", -1, 1),
        latex=r"\sqrt{{{0}^2 + {1}^2}}", about="sqrt(x^2 + y^2), scaled so that nothing overflows or vanishes on the way."),

    # -- trigonometric
    Row("sin", 1, floats.sin, balls.sin, lambda u, v: (cos(v),), _named(r"\sin"), "The sine, of an angle in radians."),
    Row("cos", 1, floats.cos, balls.cos, lambda u, v: (-sin(v),), _named(r"\cos"), "The cosine, of an angle in radians."),
    Row("tan", 1, floats.tan, balls.tan, lambda u, v: (1 + u**2,), _named(r"\tan"),
        "The tangent, of an angle in radians; no float is exactly one of its poles."),
    Row("asin", 1, floats.asin, balls.asin,
        shown=lambda u, v: (1 / sqrt(1 - v**2),),
        computed=lambda u, v: (1 / (sqrt(1 - v) * sqrt(1 + v)),),  # 1 - v² cancels near ±1
        domain=_outside(lambda v: abs(v) > 1, "asin is defined from -1 to 1"),
        kink=_infinite_slope("asin", inf), latex=_named(r"\arcsin"),
        about="The inverse sine, from -π/2 to π/2; for -1 ≤ v ≤ 1, its derivative at ±1 is infinite."),
    Row("acos", 1, floats.acos, balls.acos,
        shown=lambda u, v: (-(1 / sqrt(1 - v**2)),),
        computed=lambda u, v: (-(1 / (sqrt(1 - v) * sqrt(1 + v))),),
        domain=_outside(lambda v: abs(v) > 1, "acos is defined from -1 to 1"),
        kink=_infinite_slope("acos", -inf), latex=_named(r"\arccos"),
        about="The inverse cosine, from 0 to π; for -1 ≤ v ≤ 1, its derivative at ±1 is infinite."),
    Row("atan", 1, math.atan, balls.atan, lambda u, v: (1 / (1 + v**2),), _named(r"\arctan"),
        "The inverse tangent, from -π/2 to π/2."),
    Row("atan2", 2, math.atan2, balls.atan2,
        shown=lambda u, y, x: (x / (x**2 + y**2), -(y / (x**2 + y**2))),
        computed=lambda u, y, x: (x / hypot(x, y) / hypot(x, y), -(y / hypot(x, y) / hypot(x, y))),  # x² + y² may overflow
        kink=_atan2_kink, latex=_roman("atan2", 2),
        about="The angle of the point (x, y), written atan2(y, x), from -π to π; it jumps at the negative x axis, and "
              "has no derivative at (0, 0)."),

    # -- hyperbolic
    Row("sinh", 1, floats.sinh, balls.sinh, lambda u, v: (cosh(v),), _named(r"\sinh"), "The hyperbolic sine; overflows above 710.47."),
    Row("cosh", 1, floats.cosh, balls.cosh, lambda u, v: (sinh(v),), _named(r"\cosh"), "The hyperbolic cosine; overflows above 710.47."),
    Row("tanh", 1, math.tanh, balls.tanh,
        shown=lambda u, v: (1 - u**2,),
        computed=lambda u, v: (sech(v) ** 2,),  # 1 - u² cancels for |v| > 8; 1/cosh² overflows in the next derivative
        latex=_named(r"\tanh"), about="The hyperbolic tangent; saturates at ±1."),
    Row("asinh", 1, math.asinh, balls.asinh,
        shown=lambda u, v: (1 / sqrt(v**2 + 1),),
        computed=lambda u, v: (1 / hypot(v, 1),),  # v² may overflow
        latex=_roman("arsinh"), about="The inverse hyperbolic sine."),
    Row("acosh", 1, floats.acosh, balls.acosh,
        shown=lambda u, v: (1 / sqrt(v**2 - 1),),
        computed=lambda u, v: (1 / (sqrt(v - 1) * sqrt(v + 1)),),  # v² - 1 cancels near 1, and is positive below -1
        domain=_outside(lambda v: v < 1, "acosh is defined from 1 up"),
        kink=_at(lambda v: v == 1, "acosh has an infinite derivative at 1", nan, inf),
        latex=_roman("arcosh"), about="The inverse hyperbolic cosine, for v ≥ 1; its derivative at 1 is infinite."),
    Row("atanh", 1, floats.atanh, balls.atanh,
        shown=lambda u, v: (1 / (1 - v**2),),
        computed=lambda u, v: (defined(u, 1 / ((1 - v) * (1 + v))),),  # 1 - v² cancels near ±1
        domain=_atanh_domain, kink=_infinite_slope("atanh", inf), latex=_roman("artanh"),
        about="The inverse hyperbolic tangent, for -1 < v < 1."),

    # -- neural networks
    Row("sigmoid", 1, floats.sigmoid, balls.sigmoid,
        shown=lambda u, v: (u * (1 - u),),
        computed=lambda u, v: (sigmoid(v) * sigmoid(-v),),  # 1 - u is 0 from v = 37 on
        raw=lambda u, v: (exp(-v) / (1 + exp(-v)) ** 2,),
        latex=r"\sigma\left({0}\right)", about="1/(1 + exp(-v)), in two branches that never overflow; between 0 and 1."),
    Row("log_sigmoid", 1, floats.log_sigmoid, balls.log_sigmoid, lambda u, v: (sigmoid(-v),), r"\log \sigma\left({0}\right)",
        "log(sigmoid(v)) = -softplus(-v), without overflow; about v for v far below 0."),
    Row("softplus", 1, floats.softplus, balls.softplus, lambda u, v: (sigmoid(v),), _roman("softplus"),
        "log(1 + exp(v)), without overflow and without a threshold: a smooth relu."),
    Row("relu", 1, floats.relu, balls.relu,
        shown=lambda u, v: (gt(v, 0),),
        computed=lambda u, v: (sign(u),),  # nan where v is nan
        kink=_at(lambda v: v == 0, "relu has no derivative at 0; 0 is used", 0, 1),
        latex=_roman("relu"), about="max(v, 0); its derivative at 0 is taken as 0."),
    Row("leaky_relu", 1, floats.leaky_relu, balls.leaky_relu,
        shown=lambda u, v: (where(gt(v, 0), 1, 0.01),),
        computed=lambda u, v: (defined(u, where(gt(v, 0), 1, 0.01)),),
        kink=_at(lambda v: v == 0, "leaky_relu has no derivative at 0; 0.01 is used", 0.01, 1),
        latex=_roman("leaky\\_relu"), about="v where v > 0, else 0.01·v; its derivative at 0 is taken as 0.01."),
    Row("elu", 1, floats.elu, balls.elu,
        shown=lambda u, v: (where(gt(v, 0), 1, u + 1),),
        computed=lambda u, v: (where(gt(v, 0), 1, exp(v)),),  # u + 1 cancels far below 0
        latex=_roman("elu"), about="v where v > 0, else exp(v) - 1 (α = 1): smooth at 0, with derivative 1."),
    Row("gelu", 1, floats.gelu, balls.gelu,  # computed by erfc: 1 + erf cancels for v < 0
        shown=lambda u, v: ((1 + erf(v / sqrt(constant(v, 2)))) / 2
                            + v * exp(-(v**2) / 2) / sqrt(v.pool.call("*", constant(v, 2), constant(v, PI))),),
        computed=lambda u, v: (erfc(-(sqrt(constant(v, 0.5)) * v)) / 2 + v * (exp(-(v**2) / 2) * (1 / sqrt(8 * quarter_pi(v)))),),
        latex=_roman("gelu"), about="v·Φ(v), Φ the normal distribution: the exact gelu, not the one by tanh."),
    Row("silu", 1, floats.silu, balls.silu,
        shown=lambda u, v: (u + sigmoid(v) * (1 - u),),
        computed=lambda u, v: (sigmoid(v) * (1 + v * sigmoid(-v)),),
        latex=_roman("silu"), about="v·sigmoid(v), also called swish."),

    # -- special functions
    Row("erf", 1, math.erf, balls.erf, lambda u, v: (2 / sqrt(constant(v, PI)) * exp(-(v**2)),), _roman("erf"),
        "The error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0 to v.",
        computed=lambda u, v: (1 / sqrt(quarter_pi(v)) * exp(-(v**2)),)),
    Row("lgamma", 1, floats.lgamma, balls.lgamma, lambda u, v: (digamma(v),), r"\log \left|\Gamma\left({0}\right)\right|",
        "log|Γ(v)|; poles at 0, -1, -2, ….", domain=_pole("lgamma")),
    Row("digamma", 1, floats.digamma, balls.digamma, lambda u, v: (polygamma(1, v),), _named(r"\psi"),
        "The derivative of lgamma; poles at 0, -1, -2, ….", domain=_pole("digamma")),

    # -- steps and kinks
    Row("abs", 1, abs, balls.absolute, lambda u, v: (sign(v),), r"\left|{0}\right|",
        "The absolute value; its derivative at 0 is taken as 0.",
        kink=_at(lambda v: v == 0, "abs has no derivative at 0; 0 is used", -1, 1)),
    Step("sign", 1, floats.sign, balls.sign, _roman("sign"), "-1, 0 or 1; derivative 0.",
         kink=_at(lambda v: v == 0, "sign jumps at 0; 0 is used", inf, inf)),
    Step("floor", 1, floats.floor, balls.floor, r"\left\lfloor {0} \right\rfloor",
         "The greatest whole number not above v; derivative 0.", kink=_jump("floor")),
    Step("ceil", 1, floats.ceil, balls.ceil, r"\left\lceil {0} \right\rceil",
         "The least whole number not below v; derivative 0.", kink=_jump("ceil")),
    Step("round", 1, floats.half_even, balls.half_even, _roman("round"),
         "The nearest whole number, halves to the even one; derivative 0.", kink=_jump("round")),
    Row("mod", 2, floats.modulo, balls.modulo,
        shown=lambda u, x, y: (1, -floor(x / y)),
        computed=lambda u, x, y: (defined(u, 1), defined(u, -rounded((x - u) / y))),  # x/y may round across a whole number
        domain=_outside(lambda x, y: y == 0, "mod by zero is not defined"), kink=_mod_kink,
        latex=r"{0} \bmod {1}", about="x - y·floor(x/y), with the sign of the divisor; jumps at multiples of it."),
    Row("max", 2, floats.maximum, balls.maximum,
        shown=lambda u, a, b: (gt(a, b) + eq(a, b) / 2, gt(b, a) + eq(a, b) / 2),
        computed=lambda u, a, b: (defined(u, gt(a, b) + eq(a, b) / 2), defined(u, gt(b, a) + eq(a, b) / 2)),
        kink=_at(lambda a, b: a == b, "max has no derivative where its operands are equal; each takes an equal share", 0, 1),
        latex=_named(r"\max", 2), about="The greater of two numbers, nan if one is nan; at a tie each has derivative 1/2."),
    Row("min", 2, floats.minimum, balls.minimum,
        shown=lambda u, a, b: (lt(a, b) + eq(a, b) / 2, lt(b, a) + eq(a, b) / 2),
        computed=lambda u, a, b: (defined(u, lt(a, b) + eq(a, b) / 2), defined(u, lt(b, a) + eq(a, b) / 2)),
        kink=_at(lambda a, b: a == b, "min has no derivative where its operands are equal; each takes an equal share", 1, 0),
        latex=_named(r"\min", 2), about="The lesser of two numbers, nan if one is nan; at a tie each has derivative 1/2."),
    Row("clip", 3, floats.clip, balls.clip,
        shown=lambda u, v, low, high: (gt(v, low) * lt(v, high), lt(v, low), gt(v, high)),
        computed=lambda u, v, low, high: (
            defined(u, gt(v, low) * lt(v, high)), defined(u, lt(v, low)), defined(u, gt(v, high))),
        domain=_outside(lambda v, low, high: low > high, "the lower bound of clip is above the upper one"), kink=_clip_kink,
        latex=_roman("clip", 3),
        about="v, moved to the nearer bound where it is outside; its derivative at a bound is taken as 0."),
    Row("where", 3, lambda c, a, b: a if c else b, balls.where,
        shown=lambda u, c, a, b: (0, where(ne(c, 0), 1, 0), where(ne(c, 0), 0, 1)),
        latex=r"\begin{{cases}} {1} & {0} \\ {2} & \text{{otherwise}} \end{{cases}}",
        about="where(c, a, b): a where c is not 0, else b; only the branch taken is differentiated."),
    Step("<", 2, lambda a, b: float(a < b), balls.less, "{0} < {1}", "1 where it is true, else 0; derivative 0."),
    Step("<=", 2, lambda a, b: float(a <= b), balls.less_equal, r"{0} \le {1}", "1 where it is true, else 0; derivative 0."),
    Step(">", 2, lambda a, b: float(a > b), balls.greater, "{0} > {1}", "1 where it is true, else 0; derivative 0."),
    Step(">=", 2, lambda a, b: float(a >= b), balls.greater_equal, r"{0} \ge {1}", "1 where it is true, else 0; derivative 0."),
    Step("==", 2, lambda a, b: float(a == b), balls.equal, "{0} = {1}", "1 where it is true, else 0; derivative 0."),
    Step("!=", 2, lambda a, b: float(a != b), balls.unequal, r"{0} \ne {1}", "1 where it is true, else 0; derivative 0."),

    # -- in derivatives only
    Row("_sech", 1, floats.sech, balls.sech, lambda u, v: (-(u * tanh(v)),), _roman("sech"), "1/cosh(v); never overflows."),
    Row("_erfc", 1, math.erfc, balls.erfc, lambda u, v: (-(1 / sqrt(quarter_pi(v)) * exp(-(v**2))),), _roman("erfc"),
        "1 - erf(v), with all its digits."),
    Row("_polygamma", 2, floats.polygamma, balls.polygamma, lambda u, n, v: (0, polygamma(literal(n) + 1, v)),
        r"\psi^{{({0})}}\left({1}\right)",
        "The n-th derivative of digamma, n a literal.", domain=lambda n, v: _pole("polygamma")(v)),
    Row("_power_log", 3, floats.power_log, balls.power_log, _power_log_rule, r"{0}^{{{1}}} \log\left({0}\right)^{{{2}}}",
        "x^y·log(x)^m, m a literal from 1 up, by continuity at 0."),
)

FUNCTIONS: dict[str, Function] = {row.name: row for row in ROWS}
ALIASES = {"ln": "log"}
COMPARISONS = frozenset({"<", "<=", ">", ">=", "==", "!="})
