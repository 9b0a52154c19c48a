"""Whether the author's derivative rules are right: each is compared with the derivative of its function's body at random
points, and one that differs is refused with the point.

Rounding is told from a mistake by evaluating everything again with every operation disturbed by some 1e-14 of its result:
what moves by that is not held against the rule. The same keeps away from kinks and jumps, which the disturbance crosses.
"""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from fractions import Fraction
from random import Random
from typing import Iterator, NamedTuple, Sequence

from graphlang.derive.local import COMPUTED, body_derivatives
from graphlang.diagnostics import Diagnostic, GraphError, Label
from graphlang.engines.blame import value_at
from graphlang.engines.reference import evaluate
from graphlang.graph.expressions import Call, Expr, rebuild, transform
from graphlang.graph.functions import FUNCTIONS
from graphlang.graph.graph import Binding, Graph, Range
from graphlang.graph.rules import OUTPUT, Ruled
from graphlang.graph.substitute import substitute
from graphlang.syntax import ast

POINTS = 64               # at which a rule is compared, if that many are found
TRIES = 6                 # lots of points; a function of a narrow domain takes them all
LOT = 189
FEWEST = 8                # with fewer a rule is not judged
SCALES = (1.0, 3.0, 0.1, 10.0, 1.0, 30.0, 100.0, 1e-3, 1000.0)
WRITTEN = (0.7, -0.7, 1.3, -1.3, 0.3, 2.6, -2.6, 5.2)  # tried first, for a counterexample that is easy to follow
MODERATE = 6.0            # arguments up to which a rule must have a value where the derivative has one
AGREE = 1e-9              # relative
NOISE, DRAWS, MARGIN = 1e-14, 3, 16.0  # the disturbance, how often it is drawn, and how much more of it is forgiven
SMALLEST = sys.float_info.min  # below it digits are lost
VANISH = {"exp", "^", "*", "/", "sigmoid", "_sech", "_erfc"}
POINT = "~k"              # the index that runs over the points


class Comparison(NamedTuple):
    """A point at which a rule was compared: whether it agrees there, its value, and those of all derivatives and of the
    function."""

    at: tuple[float, ...]
    agrees: bool
    rule: float
    derivatives: tuple[float, ...]
    function: float


def check_rules(graph: Graph) -> Graph:
    """The graph, with a warning for each rule that could not be tested. Raises GraphError for rules that are wrong."""
    rules = graph.pool.rules
    if rules is None:
        return graph
    found = [d for ruled in rules.functions for d in judged(ruled)]
    wrong = [d for d in found if d.severity == "error"]
    if wrong:
        raise GraphError(wrong, graph.source)
    return replace(graph, warnings=(*graph.warnings, *found)) if found else graph


def judged(ruled: Ruled) -> Iterator[Diagnostic]:
    """What is wrong with the rules of one function; at most one diagnostic for each."""
    own = body_derivatives(ruled, COMPUTED)
    tables = {a: ruled.body.pool.read(a, (ruled.body.pool.index(POINT),)) for a in ruled.arguments}  # a value for each point
    body = substitute(ruled.body, tables)
    forms = [body, *(substitute(e, {**tables, OUTPUT: body}) for e in own.values())]
    for place, (rule, form) in enumerate(zip(ruled.rules, ruled.derivatives)):
        if rule is not None:
            compared, undefined = compare(ruled, place, substitute(form, tables), forms)
            bad = next((c for c in compared if not c.agrees), None)
            if bad is not None:
                yield _wrong(ruled, rule, place, bad, compared)
            elif undefined is not None:
                yield _undefined(ruled, rule, place, undefined)
            elif len(compared) < FEWEST:
                yield Diagnostic("W102", f"the rule for `{ruled.definition.name}` could not be tested", rule.span,
                                 f"only {len(compared)} points were found at which it has a value" if compared else "no point was found at which it has a value",
                                 severity="warning")


def compare(ruled: Ruled, place: int, rule: Expr, forms: Sequence[Expr]) -> tuple[list[Comparison], Comparison | None]:
    """A rule and the derivatives at POINTS points or more where both have values, and a point where only the rule has none."""
    out: list[Comparison] = []
    undefined: list[Comparison] = []
    random = Random(f"{ruled.definition.name} {place}")
    for lot in range(TRIES):
        points = list(_points(len(ruled.arguments), random, lot == 0))
        values = {a: [p[k] for p in points] for k, a in enumerate(ruled.arguments)}
        clean = [_evaluated(e, values, len(points)) for e in (rule, *forms)]
        spread = [[0.0] * len(points) for _ in range(2)]
        for _ in range(DRAWS):
            noisy = [_evaluated(e, values, len(points), random) for e in (rule, forms[place + 1])]
            for moved, new, old in zip(spread, noisy, (clean[0], clean[place + 2])):
                moved[:] = [max(s, abs(n - o)) if math.isfinite(n) else math.inf for s, n, o in zip(moved, new, old)]
        for n, at in enumerate(points):
            made, function, *derivatives = (column[n] for column in clean)
            wanted, doubt = derivatives[place], MARGIN * (spread[0][n] + spread[1][n])
            if not (math.isfinite(function) and math.isfinite(wanted)):
                continue
            agrees = abs(made - wanted) <= AGREE * max(abs(made), abs(wanted)) + doubt
            here = Comparison(at, agrees, made, tuple(derivatives), function)
            if not math.isfinite(made):
                if max(map(abs, at)) <= MODERATE and math.isfinite(spread[1][n]) and not _strained(rule, n + 1, values, len(points)):
                    undefined.append(here)
            elif math.isfinite(doubt) and (agrees or not any(_strained(e, n + 1, values, len(points)) for e in (rule, forms[place + 1]))):
                out.append(here)
        if len(out) >= POINTS:
            break
    return out, undefined[0] if len(undefined) > 2 else None


