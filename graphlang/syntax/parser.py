"""Text to tree: `parse` for a program, `parse_expression` for a lone expression. The only module that imports lark.

Lark turns grammars/graph.lark into LALR tables; lalr.py runs them. The tables are shipped as JSON beside the grammar,
with the hash of the grammar that they were made from, and are made anew in memory when it is another one, so lark is
imported only then. `python -m graphlang.syntax.parser` renews them.
"""

from __future__ import annotations

import gc
import json
import re
from functools import cache
from pathlib import Path
from threading import Lock
from zlib import crc32
from typing import AbstractSet as Set, Any, Iterable, Iterator

from graphlang.diagnostics import Diagnostic, GraphError, Source, Span
from graphlang.syntax.ast import Binder, Expr, Program, Statement
from graphlang.syntax.lalr import Failure, Tables, Token, run
from graphlang.syntax.lexing import Lexer
from graphlang.syntax.names import canonical
from graphlang.syntax.statement_nodes import StatementNodes

STARTS = ["program", "lone", "quizline", "askline", "fillline", "chooseline", "examline"]  # the last ones: a line of a block, to explain its mistakes
WORD_PRIORITY = 3  # of the terminals that are known only where the parser can take them


def parse(source: Source, known: Iterable[str] = ()) -> Program:
    """The tree of a program. `known` are names defined elsewhere (a session, included files).

    Raises GraphError with one diagnostic for each mistake, at most one for each statement.
    """
    with _LOCK:
        parser = _parser()
        failure = parser.run(source.text, "program", extra=known)
        if failure is None and not parser.nodes.found:
            made = Program(tuple(parser.nodes.statements), source)
            parser.nodes.begin("")  # or the tree would live until the next one is parsed
            return made
        raise GraphError(_explain(parser, source.text, "program", parser.lexer.names), source)


def parse_expression(source: Source, names: Iterable[str] = ()) -> tuple[Expr, tuple[Binder, ...]]:
    """A lone expression and the binders of its trailing `for`, if it has one. `names` are the program's variables."""
    with _LOCK:
        parser = _parser()
        known = {canonical(name) for name in names}
        text = source.text.rstrip()
        found, failure = parser.attempt(text, "lone", known)
        if failure is None and not found:
            return parser.result
        raise GraphError(_explain(parser, text, "lone", known), source)


def parse_within(source: Source, at: Span, names: Set[str]) -> Expr:
    """The expression at a place of a text; its own places are of the whole text. `names` as above. Raises GraphError."""
    with _LOCK:
        parser = _parser()
        failure = parser.run(source.text[: at.end], "lone", names=names, first=at.start)
        if failure is None and not parser.nodes.found:
            tree, binders = parser.result
            if not binders:
                return tree
            raise GraphError([Diagnostic("E029", "a `for` ends an equation or a call, and this is an expression alone", binders[0].span)], source)
        found = _explain(parser, source.text[at.start : at.end], "lone", names)
        raise GraphError([d.moved(at.start) for d in found], source)


def parse_tokens(text: str, names: Set[str]) -> tuple[list[Token], bool, Failure | None]:
    """The tokens of a piece of a program with these `names`, as the parser takes them; whether nothing is wrong with them;
    and where the grammar gave up, if it did."""
    with _LOCK:
        met: list[Token] = []
        parser = _parser()
        failure = parser.run(text, "program", names=names, met=met)
        return met, failure is None and not parser.nodes.found, failure


def parse_all(text: str, names: Set[str]) -> tuple[list[Token], tuple[Statement, ...] | None]:
    """The same of a whole program, with its statements instead of a failure: None if anything is wrong."""
    with _LOCK:
        met: list[Token] = []
        parser = _parser()
        failure = parser.run(text, "program", names=names, met=met)
        right = failure is None and not parser.nodes.found
        made = tuple(parser.nodes.statements) if right else None
        parser.nodes.begin("")  # or the tree would live until the next one is parsed
        return met, made


def _explain(parser: _Parser, text: str, start: str, names: Set[str]) -> list[Diagnostic]:
    from graphlang.syntax.mistakes import explain  # a program without mistakes doesn't pay for its import

    return explain(text, parser.attempt, start, names)


class _Nodes(StatementNodes):
    """The callbacks of the whole grammar; those of quizzes are read with the first text that needs one."""

    def __getattr__(self, name: str) -> Any:
        from graphlang.syntax.quiz_nodes import QuizNodes

        self.__class__ = QuizNodes  # type: ignore[assignment]
        return getattr(self, name)


class _Parser:
    """Tables, lexer and callbacks. It holds the state of one run: use it under the lock."""

    def __init__(self) -> None:
        self.lexer = Lexer()
        self.nodes = _Nodes(self.lexer)
        self.tables = Tables(_load(), self.nodes)
        self.result: Any = None

    def run(self, text: str, start: str, extra: Iterable[str] = (), names: Set[str] | None = None, met: list[Token] | None = None,
            first: int = 0) -> Failure | None:
        """Parse, from the offset `first`, into `nodes` and `result`, and the tokens into `met`; the failure, if the text isn't in the grammar."""
        self.lexer.begin(text, extra, names, first)
        self.nodes.begin(text)
        stack: list[int] = []
        # A parse makes hundreds of thousands of tuples and no cycles; looking for some costs a quarter of the time.
        collecting = gc.isenabled()
        gc.disable()
        try:
            tokens = self.lexer.tokens(self.tables, stack)
            self.result = run(self.tables, start, stack, tokens if met is None else _noted(tokens, met))
        finally:
            if collecting:
                gc.enable()
        return self.result if type(self.result) is Failure else None

    def attempt(self, text: str, start: str, names: Set[str]) -> tuple[list[Diagnostic], Failure | None]:
        """Parse a piece of a text, whose names are known: what its callbacks found wrong, and where the grammar gave up."""
        failure = self.run(text, start, names=names)
        return self.nodes.found, failure


