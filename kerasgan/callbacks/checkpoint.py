"""Checkpoint: the whole state after every epoch, while the losses are finite."""

import math

import keras

from kerasgan.storage import save_model


class Checkpoint(keras.callbacks.Callback):
    """Keeps the last good state in one file and stops a training that has diverged.

    After each epoch the whole model is written, atomically. When a loss is NaN or infinite,
    training stops at once and the file stays as it is: it holds the last good epoch.

    Args:
        path: A file that ends in `.keras`.
        check_every: Steps from one look at the losses to the next within an epoch.

    Attributes:
        diverged: After training, one sentence about the loss that was not finite, or None.
        saved: Whether the file holds a state.
    """

    async_safe = True  # Keras need not wait for every step's losses because of this callback.

    def __init__(self, path, check_every=100):
        super().__init__()
        self.path = path
        self.check_every = check_every
        self.diverged = None
        self.saved = False

    def on_train_batch_end(self, batch, logs=None):
        if (batch + 1) % self.check_every == 0:
            self._check(logs, f"in batch {batch + 1}")

    def on_epoch_end(self, epoch, logs=None):
        self._check(logs, f"in epoch {epoch + 1}")
        if self.diverged is None:
            save_model(self.model, self.path)
            self.saved = True

    def _check(self, logs, when):
        for name, value in (logs or {}).items():
            if not math.isfinite(float(value)) and self.diverged is None:
                self.diverged = f"{name} became {float(value)} {when}"
                self.model.stop_training = True
