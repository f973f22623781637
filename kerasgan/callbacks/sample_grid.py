"""SampleGrid: pictures of generated images after each epoch."""

import warnings
from pathlib import Path

import numpy as np

from kerasgan import notebook, pictures, validation
from kerasgan.callbacks.steps import Steps
from kerasgan.data import ImageDataset, from_uint8

ANIMATIONS = ("webp", "gif", None)
REAL = "real.png"


class SampleGrid(Steps):
    """Writes a grid of generated images after each epoch, always of the same latent vectors.

    The grids are `epoch_0001.png`, `epoch_0002.png` and so on. At the end of the training, the
    grids in the folder, also those of earlier calls of `fit`, are joined into one animation; that
    of a long training has some of them, see `kerasgan.pictures.save_animation`.

    `real.png` is a grid of as many real images, to compare with. It is written at the start of the
    training, where `fit` is given an array or an `ImageDataset`: to read other data would change
    the order of their batches. Where the grids go through the classes in turn, so does it.

    An epoch that was cut short has no grid. Images of more than four channels are no pictures: a
    warning says so, and the training goes on without grids.

    Args:
        folder: Where to write the pictures; it is made if it is missing.
        n: Number of images in a grid.
        columns: Number of images in a row; None for a square grid.
        seed: Seed of the latent vectors.
        every: Epochs between two grids. The last epoch always has one.
        animation: Format of the animation, "webp" or "gif"; None for no animation.
        inline: Whether each grid is shown in a notebook, too, when it is written. Outside of a
            notebook this has no effect.
    """

    def __init__(
        self, folder, n=100, columns=None, seed=0, every=1, animation="webp", inline=False
    ):
        super().__init__()
        validation.choice("animation", animation, ANIMATIONS)
        self.folder = Path(folder)
        self.n = n
        self.columns = columns
        self.seed = seed
        self.every = every
        self.animation = animation
        self.inline = inline
        self._data = None

    def see_training_data(self, data):
        """Remember what `fit` trains on; `fit` calls this."""
        self._data = data

    def on_train_begin(self, logs=None):
        channels = self.model.image_shape[-1]
        self._shown = channels in pictures.MODES
        if not self._shown:
            warnings.warn(
                f"SampleGrid writes no pictures: images must have 1 to {max(pictures.MODES)} "
                f"channels to be shown. Received: {channels} channels",
                stacklevel=2,
            )
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        self._z = self.model.latent_vectors(self.n, self.seed)
        if isinstance(self._data, ImageDataset):
            pictures.save_grid(self.folder / REAL, self._real(self._data), self.columns)

    def _real(self, data):
        """Return real images in the order of a grid, in [-1, 1]; fewer if there are fewer."""
        rows = np.random.default_rng(self.seed).permutation(data.num_examples)
        if self.model.num_classes is not None and data.labels is not None:
            rows = _in_turn(rows, data.labels[rows], self.n, self.model.num_classes)
        rows = rows[: self.n]
        images = np.stack([np.asarray(data.images[row]) for row in rows])
        return from_uint8(images) if images.dtype == np.uint8 else images

    def on_epoch_end(self, epoch, logs=None):
        if not self._shown or self.cut:
            return
        last = epoch + 1 == self.params.get("epochs") or self.model.stop_training
        if last or (epoch + 1) % self.every == 0:
            path = self.folder / f"epoch_{epoch + 1:04d}.png"
            images = self.model.decode_latents(self._z)
            pictures.save_grid(path, images, self.columns)
            if self.inline:
                notebook.display(pictures.picture(pictures.grid(images, self.columns)))

    def on_train_end(self, logs=None):
        if self.animation and self._shown:
            self.animate(self.animation)

    def animate(self, animation):
        """Join all grids in the folder into `epochs.webp` or `epochs.gif`, if there are any.

        If that is not possible, a warning says why.
        """
        frames = sorted(self.folder.glob("epoch_*.png"))
        if not frames:
            return
        path = self.folder / f"epochs.{animation}"
        try:
            pictures.save_animation(path, frames)
        except Exception as error:  # The training itself is done, and nothing must take it away.
            warnings.warn(f"SampleGrid wrote no {path.name}: {error}", stacklevel=2)


def _in_turn(rows, labels, n, classes):
    """Return `n` rows whose labels go through the classes in turn; a class may have none."""
    own = [rows[labels == label] for label in range(min(n, classes))]
    own = [found if len(found) else rows for found in own]
    return np.array([own[i % classes][i // classes % len(own[i % classes])] for i in range(n)])
