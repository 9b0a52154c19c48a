"""The session: what statements add and replace, what waits, undo, and that the saved program is the state."""

import random

import pytest

import graphlang as gl
from graphlang.diagnostics import GraphError, Source
from graphlang.graph.spell import formula
from graphlang.repl.answers import answer
from graphlang.repl.known import known_values
from graphlang.repl.last import remember
from graphlang.repl.session import Session
from graphlang.syntax.format import SOURCE


def session(*statements: str) -> Session:
    s = Session()
    for text in statements:
        s.add(Source("input", text))
    return s


def value(s: Session, name: str):
    flat = s.built.flat[name]
    return flat if s.built.graph.variables[name].ranges else flat[0]


def waiting(s: Session) -> dict[str, str]:
    return {s.state.items[k].text: why for k, why in s.state.waiting.items()}


# ---- adding and replacing


def test_a_statement_adds_an_equation_and_another_of_its_name_replaces_it():
    s = session("x = 2", "u = x^2", "J = u + 1")
    assert value(s, "J") == 5
    change = s.add(Source("input", "u = x^3"))
    assert change.replaced == ("u = x^2",) and value(s, "J") == 9
    assert s.text() == "x = 2\nu = x^3\nJ = u + 1\n"


REPLACING = {
    "a leaf keeps its role": (["param w = 2"], "w = 3", "param w = 3\n"),
    "a table keeps its ranges": (["input x[0..2] = 1"], "x = [4, 5, 6]", "input x[0..2] = [4, 5, 6]\n"),
    "a leaf without a value gets one": (["input x"], "x = 2", "input x = 2\n"),
    "a const stays one": (["const M = 2"], "M = 3", "const M = 3\n"),
    "a size gets a number": (["dim P"], "P = 3", "const P = 3\n"),
    "a declaration is parted": (["input x = 2, z = 3"], "z = x + 1", "input x = 2\nz = x + 1\n"),
    "a leaf becomes a node": (["input x = 2", "input z = 3"], "z = 2x", "input x = 2\nz = 2x\n"),
    "a node becomes a leaf": (["input x = 2", "y = 2x"], "input y = 3", "input x = 2\ninput y = 3\n"),
    "a function": (["f(v) = v^2", "x = 3", "y = f(x)"], "f(v) = v^3", "f(v) = v^3\nx = 3\ny = f(x)\n"),
    "a goal": (["x = 1", "y = 2x", "z = 3x", "minimize y"], "minimize z", "x = 1\ny = 2x\nz = 3x\nminimize z\n"),
    "the seed": (["set seed = 1", "input x = 2"], "set seed = 2", "set seed = 2\ninput x = 2\n"),
    "a whole table for its pieces": (["z[0] = 1", "z[j] = 2 for j in 1..3"], "z = [1, 2]", "z = [1, 2]\n"),
    "pieces for a whole": (["z = [1, 2]"], "z[0] = 1", "z[0] = 1\n"),
    "a piece for one that it meets": (["z[0] = 1", "z[j] = 2 for j in 1..3"], "z[j] = 5 for j in 0..3", "z[j] = 5 for j in 0..3\n"),
    "a claim said twice": (["x = 2", "y = x^2", "claim dy/dx = 2x"], "claim dy/dx  = 2x", "x = 2\ny = x^2\nclaim dy/dx  = 2x\n"),
}


@pytest.mark.parametrize("before, then, text", REPLACING.values(), ids=REPLACING)
def test_what_replaces_what(before, then, text):
    s = session(*before)
    s.add(Source("input", then))
    assert s.text() == text


def test_a_new_piece_joins_the_others():
    s = session("z[0] = 1", "z[j] = 2j for j in 1..3")
    assert value(s, "z") == [1, 2, 4, 6]


def test_an_implicit_input_stays_one_when_leaves_are_declared():
    s = session("x = 2", "y = x^2")
    assert s.built.graph.variables["x"].role == "input"
    change = s.add(Source("input", "param w = 3"))
    assert s.built.graph.variables["x"].role == "input" and change.notes
    assert s.text() == "input x = 2\ny = x^2\nparam w = 3\n"


def test_comments_of_a_file_are_kept():
    text = "# a title\nx = 2  # the point\n\n# the rest\ny = x^2; z = 3x # last\n"
    s = session(text)
    assert s.text() == "# a title\nx = 2  # the point\n\n# the rest\ny = x^2\nz = 3x # last\n"
    s.add(Source("input", "y = x^3"))
    assert "# the rest\ny = x^3\n" in s.text()


