"""Penalties: terms of the critic's or the generator's loss.

Each equation stands here once as a function of a critic and images, which returns a scalar, and
once as a class that a model is given: `GAN(..., penalties=[R1(10.0), R2(10.0)])`. Gradients are
taken per sample, and norms run over all axes of a sample, never over the batch.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from kerasgan import backend, validation

PLAYERS = ("critic", "generator")


def gradient_penalty(critic, real, fake, epsilon, target=1.0, one_sided=False):
    """Return `E[(||grad_x f(x_hat)||_2 - target)^2]` between real and generated images.

    The points are `x_hat = epsilon real + (1 - epsilon) fake`. Differentiable with respect to the
    critic's variables. The critic must score each sample on its own: with batch normalisation in
    it the gradient of one sample's score is not defined.

    Args:
        critic: A callable from images to scores of shape `(batch_size, 1)`.
        real: Images of shape `(batch_size, height, width, channels)`.
        fake: Images of the same shape.
        epsilon: One number for each sample, uniform in [0, 1], of shape `(batch_size,)`.
        target: The norm that is pulled to; 1 in the paper.
        one_sided: Whether only norms above the target are penalised, an option of the paper.

    Returns:
        A float32 scalar.

    Reference: Gulrajani et al. 2017, https://arxiv.org/abs/1704.00028, algorithm 1.
    """
    epsilon = ops.reshape(epsilon, (-1,) + (1,) * (len(real.shape) - 1))
    between = epsilon * _float(real) + (1.0 - epsilon) * _float(fake)
    excess = gradient_norm(_gradient(critic, between)) - target
    return ops.mean(ops.square(ops.relu(excess) if one_sided else excess))


def zero_centred_penalty(critic, images):
    """Return `E[||grad_x f(x)||_2^2] / 2`: R1 on real images, R2 on generated ones.

    Reference: Mescheder et al. 2018, https://arxiv.org/abs/1801.04406, equation 9.
    """
    return half_mean_square(_gradient(critic, _float(images)))


def half_mean_square(gradients):
    """Return half the mean over the samples of each gradient's squared Euclidean norm."""
    return 0.5 * ops.mean(ops.sum(ops.square(gradients), axis=_axes(gradients)))


def gradient_norm(gradients):
    """Return the Euclidean norm of each sample's gradient, of shape `(batch_size,)`.

    The square root is shifted by 1e-12, since its own gradient is infinite at zero.
    """
    return ops.sqrt(ops.sum(ops.square(gradients), axis=_axes(gradients)) + 1e-12)


def _gradient(critic, images):
    return backend.gradient(lambda x: ops.cast(critic(x), "float32"), images)


def _float(images):
    return ops.cast(images, "float32")


def _axes(gradients):
    return tuple(range(1, len(gradients.shape)))


@dataclasses.dataclass(frozen=True)
class PenaltyInputs:
    """What a penalty may use.

    Args:
        real: Real images as the critic sees them, packed: `(batch_size / packing, height, width,
            packing * channels)`.
        fake: Generated images, of the same shape.
        z: Their latent vectors, `(batch_size, ...)`.
        labels: Their class numbers `(batch_size,)`, or None.
        training: Whether the step trains; in `evaluate` it does not.
        scores: A callable from packed images to the critic's scores `(batch_size / packing, 1)`.
        generate: A callable from latent vectors to the generator's images.
        noise: A callable `noise(kind, *shape)` that returns random numbers, "uniform" in [0, 1) or
            "normal". Their shape is `(batch_size / packing, *shape)` for a penalty of the critic,
            and `(batch_size, *shape)` for one of the generator.
        image_shape: `(height, width, channels)` of one image.
        stages: A callable that returns, for so many of the first rows of `z`, vectors on the way to
            their images, `(rows, ...)`, and a callable from such vectors to the images. They are
            the styles where the generator has any, and else the latent vectors.
    """

    real: Any
    fake: Any
    z: Any
    labels: Any
    training: bool
    scores: Callable
    generate: Callable
    noise: Callable
    image_shape: tuple | None = None
    stages: Callable | None = None


