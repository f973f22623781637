"""The parts of the data that a generator lost, as pictures on disk."""

import numpy as np

from kerasgan.data import to_uint8
from kerasgan.files import atomic

ALARMS = 8  # Files of alarms that are kept.


def write_exemplars(folder, metric):
    """Write the most typical real images of each cell of a `DiversityMetric` to `cells.npz`."""
    _write(
        folder / "cells.npz",
        shares=metric.real_shares,
        images=_bytes(np.concatenate(metric.exemplars)),
        counts=np.array([len(images) for images in metric.exemplars]),
    )


def write_check(folder, metric, entry, measurement, images, peaks, alarm=False):
    """Write which cells a check found empty, and the generated image nearest to each.

    Args:
        folder: Where to write `check.npz` and, if this is an alarm, `alarm-STEP.npz`.
        metric: The `DiversityMetric`.
        entry: The journal's `Entry` of the check.
        measurement: The `Measurement`, with its shares.
        images: The generated images that were measured.
        peaks: The greatest share that each cell had in earlier checks.
        alarm: Whether the detector said collapsed or diverged. The files of the last 8 alarms are
            kept.
    """
    cells = metric.lost(measurement)
    found = {
        "cells": np.array(cells, "int64"),
        "shares": np.array(measurement.shares),
        "peaks": np.array(peaks),
        "nearest": _bytes(images[metric.nearest(cells, images)]) if cells else np.zeros(0, "uint8"),
        "epoch": entry.epoch,
        "step": entry.step,
    }
    _write(folder / "check.npz", **found)
    if alarm:
        old = sorted(folder.glob("alarm-*.npz"))
        for path in old[: max(0, len(old) - ALARMS + 1)]:
            path.unlink()
        _write(folder / f"alarm-{entry.step:09d}.npz", **found)


def _bytes(images):
    return images if images.dtype == np.uint8 else to_uint8(images)


def _write(path, **arrays):
    with atomic(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, **arrays)
