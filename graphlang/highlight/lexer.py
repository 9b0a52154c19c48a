"""The Pygments lexer: colours for programs in a terminal, in documentation and in notebooks.

A word such as `data`, `for` or `within` is a keyword by its place, so there is a state for each kind of place: where a
statement begins, where an operand is wanted, and behind one. A name never follows an operand, so such a word behind
one is a keyword. After an operator or a comma, and inside of brackets, a newline is a blank. What is unfinished does
not take the text below it along: a line that begins like a statement begins one.
"""

from __future__ import annotations

import re
from typing import Iterator

from pygments.lexer import RegexLexer, default, include
from pygments.token import Comment, Error, Keyword, Name, Number, Operator, Punctuation, String, Whitespace

from graphlang.highlight import words

_KINDS = {"ROLE": Keyword.Declaration, "DIM": Keyword.Declaration, "OPAQUE": Keyword.Declaration, "INCLUDE": Keyword.Namespace}
_NEXT = {"TRAIN": "train head", "QUIZ": "block head", "EXAM": "block head", "LAYOUTKW": "layout"}

_OPERATOR = r"\.\.|\*\*|[<>=!]=|[-+*/^@<>−·×⋅]"
_END = r"(?=[ \t]*(?:[#;}\r\n]|\Z))"
_LATER = r"(?=[ \t]+[\w\"(\[.∂−-])"  # after a word of a quiz: anything but `=`
_WHOLE = r"(?![\w\u0300-\u036f])"  # the end of a word: `\b` would end one before a combining mark
_TYPICAL = re.compile(rf"^[ \t]*(?:(?:input|param|expect|claim|minimize|maximize)[ \t]+(?={words.NAME})|d{words.NAME}/d{words.NAME}[ \t]*=)", re.MULTILINE).search
_ELSEWHERE = re.compile(r'^[ \t]*(?:include[ \t]*"|quiz[ \t]+[^\W\d])', re.MULTILINE).search  # what has names that a scan of the text doesn't find
_CALLED = re.compile(r"[ \t]*\(").match

# In brackets these begin a line only where a bracket was not closed. But an element of a variable called `data` may
# stand there, with `for` behind it; and an argument may be given by its name, on a line that is indented.
_STATEMENT = "|".join(f"(?:{'|'.join(spelled)}){follows}(?![ \t]+(?:for|within)\\b)" for _, spelled, follows in words.STATEMENTS)
_RECOVERY = rf"(?=\r?\n(?:[ \t]*(?:{_STATEMENT})|{words.NAME}(?:\[[^\]\n]*\])?[ \t]*=(?!=)))"


# ---- what a name and a number are


def _named(lexer: GraphLexer, text: str, spelled: str, end: int):
    if _CALLED(text, end):
        return Name.Builtin if spelled in words.FUNCTIONS else Name.Function
    if spelled in words.CONSTANTS and not (spelled == "e" and "e" in lexer.defined(text)):
        return Name.Constant
    return Name


def _name(lexer: GraphLexer, match: re.Match[str]) -> Iterator[tuple]:
    yield match.start(), _named(lexer, match.string, match[0], match.end()), match[0]


def _quotient(lexer: GraphLexer, match: re.Match[str]) -> Iterator[tuple]:
    """`dJ/dx`: a derivative, or the quotient of two names."""
    if lexer.is_derivative(match.string, match[0]):
        yield match.start(), Name.Variable, match[0]
        return
    above, _, below = match[0].partition("/")
    middle = match.start() + len(above)
    yield match.start(), Name, above
    yield middle, Operator, "/"
    yield middle + 1, _named(lexer, match.string, below, match.end()), below


def _number(lexer: GraphLexer, match: re.Match[str]) -> Iterator[tuple]:
    yield match.start(), Number.Integer if match[0].isdigit() else Number.Float, match[0]


def _entry(lexer: GraphLexer, match: re.Match[str]) -> Iterator[tuple]:
    yield match.start(), Keyword if match[0] in words.TRAIN else Name.Attribute, match[0]


# ---- states


