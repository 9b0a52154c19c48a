"""Tables of numbers from files: what is read, exactly; what is wrong with a file, named by its row and column; leaves that files give."""

import gzip
import io
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy
import pytest

import graphlang as gl
from graphlang import data
from graphlang.cli.main import main
from graphlang.cli.watch import files_of
from graphlang.data import read_array, read_table
from graphlang.data.delimited import delimited
from graphlang.data.mistakes import Mistakes
from graphlang.data.packed import unpacked
from graphlang.data.mistakes import ALIKE
from graphlang.diagnostics import MOST_DIAGNOSTICS, NOWHERE, GraphError, Source
from graphlang.sources import Reach
from hypothesis import given, settings, strategies as st

ROOT = Path(__file__).parent.parent


def npy(array, **options) -> bytes:
    out = io.BytesIO()
    numpy.save(out, array, **options)
    return out.getvalue()


def npz(**arrays) -> bytes:
    out = io.BytesIO()
    numpy.savez_compressed(out, **arrays)
    return out.getvalue()


def header(text: str, rest: bytes = b"") -> bytes:
    """An .npy with a header that NumPy did not write."""
    line = text.encode("latin-1") + b"\n"
    return b"\x93NUMPY\1\0" + len(line).to_bytes(2, "little") + line + rest


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Write files, by name, into a folder in which the test then stands."""
    monkeypatch.chdir(tmp_path)

    def write(files: dict) -> Path:
        for name, content in files.items():
            Path(tmp_path, name).parent.mkdir(exist_ok=True)
            Path(tmp_path, name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path

    return write


def table(name: str, *columns, **options):
    return read_table(Reach.of("."), name, NOWHERE, columns, **options)


def wrong(name: str, *columns, **options) -> tuple:
    with pytest.raises(GraphError) as e:
        table(name, *columns, **options)
    return e.value.diagnostics


# ---- what is read

MATRIX = [[1.0, 2.0], [3.0, 4.0]]
GOOD = {
    "a header": ("a.csv", "x,y\n1,2\n3,4\n", (), ("x", "y"), MATRIX),
    "none": ("a.csv", "1,2\n3,4\n", (), None, MATRIX),
    "no end of line at the end": ("a.csv", "1,2\n3,4", (), None, MATRIX),
    "semicolons": ("a.csv", "x;y, z\n1;2\n3;4\n", (), ("x", "y, z"), MATRIX),
    "tabs": ("a.tsv", "1\t2\n3\t4\n", (), None, MATRIX),
    "CRLF": ("a.csv", "x,y\r\n1,2\r\n3,4\r\n", (), ("x", "y"), MATRIX),
    "CR": ("a.csv", "1,2\r3,4\r", (), None, MATRIX),
    "a byte-order mark": ("a.csv", "\ufeffx,y\n1,2\n3,4\n", ("x",), ("x",), [[1.0], [3.0]]),
    "a byte-order mark before numbers": ("a.csv", "\ufeff1,2\n3,4\n", (), None, MATRIX),
    "quotes": ("a.csv", '"x, the first","a ""y"""\n"1","2"\n3,"4"\n', ("a \"y\"", "x, the first"), ('a "y"', "x, the first"), [[2.0, 1.0], [4.0, 3.0]]),
    "a separator only within quotes": ("a.csv", '"a;b",y\n1,2\n3,4\n', (), ("a;b", "y"), MATRIX),
    "a line break within quotes": ("a.csv", '"a\nb",y\n1,2\n3,4\n', ("y",), ("y",), [[2.0], [4.0]]),
    "blanks around": ("a.csv", " x , y\n 1, \"2\"\n3 ,4 \n", (), ("x", "y"), MATRIX),
    "blank lines at both ends": ("a.csv", "\n \nx,y\n1,2\n3,4\n\n  \n\n", (), ("x", "y"), MATRIX),
    "columns in another order": ("a.csv", "x,y\n1,2\n3,4\n", ("y", "x"), ("y", "x"), [[2.0, 1.0], [4.0, 3.0]]),
    "a column twice": ("a.csv", "x,y\n1,2\n3,4\n", ("y", "y"), ("y", "y"), [[2.0, 2.0], [4.0, 4.0]]),
    "columns by number": ("a.csv", "1,2\n3,4\n", (2, 1), None, [[2.0, 1.0], [4.0, 3.0]]),
    "columns by number beside a header": ("a.csv", "x,y\n1,2\n3,4\n", (2,), ("y",), [[2.0], [4.0]]),
    "words in a column that is not taken": ("a.csv", "x,town\n1,Ulm\n3,\n", ("x",), ("x",), [[1.0], [3.0]]),
    "a column without a name": ("a.csv", ",x\n0,1\n1,3\n", ("x",), ("x",), [[1.0], [3.0]]),
    "two columns without a name": ("a.csv", ",,x\n0,0,1\n1,1,3\n", ("x",), ("x",), [[1.0], [3.0]]),
    "names of Greek letters": ("größe.csv", "α,β\n1,2\n3,4\n", ("β",), ("β",), [[2.0], [4.0]]),
    "spellings": ("a.csv", "+1,2.,.5\n-0,1E3,1e-3\n", (), None, [[1.0, 2.0, 0.5], [-0.0, 1000.0, 0.001]]),
    "the ends of float64": ("a.csv", "5e-324,1.7976931348623157e308\n2.2250738585072014e-308,-1.7976931348623157E+308\n", (), None, [[5e-324, sys.float_info.max], [sys.float_info.min, -sys.float_info.max]]),
    "packed": ("a.csv.gz", gzip.compress(b"x,y\n1,2\n3,4\n"), (), ("x", "y"), MATRIX),
    "packed in two members": ("a.csv.gz", gzip.compress(b"1,2\n") + gzip.compress(b"3,4\n"), (), None, MATRIX),
    "packed, by its bytes only": ("a.csv", gzip.compress(b"1,2\n3,4\n"), (), None, MATRIX),
    "npy": ("a.npy", npy(numpy.array(MATRIX)), (), None, MATRIX),
    "npy, packed": ("a.npy.gz", gzip.compress(npy(numpy.array(MATRIX))), (), None, MATRIX),
    "npy in Fortran's order": ("a.npy", npy(numpy.asfortranarray(MATRIX)), (), None, MATRIX),
    "npy of big-endian whole numbers": ("a.npy", npy(numpy.array(MATRIX, ">i4")), (), None, MATRIX),
    "npy of truth values": ("a.npy", npy(numpy.array([[True, False]])), (), None, [[1.0, 0.0]]),
    "npy of 64-bit whole numbers": ("a.npy", npy(numpy.array([[-(2**63), 2**53]])), (), None, [[-(2.0**63), 2.0**53]]),
    "npy with one axis": ("a.npy", npy(numpy.array([1.0, 3.0])), (), None, [[1.0], [3.0]]),
    "columns of an npy": ("a.npy", npy(numpy.array(MATRIX)), (2,), None, [[2.0], [4.0]]),
    "npz with one array": ("a.npz", npz(W=numpy.array(MATRIX)), (), None, MATRIX),
}


