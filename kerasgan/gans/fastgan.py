"""FastGAN: a critic that has to remember what it saw, for few images."""

import keras
from keras import ops

from kerasgan import validation
from kerasgan.adversarial import AdversarialModel, checks
from kerasgan.adversarial.optimizer import adam_pair
from kerasgan.losses import Scores
from kerasgan.networks import fastgan
from kerasgan.networks.fastgan import decoder


@keras.saving.register_keras_serializable(package="kerasgan")
class FastGAN(AdversarialModel):
    """A critic whose maps of a real image must be enough to make it again.

    ```text
    x, z <- real images, latent vectors from N(0, I)
    f1, f2 <- the critic's maps of x, of 16x16 and of 8x8
    p <- a quarter of x, and the same one of f1
    R <- E|decoder2(f2) - x| + E|decoder1(f1 in p) - x in p|
    move D and the decoders to lower    E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))] + R
    z <- new latent vectors
    move G to lower    -E[D(G(z))]
    ```

    The critic scores parts of an image, and means are taken over all of them. Decoders make images
    of at most 128 pixels, which are compared with x shrunk by means; R is logged as
    `reconstruction`. The critic sees what the augmentation makes of x, and so do the decoders.
    `augment=kerasgan.augment.DiffAugment()` is a part of the method.

    The paper leaves open the norm in R and how large the quarter is: it says an eighth of the
    height and the width, and the authors' code has half of both. Departures: the distance is the
    mean of absolute differences. The authors' code has a perceptual one by a VGG network, summed
    over a batch of 8, and a third decoder. Its hinges lie at random margins from 0.8 to 1.

    Args:
        generator: See `AdversarialModel`.
        critic: One that `kerasgan.networks.fastgan` builds.
        loss: A key of `kerasgan.losses.LOSSES`, or a `kerasgan.losses.Loss`.
        reconstruction_weight: Weight of R.
        learning_rate: The learning rate of both default optimizers.
        name: Name of the model.
        **shared: See `AdversarialModel`; `packing` must be 1.

    Reference: Liu et al. 2021, https://arxiv.org/abs/2101.04775, equations 2 to 4: Adam with 2e-4
    and beta_1 0.5, batches of 8. The authors' code was odegeasslbc/FastGAN-pytorch on GitHub
    (train.py, models.py).
    """

    critic_norm = "spectral"
    logged = ("reconstruction",)
    several_scores = True

    def __init__(
        self,
        generator,
        critic=None,
        loss="hinge",
        reconstruction_weight=1.0,
        learning_rate=2e-4,
        name="fastgan",
        **shared,
    ):
        checks.numbers(non_negative={"reconstruction_weight": reconstruction_weight})
        super().__init__(generator, critic, loss, learning_rate=learning_rate, name=name, **shared)
        if not hasattr(self.critic, "encoder") or self.packing != 1:
            raise ValueError(
                "`critic` must be one that kerasgan.networks.fastgan builds, and `packing` 1. "
                f"Received: {type(self.critic).__name__} {self.critic.name!r}, packing="
                f"{self.packing}"
            )
        self.reconstruction_weight = reconstruction_weight
        *sides, channels = self.image_shape
        width = self.critic.get_config()["width"]
        _, small, smallest = (tuple(x.shape[1:]) for x in self.critic.encoder.outputs)
        part = (small[0] // 2, small[1] // 2, small[2])
        halves = [side // 2 for side in sides]
        self.part_decoder = decoder(part, halves, channels, width, "part_decoder")
        self.decoder = decoder(smallest, sides, channels, width, "decoder")

    @classmethod
    def default_networks(cls, architecture="fastgan", **size):
        """Return a generator and a critic; see `kerasgan.networks.fastgan`."""
        validation.choice("architecture", architecture, ("fastgan",))
        return fastgan(**size)

    def default_optimizers(self):
        return adam_pair(self.learning_rate, self.critic_learning_rate, beta_1=0.5)

    def critic_variables(self):
        decoders = (self.decoder, self.part_decoder)
        return [
            *self.critic.trainable_variables,
            *(variable for network in decoders for variable in network.trainable_variables),
        ]

    def critic_objective(self, batch, penalties, training=True, observe=False, lazy=True):
        real = batch.real
        if self.augment is not None and training:
            real = self.scorer.augmented(real, self.augment)
        found, small, smallest = self.critic.encoder(real, training=training)
        self.scorer.observe(found, observe)
        scores = Scores(found, self.scorer.scores(batch.fake, training=training))
        loss = self.critic_loss(batch, scores, training)
        again = self._reconstruction(real, small, smallest, training)
        self.log("reconstruction", again, ops.shape(real)[0])
        loss = ops.cast(loss, "float32") + self.reconstruction_weight * again
        return self._penalised(loss, batch, scores, penalties, training, lazy)

    def get_config(self):
        return {**super().get_config(), "reconstruction_weight": self.reconstruction_weight}

    def _reconstruction(self, images, small, smallest, training):
        """Return how far images lie from what the decoders make of the critic's maps of them."""
        images = ops.cast(images, "float32")
        rows = ops.shape(images)[0]
        drawn = self.noise(rows, "uniform", 2) if training else ops.zeros((rows, 2))
        lower, right = (ops.reshape(drawn[:, i] < 0.5, (-1, 1, 1, 1)) for i in range(2))

        def quarter(x):
            height, width = x.shape[1] // 2, x.shape[2] // 2
            x = ops.where(lower, x[:, height:], x[:, :height])
            return ops.where(right, x[:, :, width:], x[:, :, :width])

        again = self.decoder(smallest, training=training)
        part = self.part_decoder(quarter(small), training=training)
        return _distance(images, again) + _distance(quarter(images), part)


def _distance(images, again):
    """Return the mean absolute difference of images, shrunk by means, from others."""
    by = images.shape[1] // again.shape[1]
    if by > 1:
        images = ops.average_pool(images, by, by, data_format="channels_last")
    return ops.mean(ops.abs(images - ops.cast(again, "float32")))
