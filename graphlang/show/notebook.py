"""A run where it is shown by itself: in Rich's own printing and in a notebook."""

from __future__ import annotations

import html as escaping
import io

from rich.text import Text

from graphlang.run import Run
from graphlang.show.console import console
from graphlang.show.tables import Options, show_run

NOTEBOOK_WIDTH = 140


def text(run: Run, width: int) -> str:
    """The table as plain text, no wider than `width`."""
    page = console(plain=True)
    page.file = io.StringIO()
    show_run(run, page, Options(mode=run.mode, width=width))
    return page.file.getvalue()


def rendered(run: Run, width: int) -> Text:
    return Text(text(run, width), no_wrap=True, overflow="ignore")


def html(run: Run) -> str:
    return f"<pre>{escaping.escape(text(run, NOTEBOOK_WIDTH))}</pre>"
