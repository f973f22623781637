"""Random numbers computed from a seed for each image and a place in it, the same on every backend.

Each number is a hash of its image's seed, the number of the draw and its place in the image, so
that neither the backend nor the size of the batch changes it. The hash is that of C. Wellons,
https://nullprogram.com/blog/2018/07/31/ (lowbias32), in int32 arithmetic, which wraps around on
every backend.
"""

import itertools
import math

import keras
from keras import ops


class CounterNoise:
    """Draws for a batch of images, each of which has a seed.

    The methods have the arguments of the functions of `keras.random`. A draw whose first axis is
    that of the batch has numbers of its own for each image; any other is shared by the batch. In a
    batch of one image a first axis of 1 is that of the batch. The argument `seed` is ignored.

    Args:
        seeds: int32 of shape `(batch_size,)`.
        shared: The int32 seed of what is drawn for the batch as a whole.
    """

    def __init__(self, seeds, shared):
        self.seeds = seeds
        self.shared = shared
        self.draws = itertools.count()  # So that two draws differ.

    def uniform(self, shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
        return _cast(minval + (maxval - minval) * self._fractions(shape), dtype)

    def normal(self, shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
        u = 2.0 * self._fractions(shape) - 1.0
        return _cast(mean + stddev * math.sqrt(2.0) * ops.erfinv(u), dtype)

    def truncated_normal(self, shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
        u = math.erf(math.sqrt(2.0)) * (2.0 * self._fractions(shape) - 1.0)
        return _cast(mean + stddev * math.sqrt(2.0) * ops.erfinv(u), dtype)

    def randint(self, shape, minval, maxval, dtype="int32", seed=None):
        span = maxval - minval
        below = ops.floor(span * self._fractions(shape))
        return _cast(minval + ops.minimum(below, span - 1), dtype)  # Rounding may reach the end.

    def categorical(self, logits, num_samples, dtype="int32", seed=None):
        # The largest of the logits with Gumbel noise is distributed as their softmax says.
        rows, classes = ops.shape(logits)
        u = self._fractions((rows, num_samples, classes))
        noisy = ops.expand_dims(ops.cast(logits, "float32"), 1) - ops.log(-ops.log(u))
        return _cast(ops.argmax(noisy, axis=-1), dtype)

    def dropout(self, inputs, rate, noise_shape=None, seed=None):
        shape = ops.shape(inputs)
        given = noise_shape or (None,) * len(shape)
        shape = [n if own is None else own for n, own in zip(shape, given, strict=True)]
        kept = ops.cast(self._fractions(shape) >= rate, inputs.dtype)
        return inputs * kept / (1.0 - rate) if rate < 1.0 else ops.zeros_like(inputs)

    def _fractions(self, shape):
        """Return numbers uniform in (0, 1), float32."""
        rows, *rest = shape if len(shape) else (1,)
        own = not isinstance(rows, int) or rows == self.seeds.shape[0]
        rest = [int(n) for n in (rest if own else shape)]
        places = ops.arange(math.prod(rest), dtype="int32")
        seeds = ops.reshape(self.seeds if own else self.shared, (-1, 1))
        key = _mixed(seeds + _signed(0x9E3779B9 * (next(self.draws) + 1)))
        bits = _mixed(key + _signed(0x85EBCA6B) * ops.reshape(places, (1, -1)))
        # 23 bits, so that the middle of each step is exact in float32 and never 0 or 1.
        fractions = (ops.cast(_shifted(bits, 9), "float32") + 0.5) / 2.0**23
        return ops.reshape(fractions, (-1, *rest) if own else rest)


def _cast(numbers, dtype):
    return ops.cast(numbers, keras.backend.standardize_dtype(dtype or keras.config.floatx()))


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
