"""The TextMate grammar, which VS Code, Sublime Text, GitHub and others read.

Its patterns are applied line by line. Oniguruma runs them in editors, but all of them are in what it shares with Python's `re`,
so that a test can walk programs with them. A word such as `for` is a keyword behind an operand only: each operand
takes such a word behind it along (`_taking`). An unclosed bracket ends where a line begins like a statement.
"""

from __future__ import annotations

from typing import Any

WHOLE = r"(?![\w\u0300-\u036f])"
ROLES = {"ROLE", "DIM", "OPAQUE"}
BLOCKS = {"TRAIN", "QUIZ", "EXAM"}


def grammar(words) -> dict[str, Any]:
    """`words`: see editors.Words."""
    clauses = "|".join(words.CLAUSES)
    quiz_clauses = "|".join((clauses, *words.QUIZ_CLAUSES, "marks?[ \\t]+each", *words.QUIZ_UNITS))
    return {
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "name": "graphlang",
        "scopeName": "source.graph",
        "fileTypes": ["graph"],
        "patterns": [_include("train"), _include("quiz"), _include("statement"), _include("expression")],
        "repository": {
            "comment": {"match": r"#.*", "name": "comment.line.number-sign.graph"},
            "statement": {"patterns": _statements(words, "(?:^\ufeff?|(?<=;))")},
            "expression": {"patterns": [_include("comment"), *_operands(words, clauses, "bracket")]},
            "bracket": {"patterns": [*_brackets(words, clauses)]},
            "train": _train(words),
            "quiz": _quiz(words),
            "quiz-block": {
                "begin": r"\{", "end": r"\}", "beginCaptures": _named("punctuation.section.braces.graph"), "endCaptures": _named("punctuation.section.braces.graph"),
                "patterns": [_include("quiz-line")],
            },
            "quiz-line": {"patterns": [_include("quiz-block"), *_quiz_words(words, quiz_clauses), *_statements(words, "(?:^|(?<=[{;]))"), _include("comment"),
                                       _include("prose"), *_operands(words, quiz_clauses, "quiz-bracket")]},
            "quiz-bracket": {"patterns": [*_brackets(words, quiz_clauses)]},
            "prose": {
                "begin": r'"(?=(?:[^"\\]|\\.)*")', "end": rf'"{_taking(quiz_clauses)}', "name": "string.quoted.double.graph", "endCaptures": _clause(1),
                "patterns": [{"match": r"\{[^{}\"\\]*\}|`[^`\"\\]*`", "name": "meta.interpolation.graph"}, {"match": r"\\.", "name": "constant.character.escape.graph"}],
            },
        },
    }  # fmt: skip


def _include(name: str) -> dict[str, str]:
    return {"include": f"#{name}"}


def _named(*scopes: str, first: int = 0) -> dict[str, dict[str, str]]:
    return {str(n): {"name": scope} for n, scope in enumerate(scopes, first) if scope}


def _clause(group: int) -> dict[str, dict[str, str]]:
    return {str(group): {"name": "keyword.other.clause.graph"}}


def _taking(clauses: str) -> str:
    """What an operand takes along: a keyword behind it."""
    return rf"(?:[ \t]*({clauses}){WHOLE})?"


def _statements(words, begin: str) -> list[dict[str, Any]]:
    made = [{"match": rf"{begin}[ \t]*(layout)[ \t]+({'|'.join(words.LAYOUTS)}){WHOLE}", "captures": _named("keyword.control.graph", "constant.language.layout.graph", first=1)}]
    for kind, spelled, follows in words.STATEMENTS:
        if kind not in BLOCKS:
            scope = "storage.type.graph" if kind in ROLES else "keyword.control.include.graph" if kind == "INCLUDE" else "keyword.control.graph"
            made.append({"match": rf"{begin}[ \t]*({'|'.join(spelled)}){follows}", "captures": _named(scope, first=1)})
    return made


