"""Programs of several files: `include` and `override`, where files may be read, and places in other files."""

import io
import json
import math
import os
import sys
from pathlib import Path

import pytest
from rich.console import Console

import graphlang as gl
from graphlang.cli.main import main
from graphlang.diagnostics import GraphError, Source, Span
from graphlang.show.diagnostics import paint, short
from graphlang.show.records import as_json
from graphlang.sources import DEEPEST, LARGEST

ROOT = Path(__file__).parent.parent

LECTURE = "J  = cos(u)\nu  = u1 + u2\nu1 = sin(t)\nu2 = 3t\nt  = x^2\ninput x = 2\n"  # dJ/dx = 9.099148545 on the slide


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A function that writes files, `name=text` with `_` for `.graph`, and gives the folder."""
    monkeypatch.chdir(tmp_path)

    def write(**files):
        for name, text in files.items():
            path = tmp_path / f"{name}.graph"
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return tmp_path

    return write


def wrong(path, **options):
    with pytest.raises(GraphError) as e:
        gl.load(path, **options).run()
    return e.value


def painted(error):
    file = io.StringIO()
    paint(error.diagnostics, error.source, Console(file=file, width=100))
    return file.getvalue()


# ---- what it means


def test_an_included_file_gives_its_statements(folder):
    folder(base=LECTURE, top='include "base.graph"\nexpect dJ/dx = 9.099148545\n')
    run = gl.load("top.graph").run()
    assert run.adjoints == gl.loads(LECTURE).run().adjoints
    assert run.expectations[0].holds


def test_names_are_known_across_files_in_both_directions(folder):
    """`dJ/dx` is one symbol only where J and x are known as variables: x is declared in the one file, J in the other."""
    folder(base="u = x^2\nexpect dJ/dx = 4\n", top='input x = 2; include "base.graph"; J = u\nexpect dJ/du = 1\n')
    assert [e.holds for e in gl.load("top.graph").run().expectations] == [True, True]


@pytest.mark.parametrize("name", ["simple", "quiz1", "nn1_squared", "nn1_cross_entropy"])
def test_a_program_cut_in_two_is_the_same_program(name, folder):
    path = ROOT / "programs" / "lecture" / f"{name}.graph"
    text = path.read_text(encoding="utf-8")
    whole = gl.loads(text, "whole.graph")
    cut = whole.tree.statements[len(whole.tree.statements) // 2].span.start
    folder(first=text[:cut], top='include "first.graph"\n' + text[cut:])
    documents = [json.loads(p.run().json()) for p in (whole, gl.load("top.graph"))]
    assert {**documents[0], "file": ""} == {**documents[1], "file": ""}


def test_a_path_begins_at_the_file_that_it_stands_in(folder):
    path = folder(top='include "sub/middle.graph"\nJ = y^2\n')
    (path / "sub").mkdir()
    (path / "sub" / "middle.graph").write_text('y = 3x\ninclude "leaf.graph"\n')
    (path / "sub" / "leaf.graph").write_text("input x = 2\n")
    assert gl.load("top.graph").run().adjoints["x"] == 36


def test_byte_order_marks_line_ends_and_comments_do_no_harm(folder):
    folder(base=b"\xef\xbb\xbfinput x = 2\r\nu = x^2 # no newline at the end", top=b'\xef\xbb\xbfinclude "base.graph"  # the base\r\nJ = 3u\r\n')
    assert gl.load("top.graph").run().adjoints["x"] == 12


def test_a_program_of_one_file_has_the_source_it_was_given():
    program = gl.loads("J = x^2\ninput x = 3\n", "a.graph")
    assert program.tree.source is program.source and program.source.parts == ()
    assert program.source.origin(Span(3, 4)) == (program.source, Span(3, 4))


def test_from_standard_input_paths_begin_at_the_current_folder(folder, monkeypatch, capsys):
    folder(base=LECTURE)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'include "base.graph"\n')))
    assert main(["run", "-", "--plain"]) == 0
    assert "dJ/dx = 9.0991485" in capsys.readouterr().out


def test_a_text_includes_only_from_a_folder_that_is_given(folder):
    path = folder(base=LECTURE)
    with pytest.raises(GraphError) as e:
        gl.loads('include "base.graph"')
    assert [d.code for d in e.value.diagnostics] == ["E602"] and "folder" in e.value.diagnostics[0].hints[0]
    assert gl.loads('include "base.graph"', folder=path).run()["J"] == pytest.approx(0.2451003682, abs=1e-9)  # ten digits on the slide


# ---- what cannot be included


@pytest.mark.parametrize("path, code, words", [
    ("base.grph", "E601", ["no file `base.grph`", "did you mean `base.graph`?"]),
    ("base.graph/x", "E601", ["no file"]),
    ("", "E601", ["no path"]),
    ("a\0b", "E601", ["no path"]),
    ("x" * 5000, "E601", []),
    ("../outside.graph", "E602", ["outside of the program's folder", "--allow-path"]),
    ("sub/../../outside.graph", "E602", ["outside"]),
    ("/etc/passwd", "E602", ["outside"]),
    ("link.graph", "E602", ["outside"]),
    ("round.graph", "E601", ["`round.graph`"]),
    ("sub", "E603", ["is a folder"]),
    ("pipe", "E603", ["not a regular file"]),
    ("large.graph", "E603", ["too large", f"{LARGEST:,}"]),
    ("latin.graph", "E030", ["not UTF-8", "byte 8 on line 2"]),
    ("top.graph", "E604", ["`top.graph` includes itself"]),
    ("again.graph", "E604", ["`top.graph` → `again.graph` → `top.graph`"]),
], ids=lambda x: x[:20] if isinstance(x, str) else "")  # fmt: skip
def test_what_cannot_be_included_is_refused_at_its_path(path, code, words, folder):
    home = folder(base=LECTURE, latin="a = 1\n#".encode() + b" \xe4\n", again='include "top.graph"\n') / "home"
    home.mkdir()
    for file in ("base", "latin", "again"):
        os.rename(home.parent / f"{file}.graph", home / f"{file}.graph")
    (home.parent / "outside.graph").write_text("input y = 1\n")
    (home / "sub").mkdir()
    (home / "link.graph").symlink_to(home.parent / "outside.graph")
    (home / "round.graph").symlink_to(home / "round.graph")
    os.mkfifo(home / "pipe")
    with open(home / "large.graph", "wb") as f:
        f.truncate(LARGEST + 1)  # no byte of it is on the disk
    os.chdir(home)
    with open("top.graph", "w", encoding="utf-8") as f:
        f.write(f'J = 1\ninclude "{path}"\n')
    error = wrong("top.graph")
    (d,) = error.diagnostics
    file, at = error.source.origin(d.at)
    assert d.code == code and file.at(at) == f'"{path if path != "again.graph" else "top.graph"}"'
    text = "\n".join([d.message, d.text, *d.hints])
    assert [w for w in words if w not in text] == []


def test_another_folder_is_read_when_it_is_allowed(folder, capsys):
    path = folder(outside="input x = 3\n")
    (path / "home").mkdir()
    (path / "home" / "top.graph").write_text('include "../outside.graph"\nJ = x^2\n')
    assert wrong(path / "home" / "top.graph").diagnostics[0].code == "E602"
    assert gl.load(path / "home" / "top.graph", allow=[path]).run().adjoints["x"] == 6
    assert main(["grad", "home/top.graph", "--allow-path", "home", "--allow-path", "."]) == 0
    assert main(["run", "home/top.graph"]) == 1
    capsys.readouterr()
    assert main(["run", "home/top.graph", "--allow-path", "nowhere"]) == 2
    assert "--allow-path nowhere: there is no such folder" in capsys.readouterr().err


def test_a_link_inside_of_the_folder_is_followed(folder):
    path = folder(base=LECTURE, top='include "link.graph"\n')
    (path / "link.graph").symlink_to(path / "base.graph")
    assert gl.load("top.graph").run().adjoints["x"] == pytest.approx(9.099148545, abs=1e-8)  # ten digits on the slide


def test_the_folder_of_a_program_is_the_one_it_is_named_in(folder):
    path = folder(base=LECTURE, top='include "base.graph"\n')
    (path / "other").mkdir()
    (path / "other" / "link.graph").symlink_to(path / "top.graph")
    (path / "other" / "base.graph").write_text("J = 2x\ninput x = 1\n")
    assert gl.load("other/link.graph").run()["J"] == 2


def test_files_may_include_one_another_to_a_depth(folder):
    for deepest, error in ((DEEPEST, None), (DEEPEST + 1, "E604")):
        for n in range(deepest):
            folder(**{f"f{n}": f'include "f{n + 1}.graph"\n'})
        folder(**{f"f{deepest}": "J = x^2\ninput x = 1\n"})
        if error is None:
            assert gl.load("f0.graph").run()["J"] == 1
        else:
            d = wrong("f0.graph").diagnostics[0]
            assert d.code == error and "`f0.graph` → `f1.graph`" in d.message


def test_a_file_is_included_once(folder):
    """Also where two files include a third: its names would be defined twice."""
    folder(base=LECTURE, left='include "base.graph"\n', right='include "base.graph"\n', top='include "left.graph"\ninclude "right.graph"\n')
    assert painted(wrong("top.graph")) == """\
