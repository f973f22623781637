"""SNGAN: a GAN with spectral normalisation in its critic."""

import keras

from kerasgan import validation
from kerasgan.gans.base import AdversarialModel
from kerasgan.gans.optimizer import adam_pair


@keras.saving.register_keras_serializable(package="kerasgan")
class SNGAN(AdversarialModel):
    """A critic each of whose layers is divided by its largest singular value.

    One power iteration a critic step, as in algorithm 1. The authors' residual networks play with
    the hinge loss and Adam (2e-4, beta_1 0, beta_2 0.9), five critic steps a round. Departure: the
    moving average is an addition.

    Args:
        generator: See `AdversarialModel`.
        critic: Made of spectrally normalised layers, as `resnet(critic_norm="spectral")` builds.
        loss: A key of `kerasgan.losses.LOSSES`.
        alpha: The learning rate of both default optimizers.
        n_critic: Critic steps for each generator step.
        name: Name of the model.
        **shared: See `AdversarialModel`.

    Reference: Miyato et al. 2018, https://arxiv.org/abs/1802.05957, algorithm 1.
    """

    critic_norm = "spectral"

    def __init__(
        self, generator, critic, loss="hinge", alpha=2e-4, n_critic=5, name="sngan", **shared
    ):
        validation.positive("alpha", alpha)
        super().__init__(generator, critic, loss, n_critic=n_critic, name=name, **shared)
        if not self.power_iterations:
            raise ValueError(
                "`critic` must hold spectrally normalised layers (kerasgan.layers.SpectralConv2D, "
                'SpectralDense), as critic_norm="spectral" builds it. Received: '
                f"{critic.name!r} without any"
            )
        self.alpha = alpha

    def default_optimizers(self):
        return adam_pair(self.alpha, beta_1=0.0, beta_2=0.9)

    def get_config(self):
        return {**super().get_config(), "alpha": self.alpha}
