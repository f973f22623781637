"""The networks of R3GAN, as its authors have them."""

import math

import keras
from keras import layers, ops

from kerasgan import sizes
from kerasgan.networks import base
from kerasgan.networks.residual_parts import (
    FULL_SIDE,
    GROUP_WIDTH,
    conv,
    critic_features,
    fan_in,
    generator_maps,
)


def r3gan(
    image_size=64,
    channels=3,
    latent_dim=64,
    width=768,
    depth=2,
    full_side=FULL_SIDE,
    group_width=GROUP_WIDTH,
    num_classes=None,
    packing=1,
):
    """Return R3GAN's generator and critic.

    No layer normalises. Each level of maps has residual blocks, inverted bottlenecks whose
    residuals are initially zero, and resampling is bilinear. Images leave the generator as they
    are, without a tanh. The critic of a conditional pair gives the inner product of its features,
    after a linear map, with a vector of the class. `resnet(style="r3gan")` has the same blocks
    between other ends.

    Args:
        image_size: The side of the images, or `(height, width)`. Both are b x 2^k pixels, with one
            k and a b of 3 to 7 for each; the authors' b is 4.
        channels: 1, 3, or 4 with transparency.
        latent_dim: Size of the latent vectors.
        width: Feature maps up to a side of `full_side`; they halve with each doubling beyond. The
            authors have 768 for CIFAR-10 and FFHQ, and 1,536 for ImageNet.
        depth: Residual blocks of each level.
        full_side: Largest side of maps that have all features; the authors have 64 for ImageNet of
            64 pixels.
        group_width: Feature maps in each group of the blocks' 3x3 convolutions; the authors have 32
            for ImageNet.
        num_classes: Number of classes of a conditional pair, whose networks take `[z, labels]` and
            `[images, labels]`; None for an unconditional pair.
        packing: Number of images that the critic scores together, stacked along the channels.

    Returns:
        `(generator, critic)`. The generator maps `(batch_size, latent_dim)` to images of shape
        `(batch_size, height, width, channels)`, most of whose values lie in [-1, 1]. The critic
        maps such images to scores `(batch_size, 1)`.

    Reference: Huang et al. 2025, https://arxiv.org/abs/2501.05441. The authors' code is
    brownvc/R3GAN on GitHub: R3GAN/Networks.py, train.py.
    """
    return base.pair(R3GANGenerator, R3GANCritic, locals())


@keras.saving.register_keras_serializable(package="kerasgan")
class R3GANGenerator(base.Builder):
    """The generator of `r3gan`, which describes the arguments."""

    def __init__(
        self,
        image_size=64,
        channels=3,
        latent_dim=64,
        width=768,
        depth=2,
        full_side=FULL_SIDE,
        group_width=GROUP_WIDTH,
        num_classes=None,
        name="r3gan_generator",
    ):
        arguments = base.arguments(locals())
        _check(**arguments)
        inputs = z = keras.Input((latent_dim,))
        if num_classes is not None:
            labels = keras.Input((), dtype="int32", name="labels")
            inputs = [z, labels]
            vectors = _vectors(labels, num_classes, latent_dim, 1.0)
            z = layers.Concatenate()([z, vectors])
        x = generator_maps(z, image_size, width, depth, full_side, group_width)
        x = conv(x, channels, 1, fan_in(x), use_bias=False)
        x = layers.Activation("linear", dtype="float32")(base.to_outside(x))
        super().__init__(inputs, x, arguments, name)


@keras.saving.register_keras_serializable(package="kerasgan")
class R3GANCritic(base.Builder):
    """The critic of `r3gan`, which describes the arguments."""

    def __init__(
        self,
        image_size=64,
        channels=3,
        width=768,
        depth=2,
        full_side=FULL_SIDE,
        group_width=GROUP_WIDTH,
        num_classes=None,
        packing=1,
        name="r3gan_critic",
    ):
        arguments = base.arguments(locals())
        _check(**arguments)
        inputs = images = keras.Input((*sizes.sides(image_size), packing * channels))
        x = critic_features(
            base.to_inside(images),
            image_size,
            width,
            depth,
            full_side=full_side,
            group_width=group_width,
        )
        x = layers.Dense(
            1 if num_classes is None else width,
            use_bias=False,
            kernel_initializer=base.Normal(0.0, 1.0 / math.sqrt(width)),
            dtype="float32",
            name="score",
        )(x)
        if num_classes is not None:
            labels = keras.Input((), dtype="int32", name="labels")
            inputs = [images, labels]
            y = _vectors(labels, num_classes, width, 1.0 / math.sqrt(width))
            x = ops.sum(x * y, axis=-1, keepdims=True)
        super().__init__(inputs, x, arguments, name)


def _vectors(labels, classes, size, gain):
    """Return a learned vector of each label's class: a linear map of one-hot vectors."""
    stddev = gain / math.sqrt(classes)
    return layers.Embedding(
        classes,
        size,
        embeddings_initializer=base.Normal(0.0, stddev),
        dtype="float32",
        name="embedding",
    )(labels)


def _check(image_size, **arguments):
    """Raise ValueError for an argument that is out of range, or of no sense."""
    sizes.pyramid(image_size)
    base.check(**arguments)