# ---- waiting


def test_the_lectures_order_the_objective_first():
    s = session("J = cos(u)", "u = u1 + u2", "u1 = sin(t)", "u2 = 3t", "t = x^2")
    assert set(waiting(s)) == {"J = cos(u)", "u = u1 + u2", "u1 = sin(t)", "u2 = 3t", "t = x^2"}
    change = s.add(Source("input", "x = 2"))
    assert not s.state.waiting and len(change.now_ready) == 5
    assert value(s, "J") == pytest.approx(0.2451003682, abs=5e-11)  # the lecture's number to the digits given


def test_what_waits_says_for_what():
    s = session("J = cos(ul)", "u1 = 2")
    assert waiting(s) == {"J = cos(ul)": "`ul` is not defined yet; did you mean `u1`?"}


def test_pieces_wait_for_one_another():
    s = session("input x0 = 0.5", "s[1] = sin(x0)", "x[1] = s[1] + x0", "s[k] = sin(x[k-1]) for k in 2..30", "x[k] = s[k] + x[k-1] for k in 2..30")
    assert not s.state.waiting and len(value(s, "x")) == 30


def test_a_recurrence_typed_before_its_start_waits():
    s = session("input a = 2", "l[n] = 4*l[n-1] for n in 2..4")
    assert len(s.state.waiting) == 1
    s.add(Source("input", "l[1] = a"))
    assert value(s, "l") == [2, 8, 32, 128]


def test_what_waits_is_a_comment_in_the_saved_program():
    s = session("J = cos(u)", "x = 2")
    assert s.text() == "# waits: `u` is not defined yet\n# J = cos(u)\nx = 2\n"
    assert gl.loads(s.text()).graph.variables.keys() == {"x"}


def test_a_claim_waits_for_what_it_is_about():
    s = session("claim dJ/dx = 2x", "J = x^2")
    assert len(s.state.waiting) == 2
    s.add(Source("input", "x = 3"))
    assert not s.state.waiting and len(s.built.graph.claims) == 1


# ---- errors lose nothing


WRONG = ["x = [1, 2", "y = x +", "z = y", "y = A @ x", "minimize w[9]", "sin = 3", "y = x[2]", "input x = y", "train { rate: 1 }", "u = x; u = y +", "x x", "include \"none.graph\"",
         "claim y = x for j in 1..2", "expect y = 2 within x", "const M = y", "f(v) = f(v)", "derivative sin(v) = 1"]


@pytest.mark.parametrize("wrong", WRONG)
def test_an_error_never_loses_state(wrong):
    s = session("x = 2", "y = 3x")
    state, flat = s.state, dict(s.built.flat)
    try:
        s.add(Source("input", wrong))
    except GraphError as e:
        assert e.diagnostics and s.state is state and s.built.flat == flat
    else:  # then it waits, or it was fine, and one undo brings everything back
        s.undo()
        assert s.state.items == state.items and s.built.flat == flat


def test_a_replacement_that_breaks_others_is_refused():
    s = session("input x[3] = [1, 2, 3]", "y = x[3]")
    with pytest.raises(GraphError) as caught:
        s.add(Source("input", "input x[2] = [1, 2]"))
    assert caught.value.diagnostics[0].code == "E222" and value(s, "x") == [1, 2, 3]


def test_a_cycle_is_told_and_not_made():
    s = session("x = 2", "y = 2x", "z = y + 1")
    with pytest.raises(GraphError) as caught:
        s.add(Source("input", "y = z"))
    assert caught.value.diagnostics[0].code == "E110" and value(s, "z") == 5


def test_places_are_those_of_what_was_typed():
    s = session("input x = 2")
    with pytest.raises(GraphError) as caught:
        s.add(Source("input", "input z = 1\ny = x[1]"))
    d = caught.value.diagnostics[0]
    file, at = caught.value.source.origin(d.at)
    assert file.name == "input" and file.text[at.start : at.end].startswith("x") and file.position(at.start)[0] == 2


# ---- undo


def test_undo_and_redo_go_through_all_states():
    s = session("x = 2", "y = x^2", "x = 3")
    assert value(s, "y") == 9
    s.undo()
    assert value(s, "y") == 4
    s.undo()
    assert "y" not in s.built.flat
    s.redo(), s.redo()
    assert value(s, "y") == 9 and s.redo() is None
    s.undo(), s.undo(), s.undo()
    assert not s.state.items and s.undo() is None


