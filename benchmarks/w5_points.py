"""The quiz function `exp(x*z) + x*z/log(x) + sin(log(x))/(x*z)` and both its partial derivatives at a million points, beside peers."""

from __future__ import annotations

import time

from timing import interleaved, options, report, versions

TEXT = "y = exp(x*z) + x*z/log(x) + sin(log(x))/(x*z)\ninput x = 2, z = 3\n"


def points(count: int):
    import numpy

    rng = numpy.random.default_rng(0)
    return rng.uniform(1.5, 2.5, count), rng.uniform(1.0, 2.0, count)


def ours(x, z):
    import graphlang as gl

    f = gl.loads(TEXT).compile(["x", "z"], engine="numba")

    def call():
        value, gradient = f(x=x, z=z)
        return value, gradient["x"], gradient["z"]

    return call


def numpy_by_hand(x, z):
    import numpy as np

    def call():
        t, u = np.log(x), x * z
        s, c, e = np.sin(t), np.cos(t), np.exp(u)
        by_u = e + 1 / t - s / (u * u)
        by_t = -u / (t * t) + c / u
        return e + u / t + s / u, by_u * z + by_t / x, by_u * x

    return call


def autograd(x, z):
    from autograd import elementwise_grad
    from autograd import numpy as np

    def y(x, z):
        return np.exp(x * z) + x * z / np.log(x) + np.sin(np.log(x)) / (x * z)

    by_x, by_z = elementwise_grad(y, 0), elementwise_grad(y, 1)
    return lambda: (y(x, z), by_x(x, z), by_z(x, z))


def torch(x, z):
    import torch

    torch.set_num_threads(1)
    a, b = (torch.tensor(v, requires_grad=True) for v in (x, z))

    def call():
        a.grad = b.grad = None
        y = torch.exp(a * b) + a * b / torch.log(a) + torch.sin(torch.log(a)) / (a * b)
        y.sum().backward()
        return y.detach().numpy(), a.grad.numpy(), b.grad.numpy()

    return call


def jax(x, z):
    import jax
    import jax.numpy as np

    jax.config.update("jax_enable_x64", True)

    def y(x, z):
        return np.exp(x * z) + x * z / np.log(x) + np.sin(np.log(x)) / (x * z)

    f = jax.jit(jax.vmap(jax.value_and_grad(y, (0, 1))))

    def call():
        value, (by_x, by_z) = f(x, z)
        return value.block_until_ready(), by_x, by_z

    return call


PEERS = {"graphlang, engine numba": ours, "NumPy by hand": numpy_by_hand, "PyTorch": torch, "JAX, jit": jax, "autograd": autograd}
LIMIT = 0.55  # times PyTorch


def main() -> None:
    import numpy

    asked = options(__doc__, repeats=7, points=(1_000_000, "how many"))
    x, z = points(asked.points)
    work, setup, missing = {}, {}, []
    for name, make in PEERS.items():
        start = time.perf_counter()
        try:
            work[name] = make(x, z)
        except ImportError:
            missing.append(name)
            continue
        work[name]()
        setup[name] = time.perf_counter() - start
    wanted = numpy_by_hand(x, z)()
    for name, call in work.items():
        assert all(numpy.allclose(a, b, rtol=1e-9, atol=0) for a, b in zip(call(), wanted)), name
    seconds = interleaved(work, asked.repeats)
    base = seconds.get("PyTorch", seconds["NumPy by hand"])
    rows = []
    for name in PEERS:
        if name in missing:
            rows.append({"what": f"{name}: missing (not installed)"})
            continue
        row = {"what": name, "ns/point": 1e9 * seconds[name] / asked.points, "ratio": seconds[name] / base, "setup s": setup[name]}
        if name.startswith("graphlang") and "PyTorch" in seconds:
            row |= {"limit": LIMIT, "within": seconds[name] <= LIMIT * base}
        rows.append(row)
    report("W5: a scalar program at many points, value and gradient", rows, asked.json, repeats=asked.repeats, versions=versions("numpy", "numba", "torch", "jax", "autograd"))


if __name__ == "__main__":
    main()
