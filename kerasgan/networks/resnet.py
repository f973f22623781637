"""The residual networks of SNGAN and R3GAN."""

import math

import keras
from keras import layers, ops

from kerasgan import sizes, validation
from kerasgan.backend import PREFERRED_DATA_FORMAT, BatchNormalization
from kerasgan.layers import MinibatchStddev
from kerasgan.networks import base
from kerasgan.networks.residual_parts import (
    conv,
    critic_features,
    double,
    fan_in,
    features_of,
    generator_maps,
    halve,
)

STYLES = ("sngan", "r3gan")
NORMS = (None, "spectral")

MOST = 16  # Feature maps of SNGAN, as many times the width.


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

    The authors have 32, 48, 64 and 128 pixels. Other sizes follow 128 pixels.

    "r3gan" has no normalisation. It has a learned 4x4 basis, inverted bottlenecks (a grouped
    convolution between two of 1x1) whose residuals are initially zero, and bilinear resampling.
    Departures: a tanh after the generator, so that images lie in [-1, 1]. The critic's last layer
    has a bias. Labels are one-hot in the generator, not embedded. A conditional critic adds the
    inner product of features and class to an unconditional score; the authors' code has no such
    score, and the features pass a linear map before the product. Latent vectors have by default 128
    numbers, theirs 64 (`latent_dim=64`). The basis is 4x4 in the paper; of 48, 96 and 192 pixels,
    which the paper does not have, it is 3x3.

    Args:
        image_size: The side of the images, or `(height, width)`. Both are b x 2^k pixels, with one
            k and a b of 3 to 7 for each, as 32, 96 or (192, 320).
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
        shape `(batch_size, height, width, channels)`. The critic maps such images to
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
            smallest, maps, _, _ = _of_sngan(image_size)
            x = _sngan_generator(z, smallest, [n * width for n in maps])
            x = conv(x, channels, 3, _glorot(x, channels, 3))
        else:
            x = generator_maps(z, image_size, width, depth or 2)
            x = conv(x, channels, 1, fan_in(x), use_bias=False)
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
        shape = (*sizes.sides(image_size), channels)
        inputs, images, labels = base.image_inputs(shape, num_classes, conditioning, packing)
        x = base.to_inside(images)
        if style == "sngan":
            _, _, maps, halvings = _of_sngan(image_size)
            x = _sngan_critic(x, [n * width for n in maps], halvings, norm, minibatch)
            stddev = math.sqrt(2.0 / (x.shape[-1] + 1))
        else:
            x = critic_features(x, image_size, width, depth or 2, minibatch)
            stddev = math.sqrt(1.0 / x.shape[-1])
        scores = base.score(x, labels, num_classes, conditioning, norm, minibatch, stddev)
        super().__init__(inputs, scores, arguments, name)


def _check(image_size, style, depth, norm=None, **arguments):
    validation.choice("style", style, STYLES)
    sizes.pyramid(image_size)
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


def _of_sngan(image_size):
    """Return what SNGAN's networks are for a size.

    Returns:
        Height and width of the generator's smallest maps; the features of its maps, from these on,
        and those of the critic's blocks, both in multiples of the width; and how many of the
        critic's blocks halve the sides.
    """
    size = sizes.shortest(*sizes.sides(image_size))
    if size == 32:
        return (4, 4), (2, 2, 2, 2), (1, 1, 1, 1), 2
    pyramid = sizes.pyramid(size)
    maps = [min(2**i, MOST) for i in range(len(pyramid))]
    if size == 48:
        return (6, 6), maps[3::-1], maps, 4
    return pyramid[0], maps[::-1], maps, len(pyramid) - (size != 64)


def _sngan_generator(z, smallest, maps):
    units = math.prod(smallest) * maps[0]
    first = base.Normal(0.0, math.sqrt(2.0 / (z.shape[-1] + units)))
    x = layers.Dense(units, kernel_initializer=first)(z)
    x = base.to_inside(layers.Reshape((*smallest, maps[0]))(x))
    for n in maps[1:]:
        # A convolution of 1x1 and nearest-neighbour upsampling commute.
        shortcut = double(conv(x, n, 1, _glorot(x, n, 1)))
        x = double(_norm_relu(x))
        x = conv(x, n, 3, _glorot(x, n, 3, 2.0))
        x = _norm_relu(x)
        x = conv(x, n, 3, _glorot(x, n, 3, 2.0))
        x = layers.Add()([x, shortcut])
    return _norm_relu(x)


def _sngan_critic(x, maps, halvings, norm, minibatch):
    """Return the sum over the pixels of each of the last maps."""
    for i, n in enumerate(maps):
        x = _sngan_critic_block(x, n, norm, first=i == 0, smaller=i < halvings)
    x = layers.ReLU()(x)
    if minibatch == "stddev":
        x = MinibatchStddev(data_format=PREFERRED_DATA_FORMAT)(x)
    axes = (2, 3) if base.channel_axis() == 1 else (1, 2)
    return ops.sum(ops.cast(x, "float32"), axis=axes)


def _sngan_critic_block(x, maps, norm, first, smaller):
    shortcut = halve(x) if smaller else x
    inside = maps if first else features_of(x)
    if smaller or features_of(x) != maps:
        shortcut = conv(shortcut, maps, 1, _glorot(x, maps, 1), norm)
    if not first:
        x = layers.ReLU()(x)
    x = conv(x, inside, 3, _glorot(x, inside, 3, 2.0), norm)
    x = layers.ReLU()(x)
    x = conv(x, maps, 3, _glorot(x, maps, 3, 2.0), norm)
    return layers.Add()([halve(x) if smaller else x, shortcut])


def _norm_relu(x):
    # Epsilon and momentum are Chainer's defaults, as in the authors' gen_models/resblocks.py.
    x = BatchNormalization(axis=base.channel_axis(), momentum=0.9, epsilon=2e-5)(x)
    return layers.ReLU()(x)


def _glorot(x, maps, size, gain=1.0):
    return math.sqrt(gain * 2.0 / (size**2 * (features_of(x) + maps)))
