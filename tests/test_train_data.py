"""The data of a training: which column fills what, and for each thing that can be wrong a message with the file, the row and the column."""

import gzip
import io
from pathlib import Path

import numpy as np
import pytest

import graphlang as gl
from graphlang.cli.main import main
from graphlang.train.headers import by_name
from graphlang.train.job import prepare

HEAD = "data x[1..2], t\nparam w[1..2] = [1, -1]\nJ = (w[1]*x[1] + w[2]*x[2] - t)^2\nminimize J\n"
GATHER = "data c, k[1..2], t\nparam E[0..2] = [1, 2, 3]\nJ = (E[c] + E[k[1]] - t)^2 + 0*k[2]\nminimize J\n"


def block(data: str, test: str = "") -> str:
    return "train {\n  data: " + data + "\n" + (f"  test: {test}\n" if test else "") + "  rate: 0.1\n  epochs: 1\n}\n"


def arrays(folder: Path, text: str, which: str = "train"):
    return {n: a.tolist() for n, a in getattr(prepare(gl.loads(text, folder=folder), "python"), which).arrays.items()}


def put(folder: Path, name: str, content) -> None:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def npy(array) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=True)
    return out.getvalue()


def npz(**arrays) -> bytes:
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


# ---- what fills what

WANTED = {"x": [[1.0, 2.0], [4.0, 5.0]], "t": [[3.0], [6.0]]}


@pytest.mark.parametrize("header, rows", [
    ("", "1,2,3\n4,5,6\n"), ("a,b,c\n", "1,2,3\n4,5,6\n"), ("x[1],x[2],t\n", "1,2,3\n4,5,6\n"), ("t,x[2],x[1]\n", "3,2,1\n6,5,4\n"), ("x_2,t,x_1\n", "2,3,1\n5,6,4\n"),
    ("x2;t;x1\n", "2;3;1\n5;6;4\n"), ("id,x1,x2,t\n", "9,1,2,3\n9,4,5,6\n"), ('"t","x[2]"," x[ 1 ] "\n', "3,2,1\n6,5,4\n"), ("\ufeffx1,x2,t\r\n", "1,2,3\r\n4,5,6\r\n"), ("town,t,x2,x1,\n", "Ulm,3,2,1,\nBonn,6,5,4,nan\n"),
])
def test_columns_go_by_name_where_a_header_has_all_names_and_else_by_place(header, rows, tmp_path):
    put(tmp_path, "d.csv", header + rows)
    assert arrays(tmp_path, HEAD + block('csv("d.csv"), x, t')) == WANTED


def test_columns_that_are_named_come_in_that_order(tmp_path):
    put(tmp_path, "d.csv", "x1,x2,t\n2,3,1\n5,6,4\n")
    assert arrays(tmp_path, HEAD + block('csv("d.csv", "t", "x1", "x2"), x, t')) == WANTED


@pytest.mark.parametrize("name, content, form", [
    ("d.csv.gz", gzip.compress(b"1,2,3\n4,5,6\n"), 'csv("d.csv.gz")'), ("d.npy", npy(np.array([[1, 2, 3], [4, 5, 6]])), 'npy("d.npy")'),
    ("d.npz", npz(a=np.zeros(2), b=np.array([[1.0, 2, 3], [4, 5, 6]])), 'npy("d.npz", "b")'), ("d.npy", npy(np.arange(1, 7).reshape(2, 3, 1)), 'npy("d.npy")'),
])
def test_data_may_be_packed_or_arrays(name, content, form, tmp_path):
    put(tmp_path, name, content)
    assert arrays(tmp_path, HEAD + block(f"{form}, x, t")) == WANTED


