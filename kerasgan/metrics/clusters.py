"""k-means: a partition of the real samples into cells."""

import numpy as np

from kerasgan import validation
from kerasgan.metrics import checks, distances


def kmeans(x, k, seed=0, iterations=50):
    """Return centres `(k, d)` by Lloyd's iterations from k-means++ seeds.

    Args:
        x: Matrix `(n, d)` with at least `k` different rows.
        k: Number of cells.
        seed: Seed of the initial centres.
        iterations: Greatest number of iterations.

    Reference: Arthur and Vassilvitskii 2007, for k-means++.
    """
    validation.positive_integer("k", k)
    x = checks.features("x", x, at_least=k)
    middle = x.mean(axis=0, dtype="float64")
    samples = distances.Points(x, middle)
    centres = _seeds(samples, k, np.random.default_rng(seed))
    before = None
    for _ in range(iterations):
        cells, squares = _nearest(samples, distances.Points(centres, 0.0))
        if before is not None and (cells == before).all():
            break
        before = cells
        counts, sums = np.bincount(cells, minlength=k), np.zeros((k, x.shape[1]))
        for start in range(0, len(x), 4096):
            part = slice(start, start + 4096)
            sums += (np.arange(k)[:, None] == cells[part]).astype("float32") @ samples.x[part]
        centres = (sums / np.maximum(counts, 1)[:, None]).astype("float32")
        # An empty cell moves to one of the samples that are farthest from their centres.
        empty = np.flatnonzero(counts == 0)
        centres[empty] = samples.x[np.argsort(squares)[::-1][: len(empty)]]
    return (centres + middle).astype("float32")


class Cells:
    """A partition of the real samples, with the number of them in each cell.

    Args:
        real: Matrix `(n, d)`.
        k: Number of cells.
        seed: Seed of k-means.

    Attributes:
        centres: `(k, d)`.
        counts: Number of real samples in each cell, `(k,)`.
    """

    def __init__(self, real, k, seed=0):
        real = checks.real(real, at_least=k)
        self.centres = kmeans(real, k, seed)
        self.counts = shares(real, self.centres)

    def count(self, generated):
        """Return the number of generated samples in each cell, `(k,)`."""
        return shares(checks.generated(generated, self.centres.shape[1]), self.centres)


def assign(x, centres):
    """Return each row's nearest centre `(n,)` and the squared distance to it."""
    return _nearest(*distances.points(np.asarray(x), np.asarray(centres)))


def shares(x, centres):
    """Return the number of rows in each cell, `(k,)`."""
    return np.bincount(assign(x, centres)[0], minlength=len(centres))


def _nearest(samples, cells):
    found, squares = np.empty(len(samples), "int64"), np.empty(len(samples), "float32")
    for part, block in samples.to(cells):
        found[part] = block.argmin(axis=1)
        squares[part] = block.min(axis=1)
    return found, squares


def _seeds(samples, k, rng):
    """Return k of the samples, chosen by their squared distances to those chosen before."""
    chosen = [int(rng.integers(len(samples)))]
    squares = np.full(len(samples), np.inf)
    while len(chosen) < k:
        last = samples.x[chosen[-1]]
        distance = samples.squares + samples.squares[chosen[-1]] - 2 * (samples.x @ last)
        # Rounding leaves a small distance between equal samples.
        distance[distance < 1e-6 * samples.squares[chosen[-1]]] = 0
        squares = np.minimum(squares, distance)
        total = np.cumsum(squares, dtype="float64")
        if total[-1] <= 0:
            raise checks.MetricError(
                f"there must be at least {k} different samples for {k} cells. "
                f"Received: {len(chosen)}"
            )
        place = np.searchsorted(total, rng.random() * total[-1], side="right")
        chosen.append(min(int(place), len(samples) - 1))
    return samples.x[chosen]
