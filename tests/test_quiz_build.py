"""`graphlang quiz build`: which sheets are written where, and what is told."""

import json
from pathlib import Path

import lms_readers as lms
import pytest
from test_quiz_exports import QUIZZES

from graphlang.cli.main import main
from graphlang.quiz.exports import TARGETS

EXAM = '''
exam "Quiz 3 - Backpropagation" {
  use paths, variants 5
  use neuron
  use shape, 2 marks
  minutes 20
  versions 3
  seed 2026
}
'''
NO_PAPER = "moodle,gift,canvas,qti21,prairielearn"


@pytest.fixture
def file(tmp_path) -> str:
    path = tmp_path / "q.graph"
    path.write_text(QUIZZES + EXAM)
    return str(path)


def build(capsys, *argv) -> tuple[int, str, str]:
    status = main(["quiz", "build", *argv])
    return status, *capsys.readouterr()


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_files_are_written_and_losses_told(file, tmp_path, capsys):
    status, out, err = build(capsys, file, "paths", "--to", NO_PAPER, "--variants", "3", "--out", str(tmp_path / "a"), "--plain")
    assert (status, err) == (0, "")
    names = contents(tmp_path / "a")
    assert set(names) == {"two-paths-to-x-moodle.xml", "two-paths-to-x.gift", "two-paths-to-x-canvas.zip", "two-paths-to-x-qti21.zip",
                          *(f"two-paths-to-x-prairielearn/questions/paths/{n}" for n in ("info.json", "question.html", "server.py", "variants.json"))}
    assert all(name in out for name in names)
    assert "Canvas: " in out and "messages for wrong numbers dropped, its numeric items have none" in out
    assert len(lms.moodle(names["two-paths-to-x-moodle.xml"])) == 4  # two numbers in each; the values of a variant are drawn twice, which is told
    assert "paths: 1 of 3 variants have the numbers of another one and are not written twice" in out


def test_the_same_command_writes_the_same_bytes(file, tmp_path, capsys):
    for folder in ("a", "b"):
        assert build(capsys, file, "--to", NO_PAPER + ",md", "--variants", "2", "--out", str(tmp_path / folder))[0] == 0
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_json_names_every_file_and_every_loss(file, tmp_path, capsys):
    status, out, _ = build(capsys, file, "neuron", "--to", "canvas,qti21", "--out", str(tmp_path / "a"), "--json")
    said = json.loads(out)
    assert status == 0 and said["title"] == "One neuron, backward"
    assert [(f["target"], Path(f["path"]).stat().st_size == f["bytes"]) for f in said["files"]] == [("canvas", True), ("qti21", True)]
    assert {loss["target"] for loss in said["losses"]} == {"canvas", "qti21"}


def test_an_exam_has_its_variants_seed_and_marks(file, tmp_path, capsys):
    status, out, _ = build(capsys, file, "--exam", "Quiz 3 - Backpropagation", "--to", "moodle,md,key", "--out", str(tmp_path / "a"), "--json")
    assert status == 0
    names = contents(tmp_path / "a")
    assert {n for n in names if n.endswith(".md")} == {f"quiz-3-backpropagation-{v}{k}.md" for v in "ABC" for k in ("", "-key")}
    items = lms.moodle(names["quiz-3-backpropagation-moodle.xml"])
    by_quiz = [c.rpartition("/")[2] for c, _ in items]
    assert by_quiz.count("paths") == 10 and by_quiz.count("neuron") == 4 and by_quiz.count("shape") == 3
    assert {i.marks for c, i in items if c.endswith("/shape")} == {2}
    assert b"seed:2026" in names["quiz-3-backpropagation-moodle.xml"]
    assert any(loss["message"].startswith("neuron: 2 of 3 variants have the numbers of another one") for loss in json.loads(out)["losses"])


@pytest.mark.parametrize("argv, said", [
    (["--to", "modle"], "did you mean `moodle`?"),
    (["--to", "key"], "a key goes with a paper: pdf, latex, md"),
    (["--to", ","], "a target is wanted"),
    (["--to", "moodle", "--variants", "0"], "--variants is a number from 1 to 10,000"),
    (["--to", "moodle", "--exam", "Quiz 4 - Backpropagation"], "did you mean `Quiz 3 - Backpropagation`?"),
    (["--to", "moodle", "--exam", "No such thing at all"], 'it has "Quiz 3 - Backpropagation"'),
    (["pahts", "--to", "moodle"], "did you mean `paths`?"),
    (["paths", "--to", "moodle", "--exam", "Quiz 3 - Backpropagation"], "the exam says which quizzes it has"),
], ids=str)
def test_a_wrong_command_line_says_what_to_write(argv, said, file, tmp_path, capsys):
    status, out, err = build(capsys, file, *argv, "--out", str(tmp_path / "a"))
    assert (status, out) == (2, "") and said in err and not (tmp_path / "a").exists()


def test_a_folder_that_cannot_be_made_is_told(file, tmp_path, capsys):
    (tmp_path / "a").write_text("a file")
    status, _, err = build(capsys, file, "paths", "--to", "gift", "--out", str(tmp_path / "a"))
    assert status == 2 and "cannot be written" in err


def test_a_wrong_epoch_is_told(file, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    assert build(capsys, file, "paths", "--to", "canvas", "--out", str(tmp_path / "a"))[0] == 2


def test_every_target_is_in_the_help(capsys):
    assert main(["quiz", "build", "--help"]) == 0
    out = capsys.readouterr().out
    assert all(f"  {name} " in out for name in TARGETS)
