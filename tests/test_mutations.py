"""The tests of the derivative rules notice when a rule is changed: at least 99 of 100 changes that make a difference."""

import sys
from collections import Counter
from pathlib import Path

import pytest
from graphlang.engines import ball

sys.path.append(str(Path(__file__).parents[1] / "tools"))


@pytest.mark.skipif(not ball.available(), reason="python-flint is not installed")
def test_at_least_99_of_100_changed_rules_are_noticed():
    from mutate_rules import results

    found = results()
    counts = Counter(result for _, result in found)
    assert counts["killed"] >= 0.99 * (counts["killed"] + counts["survived"]), [m for m, r in found if r == "survived"]
    assert counts["equivalent"] <= 10 and {m.kind for m, _ in found} == {"sign", "factor", "missing", "swapped", "condition"}
    assert {m.row for m, _ in found} >= {"sin", "^", "tanh", "sigmoid", "atan2", "max", "norm", "softmax", "det", "inv", "_power_log"}
