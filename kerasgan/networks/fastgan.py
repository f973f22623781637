"""The networks of FastGAN."""

import math

import keras
from keras import layers, ops

from kerasgan import sizes
from kerasgan.backend import PREFERRED_DATA_FORMAT, Conv2D
from kerasgan.layers import SpectralConv2D, UpsamplingConv2D
from kerasgan.networks import base
from kerasgan.networks.residual_parts import features_of

# The generator's features at each level of maps, in multiples of the width.
MULTIPLES = (16, 8, 4, 2, 2, 1, 1 / 2, 1 / 4, 1 / 8)
EXCITED, LAST_EXCITED = (
    4,
    7,
)  # Levels from the maps that excite to those that they do, and the last.
SKIPPED = 3  # The same in the critic.
STEM = 6  # The critic's blocks begin at this level; larger maps are halved before.


def fastgan(image_size=256, channels=3, latent_dim=256, width=64):
    """Return FastGAN's generator and critic, for few images and large sizes.

    The generator enlarges its maps by nearest-neighbour upsampling and one convolution a level, or
    two in every other one, with gated linear units. Small maps excite maps of 16 times their side:
    they scale the features of these. The critic has residual blocks of spectrally normalised
    convolutions with batch normalisation, and a score for each part of an image.

    The paper has 256, 512 and 1,024 pixels; its networks are drawn for 1,024. It leaves open how
    many features there are, which maps excite which below 1,024 pixels, the slopes, the
    initialisation, and how the critic halves the largest maps. All this is taken from the authors'
    code, and the slope of the excitations from the paper. Departures: in the authors' code the
    generator has spectral normalisation too, before batch normalisation, which undoes it but in the
    last layer, and noise with a learned scale, which begins at zero. Their critic has skip-layer
    excitations, and scores a version of 128 pixels of each image, for which the generator has an
    output of its own. The paper has none of these.

    Args:
        image_size: The side of the images, or `(height, width)`. Both are b x 2^k pixels, with one
            k and a b of 3 to 7 for each, and k at least 2.
        channels: 1, 3, or 4 with transparency.
        latent_dim: Size of the latent vectors.
        width: Features of maps with an eighth of the side of the largest, at 256 pixels; the
            generator has 16 times as many in its smallest maps.

    Returns:
        `(generator, critic)`. The generator maps `(batch_size, latent_dim)` to images in [-1, 1] of
        shape `(batch_size, height, width, channels)`. The critic maps such images to scores
        `(batch_size, n)`, 25 where b is 4. Its `encoder` maps them to these and to two maps, from
        which `decoder` makes images again.

    Reference: Liu et al. 2021, https://arxiv.org/abs/2101.04775. The authors' code was
    odegeasslbc/FastGAN-pytorch on GitHub, models.py.
    """
    return base.pair(FastGANGenerator, FastGANCritic, locals())


@keras.saving.register_keras_serializable(package="kerasgan")
class FastGANGenerator(base.Builder):
    """The generator of `fastgan`, which describes the arguments."""

    def __init__(
        self, image_size=256, channels=3, latent_dim=256, width=64, name="fastgan_generator"
    ):
        arguments = base.arguments(locals())
        pyramid = _pyramid(**arguments)
        inputs = keras.Input((latent_dim,))
        rows, columns = pyramid[0]
        features = [max(1, int(width * MULTIPLES[min(i, 8)])) for i in range(len(pyramid))]
        x = layers.Dense(
            2 * rows * columns * features[0], use_bias=False, kernel_initializer=_initial()
        )(inputs)
        x = base.to_inside(layers.Reshape((rows, columns, 2 * features[0]))(x))
        maps = [_gated(x)]
        for level, n in enumerate(features[1:], 1):
            enlarge = UpsamplingConv2D(2 * n, 3, strides=2, **_plain())
            x = _gated(enlarge(maps[-1]))
            if level % 2:
                x = _gated(Conv2D(2 * n, 3, **_plain())(x))
            if EXCITED <= level <= LAST_EXCITED:
                x = _excited(x, maps[level - EXCITED], pyramid[0])
            maps.append(x)
        x = Conv2D(channels, 3, **_plain())(maps[-1])
        x = layers.Activation("tanh", dtype="float32")(base.to_outside(x))
        super().__init__(inputs, x, arguments, name)