@pytest.mark.parametrize("name, content, columns, names, values", GOOD.values(), ids=GOOD)
def test_a_table_is_read_exactly(name, content, columns, names, values, folder):
    folder({name: content})
    t = table(name, *columns)
    assert t.names == names and t.file == name
    assert t.values.dtype == numpy.float64 and t.values.tolist() == values
    assert [math.copysign(1, x) for x in t.values.ravel()] == [math.copysign(1, x) for row in values for x in row]


@given(st.lists(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=3, max_size=3), min_size=1, max_size=8), st.sampled_from(",;\t"))
@settings(max_examples=60, deadline=None)
def test_what_repr_writes_is_read_back_with_the_same_bits(rows, delimiter):
    text = "\n".join(delimiter.join(map(repr, row)) for row in rows)
    _, values, _ = delimited(text.encode(), (), Mistakes("a.csv", NOWHERE), True)
    assert values.tobytes() == numpy.array(rows).tobytes()


def test_a_table_knows_the_lines_of_its_rows(folder):
    folder({"a.csv": '\nx,"y\nz"\n1,2\n"3",4\n', "a.npy": npy(numpy.ones((2, 2)))})
    t = table("a.csv")
    assert list(t.lines) == [4, 5] and t.place(1, 0) == "`a.csv`, line 5, column `x`"
    assert table("a.npy").place(1, 0) == "`a.npy`, row 2, column 1"


def test_nan_and_infinity_are_read_where_they_may_be(folder):
    folder({"a.csv": "nan,-INF\n1,Infinity\n", "a.npy": npy(numpy.array([math.inf]))})
    assert str(table("a.csv", finite=False).values.tolist()) == "[[nan, -inf], [1.0, inf]]"
    assert table("a.npy", finite=False).values.tolist() == [[math.inf]]


def test_an_array_keeps_its_axes_and_one_of_several_is_taken_by_its_name(folder):
    folder({"a.npz": npz(W=numpy.arange(24.0).reshape(2, 3, 4), b=numpy.array(7.0))})
    assert read_array(Reach.of("."), "a.npz", NOWHERE, "W").shape == (2, 3, 4)
    assert read_array(Reach.of("."), "a.npz", NOWHERE, "b") == 7


# ---- what is refused

