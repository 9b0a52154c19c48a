"""A small client of the language server protocol, as an editor is one: a process, messages with lengths, and no waiting for ever."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).parent.parent
PATIENCE = 30  # seconds that an answer may take before the test fails


class Refusal(Exception):
    """The server answered with an error."""


class Client:
    """`graphlang lsp` in a process of its own."""

    def __init__(self, *, encodings=("utf-16",), root: Path | None = None):
        self.process = subprocess.Popen([sys.executable, "-m", "graphlang", "lsp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"})
        self.inbox: queue.Queue = queue.Queue()
        self.notes: list[dict] = []   # notifications that nobody has asked for yet
        self.logged: list[str] = []
        self.texts: dict[str, str] = {}
        self.last = 0
        threading.Thread(target=self._listen, daemon=True).start()
        wide = {"general": {"positionEncodings": list(encodings)}, "textDocument": {"completion": {}, "rename": {"prepareSupport": True}, "publishDiagnostics": {"relatedInformation": True}},
                "workspace": {"inlayHint": {"refreshSupport": True}, "didChangeWatchedFiles": {"dynamicRegistration": True}}}
        self.abilities = self.ask("initialize", {"processId": os.getpid(), "rootUri": root and root.as_uri(), "capabilities": wide})["capabilities"]
        self.tell("initialized", {})

    # ---- messages

    def _listen(self) -> None:
        out = self.process.stdout
        while True:
            length = 0
            while (line := out.readline().strip()):
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            if not length:
                self.inbox.put(None)
                return
            self.inbox.put(json.loads(out.read(length)))

    def send(self, message: dict) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def tell(self, method: str, params) -> None:
        self.send({"method": method, "params": params})

    def ask(self, method: str, params=None):
        self.last += 1
        self.send({"id": self.last, "method": method, "params": params})
        while True:
            message = self._next()
            if message.get("id") == self.last and "method" not in message:
                if "error" in message:
                    raise Refusal(message["error"]["message"])
                return message["result"]
            self._keep(message)

    def _next(self) -> dict:
        message = self.inbox.get(timeout=PATIENCE)
        assert message is not None, f"the server ended: {self.process.stderr.read().decode()[-2000:]}"
        return message

    def _keep(self, message: dict) -> None:
        if "method" in message and "id" in message:  # a request of the server's: all of them are answered with nothing
            self.send({"id": message["id"], "result": None})
        elif message.get("method") == "window/logMessage":
            self.logged.append(message["params"]["message"])
        elif "method" in message:
            self.notes.append(message)

    # ---- documents

    def uri(self, name: str) -> str:
        return name if ":" in name else f"untitled:{name}"

    def open(self, name: str, text: str) -> str:
        uri = self.uri(name)
        self.texts[uri] = text
        self.tell("textDocument/didOpen", {"textDocument": {"uri": uri, "languageId": "graphlang", "version": 1, "text": text}})
        return uri

    def change(self, uri: str, text: str, version: int) -> None:
        self.texts[uri] = text
        self.tell("textDocument/didChange", {"textDocument": {"uri": uri, "version": version}, "contentChanges": [{"text": text}]})

    def diagnostics(self, uri: str, version: int | None = None) -> list[dict]:
        """The next ones that are published for a document; of a version, those of that."""
        while True:
            for k, note in enumerate(self.notes):
                params = note["params"]
                if note["method"] == "textDocument/publishDiagnostics" and params["uri"] == uri and (version is None or params.get("version") == version):
                    del self.notes[: k + 1]
                    return params["diagnostics"]
            self._keep(self._next())

    def codes(self, uri: str, version: int | None = None) -> list[str]:
        return [d["code"] for d in self.diagnostics(uri, version)]

    def at(self, uri: str, mark: str, further: int = 0) -> dict:
        """Where a piece of a document's text stands, in UTF-16 code units."""
        before = self.texts[uri][: self.texts[uri].index(mark) + further]
        return {"line": before.count("\n"), "character": len(before.rpartition("\n")[2].encode("utf-16-le")) // 2}

    def about(self, method: str, uri: str, mark: str = "", further: int = 0, **more):
        params = {"textDocument": {"uri": uri}, **more}
        if mark:
            params["position"] = self.at(uri, mark, further)
        return self.ask(f"textDocument/{method}", params)

    def whole(self, uri: str) -> dict:
        return {"start": {"line": 0, "character": 0}, "end": {"line": self.texts[uri].count("\n") + 1, "character": 0}}

    def hints(self, uri: str) -> dict[int, str]:
        return {h["position"]["line"]: h["label"] for h in self.about("inlayHint", uri, range=self.whole(uri))}

    def end(self) -> int:
        """Say goodbye; the exit status."""
        self.ask("shutdown")
        self.tell("exit", None)
        self.process.stdin.close()
        return self.process.wait(timeout=PATIENCE)

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(timeout=PATIENCE)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()


def edited(text: str, edits: list[dict]) -> str:
    """A text with edits of the protocol done, columns counted in UTF-16 code units."""
    lines = text.splitlines(keepends=True) + [""]
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))

    def offset(position) -> int:
        line = lines[position["line"]] if position["line"] < len(lines) else ""
        return starts[min(position["line"], len(lines) - 1)] + len(line.encode("utf-16-le")[: 2 * position["character"]].decode("utf-16-le"))

    for start, end, new in sorted(((offset(e["range"]["start"]), offset(e["range"]["end"]), e["newText"]) for e in edits), reverse=True):
        text = text[:start] + new + text[end:]
    return text
