"""Every diagnostic code is in the table of codes, and every code of the table is used."""

import re
from pathlib import Path

import graphlang
from graphlang.codes import CODES

PACKAGE = Path(graphlang.__file__).parent


def used() -> set[str]:
    found = set()
    for path in PACKAGE.rglob("*.py"):
        if path.name != "codes.py":
            found |= set(re.findall(r'"([EW]\d{3})"', path.read_text(encoding="utf-8")))
    return found


def test_every_code_has_a_meaning():
    assert used() - set(CODES) == set()


def test_every_meaning_has_a_use():
    assert set(CODES) - used() == set()


def test_a_meaning_is_a_sentence():
    assert all(text[0].isupper() or text[0] == "`" for text in CODES.values())
    assert all(text.endswith(".") for text in CODES.values())
