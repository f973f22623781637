"""The parts of StyleGAN2's networks: maps of several sizes, the mapping, the synthesis."""

import dataclasses
import math
import random

import keras
from keras import layers, ops

from kerasgan import filters, sizes
from kerasgan.backend import PREFERRED_DATA_FORMAT as FORMAT
from kerasgan.layers import EqualizedConv2D, EqualizedDense, ModulatedConv2D, resample
from kerasgan.networks import base

HALF = math.sqrt(0.5)  # Of both terms of a residual block, whose sum then keeps the variance.


@dataclasses.dataclass(frozen=True)
class Level:
    """The maps of one size.

    Args:
        sides: Their height and width.
        features: How many features they have.
        dtype: The dtype policy of their layers.
    """

    sides: tuple
    features: int
    dtype: object


def levels(image_size, channel_base, channel_max, reduced):
    """Return the `Level`s of images, the smallest maps first; see `stylegan2`."""
    pyramid = sizes.pyramid(image_size)
    if channel_base is None:
        channel_base = 2**15 if max(pyramid[-1]) >= 512 else 2**14
    doublings = len(pyramid) - 1
    found = []
    for i, side in enumerate(pyramid):
        features = max(1, min(channel_base >> (i + 2), channel_max))
        policy = keras.config.dtype_policy()
        if i == 0 or i <= doublings - reduced:  # As theirs, the smallest maps never are.
            policy = keras.DTypePolicy("float32")
        found.append(Level(side, features, policy))
    return found


