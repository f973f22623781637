"""MetricsFile: the logs as a CSV file, one row for each epoch."""

import csv
import time
from pathlib import Path

import keras

from kerasgan.files import atomic


class MetricsFile(keras.callbacks.Callback):
    """Writes the logs of each finished epoch, and its duration, to a CSV file.

    The file is replaced atomically, so it can be read at any moment. If a resumed training repeats
    epochs, their rows are replaced.

    Args:
        path: The CSV file. Its first column is the epoch, counted from 1; its last is `seconds`.
    """

    def __init__(self, path):
        super().__init__()
        self.path = Path(path)
        self.rows = {}

    def on_train_begin(self, logs=None):
        if self.path.exists():
            with open(self.path, newline="", encoding="utf-8") as file:
                self.rows = {int(row["epoch"]): row for row in csv.DictReader(file)}

    def on_epoch_begin(self, epoch, logs=None):
        self.rows = {key: row for key, row in self.rows.items() if key <= epoch}
        self._started = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        if self.model.stop_training and self._unfinished():
            return
        values = {name: f"{float(value):.6g}" for name, value in (logs or {}).items()}
        seconds = f"{time.perf_counter() - self._started:.1f}"
        self.rows[epoch + 1] = {"epoch": epoch + 1, **values, "seconds": seconds}
        fields = list(dict.fromkeys(key for row in self.rows.values() for key in row))
        with atomic(self.path) as temporary, open(temporary, "w", newline="") as file:
            writer = csv.DictWriter(file, fields)
            writer.writeheader()
            writer.writerows(self.rows[key] for key in sorted(self.rows))

    def _unfinished(self):
        steps = self.params.get("steps")
        return bool(steps) and self._batches < steps

    def on_train_batch_begin(self, batch, logs=None):
        self._batches = batch + 1
