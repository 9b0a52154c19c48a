"""What the benchmarks share: interleaved timing, and one way to report, as a table or as JSON."""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import statistics
import sys
import time
from datetime import date
from pathlib import Path
from typing import Callable, Mapping

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(1, str(ROOT))
os.environ["PYTHONPATH"] = str(ROOT) + (os.pathsep + os.environ["PYTHONPATH"] if os.environ.get("PYTHONPATH") else "")


# Read by BLAS, OpenMP and XLA when they are loaded: so before anything imports NumPy.
ALONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", "NPROC": "1", "JAX_PLATFORMS": "cpu",
         "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"}


class Missing(Exception):
    """A peer that cannot be timed here, and why."""


def one_thread() -> None:
    os.environ.update(ALONE)


def options(about: str, **extra) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--json", action="store_true", help="one JSON document and nothing else")
    parser.add_argument("--quick", action="store_true", help="one round of little work, to see that everything runs: the figures mean nothing")
    parser.add_argument("--repeats", type=int, default=extra.pop("repeats", 7), metavar="N")
    for name, (default, text) in extra.items():
        parser.add_argument(f"--{name}", type=type(default), default=default, help=text)
    asked = parser.parse_args()
    asked.repeats = 1 if asked.quick else asked.repeats
    return asked


def ready(makers: Mapping[str, Callable[[], Callable]], first: Callable[[Callable], object]) -> tuple[dict, dict[str, float], list[dict]]:
    """What each makes; the seconds that took, with a first call of it; and a row for each that is missing."""
    work, setup, missing = {}, {}, []
    for name, make in makers.items():
        start = time.perf_counter()
        try:
            made = make()
            first(made)
        except (ImportError, Missing) as why:
            missing.append({"what": f"{name}: missing ({why if isinstance(why, Missing) else 'not installed'})"})
            continue
        work[name], setup[name] = made, time.perf_counter() - start
    return work, setup, missing


def compiled(text: str, wrt: list[str], engine: str) -> Callable:
    """A program as a function, by one of graphlang's engines."""
    import graphlang as gl

    try:
        return gl.loads(text).compile(wrt, engine=engine)
    except gl.UsageError as why:
        raise Missing(str(why)) from None


def interleaved(work: Mapping[str, Callable[[], object]], repeats: int, warm: int = 1) -> dict[str, float]:
    """Median seconds of each, all timed in turn in every round, so that a drifting machine slows them alike."""
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for round_ in range(-warm, repeats):
        for name, call in work.items():
            gc.collect()
            start = time.perf_counter()
            kept = call()
            took = time.perf_counter() - start
            del kept
            if round_ >= 0:
                seconds[name].append(took)
    return {name: statistics.median(s) for name, s in seconds.items()}


def versions(*packages: str) -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    out = {"python": platform.python_version()}
    for name in packages:
        try:
            out[name] = version(name)
        except PackageNotFoundError:
            out[name] = "missing"
    return out


def report(title: str, rows: list[dict], as_json: bool, **facts) -> None:
    """Rows of one shape: `what`, a measure, and beside it the limit and the ratio where there is one."""
    facts = {"title": title, "date": date.today().isoformat(), "processors": os.cpu_count(), **facts}
    if as_json:
        print(json.dumps({**facts, "rows": rows}, indent=1))
        return
    print(title)
    print("  " + ", ".join(f"{k} {v}" for k, v in facts.items() if k != "title" and not isinstance(v, dict)))
    for group in (v for v in facts.values() if isinstance(v, dict)):
        print("  " + ", ".join(f"{k} {v}" for k, v in group.items()))
    columns = list(dict.fromkeys(k for row in rows for k in row))
    cells = [columns, *[[_cell(row.get(k)) for k in columns] for row in rows]]
    widths = [max(len(line[k]) for line in cells) for k in range(len(columns))]
    for line in cells:
        print("  " + "  ".join(c.ljust(w) if k == 0 else c.rjust(w) for k, (c, w) in enumerate(zip(line, widths))))


def _cell(value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return str(value)
