"""What a run shows. The golden texts are read line by line against the design's traces when they are renewed:
GRAPHLANG_UPDATE_GOLDEN=1 writes them."""

import io
import os
import re
from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console

from graphlang.pipeline import load, loads
from graphlang.run import EvaluationError, offsets
from graphlang.show.cells import Adjoints
from graphlang.show.console import breadth, console
from graphlang.show.layout import Cell, Row, columns, wrap
from graphlang.show.numbers import number, table
from graphlang.show.tables import Options, show_grad, show_run
from graphlang.show.totals import Totals

ROOT = Path(__file__).parent.parent
GOLDEN = Path(__file__).parent / "golden"
LECTURE = sorted((ROOT / "programs" / "lecture").glob("*.graph"))
PUBLISHED = sorted((ROOT / "programs" / "published").glob("*.graph"))

RECURRENCE = """
input h0 = 0.1, w = 0.5
data x[1..4] = [1, 2, 3, 4]
h[0] = h0
h[k] = tanh(w*h[k-1] + x[k]) for k in 1..4
J = h[4] + sum(h[k]^2 for k in 1..3)
minimize J
"""


def lecture(name):
    return load(ROOT / "programs" / "lecture" / f"{name}.graph")


def to_text(show, what, width=160, **options):
    file = io.StringIO()
    show(what, Console(file=file, width=width), Options(**options))
    return file.getvalue()


def shown(run, width=160, **options):
    return to_text(show_run, run, width, **options)


def rows(text):
    """The table without what stands below it."""
    return text.split("\n\n")[0].splitlines()


def backward_cells(text):
    return [line.split("│")[1].strip() for line in rows(text) if "│" in line]


# ---- whole texts


@pytest.mark.parametrize(
    "name, program, width, run, options",
    [
        ("T1", "simple", 160, {}, {}),
        ("T1_80", "simple", 80, {}, {}),
        ("T2", "simple", 160, {}, {"mode": "A", "steps": True}),
        ("T3", "quiz1", 160, {}, {}),
        ("T4", "logistic", 160, {}, {}),
        ("T5", "nn1_squared", 160, {}, {}),
        ("T6", "nn1_cross_entropy", 160, {}, {}),
        ("T6_80", "nn1_cross_entropy", 80, {}, {}),
        ("T7", "nn1_cross_entropy", 160, {"scalar": True}, {"scalar": True}),
        ("T8", "nn1_cross_entropy", 160, {}, {"mode": "A", "steps": True}),
        ("T1_plain_ascii", "simple", 160, {}, {"plain": True, "ascii": True}),
        ("T3_steps", "quiz1", 100, {}, {"steps": True}),
        ("T3_A", "quiz1", 160, {}, {"mode": "A"}),
    ],
)  # fmt: skip
def test_a_run_is_shown_as_in_its_golden_text(name, program, width, run, options):
    text = shown(lecture(program).run(**run), width, **options)
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("GRAPHLANG_UPDATE_GOLDEN") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name, cells",
    [
        ("simple", ["dJ/du = -sin(u) 0.969498", "dJ/du₁ = dJ/du·du/du₁, du/du₁ = 1 0.969498",
                    "dJ/dt += dJ/du₁·du₁/dt, du₁/dt = cos(t) -0.633706 ⇒ -0.633706",
                    "dJ/dt += dJ/du₂·du₂/dt, du₂/dt = 3 2.90849 ⇒ 2.27479", "dJ/dx = dJ/dt·dt/dx, dt/dx = 2x 9.09915"]),
        ("quiz1", ["dy/du += dy/dy₂·dy₂/du, dy₂/du = 1/t 1.4427 ⇒ 404.871", "dy/dt += dy/dy₂·dy₂/dt, dy₂/dt = -(u/t²) -12.4882 ⇒ -12.4882",
                   "dy/du += dy/dy₃·dy₃/du, dy₃/du = -(s/u²) -0.0177489 ⇒ 404.854", "dy/dx += dy/dt·dt/dx, dt/dx = 1/x -6.18 ⇒ 1208.38"]),
        ("logistic", ["dJ/dy = y*/y - (1 - y*)/(1 - y) 1.25924", "dJ/da = dJ/dy·dy/da, dy/da = y (1 - y) 0.20587",
                      "dJ/dθⱼ = dJ/da·da/dθⱼ, da/dθⱼ = xⱼ [0.20587 0.411741 -0.20587]"]),
        ("nn1_cross_entropy", ["dJ/dxᵢ = Σ_j dJ/daⱼ·daⱼ/dxᵢ, daⱼ/dxᵢ = αⱼᵢ [0.0090854 -0.00201752 0.0238915]",
                               "dJ/daⱼ = dJ/dzⱼ·dzⱼ/daⱼ, dzⱼ/daⱼ = zⱼ (1 - zⱼ) [0.0572068 -0.0336472]"]),
    ],
)  # fmt: skip
def test_the_backward_column_has_what_the_slides_have(name, cells):
    text = [re.sub(" +", " ", c) for c in backward_cells(shown(lecture(name).run(), 400))]
    for cell in cells:
        assert cell in text


