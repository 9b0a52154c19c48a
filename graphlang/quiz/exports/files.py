"""What an export gives, and what it is told besides the sheets."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple, Sequence

from graphlang.quiz.model import Exam, Sheet


class Exported(NamedTuple):
    """Files by name, `/` between folders; and what the format could not hold, a sentence each."""

    files: dict[str, bytes]
    losses: tuple[str, ...] = ()


class Options(NamedTuple):
    """`name` of the files, without an ending (empty: from the title). An `exam` has `letters`, one for each version, and the sheets of the first
    version stand first, then those of the second. `key`: whether the key is written too. `epoch`: the time that files are marked with,
    in seconds as SOURCE_DATE_EPOCH has it."""

    name: str = ""
    exam: Exam | None = None
    letters: tuple[str, ...] = ()
    key: bool = True
    epoch: int = 0
    paper: str = "a4"         # or "us-letter"
    space: float = 2.5        # centimetres for working, for each number that is asked for
    calculated: bool = False  # Moodle: all variants of a number as one question, where they differ in numbers only


DEFAULTS = Options()


def versions(sheets: Sequence[Sheet], options: Options) -> tuple[tuple[str, tuple[Sheet, ...]], ...]:
    """The sheets of each version, with its letter; one version without a letter where there is no exam."""
    letters = options.letters or ("",)
    each, over = divmod(len(sheets), len(letters))
    assert not over, f"{len(sheets)} sheets for {len(letters)} versions"
    return tuple((letter, tuple(sheets[k * each:(k + 1) * each])) for k, letter in enumerate(letters))


def file_name(title: str, options: Options) -> str:
    """A name that every system takes: letters, digits and `-`."""
    plain = unicodedata.normalize("NFKD", options.name or title).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-").lower()[:60] or "quiz"


def named(*parts: str) -> str:
    """`quiz-3-A-key`: the parts that there are."""
    return "-".join(p for p in parts if p)
