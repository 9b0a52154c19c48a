"""A run where it shows itself: in Rich's own printing, at a prompt of IPython and in a notebook."""

from __future__ import annotations

import io
from typing import Mapping

from rich.text import Text

from graphlang.run import Run
from graphlang.show.console import console
from graphlang.show.diagnostics import painted
from graphlang.show.tables import Options, show_run

LOOKS = {"digits": "a number from 1 to 17", "all": "True or False", "ascii": "True or False", "order": '"slide" or "eval"', "steps": "True or False",
         "mode": '"A" or "B"', "reveal": "True or False"}


def options(run: Run) -> Options:
    """How a run is shown: as `run.shown(…)` said, else as it was made."""
    return Options(mode=run.mode, scalar=run.base is not None)._replace(**run.look)


def checked(look: Mapping[str, object]) -> dict[str, object]:
    """What `run.shown(…)` was given. Raises TypeError, ValueError."""
    for name, value in look.items():
        if name not in LOOKS:
            raise TypeError(f"a run is shown with {', '.join(LOOKS)}, not with {name!r}")
        fits = (value in ("slide", "eval") if name == "order" else value in ("A", "B") if name == "mode"
                else type(value) is int and 1 <= value <= 17 if name == "digits" else isinstance(value, bool))
        if not fits:
            raise ValueError(f"{name} is {LOOKS[name]}, not {value!r}")
    return dict(look)


def text(run: Run, width: int) -> str:
    """The table as plain text, no wider than `width`; below it the warnings."""
    page = console(plain=True)
    page.file = io.StringIO()
    show_run(run, page, options(run)._replace(width=width))
    return page.file.getvalue() + ("\n" + painted(run.diagnostics, run.graph.source, width) if run.diagnostics else "")


def rendered(run: Run, width: int) -> Text:
    return Text(text(run, width), no_wrap=True, overflow="ignore")


def html(run: Run) -> str:
    from graphlang.show.html import html as page

    return page(run, options(run))


def latex(run: Run) -> str:
    from graphlang.show.equations import equations

    return equations(run, options(run))
