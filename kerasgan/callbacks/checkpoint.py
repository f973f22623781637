"""Checkpoint: save the whole model after each epoch and every ten minutes, if it is finite."""

import math
import shutil
import time
from pathlib import Path

from kerasgan import validation
from kerasgan.adversarial.state import not_finite
from kerasgan.callbacks.steps import Steps, comes_round
from kerasgan.files import atomic
from kerasgan.storage import save_model

MINUTES = 10


class Checkpoint(Steps):
    """Saves the last good state of the model, and stops a training that has diverged.

    After each epoch the whole model, with its optimizers, is saved atomically. So it is within a
    long epoch, ten minutes after the last time. If a loss, a weight or a generated image is not
    finite, the training stops and the file keeps the last good state.

    Place it after the callbacks that write something of an epoch: a training that is killed between
    them repeats the epoch, and misses nothing. Before it saves within an epoch it calls
    `before_checkpoint(epoch)` of all callbacks of the `fit` that have this method, with the number
    of epochs that are finished. `MetricsFile` and `CollapseGuard` then write what a training that
    resumes within the epoch needs.

    Args:
        path: A file that ends in `.keras`.
        check_every: Steps between two checks of the losses within an epoch.
        minutes: Greatest number of minutes between two saves; None saves after epochs alone.
        keep_every: The state after each epoch that this number divides is also kept, for good, as
            `epochs/0012.keras` beside `path`. None keeps none.

    Attributes:
        diverged: After training, one sentence that names what was not finite, or None.
        saved: Whether the model was saved.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(self, path, check_every=100, minutes=MINUTES, keep_every=None):
        super().__init__()
        if minutes is not None:
            validation.positive("minutes", minutes)
        if keep_every is not None:
            validation.positive_integer("keep_every", keep_every)
        self.path = path
        self.check_every = check_every
        self.minutes = minutes
        self.keep_every = keep_every
        self.diverged = None
        self.saved = False
        self._others = ()
        self._epoch = 0
        self._saved_at = -math.inf

    def see_callbacks(self, callbacks):
        """Remember the callbacks of the training; `fit` calls this."""
        self._others = [one for one in callbacks if hasattr(one, "before_checkpoint")]

    def on_train_begin(self, logs=None):
        self._saved_at = time.monotonic()

    def on_epoch_begin(self, epoch, logs=None):
        super().on_epoch_begin(epoch, logs)
        self._epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        # This runs before a step, because a hook after each step would make JAX wait for its logs.
        super().on_train_batch_begin(batch, logs)
        if comes_round(batch, self.check_every, self.unsynced):
            self.model.synchronize()
            self._check_losses(self.model.get_metrics_result(), f"in batch {batch}")
        if batch and self.minutes and time.monotonic() - self._saved_at >= 60 * self.minutes:
            self._save_within()

    def on_epoch_end(self, epoch, logs=None):
        # After a rescue the losses belong to the state before it.
        if self.model._put_back_at != self.model.critic_steps:
            self._check_losses(logs or {}, f"in epoch {epoch + 1}")
        found = not_finite(self.model)
        if found:
            self._stop(f"{found} was no longer finite after epoch {epoch + 1}")
        if self.diverged is None:
            kept = self.keep_every and not self.cut and (epoch + 1) % self.keep_every == 0
            self._save(epoch + 1 if kept else None)

    def _save_within(self):
        self._saved_at = time.monotonic()
        self.model.synchronize()
        losses = self.model.get_metrics_result()
        # What is not finite is left to the usual checks: a guard may put an earlier state back.
        if self.diverged or _first_not_finite(self.model, losses) or not_finite(self.model):
            return
        for callback in self._others:
            callback.before_checkpoint(self._epoch)
        self._save()

    def _save(self, epoch=None):
        """Save the model, and keep it as the state after an epoch too if that is given."""
        if epoch is None:
            save_model(self.model, self.path)
        else:
            # First of all: a training that is killed here repeats the epoch.
            kept = Path(self.path).parent / "epochs" / f"{epoch:04d}.keras"
            kept.parent.mkdir(exist_ok=True)
            save_model(self.model, kept)
            with atomic(self.path) as temporary:
                shutil.copyfile(kept, temporary)
        self.saved = True
        self._saved_at = time.monotonic()

    def _check_losses(self, logs, when):
        found = _first_not_finite(self.model, logs)
        if found:
            self._stop(f"{found} became {float(logs[found])} {when}")

    def _stop(self, sentence):
        self.diverged = self.diverged or sentence
        self.model.stop_training = True


def _first_not_finite(model, logs):
    """Return the name of the first loss in the logs that is NaN or infinite, or None."""
    # The scores that other callbacks add are left out: they may be NaN without a measurement.
    names = [key for name in ("loss", *model.trackers) for key in (name, f"val_{name}")]
    return next((key for key in names if not math.isfinite(float(logs.get(key, 0.0)))), None)
