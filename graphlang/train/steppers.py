"""Which engine trains a program."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from graphlang.engines.stepping import Stepper
from graphlang.engines.unsupported import Unsupported
from graphlang.given import UsageError
from graphlang.graph.graph import Graph, ancestors
from graphlang.graph.training import Training

ENGINES = {"python": "PythonTraining", "numpy": "NumpyTraining", "numba": "NumbaTraining", "jax": "JaxTraining"}
INSTALL = {"numba": "pip install 'graphlang[fast]'", "jax": "pip install 'graphlang[jax]'"}
LARGE_BATCH = 16   # examples, from which arrays along the batch are worth their calls
LARGE_TABLE = 20_000  # elements of a param, from which products of matrices take less time than loops
LITTLE = 300_000   # elements that are visited in all of a training, below which nothing is compiled for it
UNKNOWN = 1000     # examples, where it is not said how many


def stepper(graph: Graph, training: Training, engine: str = "auto", examples: int = UNKNOWN, **options) -> Stepper:
    """The program compiled for training by an engine; `options` are for it alone. `auto` takes what is likely to be the fastest here, and
    another where that has no code for the program. Raises UsageError, GraphError."""
    if engine not in (*ENGINES, "auto"):
        raise UsageError(f"there is no engine `{engine}`: {', '.join(ENGINES)}, or auto")
    for name in automatic(graph, training, examples) if engine == "auto" else (engine,):
        try:
            return made(name, graph, training, options)
        except Unsupported as e:
            refused = UsageError(f"the engine `{name}` has no code for {e}; the engine `python` has")
        except UsageError as e:
            refused = e
        if engine != "auto":
            raise refused
    raise refused


def made(engine: str, graph: Graph, training: Training, options: dict) -> Stepper:
    """Raises UsageError where its package is not installed."""
    if engine in INSTALL and find_spec(engine) is None:
        raise UsageError(f"the engine `{engine}` needs a package that is not installed: {INSTALL[engine]}")
    if find_spec(f"graphlang.engines.{engine}_training") is None:
        raise UsageError(f"the engine `{engine}` does not train yet; `python` does")
    if options and engine != "jax":
        raise UsageError(f"{', '.join(options)}: only the engine `jax` runs on several devices")
    return getattr(import_module(f"graphlang.engines.{engine}_training"), ENGINES[engine])(graph, training, **options)


def automatic(graph: Graph, training: Training, examples: int) -> tuple[str, ...]:
    """The engines to try, the best first: for little work plain Python, for large batches and params products of matrices, else machine code."""
    needed = ancestors(graph, {training.goal.name})
    elements = sum(v.size for n, v in graph.variables.items() if n in needed)
    if elements * examples * training.epochs < LITTLE:
        return ("python",)
    largest = max((v.size for n, v in graph.variables.items() if n in needed and v.role == "param"), default=0)
    return ("numpy", "numba", "python") if training.batch >= LARGE_BATCH and largest >= LARGE_TABLE else ("numba", "numpy", "python")
