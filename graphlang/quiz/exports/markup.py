"""XML and HTML as text, names for what must have one, zip files: the same bytes whenever and wherever they are made."""

from __future__ import annotations

import io
import time
import uuid
import zipfile
from html import escape
from typing import Mapping

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
FIRST = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold
SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://graphlang.org/quiz")


def element(tag: str, attributes: Mapping[str, object] | None = None, *children: str) -> str:
    """An element; its children are XML already."""
    head = tag + "".join(f' {name}="{escape(str(value))}"' for name, value in (attributes or {}).items())
    return f"<{head}>{''.join(children)}</{tag}>" if children else f"<{head}/>"


def leaf(tag: str, text: object, attributes: Mapping[str, object] | None = None) -> str:
    """An element with a text."""
    return element(tag, attributes, escape(str(text), quote=False))


def cdata(markup: str) -> str:
    """Markup as the text of an element."""
    return "<![CDATA[" + markup.replace("]]>", "]]]]><![CDATA[>") + "]]>"


def named(*parts: object) -> uuid.UUID:
    """A name for a thing that is known by its parts, the same each time."""
    return uuid.uuid5(SPACE, "\0".join(map(str, parts)).encode("utf-8", "backslashreplace").decode())


def identifier(*parts: object) -> str:
    """A name as XML wants it."""
    return "g" + named(*parts).hex


def zipped(files: Mapping[str, bytes], epoch: int = 0) -> bytes:
    """A zip file; a name that ends in `/` is a folder. `epoch`: the time that its files are marked with, as SOURCE_DATE_EPOCH has it."""
    when = max(FIRST, tuple(time.gmtime(epoch)[:6]))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, when)
            entry.create_system = 3  # or it would tell the system that it was made on
            entry.external_attr = (0o40755 << 16 | 0x10) if name.endswith("/") else 0o100644 << 16
            entry.compress_type = zipfile.ZIP_STORED if name.endswith("/") else zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name])
    return out.getvalue()
