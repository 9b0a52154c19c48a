"""Grading of a quiz in PrairieLearn. This file is the same for every quiz: what it grades by stands in variants.json beside it.

A variant is drawn by `random`, which PrairieLearn seeds. A number is compared in decimals, so its interval has the ends that the key tells. A number
that is wrong, but follows by the right rule from the student's own earlier numbers, has the part of the marks that the quiz gives for that.
"""

import json
import math
import random
from decimal import Decimal
from pathlib import Path

OPERATIONS = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b, "^": lambda a, b: math.pow(a, b), "neg": lambda a: -a,
    "exp": math.exp, "expm1": math.expm1, "log": math.log, "log1p": math.log1p, "log2": math.log2, "log10": math.log10, "sqrt": math.sqrt, "cbrt": lambda a: math.copysign(abs(a) ** (1 / 3), a),
    "sin": math.sin, "cos": math.cos, "tan": math.tan, "asin": math.asin, "acos": math.acos, "atan": math.atan, "sinh": math.sinh, "cosh": math.cosh, "tanh": math.tanh,
    "sigmoid": lambda a: 1 / (1 + math.exp(-a)) if a >= 0 else math.exp(a) / (1 + math.exp(a)), "relu": lambda a: max(a, 0.0), "abs": abs, "sign": lambda a: (a > 0) - (a < 0),
    "max": max, "min": min, "<": lambda a, b: float(a < b), "<=": lambda a, b: float(a <= b), ">": lambda a, b: float(a > b), ">=": lambda a, b: float(a >= b),
    "==": lambda a, b: float(a == b), "!=": lambda a, b: float(a != b), "where": lambda c, a, b: a if c else b,
}  # fmt: skip
CARRIED = "Right rule on your earlier value."


def variants(data):
    folder = Path(data.get("options", {}).get("question_path") or Path(__file__).parent)
    return json.loads((folder / "variants.json").read_text(encoding="utf-8"))


def generate(data):
    every = variants(data)
    k = min(int(random.random() * len(every)), len(every) - 1)
    data["params"].update(every[k]["params"], index=k)
    for blank in every[k]["blanks"]:
        data["correct_answers"][blank["name"]] = float(blank["key"])


def grade(data):
    """Marks and messages for the numbers; PrairieLearn's own element has graded the choices."""
    variant = variants(data)[data["params"]["index"]]
    typed = {b["name"]: number(data["submitted_answers"].get(b["name"]), data.get("raw_submitted_answers", {}).get(b["name"])) for b in variant["blanks"]}
    found = {b["name"]: verdict(b, typed[b["name"]]) for b in variant["blanks"]}
    carried = set()
    for group in variant["carried"]:
        carried |= carry_forward(group, {b["name"]: b for b in variant["blanks"]}, typed, found)
    capped(variant["blanks"], carried, found)
    for blank in variant["blanks"]:
        score, message = found[blank["name"]]
        data["partial_scores"][blank["name"]] = {"score": score, "weight": blank["weight"]}
        data["feedback"][blank["name"]] = message
    total = sum(p.get("weight", 1) for p in data["partial_scores"].values())
    data["score"] = sum((p["score"] or 0) * p.get("weight", 1) for p in data["partial_scores"].values()) / total if total else 0


def number(value, raw):
    """The number as it was typed, with its last zeros; None where there is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    try:
        typed = Decimal(str(raw).strip())
    except ArithmeticError:
        typed = None
    return typed if typed is not None and typed.is_finite() and float(typed) == value else Decimal(repr(value))


def verdict(blank, value):
    if value is None:
        return 0, ""
    if holds(blank, value):
        return 1, "Right."
    for wrong in blank["diagnoses"]:
        if holds(wrong, value):
            return float(wrong["credit"]), wrong["message"]
    return 0, ""


def holds(interval, value):
    low, high = Decimal(interval["low"]), Decimal(interval["high"])
    return (low < value or interval["closed"][0] and value == low) and (value < high or interval["closed"][1] and value == high)


# ---- errors carried forward


def carry_forward(group, blanks, typed, found):
    """What follows from the student's own numbers, in the order of the working; the names of the blanks."""
    names, carried = group["order"], set()
    for k, name in enumerate(names):
        rule = group["rules"].get(name)
        if rule is None or typed[name] is None or found[name][0] == 1:
            continue
        own = {n: typed[n] for n in names[:k] if n in rule and typed[n] is not None}
        moved = [x for n, x in own.items() if abs(float(x) - group["cells"][n]) > 1e-12 * abs(group["cells"][n])]
        if moved and all(moved) and follows(rule, own, group, blanks, name, float(typed[name])):
            found[name] = max(float(group["carry"]), found[name][0]), CARRIED
            carried.add(name)
    return carried


