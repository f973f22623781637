"""Precision, recall, density and coverage."""

import math
import typing

import numpy as np

from kerasgan import validation
from kerasgan.metrics import checks, distances


class PRDC(typing.NamedTuple):
    """The four scores; all are 1 for two equal sets.

    The neighbourhood of a sample is the ball up to its k-th nearest neighbour in its own set.

    Attributes:
        precision: Share of generated samples in the neighbourhood of a real one: the share that is
            realistic.
        recall: Share of real samples in the neighbourhood of a generated one: the share of the data
            that the generator imitates.
        density: Mean number of real neighbourhoods around a generated sample, divided by k.
        coverage: Share of real samples with a generated one in their neighbourhood.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def prdc(real, generated, k=5):
    """Return precision, recall, density and coverage.

    See `PRDC` for the neighbourhoods. The neighbourhood of a sample with k or more copies in its
    set contains only these copies.

    Args:
        real: Matrix `(n, d)`.
        generated: Matrix `(m, d)`.
        k: Number of neighbours.

    Raises:
        MetricError: If a set does not have more than `k` samples.

    Reference: Kynkäänniemi et al. 2019, https://arxiv.org/abs/1904.06991, for the first two;
        Naeem et al. 2020, https://arxiv.org/abs/2002.09797, for the others and for k = 5.
    """
    return Neighbourhoods(real, k).prdc(generated)


def coverage(real, generated, k=5):
    """Return only the coverage of `prdc`, which needs two matrices of distances, not three."""
    return Neighbourhoods(real, k).coverage(generated)


class Neighbourhoods:
    """Real samples with the radii of their neighbourhoods, for any number of generated sets.

    Args:
        real: Matrix `(n, d)`.
        k: Number of neighbours.
    """

    def __init__(self, real, k=5):
        validation.positive_integer("k", k)
        self.k = k
        real = checks.real(real, at_least=k + 1)
        self.centre = real.mean(axis=0, dtype="float64")
        self.real = distances.Points(real, self.centre)
        self.reach = distances.nearest(self.real, k)

    def prdc(self, generated):
        """Return the `PRDC` of generated features."""
        x, y = self.real, self._points(generated)
        least = distances.rounding(x, y)
        reach_x = np.maximum(self.reach, least)
        reach_y = np.maximum(distances.nearest(y, self.k), least)
        inside = np.zeros(len(y), "int64")  # Real neighbourhoods around each generated sample.
        recalled = covered = 0
        for part, block in x.to(y):
            reached = block < reach_x[part, None]
            inside += reached.sum(axis=0)
            covered += np.count_nonzero(reached.any(axis=1))
            recalled += np.count_nonzero((block < reach_y).any(axis=1))
        return PRDC(
            precision=float(np.mean(inside > 0)),
            recall=float(recalled / len(x)),
            density=float(np.mean(inside)) / self.k,
            coverage=float(covered / len(x)),
        )

    def coverage(self, generated):
        """Return the coverage of generated features."""
        x, y = self.real, self._points(generated)
        reach = np.maximum(self.reach, distances.rounding(x, y))
        covered = sum(np.count_nonzero(block.min(axis=1) < reach[part]) for part, block in x.to(y))
        return float(covered / len(x))

    def _points(self, generated):
        generated = checks.generated(generated, self.real.x.shape[1], at_least=self.k + 1)
        return distances.Points(generated, self.centre)


def expected_coverage(n, m, k=5):
    """Return the mean coverage of a perfect generator, for n real and m generated samples.

    Every order of the distances from a real sample is then equally likely.

    Reference: Naeem et al. 2020, https://arxiv.org/abs/2002.09797, section 3.3.
    """
    missed = math.prod((n - i) / (n + m - i) for i in range(1, k + 1))
    return 1 - missed
