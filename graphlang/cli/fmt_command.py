"""`graphlang fmt`: programs in the one style, proved to mean what they meant before a file is written."""

from __future__ import annotations

import os
import stat
import sys
from typing import Iterator, NamedTuple

from graphlang.cli.check_command import found
from graphlang.cli.programs import tell, told
from graphlang.diagnostics import Diagnostic, GraphError, Source
from graphlang.given import UsageError

EXAMPLES = """for example, in messy.graph:

    x=2;y=x**2   #square
    J=3sin( y )

  $ graphlang fmt --diff messy.graph
    --- messy.graph
    +++ messy.graph
    @@ -1,2 +1,3 @@
    -x=2;y=x**2   #square
    -J=3sin( y )
    +x = 2
    +y = x^2  # square
    +J = 3sin(y)

examples:
  graphlang fmt simple.graph                  rewrite the file, if it is to change
  graphlang fmt programs                      every .graph file beneath the folder
  graphlang fmt --check programs              write nothing; exit status 1 if a file would change
  graphlang fmt --diff simple.graph           write nothing; show what would change
  graphlang fmt - < simple.graph              from standard input to standard output
"""
WRONG, USAGE, INTERNAL = 1, 2, 70


def add(commands) -> None:
    p = commands.add_parser("fmt", help="one style for programs: comments kept, the program proved unchanged",
                            description="Rewrite programs in the one style: blanks, indentation, aligned `=`, one spelling of signs. Comments, line breaks inside of "
                                        "statements and groups of lines are kept. A file is written, at once, only when its new text is proved to be the same program. "
                                        "A statement with a mistake is left as it is and the mistake is told.",
                            epilog=EXAMPLES)
    p.add_argument("files", metavar="FILE", nargs="+", help=".graph programs, or folders of them; - reads standard input and writes standard output")
    p.add_argument("--check", action="store_true", help="write nothing; list the files that would change, exit status 1 if there are any")
    p.add_argument("--diff", action="store_true", help="write nothing; show what would change (exit status 0, with --check 1)")
    p.add_argument("--plain", action="store_true", help="text only: no colour")
    p.add_argument("--error-format", choices=("full", "short", "json"), default="full", help="how mistakes are printed")
    p.set_defaults(handler=handle, json=False)


class Outcome(NamedTuple):
    """A file, its text before and after, and whether nothing is wrong with the program in the latter."""

    file: str
    before: str
    after: str
    right: bool

    @property
    def name(self) -> str:
        return "<stdin>" if self.file == "-" else self.file

    @property
    def changes(self) -> bool:
        return self.before != self.after


class Unproved(Exception):
    """Our mistake: what was made of a text is not proved to be the same program, so nothing is done with it."""


@told
def handle(options) -> int:
    files = found(options.files)
    if "-" in files and len(files) > 1:
        raise UsageError("standard input (-) is formatted alone, without other files")
    status = changed = unchanged = wrong = failed = 0
    for file in files:
        try:
            outcome = one(file)
            mistakes = write_and_tell(outcome, options)
        except UsageError as e:  # the other files are formatted all the same
            print(f"graphlang fmt: {e}", file=sys.stderr)
            status, failed = max(status, USAGE), failed + 1
        except GraphError as e:  # not a text
            tell(e, options.error_format, file, False, options.plain)
            status, failed = max(status, WRONG), failed + 1
        except Unproved as e:
            print(e, file=sys.stderr)
            status, failed = INTERNAL, failed + 1
        else:
            changed, unchanged, wrong = changed + outcome.changes, unchanged + (not outcome.changes), wrong + mistakes
            status = max(status, WRONG if mistakes or (options.check and outcome.changes) else 0)
    if files != ["-"] and not options.diff:
        said(summary(changed, unchanged, failed, wrong, options.check), options)
    return status


def one(file: str) -> Outcome:
    """A file and what it is to become. Raises UsageError, GraphError, Unproved."""
    from graphlang.syntax.tidy import plain, reading, tidied
    from graphlang.syntax.tidy_proof import same_program

    before = text(file)
    first = reading(before)
    made, again = tidied(first)
    outcome = Outcome(file, before, made.replace("\n", "\r\n") if ends_in_crlf(before) else made, again.statements is not None)
    if outcome.changes and not (plain(outcome.after) == again.text and same_program(first, again)):
        raise Unproved(f"graphlang: internal error: the formatted text of {outcome.name} is not proved to be the same program; it is left as it is\n"
                       "This is a mistake in graphlang, not in your program. Please report it with the program that shows it.")
    return outcome


