"""MetricsFile: the logs as a CSV file, one row for each epoch."""

import contextlib
import csv
import os
import time
import warnings
from pathlib import Path

from kerasgan.callbacks.steps import Steps
from kerasgan.files import atomic, read_json, read_rows, write_json


class MetricsFile(Steps):
    """Writes the logs of each finished epoch, and its duration, to a CSV file.

    The file is replaced atomically, so it can be read at any moment. If a resumed training repeats
    epochs, their rows are replaced. An epoch that was cut short has no row. Until it is finished,
    its first part is kept in a file beside, and the row then holds the mean of both parts and their
    seconds together.

    Args:
        path: The CSV file. Its first column is the epoch, counted from 1; its last is `seconds`.
    """

    def __init__(self, path):
        super().__init__()
        self.path = Path(path)
        self.part = self.path.with_suffix(".part.json")
        self.rows = {}

    def on_train_begin(self, logs=None):
        if self.path.exists():
            try:
                self.rows = {int(row["epoch"]): row for row in read_rows(self.path)}
            except (OSError, ValueError, KeyError, TypeError) as error:
                self.rows = {}
                kept = self.path.with_name(f"{self.path.name}.damaged")
                os.replace(self.path, kept)
                warnings.warn(
                    f"{self.path} could not be read: {error}. It is kept as {kept.name}, and a "
                    "new one begins",
                    stacklevel=2,
                )

    def on_epoch_begin(self, epoch, logs=None):
        super().on_epoch_begin(epoch, logs)
        self.rows = {key: row for key, row in self.rows.items() if key <= epoch}
        self._forget_part(epoch)
        self._started = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        values = {name: float(value) for name, value in (logs or {}).items()}
        steps, seconds = self.steps, time.perf_counter() - self._started
        first = self._first_part(epoch)
        if first is not None:
            steps, seconds = steps + first["steps"], seconds + first["seconds"]
            share = first["steps"] / max(steps, 1)
            for name in values.keys() & first["values"].keys():
                values[name] = share * first["values"][name] + (1 - share) * values[name]
        if self.cut:
            part = {"epoch": epoch + 1, "at": self._at(), "steps": steps, "seconds": seconds}
            write_json(self.part, {**part, "values": values})
            return
        row = {name: f"{value:.6g}" for name, value in values.items()}
        self.rows[epoch + 1] = {"epoch": epoch + 1, **row, "seconds": f"{seconds:.1f}"}
        fields = list(dict.fromkeys(key for row in self.rows.values() for key in row))
        with atomic(self.path) as temporary, open(temporary, "w", newline="") as file:
            writer = csv.DictWriter(file, fields)
            writer.writeheader()
            writer.writerows(self.rows[key] for key in sorted(self.rows))

    def on_train_end(self, logs=None):
        self._forget_part(max(self.rows, default=0))

    def _forget_part(self, finished):
        """Remove the first part of an epoch that is finished.

        Not earlier: where a training is killed before the end of that epoch is saved, it is trained
        once more from the end of the part.
        """
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            if read_json(self.part)["epoch"] <= finished:
                self.part.unlink()

    def _first_part(self, epoch):
        """Return what an earlier `fit` noted of the part of this epoch that it trained, or None."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            found = read_json(self.part)
            # A training may also repeat the whole epoch, from an older state.
            if found["epoch"] == epoch + 1 and found["at"] == self._at() - self.steps:
                return found
        return None

    def _at(self):
        return int(getattr(self.model, "critic_steps", 0))
