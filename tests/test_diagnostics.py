"""Diagnostics as a person, a log and a program read them: whole rendered messages."""

import io
import json

import pytest
from rich.console import Console

from graphlang.diagnostics import NOWHERE, Diagnostic, GraphError, Label, Source, Span
from graphlang.pipeline import loads
from graphlang.show.console import breadth
from graphlang.show.diagnostics import paint, short
from graphlang.show.records import as_json


def painted(diagnostics, source, width=100, encoding=None):
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding or "utf-8", newline="")
    paint(diagnostics, source, Console(file=file, width=width))
    file.flush()
    return raw.getvalue().decode(encoding or "utf-8")


def at(text, part, start=0):
    k = text.index(part, start)
    return Span(k, k + len(part))


def test_a_message_has_both_places_and_a_hint():
    with pytest.raises(GraphError) as e:
        loads("u1 = sin(t)\ninput t = 2\nJ = u2 + ul\nu2 = 3t\n", "a.graph").run()
    assert painted(e.value.diagnostics, e.value.source) == """\
error[E101]: `ul` is not defined
 ╭─ a.graph:3:10
1 │ u1 = sin(t)
  │ -- `u1` is defined here
3 │ J = u2 + ul
  │          ^^ no variable has this name
  = help: did you mean `u1`?
"""


def test_a_run_time_error_shows_the_operands():
    with pytest.raises(GraphError) as e:
        loads("y = log(x)\ninput x = -1\n", "a.graph").run()
    assert painted(e.value.diagnostics, e.value.source) == """\
error[E501]: `y` has no finite value: the logarithm of a negative number is not defined
 ╭─ a.graph:1:1
1 │ y = log(x)
  │ ^^^^^^^^^^ log(-1)
  = note: x = -1, an input (line 2)
  = help: `--ieee` carries inf and nan on instead of stopping
"""


def test_several_mistakes_are_several_messages():
    text = "a = b\nc = d\n"
    found = [Diagnostic("E101", f"`{n}` is not defined", at(text, n)) for n in "bd"]
    assert painted(found, Source("a.graph", text)) == """\
error[E101]: `b` is not defined
 ╭─ a.graph:1:5
1 │ a = b
  │     ^

error[E101]: `d` is not defined
 ╭─ a.graph:2:5
2 │ c = d
  │     ^
"""


def test_two_places_on_one_line_stand_under_it():
    text = "J = (x + [y)\n"
    d = Diagnostic("E003", "`)` closes `[`", at(text, ")"), "closed here", (Label(at(text, "["), "opened here"),))
    assert painted([d], Source("a.graph", text)) == """\
error[E003]: `)` closes `[`
 ╭─ a.graph:1:12
1 │ J = (x + [y)
  │          - opened here
  │            ^ closed here
"""


def test_line_numbers_are_aligned():
    text = "x\n" * 8 + "abc\nabd\n"
    d = Diagnostic("W001", "odd", at(text, "abd"), "here", (Label(at(text, "abc"), "and here"),), severity="warning")
    assert painted([d], Source("a.graph", text)) == """\
warning[W001]: odd
  ╭─ a.graph:10:1
 9 │ abc
   │ --- and here
10 │ abd
   │ ^^^ here
"""


def test_tabs_and_wide_characters_are_aligned():
    text = 'a\t= "日本"\tq\n'
    d = Diagnostic("E101", "`q` is not defined", at(text, "q"), "here", (Label(at(text, "日本"), "a string"),))
    assert painted([d], Source("a.graph", text)) == """\
error[E101]: `q` is not defined
 ╭─ a.graph:1:10
1 │ a   = "日本"    q
  │        ---- a string
  │                 ^ here
"""


def test_a_span_over_several_lines_shows_its_first():
    text = "J = (x +\n  y +\n  z)\n"
    d = Diagnostic("E001", "too large", Span(4, len(text) - 1), "all of it")
    assert painted([d], Source("a.graph", text)) == """\
error[E001]: too large
 ╭─ a.graph:1:5
1 │ J = (x +
  │     ^^^^ all of it (to line 3)
"""


def test_an_empty_span_and_the_end_of_the_text_have_a_caret():
    text = "J = x +"
    d = Diagnostic("E010", "an operand is missing", Span(7, 7), "here")
    assert painted([d], Source("a.graph", text)) == """\
error[E010]: an operand is missing
 ╭─ a.graph:1:8
1 │ J = x +
  │        ^ here
"""
    assert "^" in painted([Diagnostic("E010", "nothing", Span(8, 8))], Source("a.graph", "J = x +\n"))


