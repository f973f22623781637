"""Normalizing flows: invertible generators, which give the likelihood of an image."""

import math

import keras
from keras import layers, ops

from kerasgan import sizes, validation
from kerasgan.backend import PREFERRED_DATA_FORMAT, Conv2D
from kerasgan.layers.coupling import (
    AdditiveCoupling,
    AffineCoupling,
    DiagonalScaling,
    Unsqueeze,
)
from kerasgan.networks import base
from kerasgan.networks.dcgan import DCGANCritic
from kerasgan.networks.mlp import MLPCritic

# `alpha` keeps the logit of black and white finite. RealNVP has the value of its paper. NICE models
# pixels without a logit; its value is customary for MNIST (Papamakarios et al. 2017).
_KINDS = {
    "nice": {"prior": "logistic", "alpha": 1e-6, "width": 512, "depth": 5, "hidden_layers": 3},
    "realnvp": {"prior": "normal", "alpha": 0.05, "width": 32, "depth": 3, "hidden_layers": 2},
}
# Typical size of a coupling's initial shifts and log scales: it starts near the identity.
_FIRST_STEP = 0.05


def flow(
    image_size=28,
    channels=1,
    kind="nice",
    width=None,
    depth=None,
    hidden_layers=None,
    critic_width=None,
    critic_norm=None,
):
    """Return an invertible generator and an ordinary critic, as in Flow-GAN.

    A latent vector has as many values as an image: height times width times `channels`.

    Departures: NICE's pixels pass through a logit too, so that its images stay in [-1, 1]. NICE's
    paper has none; Flow-GAN's code has. There are 5 couplings of 3 hidden layers of 512 units. The
    paper has 4 of 5 hidden layers of 1,000 units, and Flow-GAN's code has 4 with one hidden layer
    more and with batch normalisation before each. RealNVP's couplings are plain convolutions, not
    residual blocks with batch and weight normalisation, because a determinant that depends on the
    rest of the batch does not give a likelihood. Flow-GAN's RealNVP has two scales and 8 blocks in
    each coupling; here the sides of the scales are halved down to 8, or to an odd number. The
    logit's alpha is 1e-7 there, and 1e-6 for NICE and 0.05 for RealNVP here.

    Args:
        image_size: The side of the images in pixels, or `(height, width)`; RealNVP works best on
            sides that can be halved.
        channels: Channels of an image.
        kind: "nice": additive couplings of dense networks, and a logistic prior. "realnvp": affine
            couplings of convolutional networks at several scales, and a normal prior.
        width: Units or feature maps of the couplings' hidden layers; by default 512 in NICE and 32
            in RealNVP.
        depth: Number of coupling layers. In NICE: in all, by default 5. In RealNVP:
            with each kind of mask at each scale, by default 3 as in its paper, and one more at
            the coarsest scale.
        hidden_layers: Hidden layers of each coupling; by default 3 in NICE and 2 in RealNVP.
        critic_width: Width of the critic; by default that of its class.
        critic_norm: "batch" or None.

    Returns:
        `(generator, critic)`: a `FlowGenerator`, and a `DCGANCritic` if there is one for this
        image size, else an `MLPCritic`.

    References: Dinh et al. 2014, https://arxiv.org/abs/1410.8516; Dinh et al. 2017,
    https://arxiv.org/abs/1605.08803; Grover et al. 2018, https://arxiv.org/abs/1705.08868, whose
    code is real_nvp/model.py and real_nvp/nn.py in ermongroup/flow-gan on GitHub.
    """
    generator = FlowGenerator(image_size, channels, kind, width, depth, hidden_layers)
    critic = DCGANCritic if sizes.is_doubled(image_size) else MLPCritic
    options = {} if critic_width is None else {"width": critic_width}
    return generator, critic(image_size, channels, norm=critic_norm, **options)


def bits_per_dimension(log_prob, dims):
    """Return the bits per value of images with `dims` values, given log-probabilities in nats."""
    return -log_prob / (math.log(2.0) * dims)


