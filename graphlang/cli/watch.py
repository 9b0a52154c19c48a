"""`graphlang run --watch`: the program again whenever its file, or one that it includes, is saved.

On a terminal the screen is cleared for each run, and while the program is wrong its last good table stays below the mistakes. In a pipe
nothing is cleared: runs follow one another, each after a line that says when it was; with --json each is one line.
"""

from __future__ import annotations

import gc
import os
import re
import sys
import time
from contextlib import closing
from io import StringIO
from typing import Callable, Iterable, Iterator, NoReturn

from graphlang.cli.programs import tell
from graphlang.diagnostics import GraphError, Source
from graphlang.given import UsageError
from graphlang.run import EvaluationError, Run
from graphlang.show.records import has_place

POLL = 0.2      # seconds between two looks at the files
SETTLE = 0.05   # seconds without a change after which a save is over
PATIENCE = 1.0  # seconds that a file may be away, or go on changing, before it is read as it is
SMALLEST = 5    # lines of the last good table that are shown however small the screen is

Stamp = tuple[int, int, int] | None  # when it was changed, its size, which file it is; None: there is no file
SAVED = (0, 0, 0)  # the stamp of no file


def watch(options, evaluate: Callable[[], Run], show: Callable[..., None]) -> NoReturn:
    """Run until interrupted, which is the only way out: KeyboardInterrupt. Raises UsageError where the command line is wrong."""
    if options.file == "-":
        raise UsageError("--watch needs a file: standard input is read only once")
    Watch(options, evaluate, show).forever()


class Watch:
    """The state between two runs: which files count, and the last good run."""

    def __init__(self, options, evaluate: Callable[[], Run], show: Callable[..., None]):
        from graphlang.show.console import console

        self.options, self.evaluate, self.show = options, evaluate, show
        self.files: set[str] = {options.file}
        self.good: Run | None = None
        self.good_at = ""
        self.count = 0
        self.screen = sys.stdout.isatty() and not options.json and not console().is_dumb_terminal

    def forever(self) -> NoReturn:
        seen = stamps(self.files)
        try:
            while True:
                begun = time.time_ns()
                self.once()
                gc.collect()  # a command that ends leaves its garbage to the system; this one does not end
                # A file that turned out to be included only now: if it was saved since, it is read again.
                new = {path: s if s is None or s[0] < begun else SAVED for path, s in stamps(self.files - seen.keys()).items()}
                seen = {path: s for path, s in {**seen, **new}.items() if path in self.files}
                seen = settled(await_change(seen), seen)
        except KeyboardInterrupt:
            if self.screen:
                print()  # the terminal has written ^C
            raise

    def once(self) -> None:
        """One run and what is shown of it. A mistake of ours does not end the watch."""
        self.count += 1
        now = time.strftime("%H:%M:%S")
        try:
            outcome = self.attempt()
        except UsageError:
            raise
        except Exception as e:
            outcome = e
        self.begin(now)
        try:
            how = self.print_run(outcome, now) if isinstance(outcome, Run) else self.print_error(outcome)
        except BrokenPipeError:
            raise
        except Exception as e:
            how = self.print_error(e)
        self.end(now, how)

    def attempt(self) -> Run | GraphError:
        """A run, or what is wrong with the program. Raises UsageError the first time: later it is the file that has changed."""
        try:
            run = self.evaluate()
        except UsageError as e:
            if self.count == 1:
                raise
            return e
        except GraphError as e:
            self.files |= files_of(e.source) | missing_files(e)
            return e
        self.files = {self.options.file} | files_of(run.graph.source)
        return run

    # ---- what is written

    def begin(self, now: str) -> None:
        if self.screen:
            from graphlang.show.console import console

            console().clear()
        elif not self.options.json:
            print(f"--- {self.options.file}, run {self.count}, {now}", flush=True)

    def end(self, now: str, how: str) -> None:
        if self.screen:
            others = len(self.files) - 1
            more = f" and {others} other file{'s' * (others != 1)}" if others else ""
            self.lines([f"{now}  {how}; watching {self.options.file}{more}, Ctrl-C ends"], "dim")
        sys.stdout.flush()
        sys.stderr.flush()

    def print_run(self, run: Run, now: str) -> str:
        """Gives the word for the last line, as does `print_error`."""
        options = self.options
        if options.json:
            self.document(run.json())
        else:
            self.show(run, options)
            self.good, self.good_at = run, now
            if run.diagnostics:
                sys.stdout.flush()
                tell(GraphError(run.diagnostics, run.graph.source), options.error_format, options.file, False, options.plain)
            if self.screen:
                print()
        failed = sum(e.holds is False for e in run.expectations) + sum(not v.ok for v in run.claims)
        return f"{failed} of {len(run.expectations) + len(run.claims)} claims and expectations failed" if failed else "fine"

    def print_error(self, error: Exception) -> str:
        options = self.options
        if options.json and isinstance(error, GraphError):
            from graphlang.show.document import dumps, failure

            self.document(dumps(failure(error.diagnostics, error.source, options.file)))
            return "wrong"
        partial = error.run if isinstance(error, EvaluationError) and options.error_format == "full" else None
        if partial is not None and not self.screen:
            self.show(partial, options)
        sys.stdout.flush()
        if isinstance(error, UsageError):
            print(f"graphlang run: {error}", file=sys.stderr)
        elif isinstance(error, GraphError):
            tell(error, options.error_format, options.file, False, options.plain)
        else:
            from graphlang.internal import told

            told(error)
        sys.stderr.flush()
        if self.screen:
            print()
            if self.good is not None:
                self.print_last(height_of(error, options))
            elif partial is not None:
                self.show(partial, options)
                print()
        return "wrong" if isinstance(error, GraphError) else "internal error"

    def print_last(self, taken: int) -> None:
        """The last good table, as much of it as there is room for below the mistakes."""
        from graphlang.show.console import console

        page = console(plain=True)
        width, height = console().size
        page.file, page.width = StringIO(), width
        self.show(self.good, self.options, page)
        table = page.file.getvalue().rstrip("\n").split("\n")
        room = max(SMALLEST, height - taken - 5)
        if len(table) > room:
            table = [*table[:room], f"({len(table) - room} more lines)"]
        self.lines([f"the last good table, of {self.good_at}:"], "bold")
        self.lines(table, "dim")
        print()

    def lines(self, lines: Iterable[str], style: str) -> None:
        from graphlang.show.console import Paper, clean, console

        paper = Paper(console(plain=self.options.plain))
        for line in lines:
            paper.line((clean(line), style))
        paper.flush()

    def document(self, text: str) -> None:
        """One line: in a string a newline is written `\\n`, so those that are left only lay it out."""
        import json

        print(json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":")), flush=True)


