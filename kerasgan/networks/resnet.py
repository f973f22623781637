"""The residual networks of SNGAN and R3GAN."""

import math

import keras
from keras import layers, ops

from kerasgan import validation
from kerasgan.backend import PREFERRED_DATA_FORMAT, BatchNormalization, Conv2D
from kerasgan.layers import (
    Blur,
    DiscriminativeBasis,
    GenerativeBasis,
    GroupedConv2D,
    MinibatchStddev,
    SpectralConv2D,
)
from kerasgan.networks import base

IMAGE_SIZES = {"sngan": (32, 48, 64, 128), "r3gan": (32, 48, 64, 96, 128, 192, 256)}
STYLES = tuple(IMAGE_SIZES)
NORMS = (None, "spectral")

# SNGAN's feature maps, in multiples of the width: the generator's from a side of 4 on (of 6 for 48
# pixels), the critic's for each block, and the number of the critic's blocks that halve the side.
GENERATOR_MAPS = {
    32: (2, 2, 2, 2),
    48: (8, 4, 2, 1),
    64: (16, 8, 4, 2, 1),
    128: (16, 16, 8, 4, 2, 1),
}
CRITIC_MAPS = {
    32: (1, 1, 1, 1),
    48: (1, 2, 4, 8, 16),
    64: (1, 2, 4, 8, 16),
    128: (1, 2, 4, 8, 16, 16),
}
HALVINGS = {32: 2, 48: 4, 64: 5, 128: 5}

# Feature maps in each group of R3GAN's grouped convolutions.
GROUP_WIDTH = 16


def resnet(
    image_size=32,
    channels=3,
    latent_dim=128,
    width=64,
    style="sngan",
    depth=None,
    critic_norm=None,
    num_classes=None,
    conditioning="projection",
    packing=1,
    minibatch=None,
):
    """Return a residual generator and critic.

    "sngan" is the pair of SNGAN; without `critic_norm` it is close to the pair of WGAN-GP. It has
    batch normalisation in the generator, nearest-neighbour upsampling, average pooling, ReLU, and a
    sum over the pixels of the last maps. Departures: labels enter the generator as one-hot vectors
    next to the latent vector, not by conditional normalisation. The last layer has a bias at 32
    pixels too. Initial weights are normal, with the deviations of the authors' uniform ones. The
    shortcuts resize on the cheaper side of their convolution, which costs a quarter and gives the
    same values.

    "r3gan" has no normalisation. It has a learned 4x4 basis, inverted bottlenecks (a grouped
    convolution between two of 1x1) whose residuals are initially zero, and bilinear resampling.
    Departures: a tanh after the generator, so that images lie in [-1, 1]. The critic's last layer
    has a bias. Labels are one-hot in the generator, not embedded. A conditional critic adds the
    inner product of features and class to an unconditional score; the authors' code has no such
    score, and the features pass a linear map before the product. Latent vectors have by default 128
    numbers, theirs 64 (`latent_dim=64`). The basis of 48, 96 and 192 pixels, which the paper does
    not have, is 3x3.

    Args:
        image_size: With "sngan" 32, 48, 64 or 128 pixels, with "r3gan" 32, 48, 64, 96, 128, 192 or
            256.
        channels: 1, 3, or 4 with transparency.
        latent_dim: Size of the latent vectors.
        width: Number of feature maps. With "sngan": those next to the image; they double with each
            halving of the side. For 32 pixels the critic has `width` maps throughout and the
            generator twice as many. The papers have 128 there, and 64 for larger images. With
            "r3gan": those up to a side of 32; they halve with each doubling beyond. The authors
            have 768 for CIFAR-10 and FFHQ, and 1,536 for ImageNet, there at 64 pixels too.
        style: "sngan" or "r3gan".
        depth: With "r3gan" only: number of residual blocks for each side; None for the authors' 2.
        critic_norm: "spectral", as in SNGAN, or None. It must be None with "r3gan".
        num_classes: Number of classes of a conditional pair, whose networks take `[z, labels]` and
            `[images, labels]`; None for an unconditional pair.
        conditioning: How labels enter the critic: "projection", or "concat", a channel for each
            class.
        packing: Number of images that the critic scores together, stacked along the channels.
        minibatch: A layer of the critic that compares the images of a batch: "discrimination" or
            "stddev"; or None.

    Returns:
        `(generator, critic)`. The generator maps `(batch_size, latent_dim)` to images in [-1, 1] of
        shape `(batch_size, image_size, image_size, channels)`. The critic maps such images to
        scores `(batch_size, 1)`.

    Reference: Miyato et al. 2018, https://arxiv.org/abs/1802.05957, appendix B.4; Huang et al.
    2025, https://arxiv.org/abs/2501.05441. The authors' code is, on GitHub,
    pfnet-research/sngan_projection (gen_models/, dis_models/) and brownvc/R3GAN
    (R3GAN/Networks.py, train.py).
    """
    return base.pair(ResNetGenerator, ResNetCritic, locals())


