"""Checkpoint: save the whole model after each epoch, as long as it is finite."""

import math

from kerasgan.adversarial.each_step import EachStep
from kerasgan.adversarial.state import not_finite
from kerasgan.callbacks.steps import comes_round
from kerasgan.storage import save_model


class Checkpoint(EachStep):
    """Saves the last good state of the model, and stops a training that has diverged.

    After each epoch the whole model, with its optimizers, is saved atomically. If a loss, a weight
    or a generated image is not finite, the training stops and the file keeps the last good epoch.

    Args:
        path: A file that ends in `.keras`.
        check_every: Steps between two checks of the losses within an epoch.

    Attributes:
        diverged: After training, one sentence that names what was not finite, or None.
        saved: Whether the model was saved.
    """

    def __init__(self, path, check_every=100):
        super().__init__()
        self.path = path
        self.check_every = check_every
        self.diverged = None
        self.saved = False

    def on_train_batch_begin(self, batch, logs=None):
        # This runs before a step, because a hook after each step would make JAX wait for its logs.
        if comes_round(batch, self.check_every, self.unsynced):
            self.model.synchronize()
            self._check_losses(self.model.get_metrics_result(), f"in batch {batch}")

    def on_epoch_end(self, epoch, logs=None):
        # After a rescue the losses belong to the state before it.
        if self.model._put_back_at != self.model.critic_steps:
            self._check_losses(logs or {}, f"in epoch {epoch + 1}")
        found = not_finite(self.model)
        if found:
            self._stop(f"{found} was no longer finite after epoch {epoch + 1}")
        if self.diverged is None:
            save_model(self.model, self.path)
            self.saved = True

    def _check_losses(self, logs, when):
        # The scores that other callbacks add are left out: they may be NaN without a measurement.
        for name in ("loss", *self.model.trackers):
            for key in (name, f"val_{name}"):
                if not math.isfinite(float(logs.get(key, 0.0))):
                    self._stop(f"{key} became {float(logs[key])} {when}")

    def _stop(self, sentence):
        self.diverged = self.diverged or sentence
        self.model.stop_training = True
