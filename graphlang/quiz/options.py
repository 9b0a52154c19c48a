"""Multiple-choice questions: options with their messages, in an order that tells nothing.

The options of `choices` are numbers that mistakes lead to; those of `choose` are expressions, of which each is judged like a claim before anybody sees it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from graphlang.diagnostics import NOWHERE, Diagnostic, GraphError, Span
from graphlang.graph.graph import Graph, layout_at
from graphlang.graph.goals import sinks
from graphlang.quiz.distractors import distractors
from graphlang.quiz.draws import shuffled, stream
from graphlang.quiz.expressions import LEAST, wrong_expressions
from graphlang.quiz.keys import plain
from graphlang.quiz.mistakes import MISTAKES
from graphlang.quiz.model import Ask, Choice, Choose, Formula, Option, Quiz, Value, Words
from graphlang.quiz.prepared import Wanted, prepared
from graphlang.quiz.prose import names_of, prose
from graphlang.quiz.text import text
from graphlang.quiz.variants import Worked
from graphlang.run import FAILS, HOLDS
from graphlang.syntax import ast
from graphlang.syntax.format import SOURCE, format_expr
from graphlang.verify.claims import judge

NONE = "none of the above"


def choice_id(quiz: Quiz, k: int) -> str:
    """Of the k-th part."""
    return f"choice_{k + 1}"


# ---- over numbers


def choices(worked: Worked, k: int, part: Ask, number: int, seed: int) -> Choice:
    """One question over all answers of a part."""
    quiz, asked = worked.prepared.quiz, worked.prepared.part(k)
    own = [worked.keys[n] for n, _ in asked]
    numbers = tuple(key.key for key in own)
    draw = stream(seed, quiz.name, number, f"options {k}")
    names = [format_expr(w.shown, SOURCE) for _, w in asked]
    found = distractors(worked.prepared.perturbed[k], worked.leaves, numbers, [w.precision for _, w in asked], names, part.choices - 1, draw, worked.wrong(k))
    options = [Option(listed(asked, numbers), True, "")]
    texts = {tuple(map(plain, numbers))}
    for d in found:
        printed = tuple(map(plain, d.values))
        if printed not in texts and not all(key.accepted.holds(x) for key, x in zip(own, d.values)):
            options.append(Option(listed(asked, d.values), False, d.message, d.mistakes))
            texts.add(printed)
    return Choice(choice_id(quiz, k), tuple(shuffled(options, stream(seed, quiz.name, number, f"shuffle {k}"))), sum(w.marks for _, w in asked))


def listed(asked: list[tuple[int, Wanted]], numbers) -> tuple:
    """`dy/dx = 1208, dy/dz = 810`."""
    out: list = []
    for (_, w), x in zip(asked, numbers):
        out += [*([Words(", ")] if out else []), Formula(w.shown), Words(" = "), Value(plain(x))]
    return tuple(out)


# ---- over expressions


class Judged(NamedTuple):
    """An option of a `choose`: `fault` says what is wrong with it as one, "" nothing."""

    option: Option
    none: bool
    fault: str
    at: Span


def asked_for(quiz: Quiz, part: Choose) -> ast.Expr:
    """The derivative that a `choose` is about: the last one in its text, else of the one variable that nothing reads by the one leaf. Raises GraphError."""
    named = [p.piece.value for p in prose(part.text, quiz.program.source, names_of(quiz.program)) if type(p.piece) is Formula]
    said = [e for e in named if type(e) is ast.Deriv or type(e) is ast.Call and e.name in ("diff", "jacobian", "partial")]
    if said:
        return said[-1]
    graph = prepared(quiz).graph
    goals = [g.name for g in graph.goals][:1] or sinks(graph)
    leaves = [n for n, v in graph.variables.items() if v.role in ("input", "param")]
    if len(goals) != 1 or len(leaves) != 1:
        raise GraphError([Diagnostic("E706", "the text does not say which derivative is meant", part.text.span, "", (),
                                     ("put it into backticks, as in \"Which expression is `dL/dW`?\"",))], quiz.program.source)
    return ast.Call("diff", (ast.Name(goals[0], NOWHERE), ast.Name(leaves[0], NOWHERE)), (), NOWHERE, NOWHERE)


@lru_cache(maxsize=256)
def judged(quiz: Quiz, k: int) -> tuple[Judged, ...]:
    """The options of the k-th part, each judged: the answer must hold, all others fail. Raises GraphError."""
    part, graph = quiz.parts[k], prepared(quiz).graph
    left, sized = asked_for(quiz, part), at_sizes(graph)
    answer = next((o for o in part.options if o.kind == "answer"), None)
    out: list[Judged] = []
    texts: set[str] = set()
    for o in part.options:
        if o.special == "auto":
            continue
        if o.special == "none":
            out.append(Judged(Option((Words(NONE),), o.kind == "answer", said(o.because)), True, "", o.span))
            continue
        shown, stands = format_expr(o.value, SOURCE), verdict(sized, left, o.value, o.span)
        fault = "it stands among the options twice" if shown in texts else ""
        if o.kind == "answer" and stands != HOLDS:
            fault = f"it is given as the answer, and {'it is wrong' if stands == FAILS else 'that cannot be shown'}"
        elif o.kind == "wrong" and stands != FAILS:
            fault = "it is given as wrong, and it is right" if stands == HOLDS else "it is given as wrong, and that cannot be shown"
        if not fault:
            same = next((j for j in out if not j.none and verdict(sized, j.option.text[0].value, o.value, o.span) == HOLDS), None)
            fault = f"it is the same as `{text(same.option.text)}`" if same is not None else ""
        texts.add(shown)
        out.append(Judged(Option((Formula(o.value),), o.kind == "answer", said(o.because), (o.because,) if o.because in MISTAKES else ()), False, fault, o.span))
    automatic = sum(o.special == "auto" for o in part.options)
    if automatic:
        wanted = max(part.count - len(out), automatic)
        of, wrt = names(left)
        given = answer.value if answer is not None else None
        judging = replace(sized if given is not None else graph, layouts=((-1, layout_at(graph.layouts, part.span.start)),))  # theirs have no place in the text
        for w in wrong_expressions(judging, of, wrt, given) if of else ():
            shown = format_expr(w.value, SOURCE)
            new = shown not in texts and not any(not j.none and verdict(sized, j.option.text[0].value, w.value, part.span) == HOLDS for j in out)
            if wanted and new and verdict(sized, left, w.value, part.span) == FAILS:
                out.append(Judged(Option((Formula(w.value),), False, said(w.mistake), (w.mistake,)), False, "", part.span))
                texts.add(shown)
                wanted -= 1
    return tuple(out)


def said(because: str) -> str:
    return MISTAKES[because].message if because in MISTAKES else because


def names(left: ast.Expr) -> tuple[str, str]:
    if type(left) is ast.Deriv:
        return left.of, left.wrt
    a, b = left.args[:2] if len(left.args) > 1 else (None, None)
    return (a.name, b.name) if type(a) is ast.Name and type(b) is ast.Name else ("", "")


def at_sizes(graph: Graph) -> Graph:
    """The graph with a number for each size that is left symbolic, all of them different: no wrong shape fits then."""
    return graph.again({n: float(k) for k, n in enumerate(graph.dims, LEAST)}) if graph.dims and graph.again else graph


def verdict(graph: Graph, left: ast.Expr, right: ast.Expr, at) -> str:
    """How `left = right` stands as a claim, in the layout that is in force there; "" where it cannot be understood."""
    try:
        return judge(replace(graph, claims=(ast.Claim(left, right, (), at),), source=None), None)[0].verdict
    except GraphError:
        return ""


def choose(quiz: Quiz, k: int, number: int, seed: int) -> Choice:
    """The options of a variant: the answer, and of the others as many as are asked for. Raises GraphError where one is not what it is said to be."""
    part, every = quiz.parts[k], judged(quiz, k)
    wrongly = [Diagnostic("E706", f"`{text(j.option.text)}`: {j.fault}", j.at) for j in every if j.fault]
    if wrongly:
        raise GraphError(wrongly, quiz.program.source)
    right = [j for j in every if j.option.right]
    wrong = [j for j in every if not j.option.right]
    room = (part.count or len(every)) - len(right)
    if len(wrong) > room:
        kept = [j for j in wrong if j.none]
        rest = shuffled([j for j in wrong if not j.none], stream(seed, quiz.name, number, f"select {k}"))
        wrong = (kept + rest)[:room]
    some = [*right, *wrong]
    order = shuffled([j for j in some if not j.none], stream(seed, quiz.name, number, f"shuffle {k}")) + [j for j in some if j.none]
    return Choice(choice_id(quiz, k), tuple(j.option for j in order), part.marks)
