"""What the critic is given, packed and augmented, and what it says of it."""

import dataclasses
from typing import Any

from keras import ops

from kerasgan import backend
from kerasgan.adversarial.critic_body import CriticBody
from kerasgan.losses import Scores


@dataclasses.dataclass(frozen=True)
class Batch:
    """The images of one step.

    Args:
        real: Images `(batch_size, height, width, channels)` in [-1, 1].
        fake: Generated images of the same shape.
        z: Their latent vectors, `(batch_size, ...)`.
        labels: Class numbers `(batch_size,)` of both, or None.
    """

    real: Any
    fake: Any
    z: Any
    labels: Any = None


class Scorer:
    """Shows images to the critic.

    It is no Keras object, so that a model which holds it does not hold the critic's weights twice.

    Args:
        critic: The critic.
        image_shape: `(height, width, channels)` of one image.
        packing: How many images the critic scores together.
        augment: A layer of `kerasgan.augment`, or None.
        noise: A callable `noise(rows, kind, *shape)`; see `AdversarialModel`.
    """

    def __init__(self, critic, image_shape, packing, augment, noise):
        self.critic = critic
        self.image_shape = image_shape
        self.packing = packing
        self.augment = augment
        self.noise = noise
        self._body = None

    @property
    def body(self):
        """The critic without its last layer, a `CriticBody`."""
        if self._body is None:
            self._body = CriticBody(self.critic)
        return self._body

    def pack(self, images):
        """Return images stacked along the channels, `packing` at a time."""
        if self.packing == 1:
            return images
        *space, channels = self.image_shape
        stacked = ops.reshape(images, (-1, self.packing, *space, channels))
        stacked = ops.moveaxis(stacked, 1, -2)
        return ops.reshape(stacked, (-1, *space, self.packing * channels))

    def unpack(self, images):
        """Return what `pack` stacked."""
        if self.packing == 1:
            return images
        *space, channels = self.image_shape
        parts = ops.reshape(images, (-1, *space, self.packing, channels))
        return ops.reshape(ops.moveaxis(parts, -2, 1), (-1, *space, channels))

    def scores(self, images, labels=None, training=True):
        """Return the critic's scores of images, `(batch_size / packing, 1)`."""
        return self.scores_of_packed(self.pack(images), labels, training)

    def features(self, images, labels=None, training=True):
        """Return what the critic's last layer takes of images, `(batch_size / packing, n)`."""
        return self.scores_of_packed(self.pack(images), labels, training, self.body.features)

    def scores_of_packed(self, packed, labels=None, training=True, network=None):
        """Return what the critic, or another network, makes of images that are packed already.

        In training the images are augmented first.
        """
        if self.augment is not None and training:
            packed = self.pack(self.augmented(self.unpack(packed), self.augment))
        network = network or self.critic
        return network(packed if labels is None else [packed, labels], training=training)

    def augmented(self, images, layer):
        """Return images transformed by a layer of `kerasgan.augment`."""
        rows = ops.shape(images)[0]
        return layer.transform(images, lambda *shape: self.noise(rows, *shape))

    def compare(self, batch, needs=("real", "fake"), gradients=(), training=True, observe=False):
        """Return the `Scores` of a batch: each field that is needed is computed once.

        Args:
            batch: A `Batch`.
            needs: Names of fields of `Scores`, in the order in which they are computed.
            gradients: "real" or "fake" or both, whose gradients are wanted too.
            training: Whether the critic is called in training mode and sees augmented images.
            observe: Whether the augmentation learns from the scores of the real images; in how many
                parts the batch comes, where it is more than one.
        """
        found = {}
        for name in needs:
            which, _, features = name.partition("_")
            images = getattr(batch, which)
            if features:
                found[name] = self.features(images, batch.labels, training)
            elif which in gradients:
                found[name], found[f"{which}_gradients"] = backend.value_and_gradient(
                    lambda x: ops.cast(self.scores_of_packed(x, batch.labels, training), "float32"),
                    ops.cast(self.pack(images), "float32"),
                )
            else:
                found[name] = self.scores(images, batch.labels, training)
            if name == "real":
                self.observe(found[name], observe)
        return Scores(**found)

    def observe(self, real_scores, parts):
        """Let the augmentation learn from the scores of the real images, where it does.

        Args:
            real_scores: The scores of a batch, or of a part of it.
            parts: In how many parts the batch comes; 0 or False where nothing is to be learned.
        """
        if parts and hasattr(self.augment, "observe"):
            self.augment.observe(ops.repeat(real_scores, self.packing), int(parts))
