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
from math import inf, nan

from graphlang.graph import balls, floats
from graphlang.graph.function_words import (
    Function, Row, Step, atan2_kink, atanh_domain, both, clip_kink, constant, cos, cosh, defined, digamma, divide_domain, eq, erf, erfc,
    exp, floor, gt, hypot, infinite_slope, jump, kink_at, literal, log, log1p_domain, log_domain, logaddexp_computed, lt, mod_kink, named, ne,
    outside, pole, polygamma, power_computed, power_domain, power_log_rule, power_shown, quarter_pi, roman, rounded, sech, sigmoid, sign,
    sin, sinh, sqrt, tanh, where, xlogy_domain,
)

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
        domain=divide_domain, latex=r"\frac{{{0}}}{{{1}}}",
        about="The quotient of two numbers, always a float: 1/2 is 0.5. A divisor 0 is an error; with --ieee ±inf, or "
              "nan for 0/0."),
    Row("^", 2, floats.power, balls.power, shown=power_shown, computed=power_computed, domain=power_domain,
        kink=kink_at(lambda x, y: x == 0 and y == 0, "0^y jumps at y = 0; as derivative by the exponent 0 is used", nan, -inf, 1),
        latex="{{{0}}}^{{{1}}}",
        about="A power, right-associative. x^0 is 1 for every x, 0^0 too; a negative base needs a whole exponent; a "
              "literal exponent is never differentiated."),

    # -- exponentials and logarithms
    Row("exp", 1, floats.exp, balls.exp, lambda u, v: (u,), named(r"\exp"), "e to the power v; overflows above 709.78."),
    Row("expm1", 1, floats.expm1, balls.expm1,
        shown=lambda u, v: (u + 1,),
        computed=lambda u, v: (exp(v),),  # u + 1 cancels for v < 0
        latex=roman("expm1"), about="exp(v) - 1, with all its digits near v = 0."),
    Row("log", 1, floats.log, balls.log,
        shown=lambda u, v: (1 / v,),
        computed=lambda u, v: (defined(u, 1 / v),),
        domain=log_domain, latex=named(r"\log"), about="The natural logarithm, also spelled ln; for v > 0."),
    Row("log2", 1, floats.log2, balls.log2,
        shown=lambda u, v: (1 / (v * log(constant(v, 2))),),
        computed=lambda u, v: (defined(u, 1 / log(constant(v, 2)) / v),),
        domain=log_domain, latex=named(r"\log_{{2}}"), about="The logarithm to base 2; for v > 0."),
    Row("log10", 1, floats.log10, balls.log10,
        shown=lambda u, v: (1 / (v * log(constant(v, 10))),),
        computed=lambda u, v: (defined(u, 1 / log(constant(v, 10)) / v),),
        domain=log_domain, latex=named(r"\log_{{10}}"), about="The logarithm to base 10; for v > 0."),
    Row("log1p", 1, floats.log1p, balls.log1p,
        shown=lambda u, v: (1 / (1 + v),),
        computed=lambda u, v: (defined(u, 1 / (1 + v)),),
        domain=log1p_domain, latex=roman("log1p"), about="log(1 + v), with all its digits near v = 0; for v > -1."),
    Row("xlogy", 2, floats.xlogy, balls.xlogy,
        shown=lambda u, x, y: (log(y), x / y),
        computed=lambda u, x, y: (log(y), where(both(eq(x, 0), eq(y, 0)), 0, defined(u, x / y))),
        domain=xlogy_domain, latex=r"{0} \log {1}",
        about="x·log(y), and 0 where x is 0, whatever y is: the term of an entropy; for y > 0."),
    Row("logaddexp", 2, floats.logaddexp, balls.logaddexp,
        shown=lambda u, a, b: (exp(a - u), exp(b - u)),
        computed=logaddexp_computed,  # sigmoid has no u to overflow or cancel with
        latex=roman("logaddexp", 2),
        about="log(exp(a) + exp(b)), without overflow; two operands -inf give -inf with derivatives 0."),

    # -- roots
    Row("sqrt", 1, floats.sqrt, balls.sqrt, lambda u, v: (1 / (2 * u),),
        domain=outside(lambda v: v < 0, "the square root of a negative number is not defined"), latex=r"\sqrt{{{0}}}",
        about="The square root, for v ≥ 0; its derivative at 0 is infinite."),
    Row("cbrt", 1, math.cbrt, balls.cbrt, lambda u, v: (1 / (3 * u**2),), r"\sqrt[3]{{{0}}}",
        "The real cube root, of negative numbers too; its derivative at 0 is infinite."),
    Row("hypot", 2, math.hypot, balls.hypot,
        shown=lambda u, x, y: (x / u, y / u),
        computed=lambda u, x, y: (where(eq(u, 0), 0, x / u), where(eq(u, 0), 0, y / u)),
        kink=kink_at(lambda x, y: x == 0 and y == 0, "hypot has no derivative at (0, 0); 0 is used", -1, 1),
        latex=r"\sqrt{{{0}^2 + {1}^2}}", about="sqrt(x^2 + y^2), scaled so that nothing overflows or vanishes on the way."),

    # -- trigonometric
    Row("sin", 1, floats.sin, balls.sin, lambda u, v: (cos(v),), named(r"\sin"), "The sine, of an angle in radians."),
    Row("cos", 1, floats.cos, balls.cos, lambda u, v: (-sin(v),), named(r"\cos"), "The cosine, of an angle in radians."),
    Row("tan", 1, floats.tan, balls.tan, lambda u, v: (1 + u**2,), named(r"\tan"),
        "The tangent, of an angle in radians; no float is exactly one of its poles."),
    Row("asin", 1, floats.asin, balls.asin,
        shown=lambda u, v: (1 / sqrt(1 - v**2),),
        computed=lambda u, v: (1 / (sqrt(1 - v) * sqrt(1 + v)),),  # 1 - v² cancels near ±1
        domain=outside(lambda v: abs(v) > 1, "asin is defined from -1 to 1"),
        kink=infinite_slope("asin", inf), latex=named(r"\arcsin"),
        about="The inverse sine, from -π/2 to π/2; for -1 ≤ v ≤ 1, its derivative at ±1 is infinite."),
    Row("acos", 1, floats.acos, balls.acos,
        shown=lambda u, v: (-(1 / sqrt(1 - v**2)),),
        computed=lambda u, v: (-(1 / (sqrt(1 - v) * sqrt(1 + v))),),
        domain=outside(lambda v: abs(v) > 1, "acos is defined from -1 to 1"),
        kink=infinite_slope("acos", -inf), latex=named(r"\arccos"),
        about="The inverse cosine, from 0 to π; for -1 ≤ v ≤ 1, its derivative at ±1 is infinite."),
    Row("atan", 1, math.atan, balls.atan, lambda u, v: (1 / (1 + v**2),), named(r"\arctan"),
        "The inverse tangent, from -π/2 to π/2."),
    Row("atan2", 2, math.atan2, balls.atan2,
        shown=lambda u, y, x: (x / (x**2 + y**2), -(y / (x**2 + y**2))),
        computed=lambda u, y, x: (x / hypot(x, y) / hypot(x, y), -(y / hypot(x, y) / hypot(x, y))),  # x² + y² may overflow
        kink=atan2_kink, latex=roman("atan2", 2),
        about="The angle of the point (x, y), written atan2(y, x), from -π to π; it jumps at the negative x axis, and "
              "has no derivative at (0, 0)."),

    # -- hyperbolic
    Row("sinh", 1, floats.sinh, balls.sinh, lambda u, v: (cosh(v),), named(r"\sinh"), "The hyperbolic sine; overflows above 710.47."),
    Row("cosh", 1, floats.cosh, balls.cosh, lambda u, v: (sinh(v),), named(r"\cosh"), "The hyperbolic cosine; overflows above 710.47."),
    Row("tanh", 1, math.tanh, balls.tanh,
        shown=lambda u, v: (1 - u**2,),
        computed=lambda u, v: (sech(v) ** 2,),  # 1 - u² cancels for |v| > 8; 1/cosh² overflows in the next derivative
        latex=named(r"\tanh"), about="The hyperbolic tangent; saturates at ±1."),
    Row("asinh", 1, math.asinh, balls.asinh,
        shown=lambda u, v: (1 / sqrt(v**2 + 1),),
        computed=lambda u, v: (1 / hypot(v, 1),),  # v² may overflow
        latex=roman("arsinh"), about="The inverse hyperbolic sine."),
    Row("acosh", 1, floats.acosh, balls.acosh,
        shown=lambda u, v: (1 / sqrt(v**2 - 1),),
        computed=lambda u, v: (1 / (sqrt(v - 1) * sqrt(v + 1)),),  # v² - 1 cancels near 1, and is positive below -1
        domain=outside(lambda v: v < 1, "acosh is defined from 1 up"),
        kink=kink_at(lambda v: v == 1, "acosh has an infinite derivative at 1", nan, inf),
        latex=roman("arcosh"), about="The inverse hyperbolic cosine, for v ≥ 1; its derivative at 1 is infinite."),
    Row("atanh", 1, floats.atanh, balls.atanh,
        shown=lambda u, v: (1 / (1 - v**2),),
        computed=lambda u, v: (defined(u, 1 / ((1 - v) * (1 + v))),),  # 1 - v² cancels near ±1
        domain=atanh_domain, kink=infinite_slope("atanh", inf), latex=roman("artanh"),
        about="The inverse hyperbolic tangent, for -1 < v < 1."),

    # -- neural networks
    Row("sigmoid", 1, floats.sigmoid, balls.sigmoid,
        shown=lambda u, v: (u * (1 - u),),
        computed=lambda u, v: (sigmoid(v) * sigmoid(-v),),  # 1 - u is 0 from v = 37 on
        raw=lambda u, v: (exp(-v) / (1 + exp(-v)) ** 2,),
        latex=r"\sigma\left({0}\right)", about="1/(1 + exp(-v)), in two branches that never overflow; between 0 and 1."),
    Row("log_sigmoid", 1, floats.log_sigmoid, balls.log_sigmoid, lambda u, v: (sigmoid(-v),), r"\log \sigma\left({0}\right)",
        "log(sigmoid(v)) = -softplus(-v), without overflow; about v for v far below 0."),
    Row("softplus", 1, floats.softplus, balls.softplus, lambda u, v: (sigmoid(v),), roman("softplus"),
        "log(1 + exp(v)), without overflow and without a threshold: a smooth relu."),
    Row("relu", 1, floats.relu, balls.relu,
        shown=lambda u, v: (gt(v, 0),),
        computed=lambda u, v: (sign(u),),  # nan where v is nan
        kink=kink_at(lambda v: v == 0, "relu has no derivative at 0; 0 is used", 0, 1),
        latex=roman("relu"), about="max(v, 0); its derivative at 0 is taken as 0."),
    Row("leaky_relu", 1, floats.leaky_relu, balls.leaky_relu,
        shown=lambda u, v: (where(gt(v, 0), 1, 0.01),),
        computed=lambda u, v: (defined(u, where(gt(v, 0), 1, 0.01)),),
        kink=kink_at(lambda v: v == 0, "leaky_relu has no derivative at 0; 0.01 is used", 0.01, 1),
        latex=roman("leaky\\_relu"), about="v where v > 0, else 0.01·v; its derivative at 0 is taken as 0.01."),
    Row("elu", 1, floats.elu, balls.elu,
        shown=lambda u, v: (where(gt(v, 0), 1, u + 1),),
        computed=lambda u, v: (where(gt(v, 0), 1, exp(v)),),  # u + 1 cancels far below 0
        latex=roman("elu"), about="v where v > 0, else exp(v) - 1 (α = 1): smooth at 0, with derivative 1."),
    Row("gelu", 1, floats.gelu, balls.gelu,  # computed by erfc: 1 + erf cancels for v < 0
        shown=lambda u, v: ((1 + erf(v / sqrt(constant(v, 2)))) / 2
                            + v * exp(-(v**2) / 2) / sqrt(v.pool.call("*", constant(v, 2), constant(v, PI))),),
        computed=lambda u, v: (erfc(-(sqrt(constant(v, 0.5)) * v)) / 2 + v * (exp(-(v**2) / 2) * (1 / sqrt(8 * quarter_pi(v)))),),
        latex=roman("gelu"), about="v·Φ(v), Φ the normal distribution: the exact gelu, not the one by tanh."),
    Row("silu", 1, floats.silu, balls.silu,
        shown=lambda u, v: (u + sigmoid(v) * (1 - u),),
        computed=lambda u, v: (sigmoid(v) * (1 + v * sigmoid(-v)),),
        latex=roman("silu"), about="v·sigmoid(v), also called swish."),

    # -- special functions
    Row("erf", 1, math.erf, balls.erf, lambda u, v: (2 / sqrt(constant(v, PI)) * exp(-(v**2)),), roman("erf"),
        "The error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0 to v.",
        computed=lambda u, v: (1 / sqrt(quarter_pi(v)) * exp(-(v**2)),)),
    Row("lgamma", 1, floats.lgamma, balls.lgamma, lambda u, v: (digamma(v),), r"\log \left|\Gamma\left({0}\right)\right|",
        "log|Γ(v)|; poles at 0, -1, -2, ….", domain=pole("lgamma")),
    Row("digamma", 1, floats.digamma, balls.digamma, lambda u, v: (polygamma(1, v),), named(r"\psi"),
        "The derivative of lgamma; poles at 0, -1, -2, ….", domain=pole("digamma")),

    # -- steps and kinks
    Row("abs", 1, abs, balls.absolute, lambda u, v: (sign(v),), r"\left|{0}\right|",
        "The absolute value; its derivative at 0 is taken as 0.",
        kink=kink_at(lambda v: v == 0, "abs has no derivative at 0; 0 is used", -1, 1)),
    Step("sign", 1, floats.sign, balls.sign, roman("sign"), "-1, 0 or 1; derivative 0.",
         kink=kink_at(lambda v: v == 0, "sign jumps at 0; 0 is used", inf, inf)),
    Step("floor", 1, floats.floor, balls.floor, r"\left\lfloor {0} \right\rfloor",
         "The greatest whole number not above v; derivative 0.", kink=jump("floor")),
    Step("ceil", 1, floats.ceil, balls.ceil, r"\left\lceil {0} \right\rceil",
         "The least whole number not below v; derivative 0.", kink=jump("ceil")),
    Step("round", 1, floats.half_even, balls.half_even, roman("round"),
         "The nearest whole number, halves to the even one; derivative 0.", kink=jump("round")),
    Row("mod", 2, floats.modulo, balls.modulo,
        shown=lambda u, x, y: (1, -floor(x / y)),
        computed=lambda u, x, y: (defined(u, 1), defined(u, -rounded((x - u) / y))),  # x/y may round across a whole number
        domain=outside(lambda x, y: y == 0, "mod by zero is not defined"), kink=mod_kink,
        latex=r"{0} \bmod {1}", about="x - y·floor(x/y), with the sign of the divisor; jumps at multiples of it."),
    Row("max", 2, floats.maximum, balls.maximum,
        shown=lambda u, a, b: (gt(a, b) + eq(a, b) / 2, gt(b, a) + eq(a, b) / 2),
        computed=lambda u, a, b: (defined(u, gt(a, b) + eq(a, b) / 2), defined(u, gt(b, a) + eq(a, b) / 2)),
        kink=kink_at(lambda a, b: a == b, "max has no derivative where its operands are equal; each takes an equal share", 0, 1),
        latex=named(r"\max", 2), about="The greater of two numbers, nan if one is nan; at a tie each has derivative 1/2."),
    Row("min", 2, floats.minimum, balls.minimum,
        shown=lambda u, a, b: (lt(a, b) + eq(a, b) / 2, lt(b, a) + eq(a, b) / 2),
        computed=lambda u, a, b: (defined(u, lt(a, b) + eq(a, b) / 2), defined(u, lt(b, a) + eq(a, b) / 2)),
        kink=kink_at(lambda a, b: a == b, "min has no derivative where its operands are equal; each takes an equal share", 1, 0),
        latex=named(r"\min", 2), about="The lesser of two numbers, nan if one is nan; at a tie each has derivative 1/2."),
    Row("clip", 3, floats.clip, balls.clip,
        shown=lambda u, v, low, high: (gt(v, low) * lt(v, high), lt(v, low), gt(v, high)),
        computed=lambda u, v, low, high: (
            defined(u, gt(v, low) * lt(v, high)), defined(u, lt(v, low)), defined(u, gt(v, high))),
        domain=outside(lambda v, low, high: low > high, "the lower bound of clip is above the upper one"), kink=clip_kink,
        latex=roman("clip", 3),
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
    Row("_sech", 1, floats.sech, balls.sech, lambda u, v: (-(u * tanh(v)),), roman("sech"), "1/cosh(v); never overflows."),
    Row("_erfc", 1, math.erfc, balls.erfc, lambda u, v: (-(1 / sqrt(quarter_pi(v)) * exp(-(v**2))),), roman("erfc"),
        "1 - erf(v), with all its digits."),
    Row("_polygamma", 2, floats.polygamma, balls.polygamma, lambda u, n, v: (0, polygamma(literal(n) + 1, v)),
        r"\psi^{{({0})}}\left({1}\right)",
        "The n-th derivative of digamma, n a literal.", domain=lambda n, v: pole("polygamma")(v)),
    Row("_power_log", 3, floats.power_log, balls.power_log, power_log_rule, r"{0}^{{{1}}} \log\left({0}\right)^{{{2}}}",
        "x^y·log(x)^m, m a literal from 1 up, by continuity at 0."),
)

FUNCTIONS: dict[str, Function] = {row.name: row for row in ROWS}
ALIASES = {"ln": "log"}
COMPARISONS = frozenset({"<", "<=", ">", ">=", "==", "!="})
