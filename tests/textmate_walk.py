"""Enough of a TextMate tokenizer to walk programs with the grammar of docs/editors: one line at a time, with Python's `re`.

Rules are `match` with captures, `begin`/`end` with theirs, and `include`. Of the rules that match leftmost the first counts; the
end of the open region is tried before all of them.
"""

import re
from functools import cache


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def scopes(grammar: dict, text: str) -> list[str]:
    """The innermost scope of each character of a text; "" where there is none."""
    found: list[str] = []
    open_regions: list[dict] = []
    for line in text.splitlines(keepends=True):
        marks = [open_regions[-1].get("name", "") if open_regions else ""] * len(line)
        _walk(grammar, line, marks, open_regions)
        found += marks
    return found


def _walk(grammar: dict, line: str, marks: list[str], open_regions: list[dict]) -> None:
    at = 0
    while at <= len(line):
        best = None
        rules = _rules(grammar, open_regions[-1]["patterns"] if open_regions else grammar["patterns"])
        ends = [({"match": open_regions[-1]["end"], "captures": open_regions[-1].get("endCaptures", {}), "ends": True})] if open_regions else []
        for rule in (*ends, *rules):
            m = _compiled(rule.get("match") or rule["begin"]).search(line, at)
            if m and (best is None or m.start() < best[1].start()):
                best = rule, m
        if best is None:
            break
        rule, m = best
        name = open_regions[-1].get("name", "") if rule.get("ends") and open_regions else rule.get("name", "")
        if name:
            marks[m.start() : m.end()] = [name] * (m.end() - m.start())
        for group, capture in (rule.get("captures") or rule.get("beginCaptures") or {}).items():
            start, end = m.span(int(group))
            if start >= 0:
                marks[start:end] = [capture["name"]] * (end - start)
        if rule.get("ends"):
            open_regions.pop()
        elif "begin" in rule:
            open_regions.append(rule)
        if open_regions and open_regions[-1].get("name"):
            marks[m.end() :] = [open_regions[-1]["name"]] * (len(line) - m.end())
        elif rule.get("ends"):
            marks[m.end() :] = [""] * (len(line) - m.end())
        if m.end() == at and not rule.get("ends"):
            assert m.end() > m.start(), f"a rule that takes nothing: {rule}"
        at = m.end()


def _rules(grammar: dict, patterns: list[dict]):
    for rule in patterns:
        if "include" in rule:
            target = grammar["repository"][rule["include"][1:]]
            yield from _rules(grammar, target["patterns"] if "match" not in target and "begin" not in target else [target])
        else:
            yield rule
