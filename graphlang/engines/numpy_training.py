"""Training by NumPy: a batch is one axis more, so the gradient by a matrix is a product of matrices. Large batches go through in blocks that stay in
the cache.
"""

from __future__ import annotations

import math
from typing import Callable, Mapping, Sequence

import numpy

from graphlang.engines.batching import block_size
from graphlang.engines.numpy_engine import Writer
from graphlang.engines.stepping import State
from graphlang.engines.training_programs import Trained
from graphlang.graph.graph import Graph
from graphlang.graph.training import Training

SCALED = ("p -= rate*g",)  # an optimiser whose rate may be multiplied into the seed of the backward pass instead


class NumpyTraining:
    """The `Stepper` of the engine `numpy` (stepping.py). Raises Unsupported."""

    engine = "numpy"

    def __init__(self, graph: Graph, training: Training):
        self.trained = Trained(graph, training)
        self.gradients: dict[int, Callable] = {}
        self.forwards: dict[int, Callable] = {}
        self.scaled = self.trained.row.updates == SCALED
        self.update = self.trained.update(("p -= g",) if self.scaled else self.trained.row.updates, numpy.sqrt)
        self.block = block_size(graph, self.trained.leaves)
        self.source = ""
        self.gradient(min(max(training.batch, 1), self.block))  # what has no code is told now

    def gradient(self, count: int) -> Callable:
        """From params, leaves and the seed to the goal's values and the gradients."""
        if count not in self.gradients:
            writer = Writer(self.trained.goal(count), fresh=False)
            self.gradients[count] = writer.load("goal_and_gradients")
            self.source = self.source or writer.source
        return self.gradients[count]

    def forward(self, count: int) -> Callable:
        if count not in self.forwards:
            self.forwards[count] = Writer(self.trained.means(count), fresh=False).load("reports")
        return self.forwards[count]

    def run(self, state: State, examples: Mapping, rows, batch: int, rate: float):
        names, shapes = self.trained.params, self.trained.shapes
        params = [state.params[n].reshape(shapes[n]) for n in names]
        moments = [[state.moments[m][n].reshape(shapes[n]) for m in self.trained.row.moments] for n in names]
        data = [examples[n].reshape(-1, *shapes[n]) for n in self.trained.leaves]
        order = contiguous(rows)
        losses = numpy.empty(math.ceil(len(rows) / batch))
        with numpy.errstate(all="ignore"):
            for k in range(len(losses)):
                start, stop = k * batch, min((k + 1) * batch, len(rows))
                seed = self.trained.sign * (rate if self.scaled else 1.0) / (stop - start)
                loss, gradients = self.batch(params, data, rows, order, start, stop, seed)
                losses[k] = loss / (stop - start)
                state.steps += 1
                for p, g, m in zip(params, gradients, moments):
                    self.update(p, g, rate, state.steps, *m)
        return losses

    def batch(self, params: Sequence, data: Sequence, rows, order: bool, start: int, stop: int, seed: float):
        """The sum of the goal over a batch, and the gradients of `seed` times it."""
        if stop - start == 1:
            loss, *gradients = self.gradient(1)(*params, *[d[rows[start]] for d in data], seed)
            return loss, gradients
        if stop - start <= self.block:
            loss, *gradients = self.gradient(stop - start)(*params, *[taken(d, rows, order, start, stop) for d in data], seed)
            return loss.sum(), gradients
        total, sums = 0.0, None
        for at in range(start, stop, self.block):
            end = min(at + self.block, stop)
            here = [taken(d, rows, order, at, end) if end - at > 1 else d[rows[at]] for d in data]
            loss, *gradients = self.gradient(end - at)(*params, *here, seed)
            total += loss.sum()
            sums = [numpy.array(g) for g in gradients] if sums is None else [s.__iadd__(g) for s, g in zip(sums, gradients)]
        return total, sums

    def values(self, params: Mapping, examples: Mapping):
        t = self.trained
        first = [params[n].reshape(t.shapes[n]) for n in (*t.params, *t.others)]
        count = len(examples[t.leaves[0]])
        out = numpy.empty((len(t.reports), count))
        with numpy.errstate(all="ignore"):
            for at in range(0, count, self.block):
                end = min(at + self.block, count)
                here = [examples[n][at:end].reshape(-1, *t.shapes[n]) for n in t.leaves]
                found = self.forward(end - at)(*first, *(here if end - at > 1 else [d[0] for d in here]))
                for k, value in enumerate(found):
                    out[k, at:end] = value
        return out


def contiguous(rows) -> bool:
    """Whether rows are one after the other, so that they need not be gathered."""
    return len(rows) > 0 and bool((numpy.diff(rows) == 1).all())


def taken(data, rows, order: bool, start: int, stop: int):
    return data[rows[start] : rows[start] + stop - start] if order else data[rows[start:stop]]