def _operand(behind: str, unfinished: str, inside: str) -> list:
    """Where an operand is wanted; the state `behind` follows it, `inside` is the one of its brackets."""
    return [
        (words.DERIVATIVE, _quotient, ("#pop", behind)),
        (words.COEFFICIENT, _number),
        (words.NUMBER, _number, ("#pop", behind)),
        (words.STRING, String, ("#pop", behind)),
        (r'"(?:[^"\\\n]|\\.)*', Error),
        (words.NAME, _name, ("#pop", behind)),
        (r"[(\[]", Punctuation, ("#pop", behind, inside)),
        (rf"{_OPERATOR}", Operator, ("#pop", unfinished)),
        (r",", Punctuation, ("#pop", unfinished)),
        (r"[=%]", Operator),
        (r":", Punctuation),
    ]


def _behind(wanted: str, unfinished: str, inside: str) -> list:
    """Behind an operand."""
    return [
        (r"symmetric" + _WHOLE, Keyword),
        (rf"(?:{'|'.join(words.CLAUSES)}){_WHOLE}", Keyword, ("#pop", wanted)),
        (r"[(\[]", Punctuation, inside),
        (r"\.T\b", Operator),
        (_OPERATOR, Operator, ("#pop", unfinished)),
        (r",", Punctuation, ("#pop", unfinished)),
        (r"=", Operator, ("#pop", wanted)),
        (r"%", Operator),
        (r":", Punctuation),
        default(("#pop", wanted)),
    ]


_ENDS = [include("blank"), (r"\r?\n", Whitespace, "#pop"), (r";", Punctuation, "#pop"), (r"(?=\})", Whitespace, "#pop"), (r"[)\]]", Error)]
_GOES_ON = [include("blank"), (_RECOVERY, Whitespace, "#pop"), (r"\r?\n", Whitespace), (r"(?=[;}])", Whitespace, "#pop")]
_BRACES = [include("blank"), (_RECOVERY, Whitespace, "#pop"), (r"\r?\n|;", Whitespace), (r"\}", Punctuation, "#pop")]


def _statement(prefix: str, operand: list, behind: list) -> dict[str, list]:
    """The states of a statement, with the words that only its kind knows."""
    wanted, unfinished, after = f"{prefix} operand", f"{prefix} unfinished", f"{prefix} behind"
    common = _operand(after, unfinished, "bracket operand")
    return {
        wanted: [*_ENDS, *operand, *common],
        unfinished: [*_GOES_ON, (r"[)\]]", Error), *operand, *common],
        after: [*_ENDS, *behind, *_behind(wanted, unfinished, "bracket operand")],
    }


def _enclosed(prefix: str, ends: list) -> dict[str, list]:
    """The states of what is in brackets or in braces, where a newline is always a blank."""
    wanted, after = f"{prefix} operand", f"{prefix} behind"
    ends = [*ends, (r"\{", Punctuation, "set operand")]
    return {wanted: [*ends, *_operand(after, wanted, "bracket operand")], after: [*ends, *_behind(wanted, wanted, "bracket operand")]}


def _beginning(prefix: str, kinds: tuple) -> list:
    """The keywords that begin a statement."""
    return [(f"(?:{'|'.join(spelled)}){follows}", _KINDS.get(kind, Keyword), _NEXT.get(kind, f"{prefix} operand")) for kind, spelled, follows in kinds]


