"""Several processes that train together by JAX: how they meet, which devices take part, what they tell each other, and how one leaves.

Each process runs the same program on the same data and takes the same decisions; what only one of them knows (the time, a Ctrl-C) it gives to
`agreed`. JAX does the rest: who is where, and all that goes over the network.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import Iterator, NoReturn, Sequence

import jax
import numpy
from jax.sharding import Mesh, NamedSharding, PartitionSpec

MEETING = 60  # seconds in which all processes must have come
SILENCE = 100  # seconds without a sign of life, after which a process is taken for dead and the others are ended
LOST = ("Gloo", "NCCL", "RCCL", "UNAVAILABLE", "ABORTED", "DEADLINE_EXCEEDED")  # in what JAX says when another process is gone
PROCESS = "process"

_tables: dict[int, object] = {}


class Lost(Exception):
    """Another process has ended, or cannot be reached."""


def join(coordinator: str | None = None, processes: int | None = None, process: int | None = None) -> tuple[int, int]:
    """Meet the other processes, before anything else of JAX is used: the number of this one, and how many there are. Without arguments JAX finds out
    where it is, as it can under Slurm, on TPU pods and the like. On CPUs they talk by Gloo. Who does not meet them in time is ended with status 1.
    Raises Lost where JAX does not know of any others."""
    keep_stdout()
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    late = threading.Timer(MEETING, too_late, (coordinator,))
    late.daemon = True
    late.start()
    try:
        jax.distributed.initialize(coordinator, processes, process, initialization_timeout=MEETING + 30, heartbeat_timeout_seconds=SILENCE)
    except (ValueError, RuntimeError) as e:
        raise Lost(f"JAX does not find other processes: {e}") from None
    finally:
        late.cancel()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # JAX only takes note of it
    return jax.process_index(), jax.process_count()


def too_late(coordinator: str | None) -> None:
    """Left to itself JAX aborts, with a trace of its stack."""
    print(f"graphlang: not all processes met{f' at {coordinator}' if coordinator else ''} within {MEETING} seconds", file=sys.stderr)
    leave(1)


def keep_stdout() -> None:
    """Gloo writes remarks to the stdout of the process, which is for results alone."""
    out = os.dup(1)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    sys.stdout.flush()
    sys.stdout = open(out, "w", encoding=sys.stdout.encoding, errors=sys.stdout.errors, buffering=1)


def leave(status: int) -> NoReturn:
    """End this process at once. JAX waits for the others in its last moments, for minutes; so they hear of it."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            pass
    os._exit(status)


def chosen(devices: int | None = None) -> list:
    """So many devices, the same number from each process; all if None. Raises ValueError."""
    found, processes = jax.devices(), jax.process_count()
    if devices is None:
        return found
    if not 1 <= devices <= len(found):
        raise ValueError(f"there {'is' if len(found) == 1 else 'are'} {len(found)} device{'s' * (len(found) != 1)}, not {devices}")
    if devices % processes:
        raise ValueError(f"{processes} processes cannot have {devices} devices in equal parts")
    own = [[d for d in found if d.process_index == p] for p in range(processes)]
    share = devices // processes
    if min(map(len, own)) < share:
        raise ValueError(f"each of {processes} processes is to have {share} of {devices} devices, and process {min(range(processes), key=lambda p: len(own[p]))} has only {min(map(len, own))}")
    return [d for part in own for d in part[:share]]


def everyones(numbers: Sequence[int]) -> numpy.ndarray:
    """What each process gives here, a row for each; the numbers fit in 32 bits. All must ask alike, at the same point."""
    processes = jax.process_count()
    row = numpy.asarray(numbers, dtype=numpy.int32)[None]
    if processes == 1:
        return row
    if len(numbers) not in _tables:
        firsts = [next(d for d in jax.devices() if d.process_index == p) for p in range(processes)]
        mesh = Mesh(numpy.array(firsts), (PROCESS,))
        _tables[len(numbers)] = NamedSharding(mesh, PartitionSpec(PROCESS)), jax.jit(lambda a: a, out_shardings=NamedSharding(mesh, PartitionSpec()))
    divided, gathered = _tables[len(numbers)]
    with together():
        return numpy.asarray(gathered(jax.make_array_from_callback((processes, len(numbers)), divided, lambda at: row)).addressable_data(0))


def agreed(value: float) -> float:
    """The largest that a process gives, to thousandths; alone, one's own."""
    return value if jax.process_count() == 1 else int(everyones([min(round(value * 1000), 2**31 - 1)]).max()) / 1000


@contextmanager
def together() -> Iterator[None]:
    """Around what all processes do together. Raises Lost where one of them is gone."""
    try:
        yield
    except (ValueError, RuntimeError) as e:
        if jax.process_count() > 1 and any(w in str(e) for w in LOST):
            raise Lost(f"another process has ended or cannot be reached: {str(e).splitlines()[0]}") from None
        raise
