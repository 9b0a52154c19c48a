"""The loss over the epochs as a picture. matplotlib's door."""

from __future__ import annotations

import io
import os
from importlib.util import find_spec
from typing import Sequence

from graphlang.given import UsageError
from graphlang.train.curve import Series
from graphlang.train.saving import write

KINDS = (".svg", ".png")


def check_plot(path: str) -> None:
    """Before anything is done. Raises UsageError."""
    if os.path.splitext(path)[1].lower() not in KINDS:
        raise UsageError(f"--plot {path}: the name ends in .svg or .png")
    if find_spec("matplotlib") is None:
        raise UsageError("--plot: pictures are made by matplotlib: pip install 'graphlang[plot]'")


def plot(path: str, title: str, epochs: Sequence[int], charts: Sequence[tuple[str, Sequence[Series]]]) -> None:
    """One chart below the other, each a report. Equal numbers give an equal file. Raises UsageError where it cannot be written."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    kind, out = os.path.splitext(path)[1].lower().lstrip("."), io.BytesIO()
    # names are the program's: no formula of TeX's is looked for in them; ids and the date would differ each time
    with matplotlib.rc_context({"text.parse_math": False, "svg.hashsalt": "graphlang", "svg.fonttype": "path"}):
        figure = Figure(figsize=(6.4, 0.6 + 2.9 * len(charts)), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(len(charts), 1, sharex=True, squeeze=False)[:, 0]
        for ax, (name, series) in zip(axes, charts):
            for k, s in enumerate(series):
                ax.plot(epochs, s.values, "o--" if k else "o-", markersize=3, linewidth=1.2, label=s.label)
            ax.set_ylabel(name)
            ax.grid(alpha=0.3)
            if len(series) > 1:
                ax.legend()
        axes[-1].set_xlabel("epoch")
        axes[-1].xaxis.get_major_locator().set_params(integer=True)
        axes[0].set_title(title)
        figure.savefig(out, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else {"Software": None})
    write(path, out.getvalue())
