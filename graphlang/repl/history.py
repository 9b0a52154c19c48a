"""Where the inputs of earlier sessions are kept."""

from __future__ import annotations

import os
from pathlib import Path


def history_file(name: str) -> Path | None:
    """The file of this user's history, its folder made; None where there is no place for one. $GRAPHLANG_HISTORY names another
    file; empty, none."""
    chosen = os.environ.get("GRAPHLANG_HISTORY")
    if chosen == "":
        return None
    path = Path(chosen).expanduser() if chosen else Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "graphlang" / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "ab"):
            pass
    except (OSError, RuntimeError):
        return None
    os.chmod(path, 0o600) if path.stat().st_size == 0 else None
    return path
