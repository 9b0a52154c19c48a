"""1,000 variants of the lecture's two-part quiz: inputs drawn, evaluated, every mistake's answers, keys' intervals, diagnoses; and options for each.

The keys here are floats rounded; proving them is timed by `graphlang quiz check`.
"""

from __future__ import annotations

import argparse
import random
import time

import graphlang as gl
from graphlang.diagnostics import Source
from graphlang.quiz.diagnosing import decimal, detection, diagnoses, interval, rounded
from graphlang.quiz.distractors import distractors
from graphlang.quiz.model import Precision
from graphlang.quiz.perturbed import Perturbed
from graphlang.syntax.parser import parse_expression

TEXT = "a = x*z\nb = log(x)\ny = exp(a) + a/b + sin(b)/a\ninput x = 2, z = 3\n"
ASKED, TO = ("dy/dx", "dy/dz"), Precision("decimals", 2)


def keyed(variants: int, options: int) -> dict[str, float]:
    """Seconds of each stage."""
    spent: dict[str, float] = {}
    last = time.perf_counter()

    def mark(stage: str) -> None:
        nonlocal last
        now = time.perf_counter()
        spent[stage] = spent.get(stage, 0.0) + now - last
        last = now

    graph = gl.loads(TEXT).graph
    p = Perturbed.of(graph, [parse_expression(Source("quiz", a), set(graph.variables))[0] for a in ASKED])
    p.function, p.never, p.twins
    mark("mistakes, once")
    for number in range(variants):
        draw = random.Random(f"1:paths:{number}:draw").random
        values = {"x": [1.5 + int(6 * draw()) / 2], "z": [0.5 + int(6 * draw()) / 2]}
        wrong = p.at(values)
        mark("answers under every mistake")
        keys = tuple(rounded(decimal(x), TO) for x in wrong.right)
        for a, key in enumerate(keys):
            diagnoses(p, wrong, a, interval(key, TO), TO)
        mark("diagnoses")
        if options:
            distractors(p, values, keys, (TO, TO), ASKED, options, random.Random(f"1:paths:{number}:options").random, wrong)
            mark("options")
        detection(p, wrong, (TO, TO))
        mark("detection")
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variants", type=int, default=1000)
    parser.add_argument("--options", type=int, default=7, help="wrong options of a variant; 0: none")
    parser.add_argument("--repeat", type=int, default=3)
    chosen = parser.parse_args()
    runs = [keyed(chosen.variants, chosen.options) for _ in range(chosen.repeat)]
    best = min(runs, key=lambda r: sum(r.values()))
    for stage, seconds in best.items():
        print(f"{stage:28} {seconds:7.3f} s")
    print(f"{f'all, {chosen.variants:,} variants':28} {sum(best.values()):7.3f} s")


if __name__ == "__main__":
    main()
