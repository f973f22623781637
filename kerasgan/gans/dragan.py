"""DRAGAN: a GAN whose discriminator is kept smooth around the real images."""

import keras

from kerasgan import validation
from kerasgan.gans.base import AdversarialModel
from kerasgan.gans.optimizer import adam_pair
from kerasgan.penalties import DRAGANPenalty


@keras.saving.register_keras_serializable(package="kerasgan")
class DRAGAN(AdversarialModel):
    """The non-saturating GAN with a gradient penalty around the real images.

    Departures: DCGAN's optimizers, as in the authors' code; the moving average is an addition.

    Args:
        generator: See `AdversarialModel`.
        critic: See `AdversarialModel`.
        gp_weight: Weight of the penalty, the paper's lambda.
        spread: How far from real images it reaches, in standard deviations of the batch's values:
            0.5 in the authors' code.
        alpha: The learning rate of both default optimizers.
        name: Name of the model.
        **shared: See `AdversarialModel`.

    Reference: Kodali et al. 2017, https://arxiv.org/abs/1705.07215, algorithm 1.
    """

    critic_norm = None

    def __init__(
        self, generator, critic, gp_weight=10.0, spread=0.5, alpha=2e-4, name="dragan", **shared
    ):
        validation.positive("alpha", alpha)
        validation.positive("gp_weight", gp_weight, zero=True)
        penalty = DRAGANPenalty(gp_weight, spread)
        super().__init__(generator, critic, name=name, own_penalties=(penalty,), **shared)
        self.gp_weight = gp_weight
        self.spread = spread
        self.alpha = alpha

    def default_optimizers(self):
        return adam_pair(self.alpha)

    def get_config(self):
        own = {"gp_weight": self.gp_weight, "spread": self.spread, "alpha": self.alpha}
        return {**super().get_config(), **own}
