"""The `train` block: what its entries mean, what is wrong with them, and that nothing else of a program minds it."""

import json
from itertools import product

import pytest
from hypothesis import given, strategies as st

import graphlang as gl
from graphlang.cli.main import main
from graphlang.diagnostics import GraphError, Source
from graphlang.engines.reference import evaluate
from graphlang.graph.graph import Goal, Wanted
from graphlang.graph.optimisers import OPTIMISERS
from graphlang.graph.substitute import substitute
from graphlang.repl.session import Session
from graphlang.syntax.format_statements import format_program
from graphlang.syntax.parser import parse
from graphlang.syntax.tidy_proof import same

BASE = """const M = 2
data x[0..M] = [1, 0, 0]
data ystar
input A[2, 3] = 0
param w[0..M] = 0
J = (b - ystar)^2
b = sum(w[i]*x[i] for i)
"""
ENTRIES = {"data": 'csv("a.csv"), x[1..M], ystar', "rate": "0.1", "epochs": "3"}


def block(**entries):
    return "train {\n" + "".join(f"  {name}: {value}\n" for name, value in {**ENTRIES, **entries}.items() if value is not None) + "}\n"


def program(base=BASE, goal="minimize J\n", **entries):
    """A program that learns; an entry that is None is left out."""
    return base + goal + block(**entries)


def training(text):
    return gl.loads(text).graph.training


def said(text):
    with pytest.raises(GraphError) as caught:
        gl.loads(text, "a.graph").graph
    return caught.value.diagnostics


# ---- what it means


def test_what_is_not_said_has_its_value():
    t = training("set seed = 7\n" + program())
    assert (t.goal, t.data.file, t.test, t.epochs) == (Goal("minimize", "J"), "a.csv", None, 3)
    assert (t.batch, t.shuffle, t.seed, t.optimizer, t.parameters, t.patience) == (1, False, 7, "sgd", (), None)
    assert [r.text for r in t.reports] == ["mean(J)"] and t.reports[0].value.name == "J"


@pytest.mark.parametrize("entry, value, field, wanted", [
    ("epochs", "2*M^3", "epochs", 16), ("batch", "16", "batch", 16), ("shuffle", "yes", "shuffle", True), ("shuffle", "no", "shuffle", False),
    ("seed", "3", "seed", 3), ("patience", "M", "patience", 2), ("optimizer", "momentum", "parameters", (0.9,)), ("optimizer", "sgd()", "parameters", ()),
    ("optimizer", "adam(0.8, eps=1e-6)", "parameters", (0.8, 0.999, 1e-6)), ("optimizer", "adam(b2=1/M)", "parameters", (0.9, 0.5, 1e-8)),
    ("data", 'npy("a.npz", "train"), x, ystar', "data", Wanted("npy", "a.npz", None, ("train",))),
    ("test", 'csv("b.csv")', "test", Wanted("csv", "b.csv", None)),
    ("test", 'csv("b.csv"), x[1..M], ystar', "test", Wanted("csv", "b.csv", None)),
    ("test", 'csv("b.csv", 3, 1, M), x[1], x[2], ystar', "test", Wanted("csv", "b.csv", None, (3, 1, 2))),
])
def test_an_entry_says_what_it_says(entry, value, field, wanted):
    found = getattr(training(program(**{entry: value})), field)
    assert (found._replace(at=None) if type(found) is Wanted else found) == wanted


def test_the_file_of_the_test_is_read_by_the_columns_that_data_names():
    t = training(program(data='csv("a.csv", "u", "v", "y"), x[1..M], ystar', test='csv("b.csv")'))
    assert t.test.columns == t.data.columns == ("u", "v", "y")
    assert training(program(data='npy("a.npz", "one"), x[1..M], ystar', test='npy("b.npy")')).test.columns == ()


