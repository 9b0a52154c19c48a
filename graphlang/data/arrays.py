"""Arrays of NumPy's: `.npy`, and `.npz` with several of them. No pickle is ever read, and nothing is allocated that the file does not hold."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import Sequence

from graphlang.data.columns import chosen, listed
from graphlang.data.mistakes import LARGEST, MOST_ELEMENTS, Mistakes
from graphlang.diagnostics import did_you_mean

MAGIC, ZIP = b"\x93NUMPY", (b"PK\x03\x04", b"PK\x05\x06")


def array_in(data: bytes, member: str | None, mistakes: Mistakes, finite: bool):
    """The array of an `.npy`, or the one of an `.npz` that is meant, as float64. Raises GraphError."""
    if data.startswith(ZIP):
        data = member_of(data, member, mistakes)
    elif member is not None:
        mistakes.fail("E615", f"there is no array `{member}`: this is an .npy, a single array")
    if not data.startswith(MAGIC):
        mistakes.fail("E617" if not data else "E616", "the file is empty" if not data else "this is no file of NumPy's",
                      *(() if not data else ("`csv(\"…\")` reads text; `numpy.save` writes .npy",)))
    return checked(raw(data, mistakes), mistakes, finite)


def member_of(data: bytes, member: str | None, mistakes: Mistakes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            there = {i.filename.removesuffix(".npy"): i for i in archive.infolist() if not i.is_dir()}
            if member is None and len(there) == 1:
                (member,) = there
            if member is None:
                first = f": `npy(\"{mistakes.file}\", \"{next(iter(there))}\")`" if there else ""
                mistakes.fail("E615", f"it holds {len(there)} arrays: which one is meant?", *((listed(list(there)) + first,) if there else ()))
            if member not in there:
                mistakes.fail("E615", f"there is no array `{member}`", *(did_you_mean(member, there) or ((listed(list(there)),) if there else ())))
            with archive.open(there[member]) as opened:
                found = opened.read(LARGEST + 1)
    except (zipfile.BadZipFile, EOFError, zlib.error, OSError, ValueError):
        mistakes.fail("E616", "the .npz is damaged", "it may not have been copied or downloaded whole")
    except (RuntimeError, NotImplementedError):  # encrypted, or packed in a way that zipfile does not know
        mistakes.fail("E616", "the .npz is packed in a way that is not read here", "`numpy.savez` writes one that is")
    if len(found) > LARGEST:
        mistakes.too_many("what is unpacked from it", LARGEST, "bytes")
    return found


def raw(data: bytes, mistakes: Mistakes):
    """The array as the file has it: its header is believed only as far as there are bytes behind it."""
    import tokenize

    import numpy

    stream = io.BytesIO(data)
    try:
        version = numpy.lib.format.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise ValueError
        shape, fortran, dtype = (numpy.lib.format.read_array_header_1_0 if version == (1, 0) else numpy.lib.format.read_array_header_2_0)(stream)
    except (ValueError, TypeError, KeyError, SyntaxError, tokenize.TokenError, RecursionError, MemoryError, EOFError):
        mistakes.fail("E616", "its header is not one of NumPy's", "`numpy.save(file, array)` writes one that is")
    if dtype.hasobject:
        mistakes.fail("E616", "it holds Python objects, which are never read", "`numpy.save(file, numpy.asarray(array, float))` writes numbers")
    if dtype.kind not in "fiub" or dtype.itemsize > 8:
        mistakes.fail("E616", f"it holds {dtype.name if dtype.names is None else 'records'}, not numbers that a float64 can be", "`array.astype(float)` makes them so")
    count = 1
    for n in shape:
        count *= n
    if any(n < 0 for n in shape):
        mistakes.fail("E616", "its header is not one of NumPy's", "`numpy.save(file, array)` writes one that is")
    if count > MOST_ELEMENTS:
        mistakes.too_many(f"its array of {count:,} numbers", MOST_ELEMENTS, "numbers")
    there = len(data) - stream.tell()
    if there < count * dtype.itemsize:
        mistakes.fail("E616", f"the file ends too early: {count:,} numbers should follow its header, and {there // dtype.itemsize:,} do", "it may not have been copied or downloaded whole")
    if count == 0:
        mistakes.fail("E617", f"its array has no element: its shape is {'×'.join(map(str, shape))}")
    return numpy.frombuffer(data, dtype, count, stream.tell()).reshape(shape, order="F" if fortran else "C")


def checked(found, mistakes: Mistakes, finite: bool):
    """As float64, which must hold every number exactly."""
    import numpy

    values = found.astype(float)
    if found.dtype.kind in "iu" and found.dtype.itemsize == 8:
        exact = (values < 2.0**63 if found.dtype.kind == "i" else values < 2.0**64)
        back = numpy.where(exact, values, 0).astype(found.dtype)
        for at in numpy.argwhere(~exact | (back != found))[:20]:
            mistakes.add("E612", f"the whole number {found[tuple(at)]} is too large to be a float64 exactly", "up to 2^53 all are", place=place(at))
    if finite and found.dtype.kind == "f":
        for at in numpy.argwhere(~numpy.isfinite(values))[:20]:
            mistakes.add("E612", f"`{values[tuple(at)]}` is not finite", "a missing value? take the row out", place=place(at))
    mistakes.done()
    return values


def place(at: Sequence[int]) -> str:
    """An element of an array, counted from 1: row 3, column 2."""
    words = [f"{word} {k + 1}" for word, k in zip(("row", "column"), at)]
    return ", ".join(words if len(at) <= 2 else ["element " + ",".join(str(k + 1) for k in at)]) or "its number"


def table_of(found, columns: Sequence, mistakes: Mistakes):
    """An array with one or two axes as a table."""
    from graphlang.data import Table

    if found.ndim not in (1, 2):
        mistakes.fail("E216", f"its array has {found.ndim} axes, and a table has rows and columns")
    values = found.reshape(len(found), -1)
    picked = chosen(columns, None, values.shape[1], mistakes)
    return Table(None, values if not columns else values[:, list(picked)], mistakes.file)