class GraphLexer(RegexLexer):
    """For programs of graphlang.

    `names`: variables that are defined elsewhere, in a session or an included file. Whether `dJ/dx` is a derivative
    depends on what is defined; in a text that defines nothing, such as a lone claim, it is taken for one.
    """

    name = "graphlang"
    aliases = ["graphlang", "graph"]
    filenames = ["*.graph"]
    mimetypes = ["text/x-graphlang"]
    priority = 0.005  # before the lexer of Roboconf, which has *.graph too

    tokens = {
        "blank": [(r"[ \t]+|\A\ufeff", Whitespace), (r"#[^\n]*", Comment.Single)],
        "begin": [include("blank"), (r"\r?\n", Whitespace), (r";", Punctuation)],
        "root": [include("begin"), (r"\}", Error), *_beginning("statement", words.STATEMENTS), default("statement operand")],
        "layout": [include("blank"), (rf"(?:{'|'.join(words.LAYOUTS)}){_WHOLE}", Keyword.Constant, ("#pop", "statement behind")), default("#pop")],
        **_statement("statement", [], []),
        **_enclosed("bracket", [*_GOES_ON, (r"[)\]]", Punctuation, "#pop")]),
        **_enclosed("set", [*_BRACES, (r"[)\]]", Error)]),  # `vary x in {1.5, 2, 2.5}`

        "train head": [include("blank"), (r"\{", Punctuation, ("#pop", "train")), default("#pop")],
        "train": [include("begin"), (r"\}", Punctuation, "#pop"), (rf"{words.NAME}(?=[ \t]*:)", _entry, "train behind"), default("train operand")],
        **_statement("train", [(rf"(?:{'|'.join(words.SWITCHES)})\b{_END}", Keyword.Constant, ("#pop", "train behind"))], []),

        "block head": [include("blank"), (words.NAME, Name.Label), (words.STRING, String), (r"\{", Punctuation, ("#pop", "block")), default("#pop")],
        "block": [include("begin"), (r"\}", Punctuation, "#pop"),
                  *_beginning("block", tuple(row for row in words.STATEMENTS if row[0] not in ("TRAIN", "QUIZ", "EXAM"))),
                  (rf"(?:{'|'.join(words.QUIZ)})\b{_LATER}", Keyword, "block operand"), default("block operand")],
        **_statement("block",
                     [(r'"(?=(?:[^"\\\n]|\\.)*")', String, ("#pop", "block behind", "prose")),
                      (rf"(?:{'|'.join(words.QUIZ_CHOICES)})\b(?={_END}|[ \t]+because\b)", Keyword.Constant, ("#pop", "block behind")),
                      (r"variants(?=[ \t]+[0-9])", Keyword),
                      (r"\{", Punctuation, "set operand")],
                     [(rf"(?:{'|'.join(words.QUIZ_CLAUSES)}){_WHOLE}", Keyword, ("#pop", "block operand")),
                      (rf"(?:{'|'.join(words.QUIZ_UNITS)}){_WHOLE}", Keyword),
                      (r"\{", Punctuation, "block")]),
        "prose": [(r'"', String, "#pop"), (r'\{[^{}"\\\n]*\}|`[^`"\\\n]*`', String.Interpol), (r"\\.", String.Escape), (r'[^"\\{`\n]+|[{`]', String)],
    }  # fmt: skip

    def __init__(self, names=(), **options):
        super().__init__(**options)
        self._extra = names
        self._defined: tuple[str, frozenset[str]] = ("", frozenset())  # of the last text
        self._elsewhere = False

    def analyse_text(text: str) -> float:  # Pygments makes a static method of it
        """Some lines are like no other language's; the rest stays below plain text, which is 0.01."""
        return 0.1 if _TYPICAL(text) else 0.005

    def get_tokens_unprocessed(self, text: str, stack=("root",)) -> Iterator[tuple]:
        return (token for token in super().get_tokens_unprocessed(text, stack) if token[2])

    def defined(self, text: str) -> frozenset[str]:
        """The names that a text defines, in their canonical spelling, and those from elsewhere."""
        from graphlang.syntax.lexing import known_names

        if self._defined[0] is not text:
            self._defined = text, frozenset(known_names(text)).union(map(_plain, self._extra))
            self._elsewhere = bool(_ELSEWHERE(text))
        return self._defined[1]

    def is_derivative(self, text: str, quotient: str) -> bool:
        if quotient[0] == "∂":
            return True
        names = self.defined(text)
        halves = quotient.split("/")
        if any(_plain(half) in names for half in halves):
            return False
        return not names or self._elsewhere or all(_plain(half[1:]) in names for half in halves)


def _plain(name: str) -> str:
    from graphlang.syntax.names import NotAName, canonical

    try:
        return canonical(name)
    except NotAName:
        return ""
