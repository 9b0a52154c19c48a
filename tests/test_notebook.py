"""The notebook: a run as text, HTML and LaTeX; the magics in a shell of this process, and in a real kernel."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

import pytest
from IPython.core.interactiveshell import InteractiveShell
from jupyter_client.manager import start_new_kernel

import graphlang as gl
from graphlang.show.equations import entries
from graphlang.show.notebook import text

ROOT = Path(__file__).resolve().parent.parent
SIMPLE = ROOT / "programs/lecture/simple.graph"
PROGRAMS = sorted(p for folder in ("lecture", "published") for p in (ROOT / "programs" / folder).glob("*.graph"))
LAYER = """
J = sum((z[j] - 1)^2 for j in 1..2)
z[j] = tanh(sum(w[j,i]*x[i] for i in 1..2)) for j in 1..2
input x[2] = [1, -1]
param w[2, 2] = [[0.5, 0.1], [0.3, -0.2]]
"""
CHAIN = "input x0 = 1\n" + "".join(f"x{k + 1} = sin(x{k}) + x{k}\n" for k in range(60))
TIMEOUT = 60


# ---- reading HTML and LaTeX


class Page(HTMLParser):
    """What a page holds: its tables as rows of texts, the text in all, the classes; every tag is closed in its turn."""

    def __init__(self, html: str):
        super().__init__()
        self.open, self.tags, self.tables, self.captions, self.classes = [], [], [], [], []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert {name for name, _ in attrs} <= {"class", "rowspan", "colspan"}
        self.open.append(tag)
        self.tags.append(tag)
        self.classes += (dict(attrs).get("class") or "").split()
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        elif tag == "caption":
            self.captions.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" in self.open:
            return
        self.text += data
        if "caption" in self.open:
            self.captions[-1] += data
        elif "td" in self.open or "th" in self.open:
            self.tables[-1][-1][-1] += data


def page(run) -> Page:
    return Page(run._repr_html_())


def assert_balanced(latex: str) -> None:
    braces = re.sub(r"\\[{}\\]", "", latex)
    depth = 0
    for c in braces:
        depth += (c == "{") - (c == "}")
        assert depth >= 0, latex
    assert depth == 0
    assert len(re.findall(r"\\left(?![a-z])", latex)) == len(re.findall(r"\\right(?![a-z])", latex))
    stack = []
    for word, name in re.findall(r"\\(begin|end)\{(\w+\*?)\}", latex):
        if word == "begin":
            stack.append(name)
        else:
            assert stack.pop() == name
    assert stack == []


# ---- a run as HTML


def test_the_table_has_the_lines_of_the_terminal():
    found = page(gl.load(SIMPLE).run())
    assert found.captions == ["simple.graph"]
    (rows,) = found.tables
    assert rows[0] == ["Forward", "value", "Backward", "value", "total"]
    assert rows[1:3] == [["J = cos(u)", "0.2451", "dJ/dJ = 1", "1", ""], ["dJ/du = -sin(u)", "0.969498", ""]]
    assert rows[6] == ["u₂ = 3t", "12", "dJ/dt += dJ/du₂·du₂/dt,  du₂/dt = 3", "2.90849", "⇒ 2.27479"]
    assert "at x = 2\n dJ/dx = 9.09914854483238" in found.text and found.text.count("ok") == 6


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
@pytest.mark.parametrize("look", [{}, {"mode": "A"}, {"steps": True}, {"steps": True, "mode": "A"}, {"all": True, "ascii": True, "order": "eval"}], ids=str)
def test_the_page_is_well_formed_and_has_every_word_of_the_terminal(path, look):
    program = gl.load(path)
    run = program.run(set={n: 1.0 for n, v in program.graph.variables.items() if v.is_leaf and v.initial is None}).shown(**look)
    found, terminal = page(run), re.sub(r"[╶─│┼┴|]|-[-+]+|^- ", " ", text(run, 10_000), flags=re.MULTILINE)
    assert {word for word in terminal.split() if word not in found.text} == set()


@pytest.mark.parametrize("options", [{"mode": "forward"}, {"scalar": True}, {"expand": True}, {"exact": 20}, {"ieee": True}], ids=str)
def test_other_views_are_well_formed_too(options):
    run = gl.loads(LAYER, "layer.graph").run(**options)
    assert page(run).tables and "Forward" in page(run).text
    assert_balanced(run.latex())


def test_an_exact_run_shows_its_certain_digits():
    run = gl.load(SIMPLE).run(exact=25)
    assert run.exact.values["J"] == "0.2451003681700155039614404"
    assert run.exact.values["J"] in page(run).text and run.exact.values["J"] in run.latex()


def test_digits_that_are_wider_than_a_column_are_given_the_whole_width():
    program, bar = gl.load(SIMPLE), "│"
    assert bar in text(program.run(exact=10), 79)
    stacked = text(program.run(exact=40), 79)
    assert bar not in stacked and "Forward, and below each row Backward" in stacked and max(map(len, stacked.splitlines())) <= 79
    assert bar in text(program.run(exact=40), 140)


def test_a_long_program_is_abbreviated_and_all_shows_it():
    run = gl.loads(CHAIN).run()
    (rows,) = page(run).tables
    assert len(rows) == 1 + 10 + 1 + 10 + 1  # heading, first, gap, last, and the seed beside the last equation
    assert "40 more rows: 60 rows" in page(run).text
    assert sum("x" in r[0] and "=" in r[0] for r in page(run.shown(all=True)).tables[0]) >= 60
    assert run.latex().count("\\vdots") == 2 and "\\vdots" not in run.shown(all=True).latex()


def test_steps_are_two_numbered_tables():
    forward, backward = page(gl.load(SIMPLE).run().shown(steps=True)).tables
    assert forward[0] == ["1.", "t = x²", "4"] and forward[-1][0] == "5."
    assert backward[5] == ["6.", "dJ/dt += dJ/du₂·du₂/dt,  du₂/dt = 3", "2.90849", "⇒ 2.27479"]
    _, sums = page(gl.load(SIMPLE).run().shown(steps=True, mode="A")).tables
    assert sums[1] == ["2.", "dJ/du\n  = dJ/dJ·dJ/du\n  = -sin(u)\n  = 0.969498"]


def test_what_failed_is_marked():
    found = page(gl.loads("J = x^2\ninput x = 3\nexpect J = 10\nclaim dJ/dx = 3*x").run())
    assert found.classes.count("red") == 2 and "9 on the left, 10 on the right" in found.text


def test_a_run_that_stopped_shows_how_far_it_came():
    with pytest.raises(gl.EvaluationError) as caught:
        gl.loads("J = y + 1\ny = log(x)\ninput x = -1\n").run()
    found = page(caught.value.run)
    assert "nan ← not finite" in found.text and "Backward" not in found.text and "J" not in found.text
    assert caught.value.run.latex().splitlines()[1:-1] == [r"y &= \log\left(x\right) &&= \mathrm{nan} \\", r"x &= -1"]


HOSTILE = "<script>alert(1)</script>"


@pytest.mark.parametrize("name", [f"{HOSTILE}.graph", '"><img src=x onerror=alert(1)>.graph', "a&amp;<b>\x1b[31m.graph", "$\\href{javascript:alert(1)}{x}$.graph", "\u202egraph.\u200b"])
def test_names_of_files_are_text(name):
    run = gl.loads("J = where(x < 2, x, 3) + log(1 + exp(x))\nx = 1", name).run()
    for look in ({}, {"steps": True}):
        found = page(run.shown(**look))
        assert not {"script", "img", "b"} & set(found.tags)
        assert not re.search("[\x00-\x08\x1b\u202a-\u202e\u200b]", found.text)
    assert {"tex2jax_ignore", "mathjax_ignore"} <= set(found.classes)
    assert "W301" in found.text  # the warning is painted below, with the name of the file


def test_the_page_brings_no_colour_of_its_own_for_text_or_ground():
    style = re.search("<style>(.*)</style>", gl.load(SIMPLE).run()._repr_html_(), re.DOTALL)[1]
    assert "background:none" in style and not re.search(r"background(-color)?:(?!none)", style)
    assert "color:inherit" in style


# ---- a run as LaTeX


def test_forward_and_backward_are_aligned_with_their_values():
    lines = gl.load(SIMPLE).run().latex().splitlines()
    assert lines[0] == r"\begin{aligned}" and lines[-1] == r"\end{aligned}"
    assert lines[1] == r"J &= \cos\left(u\right) &&= 0.2451 \\"
    assert lines[6] == r"x &= 2 \\[1.5ex]"
    assert lines[7] == r"\frac{dJ}{dJ} &= 1 \\"
    assert lines[11] == r"\frac{dJ}{dt} &= \frac{dJ}{du_1} \cdot \cos\left(t\right) + 3 \frac{dJ}{du_2} &&= 2.27479 \\"


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_latex_is_balanced_and_needs_no_package(path):
    program = gl.load(path)
    run = program.run(set={n: 1.0 for n, v in program.graph.variables.items() if v.is_leaf and v.initial is None})
    whole = run._repr_latex_()
    assert whole.startswith("$$\n") and whole.endswith("\n$$") and whole.count("$") == 4
    assert_balanced(whole)
    assert set(re.findall(r"\\begin\{(\w+\*?)\}", whole)) <= {"aligned", "array", "cases"}
    assert not re.search(r"\\(href|url|require|unicode|class|style|cssId|def|newcommand|input)\b", whole)


@pytest.mark.parametrize("flat, extents, shown", [
    ([2.5], [], "2.5"), ([1e-7], [], r"1 \cdot 10^{-7}"), ([float("inf")], [], r"\infty"), ([float("-inf")], [], r"-\infty"), ([float("nan")], [], r"\mathrm{nan}"),
    ([1, 2], [2], r"\left[\begin{array}{r}1 \\ 2\end{array}\right]"), ([1, 2, 3, 4, 5], [5], r"\left(1,\; 2,\; 3,\; 4,\; 5\right)^{\top}"),
    ([1, 2, 3, 4], [2, 2], r"\left[\begin{array}{rr}1 & 2 \\ 3 & 4\end{array}\right]"),
    ([1, 2], [1, 1, 2], r"\left[1,\; 2\right]"), ([], [0], r"\left[\right]"),
    (list(range(20)), [20], r"\left(" + r",\; ".join(map(str, range(12))) + r",\; \dots \text{ (8 more)}\right)^{\top}"),
])
def test_numbers_in_latex(flat, extents, shown):
    assert entries([float(x) for x in flat], extents, 6) == shown


def test_pieces_and_ranges_stand_behind_the_formula():
    latex = gl.loads("J = sum(z)\nz[0] = x\nz[j] = x^2 for j in 1..2\nx = 3").run().latex()
    assert r"z_0 &= x &&= 3" in latex and r"z_j &= x^2 \quad j = 1, \dots, 2 &&= \left[\begin{array}{r}9 \\ 9\end{array}\right]" in latex


def test_a_vector_stands_as_it_does_in_a_product():
    """A column beside `W x + b`, a row vector as a row, and a row of a matrix as one."""
    lines = gl.loads("J = sum(tanh(W @ x + b)) + r @ x + sum(B)\nr = x.T\nB[0,j] = 2*x[j] for j in 1..2\ninput x = [1, 2], b = [0, 0], W = [[1, 2], [3, 4]]").run().latex().splitlines()
    column, row = r"\left[\begin{array}{r}1 \\ 2\end{array}\right]", r"\left[\begin{array}{rr}1 & 2\end{array}\right]"
    assert rf"x &= {column} \\" in lines and rf"r &= x^{{\top}} &&= {row} \\" in lines
    assert any(line.startswith(r"B_{0,j} &= 2 \cdot x_j") or line.startswith(r"B_{0,j} &= 2 x_j") and line.endswith(r"\left[\begin{array}{rr}2 & 4\end{array}\right] \\") for line in lines)
    (adjoint,) = [line for line in lines if line.startswith(r"\frac{dJ}{dr_i}")]
    assert adjoint.endswith(rf"&&= {row} \\")
    assert entries([1.0, 2.0, 3.0, 4.0, 5.0], [5], 6, row=True) == r"\left[\begin{array}{rrrrr}1 & 2 & 3 & 4 & 5\end{array}\right]"


def test_a_variable_that_the_goal_does_not_depend_on_has_a_row_where_the_table_has_one():
    run = gl.loads("J = x^2\ninput x = 3, q = 2").run()
    assert "{dq}" not in run.latex() and r"\frac{dJ}{dx} &= 2 x" in run.latex()
    assert r"\frac{dJ}{dq} &= 0" in run.shown(mode="A").latex() and ["input q", "2", "dJ/dq = 0", "0"] in page(run.shown(mode="A")).tables[0]


# ---- showing itself


def test_another_look_is_another_run_with_the_same_numbers():
    run = gl.load(SIMPLE).run()
    ten = run.shown(digits=10)
    assert "0.2451003682" in page(ten).tables[0][1][1] and page(run).tables[0][1][1] == "0.2451"
    assert ten.values == run.values and ten.shown(steps=True).look == {"digits": 10, "steps": True}


@pytest.mark.parametrize("look, error", [({"colour": "red"}, TypeError), ({"digits": 0}, ValueError), ({"digits": True}, ValueError), ({"order": "up"}, ValueError),
                                         ({"mode": "forward"}, ValueError), ({"steps": 1}, ValueError)], ids=str)
def test_a_look_that_there_is_not_is_refused(look, error):
    with pytest.raises(error, match=next(iter(look))):
        gl.load(SIMPLE).run().shown(**look)


def test_at_a_prompt_a_run_is_its_table_and_in_a_list_it_is_short():
    from IPython.lib.pretty import pretty

    run = gl.load(SIMPLE).run()
    assert "dJ/dx = 9.09914854483238" in pretty(run) and max(map(len, pretty(run).splitlines())) <= 79
    assert pretty([run]) == f"[{run!r}]"


def test_importing_graphlang_does_not_import_the_extension():
    done = subprocess.run([sys.executable, "-c", "import sys, graphlang; print(*[m for m in sys.modules if m.startswith(('IPython', 'graphlang.'))])"],
                          cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "" and done.returncode == 0
    assert "load_ipython_extension" not in gl.__all__


# ---- the magics in a shell of this process


@pytest.fixture
def shell(tmp_path, monkeypatch):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    shell = InteractiveShell.instance()
    shell.colors = "nocolor"
    shell.run_line_magic("load_ext", "graphlang")
    yield shell
    shell.run_line_magic("unload_ext", "graphlang")
    InteractiveShell.clear_instance()


SQUARE = "J = x^2\ninput x = 3\n"


def run_magic(shell, line, cell=SQUARE):
    return shell.run_cell_magic("graph", line, cell)


def test_a_cell_gives_its_run(shell):
    run = run_magic(shell, "")
    assert run["J"] == 9 and run.adjoints["x"] == 6


@pytest.mark.parametrize("line, J", [("--set x=2", 4), ("--set x=1+1", 4), ("--set x={k*2}", 64), ("--set x=$k", 16), ("--take x", 25), ("--take x --set x=1", 1)])
def test_values_come_from_the_line_and_from_python(shell, line, J):
    shell.user_ns.update(k=4, x=5.0)
    assert run_magic(shell, line)["J"] == J


def test_tables_are_taken_from_arrays(shell):
    import numpy

    shell.user_ns.update(w=numpy.array([1.0, 2.0]), n=numpy.int64(2))
    assert run_magic(shell, "--take w,n", "const n = 3\nparam w[1..n]\nJ = sum(w[j]^2 for j in 1..n)\n")["J"] == 5


def test_a_named_run_is_a_variable_and_hidden_it_is_not_shown(shell):
    assert run_magic(shell, "net --hide") is None
    assert shell.user_ns["net"]["J"] == 9 and shell.user_ns["net"].graph.source.name == "net"


def test_options_reach_the_run_and_its_look(shell):
    run = run_magic(shell, "--digits 9 --mode A --steps --expand --scalar --all --wrt x --goal J")
    assert run.mode == "A" and run.look["digits"] == 9 and run.look["steps"] and run.wrt == ("x",)
    assert list(run_magic(shell, "--hessian").derivatives.values()) == [([2.0], ())]
    assert run_magic(shell, "--precision 12").exact.precision == 12


def test_the_line_magic_runs_a_file(shell):
    Path("a.graph").write_text(SQUARE)
    assert shell.run_line_magic("graph", "a.graph --set x=4")["J"] == 16
    shell.run_cell("run = %graph a.graph")
    assert shell.user_ns["run"]["J"] == 9


def test_files_beside_the_notebook_can_be_included(shell):
    Path("base.graph").write_text(SQUARE)
    assert run_magic(shell, "", 'include "base.graph"\ny = J + 1\nminimize y')["y"] == 10


WRONG = [  # line, cell, what is said
    ("--colour", SQUARE, "%%graph: unrecognized arguments: --colour\n`%%graph --help` lists the options"), ("print", SQUARE, "`print` is a function or a constant of Python"),
    ("--set x={[1, -2, 3]} --digits 3", SQUARE, "%%graph: --set x=[1,: here the value ends; quote one that has blanks, --set 'x=[1, 2]', or use --take x"),
    ("--set x={(1, 2)}", SQUARE, "quote one that has blanks"), ("--set x= 3", SQUARE, "quote one that has blanks"), ("--mode C", SQUARE, "invalid choice"), ("--digits x", SQUARE, "invalid int"),
    ("--digits 0", SQUARE, "from 1 to 17"), ("--set x", SQUARE, "write NAME=VALUE"), ("--set q=2", SQUARE, "there is no leaf `q`"), ("--set 'x=2", SQUARE, "No closing quotation"),
    ("--take q", SQUARE, "there is no Python variable `q`"), ("--take x", SQUARE, "not a number"), ("--wrt q", SQUARE, "no variable `q`"), ("--goal q", SQUARE, "--goal"),
    ("not-a-name", SQUARE, "cannot be the name of a Python variable"), ("lambda", SQUARE, "cannot be the name"), ("--allow-path nowhere", SQUARE, "no such folder"),
    ("--seed -1", SQUARE, "--seed"), ("", "J = ul\nu1 = 2\n", "error[E101]: `ul` is not defined\n ╭─ In["), ("", "J = (x\nx = 2\n", "E003"),
    ("net", "J = x\ninput x\n", "%%graph --set x=1"), ("", "J = log(x)\ninput x = -1\n", "E501"), ("", "\n# nothing\n", "error["),
    ("--strict", SQUARE + "expect J = 10\nexpect J = 9\nclaim dJ/dx = x", "--strict: 2 of 3 claims and expectations failed"),
]  # fmt: skip


@pytest.mark.parametrize("line, cell, said", WRONG, ids=[w[0] or w[2][:12] for w in WRONG])
def test_what_is_wrong_is_told_without_a_traceback_and_the_cell_fails(shell, capsys, line, cell, said):
    shell.user_ns["x"] = "abc"
    result = shell.run_cell(f"%%graph {line}\n{cell}")
    assert not result.success and isinstance(result.error_in_exec, gl.GraphError)
    out = capsys.readouterr().out
    assert said in out and "Traceback" not in out and "notebook.py" not in out and "\x1b" not in out and "usage:" not in out
    assert said in "\n".join(result.error_in_exec._render_traceback_())


def test_lines_are_counted_as_the_notebook_counts_them(shell):
    with pytest.raises(gl.GraphError) as caught:
        run_magic(shell, "net", "J = x\ninput x = 1\ny = nowhere\n")
    assert any("net:4:5" in line for line in caught.value._render_traceback_())


def test_what_came_before_a_value_that_does_not_exist_is_shown(shell, capsys):
    shell.run_cell("%%graph\nJ = 1/u\nu = x - 2\ninput x = 2\n")
    out = capsys.readouterr().out
    assert out.index("u = x - 2") < out.index("error[E501]")


def test_a_failed_expectation_alone_does_not_fail_the_cell(shell):
    assert shell.run_cell("%%graph\n" + SQUARE + "expect J = 10").success


def test_help_is_printed_and_the_shell_goes_on(shell, capsys):
    assert run_magic(shell, "--help") is None and shell.run_line_magic("graph", "-h") is None
    out = capsys.readouterr().out
    assert "usage: %%graph" in out and "--take" in out and "usage: %graph" in out
    assert "%%graph" in shell.find_cell_magic("graph").__doc__


# ---- a real kernel


class Answer(NamedTuple):
    status: str
    data: dict        # of what is shown or given back, by MIME type
    error: dict
    streams: str


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kernel")
    env = {**os.environ, "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(folder), "JUPYTER_RUNTIME_DIR": str(folder), "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    manager, client = start_new_kernel(startup_timeout=TIMEOUT, kernel_name="python3", env=env, cwd=str(folder))

    def execute(code: str) -> Answer:
        said = []
        reply = client.execute_interactive(code, timeout=TIMEOUT, output_hook=said.append, allow_stdin=False)
        data, error, streams = {}, {}, ""
        for m in said:
            data |= m["content"].get("data", {}) if m["msg_type"] in ("execute_result", "display_data") else {}
            error |= m["content"] if m["msg_type"] == "error" else {}
            streams += m["content"]["text"] if m["msg_type"] == "stream" else ""
        return Answer(reply["content"]["status"], data, error, streams)

    loaded = execute("%load_ext graphlang")
    assert loaded.status == "ok" and loaded.streams == ""
    yield execute
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_a_cell_has_text_html_and_latex(kernel):
    answer = kernel("%%graph\n" + SIMPLE.read_text())
    assert answer.status == "ok" and answer.streams == ""
    assert {"text/plain", "text/html", "text/latex"} <= answer.data.keys()
    assert "dJ/dx = 9.09914854483238" in answer.data["text/plain"]
    assert Page(answer.data["text/html"]).tables[0][1][:2] == ["J = cos(u)", "0.2451"]
    assert answer.data["text/latex"].startswith("$$\n\\begin{aligned}\nJ &= ")


def test_the_next_cell_uses_a_named_run(kernel):
    kernel("half = 0.5")
    assert kernel("%%graph net --set x={half*4} --hide\n" + SQUARE).data == {}
    assert kernel("net['J'], net.adjoints['x'], net.evaluate('dJ/dx + 1')").data["text/plain"] == "(4.0, 4.0, 5.0)"


def test_a_wrong_program_is_diagnostics_in_colour_and_no_python(kernel):
    answer = kernel("%%graph\nu1 = 2\nJ = ul\n")
    assert answer.status == "error" and answer.data == {}
    told = "\n".join(answer.error["traceback"])
    assert "\x1b[1;31merror[E101]" in told and "did you mean `u1`?" in told and ":3:5" in told
    assert "Traceback" not in told and ".py" not in told and "notebook" not in told


def test_a_wrong_option_does_not_end_the_kernel(kernel):
    answer = kernel("%%graph --colour\n" + SQUARE)
    assert answer.status == "error" and "unrecognized arguments: --colour" in "\n".join(answer.error["traceback"])
    assert kernel("%graph nowhere.graph").error["traceback"] == ["%graph: there is no file nowhere.graph"]
    assert kernel("6*7").data["text/plain"] == "42"


def test_hostile_text_reaches_the_page_as_text(kernel):
    kernel(f"from pathlib import Path; Path('<img src=x>.graph').write_text({SQUARE!r} + '# <b>$x$\\nL = log(1 + exp(x))  # <script>\\nminimize J')")
    answer = kernel("%graph '<img src=x>.graph'")
    found = Page(answer.data["text/html"])
    assert found.captions == ["<img src=x>.graph"] and not {"img", "b", "script"} & set(found.tags)
    assert "<script>" in found.text  # a line of the source below a warning
