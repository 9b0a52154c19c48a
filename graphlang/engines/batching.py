"""A batch of examples as a range more: from a graph about one example to one about many, in the same language.

What depends on a leaf that has a value for each example gets the range of the batch in front; all else stays as it is. So the gradient by a
param is the sum over the batch that reverse mode finds, a product of matrices, and no engine needs to know of batches.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Iterable

from graphlang.graph.expressions import Expr, Read, reads, rebuild, transform
from graphlang.graph.graph import Binding, Equation, Goal, Graph, Range, Variable

EXAMPLE = "batch"     # the index; no author's index can have a blank in front of it
TOTAL = "total of the batch"
SEED = "seed of the batch"  # a scalar leaf: what each example's goal is multiplied by in the total
CACHE = 2**20        # bytes of a block of examples and of what is made of them
LEAST, MOST = 32, 8192  # examples of a block


def dependent(graph: Graph, leaves: Iterable[str]) -> set[str]:
    """The variables that are made of some leaves, those included."""
    found, readers = set(leaves), {}
    for e in graph.equations:
        for r in reads(e.value):
            readers.setdefault(r.name, set()).add(e.target)
    todo = list(found)
    while todo:
        for n in readers.get(todo.pop(), ()):
            if n not in found:
                found.add(n)
                todo.append(n)
    return found


def batched(graph: Graph, leaves: Iterable[str], count: int) -> Graph:
    """The graph for `count` examples, which differ in the values of `leaves`."""
    many, pool, r = dependent(graph, leaves), graph.pool, Range(1, count)
    example = pool.index(f" {EXAMPLE}")

    def along(node: Expr, args: tuple[Expr, ...]) -> Expr:
        if type(node) is Read and node.name in many:
            return pool.read(node.name, (example, *args))
        return rebuild(node, args)

    def widened(e: Expr) -> Expr:
        if type(e) is Read and not e.args:  # a leaf of the expression, which `transform` leaves alone
            return along(e, ())
        scalars = {n: pool.read(n.name, (example,)) for n in reads(e) if not n.args and n.name in many}
        return transform(e, lambda node, args: along(node, tuple(scalars.get(a, a) for a in args)))

    variables = {n: replace(v, ranges=(r, *v.ranges), initial=None, row=False, symmetric=False) if n in many else v for n, v in graph.variables.items()}
    equations = tuple(Equation(e.target, (example, *e.subs), (Binding(example.name, r), *e.bindings), widened(e.value)) if e.target in many else e
                      for e in graph.equations)
    return replace(graph, variables=variables, equations=equations, pieces={}, plans=[], expectations=(), claims=())


def with_total(graph: Graph, goal: Goal) -> Graph:
    """The graph with the goal's values over the batch, times a seed, added up: what is differentiated."""
    pool, v = graph.pool, graph.variables[goal.name]
    seed, element = pool.read(SEED), tuple(map(pool.number, goal.element or ()))
    if len(v.ranges) > len(element):
        r, i = v.ranges[0], pool.index(f" {EXAMPLE}")
        total = pool.reduce("sum", (pool.bound(i.name, pool.number(r.low), pool.number(r.high)),), pool.call("*", seed, pool.read(goal.name, (i, *element))))
    else:
        total = pool.call("*", seed, pool.read(goal.name, element))
    variables = {**graph.variables, SEED: Variable(SEED, "input"), TOTAL: Variable(TOTAL, "node")}
    return replace(graph, variables=variables, equations=(*graph.equations, Equation(TOTAL, (), (), total)), pieces={}, plans=[])


def block_size(graph: Graph, leaves: Iterable[str]) -> int:
    """How many examples go through at once: as many as stay in the cache, with all that is made of them."""
    each = sum(graph.variables[n].size for n in dependent(graph, leaves) if n in graph.variables)
    return max(LEAST, min(MOST, CACHE // (8 * max(each, 1))))