def _operands(words, clauses: str, bracket: str) -> list[dict[str, Any]]:
    """What expressions are made of. The order decides between patterns that match at the same place."""
    taking = _taking(clauses)

    def operand(pattern: str, scope: str) -> dict[str, Any]:
        return {"match": f"({pattern}){taking}", "captures": {**_named(scope, first=1), **_clause(2)}}

    return [
        operand(words.STRING.replace(r"\n", ""), "string.quoted.double.graph"),
        {"match": r'"(?:[^"\\]|\\.)*$', "name": "invalid.illegal.unclosed-string.graph"},
        operand(words.DERIVATIVE, "variable.other.derivative.graph"),
        {"match": words.COEFFICIENT, "name": "constant.numeric.graph"},
        operand(words.NUMBER, "constant.numeric.graph"),
        {"match": rf"(?:{'|'.join(sorted(words.FUNCTIONS))})(?=[ \t]*\()", "name": "support.function.graph"},
        {"match": rf"{words.NAME}(?=[ \t]*\()", "name": "entity.name.function.graph"},
        operand(rf"(?:{'|'.join(c for c in words.CONSTANTS if c != 'e')}){WHOLE}", "constant.language.graph"),  # `e` may be the program's own
        operand(words.NAME, "variable.other.graph"),
        *({"begin": rf"\{opening}", "end": rf"(\{closing}){taking}|{_recovery(words)}", "beginCaptures": _named(f"punctuation.section.{kind}.begin.graph"),
           "endCaptures": {**_named(f"punctuation.section.{kind}.end.graph", first=1), **_clause(2)}, "patterns": [_include(bracket)]}
          for opening, closing, kind in (("(", ")", "parens"), ("[", "]", "brackets"))),
        operand(r"\.T" + WHOLE, "keyword.operator.transpose.graph"),
        operand("%", "keyword.operator.percent.graph"),
        {"match": r"\.\.", "name": "keyword.operator.range.graph"},
        {"match": r"[<>=!]=|[<>]", "name": "keyword.operator.comparison.graph"},
        {"match": r"\*\*|[-+*/^@−·×⋅]", "name": "keyword.operator.arithmetic.graph"},
        {"match": r"=", "name": "keyword.operator.assignment.graph"},
        {"match": r"[,;:]", "name": "punctuation.separator.graph"},
    ]  # fmt: skip


def _brackets(words, clauses: str) -> list[dict[str, Any]]:
    """In brackets a line may begin with what belongs to the operand above it."""
    return [{"match": rf"^[ \t]*({clauses})(?=[ \t]+{words.NAME})", "captures": _clause(1)}, _include("comment"),
            *_operands(words, clauses, "quiz-bracket" if "because" in clauses else "bracket")]  # fmt: skip


def _recovery(words) -> str:
    lines = "|".join(f"(?:{'|'.join(spelled)}){follows}" for _, spelled, follows in words.STATEMENTS)
    return rf"(?=^[ \t]*(?:{lines})(?![ \t]+(?:for|within)\b))|(?=^{words.NAME}(?:\[[^\]]*\])?[ \t]*=(?!=))"


def _train(words) -> dict[str, Any]:
    end = r"(?=[ \t]*(?:[#;}]|$))"
    return {
        "begin": r"(?:^|(?<=;))[ \t]*(train)[ \t]*(\{)", "end": r"\}", "beginCaptures": _named("keyword.control.graph", "punctuation.section.braces.graph", first=1),
        "endCaptures": _named("punctuation.section.braces.graph"),
        "patterns": [
            {"match": rf"(?:^|(?<=[{{;]))[ \t]*({'|'.join(words.TRAIN)})(?=[ \t]*:)", "captures": _named("keyword.other.entry.graph", first=1)},
            {"match": rf"(?:^|(?<=[{{;]))[ \t]*({words.NAME})(?=[ \t]*:)", "captures": _named("entity.other.attribute-name.graph", first=1)},
            {"match": rf"(?:{'|'.join(words.SWITCHES)}){WHOLE}{end}", "name": "constant.language.switch.graph"},
            _include("expression"),
        ],
    }  # fmt: skip


def _quiz(words) -> dict[str, Any]:
    string = words.STRING.replace(r"\n", "")
    return {
        "begin": rf"(?:^|(?<=;))[ \t]*(?:(quiz)[ \t]+({words.NAME})(?:[ \t]*({string}))?|(exam)[ \t]*({string}))[ \t]*(\{{)", "end": r"\}",
        "beginCaptures": _named("keyword.control.graph", "entity.name.section.graph", "string.quoted.double.graph", "keyword.control.graph", "string.quoted.double.graph",
                                "punctuation.section.braces.graph", first=1),
        "endCaptures": _named("punctuation.section.braces.graph"),
        "patterns": [_include("quiz-line")],
    }  # fmt: skip


def _quiz_words(words, clauses: str) -> list[dict[str, Any]]:
    begin = r"(?:^|(?<=[{;]))[ \t]*"
    choice = rf"({'|'.join(words.QUIZ_CHOICES)}){WHOLE}(?=[ \t]*(?:[#;}}]|because|$)){_taking(clauses)}"
    return [
        {"match": rf"{begin}(answer|wrong)[ \t]+{choice}", "captures": {**_named("keyword.control.graph", "constant.language.option.graph", first=1), **_clause(3)}},
        {"match": rf"{begin}({'|'.join(words.QUIZ)})(?=[ \t]+[\w\"(\[.∂−-])", "captures": _named("keyword.control.graph", first=1)},
        {"match": r"variants(?=[ \t]+[0-9])", "name": "keyword.other.clause.graph"},
    ]
