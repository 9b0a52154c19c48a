"""Change every derivative rule of the tables in every simple way, and count the changes that the tests notice.

    python tools/mutate_rules.py                 all rows; exit status 1 below 99 %
    python tools/mutate_rules.py --row tanh      one row, each change on a line
    python tools/mutate_rules.py --json

Kinds of change: the sign of one derivative, a factor of 1 + 1e-9, a term or a factor that is missing, two operands swapped, a
condition turned round. A change that makes no difference at any of the points (swapped operands of a symmetric rule, a branch that is
never taken) is equivalent and not counted. The tests are those of tests/test_rules_exactly.py.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
from collections import Counter
from pathlib import Path
from typing import Callable, Iterator, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import test_rules_exactly as exactly  # noqa: E402
from graphlang.engines.reference import plain  # noqa: E402
from graphlang.graph.expressions import Call, Expr, Pool, operands, postorder, rebuild  # noqa: E402
from graphlang.graph.functions import FUNCTIONS  # noqa: E402
from graphlang.graph.reductions import REDUCTIONS  # noqa: E402

FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "!=", "!=": "=="}
WANTED = 0.99


class Mutant(NamedTuple):
    table: str      # functions or reductions
    row: str
    form: str       # computed, shown, raw
    kind: str
    said: str       # what was done
    rule: Callable


def put(root: Expr, old: Expr, new: Expr) -> Expr:
    """The expression with another in the place of one of its parts."""
    done: dict[Expr, Expr] = {old: new}
    for node in postorder(root):
        if node not in done:
            below = operands(node)
            done[node] = rebuild(node, tuple(done[b] for b in below)) if below else node
    return done[root]


def changes(e: Expr) -> Iterator[tuple[str, str, Callable[[Expr], Expr]]]:
    """(kind, what, the change) for one derivative; a change is told by the place of the part, since a rule makes new expressions."""
    yield "sign", "-", lambda x: x.pool.call("neg", x)
    yield "factor", "1 + 1e-9", lambda x: x.pool.call("*", x.pool.number(1 + 1e-9), x)
    for place, node in enumerate(postorder(e)):
        if type(node) is not Call:
            continue
        if node.function in FLIPPED:
            yield "condition", node.function, lambda x, place=place: at(x, place, lambda n: n.pool.call(FLIPPED[n.function], *n.args))
        elif node.function in ("+", "-", "*", "/", "^", "neg"):
            for k in range(len(node.args) if node.function in ("+", "*") else 1):
                yield "missing", f"operand of {node.function}", lambda x, place=place, k=k: at(x, place, lambda n: n.args[k])
            if node.function == "-":
                yield "missing", "first of -", lambda x, place=place: at(x, place, lambda n: n.pool.call("neg", n.args[1]))


def at(root: Expr, place: int, change: Callable[[Expr], Expr]) -> Expr:
    node = list(postorder(root))[place]
    return put(root, node, change(node))


def mutants(only: str | None) -> Iterator[Mutant]:
    for name, row in FUNCTIONS.items():
        if row.shown is None or (only and name != only):
            continue
        for form in ("computed", "shown", "raw"):
            rule = getattr(row, form)
            if rule is not None:
                yield from of_function(name, form, rule)
    for name, row in REDUCTIONS.items():
        if only and name != only or name in exactly.STEPS:
            continue
        for form in ("computed", "shown"):
            rule = getattr(row, form)
            if rule is not None:
                yield from of_reduction(name, form, rule)


def of_function(name: str, form: str, rule: Callable) -> Iterator[Mutant]:
    pool = Pool()
    literals = exactly.LITERALS.get(name, ())
    point = exactly.points(name)[0]
    given = [pool.number(p) if k in literals else pool.read(exactly.NAMES[k]) for k, p in enumerate(point)]
    parts = rule(pool.read("u"), *given)
    for k, e in enumerate(parts):
        if k in literals or (type(e) is not Call and e is pool.zero):
            continue
        for kind, said, change in changes(e):
            def changed(u, *ops, k=k, change=change):
                found = list(rule(u, *ops))
                found[k] = change(found[k])
                return tuple(found)

            yield Mutant("functions", name, form, kind, f"operand {k + 1}: {said}", changed)
    if len(parts) == 2 and not literals:
        yield Mutant("functions", name, form, "swapped", "derivatives", lambda u, a, b: tuple(reversed(rule(u, a, b))))
        yield Mutant("functions", name, form, "swapped", "operands", lambda u, a, b: rule(u, b, a))


def of_reduction(name: str, form: str, rule: Callable) -> Iterator[Mutant]:
    from graphlang.graph.graph import Range

    matrix = name in exactly.OF_MATRICES or name == "_solve"
    graph = exactly.made("inv" if name == "_solve" else name, (Range(1, 3), Range(1, 3)) if matrix else (Range(1, 3),),
                         ((1, 2) if matrix else (1,)) if REDUCTIONS[name].table else ())
    seen = []

    def looked(r, result):
        seen.append(rule(r, result))
        return seen[-1]

    if name == "_solve":
        from graphlang.pipeline import loads

        graph = loads("input A[3,3], b[3]\nJ = solve(A, b)[1]\n").graph
    old = REDUCTIONS[name]
    REDUCTIONS[name] = old._replace(**{form: looked} if form == "shown" or old.computed else {"shown": looked})
    try:
        (equation,) = [e for e in graph.equations if e.target == "J"]
        from graphlang.derive.reverse import grouped

        list(grouped(equation, form))
    finally:
        REDUCTIONS[name] = old
    for kind, said, change in changes(seen[0].pool.lift(seen[0]) if seen else Pool().one):
        yield Mutant("reductions", name, form, kind, said, lambda r, result, change=change: change(r.pool.lift(rule(r, result))))


def killed(m: Mutant) -> bool:
    table = FUNCTIONS if m.table == "functions" else REDUCTIONS
    old = table[m.row]
    table[m.row] = old._replace(**{m.form: m.rule})
    try:
        exactly.check(m.table, m.row, m.form)
        return False
    except Exception:  # noqa: BLE001  an error is noticed too
        return True
    finally:
        table[m.row] = old


def equivalent(m: Mutant) -> bool:
    """Whether a mutant that lives gives the same derivatives at points of all kinds, special ones too."""
    if m.table != "functions":
        return False
    row, rng = FUNCTIONS[m.row], random.Random(0)
    rule = getattr(row, m.form)
    special = (0.0, 1.0, -1.0, 2.0, 0.5, -0.5, 30.0, -30.0)
    n = row.arity[0]
    literals = exactly.LITERALS.get(m.row, ())
    trials = [tuple(rng.choice(special) if rng.random() < 0.4 else rng.uniform(-3, 3) for _ in range(n)) for _ in range(300)]
    for point in trials:
        pool = Pool()
        point = tuple(float(max(1, abs(round(p)))) if k in literals else p for k, p in enumerate(point))
        given = [pool.number(p) if k in literals else pool.read(exactly.NAMES[k]) for k, p in enumerate(point)]
        values = {exactly.NAMES[k]: [p] for k, p in enumerate(point)} | {"u": [row.reference(*point)]}
        for a, b in zip(rule(pool.read("u"), *given), m.rule(pool.read("u"), *given)):
            x, y = (plain(pool.lift(e), values, {}) for e in (a, b))
            if not (x == y or (x != x and y != y) or (math.isfinite(x) and abs(x - y) <= 1e-13 * max(abs(x), abs(y)))):
                return False
    return True


def report(found: list[tuple[Mutant, str]], rows: bool) -> float:
    counts = Counter(result for _, result in found)
    share = counts["killed"] / max(1, counts["killed"] + counts["survived"])
    if rows:
        for m, result in found:
            print(f"{result:10}  {m.row}, {m.form}: {m.kind}, {m.said}")
    kinds = sorted({m.kind for m, _ in found})
    print(f"{'':12}" + "".join(f"{k:>11}" for k in ("killed", "survived", "equivalent")))
    for kind in kinds:
        c = Counter(result for m, result in found if m.kind == kind)
        print(f"{kind:12}" + "".join(f"{c[k]:11}" for k in ("killed", "survived", "equivalent")))
    for m, result in found:
        if result == "survived" and not rows:
            print(f"survived: {m.row}, {m.form}: {m.kind}, {m.said}")
    print(f"{len(found)} changes, {share:.2%} of those that make a difference are noticed")
    return share


def results(only: str | None = None, progress: Callable[[str], None] = lambda text: None) -> list[tuple[Mutant, str]]:
    out = []
    for m in mutants(only):
        progress(f"{m.row}, {m.form}: {m.kind}")
        out.append((m, "killed" if killed(m) else "equivalent" if equivalent(m) else "survived"))
    return out


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--row", metavar="NAME", help="one row of the tables")
    parser.add_argument("--json", action="store_true", help="the counts as JSON")
    options = parser.parse_args()
    from graphlang.show.console import ticking

    with ticking("changing rules", sys.stderr.isatty()) as tick:
        found = results(options.row, tick)
    if options.json:
        counts = Counter(result for _, result in found)
        print(json.dumps({"changes": len(found), **counts, "survivors": [f"{m.row}, {m.form}: {m.kind}, {m.said}" for m, r in found if r == "survived"]}, indent=1))
        return 0 if counts["killed"] >= WANTED * (counts["killed"] + counts["survived"]) else 1
    return 0 if report(found, options.row is not None) >= WANTED else 1


if __name__ == "__main__":
    raise SystemExit(main())
