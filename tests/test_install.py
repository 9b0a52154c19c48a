"""The wheel holds all that is needed to run, and works from any folder."""

import importlib.util
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import graphlang

ROOT = Path(__file__).parent.parent
PROGRAM = """J = cos(u)
u = 2x
input x = 2
"""


def call(*command, **options) -> subprocess.CompletedProcess:
    # a PYTHONPATH of the tests would show the checkout to the installed copy
    env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")} | {"PYTHONIOENCODING": "utf-8"}
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, encoding="utf-8", env=env, **options)


def done(*command, **options) -> str:
    result = call(*command, **options)
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-4000:]
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    offline = ["--no-build-isolation"] if importlib.util.find_spec("hatchling") else []
    done(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", *offline, "--wheel-dir", folder, ROOT, cwd=folder)
    (made,) = folder.glob("graphlang-*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The bin folder of a fresh environment with the wheel. What it depends on is lent by the present environment."""
    folder = tmp_path_factory.mktemp("venv")
    done(sys.executable, "-m", "venv", "--without-pip", folder)
    bin_folder = folder / ("Scripts" if os.name == "nt" else "bin")
    python = bin_folder / "python"
    site = Path(done(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    done(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel)
    lent = {str(Path(importlib.util.find_spec(name).origin).parent.parent) for name in ("lark", "rich", "numpy")}
    # Lines of a .pth file come after the environment's own packages on the path, so its graphlang is the wheel's. An
    # editable install in the lending environment is not lent: .pth files in there are not read.
    (site / "lent.pth").write_text("".join(f"{path}\n" for path in sorted(lent)), encoding="utf-8")
    return bin_folder


@pytest.fixture
def elsewhere(tmp_path) -> Path:
    (tmp_path / "my.graph").write_text(PROGRAM, encoding="utf-8")
    return tmp_path


def test_the_wheel_ships_the_grammar_and_nothing_of_the_tests(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {"graphlang/grammars/graph.lark", "graphlang/grammars/graph.tables.json", "graphlang/cli/main.py"} <= set(names)
    assert {n.split("/")[0] for n in names} == {"graphlang", f"graphlang-{graphlang.__version__}.dist-info"}
    assert not [n for n in names if "__pycache__" in n]


def test_the_grammar_is_found_inside_of_the_installed_package(installed, elsewhere):
    code = "from graphlang.syntax import parser; print(parser.__file__); print(parser.grammar_folder())"
    module, folder = done(installed / "python", "-c", code, cwd=elsewhere).splitlines()
    assert ROOT not in Path(module).parents
    assert Path(folder) == Path(module).parent.parent / "grammars"


def test_the_shipped_tables_are_used(installed, elsewhere):
    code = "import sys; from graphlang.pipeline import loads; loads('J = cos(2)'); print('lark' in sys.modules)"
    assert done(installed / "python", "-c", code, cwd=elsewhere) == "False\n"


def test_the_command_runs_from_another_folder(installed, elsewhere):
    shown = done(installed / "graphlang", "run", "my.graph", "--plain", cwd=elsewhere)
    assert "dJ/dx" in shown


def test_python_m_graphlang_is_the_command(installed, elsewhere):
    by_name = done(installed / "graphlang", "run", "my.graph", "--json", cwd=elsewhere)
    assert done(installed / "python", "-m", "graphlang", "run", "my.graph", "--json", cwd=elsewhere) == by_name


def test_exit_statuses_reach_the_shell(installed, elsewhere):
    (elsewhere / "bad.graph").write_text("J = cos(y)\n", encoding="utf-8")
    assert call(installed / "graphlang", "run", "bad.graph", cwd=elsewhere).returncode == 1
    assert call(installed / "graphlang", "run", "missing.graph", cwd=elsewhere).returncode == 2


def test_the_version_is_said_once():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == graphlang.__version__
