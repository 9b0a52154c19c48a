"""Checks of multiple-choice questions: options that are what they are said to be, that never meet, and of which none shows that it is the key."""

from __future__ import annotations

from typing import Sequence

from graphlang.quiz.findings import UNFIT, WARNING, Ranks, Report
from graphlang.quiz.model import Choice, Quiz, Value
from graphlang.quiz.options import NONE, choices, choose, judged
from graphlang.quiz.text import text
from graphlang.quiz.variants import Worked

SAMPLE = 160     # variants of which positions and ranks are counted
FAR = 4.0        # standard deviations from a fair share


def check_choose(report: Report, quiz: Quiz, k: int, name: str) -> None:
    part = quiz.parts[k]
    for j in judged(quiz, k):
        if j.fault:
            stands = f"`{text(j.option.text)}`: {j.fault}"
            change = ("say `answer` of it" if "it is right" in j.fault else "say `wrong` of it, or correct it" if "it is wrong" in j.fault else
                      "leave one of them out" if "twice" in j.fault or "the same" in j.fault else "write it in another way")
            report.add(UNFIT, "options", name, stands, change)
    if any(j.fault for j in judged(quiz, k)):
        return
    made = [choose(quiz, k, n, 0) for n in range(SAMPLE)]
    few(report, name, part.count, [len(c.options) for c in made], "add `wrong` options")
    positions(report, name, made, [])
    right = next((o for o in made[0].options if o.right), None)
    if right is not None and len(made[0].options) > 2:
        length, rest = len(text(right.text)), [len(text(o.text)) for o in made[0].options if not o.right]
        if length > 1.5 * max(rest):
            report.add(WARNING, "options", name, "the key is by far the longest option", "make a wrong option as long")


def check_numbers_as_options(report: Report, quiz: Quiz, k: int, fitting: Sequence[Worked], name: str) -> None:
    part = quiz.parts[k]
    made, ranks = [], []
    for n in range(SAMPLE):
        made.append(choices(fitting[n % len(fitting)], k, part, n, 0))
        ranks.append(rank(made[-1]))
    few(report, name, part.choices, [len(c.options) for c in made], "ask for more digits, or for fewer `choices`")
    positions(report, name, made, ranks)


def few(report: Report, name: str, wanted: int, sizes: list[int], change: str) -> None:
    if wanted and min(sizes) < wanted:
        report.add(UNFIT, "options", name, f"{wanted} options are asked for, and there are {min(sizes)} that differ", change)


def rank(choice: Choice) -> int:
    """As which the key stands among the options by its first number, from the smallest."""
    numbers = [next(float(p.text) for p in o.text if type(p) is Value) for o in choice.options]
    right = next(x for x, o in zip(numbers, choice.options) if o.right)
    return sum(x < right for x in numbers)


def positions(report: Report, name: str, made: list[Choice], ranks: list[int]) -> None:
    n = max(len(c.options) for c in made)
    at = [next(k for k, o in enumerate(c.options) if o.right) for c in made]
    counts = tuple(at.count(k) for k in range(n))
    movable = counts[:-1] if any(text(c.options[-1].text) == NONE for c in made) else counts  # "none of the above" is always the last
    by_rank = tuple(ranks.count(k) for k in range(n)) if ranks else ()
    report.ranks.append(Ranks(name, n, counts, by_rank))
    if uneven(movable):
        report.add(WARNING, "position", name, f"the key is not equally often at each position: {', '.join(map(str, counts))}", "tell the authors of graphlang")
    if by_rank and max(by_rank) > len(made) * max(0.6, 3 / n):
        k = by_rank.index(max(by_rank))
        place = "the smallest" if k == 0 else "the largest" if k == n - 1 else f"number {k + 1} from below"
        report.add(WARNING, "rank", name, f"in {max(by_rank)} of {len(made)} variants the key is {place} of the {n} options", "let more inputs vary, or ask for numbers")


def uneven(counts: Sequence[int]) -> bool:
    share = sum(counts) / len(counts)
    return any(abs(c - share) > FAR * share**0.5 for c in counts)
