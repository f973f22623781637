"""WGAN-GP: Wasserstein GAN with gradient penalty."""

import keras
from keras import ops

from kerasgan import backend, losses, validation
from kerasgan.gans.base import AdversarialModel
from kerasgan.penalties import gradient_penalty


@keras.saving.register_keras_serializable(package="kerasgan")
class WGANGP(AdversarialModel):
    """A critic kept Lipschitz by a penalty on its gradient between real and generated images.

    Adam with the paper's constants (1e-4, beta_1 0, beta_2 0.9); the authors' MNIST code has
    beta_1 0.5. Departure: the moving average is an addition.

    Args:
        generator: See `AdversarialModel`.
        critic: See `AdversarialModel`; without batch normalisation, which is refused.
        gp_weight: Weight of the penalty, the paper's lambda: 10 for images, 0.1 in the authors'
            code for mixtures in the plane.
        alpha: The learning rate of both default optimizers.
        n_critic: Critic steps for each generator step.
        ema: See `AdversarialModel`.
        seed: See `AdversarialModel`.
        name: Name of the model.

    Reference: Gulrajani et al. 2017, https://arxiv.org/abs/1704.00028, algorithm 1.
    """

    critic_batch_norm = False
    logged = ("gradient_penalty",)

    def __init__(
        self,
        generator,
        critic,
        gp_weight=10.0,
        alpha=1e-4,
        n_critic=5,
        ema=0.999,
        seed=0,
        name="wgan_gp",
    ):
        validation.positive("gp_weight", gp_weight, zero=True)
        validation.positive("alpha", alpha)
        super().__init__(generator, critic, n_critic, ema, seed, name)
        self.gp_weight = gp_weight
        self.alpha = alpha

    def default_optimizers(self):
        return tuple(
            keras.optimizers.Adam(self.alpha, beta_1=0.0, beta_2=0.9, epsilon=1e-8)
            for _ in range(2)
        )

    def critic_loss(self, real, fake, training=True):
        def critic(images):
            return self.critic(images, training=training)

        rows = ops.shape(real)[0]
        epsilon = backend.draw(lambda n: keras.random.uniform((n,), seed=self.seed_generator), rows)
        penalty = gradient_penalty(critic, real, fake, epsilon)
        self.log("gradient_penalty", penalty, rows)
        loss = losses.wasserstein_critic(critic(real), critic(fake))
        return loss + self.gp_weight * penalty

    def generator_loss(self, real, fake, training=True):
        return losses.wasserstein_generator(self.critic(fake, training=training))

    def get_config(self):
        return {**super().get_config(), "gp_weight": self.gp_weight, "alpha": self.alpha}