def height_of(error: Exception, options) -> int:
    """The lines that the mistakes take on the screen."""
    if isinstance(error, UsageError) or not isinstance(error, GraphError) or options.error_format == "json":
        return 2
    if options.error_format == "short":
        return len(error.diagnostics)
    from graphlang.show.console import console
    from graphlang.show.diagnostics import painted

    return painted(error.diagnostics, error.source, console().width).count("\n") + 2


# ---- files

DATA = re.compile(r'\b(?:csv|npy)\(\s*"([^"\n]+)"')


def files_of(source: Source | None) -> set[str]:
    """The files of a program: its own, those that it includes, and those that its leaves are read from."""
    if source is None:
        return set()
    texts = {part.file.name: part.file.text for part in source.parts} or {source.name: source.text}
    data = {os.path.normpath(os.path.join(os.path.dirname(name), written)) for name, text in texts.items() for written in DATA.findall(text)}
    return {part.file.name for part in source.parts} | data


def missing_files(error: GraphError) -> set[str]:
    """Files that an `include` names and that are not there: when they come, the program may be right."""
    out = set()
    for d in error.diagnostics:
        if d.code == "E601" and has_place(d, error.source):
            file, at = error.source.origin(d.at)
            written = file.at(at).strip().strip('"')
            out.add(os.path.normpath(os.path.join(os.path.dirname(file.name), written)))
    return out


def stamps(files: Iterable[str]) -> dict[str, Stamp]:
    return {path: stamp(path) for path in files}


def stamp(path: str) -> Stamp:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def await_change(seen: dict[str, Stamp]) -> dict[str, Stamp]:
    """The stamps as soon as one is another than `seen`."""
    folders = {os.path.dirname(full(path)) for path in seen for full in (os.path.abspath, os.path.realpath)}
    with closing(ticks(folders)) as clock:
        for _ in clock:
            now = stamps(seen)
            if now != seen:
                return now
    raise AssertionError("the clock has stopped")


def settled(now: dict[str, Stamp], before: dict[str, Stamp]) -> dict[str, Stamp]:
    """The stamps when a save is over. Editors write a file in several goes, or take it away and put a new one in its place."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        time.sleep(SETTLE)
        last, now = now, stamps(now)
        if now == last and not any(now[path] is None and before[path] is not None for path in now):
            break
    return now


def ticks(folders: set[str]) -> Iterator[None]:
    """When it may be worth a look: at once, and then when something in a folder changes, or where watchfiles is not installed or
    cannot watch, again and again."""
    yield
    folders = {f for f in folders if os.path.isdir(f)}
    try:
        from watchfiles import watch

        for _ in watch(*folders, recursive=False, watch_filter=None, debounce=200, step=20, rust_timeout=1000, yield_on_timeout=True):
            yield
    except (ImportError, OSError, RuntimeError):  # not there; no more inotify watches; the folder has gone
        pass
    while True:
        time.sleep(POLL)
        yield
