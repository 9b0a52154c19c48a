"""Claims about random programs: their own formulas hold, and 1.01 times a formula does not. A student must never be accused of a
mistake that is none."""

import json
from random import Random

import pytest
from programs_at_random import Writer

from graphlang.engines import ball
from graphlang.pipeline import loads

LONGEST = 400  # characters of a formula that is claimed


def formulas(text):
    """(left side, formula, for, whether it is anywhere 1e-6 or more) of each adjoint."""
    document = json.loads(loads(text).run().json())
    for row in document["backward"]:
        if "note" not in row and row["formula"] and len(row["formula"]) <= LONGEST:
            tail = f" for {row['for']}" if row["for"] else ""
            yield f"diff({document['goal']}, {row['target']})", row["formula"], tail, any(isinstance(x, str) or abs(x) > 1e-6 for x in flat(row["value"]))


def flat(value):
    return [x for row in value for x in flat(row)] if isinstance(value, list) else [value]


def check(seed):
    text = Writer(Random(seed), linear=seed % 4 == 0).program(1 + seed % 3)
    found = list(formulas(text))
    right = "".join(f"claim {left} = {formula}{tail}\n" for left, formula, tail, _ in found)
    accused = [v for v in loads(text + right).run().claims if v.verdict not in ("holds", "not judged")]
    assert not accused, f"{accused[0].text}: {accused[0].verdict}\n{text}"
    wrong = "".join(f"claim {left} = 1.01*({formula}){tail}\n" for left, formula, tail, _ in found)
    believed = [v for v, (*_, large) in zip(loads(text + wrong).run().claims, found) if large and v.verdict == "holds"]
    assert not believed, f"{believed[0].text}\n{text}"


@pytest.mark.parametrize("seed", range(20))
def test_own_formulas_hold_and_perturbed_ones_do_not(seed):
    check(seed)


@pytest.mark.parametrize("seed", range(20, 26))
def test_without_ball_arithmetic_too(seed, monkeypatch):
    monkeypatch.setattr(ball, "available", lambda: False)
    check(seed)


@pytest.mark.nightly
@pytest.mark.parametrize("chunk", range(10))
def test_many_more(chunk):
    for seed in range(1000 + 40 * chunk, 1040 + 40 * chunk):
        check(seed)
