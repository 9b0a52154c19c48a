"""Recurrences as loops: an order found from subscripts is one that going through the elements finds too."""

from itertools import product
from random import Random

import graphlang as gl
import pytest
from graphlang.graph.affine import affine
from graphlang.graph.coverage import points
from graphlang.engines.numba_engine import available
from graphlang.graph.inequalities import least
from graphlang.graph.order import plan
from graphlang.graph.recurrence import _holds, _inner_points, element_order, guarded_reads
from graphlang.graph.schedule import Loop, Step, schedule


def recurrences(text: str):
    graph = gl.loads(text).graph
    return graph, [g for g in plan(graph).groups if g.recurrent]


def expanded(items, loops=None):
    """The elements that loops and steps make, one after the other; those of one step together."""
    loops = loops or {}
    for item in items:
        if type(item) is Loop:
            assert item.low < item.high
            values = range(item.low, item.high + 1)
            for t in values if item.step == 1 else reversed(values):
                yield from expanded(item.body, {**loops, item.index: t})
        else:
            names = [b.index for b in item.equation.bindings]
            assert sorted(names) == sorted([*item.at, *item.over])
            ranges = [range(r, r + 1) for r in (loops[t.loop] + t.plus for t in item.at.values())] + [range(r.low, r.high + 1) for r in item.over.values()]
            points = [dict(zip([*item.at, *item.over], at)) for at in product(*ranges)]
            yield [(item.equation, tuple(at[n] for n in names)) for at in points]


def reads_of(graph, members):
    """For each element those that it reads, by going through all indices of all reads."""
    owner = {(e.target, *(at[s.name] if s.free else int(s.value) for s in e.subs)): (e, tuple(at.values())) for e in members for at in points(e.bindings, ())}
    out = {element: set() for element in owner.values()}
    for e, key in owner.values():
        at = dict(zip((b.index for b in e.bindings), key))
        for read, around, guards in guarded_reads(e.value):
            for inner in _inner_points(around, at):
                if all(_holds(c, wanted, inner) for c, wanted in guards):
                    place = (read.name, *(c + sum(f * inner[k] for k, f in form.items()) for c, form in map(affine, read.args)))
                    if place in owner:
                        out[e, key].add(owner[place])
    return out


def assert_ordered(graph, group, items):
    """Every element once, after all that it reads; and none in the same step as what it reads."""
    below, done = reads_of(graph, group.equations), set()
    for elements in expanded(items):
        for element in elements:
            assert element not in done and below[element] <= done, (element, below[element] - done)
        done.update(elements)
    assert done == set(element_order(list(group.equations), graph))


def shape(items) -> str:
    """Loops as brackets, steps as their tables: `(a b)` is a loop over two steps; `<…>` runs downward."""
    return " ".join(i.equation.target if type(i) is Step else ("(" if i.step == 1 else "<") + shape(i.body) + (")" if i.step == 1 else ">") for i in items)


