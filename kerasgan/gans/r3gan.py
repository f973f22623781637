"""R3GAN: relativistic pairing with both zero-centred penalties."""

import math

import keras
from keras import ops

from kerasgan import validation
from kerasgan.gans.base import AdversarialModel
from kerasgan.gans.burn_in import BurnInAdam, cosine
from kerasgan.penalties import R1, R2


@keras.saving.register_keras_serializable(package="kerasgan")
class R3GAN(AdversarialModel):
    """Each generated image is paired with a real one; R1 and R2 in every step.

    Over a burn-in gamma falls, beta_2 and the half-life of the moving average grow, and the
    learning rate falls, each along half a cosine as in the authors' code. Their networks, which
    normalise nowhere, are `default_networks("resnet")`; the generators of the other architectures
    keep their batch normalisation. Departures: the burn-in counts steps of either network, not
    images, and its length and the half-life at its end (693 steps) suit hours, not days.

    Args:
        generator: See `AdversarialModel`.
        critic: See `AdversarialModel`; without normalisation.
        gamma: Weight of R1 and of R2 at the start; 1 for stacked MNIST in the authors' code.
        final_gamma: The same at the end of the burn-in.
        burn_in: Its steps.
        alpha: The learning rate of both default optimizers at the start.
        final_alpha: At the end; None for a quarter, as the authors have it.
        ema: Decay of the moving average at the end.
        name: Name of the model.
        **shared: See `AdversarialModel`.

    Reference: Huang et al. 2025, https://arxiv.org/abs/2501.05441.
    """

    critic_norm = None
    resnet_style = "r3gan"

    def __init__(
        self,
        generator,
        critic,
        gamma=1.0,
        final_gamma=0.1,
        burn_in=20000,
        alpha=2e-4,
        final_alpha=None,
        ema=0.999,
        name="r3gan",
        **shared,
    ):
        for argument, value in (("gamma", gamma), ("final_gamma", final_gamma)):
            validation.positive(argument, value, zero=True)
        validation.positive("alpha", alpha)
        final_alpha = alpha / 4 if final_alpha is None else final_alpha
        validation.positive("final_alpha", final_alpha)
        if final_alpha > alpha:
            raise ValueError(
                "`final_alpha` must not be above `alpha`: the learning rate falls. Received: "
                f"alpha={alpha}, final_alpha={final_alpha}"
            )
        validation.positive_integer("burn_in", burn_in)
        super().__init__(
            generator,
            critic,
            **{"loss": "relativistic", **shared},
            ema=ema,
            name=name,
            own_penalties=(R1(gamma), R2(gamma)),
        )
        self.gamma = gamma
        self.final_gamma = final_gamma
        self.burn_in = burn_in
        self.alpha = alpha
        self.final_alpha = final_alpha

    def default_optimizers(self):
        factor = self.final_alpha / self.alpha
        return tuple(BurnInAdam(self.alpha, factor, burn_in=self.burn_in) for _ in range(2))

    def penalty_weight(self, penalty):
        if penalty in self.added_penalties:
            return penalty.weight
        steps = self.optimizer.critic_optimizer.iterations
        return cosine(self.gamma, self.final_gamma, steps, self.burn_in)

    def ema_decay(self, steps):
        # The half-life grows from nothing to that of the decay at the end.
        half_life = math.log(0.5) / math.log(self.ema)
        now = cosine(0.0, half_life, steps, self.burn_in)
        return ops.power(0.5, 1.0 / ops.maximum(now, 1e-3))

    def get_config(self):
        own = {
            "gamma": self.gamma,
            "final_gamma": self.final_gamma,
            "burn_in": self.burn_in,
            "alpha": self.alpha,
            "final_alpha": self.final_alpha,
        }
        return {**super().get_config(), **own}
