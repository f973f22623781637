"""Progress: one line for each epoch, with the time that is left."""

import contextlib
import sys
import time

from kerasgan import backend
from kerasgan.callbacks.pace import Pace
from kerasgan.callbacks.steps import Steps, at_once
from kerasgan.text import duration

# Seconds between two looks at an epoch that is not over: in logs the first, doubled up to the last.
ON_TERMINALS, IN_LOGS = 0.5, (5.0, 60.0)

SHORT = 40  # Steps of an epoch, below which the first ones count though programs are made in them.


class Progress(Steps):
    """Prints the logs of each epoch, its speed, and an estimate of the time left.

    On a terminal, a line that is updated twice a second shows the progress within the epoch. In a
    log it has a line after five seconds, and then seldomer, down to one a minute.

    The estimate counts the steps of an epoch and what follows them, such as checks, pictures and
    checkpoints; see `Pace`. The first steps of each `fit` are left out of it, in which programs are
    made.

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
        self._pace = Pace()
        self._ended = None

    def on_train_begin(self, logs=None):
        if self.epochs is None:  # Otherwise this may be the next part of one training.
            self._pace = Pace()
        self._end = self.epochs or self.params["epochs"]
        self._pause = ON_TERMINALS if self.live else IN_LOGS[0]
        self._shown = 0.0 if self.live else time.perf_counter()
        self._ended = None
        self._taken, self._warm = 0, False  # Whether the steps of a `fit` are programs by now.
        steps = self.params.get("steps") or 0
        self._needed = backend.WARM_UP + 3 if backend.WARM_UP and steps >= SHORT else 1

    def on_epoch_begin(self, epoch, logs=None):
        super().on_epoch_begin(epoch, logs)
        self._epoch = epoch
        self._began = time.perf_counter()
        if self._ended is not None:  # Callbacks after this one took their time.
            self._pace.add_after(self._began - self._ended)
        self._last = None  # When the last step began.
        if self.dataset is not None:
            self.dataset.seconds = 0.0

    def on_train_batch_begin(self, batch, logs=None):
        super().on_train_batch_begin(batch, logs)
        now = time.perf_counter()
        taken = at_once(self.unsynced)
        if self._last is not None and self._warm:
            for _ in range(taken):
                self._pace.add_step((now - self._last) / taken)
        self._taken += 0 if self._last is None else taken
        self._warm = self._warm or self._taken >= self._needed
        self._last = now
        if now - self._shown > self._pause or (self.live and batch == 1):
            self._shown = now
            if not self.live:
                self._pause = min(2 * self._pause, IN_LOGS[1])
            self._show(batch)

    def _show(self, batch):
        """Print how far the epoch is."""
        of = self.params.get("steps")
        text = f"epoch {self._epoch + 1}/{self._end}  step {batch + 1}{f'/{of}' if of else ''}"
        left = self._left(self._end - self._epoch - 1, of - batch) if of else None
        if left is not None:
            text += f"  left {duration(left)}"
        elif not self._warm:
            text += "  compiling the first steps"
        self._print(f"\r{text}\033[K" if self.live else f"{text}\n")

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
        self._warm = True  # An epoch of one step has compiled it too.
        if not self.cut:
            self._pace.add_end(now - (self._began if self._last is None else self._last))
            self._ended = now
            remaining = self._end - epoch - 1
            if remaining:
                parts.append(f"left {duration(self._pace.after + self._left(remaining))}")
        start = "\r\033[K" if self.live else ""
        self._print(start + "  ".join(parts) + "\n")
        self._shown = now

    def _left(self, epochs, of_this=None):
        # The first epoch of a resumed training may be the rest of one.
        steps = getattr(self.dataset, "batches_per_epoch", None) or self.params.get("steps")
        return self._pace.left(max(steps or self.steps, 1), epochs, of_this)

    def _print(self, text):
        # The reader of the output may have closed it, or the disk be full. The training continues.
        with contextlib.suppress(OSError):
            print(text, end="", file=self.stream, flush=True)
