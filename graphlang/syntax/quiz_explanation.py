"""Why a line of a quiz or an exam doesn't parse, as far as its own words are concerned; of expressions see explanation.py."""

from __future__ import annotations

from graphlang.diagnostics import Diagnostic, did_you_mean
from graphlang.syntax.pieces import BLOCKS, Piece
from graphlang.syntax.place import Place, ends_operand

# By the start rule of a line: what it is called, the words that begin such lines, and how they are written.
LINES = {
    "askline": ("`ask`", ("choices",), "`dy/dx to 2 decimals, 2 marks`"),
    "fillline": ("`fill`", ("blank", "to", "exactly", "within", "carry"), "`blank u, x` or `to 3 figures, 1 mark each` or `carry 0.75`"),
    "chooseline": ("`choose`", ("answer", "wrong", "options"), "`answer 2*x`, `wrong x because \"…\"`, `wrong auto`, `options 4` or `2 marks`"),
    "examline": ("`exam`", ("use", "minutes", "versions", "seed"), "`use NAME, variants 20, 2 marks`, `minutes 20`, `versions 4` or `seed 1`"),
}
# Statements that only quizzes have.
FORMS = {
    "vary": "vary x in {1, 2, 3}", "require": "require y > 0, y < 100", "ask": 'ask "What is y?" { y to 2 decimals }', "fill": "fill backward { blank u }",
    "choose": 'choose "What is the derivative?" { answer 2*x }', "working": "working 4 decimals",
}  # fmt: skip
BLOCK_FORMS = {"quiz": 'quiz name "Title" { … }', "exam": 'exam "Title" { … }'}
UNITS = ("decimal", "decimals", "figure", "figures")
WORDS = {"TO": "to", "EXACTLY": "exactly", "WITHIN": "within", "BECAUSE": "because", "STEP": "step"}
MEANT = {"exact": "exactly", "as": "because", "since": "because", "by": "step", "rounded": "to", "±": "within", "+-": "within"}


def line_mistake(place: Place) -> Diagnostic | None:
    """What is wrong with a line of a block, or with a statement that only quizzes have; None where that is an expression."""
    if "LBRACE" in place.failure.expected and place.head in BLOCKS and place.met is not None and place.before.kind in ("string", "name"):
        return _say(place, f"the block of `{place.head}` begins with `{{`", place.met, f"write `{(FORMS | BLOCK_FORMS)[place.head]}`")
    kind, words, form = LINES.get(place.start, ("", (), ""))
    if not kind and (place.start != "quizline" or place.head not in FORMS or place.parts[1:2] and place.parts[1].text in ("=", "[")):
        return None
    form = form or f"`{FORMS[place.head]}`"
    return _vary(place) or _unit(place, form) or _number(place, form) or _word(place, form) or _begin(place, kind, words, form) or _more(place, form)


def _say(place: Place, message: str, at: Piece | None, *hints: str, text: str = "") -> Diagnostic:
    return place.say("E027", message, at or place.before or place.parts[0], text, *hints)


def _vary(place: Place) -> Diagnostic | None:
    met, expected = place.met, place.failure.expected
    if place.head != "vary" or place.start != "quizline":
        return None
    if "IN" in expected and "DOTS" not in expected:
        hint = place.corrected(met.start, met.end, "in") if met is not None and met.text in ("=", "∈", ":") else f"write `{FORMS['vary']}`"
        return _say(place, "`vary` says which values an input is drawn from: `in` is wanted", met, hint)
    names = [p.text for p in place.parts[: place.i]]
    after = names[max((n for n, word in enumerate(names) if word == "in"), default=0) + 1 :]
    if "DOTS" in expected and (met is None or met.kind == "comma"):
        inside = place.text[place.parts[place.i - len(after)].start :].strip().strip("[]()") if after else "1, 2, 3"
        return _say(place, "the values that are drawn stand in braces", place.before, f"write `{{{inside}}}`" if len(inside) < 60 else "write `{1, 2, 3}`")
    if after[:1] == ["{"] and "}" not in after and met is not None and met.kind in ("number", "name") and place.before is not None and ends_operand(place.before):
        return place.say("E002", f"a comma is missing between `{place.before.text}` and `{met.text}`", met, "", place.corrected(place.before.end, met.start, ", "))
    return None


def _unit(place: Place, form: str) -> Diagnostic | None:
    met, before, expected = place.met, place.before, place.failure.expected
    if before is None or before.kind != "number":
        return None
    if "DIGITS" in expected:
        words = " or ".join(f"`{before.text} {word}`" for word in (("decimals",) if place.head == "working" else ("decimals", "figures")))
        return _say(place, f"`{before.text}` of what? {'`decimals` is' if place.head == 'working' else '`decimals` or `figures` is'} wanted", met, f"write {words}")
    if "MARKS" in expected and "NUMBER" not in expected and "PLUS" not in expected:
        if met is not None and met.text in ("variants", "variant"):
            return _say(place, f"the word stands before its number: `variants {before.text}`", met, place.corrected(before.start, met.end, f"variants {before.text}"))
        if met is not None and met.kind == "name":
            return _say(place, f"`{met.text}` cannot follow `{before.text}`: `marks` is wanted", met, place.corrected(met.start, met.end, "marks"))
        return _say(place, f"`{before.text}` of what? `marks` is wanted", met, f"write `{before.text} {'mark' if before.text == '1' else 'marks'}`")
    return None


