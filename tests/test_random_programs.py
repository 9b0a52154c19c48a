"""Laws that every program keeps, on programs made at random (programs_at_random.py).

The normal run takes less than a minute; `-m nightly` tries ten times as many.
"""

import struct
from random import Random

import mp_oracle as oracle
import mpmath as mp
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from programs_at_random import programs, shuffled

from graphlang.graph.spell import formula
from graphlang.pipeline import loads
from graphlang.syntax.format import SOURCE

NIGHTLY = 10  # times as many examples

# Rounding grows with what is added and cancelled on the way. The oracle's arithmetic can be made as coarse as this, and
# what that changes is how far float64, which is 100 times finer, may be off; generic programs agree to far more digits.
COARSE = 1e-14


def laws(examples):
    """A law on random programs, tried on so many; more under `-m nightly`."""

    def decorate(law):
        def limited(count):
            return settings(max_examples=count, deadline=None, database=None, derandomize=count == examples, phases=[Phase.generate],
                            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much])

        law_given = given(text=programs(), random=st.integers(0, 2**40).map(Random))(law)

        @pytest.mark.parametrize("count", [examples, pytest.param(NIGHTLY * examples, marks=pytest.mark.nightly)])
        def test(count):
            limited(count)(law_given)()

        test.__name__, test.__doc__ = law.__name__, law.__doc__
        return test

    return decorate


def flat(value):
    return [n for row in value for n in flat(row)] if isinstance(value, list) else [value]


def bits(numbers):
    """Numbers so that 0.0 is not -0.0."""
    return [struct.pack("<d", n) for n in flat(numbers)]


def everything(run):
    """All that a run says, bit by bit: values, adjoints, and the contributions with their totals, in order."""
    (p,) = run.passes
    return (
        {n: bits(v) for n, v in run.values.items()},
        {n: bits(v) for n, v in run.adjoints.items()},
        [[e.target for e in run.order], list(p.derivative.variables)],
        [(n, [(e.contribution.source.target, bits(e.value), bits(e.total), e.last) for e in run.entries(p, n)]) for n in p.derivative.variables],
    )


def away_from_kinks(work):
    try:
        return work()
    except oracle.Kink:
        assume(False)


# Terms that cancel altogether leave a rounding of the terms, not of their sum: softmax does not change when all of its
# operands do, and the slope along that direction is 0 for the oracle and 1e-17 in float64. The terms are of order 0.01
# and more in these programs; the oracle's difference quotients have an error of some 1e-30 themselves.
CANCELLED = 1e-15


def assert_agrees(found, exact, coarse, tolerance, what):
    """`coarse()`: the same in an arithmetic of 14 digits, asked for only where the tolerance does not do."""
    for k, (f, w) in enumerate(zip(found, exact, strict=True)):
        off = abs(f - w)
        if off > tolerance * abs(w):
            if off <= CANCELLED * max(0.01, *map(abs, exact)):
                continue
            assert off <= 10 * abs(coarse()[k] - w), f"{what}: {f!r} is not {mp.nstr(w, 17)}"


@laws(30)
def test_values_and_adjoints_agree_with_the_oracle(text, random):
    """To 1e-12 and 1e-9 relative: an adjoint is a sum of products of many values, each rounded, and may cancel."""
    run = loads(text).run()
    exact = away_from_kinks(lambda: oracle.values(text))
    for name, numbers in exact.items():
        assert_agrees(flat(run.values[name]), numbers, lambda: oracle.values(text, COARSE)[name], 1e-12, f"{name} in\n{text}")
    for name in exact:
        if run.graph.variables[name].is_leaf or random.random() < 0.5:
            gradient = away_from_kinks(lambda: oracle.gradient(text, name))
            assert_agrees(flat(run.adjoints[name]), gradient, lambda: oracle.gradient(text, name, COARSE), 1e-9, f"adjoint of {name} in\n{text}")


@laws(100)
def test_versions_a_and_b_have_the_same_bits(text, random):
    assert everything(loads(text).run(mode="A")) == everything(loads(text).run(mode="B"))