LSTM = """const T = 5, H = 3
param W[H,H] = uniform(0, 1), V[H,H] = uniform(0, 1), U[H,H] = uniform(0, 1), R[H,H] = uniform(0, 1)
data x[T,H] = normal(0, 1)
h[0,j] = 0.1 for j in 1..H
c[0,j] = 0.2 for j in 1..H
i[k,j] = sigmoid(sum(W[j,m]*h[k-1,m] for m in 1..H) + x[k,j]) for k in 1..T, j in 1..H
f[k,j] = sigmoid(sum(V[j,m]*h[k-1,m] for m in 1..H)) for k in 1..T, j in 1..H
o[k,j] = sigmoid(sum(U[j,m]*h[k-1,m] for m in 1..H)) for k in 1..T, j in 1..H
g[k,j] = tanh(sum(R[j,m]*h[k-1,m] for m in 1..H)) for k in 1..T, j in 1..H
c[k,j] = f[k,j]*c[k-1,j] + i[k,j]*g[k,j] for k in 1..T, j in 1..H
h[k,j] = o[k,j]*tanh(c[k,j]) for k in 1..T, j in 1..H
J = sum(h[T,j]^2 for j in 1..H)
minimize J
"""
FAMILIES = {
    "a chain": ("h[0] = x\nh[k] = sin(h[k-1]) + x for k in 1..9\nJ = h[9]", "(h)"),
    "a chain downward": ("h[9] = x\nh[k] = sin(h[k+1]) + x for k in 0..8\nJ = h[0]", "<h>"),
    "two back": ("f[0] = x\nf[1] = x\nf[k] = f[k-1] + f[k-2] for k in 2..9\nJ = f[9]", "(f)"),
    "tables in turns": ("a[0] = x\nb[0] = x\na[k] = sin(b[k-1]) for k in 1..9\nb[k] = a[k] + b[k-1] for k in 1..9\nJ = b[9]", "(a b)"),
    "tables shifted against each other": ("a[1] = x\nb[0] = x\na[k] = sin(b[k-2])*a[k-1] for k in 2..10\nb[k] = a[k+1] + b[k-1] for k in 1..9\nJ = b[9]", "(a b)"),
    "a grid": ("d[0,j] = x for j in 0..4\nd[i,0] = x for i in 1..5\nd[i,j] = d[i-1,j] + d[i,j-1]*x for i in 1..5, j in 1..4\nJ = d[5,4]", "((d))"),
    "a grid from the other corner": ("d[5,j] = x for j in 0..4\nd[i,4] = x for i in 0..4\nd[i,j] = d[i+1,j] + d[i,j+1]*x for i in 0..4, j in 0..3\nJ = d[0,0]", "<<d>>"),
    "columns that need one loop": ("a[0,j] = x for j in 0..4\na[i,0] = x for i in 1..4\na[i,j] = x*a[i-1,j-1] + a[i,j-1] for i in 1..4, j in 1..4\nJ = a[4,4]", "(a)"),
    "a recurrent network": ("const H = 3\ninput W[H,H] = uniform(0, 1)\nh[0,j] = x for j in 1..H\nh[k,j] = tanh(sum(W[j,i]*h[k-1,i] for i in 1..H)) for k in 1..6, j in 1..H\nJ = sum(h[6,j] for j in 1..H)", "(h)"),
    "an LSTM": (LSTM, "(f i o g c h)"),
    "all that is earlier": ("h[0] = x\nh[k] = sum(h[i]*x for i in 0..k-1) for k in 1..9\nJ = h[9]", "(h)"),
    "all that is earlier, by a condition": ("h[0] = x\nh[k] = sum(where(i < k, h[i]*x, 0) for i in 0..9) for k in 1..9\nJ = h[9]", "(h)"),
    "a heap": ("t[k] = t[2*k]*t[2*k+1] for k in 1..7\nt[k] = x*k for k in 8..15\nJ = t[1]", "<t>"),
    "a seed inside of the recurrence": ("q[0] = x\nh[k] = sin(q[k-1]) for k in 1..9\nq[k] = h[k]*2 for k in 1..4\nq[k] = h[k]*3 for k in 5..9\nJ = q[9]", "(h q) (h q)"),
    "a scalar half way": ("s = sum(h[k] for k in 0..3)\nh[k] = where(k > 3, s*x, x*k) for k in 0..9\nJ = h[9]", "h h s h"),
    "an element by itself": ("h[0] = x\nh[k] = h[k-1] + h[0] for k in 1..4\nh[5] = prod(h[i] for i in 0..4)\nh[k] = h[k-1] + h[5] for k in 6..9\nb[k] = h[k] for k in 0..9\nJ = b[9]", "(h) (h)"),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_families_of_recurrences_are_loops(name):
    text, wanted = FAMILIES[name]
    graph, groups = recurrences(text if "minimize" in text else f"{text}\noutput J\ninput x = 0.5\n")
    found = [schedule(g, graph) for g in groups]
    assert " ".join(map(shape, found)) == wanted
    for group, items in zip(groups, found):
        assert_ordered(graph, group, items)


@pytest.mark.parametrize("text", [
    "data c[1..6] = [1, 1, 2, 1, 3, 2]\nh[0] = x\nh[1] = x\nh[k] = h[c[k]]*x for k in 2..6\nJ = h[6]",  # subscripts that are values
    "h[4] = x\nh[k] = h[8-k]*x for k in 5..8\nh[k] = h[7-k]/x for k in 0..3\nJ = h[0]",  # out from the middle, on both sides in turns
])  # fmt: skip
def test_others_keep_their_list_of_elements(text):
    graph, groups = recurrences(f"{text}\noutput J\ninput x = 0.5\n")
    assert groups and [schedule(g, graph) for g in groups] == [None] * len(groups) and all(g.elements for g in groups)


# ---- at random


class Tables:
    """Some tables over boxes, with seeds along their lower (or upper) sides, that read one another at shifts, over parts of rows, and by conditions."""

    def __init__(self, rng: Random):
        self.rng = rng
        self.dims, self.tables = rng.choice([1, 1, 2]), [f"t{k}" for k in range(rng.randint(1, 3))]
        self.size, self.edge = rng.randint(3, 5), 2
        self.backward = rng.random() < 0.3
        self.low, self.high = (0, self.size) if self.backward else (self.edge, self.edge + self.size)

    def sub(self, index: str, shift: int) -> str:
        return index + (f" + {shift}" if shift > 0 else f" - {-shift}" if shift else "")

    def read(self) -> str:
        rng, sign = self.rng, 1 if self.backward else -1
        name = rng.choice(self.tables)
        shifts = [sign * rng.choice([0, 0, 1, 1, 2, -1]) for _ in range(self.dims)]
        subs = [self.sub(i, s) if self.fits(s) else i for i, s in zip("ij", shifts)]
        if rng.random() < 0.15:
            d = rng.randrange(self.dims)
            bounds = (f"{'ij'[d]} + 1", self.high + self.edge) if self.backward else (0, f"{'ij'[d]} - 1")
            subs[d] = "m"
            return f"sum({name}[{', '.join(subs)}] for m in {bounds[0]}..{bounds[1]})"
        read = f"{name}[{', '.join(subs)}]"
        if rng.random() < 0.15:
            return f"where(i {rng.choice(['<', '>='])} {rng.randint(self.low, self.high)}, {read}, 1)"
        return read

    def fits(self, shift: int) -> bool:
        """Whether a read at a shift stays inside of the table."""
        return -self.low <= shift <= (self.edge if self.backward else 0)

    def pieces(self, name: str) -> list[str]:
        rng, out = self.rng, []
        whole = (0, self.high + (self.edge if self.backward else 0))
        border = (self.high + 1, whole[1]) if self.backward else (0, self.low - 1)
        inner, outer = (self.low, self.high), whole
        if self.dims == 1:
            out += [f"{name}[{k}] = {rng.choice(['x', 'x', 'x + 1'])}" for k in range(border[0], border[1] + 1)]
            parts = [inner] if rng.random() < 0.6 else [(inner[0], inner[0] + 1), (inner[0] + 2, inner[1])]
            return out + [f"{name}[i] = {self.value()} for i in {a}..{b}" for a, b in parts]
        out.append(f"{name}[i,j] = x for i in {border[0]}..{border[1]}, j in {outer[0]}..{outer[1]}")
        out.append(f"{name}[i,j] = x for i in {inner[0]}..{inner[1]}, j in {border[0]}..{border[1]}")
        return out + [f"{name}[i,j] = {self.value()} for i in {inner[0]}..{inner[1]}, j in {inner[0]}..{inner[1]}"]

    def value(self) -> str:
        return " + ".join(f"sin({self.read()})" for _ in range(self.rng.randint(1, 3)))

    def program(self) -> str:
        lines = [piece for name in self.tables for piece in self.pieces(name)]
        last = ", ".join([str(self.high)] * self.dims)
        goal = " + ".join(f"sum({n}) + {n}[{last}]" if self.dims == 1 else f"{n}[{last}]" for n in self.tables)
        self.rng.shuffle(lines)
        return "\n".join([*lines, f"J = {goal}", "output J", "input x = 0.5", ""])


def at_random(seed: int) -> str | None:
    """A program; None where its elements depend on themselves."""
    text = Tables(Random(seed)).program()
    try:
        gl.loads(text).graph
    except gl.GraphError as e:
        assert {d.code for d in e.diagnostics} == {"E110"}, text
        return None
    return text


@pytest.mark.parametrize("block", range(8))
def test_random_recurrences_are_put_in_an_order_that_holds(block):
    counted = found = 0
    for seed in range(block * 60, block * 60 + 60):
        text = at_random(seed)
        graph, groups = recurrences(text) if text is not None else (None, [])
        for group in groups:
            items = schedule(group, graph)
            counted, found = counted + 1, found + (items is not None)
            if items is not None:
                assert_ordered(graph, group, items)
    assert counted >= 15 and found == counted  # uniform as they are, all have an order by loops


def test_no_order_is_found_where_an_element_depends_on_itself():
    """The list of elements has the last word there, with its message; a schedule would be a wrong proof."""
    from graphlang.graph.order import Recurrence, components, dependencies

    refused = 0
    for seed in range(1000, 1100):
        text = Tables(Random(seed)).program()
        if at_random(seed) is None:
            refused += 1
            graph = unchecked(text)
            below = dependencies(graph)
            assert any(schedule(Recurrence(tuple(m), graph), graph) is None for m in components(graph.equations, below) if len(m) > 1 or m[0] in below[m[0]])
    assert refused > 15


def unchecked(text: str):
    """The graph of a program whose elements depend on themselves."""
    from graphlang.graph import build

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "check_cycles", lambda graph: [])
        return gl.loads(text).graph


