"""Variants: a quiz with its values drawn, evaluated at exactly what is printed, with keys that are certain.

A draw fits when the conditions of `require` hold and every answer has a key; else the next one of the variant's own stream is taken. What is found about
a draw is kept: variants with the same values share it.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Callable, Iterator, NamedTuple

from graphlang.diagnostics import Diagnostic, GraphError
from graphlang.engines.tape import TooLarge
from graphlang.quiz import draws
from graphlang.quiz.draws import Drawn
from graphlang.quiz.keys import CONDITION, INFINITE, KINK, UNKNOWN, Key, Refused, keys
from graphlang.quiz.model import Ask, Fill, Quiz, Variant
from graphlang.quiz.perturbed import Wrong
from graphlang.quiz.prepared import Prepared, prepared
from graphlang.run import Run
from graphlang.syntax.format import SOURCE, format_expr
from graphlang.syntax import ast

MOST_KEPT = 20_000  # draws of a quiz whose keys are kept


class NoDraw(GraphError):
    """No draw for a variant fits."""


@dataclass(eq=False)
class Worked:
    """All that is known of one draw. `refused` says why it does not fit."""

    prepared: Prepared
    drawn: Drawn
    keys: tuple[Key, ...] = ()
    refused: Refused | None = None
    mistakes: dict[int, Wrong] = field(default_factory=dict)
    printed: object = None  # what the sheets of this draw share (sheets.Fixed)

    @cached_property
    def leaves(self) -> dict[str, list[float]]:
        return self.prepared.leaves(self.drawn)

    @cached_property
    def run(self) -> Run:
        return self.prepared.run(self.leaves) if self.prepared.numeric else self.prepared.empty()

    @cached_property
    def shown(self) -> Run:
        """The run of tables and solutions, one row an element."""
        return self.run if self.prepared.shown is self.prepared.graph else self.prepared.run(self.leaves, shown=True)

    def wrong(self, part: int) -> Wrong:
        """The answers of a part under each mistake."""
        if part not in self.mistakes:
            self.mistakes[part] = self.prepared.perturbed[part].at(self.leaves)
        return self.mistakes[part]


class Variants:
    """The draws of one quiz, each looked at once."""

    def __init__(self, quiz: Quiz):
        self.quiz, self.prepared = quiz, prepared(quiz)
        self.known: dict[Drawn, Worked] = {}

    def at(self, drawn: Drawn) -> Worked:
        found = self.known.get(drawn)
        if found is None:
            found = self.look(drawn)
            if len(self.known) < MOST_KEPT:
                self.known[drawn] = found
        return found

    def look(self, drawn: Drawn) -> Worked:
        made = Worked(self.prepared, drawn)
        if not self.prepared.numeric and not self.quiz.require:
            return made
        self.prepared.base  # raises GraphError where there are no numbers
        refused = self.unmet(drawn)
        if refused is None:
            found = keys(self.prepared, drawn)
            if type(found) is Refused:
                refused = found
            else:
                made.keys = found
                refused = self.kink(made) if self.prepared.suspect and self.differentiated else None
        made.refused = refused
        return made

    def unmet(self, drawn: Drawn) -> Refused | None:
        """Why a draw cannot be taken, as far as float64 tells."""
        try:
            found = self.prepared.floats(drawn)
        except TooLarge:
            return Refused(UNKNOWN, "", "it would take too long to evaluate")
        n = len(self.quiz.require)
        for k, holds in enumerate(found[:n]):
            if not holds or holds != holds:
                return Refused(CONDITION, "", f"`{format_expr(self.quiz.require[k], SOURCE)}` does not hold")
        for w, x in zip(self.prepared.wanted, found[n:]):
            if not math.isfinite(x):
                return Refused(INFINITE, w.id, f"it is {x:g}")
        return None

    @cached_property
    def differentiated(self) -> bool:
        """Whether a derivative is asked for."""
        return any(type(p) is Fill and p.direction == "backward" or type(p) is Ask and any(
            type(n) is ast.Deriv or type(n) is ast.Call and n.name in ("diff", "partial", "jacobian", "hessian") for a in p.answers for n in ast.postorder(a.value))
            for p in self.quiz.parts)

    def kink(self, made: Worked) -> Refused | None:
        from graphlang.verify.conventions import conventions

        found = next(conventions(self.prepared.run(made.leaves)), None)  # not kept: there may be thousands of draws
        return None if found is None else Refused(KINK, "", f"{found['note']} (at `{found['at']}` of `{found['name']}`)")

    def variant(self, seed: int, number: int) -> Worked:
        """The first draw of a variant that fits. Raises NoDraw where none does, with what stands against them."""
        refused: Counter = Counter()
        examples: dict[str, Worked] = {}
        for drawn in draws.draws(self.quiz, seed, number):
            worked = self.at(drawn)
            if worked.refused is None:
                return worked
            refused[worked.refused.kind] += 1
            examples.setdefault(worked.refused.kind, worked)
        raise self.none_fits(number, refused, examples)

    def none_fits(self, number: int, refused: Counter, examples: dict[str, Worked]) -> NoDraw:
        whys = []
        for kind, n in refused.most_common():
            one = examples[kind]
            where = ", ".join(f"{v.name} = {x}" for v, x in zip(self.quiz.vary, one.drawn))
            whys.append((f"{n:,} of {refused.total():,} draws: " if self.quiz.vary else "") + explained(one) + (f" (as at {where})" if where else ""))
        what = f"no draw for variant {number} of the quiz `{self.quiz.name}` fits" if self.quiz.vary else f"the quiz `{self.quiz.name}` has no certain key"
        return NoDraw([Diagnostic("E706", what, self.quiz.span._replace(end=min(self.quiz.span.end, self.quiz.span.start + len("quiz"))), "", (),
                                      (*whys, *dict.fromkeys(REMEDIES[k] for k in refused)))], self.quiz.program.source)


def explained(worked: Worked) -> str:
    r = worked.refused
    shown = next((format_expr(w.shown, SOURCE) for w in worked.prepared.wanted if w.id == r.id), "")
    return f"`{shown}`: {r.reason}" if shown else r.reason


REMEDIES = {
    "condition": "weaken `require`, or give `vary` more values",
    "not finite": "choose inputs at which everything is defined",
    "too large": "choose smaller inputs, or `require abs(…) < 1000`",
    "border": "ask for another number of digits, or change the inputs",
    "kink": "choose inputs away from the kink",
    "exactly": "ask for decimals or figures",
    "unknown": "ask for fewer digits",
}


@lru_cache(maxsize=64)
def variants(quiz: Quiz) -> Variants:
    return Variants(quiz)


def variant(quiz: Quiz, number: int, seed: int = 0) -> Variant:
    """One variant alone. Raises NoDraw where no draw fits."""
    worked = variants(quiz).variant(seed, number)
    return Variant(quiz, number, seed, {v.name: x for v, x in zip(quiz.vary, worked.drawn)}, worked.prepared.graph, worked.run)


class Space(NamedTuple):
    """How many draws there are, how many were looked at, and of these why some do not fit."""

    count: int
    examined: int
    fitting: int
    refused: dict[str, list[Worked]]

    @property
    def all(self) -> bool:
        return self.examined == self.count

    def __str__(self) -> str:
        if self.all:
            return f"{self.fitting:,} of {self.count:,}" if self.fitting < self.count else f"{self.count:,}"
        return f"some {round(self.fitting / self.examined * self.count):,} of {self.count:,} (of {self.examined:,} looked at {self.fitting:,} fit)"


def every(quiz: Quiz, tick: Callable[[int, int], None] = lambda done, of: None, most: int = draws.MOST_EXAMINED) -> Iterator[Worked]:
    """Every draw of a quiz, or a sample of them."""
    them, total = variants(quiz), min(draws.count(quiz), most)
    for k, drawn in enumerate(draws.examined(quiz, most)):
        tick(k, total)
        yield them.at(drawn)


def space(quiz: Quiz, worked: list[Worked]) -> Space:
    refused: dict[str, list[Worked]] = {}
    for w in worked:
        if w.refused is not None:
            refused.setdefault(w.refused.kind, []).append(w)
    return Space(draws.count(quiz), len(worked), len(worked) - sum(map(len, refused.values())), refused)
