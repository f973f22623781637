"""Smoothing before average pooling and after upsampling."""

import keras

from kerasgan import filters

TAPS = (0.25, 0.5, 0.25)


@keras.saving.register_keras_serializable(package="kerasgan")
class Blur(keras.layers.Layer):
    """Smooth feature maps with [1, 2, 1] / 4 along both axes, with zeros beyond the border.

    After nearest-neighbour upsampling the result is bilinear upsampling. Before average pooling
    the result is downsampling with [1, 3, 3, 1] / 8. This is R3GAN's resampling, that of
    R3GAN/Resamplers.py in brownvc/R3GAN on GitHub.

    Args:
        data_format: "channels_last" or "channels_first".
        **kwargs: Arguments of `keras.layers.Layer`.

    Reference: Zhang 2019, https://arxiv.org/abs/1904.11486.
    """

    def __init__(self, data_format="channels_last", **kwargs):
        super().__init__(**kwargs)
        self.data_format = data_format
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def call(self, inputs):
        return filters.filtered(inputs, TAPS, 1, data_format=self.data_format)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "data_format": self.data_format}
