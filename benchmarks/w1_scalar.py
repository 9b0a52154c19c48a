"""Value and gradient of `J = cos(sin(x^2) + 3x^2)` at a new x in each call, through the compiled function, beside the peers'.

Set-up (from the text to the first answer) is timed apart. The gradients are compared before anything is timed.
"""

from __future__ import annotations

import math
import shutil

from timing import Missing, compiled, interleaved, one_thread, options, ready, report, versions

one_thread()

TEXT = "J = cos(sin(x^2) + 3x^2)\ninput x = 2\n"
POINTS = [1.0 + k / 1000 for k in range(1000)]
BUFFERS, BEST = "CasADi SX, through its buffers", "CasADi SX, compiled by cc, through its buffers"
GOALS = {"python": (BUFFERS, 1.0), "numba": (BEST, 0.7)}  # times a peer


def derivative(x: float) -> float:
    return -math.sin(math.sin(x * x) + 3 * x * x) * (math.cos(x * x) + 3) * 2 * x


def ours(engine: str):
    f = compiled(TEXT, ["x"], engine)
    return lambda x: f(x=x)[1]["x"]


def casadi_buffers(**how):
    import casadi
    import numpy

    x = casadi.SX.sym("x")
    j = casadi.cos(casadi.sin(x**2) + 3 * x**2)
    f = casadi.Function("f", [x], [j, casadi.gradient(j, x)], how)
    buffer, call = f.buffer()
    at, value, slope = (numpy.zeros(1) for _ in range(3))
    buffer.set_arg(0, memoryview(at))
    buffer.set_res(0, memoryview(value))
    buffer.set_res(1, memoryview(slope))

    def gradient(x: float) -> float:
        at[0] = x
        call()
        return slope[0]

    gradient.kept = buffer, f, value  # the buffer holds addresses
    return gradient


def casadi_compiled():
    if not (shutil.which("cc") or shutil.which("gcc")):
        raise Missing("no C compiler")
    return casadi_buffers(jit=True, compiler="shell", jit_options={"flags": ["-O3"], "compiler": "cc" if shutil.which("cc") else "gcc"})


def casadi_plain():
    import casadi

    x = casadi.SX.sym("x")
    j = casadi.cos(casadi.sin(x**2) + 3 * x**2)
    f = casadi.Function("f", [x], [j, casadi.gradient(j, x)])
    return lambda x: float(f(x)[1])


def micrograd():
    import micrograd.engine as engine

    Value = engine.Value

    def unary(v, value, local):
        out = Value(value, (v,))

        def back():
            v.grad += local * out.grad

        out._backward = back
        return out

    def gradient(x: float) -> float:
        v = Value(x)
        t = v * v
        u = unary(t, math.sin(t.data), math.cos(t.data)) + t * 3
        unary(u, math.cos(u.data), -math.sin(u.data)).backward()
        return v.grad

    return gradient


def autograd():
    from autograd import numpy as np
    from autograd import value_and_grad

    f = value_and_grad(lambda x: np.cos(np.sin(x**2) + 3 * x**2))
    return lambda x: f(x)[1]


def jax():
    import jax
    import jax.numpy as np

    jax.config.update("jax_enable_x64", True)
    f = jax.jit(jax.value_and_grad(lambda x: np.cos(np.sin(x**2) + 3 * x**2)))
    return lambda x: float(f(x)[1])


def torch():
    import torch

    torch.set_num_threads(1)

    def gradient(x: float) -> float:
        v = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        torch.cos(torch.sin(v**2) + 3 * v**2).backward()
        return v.grad.item()

    return gradient


PEERS = {"graphlang, engine python": lambda: ours("python"), "graphlang, engine numba": lambda: ours("numba"), BUFFERS: casadi_buffers, BEST: casadi_compiled,
         "CasADi SX, called plainly": casadi_plain, "micrograd": micrograd, "autograd": autograd, "JAX, jit": jax, "PyTorch": torch}


def main() -> None:
    asked = options(__doc__, repeats=9)
    work, setup, missing = ready(PEERS, lambda f: f(2.0))
    for name, f in work.items():
        assert all(abs(f(x) - derivative(x)) < 1e-9 * max(1, abs(derivative(x))) for x in POINTS[:20]), name
    points = POINTS[:20] if asked.quick else POINTS
    seconds = interleaved({name: lambda f=f: [f(x) for x in points] for name, f in work.items()}, asked.repeats)
    base = seconds.get(BUFFERS, seconds["graphlang, engine python"])
    rows = []
    for name, s in seconds.items():
        row = {"what": name, "us": 1e6 * s / len(points), "ratio": s / base, "setup ms": 1000 * setup[name]}
        peer, goal = GOALS.get(name.removeprefix("graphlang, engine "), (None, 0))
        if peer in seconds:
            row |= {"goal": f"{goal:g} of {peer.partition(', through')[0]}", "within": s <= goal * seconds[peer]}
        rows.append(row)
    rows += missing
    report("W1: a scalar program, value and gradient", rows, asked.json, repeats=asked.repeats, versions=versions("numba", "casadi", "micrograd", "autograd", "jax", "torch"))


if __name__ == "__main__":
    main()
