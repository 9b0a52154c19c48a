"""Training the lecture's network with one hidden layer, for W3 and W4: as a program of graphlang, and in the words of each peer.

A maker takes a `Case` and gives a function from a number of examples to the params after one pass over so many, in order, always from the same
start. Layers: a = alpha x + alpha0, z = sigmoid(a), b = beta z + beta0, y = softmax(b); J is the cross-entropy of y against one class of `outputs`.
"""

from __future__ import annotations

import time
from typing import Callable, NamedTuple

from timing import Missing, interleaved, ready

NAMES = ("alpha", "alpha0", "beta", "beta0")
PROGRAM = """\
const M = {inputs}, D = {hidden}, K = {outputs}
data  x[1..M], ystar[1..K]
param alpha[1..D, 1..M] = zeros, alpha0[1..D] = zeros
param beta[1..K, 1..D] = zeros, beta0[1..K] = zeros

a[j] = alpha0[j] + sum(alpha[j,i]*x[i] for i in 1..M) for j in 1..D
z[j] = sigmoid(a[j]) for j in 1..D
b[k] = beta0[k] + sum(beta[k,j]*z[j] for j in 1..D) for k in 1..K
J    = logsumexp(b) - sum(ystar[k]*b[k] for k in 1..K)
minimize J

train {{
  data: csv("none.csv"), x[1..M], ystar[1..K]
  rate: {rate}
  epochs: 1
  batch: {batch}
}}
"""
WITHIN = 1e-9
LONG, SHORT = 2.0, 0.3  # seconds: a peer that would take longer for all examples is timed over as many as take so long

Pass = Callable[[int], object]


class Case(NamedTuple):
    inputs: int
    hidden: int
    outputs: int
    batch: int
    rate: float
    x: object        # (examples, inputs)
    digit: object    # (examples,), whole numbers
    ystar: object    # (examples, outputs), one-hot
    params: tuple    # by NAMES: (hidden, inputs), (hidden,), (outputs, hidden), (outputs,)

    def start(self) -> list:
        return [p.copy() for p in self.params]


def case(inputs: int, hidden: int, outputs: int, batch: int, rate: float, examples: int) -> Case:
    import numpy as np

    rng = np.random.default_rng(0)
    digit = rng.integers(0, outputs, examples)
    params = tuple(rng.normal(0, 0.1, shape) for shape in ((hidden, inputs), (hidden,), (outputs, hidden), (outputs,)))
    return Case(inputs, hidden, outputs, batch, rate, rng.uniform(0, 1, (examples, inputs)), digit, np.eye(outputs)[digit], params)


def graphlang(engine: str) -> Callable[[Case], Pass]:
    def make(c: Case) -> Pass:
        import graphlang as gl
        import numpy as np

        try:
            from graphlang.engines.stepping import State
            from graphlang.train.steppers import stepper

            graph = gl.loads(PROGRAM.format(**c._asdict())).graph
            steps = stepper(graph, graph.training, engine)
        except (ImportError, gl.UsageError) as why:
            raise Missing(str(why)) from None
        examples, rows = {"x": c.x, "ystar": c.ystar}, np.arange(len(c.x))

        def run(count: int):
            state = State({name: p.ravel().copy() for name, p in zip(NAMES, c.params)})
            steps.run(state, examples, rows[:count], c.batch, c.rate)
            return [state.params[name] for name in NAMES]

        return run

    return make


def numpy_by_hand(c: Case) -> Pass:
    """A batch as matrices. This is also what the others are compared with."""
    import numpy as np

    def run(count: int):
        alpha, alpha0, beta, beta0 = params = c.start()
        for k in range(0, count, c.batch):
            x, ystar = c.x[k:k + c.batch], c.ystar[k:k + c.batch]
            z = 1/(1 + np.exp(-(x @ alpha.T + alpha0)))
            b = z @ beta.T + beta0
            y = np.exp(b - b.max(axis=1, keepdims=True))
            db = (y/y.sum(axis=1, keepdims=True) - ystar)*(c.rate/c.batch)
            da = (db @ beta)*z*(1 - z)
            beta -= db.T @ z
            beta0 -= db.sum(axis=0)
            alpha -= da.T @ x
            alpha0 -= da.sum(axis=0)
        return params

    return run


def _jax(c: Case):
    """JAX's params, data (a batch of 1 is no axis), and one step."""
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as np

    def loss(params, x, ystar):
        alpha, alpha0, beta, beta0 = params
        b = jax.nn.sigmoid(x @ alpha.T + alpha0) @ beta.T + beta0
        return np.mean(jax.nn.logsumexp(b, axis=-1) - np.sum(b*ystar, axis=-1))

    def step(params, example):
        return tuple(p - c.rate*g for p, g in zip(params, jax.grad(loss)(params, *example))), None

    shape = (-1, c.batch) if c.batch > 1 else (-1,)
    return tuple(map(np.asarray, c.params)), np.asarray(c.x.reshape(*shape, c.inputs)), np.asarray(c.ystar.reshape(*shape, c.outputs)), step