error[E605]: `base.graph` is included twice
 ╭─ right.graph:1:9
1 │ include "base.graph"
  │         ^^^^^^^^^^^^ included again here
 ╭─ left.graph:1:9
1 │ include "base.graph"
  │         ------------ included here first
  = help: its names would be defined twice; one `include` is enough for all files
"""


# ---- places


def test_every_file_s_mistakes_are_told_at_once_and_with_its_name(folder):
    folder(a="y = (1 +\nz = 2 +* 3\n", b="input w = 1\n", top='include "a.graph"\ninclude "b.graph"\ninclude "c.graph"\n')
    error = wrong("top.graph")
    assert short(error.diagnostics, error.source) == [
        "a.graph:1:5: error[E003]: `(` is never closed",
        "a.graph:2:8: error[E023]: an operand is missing after `+`",
        "top.graph:3:9: error[E601]: there is no file `c.graph`",
    ]
    assert [(d.get("file"), d["line"], d["column"], d["end_column"]) for d in as_json(error.diagnostics, error.source)] == [
        ("a.graph", 1, 5, 6), ("a.graph", 2, 8, 9), (None, 3, 9, 18)]


def test_places_in_other_files_are_shown_with_their_file_and_lines(folder):
    folder(base=LECTURE, top='input a = 1\ninclude "base.graph"; J = a + uu\n')
    assert painted(wrong("top.graph")) == """\
