"""What a text that was typed is: a command, a question, statements, an expression, or not finished yet."""

from __future__ import annotations

import re
from typing import Iterator, NamedTuple

from graphlang.syntax.pieces import CLOSING, JOINING, KEYWORDS, Piece, brackets, pieces, statements

QUESTION = re.compile(r"\?\s*(\S.*)|([^\W\d]\w*|[A-Z]\d{3})\s*\?")
DEFINES = re.compile(rf"\s*(?:{'|'.join(KEYWORDS)})[ \t]+(?=[^\W\d]|[-−(\[.\d∂\"])|\s*(?:quiz|exam|train)\b.*\{{", re.DOTALL)


PROMPTS, CONTINUED = re.compile(r"\s*(?:>>> |> )"), re.compile(r"\s*(?:… |\.\.\. )")


class Chunk(NamedTuple):
    """A part of an input: `what` is command, question, statements or expression; `start` its offset in the input."""

    what: str
    text: str
    start: int = 0


def incomplete(text: str) -> bool:
    """Whether more lines belong to an input: a bracket is open, or an operator or comma waits for what follows it."""
    if any(line.lstrip().startswith((":", "?")) for line in text.split("\n")):
        return False
    parts = [p for p in pieces(text) if p.kind != "newline"]
    if not parts:
        return False
    standing = brackets(parts)
    if standing.stray is not None:
        return False
    if standing.unclosed:
        return len(statements(text, recover=True)) == 1
    return parts[-1].kind == "comma" or parts[-1].text in JOINING and parts[-1].text != ".."


def unprompted(text: str) -> str:
    """A session that was pasted, without its prompts; the answers between them go too."""
    if not PROMPTS.match(text):
        return text
    return "\n".join(line[m.end():] for line in text.split("\n") if (m := PROMPTS.match(line)) or (m := CONTINUED.match(line)))


def chunks(text: str) -> Iterator[Chunk]:
    """An input in parts: commands line by line, statements that follow one another together, expressions one by one."""
    lines = text.split("\n")
    if any(line.lstrip().startswith((":", "?")) for line in lines):
        gathered: list[str] = []
        for line in lines:
            if line.lstrip().startswith((":", "?")):
                yield from chunks("\n".join(gathered))
                gathered = []
                yield _asked(line.strip())
            else:
                gathered.append(line)
        yield from chunks("\n".join(gathered))
        return
    if QUESTION.fullmatch(text.strip()):
        yield _asked(text.strip())
        return
    spans = statements(text, recover=True)
    begin = 0
    for k, span in enumerate(spans):
        own = text[span.start : span.end]
        last = k == len(spans) - 1
        if not is_statement(own):
            yield Chunk("expression", own, span.start)
            begin = span.end
        elif last or not is_statement(text[spans[k + 1].start : spans[k + 1].end]):
            end = len(text) if last else span.end
            yield Chunk("statements", text[begin:end].lstrip(";"), begin)
            begin = span.end


def _asked(text: str) -> Chunk:
    if text.startswith(":"):
        return Chunk("command", text[1:].strip())
    m = QUESTION.fullmatch(text)
    return Chunk("question", (m[1] or m[2]).strip() if m else "")


def is_statement(text: str) -> bool:
    """Whether a text is meant as a statement: it begins with a keyword, or an `=` stands outside of brackets."""
    if DEFINES.match(text):
        return True
    depth = 0
    for p in pieces(text):
        if p.kind == "open":
            depth += 1
        elif p.kind == "close":
            depth -= 1
        elif p.text in ("=", ":=", "+=", "-=", "*=", "/=", "^=") and depth <= 0:
            return True
    return False


def open_bracket(text: str) -> Piece | None:
    """The innermost bracket that is open at the end of a text."""
    stack: list[Piece] = []
    for p in pieces(text):
        if p.kind == "open":
            stack.append(p)
        elif p.kind == "close" and stack and CLOSING[stack[-1].text] == p.text:
            stack.pop()
    return stack[-1] if stack else None
