"""`graphlang quiz`: check, show, take, build and mark the quizzes of a file. Each has a module of its own, `quiz_check` and so on."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

EXAMPLES = """for example, in square.graph:

    quiz square "A square" {
      vary x in {3, 4, 5}
      y = x^2 + 1
      ask "What is `dy/dx` at x = {x}?" { dy/dx to 1 decimal }
    }

  $ graphlang quiz show square.graph --variant 2 --solution --ascii
    A square (square, variant 2), 1 mark

      y = x^2 + 1

    What is dy/dx at x = 3?
         dy/dx = ______

    Give the number to 1 decimal.

    Solution
      y = x^2 + 1 = 10
      dy/dy = 1
      dy/dx = 2*x = 6
      dy/dx = 6.0 (1 decimal); accepted from 5.95 to 6.05, the upper end not included

examples:
  graphlang quiz check q.graph                          whether each quiz can be asked, and what to change
  graphlang quiz show q.graph paths --variant 17        one variant, as a student sees it
  graphlang quiz show q.graph paths --solution --mistakes
"""

PARTS = {"check": "verify quizzes over all their variants", "show": "one variant as a student sees it", "take": "answer a quiz in the terminal",
         "build": "write quizzes as PDF, HTML and for learning platforms", "mark": "mark a file of answers"}


def add(commands) -> None:
    p = commands.add_parser("quiz", help="check, show, take, build and mark quizzes", epilog=EXAMPLES,
                            description="Quizzes and exams that a file declares: their keys are computed and certain, wrong options come from named mistakes, and wrong numbers are diagnosed.")
    parts = p.add_subparsers(dest="part", metavar="WHAT", help="what to do", parser_class=type(p), prog="graphlang quiz", required=True)
    for name, about in PARTS.items():
        if find_spec(f"graphlang.cli.quiz_{name}") is not None:
            import_module(f"graphlang.cli.quiz_{name}").add(parts)
        else:
            later = parts.add_parser(name, help=f"{about} (not there yet)", description=f"Not there yet: {about}.")
            later.add_argument("rest", nargs="*", metavar="FILE", help="files")
            later.set_defaults(handler=not_yet)


def not_yet(options) -> int:
    from graphlang.cli.programs import usage

    return usage(f"quiz {options.part}", "this version does not have it yet")
