"""Why one statement doesn't parse.

What stands around the place where the parser gave up is compared with the mistakes that people make; the first that
fits is the diagnostic.
"""

from __future__ import annotations

from graphlang.diagnostics import Diagnostic, Label, did_you_mean
from graphlang.syntax.foreign import ASSIGNMENTS, CHARACTERS, CONDITIONS, EXPRESSIONS, STATEMENTS, slice_hint
from graphlang.syntax.names import NotAName, canonical
from graphlang.syntax.pieces import CLOSING, FUNCTIONS, JOINING, KEYWORDS, Piece, brackets
from graphlang.syntax.place import LONGEST, Place, ends_operand, outside
from graphlang.syntax.quiz_explanation import line_mistake


class Explanation(Place):
    """The kinds of mistakes, in the order in which they are looked for."""

    def diagnostic(self) -> Diagnostic:
        for look in (
            self.string, self.semicolon, self.bracket, self.quiz, self.foreign, self.slice, self.condition, self.for_clause, self.sign,
            self.comparison, self.operand, self.keyword, self.neighbours, self.incomplete, self.character,
        ):  # fmt: skip
            if found := look():
                return found
        met = self.met
        what = "the end of the statement" if met is None else f"`{met.text}`"
        hints = {"..": "a range stands in a declaration, `x[0..3]`, and after `in`, `for j in 0..3`",
                 ",": "a statement defines one thing; only lists of leaves, goals and indices have commas"}  # fmt: skip
        if met is not None and met.text == ".." and self.before is not None and self.before.text in ("in", "["):
            hints[".."] = self.corrected(met.start, met.end, "0..")
        return self.say("E001", f"{what} cannot stand here", met, self.wanted(), hints.get(met.text if met else "", ""))

    def string(self) -> Diagnostic | None:
        for part in self.parts:
            if part.kind == "string" and (len(part.text) < 2 or part.text[-1] != '"') and part.end >= self.failure.offset:
                return self.say("E028", "the string is not closed on its line", part, "it begins here", 'close it with `"`')
        return None

    def semicolon(self) -> Diagnostic | None:
        if self.failure.kind != "SEP":
            return None
        opened = brackets(self.parts[: self.i]).unclosed
        found = next((p for p in self.parts[self.i :] if p.kind == "semicolon"), None)
        if not opened or found is None:
            return None
        hint = "rows of a matrix are lists: `[[1, 2], [3, 4]]`" if opened[-1].text == "[" else "arguments are separated by `,`"
        return self.say("E011", "a semicolon ends a statement, and a bracket is still open", found, "",
                        hint, labels=(Label(opened[-1].span, "opened here"),))  # fmt: skip

    def bracket(self) -> Diagnostic | None:
        met = self.met
        standing = brackets(self.parts)
        if met is not None and met is standing.stray:
            if standing.against is None:
                fits = self.before is not None and ends_operand(self.before)
                return self.say("E004", f"`{met.text}` closes nothing", met, "no bracket is open here",
                                self.corrected(met.start, met.end, "") if fits else "delete it")  # fmt: skip
            opener = standing.against
            return self.say("E004", f"`{opener.text}` is closed by `{met.text}`", met, f"`{CLOSING[opener.text]}` is wanted",
                            self.corrected(met.start, met.end, CLOSING[opener.text]),
                            labels=(Label(opener.span, "opened here"),))  # fmt: skip
        opened = brackets(self.parts[: self.i]).unclosed
        if not opened or not standing.unclosed or standing.stray:
            return None
        if met is None or met.text in ("=", "for", "{"):
            opener = opened[-1]
            end = self.before.span if self.before else opener.span
            return self.say("E003", f"`{opener.text}` is never closed", opener, "opened here",
                            f"add `{CLOSING[opener.text]}`",
                            labels=() if end == opener.span else (Label(end, "still open here"),))  # fmt: skip
        return None

    def quiz(self) -> Diagnostic | None:
        return line_mistake(self) if not self.lone and self.parts else None

    def foreign(self) -> Diagnostic | None:
        met, before = self.met, self.before
        if met is not None and met.text in ASSIGNMENTS:
            message, hint = ASSIGNMENTS[met.text]
            corrected = self.corrected(met.start, met.end, "=") if met.text in (":=", "=>") else ""
            return self.say("E021", message, met, "", corrected, hint)
        if met is not None and self.i == 1 and self.text[met.start : met.start + 2] == "<-":
            message, hint = ASSIGNMENTS["<-"]
            return self.say("E021", message, met, "", self.corrected(met.start, met.start + 2, "="), hint)
        if not self.lone and self.head in STATEMENTS and (self.i <= 1 or met is None or met.text in (":", "=")):
            if len(self.parts) > 1 and self.parts[1].text not in ("=", "["):
                return self.say("E024", f"`{self.head}` is not a word of this language", self.parts[0], "",
                                STATEMENTS[self.head])  # fmt: skip
        for part in (met, before):
            if part is not None and part.text in EXPRESSIONS and part is not self.parts[0]:
                return self.say("E024", f"`{part.text}` is not part of this language", part, "", EXPRESSIONS[part.text])
        return None

    def condition(self) -> Diagnostic | None:
        for part in (self.met, self.before):
            if part is not None and part.text in CONDITIONS:
                return self.say("E012", f"`{part.text}` is not an operator: a condition is the number 0 or 1", part, "",
                                CONDITIONS[part.text])  # fmt: skip
        return None

    def for_clause(self) -> Diagnostic | None:
        met, before = self.met, self.before
        words = [p.text for p in self.parts[: self.i]]
        if "for" not in outside(self.parts[: self.i]) and (met is not None and met.text == "for" or "for" not in words):
            if met is not None and met.text == "for":
                return self.misplaced_for(met) or self.say("E029", "a `for` ends an equation, a claim, an expectation or a call", met, "",
                                "write `sum(e for j in 1..3)`, or put it last")  # fmt: skip
            return None
        if met is not None and met.text == "for":
            after = self.parts[self.i + 1].kind if self.i + 1 < len(self.parts) else ""
            hint = "write `for i in 1..3, j in 1..n`"
            if after == "name" and before is not None:
                start = before.start if before.kind == "comma" else before.end
                hint = self.corrected(start, met.end, ",")
            return self.say("E029", "there is one `for`, with all its indices", met, "", hint)
        if before is not None and before.text == "in" and met is None:
            return self.say("E029", "a range must follow `in`", before, "", "write `for j in 1..3`")
        if before is not None and before.text == "for" and self.parts[self.i - 2].kind == "comma" and met is not None and met.kind == "name":
            return self.say("E029", "there is one `for`, with all its indices", before, "", self.corrected(before.start, met.start, ""))
        if before is not None and before.text == "for":
            return self.say("E029", "an index must follow `for`", met or before, "", "write `for j in 1..3`")
        if met is not None and met.text in ("=", "∈") and self.i > 1 and self.parts[self.i - 2].text in ("for", ","):
            return self.say("E029", "an index runs `in` a range", met, "", self.corrected(met.start, met.end, "in"))
        if "DOTS" not in self.failure.expected or "in" not in words:
            return None
        if met is not None and met.text == ":":
            return self.say("E029", "a range is written with two dots", met, "", self.corrected(met.start, met.end, ".."))
        if met is None or met.kind in ("close", "comma"):
            first = max(i for i, word in enumerate(words) if word == "in") + 1
            bound = self.text[self.parts[first].start : self.parts[self.i - 1].end] if first < self.i else ""
            hint = f"write `1..{bound}`" if bound and not bound.startswith("range") else "write `0..n-1`"
            return self.say("E029", f"`{bound}` is not a range", self.parts[first], "a range is `low..high`", hint)
        return None

    def misplaced_for(self, met: Piece) -> Diagnostic | None:
        """A `for` in a statement, or in a bracket, that takes none."""
        opened = brackets(self.parts[: self.i]).unclosed
        clause = self.text[met.start :].strip()
        if opened:
            opener = opened[-1]
            at = self.parts.index(opener)
            if opener.text == "[" and not (at and ends_operand(self.parts[at - 1])):
                return self.say("E029", "a list has no `for`", met, "", "define the table by an equation: `y[j] = … for j in 1..3`")
            if opener.text == "(":  # of a group: a call takes a `for`
                closed = next((p for n, p in enumerate(self.parts[self.i :], self.i + 1)
                               if p.kind == "close" and opener not in brackets(self.parts[:n]).unclosed), None)  # fmt: skip
                summed = f"sum{self.text[opener.start : closed.end]}" if closed and closed.end - opener.start <= LONGEST else "sum(e for j in 1..3)"
                return self.say("E029", "a group in parentheses has no `for`", met, "", f"a sum is written `{summed}`")
            return None
        if self.lone or self.head not in _NO_FOR:
            return None
        takes = "a declaration" if self.head in _LEAVES else f"`{self.head}`"
        start = self.item()
        item = self.text[self.parts[start].start : met.start].strip()
        if self.head in _LEAVES and "=" in [p.text for p in self.parts[start : self.i]]:
            index = self.parts[self.i + 1].text if self.i + 1 < len(self.parts) else "j"
            if self.parts[start + 1].text == "=":  # each element needs its index
                item = f"{self.parts[start].text}[{index}]" + self.text[self.parts[start].end : met.start].rstrip()
            hint = f"define it by an equation: `{item} {clause}`"
        elif self.head in _LEAVES:
            hint = f"the range stands in brackets: `{self.head} {self.parts[start].text}[1..3]`"
        elif self.head in ("minimize", "maximize"):
            hint = f"a goal is one number: `{self.head} sum({item} {clause})`"
        else:
            hint = f"leave it out: `{self.text[: met.start].strip()}`"
        return self.say("E029", f"{takes} takes no `for`", met, "", hint if len(hint) <= 100 else hint.split(":")[0])

    def slice(self) -> Diagnostic | None:
        """`x[1:3]`"""
        met = self.met
        opened = brackets(self.parts[: self.i]).unclosed
        if met is None or met.text != ":" or not opened or opened[-1].text != "[":
            return None
        at = self.parts.index(opened[-1])
        if not at or not ends_operand(self.parts[at - 1]):
            return None
        first = max(i for i in range(at, self.i) if i == at or self.parts[i].kind == "comma") + 1
        last, depth = self.i + 1, 0
        while last < len(self.parts) and (depth or self.parts[last].kind not in ("close", "comma") and self.parts[last].text != ":"):
            depth += (self.parts[last].kind == "open") - (self.parts[last].kind == "close")
            last += 1
        low = self.text[self.parts[first].start : met.start].strip() if first < self.i else "1"
        high = self.text[met.end : self.parts[last - 1].end].strip() or "n"
        if self.head == "train" or (self.head in _LEAVES and at - 1 == self.item()):
            return self.say("E029", "a range is written with two dots", met, "", f"write `{low}..{high}`")
        begin = at - 1
        if self.parts[begin].kind in ("name", "number"):
            table = self.parts[begin].text
        else:
            table = "x"
        end = self.parts[last - 1].end
        whole = Piece("", "", self.parts[min(first, self.i)].start, end)
        return self.say("E015", f"`{self.text[whole.start : whole.end]}` is a slice, which expressions don't have", whole,
                        "one index for each range", slice_hint(table, f"{low}..{high}"))  # fmt: skip

    def sign(self) -> Diagnostic | None:
        met, before = self.met, self.before
        if not self.lone and self.parts and self.parts[0].text in JOINING and (self.i == 0 or met is None):
            part = self.parts[0]
            return self.say("E026", f"a statement begins with `{part.text}`", part, "the newline before it ended a statement",
                            f"end the line above with `{part.text}`, or put the whole in parentheses")  # fmt: skip
        if met is not None and met.text == "+" and (before is None or not ends_operand(before)):
            return self.say("E014", "there is no unary plus", met, "", self.corrected(met.start, met.end, ""))
        return None

    def comparison(self) -> Diagnostic | None:
        met = self.met
        if met is None or met.text not in ("=", "==", "<", ">", "<=", ">=", "!="):
            return None
        before = [p.text for p in self.parts[: self.i]]
        if self.i == 0:
            if met.text == "=":
                return self.say("E019", "the left side of the equation is missing", met, "a name is wanted before it",
                                f"write `y {self.text.strip()}`")  # fmt: skip
            return None
        if self.before is not None and not ends_operand(self.before):
            return None
        if met.text != "=" and any(word in ("<", ">", "<=", ">=", "==", "!=") for word in before):
            return self.say("E013", "comparisons cannot be chained", met, "a second comparison",
                            "multiply the two conditions: `(a < b)*(b < c)`")  # fmt: skip
        if "EQUAL" in self.failure.expected:
            if met.text == "==":
                return self.say("E005", "`==` compares; an equation is written with `=`", met, "",
                                self.corrected(met.start, met.end, "="))  # fmt: skip
            start = self.parts[1].start if self.head in KEYWORDS and len(self.parts) > 1 else 0
            return self.say("E025", f"a condition such as `{met.text}` is not a statement", met, "`=` is wanted",
                            f"write `expect {self.text[start:].strip()}` to have it tested")  # fmt: skip
        if met.text == "=" and self.lone:
            return self.say("E001", "an expression alone is wanted, not an equation", met, "", "write `==` to compare")
        if met.text == "=" and "=" in before:
            return self.say("E001", "a second `=`", met, "one statement is one equation", "write `==` to compare, "
                            "or two equations")  # fmt: skip
        return None

    def operand(self) -> Diagnostic | None:
        """Something is missing after `=`, an operator, a comma or an opening bracket."""
        met, before = self.met, self.before
        if before is None or ends_operand(before) or "NAME" not in self.failure.expected:
            return None
        if met is not None and not (met.kind in ("close", "comma") or met.text in JOINING or met.text in ("=", "for")):
            return None
        if before.text == "=":
            return self.say("E018", "the right side is missing", met or before, "an expression is wanted"
                            + (" after it" if met is None else " before it"), self.remedy(before))  # fmt: skip
        if before.kind == "comma" and (met is None or met.kind == "close"):
            end = met.start if met is not None else before.end
            return self.say("E023", "nothing follows the comma", before, "", self.corrected(before.start, end, ""))
        if before.kind == "operator" or before.kind == "comma":
            return self.say("E023", f"an operand is missing after `{before.text}`", met or before,
                            "an expression is wanted" + (" after it" if met is None else " before it"),
                            self.remedy(before))  # fmt: skip
        return self.say("E023", f"an expression is missing after `{before.text}`", met or before, "", self.remedy(before))

    def remedy(self, before: Piece) -> str:
        """What to do where nothing follows `before`."""
        met = self.met
        if before.text == "..":
            return "write the upper bound too: `1..3`"
        if before.text == "=" and (met is None or met.kind in ("close", "comma")):
            if self.head in _LEAVES and not brackets(self.parts[: self.i]).unclosed:
                return self.corrected(self.parts[self.i - 2].end, before.end, "") + " for a value that is given later"
            return "write a number or an expression, `2*x + 1`"
        if met is not None and (met.kind == "comma" or before.text == "="):
            after = self.parts[self.i + 1].start if self.i + 1 < len(self.parts) else met.end
            return self.corrected(met.start, after, "")
        if before.kind == "operator" and met is not None and met.kind != "close":
            return f"keep one of `{before.text}` and `{met.text}`, or write what stands between them"
        if before.kind == "operator":
            rest = self.i >= 2 and ends_operand(self.parts[self.i - 2])
            return "write what follows it" + (", or delete it" if rest else "")
        if before.text == "[":
            return "an element is written with its index: `x[1]`"
        return "write an expression in the parentheses, `(a + b)`"

    def neighbours(self) -> Diagnostic | None:
        """Two operands without an operator between them."""
        met, before = self.met, self.before
        if met is None or before is None or not ends_operand(before):
            return None
        if not (met.kind in ("name", "number", "string") or met.text in ("(", "[")):
            return None
        if self.i == 1 and before.kind == "name" and before.text not in KEYWORDS and not self.lone:
            near = did_you_mean(before.text, KEYWORDS)
            if near and len(before.text) > 3:
                return self.say("E001", f"`{before.text}` is not a word that begins a statement", before, "", *near)
        if met.kind == "name" and met.text[0] in "⁰¹²³⁴⁵⁶⁷⁸⁹⁻":
            try:
                canonical(met.text)
            except NotAName as wrong:
                hint = self.corrected(before.end, met.end, wrong.proposal)
                return self.say("E010", f"`{met.text}` is not a name", met, "a power is written with `^`", hint)
        if met.kind == "string" or before.kind == "string":
            return self.say("E001", f"`{met.text}` cannot follow `{before.text}`", met, self.wanted(),
                            "a string names a file or a title; it is an argument, as in `csv(\"data.csv\")`")  # fmt: skip
        if before.kind == met.kind == "number" and before.end == met.start:
            end = next((p.end for p, q in zip(self.parts[self.i :], [*self.parts[self.i + 1 :], None])
                        if q is None or q.kind != "number" or q.start != p.end))  # fmt: skip
            whole = Piece("number", self.text[before.start : end], before.start, end)
            why = "an exponent is an integer" if "e" in before.text.lower() else "a number has one dot"
            return self.say("E007", f"`{whole.text}` is not a number", whole, why,
                            "a number is written `3.45`, a range `3..5`, a list `[3, 4, 5]`")  # fmt: skip
        if found := self.argument(before, met):
            return found
        pair = self.text[before.start : before.end], self.text[met.start : met.end]
        opened = brackets(self.parts[: self.i]).unclosed
        if opened and opened[-1].text == "[" and before.kind in ("number", "close") and met.kind in ("number", "open"):
            return self.say("E002", f"a comma is missing between `{pair[0]}` and `{pair[1]}`", met, "",
                            self.corrected(before.end, met.start, ", "))  # fmt: skip
        if self.head == "train" and len(opened) == 1 and (found := self.entry(pair)):
            return found
        if not self.lone and not opened and "=" not in outside(self.parts[self.item() : self.i]) and self.i > 1:
            if self.head in _LEAVES and met.kind == "name" or self.head == "dim" or self.head == "output" and met.kind == "name":
                return self.say("E002", f"a comma is missing between `{pair[0]}` and `{pair[1]}`", met, "",
                                self.corrected(before.end, met.start, ", "))  # fmt: skip
            if self.i == 2 and self.head in ("set", *_LEAVES):
                return self.say("E002", f"`=` is missing between `{pair[0]}` and `{pair[1]}`", met, "",
                                self.corrected(before.end, met.start, " = "))  # fmt: skip
        return self.say("E002", f"an operator is missing between `{pair[0]}` and `{pair[1]}`", met, "",
                        self.corrected(before.end, met.start, "*") + " for the product")  # fmt: skip

    def entry(self, pair: tuple[str, str]) -> Diagnostic | None:
        """`data: csv("a.csv") x`, and two entries on a line."""
        after = self.parts[self.i + 1 : self.i + 2]
        begun = next((k for k in range(self.i - 1, 0, -1) if self.parts[k].text == ":"), 1)
        if after and after[0].text == ":":
            return self.say("E002", f"a newline or `;` is missing between `{pair[0]}` and `{pair[1]}`", self.met, "an entry begins here",
                            self.corrected(self.before.end, self.met.start, "; "))  # fmt: skip
        if self.parts[begun - 1].text in ("data", "test", "report"):
            return self.say("E002", f"a comma is missing between `{pair[0]}` and `{pair[1]}`", self.met, "",
                            self.corrected(self.before.end, self.met.start, ", "))  # fmt: skip
        return None

    def argument(self, before: Piece, met: Piece) -> Diagnostic | None:
        """`sin x` and `sin^2 x`"""
        at, power = self.i - 1, ""
        if before.kind == "number" and at >= 2 and self.parts[at - 1].text in ("^", "**"):
            at, power = at - 2, "^" + before.text
        function = self.parts[at]
        if function.text not in FUNCTIONS or met.kind == "string":
            return None
        last = self.operand_end(self.i)
        end = self.parts[last].end
        clause = next((p for p in self.parts[last:] if p.text == "for"), None)
        raised = last + 1 < len(self.parts) and self.parts[last + 1].text in ("^", "**")
        if raised or (clause is not None and self.parts[1].text == "="):  # the argument may be longer
            right = self.parts[min(self.operand_end(last + 2), len(self.parts) - 1)].end if raised else self.parts[-1].end
            hint = f"write `{function.text}({self.text[met.start : right]}){power}`"
            hint += f" or `{function.text}({self.applied(self.i, last)}){power}{self.text[end:right]}`" if raised else ""
        else:
            hint = self.corrected(function.start, end, f"{function.text}({self.applied(self.i, last)}){power}")
        return self.say("E002", f"`{function.text}` is a function: its argument stands in parentheses", met, "", hint)

    def keyword(self) -> Diagnostic | None:
        """What follows a keyword is not of its form."""
        if "LAYOUT" in self.failure.expected:
            return self.say("E027", "`layout` is followed by its name", self.met or self.parts[0], "",
                            "write `layout numerator` or `layout denominator`")  # fmt: skip
        if "COLON" in self.failure.expected:
            return self.say("E027", "a line of a `train` block is `name: value`", self.before, "", "write `rate: 0.1`")
        form = _FORMS.get(self.head)
        after = self.parts[1].text if len(self.parts) > 1 else ""
        if self.lone or not form or after in ("=", "[", "(", *JOINING):
            return None
        if self.met is None and not self.failure.expected.isdisjoint({"EQUAL", "NUMBER", "LPAR", "LBRACE"}):
            whole = Piece("", self.text, self.parts[0].start, self.parts[-1].end)
            return self.say("E027", f"this `{self.head}` is not complete", whole, self.wanted() if after else "", f"write `{form}`")
        if after[:1] == "∂":
            return self.say("E017", "the local derivative of an element is not written with `∂`", self.met, "", "`partial(a[k], w)`, `partial(z[j], a[j])`")
        if self.i == 1:
            return self.say("E027", f"`{after}` cannot follow `{self.head}`", self.met, "", f"write `{form}`")
        return None

    def incomplete(self) -> Diagnostic | None:
        """The statement stops too early."""
        if self.lone or not self.parts or self.met is not None:
            return None
        whole = Piece("", self.text, self.parts[0].start, self.parts[-1].end)
        if "EQUAL" in self.failure.expected:
            text = self.text.strip()
            shown = text if len(text) <= 60 else f"{text[:56]} …"
            return self.say("E025", "an expression alone is not a statement", whole, "`=` is wanted",
                            f"name it: `y = {shown}`", f"or make it an output: `output {shown}`" if self.i == 1 else "")  # fmt: skip
        return None

    def character(self) -> Diagnostic | None:
        met = self.met
        if met is None or (self.failure.kind and met.kind != "other" and met.text not in CHARACTERS):
            return None
        shown = met.text if met.text.isprintable() and not met.text.isspace() else f"U+{ord(met.text[0]):04X}"
        return self.say("E022", f"`{shown}` means nothing here", met, "", CHARACTERS.get(met.text, ""))


_FORMS = {
    "claim": "claim left = right", "expect": "expect y = 0.5 within 1e-3", "set": "set seed = 0",
    "derivative": "derivative f(v) = …", "opaque": "opaque h(x)[K]", "quiz": 'quiz name "Title" { … }',
    "exam": 'exam "Title" { … }', "input": "input x = 2", "param": "param w = 1", "data": "data t = 1",
    "const": "const M = 2", "output": "output y", "minimize": "minimize J", "maximize": "maximize J",
    "include": 'include "base.graph"', "layout": "layout numerator", "train": "train { … }", "override": "override J = …", "dim": "dim P",
}  # fmt: skip


_LEAVES = ("input", "param", "data", "const")
_NO_FOR = (*_LEAVES, "dim", "output", "minimize", "maximize", "set")
