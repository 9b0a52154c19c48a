"""`graphlang train`: stochastic gradient descent over a data set, as the program's train block says."""

from __future__ import annotations

import gc
import os

from graphlang.cli import train_devices
from graphlang.cli.main import INTERRUPTED
from graphlang.cli.programs import add_reading, read, tell, usage
from graphlang.diagnostics import GraphError
from graphlang.given import UsageError, constant_value, settings

EXAMPLES = """for example, in line.graph:

    param w = 0, b = 0
    data x, t
    J = (w*x + b - t)^2 / 2
    minimize J
    train {
      data: csv("line.csv"), x, t
      rate: 0.5
      epochs: 4
    }

and in line.csv:

    x,t
    0,1
    1,3

  $ graphlang train line.graph --plain
    line.graph: 2 examples in line.csv; 2 params; sgd, batch 1, rate 0.5; engine python
                 train
     epoch    mean(J)
         0    2.50000
         1   0.140625
         2  0.0791016
         3  0.0444946
         4  0.0250282

     w = 1.68359375
     b = 1.31640625

examples:
  graphlang train nn.graph                             a report after each epoch, the params at the end
  graphlang train nn.graph --explain                   Algorithm 1 with the program's own names; nothing is trained
  graphlang train nn.graph --epochs 50 --rate 0.01     in the place of what the block says
  graphlang train nn.graph --save params.npz           for `--init params.npz`, or numpy.load
  graphlang train nn.graph --checkpoint c --resume c   goes on where it was stopped, if it was
  graphlang train nn.graph --json | jq .test           one line for each epoch, for other programs to read
  graphlang train nn.graph --engine jax --devices 4    the examples of each batch divided among 4 devices
"""


def add(commands) -> None:
    p = commands.add_parser("train", help="learn the params: gradient descent over a data set", epilog=EXAMPLES,
                            description="Learn the params of a program by stochastic gradient descent, as its `train` block says. Exit status 1 if the program or its data are wrong, "
                                        "or a number is not finite; 130 if it was interrupted: Ctrl-C ends it after the step at hand, and what was learnt is saved.")
    p.add_argument("file", metavar="FILE", help="a .graph program; - reads standard input")
    p.add_argument("--engine", choices=("auto", "python", "numpy", "numba", "jax"), default="auto", help="what runs the steps (auto: what is likely to be the fastest)")
    p.add_argument("--epochs", type=int, metavar="N", help="how many, in the place of what the block says")
    p.add_argument("--rate", metavar="X", help="the learning rate, in the place of what the block says: a constant expression")
    p.add_argument("--batch", type=int, metavar="N", help="examples in a step, in the place of what the block says")
    p.add_argument("--seed", type=int, metavar="N", help="of the order of the examples, and of random initialisers")
    p.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], help="the value of a const or leaf, or where a param starts")
    p.add_argument("--init", metavar="FILE", help="an .npz where params start: arrays by their names")
    p.add_argument("--save", metavar="FILE", help="write the params to an .npz when training has ended")
    p.add_argument("--checkpoint", metavar="FILE", help="write all that is needed to go on to FILE, after each epoch")
    p.add_argument("--checkpoint-every", type=int, metavar="N", help="after every N steps instead")
    p.add_argument("--resume", metavar="FILE", help="go on from a checkpoint, to the same bits; with the same FILE as --checkpoint: if there is one yet")
    p.add_argument("--plot", metavar="FILE", help="a picture of the reports over the epochs, .svg or .png (needs matplotlib)")
    p.add_argument("--curve", action="store_true", help="draw the first report over the epochs as text; on a terminal it is drawn anyway")
    p.add_argument("--explain", action="store_true", help="print the algorithm with the program's own names, and nothing else")
    p.add_argument("--digits", type=int, default=6, metavar="N", help="significant digits of what is reported (1 to 17)")
    p.add_argument("--json", action="store_true", help="one JSON document a line: start, epoch, warning, checkpoint, stop")
    p.add_argument("--quiet", action="store_true", help="only what is wrong")
    p.add_argument("--ascii", action="store_true", help="names as in the source, no Greek, no subscripts")
    p.add_argument("--plain", action="store_true", help="text only: no colour, no progress bar")
    add_reading(p)
    train_devices.add(p)
    p.set_defaults(handler=train_devices.several(handle))


def handle(options) -> int:
    gc.enable()  # it may take long, and leaves cycles
    try:
        check(options)
        if options.explain and options.json:
            raise UsageError("--explain is a text to read; --json tells of a training")
        return explain(options) if options.explain else train(options)
    except UsageError as e:
        return usage(options.command, str(e))
    except GraphError as e:
        if options.json:
            from graphlang.cli.train_front import error_line

            print(error_line(e))
        else:
            tell(e, options.error_format, options.file, False, options.plain)
        return 1


