"""The number of statistically different bins."""

import statistics
import typing

import numpy as np

from kerasgan import validation
from kerasgan.metrics import checks, clusters, divergences


class NDB(typing.NamedTuple):
    """How differently two sets of samples fill the cells of a partition.

    Attributes:
        bins: Share of the cells in which the two sets differ significantly: `NDB / K`.
        js: Jensen-Shannon divergence between the two histograms, in nats.
    """

    bins: float
    js: float


def ndb(real, generated, k=100, alpha=0.05, seed=0):
    """Return the share of cells that two sets fill differently, and the divergence.

    The cells are found by k-means on the real samples. A two-proportion z-test decides for each
    cell whether the shares of the two sets differ. For two sets of one distribution this happens in
    about `alpha` of the cells, or in fewer, because the cells were fitted to one of the sets.

    Args:
        real: Matrix `(n, d)`.
        generated: Matrix `(m, d)`.
        k: Number of cells.
        alpha: Significance level of the test.
        seed: Seed of k-means.

    Raises:
        MetricError: If a set has fewer than `10 * k` samples, too few for the test.

    Reference: Richardson and Weiss 2018, https://arxiv.org/abs/1805.12462.
    """
    validation.positive_integer("k", k)
    validation.fraction("alpha", alpha)
    real = checks.real(real, at_least=10 * k)
    generated = checks.generated(generated, real.shape[1], at_least=10 * k)
    cells = clusters.Cells(real, k, seed)
    return compare(cells.counts, cells.count(generated), alpha)


def compare(first, second, alpha=0.05):
    """Return the `NDB` of two histograms of counts."""
    return NDB(float(np.mean(different(first, second, alpha))), divergences.js(first, second))


def different(first, second, alpha=0.05):
    """Return for each cell whether two histograms differ significantly, bools `(k,)`."""
    n, m = first.sum(), second.sum()
    p, q = first / n, second / m
    pooled = (first + second) / (n + m)
    error = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    threshold = statistics.NormalDist().inv_cdf(1 - alpha / 2)
    return np.abs(p - q) > threshold * error
