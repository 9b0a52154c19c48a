"""What the commands about quizzes share: the quizzes of a file, by name."""

from __future__ import annotations

from typing import Sequence

from graphlang.cli.programs import read
from graphlang.diagnostics import did_you_mean
from graphlang.given import UsageError


def quizzes_of(file: str, allow: Sequence[str] = ()):
    """The quizzes of a file by name, and its exams. Raises UsageError where there is none, GraphError with what is wrong in them."""
    from graphlang.quiz.reading import quizzes

    made, exams = quizzes(read(file, allow))
    if not made:
        raise UsageError(f"{file} has no quiz: it begins with `quiz name \"Title\" {{`")
    return made, exams


def chosen(made: dict, names: Sequence[str], file: str) -> list:
    """Some of the quizzes, or all. Raises UsageError."""
    for name in names:
        if name not in made:
            near = did_you_mean(name, made)
            raise UsageError(f"{file} has no quiz `{name}`" + ("".join(f"; {h}" for h in near) or "; it has " + ", ".join(f"`{n}`" for n in made)))
    return [made[n] for n in names] if names else list(made.values())
