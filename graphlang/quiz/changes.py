"""What each mistake does to a backward pass.

A finder goes through the pass and yields the places where its mistake can be made, each with the change that it is there; perturbed.py makes
graphs of them. FINDERS has one for each row of the catalogue that is not a local derivative.
"""

from __future__ import annotations

from typing import Callable, Iterator, Mapping, Sequence

from graphlang.derive.local import COMPUTED
from graphlang.derive.reverse import Contribution, adjoint_graph, differentiate, term
from graphlang.graph.expressions import Call, Expr, Index, Number, Read, Reduce
from graphlang.graph.functions import FUNCTIONS
from graphlang.graph.graph import Equation, Goal, ancestors, meets
from graphlang.graph.substitute import substitute
from graphlang.quiz.grain import Change, Grain, Place
from graphlang.quiz.mistakes import MISTAKES, Rule

LINEAR = frozenset({"+", "-", "neg"})


def places(grain: Grain) -> Iterator[Place]:
    """Every mistake at every place where it can be made, in the order of the catalogue."""
    for row in MISTAKES.values():
        found = list(by_rules(grain, row.local) if row.local else FINDERS[row.name](grain) if row.name in FINDERS else ())
        yield from (Place(row.name, *f) for f in found)


Found = tuple[str, str, Change]


# ---- local derivatives


def by_rules(grain: Grain, rules: Mapping[str, tuple[Rule, ...]]) -> Iterator[Found]:
    """At each node of the functions by itself, then at all nodes of one function at once."""
    for k in range(max(map(len, rules.values()))):
        for function, alternatives in rules.items():
            made = [(e, local_change(grain, e, alternatives[k])) for e in grain.calls(function)] if k < len(alternatives) else []
            yield from at_nodes(grain, made, f"every `{function}`")
    if "*" in rules:
        yield from at_nodes(grain, [(e, under_sum(grain, e)) for e in grain.equations], "every product under a sum")


def at_nodes(grain: Grain, made: Sequence[tuple[Equation, Change]], every: str) -> Iterator[Found]:
    made = [(e, c) for e, c in made if c != Change()]
    for e, c in made:
        yield grain.node(e.target), "", c
    if len(made) > 1:
        total = Change()
        for _, c in made:
            total = total + c
        yield every, "", total


def local_change(grain: Grain, e: Equation, rule: Rule) -> Change:
    """The local derivatives of a call by a rule. A read that is several operands has the sum of what belongs to them."""
    call = e.value
    u = e.value.pool.read(e.target, e.subs)
    if call.function == "^" and not grain.constant(call.args[1]):
        return Change()
    wrong, right = rule(u, *call.args), exact(u, call)
    out: dict[Contribution, Expr | None] = {}
    for c in grain.derivative.outgoing[e]:
        if c.loops:
            continue
        mine = [(w, r) for a, w, r in zip(call.args, wrong, right) if a is c.read]
        if any(w is not None for w, _ in mine):
            total = e.value.pool.zero
            for w, r in mine:
                total = total + (r if w is None else w)
            out[c] = total
    return Change(locals=out)


def exact(u: Expr, call: Call) -> tuple[Expr, ...]:
    row = FUNCTIONS[call.function]
    return tuple(map(call.pool.lift, (row.computed or row.shown)(u, *call.args))) if row.shown else ()


def under_sum(grain: Grain, e: Equation) -> Change:
    """`sum(a[i]*b[i] for i)`: to each factor goes itself in the place of the other one."""
    if type(e.value) is not Reduce or e.value.function != "sum" or type(e.value.body) is not Call or e.value.body.function != "*":
        return Change()
    a, b = e.value.body.args
    return Change(locals={c: c.read for c in grain.derivative.outgoing[e]
                          if type(c.computed) is Read and type(a) is Read and type(b) is Read and a.name != b.name})


def forward_stale(grain: Grain) -> Iterator[Found]:
    made = []
    for e in grain.equations:
        if type(e.value) is Call and len(e.value.args) == 1 and (rule := FUNCTIONS[e.value.function].shown) is not None:
            made.append((e, local_change(grain, e, lambda u, v, rule=rule: rule(v, v) if rule(u, v) != rule(v, v) else (None,))))
    for e, c in made:
        if c != Change():
            yield grain.node(e.target), "", c