@pytest.mark.parametrize("slots, wanted", [
    ("x[1..M], ystar", [("x", (1, 2), ("x[1]", "x[2]")), ("ystar", (0,), ("ystar",))]),
    ("ystar, x", [("ystar", (0,), ("ystar",)), ("x", (0, 1, 2), ("x[0]", "x[1]", "x[2]"))]),
    ("x[2], ystar, x[M-1..1]", [("x", (2,), ("x[2]",)), ("ystar", (0,), ("ystar",)), ("x", (1,), ("x[1]",))]),
    ("A[2, 1..M], ystar", [("A", (3, 4), ("A[2,1]", "A[2,2]")), ("ystar", (0,), ("ystar",))]),
    ("A[1..2, 2..3], ystar", [("A", (1, 2, 4, 5), ("A[1,2]", "A[1,3]", "A[2,2]", "A[2,3]")), ("ystar", (0,), ("ystar",))]),
])
def test_columns_fill_elements_in_their_order(slots, wanted):
    assert [f[:3] for f in training(program(data=f'csv("a.csv"), {slots}')).feeds] == wanted


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(1, 4), st.data()), min_size=1, max_size=3))
def test_a_slice_is_the_part_of_the_table_that_its_names_say(axes):
    ranges, parts = [], []
    for low, extent, data in axes:
        a = data.draw(st.integers(low, low + extent - 1))
        ranges.append((low, low + extent - 1))
        parts.append((a, data.draw(st.integers(a, low + extent - 1))))
    declared, picked = (", ".join(f"{a}..{b}" for a, b in r) for r in (ranges, parts))
    t = training(f"data T[{declared}] = 0\nparam w = 1\nJ = w*sum(T)\nminimize J\n" + block(data=f'csv("a"), T[{picked}]'))
    all_places = list(product(*(range(a, b + 1) for a, b in ranges)))
    chosen = [p for p in all_places if all(a <= k <= b for k, (a, b) in zip(p, parts))]
    assert t.feeds[0].names == tuple(f"T[{','.join(map(str, p))}]" for p in chosen)
    assert [all_places[k] for k in t.feeds[0].elements] == chosen


@pytest.mark.parametrize("rate, at", [("0.5", [0.5, 0.5]), ("M/4", [0.5, 0.5]), ("0.1/(1 + epoch/10)", [0.1 / 1.1, 0.1 / 1.2]), ("0.5*0.9^epoch", [0.45, 0.405]),
                                      ("where(epoch < 2, 0.1, 0.01)", [0.1, 0.01]), ("half(epoch)", [0.5, 1.0]), ("max(0.3, 1/epoch^2)", [1.0, 0.3])])
def test_a_rate_may_depend_on_the_epoch(rate, at):
    body = training(program(BASE + "half(v) = v/2\n", rate=rate)).rate
    assert [evaluate(substitute(body, {"epoch": body.pool.number(k)}), (), {}, {})[0] for k in (1, 2)] == pytest.approx(at, rel=1e-15)


def test_the_goal_is_the_first_that_has_a_direction():
    t = training(program(BASE + "y = b\nK = [J, 2J]\n", goal="output y\nmaximize K[2]\nminimize J\n"))
    assert t.goal == Goal("maximize", "K", (2,)) and t.reports[0].text == "mean(K[2])"


def test_a_report_is_any_number_of_an_example():
    t = training(program(BASE + "slope = dJ/db\n", report="mean(J),\n   mean( (b > 0.5) == ystar ), mean(abs(slope)), mean(sum(x[i]^2 # squares\n for i))"))
    assert [r.text for r in t.reports] == ["mean(J)", "mean( (b > 0.5) == ystar )", "mean(abs(slope))", "mean(sum(x[i]^2 for i))"]
    assert "dJ/db" in gl.loads(program(BASE + "slope = dJ/db\n")).graph.variables


def test_other_consts_give_other_columns():
    graph, _ = gl.loads(program(BASE.replace("[1, 0, 0]", "1"))).with_consts({"M": 3})
    assert [f.names for f in graph.training.feeds] == [("x[1]", "x[2]", "x[3]"), ("ystar",)]


def test_without_its_sizes_a_program_has_no_columns_yet():
    p = gl.loads("dim P\ndata x[1..P], y\nparam w[1..P]\nJ = (sum(w[i]*x[i] for i in 1..P) - y)^2\nminimize J\n" + block(data='csv("a"), x, y'))
    assert p.graph.training is None
    assert p.with_consts({"P": 2})[0].training.feeds[0].elements == (0, 1)


def test_an_included_file_may_hold_the_block(tmp_path):
    (tmp_path / "base.graph").write_text(program())
    (tmp_path / "top.graph").write_text('include "base.graph"\noverride J = abs(b - ystar)\n')
    assert gl.load(tmp_path / "top.graph").graph.training.epochs == 3


# ---- what is wrong with it

