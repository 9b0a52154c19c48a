"""C, compiled when a benchmark starts: the limit beside which the others stand."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from pathlib import Path

from timing import Missing

FLAGS = ["-O3", "-march=native", "-ffast-math", "-shared", "-fPIC"]  # sums may be reordered, as BLAS does


def library(source: str, **sizes: int) -> ctypes.CDLL:
    """The functions of C source, in which the sizes are known when it is compiled."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise Missing("no C compiler")
    with tempfile.TemporaryDirectory() as folder:
        text, built = Path(folder, "limit.c"), Path(folder, "limit.so")
        text.write_text(source)
        made = subprocess.run([compiler, *FLAGS, *(f"-D{name}={value}" for name, value in sizes.items()), "-o", str(built), str(text), "-lm"], capture_output=True, text=True)
        if made.returncode:
            raise Missing(f"the C compiler says: {made.stderr.splitlines()[0] if made.stderr else 'nothing'}")
        return ctypes.CDLL(str(built))


def address(array) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)