@keras.saving.register_keras_serializable(package="kerasgan")
class FlowGenerator(base.Builder):
    """A generator of images with an exact inverse; see `flow` for the arguments.

    It maps latent vectors `(batch_size, latent_dim)` to float32 images `(batch_size, height,
    width, channels)` in [-1, 1], and computes in float32 under every dtype policy. The
    attribute `prior` is the distribution of the latent vectors: "logistic" or "normal", each in its
    standard form. `log_prob` is the likelihood under this prior.
    """

    def __init__(
        self,
        image_size=28,
        channels=1,
        kind="nice",
        width=None,
        depth=None,
        hidden_layers=None,
        name="flow_generator",
    ):
        validation.choice("kind", kind, _KINDS)
        defaults = _KINDS[kind]
        numbers = {
            "width": defaults["width"] if width is None else width,
            "depth": defaults["depth"] if depth is None else depth,
            "hidden_layers": defaults["hidden_layers"] if hidden_layers is None else hidden_layers,
        }
        base.check(image_size=image_size, channels=channels, **numbers)
        image_shape = (*sizes.sides(image_size), channels)
        scales = (_nice if kind == "nice" else _realnvp)(image_shape, **numbers)
        z = keras.Input((math.prod(image_shape),), dtype="float32")
        images = _images(_generate(z, scales, image_shape), defaults["alpha"])
        arguments = {"image_size": image_size, "channels": channels, "kind": kind, **numbers}
        super().__init__(z, images, arguments, name)
        self.scales = scales
        self.image_shape = image_shape
        self.latent_dim = math.prod(image_shape)
        self.prior = defaults["prior"]
        self.alpha = defaults["alpha"]

    def inverse(self, images):
        """Return the latent vectors of images, and the log-determinant of the map to them.

        Args:
            images: `(batch_size, height, width, channels)` in [-1, 1].

        Returns:
            `(z, log_determinant)` of shapes `(batch_size, latent_dim)` and `(batch_size,)`. The
            determinant is that of the whole map, including the logit.
        """
        images = ops.cast(images, "float32")
        batch_size = ops.shape(images)[0]
        # The logit of p, in [alpha, 1 - alpha]. Computing q as 1 - p would lose digits for bright
        # pixels.
        p = self.alpha + (0.5 - self.alpha) * (1.0 + images)
        q = self.alpha + (0.5 - self.alpha) * (1.0 - images)
        log_p, log_q = ops.log(p), ops.log(q)
        h = log_p - log_q
        total = ops.sum(math.log(0.5 - self.alpha) - log_p - log_q, axis=(1, 2, 3))
        pieces = []
        for shape, steps in reversed(self.scales):
            if len(shape) == 1:
                h = ops.reshape(h, (batch_size, *shape))
            for step in reversed(steps):
                h, log_determinant = step.inverse(h)
                total = total + log_determinant
            piece, h = h[..., -shape[-1] :], h[..., : -shape[-1]]
            pieces.append(ops.reshape(piece, (batch_size, math.prod(shape))))
        return ops.concatenate(pieces[::-1], axis=1), total

    def log_prob(self, images, noise):
        """Return the log-probability of 8-bit images, in nats, shape `(batch_size,)`.

        The images are rounded to 256 levels, and the noise spreads each level over an interval of
        length 1. The result is therefore a density on [0, 256) for each value. Its mean over the
        noise is a lower bound of the discrete log-probability. `bits_per_dimension` converts it.

        Args:
            images: `(batch_size, height, width, channels)` in [-1, 1].
            noise: Random numbers from U[0, 1), of the same shape.

        Reference: Theis et al. 2016, https://arxiv.org/abs/1511.01844, section 3.1.
        """
        levels = ops.round((ops.cast(images, "float32") + 1.0) * 127.5)
        z, total = self.inverse((levels + ops.cast(noise, "float32")) / 128.0 - 1.0)
        if self.prior == "logistic":
            density = -ops.softplus(z) - ops.softplus(-z)
        else:
            density = -0.5 * (ops.square(z) + math.log(2.0 * math.pi))
        return ops.sum(density, axis=1) + total - self.latent_dim * math.log(128.0)


