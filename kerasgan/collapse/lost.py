"""The parts of the data that a generator lost, and the images it repeats, as pictures on disk."""

import numpy as np

from kerasgan.collapse.diversity import COMPARED
from kerasgan.data import to_uint8
from kerasgan.files import atomic

ALARMS = 8  # Files of alarms that are kept.
COPIED = 0.9  # Copies are kept if a smaller share of the images than this has no twin.
SIDE = 64  # Greatest side of the pictures of copies; larger ones are shrunk.


def write_exemplars(folder, metric):
    """Write the most typical real images of each cell of a `DiversityMetric` to `cells.npz`."""
    _write(
        folder / "cells.npz",
        shares=metric.real_shares,
        images=to_uint8(np.concatenate(metric.exemplars)),
        counts=np.array([len(images) for images in metric.exemplars]),
    )


def write_check(folder, metric, entry, measurement, images, peaks, alarm=False):
    """Write which cells a check found empty, and the generated image nearest to each.

    If many images have a twin, those that come most often are written too: `copies` `(k, height,
    width, channels)`, the `twins` of all of them, `counts` of how many twins each has there,
    `alike`, how many images look like each, itself included, the real image nearest to each in
    `nearest_real`, and `compared`, how many images were compared.

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
        "nearest": to_uint8(images[metric.nearest(cells, images)])
        if cells
        else np.zeros(0, "uint8"),
        "epoch": entry.epoch,
        "step": entry.step,
        **_copies(metric, measurement, images),
    }
    _write(folder / "check.npz", **found)
    if alarm:
        old = sorted(folder.glob("alarm-*.npz"))
        for path in old[: max(0, len(old) - ALARMS + 1)]:
            path.unlink()
        _write(folder / f"alarm-{entry.step:09d}.npz", **found)


def drop(folder):
    """Remove all that `write_exemplars` and `write_check` have written."""
    for path in (*folder.glob("alarm-*.npz"), folder / "cells.npz", folder / "check.npz"):
        path.unlink(missing_ok=True)
    (folder / "look.npz").unlink(missing_ok=True)  # The name of a check in earlier versions.


def drop_alarms(folder, step):
    """Remove the files of alarms after a critic step, from which a training resumes."""
    for path in folder.glob("alarm-*.npz"):
        if path.stem > f"alarm-{step:09d}":
            path.unlink(missing_ok=True)


def _copies(metric, measurement, images):
    """Return the arrays about images that come again and again, or none."""
    if measurement.distinct is None or measurement.distinct >= COPIED:
        return {}
    found = metric.copies(images)
    if not found:
        return {}
    nearest = np.stack([np.asarray(metric.images[one.real]) for one in found])
    return {
        "copies": small(images[[one.image for one in found]]),
        "twins": small(images[[twin for one in found for twin in one.twins]]),
        "counts": np.array([len(one.twins) for one in found]),
        "alike": np.array([one.count + 1 for one in found]),
        "nearest_real": small(nearest),
        "compared": min(len(images), COMPARED),
    }


def small(images):
    """Return images as uint8, shrunk by means over squares to a side of at most 64 pixels."""
    images = to_uint8(images)
    side = -(-max(images.shape[1:3]) // SIDE)
    if side == 1:
        return images
    x = images.astype("float32")
    for axis in (1, 2):
        starts = np.arange(0, images.shape[axis], side)
        sizes = np.diff([*starts, images.shape[axis]])
        sizes = sizes.reshape([-1 if a == axis else 1 for a in range(4)])
        x = np.add.reduceat(x, starts, axis) / sizes
    return np.round(x).astype("uint8")


def _write(path, **arrays):
    with atomic(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, **arrays)
