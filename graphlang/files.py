"""Writing files so that nothing is ever lost: all of a new text, or the old file as it was."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path


def write_whole(path: str | os.PathLike, data: str | bytes) -> None:
    """Put `data` (text as UTF-8) in the place of a file at once: a reader, or a power cut, finds the old or the new, never
    half of one. A link is followed, the mode of an existing file is kept; one that is read-only stays as it is. Raises OSError."""
    target = Path(os.path.realpath(path))
    raw = data.encode("utf-8") if isinstance(data, str) else data
    if target.exists() and is_read_only(target):
        raise PermissionError(errno.EACCES, "it is read-only", str(path))
    mode = target.stat().st_mode & 0o7777 if target.exists() else 0o666 & ~_umask()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with open(handle, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode)
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise


def is_read_only(path: Path) -> bool:
    """Whether a file is not to be written. A rename would not ask the file, only its folder; and root may write where its mode forbids it."""
    return not path.stat().st_mode & 0o222 or not os.access(path, os.W_OK)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
