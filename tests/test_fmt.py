"""`graphlang fmt`: one style, the same program, nothing lost."""

import io
import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from graphlang.cli import fmt_command
from graphlang.cli.check_command import found
from graphlang.cli.main import main
from graphlang.syntax import parser as parser_module
from graphlang.syntax import tidy as tidy_module
from graphlang.syntax.format import SOURCE, format_expr
from graphlang.syntax.lexing import known_names
from graphlang.syntax.parser import parse_tokens
from graphlang.syntax.tidy import tidy
from graphlang.syntax.tidy_align import waits
from graphlang.syntax.tidy_layout import comment, width
from graphlang.syntax.tidy_proof import same
from hypothesis import given, settings
from hypothesis import strategies as st
from programs_at_random import programs
from test_format import LEAVES, compound

ROOT = Path(__file__).parents[1]
PROGRAMS = sorted((ROOT / "programs").rglob("*.graph"))
GOLDEN = sorted((Path(__file__).parent / "golden" / "fmt").glob("*.graph"))
quickly = settings(max_examples=60, deadline=None, derandomize=True, database=None)
thoroughly = settings(max_examples=3000, deadline=None, database=None)


def assert_tidied(text):
    """The text in the style, the laws of which are looked at on the way."""
    after = tidy(text)
    assert same(text, after), text
    assert tidy(after) == after, text
    return after


# ---- cases


@pytest.mark.parametrize("path", GOLDEN, ids=lambda p: p.stem)
def test_a_text_becomes_the_one_beside_it(path):
    got, beside = assert_tidied(path.read_text(encoding="utf-8")), path.with_suffix(".out")
    if os.environ.get("GRAPHLANG_UPDATE_GOLDEN") == "1":
        beside.write_text(got, encoding="utf-8")
    assert got == beside.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "before, after",
    [
        ("", ""),
        (" \n\t\n;;\n", ""),
        ("x=1", "x = 1\n"),
        ("\ufeffx=1\r\ny=2\r\n", "x = 1\ny = 2\n"),
        ("\n\nx = 1\n\n\n\n# c\n\n\n", "x = 1\n\n# c\n"),
        ("data = 5; output=1", "data   = 5\noutput = 1\n"),
        ("claim -x = 1", "claim -x = 1\n"),
        ("minimize (J)", "minimize (J)\n"),
        ("override  y[ j ]=2", "override y[j] = 2\n"),
        ("x = 3(  y)", "x = 3(y)\n"),
        ("x = 3 (y)", "x = 3 (y)\n"),
        ("y = a [ i ] . T", "y = a [ i ] . T\n"),
        ("α = 2 ; αx = α̂+1", "α  = 2\nαx = α̂ + 1\n"),
        ("日 = 1\nabc = 2", "日  = 1\nabc = 2\n"),
        ("x = 1 #", "x = 1  #\n"),
        ("x = \"a # b\" #c", "x = \"a # b\"  # c\n"),
    ],
)
def test_a_short_text_is_tidied(before, after):
    assert assert_tidied(before) == after


@pytest.mark.parametrize("before, after", [("#a", "# a"), ("# a", "# a"), ("#  a", "#  a"), ("#!a", "#!a"), ("##a", "##a"), ("#----", "#----"), ("#-a-", "# -a-"), ("# a \t", "# a")])
def test_a_comment_begins_with_a_blank(before, after):
    assert comment(before) == comment(after) == after


def test_a_long_left_side_pushes_nobody_and_parts_its_neighbours():
    assert waits([2, 4, 30, 1, 3], 24) == [2, 0, 0, 2, 0]
    assert waits([2, None, 4], 24) == [0, 0, 0]
    assert waits([], 24) == []


def test_width_counts_columns():
    assert [width("α̂"), width("日"), width("ab")] == [1, 2, 2]


# ---- the same program


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_a_program_keeps_its_meaning(path):
    assert_tidied(path.read_text(encoding="utf-8"))


def test_the_programs_are_in_the_style(capsys):
    assert main(["fmt", "--check", str(ROOT / "programs")]) == 0


