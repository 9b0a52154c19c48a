"""What to say about a text that doesn't parse: one diagnostic for each mistake, at most one for each statement.

The parser gives up at the first token that fits nowhere. Here the text is cut into statements, each is parsed alone,
and what stands around the place where it failed is compared with the mistakes that people make. In the blocks of quizzes
and exams the lines are cut and parsed alone too.
"""

from __future__ import annotations

from typing import AbstractSet as Set, Callable, Iterator

from graphlang.diagnostics import Diagnostic, Span
from graphlang.syntax.explanation import Explanation
from graphlang.syntax.lalr import Failure
from graphlang.syntax.lexing import quiz_names
from graphlang.syntax.pieces import BLOCKS, Piece, pieces, statements

# Parse a piece of a text by a start rule of the grammar, with names: what its callbacks found wrong, and where it failed.
Attempt = Callable[[str, str, Set[str]], tuple[list[Diagnostic], Failure | None]]


def explain(text: str, attempt: Attempt, start: str, names: Set[str]) -> list[Diagnostic]:
    """The diagnostics for a text that `attempt` does not accept."""
    work = _Explaining(text, attempt)
    spans = [Span(0, len(text))] if start == "lone" else statements(text)
    found = [diagnostic for at in spans for diagnostic in work.statement(at, start, names, True)]
    # Every statement can be fine alone and the text as a whole not; that would be a flaw of ours.
    return found or [Diagnostic("E001", "this is not a program", Span(0, len(text)))]


class _Explaining:
    def __init__(self, text: str, attempt: Attempt):
        self.text, self.attempt = text, attempt

    def statement(self, at: Span, start: str, names: Set[str], whole: bool) -> Iterator[Diagnostic]:
        """`start`: the rule of the grammar. `whole`: it may be several, of which one has an open bracket."""
        part = self.text[at.start : at.end]
        complaints, failure = self.attempt(part, start, names)
        if failure is None and not complaints:
            return
        if start != "lone" and (block := _block(part)) is not None:
            found = list(self.block(at, *block, start, names))
            if found:
                yield from found
                return
        if failure is not None and whole and start != "lone":
            parts = statements(part, recover=True)
            if len(parts) > 1:
                for inner in parts:
                    yield from self.statement(_moved(inner, at.start), start, names, False)
                return
        if complaints:  # they are about what stands before the place of the failure
            first = min(complaints, key=lambda d: d.at or at)
        else:
            assert failure is not None
            first = Explanation(part, failure, start).diagnostic()
        yield first.moved(at.start)

    def block(self, at: Span, word: str, opener: Piece, closer: Piece | None, start: str, names: Set[str]) -> Iterator[Diagnostic]:
        """What is wrong in a statement with a block: before its brace, in its lines, behind it."""
        part = self.text[at.start : at.end]
        if closer is None:
            values = _open_values(part)
            yield Diagnostic("E003", "`{` is never closed", _moved((values or opener).span, at.start), "opened here", hints=("add `}`",))
            return
        before = part[: opener.end] + "}"
        complaints, failure = self.attempt(before, start, names)
        if complaints or failure is not None:
            first = min(complaints, key=lambda d: d.at or at) if complaints else Explanation(before, failure, start).diagnostic()
            yield first.moved(at.start)
        inside = Span(at.start + opener.end, at.start + closer.start)
        if word == "quiz":
            names = next((its for _, its in quiz_names(part)), names)
        for line in statements(self.text[inside.start : inside.end]):
            yield from self.statement(_moved(line, inside.start), f"{word}line", names, True)
        after = part[closer.end :]
        if after.strip():
            yield Diagnostic("E001", "something stands behind the block", Span(at.start + closer.end + len(after) - len(after.lstrip()), at.end),
                             "a newline or `;` is wanted", hints=("begin a new line behind `}`",))


def _block(part: str) -> tuple[str, Piece, Piece | None] | None:
    """The first word of a statement with a block of lines, its brace, and the one that closes it; None for another statement."""
    parts = pieces(part)
    opener = next((p for n, p in enumerate(parts) if p.text == "{" and p.kind == "open" and (not n or parts[n - 1].text != "in")), None)
    if not parts or parts[0].text not in BLOCKS or opener is None or any(p.text == "=" for p in parts if p.end <= opener.start and p.kind == "operator"):
        return None
    depth = 0
    for piece in parts[parts.index(opener) :]:
        depth += (piece.kind == "open" and piece.text == "{") - (piece.kind == "close" and piece.text == "}")
        if not depth:
            return parts[0].text, opener, piece
    return parts[0].text, opener, None


def _open_values(part: str) -> Piece | None:
    """The brace of `vary x in {1, 2` that is not closed before something else follows."""
    parts = [p for p in pieces(part) if p.kind != "newline"]
    for n, piece in enumerate(parts):
        if piece.text == "{" and n and parts[n - 1].text == "in":
            after = next((p for p in parts[n + 1 :] if p.kind not in ("number", "comma") and p.text not in "+-−*/."), None)
            if after is None or after.text != "}":
                return piece
    return None


def _moved(span: Span, by: int) -> Span:
    return Span(span.start + by, span.end + by)
