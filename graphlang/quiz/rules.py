"""The rules by which the blanks of tables follow from other cells, as expressions: for platforms that carry errors forward but know no graph."""

from __future__ import annotations

from dataclasses import replace

from graphlang.graph.expressions import reads
from graphlang.graph.spell import spell
from graphlang.quiz.carried import Carrying
from graphlang.quiz.model import Part, Rule, Sheet
from graphlang.syntax.format import SOURCE, format_expr

LONGEST = 2000  # nodes of a rule


def with_rules(sheet: Sheet, carrying: Carrying) -> Sheet:
    """The sheet with the rules of every table that carries errors forward."""
    return replace(sheet, parts=tuple(replace(p, rules=rules_of(p, carrying)) if p.rows and p.carry else p for p in sheet.parts))


def rules_of(part: Part, carrying: Carrying) -> dict[str, Rule]:
    cells, found = carrying.cells, {}
    blanks = {cells.of[b.id]: b.id for b in part.blanks if b.id in cells.of}
    for cell, id in blanks.items():
        for equation in cells.way(cell, None):
            value = spell(equation.value, LONGEST)
            if value is None or equation.bindings:
                continue
            names = {format_expr(spell(read), SOURCE): read.name for read in reads(equation.value)}
            if all(len(carrying.key[name]) == 1 for name in names.values()):
                found[id] = Rule(value, {text: carrying.key[name][0] for text, name in names.items()},
                                 {text: blanks[name] for text, name in names.items() if name in blanks})
    return found
