"""The lecture's Algorithm 1: stochastic gradient descent, one example at a time, on a network 128–50–10; microseconds an example.

All work in float64 on one thread and end with the same params, which is compared first. Set-up is timed apart, up to the end of a first step.
Slow peers are timed over fewer examples.
"""

from __future__ import annotations

import math

import network
from native import address, library
from network import Case, Pass
from timing import one_thread, options, report, versions

one_thread()

C = """
#include <math.h>
void epoch(long count, double rate, const double *x, const double *ystar, double *alpha, double *alpha0, double *beta, double *beta0) {
    double z[D], y[K], dz[D];
    for (long e = 0; e < count; e++, x += M, ystar += K) {
        double top = -INFINITY, total = 0;
        for (int j = 0; j < D; j++) {
            double a = alpha0[j];
            for (int i = 0; i < M; i++) a += alpha[j*M + i]*x[i];
            z[j] = 1/(1 + exp(-a));
            dz[j] = 0;
        }
        for (int k = 0; k < K; k++) {
            double b = beta0[k];
            for (int j = 0; j < D; j++) b += beta[k*D + j]*z[j];
            y[k] = b;
            if (b > top) top = b;
        }
        for (int k = 0; k < K; k++) total += y[k] = exp(y[k] - top);
        for (int k = 0; k < K; k++) {
            double db = y[k]/total - ystar[k], step = rate*db;
            for (int j = 0; j < D; j++) { dz[j] += db*beta[k*D + j]; beta[k*D + j] -= step*z[j]; }
            beta0[k] -= step;
        }
        for (int j = 0; j < D; j++) {
            double step = rate*dz[j]*z[j]*(1 - z[j]);
            for (int i = 0; i < M; i++) alpha[j*M + i] -= step*x[i];
            alpha0[j] -= step;
        }
    }
}
"""


def in_c(c: Case) -> Pass:
    import ctypes

    kept = library(C, M=c.inputs, D=c.hidden, K=c.outputs)

    def run(count: int):
        params = c.start()
        kept.epoch(ctypes.c_long(count), ctypes.c_double(c.rate), address(c.x), address(c.ystar), *map(address, params))
        return params

    return run


def numba_by_hand(c: Case) -> Pass:
    import numba
    import numpy as np

    m, d, outputs = c.inputs, c.hidden, c.outputs

    @numba.njit(fastmath=True, boundscheck=False)
    def epoch(count, rate, x, ystar, alpha, alpha0, beta, beta0):
        z, y, dz = np.empty(d), np.empty(outputs), np.empty(d)
        for e in range(count):
            for j in range(d):
                a = alpha0[j]
                for i in range(m):
                    a += alpha[j, i]*x[e, i]
                z[j] = 1/(1 + math.exp(-a))
                dz[j] = 0.0
            top, total = -np.inf, 0.0
            for k in range(outputs):
                b = beta0[k]
                for j in range(d):
                    b += beta[k, j]*z[j]
                y[k] = b
                top = max(top, b)
            for k in range(outputs):
                y[k] = math.exp(y[k] - top)
                total += y[k]
            for k in range(outputs):
                db = y[k]/total - ystar[e, k]
                step = rate*db
                for j in range(d):
                    dz[j] += db*beta[k, j]
                    beta[k, j] -= step*z[j]
                beta0[k] -= step
            for j in range(d):
                step = rate*dz[j]*z[j]*(1 - z[j])
                for i in range(m):
                    alpha[j, i] -= step*x[e, i]
                alpha0[j] -= step

    def run(count: int):
        params = c.start()
        epoch(count, c.rate, c.x, c.ystar, *params)
        return params

    return run


def numpy_vectors(c: Case) -> Pass:
    """One example as vectors; nothing large is allocated."""
    import numpy as np

    def run(count: int):
        alpha, alpha0, beta, beta0 = params = c.start()
        change_alpha, change_beta = np.empty_like(alpha), np.empty_like(beta)
        for x, ystar in zip(c.x[:count], c.ystar[:count]):
            z = 1/(1 + np.exp(-(alpha @ x + alpha0)))
            b = beta @ z + beta0
            y = np.exp(b - b.max())
            db = (y/y.sum() - ystar)*c.rate
            da = (db @ beta)*z*(1 - z)
            beta -= np.multiply(db[:, None], z, out=change_beta)
            beta0 -= db
            alpha -= np.multiply(da[:, None], x, out=change_alpha)
            alpha0 -= da
        return params

    return run


