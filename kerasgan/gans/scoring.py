"""What the critic sees: packed, augmented images, their scores and the penalties on them."""

import dataclasses
from typing import Any

from keras import ops

from kerasgan import backend


@dataclasses.dataclass
class Batch:
    """What one step looks at.

    Args:
        real: Images `(batch_size, height, width, channels)`.
        fake: Generated images of the same shape.
        z: The latent vectors that they were made of.
        labels: Class numbers `(batch_size,)` of both, or None.
        slopes: The gradients of the critic's scores at "real" or "fake", packed; `both_scores`
            fills in those whose key is there.
        observed: Whether the augmentation is to learn from the scores: in the critic's own step.
    """

    real: Any
    fake: Any
    z: Any
    labels: Any = None
    slopes: dict = dataclasses.field(default_factory=dict)
    observed: bool = False


class Scoring:
    """The part of an adversarial model that looks at images with the critic's eyes.

    The model has `critic`, `image_shape`, `packing`, `augment` and `penalties`, and gives `noise`,
    `log` and `penalty_weight`.
    """

    def packed(self, images):
        """Return images stacked along the channels, `packing` at a time."""
        if self.packing == 1:
            return images
        *space, channels = self.image_shape
        stacked = ops.reshape(images, (-1, self.packing, *space, channels))
        stacked = ops.moveaxis(stacked, 1, -2)
        return ops.reshape(stacked, (-1, *space, self.packing * channels))

    def unpacked(self, images):
        """Return what `packed` stacked."""
        if self.packing == 1:
            return images
        *space, channels = self.image_shape
        parts = ops.reshape(images, (-1, *space, self.packing, channels))
        return ops.reshape(ops.moveaxis(parts, -2, 1), (-1, *space, channels))

    def scores(self, images, labels=None, training=True, network=None):
        """Return the critic's scores of images, augmented in training; `(batch_size, 1)`.

        Or what another `network` makes of them, as its body does.
        """
        return self.packed_scores(self.packed(images), labels, training, network)

    def both_scores(self, batch, training=True):
        """Return the scores of the real and of the generated images of a batch."""
        real = self._scored("real", batch, training)
        if batch.observed and hasattr(self.augment, "observe"):
            self.augment.observe(ops.repeat(real, self.packing))
        return real, self._scored("fake", batch, training)

    def _scored(self, which, batch, training):
        images = getattr(batch, which)
        if which not in batch.slopes:
            return self.scores(images, batch.labels, training)
        scores, batch.slopes[which] = backend.value_and_gradient(
            lambda x: ops.cast(self.packed_scores(x, batch.labels, training), "float32"),
            ops.cast(self.packed(images), "float32"),
        )
        return scores

    def packed_scores(self, packed, labels=None, training=True, network=None):
        """Return the critic's scores of images that are packed already."""
        if self.augment is not None and training:
            packed = self.packed(self.changed(self.unpacked(packed), self.augment))
        network = network or self.critic
        return network(packed if labels is None else [packed, labels], training=training)

    def changed(self, images, layer):
        """Return images as a layer of `kerasgan.augment` changes them."""
        rows = ops.shape(images)[0]
        return layer.transform(images, lambda *shape: self.noise(rows, *shape))

    def penalised(self, loss, batch, training=True, factor=1):
        """Return the critic's loss with every penalty added, each of which is logged.

        Outside training a penalty has its own weight, without schedule: losses on held-out images
        compare from one epoch to the next.
        """
        if not self.penalties:
            return loss
        real, fake = self.packed(batch.real), self.packed(batch.fake)
        rows = ops.shape(real)[0]
        for penalty in self.penalties:
            slopes = batch.slopes.get(penalty.at)
            if slopes is not None:
                value = penalty.of(slopes)
            else:
                value = penalty(
                    lambda images: self.packed_scores(images, batch.labels, training),
                    real,
                    fake,
                    lambda *shape: self.noise(rows, *shape),
                )
            self.log(penalty.name, value, ops.shape(batch.real)[0])
            weight = self.penalty_weight(penalty) if training else penalty.weight
            loss = loss + factor * weight * value
        return loss
