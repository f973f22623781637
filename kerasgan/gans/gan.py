"""GAN: generative adversarial network."""

import keras

from kerasgan import losses, validation
from kerasgan.gans.base import AdversarialModel
from kerasgan.gans.body import CriticBody
from kerasgan.gans.optimizer import adam_pair


@keras.saving.register_keras_serializable(package="kerasgan")
class GAN(AdversarialModel):
    """The original GAN: one critic step, one generator step, in turn; with any of the losses.

    Departures from the paper: the optimizers are those of DCGAN (Adam, 2e-4, beta_1 0.5), since
    the paper names momentum without its numbers; the moving average is an addition.

    Args:
        generator: See `AdversarialModel`.
        critic: Returns logits; `D = sigmoid(critic(x))`.
        loss: "non_saturating" (section 3 of the paper), "minimax" (its algorithm 1),
            "least_squares", "hinge", "wasserstein", "relativistic", or "feature_matching": the
            critic's is then minimax's and the generator's the squared distance between the mean
            features of real and generated images (Salimans et al. 2016, section 3.1), the
            features being what the critic's last layer takes.
        real_label: What the critic's logarithmic loss asks of real images: 0.9 is the one-sided
            label smoothing of Salimans et al. 2016, section 3.4.
        alpha: The learning rate of both default optimizers.
        name: Name of the model.
        **shared: See `AdversarialModel`.

    Example:
    ```python
    generator, critic = kerasgan.networks.dcgan(image_size=28, channels=1, critic_norm="batch")
    gan = kerasgan.GAN(generator, critic)
    gan.compile()
    gan.fit(images, batch_size=64, epochs=10)
    ```

    References: Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661, algorithm 1; Salimans et
    al. 2016, https://arxiv.org/abs/1606.03498.
    """

    def __init__(
        self,
        generator,
        critic,
        loss="non_saturating",
        real_label=1.0,
        alpha=2e-4,
        name="gan",
        **shared,
    ):
        validation.choice("loss", loss, [*losses.LOSSES, "feature_matching"])
        validation.positive("alpha", alpha)
        validation.positive("real_label", real_label)
        logarithmic = loss in ("non_saturating", "minimax", "feature_matching")
        if real_label > 1 or (real_label < 1 and not logarithmic):
            raise ValueError(
                "`real_label` must lie in (0, 1], and below 1 goes with the losses non_saturating, "
                f"minimax and feature_matching. Received: real_label={real_label}, loss={loss!r}"
            )
        played = "minimax" if loss == "feature_matching" else loss
        super().__init__(generator, critic, played, name=name, **shared)
        self.loss_name = loss
        self.real_label = real_label
        self.alpha = alpha
        self.body = CriticBody(critic) if loss == "feature_matching" else None

    def default_optimizers(self):
        return adam_pair(self.alpha)

    def critic_loss(self, batch, training=True):
        if self.real_label == 1.0:
            return super().critic_loss(batch, training)
        return losses.minimax_critic(*self.both_scores(batch, training), self.real_label)

    def generator_loss(self, batch, training=True):
        if self.body is None:
            return super().generator_loss(batch, training)
        pair = (batch.real, batch.fake)
        found = [self.scores(x, batch.labels, training, self.body.features) for x in pair]
        return losses.feature_matching(*found)

    def get_config(self):
        own = {"loss": self.loss_name, "real_label": self.real_label, "alpha": self.alpha}
        return {**super().get_config(), **own}
