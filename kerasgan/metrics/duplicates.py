"""Duplicates: their rate, and an estimate of the number of different samples."""

import math
import typing

import numpy as np

from kerasgan import validation
from kerasgan.metrics import checks, distances

QUANTILE = 0.01


class Support(typing.NamedTuple):
    """An estimate of how many different samples there are.

    Attributes:
        size: `n (n - 1) / 2` divided by one more than `pairs`, which makes its mean right. Without
            any pair this is the greatest size that n samples can show.
        at_least: Whether no pair was found, so that the support may be larger.
        pairs: Number of pairs of duplicates found.
    """

    size: float
    at_least: bool
    pairs: int


def threshold(real, quantile=QUANTILE):
    """Return the distance below which a sample counts as a duplicate.

    Only the share `quantile` of the real samples has a neighbour within this distance. The distance
    falls with the number of real samples, so use as many as there are generated ones.
    """
    validation.fraction("quantile", quantile)
    (x,) = distances.points(checks.features("real", real, at_least=100))
    limit = float(np.quantile(distances.nearest(x), quantile))
    return math.sqrt(max(limit, distances.rounding(x)))


def duplicate_rate(real, generated, quantile=QUANTILE):
    """Return the share of generated samples with a duplicate among the generated ones.

    The distance to a duplicate is below `threshold`, which is measured on as many real samples. So
    the rate of real samples is `quantile`.

    Args:
        real: Matrix `(n, d)` with `n >= m`.
        generated: Matrix `(m, d)`.
        quantile: See `threshold`.

    Raises:
        MetricError: If there are fewer than 100 samples, or fewer real ones than generated.
    """
    real, generated = _equally_many(real, generated)
    return rate_within(generated, threshold(real, quantile))


def rate_within(generated, limit):
    """Return `duplicate_rate`, given the distance that `threshold` returned."""
    (y,) = distances.points(generated)
    return float(np.mean(distances.nearest(y) <= _squared(limit, y)))


def support_size(real, generated, quantile=QUANTILE):
    """Estimate how many different samples the generator has, by the birthday paradox.

    Among n samples of a uniform distribution over s values there are about `n (n - 1) / (2 s)`
    equal pairs. The authors inspect the nearest pairs by eye. Here a pair counts as duplicates if
    its distance is below `threshold`. This makes the estimate repeatable, but it is only roughly a
    number of images.

    Args:
        real: Matrix `(n, d)` with `n >= m`.
        generated: Matrix `(m, d)`.
        quantile: See `threshold`.

    Returns:
        A `Support`.

    Reference: Arora and Zhang 2017, https://arxiv.org/abs/1706.08224.
    """
    real, generated = _equally_many(real, generated)
    return support_within(generated, threshold(real, quantile))


def support_within(generated, limit):
    """Return `support_size`, given the distance that `threshold` returned."""
    (y,) = distances.points(generated)
    found = 0
    for part, block in y.to(y):
        rows = np.arange(part.stop - part.start)
        block[rows, part.start + rows] = np.inf
        found += int(np.count_nonzero(block <= _squared(limit, y)))
    every = len(y) * (len(y) - 1) / 2
    return Support(every / (found // 2 + 1), found == 0, found // 2)


def _squared(limit, y):
    """Return the square of the limit, but at least the distance that rounding can cause."""
    return max(limit**2, distances.rounding(y))


def _equally_many(real, generated):
    real, generated = checks.pair(real, generated, at_least=100)
    if len(real) < len(generated):
        raise checks.MetricError(
            "`real` must have at least as many samples as `generated`, since the distance that "
            f"makes a duplicate depends on it. Received: {len(real)} and {len(generated)}"
        )
    rows = np.random.default_rng(0).permutation(len(real))[: len(generated)]
    return real[rows], generated