def jax_scan(c: Case) -> Pass:
    import jax

    start, x, ystar, step = _jax(c)
    epoch = jax.jit(lambda params, x, ystar: jax.lax.scan(step, params, (x, ystar))[0])
    return lambda count: jax.block_until_ready(epoch(start, x[:count//c.batch], ystar[:count//c.batch]))


def jax_loop(c: Case) -> Pass:
    import jax

    start, x, ystar, step = _jax(c)
    one = jax.jit(lambda params, x, ystar: step(params, (x, ystar))[0])
    examples = list(zip(x, ystar))

    def run(count: int):
        params = start
        for example in examples[:count//c.batch]:
            params = one(params, *example)
        return jax.block_until_ready(params)

    return run


def torch(c: Case) -> Pass:
    import torch
    import torch.nn.functional as f

    torch.set_num_threads(1)
    x, digit = torch.tensor(c.x), torch.tensor(c.digit)

    def run(count: int):
        alpha, alpha0, beta, beta0 = params = [torch.tensor(p, requires_grad=True) for p in c.params]
        for k in range(0, count, c.batch):
            b = f.linear(torch.sigmoid(f.linear(x[k:k + c.batch], alpha, alpha0)), beta, beta0)
            gradients = torch.autograd.grad(f.cross_entropy(b, digit[k:k + c.batch]), params)
            with torch.no_grad():
                for p, g in zip(params, gradients):
                    p.sub_(g, alpha=c.rate)
        return [p.detach().numpy() for p in params]

    return run


def sklearn(c: Case) -> Pass:
    import numpy as np
    from sklearn.neural_network import MLPClassifier

    net = MLPClassifier((c.hidden,), activation="logistic", solver="sgd", alpha=0, batch_size=c.batch, learning_rate_init=c.rate, momentum=0, nesterovs_momentum=False,
                        shuffle=False)
    net.partial_fit(c.x[:c.batch], c.digit[:c.batch], classes=np.arange(c.outputs))  # it makes its arrays

    def run(count: int):
        for mine, p in zip((net.coefs_[0], net.intercepts_[0], net.coefs_[1], net.intercepts_[1]), c.params):
            mine[...] = p.T
        net.partial_fit(c.x[:count], c.digit[:count])
        return [net.coefs_[0].T, net.intercepts_[0], net.coefs_[1].T, net.intercepts_[1]]

    return run


def autograd(c: Case) -> Pass:
    from autograd import grad
    from autograd import numpy as np
    from autograd.scipy.special import logsumexp

    def loss(params, x, ystar):
        alpha, alpha0, beta, beta0 = params
        b = beta @ (1/(1 + np.exp(-(alpha @ x + alpha0)))) + beta0
        return logsumexp(b) - np.dot(ystar, b)

    gradient = grad(loss)

    def run(count: int):
        params = c.start()
        for k in range(count):
            for p, g in zip(params, gradient(params, c.x[k], c.ystar[k])):
                p -= c.rate*g
        return params

    return run


def measure(c: Case, makers: dict[str, Callable[[Case], Pass]], repeats: int, quick: bool, unchecked: tuple[str, ...] = ()) -> tuple[dict, dict, dict, list]:
    """Seconds an example and of set-up, by name, over how many examples, and the rows of those that are missing; after the params of all were compared."""
    import numpy as np

    few = 2*c.batch
    wanted = numpy_by_hand(c)(few)
    work, setup, missing = ready({name: lambda make=make: make(c) for name, make in makers.items()}, lambda run: run(c.batch))
    counts = {}
    for name, run in work.items():
        start = time.perf_counter()
        found = run(few)
        took = time.perf_counter() - start
        if name not in unchecked:
            for p, q, of in zip(found, wanted, NAMES):
                off = np.max(np.abs(np.asarray(p).reshape(q.shape) - q))
                assert off <= WITHIN*max(1.0, np.max(np.abs(q))), f"{name}: after {few} examples {of} is off by {off:.1e}"
        batches = len(c.x)//c.batch
        if quick:
            batches = 2
        elif took/2*batches > LONG and "JAX" not in name:  # that was compiled for so few examples, which took what the rest would not
            batches = max(1, int(SHORT/(took/2)))
        counts[name] = batches*c.batch
    seconds = interleaved({name: lambda run=run, n=counts[name]: run(n) for name, run in work.items()}, repeats)
    return {name: s/counts[name] for name, s in seconds.items()}, setup, counts, missing