WRONG = {
    "a word": ("a.csv", "x,y\n1,2\n3,four\n", (), "E610", "`a.csv`, line 3, column `y`: `four` is not a number", ""),
    "a word without a header": ("a.csv", "1,2\n3,four\n", (), "E610", "`a.csv`, line 2, column 2: `four` is not a number", ""),
    "after a line break within quotes": ("a.csv", '"x\ny"\n1\nz\n', (), "E610", "`a.csv`, line 4, column `x y`: `z` is not a number", ""),
    "a decimal comma": ("a.csv", "x;y\n1;2,5\n", (), "E610", "`a.csv`, line 2, column `y`: `2,5` is not a number", "with a decimal point: `2.5`"),
    "a low line between digits": ("a.csv", "x\n1_000\n", (), "E610", "`a.csv`, line 2, column `x`: `1_000` is not a number", "without `_` or commas"),
    "commas between digits": ("a.csv", 'x,y\n"1,000",2\n', (), "E610", "`a.csv`, line 2, column `x`: `1,000` is not a number", ""),
    "digits of another script": ("a.csv", "x\n１２\n", (), "E610", "`a.csv`, line 2, column `x`: `１２` is not a number", ""),
    "a hexadecimal number": ("a.csv", "x\n0x10\n", (), "E610", "`a.csv`, line 2, column `x`: `0x10` is not a number", ""),
    "a missing value by its name": ("a.csv", "x\nNA\n", (), "E610", "`a.csv`, line 2, column `x`: `NA` is not a number", "take the row out"),
    "blanks between fields": ("a.csv", "1 2\n3 4\n", (), "E610", "`a.csv`, line 2, column `1 2`: `3 4` is not a number", "not by blanks"),
    "another separator further on": ("a.csv", "x,y\n1,2;3\n", (), "E610", "`a.csv`, line 2, column `y`: `2;3` is not a number", "parted by commas"),
    "a NUL": ("a.csv", b"x\n1\0\n", (), "E610", "`a.csv`, line 2, column `x`: `1\0` is not a number", ""),
    "a long field": ("a.csv", "x\n" + "y" * 1000 + "\n", (), "E610", f"`a.csv`, line 2, column `x`: `{'y' * 39}…` is not a number", ""),
    "an empty field": ("a.csv", "x,y\n1,\n", (), "E611", "`a.csv`, line 2, column `y`: the field is empty", ""),
    "an empty field in the first row": ("a.csv", "1,,3\n4,5,6\n", (), "E611", "`a.csv`, line 1, column 2: the field is empty", ""),
    "nan": ("a.csv", "x\n1\nnan\n", (), "E612", "`a.csv`, line 3, column `x`: `nan` is not finite", "take the row out"),
    "infinity": ("a.csv", "x\n-Inf\n", (), "E612", "`a.csv`, line 2, column `x`: `-Inf` is not finite", ""),
    "a number too large": ("a.csv", "1\n1e999\n", (), "E612", "`a.csv`, line 2, column 1: `1e999` is too large for a float64", "1.8e308"),
    "a short row": ("a.csv", "1,2\n3\n", (), "E613", "`a.csv`, line 2: 1 field where line 1 has 2", ""),
    "a long row": ("a.csv", "x,y\n1,2,3\n", (), "E613", "`a.csv`, line 2: 3 fields where line 1 has 2", ""),
    "a comma at the end": ("a.csv", "x,y\n1,2,\n", (), "E613", "`a.csv`, line 2: 3 fields where line 1 has 2", "a comma at the end"),
    "a blank line": ("a.csv", "1\n\n2\n", (), "E613", "`a.csv`, line 2: the line is blank", ""),
    "two columns of one name": ("a.csv", "x,y,x\n1,2,3\n", (), "E614", "`a.csv`, line 1: the columns 1 and 3 are both called `x`", "rename"),
    "a column that is not there": ("a.csv", "size,price\n1,2\n", ("prize",), "E615", "`a.csv`: there is no column `prize`", "did you mean `price`?"),
    "a column like no other": ("a.csv", "size,price\n1,2\n", ("q",), "E615", "`a.csv`: there is no column `q`", "there are `size`, `price`"),
    "a name without a header": ("a.csv", "1,2\n", ("x",), "E615", "`a.csv`: there is no column `x`: the file has no header", "columns are numbers"),
    "the column 0": ("a.csv", "1,2\n", (0,), "E615", "`a.csv`: there is no column 0: there are 2", "counted from 1"),
    "a number that is a name": ("a.csv", "town,1990\nUlm,2\n", (1990,), "E615", "`a.csv`: there is no column 1990: there are 2", '`"1990"`'),
    "nothing": ("a.csv", "", (), "E617", "`a.csv`: the file is empty", ""),
    "blank lines only": ("a.csv", "\n \n\n", (), "E617", "`a.csv`: the file is empty", ""),
    "a header only": ("a.csv", "1,y\n", (), "E617", "`a.csv`: there is a header and no row after it", "`y` is none"),
    "Latin-1": ("a.csv", "größe\n1\n".encode("latin-1"), (), "E030", "`a.csv`: not UTF-8 text: byte 2 on line 1 cannot be read", "save it as UTF-8"),
    "UTF-16": ("a.csv", "x\n1\n".encode("utf-16"), (), "E030", "`a.csv`: the file is UTF-16, not UTF-8", ""),
    "a quote that is not closed": ("a.csv", 'x,y\n1,"2\n3,4\n', (), "E616", "`a.csv`, line 2: a quote `\"` is not closed", ""),
    "text after a quote": ("a.csv", 'x\n"1"2\n', (), "E616", "`a.csv`, line 2: a quoted field does not end with its quote", ""),
    "a field without end": ("a.csv", "x\n" + "1" * 140_000, (), "E616", "`a.csv`, line 2: a field is longer than 131,072 characters", ""),
    "an npy called csv": ("a.csv", npy(numpy.ones(3)), (), "E616", "`a.csv`: this is a file of NumPy's, not CSV", "npy("),
    "a workbook": ("a.csv", b"PK\x03\x04....", (), "E616", "`a.csv`: this is a packed file, such as .npz or .xlsx, not CSV", ""),
    "a packed file cut short": ("a.csv.gz", gzip.compress(b"1,2\n" * 999)[:-12], (), "E616", "`a.csv.gz`: the packed file ends too early", ""),
    "a packed file with a wrong byte": ("a.csv.gz", gzip.compress(b"1,2\n3,4\n")[:-8] + b"\0" * 8, (), "E616", "`a.csv.gz`: the packed file is damaged", ""),
    "a packed file that is none": ("a.csv.gz", "1,2\n", (), "E616", "`a.csv.gz`: this is no gzip file", ""),
    "text called npy": ("a.npy", "1,2\n", (), "E616", "`a.npy`: this is no file of NumPy's", "csv("),
    "an npy of nothing": ("a.npy", "", (), "E617", "`a.npy`: the file is empty", ""),
    "an npy cut short": ("a.npy", npy(numpy.ones((3, 4)))[:-20], (), "E616", "`a.npy`: the file ends too early: 12 numbers should follow its header, and 9 do", ""),
    "an npy cut in its header": ("a.npy", npy(numpy.ones((3, 4)))[:40], (), "E616", "`a.npy`: its header is not one of NumPy's", ""),
    "a header that is no dictionary": ("a.npy", header("[[[["), (), "E616", "`a.npy`: its header is not one of NumPy's", ""),
    "a header that calls": ("a.npy", header("{'descr': __import__('os').getcwd(), 'fortran_order': False, 'shape': (1,)}", b"\0" * 8), (), "E616", "`a.npy`: its header is not one of NumPy's", ""),
    "a size below 0": ("a.npy", header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 2)}", b"\0" * 8), (), "E616", "`a.npy`: its header is not one of NumPy's", ""),
    "a size that is not there": ("a.npy", header("{'descr': '<f8', 'fortran_order': False, 'shape': (100000, 100000)}", b"\0" * 8), (), "E603", "`a.npy`: its array of 10,000,000,000 numbers is too large", "20,000,000"),
    "pickled objects": ("a.npy", npy(numpy.array([1, "x", None], object), allow_pickle=True), (), "E616", "`a.npy`: it holds Python objects, which are never read", ""),
    "complex numbers": ("a.npy", npy(numpy.array([1j])), (), "E616", "`a.npy`: it holds complex128, not numbers that a float64 can be", "astype(float)"),
    "strings": ("a.npy", npy(numpy.array(["a"])), (), "E616", "`a.npy`: it holds str32, not numbers that a float64 can be", ""),
    "records": ("a.npy", npy(numpy.zeros(2, [("a", "f8")])), (), "E616", "`a.npy`: it holds records, not numbers that a float64 can be", ""),
    "a whole number too large": ("a.npy", npy(numpy.array([[1, 2], [3, 2**53 + 1]])), (), "E612", "`a.npy`, row 2, column 2: the whole number 9007199254740993 is too large to be a float64 exactly", "2^53"),
    "the largest whole number": ("a.npy", npy(numpy.array([2**64 - 1], "u8")), (), "E612", "`a.npy`, row 1: the whole number 18446744073709551615 is too large to be a float64 exactly", ""),
    "nan in an array": ("a.npy", npy(numpy.array([[1, 2], [math.nan, 4]])), (), "E612", "`a.npy`, row 2, column 1: `nan` is not finite", ""),
    "an array of no element": ("a.npy", npy(numpy.ones((0, 3))), (), "E617", "`a.npy`: its array has no element: its shape is 0×3", ""),
    "a table of three axes": ("a.npy", npy(numpy.ones((1, 2, 3))), (), "E216", "`a.npy`: its array has 3 axes, and a table has rows and columns", ""),
    "several arrays": ("a.npz", npz(W=numpy.ones(2), b=numpy.ones(3)), (), "E615", "`a.npz`: it holds 2 arrays: which one is meant?", '`npy("a.npz", "W")`'),
    "an npz cut short": ("a.npz", npz(W=numpy.ones(200))[:100], (), "E616", "`a.npz`: the .npz is damaged", ""),
    "a file that is not there": ("a.csv", "1", "b.csv", "E601", "there is no file `b.csv`", "did you mean `a.csv`?"),
}  # fmt: skip