def _number(place: Place, form: str) -> Diagnostic | None:
    met, before, expected = place.met, place.before, place.failure.expected
    if before is None or "NUMBER" not in expected or "NAME" in expected or ends_operand(before) and before.kind != "name":
        return None
    if before.kind == "comma":
        if place.start == "askline":
            what = "only the marks follow a comma" if met is not None else "nothing follows the comma"
            return _say(place, what, met, f"a line of `ask` is {form}")
        return _say(place, "nothing follows the comma" if met is None else f"`{met.text}` cannot stand behind the comma", met, f"the lines are {form}")
    if met is not None and met.text in "-−":
        return _say(place, f"the number after `{before.text}` has no sign", met, place.corrected(met.start, met.end, ""))
    return _say(place, f"a number is wanted after `{before.text}`", met, f"the form is {form}", text="" if met is None else "this is none")


def _word(place: Place, form: str) -> Diagnostic | None:
    """A word behind an expression, and what is missing before one."""
    met, before, expected = place.met, place.before, place.failure.expected
    if "DIRECTION" in expected:
        return _say(place, "`forward` or `backward` is wanted after `fill`", met, *(did_you_mean(met.text, ("forward", "backward")) if met else ()), "the column of the table that has blanks")
    if "BECAUSE" not in expected and before is not None and before.text == "because":
        return _say(place, "a reason is wanted after `because`", met, "the name of a mistake, such as `layout`, or a message in quotes")
    if met is None or before is None or not ends_operand(before):
        return None
    following = place.parts[place.i + 1].text if place.i + 1 < len(place.parts) else ""
    if place.head == "blank" and met.kind == "name" and place.start == "fillline":
        return place.say("E002", f"a comma is missing between `{before.text}` and `{met.text}`", met, "", place.corrected(before.end, met.start, ", "))
    if met.kind == "number" and following in UNITS and "TO" in expected:
        return _say(place, "`to` is missing before how exact the answer is", met, place.corrected(met.start, met.start, "to "))
    if met.kind == "number" and following in ("mark", "marks") or met.text in ("variants", "carry") and "COMMA" in expected:
        return _say(place, f"a comma is missing before `{met.text}`", met, place.corrected(before.end, met.start, ", "))
    if met.kind == "name" and "PLUS" in expected:
        wanted = [WORDS[kind] for kind in expected & WORDS.keys()]
        near = MEANT.get(met.text) or next((hint.split("`")[1] for hint in did_you_mean(met.text, wanted)), "")
        if near in wanted:
            return _say(place, f"`{met.text}` cannot follow an expression", met, f"did you mean `{near}`?")
    if met.text == "=" and place.start == "askline":
        return _say(place, "an answer is an expression: what it is equal to is worked out", met, f"a line is {form}")
    return None


def _begin(place: Place, kind: str, words: tuple[str, ...], form: str) -> Diagnostic | None:
    """The first word begins no line of the block."""
    if not kind:
        if place.i <= 1 and place.failure.kind != "DIRECTION":
            at = place.met if place.i else place.parts[0]
            what = f"this `{place.head}` is not complete" if at is None else f"`{at.text}` cannot follow `{place.head}`"
            return _say(place, what, at, f"write {form}")
        return None
    first = place.parts[0]
    other = next((name for name, its, _ in LINES.values() if first.text in its and name != kind), "")
    if place.start == "askline":
        after = place.parts[1].kind if len(place.parts) > 1 else ""
        if place.i != 1 or first.kind != "name" or not (other and after in ("name", "number", "open") or first.text == "choices"):
            return None
        if first.text == "choices":
            return _say(place, "a number is wanted after `choices`", place.met, "write `choices 4`")
    elif place.i and first.text in words or first.kind == "number" and place.start == "chooseline":
        return None
    hints = did_you_mean(first.text, words) if first.kind == "name" else ()
    return _say(place, f"`{first.text}` begins no line of {kind}" + (f", but of {other}" if other else ""), first, *hints, f"the lines are {form}")


def _more(place: Place, form: str) -> Diagnostic | None:
    """Something stands behind a line that is complete."""
    met, expected = place.met, place.failure.expected
    if met is None and "NAME" in expected and place.before is not None and place.before.kind == "name" and place.i == 1:
        return _say(place, f"an expression is wanted after `{place.before.text}`", place.before, f"the lines are {form}")
    if met is None or "PLUS" in expected or "NAME" in expected or "STRING" in expected or met.text == "{":
        return None
    return _say(place, f"`{met.text}` is more than the line takes", met, f"the form is {form}", "two lines are parted by a newline or `;`")
