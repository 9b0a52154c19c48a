"""Colours: the Pygments lexer agrees with the parser on what a word is; editors' files have the words of the language."""

import json
import re
import shutil
import subprocess
import sys
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

pytest.importorskip("pygments")

from pygments.token import Comment, Error, Keyword, Name, Number, Operator, Punctuation, String  # noqa: E402

from graphlang.highlight.lexer import GraphLexer  # noqa: E402
from graphlang.syntax import lalr, parser  # noqa: E402
from textmate_walk import scopes  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tools"))
import editors  # noqa: E402

EDITORS = ROOT / "docs/editors"
PROGRAMS = {str(p.relative_to(ROOT / "programs")): p.read_text(encoding="utf-8") for p in sorted((ROOT / "programs").rglob("*.graph"))}
ON_PAGES = {f"{page.name} {n}": m[1] for page in sorted((ROOT / "docs").glob("*.md"))
            for n, m in enumerate(re.finditer(r"^```graph\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S))}  # fmt: skip

# Programs by the grammar, with words in places that a list of words would get wrong.
TRICKY = """\
data = 5
claim = 1; for = 2; input = claim + data
input data = 5, for = 3, in = 2
param   W[4, 3] = normal(0, 0.1) # input x
const symmetric = 2
input B[1..2, 1..2] symmetric = [[1, 2], [2, 1]]
y[for] = x[for] for for in in..3
y = sum(x[for]*for for for in 0..D, in in 1..2)
y = sum(x[i]
  for i in 0..D)
y = x +   # and so on
  data
y[j] = a[j] +
  within[j] for j in 1..3, k in 0..
    3
expect within = 2 within 1% for k
expect dJ/dx = 2 within 1e-6; J = 1; x = 2
expect (y) > 0 within wrt
claim -x^2 = diff(J, x, z) for j
claim ∂u/∂v = 3t
derivative sigma(v) = sigma(v)*(1 - sigma(v))
derivative f(a, b) wrt b = 2a
opaque h(x)[K], g(u)[M]
dim P, K
dim = 3
layout numerator
layout = numerator
minimize (J)
output y1, y2
output = output
set seed = 0
set = set + 3set
include "base.graph"
override J = claim
override input = 2
y = x.T @ B @ x + .5 - 2.T3 + 3t + 2(a + b)^2 + 2e1 + 3e2x + 1e-6
y = a/dist/duration; dist = 1; duration = 2
y = dist/duration^2 + delta/dot(x, y); dist = 3; elta = 2; delta = 1; uration = 1; duration = 4
y = dJ/dx + dx/dJ; J = 2; x = 2
y = dJ/dx; J = 2; x = 2; dx = 3
α̂ = β2 + x_α + dα/dβ; α = 2; β = 3
for̂ = x̂
input x̂ = 3, for̂ = 2
y = 3for + 2in
y = x
# input q
  input z = 2
y = f(x = 2, for = 3)
s = 1 == 2
y = [[1, 2], [3, 4]] ** 2 − 3 · 4 × 2 ⋅ 7
train { }
train {
  data: csv("train.csv"), x[1..M], ystar
  rate: 0.1 }
y = 2
"""
CASES = re.split(r"\n(?![ #]|\Z)", TRICKY)  # an indented line goes on with the case above it

BLOCKS = """\
quiz paths "Two paths to x" {
  vary x in {1.5, 2, 2.5}, z in 0.5..3 step 0.5
  require abs(dy/dx) < 2000
  a = x*z
  to = 3
  ask "At x = {x}, what is `dy/dx`?" {
    dy/dx to 2 decimals, 2 marks
    dy/dz exactly
  }
  fill backward {
    blank p, z
    to 3 figures, 1 mark each
    carry 0.75  # on one's own earlier value
  }
  choose "Which?" {
    answer 2*h @ x.T
    wrong  h @ x because "an outer } product"
    wrong  auto
  }
}
exam "Quiz 3" {
  use paths, variants 20
  minutes 20
}
train {
  data: csv("train.csv"), x[1..M], ystar
  shuffle: yes
  size: 3
}
input x = 2
"""

CLASSES = [(Keyword, "keyword"), (Number, "number"), (String, "string"), (Name.Variable, "derivative"), (Name, "name"), (Comment, "comment")]
OF_TERMINALS = {"NUMBER": "number", "COEF": "number", "STRING": "string", "DERIV": "derivative", "NAME": "name"}


def tokens(text: str, **options) -> list[tuple]:
    return list(GraphLexer(**options).get_tokens_unprocessed(text))


def coloured(text: str, **options) -> dict[int, tuple[str, str]]:
    """Where a token begins, what it is and how it reads; but for operators and blanks."""
    return {at: (what, piece) for at, kind, piece in tokens(text, **options) if (what := next((w for k, w in CLASSES if kind in k), ""))}


def parsed(text: str) -> tuple[dict[int, tuple[str, str]], lalr.Failure | None]:
    """The same by the parser, and where it gave up."""
    seen, stack, own = [], [], parser._parser()

    def kept(made):
        for token in made:
            seen.append(token)
            yield token

    own.lexer.begin(text)
    own.nodes.begin(text)
    end = lalr.run(own.tables, "program", stack, kept(own.lexer.tokens(own.tables, stack)))
    found = {t.start: (what, t.text) for t in seen if (what := OF_TERMINALS.get(t.kind) or ("keyword" if own.tables.words.get(t.text) and t.kind != "NAME" else ""))}
    return found, end if isinstance(end, lalr.Failure) else None


def in_blocks(text: str) -> range:
    """Where the block of a quiz or of `train` is in a case; there are words in there that the grammar takes for names."""
    return range(text.index("{"), text.rindex("}")) if "{" in text else range(0)


@pytest.mark.parametrize("text", [*PROGRAMS.values(), *CASES], ids=[*PROGRAMS, *CASES])
def test_the_lexer_agrees_with_the_parser(text):
    wanted, failure = parsed(text)
    assert failure is None
    got = coloured(text)
    skipped = in_blocks(text)
    assert {at: t for at, t in got.items() if t[0] != "comment" and at not in skipped} == {at: t for at, t in wanted.items() if at not in skipped}


WORDS = ["x", "J", "data", "input", "claim", "for", "in", "within", "wrt", "symmetric", "set", "layout", "numerator", "expect", "train", "override", "dim", "sum(", "(", ")",
         "[", "]", ",", "=", "+", "-", "2", "0..3", "3t", "1e-6", "dJ/dx", ".T", '"a"', "%", "<", "^", ";", "π", "x̂"]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=14).map(lambda found: "J = 1; x = 2; " + " ".join(found)))
def test_they_agree_up_to_where_a_line_stops_being_one(text):
    wanted, failure = parsed(text)
    # the token at which it fails, and the one before it, may be read otherwise: that is where it went wrong
    end = len(text) if failure is None else max((at for at in wanted if at < failure.offset), default=0)
    got = coloured(text)
    assert {at: t for at, t in got.items() if at < end} == {at: t for at, t in wanted.items() if at < end}


@settings(max_examples=400, deadline=None)
@given(st.text() | st.lists(st.sampled_from([*WORDS, *'{}#"\n;\r\t\\`', "quiz q {", "ask", "vary", "\n", "\ufeff"]) | st.text(max_size=3), max_size=40).map("".join))
def test_every_text_comes_back(text):
    found = tokens(text)
    assert "".join(piece for _, _, piece in found) == text
    assert [at for at, _, _ in found] == list(accumulate((len(p) for _, _, p in found), initial=0))[:-1]
    assert all(piece for _, _, piece in found)


@pytest.mark.parametrize("text", [*PROGRAMS.values(), *ON_PAGES.values(), BLOCKS], ids=[*PROGRAMS, *ON_PAGES, "blocks"])
def test_no_program_has_a_token_that_is_an_error(text):
    # a page shows some mistakes too: what can't begin any token
    assert [(at, piece) for at, kind, piece in tokens(text) if kind in Error and piece not in "²½"] == []
    assert "".join(piece for _, _, piece in tokens(text)) == text


def kinds(text: str, **options) -> dict[str, object]:
    return {piece: kind for _, kind, piece in tokens(text, **options)}


def test_a_function_is_one_before_a_bracket_only():
    found = kinds("y = sin (x) + sigma(x) + cos + pi")
    assert (found["sin"], found["sigma"], found["cos"], found["pi"]) == (Name.Builtin, Name.Function, Name, Name.Constant)


@pytest.mark.parametrize("text, what", [("y = e", Name.Constant), ("e = 2\ny = e", Name), ("param a, e = 2\ny = e", Name)])
def test_e_is_a_number_unless_the_program_defines_it(text, what):
    assert kinds(text)["e"] == what


@pytest.mark.parametrize("text, options, whole", [
    ("claim dJ/db = dJ/dw", {}, True), ("y = dist/db", {}, False), ("y = dist/db # quiz, include", {}, False), ('quiz q {\n J = b\n dJ/db\n}\nx = 2', {}, True), ('include "a.graph"\ny = dJ/db', {}, True), ("y = dJ/db", {"names": ("J", "b")}, True),
    ("db = dJ/db", {"names": ("J", "b")}, False), ("J = b\nb = 2\ny = dJ/db", {}, True),
])  # fmt: skip
def test_a_derivative_is_one_where_its_variables_are(text, options, whole):
    assert any(kind in Name.Variable for _, kind, _ in tokens(text, **options)) is whole


@pytest.mark.parametrize("line", ["y = sum(x[i]*(a", "y = f(a, [b", "y = x +", 'y = "x', "quiz q {", "y = (a,"])
def test_what_is_unfinished_does_not_take_the_next_statement_along(line):
    text = line + "\ninput x = 2\nz[1] = sin(x) for i in 0..2\n"
    found = [piece for _, kind, piece in tokens(text) if kind in Keyword and piece != "quiz"]
    assert found == ["input", "for", "in"]


def test_a_quiz_has_words_of_its_own():
    found = [piece for _, kind, piece in tokens(BLOCKS) if kind in Keyword]
    assert found == ("quiz vary in in step require ask to decimals marks exactly fill blank to figures mark each carry choose answer wrong because wrong auto "
                     "exam use variants minutes train data shuffle yes input").split()  # fmt: skip
    assert [p for _, k, p in tokens(BLOCKS) if k in String.Interpol] == ["{x}", "`dy/dx`"]
    assert kinds(BLOCKS)["size"] == Name.Attribute


def test_a_long_program_and_a_deep_one_take_no_long():
    text = "".join(f"x{k} = sin(x{k + 1}) + dJ/dx{k}*2\n" for k in range(3000)) + "y = " + "(" * 3000 + "x" + ")" * 3000
    assert len(tokens(text)) > 30_000


def test_pygments_finds_the_lexer_by_its_name():
    from pygments.lexers import load_lexer_from_file

    assert load_lexer_from_file(str(ROOT / "graphlang/highlight/lexer.py"), "GraphLexer").name == "graphlang"
    assert (GraphLexer.aliases, GraphLexer.filenames) == (["graphlang", "graph"], ["*.graph"])
    entries = re.search(r'\[project.entry-points."pygments.lexers"\]\n(.*)', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert entries[1] == 'graphlang = "graphlang.highlight.lexer:GraphLexer"'


def test_a_file_of_ours_is_not_taken_for_one_of_roboconf():
    from pygments.lexers import find_lexer_class
    other = find_lexer_class("Roboconf Graph")
    assert set(other.filenames) & set(GraphLexer.filenames) and GraphLexer.priority > other.priority
    for text, low, high in (("J = x^2", 0, 0.01), ("input x = 2", 0.05, 0.5), ("", 0, 0.01)):
        assert other.analyse_text(text) <= low < GraphLexer.analyse_text(text) < high


def test_the_lexer_is_cheap_to_import():
    code = "import sys; before = set(sys.modules); import graphlang.highlight.lexer; print(*(m for m in sys.modules if m.startswith('graphlang')))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"graphlang", "graphlang.highlight", "graphlang.highlight.lexer", "graphlang.highlight.words"}


# ---- what is written from the words


def test_the_words_are_those_of_the_grammar_and_the_tables():
    assert editors.stale() == [], "run `python tools/editors.py`"


GRAMMAR = json.loads((EDITORS / "graph.tmLanguage.json").read_text(encoding="utf-8"))

OF_SCOPES = {"storage": "keyword", "keyword.control": "keyword", "keyword.other": "keyword", "constant.language.layout": "keyword", "constant.language.option": "keyword",
             "constant.language.switch": "keyword", "support.function": "built-in", "entity.name.function": "function", "entity": "name", "constant.numeric": "number",
             "constant.language": "constant", "variable.other.derivative": "derivative", "variable": "name", "string": "string", "meta": "string", "constant.character": "string",
             "comment": "comment", "keyword.operator": "operator", "punctuation": "operator"}  # fmt: skip
OF_TYPES = [(Name.Builtin, "built-in"), (Name.Function, "function"), (Name.Constant, "constant"), *CLASSES, (Operator, "operator"), (Punctuation, "operator")]


def meaning(scope: str) -> str:
    return next((what for prefix, what in OF_SCOPES.items() if scope.startswith(prefix)), scope)


def test_the_patterns_of_the_grammar_compile_and_its_includes_lead_somewhere():
    rules = [GRAMMAR]
    for rule in rules:
        rules += [*rule.get("patterns", ()), *rule.get("repository", {}).values()]
        for key in ("match", "begin", "end"):
            re.compile(rule.get(key, ""))
        assert rule.get("include", "#statement")[1:] in GRAMMAR["repository"]
        assert ("begin" in rule) == ("end" in rule)
    assert len(rules) > 80


@pytest.mark.parametrize("text", [*PROGRAMS.values(), *(c for c in CASES if "dist" not in c and "dx = 3" not in c and "dx/dJ" not in c), BLOCKS], ids=lambda t: t[:30])
def test_the_grammar_of_editors_colours_as_the_lexer_does(text):
    got = [meaning(s) for s in scopes(GRAMMAR, text)]
    # `dJ/dx` and `e` depend on the program's names, which a grammar doesn't know
    wanted = [(next(w for k, w in OF_TYPES if kind in k) if piece.strip() else "", piece != "e") for _, kind, piece in tokens(text) for _ in piece]
    assert len(got) == len(wanted) == len(text)
    assert [(n, text[n:n + 10]) for n in range(len(text)) if not text[n].isspace() and got[n] != wanted[n][0] and wanted[n][1]] == []


def test_an_unclosed_bracket_does_not_take_the_rest_of_a_file_along():
    text = "y = sum(x[i]*(a\ninput x = 2\nz = [1,\nw = 3 for i\n"
    found = scopes(GRAMMAR, text)
    assert {word: meaning(found[text.index(word)]) for word in ("input", "for")} == {"input": "keyword", "for": "keyword"}


def test_the_extension_for_vs_code_is_whole():
    folder = EDITORS / "vscode"
    package = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    (language,), (grammar,) = package["contributes"]["languages"], package["contributes"]["grammars"]
    configuration = json.loads((folder / language["configuration"]).read_text(encoding="utf-8"))
    assert configuration["comments"] == {"lineComment": "#"} and ["(", ")"] in configuration["brackets"]
    assert language["extensions"] == GraphLexer.filenames[0][1:].split() and language["id"] == grammar["language"]
    assert json.loads((folder / grammar["path"]).read_text(encoding="utf-8"))["scopeName"] == grammar["scopeName"]
    assert (folder / package["main"]).is_file() and re.fullmatch(configuration["wordPattern"], "α̂_1")
    import graphlang

    assert package["version"] == graphlang.__version__


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
def test_the_extension_starts_the_language_server():
    """With stand-ins for the editor and its client."""
    code = """
    const Module = require("module"), load = Module._load, seen = {};
    Module._load = (name, ...rest) => name === "vscode" ? { workspace: { getConfiguration: () => ({ get: (key, other) => other }) }, window: {} }
      : name === "vscode-languageclient/node" ? { LanguageClient: class { constructor(id, title, server, client) { Object.assign(seen, { id, server, client }); }
          start() { seen.started = true; return Promise.resolve(); } stop() { seen.stopped = true; } } } : load(name, ...rest);
    const extension = require(process.argv[1]);
    Promise.resolve(extension.activate({ subscriptions: [] })).then(() => extension.deactivate()).then(() => console.log(JSON.stringify(seen)));
    """
    done = subprocess.run(["node", "-e", code, str(EDITORS / "vscode/extension.js")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert (seen["server"]["command"], seen["server"]["args"]) == ("graphlang", ["lsp"])
    assert seen["client"]["documentSelector"] == [{"scheme": "file", "language": "graphlang"}, {"scheme": "untitled", "language": "graphlang"}]
    assert seen["started"] and seen["stopped"]


@pytest.mark.skipif(not shutil.which("vim"), reason="vim is not installed")
def test_vim_knows_the_words(tmp_path):
    text = "input for = sin(2)\ny[j] = x[j]*dJ/dx   for j in 0..D # for\ndata = 5\n"
    (tmp_path / "a.graph").write_text(text, encoding="utf-8")
    places = {(1, 1): "graphRole", (1, 7): "graphFirst", (1, 13): "graphFunction", (1, 17): "graphNumber", (2, 1): "", (2, 13): "graphDerivative", (2, 21): "graphClause",
              (2, 27): "graphClause", (2, 30): "graphNumber", (2, 37): "graphComment", (3, 1): "", (3, 8): "graphNumber"}  # fmt: skip
    script = [f"set runtimepath^={EDITORS / 'vim'}", "syntax on", "edit a.graph", "set filetype=graph", "let found = []",
              *(f"call add(found, synIDattr(synID({line}, {column}, 1), 'name'))" for line, column in places), "call writefile(found, 'found')", "qall!"]  # fmt: skip
    (tmp_path / "script.vim").write_text("\n".join(script), encoding="utf-8")
    subprocess.run(["vim", "-es", "-u", "NONE", "-S", "script.vim"], cwd=tmp_path, capture_output=True, timeout=60)
    if not (tmp_path / "found").exists():
        pytest.skip("this vim has no syntax highlighting")
    assert dict(zip(places, (tmp_path / "found").read_text(encoding="utf-8").split("\n"))) == places
