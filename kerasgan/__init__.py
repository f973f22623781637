"""GANs for Keras 3: train, sample and resume, on TensorFlow, JAX and PyTorch."""

from kerasgan import (
    backend,
    callbacks,
    data,
    gans,
    losses,
    networks,
    penalties,
    pictures,
    presets,
    storage,
)
from kerasgan.gans import GAN, WGAN, WGANGP, AdversarialModel
from kerasgan.presets import from_preset, save_to_preset
from kerasgan.version import __version__

__all__ = [
    "GAN",
    "WGAN",
    "WGANGP",
    "AdversarialModel",
    "__version__",
    "backend",
    "callbacks",
    "data",
    "from_preset",
    "gans",
    "losses",
    "networks",
    "penalties",
    "pictures",
    "presets",
    "save_to_preset",
    "storage",
]
