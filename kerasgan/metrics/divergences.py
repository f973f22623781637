"""Divergences between histograms and between samples, in nats."""

import math

import numpy as np

from kerasgan import validation
from kerasgan.metrics import checks


def kl(p, q):
    """Return the Kullback-Leibler divergence `sum p log (p / q)`.

    It is infinite if `q` is 0 in a bin where `p` is not.

    Args:
        p: Counts or probabilities `(k,)`; they are scaled to the sum 1.
        q: The same.
    """
    p, q = _histograms(p, q)
    filled = p > 0
    if (q[filled] == 0).any():
        return math.inf
    return max(0.0, float(np.sum(p[filled] * np.log(p[filled] / q[filled]))))


def js(p, q):
    """Return the Jensen-Shannon divergence, from 0 to log 2 (if the two share no bin)."""
    p, q = _histograms(p, q)
    middle = (p + q) / 2
    return min(math.log(2), (kl(p, middle) + kl(q, middle)) / 2)


def wasserstein_1(p, q, positions=None):
    """Return the Wasserstein-1 distance between two histograms on a line.

    Args:
        p: Counts or probabilities `(k,)`; they are scaled to the sum 1.
        q: The same.
        positions: Increasing positions of the bins, `(k,)`; by default 0, 1, 2, ...
    """
    p, q = _histograms(p, q)
    at = np.arange(len(p)) if positions is None else np.asarray(positions, "float64")
    if at.shape != p.shape or not (np.diff(at) > 0).all():
        raise checks.MetricError(
            f"`positions` must be {len(p)} increasing numbers. Received: {positions!r}"
        )
    return float(np.sum(np.abs(np.cumsum(p - q))[:-1] * np.diff(at)))


def histograms(x, y, bins=50):
    """Return the counts of two samples of numbers in the same bins, and the bins' middles.

    Args:
        x: Numbers `(n,)`.
        y: Numbers `(m,)`.
        bins: Number of bins of equal width over the range of both samples.
    """
    validation.positive_integer("bins", bins)
    x, y = _numbers(x, y)
    edges = np.linspace(min(x.min(), y.min()), max(x.max(), y.max()), bins + 1)
    counts = [np.histogram(values, edges)[0] for values in (x, y)]
    return *counts, (edges[1:] + edges[:-1]) / 2


def wasserstein_1_of_samples(x, y):
    """Return the Wasserstein-1 distance between two samples of numbers, exactly.

    It is the area between their distribution functions; the samples are not binned.
    """
    x, y = (np.sort(values) for values in _numbers(x, y))
    every = np.sort(np.concatenate([x, y]))
    below = [np.searchsorted(v, every[:-1], side="right") / len(v) for v in (x, y)]
    return float(np.sum(np.abs(below[0] - below[1]) * np.diff(every)))


def sliced_wasserstein_1(x, y, projections=128, seed=0):
    """Return the mean Wasserstein-1 distance along random directions.

    Args:
        x: Matrix `(n, d)`.
        y: Matrix `(m, d)`.
        projections: Number of directions, uniform on the sphere.
        seed: Seed of the directions.
    """
    validation.positive_integer("projections", projections)
    x, y = checks.pair(x, y)
    directions = np.random.default_rng(seed).standard_normal((x.shape[1], projections))
    directions /= np.linalg.norm(directions, axis=0)
    return float(
        np.mean(
            [
                wasserstein_1_of_samples(a, b)
                for a, b in zip((x @ directions).T, (y @ directions).T, strict=True)
            ]
        )
    )


def _histograms(p, q):
    p, q = np.asarray(p, "float64"), np.asarray(q, "float64")
    for name, x in (("p", p), ("q", q)):
        if x.ndim != 1 or not np.isfinite(x).all() or (x < 0).any() or x.sum() == 0:
            raise checks.MetricError(
                f"`{name}` must be non-negative numbers with a positive sum. Received: {x}"
            )
    if len(p) != len(q):
        raise checks.MetricError(
            f"`p` and `q` must have the same number of bins. Received: {len(p)} and {len(q)}"
        )
    return p / p.sum(), q / q.sum()


def _numbers(x, y):
    x, y = np.asarray(x, "float64"), np.asarray(y, "float64")
    for name, values in (("x", x), ("y", y)):
        if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
            raise checks.MetricError(
                f"`{name}` must be finite numbers, (n,). Received: shape {values.shape}"
            )
    return x, y
