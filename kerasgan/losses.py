"""Adversarial losses: pure functions of the critic's scores, and the pairs that models minimise.

Every function takes logits, that is unbounded critic outputs of shape `(batch_size, 1)` without
a sigmoid, and returns a scalar to be minimised. They are computed in float32 under every dtype
policy. A `Loss` pairs a function for the critic with one for the generator; `LOSSES` holds those
that models know by name.
"""

import dataclasses
from typing import Any

import keras
from keras import ops

from kerasgan import validation


def _scores(scores):
    return ops.cast(scores, "float32")


def minimax_critic(real_scores, fake_scores, real_label=1.0):
    """Return `-E[log D(x)] - E[log(1 - D(G(z)))]` with `D = sigmoid(score)`.

    With a `real_label` a below 1 the first term is `-E[a log D(x) + (1 - a) log(1 - D(x))]`, the
    one-sided label smoothing of Salimans et al. 2016, https://arxiv.org/abs/1606.03498.
    Reference: Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661, algorithm 1.
    """
    real = _scores(real_scores)
    # -a log D - (1 - a) log(1 - D) = softplus(-s) + (1 - a) s.
    real_loss = ops.mean(ops.softplus(-real) + (1.0 - real_label) * real)
    return real_loss + ops.mean(ops.softplus(_scores(fake_scores)))


def minimax_generator(fake_scores):
    """Return `E[log(1 - D(G(z)))]`, the generator's side of the zero-sum game.

    Its gradient vanishes where the critic is sure, which is why it is not the default.
    Reference: Goodfellow et al. 2014, algorithm 1.
    """
    return -ops.mean(ops.softplus(_scores(fake_scores)))


def non_saturating_generator(fake_scores):
    """Return `-E[log D(G(z))]`.

    Reference: Goodfellow et al. 2014, section 3.
    """
    return ops.mean(ops.softplus(-_scores(fake_scores)))


def wasserstein_critic(real_scores, fake_scores):
    """Return `E[f(G(z))] - E[f(x)]`, minus the estimate of the Wasserstein-1 distance.

    Reference: Arjovsky et al. 2017, https://arxiv.org/abs/1701.07875, algorithm 1.
    """
    return ops.mean(_scores(fake_scores)) - ops.mean(_scores(real_scores))


def wasserstein_generator(fake_scores):
    """Return `-E[f(G(z))]`.

    Reference: Arjovsky et al. 2017, algorithm 1.
    """
    return -ops.mean(_scores(fake_scores))


def least_squares_critic(real_scores, fake_scores):
    """Return `E[(D(x) - 1)^2] / 2 + E[D(G(z))^2] / 2`.

    Reference: Mao et al. 2017, https://arxiv.org/abs/1611.04076, equation 9 (targets 0 and 1).
    """
    real, fake = _scores(real_scores), _scores(fake_scores)
    return 0.5 * (ops.mean(ops.square(real - 1.0)) + ops.mean(ops.square(fake)))


def least_squares_generator(fake_scores):
    """Return `E[(D(G(z)) - 1)^2] / 2`.

    Reference: Mao et al. 2017, equation 9.
    """
    return 0.5 * ops.mean(ops.square(_scores(fake_scores) - 1.0))


def hinge_critic(real_scores, fake_scores):
    """Return `E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]`.

    Reference: Miyato et al. 2018, https://arxiv.org/abs/1802.05957, equation 16. The generator's
    side is `wasserstein_generator`, equation 17.
    """
    real, fake = _scores(real_scores), _scores(fake_scores)
    return ops.mean(ops.relu(1.0 - real)) + ops.mean(ops.relu(1.0 + fake))


def relativistic_critic(real_scores, fake_scores):
    """Return `E[softplus(-(D(x) - D(G(z))))]`, each real image paired with one generated image.

    Reference: Jolicoeur-Martineau 2018, https://arxiv.org/abs/1807.00734; Huang et al. 2025
    (R3GAN), https://arxiv.org/abs/2501.05441, equation 2.
    """
    return ops.mean(ops.softplus(_scores(fake_scores) - _scores(real_scores)))


