"""Layers that Keras lacks."""

from kerasgan.layers.basis import DiscriminativeBasis, GenerativeBasis
from kerasgan.layers.blur import Blur
from kerasgan.layers.equalized import EqualizedConv2D, EqualizedDense
from kerasgan.layers.grouped_conv import GroupedConv2D
from kerasgan.layers.minibatch_discrimination import MinibatchDiscrimination
from kerasgan.layers.minibatch_stddev import MinibatchStddev
from kerasgan.layers.modulated import ModulatedConv2D
from kerasgan.layers.spectral import SpectralConv2D, SpectralDense, SpectralEmbedding
from kerasgan.layers.upsampling_conv import UpsamplingConv2D

__all__ = [
    "Blur",
    "DiscriminativeBasis",
    "EqualizedConv2D",
    "EqualizedDense",
    "GenerativeBasis",
    "GroupedConv2D",
    "MinibatchDiscrimination",
    "MinibatchStddev",
    "ModulatedConv2D",
    "SpectralConv2D",
    "SpectralDense",
    "SpectralEmbedding",
    "UpsamplingConv2D",
]
