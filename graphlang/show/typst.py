"""Formulas in Typst: all adjoints of a program as one block of math."""

from __future__ import annotations

import re

from graphlang.graph.functions import FUNCTIONS
from graphlang.graph.reductions import REDUCTIONS
from graphlang.show.notation import Notation

# Where Typst has more than an operator for a function. All others follow from its LaTeX.
SPELLINGS = {
    "log2": "log_2({0})",
    "log10": "log_10({0})",
    "xlogy": "{0} log({1})",
    "sqrt": "sqrt({0})",
    "cbrt": "root(3, {0})",
    "hypot": "sqrt({0}^2 + {1}^2)",
    "sigmoid": "sigma({0})",
    "log_sigmoid": "log sigma({0})",
    "lgamma": "log abs(Gamma({0}))",
    "digamma": "psi({0})",
    "abs": "abs({0})",
    "floor": "floor({0})",
    "ceil": "ceil({0})",
    "mod": "{0} mod {1}",
    "_polygamma": "psi^(({0}))({1})",
    "_power_log": "{0}^({1}) log({0})^({2})",
}
OPERATORS = frozenset({"arccos", "arcsin", "arctan", "cos", "cosh", "det", "exp", "log", "max", "min", "sin", "sinh", "tan", "tanh"})
NAMED = re.compile(r"\\(?:operatorname\{\{)?([a-z0-9\\_,]+?)(?:\}\})?\\left\(.*\\right\)")  # \sin\left({0}\right), \operatorname{{relu}}\left(…\right)
REDUCED = {"sum": "sum", "prod": "product", "_others": "product_(!=)", "trace": 'op("tr")'}


def function(name: str) -> str:
    """The template of a function: `sin({0})`, `op("relu")({0})`."""
    if name in SPELLINGS:
        return SPELLINGS[name]
    row = FUNCTIONS[name]
    match = NAMED.fullmatch(row.latex)
    word = match[1].replace("\\", "") if match else name
    return (word if word in OPERATORS else f'op("{word}")') + "(" + ", ".join(f"{{{k}}}" for k in range(row.arity[0])) + ")"


def reduction(name: str) -> str:
    if name in REDUCED:
        return REDUCED[name]
    word = re.sub(r"[^a-z]+", " ", REDUCTIONS[name].latex.replace(r"\operatorname", "").replace(r"\,", " ")).strip() if name in REDUCTIONS else name
    return word if word in OPERATORS else f'op("{word}")'


TYPST = Notation(
    text=lambda name: f'italic("{name}")',
    greek=lambda name: name,
    function=function,
    reduction=reduction,
    hat="hat({0})", star="^*", script=("(", ")"), d="d ", partial="partial ",
    fraction="frac({0}, {1})",
    brackets="({0})",
    element="{0} lr([{1}])",
    items="lr([{0}])",
    bounds="_({0} = {1})^({2})",
    call="{0}({1})",
    close=" ",
    times=" dot ",
    divided="⊘",
    transposed="{0}^top", inverse="{0}^(-1)", inverse_transposed="{0}^(-top)",
    norm="norm({0})",
    signs={"==": "=", "odot": "⊙"},
    cases="cases({0})", case='{0} & "if" {1}', otherwise='{0} & "otherwise"', case_end=", ",
    infinity="infinity", nan='"nan"',
    span="{0} = {1}, dots, {2}", quad=" quad ",
    too_long='"{0}"',
    begin="$\n  ", equals=" &= ", line_end=" \\\n  ", end="\n$\n",
)
