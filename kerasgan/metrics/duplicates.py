"""Duplicates: their rate, and how many different samples the generator can have."""

import math
import typing

import numpy as np

from kerasgan import validation
from kerasgan.metrics import checks, distances

QUANTILE = 0.01


class Support(typing.NamedTuple):
    """An estimate of how many different samples there are.

    Attributes:
        size: `n (n - 1) / 2` over one more than the pairs of duplicates: unbiased in the mean, and
            without any pair the greatest that n samples can tell.
        at_least: Whether there was no pair, so that the support may be larger.
        pairs: Pairs of duplicates found.
    """

    size: float
    at_least: bool
    pairs: int


def threshold(real, quantile=QUANTILE):
    """Return the distance below which a sample counts as a duplicate.

    Fewer than `quantile` of the real samples have a neighbour so near. It falls with the number
    of real samples, so take as many as there are generated ones.
    """
    validation.fraction("quantile", quantile)
    (x,) = distances.points(checks.features("real", real, at_least=100))
    limit = float(np.quantile(distances.nearest(x), quantile))
    return math.sqrt(max(limit, distances.rounding(x)))


def duplicate_rate(real, generated, quantile=QUANTILE):
    """Return the share of generated samples with a duplicate among the generated ones.

    A duplicate is nearer than `threshold`, which is measured on as many real samples: the rate of
    real samples is `quantile` by construction.

    Args:
        real: Matrix `(n, d)` with n at least m.
        generated: Matrix `(m, d)`.
        quantile: See `threshold`.

    Raises:
        MetricError: If there are fewer than 100 samples, or fewer real ones than generated.
    """
    real, generated = _equally_many(real, generated)
    return rate_within(generated, threshold(real, quantile))


def rate_within(generated, limit):
    """Return `duplicate_rate`, given what `threshold` found."""
    (y,) = distances.points(generated)
    return float(np.mean(distances.nearest(y) <= _squared(limit, y)))


def support_size(real, generated, quantile=QUANTILE):
    """Return how many different samples the generator seems to have: the birthday paradox.

    Among n draws from a uniform support of size s there are about `n (n - 1) / (2 s)` pairs of
    equal ones. The paper looks at the nearest pairs by eye; here a pair is one of duplicates if
    it is nearer than all but `quantile` of the real samples' nearest neighbours, which makes the
    estimate repeatable and only roughly a number of images.

    Args:
        real: Matrix `(n, d)` with n at least m.
        generated: Matrix `(m, d)`.
        quantile: See `threshold`.

    Returns:
        A `Support`.

    Reference: Arora and Zhang 2017, https://arxiv.org/abs/1706.08224.
    """
    real, generated = _equally_many(real, generated)
    return support_within(generated, threshold(real, quantile))


def support_within(generated, limit):
    """Return `support_size`, given what `threshold` found."""
    (y,) = distances.points(generated)
    found = 0
    for part, block in y.to(y):
        rows = np.arange(part.stop - part.start)
        block[rows, part.start + rows] = np.inf
        found += int(np.count_nonzero(block <= _squared(limit, y)))
    every = len(y) * (len(y) - 1) / 2
    return Support(every / (found // 2 + 1), found == 0, found // 2)


def _squared(limit, y):
    """Return the limit's square, and no less than what rounding makes of equal points."""
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