def casadi(c: Case) -> Pass:
    """One step as a function on buffers; the params go to and fro between two places."""
    import casadi
    import numpy as np

    x, ystar = casadi.MX.sym("x", c.inputs), casadi.MX.sym("ystar", c.outputs)
    shapes = [p.shape for p in c.params]
    alpha, alpha0, beta, beta0 = params = [casadi.MX.sym(n, *s) for n, s in zip(network.NAMES, shapes)]
    b = beta @ (1/(1 + casadi.exp(-(alpha @ x + alpha0)))) + beta0
    loss = casadi.logsumexp(b) - casadi.dot(ystar, b)
    step = casadi.Function("step", [x, ystar, *params], [p - c.rate*g for p, g in zip(params, (casadi.gradient(loss, p) for p in params))])
    places = [[np.empty(p.size) for p in c.params] for _ in range(2)]
    at, wanted = np.empty(c.inputs), np.empty(c.outputs)
    calls, kept = [], []
    for here, there in (places, places[::-1]):
        buffer, call = step.buffer()
        for k, v in enumerate((at, wanted, *here)):
            buffer.set_arg(k, memoryview(v))
        for k, v in enumerate(there):
            buffer.set_res(k, memoryview(v))
        calls.append(call)
        kept.append(buffer)

    def run(count: int):
        for place, p in zip(places[0], c.params):
            place[:] = p.ravel(order="F")
        for k in range(count):
            at[:], wanted[:] = c.x[k], c.ystar[k]
            calls[k % 2]()
        return [v.reshape(s, order="F") for v, s in zip(places[count % 2], shapes)]

    run.kept = kept, step  # the buffers hold addresses
    return run


def micrograd(c: Case) -> Pass:
    import micrograd.engine as engine

    Value = engine.Value

    def unary(v, value, local):
        out = Value(value, (v,))

        def back():
            v.grad += local*out.grad

        out._backward = back
        return out

    def sigmoid(v):
        s = 1/(1 + math.exp(-v.data))
        return unary(v, s, s*(1 - s))

    def weighted(bias, weights, values):
        return sum((w*v for w, v in zip(weights, values)), bias)

    def run(count: int):
        alpha, alpha0, beta, beta0 = params = [[Value(float(v)) for v in p.ravel()] for p in c.params]
        m, d = c.inputs, c.hidden
        for x, digit in zip(c.x[:count].tolist(), c.digit[:count].tolist()):
            z = [sigmoid(weighted(alpha0[j], alpha[j*m:(j + 1)*m], x)) for j in range(d)]
            b = [weighted(beta0[k], beta[k*d:(k + 1)*d], z) for k in range(c.outputs)]
            total = sum(unary(v, math.exp(v.data), math.exp(v.data)) for v in b)
            (unary(total, math.log(total.data), 1/total.data) - b[digit]).backward()
            for p in (p for table in params for p in table):
                p.data -= c.rate*p.grad
                p.grad = 0
        return [[p.data for p in table] for table in params]

    return run


PEERS = {"JAX, lax.scan": network.jax_scan, "JAX, jitted step in a loop": network.jax_loop, "CasADi MX, step through its buffers": casadi,
         "scikit-learn, partial_fit": network.sklearn, "PyTorch": network.torch, "autograd": network.autograd, "micrograd": micrograd}
LIMITS = {"limit: C": in_c, "limit: Numba by hand": numba_by_hand, "limit: NumPy by hand": numpy_vectors}
GOALS = {"numba": {"JAX, lax.scan": 0.95, "limit: C": 1.5}, "numpy": {"limit: NumPy by hand": 1.15}}  # how many times their time


def main() -> None:
    asked = options(__doc__, repeats=7, examples=(5000, "how many in an epoch"))
    c = network.case(128, 50, 10, 1, 0.1, asked.examples)
    ours = {f"graphlang, engine {e}": network.graphlang(e) for e in ("numba", "numpy", "python")}
    seconds, setup, counts, missing = network.measure(c, ours | PEERS | LIMITS, asked.repeats, asked.quick)
    rows = []
    for name, s in seconds.items():
        row = {"what": name, "us/example": 1e6*s, "examples": counts[name], "setup s": setup[name]} | {f"of {p}": s/seconds[q] for p, q in (("JAX", "JAX, lax.scan"), ("C", "limit: C")) if q in seconds}
        goals = {q: g for q, g in GOALS.get(name.removeprefix("graphlang, engine "), {}).items() if q in seconds}
        if goals:
            row |= {"goal": ", ".join(f"{g} of {q.removeprefix('limit: ')}" for q, g in goals.items()), "within": all(s <= g*seconds[q] for q, g in goals.items())}
        rows.append(row)
    report("W3: stochastic gradient descent, one example at a time, 128-50-10", [*rows, *missing], asked.json, repeats=asked.repeats,
           versions=versions("numpy", "numba", "jax", "casadi", "scikit-learn", "torch", "autograd", "micrograd"))


if __name__ == "__main__":
    main()
