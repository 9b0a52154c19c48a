"""`quiz check`: whether a quiz can be asked, over all of its draws where there are at most 10,000."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Callable, Sequence

from graphlang.engines import ball
from graphlang.graph.graph import Graph
from graphlang.quiz.check_options import check_choose, check_numbers_as_options
from graphlang.quiz.diagnosing import interval
from graphlang.quiz.findings import NOTE, UNFIT, WARNING, Measured, Report, Seen
from graphlang.quiz.keys import DIGITS, off, plain, widened, working
from graphlang.quiz.model import Ask, Choose, Exam, Fill, Quiz
from graphlang.quiz.needed import unneeded
from graphlang.quiz.revealing import seen
from graphlang.quiz.text import shown
from graphlang.quiz.variants import REMEDIES, Space, Worked, every, explained, space, variants
from graphlang.syntax import ast
from graphlang.syntax.format import SOURCE, format_expr

MOST_DECIMALS = 10       # of working that is tried
TOLERATED = Decimal(2)   # units of the last digit by which rounded working may miss a key
FEW = 200                # draws of which working, difficulty and the like are looked at

Tick = Callable[[int, int], None]


def check(quiz: Quiz, asked: int = 0, tick: Tick = lambda done, of: None) -> Report:
    """All checks of one quiz. `asked`: how many variants are wanted. Raises GraphError where the quiz cannot be evaluated at all."""
    report = Report(quiz.name, quiz.title, marks(quiz), asked)
    known = variants(quiz)
    numeric = known.prepared.numeric
    if numeric:
        report.by = "ball arithmetic" if ball.available() else f"decimals of {DIGITS[0]} and {DIGITS[1]} digits"
    worked = list(every(quiz, tick))
    over = space(quiz, worked)
    fitting = [w for w in worked if w.refused is None]
    check_space(report, quiz, over)
    for k, part in enumerate(quiz.parts):
        if type(part) is Choose:
            check_choose(report, quiz, k, named(quiz, k))
    if fitting and numeric:
        some = spread(fitting, FEW)
        check_keys(report, fitting)
        check_trivial(report, fitting)
        check_working(report, quiz, some)
        report.difficulty = difficulty(some)
        for k, part in enumerate(quiz.parts):
            if type(part) is Ask or type(part) is Fill and part.direction == "backward":
                check_detection(report, quiz, k, fitting)
            if type(part) is Ask and part.choices:
                check_numbers_as_options(report, quiz, k, fitting, named(quiz, k))
        for edge in unneeded(known.prepared):
            report.add(NOTE, "edges", "", f"no question needs {edge}")
    return report


def wanted_of(quiz: Quiz, exams: Sequence[Exam]) -> int:
    """How many variants the exams of a file ask for."""
    return max((u.variants for e in exams for u in e.uses if u.quiz == quiz.name), default=0)


def marks(quiz: Quiz) -> Decimal:
    total = Decimal(0)
    for part in quiz.parts:
        match part:
            case Ask(_, answers):
                total += sum((a.marks for a in answers), Decimal(0))
            case Fill(_, blanks, _, each):
                total += each * len(blanks)
            case Choose():
                total += part.marks
    return total


def named(quiz: Quiz, k: int) -> str:
    """A part, as a report calls it."""
    kind = {Ask: "ask", Fill: "fill", Choose: "choose"}[type(quiz.parts[k])]
    same = [j for j, p in enumerate(quiz.parts) if type(p) is type(quiz.parts[k])]
    return kind if len(same) == 1 else f"{kind} {same.index(k) + 1}"


def spread(worked: Sequence[Worked], most: int) -> list[Worked]:
    """So many of the draws, all along."""
    return list(worked) if len(worked) <= most else [worked[k * len(worked) // most] for k in range(most)]


def where(w: Worked) -> str:
    return ", ".join(f"{v.name} = {plain(x)}" for v, x in zip(w.prepared.quiz.vary, w.drawn))


# ---- draws


def check_space(report: Report, quiz: Quiz, over: Space) -> None:
    report.count, report.examined, report.fitting = over.count, over.examined, over.fitting
    report.refused = {kind: len(some) for kind, some in over.refused.items()}
    if not over.fitting:
        what = "no draw fits" if quiz.vary else "there is no certain key"
        for kind, some in over.refused.items():
            report.add(UNFIT, "keys", "", f"{what}: {explained(some[0])}" + (f" (at {where(some[0])}; {len(some):,} draws)" if quiz.vary else ""), REMEDIES[kind])
        return
    for kind, some in over.refused.items():
        share = f"{len(some):,} of {over.examined:,} draws are passed over"
        report.add(NOTE, "variants", "", f"{share}: {explained(some[0])}, as at {where(some[0])}", "" if len(some) * 2 < over.examined else REMEDIES[kind])
    there = over.fitting if over.all else math.ceil(over.fitting / over.examined * over.count)
    if report.asked > there:
        report.add(UNFIT, "variants", "", f"{report.asked} variants are asked for, and there are {there}", "give `vary` more values" if quiz.vary else "let inputs `vary`")
    if not over.all:
        report.add(NOTE, "variants", "", f"of {over.count:,} draws {over.examined:,} were looked at, at random")


def check_keys(report: Report, fitting: Sequence[Worked]) -> None:
    for n, w in enumerate(fitting[0].prepared.wanted):
        keys = [f.keys[n].key for f in fitting]
        report.keys.append(Measured(format_expr(w.shown, SOURCE), min(keys), max(keys), len(set(keys))))
        if len(fitting) >= 10 and len(set(keys)) * 3 < len(fitting):
            report.add(WARNING, "spread", report.keys[-1].name, f"{len(fitting):,} draws have only {len(set(keys)):,} different keys", "let another input vary")
        sizes = sorted(abs(k) for k in keys if k)
        if sizes and sizes[-1] > 10_000 * sizes[0]:
            report.add(NOTE, "spread", report.keys[-1].name, f"the keys go from {plain(sizes[0])} to {plain(sizes[-1])} in size: some variants take more arithmetic than others", "`require` bounds")


def check_trivial(report: Report, fitting: Sequence[Worked]) -> None:
    """Keys that can be guessed: 0, 1, -1, an input, a value of the forward pass."""
    prepared = fitting[0].prepared
    found: dict[tuple[int, str], list[Worked]] = {}
    for f in fitting:
        run = prepared.run(f.leaves)  # not kept: there may be thousands
        values = [(abs(x), x, name) for name, v in run.graph.variables.items()
                  if v.role != "const" and name.isidentifier() for x in run.flat.get(name, ())]  # not the derivatives that equations read
        for n in range(len(prepared.wanted)):
            why = trivial(f, n, run.graph, values)
            if why:
                found.setdefault((n, why), []).append(f)
    for (n, why), some in found.items():
        often = f", in {len(some):,} of {len(fitting):,} draws, as at {where(some[0])}" if prepared.quiz.vary else ""
        report.add(WARNING if len(some) * 5 >= len(fitting) else NOTE, "trivial", format_expr(prepared.wanted[n].shown, SOURCE), f"the key is {why}{often}",
                   "other inputs, or a `require`" if prepared.quiz.vary else "other inputs")


def trivial(worked: Worked, n: int, graph: Graph, values: Sequence[tuple[float, float, str]]) -> str:
    exact, wanted = float(worked.keys[n].exact), worked.prepared.wanted[n]
    if exact in (0.0, 1.0, -1.0):
        return f"{exact:.0f}"
    value = type(wanted.shown) in (ast.Name, ast.Subscript)  # which is itself a value of the forward pass
    for size, x, name in values:
        if x and abs(x - exact) <= 1e-12 * size and (graph.variables[name].is_leaf or not value):
            return f"the {'input' if graph.variables[name].is_leaf else 'value of'} `{name}`"
    return ""


# ---- working


def check_working(report: Report, quiz: Quiz, some: Sequence[Worked]) -> None:
    """Whether rounding on the way reaches the keys; how many decimals do."""
    wanted = some[0].prepared.wanted
    if quiz.working is None:
        if any(w.precision.kind != "exactly" for w in wanted) and (enough := decimals_enough(some)) is not None:
            report.add(NOTE, "working", "", f"carrying {places(enough)} reaches every key", f"`working {places(enough)}` tells students so" if enough else "")
        return
    missed = [(max(off(key, w.precision) for key, w in zip(f.keys, wanted)), f) for f in some]
    worst, at = max(missed, key=lambda one: one[0])
    count = sum(x > 0 for x, _ in missed)
    if not count:
        return
    enough = decimals_enough(some)
    level = UNFIT if worst > TOLERATED else WARNING
    more = "what it reaches is accepted too" if level == WARNING else f"by {plain(worst)} units of the last digit" + (f" (at {where(at)})" if quiz.vary else "")
    report.add(level, "working", "", (f"in {count:,} of {len(some):,} draws " if quiz.vary else "") + f"carrying {places(quiz.working)} misses a key: {more}",
               f"`working {places(enough)}` reaches every key" if enough is not None else "ask for fewer digits")


def places(n: int) -> str:
    return f"{n} decimal{'' if n == 1 else 's'}"


def decimals_enough(some: Sequence[Worked]) -> int | None:
    """The least number of decimals with which rounded working reaches all keys."""
    prepared = some[0].prepared
    least = max((w.precision.digits for w in prepared.wanted if w.precision.kind == "decimals"), default=0)
    few = spread(some, 50)
    for n in range(least, MOST_DECIMALS + 1):
        if all(reaches(f, n) for f in few):
            return n
    return None


def reaches(worked: Worked, n: int) -> bool:
    for key, w, x in zip(worked.keys, worked.prepared.wanted, working(worked.prepared, worked.drawn, n)):
        if w.precision.kind == "exactly":
            continue
        if x is None or off(widened(key._replace(accepted=interval(key.key, w.precision)), w.precision, x), w.precision):
            return False
    return True


def difficulty(some: Sequence[Worked]) -> tuple[int, int]:
    """How many digits are written in a whole working, forward and backward, at 6 digits a number: least and most over draws."""
    counts = []
    for f in spread(some, 50):
        run = f.run
        numbers = [x for e in run.order for x in run.flat[e.target]] + [x for p in run.passes for name in p.derivative.variables for x in p.sweep.adjoints[name]]
        counts.append(sum(sum(c.isdigit() for c in shown(x)) for x in numbers if math.isfinite(x)))
    return min(counts), max(counts)


# ---- mistakes


def check_detection(report: Report, quiz: Quiz, k: int, fitting: Sequence[Worked]) -> None:
    found: Seen | None = seen(spread(fitting, FEW), k, named(quiz, k))
    if found is None:
        return
    report.detection.append(found)
    if not found.worst:
        return
    digits = ("no number of decimals up to 8 shows them all" if found.decimals is None else f"to {places(found.decimals)} none does")
    average = f"; on the average {found.masked:.1f}" if quiz.vary else ""
    report.add(WARNING, "detection", found.part, f"{found.worst} of {found.mistakes} mistakes round to the key" + (f" at {found.at}" if found.at else "") + f"{average}: {', '.join(found.names)}",
               digits + (f"; {found.inputs}" if found.inputs else ""))
