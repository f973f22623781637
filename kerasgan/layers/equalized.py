"""Layers with equalised learning rates, as StyleGAN2 has them."""

import math
import random

import keras
from keras import ops

from kerasgan import filters, validation
from kerasgan.layers import resample
from kerasgan.layers.normal import Normal

SLOPE, GAIN = 0.2, math.sqrt(2.0)  # Of leaky ReLU, after which values are scaled by the gain.
RESAMPLINGS = (None, "halve", "double")


class Equalized(keras.layers.Layer):
    """The base class: weights from N(0, 1) that are scaled when they are used.

    Adam moves all weights at one pace. Scaled by the square root of what a unit sums up, layers of
    any size learn alike.

    Args:
        seed: Seed of the weights; by default drawn from Python's generator.
        **kwargs: Arguments of `keras.layers.Layer`.

    Reference: Karras et al. 2018, https://arxiv.org/abs/1710.10196, section 4.1.
    """

    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = random.randrange(2**32) if seed is None else seed

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}


@keras.saving.register_keras_serializable(package="kerasgan")
class EqualizedDense(Equalized):
    """A fully connected layer with an equalised learning rate.

    Args:
        units: Numbers of the output.
        activate: Whether leaky ReLU follows, and a factor that keeps the variance.
        rate: Factor of the learning rate: weights are drawn that much larger and used that much
            smaller.
        bias: Initial value of the biases.
        **kwargs: Arguments of `Equalized`.
    """

    def __init__(self, units, activate=False, rate=1.0, bias=0.0, **kwargs):
        validation.positive_integer("units", units)
        validation.positive("rate", rate)
        super().__init__(**kwargs)
        self.units = units
        self.activate = activate
        self.rate = rate
        self.bias_at_first = bias

    def build(self, input_shape):
        features = input_shape[-1]
        self.factor = self.rate / math.sqrt(features)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(features, self.units),
            initializer=Normal(0.0, 1.0 / self.rate, self.seed),
        )
        self.bias = self.add_weight(
            name="bias",
            shape=(self.units,),
            initializer=keras.initializers.Constant(self.bias_at_first),
        )

    def call(self, inputs):
        x = ops.matmul(inputs, self.factor * self.kernel) + self.rate * self.bias
        return GAIN * ops.leaky_relu(x, SLOPE) if self.activate else x

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        own = {
            "units": self.units,
            "activate": self.activate,
            "rate": self.rate,
            "bias": self.bias_at_first,
        }
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package="kerasgan")
class EqualizedConv2D(Equalized):
    """A convolution with an equalised learning rate, which may halve or double the maps' side.

    Maps are smoothed before they are halved and after they are doubled; see `resample`.

    Args:
        filters: Feature maps of the output.
        kernel_size: Side of the kernel, odd; 1 where the maps are doubled.
        resampling: "halve", "double" or None.
        activate: Whether leaky ReLU follows, and a factor that keeps the variance.
        use_bias: Whether there is a bias.
        gain: Factor of the output.
        clamp: Values of an activated output are cut at this number times `gain`; None for no bound.
        data_format: "channels_last" or "channels_first"; the weights have the same shape in both.
        **kwargs: Arguments of `Equalized`.
    """

    def __init__(
        self,
        filters,
        kernel_size=3,
        resampling=None,
        activate=True,
        use_bias=True,
        gain=1.0,
        clamp=None,
        data_format="channels_last",
        **kwargs,
    ):
        validation.choice("resampling", resampling, RESAMPLINGS)
        if resampling == "double" and kernel_size != 1:
            raise ValueError(
                "`kernel_size` must be 1 where maps are doubled; ModulatedConv2D takes 3. "
                f"Received: kernel_size={kernel_size}"
            )
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.resampling = resampling
        self.activate = activate
        self.use_bias = use_bias
        self.gain = gain
        self.clamp = clamp
        self.data_format = data_format

    def build(self, input_shape):
        maps = input_shape[resample.channel_axis(self.data_format)]
        self.factor = 1.0 / math.sqrt(maps * self.kernel_size**2)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.kernel_size, self.kernel_size, maps, self.filters),
            initializer=Normal(0.0, 1.0, self.seed),
        )
        if self.use_bias:
            self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")

    def call(self, inputs):
        x, form = inputs, self.data_format
        kernel = self.factor * self.kernel
        if self.resampling == "halve" and self.kernel_size == 1:
            x = ops.conv(resample.halved(x, form), kernel, data_format=form)
        elif self.resampling == "halve":
            x = resample.smoothed(x, self.kernel_size // 2 + 1, form)
            x = ops.conv(x, kernel, strides=2, padding="valid", data_format=form)
        elif self.resampling == "double":
            x = resample.doubled(ops.conv(x, kernel, data_format=form), form)
        else:
            x = ops.conv(x, kernel, padding="same", data_format=form)
        bias = self.bias if self.use_bias else None
        return finished(x, bias, self.activate, self.gain, self.clamp, form)

    def compute_output_shape(self, input_shape):
        shape = list(input_shape)
        shape[resample.channel_axis(self.data_format)] = self.filters
        for axis in filters.axes(self.data_format):
            if self.resampling is not None:
                shape[axis] = shape[axis] // 2 if self.resampling == "halve" else 2 * shape[axis]
        return tuple(shape)

    def get_config(self):
        own = {
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "resampling": self.resampling,
            "activate": self.activate,
            "use_bias": self.use_bias,
            "gain": self.gain,
            "clamp": self.clamp,
            "data_format": self.data_format,
        }
        return {**super().get_config(), **own}


def finished(x, bias, activate, gain, clamp, data_format):
    """Return maps with a bias, an activation, a factor and a bound."""
    if bias is not None:
        x = x + on_maps(bias[None], data_format)
    if activate:
        x = ops.leaky_relu(x, SLOPE)
        gain = gain * GAIN
    if gain != 1.0:
        x = gain * x
    if clamp is not None:
        bound = clamp * gain / GAIN if activate else clamp * gain
        x = ops.clip(x, -bound, bound)
    return x


def on_maps(numbers, data_format):
    """Return numbers `(batch_size, maps)` such that they multiply or move whole maps."""
    return numbers[:, None, None] if data_format == "channels_last" else numbers[:, :, None, None]
