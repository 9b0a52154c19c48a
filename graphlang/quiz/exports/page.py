"""A practice page: one HTML file that asks, marks, diagnoses, gives hints and goes on to other variants, without a network and from any disk.

The page is readable as it is, with formulas in MathML; page.js adds the marking. It holds its keys, encoded so that nobody reads one by
accident: who wants to find them finds them, so it is for practice and not for exams. A policy in its head allows just its own script and
style, by their hashes, and no connection to anything.
"""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from html import escape
from pathlib import Path
from string import Template
from typing import Iterator, Sequence

from graphlang.quiz.exports import words
from graphlang.quiz.exports.body import banks, lines
from graphlang.quiz.exports.files import DEFAULTS, Exported, Options, file_name
from graphlang.quiz.exports.losses import Losses
from graphlang.quiz.mistakes import MISTAKES, transcribed
from graphlang.quiz.model import Accepted, Blank, Formula, Part, Sheet
from graphlang.quiz.typeset import Prose, mathml, plain, prose_of, text
from graphlang.quiz.typeset import words as html_words

FOLDER = Path(__file__).parent


def export(sheets: Sequence[Sheet], title: str, options: Options = DEFAULTS) -> Exported:
    """NAME.html, with all variants of each quiz."""
    losses = Losses("page")
    style, script = read("page.css"), read("grade.js") + read("page.js").replace('"use strict";\n', "", 1)
    sections, keys = [], {}
    for n, same in enumerate(banks(sheets).values()):
        sections.append(section(n, same))
        for k, sheet in enumerate(same):
            keys[form_id(n, k)] = key(form_id(n, k), sheet)
        for part in same[0].parts:
            losses.carried(part)
    encoded = b64encode(json.dumps(keys, ensure_ascii=False, separators=(",", ":")).encode()).decode()
    page = Template(read("page.html")).substitute(title=escape(plain(title)), policy=policy(script, style), style=style, script=script, quizzes="\n".join(sections),
                                                 keys=json.dumps(encoded))
    return Exported({file_name(title, options) + ".html": page.encode()}, losses.sentences())


def read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def policy(script: str, style: str) -> str:
    """What the page may load: itself."""
    hashed = ["'sha256-" + b64encode(sha256(inside.encode()).digest()).decode() + "'" for inside in (script, style)]
    return f"default-src 'none'; script-src {hashed[0]}; style-src {hashed[1]}; base-uri 'none'; form-action 'none'"


# ---- what is asked


def form_id(n: int, k: int) -> str:
    return f"q{n}v{k}"


def section(n: int, same: Sequence[Sheet]) -> str:
    forms = "\n".join(form(form_id(n, k), sheet, k, len(same)) for k, sheet in enumerate(same))
    return f'<section aria-labelledby="q{n}"><h2 id="q{n}">{html_words(same[0].title)}</h2>\n{forms}\n</section>'


def form(name: str, sheet: Sheet, k: int, count: int) -> str:
    """One variant; all but the first are hidden until they are asked for."""
    prose = prose_of(sheet)
    hint = '<button type="button" data-do="hint">Hint</button><button type="button" data-do="solution">Worked solution</button>' if sheet.solution else ""
    other = '<button type="button" data-do="another">Another one</button>' if count > 1 else ""
    return "\n".join([
        f'<form id="{name}" novalidate autocomplete="off"{" hidden" if k else ""}>',
        f'<h3 tabindex="-1">Variant {k + 1} of {count}, {words.marks(sheet.marks)}</h3>',
        f'<div class="program">{lines(sheet.program, lambda p: mathml(prose, p))}</div>',
        *(line for j, part in enumerate(sheet.parts) for line in part_html(f"{name}p{j}", part, prose)),
        *(f'<p class="note">{html_words(note)}</p>' for note in sheet.notes),
        f'<div class="buttons" hidden><button>Check</button>{hint}{other}</div>',
        '<p class="score" aria-live="polite"></p>',
        '<ol class="steps" aria-live="polite" hidden></ol><p class="left note" aria-live="polite"></p>',
        "</form>"])


