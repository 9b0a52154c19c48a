"""The session without prompt_toolkit: on a terminal with the line editor of Python, in a pipe without prompts."""

from __future__ import annotations

import sys
from typing import TextIO

from graphlang.internal import told
from graphlang.repl.history import history_file
from graphlang.repl.inputs import incomplete
from graphlang.repl.loop import Repl

PROMPT, MORE = "> ", "… "


def piped(repl: Repl, lines: TextIO) -> None:
    """Answer line by line what another program writes; an input goes on while a bracket is open."""
    gathered = ""
    for line in lines:
        gathered += line if line.endswith("\n") else line + "\n"
        if not gathered.strip():
            gathered = ""
        elif not incomplete(gathered):
            repl.feed(gathered)
            gathered = ""
        if repl.done:
            return
    if gathered.strip():
        repl.feed(gathered)


def with_readline(repl: Repl) -> None:
    """Prompts on a terminal; history and completion where Python has the module readline."""
    kept = None
    try:
        import readline
    except ImportError:
        readline = None
    if readline is not None:
        kept = history_file("history.readline")
        if kept is not None:
            try:
                readline.read_history_file(kept)
            except OSError:
                kept = None
        readline.set_history_length(10_000)
        readline.set_completer(completer(repl, readline))
        readline.set_completer_delims(" \t\n")
        readline.parse_and_bind("bind ^I rl_complete" if "libedit" in (readline.__doc__ or "") else "tab: complete")
    print("graphlang: `:help` lists the commands, `:quit` leaves")
    gathered = ""
    try:
        while not repl.done:
            try:
                gathered += input(MORE if gathered else PROMPT) + "\n"
            except EOFError:
                print()
                return
            except KeyboardInterrupt:
                gathered = ""
                print()
                continue
            if not gathered.strip():
                gathered = ""
            elif not incomplete(gathered):
                text, gathered = gathered, ""
                answered(repl, text)
    finally:
        if kept is not None:
            try:
                readline.write_history_file(kept)
            except OSError:
                pass


def answered(repl: Repl, text: str) -> None:
    """One input; Ctrl-C leaves what it was doing, never the session."""
    try:
        repl.feed(text)
    except KeyboardInterrupt:
        print("interrupted; nothing is changed", file=sys.stderr)
    except Exception as e:  # the session goes on
        told(e, "The session is as it was.")


def completer(repl: Repl, readline):
    from graphlang.repl.completion import completions

    found: list[str] = []

    def complete(word: str, k: int) -> str | None:
        if k == 0:
            before = readline.get_line_buffer()[: readline.get_endidx()]
            found[:] = [word[: len(word) - c.length] + c.text for c in completions(before, repl) if c.length <= len(word)]
        return found[k] if k < len(found) else None

    return complete