def no_inner(grain: Grain) -> Iterator[Found]:
    for e in grain.equations:
        inside = any(type(r.value) is not Call or r.value.function not in LINEAR for r in grain.readers.get(e.target, ()))
        if e.target != grain.goal.name and inside and type(e.value) is Call:
            yield grain.node(e.target), "", ones(grain, e)


def no_outer(grain: Grain) -> Iterator[Found]:
    for e in grain.equations:
        if type(e.value) is Call and type(e.value.args[0]) is Read and not grain.graph.variables[e.value.args[0].name].is_leaf:
            if len(e.value.args) == 1 and e.value.function not in LINEAR or e.value.function == "^" and grain.constant(e.value.args[1]):
                yield grain.node(e.target), "", ones(grain, e)


def ones(grain: Grain, e: Equation) -> Change:
    one = grain.graph.pool.one
    return Change(locals={c: one for c in grain.derivative.outgoing[e] if c.computed is not one})


def signed_terms(value: Expr) -> Iterator[tuple[int, Expr]]:
    work = [(1, value)]
    while work:
        sign, node = work.pop()
        if type(node) is Call and node.function in LINEAR:
            if len(node.args) == 2:
                work.append((sign if node.function == "+" else -sign, node.args[1]))
            work.append((-sign if node.function == "neg" else sign, node.args[0]))
        else:
            yield sign, node


def sub_sign(grain: Grain) -> Iterator[Found]:
    made = []
    for e in grain.calls(*LINEAR):
        terms, pool = list(signed_terms(e.value)), grain.graph.pool
        made.append((e, Change(locals={c: pool.number(sum(t is c.read for _, t in terms)) for c in grain.derivative.outgoing[e]
                                       if any(s < 0 and t is c.read for s, t in terms)})))
    yield from at_nodes(grain, made, "every minus")


def const_deriv(grain: Grain) -> Iterator[Found]:
    """The constant's own local derivative is added to that of the only variable beside it."""
    made, pool = [], grain.graph.pool
    for e in grain.calls("+", "-", "*", "/"):
        edges = grain.derivative.outgoing[e]
        if len(edges) != 1 or edges[0].loops:
            continue
        (c,) = edges
        if e.value.function in LINEAR:
            extra = pool.number(sum(s for s, t in signed_terms(e.value) if grain.constant(t)))
        else:
            kinds = list(map(grain.constant, e.value.args))
            extra = pool.zero if sum(kinds) != 1 else exact(pool.read(e.target, e.subs), e.value)[kinds.index(True)]
        if extra is not pool.zero:
            made.append((e, Change(locals={c: c.computed + extra})))
    yield from at_nodes(grain, made, "every constant")


def mean_no_n(grain: Grain) -> Iterator[Found]:
    made, pool = [], grain.graph.pool
    for e in grain.equations:
        edges = grain.derivative.outgoing[e]
        if type(e.value) is Reduce and e.value.function == "mean" and all(type(x) is Number for b in e.value.binders for x in (b.low, b.high)):
            n = 1
            for b in e.value.binders:
                n *= int(b.high.value) - int(b.low.value) + 1
            made.append((e, Change(locals={c: c.computed * pool.number(n) for c in edges} if n > 1 else {})))
        elif type(e.value) is Call and e.value.function == "/" and grain.constant(e.value.args[1]) and len(edges) == 1:
            made.append((e, Change(locals={edges[0]: pool.one})))
    yield from at_nodes(grain, made, "every division by a constant")


def softmax_diag(grain: Grain) -> Iterator[Found]:
    for e in grain.equations:
        if type(e.value) is Reduce and e.value.function in ("softmax", "log_softmax"):
            pool = grain.graph.pool
            locals = {}
            for c in grain.derivative.outgoing[e]:
                same = pool.one
                for mine, its in zip(e.value.at, c.read.args):
                    same = same * pool.call("==", mine, its)
                locals[c] = c.computed * same
            yield grain.node(e.target), "", Change(locals=locals)


def ce_sign(grain: Grain) -> Iterator[Found]:
    """The sign of what goes back into the logits, where a logarithm is taken of the probabilities or of one minus them."""
    for e in grain.equations:
        f = e.value.function if type(e.value) in (Call, Reduce) else ""
        below = [x for r in grain.readers.get(e.target, ()) for x in (r, *grain.readers.get(r.target, ()))]
        logs = any(type(x.value) is Call and x.value.function in ("log", "xlogy") for x in below)
        if f in ("log_softmax", "log_sigmoid", "softplus") or f in ("softmax", "sigmoid") and logs:
            yield grain.node(e.target), "", Change(locals={c: -c.computed for c in grain.derivative.outgoing[e]})


