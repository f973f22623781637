"""What the network builders share."""

import keras

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
