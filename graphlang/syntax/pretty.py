"""How names are shown: `alpha1` as α₁, `ystar` as y*, `z[j]` as zⱼ. Presentation only, never read back.

A form is used only where it can be told apart from every other name of the program; else the source spelling is.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Iterable

from graphlang.syntax.names import GREEK

SUBSCRIPT = str.maketrans(
    "0123456789+-aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ"
)
SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
GREEK_SUBSCRIPT = {"beta": "ᵦ", "gamma": "ᵧ", "rho": "ᵨ", "phi": "ᵩ", "chi": "ᵪ"}

# Glyphs that a reader cannot tell from a Latin letter.
ALIKE = str.maketrans("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧονυ", "ABEZHIKMNOPTYXovu")

NAME = r"[^\W\d]\w*"
ELEMENT = re.compile(rf"({NAME})\[([^\[\]]+)\]")
DERIVATIVE = re.compile(rf"([d∂])({NAME}(?:\[[^\[\]]+\])?)/[d∂]({NAME}(?:\[[^\[\]]+\])?)")
NUMBERED = re.compile(r"(.*[^\W\d_].*?)_?(\d+)")
LETTERS = re.compile(r"[^\W\d_]+")
ONE_TERM = re.compile(r"\d+|[^\W\d_]+")
TERMS = re.compile(r"(?:\d+|[^\W\d_]+)(?:[+-](?:\d+|[^\W\d_]+))*")
ENDS_LOW = re.compile(r"[₀-₉₊₋ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦ-ᵪ]$")
WORDS = frozenset({"that", "what", "chat"})  # not t, w, c with a hat


class Names:
    """The shown form of each name. `names` are all variables (and functions) of one program; an element of the scalar
    view, `z[1]`, may be one of them. With `ascii` every name is shown as it is spelled."""

    __slots__ = ("ascii", "_shown", "_glyphs")

    def __init__(self, names: Iterable[str] = (), ascii: bool = False):
        self.ascii = ascii
        self._shown = {name: name if ascii else _shown(name) for name in names if "/" not in name}
        seen: dict[str, list[str]] = {}
        for name, shown in self._shown.items():
            seen.setdefault(shown.translate(ALIKE), []).append(name)
        for alike in seen.values():
            if len(alike) > 1:
                self._shown.update((name, name) for name in alike)
        self._glyphs = {shown: name for name, shown in self._shown.items()}

    def __contains__(self, name: str) -> bool:
        return name in self._shown

    def pretty(self, name: str) -> str:
        """The shown form of a variable, of `z[1]`, or of an adjoint's name `dJ/du1`."""
        known = self._shown.get(name)
        if known is not None:
            return known
        if self.ascii:
            return name
        if "/" in name and (match := DERIVATIVE.fullmatch(name)):
            mark, of, wrt = match.groups()
            return f"{mark}{self.pretty(of)}/{mark}{self.pretty(wrt)}"
        if "[" in name:
            match = ELEMENT.fullmatch(name)
            return self.element(match[1], match[2].replace(" ", "").split(",")) if match else name
        shown = _shown(name)
        return name if shown in self._glyphs else shown

    def function(self, name: str) -> str:
        """The shown form of a function: Greek where the author named it so; `log2` and `atan2` stay."""
        return self.pretty(name) if name in self._shown or name in GREEK else name

    def element(self, name: str, subs: Iterable[str]) -> str:
        """`zⱼ` for an element; the subscripts are texts in source spelling. Brackets where glyphs would not be clear."""
        subs = list(subs)
        return self.low(name, subs) or f"{self.pretty(name)}[{','.join(subs)}]"

    def low(self, name: str, subs: list[str]) -> str | None:
        """The form of an element with subscript glyphs, or None where brackets are needed."""
        base = self.pretty(name)
        if self.ascii or (base == name and _shown(name) != name) or ENDS_LOW.search(base) or base[-1].isdigit():
            return None
        parts = [_low(sub, alone=len(subs) == 1) for sub in subs]
        if None in parts:
            return None
        text = base + "".join(parts)
        owner = self._glyphs.get(text)
        return text if owner is None or owner == f"{name}[{','.join(subs)}]" else None

    def derivative(self, of: str, wrt: str) -> str:
        """`dJ/du₁`; in source spelling `dJ/du1`, or `diff(z[1], a[1])` where an element stands above the line."""
        if self.ascii:
            return f"diff({of}, {wrt})" if "[" in of else f"d{of}/d{wrt}"
        return f"d{self.pretty(of)}/d{self.pretty(wrt)}"

    def partial(self, of: str, wrt: str) -> str:
        """`∂u/∂v`; in source spelling `partial(u, v)`."""
        return f"partial({of}, {wrt})" if self.ascii else f"∂{self.pretty(of)}/∂{self.pretty(wrt)}"


def _shown(name: str) -> str:
    """The form of one name by itself."""
    if "[" in name or "/" in name:
        return Names().pretty(name) if ELEMENT.fullmatch(name) or DERIVATIVE.fullmatch(name) else name
    stem, digits = _numbered(name)
    for ending, mark in (("_star", "*"), ("star", "*"), ("_hat", "\u0302"), ("hat", "\u0302")):
        if not stem.endswith(ending) or stem in WORDS:
            continue
        core, core_digits = _numbered(stem[: -len(ending)])
        letter = GREEK.get(core, core)
        if len(letter) == 1 and letter.isalpha() or ending == "_star" and core:
            return unicodedata.normalize("NFC", _letters(core) + (mark if mark != "*" else "")) + (
                core_digits + ("*" if mark == "*" else "") + digits
            )
    return _letters(stem) + digits


def _numbered(name: str) -> tuple[str, str]:
    """A name and its number in subscript glyphs: `u_12` → (`u`, `₁₂`)."""
    match = NUMBERED.fullmatch(name)
    return (match[1], match[2].translate(SUBSCRIPT)) if match else (name, "")


def _letters(name: str) -> str:
    return LETTERS.sub(lambda run: GREEK.get(run[0], run[0]), name)


def _low(sub: str, alone: bool) -> str | None:
    """A subscript in glyphs, or None. Beside others it must be one glyph, or αⱼ₁₂ would be read two ways."""
    if not TERMS.fullmatch(sub):
        return None
    text = ONE_TERM.sub(lambda run: GREEK_SUBSCRIPT.get(run[0], run[0].translate(SUBSCRIPT)), sub)
    text = text.translate(SUBSCRIPT)
    if any(len(run) > 1 and not run.isdigit() and run not in GREEK_SUBSCRIPT for run in ONE_TERM.findall(sub)):
        return None
    if not all(ENDS_LOW.search(glyph) for glyph in text):
        return None
    return text if alone or len(text) == 1 else None
