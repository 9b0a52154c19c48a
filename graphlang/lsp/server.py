"""The language server: pygls on one side, what is known of the open documents on the other.

Nothing is found out here. Handlers turn positions into offsets, ask, and turn the answers into the protocol's words. A mistake
of ours in one is written to the client's log, and the request gets no answer.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import sys
from asyncio import get_running_loop
from functools import wraps
from pathlib import Path
from typing import Callable

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.uris import from_fs_path, to_fs_path

import graphlang
from graphlang.diagnostics import Span
from graphlang.lsp import answers
from graphlang.lsp.analysis import Analysis
from graphlang.lsp.completion import TRIGGERS
from graphlang.lsp.desk import Desk, Document
from graphlang.lsp.jobs import LONGEST, Job, Jobs
from graphlang.lsp.places import UTF16, Places
from graphlang.lsp.renaming import Refused

REFUSED = -32803  # RequestFailed: the request was understood, and cannot be done


class Server(LanguageServer):
    """State: the open documents, what is being analysed, and which files have diagnostics at the client."""

    def __init__(self) -> None:
        super().__init__("graphlang", graphlang.__version__, lsp.TextDocumentSyncKind.Full)
        self.desk = Desk()
        self.jobs: Jobs | None = None
        self.shown: set[str] = set()
        self.shut_down = False

    # ---- places

    def places(self, text: str) -> Places:
        encoding = self.workspace.position_encoding
        return Places(text, getattr(encoding, "value", encoding) or UTF16)

    def span(self, places: Places, r: lsp.Range) -> Span:
        return Span(places.offset(r.start.line, r.start.character), places.offset(r.end.line, r.end.character))

    def path(self, uri: str) -> Path | None:
        try:
            written = to_fs_path(uri) if uri.startswith("file:") else None
            return Path(written).resolve() if written else None
        except (OSError, ValueError, RuntimeError):
            return None

    def uri(self, path: Path) -> str:
        document = self.desk.at(path)
        return document.uri if document is not None else from_fs_path(str(path)) or ""

    # ---- analyses

    def changed(self, document: Document) -> None:
        """Analyse what a text is a part of."""
        if self.jobs is None:
            self.jobs = Jobs(get_running_loop(), self.start, self.finished)
        for program in self.desk.programs(document):
            self.jobs.soon(program.uri)

    def start(self, uri: str, done: Callable) -> Job | None:
        document = self.desk.documents.get(uri)
        if document is None:
            return None
        job = Job(uri, document.as_text, self.desk.texts(), done)
        job.changes = self.desk.changes
        return job

    def finished(self, job: Job, found: Analysis | None, error: BaseException | None) -> None:
        if error is not None:
            self.tell(error, "an analysis")
        document = self.desk.documents.get(job.key)
        if found is None or document is None or document.text != job.text.text:
            return
        if job.late:
            self.window_log_message(lsp.LogMessageParams(lsp.MessageType.Info, f"{document.as_text.name}: no values are shown, an evaluation takes more than {LONGEST:g} s"))
        try:
            self.desk.keep(document, found, job.changes)
            for other in self.desk.documents.values():
                if (other.last is None or other.last.reading.own.text != other.text) and self.alone(other) and not self.jobs.waiting(other.uri):
                    self.jobs.soon(other.uri, 0)
            self.publish()
            if (hints := getattr(self.client_capabilities.workspace, "inlay_hint", None)) and hints.refresh_support:
                self.workspace_inlay_hint_refresh(None)
        except Exception as e:
            self.tell(e, "diagnostics")

    def alone(self, document: Document) -> bool:
        """Whether a document is to be analysed by itself: it is a part of no program any more, or of none that can be built."""
        programs = self.desk.programs(document)
        return programs == [document] or all(p.last is not None and p.last.graph is None for p in programs)

    def publish(self) -> None:
        """Show what all programs say, of the documents that are open and of other files."""
        now: dict[str, lsp.PublishDiagnosticsParams] = {}
        for document in self.desk.documents.values():
            now[document.uri] = answers.diagnostics(self, document.uri, document.text, self.desk.findings(document), document)
        for path, findings in self.desk.elsewhere().items():
            reading = next((f.text for d in self.desk.documents.values() if d.last for f in d.last.reading.files if f.path == path), "")
            now[self.uri(path)] = answers.diagnostics(self, self.uri(path), reading, findings, None)
        for uri in self.shown - now.keys():
            now[uri] = lsp.PublishDiagnosticsParams(uri, [])
        for params in now.values():
            self.text_document_publish_diagnostics(params)
        self.shown = {uri for uri, params in now.items() if params.diagnostics}

    # ---- mistakes of ours

    def tell(self, error: BaseException, what: str) -> None:
        tb = error.__traceback__
        while tb is not None and tb.tb_next is not None:
            tb = tb.tb_next
        place = f" ({os.path.basename(tb.tb_frame.f_code.co_filename)}:{tb.tb_lineno})" if tb else ""
        text = f"graphlang: internal error in {what}: {type(error).__name__}: {error}{place}. This is a mistake in graphlang, not in your program."
        self.window_log_message(lsp.LogMessageParams(lsp.MessageType.Error, text))

    def report_server_error(self, error: Exception, source) -> None:
        if not isinstance(error, JsonRpcException) or error.code != REFUSED:
            self.tell(error, "a message")


server = Server()


def answering(method: str, options=None):
    """Register a handler. Its mistakes are logged, and its answer is None then."""

    def register(handler: Callable):
        @wraps(handler)
        def guarded(params):
            try:
                return handler(params)
            except Refused as reason:
                raise JsonRpcException(str(reason), code=REFUSED) from None
            except Exception as error:
                server.tell(error, method)
                return None

        guarded.__annotations__ = {}
        server.feature(method, options)(guarded)
        return handler

    return register


# ---- documents


@answering(lsp.TEXT_DOCUMENT_DID_OPEN)
def did_open(params: lsp.DidOpenTextDocumentParams) -> None:
    d = params.text_document
    server.changed(server.desk.put(d.uri, d.text, d.version, server.path(d.uri)))


@answering(lsp.TEXT_DOCUMENT_DID_CHANGE)
def did_change(params: lsp.DidChangeTextDocumentParams) -> None:
    document = server.desk.documents.get(params.text_document.uri)
    if document is None:
        return
    text = document.text
    for change in params.content_changes:
        if (r := getattr(change, "range", None)) is not None:
            span = server.span(server.places(text), r)
            text = text[: span.start] + change.text + text[span.end :]
        else:
            text = change.text
    server.changed(server.desk.put(document.uri, text, params.text_document.version, document.path))


@answering(lsp.TEXT_DOCUMENT_DID_CLOSE)
def did_close(params: lsp.DidCloseTextDocumentParams) -> None:
    uri = params.text_document.uri
    if server.jobs is not None:
        server.jobs.drop(uri)
    server.desk.close(uri)
    server.shown.add(uri)
    server.publish()
    everything_again()


@answering(lsp.TEXT_DOCUMENT_DID_SAVE)
def did_save(params: lsp.DidSaveTextDocumentParams) -> None:
    everything_again()


@answering(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
def did_change_files(params: lsp.DidChangeWatchedFilesParams) -> None:
    everything_again()


def everything_again() -> None:
    """Files that programs include may have changed on disk."""
    server.desk.changes += 1
    for document in list(server.desk.documents.values()):
        server.changed(document)


@server.feature(lsp.INITIALIZED)
async def initialized(params: lsp.InitializedParams) -> None:
    files = getattr(server.client_capabilities.workspace, "did_change_watched_files", None)
    if files is not None and files.dynamic_registration:
        watch = lsp.DidChangeWatchedFilesRegistrationOptions([lsp.FileSystemWatcher("**/*.graph")])
        try:
            await server.client_register_capability_async(lsp.RegistrationParams([lsp.Registration("files", lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES, watch)]))
        except Exception as error:
            server.tell(error, "initialized")


@server.feature(lsp.SHUTDOWN)
def shutdown(*_) -> None:
    server.shut_down = True


# ---- questions

WITH_SCOPE = lsp.CodeActionOptions([lsp.CodeActionKind.QuickFix])


def asking(method: str, answer: Callable, options=None) -> None:
    """Register a handler that asks about a document which is open; for any other one the answer is None."""

    def handler(params):
        document = server.desk.documents.get(params.text_document.uri)
        return None if document is None else answer(server, document, params)

    answering(method, options)(handler)


asking(lsp.TEXT_DOCUMENT_HOVER, answers.hover)
asking(lsp.TEXT_DOCUMENT_COMPLETION, answers.completion, lsp.CompletionOptions(list(TRIGGERS)))
asking(lsp.TEXT_DOCUMENT_INLAY_HINT, answers.inlay_hints)
asking(lsp.TEXT_DOCUMENT_DEFINITION, answers.definition)
asking(lsp.TEXT_DOCUMENT_REFERENCES, answers.references)
asking(lsp.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT, answers.highlights)
asking(lsp.TEXT_DOCUMENT_PREPARE_RENAME, answers.prepare_rename)
asking(lsp.TEXT_DOCUMENT_RENAME, answers.rename, lsp.RenameOptions(prepare_provider=True))
asking(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL, answers.symbols)
asking(lsp.TEXT_DOCUMENT_FORMATTING, answers.formatting)
asking(lsp.TEXT_DOCUMENT_CODE_ACTION, answers.code_actions, WITH_SCOPE)


def serve() -> int:
    """Speak over standard input and output until the client says that it is enough; the exit status."""
    logging.getLogger("pygls").setLevel(logging.CRITICAL)
    gc.enable()  # a command of the command line does without
    out = open(os.dup(sys.stdout.fileno()), "wb")
    with contextlib.redirect_stdout(sys.stderr):  # the protocol alone may write there
        server.start_io(None, out)
    return 0 if server.shut_down else 1
