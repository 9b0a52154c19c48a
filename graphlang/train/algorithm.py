"""Algorithm 1 of the lecture, line for line, with the program's own names: what `train` is going to do."""

from __future__ import annotations

import re

from graphlang.engines.stepping import OPTIMISERS
from graphlang.graph.graph import Graph, ancestors
from graphlang.graph.order import forward_order, plan
from graphlang.graph.training import Training
from graphlang.show.cells import Texts
from graphlang.show.console import pad

MOST_NAMES = 12  # that one line lists


def algorithm(graph: Graph, training: Training, ascii: bool = False) -> list[str]:
    """The lines."""
    texts, goal = Texts(graph, ascii), training.goal
    needed = ancestors(graph, {goal.name})
    params = [n for n, v in graph.variables.items() if v.role == "param" and n in needed]
    leaves = list(dict.fromkeys(f.leaf for f in training.feeds))
    nodes = list(dict.fromkeys(e.target for g in forward_order(plan(graph), goal.name) for e in g.equations if e.target in needed))
    arrow, minus, plus, dot = ("<-", "-", "+", "*") if ascii else ("←", "−", "+", "·")
    J, names = texts.name(str(goal) if goal.element is None else goal.name), [texts.name(n) for n in params]
    given = ", ".join(map(texts.name, (*leaves, *params)))
    sets = "D" if training.test is None else "D, D_t"
    up, rate = goal.kind == "maximize", texts.expression(training.rate)
    plain = training.optimizer == "sgd"
    o, t = (next(w for w in words if w not in graph.variables) for words in (("o", "out", *(f"out_{k}" for k in range(99))), ("t", "step", *(f"step_{k}" for k in range(99)))))
    lines = [(0, f"procedure SGD({sets})", f"D is {training.data.file}" + (f", D_t is {training.test.file}" if training.test is not None else ""))]
    lines.append((1, f"initialise {listed(names)}", ""))
    lines.append((1, f"for epoch in 1..{training.epochs} do", ""))
    order = f"in an order drawn anew for each epoch, seed {training.seed}" if training.shuffle else "in the order of the file"
    fills = ", ".join(graph.source.at(f.span) if graph.source and "[" in graph.source.at(f.span) else texts.name(f.leaf) for f in training.feeds)
    if training.batch == 1:
        lines.append((2, f"for ({fills}) in D do", order))
    else:
        lines.append((2, f"for each batch of {training.batch} examples ({fills}) of D do", order))
    depth = 3
    each = "" if training.batch == 1 else " of each example"
    lines.append((depth, f"{o} = forward({given})", f"{o} holds {listed([texts.name(n) for n in nodes])}{each}"))
    gradients = [gradient(n, J, texts.name(n), up and not plain, training.batch > 1, ascii) for n in params]
    for k, text in enumerate(gradients):
        lines.append((depth, text, "" if k else f"backward({given}, {o})" + ", before any param changes" * (len(params) > 1)))
    for n in params:
        for text in updates(training, n, texts, up and plain, rate, t, arrow, minus, plus, dot):
            lines.append((depth, text, ""))
    over = "over D" if training.test is None else "over D and D_t"
    for k, report in enumerate(training.reports):
        lines.append((2, f"report {report.text} {over}", "also before the first epoch" if not k else ""))
    if training.patience is not None:
        lines.append((2, f"stop if the mean of {J} {'over D_t' if training.test is not None else 'over D'} is {training.patience} epochs from its best", ""))
    lines.append((1, f"return {listed(names)}", ""))
    notes = [f"{J} is {'maximised: the gradients are ascended' if up else 'minimised: the gradients are descended'}"]
    if not plain:
        notes.append(f"{OPTIMISERS[training.optimizer].about}; element by element, moments begin at 0" + (f", {t} counts the steps from 1" if training.optimizer == "adam" else ""))
    return [*numbered(lines), "", *notes]


def numbered(lines: list[tuple[int, str, str]]) -> list[str]:
    """Each with its number; remarks in a column of their own."""
    texts = [f"{n:2}  " + "  " * depth + text for n, (depth, text, _) in enumerate(lines, 1)]
    room = max((len(t) for t, (_, _, remark) in zip(texts, lines) if remark), default=0)
    return [f"{pad(t, room)}  # {remark}" if remark else t for t, (_, _, remark) in zip(texts, lines)]


def gradient(name: str, goal: str, shown: str, negated: bool, mean: bool, ascii: bool) -> str:
    derivative = f"{'-' if ascii else '−'}" * negated + f"d{goal}/d{shown}"
    return f"g_{shown} = " + (f"mean of {derivative} over the batch" if mean else derivative)


def updates(training: Training, name: str, texts: Texts, ascends: bool, rate: str, step: str, arrow: str, minus: str, plus: str, dot: str) -> list[str]:
    """The optimiser's own statements, about one param."""
    row, shown = OPTIMISERS[training.optimizer], texts.name(name)
    values = {**row.parameters, **dict(zip(row.parameters, training.parameters))}
    bracketed = f"({rate})" if re.search(r"[ +\-*/·−]", rate) else rate
    words = {"p": shown, "g": f"g_{shown}", "rate": bracketed, "t": step, **{m: f"{m}_{shown}" for m in row.moments}, **{n: f"{v:.12g}" for n, v in values.items()}}
    out = []
    for text in row.updates:
        target, sign, value = re.fullmatch(r"(\w+) (.)= (.*)", text).groups()
        value = re.sub(r"[A-Za-z_]\w*", lambda m: words.get(m[0], m[0]), value).replace("1.0", "1").replace("**", "^").replace("*", dot)
        target = words[target]
        if sign == "*":
            out.append(f"{target} {arrow} {value}{dot}{target}")
        else:
            down = sign == "-" and not ascends
            out.append(f"{target} {arrow} {target} {minus if down else plus} {value}")
    return out


def listed(names: list[str]) -> str:
    return ", ".join(names if len(names) <= MOST_NAMES else [*names[: MOST_NAMES - 1], f"… ({len(names) - MOST_NAMES + 1} more)"])
