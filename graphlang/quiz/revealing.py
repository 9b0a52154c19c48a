"""Detection: how many mistakes a question cannot see, and which digits or inputs would show them."""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import islice, product
from typing import Iterator, Sequence

from graphlang.graph.graph import Variable
from graphlang.quiz.diagnosing import Detection, detection, digits
from graphlang.quiz.findings import Seen
from graphlang.quiz.keys import plain
from graphlang.quiz.variants import Worked

TRIED = (Decimal("0.5"), Decimal(1), Decimal("1.5"), Decimal(2), Decimal("2.5"), Decimal(3), Decimal(4), Decimal(5))
MOST_TRIED = 400    # inputs that are tried in the place of those of a quiz
LARGEST = 10_000    # of keys at such inputs
MOST_NAMED = 6


def seen(some: Sequence[Worked], k: int, part: str) -> Seen | None:
    """The detection of the k-th part over some draws; None where no mistake can be made."""
    prepared = some[0].prepared
    precisions = [w.precision for _, w in prepared.part(k)]
    found: list[tuple[Detection, Worked]] = [(detection(prepared.perturbed[k], w.wrong(k), precisions), w) for w in some]
    worst, at = max(found, key=lambda one: len(one[0].masked))
    if not any(d.changing for d, _ in found):
        return None
    where = ", ".join(f"{v.name} = {plain(x)}" for v, x in zip(prepared.quiz.vary, at.drawn))
    needed, inputs = None, ""
    if worst.masked:
        least = [digits(prepared.perturbed[k], w.wrong(k)) for d, w in found if d.masked][:20]
        needed = None if None in least else max(least)
        inputs = (draws(found) if prepared.quiz.vary else others(at, k, precisions, len(worst.masked)))
    names = [str(p) for p in worst.masked]
    more = [f"and {len(names) - MOST_NAMED} more"] if len(names) > MOST_NAMED else []
    return Seen(part, len(worst.changing), sum(len(d.masked) for d, _ in found) / len(found), len(worst.masked), where, (*names[:MOST_NAMED], *more), needed, inputs)


def draws(found: Sequence[tuple[Detection, Worked]]) -> str:
    """How many of the draws show every mistake."""
    good = sum(not d.masked for d, _ in found)
    return f"{good:,} of {len(found):,} draws show every mistake" if good else ""


def others(worked: Worked, k: int, precisions: Sequence, before: int) -> str:
    """Inputs at which fewer mistakes round to the key, for a quiz whose inputs do not vary."""
    prepared, best = worked.prepared, None
    for leaves in islice(candidates(worked), MOST_TRIED):
        wrong = prepared.perturbed[k].at(leaves)
        if not all(math.isfinite(x) and abs(x) < LARGEST for x in wrong.right):
            continue
        masked = len(detection(prepared.perturbed[k], wrong, precisions).masked)
        if masked < before and (best is None or masked < best[0]):
            best = masked, leaves
            if not masked:
                break
    if best is None:
        return ""
    changed = ", ".join(f"{n} = {best[1][n][0]:g}" for n in inputs(worked))
    return f"at {changed} {'none does' if not best[0] else 'only 1 does' if best[0] == 1 else f'only {best[0]} do'}"


def inputs(worked: Worked) -> list[str]:
    def free(v: Variable) -> bool:
        return v.role in ("input", "param") and not v.ranges

    return [n for n, v in worked.prepared.graph.variables.items() if free(v)][:4]


def candidates(worked: Worked) -> Iterator[dict]:
    """Leaves with other values for the inputs, nearest to those of the quiz first."""
    names = inputs(worked)
    here = [worked.leaves[n][0] for n in names]
    some = [[float(x) * (-1 if h < 0 else 1) for x in TRIED] for h in here]
    points = sorted(islice(product(*some), 20_000), key=lambda p: (sum(abs(a - b) for a, b in zip(p, here)), p))
    for p in points:
        if list(p) != here:
            yield {**worked.leaves, **{n: [x] for n, x in zip(names, p)}}
