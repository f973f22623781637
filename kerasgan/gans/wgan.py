"""WGAN: Wasserstein GAN with weight clipping."""

import keras
from keras import ops

from kerasgan import backend, validation
from kerasgan.gans.base import AdversarialModel


@keras.saving.register_keras_serializable(package="kerasgan")
class WGAN(AdversarialModel):
    """A critic kept Lipschitz by clipping its weights, several steps for each generator step.

    As the authors' code runs it: RMSProp with PyTorch's constants, and the weights clipped before
    each critic step. Departure: the moving average is an addition.

    Args:
        generator: See `AdversarialModel`.
        critic: See `AdversarialModel`; unbounded scores.
        clip: Every trainable weight of the critic is kept in [-clip, clip]; the paper's c.
        alpha: The learning rate of both default optimizers.
        n_critic: Critic steps for each generator step.
        warmup: Whether to take 100 critic steps for each of the first 25 generator steps and for
            every 500th, as the authors' code does (their paper does not say so).
        name: Name of the model.
        **shared: See `AdversarialModel`.

    Reference: Arjovsky et al. 2017, https://arxiv.org/abs/1701.07875, algorithm 1.
    """

    def __init__(
        self,
        generator,
        critic,
        clip=0.01,
        alpha=5e-5,
        n_critic=5,
        warmup=False,
        name="wgan",
        **shared,
    ):
        validation.positive("clip", clip)
        validation.positive("alpha", alpha)
        super().__init__(
            generator, critic, **{"loss": "wasserstein", **shared}, n_critic=n_critic, name=name
        )
        self.clip = clip
        self.alpha = alpha
        self.warmup = warmup

    def default_optimizers(self):
        # PyTorch adds its epsilon of 1e-8 outside the square root, Keras inside. It matters: with
        # clipped weights most gradients are smaller than the square root of 1e-8.
        return tuple(
            keras.optimizers.RMSprop(self.alpha, rho=0.99, epsilon=1e-16) for _ in range(2)
        )

    def critic_steps_per_round(self, generator_steps):
        if self.warmup and (generator_steps < 25 or generator_steps % 500 == 0):
            return 100
        return self.n_critic

    def critic_step(self, real, labels=None, penalise=True):
        weights = self.critic.trainable_variables
        backend.assign(weights, [ops.clip(w, -self.clip, self.clip) for w in weights])
        super().critic_step(real, labels, penalise)

    def get_config(self):
        own = {"clip": self.clip, "alpha": self.alpha, "warmup": self.warmup}
        return {**super().get_config(), **own}