# ---- edges


def fans(grain: Grain) -> Iterator[tuple[str, list[tuple[Contribution, ...]]]]:
    """Variables with several incoming edges: step by step, and where that is another grain, by the author's equations."""
    for name in grain.derivative.variables:
        edges = grain.derivative.incoming.get(name, ())
        if not any(meets(a.box, b.box) for k, a in enumerate(edges) for b in edges[:k]):  # of a table: edges into other elements are no other paths
            continue
        yield name, [(c,) for c in edges]
        groups: dict[object, list[Contribution]] = {}
        for c in edges:
            groups.setdefault(c.source.span or c.source, []).append(c)
        if 1 < len(groups) < len(edges):
            yield name, list(map(tuple, groups.values()))


def drop_path(grain: Grain) -> Iterator[Found]:
    for name, edges in fans(grain):
        for left_out in edges:
            if len(left_out) > 1 or len(edges) == len(grain.derivative.incoming[name]):
                yield " and ".join(grain.node(c.source.target) for c in left_out), grain.node(name), Change(locals=dict.fromkeys(left_out))


def one_path(grain: Grain, which: int) -> Iterator[Found]:
    every = Change()
    found = []
    for name, edges in fans(grain):
        found.append((name, Change(locals={c: None for k, group in enumerate(edges) if k != which % len(edges) for c in group})))
        if len(edges) == len(grain.derivative.incoming[name]):
            every = every + found[-1][1]
    for name, c in found:
        yield grain.node(name), grain.node(name), c
    if len({name for name, _ in found}) > 1:
        yield "every variable that is used several times", "", every


def no_batch_sum(grain: Grain) -> Iterator[Found]:
    for name in grain.derivative.variables:
        for c in grain.derivative.incoming.get(name, ()):
            own = {b.index for b in c.source.bindings}
            if not c.summed or c.guards or not all(b.index in own for b in c.summed) or any(b.index in c.solved(c.computed).free for b in c.summed):
                continue
            total = term(grain.derivative, c, COMPUTED)
            if type(total) is Reduce:
                yield grain.node(c.source.target), grain.node(name), Change(terms={c: substitute(total.body, {b.index: b.high for b in c.summed})})


# ---- matrices


def layout(grain: Grain) -> Iterator[Found]:
    variables = grain.graph.variables
    for name in grain.derivative.variables:
        v = variables[name]
        if len(v.ranges) == 2 and v.ranges[0] == v.ranges[1] and v.ranges[0].extent > 1:
            subs, over = grain.index_of(name)
            if name in grain.author.variables:
                made = Equation(grain.derivative.adjoint_name(name), subs, over, grain.adjoint(name, subs[::-1]))
                yield grain.node(name), "", Change(adjoints={name: made})
            turned = {}
            for c in (c for edges in grain.derivative.incoming.values() for c in edges):
                if type(c.computed) is Read and c.computed.name == name and c.summed:
                    turned[c] = grain.graph.pool.read(name, c.computed.args[::-1])
            if turned:
                yield grain.node(name), "", Change(locals=turned)


def outer_inner(grain: Grain) -> Iterator[Found]:
    """sum(dJ/dz[k]*x[k]) for every entry of dJ/dW, in the place of dJ/dz[i]*x[k]."""
    pool, ranges = grain.graph.pool, {n: v.ranges for n, v in grain.graph.variables.items()}
    for name in grain.derivative.variables:
        for c in grain.derivative.incoming.get(name, ()):
            if len(c.at) == 2 and not c.summed and type(c.computed) is Read and len(c.computed.args) == 1 and len(ranges[c.source.target]) == 1:
                i, j = c.at
                mine = c.solved(c.computed).args[0]
                if type(i) is Index and type(j) is Index and {mine, *c.source_subs} == {i, j} and ranges[name][0] == ranges[name][1]:
                    r = ranges[name][0]
                    k = pool.index(" k")
                    one = substitute(term(grain.derivative, c, COMPUTED), {i.name: k, j.name: k})
                    total = pool.sum((pool.bound(k.name, pool.number(r.low), pool.number(r.high)),), one)
                    yield grain.node(name), grain.node(name), Change(terms={c: total})