def test_a_change_forgets_what_was_undone():
    s = session("x = 2", "y = x^2")
    s.undo()
    s.add(Source("input", "y = x^3"))
    assert s.redo() is None and value(s, "y") == 8


def test_a_definition_is_taken_out_and_its_readers_wait():
    s = session("x = 2", "y = x^2", "z = y + 1")
    assert s.remove("y") == ["y = x^2"]
    assert waiting(s) == {"z = y + 1": "`y` is not defined yet"}


# ---- random sessions


def random_statement(rng: random.Random) -> str:
    nodes, leaves = ["a", "b", "c", "d", "J"], ["x", "y", "w"]
    anything = nodes + leaves
    n = lambda: rng.choice(anything)  # noqa: E731
    kind = rng.randrange(12)
    if kind == 0:
        return f"{rng.choice(['input', 'param', 'data'])} {rng.choice(leaves)} = {rng.randint(1, 4)}"
    if kind == 1:
        return f"{rng.choice(leaves)} = {rng.choice([1, 2, 3])}"
    if kind == 2:
        return f"t[{rng.randint(0, 1)}] = {n()}"
    if kind == 3:
        return f"t[k] = k*{n()} for k in {rng.randint(0, 2)}..3"
    if kind == 4:
        return f"{rng.choice(nodes)} = sum(t[k] for k in {rng.randint(0, 1)}..{rng.randint(1, 3)})"
    if kind == 5:
        return f"{rng.choice(['minimize', 'output'])} {rng.choice(nodes)}"
    if kind == 6:
        return f"f(v) = v^{rng.randint(2, 3)} + {rng.randint(0, 2)}"
    if kind == 7:
        return f"{rng.choice(nodes)} = f({n()})"
    if kind == 8:
        return f"input {rng.choice(leaves)} = {rng.randint(1, 3)}, {rng.choice(leaves)}2 = {rng.randint(1, 3)}"
    op = rng.choice([" + ", "*", " - ", "/"])
    return f"{rng.choice(nodes)} = {rng.choice(['sin', 'cos', 'exp', ''])}({n()}{op}{n()})"


def state_of(graph) -> dict:
    equations = sorted((e.target, formula(e.value, SOURCE), str(e.box)) for e in graph.equations)
    return {"roles": {n: (v.role, v.ranges) for n, v in graph.variables.items()}, "equations": equations, "values": {n: list(map(repr, x)) for n, x in known_values(graph).items()}}


def play(seed: int) -> None:
    """A session of statements, replacements, undos and questions ends in the state that its saved program gives."""
    rng, s = random.Random(seed), Session()
    for _ in range(rng.randint(3, 14)):
        what = rng.random()
        before = s.state
        try:
            if what < 0.1:
                s.undo()
            elif what < 0.15:
                s.redo()
            elif what < 0.25:
                text = rng.choice(["J", "sin(x)*a", "dJ/dx", "ans + x", "t"])
                answer(s, text)
                remember(s, text)
                assert s.state.items is before.items
            elif what < 0.3:
                s.remove(rng.choice("abcdxyw"))
            else:
                s.add(Source("input", random_statement(rng)))
        except GraphError:
            assert s.state is before
    live = [i for k, i in enumerate(s.state.items) if k not in s.state.waiting]
    if live:
        assert state_of(gl.loads(s.text()).graph) == state_of(s.built.graph), s.text()
    while s.undo() is not None:
        pass
    assert not s.state.items


@pytest.mark.parametrize("block", range(10))
def test_random_sessions_end_in_the_state_that_the_saved_program_gives(block):
    for seed in range(block * 100, block * 100 + 100):
        play(seed)


# ---- pieces with holes


def test_pieces_with_holes_wait_and_block_nothing_else():
    s = session("z[1] = 1", "z[3] = 1", "z[5] = 1", "y = 2")
    assert set(waiting(s)) == {"z[3] = 1", "z[5] = 1"} and value(s, "y") == 2
    s.add(Source("input", "z[2] = 1"))
    s.add(Source("input", "z[4] = 1"))
    assert not s.state.waiting and len(value(s, "z")) == 5


def test_a_circle_is_told_when_it_closes():
    s = session("x = y")
    with pytest.raises(GraphError) as caught:
        s.add(Source("input", "y = x"))
    assert caught.value.diagnostics[0].code == "E110"
