"""The programs of programs/training learn what their comments say, from the data beside them."""

import gzip
import subprocess
import sys
from pathlib import Path

import graphlang as gl
import pytest

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "programs/training"
PROGRAMS = sorted(FOLDER.glob("*.graph"), key=lambda p: p.stem)
LEARNT = {"cancer": 0.98, "digits": 0.95, "digits_two_layers": 0.95, "digits_recurrent": 0.93}  # of the test set, told right
ENGINES = ("python", "numpy", "numba")
EXAMPLES = {"digits": (1438, 359), "cancer": (456, 113)}
each_program = pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)

EPOCHS = [(0.6341002568831542, 0.6979583373288702), (0.5531510003036265, 0.7772047330904849), (0.5449372482927209, 0.8392063809370293),
          (0.5446232950996172, 0.8722308373070964)]
PARAMS = {"alpha": [[0.1497243308427822, 0.35361843491269207, 0.4474259510946539], [-0.1598894154168975, 0.3585731689731485, -0.2615912919642572]],
          "beta": [0.7114428666056383, 0.9606845023844742, 0.016859257470006807]}


def load(name):
    return gl.load(FOLDER / f"{name}.graph")


def numbers(value):
    return [x for part in value for x in numbers(part)] if isinstance(value, list) else [value]


def rows(name):
    with gzip.open(FOLDER / f"{name}.csv.gz", "rt") as file:
        return [line.rstrip("\n").split(",") for line in file]


def test_every_program_has_a_number_that_it_is_held_to():
    assert {p.stem for p in PROGRAMS} == {*LEARNT, "sgd_reference"}


@pytest.mark.parametrize("engine", ENGINES)
def test_the_reference_run_has_the_numbers_of_its_comment(engine):
    try:
        trained = load("sgd_reference").train(engine)
    except gl.UsageError as why:
        pytest.skip(str(why))
    found = [(*e.train, *e.test) for e in trained.history]
    assert [x for e in found for x in e] == pytest.approx([x for e in EPOCHS for x in e], rel=0, abs=1e-14)  # sums in another order
    for name, wanted in PARAMS.items():
        assert numbers(trained.params[name]) == pytest.approx(numbers(wanted), rel=0, abs=1e-14)


def test_the_comment_of_the_reference_run_has_its_numbers():
    text = (FOLDER / "sgd_reference.graph").read_text(encoding="utf-8")
    assert [n for n in (*(x for e in EPOCHS for x in e), *numbers(list(PARAMS.values()))) if repr(n) not in text] == []


def test_with_the_goal_the_wrong_way_the_reference_run_ends_where_its_comment_says(tmp_path):
    for name in ("r1_train.csv", "r1_test.csv"):
        (tmp_path / name).write_text((FOLDER / name).read_text())
    program = tmp_path / "wrong.graph"
    program.write_text((FOLDER / "sgd_reference.graph").read_text(encoding="utf-8").replace("\nmaximize J", "\nminimize J"), encoding="utf-8")
    assert gl.load(program).train("python").history[-1].train[0] == pytest.approx(2.842902, abs=5e-7)


@each_program
def test_an_epoch_makes_the_loss_less_and_the_same_again_has_the_same_bits(path):
    def train():
        return gl.load(path).train(epochs=1)

    first, second = train(), train()
    before, after = (e.train[0] for e in first.history)
    assert after < before and (first.params, first.history) == (second.params, second.history)


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.nightly) if n == "digits_recurrent" else n for n in LEARNT])
def test_a_training_tells_as_many_new_examples_right_as_its_comment_says(name):
    last = load(name).train().history[-1]
    assert last.test[1] >= LEARNT[name] and last.train[1] > 0.98


@pytest.mark.parametrize("name", LEARNT)
def test_the_values_in_the_program_are_those_of_the_first_example(name):
    program = load(name)
    feeds, values = program.graph.training.feeds, program.run().values
    names, first = rows(program.graph.training.data.file.removesuffix(".csv.gz"))[:2]
    assert names == [n for f in feeds for n in f.names]
    assert [float(x) for x in first] == [x for f in feeds for x in numbers([values[f.leaf]])]


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_example_of_a_test_set_is_trained_on(name):
    train, test = rows(f"{name}_train")[1:], rows(f"{name}_test")[1:]
    assert (len(train), len(test)) == EXAMPLES[name] and not {*map(tuple, train)} & {*map(tuple, test)}


@pytest.mark.nightly
def test_the_data_files_are_those_that_the_tool_writes():
    pytest.importorskip("sklearn")
    done = subprocess.run([sys.executable, ROOT / "tools/export_training.py", "--check"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "nothing to write\n", "")
