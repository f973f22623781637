"""Imports the experiments of benchmarks/, whose tables the pages show."""

import ast
import importlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = ROOT / "benchmarks"


def script(name):
    """Return the module of a script in benchmarks/."""
    folder = str(BENCHMARKS)
    sys.path.insert(0, folder)  # Scripts import each other.
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(folder)


def experiments():
    """Yield the name, the docstring and the duration of each experiment, without importing it."""
    for path in sorted(BENCHMARKS.glob("*.py")):
        if path.stem != "experiment":
            tree = ast.parse(path.read_text(encoding="utf-8"))
            values = {
                node.targets[0].id: node.value
                for node in tree.body
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
            }
            yield path.stem, ast.get_docstring(tree), ast.literal_eval(values["TAKES"])
