"""WGAN-GP: Wasserstein GAN with gradient penalty."""

import keras

from kerasgan import validation
from kerasgan.adversarial import AdversarialModel
from kerasgan.adversarial.optimizer import adam_pair
from kerasgan.penalties import GradientPenalty


@keras.saving.register_keras_serializable(package="kerasgan")
class WGANGP(AdversarialModel):
    """A critic kept Lipschitz by a penalty on its gradient between real and generated images.

    ```text
    n_critic times:
        x, z <- real images, latent vectors from N(0, I)
        y <- e x + (1 - e) G(z),    e ~ U(0, 1) for each image
        move the critic f to lower    E[f(G(z))] - E[f(x)] + gp_weight E[(||grad f(y)|| - 1)^2]
    z <- new latent vectors
    move G to lower    -E[f(G(z))]
    ```

    Adam with the paper's constants (1e-4, beta_1 0, beta_2 0.9); the authors' MNIST code has
    beta_1 0.5. Departure: the moving average is an addition.

    Args:
        generator: See `AdversarialModel`.
        critic: See `AdversarialModel`; without batch normalisation, which is refused.
        gp_weight: Weight of the penalty, the paper's lambda: 10 for images, 0.1 in the authors'
            code for mixtures in the plane.
        one_sided: Whether only gradients above 1 are penalised, an option of the paper.
        learning_rate: The learning rate of both default optimizers.
        n_critic: Critic steps for each generator step.
        name: Name of the model.
        **shared: See `AdversarialModel`.

    Reference: Gulrajani et al. 2017, https://arxiv.org/abs/1704.00028, algorithm 1. The
    authors' code is igul222/improved_wgan_training on GitHub: gan_mnist.py, gan_toy.py.
    """

    critic_norm = None

    def __init__(
        self,
        generator,
        critic=None,
        gp_weight=10.0,
        one_sided=False,
        learning_rate=1e-4,
        n_critic=5,
        name="wgan_gp",
        **shared,
    ):
        validation.positive("gp_weight", gp_weight, zero=True)
        super().__init__(
            generator,
            critic,
            **{"loss": "wasserstein", **shared},
            learning_rate=learning_rate,
            n_critic=n_critic,
            name=name,
            own_penalties=(GradientPenalty(gp_weight, one_sided=one_sided),),
        )
        self.gp_weight = gp_weight
        self.one_sided = one_sided

    def default_optimizers(self):
        return adam_pair(self.learning_rate, self.critic_learning_rate, beta_1=0.0, beta_2=0.9)

    def get_config(self):
        own = {"gp_weight": self.gp_weight, "one_sided": self.one_sided}
        return {**super().get_config(), **own}
