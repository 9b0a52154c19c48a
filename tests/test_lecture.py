"""The lecture's numbers, from the JSON of programs/lecture: S1 ... S18 are its slides.

A number is written here as the lecture prints it and holds within half a unit of its last digit; an integer holds exactly.
"""

import json
from decimal import Decimal
from pathlib import Path

import graphlang as gl
import pytest

LECTURE = Path(__file__).parents[1] / "programs" / "lecture"
PROGRAMS = sorted(LECTURE.glob("*.graph"))


def document(path, **settings):
    """The JSON of a run, read back."""
    return json.loads(gl.load(path).run(**settings).json())


def says(document, quantity):
    """The numbers of a variable (`z`, `z[1]`) or of a derivative of the goal (`dJ/dz`, `dJ/dz[1]`), as a flat list."""
    name, _, subscript = quantity.partition("[")
    derivative = f"d{document['goal']}/d"
    table = document["adjoints"] if name.startswith(derivative) else document["values"]
    name = name.removeprefix(derivative)
    value = table[name]
    if subscript:
        for index, (low, _) in zip(subscript.rstrip("]").split(","), document["ranges"][name], strict=True):
            value = value[int(index) - low]
    return flat(value)


def flat(value):
    return [number for row in value for number in flat(row)] if isinstance(value, list) else [value]


def half_a_unit(printed):
    """Of the last digit printed; 0 for an integer."""
    exponent = Decimal(printed).as_tuple().exponent
    return 0.0 if exponent >= 0 else 0.5 * 10.0**exponent


def assert_says(document, quantity, printed):
    found, wanted = says(document, quantity), printed.split()
    assert len(found) == len(wanted), quantity
    for number, text in zip(found, wanted):
        assert abs(number - float(text)) <= half_a_unit(text), f"{quantity}: {number!r} is not {text}"


SLIDES = {
    "S1 chain_rule": {"y": "24", "dy/du1": "6", "dy/du2": "4", "dy/dx": "36"},
    "S3 from_equation": {"J": "0.2451003682", "dJ/dx": "9.099148545"},
    "S3q quiz1": {
        "y": "412.191457284121", "dy/dx": "1208.38121512661", "dy/dz": "809.707479218564",
        "u": "6", "t": "0.693147", "s": "0.638961", "y1": "403.429", "y2": "8.65617", "y3": "0.106494",
        "dy/du": "404.854", "dy/dt": "-12.36", "dy/ds": "0.166667",
    },
    "S3q quiz1_equation": {"y": "412.191457284121", "dy/dx": "1208.38121512661", "dy/dz": "809.707479218564"},
    "S6 logistic": {
        "a": "1.35", "y": ".794129628", "J": "-.230508571", "dJ/dy": "1.25924026", "dJ/da": ".205870372",
        "dJ/dtheta": ".205870 .411741 -.205870", "dJ/dx": ".0205870 .102935 -.0514676",
    },
    "S8 nn2_matrix": {
        "z1": ".475021 .574443", "z2": ".514429 .583503", "y": ".541988", "J": ".612511",
        "dJ/dbeta": "-.235615 -.267251", "dJ/db3": "-.458012",
        "dJ/dalpha2": "-.038042 -.046004   .026437 .031970",
        "dJ/dalpha1": "-.002911 .005822   .0079971 -.015994",
        "dJ/dx": ".0052333 -.0049454",
    },
    "S8 nn2_index": {
        "z": ".475021 .574443", "r": ".514429 .583503", "y": ".541988", "J": ".612511",
        "dJ/dgamma": "-.235615 -.267251", "dJ/dd": "-.458012",
        "dJ/dbeta": "-.038042 -.046004   .026437 .031970",
        "dJ/dalpha": "-.002911 .005822   .0079971 -.015994",
        "dJ/dx": ".0052333 -.0049454",
    },
    "S10 nn1_squared": {
        "a": "-.1 .3", "z": "1 .475021 .574443", "b": ".165178", "y": ".541201", "J": ".105248",
        "dJ/dy": "-.458799", "dJ/db": "-.113921", "dJ/dbeta": "-.113921 -.054115 -.065441",
        "dJ/dz[1]": "-.05696", "dJ/dz[2]": ".034176", "dJ/da": "-.014205 .0083547",
        "dJ/dalpha": "-.014205 -.0071023 .014205   .0083547 .0041773 -.0083547",
        "dJ/dx": "-.0022559 .00050096 -.0059323",
    },
    "S13 nn1_cross_entropy": {
        "J": "-.613965", "dJ/dy": "1.84774", "dJ/db": ".458799", "dJ/dbeta": ".458799 .217939 .263554",
        "dJ/dz": ".0458799 .2294 -.13764", "dJ/da": ".0572068 -.0336472",
        "dJ/dalpha": ".0572068 .0286034 -.0572068   -.0336472 -.0168236 .0336472",
        "dJ/dx": ".0090854 -.00201752 .0238915",
    },
    "S15 sigmoid": {
        "b": "0 1 2 5 -5 30 -30",
        "s[1]": ".5", "s[2]": ".731058578630", "s[3]": ".880797077978", "s[7]": "9.35762296884e-14",
        "dJ/db": ".25 .196611933241 .104993585404 .00664805667079 .00664805667079 9.35762296884e-14 9.35762296884e-14",
    },
}  # fmt: skip