def relativistic_generator(real_scores, fake_scores):
    """Return `E[softplus(-(D(G(z)) - D(x)))]`, the same pairs the other way round.

    Reference: Huang et al. 2025, equation 2.
    """
    return ops.mean(ops.softplus(_scores(real_scores) - _scores(fake_scores)))


def feature_matching(real_features, fake_features):
    """Return `||E f(x) - E f(G(z))||_2^2` of the critic's features `(batch_size, n)`.

    This is the paper's sum of squares. Departure: the authors' code takes the mean over the
    features, of squares on MNIST and of absolute values on CIFAR-10 and SVHN
    (train_*_feature_matching.py in mnist_svhn_cifar10/, openai/improved-gan on GitHub).

    Reference: Salimans et al. 2016, https://arxiv.org/abs/1606.03498, section 3.1.
    """
    means = [ops.mean(_scores(f), axis=0) for f in (real_features, fake_features)]
    return ops.sum(ops.square(means[0] - means[1]))


@dataclasses.dataclass(frozen=True)
class Scores:
    """What the critic says of one batch.

    A field is None where the step does not need it.

    Args:
        real: Scores of the real images, `(batch_size / packing, 1)`.
        fake: Scores of the generated images, of the same shape.
        real_gradients: Gradients of the scores of the real images with respect to these images,
            packed, float32.
        fake_gradients: The same of the generated images.
        real_features: What the critic's last layer takes of the real images,
            `(batch_size / packing, n)`.
        fake_features: The same of the generated images.
    """

    real: Any = None
    fake: Any = None
    real_gradients: Any = None
    fake_gradients: Any = None
    real_features: Any = None
    fake_features: Any = None


class Loss:
    """What the critic and the generator minimise; the base class of a loss of your own.

    Register a subclass with `keras.saving.register_keras_serializable`, so that models that hold it
    can be saved.

    Attributes:
        name: Its key in `LOSSES`, or the name of your own.
        generator_needs: The fields of `Scores` that `generator` reads.
        has_zero: Whether a score of zero is the border between real and generated images. ADA reads
            the critic's overfitting from the sign of the scores and needs it.

    Example:
    ```python
    @keras.saving.register_keras_serializable()
    class Exponential(kerasgan.losses.Loss):
        name = "exponential"

        def critic(self, scores):
            return ops.mean(ops.exp(-scores.real)) + ops.mean(ops.exp(scores.fake))

        def generator(self, scores):
            return ops.mean(ops.exp(-scores.fake))

    gan = kerasgan.GAN(generator, critic, loss=Exponential())
    ```
    """

    name = None
    generator_needs = ("fake",)
    has_zero = True

    def critic(self, scores):
        """Return the critic's loss, a scalar, from `Scores` with `real` and `fake`."""
        raise NotImplementedError(f"{type(self).__name__} must implement `critic(scores)`.")

    def generator(self, scores):
        """Return the generator's loss, a scalar, from `Scores` with `generator_needs`."""
        raise NotImplementedError(f"{type(self).__name__} must implement `generator(scores)`.")

    def get_config(self):
        """Return the arguments of the constructor."""
        return {}

    @classmethod
    def from_config(cls, config):
        """Return the loss that `get_config` describes."""
        return cls(**config)


class _Logarithmic(Loss):
    """A loss whose critic minimises `minimax_critic`.

    Args:
        real_label: What is asked of real images, in (0, 1]; below 1 it smooths the label.
    """

    def __init__(self, real_label=1.0):
        validation.positive("real_label", real_label)
        if real_label > 1:
            raise ValueError(f"`real_label` must lie in (0, 1]. Received: real_label={real_label}")
        self.real_label = real_label

    def critic(self, scores):
        return minimax_critic(scores.real, scores.fake, self.real_label)

    def get_config(self):
        return {"real_label": self.real_label}


@keras.saving.register_keras_serializable(package="kerasgan")
class NonSaturating(_Logarithmic):
    """`minimax_critic` and `non_saturating_generator`.

    Args:
        real_label: See `minimax_critic`.
    """

    name = "non_saturating"

    def generator(self, scores):
        return non_saturating_generator(scores.fake)


