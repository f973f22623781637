"""GANs for Keras 3: train, sample and resume, on TensorFlow, JAX and PyTorch.

The public names are loaded when they are first used, so that the command line can answer before
Keras is imported.
"""

import importlib
import importlib.abc
import importlib.util
import sys

__version__ = "0.1.0"

_HOMES = {
    "GAN": "kerasgan.gans",
    "WGAN": "kerasgan.gans",
    "WGANGP": "kerasgan.gans",
    "AdversarialModel": "kerasgan.gans",
    "from_preset": "kerasgan.presets",
    "save_to_preset": "kerasgan.presets",
}
_ROOMS = (
    "backend",
    "callbacks",
    "data",
    "gans",
    "losses",
    "networks",
    "penalties",
    "pictures",
    "presets",
)

__all__ = ["__version__", *_HOMES, *_ROOMS]


def __getattr__(name):
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name in _ROOMS:
        return importlib.import_module(f"kerasgan.{name}")
    raise AttributeError(f"module 'kerasgan' has no attribute {name!r}")


def __dir__():
    return __all__


class _RegisterWithKeras(importlib.abc.MetaPathFinder):
    """Imports the serializable classes as soon as Keras itself has been imported.

    Without it `import kerasgan, keras; keras.saving.load_model(file)` would not know them.
    """

    def find_spec(self, fullname, path=None, target=None):
        if fullname != "keras":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec("keras")
        if spec is None:
            return None
        run = spec.loader.exec_module

        def run_then_register(module):
            run(module)
            importlib.import_module("kerasgan.gans")
            importlib.import_module("kerasgan.networks")

        spec.loader.exec_module = run_then_register
        return spec


if "keras" in sys.modules:
    from kerasgan import gans, networks  # noqa: F401
else:
    sys.meta_path.insert(0, _RegisterWithKeras())
