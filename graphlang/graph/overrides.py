"""`override J = …`: an equation in the place of the one that an included file has.

A file may override what it includes, directly or through other files. When several files on one way down override a
name, the outermost has the last word; two files side by side may not.
"""

from __future__ import annotations

from typing import NamedTuple

from graphlang.diagnostics import Diagnostic, Label, Part, Source, Span, did_you_mean
from graphlang.syntax import ast


class Written(NamedTuple):
    """The equations that one file has for a name, and how the file is reached."""

    part: Part
    equations: list[ast.Equation]

    @property
    def span(self) -> Span:
        return _name(self.equations[0]).span


def overridden(program: ast.Program, found: list[Diagnostic]) -> frozenset[int]:
    """The statements, by identity, that are replaced and mean nothing; what is wrong is added to `found`."""
    if "override" not in program.source.text:
        return frozenset()
    overrides: dict[str, dict[Source, Written]] = {}
    plain: dict[str, dict[Source, Written]] = {}
    for s in program.statements:
        if type(s) is ast.Equation:
            part = program.source.part(s.span.start)
            files = (overrides if s.override else plain).setdefault(_name(s).name, {})
            files.setdefault(part.file, Written(part, [])).equations.append(s)
    gone: set[int] = set()
    for name, files in overrides.items():
        order = sorted(files.values(), key=lambda w: len(w.part.chain))
        gone.update(id(s) for w in order[1:] for s in w.equations)
        twice = next(((w, w.equations[1]) for w in order if len(w.equations) > 1 and any(type(s.target) is ast.Name for s in w.equations)), None)
        aside = next((inner for outer, inner in zip(order, order[1:]) if not _beneath(inner.part, outer.part)), None)
        if twice or aside:
            second = twice[1] if twice else aside.equations[0]
            gone.update(id(s) for w in order for s in w.equations if s is not order[0].equations[0])
            found.append(Diagnostic("E112", f"`{name}` is overridden twice", _name(second).span, "overridden again here",
                                    (Label((twice[0] if twice else order[0]).span, "overridden here first"),), ("keep one of them",)))
        wrong = _mistake(name, order[-1], plain, program)
        if wrong is not None:
            found.append(wrong)
        if wrong is None or wrong.labels:  # it is defined already: a second definition would be an echo
            originals = [s for w in plain.get(name, {}).values() for s in w.equations]
            gone.update(id(s) for s in (originals or (s for w in order for s in w.equations)))
    return frozenset(gone)


def _mistake(name: str, innermost: Written, plain: dict[str, dict[Source, Written]], program: ast.Program) -> Diagnostic | None:
    """Why an override replaces no included equation."""
    at, part = innermost.span, innermost.part
    originals = plain.get(name, {})
    own = originals.get(part.file)
    if own is not None:
        return Diagnostic("E112", f"`{name}` is defined in this file, so there is nothing to override", at, "",
                          (Label(own.span, f"`{name}` is defined here"),), ("change that equation, and drop this one",))
    elsewhere = next((w for w in originals.values() if not _beneath(w.part, part)), None)
    if elsewhere is not None:
        return Diagnostic("E112", f"`{name}` is not defined in a file that this one includes", at, "",
                          (Label(elsewhere.span, f"`{name}` is defined here"),), ("the file that includes may override, not the one that is included",))
    if originals:
        return None
    leaf = next(((s.role, i) for s in program.statements if type(s) is ast.Declaration for i in s.items if i.name == name), None)
    if leaf is not None:
        role, item = leaf
        return Diagnostic("E112", f"`{name}` is {'an' if role == 'input' else 'a'} {role}, and `override` replaces an equation", at, "",
                          (Label(item.name_span, f"`{name}` is declared here"),), (f"another value is given when it is run: `--set {name}=…`",))
    included = [n for n, files in plain.items() if any(_beneath(w.part, part) for w in files.values())]
    return Diagnostic("E112", f"no included file defines `{name}`", at, "there is nothing to override",
                      hints=(*did_you_mean(name, included), f"without `override`, `{name} = …` is a new equation"))


def _beneath(inner: Part, outer: Part) -> bool:
    """Whether a file is included by another one, directly or through others."""
    return inner.file is not outer.file and any(file is outer.file for file in inner.chain)


def _name(s: ast.Equation) -> ast.Name:
    return s.target if type(s.target) is ast.Name else s.target.base