@laws(100)
def test_the_order_of_the_statements_changes_nothing(text, random):
    other = shuffled(text, random)
    assert everything(loads(text).run()) == everything(loads(other).run()), other


@laws(100)
def test_the_totals_end_in_the_adjoint_to_the_bit(text, random):
    run = loads(text).run()
    (p,) = run.passes
    for name in p.derivative.variables:
        total = None
        for entry in run.entries(p, name):
            total = entry.total
        if total is not None:
            assert [t + 0.0 for t in total] == [a + 0.0 for a in p.sweep.adjoints[name]], f"{name} in\n{text}"
        assert (p.derivative.incoming.get(name, ()) != ()) == (total is not None)


def over(bindings):
    return " for " + ", ".join(f"{b.index} in {b.range}" for b in bindings) if bindings else ""


def assert_reads_back(run, expression, bindings, wanted, largest, text):
    spelled = formula(expression, SOURCE, None) + over(bindings)
    found = flat(run.evaluate(spelled))
    for f, w in zip(found, wanted, strict=True):
        # what is shown and what is computed differ by the rounding of their terms, of which the largest counts
        assert abs(f - w) <= 1e-9 * max(abs(w), largest), f"{spelled}: {f!r} is not {w!r} in\n{text}"


@laws(100)
def test_every_formula_evaluates_to_the_adjoint(text, random):
    run = loads(text).run()
    (p,) = run.passes
    greatest = max(abs(a) for adjoint in p.sweep.adjoints.values() for a in adjoint)
    for name in p.derivative.variables:
        adjoint = run.adjoint(p, name)
        # where adjoints on the way cancel to next to nothing, what is left of them is rounding
        largest = max([1e-6 * greatest, *(abs(v) for e in adjoint.entries for v in e.value)])
        whole = run.graph.variables[name].ranges
        seen = 0
        for piece in adjoint.pieces:
            wanted = [adjoint.value[k] for k in offsets_of(piece, whole)]
            seen += len(wanted)
            assert_reads_back(run, run.formula(p, piece), piece.over, wanted, largest, text)
        assert seen == len(adjoint.value), f"the pieces of {name} do not cover it in\n{text}"


def offsets_of(piece, whole):
    """Where the elements of a piece are in the flat list of the variable, its indices running in their order."""
    points = [{}]
    for b in piece.over:
        points = [{**at, b.index: k} for at in points for k in range(b.range.low, b.range.high + 1)]
    for at in points:
        offset = 0
        for s, r in zip(piece.at, whole):
            k = at[s.name] if s.free else int(s.value)
            offset = offset * r.extent + k - r.low
        yield offset


@laws(100)
def test_every_local_derivative_evaluates_to_its_value(text, random):
    run = loads(text).run()
    (p,) = run.passes
    for name in p.derivative.variables:
        for entry in run.entries(p, name):
            expression, _ = run.local(entry.contribution)
            wanted, bindings = run.local_value(entry.contribution)
            assert_reads_back(run, expression, bindings, wanted, 0.0, text)


@laws(40)
def test_every_equation_reads_back(text, random):
    run = loads(text).run()
    for step in run.forward:
        assert_reads_back(run, step.equation.value, step.equation.bindings, step.value, 0.0, text)


def test_the_oracle_knows_the_lecture():
    """The simple example, Table S5: so that the oracle itself is held to something."""
    text = "J = cos(u)\nu = u1 + u2\nu1 = sin(t)\nu2 = 3t\nt = x^2\ninput x = 2\noutput J"
    assert float(oracle.gradient(text, "x")[0]) == pytest.approx(9.099148545, abs=5e-10)
    assert float(oracle.gradient(text, "t")[0]) == pytest.approx(2.274787136, abs=5e-10)


def test_a_writer_makes_the_same_program_from_the_same_numbers():
    from programs_at_random import Writer

    assert Writer(Random(7)).program(4) == Writer(Random(7)).program(4)