# ---- order and finality


@pytest.mark.parametrize("path", LECTURE + PUBLISHED, ids=lambda p: p.stem)
@pytest.mark.parametrize("view", [{}, {"scalar": True}], ids=["tables", "scalar"])
def test_no_step_cites_an_adjoint_that_is_not_yet_final(path, view):
    run = load(path).run(**view)
    p, left = run.passes[0], Counter()
    whole = {n: v.ranges for n, v in run.graph.variables.items()}

    def elements(name, box):
        return [(name, k) for k in (offsets(box, whole[name]) if whole[name] else [0])]

    for terms in p.derivative.incoming.values():
        for c in terms:
            left.update(elements(c.variable, c.box))
    for group in p.derivative.order:
        for e in group.equations:
            if group.elements is None:
                assert not any(left[x] for x in elements(e.target, e.box)), f"{e.target} is not final"
            for c in p.derivative.outgoing[e]:
                left.subtract(elements(c.variable, c.box))
    assert not any(left.values())


@pytest.mark.parametrize("path", [p for p in LECTURE if p.stem != "ladder"], ids=lambda p: p.stem)  # a recurrence is one row for all elements
@pytest.mark.parametrize("options", [{}, {"steps": True}], ids=["table", "steps"])
def test_no_row_cites_an_adjoint_that_a_later_row_adds_to(path, options):
    text = shown(load(path).run(), 400, **options)
    cells = backward_cells(text) if not options else [line.split(". ", 1)[-1].strip() for line in text.splitlines() if " d" in line]
    found = [m for c in cells if (m := re.match(r"(d\S+/d\S+) \+?= (.*)", c))]
    assert found
    for k, m in enumerate(found):
        later = {x[1] for x in found[k + 1 :] if x[2] != m[2]}
        product = m[2].split(",  ")[0]
        assert not later.intersection(re.findall(r"d\w+/d[\w*]+", product)) - {m[1]}, m[0]


@pytest.mark.parametrize("text", [p.read_text() for p in LECTURE + PUBLISHED] + [RECURRENCE], ids=[p.stem for p in LECTURE + PUBLISHED] + ["recurrence"])
def test_the_running_totals_are_those_of_the_run(text):
    run = loads(text).run()
    for p in run.passes:
        totals = Totals(run, p)
        for name, terms in p.derivative.incoming.items():
            whole = run.graph.variables[name].ranges
            entries = list(run.entries(p, name))
            assert [e.contribution for e in entries] == list(terms)
            for e in entries:
                part, at = totals.of(e.contribution), offsets(e.contribution.box, whole) if whole else [0]
                assert part.total == [e.total[k] for k in at]
                assert part.value == [e.value[k] for k in at]
                if part.final:
                    assert part.total == [p.sweep.adjoints[name][k] for k in at]
                if part.alone:
                    assert part.final and part.value == part.total


