"""Keras must know this package's classes when it loads a model, though they are imported lazily."""

import importlib
import importlib.abc
import importlib.machinery
import sys


def with_keras():
    """Import the classes of models as soon as Keras is imported, now or later.

    `keras.saving.load_model` finds only classes that were registered.
    """
    if "keras" in sys.modules:
        importlib.import_module("kerasgan.gans")
    else:
        sys.meta_path.insert(0, _Finder())


class _Finder(importlib.abc.MetaPathFinder):
    """Registers the classes after the outermost import that brought Keras in.

    If a part of the package imports Keras, that part goes first: imports must not cross.
    """

    def __init__(self):
        self.depth = 0

    def find_spec(self, name, path, target=None):
        if name != "keras" and not name.startswith("kerasgan."):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is not None and hasattr(spec.loader, "exec_module"):
            self._follow(spec.loader)
        return spec

    def _follow(self, loader):
        execute = loader.exec_module

        def exec_module(module):
            self.depth += 1
            try:
                execute(module)
            finally:
                self.depth -= 1
            if self.depth == 0 and "keras" in sys.modules:
                importlib.import_module("kerasgan.gans")

        loader.exec_module = exec_module
