"""R3GAN's layers between vectors and the smallest feature maps."""

import math
import random

import keras
import numpy as np
from keras import ops

from kerasgan import validation


class Basis(keras.layers.Layer):
    """The base class of both layers: one learned pattern for each feature.

    The patterns are initialized from a normal distribution.

    Args:
        side: Height and width of the patterns, one number or both.
        data_format: The layout of the feature maps, "channels_last" or "channels_first". The
            weights have the same shape in both.
        seed: Seed of the patterns; by default drawn from Python's generator.
        **kwargs: Arguments of `keras.layers.Layer`.
    """

    def __init__(self, side=4, data_format="channels_last", seed=None, **kwargs):
        both = (side, side) if np.ndim(side) == 0 else tuple(side)
        for one in both:
            validation.positive_integer("side", one)
        super().__init__(**kwargs)
        self.side = side
        self.sides = both
        self.data_format = data_format
        self.seed = random.randrange(2**32) if seed is None else seed

    def get_config(self):
        own = {"side": self.side, "data_format": self.data_format, "seed": self.seed}
        return {**super().get_config(), **own}

    def _add_basis(self, features, stddev):
        def draw(shape, dtype=None):
            values = np.random.default_rng(self.seed).standard_normal(tuple(shape))
            return ops.convert_to_tensor(stddev * values, dtype=dtype)

        self.basis = self.add_weight(name="basis", shape=(*self.sides, features), initializer=draw)

    def _in_data_format(self):
        basis = ops.convert_to_tensor(self.basis)
        first = self.data_format == "channels_first"
        return ops.transpose(basis, (2, 0, 1)) if first else basis


@keras.saving.register_keras_serializable(package="kerasgan")
class GenerativeBasis(Basis):
    """Scale a learned pattern by each feature.

    Inputs have the shape `(batch_size, features)`, outputs `(batch_size, height, width, features)`,
    or channels first where Keras has them so.

    Reference: Huang et al. 2025, https://arxiv.org/abs/2501.05441, as in the authors' code
    (R3GAN/Networks.py in brownvc/R3GAN on GitHub).
    """

    def build(self, input_shape):
        self._add_basis(input_shape[-1], 1.0)

    def call(self, inputs):
        if self.data_format == "channels_first":
            return inputs[:, :, None, None] * self._in_data_format()
        return inputs[:, None, None] * self._in_data_format()

    def compute_output_shape(self, input_shape):
        batch, features = input_shape
        first = self.data_format == "channels_first"
        return (batch, features, *self.sides) if first else (batch, *self.sides, features)


@keras.saving.register_keras_serializable(package="kerasgan")
class DiscriminativeBasis(Basis):
    """Sum each feature map, weighted by a learned pattern: to `(batch_size, features)`.

    This is a depthwise convolution whose kernel is as large as the map.

    Reference: Huang et al. 2025, https://arxiv.org/abs/2501.05441, as in the authors' code
    (R3GAN/Networks.py in brownvc/R3GAN on GitHub).
    """

    def build(self, input_shape):
        features = input_shape[1 if self.data_format == "channels_first" else -1]
        self._add_basis(features, 1.0 / math.sqrt(math.prod(self.sides)))

    def call(self, inputs):
        axes = (2, 3) if self.data_format == "channels_first" else (1, 2)
        return ops.sum(inputs * self._in_data_format(), axis=axes)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[1 if self.data_format == "channels_first" else -1])