WRONG = {
    "an entry is missing": (program(rate=None), "E410", 9, ["`rate:` is missing", "`rate: 0.1`"]),
    "a misspelt entry": (program(rate=None, rat="1"), "E410", 12, ["`train` has no entry `rat`", "did you mean `rate`?"]),
    "an entry twice": (program(seed="1\n  seed: 2"), "E410", 14, ["`seed` stands twice", "the first time"]),
    "two blocks": (program() + block(), "E410", 14, ["one `train` block"]),
    "no goal": (program(goal=""), "E414", 8, ["the program names none", "`minimize J`"]),
    "only outputs": (program(goal="output b\n"), "E414", 9, ["only outputs", "`minimize b`"]),
    "no param": (program(BASE.replace("param", "input")), "E414", 9, ["`J` depends on no param", "`param A = …`"]),
    "no leaves": (program(data='csv("a.csv")'), "E412", 10, ["what do the columns fill?"]),
    "no file": (program(data="x, ystar"), "E412", 10, ["`data` begins with a file"]),
    "only its name": (program(data='"a.npz", x, ystar'), "E412", 10, ["`npy(\"a.npz\")`"]),
    "a file that is no string": (program(data="csv(a), x, ystar"), "E304", 10, ["in quotes"]),
    "no such leaf": (program(data='csv("a"), xx, ystar'), "E101", 10, ["did you mean `x`?"]),
    "a param": (program(data='csv("a"), w, ystar'), "E412", 10, ["`w` cannot be filled", "training changes it"]),
    "a node": (program(data='csv("a"), b, ystar'), "E412", 10, ["it has an equation", "`data b`"]),
    "a const": (program(data='csv("a"), M, ystar'), "E412", 10, ["the same for all examples"]),
    "an expression": (program(data='csv("a"), 2x, ystar'), "E412", 10, ["columns fill leaves"]),
    "a symmetric leaf": (program("data S[2, 2] symmetric = 1\n" + BASE, data='csv("a"), S, ystar'), "E412", 11, ["without `symmetric`"]),
    "outside of a range": (program(data='csv("a"), x[1..3], ystar'), "E222", 10, ["no element 3", "its range is 0..2"]),
    "an index": (program(data='csv("a"), x[i], ystar'), "E101", 10, ["`i` is not defined"]),
    "a range backwards": (program(data='csv("a"), x[2..0], ystar'), "E217", 10, ["runs backwards", "`0..2`"]),
    "half an element": (program(data='csv("a"), x[1..1.5], ystar'), "E213", 10, ["whole number"]),
    "subscripts of a scalar": (program(data='csv("a"), ystar[1]'), "E203", 10, ["is a scalar"]),
    "too few subscripts": (program(data='csv("a"), A[1], ystar'), "E204", 10, ["has 2 ranges", "`A[1..2,1..3]`"]),
    "an element twice": (program(data='csv("a"), x[1..M], x[2], ystar'), "E412", 10, ["`x[2]` is filled twice"]),
    "too few columns are named": (program(data='csv("a", "u"), x[1..M], ystar'), "E412", 10, ["1 column is named, and 3 elements"]),
    "a leaf is forgotten": (program(data='csv("a"), x[1..M]'), "E413", 3, ["`ystar` has no value", "`data: …, ystar`", "`x[1]` to `x[2]`"]),
    "some elements are forgotten": (program(BASE.replace(" = [1, 0, 0]", "")), "E413", 10, ["`x[0]` has no value", "`data x[0..2] = ones`"]),
    "many elements are forgotten": (program(BASE.replace("A[2, 3] = 0", "A[2, 3]"), data='csv("a"), A[1,2], ystar'), "E413", 10,
                                    ["`A[1,1]`, `A[1,3]`, `A[2,1]`, `A[2,2]` and 1 more have no value"]),
    "only a report needs it": (program(BASE + "data c\n", report="mean(b == c)"), "E413", 8, ["`c` has no value"]),
    "the test fills others": (program(test='csv("b"), ystar, x[1..M]'), "E412", 13, ["the same elements", "`csv(\"test.csv\", \"b\", \"a\")`"]),
    "the test names too many": (program(test='csv("b", 1, 2, 3, 4)'), "E412", 13, ["4 columns are named"]),
    "no rate": (program(rate="0"), "E411", 11, ["greater than 0", "this is 0"]),
    "a rate downwards": (program(rate="-0.1"), "E411", 11, ["down by itself"]),
    "a rate that ends": (program(rate="1 - epoch/3"), "E411", 11, ["in epoch 3 it is 0"]),
    "a rate that ends late": (program(rate="1 - epoch/1e6", epochs="1e6"), "E411", 11, ["in epoch 1000000 it is 0"]),
    "a rate that is not finite": (program(rate="1/(epoch - 1)"), "E411", 11, ["in epoch 1 it is inf"]),
    "a rate from a variable": (program(rate="ystar"), "E411", 11, ["numbers, consts and `epoch`", "`ystar` is a data leaf"]),
    "a rate from nothing": (program(rate="r"), "E101", 11, ["`r` is not defined"]),
    "a rate with a sum": (program(rate="sum(1/k for k in 1..3)"), "E411", 11, ["without sums"]),
    "a rate with a derivative": (program(rate="dJ/db"), "E411", 11, ["or derivatives"]),
    "two rates": (program(rate="0.1, 0.2"), "E411", 11, ["`rate` is one value"]),
    "a table for a rate": (program(rate="[0.1, 0.2]"), "E205", 11, ["a number is wanted"]),
    "a variable is called epoch": (program("data epoch = 1\n" + BASE, rate="1/epoch"), "E104", 12, ["a variable of that name"]),
    "no epoch": (program(epochs="0"), "E411", 12, ["1 or greater"]),
    "half an epoch": (program(epochs="M/4"), "E411", 12, ["this is 0.5"]),
    "the epoch outside of a rate": (program(batch="epoch"), "E101", 13, ["`epoch` is not defined"]),
    "no switch": (program(shuffle="true"), "E411", 13, ["`yes` or `no`"]),
    "a seed below 0": (program(seed="-1"), "E411", 13, ["0 or greater"]),
    "no patience": (program(patience="0"), "E411", 13, ["1 or greater"]),
    "a misspelt optimizer": (program(optimizer="adm"), "E411", 13, ["did you mean `adam`?"]),
    "another optimizer": (program(optimizer="rmsprop"), "E411", 13, ["`momentum(mu=0.9)`"]),
    "no optimizer": (program(optimizer="0.9"), "E411", 13, ["is a name"]),
    "a parameter out of bounds": (program(optimizer="adam(1)"), "E411", 13, ["`b1` of `adam` is 0 or greater and less than 1", "this is 1"]),
    "a parameter that is too small": (program(optimizer="adam(eps=0)"), "E411", 13, ["`eps` of `adam` is greater than 0"]),
    "a parameter twice": (program(optimizer="adam(0.9, b1=0.8)"), "E411", 13, ["`b1` is given twice"]),
    "a parameter too many": (program(optimizer="momentum(0.5, 0.5)"), "E411", 13, ["no such argument", "`momentum(mu=0.9)`"]),
    "a parameter that there is not": (program(optimizer="adam(beta=0.5)"), "E411", 13, ["`adam` has no parameter `beta`"]),
    "a parameter behind a named one": (program(optimizer="adam(b1=0.5, 0.5)"), "E411", 13, ["no such argument"]),
    "a report without a mean": (program(report="J"), "E411", 13, ["a mean over the examples", "`mean(J)`"]),
    "a report over an index": (program(report="mean(x[i] for i)"), "E411", 13, ["`mean(mean(x[i] for i))`"]),
    "a report twice": (program(report="mean(J), mean( J )"), "E411", 13, ["stands twice"]),
    "a report of a table": (program(report="mean(x)"), "E205", 13, ["a number is wanted"]),
    "a report outside of a range": (program(report="mean(x[3])"), "E222", 13, ["`x[3]` is outside"]),
    "a report of nothing": (program(report="mean(K)"), "E101", 13, ["`K` is not defined"]),
    "a report of a derivative": (program(report="mean(dJ/db)"), "E411", 13, ["`g = dJ/db`", "`mean(g)`"]),
    "too many columns": (program("data big[400, 400]\n" + BASE, data='csv("a"), big, ystar'), "E902", 11, ["more than 100,000 columns", "160,000"]),
}  # fmt: skip


