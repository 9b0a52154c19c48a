"""The session at a terminal, with prompt_toolkit: colours as one types, completion, history, a bar with goal and last error.

The first prompt is there before the language is: what it takes is imported in the background, and the first answer waits for it.
"""

from __future__ import annotations

import re
from threading import Thread
from typing import Callable

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import Completer, Completion, ThreadedCompleter
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.filters import Condition, to_filter
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import FileHistory, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.key_binding.key_processor import KeyPressEvent
from prompt_toolkit.lexers import DynamicLexer, Lexer, PygmentsLexer
from prompt_toolkit.styles import Style

from graphlang.repl.history import history_file

PROMPT, MORE = "> ", "… "
LETTER = re.compile(r"\\([A-Za-z]+)$")
GIVEN_UP = re.compile(r"\n[ \t]*\n[ \t]*$")  # two empty lines end an input whose bracket stays open
STYLE = Style.from_dict({"bottom-toolbar": "noreverse bg:#303030 #d0d0d0", "bottom-toolbar.error": "bg:#303030 #ff8787", "prompt": "bold"})


class Front:
    """A prompt for a session that `make` gives; it is made in the background."""

    def __init__(self, make: Callable[[], object], **options):
        self.repl = None
        self.failure: BaseException | None = None
        self._make = make
        self.thread, self._begun = Thread(target=self._prepare, daemon=True), False
        kept = history_file("history")
        self.prompt: PromptSession[str] = PromptSession(
            multiline=True, history=FileHistory(str(kept)) if kept else InMemoryHistory(), completer=ThreadedCompleter(Names(self)), complete_while_typing=True,
            auto_suggest=AutoSuggestFromHistory(), lexer=DynamicLexer(self.lexer), key_bindings=keys(self), bottom_toolbar=self.bar, style=STYLE,
            prompt_continuation=lambda width, line, wrapped: MORE, include_default_pygments_style=True, enable_open_in_editor=True, tempfile_suffix=".graph", **options)
        # of the buffer alone: as an option of the prompt it would switch completion while typing off
        self.prompt.default_buffer.enable_history_search = to_filter(True)
        self._lexer: Lexer | None = None
        self.prompt.app.after_render += self._begin  # not before: two imports at once would delay the first prompt

    def _begin(self, app=None) -> None:
        if not self._begun:
            self._begun = True
            self.thread.start()

    def _prepare(self) -> None:
        try:
            self.repl = self._make()
            from graphlang.repl.completion import functions

            functions()
            from graphlang.highlight.lexer import GraphLexer

            self._lexer = PygmentsLexer(GraphLexer)
        except BaseException as e:  # told at the first input
            self.failure = e

    def lexer(self) -> Lexer | None:
        return self._lexer

    def ready(self):
        """The session; waits for it. Raises what made it fail."""
        self._begin()
        self.thread.join()
        if self.repl is None:
            raise self.failure or RuntimeError("no session")
        return self.repl

    # ---- the bar at the bottom

    def bar(self) -> StyleAndTextTuples:
        r = self.repl
        if r is None:
            return [("class:bottom-toolbar", " :help lists the commands, :quit leaves")]
        goal = self.goal()
        text = f" goal {goal}" if goal else " no goal yet"
        n = len(r.session.state.waiting)
        text += f"   {n} statement{'s wait' if n > 1 else ' waits'}" if n else ""
        error = [("class:bottom-toolbar.error", f"   {' '.join(r.last_error.split())[:200]}")] if r.last_error else []
        return [("class:bottom-toolbar", text), *error, ("class:bottom-toolbar", "   :help")]

    def goal(self) -> str:
        """Worked out once for each state: the bar is drawn at every key."""
        state = self.repl.session.state
        if getattr(self, "_of", None) is not state:
            try:
                self._goal = self.repl.goal() or ""
            except Exception:  # an error in the bar would break the prompt
                self._goal = ""
            self._of = state
        return self._goal

    # ---- the loop

    def run(self) -> None:
        from graphlang.repl.plain import answered

        while True:
            r = self.repl
            self.prompt.editing_mode = EditingMode.VI if r is not None and r.vi else EditingMode.EMACS
            try:
                text = self.prompt.prompt(PROMPT)
            except KeyboardInterrupt:  # the line is abandoned
                continue
            except EOFError:
                return
            if not text.strip():
                continue
            r = self.ready()
            answered(r, text)
            if r.done:
                return


class Names(Completer):
    """Completions of the session; before there is one, of what needs none."""

    def __init__(self, front: Front):
        self.front = front

    def get_completions(self, document, event):
        from graphlang.repl.completion import completions

        before = document.text_before_cursor
        if event.completion_requested or re.search(r"\w\w$|[:?\\/]\w*$", before):
            try:
                for c in completions(before, self.front.repl):
                    yield Completion(c.text, -c.length, display_meta=" ".join(c.about.split())[:80])
            except Exception:  # a menu that is not there harms nobody; an error in it would break the line
                return


def keys(front: Front) -> KeyBindings:
    from graphlang.syntax.names import GREEK

    bound = KeyBindings()

    @Condition
    def letter() -> bool:
        m = LETTER.search(front.prompt.default_buffer.document.text_before_cursor)
        return m is not None and m[1] in GREEK

    @Condition
    def choosing() -> bool:
        state = front.prompt.default_buffer.complete_state
        return state is not None and state.current_completion is not None

    @bound.add("tab", filter=letter)
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        m = LETTER.search(buffer.document.text_before_cursor)
        buffer.cancel_completion()
        buffer.delete_before_cursor(len(m[0]))
        buffer.insert_text(GREEK[m[1]])

    @bound.add("enter", filter=choosing)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.complete_state = None  # what is chosen stands there already

    @bound.add("enter", filter=~choosing)
    def _(event: KeyPressEvent) -> None:
        from graphlang.repl.inputs import incomplete

        buffer = event.current_buffer
        if incomplete(buffer.text) and not (GIVEN_UP.search(buffer.text) and buffer.document.is_cursor_at_the_end):
            buffer.insert_text("\n" + indent(buffer.document.current_line_before_cursor))
        else:
            buffer.validate_and_handle()

    @bound.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return bound


def indent(line: str) -> str:
    """As far in as the line before."""
    return line[: len(line) - len(line.lstrip())] or "  "
