"""Progress: one line for each epoch, with the time that is left."""

import contextlib
import sys
import time

import keras

from kerasgan.text import duration


class Progress(keras.callbacks.Callback):
    """Prints the logs of each epoch, its speed, and an estimate of the time left.

    On a terminal, a line that is updated twice a second shows the progress within the epoch.

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

    def on_train_begin(self, logs=None):
        self._durations = []
        self._end = self.epochs or self.params["epochs"]
        self._shown = 0.0

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch
        self._steps = 0
        self._began = time.perf_counter()
        if self.dataset is not None:
            self.dataset.seconds = 0.0

    def on_train_batch_begin(self, batch, logs=None):
        self._steps = batch + 1
        now = time.perf_counter()
        if self.live and now - self._shown > 0.5:
            self._shown = now
            of = self.params.get("steps") or "?"
            elapsed = now - self._began
            text = f"epoch {self._epoch + 1}/{self._end}  step {batch + 1}/{of}"
            if of != "?":
                whole = elapsed / (batch + 1) * of
                left = whole - elapsed + whole * (self._end - self._epoch - 1)
                text += f"  left {duration(left)}"
            self._print(f"\r{text}\033[K")

    def on_epoch_end(self, epoch, logs=None):
        elapsed = time.perf_counter() - self._began
        self._durations.append(elapsed)
        parts = [f"epoch {epoch + 1}/{self._end}"]
        parts += [f"{name} {float(value):.4f}" for name, value in (logs or {}).items()]
        speed = f"{1000 * elapsed / max(self._steps, 1):.1f} ms/step"
        if self.dataset is not None:
            speed += f", {100 * self.dataset.seconds / elapsed:.1f} % of it for data"
        parts.append(f"{duration(elapsed)} ({speed})")
        remaining = self._end - epoch - 1
        if remaining:
            # The first epoch compiles; later ones tell more about those to come.
            recent = self._durations[1:][-5:] or self._durations
            parts.append(f"left {duration(remaining * sum(recent) / len(recent))}")
        start = "\r\033[K" if self.live else ""
        self._print(start + "  ".join(parts) + "\n")

    def _print(self, text):
        # The reader of the output may have closed it. The training continues.
        with contextlib.suppress(BrokenPipeError):
            print(text, end="", file=self.stream, flush=True)
