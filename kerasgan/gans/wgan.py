"""WGAN: Wasserstein GAN with weight clipping."""

import keras
from keras import ops

from kerasgan import backend, validation
from kerasgan.adversarial import AdversarialModel


@keras.saving.register_keras_serializable(package="kerasgan")
class WGAN(AdversarialModel):
    """A critic kept Lipschitz by clipping its weights, several steps for each generator step.

    ```text
    n_critic times:
        x, z <- real images, latent vectors from N(0, I)
        w <- clip(w, -clip, clip) for every weight w of the critic
        move the critic f to lower    E[f(G(z))] - E[f(x)]
    z <- new latent vectors
    move G to lower    -E[f(G(z))]
    ```

    As the authors' code runs it: RMSProp with PyTorch's constants, and the weights clipped before
    each critic step. Departures: `warmup` is off by default, and the moving average is an addition.

    Args:
        generator: See `AdversarialModel`.
        critic: See `AdversarialModel`; unbounded scores.
        clip: Every trainable weight of the critic is kept in [-clip, clip]; the paper's c.
        learning_rate: The learning rate of both default optimizers.
        n_critic: Critic steps for each generator step.
        warmup: Whether to take 100 critic steps for each of the first 25 generator steps and for
            every 500th, as the authors' code does (their paper does not say so).
        name: Name of the model.
        **shared: See `AdversarialModel`.

    Reference: Arjovsky et al. 2017, https://arxiv.org/abs/1701.07875, algorithm 1. The authors'
    code is main.py in martinarjovsky/WassersteinGAN on GitHub.
    """

    def __init__(
        self,
        generator,
        critic=None,
        clip=0.01,
        learning_rate=5e-5,
        n_critic=5,
        warmup=False,
        name="wgan",
        **shared,
    ):
        validation.positive("clip", clip)
        super().__init__(
            generator,
            critic,
            **{"loss": "wasserstein", **shared},
            learning_rate=learning_rate,
            n_critic=n_critic,
            name=name,
        )
        self.clip = clip
        self.warmup = warmup

    def default_optimizers(self):
        # PyTorch adds its epsilon of 1e-8 outside the square root, Keras inside. It matters: with
        # clipped weights most gradients are smaller than the square root of 1e-8.
        rates = self.learning_rate, self.critic_learning_rate or self.learning_rate
        return tuple(keras.optimizers.RMSprop(rate, rho=0.99, epsilon=1e-16) for rate in rates)

    def critic_steps_per_round(self, generator_steps):
        if self.warmup and (generator_steps < 25 or generator_steps % 500 == 0):
            return 100
        return self.n_critic

    def before_critic_step(self):
        weights = self.critic.trainable_variables
        backend.assign(weights, [ops.clip(w, -self.clip, self.clip) for w in weights])
        super().before_critic_step()

    def get_config(self):
        return {**super().get_config(), "clip": self.clip, "warmup": self.warmup}
