"""DRAGAN: a GAN whose discriminator is kept smooth around the real images."""

import keras

from kerasgan import validation
from kerasgan.adversarial import AdversarialModel
from kerasgan.penalties import DRAGANPenalty


@keras.saving.register_keras_serializable(package="kerasgan")
class DRAGAN(AdversarialModel):
    """The non-saturating GAN with a gradient penalty around the real images.

    ```text
    x, z <- real images, latent vectors from N(0, I)
    y <- x + a spread std(x) u,    a ~ U(0, 1) for each image, u ~ U(0, 1) for each value
    move D to lower    -E[log D(x)] - E[log(1 - D(G(z)))] + gp_weight E[(||grad D(y)|| - 1)^2]
    z <- new latent vectors
    move G to lower    -E[log D(G(z))]
    ```

    Departures: the optimizers are DCGAN's, and the latent vectors are normal. The authors' notebook
    has Adam with 1e-4, beta_1 0.5 and beta_2 0.9 for both networks, latent vectors from
    U(-1, 1)^100, batches of 128, images in [0, 1] and a critic without normalisation.
    `learning_rate=1e-4`, `prior="uniform"` and optimizers given to `compile` repeat it, apart from
    the range of the images. The perturbation is that of the notebook; the paper has normal noise.
    The moving average is an addition.

    Args:
        generator: See `AdversarialModel`.
        critic: See `AdversarialModel`.
        gp_weight: Weight of the penalty, the paper's lambda.
        spread: How far from real images it reaches, in standard deviations of the batch's values:
            0.5 in the authors' notebook.
        learning_rate: The learning rate of both default optimizers.
        name: Name of the model.
        **shared: See `AdversarialModel`.

    Reference: Kodali et al. 2017, https://arxiv.org/abs/1705.07215, algorithm 1. The authors'
    notebook is DRAGAN.ipynb in kodalinaveen3/DRAGAN on GitHub.
    """

    critic_norm = None

    def __init__(
        self,
        generator,
        critic=None,
        gp_weight=10.0,
        spread=0.5,
        learning_rate=2e-4,
        name="dragan",
        **shared,
    ):
        validation.positive("gp_weight", gp_weight, zero=True)
        super().__init__(
            generator,
            critic,
            learning_rate=learning_rate,
            name=name,
            own_penalties=(DRAGANPenalty(gp_weight, spread),),
            **shared,
        )
        self.gp_weight = gp_weight
        self.spread = spread

    def get_config(self):
        return {**super().get_config(), "gp_weight": self.gp_weight, "spread": self.spread}
