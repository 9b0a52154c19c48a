"""Pieces of prose for each target: what an author wrote always comes out as text, formulas from their syntax trees.

    html      HTML, formulas as LaTeX between `\\(` and `\\)`, as MathJax reads it
    mathml    the same, formulas as MathML
    text      for a terminal
    typst, latex_document, markdown    for papers

Each takes the `Prose` of a sheet, which knows the names that its formulas are written with, and the pieces. The result of the first two is XML too.
"""

from __future__ import annotations

import re
from html import escape
from typing import Callable, Collection, Iterable, Mapping

from graphlang.diagnostics import NOWHERE
from graphlang.graph.graph import Variable
from graphlang.quiz.mathml import mathml as mathml_of
from graphlang.quiz.model import Formula, Piece, Sheet, Value, Words
from graphlang.show.latex import LATEX
from graphlang.show.notation import Notation
from graphlang.show.typeset import Typesetter
from graphlang.show.typst import TYPST
from graphlang.syntax import ast
from graphlang.syntax.format import format_expr, style_for
from graphlang.syntax.names import GREEK
from graphlang.syntax.pretty import Names

# What no XML may hold, and the controls of direction that would turn the text after them around. The marks of a right-to-left script are text.
HARMFUL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
BLANKS = re.compile(r"[\t\n\x0b\x0c\r\x85\u2028\u2029]+")
CODE = re.compile("`([^`]+)`")
MATHS = re.compile(r"[\\$]|(?<=@)@")  # what begins a formula or a file's address for the filters of learning platforms


class Prose:
    """The symbols of the formulas of one sheet."""

    def __init__(self, names: Collection[str], variables: Mapping[str, Variable] = {}, numerator: bool = False):
        self.names, self.variables, self.numerator = frozenset(names), variables, numerator
        self.setters: dict[str, Typesetter] = {}

    def formula(self, value: ast.Expr, notation: Notation) -> str:
        setter = self.setters.get(notation.begin)
        if setter is None:
            setter = self.setters[notation.begin] = Typesetter(notation, self.names, self.variables, self.numerator)
        return setter.formula(value)


def prose_of(sheet: Sheet) -> Prose:
    return Prose(sheet.variables or names_in(sheet), sheet.variables, sheet.numerator)


def names_in(sheet: Sheet) -> set[str]:
    """The names that occur in the formulas of a sheet."""
    found: set[str] = set()
    for value in formulas_of(sheet):
        for node in ast.postorder(value):
            match node:
                case ast.Name(name, _):
                    found.add(name)
                case ast.Deriv(of, wrt, _, _):
                    found |= {of, wrt}
    return found


def formulas_of(sheet: Sheet) -> Iterable[ast.Expr]:
    lines = [*sheet.program, *sheet.solution]
    for part in sheet.parts:
        yield from (b.shown for b in part.blanks)
        lines.append(part.text)
        lines += [cell.pieces for row in part.rows for cell in row.cells]
        lines += [option.text for option in part.choice.options] if part.choice else []
    yield from (piece.value for line in lines for piece in line if type(piece) is Formula)


# ---- words and numbers


def plain(text: str) -> str:
    """A text on one line, without characters that harm what is around them."""
    return HARMFUL.sub("\ufffd", BLANKS.sub(" ", text))


def words(text: str) -> str:
    """A text in HTML. What a filter would take for the beginning of a formula has an element of its own: a formula cannot begin in one and end in another."""
    return MATHS.sub(lambda m: f"<span>{m[0]}</span>", escape(plain(text), quote=False))


def told(message: str, say: Callable[[str], str], code: Callable[[str], str]) -> str:
    """What is told about an answer, as a target writes words, and code: what stands between backticks. A backtick without a second one is a sign."""
    return "".join((code if k % 2 else say)(piece) for k, piece in enumerate(CODE.split(message)) if piece)


def number(text: str) -> ast.Expr:
    """A printed number as an expression."""
    value = ast.Num(abs(float(text)), text.lstrip("-+"), NOWHERE)
    return ast.Op("neg", (value,), NOWHERE) if text.startswith("-") else value


# ---- targets


def latex(prose: Prose, value: ast.Expr) -> str:
    return prose.formula(value, LATEX)


def html(prose: Prose, pieces: Iterable[Piece]) -> str:
    return written(pieces, lambda value: rf"\({escape(latex(prose, value), quote=False)}\)")


def mathml(prose: Prose, pieces: Iterable[Piece]) -> str:
    return written(pieces, lambda value: mathml_of(latex(prose, value)))


def written(pieces: Iterable[Piece], formula: Callable[[ast.Expr], str]) -> str:
    """HTML, with formulas as a target writes them."""
    out = []
    for piece in pieces:
        match piece:
            case Words(text):
                out.append(words(text))
            case Value(text) if re.search("[eE]", text):
                out.append(formula(number(text)))
            case Value(text):
                out.append(words(text.replace("-", "−")))
            case Formula(value):
                out.append(formula(value))
    return "".join(out)


