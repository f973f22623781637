"""Adversarial losses: pure functions of the critic's outputs.

Every function takes logits, that is unbounded critic outputs of shape `(batch_size, 1)` without
a sigmoid, and returns a scalar to be minimised. They are computed in float32 whatever the
precision policy.
"""

from keras import ops


def _scores(scores):
    return ops.cast(scores, "float32")


def minimax_critic(real_scores, fake_scores):
    """Return `-E[log D(x)] - E[log(1 - D(G(z)))]` with `D = sigmoid(score)`.

    Reference: Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661, algorithm 1.
    """
    return ops.mean(ops.softplus(-_scores(real_scores))) + ops.mean(
        ops.softplus(_scores(fake_scores))
    )


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