@pytest.mark.parametrize("name, content, columns, code, message, hint", WRONG.values(), ids=WRONG)
def test_a_malformed_file_is_told_with_its_place(name, content, columns, code, message, hint, folder):
    path = folder({name: content})
    if isinstance(columns, str):
        name, columns = columns, ()
    (d,) = wrong(name, *columns)
    assert (d.code, d.message) == (code, message)
    assert hint in "\n".join((d.text, *d.hints))
    assert [p.name for p in path.iterdir()] == [next(iter(path.iterdir())).name]  # nothing was written beside it


def test_an_array_that_is_not_in_a_file(folder):
    folder({"a.npz": npz(Weights=numpy.ones(2), b=numpy.ones(3)), "a.npy": npy(numpy.ones(2))})
    assert wrong("a.npz", member="weights")[0].hints == ("did you mean `Weights`?",)
    assert wrong("a.npy", member="W")[0].message == "`a.npy`: there is no array `W`: this is an .npy, a single array"


def test_several_mistakes_are_told_at_once_and_not_more_than_twenty(folder):
    folder({"a.csv": "x,y\n1,\nz,2\n3\n4,inf\n", "b.csv": "x\n" + "y\n" * 100, "b.npy": npy(numpy.full(100, math.nan))})
    assert [(d.code, d.message.split(":")[0]) for d in wrong("a.csv")] == [
        ("E611", "`a.csv`, line 2, column `y`"), ("E610", "`a.csv`, line 3, column `x`"), ("E613", "`a.csv`, line 4"), ("E612", "`a.csv`, line 5, column `y`")]
    assert len(wrong("b.npy")) == MOST_DIAGNOSTICS and len(wrong("b.csv")) == ALIKE  # of one column the others are counted


