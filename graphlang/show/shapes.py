"""Which parts of a formula are whole tables: there a product of two is one element by element, and is written so."""

from __future__ import annotations

from typing import Mapping

from graphlang.graph.graph import Variable
from graphlang.graph.matrices import COLUMN, MATRIX, ROW, SCALAR, TURNED
from graphlang.graph.reductions import REDUCTIONS
from graphlang.syntax import ast


def table_nodes(root: ast.Expr, variables: Mapping[str, Variable], numerator: bool = False) -> frozenset[int]:
    """The `id`s of the nodes that are vectors or matrices. `numerator`: the layout of the derivatives."""
    shapes: dict[int, str] = {}
    for node in ast.postorder(root):
        if id(node) not in shapes:
            shapes[id(node)] = _shape(node, shapes, variables, numerator)
    return frozenset(k for k, shape in shapes.items() if shape != SCALAR)


def _shape(node: ast.Expr, shapes: Mapping[int, str], variables: Mapping[str, Variable], numerator: bool) -> str:
    match node:
        case ast.Name(name, _):
            return _of(variables.get(name))
        case ast.Deriv(of, wrt, _, _):
            above, below = _of(variables.get(of)), _of(variables.get(wrt))
            shape = below if above == SCALAR else ROW if below == SCALAR else MATRIX
            return TURNED[shape] if numerator else shape
        case ast.Op("T", (a,), _):
            return TURNED[shapes[id(a)]]
        case ast.Op("@", (a, b), _):
            first, last = shapes[id(a)] == ROW, shapes[id(b)] == COLUMN
            return SCALAR if first and last else ROW if first else COLUMN if last else MATRIX
        case ast.Call("diag", (a,), ()):
            return COLUMN if shapes[id(a)] == MATRIX else MATRIX
        case ast.Call("solve" | "diff", (_, b), ()):
            return shapes[id(b)]
        case ast.Call(name, args, binders):
            if binders or name == "trace" or (name in REDUCTIONS and not REDUCTIONS[name].table and len(args) == 1):
                return SCALAR
    if type(node) in (ast.Op, ast.Call):
        return next((shapes[id(a)] for a in node.args if shapes[id(a)] != SCALAR), SCALAR)
    return SCALAR


def _of(v: Variable | None) -> str:
    if v is None or not 0 < len(v.ranges) < 3:
        return SCALAR
    return MATRIX if len(v.ranges) == 2 else ROW if v.row else COLUMN
