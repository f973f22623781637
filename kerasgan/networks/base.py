"""What the network builders share."""

import random

import keras
import numpy as np
from keras import ops

from kerasgan import validation
from kerasgan.backend import PREFERRED_DATA_FORMAT

NORMS = (None, "batch")


class Builder(keras.Model):
    """A functional network that is remade from the arguments of its builder.

    Its layers are laid out for the backend that runs: images are channels-last outside, the
    convolutions inside take the layout that the backend runs fastest. The weights are the same
    in either, so weights written on one backend load on another.

    Args:
        inputs: Symbolic input.
        outputs: Symbolic output.
        arguments: What `get_config` returns and the constructor takes.
        name: Name of the network.
    """

    def __init__(self, inputs, outputs, arguments, name):
        super().__init__(inputs=inputs, outputs=outputs, name=name)
        self.arguments = arguments

    def get_config(self):
        return {**self.arguments, "name": self.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**config)


@keras.saving.register_keras_serializable(package="kerasgan")
class Normal(keras.initializers.Initializer):
    """Weights from a normal distribution, drawn by NumPy.

    One seed gives the same weights on every backend, and JAX need not compile a program for each
    shape, which takes seconds for a network.

    Args:
        mean: Mean of the weights.
        stddev: Their standard deviation.
        seed: A number; by default drawn from Python's generator, which
            `keras.utils.set_random_seed` sets.
    """

    def __init__(self, mean=0.0, stddev=0.02, seed=None):
        self.mean = mean
        self.stddev = stddev
        self.seed = random.randrange(2**32) if seed is None else seed

    def __call__(self, shape, dtype=None):
        draw = np.random.default_rng(self.seed).standard_normal(tuple(shape), dtype="float32")
        return ops.convert_to_tensor(self.mean + self.stddev * draw, dtype=dtype)

    def get_config(self):
        return {"mean": self.mean, "stddev": self.stddev, "seed": self.seed}


def check(**arguments):
    """Raise ValueError for a size that is not a positive integer or an unknown norm."""
    for name, value in arguments.items():
        if name == "norm":
            if value not in NORMS:
                raise ValueError(f"`norm` must be one of {NORMS}. Received: norm={value!r}")
        else:
            validation.positive_integer(name, value)


def channel_axis():
    """Return the axis of the channels inside a network on this backend."""
    return 1 if PREFERRED_DATA_FORMAT == "channels_first" else -1


def to_inside(x):
    """Return channels-last images in the layout of the convolutions."""
    return keras.layers.Permute((3, 1, 2))(x) if channel_axis() == 1 else x


def to_outside(x):
    """Return the inside layout as channels-last images."""
    return keras.layers.Permute((2, 3, 1))(x) if channel_axis() == 1 else x
