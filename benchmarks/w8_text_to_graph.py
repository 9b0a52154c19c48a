"""From N lines of text to a checked graph, beside Python's own parser and bare Lark on the same grammar."""

from __future__ import annotations

import ast
import subprocess
import sys

from timing import interleaved, options, report, versions

from graphlang.diagnostics import Source
from graphlang.graph.build import build
from graphlang.syntax import parser

GOALS = {"parse": 12_000.0, "parse and build": 5_000.0}  # lines a second, stated for a machine on which …
PYTHON_THERE = 45_000.0                                  # … Python's ast.parse reads so many
MOST_FOR_LARK = 10_000  # lines; it takes some 40 s for the longer text
HEAD = "input u0 = 1, u1 = 1, u2 = 1, u3 = 0.5\n"


def lines(n: int) -> str:
    return "".join(f"u{k} = sin(u{k - 1})*u3 + 2\n" for k in range(4, n + 4))


def peak() -> int:
    """The most bytes this process has held."""
    try:
        with open("/proc/self/status") as status:  # ru_maxrss there also counts what the starting process held
            return next(1024 * int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def memory(n: int, goal: str) -> float:
    """Bytes a line that a fresh process grows by at its peak."""
    work = {"parse": "tree", "parse and build": "graph"}[goal]
    code = f"""if True:
        import sys
        sys.path.insert(0, {sys.path[0]!r})
        import w8_text_to_graph as w
        text = w.HEAD + w.lines({n})
        w.graph("x = 1")
        before = w.peak()
        kept = w.{work}(text)
        print(w.peak() - before)"""
    return int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout) / n


def tree(text: str):
    return parser.parse(Source("lines.graph", text))


def graph(text: str):
    return build(tree(text))


def main() -> None:
    asked = options(__doc__, repeats=3, largest=(100_000, "the most lines"))
    bare = parser.build()
    rows = []
    for n in (10_000, 100_000):
        if n > asked.largest:
            continue
        text, python = HEAD + lines(n), lines(n)
        work = {"parse": lambda: tree(text), "parse and build": lambda: graph(text), "Python's ast.parse": lambda: ast.parse(python)}
        if n <= MOST_FOR_LARK:
            work["bare Lark, to its tree"] = lambda: bare.parse(text, start="program")
        seconds = interleaved(work, asked.repeats, warm=0)
        pace = seconds["Python's ast.parse"]
        for name, s in seconds.items():
            row = {"what": name, "lines": n, "lines a second": n / s, "µs a line": 1e6 * s / n, "of ast.parse": pace / s}
            if name in GOALS:
                goal = GOALS[name]
                row |= {"bytes a line": round(memory(n, name)), "limit": goal / PYTHON_THERE, "within": pace / s >= goal / PYTHON_THERE,
                        "goal": goal, "in full": n / s >= goal}
            rows.append(row)
    report("text to graph", rows, asked.json, repeats=asked.repeats, versions=versions("lark"),
           note="limit: the goal as a share of ast.parse's lines a second, which is how it was set; in full: the goal itself")


if __name__ == "__main__":
    main()