class Mapping(layers.Layer):
    """The network from latent vectors, and from classes, to the style space.

    Args:
        layers: How many fully connected layers it has.
        width: Size of what it returns, and of all between.
        num_classes: Number of classes, or None.
        latent: Whether it takes latent vectors.
        seed: Seed of its weights.
        **kwargs: Arguments of `keras.layers.Layer`.

    Attributes:
        average: The moving average of what it returns in training, the centre of the style space.
    """

    def __init__(self, layers, width, num_classes=None, latent=True, seed=None, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.width = width
        self.num_classes = num_classes
        self.latent = latent
        seed = random.randrange(2**32) if seed is None else seed
        self.embed = None
        if num_classes is not None:
            self.embed = EqualizedDense(width, seed=seed, dtype="float32")
        self.stack = [
            EqualizedDense(width, activate=True, rate=0.01, seed=seed + 1 + i, dtype="float32")
            for i in range(layers)
        ]

    def build(self, inputs_shape, labels_shape=None):
        features = inputs_shape[-1] if self.latent else 0
        if self.embed is not None:
            self.embed.build((None, self.num_classes))
            features += self.width
        for layer in self.stack:
            layer.build((None, features))
            features = self.width
        if self.latent:
            self.average = self.add_weight(
                name="average", shape=(self.width,), initializer="zeros", trainable=False
            )

    def call(self, inputs, labels=None):
        parts = [normalized(inputs)] if self.latent else []
        if self.embed is not None:
            classes = labels if self.latent else inputs
            one_hot = ops.one_hot(ops.cast(classes, "int32"), self.num_classes, dtype="float32")
            parts.append(normalized(self.embed(one_hot)))
        x = ops.concatenate(parts, axis=-1) if len(parts) > 1 else parts[0]
        for layer in self.stack:
            x = layer(x)
        return x

    def compute_output_shape(self, inputs_shape, labels_shape=None):
        return (inputs_shape[0], self.width)


def normalized(x):
    """Return vectors whose mean square is 1."""
    return x * ops.rsqrt(ops.mean(ops.square(x), axis=-1, keepdims=True) + 1e-8)


class Block(layers.Layer):
    """The part of the synthesis network whose maps have one size.

    Args:
        level: Its `Level`.
        first: Whether it is the first one, which does not double its maps.
        last: Whether it is the last one.
        channels: Channels of the images.
        architecture: "skip", "residual" or "plain".
        clamp: Bound of what convolutions return, or None.
        seed: Seed of its weights.

    Attributes:
        noises: How many maps of noise it takes, and styles beside that of its part of the image.
    """

    def __init__(self, level, first, last, channels, architecture, clamp, seed):
        super().__init__(dtype="float32", autocast=False)  # Its maps stay as they are.
        make = {"dtype": level.dtype, "data_format": FORMAT}
        features = level.features
        residual = architecture == "residual" and not first
        self.noises = 1 if first else 2
        self.enlarge = self.shortcut = self.to_image = None
        if not first:
            self.enlarge = ModulatedConv2D(
                features, doubles=True, noise=True, clamp=clamp, seed=seed, **make
            )
        if residual:
            self.shortcut = EqualizedConv2D(
                features, 1, "double", False, False, HALF, seed=seed + 2, **make
            )
        self.refine = ModulatedConv2D(
            features,
            noise=True,
            gain=HALF if residual else 1.0,
            clamp=clamp,
            seed=seed + 4,
            **make,
        )
        if architecture == "skip" or last:
            self.to_image = ModulatedConv2D(
                channels, 1, to_image=True, clamp=clamp, seed=seed + 6, **make
            )

    def build(self, features, style_dim):
        """Build the layers, for maps of so many features and styles of so many numbers."""
        style = (None, style_dim)
        for layer in (self.enlarge, self.shortcut):
            if layer is not None:
                layer.build(_shape(features), *([style] if layer is self.enlarge else []))
        for layer in (self.refine, self.to_image):
            if layer is not None:
                layer.build(_shape(self.refine.filters), style)
        self.built = True

    def call(self, x, image, styles, noise):
        """Return the maps and the image after this level, or None where there is no image yet."""
        shortcut = None if self.shortcut is None else self.shortcut(x)
        if self.enlarge is not None:
            x = self.enlarge(x, styles[0], noise[0])
        x = self.refine(x, styles[self.noises - 1], noise[-1])
        if shortcut is not None:
            x = shortcut + x
        if image is not None:
            image = resample.doubled(image, FORMAT)
        if self.to_image is not None:
            part = ops.cast(self.to_image(x, styles[self.noises]), "float32")
            image = part if image is None else image + part
        return x, image


class Synthesis(layers.Layer):
    """The network from styles, one for each layer, to images.

    Args:
        levels: The `Level`s of its maps.
        channels: Channels of the images.
        architecture: "skip", "residual" or "plain".
        clamp: Bound of what convolutions return, or None.
        seed: Seed of its weights.
        **kwargs: Arguments of `keras.layers.Layer`.

    Attributes:
        styles: How many vectors of the style space it takes for each image.
        noise_sides: Height and width of each map of noise.
    """

    def __init__(self, levels, channels, architecture, clamp, seed=None, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.levels = levels
        self.channels = channels
        self.seed = random.randrange(2**31) if seed is None else seed
        self.styles = 2 * len(levels)
        last = len(levels) - 1
        self.blocks = [
            Block(level, i == 0, i == last, channels, architecture, clamp, self.seed + 10 * i)
            for i, level in enumerate(levels)
        ]
        self.noise_sides = [
            level.sides
            for level, block in zip(levels, self.blocks, strict=True)
            for _ in range(block.noises)
        ]

    def build(self, input_shape):
        def drawn(name, shape, number, trainable):
            draw = base.Normal(0.0, 1.0, self.seed + 1000 + number)
            return self.add_weight(name=name, shape=shape, initializer=draw, trainable=trainable)

        first = self.levels[0]
        self.constant = drawn("constant", (*first.sides, first.features), 0, True)
        self.constant_noise = [
            drawn(f"noise_{i}", (*sides, 1), 1 + i, False)
            for i, sides in enumerate(self.noise_sides)
        ]
        features = first.features
        for level, block in zip(self.levels, self.blocks, strict=True):
            block.build(features, input_shape[-1])
            features = level.features

    def call(self, inputs, noise="constant"):
        """Return images of styles `(batch_size, styles, style_dim)`.

        Args:
            inputs: The styles.
            noise: "constant", "none", or a map `(batch_size, height, width, 1)` for each of
                `noise_sides`.
        """
        maps = self._noise(noise)
        x, image = ops.convert_to_tensor(self.constant)[None], None
        x = ops.repeat(_inside(x), ops.shape(inputs)[0], axis=0)
        number = 0
        for block in self.blocks:
            styles = [inputs[:, number + i] for i in range(block.noises + 1)]
            x, image = block(x, image, styles, maps[number : number + block.noises])
            number += block.noises
        return ops.transpose(image, (0, 2, 3, 1)) if FORMAT == "channels_first" else image

    def _noise(self, noise):
        if isinstance(noise, str):
            if noise == "none":
                return [None] * len(self.noise_sides)
            noise = [ops.convert_to_tensor(variable)[None] for variable in self.constant_noise]
        return [_inside(one) for one in noise]

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *self.levels[-1].sides, self.channels)


def _inside(x):
    """Return channels-last maps in the data format of the convolutions."""
    return ops.transpose(x, (0, 3, 1, 2)) if FORMAT == "channels_first" else x


def _shape(features):
    if FORMAT == "channels_last":
        return (None, None, None, features)
    return (None, features, None, None)


@keras.saving.register_keras_serializable(package="kerasgan")
class Halve(layers.Layer):
    """Halve images as StyleGAN2 does; see `kerasgan.layers.resample`.

    Args:
        data_format: "channels_last" or "channels_first".
        **kwargs: Arguments of `keras.layers.Layer`.
    """

    def __init__(self, data_format="channels_last", **kwargs):
        super().__init__(**kwargs)
        self.data_format = data_format

    def call(self, inputs):
        return resample.halved(inputs, self.data_format)

    def compute_output_shape(self, input_shape):
        shape = list(input_shape)
        for axis in filters.axes(self.data_format):
            shape[axis] //= 2
        return tuple(shape)
