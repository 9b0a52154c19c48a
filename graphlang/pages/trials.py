"""Examples are run when a page is made: what a page shows is what the program answers."""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path
from typing import NamedTuple, Sequence

from graphlang.derive.reverse import Derivative
from graphlang.diagnostics import Diagnostic, GraphError, Source
from graphlang.given import UsageError, constant_value
from graphlang.pages.texts import Example
from graphlang.pipeline import load, loads
from graphlang.run import Run
from graphlang.show.numbers import table
from graphlang.verify.check import check

NAME = "example.graph"
WIDTH = 88
DIGITS = 12


class Outcome(NamedTuple):
    diagnostics: tuple[Diagnostic, ...]  # errors, or the warnings of a run that went well
    source: Source | None
    run: Run | None = None               # None where there are errors
    derivative: Derivative | None = None  # for the example of `graphlang grad`, which has no values
    outside: bool = False                # the command line is wrong, not the program

    @property
    def codes(self) -> set[str]:
        return {d.code for d in self.diagnostics}


def attempt(example: Example) -> Outcome:
    """Parse, build and run an example with its options, as `graphlang run` would, or differentiate or check it as `graphlang grad` and `check` do."""
    if example.command == "check":
        report = check(NAME, lambda: loads(example.text, NAME))
        return Outcome(report.diagnostics, report.source)
    try:
        if example.command == "grad":
            derivative = loads(example.text, NAME).derivative()
            return Outcome(derivative.graph.warnings, derivative.graph.source, None, derivative)
        if example.files or example.encoding != "utf-8":
            run = _in_a_folder(example)
        else:
            run = loads(example.text, NAME).run(**_settings(example.options))
    except GraphError as e:
        return Outcome(e.diagnostics, e.source, outside=isinstance(e, UsageError))
    return Outcome(run.diagnostics, run.graph.source, run)


def _in_a_folder(example: Example) -> Run:
    """With the files that the program reads, and with its own bytes where these are not UTF-8."""
    with tempfile.TemporaryDirectory() as folder:
        path = lay_out(example, Path(folder))
        try:
            program = load(path) if example.encoding != "utf-8" else loads(example.text, NAME, folder)
            return program.run(**_settings(example.options))
        except GraphError as e:
            if e.source is not None and e.source.name == str(path):  # named as by one who stands in the folder
                e.source = Source(NAME, e.source.text)
            raise


def lay_out(example: Example, folder: Path) -> Path:
    """Write an example and the files that it reads into a folder; gives the program's path."""
    for name, text in example.files:
        Path(folder, name).write_bytes(_npy(text) if name.endswith(".npy") else text.encode())
    path = Path(folder, NAME)
    path.write_bytes(example.text.encode(example.encoding))
    return path


def _npy(text: str) -> bytes:
    """Lines of numbers, parted by commas, as NumPy would save them as a matrix of float64."""
    rows = [[float(x) for x in line.split(",")] for line in text.split()]
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({len(rows)}, {len(rows[0])}), }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header.encode() + struct.pack(f"<{sum(map(len, rows))}d", *(x for r in rows for x in r))


def _settings(options: Sequence[str]) -> dict:
    """`--set x=3 --goal J`: the options of `graphlang run` that an example may have, as arguments of `Program.run`."""
    out: dict = {"set": {}}
    words = iter(options)
    for option in words:
        match option:
            case "--set":
                name, _, text = next(words).partition("=")
                out["set"][name] = constant_value(text, f"--set {name}")
            case "--goal":
                out["goal"] = next(words)
            case "--wrt":
                out["wrt"] = tuple(next(words).split(","))
            case "--ieee" | "--scalar" | "--expand":
                out[option.removeprefix("--")] = True
            case _:
                raise ValueError(f"an example cannot have the option {option}")
    return out


def said(outcome: Outcome) -> str:
    """The diagnostics as the command line prints them, without colour."""
    from graphlang.show.diagnostics import painted

    if outcome.outside:
        return "\n".join(f"graphlang run: {d.message}" for d in outcome.diagnostics)
    return painted(outcome.diagnostics, outcome.source, WIDTH).rstrip("\n")


def results(run: Run, values: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Variables with their values (all that the author's equations define, if none are named), then the derivatives of
    the goals that a summary lists."""
    rows = [(n, _number(run, n, run.flat[n])) for n in values or (n for n, v in run.graph.variables.items() if v.role == "node" and n.isidentifier())]
    for p in run.passes:
        for name in run.wrt:
            if name in p.sweep.adjoints and name != p.goal.name and p.goal.name.isidentifier():
                rows.append((p.derivative.adjoint_name(name), _number(run, name, p.sweep.adjoints[name])))
    return [*rows, *((f"claim {v.text}", v.verdict) for v in run.claims)]


def _number(run: Run, name: str, flat: Sequence[float]) -> str:
    return table(flat, [r.extent for r in run.graph.variables[name].ranges], DIGITS, all=True)
