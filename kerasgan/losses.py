"""Adversarial losses: pure functions of the critic's outputs.

Every function takes logits, that is unbounded critic outputs of shape `(batch_size, 1)` without
a sigmoid, and returns a scalar to be minimised. They are computed in float32 whatever the
precision policy. `LOSSES` names the pairs that a critic and a generator play with.
"""

import dataclasses
from collections.abc import Callable

from keras import ops


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

    Reference: Salimans et al. 2016, https://arxiv.org/abs/1606.03498, section 3.1.
    """
    means = [ops.mean(_scores(f), axis=0) for f in (real_features, fake_features)]
    return ops.sum(ops.square(means[0] - means[1]))


@dataclasses.dataclass(frozen=True)
class Loss:
    """What the two networks minimise.

    Args:
        critic: A function of `(real_scores, fake_scores)`.
        generator: A function of `fake_scores`, or of both where the loss is `relativistic`.
        relativistic: Whether the generator's loss compares with real images.
    """

    critic: Callable
    generator: Callable
    relativistic: bool = False


LOSSES = {
    "non_saturating": Loss(minimax_critic, non_saturating_generator),
    "minimax": Loss(minimax_critic, minimax_generator),
    "least_squares": Loss(least_squares_critic, least_squares_generator),
    "hinge": Loss(hinge_critic, wasserstein_generator),
    "wasserstein": Loss(wasserstein_critic, wasserstein_generator),
    "relativistic": Loss(relativistic_critic, relativistic_generator, relativistic=True),
}
