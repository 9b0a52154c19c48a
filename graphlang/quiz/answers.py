"""What students type, read as a number: one parser for the terminal, for marking and for the tests of every export.

A text is either one number or a reason why it is none. What could be two numbers, such as `1,234`, is no number.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Context, Decimal
from fractions import Fraction
from typing import NamedTuple

LONGEST = 60
LARGEST_EXPONENT = 300

MINUS = str.maketrans(dict.fromkeys("−–‐‑﹣－", "-") | {"＋": "+", "·": "*", "×": "*", "⋅": "*", "∙": "*", "٫": ".", "⁄": "/", "∕": "/", "÷": "/"})
RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
RAISED_RUN = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+")
NAMED = re.compile(r"[^\W\d][\w/'()\[\], ]*\s*[=≈]\s*(?=\S)")       # `dy/dx = 3`
NUMBER = re.compile(r"[+-]?\s*(?:[0-9][0-9.,'’ ]*|[.,][0-9]+)")
SCIENTIFIC = re.compile(r"(?:[eE]|\s*[*x]\s*10\s*(?:\^|\*\*)\s*)\s*\(?\s*([+-]?[0-9]+)\s*\)?")
POWER = re.compile(r"([+-]?)\s*10\s*(?:\^|\*\*)\s*\(?\s*([+-]?[0-9]+)\s*\)?")
GROUPS = re.compile(r"[0-9]{1,3}(?:([.,'’ ])[0-9]{3})(?:\1[0-9]{3})*")
WIDE = Context(prec=120)


class Typed(NamedTuple):
    """`value`: the number, or None, and then `reason` says why. `decimals`: how many digits stand behind the decimal sign, which tells how
    finely the student rounded (negative: the last digits are zeros of a power of ten); None for a fraction."""

    value: Decimal | None
    reason: str = ""
    decimals: int | None = 0


def read(text: str, fraction: bool = False) -> Typed:
    """A number as it is typed. `fraction`: `3/4` is one too."""
    words = cleaned(text)
    if not words:
        return Typed(None, "no answer is given")
    if len(words) > LONGEST:
        return Typed(None, f"a number is wanted, and this has {len(words)} characters")
    if words.lower().lstrip("+-") in ("nan", "inf", "infinity", "∞"):
        return Typed(None, "a finite number is wanted")
    if words.endswith("%"):
        return Typed(None, "a number is wanted, not a percentage: 50% is written 0.5")
    if "/" in words:
        return quotient(words) if fraction else Typed(None, "a decimal number is wanted here, not a fraction")
    return number(words)


def cleaned(text: str) -> str:
    """Signs of other keyboards as the usual ones, blanks of all widths as blanks, and no name before it."""
    text = RAISED_RUN.sub(lambda m: "^" + m[0].translate(RAISED), text.translate(MINUS))
    text = unicodedata.normalize("NFKC", text).translate(MINUS)
    text = re.sub(r"\s+", " ", text).strip().strip("$").strip()
    text = NAMED.sub("", text, count=1) if NAMED.match(text) else text.lstrip("=≈ ")
    return text.strip()


def number(words: str) -> Typed:
    if power := POWER.fullmatch(words):
        return scaled(Decimal(f"{power[1]}1"), int(power[2]), 0)
    m = NUMBER.match(words)
    if m is None:
        return Typed(None, f"`{words}` is not a number")
    rest = words[m.end() :]
    exponent = SCIENTIFIC.fullmatch(rest) if rest.strip() else None
    if rest.strip() and exponent is None:
        return Typed(None, f"`{words}` is not a number" if not re.fullmatch(r"[^\W\d]+", rest.strip()) else f"a number alone is wanted, without `{rest.strip()}`")
    plain, reason = pointed(m[0].strip())
    if plain is None:
        return Typed(None, reason)
    value = Decimal(plain)
    return scaled(value, int(exponent[1]) if exponent else 0, len(plain.partition(".")[2]))


def scaled(value: Decimal, exponent: int, decimals: int) -> Typed:
    if abs(exponent) > LARGEST_EXPONENT:
        return Typed(None, "the exponent is too large")
    return Typed(value.scaleb(exponent, WIDE), "", decimals - exponent)


def pointed(text: str) -> tuple[str | None, str]:
    """The digits with a point as decimal sign and nothing between thousands; None and a reason where that is not certain."""
    sign = "-" if text[0] == "-" else ""
    body = text.lstrip("+- ").strip()
    points, commas = body.count("."), body.count(",")
    others = [c for c in "'’ " if c in body]
    wrong = f"`{text}` is not a number"
    if len(others) > 1:
        return None, wrong
    if points and commas:  # the one that comes last is the decimal sign
        decimal = "." if body.rindex(".") > body.rindex(",") else ","
        whole, _, part = body.rpartition(decimal)
        if decimal in whole or others or not grouped(whole):
            return None, wrong
    elif others:
        sign_of = "." if points else ","
        whole, _, part = body.partition(sign_of)
        if points + commas > 1 or not grouped(whole):
            return None, wrong
    elif points > 1 or commas > 1:
        whole, part = body, ""
        if not grouped(whole):
            return None, wrong
    elif commas:
        whole, _, part = body.partition(",")
        if len(part) == 3 and re.fullmatch(r"[1-9][0-9]{0,2}", whole):
            return None, f"`{text}` can be read as {whole}{part} or as {whole}.{part}: write one of these"
    else:
        whole, _, part = body.partition(".")
    whole = re.sub(r"[^0-9]", "", whole)
    if not (whole or part) or not (part == "" or part.isdigit()):
        return None, wrong
    return f"{sign}{whole or '0'}" + (f".{part}" if part else ""), ""


def grouped(whole: str) -> bool:
    """Whether digits are parted into thousands, all in one way."""
    return GROUPS.fullmatch(whole) is not None or whole.isdigit()


def quotient(words: str) -> Typed:
    above, _, below = words.partition("/")
    a, b = number(above.strip()) if above.strip() else Typed(None), number(below.strip()) if below.strip() else Typed(None)
    if a.value is None or b.value is None:
        return Typed(None, a.reason or b.reason or f"`{words}` is not a number")
    if not b.value:
        return Typed(None, "a finite number is wanted")
    return Typed(terminating(Fraction(a.value) / Fraction(b.value)) or WIDE.divide(a.value, b.value), "", None)


def terminating(x: Fraction) -> Decimal | None:
    """A fraction as the decimal number that it is, if it is one."""
    below, twos, fives = x.denominator, 0, 0
    while below % 2 == 0:
        below, twos = below // 2, twos + 1
    while below % 5 == 0:
        below, fives = below // 5, fives + 1
    if below != 1:
        return None
    places = max(twos, fives)
    return Decimal(f"{x.numerator * 10**places // x.denominator}E-{places}") if places else Decimal(x.numerator)
