"""Random numbers computed from a seed for each image and a place in it, the same on every backend.

Each number is a hash of its image's seed, the number of the draw and its place in the image, so
that neither the backend nor the size of the batch changes it. The hash is that of C. Wellons,
https://nullprogram.com/blog/2018/07/31/ (lowbias32), in int32 arithmetic, which wraps around on
every backend.
"""

import math

from keras import ops


def normal(seeds, shape, draw, mean=0.0, stddev=1.0):
    """Return normal numbers of a shape; see `uniform`."""
    u = uniform(seeds, shape, draw)
    return mean + stddev * math.sqrt(2.0) * ops.erfinv(2.0 * u - 1.0)


def truncated_normal(seeds, shape, draw, mean=0.0, stddev=1.0):
    """Return normal numbers within two standard deviations; see `uniform`."""
    edge = math.erf(math.sqrt(2.0))
    u = uniform(seeds, shape, draw)
    return mean + stddev * math.sqrt(2.0) * ops.erfinv(edge * (2.0 * u - 1.0))


def uniform(seeds, shape, draw, minval=0.0, maxval=1.0):
    """Return uniform numbers of a shape whose first axis is that of the seeds, float32.

    Args:
        seeds: int32 of shape `(batch_size,)`.
        shape: `(batch_size, ...)`; a shape without that first axis gets one set of numbers for the
            whole batch.
        draw: The number of the draw, so that two draws differ.
        minval: Lower bound.
        maxval: Upper bound, excluded.
    """
    of_batch = len(shape) > 0 and not _differs(shape[0], seeds.shape[0])
    rest = [int(n) for n in (shape[1:] if of_batch else shape)]
    places = ops.arange(math.prod(rest), dtype="int32")
    own = ops.reshape(seeds, (-1, 1)) if of_batch else ops.zeros((1, 1), "int32")
    key = _mixed(own + _signed(0x9E3779B9 * (draw + 1)))
    bits = _mixed(key + _signed(0x85EBCA6B) * ops.reshape(places, (1, -1)))
    # 23 bits, so that the middle of each step is exact in float32 and never 0 or 1.
    fractions = (ops.cast(_shifted(bits, 9), "float32") + 0.5) / 2.0**23
    numbers = minval + (maxval - minval) * fractions
    return ops.reshape(numbers, (-1, *rest) if of_batch else tuple(rest))


def _differs(rows, images):
    return isinstance(rows, int) and isinstance(images, int) and rows != images


def _mixed(x):
    x = ops.bitwise_xor(x, _shifted(x, 16))
    x = x * _signed(0x7FEB352D)
    x = ops.bitwise_xor(x, _shifted(x, 15))
    x = x * _signed(0x846CA68B)
    return ops.bitwise_xor(x, _shifted(x, 16))


def _shifted(x, bits):
    """Return `x` shifted to the right, zeros coming in; int32 shifts bring the sign in."""
    return ops.bitwise_and(ops.right_shift(x, bits), (1 << (32 - bits)) - 1)


def _signed(number):
    """Return the int32 whose bits are the lowest 32 of a number."""
    return (number + 2**31) % 2**32 - 2**31
