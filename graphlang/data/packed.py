"""Files packed with gzip, unpacked to a limit: a few kilobytes can stand for terabytes."""

from __future__ import annotations

from graphlang.data.mistakes import LARGEST, Mistakes

MAGIC = b"\x1f\x8b"


def unpacked(data: bytes, file: str, mistakes: Mistakes, most: int = LARGEST) -> bytes:
    """What is in a `.gz`; anything else as it is. Raises GraphError."""
    if not data.startswith(MAGIC):
        if file.lower().endswith(".gz") and data:
            mistakes.fail("E616", "this is no gzip file", "its name should end otherwise, if it is not packed")
        return data
    import gzip
    import io
    import zlib

    try:
        text = gzip.GzipFile(fileobj=io.BytesIO(data)).read(most + 1)
    except EOFError:
        mistakes.fail("E616", "the packed file ends too early", "it may not have been copied or downloaded whole")
    except (OSError, zlib.error):
        mistakes.fail("E616", "the packed file is damaged", "it may not have been copied or downloaded whole")
    if len(text) > most:
        mistakes.too_many("what is unpacked from it", most, "bytes")
    return text
