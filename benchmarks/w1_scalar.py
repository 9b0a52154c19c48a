"""Value and gradient of `J = cos(sin(x^2) + 3x^2)` at a new x in each call, through the compiled function, beside the peers'.

Set-up (from the text to the first answer) is timed apart. The gradients are compared before anything is timed.
"""

from __future__ import annotations

import math
import time

from timing import interleaved, options, report, versions

TEXT = "J = cos(sin(x^2) + 3x^2)\ninput x = 2\n"
POINTS = [1.0 + k / 1000 for k in range(1000)]
LIMIT = 1.0  # times CasADi SX through its buffers


def derivative(x: float) -> float:
    return -math.sin(math.sin(x * x) + 3 * x * x) * (math.cos(x * x) + 3) * 2 * x


def ours():
    import graphlang as gl

    f = gl.loads(TEXT).compile(["x"], engine="python")
    return lambda x: f(x=x)[1]["x"]


def casadi_buffers():
    import casadi
    import numpy

    x = casadi.SX.sym("x")
    j = casadi.cos(casadi.sin(x**2) + 3 * x**2)
    f = casadi.Function("f", [x], [j, casadi.gradient(j, x)])
    buffer, call = f.buffer()
    at, value, slope = (numpy.zeros(1) for _ in range(3))
    buffer.set_arg(0, memoryview(at))
    buffer.set_res(0, memoryview(value))
    buffer.set_res(1, memoryview(slope))

    def gradient(x: float) -> float:
        at[0] = x
        call()
        return slope[0]

    gradient.kept = buffer, f
    return gradient


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

    def gradient(x: float) -> float:
        v = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        torch.cos(torch.sin(v**2) + 3 * v**2).backward()
        return v.grad.item()

    return gradient


PEERS = {"graphlang, engine python": ours, "CasADi SX, through its buffers": casadi_buffers, "CasADi SX, called plainly": casadi_plain, "micrograd": micrograd,
         "autograd": autograd, "JAX, jit": jax, "PyTorch": torch}


def main() -> None:
    asked = options(__doc__, repeats=9)
    work, setup, missing = {}, {}, []
    for name, make in PEERS.items():
        start = time.perf_counter()
        try:
            f = make()
        except ImportError:
            missing.append(name)
            continue
        f(2.0)
        setup[name] = time.perf_counter() - start
        assert all(abs(f(x) - derivative(x)) < 1e-9 * max(1, abs(derivative(x))) for x in POINTS[:20]), name
        work[name] = lambda f=f: [f(x) for x in POINTS]
    seconds = interleaved(work, asked.repeats)
    base = seconds.get("CasADi SX, through its buffers", seconds["graphlang, engine python"])
    rows = []
    for name in PEERS:
        if name in missing:
            rows.append({"what": f"{name}: missing (not installed)"})
            continue
        row = {"what": name, "us": 1e6 * seconds[name] / len(POINTS), "ratio": seconds[name] / base, "setup ms": 1000 * setup[name]}
        if name.startswith("graphlang") and "CasADi SX, through its buffers" in seconds:
            row |= {"limit": LIMIT, "within": seconds[name] <= LIMIT * base}
        rows.append(row)
    report("W1: a scalar program, value and gradient", rows, asked.json, repeats=asked.repeats, versions=versions("casadi", "micrograd", "autograd", "jax", "torch"))


if __name__ == "__main__":
    main()
