"""Value and gradient of large graphs of random scalar operations, each of two of the last fifty nodes, by ten inputs; beside CasADi SX.

Set-up and calls are timed apart, both for each node.
"""

from __future__ import annotations

import time
from random import Random

from timing import interleaved, options, report, versions

LIMIT = 0.6  # times CasADi SX
NAMES = [f"x{k}" for k in range(10)]
POINT = [0.3 + 0.1 * k for k in range(10)]


def operations(nodes: int) -> list[tuple[int, int, int]]:
    rng = Random(nodes)
    return [(rng.randrange(5), rng.randint(max(0, k - 40), k + 9), rng.randint(max(0, k - 40), k + 9)) for k in range(nodes)]


def apply(kind, a, b, sin, tanh):
    return (sin(a) + 0.5 * b, tanh(a * b) + 0.5, a / (b * b + 1.5), a - 0.3 * b, 0.7 * a * b + 0.2)[kind]


def ours(nodes: int):
    import graphlang as gl

    g = gl.Graph()
    found = [g.input(n, x) for n, x in zip(NAMES, POINT)]
    makers = (lambda a, b: gl.sin(a) + 0.5 * b, lambda a, b: gl.tanh(a * b) + 0.5, lambda a, b: a / (b * b + 1.5), lambda a, b: a - 0.3 * b, lambda a, b: 0.7 * a * b + 0.2)
    for k, (kind, i, j) in enumerate(operations(nodes)):
        found.append(g.define(f"v{k}", makers[kind](found[i], found[j])))
    g.output(found[-1], "y")
    f = g.compile(NAMES, engine="numba")
    point = dict(zip(NAMES, POINT))

    def call():
        value, gradient = f(**point)
        return [value, *gradient.values()]

    return call


def casadi(nodes: int):
    import casadi
    import numpy

    x = casadi.SX.sym("x", 10)
    found = [x[k] for k in range(10)]
    for kind, i, j in operations(nodes):
        found.append(apply(kind, found[i], found[j], casadi.sin, casadi.tanh))
    f = casadi.Function("f", [x], [found[-1], casadi.densify(casadi.gradient(found[-1], x))])
    buffer, call = f.buffer()
    at, value, slope = numpy.array(POINT), numpy.zeros(1), numpy.zeros(10)
    buffer.set_arg(0, memoryview(at))
    buffer.set_res(0, memoryview(value))
    buffer.set_res(1, memoryview(slope))

    def gradient():
        call()
        return [value[0], *slope]

    gradient.kept = buffer, f, at  # the buffer holds addresses
    return gradient


def main() -> None:
    asked = options(__doc__, repeats=7, nodes=(100_000, "the largest graph"))
    rows, known = [], versions("numba", "casadi")
    for nodes in (1000, 10_000, 100_000, 1_000_000):
        if nodes > asked.nodes:
            break
        work, setup = {}, {}
        for name, make in (("graphlang, engine numba", ours), ("CasADi SX", casadi)):
            start = time.perf_counter()
            try:
                work[name] = make(nodes)
            except ImportError:
                rows.append({"what": f"{name}: missing (not installed)"})
                continue
            work[name]()
            setup[name] = time.perf_counter() - start
        answers = [f() for f in work.values()]
        assert all(abs(a - b) <= 1e-9 * max(1.0, *map(abs, answers[0])) for other in answers[1:] for a, b in zip(answers[0], other))
        times = max(1, 200_000 // nodes)
        seconds = interleaved({n: (lambda f=f: [f() for _ in range(times)]) for n, f in work.items()}, asked.repeats)
        for name in work:
            row = {"what": f"{name}, {nodes:,} nodes", "ns/node": 1e9 * seconds[name] / times / nodes, "setup us/node": 1e6 * setup[name] / nodes}
            if "CasADi SX" in seconds:
                row["ratio"] = seconds[name] / seconds["CasADi SX"]
                if name.startswith("graphlang"):
                    row |= {"limit": LIMIT, "within": row["ratio"] <= LIMIT}
            rows.append(row)
    report("W2: large scalar graphs, value and gradient", rows, asked.json, repeats=asked.repeats, versions=known)


if __name__ == "__main__":
    main()