def part_html(name: str, part: Part, prose: Prose) -> Iterator[str]:
    say = lambda pieces: mathml(prose, pieces)
    inside, outside = words.divided(part)
    stem = say(part.text)
    if stem:
        yield f'<p id="{name}">{stem}</p>'
    if part.rows:
        yield table(name, part, prose)
    for label, blank in inside:
        yield f"<div>{lettered(label)}{said(blank_id(name, blank))}</div>"
    for label, blank in outside:
        at = blank_id(name, blank)
        yield (f'<div><label for="{at}">{lettered(label)}{say((Formula(blank.shown),))} =</label> {field(at, blank)} '
               f'<span class="how" id="{at}-how">{words.asked(blank)}</span>{said(at)}</div>')
    if part.choice:
        yield f'<fieldset aria-labelledby="{name}"><legend class="how">Choose one, {words.marks(part.choice.marks)}</legend>'
        for j, option in enumerate(part.choice.options):
            yield f'<label><input type="radio" name="{name}c" value="{j}"> {words.letter(j)}. {say(option.text)}</label>'
        yield f"{said(name + 'c')}</fieldset>"


def table(name: str, part: Part, prose: Prose) -> str:
    """A cell to fill in is told by its blank's formula, which a reader of the screen says."""
    blanks, labels = {b.id: b for b in part.blanks}, words.labels(part)
    named = "".join(f'<th scope="col">{html_words(h)}</th>' for h in part.heads)
    heads = f"<thead><tr>{named}</tr></thead>" if named else ""
    rows = []
    for row in part.rows:
        cells = []
        for cell in row.cells:
            if not cell.blank:
                cells.append(f"<td>{mathml(prose, cell.pieces)}</td>")
                continue
            blank, at = blanks[cell.blank], blank_id(name, blanks[cell.blank])
            label = lettered(labels[blank.id])
            spoken = escape(label + text(prose, (Formula(blank.shown),), ascii=True))
            cells.append(f'<td>{label}<input id="{at}" type="text" spellcheck="false" aria-label="{spoken}" aria-describedby="{name}-how {at}-said"></td>')
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return (f'<div class="scroll"><table>{heads}<tbody>{"".join(rows)}</tbody></table></div>'
            f'<p class="how" id="{name}-how">{escape(words.asked_together(words.divided(part)[0]))}</p>')


def field(at: str, blank: Blank) -> str:
    return f'<input id="{at}" type="text" spellcheck="false" aria-describedby="{at}-how {at}-said">'


def lettered(label: str) -> str:
    return f"({label}) " if label else ""


def said(at: str) -> str:
    """Where a verdict comes to stand; it is read out when it does."""
    return f'<output id="{at}-said" aria-live="polite"></output>'


def blank_id(name: str, blank: Blank) -> str:
    return f"{name}_{blank.id}"


# ---- how it is marked


def key(name: str, sheet: Sheet) -> dict:
    prose = prose_of(sheet)
    parts = [(f"{name}p{j}", p) for j, p in enumerate(sheet.parts)]
    return {"blanks": {blank_id(at, b): marked(b) for at, p in parts for b in p.blanks},
            "choices": {at + "c": {"right": next(k for k, o in enumerate(p.choice.options) if o.right), "marks": str(p.choice.marks),
                                   "messages": [plain(o.message) for o in p.choice.options]} for at, p in parts if p.choice},
            "steps": [mathml(prose, line) for line in sheet.solution]}


def marked(b: Blank) -> dict:
    """What `judge` of grade.js reads. Numbers are texts: they are compared exactly. Slips of typing come after the diagnoses, as they do in marker.py."""
    told = [{"accepted": interval(d.accepted), "message": plain(d.message), "credit": str(d.credit)} for d in b.diagnoses]
    typed = [{"accepted": interval(Accepted(v, v)), "message": MISTAKES["transcribe"].message, "credit": "0"} for v in sorted(transcribed(b.key))]
    return {"accepted": interval(b.accepted), "marks": str(b.marks), "fraction": b.precision.kind == "exactly", "how": words.precision(b.precision),
            "decimals": b.precision.digits if b.precision.kind == "decimals" else None, "wrong": told + typed}


def interval(a: Accepted) -> list:
    return [str(a.low), str(a.high), *a.closed]
