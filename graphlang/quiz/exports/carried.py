"""Errors carried forward where a platform can compute: the rules of blanks as lists that a few lines of Python run."""

from __future__ import annotations

from typing import Mapping

from graphlang.quiz.exports.intervals import tidy
from graphlang.quiz.exports.losses import Losses
from graphlang.quiz.exports.prairielearn_server import OPERATIONS
from graphlang.quiz.model import Part, Rule, Value
from graphlang.syntax import ast
from graphlang.syntax.format import SOURCE, format_expr

CONSTANTS = {"pi": 3.141592653589793, "e": 2.718281828459045}

Step = float | str | list


def group(part: Part, losses: Losses) -> list[dict]:
    """What a part's blanks are carried forward by: in a list, for a part without it has none."""
    if not part.carry or len(part.blanks) < 2:
        return []
    rules = {name: steps(rule) for name, rule in part.rules.items()}
    rules = {name: found for name, found in rules.items() if found is not None}
    losses.add("blank", "blanks", "marked without errors carried forward: the rule is not known there", sum(b.id not in rules for b in part.blanks))
    printed = [float(p.text) for row in part.rows for c in row.cells for p in c.pieces if type(p) is Value]
    return [{"carry": tidy(part.carry), "order": list(part.order) or [b.id for b in part.blanks], "rules": rules, "printed": printed,
             "cells": {b.id: float(b.exact) for b in part.blanks}}]


def steps(rule: Rule) -> list[Step] | None:
    """A rule with its operands before each operation; blanks by their ids, other cells by their values. None where something is no operation of numbers."""
    out: list[Step] = []
    stack: list[tuple[ast.Expr, bool]] = [(rule.value, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            out.append([operation(node), len(node.args)])
        elif type(node) is ast.Num:
            out.append(node.value)
        elif type(node) in (ast.Name, ast.Subscript, ast.Deriv):
            cell = named(format_expr(node, SOURCE), rule.typed, rule.given)
            if cell is None:
                return None
            out.append(cell)
        elif type(node) in (ast.Op, ast.Call) and operation(node) in OPERATIONS and not (type(node) is ast.Call and node.binders):
            stack.append((node, True))
            stack += [(a, False) for a in reversed(node.args)]
        else:
            return None
    return out


def operation(node: ast.Op | ast.Call) -> str:
    return node.name if type(node) is ast.Call else {"coef": "*"}.get(node.op, node.op)


def named(text: str, typed: Mapping[str, str], given: Mapping[str, float]) -> str | float | None:
    return typed.get(text) or given.get(text, CONSTANTS.get(text))
