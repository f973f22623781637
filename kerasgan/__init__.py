"""GANs for Keras 3: train, sample and resume, on TensorFlow, JAX and PyTorch.

The public names are loaded when they are first used, so that `import kerasgan` takes no time, and
what needs no Keras, as `kerasgan.catalogue`, does not import it.
"""

import importlib
import os
import typing

# TensorFlow chooses oneDNN by itself on some processors only, and without it a step of a
# convolutional GAN takes two to three times as long (benchmarks/mode_backends.py). It reads this
# when Keras imports it, so that a program which imports Keras before has to set it by itself.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

from kerasgan import catalogue, registration
from kerasgan.version import __version__

if typing.TYPE_CHECKING:  # For editors, and for the reference in the documentation.
    from kerasgan import (
        adversarial,
        augment,
        backend,
        callbacks,
        collapse,
        data,
        film,
        gans,
        layers,
        losses,
        metrics,
        networks,
        penalties,
        pictures,
        presets,
        recipe,
        serving,
        storage,
        watch,
    )
    from kerasgan.adversarial import AdversarialModel
    from kerasgan.gans.dragan import DRAGAN
    from kerasgan.gans.fastgan import FastGAN
    from kerasgan.gans.flow_gan import FlowGAN
    from kerasgan.gans.gan import GAN
    from kerasgan.gans.infogan import InfoGAN
    from kerasgan.gans.pacgan import PacGAN
    from kerasgan.gans.r3gan import R3GAN
    from kerasgan.gans.sngan import SNGAN
    from kerasgan.gans.stylegan2 import StyleGAN2
    from kerasgan.gans.unrolled_gan import UnrolledGAN
    from kerasgan.gans.wgan import WGAN
    from kerasgan.gans.wgan_gp import WGANGP
    from kerasgan.hub import upload_preset

    from_preset = AdversarialModel.from_preset

_PACKAGES = (
    "adversarial",
    "augment",
    "backend",
    "callbacks",
    "catalogue",
    "collapse",
    "data",
    "film",
    "gans",
    "layers",
    "losses",
    "metrics",
    "networks",
    "penalties",
    "pictures",
    "presets",
    "recipe",
    "serving",
    "storage",
    "watch",
)
_VARIANTS = tuple(entry.class_name for entry in catalogue.VARIANTS.values())

__all__ = [
    *_PACKAGES,
    *_VARIANTS,
    "AdversarialModel",
    "__version__",
    "from_preset",
    "upload_preset",
]


def __getattr__(name):
    if name in _PACKAGES:
        return importlib.import_module(f"kerasgan.{name}")
    if name in _VARIANTS:
        value = getattr(importlib.import_module("kerasgan.gans"), name)
    elif name == "AdversarialModel":
        value = importlib.import_module("kerasgan.adversarial").AdversarialModel
    elif name == "from_preset":
        importlib.import_module("kerasgan.gans")  # What a preset holds must be registered.
        value = importlib.import_module("kerasgan.adversarial").AdversarialModel.from_preset
    elif name == "upload_preset":
        value = importlib.import_module("kerasgan.hub").upload_preset
    else:
        raise AttributeError(f"module 'kerasgan' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__():
    return sorted(__all__)


registration.with_keras()
