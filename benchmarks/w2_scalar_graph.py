"""Value and gradient of large graphs of random scalar operations, each of two of the last fifty nodes, by ten inputs; beside CasADi SX, and at a thousand nodes
beside others.

Set-up and calls are timed apart, both for each node.
"""

from __future__ import annotations

import math
from random import Random

from timing import Missing, interleaved, one_thread, options, ready, report, versions

one_thread()

LIMIT = 0.6  # times CasADi SX
SMALL = 1000  # nodes, for peers that take microseconds a node
NAMES = [f"x{k}" for k in range(10)]
POINT = [0.3 + 0.1 * k for k in range(10)]


def operations(nodes: int) -> list[tuple[int, int, int]]:
    rng = Random(nodes)
    return [(rng.randrange(5), rng.randint(max(0, k - 40), k + 9), rng.randint(max(0, k - 40), k + 9)) for k in range(nodes)]


def apply(kind, a, b, sin, tanh):
    return (sin(a) + 0.5 * b, tanh(a * b) + 0.5, a / (b * b + 1.5), a - 0.3 * b, 0.7 * a * b + 0.2)[kind]


def ours(nodes: int, engine: str = "numba"):
    import graphlang as gl

    g = gl.Graph()
    found = [g.input(n, x) for n, x in zip(NAMES, POINT)]
    makers = (lambda a, b: gl.sin(a) + 0.5 * b, lambda a, b: gl.tanh(a * b) + 0.5, lambda a, b: a / (b * b + 1.5), lambda a, b: a - 0.3 * b, lambda a, b: 0.7 * a * b + 0.2)
    for k, (kind, i, j) in enumerate(operations(nodes)):
        found.append(g.define(f"v{k}", makers[kind](found[i], found[j])))
    g.output(found[-1], "y")
    try:
        f = g.compile(NAMES, engine=engine)
    except gl.UsageError as why:
        raise Missing(str(why)) from None
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


def in_order(nodes: int, x, sin, tanh):
    """The goal, by one operation after the other on whatever the inputs are."""
    found = list(x)
    for kind, i, j in operations(nodes):
        found.append(apply(kind, found[i], found[j], sin, tanh))
    return found[-1]


def torch(nodes: int):
    import torch

    torch.set_num_threads(1)

    def gradient():
        x = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in POINT]
        y = in_order(nodes, x, torch.sin, torch.tanh)
        return [y.item(), *(0.0 if g is None else g.item() for g in torch.autograd.grad(y, x, allow_unused=True))]

    return gradient


def jax(nodes: int):
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as np

    f = jax.jit(jax.value_and_grad(lambda x: in_order(nodes, x, np.sin, np.tanh)))

    def gradient():
        value, slopes = f(POINT)
        return [float(value), *map(float, slopes)]

    return gradient


def autograd(nodes: int):
    from autograd import numpy as np
    from autograd import value_and_grad

    f = value_and_grad(lambda x: in_order(nodes, x, np.sin, np.tanh))

    def gradient():
        value, slopes = f(POINT)
        return [value, *slopes]

    return gradient


def micrograd(nodes: int):
    """Its numbers learn the two functions. Its pass backward recurses: the graph is not too deep for that at a thousand nodes."""
    import micrograd.engine as engine

    Value = engine.Value

    def unary(v, value, local):
        out = Value(value, (v,))

        def back():
            v.grad += local * out.grad

        out._backward = back
        return out

    def gradient():
        x = [Value(v) for v in POINT]
        y = in_order(nodes, x, lambda v: unary(v, math.sin(v.data), math.cos(v.data)), lambda v: unary(v, math.tanh(v.data), 1 - math.tanh(v.data) ** 2))
        y.backward()
        return [y.data, *(v.grad for v in x)]

    return gradient


PEERS = {"graphlang, engine numba": (ours, 10**6), "graphlang, engine python": (lambda nodes: ours(nodes, "python"), 10_000), "CasADi SX": (casadi, 10**6),
         "PyTorch": (torch, SMALL), "JAX, jit": (jax, SMALL), "autograd": (autograd, SMALL), "micrograd": (micrograd, SMALL)}  # up to so many nodes
SLOW = ("JAX, jit",)  # minutes to compile


def main() -> None:
    asked = options(__doc__, repeats=7, nodes=(100_000, "the largest graph"))
    rows = []
    for nodes in (1000, 10_000, 100_000, 1_000_000):
        if nodes > (SMALL if asked.quick else asked.nodes):
            break
        makers = {name: lambda make=make: make(nodes) for name, (make, most) in PEERS.items() if nodes <= most and not (asked.quick and name in SLOW)}
        work, setup, missing = ready(makers, lambda f: f())
        answers = {name: f() for name, f in work.items()}
        wanted = next(iter(answers.values()))
        for name, found in answers.items():
            assert all(abs(a - b) <= 1e-9 * max(1.0, *map(abs, wanted)) for a, b in zip(found, wanted, strict=True)), name
        times = {name: 1 if asked.quick else max(1, (200_000 if PEERS[name][1] > 10_000 else 5000) // nodes) for name in work}
        seconds = interleaved({n: (lambda f=f, n=n: [f() for _ in range(times[n])]) for n, f in work.items()}, asked.repeats)
        seconds = {name: s / times[name] for name, s in seconds.items()}
        for name, s in seconds.items():
            row = {"what": f"{name}, {nodes:,} nodes", "ns/node": 1e9 * s / nodes, "setup us/node": 1e6 * setup[name] / nodes}
            if "CasADi SX" in seconds:
                row["ratio"] = s / seconds["CasADi SX"]
                if name == "graphlang, engine numba":
                    row |= {"limit": LIMIT, "within": row["ratio"] <= LIMIT}
            rows.append(row)
        rows += [{"what": f"{nodes:,} nodes, {row['what']}"} for row in missing]
    rows += [{"what": f"{name}: left out of a quick round"} for name in SLOW if asked.quick]
    report("W2: large scalar graphs, value and gradient", rows, asked.json, repeats=asked.repeats,
           versions=versions("numba", "casadi", "torch", "jax", "autograd", "micrograd"))


if __name__ == "__main__":
    main()
