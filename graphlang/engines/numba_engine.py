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
from importlib.util import find_spec
from pathlib import Path
from typing import Callable

from graphlang.engines.listing import Listing
from graphlang.engines.numba_source import NumbaWriter
from graphlang.files import write_whole

NAME = "value_and_gradient"


def available() -> bool:
    """Whether Numba is installed (extra `fast`)."""
    return find_spec("numba") is not None


def build(made: Listing) -> tuple[Callable, str]:
    """The compiled function, of scalars as floats and tables as flat arrays, and its source. Raises Unsupported."""
    import numpy

    writer = NumbaWriter(made)
    body = writer.function(NAME)
    head = [f"from math import {', '.join(sorted(writer.imports))}"] if writer.imports else []
    own = sorted({"fast", *writer.own} | ({"as_array"} if writer.objects else set()))
    head += ["from numba import objmode", "from numpy import zeros", f"from graphlang.engines.numba_functions import {', '.join(own)}"]
    if writer.reductions:
        head.append(f"from graphlang.engines.numba_reductions import {', '.join(sorted(writer.reductions))}")
    arguments = f"({', '.join(writer.constants)})" if writer.constants else ""
    if arguments:
        first, rest = body.split("\n", 1)
        body = f"{first.removesuffix('):')}{', ' if made.inputs else ''}{', '.join(writer.constants)}):\n{rest}"
    text = "\n".join([*head, "", *(f"{n} = None" for n in writer.objects), "", "", "@fast", body])
    module = load(text)
    for name, function in writer.objects.items():
        setattr(module, name, function)
    compiled = getattr(module, NAME)
    constants = [numpy.array(rows, dtype=numpy.int64).reshape(len(rows), -1) for rows in writer.constants.values()]
    return (compiled if not constants else lambda *args: compiled(*args, *constants)), body


def load(text: str):
    """The module with this text, from the cache folder, or from a temporary one where nothing can be written there."""
    import numba

    key = hashlib.sha256("\n".join([text, numba.__version__, platform.python_version(), platform.machine()]).encode()).hexdigest()[:24]
    path = folder() / f"g{key}.py"
    if not path.exists():
        write_whole(path, text)
    spec = importlib.util.spec_from_file_location(f"graphlang_generated_{key}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # object mode looks its names up there
    spec.loader.exec_module(module)
    return module


def folder() -> Path:
    path = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "graphlang" / "numba"
    try:
        path.mkdir(parents=True, exist_ok=True)
        if os.access(path, os.W_OK):
            return path
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="graphlang-"))
