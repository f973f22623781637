"""Images at other positions, filtered against aliasing at twice the resolution, as ADA has it."""

import numpy as np
from keras import ops

from kerasgan import filters
from kerasgan.augment import pixels

# The low-pass filter of the wavelet symlet 6, as tables of wavelets have it.
SYMLET_6 = (
    0.015404109327027373, 0.0034907120842174702, -0.11799011114819057, -0.048311742585633,
    0.4910559419267466, 0.787641141030194, 0.3379294217276218, -0.07263752278646252,
    -0.021060292512300564, 0.04472490177066578, 0.0017677118642428036, -0.007800708325034148,
)  # fmt: skip
TAPS = tuple(tap / sum(SYMLET_6) for tap in SYMLET_6)
TWICE = tuple(2 * tap for tap in TAPS)  # Of every two pixels one is not there before it.
MARGIN = len(TAPS) // 4  # Pixels around the image that the last filter reads.


def grid(images):
    """Return the x and y of the positions from which `sample` makes a pixel, two to a pixel."""
    _, height, width, _ = images.shape

    def line(side):
        count = 2 * (side + 2 * MARGIN)
        return (ops.arange(count, dtype="float32") - (count - 1) / 2 + 0.5) / 2

    return line(width)[None, None, :], line(height)[None, :, None]


def sample(images, x, y):
    """Return the images at positions.

    Beyond its borders an image is reflected once, without repeating the border pixel, and beyond
    that it is 0. It is then doubled by the filter, read bilinearly, filtered again and halved.

    Args:
        images: Images `(batch_size, height, width, channels)`.
        x: Positions to the right of the middle in pixels, of the shape that `grid` returns.
        y: The same downwards.
    """
    for axis in (1, 2):
        last = images.shape[axis] - 1
        reflected = last - np.abs(last - np.abs(np.arange(-last, 2 * last + 1)))
        images = ops.take(images, reflected, axis)
    double = filters.doubled(images, TWICE)
    read = _read(double, 2 * x - 0.5, 2 * y - 0.5)
    return filters.filtered(read, TAPS, -1, step=2)


def _read(images, x, y):
    """Return images at positions in pixels from their middle, bilinear, and 0 outside."""
    _, height, width, _ = images.shape
    x, y = x + (width - 1) / 2, y + (height - 1) / 2
    left, top = ops.floor(x), ops.floor(y)
    found = 0.0
    for down in (0.0, 1.0):
        for across in (0.0, 1.0):
            column, row = left + across, top + down
            weight = (1.0 - ops.abs(x - column)) * (1.0 - ops.abs(y - row))
            inside = ops.logical_and(
                ops.logical_and(column >= 0, column < width),
                ops.logical_and(row >= 0, row < height),
            )
            weight = ops.where(inside, weight, 0.0)[..., None]
            rows = ops.cast(ops.clip(row, 0, height - 1), "int32")
            columns = ops.cast(ops.clip(column, 0, width - 1), "int32")
            found = found + weight * pixels.take(images, rows, columns)
    return found
