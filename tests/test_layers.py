"""The arrows of docs/architecture.md: who may import whom, and which module is the door of a third-party package."""

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Iterator, NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "graphlang"

# The first part of a module's name after `graphlang.`, and its rank; "" is the package itself, which is only a version
# and lazy names.
RANKS = {"": 0, "diagnostics": 0, "codes": 0, "files": 0, "internal": 0, "syntax": 1, "graph": 2, "derive": 3, "engines": 4, "sources": 4, "data": 4, "compiled": 5, "compiled_arrays": 5, "exact": 5, "given": 5, "pipeline": 5, "query": 5, "run": 5,
         "verify": 6, "show": 7, "api": 8, "pages": 8, "train": 8, "quiz": 8, "highlight": 8, "repl": 9, "lsp": 9, "notebook": 9, "cli": 10, "__main__": 11}
TOGETHER = [{"compiled", "compiled_arrays", "exact", "given", "pipeline", "query", "run"}, {"sources", "data"}]  # one stage in six files; one in a file and a folder

# The only arrows that run upward. They are inside of functions, and the value that comes back is plain data: a run
# ends by judging its expectations and listing its conventions, and offers its JSON.
UPWARD = {("pipeline", "verify"), ("pipeline", "train"), ("pipeline", "quiz"), ("run", "show"), ("", "api")}

DOORS = {
    "lark": {"syntax.parser"},
    "rich": {"show", "cli", "repl"},
    "numpy": {"engines.initial", "run", "compiled", "compiled_arrays", "data", "engines.numba_functions", "engines.numba_engine", "engines.numba_reductions", "engines.scalar_tape",
              "engines.numba_linear", "engines.python_training", "engines.numpy_engine", "engines.numpy_functions", "engines.numpy_training", "engines.numba_training", "engines.jax_engine", "engines.jax_processes", "engines.jax_training", "train"},
    "pyarrow": {"data"},
    "flint": {"engines.ball"},
    "numba": {"engines.numba_functions", "engines.numba_engine"},
    "jax": {"engines.jax_engine", "engines.jax_processes", "engines.jax_training"},
    "matplotlib": {"train.plot"},
    "plotext": {"train.plot"},
    "typst": {"quiz.exports.typst"},
    "pygments": {"highlight", "repl"},
    "prompt_toolkit": {"repl"},
    "pygls": {"lsp"},
    "lsprotocol": {"lsp"},
    "IPython": {"notebook"},
    "watchfiles": {"cli.watch"},
    "shtab": {"cli.completion_files"},
}


class Import(NamedTuple):
    module: str     # without `graphlang.`
    imported: str   # with it, if it is ours
    lazy: bool      # inside of a function
    line: int


def imports() -> Iterator[Import]:
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").rstrip(".")
        tree = ast.parse(path.read_text(encoding="utf-8"))
        inside = {id(n) for f in ast.walk(tree) if isinstance(f, (ast.FunctionDef, ast.AsyncFunctionDef)) for n in ast.walk(f)}
        for node in ast.walk(tree):
            lazy = id(node) in inside
            if isinstance(node, ast.Import):
                for name in node.names:
                    yield Import(module, name.name, lazy, node.lineno)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{module}:{node.lineno}: a relative import"
                if node.module in ("graphlang", "graphlang.cli", "graphlang.graph", "graphlang.syntax", "graphlang.show",
                                   "graphlang.engines", "graphlang.derive", "graphlang.verify"):
                    for name in node.names:  # `from graphlang.syntax import ast` imports the module graphlang.syntax.ast
                        yield Import(module, f"{node.module}.{name.name}", lazy, node.lineno)
                else:
                    yield Import(module, node.module, lazy, node.lineno)


ALL = list(imports())
OURS = [i for i in ALL if i.imported.split(".")[0] == "graphlang"]


def stage(module: str) -> str:
    return module.split(".")[0]


def said(i: Import) -> str:
    return f"graphlang.{i.module}:{i.line} imports {i.imported}"


def test_every_module_has_a_rank():
    assert {stage(i.module) for i in ALL} <= RANKS.keys()
    assert {p.stem if p.is_file() else p.name for p in PACKAGE.iterdir()
            if (p.is_dir() and (p / "__init__.py").exists()) or p.suffix == ".py"} - {"__init__"} <= RANKS.keys()


def test_modules_import_from_smaller_ranks_or_their_own_stage():
    wrong = []
    for i in OURS:
        here, there = stage(i.module), stage(i.imported.removeprefix("graphlang").lstrip("."))
        if there not in RANKS:
            there = ""  # a name of the package itself, such as __version__
        if here == there or RANKS[there] < RANKS[here] or any({here, there} <= group for group in TOGETHER):
            continue
        if i.lazy and (here, there) in UPWARD:
            continue
        wrong.append(said(i))
    assert wrong == []


def test_every_arrow_that_runs_upward_is_needed():
    found = {(stage(i.module), stage(i.imported.removeprefix("graphlang").lstrip("."))) for i in OURS if i.lazy}
    assert UPWARD <= found


def test_the_graph_knows_of_syntax_only_the_tree_and_the_spelling_of_names():
    """But for graph/spell.py, which turns expressions back into syntax to print them."""
    wrong = [said(i) for i in OURS if stage(i.module) == "graph" and i.module != "graph.spell"
             and i.imported.startswith("graphlang.syntax") and i.imported not in ("graphlang.syntax.ast", "graphlang.syntax.names")]
    assert wrong == []


@pytest.mark.parametrize("package", DOORS)
def test_a_package_has_one_door(package):
    found = {i.module for i in ALL if i.imported.split(".")[0] == package}
    assert {m for m in found if m not in DOORS[package] and stage(m) not in DOORS[package]} == set()


def test_no_other_package_is_imported():
    outside = {i.imported.split(".")[0] for i in ALL} - set(sys.stdlib_module_names) - {"graphlang"}
    assert outside <= DOORS.keys()


@pytest.mark.parametrize("door", ["syntax.parser", "engines.initial", "engines.ball", "run"])
def test_heavy_packages_are_imported_inside_of_functions(door):
    assert [said(i) for i in ALL if i.module == door and i.imported.split(".")[0] in ("lark", "numpy", "flint") and not i.lazy] == []


def modules_after(*argv: str) -> set[str]:
    """The modules that a fresh process has imported after a command."""
    code = ("import sys; from graphlang.cli.main import main; status = main(sys.argv[1:]); "
            "print(*sys.modules, file=sys.stderr); sys.exit(status)")
    done = subprocess.run([sys.executable, "-c", code, *argv], cwd=ROOT, capture_output=True, text=True, encoding="utf-8",
                          env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"})
    assert done.returncode == 0, done.stderr[-2000:]
    return set(done.stderr.split())


@pytest.mark.parametrize("argv", [["run"], ["run", "--json"], ["grad"]], ids=" ".join)
def test_a_scalar_program_imports_no_heavy_module(argv):
    seen = modules_after(argv[0], "programs/lecture/simple.graph", *argv[1:])
    assert seen & {"numpy", "flint", "prompt_toolkit", "numba", "jax", "importlib.metadata", "importlib_metadata", "pkg_resources"} == set()
