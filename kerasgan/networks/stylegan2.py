"""The networks of StyleGAN2."""

import itertools
import math

import keras
from keras import layers, ops

from kerasgan import sizes, validation
from kerasgan.backend import PREFERRED_DATA_FORMAT as FORMAT
from kerasgan.layers import EqualizedConv2D, EqualizedDense, MinibatchStddev
from kerasgan.networks import base
from kerasgan.networks.style_parts import HALF, Halve, Mapping, Synthesis, levels

ARCHITECTURES = ("skip", "residual", "plain")


def stylegan2(
    image_size=64,
    channels=3,
    latent_dim=512,
    style_dim=None,
    mapping_layers=2,
    channel_base=None,
    channel_max=512,
    generator_architecture="skip",
    critic_architecture="residual",
    critic_mapping_layers=8,
    reduced=4,
    clamp=256.0,
    group_size=4,
    group_channels=1,
    num_classes=None,
    packing=1,
):
    """Return StyleGAN2's generator and critic.

    The defaults are those of the authors' configuration "auto".

    Args:
        image_size: The side of the images, or `(height, width)`. Both are b x 2^k pixels, with one
            k and a b of 3 to 7 for each.
        channels: 1, 3, or 4 with transparency.
        latent_dim: Size of the latent vectors.
        style_dim: Size of the vectors of the style space, the paper's w; by default `latent_dim`.
        mapping_layers: Layers between both; 8 in the paper and 2 in "auto".
        channel_base: Maps with a side of b x 2^i have `channel_base / 2^(i + 2)` features; None for
            16,384, and for 32,768 from 512 pixels on.
        channel_max: Most features of a map.
        generator_architecture: "skip", where each level adds to the image; "residual"; or "plain".
        critic_architecture: "residual", "skip" or "plain".
        critic_mapping_layers: Layers that a conditional critic's label passes.
        reduced: How many levels, from the largest maps on, compute in reduced precision under a
            mixed dtype policy of Keras.
        clamp: Bound of what convolutions return; None for none.
        group_size: Images in a group of the minibatch standard deviation.
        group_channels: Its feature maps; 0 for no such layer.
        num_classes: Number of classes of a conditional pair, whose networks take `[z, labels]` and
            `[images, labels]`; None for an unconditional pair.
        packing: Number of images that the critic scores together, stacked along the channels.

    Returns:
        `(generator, critic)`. The generator maps `(batch_size, latent_dim)` to images of shape
        `(batch_size, height, width, channels)`, most of whose values lie in [-1, 1]. The critic
        maps such images to scores `(batch_size, 1)`.

    Reference: Karras et al. 2020, https://arxiv.org/abs/1912.04958. The authors' code is
    NVlabs/stylegan2-ada-pytorch on GitHub: training/networks.py, train.py.
    """
    return base.pair(StyleGAN2Generator, StyleGAN2Critic, locals())


def _check(image_size, clamp=None, **arguments):
    """Raise ValueError for an argument that is out of range, or of no sense."""
    sizes.sides(image_size)
    if clamp is not None:
        validation.positive("clamp", clamp)
    for name in [name for name in arguments if name.endswith("_architecture")]:
        validation.choice(name, arguments.pop(name), ARCHITECTURES)
    for name in ("reduced", "group_channels"):  # They may be 0.
        value = arguments.pop(name, 0)
        if value != 0 or isinstance(value, bool):
            validation.positive_integer(name, value)
    base.check(**{name: value for name, value in arguments.items() if value is not None})


