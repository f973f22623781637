"""GANs for Keras 3: train, sample and resume, on TensorFlow, JAX and PyTorch."""

from kerasgan import (
    augment,
    backend,
    callbacks,
    data,
    gans,
    layers,
    losses,
    metrics,
    networks,
    penalties,
    pictures,
    presets,
    storage,
)
from kerasgan.gans import (
    DRAGAN,
    GAN,
    R3GAN,
    SNGAN,
    WGAN,
    WGANGP,
    AdversarialModel,
    FlowGAN,
    InfoGAN,
    PacGAN,
    UnrolledGAN,
)
from kerasgan.version import __version__

from_preset = AdversarialModel.from_preset

__all__ = [
    "DRAGAN",
    "GAN",
    "R3GAN",
    "SNGAN",
    "WGAN",
    "WGANGP",
    "AdversarialModel",
    "FlowGAN",
    "InfoGAN",
    "PacGAN",
    "UnrolledGAN",
    "__version__",
    "augment",
    "backend",
    "callbacks",
    "data",
    "from_preset",
    "gans",
    "layers",
    "losses",
    "metrics",
    "networks",
    "penalties",
    "pictures",
    "presets",
    "storage",
]