@pytest.mark.parametrize("slide", SLIDES)
def test_the_program_says_the_numbers_of_the_slide(slide):
    found = document(LECTURE / f"{slide.split()[1]}.graph")
    for quantity, printed in SLIDES[slide].items():
        assert_says(found, quantity, printed)


SIMPLE_EXAMPLE = """
x   | t    | u1            | u2   | u            | J             | dJ/du         | dJ/dt        | dJ/dx
0   | 0    | 0             | 0    | 0            | 1             | 0             | 0            | 0
0.5 | 0.25 | 0.2474039593  | 0.75 | 0.9974039593 | 0.5424849757  | -0.8400655041 | -3.334146414 | -3.334146414
1   | 1    | 0.8414709848  | 3    | 3.841470985  | -0.7649205628 | 0.6441246251  | 2.280395895  | 4.560791791
-1  | 1    | 0.8414709848  | 3    | 3.841470985  | -0.7649205628 | 0.6441246251  | 2.280395895  | -4.560791791
1.5 | 2.25 | 0.7780731969  | 6.75 | 7.528073197  | 0.3201695350  | -0.9473602635 | -2.246974062 | -6.740922185
2   | 4    | -0.7568024953 | 12   | 11.24319750  | 0.2451003682  | 0.9694977099  | 2.274787136  | 9.099148545
3   | 9    | 0.4121184852  | 27   | 27.41211849  | -0.6507569463 | -0.7592861100 | -1.586049778 | -9.516298667
"""
COLUMNS, *POINTS = [[cell.strip() for cell in row.split("|")] for row in SIMPLE_EXAMPLE.strip().splitlines()]


@pytest.mark.parametrize("point", POINTS, ids=lambda point: f"x={point[0]}")
@pytest.mark.parametrize("mode", ["A", "B"])
def test_the_simple_example_at_every_x_of_its_table(point, mode):
    found = document(LECTURE / "simple.graph", x=float(point[0]), mode=mode)
    for quantity, printed in zip(COLUMNS, point, strict=True):
        assert_says(found, quantity, printed)


def test_the_quiz_rounds_to_the_answer_key():
    for program in "quiz1", "quiz1_equation":
        adjoints = document(LECTURE / f"{program}.graph")["adjoints"]
        assert (round(adjoints["x"]), round(adjoints["z"])) == (1208, 810)


def test_the_answer_key_of_the_quiz_needs_the_natural_logarithm():
    text = (LECTURE / "quiz1_equation.graph").read_text(encoding="utf-8").replace("log(", "log10(")
    adjoints = gl.loads(text).run().adjoints
    assert round(adjoints["x"]) != 1208


def test_the_error_of_logistic_regression_is_ystar_minus_y():
    for ystar in 0.0, 1.0:
        found = document(LECTURE / "logistic.graph", ystar=ystar)
        # two roundings of a quotient and a product near 1
        assert found["adjoints"]["a"] == pytest.approx(ystar - found["values"]["y"], abs=1e-15)


def test_the_index_form_and_the_matrix_form_of_the_network_agree():
    index, matrix = document(LECTURE / "nn2_index.graph"), document(LECTURE / "nn2_matrix.graph")
    names = {"alpha": "alpha1", "b": "b1", "beta": "alpha2", "c": "b2", "gamma": "beta", "d": "b3", "x": "x",
             "z": "z1", "r": "z2", "y": "y", "J": "J"}  # fmt: skip
    for one, other in names.items():
        # the terms of a sum may be added in another order
        assert flat(index["values"][one]) == pytest.approx(flat(matrix["values"][other]), rel=1e-14)
        assert flat(index["adjoints"][one]) == pytest.approx(flat(matrix["adjoints"][other]), rel=1e-14)


