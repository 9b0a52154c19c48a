"""The numbers of a quiz: how exact an answer is, marks, counts, the values that are drawn. What is wrong with one goes to `found`."""

from __future__ import annotations

from decimal import Decimal
from typing import Iterable, Sequence

from graphlang.diagnostics import Diagnostic, Label, Span
from graphlang.quiz import model
from graphlang.syntax import ast

FIGURES = 3               # that an answer has where nothing is said
MOST_DIGITS = 15          # that a float64 holds of every number
MOST_VALUES = 10_000      # that one input is drawn from
LARGEST = 1_000_000_000   # of counts
MOST = {"choices": 26, "options": 26, "versions": 26}  # which are told by letters


class Amounts:
    def __init__(self, found: list[Diagnostic]):
        self.found = found

    def report(self, code: str, message: str, at: Span, text: str = "", labels: Iterable[Label] = (), hints: Iterable[str] = ()) -> None:
        self.found.append(Diagnostic(code, message, at, text, tuple(labels), tuple(hints)))

    def twice(self, what: str, at: Span, first: Span) -> None:
        self.report("E705", f"{what} stands twice" if what[0] == "`" or what.startswith("the") else f"{what} is said twice", at, "", [Label(first, "the first time")], ["keep one of them"])

    def whole(self, number: ast.Num, what: str, least: int, most: int = LARGEST) -> int:
        """A whole number; `least` where it is none."""
        value = number.value
        if value != int(value) or not least <= value <= most:
            limit = f"from {least} to {most}" if most < LARGEST else f"at least {least}"
            self.report("E704", f"{what} is a whole number, {limit}", number.span, f"this is {number.text}", (), ())
            return least
        return int(value)

    def one(self, lines: Sequence, word: str, least: int) -> int | None:
        """The whole number of a word that stands in at most one line."""
        said = [line for line in lines if type(line) is ast.Amount and line.word == word]
        for again in said[1:]:
            self.twice(f"`{word}`", again.span, said[0].span)
        return self.whole(said[0].number, f"`{word}`", least, MOST.get(word, LARGEST)) if said else None

    def marks(self, number: ast.Num | None) -> Decimal:
        if number is None:
            return Decimal(1)
        value = Decimal(number.text)
        if value <= 0:
            self.report("E704", "a question has marks above 0", number.span, f"this is {number.text}", (), ("leave it out for 1 mark",))
        return value

    def share(self, said: Sequence[ast.Amount]) -> Decimal:
        """What `carry` gives, from 0 to 1."""
        for again in said[1:]:
            self.twice("`carry`", again.span, said[0].span)
        if not said:
            return Decimal(0)
        number = said[0].number
        value = Decimal(number.text)
        if value > 1:
            self.report("E704", "`carry` is the part of the marks that is given, from 0 to 1", number.span, f"this is {number.text}", (), ("`carry 0.75`",))
        return value

    def working(self, said: Sequence[ast.Precise]) -> int | None:
        for again in said[1:]:
            self.twice("`working`", again.span, said[0].span)
        if not said:
            return None
        if said[0].kind != "decimals":
            self.report("E704", "working carries decimals, the same in every row", said[0].span, "these are figures", (), (f"`working {said[0].number.text} decimals`",))
        return self.exactness(said[0]).digits

    def exactness(self, p: ast.Precise) -> model.Precision:
        match p.kind:
            case "decimals":
                return model.Precision("decimals", self.whole(p.number, "the number of decimals", 0, MOST_DIGITS))
            case "figures":
                return model.Precision("figures", self.whole(p.number, "the number of figures", 1, MOST_DIGITS))
            case "exactly":
                return model.Precision("exactly")
        size = Decimal(p.number.text)
        if size <= 0 or p.kind == "percent" and size >= 100:
            self.report("E704", "a tolerance is above 0" + (" and below 100%" if p.kind == "percent" else ""), p.number.span, f"this is {p.number.text}", (), ("`exactly` has none",) if size == 0 else ())
        return model.Precision(p.kind, 0, size)

    def steps(self, v: ast.Varied) -> tuple[Decimal, ...]:
        """The values of `low..high step s`, as they are printed: with as many decimals as the step and the bounds have."""
        low, high, *rest = (Decimal(n.text) for n in v.bounds)
        step = rest[0] if rest else Decimal(1)
        at = v.bounds[-1].span
        if step <= 0:
            self.report("E703", "a step is above 0", at, f"this is {v.bounds[-1].text}", (), (f"`{v.name} in {min(low, high)}..{max(low, high)} step {abs(step) or 1}`",))
            return ()
        if low > high:
            self.report("E703", "the range runs backwards", v.span, "", (), (f"`{v.name} in {v.bounds[1].text}..{v.bounds[0].text}" + (f" step {rest[0]}" if rest else "") + "`",))
            return ()
        count = (high - low) / step
        if count > MOST_VALUES:
            self.report("E703", f"`{v.name}` has more than {MOST_VALUES:,} values", v.span, "", (), ("make the step larger",))
            return ()
        if count != int(count):
            last = low + int(count) * step
            self.report("E703", f"steps of {step} from {low} do not end at {high}", at, f"the last one is {last}", (),
                        (f"`{v.name} in {low}..{last}" + (f" step {step}`" if rest else "`"), *(() if rest else ("a step is written `0..1 step 0.5`",))))
            return ()
        return tuple(low + k * step for k in range(int(count) + 1))
