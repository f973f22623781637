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
    seconds together. The same is kept where a `Checkpoint` saves within an epoch.

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
        self._began_at = self._at()
        # A training may also repeat the whole epoch, from an older state.
        wanted = epoch + 1, self._began_at or None
        self._first = next((p for p in self._parts() if (p["epoch"], p["at"]) == wanted), None)

    def on_epoch_end(self, epoch, logs=None):
        steps, seconds, values = self._with_first_part(self.steps, logs or {})
        if self.cut:
            self._keep_part(epoch, steps, seconds, values)
            return
        row = {name: f"{value:.6g}" for name, value in values.items()}
        self.rows[epoch + 1] = {"epoch": epoch + 1, **row, "seconds": f"{seconds:.1f}"}
        fields = list(dict.fromkeys(key for row in self.rows.values() for key in row))
        with atomic(self.path) as temporary, open(temporary, "w", newline="") as file:
            writer = csv.DictWriter(file, fields)
            writer.writeheader()
            writer.writerows(self.rows[key] for key in sorted(self.rows))

    def before_checkpoint(self, epoch):
        """Keep the first part of an epoch, for a training that resumes within it."""
        taken = self._at() - self._began_at  # `steps` counts the step that begins now.
        means = self.model.get_metrics_result()
        self._keep_part(epoch, *self._with_first_part(taken, means))

    def on_train_end(self, logs=None):
        self._forget_part(max(self.rows, default=0))

    def _with_first_part(self, steps, logs):
        """Return steps, seconds and values of an epoch so far, those of earlier `fit`s included."""
        values = {name: float(value) for name, value in logs.items()}
        seconds = time.perf_counter() - self._started
        first = self._first
        if first is None:
            return steps, seconds, values
        steps, seconds = steps + first["steps"], seconds + first["seconds"]
        share = first["steps"] / max(steps, 1)
        # What other callbacks measure is no mean over the steps.
        means = {"loss", *getattr(self.model, "trackers", values)}
        for name in means & values.keys() & first["values"].keys():
            values[name] = share * first["values"][name] + (1 - share) * values[name]
        return steps, seconds, values

    def _keep_part(self, epoch, steps, seconds, values):
        """Keep the first part of an epoch beside the one before it.

        A training may be killed before the checkpoint of the newer one is written.
        """
        part = {"epoch": epoch + 1, "at": self._at(), "steps": steps, "seconds": seconds}
        before = [one for one in self._parts() if one["at"] != part["at"]]
        write_json(self.part, [*before[-1:], {**part, "values": values}])

    def _forget_part(self, finished):
        """Remove the first part of an epoch that is finished.

        Not earlier: where a training is killed before the end of that epoch is saved, it is trained
        once more from the end of the part.
        """
        parts = self._parts()
        if parts and parts[-1]["epoch"] <= finished:
            with contextlib.suppress(OSError):
                self.part.unlink()

    def _parts(self):
        """Return what was kept of epochs that were cut short, the newest last."""
        with contextlib.suppress(OSError, ValueError):
            found = read_json(self.part)
            # Earlier versions kept one alone.
            parts = found if isinstance(found, list) else [found]
            return [part for part in parts if _is_part(part)]
        return []

    def _at(self):
        return int(getattr(self.unsynced, "critic_steps", 0))


def _is_part(part):
    """Return whether what a file holds is a part of an epoch."""
    if not isinstance(part, dict) or not isinstance(part.get("values"), dict):
        return False
    numbers = (part.get(name) for name in ("epoch", "at", "steps", "seconds"))
    values = part["values"].values()
    return all(isinstance(n, (int, float)) for n in (*numbers, *values))