error[E102]: `J` is defined twice
 ╭─ top.graph:2:23
2 │ include "base.graph"; J = a + uu
  │                       ^ defined again here
 ╭─ base.graph:1:1
1 │ J  = cos(u)
  │ - `J` is defined here first
  = help: `override J = …` replaces the equation of an included file
"""
    folder(top='input a = 1\ninclude "base.graph"; override J = a + uu\n')
    assert painted(wrong("top.graph")) == """\
error[E101]: `uu` is not defined
 ╭─ top.graph:2:40
2 │ include "base.graph"; override J = a + uu
  │                                        ^^ no variable has this name
 ╭─ base.graph:2:1
2 │ u  = u1 + u2
  │ - `u` is defined here
  = help: did you mean `u`?
"""


def test_what_stands_after_an_include_keeps_its_place(folder):
    folder(base=LECTURE, top='\n# a comment\ninclude "base.graph"; y = zz  # more\n\nw = ww\n')
    error = wrong("top.graph")
    assert short(error.diagnostics, error.source) == ["top.graph:3:27: error[E101]: `zz` is not defined", "top.graph:5:5: error[E101]: `ww` is not defined"]


def test_a_run_time_error_names_the_file_of_its_equation_and_of_its_operands(folder):
    folder(base="\ny = log(x)\n", top='include "base.graph"\ninput x = -1\n')
    assert painted(wrong("top.graph")).startswith("""\
error[E501]: `y` has no finite value: the logarithm of a negative number is not defined
 ╭─ base.graph:2:1
2 │ y = log(x)
  │ ^^^^^^^^^^ log(-1)
  = note: x = -1, an input (line 2)
