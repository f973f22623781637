"""Checks of the arrays that metrics take."""

import numpy as np

from kerasgan.data import from_uint8
from kerasgan.text import extent


class MetricError(ValueError):
    """Arrays that a metric cannot use; the message states the rule and what was received."""


def features(name, x, at_least=2):
    """Return `x` as a matrix of finite floats with one row for each sample.

    Raises:
        MetricError: If it is not such a matrix, or has fewer than `at_least` rows.
    """
    x = np.asarray(x)
    if x.ndim != 2 or x.shape[1] == 0 or x.dtype.kind not in "fiu":
        raise MetricError(
            f"`{name}` must be a matrix of numbers with one row for each sample. "
            f"Received: {x.dtype} of shape {x.shape}"
        )
    if x.dtype not in (np.float32, np.float64):
        x = x.astype("float64" if x.dtype.kind in "iu" else "float32")
    if len(x) < at_least:
        raise MetricError(f"`{name}` must have at least {at_least} samples. Received: {len(x)}")
    bad = sum(int((~np.isfinite(part)).any(axis=1).sum()) for part in blocks(x, 4096))
    if bad:
        raise MetricError(
            f"`{name}` must be finite. Received: NaN or infinity in {bad} of {len(x)} samples"
        )
    return x


def real(x, at_least=2):
    """Return real features, checked as in `features`.

    Raises:
        MetricError: As in `features`, and if all samples are equal, so that no distance can be
            measured.
    """
    x = features("real", x, at_least)
    if (x[0] == x).all():
        raise MetricError(
            "`real` must not be constant: no feature tells one real sample from another. "
            f"Received: {len(x)} equal rows"
        )
    return x


def generated(x, width, at_least=2):
    """Return generated features, checked as in `features`.

    Raises:
        MetricError: As in `features`, and if they do not have `width` columns, as the real ones do.
    """
    x = features("generated", x, at_least)
    if x.shape[1] != width:
        raise MetricError(
            "`real` and `generated` must have the same number of features. "
            f"Received: {width} and {x.shape[1]}"
        )
    return x


def pair(first, second, at_least=2):
    """Return real and generated features, checked."""
    first = real(first, at_least)
    return first, generated(second, first.shape[1], at_least)


def images(name, x):
    """Return images as float32 NHWC in [-1, 1].

    Args:
        name: The argument's name in errors.
        x: Integers in 0..255 or floats in [-1, 1], `(n, height, width, channels)` with 1, 3 or 4
            channels.

    Raises:
        MetricError: If they are anything else.
    """
    x = np.asarray(x)
    if x.ndim != 4 or x.shape[-1] not in (1, 3, 4) or 0 in x.shape:
        raise MetricError(
            f"`{name}` must have the shape (n, height, width, 1, 3 or 4). Received: shape {x.shape}"
        )
    if x.dtype.kind not in "iuf":
        raise MetricError(f"`{name}` must be integers or floats. Received: dtype {x.dtype}")
    low, high = x.min(), x.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise MetricError(f"`{name}` must be finite. Received: NaN or infinite values")
    least, greatest = (-1, 1) if x.dtype.kind == "f" else (0, 255)
    if low < least - 1e-6 or high > greatest + 1e-6:
        kind = "floats in [-1, 1]" if x.dtype.kind == "f" else "integers in 0..255"
        raise MetricError(
            f"`{name}` must be {kind}. Received: {x.dtype} values {extent(low, high)}"
        )
    if x.dtype.kind == "f":
        return x.astype("float32", copy=False)
    return from_uint8(x.astype("uint8", copy=False))


def blocks(x, size):
    """Yield `x` in parts of at most `size` rows."""
    for start in range(0, len(x), size):
        yield x[start : start + size]
