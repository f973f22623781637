"""ADA's filtering of images, noise and cutout."""

import functools

import numpy as np
from keras import ops

from kerasgan.augment import pixels

# The low-pass filter of the wavelet symlet 2, as tables of wavelets have it.
SYMLET_2 = (-0.12940952255092145, 0.22414386804185735, 0.836516303737469, 0.48296291314469025)
BANDS = 4  # From low to high frequencies: below a sixteenth of the sampling rate, and so on.
POWER = np.array([10, 1, 1, 1], "float32") / 13  # Of each band in photographs, as it is expected.
STRENGTH, NOISE, CUTOUT = 1.0, 0.1, 0.5  # Of the gains' logarithms (base 2), of noise, of a side.


@functools.cache
def filters():
    """Return a filter for each band of frequencies, `(BANDS, taps)`; their sum is the identity."""
    low = np.array(SYMLET_2)
    high = low * np.array([1, -1, 1, -1])
    both = [np.convolve(one, one[::-1]) / 2 for one in (low, high)]
    found = np.eye(BANDS, 1)
    for i in range(1, BANDS):
        wide = np.zeros((BANDS, 2 * found.shape[1] - 1))
        wide[:, ::2] = found
        found = np.stack([np.convolve(row, both[0]) for row in wide])
        start = (found.shape[1] - len(both[1])) // 2
        found[i, start : start + len(both[1])] += both[1]
    return found.astype("float32")


@functools.cache
def _products(side):
    """Return the filters as matrices `(BANDS, side, side)`, of sides reflected at their ends."""
    bank = filters()
    reach = bank.shape[1] // 2
    period = max(2 * (side - 1), 1)
    found = np.zeros((BANDS, side, side), "float32")
    for place in range(side):
        for tap in range(-reach, reach + 1):
            taken = abs(place + tap) % period
            found[:, place, min(taken, period - taken)] += bank[:, tap + reach]
    return found


def filtered(images, noise, p):
    """Return images whose bands of frequencies are amplified, each with the probability `p`."""
    u, z = noise("uniform", BANDS), noise("normal", BANDS)
    amplified = ops.where(u < p, 2.0 ** (STRENGTH * z), 1.0)
    return with_gains(images, gains(amplified))


def gains(amplified):
    """Return a gain for each band `(n, BANDS)`, given how much each alone is amplified.

    One band after the other is amplified, and all are scaled so that the power of an image as it is
    expected stays the same.
    """
    found = 1.0
    expected = ops.convert_to_tensor(POWER)
    for band in range(BANDS):
        alone = ops.convert_to_tensor(np.eye(BANDS, dtype="float32")[band])
        one = amplified[:, band : band + 1] * alone + (1.0 - alone)
        power = ops.sum(expected * ops.square(one), axis=1, keepdims=True)
        found = found * one * ops.rsqrt(power)
    return found


def with_gains(images, gains):
    """Return images each of whose bands is multiplied by its gain, `(n, BANDS)`."""
    _, height, width, channels = images.shape
    rows, columns = (
        ops.reshape(
            ops.matmul(gains, ops.reshape(ops.convert_to_tensor(_products(side)), (BANDS, -1))),
            (-1, side, side),
        )
        for side in (height, width)
    )
    x = ops.matmul(rows, ops.reshape(images, (-1, height, width * channels)))
    x = ops.transpose(ops.reshape(x, (-1, height, width, channels)), (0, 2, 1, 3))
    x = ops.matmul(columns, ops.reshape(x, (-1, width, height * channels)))
    return ops.transpose(ops.reshape(x, (-1, width, height, channels)), (0, 2, 1, 3))


def noisy(images, noise, p):
    """Return images with noise whose strength is |N(0, 0.1^2)|, each with the probability `p`."""
    images, alpha = pixels.colours(images)
    strength = NOISE * ops.abs(noise("normal", 1)[:, 0])
    strength = ops.where(noise("uniform", 1)[:, 0] < p, strength, 0.0)
    found = images + pixels.each(strength) * noise("normal", *images.shape[1:])
    return pixels.with_alpha(found, alpha)


def cut(images, noise, p):
    """Return images without a rectangle of half of each side, each with the probability `p`."""
    happens, down, across = ops.unstack(noise("uniform", 3), 3, axis=1)
    size = ops.where(happens < p, CUTOUT, 0.0)
    return without_rectangle(images, size, down, across)


def without_rectangle(images, size, down, across):
    """Return images with zeros in a rectangle.

    Args:
        images: Images `(n, height, width, channels)`.
        size: Its sides as shares of the image's, `(n,)`.
        down: Where its middle is, from 0 at the top to 1, `(n,)`.
        across: The same from left to right.
    """
    _, height, width, _ = images.shape
    kept = [
        ops.abs((ops.arange(side, dtype="float32") + 0.5) / side - middle[:, None])
        >= size[:, None] / 2
        for side, middle in ((height, down), (width, across))
    ]
    mask = ops.logical_or(kept[0][:, :, None, None], kept[1][:, None, :, None])
    return images * ops.cast(mask, "float32")