@pytest.mark.parametrize("name, code", [("../out.csv", "E602"), ("/etc/passwd", "E602"), ("link.csv", "E602"), ("round.csv", "E601"), ("sub", "E603"), ("pipe.csv", "E603"),
                                        ("", "E601"), ("a\0b", "E601"), ("x" * 5000, "E601"), ("large.csv", "E603")])  # fmt: skip
def test_only_regular_files_beneath_the_folder_are_read(name, code, folder, monkeypatch):
    home = folder({"out.csv": "1\n", "home/a.csv": "1\n"}) / "home"
    (home / "sub").mkdir()
    (home / "link.csv").symlink_to(home.parent / "out.csv")
    (home / "round.csv").symlink_to(home / "round.csv")
    os.mkfifo(home / "pipe.csv")
    with open(home / "large.csv", "wb") as f:
        f.truncate(data.LARGEST + 1)  # no byte of it is on the disk
    monkeypatch.chdir(home)
    (d,) = wrong(name)
    assert d.code == code
    assert read_table(Reach.of(".", [home.parent]), "../out.csv", NOWHERE).values.tolist() == [[1.0]]


def test_a_link_within_the_folder_is_followed(folder):
    (folder({"a.csv": "1\n"}) / "link.csv").symlink_to("a.csv")
    assert table("link.csv").values.tolist() == [[1.0]]


def test_a_bomb_is_unpacked_only_to_the_limit(monkeypatch, folder):
    bomb = gzip.compress(b"0\n" * 2**20)
    with pytest.raises(GraphError) as e:
        unpacked(bomb, "a.csv.gz", Mistakes("a.csv.gz", NOWHERE), most=2**16)
    (d,) = e.value.diagnostics
    assert d.code == "E603" and "unpacked" in d.message
    monkeypatch.setattr("graphlang.data.arrays.LARGEST", 2**16)
    folder({"a.npz": npz(W=numpy.zeros(2**18))})
    assert wrong("a.npz")[0].message == "`a.npz`: what is unpacked from it is too large"


def test_too_many_columns_and_numbers_are_refused(monkeypatch, folder):
    monkeypatch.setattr("graphlang.data.delimited.MOST_COLUMNS", 3)
    monkeypatch.setattr("graphlang.data.delimited.MOST_ELEMENTS", 5)
    folder({"wide.csv": "1,2,3,4\n", "long.csv": "1,2\n" * 3})
    assert [wrong(n)[0].code for n in ("wide.csv", "long.csv")] == ["E603", "E603"]


# ---- Parquet


def test_parquet_is_read_if_pyarrow_is_there_and_says_so_if_not(folder):
    folder({"a.parquet": b"PAR1"})
    (d,) = wrong("a.parquet")
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        assert d.code == "E601" and "pip install pyarrow" in d.hints[0]
    else:
        assert d.code == "E616" and "no Parquet file" in d.message


def test_columns_of_a_parquet_file(folder):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    folder({})
    parquet.write_table(pyarrow.table({"x": [1, 2], "town": ["Ulm", None], "y": [0.5, None], "z": [math.nan, 1.0], "ok": [True, False], "n": [1, 2**53 + 1]}), "a.parquet")
    t = table("a.parquet", "ok", "x")
    assert t.names == ("ok", "x") and t.values.tolist() == [[1.0, 1.0], [0.0, 2.0]]
    assert [(d.code, d.message) for c in ("town", "y", "z", "n", "w") for d in wrong("a.parquet", c)] == [
        ("E616", "`a.parquet`, column `town`: it holds string, not numbers"),
        ("E611", "`a.parquet`, row 2, column `y`: the value is missing"),
        ("E612", "`a.parquet`, row 1, column `z`: `nan` is not finite"),
        ("E612", "`a.parquet`, row 2, column `n`: the whole number 9007199254740993 is too large to be a float64 exactly"),
        ("E615", "`a.parquet`: there is no column `w`")]


