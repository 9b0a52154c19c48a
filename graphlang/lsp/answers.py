"""Answers in the words of the protocol: what hover.py, completion.py and the others know, with ranges in the place of spans."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Iterator

from lsprotocol import types as lsp

from graphlang.diagnostics import Span
from graphlang.lsp import completion as completing
from graphlang.lsp import fixes, inlay, outline, renaming
from graphlang.lsp import hover as hovering
from graphlang.lsp.analysis import Finding
from graphlang.lsp.desk import Document
from graphlang.lsp.places import Places
from graphlang.lsp.reading import File
from graphlang.syntax import ast
from graphlang.syntax.occurrences import canonical_or

if TYPE_CHECKING:
    from graphlang.lsp.server import Server

SEVERITIES = {"error": lsp.DiagnosticSeverity.Error, "warning": lsp.DiagnosticSeverity.Warning, "note": lsp.DiagnosticSeverity.Information}
KINDS = {"variable": lsp.CompletionItemKind.Variable, "constant": lsp.CompletionItemKind.Constant, "function": lsp.CompletionItemKind.Function,
         "keyword": lsp.CompletionItemKind.Keyword, "index": lsp.CompletionItemKind.Variable, "derivative": lsp.CompletionItemKind.Reference,
         "letter": lsp.CompletionItemKind.Text, "file": lsp.CompletionItemKind.File}
SYMBOLS = {"variable": lsp.SymbolKind.Variable, "constant": lsp.SymbolKind.Constant, "function": lsp.SymbolKind.Function, "goal": lsp.SymbolKind.Key,
           "claim": lsp.SymbolKind.Boolean, "expect": lsp.SymbolKind.Boolean, "file": lsp.SymbolKind.File, "quiz": lsp.SymbolKind.Class, "exam": lsp.SymbolKind.Package}
MOST_SHOWN = 100     # diagnostics of one file
MOST_LINES = 2_000   # of a text whose formatting is given line by line


def range_of(places: Places, span: Span) -> lsp.Range:
    start, end = places.range(span)
    return lsp.Range(lsp.Position(*start), lsp.Position(*end))


def offset(places: Places, position: lsp.Position) -> int:
    return places.offset(position.line, position.character)


# ---- diagnostics


def diagnostics(server: Server, uri: str, text: str, findings: list[Finding], document: Document | None) -> lsp.PublishDiagnosticsParams:
    places = server.places(text)
    shown = sorted(findings, key=lambda f: list(SEVERITIES).index(f.severity))[:MOST_SHOWN]
    return lsp.PublishDiagnosticsParams(uri, [diagnostic(server, places, f, uri) for f in sorted(shown, key=lambda f: f.span)],
                                        document.version if document is not None else None)


def diagnostic(server: Server, places: Places, f: Finding, uri: str) -> lsp.Diagnostic:
    d = f.diagnostic
    message = "\n".join([f"{d.message}: {d.text}" if d.text else d.message, *(f"note: {n}" for n in d.notes), *(f"help: {h}" for h in d.hints)])
    related = [lsp.DiagnosticRelatedInformation(lsp.Location(uri, range_of(places, r.span)), r.text) for r in f.related if r.file == f.file]
    return lsp.Diagnostic(range_of(places, visible(places.text, f.span)), message, SEVERITIES[f.severity], d.code, source="graphlang", related_information=related or None)


def visible(text: str, span: Span) -> Span:
    """A span that can be seen: what is marked at the end of a line is the character before."""
    span = Span(min(span.start, len(text)), min(span.end, len(text)))
    if text[span.start : span.end].strip() or not text:
        return span
    start = span.start
    while start > 0 and text[start - 1] in " \t\r\n":
        start -= 1
    return Span(max(start - 1, 0), max(start, 1)) if start else Span(0, min(1, len(text)))


# ---- what is known


def hover(server: Server, document: Document, params: lsp.HoverParams) -> lsp.Hover | None:
    _, reading, file = server.desk.look(document)
    places = server.places(document.text)
    found = hovering.hover(reading, file, offset(places, params.position), server.desk.shown(document))
    return found and lsp.Hover(lsp.MarkupContent(lsp.MarkupKind.Markdown, found.markdown), range_of(places, found.span))


def inlay_hints(server: Server, document: Document, params: lsp.InlayHintParams) -> list[lsp.InlayHint]:
    _, reading, file = server.desk.look(document)
    figures = server.desk.shown(document)
    if figures is None:
        return []
    places = server.places(document.text)
    span = server.span(places, params.range)
    return [lsp.InlayHint(lsp.Position(*places.position(h.at)), reading.spelled(h.label, file), padding_left=True)
            for h in inlay.hints(file, figures, *span) if span.start <= h.at <= span.end]


def completion(server: Server, document: Document, params: lsp.CompletionParams) -> lsp.CompletionList:
    _, reading, file = server.desk.look(document)
    places = server.places(document.text)
    found = completing.completions(reading, file, offset(places, params.position), server.desk.shown(document))
    return lsp.CompletionList(False, [
        lsp.CompletionItem(c.label, kind=KINDS[c.kind], detail=c.detail or None, filter_text=compared(c, document.text), sort_text=f"{k:05}",
                           text_edit=lsp.TextEdit(range_of(places, c.span), c.text)) for k, c in enumerate(found)])


def compared(c: completing.Completion, text: str) -> str:
    """What an editor compares with what is typed: α is found by `alpha` and by `α`."""
    return canonical_or(c.label) if text[c.span.start : c.span.end].isascii() else c.label


def symbols(server: Server, document: Document, params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
    _, _, file = server.desk.look(document)
    places = server.places(document.text)
    return [lsp.DocumentSymbol(e.name, SYMBOLS[e.kind], range_of(places, e.span), range_of(places, e.name_span), e.detail or None) for e in outline.outline(file)]


# ---- names


def location(server: Server, file: File, span: Span, document: Document) -> lsp.Location:
    uri = document.uri if file.path == document.path else server.uri(file.path) if file.path is not None else document.uri
    return lsp.Location(uri, range_of(server.places(file.text), span))


def definition(server: Server, document: Document, params: lsp.DefinitionParams) -> list[lsp.Location]:
    _, reading, file = server.desk.look(document)
    at = offset(server.places(document.text), params.position)
    for s in file.tree.statements:
        if type(s) is ast.Include and s.path_span.start <= at <= s.path_span.end:
            target = included(file, s.path, reading.files)
            return [lsp.Location(server.uri(target.path), lsp.Range(lsp.Position(0, 0), lsp.Position(0, 0)))] if target is not None else []
    o = file.at(at)
    return [location(server, f, x.span, document) for f, x in reading.of(o.symbol, file) if x.defines] if o is not None else []


def included(file: File, written: str, files: tuple[File, ...]) -> File | None:
    """The file that an include in another one means."""
    if file.path is None:
        return None
    path = (file.path.parent / written).resolve()
    return next((f for f in files if f.path == path), None)


def references(server: Server, document: Document, params: lsp.ReferenceParams) -> list[lsp.Location]:
    _, _, file = server.desk.look(document)
    o = file.at(offset(server.places(document.text), params.position))
    if o is None:
        return []
    found: dict[tuple, lsp.Location] = {}
    for reading in server.desk.all_readings(document, o.symbol):
        for f, x in reading.of(o.symbol, file):
            if params.context.include_declaration or not x.defines:
                found.setdefault((f.path, x.span), location(server, f, x.span, document))
    return list(found.values())


def highlights(server: Server, document: Document, params: lsp.DocumentHighlightParams) -> list[lsp.DocumentHighlight]:
    _, reading, file = server.desk.look(document)
    places = server.places(document.text)
    o = file.at(offset(places, params.position))
    return [lsp.DocumentHighlight(range_of(places, x.span), lsp.DocumentHighlightKind.Write if x.defines else lsp.DocumentHighlightKind.Read)
            for f, x in reading.of(o.symbol, file) if f is file] if o is not None else []


def prepare_rename(server: Server, document: Document, params: lsp.PrepareRenameParams) -> lsp.PrepareRenamePlaceholder:
    _, reading, file = server.desk.look(document)
    places = server.places(document.text)
    o = renaming.renameable(reading, file, offset(places, params.position))
    return lsp.PrepareRenamePlaceholder(range_of(places, o.span), document.text[o.span.start : o.span.end])


def rename(server: Server, document: Document, params: lsp.RenameParams) -> lsp.WorkspaceEdit:
    _, _, file = server.desk.look(document)
    at = offset(server.places(document.text), params.position)
    o = file.at(at)
    readings = server.desk.all_readings(document, o.symbol if o is not None else None)
    edits = renaming.rename(readings, file, at, params.new_name)
    texts = {f.path: f.text for reading in readings for f in reading.files}
    return lsp.WorkspaceEdit({document.uri if path == document.path else server.uri(path):
                              [lsp.TextEdit(range_of(server.places(texts[path]), e.span), e.text) for e in some] for path, some in edits.items()})


# ---- changes


def formatting(server: Server, document: Document, params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit]:
    from graphlang.syntax.tidy import tidy

    after = tidy(document.text)
    places = server.places(document.text)
    return [lsp.TextEdit(range_of(places, span), text) for span, text in differences(document.text, after)]


def differences(before: str, after: str) -> Iterator[tuple[Span, str]]:
    """What to put where, line by line, so that cursors and folds of unchanged lines stay."""
    if before == after:
        return
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    if max(len(old), len(new)) > MOST_LINES:
        yield Span(0, len(before)), after
        return
    starts = [0]
    for line in old:
        starts.append(starts[-1] + len(line))
    for what, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what != "equal":
            yield Span(starts[a], starts[b]), "".join(new[c:d])


def code_actions(server: Server, document: Document, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
    if params.context.only and not any(lsp.CodeActionKind.QuickFix.value.startswith(getattr(kind, "value", kind)) for kind in params.context.only):
        return []
    places = server.places(document.text)
    asked = server.span(places, params.range)
    found = []
    for program in server.desk.programs(document):
        analysis = program.last
        if analysis is None or analysis.reading.own.text != program.text:
            continue  # what is known is of another text
        file = next((f for f in analysis.reading.files if f.path == document.path), None) if program is not document else analysis.reading.own
        if file is None or file.text != document.text:
            continue
        for f in analysis.findings:
            at = visible(document.text, f.span)
            if f.file == file.name and at.start <= asked.end and asked.start <= at.end:
                for fix in fixes.fixes(analysis, f, program.as_text, server.desk.texts()):
                    edit = lsp.WorkspaceEdit({document.uri: [lsp.TextEdit(range_of(places, fix.edit.span), fix.edit.text)]})
                    found.append(lsp.CodeAction(fix.title, lsp.CodeActionKind.QuickFix, [diagnostic(server, places, f, document.uri)], edit=edit))
    return found
