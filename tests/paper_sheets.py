"""Sheets built by hand, for what is made of sheets."""

from __future__ import annotations

from decimal import Decimal

from graphlang.diagnostics import Source
from graphlang.quiz.model import Accepted, Blank, Cell, Choice, Diagnosis, Formula, Option, Part, Precision, Row, Sheet, Value, Words
from graphlang.syntax import ast
from graphlang.syntax.parser import parse_expression

NAMES = ("x", "z", "a", "b", "y", "w", "p", "L", "h", "W", "ystar")


def expr(text: str) -> ast.Expr:
    return parse_expression(Source("q", text), NAMES)[0]


def formula(text: str) -> Formula:
    return Formula(expr(text))


def half(key: str) -> Accepted:
    """What rounds to a number."""
    value = Decimal(key)
    unit = Decimal(1).scaleb(value.as_tuple().exponent) / 2
    return Accepted(value - unit, value + unit, (value >= 0, value <= 0))


def blank(name: str, shown: str, key: str, wrong: tuple[tuple[str, str, str], ...] = (), marks: str = "2") -> Blank:
    decimals = -Decimal(key).as_tuple().exponent
    return Blank(name, expr(shown), Decimal(key), Decimal(key), Precision("decimals", decimals), half(key), Decimal(marks),
                 tuple(Diagnosis(Decimal(v), half(v), ("drop_path",), told, Decimal(share)) for v, told, share in wrong))


def paths(variant: int = 1, x: str = "1.5", z: str = "2", say: str = "Suppose") -> Sheet:
    """Two numbers, each with a number that is diagnosed."""
    base = Decimal(x) * Decimal(z) * 100 + variant
    dx, dz = f"{base:.2f}", f"{-base / 7:.2f}"
    text = (Words(f"{say} x = "), Value(x), Words(" and z = "), Value(z), Words(". What are "), formula("dy/dx"), Words(" and "), formula("dy/dz"), Words("?"))
    return Sheet("paths", "Two paths to x", variant, 2026, ((formula("a"), Words(" = "), formula("x*z")), (formula("y"), Words(" = "), formula("exp(a) + a/b + sin(b)/a"))),
                 (Part(text, (blank("dy_dx", "dy/dx", dx, ((f"{base + 6:.2f}", "The path through b is missing.", "0.25"),)),
                              blank("dy_dz", "dy/dz", dz, ((f"{-base / 7 - 9:.2f}", "The inner derivative is missing.", "0"),)))),),
                 ("Carry 4 decimals in your working.",), ((Words("First "), formula("dy/da"), Words(" = "), Value(f"{base * 3:.4f}")), (formula("dy/dx"), Words(" = "), Value(dx))))


def table(variant: int = 1, w: str = "-1.5") -> Sheet:
    """A table with blanks, errors carried forward."""
    p, z = f"{0.3 + variant / 1000:.3f}", f"{-0.2 - variant / 1000:.3f}"
    rows = (Row((Cell((formula("L"), Words(" = "), formula("(p - ystar)^2"))), Cell((Value("1"),)))),
            Row((Cell((formula("dL/dp"),)), Cell(blank="p"))), Row((Cell((formula("dL/dz"),)), Cell(blank="z"))))
    part = Part((Words("Fill in the table. w = "), Value(w)), (blank("p", "dL/dp", p, marks="1"), blank("z", "dL/dz", z, ((z[1:], "The sign is the other one.", "0.5"),), marks="1")),
                None, ("variable", "adjoint"), rows, Decimal("0.75"), ("p", "z"))
    return Sheet("neuron", "One neuron, backward", variant, 2026, ((formula("z"), Words(" = "), formula("w*x + b")),), (part,), (), ((Words("Go backward from L."),),))


def shape(variant: int = 1) -> Sheet:
    """A multiple choice."""
    options = [Option((formula("2*h @ x.T"),), True, "Right: an outer product."), Option((formula("2*x @ h.T"),), False, "It is transposed.", ("layout",)),
               Option((formula("h @ x"),), False, "An outer product is needed."), Option((Words("none of these"),), False, "One of them is right.")]
    options = options[variant % 4:] + options[:variant % 4]
    return Sheet("shape", "Gradient of a matrix", variant, 2026, (), (Part((Words("Which is "), formula("dL/dW"), Words("?")), (), Choice("c", tuple(options), Decimal(1))),))


def version(k: int) -> tuple[Sheet, ...]:
    return paths(k, *(("1.5", "2"), ("2.25", "0.125"), ("3", "1"), ("10.75", "12.5"))[k % 4]), table(k), shape(k)


HOSTILE = ("#panic(\"x\") $x$ *b* _i_ [l] <t> @r `c` // c ~ \\ \\input{/etc/passwd} \\end{document} % & ^^5c {x} -- ``'' <script>alert(1)</script> </template> &amp; &lt; ]]> "
           "'; alert(1)// = 1+1 ${x} ![i](http://e.example/x) http://e.example www.e.example :smile: |p| \u202eevil\u2066 \x00\x07\x1b[31m \u05d0\u05d1 ~~s~~ ==m== \u2028")


def hostile() -> Sheet:
    """Every text that an author gives, with signs of all formats."""
    one = blank("dy_dx", "dy/dx", "4.50", (("9.25", "told " + HOSTILE, "0"),))
    options = (Option((Words("yes " + HOSTILE),), True, "good " + HOSTILE), Option((Words("no " + HOSTILE),), False, "bad " + HOSTILE))
    rows = (Row((Cell((Words("cell " + HOSTILE),)), Cell((Value("1"),)))),)
    return Sheet("hostile", "Title " + HOSTILE, 1, 1, ((Words("line " + HOSTILE),),),
                 (Part((Words("ask " + HOSTILE),), (one,), None, ("head " + HOSTILE, "n"), rows), Part((Words("take"),), (), Choice("c", options, Decimal(1)))),
                 ("note " + HOSTILE,), ((Words("worked " + HOSTILE),),))