# ---- leaves

FILES = {"t.csv": "a,b,town\n1,2,Ulm\n3,4,Bonn\n5,6,Kiel\n", "row.csv": "1,2,3\n", "col.csv": "1\n2\n3\n", "one.csv": "7\n", "row3.csv": "1,2,3\n4,5,6\n7,8,9\n",
         "v.npy": npy(numpy.array([1.0, 2.0])), "m.npy": npy(numpy.array(MATRIX)), "c.npy": npy(numpy.ones((2, 3, 4))), "s.npy": npy(numpy.array(2.5)),
         "z.npz": npz(W=numpy.array(MATRIX), b=numpy.array([5.0, 6.0]))}  # fmt: skip


@pytest.mark.parametrize("declared, ranges, value", [
    ('x = csv("t.csv", "b")', [(1, 3)], [2, 4, 6]),
    ('x = csv("t.csv", "b", "a")', [(1, 3), (1, 2)], [[2, 1], [4, 3], [6, 5]]),
    ('x = csv("t.csv", 2, 1)', [(1, 3), (1, 2)], [[2, 1], [4, 3], [6, 5]]),
    ('x[0..2] = csv("t.csv", "a")', [(0, 2)], [1, 3, 5]),
    ('x[1..N, 0..1] = csv("t.csv", "a", "b")', [(1, 3), (0, 1)], [[1, 2], [3, 4], [5, 6]]),
    ('x[3] = csv("t.csv", N - 1)', [(1, 3)], [2, 4, 6]),
    ('x[3] = csv("row3.csv", N)', [(1, 3)], [3, 6, 9]),
    ('x = csv("row.csv")', [(1, 1), (1, 3)], [[1, 2, 3]]),
    ('x[3] = csv("row.csv")', [(1, 3)], [1, 2, 3]),
    ('x[3] = csv("col.csv")', [(1, 3)], [1, 2, 3]),
    ('x[3, 1] = csv("col.csv")', [(1, 3), (1, 1)], [[1], [2], [3]]),
    ('x[1, 3] = csv("row.csv")', [(1, 1), (1, 3)], [[1, 2, 3]]),
    ('x = csv("one.csv")', [(1, 1)], [7]),
    ('x[0..0] = csv("one.csv")', [(0, 0)], [7]),
    ('x = npy("v.npy")', [(1, 2)], [1, 2]),
    ('x[0..1] = npy("v.npy")', [(0, 1)], [1, 2]),
    ('x[2, 2] = npy("m.npy")', [(1, 2), (1, 2)], MATRIX),
    ('x = npy("c.npy")', [(1, 2), (1, 3), (1, 4)], numpy.ones((2, 3, 4)).tolist()),
    ('x[2, 3, 0..3] = npy("c.npy")', [(1, 2), (1, 3), (0, 3)], numpy.ones((2, 3, 4)).tolist()),
    ('x = npy("s.npy")', [], 2.5),
    ('x = npy("z.npz", "b")', [(1, 2)], [5, 6]),
    ('x[2, 2] = csv("m.npy")', [(1, 2), (1, 2)], MATRIX),
])
def test_a_leaf_takes_the_numbers_and_without_ranges_the_size_of_a_file(declared, ranges, value, folder):
    folder(FILES)
    run = gl.loads(f"const N = 3\ninput {declared}\nJ = {'sum(x)' if ranges else 'x'}\n", folder=".").run()
    assert run["x"] == value and [tuple(r) for r in run.ranges["x"]] == ranges
    assert run["J"] == numpy.sum(value)


