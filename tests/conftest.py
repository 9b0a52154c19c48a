"""Fixtures that several files use."""

import pytest
from graphlang.engines import ball


def pytest_collection_modifyitems(items):
    """What runs JAX comes last: it has threads, and a process that has some must not be forked, as tests of terminals do."""
    items.sort(key=lambda item: "jax" in item.nodeid)


@pytest.fixture(params=["balls", "floats"])
def by(request, monkeypatch):
    """What values are compared with: ball arithmetic, and what there is without it."""
    if request.param == "floats":
        monkeypatch.setattr(ball, "available", lambda: False)
    elif not ball.available():
        pytest.skip("python-flint is not installed")
    return request.param
