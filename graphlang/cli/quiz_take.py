"""`graphlang quiz take`: a quiz in the terminal, each answer marked at once, with hints on request."""

from __future__ import annotations

import sys
from typing import Callable

from graphlang.cli.programs import add_reading, told
from graphlang.cli.quiz_files import chosen, quizzes_of
from graphlang.cli.quiz_show import add_variant, amount, asked as as_asked, style_of
from graphlang.given import UsageError

EXAMPLES = """examples:
  graphlang quiz take q.graph                     every quiz of the file, one after the other
  graphlang quiz take q.graph paths --variant 17  one of them, another variant
  printf '3.14\\nskip\\n' | graphlang quiz take q.graph paths
  graphlang quiz take q.graph paths --json <answers.txt | jq .marks

At a question: a number, or the letter of an option;  ? or hint  a hint, each time a further one;  skip;  solution;  quit.
"""

HELP = "a number (or the letter of an option), `?` for a hint, `skip`, `solution`, `quit`"
MOST_TRIES = 3  # at a terminal


def add(parts) -> None:
    p = parts.add_parser("take", help="answer a quiz in the terminal", epilog=EXAMPLES,
                         description="Answer a quiz. Each answer is marked at once, a wrong number is diagnosed, and `?` gives hints, one by one. The first answer is the one that counts. "
                                     "Answers may come from a pipe, one a line; an empty line skips.")
    p.add_argument("file", metavar="FILE", help="a .graph file with quizzes")
    p.add_argument("names", metavar="NAME", nargs="*", help="of quizzes; without one all of them")
    add_variant(p)
    p.add_argument("--tries", metavar="N", type=int, help=f"how often one may answer before the next question comes (default {MOST_TRIES} at a terminal, 1 in a pipe)")
    p.add_argument("--ascii", action="store_true", help="names as in the source, no Greek, no subscripts")
    p.add_argument("--plain", action="store_true", help="text only: no colour")
    p.add_argument("--json", action="store_true", help="at the end one JSON document on standard output; the questions go to standard error")
    add_reading(p)
    p.set_defaults(handler=handle)


@told
def handle(options) -> int:
    from graphlang.quiz.sheets import of
    from graphlang.quiz.taking import Taking
    from graphlang.quiz.variants import variants

    if options.file == "-":
        raise UsageError("quiz take: the answers come from standard input, so the program needs a file")
    if options.variant < 1:
        raise UsageError(f"--variant {options.variant}: variants are counted from 1")
    if options.tries is not None and options.tries < 1:
        raise UsageError("--tries is 1 or more")
    made, _ = quizzes_of(options.file, options.allow_path)
    quizzes = chosen(made, options.names, options.file)
    taken, status = [], 0
    for k, quiz in enumerate(quizzes):
        worked = variants(quiz).variant(options.seed, options.variant)
        sheet = of(worked, options.variant, options.seed)
        taking = Taking(worked, sheet, options.tries or (MOST_TRIES if sys.stdin.isatty() else 1))
        front = Front(taking, quiz, options)
        if k:
            front.line("")
        status = front.run()
        taken.append(taking)
        if status is not None:
            break
    if options.json:
        from graphlang.show.document import dumps

        found = [transcript(t, options.file) for t in taken]
        print(dumps(found[0] if len(quizzes) == 1 else found))
    return status or 0