MISUSED = {
    "too few rows": ('input x[4] = csv("t.csv", "a")', "E216", '"t.csv"', "`x` is declared over 1..4, but `t.csv` has 3 rows of one number"),
    "a matrix for a vector": ('input x[6] = csv("t.csv", "a", "b")', "E216", '"t.csv"', "`x` is declared over 1..6, but `t.csv` has 3×2 numbers"),
    "rows for columns": ('input x[2, 3] = csv("t.csv", "a", "b")', "E216", '"t.csv"', "`x` is declared over 1..2, 1..3, but `t.csv` has 3×2 numbers"),
    "three ranges from a table": ('input x[1, 1, 3] = csv("row.csv")', "E216", '"row.csv"', "`x` is declared over 1..1, 1..1, 1..3, but `row.csv` has 1×3 numbers"),
    "a number for a vector": ('input x[1] = npy("s.npy")', "E216", '"s.npy"', "`x` is declared over 1..1, but `s.npy` has a single number"),
    "no file": ("input x = csv()", "E302", "csv()", "`csv` takes the name of a file, and columns of it"),
    "a bare word": ("input x = csv", "E302", "csv", "`csv` takes the name of a file, and columns of it"),
    "no quotes": ("input x = csv(t)", "E304", "t", "`csv` takes the name of a file, which is written in quotes"),
    "a column without quotes": ('input x = csv("t.csv", a)', "E304", "a", "the name of a column is written in quotes"),
    "a column that is not whole": ('input x = csv("t.csv", 1.5)', "E213", "1.5", ""),
    "a setting": ('input x = csv("t.csv", skip=1)', "E303", "skip=1", "`csv` takes no argument called `skip`"),
    "two arrays": ('input x = npy("z.npz", "W", "b")', "E302", 'npy("z.npz", "W", "b")', "`npy` takes the name of a file and of an array in it"),
    "a number for an array": ('input x = npy("z.npz", 1)', "E304", "1", "the name of an array is written in quotes"),
    "in an equation": ('input y = 1\nx = csv("t.csv", "a")', "E306", 'csv("t.csv", "a")', "`csv` gives a leaf its first value and stands alone in a declaration"),
    "in an expression": ('input x = 2*csv("t.csv", "a")', "E306", 'csv("t.csv", "a")', "`csv` gives a leaf its first value and stands alone in a declaration"),
    "not symmetric": ('input x symmetric = npy("m.npy")', "E403", "x", "`x` is declared symmetric, but x[1,2] is 2 and x[2,1] is 3"),
    "outside": ('input x = csv("../t.csv")', "E602", '"../t.csv"', "`../t.csv` is outside of the program's folder"),
}  # fmt: skip


@pytest.mark.parametrize("statement, code, where, message", MISUSED.values(), ids=MISUSED)
def test_a_file_that_does_not_fit_is_told_where_it_is_named(statement, code, where, message, folder):
    folder(FILES)
    with pytest.raises(GraphError) as e:
        gl.loads(f"{statement}\nJ = sum(x)\n", folder=".").run()
    (d,) = e.value.diagnostics
    assert (d.code, e.value.source.at(d.at)) == (code, where)
    assert message in d.message


def test_a_text_reads_only_from_a_folder_that_is_given(folder):
    folder(FILES)
    for text in ('input x = csv("col.csv")', 'input x[3] = csv("col.csv")'):
        with pytest.raises(GraphError) as e:
            gl.loads(f"{text}\nJ = sum(x)").run()
        assert [d.code for d in e.value.diagnostics] == ["E602"] and "folder" in e.value.diagnostics[0].hints[0]


def test_a_file_is_read_when_numbers_are_wanted_and_not_where_the_leaf_is_set(folder):
    folder({"p.graph": 'input x[2] = csv("none.csv")\ninput w = csv("none.npy")\nJ = sum(x)*sum(w)\n', "q.graph": 'input x[2] = csv("none.csv")\nJ = sum(x)\n'})
    gl.load("q.graph").derivative()  # the ranges are written, and formulas need no numbers
    assert gl.load("p.graph").run(x=[1, 2], w=[[1, 2], [3, 4]])["J"] == 30
    with pytest.raises(GraphError) as e:
        gl.load("p.graph").run(w=[1, 2])
    assert [d.message for d in e.value.diagnostics] == ["there is no file `none.csv`"]


@pytest.mark.parametrize("argv, status, words", [
    (["run", "p.graph", "--plain"], 0, "dJ/dw = -17800"),
    (["run", "p.graph", "--plain", "--set", "x=[1, 2]", "--set", "y=[2, 2]"], 0, "dJ/dw = 8"),
    (["run", "p.graph", "--plain", "--set", "x=[1, 2, 3]", "--set", "y=2"], 1, "E201"),
    (["check", "p.graph", "--plain"], 0, "p.graph: ok"),
    (["check", "p.graph", "--plain", "--set", "x=[1, 2]"], 0, "p.graph: ok"),
    (["grad", "p.graph", "--plain"], 0, "dJ/dw"),
    (["run", "p.graph", "--plain", "--scalar"], 0, "dJ/dw = -17800"),
    (["check", "gone.graph", "--plain"], 1, "there is no file `gone.csv`"),
])
def test_every_command_reads_them(argv, status, words, folder, capsys):
    folder({"h.csv": "size,price,town\n50,1.5e2,A\n80,240,B\n", "p.graph": 'data x = csv("h.csv", "size"), y[1..2] = csv("h.csv", "price")\nparam w = 2\nJ = sum((w*x - y)^2)\n',
            "gone.graph": 'data x[2] = csv("gone.csv")\nparam w = 2\nJ = sum(w*x)\n'})  # fmt: skip
    assert main(argv) == status
    got = capsys.readouterr()
    assert words in got.out + got.err