@keras.saving.register_keras_serializable(package="kerasgan")
class FastGANCritic(base.Builder):
    """The critic of `fastgan`, which describes the arguments.

    Attributes:
        encoder: A network from images to `[scores, small, smallest]`: the scores, and the maps of
            the second and of the first level, in the order of the axes that images have.
    """

    def __init__(self, image_size=256, channels=3, width=64, name="fastgan_critic"):
        arguments = base.arguments(locals())
        pyramid = _pyramid(**arguments)
        inputs = keras.Input((*pyramid[-1], channels))
        features = [max(1, int(width * 16 / 2**i)) for i in range(len(pyramid))]
        x = base.to_inside(inputs)
        top = len(pyramid) - 1
        for level in range(top - 1, STEM - 1, -1):
            x = SpectralConv2D(features[level], 4, strides=2, **_plain())(x)
            x = layers.LeakyReLU(0.2)(x if level == top - 1 else base.batch_norm(x))
        if top <= STEM:
            x = layers.LeakyReLU(0.2)(SpectralConv2D(features[top], 3, **_plain())(x))
        maps = {top: x}
        for level in range(min(top, STEM) - 1, 0, -1):
            maps[level] = x = _halved(x, features[level])
        x = SpectralConv2D(features[0], 1, **_plain())(x)
        x = layers.LeakyReLU(0.2)(base.batch_norm(x))
        score = SpectralConv2D(1, pyramid[0], **{**_plain(), "padding": "valid"})
        scores = layers.Flatten(dtype="float32")(score(x))
        super().__init__(inputs, scores, arguments, name)
        outputs = [scores, *(base.to_outside(maps[level]) for level in (2, 1))]
        # Not as a layer of this one, which would have each weight twice.
        object.__setattr__(self, "encoder", keras.Model(inputs, outputs))


def decoder(maps, image, channels, width, name=None):
    """Return a decoder, which makes images of the critic's maps.

    Args:
        maps: Height, width and features of the maps.
        image: Height and width of the largest image that is wanted. The decoder doubles maps until
            they have it, or four times.
        channels: Channels of an image.
        width: The width of the networks.
        name: Its name.
    """
    inputs = keras.Input(maps)
    x = base.to_inside(inputs)
    doublings = min(4, round(math.log2(image[0] / maps[0])))
    for multiple in (2, 1, 1, 1 / 2)[:doublings]:
        features = max(1, int(width * multiple))
        x = _gated(UpsamplingConv2D(2 * features, 3, strides=2, **_plain())(x))
    x = Conv2D(channels, 3, **_plain())(x)
    x = layers.Activation("tanh", dtype="float32")(base.to_outside(x))
    return keras.Model(inputs, x, name=name)


def _pyramid(image_size, **numbers):
    """Return the sides of all maps; see `sizes.pyramid`."""
    base.check(**numbers)
    pyramid = sizes.pyramid(image_size)
    if len(pyramid) < 3:
        raise ValueError(
            "`image_size` must be at least 12 pixels, b x 2^k with a k of 2 or more. Received: "
            f"image_size={sizes.text(image_size)}"
        )
    return pyramid


def _initial():
    return base.Normal(0.0, 0.02)


def _plain():
    return {
        "padding": "same",
        "use_bias": False,
        "kernel_initializer": _initial(),
        "data_format": PREFERRED_DATA_FORMAT,
    }


def _gated(x):
    """Return a gated linear unit of normalised maps, with half of their features."""
    values, gates = ops.split(base.batch_norm(x), 2, axis=base.channel_axis())
    return values * ops.sigmoid(gates)


def _excited(x, small, sides):
    """Return maps whose features are scaled by what smaller maps say: skip-layer excitation."""
    n, by = features_of(x), small.shape[2] // sides[0 if base.channel_axis() == 1 else 1]
    if by > 1:
        small = layers.AveragePooling2D(by, data_format=PREFERRED_DATA_FORMAT)(small)
    scale = Conv2D(n, sides, **{**_plain(), "padding": "valid"})(small)
    scale = Conv2D(n, 1, **_plain())(layers.LeakyReLU(0.1)(scale))
    return x * ops.sigmoid(scale)


def _halved(x, n):
    """Return maps of half the sides: a residual block of the critic."""
    main = SpectralConv2D(n, 4, strides=2, **_plain())(x)
    main = layers.LeakyReLU(0.2)(base.batch_norm(main))
    main = SpectralConv2D(n, 3, **_plain())(main)
    main = layers.LeakyReLU(0.2)(base.batch_norm(main))
    direct = layers.AveragePooling2D(2, data_format=PREFERRED_DATA_FORMAT)(x)
    direct = SpectralConv2D(n, 1, **_plain())(direct)
    direct = layers.LeakyReLU(0.2)(base.batch_norm(direct))
    return (main + direct) / 2.0
