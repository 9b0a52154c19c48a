"""A chain of N equations from end to end, stage by stage: the time of each stage grows in proportion to N."""

from __future__ import annotations

import contextlib
import io
import json
import math
import tempfile
import time
from pathlib import Path

from timing import options, report, versions

from graphlang.cli.main import main as graphlang
from graphlang.derive.reverse import differentiate
from graphlang.diagnostics import Source
from graphlang.graph.build import build
from graphlang.graph.order import plan
from graphlang.pipeline import goals_of, loads
from graphlang.syntax.parser import parse

LIMIT = 1.5  # how much more an equation may cost at ten times the length


def chain(n: int) -> str:
    return "input u0 = 0.5\n" + "".join(f"u{k} = sin(u{k - 1})\n" for k in range(1, n)) + f"J = u{n - 1}^2\n"


def gradient(n: int) -> float:
    """By hand: the product of the cosines, and 2u of the square."""
    u, slope = 0.5, 1.0
    for _ in range(1, n):
        slope *= math.cos(u)
        u = math.sin(u)
    return 2 * u * slope


def stages(n: int) -> dict[str, float]:
    text = chain(n)
    seconds: dict[str, float] = {}

    def timed(name, call):
        start = time.perf_counter()
        made = call()
        seconds[name] = time.perf_counter() - start
        return made

    tree = timed("parse", lambda: parse(Source("chain.graph", text)))
    graph = timed("build", lambda: build(tree))
    order = timed("plan", lambda: plan(graph))
    timed("differentiate", lambda: differentiate(graph, goals_of(graph, order, None)[0], order))
    del tree, graph, order
    program = loads(text)
    program.graph
    run = timed("run (plan, forward, differentiate, backward)", lambda: program.run())
    assert math.isclose(run.adjoints["u0"], gradient(n), rel_tol=1e-9), "the gradient is wrong"
    del run, program
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chain.graph"
        path.write_text(text, encoding="utf-8")
        for name, more in (("graphlang run", []), ("graphlang run --json", ["--json"])):
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                status = timed(name, lambda: graphlang(["run", str(path), *more]))
            assert status == 0
        assert math.isclose(json.loads(out.getvalue())["adjoints"]["u0"], gradient(n), rel_tol=1e-9)
    return seconds


def main() -> None:
    asked = options(__doc__, repeats=1, length=(100_000, "the length of the longer chain"))
    long, short = asked.length, asked.length // 10
    best: dict[int, dict[str, float]] = {}
    for _ in range(asked.repeats):
        for n in (short, long):
            for name, s in stages(n).items():
                best.setdefault(n, {})[name] = min(s, best.get(n, {}).get(name, math.inf))
    rows = []
    for name in best[long]:
        a, b = (1e6 * best[n][name] / n for n in (short, long))
        rows.append({"what": name, f"µs an equation at {short:,}": a, f"at {long:,}": b, "growth": b / a, "limit": LIMIT, "within": b / a <= LIMIT})
    report(f"a chain of {long:,} equations", rows, asked.json, repeats=asked.repeats, versions=versions("lark", "rich"))


if __name__ == "__main__":
    main()