@pytest.mark.parametrize("name", ["simple", "quiz1", "versions", "chain_rule", "nn1_cross_entropy"])
def test_versions_a_and_b_have_the_same_totals(name):
    run = lecture(name).run()
    b = shown(run, 400, steps=True).split("backward")[1].split("\n\n")[0]
    a = shown(run, 400, steps=True, mode="A").split("backward")[1].split("\n\n")[0]
    last = {m[1]: re.split(r" ⇒ |  +", m[0].strip())[-1] for m in re.finditer(r"^ *\d+\. (d\S+) .*$", b, re.M)}
    sums = {m[1]: m[0].strip().splitlines()[-1].split(" = ")[-1].strip().removeprefix("= ") for m in re.finditer(r"^ *\d+\. (d\S+) [^\n]*(?:\n  +=[^\n]*)*", a, re.M)}
    assert last == sums
    assert len(last) == sum(v.role not in ("const", "data") for v in run.graph.variables.values())


def test_steps_are_numbered_one_after_the_other():
    for options in ({"mode": "A"}, {"mode": "B"}):
        parts = shown(lecture("nn1_cross_entropy").run(), steps=True, **options).split("\n\n")[0].split("backward")
        for part in parts:
            numbers = [int(n) for n in re.findall(r"^ *(\d+)\. ", part, re.M)]
            assert numbers == list(range(1, len(numbers) + 1))


def test_rows_follow_the_author_or_the_evaluation():
    run = lecture("quiz1").run()

    def names(text):
        return [m[1] for line in rows(text) if (m := re.match(r" (\S+) = ", line.split("│")[0]))]

    assert names(shown(run)) == ["y", "y₁", "y₂", "y₃", "u", "s", "t"]
    assert names(shown(run, order="eval")) == ["t", "s", "u", "y₁", "y₂", "y₃", "y"]


def test_rows_out_of_order_say_how_the_totals_are_added():
    text = shown(loads("input x = 2\nt = x^2\nu2 = 3t\nu1 = sin(t)\nu = u1 + u2\nJ = cos(u)\n").run())
    assert "order in which the totals ⇒ are added: dJ/dt from u₁, u₂" in text
    assert "order in which" not in shown(lecture("simple").run())


def test_a_total_is_bold_when_it_is_final():
    file = io.StringIO()
    show_run(lecture("simple").run(), Console(file=file, width=160, force_terminal=True, color_system="standard"), Options())
    assert "\x1b[1m2.27479\x1b[0m" in file.getvalue()
    assert "\x1b[1m-0.633706" not in file.getvalue()


# ---- local derivatives


def test_a_local_derivative_is_total_only_where_no_other_path_leads():
    text = shown(lecture("versions").run(), 400)
    assert "du₁/dv = 2v" in text
    assert "∂u₂/∂z = 1" in text and "∂u₃/∂x = v" in text   # z and x reach u₂ and u₃ through v too
    assert "dv/dx = z" in text


def test_a_recurrence_is_one_row_with_the_elements_it_reaches():
    cells = [re.sub(" +", " ", c) for c in backward_cells(shown(loads(RECURRENCE).run(), 400))]
    assert any(c.startswith("dJ/dhₖ += dJ/dhₖ₊₁·dhₖ₊₁/dhₖ ∀ k=0..3, dhₖ₊₁/dhₖ = (1 - hₖ₊₁²) w") for c in cells)
    assert any(c.startswith("dJ/dw = Σ_k dJ/dhₖ·∂hₖ/∂w, ∂hₖ/∂w = ") for c in cells)
    assert any(c.startswith("dJ/dh₄ = 1") for c in cells)


