"""What `graphlang check` says of a program: one line, and more where something is wrong or all is asked for."""

from __future__ import annotations

from typing import Iterator

from graphlang.run import HOLDS, NOT_JUDGED
from graphlang.show.console import Line
from graphlang.show.numbers import number
from graphlang.show.records import as_json
from graphlang.show.summary import because, verdict, wrapped
from graphlang.verify.check import Report, summary
from graphlang.verify.gradients import AGREE, DISAGREE, KINK, Checked

STYLES = {AGREE: "green", DISAGREE: "bold red"}


def lines(report: Report, verbose: bool, reveal: bool, width: int) -> Iterator[Line]:
    yield [(f"{report.file}: ", ""), ("ok" if report.ok else "FAILED", "green" if report.ok else "bold red"), (f"  {summary(report)}", "")]
    for g in report.gradients:
        if verbose or g.verdict == DISAGREE:
            yield from verdict(f"  {g.name}", g.verdict, why(g), STYLES.get(g.verdict, "yellow"), width)
    for v in report.claims:
        if verbose or not v.ok:
            reason = (f"by {v.by}" if v.by else "") if v.verdict == HOLDS else because(v)
            yield from verdict(f"  claim {v.text}", v.verdict, reason, "green" if v.verdict == HOLDS else "yellow" if v.verdict == NOT_JUDGED else "bold red", width)
            if reveal and v.right_form and not v.ok:
                yield from wrapped(f"      it is {v.right_form}", width)
    for e in report.expectations:
        if verbose or e.holds is False:
            word = "failed" if e.holds is False else "ok" if e.holds else "not judged"
            both = f"{number(e.left, 17)} on the left, {number(e.right, 17)} on the right" if e.holds is False and e.left is not None and e.right is not None else ""
            yield from verdict(f"  expect {e.text}", word, both, "bold red" if e.holds is False else "green" if e.holds else "yellow", width)
    if verbose:
        for c in report.conventions:
            yield from wrapped(f"  convention: {c['name']}, at {c['at']}: {c['note']}", width)


def why(g: Checked) -> str:
    """The numbers, all along one direction."""
    along = f"reverse {number(g.reverse, 10)}, forward {number(g.forward, 10)}"
    if g.slope is not None:
        along += f", {g.by} {number(g.slope, 10)}" + (f" ± {number(g.error, 2)}" if g.error is not None else "")
    if g.verdict == KINK and g.one_sided:
        along += f"; slopes from the left {number(g.one_sided[0], 6)} and from the right {number(g.one_sided[1], 6)}"
    if g.culprit:
        along += f"; first local derivative that fails: {g.culprit}"
    return along


def as_data(report: Report) -> dict:
    """A report as JSON."""
    return {
        "file": report.file, "ok": report.ok, "summary": summary(report), "unset": list(report.unset),
        "gradients": [{k: x for k, x in g._asdict().items() if x not in (None, "")} for g in report.gradients],
        "claims": [{"text": v.text, "verdict": v.verdict} | {k: x for k, x in (("by", v.by), ("why", because(v))) if x} for v in report.claims],
        "expectations": [{"text": e.text, "holds": e.holds, "left": e.left, "right": e.right} for e in report.expectations],
        "conventions": [dict(c) for c in report.conventions],
        "diagnostics": as_json(report.diagnostics, report.source) if report.diagnostics else [],
    }
