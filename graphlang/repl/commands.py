"""The commands of a session: `:run`, `:why x`, `:save FILE` and so on. One row for each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Callable, NamedTuple

from graphlang.diagnostics import GraphError, Source, did_you_mean
from graphlang.given import UsageError, constant_value
from graphlang.repl.explaining import exact, latex, why
from graphlang.repl.filing import edit, load, save
from graphlang.repl.state import State
from graphlang.syntax.names import NotAName, canonical

if TYPE_CHECKING:
    from graphlang.repl.loop import Repl


class Command(NamedTuple):
    """`usage` as in `:help`; `takes` says what is completed after it: names, leaves, files, pages, options or nothing."""

    name: str
    usage: str
    about: str
    run: Callable[["Repl", str], None]
    takes: str = ""
    options: tuple[str, ...] = ()


VIEWS = ("A", "B", "forward", "expand", "scalar", "raw", "all")


def views(r: "Repl", rest: str) -> dict:
    """`A expand` as options of a run. Raises UsageError."""
    words = rest.replace(",", " ").replace("--mode", " ").replace("--", " ").split()
    for w in words:
        if w not in VIEWS:
            raise UsageError(f"`{w}` is not one of {', '.join(VIEWS)}")
    return {"mode": next((w for w in words if w in ("A", "B", "forward")), "B"), **{k: k in words for k in ("expand", "scalar", "raw", "all")}}


def run(r: "Repl", rest: str, steps: bool = False) -> None:
    from graphlang.run import EvaluationError
    from graphlang.show.tables import Options, show_run

    chosen = views(r, rest)
    if r.as_json:
        r.data(json.loads(r.session.built.program.run(wrt=r.session.state.wrt, **{k: v for k, v in chosen.items() if k != "all"}).json()))
        return
    options = Options(digits=r.look.digits, all=chosen.pop("all"), ascii=r.look.ascii, steps=steps, mode=chosen["mode"], plain=r.plain, scalar=chosen["scalar"])
    try:
        made = r.session.built.program.run(wrt=r.session.state.wrt, **chosen)
    except EvaluationError as e:
        show_run(e.run, r.console, options)
        raise
    show_run(made, r.console, options)


def check(r: "Repl", rest: str) -> None:
    from graphlang.show.check import lines
    from graphlang.verify.check import check as verify

    report = verify(r.session.state.file or "session", lambda: r.session.built.program)
    r.write(lines(report, True, False, r.look.width))
    if report.diagnostics:
        r.tell(GraphError(report.diagnostics, report.source))


def claim(r: "Repl", rest: str) -> None:
    """Grade a line without making it a part of the program."""
    text = rest if rest.split(" ")[0] in ("claim", "expect") else f"claim {rest}"
    if not rest.strip():
        raise UsageError("write the line that is claimed: `:claim dJ/dx = 2x`")
    r.grade(text)


def set_value(r: "Repl", rest: str) -> None:
    target, eq, value = rest.partition("=")
    name, bracket, subs = target.strip().partition("[")
    subs = bracket + subs
    if not eq or not value.strip() or not name:
        raise UsageError("`:set x=3` gives a leaf another value, `:set x[1]=3` one of its elements")
    try:
        name = canonical(name.strip())
    except NotAName as e:
        raise UsageError(str(e)) from None
    v = r.session.built.graph.variables.get(name)
    if v is None or not v.is_leaf:
        known = [n for n, x in r.session.built.graph.variables.items() if x.is_leaf]
        raise UsageError("; ".join((f"there is no leaf `{name}`" if v is None else f"`{name}` is defined by an equation: `{name} = …` replaces it", *did_you_mean(name, known))))
    constant_value(value.strip(), f":set {name}")
    r.statements(Source("input", f"{name}{subs} = {value.strip()}"))


def wrt(r: "Repl", rest: str) -> None:
    known = r.session.built.graph.variables
    if not rest.strip():
        names = r.session.state.wrt
        r.say("derivatives by " + (", ".join(names) if names else "every leaf") + "; `:wrt x, y` chooses, `:wrt all` every leaf again")
        return
    names = () if rest.strip() == "all" else tuple(n.strip() for n in rest.split(",") if n.strip())
    try:
        names = tuple(map(canonical, names))
    except NotAName as e:
        raise UsageError(str(e)) from None
    for n in names:
        if n in known and known[n].role == "const":
            raise UsageError(f"`{n}` is a const, which is never differentiated")
        if n not in known:
            raise UsageError("; ".join((f"there is no variable `{n}` to differentiate by", *did_you_mean(n, known))))
    r.session.set_aside(wrt=names)
    r.say("derivatives by " + (", ".join(names) if names else "every leaf"))


def layout(r: "Repl", rest: str) -> None:
    if not rest.strip():
        from graphlang.show.jacobians import layout_in_force

        r.say(f"layout {layout_in_force(r.session.built.graph)}")
        return
    if rest.strip() not in ("numerator", "denominator"):
        raise UsageError("the layout is `numerator` or `denominator`")
    from graphlang.show.jacobians import layout_in_force

    if layout_in_force(r.session.built.graph) == rest.strip():
        r.say(f"layout {rest.strip()}, as before")
        return
    r.statements(Source("input", f"layout {rest.strip()}"))


def undo(r: "Repl", rest: str) -> None:
    step(r, r.session.undo(), "undone", "nothing to undo")


def redo(r: "Repl", rest: str) -> None:
    step(r, r.session.redo(), "done again", "nothing to do again")


def step(r: "Repl", left, done: str, nothing: str) -> None:
    if left is None:
        r.say(nothing)
        return
    now = r.session.state
    gone = [i.text for i in left.items if i.text not in {x.text for x in now.items}]
    back = [i.text for i in now.items if i.text not in {x.text for x in left.items}]
    parts = [f"without {short(t)}" for t in gone[:3]] + [f"with {short(t)}" for t in back[:3]]
    r.say(f"{done}: " + (", ".join(parts) or "as it was") + (" …" if len(gone) > 3 or len(back) > 3 else ""))


def short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 40 else text[:39] + "…"


def variables(r: "Repl", rest: str) -> None:
    from graphlang.repl.show import variables_lines

    r.write(variables_lines(r.session.built, r.look))


def kind(r: "Repl", rest: str) -> None:
    """Role, ranges, equation and value of one variable."""
    from graphlang.show.cells import Texts

    name = rest.strip()
    try:
        name = canonical(name)
    except NotAName:
        raise UsageError("`:type NAME`: role, ranges, equation and value of a variable") from None
    for k, reason in r.session.state.waiting.items():
        if name in r.session.state.items[k].names:
            r.say(f"{name} waits: {reason}")
            r.say(f"  {r.session.state.items[k].text}")
            return
    graph = r.session.built.graph
    v = graph.variables.get(name)
    if v is None:
        items = [i for i in r.session.state.items if name in i.names]
        if not items:
            raise UsageError("; ".join((f"there is no variable `{name}`", *did_you_mean(name, graph.variables))))
        for i in items:
            r.say(" ".join(i.text.split()))
        return
    texts = Texts(graph, r.look.ascii)
    shape = "scalar" if not v.ranges else ("row" if v.row else "column" if len(v.ranges) == 1 else "matrix" if len(v.ranges) == 2 else "table") + " over " + ", ".join(map(str, v.ranges))
    r.say(f"{texts.name(name)}: {v.role}, {shape}" + (", symmetric" if v.symmetric else ""))
    for e in graph.pieces.get(name, ()):
        r.say(f"  {texts.equation(e)}")
    if name in r.session.built.flat:
        r.say(f"  = {r.look.value(r.session.built.flat[name], v)}" if v.ranges or v.is_leaf or graph.pieces.get(name) else "")
    elif v.is_leaf:
        r.say("  it has no value")


def program(r: "Repl", rest: str) -> None:
    r.say(r.session.text().rstrip("\n") or "nothing is defined yet")


def drop(r: "Repl", rest: str) -> None:
    try:
        name = canonical(rest.strip())
    except NotAName:
        raise UsageError("`:drop NAME` takes a definition out of the program") from None
    gone = r.session.remove(name, {"claims": "claim", "expects": "expect"}.get(name, ""))
    if not gone:
        raise UsageError("; ".join((f"nothing defines `{name}`", *did_you_mean(name, r.session.names()))))
    r.say("without " + ", ".join(map(short, gone)))
    waits = r.session.state.waiting
    if waits:
        r.say(f"  {len(waits)} statement{'s wait' if len(waits) > 1 else ' waits'} now: " + ", ".join(short(r.session.state.items[k].text) for k in list(waits)[:4]))


def clear(r: "Repl", rest: str) -> None:
    empty = State(reach=r.session.reach)
    r.session.change(empty, r.session.build(empty))
    r.say("a new program; `:undo` brings the old one back")


def digits(r: "Repl", rest: str) -> None:
    if not rest.strip():
        r.say(f"{r.look.digits} digits")
        return
    if not rest.strip().isdigit() or not 1 <= int(rest) <= 17:
        raise UsageError("`:digits N`: how many significant digits are shown, 1 to 17")
    r.look.digits = int(rest)


def vi(r: "Repl", rest: str) -> None:
    if rest.strip() not in ("", "on", "off"):
        raise UsageError("`:vi`, `:vi on` or `:vi off`")
    r.vi = not r.vi if not rest.strip() else rest.strip() == "on"
    r.say(f"{'vi' if r.vi else 'Emacs'} keys" + ("" if r.interactive else ", at a terminal"))


def help_text(r: "Repl", rest: str) -> None:
    wanted = rest.strip().removeprefix(":")
    if wanted:
        command = COMMANDS.get(wanted)
        if command is None:
            r.question(wanted)
            return
        r.say(f"{command.usage:22} {command.about}")
        return
    r.write([[(f"  {c.usage:22} ", "bold"), (c.about, "")] for c in dict.fromkeys(COMMANDS.values())])
    r.write([[("", "")], *([(line, "")] for line in INTRODUCTION)])


def leave(r: "Repl", rest: str) -> None:
    r.done = True


INTRODUCTION = (
    "x = 2              a statement adds an equation, or replaces one of that name",
    "sin(x^2)           an expression: its value, and its derivative by every leaf",
    "dJ/dx              a derivative, as a formula and as a number; `ans` is the last result",
    "?sin  ?E101        pages about functions, errors and words of the language",
)

ALL = (
    Command("run", ":run [A|B|forward]", "the table of values and derivatives; also expand, scalar, raw, all", run, "options", VIEWS),
    Command("steps", ":steps [A|B]", "the same as a numbered list", lambda r, rest: run(r, rest, steps=True), "options", VIEWS),
    Command("check", ":check", "everything that can be verified", check),
    Command("claim", ":claim dJ/dx = …", "grade a line of a derivation", claim, "names"),
    Command("why", ":why x", "the product of local derivatives along each path from x, and their sum", why, "names"),
    Command("exact", ":exact [N] [EXPR]", "N digits that are certain", exact, "names"),
    Command("latex", ":latex [EXPR]", "formulas to paste into a document", latex, "names"),
    Command("set", ":set x=3", "another value for a leaf", set_value, "leaves"),
    Command("wrt", ":wrt x, y", "what expressions are differentiated by; `all` for every leaf", wrt, "names"),
    Command("layout", ":layout numerator", "how matrix derivatives are arranged", layout, "options", ("numerator", "denominator")),
    Command("digits", ":digits 10", "how many digits are shown", digits),
    Command("vars", ":vars", "all variables with their values, and what waits", variables),
    Command("type", ":type NAME", "role, ranges, equation and value of one variable", kind, "names"),
    Command("program", ":program", "the text of the program", program),
    Command("undo", ":undo", "take the last change back", undo),
    Command("redo", ":redo", "and do it again", redo),
    Command("drop", ":drop NAME", "take a definition out; also `claims`, `expects`", drop, "names"),
    Command("clear", ":clear", "start over; `:undo` brings everything back", clear),
    Command("load", ":load FILE", "read a program in the place of this one", load, "files"),
    Command("save", ":save FILE", "write the program; `:save! FILE` also over another file", save, "files"),
    Command("edit", ":edit", "the program in your editor ($VISUAL, $EDITOR)", edit),
    Command("vi", ":vi [on|off]", "vi keys instead of Emacs'", vi, "options", ("on", "off")),
    Command("help", ":help [NAME]", "this list, or more on a command, function, code", help_text, "pages"),
    Command("quit", ":quit", "leave (also Ctrl-D)", leave),
)
COMMANDS: dict[str, Command] = {c.name: c for c in ALL} | {"q": ALL[-1], "h": ALL[-2], "list": ALL[13], "exit": ALL[-1]}


def command(r: "Repl", text: str) -> None:
    """Do what a line after its `:` says. Raises UsageError, GraphError."""
    name, _, rest = text.strip().partition(" ")
    if name.endswith("!"):
        name, rest = name[:-1], "!" + rest
    if "=" in name and name.startswith("set"):
        name, rest = "set", text.strip()[3:]
    found = COMMANDS.get(name) or next((c for c in ALL if name and c.name.startswith(name) and sum(o.name.startswith(name) for o in ALL) == 1), None)
    several = [f"`:{c.name}`" for c in ALL if name and c.name.startswith(name)]
    if found is None and len(several) > 1:
        raise UsageError(f"`:{name}` could be {' or '.join(several)}")
    if found is None:
        hints = did_you_mean(name, COMMANDS)
        raise UsageError(f"there is no command `:{name}`" + (f"; {hints[0].replace('`', '`:', 1)}" if hints else "") + "; `:help` lists them")
    if rest.startswith("!") and found.name != "save":
        raise UsageError(f"`:{found.name}` takes no `!`")
    found.run(r, rest.strip())