def _noted(tokens: Iterator[Token], met: list[Token]) -> Iterator[Token]:
    for token in tokens:
        met.append(token)
        yield token


_LOCK = Lock()


@cache
def _parser() -> _Parser:
    return _Parser()


# ---- tables


def grammar_folder() -> Path:
    """Where the grammar is: beside the package in a checkout or an editable install, else inside of it."""
    package = Path(__file__).resolve().parent.parent
    beside = package.parent / "grammars"
    return beside if (beside / "graph.lark").is_file() else package / "grammars"


def build(**options: Any) -> Any:
    """Lark's parser for the grammar, made in some 200 ms; it is imported only here."""
    import lark

    text = (grammar_folder() / "graph.lark").read_text(encoding="utf-8")
    return lark.Lark(text, parser="lalr", lexer="contextual", start=STARTS, keep_all_tokens=True,
                     maybe_placeholders=False, **options)  # fmt: skip


def tables() -> dict[str, Any]:
    """The parser as plain data, with the key that says what it was made from; the same in every run."""
    from lark import __version__
    from lark.parsers.lalr_analysis import Shift

    made = build()
    table = made.parser.parser._parse_table
    rules = sorted(made.rules, key=lambda r: (str(r.origin.name), r.order, [s.name for s in r.expansion]))
    rule_numbers = {rule: n for n, rule in enumerate(rules)}
    states = _in_canonical_order(table)
    numbers = {state: n for n, state in enumerate(states)}
    actions, gotos = [], []
    for state in states:
        row = sorted(table.states[state].items(), key=lambda r: r[0])
        # Lark names nonterminals in small letters, terminals in capitals; the lexer never sees a nonterminal.
        actions.append({k: numbers[a] if w is Shift else ~rule_numbers[a] for k, (w, a) in row if not k.islower()})
        gotos.append({k: numbers[a] for k, (_, a) in row if k.islower()})
    return {
        "key": {"grammar": _grammar_hash(), "lark": __version__},
        "terminals": [[t.name, t.pattern.to_regexp(), _use(t, made.ignore_tokens)] for t in _in_order(made.terminals)],
        "rules": [[str(r.origin.name), len(r.expansion), _method(r)] for r in rules],
        "actions": actions,
        "gotos": gotos,
        "starts": {start: [numbers[table.start_states[start]], numbers[table.end_states[start]]] for start in STARTS},
    }


def _in_canonical_order(table: Any) -> list[int]:
    """Lark numbers its states in an order that changes from run to run: here as they are met from the start states."""
    from lark.parsers.lalr_analysis import Shift

    found = [table.start_states[start] for start in STARTS]
    met = set(found)
    for state in found:  # grows
        for _, (what, target) in sorted(table.states[state].items(), key=lambda row: row[0]):
            if what is Shift and target not in met:
                met.add(target)
                found.append(target)
    return found


def _in_order(terminals: Iterable[Any]) -> list[Any]:
    """As Lark's lexer tries them."""
    return sorted(terminals, key=lambda t: (-t.priority, -t.pattern.max_width, -len(t.pattern.value), t.name))


def _use(terminal: Any, ignored: Iterable[str]) -> str | list[str]:
    """Where the lexer knows a terminal; for a keyword, its spellings."""
    if terminal.name in ignored:
        return "blank"
    if terminal.priority == WORD_PRIORITY:
        spelled = re.match(r"(?:\(\?:)?([a-z]+(?:\|[a-z]+)*)\)?(?:\\b|\(\?=)", terminal.pattern.to_regexp())
        assert spelled, f"{terminal.name} is not a list of words and what follows them"
        return spelled[1].split("|")
    return "plain"


def _method(rule: Any) -> str:
    """The callback of a rule; "" for one that passes its only part on."""
    if rule.options.expand1 and not rule.alias and len(rule.expansion) == 1:
        return ""
    return str(rule.alias or rule.origin.name)


def _grammar_hash() -> str:
    """Enough to notice another grammar; hashlib would take longer to import than the tables to load."""
    grammar = (grammar_folder() / "graph.lark").read_bytes()
    return f"{len(grammar)}-{crc32(grammar):08x}"


def _load() -> dict[str, Any]:
    """The shipped tables, or new ones when the grammar is another one. (Which lark made them doesn't matter to
    `lalr.run`; a test holds the shipped ones to the installed lark.)"""
    try:
        shipped = json.loads((grammar_folder() / "graph.tables.json").read_bytes())
        if shipped["key"]["grammar"] == _grammar_hash():
            return shipped
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return tables()


def tables_text() -> str:
    return json.dumps(tables(), separators=(",", ":"), ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    (grammar_folder() / "graph.tables.json").write_text(tables_text(), encoding="utf-8")
