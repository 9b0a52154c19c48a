"""`graphlang train` on several devices and in several processes: options, and what a process may do that is not the only one.

Every process reads the program, its data and the checkpoint of `--resume` itself; the first alone shows and writes.
"""

from __future__ import annotations

import io
import os
import sys
import zlib
from contextlib import redirect_stderr, redirect_stdout
from importlib.util import find_spec
from typing import Callable

from graphlang.cli.programs import usage
from graphlang.given import UsageError

FAILED = 255   # what a process tells that has no status yet
INTERNAL = 70


class Elsewhere:
    """The checkpoint of a process that writes none: due at the same steps as that of the first."""

    def __init__(self, path: str, every: int | None):
        self.path, self.every, self.step = path, every, None

    def write(self, job) -> str:
        self.step = (job.epoch, job.done)
        return self.path


def add(parser) -> None:
    group = parser.add_argument_group("several devices", "With --engine jax. The examples of each batch are divided among the devices; the results are those of one, to rounding.")
    group.add_argument("--devices", type=int, metavar="N", help="how many take part, of all processes together (all that JAX finds)")
    group.add_argument("--coordinator", metavar="HOST:PORT", help="where the processes meet: a free port of the host of process 0")
    group.add_argument("--processes", type=int, metavar="N", help="how many processes there are")
    group.add_argument("--process", type=int, metavar="K", help="the number of this one, from 0; process 0 alone shows and writes")
    group.add_argument("--distributed", action="store_true", help="several processes, of which JAX finds out by itself: Slurm, TPU pods, Kubernetes, Open MPI")


def several(handle: Callable) -> Callable:
    """The handler of the command, for one process or for one of several."""

    def handler(options) -> int:
        options.for_engine, options.elsewhere, options.ready = {}, None, lambda job: None
        try:
            among = asked(options) and not options.explain
        except UsageError as e:
            return usage(options.command, str(e))
        return along(handle, options) if among else handle(options)

    return handler


def along(handle: Callable, options) -> int:
    """Meet the others, if there are any, and then as ever."""
    from graphlang.engines.jax_processes import Lost, chosen, join

    number, count = 0, 1
    try:
        if options.distributed or options.coordinator is not None:
            number, count = join(options.coordinator, options.processes, options.process)
        chosen(options.devices)
    except Lost as e:
        return failed(options, str(e))
    except ValueError as e:
        return usage(options.command, f"--devices {options.devices}: {e}{CPUS if count == 1 else ''}") if number == 0 else 2
    options.for_engine = {} if options.devices is None else {"devices": options.devices}
    return handle(options) if count == 1 else one_of_several(handle, options, number)


CPUS = "; the environment variable XLA_FLAGS=--xla_force_host_platform_device_count=8 makes 8 of one machine's processors"


def asked(options) -> bool:
    """Whether any of these options is there, and that they go together. Raises UsageError."""
    meeting = {"--coordinator": options.coordinator, "--processes": options.processes, "--process": options.process}
    there = [n for n, v in meeting.items() if v is not None]
    if not there and options.devices is None and not options.distributed:
        return False
    first = there[0] if there else "--distributed" if options.distributed else "--devices"
    if options.engine != "jax":
        raise UsageError(f"{first}: only `--engine jax` runs on several devices")
    if there and options.distributed:
        raise UsageError(f"--distributed finds out what {' and '.join(there)} say{'s' * (len(there) == 1)}: one or the other")
    if there and len(there) < 3:
        raise UsageError(f"{first} needs {' and '.join(n for n in meeting if n not in there)} as well; `--distributed` needs none of them where JAX can find out by itself")
    if there:
        host, colon, port = options.coordinator.rpartition(":")
        if not host or not port.isdigit() or not 0 < int(port) < 65536:
            raise UsageError(f"--coordinator {options.coordinator}: HOST:PORT is wanted, such as localhost:7654")
        if options.processes < 1 or not 0 <= options.process < options.processes:
            raise UsageError(f"--process {options.process}: of {options.processes} processes the numbers are 0 to {options.processes - 1}" if options.processes > 0
                             else f"--processes {options.processes}: a number from 1 is wanted")
    if options.devices is not None and options.devices < 1:
        raise UsageError("--devices is 1 or greater")
    if find_spec("jax") is None:
        raise UsageError("the engine `jax` needs a package that is not installed: pip install 'graphlang[jax]'")
    return True


def failed(options, message: str, number: int | None = None) -> int:
    print(f"graphlang {options.command}: {'' if number is None else f'process {number}: '}{message}", file=sys.stderr)
    return 1


def one_of_several(handle: Callable, options, number: int) -> int:
    """All begin training together, or none does. Then the numbers are the same in all, and so are the mistakes in them; what happens to one alone,
    such as a full disk, ends this process at once, and by that the others."""
    from graphlang.engines.jax_processes import Lost, everyones, leave

    reached = set()

    def ready(job) -> None:
        statuses = everyones([0])[:, 0]
        reached.add("met")
        bad = [p for p, s in enumerate(statuses) if s]
        if bad:
            raise UsageError(f"process {bad[0]} has failed: its own message says why")
        alike(job, everyones)
        reached.add("begun")

    options.ready = ready
    if number:
        follow(options)
    said = io.StringIO()
    with open(os.devnull, "w") as nowhere:
        try:
            if number:
                with redirect_stdout(nowhere), redirect_stderr(said):
                    status = handle(options)
            else:
                status = handle(options)
            if "met" not in reached:  # the others wait for it
                statuses = everyones([status or FAILED])[:, 0]
                if number == 0 or not statuses[0]:
                    tell(said, number)
                return status
        except Lost as e:
            leave(failed(options, str(e), number))
        except KeyboardInterrupt:
            leave(130)
        except BrokenPipeError:
            leave(0)
        except Exception as e:  # the last wall: without it the others would wait for long
            from graphlang.internal import told

            told(e)
            leave(INTERNAL)
    if status in (0, 1, 130) or "begun" not in reached:  # all end alike
        return status
    tell(said, number)
    leave(status)


def tell(said: io.StringIO, number: int) -> None:
    for line in said.getvalue().splitlines():
        print(f"process {number}: {line}", file=sys.stderr)


def follow(options) -> None:
    """Another process than the first writes nothing."""
    together = options.checkpoint is not None and options.resume is not None and os.path.realpath(options.checkpoint) == os.path.realpath(options.resume)
    if together and not os.path.exists(options.resume):
        options.resume = None  # as in the first, which begins anew
    if options.checkpoint is not None:
        options.elsewhere = Elsewhere(options.checkpoint, options.checkpoint_every)
    options.save = options.plot = options.checkpoint = options.checkpoint_every = None
    options.json = options.curve = False


def alike(job, everyones: Callable) -> None:
    """All processes are about to do the same. Raises UsageError."""
    from graphlang.train.checkpoint import fingerprints

    state = job.state
    arrays = [a for of in (state.params, *state.moments.values()) for _, a in sorted(of.items())]
    parts = {"the place at which training starts": repr((job.epoch, job.done, state.steps)).encode(), "the params that training starts with": b"".join(a.tobytes() for a in arrays),
             **{n: text.encode() for n, text in fingerprints(job).items()}, "the number of epochs": str(job.training.epochs).encode()}
    table = everyones([zlib.crc32(data) >> 1 for data in parts.values()])
    for name, column in zip(parts, table.T):
        for process, value in enumerate(column):
            if value != column[0]:
                raise UsageError(f"process {process} and process 0 differ in {name}: is it the same folder for both?")