@pytest.mark.parametrize("steps, equation", [("simple", "from_equation"), ("quiz1", "quiz1_equation")])
def test_the_equation_expands_into_the_slides_steps(steps, equation):
    steps = document(LECTURE / f"{steps}.graph")
    expanded = document(LECTURE / f"{equation}.graph", expand=True)
    one, other = ({row["name"]: row["formula"].replace("*", "") for row in d["forward"]} for d in (expanded, steps))
    assert one == other  # but for the spelling of a product: the author's 3t, a step's 3*t
    assert expanded["values"] == steps["values"]
    assert expanded["adjoints"] == steps["adjoints"]


LOCAL_DERIVATIVES = {  # program: the local derivatives du/dv of its slide, as formula and (where printed) as number
    "simple": {"J/u": ("-sin(u)", "0.9694977099"), "u/u1": ("1", "1"), "u/u2": ("1", "1"),
               "u1/t": ("cos(t)", "-0.6536436209"), "u2/t": ("3", "3"), "t/x": ("2*x", "4")},
    "logistic": {"y/a": ("y*(1 - y)", ".163487762"), "a/theta": ("x[j]", "1 2 -1"), "a/x": ("theta[j]", ".1 .5 -.25")},
    "quiz1": {"y1/u": ("y1", "403.429"), "y2/u": ("1/t", "1.4427"), "y2/t": ("-(u/t^2)", "-12.4882"),
              "y3/s": ("1/u", "0.166667"), "y3/u": ("-(s/u^2)", "-0.0177489"), "s/t": ("cos(t)", None),
              "u/x": ("z", "3"), "u/z": ("x", "2"), "t/x": ("1/x", "0.5")},
    "nn1_cross_entropy": {"y/b": ("y*(1 - y)", None), "b/beta": ("z[j]", None), "b/z": ("beta[j]", None),
                          "z/a": ("z[j]*(1 - z[j])", None), "a/alpha": ("x[i]", None), "a/x": ("alpha[j,i]", None)},
}  # fmt: skip


@pytest.mark.parametrize("program", LOCAL_DERIVATIVES)
def test_the_local_derivatives_are_the_slides(program):
    edges = {
        f"{contribution['from']}/{entry['name']}": contribution
        for entry in document(LECTURE / f"{program}.graph")["backward"]
        for contribution in entry["contributions"]
    }
    for edge, (formula, printed) in LOCAL_DERIVATIVES[program].items():
        assert edges[edge]["local"] == formula
        if printed is not None:
            for number, text in zip(flat(edges[edge]["local_value"]), printed.split(), strict=True):
                assert abs(number - float(text)) <= half_a_unit(text)


RUNNING_TOTALS = {  # program: variable: the equations that pay into it, with the total after each
    "simple": {"t": "u1 -0.633706  u2 2.27479", "x": "t 9.09915"},
    "quiz1": {"u": "y1 403.429  y2 404.871  y3 404.854", "t": "y2 -12.4882  s -12.36", "x": "u 1214.56  t 1208.38"},
    "versions": {"v": "u1 108  u2 144  u3 146", "x": "u3 6  v 444", "z": "u2 36  v 328"},
}


@pytest.mark.parametrize("program", RUNNING_TOTALS)
def test_version_b_increments_the_running_totals_of_the_slide(program):
    backward = {entry["name"]: entry for entry in document(LECTURE / f"{program}.graph", mode="B")["backward"]}
    for name, column in RUNNING_TOTALS[program].items():
        cells = column.split()
        contributions = backward[name]["contributions"]
        assert [c["from"] for c in contributions] == cells[::2]
        for contribution, text in zip(contributions, cells[1::2]):
            assert abs(contribution["total"] - float(text)) <= half_a_unit(text)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_versions_a_and_b_have_the_same_bits(program):
    a, b = document(program, mode="A"), document(program, mode="B")
    assert json.dumps(a["adjoints"]) == json.dumps(b["adjoints"])  # text tells 0.0 from -0.0


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_every_variable_has_an_adjoint(program):
    found = document(program)
    differentiable = {name for name, role in found["roles"].items() if role != "const"}
    assert set(found["adjoints"]) >= differentiable
    assert set(found["values"]) - set(found["adjoints"]) == set(found["roles"]) - differentiable
    assert gl.load(program).run().evaluate(f"diff({found['goal']}, {found['goal']})") == 1.0
