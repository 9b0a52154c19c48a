"""A fresh process from the command to the printed table, beside a process that only imports what it is made of.

Compiled bytecode is there for all of them, as it is after an installation: a warm round writes it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from timing import ROOT, interleaved, options, report, versions

PROGRAM = "programs/lecture/simple.graph"
LIMIT = 1.4  # times the imports
COMMANDS = {
    "graphlang run": [sys.executable, "-c", "from graphlang.cli.main import entry; entry()", "run", PROGRAM],
    "graphlang run --json": [sys.executable, "-c", "from graphlang.cli.main import entry; entry()", "run", PROGRAM, "--json"],
    "import lark, rich.console, rich.table": [sys.executable, "-c", "import lark, rich.console, rich.table"],
    "bare Python": [sys.executable, "-c", "pass"],
    "autograd, one gradient": [sys.executable, "-c", "from autograd import grad, numpy as np\n"
                               "print(grad(lambda x: np.cos(np.sin(x**2) + 3*x**2))(2.0))"],
    "SymPy, one gradient": [sys.executable, "-c", "from sympy import *\nx = symbols('x')\n"
                            "print(diff(cos(sin(x**2) + 3*x**2), x).subs(x, 2.0))"],
}
PEERS = {"autograd, one gradient": "autograd", "SymPy, one gradient": "sympy"}


def main() -> None:
    asked = options(__doc__, repeats=15)
    known = versions("lark", "rich", *PEERS.values())
    present = {name: command for name, command in COMMANDS.items() if known.get(PEERS.get(name, ""), "") != "missing"}

    with tempfile.TemporaryDirectory() as bytecode:
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {"PYTHONPYCACHEPREFIX": bytecode}

        def call(command):
            done = subprocess.run(command, cwd=ROOT, capture_output=True, env=environment)
            assert done.returncode == 0, done.stderr.decode()

        seconds = interleaved({name: (lambda c=command: call(c)) for name, command in present.items()}, asked.repeats)
    base = seconds["import lark, rich.console, rich.table"]
    rows = []
    for name in COMMANDS:
        if name not in present:
            rows.append({"what": f"{name}: missing (not installed)"})
            continue
        row = {"what": name, "ms": 1000 * seconds[name], "ratio": seconds[name] / base}
        if name == "graphlang run":
            row |= {"limit": LIMIT, "within": seconds[name] <= LIMIT * base}
        rows.append(row)
    report("start-up: a fresh process to the printed table", rows, asked.json, repeats=asked.repeats, versions=known)


if __name__ == "__main__":
    main()
