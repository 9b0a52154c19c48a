"""Logistic regression: the mean cross-entropy of 100,000 examples with 50 features, and its gradient, at new params in each call.

All work in float64 on one thread; values and gradients are compared first. The examples are handed over once where a peer can keep them.
"""

from __future__ import annotations

import math

from native import address, library
from timing import compiled, interleaved, one_thread, options, ready, report, versions

one_thread()

FEATURES = 50
LIMIT = 0.65  # times PyTorch
PROGRAM = """\
const N = {count}, D = {features}
data  X[1..N, 1..D], ystar[1..N]
param theta[1..D], theta0
J    = mean(softplus(a[n]) - ystar[n]*a[n] for n in 1..N)
a[n] = theta0 + sum(X[n,j]*theta[j] for j in 1..D) for n in 1..N
minimize J
"""
C = """
#include <math.h>
double value(long count, const double *x, const double *ystar, const double *theta, double theta0, double *by_theta, double *by_theta0) {
    double loss = 0, by0 = 0;
    for (int j = 0; j < D; j++) by_theta[j] = 0;
    for (long n = 0; n < count; n++, x += D) {
        double a = theta0;
        for (int j = 0; j < D; j++) a += x[j]*theta[j];
        double e = exp(-fabs(a)), y = a > 0 ? 1/(1 + e) : e/(1 + e), da = y - ystar[n];
        loss += (a > 0 ? a : 0) + log1p(e) - ystar[n]*a;
        for (int j = 0; j < D; j++) by_theta[j] += da*x[j];
        by0 += da;
    }
    for (int j = 0; j < D; j++) by_theta[j] /= count;
    *by_theta0 = by0/count;
    return loss/count;
}
"""


def examples(count: int):
    import numpy as np

    rng = np.random.default_rng(0)
    x, truth = rng.normal(size=(count, FEATURES)), rng.normal(0, 0.3, FEATURES)
    ystar = (x @ truth + rng.logistic(size=count) > 0).astype(float)
    points = [(rng.normal(0, 0.1, FEATURES), float(b)) for b in rng.normal(0, 0.1, 16)]
    return x, ystar, points


def graphlang(engine: str):
    def make(x, ystar):
        f = compiled(PROGRAM.format(count=len(x), features=FEATURES), ["theta", "theta0"], engine)

        def call(theta, theta0):
            value, gradient = f(X=x, ystar=ystar, theta=theta, theta0=theta0)
            return value, gradient["theta"], gradient["theta0"]

        return call

    return make


def numpy_by_hand(x, ystar):
    import numpy as np

    def call(theta, theta0):
        a = x @ theta + theta0
        e = np.exp(-np.abs(a))
        da = (np.where(a > 0, 1.0, e)/(1 + e) - ystar)/len(a)
        return np.mean(np.maximum(a, 0) + np.log1p(e) - ystar*a), da @ x, da.sum()

    return call


def numpy_blocks(x, ystar, rows: int = 4000):
    """The same in blocks of rows that stay in cache between the two products."""
    import numpy as np

    def call(theta, theta0):
        value, by_theta, by_theta0 = 0.0, np.zeros(FEATURES), 0.0
        for k in range(0, len(x), rows):
            part, wanted = x[k:k + rows], ystar[k:k + rows]
            a = part @ theta
            a += theta0
            e = np.exp(-np.abs(a))
            value += np.maximum(a, 0).sum() + np.log1p(e).sum() - wanted @ a
            da = np.where(a > 0, 1.0, e)
            e += 1
            da /= e
            da -= wanted
            by_theta += da @ part
            by_theta0 += da.sum()
        return value/len(x), by_theta/len(x), by_theta0/len(x)

    return call


def torch(x, ystar):
    import torch
    import torch.nn.functional as f

    torch.set_num_threads(1)
    data, wanted = torch.tensor(x), torch.tensor(ystar)

    def call(theta, theta0):
        params = torch.tensor(theta, requires_grad=True), torch.tensor(theta0, dtype=torch.float64, requires_grad=True)
        loss = f.binary_cross_entropy_with_logits(data @ params[0] + params[1], wanted)
        by_theta, by_theta0 = torch.autograd.grad(loss, params)
        return loss.item(), by_theta.numpy(), by_theta0.item()

    return call


def jax(x, ystar):
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as np

    data, wanted = np.asarray(x), np.asarray(ystar)

    def loss(theta, theta0, data, wanted):
        a = data @ theta + theta0
        return np.mean(jax.nn.softplus(a) - wanted*a)

    f = jax.jit(jax.value_and_grad(loss, (0, 1)))

    def call(theta, theta0):
        value, (by_theta, by_theta0) = jax.block_until_ready(f(theta, theta0, data, wanted))
        return float(value), by_theta, float(by_theta0)

    return call


