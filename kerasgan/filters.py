"""Filters along one axis of images or feature maps, with zeros beyond the border.

A filter is a product with a band matrix, whose gradients are products too. A sum of shifted maps
has fewer multiplications, but each shift is an operation of its own: on CPUs with TensorFlow it
takes ten times as long, with PyTorch twice. Along an axis of more than 256 pixels it is the sum.
"""

import functools

import numpy as np
from keras import ops

LARGEST = 256  # Pixels along an axis that is filtered by a matrix.


def filtered(x, taps, axis, border, step=1):
    """Return `y[i] = sum of taps[k] x[step i + k - border]` along an axis.

    Args:
        x: A tensor with four axes.
        taps: The filter, a tuple.
        axis: An axis of height or width.
        border: Zeros that are added on both sides of the axis; so many values are left out where
            it is negative.
        step: 2 for every second value.
    """
    side = x.shape[axis]
    if side <= LARGEST:
        return _product(x, _matrix(side, taps, border, step), axis)
    length, before = side + 2 * border - len(taps) + 1, max(-border, 0)
    x = _padded(x, axis, max(border, 0), max(border, 0))
    return sum(tap * _part(x, axis, before + k, length, step) for k, tap in enumerate(taps))


def doubled(x, taps, axis, border):
    """Return twice as many values: what the transpose of `filtered` with step 2 makes of them."""
    side = x.shape[axis]
    if side <= LARGEST:
        return _product(x, _matrix(2 * side, taps, border, 2).T, axis)
    parts = []
    for first in (0, 1):  # Value 2 i + first has the taps of its own parity.
        own = taps[(first + border) % 2 :: 2][::-1]
        after = (first + border) // 2
        wide = _padded(x, axis, len(own) - 1 - after, after)
        parts.append(sum(tap * _part(wide, axis, k, side, 1) for k, tap in enumerate(own)))
    both = ops.stack(parts, axis=axis + 1)
    return ops.reshape(both, (-1, *x.shape[1:axis], 2 * side, *x.shape[axis + 1 :]))


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


def _product(x, matrix, axis):
    """Return the product of a matrix with all vectors along an axis."""
    if axis == 3:
        return ops.matmul(x, ops.convert_to_tensor(matrix.T, x.dtype))
    matrix = ops.convert_to_tensor(matrix, x.dtype)
    if axis == 2:
        return ops.matmul(matrix, x)
    _, height, width, depth = x.shape
    rows = ops.matmul(matrix, ops.reshape(x, (-1, height, width * depth)))
    return ops.reshape(rows, (-1, matrix.shape[0], width, depth))


def _padded(x, axis, before, after):
    return ops.pad(x, [(before, after) if i == axis else (0, 0) for i in range(4)])


def _part(x, axis, first, length, step):
    return x[(slice(None),) * axis + (slice(first, first + length, step),)]