def hadamard_matmul(grain: Grain) -> Iterator[Found]:
    """dJ/dC[i,j]*B[i,j] in the place of sum(dJ/dC[i,k]*B[j,k] for k)."""
    pool, variables = grain.graph.pool, grain.graph.variables
    for name in grain.derivative.variables:
        for c in grain.derivative.incoming.get(name, ()):
            factor = c.computed
            if len(c.at) != 2 or len(c.summed) != 1 or type(factor) is not Read or len(factor.args) != 2 or not all(type(s) is Index for s in c.at):
                continue
            if variables[c.source.target].ranges == variables[factor.name].ranges == variables[name].ranges:
                up = pool.one if c.source.target == grain.goal.name else grain.adjoint(c.source.target, c.at)
                yield grain.node(c.source.target), grain.node(name), Change(terms={c: up * pool.read(factor.name, c.at)})


# ---- the pass as a whole


def seeds(grain: Grain, seed: Callable[[Expr], Expr]) -> Iterator[Found]:
    pool, goal = grain.graph.pool, grain.goal
    value = seed(pool.read(goal.name, tuple(map(pool.number, goal.element or ()))))
    yield "", "", Change(adjoints={n: grain.whole_adjoint(n, lambda right: pool.call("*", value, right)) for n in grain.derivative.variables})


def log10(grain: Grain) -> Iterator[Found]:
    pool, needed = grain.graph.pool, ancestors(grain.graph, {grain.goal.name})
    changed = [e for e in grain.graph.equations if e.target in needed and type(e.value) is Call and e.value.function == "log"]
    if changed:
        forward = {e: pool.call("log10", *e.value.args) for e in changed}
        backward = {}
        for e in changed:
            backward |= local_change(grain, e, lambda u, v: FUNCTIONS["log10"].shown(u, v)).locals if e in grain.derivative.outgoing else {}
        yield "", "", Change(locals=backward, forward=forward)


def round_each(grain: Grain) -> Iterator[Found]:
    yield "", "", Change(whole=True)


def prod_deriv(grain: Grain) -> Iterator[Found]:
    """du/dx·dv/dx in the place of the whole derivative of u·v by x, for each x that both depend on."""
    pool, variables = grain.graph.pool, grain.graph.variables
    if any(v.ranges for v in variables.values() if v.role != "const"):
        return
    for e in grain.calls("*", "/"):
        a, b = e.value.args
        if type(a) is not Read or type(b) is not Read or a is b:
            continue
        parts = {n: differentiate(grain.graph, Goal("output", n)) for n in (a.name, b.name)}
        both = [x for x in grain.derivative.variables if all(x in d.incoming or x == n for n, d in parts.items())]
        if not both:
            continue
        more = []
        for d in parts.values():
            more += adjoint_graph(d).equations[len(grain.graph.equations):]
        adjoints = {}
        for x in both:
            da, db = (pool.read(d.adjoint_name(x)) for d in parts.values())
            right = da * b + a * db if e.value.function == "*" else da / b - a * db / (b * b)
            wrong = da * db if e.value.function == "*" else da / db
            up = pool.one if e.target == grain.goal.name else grain.adjoint(e.target)
            adjoints[x] = grain.whole_adjoint(x, lambda whole: whole + up * (wrong - right))
        yield grain.node(e.target), "", Change(adjoints=adjoints, more=tuple(more))


FINDERS: dict[str, Callable[[Grain], Iterator[Found]]] = {
    "drop_path": drop_path, "overwrite": lambda g: one_path(g, -1), "first_path": lambda g: one_path(g, 0), "no_inner": no_inner,
    "no_outer": no_outer, "log10": log10, "prod_deriv": prod_deriv, "const_deriv": const_deriv, "sub_sign": sub_sign,
    "softmax_diag": softmax_diag, "ce_sign": ce_sign, "forward_stale": forward_stale, "seed_zero": lambda g: seeds(g, lambda goal: goal.pool.zero),
    "seed_L": lambda g: seeds(g, lambda goal: goal), "round_each": round_each, "layout": layout, "outer_inner": outer_inner,
    "hadamard_matmul": hadamard_matmul, "no_batch_sum": no_batch_sum, "mean_no_n": mean_no_n,
}
