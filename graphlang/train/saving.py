"""Params in files: `.npz` as NumPy writes it, whole or not at all; read without any pickle."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import Mapping

import numpy

from graphlang.data.arrays import array_in
from graphlang.data.mistakes import LARGEST, Mistakes
from graphlang.diagnostics import NOWHERE, did_you_mean
from graphlang.files import is_read_only, write_whole
from graphlang.given import UsageError
from graphlang.graph.graph import Graph


def packed(arrays: Mapping[str, object]) -> bytes:
    """An `.npz`. `numpy.savez` takes names as arguments, and a param may be called as one of its own; equal arrays give equal bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, a in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                numpy.lib.format.write_array(member, numpy.asarray(a, order="C"), allow_pickle=False)
    return out.getvalue()


def unpacked(path: str, option: str) -> dict[str, object]:
    """The arrays of an `.npz` by name, float64. Raises UsageError, GraphError."""
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise UsageError(f"{option} {path}: there is no such file") from None
    except (OSError, ValueError) as e:
        raise UsageError(f"{option} {path}: it cannot be read: {getattr(e, 'strerror', None) or e}") from None
    mistakes = Mistakes(path, NOWHERE)
    if len(data) > LARGEST:
        mistakes.too_many("the file", LARGEST, "bytes")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [i.filename.removesuffix(".npy") for i in archive.infolist() if not i.is_dir()]
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError):
        mistakes.fail("E616", "this is no .npz, or a damaged one", "`graphlang train --save` and `numpy.savez` write such files")
    return {name: array_in(data, name, mistakes, True) for name in names}


def shaped(graph: Graph, params: Mapping[str, object]) -> dict[str, object]:
    """Flat arrays as tables with their axes."""
    return {n: a.reshape([r.extent for r in graph.variables[n].ranges]) for n, a in params.items()}


def save_params(path: str, graph: Graph, params: Mapping[str, object]) -> None:
    """Raises UsageError where the disk does not take it; a file that was there is then as it was."""
    write(path, packed(shaped(graph, params)))


def write(path: str, data: bytes) -> None:
    try:
        write_whole(path, data)
    except OSError as e:
        raise UsageError(f"{path} cannot be written: {e.strerror}") from None


def starting(path: str, graph: Graph) -> dict[str, list[float]]:
    """The values of params from a file, flat; those that it does not have stay as they are. Raises UsageError, GraphError."""
    params = {n: v for n, v in graph.variables.items() if v.role == "param"}
    out = {}
    for name, a in unpacked(path, "--init").items():
        if name not in params:
            if name == "checkpoint":
                raise UsageError(f"--init {path}: this is a checkpoint; --resume goes on from it")
            hints = did_you_mean(name, params) or ("there are " + ", ".join(f"`{n}`" for n in params),)
            raise UsageError(f"--init {path}: the program has no param `{name}`; {hints[0]}")
        extents = tuple(r.extent for r in params[name].ranges)
        if a.shape != extents:
            have, want = ("×".join(map(str, s)) if s else "a single number" for s in (a.shape, extents))
            raise UsageError(f"--init {path}: `{name}` is {have} there, and {want} in the program")
        out[name] = a.ravel().tolist()
    return out


def check_writable(path: str, option: str, program: str = "") -> None:
    """Before anything is done, whether a file could be written in the end. Raises UsageError."""
    target = Path(os.path.realpath(path))
    if not path or target.is_dir():
        raise UsageError(f"{option} {path}: {'a name is wanted' if not path else 'this is a folder'}")
    if program and program != "-" and target == Path(os.path.realpath(program)):
        raise UsageError(f"{option} {path}: this is the program itself")
    if not target.parent.is_dir():
        raise UsageError(f"{option} {path}: there is no folder {target.parent}")
    if target.exists() and (not target.is_file() or is_read_only(target)):
        raise UsageError(f"{option} {path}: {'it is read-only' if target.is_file() else 'this is no regular file'}")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise UsageError(f"{option} {path}: the folder {target.parent} cannot be written to")
