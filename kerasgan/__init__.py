"""GANs for Keras 3: train, sample and resume, on TensorFlow, JAX and PyTorch."""

import os

# TensorFlow chooses oneDNN by itself on some processors only, and without it a step of a
# convolutional GAN takes two to three times as long (benchmarks/mode_backends.py). It reads this
# when Keras imports it, so that a program which imports Keras before has to set it by itself.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

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