class Front:
    """Prints what is asked and told, and reads the answers."""

    def __init__(self, taking, quiz, options):
        from graphlang.show.console import Paper, can_show, console

        self.taking, self.sheet = taking, taking.sheet
        self.out = console(stderr=options.json, plain=options.plain)
        self.paper = Paper(self.out)
        self.style = style_of(quiz, options.ascii or not can_show(self.out, "·αⱼ∂Σ"))
        self.read = reader(sys.stderr if options.json else sys.stdout)

    # ---- printing

    def line(self, text: str, look: str = "") -> None:
        from graphlang.show.layout import wrap

        for part in wrap(text, self.out.width, 4):
            self.paper.line((part, look))

    def pieces(self, line, look: str = "", indent: str = "") -> None:
        from graphlang.quiz.text import text

        self.line(indent + text(line, self.style), look)

    def head(self) -> None:
        s = self.sheet
        self.line(f"{s.title or s.quiz} ({s.quiz}, variant {s.variant}), {amount(s.marks)}", "bold")
        self.line("")
        for line in s.program:
            self.pieces(line, indent="  ")
        for note in s.notes:
            self.line(note)
        self.line(f"Answer with {HELP}.", "dim")

    def question(self, k: int) -> None:
        part = self.sheet.parts[k]
        self.line("")
        if part.text:
            self.pieces((*part.text,), "bold")
        if part.rows or part.choice is not None:
            for line in as_asked(part, self.style):
                self.line(line)

    def prompt(self, item) -> str:
        from graphlang.quiz.model import Formula
        from graphlang.quiz.text import text
        from graphlang.show.console import clean

        part = self.sheet.parts[item.part]
        if item.asked is part.choice:
            return "option: "
        number = f"[{item.number}] " if part.rows else ""
        return clean(f"{number}{text((Formula(item.asked.shown),), self.style)} = ")

    # ---- asking

    def run(self) -> int | None:
        """None at the end of the quiz; else the exit status of one that was left."""
        self.head()
        status, part = None, -1
        try:
            while (item := self.taking.asked) is not None:
                if item.part != part:
                    part = item.part
                    self.question(part)
                self.paper.flush()
                if not self.one(item):
                    status = 0
                    break
        except EOFError:
            status = 0
            self.paper.line("")
        except KeyboardInterrupt:
            status = 130
            self.paper.line("")
        self.summary()
        self.paper.flush()
        return status

    def one(self, item) -> bool:
        """One line of input; False where the student leaves."""
        typed = self.read(self.prompt(item)).strip()
        match typed.lower():
            case "" if sys.stdin.isatty():
                self.line(f"Type {HELP}.", "dim")
            case "":  # a line of a file stands for an answer
                self.told(self.taking.skip())
            case "quit" | "exit":
                return False
            case "?" | "hint":
                self.told(self.taking.hint())
            case "skip":
                self.told(self.taking.skip())
            case "solution":
                self.told(self.taking.solution())
            case "help":
                self.line(f"Type {HELP}.")
            case _:
                reply = self.taking.answer(typed)
                self.told(reply)
                if reply.result == "unreadable" and not sys.stdin.isatty():
                    self.taking.skip()
        return True

    def told(self, reply) -> None:
        look = {"right": "green", "wrong": "yellow", "carried": "yellow"}.get(reply.result, "")
        for k, line in enumerate(reply.lines):
            self.pieces(line, look if not k else "", "  ")
        if reply.again and reply.result in ("wrong", "carried"):
            self.line("  Try again; `?` gives a hint, `skip` goes on.", "dim")

    def summary(self) -> None:
        from graphlang.quiz.marks_file import number
        from graphlang.quiz.mistakes import MISTAKES

        t = self.taking
        self.line("")
        left = f" ({len(t.taken)} of {len(t.items)} answered)" if len(t.taken) < len(t.items) else ""
        self.line(f"{number(t.marks)} of {amount(self.sheet.marks)}{left}", "bold")
        if t.practise:
            self.line("To practise:")
            for name in t.practise[:4]:
                self.line(f"  {MISTAKES[name].message}")


def reader(out) -> Callable[[str], str]:
    """Asks for a line: with the keys of a line editor at a terminal; from a pipe the line is printed behind the question, so that the output reads as a
    session does. Raises EOFError at the end."""
    if hasattr(sys.stdin, "reconfigure"):
        sys.stdin.reconfigure(errors="replace")
    if sys.stdin.isatty() and out is sys.stdout and out.isatty():
        try:
            import readline  # noqa: F401  input() uses it
        except ImportError:
            pass
        return input

    def read(prompt: str) -> str:
        print(prompt, end="", file=out, flush=True)
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        if not sys.stdin.isatty():
            from graphlang.quiz.answer_files import shortened
            from graphlang.show.console import clean

            encoding = getattr(out, "encoding", None) or "utf-8"
            print(clean(shortened(line)).encode(encoding, "backslashreplace").decode(encoding), file=out)
        return line

    return read


def transcript(taking, file: str) -> dict:
    """All that was answered, as plain data."""
    from graphlang import __version__
    from graphlang.quiz.model import Blank
    from graphlang.syntax.format import SOURCE, format_expr

    s = taking.sheet
    items = [{"blank": t.item.asked.id, "asked": format_expr(t.item.asked.shown, SOURCE) if type(t.item.asked) is Blank else None, "result": t.result,
              "marks": float(t.marks), "of": float(t.item.asked.marks), "hints": t.hints,
              "answers": [{"value": m.typed, "result": m.result, "message": m.message, "mistakes": list(m.mistakes), "carried_from": list(m.carried)} for m in t.answers]}
             for t in taking.taken]
    return {"graphlang": __version__, "file": file, "quiz": s.quiz, "variant": s.variant, "seed": s.seed, "marks": float(taking.marks), "of": float(s.marks),
            "finished": taking.asked is None, "items": items, "practise": taking.practise}
