"""Formulas in LaTeX: all adjoints of a program as an `align*` environment (amsmath)."""

from __future__ import annotations

from graphlang.graph.functions import FUNCTIONS
from graphlang.graph.reductions import REDUCTIONS
from graphlang.show.notation import Notation

ROMAN = {"trace": r"\operatorname{tr}", "diag": r"\operatorname{diag}", "solve": r"\operatorname{solve}"}

LATEX = Notation(
    text=lambda name: rf"\mathit{{{name.replace('_', chr(92) + '_')}}}",
    greek=lambda name: rf"\{name}",
    function=lambda name: FUNCTIONS[name].latex,
    reduction=lambda name: ROMAN[name] if name in ROMAN else REDUCTIONS[name].latex,
    hat=r"\hat{{{0}}}", star="^{*}", script=("{", "}"), d="d", partial=r"\partial ",
    fraction=r"\frac{{{0}}}{{{1}}}",
    brackets=r"\left({0}\right)",
    element="{0}[{1}]",
    items=r"\left[{0}\right]",
    bounds="_{{{0} = {1}}}^{{{2}}}",
    call=r"{0}\left({1}\right)",
    close="",
    times=r" \cdot ",
    divided=r"\oslash",
    transposed=r"{0}^{{\top}}", inverse="{0}^{{-1}}", inverse_transposed=r"{0}^{{-\top}}",
    norm=r"\left\lVert {0} \right\rVert",
    signs={"<=": r"\le", ">=": r"\ge", "==": "=", "!=": r"\ne", "odot": r"\odot"},
    cases=r"\begin{{cases}} {0} \end{{cases}}", case=r"{0} & \text{{if }} {1}", otherwise=r"{0} & \text{{otherwise}}", case_end=r" \\ ",
    infinity=r"\infty", nan=r"\mathrm{nan}",
    span=r"{0} = {1}, \dots, {2}", quad=r" \quad ",
    too_long=r"\text{{{0}}}",
    begin="\\begin{align*}\n  ", equals=" &= ", line_end=" \\\\\n  ", end="\n\\end{align*}\n",
)
