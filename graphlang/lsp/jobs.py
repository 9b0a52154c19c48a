"""Analyses beside the typing: after a pause, in a thread, one at a time; the latest text wins.

An evaluation that is out of date, or takes too long, is stopped: an exception is raised in its thread. That is done only
while values are worked out, which is Python without locks or files.
"""

from __future__ import annotations

import ctypes
import gc
import threading
from asyncio import AbstractEventLoop, TimerHandle
from typing import Callable

from graphlang.lsp.analysis import Analysis, build, with_values
from graphlang.lsp.reading import Text

PAUSE = 0.15    # seconds after the last change of a text
LONGEST = 20.0  # seconds of an evaluation; the program is then shown without values


class Stopped(BaseException):
    """Raised in a thread from outside."""


class Job(threading.Thread):
    """One analysis. It is a daemon, so that a server that ends waits for none. `done` is called in this thread with what was found
    (without values, if these took too long; None, if the text is out of date) and the error that ended it."""

    def __init__(self, key: str, text: Text, texts: dict, done: Callable[["Job", Analysis | None, BaseException | None], None]):
        super().__init__(daemon=True, name="analysis")
        self.key, self.text, self.texts, self.done = key, text, texts, done
        self.changes = 0  # how many there had been of all texts
        self.stale = self.late = False  # out of date; stopped because it took too long
        self._working = False
        self._lock = threading.Lock()

    def run(self) -> None:
        found, error, begun = None, None, False
        for _ in range(3):  # the exception from outside may come as late as in `done`
            try:
                if not begun:
                    begun = True
                    found = build(self.text, self.texts)
                    self._allow(True)
                    try:
                        found = with_values(found)
                    finally:
                        self._allow(False)
                self.done(self, None if self.stale else found, error)
                return
            except Stopped:
                self.late = not self.stale
            except BaseException as e:  # our mistake, or memory: it is told, and the text is shown without values
                error = e

    def _allow(self, working: bool) -> None:
        with self._lock:
            self._working = working and not self.stale
        if self.stale and working:
            raise Stopped

    def stop(self, stale: bool) -> None:
        with self._lock:
            self.stale = self.stale or stale
            if self._working and self.ident is not None:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self.ident), ctypes.py_object(Stopped))
                self._working = False


class Jobs:
    """What is to be analysed. Everything but the threads runs in the event loop."""

    def __init__(self, loop: AbstractEventLoop, start: Callable[[str, Callable], Job | None], done: Callable[[Job, Analysis | None, BaseException | None], None]):
        self.loop, self._start, self._done = loop, start, done
        self._timers: dict[str, TimerHandle] = {}
        self._ready: dict[str, None] = {}
        self._running: Job | None = None

    def soon(self, key: str, pause: float = PAUSE) -> None:
        """Analyse a document when nothing has been typed for a while."""
        self.drop(key)
        self._timers[key] = self.loop.call_later(pause, self._due, key)

    def waiting(self, key: str) -> bool:
        """Whether an analysis of a document is to come or under way."""
        return key in self._timers or key in self._ready or (self._running is not None and self._running.key == key)

    def drop(self, key: str) -> None:
        """What is under way for a document is out of date."""
        if timer := self._timers.pop(key, None):
            timer.cancel()
        self._ready.pop(key, None)
        if self._running is not None and self._running.key == key:
            self._running.stop(stale=True)

    def _due(self, key: str) -> None:
        self._timers.pop(key, None)
        self._ready[key] = None
        self._next()

    def _next(self) -> None:
        while self._running is None and self._ready:
            key = next(iter(self._ready))
            del self._ready[key]
            job = self._start(key, self._from_thread)
            if job is not None:
                self._running = job
                self._timer = self.loop.call_later(LONGEST, job.stop, False)
                job.start()

    def _from_thread(self, job: Job, found: Analysis | None, error: BaseException | None) -> None:
        try:
            self.loop.call_soon_threadsafe(self._finished, job, found, error)
        except RuntimeError:
            pass  # the loop has ended

    def _finished(self, job: Job, found: Analysis | None, error: BaseException | None) -> None:
        if job is not self._running:
            return
        self._timer.cancel()
        self._running = None
        gc.enable()  # an evaluation that was stopped may have left it off
        if not job.stale:
            self._done(job, found, error)
        self._next()
