"""The initializer of the networks' weights."""

import random

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="kerasgan")
class Normal(keras.initializers.Initializer):
    """Weights from a normal distribution, drawn by NumPy.

    One seed gives the same weights on every backend. JAX need not compile a program for each shape,
    which would take seconds for a network.

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
