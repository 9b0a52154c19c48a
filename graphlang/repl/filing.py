"""The commands that read and write the program as a whole."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from graphlang.diagnostics import Source
from graphlang.files import write_whole
from graphlang.given import UsageError

if TYPE_CHECKING:
    from graphlang.repl.loop import Repl


def load(r: "Repl", rest: str) -> None:
    path = unquoted(rest)
    if not path:
        raise UsageError("`:load FILE.graph` reads a program in the place of the present one")
    r.load(path)


def save(r: "Repl", rest: str) -> None:
    over = rest.startswith("!")
    path = unquoted(rest.removeprefix("!")) or r.session.state.file
    if not path:
        raise UsageError("`:save FILE.graph` writes the live definitions, in order")
    if os.path.isdir(path) or path.endswith(("/", os.sep)):
        raise UsageError(f"{path} is a folder: `:save {path.rstrip('/')}/FILE.graph`")
    known = r.session.state.file and os.path.exists(path) and os.path.exists(r.session.state.file) and os.path.samefile(path, r.session.state.file)
    if os.path.exists(path) and not known and not over:
        raise UsageError(f"there is a file {path} already: `:save! {path}` overwrites it")
    try:
        write_whole(path, r.session.text())
    except OSError as e:
        raise UsageError(f"{path} cannot be written: {e.strerror}") from None
    r.session.set_aside(file=path)
    n = len(r.session.state.ready)
    more = f"; {len(r.session.state.waiting)} that wait, as comments" if r.session.state.waiting else ""
    r.say(f"{n} statement{'s' * (n != 1)} written to {path}{more}")


def unquoted(rest: str) -> str:
    """A path as it was typed, with or without quotes; `~` is the home."""
    try:
        words = shlex.split(rest)
    except ValueError:
        words = [rest.strip()]
    return os.path.expanduser(" ".join(words))


def edit(r: "Repl", rest: str) -> None:
    """The program in $VISUAL or $EDITOR; what does not work stays in the editor's text for the next `:edit`."""
    if not r.interactive:
        raise UsageError("`:edit` opens an editor and needs a terminal")
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    text = r.unfinished if r.unfinished is not None else r.session.text()
    folder = tempfile.mkdtemp(prefix="graphlang-")
    path = Path(folder) / "session.graph"
    try:
        path.write_text(text, encoding="utf-8")
        status = subprocess.call([*shlex.split(command), str(path)])
        edited = path.read_text(encoding="utf-8")
    except OSError as e:
        raise UsageError(f"the editor `{command}` does not start: {e.strerror}; $EDITOR chooses another") from None
    except UnicodeDecodeError:
        raise UsageError("what the editor wrote is not UTF-8 text") from None
    finally:
        for left in Path(folder).iterdir():
            left.unlink()
        Path(folder).rmdir()
    if status:
        raise UsageError(f"the editor ended with status {status}: nothing is changed")
    if edited == text and r.unfinished is None:
        r.say("nothing is changed")
        return
    r.unfinished = edited  # until it is known to be a program
    r.replace(Source("edited", edited))
    r.unfinished = None
