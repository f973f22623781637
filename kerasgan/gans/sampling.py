"""What a model draws once it is trained: latent vectors in, images out."""

import numpy as np
from keras import ops

from kerasgan import backend, validation
from kerasgan.gans import checks, latent


class Sampling:
    """The part of an adversarial model that needs the generator alone.

    The model has `generator` and `ema_generator`, `latent_dim`, `image_shape`, `num_classes` and
    `prior`.
    """

    @property
    def sampler(self):
        """The network that `sample` uses: the moving average, or the generator without one."""
        return self.generator if self.ema_generator is None else self.ema_generator

    def call(self, z, training=False):
        """Return images for latent vectors `(batch_size, latent_dim)`, as `predict` does.

        A conditional model is called with `[z, labels]`.
        """
        return self.sampler(z, training=training)

    def sample(self, n, seed=None, labels=None, batch_size=256, **latents):
        """Return generated images.

        The latent vectors are drawn by NumPy, so one seed gives one set of images on every
        backend, and the first k of n images are those of `sample(k, seed)`.

        Args:
            n: How many.
            seed: Seed of the latent vectors; None draws new ones.
            labels: Of a conditional model: one class number for all, or n of them; None draws
                them evenly.
            batch_size: Images computed at a time.
            **latents: What the variant's `latent_vectors` takes beside these, as `codes`.

        Returns:
            A float32 array of shape `(n, height, width, channels)` in [-1, 1].
        """
        validation.positive_integer("n", n)
        if labels is None and self.num_classes is not None:
            labels = latent.labels(n, self.num_classes, seed)
        return self.images_of(self.latent_vectors(n, seed, **latents), labels, batch_size)

    def latent_vectors(self, n, seed=None):
        """Return the `(n, latent_dim)` latent vectors that `sample` starts from."""
        return latent.latent_vectors(n, self.latent_dim, seed, self.prior)

    def interpolate(self, n, first_seed, last_seed):
        """Return `n` latent vectors on the way from one seed's first vector to another's."""
        ends = (self.latent_vectors(1, seed)[0] for seed in (first_seed, last_seed))
        return latent.interpolated_vectors(n, *ends, self.prior)

    def images_of(self, z, labels=None, batch_size=256, raw=False):
        """Return the images of latent vectors `(n, latent_dim)`, computed in batches.

        A conditional model without `labels` goes through its classes in turn. With `raw` they are
        of the generator as it is, and not of its moving average.
        """
        validation.positive_integer("batch_size", batch_size)
        self.synchronize()
        z = np.asarray(z, "float32")
        if z.ndim != 2 or z.shape[1] != self.latent_dim:
            raise ValueError(
                f"`z` must have the shape (n, {self.latent_dim}). Received: shape {z.shape}"
            )
        parts = [z]
        if self.num_classes is not None:
            chosen = np.arange(len(z)) % self.num_classes if labels is None else labels
            parts.append(checks.labels(chosen, len(z), self.num_classes))
        elif labels is not None:
            raise ValueError("`labels` are for conditional networks. Received: labels")
        network = self.generator if raw else self.sampler
        return in_batches(network, parts, batch_size).astype("float32", copy=False)

    def export(self, filepath, format="tf_saved_model", **kwargs):
        """Write the network that `sample` uses for serving; see `keras.Model.export`."""
        self.synchronize()
        # Keras exports to ONNX only what was called before.
        z = np.zeros((1, self.latent_dim), "float32")
        self.sampler(z if self.num_classes is None else [z, np.zeros(1, "int32")], training=False)
        return self.sampler.export(filepath, format=format, **kwargs)


def in_batches(network, parts, batch_size):
    """Return what a network makes of arrays of one length, computed in batches of one shape.

    Args:
        network: A Keras model.
        parts: The arrays `(n, ...)`, one for each of its inputs.
        batch_size: Rows at a time.
    """
    n = len(parts[0])
    size = min(batch_size, n)
    found = None
    for start in range(0, n, size):
        rows = [part[start : start + size] for part in parts]
        short = size - len(rows[0])  # One shape, one program.
        rows = [np.pad(r, [(0, short)] + [(0, 0)] * (r.ndim - 1)) for r in rows]
        batch = ops.convert_to_numpy(backend.forward(network, rows[0] if len(rows) == 1 else rows))
        if found is None:
            found = np.empty((n, *batch.shape[1:]), batch.dtype)
        found[start : start + size] = batch[: size - short]
    return found