# A flow is a list of scales, from coarse to fine. Each is the shape of the latent values that enter
# at this scale, and the list of layers that follow, in the order from the latent space to the data.


def _nice(image_shape, width, depth, hidden_layers):
    dims = math.prod(image_shape)
    steps = [DiagonalScaling()]
    for i in range(depth):
        network = _dense(dims, dims, width, hidden_layers)
        steps.append(AdditiveCoupling(network, "checkerboard", flip=i % 2 == 1))
    return [((dims,), steps)]


def _realnvp(image_shape, width, depth, hidden_layers):
    size, _, channels = image_shape

    def couplings(n, mask):
        steps = []
        for i in range(n):
            network = _convolutional((size, size, channels), 2 * channels, width, hidden_layers)
            steps.append(AffineCoupling(network, mask, flip=i % 2 == 1))
        return steps

    scales = []
    while size > 8 and size % 2 == 0:
        fine = couplings(depth, "checkerboard")
        size, channels = size // 2, 4 * channels
        steps = [*couplings(depth, "channel"), Unsqueeze(), *fine]
        channels //= 2  # The other half of the channels are latent values of this scale.
        scales.insert(0, ((size, size, channels), steps))
    scales.insert(0, ((size, size, channels), couplings(depth + 1, "checkerboard")))
    return scales


def _generate(z, scales, image_shape):
    """Return the logits of images for latent vectors."""
    start, h = 0, None
    for shape, steps in scales:
        stop = start + math.prod(shape)
        piece = ops.reshape(z[:, start:stop], (-1, *shape))
        h = piece if h is None else ops.concatenate([h, piece], axis=-1)
        for step in steps:
            h, _ = step(h)
        start = stop
    return ops.reshape(h, (-1, *image_shape))


def _images(logits, alpha):
    """Return the images of logits, clipped to [-1, 1]: alpha allows values beyond the range."""
    return ops.clip(ops.tanh(0.5 * logits) / (1.0 - 2.0 * alpha), -1.0, 1.0)


def _dense(dims, outputs, width, hidden_layers):
    inputs = x = keras.Input((dims,), dtype="float32")
    for _ in range(hidden_layers):
        x = layers.Dense(
            width, activation="relu", kernel_initializer=_scaled(x.shape[-1], 2.0), dtype="float32"
        )(x)
    x = layers.Dense(outputs, kernel_initializer=_last(x.shape[-1]), dtype="float32")(x)
    return keras.Model(inputs, x)


def _convolutional(shape, outputs, width, hidden_layers):
    inside = PREFERRED_DATA_FORMAT == "channels_first"
    options = {"padding": "same", "data_format": PREFERRED_DATA_FORMAT, "dtype": "float32"}
    inputs = x = keras.Input(shape, dtype="float32")
    x = ops.transpose(x, (0, 3, 1, 2)) if inside else x
    maps = shape[-1]
    for _ in range(hidden_layers):
        x = Conv2D(
            width, 3, activation="relu", kernel_initializer=_scaled(9 * maps, 2.0), **options
        )(x)
        maps = width
    x = Conv2D(outputs, 3, kernel_initializer=_last(9 * maps), **options)(x)
    return keras.Model(inputs, ops.transpose(x, (0, 2, 3, 1)) if inside else x)


def _scaled(fan_in, gain):
    """Return the initializer that preserves the variance; a gain of 2 is He's, for ReLU."""
    return base.Normal(0.0, math.sqrt(gain / fan_in))


def _last(fan_in):
    """Return the initializer of a coupling's last layer."""
    return base.Normal(0.0, _FIRST_STEP / math.sqrt(fan_in))
