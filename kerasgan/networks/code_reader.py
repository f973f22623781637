"""What an InfoGAN reads codes with, on top of the critic's features."""

import keras
from keras import layers

from kerasgan.networks.base import Normal


def code_reader(width, code_dim):
    """Return Q's own part, from the critic's features to a distribution's parameters."""
    return keras.Sequential(
        [
            keras.Input((width,)),
            layers.Dense(128, use_bias=False, kernel_initializer=Normal(0.0, 0.02)),
            layers.BatchNormalization(momentum=0.9, epsilon=1e-5),
            layers.LeakyReLU(0.1),
            layers.Dense(code_dim, kernel_initializer=Normal(0.0, 0.02), dtype="float32"),
        ],
        name="code_reader",
    )
