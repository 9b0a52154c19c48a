"""What to say about a text that doesn't parse: one diagnostic for each mistake, at most one for each statement.

The parser gives up at the first token that fits nowhere. Here the text is cut into statements, each is parsed alone,
and what stands around the place where it failed is compared with the mistakes that people make.
"""

from __future__ import annotations

from typing import Callable, Iterator

from graphlang.diagnostics import Diagnostic, Label, Span
from graphlang.syntax.explanation import Explanation
from graphlang.syntax.lalr import Failure
from graphlang.syntax.pieces import statements

Attempt = Callable[[str], tuple[list[Diagnostic], Failure | None]]


def explain(text: str, attempt: Attempt, lone: bool = False) -> list[Diagnostic]:
    """The diagnostics for a text that `attempt` does not accept. `lone`: it is one expression, not a program."""
    spans = [Span(0, len(text))] if lone else statements(text)
    found = [diagnostic for at in spans for diagnostic in _explain_statement(text, at, attempt, lone, True)]
    # Every statement can be fine alone and the text as a whole not; that would be a flaw of ours.
    return found or [Diagnostic("E001", "this is not a program", Span(0, len(text)))]


def _explain_statement(text: str, at: Span, attempt: Attempt, lone: bool, whole: bool) -> Iterator[Diagnostic]:
    part = text[at.start : at.end]
    complaints, failure = attempt(part)
    if failure is None and not complaints:
        return
    if failure is not None and whole and not lone:
        parts = statements(part, recover=True)
        if len(parts) > 1:
            for inner in parts:
                yield from _explain_statement(text, _moved(inner, at.start), attempt, lone, False)
            return
    if complaints:  # they are about what stands before the place of the failure
        first = min(complaints, key=lambda d: d.at or at)
    else:
        assert failure is not None
        first = Explanation(part, failure, lone).diagnostic()
    yield _shift(first, at.start)


def _shift(diagnostic: Diagnostic, by: int) -> Diagnostic:
    return Diagnostic(
        diagnostic.code, diagnostic.message, diagnostic.at and _moved(diagnostic.at, by), diagnostic.text,
        tuple(Label(_moved(label.span, by), label.text) for label in diagnostic.labels),
        diagnostic.hints, diagnostic.notes, diagnostic.severity,
    )  # fmt: skip


def _moved(span: Span, by: int) -> Span:
    return Span(span.start + by, span.end + by)
