"""A fresh process to the first prompt, and to the first answer, in a pseudo-terminal; beside a bare prompt of the same library, IPython and SymPy's own session."""

from __future__ import annotations

import os
import sys
import tempfile

from timing import ROOT, interleaved, options, report, versions

BARE = "from prompt_toolkit import PromptSession\nPromptSession().prompt('> ')"
SESSIONS = {  # the command, the prompt that is waited for, what is typed, the answer
    "graphlang repl, first prompt": ([sys.executable, "-c", "from graphlang.cli.main import entry; entry()", "repl"], ">", None, None),
    "graphlang repl, first answer": ([sys.executable, "-c", "from graphlang.cli.main import entry; entry()", "repl"], ">", "sin(2)", r"0\.909297"),
    "prompt_toolkit, bare prompt": ([sys.executable, "-c", BARE], ">", None, None),
    "bare Python, first answer": ([sys.executable, "-q", "-c", "input('> '); import math; print(math.sin(2))"], ">", "", r"0\.9092"),
    "IPython, first prompt": ([sys.executable, "-m", "IPython", "--no-banner", "--no-confirm-exit"], r"In \[", None, None),
    "IPython with SymPy, first answer": ([sys.executable, "-c", "from sympy.interactive.session import init_session; init_session(ipython=True, quiet=True)"], r"In \[",
                                         "sin(2).evalf()", r"0\.9092"),
}
NEEDS = {"prompt_toolkit, bare prompt": "prompt_toolkit", "IPython, first prompt": "ipython", "IPython with SymPy, first answer": "sympy"}
LIMIT = 1.5  # times the bare prompt


def main() -> None:
    asked = options(__doc__, repeats=9)
    known = versions("prompt_toolkit", "pexpect", "ipython", "sympy")
    if "missing" in (known["prompt_toolkit"], known["pexpect"]):
        sys.exit("this needs prompt_toolkit and pexpect: pip install 'graphlang[test]'")
    import pexpect

    with tempfile.TemporaryDirectory() as folder:
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environment |= {"PYTHONPYCACHEPREFIX": folder, "TERM": "xterm", "GRAPHLANG_HISTORY": "", "PROMPT_TOOLKIT_NO_CPR": "1", "IPYTHONDIR": folder}

        def call(command, prompt, typed, answer):
            child = pexpect.spawn(command[0], command[1:], env=environment, cwd=str(ROOT), encoding="utf-8", timeout=60)
            child.delaybeforesend = None
            child.expect(prompt)
            if answer is not None:
                child.send(typed + "\r")
                child.expect(answer)
            child.close(force=True)

        present = {name: s for name, s in SESSIONS.items() if known.get(NEEDS.get(name, ""), "") != "missing"}
        seconds = interleaved({name: (lambda s=s: call(*s)) for name, s in present.items()}, asked.repeats)
    base = seconds["prompt_toolkit, bare prompt"]
    rows = []
    for name in SESSIONS:
        if name not in present:
            rows.append({"what": f"{name}: missing (not installed)"})
            continue
        row = {"what": name, "ms": 1000 * seconds[name], "ratio": seconds[name] / base}
        if name == "graphlang repl, first prompt":
            row |= {"limit": LIMIT, "within": seconds[name] <= LIMIT * base}
        rows.append(row)
    report("a fresh process to the first prompt", rows, asked.json, repeats=asked.repeats, versions=known)


if __name__ == "__main__":
    main()
