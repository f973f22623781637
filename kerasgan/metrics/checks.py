"""What every metric asks of its arrays."""

import numpy as np

from kerasgan.data import from_uint8


class MetricError(ValueError):
    """Arrays that cannot be measured; the message names the rule and what was received."""


def features(name, x, at_least=2):
    """Return `x` as a matrix of finite floats, one row a sample.

    Raises:
        MetricError: If it is no such matrix, or has fewer than `at_least` rows.
    """
    x = np.asarray(x)
    if x.ndim != 2 or x.shape[1] == 0 or x.dtype.kind not in "fiu":
        raise MetricError(
            f"`{name}` must be a matrix of numbers, one row a sample. "
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


def pair(real, generated, at_least=2):
    """Return both matrices, checked, of one width and one dtype.

    Raises:
        MetricError: Also if all real samples are equal: there is nothing to measure against.
    """
    real = features("real", real, at_least)
    generated = features("generated", generated, at_least)
    if real.shape[1] != generated.shape[1]:
        raise MetricError(
            "`real` and `generated` must have the same number of features. "
            f"Received: {real.shape[1]} and {generated.shape[1]}"
        )
    if (real[0] == real).all():
        raise MetricError(
            "`real` must not be constant: no feature tells one real sample from another. "
            f"Received: {len(real)} equal rows"
        )
    dtype = np.result_type(real, generated)
    return real.astype(dtype, copy=False), generated.astype(dtype, copy=False)


def images(name, x):
    """Return images as float32 NHWC in [-1, 1].

    Args:
        name: What the error calls them.
        x: Integers in 0..255 or floats in [-1, 1], `(n, height, width, 1 or 3)`.

    Raises:
        MetricError: If they are anything else.
    """
    x = np.asarray(x)
    if x.ndim != 4 or x.shape[-1] not in (1, 3) or 0 in x.shape:
        raise MetricError(
            f"`{name}` must have the shape (n, height, width, 1 or 3). Received: shape {x.shape}"
        )
    if x.dtype.kind not in "iuf":
        raise MetricError(f"`{name}` must be integers or floats. Received: dtype {x.dtype}")
    low, high = x.min(), x.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise MetricError(f"`{name}` must be finite. Received: NaN or infinite values")
    least, greatest = (-1, 1) if x.dtype.kind == "f" else (0, 255)
    if low < least - 1e-6 or high > greatest + 1e-6:
        kind = "floats in [-1, 1]" if x.dtype.kind == "f" else "integers in 0..255"
        raise MetricError(f"`{name}` must be {kind}. Received: {x.dtype} from {low:g} to {high:g}")
    if x.dtype.kind == "f":
        return x.astype("float32", copy=False)
    return from_uint8(x.astype("uint8", copy=False))


def blocks(x, size):
    """Yield `x` in parts of at most `size` rows."""
    for start in range(0, len(x), size):
        yield x[start : start + size]