@pytest.mark.parametrize(
    "before, after",
    [
        ("x = 1", "x = 2"),
        ("x = 1", "y = 1"),
        ("x = 1.0", "x = 1.00"),
        ("J = a - (b - c)", "J = a - b - c"),
        ("J = (a - b) - c", "J = a - b - c"),
        ("x = 1 # a", "x = 1"),
        ("x = 1 # a\n# b", "# b\nx = 1 # a"),
        ("x = = 1", "x = =  1"),
        ("x = 1\ny = 2", "y = 2\nx = 1"),
        ("J = t\nx = 1\nclaim dJ/dx = 1", "J = t\nx = 1\nclaim dJ / dx = 1"),
        ("train { rate: 1\nbatch: 2 }", "train { rate: 1\nbatch: 3 }"),
        ("quiz q { a }", "quiz q {  a }"),
    ],
)
def test_another_program_is_not_the_same(before, after):
    # parentheses are not in the tree, so the fifth pair is told apart by nothing but its text
    assert same(before, before) and same(after, after)
    assert same(before, after) == (before.startswith("J = (a"))


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.recursive(LEAVES, compound, max_leaves=12))
def test_what_the_printer_writes_is_in_the_style(tree):
    text = f"input x, J\nclaim x = ({format_expr(tree, SOURCE)})\n"
    assert parse_tokens(text, known_names(text))[1:] == (True, None)
    assert tidy(text) == text


SPELLINGS = {"STAR": "*·×⋅", "MINUS": "-−", "CARET": ["^", "**"]}
HERE = frozenset("PLUS MINUS STAR SLASH CARET CMP COMMA EQUAL LPAR RPAR LSQB RSQB".split())  # no blank is needed beside these
UNFINISHED = frozenset("COMMA PLUS MINUS STAR SLASH AT CARET CMP".split())


def messy(text, random, breaks=False):
    """The same program with other blanks and signs; with `breaks`, also newlines and comments where they mean nothing."""
    names, out = known_names(text), []
    for line in text.splitlines():
        tokens, right, _ = parse_tokens(line, names)
        assert right, line
        depth, written = 0, random.choice(["", " ", "\t"])
        for before, token in zip([None, *tokens], tokens[:-1]):
            if before is not None and before.kind != "COEF":
                apart = token.start > before.end
                may_join = not apart or (token.kind in HERE or before.kind in HERE) and not {token.kind, before.kind} & {"FOR", "IN", "CLAIM", "GOAL", "WITHIN", "AT", "ROLE"}
                may_part = apart or not (token.text == "/" or before.text == "/") or not line.count("d")
                if breaks and (depth or before.kind in UNFINISHED) and random.random() < 0.1:
                    written += random.choice(["\n", "  # why\n\n", "\r\n #x\n"]) + " " * random.randrange(9)
                elif apart and not may_join:
                    written += random.choice([" ", "   ", "\t"])
                elif may_part:
                    written += random.choice(["", " ", "  "])
            written += random.choice(SPELLINGS.get(token.kind, [token.text]))
            depth += (token.kind in ("LPAR", "LSQB")) - (token.kind in ("RPAR", "RSQB"))
        out.append(written + random.choice(["", " ", " ;", "\t"] + ["#c", " # c"] * breaks))
    return "\n".join(out) + "\n" * random.randrange(3)


def looks_the_same_however_it_was_spaced(text, seed):
    wild = messy(text, Random(seed))
    assert same(text, wild)
    assert assert_tidied(wild) == tidy(text)


def has_the_same_statements_by_parser_and_by_hand(text, seed):
    whole = tidy_module.reading(messy(text, Random(seed), breaks=True))
    assert whole.statements is not None
    assert list(tidy_module.cut(whole)) == list(tidy_module.cut(whole._replace(statements=None)))


def keeps_its_meaning_with_other_lines_and_comments(text, seed):
    assert_tidied(messy(text, Random(seed), breaks=True))


ANY = st.text(alphabet='xdJ/1.()[]{}=+-*^@#"; \n\r\tαβ²−·,:', max_size=60)


def any_text_is_tidied_once(text):
    assert_tidied(text)


LAWS = [(looks_the_same_however_it_was_spaced, (programs(), st.integers(0, 2**32))), (keeps_its_meaning_with_other_lines_and_comments, (programs(), st.integers(0, 2**32))),
        (has_the_same_statements_by_parser_and_by_hand, (programs(), st.integers(0, 2**32))), (any_text_is_tidied_once, (ANY,))]  # fmt: skip


@pytest.mark.parametrize("law, drawn", LAWS, ids=lambda x: getattr(x, "__name__", ""))
def test_law(law, drawn):
    quickly(given(*drawn)(law))()


@pytest.mark.nightly
@pytest.mark.parametrize("law, drawn", LAWS, ids=lambda x: getattr(x, "__name__", ""))
def test_law_on_many_programs(law, drawn):
    thoroughly(given(*drawn)(law))()


