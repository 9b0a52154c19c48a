"""What a name is, and which spelling of it is the canonical one.

`α1` and `alpha1` are one name. A Greek letter is recognised only where it makes up a whole run of letters, so that no
two different names meet: `α`, `x_α` and `β2` have ASCII spellings, while `αx` and `alphabet` are names of their own.
"""

from __future__ import annotations

import re
from unicodedata import normalize

from graphlang.diagnostics import Diagnostic, GraphError

# The glyph that a spelled name is shown by. Capitals that look Latin (`Alpha`, `Beta`, …) and omicron have no row:
# nobody could tell them from A, B and o.
GREEK: dict[str, str] = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ",
    "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
    "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ",
    "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip

_LOOK_LATIN = {
    "Alpha": "Α", "Beta": "Β", "Epsilon": "Ε", "Zeta": "Ζ", "Eta": "Η", "Iota": "Ι", "Kappa": "Κ", "Mu": "Μ",
    "Nu": "Ν", "Omicron": "Ο", "Rho": "Ρ", "Tau": "Τ", "Upsilon": "Υ", "Chi": "Χ", "omicron": "ο",
}  # fmt: skip

_SPELLED = {glyph: name for table in (GREEK, _LOOK_LATIN) for name, glyph in table.items()}

# A combining mark belongs to the letter before it: `α̂` is not the letter α.
_RUN = re.compile(r"[^\W\d_][^\W\d_\u0300-\u036f]*(?:[\u0300-\u036f]+[^\W\d_]*)*")

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_POWER = re.compile(r"([^\W\d]\w*?|)(⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)(\w*)")
_FRACTION = re.compile(r"([¼-¾⅐-⅞])(\w*)")


class NotAName(GraphError, ValueError):
    """The text cannot name a variable. `proposal` is what was probably meant, or ""."""

    def __init__(self, name: str, proposal: str):
        message = f"`{name}` is not a name"
        hints = (f"write `{proposal}`",) if proposal else ()
        super().__init__([Diagnostic("E010", message, None, "a name has letters, digits and `_` only", hints=hints)])
        self.args = (message,)
        self.name = name
        self.proposal = proposal


def canonical(name: str) -> str:
    """The one spelling of a name, ASCII where there is one. Raises `NotAName`."""
    if name.isascii() and name.isidentifier():
        return name
    plain = normalize("NFKC", name)
    # NFKC would silently make `x²` the name `x2`; the name as written must be an identifier too.
    if not (name.isidentifier() and plain.isidentifier()):
        raise NotAName(name, _proposal(name, plain))
    return _RUN.sub(lambda run: _SPELLED.get(run[0], run[0]), plain)


def _proposal(name: str, plain: str) -> str:
    """`x^2` for `x²`, `x/2` for `½x`, `u1` for `u₁`."""
    if power := _POWER.fullmatch(name):
        base, exponent, rest = power.groups()
        return f"{base}^{exponent.translate(_SUPERSCRIPTS)}" + (f"*{rest}" if rest else "")
    if fraction := _FRACTION.fullmatch(name):
        above, below = normalize("NFKC", fraction[1]).split("⁄")
        top = fraction[2] if above == "1" and fraction[2] else above + fraction[2]
        return f"{top}/{below}"
    return plain if plain.isidentifier() else ""