@pytest.mark.parametrize("text, code, line, words", WRONG.values(), ids=WRONG)
def test_a_mistake_is_explained_once_at_its_place(text, code, line, words):
    (d,) = said(text)
    assert (d.code, Source("", text).position(d.at.start)[0]) == (code, line)
    told = "\n".join([d.message, d.text, *(label.text for label in d.labels), *d.hints])
    assert [w for w in words if w not in told] == [], told


def test_several_mistakes_are_told_at_once_in_the_order_of_the_text():
    found = said(program(data='csv("a"), x[1..3], b', rate="-1", epochs="0", shuffle="maybe", optimizer="sgd(1)", report="J, mean(K)"))
    assert [d.code for d in found] == ["E222", "E412", "E411", "E411", "E411", "E411", "E411", "E101"]


def test_mistakes_of_its_form_are_told_with_those_of_the_equations():
    assert [d.code for d in said(program(BASE + "u = v\n", epoch="2"))] == ["E101", "E410"]


def test_every_optimiser_can_be_written_as_its_form_says():
    for row in OPTIMISERS.values():
        t = training(program(optimizer=row.form))
        assert (t.optimizer, t.parameters) == (row.name, tuple(row.parameters.values()))


# ---- what does not mind it


def test_a_run_is_that_of_the_program_without_the_block(tmp_path, capsys):
    """No file is read: there is none."""
    path = tmp_path / "a.graph"
    out = []
    for text in (program(test='csv("b.csv")'), BASE + "minimize J\n"):
        path.write_text(text)
        assert main(["run", str(path), "--set", "ystar=2", "--json"]) == 0
        out.append(json.loads(capsys.readouterr().out))
    assert out[0] == out[1] and out[0]["adjoints"]["w"] == [-4, 0, 0]


