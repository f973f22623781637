"""R3GAN's residual maps, and the convolutions that it shares with other residual networks."""

import math

from keras import layers

from kerasgan import sizes
from kerasgan.backend import PREFERRED_DATA_FORMAT, Conv2D
from kerasgan.layers import (
    Blur,
    DiscriminativeBasis,
    GenerativeBasis,
    GroupedConv2D,
    MinibatchStddev,
    SpectralConv2D,
)
from kerasgan.networks import base

# Sides up to which R3GAN's maps have all features, and features of each group of its convolutions.
FULL_SIDE, GROUP_WIDTH = 32, 16


def generator_maps(z, image_size, width, depth, full_side=FULL_SIDE, group_width=GROUP_WIDTH):
    """Return the last maps of R3GAN's generator; `kerasgan.networks.r3gan` has the arguments."""
    pyramid = sizes.pyramid(image_size)
    features = features_by_size(pyramid, width, full_side)
    x = layers.Dense(
        features[0],
        use_bias=False,
        kernel_initializer=base.Normal(0.0, math.sqrt(1.0 / z.shape[-1])),
    )(z)
    x = GenerativeBasis(pyramid[0], data_format=PREFERRED_DATA_FORMAT)(x)
    for i, n in enumerate(features):
        if i:
            if n != features_of(x):
                x = conv(x, n, 1, fan_in(x), use_bias=False)
            x = Blur(PREFERRED_DATA_FORMAT)(double(x))
        for _ in range(depth):
            x = _block(x, depth * len(features), group_width)
    return x


def critic_features(
    x,
    image_size,
    width,
    depth,
    minibatch=None,
    full_side=FULL_SIDE,
    group_width=GROUP_WIDTH,
):
    """Return what R3GAN's critic finds in images, `(batch_size, width)`."""
    pyramid = sizes.pyramid(image_size)
    features = features_by_size(pyramid, width, full_side)
    x = conv(x, features[-1], 1, fan_in(x), use_bias=False)
    for i, n in enumerate(reversed(features)):
        if i:
            x = halve(Blur(PREFERRED_DATA_FORMAT)(x))
            if n != features_of(x):
                x = conv(x, n, 1, fan_in(x), use_bias=False)
        for _ in range(depth):
            x = _block(x, depth * len(features), group_width)
    if minibatch == "stddev":
        x = MinibatchStddev(data_format=PREFERRED_DATA_FORMAT)(x)
    return DiscriminativeBasis(pyramid[0], data_format=PREFERRED_DATA_FORMAT)(x)


def features_by_size(pyramid, width, full_side):
    """Return the features of maps: `width` up to a side, and half of it for each doubling."""
    beyond = (max(0, math.ceil(math.log2(max(sides) / full_side))) for sides in pyramid)
    return [max(width >> doublings, 1) for doublings in beyond]


def _block(x, blocks, group_width):
    """Add an inverted bottleneck that is initially zero.

    As in Fixup, the gain of its first two layers falls with the fourth root of `blocks`, the number
    of blocks in the whole network.
    """
    maps = features_of(x)
    wide = 2 * maps
    groups = wide // math.gcd(wide, group_width)
    gain = 2.0 / (1.0 + 0.2**2) / math.sqrt(blocks)
    y = conv(x, wide, 1, fan_in(x, gain))
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
    y = conv(y, maps, 1, 0.0, use_bias=False)
    return layers.Add()([x, y])


def conv(x, maps, size, stddev, norm=None, use_bias=True):
    """Return a convolution of maps, whose initial weights are normal."""
    layer = SpectralConv2D if norm == "spectral" else Conv2D
    return layer(
        maps,
        size,
        padding="same",
        use_bias=use_bias,
        kernel_initializer=base.Normal(0.0, stddev),
        data_format=PREFERRED_DATA_FORMAT,
    )(x)


def features_of(x):
    """Return how many features maps have."""
    return x.shape[base.channel_axis()]


def fan_in(x, gain=1.0):
    """Return the standard deviation that preserves the variance in a convolution of 1x1."""
    return math.sqrt(gain / features_of(x))


def double(x):
    """Return maps of twice the side, each number four times."""
    return layers.UpSampling2D(2, data_format=PREFERRED_DATA_FORMAT)(x)


def halve(x):
    """Return maps of half the side, the means of four numbers each."""
    return layers.AveragePooling2D(2, data_format=PREFERRED_DATA_FORMAT)(x)
