"""An exam of 40 pages: four versions of ten, as PDF, and the same with their keys. The limit is 3 seconds. `processor` tells what is ours on a busy machine."""

from __future__ import annotations

import io
import sys
import time

import timing

sys.path.insert(0, str(timing.ROOT / "tests"))

LIMIT = 3.0


def main() -> None:
    asked = timing.options(__doc__)
    import pypdf
    from paper_sheets import version

    from graphlang.quiz.exports import typst
    from graphlang.quiz.exports.files import Options
    from graphlang.quiz.model import Exam

    letters = ("A", "B", "C", "D")
    exam = Exam("Backpropagation", (), 120, len(letters), 2026, None)
    sheets = [s for v in range(4) for k in range(9) for s in version(10 * v + k)]
    rows = []
    for what, key in (("papers", False), ("papers and keys", True)):
        took, used = [], []
        for k in range(asked.repeats):
            # another title each time: Typst keeps what it laid out before
            start, cpu = time.perf_counter(), time.process_time()
            made = typst.export(sheets, f"Backpropagation {k} {what}", Options(exam=exam, letters=letters, key=key))
            took.append(time.perf_counter() - start)
            used.append(time.process_time() - cpu)
        pages = {n: len(pypdf.PdfReader(io.BytesIO(pdf)).pages) for n, pdf in made.files.items() if n.endswith(".pdf")}
        papers = sum(p for n, p in pages.items() if not n.endswith("-key.pdf"))
        rows.append({"what": what, "pages of papers": papers, "pages of keys": sum(pages.values()) - papers, "first (s)": took[0], "best (s)": min(took),
                     "processor (s)": min(used), "limit (s)": LIMIT, "within": min(took) < LIMIT})
    timing.report("An exam as PDF", rows, asked.json, versions=timing.versions("typst"))


if __name__ == "__main__":
    main()