@pytest.mark.nightly
@settings(max_examples=3000, deadline=None, database=None)
@given(st.sampled_from(PROGRAMS), st.data())
def test_a_damaged_program_is_tidied_once(path, data):
    text = path.read_text(encoding="utf-8")
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + data.draw(ANY) + text[at + data.draw(st.integers(0, 5)) :]
    assert_tidied(text)


def test_a_statement_that_would_read_otherwise_is_kept(monkeypatch):
    """Whatever went wrong in the blanks: `3x` apart is no product."""
    monkeypatch.setattr(tidy_module.Statement, "lines", lambda s: [tidy_module.Line(" ".join(s.texts))])
    assert tidy("y=3x\nz=x+1\n") == "y=3x\nz = x + 1\n"


@pytest.mark.parametrize(
    "text",
    ["J = " + " + ".join(f"x{n}*2" for n in range(20000)), "J = " + "(" * 5000 + "x" + ")" * 5000, "J = " + "(a +\n" * 2000 + "x" + "\n)" * 2000,
     "J = (\n" + "y = 3 4\n" * 1000, "x = 3 4;" * 500, "x = [" + "#\n\n" * 5000 + "3]", "x = 1 +\n" * 3000, " " * 50000 + "x" + "\t" * 50000 + "= 1"],
    ids=["wide", "deep", "deep lines", "unclosed", "semicolons", "comments", "unfinished", "blanks"],
)  # fmt: skip
def test_long_and_deep_texts_need_no_stack(text):
    assert_tidied(text)


# ---- the command


def fmt(capsys, *argv):
    status = main(["fmt", *map(str, argv)])
    got = capsys.readouterr()
    return status, got.out, got.err


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "messy.graph").write_text("x=1\ny=x**2\n", encoding="utf-8")
    (tmp_path / "neat.graph").write_text("x = 1\n", encoding="utf-8")
    return tmp_path


def test_a_folder_is_rewritten_file_by_file_and_once(folder, capsys):
    neat = (folder / "neat.graph").stat()
    assert fmt(capsys, ".") == (0, "formatted messy.graph\n1 file formatted, 1 unchanged\n", "")
    assert (folder / "messy.graph").read_text() == "x = 1\ny = x^2\n"
    assert (folder / "neat.graph").stat().st_mtime_ns == neat.st_mtime_ns and (folder / "neat.graph").stat().st_ino == neat.st_ino
    assert fmt(capsys, ".") == (0, "2 files unchanged\n", "")


def test_check_writes_nothing_and_lists_what_would_change(folder, capsys):
    assert fmt(capsys, "--check", ".") == (1, "would change messy.graph\n1 file would change, 1 unchanged\n", "")
    assert (folder / "messy.graph").read_text() == "x=1\ny=x**2\n"
    assert fmt(capsys, "--check", "neat.graph") == (0, "1 file unchanged\n", "")


def test_diff_writes_nothing_and_is_a_patch(folder, capsys):
    status, out, err = fmt(capsys, "--diff", ".")
    assert (status, err) == (0, "") and (folder / "messy.graph").read_text() == "x=1\ny=x**2\n"
    assert out == "--- messy.graph\n+++ messy.graph\n@@ -1,2 +1,2 @@\n-x=1\n-y=x**2\n+x = 1\n+y = x^2\n"
    assert fmt(capsys, "--diff", "--check", ".") == (1, out, "")
    assert fmt(capsys, "--diff", "neat.graph") == (0, "", "")


def test_a_diff_tells_that_the_last_line_was_not_ended(folder, capsys):
    (folder / "messy.graph").write_text("x = 1", encoding="utf-8")
    assert fmt(capsys, "--diff", "messy.graph")[1].endswith("-x = 1\n\\ No newline at end of file\n+x = 1\n")


def test_standard_input_goes_to_standard_output(monkeypatch, capsys):
    def given_text(data):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    given_text(b"\xef\xbb\xbfx=1\r\n")
    assert fmt(capsys, "-") == (0, "x = 1\r\n", "")
    given_text(b"x=1\n")
    assert fmt(capsys, "-", "--check") == (1, "would change <stdin>\n", "")
    given_text(b"x=1\ny = = 2\n")
    status, out, err = fmt(capsys, "-", "--error-format", "short")
    assert (status, out) == (1, "x = 1\ny = = 2\n") and err.startswith("<stdin>:2:5: error[E018]")
    given_text(b"\xff")
    assert fmt(capsys, "-")[:2] == (1, "")


