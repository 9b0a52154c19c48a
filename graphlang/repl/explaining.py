"""The commands that explain a derivative: path by path, in certain digits, in LaTeX."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from graphlang.derive.reverse import differentiate
from graphlang.given import UsageError
from graphlang.graph.graph import Goal
from graphlang.graph.order import plan
from graphlang.graph.scalar import element_names
from graphlang.graph.spell import spell
from graphlang.pipeline import add_exact, certain_digits, evaluate_graph
from graphlang.graph.derived import is_plain
from graphlang.graph.expressions import Read
from graphlang.repl.answers import chosen, examine, needed, slopes
from graphlang.repl.last import ANS
from graphlang.show.console import Signs

NODE = re.compile(r"[^\W\d]\w*(?:\[[-\d, ]+\])?")

if TYPE_CHECKING:
    from graphlang.repl.loop import Repl


def why(r: "Repl", rest: str) -> None:
    """The paths from a variable to the goal, the product along each, and their sum."""
    from graphlang.show.cost import MOST_SHOWN, MOST_SUMMED, paths_lines
    from graphlang.show.tables import Options
    from graphlang.verify.paths import Walk

    words = rest.split(maxsplit=1) if rest.count(" ") == 1 else [rest] if rest else []
    if len(words) == 1 and "/" in words[0]:  # dJ/dx
        above, _, below = words[0].partition("/")
        words = [below[1:], above[1:]] if above[:1] == "d" and below[:1] == "d" else words
    usage = "`:why x`: the paths from x to the goal; `:why x J` or `:why dJ/dx`: to J; `:why x ans`: of the last expression"
    if not 1 <= len(words) <= 2 or words == [ANS] or not NODE.fullmatch(words[0]):
        raise UsageError(usage)
    wrt, goal = words[0], words[1] if len(words) == 2 else r.goal()
    if goal not in (ANS, None):
        table = r.session.built.graph.variables.get(goal.partition("[")[0])
        if table is None or table.role == "const":
            raise UsageError(f"there is no variable `{goal}`: {usage}")
    if goal == ANS or goal is None:
        if not r.session.state.last:
            raise UsageError("there is no goal and no expression yet to explain")
        at = examine(r.session, ANS)
        made = evaluate_graph(needed(at.graph, ANS), {}, goal=ANS, expand=True)
        steps = [e for e in made.order if e.target != ANS]
    else:
        steps = []
        made = r.session.built.program.run(goal=goal)
    p = made.passes[0]
    walk = Walk(p.derivative, made.flat)
    adjoints = {n: x for v, flat in p.sweep.adjoints.items() for n, x in zip(element_names(made.graph.variables[v]), flat)}
    signs = Signs(r.look.ascii, r.plain)
    if steps:
        from graphlang.show.cells import Texts

        texts = Texts(made.graph, r.look.ascii)
        r.write([[(f"  {texts.equation(e)}", "dim")] for e in made.order])
    for element in walk.elements(wrt):
        found = walk.of(element, MOST_SHOWN, MOST_SUMMED)
        r.write(paths_lines(found, walk, r.look.ascii, signs, r.look.width, Options(digits=r.look.digits), adjoints.get(found.element)))


def exact(r: "Repl", rest: str) -> None:
    """The last expression, or the one given, in certain digits."""
    from graphlang.exact import DIGITS

    first, _, more = rest.strip().partition(" ")
    digits, text = (int(first), more.strip()) if first.isdigit() and len(first) < 5 else (DIGITS, rest.strip())
    if not text:
        text = ANS if r.session.state.last else r.goal()
    if not text:
        raise UsageError("`:exact 50 sqrt(2)` prints certain digits of an expression")
    precision = certain_digits(digits)
    at = examine(r.session, text)
    v = at.graph.variables[at.name]
    element = f"[{','.join(str(x.low) for x in v.ranges)}]" if v.ranges else ""
    made = add_exact(evaluate_graph(at.graph, {}, goal=at.name + element), precision)
    r.say(flat_text(made.exact.values[at.name]))
    names = r.session.state.wrt or [n for n, x in made.graph.variables.items() if x.is_leaf and x.role != "const" and n != at.name]
    for n in [] if v.ranges else names:
        if n in made.exact.adjoints:
            r.say(f"d/d{n} = {flat_text(made.exact.adjoints[n])}")
    for note in made.notes:
        if "does not depend on" not in note:
            r.say(note)


def flat_text(value) -> str:
    return value if isinstance(value, str) else "[" + ", ".join(map(flat_text, value)) + "]"


def latex(r: "Repl", rest: str) -> None:
    """The backward column, or an expression and its derivatives, to paste into a document."""
    from graphlang.show.fragment import fragment, whole_fragment
    from graphlang.show.jacobians import jacobians
    from graphlang.show.latex import LATEX
    from graphlang.show.typeset import Typesetter

    text = rest.strip()
    if not text and r.goal() is None:
        text = r.session.state.last[-1] if r.session.state.last else ""
    if not text:
        if r.goal() is None:
            raise UsageError("there is nothing to typeset yet: `:latex sin(x^2)` takes an expression")
        derivative = r.session.built.program.derivative(r.goal())
        names = [n for n in derivative.variables if n in r.session.state.wrt] or list(derivative.variables)
        r.say(fragment(derivative, LATEX, names).rstrip("\n"))
        return
    at = examine(r.session, text)
    graph, name = at.graph, at.name
    (own, *_) = graph.pieces.get(name) or (None,)
    read = own.value if own is not None and type(own.value) is Read else None
    setter = Typesetter(LATEX, [*graph.variables, *graph.functions], graph.variables)

    def row(e) -> str:
        left, right = (e.source.target, e.source.value) if e.source else (spell(graph.pool.read(e.target, e.subs)), spell(e.value))
        return f"{setter.formula(left)} = {setter.formula(right)}"

    if read is not None and not is_plain(read.name):  # a derivative: its formula
        for e in graph.pieces.get(read.name, ()):
            r.say(row(e))
        return
    if read is not None and read.args == own.subs and not graph.variables[read.name].is_leaf:
        name, graph = read.name, needed(graph, read.name)
    for e in graph.pieces.get(name, ()):
        r.say(row(e) if name != at.name else setter.formula(e.source.value if e.source else spell(e.value)))
    if graph.variables[name].ranges:
        wrt, _ = chosen(r.session, graph, name)
        r.say(whole_fragment(*jacobians(graph, [name], wrt), LATEX).rstrip("\n") if wrt else "")
    else:
        wrt, _ = chosen(r.session, graph, name)
        derivative = differentiate(graph, Goal("output", name), plan(graph))
        lines = [f"  {left} &= {setter.formula(tree)}" for w in wrt for left, tree in trees(derivative, w, setter, name == at.name)]
        if lines:
            r.say("\\begin{align*}\n" + " \\\\\n".join(lines) + "\n\\end{align*}")


def trees(derivative, wrt: str, setter, anonymous: bool):
    """The derivatives of a scalar by a leaf, as `answers.of_scalar` gives them, to typeset."""
    above = "d" if anonymous else f"d {setter.name(derivative.goal.name)}"
    for at, tree, _ in slopes(derivative, wrt):
        if tree is not None:
            yield f"\\frac{{{above}}}{{d {setter.formula(spell(derivative.graph.pool.read(wrt, at)))}}}", tree
