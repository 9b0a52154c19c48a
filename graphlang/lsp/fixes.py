"""Quick fixes: hints of diagnostics that can be done, each tried before it is offered.

A hint is a sentence with code in backquotes. Where that code could go (in the place of what is marked, of its line, behind
it) follows from no rule, so every place is tried: the changed text is read and built again, and a fix is offered only if its
diagnostic is gone and no other has come.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Iterator, Mapping, NamedTuple
from unicodedata import normalize

from graphlang.diagnostics import Span
from graphlang.lsp.analysis import GRAPH, TEXT, VALUES, Analysis, Finding, analyse
from graphlang.lsp.reading import File, Text
from graphlang.lsp.renaming import Edit, apply

LARGEST = 100_000  # characters of a program in which fixes are tried
MOST = 8           # that one diagnostic gets
TRIED = ("E0", "E1", "E2", "E3", "E4", "E6", "W1", "W2", "W3")  # what reading and building a text finds

_CODE = re.compile(r"`([^`\n]+)`")
_BLANKS = re.compile(r"\b(d[^\W\d]\w*)[ \t]*/[ \t]*(d[^\W\d]\w*)")
_WORDS = re.compile(r"\b(?:for|in|expect|claim)\b")
_ATOM = re.compile(r"[\w.]+|\w+\([^()]*(?:\([^()]*\)[^()]*)*\)")
_STAGES = (TEXT, GRAPH, VALUES)


class Fix(NamedTuple):
    title: str
    finding: Finding
    edit: Edit


def fixes(analysis: Analysis, finding: Finding, text: Text, texts: Mapping[Path, str] = {}) -> Iterator[Fix]:
    """The fixes of one finding of a program; `text` is the program's own, `texts` the other ones that are open."""
    file = analysis.reading.file(finding.file)
    if file is None or len(file.text) > LARGEST or finding.diagnostic.code[:2] not in TRIED:
        return
    plain = analyse(text, texts, evaluate=False, reading=analysis.reading)
    judged = finding.key not in {f.key for f in plain.findings}  # a mistake in a claim is found when that is judged
    compared = analysis if judged else plain
    seen: set[str] = set()
    offered = 0
    for title, edit in candidates(file, finding):
        after = apply(file.text, [edit])
        if after in seen or after == file.text or offered == MOST:
            continue
        seen.add(after)
        if helps(compared, finding, judged, file, edit, text, texts):
            offered += 1
            yield Fix(title, finding, edit)


def candidates(file: File, finding: Finding) -> Iterator[tuple[str, Edit]]:
    """Edits that a hint may mean, the smallest first."""
    d, at, text = finding.diagnostic, finding.span, file.text
    marked = text[at.start : at.end]
    for hint in d.hints:
        for code in _CODE.findall(hint):
            if "…" in code:
                continue
            if hint.startswith("did you mean"):
                yield f"replace by `{code}`", Edit(file.name, at, f'"{code}"' if marked.startswith('"') else code)
                for m in re.finditer(rf"(?<![^\W\d_]){re.escape(quoted(d.message))}(?!\w)", marked) if quoted(d.message) else ():
                    yield f"replace by `{code}`", Edit(file.name, Span(at.start + m.start(), at.start + m.end()), code)
            elif hint.startswith("the stable spelling is"):
                yield f"write `{code}`", Edit(file.name, at, bracketed(code))
            elif hint.startswith("a derivative is written without blanks"):
                for m in _BLANKS.finditer(text):
                    if m.start() <= at.start < m.end():
                        yield f"write `{m[1]}/{m[2]}`", Edit(file.name, Span(*m.span()), f"{m[1]}/{m[2]}")
            elif hint.startswith("add "):
                for end in [r.span.end for r in finding.related if r.file == file.name] or [at.end]:
                    yield f"add `{code}`", Edit(file.name, Span(end, end), code)
            elif hint.startswith("delete "):
                yield f"delete `{code}`", Edit(file.name, at, "")
            elif d.code == "E402":
                newline = "" if text.endswith("\n") or not text else "\n"
                yield f"add `{code}`", Edit(file.name, Span(len(text), len(text)), f"{newline}{code}\n")
            else:
                yield from replacements(file, finding, code, hint)


