"""The convolutional networks of DCGAN."""

import keras
from keras import layers

from kerasgan import sizes
from kerasgan.backend import PREFERRED_DATA_FORMAT, Conv2D, Conv2DTranspose
from kerasgan.layers import MinibatchStddev, SpectralConv2D, UpsamplingConv2D
from kerasgan.networks import base

OF_MNIST = (28, 28)  # The size with maps that are cropped.
WIDEST = 16  # Feature maps, as many times the width: from 192 pixels on they double no further.


def dcgan(
    image_size=64,
    channels=3,
    latent_dim=128,
    width=64,
    kernel_size=4,
    upsampling="transposed",
    critic_norm=None,
    num_classes=None,
    conditioning="projection",
    packing=1,
    minibatch=None,
):
    """Return a DCGAN generator and critic.

    Departures: the kernels are 4 pixels wide, as in the authors' code for Torch, and not 5, as in
    the paper; the stride of 2 divides 4, so they leave less of a checkerboard, and they cost a
    third less. For images of 28 pixels the generator crops its map of 8x8 to 7x7, as WGAN-GP's
    authors do for MNIST. The paper has 64 pixels. The networks for other sizes have as many layers
    as it takes to halve the sides to 3 to 7 pixels; no layer has more than 16 times `width` feature
    maps. Labels, which the paper does not have, enter the generator as
    one-hot vectors next to the latent vector; its batch normalisation is not conditional.

    Args:
        image_size: The side of the images, or `(height, width)`. Both are b x 2^k pixels, with one
            k and a b of 3 to 7 for each, as 28, 64, 192 or (192, 320).
        channels: 1, 3, or 4 with transparency.
        latent_dim: Size of the latent vectors.
        width: Feature maps of the layer next to the image. They double with each halving of the
            side, up to 16 times as many.
        kernel_size: Side of the convolution kernels.
        upsampling: How the generator enlarges its maps: "transposed" convolutions, as in the paper,
            or convolutions after "nearest"-neighbour upsampling, which leave no checkerboard. The
            kernels of these have an odd side, 3 by default, and take as many multiplications.
        critic_norm: The critic's normalisation: "batch", as in the paper; None, for losses with
            gradient penalties; or "spectral".
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

    Reference: Radford et al. 2016, https://arxiv.org/abs/1511.06434. The authors' code for Torch is
    main.lua in soumith/dcgan.torch, WGAN-GP's is gan_mnist.py in igul222/improved_wgan_training,
    both on GitHub.
    """
    return base.pair(DCGANGenerator, DCGANCritic, locals())


@keras.saving.register_keras_serializable(package="kerasgan")
class DCGANGenerator(base.Builder):
    """The generator of `dcgan`: a dense layer, then transposed convolutions of stride 2.

    `dcgan` describes the arguments.
    """

    def __init__(
        self,
        image_size=64,
        channels=3,
        latent_dim=128,
        width=64,
        kernel_size=4,
        upsampling="transposed",
        num_classes=None,
        name="dcgan_generator",
    ):
        arguments = base.arguments(locals())
        base.check(**arguments)
        pyramid = _pyramid(image_size)
        (rows, columns), maps = pyramid[0], _maps(pyramid, width)[::-1]
        inputs, z = base.latent_inputs(latent_dim, num_classes)
        x = layers.Dense(
            rows * columns * maps[0], use_bias=False, kernel_initializer=base.Normal(0.0, 0.02)
        )(z)
        x = base.to_inside(layers.Reshape((rows, columns, maps[0]))(x))
        x = _norm_relu(x)
        for sides, n in zip(pyramid[1:-1], maps[1:], strict=True):
            x = _enlarged(x, n, kernel_size, upsampling, use_bias=False)
            x = _norm_relu(_cropped(x, sides))
        x = _enlarged(x, channels, kernel_size, upsampling)
        x = layers.Activation("tanh", dtype="float32")(base.to_outside(x))
        super().__init__(inputs, x, arguments, name)


@keras.saving.register_keras_serializable(package="kerasgan")
class DCGANCritic(base.Builder):
    """The critic of `dcgan`: convolutions of stride 2, then a dense layer.

    `dcgan` describes the arguments.
    """

    def __init__(
        self,
        image_size=64,
        channels=3,
        width=64,
        kernel_size=4,
        norm=None,
        num_classes=None,
        conditioning="projection",
        packing=1,
        minibatch=None,
        name="dcgan_critic",
    ):
        arguments = base.arguments(locals())
        base.check(**arguments)
        shape = (*sizes.sides(image_size), channels)
        inputs, images, labels = base.image_inputs(shape, num_classes, conditioning, packing)
        x = base.to_inside(images)
        convolution = SpectralConv2D if norm == "spectral" else Conv2D
        for i, n in enumerate(_maps(_pyramid(image_size), width)):
            normed = norm == "batch" and i > 0
            x = convolution(n, kernel_size, **_stride_two(use_bias=not normed))(x)
            if normed:
                x = base.batch_norm(x)
            x = layers.LeakyReLU(0.2)(x)
        if minibatch == "stddev":
            x = MinibatchStddev(data_format=PREFERRED_DATA_FORMAT)(x)
        x = layers.Flatten()(base.to_outside(x))
        scores = base.score(x, labels, num_classes, conditioning, norm, minibatch)
        super().__init__(inputs, scores, arguments, name)


def _pyramid(image_size):
    """Return height and width of the feature maps from the smallest to the image."""
    if sizes.sides(image_size) == OF_MNIST:
        return [(4, 4), (7, 7), (14, 14), (28, 28)]
    return sizes.pyramid(image_size)


def _maps(pyramid, width):
    """Return the numbers of feature maps, from the layer next to the image on."""
    return [width * min(2**i, WIDEST) for i in range(len(pyramid) - 1)]


def _enlarged(x, maps, kernel_size, upsampling, **options):
    """Return maps of twice the side."""
    layer = Conv2DTranspose
    if upsampling == "nearest":
        layer, kernel_size = UpsamplingConv2D, kernel_size - 1 + kernel_size % 2
    return layer(maps, kernel_size, **_stride_two(**options))(x)


def _cropped(x, sides):
    """Return the first rows and columns of maps."""
    first = 2 if base.channel_axis() == 1 else 1
    past = tuple((0, x.shape[first + i] - side) for i, side in enumerate(sides))
    if past == ((0, 0), (0, 0)):
        return x
    return layers.Cropping2D(past, data_format=PREFERRED_DATA_FORMAT)(x)


def _stride_two(use_bias=True):
    return {
        "strides": 2,
        "padding": "same",
        "use_bias": use_bias,
        "kernel_initializer": base.Normal(0.0, 0.02),
        "data_format": PREFERRED_DATA_FORMAT,
    }


def _norm_relu(x):
    return layers.ReLU()(base.batch_norm(x))
