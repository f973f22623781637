"""What the pages read of a run's folder; what is missing or damaged counts as nothing."""

import re

from kerasgan.collapse.journal import MOST
from kerasgan.files import read_json, read_rows

_EPOCH = re.compile(r"\d{1,18}", re.ASCII)


def rows(folder):
    """Return the rows of its metrics.csv, dictionaries of text with a whole number as `epoch`."""
    try:
        found = read_rows(folder / "metrics.csv")
        return [row for row in found if _EPOCH.fullmatch(row.get("epoch") or "")]
    except (OSError, ValueError):
        return []


def number(text):
    """Return a cell of `rows` as a number, or NaN."""
    try:
        return float(text)
    except (TypeError, ValueError):
        return float("nan")


def options(folder):
    """Return what its options.json holds."""
    try:
        return read_json(folder / "options.json")
    except (OSError, ValueError):
        return {}


def class_names(options):
    """Return the names of the classes that its options name, or None."""
    classes = options.get("classes") if isinstance(options, dict) else None
    return classes if isinstance(classes, list) and classes else None


def place(of, options):
    """Return the epoch of a check or a decision, with a fraction if the options allow it."""
    counts = options if isinstance(options, dict) else {}
    images, batch = counts.get("images"), counts.get("batch_size")
    if all(type(count) is int and 0 < count <= MOST for count in (images, batch)):
        batches = images // batch
        return of.step / batches if batches else of.epoch
    return of.epoch


def grids(folder):
    """Return the paths of the grids of its epochs, in their order."""
    return sorted((folder / "samples").glob("epoch_*.png"))
