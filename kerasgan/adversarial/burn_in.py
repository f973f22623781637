"""Schedules that go from one value to another over a burn-in, then stay."""

import math

import keras
from keras import ops

from kerasgan import validation
from kerasgan.backend import private


def cosine(first, last, steps, burn_in):
    """Return the value after `steps` steps, a tensor: half a cosine from `first` to `last`."""
    progress = ops.minimum(ops.cast(steps, "float32") / burn_in, 1.0)
    return last + 0.5 * (first - last) * (1.0 + ops.cos(math.pi * progress))


@keras.saving.register_keras_serializable(package="kerasgan")
class BurnInAdam(keras.optimizers.Adam):
    """Adam whose learning rate and beta_2 move along a cosine during a burn-in.

    Args:
        learning_rate: At the start.
        final_factor: What it is multiplied by at the end.
        beta_1: As in Adam.
        beta_2: At the start.
        final_beta_2: At the end.
        burn_in: Steps of the burn-in.
        epsilon: As in Adam, outside the square root.
        **kwargs: As in `keras.optimizers.Adam`.

    Reference: Huang et al. 2025, https://arxiv.org/abs/2501.05441. The schedules are those of
    train.py and training/training_loop.py in the authors' code, brownvc/R3GAN on GitHub.
    """

    def __init__(
        self,
        learning_rate=2e-4,
        final_factor=0.25,
        beta_1=0.0,
        beta_2=0.9,
        final_beta_2=0.99,
        burn_in=20000,
        epsilon=1e-8,
        **kwargs,
    ):
        validation.positive_integer("burn_in", burn_in)
        super().__init__(
            learning_rate=learning_rate, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon, **kwargs
        )
        self.final_factor = final_factor
        self.final_beta_2 = final_beta_2
        self.burn_in = burn_in

    def update_step(self, gradient, variable, learning_rate):
        """Move one variable."""
        dtype = variable.dtype
        rate = ops.cast(learning_rate, dtype)
        rate = rate * ops.cast(cosine(1.0, self.final_factor, self.iterations, self.burn_in), dtype)
        beta_2 = cosine(self.beta_2, self.final_beta_2, self.iterations, self.burn_in)
        beta_2 = ops.cast(beta_2, dtype)
        steps = ops.cast(self.iterations + 1, dtype)
        gradient = ops.cast(gradient, dtype)
        first, second = private.adam_moments(self, variable)
        self.assign(first, first + (1.0 - self.beta_1) * (gradient - first))
        self.assign(second, second + (1.0 - beta_2) * (ops.square(gradient) - second))
        rate = rate * ops.sqrt(1.0 - ops.power(beta_2, steps))
        rate = rate / (1.0 - ops.power(ops.cast(self.beta_1, dtype), steps))
        self.assign_sub(variable, rate * first / (ops.sqrt(second) + self.epsilon))

    def get_config(self):
        own = {
            "final_factor": self.final_factor,
            "final_beta_2": self.final_beta_2,
            "burn_in": self.burn_in,
        }
        return {**super().get_config(), **own}
