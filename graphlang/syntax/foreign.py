"""Words and signs of other languages, and how the same is said here."""

from __future__ import annotations

import re

_ONCE = "a name is defined once and keeps its value: give the new value a name of its own"

ASSIGNMENTS: dict[str, tuple[str, str]] = {
    ":=": ("`:=` is not a sign of this language; an equation is written with `=`", ""),
    "=>": ("`=>` is not a sign of this language; an equation is written with `=`, a comparison with `>=`", ""),
    "<-": ("`<-` is not a sign of this language; an equation is written with `=`", ""),
    "->": ("`->` is not a sign of this language", "an equation is written with `=`, the name on the left"),
    "+=": ("`+=` would change a variable", _ONCE),
    "-=": ("`-=` would change a variable", _ONCE),
    "*=": ("`*=` would change a variable", _ONCE),
    "/=": ("`/=` would change a variable", _ONCE),
    "@=": ("`@=` would change a variable", _ONCE),
    "^=": ("`^=` would change a variable", _ONCE),
    "%=": ("`%=` would change a variable", _ONCE),
    "&=": ("`&=` would change a variable", _ONCE),
    "|=": ("`|=` would change a variable", _ONCE),
    "**=": ("`**=` would change a variable", _ONCE),
    "//=": ("`//=` would change a variable", _ONCE),
}

CONDITIONS: dict[str, str] = {
    "and": "`a*b` is 1 where both are",
    "or": "`max(a, b)` is 1 where either is",
    "not": "`1 - c` is 1 where c is 0",
    "&&": "`a*b` is 1 where both are",
    "||": "`max(a, b)` is 1 where either is",
    "!": "`1 - c` is 1 where c is 0",
    "&": "`a*b` is 1 where both are",
    "|": "`max(a, b)` is 1 where either is; `abs(x)` is the absolute value",
    "¬": "`1 - c` is 1 where c is 0",
    "∧": "`a*b` is 1 where both are",
    "∨": "`max(a, b)` is 1 where either is",
}

STATEMENTS: dict[str, str] = {
    "def": "a function is defined by an equation: `f(v) = v^2`",
    "import": "functions such as `exp` are built in; another program is read with `include \"file.graph\"`",
    "from": "functions such as `exp` are built in; another program is read with `include \"file.graph\"`",
    "return": "a function is defined by an equation: `f(v) = v^2`",
    "print": "name what a program is about with `output y`; a run shows every value",
    "class": "a program is made of equations",
    "if": "a choice is an expression: `where(c, a, b)`",
    "elif": "a choice is an expression: `where(c, a, b)`",
    "else": "a choice is an expression: `where(c, a, b)`",
    "while": "a recurrence is an equation over an index: `h[k] = f(h[k-1]) for k in 1..T`",
    "for": "the `for` follows what it repeats: `h[k] = f(h[k-1]) for k in 1..T`",
    "assert": "write `expect y > 0`",
    "let": "an equation needs no word before it: `y = …`",
    "var": "an equation needs no word before it: `y = …`",
    "lambda": "a function is defined by an equation: `f(v) = v^2`",
    "goal": "write `minimize J`, `maximize J` or `output y`",
}

EXPRESSIONS: dict[str, str] = {
    "lambda": "a function is defined by an equation: `f(v) = v^2`",
    "if": "a choice is written `where(c, a, b)`",
    "else": "a choice is written `where(c, a, b)`",
    "//": "`floor(a/b)` is the division rounded down",
    "is": "two values are compared with `==`",
}

CHARACTERS: dict[str, str] = {
    "≤": "write `<=`", "≥": "write `>=`", "≠": "write `!=`", "≈": "write `expect a = b within 1e-6`",
    "÷": "write `/`", "–": "write `-`", "—": "write `-`", "∗": "write `*`", "∙": "write `*`", "•": "write `*`",
    "√": "write `sqrt(x)`", "∑": "write `sum(e for j in 1..n)`", "∏": "write `prod(e for j in 1..n)`", "∞": "write `inf`",
    "∂": "write `∂u/∂v` without blanks for variables, `partial(z[j], a[j])` for elements",
    "∇": "write `diff(J, x)`", "…": "write two dots, `..`", "‥": "write two dots, `..`",
    "%": "write `mod(a, b)` for the remainder; `within 1%` is the only percentage",
    "'": "a string is written with `\"`, a transpose `.T`", "’": "a string is written with `\"`, a transpose `.T`",
    "“": "a string is written with `\"`", "”": "a string is written with `\"`", "`": "a string is written with `\"`",
    "\\": "a line goes on after an operator or inside of brackets", "$": "delete it: a name has letters, digits and `_`", "?": "a choice is written `where(c, a, b)`",
    "~": "`1 - c` is 1 where c is 0", ".": "an element is written `z[j]`, a name with `_`: `z_j`",
    ":": "a range is written `1..3`", "{": "a list is written with `[ ]`, a group with `( )`", "}": "delete it",
    "\u00a0": "it is a no-break space: write an ordinary one", "\u200b": "it is an invisible character: delete it",
    "\ufeff": "it is a byte-order mark inside of the text: delete it", "\r": "it is a carriage return without a line feed",
    "⊙": "`*` is elementwise", "∘": "`*` is elementwise", "⊤": "a transpose is written `.T`", "ᵀ": "a transpose is written `.T`",
}  # fmt: skip


def slice_hint(table: str, bounds: str) -> str:
    """How the elements that `table[bounds]` would be are written."""
    index = next((name for name in "ijkm" if name not in re.findall(r"\w+", f"{table} {bounds}")), "j1")
    return f"name the elements with an index: `{table}[{index}] … for {index} in {bounds}`"