def capped(blanks, carried, found):
    """What is carried never earns more than all marks less those of one blank."""
    marks = {b["name"]: float(b["marks"]) for b in blanks}
    room = sum(marks.values()) - min(marks.values(), default=0.0)
    for name in marks:
        if name in carried:
            given = min(marks[name] * found[name][0], room)
            room -= given
            found[name] = given / marks[name], found[name][1]


def follows(rule, own, group, blanks, name, value):
    """Whether a number is what the rule gives of the student's own numbers, each of which stands for all that round to it."""
    cells = {**group["cells"], **{n: float(x) for n, x in own.items()}}
    target = run(rule, cells)
    if target is None or target == run(rule, group["cells"]):
        return False
    unit = half(blanks[name]["precision"], target)
    if abs(target) < unit or value == 0 or any(abs(target - p) <= unit for p in group["printed"]):
        return False
    low = high = target
    for n, x in own.items():
        step = min(half_unit(x), half(blanks[n]["precision"], float(x)))
        moved = [m for m in (run(rule, {**cells, n: float(x) + sign * step}) for sign in (-1, 1)) if m is not None]
        low, high = low + min(m - target for m in (*moved, target)), high + max(m - target for m in (*moved, target))
    slack = 1e-9 * max(abs(low), abs(high))
    return nearest(low - slack, blanks[name]["precision"], -1) - slack <= value <= nearest(high + slack, blanks[name]["precision"], 1) + slack


def half(precision, value):
    """How far from a number another one may be, as exact as is asked for: half a unit of the last digit, or a tolerance."""
    kind, digits, size = precision
    if kind == "figures":
        digits -= math.floor(math.log10(abs(value))) + 1 if value else 0
    return {"exactly": 0.0, "within": size, "percent": abs(value) * size / 100}.get(kind, 0.5 * 10.0**-digits)


def nearest(value, precision, sign):
    """The end of what rounds as a number does, below it or above."""
    unit = half(precision, value)
    if precision[0] in ("decimals", "figures"):
        value = math.copysign(math.floor(abs(value) / (2 * unit) + 0.5) * 2 * unit, value)
    return value + sign * unit


def half_unit(value):
    """Of the last digit that was typed."""
    return 0.5 * 10.0 ** value.as_tuple().exponent


def run(rule, cells):
    """A rule is a list: a number, the name of a cell, or ["+", 2] for an operation on the two last results. None where it has no value."""
    stack = []
    try:
        for step in rule:
            if isinstance(step, list):
                arguments = stack[len(stack) - step[1]:]
                del stack[len(stack) - step[1]:]
                stack.append(OPERATIONS[step[0]](*arguments))
            else:
                stack.append(cells[step] if isinstance(step, str) else step)
    except (ArithmeticError, ValueError):
        return None
    return stack[0] if math.isfinite(stack[0]) else None


# ---- PrairieLearn's own test of a question


def test(data):
    """A submission that is right, one that is wrong, or one that cannot be read, as PrairieLearn asks."""
    variant = variants(data)[data["params"]["index"]]
    kind = data["test_type"]
    weights = [b["weight"] for b in variant["blanks"]] + [c["weight"] for c in variant["choices"]]
    for blank in variant["blanks"]:
        name, weight = blank["name"], blank["weight"]
        if kind == "correct":
            data["raw_submitted_answers"][name] = blank["key"]
            data["partial_scores"][name] = {"score": 1, "weight": weight}
        elif kind == "incorrect":
            data["raw_submitted_answers"][name] = blank["far"]
            data["partial_scores"][name] = {"score": 0, "weight": weight}
        else:
            data["raw_submitted_answers"][name] = "no number"
            data["format_errors"][name] = "no number"
    for choice in variant["choices"]:
        name = choice["name"]
        answers = data["correct_answers"].get(name, {})
        if kind == "invalid":
            data["raw_submitted_answers"][name] = "no option"
            data["format_errors"][name] = "no option"
            continue
        right = answers.get("key", "a")
        data["raw_submitted_answers"][name] = right if kind == "correct" else ("b" if right == "a" else "a")
        data["partial_scores"][name] = {"score": 1 if kind == "correct" else 0, "weight": choice["weight"]}
    data["score"] = 1 if kind == "correct" and weights else 0