def test_data_may_be_a_parquet_file(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow.parquet import write_table

    write_table(pyarrow.table({"t": [3.0, 6.0], "x2": [2.0, 5.0], "town": ["Ulm", None], "x1": [1.0, 4.0]}), tmp_path / "d.parquet")
    assert arrays(tmp_path, HEAD + block('csv("d.parquet"), x, t')) == WANTED


def test_elements_that_no_column_fills_keep_what_the_program_says(tmp_path):
    put(tmp_path, "d.csv", "5,7\n6,8\n")
    text = "data x[0..1] = [1, 0], t\nparam w[0..1] = ones\nJ = (w[0]*x[0] + w[1]*x[1] - t)^2\nminimize J\n" + block('csv("d.csv"), x[1], t')
    assert arrays(tmp_path, text) == {"x": [[1.0, 5.0], [1.0, 6.0]], "t": [[7.0], [8.0]]}


def test_the_columns_of_the_test_set_are_found_by_themselves(tmp_path):
    put(tmp_path, "d.csv", "9,9,9\n")
    put(tmp_path, "e.csv", "t,x1,x2\n3,1,2\n6,4,5\n")
    assert arrays(tmp_path, HEAD + block('csv("d.csv"), x, t', 'csv("e.csv")'), "test") == WANTED


@pytest.mark.parametrize("header, elements, found", [
    (["A_1_2", "A1_1"], ["A[1,1]", "A[1,2]"], [1, 0]), (["x1", "x[1]"], ["x[1]", "x1"], [1, 0]), (["α", "y*"], ["alpha", "ystar"], [0, None]),
    (["x1"], ["x[1]", "x1"], [None, 0]), (["x[1]", "x1"], ["x[1]"], [0]),
])
def test_how_a_header_may_spell_elements(header, elements, found):
    assert by_name(header, elements) == found


# ---- what can be wrong

ONE = 'csv("d.csv"), x, t'
BAD = {  # what is in the file; what a message must have
    "a word": ("1,2,3\n4,five,6\n", "`d.csv`, line 2, column 2"),
    "a word, with a header": ("x1,x2,t\n1,2,3\n4,five,6\n", "`d.csv`, line 3, column `x2`"),
    "empty": ("1,2,3\n4,,6\n", "`d.csv`, line 2, column 2"),
    "blank": ("1,2,3\n4, ,6\n", "`d.csv`, line 2, column 2"),
    "nan": ("1,2,3\n4,5,nan\n", "`d.csv`, line 2, column 3"),
    "inf": ("1,-inf,3\n4,5,6\n", "`d.csv`, line 1, column 2"),
    "too large": ("1,2,3\n4,5,1e999\n", "`d.csv`, line 2, column 3"),
    "missing value": ("1,2,3\n4,NA,6\n", "`d.csv`, line 2, column 2"),
    "a comma in a number": ("1;2;3\n4;5,5;6\n", "`d.csv`, line 2, column 2"),
    "hexadecimal": ("1,2,3\n0x10,5,6\n", "`d.csv`, line 2, column 1"),
    "short row": ("1,2,3\n4,5\n", "`d.csv`, line 2"),
    "long row": ("1,2,3\n4,5,6,7\n", "`d.csv`, line 2"),
    "comma at the end": ("1,2,3\n4,5,6,\n", "`d.csv`, line 2"),
    "too few columns": ("1,2\n4,5\n", "`d.csv` has 2 columns, and 3 elements are to be filled"),
    "too many columns": ("1,2,3,4\n4,5,6,7\n", "`d.csv` has 4 columns, and 3 elements are to be filled"),
    "no file": (None, "there is no file `d.csv`"),
    "no rows": ("", "`d.csv`"),
    "a header alone": ("x1,x2,t\n", "`d.csv`"),
    "two columns of one name": ("x1,x1,t\n1,2,3\n", "`d.csv`"),
    "names that are others by place": ("x2,x1,y\n1,2,3\n", "`d.csv`: column 2 is called `x1`, but no column is called `t`"),
    "names in capitals at other places": ("T,X1,X2\n1,2,3\n", "`d.csv`: column 2 is called `X1`, but no column is called `x[1]`"),
    "an open quote": ('1,2,3\n4,"5,6\n7,8,9\n', "`d.csv`, line"),
    "not UTF-8": (b"1,2,3\n4,\xff,6\n", "`d.csv`"),
    "NUL": (b"1,2,3\n4,\x00,6\n", "`d.csv`"),
    "an array": (npy(np.zeros((2, 3))), "`d.csv`"),
    "blanks between": ("1 2 3\n4 5 6\n", "`d.csv`"),
}
BINARY = {
    "not gzip": ("d.csv.gz", b"1,2,3\n", 'csv("d.csv.gz")', "`d.csv.gz`"),
    "cut gzip": ("d.csv.gz", gzip.compress(b"1,2,3\n4,5,6\n" * 50)[:-20], 'csv("d.csv.gz")', "`d.csv.gz`"),
    "objects": ("d.npy", npy(np.array([[{}]], dtype=object)), 'npy("d.npy")', "`d.npy`"),
    "nan in an array": ("d.npy", npy(np.array([[1, 2, 3], [4, np.nan, 6.0]])), 'npy("d.npy")', "`d.npy`, row 2, column 2"),
    "cut array": ("d.npy", npy(np.ones((3, 3)))[:-9], 'npy("d.npy")', "`d.npy`"),
    "array of one column": ("d.npy", npy(np.ones(3)), 'npy("d.npy")', "`d.npy` has 1 column, and 3 elements are to be filled"),
    "a single number": ("d.npy", npy(np.array(1.0)), 'npy("d.npy")', "`d.npy`: it is a single number"),
    "which array": ("d.npz", npz(a=np.ones((1, 3)), b=np.ones((1, 3))), 'npy("d.npz")', "`d.npz`"),
    "no such array": ("d.npz", npz(a=np.ones((1, 3))), 'npy("d.npz", "b")', "`d.npz`"),
    "no Parquet": ("d.parquet", b"PAR1", 'csv("d.parquet")', "`d.parquet`"),
}


def told(folder: Path, text: str, capsys) -> str:
    """What `graphlang train` says of a program, and nothing is written."""
    put(folder, "p.graph", text)
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    assert main(["train", str(folder / "p.graph"), "--plain", "--save", str(folder / "out.npz"), "--checkpoint", str(folder / "c")]) == 1
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
    got = capsys.readouterr()
    assert got.out == "" and "Traceback" not in got.err
    return got.err


@pytest.mark.parametrize("case", BAD)
def test_a_bad_csv_is_told_with_its_place(case, tmp_path, capsys):
    content, place = BAD[case]
    if content is not None:
        put(tmp_path, "d.csv", content)
    assert place in told(tmp_path, HEAD + block(ONE), capsys)


@pytest.mark.parametrize("case", BINARY)
def test_a_bad_file_of_another_kind_is_told_with_its_place(case, tmp_path, capsys):
    name, content, form, place = BINARY[case]
    if "Parquet" in case:
        pytest.importorskip("pyarrow")
    put(tmp_path, name, content)
    assert place in told(tmp_path, HEAD + block(f"{form}, x, t"), capsys)


def test_the_test_set_is_checked_as_well(tmp_path, capsys):
    put(tmp_path, "d.csv", "1,2,3\n")
    put(tmp_path, "e.csv", "1,2,3\n4,5,x\n")
    err = told(tmp_path, HEAD + block(ONE, 'csv("e.csv")'), capsys)
    assert "`e.csv`, line 2, column 3" in err and "p.graph:7:13" in err


@pytest.mark.parametrize("rows, place", [
    ("0,1,9,3\n1,2,9,3\n1.5,1,9,3\n", "`d.csv`, line 3, column 1: 1.5 is no whole number, and `c` is a subscript"),
    ("0,1,9,3\n3,2,9,3\n", "`d.csv`, line 2, column 1: `E` has no element 3: its range is 0..2"),
    ("c,k1,k2,t\n0,-1,9,3\n", "`d.csv`, line 2, column `k1`: `E` has no element -1: its range is 0..2"),
    ("t,k2,k1,c\n3,9,0,7\n", "`d.csv`, line 2, column `c`: `E` has no element 7: its range is 0..2"),
])
def test_data_that_are_subscripts_are_whole_and_inside_of_the_range(rows, place, tmp_path, capsys):
    put(tmp_path, "d.csv", rows)
    assert place in told(tmp_path, GATHER + block('csv("d.csv"), c, k, t'), capsys)


def test_an_element_that_is_no_subscript_may_be_any_number(tmp_path):
    """k[2] of GATHER, though k[1] is one."""
    put(tmp_path, "d.csv", "0,1,9,3\n")
    assert arrays(tmp_path, GATHER + block('csv("d.csv"), c, k, t'))["k"] == [[1.0, 9.0]]


def test_several_mistakes_of_a_file_are_told_at_once(tmp_path, capsys):
    put(tmp_path, "d.csv", "1,2,3\na,5,6\n7,b,9\n")
    err = told(tmp_path, HEAD + block(ONE), capsys)
    assert "line 2, column 1" in err and "line 3, column 2" in err


@pytest.mark.parametrize("text, message", [
    (HEAD, "has no `train` block"), (HEAD.replace("minimize J", "data s\nminimize J") + "J2 = s\n" + block(ONE), None),
    (HEAD.replace("J = (", "input s\nJ = s*(") + block(ONE), "`s` has no value"),
    ("data x, t\nparam W[2,2] symmetric = eye\nJ = W[1,2]*x + t\nminimize J\n" + block('csv("e.csv"), x, t'), "`W` is declared symmetric, and would not stay so"),
    ("data x, t\nparam w = inf\nJ = w*x + t\nminimize J\n" + block('csv("e.csv"), x, t'), "the values that `w` starts with are not all finite"),
    (HEAD + block('csv("../d.csv"), x, t'), "outside of the program's folder"),
])
def test_programs_that_cannot_be_trained(text, message, tmp_path, capsys):
    put(tmp_path, "d.csv", "1,2,3\n")
    put(tmp_path, "e.csv", "1,2\n")
    if message is None:
        assert arrays(tmp_path, text)["t"] == [[3.0]]  # what the goal does not read needs no value
    else:
        assert message in told(tmp_path, text, capsys)
