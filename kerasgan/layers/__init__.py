"""Layers that Keras lacks."""

from kerasgan.layers.basis import DiscriminativeBasis, GenerativeBasis
from kerasgan.layers.blur import Blur
from kerasgan.layers.grouped_conv import GroupedConv2D
from kerasgan.layers.minibatch_discrimination import MinibatchDiscrimination
from kerasgan.layers.minibatch_stddev import MinibatchStddev
from kerasgan.layers.spectral import SpectralConv2D, SpectralDense, SpectralEmbedding
from kerasgan.layers.upsampling_conv import UpsamplingConv2D

__all__ = [
    "Blur",
    "DiscriminativeBasis",
    "GenerativeBasis",
    "GroupedConv2D",
    "MinibatchDiscrimination",
    "MinibatchStddev",
    "SpectralConv2D",
    "SpectralDense",
    "SpectralEmbedding",
    "UpsamplingConv2D",
]
