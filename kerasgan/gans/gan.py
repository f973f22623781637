"""GAN: generative adversarial network."""

import keras

from kerasgan import losses
from kerasgan.gans.base import AdversarialModel

_GENERATOR_LOSSES = {
    "non_saturating": losses.non_saturating_generator,
    "minimax": losses.minimax_generator,
}


@keras.saving.register_keras_serializable(package="kerasgan")
class GAN(AdversarialModel):
    """The original GAN: one critic step, one generator step, in turn.

    Departures from the paper: the optimizers are those of DCGAN (Adam, 2e-4, beta_1 0.5), since
    the paper names momentum without its numbers; the moving average is an addition.

    Args:
        generator: See `AdversarialModel`.
        critic: Returns logits; `D = sigmoid(critic(x))`.
        loss: The generator's: "non_saturating" (section 3 of the paper) or "minimax".
        n_critic: Critic steps for each generator step, the paper's k.
        ema: See `AdversarialModel`.
        seed: See `AdversarialModel`.
        name: Name of the model.

    Example:
    ```python
    generator, critic = kerasgan.networks.dcgan(image_size=28, channels=1, critic_norm="batch")
    gan = kerasgan.GAN(generator, critic)
    gan.compile()
    gan.fit(images, batch_size=64, epochs=10)
    ```

    Reference: Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661, algorithm 1.
    """

    def __init__(
        self,
        generator,
        critic,
        loss="non_saturating",
        n_critic=1,
        ema=0.999,
        seed=0,
        name="gan",
    ):
        if loss not in _GENERATOR_LOSSES:
            raise ValueError(
                f"`loss` must be one of {sorted(_GENERATOR_LOSSES)}. Received: loss={loss!r}"
            )
        super().__init__(generator, critic, n_critic, ema, seed, name)
        self.adversarial_loss = loss

    def default_optimizers(self):
        return tuple(keras.optimizers.Adam(2e-4, beta_1=0.5, epsilon=1e-8) for _ in range(2))

    def critic_loss(self, real, fake, training=True):
        return losses.minimax_critic(
            self.critic(real, training=training), self.critic(fake, training=training)
        )

    def generator_loss(self, real, fake, training=True):
        return _GENERATOR_LOSSES[self.adversarial_loss](self.critic(fake, training=training))

    def get_config(self):
        return {**super().get_config(), "loss": self.adversarial_loss}
