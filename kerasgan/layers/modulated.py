"""StyleGAN2's convolution, whose feature maps a style scales."""

import math

import keras
from keras import ops

from kerasgan import filters
from kerasgan.layers import resample
from kerasgan.layers.equalized import Equalized, EqualizedDense, finished, on_maps
from kerasgan.layers.normal import Normal


@keras.saving.register_keras_serializable(package="kerasgan")
class ModulatedConv2D(Equalized):
    """A convolution of maps that are scaled by a style, and scaled back to a variance of one.

    Scaling the weights for each image, as the paper writes it, would be a convolution in as many
    groups as there are images. The maps before and after one convolution are scaled instead, which
    gives the same values.

    The layer is called with the maps, a vector of the style space for each image, and noise or
    None: one map for each image, or for all, that is added before the bias and the activation.

    Args:
        filters: Feature maps of the output.
        kernel_size: Side of the kernel, odd.
        doubles: Whether the side of the maps is doubled; they are smoothed after it.
        to_image: Whether the output is a part of the image: it is not scaled back, and has no
            activation.
        noise: Whether noise can be added; its strength is learned.
        gain: Factor of the output.
        clamp: Bound of the output's values, times `gain`; None for none.
        data_format: "channels_last" or "channels_first"; the weights have the same shape in both.
        **kwargs: Arguments of `Equalized`.

    Reference: Karras et al. 2020, https://arxiv.org/abs/1912.04958, section 2.2. The authors' code
    is training/networks.py of NVlabs/stylegan2-ada-pytorch on GitHub.
    """

    def __init__(
        self,
        filters,
        kernel_size=3,
        doubles=False,
        to_image=False,
        noise=False,
        gain=1.0,
        clamp=None,
        data_format="channels_last",
        **kwargs,
    ):
        super().__init__(**{"autocast": False, **kwargs})
        self.filters = filters
        self.kernel_size = kernel_size
        self.doubles = doubles
        self.to_image = to_image
        self.noise = noise
        self.gain = gain
        self.clamp = clamp
        self.data_format = data_format

    def build(self, inputs_shape, style_shape, noise_shape=None):
        maps = inputs_shape[resample.channel_axis(self.data_format)]
        self.scale = EqualizedDense(maps, bias=1.0, seed=self.seed + 1, dtype="float32")
        self.scale.build(style_shape)
        # Kept in float32: styles and weights are multiplied before they are rounded.
        whole = {"autocast": False}
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.kernel_size, self.kernel_size, maps, self.filters),
            initializer=Normal(0.0, 1.0, self.seed),
            **whole,
        )
        self.bias = self.add_weight(
            name="bias", shape=(self.filters,), initializer="zeros", **whole
        )
        if self.noise:
            self.strength = self.add_weight(name="strength", shape=(), initializer="zeros", **whole)

    def call(self, inputs, style, noise=None):
        scales = self.scale(style)
        kernel = ops.convert_to_tensor(self.kernel)
        x = ops.cast(inputs, self.compute_dtype)
        if self.to_image:
            scales = scales / math.sqrt(kernel.shape[2] * self.kernel_size**2)
        elif self.compute_dtype == "float16":  # Products may be too large for it.
            most = ops.max(ops.abs(kernel), axis=(0, 1, 2), keepdims=True)
            kernel = kernel / (most * math.sqrt(kernel.shape[2] * self.kernel_size**2))
            scales = scales / ops.max(ops.abs(scales), axis=1, keepdims=True)
        x = self._convolved(x * self._as_maps(scales), ops.cast(kernel, self.compute_dtype))
        if not self.to_image:
            power = ops.sum(ops.square(kernel), axis=(0, 1))
            x = x * self._as_maps(ops.rsqrt(ops.matmul(ops.square(scales), power) + 1e-8))
        if noise is not None:
            x = x + ops.cast(self.strength * noise, x.dtype)
        bias = ops.cast(self.bias, x.dtype)
        return finished(x, bias, not self.to_image, self.gain, self.clamp, self.data_format)

    def _convolved(self, x, kernel):
        if not self.doubles:
            return ops.conv(x, kernel, padding="same", data_format=self.data_format)
        kernel = ops.transpose(kernel, (0, 1, 3, 2))
        x = ops.conv_transpose(x, kernel, 2, "valid", data_format=self.data_format)
        # Three taps of twice the side and one; the filter sums to 4, since of four pixels one is
        # not zero before it.
        return 4.0 * resample.smoothed(x, 1, self.data_format)

    def _as_maps(self, numbers):
        return on_maps(ops.cast(numbers, self.compute_dtype), self.data_format)

    def compute_output_shape(self, inputs_shape, style_shape, noise_shape=None):
        shape = list(inputs_shape)
        shape[resample.channel_axis(self.data_format)] = self.filters
        for axis in filters.axes(self.data_format):
            shape[axis] = 2 * shape[axis] if self.doubles else shape[axis]
        return tuple(shape)

    def get_config(self):
        own = {
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "doubles": self.doubles,
            "to_image": self.to_image,
            "noise": self.noise,
            "gain": self.gain,
            "clamp": self.clamp,
            "data_format": self.data_format,
        }
        return {**super().get_config(), **own}
