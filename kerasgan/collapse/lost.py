"""The parts of the data that a generator lost, as pictures on disk."""

import numpy as np

from kerasgan.data import to_uint8
from kerasgan.files import atomic

ALARMS = 8  # Files of alarms that are kept.


def write_exemplars(folder, gauge):
    """Write the most typical real images of each cell to `cells.npz`."""
    _write(
        folder / "cells.npz",
        shares=gauge.real_shares,
        images=_bytes(np.concatenate(gauge.exemplars)),
        counts=np.array([len(images) for images in gauge.exemplars]),
    )


def write_look(folder, gauge, entry, look, images, peaks, alarm=False):
    """Write which cells a look found empty, and the generated image nearest to each.

    Args:
        folder: Where `look.npz` goes, and of an alarm `alarm-STEP.npz`.
        gauge: The `Gauge`.
        entry: The `Entry` of the look.
        look: The `Look`, with its shares.
        images: What was generated.
        peaks: The greatest share that each cell had in earlier looks.
        alarm: Whether to keep it.
    """
    cells = gauge.lost(look)
    found = {
        "cells": np.array(cells, "int64"),
        "shares": np.array(look.shares),
        "peaks": np.array(peaks),
        "nearest": _bytes(images[gauge.nearest(cells, images)]) if cells else np.zeros(0, "uint8"),
        "epoch": entry.epoch,
        "step": entry.step,
    }
    _write(folder / "look.npz", **found)
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
