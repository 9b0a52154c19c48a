"""Write what editors and the Pygments lexer know of the words of the language, from where the words are defined.

    python tools/editors.py             writes the files anew
    python tools/editors.py --check     exit status 1, and their names, when some are out of date

Keywords with what must follow them, and the patterns of names and numbers, are those of the grammar; functions and constants
are those of the tables.
"""

from __future__ import annotations

import json
import re
import sys
import textwrap
from pathlib import Path
from typing import Any, Iterable, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from graphlang.files import write_whole  # noqa: E402
from graphlang.graph.train_values import ENTRIES  # noqa: E402
from graphlang.graph.values import BUILT_IN, CONSTANTS  # noqa: E402
from graphlang.syntax.names import GREEK  # noqa: E402
from graphlang.syntax.parser import tables  # noqa: E402


# As a pattern spells them: combining marks alone would be drawn on the letter before them.
ESCAPED = {ord(c): f"\\u{ord(c):04x}" for c in "\u0300\u036f"} | {ord("\t"): r"\t", ord("\n"): r"\n"}


class Words(NamedTuple):
    STATEMENTS: tuple[tuple[str, tuple[str, ...], str], ...]
    CLAUSES: tuple[str, ...]
    LAYOUTS: tuple[str, ...]
    FUNCTIONS: tuple[str, ...]
    CONSTANTS: tuple[str, ...]
    TRAIN: tuple[str, ...]
    SWITCHES: tuple[str, ...]
    QUIZ: tuple[str, ...]
    QUIZ_CLAUSES: tuple[str, ...]
    QUIZ_UNITS: tuple[str, ...]
    QUIZ_CHOICES: tuple[str, ...]
    NAME: str
    NUMBER: str
    COEFFICIENT: str
    DERIVATIVE: str
    STRING: str


ABOUT = {
    "STATEMENTS": "Words that begin a statement: the grammar's terminal, its spellings, and what must follow for it to be a keyword.",
    "CLAUSES": "Keywords behind an operand.",
    "LAYOUTS": "After `layout`.",
    "FUNCTIONS": "Built-in functions.",
    "CONSTANTS": "Names that are numbers; a program may define `e`.",
    "TRAIN": "Entries of `train`.",
    "SWITCHES": "Values of entries of `train`.",
    "QUIZ": "Words that begin a line in the block of a quiz or an exam.",
    "QUIZ_CLAUSES": "Words behind an operand in there, which an operand follows,",
    "QUIZ_UNITS": "and those that end one.",
    "QUIZ_CHOICES": "Options that are a word.",
    "NAME": "The grammar's own patterns.",
}


# The grammar's words of quizzes and exams, by what they look like.
LINES = "VARY REQUIRE ASK FILL CHOOSE WORKING CHOICES TO BLANKS CARRY ANSWER WRONG OPTIONS USE MINUTES VERSIONS SEED".split()
BEFORE, UNITS, SPECIAL = ("BECAUSE", "STEP", "TO"), ("DIGITS", "EACH", "EXACTLY", "MARKS"), ("AUTO", "NONE")
OTHERS = ("DIRECTION", "VARIANTS")  # `backward` is no more than a name there, and `variants` follows a comma


def gathered() -> Words:
    patterns, statements, clauses = {}, [], {}
    for kind, pattern, use in tables()["terminals"]:
        pattern = pattern.translate(ESCAPED)
        patterns[kind] = pattern
        if isinstance(use, list):
            follows = re.sub(r"^\(\?:[a-z|]+\)|^[a-z]+", "", pattern)
            if follows == r"\b":
                clauses[kind] = tuple(use)
            else:
                statements.append((kind, tuple(use), follows))
    layouts = clauses.pop("LAYOUT")
    spelled = {**clauses, **{kind: its for kind, its, _ in statements}}
    quiz = {*LINES, *BEFORE, *UNITS, *SPECIAL, *OTHERS}
    statements = [s for s in statements if s[0] not in quiz]

    def of(kinds: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(word for kind in kinds for word in spelled[kind]))

    return Words(
        STATEMENTS=tuple(sorted(statements)),
        CLAUSES=of(clauses.keys() - quiz),
        LAYOUTS=layouts,
        FUNCTIONS=tuple(sorted(BUILT_IN)),
        CONSTANTS=tuple(sorted({*CONSTANTS, *(GREEK[c] for c in CONSTANTS if c in GREEK)})),
        TRAIN=tuple(sorted(ENTRIES)),
        SWITCHES=("no", "yes"),
        QUIZ=of(LINES), QUIZ_CLAUSES=of(BEFORE), QUIZ_UNITS=of(UNITS), QUIZ_CHOICES=of(SPECIAL),
        NAME=patterns["NAME"], NUMBER=patterns["NUMBER"], COEFFICIENT=patterns["COEF"], DERIVATIVE=patterns["DERIV"], STRING=patterns["STRING"],
    )  # fmt: skip


def words_module(words: Words) -> str:
    """graphlang/highlight/words.py: plain data, so that colouring a program needs neither grammar nor tables."""
    parts = ['"""The words of the language and what they look like; written by tools/editors.py from the grammar and the tables."""']
    for name, value in words._asdict().items():
        if name in ABOUT:
            parts.append(f"\n# {ABOUT[name]}")
        if isinstance(value, str):
            parts.append(f"{name} = {_raw(value)}")
        elif name == "STATEMENTS":
            parts.append("STATEMENTS = (\n" + "".join(f'    ("{kind}", {spelled!r}, {_raw(follows)}),\n' for kind, spelled, follows in value) + ")")
        else:
            lines = textwrap.wrap(" ".join(value), 140)
            listed = '"' + lines[0] + '"' if len(lines) == 1 else '"""\n' + "".join(f"    {line}\n" for line in lines) + '"""'
            parts.append(f"{name} = {'frozenset' if name == 'FUNCTIONS' else 'tuple'}({listed}.split())")
    return "\n".join(parts) + "\n"


def _raw(pattern: str) -> str:
    assert "'" not in pattern
    return f"r'{pattern}'"


def json_text(data: Any) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def files() -> dict[Path, str]:
    """Every file that is written, with its text."""
    import textmate
    import vim_syntax

    words = gathered()
    grammar = json_text(textmate.grammar(words))
    return {
        ROOT / "graphlang/highlight/words.py": words_module(words),
        ROOT / "docs/editors/graph.tmLanguage.json": grammar,
        ROOT / "docs/editors/vscode/graph.tmLanguage.json": grammar,  # an extension has its files in its folder
        ROOT / "docs/editors/vim/syntax/graph.vim": vim_syntax.text(words),
    }


def stale() -> list[str]:
    return [str(p.relative_to(ROOT)) for p, text in files().items() if not p.exists() or p.read_text(encoding="utf-8") != text]


def main() -> int:
    if sys.argv[1:] == ["--check"]:
        found = stale()
        print(*found, sep="\n", end="\n" if found else "")
        return 1 if found else 0
    for path, text in files().items():
        write_whole(path, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