def test_data_has_rows_only_when_it_is_asked_for():
    assert "dy*" not in shown(lecture("logistic").run()) and "/dy*" not in shown(lecture("logistic").run())
    assert "dJ/dy* = log(y) - log(1 - y)" in shown(lecture("logistic").run(wrt=["ystar"]))


def test_a_gather_is_written_with_where():
    text = shown(loads("data c[1..3] = [1, 2, 1]\nparam E[1..2] = [3, 4]\nv[i] = E[c[i]]^2 for i in 1..3\nJ = sum(v)\nminimize J\n").run())
    assert re.search(r"dJ/dE. = Σ_i where\(c. == .*, 0\)", text.replace("\n", " "))


def test_a_summed_index_and_its_local_derivative_have_one_name():
    program = "data c[1..3] = [1, 2, 1]\nparam E[1..2, 1..2] = [[1, 2], [3, 4]]\nv[i,k] = E[c[i],k]^2 for i in 1..3, k in 1..2\n"
    text = shown(loads(program + "J = sum(v) + sum(E[i,i] for i in 1..2)\nminimize J\n").run(), 400, mode="A")
    cell = next(c for c in backward_cells(text) if c.startswith("dJ/dE"))
    assert "Σ_l=1..3 where(cₗ == i, dJ/dvₗₖ·dvₗₖ/dEᵢₖ, 0),  ∂J/∂Eᵢₖ = 1,  dvₗₖ/dEᵢₖ = 2E[cₗ,k]" in cell


def test_grad_has_the_formulas_without_numbers():
    text = to_text(show_grad, lecture("simple").derivative())
    assert "dJ/dt = dJ/du₁·cos(t) + 3·dJ/du₂\n    du₁/dt = cos(t),  du₂/dt = 3\n" in text
    ascii = to_text(show_grad, lecture("simple").derivative(), ascii=True)
    assert "dJ/dt = dJ/du1*cos(t) + 3*dJ/du2\n" in ascii and ascii.isascii()
    recurrence = to_text(show_grad, loads(RECURRENCE).derivative(), ascii=True)
    assert "dJ/dh[k] = 2*h[k] + dJ/dh[k+1]*(1 - h[k+1]^2)*w for k in 1..3\n" in recurrence


# ---- numbers and widths


def numbers_in(text):
    return Counter(re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e-?\d+)?(?![\w.])", re.sub(r"[│┼┴─╶|]", " ", text)))


@pytest.mark.parametrize("name", ["simple", "nn1_cross_entropy", "quiz1"])
@pytest.mark.parametrize("options", [{}, {"mode": "A"}, {"steps": True}, {"steps": True, "mode": "A"}, {"plain": True}], ids=str)
def test_no_number_is_cut_at_any_width(name, options):
    run = lecture(name).run()
    wide = numbers_in(shown(run, 1000, **options))
    for width in range(40, 201, 1 if not options else 9):
        text = shown(run, width, **options)
        assert numbers_in(text) == wide, width
        if width >= 64:
            assert max(map(breadth, text.splitlines())) <= width


def test_a_number_has_the_digits_that_are_asked_for():
    assert [number(x) for x in (0.1, 1 / 3, 1e-7, 1234567, 1234567.25, -0.5, float("inf"), float("nan"), 1e300)] == [
        "0.1", "0.333333", "1e-7", "1234567", "1.23457e6", "-0.5", "inf", "nan", "1e300"]  # fmt: skip
    assert number(1 / 3, 3) == "0.333"
    assert "-0.757" in shown(lecture("simple").run(), digits=3)


def test_a_large_table_is_counted_beyond_twelve_entries():
    assert table([1, 2, 3, 4], [2, 2]) == "[1 2; 3 4]"
    assert table([1] * 8, [2, 2, 2]) == "[1 1; 1 1 | 1 1; 1 1]"
    assert table(list(range(20)), [20]) == "[0 1 2 3 4 5 6 7 8 9 10 11 … (8 more)]"
    assert table(list(range(20)), [20], all=True).count(" ") == 19
    assert table([], [0]) == "[]"


