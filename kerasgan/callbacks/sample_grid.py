"""SampleGrid: watch the generator learn."""

from pathlib import Path

import keras

from kerasgan import pictures, validation

ANIMATIONS = ("webp", "gif", None)


class SampleGrid(keras.callbacks.Callback):
    """Draws the images of the same latent vectors after each epoch.

    Writes `epoch_0001.png`, `epoch_0002.png`, ... and at the end one animation of all of them,
    those of earlier runs into the same folder included.

    Args:
        folder: Where the pictures go; made if it is missing.
        n: Images in a grid.
        columns: Images in a row; None for a square grid.
        seed: Seed of the latent vectors.
        every: Epochs from one grid to the next; the last epoch always gets one.
        animation: "webp", "gif" or None.
    """

    def __init__(self, folder, n=100, columns=None, seed=0, every=1, animation="webp"):
        super().__init__()
        validation.choice("animation", animation, ANIMATIONS)
        self.folder = Path(folder)
        self.n = n
        self.columns = columns
        self.seed = seed
        self.every = every
        self.animation = animation

    def on_train_begin(self, logs=None):
        self.folder.mkdir(parents=True, exist_ok=True)
        self._z = self.model.latent_vectors(self.n, self.seed)

    def on_epoch_end(self, epoch, logs=None):
        last = epoch + 1 == self.params.get("epochs") or self.model.stop_training
        if last or (epoch + 1) % self.every == 0:
            path = self.folder / f"epoch_{epoch + 1:04d}.png"
            pictures.save_grid(path, self.model.decode_latents(self._z), self.columns)

    def on_train_end(self, logs=None):
        frames = sorted(self.folder.glob("epoch_*.png"))
        if self.animation and frames:
            pictures.save_animation(self.folder / f"epochs.{self.animation}", frames)