def test_a_leaf_that_only_data_fill_has_no_value_in_a_run(tmp_path, capsys):
    (tmp_path / "a.graph").write_text(program())
    assert main(["run", str(tmp_path / "a.graph"), "--plain"]) == 1
    assert "E401" in capsys.readouterr().err
    assert main(["check", str(tmp_path / "a.graph"), "--plain"]) == 0
    assert "no values for ystar" in capsys.readouterr().out


def test_views_and_derivatives_do_without_it():
    for text in (program(), program(BASE + "g = dJ/db\n")):
        p = gl.loads(text)
        assert p.run(ystar=1, scalar=True)["J"] == p.run(ystar=1, expand=True)["J"] == 1
        assert p.graph.training is not None and str(p.derivative().goal) == "J"


def test_in_a_session_a_second_block_takes_the_place_of_the_first():
    s = Session()
    s.add(Source("", program()))
    s.add(Source("", block(epochs="5")))
    assert s.built.graph.training.epochs == 5
    assert sum(item.kind == "train" for item in s.state.items) == 1


# ---- its text

TEXTS = {
    "one line": ("train { rate: 1; epochs: 2 }", "train {\n  rate: 1\n  epochs: 2\n}\n"),
    "nothing": ("train {\n}", "train { }\n"),
    "slices": ('train {\n  data:csv("a\\\\b", "x", 2) , x[ 1 .. M-1 ],A[2,1..3]  # fills\n}', 'train {\n  data: csv("a\\\\b", "x", 2), x[1..M-1], A[2,1..3]\n}\n'),
    "an optimizer": ("train {\n  optimizer: adam( b2 = .99 )\n  rate: 0.1/( 1+epoch/10)\n}", "train {\n  optimizer: adam(b2=.99)\n  rate: 0.1/(1 + epoch/10)\n}\n"),
}


@pytest.mark.parametrize("text, wanted", TEXTS.values(), ids=TEXTS)
def test_the_text_of_a_block_reads_back_to_its_tree(text, wanted):
    printed = format_program(parse(Source("", text)))
    assert printed == wanted and format_program(parse(Source("", printed))) == printed
    assert same(text, printed if "#" not in text else printed[:-2] + "# fills\n}\n")


@pytest.mark.parametrize("one, other", [
    ("rate: 1", "rate: 2"), ("rate: 1\n  seed: 2", "seed: 2\n  rate: 1"), ("data: csv(\"a\"), x", "data: csv(\"b\"), x"), ("data: f(1), x[1..2]", "data: f(1), x[1..3]"),
    ("data: f(1), x[1..2]", "data: f(1), x[1]"), ("report: mean(J)", "report: mean(K)"), ("rate: 1", "rate: 1, 1"), ("rate: 1", "seed: 1"),
])
def test_another_block_is_another_program(one, other):
    assert not same(f"train {{\n  {one}\n}}\n", f"train {{\n  {other}\n}}\n")


@pytest.mark.parametrize("text", [t for t, _ in TEXTS.values()], ids=TEXTS)
def test_a_formatted_block_stays_as_it_is(text, tmp_path, capsys):
    path = tmp_path / "a.graph"
    path.write_text(text + "\n")
    assert main(["fmt", str(path)]) == 0
    once = path.read_text()
    assert main(["fmt", "--check", str(path)]) == 0 and path.read_text() == once and same(text, once)