def test_a_broken_statement_is_told_where_it_is_now_and_the_rest_is_formatted(folder, capsys):
    (folder / "messy.graph").write_text("\n\nx=1\ny = = 2\n", encoding="utf-8")
    status, out, err = fmt(capsys, "messy.graph", "--error-format", "short")
    assert (status, out) == (1, "formatted messy.graph\n1 file formatted (1 with mistakes)\n")
    assert err.startswith("messy.graph:2:5: error[E018]") and (folder / "messy.graph").read_text() == "x = 1\ny = = 2\n"


def test_a_wrong_command_line_is_status_2(folder, capsys):
    assert fmt(capsys, "nowhere.graph")[0] == 2
    assert fmt(capsys, "-", "neat.graph")[0] == 2
    assert fmt(capsys)[0] == 2
    (folder / "empty").mkdir()
    assert fmt(capsys, "empty") == (2, "", "graphlang fmt: there is no .graph file beneath empty\n")


def test_what_is_not_utf_8_is_told_and_left(folder, capsys):
    (folder / "messy.graph").write_bytes(b"x=1 # \xe9\n")
    status, out, err = fmt(capsys, "messy.graph", "neat.graph", "--error-format", "short")
    assert (status, out) == (1, "1 file unchanged, 1 failed\n") and "E030" in err
    assert (folder / "messy.graph").read_bytes() == b"x=1 # \xe9\n"


def test_mode_and_link_are_kept(folder, capsys):
    (folder / "messy.graph").chmod(0o640)
    (folder / "link.graph").symlink_to("messy.graph")
    assert fmt(capsys, "link.graph")[0] == 0
    assert (folder / "link.graph").is_symlink() and (folder / "messy.graph").stat().st_mode & 0o777 == 0o640
    assert (folder / "messy.graph").read_text() == "x = 1\ny = x^2\n"


