"""graphlang: a small language for computation graphs, and a place to see and trust a derivative.

    import graphlang as gl
    run = gl.load("simple.graph").run(x=3)
    run["J"], run.adjoints["x"]
"""

from __future__ import annotations

__version__ = "0.1.0"

_WHERE = {"load": "pipeline", "loads": "api", "Program": "pipeline", "UsageError": "given", "Run": "run", "EvaluationError": "run",
          "GraphError": "diagnostics", "Diagnostic": "diagnostics", "Graph": "api"}
_EXTENSION = {"load_ipython_extension": "notebook", "unload_ipython_extension": "notebook"}  # what `%load_ext graphlang` looks for


def __getattr__(name: str):
    """Public names are imported when they are first used, so that `import graphlang` costs nothing. The functions of
    the language (`gl.cos`) are among them."""
    import importlib

    if where := _WHERE.get(name) or _EXTENSION.get(name):
        globals()[name] = getattr(importlib.import_module(f"graphlang.{where}"), name)
        return globals()[name]
    if name == "__all__":
        from graphlang.api import FUNCTION_NAMES

        globals()[name] = [*_WHERE, *sorted(FUNCTION_NAMES)]
        return globals()[name]
    if not name.startswith("_"):
        from graphlang.api import FUNCTION_NAMES, function

        if name in FUNCTION_NAMES:
            globals()[name] = function(name)
            return globals()[name]
    raise AttributeError(f"module 'graphlang' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__getattr__("__all__")})
