"""Exports of sheets, one module a target: `export(sheets, title, options) -> Exported`. A module is imported when its target is asked for."""

TARGETS = {
    "pdf": ("typst", "papers as PDF through Typst"),
    "html": ("page", "a practice page that needs nothing else"),
    "moodle": ("moodle", "Moodle XML"),
    "gift": ("gift", "GIFT, a text format that many platforms read"),
    "canvas": ("canvas", "QTI 1.2 as Canvas reads it, a zip"),
    "qti21": ("qti21", "QTI 2.1, a zip"),
    "prairielearn": ("prairielearn", "a PrairieLearn folder, which marks errors carried forward"),
    "latex": ("latex", "source for the LaTeX class exam"),
    "md": ("markdown", "Markdown"),
}