@pytest.mark.parametrize("width", [40, 60, 100])
@pytest.mark.parametrize("name", ["x1*", "x77", "x149"])
def test_a_long_line_is_cut_around_the_span(width, name):
    text = "J = " + " + ".join(f"x{k}*2" for k in range(150)) + "\n"
    d = Diagnostic("E101", "not defined", at(text, name), "here")
    lines = painted([d], Source("a.graph", text), width).splitlines()
    shown, marks = lines[2][4:], lines[3][4:]
    assert breadth(lines[2]) <= width
    assert shown[marks.index("^") :].startswith(name) and marks.count("^") == len(name)
    assert shown.startswith("…") == (name != "x1*") and shown.endswith("…") == (name != "x149")


def test_two_distant_places_of_a_long_line_are_both_shown():
    text = "J = " + " + ".join(f"x{k}*2" for k in range(150)) + "\n"
    d = Diagnostic("E101", "odd", at(text, "x140"), "here", (Label(at(text, "x3*"), "and here"),))
    out = painted([d], Source("a.graph", text), 60)
    assert "x3*" in out and "x140" in out and out.count("\n1 │ ") == 2


def test_without_a_place_there_is_only_the_message():
    d = Diagnostic("E401", "`x` has no value", None, hints=("graphlang run a.graph --set x=1",), notes=("it is an input",))
    whole = "error[E401]: `x` has no value\n{}  = note: it is an input\n  = help: graphlang run a.graph --set x=1\n"
    assert painted([d], None) == whole.format("")
    assert painted([d], Source("a.graph", "input x\n")) == whole.format(" ╭─ a.graph\n")
    assert short([d], None) == ["error[E401]: `x` has no value"]
    assert short([Diagnostic("E001", "m", NOWHERE)], Source("a.graph", "x")) == ["a.graph: error[E001]: m"]


def test_an_encoding_without_boxes_gets_ascii():
    text = "J = α → ul\n"
    d = Diagnostic("E101", "`α` → `ul`", at(text, "ul"), "here")
    assert painted([d], Source("a.graph", text), encoding="ascii") == """\
error[E101]: `\\u03b1` -> `ul`
 --> a.graph:1:9
1 | J = ? ? ul
  |         ^^ here
"""


def test_what_a_file_supplies_is_inert():
    text = "J = \x1b[31m[red]x[/red]\u202e + z[j]\n"
    d = Diagnostic("E101", "[bold]`\x1b[2J`[/bold]", at(text, "z[j]"), "[link]")
    out = painted([d], Source("[red]\u202e.graph", text))
    assert "\x1b" not in out and "\u202e" not in out
    assert "[bold]`\ufffd[2J`[/bold]" in out and "[red]x[/red]" in out and "^^^^ [link]" in out
    assert "\x1b" not in short([d], Source("[red]\u202e.graph", text))[0]


def test_at_most_twenty_are_shown():
    text = "x\n"
    found = [Diagnostic("W001", f"m{k}", Span(0, 1), severity="warning") for k in range(3)]
    found += [Diagnostic("E001", f"m{k}", Span(0, 1)) for k in range(20)]
    out = painted(found, Source("a.graph", text))
    assert out.count("error[E001]") == 20 and "warning" not in out and out.endswith("\nand 3 more\n")
    assert short(found, Source("a.graph", text))[-1] == "and 3 more" and len(short(found, Source("a.graph", text))) == 21
    assert "more" not in painted(found[:20], Source("a.graph", text))


def test_short_is_one_line_each():
    text = "u1 = 1\nJ = u1 + ul\n"
    found = [Diagnostic("E101", "`ul` is not\ndefined", at(text, "ul")), Diagnostic("W002", "odd", at(text, "u1"), severity="warning")]
    assert short(found, Source("dir/a.graph", text)) == [
        "dir/a.graph:2:10: error[E101]: `ul` is not\ufffddefined", "dir/a.graph:1:1: warning[W002]: odd"]  # fmt: skip


def test_json_counts_columns_from_one():
    text = "u1 = 1\nJ = u1 + ul\n"
    found = [Diagnostic("E101", "m", at(text, "ul"), "t", hints=("h",)), Diagnostic("E401", "n")]
    out = as_json(found, Source("a.graph", text))
    assert out == [
        {"code": "E101", "severity": "error", "message": "m", "line": 2, "column": 10, "end_line": 2, "end_column": 12, "hints": ["h"]},
        {"code": "E401", "severity": "error", "message": "n", "line": None, "column": None, "end_line": None, "end_column": None, "hints": []},
    ]
    assert json.loads(json.dumps(out)) == out


def test_colour_is_only_for_a_terminal(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    d, source = Diagnostic("E101", "m", Span(0, 1), "t"), Source("a.graph", "x\n")
    file = io.StringIO()
    paint([d], source, Console(file=file, force_terminal=True, color_system="standard", width=80))
    assert "\x1b[1;31merror[E101]\x1b[0m" in file.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    file = io.StringIO()
    paint([d], source, Console(file=file, force_terminal=True, color_system="standard", width=80))
    assert "31m" not in file.getvalue()