def text(file: str) -> str:
    from graphlang.sources import text_of

    try:
        if file == "-":
            data = sys.stdin.buffer.read() if hasattr(sys.stdin, "buffer") else sys.stdin.read().encode()
        else:
            if not stat.S_ISREG(os.stat(file).st_mode):  # opening a pipe would wait for who writes to it
                raise UsageError(f"{file} is not a regular file; `graphlang fmt -` reads standard input")
            with open(file, "rb") as opened:
                data = opened.read()
    except OSError as e:
        raise UsageError(f"{file} cannot be read: {e.strerror}") from None
    try:
        text_of(data)
    except ValueError as e:
        what, source = ("standard input", "<stdin>") if file == "-" else ("the file", file)
        raise GraphError([Diagnostic("E030", f"{what} is not UTF-8 text: {e}", None, hints=("save it as UTF-8",))], Source(source, "")) from None
    return data.decode("utf-8")  # with its byte-order mark, if it has one: without it, it is another file


def ends_in_crlf(text: str) -> bool:
    """Whether every line that is ended ends as on Windows: then it stays so."""
    return "\r\n" in text and text.count("\n") == text.count("\r\n")


def write_and_tell(outcome: Outcome, options) -> bool:
    """Do what is asked with a file; whether there are mistakes in it, which are told with their places as the file now is. Raises
    UsageError when it cannot be written."""
    from graphlang.files import write_whole
    from graphlang.syntax.parser import parse

    rewrite = outcome.changes and outcome.file != "-" and not (options.check or options.diff)
    if rewrite:
        try:
            write_whole(outcome.file, outcome.after)
        except OSError as e:
            raise UsageError(f"{outcome.file} cannot be written: {e.strerror}") from None
    show(outcome, options)
    if outcome.right and (rewrite or not outcome.changes):
        return False
    try:
        parse(Source(outcome.name, outcome.after if rewrite else outcome.before))
    except GraphError as e:
        sys.stdout.flush()
        tell(e, options.error_format, outcome.file, False, options.plain)
        return True
    return False


# ---- telling


def show(outcome: Outcome, options) -> None:
    if options.diff:
        if outcome.changes:
            paint(list(difference(outcome)), options)
    elif options.check:
        if outcome.changes:
            said(f"would change {outcome.name}", options)
    elif outcome.file == "-":
        raw(outcome.after)
    elif outcome.changes:
        said(f"formatted {outcome.file}", options)


def summary(changed: int, unchanged: int, failed: int, wrong: int, checking: bool) -> str:
    """`1 file formatted, 2 unchanged, 1 failed (1 with mistakes)`; `wrong` are among the first two."""
    done = "would change" if checking else "formatted"
    first, *others = [f"{n}{{}} {what}" for n, what in ((changed, done), (unchanged, "unchanged"), (failed, "failed")) if n]
    noun = " file" if first.startswith("1{") else " files"
    return ", ".join([first.format(noun), *(o.format("") for o in others)]) + (f" ({wrong} with mistakes)" if wrong else "")


def said(line: str, options) -> None:
    from graphlang.show.console import Paper, clean, console

    paper = Paper(console(plain=options.plain))
    paper.line(clean(line))
    paper.flush()
    sys.stdout.flush()


def difference(outcome: Outcome) -> Iterator[str]:
    """A unified diff that `patch` takes, line by line."""
    from difflib import unified_diff

    before, after = (outcome.before.split("\n"), outcome.after.split("\n"))
    name = outcome.name
    for line in unified_diff(ended(before), ended(after), name, name):
        yield line.removesuffix("\n")
        if not line.endswith("\n"):
            yield "\\ No newline at end of file"


def ended(lines: list[str]) -> list[str]:
    """Lines with their ends; the last has none, if the text ends without."""
    return [line + "\n" for line in lines[:-1]] + [line for line in lines[-1:] if line]


def paint(lines: list[str], options) -> None:
    """A diff in colour on a terminal, byte for byte in a pipe."""
    if options.plain or not sys.stdout.isatty():
        raw("".join(line + "\n" for line in lines))
        return
    from graphlang.show.console import Paper, clean, console

    paper = Paper(console())
    for line in lines:
        head = line.startswith(("--- ", "+++ "))
        paper.line((clean(line), "bold" if head else {"@": "cyan", "+": "green", "-": "red"}.get(line[:1], "")))
    paper.flush()


def raw(text: str) -> None:
    """To standard output as UTF-8, whatever the terminal's encoding and ends of lines are: it is the text of a file."""
    sys.stdout.flush()
    if hasattr(sys.stdout, "buffer"):
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()
    else:
        sys.stdout.write(text)
