"""Training in batches of 64, on the network 128–50–10 and on 784–256–10; microseconds an example.

All work in float64 on one thread and end with the same params, which is compared first. The limit is what the matrix products alone take.
"""

from __future__ import annotations

import network
from network import Case, Pass
from timing import one_thread, options, report, versions

one_thread()

LIMIT = 1.1  # times the best peer
BATCH = 64


def products(c: Case) -> Pass:
    """The five products of a step, into arrays that are there."""
    import numpy as np

    n, m, d, k = c.batch, c.inputs, c.hidden, c.outputs
    alpha, _, beta, _ = c.start()
    db = np.random.default_rng(0).normal(size=(n, k))
    a, b, dz, by_alpha, by_beta = (np.empty(shape) for shape in ((n, d), (n, k), (n, d), (d, m), (k, d)))

    def run(count: int):
        for start in range(0, count, n):
            x = c.x[start:start + n]
            np.matmul(x, alpha.T, out=a)
            np.matmul(a, beta.T, out=b)
            np.matmul(db, beta, out=dz)
            np.matmul(db.T, a, out=by_beta)
            np.matmul(dz.T, x, out=by_alpha)

    return run


PEERS = {"JAX, lax.scan": network.jax_scan, "PyTorch": network.torch, "scikit-learn, partial_fit": network.sklearn}
LIMITS = {"limit: NumPy by hand": network.numpy_by_hand, "limit: the matrix products": products}


def main() -> None:
    asked = options(__doc__, repeats=7)
    ours = {f"graphlang, engine {e}": network.graphlang(e) for e in ("numba", "numpy", "python")}
    rows = []
    for inputs, hidden, batches in ((128, 50, 60), (784, 256, 16)):
        c = network.case(inputs, hidden, 10, BATCH, 0.1, batches*BATCH)
        seconds, setup, counts, missing = network.measure(c, ours | PEERS | LIMITS, asked.repeats, asked.quick, unchecked=("limit: the matrix products",))
        peers = [seconds[name] for name in PEERS if name in seconds]
        for name, s in seconds.items():
            row = {"what": f"{inputs}-{hidden}-10, {name}", "us/example": 1e6*s, "examples": counts[name], "setup s": setup[name]} | ({"of the best peer": s/min(peers)} if peers else {})
            if peers and name.startswith("graphlang") and name != "graphlang, engine python":
                row |= {"goal": LIMIT, "within": s <= LIMIT*min(peers)}
            rows.append(row)
        rows += [{"what": f"{inputs}-{hidden}-10, {row['what']}"} for row in missing]
    report("W4: training in batches of 64", rows, asked.json, repeats=asked.repeats, versions=versions("numpy", "numba", "jax", "torch", "scikit-learn"))


if __name__ == "__main__":
    main()