def replacements(file: File, finding: Finding, code: str, hint: str) -> Iterator[tuple[str, Edit]]:
    """`code` for what is marked, for what the message quotes around it, or for the line."""
    text, at = file.text, finding.span
    start = text.rfind("\n", 0, at.start) + 1
    end = text.find("\n", at.end)
    end = end if end >= 0 else len(text)
    spans = [at]
    about = quoted(finding.diagnostic.message)
    found = text.find(about, start, end) if about else -1
    if 0 <= found <= at.start and at.end <= found + len(about):
        spans.append(Span(found, found + len(about)))
    line = text[start:end]
    for upto in (line.partition("#")[0], line):
        spans.append(Span(start + len(upto) - len(upto.lstrip()), start + len(upto.rstrip())))
    for span in dict.fromkeys(spans):
        old = text[span.start : span.end]
        if says_the_same(old, code) or (span == at and (code.startswith(("diff(", "partial(")) or f"`{code}` for the number" in hint)):
            yield f"write `{code}`", Edit(file.name, span, code)


def bracketed(code: str) -> str:
    """An expression as a part of another one."""
    return code if _ATOM.fullmatch(code) else f"({code})"


def says_the_same(old: str, new: str) -> bool:
    """Whether two texts have the same letters and digits but for words of the language: other signs, not an example."""
    return signs(old) == signs(new)


def signs(text: str) -> list[str]:
    return sorted(c for c in _WORDS.sub("", normalize("NFKC", text)) if c.isalnum())


def quoted(message: str) -> str:
    """What a message is about."""
    found = _CODE.search(message)
    return found[1] if found else ""


def helps(analysis: Analysis, finding: Finding, evaluate: bool, file: File, edit: Edit, text: Text, texts: Mapping[Path, str]) -> bool:
    """Whether a text with an edit is without the finding and has no new one."""

    def analysed(changed: str) -> Analysis:
        if file.name == text.name:
            return analyse(text._replace(text=changed), texts, evaluate)
        return analyse(text, {**texts, file.path: changed}, evaluate)

    again = analysed(apply(file.text, [edit]))
    if _STAGES.index(again.reached) < _STAGES.index(analysis.reached):
        return False
    before, now = counted(analysis), counted(again)
    if now[finding.key] >= max(before[finding.key], 1) or (again.reached != analysis.reached and now[finding.key]):
        return False
    new = now - before
    if analysis.reached == TEXT and (new or again.reached == TEXT):
        # A mistake in the text hides those that building it would find. Those that are there without this statement are not new.
        others = [Edit(file.name, at, "") for at in file.broken if not (at.start <= finding.span.start <= at.end)]
        if others and again.reached == TEXT and not any(e.span.start <= edit.span.end and edit.span.start <= e.span.end for e in others):
            again = analysed(apply(file.text, [edit, *others]))
            new = counted(again) - before
            if not new:
                return True
        this = [Edit(file.name, at, "") for at in file.broken if at.start <= finding.span.start <= at.end]
        known = counted(analysed(apply(file.text, [*others, *this])))
        # A name that is defined in a statement which was left out is no mistake.
        new = Counter({key: n for key, n in new.items() if key not in known and not (key[1] == "E101" and others and quoted(key[2]) in analysis.reading.names)})
        # A statement that does not parse has one finding at a time: the next mistake in it may come forth.
        return not new or (again.reached == TEXT and now.total() <= before.total() and not touched(again, new, edit))
    if again.reached != analysis.reached:
        return not touched(again, new, edit)
    return now.total() <= before.total() if evaluate else not new  # a claim has one finding at a time, too


def counted(analysis: Analysis) -> Counter:
    return Counter(f.key for f in analysis.findings if f.severity != "note")


def touched(analysis: Analysis, new: Counter, edit: Edit) -> bool:
    """Whether one of some findings is where an edit was."""
    end = edit.span.start + len(edit.text)
    return any(f.key in new and f.file == edit.file and f.span.start <= end and edit.span.start <= f.span.end for f in analysis.findings)
