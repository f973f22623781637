"""Labels of images: their form, and the names of the classes."""

import re

import numpy as np

from kerasgan.data.pixels import DataError

LEAST, MOST = -(2**31), 2**31 - 1  # Of the numbers that labels are stored as.


def checked(labels, num_examples):
    """Return labels as int32 numbers `(num_examples,)`, or float32 if they are not all whole.

    Args:
        labels: Numbers `(num_examples,)` or `(num_examples, 1)`.
        num_examples: Number of images.

    Raises:
        DataError: If they are of another form, not finite, or beyond 32 bits; the message says
            what makes them numbers.
    """
    labels = _one_for_each(labels, num_examples)
    if labels.dtype.kind in "USO":
        raise DataError(
            "`labels` must be numbers; `class_names, labels = numpy.unique(labels, "
            f"return_inverse=True)` makes numbers of names. Received: dtype {labels.dtype}"
        )
    if labels.dtype.kind not in "iufb":
        raise DataError(f"`labels` must be numbers. Received: dtype {labels.dtype}")
    _check_range(labels)
    whole = labels.dtype.kind != "f" or np.array_equal(labels, np.rint(labels))
    return labels.astype(np.int32 if whole else np.float32)


def numbered(labels, num_examples):
    """Return labels as numbers and the names of the classes, or None.

    Args:
        labels: As in `checked`, or names of classes as text.
        num_examples: Number of images.

    Raises:
        DataError: As in `checked`.
    """
    labels = _one_for_each(labels, num_examples)
    if labels.dtype.kind not in "US":
        return checked(labels, num_examples), None
    if labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8", "replace")
    names, numbers = np.unique(labels, return_inverse=True)
    return in_order(numbers.astype(np.int32), names.tolist())


def in_order(labels, names, wanted=None):
    """Return labels and class names with the classes in another order.

    Args:
        labels: Integers from 0, or None.
        names: The name of each class, or None.
        wanted: The same names in the order that is wanted; by default as `natural` orders them.
    """
    if names is None:
        return labels, None
    wanted = sorted(names, key=natural) if wanted is None else list(wanted)
    if wanted == list(names):
        return labels, wanted
    number = {name: i for i, name in enumerate(wanted)}
    return np.array([number[name] for name in names], np.int32)[labels], wanted


def natural(name):
    """Return a key that sorts names with the numbers in them as numbers: 2 before 10."""
    parts = re.split(r"([0-9]+)", name)
    return [int(part) if i % 2 else part for i, part in enumerate(parts)], name


def _check_range(labels):
    """Raise DataError for labels that are not finite, or that 32 bits cannot hold."""
    if not labels.size:
        return
    low, high = labels.min().item(), labels.max().item()
    if not LEAST <= low <= high <= MOST:  # NaN is neither above nor below.
        raise DataError(
            f"`labels` must be finite, and as numbers of classes whole, from 0 to {MOST:,}. "
            f"Received: labels from {low} to {high}"
        )


def _one_for_each(labels, num_examples):
    labels = np.asarray(labels)
    if labels.shape == (num_examples, 1):
        labels = labels[:, 0]
    if labels.shape == (num_examples,):
        return labels
    if labels.ndim == 2 and len(labels) == num_examples:
        raise DataError(
            "`labels` must be one number for each image; `labels.argmax(axis=1)` makes numbers of "
            f"one-hot labels. Received: shape {labels.shape}"
        )
    raise DataError(
        f"`labels` must have one entry for each of the {num_examples} images. "
        f"Received: shape {labels.shape}"
    )