def test_the_document_of_a_run_has_the_numbers_and_that_of_an_error_the_places(folder, capsys):
    folder({"a.csv": "0.1\n5e-324\n", "bad.csv": "x\ny\n", "p.graph": 'data x = csv("a.csv")\nparam w = 2\nJ = w*sum(x)\n', "q.graph": 'data x = csv("bad.csv")\nJ = sum(x)\n'})
    assert main(["run", "p.graph", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["values"]["x"] == [0.1, 5e-324] and document["ranges"]["x"] == [[1, 2]] and document["roles"]["x"] == "data"
    assert main(["run", "q.graph", "--json"]) == 1
    (d,) = json.loads(capsys.readouterr().out)["diagnostics"]
    assert (d["code"], d["message"], d["line"], d["column"]) == ("E610", "`bad.csv`, line 2, column `x`: `y` is not a number", 1, 14)


def test_a_file_is_wrong_once_however_many_leaves_it_gives(folder):
    folder({"a.csv": "x,y\n1,2\n3\n"})
    for ranges in ("", "[2]"):
        with pytest.raises(GraphError) as e:
            gl.loads(f'data u{ranges} = csv("a.csv", "x"), v{ranges} = csv("a.csv", "y"), w{ranges} = csv("a.csv", "x")\nJ = sum(u*v*w)', folder=".").run()
        assert [d.message for d in e.value.diagnostics] == ["`a.csv`, line 3: 1 field where line 1 has 2"]


def test_a_program_reads_a_file_once(folder, monkeypatch):
    folder(FILES)
    read, seen = Reach.read, []
    monkeypatch.setattr(Reach, "read", lambda self, path, *rest: (seen.append(path.name), read(self, path, *rest))[1])
    program = gl.loads('data x = csv("t.csv", "a"), y[3] = csv("t.csv", "b")\nJ = sum(x*y)', folder=".")
    assert program.run()["J"] == 44 and program.run()["J"] == 44
    assert seen == ["t.csv"]


def test_a_file_that_changed_is_read_anew_by_the_next_program(folder):
    for n in (1, 2):
        folder({"a.csv": f"{n}\n"})
        assert gl.loads('data x = csv("a.csv")\nJ = sum(x)', folder=".").run()["J"] == n


def test_a_path_begins_at_the_folder_of_the_file_that_it_stands_in(folder, monkeypatch):
    path = folder({"sub/low.graph": 'data x = csv("x.csv"), y[1..2] = csv("x.csv")\n', "sub/x.csv": "1\n2\n", "x.csv": "5\n", "top.graph": 'include "sub/low.graph"\ndata z = csv("x.csv")\nJ = sum(x) + sum(y) + z[1]\n'})
    assert gl.load("top.graph").run()["J"] == 11
    monkeypatch.chdir(path / "sub")
    assert gl.load("../top.graph").run()["J"] == 11


def test_subscripts_and_claims_may_come_from_files(folder):
    folder({"c.csv": "2\n1\n2\n", "x.csv": "10\n20\n"})
    run = gl.loads('data c[3] = csv("c.csv")\ninput x[2] = csv("x.csv")\nJ = sum(x[c[i]] for i in 1..3)\nclaim dJ/dx[1] = 1\nexpect dJ/dx = [1, 2]', folder=".").run()
    assert run["J"] == 50 and run.expectations[0].holds and run.claims[0].ok


def test_a_session_reads_data_beside_the_program_that_it_loads(folder):
    from rich.console import Console

    from graphlang.repl.loop import Repl

    folder({"p.graph": 'data x = csv("a.csv")\nparam w = 2\nJ = w*sum(x)\n', "a.csv": "1\n2\n"})
    console = Console(file=io.StringIO(), width=100, color_system=None, highlight=False, markup=False, soft_wrap=True)
    repl = Repl(console, console, folder=".")
    for typed in (":load p.graph", "dJ/dw", 'data y = csv("b.csv")', "J"):
        repl.feed(typed)
    shown = console.file.getvalue()
    assert "dJ/dw = Σ_i=1..2 xᵢ = 3\n" in shown and "error[E601]: there is no file `b.csv`" in shown and "\n6\n" in shown


def test_watching_a_program_watches_its_data():
    source = Source("sub/p.graph", 'data x = csv("a.csv", "x"), W = npy( "d/w.npy")\n')
    assert {"sub/a.csv", "sub/d/w.npy"} <= files_of(source)


def test_a_program_without_files_loads_no_reader(tmp_path):
    code = "import sys; from graphlang.cli.main import main; main(['run', 'programs/lecture/simple.graph']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0
    assert [m for m in done.stderr.split() if m in ("csv", "numpy") or m.startswith("graphlang.data")] == []


def test_a_column_of_words_is_told_three_times_and_then_counted(tmp_path):
    (tmp_path / "w.csv").write_text("a,b\n" + "1,blue\n" * 50)
    (tmp_path / "w.graph").write_text('input x = csv("w.csv", "b")\nJ = sum(x)\n')
    with pytest.raises(gl.GraphError) as e:
        gl.load(tmp_path / "w.graph").run()
    found = e.value.diagnostics
    assert [d.code for d in found] == ["E610"] * 3 and "line 4, column `b`" in found[-1].message and found[-1].notes == ("47 more like it in column `b`",)
