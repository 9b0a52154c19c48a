"""Checkpoints: all that training is made of between two steps, so that it can go on as if it had never stopped."""

from __future__ import annotations

import hashlib
import json
from typing import Mapping

import numpy

import graphlang
from graphlang.engines.stepping import State
from graphlang.given import UsageError
from graphlang.graph.spell import formula
from graphlang.graph.graph import Graph
from graphlang.syntax import ast
from graphlang.syntax.format import SOURCE
from graphlang.syntax.format_statements import format_statement
from graphlang.train.events import Epoch
from graphlang.train.examples import Examples
from graphlang.train.job import Job
from graphlang.train.saving import packed, shaped, unpacked, write

FORMAT = 1
ABOUT = "checkpoint"  # the array that holds the rest, as the bytes of a JSON text
UNCHECKED = (ast.Train, ast.Expect, ast.Claim, ast.Layout, ast.Quiz, ast.Exam)  # statements that change no number of a training; what the block says is compared by itself


class Checkpoint:
    """Where to write one: every so many steps, or (None) after each epoch."""

    def __init__(self, path: str, every: int | None = None):
        self.path, self.every = path, every
        self.step: tuple[int, int] | None = None  # epoch and steps of it when the last one was written
        self.prints: dict[str, str] | None = None

    def write(self, job: Job) -> str:
        """All of it or nothing. Raises UsageError."""
        if self.prints is None:
            self.prints = fingerprints(job)
        about = {"format": FORMAT, "graphlang": graphlang.__version__, "epoch": job.epoch, "done": job.done, "steps": job.state.steps,
                 "history": [list(e) for e in job.history], "prints": self.prints}
        arrays = {ABOUT: numpy.frombuffer(json.dumps(about).encode(), numpy.uint8)}
        arrays |= {f"param/{n}": a for n, a in shaped(job.graph, job.state.params).items()}
        arrays |= {f"moment/{m}/{n}": a for m, of in job.state.moments.items() for n, a in shaped(job.graph, of).items()}
        write(self.path, packed(arrays))
        self.step = (job.epoch, job.done)
        return self.path


class Kept:
    """A checkpoint that was read. Raises UsageError, GraphError."""

    def __init__(self, path: str):
        self.path = path
        self.arrays = unpacked(path, "--resume")
        try:
            self.about = json.loads(self.arrays.pop(ABOUT).astype(numpy.uint8).tobytes())
            self.engine = self.about["prints"]["engine"]
            known = self.about["format"] == FORMAT
        except (KeyError, TypeError, ValueError, RecursionError):
            raise UsageError(f"--resume {path}: this is no checkpoint; `--checkpoint FILE` writes one" + ("; --init takes params from it" if self.arrays else "")) from None
        if not known:
            raise UsageError(f"--resume {path}: it was written by graphlang {self.about.get('graphlang')}, in a form that this version does not read")

    def resume(self, job: Job) -> None:
        """Put a job where the other stopped. Raises UsageError where it is not the same training."""
        here, there = fingerprints(job), self.about["prints"]
        different = [n for n in here if here[n] != there.get(n)]
        if different:
            name = different[0]
            values = f": {there.get(name)} then, {here[name]} now" if len(here[name]) < 60 and not looks_hashed(name) else ""
            more = "" if len(different) == 1 else f"; so {'is' if len(different) == 2 else 'are'} " + ", ".join(different[1:])
            raise UsageError(f"--resume {self.path}: {name} {'are' if name.endswith(('s', 'data')) else 'is'} not what it was{values}{more}; --init takes params from `--save`")
        try:
            job.state = State({n: self.array(f"param/{n}", a) for n, a in job.state.params.items()},
                              {m: {n: self.array(f"moment/{m}/{n}", a) for n, a in of.items()} for m, of in job.state.moments.items()}, int(self.about["steps"]))
            job.epoch, job.done = int(self.about["epoch"]), int(self.about["done"])
            for epoch, step, rate, train, test in self.about["history"]:
                job.note(Epoch(epoch, step, rate, tuple(train), None if test is None else tuple(test)))
        except (KeyError, TypeError, ValueError):
            raise UsageError(f"--resume {self.path}: this checkpoint is damaged") from None

    def array(self, name: str, like):
        return self.arrays[name].reshape(like.shape).copy()


def looks_hashed(name: str) -> bool:
    return name in ("the program", "the training data", "the test data", "the values of other leaves")


def fingerprints(job: Job) -> dict[str, str]:
    """What must be the same for a training to go on bit for bit; for how many epochs is not among it."""
    t = job.training
    statements = "\n".join(format_statement(s, SOURCE) for s in job.program.tree.statements if type(s) not in UNCHECKED)
    parameters = ", ".join(map(repr, t.parameters))
    return {
        "the program": hashed(statements.encode(), repr(sorted(job.graph.consts.items())).encode()),
        "the training data": of_examples(job.train), "the test data": of_examples(job.test) if job.test is not None else "none",
        "the values of other leaves": hashed(*others(job.graph, job.values, job.train)),
        "rate": formula(t.rate, SOURCE) or "", "batch": str(t.batch), "shuffle": "yes" if t.shuffle else "no", "seed": str(t.seed),
        "optimizer": f"{t.optimizer}({parameters})" if parameters else t.optimizer, "reports": ", ".join(r.text for r in t.reports), "engine": job.stepper.engine,
    }


def of_examples(examples: Examples) -> str:
    return hashed(*(part for n, a in sorted(examples.arrays.items()) for part in (n.encode(), a.tobytes())))


def others(graph: Graph, values: Mapping[str, list[float]], examples: Examples):
    for n in sorted(values):
        if graph.variables[n].role != "param" and n not in examples.arrays:
            yield n.encode()
            yield numpy.array(values[n], dtype=float).tobytes()


def hashed(*parts: bytes) -> str:
    h = hashlib.sha256()
    for p in parts:
        h.update(len(p).to_bytes(8, "little"))
        h.update(p)
    return h.hexdigest()[:32]
