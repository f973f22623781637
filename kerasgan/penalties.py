"""Penalties on the critic's gradients: each equation once.

Gradients are taken per sample, and norms run over all axes of a sample, never over the batch.
"""

from keras import ops

from kerasgan import backend


def gradient_penalty(critic, real, fake, epsilon, target=1.0):
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

    Returns:
        A float32 scalar.

    Reference: Gulrajani et al. 2017, https://arxiv.org/abs/1704.00028, algorithm 1.
    """
    real = ops.cast(real, "float32")
    fake = ops.cast(fake, "float32")
    epsilon = ops.reshape(epsilon, (-1,) + (1,) * (len(real.shape) - 1))
    between = epsilon * real + (1.0 - epsilon) * fake
    gradients = backend.gradient(lambda x: ops.cast(critic(x), "float32"), between)
    return ops.mean(ops.square(gradient_norm(gradients) - target))


def gradient_norm(gradients):
    """Return the Euclidean norm of each sample's gradient, of shape `(batch_size,)`.

    The square root is shifted by 1e-12, since its own gradient is infinite at zero.
    """
    axes = tuple(range(1, len(gradients.shape)))
    return ops.sqrt(ops.sum(ops.square(gradients), axis=axes) + 1e-12)