def test_nothing_is_lost_when_writing_fails(folder, capsys, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    (folder / "other.graph").write_text("x=2\n", encoding="utf-8")
    with monkeypatch.context() as m:
        m.setattr(os, "replace", full)
        status, out, err = fmt(capsys, "messy.graph", "neat.graph")
    assert (status, out) == (2, "1 file unchanged, 1 failed\n")
    assert err == "graphlang fmt: messy.graph cannot be written: No space left on device\n"
    assert sorted(p.name for p in folder.iterdir()) == ["messy.graph", "neat.graph", "other.graph"]
    assert (folder / "messy.graph").read_text() == "x=1\ny=x**2\n"


@pytest.mark.skipif(os.name != "posix", reason="bits of a mode")
def test_a_read_only_file_is_left_and_the_others_are_formatted(folder, capsys):
    (folder / "messy.graph").chmod(0o444)
    (folder / "other.graph").write_text("x=2\n", encoding="utf-8")
    status, out, err = fmt(capsys, ".")
    assert (status, err) == (2, "graphlang fmt: messy.graph cannot be written: it is read-only\n")
    assert out == "formatted other.graph\n1 file formatted, 1 unchanged, 1 failed\n"
    assert (folder / "messy.graph").read_text() == "x=1\ny=x**2\n" and (folder / "messy.graph").stat().st_mode & 0o777 == 0o444
    assert fmt(capsys, "--check", "messy.graph")[0] == 1  # which writes nothing


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes that have a name")
def test_a_pipe_is_refused_by_name_and_passed_over_in_a_folder(folder, capsys):
    os.mkfifo(folder / "pipe.graph")
    assert fmt(capsys, "pipe.graph", "neat.graph") == (
        2, "1 file unchanged, 1 failed\n", "graphlang fmt: pipe.graph is not a regular file; `graphlang fmt -` reads standard input\n")
    assert fmt(capsys, "--check", ".") == (1, "would change messy.graph\n1 file would change, 1 unchanged\n", "")
    assert main(["check", "."]) == 1  # it comes back
    assert "pipe" not in capsys.readouterr().out


def test_what_is_hidden_is_formatted_only_by_name(folder, capsys):
    (folder / ".venv" / "deep").mkdir(parents=True)
    for name in (".venv/deep/a.graph", ".b.graph"):
        (folder / name).write_text("x=1\n", encoding="utf-8")
    (folder / "folder.graph").mkdir()
    assert found(["."]) == ["messy.graph", "neat.graph"]
    assert found([".venv", ".b.graph"]) == [os.path.join(".venv", "deep", "a.graph"), ".b.graph"]
    assert fmt(capsys, ".venv", ".b.graph")[:2] == (0, f"formatted {os.path.join('.venv', 'deep', 'a.graph')}\nformatted .b.graph\n2 files formatted\n")


def test_a_link_that_leads_nowhere_is_told(folder, capsys):
    (folder / "link.graph").symlink_to("nowhere.graph")
    assert fmt(capsys, ".")[::2] == (2, "graphlang fmt: link.graph cannot be read: No such file or directory\n")


@pytest.mark.parametrize("before, after", [(b"x=1\r\ny=2", b"x = 1\r\ny = 2\r\n"), (b"x=1\r\n\r\n#c\r\n", b"x = 1\r\n\r\n# c\r\n"), (b"x=1\r\ny=2\n", b"x = 1\ny = 2\n"),
                                           (b"x=1\n", b"x = 1\n"), (b"x = 1\r\n", None), (b"x = (1 +\r\n     2)\r\n", None), (b"x = = 1\r\n", None)])
def test_ends_of_lines_are_kept_where_all_are_of_windows(folder, capsys, before, after):
    (folder / "messy.graph").write_bytes(before)
    fmt(capsys, "messy.graph")
    assert (folder / "messy.graph").read_bytes() == (before if after is None else after)
    assert "unchanged" in fmt(capsys, "messy.graph")[1]


def test_a_file_of_two_names_is_parted_from_the_other_name(folder, capsys):
    os.link(folder / "messy.graph", folder / "other.txt")
    assert fmt(capsys, "messy.graph")[0] == 0
    assert (folder / "other.txt").read_text() == "x=1\ny=x**2\n" and (folder / "messy.graph").read_text() == "x = 1\ny = x^2\n"


def test_a_file_is_parsed_once_and_what_is_made_of_it_once_more(folder, capsys, monkeypatch):
    """Or a large one would take many times as long as it takes to be run."""
    (folder / "messy.graph").write_text("".join(f"x{k}=3x{k + 1}  #c\n" for k in range(50)) + "x50=1\ntrain { rate: 1; batch: 2 }\n", encoding="utf-8")
    parsed = []
    inner = parser_module._Parser.run
    monkeypatch.setattr(parser_module._Parser, "run", lambda self, text, *rest, **more: parsed.append(len(text)) or inner(self, text, *rest, **more))
    assert fmt(capsys, "messy.graph")[0] == 0
    assert len(parsed) == 2 and min(parsed) > 100
    parsed.clear()
    assert fmt(capsys, "messy.graph")[1] == "1 file unchanged\n"
    assert len(parsed) == 1


@pytest.mark.parametrize("path", PROGRAMS + GOLDEN, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_statements_of_the_parser_are_those_that_are_cut_by_hand(path):
    whole = tidy_module.reading(path.read_text(encoding="utf-8"))
    if whole.statements is not None:
        assert list(tidy_module.cut(whole)) == list(tidy_module.cut(whole._replace(statements=None)))


def test_a_text_that_is_not_proved_the_same_is_not_written(folder, capsys, monkeypatch):
    monkeypatch.setattr(tidy_module, "tidied", lambda before: (after := before.text.replace("x=1", "x=2") + "\n", tidy_module.reading(after)))
    status, out, err = fmt(capsys, "messy.graph", "neat.graph")
    assert (status, out) == (70, "1 file unchanged, 1 failed\n") and "not proved" in err
    assert (folder / "messy.graph").read_text() == "x=1\ny=x**2\n"


def test_a_pipe_gets_bytes_and_a_terminal_colour(folder):
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-m", "graphlang", "fmt", "-"], input="α=1#β\r\n".encode(), capture_output=True, env=env, cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "α = 1  # β\r\n".encode(), b"")


def test_a_diff_is_coloured_on_a_terminal(folder, capsys, monkeypatch):
    monkeypatch.setattr(fmt_command.sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = fmt(capsys, "--diff", "messy.graph")[1]
    assert "\x1b[32m+x = 1" in out and "\x1b[31m-x=1" in out
    assert "\x1b" not in fmt(capsys, "--diff", "--plain", "messy.graph")[1]


def test_formatting_imports_nothing_heavy():
    code = "import sys; from graphlang.cli.main import main; main(['fmt', '--diff', sys.argv[1]]); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code, PROGRAMS[0]], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True)
    assert "graphlang.syntax.tidy" in done.stderr.split() and not {"numpy", "lark", "pygments", "prompt_toolkit", "flint"} & set(done.stderr.split())
