"""The catalogue of mistakes: what goes wrong in derivations, one row each.

A row says what the mistake is applied to, how likely it is beside the others, and what a student is told: the misconception by
name, about the rule and never about the person. What most mistakes do is a local derivative, written here as in the table of
functions; how edges, sums, seeds and values change is in changes.py, under the same names. Every mistake is a change of the one
list of contributions that reverse mode makes: there is no second way to differentiate.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Callable, Iterator, Mapping, NamedTuple

from graphlang.graph.expressions import Expr
from graphlang.graph.function_words import cos, exp, sin

# The result u and the operands → a local derivative for each operand; None: as it should be.
Rule = Callable[..., tuple["Expr | float | None", ...]]


class Mistake(NamedTuple):
    """`on`: what it is applied to, in words. `message`: what the student is told; `here`: the same about one place, with `{at}` (the
    node), `{to}` (the variable whose adjoint is meant) and `{of}` (the goal) in it. `weight`: how likely it is, beside the others
    (1: every class has it; 0.1: rare). `local`: rules by function, each an alternative of its own."""

    name: str
    on: str
    weight: float
    message: str
    here: str = ""
    local: Mapping[str, tuple[Rule, ...]] = {}


AT = "Look at {at}."

MISTAKES: dict[str, Mistake] = {row.name: row for row in (
    # -- paths
    Mistake("drop_path", "a variable that several nodes read", 1.0,
            "A path is left out: where a variable is used several times, the contributions of all its uses are added.",
            "the path from {of} to {to} through {at} is missing."),
    Mistake("overwrite", "a variable that several nodes read", 0.6,
            "Only the last path counts here: the contributions of all paths are added (+=), a later one does not replace an earlier one (=).",
            "Look at what is added up for {at}."),
    Mistake("first_path", "a variable that several nodes read", 0.6,
            "Only the first path counts here: the contributions of all paths are added.",
            "Look at what is added up for {at}."),
    # -- the chain rule
    Mistake("no_inner", "a node inside of another function", 0.9,
            "The chain rule goes on: the derivative of the outer function is multiplied by the derivative of what is inside of it.",
            "The derivative of the inner {at} is missing."),
    Mistake("no_outer", "a function (or a power) of something that is not a leaf", 0.6,
            "The chain rule has two factors: the derivative of the inner part is multiplied by the derivative of the outer function.",
            "The derivative of the outer function of {at} is missing."),
    # -- exponentials, logarithms, powers
    Mistake("exp_power", "`exp`", 0.7,
            "The derivative of exp(u) is exp(u) itself; u*exp(u - 1) is made like the rule for powers, where the variable is in the base.", AT,
            {"exp": (lambda u, v: (v * exp(v - 1),),)}),
    Mistake("log_keep", "`log`, `log2`, `log10`", 0.6,
            "The derivative of log(u) is 1/u: neither log(u) itself nor 1.", AT,
            dict.fromkeys(("log", "log2", "log10"), (lambda u, v: (u,), lambda u, v: (1.0,)))),
    Mistake("log10", "`log`, everywhere, forward and backward", 0.5,
            "`log` is the natural logarithm, to base e; this is the value with logarithms to base 10."),
    Mistake("pow_nodec", "`^` with a number as exponent", 0.5,
            "The exponent becomes one less: the derivative of u^n is n*u^(n - 1), not n*u^n.", AT,
            {"^": (lambda u, v, n: (n * u, None),)}),
    Mistake("pow_nofactor", "`^` with a number as exponent", 0.6,
            "The exponent comes in front as a factor: the derivative of u^n is n*u^(n - 1), not u^(n - 1).", AT,
            {"^": (lambda u, v, n: (v ** (n - 1), None),)}),
    # -- quotients, products, sums
    Mistake("quot_sign", "`/`", 0.9,
            "The derivative of u/v by v has a minus: it is -u/v^2.", AT,
            {"/": (lambda u, x, y: (None, u / y),)}),
    Mistake("quot_nosquare", "`/`", 0.7,
            "The denominator is squared: the derivative of u/v by v is -u/v^2, not -u/v.", AT,
            {"/": (lambda u, x, y: (None, -u),)}),
    Mistake("quot_swap", "`/`", 0.5,
            "The terms above the line are in the other order: (u/v)' is (u'*v - u*v')/v^2.", AT,
            {"/": (lambda u, x, y: (-(1 / y), u / y),)}),
    Mistake("prod_same", "`*`, and products under a sum", 0.5,
            "The derivative of u*v by u is v, the other factor, not u.", AT,
            {"*": (lambda u, a, b: (a, b),)}),
    Mistake("prod_deriv", "`*` and `/` of two parts that both depend on the variable", 0.7,
            "The derivative of a product is not the product of the derivatives, that of a quotient not their quotient: (u*v)' is u'*v + u*v'.", AT),
    Mistake("const_deriv", "`+ - * /` with a constant", 0.4,
            "The derivative of a constant is 0: here the constant is differentiated as if it were the variable.", AT),
    Mistake("sub_sign", "`-`", 0.8,
            "A minus goes along: the derivative of a - b by b is -1.", AT),
    # -- trigonometric functions
    Mistake("sin_cos_sign", "`sin`", 0.6,
            "The derivative of sin(u) is cos(u), with plus.", AT,
            {"sin": (lambda u, v: (-cos(v),),)}),
    Mistake("sin_keep", "`sin`", 0.4,
            "The derivative of sin(u) is cos(u), not sin(u).", AT,
            {"sin": (lambda u, v: (sin(v),),)}),
    Mistake("cos_sign", "`cos`", 0.8,
            "The derivative of cos(u) is -sin(u), with minus.", AT,
            {"cos": (lambda u, v: (sin(v),),)}),
    # -- neural networks
    Mistake("sigmoid_p", "`sigmoid`", 0.5,
            "The derivative of p = sigmoid(z) is p*(1 - p), not p.", AT,
            {"sigmoid": (lambda u, v: (u,),)}),
    Mistake("sigmoid_z", "`sigmoid`", 0.6,
            "The derivative of p = sigmoid(z) is p*(1 - p), in terms of the output p; z*(1 - z) has the input in its place.", AT,
            {"sigmoid": (lambda u, v: (v * (1 - v),),)}),
    Mistake("tanh_1m", "`tanh`", 0.5,
            "The derivative of t = tanh(z) is 1 - t^2, not 1 - t.", AT,
            {"tanh": (lambda u, v: (1 - u,),)}),
    Mistake("relu_leak", "`relu`", 0.6,
            "Nothing goes back through relu where its input is negative: its derivative there is 0.", AT,
            {"relu": (lambda u, v: (1.0,),)}),
    Mistake("relu_value", "`relu`", 0.5,
            "The derivative of relu is 0 or 1, not its value.", AT,
            {"relu": (lambda u, v: (u,),)}),
    Mistake("max_both", "`max`, `min`", 0.6,
            "Only the operand that max or min takes has derivative 1; the other one has 0.", AT,
            dict.fromkeys(("max", "min"), (lambda u, a, b: (1.0, 1.0),))),
    Mistake("softmax_diag", "`softmax`", 0.6,
            "Every output of softmax depends on every input: the Jacobian has entries -p_i*p_j off its diagonal too.", AT),
    Mistake("ce_sign", "softmax or sigmoid under a logarithm", 0.7,
            "The gradient of the cross-entropy by the logits is p - y; y - p has the opposite sign.", AT),
    Mistake("forward_stale", "functions whose derivative is written with their output", 0.3,
            "The rule is written with the output of the node: here its input stands in that place.", AT),
    # -- the pass as a whole
    Mistake("seed_zero", "the goal", 0.2,
            "The backward pass starts with 1, the derivative of the goal by itself; started with 0, everything is 0."),
    Mistake("seed_L", "the goal", 0.4,
            "The backward pass starts with 1, the derivative of the goal by itself, not with the goal's value."),
    Mistake("round_each", "every step, forward and backward", 0.4,
            "Rounding to whole numbers at each step is too coarse: the working carries more digits than the answer."),
    # -- vectors, matrices, batches
    Mistake("layout", "square matrices", 0.7,
            "A transpose is missing or too much: rows and columns are exchanged here.", "Look at the matrix {at}."),
    Mistake("outer_inner", "the gradient by a matrix of a product with a vector", 0.5,
            "The gradient by the matrix is an outer product: one number for each row and column, not one inner product for all.", AT),
    Mistake("hadamard_matmul", "products of matrices", 0.5,
            "The matrix product sums over the shared index: here the entries are multiplied one by one.", AT),
    Mistake("no_batch_sum", "what is added to all examples or rows, such as a bias", 0.7,
            "The variable is used for every example (or row): its gradient is the sum over all of them, not the last one's alone.",
            "Look at how {to} is used in {at}."),
    Mistake("mean_no_n", "`mean`, and division by a constant", 0.7,
            "The constant that is divided by stays: 1/n of a mean, the 1/2 of a square.", AT),
    # -- of the answers as they are given
    Mistake("swapped", "two answers of one question", 0.2,
            "Both values are right, each in the other's place."),
    Mistake("transcribe", "the answer as it is written", 0.3,
            "Two digits are exchanged."),
)}


def message(name: str, **where: str) -> str:
    """What a student is told about a mistake: of the catalogue by name, and where, as far as that is said (`at`, `to`, `of`). Raises KeyError."""
    row = MISTAKES[name]
    try:
        here = row.here.format(**{k: v for k, v in where.items() if v})
    except KeyError:
        return row.message
    return f"{row.message} {here[:1].upper()}{here[1:]}" if here else row.message


def transcribed(key: Decimal) -> Iterator[Decimal]:
    """A number with two neighbouring digits exchanged, each in turn; never the number itself."""
    digits = format(abs(key), "f")
    places = [k for k, c in enumerate(digits) if c != "."]
    for a, b in zip(places, places[1:]):
        if digits[a] != digits[b]:
            swapped = list(digits)
            swapped[a], swapped[b] = swapped[b], swapped[a]
            yield Decimal("".join(swapped)).copy_sign(key)
