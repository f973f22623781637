"""Filters along the height and width of images or feature maps, with zeros beyond the border.

A filter is a sum of shifted maps, or a product with a band matrix, whose gradients are products
too. Which is faster depends on the backend and on the length of the axis: XLA makes one loop of a
sum, and elsewhere each shift is an operation of its own.
"""

import functools

import numpy as np
from keras import ops

from kerasgan.backend import LONGEST_PRODUCT


def axes(data_format):
    """Return the axes of height and width."""
    return (1, 2) if data_format == "channels_last" else (2, 3)


def filtered(x, taps, border, step=1, data_format="channels_last"):
    """Return `y[i] = sum of taps[k] x[step i + k - border]` along height and width.

    Args:
        x: Images or feature maps.
        taps: The filter, a tuple.
        border: Zeros that are added on each side; so many values are left out where it is negative.
        step: 2 for every second value.
        data_format: "channels_last" or "channels_first".
    """

    def matrix(side):
        return _matrix(side, taps, border, step)

    def shifted(x, axis):
        length, first = x.shape[axis] + 2 * border - len(taps) + 1, max(-border, 0)
        x = _padded(x, axis, max(border, 0), max(border, 0))
        return sum(tap * _part(x, axis, first + k, length, step) for k, tap in enumerate(taps))

    return _along_both(x, matrix, shifted, data_format)


def doubled(x, taps, data_format="channels_last"):
    """Return twice as many values: what the transpose of `filtered` with step 2 makes of them.

    Args:
        x: Images or feature maps.
        taps: The filter, a tuple of an even number; it lies evenly about each two new values.
        data_format: "channels_last" or "channels_first".
    """
    border = len(taps) // 2 - 1

    def matrix(side):
        return _matrix(2 * side, taps, border, 2).T

    def shifted(x, axis):
        parts, side = [], x.shape[axis]
        for first in (0, 1):  # Value 2 i + first has the taps of its own parity.
            own = taps[(first + border) % 2 :: 2][::-1]
            after = (first + border) // 2
            wide = _padded(x, axis, len(own) - 1 - after, after)
            parts.append(sum(tap * _part(wide, axis, k, side, 1) for k, tap in enumerate(own)))
        both = ops.stack(parts, axis=axis + 1)
        return ops.reshape(both, (-1, *x.shape[1:axis], 2 * side, *x.shape[axis + 1 :]))

    return _along_both(x, matrix, shifted, data_format)


def _along_both(x, matrix, shifted, data_format):
    """Return what a filter makes of both axes, as a product or as a sum."""
    if max(x.shape[axis] for axis in axes(data_format)) > LONGEST_PRODUCT:
        for axis in axes(data_format):
            x = shifted(x, axis)
        return x
    first = data_format == "channels_first"
    # PyTorch keeps maps of either format in the order of this one.
    x = ops.transpose(x, (0, 2, 3, 1)) if first else x
    _, height, width, depth = x.shape
    x = ops.reshape(x, (-1, height, width * depth))
    x = ops.matmul(ops.convert_to_tensor(matrix(height), x.dtype), x)
    x = ops.reshape(x, (-1, x.shape[1], width, depth))
    x = ops.matmul(ops.convert_to_tensor(matrix(width), x.dtype), x)
    return ops.transpose(x, (0, 3, 1, 2)) if first else x


@functools.cache
def _matrix(side, taps, border, step):
    rows = (side + 2 * border - len(taps)) // step + 1
    found = np.zeros((rows, side), "float32")
    for row in range(rows):
        first = step * row - border
        for k, tap in enumerate(taps):
            if 0 <= first + k < side:
                found[row, first + k] = tap
    return found


def _padded(x, axis, before, after):
    return ops.pad(x, [(before, after) if i == axis else (0, 0) for i in range(4)])


def _part(x, axis, first, length, step):
    return x[(slice(None),) * axis + (slice(first, first + length, step),)]