""")
    folder(base="\n\ninput x = -1\n", top='include "base.graph"\ny = log(x)\n')
    assert "x = -1, an input (line 3 of base.graph)" in painted(wrong("top.graph"))


def test_a_console_that_cannot_show_a_sign_has_the_carets_in_place(folder):
    folder(base="α = β\n", top='include "base.graph"\n')
    error = wrong("top.graph")
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii", newline="")
    paint(error.diagnostics, error.source, Console(file=file, width=80))
    file.flush()
    assert raw.getvalue().decode().splitlines()[1:4] == [" --> base.graph:1:5", "1 | ? = ?", "  |     ^ no variable has this name"]


def test_offsets_between_and_after_the_parts_are_in_a_file(folder):
    folder(base="input x = 2", top='include "base.graph"')
    source = gl.load("top.graph").source
    for offset in range(len(source.text) + 1):
        file, at = source.origin(Span(offset, len(source.text)))
        assert 0 <= at.start <= at.end <= len(file.text) and file.name in ("top.graph", "base.graph")
    assert source.position(source.text.index("x = 2")) == (1, 7)
    assert Source("a", "b").part(0).file.name == "a"


# ---- override


def test_an_override_takes_the_place_of_an_included_equation(folder):
    folder(base=LECTURE, top='include "base.graph"\noverride u2 = 4t\n')
    run = gl.load("top.graph").run()
    # J = cos(sin(t) + 4t) with t = x²: dJ/dx = -sin(u)·(cos(t) + 4)·2x, at x = 2 u = sin(4) + 16
    assert run["u2"] == 16
    assert run.adjoints["x"] == pytest.approx(-math.sin(math.sin(4) + 16) * (math.cos(4) + 4) * 4, rel=1e-14)  # a few roundings
    assert [s.equation.target for s in run.forward].count("u2") == 1


def test_an_override_may_have_pieces_and_replaces_all_of_the_table(folder):
    folder(base="input h0 = 1\nh[0] = h0\nh[k] = 2h[k-1] for k in 1..3\nJ = h[3]\n",
           top='include "base.graph"\noverride h[0] = h0 + 1\noverride h[k] = 3h[k-1] for k in 1..3\n')
    assert gl.load("top.graph").run()["h"] == [2, 6, 18, 54]
    folder(top='include "base.graph"\noverride h[k] = 3h[k-1] for k in 1..3\n')
    assert wrong("top.graph").diagnostics[0].code == "E222"  # h[0] went with the table, and is read


def test_the_outermost_override_has_the_last_word(folder):
    folder(base="J = x\ninput x = 1\n", middle='include "base.graph"\noverride J = 2x\n', top='include "middle.graph"\noverride J = 3x\n')
    assert gl.load("middle.graph").run()["J"] == 2
    assert gl.load("top.graph").run()["J"] == 3


@pytest.mark.parametrize("top, message, where", [
    ('include "base.graph"\noverride K = x\n', "no included file defines `K`", "K"),
    ('include "base.graph"\noverride x = 3\n', "`x` is an input, and `override` replaces an equation", "x"),
    ('include "base.graph"\nv = 1\noverride v = 2\n', "`v` is defined in this file, so there is nothing to override", "v"),
    ('include "base.graph"\noverride u = 1\noverride u = 2\n', "`u` is overridden twice", "u"),
    ('include "base.graph"\noverride J = x\noverride J[k] = x for k in 1..2\n', "`J` is overridden twice", "J"),
    ('include "base.graph"\ninclude "aside.graph"\n', "`J` is not defined in a file that this one includes", "J"),
    ('include "base.graph"\ninclude "low.graph"\nv = x\nw = v\n', "`v` is not defined in a file that this one includes", "v"),
    ("input x = 1\noverride J = x\n", "no included file defines `J`", "J"),
    ("J = x\ninput x = 1\noverride J = x\n", "`J` is defined in this file, so there is nothing to override", "J"),
])  # fmt: skip
def test_an_override_of_anything_else_is_one_error(top, message, where, folder):
    folder(base=LECTURE, aside="override J = 1\n", low="override v = 2\n", top=top)
    error = wrong("top.graph")
    assert [(d.code, d.message, error.source.at(d.at)) for d in error.diagnostics] == [("E112", message, where)]


def test_two_files_side_by_side_may_not_override_one_name(folder):
    folder(base="J = x\ninput x = 1\n", left='include "base.graph"\noverride J = 2x\n', right="override J = 3x\n", top='include "left.graph"\ninclude "right.graph"\n')
    assert [d.code for d in wrong("top.graph").diagnostics] == ["E112", "E112"]  # twice, and right.graph includes nothing
