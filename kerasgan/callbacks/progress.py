"""Progress: one line for each epoch, with the time that is left."""

import contextlib
import sys
import time

from kerasgan.callbacks.steps import Steps
from kerasgan.text import duration

RECENT = 5  # Epochs whose times tell how long the others will take.


class Progress(Steps):
    """Prints the logs of each epoch, its speed, and an estimate of the time left.

    On a terminal, a line that is updated twice a second shows the progress within the epoch.

    The estimate counts the steps of an epoch and what follows them, such as checks, pictures and
    checkpoints. The first step of each `fit` is left out of it, since it compiles. So is what
    follows the first epoch, as soon as a second epoch is known.

    Args:
        dataset: The `ImageDataset` that is trained on, or None. With it, the share of the epoch's
            time that went into preparing data is printed as well.
        epochs: The number of epochs in the whole training. By default it is that of this `fit`.
        stream: Where to print; by default `sys.stdout`.
    """

    def __init__(self, dataset=None, epochs=None, stream=None):
        super().__init__()
        self.epochs = epochs
        self.dataset = dataset
        self.stream = stream or sys.stdout
        self.live = self.stream.isatty()
        # Of each epoch the seconds of a step, from the last step to the end, and to the next epoch.
        self._past = []

    def on_train_begin(self, logs=None):
        if self.epochs is None:  # Otherwise this may be the next part of one training.
            self._past = []
        self._end = self.epochs or self.params["epochs"]
        self._shown = 0.0
        self._ended = None
        self._warm = False  # Whether a step was taken, and so compiled.

    def on_epoch_begin(self, epoch, logs=None):
        super().on_epoch_begin(epoch, logs)
        self._epoch = epoch
        self._began = time.perf_counter()
        if self._ended is not None:  # Callbacks after this one took their time.
            self._past[-1] = (*self._past[-1][:2], self._began - self._ended)
        self._first = self._last = None  # When the first step that compiles nothing began.
        self._skipped = 0  # Steps before it.
        if self.dataset is not None:
            self.dataset.seconds = 0.0

    def on_train_batch_begin(self, batch, logs=None):
        super().on_train_batch_begin(batch, logs)
        now = self._last = time.perf_counter()
        if self._first is None and (self._warm or batch):
            self._first, self._skipped = now, batch
        if self.live and (now - self._shown > 0.5 or batch == 1):
            self._shown = now
            text = f"epoch {self._epoch + 1}/{self._end}  step {batch + 1}"
            if self.params.get("steps"):
                text += f"/{self.params['steps']}"
            left = self._left_in_epoch(batch)
            if left is not None:
                text += f"  left {duration(left)}"
            elif not self._warm:
                text += "  compiling the first step"
            self._print(f"\r{text}\033[K")
        self._warm = True

    def on_epoch_end(self, epoch, logs=None):
        now = time.perf_counter()
        elapsed = now - self._began
        parts = [f"epoch {epoch + 1}/{self._end}"]
        if self.cut:
            of = f" of {self.params['steps']}" if self.params.get("steps") else ""
            parts.append(f"stopped after {self.steps}{of} steps")
        parts += [f"{name} {float(value):.4f}" for name, value in (logs or {}).items()]
        speed = f"{1000 * elapsed / max(self.steps, 1):.1f} ms/step"
        if self.dataset is not None:
            speed += f", {100 * self.dataset.seconds / max(elapsed, 1e-9):.1f} % of it for data"
        parts.append(f"{duration(elapsed)} ({speed})")
        self._ended = None
        if not self.cut:
            # What comes after is not known yet: it is taken to be as in the epoch before.
            after = self._past[-1][2] if self._past else 0.0
            self._past.append((*self._measured(now), after))
            self._ended = now
            remaining = self._end - epoch - 1
            if remaining:
                step, rest = self._expected()
                parts.append(f"left {duration(after + remaining * self._whole(step, rest))}")
        start = "\r\033[K" if self.live else ""
        self._print(start + "  ".join(parts) + "\n")

    def _measured(self, now):
        """Return the seconds of a step of this epoch, and from its last step to its end."""
        if self._last is None:  # An epoch without a step.
            return 0.0, now - self._began
        between = self.steps - 1 - self._skipped
        if self._first is None or between < 1:
            # Of a single step: all that is known is how long it took with what followed it.
            return 0.0, now - self._last
        step = (self._last - self._first) / between
        return step, now - self._last

    def _expected(self):
        """Return the seconds of a step, and from the last step of an epoch to the next epoch."""
        # The first epoch compiles more than its first step: whatever follows the steps, too.
        recent = self._past[1:][-RECENT:] or self._past
        step, rest, after = (sum(values) / len(recent) for values in zip(*recent, strict=True))
        return step, rest + after

    def _whole(self, step, rest):
        # The first epoch of a resumed training may be the rest of one.
        steps = getattr(self.dataset, "batches_per_epoch", None) or self.params.get("steps")
        return (max(steps or self.steps, 1) - 1) * step + rest

    def _left_in_epoch(self, batch):
        """Return the seconds that are left when a step begins, or None if that is not known."""
        if not self.params.get("steps"):
            return None
        if self._past:
            step, rest = self._expected()
        elif batch > self._skipped and self._first is not None:
            step = (self._last - self._first) / (batch - self._skipped)
            rest = step
        else:
            return None
        later = self._end - self._epoch - 1
        return later * self._whole(step, rest) + (self.params["steps"] - 1 - batch) * step + rest

    def _print(self, text):
        # The reader of the output may have closed it, or the disk be full. The training continues.
        with contextlib.suppress(OSError):
            print(text, end="", file=self.stream, flush=True)