def _points(arguments: int, random: Random, first: bool) -> Iterator[tuple[float, ...]]:
    if first:
        for n in range(len(WRITTEN)):
            yield tuple(WRITTEN[(n + 2 * k + n * k) % len(WRITTEN)] for k in range(arguments))
    for n in range(LOT):
        scale = SCALES[n % len(SCALES)]
        yield tuple((scale if n % 2 else random.choice(SCALES)) * random.uniform(-1, 1) for _ in range(arguments))


def _evaluated(e: Expr, values: dict[str, list[float]], size: int, noise: Random | None = None) -> list[float]:
    if noise is not None:
        pool, tables = e.pool, {}

        def disturbed(node: Expr, args: tuple[Expr, ...]) -> Expr:
            made = rebuild(node, args)
            if type(node) is not Call or POINT not in node.free or FUNCTIONS[node.function].shown is None:
                return made  # bounds and exponents made of indices stay whole numbers
            name = f"~noise{len(tables) % 40}"
            if name not in tables:
                tables[name] = [1 + noise.uniform(-NOISE, NOISE) for _ in range(size)]
            return pool.call("*", made, pool.read(name, (pool.index(POINT),)))

        e = transform(e, disturbed)
        values = {**values, **tables}
    over = Range(1, size)
    return evaluate(e, (Binding(POINT, over),), values, {name: (over,) for name in values})


def _strained(e: Expr, k: int, values: dict[str, list[float]], size: int) -> bool:
    """Whether something in an expression is too large for a float at a point, or vanishes though nothing in it is 0."""
    known = value_at(e, {POINT: k}, values, {name: (Range(1, size),) for name in values})
    for node, x in known.items():
        if type(node) is Call and (math.isinf(x) or (abs(x) < SMALLEST and node.function in VANISH and all(known.get(a, 1.0) for a in node.args))):
            return True
    return False


# ---- what to say


def _wrong(ruled: Ruled, rule: ast.Rule, place: int, bad: Comparison, compared: list[Comparison]) -> Diagnostic:
    names = [p.name for p in rule.params]
    by = f" by `{names[place]}`" if len(names) > 1 else ""
    wanted = bad.derivatives[place]
    digits = next((d for d in (6, 10) if f"{bad.rule:.{d}g}" != f"{wanted:.{d}g}"), 17)
    at = ", ".join(f"{n} = {x!r}" for n, x in zip(names, bad.at))
    slip = _slip(names, place, compared)
    return Diagnostic("E114", f"the rule for `{rule.name}` is not its derivative{by}", rule.body.span,
                      f"at {at} it gives {bad.rule:.{digits}g}, the derivative of the body is {wanted:.{digits}g}",
                      (Label(ruled.definition.name_span, f"`{rule.name}` is defined here"),), (), (slip,) if slip else ())


def _undefined(ruled: Ruled, rule: ast.Rule, place: int, bad: Comparison) -> Diagnostic:
    names = [p.name for p in rule.params]
    at = ", ".join(f"{n} = {x!r}" for n, x in zip(names, bad.at))
    return Diagnostic("E114", f"the rule for `{rule.name}` has no value where its derivative has one", rule.body.span,
                      f"at {at} the derivative of the body is {bad.derivatives[place]:.6g}",
                      (Label(ruled.definition.name_span, f"`{rule.name}` is defined here"),))


def _slip(names: Sequence[str], place: int, compared: list[Comparison]) -> str:
    """What kind of mistake a wrong rule is, when all points say the same."""
    close = lambda a, b: abs(a - b) <= 1e-6 * max(abs(a), abs(b)) + 1e-12  # noqa: E731
    wanted = [c.derivatives[place] for c in compared]
    made = [c.rule for c in compared]
    factors = [m / w for m, w in zip(made, wanted) if abs(w) > 1e-6]
    if factors and not close(factors[0], 1) and all(close(f, factors[0]) for f in factors) and all(close(m, w * factors[0]) for m, w in zip(made, wanted)):
        return _factor(factors[0])
    for k, name in enumerate(names):
        if k != place and all(close(c.rule, c.derivatives[k]) for c in compared):
            return f"it is the derivative by `{name}`"
    if all(close(c.rule, c.function) for c in compared):
        return "it is the function itself"
    if all(close(m - w, made[0] - wanted[0]) for m, w in zip(made, wanted)):
        return f"it is the derivative plus {made[0] - wanted[0]:.6g} everywhere" if made[0] > wanted[0] else f"it is the derivative minus {wanted[0] - made[0]:.6g} everywhere"
    if all(close(abs(m), abs(w)) for m, w in zip(made, wanted)) and any(m * w < 0 for m, w in zip(made, wanted)):
        return "only its sign is wrong, and not everywhere"
    if len(names) == 1:
        sides = [{math.copysign(1, c.at[0]) for c in compared if c.agrees is side} for side in (True, False)]
        if sides in ([{1}, {-1}], [{-1}, {1}]):
            right, wrong = "><" if sides[0] == {1} else "<>"
            return f"it is right where {names[0]} {right} 0, and wrong where {names[0]} {wrong} 0"
    return ""


def _factor(factor: float) -> str:
    if abs(factor) < 1e-9:
        return "it is 0 everywhere"
    if abs(factor + 1) < 1e-6:
        return "its sign is wrong: everywhere it is the negative of the derivative"
    near = Fraction(factor).limit_denominator(12)
    text = str(near) if abs(float(near) - factor) <= 1e-6 * abs(factor) else f"{factor:.6g}"
    return f"a factor is wrong: everywhere it is {text} times the derivative"