def test_a_name_wider_than_everything_stays_whole():
    name = "a" * 70
    text = shown(loads(f"J = cos({name})\ninput {name} = 1\n").run(), 40)
    assert name in text


def test_lines_break_at_blanks_and_rows_of_a_matrix():
    assert wrap("[1 2; 3 4]", 6) == ["[1 2;", "  3 4]"]
    assert wrap("zⱼ = aⱼ  ∀ j=1..2", 12) == ["zⱼ = aⱼ", "  ∀ j=1..2"]


def test_columns_are_as_wide_as_they_need():
    shape = columns([Row(Cell("a = b", value="1"), (Cell("c", value="2"),))], 100, "⇒", "│")
    assert (shape.forward, shape.backward, shape.stacked) == (8, 4, False)


# ---- what a file supplies


def test_markup_in_names_is_inert():
    program = "param w[1..2] = [1, 2]\ninput x[1..2] = [3, 4]\nz[j] = w[j]*x[j] for j in 1..2\nJ = sum(z)\nminimize J\nexpect z[1] = 3\n"
    text = shown(loads(program, "[red]a[bold].graph").run(), ascii=True)
    assert "z[j] = w[j]*x[j] for j in 1..2" in text and "[red]a[bold].graph" in text
    assert "dJ/dw[j] = dJ/dz[j]*diff(z[j], w[j])" in text
    assert "expect z[1] = 3  ok" in text


def test_control_and_bidi_characters_do_not_reach_the_terminal():
    text = shown(loads("J = x^2\ninput x = 1\n", "evil\x1b[31m\u202e.graph").run())
    assert "\x1b" not in text and "\u202e" not in text and "evil" in text


def test_ascii_is_ascii_and_plain_has_no_boxes():
    for path in LECTURE:
        assert shown(load(path).run(), ascii=True).isascii()
        assert not set("│─┼┴╶╭\t\x1b").intersection(shown(load(path).run(), plain=True))


def test_an_encoding_without_the_signs_gets_ascii():
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii")
    show_run(loads("J = u\nu = x^2\ninput x = 1\n", "größe.graph").run(), Console(file=file, width=100), Options())
    file.flush()
    assert b"dJ/dx = dJ/du*du/dx" in raw.getvalue()


def test_a_pipe_is_160_columns_wide_unless_the_environment_says(monkeypatch, capfd):
    monkeypatch.delenv("COLUMNS", raising=False)
    assert console().width == 160
    monkeypatch.setenv("COLUMNS", "77")
    assert console().width == 77
    assert console(plain=True).color_system is None


# ---- below the table


def test_the_summary_has_the_gradients_in_full():
    text = shown(lecture("quiz1").run())
    assert "\n dy/dx = 1208.38121512661\n" in text and "\n dy/dz = 809.707479218564\n" in text
    assert "\n dJ/dx = 9.09914854483238\n" in shown(lecture("simple").run())
    assert "\n at x = 2,  z = 3\n" in text


def test_several_goals_have_one_table_and_all_gradients():
    text = shown(loads("input x = 2\ny1 = x^2\ny2 = 3x\noutput y1, y2\n").run())
    assert "dy₁/dx = 4\n" in text and "dy₂/dx = 3\n" in text
    assert "dy₂/dy₂" not in text


def test_an_element_of_a_table_can_be_the_goal():
    text = shown(loads("input x[1..2] = [1, 2]\ny[i] = x[i]^2 for i in 1..2\noutput y\n").run())
    assert "dy₁/dy₁ = 1" in text and "dy₁/dx = [2 0]" in text and "dy₂/dx = [0 4]" in text