@keras.saving.register_keras_serializable(package="kerasgan")
class ResNetGenerator(base.Builder):
    """The generator of `resnet`: residual blocks from maps of 4x4 to the image.

    `resnet` describes the arguments.
    """

    def __init__(
        self,
        image_size=32,
        channels=3,
        latent_dim=128,
        width=64,
        style="sngan",
        depth=None,
        num_classes=None,
        name="resnet_generator",
    ):
        arguments = base.arguments(locals())
        _check(**arguments)
        inputs, z = base.latent_inputs(latent_dim, num_classes)
        if style == "sngan":
            maps = [n * width for n in GENERATOR_MAPS[image_size]]
            x = _sngan_generator(z, image_size >> (len(maps) - 1), maps)
            x = _conv(x, channels, 3, _glorot(x, channels, 3))
        else:
            x = _r3gan_generator(z, _sides(image_size), width, depth or 2)
            x = _conv(x, channels, 1, _fan_in(x), use_bias=False)
        x = layers.Activation("tanh", dtype="float32")(base.to_outside(x))
        super().__init__(inputs, x, arguments, name)


@keras.saving.register_keras_serializable(package="kerasgan")
class ResNetCritic(base.Builder):
    """The critic of `resnet`: residual blocks from the image to one score.

    `resnet` describes the arguments.
    """

    def __init__(
        self,
        image_size=32,
        channels=3,
        width=64,
        style="sngan",
        depth=None,
        norm=None,
        num_classes=None,
        conditioning="projection",
        packing=1,
        minibatch=None,
        name="resnet_critic",
    ):
        arguments = base.arguments(locals())
        _check(**arguments)
        shape = (image_size, image_size, channels)
        inputs, images, labels = base.image_inputs(shape, num_classes, conditioning, packing)
        x = base.to_inside(images)
        if style == "sngan":
            maps = [n * width for n in CRITIC_MAPS[image_size]]
            x = _sngan_critic(x, maps, HALVINGS[image_size], norm, minibatch)
            stddev = math.sqrt(2.0 / (x.shape[-1] + 1))
        else:
            x = _r3gan_critic(x, _sides(image_size)[::-1], width, depth or 2, minibatch)
            stddev = math.sqrt(1.0 / x.shape[-1])
        scores = base.score(x, labels, num_classes, conditioning, norm, minibatch, stddev)
        super().__init__(inputs, scores, arguments, name)


def _check(image_size, style, depth, norm=None, **arguments):
    validation.choice("style", style, STYLES)
    validation.choice("image_size", image_size, IMAGE_SIZES[style])
    validation.choice("norm", norm, NORMS)
    if style == "r3gan" and norm is not None:
        raise ValueError(f'`norm` must be None with style="r3gan". Received: norm={norm!r}')
    if depth is not None:
        if style == "sngan":
            raise ValueError(f'`depth` must be None with style="sngan". Received: depth={depth!r}')
        arguments["depth"] = depth
    base.check(**arguments)


# SNGAN. The initializers have the standard deviations of the authors' uniform ones (Glorot's, times
# the square root of 2 inside residuals: dis_models/resblocks.py).


def _sngan_generator(z, side, maps):
    units = side * side * maps[0]
    first = base.Normal(0.0, math.sqrt(2.0 / (z.shape[-1] + units)))
    x = layers.Dense(units, kernel_initializer=first)(z)
    x = base.to_inside(layers.Reshape((side, side, maps[0]))(x))
    for n in maps[1:]:
        # A convolution of 1x1 and nearest-neighbour upsampling commute.
        shortcut = _double(_conv(x, n, 1, _glorot(x, n, 1)))
        x = _double(_norm_relu(x))
        x = _conv(x, n, 3, _glorot(x, n, 3, 2.0))
        x = _norm_relu(x)
        x = _conv(x, n, 3, _glorot(x, n, 3, 2.0))
        x = layers.Add()([x, shortcut])
    return _norm_relu(x)


def _sngan_critic(x, maps, halvings, norm, minibatch):
    """Return the sum over the pixels of each of the last maps."""
    for i, n in enumerate(maps):
        x = _sngan_critic_block(x, n, norm, first=i == 0, halve=i < halvings)
    x = layers.ReLU()(x)
    if minibatch == "stddev":
        x = MinibatchStddev(data_format=PREFERRED_DATA_FORMAT)(x)
    axes = (2, 3) if base.channel_axis() == 1 else (1, 2)
    return ops.sum(ops.cast(x, "float32"), axis=axes)


