"""Fully connected networks."""

import math

import keras
from keras import layers

from kerasgan import sizes
from kerasgan.backend import BatchNormalization
from kerasgan.layers import SpectralDense
from kerasgan.networks import base


def mlp(
    image_size=28,
    channels=1,
    latent_dim=128,
    width=512,
    depth=3,
    critic_norm=None,
    num_classes=None,
    conditioning="projection",
    packing=1,
    minibatch=None,
):
    """Return a fully connected generator and critic.

    The generator has ReLU, the critic LeakyReLU with a slope of 0.2; by default neither has a
    normalisation. WGAN's authors train such a generator to show that their loss works without
    convolutions.

    Departures: the generator ends in a tanh, and theirs is linear at its end; their critic has
    ReLU. Labels enter the generator as one-hot vectors next to the latent vector; no normalisation
    depends on them.

    Args:
        image_size: The side of the images in pixels, or `(height, width)`; any.
        channels: 1, 3, or 4 with transparency.
        latent_dim: Size of the latent vectors.
        width: Number of units in each hidden layer.
        depth: Number of hidden layers in each network.
        critic_norm: The critic's normalisation: "batch", in all hidden layers but the first;
            "spectral"; or None.
        num_classes: Number of classes of a conditional pair, or None; see `dcgan`.
        conditioning: See `dcgan`.
        packing: See `dcgan`.
        minibatch: "discrimination", or None; see `dcgan`.

    Returns:
        `(generator, critic)`. The generator maps `(batch_size, latent_dim)` to images in [-1, 1] of
        shape `(batch_size, height, width, channels)`. The critic maps such images to
        scores `(batch_size, 1)`.

    Reference: Arjovsky et al. 2017, https://arxiv.org/abs/1701.07875, section 4.3. Their networks
    are those of models/mlp.py in martinarjovsky/WassersteinGAN on GitHub.
    """
    return base.pair(MLPGenerator, MLPCritic, locals())


@keras.saving.register_keras_serializable(package="kerasgan")
class MLPGenerator(base.Builder):
    """The generator of `mlp`: dense layers from a latent vector to an image.

    `mlp` describes the arguments.
    """

    def __init__(
        self,
        image_size=28,
        channels=1,
        latent_dim=128,
        width=512,
        depth=3,
        num_classes=None,
        name="mlp_generator",
    ):
        arguments = base.arguments(locals())
        base.check(**arguments)
        shape = (*sizes.sides(image_size), channels)
        inputs, x = base.latent_inputs(latent_dim, num_classes)
        for _ in range(depth):
            x = layers.Dense(width, kernel_initializer=_scaled(x, 2.0))(x)
            x = layers.ReLU()(x)
        x = layers.Dense(math.prod(shape), kernel_initializer=_scaled(x, 1.0))(x)
        x = layers.Activation("tanh", dtype="float32")(layers.Reshape(shape)(x))
        super().__init__(inputs, x, arguments, name)


@keras.saving.register_keras_serializable(package="kerasgan")
class MLPCritic(base.Builder):
    """The critic of `mlp`: dense layers from an image to its score.

    `mlp` describes the arguments.
    """

    def __init__(
        self,
        image_size=28,
        channels=1,
        width=512,
        depth=3,
        norm=None,
        num_classes=None,
        conditioning="projection",
        packing=1,
        minibatch=None,
        name="mlp_critic",
    ):
        arguments = base.arguments(locals())
        base.check(**arguments)
        if minibatch == "stddev":
            raise ValueError(
                "`minibatch` must be None or 'discrimination' in fully connected critics, which "
                f"have no feature maps. Received: minibatch={minibatch!r}"
            )
        shape = (*sizes.sides(image_size), channels)
        inputs, images, labels = base.image_inputs(shape, num_classes, conditioning, packing)
        x = layers.Flatten()(images)
        dense = SpectralDense if norm == "spectral" else layers.Dense
        for i in range(depth):
            normed = norm == "batch" and i > 0
            x = dense(width, use_bias=not normed, kernel_initializer=_scaled(x, 2.0))(x)
            if normed:
                x = BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
            x = layers.LeakyReLU(0.2)(x)
        gain = math.sqrt(1.0 / width)
        scores = base.score(x, labels, num_classes, conditioning, norm, minibatch, gain)
        super().__init__(inputs, scores, arguments, name)


def _scaled(x, gain):
    """Return the initializer that preserves the variance; a gain of 2 is He's, for ReLU."""
    return base.Normal(0.0, math.sqrt(gain / x.shape[-1]))
