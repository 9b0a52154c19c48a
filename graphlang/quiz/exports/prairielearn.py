"""PrairieLearn: a folder for each quiz, whose server.py draws one of the variants and grades, errors carried forward among the rest.

Nothing of a quiz stands in question.html but the names of its blanks: what students read comes from variants.json, as HTML whose words are text.
"""

from __future__ import annotations

import json
import math
from decimal import Decimal
from pathlib import Path
from typing import Sequence

from graphlang.quiz.exports import body, words
from graphlang.quiz.exports.carried import group
from graphlang.quiz.exports.files import DEFAULTS, Exported, Options, file_name
from graphlang.quiz.exports.intervals import digits, tidy
from graphlang.quiz.exports.losses import Losses
from graphlang.quiz.exports.markup import named
from graphlang.quiz.exports.moodle import saying
from graphlang.quiz.model import Accepted, Blank, Choice, Diagnosis, Part, Sheet
from graphlang.quiz.typeset import plain
from graphlang.quiz.typeset import words as text

SERVER = Path(__file__).with_name("prairielearn_server.py")
SLOT = "\0{0}\0"


def export(sheets: Sequence[Sheet], title: str, options: Options = DEFAULTS) -> Exported:
    losses = Losses("PrairieLearn")
    files: dict[str, bytes] = {}
    for quiz, same in body.banks(sheets).items():
        folder = f"{file_name(title, options)}-prairielearn/questions/{quiz}/"
        info = {"uuid": str(named("prairielearn", title, quiz)), "title": plain(same[0].title), "topic": plain(title), "tags": ["graphlang"], "type": "v3"}
        times = math.lcm(*(m.as_integer_ratio()[1] for p in same[0].parts for m in marks(p)))
        files[folder + "info.json"] = pretty(info)
        files[folder + "question.html"] = page(same[0], times).encode()
        files[folder + "server.py"] = SERVER.read_bytes()
        files[folder + "variants.json"] = pretty([variant(s, times, losses) for s in same])
    return Exported(files, losses.sentences())


def pretty(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def marks(part: Part) -> list[Decimal]:
    return [b.marks for b in part.blanks] + ([part.choice.marks] if part.choice else [])


# ---- the page


def page(sheet: Sheet, times: int) -> str:
    """Weights are whole numbers: marks, `times` as large."""
    out = ["<pl-question-panel>{{{params.intro}}}</pl-question-panel>"]
    for k, part in enumerate(sheet.parts, 1):
        out.append(f"<pl-question-panel>{{{{{{params.text{k}}}}}}}</pl-question-panel>")
        if part.rows:
            out.append(grid(k, part, times))
        inside = words.in_tables(part)
        out += [field(b, times, block=True) for b in part.blanks if b.id not in inside]
        if part.choice:
            out.append(options(part.choice, times))
    out += ["<pl-question-panel>{{{params.notes}}}</pl-question-panel>", "<pl-answer-panel>{{{params.solution}}}</pl-answer-panel>"]
    return "\n".join(out) + "\n"


def field(blank: Blank, times: int, block: bool = False) -> str:
    label = f' label="{{{{params.label_{blank.id}}}}}"' if block else ""
    shown = "" if block else ' display="inline"'
    entry = (f'<pl-number-input answers-name="{blank.id}"{label} comparison="relabs" rtol="0" atol="{{{{params.atol_{blank.id}}}}}" weight="{int(blank.marks * times)}" '
             f'allow-complex="false" show-help-text="false" allow-blank="true" blank-value=""{shown}></pl-number-input>')
    said = f"{{{{#feedback.{blank.id}}}}}<p>{{{{{{feedback.{blank.id}}}}}}}</p>{{{{/feedback.{blank.id}}}}}"
    return entry + ("\n" if block else "") + said


def grid(k: int, part: Part, times: int) -> str:
    """The table to fill in; what is printed in it comes from the variant, cell by cell."""
    blanks = {b.id: b for b in part.blanks}
    heads = "".join(f"<th>{{{{{{params.head{k}_{j}}}}}}}</th>" for j, _ in enumerate(part.heads))
    rows = []
    for i, row in enumerate(part.rows):
        cells = "".join(f"<td>{field(blanks[c.blank], times) if c.blank else f'{{{{{{params.cell{k}_{i}_{j}}}}}}}'}</td>" for j, c in enumerate(row.cells))
        rows.append(f"<tr>{cells}</tr>")
    head = f"<thead><tr>{heads}</tr></thead>" if heads else ""
    return f'<table class="table">{head}<tbody>{"".join(rows)}</tbody></table>'


def options(choice: Choice, times: int) -> str:
    each = '<pl-answer correct="{{correct}}" feedback="{{feedback}}">{{{text}}}</pl-answer>'
    return (f'<pl-multiple-choice answers-name="{choice.id}" weight="{int(choice.marks * times)}" order="fixed">{{{{#params.options_{choice.id}}}}}{each}'
            f"{{{{/params.options_{choice.id}}}}}</pl-multiple-choice>")


# ---- a variant


def variant(sheet: Sheet, times: int, losses: Losses) -> dict:
    say = saying(sheet)
    params: dict[str, object] = {"intro": body.intro(sheet, say), "notes": body.notes(sheet), "solution": body.solution(sheet, say)}
    carried = []
    for k, part in enumerate(sheet.parts, 1):
        params[f"text{k}"] = body.stem(part, say)
        params |= {f"head{k}_{j}": text(h) for j, h in enumerate(part.heads)}
        params |= {f"cell{k}_{i}_{j}": say(c.pieces) for i, row in enumerate(part.rows) for j, c in enumerate(row.cells) if not c.blank}
        for b in part.blanks:
            params[f"label_{b.id}"] = body.asked(b, say) + ":"
            params[f"atol_{b.id}"] = digits(max(b.accepted.high - b.key, b.key - b.accepted.low))
        if part.choice:
            params[f"options_{part.choice.id}"] = [{"correct": "true" if o.right else "false", "feedback": body.message(o.message), "text": say(o.text)} for o in part.choice.options]
        carried += group(part, losses)
    blanks = [b for p in sheet.parts for b in p.blanks]
    return {"variant": sheet.variant, "seed": sheet.seed, "params": params, "carried": carried,
            "blanks": [{"name": b.id, "key": digits(b.key), "marks": tidy(b.marks), "weight": int(b.marks * times), "far": digits(far(b)),
                         "precision": [b.precision.kind, b.precision.digits, float(b.precision.size)],
                        **interval(b.accepted), "diagnoses": [diagnosis(d) for d in b.diagnoses]} for b in blanks],
            "choices": [{"name": p.choice.id, "weight": int(p.choice.marks * times)} for p in sheet.parts if p.choice]}


def interval(a: Accepted) -> dict:
    return {"low": digits(a.low), "high": digits(a.high), "closed": list(a.closed)}


def diagnosis(d: Diagnosis) -> dict:
    return {**interval(d.accepted), "credit": tidy(d.credit), "message": body.message(d.message)}


def far(blank: Blank) -> Decimal:
    """A number beyond all that are accepted or tell something."""
    return Decimal(math.ceil(max([blank.accepted.high, *(d.accepted.high for d in blank.diagnoses)])) * 2 + 1000)