@keras.saving.register_keras_serializable(package="kerasgan")
class Minimax(_Logarithmic):
    """`minimax_critic` and `minimax_generator`.

    Args:
        real_label: See `minimax_critic`.
    """

    name = "minimax"

    def generator(self, scores):
        return minimax_generator(scores.fake)


@keras.saving.register_keras_serializable(package="kerasgan")
class FeatureMatching(_Logarithmic):
    """`minimax_critic` and `feature_matching`.

    The features are what the critic's last layer takes. The critic must be a functional or
    sequential network.

    Args:
        real_label: See `minimax_critic`.
    """

    name = "feature_matching"
    generator_needs = ("real_features", "fake_features")

    def generator(self, scores):
        return feature_matching(scores.real_features, scores.fake_features)


@keras.saving.register_keras_serializable(package="kerasgan")
class LeastSquares(Loss):
    """`least_squares_critic` and `least_squares_generator`."""

    name = "least_squares"
    has_zero = False

    def critic(self, scores):
        return least_squares_critic(scores.real, scores.fake)

    def generator(self, scores):
        return least_squares_generator(scores.fake)


@keras.saving.register_keras_serializable(package="kerasgan")
class Hinge(Loss):
    """`hinge_critic` and, for the generator, `wasserstein_generator`."""

    name = "hinge"

    def critic(self, scores):
        return hinge_critic(scores.real, scores.fake)

    def generator(self, scores):
        return wasserstein_generator(scores.fake)


@keras.saving.register_keras_serializable(package="kerasgan")
class Wasserstein(Loss):
    """`wasserstein_critic` and `wasserstein_generator`."""

    name = "wasserstein"
    has_zero = False

    def critic(self, scores):
        return wasserstein_critic(scores.real, scores.fake)

    def generator(self, scores):
        return wasserstein_generator(scores.fake)


@keras.saving.register_keras_serializable(package="kerasgan")
class Relativistic(Loss):
    """`relativistic_critic` and `relativistic_generator`."""

    name = "relativistic"
    generator_needs = ("real", "fake")
    has_zero = False

    def critic(self, scores):
        return relativistic_critic(scores.real, scores.fake)

    def generator(self, scores):
        return relativistic_generator(scores.real, scores.fake)


LOSSES = {
    loss.name: loss
    for loss in (
        NonSaturating,
        Minimax,
        LeastSquares,
        Hinge,
        Wasserstein,
        Relativistic,
        FeatureMatching,
    )
}


def get(identifier, real_label=1.0):
    """Return the `Loss` that a name, a configuration or a `Loss` stands for.

    Args:
        identifier: A key of `LOSSES`, a `Loss`, or what `serialize` returned.
        real_label: See `minimax_critic`; below 1 it goes with a name of a logarithmic loss.

    Raises:
        ValueError: If it stands for none.
    """
    if isinstance(identifier, dict):
        identifier = keras.saving.deserialize_keras_object(identifier)
    loss = identifier
    if not isinstance(loss, Loss):
        if not isinstance(identifier, str) or identifier not in LOSSES:
            raise ValueError(
                f"`loss` must be one of {list(LOSSES)}, or a kerasgan.losses.Loss. Received: "
                f"loss={identifier!r}"
            )
        loss = LOSSES[identifier]()
    if real_label == 1.0:
        return loss
    if loss is identifier or not isinstance(loss, _Logarithmic):
        names = [name for name, kind in LOSSES.items() if issubclass(kind, _Logarithmic)]
        raise ValueError(
            f"`real_label` below 1 goes with the losses {', '.join(names)}, given by name. "
            f"Received: real_label={real_label}, loss={identifier!r}"
        )
    return type(loss)(real_label)


def serialize(loss):
    """Return the name of a loss of `LOSSES` as it is by default, the configuration of any other."""
    known = LOSSES.get(loss.name)
    if type(loss) is known and loss.get_config() == known().get_config():
        return loss.name
    return keras.saving.serialize_keras_object(loss)