@keras.saving.register_keras_serializable(package="kerasgan")
class StyleGAN2Generator(base.Builder):
    """The generator of `stylegan2`: a mapping network and a synthesis network.

    `stylegan2` describes the arguments. Called as a whole it has constant noise.

    Attributes:
        mapping: A layer from latent vectors, and from classes, to the style space.
        synthesis: A layer from styles `(batch_size, styles, style_dim)` to images.
    """

    def __init__(
        self,
        image_size=64,
        channels=3,
        latent_dim=512,
        style_dim=None,
        mapping_layers=2,
        channel_base=None,
        channel_max=512,
        generator_architecture="skip",
        reduced=4,
        clamp=256.0,
        num_classes=None,
        name="stylegan2_generator",
    ):
        arguments = base.arguments(locals())
        _check(**arguments)
        mapping = Mapping(mapping_layers, style_dim or latent_dim, num_classes)
        synthesis = Synthesis(
            levels(image_size, channel_base, channel_max, reduced),
            channels,
            generator_architecture,
            clamp,
        )
        z = keras.Input((latent_dim,))
        inputs, labels = z, None
        if num_classes is not None:
            labels = keras.Input((), dtype="int32", name="labels")
            inputs = [z, labels]
        w = mapping(z, labels) if labels is not None else mapping(z)
        styles = layers.RepeatVector(synthesis.styles, dtype="float32")(w)
        super().__init__(inputs, synthesis(styles), arguments, name)
        self.mapping = mapping
        self.synthesis = synthesis


@keras.saving.register_keras_serializable(package="kerasgan")
class StyleGAN2Critic(base.Builder):
    """The critic of `stylegan2`, which describes the arguments."""

    def __init__(
        self,
        image_size=64,
        channels=3,
        channel_base=None,
        channel_max=512,
        critic_architecture="residual",
        critic_mapping_layers=8,
        reduced=4,
        clamp=256.0,
        group_size=4,
        group_channels=1,
        num_classes=None,
        packing=1,
        name="stylegan2_critic",
    ):
        arguments = base.arguments(locals())
        _check(**arguments)
        found = levels(image_size, channel_base, channel_max, reduced)[::-1]
        images = keras.Input((*found[0].sides, packing * channels))
        image, x = base.to_inside(images), None
        skip, residual = critic_architecture == "skip", critic_architecture == "residual"
        for i, (level, below) in enumerate(itertools.pairwise(found)):
            make = {"dtype": level.dtype, "data_format": FORMAT}
            if x is None or skip:
                y = EqualizedConv2D(
                    level.features, 1, clamp=clamp, name=f"level_{i}_from_image", **make
                )(image)
                x = y if x is None else layers.Add(dtype=level.dtype)([x, y])
                image = Halve(FORMAT, dtype="float32")(image) if skip else None
            shortcut = None
            if residual:
                shortcut = EqualizedConv2D(
                    below.features,
                    1,
                    "halve",
                    False,
                    False,
                    HALF,
                    name=f"level_{i}_shortcut",
                    **make,
                )(x)
            make["clamp"] = clamp
            x = EqualizedConv2D(level.features, 3, name=f"level_{i}_first", **make)(x)
            gain = HALF if residual else 1.0
            x = EqualizedConv2D(
                below.features, 3, "halve", gain=gain, name=f"level_{i}_second", **make
            )(x)
            if shortcut is not None:
                x = layers.Add(dtype=level.dtype)([shortcut, x])
        last = {"dtype": "float32", "data_format": FORMAT}
        features = found[-1].features
        if skip:
            y = EqualizedConv2D(features, 1, name="last_from_image", **last)(image)
            x = layers.Add(dtype="float32")([x, y])
        if group_channels:
            x = MinibatchStddev(group_size, group_channels, **last)(x)
        x = EqualizedConv2D(features, 3, clamp=clamp, name="last_conv", **last)(x)
        x = layers.Flatten(dtype="float32")(base.to_outside(x))
        x = EqualizedDense(features, activate=True, name="last_features", dtype="float32")(x)
        inputs = images
        if num_classes is None:
            x = EqualizedDense(1, name="score", dtype="float32")(x)
        else:
            labels = keras.Input((), dtype="int32", name="labels")
            inputs = [images, labels]
            x = EqualizedDense(features, name="score", dtype="float32")(x)
            y = Mapping(critic_mapping_layers, features, num_classes, False, name="mapping")(labels)
            x = ops.sum(x * y, axis=-1, keepdims=True) / math.sqrt(features)
        super().__init__(inputs, x, arguments, name)
