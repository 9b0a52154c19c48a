"""What a format cannot hold, counted while it is written and told in sentences."""

from __future__ import annotations

from decimal import Decimal

from graphlang.quiz.model import Part

# Moodle's list of the parts of a grade, in percent, which GIFT shares. Others are refused by an import.
FRACTIONS = tuple(map(Decimal, "100 90 83.33333 80 75 70 66.66667 60 50 40 33.33333 30 25 20 16.66667 14.28571 12.5 11.11111 10 5 0".split()))


class Losses:
    """Of one target, whose name begins each sentence."""

    def __init__(self, target: str):
        self.target, self.counts = target, {}

    def add(self, one: str, many: str, rest: str, n: int = 1) -> None:
        """`n` more of a kind: `one`, in plural `many`, then what happens to them."""
        if n:
            self.counts[one, many, rest] = self.counts.get((one, many, rest), 0) + n

    def sentences(self) -> tuple[str, ...]:
        return tuple(f"{self.target}: {n:,} {one if n == 1 else many} {rest}" for (one, many, rest), n in self.counts.items())

    # ---- what several formats lack

    def messages(self, n: int, why: str) -> None:
        self.add("message for a wrong number", "messages for wrong numbers", f"dropped, {why}", n)

    def carried(self, part: Part) -> None:
        if part.carry and len(part.blanks) > 1:
            self.add("question", "questions", "marked without errors carried forward, which it cannot compute")

    def separated(self, part: Part) -> None:
        if len(part.blanks) > 1:
            self.add("question with several numbers", "questions with several numbers", "taken apart into one item for each number")

    def fraction(self, credit: Decimal, whole: bool = False) -> str:
        """The nearest fraction of Moodle's list, in percent, the smaller of two; a wrong answer never has all. `whole`: among whole numbers."""
        if not credit:
            return "0"
        percent = credit * 100
        offered = [f for f in FRACTIONS if (f == int(f) or not whole) and (f < 100 or credit == 1)]
        nearest = min(offered, key=lambda f: (abs(f - percent), f))
        if abs(nearest - percent) > Decimal("0.00001"):
            self.add("part of the marks", "parts of the marks", "rounded to one that it has")
        return format(nearest, "f")
