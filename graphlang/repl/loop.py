"""A session with somewhere to write: what is typed goes in, answers come out. It knows no terminal; the fronts do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Iterable

from rich.console import Console

from graphlang.diagnostics import Diagnostic, GraphError, Source, without_commands
from graphlang.given import UsageError
from graphlang.graph.goals import goals_of
from graphlang.graph.order import plan
from graphlang.repl.answers import answer
from graphlang.repl.last import inlined, remember
from graphlang.repl.inputs import chunks, unprompted
from graphlang.repl.session import Session
from graphlang.repl.state import State
from graphlang.repl.waiting import place_of
from graphlang.repl.show import Look, change_data, change_lines, diagnostics_data, result_data, result_lines
from graphlang.show.console import Line, Paper, can_show
from graphlang.sources import text_of


class Repl:
    """`feed` takes one input. `failed`: whether any went wrong; `last_error`: the last one, for the bottom bar; `done`: whether the
    session is over."""

    def __init__(self, console: Console, errors: Console, interactive: bool = False, plain: bool = False, ascii: bool = False, digits: int = 6,
                 as_json: bool = False, allow: Iterable[str] = (), folder: str | Path = "."):
        self.console, self.errors, self.interactive, self.plain, self.as_json = console, errors, interactive, plain, as_json
        self.session = Session(folder, allow)
        self.look = Look(console.width, digits, ascii or not can_show(console, "→·∂√⇒Σ"))
        self.done = self.failed = False
        self.vi = False
        self.record: dict = {}              # of the present input, with --json
        self.last_error = ""
        self.unfinished: str | None = None  # a text from the editor that is no program yet

    # ---- writing

    def say(self, text: str) -> None:
        if self.as_json:
            self.record.setdefault("text", []).append(text)
            return
        paper = Paper(self.console)
        for line in text.split("\n"):
            paper.line(line)
        paper.flush()

    def write(self, lines: Iterable[Line]) -> None:
        lines = list(lines)
        if self.as_json:
            self.record.setdefault("text", []).extend("".join(t for t, _ in line) for line in lines)
            return
        paper = Paper(self.console)
        paper.lines(lines)
        paper.flush()

    def data(self, record: dict) -> None:
        """A part of the one document that an input is answered with."""
        taken = self.record.keys() & record.keys() - {"input"}
        if taken:
            self.record.setdefault("more", []).append(record)
        else:
            self.record |= {k: v for k, v in record.items() if k not in self.record}

    def print_record(self, text: str) -> None:
        """One line of JSON."""
        import json

        from graphlang.show.document import finite

        record, self.record = {"input": text.strip()} | self.record, {}
        if "text" in record:
            record["text"] = "\n".join(record["text"])
        self.console.file.write(json.dumps(finite(record), ensure_ascii=False, allow_nan=False) + "\n")
        self.console.file.flush()

    def tell(self, error: GraphError, text: str = "") -> None:
        """What is wrong; it counts as a failure."""
        if not isinstance(error, UsageError):
            error = GraphError([d._replace(hints=tuple(filter(None, map(at_prompt, d.hints)))) for d in error.diagnostics], error.source)
        first = next((d for d in error.diagnostics if d.severity == "error"), None)
        if first is not None:
            self.failed, self.last_error = True, f"{first.code} {first.message}" if not isinstance(error, UsageError) else first.message
        if self.as_json:
            self.data({"input": text.strip(), "error": self.last_error, "diagnostics": diagnostics_data(error.diagnostics, error.source)})
        elif isinstance(error, UsageError):
            paper = Paper(self.errors)
            paper.line((str(error), "red"))
            paper.flush()
        else:
            from graphlang.show import diagnostics

            diagnostics.paint(error.diagnostics, error.source, self.errors)

    # ---- one input

    def feed(self, text: str) -> None:
        """Answer one input. Whatever is wrong is told, and the session is as it was."""
        self.last_error = ""
        self.look.width = self.console.width
        for chunk in chunks(unprompted(text)):
            if self.done:
                return
            try:
                if chunk.what == "command":
                    from graphlang.repl.commands import command

                    command(self, chunk.text)
                elif chunk.what == "question":
                    self.question(chunk.text)
                elif chunk.what == "statements":
                    self.statements(Source("input", chunk.text))
                elif chunk.text.strip() in ("quit", "exit", "quit()", "exit()") and chunk.text.strip("()") not in self.session.names():
                    self.done = True
                else:
                    self.expression(chunk.text)
            except GraphError as e:
                self.tell(e, chunk.text)
            except RecursionError:
                self.tell(GraphError([Diagnostic("E902", "this is nested too deeply to be shown")]), chunk.text)
            if self.as_json:
                self.print_record((":" if chunk.what == "command" else "?" if chunk.what == "question" else "") + chunk.text)

    def expression(self, text: str) -> None:
        r = answer(self.session, text, self.look.ascii or self.as_json)
        remember(self.session, text)
        if self.as_json:
            self.data(result_data(r))
        else:
            self.write(result_lines(r, self.look))
        if r.warnings:
            self.tell(GraphError(r.warnings, r.source), text)

    def statements(self, source: Source) -> None:
        before = self.session.built
        text = inlined(self.session, source.text)
        change = self.session.add(source if text == source.text else Source("input", text))
        after = self.session.built
        if self.as_json:
            self.data(change_data(source.text, change, after))
        else:
            self.write(change_lines(change, before, after, self.look))
        self.after_change([*change.items, *(i for i in change.now_ready if i.kind in ("claim", "expect"))])

    def after_change(self, items) -> None:
        """Warnings about new statements, and the verdicts on claims and expectations among them."""
        built = self.session.built
        new, state = {id(i) for i in items}, built.state
        places = {k for k, i in enumerate(state.items) if id(i) in new and k not in state.waiting}
        if not places:
            return
        from graphlang.repl.verdicts import not_finite

        graph = built.graph if built.state.ready else None
        warnings = [d for d in (graph.warnings if graph else ()) if place_of(d, state, built.program.source) in places]
        names = {n for k in places for n in state.items[k].names}
        warnings += not_finite(built, names)
        if warnings:
            self.tell(GraphError(warnings, built.program.source))
        for k in sorted(places):
            if state.items[k].kind in ("claim", "expect"):
                self.verdict(state.items[k].text)

    def grade(self, text: str) -> None:
        """A claim or an expectation that is graded and not kept."""
        self.verdict(inlined(self.session, text))

    def verdict(self, text: str) -> None:
        from graphlang.repl.verdicts import graded

        lines, ok, record = graded(self.session, text, self.look)
        self.failed |= not ok
        if self.as_json:
            self.data(record)
        else:
            self.write(lines)

    def question(self, name: str) -> None:
        """A page of `explain`."""
        from graphlang.pages import page, suggestions
        from graphlang.pages.paint import paint

        found = page(name) if name else page("repl") or None
        if found is None:
            if not name:
                raise UsageError("`?sin` opens the page of a function, `?E101` that of an error, `:help` lists the commands")
            raise UsageError("; ".join((f"there is no page `{name}`", *suggestions(name))))
        if self.as_json:
            self.data(found.as_json())
        else:
            paper = Paper(self.console)
            paint(found, paper)
            paper.flush()

    # ---- the program as a whole

    def load(self, path: str) -> None:
        """A file in the place of the program. Raises UsageError, GraphError; then nothing has changed."""
        try:
            text = text_of(Path(path).read_bytes())
        except FileNotFoundError:
            raise UsageError(f"there is no file {path}") from None
        except OSError as e:
            raise UsageError(f"{path} cannot be read: {e.strerror}") from None
        except ValueError as e:
            raise UsageError(f"{path} is not UTF-8 text: {e}") from None
        self.replace(Source(path, text), path)

    def replace(self, source: Source, file: str = "") -> None:
        """A text in the place of the program; what it names and does not define waits."""
        other = Session(Path(file).parent if file else self.session.reach.folder, self.session.reach.allowed)
        other.set_aside(file=file or self.session.state.file)
        other.add(source)
        built = replace_state(other, file or self.session.state.file, self.session.state)
        had = bool(self.session.state.items)
        self.session.change(built.state, built)
        n = len(built.state.items)
        waits = f", {len(built.state.waiting)} of which wait" if built.state.waiting else ""
        self.say(f"{n} statement{'s' * (n != 1)} from {source.name}{waits}" + ("; `:undo` brings the program before back" if had else ""))
        for k, why in list(built.state.waiting.items())[:5]:
            self.say(f"  {' '.join(built.state.items[k].text.split())[:60]} waits: {why}")
        self.after_change([i for i in built.state.items if i.kind in ("claim", "expect")])

    def goal(self) -> str | None:
        """What is differentiated, if the program says so or it is the only candidate."""
        graph = self.session.built.graph if self.session.state.ready else None
        if graph is None:
            return None
        try:
            found = goals_of(graph, plan(graph), None)
        except GraphError:
            return None
        if not found or found[0].element is not None and not graph.goals:
            return None  # a table that nothing reads: one of its elements is hardly meant
        return str(found[0])


def at_prompt(hint: str) -> str:
    """A hint for the command line as one for the prompt; "" for one that means nothing there."""
    if "graphlang run " in hint and "--set " in hint:
        return "`" + "; ".join(f":set {part.split(' ')[0].strip(chr(39))}" for part in hint.split("--set ")[1:]) + "`"
    return without_commands(hint)


def replace_state(other: Session, file: str, before: State):
    """What another session has become, as a state of this one."""
    return replace(other.built, state=other.state._replace(file=file, wrt=tuple(w for w in before.wrt if w in other.names()), last=()))