class Penalty:
    """A term of the critic's or the generator's loss: `weight * penalty(inputs)`.

    A subclass implements `__call__`. If the penalty needs only the gradient of the scores at the
    real (or the generated) batch, set `at` and implement `of(gradients)` instead; the forward pass
    of the critic's loss is reused.

    Args:
        weight: A non-negative number.
        player: Whose loss it is added to, "critic" or "generator".
        every: Apply the penalty every k steps of that player, scaled by k (lazy regularisation).
            Leave it at 1 for R1 and R2 where collapse is hard to avoid. An author of R3GAN writes
            that penalties in every eighth step work on most data sets and can fail on some, and
            that the proof of convergence does not cover them
            (https://github.com/brownvc/R3GAN/issues/9).
        name: The name under which its mean is logged, before the weight; by default that of its
            class. A second penalty of one name is logged with a number.

    Attributes:
        batch_norm: How batch normalisation in the critic is treated: "refused", "warned about" or
            "allowed".
        at: "real" or "fake" if the penalty needs only the gradient of the scores at these images.
    """

    name = None
    at = None
    batch_norm = "warned about"

    def __init__(self, weight, player="critic", every=1, name=None):
        validation.positive("weight", weight, zero=True)
        validation.choice("player", player, PLAYERS)
        validation.positive_integer("every", every)
        self.weight = weight
        self.player = player
        self.every = every
        self.name = name or type(self).name or type(self).__name__.lower()

    def build(self, add_weight):
        """Create the penalty's own variables, if it has any; the model calls this once.

        They are saved, loaded and restored with the model.

        Args:
            add_weight: The model's `add_weight`; the optimizers do not move what it creates.
        """

    def __call__(self, inputs):
        """Return the penalty without its weight, a float32 scalar.

        Args:
            inputs: `PenaltyInputs`.
        """
        if self.at is None:
            raise NotImplementedError(
                f"{type(self).__name__} must implement `__call__(inputs)`, or set `at` and "
                "implement `of(gradients)`."
            )
        return self.of(_gradient(inputs.scores, _float(getattr(inputs, self.at))))

    def of(self, gradients):
        """Return the penalty of the scores' gradients at the images that `at` names.

        Args:
            gradients: A float32 tensor of the shape of `PenaltyInputs.real`.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement `of(gradients)`.")

    def get_config(self):
        """Return the arguments of the constructor."""
        return {
            "weight": self.weight,
            "player": self.player,
            "every": self.every,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config):
        """Return the penalty that `get_config` describes."""
        return cls(**config)


class _OnCritic(Penalty):
    """A penalty that only a critic can have."""

    def __init__(self, weight, **options):
        super().__init__(weight, **options)
        if self.player != "critic":
            raise ValueError(
                f"`player` must be 'critic' for {type(self).__name__}, which penalises the "
                f"critic's gradients. Received: player={self.player!r}"
            )


@keras.saving.register_keras_serializable(package="kerasgan")
class GradientPenalty(_OnCritic):
    """WGAN-GP's penalty between real and generated images; see `gradient_penalty`.

    Args:
        weight: The paper's lambda: 10 for images, 0.1 for mixtures in the authors' gan_toy.py
            (igul222/improved_wgan_training on GitHub).
        target: The norm that is pulled to.
        one_sided: Whether only norms above the target are penalised.
        **options: See `Penalty`.
    """

    name = "gradient_penalty"
    batch_norm = "refused"

    def __init__(self, weight=10.0, target=1.0, one_sided=False, **options):
        super().__init__(weight, **options)
        validation.positive("target", target, zero=True)
        self.target = target
        self.one_sided = one_sided

    def __call__(self, inputs):
        epsilon = inputs.noise("uniform")
        return gradient_penalty(
            inputs.scores, inputs.real, inputs.fake, epsilon, self.target, self.one_sided
        )

    def get_config(self):
        return {**super().get_config(), "target": self.target, "one_sided": self.one_sided}


@keras.saving.register_keras_serializable(package="kerasgan")
class R1(_OnCritic):
    """Half the squared gradient norm on real images; see `zero_centred_penalty`.

    Args:
        weight: The paper's gamma; the loss holds `gamma / 2 E[||grad D(x)||^2]`. The authors' code
            has no half (gan_training/train.py in LMescheder/GAN_stability on GitHub): its 10 is a
            gamma of 20 here.
        **options: See `Penalty`.
    """

    name = "r1"
    at = "real"

    def of(self, gradients):
        return half_mean_square(gradients)


@keras.saving.register_keras_serializable(package="kerasgan")
class R2(_OnCritic):
    """Half the squared gradient norm on generated images; see `zero_centred_penalty`.

    Args:
        weight: The paper's gamma; the loss holds `gamma / 2 E[||grad D(G(z))||^2]`.
        **options: See `Penalty`.
    """

    name = "r2"
    at = "fake"

    def of(self, gradients):
        return half_mean_square(gradients)


@keras.saving.register_keras_serializable(package="kerasgan")
class DRAGANPenalty(_OnCritic):
    """A gradient penalty around the real images alone.

    As the authors' notebook perturbs (DRAGAN.ipynb in kodalinaveen3/DRAGAN on GitHub): `x_hat =
    x + alpha * spread * std(x) * u` with one alpha for each sample and a u for each value, both
    uniform in [0, 1], and std that of the batch.

    Args:
        weight: The paper's lambda.
        spread: How far the perturbation reaches, in standard deviations of the batch's values.
        **options: See `Penalty`.

    Reference: Kodali et al. 2017, https://arxiv.org/abs/1705.07215.
    """

    name = "dragan_penalty"
    batch_norm = "allowed"  # A choice of ours: the critic of the authors' notebook has none.

    def __init__(self, weight=10.0, spread=0.5, **options):
        super().__init__(weight, **options)
        validation.positive("spread", spread)
        self.spread = spread

    def __call__(self, inputs):
        real = _float(inputs.real)
        around = real + self.spread * ops.std(real) * inputs.noise("uniform", *real.shape[1:])
        # Between the image and its perturbation, as the gradient penalty's points are.
        return gradient_penalty(inputs.scores, around, real, inputs.noise("uniform"))

    def get_config(self):
        return {**super().get_config(), "spread": self.spread}


@keras.saving.register_keras_serializable(package="kerasgan")
class PathLength(Penalty):
    """How much the length of a step in the images varies for steps of one length in the styles.

    `E[(||J^T y|| - a)^2]` with J the derivative of an image by its styles, y an image of numbers
    from N(0, 1) divided by the square root of the number of pixels, and a the moving average of
    these lengths. The square of a length is the mean over the layers that have a style.

    Args:
        weight: 2 in the authors' code.
        decay: Share of a new mean in the moving average.
        part: The penalty looks at one in so many images of the batch, the first ones.
        **options: See `Penalty`; `every` is 4 in the authors' code, and the player the generator.

    Reference: Karras et al. 2020, https://arxiv.org/abs/1912.04958, section 3.2; training/loss.py
    in NVlabs/stylegan2-ada-pytorch on GitHub.
    """

    name = "path_length"
    batch_norm = "allowed"  # In the critic, which it does not look at.

    def __init__(self, weight=2.0, decay=0.01, part=2, **options):
        super().__init__(weight, **{"player": "generator", **options})
        if self.player != "generator":
            raise ValueError(
                "`player` must be 'generator' for PathLength, which penalises the generator's "
                f"gradients. Received: player={self.player!r}"
            )
        validation.fraction("decay", decay)
        validation.positive_integer("part", part)
        self.decay = decay
        self.part = part

    def build(self, add_weight):
        self.average = add_weight(name="path_length", shape=(), initializer="zeros")

    def __call__(self, inputs):
        rows = ops.shape(inputs.z)[0]
        lengths = self.lengths(inputs, (rows + self.part - 1) // self.part)
        mean = ops.mean(lengths)
        average = ops.convert_to_tensor(self.average)
        if inputs.training:
            average = average + self.decay * (mean - average)
            backend.track(self.average, mean, self.decay, rows)
        return ops.mean(ops.square(lengths - average))

    def lengths(self, inputs, rows):
        """Return the length for each of the first images of a batch, `(rows,)`."""
        vectors, images_of = inputs.stages(rows)
        height, width, channels = inputs.image_shape
        y = inputs.noise("normal", height, width, channels)[:rows] / math.sqrt(height * width)
        gradients = backend.gradient(lambda v: ops.cast(images_of(v), "float32") * y, vectors)
        squares = ops.sum(ops.square(gradients), axis=-1)
        if len(squares.shape) > 1:
            squares = ops.mean(squares, axis=1)
        return ops.sqrt(squares + 1e-12)

    def get_config(self):
        return {**super().get_config(), "decay": self.decay, "part": self.part}


PENALTIES = {
    penalty.name: penalty for penalty in (GradientPenalty, R1, R2, DRAGANPenalty, PathLength)
}
