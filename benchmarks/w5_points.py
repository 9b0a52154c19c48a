"""The quiz function `exp(x*z) + x*z/log(x) + sin(log(x))/(x*z)` and both its partial derivatives at a million points, beside peers."""

from __future__ import annotations

from timing import Missing, compiled, interleaved, one_thread, options, ready, report, versions

one_thread()

TEXT = "y = exp(x*z) + x*z/log(x) + sin(log(x))/(x*z)\ninput x = 2, z = 3\n"


def points(count: int):
    import numpy

    rng = numpy.random.default_rng(0)
    return rng.uniform(1.5, 2.5, count), rng.uniform(1.0, 2.0, count)


def ours(engine: str):
    def make(x, z):
        f = compiled(TEXT, ["x", "z"], engine)

        def call():
            value, gradient = f(x=x, z=z)
            return value, gradient["x"], gradient["z"]

        return call

    return make


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


def torch(x, z, through=lambda f: f):
    import torch

    torch.set_num_threads(1)
    a, b = (torch.tensor(v, requires_grad=True) for v in (x, z))
    f = through(lambda a, b: torch.exp(a * b) + a * b / torch.log(a) + torch.sin(torch.log(a)) / (a * b))

    def call():
        a.grad = b.grad = None
        y = f(a, b)
        y.sum().backward()
        return y.detach().numpy(), a.grad.numpy(), b.grad.numpy()

    return call


def torch_compiled(x, z):
    import torch as package

    call = torch(x, z, package.compile)
    try:
        call()
    except Exception as why:  # it needs a C++ compiler and Python's headers, and tells their absence in many ways
        raise Missing(f"torch.compile fails: {type(why).__name__}") from None
    return call


def casadi(x, z):
    """One point as a function, mapped over all of them by CasADi."""
    import casadi
    import numpy as np

    a, b = casadi.SX.sym("x"), casadi.SX.sym("z")
    y = casadi.exp(a * b) + a * b / casadi.log(a) + casadi.sin(casadi.log(a)) / (a * b)
    f = casadi.Function("f", [a, b], [y, casadi.gradient(y, a), casadi.gradient(y, b)]).map(len(x))
    buffer, run = f.buffer()
    places = [np.empty(len(x)) for _ in range(3)]
    for k, v in enumerate((x, z)):
        buffer.set_arg(k, memoryview(v))
    for k, v in enumerate(places):
        buffer.set_res(k, memoryview(v))

    def call():
        run()
        return places

    call.kept = buffer, f, x, z  # the buffer holds addresses
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


PEERS = {"graphlang, engine numpy": ours("numpy"), "graphlang, engine numba": ours("numba"), "NumPy by hand": numpy_by_hand, "PyTorch": torch, "torch.compile": torch_compiled,
         "JAX, jit": jax, "autograd": autograd, "CasADi SX, mapped": casadi}
SLOW = ("torch.compile",)  # half a minute to compile
LIMITS = {"graphlang, engine numpy": 0.85, "graphlang, engine numba": 0.55}  # times PyTorch


def main() -> None:
    import numpy

    asked = options(__doc__, repeats=7, points=(1_000_000, "how many"))
    count = 10_000 if asked.quick else asked.points
    x, z = points(count)
    makers = {name: lambda make=make: make(x, z) for name, make in PEERS.items() if not (asked.quick and name in SLOW)}
    work, setup, missing = ready(makers, lambda call: call())
    missing += [{"what": f"{name}: left out of a quick round"} for name in PEERS if name not in makers]
    wanted = numpy_by_hand(x, z)()
    for name, call in work.items():
        assert all(numpy.allclose(a, b, rtol=1e-9, atol=0) for a, b in zip(call(), wanted)), name
    seconds = interleaved(work, asked.repeats)
    base = seconds.get("PyTorch", seconds["NumPy by hand"])
    rows = []
    for name, s in seconds.items():
        row = {"what": name, "ns/point": 1e9 * s / count, "ratio": s / base, "setup s": setup[name]}
        if name in LIMITS and "PyTorch" in seconds:
            row |= {"limit": LIMITS[name], "within": s <= LIMITS[name] * base}
        rows.append(row)
    report("W5: a scalar program at many points, value and gradient", [*rows, *missing], asked.json, repeats=asked.repeats,
           versions=versions("numpy", "numba", "torch", "jax", "autograd", "casadi"))


if __name__ == "__main__":
    main()