def _sngan_critic_block(x, maps, norm, first, halve):
    shortcut = _halve(x) if halve else x
    inside = maps if first else _maps(x)
    if halve or _maps(x) != maps:
        shortcut = _conv(shortcut, maps, 1, _glorot(x, maps, 1), norm)
    if not first:
        x = layers.ReLU()(x)
    x = _conv(x, inside, 3, _glorot(x, inside, 3, 2.0), norm)
    x = layers.ReLU()(x)
    x = _conv(x, maps, 3, _glorot(x, maps, 3, 2.0), norm)
    return layers.Add()([_halve(x) if halve else x, shortcut])


def _norm_relu(x):
    # Epsilon and momentum are Chainer's defaults, as in the authors' gen_models/resblocks.py.
    x = BatchNormalization(axis=base.channel_axis(), momentum=0.9, epsilon=2e-5)(x)
    return layers.ReLU()(x)


# R3GAN.


def _sides(image_size):
    """Return the sides of the feature maps, from 4 or 3 on to the image's."""
    sides = [image_size]
    while sides[0] > 4:
        sides.insert(0, sides[0] // 2)
    return sides


def _r3gan_maps(sides, width):
    """Return the feature maps for each side: `width` up to 32, and half of it for each doubling."""
    return [max(width >> max(0, math.ceil(math.log2(side / 32))), 1) for side in sides]


def _r3gan_generator(z, sides, width, depth):
    maps = _r3gan_maps(sides, width)
    x = layers.Dense(
        maps[0], use_bias=False, kernel_initializer=base.Normal(0.0, math.sqrt(1.0 / z.shape[-1]))
    )(z)
    x = GenerativeBasis(sides[0], data_format=PREFERRED_DATA_FORMAT)(x)
    for i, n in enumerate(maps):
        if i:
            if n != _maps(x):
                x = _conv(x, n, 1, _fan_in(x), use_bias=False)
            x = Blur(PREFERRED_DATA_FORMAT)(_double(x))
        for _ in range(depth):
            x = _r3gan_block(x, depth * len(maps))
    return x


def _r3gan_critic(x, sides, width, depth, minibatch):
    """Return the features of the discriminative basis."""
    maps = _r3gan_maps(sides, width)
    x = _conv(x, maps[0], 1, _fan_in(x), use_bias=False)
    for i, n in enumerate(maps):
        if i:
            x = _halve(Blur(PREFERRED_DATA_FORMAT)(x))
            if n != _maps(x):
                x = _conv(x, n, 1, _fan_in(x), use_bias=False)
        for _ in range(depth):
            x = _r3gan_block(x, depth * len(maps))
    if minibatch == "stddev":
        x = MinibatchStddev(data_format=PREFERRED_DATA_FORMAT)(x)
    return DiscriminativeBasis(sides[-1], data_format=PREFERRED_DATA_FORMAT)(x)


def _r3gan_block(x, blocks):
    """Add an inverted bottleneck that is initially zero.

    As in Fixup, the gain of its first two layers falls with the fourth root of `blocks`, the number
    of blocks in the whole network.
    """
    maps = _maps(x)
    wide = 2 * maps
    groups = wide // math.gcd(wide, GROUP_WIDTH)
    gain = 2.0 / (1.0 + 0.2**2) / math.sqrt(blocks)
    y = _conv(x, wide, 1, _fan_in(x, gain))
    y = layers.LeakyReLU(0.2)(y)
    y = GroupedConv2D(
        wide,
        3,
        padding="same",
        groups=groups,
        data_format=PREFERRED_DATA_FORMAT,
        kernel_initializer=base.Normal(0.0, math.sqrt(gain * groups / (9 * wide))),
    )(y)
    y = layers.LeakyReLU(0.2)(y)
    y = _conv(y, maps, 1, 0.0, use_bias=False)
    return layers.Add()([x, y])


# Helpers of both styles.


def _conv(x, maps, size, stddev, norm=None, use_bias=True):
    layer = SpectralConv2D if norm == "spectral" else Conv2D
    return layer(
        maps,
        size,
        padding="same",
        use_bias=use_bias,
        kernel_initializer=base.Normal(0.0, stddev),
        data_format=PREFERRED_DATA_FORMAT,
    )(x)


def _maps(x):
    return x.shape[base.channel_axis()]


def _glorot(x, maps, size, gain=1.0):
    return math.sqrt(gain * 2.0 / (size**2 * (_maps(x) + maps)))


def _fan_in(x, gain=1.0):
    """Return the standard deviation that preserves the variance in a convolution of 1x1."""
    return math.sqrt(gain / _maps(x))


def _double(x):
    return layers.UpSampling2D(2, data_format=PREFERRED_DATA_FORMAT)(x)


def _halve(x):
    return layers.AveragePooling2D(2, data_format=PREFERRED_DATA_FORMAT)(x)
