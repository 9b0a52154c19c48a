"""How a mistake of ours is told: in two lines, never as a traceback."""

from __future__ import annotations

import os
import sys


def told(error: BaseException, after: str = "") -> None:
    """To stderr. `after`: what else there is to say of what became of the work."""
    print(f"graphlang: internal error: {type(error).__name__}: {_place(error)}: {error}", file=sys.stderr)
    print("This is a mistake in graphlang, not in your program. Please report it with the program that shows it." + (f" {after}" if after else ""), file=sys.stderr)


def _place(error: BaseException) -> str:
    """The innermost file and line."""
    tb = error.__traceback__
    while tb is not None and tb.tb_next is not None:
        tb = tb.tb_next
    return f"{os.path.basename(tb.tb_frame.f_code.co_filename)}:{tb.tb_lineno}" if tb else "?"