# ---- compiled


def assert_agrees(program, engine):
    """Value and gradients are those of the reference engine, which goes through the list of elements."""
    run = program.run(ieee=True)
    names = [n for n in run.adjoints if n.isidentifier()]
    value, gradients = program.compile(names, engine=engine)()
    scale = max([1.0, *(abs(x) for n in names for x in flat(run.adjoints[n]))])  # what is added up to a small number rounds as large ones do
    assert value == pytest.approx(run["J"], rel=1e-12, abs=1e-12)
    for n in names:
        assert flat(gradients[n]) == pytest.approx(flat(run.adjoints[n]), rel=1e-12, abs=1e-12 * scale), n


def flat(value):
    return [x for row in value for x in flat(row)] if isinstance(value, list) else [value]


def family(name: str) -> gl.Program:
    text = FAMILIES[name][0]
    return gl.loads(text if "minimize" in text else f"{text}\noutput J\ninput x = 0.5\n")


@pytest.mark.parametrize("name", FAMILIES)
def test_families_have_the_numbers_of_their_runs(name):
    assert_agrees(family(name), "python")


@pytest.mark.skipif(not available(), reason="Numba is not installed")
@pytest.mark.parametrize("name", [pytest.param(n, marks=[] if n == "a scalar half way" else pytest.mark.nightly) for n in FAMILIES])
def test_families_have_the_numbers_of_their_runs_in_machine_code(name, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert_agrees(family(name), "numba")


@pytest.mark.parametrize("block", range(2))
def test_random_recurrences_have_the_numbers_of_their_runs(block):
    for seed in range(3000 + block * 60, 3000 + block * 60 + 60):
        text = at_random(seed)
        if text is not None:
            assert_agrees(gl.loads(text), "python")


def test_compiled_loops_run_forward_and_then_back():
    source = family("tables shifted against each other").compile(["x"], engine="python").source
    assert "range(1, 10):" in source and "range(9, 0, -1):" in source and "order" not in source


def test_what_a_round_writes_is_not_read_before():
    """`h[2]` does not depend on the loop's index, and yet it is no constant of the loop: one of its rounds writes it."""
    text = "h[0] = x\nh[k] = h[k-1] + where(k > 2, h[2]*x, 1) for k in 1..6\nJ = h[6]*h[2]\noutput J\ninput x = 0.5\n"
    graph, (group,) = recurrences(text)
    assert_ordered(graph, group, schedule(group, graph))
    assert_agrees(gl.loads(text), "python")


# ---- a million elements


LONG = "const N = 1000000\nh[0] = x\nh[k] = sin(h[k-1]) + x for k in 1..N\nJ = h[N]\ninput x = 0.5\noutput J\n"


def test_a_long_chain_is_not_gone_through_to_be_built_or_compiled():
    graph = gl.loads(LONG).graph
    (group,) = [g for g in plan(graph).groups if g.recurrent]
    f = gl.loads(LONG).compile(["x"], engine="python")
    assert "elements" not in vars(group) and len(f.source) < 1000
    assert f(x=0.0) == (0.0, {"x": 1_000_001.0})  # h[k] = sin(h[k-1]) + x has slope k + 1 at 0


def test_a_long_cycle_is_refused_as_a_short_one_is():
    def message(n: int):
        with pytest.raises(gl.GraphError) as caught:
            gl.loads(f"h[{n}] = x\nh[k] = h[k-1]*h[k+1] for k in 1..{n - 1}\nh[0] = x\nJ = h[1]\ninput x = 1\noutput J\n").graph
        return [(d.code, d.message) for d in caught.value.diagnostics]

    for n in (10, 5000):
        assert message(n) == [("E110", f"these elements depend on one another: `h[{n - 2}]` → `h[{n - 1}]` → `h[{n - 2}]`")]


def test_a_recurrence_too_large_is_refused():
    with pytest.raises(gl.GraphError, match="a recurrence of 9,000,000 elements; the limit is 5,000,000"):
        gl.loads(LONG.replace("1000000", "9000000")).graph


# ---- inequalities


def test_the_least_value_of_a_form_is_never_more_than_that_found_by_going_through_all():
    rng = Random(5)
    exact = 0
    for _ in range(300):
        names = "abc"[: rng.randint(1, 3)]
        rows = [row for n in names for row in ((2, {n: 1}), (3, {n: -1}))]
        rows += [(rng.randint(-4, 4), {n: rng.randint(-2, 2) for n in names}) for _ in range(rng.randint(0, 3))]
        objective = (rng.randint(-3, 3), {n: rng.randint(-2, 2) for n in names})
        value = lambda form, at: form[0] + sum(k * at[n] for n, k in form[1].items())  # noqa: E731
        points = [dict(zip(names, p)) for p in product(range(-2, 4), repeat=len(names))]
        true = min((value(objective, at) for at in points if all(value(r, at) >= 0 for r in rows)), default=None)
        found = least(objective, rows)
        assert true is None or found is not None and found <= true
        exact += found == true
    assert exact > 270