def check(options) -> None:
    """What can be told before anything is read. Raises UsageError."""
    if not 1 <= options.digits <= 17:
        raise UsageError("--digits is a number from 1 to 17")
    for name, least in (("epochs", 0), ("batch", 1), ("seed", 0), ("checkpoint_every", 1)):
        value = getattr(options, name)
        if value is not None and value < least:
            raise UsageError(f"--{name.replace('_', '-')} is {least} or greater")
    if options.checkpoint_every is not None and options.checkpoint is None:
        raise UsageError("--checkpoint-every needs --checkpoint FILE")
    if options.init is not None and options.resume is not None:
        raise UsageError("--init and --resume both say where params start")
    outputs = {n: getattr(options, n) for n in ("save", "checkpoint", "plot") if getattr(options, n) is not None}
    if not outputs:
        return
    from graphlang.train.saving import check_writable

    for name, path in outputs.items():
        check_writable(path, f"--{name}", options.file)
    paths = list(map(os.path.realpath, outputs.values()))
    if len(set(paths)) < len(paths):
        raise UsageError(f"{' and '.join(f'--{n}' for n in outputs)} name one file twice")
    if options.plot is not None:
        from graphlang.train.plot import check_plot

        check_plot(options.plot)
    if options.checkpoint is not None and os.path.exists(options.checkpoint) and not same(options.checkpoint, options.resume):
        raise UsageError(f"--checkpoint {options.checkpoint}: there is such a file; `--resume {options.checkpoint}` as well goes on from it")


def same(path: str, other: str | None) -> bool:
    return other is not None and os.path.realpath(path) == os.path.realpath(other)


def rate(options) -> float | None:
    if options.rate is None:
        return None
    value = constant_value(options.rate, "--rate")
    if not isinstance(value, float) or not 0 < value < float("inf"):
        raise UsageError("--rate is a number greater than 0")
    return value


def explain(options) -> int:
    """The algorithm in the program's names; its data are not read."""
    program = read(options.file, options.allow_path)
    graph, _ = program.with_consts(settings(options.set))
    from graphlang.cli.train_front import shown_lines
    from graphlang.train.algorithm import algorithm
    from graphlang.train.job import overridden, trainable

    trainable(graph)
    shown_lines(algorithm(graph, overridden(graph, options.epochs, rate(options), options.batch, options.seed), options.ascii), options.plain)
    return 0


def train(options) -> int:
    from graphlang.cli.train_front import Interrupt, front
    from graphlang.train.checkpoint import Checkpoint, Kept
    from graphlang.train.events import Stopped
    from graphlang.train.job import prepare
    from graphlang.train.loop import epochs
    from graphlang.train.saving import save_params, starting

    kept = Kept(options.resume) if options.resume is not None and not (same(options.resume, options.checkpoint) and not os.path.exists(options.resume)) else None
    program = read(options.file, options.allow_path)
    params = starting(options.init, program.with_consts(settings(options.set))[0]) if options.init is not None else None
    engine = kept.engine if kept is not None and options.engine == "auto" else options.engine
    job = prepare(program, engine, settings(options.set), options.epochs, rate(options), options.batch, options.seed, params, **options.for_engine)
    check_inputs(options, job)
    if kept is not None:
        kept.resume(job)
    options.ready(job)
    checkpoint = Checkpoint(options.checkpoint, options.checkpoint_every) if options.checkpoint is not None else options.elsewhere
    with Interrupt() as interrupt, front(options, job) as show:
        for event in epochs(job, checkpoint, interrupt.asked):
            if type(event) is Stopped:
                if options.save is not None:
                    save_params(options.save, job.graph, job.state.params)
                stopped = event
            show(event)
    if options.plot is not None and len(job.history):
        picture(options.plot, job)
    return INTERRUPTED if stopped.reason == "interrupted" else 0


def check_inputs(options, job) -> None:
    """No file that is read is written over. Raises UsageError."""
    data, texts = set(map(os.path.realpath, job.program.files.reach.known)), {os.path.realpath(part.file.name) for part in job.graph.source.parts}
    for name in ("save", "checkpoint", "plot"):
        path = getattr(options, name)
        if path is not None and os.path.realpath(path) in data | texts:
            raise UsageError(f"--{name} {path}: {'these are the data' if os.path.realpath(path) in data else 'this is a part'} of the program")


def picture(path: str, job) -> None:
    from graphlang.train.curve import Series
    from graphlang.train.plot import plot

    charts = []
    for k, report in enumerate(job.training.reports[: job.shown]):
        sets = [Series("train", [e.train[k] for e in job.history])] + ([Series("test", [e.test[k] for e in job.history])] if job.test is not None else [])
        charts.append((report.text, sets))
    plot(path, os.path.basename(job.program.source.name), [e.epoch for e in job.history], charts)