def text(prose: Prose, pieces: Iterable[Piece], ascii: bool = False) -> str:
    style = style_for(Names(prose.names, ascii))
    return "".join(format_expr(p.value, style) if type(p) is Formula else plain(p.text) for p in pieces)


# ---- papers


LATEX_SIGNS = {"\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_", "^": r"\textasciicircum{}",
               "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}", "`": r"\textasciigrave{}",
               "[": "{[}", "]": "{]}", "−": r"\ensuremath{-}", "…": r"\dots{}", "\ufffd": "?"}
LATEX_SIGNS |= {c: rf"\ensuremath{{\{name}}}" for c, name in zip("∂→≤≥≠≈∞∑∏√⊤⊙", "partial to le ge ne approx infty sum prod surd top odot".split())}
LATEX_SIGNS |= {glyph: rf"\ensuremath{{\{name}}}" for name, glyph in GREEK.items() if name != "omicron"}
LIGATURES = re.compile(r"(?<=[-',])(?=[-',])")  # `--` would become one dash
# What CommonMark, and what GitHub and Pandoc make of it, could take for more than a sign; and what means something at the beginning of a line.
MARKDOWN_SIGNS = re.compile(r"[\\`*_{}\[\]<>#|~$&^@]|:(?=\S)|(?<=www)\.", re.IGNORECASE)
BEGINS = re.compile(r"(?:\d+(?=[.)](?:\s|$)))?(?=[-+=.)])")


def typst(prose: Prose, pieces: Iterable[Piece]) -> str:
    """The inside of a content block. Words are string literals, in which only a quote and a backslash mean anything; `f`, of exports/paper.typ, has a
    formula and what is read out for it."""
    out = []
    for piece in pieces:
        match piece:
            case Value(shown) if re.search("[eE]", shown):
                out.append(f"#f({typst_string(shown)}, ${prose.formula(number(shown), TYPST)}$);")
            case Formula(value):
                out.append(f"#f({typst_string(text(prose, [piece], ascii=True))}, ${prose.formula(value, TYPST)}$);")
            case _:
                out.append(f"#{typst_string(_shown(piece))};")
    return "".join(out)


def typst_told(message: str) -> str:
    """The inside of a content block for what is told about an answer; `mono` is of exports/paper.typ."""
    return told(message, lambda words: f"#{typst_string(words)};", lambda code: f"#mono({typst_string(code)});")


def typst_string(words: str) -> str:
    return '"' + plain(words).replace("\\", "\\\\").replace('"', '\\"') + '"'


def latex_document(prose: Prose, pieces: Iterable[Piece]) -> str:
    """LaTeX of a document of its own, every sign of an author as itself."""
    out = []
    for piece in pieces:
        match piece:
            case Value(shown):
                out.append(f"${prose.formula(number(shown), LATEX)}$")
            case Formula(value):
                out.append(f"${latex(prose, value)}$")
            case Words(words):
                out.append(latex_words(words))
    return "".join(out)


def latex_words(text: str) -> str:
    return "{}".join("".join(LATEX_SIGNS.get(c, c) for c in run) for run in LIGATURES.split(plain(text)))


def latex_told(message: str) -> str:
    return told(message, latex_words, lambda code: rf"\texttt{{{latex_words(code)}}}")


def markdown(prose: Prose, pieces: Iterable[Piece]) -> str:
    """CommonMark, formulas between dollars as GitHub, Pandoc and Jupyter read them."""
    out = []
    for piece in pieces:
        match piece:
            case Value(shown) if re.search("[eE]", shown):
                out.append(f"${prose.formula(number(shown), LATEX)}$")
            case Formula(value):
                out.append("$" + latex(prose, value).replace("|", r"\vert ") + "$")  # a bar would end a cell of a table
            case _:
                out.append(_inline(_shown(piece)))
    return _begun("".join(out))


def markdown_words(text: str) -> str:
    """Every sign that could mean something has a backslash before it."""
    return _begun(_inline(text))


def markdown_told(message: str) -> str:
    return _begun(told(message, _inline, lambda code: f"`{plain(code)}`"))


def _inline(text: str) -> str:
    return MARKDOWN_SIGNS.sub(lambda m: "\\" + m[0], plain(text))


def _begun(line: str) -> str:
    """A line that begins no list and underlines no heading."""
    line = line.strip()  # blanks at an end are a line break
    m = BEGINS.match(line)
    return line[:m.end()] + "\\" + line[m.end():] if m else line


def _shown(piece: Words | Value) -> str:
    return piece.text.replace("-", "−") if type(piece) is Value else piece.text