def test_expectations_show_both_sides_when_they_fail():
    text = shown(loads("J = x^2\ninput x = 2\nexpect J = 4\nexpect J = 5\nexpect dJ/dx > 0\n").run())
    assert "expect J = 4  ok" in text and "expect dJ/dx > 0  ok" in text
    assert "expect J = 5  failed: 4 on the left, 5 on the right" in text


def test_conventions_and_notes_are_told():
    text = shown(loads("r = relu(a)\nJ = r\ninput a = 0, dead = 3\n").run())
    assert "convention: r, at relu(a): relu has no derivative at 0; 0 is used (one-sided derivatives 0 and 1)" in text
    assert "note: J does not depend on dead" in text


def test_the_scalar_view_counts_nodes_and_edges():
    assert "\n nodes 8, edges 22 (one local derivative each)\n" in shown(lecture("nn1_cross_entropy").run(scalar=True))
    assert "nodes 5, edges 6 (one local derivative each)" in shown(lecture("simple").run(scalar=True), scalar=True)
    assert "nodes" not in shown(lecture("simple").run())


def test_a_run_that_failed_shows_what_was_evaluated():
    with pytest.raises(EvaluationError) as failed:
        loads("J = log(u) + v\nv = x^2\nu = x - 3\ninput x = 1\n").run()
    text = shown(failed.value.run)
    assert [line.split("  ")[0].strip() for line in rows(text)[3:-1]] == ["u = x - 3", "v = x²", "J = log(u) + v"]
    assert "nan ← not finite" in text and "dJ/d" not in text


def test_an_adjoint_that_is_not_finite_leaves_the_forward_part():
    with pytest.raises(EvaluationError) as failed:
        loads("J = sqrt(x)\ninput x = 0\n").run()
    text = shown(failed.value.run)
    assert "J = √" in text or "J = sqrt(x)" in text
    assert "not finite" not in text and "dJ/d" not in text


# ---- long programs


def chain(n):
    return loads("input x = 0.5\nt0 = x\n" + "".join(f"t{k} = sin(t{k - 1})\n" for k in range(1, n)))


@pytest.mark.parametrize("options", [{}, {"steps": True}, {"mode": "A"}, {"steps": True, "mode": "A"}], ids=str)
def test_a_long_program_shows_its_ends(options):
    run = chain(3000).run()
    text = shown(run, **options)
    assert len(text.splitlines()) < 130
    assert re.search(r"\d more (rows|steps): 3,00\d (rows|steps), `--all` shows them", text)
    assert "t₉ = sin(t₈)" in text and "t₂₉₉₉ = sin(t₂₉₉₈)" in text and "t₁₅₀₀ = " not in text
    every = shown(run, all=True, **options)
    assert all(f"{name} = sin(" in every for name in ("t₁", "t₁₅₀₀", "t₂₉₉₉")) and "--all" not in every


def test_only_what_is_shown_of_a_long_program_is_worked_out(monkeypatch):
    asked = []
    of = Totals._variable
    monkeypatch.setattr(Totals, "_variable", lambda self, name: asked.append(name) or of(self, name))
    shown(chain(1000).run())
    assert len(asked) <= 21


def test_a_long_formula_is_replaced_by_its_size():
    text = shown(loads("input x = 0.5\nJ = " + " + ".join(f"sin({k}*x)" for k in range(1, 300)) + "\n").run())
    assert re.search(r"J = \([\d,]+ operations and operands: --expand\)", text)
    assert re.search(r"dJ/dx = \([\d,]+ operations and operands: --expand\)", text)
    assert max(map(len, text.splitlines())) <= 160


def test_the_adjoint_texts_are_the_same_by_the_short_way():
    derivative = lecture("quiz1").derivative()
    for ascii in (False, True):
        texts = Adjoints(derivative, ascii)
        for terms in derivative.outgoing.values():
            for c in terms:
                assert texts._label(c) == texts.expression(texts.label(c))
                assert texts.adjoint(c.variable) == texts.expression(texts.pool.read(derivative.adjoint_name(c.variable)))
