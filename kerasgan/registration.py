"""Keras must know this package's classes when it loads a model, though they are imported lazily."""

import importlib
import importlib.abc
import importlib.util
import sys


def with_keras():
    """Import the classes of models as soon as Keras is imported, now or later.

    `keras.saving.load_model` finds only classes that were registered.
    """
    if "keras" not in sys.modules:
        sys.meta_path.insert(0, _Finder())
    elif not _initialising("keras"):
        _register()


def _register():
    # If a part of the package is what imports Keras, it goes first: imports must not cross.
    parts = [name for name in sys.modules if name.startswith("kerasgan.")]
    if not any(map(_initialising, parts)):
        importlib.import_module("kerasgan.gans")


def _initialising(name):
    return getattr(getattr(sys.modules[name], "__spec__", None), "_initializing", False)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds Keras by the other finders, once, and registers the classes after it was executed."""

    def find_spec(self, name, path, target=None):
        if name != "keras":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None:
            execute = spec.loader.exec_module

            def exec_module(module):
                execute(module)
                spec.loader.exec_module = execute
                _register()

            spec.loader.exec_module = exec_module
        return spec
