"""Compiled code by Numba: the generated source is a module in the user's cache folder, beside which Numba keeps the machine code; so another process
that compiles the same program finds it there.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import sys
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Callable, Sequence

from graphlang.engines.listing import UP, Listing
from graphlang.engines.numba_source import LINEAR, NumbaWriter
from graphlang.engines.unsupported import Unsupported
from graphlang.files import write_whole

NAME, BATCH = "value_and_gradient", "batched"


def available() -> bool:
    """Whether Numba is installed (extra `fast`)."""
    return find_spec("numba") is not None


class Built:
    """A program as machine code: `call` for scalars as floats and tables as flat arrays, and for whole batches of them. `source` is what
    was generated. Raises Unsupported."""

    def __init__(self, made: Listing):
        import numpy

        self.made, self.writer = made, NumbaWriter(made)
        self.source = self.writer.function(NAME)
        self.constants = [numpy.array(rows, dtype=numpy.int64).reshape(len(rows), -1) for rows in self.writer.constants.values()]
        compiled = self.load("")
        scalar = [made.slots[n].scalar if n in made.slots else not made.graph.variables[n].ranges for n in made.inputs]
        compile_for(compiled, [*("number" if s else "table" for s in scalar), *["orders"] * len(self.constants)])
        self.call = compiled if not self.constants else lambda *args: compiled(*args, *self.constants)
        self.batches: dict[tuple[bool, ...], Callable] = {}

    def load(self, more: str) -> Callable:
        """The function of the source, or of what is put below it."""
        module = load("\n".join([*imports(self.writer, "fast"), "", "", "@fast", self.source, more]))
        return getattr(module, BATCH if more else NAME)

    def batch(self, count: int, args: Sequence, along: tuple[bool, ...]):
        """Values and gradients of a batch: the arguments that are `along` it have an axis more, in front."""
        if along not in self.batches:
            self.batches[along] = self.load(self.batch_source(along))
        return self.batches[along](count, *args, *self.constants)

    def batch_source(self, along: tuple[bool, ...]) -> str:
        made = self.made
        names = [f"x{k}" for k in range(len(made.inputs))]
        outs = [f"g{k}" for k in range(len(made.wrt))]
        inner = ", ".join([*(f"{n}[k]" if a else n for n, a in zip(names, along)), *self.writer.constants])
        sizes = {n: made.slots[UP + n] for n in made.wrt}
        lines = ["", "@fast", f"def {BATCH}({', '.join(['count', *names, *self.writer.constants])}):", "    values = room(count)"]
        lines += [f"    {g} = room({'count' if sizes[n].scalar else f'(count, {sizes[n].size})'})" for g, n in zip(outs, made.wrt)]
        lines += ["    for k in range(count):", f"        {', '.join(['values[k]', *(f'{g}[k]' for g in outs)])}{',' if not outs else ''} = {NAME}({inner})"]
        lines += [f"    return {', '.join(['values', *outs])}{',' if not outs else ''}"]
        return "\n".join(lines) + "\n"


def imports(w: NumbaWriter, *more: str) -> list[str]:
    """The lines at the head of a module with what was written."""
    functions = {"numba_functions": {*w.calls.own, *more}, "numba_vector": w.vector, "numba_reductions": w.reductions - LINEAR, "numba_linear": w.reductions & LINEAR}
    lines = [f"from math import {', '.join(sorted(w.calls.imports))}"] if w.calls.imports else []
    lines += ["from numpy import empty as room, zeros"]
    return lines + [f"from graphlang.engines.{module} import {', '.join(sorted(names))}" for module, names in functions.items() if names]


def compile_for(function, kinds: Sequence[str]) -> None:
    """Rather than at the first call, so that what Numba cannot compile is known here. Raises Unsupported."""
    from numba import float64, int64, types
    from numba.core.errors import NumbaError

    known = {"number": float64, "whole": int64, "table": types.Array(float64, 1, "C"), "matrix": types.Array(float64, 2, "C"),
             "rows": types.Array(int64, 1, "C"), "orders": types.Array(int64, 2, "C")}
    try:
        function.compile(tuple(known[k] for k in kinds))
    except NumbaError as e:
        raise Unsupported(f"all of this program ({type(e).__name__} in Numba)") from None


def load(text: str):
    """The module with this text, from the cache folder, or from a temporary one where nothing can be written there."""
    import numba

    key = hashlib.sha256("\n".join([text, called(), numba.__version__, platform.python_version(), platform.machine()]).encode()).hexdigest()[:24]
    path = folder() / f"g{key}.py"
    if not path.exists():
        write_whole(path, text)
    spec = importlib.util.spec_from_file_location(f"graphlang_generated_{key}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # object mode looks its names up there
    spec.loader.exec_module(module)
    return module


@cache
def called() -> str:
    """What generated code calls: machine code has that inside, so another version of it is another module."""
    here = Path(__file__).parent
    return "\n".join((here / f"{name}.py").read_text(encoding="utf-8") for name in ("numba_functions", "numba_vector", "numba_reductions", "numba_linear"))


def folder() -> Path:
    path = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "graphlang" / "numba"
    try:
        path.mkdir(parents=True, exist_ok=True)
        if os.access(path, os.W_OK):
            return path
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="graphlang-"))
