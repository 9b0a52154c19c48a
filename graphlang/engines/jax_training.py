"""Training by JAX, on one device or on many: the engine for GPUs, TPUs and clusters.

The steps are one compiled `scan`. Params are on every device; the examples of a batch are divided among them, each computes its part, and XLA adds up
the gradients. The batches, and the order of examples in them, are those of one process, so all results are the same but for rounding.
In several processes (jax_processes.py) each runs this same code on the same data.
"""

from __future__ import annotations

from typing import Callable, Mapping

import jax
import jax.numpy as jnp
import numpy
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from graphlang.engines.jax_engine import traced
from graphlang.engines.jax_processes import agreed, chosen, together
from graphlang.engines.stepping import State
from graphlang.engines.training_programs import Trained
from graphlang.graph.graph import Graph
from graphlang.graph.training import Training

AXIS = "examples"  # of the mesh of devices
MOST_STEPS = 512   # of one call. Their number is a value, not a shape: the compiled code, and so every bit, is the same however they are divided
BLOCK = 4096       # examples that are reported on at once


class JaxTraining:
    """The `Stepper` of the engine `jax` (stepping.py). `devices`: how many take part, of all processes together; all if None. Raises
    ValueError where there are not so many, Unsupported."""

    engine = "jax"

    def __init__(self, graph: Graph, training: Training, devices: int | None = None):
        self.trained = Trained(graph, training)
        self.mesh = Mesh(numpy.array(chosen(devices)), (AXIS,))
        self.source = ""
        self.steps: dict[int, Callable] = {}
        self.forwards: dict[int, Callable] = {}
        self.kept: tuple = ((), ())  # examples, as given and as they are on the devices
        with jax.enable_x64(True):
            self.step(max(training.batch, 1))

    # ---- compiled functions, one for each size of a batch

    def step(self, count: int) -> Callable:
        """Many steps with batches of one size: (params, moments, steps done, examples, rows by step, how many steps, rate) → (params, moments, losses)."""
        if count not in self.steps:
            compute, source = traced(self.trained.goal(count))
            self.source = self.source or source
            update = self.trained.update(self.trained.row.updates, jnp.sqrt)
            seed = self.trained.sign / count

            def many(params, moments, t, data, rows, steps, rate):
                def one(k, carry):
                    params, moments, losses = carry
                    here = [d[rows[k]] if count > 1 else d[rows[k, 0]] for d in data]
                    if count % self.mesh.size == 0 and count > 1:
                        here = [jax.lax.with_sharding_constraint(d, self.divided) for d in here]
                    loss, *gradients = compute(*params, *here, seed)
                    done = [update(p, g, rate, t + (k + 1.0), *m) for p, g, m in zip(params, gradients, moments)]
                    return [d[0] for d in done], [list(d[1:]) for d in done], losses.at[k].set(jnp.sum(loss) / count)

                return jax.lax.fori_loop(0, steps, one, (params, moments, jnp.zeros(MOST_STEPS)))

            self.steps[count] = jax.jit(many, out_shardings=self.everywhere)
        return self.steps[count]

    def forward(self, count: int) -> Callable:
        if count not in self.forwards:
            compute, _ = traced(self.trained.means(count))
            self.forwards[count] = jax.jit(compute, out_shardings=self.everywhere)
        return self.forwards[count]

    @property
    def everywhere(self) -> NamedSharding:
        return NamedSharding(self.mesh, PartitionSpec())

    @property
    def divided(self) -> NamedSharding:
        return NamedSharding(self.mesh, PartitionSpec(AXIS))

    def put(self, value, sharding: NamedSharding | None = None):
        """An array on every device, or each its part; each process gives its own devices what it has."""
        value = numpy.asarray(value)
        return jax.make_array_from_callback(value.shape, sharding or self.everywhere, lambda at: value[at])

    def on_devices(self, examples: Mapping) -> list:
        arrays = tuple(examples[n] for n in self.trained.leaves)
        if not (len(self.kept[0]) == len(arrays) and all(a is b for a, b in zip(self.kept[0], arrays))):
            self.kept = arrays, [self.put(a.reshape(-1, *self.trained.shapes[n])) for n, a in zip(self.trained.leaves, arrays)]
        return self.kept[1]

    # ---- what the protocol asks for

    def run(self, state: State, examples: Mapping, rows, batch: int, rate: float):
        t = self.trained
        with jax.enable_x64(True), together():
            params = [self.put(state.params[n].reshape(t.shapes[n])) for n in t.params]
            moments = [[self.put(state.moments[m][n].reshape(t.shapes[n])) for m in t.row.moments] for n in t.params]
            data, losses = self.on_devices(examples), []
            whole = len(rows) // batch * batch
            for part, count in ((rows[:whole], batch), (rows[whole:], len(rows) - whole)):
                for at in range(0, len(part), MOST_STEPS * max(count, 1)):
                    here = numpy.asarray(part[at : at + MOST_STEPS * count]).reshape(-1, count)
                    steps = len(here)
                    room = self.put(numpy.concatenate([here, numpy.zeros((MOST_STEPS - steps, count), dtype=here.dtype)]))
                    params, moments, found = self.step(count)(params, moments, float(state.steps), data, room, steps, float(rate))
                    losses.append(fetched(found)[:steps])
                    state.steps += steps
            for n, p, own in zip(t.params, params, moments):
                state.params[n][...] = fetched(p).reshape(-1)
                for m, value in zip(t.row.moments, own):
                    state.moments[m][n][...] = fetched(value).reshape(-1)
        return numpy.concatenate(losses)

    def values(self, params: Mapping, examples: Mapping):
        t, size = self.trained, self.mesh.size
        count = len(examples[t.leaves[0]])
        out = numpy.empty((len(t.reports), count))
        with jax.enable_x64(True), together():
            first = [self.put(params[n].reshape(t.shapes[n])) for n in (*t.params, *t.others)]
            for at in range(0, count, BLOCK):
                end = min(at + BLOCK, count)
                room = max(-(-(end - at) // size) * size, 2)  # the last example once more where the devices would not have equally many
                rows = numpy.minimum(numpy.arange(at, at + room), end - 1)
                here = [self.put(examples[n][rows].reshape(room, *t.shapes[n]), self.divided if room % size == 0 else None) for n in t.leaves]
                for k, value in enumerate(self.forward(room)(*first, *here)):
                    out[k, at:end] = numpy.broadcast_to(fetched(value), room)[: end - at]
        return out

    def agreed(self, value: float) -> float:
        """For what only one process knows, and all must decide alike: the largest that one gives."""
        return agreed(value)


def fetched(array) -> numpy.ndarray:
    """What every device has, from one of this process."""
    return numpy.asarray(array.addressable_data(0))
