"""Optimisers: how a step of training changes the params. One row each; every engine prints the same updates, for one number or for
whole arrays."""

from __future__ import annotations

from typing import NamedTuple


class Optimiser(NamedTuple):
    """`updates` are statements over p (a param), g (the gradient of the mean of the batch, negated where the goal is maximised), the moments, the
    parameters, rate, and t, which counts the steps from 1. `parameters` have the values that are taken where none are given."""

    name: str
    parameters: dict[str, float]
    moments: tuple[str, ...]
    updates: tuple[str, ...]
    about: str

    @property
    def form(self) -> str:
        """How it is written in a train block: `momentum(mu=0.9)`."""
        return self.name + (f"({', '.join(f'{n}={v:g}'.replace('e-0', 'e-') for n, v in self.parameters.items())})" if self.parameters else "")


OPTIMISERS = {row.name: row for row in (
    Optimiser("sgd", {}, (), ("p -= rate*g",), "stochastic gradient descent: Algorithm 1 of the lecture"),
    Optimiser("momentum", {"mu": 0.9}, ("m",), ("m *= mu", "m += g", "p -= rate*m"), "the heavy ball (Polyak 1964)"),
    Optimiser("adam", {"b1": 0.9, "b2": 0.999, "eps": 1e-8}, ("m", "v"),
              ("m *= b1", "m += (1.0 - b1)*g", "v *= b2", "v += (1.0 - b2)*g*g", "p -= rate*(m/(1.0 - b1**t))/(sqrt(v/(1.0 - b2**t)) + eps)"),
              "moments of the gradient, corrected for their start at 0 (Kingma and Ba 2015)"),
)}

POSITIVE = ("eps",)  # added to what is divided by; every other parameter says how much of a moment is kept


def wanted_of(parameter: str) -> str:
    """What a parameter must be, in words."""
    return "greater than 0" if parameter in POSITIVE else "0 or greater and less than 1"


def fits(parameter: str, value: float) -> bool:
    return 0 < value < float("inf") if parameter in POSITIVE else 0 <= value < 1
