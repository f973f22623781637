"""Penalties on the critic's gradients: each equation once, as a function and as an ingredient.

The functions take a critic and images and return a scalar. The classes are what a model is given,
`GAN(..., penalties=[R1(10.0), R2(10.0)])`: a weight, and where the gradient is taken. Gradients
are taken per sample, and norms run over all axes of a sample, never over the batch.
"""

import keras
from keras import ops

from kerasgan import backend, validation


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


class Penalty:
    """An ingredient of the critic's loss: `weight * penalty(scores, real, fake, noise)`.

    Args:
        weight: A non-negative number.

    Attributes:
        name: The name under which its mean is logged, before the weight.
        batch_norm: What becomes of batch normalisation in the critic: "refused", "warned about"
            or "allowed".
        at: "real" or "fake" where the penalty is a function, `of`, of the gradients of the scores
            at these images alone. The loss scores them too, and its pass is then the only one.
    """

    name = None
    at = None
    batch_norm = "warned about"

    def __init__(self, weight):
        validation.positive("weight", weight, zero=True)
        self.weight = weight

    def __call__(self, scores, real, fake, noise):
        """Return the penalty without its weight.

        Args:
            scores: A callable from images to scores of shape `(batch_size, 1)`.
            real: Images of shape `(batch_size, height, width, channels)`.
            fake: Images of the same shape.
            noise: A callable `noise(kind, *shape)` that returns random numbers of shape
                `(batch_size, *shape)`, "uniform" in [0, 1) or "normal".

        Returns:
            A float32 scalar.
        """
        raise NotImplementedError

    def get_config(self):
        return {"weight": self.weight}

    @classmethod
    def from_config(cls, config):
        """Return the penalty that `get_config` describes."""
        return cls(**config)


@keras.saving.register_keras_serializable(package="kerasgan")
class GradientPenalty(Penalty):
    """WGAN-GP's penalty between real and generated images; see `gradient_penalty`.

    Args:
        weight: The paper's lambda: 10 for images, 0.1 in the authors' code for mixtures.
        target: The norm that is pulled to.
        one_sided: Whether only norms above the target are penalised.
    """

    name = "gradient_penalty"
    batch_norm = "refused"

    def __init__(self, weight=10.0, target=1.0, one_sided=False):
        super().__init__(weight)
        validation.positive("target", target, zero=True)
        self.target = target
        self.one_sided = one_sided

    def __call__(self, scores, real, fake, noise):
        epsilon = noise("uniform")
        return gradient_penalty(scores, real, fake, epsilon, self.target, self.one_sided)

    def get_config(self):
        return {**super().get_config(), "target": self.target, "one_sided": self.one_sided}


class _ZeroCentred(Penalty):
    of = staticmethod(half_mean_square)

    def __call__(self, scores, real, fake, noise):
        return zero_centred_penalty(scores, real if self.at == "real" else fake)


@keras.saving.register_keras_serializable(package="kerasgan")
class R1(_ZeroCentred):
    """Half the squared gradient norm on real images; see `zero_centred_penalty`.

    Args:
        weight: The paper's gamma; the loss holds `gamma / 2 E[||grad D(x)||^2]`.
    """

    name = "r1"
    at = "real"


@keras.saving.register_keras_serializable(package="kerasgan")
class R2(_ZeroCentred):
    """Half the squared gradient norm on generated images; see `zero_centred_penalty`.

    Args:
        weight: The paper's gamma; the loss holds `gamma / 2 E[||grad D(G(z))||^2]`.
    """

    name = "r2"
    at = "fake"


@keras.saving.register_keras_serializable(package="kerasgan")
class DRAGANPenalty(Penalty):
    """A gradient penalty around the real images alone.

    As the authors' code perturbs: `x_hat = x + alpha * spread * std(x) * u` with one alpha for
    each sample and a u for each value, both uniform in [0, 1], and std that of the batch.

    Args:
        weight: The paper's lambda.
        spread: How far the perturbation reaches, in standard deviations of the batch's values.

    Reference: Kodali et al. 2017, https://arxiv.org/abs/1705.07215.
    """

    name = "dragan_penalty"
    batch_norm = "allowed"  # The authors train with it.

    def __init__(self, weight=10.0, spread=0.5):
        super().__init__(weight)
        validation.positive("spread", spread)
        self.spread = spread

    def __call__(self, scores, real, fake, noise):
        real = _float(real)
        around = real + self.spread * ops.std(real) * noise("uniform", *real.shape[1:])
        # Between the image and its perturbation, as the gradient penalty's points are.
        return gradient_penalty(scores, around, real, noise("uniform"))

    def get_config(self):
        return {**super().get_config(), "spread": self.spread}