def autograd(x, ystar):
    from autograd import numpy as np
    from autograd import value_and_grad

    def loss(params):
        a = x @ params[0] + params[1]
        return np.mean(np.logaddexp(0.0, a) - ystar*a)

    f = value_and_grad(loss)

    def call(theta, theta0):
        value, (by_theta, by_theta0) = f((theta, theta0))
        return value, by_theta, by_theta0

    return call


def casadi(x, ystar):
    import casadi
    import numpy as np

    theta, theta0 = casadi.MX.sym("theta", FEATURES), casadi.MX.sym("theta0")
    a = casadi.MX(casadi.DM(x)) @ theta + theta0
    loss = casadi.sum1(casadi.fmax(a, 0) + casadi.log1p(casadi.exp(-casadi.fabs(a))) - casadi.DM(ystar)*a)/len(x)
    f = casadi.Function("f", [theta, theta0], [loss, casadi.gradient(loss, theta), casadi.gradient(loss, theta0)])
    buffer, run = f.buffer()
    places = [np.zeros(FEATURES), np.zeros(1), np.zeros(1), np.zeros(FEATURES), np.zeros(1)]
    for k, v in enumerate(places):
        buffer.set_arg(k, memoryview(v)) if k < 2 else buffer.set_res(k - 2, memoryview(v))

    def call(theta, theta0):
        places[0][:], places[1][:] = theta, theta0
        run()
        return places[2][0], places[3], places[4][0]

    call.kept = buffer, f  # the buffer holds addresses
    return call


def in_c(x, ystar):
    import ctypes

    import numpy as np

    kept = library(C, D=FEATURES)
    kept.value.restype = ctypes.c_double

    def call(theta, theta0):
        by_theta, by_theta0 = np.empty(FEATURES), np.empty(1)
        value = kept.value(ctypes.c_long(len(x)), address(x), address(ystar), address(theta), ctypes.c_double(theta0), address(by_theta), address(by_theta0))
        return value, by_theta, by_theta0[0]

    return call


def numba_by_hand(x, ystar):
    import numba
    import numpy as np

    @numba.njit(fastmath=True, boundscheck=False)
    def f(x, ystar, theta, theta0):
        count, features = x.shape
        loss, by0, by_theta = 0.0, 0.0, np.zeros(features)
        for n in range(count):
            a = theta0
            for j in range(features):
                a += x[n, j]*theta[j]
            e = math.exp(-abs(a))
            da = (1.0 if a > 0 else e)/(1 + e) - ystar[n]
            loss += max(a, 0.0) + math.log1p(e) - ystar[n]*a
            for j in range(features):
                by_theta[j] += da*x[n, j]
            by0 += da
        return loss/count, by_theta/count, by0/count

    return lambda theta, theta0: f(x, ystar, theta, theta0)


PEERS = {"graphlang, engine numpy": graphlang("numpy"), "graphlang, engine numba": graphlang("numba"), "PyTorch": torch, "NumPy by hand": numpy_by_hand,
         "autograd": autograd, "JAX, jit": jax, "CasADi MX, through its buffers": casadi, "limit: C": in_c, "limit: Numba by hand": numba_by_hand,
         "limit: NumPy in blocks": numpy_blocks}


def main() -> None:
    import numpy as np

    asked = options(__doc__, repeats=7, examples=(100_000, "how many"))
    x, ystar, points = examples(2000 if asked.quick else asked.examples)
    work, setup, missing = ready({name: lambda make=make: make(x, ystar) for name, make in PEERS.items()}, lambda call: call(*points[0]))
    right = numpy_by_hand(x, ystar)
    for at in points[:2]:
        wanted = right(*at)
        for name, call in work.items():
            assert all(np.allclose(a, b, rtol=1e-9, atol=1e-9) for a, b in zip(call(*at), wanted)), f"{name} has another value or gradient"
    few = points[:2 if asked.quick else 5]
    seconds = interleaved({name: lambda call=call: [call(*at) for at in few] for name, call in work.items()}, asked.repeats)
    rows = []
    for name, s in seconds.items():
        row = {"what": name, "ms": 1000*s/len(few), "setup s": setup[name]} | ({"of PyTorch": s/seconds["PyTorch"]} if "PyTorch" in seconds else {})
        if name.startswith("graphlang") and "PyTorch" in seconds:
            row |= {"goal": LIMIT, "within": s <= LIMIT*seconds["PyTorch"]}
        rows.append(row)
    report(f"W7: logistic regression, {len(x):,} examples with {FEATURES} features", [*rows, *missing], asked.json, repeats=asked.repeats,
           versions=versions("numpy", "numba", "torch", "jax", "casadi", "autograd"))


if __name__ == "__main__":
    main()
